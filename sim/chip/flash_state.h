/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Inside the flash: what has to outlive the process, and what has not. */
#ifndef SIM_FLASH_STATE_H
#define SIM_FLASH_STATE_H

#include "sim/chip/flash.h"

#define FLASH_STATE_MAGIC 0x32307473666c6173u /* "salfst02" in memory */
#define FLASH_CALLS_MAX   32u

enum flash_kind {
    FLASH_ERASE = 1,
    FLASH_PROGRAM = 2,
};

/* One erase or program call whose time is not over. */
struct flash_call {
    uint32_t kind;
    uint32_t offset;
    uint32_t size;
    uint32_t undo_offset; /* of the bytes as they were before, in the undo area */
    uint64_t start_us;    /* after the first call that is not settled */
};

/* Lies in the arena, or at the start of the state file. No pointers. */
struct flash_state {
    uint64_t magic;
    uint32_t size_bytes;
    uint32_t off; /* no power */
    struct sim_flash_stats stats;
    uint64_t cut_operation;
    uint64_t fail_operation;
    uint32_t cut_variant;
    /* The calls under way, oldest first. Counted only when entry and undo are written. */
    uint32_t call_count;
    uint32_t undo_used;
    uint32_t group;
    uint64_t under_way_us;
    struct flash_call calls[FLASH_CALLS_MAX];
};

struct sim_flash {
    struct sim_flash_timing timing;
    uint64_t seed;
    uint32_t size_bytes;
    uint32_t undo_capacity;
    uint8_t *bytes;
    struct flash_state *state;
    uint32_t *wear; /* erases of each sector */
    uint8_t *undo;
    sim_arena_t *arena;        /* where undo grows; NULL: it has its full size */
    bool killed;               /* an earlier process ended with calls under way */
    size_t state_mapped_bytes; /* 0: in memory */
};

/* Turns a finished operation into one that the power left in the middle. `bytes` hold
 * what the finished operation left, `before` what was there. Variants as those of
 * sim_flash_cut_at. */
void flash_tear(enum flash_kind kind, uint8_t *bytes, const uint8_t *before,
                uint32_t size, uint32_t variant, uint64_t seed);

/* The first command of a call: its size in bytes and its time. */
uint32_t flash_command_size(enum flash_kind kind, uint32_t offset, uint32_t size);
uint64_t flash_command_us(const sim_flash_t *flash, enum flash_kind kind, uint32_t size);

/* Undoes and tears what is under way to how it stood elapsed_us after it began. */
void flash_rewind(sim_flash_t *flash, uint64_t elapsed_us);
/* The same at a seeded moment, for calls that a killed process left. */
void flash_rewind_killed(sim_flash_t *flash);

/* Counts (or, with by = -1, takes back) one command. */
void flash_count(sim_flash_t *flash, enum flash_kind kind, uint32_t offset, uint32_t size,
                 int by);

#endif
