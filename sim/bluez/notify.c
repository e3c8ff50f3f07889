/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Subscriptions, and the sockets of AcquireWrite and AcquireNotify. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/bluez/internal.h"

#define PROPERTY_WRITE_COMMAND 0x04u
#define PROPERTY_NOTIFY        0x10u
#define PROPERTY_INDICATE      0x20u

static void changed(struct characteristic *characteristic, const char *property)
{
    bus_object_changed(&characteristic->base.device->adapter->bluez->server,
                       &characteristic->base.object, characteristic->base.interface,
                       property);
}

/* Tells when it changes. AcquireNotify has no part in it, as with bluetoothd. */
static void update_notifying(struct characteristic *characteristic)
{
    bool notifying = false;
    for (const struct notify_client *client = characteristic->notify_clients;
         client != NULL; client = client->next) {
        notifying = notifying || (client->registered && client->call == NULL);
    }
    if (notifying != characteristic->notifying) {
        characteristic->notifying = notifying;
        changed(characteristic, "Notifying");
    }
}

static bool wants_values(const struct characteristic *characteristic)
{
    return characteristic->notify_clients != NULL ||
           characteristic->acquire_call != NULL ||
           characteristic->notify_socket.socket >= 0;
}

/* Writes the CCCD; when it is switched on, notify_subscribed follows. False: it cannot be
 * written now. */
static bool write_cccd(struct characteristic *characteristic, bool on)
{
    struct device *device = characteristic->base.device;
    uint8_t value[2] = {0, 0};
    if (on) {
        value[0] = (characteristic->base.properties & PROPERTY_NOTIFY) != 0 ? 1 : 2;
    }
    /* Nobody waits for the end of what is switched off. */
    struct operation *operation =
        on ? operation_new(OPERATION_SUBSCRIBE, &characteristic->base, NULL) : NULL;
    if (!sim_central_write(device->adapter->central, device->peer,
                           characteristic->cccd_handle, value, sizeof(value), true,
                           (uint64_t)(uintptr_t)operation)) {
        free(operation);
        return false;
    }
    if (on) {
        characteristic->subscribe = operation;
    }
    return true;
}

/* Asks for values, unless that is under way. */
static void subscribe(struct characteristic *characteristic)
{
    if (characteristic->subscribe != NULL) {
        return;
    }
    if (characteristic->cccd_handle == 0) {
        notify_subscribed(characteristic, 0); /* nothing to write: it sends as it likes */
    } else if (!write_cccd(characteristic, true)) {
        notify_subscribed(characteristic, SIM_CENTRAL_ATT_ERROR_ABANDONED);
    }
}

static void unsubscribe_if_unwanted(struct characteristic *characteristic)
{
    if (!wants_values(characteristic) && characteristic->cccd_handle != 0 &&
        characteristic->base.device->connected) {
        write_cccd(characteristic, false);
    }
}

/* ---- the end of a socket ---- */

static void release(struct acquired *acquired)
{
    acquired->source = sd_event_source_disable_unref(acquired->source);
    if (acquired->socket >= 0) {
        close(acquired->socket);
    }
    free(acquired->sender);
    acquired->sender = NULL;
    acquired->socket = -1;
}

static void release_write(struct characteristic *characteristic)
{
    if (characteristic->write_socket.socket >= 0) {
        release(&characteristic->write_socket);
        changed(characteristic, "WriteAcquired");
    }
}

static void release_notify(struct characteristic *characteristic)
{
    if (characteristic->notify_socket.socket >= 0) {
        release(&characteristic->notify_socket);
        unsubscribe_if_unwanted(characteristic);
        changed(characteristic, "NotifyAcquired");
    }
}

/* ---- StartNotify, StopNotify ---- */

static struct notify_client **find_client(struct characteristic *characteristic,
                                          const char *sender)
{
    struct notify_client **place = &characteristic->notify_clients;
    while (*place != NULL && strcmp((*place)->sender, sender) != 0) {
        place = &(*place)->next;
    }
    return place;
}

static void drop_client(struct notify_client **place)
{
    struct notify_client *client = *place;
    *place = client->next;
    sd_bus_message_unref(client->call);
    free(client->sender);
    free(client);
}

static bool supported(sd_bus_message *call, const struct characteristic *characteristic,
                      uint8_t properties)
{
    bool supported = (characteristic->base.properties & properties) != 0;
    if (!supported) {
        bus_reply_error(call, BLUEZ_NOT_SUPPORTED, "Operation is not supported");
    }
    return supported;
}

static bool acquired(const struct characteristic *characteristic)
{
    return characteristic->notify_socket.socket >= 0 ||
           characteristic->acquire_call != NULL;
}

void notify_start(sd_bus_message *call, void *context)
{
    struct characteristic *characteristic = context;
    const struct device *device = characteristic->base.device;
    if (acquired(characteristic)) {
        bus_reply_error(call, BLUEZ_NOT_PERMITTED, "Notify acquired");
        return;
    }
    if (!supported(call, characteristic, PROPERTY_NOTIFY | PROPERTY_INDICATE)) {
        return;
    }
    const char *sender = sd_bus_message_get_sender(call);
    struct notify_client **place = find_client(characteristic, sender);
    if (*place != NULL) {
        if ((*place)->registered) {
            bus_reply_empty(call);
        } else { /* since the link was lost; it is resumed with the next one */
            bus_reply_error(call, BLUEZ_IN_PROGRESS, "In Progress");
        }
        return;
    }
    struct notify_client *client = bluez_alloc(sizeof(*client));
    client->sender = bluez_copy(sender);
    *place = client;
    if (!device->connected || !device->resolved) {
        bus_reply_empty(call); /* noted, until there is a link */
        return;
    }
    client->registered = true;
    if (characteristic->notifying && characteristic->subscribe == NULL) {
        bus_reply_empty(call);
    } else {
        client->call = sd_bus_message_ref(call);
        subscribe(characteristic);
    }
}

void notify_stop(sd_bus_message *call, void *context)
{
    struct characteristic *characteristic = context;
    if (characteristic->notify_socket.socket >= 0) {
        release_notify(characteristic); /* whoever acquired it */
        bus_reply_empty(call);
        return;
    }
    struct notify_client **place =
        find_client(characteristic, sd_bus_message_get_sender(call));
    if (*place == NULL || (*place)->call != NULL) {
        bus_reply_error(call, BLUEZ_FAILED, "No notify session started");
        return;
    }
    drop_client(place);
    bus_reply_empty(call);
    unsubscribe_if_unwanted(characteristic);
    update_notifying(characteristic);
}

/* ---- sockets ---- */

static bool connected(sd_bus_message *call, const struct characteristic *characteristic)
{
    const struct device *device = characteristic->base.device;
    bool connected = device->connected && device->resolved;
    if (!connected) {
        bus_reply_error(call, BLUEZ_FAILED, "Not connected");
    }
    return connected;
}

/* Makes a pair, keeps one end, gives the other to the caller with the MTU. */
static bool give_socket(sd_bus_message *call, struct characteristic *characteristic,
                        struct acquired *acquired, sd_event_io_handler_t handler,
                        uint32_t events)
{
    int ends[2];
    struct device *device = characteristic->base.device;
    sd_event *event = device->adapter->bluez->config.event;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
        bus_reply_error(call, BLUEZ_FAILED, strerror(errno));
        return false;
    }
    acquired->socket = ends[0];
    acquired->sender = bluez_copy(sd_bus_message_get_sender(call));
    bus_must(sd_event_add_io(event, &acquired->source, ends[0], events, handler,
                             characteristic),
             "watch a socket");
    bus_must(sd_bus_reply_method_return(call, "hq", ends[1], sim_peer_mtu(device->peer)),
             "reply socket");
    close(ends[1]);
    return true;
}

static int write_socket_ready(sd_event_source *source, int socket, uint32_t events,
                              void *context)
{
    struct characteristic *characteristic = context;
    struct device *device = characteristic->base.device;
    (void)source;
    for (;;) {
        uint8_t packet[VALUE_MAX]; /* longer ones are cut, as by bluetoothd */
        ssize_t size = recv(socket, packet, sizeof(packet), MSG_DONTWAIT);
        if (size < 0 && errno == EAGAIN && (events & (EPOLLHUP | EPOLLERR)) == 0) {
            return 0;
        }
        if (size <= 0) {
            release_write(characteristic);
            return 0;
        }
        if (size <= sim_peer_mtu(device->peer) - 3) {
            outgoing_write(device, characteristic->base.handle, packet, (size_t)size);
        }
    }
}

void notify_acquire_write(sd_bus_message *call, void *context)
{
    struct characteristic *characteristic = context;
    if (!connected(call, characteristic)) {
        return;
    }
    if (characteristic->write_socket.socket >= 0) {
        bus_reply_error(call, BLUEZ_NOT_PERMITTED, "Write acquired");
    } else if (supported(call, characteristic, PROPERTY_WRITE_COMMAND) &&
               give_socket(call, characteristic, &characteristic->write_socket,
                           write_socket_ready, EPOLLIN)) {
        changed(characteristic, "WriteAcquired");
    }
}

static int notify_socket_closed(sd_event_source *source, int socket, uint32_t events,
                                void *context)
{
    (void)source, (void)socket, (void)events;
    release_notify(context);
    return 0;
}

void notify_acquire(sd_bus_message *call, void *context)
{
    struct characteristic *characteristic = context;
    if (!connected(call, characteristic)) {
        return;
    }
    if (acquired(characteristic)) {
        bus_reply_error(call, BLUEZ_NOT_PERMITTED, "Notify acquired");
    } else if (characteristic->notify_clients != NULL) {
        bus_reply_error(call, BLUEZ_IN_PROGRESS, "In Progress");
    } else if (supported(call, characteristic, PROPERTY_NOTIFY)) {
        characteristic->acquire_call = sd_bus_message_ref(call);
        subscribe(characteristic);
    }
}

/* ---- answers and values ---- */

static void acquire_subscribed(struct characteristic *characteristic, uint8_t att_error)
{
    sd_bus_message *call = characteristic->acquire_call;
    characteristic->acquire_call = NULL;
    if (att_error != 0) {
        value_reply_att_error(call, att_error);
    } else if (give_socket(call, characteristic, &characteristic->notify_socket,
                           notify_socket_closed, EPOLLHUP)) {
        changed(characteristic, "NotifyAcquired");
    }
    sd_bus_message_unref(call);
}

void notify_subscribed(struct characteristic *characteristic, uint8_t att_error)
{
    struct notify_client **place = &characteristic->notify_clients;
    while (*place != NULL) {
        struct notify_client *client = *place;
        if (client->call == NULL) {
            place = &client->next;
        } else if (att_error != 0) {
            value_reply_att_error(client->call, att_error);
            drop_client(place);
        } else {
            bus_reply_empty(client->call);
            client->call = sd_bus_message_unref(client->call);
            place = &client->next;
        }
    }
    update_notifying(characteristic);
    if (characteristic->acquire_call != NULL) {
        acquire_subscribed(characteristic, att_error);
    }
    if (att_error == 0) {
        unsubscribe_if_unwanted(characteristic); /* who asked has left since */
    }
}

void notify_value(struct characteristic *characteristic, const uint8_t *bytes,
                  size_t size)
{
    struct attribute *base = &characteristic->base;
    size = size > VALUE_MAX ? VALUE_MAX : size;
    memcpy(base->value, bytes, size);
    base->value_size = size;
    if (characteristic->notify_socket.socket >= 0) {
        /* Full: the notification is lost without a word, as bluetoothd loses it. */
        (void)!send(characteristic->notify_socket.socket, bytes, size,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    /* One signal for each client, also before its CCCD write is answered; and as signals
     * are for everybody, each client sees all of them. */
    for (const struct notify_client *client = characteristic->notify_clients;
         client != NULL; client = client->next) {
        if (client->registered) {
            changed(characteristic, "Value");
        }
    }
}

/* ---- ends ---- */

void notify_resume(struct characteristic *characteristic)
{
    for (struct notify_client *client = characteristic->notify_clients; client != NULL;
         client = client->next) {
        client->registered = true;
    }
    if (characteristic->notify_clients != NULL) {
        subscribe(characteristic);
    }
}

void notify_link_lost(struct characteristic *characteristic)
{
    release_write(characteristic);
    release_notify(characteristic);
    for (struct notify_client *client = characteristic->notify_clients; client != NULL;
         client = client->next) {
        client->registered = false; /* Notifying stays as it is */
    }
}

void notify_client_left(struct characteristic *characteristic, const char *sender)
{
    if (characteristic->write_socket.sender != NULL &&
        strcmp(characteristic->write_socket.sender, sender) == 0) {
        release_write(characteristic);
    }
    if (characteristic->notify_socket.sender != NULL &&
        strcmp(characteristic->notify_socket.sender, sender) == 0) {
        release_notify(characteristic);
    }
    if (characteristic->acquire_call != NULL &&
        strcmp(sd_bus_message_get_sender(characteristic->acquire_call), sender) == 0) {
        characteristic->acquire_call = sd_bus_message_unref(characteristic->acquire_call);
    }
    struct notify_client **place = find_client(characteristic, sender);
    if (*place != NULL) {
        drop_client(place);
        unsubscribe_if_unwanted(characteristic);
        update_notifying(characteristic);
    }
}

void notify_gone(struct characteristic *characteristic)
{
    release(&characteristic->write_socket);
    release(&characteristic->notify_socket);
    if (characteristic->acquire_call != NULL) {
        value_reply_att_error(characteristic->acquire_call,
                              SIM_CENTRAL_ATT_ERROR_ABANDONED);
        characteristic->acquire_call = sd_bus_message_unref(characteristic->acquire_call);
    }
    while (characteristic->notify_clients != NULL) {
        if (characteristic->notify_clients->call != NULL) {
            value_reply_att_error(characteristic->notify_clients->call,
                                  SIM_CENTRAL_ATT_ERROR_ABANDONED);
        }
        drop_client(&characteristic->notify_clients);
    }
}
