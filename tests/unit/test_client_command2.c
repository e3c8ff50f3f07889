/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of protocol 2's commands that need no session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "updraft/client_command2.h"
#include "updraft/error.h"

enum { IDLE = 0, VERIFIED = 5, RESTARTING = 6 };

static const struct updraft_p2_command confirm = {.opcode = UPDRAFT_P2_CONFIRM,
                                                  .id = {1, 2, 3, 4, 5, 6, 7, 8}};
static const struct updraft_p2_command rollback = {.opcode = UPDRAFT_P2_ROLLBACK,
                                                   .target = UPDRAFT_P2_ROLLBACK_FACTORY,
                                                   .id = {1, 2, 3, 4, 5, 6, 7, 8}};
static const struct updraft_p2_command activate = {.opcode = UPDRAFT_P2_ACTIVATE,
                                                   .confirm_by =
                                                       UPDRAFT_P2_CONFIRM_BY_CLIENT,
                                                   .id = {1, 2, 3, 4, 5, 6, 7, 8}};
static struct updraft_command2 command2;
static uint32_t now_ms;

static struct updraft_client2_action next(enum updraft_client2_action_kind kind)
{
    struct updraft_client2_action action;
    struct updraft_client2_action other;
    assert_true(updraft_command2_poll(&command2, now_ms, &action));
    assert_int_equal(action.kind, kind);
    assert_false(updraft_command2_poll(&command2, now_ms, &other));
    return action;
}

static void start(const struct updraft_p2_command *command)
{
    now_ms = 0xFFFFF000;
    assert_int_equal(updraft_command2_init(&command2, command, now_ms), 0);
    next(UPDRAFT_CLIENT2_SUBSCRIBE);
    assert_int_equal(updraft_command2_state(&command2), UPDRAFT_COMMAND2_SUBSCRIBING);
    updraft_command2_subscribed(&command2, 0, now_ms);
    assert_int_equal(updraft_command2_state(&command2), UPDRAFT_COMMAND2_ASKING);
    assert_false(updraft_command2_sent(&command2));
}

static void ask(const uint8_t *bytes, size_t size)
{
    struct updraft_client2_action action = next(UPDRAFT_CLIENT2_WRITE_CONTROL);
    assert_int_equal(action.size_bytes, size);
    assert_memory_equal(action.bytes, bytes, size);
    assert_true(updraft_command2_sent(&command2));
    updraft_command2_written(&command2, 0, now_ms);
}
#define ASK(...) \
    ask((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void tell(uint8_t state, uint8_t status, uint8_t detail)
{
    uint8_t bytes[16] = {0x80, state, status};
    bytes[12] = detail;
    updraft_command2_notified(&command2, bytes, sizeof(bytes));
}

static void assert_done(void)
{
    uint32_t deadline_ms;
    assert_int_equal(updraft_command2_state(&command2), UPDRAFT_COMMAND2_DONE);
    assert_int_equal(updraft_command2_error(&command2), 0);
    assert_false(updraft_command2_deadline(&command2, &deadline_ms));
    updraft_command2_link_lost(&command2);
    updraft_command2_written(&command2, UPDRAFT_ERROR_LINK_LOST, now_ms);
    assert_int_equal(updraft_command2_state(&command2), UPDRAFT_COMMAND2_DONE);
}

static void assert_failed(int error)
{
    struct updraft_client2_action action;
    assert_int_equal(updraft_command2_state(&command2), UPDRAFT_COMMAND2_FAILED);
    assert_int_equal(updraft_command2_error(&command2), error);
    assert_false(updraft_command2_poll(&command2, now_ms, &action));
}

/* Nothing comes until the time limit. */
static void stay_silent(uint32_t limit_ms)
{
    uint32_t deadline_ms = 0;
    struct updraft_client2_action action;
    assert_true(updraft_command2_deadline(&command2, &deadline_ms));
    assert_int_equal((uint32_t)(deadline_ms - now_ms), limit_ms);
    updraft_command2_tick(&command2, now_ms + limit_ms - 1);
    assert_false(updraft_command2_poll(&command2, now_ms, &action));
    now_ms += limit_ms;
    updraft_command2_tick(&command2, now_ms);
}

static void each_command_is_said_and_answered(void **state)
{
    (void)state;
    start(&confirm);
    ASK(0x15, 1, 2, 3, 4, 5, 6, 7, 8);
    tell(IDLE, UPDRAFT_P2_OK, 0);
    assert_done();
    start(&rollback);
    ASK(0x16, 1, 1, 2, 3, 4, 5, 6, 7, 8);
    tell(RESTARTING, UPDRAFT_P2_OK, 0);
    assert_done();
    start(&activate);
    ASK(0x14, 1, 1, 2, 3, 4, 5, 6, 7, 8);
    tell(IDLE, UPDRAFT_P2_OK, 0); /* of something before */
    assert_int_equal(updraft_command2_state(&command2), UPDRAFT_COMMAND2_ASKING);
    tell(RESTARTING, UPDRAFT_P2_OK, 0);
    assert_done();
}

static void an_answer_before_the_response_counts(void **state)
{
    (void)state;
    start(&confirm);
    tell(IDLE, UPDRAFT_P2_OK, 0); /* nothing was asked */
    assert_int_equal(updraft_command2_state(&command2), UPDRAFT_COMMAND2_ASKING);
    next(UPDRAFT_CLIENT2_WRITE_CONTROL);
    tell(IDLE, UPDRAFT_P2_OK, 0);
    assert_done();
}

static void a_lost_answer_is_asked_for_three_times_more(void **state)
{
    (void)state;
    start(&activate);
    for (int i = 0; i < 4; i++) {
        ASK(0x14, 1, 1, 2, 3, 4, 5, 6, 7, 8);
        stay_silent(10000);
    }
    assert_failed(UPDRAFT_ERROR_LINK_TIMEOUT);
    assert_true(updraft_command2_sent(&command2));
    /* It was taken the first time. */
    start(&activate);
    ASK(0x14, 1, 1, 2, 3, 4, 5, 6, 7, 8);
    stay_silent(10000);
    ASK(0x14, 1, 1, 2, 3, 4, 5, 6, 7, 8);
    tell(RESTARTING, UPDRAFT_P2_WRONG_STATE, 0);
    assert_done();
}

static void a_refusal_says_why(void **state)
{
    (void)state;
    for (int status = 1; status < 256; status++) {
        start(&rollback);
        next(UPDRAFT_CLIENT2_WRITE_CONTROL);
        tell(IDLE, (uint8_t)status, 77);
        assert_failed(updraft_p2_status_error((uint8_t)status));
        assert_int_equal(updraft_command2_status(&command2), status);
        assert_int_equal(updraft_command2_detail(&command2), 77);
    }
}

static void what_the_transport_reports_comes_through(void **state)
{
    (void)state;
    assert_int_equal(updraft_command2_init(&command2, &confirm, 5), 0);
    now_ms = 5;
    next(UPDRAFT_CLIENT2_SUBSCRIBE);
    struct updraft_command2 before = command2;
    updraft_command2_subscribed(&command2, UPDRAFT_ERROR_LINK_ATT, 5);
    assert_failed(UPDRAFT_ERROR_LINK_ATT);
    command2 = before;
    stay_silent(30000);
    assert_failed(UPDRAFT_ERROR_LINK_TIMEOUT);
    start(&confirm);
    next(UPDRAFT_CLIENT2_WRITE_CONTROL);
    before = command2;
    updraft_command2_written(&command2, UPDRAFT_ERROR_LINK_ATT, now_ms);
    assert_failed(UPDRAFT_ERROR_LINK_ATT);
    command2 = before;
    updraft_command2_link_lost(&command2);
    assert_failed(UPDRAFT_ERROR_LINK_LOST);
    command2 = before;
    stay_silent(30000);
    assert_failed(UPDRAFT_ERROR_LINK_TIMEOUT);
}

static void only_what_needs_no_session_is_taken(void **state)
{
    (void)state;
    for (int opcode = 0; opcode < 256; opcode++) {
        struct updraft_p2_command command = {.opcode = (uint8_t)opcode};
        bool is_free = opcode == UPDRAFT_P2_CONFIRM || opcode == UPDRAFT_P2_ROLLBACK ||
                       opcode == UPDRAFT_P2_ACTIVATE;
        assert_int_equal(updraft_command2_init(&command2, &command, 0),
                         is_free ? 0 : UPDRAFT_ERROR_ARGUMENT);
    }
}

static void what_is_no_state_is_ignored(void **state)
{
    (void)state;
    start(&confirm);
    next(UPDRAFT_CLIENT2_WRITE_CONTROL);
    uint8_t bytes[17] = {0x80};
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        if (size != 16) {
            updraft_command2_notified(&command2, bytes, size);
        }
    }
    bytes[0] = 0x82;
    updraft_command2_notified(&command2, bytes, 16);
    assert_int_equal(updraft_command2_state(&command2), UPDRAFT_COMMAND2_ASKING);
}

/* A transport may report late, twice, or what was never begun. */
static void reports_that_nothing_awaits_change_nothing(void **state)
{
    struct updraft_client2_action action;
    (void)state;
    now_ms = 7;
    assert_int_equal(updraft_command2_init(&command2, &confirm, now_ms), 0);
    updraft_command2_subscribed(&command2, 0, now_ms); /* not yet begun */
    updraft_command2_written(&command2, 0, now_ms);
    assert_int_equal(updraft_command2_state(&command2), UPDRAFT_COMMAND2_SUBSCRIBING);
    next(UPDRAFT_CLIENT2_SUBSCRIBE);
    tell(IDLE, UPDRAFT_P2_OK, 0);
    updraft_command2_written(&command2, 0, now_ms);
    assert_int_equal(updraft_command2_state(&command2), UPDRAFT_COMMAND2_SUBSCRIBING);
    updraft_command2_subscribed(&command2, 0, now_ms);
    updraft_command2_subscribed(&command2, UPDRAFT_ERROR_LINK_ATT, now_ms);
    updraft_command2_written(&command2, UPDRAFT_ERROR_LINK_ATT, now_ms);
    assert_int_equal(updraft_command2_state(&command2), UPDRAFT_COMMAND2_ASKING);
    ASK(0x15, 1, 2, 3, 4, 5, 6, 7, 8);
    updraft_command2_written(&command2, UPDRAFT_ERROR_LINK_ATT, now_ms); /* again */
    tell(IDLE, UPDRAFT_P2_WRONG_STATE, 0);
    assert_failed(UPDRAFT_ERROR_LINK_STATE);
    updraft_command2_tick(&command2, now_ms + 100000);
    updraft_command2_link_lost(&command2);
    assert_failed(UPDRAFT_ERROR_LINK_STATE);
    /* Before the command is handed out, nobody polls for the whole limit. */
    start(&confirm);
    updraft_command2_tick(&command2, now_ms + 100000);
    assert_int_equal(updraft_command2_error(&command2), UPDRAFT_ERROR_LINK_TIMEOUT);
    assert_false(updraft_command2_poll(&command2, now_ms, &action));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_is_said_and_answered),
        cmocka_unit_test(an_answer_before_the_response_counts),
        cmocka_unit_test(a_lost_answer_is_asked_for_three_times_more),
        cmocka_unit_test(a_refusal_says_why),
        cmocka_unit_test(what_the_transport_reports_comes_through),
        cmocka_unit_test(only_what_needs_no_session_is_taken),
        cmocka_unit_test(what_is_no_state_is_ignored),
        cmocka_unit_test(reports_that_nothing_awaits_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
