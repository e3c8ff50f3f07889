/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The note: its bytes, its place in NVS, and what a boot makes of it. */
#include "note.h"

#include <string.h>

#include "esp_flash_partitions.h"
#include "esp_log.h"
#include "nvs.h"

/* layout u8, state u8, policy u8, reason u8, detail u8, slot u8, 0 u16, image id 32
 * bytes, first bytes 32, CRC-32 u32 over what comes before, little-endian. */
#define LAYOUT    1u
#define ID_AT     8u
#define HEAD_AT   (ID_AT + UPDRAFT_IMAGE_HASH_SIZE)
#define CRC_AT    (HEAD_AT + UPDRAFT_HEAD_HELD_SIZE)
#define NOTE_SIZE (CRC_AT + 4u)

static const char *const TAG = "updraft";
static const char *const NAMESPACE = "updraft";
static const char *const KEY = "note";

static struct updraft_note current;
static bool stored; /* flash holds it as it is in `current` */

static bool erase(void);
static void encode(const struct updraft_note *note, uint8_t bytes[NOTE_SIZE]);
static bool decode(const uint8_t bytes[NOTE_SIZE], struct updraft_note *ret_note);
static bool same(const struct updraft_note *one, const struct updraft_note *other);

void updraft_note_load(void)
{
    uint8_t bytes[NOTE_SIZE];
    size_t size = sizeof(bytes);
    nvs_handle_t nvs;
    memset(&current, 0, sizeof(current));
    stored = false;
    esp_err_t err = nvs_open(NAMESPACE, NVS_READONLY, &nvs);
    if (err == ESP_OK) {
        err = nvs_get_blob(nvs, KEY, bytes, &size);
        nvs_close(nvs);
    }
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        stored = true; /* no note is what flash holds */
    } else if (err != ESP_OK) {
        ESP_LOGW(TAG, "no note of the last activation: %s", esp_err_to_name(err));
    } else if (size == sizeof(bytes) && decode(bytes, &current)) {
        stored = true;
    }
}

const struct updraft_note *updraft_note(void)
{
    return &current;
}

bool updraft_note_set(const struct updraft_note *note)
{
    if (stored && same(note, &current)) {
        return true;
    }
    uint8_t bytes[NOTE_SIZE];
    nvs_handle_t nvs;
    current = *note;
    encode(&current, bytes);
    esp_err_t err = nvs_open(NAMESPACE, NVS_READWRITE, &nvs);
    if (err == ESP_OK) {
        err = nvs_set_blob(nvs, KEY, bytes, sizeof(bytes));
        if (err == ESP_OK) {
            err = nvs_commit(nvs);
        }
        nvs_close(nvs);
    }
    stored = err == ESP_OK;
    if (!stored) {
        ESP_LOGW(TAG, "note not written: %s", esp_err_to_name(err));
    }
    return stored;
}

bool updraft_note_forget(bool ended)
{
    bool tells_end = current.state == UPDRAFT_NOTE_CONFIRMED ||
                     current.state == UPDRAFT_NOTE_ROLLED_BACK;
    bool stays = tells_end && !ended;
    /* Where the current note was not written, flash may hold an older one. */
    if (stored && (stays || current.state == UPDRAFT_NOTE_NONE)) {
        return true;
    }
    if (!erase()) {
        return false;
    }
    if (!stays) {
        memset(&current, 0, sizeof(current));
        stored = true;
    }
    return true;
}

/* Takes no room, where a new value would: an NVS that is full must not keep a device from
 * updates. */
static bool erase(void)
{
    nvs_handle_t nvs;
    if (nvs_open(NAMESPACE, NVS_READWRITE, &nvs) != ESP_OK) {
        return true; /* no NVS, or no room for a namespace: there is no note either */
    }
    esp_err_t err = nvs_erase_key(nvs, KEY);
    if (err == ESP_OK) {
        err = nvs_commit(nvs);
    }
    nvs_close(nvs);
    return err == ESP_OK || err == ESP_ERR_NVS_NOT_FOUND;
}

bool updraft_note_judge(struct updraft_note *note, const struct updraft_note_facts *facts)
{
    bool runs = updraft_note_names(note, facts->running_slot, facts->running_id);
    if (note->state != UPDRAFT_NOTE_ACTIVATING &&
        !(note->state == UPDRAFT_NOTE_ROLLED_BACK && runs)) {
        return false;
    }
    if (runs) {
        if (facts->on_trial) {
            return false;
        }
        /* Also one whose rollback was noted and then cut off. */
        note->state = UPDRAFT_NOTE_CONFIRMED;
        note->reason = UPDRAFT_REASON_UNKNOWN;
        note->detail = 0;
        return true;
    }
    if (facts->noted_state == ESP_OTA_IMG_ABORTED) {
        note->state = UPDRAFT_NOTE_ROLLED_BACK;
        note->reason = UPDRAFT_REASON_RESET;
        note->detail = facts->reset_reason;
        return true;
    }
    note->reason = UPDRAFT_REASON_UNKNOWN;
    note->detail = 0;
    if (facts->noted_state == ESP_OTA_IMG_INVALID) {
        note->state = UPDRAFT_NOTE_ROLLED_BACK;
    } else {
        /* Nothing in otadata says that it ran: the power went away before the boot loader
         * had noted its trial. */
        note->state = UPDRAFT_NOTE_LOST;
    }
    return true;
}

uint8_t updraft_note_result(const struct updraft_note *note)
{
    switch (note->state) {
    case UPDRAFT_NOTE_CONFIRMED:
        return UPDRAFT_RESULT_CONFIRMED;
    case UPDRAFT_NOTE_ROLLED_BACK:
        return UPDRAFT_RESULT_ROLLED_BACK;
    case UPDRAFT_NOTE_LOST:
        return UPDRAFT_RESULT_LOST;
    case UPDRAFT_NOTE_NONE:
    case UPDRAFT_NOTE_STAGED:
    case UPDRAFT_NOTE_ACTIVATING:
        break;
    }
    return UPDRAFT_RESULT_NONE;
}

bool updraft_note_names(const struct updraft_note *note, uint8_t slot,
                        const uint8_t id[UPDRAFT_IMAGE_HASH_SIZE])
{
    return note->state != UPDRAFT_NOTE_NONE && note->slot == slot &&
           memcmp(note->id, id, sizeof(note->id)) == 0;
}

bool updraft_note_staged(const struct updraft_note *note)
{
    return note->state == UPDRAFT_NOTE_STAGED || note->state == UPDRAFT_NOTE_LOST;
}

static void put_crc(uint8_t *bytes, uint32_t crc)
{
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(crc >> 8 * i);
    }
}

static void encode(const struct updraft_note *note, uint8_t bytes[NOTE_SIZE])
{
    memset(bytes, 0, NOTE_SIZE);
    bytes[0] = LAYOUT;
    bytes[1] = (uint8_t)note->state;
    bytes[2] = note->policy;
    bytes[3] = note->reason;
    bytes[4] = note->detail;
    bytes[5] = note->slot;
    memcpy(bytes + ID_AT, note->id, sizeof(note->id));
    memcpy(bytes + HEAD_AT, note->head, sizeof(note->head));
    put_crc(bytes + CRC_AT, updraft_crc32(0, bytes, CRC_AT));
}

static bool decode(const uint8_t bytes[NOTE_SIZE], struct updraft_note *ret_note)
{
    uint8_t crc[4];
    put_crc(crc, updraft_crc32(0, bytes, CRC_AT));
    if (bytes[0] != LAYOUT || bytes[1] > UPDRAFT_NOTE_LOST ||
        memcmp(crc, bytes + CRC_AT, sizeof(crc)) != 0) {
        return false;
    }
    ret_note->state = (enum updraft_note_state)bytes[1];
    ret_note->policy = bytes[2];
    ret_note->reason = bytes[3];
    ret_note->detail = bytes[4];
    ret_note->slot = bytes[5];
    memcpy(ret_note->id, bytes + ID_AT, sizeof(ret_note->id));
    memcpy(ret_note->head, bytes + HEAD_AT, sizeof(ret_note->head));
    return true;
}

static bool same(const struct updraft_note *one, const struct updraft_note *other)
{
    uint8_t bytes[2][NOTE_SIZE];
    encode(one, bytes[0]);
    encode(other, bytes[1]);
    return memcmp(bytes[0], bytes[1], NOTE_SIZE) == 0;
}
