/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Update protocols side by side on one link and one flash, under a virtual clock. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/loop.h"
#include "sim/chip/flash.h"
#include "sim/radio/controller.h"

/* Everything that a figure depends on. */
struct bench_settings {
    struct sim_air_profile air;
    struct sim_flash_timing flash;
    uint8_t rx_pdus;          /* data PDUs that the board's controller holds */
    bool controller_stalls;   /* with the board's processor, in flash operations */
    uint32_t image_bytes;     /* a multiple of 4096 */
    uint32_t partition_bytes; /* what protocols erase that do not know the image's size */
    uint64_t seed;
};

/* ATT opcodes (Core Specification, Vol 3, Part F, 3.4). */
enum bench_att {
    BENCH_WRITE_REQUEST = 0x12,
    BENCH_WRITE_RESPONSE = 0x13,
    BENCH_NOTIFICATION = 0x1B,
    BENCH_INDICATION = 0x1D,
    BENCH_CONFIRMATION = 0x1E,
    BENCH_WRITE_COMMAND = 0x52,
};

/* One ATT PDU. Only its size goes over the air; tag and number travel beside it. */
struct bench_frame {
    enum bench_att opcode;
    uint16_t value_size;
    uint8_t tag;     /* the protocol's own */
    uint32_t number; /* the protocol's own */
};

struct bench_run;

/* A protocol as a traffic generator: both of its ends. state: the run's, zeroed. */
struct bench_protocol {
    const char *name;  /* for the command line */
    const char *label; /* for people */
    /* For the report: what of the protocol takes its time here, and what is left out. */
    const char *modelled;
    const char *left_out;
    uint16_t mtu_max; /* 0: whatever the link has */
    const void *parameters;
    size_t state_size;
    /* The link is up; time counts from here. */
    void (*start)(struct bench_run *run);
    /* The central's host is ready for a frame. False: nothing to send until
     * bench_central_wake. */
    bool (*central_next)(struct bench_run *run, struct bench_frame *ret_frame);
    void (*central_received)(struct bench_run *run, const struct bench_frame *frame);
    void (*board_received)(struct bench_run *run, const struct bench_frame *frame);
};

/* A run, for protocols. */
void *bench_state(struct bench_run *run);
const struct bench_protocol *bench_protocol_of(const struct bench_run *run);
const struct bench_settings *bench_settings_of(const struct bench_run *run);
/* The longest value in one write: MTU - 3, at most ATT's 512. */
uint16_t bench_value_max(const struct bench_run *run);
void bench_central_wake(struct bench_run *run);
void bench_board_send(struct bench_run *run, enum bench_att opcode, uint16_t value_size,
                      uint8_t tag, uint32_t number);
/* A flash operation of the board: its processor stands still for so long, and its host
 * takes nothing; then done is called (may be NULL). Operations queue; between two of them
 * the host has its turn. */
void bench_board_flash(struct bench_run *run, uint64_t us,
                       void (*done)(struct bench_run *run, uint32_t number),
                       uint32_t number);
/* The central knows that the update is complete. The run ends once the board's flash is
 * idle as well. */
void bench_finish(struct bench_run *run);

/* What flash operations take. */
uint64_t bench_program_us(const struct bench_run *run, uint32_t offset, uint32_t size);
/* Sectors that begin in [offset, offset + size). */
uint32_t bench_sectors_begun(uint32_t offset, uint32_t size);
/* Erases the whole partition, block by block with a tick between them, and then calls
 * done. */
void bench_erase_partition(struct bench_run *run,
                           void (*done)(struct bench_run *run, uint32_t number));

struct bench_result {
    bool finished;
    double seconds;
    double kb_per_s; /* 1000 bytes of the image a second */
    uint64_t connection_events;
    uint64_t air_bytes; /* payload of data PDUs delivered, both ways */
    uint64_t stalled_us;
};

/* Runs a protocol from its first frame to its last answer; gives up after two hours of
 * virtual time. */
struct bench_result bench_run(const struct bench_protocol *protocol,
                              const struct bench_settings *settings);

/* The peers. */
extern const struct bench_protocol bench_original;
extern const struct bench_protocol bench_original_256;
extern const struct bench_protocol bench_ble_ota;
extern const struct bench_protocol bench_ble_ota_raw;
extern const struct bench_protocol bench_nimble_ota;
extern const struct bench_protocol bench_smp_1;
extern const struct bench_protocol bench_smp_3;
extern const struct bench_protocol bench_smp_3_reassembly;
extern const struct bench_protocol bench_nordic_12;
extern const struct bench_protocol bench_nordic_0;
/* All of them, the original first. */
extern const struct bench_protocol *const bench_peers[];
extern const size_t bench_peer_count;
/* The bound of a link: a sender of write commands of one size, and a board that swallows
 * them. */
extern const struct bench_protocol bench_saturating;

/* A link of the comparison, under a name. */
struct bench_column {
    const char *name;
    const char *label;
    const char *profile; /* of sim/radio */
    uint16_t packets_per_event_max;
    double loss;
};
extern const struct bench_column bench_columns[];
extern const size_t bench_column_count;

struct bench_settings bench_settings_for(const struct bench_column *column,
                                         uint64_t seed);

#endif
