/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The task that owns the session and does all flash work. */
#ifndef UPDRAFT_TASK_H
#define UPDRAFT_TASK_H

#include "slot.h"
#include "updraft.h"

struct updraft_task_config {
    updraft_config_t app;
    struct updraft_slots slots;
    uint16_t chip_id;
    uint16_t chip_revision;
    uint32_t hardware_id;
    uint8_t image_id[UPDRAFT_IMAGE_HASH_SIZE]; /* of the running image */
    /* Tries again what failed on the radio; returns in how many ms to call it again, 0:
     * not at all. NULL: advertising and idle connections are the app's business. */
    uint32_t (*poll_radio)(void);
};

/* Fills in what Info and the session need to know and starts the task. config must stay.
 * Once. */
esp_err_t updraft_task_start(const struct updraft_task_config *config);

#endif
