/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Worlds and images for tests of the whole. */
#ifndef TESTS_WORLD_FIXTURE_H
#define TESTS_WORLD_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "sim/image/image.h"
#include "sim/world/world.h"

#define FIXTURE_IMAGE_MAX (1u << 20)

struct fixture_image {
    size_t size;
    uint8_t bytes[FIXTURE_IMAGE_MAX];
};

/* Makes an image; the test ends when that fails. */
void fixture_image_make(struct fixture_image *ret_image, const char *firmware,
                        const char *version, const char *behaviour, uint32_t size_bytes);

/* The same for another chip, or with whatever else a request holds. */
void fixture_image_request(struct fixture_image *ret_image,
                           const struct sim_image_request *request);

/* True when UPDRAFT_TEST_ALL asks for the long tests, too. */
bool fixture_all(void);

/* How often to try something at random: `usual`, more for the long tests, and less with
 * sanitizers, which take their time and look for other mistakes. */
unsigned fixture_rounds(unsigned usual, unsigned all);

/* For world_run: never done, and a firmware runs. */
bool fixture_never(world_t *world);
bool fixture_runs(world_t *world);

uint64_t fixture_operations(const world_t *world);

/* The partition of that label; valid until the next call. */
const struct sim_partition *fixture_part(const world_t *world, const char *label);

/* Flips the bits of a byte in the image that is in there. */
void fixture_spoil(world_t *world, const char *label);

/* A firmware runs, and otadata's active entry, where there is one, is not on trial. */
bool fixture_settled(world_t *world);

/* True when what runs verifies as the boot loader does it. */
bool fixture_verifies(const world_t *world);

/* A world whose *factory* holds "minimal" 1.0.0; prints the seed. changes may be NULL. */
world_t *fixture_world(const struct world_config *changes);

/* Runs until the board logged the text; fails the test with the log when it does not. */
void fixture_await(world_t *world, const char *text, uint64_t limit_ms);

/* Fails the test with the board's log unless the text was logged. */
void fixture_expect_logged(const world_t *world, const char *text, size_t mark);

#endif
