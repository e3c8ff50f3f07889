/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The legacy device's update: what REQUEST, data and DONE do to its flash. */
#ifndef LEGACY_UPDATE_H
#define LEGACY_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

/* All of these are called by one task: the worker, or NimBLE's host task with the defect
 * LEGACY_FLASH_IN_HOST_TASK. */

/* Answers by legacy_answer. */
void legacy_request(uint16_t connection);
void legacy_done(uint16_t connection);
/* Returns 0 or an ATT error (which only the host task can pass on). */
int legacy_data(uint16_t connection, const uint8_t *bytes, uint16_t size_bytes);
void legacy_disconnected(uint16_t connection);

/* Any task. The update under way cannot succeed any more. */
bool legacy_failed(void);

/* Given by main.c. */
void legacy_answer(uint16_t connection, uint8_t opcode);
void legacy_restart(void);

#endif
