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

/* Any task. True once the self-test has passed, or when there is no trial. */
bool updraft_trial_tested(void);

/* Update task. Feeds the watchdog; confirms the firmware once everything that it needs
 * has been there for CONFIG_UPDRAFT_TRIAL_SETTLE_MS, rolls it back when the limit is
 * over. Returns in how many ms to call it again, 0: not at all. */
uint32_t updraft_trial_poll(void);

/* Any task, while a trial is under way. Goes back to the firmware before and does not
 * return; returns, with the trial over and the firmware kept, only if there is nothing to
 * go back to. */
void updraft_trial_fail(const char *why);

#endif
