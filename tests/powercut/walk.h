/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Along a course's job, from flash operation to flash operation: at each one the world is
 * put back, disturbed, and seen to its end. */
#ifndef TESTS_POWERCUT_WALK_H
#define TESTS_POWERCUT_WALK_H

#include "tests/powercut/attempt.h"

/* How much is tried. A dull operation erases or programs the slot behind the image's
 * first page and does nothing else; others change that page, otadata or NVS. "every" n:
 * of n such operations one; 0: none. */
struct plan {
    unsigned dull_every;
    unsigned dull_variants;
    unsigned variants;
    unsigned dull_double_every;
    unsigned doubles; /* at each operation that is not dull */
    unsigned dull_failure_every;
    unsigned failure_every;
};

#define SPOT_TEXT_SIZE 96u

/* An attempt, as a failure prints it and --replay takes it. */
struct spot {
    char course[32];
    uint32_t size_bytes;
    struct disturbance disturbance;
};
void spot_put(const struct spot *spot, char ret_text[SPOT_TEXT_SIZE]);
bool spot_get(const char *text, struct spot *ret_spot);

/* Adds to *tally; keeps *spot at what is being tried; prints a line for each failure.
 * False when the course without a disturbance goes wrong, which is printed. */
bool walk(const struct course *course, uint32_t size_bytes, const struct plan *plan,
          struct tally *tally, struct spot *spot);

/* One attempt from the course's beginning; prints the board's log. */
bool walk_replay(const struct course *course, const struct spot *spot);

#endif
