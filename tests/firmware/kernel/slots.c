/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What esp_ota_* leaves in otadata, seen as the flash holds it. */
#include <string.h>

#include "check.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_timer.h"

#define BLANK     UINT32_MAX
#define SECTOR    4096u
#define NEW       ESP_OTA_IMG_NEW
#define VALID     ESP_OTA_IMG_VALID
#define INVALID   ESP_OTA_IMG_INVALID
#define NO_ERASE  1000 /* us: no flash command is that short */
#define FIRST_APP (ESP_PARTITION_SUBTYPE_APP_OTA_MIN)

static const esp_partition_t *factory;
static const esp_partition_t *otadata;
static const esp_partition_t *slots[2];

static void find_partitions(void)
{
    factory = esp_ota_get_running_partition();
    otadata = esp_partition_find_first(ESP_PARTITION_TYPE_DATA,
                                       ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    for (int i = 0; i < 2; i++) {
        slots[i] = esp_partition_find_first(
            ESP_PARTITION_TYPE_APP, (esp_partition_subtype_t)(FIRST_APP + i), NULL);
    }
}

/* An entry's sequence number and state; BLANK for both where the sector is erased. */
static void check_entry(int index, uint32_t seq, uint32_t state, int line)
{
    uint32_t words[8];
    CHECK_EQUAL(esp_partition_read(otadata, (size_t)index * SECTOR, words, sizeof(words)),
                ESP_OK);
    if (words[0] != seq || words[6] != state) {
        printf("FAIL line %d: entry %d is %u, state %u\n", line, index,
               (unsigned)words[0], (unsigned)words[6]);
    }
}
#define CHECK_ENTRY(index, seq, state) check_entry(index, seq, state, __LINE__)
#define CHECK_BLANK(index)             check_entry(index, BLANK, BLANK, __LINE__)

static void check_state(int slot, esp_ota_img_states_t expected, int line)
{
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    if (esp_ota_get_state_partition(slots[slot], &state) != ESP_OK || state != expected) {
        printf("FAIL line %d: state of ota_%d is %u\n", line, slot, (unsigned)state);
    }
}
#define CHECK_STATE(slot, expected) check_state(slot, expected, __LINE__)

static void select_both(void)
{
    CHECK_EQUAL(esp_ota_get_app_partition_count(), 2);
    CHECK(esp_ota_get_boot_partition() == factory);
    CHECK_EQUAL(esp_ota_set_boot_partition(slots[0]), ESP_OK);
    CHECK_ENTRY(0, 1, NEW);
    CHECK_BLANK(1);
    CHECK(esp_ota_get_boot_partition() == slots[0]);
    CHECK_EQUAL(esp_ota_set_boot_partition(slots[1]), ESP_OK);
    CHECK_ENTRY(0, 1, NEW);
    CHECK_ENTRY(1, 2, NEW);
    CHECK(esp_ota_get_boot_partition() == slots[1]);
}

/* The active entry is marked, although *factory* runs; and once is enough. */
static void mark_the_active_one(void)
{
    CHECK_EQUAL(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    CHECK_ENTRY(0, 1, NEW);
    CHECK_ENTRY(1, 2, VALID);
    int64_t begin_us = esp_timer_get_time();
    CHECK_EQUAL(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    CHECK(esp_timer_get_time() - begin_us < NO_ERASE);
    CHECK_STATE(1, VALID);
}

/* ESP-IDF 5 gives the other record the same number, and so forgets the other slot. */
static void select_the_active_one_again(int major)
{
    CHECK_EQUAL(esp_ota_set_boot_partition(slots[1]), ESP_OK);
    CHECK_ENTRY(0, major == 5 ? 2 : 1, NEW);
    CHECK_ENTRY(1, 2, major == 5 ? VALID : NEW);
    CHECK(esp_ota_get_boot_partition() == slots[1]);
    CHECK_EQUAL(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    CHECK_ENTRY(0, major == 5 ? 2 : 1, major == 5 ? VALID : NEW);
    CHECK_ENTRY(1, 2, VALID);
    CHECK_EQUAL(esp_ota_set_boot_partition(slots[0]), ESP_OK);
    CHECK_ENTRY(0, major == 5 ? 2 : 3, major == 5 ? VALID : NEW);
    CHECK_ENTRY(1, major == 5 ? 3 : 2, major == 5 ? NEW : VALID);
    CHECK_STATE(0, NEW);
    CHECK_STATE(1, VALID);
}

static void refuse_it(void)
{
    CHECK(esp_ota_check_rollback_is_possible());
    CHECK(esp_ota_get_last_invalid_partition() == NULL);
    CHECK_EQUAL(esp_ota_mark_app_invalid_rollback(), ESP_OK);
    CHECK_STATE(0, INVALID);
    CHECK(esp_ota_get_boot_partition() == slots[1]);
    CHECK(esp_ota_get_last_invalid_partition() == slots[0]);
    CHECK(esp_ota_check_rollback_is_possible()); /* to *factory* */
    CHECK_EQUAL(esp_ota_set_boot_partition(factory), ESP_OK);
    CHECK_BLANK(0);
    CHECK_BLANK(1);
    CHECK(esp_ota_get_boot_partition() == factory);
    CHECK(esp_ota_get_last_invalid_partition() == NULL);
    CHECK_EQUAL(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL);
}

static void forget_what_ran_before(void)
{
    CHECK_EQUAL(esp_ota_set_boot_partition(slots[0]), ESP_OK);
    CHECK_EQUAL(esp_ota_set_boot_partition(slots[1]), ESP_OK);
    CHECK_EQUAL(esp_ota_invalidate_inactive_ota_data_slot(), ESP_OK);
    CHECK_BLANK(0);
    CHECK_ENTRY(1, 2, NEW);
    CHECK_EQUAL(esp_ota_invalidate_inactive_ota_data_slot(), ESP_FAIL);
    CHECK_EQUAL(esp_ota_set_boot_partition(slots[0]), ESP_OK);
    CHECK_ENTRY(0, 3, NEW);
    CHECK_EQUAL(esp_ota_erase_last_boot_app_partition(), ESP_OK);
    CHECK_ENTRY(0, 3, NEW);
    CHECK_BLANK(1);
    uint8_t bytes[4];
    CHECK_EQUAL(esp_partition_read(slots[1], 0, bytes, sizeof(bytes)), ESP_OK);
    CHECK(memcmp(bytes, "\xFF\xFF\xFF\xFF", sizeof(bytes)) == 0);
    CHECK_EQUAL(esp_ota_erase_last_boot_app_partition(), ESP_FAIL);
    CHECK_EQUAL(esp_ota_set_boot_partition(slots[1]), ESP_ERR_OTA_VALIDATE_FAILED);
    CHECK_ENTRY(0, 3, NEW);
    CHECK_BLANK(1);
}

static void select_slots(int major)
{
    find_partitions();
    select_both();
    mark_the_active_one();
    select_the_active_one_again(major);
    refuse_it();
    forget_what_ran_before();
}

void scenario_select_5(void)
{
    select_slots(5);
}

void scenario_select_6(void)
{
    select_slots(6);
}

/* Nothing is written or erased beyond a partition's end, nor before its start. */
void scenario_bounds(void)
{
    static uint8_t bytes[SECTOR];
    uint8_t after[16];
    find_partitions();
    size_t size = slots[0]->size;
    CHECK_EQUAL(esp_partition_write(slots[1], 0, "neighbour", 9), ESP_OK);
    CHECK_EQUAL(esp_partition_write(slots[0], size - 8, bytes, 9), ESP_ERR_INVALID_SIZE);
    CHECK_EQUAL(esp_partition_write(slots[0], size, bytes, 1), ESP_ERR_INVALID_SIZE);
    CHECK_EQUAL(esp_partition_write(slots[0], size + 1, bytes, 1), ESP_ERR_INVALID_ARG);
    CHECK_EQUAL(esp_partition_write(slots[0], 8, bytes, SIZE_MAX - 4),
                ESP_ERR_INVALID_SIZE);
    CHECK_EQUAL(esp_partition_write(slots[0], 0, NULL, 1), ESP_ERR_INVALID_ARG);
    CHECK_EQUAL(esp_partition_write(NULL, 0, bytes, 1), ESP_ERR_INVALID_ARG);
    CHECK_EQUAL(esp_partition_erase_range(slots[0], size - SECTOR, 2 * SECTOR),
                ESP_ERR_INVALID_SIZE);
    CHECK_EQUAL(esp_partition_erase_range(slots[0], size + SECTOR, SECTOR),
                ESP_ERR_INVALID_ARG);
    CHECK_EQUAL(esp_partition_read(slots[0], size - 8, after, 8), ESP_OK);
    CHECK(memcmp(after, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8) == 0);
    CHECK_EQUAL(esp_partition_read(slots[1], 0, after, 9), ESP_OK);
    CHECK(memcmp(after, "neighbour", 9) == 0);
    /* Up to the very end it is allowed. */
    CHECK_EQUAL(esp_partition_write(slots[0], size - 8, "the end.", 8), ESP_OK);
    CHECK_EQUAL(esp_partition_write(slots[0], size, bytes, 0), ESP_OK);
    CHECK_EQUAL(esp_partition_read_raw(slots[0], size - 8, after, 8), ESP_OK);
    CHECK(memcmp(after, "the end.", 8) == 0);
    CHECK_EQUAL(esp_partition_erase_range(slots[0], size - SECTOR, SECTOR), ESP_OK);
    CHECK_EQUAL(esp_partition_read(slots[0], size - 8, after, 8), ESP_OK);
    CHECK_EQUAL(after[0], 0xFF);
    CHECK_EQUAL(esp_partition_read(slots[1], 0, after, 9), ESP_OK);
    CHECK(memcmp(after, "neighbour", 9) == 0);
    CHECK(esp_partition_check_identity(factory, factory));
    CHECK(!esp_partition_check_identity(factory, slots[0]));
}
