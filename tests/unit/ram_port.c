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

static void drain(struct ram_port *port);
static int carry_out(struct ram_port *port, const struct updraft_device_action *action,
                     uint8_t digest[32]);
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
    memset(port, 0, sizeof(*port));
    updraft_device_init(&port->device, &config);
    /* An old image would be erased first; any old bytes do. */
    memset(port->flash, 0x5A, sizeof(port->flash));
    port->fail_at = NEVER;
    port->corrupt_at = NEVER;
}

void ram_port_control(struct ram_port *port, uint16_t connection, uint8_t opcode,
                      uint32_t now_ms)
{
    updraft_device_control(&port->device, connection, &opcode, 1, now_ms);
    drain(port);
}

void ram_port_data(struct ram_port *port, uint16_t connection, const uint8_t *bytes,
                   size_t size, uint32_t now_ms)
{
    updraft_device_data(&port->device, connection, bytes, size, now_ms);
    drain(port);
}

void ram_port_link_lost(struct ram_port *port, uint16_t connection)
{
    updraft_device_link_lost(&port->device, connection);
    drain(port);
}

void ram_port_tick(struct ram_port *port, uint32_t now_ms)
{
    updraft_device_tick(&port->device, now_ms);
    drain(port);
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
    return last->opcode;
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

static void drain(struct ram_port *port)
{
    struct updraft_device_action action;
    while (updraft_device_poll(&port->device, &action)) {
        uint8_t digest[32];
        int result = 0;
        if (action.kind == UPDRAFT_ACTION_ANSWER) {
            answer(port, &action);
        } else {
            result = port->work_count == port->fail_at ? port->fail_result
                                                       : carry_out(port, &action, digest);
            port->work_count++;
        }
        bool has_digest = action.kind == UPDRAFT_ACTION_HASH && result == 0;
        updraft_device_done(&port->device, result, has_digest ? digest : NULL);
    }
}

static int carry_out(struct ram_port *port, const struct updraft_device_action *action,
                     uint8_t digest[32])
{
    assert_false(port->restarted);
    switch (action->kind) {
    case UPDRAFT_ACTION_ANSWER:
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
        break;
    case UPDRAFT_ACTION_ERASE:
        erase(port, action);
        break;
    case UPDRAFT_ACTION_WRITE:
        write(port, action);
        break;
    case UPDRAFT_ACTION_HASH:
        hash(port, action, digest);
        break;
    case UPDRAFT_ACTION_ACTIVATE:
        assert_true(port->header_written);
        assert_false(port->activated);
        assert_true(ram_port_has_image(port));
        port->activated = true;
        break;
    case UPDRAFT_ACTION_RESTART:
        assert_true(port->activated);
        assert_int_equal(port->answers[port->answer_count - 1].opcode,
                         UPDRAFT_P1_DONE_ACK);
        port->restarted = true;
        break;
    }
    return 0;
}

static void answer(struct ram_port *port, const struct updraft_device_action *action)
{
    assert_true(port->answer_count < RAM_ANSWERS_MAX);
    bool is_ack = action->opcode == UPDRAFT_P1_DONE_ACK;
    assert_true(is_ack || action->opcode == UPDRAFT_P1_DONE_NAK ||
                action->opcode == UPDRAFT_P1_REQUEST_ACK ||
                action->opcode == UPDRAFT_P1_REQUEST_NAK);
    assert_true(!is_ack || port->activated);
    port->answers[port->answer_count++] =
        (struct ram_answer){action->connection, action->opcode};
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
        assert_false(
            port->erased[i]); /* once an update, or the flash wears for nothing */
        port->erased[i] = true;
    }
    port->erase_count += count;
    if (first == 0) {
        port->header_written = false;
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
    if (action->offset_bytes < UPDRAFT_HEAD_HELD_SIZE) {
        assert_true(port->hash_matched);
        assert_int_equal(action->size_bytes, UPDRAFT_HEAD_HELD_SIZE);
        port->header_written = true;
    } else {
        assert_false(port->hash_matched);
    }
    for (uint32_t i = 0; i < action->size_bytes; i++) {
        uint32_t offset = action->offset_bytes + i;
        assert_true(port->erased[offset / UPDRAFT_FLASH_SECTOR_SIZE]);
        assert_int_equal(port->flash[offset], 0xFF);
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
    /* The 32 bytes behind what the hash covers are the hash that the image claims. */
    port->hash_matched = memcmp(digest, port->flash + action->end_offset_bytes, 32) == 0;
}
