/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * otadata, the two records that tell the boot loader what to load, and every change that
 * ESP-IDF makes to them. */
#ifndef SIM_OTADATA_H
#define SIM_OTADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/chip/chip.h"

#define SIM_OTADATA_ENTRY_SIZE 32u
#define SIM_OTADATA_SIZE       (2u * SIM_FLASH_SECTOR)

enum sim_ota_state {
    SIM_OTA_NEW = 0,
    SIM_OTA_PENDING_VERIFY = 1,
    SIM_OTA_VALID = 2,
    SIM_OTA_INVALID = 3,
    SIM_OTA_ABORTED = 4,
};
#define SIM_OTA_UNDEFINED 0xFFFFFFFFu

struct sim_otadata_entry {
    uint32_t seq;
    uint8_t label[20];
    uint32_t
        state;    /* any value; enum sim_ota_state and SIM_OTA_UNDEFINED mean something */
    uint32_t crc; /* of seq alone */
};

void sim_otadata_decode(const uint8_t bytes[SIM_OTADATA_ENTRY_SIZE],
                        struct sim_otadata_entry *ret_entry);
void sim_otadata_encode(const struct sim_otadata_entry *entry,
                        uint8_t ret_bytes[SIM_OTADATA_ENTRY_SIZE]);
uint32_t sim_otadata_crc(uint32_t seq);
/* "NEW", "PENDING_VERIFY", ... "UNDEFINED", or "unknown". */
const char *sim_ota_state_name(uint32_t state);

/* Sequence number FFFFFFFF, or state INVALID or ABORTED; the CRC does not count. */
bool sim_otadata_is_invalid(const struct sim_otadata_entry *entry);
/* Not invalid, and the CRC is right. */
bool sim_otadata_is_valid(const struct sim_otadata_entry *entry);
/* Index of the entry with the highest (or lowest) sequence number among those that count;
 * 0 when they are equal, -1 when none counts. */
int sim_otadata_select(const struct sim_otadata_entry entries[2], const bool counts[2],
                       bool highest);
/* Index of the active entry: the highest of the valid ones; -1: none. */
int sim_otadata_active(const struct sim_otadata_entry entries[2]);

/* Both entries as the flash holds them. SIM_ERR_NOT_FOUND: no otadata partition. */
int sim_otadata_read(const sim_chip_t *chip, struct sim_otadata_entry ret_entries[2]);
/* Erases the sector of entry `index` and programs `entry`: what every change does. Adds
 * to *us. */
int sim_otadata_write(sim_chip_t *chip, int index, const struct sim_otadata_entry *entry,
                      uint64_t *us);

/* The functions below are those of esp_ota_ops.h: same results, same flash operations in
 * the same order. Each sets *ret_us to the time of its operations and reads, which stand
 * as one group in time: let it pass, then sim_flash_settle. Whether the chip is as in
 * ESP-IDF 5 or 6 decides where the two differ. */

/* esp_ota_set_boot_partition, with its verification of the image. */
int sim_ota_set_boot(sim_chip_t *chip, const struct sim_partition *partition,
                     uint64_t *ret_us);
/* esp_ota_get_boot_partition. SIM_ERR_NOT_FOUND: NULL there. */
int sim_ota_get_boot(const sim_chip_t *chip, struct sim_partition *ret_partition);
/* esp_ota_mark_app_valid_cancel_rollback: of the active entry, whatever runs. `running`
 * is for anti-rollback alone. */
int sim_ota_mark_valid(sim_chip_t *chip, const struct sim_partition *running,
                       uint64_t *ret_us);
/* esp_ota_mark_app_invalid_rollback (the caller restarts). */
int sim_ota_mark_invalid(sim_chip_t *chip, uint64_t *ret_us);
/* esp_ota_check_rollback_is_possible. */
bool sim_ota_rollback_is_possible(sim_chip_t *chip, uint64_t *ret_us);
/* esp_ota_get_last_invalid_partition. SIM_ERR_NOT_FOUND: NULL there. */
int sim_ota_get_last_invalid(sim_chip_t *chip, struct sim_partition *ret_partition,
                             uint64_t *ret_us);
/* esp_ota_get_state_partition. */
int sim_ota_get_state(const sim_chip_t *chip, const struct sim_partition *partition,
                      uint32_t *ret_state);
/* esp_ota_erase_last_boot_app_partition. */
int sim_ota_erase_last_boot_app(sim_chip_t *chip, const struct sim_partition *running,
                                uint64_t *ret_us);
/* What esp_ota_begin does to otadata after its erase of `target`: nothing before ESP-IDF
 * 5.5; else it forgets the inactive entry, unless that entry means the running slot. The
 * result is not esp_ota_begin's, which ignores it. */
int sim_ota_begin_forget(sim_chip_t *chip, const struct sim_partition *running,
                         const struct sim_partition *target, uint64_t *ret_us);
/* esp_ota_get_next_update_partition; `from` is the running one as a rule. NULL: the table
 * has no OTA slot. */
const struct sim_partition *sim_ota_next_update(const struct sim_partition_table *table,
                                                const struct sim_partition *from);

#endif
