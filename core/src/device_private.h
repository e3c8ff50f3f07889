/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the two halves of the device's session share: inputs (device_session.c) and
 * actions (device_actions.c). */
#ifndef UPDRAFT_CORE_DEVICE_PRIVATE_H
#define UPDRAFT_CORE_DEVICE_PRIVATE_H

#include "updraft/device_session.h"

/* What comes next within a state. */
enum step {
    STEP_NONE,
    STEP_ASK,      /* IDLE: the application, about a REQUEST */
    STEP_JUDGE,    /* HEAD: the application, about the image */
    STEP_PREPARE,  /* HEAD */
    STEP_FLUSH,    /* VERIFYING: what is still staged */
    STEP_HASH,     /* VERIFYING */
    STEP_COMMIT,   /* VERIFYING: write the header */
    STEP_ACTIVATE, /* VERIFYING */
    STEP_RESTART,  /* RESTARTING */
};

/* The application agreed to the REQUEST of answer_connection. */
void updraft_device_accept(struct updraft_device *device);

void updraft_device_answer(struct updraft_device *device, uint16_t connection,
                           uint8_t opcode);

/* The update cannot succeed any more, which its client learns when it asks by DONE. */
void updraft_device_fail(struct updraft_device *device, int error);

/* error: why, unless the update had failed before. */
void updraft_device_end(struct updraft_device *device, int error);

/* Only along a transition of states.h. */
void updraft_device_set_state(struct updraft_device *device,
                              enum updraft_device_state state);

#endif
