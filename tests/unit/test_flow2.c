/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the client's flow over protocol 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/native_fixture.h"
#include "updraft/error.h"

static const struct updraft_flow_config update_config = {.verb = UPDRAFT_FLOW_UPDATE};
static const struct updraft_flow_config forced_config = {.verb = UPDRAFT_FLOW_UPDATE,
                                                         .force = true};
static const struct updraft_flow_config fresh_config = {.verb = UPDRAFT_FLOW_UPDATE,
                                                        .fresh = true};
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

/* ---- update ---- */

static void an_update_ends_confirmed(void **state)
{
    (void)state;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.messages[UPDRAFT_P2_OPEN], 1);
    assert_int_equal(native.messages[UPDRAFT_P2_MAP], 0);
    assert_int_equal(native.messages[UPDRAFT_P2_CONFIRM], 1);
    assert_int_equal(native.file_bytes, native.image_size);
    assert_int_equal(native.finished.resent_bytes, 0);
    assert_int_equal(native.finished.kept_bytes, 0);
    assert_int_equal(native.phases[UPDRAFT_PHASE_TRANSFERRING], 1);
    assert_int_equal(native.phases[UPDRAFT_PHASE_VERIFYING], 1);
    assert_int_equal(native.phases[UPDRAFT_PHASE_RESTARTING], 1);
    assert_int_equal(native.reports[UPDRAFT_EVENT_DEVICE], 1);
}

static void info_tells_what_the_device_is(void **state)
{
    (void)state;
    const struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_INFO};
    assert_outcome(native_run(&config), UPDRAFT_OUTCOME_NONE);
    assert_true(native.finished_has_info);
    assert_string_equal(native.finished_info.project, "lamp");
    assert_int_equal(native_ops_of(NATIVE_READ), 3); /* the version is in Info */
    assert_int_equal(native_ops_of(NATIVE_REQUEST), 0);
}

static void a_torn_info_is_read_again(void **state)
{
    (void)state;
    native.torn_reads = 4;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    native_begin();
    native.torn_reads = 5;
    assert_int_equal(native_update(), UPDRAFT_ERROR_LINK_PROTOCOL);
}

static void a_device_that_knows_protocol_1_alone_gets_that(void **state)
{
    (void)state;
    native.silent_info = true;
    assert_int_equal(native_run(&stage_config), UPDRAFT_ERROR_UNSUPPORTED);
    assert_int_equal(native_run(&confirm_config), UPDRAFT_ERROR_UNSUPPORTED);
    assert_int_equal(native_run(&rollback_config), UPDRAFT_ERROR_UNSUPPORTED);
    assert_int_equal(native_run(&activate_config), UPDRAFT_ERROR_UNSUPPORTED);
    assert_int_equal(native_ops_of(NATIVE_REQUEST), 0);
}

static void what_runs_already_is_not_sent_unless_forced(void **state)
{
    (void)state;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    assert_outcome(native_update(), UPDRAFT_OUTCOME_ALREADY);
    assert_int_equal(native_ops_of(NATIVE_REQUEST), 0);
    native.info.slot = native.old_slot;
    assert_outcome(native_run(&forced_config), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.messages[UPDRAFT_P2_OPEN], 1);
}

static void a_trial_that_another_client_began_is_seen_through(void **state)
{
    (void)state;
    native_start(&update_config);
    while (native.phases[UPDRAFT_PHASE_RESTARTING] == 0) {
        native_step();
    }
    native_client_dies();
    assert_int_equal(native.info.run_state, UPDRAFT_RUN_ON_TRIAL);
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.messages[UPDRAFT_P2_OPEN], 0);
    assert_int_equal(native.messages[UPDRAFT_P2_CONFIRM], 1);
}

static void a_boot_loader_without_trials_leaves_it_at_running(void **state)
{
    (void)state;
    native.fate = NATIVE_UNMONITORED;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_RUNNING);
    assert_int_equal(native.messages[UPDRAFT_P2_CONFIRM], 0);
}

/* ---- resume ---- */

/* What may be sent again of what had arrived: a window, and two sectors. */
#define RESENT_MAX (NATIVE_WINDOW * NATIVE_CHUNK + 2u * UPDRAFT_P2_SECTOR_SIZE)

static void after_a_lost_link_it_goes_on(void **state)
{
    (void)state;
    for (uint32_t chunk = 1; chunk < 160; chunk += 13) {
        native_begin();
        native.drop_after_chunks = chunk;
        native.drops_left = 1;
        assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
        assert_int_equal(native.drops_left, 0);
        assert_int_equal(native.messages[UPDRAFT_P2_OPEN], 2);
        assert_true(native.file_bytes <= native.image_size + RESENT_MAX);
        assert_int_equal(native.finished.resent_bytes,
                         native.file_bytes + NATIVE_CHUNK - native.image_size);
        assert_int_equal(native.reports[UPDRAFT_EVENT_RETRY], 1);
    }
}

static void after_the_clients_end_another_goes_on(void **state)
{
    (void)state;
    for (uint32_t chunk = 40; chunk < 180; chunk += 31) {
        native_begin();
        native_start(&update_config);
        while (native.file_bytes < chunk * NATIVE_CHUNK) {
            native_step();
        }
        uint32_t arrived = native.file_bytes;
        native_client_dies();
        assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
        assert_true(native.kept_bytes + RESENT_MAX >= arrived);
        assert_int_equal(native.kept_bytes + native.file_bytes, native.image_size);
        assert_int_equal(native.finished.kept_bytes, native.kept_bytes);
        assert_int_equal(native.finished.resent_bytes, 0);
    }
}

static void fresh_sends_everything(void **state)
{
    (void)state;
    assert_outcome(native_run(&stage_config), UPDRAFT_OUTCOME_STAGED);
    assert_outcome(native_run(&fresh_config), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.file_bytes, native.image_size);
}

static void as_long_as_more_arrives_it_keeps_trying(void **state)
{
    (void)state;
    native.drop_after_chunks = 40;
    native.drops_left = 4;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.reports[UPDRAFT_EVENT_RETRY], 4);
}

static void without_progress_it_gives_up_after_three_links(void **state)
{
    (void)state;
    native.drop_all_chunks = true;
    assert_int_equal(native_update(), UPDRAFT_ERROR_LINK_LOST);
    assert_int_equal(native.messages[UPDRAFT_P2_OPEN], 3);
    assert_int_equal(native_ops_of(NATIVE_CONNECT), 3);
}

static void there_is_a_last_link_even_with_progress(void **state)
{
    (void)state;
    const struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_UPDATE,
                                               .attempts_total_max = 4};
    native.drop_after_chunks = 40;
    native.drops_left = 100;
    assert_int_equal(native_run(&config), UPDRAFT_ERROR_LINK_LOST);
    assert_int_equal(native_ops_of(NATIVE_CONNECT), 4);
}

/* ---- refusals ---- */

static void a_refusal_tells_its_detail(void **state)
{
    (void)state;
    native.refuse_opcode = UPDRAFT_P2_OPEN;
    native.refuse_status = UPDRAFT_P2_RATE_LIMIT;
    native.refuse_detail = 42;
    native.refuse_left = 1;
    assert_int_equal(native_update(), UPDRAFT_ERROR_RATE_LIMIT);
    assert_int_equal(native.finished.status_detail, 42);
    assert_int_equal(native_ops_of(NATIVE_CONNECT), 1);
}

static void a_busy_device_is_left_alone(void **state)
{
    (void)state;
    native.refuse_opcode = UPDRAFT_P2_OPEN;
    native.refuse_status = UPDRAFT_P2_BUSY;
    native.refuse_left = 1;
    assert_int_equal(native_update(), UPDRAFT_ERROR_BUSY);
    assert_int_equal(native_ops_of(NATIVE_CONNECT), 1);
}

static void a_ghost_of_our_own_link_is_waited_out(void **state)
{
    (void)state;
    native_start(&update_config);
    native.drop_after_chunks = 60;
    native.drops_left = 1;
    while (native.drops_left > 0) {
        native_step();
    }
    native.refuse_opcode = UPDRAFT_P2_OPEN;
    native.refuse_status = UPDRAFT_P2_BUSY;
    native.refuse_left = 2;
    uint32_t lost_ms = native.now_ms;
    assert_outcome(native_to_end(), UPDRAFT_OUTCOME_CONFIRMED);
    assert_true(native.now_ms - lost_ms > 6000);
}

/* ---- after the restart ---- */

static void a_rollback_is_told_with_its_reason(void **state)
{
    (void)state;
    native.fate = NATIVE_ROLLS_BACK;
    native.fate_reason = UPDRAFT_REASON_RESET;
    native.fate_detail = 4;
    assert_int_equal(native_update(), UPDRAFT_ERROR_ROLLED_BACK);
    assert_true(native.finished_has_info);
    char text[80];
    assert_string_equal(updraft_reason_text(&native.finished_info, text, sizeof(text)),
                        "it was reset on trial, by a panic");
    assert_string_equal(updraft_reason_name(native.finished_info.reason), "reset");
    assert_string_equal(updraft_reset_name(native.finished_info.detail), "panic");
}

static void a_reset_while_it_is_watched_is_a_rollback(void **state)
{
    (void)state;
    native.fate = NATIVE_RESETS;
    native.fate_reason = UPDRAFT_REASON_RESET;
    assert_int_equal(native_update(), UPDRAFT_ERROR_ROLLED_BACK);
    assert_int_equal(native.messages[UPDRAFT_P2_CONFIRM], 1);
}

static void a_lost_activation_is_repeated_once(void **state)
{
    (void)state;
    native.fate = NATIVE_LOST;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.messages[UPDRAFT_P2_ACTIVATE], 2);
    assert_int_equal(native.file_bytes, native.image_size);
    native_begin();
    native.fate = NATIVE_ALWAYS_LOST;
    assert_int_equal(native_update(), UPDRAFT_ERROR_ROLLED_BACK);
    assert_int_equal(native.messages[UPDRAFT_P2_ACTIVATE], 2);
}

static void a_device_that_takes_its_time_to_restart_is_waited_for(void **state)
{
    (void)state;
    native.fate = NATIVE_LINGERS;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
}

static void a_device_that_stays_away_is_told_so(void **state)
{
    (void)state;
    native.fate = NATIVE_VANISHES;
    assert_int_equal(native_update(), UPDRAFT_ERROR_LINK_NOT_BACK);
}

static void a_trial_that_never_ends_is_told_so(void **state)
{
    (void)state;
    native.fate = NATIVE_STAYS_ON_TRIAL;
    assert_int_equal(native_update(), UPDRAFT_ERROR_ON_TRIAL);
}

static void a_trial_is_waited_for_no_longer_than_a_trial_can_take(void **state)
{
    (void)state;
    native.fate = NATIVE_STAYS_ON_TRIAL;
    native.trial_s = UINT16_MAX;
    assert_int_equal(native_update(), UPDRAFT_ERROR_ON_TRIAL);
    assert_true(native.now_ms - native.started_ms < 1000u * 1000u);
}

static void a_run_state_from_the_future_is_not_called_confirmed(void **state)
{
    (void)state;
    native.fate = NATIVE_UNMONITORED;
    native_start(&update_config);
    while (native.phases[UPDRAFT_PHASE_RESTARTING] == 0 || native.restarting) {
        native_step();
    }
    native.info.run_state = 200;
    assert_outcome(native_to_end(), UPDRAFT_OUTCOME_RUNNING);
}

static void an_image_in_both_slots_is_told_apart_by_the_slot(void **state)
{
    (void)state;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    native.same_in_both = true;
    native.info.slot = native.old_slot;
    native.fate = NATIVE_ROLLS_BACK;
    native.fate_reason = UPDRAFT_REASON_SELF_TEST;
    assert_int_equal(native_run(&forced_config), UPDRAFT_ERROR_ROLLED_BACK);
    /* ACTIVATE that never came is not taken for a success. */
    native.fate = NATIVE_CONFIRMS;
    native.info.result = UPDRAFT_RESULT_NONE;
    native.lose_activate = true;
    assert_outcome(native_run(&forced_config), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.messages[UPDRAFT_P2_ACTIVATE], 2);
    assert_int_equal(native.info.slot, NATIVE_NEW_SLOT);
    assert_outcome(native_run(&rollback_config), UPDRAFT_OUTCOME_REVERTED);
}

static void an_impossible_write_size_is_the_devices_fault(void **state)
{
    (void)state;
    native.info.write_size_bytes = 3;
    assert_int_equal(native_update(), UPDRAFT_ERROR_LINK_PROTOCOL);
}

static void a_device_is_known_by_its_id_at_another_address(void **state)
{
    (void)state;
    native.fate = NATIVE_MOVES;
    native.stranger = true;
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_UPDATE, .by_address = true};
    config.address = native.address;
    assert_outcome(native_run(&config), UPDRAFT_OUTCOME_CONFIRMED);
    assert_memory_equal(native.finished.address.bytes, native.address.bytes, 6);
    /* The stranger was asked who it is, once, and nothing else; nobody hears of it. */
    assert_int_equal(native.strangers_met, 1);
    assert_int_equal(native.reports[UPDRAFT_EVENT_CONNECTED], 2);
}

static void a_lost_answer_to_activate_is_asked_for(void **state)
{
    (void)state;
    native.lose_activated = true;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.messages[UPDRAFT_P2_ACTIVATE], 1);
}

static void a_lost_activate_is_sent_again(void **state)
{
    (void)state;
    native.lose_activate = true;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.messages[UPDRAFT_P2_ACTIVATE], 2);
    assert_true(native.file_bytes <= native.image_size + RESENT_MAX);
}

/* What Info says of the activation before is no word on one that never got there. */
static void an_old_rollback_of_the_image_is_not_its_end(void **state)
{
    (void)state;
    native.fate = NATIVE_ROLLS_BACK;
    assert_int_equal(native_update(), UPDRAFT_ERROR_ROLLED_BACK);
    native.fate = NATIVE_CONFIRMS;
    native.lose_activate = true;
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(native.messages[UPDRAFT_P2_ACTIVATE], 2);
}

/* ---- cancel ---- */

static void a_cancelled_transfer_is_aborted_and_kept(void **state)
{
    (void)state;
    native_start(&update_config);
    while (native.file_bytes < 100 * NATIVE_CHUNK) {
        native_step();
    }
    uint32_t arrived = native.file_bytes;
    updraft_flow_cancel(&native.flow, native.now_ms);
    assert_int_equal(native_to_end(), UPDRAFT_ERROR_CANCELLED);
    assert_int_equal(native.messages[UPDRAFT_P2_ABORT], 1);
    assert_outcome(native_update(), UPDRAFT_OUTCOME_CONFIRMED);
    assert_true(native.kept_bytes + RESENT_MAX >= arrived);
}

/* ---- everything that can go wrong, everywhere ---- */

static void assert_good_end(enum native_fault fault, unsigned at)
{
    int status = native.finished.status;
    bool good =
        status == UPDRAFT_OK && native.finished.outcome == UPDRAFT_OUTCOME_CONFIRMED;
    bool told = false;
    switch (fault) {
    case NATIVE_FAULT_REFUSED:
    case NATIVE_FAULT_SILENT:
    case NATIVE_FAULT_ANSWERED:
    case NATIVE_FAULT_LINK:
        told = status == UPDRAFT_ERROR_LINK_ATT || status == UPDRAFT_ERROR_ADAPTER_OFF ||
               status == UPDRAFT_ERROR_NO_DEVICE;
        break;
    case NATIVE_FAULT_GONE:
        told = status == UPDRAFT_ERROR_NO_BLUETOOTHD;
        break;
    case NATIVE_FAULT_CANCEL:
        told = status == UPDRAFT_ERROR_CANCELLED;
        break;
    case NATIVE_FAULT_NONE:
    case NATIVE_FAULT_COUNT:
        break;
    }
    if (!good && !told) {
        fail_msg("fault %d at op %u: status %s, outcome %d", (int)fault, at,
                 updraft_error_name(status), (int)native.finished.outcome);
    }
}

static void whatever_fails_once_it_ends_and_the_next_update_works(void **state)
{
    (void)state;
    native_update();
    unsigned op_count = native.op_count;
    for (int fault = NATIVE_FAULT_REFUSED; fault < NATIVE_FAULT_COUNT; fault++) {
        for (unsigned at = 0; at<op_count; at += at> 40 && at < op_count - 25 ? 7 : 1) {
            native_begin();
            native.fault = (enum native_fault)fault;
            native.fault_at = at;
            (void)native_update();
            assert_good_end((enum native_fault)fault, at);
            native.fault = NATIVE_FAULT_NONE;
            native.fault_at = UINT32_MAX;
            native.daemon_gone = false;
            native.queue_count = 0;
            int status = native_update();
            if (status != UPDRAFT_OK || native.info.run_state != UPDRAFT_RUN_CONFIRMED ||
                strcmp(native.info.version, NATIVE_OLD_VERSION) == 0) {
                fail_msg("after fault %d at op %u: status %s, runs %s", fault, at,
                         updraft_error_name(status), native.info.version);
            }
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(an_update_ends_confirmed),
        TEST(info_tells_what_the_device_is),
        TEST(a_torn_info_is_read_again),
        TEST(a_device_that_knows_protocol_1_alone_gets_that),
        TEST(what_runs_already_is_not_sent_unless_forced),
        TEST(a_trial_that_another_client_began_is_seen_through),
        TEST(a_boot_loader_without_trials_leaves_it_at_running),
        TEST(after_a_lost_link_it_goes_on),
        TEST(after_the_clients_end_another_goes_on),
        TEST(fresh_sends_everything),
        TEST(as_long_as_more_arrives_it_keeps_trying),
        TEST(without_progress_it_gives_up_after_three_links),
        TEST(there_is_a_last_link_even_with_progress),
        TEST(a_refusal_tells_its_detail),
        TEST(a_busy_device_is_left_alone),
        TEST(a_ghost_of_our_own_link_is_waited_out),
        TEST(a_rollback_is_told_with_its_reason),
        TEST(a_reset_while_it_is_watched_is_a_rollback),
        TEST(a_lost_activation_is_repeated_once),
        TEST(a_device_that_takes_its_time_to_restart_is_waited_for),
        TEST(a_device_that_stays_away_is_told_so),
        TEST(a_trial_that_never_ends_is_told_so),
        TEST(a_trial_is_waited_for_no_longer_than_a_trial_can_take),
        TEST(a_run_state_from_the_future_is_not_called_confirmed),
        TEST(an_image_in_both_slots_is_told_apart_by_the_slot),
        TEST(an_impossible_write_size_is_the_devices_fault),
        TEST(a_device_is_known_by_its_id_at_another_address),
        TEST(a_lost_answer_to_activate_is_asked_for),
        TEST(a_lost_activate_is_sent_again),
        TEST(an_old_rollback_of_the_image_is_not_its_end),
        TEST(a_cancelled_transfer_is_aborted_and_kept),
        TEST(whatever_fails_once_it_ends_and_the_next_update_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
