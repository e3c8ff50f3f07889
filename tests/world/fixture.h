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

/* A world whose *factory* holds "minimal" 1.0.0; prints the seed. changes may be NULL. */
world_t *fixture_world(const struct world_config *changes);

/* Runs until the board logged the text; fails the test with the log when it does not. */
void fixture_await(world_t *world, const char *text, uint64_t limit_ms);

/* Fails the test with the board's log unless the text was logged. */
void fixture_expect_logged(const world_t *world, const char *text, size_t mark);

#endif
