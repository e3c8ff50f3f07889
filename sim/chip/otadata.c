/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The two records of otadata, one at a time. */
#include "sim/chip/otadata.h"

#include <string.h>

#include "sim/chip/little_endian.h"

#define SEQ_BLANK    0xFFFFFFFFu
#define LABEL_OFFSET 4u
#define STATE_OFFSET 24u
#define CRC_OFFSET   28u

void sim_otadata_decode(const uint8_t bytes[SIM_OTADATA_ENTRY_SIZE],
                        struct sim_otadata_entry *ret_entry)
{
    ret_entry->seq = sim_get_le32(bytes);
    memcpy(ret_entry->label, bytes + LABEL_OFFSET, sizeof(ret_entry->label));
    ret_entry->state = sim_get_le32(bytes + STATE_OFFSET);
    ret_entry->crc = sim_get_le32(bytes + CRC_OFFSET);
}

void sim_otadata_encode(const struct sim_otadata_entry *entry,
                        uint8_t ret_bytes[SIM_OTADATA_ENTRY_SIZE])
{
    sim_put_le32(ret_bytes, entry->seq);
    memcpy(ret_bytes + LABEL_OFFSET, entry->label, sizeof(entry->label));
    sim_put_le32(ret_bytes + STATE_OFFSET, entry->state);
    sim_put_le32(ret_bytes + CRC_OFFSET, entry->crc);
}

/* The ROM's crc32_le with argument FFFFFFFF: reflected, polynomial EDB88320, and both its
 * inversions make the register start at 0. */
uint32_t sim_otadata_crc(uint32_t seq)
{
    uint32_t crc = seq;
    for (int bit = 0; bit < 32; bit++) {
        crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

const char *sim_ota_state_name(uint32_t state)
{
    static const char *const names[] = {"NEW", "PENDING_VERIFY", "VALID", "INVALID",
                                        "ABORTED"};
    if (state == SIM_OTA_UNDEFINED) {
        return "UNDEFINED";
    }
    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

bool sim_otadata_is_invalid(const struct sim_otadata_entry *entry)
{
    return entry->seq == SEQ_BLANK || entry->state == SIM_OTA_INVALID ||
           entry->state == SIM_OTA_ABORTED;
}

bool sim_otadata_is_valid(const struct sim_otadata_entry *entry)
{
    return !sim_otadata_is_invalid(entry) && entry->crc == sim_otadata_crc(entry->seq);
}

int sim_otadata_select(const struct sim_otadata_entry entries[2], const bool counts[2],
                       bool highest)
{
    if (counts[0] && counts[1]) {
        if (entries[0].seq == entries[1].seq) {
            return 0;
        }
        bool second_is_higher = entries[1].seq > entries[0].seq;
        return second_is_higher == highest ? 1 : 0;
    }
    return counts[0] ? 0 : counts[1] ? 1 : -1;
}

int sim_otadata_active(const struct sim_otadata_entry entries[2])
{
    bool valid[2] = {sim_otadata_is_valid(&entries[0]),
                     sim_otadata_is_valid(&entries[1])};
    return sim_otadata_select(entries, valid, true);
}

static int find_otadata(const sim_chip_t *chip, uint32_t *ret_offset)
{
    struct sim_partition_table table;
    if (sim_chip_table(chip, &table) != SIM_OK) {
        return SIM_ERR_NOT_FOUND;
    }
    const struct sim_partition *otadata =
        sim_partition_find(&table, SIM_PARTITION_DATA, SIM_DATA_OTA, NULL);
    if (otadata == NULL || otadata->size < SIM_OTADATA_SIZE ||
        otadata->offset > sim_flash_size(chip->flash) - SIM_OTADATA_SIZE) {
        return SIM_ERR_NOT_FOUND;
    }
    *ret_offset = otadata->offset;
    return SIM_OK;
}

int sim_otadata_read(const sim_chip_t *chip, struct sim_otadata_entry ret_entries[2])
{
    uint32_t offset;
    int error = find_otadata(chip, &offset);
    if (error != SIM_OK) {
        return error;
    }
    const uint8_t *bytes = sim_flash_bytes(chip->flash) + offset;
    sim_otadata_decode(bytes, &ret_entries[0]);
    sim_otadata_decode(bytes + SIM_FLASH_SECTOR, &ret_entries[1]);
    return SIM_OK;
}

int sim_otadata_write(sim_chip_t *chip, int index, const struct sim_otadata_entry *entry,
                      uint64_t *us)
{
    uint32_t offset;
    int error = find_otadata(chip, &offset);
    if (error != SIM_OK) {
        return error;
    }
    offset += index == 0 ? 0 : SIM_FLASH_SECTOR;
    uint8_t bytes[SIM_OTADATA_ENTRY_SIZE];
    sim_otadata_encode(entry, bytes);
    uint64_t step_us;
    enum sim_flash_result result =
        sim_flash_erase(chip->flash, offset, SIM_FLASH_SECTOR, &step_us);
    *us += step_us;
    if (result == SIM_FLASH_OK) {
        result = sim_flash_program(chip->flash, offset, bytes, sizeof(bytes), &step_us);
        *us += step_us;
    }
    return result == SIM_FLASH_OK ? SIM_OK : SIM_ERR_FLASH_OP_FAIL;
}
