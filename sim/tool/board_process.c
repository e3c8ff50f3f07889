/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Drives one board in real time; its HCI packets and its console go to the supervisor. */
#define _GNU_SOURCE
#include "sim/tool/board_process.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sim/chip/chip.h"
#include "sim/idf/board.h"
#include "sim/tool/wire.h"

#define ARENA_SIZE (256u << 20)

struct packet {
    size_t size;
    uint8_t bytes[WIRE_SIZE_MAX];
};

static struct process {
    char **arguments;
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_flash_t *flash;
    sim_board_t *board;
    uint64_t start_us;
    struct wire_state state;
    /* HCI packets that the board has not taken yet, in order. */
    struct packet waiting[WIRE_CREDITS];
    size_t waiting_first, waiting_count;
} process;

static uint64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void wire_send(enum wire_kind kind, const void *body, size_t size)
{
    uint8_t message[WIRE_SIZE_MAX];
    size = size < sizeof(message) ? size : sizeof(message) - 1;
    message[0] = (uint8_t)kind;
    if (size > 0) {
        memcpy(message + 1, body, size);
    }
    /* Waits while the supervisor is busy. Without it there is nothing left to do. */
    while (send(WIRE_FD, message, 1 + size, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) {
            exit(EXIT_FAILURE);
        }
    }
}

/* ---- what the board reports ---- */

static void on_log(void *context, const char *line)
{
    (void)context;
    wire_send(WIRE_LOG, line, strlen(line));
}

static void on_hci_send(void *context, const uint8_t *packet, size_t size)
{
    (void)context;
    wire_send(WIRE_HCI, packet, size);
}

static void offer_waiting(void)
{
    while (process.waiting_count > 0) {
        const struct packet *packet = &process.waiting[process.waiting_first];
        if (!sim_board_hci_input(process.board, packet->bytes, packet->size)) {
            return;
        }
        process.waiting_first = (process.waiting_first + 1) % WIRE_CREDITS;
        process.waiting_count--;
        wire_send(WIRE_CREDIT, NULL, 0);
    }
}

static void on_hci_room(void *context)
{
    (void)context;
    offer_waiting();
}

static void on_hci_power(void *context, bool on)
{
    (void)context;
    uint8_t state = on;
    wire_send(WIRE_RADIO, &state, sizeof(state));
}

/* The chip starts anew, and so does this process: nothing of its RAM can survive. */
static void on_restart(void *context, int reset_reason)
{
    (void)context;
    char reason[16];
    sim_flash_close(process.flash);
    snprintf(reason, sizeof(reason), "%d", reset_reason);
    process.arguments[BOARD_ARGUMENT_RESET_REASON] = reason;
    execv("/proc/self/exe", process.arguments);
    perror("updraft-sim: board restart");
    exit(EXIT_FAILURE);
}

/* ---- what the supervisor asks ---- */

static void send_stats(void)
{
    struct sim_flash_stats flash;
    struct sim_board_stats board;
    char text[512];
    sim_flash_stats(process.flash, &flash);
    sim_board_stats(process.board, &board);
    int size = snprintf(text, sizeof(text),
                        "operations %" PRIu64 "\nsectors erased %" PRIu64
                        "\nblocks erased %" PRIu64 "\npages programmed %" PRIu64
                        "\nbytes read %" PRIu64 "\noverwrites %" PRIu64
                        "\nflash calls in the host task %" PRIu32 "\n",
                        flash.operations, flash.sectors_erased, flash.blocks_erased,
                        flash.pages_programmed, flash.bytes_read, flash.overwrites,
                        board.host_task_flash_calls);
    wire_send(WIRE_STATS, text, (size_t)size);
}

static void take(const uint8_t *message, size_t size)
{
    const uint8_t *body = message + 1;
    size_t body_size = size - 1;
    switch ((enum wire_kind)message[0]) {
    case WIRE_HCI:
        if (process.waiting_count < WIRE_CREDITS) {
            size_t at = (process.waiting_first + process.waiting_count) % WIRE_CREDITS;
            process.waiting[at].size = body_size;
            memcpy(process.waiting[at].bytes, body, body_size);
            process.waiting_count++;
            offer_waiting();
        }
        break;
    case WIRE_ASK_STATS:
        send_stats();
        break;
    case WIRE_CUT_AT:
        if (body_size == sizeof(struct wire_cut)) {
            struct wire_cut cut;
            memcpy(&cut, body, sizeof(cut));
            sim_flash_cut_at(process.flash, cut.operation, cut.variant);
        }
        break;
    case WIRE_RESET:
        sim_board_reset(process.board);
        break;
    case WIRE_HELLO:
    case WIRE_CREDIT:
    case WIRE_LOG:
    case WIRE_RADIO:
    case WIRE_STATE:
    case WIRE_STATS:
    case WIRE_DARK:
    case WIRE_WELCOME:
        break; /* not for a board, or late */
    }
}

/* What came for the chip before its reset is lost with it. */
static void say_hello(void)
{
    uint8_t message[WIRE_SIZE_MAX];
    wire_send(WIRE_HELLO, NULL, 0);
    for (;;) {
        ssize_t size = recv(WIRE_FD, message, sizeof(message), 0);
        if (size > 0 && message[0] == WIRE_WELCOME) {
            return;
        }
        if (size == 0 || (size < 0 && errno != EINTR)) {
            exit(EXIT_FAILURE);
        }
    }
}

/* ---- the process ---- */

static void report_state(void)
{
    struct wire_state state = {.behaviour = sim_board_behaviour(process.board)};
    const char *running = sim_board_running(process.board);
    snprintf(state.running, sizeof(state.running), "%s", running != NULL ? running : "");
    if (memcmp(&state, &process.state, sizeof(state)) != 0) {
        process.state = state;
        wire_send(WIRE_STATE, &state, sizeof(state));
    }
    if (!sim_board_powered(process.board)) {
        sim_flash_close(process.flash);
        wire_send(WIRE_DARK, NULL, 0);
        exit(EXIT_SUCCESS);
    }
}

static void wait_and_take(void)
{
    struct pollfd fd = {.fd = WIRE_FD, .events = POLLIN};
    struct timespec wait = {0};
    uint64_t at_us = 0;
    bool limited = sim_loop_next(process.loop, &at_us);
    uint64_t now_us = clock_us() - process.start_us;
    if (limited && at_us > now_us) {
        wait.tv_sec = (time_t)((at_us - now_us) / 1000000u);
        wait.tv_nsec = (long)((at_us - now_us) % 1000000u) * 1000;
    }
    int ready = ppoll(&fd, 1, limited ? &wait : NULL, NULL);
    sim_loop_advance(process.loop, clock_us() - process.start_us);
    while (ready > 0) {
        uint8_t message[WIRE_SIZE_MAX];
        ssize_t size = recv(WIRE_FD, message, sizeof(message), MSG_DONTWAIT);
        if (size == 0) {
            exit(EXIT_SUCCESS); /* the supervisor is gone */
        }
        if (size < 0) {
            break;
        }
        take(message, (size_t)size);
    }
}

static bool make_board(int argc, char **argv)
{
    static const struct sim_board_ops ops = {
        .log = on_log,
        .hci_send = on_hci_send,
        .hci_room = on_hci_room,
        .hci_power = on_hci_power,
        .restart = on_restart,
    };
    int major = 0, minor = 0;
    if (argc != BOARD_ARGUMENT_COUNT ||
        sscanf(argv[BOARD_ARGUMENT_IDF], "%d.%d", &major, &minor) != 2) {
        return false;
    }
    const struct sim_chip_model *model = sim_chip_model_named(argv[BOARD_ARGUMENT_CHIP]);
    const struct sim_flash_timing *timing = sim_flash_timing(argv[BOARD_ARGUMENT_TIMES]);
    uint64_t seed = strtoull(argv[BOARD_ARGUMENT_SEED], NULL, 0);
    if (model == NULL || timing == NULL) {
        return false;
    }
    process.arena = sim_arena_new(ARENA_SIZE);
    process.loop = sim_loop_new(process.arena);
    process.flash = sim_flash_open(process.arena, argv[BOARD_ARGUMENT_FLASH],
                                   BOARD_FLASH_SIZE, timing, seed);
    if (process.flash == NULL) {
        fprintf(stderr, "updraft-sim: %s: %s\n", argv[BOARD_ARGUMENT_FLASH],
                strerror(errno));
        return false;
    }
    struct sim_board_config config = {
        .arena = process.arena,
        .loop = process.loop,
        .chip = sim_chip_new(process.arena, model, major, minor, process.flash),
        .firmware_dir = argv[BOARD_ARGUMENT_FIRMWARE_DIR],
        .firmware_default = argv[BOARD_ARGUMENT_FIRMWARE],
        .seed = seed,
        .first_reset_reason = atoi(argv[BOARD_ARGUMENT_RESET_REASON]),
        .ops = &ops,
    };
    for (size_t i = 0; i < 6; i++) {
        unsigned byte = 0;
        sscanf(argv[BOARD_ARGUMENT_ADDRESS] + 2 * i, "%2x", &byte);
        config.mac[i] = (uint8_t)byte;
    }
    config.mac[5] = (uint8_t)(config.mac[5] - 2); /* Bluetooth's is 2 above the base */
    process.board = sim_board_new(&config);
    return true;
}

int board_process(int argc, char **argv)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    process.arguments = argv;
    if (!make_board(argc, argv)) {
        return EXIT_FAILURE;
    }
    say_hello();
    process.start_us = clock_us();
    sim_board_power(process.board, true);
    for (;;) {
        sim_loop_advance(process.loop, clock_us() - process.start_us);
        report_state();
        wait_and_take();
    }
}
