/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a firmware module tells the board about itself: sim/firmware/glue.c, compiled
 * with the module's own configuration, fills it in. */
#ifndef SIM_FIRMWARE_INFO_H
#define SIM_FIRMWARE_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_firmware_info {
    size_t size; /* of this struct: a module of another version is refused */
    void (*app_main)(void);
    /* Variables that keep their content over a reset (RTC_NOINIT_ATTR). */
    char *rtc_start;
    char *rtc_end;

    int idf_major;
    uint32_t tick_rate_hz;
    uint32_t main_stack_size;
    int log_level;
    /* The RTC watchdog stays armed until the application turns it off. */
    bool rtc_watchdog_kept;
    uint32_t task_watchdog_ms; /* 0: off */
    bool task_watchdog_panic;
    bool task_watchdog_idle; /* watches the idle task */
    bool erase_by_sectors;   /* SPI_FLASH_BYPASS_BLOCK_ERASE */
    uint32_t erase_yield_ms; /* 0: never */
    uint32_t erase_yield_ticks;
    uint32_t write_chunk_size;
};

#endif
