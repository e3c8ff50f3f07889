/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The chip below the firmware: flash, what the boot loader does with it, and power. */
#ifndef SIM_CHIP_H
#define SIM_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/chip/boot.h"
#include "sim/chip/flash.h"
#include "sim/chip/model.h"
#include "sim/chip/partition.h"

/* Where the partition table lies unless a chip says otherwise. */
#define SIM_TABLE_OFFSET 0x8000u

/* Results of functions that stand for ESP-IDF's: the values of esp_err_t. When the power
 * went during the call, SIM_ERR_FLASH_OP_FAIL is returned and sim_flash_is_cut() tells.
 */
enum sim_error {
    SIM_OK = 0,
    SIM_FAIL = -1,
    SIM_ERR_NO_MEM = 0x101,
    SIM_ERR_INVALID_ARG = 0x102,
    SIM_ERR_INVALID_STATE = 0x103,
    SIM_ERR_INVALID_SIZE = 0x104,
    SIM_ERR_NOT_FOUND = 0x105,
    SIM_ERR_NOT_SUPPORTED = 0x106,
    SIM_ERR_OTA_CONFLICT = 0x1501,
    SIM_ERR_OTA_SELECT_INFO = 0x1502,
    SIM_ERR_OTA_VALIDATE_FAILED = 0x1503,
    SIM_ERR_OTA_SMALL_SECURE_VERSION = 0x1504,
    SIM_ERR_OTA_ROLLBACK_FAILED = 0x1505,
    SIM_ERR_OTA_ROLLBACK_STATE = 0x1506,
    SIM_ERR_IMAGE_INVALID = 0x2002,
    SIM_ERR_FLASH_OP_FAIL = 0x6001,
};

/* Knows no FreeRTOS and no radio. Time is told, never taken: an operation returns how
 * long it takes, and whoever called lets that time pass. Zero is the usual choice for
 * everything from table_offset down. */
typedef struct sim_chip {
    uint16_t chip_id;  /* as in the image header */
    uint16_t revision; /* major * 100 + minor */
    int idf_major;     /* boot loader and esp_ota_* as in ESP-IDF 5 or 6 */
    sim_flash_t *flash;
    uint32_t table_offset;         /* of the partition table; 0: SIM_TABLE_OFFSET */
    int idf_minor;                 /* 5.5 and later forget a record in esp_ota_begin */
    uint16_t efuse_block_revision; /* major * 100 + minor */
    bool ignore_maximum_revision;  /* the eFuses that disable the maximum checks */
    bool boot_without_rollback;    /* a boot loader built without rollback */
    bool app_without_rollback;     /* an application built without rollback */
    bool anti_rollback;            /* both built with anti-rollback */
    uint32_t secure_version;       /* eFuse, for anti-rollback; only ever grows */
    bool factory_reset_held;    /* the factory reset pin, through the whole hold time */
    bool factory_reset_otadata; /* the reset erases otadata as well */
    const char *factory_reset_erases; /* labels of data partitions; NULL: "nvs" */
} sim_chip_t;

/* A chip with everything usual. The flash is blank: see sim_chip_flash_factory. */
sim_chip_t *sim_chip_new(sim_arena_t *arena, const struct sim_chip_model *model,
                         int idf_major, int idf_minor, sim_flash_t *flash);

/* What a programmer in a factory writes, without time or wear: erases the whole flash,
 * then boot loader, partition table and a blank otadata. False: the entries do not make a
 * table that fits the flash, or no model has this chip id. */
bool sim_chip_flash_factory(sim_chip_t *chip, const struct sim_partition *entries,
                            size_t count);

/* Puts bytes into a partition, the rest of which becomes FF; without time or wear. False:
 * no such partition, or they do not fit. */
bool sim_chip_install(sim_chip_t *chip, const char *label, const void *bytes,
                      size_t size);

/* The table as the flash holds it. SIM_OK, or as sim_partition_table_parse. */
int sim_chip_table(const sim_chip_t *chip, struct sim_partition_table *ret_table);

#endif
