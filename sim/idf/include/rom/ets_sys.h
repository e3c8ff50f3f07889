/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The ROM's older names. */
#ifndef SIM_IDF_ROM_ETS_SYS_H
#define SIM_IDF_ROM_ETS_SYS_H

#include "esp_rom_sys.h"

#define ets_delay_us esp_rom_delay_us
#define ets_printf   esp_rom_printf

#endif
