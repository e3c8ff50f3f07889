/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of boot loader and otadata when the power goes: what runs afterwards, by name
 * for each known case, and exhaustively. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "chip_fixture.h"
#include "sim/chip/verify.h"

#define ALL_DONE 1 /* cut variants: the operation done, then the cut; nothing done */
#define NOT_DONE 0

static uint64_t us;

static void assert_no_trace_of(const char *label)
{
    struct sim_partition partition;
    uint32_t state;
    assert_int_equal(sim_ota_get_last_invalid(fixture.chip, &partition, &us),
                     SIM_ERR_NOT_FOUND);
    assert_int_equal(sim_ota_get_state(fixture.chip, part(label), &state),
                     SIM_ERR_NOT_FOUND);
}

static void running_ota_0(uint32_t new_state)
{
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, new_state);
}

/* The table of known cases. */

static void set_boot_cut_before_its_write_leaves_the_old_app(void **state)
{
    (void)state;
    for (uint64_t operation = 0; operation < 2; operation++) {
        put_entry(0, 1, SIM_OTA_VALID);
        put_entry(1, 0, SIM_OTA_VALID);
        cut_in(operation, operation == 0 ? ALL_DONE : NOT_DONE);
        assert_int_equal(sim_ota_set_boot(fixture.chip, part("ota_1"), &us),
                         SIM_ERR_FLASH_OP_FAIL);
        power_on();
        assert_string_equal(boot(), "ota_0");
        assert_true(is_blank(1));
        set_boot("ota_1"); /* just not activated: it can be, now */
        assert_string_equal(boot(), "ota_1");
    }
}

static void new_to_pending_cut_after_its_erase_loses_the_update_without_trace(
    void **state)
{
    (void)state;
    running_ota_0(SIM_OTA_NEW);
    cut_in(0, ALL_DONE);
    assert_string_equal(boot(), "cut");
    power_on();
    assert_string_equal(boot(), "ota_0");
    assert_true(is_blank(1));
    assert_no_trace_of("ota_1");
}

static void a_cut_on_trial_brings_the_old_app_back_and_says_aborted(void **state)
{
    (void)state;
    running_ota_0(SIM_OTA_NEW);
    assert_string_equal(boot(), "ota_1");
    sim_flash_power_off(fixture.flash, 0);
    power_on();
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(entry(1).state, SIM_OTA_ABORTED);
    struct sim_partition partition;
    assert_int_equal(sim_ota_get_last_invalid(fixture.chip, &partition, &us), SIM_OK);
    assert_string_equal(partition.label, "ota_1");
}

static void mark_valid_cut_after_its_erase_brings_the_old_app_back(void **state)
{
    (void)state;
    running_ota_0(SIM_OTA_PENDING_VERIFY);
    cut_in(0, ALL_DONE);
    assert_int_equal(sim_ota_mark_valid(fixture.chip, part("ota_1"), &us),
                     SIM_ERR_FLASH_OP_FAIL);
    power_on();
    assert_string_equal(boot(), "ota_0");
    assert_no_trace_of("ota_1");
}

static void mark_valid_of_the_only_entry_cut_brings_factory(void **state)
{
    (void)state;
    put_entry(0, 2, SIM_OTA_PENDING_VERIFY);
    cut_in(0, ALL_DONE);
    assert_int_equal(sim_ota_mark_valid(fixture.chip, part("ota_1"), &us),
                     SIM_ERR_FLASH_OP_FAIL);
    power_on();
    assert_string_equal(boot(), "factory");
}

static void mark_valid_of_the_only_entry_cut_without_factory_brings_ota_0(void **state)
{
    (void)state;
    put_entry(0, 2, SIM_OTA_PENDING_VERIFY);
    cut_in(0, ALL_DONE);
    assert_int_equal(sim_ota_mark_valid(fixture.chip, part("ota_1"), &us),
                     SIM_ERR_FLASH_OP_FAIL);
    power_on();
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(entry(0).seq, 1);
    assert_int_equal(entry(0).state, SIM_OTA_VALID);
}

static void pending_to_aborted_cut_after_its_erase_leaves_no_trace(void **state)
{
    (void)state;
    running_ota_0(SIM_OTA_PENDING_VERIFY);
    cut_in(0, ALL_DONE);
    assert_string_equal(boot(), "cut");
    power_on();
    assert_string_equal(boot(), "ota_0");
    assert_no_trace_of("ota_1");
}

static void the_first_update_cut_anywhere_brings_factory(void **state)
{
    (void)state;
    /* set_boot, the first boot and mark_valid: two operations each. */
    for (uint64_t operation = 0; operation < 6; operation++) {
        put_blank(0);
        put_blank(1);
        cut_in(operation, operation % 2 == 0 ? ALL_DONE : NOT_DONE);
        if (sim_ota_set_boot(fixture.chip, part("ota_0"), &us) == SIM_OK &&
            strcmp(boot(), "cut") != 0) {
            assert_int_equal(sim_ota_mark_valid(fixture.chip, part("ota_0"), &us),
                             SIM_ERR_FLASH_OP_FAIL);
        }
        assert_true(sim_flash_is_cut(fixture.flash));
        power_on();
        assert_string_equal(boot(), "factory");
    }
}

static void a_torn_record_is_not_believed(void **state)
{
    (void)state;
    for (uint32_t variant = 2; variant < 40; variant++) {
        put_entry(0, 1, SIM_OTA_VALID);
        put_blank(1);
        cut_in(1, variant);
        (void)sim_ota_set_boot(fixture.chip, part("ota_1"), &us);
        power_on();
        bool believed = entry(1).seq == 2 && entry(1).crc == sim_otadata_crc(2);
        assert_string_equal(boot(), believed ? "ota_1" : "ota_0");
    }
}

/* The selected image is broken, so another slot runs than otadata says. */

static void marking_valid_after_a_fallback_blesses_the_broken_entry(void **state)
{
    (void)state;
    running_ota_0(SIM_OTA_NEW);
    spoil("ota_1");
    assert_string_equal(boot(), "ota_0");
    assert_int_equal(entry(1).state, SIM_OTA_PENDING_VERIFY);
    mark_valid(); /* what an app does that does not ask whether it is on trial */
    assert_int_equal(entry(1).state, SIM_OTA_VALID);
    assert_string_equal(boot(), "ota_0"); /* while otadata says ota_1 for ever */
}

static void in_5_an_update_after_that_leaves_both_records_to_the_broken_slot(void **state)
{
    (void)state;
    running_ota_0(SIM_OTA_VALID);
    put_image("ota_1", 0); /* written anew, since ota_0 runs */
    set_boot("ota_1");
    assert_int_equal(entry(0).seq, 2);
    assert_int_equal(entry(1).seq, 2);
    spoil("ota_1");
    assert_string_equal(boot(), "ota_0"); /* by the order of the slots only */
}

static void in_6_an_update_after_that_keeps_the_record_of_what_runs(void **state)
{
    (void)state;
    running_ota_0(SIM_OTA_VALID);
    set_boot("ota_1");
    assert_int_equal(entry(0).seq, 1);
    assert_int_equal(entry(1).state, SIM_OTA_NEW);
    assert_string_equal(boot(), "ota_1");
    assert_string_equal(boot(), "ota_0");
}

/* Exhaustively. */

struct scenario {
    const char *name;
    uint32_t seq[2]; /* 0: blank */
    uint32_t state[2];
    const char *running;
    void (*act)(const char *running);
    const char *may_run[3]; /* afterwards; FALLBACK is factory, or ota_0 without one */
    bool needs_factory;
};
#define FALLBACK "(fallback)"

static void act_set_boot_ota_0(const char *running)
{
    (void)running;
    (void)sim_ota_set_boot(fixture.chip, part("ota_0"), &us);
}

static void act_set_boot_ota_1(const char *running)
{
    (void)running;
    (void)sim_ota_set_boot(fixture.chip, part("ota_1"), &us);
}

static void act_set_boot_factory(const char *running)
{
    (void)running;
    (void)sim_ota_set_boot(fixture.chip, part("factory"), &us);
}

static void act_boot(const char *running)
{
    (void)running;
    sim_boot_run(fixture.chip, NULL, NULL, &fixture.booted);
    us = fixture.booted.took_us;
}

static void act_mark_valid(const char *running)
{
    (void)sim_ota_mark_valid(fixture.chip, part(running), &us);
}

static void act_mark_invalid(const char *running)
{
    (void)running;
    (void)sim_ota_mark_invalid(fixture.chip, &us);
}

static void act_begin(const char *running)
{
    (void)sim_ota_begin_forget(fixture.chip, part(running), part("ota_0"), &us);
}

static void act_erase_last(const char *running)
{
    (void)sim_ota_erase_last_boot_app(fixture.chip, part(running), &us);
}

#define NEW     SIM_OTA_NEW
#define PENDING SIM_OTA_PENDING_VERIFY
#define VALID   SIM_OTA_VALID

static const struct scenario scenarios[] = {
    {"select the other slot, no record of it",
     {1, 0},
     {VALID, 0},
     "ota_0",
     act_set_boot_ota_1,
     {"ota_0", "ota_1"},
     false},
    {"select the other slot over its old record",
     {3, 2},
     {VALID, VALID},
     "ota_0",
     act_set_boot_ota_1,
     {"ota_0", "ota_1"},
     false},
    {"select the running slot again",
     {1, 2},
     {VALID, VALID},
     "ota_1",
     act_set_boot_ota_1,
     {"ota_0", "ota_1"},
     false},
    {"select for the first time",
     {0, 0},
     {0, 0},
     "factory",
     act_set_boot_ota_0,
     {FALLBACK, "ota_0"},
     false},
    {"select factory",
     {1, 2},
     {VALID, VALID},
     "ota_1",
     act_set_boot_factory,
     {"factory", "ota_0", "ota_1"},
     true},
    {"begin the trial",
     {1, 2},
     {VALID, NEW},
     "ota_0",
     act_boot,
     {"ota_0", "ota_1"},
     false},
    {"begin the first trial",
     {2, 0},
     {NEW, 0},
     "factory",
     act_boot,
     {FALLBACK, "ota_1"},
     false},
    {"confirm",
     {1, 2},
     {VALID, PENDING},
     "ota_1",
     act_mark_valid,
     {"ota_0", "ota_1"},
     false},
    {"confirm for the first time",
     {2, 0},
     {PENDING, 0},
     "ota_1",
     act_mark_valid,
     {FALLBACK, "ota_1"},
     false},
    {"refuse",
     {1, 2},
     {VALID, PENDING},
     "ota_1",
     act_mark_invalid,
     {"ota_0", "ota_1"},
     false},
    {"abort the trial",
     {1, 2},
     {VALID, PENDING},
     "ota_1",
     act_boot,
     {"ota_0", "ota_1"},
     false},
    {"begin an update", {3, 2}, {VALID, VALID}, "ota_0", act_begin, {"ota_0"}, false},
    {"begin an update of ota_0",
     {1, 2},
     {VALID, VALID},
     "ota_1",
     act_begin,
     {"ota_1"},
     false},
    {"erase what ran last",
     {1, 2},
     {VALID, VALID},
     "ota_1",
     act_erase_last,
     {"ota_1"},
     false},
};

static void prepare(const struct scenario *scenario)
{
    if (scenario->act == act_erase_last) {
        put_image("ota_0", 0);
    }
    for (int i = 0; i < 2; i++) {
        if (scenario->seq[i] == 0) {
            put_blank(i);
        } else {
            put_entry(i, scenario->seq[i], scenario->state[i]);
        }
    }
}

static uint64_t operations(void)
{
    struct sim_flash_stats stats;
    sim_flash_stats(fixture.flash, &stats);
    return stats.operations;
}

/* What runs verifies, is one of those that may, and the board can be updated again. */
static void check_board(const struct scenario *scenario, bool with_factory,
                        const char *how)
{
    const char *runs = boot();
    bool allowed = false;
    for (int i = 0; i < 3 && scenario->may_run[i] != NULL; i++) {
        const char *label = scenario->may_run[i];
        if (strcmp(label, FALLBACK) == 0) {
            label = with_factory ? "factory" : "ota_0";
        }
        allowed = allowed || strcmp(label, runs) == 0;
    }
    uint64_t read_us = 0;
    if (!allowed ||
        sim_chip_verify(fixture.chip, fixture.booted.offset, fixture.booted.size,
                        SIM_VERIFY_LOAD, NULL, NULL, NULL, &read_us) != SIM_OK) {
        fail_msg("%s, %s: %s runs", scenario->name, how, runs);
    }
    const struct sim_partition *running = part(runs);
    const struct sim_partition *target = sim_ota_next_update(&fixture.table, running);
    put_image(target->label, 0);
    (void)sim_ota_begin_forget(fixture.chip, running, target, &us);
    set_boot(target->label);
    runs = boot();
    if (strcmp(runs, target->label) != 0) {
        fail_msg("%s, %s: updated to %s, %s runs", scenario->name, how, target->label,
                 runs);
    }
}

static void cut_scenario(const struct scenario *scenario, bool with_factory)
{
    prepare(scenario);
    uint64_t before = operations();
    scenario->act(scenario->running);
    uint64_t count = operations() - before;
    assert_true(count > 0 || scenario->act == act_begin);
    char how[96];
    for (uint64_t operation = 0; operation < count; operation++) {
        bool plain_erase = scenario->act == act_erase_last && operation > 2 &&
                           operation + 2 < count; /* the slot's many blocks */
        for (uint32_t variant = 0; variant < (plain_erase ? 3 : 24); variant++) {
            snprintf(how, sizeof(how), "cut %d in operation %d", (int)variant,
                     (int)operation);
            prepare(scenario);
            cut_in(operation, variant);
            scenario->act(scenario->running);
            assert_true(sim_flash_is_cut(fixture.flash));
            power_on();
            check_board(scenario, with_factory, how);
        }
    }
}

static void every_cut_of_every_change_leaves_a_board_that_boots_and_updates(void **state)
{
    (void)state;
    for (int major = 5; major <= 6; major++) {
        for (int with_factory = 0; with_factory < 2; with_factory++) {
            fixture_make(major, with_factory == 1);
            for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
                if (with_factory == 1 || !scenarios[i].needs_factory) {
                    cut_scenario(&scenarios[i], with_factory == 1);
                }
            }
            fixture_free();
        }
    }
}

/* The boot after the cut is cut as well, at each of its operations. */
static void a_second_cut_in_the_boot_after_the_first_changes_nothing(void **state)
{
    (void)state;
    char how[96];
    fixture_make(6, true);
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        const struct scenario *scenario = &scenarios[i];
        if (scenario->act == act_erase_last) {
            continue; /* takes long, and is the same for otadata as begin */
        }
        for (uint32_t round = 0; round < 2 * 8 * 4 * 4; round++) {
            uint32_t first = round % 8;
            uint64_t operation = round / 8 % 2;
            uint64_t second_operation = round / 16 % 4;
            uint32_t second = 2 + round / 64;
            snprintf(how, sizeof(how), "cut %u in operation %d, then %u in %d", first,
                     (int)operation, second, (int)second_operation);
            prepare(scenario);
            cut_in(operation, first);
            scenario->act(scenario->running);
            power_on();
            cut_in(second_operation, second);
            (void)boot(); /* may have less operations than that */
            power_on();
            check_board(scenario, true, how);
        }
    }
    fixture_free();
}

/* The power goes while the firmware or the boot loader waits for the flash. */
static void a_power_off_at_any_moment_of_a_change_is_no_worse(void **state)
{
    (void)state;
    char how[96];
    fixture_make(5, true);
    fixture.flash =
        sim_flash_new(fixture.arena, 4u << 20, sim_flash_timing("typical"), 3);
    fixture.chip->flash = fixture.flash;
    fixture_table(sim_partitions_two_ota, sim_partitions_two_ota_count);
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        const struct scenario *scenario = &scenarios[i];
        for (uint32_t part_of_40 = 0; part_of_40 <= 40; part_of_40++) {
            prepare(scenario);
            us = 0;
            scenario->act(scenario->running);
            snprintf(how, sizeof(how), "off at %u/40 of %u us", part_of_40, (unsigned)us);
            sim_flash_power_off(fixture.flash, us * part_of_40 / 40);
            power_on();
            check_board(scenario, true, how);
        }
    }
    fixture_free();
}

#define WITH(set_up, test) cmocka_unit_test_setup_teardown(test, set_up, fixture_end)
#define BOTH(test)         WITH(fixture_5, test), WITH(fixture_6, test)
#define BOTH_LARGE(test)   WITH(fixture_large_5, test), WITH(fixture_large_6, test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(set_boot_cut_before_its_write_leaves_the_old_app),
        BOTH(new_to_pending_cut_after_its_erase_loses_the_update_without_trace),
        BOTH(a_cut_on_trial_brings_the_old_app_back_and_says_aborted),
        BOTH(mark_valid_cut_after_its_erase_brings_the_old_app_back),
        BOTH(mark_valid_of_the_only_entry_cut_brings_factory),
        BOTH_LARGE(mark_valid_of_the_only_entry_cut_without_factory_brings_ota_0),
        BOTH(pending_to_aborted_cut_after_its_erase_leaves_no_trace),
        BOTH(the_first_update_cut_anywhere_brings_factory),
        BOTH(a_torn_record_is_not_believed),
        BOTH(marking_valid_after_a_fallback_blesses_the_broken_entry),
        WITH(fixture_5, in_5_an_update_after_that_leaves_both_records_to_the_broken_slot),
        WITH(fixture_6, in_6_an_update_after_that_keeps_the_record_of_what_runs),
        cmocka_unit_test(every_cut_of_every_change_leaves_a_board_that_boots_and_updates),
        cmocka_unit_test(a_second_cut_in_the_boot_after_the_first_changes_nothing),
        cmocka_unit_test(a_power_off_at_any_moment_of_a_change_is_no_worse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
