/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * NOR flash: what it keeps, how long it takes, and what is left when the power goes. */
#ifndef SIM_FLASH_H
#define SIM_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/random.h"

#define SIM_FLASH_SECTOR 4096u
#define SIM_FLASH_BLOCK  65536u
#define SIM_FLASH_PAGE   256u

typedef struct sim_flash sim_flash_t;

/* Microseconds each operation takes. Values are this flash's own; make another struct for
 * an aged chip. */
struct sim_flash_timing {
    const char *name;
    uint32_t sector_erase_us;
    uint32_t block_erase_us;
    uint32_t page_program_us;
    uint32_t read_us_per_kib;
};

/* "ideal" (all 0), "typical" (45 ms, 150 ms, 0.7 ms), "worst" (400 ms, 2 s, 3 ms); NULL
 * for another name. */
const struct sim_flash_timing *sim_flash_timing(const char *name);

enum sim_flash_result {
    SIM_FLASH_OK = 0,
    SIM_FLASH_RANGE,  /* outside the flash, or an erase that is not sector-aligned */
    SIM_FLASH_FAILED, /* the operation failed and the power is still on (injected) */
    SIM_FLASH_CUT, /* the power went away in the middle: nothing works until power-on */
};

struct sim_flash_stats {
    uint64_t
        operations; /* sectors or blocks erased, pages programmed; counts cut points */
    uint64_t sectors_erased;
    uint64_t blocks_erased;
    uint64_t pages_programmed;
    uint64_t bytes_read;
    uint64_t overwrites; /* programs that asked for a 0 bit to become 1 */
};

/* UINT64_MAX stands for "no operation" in cut_at and fail_at. */
#define SIM_FLASH_NEVER UINT64_MAX

/* size_bytes: a multiple of a block, at most 16 MiB. All bytes FF, powered, no operation
 * done. Everything lives in the arena. `timing` is copied. */
sim_flash_t *sim_flash_new(sim_arena_t *arena, uint32_t size_bytes,
                           const struct sim_flash_timing *timing, uint64_t seed);

/* The same over a raw file of that size and the state file `<path>.state` beside it
 * (wear, statistics, cut and failure points, the operation under way): content survives
 * the process, and a process that is killed inside an operation leaves a torn one: the
 * flash is then without power until sim_flash_power_on, which tears it. A missing or
 * shorter raw file is filled up with FF. NULL and errno when the files cannot be made or
 * read, EFBIG when the raw file is larger, EBADMSG when the state file is another's.
 * One process at a time may use the files. */
sim_flash_t *sim_flash_open(sim_arena_t *arena, const char *path, uint32_t size_bytes,
                            const struct sim_flash_timing *timing, uint64_t seed);
/* Lets go of the files; what is under way stays recorded in them. Nothing for a flash in
 * memory. The handle must not be used any more. */
void sim_flash_close(sim_flash_t *flash);

uint32_t sim_flash_size(const sim_flash_t *flash);

/* One erase or program command after another, as the driver splits them: an erase takes
 * blocks where it is aligned and at least a block remains, else sectors; a program is
 * split at pages. Each first sets *ret_us to what the whole call takes (to the moment of
 * the cut when there is one). Programming clears bits only. A cut tears the operation
 * under way: some of its bits done, some not, some in between.
 *
 * The bytes change at the call; its time is over at sim_flash_settle. Until then
 * sim_flash_power_off can still undo and tear it. So: call, let *ret_us pass, settle. A
 * further erase or program settles what went before, unless both are in one group. */
enum sim_flash_result sim_flash_erase(sim_flash_t *flash, uint32_t offset, uint32_t size,
                                      uint64_t *ret_us);
enum sim_flash_result sim_flash_program(sim_flash_t *flash, uint32_t offset,
                                        const void *bytes, uint32_t size,
                                        uint64_t *ret_us);
enum sim_flash_result sim_flash_read(const sim_flash_t *flash, uint32_t offset,
                                     void *bytes, uint32_t size, uint64_t *ret_us);
/* Reading in place, as through the cache: adds its time to *us. The bytes change with the
 * flash. NULL: out of range, or no power. */
const uint8_t *sim_flash_map(const sim_flash_t *flash, uint32_t offset, uint32_t size,
                             uint64_t *us);
/* The time of every call so far is over: nothing is under way. Before a reset that keeps
 * the power too, since the flash chip ends its command by itself. */
void sim_flash_settle(sim_flash_t *flash);

/* Between begin and end, calls (reads too) stand in one row in time: sim_flash_power_off
 * takes its elapsed time from the first of them, also after the end, until the next
 * settle. For a function of several operations that returns the sum of their times.
 * Begin settles what went before. Groups do not nest. */
void sim_flash_group_begin(sim_flash_t *flash);
void sim_flash_group_end(sim_flash_t *flash);

/* Tears operation number `operation` (as counted in the statistics, 0 being the first
 * after the flash was made) and cuts the power in it; UINT64_MAX: never. variant chooses
 * among the torn outcomes: 0 nothing done, 1 all done but the power gone, 2 and up:
 * seeded mixtures. */
void sim_flash_cut_at(sim_flash_t *flash, uint64_t operation, uint32_t variant);
/* Lets operation number `operation` fail without a cut; what it leaves is torn. */
void sim_flash_fail_at(sim_flash_t *flash, uint64_t operation);
/* True while there is no power: from a cut or power-off until power-on. */
bool sim_flash_is_cut(const sim_flash_t *flash);
/* The power goes now. What is not settled is torn where it stands elapsed_us after its
 * beginning: earlier operations are done, later ones are not, the one under way is a
 * seeded mixture. UINT64_MAX: everything was over. */
void sim_flash_power_off(sim_flash_t *flash, uint64_t elapsed_us);
/* The power is back. In a flash over files: tears what a killed process left under way,
 * at a seeded moment of its time. */
void sim_flash_power_on(sim_flash_t *flash);

void sim_flash_stats(const sim_flash_t *flash, struct sim_flash_stats *ret_stats);
uint32_t sim_flash_wear(const sim_flash_t *flash, uint32_t sector);

/* For tests, tools and the factory: the bytes as they are, without time or statistics. */
const uint8_t *sim_flash_bytes(const sim_flash_t *flash);
void sim_flash_load(sim_flash_t *flash, uint32_t offset, const void *bytes,
                    uint32_t size);

#endif
