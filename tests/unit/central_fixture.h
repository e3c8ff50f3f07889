/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The central's host before a scripted controller and peripheral. */
#ifndef CENTRAL_FIXTURE_H
#define CENTRAL_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/central/central.h"

struct host_under_test {
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_central_t *central;
    sim_peer_t *peer;
    struct sim_air_profile profile;
    unsigned heard, resolved, changed, connected_count, disconnected_count, powered;
    uint8_t connected, disconnected;
    unsigned reads, writes;
    uint64_t token;
    uint8_t att_error;
    uint8_t bytes[512];
    size_t size;
    bool inside; /* a call of the API is under way */
};

extern struct host_under_test host;

/* A host that is powered, with the peripheral of fake_add_services in range. */
void host_begin(const struct sim_air_profile *profile);
/* The same with a profile that any test may have; for cmocka. */
int host_set_up(void **state);
int host_tear_down(void **state);
void host_run_for(uint64_t time_us);
void host_connect_and_resolve(void);
void host_disconnect(void);

#endif
