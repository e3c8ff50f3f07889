/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Random numbers that a printed seed brings back. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SplitMix64: one word of state, so every part of a world can have a stream of its own.
 */
typedef struct sim_random {
    uint64_t state;
} sim_random_t;

void sim_random_seed(sim_random_t *random, uint64_t seed);
uint64_t sim_random_next(sim_random_t *random);
/* 0 to bound - 1; bound at least 1. */
uint32_t sim_random_below(sim_random_t *random, uint32_t bound);
void sim_random_fill(sim_random_t *random, void *bytes, size_t size);

#endif
