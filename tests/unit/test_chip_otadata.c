/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of otadata: its bytes, and what ESP-IDF's calls make of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chip_fixture.h"

static uint64_t us;

static uint64_t operations(void)
{
    struct sim_flash_stats stats;
    sim_flash_stats(fixture.flash, &stats);
    return stats.operations;
}

static void assert_entry(int index, uint32_t seq, uint32_t state)
{
    struct sim_otadata_entry found = entry(index);
    assert_int_equal(found.seq, seq);
    assert_string_equal(sim_ota_state_name(found.state), sim_ota_state_name(state));
    assert_int_equal(found.crc, sim_otadata_crc(seq));
}

static int set_boot_error(const char *label)
{
    int error = sim_ota_set_boot(fixture.chip, part(label), &us);
    sim_flash_settle(fixture.flash);
    return error;
}

/* Bytes. */

static void crcs_are_those_of_the_rom(void **state)
{
    (void)state;
    assert_int_equal(sim_otadata_crc(1), 0x4743989A);
    assert_int_equal(sim_otadata_crc(2), 0x55F63774);
    assert_int_equal(sim_otadata_crc(3), 0xED4A5011);
    assert_int_equal(sim_otadata_crc(4), 0x709D68A8);
}

static void an_entry_has_esp_idfs_bytes(void **state)
{
    (void)state;
    static const uint8_t sample[32] = {0x02, 0,    0,    0,    0xFF, 0xFF, 0xFF, 0xFF,
                                       0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                       0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                       0,    0,    0,    0,    0x74, 0x37, 0xF6, 0x55};
    put_entry(1, 2, SIM_OTA_NEW);
    const uint8_t *found =
        sim_flash_bytes(fixture.flash) + part("otadata")->offset + SIM_FLASH_SECTOR;
    assert_memory_equal(found, sample, sizeof(sample));
    struct sim_otadata_entry decoded;
    sim_otadata_decode(sample, &decoded);
    assert_int_equal(decoded.seq, 2);
    assert_int_equal(decoded.state, SIM_OTA_NEW);
    assert_int_equal(decoded.label[19], 0xFF);
    assert_true(sim_otadata_is_valid(&decoded));
}

static void invalid_asks_for_number_and_state_but_not_for_the_crc(void **state)
{
    (void)state;
    struct sim_otadata_entry one = {.seq = 1, .state = SIM_OTA_VALID, .crc = 0};
    assert_false(sim_otadata_is_invalid(&one));
    assert_false(sim_otadata_is_valid(&one)); /* for its CRC */
    one.crc = sim_otadata_crc(1);
    assert_true(sim_otadata_is_valid(&one));
    static const uint32_t fine[] = {SIM_OTA_NEW, SIM_OTA_PENDING_VERIFY, SIM_OTA_VALID,
                                    SIM_OTA_UNDEFINED, 77};
    for (size_t i = 0; i < 5; i++) {
        one.state = fine[i];
        assert_true(sim_otadata_is_valid(&one));
    }
    one.state = SIM_OTA_INVALID;
    assert_true(sim_otadata_is_invalid(&one));
    one.state = SIM_OTA_ABORTED;
    assert_true(sim_otadata_is_invalid(&one));
    one = (struct sim_otadata_entry){.seq = 0xFFFFFFFF, .state = SIM_OTA_VALID};
    one.crc = sim_otadata_crc(0xFFFFFFFF);
    assert_true(sim_otadata_is_invalid(&one));
}

static int active(void)
{
    struct sim_otadata_entry entries[2] = {entry(0), entry(1)};
    return sim_otadata_active(entries);
}

static void the_higher_of_the_valid_entries_is_active(void **state)
{
    (void)state;
    assert_int_equal(active(), -1);
    put_entry(0, 3, SIM_OTA_VALID);
    assert_int_equal(active(), 0);
    put_entry(1, 4, SIM_OTA_NEW);
    assert_int_equal(active(), 1);
    put_entry(1, 2, SIM_OTA_NEW);
    assert_int_equal(active(), 0);
    put_entry(1, 3, SIM_OTA_NEW); /* a tie */
    assert_int_equal(active(), 0);
    put_entry(1, 9, SIM_OTA_ABORTED);
    assert_int_equal(active(), 0);
    put_bad_crc(1, 9, SIM_OTA_VALID);
    assert_int_equal(active(), 0);
    put_blank(0);
    assert_int_equal(active(), -1);
    put_entry(1, 9, SIM_OTA_UNDEFINED);
    assert_int_equal(active(), 1);
}

/* esp_ota_set_boot_partition. */

static void set_boot_starts_in_sector_0_when_nothing_is_active(void **state)
{
    (void)state;
    set_boot("ota_1");
    assert_entry(0, 2, SIM_OTA_NEW);
    assert_true(is_blank(1));
    assert_int_equal(operations(), 2); /* one erase, one program */
}

static void set_boot_of_another_slot_writes_the_other_sector(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    set_boot("ota_1");
    assert_entry(0, 1, SIM_OTA_VALID);
    assert_entry(1, 2, SIM_OTA_NEW);
    set_boot("ota_0");
    assert_entry(0, 3, SIM_OTA_NEW);
    assert_entry(1, 2, SIM_OTA_NEW);
}

static void set_boot_takes_the_next_number_that_means_the_slot(void **state)
{
    (void)state;
    put_entry(1, 8, SIM_OTA_VALID); /* ota_1 */
    set_boot("ota_0");
    assert_entry(0, 9, SIM_OTA_NEW);
    /* Beyond 2 billion, where counting up one by one would take for ever. */
    put_entry(0, 0xFFFFFFF0, SIM_OTA_VALID); /* ota_1 */
    put_blank(1);
    set_boot("ota_0");
    assert_entry(1, 0xFFFFFFF1, SIM_OTA_NEW);
}

static void set_boot_of_the_active_slot_in_5_destroys_the_other_record(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_VALID);
    set_boot("ota_1"); /* active is sector 1 */
    assert_entry(0, 2, SIM_OTA_NEW);
    assert_entry(1, 2, SIM_OTA_VALID);
    assert_int_equal(active(), 0);
}

static void set_boot_of_the_active_slot_in_5_can_lose_the_trial(void **state)
{
    (void)state;
    put_entry(0, 3, SIM_OTA_VALID); /* ota_0 */
    put_entry(1, 2, SIM_OTA_VALID);
    set_boot("ota_0");
    assert_entry(1, 3, SIM_OTA_NEW);
    assert_int_equal(active(), 0); /* the tie: VALID wins, NEW is never looked at */
    assert_string_equal(boot(), "ota_0");
    assert_entry(0, 3, SIM_OTA_VALID);
    assert_entry(1, 3, SIM_OTA_NEW);
}

static void set_boot_of_the_active_slot_in_6_rewrites_its_own_record(void **state)
{
    (void)state;
    put_entry(0, 3, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_VALID);
    set_boot("ota_0");
    assert_entry(0, 3, SIM_OTA_NEW);
    assert_entry(1, 2, SIM_OTA_VALID);
    put_entry(1, 4, SIM_OTA_VALID);
    set_boot("ota_1");
    assert_entry(0, 3, SIM_OTA_NEW);
    assert_entry(1, 4, SIM_OTA_NEW);
}

static void set_boot_without_rollback_leaves_the_state_undefined(void **state)
{
    (void)state;
    fixture.chip->app_without_rollback = true;
    set_boot("ota_0");
    assert_entry(0, 1, SIM_OTA_UNDEFINED);
}

static void set_boot_to_factory_erases_otadata(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_VALID);
    set_boot("factory");
    assert_true(is_blank(0) && is_blank(1));
    assert_string_equal(boot(), "factory");
}

static void set_boot_refuses_what_does_not_verify(void **state)
{
    (void)state;
    spoil("ota_1");
    assert_int_equal(set_boot_error("ota_1"), SIM_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(sim_ota_set_boot(fixture.chip, NULL, &us), SIM_ERR_INVALID_ARG);
    assert_int_equal(set_boot_error("nvs"), SIM_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(operations(), 0);
}

static void set_boot_without_otadata_is_not_found(void **state)
{
    (void)state;
    static const struct sim_partition table[] = {
        {0, SIM_APP_FACTORY, 0x10000, 0x10000, "factory", 0},
        {0, SIM_APP_OTA_0, 0x20000, 0x10000, "ota_0", 0}};
    fixture_table(table, 2);
    assert_int_equal(set_boot_error("ota_0"), SIM_ERR_NOT_FOUND);
    assert_int_equal(set_boot_error("factory"), SIM_ERR_NOT_FOUND);
}

static void set_boot_of_a_slot_behind_a_gap_is_refused(void **state)
{
    (void)state;
    static const struct sim_partition table[] = {
        {1, SIM_DATA_OTA, 0x9000, 0x2000, "otadata", 0},
        {0, SIM_APP_OTA_0, 0x10000, 0x10000, "ota_0", 0},
        {0, SIM_APP_OTA_0 + 2, 0x20000, 0x10000, "ota_2", 0}};
    fixture_table(table, 3);
    assert_int_equal(set_boot_error("ota_2"), SIM_ERR_INVALID_ARG);
}

static void set_boot_erases_an_image_that_anti_rollback_forbids(void **state)
{
    (void)state;
    fixture.chip->anti_rollback = true;
    fixture.chip->secure_version = 2;
    put_image("ota_1", 1);
    assert_int_equal(set_boot_error("ota_1"), SIM_ERR_OTA_SMALL_SECURE_VERSION);
    assert_int_equal(sim_flash_bytes(fixture.flash)[part("ota_1")->offset], 0xFF);
    assert_true(is_blank(0));
    put_image("ota_1", 2);
    set_boot("ota_1");
    assert_entry(0, 2, SIM_OTA_NEW);
}

static void get_boot_follows_the_active_entry(void **state)
{
    (void)state;
    struct sim_partition partition;
    assert_int_equal(sim_ota_get_boot(fixture.chip, &partition), SIM_OK);
    assert_string_equal(partition.label, "factory");
    put_entry(0, 2, SIM_OTA_NEW);
    assert_int_equal(sim_ota_get_boot(fixture.chip, &partition), SIM_OK);
    assert_string_equal(partition.label, "ota_1");
}

/* Marking. */

static void mark_valid_acts_on_the_active_entry_not_on_what_runs(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_PENDING_VERIFY);
    /* ota_0 runs here as far as anybody knows; the broken ota_1 is blessed. */
    assert_int_equal(sim_ota_mark_valid(fixture.chip, part("ota_0"), &us), SIM_OK);
    assert_entry(1, 2, SIM_OTA_VALID);
    assert_entry(0, 1, SIM_OTA_VALID);
}

static void mark_valid_of_a_valid_entry_writes_nothing(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    mark_valid();
    assert_int_equal(operations(), 0);
}

static void mark_valid_without_active_entry_fails(void **state)
{
    (void)state;
    assert_int_equal(sim_ota_mark_valid(fixture.chip, part("factory"), &us), SIM_FAIL);
    assert_int_equal(sim_ota_mark_invalid(fixture.chip, &us), SIM_FAIL);
}

static void mark_valid_burns_the_secure_version(void **state)
{
    (void)state;
    fixture.chip->anti_rollback = true;
    put_image("ota_1", 3);
    put_entry(0, 2, SIM_OTA_PENDING_VERIFY);
    assert_int_equal(sim_ota_mark_valid(fixture.chip, part("ota_1"), &us), SIM_OK);
    assert_int_equal(fixture.chip->secure_version, 3);
}

static void mark_invalid_needs_somewhere_to_go(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_PENDING_VERIFY);
    spoil("ota_0");
    assert_int_equal(sim_ota_mark_invalid(fixture.chip, &us),
                     SIM_ERR_OTA_ROLLBACK_FAILED);
    assert_entry(1, 2, SIM_OTA_PENDING_VERIFY);
    put_image("ota_0", 0);
    assert_int_equal(sim_ota_mark_invalid(fixture.chip, &us), SIM_OK);
    assert_entry(1, 2, SIM_OTA_INVALID);
    assert_string_equal(boot(), "ota_0");
}

static void rollback_is_possible_to_the_other_entry_or_to_factory(void **state)
{
    (void)state;
    assert_false(sim_ota_rollback_is_possible(fixture.chip, &us)); /* nothing active */
    put_entry(0, 1, SIM_OTA_PENDING_VERIFY);
    assert_true(sim_ota_rollback_is_possible(fixture.chip, &us)); /* factory */
    spoil("factory");
    assert_false(sim_ota_rollback_is_possible(fixture.chip, &us));
    put_entry(1, 0xFFFFFFFE, SIM_OTA_ABORTED);
    assert_false(sim_ota_rollback_is_possible(fixture.chip, &us));
    put_entry(0, 3, SIM_OTA_PENDING_VERIFY);
    put_entry(1, 2, SIM_OTA_VALID);
    assert_true(sim_ota_rollback_is_possible(fixture.chip, &us));
    spoil("ota_1"); /* a valid other entry keeps factory from being asked */
    put_image("factory", 0);
    assert_false(sim_ota_rollback_is_possible(fixture.chip, &us));
}

static void anti_rollback_never_rolls_back_to_factory_or_below(void **state)
{
    (void)state;
    fixture.chip->anti_rollback = true;
    put_entry(0, 1, SIM_OTA_PENDING_VERIFY);
    assert_false(sim_ota_rollback_is_possible(fixture.chip, &us));
    put_entry(1, 0, SIM_OTA_VALID);
    put_entry(0, 3, SIM_OTA_PENDING_VERIFY);
    put_entry(1, 2, SIM_OTA_VALID);
    assert_true(sim_ota_rollback_is_possible(fixture.chip, &us));
    fixture.chip->secure_version = 1;
    assert_false(sim_ota_rollback_is_possible(fixture.chip, &us));
}

static void last_invalid_is_the_lowest_refused_entry(void **state)
{
    (void)state;
    struct sim_partition partition;
    put_entry(0, 1, SIM_OTA_VALID);
    assert_int_equal(sim_ota_get_last_invalid(fixture.chip, &partition, &us),
                     SIM_ERR_NOT_FOUND);
    put_entry(1, 2, SIM_OTA_ABORTED);
    assert_int_equal(sim_ota_get_last_invalid(fixture.chip, &partition, &us), SIM_OK);
    assert_string_equal(partition.label, "ota_1");
    put_entry(0, 3, SIM_OTA_INVALID);
    assert_int_equal(sim_ota_get_last_invalid(fixture.chip, &partition, &us), SIM_OK);
    assert_string_equal(partition.label, "ota_1");
    spoil("ota_1");
    assert_int_equal(sim_ota_get_last_invalid(fixture.chip, &partition, &us),
                     SIM_ERR_NOT_FOUND);
    put_image("ota_1", 0);
    put_bad_crc(1, 2, SIM_OTA_ABORTED);
    assert_int_equal(sim_ota_get_last_invalid(fixture.chip, &partition, &us), SIM_OK);
    assert_string_equal(partition.label, "ota_0");
}

static void get_state_takes_the_first_entry_of_the_slot(void **state)
{
    (void)state;
    uint32_t found;
    assert_int_equal(sim_ota_get_state(fixture.chip, part("factory"), &found),
                     SIM_ERR_NOT_SUPPORTED);
    assert_int_equal(sim_ota_get_state(fixture.chip, part("ota_0"), &found),
                     SIM_ERR_NOT_FOUND);
    put_entry(0, 1, SIM_OTA_ABORTED);
    put_entry(1, 3, SIM_OTA_VALID);
    assert_int_equal(sim_ota_get_state(fixture.chip, part("ota_0"), &found), SIM_OK);
    assert_int_equal(found, SIM_OTA_ABORTED);
    assert_int_equal(sim_ota_get_state(fixture.chip, part("ota_1"), &found),
                     SIM_ERR_NOT_FOUND);
    put_bad_crc(0, 1, SIM_OTA_ABORTED);
    assert_int_equal(sim_ota_get_state(fixture.chip, part("ota_0"), &found), SIM_OK);
    assert_int_equal(found, SIM_OTA_VALID);
    assert_int_equal(sim_ota_get_state(fixture.chip, NULL, &found), SIM_ERR_INVALID_ARG);
}

static void erase_last_boot_app_erases_slot_and_record(void **state)
{
    (void)state;
    assert_int_equal(sim_ota_erase_last_boot_app(fixture.chip, part("ota_0"), &us),
                     SIM_FAIL);
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_VALID);
    /* The inactive entry means what runs: hands off. */
    assert_int_equal(sim_ota_erase_last_boot_app(fixture.chip, part("ota_0"), &us),
                     SIM_FAIL);
    assert_int_equal(sim_ota_erase_last_boot_app(fixture.chip, part("ota_1"), &us),
                     SIM_OK);
    assert_true(is_blank(0));
    assert_int_equal(sim_flash_bytes(fixture.flash)[part("ota_0")->offset], 0xFF);
    assert_entry(1, 2, SIM_OTA_VALID);
}

static void begin_forgets_the_inactive_record_from_5_5_on(void **state)
{
    (void)state;
    static const struct {
        int major;
        int minor;
        bool forgets;
    } versions[] = {{5, 3, false}, {5, 4, false}, {5, 5, true}, {6, 0, true}};
    for (size_t i = 0; i < 4; i++) {
        fixture.chip->idf_major = versions[i].major;
        fixture.chip->idf_minor = versions[i].minor;
        put_entry(0, 1, SIM_OTA_VALID);
        put_entry(1, 2, SIM_OTA_VALID);
        assert_int_equal(
            sim_ota_begin_forget(fixture.chip, part("ota_1"), part("ota_0"), &us),
            SIM_OK);
        assert_int_equal(is_blank(0), versions[i].forgets);
        assert_entry(1, 2, SIM_OTA_VALID);
        assert_int_equal(sim_flash_bytes(fixture.flash)[part("ota_0")->offset], 0xE9);
    }
}

static void begin_keeps_a_record_that_means_the_running_slot(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_NEW);
    sim_ota_begin_forget(fixture.chip, part("ota_0"), part("ota_1"), &us);
    assert_entry(0, 1, SIM_OTA_VALID);
    assert_entry(1, 2, SIM_OTA_NEW);
    fixture.chip->app_without_rollback = true;
    sim_ota_begin_forget(fixture.chip, part("ota_1"), part("ota_0"), &us);
    assert_entry(0, 1, SIM_OTA_VALID);
}

static void next_update_goes_round_from_the_running_slot(void **state)
{
    (void)state;
    const struct sim_partition_table *table = &fixture.table;
    assert_string_equal(sim_ota_next_update(table, part("factory"))->label, "ota_0");
    assert_string_equal(sim_ota_next_update(table, part("ota_0"))->label, "ota_1");
    assert_string_equal(sim_ota_next_update(table, part("ota_1"))->label, "ota_0");
}

static void a_flash_failure_is_reported(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_PENDING_VERIFY);
    struct sim_flash_stats stats;
    sim_flash_stats(fixture.flash, &stats);
    sim_flash_fail_at(fixture.flash, stats.operations);
    assert_int_equal(sim_ota_mark_valid(fixture.chip, NULL, &us), SIM_ERR_FLASH_OP_FAIL);
    assert_false(sim_flash_is_cut(fixture.flash));
}

#define WITH(set_up, test) cmocka_unit_test_setup_teardown(test, set_up, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crcs_are_those_of_the_rom),
        WITH(fixture_5, an_entry_has_esp_idfs_bytes),
        cmocka_unit_test(invalid_asks_for_number_and_state_but_not_for_the_crc),
        WITH(fixture_5, the_higher_of_the_valid_entries_is_active),
        WITH(fixture_5, set_boot_starts_in_sector_0_when_nothing_is_active),
        WITH(fixture_6, set_boot_starts_in_sector_0_when_nothing_is_active),
        WITH(fixture_5, set_boot_of_another_slot_writes_the_other_sector),
        WITH(fixture_6, set_boot_of_another_slot_writes_the_other_sector),
        WITH(fixture_5, set_boot_takes_the_next_number_that_means_the_slot),
        WITH(fixture_6, set_boot_takes_the_next_number_that_means_the_slot),
        WITH(fixture_5, set_boot_of_the_active_slot_in_5_destroys_the_other_record),
        WITH(fixture_5, set_boot_of_the_active_slot_in_5_can_lose_the_trial),
        WITH(fixture_6, set_boot_of_the_active_slot_in_6_rewrites_its_own_record),
        WITH(fixture_5, set_boot_without_rollback_leaves_the_state_undefined),
        WITH(fixture_5, set_boot_to_factory_erases_otadata),
        WITH(fixture_6, set_boot_to_factory_erases_otadata),
        WITH(fixture_5, set_boot_refuses_what_does_not_verify),
        WITH(fixture_5, set_boot_without_otadata_is_not_found),
        WITH(fixture_5, set_boot_of_a_slot_behind_a_gap_is_refused),
        WITH(fixture_large_5, set_boot_erases_an_image_that_anti_rollback_forbids),
        WITH(fixture_5, get_boot_follows_the_active_entry),
        WITH(fixture_5, mark_valid_acts_on_the_active_entry_not_on_what_runs),
        WITH(fixture_5, mark_valid_of_a_valid_entry_writes_nothing),
        WITH(fixture_5, mark_valid_without_active_entry_fails),
        WITH(fixture_large_5, mark_valid_burns_the_secure_version),
        WITH(fixture_5, mark_invalid_needs_somewhere_to_go),
        WITH(fixture_5, rollback_is_possible_to_the_other_entry_or_to_factory),
        WITH(fixture_5, anti_rollback_never_rolls_back_to_factory_or_below),
        WITH(fixture_5, last_invalid_is_the_lowest_refused_entry),
        WITH(fixture_5, get_state_takes_the_first_entry_of_the_slot),
        WITH(fixture_5, erase_last_boot_app_erases_slot_and_record),
        WITH(fixture_5, begin_forgets_the_inactive_record_from_5_5_on),
        WITH(fixture_5, begin_keeps_a_record_that_means_the_running_slot),
        WITH(fixture_5, next_update_goes_round_from_the_running_slot),
        WITH(fixture_5, a_flash_failure_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
