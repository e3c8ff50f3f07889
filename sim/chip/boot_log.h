/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Lines that the boot loader prints. */
#ifndef SIM_BOOT_LOG_H
#define SIM_BOOT_LOG_H

#include "sim/chip/boot.h"

struct boot_log {
    sim_boot_log_t print; /* NULL: silent */
    void *context;
    const uint64_t *us; /* since the boot began */
};

/* "I (12) boot: text", with level 'I', 'W' or 'E' and milliseconds. */
void boot_log(const struct boot_log *log, char level, const char *tag, const char *format,
              ...) __attribute__((format(printf, 4, 5)));

#endif
