/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Bus, emulated BlueZ, air and boards together, in real time. */
#define _GNU_SOURCE
#include "sim/tool/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARENA_SIZE       (256u << 20)
#define EXIT_NOT_STARTED 126
#define EXIT_NOT_FOUND   127
#define SIGNAL_STATUS    128
#define READY_LIMIT_US   5000000u

static sigset_t mask_before;

void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("updraft-sim: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

pid_t fork_child(int death_signal)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, death_signal);
        sigprocmask(SIG_SETMASK, &mask_before, NULL);
        if (getppid() != parent) {
            _exit(127); /* it was gone before it could be told */
        }
    }
    return child;
}

static uint64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* ---- one turn of the loop ---- */

static void advance(struct supervisor *supervisor)
{
    sim_loop_advance(supervisor->loop, clock_us() - supervisor->start_us);
}

static int turn(struct supervisor *supervisor)
{
    uint64_t at_us = 0;
    advance(supervisor);
    bool limited = sim_loop_next(supervisor->loop, &at_us);
    int ready = sd_event_prepare(supervisor->event);
    if (ready == 0) {
        uint64_t now_us = clock_us() - supervisor->start_us;
        uint64_t wait_us = at_us > now_us ? at_us - now_us : 0;
        ready = sd_event_wait(supervisor->event, limited ? wait_us : UINT64_MAX);
    }
    if (ready > 0) {
        advance(supervisor); /* who is called now sees the time it is */
        ready = sd_event_dispatch(supervisor->event);
    }
    return ready;
}

/* ---- signals ---- */

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info,
                     void *context)
{
    struct supervisor *supervisor = context;
    int signal_number = (int)info->ssi_signo;
    (void)source;
    if (supervisor->command == 0) {
        supervisor->ending = true;
    } else if (signal_number != SIGINT) {
        /* A terminal sends SIGINT to the command itself; the rest is passed on. */
        kill(supervisor->command, signal_number);
    }
    return 0;
}

static int watch_signals(struct supervisor *supervisor)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        int result = sd_event_add_signal(supervisor->event, NULL, numbers[i], on_signal,
                                         supervisor);
        if (result < 0) {
            complain("signals: %s", strerror(-result));
            return -1;
        }
    }
    return 0;
}

static void block_signals(void)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, &mask_before);
}

/* ---- the command ---- */

static int on_exit_of_command(sd_event_source *source, const siginfo_t *info,
                              void *context)
{
    struct supervisor *supervisor = context;
    (void)source;
    supervisor->command = 0;
    supervisor->ending = true;
    supervisor->status =
        info->si_code == CLD_EXITED ? info->si_status : SIGNAL_STATUS + info->si_status;
    return 0;
}

static _Noreturn void run_command(const struct supervisor *supervisor)
{
    char **command = supervisor->options.command;
    if (supervisor->bluez != NULL) {
        setenv("DBUS_SYSTEM_BUS_ADDRESS", supervisor->bus_address, 1);
        setenv("DBUS_SESSION_BUS_ADDRESS", supervisor->bus_address, 1);
    }
    setenv("UPDRAFT_SIM", supervisor->control_path, 1);
    execvp(command[0], command);
    int error = errno;
    complain("%s: %s", command[0], strerror(error));
    _exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_STARTED);
}

static int start_command(struct supervisor *supervisor)
{
    if (supervisor->options.command == NULL) {
        if (supervisor->bluez != NULL) {
            printf("export DBUS_SYSTEM_BUS_ADDRESS='%s'\n", supervisor->bus_address);
            printf("export DBUS_SESSION_BUS_ADDRESS='%s'\n", supervisor->bus_address);
        }
        printf("export UPDRAFT_SIM='%s'\n", supervisor->control_path);
        return fflush(stdout);
    }
    supervisor->command = fork_child(SIGTERM);
    if (supervisor->command == 0) {
        run_command(supervisor);
    }
    if (supervisor->command < 0 ||
        sd_event_add_child(supervisor->event, &supervisor->command_source,
                           supervisor->command, WEXITED, on_exit_of_command,
                           supervisor) < 0) {
        complain("cannot start the command: %s", strerror(errno));
        return -1;
    }
    return 0;
}

/* ---- from start to end ---- */

static int start_bluez(struct supervisor *supervisor)
{
    const struct tool_options *options = &supervisor->options;
    const struct sim_bluez_config config = {
        .event = supervisor->event,
        .arena = supervisor->arena,
        .loop = supervisor->loop,
        .air = supervisor->air,
        .profile = options->air,
        .bus_address = supervisor->bus_address,
        .adapters = options->adapters,
        .cache = options->cache,
        .temporary_ms = options->temporary_ms,
    };
    supervisor->bluez = sim_bluez_new(&config);
    /* The adapters are on before anybody can look. */
    while (!sim_bluez_powered(supervisor->bluez)) {
        if (sim_loop_now_us(supervisor->loop) > READY_LIMIT_US) {
            complain("the adapters do not come up");
            return -1;
        }
        advance(supervisor);
    }
    int result = sim_bluez_start(supervisor->bluez);
    if (result < 0) {
        complain("emulated BlueZ: %s", strerror(-result));
    }
    return result;
}

static int start_gateway(struct supervisor *supervisor)
{
    const struct tool_options *options = &supervisor->options;
    struct sim_gateway_config config = {
        .event = supervisor->event,
        .arena = supervisor->arena,
        .loop = supervisor->loop,
        .air = supervisor->air,
        .profile = options->air,
        .adapter = options->adapter,
        .verbose = options->verbose,
    };
    memcpy(config.board, options->boards[0].address, sizeof(config.board));
    supervisor->gateway = sim_gateway_new(&config);
    return supervisor->gateway != NULL ? 0 : -1;
}

/* What the boards are seen by: whoever is in range of an adapter, the kernel's Bluetooth,
 * or the emulated BlueZ. */
static int start_computer(struct supervisor *supervisor)
{
    if (supervisor->options.adapter != NULL) {
        return start_gateway(supervisor);
    }
    if (supervisor->options.vhci) {
        return vhci_start(supervisor);
    }
    int result = bus_start(supervisor);
    return result < 0 ? result : start_bluez(supervisor);
}

static int start(struct supervisor *supervisor)
{
    supervisor->arena = sim_arena_new(ARENA_SIZE);
    supervisor->loop = sim_loop_new(supervisor->arena);
    supervisor->air = sim_air_new(supervisor->arena, supervisor->loop,
                                  supervisor->options.air, supervisor->options.seed);
    supervisor->start_us = clock_us();
    int result = sd_event_new(&supervisor->event);
    if (result < 0) {
        complain("event loop: %s", strerror(-result));
        return result;
    }
    if (watch_signals(supervisor) < 0 || folder_make(supervisor) < 0 ||
        start_computer(supervisor) < 0 || control_start(supervisor) < 0 ||
        boards_make(supervisor) < 0 || start_command(supervisor) < 0) {
        return -1;
    }
    return 0;
}

static void end_command(struct supervisor *supervisor)
{
    supervisor->command_source =
        sd_event_source_disable_unref(supervisor->command_source);
    if (supervisor->command > 0) {
        kill(supervisor->command, SIGTERM);
        while (waitpid(supervisor->command, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

static void stop(struct supervisor *supervisor)
{
    supervisor->ending = true;
    end_command(supervisor);
    control_stop(supervisor);
    boards_stop(supervisor);
    if (supervisor->bluez != NULL) {
        sim_bluez_free(supervisor->bluez);
    }
    if (supervisor->gateway != NULL) {
        sim_gateway_free(supervisor->gateway);
    }
    vhci_stop(supervisor);
    bus_stop(supervisor);
    folder_remove(supervisor);
    sd_event_unref(supervisor->event);
    sim_arena_free(supervisor->arena);
}

int supervise(const struct tool_options *options)
{
    static struct supervisor supervisor;
    supervisor.options = *options;
    supervisor.control_socket = -1;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        supervisor.connections[i].supervisor = &supervisor;
        supervisor.connections[i].socket = -1;
    }
    block_signals();
    int result = start(&supervisor);
    while (result >= 0 && !supervisor.ending) {
        result = turn(&supervisor);
        if (result < 0) {
            complain("event loop: %s", strerror(-result));
        }
    }
    stop(&supervisor);
    return result < 0 ? EXIT_FAILURE : supervisor.status;
}
