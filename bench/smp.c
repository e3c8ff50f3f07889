/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * SMP (MCUmgr) image upload over Bluetooth. */
#include "bench/bench.h"

#define OVERHEAD_SIZE   30u
#define RESPONSE_SIZE   22u
#define REASSEMBLY_SIZE 2475u

struct parameters {
    unsigned window;
    uint32_t reassembly_size; /* 0: a request is one write */
};

enum tag { TAG_PART, TAG_LAST };

struct state {
    uint32_t sent; /* bytes of the image in requests sent or under way */
    uint32_t request_left;
    uint32_t request_data;
    uint32_t under_way; /* requests */
    uint32_t received;  /* by the board */
};

static void start(struct bench_run *run)
{
    (void)run;
}

static bool central_next(struct bench_run *run, struct bench_frame *ret_frame)
{
    struct state *state = bench_state(run);
    const struct parameters *parameters = bench_protocol_of(run)->parameters;
    uint32_t left = bench_settings_of(run)->image_bytes - state->sent;
    uint16_t max = bench_value_max(run);
    if (state->request_left == 0) {
        if (left == 0 || state->under_way >= parameters->window) {
            return false;
        }
        uint32_t whole =
            parameters->reassembly_size != 0 ? parameters->reassembly_size : max;
        uint32_t data = whole - OVERHEAD_SIZE;
        state->request_data = left < data ? left : data;
        state->request_left = state->request_data + OVERHEAD_SIZE;
        state->sent += state->request_data;
        state->under_way++;
    }
    uint16_t size = state->request_left < max ? (uint16_t)state->request_left : max;
    state->request_left -= size;
    *ret_frame = (struct bench_frame){BENCH_WRITE_COMMAND, size,
                                      state->request_left == 0 ? TAG_LAST : TAG_PART,
                                      state->request_data};
    return true;
}

static void central_received(struct bench_run *run, const struct bench_frame *frame)
{
    struct state *state = bench_state(run);
    (void)frame;
    state->under_way--;
    if (state->under_way == 0 && state->request_left == 0 &&
        state->sent == bench_settings_of(run)->image_bytes) {
        bench_finish(run);
    }
    bench_central_wake(run);
}

static void respond(struct bench_run *run, uint32_t number)
{
    (void)number;
    bench_board_send(run, BENCH_NOTIFICATION, RESPONSE_SIZE, TAG_LAST, 0);
}

static void board_received(struct bench_run *run, const struct bench_frame *frame)
{
    struct state *state = bench_state(run);
    if (frame->tag != TAG_LAST) {
        return;
    }
    uint32_t sectors = bench_sectors_begun(state->received, frame->number);
    for (uint32_t i = 0; i < sectors; i++) {
        bench_board_flash(run, bench_settings_of(run)->flash.sector_erase_us, NULL, 0);
    }
    bench_board_flash(run, bench_program_us(run, state->received, frame->number), respond,
                      0);
    state->received += frame->number;
}

static const struct parameters window_1 = {.window = 1};
static const struct parameters window_3 = {.window = 3};
static const struct parameters window_3_reassembly = {.window = 3,
                                                      .reassembly_size = REASSEMBLY_SIZE};

#define MODELLED                                                                          \
    "requests of which 30 bytes are the SMP header and CBOR; the board handles them one " \
    "after another, erases a sector when its first byte comes, writes, and answers with " \
    "22 bytes. "
#define LEFT_OUT                                                                  \
    "the MCUboot header, state, test and reset, the time to decode CBOR; that a " \
    "server's default buffer of 384 bytes allows less than a write of 512"

#define GENERATOR(name_, label_, parameters_, modelled_)                    \
    {                                                                       \
        .name = name_, .label = label_, .modelled = MODELLED modelled_,     \
        .left_out = LEFT_OUT, .parameters = &parameters_,                   \
        .state_size = sizeof(struct state), .start = start,                 \
        .central_next = central_next, .central_received = central_received, \
        .board_received = board_received                                    \
    }

const struct bench_protocol bench_smp_1 = GENERATOR(
    "smp-1", "SMP, window 1", window_1,
    "A request is one write command of MTU - 3 bytes (at most 512); one at a time");
const struct bench_protocol bench_smp_3 =
    GENERATOR("smp-3", "SMP, window 3", window_3,
              "A request is one write command of MTU - 3 bytes (at most 512); three at a "
              "time");
const struct bench_protocol bench_smp_3_reassembly =
    GENERATOR("smp-3-reassembly", "SMP, window 3, reassembly", window_3_reassembly,
              "Requests of 2475 bytes in as many write commands as it takes; three at a "
              "time");
