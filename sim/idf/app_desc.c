/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Descriptors of images, and their verification. */
#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_image_format.h"
#include "esp_ota_ops.h"
#include "sim/chip/verify.h"
#include "sim/idf/internal.h"

#define DESCRIPTOR_OFFSET \
    (sizeof(esp_image_header_t) + sizeof(esp_image_segment_header_t))

const esp_app_desc_t *esp_app_get_description(void)
{
    return (const esp_app_desc_t *)sim_api()->descriptor;
}

const esp_app_desc_t *esp_ota_get_app_description(void)
{
    return esp_app_get_description();
}

int esp_app_get_elf_sha256(char *dst, size_t size)
{
    const esp_app_desc_t *descriptor = esp_app_get_description();
    if (dst == NULL || size == 0) {
        return 0;
    }
    size_t used = 0;
    for (size_t i = 0; i < sizeof(descriptor->app_elf_sha256) && used + 2 < size; i++) {
        snprintf(dst + used, 3, "%02x", descriptor->app_elf_sha256[i]);
        used += 2;
    }
    dst[used] = '\0';
    return (int)used + 1;
}

int esp_ota_get_app_elf_sha256(char *dst, size_t size)
{
    return esp_app_get_elf_sha256(dst, size);
}

esp_err_t esp_ota_get_partition_description(const esp_partition_t *partition,
                                            esp_app_desc_t *app_desc)
{
    if (partition == NULL || app_desc == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (partition->type != ESP_PARTITION_TYPE_APP) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    esp_app_desc_t descriptor;
    esp_err_t result =
        esp_partition_read(partition, DESCRIPTOR_OFFSET, &descriptor, sizeof(descriptor));
    if (result != ESP_OK) {
        return result;
    }
    if (descriptor.magic_word != ESP_APP_DESC_MAGIC_WORD) {
        return ESP_ERR_NOT_FOUND;
    }
    *app_desc = descriptor;
    return ESP_OK;
}

/* Fills in what sim/chip's verification does not tell; the headers were judged before. */
static void describe(const sim_board_t *board, const esp_partition_pos_t *part,
                     const struct sim_image_facts *facts, esp_image_metadata_t *ret_data)
{
    const uint8_t *bytes = sim_flash_bytes(board->config.chip->flash) + part->offset;
    memset(ret_data, 0, sizeof(*ret_data));
    ret_data->start_addr = part->offset;
    memcpy(&ret_data->image, bytes, sizeof(ret_data->image));
    uint32_t offset = sizeof(ret_data->image);
    for (size_t i = 0; i < facts->segment_count; i++) {
        memcpy(&ret_data->segments[i], bytes + offset, sizeof(ret_data->segments[i]));
        offset += (uint32_t)sizeof(ret_data->segments[i]);
        ret_data->segment_data[i] = part->offset + offset;
        offset += ret_data->segments[i].data_len;
    }
    ret_data->image_len = facts->size;
    ret_data->secure_version = facts->secure_version;
    memcpy(ret_data->image_digest, facts->hash, sizeof(facts->hash));
}

static void log_line(void *context, const char *line)
{
    sim_console_text(context, line);
    sim_console_text(context, "\n");
}

esp_err_t esp_image_verify(esp_image_load_mode_t mode, const esp_partition_pos_t *part,
                           esp_image_metadata_t *data)
{
    sim_board_t *board = sim_api();
    if (part == NULL || data == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (part->size > 16u * 1024 * 1024) { /* as ESP-IDF: no slot is that large */
        return ESP_ERR_INVALID_ARG;
    }
    struct sim_image_facts facts;
    uint64_t us = 0;
    int result =
        sim_chip_verify(board->config.chip, part->offset, part->size, SIM_VERIFY_ONLY,
                        mode == ESP_IMAGE_VERIFY ? log_line : NULL, board, &facts, &us);
    if (result == SIM_OK) {
        describe(board, part, &facts, data);
    }
    sim_spi_flash_leave(board, us);
    return result;
}

/* ESP-IDF leaves out the checksums here; an image whose hash is wrong is found all the
 * same. */
esp_err_t esp_image_get_metadata(const esp_partition_pos_t *part,
                                 esp_image_metadata_t *metadata)
{
    return esp_image_verify(ESP_IMAGE_VERIFY_SILENT, part, metadata);
}
