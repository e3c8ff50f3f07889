/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the client's flow about what it orders: activate, confirm, rollback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/native_fixture.h"
#include "updraft/error.h"

static const struct updraft_flow_config stage_config = {.verb = UPDRAFT_FLOW_UPDATE,
                                                        .stage = true};
static const struct updraft_flow_config activate_config = {.verb = UPDRAFT_FLOW_ACTIVATE};
static const struct updraft_flow_config confirm_config = {.verb = UPDRAFT_FLOW_CONFIRM};
static const struct updraft_flow_config rollback_config = {.verb = UPDRAFT_FLOW_ROLLBACK};

static int set_up(void **state)
{
    (void)state;
    native_begin();
    return 0;
}

static void assert_outcome(int status, enum updraft_outcome outcome)
{
    assert_int_equal(status, UPDRAFT_OK);
    assert_int_equal(native.finished.outcome, outcome);
}

static void a_staged_image_waits_for_activate(void **state)
{
    (void)state;
    assert_outcome(native_run(&stage_config), UPDRAFT_OUTCOME_STAGED);
    assert_int_equal(native.messages[UPDRAFT_P2_ACTIVATE], 0);
    assert_string_equal(native.info.version, NATIVE_OLD_VERSION);
    /* It is there already: nothing is sent. */
    assert_outcome(native_run(&stage_config), UPDRAFT_OUTCOME_STAGED);
    assert_int_equal(native_ops_of(NATIVE_REQUEST), 0);
    assert_outcome(native_run(&activate_config), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.messages[UPDRAFT_P2_OPEN], 0);
    assert_int_equal(native.file_bytes, 0);
    assert_int_equal(native_run(&activate_config), UPDRAFT_ERROR_NOTHING_STAGED);
}

static void activate_takes_the_image_that_is_meant(void **state)
{
    (void)state;
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_ACTIVATE,
                                         .image = native.image,
                                         .image_size_bytes = native.image_size};
    assert_int_equal(native_run(&config), UPDRAFT_ERROR_NOTHING_STAGED);
    assert_int_equal(native_ops_of(NATIVE_REQUEST), 0);
    assert_outcome(native_run(&stage_config), UPDRAFT_OUTCOME_STAGED);
    native.staged_id[3] ^= 1;
    assert_int_equal(native_run(&config), UPDRAFT_ERROR_NOTHING_STAGED);
    native.staged_id[3] ^= 1;
    assert_outcome(native_run(&config), UPDRAFT_OUTCOME_CONFIRMED);
    assert_outcome(native_run(&config), UPDRAFT_OUTCOME_ALREADY);
}

static void confirm_confirms_what_runs(void **state)
{
    (void)state;
    native.info.run_state = UPDRAFT_RUN_ON_TRIAL;
    native.info.flags = UPDRAFT_INFO_CONFIRM_CLIENT;
    native.info.trial_left_s = 200;
    assert_outcome(native_run(&confirm_config), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.messages[UPDRAFT_P2_CONFIRM], 1);
}

static void what_is_not_on_trial_needs_no_confirmation(void **state)
{
    (void)state;
    const uint8_t states[] = {UPDRAFT_RUN_CONFIRMED, UPDRAFT_RUN_FACTORY,
                              UPDRAFT_RUN_UNMONITORED, 200};
    for (size_t i = 0; i < sizeof(states); i++) {
        native.info.run_state = states[i];
        assert_outcome(native_run(&confirm_config), UPDRAFT_OUTCOME_ALREADY);
        assert_int_equal(native_ops_of(NATIVE_REQUEST), 0);
    }
}

static void rollback_ends_with_the_other_firmware(void **state)
{
    (void)state;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    assert_outcome(native_run(&rollback_config), UPDRAFT_OUTCOME_REVERTED);
    assert_string_equal(native.info.version, NATIVE_OLD_VERSION);
    assert_int_equal(native.info.slot, 1);
    native_begin();
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    const struct updraft_flow_config factory = {.verb = UPDRAFT_FLOW_ROLLBACK,
                                                .factory = true};
    assert_outcome(native_run(&factory), UPDRAFT_OUTCOME_REVERTED);
    assert_int_equal(native.info.slot, 0xFF);
}

static void a_refused_rollback_is_told(void **state)
{
    (void)state;
    native.refuse_opcode = UPDRAFT_P2_ROLLBACK;
    native.refuse_status = UPDRAFT_P2_NO_FALLBACK;
    native.refuse_left = 1;
    assert_int_equal(native_run(&rollback_config), UPDRAFT_ERROR_NO_FALLBACK);
}

/* The original's firmware in the factory partition, for one. */
static void a_firmware_of_protocol_1_is_another_one(void **state)
{
    (void)state;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    native_start(&rollback_config);
    while (native.phases[UPDRAFT_PHASE_RESTARTING] == 0) {
        native_step();
    }
    native.silent_info = true;
    assert_outcome(native_to_end(), UPDRAFT_OUTCOME_REVERTED);
    native_begin();
    native.info.run_state = UPDRAFT_RUN_ON_TRIAL;
    native.info.flags = UPDRAFT_INFO_CONFIRM_CLIENT;
    native.info.trial_left_s = 200;
    native.fate = NATIVE_RESETS;
    native_start(&confirm_config);
    while (native.messages[UPDRAFT_P2_CONFIRM] == 0) {
        native_step();
    }
    native.silent_info = true;
    assert_int_equal(native_to_end(), UPDRAFT_ERROR_ROLLED_BACK);
}

/* Whichever it is, of an update (which confirms, too) and of a rollback. */
static void a_message_that_the_device_had_no_room_for_is_said_again(void **state)
{
    (void)state;
    unsigned requests = 0;
    for (unsigned at = 0; at == 0 || at < requests; at++) {
        native_begin();
        native.no_room_from = at;
        native.no_room_left = 2;
        assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
        assert_int_equal(native.no_room_left, 0);
        assert_int_equal(native.file_bytes_all, native.image_size); /* in one session */
        requests = native_ops_of(NATIVE_REQUEST) - 2;
        native.no_room_from = 0;
        native.no_room_left = 2;
        assert_outcome(native_run(&rollback_config), UPDRAFT_OUTCOME_REVERTED);
        assert_int_equal(native.no_room_left, 0);
    }
    assert_true(requests >= 4); /* OPEN, RANGE, ACTIVATE, CONFIRM */
}

static void a_device_that_never_has_room_is_given_up(void **state)
{
    (void)state;
    native.no_room_left = UINT32_MAX;
    assert_int_equal(native_run(&rollback_config), UPDRAFT_ERROR_LINK_TIMEOUT);
    native_begin();
    native.no_room_left = UINT32_MAX;
    assert_int_equal(native_update(), UPDRAFT_ERROR_LINK_TIMEOUT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(a_staged_image_waits_for_activate),
        TEST(activate_takes_the_image_that_is_meant),
        TEST(confirm_confirms_what_runs),
        TEST(what_is_not_on_trial_needs_no_confirmation),
        TEST(rollback_ends_with_the_other_firmware),
        TEST(a_refused_rollback_is_told),
        TEST(a_firmware_of_protocol_1_is_another_one),
        TEST(a_message_that_the_device_had_no_room_for_is_said_again),
        TEST(a_device_that_never_has_room_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
