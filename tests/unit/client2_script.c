/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a test does with the session, in words. */
#include "tests/unit/client2_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct updraft_client2 client;
struct updraft_client2_config config;
uint32_t crcs[SECTORS];
uint32_t now_ms;
uint8_t within;
uint16_t base;
static uint32_t range_size;

void start_client(void)
{
    assert_int_equal(updraft_client2_init(&client, &config, now_ms), 0);
}

int set_up_client(void **state)
{
    (void)state;
    now_ms = 0xFFFFF000; /* the clock wraps soon */
    within = 0;
    base = 0xFFFE; /* and so do the numbers */
    for (uint32_t i = 0; i < SECTORS; i++) {
        crcs[i] = 1000 + i;
    }
    config = (struct updraft_client2_config){
        .file_size_bytes = FILE_SIZE,
        .mtu = 247,
        .sector_crcs = crcs,
        .first_sector_crc = OWN_CRC,
        .image_id = {1, 2, 3, 4, 5, 6, 7, 8},
        .nonce = 0x11223344,
        .confirm_by = UPDRAFT_P2_CONFIRM_BY_CLIENT,
    };
    start_client();
    return 0;
}

void assert_state(enum updraft_client2_state expected)
{
    assert_int_equal(updraft_client2_state(&client), expected);
}

void assert_failed(int error)
{
    struct updraft_client2_action action;
    uint32_t deadline_ms;
    assert_state(UPDRAFT_CLIENT2_FAILED);
    assert_int_equal(updraft_client2_error(&client), error);
    assert_false(updraft_client2_poll(&client, now_ms, &action));
    assert_false(updraft_client2_deadline(&client, &deadline_ms));
}

void assert_nothing_to_do(void)
{
    struct updraft_client2_action action;
    assert_false(updraft_client2_poll(&client, now_ms, &action));
}

void write_ends(void)
{
    updraft_client2_written(&client, 0, now_ms);
}

struct updraft_client2_action next_action(enum updraft_client2_action_kind kind)
{
    struct updraft_client2_action action;
    assert_true(updraft_client2_poll(&client, now_ms, &action));
    assert_int_equal(action.kind, kind);
    assert_nothing_to_do(); /* one at a time */
    return action;
}

/* The next action is this message, which is then written. */
void expect_message(const uint8_t *bytes, size_t size)
{
    struct updraft_client2_action action = next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
    assert_int_equal(action.size_bytes, size);
    assert_memory_equal(action.bytes, bytes, size);
    write_ends();
}

void tell_report(uint8_t state, uint8_t status, uint8_t flags, uint16_t next_chunk,
                 uint16_t limit, uint32_t detail)
{
    uint8_t bytes[16] = {0x80, state, status, flags, state == IDLE ? 0 : SESSION, within};
    bytes[6] = (uint8_t)next_chunk;
    bytes[7] = (uint8_t)(next_chunk >> 8);
    bytes[8] = (uint8_t)limit;
    bytes[9] = (uint8_t)(limit >> 8);
    for (int i = 0; i < 4; i++) {
        bytes[12 + i] = (uint8_t)(detail >> (8 * i));
    }
    updraft_client2_notified(&client, bytes, sizeof(bytes), now_ms);
}

void tell_state(uint8_t state)
{
    tell_report(state, OK, 0, 0, 0, 0);
}

/* Of the stream under way: chunks counted from its begin. */
void tell_stream(uint8_t flags, uint32_t acked, uint32_t limit)
{
    tell_report(updraft_client2_state(&client) <= UPDRAFT_CLIENT2_TELLING ? MANIFEST
                                                                          : RECEIVING,
                OK, flags, (uint16_t)(base + acked), (uint16_t)(base + limit), 0);
}

/* Sends `count` chunks, of which the first is number `first` of the stream. */
void send_chunks(uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        struct updraft_client2_action action = next_action(UPDRAFT_CLIENT2_WRITE_DATA);
        assert_int_equal(action.bytes[0] | action.bytes[1] << 8, (uint16_t)(base + i));
        assert_int_equal(action.offset_bytes % PAYLOAD,
                         client.stream.start_bytes % PAYLOAD);
        write_ends();
    }
}

void open_session(void)
{
    next_action(UPDRAFT_CLIENT2_SUBSCRIBE);
    updraft_client2_subscribed(&client, 0, now_ms);
    next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
    write_ends();
    tell_stream(0, 0, 20);
    assert_state(UPDRAFT_CLIENT2_TELLING);
}

/* The manifest is sent and accepted; the slot's first sector has this CRC. */
void tell_manifest(uint32_t first_crc)
{
    open_session();
    send_chunks(0, 2);
    assert_nothing_to_do();
    tell_report(READY, OK, 0, 0, 0, first_crc);
}

/* RANGE is written and answered. */
void begin_range(uint32_t start_bytes, uint32_t size_bytes, bool finish)
{
    assert_state(UPDRAFT_CLIENT2_RANGING);
    struct updraft_client2_action action = next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
    assert_int_equal(action.bytes[0], UPDRAFT_P2_RANGE);
    assert_int_equal(action.bytes[2], finish);
    assert_int_equal(action.bytes[4] | action.bytes[5] << 8 | action.bytes[6] << 16,
                     start_bytes);
    assert_int_equal(action.bytes[8] | action.bytes[9] << 8 | action.bytes[10] << 16,
                     size_bytes);
    range_size = size_bytes;
    write_ends();
    base = (uint16_t)(base + 100);
    tell_stream(0, 0, 0);
    assert_state(UPDRAFT_CLIENT2_SENDING);
}

uint32_t range_chunks(void)
{
    return (range_size + PAYLOAD - 1) / PAYLOAD;
}

void send_range(void)
{
    tell_stream(0, 0, range_chunks() + 5);
    send_chunks(0, range_chunks());
    assert_nothing_to_do();
}

void tell_map(uint16_t first, const uint32_t *values, size_t count)
{
    uint8_t bytes[4 + 4 * (SECTORS + 1)] = {0x82, SESSION, (uint8_t)first, 0};
    for (size_t i = 0; i < 4 * count; i++) {
        bytes[4 + i] = (uint8_t)(values[i / 4] >> (8 * (i % 4)));
    }
    updraft_client2_notified(&client, bytes, 4 + 4 * count, now_ms);
}

/* All before this sector matches. */
void tell_map_prefix(uint32_t matching)
{
    uint32_t values[SECTORS];
    for (uint32_t i = 0; i < SECTORS; i++) {
        values[i] = i < matching ? crcs[i] : 9;
    }
    EXPECT(0x12, SESSION, 0, 0, SECTORS, 0);
    tell_map(0, values, SECTORS);
}

void go_to(enum updraft_client2_state wanted)
{
    if (wanted == UPDRAFT_CLIENT2_SUBSCRIBING) {
        return;
    }
    if (wanted == UPDRAFT_CLIENT2_OPENING) {
        next_action(UPDRAFT_CLIENT2_SUBSCRIBE);
        updraft_client2_subscribed(&client, 0, now_ms);
    } else if (wanted == UPDRAFT_CLIENT2_TELLING) {
        open_session();
    } else if (wanted == UPDRAFT_CLIENT2_MAPPING) {
        tell_manifest(crcs[0]);
    } else {
        tell_manifest(9);
        if (wanted > UPDRAFT_CLIENT2_RANGING) {
            begin_range(0, FILE_SIZE, true);
        }
        if (wanted > UPDRAFT_CLIENT2_SENDING) {
            send_range();
            tell_state(VERIFYING);
        }
        if (wanted > UPDRAFT_CLIENT2_VERIFYING) {
            tell_state(VERIFIED);
        }
    }
    assert_state(wanted);
}

uint32_t client_deadline(void)
{
    uint32_t deadline_ms = 0;
    assert_true(updraft_client2_deadline(&client, &deadline_ms));
    return deadline_ms;
}

/* Nothing comes until the session does something about it. */
void stay_silent(uint32_t limit_ms)
{
    assert_int_equal((uint32_t)(client_deadline() - now_ms), limit_ms);
    updraft_client2_tick(&client, now_ms + limit_ms - 1);
    assert_nothing_to_do();
    now_ms += limit_ms;
    updraft_client2_tick(&client, now_ms);
}
