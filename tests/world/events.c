/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Counts the connection events in which an image crosses the air of the virtual world;
 * played beside updraft-sim by tests/emulated/test_same_events.py.
 * usage: world_events AIR FLASH FACTORY IMAGE */
#include <stdio.h>
#include <stdlib.h>

#include "sim/world/world.h"

#define START_MS 2000u

static uint8_t *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    long size = ftell(file);
    rewind(file);
    uint8_t *bytes = malloc((size_t)size);
    if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(1);
    }
    (void)fclose(file);
    *ret_size = (size_t)size;
    return bytes;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: world_events AIR FLASH FACTORY IMAGE\n", stderr);
        return 2;
    }
    struct world_config config = {
        .seed = 1,
        .air = argv[1],
        .flash = argv[2],
        .firmware_dir = FIRMWARE_DIR,
    };
    size_t image_size;
    config.factory = read_file(argv[3], &config.factory_size);
    uint8_t *image = read_file(argv[4], &image_size);
    world_t *world = world_new(&config);
    world_run(world, NULL, START_MS);
    const struct world_update *update = world_update(world, image, image_size, NULL);
    if (!update->finished || update->status != 0) {
        fprintf(stderr, "%s: status %d\n%s", argv[4], update->status, world->log);
        return 1;
    }
    printf("%llu\n",
           (unsigned long long)(update->phase_events[UPDRAFT_PHASE_VERIFYING] -
                                update->phase_events[UPDRAFT_PHASE_TRANSFERRING]));
    world_free(world);
    return 0;
}
