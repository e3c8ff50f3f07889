/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Worlds and images for tests of the whole. */
#include "tests/world/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chip/otadata.h"
#include "sim/chip/verify.h"

#define FACTORY_SIZE (16u << 10)

void fixture_image_make(struct fixture_image *ret_image, const char *firmware,
                        const char *version, const char *behaviour, uint32_t size_bytes)
{
    const struct sim_image_request request = {
        .firmware = firmware,
        .version = version,
        .behaviour = behaviour,
        .chip_id = 0,
        .size_bytes = size_bytes,
        .seed = 1,
    };
    fixture_image_request(ret_image, &request);
}

void fixture_image_request(struct fixture_image *ret_image,
                           const struct sim_image_request *request)
{
    ret_image->size = sim_image_make(request, ret_image->bytes, sizeof(ret_image->bytes));
    assert_true(ret_image->size > 0);
}

bool fixture_all(void)
{
    const char *all = getenv("UPDRAFT_TEST_ALL");
    return all != NULL && all[0] != '\0';
}

unsigned fixture_rounds(unsigned usual, unsigned all)
{
#ifdef __SANITIZE_ADDRESS__
    (void)all;
    return (usual + 3) / 4;
#else
    return fixture_all() ? all : usual;
#endif
}

bool fixture_never(world_t *world)
{
    (void)world;
    return false;
}

bool fixture_runs(world_t *world)
{
    return sim_board_running(world->board) != NULL;
}

uint64_t fixture_operations(const world_t *world)
{
    struct sim_flash_stats stats;
    sim_flash_stats(world->flash, &stats);
    return stats.operations;
}

const struct sim_partition *fixture_part(const world_t *world, const char *label)
{
    static struct sim_partition_table table;
    assert_int_equal(sim_chip_table(world->chip, &table), SIM_OK);
    const struct sim_partition *partition = sim_partition_find(&table, -1, -1, label);
    assert_non_null(partition);
    return partition;
}

void fixture_spoil(world_t *world, const char *label)
{
    uint32_t offset = fixture_part(world, label)->offset + 1024;
    uint8_t byte = (uint8_t)~sim_flash_bytes(world->flash)[offset];
    sim_flash_load(world->flash, offset, &byte, 1);
}

bool fixture_settled(world_t *world)
{
    struct sim_otadata_entry entries[2];
    if (!fixture_runs(world)) {
        return false;
    }
    assert_int_equal(sim_otadata_read(world->chip, entries), SIM_OK);
    int active = sim_otadata_active(entries);
    return active < 0 || (entries[active].state != SIM_OTA_NEW &&
                          entries[active].state != SIM_OTA_PENDING_VERIFY);
}

bool fixture_verifies(const world_t *world)
{
    const struct sim_partition *running =
        fixture_part(world, sim_board_running(world->board));
    uint64_t us = 0;
    return sim_chip_verify(world->chip, running->offset, running->size, SIM_VERIFY_LOAD,
                           NULL, NULL, NULL, &us) == SIM_OK;
}

world_t *fixture_world(const struct world_config *changes)
{
    static struct fixture_image factory;
    struct world_config config = {.seed = 1};
    if (changes != NULL) {
        config = *changes;
    }
    config.firmware_dir = FIRMWARE_DIR;
    if (config.factory == NULL) {
        fixture_image_make(&factory, "minimal", "1.0.0", "good", FACTORY_SIZE);
        config.factory = factory.bytes;
        config.factory_size = factory.size;
    }
    print_message("seed %llu\n", (unsigned long long)config.seed);
    return world_new(&config);
}

static const char *awaited;

static bool is_logged(world_t *world)
{
    return strstr(world->log, awaited) != NULL;
}

void fixture_await(world_t *world, const char *text, uint64_t limit_ms)
{
    awaited = text;
    if (!world_run(world, is_logged, limit_ms)) {
        fputs(world->log, stderr);
        fail_msg("not logged in %llu ms: %s", (unsigned long long)limit_ms, text);
    }
}

void fixture_expect_logged(const world_t *world, const char *text, size_t mark)
{
    if (!world_logged(world, text, mark)) {
        fputs(world->log, stderr);
        fail_msg("not logged: %s", text);
    }
}
