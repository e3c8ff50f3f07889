/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Starting NimBLE, advertising, and connections, for an app that leaves them to updraft.
 */
#ifndef UPDRAFT_GAP_H
#define UPDRAFT_GAP_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

/* Starts controller and host with GAP and GATT service; nothing is on air before
 * updraft_gap_run. A name above 29 bytes is cut. */
esp_err_t updraft_gap_init(const char *name);
/* Starts the host task; advertising begins as soon as host and controller agree. */
void updraft_gap_run(void);

/* Update task. Tries again what failed; returns in how many ms to call it next, or 0 when
 * there is nothing to do. */
uint32_t updraft_gap_poll(void);

#endif
