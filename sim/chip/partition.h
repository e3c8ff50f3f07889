/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * ESP-IDF's binary partition table: made, checked, searched. */
#ifndef SIM_PARTITION_H
#define SIM_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_TABLE_SIZE     0xC00u /* bytes: 96 entries */
#define SIM_PARTITIONS_MAX 95u    /* the last entry ends the table */

enum sim_partition_type {
    SIM_PARTITION_APP = 0x00,
    SIM_PARTITION_DATA = 0x01,
    SIM_PARTITION_BOOT_LOADER = 0x02,
    SIM_PARTITION_TABLE = 0x03,
};

enum sim_partition_subtype {
    SIM_APP_FACTORY = 0x00,
    SIM_APP_OTA_0 = 0x10, /* to 0x1F */
    SIM_APP_TEST = 0x20,
    SIM_DATA_OTA = 0x00,
    SIM_DATA_PHY = 0x01,
    SIM_DATA_NVS = 0x02,
};

#define SIM_PARTITION_ENCRYPTED 1u
#define SIM_PARTITION_READONLY  2u

struct sim_partition {
    uint8_t type;
    uint8_t subtype;
    uint32_t offset;
    uint32_t size;
    char label[17]; /* 16 bytes in flash, not terminated there when full */
    uint32_t flags;
};

struct sim_partition_table {
    size_t count;
    struct sim_partition entries[SIM_PARTITIONS_MAX];
};

/* ESP-IDF's stock tables "factory app, two OTA definitions" (4 MB flash; the one of the
 * original protocol) and "two large size OTA partitions" (without factory). */
extern const struct sim_partition sim_partitions_two_ota[];
extern const size_t sim_partitions_two_ota_count;
extern const struct sim_partition sim_partitions_two_ota_large[];
extern const size_t sim_partitions_two_ota_large_count;

/* Writes the whole table as ESP-IDF's build makes it: entries, MD5 entry, FF. False: more
 * than 94 entries, an app not on 64 KiB, another not on 4 KiB, or two that overlap. */
bool sim_partition_table_build(const struct sim_partition *entries, size_t count,
                               uint8_t ret_bytes[SIM_TABLE_SIZE]);

/* Checks and reads a table as ESP-IDF does. 0; SIM_ERR_INVALID_SIZE: a partition reaches
 * beyond flash_size; SIM_ERR_INVALID_STATE: bad magic, bad or second MD5, empty, or
 * without an end. ret_table is untouched then. */
int sim_partition_table_parse(const uint8_t bytes[SIM_TABLE_SIZE], uint32_t flash_size,
                              struct sim_partition_table *ret_table);

/* The first that matches; -1 and NULL match any. NULL: none. */
const struct sim_partition *sim_partition_find(const struct sim_partition_table *table,
                                               int type, int subtype, const char *label);

/* OTA slots as the application counts them: ota_0, ota_1, ... up to the first gap. */
uint32_t sim_partition_ota_count(const struct sim_partition_table *table);
/* NULL: no such slot. */
const struct sim_partition *sim_partition_ota(const struct sim_partition_table *table,
                                              uint32_t slot);
bool sim_partition_is_ota(const struct sim_partition *partition);

#endif
