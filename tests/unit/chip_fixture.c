/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A chip with the stock table and an image in every slot, for tests of what boots. */
#include "chip_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/chip/little_endian.h"
#include "sim/image/image.h"

#define IMAGE_SIZE 2048u

struct chip_fixture fixture;

void fixture_make(int idf_major, bool with_factory)
{
    memset(&fixture, 0, sizeof(fixture));
    fixture.arena = sim_arena_new(24u << 20);
    fixture.flash = sim_flash_new(fixture.arena, 4u << 20, sim_flash_timing("ideal"), 99);
    fixture.chip = sim_chip_new(fixture.arena, sim_chip_model_named("esp32c3"), idf_major,
                                idf_major == 5 ? 5 : 0, fixture.flash);
    if (with_factory) {
        fixture_table(sim_partitions_two_ota, sim_partitions_two_ota_count);
    } else {
        fixture_table(sim_partitions_two_ota_large, sim_partitions_two_ota_large_count);
    }
}

void fixture_free(void)
{
    sim_arena_free(fixture.arena);
}

int fixture_5(void **state)
{
    (void)state;
    fixture_make(5, true);
    return 0;
}

int fixture_6(void **state)
{
    (void)state;
    fixture_make(6, true);
    return 0;
}

int fixture_large_5(void **state)
{
    (void)state;
    fixture_make(5, false);
    return 0;
}

int fixture_large_6(void **state)
{
    (void)state;
    fixture_make(6, false);
    return 0;
}

int fixture_end(void **state)
{
    (void)state;
    fixture_free();
    return 0;
}

void fixture_table(const struct sim_partition *entries, size_t count)
{
    assert_true(sim_chip_flash_factory(fixture.chip, entries, count));
    assert_int_equal(sim_chip_table(fixture.chip, &fixture.table), SIM_OK);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].type == SIM_PARTITION_APP) {
            put_image(entries[i].label, 0);
        }
    }
}

const struct sim_partition *part(const char *label)
{
    const struct sim_partition *partition =
        sim_partition_find(&fixture.table, -1, -1, label);
    assert_non_null(partition);
    return partition;
}

void put_image(const char *label, uint32_t secure_version)
{
    struct sim_image_request request = {.firmware = "minimal",
                                        .version = label,
                                        .chip_id = fixture.chip->chip_id,
                                        .size_bytes = IMAGE_SIZE};
    uint8_t bytes[IMAGE_SIZE];
    assert_int_equal(sim_image_make(&request, bytes, sizeof(bytes)), IMAGE_SIZE);
    sim_put_le32(bytes + 32 + 4, secure_version);
    assert_true(sim_image_seal(bytes, sizeof(bytes)));
    assert_true(sim_chip_install(fixture.chip, label, bytes, sizeof(bytes)));
}

void spoil(const char *label)
{
    uint32_t offset = part(label)->offset + IMAGE_SIZE / 2;
    uint8_t byte = sim_flash_bytes(fixture.flash)[offset] ^ 0x10;
    sim_flash_load(fixture.flash, offset, &byte, 1);
}

static void put_bytes(int index, const uint8_t *bytes)
{
    uint8_t sector[SIM_FLASH_SECTOR];
    memset(sector, 0xFF, sizeof(sector));
    memcpy(sector, bytes, SIM_OTADATA_ENTRY_SIZE);
    sim_flash_load(fixture.flash,
                   part("otadata")->offset + (uint32_t)index * SIM_FLASH_SECTOR, sector,
                   sizeof(sector));
}

static void put(int index, uint32_t seq, uint32_t state, uint32_t crc)
{
    struct sim_otadata_entry value = {.seq = seq, .state = state, .crc = crc};
    memset(value.label, 0xFF, sizeof(value.label));
    uint8_t bytes[SIM_OTADATA_ENTRY_SIZE];
    sim_otadata_encode(&value, bytes);
    put_bytes(index, bytes);
}

void put_entry(int index, uint32_t seq, uint32_t state)
{
    put(index, seq, state, sim_otadata_crc(seq));
}

void put_bad_crc(int index, uint32_t seq, uint32_t state)
{
    put(index, seq, state, sim_otadata_crc(seq) ^ 1);
}

void put_blank(int index)
{
    uint8_t blank[SIM_OTADATA_ENTRY_SIZE];
    memset(blank, 0xFF, sizeof(blank));
    put_bytes(index, blank);
}

struct sim_otadata_entry entry(int index)
{
    struct sim_otadata_entry entries[2];
    assert_int_equal(sim_otadata_read(fixture.chip, entries), SIM_OK);
    return entries[index];
}

bool is_blank(int index)
{
    const uint8_t *bytes = sim_flash_bytes(fixture.flash) + part("otadata")->offset +
                           (uint32_t)index * SIM_FLASH_SECTOR;
    for (uint32_t i = 0; i < SIM_FLASH_SECTOR; i++) {
        if (bytes[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static void keep_line(void *context, const char *line)
{
    struct chip_fixture *to = context;
    if (to->log_count < FIXTURE_LOG_MAX) {
        snprintf(to->log[to->log_count++], sizeof(to->log[0]), "%s", line);
    }
}

const char *boot(void)
{
    fixture.log_count = 0;
    sim_boot_run(fixture.chip, keep_line, &fixture, &fixture.booted);
    sim_flash_settle(fixture.flash);
    if (fixture.booted.cut) {
        return "cut";
    }
    return fixture.booted.booted ? fixture.booted.label : "nothing";
}

bool logged(const char *text)
{
    for (int i = 0; i < fixture.log_count; i++) {
        if (strstr(fixture.log[i], text) != NULL) {
            return true;
        }
    }
    return false;
}

void set_boot(const char *label)
{
    uint64_t us;
    assert_int_equal(sim_ota_set_boot(fixture.chip, part(label), &us), SIM_OK);
    sim_flash_settle(fixture.flash);
}

void mark_valid(void)
{
    uint64_t us;
    assert_int_equal(sim_ota_mark_valid(fixture.chip, NULL, &us), SIM_OK);
    sim_flash_settle(fixture.flash);
}

void cut_in(uint64_t operation, uint32_t variant)
{
    struct sim_flash_stats stats;
    sim_flash_stats(fixture.flash, &stats);
    sim_flash_cut_at(fixture.flash, stats.operations + operation, variant);
}

void power_on(void)
{
    sim_flash_cut_at(fixture.flash, SIM_FLASH_NEVER, 0);
    sim_flash_power_on(fixture.flash);
}
