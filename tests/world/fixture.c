/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Worlds and images for tests of the whole. */
#include "tests/world/fixture.h"

#include <stdio.h>
#include <string.h>

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
    ret_image->size =
        sim_image_make(&request, ret_image->bytes, sizeof(ret_image->bytes));
    assert_true(ret_image->size > 0);
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
