/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A message bus of our own, open to everything that runs as this user. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/tool/supervisor.h"

#define BUS_START_MS 10000

static const char configuration[] =
    "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
    " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
    "<busconfig>\n"
    "  <listen>unix:path=%s/bus</listen>\n"
    "  <auth>EXTERNAL</auth>\n"
    "  <policy context=\"default\">\n"
    "    <allow send_destination=\"*\" eavesdrop=\"true\"/>\n"
    "    <allow eavesdrop=\"true\"/>\n"
    "    <allow own=\"*\"/>\n"
    "  </policy>\n"
    "</busconfig>\n";

static int write_configuration(const char *folder, const char *path)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return -1;
    }
    fprintf(file, configuration, folder);
    return fclose(file);
}

static _Noreturn void run_daemon(const char *configuration_path, const char *log_path,
                                 int address_end)
{
    char address_option[32];
    int log = open(log_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (log < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(log, 1) < 0 ||
        dup2(log, 2) < 0 || fcntl(address_end, F_SETFD, 0) < 0) {
        _exit(127);
    }
    setpgid(0, 0); /* a Ctrl-C for the command is not for the bus */
    snprintf(address_option, sizeof(address_option), "--print-address=%d", address_end);
    execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile", "--config-file",
           configuration_path, address_option, (char *)NULL);
    _exit(127);
}

/* One line with the address, as soon as the daemon listens. */
static bool read_address(int end, char *address, size_t capacity)
{
    size_t size = 0;
    struct pollfd fd = {.fd = end, .events = POLLIN};
    while (size + 1 < capacity && poll(&fd, 1, BUS_START_MS) > 0) {
        ssize_t more = read(end, address + size, capacity - 1 - size);
        if (more <= 0) {
            break;
        }
        size += (size_t)more;
        if (address[size - 1] == '\n') {
            address[size - 1] = '\0';
            return true;
        }
    }
    return false;
}

static int on_exit_of_bus(sd_event_source *source, const siginfo_t *info, void *context)
{
    struct supervisor *supervisor = context;
    (void)source, (void)info;
    supervisor->bus = 0;
    if (!supervisor->ending) {
        complain("the message bus ended unexpectedly");
        supervisor->ending = true;
        supervisor->status = EXIT_FAILURE;
    }
    return 0;
}

int bus_start(struct supervisor *supervisor)
{
    char configuration_path[PATH_MAX + 16], log_path[PATH_MAX + 16];
    int ends[2];
    snprintf(configuration_path, sizeof(configuration_path), "%s/bus.conf",
             supervisor->folder);
    snprintf(log_path, sizeof(log_path), "%s/bus.log", supervisor->folder);
    if (write_configuration(supervisor->folder, configuration_path) < 0 ||
        pipe2(ends, O_CLOEXEC) < 0) {
        complain("%s: %s", configuration_path, strerror(errno));
        return -1;
    }
    supervisor->bus = fork_child(SIGTERM);
    if (supervisor->bus == 0) {
        run_daemon(configuration_path, log_path, ends[1]);
    }
    close(ends[1]);
    bool started = supervisor->bus > 0 && read_address(ends[0], supervisor->bus_address,
                                                       sizeof(supervisor->bus_address));
    close(ends[0]);
    if (!started) {
        complain("dbus-daemon does not start: is it installed?");
        bus_stop(supervisor);
        return -1;
    }
    return sd_event_add_child(supervisor->event, &supervisor->bus_source, supervisor->bus,
                              WEXITED, on_exit_of_bus, supervisor);
}

void bus_stop(struct supervisor *supervisor)
{
    supervisor->bus_source = sd_event_source_disable_unref(supervisor->bus_source);
    if (supervisor->bus > 0) {
        kill(supervisor->bus, SIGTERM);
        while (waitpid(supervisor->bus, NULL, 0) < 0 && errno == EINTR) {
        }
        supervisor->bus = 0;
    }
}
