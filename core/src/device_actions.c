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

static bool next_action(struct updraft_device *device,
                        struct updraft_device_action *ret_action);
static bool next_flash_action(const struct updraft_device *device, bool flush,
                              struct updraft_device_action *ret_action);
static bool next_verifying_action(struct updraft_device *device,
                                  struct updraft_device_action *ret_action);
static void on_success(struct updraft_device *device, const uint8_t *digest);
static void on_failure(struct updraft_device *device, int error);
static void written(struct updraft_device *device);

bool updraft_device_poll(struct updraft_device *device,
                         struct updraft_device_action *ret_action)
{
    CHECK(!device->action_pending);
    struct updraft_device_action action = {0};
    if (device->answer) {
        action.kind = UPDRAFT_ACTION_ANSWER;
        action.connection = device->answer_connection;
        action.opcode = device->answer;
    } else if (!next_action(device, &action)) {
        return false;
    }
    device->action_pending = true;
    device->action_kind = action.kind;
    device->action_size_bytes = action.size_bytes;
    *ret_action = action;
    return true;
}

void updraft_device_done(struct updraft_device *device, int result, const uint8_t *digest)
{
    CHECK(device->action_pending);
    device->action_pending = false;
    if (device->action_kind == UPDRAFT_ACTION_ANSWER) {
        device->answer = 0;
    } else if (result) {
        on_failure(device, result);
    } else {
        on_success(device, digest);
    }
}

static bool next_action(struct updraft_device *device,
                        struct updraft_device_action *ret_action)
{
    switch (device->state) {
    case UPDRAFT_DEVICE_IDLE:
        ret_action->kind = UPDRAFT_ACTION_BEGIN;
        ret_action->connection = device->answer_connection;
        return device->step == STEP_ASK;
    case UPDRAFT_DEVICE_HEAD:
        ret_action->kind =
            device->step == STEP_JUDGE ? UPDRAFT_ACTION_JUDGE : UPDRAFT_ACTION_PREPARE;
        return device->step != STEP_NONE;
    case UPDRAFT_DEVICE_RECEIVING:
        return next_flash_action(device, /* flush= */ false, ret_action);
    case UPDRAFT_DEVICE_VERIFYING:
        return next_verifying_action(device, ret_action);
    case UPDRAFT_DEVICE_FAILED:
        return false;
    case UPDRAFT_DEVICE_RESTARTING:
        ret_action->kind = UPDRAFT_ACTION_RESTART;
        return device->step == STEP_RESTART;
    }
    return false;
}

/* Writes end at multiples of the stage size, so that pages are written whole. Each sector
 * is erased just before its first write. */
static bool next_flash_action(const struct updraft_device *device, bool flush,
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
    } else {
        ret_action->kind = UPDRAFT_ACTION_WRITE;
        ret_action->offset_bytes = device->written_bytes;
        ret_action->size_bytes = size;
        ret_action->bytes = device->stage;
    }
    return true;
}

static bool next_verifying_action(struct updraft_device *device,
                                  struct updraft_device_action *ret_action)
{
    if (device->step == STEP_FLUSH) {
        if (next_flash_action(device, /* flush= */ true, ret_action)) {
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

static void on_success(struct updraft_device *device, const uint8_t *digest)
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
        updraft_device_set_state(device, UPDRAFT_DEVICE_RECEIVING);
        break;
    case UPDRAFT_ACTION_ERASE:
        device->erased_bytes += device->action_size_bytes;
        break;
    case UPDRAFT_ACTION_WRITE:
        written(device);
        break;
    case UPDRAFT_ACTION_HASH: {
        CHECK(digest != NULL);
        int error = updraft_image_check_hash(&device->image, digest);
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
    }
}

static void on_failure(struct updraft_device *device, int error)
{
    switch (device->state) {
    case UPDRAFT_DEVICE_IDLE:
        CHECK(device->step == STEP_ASK);
        device->step = STEP_NONE;
        device->error = error;
        updraft_device_answer(device, device->answer_connection, UPDRAFT_P1_REQUEST_NAK);
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
        CHECK(false);
        break;
    case UPDRAFT_DEVICE_RESTARTING:
        /* The restart was ordered; there is nothing else to do about it. */
        device->step = STEP_NONE;
        break;
    }
}

static void written(struct updraft_device *device)
{
    if (device->step == STEP_COMMIT) {
        device->step = STEP_ACTIVATE;
        return;
    }
    uint32_t size = device->action_size_bytes;
    CHECK(size <= device->stage_used_bytes);
    device->written_bytes += size;
    device->stage_used_bytes -= size;
    memmove(device->stage, device->stage + size, device->stage_used_bytes);
}
