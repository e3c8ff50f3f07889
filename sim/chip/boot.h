/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The second-stage boot loader of ESP-IDF: which image runs. */
#ifndef SIM_BOOT_H
#define SIM_BOOT_H

#include <stdbool.h>
#include <stdint.h>

struct sim_chip;

struct sim_boot_result {
    bool booted;     /* false: nothing loads; the chip would reset for ever */
    bool cut;        /* the power went while the boot loader wrote */
    char label[17];  /* of the partition taken */
    uint8_t subtype; /* 0x00 factory, 0x10 ota_0, ... */
    uint32_t offset;
    uint32_t size;
    uint64_t took_us; /* verification and otadata writes */
};

/* Called for each line the boot loader prints. */
typedef void (*sim_boot_log_t)(void *context, const char *line);

/* Runs the boot loader once over the chip's flash: reads the table and otadata, aborts
 * what is pending, moves NEW to PENDING, verifies, falls back. */
void sim_boot_run(struct sim_chip *chip, sim_boot_log_t log, void *context,
                  struct sim_boot_result *ret_result);

#endif
