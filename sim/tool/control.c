/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Verbs that come in by a unix socket: their words, and what they are told. */
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
#define WORDS_MAX    16

static void close_connection(struct connection *connection)
{
    struct supervisor *supervisor = connection->supervisor;
    for (size_t i = 0; i < supervisor->board_count; i++) {
        if (supervisor->boards[i].asking == connection) {
            supervisor->boards[i].asking = NULL;
        }
    }
    connection->source = sd_event_source_disable_unref(connection->source);
    close(connection->socket);
    free(connection->output);
    *connection = (struct connection){.supervisor = supervisor, .socket = -1};
}

/* ---- out ---- */

static void watch(struct connection *connection)
{
    uint32_t events = EPOLLIN | (connection->output_size > 0 ? EPOLLOUT : 0u);
    (void)sd_event_source_set_io_events(connection->source, events);
}

static void frame(struct connection *connection, enum control_frame kind,
                  const void *bytes, size_t size)
{
    if (connection->socket < 0 || connection->output == NULL ||
        connection->output_size + FRAME_HEADER + size > OUTPUT_SIZE_MAX) {
        connection->closing = true; /* it reads too slowly for what it asked */
        return;
    }
    uint8_t *out = connection->output + connection->output_size;
    out[0] = (uint8_t)kind;
    for (int i = 0; i < 4; i++) {
        out[1 + i] = (uint8_t)(size >> (8 * i));
    }
    memcpy(out + FRAME_HEADER, bytes, size);
    connection->output_size += FRAME_HEADER + size;
    watch(connection);
}

static void frame_text(struct connection *connection, enum control_frame kind,
                       const char *format, va_list arguments)
{
    char *text = NULL;
    int size = vasprintf(&text, format, arguments);
    if (size >= 0) {
        frame(connection, kind, text, (size_t)size);
        free(text);
    }
}

void control_out(struct connection *connection, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    frame_text(connection, FRAME_OUT, format, arguments);
    va_end(arguments);
}

void control_fail(struct connection *connection, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    frame_text(connection, FRAME_ERROR, format, arguments);
    va_end(arguments);
}

void control_copy(struct connection *connection, const char *path)
{
    frame(connection, FRAME_COPY, path, strlen(path));
}

void control_end(struct connection *connection, int status)
{
    uint8_t byte = (uint8_t)status;
    frame(connection, FRAME_END, &byte, 1);
    connection->closing = true;
}

void control_log(struct board *board, const char *line, size_t size)
{
    struct supervisor *supervisor = board->supervisor;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &supervisor->connections[i];
        if (connection->socket >= 0 && connection->following == board) {
            frame(connection, FRAME_OUT, line, size);
        }
    }
}

void control_stats(struct board *board, const char *text, size_t size)
{
    if (board->asking != NULL) {
        frame(board->asking, FRAME_OUT, text, size);
        control_end(board->asking, 0);
        board->asking = NULL;
    }
}

/* ---- in ---- */

/* A request is its words, each ended by a zero byte, then one more zero byte. */
static void take_request(struct connection *connection)
{
    size_t size = connection->request_size;
    char *words[WORDS_MAX + 1];
    int count = 0;
    if (size < 2 || connection->request[size - 1] != 0 ||
        connection->request[size - 2] != 0) {
        return; /* not whole yet */
    }
    for (size_t at = 0; at + 1 < size && count < WORDS_MAX;) {
        words[count] = (char *)connection->request + at;
        at += strlen(words[count++]) + 1;
    }
    words[count] = NULL;
    connection->request_size = REQUEST_SIZE_MAX; /* nothing more is taken */
    verb_run(connection, count, words);
}

static bool receive(struct connection *connection)
{
    uint8_t *place = connection->request + connection->request_size;
    size_t room = REQUEST_SIZE_MAX - connection->request_size;
    uint8_t rest[64];
    ssize_t size = recv(connection->socket, room > 0 ? place : rest,
                        room > 0 ? room : sizeof(rest), MSG_DONTWAIT);
    if (size > 0 && room > 0) {
        connection->request_size += (size_t)size;
        take_request(connection);
    }
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool transmit(struct connection *connection)
{
    ssize_t size = send(connection->socket, connection->output, connection->output_size,
                        MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    connection->output_size -= (size_t)size;
    memmove(connection->output, connection->output + size, connection->output_size);
    return true;
}

static int on_ready(sd_event_source *source, int socket, uint32_t events, void *context)
{
    struct connection *connection = context;
    (void)source, (void)socket;
    bool open = true;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        open = receive(connection);
    }
    if (open && connection->output_size > 0) {
        open = transmit(connection);
    }
    if (!open || (connection->closing && connection->output_size == 0)) {
        close_connection(connection);
    } else {
        watch(connection);
    }
    return 0;
}

static int on_connection(sd_event_source *source, int socket, uint32_t events,
                         void *context)
{
    struct supervisor *supervisor = context;
    (void)source, (void)events;
    int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return 0;
    }
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &supervisor->connections[i];
        if (connection->socket >= 0) {
            continue;
        }
        connection->socket = fd;
        connection->output = malloc(OUTPUT_SIZE_MAX);
        if (connection->output == NULL ||
            sd_event_add_io(supervisor->event, &connection->source, fd, EPOLLIN, on_ready,
                            connection) < 0) {
            close_connection(connection);
        }
        return 0;
    }
    close(fd); /* too many at once */
    return 0;
}

int control_start(struct supervisor *supervisor)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int size = snprintf(supervisor->control_path, sizeof(address.sun_path), "%s/control",
                        supervisor->folder);
    strcpy(address.sun_path, supervisor->control_path);
    supervisor->control_socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (size < 0 || (size_t)size >= sizeof(address.sun_path) ||
        supervisor->control_socket < 0 ||
        bind(supervisor->control_socket, (struct sockaddr *)&address, sizeof(address)) <
            0 ||
        listen(supervisor->control_socket, 16) < 0 ||
        sd_event_add_io(supervisor->event, &supervisor->control_source,
                        supervisor->control_socket, EPOLLIN, on_connection,
                        supervisor) < 0) {
        complain("%s: %s", supervisor->control_path, strerror(errno));
        return -1;
    }
    return 0;
}

void control_stop(struct supervisor *supervisor)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (supervisor->connections[i].socket >= 0) {
            close_connection(&supervisor->connections[i]);
        }
    }
    supervisor->control_source =
        sd_event_source_disable_unref(supervisor->control_source);
    if (supervisor->control_socket >= 0) {
        close(supervisor->control_socket);
        supervisor->control_socket = -1;
    }
}
