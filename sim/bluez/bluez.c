/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The daemon as a whole: its name on the bus, its adapters, and clients that leave. */
#include "sim/bluez/bluez.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bluez/internal.h"

void *bluez_alloc(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL) {
        bus_must(-ENOMEM, "memory");
        abort(); /* it did not return */
    }
    return memory;
}

char *bluez_copy(const char *text)
{
    char *copy = bluez_alloc(strlen(text) + 1);
    return strcpy(copy, text);
}

/* ---- what the centrals report ---- */

static void heard(void *context, sim_peer_t *peer, bool scan_response,
                  const uint8_t *data, uint8_t size, int8_t rssi_dbm)
{
    device_heard(context, peer, scan_response, data, size, rssi_dbm);
}

static void connected(void *context, sim_peer_t *peer, uint8_t status)
{
    struct adapter *adapter = context;
    struct device *device = device_of(adapter, peer);
    if (device != NULL) {
        device_connected(device, status);
    } else if (status == 0) {
        sim_central_disconnect(adapter->central, peer);
    }
}

static void resolved(void *context, sim_peer_t *peer)
{
    struct device *device = device_of(context, peer);
    if (device != NULL) {
        device_resolved(device);
    }
}

static void disconnected(void *context, sim_peer_t *peer, uint8_t reason)
{
    struct device *device = device_of(context, peer);
    if (device != NULL) {
        device_disconnected(device, reason);
    } else {
        sim_peer_forget_services(peer); /* the device was forgotten, so is its table */
    }
}

static void read_done(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error,
                      const uint8_t *bytes, size_t size)
{
    (void)peer;
    value_done(context, token, att_error, bytes, size);
}

static void write_done(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error)
{
    if (token != 0) {
        value_done(context, token, att_error, NULL, 0);
        return;
    }
    struct device *device = device_of(context, peer);
    if (device != NULL && att_error == 0) {
        outgoing_pump(device);
    }
}

static void notified(void *context, sim_peer_t *peer, uint16_t value_handle,
                     const uint8_t *bytes, size_t size)
{
    struct device *device = device_of(context, peer);
    struct characteristic *characteristic =
        device != NULL ? gatt_characteristic(device, value_handle) : NULL;
    if (characteristic != NULL) {
        notify_value(characteristic, bytes, size);
    }
}

static void services_changed(void *context, sim_peer_t *peer)
{
    /* The objects are compared with what is found next; those that are still true stay.
     */
    (void)context, (void)peer;
}

static void powered(void *context, bool on)
{
    adapter_powered(context, on);
}

/* ---- the daemon ---- */

sim_bluez_t *sim_bluez_new(const struct sim_bluez_config *config)
{
    static const struct sim_central_ops ops = {
        .heard = heard,
        .connected = connected,
        .resolved = resolved,
        .disconnected = disconnected,
        .read_done = read_done,
        .write_done = write_done,
        .notified = notified,
        .services_changed = services_changed,
        .powered = powered,
    };
    assert(config->adapters >= 1 && config->adapters <= SIM_BLUEZ_ADAPTERS_MAX);
    sim_bluez_t *bluez = bluez_alloc(sizeof(*bluez));
    bluez->config = *config;
    for (size_t i = 0; i < config->adapters; i++) {
        struct adapter *adapter = &bluez->adapters[i];
        const uint8_t address[6] = {0x02, 0x75, 0x70, 0x64, 0x72, (uint8_t)i};
        struct sim_central_config central = {
            .arena = config->arena,
            .loop = config->loop,
            .air = config->air,
            .profile = config->profile,
            .cache_services = config->cache,
        };
        memcpy(central.address, address, sizeof(address));
        memcpy(adapter->address, address, sizeof(address));
        adapter->bluez = bluez;
        adapter->index = i;
        adapter->central = sim_central_new(&central, &ops, adapter);
    }
    return bluez;
}

static int client_left(sd_bus_message *message, void *context, sd_bus_error *error)
{
    sim_bluez_t *bluez = context;
    const char *name = NULL, *old_owner = NULL, *new_owner = NULL;
    (void)error;
    if (sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner) < 0 ||
        new_owner[0] != '\0') {
        return 0;
    }
    manager_client_left(bluez, name);
    for (size_t i = 0; i < bluez->config.adapters; i++) {
        adapter_client_left(&bluez->adapters[i], name);
    }
    return 0;
}

static int open_bus(sim_bluez_t *bluez)
{
    sd_bus *bus = NULL;
    int result = sd_bus_new(&bus);
    if (result < 0) {
        return result;
    }
    bluez->bus = bus;
    if ((result = sd_bus_set_address(bus, bluez->config.bus_address)) < 0 ||
        (result = sd_bus_set_bus_client(bus, 1)) < 0 ||
        (result = sd_bus_negotiate_fds(bus, 1)) < 0 || (result = sd_bus_start(bus)) < 0 ||
        (result = bus_server_open(&bluez->server, bus)) < 0 ||
        (result = sd_bus_add_match(bus, &bluez->owner_slot,
                                   "type='signal',sender='org.freedesktop.DBus',"
                                   "path='/org/freedesktop/DBus',"
                                   "interface='org.freedesktop.DBus',"
                                   "member='NameOwnerChanged',arg2=''",
                                   client_left, bluez)) < 0 ||
        (result = sd_bus_attach_event(bus, bluez->config.event,
                                      SD_EVENT_PRIORITY_NORMAL)) < 0) {
        return result;
    }
    return 0;
}

int sim_bluez_start(sim_bluez_t *bluez)
{
    if (bluez->bus != NULL) {
        return -EALREADY;
    }
    int result = open_bus(bluez);
    if (result >= 0) {
        bluez->root_object.interfaces = manager_interfaces;
        bluez->root_object.context = bluez;
        strcpy(bluez->root_object.path, "/org/bluez");
        bus_object_show(&bluez->server, &bluez->root_object);
        for (size_t i = 0; i < bluez->config.adapters; i++) {
            adapter_start(&bluez->adapters[i]);
            sim_central_power(bluez->adapters[i].central, true);
        }
        result = sd_bus_request_name(bluez->bus, "org.bluez", 0);
    }
    if (result < 0) {
        sim_bluez_stop(bluez);
        return result;
    }
    return 0;
}

void sim_bluez_stop(sim_bluez_t *bluez)
{
    if (bluez->bus == NULL) {
        return;
    }
    for (size_t i = 0; i < bluez->config.adapters; i++) {
        device_end_links(&bluez->adapters[i]);
    }
    (void)sd_bus_flush(bluez->bus);
    sim_bluez_kill(bluez);
}

void sim_bluez_kill(sim_bluez_t *bluez)
{
    if (bluez->bus == NULL) {
        return;
    }
    /* Gone at once: calls that wait get no answer from here, but the bus's. */
    sd_bus_close(bluez->bus);
    bluez->server.bus = NULL;
    for (size_t i = 0; i < bluez->config.adapters; i++) {
        adapter_stop(&bluez->adapters[i]);
    }
    while (bluez->agent_count > 0) {
        manager_client_left(bluez, bluez->agents[0].sender);
    }
    bluez->owner_slot = sd_bus_slot_unref(bluez->owner_slot);
    bus_server_close(&bluez->server);
    bluez->bus = sd_bus_unref(bluez->bus);
}

bool sim_bluez_powered(const sim_bluez_t *bluez)
{
    for (size_t i = 0; i < bluez->config.adapters; i++) {
        if (!sim_central_powered(bluez->adapters[i].central)) {
            return false;
        }
    }
    return true;
}

void sim_bluez_power(sim_bluez_t *bluez, bool on)
{
    for (size_t i = 0; i < bluez->config.adapters; i++) {
        sim_central_power(bluez->adapters[i].central, on);
    }
}

void sim_bluez_free(sim_bluez_t *bluez)
{
    if (bluez != NULL) {
        sim_bluez_stop(bluez);
        free(bluez);
    }
}
