/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What reading Info gives: the update task publishes it, the host task hands it out. */
#ifndef UPDRAFT_SNAPSHOT_H
#define UPDRAFT_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "updraft/protocol2.h"

/* The part that changes while a firmware runs. */
struct updraft_snapshot {
    uint16_t flags;        /* UPDRAFT_INFO_*, but for BUSY */
    uint8_t run_state;     /* enum updraft_run_state */
    uint8_t result;        /* enum updraft_result */
    uint8_t reason;        /* enum updraft_reason */
    uint8_t detail;        /* of the reason */
    uint32_t trial_end_ms; /* on trial: when it ends */
    uint8_t noted_id[UPDRAFT_P2_ID_SIZE];
};

/* Before either task runs. The rest of Info is filled in here and for each reader. */
void updraft_snapshot_init(const struct updraft_info *info);
/* Update task. */
void updraft_snapshot_publish(const struct updraft_snapshot *snapshot);
/* Any task. Info as `connection` reads it now. */
void updraft_snapshot_read(uint16_t connection, uint8_t ret_value[UPDRAFT_P2_INFO_SIZE]);

#endif
