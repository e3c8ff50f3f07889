/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * One run of one protocol: the board's processor and flash, and the clock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/link.h"

#define ARENA_SIZE     (8u << 20)
#define OPERATIONS_MAX 512u
#define LIMIT_US       UINT64_C(7200000000)
#define ATT_VALUE_MAX  512u
#define ANSWERS_MAX    64u

/* ESP-IDF lets other tasks run for a tick after 20 ms of one erase. */
#define ERASE_PAUSE_US 10000u

struct operation {
    uint64_t us;
    bool pause; /* the flash is idle, and the processor runs */
    void (*done)(struct bench_run *run, uint32_t number);
    uint32_t number;
};

struct bench_run {
    const struct bench_protocol *protocol;
    const struct bench_settings *settings;
    struct bench_link link;
    void *state;
    bool finished; /* says the central */
    /* The board's answers that wait for its host. */
    struct bench_frame answers[ANSWERS_MAX];
    size_t answer_first;
    size_t answer_count;
    /* The board's flash. */
    struct operation operations[OPERATIONS_MAX];
    size_t operation_first;
    size_t operation_count;
    bool operating;
    sim_event_t flash;
    uint64_t stalled_us;
};

void *bench_state(struct bench_run *run)
{
    return run->state;
}

const struct bench_protocol *bench_protocol_of(const struct bench_run *run)
{
    return run->protocol;
}

const struct bench_settings *bench_settings_of(const struct bench_run *run)
{
    return run->settings;
}

static uint16_t mtu_of(const struct bench_run *run)
{
    uint16_t mtu = run->settings->air.mtu;
    uint16_t max = run->protocol->mtu_max;
    return max != 0 && max < mtu ? max : mtu;
}

uint16_t bench_value_max(const struct bench_run *run)
{
    uint16_t value = (uint16_t)(mtu_of(run) - 3);
    return value < ATT_VALUE_MAX ? value : ATT_VALUE_MAX;
}

void bench_central_wake(struct bench_run *run)
{
    bench_host_wake(&run->link.central);
}

void bench_board_send(struct bench_run *run, enum bench_att opcode, uint16_t value_size,
                      uint8_t tag, uint32_t number)
{
    if (run->answer_count == ANSWERS_MAX) {
        fprintf(stderr, "bench: %s: too many answers wait\n", run->protocol->name);
        abort();
    }
    run->answers[(run->answer_first + run->answer_count) % ANSWERS_MAX] =
        (struct bench_frame){opcode, value_size, tag, number};
    run->answer_count++;
    bench_host_wake(&run->link.board);
}

void bench_finish(struct bench_run *run)
{
    run->finished = true;
}

/* ---- flash ---- */

static void stall(struct bench_run *run, bool stalled)
{
    struct bench_host *board = &run->link.board;
    board->stalled = stalled;
    if (run->settings->controller_stalls) {
        sim_controller_stall(board->controller, stalled);
    }
    if (!stalled) {
        sim_controller_kick(board->controller);
        bench_host_wake(board);
    }
}

/* An operation ended, or the first one is to begin. The host has had its turn: the event
 * was set behind what the controller hands over. */
static void flash_step(void *context)
{
    struct bench_run *run = context;
    if (run->operating) {
        struct operation operation = run->operations[run->operation_first];
        run->operation_first = (run->operation_first + 1) % OPERATIONS_MAX;
        run->operation_count--;
        run->operating = false;
        if (!operation.pause) {
            stall(run, false);
        }
        if (operation.done != NULL) {
            operation.done(run, operation.number);
        }
        if (run->operation_count > 0 && !sim_event_armed(&run->flash)) {
            sim_loop_after(run->link.loop, &run->flash, 0);
        }
        return;
    }
    const struct operation *next = &run->operations[run->operation_first];
    run->operating = true;
    if (!next->pause) {
        stall(run, true);
        run->stalled_us += next->us;
    }
    sim_loop_after(run->link.loop, &run->flash, next->us);
}

static void queue(struct bench_run *run, const struct operation *operation)
{
    if (run->operation_count == OPERATIONS_MAX) {
        fprintf(stderr, "bench: %s: too many flash operations\n", run->protocol->name);
        abort();
    }
    run->operations[(run->operation_first + run->operation_count) % OPERATIONS_MAX] =
        *operation;
    run->operation_count++;
    if (!run->operating && !sim_event_armed(&run->flash)) {
        sim_loop_after(run->link.loop, &run->flash, 0);
    }
}

void bench_board_flash(struct bench_run *run, uint64_t us,
                       void (*done)(struct bench_run *run, uint32_t number),
                       uint32_t number)
{
    queue(run, &(struct operation){.us = us, .done = done, .number = number});
}

uint64_t bench_program_us(const struct bench_run *run, uint32_t offset, uint32_t size)
{
    uint32_t first = offset / SIM_FLASH_PAGE;
    uint32_t last = (offset + size - 1) / SIM_FLASH_PAGE;
    return (uint64_t)(last - first + 1) * run->settings->flash.page_program_us;
}

uint32_t bench_sectors_begun(uint32_t offset, uint32_t size)
{
    uint32_t before = (offset + SIM_FLASH_SECTOR - 1) / SIM_FLASH_SECTOR;
    uint32_t after = (offset + size + SIM_FLASH_SECTOR - 1) / SIM_FLASH_SECTOR;
    return after - before;
}

void bench_erase_partition(struct bench_run *run,
                           void (*done)(struct bench_run *run, uint32_t number))
{
    uint32_t blocks = run->settings->partition_bytes / SIM_FLASH_BLOCK;
    for (uint32_t i = 0; i < blocks; i++) {
        if (i > 0) {
            queue(run, &(struct operation){.us = ERASE_PAUSE_US, .pause = true});
        }
        bench_board_flash(run, run->settings->flash.block_erase_us,
                          i + 1 == blocks ? done : NULL, 0);
    }
}

/* ---- the run ---- */

static bool central_next(void *context, struct bench_frame *ret_frame)
{
    struct bench_run *run = context;
    return run->protocol->central_next(run, ret_frame);
}

static void central_received(void *context, const struct bench_frame *frame)
{
    struct bench_run *run = context;
    run->protocol->central_received(run, frame);
}

static bool board_next(void *context, struct bench_frame *ret_frame)
{
    struct bench_run *run = context;
    if (run->answer_count == 0 || run->link.board.stalled) {
        return false; /* woken again at the end of the stall */
    }
    *ret_frame = run->answers[run->answer_first];
    run->answer_first = (run->answer_first + 1) % ANSWERS_MAX;
    run->answer_count--;
    return true;
}

static void board_received(void *context, const struct bench_frame *frame)
{
    struct bench_run *run = context;
    run->protocol->board_received(run, frame);
}

static void attach(struct bench_run *run)
{
    run->link.central.next = central_next;
    run->link.central.received = central_received;
    run->link.central.context = run;
    run->link.board.next = board_next;
    run->link.board.received = board_received;
    run->link.board.context = run;
    run->flash = (sim_event_t){.fire = flash_step, .context = run};
}

struct bench_result bench_run(const struct bench_protocol *protocol,
                              const struct bench_settings *settings)
{
    sim_arena_t *arena = sim_arena_new(ARENA_SIZE);
    struct bench_run *run = sim_arena_alloc(arena, sizeof(*run));
    run->protocol = protocol;
    run->settings = settings;
    run->state = sim_arena_alloc(arena, protocol->state_size);
    bench_link_open(&run->link, arena, settings);
    attach(run);
    struct sim_air_ledger before;
    struct sim_air_ledger after;
    sim_air_ledger(run->link.air, &before);
    uint64_t start_us = sim_loop_now_us(run->link.loop);
    protocol->start(run);
    bench_central_wake(run);
    while ((!run->finished || run->operation_count > 0) && !run->link.central.lost &&
           sim_loop_now_us(run->link.loop) - start_us < LIMIT_US &&
           sim_loop_step(run->link.loop)) {
    }
    uint64_t us = sim_loop_now_us(run->link.loop) - start_us;
    sim_air_ledger(run->link.air, &after);
    struct bench_result result = {
        .finished = run->finished && run->operation_count == 0,
        .seconds = (double)us / 1e6,
        .connection_events = after.connection_events - before.connection_events,
        .air_bytes = after.data_bytes - before.data_bytes,
        .stalled_us = run->stalled_us,
    };
    result.kb_per_s =
        result.finished && us > 0 ? (double)settings->image_bytes * 1e3 / (double)us : 0;
    sim_arena_free(arena);
    return result;
}
