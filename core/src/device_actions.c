/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's work: which action comes next, and what its result means. */
#include "bytes.h"
#include "check.h"
#include "device_private.h"
#include "updraft/error.h"

#define FLASH_UNIT_SIZE 16u /* what flash encryption writes at a time */

_Static_assert(UPDRAFT_HEAD_HELD_SIZE % FLASH_UNIT_SIZE == 0,
               "the header is whole units");
_Static_assert(UPDRAFT_FLASH_SECTOR_SIZE % UPDRAFT_STAGE_SIZE == 0,
               "no write crosses a sector");

static bool next_action(struct updraft_device *device, uint32_t now_ms,
                        struct updraft_device_action *ret_action);
static bool next_verifying_action(struct updraft_device *device, uint32_t now_ms,
                                  struct updraft_device_action *ret_action);
static bool is_protocol2(const struct updraft_device *device);
static void on_success(struct updraft_device *device, const uint8_t *output);
static void on_failure(struct updraft_device *device, int error);

bool updraft_device_poll(struct updraft_device *device, uint32_t now_ms,
                         struct updraft_device_action *ret_action)
{
    CHECK(!device->action_pending);
    struct updraft_device_action action = {0};
    if (device->answer_size_bytes > 0) {
        action.kind = UPDRAFT_ACTION_ANSWER;
        action.connection = device->answer_connection;
        action.bytes = device->answer;
        action.size_bytes = device->answer_size_bytes;
    } else if (is_protocol2(device)) {
        if (!updraft_p2_next_action(device, now_ms, &action)) {
            return false;
        }
    } else if (!next_action(device, now_ms, &action)) {
        return false;
    }
    device->action_pending = true;
    device->action_kind = action.kind;
    device->action_size_bytes = action.size_bytes;
    device->action_begun_ms = now_ms;
    *ret_action = action;
    return true;
}

void updraft_device_done(struct updraft_device *device, int result, const uint8_t *output,
                         uint32_t now_ms)
{
    CHECK(device->action_pending);
    device->action_pending = false;
    if (device->action_kind == UPDRAFT_ACTION_ANSWER && device->answer_size_bytes > 0) {
        device->answer_size_bytes = 0;
        return;
    }
    if (is_protocol2(device)) {
        if (result) {
            updraft_p2_failed(device, result);
        } else {
            updraft_p2_succeeded(device, output, now_ms);
        }
    } else if (result) {
        on_failure(device, result);
    } else {
        on_success(device, output);
    }
}

/* By session, or by the step that is for a connection without one. */
static bool is_protocol2(const struct updraft_device *device)
{
    bool without_session =
        device->state == UPDRAFT_DEVICE_IDLE && device->step > STEP_ASK;
    return device->protocol == 2 || device->step >= STEP_OPEN || without_session;
}

static bool next_action(struct updraft_device *device, uint32_t now_ms,
                        struct updraft_device_action *ret_action)
{
    switch (device->state) {
    case UPDRAFT_DEVICE_IDLE:
        ret_action->kind = UPDRAFT_ACTION_BEGIN;
        ret_action->connection = device->asker;
        return device->step == STEP_ASK;
    case UPDRAFT_DEVICE_HEAD:
        ret_action->kind =
            device->step == STEP_JUDGE ? UPDRAFT_ACTION_JUDGE : UPDRAFT_ACTION_PREPARE;
        return device->step != STEP_NONE;
    case UPDRAFT_DEVICE_RECEIVING:
        return updraft_device_flash_action(device, /* flush= */ false, now_ms,
                                           ret_action);
    case UPDRAFT_DEVICE_VERIFYING:
        return next_verifying_action(device, now_ms, ret_action);
    case UPDRAFT_DEVICE_FAILED:
        return false;
    case UPDRAFT_DEVICE_RESTARTING:
        ret_action->kind = UPDRAFT_ACTION_RESTART;
        return device->step == STEP_RESTART;
    case UPDRAFT_DEVICE_MANIFEST:
    case UPDRAFT_DEVICE_READY:
    case UPDRAFT_DEVICE_VERIFIED:
        CHECK(false);
        break;
    }
    return false;
}

/* Writes end at multiples of the stage size, so that pages are written whole. What is
 * erased, is erased just before its first write. */
bool updraft_device_flash_action(struct updraft_device *device, bool flush,
                                 uint32_t now_ms,
                                 struct updraft_device_action *ret_action)
{
    uint32_t size = UPDRAFT_STAGE_SIZE - device->written_bytes % UPDRAFT_STAGE_SIZE;
    if (flush && device->stage_used_bytes < size) {
        size = device->stage_used_bytes;
    }
    if (size == 0 || device->stage_used_bytes < size) {
        return false;
    }
    /* An image's size is a multiple of 16, the hash being 32 bytes after a checksum that
     * ends such a block. */
    CHECK(size % FLASH_UNIT_SIZE == 0 && device->written_bytes % FLASH_UNIT_SIZE == 0);
    CHECK(device->written_bytes + size <= device->config.slot_size_bytes);
    if (device->written_bytes + size > device->erased_bytes) {
        ret_action->kind = UPDRAFT_ACTION_ERASE;
        ret_action->offset_bytes = device->erased_bytes;
        ret_action->size_bytes = UPDRAFT_FLASH_SECTOR_SIZE;
        if (device->protocol == 2) {
            ret_action->size_bytes = updraft_erase_choose(device, now_ms);
        }
    } else {
        ret_action->kind = UPDRAFT_ACTION_WRITE;
        ret_action->offset_bytes = device->written_bytes;
        ret_action->size_bytes = size;
        ret_action->bytes = device->stage;
    }
    return true;
}

static bool next_verifying_action(struct updraft_device *device, uint32_t now_ms,
                                  struct updraft_device_action *ret_action)
{
    if (device->step == STEP_FLUSH) {
        if (updraft_device_flash_action(device, /* flush= */ true, now_ms, ret_action)) {
            return true;
        }
        CHECK(device->written_bytes == device->image.size_bytes);
        device->step = STEP_HASH;
    }
    if (device->step == STEP_HASH) {
        ret_action->kind = UPDRAFT_ACTION_HASH;
        ret_action->bytes = device->head;
        ret_action->size_bytes = UPDRAFT_HEAD_HELD_SIZE;
        ret_action->offset_bytes = UPDRAFT_HEAD_HELD_SIZE;
        ret_action->end_offset_bytes = device->image.hashed_size_bytes;
    } else if (device->step == STEP_COMMIT) {
        ret_action->kind = UPDRAFT_ACTION_WRITE;
        ret_action->offset_bytes = 0;
        ret_action->size_bytes = UPDRAFT_HEAD_HELD_SIZE;
        ret_action->bytes = device->head;
    } else {
        CHECK(device->step == STEP_ACTIVATE);
        ret_action->kind = UPDRAFT_ACTION_ACTIVATE;
    }
    return true;
}

static void on_success(struct updraft_device *device, const uint8_t *output)
{
    switch (device->action_kind) {
    case UPDRAFT_ACTION_ANSWER:
        break;
    case UPDRAFT_ACTION_BEGIN:
        updraft_device_accept(device);
        break;
    case UPDRAFT_ACTION_JUDGE:
        device->step = STEP_PREPARE;
        break;
    case UPDRAFT_ACTION_PREPARE:
        device->step = STEP_NONE;
        updraft_erase_spend(device);
        updraft_device_set_state(device, UPDRAFT_DEVICE_RECEIVING);
        break;
    case UPDRAFT_ACTION_ERASE:
        device->erased_bytes += device->action_size_bytes;
        break;
    case UPDRAFT_ACTION_WRITE:
        if (device->step == STEP_COMMIT) {
            device->step = STEP_ACTIVATE;
        } else {
            updraft_device_written(device);
        }
        break;
    case UPDRAFT_ACTION_HASH: {
        CHECK(output != NULL);
        int error = updraft_image_check_hash(&device->image, output);
        if (error) {
            on_failure(device, error);
        } else {
            device->step = STEP_COMMIT;
        }
        break;
    }
    case UPDRAFT_ACTION_ACTIVATE:
        device->step = STEP_RESTART;
        updraft_device_set_state(device, UPDRAFT_DEVICE_RESTARTING);
        updraft_device_answer(device, device->owner, UPDRAFT_P1_DONE_ACK);
        break;
    case UPDRAFT_ACTION_RESTART:
        device->step = STEP_NONE;
        break;
    case UPDRAFT_ACTION_READ:
    case UPDRAFT_ACTION_CRC:
    case UPDRAFT_ACTION_STAGE:
    case UPDRAFT_ACTION_UNSTAGE:
    case UPDRAFT_ACTION_POLICY:
    case UPDRAFT_ACTION_CONFIRM:
    case UPDRAFT_ACTION_MAY_ROLL_BACK:
    case UPDRAFT_ACTION_ROLL_BACK:
        CHECK(false); /* protocol 2's */
        break;
    }
}

static void on_failure(struct updraft_device *device, int error)
{
    switch (device->state) {
    case UPDRAFT_DEVICE_IDLE:
        CHECK(device->step == STEP_ASK);
        device->step = STEP_NONE;
        device->error = error;
        updraft_device_answer(device, device->asker, UPDRAFT_P1_REQUEST_NAK);
        break;
    case UPDRAFT_DEVICE_HEAD:
    case UPDRAFT_DEVICE_RECEIVING:
        updraft_device_fail(device, error);
        break;
    case UPDRAFT_DEVICE_VERIFYING:
        updraft_device_answer(device, device->owner, UPDRAFT_P1_DONE_NAK);
        updraft_device_end(device, error);
        break;
    case UPDRAFT_DEVICE_FAILED:
    case UPDRAFT_DEVICE_MANIFEST:
    case UPDRAFT_DEVICE_READY:
    case UPDRAFT_DEVICE_VERIFIED:
        CHECK(false);
        break;
    case UPDRAFT_DEVICE_RESTARTING:
        /* The restart was ordered; there is nothing else to do about it. */
        device->step = STEP_NONE;
        break;
    }
}

void updraft_device_written(struct updraft_device *device)
{
    uint32_t size = device->action_size_bytes;
    CHECK(size <= device->stage_used_bytes);
    device->written_bytes += size;
    device->stage_used_bytes -= size;
    memmove(device->stage, device->stage + size, device->stage_used_bytes);
}
