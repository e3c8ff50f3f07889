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

#include "chip_fixture.h"
#include "device/src/slot.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "updraft/error.h"

#define PARTITIONS_MAX 8

/* ESP-IDF's calls, over the fixture's chip. */

static esp_partition_t partitions[PARTITIONS_MAX];
static size_t partition_count;
static char running_label[17];

static void make_partitions(void)
{
    partition_count = fixture.table.count;
    assert_true(partition_count <= PARTITIONS_MAX);
    for (size_t i = 0; i < partition_count; i++) {
        const struct sim_partition *from = &fixture.table.entries[i];
        partitions[i] = (esp_partition_t){
            .type = (esp_partition_type_t)from->type,
            .subtype = (esp_partition_subtype_t)from->subtype,
            .address = from->offset,
            .size = from->size,
            .erase_size = SIM_FLASH_SECTOR,
        };
        memcpy(partitions[i].label, from->label, sizeof(partitions[i].label));
    }
}

static const esp_partition_t *search(size_t from, esp_partition_type_t type,
                                     esp_partition_subtype_t subtype)
{
    for (size_t i = from; i < partition_count; i++) {
        if (partitions[i].type == type &&
            (subtype == ESP_PARTITION_SUBTYPE_ANY || partitions[i].subtype == subtype)) {
            return &partitions[i];
        }
    }
    return NULL;
}

esp_partition_iterator_t esp_partition_find(esp_partition_type_t type,
                                            esp_partition_subtype_t subtype,
                                            const char *label)
{
    assert_null(label);
    assert_int_equal(subtype, ESP_PARTITION_SUBTYPE_ANY);
    return (esp_partition_iterator_t)search(0, type, subtype);
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t iterator)
{
    return (const esp_partition_t *)iterator;
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator)
{
    const esp_partition_t *at = (const esp_partition_t *)iterator;
    return (esp_partition_iterator_t)search((size_t)(at - partitions) + 1, at->type,
                                            ESP_PARTITION_SUBTYPE_ANY);
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype,
                                                const char *label)
{
    assert_null(label);
    return search(0, type, subtype);
}

static esp_err_t flash_result(enum sim_flash_result result)
{
    return result == SIM_FLASH_OK ? ESP_OK : SIM_ERR_FLASH_OP_FAIL;
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset,
                             void *dst, size_t size)
{
    uint64_t us;
    assert_true(src_offset + size <= partition->size);
    return flash_result(sim_flash_read(fixture.flash,
                                       partition->address + (uint32_t)src_offset, dst,
                                       (uint32_t)size, &us));
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset,
                              const void *src, size_t size)
{
    uint64_t us;
    assert_true(dst_offset + size <= partition->size);
    return flash_result(sim_flash_program(fixture.flash,
                                          partition->address + (uint32_t)dst_offset, src,
                                          (uint32_t)size, &us));
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset,
                                    size_t size)
{
    uint64_t us;
    assert_true(offset + size <= partition->size);
    return flash_result(sim_flash_erase(
        fixture.flash, partition->address + (uint32_t)offset, (uint32_t)size, &us));
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    for (size_t i = 0; i < partition_count; i++) {
        if (strcmp(partitions[i].label, running_label) == 0) {
            return &partitions[i];
        }
    }
    return NULL;
}

const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start)
{
    assert_null(start);
    const struct sim_partition *next =
        sim_ota_next_update(&fixture.table, part(running_label));
    return next == NULL ? NULL : &partitions[next - fixture.table.entries];
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    uint64_t us;
    return sim_ota_set_boot(fixture.chip, part(partition->label), &us);
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    uint64_t us;
    return sim_ota_mark_valid(fixture.chip, part(running_label), &us);
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    (void)level;
    (void)tag;
    (void)format;
}

uint32_t esp_log_timestamp(void)
{
    return 0;
}

const char *esp_err_to_name(esp_err_t code)
{
    (void)code;
    return "error";
}

void vTaskDelay(const TickType_t ticks)
{
    (void)ticks;
}

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
static uint8_t whole[PARTITIONS_MAX][SIM_FLASH_SECTOR];

static void keep_images(void)
{
    for (size_t i = 0; i < partition_count; i++) {
        memcpy(whole[i], sim_flash_bytes(fixture.flash) + partitions[i].address,
               SIM_FLASH_SECTOR);
    }
}

static void restore_images(void)
{
    for (size_t i = 0; i < partition_count; i++) {
        sim_flash_load(fixture.flash, partitions[i].address, whole[i], SIM_FLASH_SECTOR);
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
    snprintf(running_label, sizeof(running_label), "%s", label);
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
    bool fine = strcmp(booted, running_label) == 0 || strcmp(booted, without) == 0 ||
                (!led && strcmp(booted, "nothing") != 0);
    if (!fine) {
        fail_msg("%s: cut %u.%u: %s was running, %s boots", describe(s),
                 (unsigned)operation, (unsigned)variant, running_label, booted);
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
    make_partitions();
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

static struct updraft_slots usual_slots(void)
{
    struct updraft_slots slots;
    make_partitions();
    snprintf(running_label, sizeof(running_label), "%s", boot());
    assert_int_equal(updraft_slots_find(&slots), ESP_OK);
    return slots;
}

static void factory_updates_ota_0_and_then_to_and_fro(void **state)
{
    (void)state;
    struct updraft_slots slots = usual_slots();
    assert_string_equal(slots.running->label, "factory");
    assert_string_equal(slots.target->label, "ota_0");
    assert_int_equal(slots.ota_count, 2);
    set_boot("ota_0");
    slots = usual_slots();
    assert_string_equal(slots.running->label, "ota_0");
    assert_string_equal(slots.target->label, "ota_1");
}

static void trial_is_the_active_entrys_state(void **state)
{
    (void)state;
    struct updraft_slots slots = usual_slots();
    assert_false(updraft_slot_on_trial(&slots));
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_NEW);
    slots = usual_slots();
    assert_string_equal(slots.running->label, "ota_1");
    assert_true(updraft_slot_on_trial(&slots));
    mark_valid();
    assert_false(updraft_slot_on_trial(&slots));
    /* Both entries name the slot, and the first of them is not the one that counts. */
    put_entry(0, 1, SIM_OTA_NEW);
    put_entry(1, 3, SIM_OTA_NEW);
    slots = usual_slots();
    assert_string_equal(slots.running->label, "ota_0");
    assert_true(updraft_slot_on_trial(&slots));
}

static void fallback_from_an_image_on_trial_is_no_trial(void **state)
{
    (void)state;
    put_entry(0, 1, SIM_OTA_VALID);
    put_entry(1, 2, SIM_OTA_NEW);
    spoil("ota_1");
    struct updraft_slots slots = usual_slots();
    assert_string_equal(slots.running->label, "ota_0");
    assert_false(updraft_slot_on_trial(&slots));
}

static void chip_id_is_the_running_images(void **state)
{
    (void)state;
    struct updraft_slots slots = usual_slots();
    uint16_t chip_id = 0xFFFF;
    assert_int_equal(updraft_slot_chip_id(&slots, &chip_id), ESP_OK);
    assert_int_equal(chip_id, fixture.chip->chip_id);
}

static void usual_preparation_does_not_touch_flash(void **state)
{
    (void)state;
    struct updraft_slots slots = usual_slots();
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
    struct updraft_slots slots = usual_slots();
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

static void hash_covers_head_and_flash(void **state)
{
    (void)state;
    struct updraft_slots slots = usual_slots();
    const uint8_t *image = sim_flash_bytes(fixture.flash) + slots.target->address;
    uint8_t digest[32];
    /* The image's own hash, appended by who made it, over all but its last 32 bytes. */
    assert_int_equal(updraft_slot_hash(&slots, image, 32, 32, 2048 - 32, digest), 0);
    assert_memory_equal(digest, image + 2048 - 32, 32);
    spoil("ota_0");
    assert_int_equal(updraft_slot_hash(&slots, image, 32, 32, 2048 - 32, digest), 0);
    assert_memory_not_equal(digest, image + 2048 - 32, 32);
}

static void broken_image_is_not_activated(void **state)
{
    (void)state;
    struct updraft_slots slots = usual_slots();
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
        cmocka_unit_test_setup_teardown(chip_id_is_the_running_images, fixture_5,
                                        fixture_end),
        cmocka_unit_test_setup_teardown(usual_preparation_does_not_touch_flash, fixture_5,
                                        fixture_end),
        cmocka_unit_test_setup_teardown(failing_flash_is_an_error_not_a_success,
                                        fixture_5, fixture_end),
        cmocka_unit_test_setup_teardown(hash_covers_head_and_flash, fixture_6,
                                        fixture_end),
        cmocka_unit_test_setup_teardown(broken_image_is_not_activated, fixture_5,
                                        fixture_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
