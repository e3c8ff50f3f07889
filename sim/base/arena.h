/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * One block of memory for everything a simulation holds, so that it can be put back
 * whole. */
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include <stddef.h>

/* Everything that belongs to a simulated world is allocated here and never freed alone;
 * only whole arenas are. Pointers inside may point into the arena, to code and to
 * constants. A snapshot copies the used part; restoring puts it back at the same
 * addresses, so pointers, fibre stacks and queues are right again. */
typedef struct sim_arena sim_arena_t;
typedef struct sim_snapshot sim_snapshot_t;

/* Reserves size_bytes of address space (memory is used as it is touched). Aborts when the
 * system has none. */
sim_arena_t *sim_arena_new(size_t size_bytes);
void sim_arena_free(sim_arena_t *arena);

/* size zeroed bytes, aligned to 16. Aborts when the arena is full. */
void *sim_arena_alloc(sim_arena_t *arena, size_t size_bytes);

/* Memory outside (a firmware module's statics) that snapshots shall hold as well. At most
 * 32 regions. The region must stay until the arena is freed. */
void sim_arena_add_region(sim_arena_t *arena, void *start, size_t size_bytes);

/* Only while no fibre runs (from the driver, between events). */
sim_snapshot_t *sim_arena_snapshot(sim_arena_t *arena);
void sim_arena_restore(sim_arena_t *arena, const sim_snapshot_t *snapshot);
void sim_snapshot_free(sim_snapshot_t *snapshot);

#endif
