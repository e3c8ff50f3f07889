/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the client's session, step by step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "updraft/client_session.h"
#include "updraft/error.h"

#define IMAGE_SIZE 1000u
#define MTU        247u
#define PACKET     244u

static struct updraft_client client;
static uint32_t now_ms;

static void start_with(const struct updraft_client_config *config)
{
    assert_int_equal(updraft_client_init(&client, config, now_ms), 0);
}

static int set_up(void **state)
{
    (void)state;
    now_ms = UINT32_MAX - 5000; /* the clock wraps on the way */
    struct updraft_client_config config = {.image_size_bytes = IMAGE_SIZE, .mtu = MTU};
    start_with(&config);
    return 0;
}

static struct updraft_client_action next(enum updraft_client_action_kind kind)
{
    struct updraft_client_action action;
    struct updraft_client_action none;
    assert_true(updraft_client_poll(&client, &action));
    assert_int_equal(action.kind, kind);
    assert_false(updraft_client_poll(&client, &none)); /* one at a time */
    return action;
}

static void assert_nothing_to_do(void)
{
    struct updraft_client_action none;
    assert_false(updraft_client_poll(&client, &none));
}

static void written(void)
{
    updraft_client_written(&client, 0, 0, now_ms);
}

static void notified(uint8_t opcode)
{
    updraft_client_notified(&client, &opcode, 1, now_ms);
}

static void assert_state(enum updraft_client_state state)
{
    assert_int_equal(updraft_client_state(&client), state);
    uint32_t deadline_ms = 0;
    bool has_ended = state == UPDRAFT_CLIENT_DONE || state == UPDRAFT_CLIENT_FAILED;
    assert_int_equal(updraft_client_deadline(&client, &deadline_ms), !has_ended);
    assert_int_equal(updraft_client_error(&client) != 0, state == UPDRAFT_CLIENT_FAILED);
}

static void assert_failed(int error)
{
    assert_state(UPDRAFT_CLIENT_FAILED);
    assert_int_equal(updraft_client_error(&client), error);
    assert_nothing_to_do();
}

/* The steps, each from the end of the one before. */
static void subscribe(void)
{
    next(UPDRAFT_CLIENT_SUBSCRIBE);
    updraft_client_subscribed(&client, 0, now_ms);
    assert_state(UPDRAFT_CLIENT_TELLING);
}

static void tell(void)
{
    struct updraft_client_action action = next(UPDRAFT_CLIENT_WRITE_DATA);
    assert_int_equal(action.size_bytes, 2);
    assert_int_equal(action.bytes[0] | action.bytes[1] << 8,
                     updraft_client_packet_size(&client));
    written();
    assert_state(UPDRAFT_CLIENT_REQUESTING);
}

static void request(void)
{
    struct updraft_client_action action = next(UPDRAFT_CLIENT_WRITE_CONTROL);
    assert_int_equal(action.size_bytes, 1);
    assert_int_equal(action.bytes[0], UPDRAFT_P1_REQUEST);
    assert_true(action.with_response);
}

static void send_all(void)
{
    while (updraft_client_state(&client) == UPDRAFT_CLIENT_SENDING) {
        next(UPDRAFT_CLIENT_WRITE_IMAGE);
        written();
    }
    assert_state(UPDRAFT_CLIENT_VERIFYING);
}

static void go_to(enum updraft_client_state state)
{
    if (state >= UPDRAFT_CLIENT_TELLING) {
        subscribe();
    }
    if (state >= UPDRAFT_CLIENT_REQUESTING) {
        tell();
    }
    if (state >= UPDRAFT_CLIENT_WAITING) {
        request();
        written();
        notified(state == UPDRAFT_CLIENT_WAITING ? UPDRAFT_P1_REQUEST_NAK
                                                 : UPDRAFT_P1_REQUEST_ACK);
    }
    if (state >= UPDRAFT_CLIENT_VERIFYING) {
        send_all();
    }
    assert_state(state);
}

static void an_update_goes_by_the_book(void **state)
{
    (void)state;
    subscribe();
    tell();
    request();
    written();
    assert_nothing_to_do();
    assert_state(UPDRAFT_CLIENT_REQUESTING);
    notified(UPDRAFT_P1_REQUEST_ACK);
    assert_state(UPDRAFT_CLIENT_SENDING);
    for (uint32_t offset = 0; offset < IMAGE_SIZE; offset += PACKET) {
        assert_int_equal(updraft_client_sent_bytes(&client), offset);
        struct updraft_client_action action = next(UPDRAFT_CLIENT_WRITE_IMAGE);
        assert_true(action.with_response);
        assert_int_equal(action.offset_bytes, offset);
        uint32_t left = IMAGE_SIZE - offset;
        assert_int_equal(action.size_bytes, left < PACKET ? left : PACKET);
        assert_int_equal(action.size_bytes + action.pad_size_bytes, PACKET);
        written();
    }
    assert_int_equal(updraft_client_sent_bytes(&client), IMAGE_SIZE);
    assert_false(updraft_client_done_sent(&client));
    struct updraft_client_action action = next(UPDRAFT_CLIENT_WRITE_CONTROL);
    assert_int_equal(action.bytes[0], UPDRAFT_P1_DONE);
    assert_true(updraft_client_done_sent(&client));
    /* The original never responds to this write. */
    notified(UPDRAFT_P1_DONE_ACK);
    assert_state(UPDRAFT_CLIENT_DONE);
    assert_nothing_to_do();
    /* What the restart then does to the link changes nothing. */
    updraft_client_written(&client, UPDRAFT_ERROR_LINK_LOST, 0, now_ms);
    updraft_client_link_lost(&client);
    updraft_client_tick(&client, now_ms + 1000000);
    notified(UPDRAFT_P1_DONE_NAK);
    assert_state(UPDRAFT_CLIENT_DONE);
}

static void the_answer_may_come_before_the_response(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT_REQUESTING);
    request();
    notified(UPDRAFT_P1_REQUEST_ACK);
    assert_nothing_to_do(); /* a write is under way */
    /* An answer that comes again, as notification and as indication, is one answer. */
    notified(UPDRAFT_P1_REQUEST_ACK);
    written();
    assert_state(UPDRAFT_CLIENT_SENDING);
    notified(UPDRAFT_P1_REQUEST_ACK);
    send_all();
    next(UPDRAFT_CLIENT_WRITE_CONTROL);
    written();
    assert_state(UPDRAFT_CLIENT_VERIFYING);
    notified(UPDRAFT_P1_DONE_ACK);
    assert_state(UPDRAFT_CLIENT_DONE);
}

static void one_refusal_is_tried_again_and_the_second_is_final(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT_WAITING);
    assert_nothing_to_do();
    uint32_t deadline_ms = 0;
    assert_true(updraft_client_deadline(&client, &deadline_ms));
    assert_int_equal(deadline_ms, (uint32_t)(now_ms + 1000));
    updraft_client_tick(&client, now_ms + 999);
    assert_state(UPDRAFT_CLIENT_WAITING);
    now_ms += 1000;
    updraft_client_tick(&client, now_ms);
    assert_state(UPDRAFT_CLIENT_TELLING);
    struct updraft_client before = client;
    tell(); /* the original took the first one for data */
    request();
    written();
    notified(UPDRAFT_P1_REQUEST_NAK);
    assert_failed(UPDRAFT_ERROR_REFUSED);
    client = before;
    tell();
    request();
    notified(UPDRAFT_P1_REQUEST_ACK);
    written();
    assert_state(UPDRAFT_CLIENT_SENDING);
}

static void a_refusal_before_the_response_waits_for_it(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT_REQUESTING);
    request();
    notified(UPDRAFT_P1_REQUEST_NAK);
    assert_state(UPDRAFT_CLIENT_WAITING);
    now_ms += 1000;
    updraft_client_tick(&client, now_ms);
    assert_nothing_to_do();
    written(); /* the REQUEST's, at last */
    assert_state(UPDRAFT_CLIENT_TELLING);
    tell();
    request();
    written();
    notified(UPDRAFT_P1_REQUEST_ACK);
    assert_state(UPDRAFT_CLIENT_SENDING);
}

static void done_nak_means_not_verified(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT_VERIFYING);
    notified(UPDRAFT_P1_DONE_NAK); /* nobody asked yet */
    assert_state(UPDRAFT_CLIENT_VERIFYING);
    next(UPDRAFT_CLIENT_WRITE_CONTROL);
    notified(UPDRAFT_P1_DONE_NAK);
    assert_failed(UPDRAFT_ERROR_NOT_VERIFIED);
    updraft_client_link_lost(&client);
    assert_failed(UPDRAFT_ERROR_NOT_VERIFIED);
}

static void answers_out_of_place_are_ignored(void **state)
{
    (void)state;
    static const enum updraft_client_state states[] = {
        UPDRAFT_CLIENT_SUBSCRIBING, UPDRAFT_CLIENT_TELLING, UPDRAFT_CLIENT_REQUESTING,
        UPDRAFT_CLIENT_WAITING,     UPDRAFT_CLIENT_SENDING, UPDRAFT_CLIENT_VERIFYING};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        set_up(NULL);
        go_to(states[i]);
        for (int opcode = 0; opcode < 256; opcode++) {
            notified((uint8_t)opcode); /* nothing has been asked in this state yet */
        }
        uint8_t two[2] = {UPDRAFT_P1_REQUEST_ACK, UPDRAFT_P1_DONE_ACK};
        updraft_client_notified(&client, two, 2, now_ms);
        updraft_client_notified(&client, two, 0, now_ms);
        assert_state(states[i]);
    }
    set_up(NULL);
    go_to(UPDRAFT_CLIENT_REQUESTING);
    request();
    notified(UPDRAFT_P1_DONE_ACK);
    notified(UPDRAFT_P1_DONE_NAK);
    notified(UPDRAFT_P1_NOP);
    written();
    assert_state(UPDRAFT_CLIENT_REQUESTING);
}

static void a_lost_link_is_the_end_in_every_state(void **state)
{
    (void)state;
    for (int at = UPDRAFT_CLIENT_SUBSCRIBING; at <= UPDRAFT_CLIENT_VERIFYING; at++) {
        for (int under_way = 0; under_way < 2; under_way++) {
            set_up(NULL);
            go_to((enum updraft_client_state)at);
            struct updraft_client_action action;
            if (under_way) {
                updraft_client_poll(&client, &action);
            }
            updraft_client_link_lost(&client);
            assert_failed(UPDRAFT_ERROR_LINK_LOST);
            /* Whoever wants to know whether the image was taken must look. */
            assert_int_equal(updraft_client_done_sent(&client),
                             under_way && at == UPDRAFT_CLIENT_VERIFYING);
            written();
            updraft_client_subscribed(&client, 0, now_ms);
            assert_failed(UPDRAFT_ERROR_LINK_LOST);
        }
    }
}

static void every_wait_has_an_end(void **state)
{
    (void)state;
    static const struct {
        enum updraft_client_state state;
        uint32_t limit_ms;
    } waits[] = {
        {UPDRAFT_CLIENT_SUBSCRIBING, 30000}, {UPDRAFT_CLIENT_TELLING, 30000},
        {UPDRAFT_CLIENT_REQUESTING, 10000},  {UPDRAFT_CLIENT_SENDING, 30000},
        {UPDRAFT_CLIENT_VERIFYING, 60000},
    };
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        set_up(NULL);
        go_to(waits[i].state);
        struct updraft_client_action action;
        assert_true(updraft_client_poll(&client, &action));
        updraft_client_tick(&client, now_ms + waits[i].limit_ms - 1);
        assert_state(waits[i].state);
        uint32_t deadline_ms = 0;
        assert_true(updraft_client_deadline(&client, &deadline_ms));
        assert_int_equal(deadline_ms, (uint32_t)(now_ms + waits[i].limit_ms));
        updraft_client_tick(&client, now_ms + waits[i].limit_ms);
        assert_failed(UPDRAFT_ERROR_LINK_TIMEOUT);
    }
}

static void time_limits_can_be_chosen(void **state)
{
    (void)state;
    struct updraft_client_config config = {.image_size_bytes = IMAGE_SIZE,
                                           .mtu = MTU,
                                           .write_limit_ms = 11,
                                           .request_limit_ms = 22,
                                           .retry_wait_ms = 33,
                                           .done_limit_ms = 44};
    static const struct {
        enum updraft_client_state state;
        uint32_t limit_ms;
    } waits[] = {
        {UPDRAFT_CLIENT_SUBSCRIBING, 11}, {UPDRAFT_CLIENT_TELLING, 11},
        {UPDRAFT_CLIENT_REQUESTING, 22},  {UPDRAFT_CLIENT_WAITING, 33},
        {UPDRAFT_CLIENT_SENDING, 11},     {UPDRAFT_CLIENT_VERIFYING, 44},
    };
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        start_with(&config);
        go_to(waits[i].state);
        uint32_t deadline_ms = 0;
        assert_true(updraft_client_deadline(&client, &deadline_ms));
        assert_int_equal(deadline_ms, (uint32_t)(now_ms + waits[i].limit_ms));
    }
}

static void each_packet_has_a_limit_of_its_own(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT_SENDING);
    for (int i = 0; i < 5; i++) {
        next(UPDRAFT_CLIENT_WRITE_IMAGE);
        now_ms += 29999;
        updraft_client_tick(&client, now_ms);
        written();
    }
    assert_state(UPDRAFT_CLIENT_VERIFYING);
}

static void errors_of_the_transport_come_through(void **state)
{
    (void)state;
    next(UPDRAFT_CLIENT_SUBSCRIBE);
    updraft_client_subscribed(&client, UPDRAFT_ERROR_LINK_ATT, now_ms);
    assert_failed(UPDRAFT_ERROR_LINK_ATT);
    static const enum updraft_client_state states[] = {
        UPDRAFT_CLIENT_TELLING, UPDRAFT_CLIENT_REQUESTING, UPDRAFT_CLIENT_SENDING};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        set_up(NULL);
        go_to(states[i]);
        struct updraft_client_action action;
        assert_true(updraft_client_poll(&client, &action));
        updraft_client_written(&client, UPDRAFT_ERROR_LINK_ATT, 0x0E, now_ms);
        assert_failed(UPDRAFT_ERROR_LINK_ATT);
    }
}

static void data_refused_by_an_updraft_device_says_why(void **state)
{
    (void)state;
    struct updraft_client_action action;
    go_to(UPDRAFT_CLIENT_SENDING);
    struct updraft_client before = client;
    updraft_client_poll(&client, &action);
    updraft_client_written(&client, UPDRAFT_ERROR_LINK_ATT, UPDRAFT_P1_ATT_FAILED,
                           now_ms);
    assert_failed(UPDRAFT_ERROR_NOT_VERIFIED);
    client = before;
    updraft_client_poll(&client, &action);
    updraft_client_written(&client, UPDRAFT_ERROR_LINK_ATT, UPDRAFT_P1_ATT_BUSY, now_ms);
    assert_failed(UPDRAFT_ERROR_BUSY);
    set_up(NULL);
    go_to(UPDRAFT_CLIENT_TELLING);
    before = client;
    updraft_client_poll(&client, &action);
    updraft_client_written(&client, UPDRAFT_ERROR_LINK_ATT, UPDRAFT_P1_ATT_BUSY, now_ms);
    assert_failed(UPDRAFT_ERROR_BUSY);
    /* An earlier update of this connection failed; a new one may begin. */
    client = before;
    updraft_client_poll(&client, &action);
    updraft_client_written(&client, UPDRAFT_ERROR_LINK_ATT, UPDRAFT_P1_ATT_FAILED,
                           now_ms);
    assert_state(UPDRAFT_CLIENT_REQUESTING);
}

static void the_end_of_the_done_write_decides_nothing_unless_it_is_a_refusal(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT_VERIFYING);
    next(UPDRAFT_CLIENT_WRITE_CONTROL);
    struct updraft_client before = client;
    updraft_client_written(&client, UPDRAFT_ERROR_LINK_TIMEOUT, 0, now_ms);
    assert_state(UPDRAFT_CLIENT_VERIFYING);
    notified(UPDRAFT_P1_DONE_ACK);
    assert_state(UPDRAFT_CLIENT_DONE);
    client = before;
    updraft_client_written(&client, UPDRAFT_ERROR_LINK_ATT, 0x13, now_ms);
    assert_failed(UPDRAFT_ERROR_LINK_ATT);
}

static void ends_that_nobody_waits_for_are_ignored(void **state)
{
    (void)state;
    written();
    updraft_client_subscribed(&client, 0, now_ms);
    assert_state(UPDRAFT_CLIENT_SUBSCRIBING);
    next(UPDRAFT_CLIENT_SUBSCRIBE);
    written();
    go_to(UPDRAFT_CLIENT_SUBSCRIBING);
    set_up(NULL);
    go_to(UPDRAFT_CLIENT_SENDING);
    written();
    updraft_client_written(&client, UPDRAFT_ERROR_LINK_ATT, 1, now_ms);
    updraft_client_subscribed(&client, UPDRAFT_ERROR_LINK_ATT, now_ms);
    assert_state(UPDRAFT_CLIENT_SENDING);
    assert_int_equal(updraft_client_sent_bytes(&client), 0);
}

static void the_packet_size_follows_from_the_mtu(void **state)
{
    (void)state;
    static const uint16_t sizes[][2] = {{0, 20},    {23, 20},   {185, 182},  {498, 495},
                                        {515, 512}, {517, 512}, {65535, 512}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct updraft_client_config config = {.image_size_bytes = IMAGE_SIZE,
                                               .mtu = sizes[i][0]};
        start_with(&config);
        assert_int_equal(updraft_client_packet_size(&client), sizes[i][1]);
        go_to(UPDRAFT_CLIENT_REQUESTING);
    }
    struct updraft_client_config config = {.image_size_bytes = IMAGE_SIZE, .mtu = 22};
    assert_int_equal(updraft_client_init(&client, &config, 0), UPDRAFT_ERROR_ARGUMENT);
    config = (struct updraft_client_config){.image_size_bytes = 0, .mtu = 23};
    assert_int_equal(updraft_client_init(&client, &config, 0), UPDRAFT_ERROR_ARGUMENT);
}

/* How much the last packet of an image is filled up. */
static uint16_t padding(uint32_t image_size_bytes, uint32_t slot_size_bytes)
{
    struct updraft_client_config config = {.image_size_bytes = image_size_bytes,
                                           .slot_size_bytes = slot_size_bytes,
                                           .mtu = MTU};
    start_with(&config);
    go_to(UPDRAFT_CLIENT_SENDING);
    for (;;) {
        struct updraft_client_action action = next(UPDRAFT_CLIENT_WRITE_IMAGE);
        assert_true(action.size_bytes > 0);
        if (action.offset_bytes + action.size_bytes == image_size_bytes) {
            return action.pad_size_bytes;
        }
        assert_int_equal(action.size_bytes, PACKET);
        assert_int_equal(action.pad_size_bytes, 0);
        written();
    }
}

static void the_last_packet_is_filled_up_where_the_slot_has_room(void **state)
{
    (void)state;
    assert_int_equal(padding(1000, 1 << 20), 220);
    assert_int_equal(padding(1000, 1220), 220);
    assert_int_equal(padding(1000, 1219), 0);
    assert_int_equal(padding(1000, 1000), 0);
    assert_int_equal(padding(1000, 900), 0);
    assert_int_equal(padding(PACKET * 4, 1 << 20), 0);
    assert_int_equal(padding(1, 1 << 20), PACKET - 1);
    /* Without a known slot size: within the last flash sector. */
    assert_int_equal(padding(1000, 0), 220);
    assert_int_equal(padding(4096 - 100, 0), 0); /* 152 would be needed */
    assert_int_equal(padding(8192, 0), 0);
    assert_int_equal(padding(8193, 0), PACKET * 34 - 8193);
}

static void commands_are_used_where_there_are_no_requests(void **state)
{
    (void)state;
    struct updraft_client_config config = {.image_size_bytes = 100,
                                           .mtu = MTU,
                                           .data_by_command = true,
                                           .control_by_command = true};
    start_with(&config);
    subscribe();
    assert_false(next(UPDRAFT_CLIENT_WRITE_DATA).with_response);
    written();
    assert_false(next(UPDRAFT_CLIENT_WRITE_CONTROL).with_response);
    written();
    notified(UPDRAFT_P1_REQUEST_ACK);
    assert_false(next(UPDRAFT_CLIENT_WRITE_IMAGE).with_response);
    written();
    assert_false(next(UPDRAFT_CLIENT_WRITE_CONTROL).with_response);
    written();
    notified(UPDRAFT_P1_DONE_ACK);
    assert_state(UPDRAFT_CLIENT_DONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(an_update_goes_by_the_book),
        TEST(the_answer_may_come_before_the_response),
        TEST(one_refusal_is_tried_again_and_the_second_is_final),
        TEST(a_refusal_before_the_response_waits_for_it),
        TEST(done_nak_means_not_verified),
        TEST(answers_out_of_place_are_ignored),
        TEST(a_lost_link_is_the_end_in_every_state),
        TEST(every_wait_has_an_end),
        TEST(time_limits_can_be_chosen),
        TEST(each_packet_has_a_limit_of_its_own),
        TEST(errors_of_the_transport_come_through),
        TEST(data_refused_by_an_updraft_device_says_why),
        TEST(the_end_of_the_done_write_decides_nothing_unless_it_is_a_refusal),
        TEST(ends_that_nobody_waits_for_are_ignored),
        TEST(the_packet_size_follows_from_the_mtu),
        TEST(the_last_packet_is_filled_up_where_the_slot_has_room),
        TEST(commands_are_used_where_there_are_no_requests),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
