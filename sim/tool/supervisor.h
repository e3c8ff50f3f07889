/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the files of the supervisor share. */
#ifndef SIM_TOOL_SUPERVISOR_H
#define SIM_TOOL_SUPERVISOR_H

#include <limits.h>
#include <stdarg.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "sim/bluez/bluez.h"
#include "sim/gateway/gateway.h"
#include "sim/radio/hci.h"
#include "sim/tool/options.h"
#include "sim/tool/wire.h"

#define LOG_SIZE_MAX     (256u << 10) /* per board; the older half goes first */
#define CONNECTIONS_MAX  32u
#define REQUEST_SIZE_MAX 4096u
#define OUTPUT_SIZE_MAX  (1u << 20) /* per verb; a reader that is slower is dropped */

struct supervisor;
struct connection;

struct board {
    struct supervisor *supervisor;
    const struct tool_board *options;
    char flash_path[PATH_MAX];
    sim_controller_t *controller;

    bool powered;
    pid_t pid; /* 0: no process */
    int socket;
    sd_event_source *socket_source;
    sd_event_source *child_source;
    bool welcome;
    unsigned credits;
    bool shielded;
    sim_event_t unshield; /* end of a dropped link */
    unsigned boots;
    struct wire_state state;

    char *log;
    size_t log_size;
    struct connection *asking; /* waits for statistics */
};

#define VHCI_KEPT_MAX 16u

/* What happens to notifications on their way to the kernel: every so many-th is lost, or
 * so many are kept back until they are together; every: 0, nothing. */
struct vhci_notifications {
    bool lose;
    unsigned every;
    unsigned count; /* since this rule holds */
    unsigned lost;
};

struct vhci_kept {
    uint8_t bytes[HCI_EVENT_SIZE_MAX];
    size_t size;
};

/* An adapter that the kernel has. */
struct vhci {
    struct supervisor *supervisor;
    sim_controller_t *controller;
    int file; /* -1: unplugged */
    sd_event_source *source;
    struct vhci_kept kept[VHCI_KEPT_MAX];
    unsigned kept_count;
    unsigned kept_notifications;
    sim_event_t late; /* give what is kept */
};

/* One verb that acts on this supervisor. */
struct connection {
    struct supervisor *supervisor;
    int socket; /* -1: unused */
    sd_event_source *source;
    uint8_t request[REQUEST_SIZE_MAX];
    size_t request_size;
    uint8_t *output;
    size_t output_size;
    bool closing; /* when the output is out */
    struct board *following;
};

struct supervisor {
    struct tool_options options;
    sd_event *event;
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_air_t *air;
    sim_bluez_t *bluez;     /* NULL: the kernel and its bluetoothd have the adapters */
    sim_gateway_t *gateway; /* NULL: not on a real adapter */
    struct vhci vhci[SIM_BLUEZ_ADAPTERS_MAX];
    size_t vhci_count;
    struct vhci_notifications notifications;
    uint64_t start_us;
    struct board boards[TOOL_BOARDS_MAX];
    size_t board_count;

    char folder[PATH_MAX]; /* temporary; "": not made */
    pid_t janitor;
    int janitor_pipe;
    pid_t bus;
    char bus_address[PATH_MAX];
    sd_event_source *bus_source;
    char control_path[PATH_MAX];
    int control_socket;
    sd_event_source *control_source;
    struct connection connections[CONNECTIONS_MAX];

    pid_t command; /* 0: none */
    sd_event_source *command_source;
    bool ending;
    int status;
};

/* "updraft-sim: ..." on stderr. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* fork, with signals as the parent found them; the child dies with the parent by
 * death_signal. */
pid_t fork_child(int death_signal);

/* folder.c: a temporary folder that goes whatever happens. 0 or -1 after a complaint. */
int folder_make(struct supervisor *supervisor);
void folder_remove(struct supervisor *supervisor);

/* bus.c: the private dbus-daemon. */
int bus_start(struct supervisor *supervisor);
void bus_stop(struct supervisor *supervisor);

/* vhci.c: adapters for the kernel. 0 or -1 after a complaint. */
int vhci_start(struct supervisor *supervisor);
int vhci_plug(struct supervisor *supervisor, bool on);
/* A new rule, and how the one before went. */
void vhci_notifications(struct supervisor *supervisor, bool lose, unsigned every,
                        struct vhci_notifications *ret_before);
void vhci_stop(struct supervisor *supervisor);

/* boards.c */
int boards_make(struct supervisor *supervisor);
void boards_stop(struct supervisor *supervisor);
struct board *board_named(struct supervisor *supervisor, const char *name);
/* 0, or -1 after a complaint. */
int board_power(struct board *board, bool on);
void board_send(struct board *board, enum wire_kind kind, const void *body, size_t size);
void board_shield(struct board *board, bool shielded);
/* Out of range until every link of it has ended. */
void board_drop_links(struct board *board);

/* control.c: verbs come in by a socket. */
int control_start(struct supervisor *supervisor);
void control_stop(struct supervisor *supervisor);
/* A new line in a board's log, with its newline. */
void control_log(struct board *board, const char *line, size_t size);
void control_stats(struct board *board, const char *text, size_t size);
/* Answers of a verb: text for stdout or stderr, then the end with an exit status. */
void control_out(struct connection *connection, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void control_fail(struct connection *connection, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void control_end(struct connection *connection, int status);
/* Asks the verb's own process to copy a file. */
void control_copy(struct connection *connection, const char *path);

/* verbs.c: what they do. */
void verb_run(struct connection *connection, int argc, char **argv);

/* Runs everything. Returns the exit status. */
int supervise(const struct tool_options *options);

/* control_client.c: a verb, in its own process. Returns the exit status. */
int control_client(int argc, char **argv);

/* Frames from the supervisor to a verb: kind, 4 bytes of size (little-endian), bytes. */
enum control_frame {
    FRAME_OUT = 'o',
    FRAME_ERROR = 'e',
    FRAME_COPY = 'c', /* path of a file to copy */
    FRAME_END = 'x',  /* one byte: exit status */
};

#endif
