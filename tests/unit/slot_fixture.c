/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * ESP-IDF's calls that the device's slots make, over the chip fixture. */
#include "slot_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "esp_image_format.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "sim/chip/verify.h"

esp_partition_t slot_partitions[SLOT_PARTITIONS_MAX];
size_t slot_partition_count;
char slot_running[17];
bool slot_erases_nothing;
unsigned slot_delays;

void slot_partitions_make(void)
{
    slot_partition_count = fixture.table.count;
    assert_true(slot_partition_count <= SLOT_PARTITIONS_MAX);
    for (size_t i = 0; i < slot_partition_count; i++) {
        const struct sim_partition *from = &fixture.table.entries[i];
        slot_partitions[i] = (esp_partition_t){
            .type = (esp_partition_type_t)from->type,
            .subtype = (esp_partition_subtype_t)from->subtype,
            .address = from->offset,
            .size = from->size,
            .erase_size = SIM_FLASH_SECTOR,
        };
        memcpy(slot_partitions[i].label, from->label, sizeof(slot_partitions[i].label));
    }
}

static const esp_partition_t *search(size_t from, esp_partition_type_t type,
                                     esp_partition_subtype_t subtype)
{
    for (size_t i = from; i < slot_partition_count; i++) {
        if (slot_partitions[i].type == type && (subtype == ESP_PARTITION_SUBTYPE_ANY ||
                                                slot_partitions[i].subtype == subtype)) {
            return &slot_partitions[i];
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
    return (esp_partition_iterator_t)search((size_t)(at - slot_partitions) + 1, at->type,
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
    if (slot_erases_nothing) {
        return ESP_OK;
    }
    return flash_result(sim_flash_erase(
        fixture.flash, partition->address + (uint32_t)offset, (uint32_t)size, &us));
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    for (size_t i = 0; i < slot_partition_count; i++) {
        if (strcmp(slot_partitions[i].label, slot_running) == 0) {
            return &slot_partitions[i];
        }
    }
    return NULL;
}

const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start)
{
    assert_null(start);
    const struct sim_partition *next =
        sim_ota_next_update(&fixture.table, part(slot_running));
    return next == NULL ? NULL : &slot_partitions[next - fixture.table.entries];
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    uint64_t us;
    return sim_ota_set_boot(fixture.chip, part(partition->label), &us);
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    uint64_t us;
    return sim_ota_mark_valid(fixture.chip, part(slot_running), &us);
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition,
                                      esp_ota_img_states_t *ota_state)
{
    uint32_t state;
    int error = sim_ota_get_state(fixture.chip, part(partition->label), &state);
    if (error == SIM_OK) {
        *ota_state = (esp_ota_img_states_t)state;
    }
    return error;
}

esp_err_t esp_image_verify(esp_image_load_mode_t mode, const esp_partition_pos_t *image,
                           esp_image_metadata_t *data)
{
    uint64_t us = 0;
    (void)data;
    assert_int_equal(mode, ESP_IMAGE_VERIFY_SILENT);
    return sim_chip_verify(fixture.chip, image->offset, image->size, SIM_VERIFY_ONLY,
                           NULL, NULL, NULL, &us);
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
    slot_delays++;
}

struct updraft_slots slot_usual(void)
{
    struct updraft_slots slots;
    slot_partitions_make();
    snprintf(slot_running, sizeof(slot_running), "%s", boot());
    assert_int_equal(updraft_slots_find(&slots), ESP_OK);
    return slots;
}
