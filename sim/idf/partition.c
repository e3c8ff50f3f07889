/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * esp_partition.h over the board's flash. */
#include "esp_partition.h"

#include <assert.h>
#include <string.h>

#include <psa/crypto.h>

#include "esp_image_format.h"
#include "sim/chip/verify.h"
#include "sim/idf/internal.h"

#define ERASE_SIZE SIM_FLASH_SECTOR

struct esp_partition_iterator_opaque_ {
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    const char *label;
    size_t index;
};

void sim_partitions_load(sim_board_t *board)
{
    struct sim_partition_table table;
    board->partition_count = 0;
    if (sim_chip_table(board->config.chip, &table) != SIM_OK) {
        return;
    }
    for (size_t i = 0; i < table.count; i++) {
        const struct sim_partition *entry = &table.entries[i];
        esp_partition_t *partition = &board->partitions[board->partition_count++];
        memset(partition, 0, sizeof(*partition));
        partition->type = (esp_partition_type_t)entry->type;
        partition->subtype = (esp_partition_subtype_t)entry->subtype;
        partition->address = entry->offset;
        partition->size = entry->size;
        partition->erase_size = ERASE_SIZE;
        memcpy(partition->label, entry->label, sizeof(partition->label));
        partition->encrypted = (entry->flags & SIM_PARTITION_ENCRYPTED) != 0;
        partition->readonly = (entry->flags & SIM_PARTITION_READONLY) != 0;
    }
}

const esp_partition_t *sim_partition_at(const sim_board_t *board, uint32_t offset)
{
    for (size_t i = 0; i < board->partition_count; i++) {
        if (board->partitions[i].address == offset) {
            return &board->partitions[i];
        }
    }
    return NULL;
}

static bool matches(const esp_partition_t *partition, esp_partition_type_t type,
                    esp_partition_subtype_t subtype, const char *label)
{
    return (type == ESP_PARTITION_TYPE_ANY || partition->type == type) &&
           (subtype == ESP_PARTITION_SUBTYPE_ANY || partition->subtype == subtype) &&
           (label == NULL || strcmp(partition->label, label) == 0);
}

static bool advance(const sim_board_t *board, esp_partition_iterator_t iterator)
{
    while (iterator->index < board->partition_count &&
           !matches(&board->partitions[iterator->index], iterator->type,
                    iterator->subtype, iterator->label)) {
        iterator->index++;
    }
    return iterator->index < board->partition_count;
}

esp_partition_iterator_t esp_partition_find(esp_partition_type_t type,
                                            esp_partition_subtype_t subtype,
                                            const char *label)
{
    sim_board_t *board = sim_api();
    if (type == ESP_PARTITION_TYPE_ANY && subtype != ESP_PARTITION_SUBTYPE_ANY) {
        return NULL;
    }
    esp_partition_iterator_t iterator = sim_heap_alloc(board, sizeof(*iterator));
    if (iterator == NULL) {
        return NULL;
    }
    *iterator = (struct esp_partition_iterator_opaque_){
        .type = type, .subtype = subtype, .label = label};
    if (!advance(board, iterator)) {
        sim_heap_free(board, iterator);
        return NULL;
    }
    return iterator;
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t iterator)
{
    assert(iterator != NULL);
    return &sim_api()->partitions[iterator->index];
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator)
{
    assert(iterator != NULL);
    sim_board_t *board = sim_api();
    iterator->index++;
    if (!advance(board, iterator)) {
        sim_heap_free(board, iterator);
        return NULL;
    }
    return iterator;
}

void esp_partition_iterator_release(esp_partition_iterator_t iterator)
{
    sim_heap_free(sim_api(), iterator);
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype,
                                                const char *label)
{
    sim_board_t *board = sim_api();
    if (type == ESP_PARTITION_TYPE_ANY && subtype != ESP_PARTITION_SUBTYPE_ANY) {
        return NULL;
    }
    for (size_t i = 0; i < board->partition_count; i++) {
        if (matches(&board->partitions[i], type, subtype, label)) {
            return &board->partitions[i];
        }
    }
    return NULL;
}

const esp_partition_t *esp_partition_verify(const esp_partition_t *partition)
{
    sim_board_t *board = sim_api();
    for (size_t i = 0; i < board->partition_count; i++) {
        if (board->partitions[i].address == partition->address &&
            board->partitions[i].size == partition->size &&
            matches(&board->partitions[i], partition->type, partition->subtype,
                    partition->label[0] != '\0' ? partition->label : NULL)) {
            return &board->partitions[i];
        }
    }
    return NULL;
}

static esp_err_t check_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    if (partition == NULL || offset > partition->size) {
        return ESP_ERR_INVALID_ARG;
    }
    return size > partition->size - offset ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset,
                             void *dst, size_t size)
{
    sim_board_t *board = sim_api();
    esp_err_t result = check_range(partition, src_offset, size);
    if (result == ESP_OK && dst == NULL) {
        result = ESP_ERR_INVALID_ARG;
    }
    if (result != ESP_OK) {
        return result;
    }
    return sim_spi_flash_read(board, partition->address + (uint32_t)src_offset, dst,
                              (uint32_t)size);
}

/* Writes that the chip would end in abort(): over what runs, the table, the boot loader.
 */
static bool is_dangerous(const sim_board_t *board, uint32_t offset, uint32_t size)
{
    uint32_t table = board->config.chip->table_offset;
    uint32_t guarded_end = (table != 0 ? table : SIM_TABLE_OFFSET) + SIM_FLASH_SECTOR;
    return offset < guarded_end || (offset < board->boot.offset + board->boot.size &&
                                    offset + size > board->boot.offset);
}

static esp_err_t check_change(const sim_board_t *board, const esp_partition_t *partition,
                              size_t offset, size_t size)
{
    esp_err_t result = check_range(partition, offset, size);
    if (result == ESP_OK && partition->readonly) {
        result = ESP_ERR_NOT_ALLOWED;
    }
    if (result == ESP_OK && size > 0 &&
        is_dangerous(board, partition->address + (uint32_t)offset, (uint32_t)size)) {
        sim_panic("flash: a write to %s at 0x%x would break what runs", partition->label,
                  (unsigned)offset);
    }
    return result;
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset,
                              const void *src, size_t size)
{
    sim_board_t *board = sim_api();
    esp_err_t result = check_change(board, partition, dst_offset, size);
    if (result == ESP_OK && src == NULL) {
        result = ESP_ERR_INVALID_ARG;
    }
    if (result != ESP_OK) {
        return result;
    }
    return sim_spi_flash_write(board, partition->address + (uint32_t)dst_offset, src,
                               (uint32_t)size);
}

esp_err_t esp_partition_read_raw(const esp_partition_t *partition, size_t src_offset,
                                 void *dst, size_t size)
{
    return esp_partition_read(partition, src_offset, dst, size);
}

esp_err_t esp_partition_write_raw(const esp_partition_t *partition, size_t dst_offset,
                                  const void *src, size_t size)
{
    return esp_partition_write(partition, dst_offset, src, size);
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset,
                                    size_t size)
{
    sim_board_t *board = sim_api();
    esp_err_t result = check_change(board, partition, offset, size);
    if (result != ESP_OK) {
        return result;
    }
    if (size % ERASE_SIZE != 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (offset % ERASE_SIZE != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    return sim_spi_flash_erase(board, partition->address + (uint32_t)offset,
                               (uint32_t)size);
}

esp_err_t esp_partition_mmap(const esp_partition_t *partition, size_t offset, size_t size,
                             esp_partition_mmap_memory_t memory, const void **out_ptr,
                             esp_partition_mmap_handle_t *out_handle)
{
    (void)memory;
    sim_board_t *board = sim_api();
    esp_err_t result = check_range(partition, offset, size);
    if (result == ESP_OK) {
        *out_ptr =
            sim_flash_bytes(board->config.chip->flash) + partition->address + offset;
        *out_handle = 1;
    }
    return result;
}

void esp_partition_munmap(esp_partition_mmap_handle_t handle)
{
    (void)handle;
}

esp_err_t esp_partition_get_sha256(const esp_partition_t *partition, uint8_t *sha_256)
{
    sim_board_t *board = sim_api();
    if (partition == NULL || sha_256 == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const sim_chip_t *chip = board->config.chip;
    uint64_t us = 0;
    uint32_t size = partition->size;
    if (partition->type == ESP_PARTITION_TYPE_APP) {
        struct sim_image_facts facts;
        int result = sim_chip_verify(chip, partition->address, partition->size,
                                     SIM_VERIFY_ONLY, NULL, NULL, &facts, &us);
        sim_spi_flash_leave(board, us);
        if (result != SIM_OK) {
            return ESP_ERR_IMAGE_INVALID;
        }
        if (facts.has_hash) {
            memcpy(sha_256, facts.hash, sizeof(facts.hash));
            return ESP_OK;
        }
        size = facts.size;
    }
    size_t length = 0;
    psa_crypto_init();
    psa_status_t status = psa_hash_compute(
        PSA_ALG_SHA_256, sim_flash_bytes(chip->flash) + partition->address, size, sha_256,
        32, &length);
    return status == PSA_SUCCESS ? ESP_OK : ESP_FAIL;
}

bool esp_partition_check_identity(const esp_partition_t *partition_1,
                                  const esp_partition_t *partition_2)
{
    uint8_t hashes[2][32];
    return esp_partition_get_sha256(partition_1, hashes[0]) == ESP_OK &&
           esp_partition_get_sha256(partition_2, hashes[1]) == ESP_OK &&
           memcmp(hashes[0], hashes[1], sizeof(hashes[0])) == 0;
}

uint32_t esp_partition_get_main_flash_sector_size(void)
{
    return ERASE_SIZE;
}
