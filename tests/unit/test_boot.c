/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the boot loader: ESP-IDF's rules of what runs, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chip_fixture.h"

static uint32_t state_of(int index)
{
    assert_int_equal(entry(index).crc, sim_otadata_crc(entry(index).seq));
    return entry(index).state;
}

/* ROM and partition table. */

static void a_new_board_boots_factory(void **state)
{
    (void)state;
    assert_string_equal(boot(), "factory");
    assert_int_equal(fixture.booted.subtype, SIM_APP_FACTORY);
    assert_int_equal(fixture.booted.offset, 0x10000);
    assert_int_equal(fixture.booted.size, 0x100000);
    assert_int_equal(fixture.booted.image_size, 2048);
    assert_true(is_blank(0) && is_blank(1));
    assert_true(logged("Defaulting to factory image"));
    assert_true(logged("Loaded app from partition at offset 0x10000"));
}

static void a_damaged_boot_loader_is_the_end(void **state)
{
    (void)state;
    sim_flash_load(fixture.flash, 0x100, "\x12", 1);
    assert_string_equal(boot(), "nothing");
    assert_true(logged("rom"));
}

static void every_model_boots_from_its_own_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sim_chip_model_count; i++) {
        fixture.chip->chip_id = sim_chip_models[i].chip_id;
        fixture.chip->revision = sim_chip_models[i].revision;
        fixture_table(sim_partitions_two_ota, sim_partitions_two_ota_count);
        assert_string_equal(boot(), "factory");
        assert_int_equal(
            sim_flash_bytes(fixture.flash)[sim_chip_models[i].boot_loader_offset], 0xE9);
    }
}

static void a_broken_partition_table_boots_nothing(void **state)
{
    (void)state;
    sim_flash_load(fixture.flash, 0x8000 + 40, "\x77", 1);
    assert_string_equal(boot(), "nothing");
    assert_true(logged("partition table is not valid"));
}

static void without_power_nothing_runs(void **state)
{
    (void)state;
    sim_flash_power_off(fixture.flash, 0);
    assert_string_equal(boot(), "cut");
    assert_int_equal(fixture.log_count, 0);
}

/* Rule 1. */

static void without_otadata_factory_runs(void **state)
{
    (void)state;
    static const struct sim_partition table[] = {
        {0, SIM_APP_FACTORY, 0x10000, 0x10000, "factory", 0},
        {0, SIM_APP_OTA_0, 0x20000, 0x10000, "ota_0", 0}};
    fixture_table(table, 2);
    assert_string_equal(boot(), "factory");
}

static void an_otadata_of_one_sector_resets_for_ever(void **state)
{
    (void)state;
    static const struct sim_partition table[] = {
        {1, SIM_DATA_OTA, 0x9000, 0x1000, "otadata", 0},
        {0, SIM_APP_FACTORY, 0x10000, 0x10000, "factory", 0}};
    fixture_table(table, 2);
    assert_string_equal(boot(), "nothing");
    assert_true(logged("too small"));
}

/* Rule 2. */

static void what_is_pending_is_aborted_and_the_old_app_runs(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_PENDING_VERIFY);
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(state_of(1), SIM_OTA_ABORTED);
    assert_int_equal(state_of(0), SIM_OTA_VALID);
}

static void pending_entries_are_aborted_in_both_sectors_whatever_their_crc(void **state)
{
    (void)state;
    put_bad_crc(0, 1, SIM_OTA_PENDING_VERIFY);
    put_entry(1, 2, SIM_OTA_PENDING_VERIFY);
    assert_string_equal(boot(), "factory");
    assert_int_equal(entry(0).state, SIM_OTA_ABORTED);
    assert_int_not_equal(entry(0).crc, sim_otadata_crc(1)); /* written as it was */
    assert_int_equal(state_of(1), SIM_OTA_ABORTED);
}

static void a_boot_loader_without_rollback_leaves_states_alone(void **state)
{
    (void)state;
    fixture.chip->boot_without_rollback = true;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_NEW);
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(state_of(1), SIM_OTA_NEW);
    put_entry(1, 2, SIM_OTA_PENDING_VERIFY);
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(state_of(1), SIM_OTA_PENDING_VERIFY);
}

/* Rule 3. */

static void both_refused_means_factory(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_ABORTED);
    put_entry(1, 2, SIM_OTA_INVALID);
    assert_string_equal(boot(), "factory");
}

static void both_refused_without_factory_boots_even_the_refused_image(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_INVALID); /* ota_0 */
    put_entry(1, 2, SIM_OTA_ABORTED);
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(state_of(0),
                     SIM_OTA_INVALID); /* no initial contents: CRC is right */
}

static void blank_otadata_without_factory_boots_ota_0_and_records_it(void **state)
{
    (void)state;
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(entry(0).seq, 1);
    assert_int_equal(state_of(0), SIM_OTA_VALID);
    assert_true(is_blank(1));
    assert_string_equal(boot(), "ota_0");
}

static void without_ota_slots_factory_runs_whatever_otadata_says(void **state)
{
    (void)state;
    static const struct sim_partition table[] = {
        {1, SIM_DATA_OTA, 0x9000, 0x2000, "otadata", 0},
        {0, SIM_APP_FACTORY, 0x10000, 0x10000, "factory", 0}};
    fixture_table(table, 2);
    put_entry(0, 1, SIM_OTA_VALID);
    assert_string_equal(boot(), "factory");
}

/* Rule 4. */

static void a_new_entry_becomes_pending_before_it_runs(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_NEW);
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(state_of(1), SIM_OTA_PENDING_VERIFY);
    assert_string_equal(boot(), "ota_0"); /* nobody confirmed it */
    assert_int_equal(state_of(1), SIM_OTA_ABORTED);
    assert_string_equal(boot(), "ota_0");
}

static void a_confirmed_entry_stays(void **state)
{
    (void)state;
    set_boot("ota_0");
    assert_string_equal(boot(), "ota_0");
    mark_valid();
    assert_string_equal(boot(), "ota_0");
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(state_of(0), SIM_OTA_VALID);
}

static void an_undefined_state_boots_without_a_trial(void **state)
{
    (void)state;
    put_entry(0, 2, SIM_OTA_UNDEFINED);
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(state_of(0), SIM_OTA_UNDEFINED);
}

static void new_is_pending_even_when_its_image_is_broken(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_NEW);
    spoil("ota_1");
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(state_of(1), SIM_OTA_PENDING_VERIFY);
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(state_of(1), SIM_OTA_ABORTED);
}

static void bad_crcs_on_both_mean_factory_and_repair_nothing(void **state)
{
    (void)state;
    put_bad_crc(0, 1, SIM_OTA_VALID);
    put_bad_crc(1, 2, SIM_OTA_NEW);
    assert_string_equal(boot(), "factory");
    assert_true(logged("otadata is not valid"));
    assert_int_not_equal(entry(0).crc, sim_otadata_crc(1));
    assert_int_equal(entry(1).state, SIM_OTA_NEW);
}

static void bad_crcs_on_both_without_factory_try_every_slot(void **state)
{
    (void)state;
    put_bad_crc(0, 1, SIM_OTA_VALID);
    put_bad_crc(1, 2, SIM_OTA_VALID);
    spoil("ota_0");
    assert_string_equal(boot(), "ota_1");
    assert_int_not_equal(entry(0).crc, sim_otadata_crc(1)); /* not repaired */
}

/* Rule 5. */

static void anti_rollback_drops_entries_that_are_too_old(void **state)
{
    (void)state;
    fixture.chip->anti_rollback = true;
    fixture.chip->secure_version = 1;
    put_image("ota_0", 1);
    put_image("ota_1", 0);
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_VALID);
    assert_string_equal(boot(), "ota_0");
    spoil("ota_0");
    assert_string_equal(boot(), "nothing"); /* the fallback checks it too */
}

static void anti_rollback_burns_the_version_of_a_valid_entry(void **state)
{
    (void)state;
    fixture.chip->anti_rollback = true;
    put_image("ota_1", 4);
    put_entry(0, 2, SIM_OTA_NEW);
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(fixture.chip->secure_version, 0);
    mark_valid();
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(fixture.chip->secure_version, 4);
}

static void anti_rollback_records_and_burns_the_first_boot(void **state)
{
    (void)state;
    fixture.chip->anti_rollback = true;
    put_image("ota_0", 2);
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(entry(0).seq, 1);
    assert_int_equal(fixture.chip->secure_version, 2);
}

/* Rule 6. */

static void with_slots(void)
{
    static const struct sim_partition table[] = {
        {1, SIM_DATA_OTA, 0x9000, 0x2000, "otadata", 0},
        {0, SIM_APP_FACTORY, 0x10000, 0x10000, "factory", 0},
        {0, SIM_APP_OTA_0, 0x20000, 0x10000, "ota_0", 0},
        {0, SIM_APP_OTA_0 + 1, 0x30000, 0x10000, "ota_1", 0},
        {0, SIM_APP_OTA_0 + 2, 0x40000, 0x10000, "ota_2", 0},
        {0, SIM_APP_TEST, 0x50000, 0x10000, "test", 0}};
    fixture_table(table, 6);
}

static void the_order_is_down_to_factory_then_up_then_test(void **state)
{
    (void)state;
    with_slots();
    put_entry(0, 2, SIM_OTA_VALID); /* ota_1 */
    static const char *const order[] = {"ota_1", "ota_0", "factory", "ota_2", "test"};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(boot(), order[i]);
        spoil(order[i]);
    }
    assert_string_equal(boot(), "nothing");
    assert_true(logged("No bootable app"));
    assert_true(logged("ota_1 is not bootable"));
}

static void fallback_ignores_states_and_leaves_otadata_as_it_is(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_ABORTED); /* ota_0 */
    put_entry(1, 2, SIM_OTA_VALID);   /* ota_1 */
    spoil("ota_1");
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(state_of(0), SIM_OTA_ABORTED);
    assert_int_equal(state_of(1), SIM_OTA_VALID);
}

static void a_slot_behind_a_gap_is_out_of_reach(void **state)
{
    (void)state;
    static const struct sim_partition table[] = {
        {1, SIM_DATA_OTA, 0x9000, 0x2000, "otadata", 0},
        {0, SIM_APP_OTA_0, 0x20000, 0x10000, "ota_0", 0},
        {0, SIM_APP_OTA_0 + 2, 0x40000, 0x10000, "ota_2", 0}};
    fixture_table(table, 3);
    put_entry(0, 3, SIM_OTA_VALID); /* slot (3 - 1) % 2 = 0 */
    assert_string_equal(boot(), "ota_0");
    put_entry(0, 2, SIM_OTA_VALID); /* slot 1 is empty, slot 0 the next below */
    assert_string_equal(boot(), "ota_0");
    spoil("ota_0");
    assert_string_equal(boot(), "nothing");
}

/* Rule 7. */

static void initial_contents_record_what_was_loaded_not_what_was_tried(void **state)
{
    (void)state;
    spoil("ota_0");
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(entry(0).seq, 2);
    assert_int_equal(state_of(0), SIM_OTA_VALID);
    put_blank(0);
    put_bad_crc(1, 7, SIM_OTA_ABORTED); /* refused with a bad CRC counts as initial */
    assert_string_equal(boot(), "ota_1");
    assert_int_equal(entry(0).seq, 2);
}

/* Rule 8. */

static void a_factory_reset_erases_its_list_only(void **state)
{
    (void)state;
    static const uint8_t data[4] = {1, 2, 3, 4};
    sim_flash_load(fixture.flash, part("nvs")->offset, data, 4);
    sim_flash_load(fixture.flash, part("phy_init")->offset, data, 4);
    put_entry(0, 1, SIM_OTA_VALID);
    fixture.chip->factory_reset_held = true;
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(sim_flash_bytes(fixture.flash)[part("nvs")->offset], 0xFF);
    assert_int_equal(sim_flash_bytes(fixture.flash)[part("phy_init")->offset], 1);
    fixture.chip->factory_reset_erases = "nvs_more, phy_init";
    sim_flash_load(fixture.flash, part("nvs")->offset, data, 4);
    fixture.chip->factory_reset_otadata = true;
    assert_string_equal(boot(), "factory");
    assert_int_equal(sim_flash_bytes(fixture.flash)[part("nvs")->offset], 1);
    assert_int_equal(sim_flash_bytes(fixture.flash)[part("phy_init")->offset], 0xFF);
    assert_true(is_blank(0));
}

static void a_factory_reset_aborts_the_trial_it_has_just_begun(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_NEW);
    fixture.chip->factory_reset_held = true;
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(state_of(1), SIM_OTA_ABORTED);
}

static void the_boot_takes_the_time_of_its_reads_and_writes(void **state)
{
    (void)state;
    sim_flash_t *flash =
        sim_flash_new(fixture.arena, 4u << 20, sim_flash_timing("typical"), 1);
    fixture.flash = flash;
    fixture.chip->flash = flash;
    fixture_table(sim_partitions_two_ota, sim_partitions_two_ota_count);
    assert_string_equal(boot(), "factory");
    uint64_t quiet_us = fixture.booted.took_us;
    assert_true(quiet_us >= 2048 * 150 / 1024);
    put_entry(0, 1, SIM_OTA_NEW);
    assert_string_equal(boot(), "ota_0");
    assert_in_range(fixture.booted.took_us, quiet_us + 45700, quiet_us + 45710);
}

#define WITH(set_up, test) cmocka_unit_test_setup_teardown(test, set_up, fixture_end)
#define BOTH(test)         WITH(fixture_5, test), WITH(fixture_6, test)
#define BOTH_LARGE(test)   WITH(fixture_large_5, test), WITH(fixture_large_6, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_new_board_boots_factory),
        BOTH(a_damaged_boot_loader_is_the_end),
        BOTH(every_model_boots_from_its_own_place),
        BOTH(a_broken_partition_table_boots_nothing),
        BOTH(without_power_nothing_runs),
        BOTH(without_otadata_factory_runs),
        BOTH(an_otadata_of_one_sector_resets_for_ever),
        BOTH(what_is_pending_is_aborted_and_the_old_app_runs),
        BOTH(pending_entries_are_aborted_in_both_sectors_whatever_their_crc),
        BOTH(a_boot_loader_without_rollback_leaves_states_alone),
        BOTH(both_refused_means_factory),
        BOTH_LARGE(both_refused_without_factory_boots_even_the_refused_image),
        BOTH_LARGE(blank_otadata_without_factory_boots_ota_0_and_records_it),
        BOTH(without_ota_slots_factory_runs_whatever_otadata_says),
        BOTH(a_new_entry_becomes_pending_before_it_runs),
        BOTH(a_confirmed_entry_stays),
        BOTH(an_undefined_state_boots_without_a_trial),
        BOTH(new_is_pending_even_when_its_image_is_broken),
        BOTH(bad_crcs_on_both_mean_factory_and_repair_nothing),
        BOTH_LARGE(bad_crcs_on_both_without_factory_try_every_slot),
        BOTH_LARGE(anti_rollback_drops_entries_that_are_too_old),
        BOTH_LARGE(anti_rollback_burns_the_version_of_a_valid_entry),
        BOTH_LARGE(anti_rollback_records_and_burns_the_first_boot),
        BOTH(the_order_is_down_to_factory_then_up_then_test),
        BOTH(fallback_ignores_states_and_leaves_otadata_as_it_is),
        BOTH(a_slot_behind_a_gap_is_out_of_reach),
        BOTH_LARGE(initial_contents_record_what_was_loaded_not_what_was_tried),
        BOTH(a_factory_reset_erases_its_list_only),
        BOTH(a_factory_reset_aborts_the_trial_it_has_just_begun),
        WITH(fixture_5, the_boot_takes_the_time_of_its_reads_and_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
