/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Words of the watchdogs. */
#ifndef SIM_IDF_HAL_WDT_TYPES_H
#define SIM_IDF_HAL_WDT_TYPES_H

typedef enum {
    WDT_RWDT = 0,
    WDT_MWDT0,
    WDT_MWDT1,
} wdt_inst_t;

typedef enum {
    WDT_STAGE0 = 0,
    WDT_STAGE1 = 1,
    WDT_STAGE2 = 2,
    WDT_STAGE3 = 3,
} wdt_stage_t;

typedef enum {
    WDT_STAGE_ACTION_OFF = 0,
    WDT_STAGE_ACTION_INT = 1,
    WDT_STAGE_ACTION_RESET_CPU = 2,
    WDT_STAGE_ACTION_RESET_SYSTEM = 3,
    WDT_STAGE_ACTION_RESET_RTC = 4,
} wdt_stage_action_t;

#endif
