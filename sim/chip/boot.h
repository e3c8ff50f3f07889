/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The second-stage boot loader of ESP-IDF: which image runs. */
#ifndef SIM_BOOT_H
#define SIM_BOOT_H

#include <stdbool.h>
#include <stdint.h>

struct sim_chip;

/* The RTC watchdog that the boot loader starts and leaves running. */
#define SIM_BOOT_WATCHDOG_MS 9000u

struct sim_boot_result {
    bool booted; /* false: nothing loads; the chip would reset for ever */
    bool cut;    /* the power went while the boot loader wrote */
    /* The fields below are of the partition taken; zero unless booted. */
    char label[17];
    uint8_t subtype; /* 0x00 factory, 0x10 ota_0, ... */
    uint32_t offset;
    uint32_t size;
    uint32_t image_size;
    uint32_t entry;   /* address */
    uint64_t took_us; /* verification and otadata writes; set in every case */
};

/* Called for each line the boot loader prints. */
typedef void (*sim_boot_log_t)(void *context, const char *line);

/* Runs ROM and boot loader once over the chip's flash: reads the table and otadata,
 * aborts what is pending, moves NEW to PENDING, verifies, falls back. log may be NULL.
 * Flash operations and reads stand as one group in time: let took_us pass, then
 * sim_flash_settle. A flash without power: nothing boots, cut is set. */
void sim_boot_run(struct sim_chip *chip, sim_boot_log_t log, void *context,
                  struct sim_boot_result *ret_result);

#endif
