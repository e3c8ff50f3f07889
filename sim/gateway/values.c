/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What bluetoothd asks of an attribute: by calls, and by the sockets that it acquires. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/gateway/internal.h"

/* ---- what bluetoothd says of an operation ---- */

struct wishes {
    const char *device;
    uint16_t mtu;
    uint16_t offset;
};

static int read_wishes(sd_bus_message *call, struct wishes *ret_wishes)
{
    const char *key;
    *ret_wishes = (struct wishes){.device = "", .mtu = ATT_MTU_DEFAULT};
    int result = sd_bus_message_enter_container(call, 'a', "{sv}");
    while (result >= 0 &&
           (result = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
        result = sd_bus_message_read(call, "s", &key);
        if (result < 0) {
            break;
        }
        if (strcmp(key, "device") == 0) {
            result = sd_bus_message_read(call, "v", "o", &ret_wishes->device);
        } else if (strcmp(key, "mtu") == 0) {
            result = sd_bus_message_read(call, "v", "q", &ret_wishes->mtu);
        } else if (strcmp(key, "offset") == 0) {
            result = sd_bus_message_read(call, "v", "q", &ret_wishes->offset);
        } else {
            result = sd_bus_message_skip(call, "v");
        }
        if (result >= 0) {
            result = sd_bus_message_exit_container(call);
        }
    }
    return result < 0 ? result : sd_bus_message_exit_container(call);
}

/* As a device of updraft's says it to whoever comes while another one updates. */
static int busy(sd_bus_message *call)
{
    return sd_bus_reply_method_errorf(call, BLUEZ_FAILED, "0x80");
}

static void queue_write(struct attribute *attribute, sd_bus_message *call,
                        const void *bytes, size_t size, uint16_t offset)
{
    struct operation *operation = gateway_operation_new(attribute->handle);
    operation->call = call;
    operation->write = true;
    /* How it came is not told. Where commands are taken, bluetoothd has answered a
     * request itself by now, so a command is what the central sees. */
    operation->command = (attribute->properties & PROPERTY_COMMAND) != 0;
    operation->offset = offset;
    operation->size = (uint16_t)size;
    if (size > 0) {
        memcpy(operation->bytes, bytes, size);
    }
    gateway_operation_queue(attribute->gateway, operation);
}

static void close_writes(struct attribute *attribute)
{
    attribute->write_source = sd_event_source_disable_unref(attribute->write_source);
    if (attribute->write_socket >= 0) {
        close(attribute->write_socket);
        attribute->write_socket = -1;
    }
}

/* Every value that has been written by commands so far. */
static void take_written(struct attribute *attribute)
{
    uint8_t bytes[ATT_VALUE_MAX];
    while (attribute->write_socket >= 0) {
        ssize_t size = recv(attribute->write_socket, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (size <= 0) {
            if (size == 0 || errno != EAGAIN) {
                close_writes(attribute);
            }
            return;
        }
        queue_write(attribute, NULL, bytes, (size_t)size, 0);
    }
}

/* What was written before a call comes before it, whichever way it takes. */
static void values_take(sim_gateway_t *gateway)
{
    struct application *application = gateway->application;
    for (size_t i = 0; application != NULL && i < application->count; i++) {
        take_written(&application->attributes[i]);
    }
}

int gateway_value_read(sd_bus_message *call, void *context, sd_bus_error *error)
{
    const struct attribute *attribute = context;
    struct wishes wishes;
    (void)error;
    values_take(attribute->gateway);
    int result = read_wishes(call, &wishes);
    if (result < 0) {
        return result;
    }
    if (!gateway_claim(attribute->gateway, wishes.device, wishes.mtu)) {
        return busy(call);
    }
    struct operation *operation = gateway_operation_new(attribute->handle);
    operation->call = sd_bus_message_ref(call);
    operation->offset = wishes.offset;
    gateway_operation_queue(attribute->gateway, operation);
    return 1;
}

int gateway_value_write(sd_bus_message *call, void *context, sd_bus_error *error)
{
    struct attribute *attribute = context;
    struct wishes wishes;
    const void *bytes;
    size_t size;
    (void)error;
    values_take(attribute->gateway);
    int result = sd_bus_message_read_array(call, 'y', &bytes, &size);
    if (result >= 0) {
        result = read_wishes(call, &wishes);
    }
    if (result < 0) {
        return result;
    }
    if (size > ATT_VALUE_MAX) {
        return sd_bus_reply_method_errorf(call, "org.bluez.Error.InvalidValueLength",
                                          "more than 512 bytes");
    }
    if (!gateway_claim(attribute->gateway, wishes.device, wishes.mtu)) {
        return busy(call);
    }
    queue_write(attribute, sd_bus_message_ref(call), bytes, size, wishes.offset);
    return 1;
}

/* ---- commands ---- */

static int on_written(sd_event_source *source, int socket, uint32_t events, void *context)
{
    (void)source, (void)socket, (void)events;
    take_written(context);
    return 0;
}

int gateway_value_acquire_write(sd_bus_message *call, void *context, sd_bus_error *error)
{
    struct attribute *attribute = context;
    sim_gateway_t *gateway = attribute->gateway;
    struct wishes wishes;
    int ends[2];
    values_take(gateway);
    int result = read_wishes(call, &wishes);
    if (result < 0) {
        return result;
    }
    if (attribute->write_socket >= 0 ||
        !gateway_claim(gateway, wishes.device, wishes.mtu)) {
        return busy(call);
    }
    /* bluetoothd's end blocks: it would throw away what does not fit. */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return sd_bus_error_set_errno(error, errno);
    }
    attribute->write_socket = ends[0];
    result = sd_event_add_io(gateway->config.event, &attribute->write_source, ends[0],
                             EPOLLIN, on_written, attribute);
    if (result >= 0) {
        result = sd_bus_reply_method_return(call, "hq", ends[1], wishes.mtu);
    }
    close(ends[1]);
    if (result < 0) {
        close_writes(attribute);
    }
    return result < 0 ? result : 1;
}

/* ---- notifications ---- */

static void subscribe(struct attribute *attribute, bool on)
{
    struct operation *operation = gateway_operation_new(attribute->cccd_handle);
    operation->write = true;
    operation->size = 2;
    if (on) {
        operation->bytes[0] = (attribute->properties & PROPERTY_NOTIFY) != 0 ? 1 : 2;
    }
    gateway_operation_queue(attribute->gateway, operation);
}

static void close_notification(struct attribute *attribute)
{
    attribute->notify_source = sd_event_source_disable_unref(attribute->notify_source);
    if (attribute->notify_socket >= 0) {
        close(attribute->notify_socket);
        attribute->notify_socket = -1;
    }
}

static int on_closed(sd_event_source *source, int socket, uint32_t events, void *context)
{
    struct attribute *attribute = context;
    (void)source, (void)socket, (void)events;
    values_take(attribute->gateway);
    close_notification(attribute);
    if (attribute->gateway->central[0] != '\0') {
        subscribe(attribute, false);
    }
    return 0;
}

int gateway_value_acquire_notify(sd_bus_message *call, void *context, sd_bus_error *error)
{
    struct attribute *attribute = context;
    sim_gateway_t *gateway = attribute->gateway;
    struct wishes wishes;
    int ends[2];
    values_take(gateway);
    int result = read_wishes(call, &wishes);
    if (result < 0) {
        return result;
    }
    if (attribute->notify_socket >= 0 ||
        !gateway_claim(gateway, wishes.device, wishes.mtu)) {
        return busy(call);
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
        return sd_bus_error_set_errno(error, errno);
    }
    attribute->notify_socket = ends[0];
    result = sd_event_add_io(gateway->config.event, &attribute->notify_source, ends[0],
                             EPOLLHUP, on_closed, attribute);
    if (result >= 0) {
        result = sd_bus_reply_method_return(call, "hq", ends[1], wishes.mtu);
    }
    close(ends[1]);
    if (result < 0) {
        close_notification(attribute);
        return result;
    }
    subscribe(attribute, true);
    return 1;
}

/* Asked for by bluetoothd when a central has confirmed an indication; the gateway has
 * confirmed it to the board already. */
int gateway_value_confirm(sd_bus_message *call, void *context, sd_bus_error *error)
{
    (void)context, (void)error;
    return sd_bus_reply_method_return(call, NULL);
}

void values_notify(sim_gateway_t *gateway, uint16_t handle, const uint8_t *bytes,
                   size_t size)
{
    struct application *application = gateway->application;
    for (size_t i = 0; application != NULL && i < application->count; i++) {
        struct attribute *attribute = &application->attributes[i];
        if (attribute->handle == handle && attribute->notify_socket >= 0 &&
            send(attribute->notify_socket, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) <
                0 &&
            errno != EPIPE && errno != ECONNRESET) {
            gateway_complain(gateway, "a notification is lost: %s", strerror(errno));
        }
    }
}

void values_close(sim_gateway_t *gateway)
{
    struct application *application = gateway->application;
    for (size_t i = 0; application != NULL && i < application->count; i++) {
        close_notification(&application->attributes[i]);
        close_writes(&application->attributes[i]);
    }
}
