/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A board alone under a virtual clock, for tests. */
#ifndef BOARD_FIXTURE_H
#define BOARD_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/idf/board.h"

#define BOARD_LOG_SIZE 65536u

struct board_fixture {
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_flash_t *flash;
    sim_chip_t *chip;
    sim_board_t *board;
    char *log; /* lines of the console, each with a newline */
    uint64_t hci_packets;
    uint32_t hci_rooms;
    int restarts; /* asked of ops->restart */
};

struct board_options {
    const char *firmware;  /* of *factory*; "kernel" */
    const char *version;   /* "1.0.0" */
    const char *behaviour; /* NULL: good */
    const char *timing;    /* NULL: ideal */
    int idf_major;         /* 0: 5 */
    uint64_t seed;
    bool preempt;
    bool allow_flash_in_host_task;
    bool restart_outside; /* ops->restart is there */
    uint32_t heap_bytes;
};

/* A board with the stock two-OTA table and one image in *factory*, powered. */
struct board_fixture *board_new(const struct board_options *options);
void board_free(struct board_fixture *fixture);

/* Puts another image into a partition. */
void board_install(struct board_fixture *fixture, const char *label, const char *firmware,
                   const char *version, const char *behaviour);

/* Lets so much virtual time pass. */
void board_run(struct board_fixture *fixture, uint64_t ms);
/* Runs until the log holds the text; fails the test when limit_ms pass before. */
void board_run_until(struct board_fixture *fixture, const char *text, uint64_t limit_ms);
bool board_logged(const struct board_fixture *fixture, const char *text);
/* Fails the test where the firmware reported a FAIL. */
void board_assert_no_failure(const struct board_fixture *fixture);
/* Runs the kernel firmware's scenario to its end, on a chip as in ESP-IDF 5 and 6.
 * timing NULL: ideal. */
void board_run_scenario(const char *version, const char *timing);
/* How often the log holds the text. */
unsigned board_count(const struct board_fixture *fixture, const char *text);

#endif
