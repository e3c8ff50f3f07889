/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's slots where table, records or flash are not as usual. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "esp_ota_ops.h"
#include "slot_fixture.h"
#include "updraft/error.h"

static void the_only_ota_slot_is_no_target_while_it_runs(void **state)
{
    (void)state;
    fixture_table(sim_partitions_two_ota, sim_partitions_two_ota_count - 1);
    struct updraft_slots slots = slot_usual();
    assert_string_equal(slots.running->label, "factory");
    assert_int_equal(slots.ota_count, 1);
    assert_string_equal(slots.target->label, "ota_0");
    put_entry(0, 1, SIM_OTA_VALID);
    slots = slot_usual();
    assert_string_equal(slots.running->label, "ota_0");
    assert_null(slots.target);
}

/* An app with otadata in its table and no OTA slot can still be asked what it is. */
static void without_ota_slots_nothing_is_updated_or_on_trial(void **state)
{
    (void)state;
    fixture_table(sim_partitions_two_ota, sim_partitions_two_ota_count - 2);
    put_entry(0, 1, SIM_OTA_PENDING_VERIFY);
    struct updraft_slots slots = slot_usual();
    assert_string_equal(slots.running->label, "factory");
    assert_null(slots.target);
    assert_int_equal(updraft_slot_noted_state(&slots, 0), SIM_OTA_UNDEFINED);
    assert_false(updraft_slot_on_trial(&slots));
    assert_int_equal(updraft_slot_renew_trial(&slots), 0);
    assert_false(updraft_slot_may_go_back(&slots, UPDRAFT_P2_ROLLBACK_PREVIOUS));
}

/* ESP-IDF counts ota_0 alone, its boot loader both. */
static void slots_that_are_not_numbered_in_a_row_are_not_updated(void **state)
{
    (void)state;
    struct sim_partition table[8];
    const size_t count = sim_partitions_two_ota_count;
    memcpy(table, sim_partitions_two_ota, count * sizeof(table[0]));
    table[count - 1].subtype++;
    fixture_table(table, count);
    struct updraft_slots slots = slot_usual();
    assert_int_equal(slots.ota_count, 2);
    assert_null(slots.target);
}

static void the_later_of_two_records_of_a_slot_counts(void **state)
{
    (void)state;
    struct updraft_slots slots = slot_usual();
    for (int later = 0; later < 2; later++) {
        put_entry(later, 3, SIM_OTA_INVALID);
        put_entry(1 - later, 1, SIM_OTA_ABORTED);
        assert_int_equal(updraft_slot_noted_state(&slots, 0), SIM_OTA_INVALID);
        assert_int_equal(updraft_slot_noted_state(&slots, 1), SIM_OTA_UNDEFINED);
    }
}

/* Flash that says it erased, and did not: otadata still leads to the slot. */
static void a_record_that_stays_is_noticed_before_its_slot_is_erased(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_VALID);
    struct updraft_slots slots = slot_usual();
    assert_string_equal(slots.target->label, "ota_0");
    slot_erases_nothing = true;
    assert_int_equal(updraft_slot_prepare(&slots), UPDRAFT_ERROR_FLASH_ERASE);
    slot_erases_nothing = false;
    assert_int_equal(updraft_slot_prepare(&slots), 0);
    assert_true(is_blank(0) && !is_blank(1));
}

/* The boot loader took it because what otadata named is broken. It has been running; an
 * update that is not finished must not put it on trial. */
static void what_runs_after_a_fallback_is_selected_as_confirmed(void **state)
{
    (void)state;
    put_entry(1, 2, SIM_OTA_VALID);
    spoil("ota_1");
    struct updraft_slots slots = slot_usual();
    assert_string_equal(slots.running->label, "ota_0");
    assert_int_equal(updraft_slot_prepare(&slots), 0);
    assert_string_equal(boot(), "ota_0");
    assert_false(updraft_slot_on_trial(&slots));
    assert_string_equal(boot(), "ota_0");
}

static void long_reads_let_other_tasks_run(void **state)
{
    (void)state;
    static uint8_t scratch[UPDRAFT_SLOT_SCRATCH_SIZE];
    struct updraft_slots slots = slot_usual();
    const uint32_t size = 512u << 10;
    uint8_t digest[32];
    uint32_t crc;
    slot_delays = 0;
    assert_int_equal(updraft_slot_hash(&slots, digest, 32, 32, size, scratch, digest), 0);
    assert_int_equal(slot_delays, 8); /* each 64 KiB */
    assert_int_equal(updraft_slot_crc(&slots, 0, SIM_FLASH_SECTOR, scratch, &crc), 0);
    assert_int_equal(slot_delays, 8);
}

int main(void)
{
#define TEST(name, fixture) cmocka_unit_test_setup_teardown(name, fixture, fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(the_only_ota_slot_is_no_target_while_it_runs, fixture_5),
        TEST(without_ota_slots_nothing_is_updated_or_on_trial, fixture_5),
        TEST(slots_that_are_not_numbered_in_a_row_are_not_updated, fixture_5),
        TEST(the_later_of_two_records_of_a_slot_counts, fixture_5),
        TEST(a_record_that_stays_is_noticed_before_its_slot_is_erased, fixture_5),
        TEST(what_runs_after_a_fallback_is_selected_as_confirmed, fixture_large_5),
        TEST(what_runs_after_a_fallback_is_selected_as_confirmed, fixture_large_6),
        TEST(long_reads_let_other_tasks_run, fixture_5),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
