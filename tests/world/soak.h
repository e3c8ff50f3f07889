/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * One episode of the long run: a board, and a few updates of it with faults. */
#ifndef TESTS_WORLD_SOAK_H
#define TESTS_WORLD_SOAK_H

#include <stdbool.h>
#include <stdint.h>

/* Updates of one board, one after the other. */
#define SOAK_EPISODE 4u

enum soak_fault {
    SOAK_POWER,    /* cut, and back after a while */
    SOAK_RESET,    /* of the board */
    SOAK_FADE,     /* shorter than a supervision timeout */
    SOAK_RANGE,    /* the board is out of range for seconds */
    SOAK_CLIENT,   /* the client's program dies, and is started again */
    SOAK_SECOND,   /* another central updates with an image whose hash is wrong */
    SOAK_MBUFS,    /* fragments are lost, and what follows is spliced */
    SOAK_OVERTAKE, /* frames pass Write Commands */
    SOAK_SILENCE,  /* notifications are lost */
    SOAK_FLASH,    /* a flash operation fails */
    SOAK_FAULTS,
};

extern const char *const soak_fault_names[SOAK_FAULTS];

struct soak_counts {
    uint64_t updates;
    uint64_t native; /* by protocol 2 */
    uint64_t large;  /* of 1 MiB */
    uint64_t flows;  /* runs of the client */
    uint64_t faults[SOAK_FAULTS];
    uint64_t lost;      /* fragments */
    uint64_t overtaken; /* frames */
    uint64_t boots;
    uint64_t virtual_s;
    uint32_t flows_worst;    /* of an update, after its faults had stopped */
    uint32_t finish_worst_s; /* from there to its confirmation */
};

/* Plays the episode of update `last` up to it, or all of it (last: its last one). Adds to
 * the counts. Returns false where something is wrong, which it has printed then. */
bool soak_episode(uint64_t seed, uint64_t first, uint64_t last, bool verbose,
                  struct soak_counts *counts);

/* The update that is being played, for whoever has to print it. */
extern volatile uint64_t soak_number;

#endif
