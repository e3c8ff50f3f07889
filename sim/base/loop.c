/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Events in a list sorted by time: few wait at any moment, so a list beats a heap. */
#include "sim/base/loop.h"

#include <assert.h>
#include <stddef.h>

struct sim_loop {
    uint64_t now_us;
    uint64_t order;
    sim_event_t *first;
    sim_event_t *last;
};

sim_loop_t *sim_loop_new(sim_arena_t *arena)
{
    return sim_arena_alloc(arena, sizeof(sim_loop_t));
}

uint64_t sim_loop_now_us(const sim_loop_t *loop)
{
    return loop->now_us;
}

static void unlink_event(sim_loop_t *loop, sim_event_t *event)
{
    assert(event->armed);
    if (event->previous != NULL) {
        event->previous->next = event->next;
    } else {
        loop->first = event->next;
    }
    if (event->next != NULL) {
        event->next->previous = event->previous;
    } else {
        loop->last = event->previous;
    }
    event->armed = false;
}

void sim_loop_at(sim_loop_t *loop, sim_event_t *event, uint64_t at_us)
{
    assert(event->fire != NULL);
    if (event->armed) {
        unlink_event(loop, event);
    }
    event->at_us = at_us < loop->now_us ? loop->now_us : at_us;
    event->order = loop->order++;
    event->armed = true;
    /* Behind everything that is not later; equal times keep the order they were set in.
     */
    sim_event_t *previous = loop->last;
    while (previous != NULL && previous->at_us > event->at_us) {
        previous = previous->previous;
    }
    event->previous = previous;
    event->next = previous != NULL ? previous->next : loop->first;
    if (event->next != NULL) {
        event->next->previous = event;
    } else {
        loop->last = event;
    }
    if (previous != NULL) {
        previous->next = event;
    } else {
        loop->first = event;
    }
}

void sim_loop_after(sim_loop_t *loop, sim_event_t *event, uint64_t delay_us)
{
    sim_loop_at(loop, event, loop->now_us + delay_us);
}

void sim_loop_cancel(sim_loop_t *loop, sim_event_t *event)
{
    if (event->armed) {
        unlink_event(loop, event);
    }
}

bool sim_event_armed(const sim_event_t *event)
{
    return event->armed;
}

bool sim_loop_next(const sim_loop_t *loop, uint64_t *ret_at_us)
{
    if (loop->first == NULL) {
        return false;
    }
    *ret_at_us = loop->first->at_us;
    return true;
}

bool sim_loop_step(sim_loop_t *loop)
{
    sim_event_t *event = loop->first;
    if (event == NULL) {
        return false;
    }
    unlink_event(loop, event);
    assert(event->at_us >= loop->now_us);
    loop->now_us = event->at_us;
    event->fire(event->context);
    return true;
}

void sim_loop_advance(sim_loop_t *loop, uint64_t now_us)
{
    while (loop->first != NULL && loop->first->at_us <= now_us) {
        sim_loop_step(loop);
    }
    if (now_us > loop->now_us) {
        loop->now_us = now_us;
    }
}
