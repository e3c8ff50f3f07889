/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the parts of the device's session share: inputs and actions, of each protocol, and
 * the erase plan. */
#ifndef UPDRAFT_CORE_DEVICE_PRIVATE_H
#define UPDRAFT_CORE_DEVICE_PRIVATE_H

#include "check.h"
#include "updraft/device_session.h"

/* What comes next within a state. */
enum step {
    STEP_NONE,
    STEP_ASK,      /* IDLE: the application, about a REQUEST */
    STEP_JUDGE,    /* HEAD, MANIFEST: the application, about the image */
    STEP_PREPARE,  /* HEAD, READY, VERIFYING */
    STEP_FLUSH,    /* VERIFYING: what is still staged */
    STEP_HASH,     /* VERIFYING */
    STEP_COMMIT,   /* VERIFYING, VERIFIED: write the header */
    STEP_ACTIVATE, /* VERIFYING, VERIFIED, IDLE */
    STEP_RESTART,  /* RESTARTING */
    /* Protocol 2 alone. */
    STEP_OPEN,          /* IDLE: the application, about an OPEN */
    STEP_FIRST_CRC,     /* MANIFEST: does the slot hold the image's first sector? */
    STEP_MAP,           /* READY: one sector after another */
    STEP_COMPARE_HEAD,  /* VERIFYING: flash against the manifest */
    STEP_COMPARE_ID,    /* VERIFYING */
    STEP_STAGE,         /* VERIFYING */
    STEP_UNSTAGE,       /* IDLE */
    STEP_POLICY,        /* VERIFIED, IDLE */
    STEP_CONFIRM,       /* IDLE */
    STEP_MAY_ROLL_BACK, /* IDLE */
    STEP_ROLL_BACK,     /* RESTARTING */
};

/* device_session.c */

/* The application agreed to the REQUEST of `asker`. */
void updraft_device_accept(struct updraft_device *device);

void updraft_device_answer(struct updraft_device *device, uint16_t connection,
                           uint8_t opcode);

/* Everything about the image that the chip alone can know, before a byte is erased. */
int updraft_device_judge_head(const struct updraft_device *device);

/* Takes bytes of the image into the stage; its first ones, which flash gets last, into
 * `head`. */
void updraft_device_store(struct updraft_device *device, const uint8_t *bytes,
                          size_t size);

/* The update cannot succeed any more, which its client learns when it asks by DONE. */
void updraft_device_fail(struct updraft_device *device, int error);

/* error: why, unless the update had failed before, or its image is staged. */
void updraft_device_end(struct updraft_device *device, int error);

/* Is there a transition of states.h to it? */
bool updraft_device_may_become(const struct updraft_device *device,
                               enum updraft_device_state state);

static inline void updraft_device_set_state(struct updraft_device *device,
                                            enum updraft_device_state state)
{
    CHECK(updraft_device_may_become(device, state));
    device->state = state;
}

/* device_actions.c */

/* The erase or write that what is staged needs next; false: there is not enough of it.
 * flush: nothing more will come. */
bool updraft_device_flash_action(struct updraft_device *device, bool flush,
                                 uint32_t now_ms,
                                 struct updraft_device_action *ret_action);
/* The write that was polled is done. */
void updraft_device_written(struct updraft_device *device);

/* device_protocol2.c: what arrives. */
void updraft_p2_init(struct updraft_device *device);
void updraft_p2_control(struct updraft_device *device, uint16_t connection,
                        const uint8_t *bytes, size_t size, uint32_t now_ms);
void updraft_p2_data(struct updraft_device *device, const uint8_t *bytes, size_t size,
                     uint32_t now_ms);
/* When a report is due although nothing happened, and that report. */
uint32_t updraft_p2_report_due_ms(const struct updraft_device *device);
void updraft_p2_report_again(struct updraft_device *device);
/* STATE for the owner, as soon as it is polled. detail: with a status other than 0. */
void updraft_p2_report(struct updraft_device *device, uint8_t status, uint32_t detail);
/* STATE for a connection that has no session. */
void updraft_p2_tell(struct updraft_device *device, uint16_t connection, uint8_t status,
                     uint32_t detail);
/* Ends the session, and tells its connection why. */
void updraft_p2_end(struct updraft_device *device, uint8_t status, uint32_t detail);
/* The application agreed to the OPEN of `asker`. */
void updraft_p2_open(struct updraft_device *device);
/* Otadata does not name the slot any more: the range of the command begins. */
void updraft_p2_start_range(struct updraft_device *device, uint32_t now_ms);

/* device_protocol2_actions.c: what is done about it. */
bool updraft_p2_next_action(struct updraft_device *device, uint32_t now_ms,
                            struct updraft_device_action *ret_action);
void updraft_p2_succeeded(struct updraft_device *device, const uint8_t *output,
                          uint32_t now_ms);
void updraft_p2_failed(struct updraft_device *device, int error);

/* device_erase.c */
void updraft_erase_init(struct updraft_device *device);
/* May a pass over the slot begin, which erases each sector once? */
bool updraft_erase_allowed(struct updraft_device *device, uint32_t now_ms,
                           uint32_t *ret_wait_s);
/* It begins. */
void updraft_erase_spend(struct updraft_device *device);
void updraft_erase_begin(struct updraft_device *device, uint32_t now_ms);
/* How much to erase at erased_bytes. */
uint32_t updraft_erase_choose(struct updraft_device *device, uint32_t now_ms);
/* Nothing can be written now: should the sector at erased_bytes be erased meanwhile? */
bool updraft_erase_ahead(struct updraft_device *device, uint32_t now_ms);
/* Could the client run out of credit during the next erase, so that the link would stand
 * idle? A report goes first then. */
bool updraft_erase_needs_credit(const struct updraft_device *device);
/* Is what is to be erased next likely to take longer than a client should wait unwarned?
 */
bool updraft_erase_is_long(const struct updraft_device *device, uint32_t size_bytes);
void updraft_erase_done(struct updraft_device *device, uint32_t took_ms);

#endif
