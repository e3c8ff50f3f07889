/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's work on slots and otadata, with ESP-IDF's calls over the virtual chip:
 * from whatever otadata holds, a cut at any operation leaves a board that boots. */
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

/* What otadata may hold, and which images are broken. */

struct record {
    uint32_t seq; /* 0: blank */
    uint32_t state;
    bool bad_crc;
};

static const struct record records[] = {
    {0, 0, false},
    {1, SIM_OTA_VALID, true},
    {2, SIM_OTA_NEW, true},
    {1, SIM_OTA_NEW, false},
    {1, SIM_OTA_VALID, false},
    {1, SIM_OTA_INVALID, false},
    {1, SIM_OTA_ABORTED, false},
    {1, SIM_OTA_UNDEFINED, false},
    {2, SIM_OTA_NEW, false},
    {2, SIM_OTA_VALID, false},
    {2, SIM_OTA_INVALID, false},
    {2, SIM_OTA_ABORTED, false},
    {2, SIM_OTA_UNDEFINED, false},
    {3, SIM_OTA_NEW, false},
    {3, SIM_OTA_VALID, false},
    {3, SIM_OTA_INVALID, false},
    {3, SIM_OTA_ABORTED, false},
};
#define RECORD_COUNT (sizeof(records) / sizeof(records[0]))

struct situation {
    int idf_major;
    bool with_factory;
    size_t first;       /* of records */
    size_t second;      /* of records */
    const char *broken; /* label, or NULL */
    bool target_chosen; /* the app selected the target and did not restart */
};

static char text[160];

static const char *describe(const struct situation *s)
{
    snprintf(text, sizeof(text),
             "ESP-IDF %d, %s factory, records %zu and %zu, broken: %s, chosen: %d",
             s->idf_major, s->with_factory ? "with" : "no", s->first, s->second,
             s->broken != NULL ? s->broken : "none", s->target_chosen);
    return text;
}

static void put_record(int index, const struct record *record)
{
    if (record->seq == 0) {
        put_blank(index);
    } else if (record->bad_crc) {
        put_bad_crc(index, record->seq, record->state);
    } else {
        put_entry(index, record->seq, record->state);
    }
}

/* The first sector of each image, which is all that these tests change. */
static uint8_t whole[SLOT_PARTITIONS_MAX][SIM_FLASH_SECTOR];

static void keep_images(void)
{
    for (size_t i = 0; i < slot_partition_count; i++) {
        memcpy(whole[i], sim_flash_bytes(fixture.flash) + slot_partitions[i].address,
               SIM_FLASH_SECTOR);
    }
}

static void restore_images(void)
{
    for (size_t i = 0; i < slot_partition_count; i++) {
        sim_flash_load(fixture.flash, slot_partitions[i].address, whole[i],
                       SIM_FLASH_SECTOR);
    }
}

/* Brings the chip into the situation and boots it. False: nothing boots, or what boots is
 * on trial, which updraft answers with no before it touches anything. */
static bool enter(const struct situation *s, struct updraft_slots *ret_slots)
{
    restore_images();
    put_record(0, &records[s->first]);
    put_record(1, &records[s->second]);
    if (s->broken != NULL) {
        spoil(s->broken);
    }
    const char *label = boot();
    if (strcmp(label, "nothing") == 0) {
        return false;
    }
    snprintf(slot_running, sizeof(slot_running), "%s", label);
    assert_int_equal(updraft_slots_find(ret_slots), ESP_OK);
    if (updraft_slot_on_trial(ret_slots)) {
        return false;
    }
    assert_non_null(ret_slots->target);
    if (s->target_chosen) {
        uint64_t us;
        return sim_ota_set_boot(fixture.chip, part(ret_slots->target->label), &us) ==
               SIM_OK;
    }
    return true;
}

/* Boots, and confirms what is on trial, as a good firmware does. */
static void assert_runs(const struct situation *s, const struct updraft_slots *slots)
{
    const char *label = slots->running->label;
    const char *booted = boot();
    if (strcmp(booted, label) != 0) {
        fail_msg("%s: %s was running, %s boots", describe(s), label, booted);
    }
    if (updraft_slot_on_trial(slots)) {
        mark_valid();
    }
}

/* After preparation no entry leads to the target, and its loss changes nothing. */
static void check_prepared(const struct situation *s, const struct updraft_slots *slots)
{
    uint8_t slot = (uint8_t)(slots->target->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN);
    if (updraft_slot_prepare(slots) != 0) {
        fail_msg("%s: not prepared", describe(s));
    }
    for (int i = 0; i < 2; i++) {
        struct sim_otadata_entry at = entry(i);
        if (sim_otadata_is_valid(&at) && (at.seq - 1) % slots->ota_count == slot) {
            fail_msg("%s: entry %d still names %s", describe(s), i, slots->target->label);
        }
    }
    assert_int_equal(updraft_slot_erase(slots, 0, SIM_FLASH_SECTOR), 0);
    assert_runs(s, slots);
    assert_runs(s, slots);
}

static bool otadata_leads_to(const esp_partition_t *partition)
{
    struct sim_partition chosen;
    return sim_ota_get_boot(fixture.chip, &chosen) == SIM_OK &&
           chosen.offset == partition->address;
}

/* without: what boots next without any preparation (not always what runs: a fallback from
 * an image on trial ends at the next boot). Returns false once the cut came too late to
 * happen. */
static bool check_cut(const struct situation *s, uint64_t operation, uint32_t variant,
                      const char *without)
{
    struct updraft_slots slots;
    assert_true(enter(s, &slots));
    bool led = otadata_leads_to(slots.running);
    cut_in(operation, variant);
    int error = updraft_slot_prepare(&slots);
    if (!sim_flash_is_cut(fixture.flash)) {
        assert_int_equal(error, 0);
        sim_flash_cut_at(fixture.flash, UINT64_MAX, 0);
        return false;
    }
    power_on();
    const char *booted = boot();
    /* Where otadata led elsewhere before, and the boot loader fell back to what runs, a
     * cut may lead to a third image: a whole one, as all that boots. */
    bool fine = strcmp(booted, slot_running) == 0 || strcmp(booted, without) == 0 ||
                (!led && strcmp(booted, "nothing") != 0);
    if (!fine) {
        fail_msg("%s: cut %u.%u: %s was running, %s boots", describe(s),
                 (unsigned)operation, (unsigned)variant, slot_running, booted);
    }
    return true;
}

static unsigned situations;
static unsigned cuts;

static void check_situation(const struct situation *s)
{
    struct updraft_slots slots;
    if (!enter(s, &slots)) {
        return;
    }
    situations++;
    char without[17];
    snprintf(without, sizeof(without), "%s", boot());
    assert_true(enter(s, &slots));
    check_prepared(s, &slots);
    for (uint64_t operation = 0; operation < 20; operation++) {
        for (uint32_t variant = 0; variant < 4; variant++) {
            if (!check_cut(s, operation, variant, without)) {
                return;
            }
            cuts++;
        }
    }
    fail_msg("%s: more than 20 flash operations", describe(s));
}

static void check_all(int idf_major, bool with_factory)
{
    static const char *const broken[] = {NULL, "ota_0", "ota_1"};
    situations = 0;
    cuts = 0;
    fixture_make(idf_major, with_factory);
    slot_partitions_make();
    keep_images();
    struct situation s = {.idf_major = idf_major, .with_factory = with_factory};
    for (s.first = 0; s.first < RECORD_COUNT; s.first++) {
        for (s.second = 0; s.second < RECORD_COUNT; s.second++) {
            for (size_t i = 0; i < 3; i++) {
                s.broken = broken[i];
                s.target_chosen = false;
                check_situation(&s);
                s.target_chosen = true;
                check_situation(&s);
            }
        }
    }
    fixture_free();
    print_message("%u situations, %u power cuts\n", situations, cuts);
    assert_true(situations > 500);
    assert_true(cuts > 500);
}

static void preparation_keeps_the_board_5_with_factory(void **state)
{
    (void)state;
    check_all(5, true);
}

static void preparation_keeps_the_board_5_without_factory(void **state)
{
    (void)state;
    check_all(5, false);
}

static void preparation_keeps_the_board_6_with_factory(void **state)
{
    (void)state;
    check_all(6, true);
}

static void preparation_keeps_the_board_6_without_factory(void **state)
{
    (void)state;
    check_all(6, false);
}

static void factory_updates_ota_0_and_then_to_and_fro(void **state)
{
    (void)state;
    struct updraft_slots slots = slot_usual();
    assert_string_equal(slots.running->label, "factory");
    assert_string_equal(slots.target->label, "ota_0");
    assert_int_equal(slots.ota_count, 2);
    set_boot("ota_0");
    slots = slot_usual();
    assert_string_equal(slots.running->label, "ota_0");
    assert_string_equal(slots.target->label, "ota_1");
}

static void trial_is_the_active_entrys_state(void **state)
{
    (void)state;
    struct updraft_slots slots = slot_usual();
    assert_false(updraft_slot_on_trial(&slots));
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_NEW);
    slots = slot_usual();
    assert_string_equal(slots.running->label, "ota_1");
    assert_true(updraft_slot_on_trial(&slots));
    mark_valid();
    assert_false(updraft_slot_on_trial(&slots));
    /* Both entries name the slot, and the first of them is not the one that counts. */
    put_entry(0, 1, SIM_OTA_NEW);
    put_entry(1, 3, SIM_OTA_NEW);
    slots = slot_usual();
    assert_string_equal(slots.running->label, "ota_0");
    assert_true(updraft_slot_on_trial(&slots));
}

static void fallback_from_an_image_on_trial_is_no_trial(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_NEW);
    spoil("ota_1");
    struct updraft_slots slots = slot_usual();
    assert_string_equal(slots.running->label, "ota_0");
    assert_false(updraft_slot_on_trial(&slots));
}

/* The record of a torn change: sequence and checksum are right, the state is neither. */
static struct updraft_slots after_a_torn_change(void)
{
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, 0x00010800);
    struct updraft_slots slots = slot_usual();
    assert_string_equal(slots.running->label, "ota_1");
    assert_false(updraft_slot_on_trial(&slots));
    return slots;
}

static void state_that_means_nothing_is_a_trial_again(void **state)
{
    (void)state;
    struct updraft_slots slots = after_a_torn_change();
    assert_int_equal(updraft_slot_renew_trial(&slots), 0);
    assert_true(updraft_slot_on_trial(&slots));
    assert_int_equal(entry(1).seq, 2);
    assert_int_equal(entry(1).state, SIM_OTA_PENDING_VERIFY);
    assert_string_equal(boot(), "ota_0"); /* not confirmed, so rolled back */
    assert_int_equal(entry(1).state, SIM_OTA_ABORTED);
}

static void renewed_trial_survives_a_cut(void **state)
{
    (void)state;
    for (uint64_t operation = 0; operation < 2; operation++) {
        for (uint32_t variant = 0; variant < 40; variant++) {
            struct updraft_slots slots = after_a_torn_change();
            cut_in(operation, variant);
            assert_int_not_equal(updraft_slot_renew_trial(&slots), 0);
            power_on();
            slots = slot_usual();
            if (strcmp(slots.running->label, "ota_1") == 0) {
                assert_int_equal(updraft_slot_renew_trial(&slots), 0);
                assert_true(updraft_slot_on_trial(&slots) ||
                            entry(1).state == SIM_OTA_VALID ||
                            entry(1).state == SIM_OTA_UNDEFINED);
            } else {
                assert_string_equal(slots.running->label, "ota_0");
            }
        }
    }
}

/* As a failed write of the boot loader leaves it. */
static void image_without_a_record_is_on_trial(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_NEW);
    struct updraft_slots slots = slot_usual();
    assert_string_equal(slots.running->label, "ota_1");
    put_blank(1);
    assert_false(updraft_slot_on_trial(&slots));
    assert_int_equal(updraft_slot_renew_trial(&slots), 0);
    assert_true(updraft_slot_on_trial(&slots));
    assert_string_equal(boot(), "ota_0");
    /* It was rejected now, and is not tried for ever. */
    spoil("ota_0");
    spoil("factory");
    slots = slot_usual();
    assert_string_equal(slots.running->label, "ota_1");
    assert_int_equal(updraft_slot_renew_trial(&slots), 0);
    assert_false(updraft_slot_on_trial(&slots));
}

static void state_that_means_something_is_left_alone(void **state)
{
    (void)state;
    static const uint32_t states[] = {SIM_OTA_NEW, SIM_OTA_VALID, SIM_OTA_UNDEFINED};
    struct sim_flash_stats before;
    struct sim_flash_stats after;
    for (size_t i = 0; i < 3; i++) {
        put_entry(0, 1, 0x00010800); /* not the active one */
        put_entry(1, 2, states[i]);
        struct updraft_slots slots = slot_usual();
        sim_flash_stats(fixture.flash, &before);
        assert_int_equal(updraft_slot_renew_trial(&slots), 0);
        sim_flash_stats(fixture.flash, &after);
        assert_int_equal(before.operations, after.operations);
    }
    /* The record of another image than the one that runs. */
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, 0x00010800);
    spoil("ota_1");
    struct updraft_slots slots = slot_usual();
    assert_string_equal(slots.running->label, "ota_0");
    sim_flash_stats(fixture.flash, &before);
    assert_int_equal(updraft_slot_renew_trial(&slots), 0);
    sim_flash_stats(fixture.flash, &after);
    assert_int_equal(before.operations, after.operations);
}

static void chip_id_is_the_running_images(void **state)
{
    (void)state;
    struct updraft_slots slots = slot_usual();
    uint16_t chip_id = 0xFFFF;
    assert_int_equal(updraft_slot_chip_id(&slots, &chip_id), ESP_OK);
    assert_int_equal(chip_id, fixture.chip->chip_id);
}

static void usual_preparation_does_not_touch_flash(void **state)
{
    (void)state;
    struct updraft_slots slots = slot_usual();
    struct sim_flash_stats before;
    struct sim_flash_stats after;
    sim_flash_stats(fixture.flash, &before);
    assert_int_equal(updraft_slot_prepare(&slots), 0);
    sim_flash_stats(fixture.flash, &after);
    assert_int_equal(before.operations, after.operations);
}

static void failing_flash_is_an_error_not_a_success(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_VALID);
    struct updraft_slots slots = slot_usual();
    assert_string_equal(slots.running->label, "ota_1");
    struct sim_flash_stats stats;
    sim_flash_stats(fixture.flash, &stats);
    sim_flash_fail_at(fixture.flash, stats.operations);
    assert_int_equal(updraft_slot_prepare(&slots), UPDRAFT_ERROR_FLASH_ERASE);
    sim_flash_stats(fixture.flash, &stats);
    sim_flash_fail_at(fixture.flash, stats.operations);
    assert_int_equal(updraft_slot_erase(&slots, 0, SIM_FLASH_SECTOR),
                     UPDRAFT_ERROR_FLASH_ERASE);
    sim_flash_stats(fixture.flash, &stats);
    sim_flash_fail_at(fixture.flash, stats.operations);
    assert_int_equal(updraft_slot_write(&slots, 0, (const uint8_t[16]){0}, 16),
                     UPDRAFT_ERROR_FLASH_WRITE);
}

static uint8_t scratch[UPDRAFT_SLOT_SCRATCH_SIZE];

static void hash_covers_head_and_flash(void **state)
{
    (void)state;
    struct updraft_slots slots = slot_usual();
    const uint8_t *image = sim_flash_bytes(fixture.flash) + slots.target->address;
    uint8_t digest[32];
    /* The image's own hash, appended by who made it, over all but its last 32 bytes. */
    assert_int_equal(updraft_slot_hash(&slots, image, 32, 32, 2048 - 32, scratch, digest),
                     0);
    assert_memory_equal(digest, image + 2048 - 32, 32);
    spoil("ota_0");
    assert_int_equal(updraft_slot_hash(&slots, image, 32, 32, 2048 - 32, scratch, digest),
                     0);
    assert_memory_not_equal(digest, image + 2048 - 32, 32);
}

/* The ROM's CRC, by which the device answers, is the one that clients compute. */
static void crc_of_a_sector_is_updraft_crc32(void **state)
{
    (void)state;
    struct updraft_slots slots = slot_usual();
    const uint8_t *flash = sim_flash_bytes(fixture.flash) + slots.target->address;
    uint32_t crc;
    static const uint32_t sizes[] = {1, 511, 512, 513, 4096, 70000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(updraft_slot_crc(&slots, 4, sizes[i], scratch, &crc), 0);
        assert_int_equal(crc, updraft_crc32(0, flash + 4, sizes[i]));
    }
    assert_int_equal(updraft_slot_read(&slots, 40, scratch, 100), 0);
    assert_memory_equal(scratch, flash + 40, 100);
}

static void identity_is_what_the_running_image_says(void **state)
{
    (void)state;
    struct updraft_slots slots = slot_usual();
    const uint8_t *flash = sim_flash_bytes(fixture.flash) + slots.running->address;
    uint8_t id[32];
    uint32_t hardware_id;
    assert_int_equal(updraft_slot_image_id(slots.running, id), ESP_OK);
    assert_memory_equal(id, flash + 2048 - 32, 32);
    assert_int_equal(updraft_slot_hardware_id(&slots, &hardware_id), ESP_OK);
    assert_int_equal(hardware_id, 0);
    /* An image without a hash has no identity; without a marker where it should be, the
     * firmware's own counts. */
    uint8_t zeros[UPDRAFT_MARKER_SIZE] = {0};
    sim_flash_load(fixture.flash, slots.running->address + 23, zeros, 1);
    sim_flash_load(fixture.flash, slots.running->address + UPDRAFT_MARKER_OFFSET, zeros,
                   sizeof(zeros));
    assert_int_equal(updraft_slot_image_id(slots.running, id), ESP_OK);
    assert_memory_equal(id, zeros, 32);
    assert_int_equal(updraft_slot_hardware_id(&slots, &hardware_id), ESP_OK);
    assert_int_equal(hardware_id, CONFIG_UPDRAFT_HARDWARE_ID);
}

static void noted_state_is_the_slots_last_even_where_it_was_rejected(void **state)
{
    (void)state;
    struct updraft_slots slots = slot_usual();
    put_blank(0);
    put_blank(1);
    assert_int_equal(updraft_slot_noted_state(&slots, 0), ESP_OTA_IMG_UNDEFINED);
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_ABORTED);
    assert_int_equal(updraft_slot_noted_state(&slots, 0), ESP_OTA_IMG_VALID);
    assert_int_equal(updraft_slot_noted_state(&slots, 1), ESP_OTA_IMG_ABORTED);
    put_entry(0, 4, SIM_OTA_INVALID);
    assert_int_equal(updraft_slot_noted_state(&slots, 0), ESP_OTA_IMG_UNDEFINED);
    assert_int_equal(updraft_slot_noted_state(&slots, 1), ESP_OTA_IMG_INVALID);
}

static void broken_image_is_not_activated(void **state)
{
    (void)state;
    struct updraft_slots slots = slot_usual();
    spoil("ota_0");
    assert_int_equal(updraft_slot_activate(&slots), UPDRAFT_ERROR_NOT_VERIFIED);
    assert_string_equal(boot(), "factory");
    put_image("ota_0", 0);
    assert_int_equal(updraft_slot_activate(&slots), 0);
    assert_string_equal(boot(), "ota_0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(preparation_keeps_the_board_5_with_factory),
        cmocka_unit_test(preparation_keeps_the_board_5_without_factory),
        cmocka_unit_test(preparation_keeps_the_board_6_with_factory),
        cmocka_unit_test(preparation_keeps_the_board_6_without_factory),
        cmocka_unit_test_setup_teardown(factory_updates_ota_0_and_then_to_and_fro,
                                        fixture_5, fixture_end),
        cmocka_unit_test_setup_teardown(trial_is_the_active_entrys_state, fixture_5,
                                        fixture_end),
        cmocka_unit_test_setup_teardown(fallback_from_an_image_on_trial_is_no_trial,
                                        fixture_5, fixture_end),
        cmocka_unit_test_setup_teardown(state_that_means_nothing_is_a_trial_again,
                                        fixture_5, fixture_end),
        cmocka_unit_test_setup_teardown(renewed_trial_survives_a_cut, fixture_5,
                                        fixture_end),
        cmocka_unit_test_setup_teardown(image_without_a_record_is_on_trial, fixture_5,
                                        fixture_end),
        cmocka_unit_test_setup_teardown(state_that_means_something_is_left_alone,
                                        fixture_5, fixture_end),
        cmocka_unit_test_setup_teardown(chip_id_is_the_running_images, fixture_5,
                                        fixture_end),
        cmocka_unit_test_setup_teardown(usual_preparation_does_not_touch_flash, fixture_5,
                                        fixture_end),
        cmocka_unit_test_setup_teardown(failing_flash_is_an_error_not_a_success,
                                        fixture_5, fixture_end),
        cmocka_unit_test_setup_teardown(hash_covers_head_and_flash, fixture_6,
                                        fixture_end),
        cmocka_unit_test_setup_teardown(crc_of_a_sector_is_updraft_crc32, fixture_5,
                                        fixture_end),
        cmocka_unit_test_setup_teardown(identity_is_what_the_running_image_says,
                                        fixture_5, fixture_end),
        cmocka_unit_test_setup_teardown(
            noted_state_is_the_slots_last_even_where_it_was_rejected, fixture_5,
            fixture_end),
        cmocka_unit_test_setup_teardown(broken_image_is_not_activated, fixture_5,
                                        fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
