/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A client of protocol 1 by hand: one GATT operation after another, right or wrong. */
#ifndef TESTS_WORLD_RAW_H
#define TESTS_WORLD_RAW_H

#include "sim/radio/controller.h"
#include "tests/world/fixture.h"

#define RAW_NOTIFIED_MAX 64u
#define RAW_REPORTS_MAX  64u
#define RAW_REPORT_SIZE  512u
/* Results besides ATT error codes. */
#define RAW_NO_LINK  (-1) /* the link ended, or there was none */
#define RAW_NO_REPLY (-2) /* nothing came in time */

/* Lives in the world's arena, and so goes back with it. */
struct raw {
    world_t *world;
    sim_central_t *central;
    sim_peer_t *peer;
    bool resolved;
    unsigned changed; /* how often the peer's services were found to be others */
    bool ended;       /* the last attempt or link */
    uint8_t end_reason;
    bool waiting; /* for the answer to a read or write */
    int result;
    size_t value_size;
    uint8_t value[512];
    /* One-byte notifications of Control, in order. */
    size_t notified_count;
    uint8_t notified[RAW_NOTIFIED_MAX];
    /* Longer ones, which are protocol 2's: the last RAW_REPORTS_MAX of reports_count. */
    size_t reports_count;
    struct raw_report {
        size_t size;
        uint8_t bytes[RAW_REPORT_SIZE];
    } reports[RAW_REPORTS_MAX];
};

/* Another central in the world's air; number distinguishes them. */
struct raw *raw_new(world_t *world, unsigned number);
/* The same, which keeps the attribute table between connections. */
struct raw *raw_new_caching(world_t *world, unsigned number);
/* The same on a link of another kind. profile: must stay. */
struct raw *raw_new_on(world_t *world, unsigned number,
                       const struct sim_air_profile *profile);
/* True when connected and the services are known. */
bool raw_connect(struct raw *raw);
void raw_disconnect(struct raw *raw);
bool raw_connected(const struct raw *raw);
uint16_t raw_control(const struct raw *raw);
uint16_t raw_data(const struct raw *raw);
/* OTA Info, and the descriptor that enables Control's notifications. 0: there is none. */
uint16_t raw_info(const struct raw *raw);
uint16_t raw_control_cccd(const struct raw *raw);
/* 0 when the peer has no such characteristic. */
uint16_t raw_find(const struct raw *raw, uint16_t uuid16);

/* By Write Request; 0, an ATT error code, or RAW_*. */
int raw_write(struct raw *raw, uint16_t handle, const void *bytes, size_t size);
/* By Write Command: 0 or RAW_NO_LINK. */
int raw_command(struct raw *raw, uint16_t handle, const void *bytes, size_t size);
/* The value is in raw->value. */
int raw_read(struct raw *raw, uint16_t handle);
int raw_opcode(struct raw *raw, uint8_t opcode);
int raw_packet_size(struct raw *raw, uint16_t size);
/* The next notification after the first `seen` ones, or RAW_*. */
int raw_await(struct raw *raw, size_t seen, uint64_t limit_ms);
/* The next report after the first `seen` ones; NULL: none came in time. */
const struct raw_report *raw_await_report(struct raw *raw, size_t seen,
                                          uint64_t limit_ms);
/* Writes an opcode and waits for the answer: that, or RAW_*; an ATT error as 0x100 + it.
 */
int raw_ask(struct raw *raw, uint8_t opcode);
/* Sends bytes in packets of that size, the last may be shorter. 0, or what the first
 * packet that failed got. */
int raw_send(struct raw *raw, const uint8_t *bytes, size_t size, size_t packet_size);
/* Connects, tells the packet size, requests, sends, and returns the answer to DONE. */
int raw_update(struct raw *raw, const struct fixture_image *image, uint16_t packet_size);

/* Lets virtual time pass. */
void raw_wait(world_t *world, uint64_t ms);

#endif
