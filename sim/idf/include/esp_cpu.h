/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The processor's cycle counter. */
#ifndef SIM_IDF_ESP_CPU_H
#define SIM_IDF_ESP_CPU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counts at 160 MHz of the board's time. */
uint32_t esp_cpu_get_cycle_count(void);

#ifdef __cplusplus
}
#endif

#endif
