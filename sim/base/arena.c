/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A bump allocator over one mapping, and copies of it. */
#define _GNU_SOURCE
#include "sim/base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/base/raw_copy.h"

#if defined(__SANITIZE_ADDRESS__)
#define SIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ASAN 1
#endif
#endif
#ifdef SIM_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define ARENA_REGIONS_MAX 32
#define ARENA_ALIGNMENT   16u

struct region {
    void *start;
    size_t size_bytes;
};

struct sim_arena {
    uint8_t *base;
    size_t size_bytes;
    size_t used_bytes;
    struct region regions[ARENA_REGIONS_MAX];
    size_t region_count;
};

struct sim_snapshot {
    size_t used_bytes;
    struct region regions[ARENA_REGIONS_MAX];
    size_t region_count;
    uint8_t *shadow; /* AddressSanitizer's, of the arena; NULL without it */
    uint8_t bytes[];
};

static void *or_abort(void *memory, const char *what)
{
    if (memory == NULL) {
        fprintf(stderr, "simulator: no memory for %s\n", what);
        abort();
    }
    return memory;
}

/* AddressSanitizer's knowledge about fibre stacks and freed blocks must go back together
 * with them. */
#ifdef SIM_ASAN
static uint8_t *shadow_of(const uint8_t *memory, size_t *ret_scale)
{
    size_t offset = 0;
    __asan_get_shadow_mapping(ret_scale, &offset);
    return (uint8_t *)(((uintptr_t)memory >> *ret_scale) + offset);
}
#endif

static uint8_t *save_shadow(const sim_arena_t *arena)
{
#ifdef SIM_ASAN
    size_t scale = 0;
    const uint8_t *shadow = shadow_of(arena->base, &scale);
    uint8_t *copy = or_abort(malloc(arena->used_bytes >> scale), "a snapshot's shadow");
    sim_raw_copy(copy, shadow, arena->used_bytes >> scale);
    return copy;
#else
    (void)arena;
    return NULL;
#endif
}

static void restore_shadow(const sim_arena_t *arena, const sim_snapshot_t *snapshot)
{
#ifdef SIM_ASAN
    size_t scale = 0;
    uint8_t *shadow = shadow_of(arena->base, &scale);
    sim_raw_zero(shadow, arena->used_bytes >> scale);
    sim_raw_copy(shadow, snapshot->shadow, snapshot->used_bytes >> scale);
#else
    (void)arena;
    (void)snapshot;
#endif
}

sim_arena_t *sim_arena_new(size_t size_bytes)
{
    sim_arena_t *arena = or_abort(calloc(1, sizeof(*arena)), "an arena");
    void *base = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    arena->base = or_abort(base == MAP_FAILED ? NULL : base, "an arena's mapping");
    arena->size_bytes = size_bytes;
    return arena;
}

void sim_arena_free(sim_arena_t *arena)
{
    if (arena == NULL) {
        return;
    }
#ifdef SIM_ASAN
    __asan_unpoison_memory_region(arena->base, arena->used_bytes);
#endif
    munmap(arena->base, arena->size_bytes);
    free(arena);
}

void *sim_arena_alloc(sim_arena_t *arena, size_t size_bytes)
{
    size_t rounded = (size_bytes + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    if (rounded < size_bytes || rounded > arena->size_bytes - arena->used_bytes) {
        or_abort(NULL, "an allocation: the arena is full");
    }
    void *memory = arena->base + arena->used_bytes;
    arena->used_bytes += rounded;
    return memory;
}

void sim_arena_add_region(sim_arena_t *arena, void *start, size_t size_bytes)
{
    assert(arena->region_count < ARENA_REGIONS_MAX);
    arena->regions[arena->region_count].start = start;
    arena->regions[arena->region_count].size_bytes = size_bytes;
    arena->region_count++;
}

sim_snapshot_t *sim_arena_snapshot(sim_arena_t *arena)
{
    size_t size_bytes = arena->used_bytes;
    for (size_t i = 0; i < arena->region_count; i++) {
        size_bytes += arena->regions[i].size_bytes;
    }
    sim_snapshot_t *snapshot =
        or_abort(malloc(sizeof(*snapshot) + size_bytes), "a snapshot");
    snapshot->used_bytes = arena->used_bytes;
    snapshot->region_count = arena->region_count;
    memcpy(snapshot->regions, arena->regions, sizeof(snapshot->regions));
    snapshot->shadow = save_shadow(arena);
    sim_raw_copy(snapshot->bytes, arena->base, arena->used_bytes);
    uint8_t *target = snapshot->bytes + arena->used_bytes;
    for (size_t i = 0; i < arena->region_count; i++) {
        sim_raw_copy(target, arena->regions[i].start, arena->regions[i].size_bytes);
        target += arena->regions[i].size_bytes;
    }
    return snapshot;
}

void sim_arena_restore(sim_arena_t *arena, const sim_snapshot_t *snapshot)
{
    restore_shadow(arena, snapshot);
    if (arena->used_bytes > snapshot->used_bytes) {
        /* What was allocated since must be zero when it is allocated again. */
        sim_raw_zero(arena->base + snapshot->used_bytes,
                     arena->used_bytes - snapshot->used_bytes);
    }
    sim_raw_copy(arena->base, snapshot->bytes, snapshot->used_bytes);
    arena->used_bytes = snapshot->used_bytes;
    arena->region_count = snapshot->region_count;
    memcpy(arena->regions, snapshot->regions, sizeof(arena->regions));
    const uint8_t *source = snapshot->bytes + snapshot->used_bytes;
    for (size_t i = 0; i < snapshot->region_count; i++) {
        sim_raw_copy(snapshot->regions[i].start, source, snapshot->regions[i].size_bytes);
        source += snapshot->regions[i].size_bytes;
    }
}

void sim_snapshot_free(sim_snapshot_t *snapshot)
{
    if (snapshot != NULL) {
        free(snapshot->shadow);
        free(snapshot);
    }
}
