/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A temporary folder, and the small process that removes it when the supervisor is gone,
 * however it went. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/tool/supervisor.h"

/* Room for the longest socket name below it in a struct sockaddr_un. */
#define FOLDER_LENGTH_MAX 80u

static int remove_entry(const char *path, const struct stat *status, int kind,
                        struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    (void)remove(path);
    return 0;
}

static _Noreturn void janitor(const char *folder, int end)
{
    char byte;
    /* Out of the way of signals meant for the command's process group. */
    setsid();
    signal(SIGPIPE, SIG_IGN);
    while (read(end, &byte, 1) < 0 && errno == EINTR) {
    }
    /* Board processes die at the same moment; one may still write a last byte. */
    for (int i = 0; i < 20 && access(folder, F_OK) == 0; i++) {
        nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        if (access(folder, F_OK) == 0) {
            usleep(20000);
        }
    }
    _exit(0);
}

/* Only the pipe stays open: the standard streams may be what somebody waits on. */
static void close_all_but(int kept)
{
    if (kept > 0) {
        close_range(0, (unsigned)kept - 1, 0);
    }
    close_range((unsigned)kept + 1, ~0u, 0);
}

int folder_make(struct supervisor *supervisor)
{
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] != '/' || strlen(parent) > FOLDER_LENGTH_MAX - 24) {
        parent = "/tmp";
    }
    snprintf(supervisor->folder, sizeof(supervisor->folder), "%s/updraft-sim-XXXXXX",
             parent);
    int ends[2];
    if (mkdtemp(supervisor->folder) == NULL) {
        complain("%s: %s", supervisor->folder, strerror(errno));
        supervisor->folder[0] = '\0';
        return -1;
    }
    if (pipe(ends) < 0 || (supervisor->janitor = fork()) < 0) {
        complain("cannot start a process: %s", strerror(errno));
        rmdir(supervisor->folder);
        supervisor->folder[0] = '\0';
        return -1;
    }
    if (supervisor->janitor == 0) {
        close_all_but(ends[0]);
        janitor(supervisor->folder, ends[0]);
    }
    close(ends[0]);
    supervisor->janitor_pipe = fcntl(ends[1], F_DUPFD_CLOEXEC, 64);
    close(ends[1]);
    return 0;
}

void folder_remove(struct supervisor *supervisor)
{
    if (supervisor->folder[0] == '\0') {
        return;
    }
    close(supervisor->janitor_pipe);
    while (waitpid(supervisor->janitor, NULL, 0) < 0 && errno == EINTR) {
    }
    supervisor->folder[0] = '\0';
}
