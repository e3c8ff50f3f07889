/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The first boot of a new firmware: confirm it, or go back to the one before. */
#ifndef UPDRAFT_TRIAL_H
#define UPDRAFT_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "slot.h"
#include "updraft.h"

/* Finds out whether the running firmware is on trial. If so, the RTC watchdog is armed
 * for the self-test's time, else disabled. */
void updraft_trial_begin(const struct updraft_slots *slots);

/* Any task. True from updraft_trial_begin until the firmware is confirmed. */
bool updraft_trial_under_way(void);

/* Any task. The radio is up: one of the three things a confirmation needs. */
void updraft_trial_radio_ready(void);

/* Update task, once, while a trial is under way. Runs the app's self-test. */
void updraft_trial_test(const updraft_config_t *config);

/* Update task, at least once a second while a trial is under way. Feeds the watchdog;
 * confirms the firmware when everything it needs has happened, rolls it back when the
 * limit is over. */
void updraft_trial_poll(void);

/* Any task, while a trial is under way. Goes back to the firmware before and does not
 * return; returns, with the trial over and the firmware kept, only if there is nothing to
 * go back to. */
void updraft_trial_fail(const char *why);

#endif
