/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Partition table and otadata: any bytes. What boots was verified; the engine reads
 * otadata as the boot loader does; and whatever it holds, making a slot ready for an
 * update keeps the board, with the power cut anywhere in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/md5.h>

#include "fuzz/fuzz.h"
#include "sim/chip/little_endian.h"
#include "sim/chip/verify.h"
#include "tests/unit/slot_fixture.h"
#include "updraft/otadata.h"

#define FIXTURES    4u
#define TABLE_ENTRY 32u
#define FLASH_SIZE  (4u << 20)

static struct {
    struct chip_fixture fixture;
    sim_snapshot_t *snapshot;
} boards[FIXTURES];

static void set_up(void)
{
    for (unsigned i = 0; i < FIXTURES; i++) {
        fixture_make((i & 1) != 0 ? 6 : 5, (i & 2) == 0);
        boards[i].snapshot = sim_arena_snapshot(fixture.arena);
        boards[i].fixture = fixture;
    }
}

static void take_board(unsigned i)
{
    fixture = boards[i].fixture;
    sim_arena_restore(fixture.arena, boards[i].snapshot);
    slot_partitions_make();
}

/* Entries as the input has them, then an MD5 that is right, if there is room for it. */
static void try_table(struct fuzz_input *input)
{
    static uint8_t table[SIM_TABLE_SIZE];
    struct sim_partition_table parsed;
    size_t size;
    bool mend = (fuzz_8(input) & 1) != 0;
    const uint8_t *bytes = fuzz_bytes(input, sizeof(table), &size);
    memset(table, 0xFF, sizeof(table));
    memcpy(table, bytes, size);
    size_t entries = size / TABLE_ENTRY;
    if (mend && entries > 0 && entries + 1 < sizeof(table) / TABLE_ENTRY) {
        memset(table + entries * TABLE_ENTRY, 0xFF, TABLE_ENTRY);
        sim_put_le16(table + entries * TABLE_ENTRY, 0xEBEB);
        FUZZ_HOLDS(mbedtls_md5_ret(table, entries * TABLE_ENTRY,
                                   table + entries * TABLE_ENTRY + 16) == 0);
    }
    sim_flash_load(fixture.flash, SIM_TABLE_OFFSET, table, sizeof(table));
    if (sim_partition_table_parse(table, FLASH_SIZE, &parsed) == SIM_OK) {
        FUZZ_HOLDS(parsed.count <= SIM_PARTITIONS_MAX);
        FUZZ_HOLDS(sim_partition_ota_count(&parsed) <= 16);
        for (size_t i = 0; i < parsed.count; i++) {
            FUZZ_HOLDS(memchr(parsed.entries[i].label, 0, 17) != NULL);
            (void)sim_ota_next_update(&parsed, &parsed.entries[i]);
        }
    }
    (void)boot(); /* anything but a crash */
}

static void put_raw_entry(unsigned index, const uint8_t bytes[SIM_OTADATA_ENTRY_SIZE])
{
    uint8_t sector[SIM_FLASH_SECTOR];
    memset(sector, 0xFF, sizeof(sector));
    memcpy(sector, bytes, SIM_OTADATA_ENTRY_SIZE);
    sim_flash_load(fixture.flash, part("otadata")->offset + index * SIM_FLASH_SECTOR,
                   sector, sizeof(sector));
}

static void put_entries(struct fuzz_input *input, uint8_t mend)
{
    uint8_t entries[2][SIM_OTADATA_ENTRY_SIZE];
    struct updraft_otadata read;
    struct sim_otadata_entry decoded[2];
    for (unsigned i = 0; i < 2; i++) {
        size_t size;
        const uint8_t *bytes = fuzz_bytes(input, SIM_OTADATA_ENTRY_SIZE, &size);
        memset(entries[i], 0xFF, sizeof(entries[i]));
        memcpy(entries[i], bytes, size);
        if ((mend >> i & 1) != 0) {
            /* The checksum is right, and the sequence one that boards have. */
            entries[i][1] = entries[i][2] = entries[i][3] = 0;
            sim_put_le32(entries[i] + 28, sim_otadata_crc(sim_get_le32(entries[i])));
        }
        put_raw_entry(i, entries[i]);
        sim_otadata_decode(entries[i], &decoded[i]);
    }
    uint8_t slots = 1u + fuzz_8(input) % 16u;
    updraft_otadata_read(entries[0], entries[1], slots, &read);
    FUZZ_HOLDS(read.active == sim_otadata_active(decoded));
    for (unsigned i = 0; i < 2; i++) {
        FUZZ_HOLDS(read.entries[i].valid == sim_otadata_is_valid(&decoded[i]));
        FUZZ_HOLDS(!read.entries[i].valid || read.entries[i].slot < slots);
    }
}

static bool runs_verified(const char *label)
{
    uint64_t us = 0;
    return sim_chip_verify(fixture.chip, part(label)->offset, part(label)->size,
                           SIM_VERIFY_LOAD, NULL, NULL, NULL, &us) == SIM_OK;
}

static void check_prepared(const struct updraft_slots *slots)
{
    uint8_t slot = updraft_slot_index(slots->target);
    FUZZ_HOLDS(updraft_slot_prepare(slots) == 0);
    for (int i = 0; i < 2; i++) {
        struct sim_otadata_entry at = entry(i);
        FUZZ_HOLDS(!sim_otadata_is_valid(&at) || (at.seq - 1) % slots->ota_count != slot);
    }
    FUZZ_HOLDS(updraft_slot_erase(slots, 0, SIM_FLASH_SECTOR) == 0);
    FUZZ_HOLDS(strcmp(boot(), slots->running->label) == 0);
}

/* Boots, and prepares the other slot as an update would. */
static void try_otadata(struct fuzz_input *input)
{
    static const char *const broken[] = {"factory", "ota_0", "ota_1"};
    struct updraft_slots slots;
    uint8_t flags = fuzz_8(input);
    uint8_t cut = fuzz_8(input);
    put_entries(input, flags & 3);
    for (unsigned i = 0; i < 3; i++) {
        if ((flags >> (2 + i) & 1) != 0 &&
            sim_partition_find(&fixture.table, -1, -1, broken[i]) != NULL) {
            spoil(broken[i]);
        }
    }
    const char *label = boot();
    if (strcmp(label, "nothing") == 0) {
        /* Both slots and factory broken: there was no way to boot. */
        for (unsigned i = 0; i < 3; i++) {
            FUZZ_HOLDS(sim_partition_find(&fixture.table, -1, -1, broken[i]) == NULL ||
                       !runs_verified(broken[i]) || i == 0);
        }
        return;
    }
    FUZZ_HOLDS(runs_verified(label));
    strcpy(slot_running, label);
    FUZZ_HOLDS(updraft_slots_find(&slots) == ESP_OK);
    FUZZ_HOLDS(updraft_slot_renew_trial(&slots) == 0);
    FUZZ_HOLDS(slots.target != NULL && slots.target != slots.running);
    if (updraft_slot_on_trial(&slots)) {
        return; /* no update then */
    }
    if ((cut & 0x80) != 0) {
        cut_in(cut & 7, cut >> 3 & 3);
        (void)updraft_slot_prepare(&slots);
        power_on();
        label = boot();
        FUZZ_HOLDS(strcmp(label, "nothing") != 0 && runs_verified(label));
        return;
    }
    check_prepared(&slots);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {bytes, size};
    if (boards[0].snapshot == NULL) {
        set_up();
    }
    uint8_t how = fuzz_8(&input);
    take_board(how & 3);
    if ((how & 4) != 0) {
        try_table(&input);
    } else {
        try_otadata(&input);
    }
    return 0;
}
