/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A chip as it leaves the factory. */
#include "sim/chip/chip.h"

#include <assert.h>
#include <mbedtls/sha256.h>
#include <string.h>

#include "sim/chip/little_endian.h"

#define BOOT_LOADER_DATA_SIZE 0x4000u
#define BOOT_LOADER_SIZE      (24u + 8u + BOOT_LOADER_DATA_SIZE + 16u + 32u)

static uint32_t table_offset(const sim_chip_t *chip)
{
    return chip->table_offset != 0 ? chip->table_offset : SIM_TABLE_OFFSET;
}

sim_chip_t *sim_chip_new(sim_arena_t *arena, const struct sim_chip_model *model,
                         int idf_major, int idf_minor, sim_flash_t *flash)
{
    sim_chip_t *chip = sim_arena_alloc(arena, sizeof(*chip));
    chip->chip_id = model->chip_id;
    chip->revision = model->revision;
    chip->idf_major = idf_major;
    chip->idf_minor = idf_minor;
    chip->flash = flash;
    return chip;
}

/* An image of one segment in memory, as the ROM wants it; nobody runs its bytes. */
static void make_boot_loader(const struct sim_chip_model *model, uint8_t *bytes)
{
    sim_random_t random;
    sim_random_seed(&random, model->chip_id);
    memset(bytes, 0, BOOT_LOADER_SIZE);
    bytes[0] = 0xE9;
    bytes[1] = 1;
    bytes[2] = 2;    /* DIO */
    bytes[3] = 0x20; /* 4 MB */
    sim_put_le32(bytes + 4, model->iram.low);
    bytes[8] = 0xEE;
    sim_put_le16(bytes + 12, model->chip_id);
    sim_put_le16(bytes + 17, 0xFFFF);
    bytes[23] = 1;
    sim_put_le32(bytes + 24, model->iram.low);
    sim_put_le32(bytes + 28, BOOT_LOADER_DATA_SIZE);
    sim_random_fill(&random, bytes + 32, BOOT_LOADER_DATA_SIZE);
    uint8_t checksum = 0xEF;
    for (uint32_t i = 0; i < BOOT_LOADER_DATA_SIZE; i++) {
        checksum ^= bytes[32 + i];
    }
    uint32_t hashed = BOOT_LOADER_SIZE - 32;
    bytes[hashed - 1] = checksum;
    (void)mbedtls_sha256_ret(bytes, hashed, bytes + hashed, 0);
}

static void blank(sim_flash_t *flash, uint32_t offset, uint32_t size)
{
    uint8_t sector[SIM_FLASH_SECTOR];
    memset(sector, 0xFF, sizeof(sector));
    for (uint32_t done = 0; done < size;) {
        uint32_t step = size - done < sizeof(sector) ? size - done : sizeof(sector);
        sim_flash_load(flash, offset + done, sector, step);
        done += step;
    }
}

bool sim_chip_flash_factory(sim_chip_t *chip, const struct sim_partition *entries,
                            size_t count)
{
    const struct sim_chip_model *model = sim_chip_model_with_id(chip->chip_id);
    uint8_t table[SIM_TABLE_SIZE];
    struct sim_partition_table parsed;
    if (model == NULL || !sim_partition_table_build(entries, count, table) ||
        sim_partition_table_parse(table, sim_flash_size(chip->flash), &parsed) !=
            SIM_OK) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (entries[i].offset < table_offset(chip) + SIM_FLASH_SECTOR) {
            return false; /* over the boot loader or the table itself */
        }
    }
    uint8_t boot_loader[BOOT_LOADER_SIZE];
    make_boot_loader(model, boot_loader);
    blank(chip->flash, 0, sim_flash_size(chip->flash));
    sim_flash_load(chip->flash, model->boot_loader_offset, boot_loader,
                   sizeof(boot_loader));
    sim_flash_load(chip->flash, table_offset(chip), table, sizeof(table));
    return true;
}

bool sim_chip_install(sim_chip_t *chip, const char *label, const void *bytes, size_t size)
{
    struct sim_partition_table table;
    if (sim_chip_table(chip, &table) != SIM_OK) {
        return false;
    }
    const struct sim_partition *partition = sim_partition_find(&table, -1, -1, label);
    if (partition == NULL || size > partition->size ||
        partition->size > sim_flash_size(chip->flash) - partition->offset) {
        return false;
    }
    sim_flash_load(chip->flash, partition->offset, bytes, (uint32_t)size);
    blank(chip->flash, partition->offset + (uint32_t)size,
          partition->size - (uint32_t)size);
    return true;
}

int sim_chip_table(const sim_chip_t *chip, struct sim_partition_table *ret_table)
{
    uint32_t offset = table_offset(chip);
    uint32_t flash_size = sim_flash_size(chip->flash);
    assert(offset <= flash_size - SIM_TABLE_SIZE);
    return sim_partition_table_parse(sim_flash_bytes(chip->flash) + offset, flash_size,
                                     ret_table);
}
