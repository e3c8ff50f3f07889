/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Plays a script in the world and prints the board's log, for a test that plays the same
 * script with updraft-sim and the command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world/world.h"

#define IMAGE_MAX    (1u << 20)
#define LIMIT_MS     120000u
#define SETTLE_LIMIT (10u * LIMIT_MS)

static const char usage[] =
    "usage: world_script FLASH IDF_MAJOR IDF_MINOR FACTORY_IMAGE STEP...\n"
    "steps: await TEXT                      since the last step of another kind began\n"
    "       update IMAGE                    to its end, however it ends\n"
    "       cut OPERATIONS VARIANT IMAGE    an update whose flash operation of that\n"
    "                                       number, from now on, takes the power\n"
    "       power                           on again\n";

static size_t mark; /* in the log */
static const char *awaited;

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "world_script: %s: %s\n", what, detail);
    exit(EXIT_FAILURE);
}

static size_t read_image(const char *path, uint8_t bytes[IMAGE_MAX])
{
    FILE *file = fopen(path, "rb");
    size_t size = file != NULL ? fread(bytes, 1, IMAGE_MAX, file) : 0;
    if (size == 0) {
        die("cannot read", path);
    }
    fclose(file);
    return size;
}

static bool is_logged(world_t *world)
{
    return world_logged(world, awaited, mark);
}

static void await(world_t *world, const char *text)
{
    awaited = text;
    if (!world_run(world, is_logged, LIMIT_MS)) {
        fputs(world->log, stdout);
        die("not logged", text);
    }
}

static void update(world_t *world, const char *path)
{
    static uint8_t image[IMAGE_MAX];
    const struct world_flow_options options = {.limit_ms = SETTLE_LIMIT};
    size_t size = read_image(path, image);
    mark = world->log_size;
    if (!world_update(world, image, size, &options)->finished) {
        die("the update does not end", path);
    }
}

static void cut(world_t *world, const char *operations, const char *variant,
                const char *path)
{
    struct sim_flash_stats stats;
    sim_flash_stats(world->flash, &stats);
    sim_flash_cut_at(world->flash, stats.operations + strtoull(operations, NULL, 10),
                     (uint32_t)strtoul(variant, NULL, 10));
    update(world, path);
    if (sim_board_powered(world->board)) {
        die("the power is still on", operations);
    }
}

/* Plays one step; returns how many arguments it took. */
static int play(world_t *world, int left, char **step)
{
    if (strcmp(step[0], "await") == 0 && left >= 2) {
        await(world, step[1]);
        return 2;
    }
    if (strcmp(step[0], "update") == 0 && left >= 2) {
        update(world, step[1]);
        return 2;
    }
    if (strcmp(step[0], "cut") == 0 && left >= 4) {
        cut(world, step[1], step[2], step[3]);
        return 4;
    }
    if (strcmp(step[0], "power") == 0) {
        mark = world->log_size;
        world_power(world, true);
        return 1;
    }
    die("not a step", step[0]);
    return 0;
}

int main(int argc, char **argv)
{
    static uint8_t factory[IMAGE_MAX];
    if (argc < 6) {
        fputs(usage, stderr);
        return EXIT_FAILURE;
    }
    const struct world_config config = {
        .seed = 1,
        .flash = argv[1],
        .idf_major = atoi(argv[2]),
        .idf_minor = atoi(argv[3]),
        .firmware_dir = FIRMWARE_DIR,
        .factory = factory,
        .factory_size = read_image(argv[4], factory),
    };
    world_t *world = world_new(&config);
    for (int at = 5; at < argc;) {
        at += play(world, argc - at, argv + at);
    }
    fputs(world->log, stdout);
    world_free(world);
    return EXIT_SUCCESS;
}
