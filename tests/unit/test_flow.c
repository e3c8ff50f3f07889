/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the client's flow: what a job does, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/flow_fixture.h"
#include "tests/unit/image_maker.h"
#include "updraft/error.h"

static int set_up(void **state)
{
    (void)state;
    play_begin();
    return 0;
}

static unsigned ops_of(enum played_op op)
{
    unsigned count = 0;
    for (unsigned i = 0; i < played.op_count; i++) {
        count += played.ops[i] == op;
    }
    return count;
}

/* ---- scan and info ---- */

static void scan_listens_for_its_time_and_connects_to_nothing(void **state)
{
    (void)state;
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_SCAN,
                                         .find_limit_ms = 3000};
    played.second = true;
    play_start(&config);
    assert_int_equal(play_to_end(), UPDRAFT_OK);
    assert_int_equal(play_elapsed_ms(), 3000);
    assert_int_equal(played.reports[UPDRAFT_EVENT_FOUND], 3);
    assert_int_equal(ops_of(OP_CONNECT), 0);
}

static void info_reads_and_lets_go(void **state)
{
    (void)state;
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_INFO};
    play_start(&config);
    assert_int_equal(play_to_end(), UPDRAFT_OK);
    assert_int_equal(played.reports[UPDRAFT_EVENT_DEVICE], 1);
    assert_int_equal(played.reports[UPDRAFT_EVENT_CONNECTED], 1);
    assert_int_equal(ops_of(OP_READ), 3);
    assert_int_equal(ops_of(OP_WRITE), 0);
    assert_int_equal(ops_of(OP_DISCONNECT), 1);
    assert_string_equal(played.firmware_after, OLD_VERSION);
}

static void info_serves_a_device_without_the_update_service(void **state)
{
    (void)state;
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_INFO, .name = "kitchen"};
    played.without_service = true;
    play_start(&config);
    assert_int_equal(play_to_end(), UPDRAFT_OK);
    assert_int_equal(played.reports[UPDRAFT_EVENT_DEVICE], 1);
}

/* ---- which device ---- */

static void the_address_needs_no_wait_for_others(void **state)
{
    (void)state;
    struct updraft_flow_config config = {
        .verb = UPDRAFT_FLOW_INFO, .by_address = true, .address = played_address};
    played.second = true;
    play_start(&config);
    assert_int_equal(play_to_end(), UPDRAFT_OK);
    assert_int_equal(play_elapsed_ms(), 0);
}

static void two_devices_that_fit_are_not_guessed_between(void **state)
{
    (void)state;
    struct updraft_flow_config configs[] = {
        {.verb = UPDRAFT_FLOW_UPDATE},
        {.verb = UPDRAFT_FLOW_UPDATE, .name = "kitchen"},
    };
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        play_begin();
        played.second = true;
        play_start(&configs[i]);
        assert_int_equal(play_to_end(), UPDRAFT_ERROR_SEVERAL_DEVICES);
        assert_int_equal(ops_of(OP_CONNECT), 0);
    }
}

static void a_device_that_is_not_there_is_looked_for_in_its_time(void **state)
{
    (void)state;
    struct updraft_flow_config configs[] = {
        {.verb = UPDRAFT_FLOW_INFO},
        {.verb = UPDRAFT_FLOW_INFO, .find_limit_ms = 700},
        {.verb = UPDRAFT_FLOW_UPDATE, .name = "hall", .find_limit_ms = 700},
        {.verb = UPDRAFT_FLOW_UPDATE, .by_address = true, .find_limit_ms = 700},
    };
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        play_begin();
        played.present = i >= 2;
        play_start(&configs[i]);
        assert_int_equal(play_to_end(), UPDRAFT_ERROR_NO_DEVICE);
        assert_int_equal(play_elapsed_ms(), i == 0 ? 10000 : 700);
    }
}

/* ---- updates that succeed ---- */

static void assert_updated(void)
{
    assert_int_equal(played.finished.outcome, UPDRAFT_OUTCOME_RUNNING);
    assert_true(played.restarted);
    assert_string_equal(played.firmware_before, OLD_VERSION);
    assert_string_equal(played.firmware_after, NEW_VERSION);
}

static void an_update_ends_with_the_new_version_seen_twice(void **state)
{
    (void)state;
    assert_int_equal(play_update(), UPDRAFT_OK);
    assert_updated();
    assert_int_equal(played.packet_size, 244);
    for (unsigned phase = UPDRAFT_PHASE_FINDING; phase <= UPDRAFT_PHASE_ENDING; phase++) {
        assert_int_equal(played.phases[phase], 1);
    }
    /* Three before, one when it is back, one when it was watched. */
    assert_int_equal(ops_of(OP_READ), 5);
    assert_int_equal(ops_of(OP_CONNECT), 2);
    assert_int_equal(played.reports[UPDRAFT_EVENT_RETRY], 0);
    /* Settling, a pause, the watch. */
    assert_int_equal(play_elapsed_ms(), 1500 + 500 + 5000);
}

static void a_device_with_write_commands_only_is_updated(void **state)
{
    (void)state;
    played.by_command = true;
    assert_int_equal(play_update(), UPDRAFT_OK);
    assert_updated();
}

static void the_version_that_runs_already_is_not_sent_unless_forced(void **state)
{
    (void)state;
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_UPDATE};
    played.restarted = true; /* it runs NEW_VERSION */
    play_start(&config);
    assert_int_equal(play_to_end(), UPDRAFT_OK);
    assert_int_equal(played.finished.outcome, UPDRAFT_OUTCOME_ALREADY);
    assert_int_equal(ops_of(OP_WRITE), 0);

    play_begin();
    played.restarted = true;
    config.force = true;
    play_start(&config);
    assert_int_equal(play_to_end(), UPDRAFT_OK);
    /* The same version before and after tells nothing. */
    assert_int_equal(played.finished.outcome, UPDRAFT_OUTCOME_UNTOLD);
    assert_int_equal(played.received_bytes >= played.image_size_bytes, true);
}

static void a_device_that_tells_no_version_is_updated_without_a_claim(void **state)
{
    (void)state;
    played.without_version = true;
    assert_int_equal(play_update(), UPDRAFT_OK);
    assert_int_equal(played.finished.outcome, UPDRAFT_OUTCOME_UNTOLD);
    assert_true(played.restarted);
}

static void another_version_than_the_image_s_is_no_claim_either(void **state)
{
    (void)state;
    played.comeback = COMEBACK_OTHER;
    assert_int_equal(play_update(), UPDRAFT_OK);
    assert_int_equal(played.finished.outcome, UPDRAFT_OUTCOME_UNTOLD);
    assert_string_equal(played.firmware_after, "9.9.9");
}

static void one_refusal_is_asked_again(void **state)
{
    (void)state;
    played.refusals = 1;
    assert_int_equal(play_update(), UPDRAFT_OK);
    assert_updated();
    assert_int_equal(played.requests, 2);
    assert_int_equal(ops_of(OP_CONNECT), 2);
}

static void two_connects_that_fail_are_followed_by_a_third(void **state)
{
    (void)state;
    played.connects_fail = 2;
    assert_int_equal(play_update(), UPDRAFT_OK);
    assert_updated();
    assert_int_equal(played.reports[UPDRAFT_EVENT_RETRY], 2);
    assert_int_equal(played.retry_status, UPDRAFT_ERROR_LINK_CONNECT);
}

static void a_verdict_that_was_lost_is_read_from_the_version(void **state)
{
    (void)state;
    played.lose_verdict = true;
    assert_int_equal(play_update(), UPDRAFT_OK);
    assert_updated();
}

/* ---- updates that fail ---- */

static void three_connects_that_fail_are_enough(void **state)
{
    (void)state;
    played.connects_fail = 1000;
    assert_int_equal(play_update(), UPDRAFT_ERROR_LINK_CONNECT);
    assert_int_equal(ops_of(OP_CONNECT), 3);
    assert_int_equal(played.reports[UPDRAFT_EVENT_RETRY], 2);
}

static void two_refusals_are_a_refusal(void **state)
{
    (void)state;
    played.refusals = 2;
    assert_int_equal(play_update(), UPDRAFT_ERROR_REFUSED);
    assert_int_equal(played.reports[UPDRAFT_EVENT_RETRY], 0);
    assert_int_equal(ops_of(OP_CONNECT), 1);
    assert_false(played.restarted);
}

static void an_image_that_the_device_does_not_verify_is_not_sent_again(void **state)
{
    (void)state;
    played.not_verified = true;
    assert_int_equal(play_update(), UPDRAFT_ERROR_NOT_VERIFIED);
    assert_int_equal(played.requests, 1);
    assert_string_equal(played.firmware_after, OLD_VERSION);
}

static void a_device_without_the_service_is_told_so(void **state)
{
    (void)state;
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_UPDATE, .name = "kitchen"};
    played.without_service = true;
    play_start(&config);
    assert_int_equal(play_to_end(), UPDRAFT_ERROR_LINK_NO_SERVICE);
    assert_int_equal(ops_of(OP_WRITE), 0);
}

static void the_old_version_afterwards_is_a_rollback(void **state)
{
    (void)state;
    played.comeback = COMEBACK_OLD;
    assert_int_equal(play_update(), UPDRAFT_ERROR_ROLLED_BACK);
    assert_int_equal(played.phases[UPDRAFT_PHASE_WATCHING], 1);
    assert_string_equal(played.firmware_after, OLD_VERSION);
}

static void a_device_that_stays_away_is_waited_for_a_minute(void **state)
{
    (void)state;
    played.comeback = COMEBACK_NEVER;
    assert_int_equal(play_update(), UPDRAFT_ERROR_LINK_NOT_BACK);
    assert_int_equal(play_elapsed_ms(), 1500 + 60000);
}

static void a_device_that_only_advertises_is_not_back(void **state)
{
    (void)state;
    played.comeback = COMEBACK_BROKEN;
    assert_int_equal(play_update(), UPDRAFT_ERROR_LINK_NOT_BACK);
    assert_in_range(play_elapsed_ms(), 60000, 70000);
    assert_int_equal(played.reports[UPDRAFT_EVENT_RETRY], 0);
}

static void a_device_that_does_not_hold_the_link_is_never_called_updated(void **state)
{
    (void)state;
    played.comeback = COMEBACK_DROPS;
    assert_int_equal(play_update(), UPDRAFT_ERROR_LINK_NOT_BACK);
    assert_true(ops_of(OP_CONNECT) > 2);
    assert_in_range(play_elapsed_ms(), 60000, 70000);
}

static void a_lost_verdict_and_the_old_version_is_a_lost_link(void **state)
{
    (void)state;
    played.lose_verdict = true;
    played.comeback = COMEBACK_OLD;
    assert_int_equal(play_update(), UPDRAFT_ERROR_LINK_LOST);
    play_begin();
    played.lose_verdict = true;
    played.comeback = COMEBACK_NEVER;
    assert_int_equal(play_update(), UPDRAFT_ERROR_LINK_LOST);
}

static void an_image_that_is_not_whole_is_refused_before_anything(void **state)
{
    (void)state;
    struct updraft_flow flow;
    struct updraft_flow_config config = {
        .verb = UPDRAFT_FLOW_UPDATE,
        .ops = played.flow.config.ops,
        .image = played.image,
        .image_size_bytes = played.image_size_bytes,
    };
    struct updraft_flow_config some = {.verb = UPDRAFT_FLOW_INFO};
    play_start(&some); /* for its ops and report */
    config.ops = played.flow.config.ops;
    config.report = played.flow.config.report;
    assert_int_equal(updraft_flow_init(&flow, &config), UPDRAFT_OK);
    struct image_recipe recipe = {.without_descriptor = true};
    uint8_t image[4096];
    config.image = image;
    config.image_size_bytes = (uint32_t)make_image(&recipe, image, sizeof(image));
    assert_int_equal(updraft_flow_init(&flow, &config), UPDRAFT_ERROR_IMAGE_DESCRIPTOR);
    config.image = played.image;
    config.image_size_bytes = played.image_size_bytes;
    config.image_size_bytes--;
    assert_int_equal(updraft_flow_init(&flow, &config), UPDRAFT_ERROR_IMAGE_TRUNCATED);
    config.unchecked = true;
    assert_int_equal(updraft_flow_init(&flow, &config), UPDRAFT_OK);
    config.image_size_bytes = 0;
    assert_int_equal(updraft_flow_init(&flow, &config), UPDRAFT_ERROR_ARGUMENT);
    config.image_size_bytes = 100;
    config.by_address = true;
    config.name = "kitchen";
    assert_int_equal(updraft_flow_init(&flow, &config), UPDRAFT_ERROR_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scan_listens_for_its_time_and_connects_to_nothing),
        TEST(info_reads_and_lets_go),
        TEST(info_serves_a_device_without_the_update_service),
        TEST(the_address_needs_no_wait_for_others),
        TEST(two_devices_that_fit_are_not_guessed_between),
        TEST(a_device_that_is_not_there_is_looked_for_in_its_time),
        TEST(an_update_ends_with_the_new_version_seen_twice),
        TEST(a_device_with_write_commands_only_is_updated),
        TEST(the_version_that_runs_already_is_not_sent_unless_forced),
        TEST(a_device_that_tells_no_version_is_updated_without_a_claim),
        TEST(another_version_than_the_image_s_is_no_claim_either),
        TEST(one_refusal_is_asked_again),
        TEST(two_connects_that_fail_are_followed_by_a_third),
        TEST(a_verdict_that_was_lost_is_read_from_the_version),
        TEST(three_connects_that_fail_are_enough),
        TEST(two_refusals_are_a_refusal),
        TEST(an_image_that_the_device_does_not_verify_is_not_sent_again),
        TEST(a_device_without_the_service_is_told_so),
        TEST(the_old_version_afterwards_is_a_rollback),
        TEST(a_device_that_stays_away_is_waited_for_a_minute),
        TEST(a_device_that_only_advertises_is_not_back),
        TEST(a_device_that_does_not_hold_the_link_is_never_called_updated),
        TEST(a_lost_verdict_and_the_old_version_is_a_lost_link),
        TEST(an_image_that_is_not_whole_is_refused_before_anything),
    };
    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
