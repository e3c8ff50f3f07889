/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What applications do to otadata: the logic behind esp_ota_ops.h. */
#include <string.h>

#include "sim/chip/otadata.h"
#include "sim/chip/verify.h"

/* Table and entries, as each of ESP-IDF's functions reads them anew. */
struct ota {
    struct sim_partition_table table;
    struct sim_otadata_entry entries[2];
    uint32_t slots;
    int active;
};

static int read_ota(const sim_chip_t *chip, struct ota *ret_ota)
{
    int error = sim_otadata_read(chip, ret_ota->entries);
    if (error != SIM_OK) {
        return error;
    }
    (void)sim_chip_table(chip, &ret_ota->table); /* read and checked the line before */
    ret_ota->slots = sim_partition_ota_count(&ret_ota->table);
    ret_ota->active = sim_otadata_active(ret_ota->entries);
    return SIM_OK;
}

static uint32_t slot_of(const struct ota *ota, int index)
{
    return (ota->entries[index].seq - 1) % ota->slots;
}

static bool image_is_whole(const sim_chip_t *chip, const struct sim_partition *partition,
                           struct sim_image_facts *ret_facts, uint64_t *us)
{
    return sim_chip_verify(chip, partition->offset, partition->size, SIM_VERIFY_ONLY,
                           NULL, NULL, ret_facts, us) == SIM_OK;
}

static int erase(sim_chip_t *chip, uint32_t offset, uint32_t size, uint64_t *us)
{
    uint64_t step_us;
    enum sim_flash_result result = sim_flash_erase(chip->flash, offset, size, &step_us);
    *us += step_us;
    return result == SIM_FLASH_OK ? SIM_OK : SIM_ERR_FLASH_OP_FAIL;
}

static int erase_otadata(sim_chip_t *chip, int index, uint64_t *us)
{
    struct sim_partition_table table;
    if (sim_chip_table(chip, &table) != SIM_OK) {
        return SIM_ERR_NOT_FOUND;
    }
    const struct sim_partition *otadata =
        sim_partition_find(&table, SIM_PARTITION_DATA, SIM_DATA_OTA, NULL);
    if (otadata == NULL) {
        return SIM_ERR_NOT_FOUND;
    }
    if (index < 0) {
        return erase(chip, otadata->offset, otadata->size, us);
    }
    return erase(chip, otadata->offset + (uint32_t)index * SIM_FLASH_SECTOR,
                 SIM_FLASH_SECTOR, us);
}

static int write_entry(sim_chip_t *chip, struct ota *ota, int index, uint32_t seq,
                       uint32_t state, uint64_t *us)
{
    ota->entries[index].seq = seq;
    ota->entries[index].state = state;
    ota->entries[index].crc = sim_otadata_crc(seq);
    return sim_otadata_write(chip, index, &ota->entries[index], us);
}

/* The smallest number from `current` on that means the slot. */
static uint32_t seq_for_slot(uint32_t current, uint32_t slot, uint32_t slots)
{
    uint64_t seq = (slot + 1) % slots;
    if (current > seq) {
        seq += (current - seq + slots - 1) / slots * slots;
    }
    return (uint32_t)seq;
}

static int select_slot(sim_chip_t *chip, uint8_t subtype, uint64_t *us)
{
    struct ota ota;
    int error = read_ota(chip, &ota);
    if (error != SIM_OK) {
        return error;
    }
    uint32_t slot = subtype & 0x0Fu;
    if (slot >= ota.slots) {
        return SIM_ERR_INVALID_ARG;
    }
    uint32_t state = chip->app_without_rollback ? SIM_OTA_UNDEFINED : SIM_OTA_NEW;
    if (ota.active < 0) {
        return write_entry(chip, &ota, 0, slot + 1, state, us);
    }
    uint32_t current = ota.entries[ota.active].seq;
    if (chip->idf_major >= 6 && slot_of(&ota, ota.active) == slot) {
        return write_entry(chip, &ota, ota.active, current, state, us);
    }
    /* ESP-IDF 5 comes here for the active slot as well: the other record gets a sequence
     * number that is not higher. */
    return write_entry(chip, &ota, 1 - ota.active, seq_for_slot(current, slot, ota.slots),
                       state, us);
}

static int set_boot(sim_chip_t *chip, const struct sim_partition *partition, uint64_t *us)
{
    struct sim_image_facts facts;
    if (!image_is_whole(chip, partition, &facts, us)) {
        return SIM_ERR_OTA_VALIDATE_FAILED;
    }
    if (partition->type != SIM_PARTITION_APP) {
        return SIM_ERR_INVALID_ARG;
    }
    if (partition->subtype == SIM_APP_FACTORY) {
        return erase_otadata(chip, -1, us);
    }
    if (chip->anti_rollback && facts.secure_version < chip->secure_version) {
        int error = erase(chip, partition->offset, partition->size, us);
        return error != SIM_OK ? error : SIM_ERR_OTA_SMALL_SECURE_VERSION;
    }
    return select_slot(chip, partition->subtype, us);
}

int sim_ota_set_boot(sim_chip_t *chip, const struct sim_partition *partition,
                     uint64_t *ret_us)
{
    *ret_us = 0;
    if (partition == NULL) {
        return SIM_ERR_INVALID_ARG;
    }
    sim_flash_group_begin(chip->flash);
    int error = set_boot(chip, partition, ret_us);
    sim_flash_group_end(chip->flash);
    return error;
}

static int default_boot(const struct ota *ota, struct sim_partition *ret_partition)
{
    const struct sim_partition *found =
        sim_partition_find(&ota->table, SIM_PARTITION_APP, SIM_APP_FACTORY, NULL);
    for (uint32_t slot = 0; found == NULL && slot < 16; slot++) {
        found = sim_partition_ota(&ota->table, slot);
    }
    if (found == NULL) {
        found = sim_partition_find(&ota->table, SIM_PARTITION_APP, SIM_APP_TEST, NULL);
    }
    if (found == NULL) {
        return SIM_ERR_NOT_FOUND;
    }
    *ret_partition = *found;
    return SIM_OK;
}

int sim_ota_get_boot(const sim_chip_t *chip, struct sim_partition *ret_partition)
{
    struct ota ota;
    int error = read_ota(chip, &ota);
    if (error != SIM_OK) {
        return error;
    }
    if (ota.active < 0 || ota.slots == 0) {
        return default_boot(&ota, ret_partition);
    }
    *ret_partition = *sim_partition_ota(&ota.table, slot_of(&ota, ota.active));
    return SIM_OK;
}

/* As esp_efuse_update_secure_version: the number only grows. */
static void burn_secure_version(sim_chip_t *chip, const struct sim_partition *running)
{
    struct sim_image_facts facts;
    uint64_t us = 0;
    if (running != NULL && image_is_whole(chip, running, &facts, &us) &&
        facts.secure_version > chip->secure_version) {
        chip->secure_version = facts.secure_version;
    }
}

int sim_ota_mark_valid(sim_chip_t *chip, const struct sim_partition *running,
                       uint64_t *ret_us)
{
    *ret_us = 0;
    struct ota ota;
    int error = read_ota(chip, &ota);
    if (error != SIM_OK) {
        return error;
    }
    if (ota.active < 0 || ota.slots == 0) {
        return SIM_FAIL;
    }
    if (ota.entries[ota.active].state == SIM_OTA_VALID) {
        return SIM_OK;
    }
    sim_flash_group_begin(chip->flash);
    error = write_entry(chip, &ota, ota.active, ota.entries[ota.active].seq,
                        SIM_OTA_VALID, ret_us);
    sim_flash_group_end(chip->flash);
    if (error == SIM_OK && chip->anti_rollback) {
        burn_secure_version(chip, running);
    }
    return error;
}

static bool rollback_is_possible(const sim_chip_t *chip, const struct ota *ota,
                                 uint64_t *us)
{
    if (ota->slots == 0 || ota->active < 0) {
        return false;
    }
    int other = 1 - ota->active;
    const struct sim_partition *partition = NULL;
    if (sim_otadata_is_valid(&ota->entries[other])) {
        partition = sim_partition_ota(&ota->table, slot_of(ota, other));
    } else if (!chip->anti_rollback) {
        partition =
            sim_partition_find(&ota->table, SIM_PARTITION_APP, SIM_APP_FACTORY, NULL);
    }
    struct sim_image_facts facts;
    if (partition == NULL || !image_is_whole(chip, partition, &facts, us)) {
        return false;
    }
    return !chip->anti_rollback || facts.secure_version >= chip->secure_version;
}

bool sim_ota_rollback_is_possible(sim_chip_t *chip, uint64_t *ret_us)
{
    *ret_us = 0;
    struct ota ota;
    return read_ota(chip, &ota) == SIM_OK && rollback_is_possible(chip, &ota, ret_us);
}

int sim_ota_mark_invalid(sim_chip_t *chip, uint64_t *ret_us)
{
    *ret_us = 0;
    struct ota ota;
    int error = read_ota(chip, &ota);
    if (error != SIM_OK) {
        return error;
    }
    if (ota.active < 0 || ota.slots == 0) {
        return SIM_FAIL;
    }
    sim_flash_group_begin(chip->flash);
    error = SIM_ERR_OTA_ROLLBACK_FAILED;
    if (rollback_is_possible(chip, &ota, ret_us)) {
        error = write_entry(chip, &ota, ota.active, ota.entries[ota.active].seq,
                            SIM_OTA_INVALID, ret_us);
    }
    sim_flash_group_end(chip->flash);
    return error;
}

static bool was_refused(const struct sim_otadata_entry *entry)
{
    return entry->seq != 0xFFFFFFFF && entry->crc == sim_otadata_crc(entry->seq) &&
           (entry->state == SIM_OTA_INVALID || entry->state == SIM_OTA_ABORTED);
}

int sim_ota_get_last_invalid(sim_chip_t *chip, struct sim_partition *ret_partition,
                             uint64_t *ret_us)
{
    *ret_us = 0;
    struct ota ota;
    int error = read_ota(chip, &ota);
    if (error != SIM_OK) {
        return SIM_ERR_NOT_FOUND;
    }
    bool refused[2] = {was_refused(&ota.entries[0]), was_refused(&ota.entries[1])};
    int index = sim_otadata_select(ota.entries, refused, false);
    if (index < 0 || ota.slots == 0) {
        return SIM_ERR_NOT_FOUND;
    }
    const struct sim_partition *partition =
        sim_partition_ota(&ota.table, slot_of(&ota, index));
    if (!image_is_whole(chip, partition, NULL, ret_us)) {
        return SIM_ERR_NOT_FOUND;
    }
    *ret_partition = *partition;
    return SIM_OK;
}

int sim_ota_get_state(const sim_chip_t *chip, const struct sim_partition *partition,
                      uint32_t *ret_state)
{
    if (partition == NULL || ret_state == NULL) {
        return SIM_ERR_INVALID_ARG;
    }
    if (!sim_partition_is_ota(partition)) {
        return SIM_ERR_NOT_SUPPORTED;
    }
    struct ota ota;
    if (read_ota(chip, &ota) != SIM_OK || ota.slots == 0) {
        return SIM_ERR_NOT_FOUND;
    }
    for (int i = 0; i < 2; i++) {
        if (slot_of(&ota, i) == (uint32_t)(partition->subtype - SIM_APP_OTA_0) &&
            ota.entries[i].crc == sim_otadata_crc(ota.entries[i].seq)) {
            *ret_state = ota.entries[i].state;
            return SIM_OK;
        }
    }
    return SIM_ERR_NOT_FOUND;
}

/* Forgets the inactive entry and, if erase_app, what its slot holds. */
static int forget_inactive(sim_chip_t *chip, const struct sim_partition *running,
                           bool erase_app, uint64_t *us)
{
    struct ota ota;
    if (read_ota(chip, &ota) != SIM_OK || ota.active < 0 || ota.slots == 0) {
        return SIM_FAIL;
    }
    int other = 1 - ota.active;
    const struct sim_otadata_entry *entry = &ota.entries[other];
    if (entry->seq == 0xFFFFFFFF || entry->crc != sim_otadata_crc(entry->seq)) {
        return SIM_FAIL;
    }
    const struct sim_partition *partition =
        sim_partition_ota(&ota.table, slot_of(&ota, other));
    if (running == NULL || partition->offset == running->offset) {
        return SIM_FAIL;
    }
    if (erase_app) {
        int error = erase(chip, partition->offset, partition->size, us);
        if (error != SIM_OK) {
            return error;
        }
    }
    return erase_otadata(chip, other, us);
}

int sim_ota_erase_last_boot_app(sim_chip_t *chip, const struct sim_partition *running,
                                uint64_t *ret_us)
{
    *ret_us = 0;
    sim_flash_group_begin(chip->flash);
    int error = forget_inactive(chip, running, true, ret_us);
    sim_flash_group_end(chip->flash);
    return error;
}

int sim_ota_begin_forget(sim_chip_t *chip, const struct sim_partition *running,
                         const struct sim_partition *target, uint64_t *ret_us)
{
    *ret_us = 0;
    bool forgets = chip->idf_major > 5 || (chip->idf_major == 5 && chip->idf_minor >= 5);
    if (!forgets || chip->app_without_rollback || !sim_partition_is_ota(target)) {
        return SIM_OK;
    }
    sim_flash_group_begin(chip->flash);
    int error = forget_inactive(chip, running, false, ret_us);
    sim_flash_group_end(chip->flash);
    return error;
}

const struct sim_partition *sim_ota_next_update(const struct sim_partition_table *table,
                                                const struct sim_partition *from)
{
    const struct sim_partition *first = NULL;
    bool take_next = false;
    for (uint32_t slot = 0; slot < 16; slot++) {
        const struct sim_partition *partition = sim_partition_ota(table, slot);
        if (partition == NULL) {
            continue;
        }
        if (first == NULL) {
            first = partition;
        }
        if (partition->offset == from->offset) {
            take_next = true;
        } else if (take_next) {
            return partition;
        }
    }
    return first;
}
