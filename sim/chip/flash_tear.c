/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What an erase or a program leaves behind when the power goes in the middle of it. */
#include <assert.h>
#include <string.h>

#include "sim/chip/flash_state.h"

static uint8_t random_byte(sim_random_t *random)
{
    return (uint8_t)(sim_random_next(random) >> 32);
}

/* Every byte for itself: erased, as it was, between the two, or anything. */
static void erase_in_patches(uint8_t *bytes, const uint8_t *before, uint32_t size,
                             sim_random_t *random)
{
    for (uint32_t i = 0; i < size; i++) {
        uint64_t draw = sim_random_next(random);
        uint8_t noise = (uint8_t)(draw >> 32);
        switch (draw >> 62) {
        case 0:
            bytes[i] = 0xFF;
            break;
        case 1:
            bytes[i] = before[i];
            break;
        case 2:
            bytes[i] = before[i] | noise;
            break;
        default:
            bytes[i] = noise;
            break;
        }
    }
}

/* A few bytes differ from one of the two ends. Such a record can still look whole. */
static void erase_nearly(uint8_t *bytes, const uint8_t *before, uint32_t size,
                         bool finished, sim_random_t *random)
{
    if (!finished) {
        memcpy(bytes, before, size);
    }
    /* Half of the changes in the first bytes, where headers and records lie. */
    uint32_t changes = 1 + sim_random_below(random, 64);
    for (uint32_t i = 0; i < changes; i++) {
        uint32_t range = i % 2 == 0 && size > 64 ? 64 : size;
        uint32_t at = sim_random_below(random, range);
        uint8_t noise = random_byte(random);
        noise &= random_byte(random);
        bytes[at] =
            finished ? bytes[at] & (uint8_t)(before[at] | ~noise) : bytes[at] | noise;
    }
}

/* Done up to some byte, in between there, untouched behind. */
static void erase_prefix(uint8_t *bytes, const uint8_t *before, uint32_t size,
                         sim_random_t *random)
{
    uint32_t done = sim_random_below(random, size + 1);
    memcpy(bytes + done, before + done, size - done);
    for (uint32_t i = done; i < size && i < done + 16; i++) {
        bytes[i] = before[i] | random_byte(random);
    }
}

/* Some flash programs every bit to 0 before it erases. */
static void erase_preconditioning(uint8_t *bytes, const uint8_t *before, uint32_t size,
                                  sim_random_t *random)
{
    uint32_t done = sim_random_below(random, size + 1);
    memset(bytes, 0, done);
    memcpy(bytes + done, before + done, size - done);
    for (uint32_t i = done; i < size && i < done + 16; i++) {
        bytes[i] = before[i] & random_byte(random);
    }
}

static void tear_erase(uint8_t *bytes, const uint8_t *before, uint32_t size,
                       sim_random_t *random)
{
    switch (sim_random_below(random, 5)) {
    case 0:
        erase_in_patches(bytes, before, size, random);
        break;
    case 1:
        erase_nearly(bytes, before, size, false, random);
        break;
    case 2:
        erase_nearly(bytes, before, size, true, random);
        break;
    case 3:
        erase_prefix(bytes, before, size, random);
        break;
    default:
        erase_preconditioning(bytes, before, size, random);
        break;
    }
}

/* Bits go from 1 to 0 only, so what is left lies between before and after. */
static void tear_program(uint8_t *bytes, const uint8_t *before, uint32_t size,
                         sim_random_t *random)
{
    uint32_t done = sim_random_below(random, size + 1);
    uint32_t style = sim_random_below(random, 4);
    uint32_t partial = style == 0 ? 0 : style == 1 ? 16 : size;
    if (style == 3) {
        done = 0;
    }
    for (uint32_t i = done; i < size; i++) {
        uint8_t open = i - done < partial ? random_byte(random) : 0xFF;
        if (style == 3) {
            open = (open & 1) != 0 ? 0xFF : 0;
        }
        bytes[i] |= before[i] & open;
    }
}

void flash_tear(enum flash_kind kind, uint8_t *bytes, const uint8_t *before,
                uint32_t size, uint32_t variant, uint64_t seed)
{
    assert(size > 0);
    if (variant == 0) {
        memcpy(bytes, before, size);
        return;
    }
    if (variant == 1) {
        return;
    }
    sim_random_t random;
    sim_random_seed(&random, seed + variant);
    if (kind == FLASH_ERASE) {
        tear_erase(bytes, before, size, &random);
    } else {
        tear_program(bytes, before, size, &random);
    }
}

/* Undoes the commands of one call that had not begun, tears the one under way. */
static void rewind_call(sim_flash_t *flash, const struct flash_call *call,
                        uint64_t elapsed_us)
{
    const uint8_t *before = flash->undo + call->undo_offset;
    uint64_t begin_us = call->start_us;
    for (uint32_t done = 0; done < call->size;) {
        uint32_t offset = call->offset + done;
        uint32_t step = flash_command_size(call->kind, offset, call->size - done);
        uint64_t end_us = begin_us + flash_command_us(flash, call->kind, step);
        uint8_t *bytes = flash->bytes + offset;
        if (end_us <= elapsed_us) {
            if (call->kind == FLASH_ERASE) {
                memset(bytes, 0xFF, step); /* a killed process may not have come so far */
            }
        } else if (begin_us < elapsed_us) {
            uint64_t seed =
                flash->seed ^ flash->state->stats.operations << 20 ^ elapsed_us;
            if (call->kind == FLASH_ERASE) {
                memset(bytes, 0xFF, step);
            }
            flash_tear(call->kind, bytes, before + done, step, 2, seed);
        } else {
            memcpy(bytes, before + done, step);
            if (!flash->killed) { /* else it may not have been counted */
                flash_count(flash, call->kind, offset, step, -1);
            }
        }
        begin_us = end_us;
        done += step;
    }
}

void flash_rewind(sim_flash_t *flash, uint64_t elapsed_us)
{
    struct flash_state *state = flash->state;
    /* Newest first: each call's undo holds what the calls before it had left. The calls
     * before the one under way were over. */
    for (uint32_t i = state->call_count; i > 0; i--) {
        rewind_call(flash, &state->calls[i - 1], elapsed_us);
        if (state->calls[i - 1].start_us < elapsed_us) {
            break;
        }
    }
}

static uint32_t at_least_1(uint32_t us)
{
    return us > 0 ? us : 1;
}

void flash_rewind_killed(sim_flash_t *flash)
{
    struct flash_state *state = flash->state;
    struct sim_flash_timing real = flash->timing;
    /* In ideal flash everything takes no time, yet a kill came between two commands. */
    flash->timing.sector_erase_us = at_least_1(real.sector_erase_us);
    flash->timing.block_erase_us = at_least_1(real.block_erase_us);
    flash->timing.page_program_us = at_least_1(real.page_program_us);
    uint64_t total_us = 0;
    for (uint32_t i = 0; i < state->call_count; i++) {
        struct flash_call *call = &state->calls[i];
        call->start_us = total_us;
        for (uint32_t done = 0; done < call->size;) {
            uint32_t step =
                flash_command_size(call->kind, call->offset + done, call->size - done);
            total_us += flash_command_us(flash, call->kind, step);
            done += step;
        }
    }
    sim_random_t random;
    sim_random_seed(&random, flash->seed ^ state->stats.operations << 8);
    flash_rewind(flash, sim_random_next(&random) % (total_us + 1));
    flash->timing = real;
}
