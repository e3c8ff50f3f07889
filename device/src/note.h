/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a device remembers of the last activation: one small value in NVS. */
#ifndef UPDRAFT_NOTE_H
#define UPDRAFT_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "updraft/device_session.h"

/* A hint for clients and for the trial, never evidence: what may boot is decided by
 * otadata and by the image's own hash. Protocol 1 leaves no note. Where the app has not
 * initialised NVS, or NVS is full, the note lives until the next restart. Update task, or
 * before it runs. */

/* Numbers are kept in flash. */
enum updraft_note_state {
    UPDRAFT_NOTE_NONE = 0,
    UPDRAFT_NOTE_STAGED = 1,     /* verified, to be activated later */
    UPDRAFT_NOTE_ACTIVATING = 2, /* selected; how it ended is not known yet */
    UPDRAFT_NOTE_CONFIRMED = 3,
    UPDRAFT_NOTE_ROLLED_BACK = 4,
    UPDRAFT_NOTE_LOST = 5, /* selected, but it never ran; as STAGED otherwise */
};

struct updraft_note {
    enum updraft_note_state state;
    uint8_t policy; /* enum updraft_p2_confirm_by */
    uint8_t reason; /* enum updraft_reason */
    uint8_t detail;
    uint8_t slot;                         /* of the image: n of ota_n */
    uint8_t id[UPDRAFT_IMAGE_HASH_SIZE];  /* of the image */
    uint8_t head[UPDRAFT_HEAD_HELD_SIZE]; /* its first bytes, while flash lacks them */
};

/* What the device finds out about itself at boot. */
struct updraft_note_facts {
    uint8_t running_slot; /* n of ota_n, UPDRAFT_SLOT_NONE: another */
    uint8_t running_id[UPDRAFT_IMAGE_HASH_SIZE];
    bool on_trial;
    uint32_t noted_state; /* esp_ota_img_states_t of the noted slot in otadata, else
                           * ESP_OTA_IMG_UNDEFINED */
    uint8_t reset_reason; /* esp_reset_reason_t */
};

/* Reads the note; nothing, or something that is not a note, is none. */
void updraft_note_load(void);
const struct updraft_note *updraft_note(void);
/* Writes the note where it changed. False when it will not survive a restart. */
bool updraft_note_set(const struct updraft_note *note);
/* The slot is about to be erased: what the note says of its content is void; with
 * `ended`, how the last activation ended as well. False when the note in flash still says
 * it. */
bool updraft_note_forget(bool ended);

/* How an activation ended, as the boot after it shows. True when the note changed. */
bool updraft_note_judge(struct updraft_note *note,
                        const struct updraft_note_facts *facts);
/* enum updraft_result */
uint8_t updraft_note_result(const struct updraft_note *note);
/* True when the note is of that image in that slot. */
bool updraft_note_names(const struct updraft_note *note, uint8_t slot,
                        const uint8_t id[UPDRAFT_IMAGE_HASH_SIZE]);
/* True for an image that a later ACTIVATE can select. */
bool updraft_note_staged(const struct updraft_note *note);

#endif
