/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The bound of a link: write commands without a pause, and a board that swallows them. */
#include "bench/bench.h"

/* The values are those that use a link best: 495 bytes are two whole PDUs, 244 are one.
 */
#define TWO_PDUS_SIZE 495u
#define ONE_PDU_SIZE  244u

struct state {
    uint32_t sent;
    uint32_t received;
};

static void start(struct bench_run *run)
{
    (void)run;
}

static uint16_t value_size(struct bench_run *run)
{
    uint16_t max = bench_value_max(run);
    if (max >= TWO_PDUS_SIZE) {
        return TWO_PDUS_SIZE;
    }
    return max < ONE_PDU_SIZE ? max : ONE_PDU_SIZE;
}

static bool central_next(struct bench_run *run, struct bench_frame *ret_frame)
{
    struct state *state = bench_state(run);
    uint32_t left = bench_settings_of(run)->image_bytes - state->sent;
    uint16_t max = value_size(run);
    uint16_t size = left < max ? (uint16_t)left : max;
    if (size == 0) {
        return false;
    }
    state->sent += size;
    *ret_frame = (struct bench_frame){BENCH_WRITE_COMMAND, size, 0, 0};
    return true;
}

static void central_received(struct bench_run *run, const struct bench_frame *frame)
{
    (void)run;
    (void)frame;
}

static void board_received(struct bench_run *run, const struct bench_frame *frame)
{
    struct state *state = bench_state(run);
    state->received += frame->value_size;
    if (state->received == bench_settings_of(run)->image_bytes) {
        bench_finish(run);
    }
}

const struct bench_protocol bench_saturating = {
    .name = "link-limit",
    .label = "limit of the link",
    .modelled = "write commands of 495 bytes, or 244, or MTU - 3, without a pause; the "
                "board swallows them, and has no flash",
    .left_out = "everything else",
    .state_size = sizeof(struct state),
    .start = start,
    .central_next = central_next,
    .central_received = central_received,
    .board_received = board_received,
};
