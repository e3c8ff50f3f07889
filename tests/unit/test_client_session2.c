/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of protocol 2's client session, step by step: what is sent, and what ends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/client2_script.h"
#include "updraft/error.h"

static void an_update_goes_by_the_book(void **state)
{
    (void)state;
    next_action(UPDRAFT_CLIENT2_SUBSCRIBE);
    updraft_client2_subscribed(&client, 0, now_ms);
    assert_state(UPDRAFT_CLIENT2_OPENING);
    EXPECT(0x10, 2, 0, 0, 404 & 255, 404 >> 8, 244, 0, 0x44, 0x33, 0x22, 0x11);
    assert_nothing_to_do();
    tell_stream(0, 0, 4);
    struct updraft_client2_action action = next_action(UPDRAFT_CLIENT2_WRITE_DATA);
    assert_int_equal(action.source, UPDRAFT_CLIENT2_MANIFEST);
    assert_int_equal(action.offset_bytes, 0);
    assert_int_equal(action.size_bytes, 242);
    write_ends();
    action = next_action(UPDRAFT_CLIENT2_WRITE_DATA);
    assert_int_equal(action.offset_bytes, 242);
    assert_int_equal(action.size_bytes, 404 - 242);
    write_ends();
    assert_nothing_to_do();
    tell_report(READY, OK, 0, 0, 0, 9);
    EXPECT(0x11, SESSION, 1, 0, 0, 0, 0, 0, FILE_SIZE & 255, FILE_SIZE >> 8, 0, 0);
    assert_nothing_to_do();
    base += 100;
    tell_stream(0, 0, 95);
    for (uint32_t at = 0; at < FILE_SIZE; at += PAYLOAD) {
        uint32_t left = FILE_SIZE - at;
        action = next_action(UPDRAFT_CLIENT2_WRITE_DATA);
        assert_int_equal(action.source, UPDRAFT_CLIENT2_FILE);
        assert_int_equal(action.offset_bytes, at);
        assert_int_equal(action.size_bytes, left < PAYLOAD ? left : PAYLOAD);
        write_ends();
    }
    assert_int_equal(updraft_client2_done_bytes(&client), 0);
    tell_stream(0, 50, 140);
    assert_int_equal(updraft_client2_done_bytes(&client), 50 * PAYLOAD);
    tell_state(VERIFYING);
    assert_state(UPDRAFT_CLIENT2_VERIFYING);
    assert_int_equal(updraft_client2_done_bytes(&client), FILE_SIZE);
    assert_nothing_to_do();
    tell_state(VERIFIED);
    assert_false(updraft_client2_activate_sent(&client));
    EXPECT(0x14, 1, 1, 2, 3, 4, 5, 6, 7, 8);
    assert_true(updraft_client2_activate_sent(&client));
    tell_state(RESTARTING);
    assert_state(UPDRAFT_CLIENT2_DONE);
    assert_int_equal(updraft_client2_sent_bytes(&client), FILE_SIZE);
    assert_int_equal(updraft_client2_resent_bytes(&client), 0);
    updraft_client2_link_lost(&client);
    updraft_client2_tick(&client, now_ms + 1000000);
    assert_state(UPDRAFT_CLIENT2_DONE);
}

static void a_staged_image_is_not_activated(void **state)
{
    (void)state;
    config.stage = true;
    config.force = true;
    start_client();
    next_action(UPDRAFT_CLIENT2_SUBSCRIBE);
    updraft_client2_subscribed(&client, 0, now_ms);
    EXPECT(0x10, 2, 3, 0, 404 & 255, 404 >> 8, 244, 0, 0x44, 0x33, 0x22, 0x11);
    start_client();
    go_to(UPDRAFT_CLIENT2_VERIFYING);
    tell_state(VERIFIED);
    assert_state(UPDRAFT_CLIENT2_STAGED);
    assert_nothing_to_do();
    updraft_client2_link_lost(&client);
    assert_state(UPDRAFT_CLIENT2_STAGED);
}

static void the_write_size_follows_from_mtu_and_info(void **state)
{
    (void)state;
    static const uint16_t sizes[][3] = {
        {0, 0, 20},      {23, 0, 20},     {185, 0, 182}, {246, 0, 243},  {247, 0, 244},
        {256, 0, 244},   {497, 0, 244},   {498, 0, 495}, {517, 0, 495},  {517, 300, 300},
        {517, 512, 495}, {247, 495, 244}, {23, 495, 20}, {65535, 20, 20}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        config.mtu = sizes[i][0];
        config.write_size_bytes = sizes[i][1];
        start_client();
        assert_int_equal(updraft_client2_write_size(&client), sizes[i][2]);
    }
}

static void what_cannot_be_sent_is_an_argument_error(void **state)
{
    (void)state;
    struct updraft_client2_config good = config;
    struct updraft_client2_config bad[8];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bad[i] = good;
    }
    bad[0].file_size_bytes = 0;
    bad[1].file_size_bytes = UPDRAFT_CLIENT2_FILE_MAX + 16;
    bad[2].file_size_bytes = FILE_SIZE + 4;
    bad[3].mtu = 22;
    bad[4].write_size_bytes = 19;
    bad[5].manifest_size_bytes = 403;
    bad[6].manifest_size_bytes = 513;
    bad[7].sector_crcs = NULL;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(updraft_client2_init(&client, &bad[i], 0),
                         UPDRAFT_ERROR_ARGUMENT);
    }
}

static void no_chunk_goes_at_or_beyond_the_limit(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    assert_nothing_to_do();
    tell_stream(0, 0, 3);
    send_chunks(0, 3);
    assert_nothing_to_do();
    tell_stream(0, 2, 4);
    send_chunks(3, 1);
    assert_nothing_to_do();
    tell_stream(0, 4, 4);
    assert_nothing_to_do();
    tell_stream(0, 4, 3);  /* behind what was promised already, and behind `next` */
    tell_stream(0, 3, 30); /* late */
    assert_nothing_to_do();
    tell_stream(0, 4, 6);
    send_chunks(4, 2);
    assert_nothing_to_do();
}

static void a_plain_state_never_goes_back_and_want_does(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    tell_stream(0, 0, 20);
    send_chunks(0, 10);
    tell_stream(0, 5, 20);
    tell_stream(0, 3, 15);    /* late */
    tell_stream(WANT, 4, 20); /* late as well */
    assert_int_equal(updraft_client2_done_bytes(&client), 5 * PAYLOAD);
    send_chunks(10, 2);
    tell_stream(WANT, 6, 20);
    assert_int_equal(updraft_client2_resent_bytes(&client), 0);
    send_chunks(6, 6);
    assert_int_equal(updraft_client2_resent_bytes(&client), 6 * PAYLOAD);
    send_chunks(12, 1);
    assert_int_equal(updraft_client2_resent_bytes(&client), 6 * PAYLOAD);
    assert_int_equal(updraft_client2_sent_bytes(&client), 19 * PAYLOAD);
}

static void the_same_want_twice_goes_back_once(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    tell_stream(0, 0, 20);
    send_chunks(0, 10);
    tell_stream(WANT, 6, 20);
    send_chunks(6, 2);
    now_ms += 400;
    tell_stream(WANT, 6, 20);
    send_chunks(8, 1);
    now_ms += 600; /* as a device repeats it */
    tell_stream(WANT, 6, 20);
    send_chunks(6, 1);
}

static void what_was_only_late_is_not_taken_for_another_stream(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    tell_stream(0, 0, 20);
    send_chunks(0, 10);
    tell_stream(WANT, 2, 20);
    send_chunks(2, 1);
    /* All that had been sent before has arrived after all. */
    tell_stream(0, 10, 20);
    assert_int_equal(updraft_client2_done_bytes(&client), 10 * PAYLOAD);
    send_chunks(10, 10);
    assert_nothing_to_do();
}

static void the_manifest_is_repaired_like_a_range(void **state)
{
    (void)state;
    open_session();
    send_chunks(0, 2);
    tell_stream(WANT, 1, 21);
    send_chunks(1, 1);
    tell_report(READY, OK, 0, 0, 0, 9);
    assert_state(UPDRAFT_CLIENT2_RANGING);
}

static void states_of_other_sessions_and_malformed_ones_are_ignored(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    struct updraft_client2 before = client;
    uint8_t bytes[16] = {0x80, RECEIVING, 0, WANT, SESSION + 1};
    updraft_client2_notified(&client, bytes, 16, now_ms);
    bytes[1] = IDLE; /* of another session */
    bytes[2] = 5;
    updraft_client2_notified(&client, bytes, 16, now_ms);
    bytes[4] = SESSION;
    updraft_client2_notified(&client, bytes, 15, now_ms);
    updraft_client2_notified(&client, bytes, 0, now_ms);
    bytes[10] = 1; /* reserved */
    updraft_client2_notified(&client, bytes, 16, now_ms);
    bytes[10] = 0;
    bytes[1] = 7; /* no such state */
    updraft_client2_notified(&client, bytes, 16, now_ms);
    bytes[0] = 3; /* protocol 1 */
    updraft_client2_notified(&client, bytes, 1, now_ms);
    assert_memory_equal(&client, &before, sizeof(client));
}

static void answers_that_nothing_asked_for_yet_are_ignored(void **state)
{
    (void)state;
    for (int at = UPDRAFT_CLIENT2_SUBSCRIBING; at <= UPDRAFT_CLIENT2_ACTIVATING; at++) {
        set_up_client(NULL);
        go_to((enum updraft_client2_state)at);
        bool has_message = client.message != 0;
        for (uint8_t told = MANIFEST; told <= RESTARTING && has_message; told++) {
            tell_report(told, OK, 0, base, base, 9);
            tell_report(told, HASH == 40 && told == READY ? HASH : OK, WANT, base, base,
                        9);
        }
        assert_state((enum updraft_client2_state)at);
    }
}

static void the_answer_may_come_before_the_response(void **state)
{
    (void)state;
    next_action(UPDRAFT_CLIENT2_SUBSCRIBE);
    updraft_client2_subscribed(&client, 0, now_ms);
    next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
    within = 15;
    tell_stream(0, 0, 20);
    assert_state(UPDRAFT_CLIENT2_TELLING);
    assert_nothing_to_do();
    write_ends();
    assert_int_equal((uint32_t)(client_deadline() - now_ms), 3500); /* as promised */
    send_chunks(0, 2);
    tell_report(READY, OK, 0, 0, 0, 9);
    next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
    base += 100;
    tell_stream(0, 0, 20);
    assert_nothing_to_do();
    write_ends();
    send_chunks(0, 5);
}

static void a_refusal_ends_the_session_and_says_why(void **state)
{
    (void)state;
    for (int at = UPDRAFT_CLIENT2_OPENING; at <= UPDRAFT_CLIENT2_ACTIVATING; at++) {
        for (int status = 1; status < 256; status++) {
            bool too_late = at == UPDRAFT_CLIENT2_ACTIVATING &&
                            status == UPDRAFT_P2_NOTHING_STAGED; /* see below */
            if (status == WRONG_STATE || status == HASH || too_late) {
                continue;
            }
            set_up_client(NULL);
            go_to((enum updraft_client2_state)at);
            struct updraft_client2_action action;
            while (updraft_client2_poll(&client, now_ms, &action)) {
                write_ends();
            }
            tell_report(IDLE, (uint8_t)status, 0, 0, 0, 0x12345);
            assert_failed(updraft_p2_status_error((uint8_t)status));
            assert_int_equal(updraft_client2_status(&client), status);
            assert_int_equal(updraft_client2_detail(&client), 0x12345);
        }
    }
}

static void a_session_that_the_device_has_forgotten_is_over(void **state)
{
    (void)state;
    for (int at = UPDRAFT_CLIENT2_OPENING; at <= UPDRAFT_CLIENT2_ACTIVATING; at++) {
        set_up_client(NULL);
        go_to((enum updraft_client2_state)at);
        struct updraft_client2_action action;
        while (updraft_client2_poll(&client, now_ms, &action)) {
            write_ends();
        }
        tell_state(IDLE); /* late, perhaps */
        assert_state((enum updraft_client2_state)at);
        tell_report(IDLE, WRONG_STATE, 0, 0, 0, 0);
        assert_failed(UPDRAFT_ERROR_LINK_STATE);
    }
    set_up_client(NULL);
    go_to(UPDRAFT_CLIENT2_SENDING);
    stay_silent(10000);
    EXPECT(0x18, SESSION);
    tell_state(IDLE);
    assert_failed(UPDRAFT_ERROR_LINK_STATE);
}

static void an_activate_that_came_too_late_is_no_refusal(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_ACTIVATING);
    (void)next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
    write_ends();
    tell_report(IDLE, UPDRAFT_P2_NOTHING_STAGED, 0, 0, 0, 0);
    assert_failed(UPDRAFT_ERROR_LINK_STATE);
}

static void a_lost_link_and_a_failed_write_are_the_end_in_every_state(void **state)
{
    (void)state;
    for (int at = UPDRAFT_CLIENT2_SUBSCRIBING; at <= UPDRAFT_CLIENT2_ACTIVATING; at++) {
        set_up_client(NULL);
        go_to((enum updraft_client2_state)at);
        if (at == UPDRAFT_CLIENT2_SENDING) {
            tell_stream(0, 0, 5);
        }
        struct updraft_client2 before = client;
        updraft_client2_link_lost(&client);
        assert_failed(UPDRAFT_ERROR_LINK_LOST);
        client = before;
        struct updraft_client2_action action;
        if (!updraft_client2_poll(&client, now_ms, &action)) {
            continue;
        }
        before = client;
        updraft_client2_link_lost(&client);
        assert_failed(UPDRAFT_ERROR_LINK_LOST);
        assert_int_equal(updraft_client2_activate_sent(&client),
                         at == UPDRAFT_CLIENT2_ACTIVATING);
        client = before;
        updraft_client2_subscribed(&client, UPDRAFT_ERROR_LINK_ATT, now_ms);
        updraft_client2_written(&client, UPDRAFT_ERROR_LINK_ATT, now_ms);
        assert_failed(UPDRAFT_ERROR_LINK_ATT);
        client = before;
        assert_int_equal((uint32_t)(client_deadline() - now_ms),
                         at == UPDRAFT_CLIENT2_SENDING || at == UPDRAFT_CLIENT2_TELLING
                             ? 10000
                             : 30000);
        now_ms += 30000;
        updraft_client2_tick(&client, now_ms);
        assert_failed(UPDRAFT_ERROR_LINK_TIMEOUT);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up_client)
    const struct CMUnitTest tests[] = {
        TEST(an_update_goes_by_the_book),
        TEST(a_staged_image_is_not_activated),
        TEST(the_write_size_follows_from_mtu_and_info),
        TEST(what_cannot_be_sent_is_an_argument_error),
        TEST(no_chunk_goes_at_or_beyond_the_limit),
        TEST(a_plain_state_never_goes_back_and_want_does),
        TEST(the_same_want_twice_goes_back_once),
        TEST(what_was_only_late_is_not_taken_for_another_stream),
        TEST(the_manifest_is_repaired_like_a_range),
        TEST(states_of_other_sessions_and_malformed_ones_are_ignored),
        TEST(answers_that_nothing_asked_for_yet_are_ignored),
        TEST(the_answer_may_come_before_the_response),
        TEST(a_refusal_ends_the_session_and_says_why),
        TEST(a_session_that_the_device_has_forgotten_is_over),
        TEST(an_activate_that_came_too_late_is_no_refusal),
        TEST(a_lost_link_and_a_failed_write_are_the_end_in_every_state),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
