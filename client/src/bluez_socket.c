/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Write commands and notifications past the bus: the sockets of AcquireWrite and
 * AcquireNotify. Where the daemon does not give them out, the bus carries both.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/src/bluez_private.h"
#include "updraft/error.h"

static void close_socket(struct bluez_socket *end)
{
    end->source = sd_event_source_disable_unref(end->source);
    if (end->open) {
        close(end->fd);
    }
    end->open = false;
}

void socket_reset(struct bluez *bluez)
{
    bluez->command_call = sd_bus_slot_unref(bluez->command_call);
    bluez->command_busy = false;
    bluez->posted_written = false;
    bluez->write_asked = false;
    close_socket(&bluez->write_end);
    close_socket(&bluez->notify_end);
}

/* Takes the socket and the MTU out of an answer of AcquireWrite or AcquireNotify. */
static int take_socket(struct bluez *bluez, sd_bus_message *answer,
                       struct bluez_socket *end, uint32_t events,
                       sd_event_io_handler_t handler)
{
    int fd = -1; /* the message's own */
    uint16_t mtu = 0;
    int status = bluez_answer(bluez, answer, UPDRAFT_ERROR_UNSUPPORTED, NULL);
    if (status != UPDRAFT_OK) {
        return status;
    }
    if (sd_bus_message_read(answer, "hq", &fd, &mtu) < 0 || mtu < 23) {
        return UPDRAFT_ERROR_UNSUPPORTED;
    }
    end->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (end->fd < 0) {
        return UPDRAFT_ERROR_MEMORY;
    }
    end->open = true;
    int r = sd_event_add_io(bluez->event, &end->source, end->fd, events, handler, bluez);
    if (r < 0) {
        close_socket(end);
        return UPDRAFT_ERROR_MEMORY;
    }
    bluez->mtu = mtu < bluez->mtu ? mtu : bluez->mtu;
    return UPDRAFT_OK;
}

/* Errors that say no more than that there is no socket: the bus does as well. */
static bool bus_will_do(struct bluez *bluez, int status)
{
    bool bus = status == UPDRAFT_ERROR_LINK_ATT || status == UPDRAFT_ERROR_IN_PROGRESS ||
               status == UPDRAFT_ERROR_UNSUPPORTED;
    if (bus) {
        bluez_clear_detail(bluez); /* nothing that a user has to know */
    }
    return bus;
}

/* ---- write commands ---- */

static void command_ended(struct bluez *bluez, int status, uint8_t att_error)
{
    struct updraft_transport_event event = {
        .kind = UPDRAFT_TRANSPORT_WRITTEN,
        .status = status,
        .att_error = att_error,
        .characteristic = bluez->command,
    };
    bluez->command_busy = false;
    bluez_emit(bluez, &event);
}

static int on_command_written(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    uint8_t att_error = 0;
    (void)error;
    bluez->command_call = sd_bus_slot_unref(bluez->command_call);
    int status = bluez_answer(bluez, answer, UPDRAFT_ERROR_LINK_LOST, &att_error);
    command_ended(bluez, status, att_error);
    return 0;
}

static int write_by_bus(struct bluez *bluez)
{
    sd_bus_message *message = NULL;
    int r = sd_bus_message_new_method_call(bluez->bus, &message, BLUEZ_NAME,
                                           bluez->characteristics[bluez->command].path,
                                           BLUEZ_CHARACTERISTIC, "WriteValue");
    if (r >= 0) {
        r = sd_bus_message_append_array(message, 'y', bluez->command_bytes,
                                        bluez->command_size);
    }
    if (r >= 0) {
        r = sd_bus_message_append(message, "a{sv}", 1, "type", "s", "command");
    }
    int status = bluez_errno(bluez, r, UPDRAFT_ERROR_MEMORY);
    if (status == UPDRAFT_OK) {
        status = bluez_call(bluez, &bluez->command_call, message, on_command_written,
                            GATT_LIMIT_US);
    }
    sd_bus_message_unref(message);
    return status;
}

/* Hands the command to the socket. Returns 0 with `posted` telling whether it was taken
 * (else the socket is full, and will say when it is not), or an error. */
static int send_command(struct bluez *bluez, bool *ret_taken)
{
    *ret_taken = false;
    if (bluez->command_size > (size_t)bluez->mtu - 3) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    ssize_t sent = send(bluez->write_end.fd, bluez->command_bytes, bluez->command_size,
                        MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
        *ret_taken = true;
        return UPDRAFT_OK;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS) {
        int r = sd_event_source_set_enabled(bluez->write_end.source, SD_EVENT_ONESHOT);
        return r < 0 ? UPDRAFT_ERROR_MEMORY : UPDRAFT_OK;
    }
    /* The daemon has closed its end: the link is going. */
    return UPDRAFT_ERROR_LINK_LOST;
}

/* The socket was full and has room again, or is gone. */
static int on_room(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct bluez *bluez = userdata;
    bool taken = false;
    (void)source;
    (void)fd;
    (void)events;
    if (bluez->command_busy && !bluez->posted_written) {
        int status = send_command(bluez, &taken);
        if (status != UPDRAFT_OK || taken) {
            command_ended(bluez, status, 0);
        }
    }
    return 0;
}

static int on_write_acquired(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    bool taken = false;
    (void)error;
    bluez->command_call = sd_bus_slot_unref(bluez->command_call);
    int status = take_socket(bluez, answer, &bluez->write_end, EPOLLOUT, on_room);
    if (status == UPDRAFT_OK) {
        (void)sd_event_source_set_enabled(bluez->write_end.source, SD_EVENT_OFF);
        status = send_command(bluez, &taken);
    } else if (bus_will_do(bluez, status)) {
        status = write_by_bus(bluez);
    }
    if (status != UPDRAFT_OK || taken) {
        command_ended(bluez, status, 0);
    }
    return 0;
}

static int acquire_write(struct bluez *bluez)
{
    sd_bus_message *message = NULL;
    int r = sd_bus_message_new_method_call(bluez->bus, &message, BLUEZ_NAME,
                                           bluez->characteristics[bluez->command].path,
                                           BLUEZ_CHARACTERISTIC, "AcquireWrite");
    if (r >= 0) {
        r = sd_bus_message_append(message, "a{sv}", 0);
    }
    int status = bluez_errno(bluez, r, UPDRAFT_ERROR_MEMORY);
    if (status == UPDRAFT_OK) {
        status = bluez_call(bluez, &bluez->command_call, message, on_write_acquired,
                            CALL_LIMIT_US);
    }
    sd_bus_message_unref(message);
    return status;
}

/* Requests go over the bus, and may overtake what waits in the socket. Protocol 2 does
 * not mind. A device without Info speaks protocol 1, where DONE must not come before the
 * data: there the bus keeps the order. */
static bool wants_socket(const struct bluez *bluez)
{
    return bluez->command == UPDRAFT_DATA &&
           (bluez->characteristics[UPDRAFT_DATA].properties &
            UPDRAFT_PROPERTY_WRITE_NO_RESPONSE) != 0 &&
           bluez->characteristics[UPDRAFT_INFO].path[0] != '\0';
}

int socket_write(struct bluez *bluez, enum updraft_characteristic characteristic,
                 const uint8_t *bytes, size_t size)
{
    int status = UPDRAFT_OK;
    bool taken = false;
    if (bluez->link != BLUEZ_LINK_UP || bluez->command_busy ||
        bluez->characteristics[characteristic].path[0] == '\0') {
        return UPDRAFT_ERROR_STATE;
    }
    if (size > sizeof(bluez->command_bytes) || size > (size_t)bluez->mtu - 3) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    memcpy(bluez->command_bytes, bytes, size);
    bluez->command_size = size;
    bluez->command = characteristic;
    if (bluez->write_end.open && characteristic == UPDRAFT_DATA) {
        status = send_command(bluez, &taken);
    } else if (wants_socket(bluez) && !bluez->write_asked) {
        bluez->write_asked = true;
        status = acquire_write(bluez);
    } else {
        status = write_by_bus(bluez);
    }
    bluez->command_busy = status == UPDRAFT_OK;
    if (taken) {
        bluez->posted_written = true;
        (void)sd_event_source_set_enabled(bluez->post, SD_EVENT_ONESHOT);
    }
    return status;
}

void socket_posted(struct bluez *bluez)
{
    if (bluez->posted_written) {
        bluez->posted_written = false;
        command_ended(bluez, UPDRAFT_OK, 0);
    }
}

/* ---- notifications ---- */

static int on_notified(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct bluez *bluez = userdata;
    uint8_t value[UPDRAFT_VALUE_MAX];
    (void)events;
    ssize_t size = recv(fd, value, sizeof(value), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return 0;
    }
    if (size <= 0) {
        /* The daemon has closed its end; that the link is gone comes over the bus. */
        (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return 0;
    }
    struct updraft_transport_event event = {
        .kind = UPDRAFT_TRANSPORT_NOTIFIED,
        .characteristic = UPDRAFT_CONTROL,
        .bytes = value,
        .size = (size_t)size,
    };
    if (bluez->link == BLUEZ_LINK_UP) {
        bluez_emit(bluez, &event);
    }
    return 0;
}

int socket_take_notify(struct bluez *bluez, sd_bus_message *answer, bool *ret_bus_will_do)
{
    int status = take_socket(bluez, answer, &bluez->notify_end, EPOLLIN, on_notified);
    *ret_bus_will_do = status != UPDRAFT_OK && bus_will_do(bluez, status);
    return status;
}
