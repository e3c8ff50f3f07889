/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Espressif's ble_ota and ble_ota_raw, and NimBLEOta: sectors of 4096 bytes. */
#include "bench/bench.h"

#define SECTOR       4096u
#define CRC_SIZE     2u
#define HEADER_SIZE  3u
#define COMMAND_SIZE 20u

enum tag { TAG_START, TAG_PART, TAG_LAST, TAG_CONFIRM };

struct parameters {
    unsigned window;       /* sectors */
    unsigned ring_sectors; /* 0: written in the host task before the answer */
    enum bench_att answer;
};

struct state {
    bool start_sent;
    bool accepted;
    bool confirm; /* the central owes a confirmation */
    uint32_t sector;
    uint32_t sent; /* bytes of the sector, CRC included */
    uint32_t acknowledged;
    /* The board. */
    uint32_t queued; /* sectors in the ring or being written */
    uint32_t held;   /* answers held back: sectors that wait for the ring */
    uint32_t answered;
};

static const struct parameters *parameters_of(struct bench_run *run)
{
    return bench_protocol_of(run)->parameters;
}

static uint32_t sector_count(struct bench_run *run)
{
    return bench_settings_of(run)->image_bytes / SECTOR;
}

static void start(struct bench_run *run)
{
    (void)run;
}

static bool central_next(struct bench_run *run, struct bench_frame *ret_frame)
{
    struct state *state = bench_state(run);
    if (state->confirm) {
        state->confirm = false;
        *ret_frame = (struct bench_frame){BENCH_CONFIRMATION, 0, TAG_CONFIRM, 0};
        return true;
    }
    if (!state->start_sent) {
        state->start_sent = true;
        *ret_frame =
            (struct bench_frame){BENCH_WRITE_COMMAND, COMMAND_SIZE, TAG_START, 0};
        return true;
    }
    if (!state->accepted || state->sector == sector_count(run) ||
        state->sector - state->acknowledged >= parameters_of(run)->window) {
        return false;
    }
    uint32_t left = SECTOR + CRC_SIZE - state->sent;
    uint32_t max = bench_value_max(run) - HEADER_SIZE;
    uint32_t size = left < max ? left : max;
    state->sent += size;
    *ret_frame = (struct bench_frame){
        BENCH_WRITE_COMMAND, (uint16_t)(HEADER_SIZE + size),
        state->sent == SECTOR + CRC_SIZE ? TAG_LAST : TAG_PART, state->sector};
    if (ret_frame->tag == TAG_LAST) {
        state->sector++;
        state->sent = 0;
    }
    return true;
}

static void central_received(struct bench_run *run, const struct bench_frame *frame)
{
    struct state *state = bench_state(run);
    state->confirm = frame->opcode == BENCH_INDICATION;
    if (frame->tag == TAG_START) {
        state->accepted = true;
    } else {
        state->acknowledged++;
        if (state->acknowledged == sector_count(run)) {
            bench_finish(run);
        }
    }
    bench_central_wake(run);
}

static void answer(struct bench_run *run, enum tag tag)
{
    bench_board_send(run, parameters_of(run)->answer, COMMAND_SIZE, (uint8_t)tag, 0);
}

static void accept(struct bench_run *run, uint32_t number)
{
    (void)number;
    answer(run, TAG_START);
}

static void written(struct bench_run *run, uint32_t number)
{
    struct state *state = bench_state(run);
    (void)number;
    state->queued--;
    if (parameters_of(run)->ring_sectors == 0) {
        answer(run, TAG_LAST);
    } else if (state->held > 0) {
        state->held--;
        state->queued++;
        answer(run, TAG_LAST);
        bench_board_flash(run, bench_program_us(run, 0, SECTOR), written, 0);
    }
}

static void board_received(struct bench_run *run, const struct bench_frame *frame)
{
    struct state *state = bench_state(run);
    const struct parameters *parameters = parameters_of(run);
    if (frame->tag == TAG_START) {
        bench_erase_partition(run, accept);
    } else if (frame->tag == TAG_LAST) {
        if (parameters->ring_sectors > 0 && state->queued >= parameters->ring_sectors) {
            state->held++;
            return;
        }
        state->queued++;
        if (parameters->ring_sectors > 0) {
            answer(run, TAG_LAST);
        }
        bench_board_flash(run, bench_program_us(run, 0, SECTOR), written, 0);
    }
}

static const struct parameters ble_ota = {
    .window = 1, .ring_sectors = 2, .answer = BENCH_NOTIFICATION};
static const struct parameters ble_ota_raw = {
    .window = 4, .ring_sectors = 4, .answer = BENCH_NOTIFICATION};
static const struct parameters nimble_ota = {.window = 1, .answer = BENCH_INDICATION};

#define MODELLED                                                                          \
    "START is answered once the whole partition is erased, block by block; sectors of "   \
    "4096 bytes and a CRC in write commands of MTU - 3 bytes (at most 512), 3 of them a " \
    "header; each sector is answered with 20 bytes, "
#define LEFT_OUT "retries, STOP, the verification of the image"

#define GENERATOR(name_, label_, parameters_, modelled_, left_out_)         \
    {                                                                       \
        .name = name_, .label = label_, .modelled = MODELLED modelled_,     \
        .left_out = LEFT_OUT left_out_, .parameters = &parameters_,         \
        .state_size = sizeof(struct state), .start = start,                 \
        .central_next = central_next, .central_received = central_received, \
        .board_received = board_received                                    \
    }

const struct bench_protocol bench_ble_ota = GENERATOR(
    "ble-ota", "Espressif ble_ota, window 1", ble_ota,
    "as soon as it is in the ring of two sectors from which a task writes it; "
    "the client waits for each answer. Its example erases at every start of the "
    "board instead, where no session sees it",
    "; that the server offers write requests alone, so that a client that keeps "
    "to that is as slow as the original's");
const struct bench_protocol bench_ble_ota_raw =
    GENERATOR("ble-ota-raw", "Espressif ble_ota_raw, window 4", ble_ota_raw,
              "as soon as it is in the ring of four sectors from which a task writes it; "
              "four sectors may be without an answer, and a full ring holds it back",
              "");
const struct bench_protocol bench_nimble_ota =
    GENERATOR("nimble-ota", "NimBLEOta", nimble_ota,
              "by an indication, after the host task wrote it; the client waits for each "
              "answer",
              "");
