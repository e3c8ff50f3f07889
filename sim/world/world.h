/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The virtual world: one board, the air, one or two centrals, under a virtual clock. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/src/flow.h"
#include "sim/chip/chip.h"
#include "sim/idf/board.h"
#include "sim/radio/controller.h"
#include "sim/world/packets.h"
#include "sim/world/transport.h"

#define WORLD_CENTRALS_MAX 2u
#define WORLD_PHASES       (UPDRAFT_PHASE_ENDING + 1)

/* 0 and NULL mean the default. */
struct world_config {
    uint64_t seed;
    const char *air;   /* profile of sim/radio; "ideal" */
    const char *flash; /* timing of sim/chip; "ideal" */
    /* In place of named ones. Copied; their names must stay. */
    const struct sim_air_profile *air_profile;
    const struct sim_flash_timing *flash_timing;
    uint8_t rx_pdus;        /* data PDUs that the board's controller holds; 8 */
    bool controller_stalls; /* with the board's processor, in flash operations */
    const char *chip;       /* "esp32" */
    int idf_major;          /* 5 */
    int idf_minor;          /* 3 */
    const char *firmware_dir;
    const char *firmware_default; /* "minimal" */
    const uint8_t *factory;       /* image that *factory* holds */
    size_t factory_size;
    size_t centrals;     /* 1 */
    bool cache_services; /* centrals keep attribute tables between connections */
    bool preempt;
    bool allow_flash_in_host_task;
};

/* How an update ended, and what was reported on the way. */
struct world_update {
    struct updraft_flow flow;
    bool finished;
    int status;
    enum updraft_outcome outcome;
    char firmware_before[UPDRAFT_FLOW_TEXT_SIZE];
    char firmware[UPDRAFT_FLOW_TEXT_SIZE];
    uint32_t done_bytes;
    uint32_t kept_bytes; /* as first known, of the last attempt */
    uint32_t resent_bytes;
    uint32_t status_detail;
    unsigned retries;
    bool info_known; /* protocol 2: what the device said of itself last */
    struct updraft_info info;
    uint64_t start_us;
    uint64_t finish_us;
    uint64_t phase_us[WORLD_PHASES];     /* when each phase first began; 0: never */
    uint64_t phase_events[WORLD_PHASES]; /* of connections in the air, by then */
};

struct world_flow {
    struct world *world;
    size_t central;
    sim_event_t timer;
    struct updraft_parcel parcel;
    uint32_t *sector_crcs; /* the parcel's */
    struct world_update result;
};

/* For tests to look into; the functions below change it. */
typedef struct world {
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_flash_t *flash;
    sim_chip_t *chip;
    sim_board_t *board;
    sim_air_t *air;
    struct sim_air_profile profile; /* of the air */
    bool controller_stalls;
    sim_controller_t *controller; /* the board's */
    sim_packets_t *packets;       /* on the way from there to its host */
    uint8_t board_address[6];
    sim_transport_t *transports[WORLD_CENTRALS_MAX];
    struct world_flow flows[WORLD_CENTRALS_MAX];
    char *log; /* terminated; what the board wrote, a line each */
    size_t log_size;
    uint64_t seed;
} world_t;

/* A board with ESP-IDF's stock two-OTA table, powered. Aborts on a configuration that
 * makes no sense. */
world_t *world_new(const struct world_config *config);
void world_free(world_t *world);

/* Runs until `done` says so; false when limit_ms of virtual time passed before, or
 * nothing happens any more. done NULL: the whole time. */
bool world_run(world_t *world, bool (*done)(world_t *world), uint64_t limit_ms);

uint64_t world_now_ms(const world_t *world);

/* A flow of the client on central `central`, up to its end. limit_ms: of virtual time. */
struct world_flow_options {
    size_t central;
    enum updraft_flow_verb verb; /* of those that need a device; 0: UPDATE */
    bool force;
    bool fresh;
    bool stage;
    bool factory;             /* ROLLBACK */
    bool unchecked;           /* do not inspect the image first */
    uint8_t protocol_max;     /* 0: the best that both sides know */
    uint32_t return_limit_ms; /* 0: the flow's default */
    uint64_t limit_ms;        /* 0: 20 minutes */
};
void world_update_start(world_t *world, const uint8_t *image, size_t size,
                        const struct world_flow_options *options);
const struct world_update *world_update_result(const world_t *world, size_t central);
/* Start and run to the end. */
const struct world_update *world_update(world_t *world, const uint8_t *image, size_t size,
                                        const struct world_flow_options *options);

/* The program of that central's flow ends without a word, and its link with it. */
void world_abandon(world_t *world, size_t central);

/* Power of the board: off (a flash operation under way is torn), on. */
void world_power(world_t *world, bool on);

/* True when the log holds the text, anywhere, or since `mark` (a former log_size). */
bool world_logged(const world_t *world, const char *text, size_t mark);

sim_snapshot_t *world_snapshot(world_t *world);
void world_restore(world_t *world, const sim_snapshot_t *snapshot);

#endif
