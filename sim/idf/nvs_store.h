/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The storage below nvs.h: a log of records over the sectors of a partition. */
#ifndef SIM_NVS_STORE_H
#define SIM_NVS_STORE_H

#include "nvs.h"
#include "sim/idf/internal.h"

/* The format is the simulator's own. A page is a sector: a header, then records from the
 * front to the back, the last of a key counting. A record's head is written after its
 * data, so a cut leaves the record there or not there. One page is always free: when the
 * others are full, the live records of one are copied to it, the copy is marked as
 * complete, and the old page is erased. */

#define NVS_CELL_SIZE      32u
#define NVS_PAGE_SIZE      SIM_FLASH_SECTOR
#define NVS_FORMAT_VERSION 1u
#define NVS_HEAD_SIZE      64u
#define NVS_VALUE_MAX      (NVS_PAGE_SIZE - NVS_CELL_SIZE - NVS_HEAD_SIZE)

/* Types besides nvs_type_t's. */
#define NVS_TYPE_ERASED    0x00u /* the key is gone */
#define NVS_TYPE_NAMESPACE 0xFEu /* the namespace exists; key "" */

struct nvs_record {
    uint8_t type;
    char namespace_name[NVS_NS_NAME_MAX_SIZE];
    char key[NVS_KEY_NAME_MAX_SIZE];
    uint32_t size;       /* of the value */
    uint32_t offset;     /* of the head, in the partition */
    uint64_t age;        /* the larger, the newer */
    const uint8_t *data; /* in flash */
};

/* Makes the partition fit for use; finishes what a cut interrupted. */
esp_err_t nvs_store_mount(sim_board_t *board, const esp_partition_t *partition);
/* The newest record of the key, NVS_TYPE_ERASED ones as well. key NULL: of any key of
 * the namespace that is not erased. */
bool nvs_store_find(sim_board_t *board, const esp_partition_t *partition,
                    const char *namespace_name, const char *key,
                    struct nvs_record *ret_record);
/* Appends a record, after making room for it. */
esp_err_t nvs_store_write(sim_board_t *board, const esp_partition_t *partition,
                          const char *namespace_name, const char *key, uint8_t type,
                          const void *value, uint32_t size);

#endif
