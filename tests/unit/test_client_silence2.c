/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of protocol 2's client session where reports are lost, late or wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/client2_script.h"
#include "updraft/error.h"

static void silence_asks_and_three_unanswered_are_the_end(void **state)
{
    (void)state;
    static const enum updraft_client2_state states[] = {
        UPDRAFT_CLIENT2_OPENING, UPDRAFT_CLIENT2_TELLING,   UPDRAFT_CLIENT2_RANGING,
        UPDRAFT_CLIENT2_SENDING, UPDRAFT_CLIENT2_VERIFYING, UPDRAFT_CLIENT2_ACTIVATING,
        UPDRAFT_CLIENT2_MAPPING};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        set_up_client(NULL);
        go_to(states[i]);
        struct updraft_client2_action action;
        while (updraft_client2_poll(&client, now_ms, &action)) {
            write_ends();
        }
        uint8_t session = states[i] == UPDRAFT_CLIENT2_OPENING ? 0 : SESSION;
        for (int probe = 0; probe < 3; probe++) {
            stay_silent(10000);
            if (states[i] == UPDRAFT_CLIENT2_MAPPING) {
                EXPECT(0x12, SESSION, 0, 0, SECTORS, 0);
            } else {
                EXPECT(0x18, session);
            }
        }
        stay_silent(10000);
        assert_failed(UPDRAFT_ERROR_LINK_TIMEOUT);
    }
}

static void a_promise_is_waited_for_and_two_seconds_more(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    within = 15;
    tell_stream(0, 0, 1);
    send_chunks(0, 1);
    stay_silent(3500);
    EXPECT(0x18, SESSION);
    within = 60;
    tell_report(RECEIVING, OK, BUSY, base, (uint16_t)(base + 1), 0);
    now_ms += 1000;
    within = 20;
    tell_stream(0, 1, 1);
    stay_silent(4000);
    EXPECT(0x18, SESSION);
    for (int i = 0; i < 10; i++) { /* answered every time: no end of it */
        tell_stream(0, 1, 1);
        stay_silent(4000);
        EXPECT(0x18, SESSION);
    }
}

static void status_is_asked_when_a_chunk_under_way_has_ended(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    tell_stream(0, 0, 10);
    next_action(UPDRAFT_CLIENT2_WRITE_DATA);
    now_ms += 10000;
    updraft_client2_tick(&client, now_ms);
    assert_nothing_to_do();
    write_ends();
    EXPECT(0x18, SESSION);
    /* Where the report comes in the meantime it is not asked any more. */
    now_ms += 10000;
    updraft_client2_tick(&client, now_ms);
    tell_stream(0, 1, 10);
    send_chunks(1, 1);
}

static void status_answered_behind_what_was_sent_goes_back(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    tell_stream(0, 0, 10);
    send_chunks(0, 10);
    stay_silent(10000);
    EXPECT(0x18, SESSION);
    tell_stream(0, 7, 17);
    send_chunks(7, 10);
}

static void a_message_that_was_not_taken_is_said_again(void **state)
{
    (void)state;
    static const struct {
        enum updraft_client2_state state;
        uint8_t told; /* where the device stands as long as it has not taken it */
        uint8_t opcode;
    } messages[] = {{UPDRAFT_CLIENT2_OPENING, IDLE, UPDRAFT_P2_OPEN},
                    {UPDRAFT_CLIENT2_RANGING, READY, UPDRAFT_P2_RANGE},
                    {UPDRAFT_CLIENT2_ACTIVATING, VERIFIED, UPDRAFT_P2_ACTIVATE}};
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        set_up_client(NULL);
        go_to(messages[i].state);
        struct updraft_client2_action first = next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
        assert_int_equal(first.bytes[0], messages[i].opcode);
        write_ends();
        tell_state(messages[i].told); /* late: nobody asked */
        assert_nothing_to_do();
        for (int repeat = 0; repeat < 3; repeat++) {
            stay_silent(10000);
            assert_int_equal(next_action(UPDRAFT_CLIENT2_WRITE_CONTROL).bytes[0],
                             UPDRAFT_P2_STATUS);
            write_ends();
            tell_state(messages[i].told);
            expect_message(first.bytes, first.size_bytes);
        }
        stay_silent(10000);
        next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
        write_ends();
        tell_state(messages[i].told);
        assert_failed(UPDRAFT_ERROR_LINK_TIMEOUT);
    }
}

static void a_message_that_was_taken_is_not_said_again(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_RANGING);
    next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
    write_ends();
    stay_silent(10000);
    EXPECT(0x18, SESSION);
    base += 100;
    tell_report(RECEIVING, OK, WANT, base, (uint16_t)(base + 9), 0);
    send_chunks(0, 9);
    set_up_client(NULL);
    go_to(UPDRAFT_CLIENT2_ACTIVATING);
    next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
    write_ends();
    stay_silent(10000);
    EXPECT(0x18, SESSION);
    tell_state(RESTARTING);
    assert_state(UPDRAFT_CLIENT2_DONE);
}

static void finish_is_said_where_the_range_did_not_bring_it(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    send_range();
    tell_state(READY);
    assert_state(UPDRAFT_CLIENT2_VERIFYING);
    EXPECT(0x13, SESSION);
    tell_state(READY); /* again, late */
    assert_nothing_to_do();
    stay_silent(10000);
    EXPECT(0x18, SESSION);
    tell_state(READY);
    EXPECT(0x13, SESSION);
    tell_state(VERIFYING);
    tell_state(VERIFIED);
    assert_state(UPDRAFT_CLIENT2_ACTIVATING);
}

static void states_that_were_lost_are_not_missed(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    send_range();
    tell_state(VERIFIED);
    assert_state(UPDRAFT_CLIENT2_ACTIVATING);
    set_up_client(NULL);
    go_to(UPDRAFT_CLIENT2_SENDING);
    send_range();
    tell_report(READY, HASH, 0, 0, 0, 0);
    assert_state(UPDRAFT_CLIENT2_MAPPING);
}

static void a_late_state_does_not_end_a_range_that_is_not_sent(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    tell_stream(0, 0, 10);
    send_chunks(0, 5);
    tell_state(READY);
    tell_state(VERIFYING);
    tell_state(VERIFIED);
    tell_report(READY, HASH, 0, 0, 0, 0);
    assert_state(UPDRAFT_CLIENT2_SENDING);
    send_chunks(5, 5);
    /* Asked, it is believed: the device is not receiving. */
    stay_silent(10000);
    EXPECT(0x18, SESSION);
    tell_state(READY);
    begin_range(0, FILE_SIZE, true);
}

static void a_stream_that_begins_anew_is_followed(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    tell_stream(0, 0, 10);
    send_chunks(0, 5);
    base += 100;
    tell_stream(0, 0, 8);
    send_chunks(0, 8);
    assert_int_equal(updraft_client2_done_bytes(&client), 0);
    tell_stream(0, 8, 9);
    assert_int_equal(updraft_client2_done_bytes(&client), 8 * PAYLOAD);
    for (int i = 0; i < 2; i++) {
        base += 100;
        tell_stream(0, 0, 8);
    }
    assert_state(UPDRAFT_CLIENT2_SENDING);
    base += 100;
    tell_stream(0, 0, 8);
    assert_failed(UPDRAFT_ERROR_LINK_DATA_LOST);
}

static void a_device_that_counts_otherwise_is_given_up(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    send_range();
    tell_stream(WANT, range_chunks(), range_chunks() + 5);
    assert_failed(UPDRAFT_ERROR_LINK_DATA_LOST);
}

static void a_link_that_loses_most_is_given_up(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    uint32_t acked = 0;
    for (; updraft_client2_state(&client) == UPDRAFT_CLIENT2_SENDING && acked < 80;
         acked++) {
        struct updraft_client2_action action;
        tell_stream(WANT, acked, acked + 60);
        while (updraft_client2_poll(&client, now_ms, &action)) {
            write_ends();
        }
        now_ms += 1000;
    }
    assert_failed(UPDRAFT_ERROR_LINK_DATA_LOST);
    assert_true(updraft_client2_sent_bytes(&client) > 6 * FILE_SIZE);
    assert_true(updraft_client2_sent_bytes(&client) < 8 * FILE_SIZE);
}

static void talk_without_progress_is_given_up(void **state)
{
    (void)state;
    for (int at = UPDRAFT_CLIENT2_TELLING; at <= UPDRAFT_CLIENT2_ACTIVATING; at++) {
        set_up_client(NULL);
        go_to((enum updraft_client2_state)at);
        uint32_t begun_ms = now_ms;
        struct updraft_client2_action action;
        while (updraft_client2_state(&client) == (enum updraft_client2_state)at) {
            while (updraft_client2_poll(&client, now_ms, &action)) {
                write_ends();
            }
            tell_stream(BUSY, 0, 3);
            now_ms += 1000;
            updraft_client2_tick(&client, now_ms);
            assert_true(now_ms - begun_ms <= 125000);
        }
        if (updraft_client2_state(&client) == UPDRAFT_CLIENT2_FAILED) {
            assert_failed(UPDRAFT_ERROR_LINK_TIMEOUT);
            assert_int_equal(now_ms - begun_ms, 120000);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up_client)
    const struct CMUnitTest tests[] = {
        TEST(silence_asks_and_three_unanswered_are_the_end),
        TEST(a_promise_is_waited_for_and_two_seconds_more),
        TEST(status_is_asked_when_a_chunk_under_way_has_ended),
        TEST(status_answered_behind_what_was_sent_goes_back),
        TEST(a_message_that_was_not_taken_is_said_again),
        TEST(a_message_that_was_taken_is_not_said_again),
        TEST(finish_is_said_where_the_range_did_not_bring_it),
        TEST(states_that_were_lost_are_not_missed),
        TEST(a_late_state_does_not_end_a_range_that_is_not_sent),
        TEST(a_stream_that_begins_anew_is_followed),
        TEST(a_device_that_counts_otherwise_is_given_up),
        TEST(a_link_that_loses_most_is_given_up),
        TEST(talk_without_progress_is_given_up),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
