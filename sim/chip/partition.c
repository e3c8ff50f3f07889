/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The binary partition table. */
#include "sim/chip/partition.h"

#include <mbedtls/md5.h>
#include <string.h>

#include "sim/chip/chip.h"
#include "sim/chip/little_endian.h"

#define ENTRY_SIZE     32u
#define ENTRY_MAGIC    0x50AAu
#define MD5_MAGIC      0xEBEBu
#define MD5_OFFSET     16u
#define LABEL_OFFSET   12u
#define LABEL_SIZE     16u
#define FLAGS_OFFSET   28u
#define APP_ALIGNMENT  0x10000u
#define DATA_ALIGNMENT 0x1000u
#define OTA_SLOTS_MAX  16u

const struct sim_partition sim_partitions_two_ota[] = {
    {SIM_PARTITION_DATA, SIM_DATA_NVS, 0x9000, 0x4000, "nvs", 0},
    {SIM_PARTITION_DATA, SIM_DATA_OTA, 0xD000, 0x2000, "otadata", 0},
    {SIM_PARTITION_DATA, SIM_DATA_PHY, 0xF000, 0x1000, "phy_init", 0},
    {SIM_PARTITION_APP, SIM_APP_FACTORY, 0x10000, 0x100000, "factory", 0},
    {SIM_PARTITION_APP, SIM_APP_OTA_0, 0x110000, 0x100000, "ota_0", 0},
    {SIM_PARTITION_APP, SIM_APP_OTA_0 + 1, 0x210000, 0x100000, "ota_1", 0},
};
const size_t sim_partitions_two_ota_count =
    sizeof(sim_partitions_two_ota) / sizeof(sim_partitions_two_ota[0]);

const struct sim_partition sim_partitions_two_ota_large[] = {
    {SIM_PARTITION_DATA, SIM_DATA_NVS, 0x9000, 0x6000, "nvs", 0},
    {SIM_PARTITION_DATA, SIM_DATA_OTA, 0xF000, 0x2000, "otadata", 0},
    {SIM_PARTITION_DATA, SIM_DATA_PHY, 0x11000, 0x1000, "phy_init", 0},
    {SIM_PARTITION_APP, SIM_APP_OTA_0, 0x20000, 1700 * 1024, "ota_0", 0},
    {SIM_PARTITION_APP, SIM_APP_OTA_0 + 1, 0x1D0000, 1700 * 1024, "ota_1", 0},
};
const size_t sim_partitions_two_ota_large_count =
    sizeof(sim_partitions_two_ota_large) / sizeof(sim_partitions_two_ota_large[0]);

static bool entry_is_placed_well(const struct sim_partition *entry)
{
    uint32_t alignment =
        entry->type == SIM_PARTITION_APP ? APP_ALIGNMENT : DATA_ALIGNMENT;
    return entry->offset % alignment == 0 && entry->size > 0 &&
           entry->size % DATA_ALIGNMENT == 0 && entry->size <= UINT32_MAX - entry->offset;
}

static bool overlap(const struct sim_partition *a, const struct sim_partition *b)
{
    return a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

bool sim_partition_table_build(const struct sim_partition *entries, size_t count,
                               uint8_t ret_bytes[SIM_TABLE_SIZE])
{
    if (count == 0 || count > SIM_PARTITIONS_MAX - 1) {
        return false; /* one for the MD5, one for the end */
    }
    for (size_t i = 0; i < count; i++) {
        if (!entry_is_placed_well(&entries[i])) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (overlap(&entries[i], &entries[j])) {
                return false;
            }
        }
    }
    memset(ret_bytes, 0xFF, SIM_TABLE_SIZE);
    for (size_t i = 0; i < count; i++) {
        uint8_t *bytes = ret_bytes + i * ENTRY_SIZE;
        sim_put_le16(bytes, ENTRY_MAGIC);
        bytes[2] = entries[i].type;
        bytes[3] = entries[i].subtype;
        sim_put_le32(bytes + 4, entries[i].offset);
        sim_put_le32(bytes + 8, entries[i].size);
        memset(bytes + LABEL_OFFSET, 0, LABEL_SIZE);
        memcpy(bytes + LABEL_OFFSET, entries[i].label,
               strnlen(entries[i].label, LABEL_SIZE));
        sim_put_le32(bytes + FLAGS_OFFSET, entries[i].flags);
    }
    uint8_t *md5_entry = ret_bytes + count * ENTRY_SIZE;
    sim_put_le16(md5_entry, MD5_MAGIC);
    return mbedtls_md5_ret(ret_bytes, count * ENTRY_SIZE, md5_entry + MD5_OFFSET) == 0;
}

static void read_entry(const uint8_t *bytes, struct sim_partition *ret_entry)
{
    *ret_entry = (struct sim_partition){.type = bytes[2],
                                        .subtype = bytes[3],
                                        .offset = sim_get_le32(bytes + 4),
                                        .size = sim_get_le32(bytes + 8),
                                        .flags = sim_get_le32(bytes + FLAGS_OFFSET)};
    memcpy(ret_entry->label, bytes + LABEL_OFFSET, LABEL_SIZE);
}

static bool md5_is_right(const uint8_t *bytes, size_t index)
{
    uint8_t md5[16];
    return mbedtls_md5_ret(bytes, index * ENTRY_SIZE, md5) == 0 &&
           memcmp(md5, bytes + index * ENTRY_SIZE + MD5_OFFSET, sizeof(md5)) == 0;
}

int sim_partition_table_parse(const uint8_t bytes[SIM_TABLE_SIZE], uint32_t flash_size,
                              struct sim_partition_table *ret_table)
{
    struct sim_partition_table table = {0};
    bool md5_seen = false;
    for (size_t i = 0; i < SIM_TABLE_SIZE / ENTRY_SIZE; i++) {
        const uint8_t *entry = bytes + i * ENTRY_SIZE;
        uint16_t magic = sim_get_le16(entry);
        if (magic == ENTRY_MAGIC && table.count < SIM_PARTITIONS_MAX) {
            struct sim_partition *partition = &table.entries[table.count];
            read_entry(entry, partition);
            /* The sum may wrap, as it does in the original. */
            if (partition->offset > flash_size ||
                partition->offset + partition->size > flash_size) {
                return SIM_ERR_INVALID_SIZE;
            }
            table.count++;
        } else if (magic == MD5_MAGIC) {
            if (md5_seen || !md5_is_right(bytes, i)) {
                return SIM_ERR_INVALID_STATE;
            }
            md5_seen = true;
        } else if (i != 0 && magic == 0xFFFF && entry[2] == 0xFF && entry[3] == 0xFF) {
            *ret_table = table;
            return SIM_OK;
        } else {
            return SIM_ERR_INVALID_STATE;
        }
    }
    return SIM_ERR_INVALID_STATE;
}

const struct sim_partition *sim_partition_find(const struct sim_partition_table *table,
                                               int type, int subtype, const char *label)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct sim_partition *entry = &table->entries[i];
        if ((type < 0 || type == entry->type) &&
            (subtype < 0 || subtype == entry->subtype) &&
            (label == NULL || strcmp(label, entry->label) == 0)) {
            return entry;
        }
    }
    return NULL;
}

const struct sim_partition *sim_partition_ota(const struct sim_partition_table *table,
                                              uint32_t slot)
{
    if (slot >= OTA_SLOTS_MAX) {
        return NULL;
    }
    return sim_partition_find(table, SIM_PARTITION_APP, SIM_APP_OTA_0 + (int)slot, NULL);
}

uint32_t sim_partition_ota_count(const struct sim_partition_table *table)
{
    uint32_t count = 0;
    while (sim_partition_ota(table, count) != NULL) {
        count++;
    }
    return count;
}

bool sim_partition_is_ota(const struct sim_partition *partition)
{
    return partition->type == SIM_PARTITION_APP && partition->subtype >= SIM_APP_OTA_0 &&
           partition->subtype < SIM_APP_OTA_0 + OTA_SLOTS_MAX;
}
