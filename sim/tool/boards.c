/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The supervisor's side of the board processes: their controllers, power and logs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/chip/chip.h"
#include "sim/image/image.h"
#include "sim/tool/board_process.h"
#include "sim/tool/supervisor.h"

#define IMAGE_SIZE_MAX    (1u << 20) /* of the factory partition */
#define BOARD_CONNECTIONS 3u
#define BOARD_RX_PDUS     8u /* those on the socket among them */
#define DROP_MARGIN_US    300000u

void board_send(struct board *board, enum wire_kind kind, const void *body, size_t size)
{
    uint8_t message[WIRE_SIZE_MAX];
    if (board->socket < 0 || size + 1 > sizeof(message)) {
        return;
    }
    message[0] = (uint8_t)kind;
    if (size > 0) {
        memcpy(message + 1, body, size);
    }
    /* Credits bound what is on its way, so a full socket is a board that hangs; its end
     * is noticed elsewhere. */
    if (send(board->socket, message, 1 + size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
        errno != EPIPE && errno != ECONNRESET) {
        complain("board %s: %s", board->options->name, strerror(errno));
    }
}

static bool on_packet(void *context, const uint8_t *packet, size_t size)
{
    struct board *board = context;
    if (!board->welcome || board->credits == 0) {
        return false;
    }
    board->credits--;
    board_send(board, WIRE_HCI, packet, size);
    return true;
}

/* ---- log ---- */

static void log_line(struct board *board, const char *line, size_t size)
{
    if (size + 1 > LOG_SIZE_MAX / 2) {
        return;
    }
    if (board->log_size + size + 1 > LOG_SIZE_MAX) {
        size_t half = board->log_size / 2;
        const char *whole = memchr(board->log + half, '\n', board->log_size - half);
        half = whole != NULL ? (size_t)(whole + 1 - board->log) : board->log_size;
        memmove(board->log, board->log + half, board->log_size - half);
        board->log_size -= half;
    }
    char *start = board->log + board->log_size;
    memcpy(start, line, size);
    start[size] = '\n';
    board->log_size += size + 1;
    control_log(board, start, size + 1);
    if (board->supervisor->options.verbose) {
        fprintf(stderr, "%s: %.*s", board->options->name, (int)size + 1, start);
    }
}

/* ---- messages ---- */

static void set_radio(struct board *board, bool on)
{
    sim_controller_power(board->controller, on);
    if (on) {
        sim_controller_kick(board->controller);
    }
}

static void take(struct board *board, const uint8_t *message, size_t size)
{
    const uint8_t *body = message + 1;
    size_t body_size = size - 1;
    switch ((enum wire_kind)message[0]) {
    case WIRE_HELLO:
        set_radio(board, false);
        board->state = (struct wire_state){.behaviour = 0};
        board->boots++;
        board->welcome = true;
        board->credits = WIRE_CREDITS;
        board_send(board, WIRE_WELCOME, NULL, 0);
        break;
    case WIRE_CREDIT:
        if (board->credits < WIRE_CREDITS) {
            board->credits++;
            sim_controller_kick(board->controller);
        }
        break;
    case WIRE_HCI:
        sim_controller_send(board->controller, body, body_size);
        break;
    case WIRE_LOG:
        log_line(board, (const char *)body, body_size);
        break;
    case WIRE_RADIO:
        set_radio(board, body_size > 0 && body[0] != 0);
        break;
    case WIRE_STATE:
        if (body_size == sizeof(board->state)) {
            memcpy(&board->state, body, sizeof(board->state));
        }
        break;
    case WIRE_STATS:
        control_stats(board, (const char *)body, body_size);
        break;
    case WIRE_DARK:
        board->powered = false;
        break;
    case WIRE_WELCOME:
    case WIRE_ASK_STATS:
    case WIRE_CUT_AT:
    case WIRE_RESET:
        break; /* not for a supervisor */
    }
}

/* Takes everything that is there. False: the other end is closed. */
static bool take_all(struct board *board)
{
    uint8_t message[WIRE_SIZE_MAX];
    while (board->socket >= 0) {
        ssize_t size = recv(board->socket, message, sizeof(message), MSG_DONTWAIT);
        if (size > 0) {
            take(board, message, (size_t)size);
        } else if (size < 0 && errno == EAGAIN) {
            return true;
        } else if (size == 0 || (errno != EINTR && errno != ECONNRESET)) {
            /* A board that ended before it took everything resets the connection, once;
             * its last words are there all the same. */
            return false;
        }
    }
    return false;
}

static int on_message(sd_event_source *source, int socket, uint32_t events, void *context)
{
    struct board *board = context;
    (void)socket, (void)events;
    if (!take_all(board)) {
        sd_event_source_set_enabled(source, SD_EVENT_OFF); /* its end is on the way */
    }
    return 0;
}

/* ---- power ---- */

static void process_ended(struct board *board)
{
    set_radio(board, false);
    board->pid = 0;
    board->powered = false;
    board->welcome = false;
    board->state = (struct wire_state){.behaviour = 0};
    board->child_source = sd_event_source_disable_unref(board->child_source);
    board->socket_source = sd_event_source_disable_unref(board->socket_source);
    if (board->socket >= 0) {
        close(board->socket);
        board->socket = -1;
    }
    if (board->asking != NULL) {
        control_fail(board->asking, "board %s has no power", board->options->name);
        control_end(board->asking, EXIT_FAILURE);
        board->asking = NULL;
    }
}

static int on_exit_of_board(sd_event_source *source, const siginfo_t *info, void *context)
{
    struct board *board = context;
    (void)source;
    take_all(board); /* its last words */
    if (board->powered) {
        char line[96];
        int size =
            snprintf(line, sizeof(line), "updraft-sim: the board's process ended (%s %d)",
                     info->si_code == CLD_EXITED ? "status" : "signal", info->si_status);
        log_line(board, line, (size_t)size);
        complain("board %s ended unexpectedly (%s %d)", board->options->name,
                 info->si_code == CLD_EXITED ? "status" : "signal", info->si_status);
    }
    process_ended(board);
    return 0;
}

static _Noreturn void run_board(const struct board *board, int socket)
{
    const struct supervisor *supervisor = board->supervisor;
    const struct tool_options *options = &supervisor->options;
    const uint8_t *a = board->options->address;
    char address[13], idf[8], seed[24];
    snprintf(address, sizeof(address), "%02x%02x%02x%02x%02x%02x", a[0], a[1], a[2], a[3],
             a[4], a[5]);
    snprintf(idf, sizeof(idf), "%d.%d", options->idf_major, options->idf_minor);
    snprintf(seed, sizeof(seed), "%llu",
             (unsigned long long)options->seed +
                 (unsigned long long)(board - supervisor->boards));
    char *arguments[] = {
        [BOARD_ARGUMENT_PROGRAM] = "updraft-sim",
        [BOARD_ARGUMENT_VERB] = "board-process",
        [BOARD_ARGUMENT_NAME] = (char *)board->options->name,
        [BOARD_ARGUMENT_CHIP] = (char *)board->options->model->name,
        [BOARD_ARGUMENT_ADDRESS] = address,
        [BOARD_ARGUMENT_FLASH] = (char *)board->flash_path,
        [BOARD_ARGUMENT_TIMES] = (char *)options->flash->name,
        [BOARD_ARGUMENT_IDF] = idf,
        [BOARD_ARGUMENT_SEED] = seed,
        [BOARD_ARGUMENT_FIRMWARE_DIR] = (char *)options->firmware_dir,
        [BOARD_ARGUMENT_FIRMWARE] = (char *)board->options->firmware,
        [BOARD_ARGUMENT_RESET_REASON] = "0",
        [BOARD_ARGUMENT_COUNT] = NULL,
    };
    setpgid(0, 0);
    if (socket != WIRE_FD && dup2(socket, WIRE_FD) < 0) {
        _exit(127);
    }
    fcntl(WIRE_FD, F_SETFD, 0);
    close_range(WIRE_FD + 1, ~0u, 0);
    execv("/proc/self/exe", arguments);
    _exit(127);
}

static int power_on(struct board *board)
{
    struct supervisor *supervisor = board->supervisor;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        complain("board %s: %s", board->options->name, strerror(errno));
        return -1;
    }
    board->pid = fork_child(SIGKILL);
    if (board->pid == 0) {
        run_board(board, ends[1]);
    }
    close(ends[1]);
    board->socket = ends[0];
    if (board->pid < 0 ||
        sd_event_add_io(supervisor->event, &board->socket_source, board->socket, EPOLLIN,
                        on_message, board) < 0 ||
        sd_event_add_child(supervisor->event, &board->child_source, board->pid, WEXITED,
                           on_exit_of_board, board) < 0) {
        complain("board %s: cannot start its process", board->options->name);
        return -1;
    }
    board->powered = true;
    board->welcome = false;
    return 0;
}

/* As a plug that is pulled: whatever the process was doing stops where it is. */
static void power_off(struct board *board)
{
    board->powered = false;
    if (board->pid > 0) {
        board->child_source = sd_event_source_disable_unref(board->child_source);
        kill(board->pid, SIGKILL);
        while (waitpid(board->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        take_all(board);
        process_ended(board);
    }
}

int board_power(struct board *board, bool on)
{
    if (!on) {
        power_off(board);
        return 0;
    }
    if (board->pid > 0 && board->powered) {
        return 0;
    }
    power_off(board); /* one that went dark may not have been waited for yet */
    return power_on(board);
}

/* ---- range ---- */

void board_shield(struct board *board, bool shielded)
{
    sim_loop_cancel(board->supervisor->loop, &board->unshield);
    board->shielded = shielded;
    sim_controller_shield(board->controller, shielded);
}

static void unshield(void *context)
{
    board_shield(context, false);
}

void board_drop_links(struct board *board)
{
    /* A board may have asked for a longer timeout than the air's usual one. */
    uint64_t supervision_ms = sim_controller_supervision_ms(board->controller);
    board_shield(board, true);
    sim_loop_after(board->supervisor->loop, &board->unshield,
                   supervision_ms * 1000u + DROP_MARGIN_US);
}

/* ---- flash ---- */

static bool module_exists(const struct tool_options *options,
                          const struct tool_board *board)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/fw_%s.so", options->firmware_dir, board->firmware);
    if (access(path, R_OK) == 0) {
        return true;
    }
    complain("board %s: no firmware '%s': %s: %s", board->name, board->firmware, path,
             strerror(errno));
    return false;
}

/* What the factory partition gets: a file's content, or an image made here. */
static uint8_t *factory_image(const struct tool_options *options,
                              const struct tool_board *board, size_t *ret_size)
{
    if (board->image == NULL && !module_exists(options, board)) {
        return NULL;
    }
    uint8_t *bytes = malloc(IMAGE_SIZE_MAX + 1);
    if (bytes == NULL) {
        complain("out of memory");
        return NULL;
    }
    if (board->image == NULL) {
        const struct sim_image_request request = {
            .firmware = board->firmware,
            .version = board->version,
            .chip_id = board->model->chip_id,
            .seed = options->seed,
        };
        *ret_size = sim_image_make(&request, bytes, IMAGE_SIZE_MAX);
        if (*ret_size == 0) {
            complain("board %s: no such image can be made", board->name);
        }
    } else {
        FILE *file = fopen(board->image, "re");
        *ret_size = file != NULL ? fread(bytes, 1, IMAGE_SIZE_MAX + 1, file) : 0;
        if (file == NULL || ferror(file) || *ret_size == 0) {
            complain("%s: %s", board->image, file != NULL ? "empty" : strerror(errno));
            *ret_size = 0;
        } else if (*ret_size > IMAGE_SIZE_MAX) {
            complain("%s: larger than the factory partition", board->image);
            *ret_size = 0;
        }
        if (file != NULL) {
            fclose(file);
        }
    }
    if (*ret_size == 0) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

/* A blank flash becomes that of a board fresh from the factory. */
static int flash_factory(struct board *board)
{
    const struct tool_options *options = &board->supervisor->options;
    const struct tool_board *wanted = board->options;
    size_t size = 0;
    uint8_t *image = factory_image(options, wanted, &size);
    if (image == NULL) {
        return -1;
    }
    int result = 0;
    sim_arena_t *arena = sim_arena_new(64u << 20);
    sim_flash_t *flash = sim_flash_open(arena, board->flash_path, BOARD_FLASH_SIZE,
                                        options->flash, options->seed);
    if (flash == NULL) {
        complain("%s: %s", board->flash_path, strerror(errno));
        result = -1;
    } else {
        sim_chip_t *chip = sim_chip_new(arena, wanted->model, options->idf_major,
                                        options->idf_minor, flash);
        if (!sim_chip_flash_factory(chip, sim_partitions_two_ota,
                                    sim_partitions_two_ota_count) ||
            !sim_chip_install(chip, "factory", image, size)) {
            complain("board %s: its flash cannot be filled", wanted->name);
            result = -1;
        }
        sim_flash_close(flash);
    }
    sim_arena_free(arena);
    free(image);
    if (result < 0) {
        unlink(board->flash_path); /* half made, it would be taken for a board's */
    }
    return result;
}

static int make_flash(struct board *board)
{
    struct supervisor *supervisor = board->supervisor;
    const char *folder = supervisor->options.state != NULL ? supervisor->options.state
                                                           : supervisor->folder;
    int size = board->options->flash != NULL
                   ? snprintf(board->flash_path, sizeof(board->flash_path), "%s",
                              board->options->flash)
                   : snprintf(board->flash_path, sizeof(board->flash_path), "%s/%s.flash",
                              folder, board->options->name);
    if (size < 0 || (size_t)size >= sizeof(board->flash_path)) {
        complain("board %s: the path of its flash is too long", board->options->name);
        return -1;
    }
    if (access(board->flash_path, F_OK) == 0) {
        return 0; /* what was there goes on */
    }
    return flash_factory(board);
}

/* ---- all ---- */

static int make_board(struct supervisor *supervisor, const struct tool_board *options)
{
    static const struct sim_host_ops host = {.packet = on_packet};
    struct board *board = &supervisor->boards[supervisor->board_count];
    const struct sim_chip_model *esp32 = sim_chip_model_named("esp32");
    board->supervisor = supervisor;
    board->options = options;
    board->socket = -1;
    board->unshield = (sim_event_t){.fire = unshield, .context = board};
    board->log = malloc(LOG_SIZE_MAX);
    if (board->log == NULL) {
        complain("out of memory");
        return -1;
    }
    supervisor->board_count++;
    struct sim_controller_config controller = {
        .phy_2m = options->model != esp32, /* the first one has no 2M PHY */
        .data_length = true,
        .rx_pdus = BOARD_RX_PDUS - WIRE_CREDITS,
        .connections_max = BOARD_CONNECTIONS,
        .host_us = supervisor->options.air->board_host_us,
    };
    memcpy(controller.address, options->address, sizeof(controller.address));
    board->controller = sim_controller_new(supervisor->air, &controller, &host, board);
    sim_controller_power(board->controller, false);
    return make_flash(board);
}

int boards_make(struct supervisor *supervisor)
{
    const char *state = supervisor->options.state;
    if (state != NULL && mkdir(state, 0777) < 0 && errno != EEXIST) {
        complain("%s: %s", state, strerror(errno));
        return -1;
    }
    for (size_t i = 0; i < supervisor->options.board_count; i++) {
        if (make_board(supervisor, &supervisor->options.boards[i]) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < supervisor->board_count; i++) {
        if (board_power(&supervisor->boards[i], true) < 0) {
            return -1;
        }
    }
    return 0;
}

void boards_stop(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->board_count; i++) {
        power_off(&supervisor->boards[i]);
        free(supervisor->boards[i].log);
    }
    supervisor->board_count = 0;
}

struct board *board_named(struct supervisor *supervisor, const char *name)
{
    for (size_t i = 0; i < supervisor->board_count; i++) {
        if (strcmp(supervisor->boards[i].options->name, name) == 0) {
            return &supervisor->boards[i];
        }
    }
    return NULL;
}
