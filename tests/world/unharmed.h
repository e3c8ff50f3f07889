/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What nobody on the air may do to a board that takes no update: restart it, or change
 * flash outside the slot that is not running. */
#ifndef TESTS_WORLD_UNHARMED_H
#define TESTS_WORLD_UNHARMED_H

#include "tests/world/fixture.h"

#define UNHARMED_FLASH_SIZE (4u << 20)
#define UNHARMED_SECTORS    (UNHARMED_FLASH_SIZE / SIM_FLASH_SECTOR)

/* The board as it was. Outside the world's arena: it does not go back with it. */
struct unharmed {
    uint8_t *flash;
    uint32_t wear[UNHARMED_SECTORS];
    uint32_t boots;
    char running[17];
    char target[17];
};

/* A firmware must run. */
void unharmed_begin(struct unharmed *before, const world_t *world);
void unharmed_end(struct unharmed *before);
/* NULL, or what harm was done since. */
const char *unharmed_check(const struct unharmed *before, world_t *world);

#endif
