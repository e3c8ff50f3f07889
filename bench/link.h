/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Two hosts on one link: what they send goes through virtual controllers, PDU by PDU. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include "bench/bench.h"

#define BENCH_FRAMES_MAX 64u /* on their way in one direction */

struct bench_link;

/* One end. The link layer loses nothing and keeps the order, so what a frame means waits
 * at its receiver until the last of its bytes is there. */
struct bench_host {
    struct bench_link *link;
    struct bench_host *peer;
    sim_controller_t *controller;
    /* The owner's: asked for the next frame, told of a whole one. */
    bool (*next)(void *context, struct bench_frame *ret_frame);
    void (*received)(void *context, const struct bench_frame *frame);
    void *context;
    bool stalled;      /* takes no packet */
    uint32_t frame_us; /* least time between two frames */
    bool lost;         /* the link is gone */
    /* Private. */
    sim_event_t wake;
    sim_event_t pace;
    uint64_t next_frame_us;
    uint16_t handle;
    uint16_t acl_size;
    unsigned credits;
    uint16_t output_size; /* of the frame under way; 0: none */
    uint16_t output_sent;
    uint16_t input_left;
    struct bench_frame expected[BENCH_FRAMES_MAX];
    size_t expected_first;
    size_t expected_count;
    bool answered;
    uint8_t status;
    uint8_t result[6];
    uint16_t result16;
    uint8_t result8;
    bool connected;
    bool length_changed;
    bool phy_changed;
};

struct bench_link {
    sim_loop_t *loop;
    sim_air_t *air;
    struct bench_host central;
    struct bench_host board;
};

/* Connects and negotiates data length and PHY as the settings' air has them. The owner
 * then sets next, received and context of both hosts. */
void bench_link_open(struct bench_link *link, sim_arena_t *arena,
                     const struct bench_settings *settings);
/* There may be a frame to send. */
void bench_host_wake(struct bench_host *host);

#endif
