/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * esp_ota_ops.h: writing images. What happens to otadata is in sim/chip. */
#include "esp_ota_ops.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "esp_image_format.h"
#include "sim/chip/otadata.h"
#include "sim/chip/verify.h"
#include "sim/idf/internal.h"

/* ESP_ERR_OTA_ALREADY_IN_PROGRESS, which the headers name from ESP-IDF 6.1 on. */
#define ALREADY_IN_PROGRESS (ESP_ERR_OTA_BASE + 0x07)

struct ota_handle {
    struct ota_handle *next;
    esp_ota_handle_t handle;
    const esp_partition_t *partition;
    bool erases; /* each write erases the sectors it enters */
    bool resumed;
    uint32_t written;
};

struct ota {
    struct ota_handle *first;
    esp_ota_handle_t last;
};

static struct ota *ota_of(sim_board_t *board)
{
    return sim_runtime_part(board, SIM_PART_OTA, sizeof(struct ota));
}

static struct ota_handle *find_handle(sim_board_t *board, esp_ota_handle_t handle)
{
    struct ota_handle *at = ota_of(board)->first;
    while (at != NULL && at->handle != handle) {
        at = at->next;
    }
    return at;
}

static struct ota_handle *new_handle(sim_board_t *board, const esp_partition_t *partition)
{
    struct ota *ota = ota_of(board);
    struct ota_handle *handle = sim_heap_alloc(board, sizeof(*handle));
    if (handle != NULL) {
        *handle = (struct ota_handle){
            .next = ota->first, .handle = ++ota->last, .partition = partition};
        ota->first = handle;
    }
    return handle;
}

static void free_handle(sim_board_t *board, struct ota_handle *handle)
{
    for (struct ota_handle **at = &ota_of(board)->first; *at != NULL; at = &(*at)->next) {
        if (*at == handle) {
            *at = handle->next;
            break;
        }
    }
    sim_heap_free(board, handle);
}

static bool in_progress(sim_board_t *board, const esp_partition_t *partition)
{
    const sim_chip_t *chip = board->config.chip;
    if (chip->idf_major < 6 || (chip->idf_major == 6 && chip->idf_minor < 1)) {
        return false; /* earlier versions do not look */
    }
    for (struct ota_handle *at = ota_of(board)->first; at != NULL; at = at->next) {
        if (at->partition == partition) {
            return true;
        }
    }
    return false;
}

static struct sim_partition to_chip(const esp_partition_t *partition)
{
    struct sim_partition result = {.type = (uint8_t)partition->type,
                                   .subtype = (uint8_t)partition->subtype,
                                   .offset = partition->address,
                                   .size = partition->size};
    memcpy(result.label, partition->label, sizeof(result.label));
    return result;
}

static struct sim_partition running_on_chip(const sim_board_t *board)
{
    return to_chip(sim_partition_at(board, board->boot.offset));
}

static bool is_ota(const esp_partition_t *partition)
{
    return partition->type == ESP_PARTITION_TYPE_APP &&
           partition->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
           partition->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    sim_board_t *board = sim_api();
    return sim_partition_at(board, board->boot.offset);
}

static bool is_pending(sim_board_t *board)
{
    struct sim_partition running = running_on_chip(board);
    uint32_t state = 0;
    return !board->config.chip->app_without_rollback &&
           sim_ota_get_state(board->config.chip, &running, &state) == SIM_OK &&
           state == SIM_OTA_PENDING_VERIFY;
}

/* What begin and resume check alike. */
static esp_err_t check_target(sim_board_t *board, const esp_partition_t **partition)
{
    *partition = esp_partition_verify(*partition);
    if (*partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if ((*partition)->type == ESP_PARTITION_TYPE_APP && !is_ota(*partition)) {
        return ESP_ERR_INVALID_ARG;
    }
    return *partition == sim_partition_at(board, board->boot.offset)
               ? ESP_ERR_OTA_PARTITION_CONFLICT
               : ESP_OK;
}

esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t image_size,
                        esp_ota_handle_t *out_handle)
{
    sim_board_t *board = sim_api();
    if (partition == NULL || out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t result = check_target(board, &partition);
    if (result != ESP_OK) {
        return result;
    }
    if (partition->type == ESP_PARTITION_TYPE_APP && is_pending(board)) {
        return ESP_ERR_OTA_ROLLBACK_INVALID_STATE;
    }
    if (in_progress(board, partition)) {
        return ALREADY_IN_PROGRESS;
    }
    struct ota_handle *handle = new_handle(board, partition);
    if (handle == NULL) {
        return ESP_ERR_NO_MEM;
    }
    handle->erases = image_size == OTA_WITH_SEQUENTIAL_WRITES;
    *out_handle = handle->handle;
    if (!handle->erases) {
        bool whole = image_size == 0 || image_size == OTA_SIZE_UNKNOWN;
        size_t size = whole ? partition->size
                            : (image_size + SIM_FLASH_SECTOR - 1) / SIM_FLASH_SECTOR *
                                  SIM_FLASH_SECTOR;
        result = esp_partition_erase_range(partition, 0, size);
        if (result != ESP_OK) {
            return result; /* the handle stays, as with ESP-IDF */
        }
    }
    if (is_ota(partition) && !board->config.chip->app_without_rollback) {
        esp_ota_invalidate_inactive_ota_data_slot();
    }
    return ESP_OK;
}

esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void)
{
    sim_board_t *board = sim_api();
    struct sim_partition running = running_on_chip(board);
    const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);
    if (next == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    struct sim_partition target = to_chip(next);
    uint64_t us = 0;
    sim_spi_flash_enter(board, "otadata");
    int result = sim_ota_begin_forget(board->config.chip, &running, &target, &us);
    sim_spi_flash_leave(board, us);
    return result;
}

esp_err_t esp_ota_resume(const esp_partition_t *partition, const size_t erase_size,
                         const size_t image_offset, esp_ota_handle_t *out_handle)
{
    sim_board_t *board = sim_api();
    if (partition == NULL || out_handle == NULL || image_offset > partition->size) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t result = check_target(board, &partition);
    if (result != ESP_OK) {
        return result;
    }
    if (in_progress(board, partition)) {
        return ALREADY_IN_PROGRESS;
    }
    struct ota_handle *handle = new_handle(board, partition);
    if (handle == NULL) {
        return ESP_ERR_NO_MEM;
    }
    handle->resumed = true;
    handle->written = (uint32_t)image_offset;
    handle->erases = erase_size == OTA_WITH_SEQUENTIAL_WRITES;
    *out_handle = handle->handle;
    return ESP_OK;
}

/* The sectors that a write of `size` bytes enters. */
static esp_err_t erase_ahead(const struct ota_handle *handle, size_t size)
{
    uint32_t first = handle->written / SIM_FLASH_SECTOR;
    uint32_t last = (uint32_t)((handle->written + size - 1) / SIM_FLASH_SECTOR);
    if (handle->written % SIM_FLASH_SECTOR != 0) {
        first++; /* entered, and erased, by an earlier write */
    }
    if (first > last) {
        return ESP_OK;
    }
    return esp_partition_erase_range(handle->partition, (size_t)first * SIM_FLASH_SECTOR,
                                     (size_t)(last - first + 1) * SIM_FLASH_SECTOR);
}

esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size)
{
    sim_board_t *board = sim_api();
    if (data == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (size == 0) {
        return ESP_OK;
    }
    struct ota_handle *at = find_handle(board, handle);
    if (at == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t result = at->erases ? erase_ahead(at, size) : ESP_OK;
    if (result != ESP_OK) {
        return result;
    }
    if (at->written == 0 && at->partition->type == ESP_PARTITION_TYPE_APP &&
        *(const uint8_t *)data != ESP_IMAGE_HEADER_MAGIC) {
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    result = esp_partition_write(at->partition, at->written, data, size);
    if (result == ESP_OK) {
        at->written += (uint32_t)size;
    }
    return result;
}

esp_err_t esp_ota_write_with_offset(esp_ota_handle_t handle, const void *data,
                                    size_t size, uint32_t offset)
{
    sim_board_t *board = sim_api();
    struct ota_handle *at = data != NULL ? find_handle(board, handle) : NULL;
    if (at == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (at->erases) {
        sim_panic("assert failed: esp_ota_write_with_offset: must erase the "
                  "partition before writing to it");
    }
    esp_err_t result = esp_partition_write(at->partition, offset, data, size);
    if (result == ESP_OK) {
        at->written += (uint32_t)size;
    }
    return result;
}

static void log_line(void *context, const char *line)
{
    sim_board_t *board = context;
    sim_console_text(board, line);
    sim_console_text(board, "\n");
}

static esp_err_t verify(sim_board_t *board, const esp_partition_t *partition)
{
    uint64_t us = 0;
    int result = sim_chip_verify(board->config.chip, partition->address, partition->size,
                                 SIM_VERIFY_ONLY, log_line, board, NULL, &us);
    sim_spi_flash_leave(board, us);
    return result == SIM_OK ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED;
}

esp_err_t esp_ota_end(esp_ota_handle_t handle)
{
    sim_board_t *board = sim_api();
    struct ota_handle *at = find_handle(board, handle);
    if (at == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t result = ESP_OK;
    if (at->written == 0) {
        result = ESP_ERR_INVALID_ARG;
    } else if (at->partition->type == ESP_PARTITION_TYPE_APP) {
        result = verify(board, at->partition);
    }
    free_handle(board, at);
    return result;
}

esp_err_t esp_ota_abort(esp_ota_handle_t handle)
{
    sim_board_t *board = sim_api();
    struct ota_handle *at = find_handle(board, handle);
    if (at == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    free_handle(board, at);
    return ESP_OK;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    sim_board_t *board = sim_api();
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    struct sim_partition target = to_chip(partition);
    uint64_t us = 0;
    sim_spi_flash_enter(board, "otadata");
    int result = sim_ota_set_boot(board->config.chip, &target, &us);
    sim_spi_flash_leave(board, us);
    return result;
}

const esp_partition_t *esp_ota_get_boot_partition(void)
{
    sim_board_t *board = sim_api();
    struct sim_partition partition;
    if (sim_ota_get_boot(board->config.chip, &partition) != SIM_OK) {
        return NULL;
    }
    return sim_partition_at(board, partition.offset);
}

const esp_partition_t *esp_ota_get_next_update_partition(
    const esp_partition_t *start_from)
{
    sim_board_t *board = sim_api();
    if (start_from != NULL) {
        start_from = esp_partition_verify(start_from);
        if (start_from == NULL) {
            return NULL;
        }
    }
    struct sim_partition from =
        start_from != NULL ? to_chip(start_from) : running_on_chip(board);
    struct sim_partition_table table;
    if (sim_chip_table(board->config.chip, &table) != SIM_OK) {
        return NULL;
    }
    const struct sim_partition *next = sim_ota_next_update(&table, &from);
    return next != NULL ? sim_partition_at(board, next->offset) : NULL;
}

uint8_t esp_ota_get_app_partition_count(void)
{
    struct sim_partition_table table;
    if (sim_chip_table(sim_api()->config.chip, &table) != SIM_OK) {
        return 0;
    }
    return (uint8_t)sim_partition_ota_count(&table);
}

/* Confirmation and rollback */

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    sim_board_t *board = sim_api();
    struct sim_partition running = running_on_chip(board);
    uint64_t us = 0;
    sim_spi_flash_enter(board, "otadata");
    int result = sim_ota_mark_valid(board->config.chip, &running, &us);
    sim_spi_flash_leave(board, us);
    return result;
}

esp_err_t esp_ota_mark_app_invalid_rollback(void)
{
    sim_board_t *board = sim_api();
    uint64_t us = 0;
    sim_spi_flash_enter(board, "otadata");
    int result = sim_ota_mark_invalid(board->config.chip, &us);
    sim_spi_flash_leave(board, us);
    return result;
}

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
    esp_err_t result = esp_ota_mark_app_invalid_rollback();
    if (result == ESP_OK) {
        esp_restart();
    }
    return result;
}

bool esp_ota_check_rollback_is_possible(void)
{
    sim_board_t *board = sim_api();
    uint64_t us = 0;
    bool possible = sim_ota_rollback_is_possible(board->config.chip, &us);
    sim_spi_flash_leave(board, us);
    return possible;
}

const esp_partition_t *esp_ota_get_last_invalid_partition(void)
{
    sim_board_t *board = sim_api();
    struct sim_partition partition;
    uint64_t us = 0;
    int result = sim_ota_get_last_invalid(board->config.chip, &partition, &us);
    sim_spi_flash_leave(board, us);
    return result == SIM_OK ? sim_partition_at(board, partition.offset) : NULL;
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition,
                                      esp_ota_img_states_t *ota_state)
{
    sim_board_t *board = sim_api();
    if (partition == NULL || ota_state == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    struct sim_partition target = to_chip(partition);
    uint32_t state = 0;
    int result = sim_ota_get_state(board->config.chip, &target, &state);
    if (result == SIM_OK) {
        *ota_state = (esp_ota_img_states_t)state;
    }
    return result;
}

esp_err_t esp_ota_erase_last_boot_app_partition(void)
{
    sim_board_t *board = sim_api();
    struct sim_partition running = running_on_chip(board);
    uint64_t us = 0;
    sim_spi_flash_enter(board, "erase");
    int result = sim_ota_erase_last_boot_app(board->config.chip, &running, &us);
    sim_spi_flash_leave(board, us);
    return result;
}
