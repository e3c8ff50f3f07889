/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Calls of the chip's ROM. */
#ifndef SIM_IDF_ESP_ROM_SYS_H
#define SIM_IDF_ESP_ROM_SYS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Busy-waits: time passes, and tasks of lower priority do not run. */
void esp_rom_delay_us(uint32_t us);
int esp_rom_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#ifdef __cplusplus
}
#endif

#endif
