/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The first boot of a new firmware: confirm it, or go back to the one before. */
#ifndef UPDRAFT_TRIAL_H
#define UPDRAFT_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "slot.h"
#include "snapshot.h"
#include "updraft.h"

/* Finds out whether the running firmware is on trial. If so, the RTC watchdog is armed
 * for the self-test's time, else disabled. id: of the running image; must stay. */
void updraft_trial_begin(const struct updraft_slots *slots,
                         const uint8_t id[UPDRAFT_IMAGE_HASH_SIZE]);

/* Once NVS can be read and before the update task runs: what the note says of this
 * firmware. Writes down how the last activation ended. */
void updraft_trial_read_note(void);

/* Any task. True from updraft_trial_begin until the firmware is confirmed. */
bool updraft_trial_under_way(void);

/* Any task. The radio is up: one of the three things a confirmation needs. */
void updraft_trial_radio_ready(void);

/* Update task, once, while a trial is under way. Runs the app's self-test. */
void updraft_trial_test(const updraft_config_t *config);

/* Any task. True once the self-test has passed, or when there is no trial. */
bool updraft_trial_tested(void);

/* Update task. Feeds the watchdog; confirms the firmware once everything that it needs
 * has been there for CONFIG_UPDRAFT_TRIAL_SETTLE_MS and, where the client decides, it has
 * confirmed it; rolls it back when the limit is over. Returns in how many ms to call it
 * again, 0: not at all. */
uint32_t updraft_trial_poll(void);

/* Update task. A client's CONFIRM of the image with these first bytes of its id: 0, or
 * LINK_STATE where another one runs. Remembered where it comes too early. */
int updraft_trial_confirm(const uint8_t id[UPDRAFT_P2_ID_SIZE]);

/* Update task. Fills in what Info tells of it: run state, whether a client's CONFIRM is
 * awaited, and when the trial ends. */
void updraft_trial_tell(struct updraft_snapshot *snapshot);

/* Any task, while a trial is under way. Notes the reason (enum updraft_reason), goes back
 * to the firmware before and does not return; returns, with the trial over and the
 * firmware kept, only if there is nothing to go back to. */
void updraft_trial_fail(uint8_t reason);

#endif
