/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the partition table: ESP-IDF's bytes, ESP-IDF's refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/md5.h>

#include "sim/chip/chip.h"

#define FLASH_SIZE (4u * 1024 * 1024)

static uint8_t bytes[SIM_TABLE_SIZE];
static struct sim_partition_table table;

static const char *md5_of_table(void)
{
    static char text[33];
    uint8_t digest[16];
    assert_int_equal(mbedtls_md5_ret(bytes, sizeof(bytes), digest), 0);
    for (size_t i = 0; i < sizeof(digest); i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    return text;
}

static void build_two_ota(void)
{
    assert_true(sim_partition_table_build(sim_partitions_two_ota,
                                          sim_partitions_two_ota_count, bytes));
}

static int parse(void)
{
    return sim_partition_table_parse(bytes, FLASH_SIZE, &table);
}

/* The MD5 entry holds the MD5 of the entries before it; the second number is that of the
 * whole file as ESP-IDF's gen_esp32part.py writes it. */
static void two_ota_table_has_esp_idfs_bytes(void **state)
{
    (void)state;
    static const uint8_t md5[16] = {0xbf, 0x25, 0x82, 0x2c, 0x0f, 0xa6, 0xd8, 0x64,
                                    0x1b, 0xd9, 0x30, 0x25, 0x1e, 0x06, 0xb4, 0xc4};
    build_two_ota();
    assert_memory_equal(bytes + 6 * 32, "\xEB\xEB", 2);
    assert_memory_equal(bytes + 6 * 32 + 16, md5, 16);
    assert_string_equal(md5_of_table(), "9f94bf1e89f37d80f4310d5af19a6e59");
}

static void two_ota_large_table_has_esp_idfs_bytes(void **state)
{
    (void)state;
    static const uint8_t md5[16] = {0x37, 0xf3, 0x8b, 0x32, 0xa3, 0x4f, 0x74, 0x12,
                                    0xf1, 0x58, 0x93, 0x00, 0x62, 0x44, 0x11, 0x78};
    assert_true(sim_partition_table_build(sim_partitions_two_ota_large,
                                          sim_partitions_two_ota_large_count, bytes));
    assert_memory_equal(bytes + 5 * 32 + 16, md5, 16);
    assert_string_equal(md5_of_table(), "f6dec7bfda2f3dee587657b4e8863c55");
}

static void a_table_reads_back_as_it_was_built(void **state)
{
    (void)state;
    build_two_ota();
    assert_int_equal(parse(), SIM_OK);
    assert_int_equal(table.count, 6);
    assert_memory_equal(table.entries, sim_partitions_two_ota,
                        6 * sizeof(struct sim_partition));
}

static void partitions_are_found_by_type_subtype_and_label(void **state)
{
    (void)state;
    build_two_ota();
    assert_int_equal(parse(), SIM_OK);
    assert_string_equal(sim_partition_find(&table, 1, 0, NULL)->label, "otadata");
    assert_string_equal(sim_partition_find(&table, 0, -1, NULL)->label, "factory");
    assert_int_equal(sim_partition_find(&table, -1, -1, "ota_1")->offset, 0x210000);
    assert_null(sim_partition_find(&table, 1, -1, "ota_1"));
    assert_null(sim_partition_find(&table, 0, SIM_APP_TEST, NULL));
    assert_int_equal(sim_partition_ota_count(&table), 2);
    assert_string_equal(sim_partition_ota(&table, 1)->label, "ota_1");
    assert_null(sim_partition_ota(&table, 2));
    assert_true(sim_partition_is_ota(sim_partition_ota(&table, 0)));
    assert_false(sim_partition_is_ota(sim_partition_find(&table, 0, 0, NULL)));
}

static void ota_slots_count_up_to_the_first_gap(void **state)
{
    (void)state;
    table = (struct sim_partition_table){
        .count = 2,
        .entries = {{SIM_PARTITION_APP, SIM_APP_OTA_0, 0x10000, 0x1000, "a", 0},
                    {SIM_PARTITION_APP, SIM_APP_OTA_0 + 2, 0x20000, 0x1000, "c", 0}}};
    assert_int_equal(sim_partition_ota_count(&table), 1);
}

static void a_label_of_16_characters_is_kept_whole(void **state)
{
    (void)state;
    static const struct sim_partition one = {1, 2, 0x9000, 0x1000, "sixteen_letters_", 1};
    assert_true(sim_partition_table_build(&one, 1, bytes));
    assert_int_equal(bytes[32], 0xEB);
    assert_int_equal(parse(), SIM_OK);
    assert_string_equal(table.entries[0].label, "sixteen_letters_");
    assert_int_equal(table.entries[0].flags, SIM_PARTITION_ENCRYPTED);
}

static void a_table_without_md5_is_accepted(void **state)
{
    (void)state;
    build_two_ota();
    memset(bytes + 6 * 32, 0xFF, 32);
    assert_int_equal(parse(), SIM_OK);
    assert_int_equal(table.count, 6);
}

static void a_wrong_md5_is_refused(void **state)
{
    (void)state;
    build_two_ota();
    bytes[4] ^= 0x10;
    assert_int_equal(parse(), SIM_ERR_INVALID_STATE);
}

static void a_second_md5_is_refused(void **state)
{
    (void)state;
    build_two_ota();
    memcpy(bytes + 7 * 32, bytes + 6 * 32, 32);
    assert_int_equal(mbedtls_md5_ret(bytes, 7 * 32, bytes + 7 * 32 + 16), 0);
    assert_int_equal(parse(), SIM_ERR_INVALID_STATE);
}

static void a_partition_beyond_the_flash_is_refused(void **state)
{
    (void)state;
    build_two_ota();
    assert_int_equal(sim_partition_table_parse(bytes, 2u * 1024 * 1024, &table),
                     SIM_ERR_INVALID_SIZE);
    assert_int_equal(sim_partition_table_parse(bytes, 0x310000, &table), SIM_OK);
    assert_int_equal(sim_partition_table_parse(bytes, 0x30FFFF, &table),
                     SIM_ERR_INVALID_SIZE);
}

static void an_empty_table_is_refused(void **state)
{
    (void)state;
    memset(bytes, 0xFF, sizeof(bytes));
    assert_int_equal(parse(), SIM_ERR_INVALID_STATE);
}

static void a_wrong_magic_is_refused(void **state)
{
    (void)state;
    build_two_ota();
    bytes[2 * 32] = 0xAB;
    assert_int_equal(parse(), SIM_ERR_INVALID_STATE);
}

static void a_table_without_end_is_refused(void **state)
{
    (void)state;
    build_two_ota();
    for (size_t i = 6; i < 96; i++) {
        memcpy(bytes + i * 32, bytes, 32);
    }
    table.count = 77;
    assert_int_equal(parse(), SIM_ERR_INVALID_STATE);
    assert_int_equal(table.count, 77); /* untouched */
}

static void a_full_table_of_94_entries_can_be_built(void **state)
{
    (void)state;
    static struct sim_partition many[95];
    for (size_t i = 0; i < 95; i++) {
        many[i] = (struct sim_partition){1,      0x40, 0x9000 + (uint32_t)i * 0x1000,
                                         0x1000, "x",  0};
    }
    assert_true(sim_partition_table_build(many, 94, bytes));
    assert_int_equal(parse(), SIM_OK);
    assert_int_equal(table.count, 94);
    assert_false(sim_partition_table_build(many, 95, bytes));
}

static void badly_placed_partitions_are_not_built(void **state)
{
    (void)state;
    struct sim_partition two[2] = {{0, 0x10, 0x10000, 0x10000, "a", 0},
                                   {0, 0x11, 0x20000, 0x10000, "b", 0}};
    assert_true(sim_partition_table_build(two, 2, bytes));
    two[1].offset = 0x21000; /* an app off 64 KiB */
    assert_false(sim_partition_table_build(two, 2, bytes));
    two[1].offset = 0x20000;
    two[0].size = 0x11000; /* overlap */
    assert_false(sim_partition_table_build(two, 2, bytes));
    two[0].size = 0x800;
    assert_false(sim_partition_table_build(two, 2, bytes));
    assert_false(sim_partition_table_build(two, 0, bytes));
}

static void models_are_found_by_name_and_id(void **state)
{
    (void)state;
    assert_int_equal(sim_chip_model_named("esp32c3")->chip_id, 5);
    assert_string_equal(sim_chip_model_with_id(0)->name, "esp32");
    assert_null(sim_chip_model_named("esp8266"));
    assert_null(sim_chip_model_with_id(2)); /* ESP32-S2 has no Bluetooth */
    assert_int_equal(sim_chip_model_count, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_ota_table_has_esp_idfs_bytes),
        cmocka_unit_test(two_ota_large_table_has_esp_idfs_bytes),
        cmocka_unit_test(a_table_reads_back_as_it_was_built),
        cmocka_unit_test(partitions_are_found_by_type_subtype_and_label),
        cmocka_unit_test(ota_slots_count_up_to_the_first_gap),
        cmocka_unit_test(a_label_of_16_characters_is_kept_whole),
        cmocka_unit_test(a_table_without_md5_is_accepted),
        cmocka_unit_test(a_wrong_md5_is_refused),
        cmocka_unit_test(a_second_md5_is_refused),
        cmocka_unit_test(a_partition_beyond_the_flash_is_refused),
        cmocka_unit_test(an_empty_table_is_refused),
        cmocka_unit_test(a_wrong_magic_is_refused),
        cmocka_unit_test(a_table_without_end_is_refused),
        cmocka_unit_test(a_full_table_of_94_entries_can_be_built),
        cmocka_unit_test(badly_placed_partitions_are_not_built),
        cmocka_unit_test(models_are_found_by_name_and_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
