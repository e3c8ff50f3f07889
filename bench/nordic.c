/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Nordic Secure DFU: objects of 4096 bytes, with and without receipt notifications. */
#include "bench/bench.h"

#define OBJECT 4096u

struct parameters {
    unsigned prn; /* 0: no receipts */
};

enum tag { TAG_CREATE, TAG_DATA, TAG_CRC, TAG_EXECUTE, TAG_RECEIPT };

struct state {
    enum tag next;
    bool waiting;      /* for the write's response or the notification */
    unsigned outcomes; /* of the two, those that came */
    uint32_t objects;  /* done */
    uint32_t sent;     /* bytes of the object */
    uint32_t packets;  /* since the last receipt */
    uint32_t received; /* the board's packets since its last receipt */
};

static void start(struct bench_run *run)
{
    (void)run;
}

static unsigned prn_of(struct bench_run *run)
{
    return ((const struct parameters *)bench_protocol_of(run)->parameters)->prn;
}

static bool central_next(struct bench_run *run, struct bench_frame *ret_frame)
{
    static const uint16_t sizes[] = {[TAG_CREATE] = 6, [TAG_CRC] = 1, [TAG_EXECUTE] = 1};
    struct state *state = bench_state(run);
    if (state->waiting) {
        return false;
    }
    if (state->next != TAG_DATA) {
        *ret_frame = (struct bench_frame){BENCH_WRITE_REQUEST, sizes[state->next],
                                          (uint8_t)state->next, 0};
        state->waiting = true;
        state->outcomes = 0;
        return true;
    }
    uint32_t left = OBJECT - state->sent;
    uint16_t max = bench_value_max(run);
    uint16_t size = left < max ? (uint16_t)left : max;
    *ret_frame = (struct bench_frame){BENCH_WRITE_COMMAND, size, TAG_DATA, 0};
    state->sent += size;
    state->packets++;
    if (prn_of(run) != 0 && state->packets == prn_of(run)) {
        state->packets = 0;
        state->waiting = true;
    }
    if (state->sent == OBJECT) {
        state->next = TAG_CRC;
    }
    return true;
}

static void step_done(struct bench_run *run)
{
    struct state *state = bench_state(run);
    state->waiting = false;
    if (state->next == TAG_CREATE) {
        state->next = TAG_DATA;
        state->sent = 0;
    } else if (state->next == TAG_CRC) {
        state->next = TAG_EXECUTE;
    } else {
        state->objects++;
        state->next = TAG_CREATE;
        if (state->objects * OBJECT == bench_settings_of(run)->image_bytes) {
            state->waiting = true;
            bench_finish(run);
        }
    }
}

static void central_received(struct bench_run *run, const struct bench_frame *frame)
{
    struct state *state = bench_state(run);
    if (frame->tag == TAG_RECEIPT) {
        state->waiting = false;
    } else {
        state->outcomes++;
        if (state->outcomes == 2) {
            step_done(run);
        }
    }
    bench_central_wake(run);
}

static void notify(struct bench_run *run, uint32_t tag)
{
    uint16_t size = tag == TAG_CRC || tag == TAG_RECEIPT ? 11 : 3;
    bench_board_send(run, BENCH_NOTIFICATION, size, (uint8_t)tag, 0);
}

static void board_received(struct bench_run *run, const struct bench_frame *frame)
{
    struct state *state = bench_state(run);
    if (frame->tag == TAG_DATA) {
        state->received++;
        if (prn_of(run) != 0 && state->received == prn_of(run)) {
            state->received = 0;
            notify(run, TAG_RECEIPT);
        }
        return;
    }
    bench_board_send(run, BENCH_WRITE_RESPONSE, 0, frame->tag, 0);
    if (frame->tag == TAG_CREATE) {
        bench_board_flash(run, bench_settings_of(run)->flash.sector_erase_us, notify,
                          TAG_CREATE);
    } else if (frame->tag == TAG_EXECUTE) {
        bench_board_flash(run, bench_program_us(run, 0, OBJECT), notify, TAG_EXECUTE);
    } else {
        notify(run, TAG_CRC);
    }
}

static const struct parameters prn_12 = {.prn = 12};
static const struct parameters prn_0 = {.prn = 0};

#define MODELLED                                                                        \
    "for each object of 4096 bytes create, data, CRC, execute; all but data are write " \
    "requests answered by the response and a notification; create erases a sector "     \
    "before it answers, execute writes the object; data in write commands of MTU - 3 "  \
    "bytes, the MTU at most 247 as the bootloader has it"
#define LEFT_OUT                                                                      \
    "the init packet, select, the delay between objects that some clients make; the " \
    "flash of an nRF5, since all are compared on one flash"

#define GENERATOR(name_, label_, parameters_, modelled_)                    \
    {                                                                       \
        .name = name_, .label = label_, .modelled = MODELLED modelled_,     \
        .left_out = LEFT_OUT, .mtu_max = 247, .parameters = &parameters_,   \
        .state_size = sizeof(struct state), .start = start,                 \
        .central_next = central_next, .central_received = central_received, \
        .board_received = board_received                                    \
    }

const struct bench_protocol bench_nordic_12 =
    GENERATOR("nordic-12", "Nordic Secure DFU, PRN 12", prn_12,
              "; after every 12 packets the client waits for a receipt");
const struct bench_protocol bench_nordic_0 =
    GENERATOR("nordic-0", "Nordic Secure DFU, PRN 0", prn_0, "; no receipts");
