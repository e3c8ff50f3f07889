/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Protocol 2's work on the device: which action comes next, and what its result means. */
#include "bytes.h"
#include "check.h"
#include "device_private.h"
#include "updraft/error.h"

#define PROMISE_STREAM_100MS 20u /* a report each second, and room for the way */
#define PROMISE_ERASE_100MS  60u /* above the longest that ESP-IDF waits for a block */
#define PROMISE_HASH_100MS   20u
/* And for each of these, what a slow chip hashes in 100 ms. */
#define HASHED_IN_100MS 32768u
/* A CRC-32 of 4064 bytes, exclusive-or this, is that of 32 bytes FF and them: a CRC is
 * linear, so what goes before changes it by a constant. */
#define CRC_BEHIND_BLANK_HEAD 0x07FC51DBu

static void make_report(struct updraft_device *device, uint8_t more_flags,
                        uint32_t now_ms);
static bool next_stream_action(struct updraft_device *device, uint32_t now_ms,
                               struct updraft_device_action *ret_action);
static bool next_map_action(struct updraft_device *device,
                            struct updraft_device_action *ret_action);
static bool next_step_action(const struct updraft_device *device,
                             struct updraft_device_action *ret_action);
static void step_succeeded(struct updraft_device *device, const uint8_t *output);
static void on_verify_output(struct updraft_device *device, const uint8_t *output);
static void prepared(struct updraft_device *device);
static void mapped(struct updraft_device *device, const uint8_t *output);

static void emit_answer(const struct updraft_device *device,
                        struct updraft_device_action *ret_action)
{
    ret_action->kind = UPDRAFT_ACTION_ANSWER;
    ret_action->connection = device->answer_connection;
    ret_action->bytes = device->answer;
    ret_action->size_bytes = device->answer_size_bytes;
}

bool updraft_p2_next_action(struct updraft_device *device, uint32_t now_ms,
                            struct updraft_device_action *ret_action)
{
    if (device->stream.report_due) {
        make_report(device, 0, now_ms);
        emit_answer(device, ret_action);
        return true;
    }
    if (device->state == UPDRAFT_DEVICE_RECEIVING) {
        return next_stream_action(device, now_ms, ret_action);
    }
    if (device->step == STEP_MAP) {
        return next_map_action(device, ret_action);
    }
    return next_step_action(device, ret_action);
}

static uint8_t wire_state(const struct updraft_device *device)
{
    switch (device->state) {
    case UPDRAFT_DEVICE_MANIFEST:
        return UPDRAFT_P2_STATE_MANIFEST;
    case UPDRAFT_DEVICE_READY:
        return UPDRAFT_P2_STATE_READY;
    case UPDRAFT_DEVICE_RECEIVING:
        return UPDRAFT_P2_STATE_RECEIVING;
    case UPDRAFT_DEVICE_VERIFYING:
        return UPDRAFT_P2_STATE_VERIFYING;
    case UPDRAFT_DEVICE_VERIFIED:
        return UPDRAFT_P2_STATE_VERIFIED;
    case UPDRAFT_DEVICE_RESTARTING:
        return UPDRAFT_P2_STATE_RESTARTING;
    case UPDRAFT_DEVICE_IDLE:
    case UPDRAFT_DEVICE_HEAD:
    case UPDRAFT_DEVICE_FAILED:
        break;
    }
    return UPDRAFT_P2_STATE_IDLE;
}

static void make_report(struct updraft_device *device, uint8_t more_flags,
                        uint32_t now_ms)
{
    struct updraft_device_stream *stream = &device->stream;
    struct updraft_p2_report report = {
        .state = wire_state(device),
        .status = stream->report_status,
        .flags = more_flags,
        .session = stream->number,
        .next = stream->next,
        .limit = (uint16_t)(stream->next + stream->window_chunks),
        .detail = stream->report_detail,
    };
    bool streaming = report.state == UPDRAFT_P2_STATE_MANIFEST ||
                     report.state == UPDRAFT_P2_STATE_RECEIVING;
    if (stream->report_want && streaming) {
        report.flags |= UPDRAFT_P2_REPORT_WANT;
    }
    if (more_flags & UPDRAFT_P2_REPORT_BUSY) {
        report.next_within = PROMISE_ERASE_100MS;
    } else if (report.state == UPDRAFT_P2_STATE_VERIFYING) {
        uint32_t promise =
            PROMISE_HASH_100MS + stream->manifest.file_size_bytes / HASHED_IN_100MS;
        report.next_within = promise < UINT8_MAX ? (uint8_t)promise : UINT8_MAX;
    } else if (streaming) {
        report.next_within = PROMISE_STREAM_100MS;
    }
    if (report.status == UPDRAFT_P2_OK && report.state == UPDRAFT_P2_STATE_READY) {
        report.detail = stream->first_crc;
    } else if (report.status == UPDRAFT_P2_OK &&
               report.state == UPDRAFT_P2_STATE_RECEIVING) {
        report.detail = device->written_bytes;
    }
    stream->report_due = false;
    stream->report_want = false;
    stream->report_status = UPDRAFT_P2_OK;
    stream->report_detail = 0;
    stream->heard = false;
    stream->told_next = stream->next;
    stream->reported_ms = now_ms;
    CHECK(device->answer_size_bytes == 0);
    device->answer_size_bytes = (uint8_t)updraft_p2_put_report(&report, device->answer);
    device->answer_connection = device->owner;
}

static bool next_stream_action(struct updraft_device *device, uint32_t now_ms,
                               struct updraft_device_action *ret_action)
{
    struct updraft_device_stream *stream = &device->stream;
    bool complete = stream->left_bytes == 0;
    bool is_due = updraft_device_flash_action(device, complete, now_ms, ret_action);
    if (!is_due && !complete && updraft_erase_ahead(device, now_ms)) {
        ret_action->kind = UPDRAFT_ACTION_ERASE;
        ret_action->offset_bytes = device->erased_bytes;
        ret_action->size_bytes = UPDRAFT_FLASH_SECTOR_SIZE;
        is_due = true;
    }
    if (is_due) {
        bool is_erase = ret_action->kind == UPDRAFT_ACTION_ERASE && !stream->told_erase;
        bool is_long = updraft_erase_is_long(device, ret_action->size_bytes);
        if (is_erase && (is_long || updraft_erase_needs_credit(device))) {
            stream->told_erase = true;
            make_report(device, is_long ? UPDRAFT_P2_REPORT_BUSY : 0, now_ms);
            *ret_action = (struct updraft_device_action){0};
            emit_answer(device, ret_action);
        }
        return true;
    }
    if (!complete) {
        return false;
    }
    CHECK(device->written_bytes == stream->end_bytes);
    updraft_device_set_state(device, stream->finish ? UPDRAFT_DEVICE_VERIFYING
                                                    : UPDRAFT_DEVICE_READY);
    device->step = stream->finish ? STEP_COMPARE_HEAD : STEP_NONE;
    stream->report_due = true;
    return updraft_p2_next_action(device, now_ms, ret_action);
}

static bool next_map_action(struct updraft_device *device,
                            struct updraft_device_action *ret_action)
{
    struct updraft_device_stream *stream = &device->stream;
    bool full = stream->map_used_bytes + 4u > stream->write_size_bytes;
    if (stream->map_used_bytes > 0 && (full || stream->map_left == 0)) {
        ret_action->kind = UPDRAFT_ACTION_ANSWER;
        ret_action->connection = device->owner;
        ret_action->bytes = device->stage;
        ret_action->size_bytes = stream->map_used_bytes;
        return true;
    }
    if (stream->map_left == 0) {
        device->step = STEP_NONE;
        return false;
    }
    ret_action->kind = UPDRAFT_ACTION_CRC;
    ret_action->offset_bytes = stream->map_sector * UPDRAFT_P2_SECTOR_SIZE;
    ret_action->size_bytes = UPDRAFT_P2_SECTOR_SIZE;
    return true;
}

static void emit_id(const uint8_t *id, uint8_t size_bytes,
                    struct updraft_device_action *ret_action)
{
    ret_action->id = id;
    ret_action->id_size_bytes = size_bytes;
}

/* What each step of protocol 2 asks for. */
static const uint8_t step_actions[] = {
    [STEP_OPEN] = UPDRAFT_ACTION_BEGIN,
    [STEP_JUDGE] = UPDRAFT_ACTION_JUDGE,
    [STEP_FIRST_CRC] = UPDRAFT_ACTION_CRC,
    [STEP_PREPARE] = UPDRAFT_ACTION_PREPARE,
    [STEP_COMPARE_HEAD] = UPDRAFT_ACTION_READ,
    [STEP_COMPARE_ID] = UPDRAFT_ACTION_READ,
    [STEP_HASH] = UPDRAFT_ACTION_HASH,
    [STEP_STAGE] = UPDRAFT_ACTION_STAGE,
    [STEP_COMMIT] = UPDRAFT_ACTION_WRITE,
    [STEP_UNSTAGE] = UPDRAFT_ACTION_UNSTAGE,
    [STEP_POLICY] = UPDRAFT_ACTION_POLICY,
    [STEP_ACTIVATE] = UPDRAFT_ACTION_ACTIVATE,
    [STEP_RESTART] = UPDRAFT_ACTION_RESTART,
    [STEP_CONFIRM] = UPDRAFT_ACTION_CONFIRM,
    [STEP_MAY_ROLL_BACK] = UPDRAFT_ACTION_MAY_ROLL_BACK,
    [STEP_ROLL_BACK] = UPDRAFT_ACTION_ROLL_BACK,
};

static void emit_head(const struct updraft_p2_manifest *manifest,
                      struct updraft_device_action *ret_action)
{
    ret_action->bytes = manifest->head;
    ret_action->size_bytes = UPDRAFT_HEAD_HELD_SIZE;
}

/* What the step that is due asks for. */
static bool next_step_action(const struct updraft_device *device,
                             struct updraft_device_action *ret_action)
{
    const struct updraft_device_stream *stream = &device->stream;
    const struct updraft_p2_manifest *manifest = &stream->manifest;
    ret_action->kind = (enum updraft_action_kind)step_actions[device->step];
    switch ((enum step)device->step) {
    case STEP_NONE:
        return false;
    case STEP_OPEN:
        ret_action->connection = device->asker;
        break;
    case STEP_FIRST_CRC:
        /* Without the bytes that an activation writes: where the power went meanwhile
         * they are neither FF nor the file's, and all else is there. */
        ret_action->offset_bytes = UPDRAFT_HEAD_HELD_SIZE;
        ret_action->size_bytes = UPDRAFT_P2_SECTOR_SIZE - UPDRAFT_HEAD_HELD_SIZE;
        break;
    case STEP_COMPARE_HEAD:
        ret_action->offset_bytes = UPDRAFT_HEAD_HELD_SIZE;
        ret_action->size_bytes = UPDRAFT_P2_HEAD_SIZE - UPDRAFT_HEAD_HELD_SIZE;
        break;
    case STEP_COMPARE_ID:
        ret_action->offset_bytes = manifest->image_size_bytes - UPDRAFT_IMAGE_HASH_SIZE;
        ret_action->size_bytes = UPDRAFT_IMAGE_HASH_SIZE;
        break;
    case STEP_HASH:
        emit_head(manifest, ret_action);
        ret_action->offset_bytes = UPDRAFT_HEAD_HELD_SIZE;
        ret_action->end_offset_bytes = manifest->file_size_bytes;
        break;
    case STEP_STAGE:
        emit_head(manifest, ret_action);
        emit_id(manifest->image_id, UPDRAFT_IMAGE_HASH_SIZE, ret_action);
        break;
    case STEP_COMMIT:
        emit_head(manifest, ret_action);
        break;
    case STEP_POLICY:
        ret_action->choice = stream->command.confirm_by;
        break;
    case STEP_UNSTAGE:
    case STEP_CONFIRM:
    case STEP_MAY_ROLL_BACK:
    case STEP_ROLL_BACK:
        ret_action->choice = stream->command.target;
        emit_id(stream->command.id, UPDRAFT_P2_ID_SIZE, ret_action);
        break;
    case STEP_JUDGE:
    case STEP_PREPARE:
    case STEP_ACTIVATE:
    case STEP_RESTART:
        break;
    case STEP_ASK:
    case STEP_FLUSH:
    case STEP_MAP:
        CHECK(false);
        break;
    }
    return true;
}

void updraft_p2_succeeded(struct updraft_device *device, const uint8_t *output,
                          uint32_t now_ms)
{
    struct updraft_device_stream *stream = &device->stream;
    if (device->state == UPDRAFT_DEVICE_RECEIVING) {
        if (device->action_kind == UPDRAFT_ACTION_ERASE) {
            device->erased_bytes += device->action_size_bytes;
            stream->told_erase = false;
            updraft_erase_done(device, now_ms - device->action_begun_ms);
        } else {
            CHECK(device->action_kind == UPDRAFT_ACTION_WRITE);
            device->erase.written_ms += now_ms - device->action_begun_ms;
            updraft_device_written(device);
        }
        return;
    }
    if (device->step == STEP_MAP) {
        mapped(device, output);
        return;
    }
    if (device->state == UPDRAFT_DEVICE_READY && device->step == STEP_PREPARE) {
        prepared(device);
        device->step = STEP_NONE;
        updraft_p2_start_range(device, now_ms);
        return;
    }
    step_succeeded(device, output);
}

/* From here on the session may erase, so that it counts, also where FINISH came first. */
static void prepared(struct updraft_device *device)
{
    device->stream.prepared = true;
    updraft_erase_spend(device);
}

static void mapped(struct updraft_device *device, const uint8_t *output)
{
    struct updraft_device_stream *stream = &device->stream;
    if (device->action_kind == UPDRAFT_ACTION_ANSWER) {
        stream->map_used_bytes = 0;
        return;
    }
    CHECK(device->action_kind == UPDRAFT_ACTION_CRC && output != NULL);
    if (stream->map_used_bytes == 0) {
        device->stage[0] = UPDRAFT_P2_MAP_REPORT;
        device->stage[1] = stream->number;
        updraft_put_le16(device->stage + 2, stream->map_sector);
        stream->map_used_bytes = UPDRAFT_P2_MAP_HEAD_SIZE;
    }
    memcpy(device->stage + stream->map_used_bytes, output, 4);
    stream->map_used_bytes = (uint16_t)(stream->map_used_bytes + 4u);
    stream->map_sector++;
    stream->map_left--;
}

static void step_succeeded(struct updraft_device *device, const uint8_t *output)
{
    struct updraft_device_stream *stream = &device->stream;
    enum step step = (enum step)device->step;
    device->step = STEP_NONE;
    switch (step) {
    case STEP_OPEN:
        updraft_p2_open(device);
        break;
    case STEP_JUDGE:
        device->step = STEP_FIRST_CRC;
        break;
    case STEP_FIRST_CRC:
        CHECK(output != NULL);
        stream->first_crc = updraft_get_le32(output) ^ CRC_BEHIND_BLANK_HEAD;
        updraft_device_set_state(device, UPDRAFT_DEVICE_READY);
        updraft_p2_report(device, UPDRAFT_P2_OK, 0);
        break;
    case STEP_PREPARE: /* in VERIFYING */
        prepared(device);
        device->step = STEP_COMPARE_HEAD;
        break;
    case STEP_COMPARE_HEAD:
    case STEP_COMPARE_ID:
    case STEP_HASH:
        device->step = (uint8_t)step;
        on_verify_output(device, output);
        break;
    case STEP_STAGE:
        updraft_device_set_state(device, UPDRAFT_DEVICE_VERIFIED);
        updraft_p2_report(device, UPDRAFT_P2_OK, 0);
        break;
    case STEP_COMMIT:
    case STEP_UNSTAGE:
        device->step = STEP_POLICY;
        break;
    case STEP_POLICY:
        device->step = STEP_ACTIVATE;
        break;
    case STEP_ACTIVATE:
    case STEP_MAY_ROLL_BACK:
        device->step = step == STEP_ACTIVATE ? STEP_RESTART : STEP_ROLL_BACK;
        updraft_device_set_state(device, UPDRAFT_DEVICE_RESTARTING);
        if (device->protocol == 2) {
            updraft_p2_report(device, UPDRAFT_P2_OK, 0);
        } else {
            device->owner = device->asker;
            updraft_p2_tell(device, device->asker, UPDRAFT_P2_OK, 0);
        }
        break;
    case STEP_CONFIRM:
        updraft_p2_tell(device, device->asker, UPDRAFT_P2_OK, 0);
        break;
    case STEP_RESTART:
    case STEP_ROLL_BACK:
        break;
    case STEP_NONE:
    case STEP_ASK:
    case STEP_FLUSH:
    case STEP_MAP:
        CHECK(false);
        break;
    }
}

/* Flash has to be what the manifest says; in the end the hash over all of it decides. */
static void on_verify_output(struct updraft_device *device, const uint8_t *output)
{
    struct updraft_device_stream *stream = &device->stream;
    const struct updraft_p2_manifest *manifest = &stream->manifest;
    const uint8_t *expected = manifest->file_sha256;
    size_t size = UPDRAFT_IMAGE_HASH_SIZE;
    uint8_t next = (stream->flags & UPDRAFT_P2_OPEN_STAGE) != 0 ? STEP_STAGE : STEP_NONE;
    CHECK(output != NULL && device->state == UPDRAFT_DEVICE_VERIFYING);
    if (device->step == STEP_COMPARE_HEAD) {
        expected = manifest->head + UPDRAFT_HEAD_HELD_SIZE;
        size = UPDRAFT_P2_HEAD_SIZE - UPDRAFT_HEAD_HELD_SIZE;
        next = STEP_COMPARE_ID;
    } else if (device->step == STEP_COMPARE_ID) {
        expected = manifest->image_id;
        next = STEP_HASH;
    }
    if (memcmp(output, expected, size) != 0) {
        device->step = STEP_NONE;
        updraft_device_set_state(device, UPDRAFT_DEVICE_READY);
        updraft_p2_report(device, UPDRAFT_P2_HASH, 0);
        return;
    }
    device->step = next;
    if (next == STEP_NONE) {
        updraft_device_set_state(device, UPDRAFT_DEVICE_VERIFIED);
        updraft_p2_report(device, UPDRAFT_P2_OK, 0);
    }
}

void updraft_p2_failed(struct updraft_device *device, int error)
{
    uint8_t status = updraft_p2_error_status(error);
    if (error == UPDRAFT_ERROR_NOT_VERIFIED) {
        status = UPDRAFT_P2_IMAGE;
    }
    if (device->action_kind == UPDRAFT_ACTION_ANSWER) {
        /* A MAP report that did not get out: nor would the rest, and the client asks
         * again for what it misses. */
        device->stream.map_used_bytes = 0;
        device->stream.map_left = 0;
        return;
    }
    if (device->state != UPDRAFT_DEVICE_RESTARTING && device->protocol == 2) {
        updraft_p2_end(device, status, 0);
        return;
    }
    device->step = STEP_NONE;
    /* Where a restart was ordered there is nothing else to do about it. */
    if (device->state != UPDRAFT_DEVICE_RESTARTING) {
        device->error = error;
        updraft_p2_tell(device, device->asker, status, 0);
    }
}
