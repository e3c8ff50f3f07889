/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The rules that keep the board, asserted at every action. */
#include "tests/unit/ram_port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/image_maker.h"
#include "updraft/error.h"

static void drain(struct ram_port *port, uint32_t now_ms);
static int carry_out(struct ram_port *port, const struct updraft_device_action *action,
                     uint8_t *output);
static void answer(struct ram_port *port, const struct updraft_device_action *action);
static void begin(struct ram_port *port);
static void erase(struct ram_port *port, const struct updraft_device_action *action);
static void write(struct ram_port *port, const struct updraft_device_action *action);
static void hash(struct ram_port *port, const struct updraft_device_action *action,
                 uint8_t digest[32]);

void ram_port_init(struct ram_port *port)
{
    struct updraft_device_config config = {
        .chip_id = UPDRAFT_CHIP_ESP32C3,
        .chip_revision = 4,
        .slot_size_bytes = RAM_SLOT_SIZE,
    };
    config.packet_cost_bytes = 5;
    config.window_bytes = 8192;
    strcpy(config.project, "test");
    memset(port, 0, sizeof(*port));
    updraft_device_init(&port->device, &config);
    /* An old image would be erased first; any old bytes do. */
    memset(port->flash, 0x5A, sizeof(port->flash));
    port->fail_at = NEVER;
    port->answers_left = NEVER;
    port->corrupt_at = NEVER;
}

void ram_port_control(struct ram_port *port, uint16_t connection, uint8_t opcode,
                      uint32_t now_ms)
{
    updraft_device_control(&port->device, connection, &opcode, 1, now_ms);
    drain(port, now_ms);
}

void ram_port_data(struct ram_port *port, uint16_t connection, const uint8_t *bytes,
                   size_t size, uint32_t now_ms)
{
    updraft_device_data(&port->device, connection, bytes, size, now_ms);
    drain(port, now_ms);
}

void ram_port_command(struct ram_port *port, uint16_t connection,
                      const struct updraft_p2_command *command, uint32_t now_ms)
{
    uint8_t bytes[UPDRAFT_P2_COMMAND_MAX];
    size_t size = updraft_p2_put_command(command, bytes);
    ram_port_message(port, connection, bytes, size, now_ms);
}

void ram_port_message(struct ram_port *port, uint16_t connection, const uint8_t *bytes,
                      size_t size, uint32_t now_ms)
{
    updraft_device_control(&port->device, connection, bytes, size, now_ms);
    drain(port, now_ms);
}

struct updraft_p2_report ram_port_report(const struct ram_port *port, uint16_t connection)
{
    struct updraft_p2_report report = {0};
    assert_true(port->answer_count > 0);
    const struct ram_answer *last = &port->answers[port->answer_count - 1];
    assert_int_equal(last->connection, connection);
    assert_true(updraft_p2_get_report(last->bytes, last->size_bytes, &report));
    return report;
}

void ram_port_link_lost(struct ram_port *port, uint16_t connection)
{
    updraft_device_link_lost(&port->device, connection);
    drain(port, port->now_ms);
}

void ram_port_tick(struct ram_port *port, uint32_t now_ms)
{
    updraft_device_tick(&port->device, now_ms);
    drain(port, now_ms);
}

uint8_t ram_port_request(struct ram_port *port, uint16_t connection, uint16_t packet_size,
                         uint32_t now_ms)
{
    if (packet_size) {
        uint8_t told[2] = {(uint8_t)packet_size, (uint8_t)(packet_size >> 8)};
        ram_port_data(port, connection, told, sizeof(told), now_ms);
    }
    ram_port_control(port, connection, UPDRAFT_P1_REQUEST, now_ms);
    return ram_port_last_answer(port, connection);
}

void ram_port_send(struct ram_port *port, uint16_t connection, const uint8_t *bytes,
                   size_t size, size_t packet_size, uint32_t now_ms)
{
    for (size_t sent = 0; sent < size;) {
        size_t packet = size - sent < packet_size ? size - sent : packet_size;
        ram_port_data(port, connection, bytes + sent, packet, now_ms);
        sent += packet;
    }
}

uint8_t ram_port_finish(struct ram_port *port, uint16_t connection, uint32_t now_ms)
{
    size_t answers_before = port->answer_count;
    ram_port_control(port, connection, UPDRAFT_P1_DONE, now_ms);
    assert_int_equal(port->answer_count, answers_before + 1);
    return ram_port_last_answer(port, connection);
}

uint8_t ram_port_update(struct ram_port *port, uint16_t connection, const uint8_t *bytes,
                        size_t size, size_t packet_size)
{
    uint8_t opcode = ram_port_request(port, connection, (uint16_t)packet_size, 0);
    if (opcode != UPDRAFT_P1_REQUEST_ACK) {
        return opcode;
    }
    ram_port_send(port, connection, bytes, size, packet_size, 0);
    return ram_port_finish(port, connection, 0);
}

uint8_t ram_port_last_answer(const struct ram_port *port, uint16_t connection)
{
    assert_true(port->answer_count > 0);
    const struct ram_answer *last = &port->answers[port->answer_count - 1];
    assert_int_equal(last->connection, connection);
    assert_int_equal(last->size_bytes, 1);
    return last->bytes[0];
}

bool ram_port_has_image(const struct ram_port *port)
{
    struct updraft_image image;
    updraft_image_init(&image, RAM_SLOT_SIZE);
    updraft_image_input(&image, port->flash, RAM_SLOT_SIZE);
    if (updraft_image_finish(&image)) {
        return false;
    }
    uint8_t digest[32];
    sha256(port->flash, image.hashed_size_bytes, digest);
    return updraft_image_check_hash(&image, digest) == 0;
}

bool ram_port_runs(const struct ram_port *port, const uint8_t *bytes, size_t size)
{
    return port->activated && port->restarted && ram_port_has_image(port) &&
           memcmp(port->flash, bytes, size) == 0;
}

static void drain(struct ram_port *port, uint32_t now_ms)
{
    struct updraft_device_action action;
    port->now_ms = now_ms;
    while (updraft_device_poll(&port->device, port->now_ms, &action)) {
        static uint8_t output[UPDRAFT_STAGE_SIZE];
        int result = 0;
        if (action.kind == UPDRAFT_ACTION_ANSWER && port->answers_left == 0) {
            result = UPDRAFT_ERROR_LINK_LOST;
        } else if (action.kind == UPDRAFT_ACTION_ANSWER) {
            port->answers_left -= port->answers_left != NEVER;
            answer(port, &action);
        } else {
            result = port->work_count == port->fail_at ? port->fail_result
                                                       : carry_out(port, &action, output);
            port->work_count++;
        }
        bool has_output = action.kind == UPDRAFT_ACTION_HASH ||
                          action.kind == UPDRAFT_ACTION_READ ||
                          action.kind == UPDRAFT_ACTION_CRC;
        updraft_device_done(&port->device, result,
                            has_output && result == 0 ? output : NULL, port->now_ms);
    }
}

static void read_flash(const struct ram_port *port,
                       const struct updraft_device_action *action, uint8_t *output)
{
    assert_true(action->offset_bytes < RAM_SLOT_SIZE);
    assert_true(action->size_bytes <= RAM_SLOT_SIZE - action->offset_bytes);
    if (action->kind == UPDRAFT_ACTION_READ) {
        assert_true(action->size_bytes <= UPDRAFT_STAGE_SIZE);
        memcpy(output, port->flash + action->offset_bytes, action->size_bytes);
        return;
    }
    uint32_t crc =
        updraft_crc32(0, port->flash + action->offset_bytes, action->size_bytes);
    for (int i = 0; i < 4; i++) {
        output[i] = (uint8_t)(crc >> (8 * i));
    }
}

/* What the chip's note keeps. */
static int keep(struct ram_port *port, const struct updraft_device_action *action)
{
    switch ((int)action->kind) {
    case UPDRAFT_ACTION_STAGE:
        assert_true(port->hash_matched);
        assert_int_equal(action->size_bytes, UPDRAFT_HEAD_HELD_SIZE);
        assert_int_equal(action->id_size_bytes, sizeof(port->noted_id));
        memcpy(port->noted_id, action->id, sizeof(port->noted_id));
        memcpy(port->noted_head, action->bytes, sizeof(port->noted_head));
        port->staged = true;
        break;
    case UPDRAFT_ACTION_UNSTAGE:
        if (!port->staged || memcmp(port->noted_id, action->id, 8) != 0) {
            return UPDRAFT_ERROR_NOTHING_STAGED;
        }
        memcpy(port->flash, port->noted_head, sizeof(port->noted_head));
        port->header_written = true;
        break;
    case UPDRAFT_ACTION_POLICY:
        assert_true(port->header_written);
        port->policy = action->choice;
        port->policy_noted = true;
        break;
    }
    return 0;
}

static int carry_out(struct ram_port *port, const struct updraft_device_action *action,
                     uint8_t *output)
{
    assert_false(port->restarted);
    switch (action->kind) {
    case UPDRAFT_ACTION_ANSWER:
        break;
    case UPDRAFT_ACTION_READ:
    case UPDRAFT_ACTION_CRC:
        read_flash(port, action, output);
        break;
    case UPDRAFT_ACTION_STAGE:
    case UPDRAFT_ACTION_UNSTAGE:
    case UPDRAFT_ACTION_POLICY:
        return keep(port, action);
    case UPDRAFT_ACTION_CONFIRM:
        port->confirmed = true;
        break;
    case UPDRAFT_ACTION_MAY_ROLL_BACK:
        break;
    case UPDRAFT_ACTION_ROLL_BACK:
        port->rolled_back = true;
        port->restarted = true;
        break;
    case UPDRAFT_ACTION_BEGIN:
        assert_false(port->activated);
        if (!port->begin_result) {
            begin(port);
        }
        return port->begin_result;
    case UPDRAFT_ACTION_JUDGE:
        assert_true(port->begun);
        assert_true(updraft_image_has_descriptor(updraft_device_image(&port->device)));
        port->judged = port->judge_result == 0;
        return port->judge_result;
    case UPDRAFT_ACTION_PREPARE:
        assert_true(port->judged);
        port->prepared = true;
        port->staged = false;
        break;
    case UPDRAFT_ACTION_ERASE:
        erase(port, action);
        break;
    case UPDRAFT_ACTION_WRITE:
        write(port, action);
        break;
    case UPDRAFT_ACTION_HASH:
        hash(port, action, output);
        break;
    case UPDRAFT_ACTION_ACTIVATE:
        assert_true(port->header_written);
        assert_false(port->activated);
        if (port->refuses_broken && !ram_port_has_image(port)) {
            return UPDRAFT_ERROR_NOT_VERIFIED;
        }
        assert_true(ram_port_has_image(port));
        port->activated = true;
        break;
    case UPDRAFT_ACTION_RESTART:
        assert_true(port->activated);
        assert_true(port->answers[port->answer_count - 1].bytes[0] ==
                        UPDRAFT_P1_DONE_ACK ||
                    port->answers[port->answer_count - 1].bytes[1] ==
                        UPDRAFT_P2_STATE_RESTARTING);
        port->restarted = true;
        break;
    }
    return 0;
}

static void answer(struct ram_port *port, const struct updraft_device_action *action)
{
    if (port->on_answer) {
        port->answer_count = 0;
    }
    assert_true(port->answer_count < RAM_ANSWERS_MAX);
    struct ram_answer *kept = &port->answers[port->answer_count++];
    uint8_t opcode = action->bytes[0];
    bool is_protocol1 = action->size_bytes == 1;
    if (is_protocol1) {
        bool is_ack = opcode == UPDRAFT_P1_DONE_ACK;
        assert_true(is_ack || opcode == UPDRAFT_P1_DONE_NAK ||
                    opcode == UPDRAFT_P1_REQUEST_ACK || opcode == UPDRAFT_P1_REQUEST_NAK);
        assert_true(!is_ack || port->activated);
    } else if (opcode == UPDRAFT_P2_MAP_REPORT) {
        uint32_t sector = (uint32_t)(action->bytes[2] | action->bytes[3] << 8);
        assert_true(action->size_bytes > 4 && action->size_bytes % 4 == 0);
        assert_true(action->size_bytes <= port->device.stream.write_size_bytes);
        for (uint32_t at = 4; at < action->size_bytes; at += 4, sector++) {
            assert_true(sector < RAM_SECTORS);
            const uint8_t *crc = action->bytes + at;
            port->map_crc[sector] = crc[0] | (uint32_t)crc[1] << 8 |
                                    (uint32_t)crc[2] << 16 | (uint32_t)crc[3] << 24;
            port->map_count++;
        }
    } else {
        assert_int_equal(opcode, UPDRAFT_P2_STATE_REPORT);
        assert_int_equal(action->size_bytes, UPDRAFT_P2_STATE_SIZE);
    }
    kept->connection = action->connection;
    kept->size_bytes =
        (uint8_t)(action->size_bytes < sizeof(kept->bytes) ? action->size_bytes
                                                           : sizeof(kept->bytes));
    memcpy(kept->bytes, action->bytes, kept->size_bytes);
    if (port->on_answer) {
        port->on_answer(port->answer_context, action->bytes, action->size_bytes,
                        port->now_ms);
    }
}

/* A new update: what an earlier one had permission for, this one has not. */
static void begin(struct ram_port *port)
{
    port->begun = true;
    port->judged = false;
    port->prepared = false;
    port->hash_matched = false;
    memset(port->erased, 0, sizeof(port->erased));
}

static void erase(struct ram_port *port, const struct updraft_device_action *action)
{
    assert_true(port->begun && port->judged && port->prepared);
    assert_false(port->activated);
    assert_true(action->size_bytes > 0);
    assert_int_equal(action->offset_bytes % UPDRAFT_FLASH_SECTOR_SIZE, 0);
    assert_int_equal(action->size_bytes % UPDRAFT_FLASH_SECTOR_SIZE, 0);
    assert_true(action->offset_bytes < RAM_SLOT_SIZE);
    assert_true(action->size_bytes <= RAM_SLOT_SIZE - action->offset_bytes);
    memset(port->flash + action->offset_bytes, 0xFF, action->size_bytes);
    uint32_t first = action->offset_bytes / UPDRAFT_FLASH_SECTOR_SIZE;
    uint32_t count = action->size_bytes / UPDRAFT_FLASH_SECTOR_SIZE;
    for (uint32_t i = first; i < first + count; i++) {
        /* Once an update, or the flash wears for nothing; protocol 2 erases its first
         * sector apart, to see how long that takes, and may send sectors again. */
        assert_true(!port->erased[i] || updraft_device_protocol(&port->device) == 2);
        port->erased[i] = true;
    }
    port->erase_count += count;
    port->block_count += count > 1;
    port->now_ms += count > 1 ? 5 * port->erase_ms : port->erase_ms;
    if (first == 0) {
        port->header_written = false;
    }
    if (updraft_device_protocol(&port->device) == 2) {
        port->hash_matched = false; /* a repair: it must match anew */
    }
}

static void write(struct ram_port *port, const struct updraft_device_action *action)
{
    assert_true(port->begun && port->judged && port->prepared);
    assert_false(port->activated);
    assert_true(action->size_bytes > 0);
    assert_int_equal(action->offset_bytes % 16, 0);
    assert_int_equal(action->size_bytes % 16, 0);
    assert_true(action->offset_bytes < RAM_SLOT_SIZE);
    assert_true(action->size_bytes <= RAM_SLOT_SIZE - action->offset_bytes);
    port->now_ms += port->write_ms;
    if (action->offset_bytes < UPDRAFT_HEAD_HELD_SIZE) {
        assert_true(port->hash_matched);
        assert_int_equal(action->size_bytes, UPDRAFT_HEAD_HELD_SIZE);
        port->header_written = true;
    } else {
        assert_false(port->hash_matched);
    }
    for (uint32_t i = 0; i < action->size_bytes; i++) {
        uint32_t offset = action->offset_bytes + i;
        assert_true(port->erased[offset / UPDRAFT_FLASH_SECTOR_SIZE] || offset < 32);
        /* An image that was activated once has its header already. */
        bool is_there =
            offset < UPDRAFT_HEAD_HELD_SIZE && port->flash[offset] == action->bytes[i];
        assert_true(port->flash[offset] == 0xFF || is_there);
        port->flash[offset] = action->bytes[i];
    }
}

static void hash(struct ram_port *port, const struct updraft_device_action *action,
                 uint8_t digest[32])
{
    static uint8_t covered[UPDRAFT_HEAD_HELD_SIZE + RAM_SLOT_SIZE];
    assert_int_equal(action->size_bytes, UPDRAFT_HEAD_HELD_SIZE);
    assert_int_equal(action->offset_bytes, UPDRAFT_HEAD_HELD_SIZE);
    assert_true(action->end_offset_bytes <= RAM_SLOT_SIZE);
    assert_true(action->end_offset_bytes >= action->offset_bytes);
    if (port->corrupt_at != NEVER) {
        port->flash[port->corrupt_at] ^= 0x10;
    }
    uint32_t flash_size = action->end_offset_bytes - action->offset_bytes;
    memcpy(covered, action->bytes, action->size_bytes);
    memcpy(covered + action->size_bytes, port->flash + action->offset_bytes, flash_size);
    sha256(covered, action->size_bytes + flash_size, digest);
    if (updraft_device_protocol(&port->device) == 2) {
        /* The port cannot know the file; the header alone waits for this hash. */
        port->hash_matched = true;
        return;
    }
    /* The 32 bytes behind what the hash covers are the hash that the image claims. */
    port->hash_matched = memcmp(digest, port->flash + action->end_offset_bytes, 32) == 0;
}
