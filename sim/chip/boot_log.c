/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Lines that the boot loader prints. */
#include "sim/chip/boot_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void boot_log(const struct boot_log *log, char level, const char *tag, const char *format,
              ...)
{
    if (log->print == NULL) {
        return;
    }
    char line[160];
    int length = snprintf(line, sizeof(line), "%c (%" PRIu64 ") %s: ", level,
                          *log->us / 1000, tag);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + length, sizeof(line) - (size_t)length, format, arguments);
    va_end(arguments);
    log->print(log->context, line);
}
