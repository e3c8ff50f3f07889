/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The clock that everything simulated asks, and the events that wait for it. */
#ifndef SIM_LOOP_H
#define SIM_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"

/* Single-threaded. Events fire in order of their time, and in the order they were set
 * where times are equal. Nothing here knows whether the time is virtual (the world: the
 * driver jumps from event to event) or real (the process mode: the driver waits). */
typedef struct sim_loop sim_loop_t;

/* Caller-owned; lives in the arena or a static; must stay until it fired or was
 * cancelled. */
typedef struct sim_event {
    void (*fire)(void *context);
    void *context;
    /* private */
    uint64_t at_us;
    uint64_t order;
    struct sim_event *previous;
    struct sim_event *next;
    bool armed;
} sim_event_t;

sim_loop_t *sim_loop_new(sim_arena_t *arena);

/* Microseconds since the world began. */
uint64_t sim_loop_now_us(const sim_loop_t *loop);

/* Sets (or sets anew) an event. A time that has passed fires next. */
void sim_loop_at(sim_loop_t *loop, sim_event_t *event, uint64_t at_us);
void sim_loop_after(sim_loop_t *loop, sim_event_t *event, uint64_t delay_us);
void sim_loop_cancel(sim_loop_t *loop, sim_event_t *event);
bool sim_event_armed(const sim_event_t *event);

/* For drivers. Time of the next event; false when there is none. */
bool sim_loop_next(const sim_loop_t *loop, uint64_t *ret_at_us);
/* Virtual time: jumps to the next event and fires it. False when there is none. */
bool sim_loop_step(sim_loop_t *loop);
/* Real time: moves the clock to now_us and fires everything that is due by then. */
void sim_loop_advance(sim_loop_t *loop, uint64_t now_us);

#endif
