/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * SplitMix64 (Steele, Lea and Flood: Fast Splittable Pseudorandom Number Generators,
 * 2014). */
#include "sim/base/random.h"

#include <assert.h>

void sim_random_seed(sim_random_t *random, uint64_t seed)
{
    random->state = seed;
}

uint64_t sim_random_next(sim_random_t *random)
{
    uint64_t z = (random->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint32_t sim_random_below(sim_random_t *random, uint32_t bound)
{
    assert(bound > 0);
    /* The bias of a 64-bit value reduced to 32 bits is below 2^-32. */
    return (uint32_t)(sim_random_next(random) % bound);
}

void sim_random_fill(sim_random_t *random, void *bytes, size_t size)
{
    uint8_t *target = bytes;
    for (size_t i = 0; i < size; i++) {
        target[i] = (uint8_t)(sim_random_next(random) >> 32);
    }
}
