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

static struct updraft_otadata_entry read_entry(const uint8_t *bytes, uint8_t slot_count);

void updraft_otadata_read(const uint8_t first[UPDRAFT_OTADATA_ENTRY_SIZE],
                          const uint8_t second[UPDRAFT_OTADATA_ENTRY_SIZE],
                          uint8_t slot_count, struct updraft_otadata *ret_otadata)
{
    CHECK(slot_count >= 1 && slot_count <= SLOTS_MAX);
    struct updraft_otadata otadata = {
        .entries = {read_entry(first, slot_count), read_entry(second, slot_count)},
        .active = -1,
    };
    for (int i = 0; i < 2; i++) {
        const struct updraft_otadata_entry *entry = &otadata.entries[i];
        if (entry->valid &&
            (otadata.active < 0 ||
             entry->sequence > otadata.entries[otadata.active].sequence)) {
            otadata.active = i;
        }
    }
    *ret_otadata = otadata;
}

static struct updraft_otadata_entry read_entry(const uint8_t *bytes, uint8_t slot_count)
{
    struct cursor fields = cursor_over(bytes, UPDRAFT_OTADATA_ENTRY_SIZE);
    struct updraft_otadata_entry entry = {0};
    entry.sequence = updraft_cursor_get32(&fields);
    updraft_cursor_take(&fields, 20); /* label, which nothing uses */
    entry.state = updraft_cursor_get32(&fields);
    uint32_t crc = updraft_cursor_get32(&fields);
    CHECK(!fields.overrun && fields.left_bytes == 0);
    entry.valid = entry.sequence != SEQUENCE_BLANK && entry.state != STATE_INVALID &&
                  entry.state != STATE_ABORTED &&
                  crc == updraft_crc32(CRC_START, bytes, 4);
    if (entry.valid) {
        entry.slot = (uint8_t)((entry.sequence - 1) % slot_count);
    }
    return entry;
}
