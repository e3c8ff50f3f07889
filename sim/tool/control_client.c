/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A verb in its own process: hands its words to the running updraft-sim and shows what
 * comes back. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim/tool/supervisor.h"

#define FRAME_HEADER 5u

static int open_control(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("UPDRAFT_SIM");
    if (path == NULL || path[0] == '\0') {
        complain("UPDRAFT_SIM is not set: is an updraft-sim running, and did you export "
                 "what it printed?");
        return -1;
    }
    if (strlen(path) >= sizeof(address.sun_path)) {
        complain("%s: too long for a socket", path);
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        complain("%s: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static bool send_words(int fd, int argc, char **argv)
{
    char request[REQUEST_SIZE_MAX];
    size_t size = 0;
    for (int i = 0; i < argc; i++) {
        size_t word = strlen(argv[i]) + 1;
        if (word == 1 || size + word + 1 > sizeof(request)) {
            complain("an argument is empty, or all are too long");
            return false;
        }
        memcpy(request + size, argv[i], word);
        size += word;
    }
    request[size++] = '\0';
    return send(fd, request, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool read_whole(int fd, void *bytes, size_t size)
{
    uint8_t *at = bytes;
    while (size > 0) {
        ssize_t more = read(fd, at, size);
        if (more <= 0) {
            if (more < 0 && errno == EINTR) {
                continue;
            }
            return false;
        }
        at += more;
        size -= (size_t)more;
    }
    return true;
}

static bool copy_file(const char *source_path, const char *target_path)
{
    char bytes[65536];
    size_t size = 0;
    FILE *source = fopen(source_path, "re");
    FILE *target = source != NULL ? fopen(target_path, "we") : NULL;
    const char *path = source == NULL ? source_path : target_path;
    bool good = source != NULL && target != NULL;
    while (good && (size = fread(bytes, 1, sizeof(bytes), source)) > 0) {
        good = fwrite(bytes, 1, size, target) == size;
    }
    if (good && ferror(source)) {
        path = source_path;
        good = false;
    }
    int error = errno;
    if (target != NULL && fclose(target) != 0 && good) {
        error = errno;
        good = false;
    }
    if (source != NULL) {
        fclose(source);
    }
    if (!good) {
        complain("%s: %s", path, strerror(error));
    }
    return good;
}

static int show_answer(int fd, const char *target_path)
{
    bool good = true;
    uint8_t header[FRAME_HEADER];
    while (read_whole(fd, header, sizeof(header))) {
        size_t size = 0;
        for (int i = 0; i < 4; i++) {
            size |= (size_t)header[1 + i] << (8 * i);
        }
        char *body = size < OUTPUT_SIZE_MAX ? calloc(1, size + 1) : NULL;
        if (body == NULL || !read_whole(fd, body, size)) {
            free(body);
            break;
        }
        int status = (uint8_t)body[0];
        switch ((enum control_frame)header[0]) {
        case FRAME_OUT:
            fwrite(body, 1, size, stdout);
            fflush(stdout);
            break;
        case FRAME_ERROR:
            complain("%s", body);
            break;
        case FRAME_COPY:
            good = copy_file(body, target_path) && good;
            break;
        case FRAME_END:
            free(body);
            return status != 0 || good ? status : EXIT_FAILURE;
        }
        free(body);
    }
    complain("the running updraft-sim ended");
    return EXIT_FAILURE;
}

int control_client(int argc, char **argv)
{
    int fd = open_control();
    if (fd < 0) {
        return EXIT_FAILURE;
    }
    int status = EXIT_FAILURE;
    if (send_words(fd, argc, argv)) {
        status = show_answer(fd, argc > 3 ? argv[3] : NULL);
    }
    close(fd);
    return status;
}
