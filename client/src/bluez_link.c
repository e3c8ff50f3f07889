/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * One connection: Connect, wait for its services, lose it or let it go.
 */
#include <stdio.h>
#include <string.h>

#include "client/src/bluez_private.h"
#include "updraft/error.h"

/* Forgets the connection; nothing that is still under way is reported. */
void link_reset(struct bluez *bluez)
{
    (void)bluez_timer(bluez, &bluez->link_timer, 0, NULL);
    bluez->link_call = sd_bus_slot_unref(bluez->link_call);
    gatt_reset(bluez);
    bluez->link = BLUEZ_LINK_NONE;
    bluez->link_ours = false;
    bluez->link_seen = false;
}

/* From within the event loop. */
static void end(struct bluez *bluez, int status)
{
    struct updraft_transport_event event = {
        .kind = UPDRAFT_TRANSPORT_DISCONNECTED,
        .status = status,
    };
    link_reset(bluez);
    bluez_emit(bluez, &event);
}

/* The same from within an op. */
static void end_later(struct bluez *bluez, int status)
{
    link_reset(bluez);
    bluez->posted_end = true;
    bluez->posted_end_status = status;
    (void)sd_event_source_set_enabled(bluez->post, SD_EVENT_ONESHOT);
}

/* Ends a connection that came to nothing, and tells the daemon to give it up. */
static void abandon(struct bluez *bluez, int status)
{
    if (bluez->link_ours) {
        (void)sd_bus_call_method_async(bluez->bus, NULL, BLUEZ_NAME, bluez->device,
                                       BLUEZ_DEVICE, "Disconnect", NULL, NULL, "");
    }
    end(bluez, status);
}

/* Errors of Bluetooth itself end everything; others end the connection. */
static void give_up(struct bluez *bluez, int status)
{
    if (status == UPDRAFT_ERROR_NO_BLUETOOTHD || status == UPDRAFT_ERROR_NO_PERMISSION ||
        status == UPDRAFT_ERROR_ADAPTER_OFF || status == UPDRAFT_ERROR_MEMORY) {
        bluez_fail(bluez, status);
    } else {
        abandon(bluez, status);
    }
}

static int on_mtu(sd_bus_message *answer, void *userdata, sd_bus_error *error);

static void up(struct bluez *bluez)
{
    struct updraft_transport_event event = {
        .kind = UPDRAFT_TRANSPORT_CONNECTED,
        .mtu = bluez->mtu,
    };
    (void)bluez_timer(bluez, &bluez->link_timer, 0, NULL);
    bluez->link = BLUEZ_LINK_UP;
    for (size_t i = 0; i < UPDRAFT_CHARACTERISTIC_COUNT; i++) {
        event.properties[i] = bluez->characteristics[i].properties;
    }
    bluez_emit(bluez, &event);
}

/* BlueZ before 5.62 has no MTU property; AcquireWrite tells it on the way. */
static void find_mtu(struct bluez *bluez)
{
    const struct bluez_characteristic *data = &bluez->characteristics[UPDRAFT_DATA];
    const struct bluez_characteristic *control = &bluez->characteristics[UPDRAFT_CONTROL];
    sd_bus_message *message = NULL;
    bluez->mtu = data->mtu != 0 ? data->mtu : control->mtu;
    if (bluez->mtu == 0) {
        bluez->mtu = 23;
    } else {
        bluez->mtu = bluez->mtu < 23 ? 23 : bluez->mtu > 517 ? 517 : bluez->mtu;
        up(bluez);
        return;
    }
    if ((data->properties & UPDRAFT_PROPERTY_WRITE_NO_RESPONSE) == 0 ||
        sd_bus_message_new_method_call(bluez->bus, &message, BLUEZ_NAME, data->path,
                                       BLUEZ_CHARACTERISTIC, "AcquireWrite") < 0) {
        up(bluez);
        return;
    }
    int r = sd_bus_message_append(message, "a{sv}", 0);
    if (r < 0 ||
        bluez_call(bluez, &bluez->link_call, message, on_mtu, CALL_LIMIT_US) < 0) {
        up(bluez);
    }
    sd_bus_message_unref(message);
}

static int on_mtu(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    int fd =
        -1; /* the message's own: closed with it, which gives the daemon its end back */
    uint16_t mtu = 0;
    (void)error;
    bluez->link_call = sd_bus_slot_unref(bluez->link_call);
    if (!sd_bus_message_is_method_error(answer, NULL) &&
        sd_bus_message_read(answer, "hq", &fd, &mtu) >= 0 && mtu >= 23) {
        bluez->mtu = mtu > 517 ? 517 : mtu;
    }
    up(bluez);
    return 0;
}

static int on_objects(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    (void)error;
    bluez->link_call = sd_bus_slot_unref(bluez->link_call);
    int status = bluez_answer(bluez, answer, UPDRAFT_ERROR_LINK_CONNECT, NULL);
    if (status == UPDRAFT_OK) {
        status = bluez_errno(bluez, gatt_find(bluez, answer), UPDRAFT_ERROR_LINK_CONNECT);
    }
    if (status != UPDRAFT_OK) {
        give_up(bluez, status);
    } else {
        find_mtu(bluez);
    }
    return 0;
}

static int on_limit(sd_event_source *source, uint64_t now_us, void *userdata)
{
    struct bluez *bluez = userdata;
    (void)source;
    (void)now_us;
    snprintf(bluez->detail, sizeof(bluez->detail),
             bluez->link_seen ? "ServicesResolved did not become true in time"
                              : "Connected did not become true in time");
    abandon(bluez, UPDRAFT_ERROR_LINK_CONNECT);
    return 0;
}

static void resolve(struct bluez *bluez)
{
    const struct bluez_device *device = objects_device(bluez, bluez->device);
    if (device == NULL) {
        end(bluez, UPDRAFT_ERROR_LINK_CONNECT);
        return;
    }
    bluez->link_seen = bluez->link_seen || device->connected;
    if (!device->connected || !device->resolved) {
        return; /* link_device_changed goes on; the timer ends it */
    }
    bluez->link = BLUEZ_LINK_READING;
    int status = bluez_call_plain(bluez, &bluez->link_call, "/",
                                  "org.freedesktop.DBus.ObjectManager",
                                  "GetManagedObjects", on_objects, CALL_LIMIT_US);
    if (status != UPDRAFT_OK) {
        give_up(bluez, status);
    }
}

static void begin_resolving(struct bluez *bluez)
{
    bluez->link = BLUEZ_LINK_RESOLVING;
    int status = bluez_timer(bluez, &bluez->link_timer, RESOLVE_LIMIT_US, on_limit);
    if (status != UPDRAFT_OK) {
        give_up(bluez, status);
        return;
    }
    resolve(bluez);
}

/* Connect's answer is believed without the signal of Connected: bluetoothd (5.66) leaves
 * that out where its socket is connected before the kernel's management tells of the
 * link. */
static void connected(struct bluez *bluez)
{
    struct bluez_device *device = objects_device(bluez, bluez->device);
    if (device != NULL) {
        device->connected = true;
    }
    begin_resolving(bluez);
}

static int on_connected(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    (void)error;
    bluez->link_call = sd_bus_slot_unref(bluez->link_call);
    if (sd_bus_message_is_method_error(answer, "org.bluez.Error.AlreadyConnected")) {
        bluez->link_ours = false;
        connected(bluez);
        return 0;
    }
    int status = bluez_answer(bluez, answer, UPDRAFT_ERROR_LINK_CONNECT, NULL);
    if (status == UPDRAFT_OK) {
        connected(bluez);
        return 0;
    }
    if (status == UPDRAFT_ERROR_IN_PROGRESS) {
        /* Another program's Connect: not ours to end. */
        bluez->link_ours = false;
    }
    if (status == UPDRAFT_ERROR_LINK_ATT || status == UPDRAFT_ERROR_LINK_LOST ||
        status == UPDRAFT_ERROR_LINK_TIMEOUT) {
        status = UPDRAFT_ERROR_LINK_CONNECT;
    }
    give_up(bluez, status);
    return 0;
}

/* Goes on once the discovery has ended: many controllers cannot connect while they scan.
 */
void link_advance(struct bluez *bluez)
{
    if (bluez->link != BLUEZ_LINK_WAITING || bluez->scan != BLUEZ_SCAN_OFF) {
        return;
    }
    const struct bluez_device *device = objects_device(bluez, bluez->device);
    if (device == NULL) {
        end_later(bluez, UPDRAFT_ERROR_LINK_CONNECT);
        return;
    }
    /* With a connection that is there already, Connect would change nothing: what another
     * program made stays its own. */
    bluez->link_ours = !device->connected;
    bluez->link = BLUEZ_LINK_CONNECTING;
    int status = bluez_call_plain(bluez, &bluez->link_call, bluez->device, BLUEZ_DEVICE,
                                  "Connect", on_connected, CONNECT_LIMIT_US);
    if (status != UPDRAFT_OK) {
        end_later(bluez, UPDRAFT_ERROR_LINK_CONNECT);
    }
}

int link_connect(void *context, const struct updraft_address *address)
{
    struct bluez *bluez = context;
    size_t length = strlen(bluez->adapter);
    if (bluez->link != BLUEZ_LINK_NONE || bluez->posted_end) {
        return UPDRAFT_ERROR_STATE;
    }
    for (size_t i = 0; i < bluez->objects.device_count; i++) {
        const struct bluez_device *device = &bluez->objects.devices[i];
        if (memcmp(device->address.bytes, address->bytes, sizeof(address->bytes)) == 0 &&
            strncmp(device->path, bluez->adapter, length) == 0) {
            strcpy(bluez->device, device->path);
            bluez->link = BLUEZ_LINK_WAITING;
            link_advance(bluez);
            return UPDRAFT_OK;
        }
    }
    return UPDRAFT_ERROR_LINK_CONNECT;
}

static int on_disconnected(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    (void)answer;
    (void)error;
    /* An error means that there was nothing to disconnect. */
    bluez->link_call = sd_bus_slot_unref(bluez->link_call);
    end(bluez, UPDRAFT_OK);
    return 0;
}

int link_disconnect(void *context)
{
    struct bluez *bluez = context;
    if (bluez->link == BLUEZ_LINK_NONE) {
        return bluez->posted_end ? UPDRAFT_OK : UPDRAFT_ERROR_STATE;
    }
    if (bluez->link == BLUEZ_LINK_CLOSING) {
        return UPDRAFT_OK;
    }
    gatt_unsubscribe(bluez);
    gatt_reset(bluez);
    (void)bluez_timer(bluez, &bluez->link_timer, 0, NULL);
    bluez->link_call = sd_bus_slot_unref(bluez->link_call);
    if (!bluez->link_ours || bluez->link == BLUEZ_LINK_WAITING) {
        end_later(bluez, UPDRAFT_OK);
        return UPDRAFT_OK;
    }
    bluez->link = BLUEZ_LINK_CLOSING;
    int status = bluez_call_plain(bluez, &bluez->link_call, bluez->device, BLUEZ_DEVICE,
                                  "Disconnect", on_disconnected, DISCONNECT_LIMIT_US);
    if (status != UPDRAFT_OK) {
        end_later(bluez, UPDRAFT_OK);
    }
    return UPDRAFT_OK;
}

void link_device_changed(struct bluez *bluez, const struct bluez_device *device)
{
    if (strcmp(device->path, bluez->device) != 0) {
        return;
    }
    switch (bluez->link) {
    case BLUEZ_LINK_RESOLVING:
        if (bluez->link_seen && !device->connected) {
            end(bluez, UPDRAFT_ERROR_LINK_CONNECT);
        } else {
            resolve(bluez);
        }
        break;
    case BLUEZ_LINK_READING:
    case BLUEZ_LINK_UP:
        if (!device->connected) {
            end(bluez, UPDRAFT_ERROR_LINK_LOST);
        }
        break;
    case BLUEZ_LINK_NONE:
    case BLUEZ_LINK_WAITING:
    case BLUEZ_LINK_CONNECTING: /* Connect's answer decides */
    case BLUEZ_LINK_CLOSING:    /* and Disconnect's */
        break;
    }
}

void link_device_removed(struct bluez *bluez, const char *path)
{
    if (bluez->link == BLUEZ_LINK_NONE || strcmp(path, bluez->device) != 0) {
        return;
    }
    end(bluez, bluez->link == BLUEZ_LINK_UP || bluez->link == BLUEZ_LINK_READING
                   ? UPDRAFT_ERROR_LINK_LOST
                   : UPDRAFT_ERROR_LINK_CONNECT);
}

void link_daemon_left(struct bluez *bluez)
{
    switch (bluez->link) {
    case BLUEZ_LINK_NONE:
        break;
    case BLUEZ_LINK_WAITING:
    case BLUEZ_LINK_CONNECTING:
    case BLUEZ_LINK_RESOLVING:
        end(bluez, UPDRAFT_ERROR_LINK_CONNECT);
        break;
    case BLUEZ_LINK_READING:
    case BLUEZ_LINK_UP:
        end(bluez, UPDRAFT_ERROR_LINK_LOST);
        break;
    case BLUEZ_LINK_CLOSING:
        end(bluez, UPDRAFT_OK);
        break;
    }
}
