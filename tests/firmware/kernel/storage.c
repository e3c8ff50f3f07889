/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Partitions, flash that stops the board, and updates. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "esp_image_format.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static const esp_partition_t *app(esp_partition_subtype_t subtype)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, subtype, NULL);
}

static const esp_partition_t *slot(int number)
{
    return app(ESP_PARTITION_SUBTYPE_OTA(number));
}

void scenario_partitions(void)
{
    const esp_partition_t *ota_0 = slot(0);
    CHECK(ota_0 != NULL && strcmp(ota_0->label, "ota_0") == 0);
    CHECK_EQUAL(ota_0->address, 0x110000);
    CHECK_EQUAL(ota_0->size, 0x100000);
    CHECK_EQUAL(ota_0->erase_size, 4096);
    CHECK(app(ESP_PARTITION_SUBTYPE_APP_TEST) == NULL);
    CHECK(strcmp(esp_ota_get_running_partition()->label, "factory") == 0);
    int count = 0;
    esp_partition_iterator_t iterator =
        esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    while (iterator != NULL) {
        CHECK(esp_partition_verify(esp_partition_get(iterator)) != NULL);
        count++;
        iterator = esp_partition_next(iterator);
    }
    CHECK_EQUAL(count, 6);

    uint8_t bytes[16];
    CHECK_EQUAL(esp_partition_read(ota_0, ota_0->size - 8, bytes, 8), ESP_OK);
    CHECK_EQUAL(esp_partition_read(ota_0, ota_0->size - 8, bytes, 9),
                ESP_ERR_INVALID_SIZE);
    CHECK_EQUAL(esp_partition_read(ota_0, ota_0->size + 1, bytes, 0),
                ESP_ERR_INVALID_ARG);
    CHECK_EQUAL(esp_partition_erase_range(ota_0, 0, 100), ESP_ERR_INVALID_SIZE);
    CHECK_EQUAL(esp_partition_erase_range(ota_0, 100, 4096), ESP_ERR_INVALID_ARG);
    CHECK_EQUAL(esp_partition_write(ota_0, 250, "0123456789abcdef", 16), ESP_OK);
    CHECK_EQUAL(esp_partition_read(ota_0, 250, bytes, 16), ESP_OK);
    CHECK(memcmp(bytes, "0123456789abcdef", 16) == 0);
    CHECK_EQUAL(esp_partition_write(ota_0, 250, "\xf0", 1), ESP_OK);
    const void *mapped = NULL;
    esp_partition_mmap_handle_t handle = 0;
    CHECK_EQUAL(
        esp_partition_mmap(ota_0, 0, 4096, ESP_PARTITION_MMAP_DATA, &mapped, &handle),
        ESP_OK);
    CHECK_EQUAL(((const uint8_t *)mapped)[250], 0x30); /* bits only ever fall */
    CHECK_EQUAL(esp_partition_erase_range(ota_0, 0, 4096), ESP_OK);
    CHECK_EQUAL(((const uint8_t *)mapped)[250], 0xFF);

    const esp_partition_t *running = esp_ota_get_running_partition();
    const esp_partition_pos_t place = {.offset = running->address, .size = running->size};
    esp_image_metadata_t image;
    uint8_t hash[32];
    CHECK_EQUAL(esp_image_verify(ESP_IMAGE_VERIFY, &place, &image), ESP_OK);
    CHECK_EQUAL(esp_partition_get_sha256(running, hash), ESP_OK);
    CHECK(memcmp(hash, image.image_digest, 32) == 0);
    CHECK_EQUAL(esp_partition_get_sha256(ota_0, hash), ESP_ERR_IMAGE_INVALID);
}

static int64_t longest_gap_us;
static volatile bool stop;

static void watch_gaps(void *argument)
{
    (void)argument;
    int64_t last_us = esp_timer_get_time();
    while (!stop) {
        vTaskDelay(1);
        int64_t now_us = esp_timer_get_time();
        if (now_us - last_us > longest_gap_us) {
            longest_gap_us = now_us - last_us;
        }
        last_us = now_us;
    }
    vTaskDelete(NULL);
}

static int64_t timed_erase(size_t offset, size_t size)
{
    int64_t begin_us = esp_timer_get_time();
    CHECK_EQUAL(esp_partition_erase_range(slot(0), offset, size), ESP_OK);
    return esp_timer_get_time() - begin_us;
}

void scenario_stall(void)
{
    xTaskCreate(watch_gaps, "watcher", 2048, NULL, 20, NULL);
    vTaskDelay(5);
    CHECK_EQUAL(longest_gap_us, 1000);
    int64_t took_us = timed_erase(4096, 3 * 4096);
    CHECK(longest_gap_us >= 45000 && longest_gap_us < 47000); /* one command at a time */
    CHECK(took_us >= 135000 && took_us <= 138000);
    longest_gap_us = 0;
    took_us = timed_erase(65536, 65536);
    CHECK(took_us >= 150000 && took_us < 152000);
    CHECK(longest_gap_us >= 150000);
    stop = true;
    vTaskDelay(2);
}

void scenario_erase_times(void)
{
    printf("sector %lld\n", (long long)timed_erase(0, 4096));
    printf("block %lld\n", (long long)timed_erase(0, 65536));
    uint8_t *bytes = calloc(1, 20000);
    int64_t begin_us = esp_timer_get_time();
    CHECK_EQUAL(esp_partition_write(slot(0), 0, bytes, 20000), ESP_OK);
    printf("write %lld\n", (long long)(esp_timer_get_time() - begin_us));
    free(bytes);
}

static void pretend_host(void *argument)
{
    (void)argument;
    esp_partition_erase_range(slot(0), 0, 4096);
    printf("host task erased\n");
    vTaskDelete(NULL);
}

void scenario_host_task(void)
{
    xTaskCreate(pretend_host, "nimble_host", 4096, NULL, 21, NULL);
    vTaskDelay(100);
}

void scenario_overwrite_running(void)
{
    esp_partition_write(esp_ota_get_running_partition(), 0, "x", 1);
}

/* Copies the image in ota_1 to ota_0 as an update would. */
static esp_err_t copy_update(size_t erase_size, size_t chunk)
{
    esp_ota_handle_t handle = 0;
    uint8_t *bytes = malloc(chunk);
    esp_err_t result = esp_ota_begin(slot(0), erase_size, &handle);
    for (size_t offset = 0; offset < 32768 && result == ESP_OK; offset += chunk) {
        result = esp_partition_read(slot(1), offset, bytes, chunk);
        if (result == ESP_OK) {
            result = esp_ota_write(handle, bytes, chunk);
        }
    }
    free(bytes);
    return result == ESP_OK ? esp_ota_end(handle) : result;
}

void scenario_ota(void)
{
    uint32_t heap = esp_get_free_heap_size();
    CHECK(esp_ota_get_next_update_partition(NULL) == slot(0));
    CHECK_EQUAL(copy_update(OTA_WITH_SEQUENTIAL_WRITES, 1000), ESP_OK);
    CHECK_EQUAL(copy_update(OTA_WITH_SEQUENTIAL_WRITES, 4096), ESP_OK);
    CHECK_EQUAL(copy_update(32768, 512), ESP_OK);
    CHECK_EQUAL(copy_update(OTA_SIZE_UNKNOWN, 512), ESP_OK);
    CHECK_EQUAL(esp_get_free_heap_size(), heap);
    esp_app_desc_t descriptor;
    CHECK_EQUAL(esp_ota_get_partition_description(slot(0), &descriptor), ESP_OK);
    CHECK(strcmp(descriptor.version, "confirm") == 0);
    CHECK_EQUAL(esp_ota_set_boot_partition(slot(0)), ESP_OK);
    CHECK(esp_ota_get_boot_partition() == slot(0));
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    CHECK_EQUAL(esp_ota_get_state_partition(slot(0), &state), ESP_OK);
    CHECK_EQUAL(state, ESP_OTA_IMG_NEW);
    esp_restart();
}

void scenario_confirm(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    esp_ota_handle_t handle = 0;
    CHECK(running == slot(0));
    CHECK_EQUAL(esp_ota_get_state_partition(running, &state), ESP_OK);
    printf("state %u\n", (unsigned)state);
    if (state == ESP_OTA_IMG_PENDING_VERIFY) {
        CHECK_EQUAL(esp_ota_begin(slot(1), OTA_WITH_SEQUENTIAL_WRITES, &handle),
                    ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
        CHECK(esp_ota_check_rollback_is_possible());
        CHECK_EQUAL(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
        CHECK_EQUAL(esp_ota_get_state_partition(running, &state), ESP_OK);
        CHECK_EQUAL(state, ESP_OTA_IMG_VALID);
        printf("confirmed\n");
        esp_restart();
    }
    CHECK_EQUAL(esp_ota_begin(running, OTA_WITH_SEQUENTIAL_WRITES, &handle),
                ESP_ERR_OTA_PARTITION_CONFLICT);
}

void scenario_ota_errors(void)
{
    esp_ota_handle_t handle = 0;
    const esp_partition_t *factory = esp_ota_get_running_partition();
    CHECK_EQUAL(esp_ota_begin(NULL, 0, &handle), ESP_ERR_INVALID_ARG);
    esp_partition_t foreign = *slot(0);
    foreign.address += 4096;
    CHECK_EQUAL(esp_ota_begin(&foreign, 0, &handle), ESP_ERR_NOT_FOUND);
    CHECK_EQUAL(esp_ota_begin(factory, 0, &handle), ESP_ERR_INVALID_ARG);
    CHECK_EQUAL(esp_ota_write(77, "x", 1), ESP_ERR_INVALID_ARG);
    CHECK_EQUAL(esp_ota_end(77), ESP_ERR_NOT_FOUND);

    CHECK_EQUAL(esp_ota_begin(slot(0), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    CHECK_EQUAL(esp_ota_write(handle, "not an image", 12), ESP_ERR_OTA_VALIDATE_FAILED);
    CHECK_EQUAL(esp_ota_end(handle), ESP_ERR_INVALID_ARG); /* nothing was written */
    CHECK_EQUAL(esp_ota_end(handle), ESP_ERR_NOT_FOUND);
    CHECK_EQUAL(esp_ota_begin(slot(0), OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    CHECK_EQUAL(esp_ota_write(handle, "\xe9 half an image", 15), ESP_OK);
    CHECK_EQUAL(esp_ota_end(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    CHECK_EQUAL(esp_ota_begin(slot(0), 4096, &handle), ESP_OK);
    CHECK_EQUAL(esp_ota_write_with_offset(handle, "abc", 3, 100), ESP_OK);
    CHECK_EQUAL(esp_ota_abort(handle), ESP_OK);
    CHECK_EQUAL(esp_ota_resume(slot(0), OTA_WITH_SEQUENTIAL_WRITES, 4096, &handle),
                ESP_OK);
    CHECK_EQUAL(esp_ota_write(handle, "any first byte", 14), ESP_OK);
    CHECK_EQUAL(esp_ota_abort(handle), ESP_OK);

    CHECK_EQUAL(esp_ota_set_boot_partition(slot(0)), ESP_ERR_OTA_VALIDATE_FAILED);
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    CHECK_EQUAL(esp_ota_get_state_partition(factory, &state), ESP_ERR_NOT_SUPPORTED);
    CHECK_EQUAL(esp_ota_get_state_partition(slot(0), &state), ESP_ERR_NOT_FOUND);
    CHECK_EQUAL(esp_ota_mark_app_valid_cancel_rollback(), ESP_FAIL);
    CHECK(!esp_ota_check_rollback_is_possible());
    CHECK_EQUAL(esp_ota_mark_app_invalid_rollback_and_reboot(), ESP_FAIL);
    CHECK(esp_ota_get_last_invalid_partition() == NULL);
    CHECK(strcmp(esp_err_to_name(ESP_ERR_OTA_ROLLBACK_FAILED),
                 "ESP_ERR_OTA_ROLLBACK_FAILED") == 0);
}
