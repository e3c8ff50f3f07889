/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The original protocol (protocol 1) as its own firmware and script run it. */
#include "bench/bench.h"

#define MODELLED                                                                         \
    "packet size and REQUEST by write requests, then one write request for each packet " \
    "of MTU - 3 bytes (at most 512), the next one after the response; the flash is "     \
    "written before the response, each sector erased when its first byte arrives; DONE"
#define LEFT_OUT \
    "the verification of the image after DONE, the half second before the restart"

enum tag { TAG_SIZE, TAG_REQUEST, TAG_DATA, TAG_DONE };

struct state {
    enum tag next;
    bool waiting;      /* a request is under way */
    uint32_t sent;     /* bytes of the image */
    uint32_t received; /* by the board */
};

static void start(struct bench_run *run)
{
    (void)run;
}

static bool central_next(struct bench_run *run, struct bench_frame *ret_frame)
{
    struct state *state = bench_state(run);
    uint32_t left = bench_settings_of(run)->image_bytes - state->sent;
    uint16_t size = 1;
    if (state->waiting) {
        return false;
    }
    if (state->next == TAG_SIZE) {
        size = 2;
    } else if (state->next == TAG_DATA) {
        uint16_t max = bench_value_max(run);
        size = left < max ? (uint16_t)left : max;
        state->sent += size;
    }
    *ret_frame = (struct bench_frame){BENCH_WRITE_REQUEST, size, (uint8_t)state->next, 0};
    state->waiting = true;
    return true;
}

static void central_received(struct bench_run *run, const struct bench_frame *frame)
{
    struct state *state = bench_state(run);
    if (frame->opcode == BENCH_NOTIFICATION) {
        if (frame->tag == TAG_DONE) {
            bench_finish(run);
        }
        return; /* the answer to REQUEST comes before the write's response */
    }
    state->waiting = false;
    if (state->next == TAG_SIZE) {
        state->next = TAG_REQUEST;
    } else if (state->next == TAG_REQUEST) {
        state->next = TAG_DATA;
    } else if (state->sent == bench_settings_of(run)->image_bytes) {
        state->next = TAG_DONE;
    }
    bench_central_wake(run);
}

static void respond(struct bench_run *run, uint32_t tag)
{
    if (tag == TAG_REQUEST || tag == TAG_DONE) {
        bench_board_send(run, BENCH_NOTIFICATION, 1, (uint8_t)tag, 0);
    }
    bench_board_send(run, BENCH_WRITE_RESPONSE, 0, (uint8_t)tag, 0);
}

static void board_received(struct bench_run *run, const struct bench_frame *frame)
{
    struct state *state = bench_state(run);
    if (frame->tag != TAG_DATA) {
        respond(run, frame->tag);
        return;
    }
    uint32_t sectors = bench_sectors_begun(state->received, frame->value_size);
    for (uint32_t i = 0; i < sectors; i++) {
        bench_board_flash(run, bench_settings_of(run)->flash.sector_erase_us, NULL, 0);
    }
    bench_board_flash(run, bench_program_us(run, state->received, frame->value_size),
                      respond, TAG_DATA);
    state->received += frame->value_size;
}

const struct bench_protocol bench_original = {
    .name = "original",
    .label = "original",
    .modelled = MODELLED,
    .left_out = LEFT_OUT,
    .state_size = sizeof(struct state),
    .start = start,
    .central_next = central_next,
    .central_received = central_received,
    .board_received = board_received,
};

const struct bench_protocol bench_original_256 = {
    .name = "original-256",
    .label = "original, MTU at most 256",
    .modelled = MODELLED ". With NimBLE's default MTU, as its example is built",
    .left_out = LEFT_OUT,
    .mtu_max = 256,
    .state_size = sizeof(struct state),
    .start = start,
    .central_next = central_next,
    .central_received = central_received,
    .board_received = board_received,
};
