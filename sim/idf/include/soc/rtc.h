/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The slow clock that the RTC watchdog counts. */
#ifndef SIM_IDF_SOC_RTC_H
#define SIM_IDF_SOC_RTC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 136000: the internal RC oscillator of the C3. */
uint32_t rtc_clk_slow_freq_get_hz(void);

#ifdef __cplusplus
}
#endif

#endif
