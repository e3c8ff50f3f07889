/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What goes wrong with packets between a board's controller and its host. */
#ifndef SIM_WORLD_PACKETS_H
#define SIM_WORLD_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/loop.h"

typedef struct sim_packets sim_packets_t;

/* Chances of a thousand; all 0: every packet arrives as it came. */
struct sim_packet_faults {
    /* A fragment is lost, as where NimBLE has no buffer for it: what follows of its frame
     * is lost too, or ends up behind another frame's begin. */
    uint32_t lose;
    /* Once one is lost, the next one is as well: buffers stay out for a while. */
    uint32_t lose_on;
    /* A Write Command is passed by the frame behind it, if one comes within a moment. */
    uint32_t overtake;
};

/* What has become of packets so far. */
struct sim_packet_counts {
    uint32_t lost;
    uint32_t overtaken;
};

/* input: the board's; false: not now. */
sim_packets_t *sim_packets_new(sim_arena_t *arena, sim_loop_t *loop, uint64_t seed,
                               bool (*input)(void *context, const uint8_t *packet,
                                             size_t size),
                               void *context);
void sim_packets_faults(sim_packets_t *packets, const struct sim_packet_faults *faults);
struct sim_packet_counts sim_packets_counts(const sim_packets_t *packets);
/* A packet of the controller, for the host. False: not now. */
bool sim_packets_input(sim_packets_t *packets, const uint8_t *packet, size_t size);

#endif
