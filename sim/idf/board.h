/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A virtual ESP32: chip, boot loader, and the firmware that its flash selects. */
#ifndef SIM_BOARD_H
#define SIM_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/loop.h"
#include "sim/chip/chip.h"

typedef struct sim_board sim_board_t;

/* What the image in the running slot asks of the simulator. Read from the marker that
 * `updraft-sim image` puts into a data segment; an image without one runs the board's
 * default firmware and is good. */
enum sim_behaviour {
    SIM_GOOD,
    SIM_CRASH,      /* abort() shortly after start */
    SIM_HANG_EARLY, /* never reaches app_main's work; the boot loader's watchdog is left
                     */
    SIM_HANG_SPIN,  /* a task of high priority never lets go of the processor */
    SIM_HANG_TASK,  /* what the self-test asks never answers; everything else runs */
    SIM_SELFTEST,   /* what the self-test asks answers wrongly */
    SIM_NO_RADIO,   /* the controller never answers */
};

struct sim_board_ops {
    /* The firmware wrote a line (without newline) to its console; boot loader lines too.
     */
    void (*log)(void *context, const char *line);
    /* A packet from the board's host to its controller (H4, with type byte). */
    void (*hci_send)(void *context, const uint8_t *packet, size_t size);
    /* The host can take packets again after it refused one. */
    void (*hci_room)(void *context);
    /* The chip's radio lost power or was reset (true: it is on again). */
    void (*hci_power)(void *context, bool on);
    /* The processor stands still in a flash operation (true), or runs again. May be NULL.
     */
    void (*stalled)(void *context, bool stalled);
    /* The chip restarts (esp_reset_reason_t). NULL: the board does it in place (world).
     * Otherwise (process mode) the function may replace the process and not return; where
     * it returns, the board stays without power. */
    void (*restart)(void *context, int reset_reason);
};

struct sim_board_config {
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_chip_t *chip;             /* flash, chip id, timing, boot loader generation */
    uint8_t mac[6];               /* base address, most significant byte first */
    const char *firmware_dir;     /* where fw_NAME.so are */
    const char *firmware_default; /* for images without a marker: "minimal" */
    uint64_t seed;                /* of optional task switches and anything else random */
    bool preempt;                 /* switch tasks at random points as well */
    uint32_t heap_bytes;          /* 0: 200 KiB */
    /* Flash calls in the task "nimble_host" are logged and counted; they also crash the
     * firmware, unless this is set (for firmware that is known to do it). */
    bool allow_flash_in_host_task;
    /* Why the first boot happens, where this process continues another's life
     * (esp_reset_reason_t); 0: power-on. */
    int first_reset_reason;
    const struct sim_board_ops *ops;
    void *context;
};

/* Everything of a board is in the arena, its firmware's statics are regions of it. The
 * modules' code is loaded once per process, so at most one board of a process may run a
 * given firmware at a time. The board has no power yet. */
sim_board_t *sim_board_new(const struct sim_board_config *config);

/* Power. Off: fibres vanish, RAM is lost, a flash operation under way is torn. A board
 * whose flash reaches its cut point loses its power by itself. From the loop only. */
void sim_board_power(sim_board_t *board, bool on);
bool sim_board_powered(const sim_board_t *board);
/* As the reset button: RAM is lost, RTC memory stays. */
void sim_board_reset(sim_board_t *board);

/* A packet from the controller for the board's host. False: not now (the processor stands
 * still in a flash operation, or the board's queue is full); ops->hci_room tells when. */
bool sim_board_hci_input(sim_board_t *board, const uint8_t *packet, size_t size);

/* What runs: label of the partition the boot loader took, NULL while nothing runs. */
const char *sim_board_running(const sim_board_t *board);
enum sim_behaviour sim_board_behaviour(const sim_board_t *board);
/* How often the boot loader ran. */
uint32_t sim_board_boots(const sim_board_t *board);
sim_chip_t *sim_board_chip(sim_board_t *board);

struct sim_board_stats {
    size_t heap_free_bytes;
    size_t heap_minimum_free_bytes; /* since boot */
    uint64_t allocations;           /* of heap memory since boot */
    uint32_t host_task_flash_calls; /* since the board was made */
    int reset_reason;               /* of the last boot: esp_reset_reason_t */
};
void sim_board_stats(const sim_board_t *board, struct sim_board_stats *ret_stats);

#endif
