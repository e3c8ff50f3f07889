/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Every fault at every call that an update makes of its transport: each ends, in time,
 * with nothing left open and with the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/flow_fixture.h"
#include "updraft/error.h"

/* The longest way: three links whose last op each waits for its limit, then the minute
 * for the device to return and one link of that time to its end. */
#define LONGEST_MS (3 * (10000 + 20000 + 3 * 30000 + 60000 + 5000) + 60000 + 45000)

static const char *const fault_names[FAULT_COUNT] = {
    "none", "refused", "silent", "answered", "link", "gone", "cancel",
};

static unsigned undisturbed_ops(void)
{
    play_begin();
    assert_int_equal(play_update(), UPDRAFT_OK);
    return played.op_count;
}

static int update_with(enum fault fault, unsigned at, bool stays)
{
    play_begin();
    played.fault = fault;
    played.fault_at = at;
    played.fault_stays = stays;
    int status = play_update();
    if (play_elapsed_ms() > LONGEST_MS) {
        fail_msg("%s at op %u took %u ms", fault_names[fault], at, play_elapsed_ms());
    }
    return status;
}

/* What may be said of a device depends on what it runs. */
static void assert_true_words(enum fault fault, unsigned at, int status)
{
    bool good = true;
    if (status == UPDRAFT_OK) {
        good = played.restarted && played.finished.outcome != UPDRAFT_OUTCOME_ALREADY;
    }
    if (status == UPDRAFT_ERROR_ROLLED_BACK || status == UPDRAFT_ERROR_NOT_VERIFIED ||
        status == UPDRAFT_ERROR_STATE || status == UPDRAFT_ERROR_ARGUMENT) {
        good = false; /* nothing of the sort has happened */
    }
    if (!good) {
        fail_msg("%s at op %u ended with %s", fault_names[fault], at,
                 updraft_error_name(status));
    }
}

static void every_fault_at_every_call_ends_in_time_with_the_truth(void **state)
{
    (void)state;
    unsigned count = undisturbed_ops();
    assert_true(count > 15);
    for (int fault = FAULT_REFUSED; fault < FAULT_COUNT; fault++) {
        for (unsigned at = 0; at < count; at++) {
            for (int stays = 0; stays <= 1; stays++) {
                assert_true_words(fault, at, update_with(fault, at, stays != 0));
            }
        }
    }
}

/* The one op after which nothing is certain any more is DONE's write. */
static unsigned index_of_done(void)
{
    (void)undisturbed_ops();
    unsigned last = 0;
    for (unsigned i = 0; i < played.op_count; i++) {
        last = played.ops[i] == OP_WRITE ? i : last;
    }
    return last;
}

static void a_link_lost_once_anywhere_before_the_verdict_is_made_up_for(void **state)
{
    (void)state;
    unsigned done = index_of_done();
    for (unsigned at = 2; at < done; at++) {
        assert_int_equal(update_with(FAULT_LINK, at, false), UPDRAFT_OK);
        assert_int_equal(played.finished.outcome, UPDRAFT_OUTCOME_RUNNING);
        assert_int_equal(played.reports[UPDRAFT_EVENT_RETRY], 1);
    }
    /* DONE itself was lost: the device says that it runs what it ran. */
    assert_int_equal(update_with(FAULT_LINK, done, false), UPDRAFT_ERROR_LINK_LOST);
    assert_false(played.restarted);
}

static void a_silence_anywhere_before_the_verdict_is_made_up_for(void **state)
{
    (void)state;
    unsigned done = index_of_done();
    for (unsigned at = 2; at < done; at++) {
        assert_int_equal(update_with(FAULT_SILENT, at, false), UPDRAFT_OK);
        assert_int_equal(played.finished.outcome, UPDRAFT_OUTCOME_RUNNING);
    }
    assert_int_equal(update_with(FAULT_SILENT, done, false), UPDRAFT_ERROR_LINK_TIMEOUT);
}

static void a_link_that_takes_long_to_end_does_not_end_the_job(void **state)
{
    (void)state;
    unsigned done = index_of_done();
    for (unsigned at = 3; at < done; at++) {
        play_begin();
        played.ends_slowly = true;
        played.fault = FAULT_SILENT;
        played.fault_at = at;
        assert_int_equal(play_update(), UPDRAFT_OK);
        assert_int_equal(played.finished.outcome, UPDRAFT_OUTCOME_RUNNING);
    }
}

static void links_lost_after_the_verdict_cost_nothing_but_time(void **state)
{
    (void)state;
    unsigned done = index_of_done();
    unsigned count = undisturbed_ops();
    for (unsigned at = done + 1; at < count; at++) {
        assert_int_equal(update_with(FAULT_LINK, at, false), UPDRAFT_OK);
        assert_int_equal(played.finished.outcome, UPDRAFT_OUTCOME_RUNNING);
        assert_int_equal(update_with(FAULT_SILENT, at, false), UPDRAFT_OK);
        assert_int_equal(played.finished.outcome, UPDRAFT_OUTCOME_RUNNING);
    }
}

static void a_daemon_that_goes_ends_the_job_at_once(void **state)
{
    (void)state;
    unsigned count = undisturbed_ops();
    for (unsigned at = 0; at < count; at++) {
        uint32_t before_ms = 0;
        play_begin();
        played.fault = FAULT_GONE;
        played.fault_at = at;
        struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_UPDATE};
        play_start(&config);
        while (played.op_count <= at) {
            play_step();
            before_ms = played.now_ms;
        }
        int status = play_to_end();
        assert_int_equal(played.now_ms, at == 0 ? played.started_ms : before_ms);
        bool ending = played.phases[UPDRAFT_PHASE_ENDING] > 0;
        assert_int_equal(status, ending ? UPDRAFT_OK : UPDRAFT_ERROR_NO_BLUETOOTHD);
    }
}

/* ---- cancelled ---- */

static void cancel_ends_every_phase_within_the_close_limit(void **state)
{
    (void)state;
    for (int phase = UPDRAFT_PHASE_FINDING; phase < UPDRAFT_PHASE_ENDING; phase++) {
        struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_UPDATE};
        play_begin();
        play_start(&config);
        assert_true(play_to_phase(phase));
        uint32_t asked_ms = played.now_ms;
        updraft_flow_cancel(&played.flow, played.now_ms);
        assert_int_equal(play_to_end(), UPDRAFT_ERROR_CANCELLED);
        assert_true(played.now_ms - asked_ms <= 5000);
    }
}

static void cancel_between_any_two_steps_ends_within_the_close_limit(void **state)
{
    (void)state;
    bool on = true;
    for (unsigned at = 0; on; at++) {
        struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_UPDATE};
        play_begin();
        play_start(&config);
        for (unsigned step = 0; step < at && updraft_flow_busy(&played.flow); step++) {
            play_step();
        }
        on = updraft_flow_busy(&played.flow);
        bool ending = played.phases[UPDRAFT_PHASE_ENDING] > 0;
        uint32_t asked_ms = played.now_ms;
        updraft_flow_cancel(&played.flow, played.now_ms);
        int status = on ? play_to_end() : played.finished.status;
        /* What was closing its link already keeps its end. */
        assert_int_equal(status, ending ? UPDRAFT_OK : UPDRAFT_ERROR_CANCELLED);
        assert_true(played.now_ms - asked_ms <= 5000);
    }
}

static void cancel_does_not_wait_for_a_link_that_does_not_end(void **state)
{
    (void)state;
    for (int phase = UPDRAFT_PHASE_CONNECTING; phase < UPDRAFT_PHASE_ENDING; phase++) {
        struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_UPDATE};
        play_begin();
        play_start(&config);
        assert_true(play_to_phase(phase));
        uint32_t asked_ms = played.now_ms;
        played.fault = FAULT_SILENT;
        played.fault_at = played.op_count;
        played.fault_stays = true;
        updraft_flow_cancel(&played.flow, played.now_ms);
        assert_int_equal(play_to_end(), UPDRAFT_ERROR_CANCELLED);
        assert_true(played.now_ms - asked_ms <= 5000);
    }
}

/* ---- time alone ---- */

static void time_alone_ends_every_phase(void **state)
{
    (void)state;
    for (int phase = UPDRAFT_PHASE_FINDING; phase <= UPDRAFT_PHASE_ENDING; phase++) {
        struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_UPDATE};
        play_begin();
        play_start(&config);
        assert_true(play_to_phase(phase));
        /* From here on nothing answers, and what was on its way is lost. */
        played.queue_count = 0;
        played.fault = FAULT_SILENT;
        played.fault_at = played.op_count;
        played.fault_stays = true;
        uint32_t from_ms = played.now_ms;
        int status = play_to_end();
        assert_true(played.now_ms - from_ms <= LONGEST_MS);
        bool done = phase == UPDRAFT_PHASE_ENDING;
        assert_int_equal(status == UPDRAFT_OK, done);
    }
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_fault_at_every_call_ends_in_time_with_the_truth),
        TEST(a_link_lost_once_anywhere_before_the_verdict_is_made_up_for),
        TEST(a_silence_anywhere_before_the_verdict_is_made_up_for),
        TEST(a_link_that_takes_long_to_end_does_not_end_the_job),
        TEST(links_lost_after_the_verdict_cost_nothing_but_time),
        TEST(a_daemon_that_goes_ends_the_job_at_once),
        TEST(cancel_ends_every_phase_within_the_close_limit),
        TEST(cancel_between_any_two_steps_ends_within_the_close_limit),
        TEST(cancel_does_not_wait_for_a_link_that_does_not_end),
        TEST(time_alone_ends_every_phase),
    };
    return cmocka_run_group_tests_name("flow_faults", tests, NULL, NULL);
}
