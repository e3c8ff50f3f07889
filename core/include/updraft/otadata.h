/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Reading ESP-IDF's otadata: which slots its two entries name. */
#ifndef UPDRAFT_OTADATA_H
#define UPDRAFT_OTADATA_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The format is esp_ota_select_entry_t of ESP-IDF's esp_flash_partitions.h: one entry of
 * 32 bytes at the start of each of the partition's two sectors. */
#define UPDRAFT_OTADATA_ENTRY_SIZE 32u

/* One entry as the boot loader judges it. */
struct updraft_otadata_entry {
    uint32_t sequence;
    uint32_t state; /* esp_ota_img_states_t */
    bool valid;     /* CRC right, neither INVALID nor ABORTED */
    uint8_t slot;   /* (sequence - 1) mod slot_count; only where valid */
};

struct updraft_otadata {
    struct updraft_otadata_entry entries[2];
    int active; /* the valid entry with the larger sequence (equal: 0), or -1 */
};

/* Judges the two entries. slot_count: OTA slots in the partition table, 1 to 16. */
void updraft_otadata_read(const uint8_t first[UPDRAFT_OTADATA_ENTRY_SIZE],
                          const uint8_t second[UPDRAFT_OTADATA_ENTRY_SIZE],
                          uint8_t slot_count, struct updraft_otadata *ret_otadata);

#ifdef __cplusplus
}
#endif

#endif
