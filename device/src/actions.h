/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the session asks for, carried out. */
#ifndef UPDRAFT_ACTIONS_H
#define UPDRAFT_ACTIONS_H

#include "task.h"
#include "updraft/device_session.h"

/* Update task alone. */

/* config and session: must stay. scratch: overwritten by every action, and where the
 * output of READ is. */
void updraft_actions_init(const struct updraft_task_config *config,
                          const struct updraft_device *session,
                          uint8_t scratch[UPDRAFT_SLOT_SCRATCH_SIZE]);

/* Returns 0 or an error of updraft/error.h. *ret_output: as updraft_device_done takes it;
 * valid until the next call. RESTART and ROLL_BACK do not return unless they fail. */
int updraft_actions_carry_out(const struct updraft_device_action *action,
                              const uint8_t **ret_output);

/* Header and descriptor of the image that is arriving; NULL until they are in. */
const struct updraft_image_descriptor *updraft_actions_descriptor(void);

#endif
