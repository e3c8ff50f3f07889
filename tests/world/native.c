/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Protocol 2 by hand. */
#include "tests/world/native.h"

#include <mbedtls/sha256.h>
#include <string.h>

#define INFO_ATTEMPTS 3
/* Chunks handed to the central at a time. */
#define BURST 32u

void native_init(struct native *native, struct raw *raw)
{
    memset(native, 0, sizeof(*native));
    native->raw = raw;
    native->nonce = 1;
}

void native_connect(struct native *native)
{
    static const uint8_t enable[2] = {1, 0};
    struct raw *raw = native->raw;
    if (raw_connected(raw)) {
        raw_disconnect(raw); /* to whom lost power, and the link does not know yet */
    }
    assert_true(raw_connect(raw));
    assert_int_not_equal(raw_info(raw), 0);
    assert_int_equal(raw_write(raw, raw_control_cccd(raw), enable, sizeof(enable)), 0);
    native->seen = raw->reports_count;
}

struct updraft_info native_info(struct native *native)
{
    struct updraft_info info;
    for (int i = 0; i < INFO_ATTEMPTS; i++) {
        assert_int_equal(raw_read(native->raw, raw_info(native->raw)), 0);
        assert_int_equal(native->raw->value_size, UPDRAFT_P2_INFO_SIZE);
        if (updraft_info_get(native->raw->value, native->raw->value_size, &info)) {
            return info;
        }
    }
    fail_msg("Info cannot be read whole");
    return info;
}

int native_tell(struct native *native, const struct updraft_p2_command *command)
{
    uint8_t bytes[UPDRAFT_P2_COMMAND_MAX];
    size_t size = updraft_p2_put_command(command, bytes);
    return raw_write(native->raw, raw_control(native->raw), bytes, size);
}

/* MAP reports are passed over. */
bool native_await(struct native *native, uint64_t limit_ms)
{
    for (;;) {
        const struct raw_report *report =
            raw_await_report(native->raw, native->seen, limit_ms);
        if (report == NULL) {
            return false;
        }
        native->seen++;
        if (updraft_p2_get_report(report->bytes, report->size, &native->state)) {
            return true;
        }
        assert_int_equal(report->bytes[0], UPDRAFT_P2_MAP_REPORT);
    }
}

int native_ask(struct native *native, const struct updraft_p2_command *command)
{
    native->seen = native->raw->reports_count;
    int error = native_tell(native, command);
    if (error != 0) {
        return error > 0 ? 0x100 + error : error;
    }
    return native_await(native, NATIVE_STATE_MS) ? native->state.status : RAW_NO_REPLY;
}

int native_ask_session(struct native *native, uint8_t opcode)
{
    const struct updraft_p2_command command = {
        .opcode = opcode,
        .session = native->state.session,
    };
    return native_ask(native, &command);
}

int native_ask_image(struct native *native, uint8_t opcode, uint8_t choice,
                     const uint8_t *id)
{
    struct updraft_p2_command command = {.opcode = opcode};
    if (opcode == UPDRAFT_P2_ACTIVATE) {
        command.confirm_by = choice;
    } else {
        command.target = choice;
    }
    memcpy(command.id, id, sizeof(command.id));
    return native_ask(native, &command);
}

int native_open(struct native *native, const struct fixture_image *image, uint8_t flags)
{
    native->image = image;
    if (native->write_size == 0) {
        native->write_size = native_info(native).write_size_bytes;
    }
    const struct updraft_p2_command command = {
        .opcode = UPDRAFT_P2_OPEN,
        .version = UPDRAFT_P2_VERSION,
        .flags = flags,
        .manifest_size_bytes = UPDRAFT_P2_MANIFEST_SIZE,
        .write_size_bytes = native->write_size,
        .nonce = native->nonce++,
    };
    return native_ask(native, &command);
}

/* Sends a stream from the place that the last STATE told, until another state comes. */
static int send_stream(struct native *native, const uint8_t *bytes, uint32_t size)
{
    const uint32_t chunk = native->write_size - UPDRAFT_P2_DATA_HEAD_SIZE;
    const uint32_t count = (size + chunk - 1) / chunk;
    const uint8_t stream = native->state.state;
    const uint16_t first = native->state.next;
    uint32_t at = 0; /* chunk of the stream */
    while (native->state.state == stream) {
        uint32_t limit = (uint16_t)(native->state.limit - first);
        for (unsigned i = 0; i < BURST && at < count && at < limit; i++, at++) {
            uint16_t number = (uint16_t)(first + at);
            uint32_t from = at * chunk;
            uint32_t length = size - from < chunk ? size - from : chunk;
            uint8_t value[UPDRAFT_P2_WRITE_MAX] = {(uint8_t)number,
                                                   (uint8_t)(number >> 8)};
            memcpy(value + UPDRAFT_P2_DATA_HEAD_SIZE, bytes + from, length);
            if (raw_command(native->raw, raw_data(native->raw), value,
                            length + UPDRAFT_P2_DATA_HEAD_SIZE) != 0) {
                if (!raw_connected(native->raw)) {
                    return RAW_NO_LINK;
                }
                break; /* the central's queue is full */
            }
        }
        uint64_t wait_ms = at < count && at < limit ? 1 : NATIVE_STATE_MS;
        if (!native_await(native, wait_ms)) {
            if (wait_ms > 1) {
                return RAW_NO_REPLY;
            }
        } else if ((native->state.flags & UPDRAFT_P2_REPORT_WANT) != 0) {
            at = (uint16_t)(native->state.next - first);
        }
    }
    return native->state.status;
}

int native_send_manifest(struct native *native)
{
    const struct fixture_image *image = native->image;
    struct updraft_p2_manifest manifest = {
        .file_size_bytes = (uint32_t)image->size,
        .image_size_bytes = (uint32_t)image->size,
    };
    uint8_t bytes[UPDRAFT_P2_MANIFEST_SIZE];
    assert_int_equal(
        mbedtls_sha256_ret(image->bytes, image->size, manifest.file_sha256, 0), 0);
    memcpy(manifest.image_id, native_id(image), sizeof(manifest.image_id));
    memcpy(manifest.head, image->bytes, sizeof(manifest.head));
    updraft_p2_put_manifest(&manifest, bytes);
    return send_stream(native, bytes, sizeof(bytes));
}

int native_send_range(struct native *native, uint32_t start, uint32_t size, uint8_t flags)
{
    const struct updraft_p2_command command = {
        .opcode = UPDRAFT_P2_RANGE,
        .session = native->state.session,
        .flags = flags,
        .start_bytes = start,
        .size_bytes = size,
    };
    int status = native_ask(native, &command);
    return status != UPDRAFT_P2_OK
               ? status
               : send_stream(native, native->image->bytes + start, size);
}

int native_await_verified(struct native *native)
{
    while (native->state.state == UPDRAFT_P2_STATE_VERIFYING) {
        if (!native_await(native, NATIVE_STATE_MS)) {
            return RAW_NO_REPLY;
        }
    }
    return native->state.status;
}

int native_deliver(struct native *native, const struct fixture_image *image,
                   uint8_t flags)
{
    if (!raw_connected(native->raw)) {
        native_connect(native);
    }
    int status = native_open(native, image, flags);
    if (status == UPDRAFT_P2_OK) {
        status = native_send_manifest(native);
    }
    if (status == UPDRAFT_P2_OK) {
        status =
            native_send_range(native, 0, (uint32_t)image->size, UPDRAFT_P2_RANGE_FINISH);
    }
    return status == UPDRAFT_P2_OK ? native_await_verified(native) : status;
}

int native_update(struct native *native, const struct fixture_image *image,
                  uint8_t confirm_by)
{
    int status = native_deliver(native, image, 0);
    return status == UPDRAFT_P2_OK ? native_ask_image(native, UPDRAFT_P2_ACTIVATE,
                                                      confirm_by, native_id(image))
                                   : status;
}

const uint8_t *native_id(const struct fixture_image *image)
{
    return image->bytes + image->size - UPDRAFT_IMAGE_HASH_SIZE;
}
