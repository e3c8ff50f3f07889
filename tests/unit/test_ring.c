/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The ring between NimBLE's host task and the update task. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device/src/ring.h"
#include "tests/unit/threads_wait.h"

#define RING_SIZE 1000u /* no power of two */

static uint8_t memory[RING_SIZE];
static struct updraft_ring ring;

static int make_ring(void **state)
{
    (void)state;
    memset(memory, 0xA5, sizeof(memory));
    updraft_ring_init(&ring, memory, sizeof(memory));
    return 0;
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* The payload of record number `number`: size and bytes follow from the number. */
static uint16_t make_payload(uint32_t number, uint8_t payload[UPDRAFT_RING_PAYLOAD_SIZE])
{
    uint32_t random = number * 2654435761u + 1;
    uint16_t size = (uint16_t)(next_random(&random) % (UPDRAFT_RING_PAYLOAD_SIZE + 1));
    for (uint16_t i = 0; i < size; i++) {
        payload[i] = (uint8_t)next_random(&random);
    }
    return size;
}

static bool push_number(uint32_t number, uint32_t reserve_bytes)
{
    uint8_t payload[UPDRAFT_RING_PAYLOAD_SIZE];
    const struct updraft_ring_record record = {
        .kind = (uint8_t)number,
        .connection = (uint16_t)(number * 31),
        .size_bytes = make_payload(number, payload),
    };
    return updraft_ring_push(&ring, &record, payload, NULL, reserve_bytes);
}

/* True when the record that was popped is number `number`, whole. */
static bool is_number(uint32_t number, const struct updraft_ring_record *record,
                      const uint8_t *payload)
{
    uint8_t expected[UPDRAFT_RING_PAYLOAD_SIZE];
    uint16_t size = make_payload(number, expected);
    return record->kind == (uint8_t)number &&
           record->connection == (uint16_t)(number * 31) && record->size_bytes == size &&
           memcmp(payload, expected, size) == 0;
}

static void empty_ring_yields_nothing(void **state)
{
    (void)state;
    struct updraft_ring_record record;
    uint8_t payload[UPDRAFT_RING_PAYLOAD_SIZE];
    assert_false(updraft_ring_pop(&ring, &record, payload));
}

static void record_without_payload_comes_out(void **state)
{
    (void)state;
    const struct updraft_ring_record in = {.kind = 3, .connection = 0xFFFE};
    struct updraft_ring_record out;
    uint8_t payload[UPDRAFT_RING_PAYLOAD_SIZE];
    assert_true(updraft_ring_push(&ring, &in, NULL, NULL, 0));
    assert_true(updraft_ring_pop(&ring, &out, payload));
    assert_int_equal(out.kind, 3);
    assert_int_equal(out.connection, 0xFFFE);
    assert_int_equal(out.size_bytes, 0);
    assert_false(updraft_ring_pop(&ring, &out, payload));
}

static void full_ring_refuses_and_keeps_what_it_has(void **state)
{
    (void)state;
    uint32_t pushed = 0;
    while (push_number(pushed, 0)) {
        pushed++;
    }
    assert_true(pushed > 1);
    for (uint32_t number = 0; number < pushed; number++) {
        struct updraft_ring_record record;
        uint8_t payload[UPDRAFT_RING_PAYLOAD_SIZE];
        assert_true(updraft_ring_pop(&ring, &record, payload));
        assert_true(is_number(number, &record, payload));
    }
}

static void ring_can_be_filled_to_its_last_byte(void **state)
{
    (void)state;
    static const uint8_t payload[UPDRAFT_RING_PAYLOAD_SIZE];
    const uint16_t rest =
        RING_SIZE - 2 * UPDRAFT_RING_HEADER_SIZE - UPDRAFT_RING_PAYLOAD_SIZE;
    const struct updraft_ring_record first = {.size_bytes = UPDRAFT_RING_PAYLOAD_SIZE};
    struct updraft_ring_record last = {.size_bytes = rest + 1};
    assert_true(updraft_ring_push(&ring, &first, payload, NULL, 0));
    assert_false(updraft_ring_push(&ring, &last, payload, NULL, 0));
    last.size_bytes = rest;
    assert_true(updraft_ring_push(&ring, &last, payload, NULL, 0));
    last.size_bytes = 0;
    assert_false(updraft_ring_push(&ring, &last, payload, NULL, 0));
}

static void reserve_stays_free_for_those_who_need_none(void **state)
{
    (void)state;
    const struct updraft_ring_record small = {.kind = 1};
    const uint32_t reserve = 3 * UPDRAFT_RING_HEADER_SIZE;
    while (updraft_ring_push(&ring, &small, NULL, NULL, reserve)) {
    }
    assert_true(updraft_ring_push(&ring, &small, NULL, NULL, 0));
    assert_true(updraft_ring_push(&ring, &small, NULL, NULL, 0));
    assert_true(updraft_ring_push(&ring, &small, NULL, NULL, 0));
    assert_false(updraft_ring_push(&ring, &small, NULL, NULL, 0));
}

static void records_survive_wrapping_at_every_offset(void **state)
{
    (void)state;
    uint32_t pushed = 0;
    uint32_t popped = 0;
    uint32_t random = 20261123;
    while (popped < 20000) {
        if (next_random(&random) % 2 == 0 && push_number(pushed, 0)) {
            pushed++;
        } else if (popped < pushed) {
            struct updraft_ring_record record;
            uint8_t payload[UPDRAFT_RING_PAYLOAD_SIZE];
            assert_true(updraft_ring_pop(&ring, &record, payload));
            assert_true(is_number(popped, &record, payload));
            popped++;
        }
    }
}

struct piece {
    const struct piece *next;
    uint32_t size;
    const uint8_t *bytes;
};

/* Reads a chain of pieces, as NimBLE's buffers are. */
static void copy_pieces(const void *payload, uint32_t offset_bytes, uint8_t *to,
                        uint32_t size_bytes)
{
    for (const struct piece *piece = payload; size_bytes > 0; piece = piece->next) {
        if (offset_bytes >= piece->size) {
            offset_bytes -= piece->size;
            continue;
        }
        uint32_t size = piece->size - offset_bytes;
        size = size < size_bytes ? size : size_bytes;
        memcpy(to, piece->bytes + offset_bytes, size);
        to += size;
        size_bytes -= size;
        offset_bytes = 0;
    }
}

/* Over enough rounds that the ring's end falls into each byte of the payload. */
static void payload_in_pieces_arrives_whole(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < 5000; number++) {
        uint8_t payload[UPDRAFT_RING_PAYLOAD_SIZE];
        uint16_t size = make_payload(number, payload);
        const struct piece last = {NULL, size - size / 3u, payload + size / 3u};
        const struct piece first = {&last, size / 3u, payload};
        const struct updraft_ring_record record = {
            .kind = (uint8_t)number,
            .connection = (uint16_t)(number * 31),
            .size_bytes = size,
        };
        struct updraft_ring_record out;
        assert_true(updraft_ring_push(&ring, &record, &first, copy_pieces, 0));
        assert_true(updraft_ring_pop(&ring, &out, payload));
        assert_true(is_number(number, &out, payload));
    }
}

#define THREADED_RECORDS 30000u

static _Atomic uint32_t pushes;
static _Atomic uint32_t pops;

static void *produce(void *argument)
{
    (void)argument;
    for (uint32_t number = 0; number < THREADED_RECORDS; number++) {
        uint32_t seen = threads_count(&pops);
        while (!push_number(number, 0)) {
            threads_wait_for_change(&pops, seen);
            seen = threads_count(&pops);
        }
        threads_change(&pushes);
    }
    return NULL;
}

/* Built with ThreadSanitizer too, where an access that the counters do not order fails.
 */
static void two_threads_pass_every_record_in_order(void **state)
{
    (void)state;
    pthread_t producer;
    uint32_t wrong = 0;
    assert_int_equal(pthread_create(&producer, NULL, produce, NULL), 0);
    for (uint32_t number = 0; number < THREADED_RECORDS; number++) {
        struct updraft_ring_record record;
        uint8_t payload[UPDRAFT_RING_PAYLOAD_SIZE];
        uint32_t seen = threads_count(&pushes);
        while (!updraft_ring_pop(&ring, &record, payload)) {
            threads_wait_for_change(&pushes, seen);
            seen = threads_count(&pushes);
        }
        threads_change(&pops);
        wrong += !is_number(number, &record, payload);
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(empty_ring_yields_nothing, make_ring),
        cmocka_unit_test_setup(record_without_payload_comes_out, make_ring),
        cmocka_unit_test_setup(full_ring_refuses_and_keeps_what_it_has, make_ring),
        cmocka_unit_test_setup(ring_can_be_filled_to_its_last_byte, make_ring),
        cmocka_unit_test_setup(reserve_stays_free_for_those_who_need_none, make_ring),
        cmocka_unit_test_setup(records_survive_wrapping_at_every_offset, make_ring),
        cmocka_unit_test_setup(payload_in_pieces_arrives_whole, make_ring),
        cmocka_unit_test_setup(two_threads_pass_every_record_in_order, make_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
