/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The rule by which ESP-IDF's boot loader reads otadata. */
#include "updraft/otadata.h"

#include "bytes.h"
#include "check.h"
#include "updraft/protocol2.h"

#define SLOTS_MAX      16u
#define SEQUENCE_BLANK 0xFFFFFFFFu
/* The boot loader starts from here, and covers the sequence alone. */
#define CRC_START 0xFFFFFFFFu
/* Of esp_ota_img_states_t: the two that rule an entry out. */
#define STATE_INVALID 3u
#define STATE_ABORTED 4u

static void read_entry(const uint8_t *bytes, uint8_t slot_count,
                       struct updraft_otadata_entry *ret_entry);

void updraft_otadata_read(const uint8_t first[UPDRAFT_OTADATA_ENTRY_SIZE],
                          const uint8_t second[UPDRAFT_OTADATA_ENTRY_SIZE],
                          uint8_t slot_count, struct updraft_otadata *ret_otadata)
{
    CHECK(slot_count >= 1 && slot_count <= SLOTS_MAX);
    const struct updraft_otadata_entry *entries = ret_otadata->entries;
    read_entry(first, slot_count, &ret_otadata->entries[0]);
    read_entry(second, slot_count, &ret_otadata->entries[1]);
    ret_otadata->active = entries[0].valid ? 0 : -1;
    if (entries[1].valid &&
        (!entries[0].valid || entries[1].sequence > entries[0].sequence)) {
        ret_otadata->active = 1;
    }
}

static void read_entry(const uint8_t *bytes, uint8_t slot_count,
                       struct updraft_otadata_entry *ret_entry)
{
    struct cursor fields = cursor_over(bytes, UPDRAFT_OTADATA_ENTRY_SIZE);
    uint32_t sequence = updraft_cursor_get32(&fields);
    updraft_cursor_take(&fields, 20); /* label, which nothing uses */
    uint32_t state = updraft_cursor_get32(&fields);
    uint32_t crc = updraft_cursor_get32(&fields);
    CHECK(!fields.overrun && fields.left_bytes == 0);
    bool valid = sequence != SEQUENCE_BLANK && state != STATE_INVALID &&
                 state != STATE_ABORTED && crc == updraft_crc32(CRC_START, bytes, 4);
    *ret_entry = (struct updraft_otadata_entry){
        .sequence = sequence,
        .state = state,
        .slot = valid ? (uint8_t)((sequence - 1) % slot_count) : 0,
        .valid = valid,
    };
}
