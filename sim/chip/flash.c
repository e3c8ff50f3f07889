/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Erase, program and read, command by command, with the power cuts and failures that were
 * ordered. */
#include "sim/chip/flash.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "sim/chip/flash_state.h"

#define FLASH_SIZE_MAX  (16u * 1024 * 1024)
#define UNDO_FIRST_SIZE (2u * SIM_FLASH_SECTOR)

/* Sector, block and page are data-sheet values; reading stands for the flash at 40 MHz on
 * two lines together with the hashing that goes with it. */
static const struct sim_flash_timing timings[] = {
    {"ideal", 0, 0, 0, 0},
    {"typical", 45000, 150000, 700, 150},
    {"worst", 400000, 2000000, 3000, 300},
};

const struct sim_flash_timing *sim_flash_timing(const char *name)
{
    for (size_t i = 0; i < sizeof(timings) / sizeof(timings[0]); i++) {
        if (strcmp(timings[i].name, name) == 0) {
            return &timings[i];
        }
    }
    return NULL;
}

sim_flash_t *sim_flash_new(sim_arena_t *arena, uint32_t size_bytes,
                           const struct sim_flash_timing *timing, uint64_t seed)
{
    assert(size_bytes > 0 && size_bytes <= FLASH_SIZE_MAX);
    assert(size_bytes % SIM_FLASH_BLOCK == 0);
    sim_flash_t *flash = sim_arena_alloc(arena, sizeof(*flash));
    flash->timing = *timing;
    flash->seed = seed;
    flash->size_bytes = size_bytes;
    flash->arena = arena;
    flash->bytes = sim_arena_alloc(arena, size_bytes);
    memset(flash->bytes, 0xFF, size_bytes);
    flash->wear =
        sim_arena_alloc(arena, size_bytes / SIM_FLASH_SECTOR * sizeof(*flash->wear));
    flash->state = sim_arena_alloc(arena, sizeof(*flash->state));
    flash->state->magic = FLASH_STATE_MAGIC;
    flash->state->size_bytes = size_bytes;
    flash->state->cut_operation = SIM_FLASH_NEVER;
    flash->state->fail_operation = SIM_FLASH_NEVER;
    return flash;
}

uint32_t sim_flash_size(const sim_flash_t *flash)
{
    return flash->size_bytes;
}

static bool in_range(const sim_flash_t *flash, uint32_t offset, uint32_t size)
{
    return offset <= flash->size_bytes && size <= flash->size_bytes - offset;
}

uint32_t flash_command_size(enum flash_kind kind, uint32_t offset, uint32_t size)
{
    if (kind == FLASH_ERASE) {
        return offset % SIM_FLASH_BLOCK == 0 && size >= SIM_FLASH_BLOCK
                   ? SIM_FLASH_BLOCK
                   : SIM_FLASH_SECTOR;
    }
    uint32_t room = SIM_FLASH_PAGE - offset % SIM_FLASH_PAGE;
    return size < room ? size : room;
}

uint64_t flash_command_us(const sim_flash_t *flash, enum flash_kind kind, uint32_t size)
{
    if (kind == FLASH_PROGRAM) {
        return flash->timing.page_program_us;
    }
    return size == SIM_FLASH_BLOCK ? flash->timing.block_erase_us
                                   : flash->timing.sector_erase_us;
}

void flash_count(sim_flash_t *flash, enum flash_kind kind, uint32_t offset, uint32_t size,
                 int by)
{
    struct sim_flash_stats *stats = &flash->state->stats;
    uint64_t step = (uint64_t)(int64_t)by;
    stats->operations += step;
    if (kind == FLASH_PROGRAM) {
        stats->pages_programmed += step;
        return;
    }
    if (size == SIM_FLASH_BLOCK) {
        stats->blocks_erased += step;
    } else {
        stats->sectors_erased += step;
    }
    for (uint32_t sector = offset / SIM_FLASH_SECTOR;
         sector < (offset + size) / SIM_FLASH_SECTOR; sector++) {
        flash->wear[sector] += (uint32_t)step;
    }
}

static void forget_calls(struct flash_state *state)
{
    state->call_count = 0;
    state->undo_used = 0;
}

void sim_flash_settle(sim_flash_t *flash)
{
    if (flash->killed) {
        return; /* until power-on tears it */
    }
    forget_calls(flash->state);
    flash->state->under_way_us = 0;
    flash->state->group = false;
}

void sim_flash_group_begin(sim_flash_t *flash)
{
    assert(!flash->state->group);
    if (!flash->state->off) {
        sim_flash_settle(flash);
    }
    flash->state->group = true;
}

void sim_flash_group_end(sim_flash_t *flash)
{
    flash->state->group = false;
}

static void make_undo_room(sim_flash_t *flash, uint32_t size)
{
    struct flash_state *state = flash->state;
    if (flash->arena == NULL) {
        if (size > flash->undo_capacity - state->undo_used) {
            /* Rather let the older calls be over than lose the newest. */
            forget_calls(state);
        }
        return;
    }
    uint32_t need = state->undo_used + size;
    if (need <= flash->undo_capacity) {
        return;
    }
    uint32_t capacity =
        flash->undo_capacity == 0 ? UNDO_FIRST_SIZE : flash->undo_capacity;
    while (capacity < need) {
        capacity *= 2;
    }
    uint8_t *undo = sim_arena_alloc(flash->arena, capacity);
    if (state->undo_used > 0) {
        memcpy(undo, flash->undo, state->undo_used);
    }
    flash->undo = undo;
    flash->undo_capacity = capacity;
}

/* Notes a call before the first of its bytes changes. Returns the bytes as they were. */
static const uint8_t *begin_call(sim_flash_t *flash, enum flash_kind kind,
                                 uint32_t offset, uint32_t size)
{
    struct flash_state *state = flash->state;
    if (!state->group) {
        sim_flash_settle(flash);
    }
    if (state->call_count == FLASH_CALLS_MAX) {
        forget_calls(state);
    }
    make_undo_room(flash, size);
    struct flash_call *call = &state->calls[state->call_count];
    *call = (struct flash_call){.kind = kind,
                                .offset = offset,
                                .size = size,
                                .undo_offset = state->undo_used,
                                .start_us = state->under_way_us};
    uint8_t *before = flash->undo + state->undo_used;
    memcpy(before, flash->bytes + offset, size);
    state->undo_used += size;
    /* A process can be killed between any two stores, which a mapped file shows. */
    atomic_signal_fence(memory_order_seq_cst);
    state->call_count++;
    atomic_signal_fence(memory_order_seq_cst);
    return before;
}

static bool program_overwrites(const uint8_t *old, const uint8_t *new, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        if ((new[i] & ~old[i]) != 0) {
            return true;
        }
    }
    return false;
}

static void apply(uint8_t *target, const uint8_t *new, uint32_t size)
{
    if (new == NULL) {
        memset(target, 0xFF, size);
        return;
    }
    for (uint32_t i = 0; i < size; i++) {
        target[i] &= new[i];
    }
}

static uint64_t tear_seed(const sim_flash_t *flash, uint64_t operation)
{
    return flash->seed ^ (operation + 1) * 0xD1342543DE82EF95u;
}

/* One sector, block or page; new is NULL for an erase. */
static enum sim_flash_result run_command(sim_flash_t *flash, enum flash_kind kind,
                                         uint32_t offset, const uint8_t *new,
                                         uint32_t size, const uint8_t *before)
{
    struct flash_state *state = flash->state;
    uint64_t operation = state->stats.operations;
    flash_count(flash, kind, offset, size, 1);
    if (kind == FLASH_PROGRAM && program_overwrites(before, new, size)) {
        state->stats.overwrites++;
    }
    apply(flash->bytes + offset, new, size);
    if (operation == state->cut_operation) {
        flash_tear(kind, flash->bytes + offset, before, size, state->cut_variant,
                   tear_seed(flash, operation));
        state->off = true;
        return SIM_FLASH_CUT;
    }
    if (operation == state->fail_operation) {
        flash_tear(kind, flash->bytes + offset, before, size, 2,
                   tear_seed(flash, operation));
        return SIM_FLASH_FAILED;
    }
    return SIM_FLASH_OK;
}

static enum sim_flash_result run_call(sim_flash_t *flash, enum flash_kind kind,
                                      uint32_t offset, const uint8_t *new, uint32_t size,
                                      uint64_t *ret_us)
{
    const uint8_t *before = begin_call(flash, kind, offset, size);
    uint64_t us = 0;
    for (uint32_t done = 0; done < size;) {
        uint32_t step = flash_command_size(kind, offset + done, size - done);
        uint64_t step_us = flash_command_us(flash, kind, step);
        enum sim_flash_result result =
            run_command(flash, kind, offset + done, new == NULL ? NULL : new + done, step,
                        before + done);
        if (result != SIM_FLASH_OK) {
            *ret_us = us + (result == SIM_FLASH_CUT ? step_us / 2 : step_us);
            forget_calls(flash->state); /* the undo of a call cut short fits no more */
            flash->state->under_way_us += *ret_us;
            return result;
        }
        us += step_us;
        done += step;
    }
    flash->state->under_way_us += us;
    *ret_us = us;
    return SIM_FLASH_OK;
}

enum sim_flash_result sim_flash_erase(sim_flash_t *flash, uint32_t offset, uint32_t size,
                                      uint64_t *ret_us)
{
    *ret_us = 0;
    if (flash->state->off) {
        return SIM_FLASH_CUT;
    }
    if (!in_range(flash, offset, size) || offset % SIM_FLASH_SECTOR != 0 ||
        size % SIM_FLASH_SECTOR != 0) {
        return SIM_FLASH_RANGE;
    }
    return run_call(flash, FLASH_ERASE, offset, NULL, size, ret_us);
}

enum sim_flash_result sim_flash_program(sim_flash_t *flash, uint32_t offset,
                                        const void *bytes, uint32_t size,
                                        uint64_t *ret_us)
{
    *ret_us = 0;
    if (flash->state->off) {
        return SIM_FLASH_CUT;
    }
    if (!in_range(flash, offset, size)) {
        return SIM_FLASH_RANGE;
    }
    if (size == 0) {
        return SIM_FLASH_OK;
    }
    return run_call(flash, FLASH_PROGRAM, offset, bytes, size, ret_us);
}

static uint64_t charge_read(const sim_flash_t *flash, uint32_t size)
{
    uint64_t us = (uint64_t)size * flash->timing.read_us_per_kib / 1024;
    flash->state->stats.bytes_read += size;
    if (flash->state->group) {
        flash->state->under_way_us += us;
    }
    return us;
}

enum sim_flash_result sim_flash_read(const sim_flash_t *flash, uint32_t offset,
                                     void *bytes, uint32_t size, uint64_t *ret_us)
{
    *ret_us = 0;
    if (flash->state->off) {
        return SIM_FLASH_CUT;
    }
    if (!in_range(flash, offset, size)) {
        return SIM_FLASH_RANGE;
    }
    memcpy(bytes, flash->bytes + offset, size);
    *ret_us = charge_read(flash, size);
    return SIM_FLASH_OK;
}

const uint8_t *sim_flash_map(const sim_flash_t *flash, uint32_t offset, uint32_t size,
                             uint64_t *us)
{
    if (flash->state->off || !in_range(flash, offset, size)) {
        return NULL;
    }
    *us += charge_read(flash, size);
    return flash->bytes + offset;
}

void sim_flash_cut_at(sim_flash_t *flash, uint64_t operation, uint32_t variant)
{
    flash->state->cut_operation = operation;
    flash->state->cut_variant = variant;
}

void sim_flash_fail_at(sim_flash_t *flash, uint64_t operation)
{
    flash->state->fail_operation = operation;
}

bool sim_flash_is_cut(const sim_flash_t *flash)
{
    return flash->state->off;
}

void sim_flash_power_off(sim_flash_t *flash, uint64_t elapsed_us)
{
    if (flash->state->off) {
        return;
    }
    if (elapsed_us < flash->state->under_way_us) {
        flash_rewind(flash, elapsed_us);
    }
    sim_flash_settle(flash);
    flash->state->off = true;
}

void sim_flash_power_on(sim_flash_t *flash)
{
    if (flash->killed) {
        flash_rewind_killed(flash);
        flash->killed = false;
    }
    sim_flash_settle(flash);
    flash->state->off = false;
}

void sim_flash_stats(const sim_flash_t *flash, struct sim_flash_stats *ret_stats)
{
    *ret_stats = flash->state->stats;
}

uint32_t sim_flash_wear(const sim_flash_t *flash, uint32_t sector)
{
    assert(sector < flash->size_bytes / SIM_FLASH_SECTOR);
    return flash->wear[sector];
}

const uint8_t *sim_flash_bytes(const sim_flash_t *flash)
{
    return flash->bytes;
}

void sim_flash_load(sim_flash_t *flash, uint32_t offset, const void *bytes, uint32_t size)
{
    assert(in_range(flash, offset, size));
    flash->killed = false;
    sim_flash_settle(flash);
    memcpy(flash->bytes + offset, bytes, size);
}
