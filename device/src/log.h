/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Lines that many places log, at the level of errors. */
#ifndef UPDRAFT_LOG_H
#define UPDRAFT_LOG_H

#include "esp_err.h"

/* Logs what failed, and ESP-IDF's name of the reason. Any task. */
void updraft_log_error(const char *what, esp_err_t err);
/* Likewise, the reason being a NimBLE return code. */
void updraft_log_nimble_error(const char *what, int rc);

#endif
