/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of protocol 2's client session: what is kept, and what is sent again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/client2_script.h"
#include "updraft/error.h"

static void a_slot_that_holds_something_else_is_not_asked(void **state)
{
    (void)state;
    tell_manifest(9);
    begin_range(0, FILE_SIZE, true);
    set_up_client(NULL);
    tell_manifest(crcs[0]);
    assert_state(UPDRAFT_CLIENT2_MAPPING);
    set_up_client(NULL);
    tell_manifest(OWN_CRC); /* it was activated once */
    assert_state(UPDRAFT_CLIENT2_MAPPING);
    set_up_client(NULL);
    config.fresh = true;
    start_client();
    tell_manifest(crcs[0]);
    begin_range(0, FILE_SIZE, true);
}

/* The power may have gone while just that sector was written once more. */
static void a_file_sent_before_is_looked_for_behind_the_first_sector(void **state)
{
    (void)state;
    config.again = true;
    start_client();
    tell_manifest(9);
    EXPECT(0x12, SESSION, 0, 0, SECTORS, 0);
    const uint32_t values[SECTORS] = {9, crcs[1], crcs[2], crcs[3], crcs[4], crcs[5]};
    tell_map(0, values, SECTORS);
    begin_range(0, 4096, true);
}

static void what_matches_is_kept_but_for_its_last_sector(void **state)
{
    (void)state;
    for (uint32_t matching = 1; matching <= SECTORS; matching++) {
        set_up_client(NULL);
        tell_manifest(crcs[0]);
        tell_map_prefix(matching);
        uint32_t kept = 4096 * (matching - 1);
        begin_range(kept, FILE_SIZE - kept, true);
        assert_int_equal(updraft_client2_done_bytes(&client), kept);
        send_range();
        tell_state(VERIFYING);
        assert_int_equal(updraft_client2_done_bytes(&client), FILE_SIZE);
        uint32_t last = matching == SECTORS ? FILE_SIZE % 4096 : 4096;
        assert_int_equal(updraft_client2_resent_bytes(&client), last);
    }
}

static void each_run_of_missing_sectors_is_a_range(void **state)
{
    (void)state;
    tell_manifest(OWN_CRC);
    EXPECT(0x12, SESSION, 0, 0, SECTORS, 0);
    const uint32_t values[SECTORS] = {OWN_CRC, 9, crcs[2], crcs[3], crcs[4], 9};
    tell_map(0, values, SECTORS);
    begin_range(0, 2 * 4096, false);
    send_range();
    tell_state(READY);
    begin_range(4 * 4096, FILE_SIZE - 4 * 4096, true);
    assert_int_equal(updraft_client2_done_bytes(&client), 4 * 4096);
}

static void a_late_state_does_not_begin_the_next_stream(void **state)
{
    (void)state;
    tell_manifest(OWN_CRC);
    EXPECT(0x12, SESSION, 0, 0, SECTORS, 0);
    const uint32_t values[SECTORS] = {OWN_CRC, 9, crcs[2], crcs[3], crcs[4], 9};
    tell_map(0, values, SECTORS);
    begin_range(0, 2 * 4096, false);
    send_range();
    tell_state(READY);
    next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
    write_ends();
    tell_stream(0, range_chunks() - 1, range_chunks() + 5); /* of the one before */
    assert_state(UPDRAFT_CLIENT2_RANGING);
    base = (uint16_t)(base + 100);
    tell_stream(0, 0, 5);
    assert_state(UPDRAFT_CLIENT2_SENDING);
    send_chunks(0, 5);
}

/* The device had lost the stream; what it had said of it before comes afterwards. */
static void a_late_state_does_not_begin_a_range_said_again(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_SENDING);
    tell_stream(0, 0, 10);
    send_chunks(0, 10);
    tell_stream(0, 4, 10);
    stay_silent(10000);
    EXPECT(0x18, SESSION);
    tell_state(READY);
    assert_state(UPDRAFT_CLIENT2_RANGING);
    next_action(UPDRAFT_CLIENT2_WRITE_CONTROL);
    write_ends();
    tell_stream(0, 3, 10);
    assert_state(UPDRAFT_CLIENT2_RANGING);
    base = (uint16_t)(base + 100);
    tell_stream(0, 0, 5);
    assert_state(UPDRAFT_CLIENT2_SENDING);
    send_chunks(0, 5);
}

static void blank_sectors_vouch_for_nothing(void **state)
{
    (void)state;
    crcs[1] = BLANK_CRC;
    crcs[2] = BLANK_CRC;
    tell_manifest(crcs[0]);
    tell_map_prefix(3); /* what comes before the blank ones may be the last written */
    begin_range(0, FILE_SIZE, true);
    set_up_client(NULL);
    crcs[2] = BLANK_CRC;
    crcs[3] = BLANK_CRC;
    tell_manifest(crcs[0]);
    EXPECT(0x12, SESSION, 0, 0, SECTORS, 0);
    const uint32_t values[SECTORS] = {crcs[0], 9, crcs[2], crcs[3], crcs[4], crcs[5]};
    tell_map(0, values, SECTORS);
    begin_range(0, 4 * 4096, true);
}

static void map_reports_that_are_missing_are_asked_for_again(void **state)
{
    (void)state;
    tell_manifest(crcs[0]);
    EXPECT(0x12, SESSION, 0, 0, SECTORS, 0);
    tell_map(0, crcs, 1);
    tell_map(4, crcs + 4, 2); /* the last one: nothing more is to come */
    EXPECT(0x12, SESSION, 1, 0, 3, 0);
    tell_map(1, crcs + 1, 2);
    tell_map(1, crcs + 1, 2);
    stay_silent(2000);
    EXPECT(0x12, SESSION, 3, 0, 1, 0);
    const uint32_t more[SECTORS + 1] = {0};
    tell_map(0, more, SECTORS + 1); /* than the file has */
    assert_state(UPDRAFT_CLIENT2_MAPPING);
    tell_map(3, crcs + 3, 1);
    begin_range(5 * 4096, 1600, true);
}

static void map_reports_of_another_session_are_ignored(void **state)
{
    (void)state;
    tell_manifest(crcs[0]);
    EXPECT(0x12, SESSION, 0, 0, SECTORS, 0);
    const uint8_t other[] = {0x82, SESSION + 1, 0, 0, 9, 9, 9, 9};
    updraft_client2_notified(&client, other, sizeof(other), now_ms);
    tell_map(0, crcs, SECTORS);
    begin_range(5 * 4096, 1600, true);
}

static void a_wrong_hash_is_repaired_three_times(void **state)
{
    (void)state;
    go_to(UPDRAFT_CLIENT2_VERIFYING);
    for (int round = 0; round < 3; round++) {
        tell_report(READY, HASH, 0, 0, 0, 0);
        tell_report(READY, HASH, 0, 0, 0, 0);
        assert_state(UPDRAFT_CLIENT2_MAPPING);
        EXPECT(0x12, SESSION, 0, 0, SECTORS, 0);
        tell_report(READY, HASH, 0, 0, 0, 0);
        const uint32_t values[SECTORS] = {crcs[0], crcs[1], 9, crcs[3], crcs[4], crcs[5]};
        tell_map(0, values, SECTORS);
        begin_range(2 * 4096, 4096, true); /* it was written in this session: no more */
        send_range();
        tell_state(VERIFYING);
        assert_int_equal(updraft_client2_resent_bytes(&client), 4096 * (round + 1));
    }
    tell_report(READY, HASH, 0, 0, 0, 0);
    assert_failed(UPDRAFT_ERROR_IMAGE_HASH);
    assert_int_equal(updraft_client2_status(&client), HASH);
}

static void a_wrong_hash_though_all_matches_sends_all_once(void **state)
{
    (void)state;
    tell_manifest(crcs[0]);
    tell_map_prefix(SECTORS);
    begin_range(5 * 4096, 1600, true);
    send_range();
    tell_report(READY, HASH, 0, 0, 0, 0);
    tell_map_prefix(SECTORS);
    begin_range(0, FILE_SIZE, true);
    send_range();
    tell_report(READY, HASH, 0, 0, 0, 0);
    tell_map_prefix(SECTORS);
    assert_failed(UPDRAFT_ERROR_IMAGE_HASH);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up_client)
    const struct CMUnitTest tests[] = {
        TEST(a_slot_that_holds_something_else_is_not_asked),
        TEST(a_file_sent_before_is_looked_for_behind_the_first_sector),
        TEST(what_matches_is_kept_but_for_its_last_sector),
        TEST(each_run_of_missing_sectors_is_a_range),
        TEST(a_late_state_does_not_begin_the_next_stream),
        TEST(a_late_state_does_not_begin_a_range_said_again),
        TEST(blank_sectors_vouch_for_nothing),
        TEST(map_reports_that_are_missing_are_asked_for_again),
        TEST(map_reports_of_another_session_are_ignored),
        TEST(a_wrong_hash_is_repaired_three_times),
        TEST(a_wrong_hash_though_all_matches_sends_all_once),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
