/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A played device of protocol 2: enough of one to lead a flow through everything. */
#include "tests/unit/native_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "updraft/error.h"

#define SESSION      5u
#define FIRST_NUMBER 65530u /* wraps early */
#define HELD         UPDRAFT_PARCEL_HELD_SIZE

static const uint8_t old_id[UPDRAFT_IMAGE_HASH_SIZE] = {0x01, 0x1D};

void native_device_begin(void)
{
    struct updraft_info *info = &native.info;
    info->run_state = UPDRAFT_RUN_CONFIRMED;
    info->slot = native.old_slot;
    info->slot_size_bytes = NATIVE_IMAGE_MAX;
    info->write_size_bytes = 244;
    info->window_bytes = NATIVE_WINDOW * 244;
    memcpy(info->device_id, native.address.bytes, 6);
    memcpy(info->image_id, old_id, sizeof(old_id));
    snprintf(info->version, sizeof(info->version), "%s", NATIVE_OLD_VERSION);
    snprintf(info->project, sizeof(info->project), "lamp");
}

static void report(uint8_t status, uint32_t detail)
{
    uint8_t bytes[UPDRAFT_P2_STATE_SIZE];
    struct updraft_p2_report message = {
        .state = native.state,
        .status = status,
        .session = native.state != UPDRAFT_P2_STATE_IDLE ? native.session : 0,
        .next = native.next,
        .limit = native.limit,
        .detail = detail,
    };
    updraft_p2_put_report(&message, bytes);
    native.told_next = native.next;
    native_post(UPDRAFT_TRANSPORT_NOTIFIED, 0, UPDRAFT_CONTROL, bytes, sizeof(bytes));
}

/* ---- what runs ---- */

static void run_old(uint8_t result, uint8_t reason, uint8_t detail)
{
    if (!native.same_in_both) {
        memcpy(native.info.image_id, old_id, sizeof(old_id));
        snprintf(native.info.version, sizeof(native.info.version), "%s",
                 NATIVE_OLD_VERSION);
    }
    native.info.slot = native.old_slot;
    native.info.run_state = UPDRAFT_RUN_CONFIRMED;
    native.info.flags = 0;
    native.info.result = result;
    native.info.reason = reason;
    native.info.detail = detail;
}

static void run_new(uint8_t run_state)
{
    memcpy(native.info.image_id, native.image_id, sizeof(native.image_id));
    snprintf(native.info.version, sizeof(native.info.version), "1.2.3");
    native.info.slot = NATIVE_NEW_SLOT;
    native.info.run_state = run_state;
    native.info.result = UPDRAFT_RESULT_NONE;
    native.info.flags =
        run_state == UPDRAFT_RUN_ON_TRIAL ? UPDRAFT_INFO_CONFIRM_CLIENT : 0;
    native.info.trial_left_s = run_state == UPDRAFT_RUN_ON_TRIAL ? native.trial_s : 0;
}

static void restart(void)
{
    native.restarting = false;
    native.state = UPDRAFT_P2_STATE_IDLE;
    native.staged = false;
    memcpy(native.info.noted_id, native.image_id, UPDRAFT_P2_ID_SIZE);
    switch (native.fate) {
    case NATIVE_CONFIRMS:
    case NATIVE_RESETS:
    case NATIVE_LINGERS:
    case NATIVE_STAYS_ON_TRIAL:
        run_new(UPDRAFT_RUN_ON_TRIAL);
        break;
    case NATIVE_ROLLS_BACK:
        run_old(UPDRAFT_RESULT_ROLLED_BACK, native.fate_reason, native.fate_detail);
        break;
    case NATIVE_LOST:
        native.fate = NATIVE_CONFIRMS;
        run_old(UPDRAFT_RESULT_LOST, 0, 0);
        break;
    case NATIVE_ALWAYS_LOST:
        run_old(UPDRAFT_RESULT_LOST, 0, 0);
        break;
    case NATIVE_VANISHES:
        native.present = false;
        break;
    case NATIVE_MOVES:
        native.address.bytes[5] ^= 1;
        run_new(UPDRAFT_RUN_ON_TRIAL);
        break;
    case NATIVE_UNMONITORED:
        run_new(UPDRAFT_RUN_UNMONITORED);
        break;
    }
}

void native_device_link_ended(void)
{
    native.state = UPDRAFT_P2_STATE_IDLE;
    if (native.restarting && native.lingering == 0) {
        restart();
    }
}

void native_device_info(uint8_t bytes[UPDRAFT_P2_INFO_SIZE])
{
    struct updraft_info info = native.info;
    if (native.to_stranger) {
        info.device_id[5] ^= 0x55;
    }
    if (native.lingering > 0 && --native.lingering == 0) {
        native.restarting = true;
    }
    if (native.staged) {
        info.flags |= UPDRAFT_INFO_STAGED;
        memcpy(info.noted_id, native.staged_id, sizeof(info.noted_id));
    }
    updraft_info_put(&info, bytes);
    if (native.silent_info) {
        bytes[1] = 1;
    }
    if (native.torn_reads > 0) {
        native.torn_reads--;
        bytes[90] ^= 1;
    }
}

/* ---- the session ---- */

static uint32_t crc_of(uint32_t sector)
{
    return updraft_crc32(0, native.slot + sector * UPDRAFT_P2_SECTOR_SIZE,
                         UPDRAFT_P2_SECTOR_SIZE);
}

static void begin_stream(uint8_t state, uint32_t size)
{
    native.state = state;
    native.stream_size = size;
    native.stream_at = 0;
    native.next = (uint16_t)(native.next + 1000);
    native.limit = (uint16_t)(native.next + NATIVE_WINDOW);
    report(UPDRAFT_P2_OK, 0);
}

static void open_session(const struct updraft_p2_command *command)
{
    native.session = SESSION;
    native.flags = command->flags;
    native.write_size = command->write_size_bytes;
    native.verified = false;
    native.next = FIRST_NUMBER;
    begin_stream(UPDRAFT_P2_STATE_MANIFEST, command->manifest_size_bytes);
}

static void send_map(const struct updraft_p2_command *command)
{
    uint32_t per_report = (native.write_size - UPDRAFT_P2_MAP_HEAD_SIZE) / 4u;
    for (uint32_t done = 0; done < command->sector_count;) {
        uint8_t bytes[UPDRAFT_VALUE_MAX];
        uint32_t count = command->sector_count - done;
        count = count < per_report ? count : per_report;
        uint32_t first = command->first_sector + done;
        bytes[0] = UPDRAFT_P2_MAP_REPORT;
        bytes[1] = native.session;
        bytes[2] = (uint8_t)first;
        bytes[3] = (uint8_t)(first >> 8);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t crc = crc_of(first + i);
            for (unsigned j = 0; j < 4; j++) {
                bytes[4 + 4 * i + j] = (uint8_t)(crc >> (8 * j));
            }
        }
        native_post(UPDRAFT_TRANSPORT_NOTIFIED, 0, UPDRAFT_CONTROL, bytes, 4 + 4 * count);
        done += count;
    }
}

/* What the slot holds, behind the first bytes that are written last. */
static bool slot_has_image(void)
{
    return memcmp(native.slot + HELD, native.image + HELD, native.image_size - HELD) == 0;
}

static void verify(void)
{
    native.state = UPDRAFT_P2_STATE_VERIFYING;
    report(UPDRAFT_P2_OK, 0);
    native.verified = slot_has_image();
    native.state = native.verified ? UPDRAFT_P2_STATE_VERIFIED : UPDRAFT_P2_STATE_READY;
    if (native.verified && (native.flags & UPDRAFT_P2_OPEN_STAGE) != 0) {
        native.staged = true;
        memcpy(native.staged_id, native.image_id, sizeof(native.staged_id));
    }
    report(native.verified ? UPDRAFT_P2_OK : UPDRAFT_P2_HASH, crc_of(0));
}

static void activate(const struct updraft_p2_command *command)
{
    bool known = native.state == UPDRAFT_P2_STATE_VERIFIED || native.staged ||
                 native.info.result == UPDRAFT_RESULT_LOST;
    assert_int_equal(command->confirm_by, UPDRAFT_P2_CONFIRM_BY_CLIENT);
    assert_memory_equal(command->id, native.image_id, UPDRAFT_P2_ID_SIZE);
    if (native.lose_activate) {
        native.lose_activate = false;
        native_end_link(UPDRAFT_ERROR_LINK_LOST);
        return;
    }
    if (!known) {
        report(UPDRAFT_P2_NOTHING_STAGED, 0);
        return;
    }
    native.state = UPDRAFT_P2_STATE_RESTARTING;
    if (native.lose_activated) {
        native.restarting = true;
        native_end_link(UPDRAFT_ERROR_LINK_LOST);
        return;
    }
    report(UPDRAFT_P2_OK, 0);
    if (native.fate == NATIVE_LINGERS) {
        native.lingering = 3;
    } else {
        native.restarting = true;
    }
}

static void confirm(const struct updraft_p2_command *command)
{
    assert_memory_equal(command->id, native.info.image_id, UPDRAFT_P2_ID_SIZE);
    report(UPDRAFT_P2_OK, 0);
    native.info.flags &= (uint16_t)~UPDRAFT_INFO_CONFIRM_CLIENT;
    if (native.fate == NATIVE_STAYS_ON_TRIAL) {
        return;
    }
    if (native.fate == NATIVE_RESETS) {
        native.fate = NATIVE_ROLLS_BACK;
        native.restarting = true;
        return;
    }
    native.info.run_state = UPDRAFT_RUN_CONFIRMED;
    native.info.result = UPDRAFT_RESULT_CONFIRMED;
}

static void roll_back(const struct updraft_p2_command *command)
{
    assert_memory_equal(command->id, native.info.image_id, UPDRAFT_P2_ID_SIZE);
    report(UPDRAFT_P2_OK, 0);
    native.old_slot = command->target == UPDRAFT_P2_ROLLBACK_FACTORY ? 0xFF : 1;
    native.fate = NATIVE_ROLLS_BACK;
    native.fate_reason = UPDRAFT_REASON_COMMAND;
    native.restarting = true;
}

static void begin_range(const struct updraft_p2_command *command)
{
    uint32_t end = command->start_bytes + command->size_bytes;
    assert_int_equal(command->start_bytes % UPDRAFT_P2_SECTOR_SIZE, 0);
    assert_true(end == native.image_size || end % UPDRAFT_P2_SECTOR_SIZE == 0);
    uint32_t erase_end =
        (end + UPDRAFT_P2_SECTOR_SIZE - 1) & ~(UPDRAFT_P2_SECTOR_SIZE - 1);
    memset(native.slot + command->start_bytes, 0xFF, erase_end - command->start_bytes);
    native.range_start = command->start_bytes;
    native.finish = (command->flags & UPDRAFT_P2_RANGE_FINISH) != 0;
    begin_stream(UPDRAFT_P2_STATE_RECEIVING, command->size_bytes);
}

void native_device_control(const uint8_t *bytes, size_t size)
{
    struct updraft_p2_command command;
    assert_true(updraft_p2_get_command(bytes, size, &command));
    native.messages[command.opcode]++;
    if (command.opcode == native.refuse_opcode && native.refuse_left > 0) {
        native.refuse_left--;
        report(native.refuse_status, native.refuse_detail);
        return;
    }
    switch ((enum updraft_p2_opcode)command.opcode) {
    case UPDRAFT_P2_OPEN:
        open_session(&command);
        break;
    case UPDRAFT_P2_RANGE:
        begin_range(&command);
        break;
    case UPDRAFT_P2_MAP:
        send_map(&command);
        break;
    case UPDRAFT_P2_FINISH:
        verify();
        break;
    case UPDRAFT_P2_ACTIVATE:
        activate(&command);
        break;
    case UPDRAFT_P2_CONFIRM:
        confirm(&command);
        break;
    case UPDRAFT_P2_ROLLBACK:
        roll_back(&command);
        break;
    case UPDRAFT_P2_ABORT:
        native.state = UPDRAFT_P2_STATE_IDLE;
        report(UPDRAFT_P2_ABORTED, 0);
        break;
    case UPDRAFT_P2_STATUS:
        report(UPDRAFT_P2_OK, crc_of(0));
        break;
    case UPDRAFT_P2_STATE_REPORT:
    case UPDRAFT_P2_MAP_REPORT:
        fail();
        break;
    }
}

static void stream_complete(void)
{
    if (native.state == UPDRAFT_P2_STATE_MANIFEST) {
        assert_memory_equal(native.manifest, native.parcel.manifest,
                            sizeof(native.parcel.manifest));
        native.state = UPDRAFT_P2_STATE_READY;
        report(UPDRAFT_P2_OK, crc_of(0));
    } else if (native.finish) {
        verify();
    } else {
        native.state = UPDRAFT_P2_STATE_READY;
        report(UPDRAFT_P2_OK, crc_of(0));
    }
}

static void store(const uint8_t *bytes, uint32_t size)
{
    uint32_t at = native.range_start + native.stream_at;
    memcpy(native.slot + at, bytes, size);
    if (at < HELD) {
        memset(native.slot, 0xFF, HELD);
    }
    native.file_bytes += size;
    native.file_bytes_all += size;
}

/* True when the link is lost with this chunk. */
static bool dropped(void)
{
    bool drop = native.drop_all_chunks ||
                (native.drop_after_chunks > 0 && native.drops_left > 0 &&
                 native.file_bytes_all >= native.drop_after_chunks * NATIVE_CHUNK);
    if (drop && !native.drop_all_chunks) {
        native.drops_left--;
        native.file_bytes_all = 0;
    }
    if (drop) {
        native_end_link(UPDRAFT_ERROR_LINK_LOST);
    }
    return drop;
}

void native_device_data(const uint8_t *bytes, size_t size)
{
    uint16_t number = (uint16_t)(bytes[0] | bytes[1] << 8);
    uint32_t payload = (uint32_t)size - UPDRAFT_P2_DATA_HEAD_SIZE;
    bool file = native.state == UPDRAFT_P2_STATE_RECEIVING;
    if ((!file && native.state != UPDRAFT_P2_STATE_MANIFEST) || number != native.next) {
        return;
    }
    assert_true((uint16_t)(native.limit - number) <= NATIVE_WINDOW);
    assert_true(native.limit != number);
    uint32_t left = native.stream_size - native.stream_at;
    uint32_t full = (uint32_t)native.write_size - UPDRAFT_P2_DATA_HEAD_SIZE;
    assert_int_equal(payload, left < full ? left : full);
    if (file && dropped()) {
        return;
    }
    if (file) {
        store(bytes + UPDRAFT_P2_DATA_HEAD_SIZE, payload);
    } else {
        memcpy(native.manifest + native.stream_at, bytes + UPDRAFT_P2_DATA_HEAD_SIZE,
               payload);
    }
    native.stream_at += payload;
    native.next++;
    if (native.stream_at == native.stream_size) {
        stream_complete();
    } else if ((uint16_t)(native.next - native.told_next) >= NATIVE_WINDOW * 3u / 4u) {
        native.limit = (uint16_t)(native.next + NATIVE_WINDOW);
        report(UPDRAFT_P2_OK, 0);
    }
}
