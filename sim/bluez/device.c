/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Device1: what was heard of a device, and its connection. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bluez/internal.h"

/* Smaller changes of RSSI are not told, unless a client filters: then every report is,
 * also one with the same RSSI. Clients that listen late live on that. */
#define RSSI_STEP_DBM 8

static const struct bus_interface device_interface;
static const struct bus_interface *const device_interfaces[];

void device_changed(struct device *device, const char *property)
{
    bus_object_changed(&device->adapter->bluez->server, &device->object,
                       &device_interface, property);
}

struct device *device_of(struct adapter *adapter, sim_peer_t *peer)
{
    struct device *device = sim_peer_context(peer);
    return device != NULL && device->adapter == adapter ? device : NULL;
}

/* A device that nothing holds vanishes when its time is over. */
static void used(struct device *device)
{
    const struct sim_bluez_config *config = &device->adapter->bluez->config;
    uint32_t delay_ms =
        config->temporary_ms != 0 ? config->temporary_ms : TEMPORARY_DEFAULT_MS;
    if (device->connected || device->connect_call != NULL) {
        sim_loop_cancel(config->loop, &device->forget);
    } else {
        sim_loop_after(config->loop, &device->forget, delay_ms * UINT64_C(1000));
    }
}

static void forget(void *context)
{
    device_free(context);
}

static struct device *device_new(struct adapter *adapter, sim_peer_t *peer)
{
    if (adapter->device_count == DEVICES_MAX) {
        return NULL;
    }
    struct device *device = bluez_alloc(sizeof(*device));
    device->adapter = adapter;
    device->peer = peer;
    device->forget.fire = forget;
    device->forget.context = device;
    device->object.context = device;
    device->object.interfaces = device_interfaces;
    const uint8_t *a = sim_peer_address(peer);
    bus_object_path(&device->object, "%s/dev_%02X_%02X_%02X_%02X_%02X_%02X",
                    adapter->object.path, a[0], a[1], a[2], a[3], a[4], a[5]);
    sim_peer_set_context(peer, device);
    struct device **place = &adapter->devices;
    while (*place != NULL) {
        place = &(*place)->next;
    }
    *place = device;
    adapter->device_count++;
    return device;
}

static void fail(sd_bus_message **call, const char *name, const char *text)
{
    if (*call != NULL) {
        bus_reply_error(*call, name, text);
        *call = sd_bus_message_unref(*call);
    }
}

static void answer_disconnects(struct device *device)
{
    for (size_t i = 0; i < device->disconnect_count; i++) {
        bus_reply_empty(device->disconnect_calls[i]);
        sd_bus_message_unref(device->disconnect_calls[i]);
    }
    device->disconnect_count = 0;
}

void device_free(struct device *device)
{
    struct adapter *adapter = device->adapter;
    struct sim_bluez *bluez = adapter->bluez;
    sim_loop_cancel(bluez->config.loop, &device->forget);
    gatt_remove(device);
    outgoing_drop(device);
    bus_object_hide(&bluez->server, &device->object);
    fail(&device->connect_call, BLUEZ_FAILED, "le-connection-abort-by-local");
    answer_disconnects(device);
    if (device->remove_call != NULL) {
        bus_reply_empty(device->remove_call);
        sd_bus_message_unref(device->remove_call);
    }
    sim_central_disconnect(adapter->central, device->peer);
    sim_peer_set_context(device->peer, NULL);
    sim_peer_forget_services(device->peer);
    struct device **place = &adapter->devices;
    while (*place != device) {
        place = &(*place)->next;
    }
    *place = device->next;
    adapter->device_count--;
    free(device);
}

/* ---- heard ---- */

static void merge_data(struct advertised_data *list, size_t *count,
                       const struct advertised_data *fresh, size_t fresh_count,
                       bool *ret_changed)
{
    if (fresh_count == 0) {
        return;
    }
    if (fresh_count != *count || memcmp(list, fresh, fresh_count * sizeof(*list)) != 0) {
        memcpy(list, fresh, fresh_count * sizeof(*list));
        *count = fresh_count;
        *ret_changed = true;
    }
}

static void update_rssi(struct device *device, int16_t rssi_dbm)
{
    int difference = abs(rssi_dbm - device->rssi_dbm);
    bool told = !device->has_rssi || difference >= RSSI_STEP_DBM ||
                adapter_filtered(device->adapter);
    if (told) {
        device->has_rssi = true;
        device->rssi_dbm = rssi_dbm;
        device_changed(device, "RSSI");
    }
}

static void update_seen(struct device *device, const struct advertisement *fresh)
{
    struct advertisement *seen = &device->seen;
    if (fresh->has_tx_power &&
        (!seen->has_tx_power || seen->tx_power_dbm != fresh->tx_power_dbm)) {
        seen->has_tx_power = true;
        seen->tx_power_dbm = fresh->tx_power_dbm;
        device_changed(device, "TxPower");
    }
    if (fresh->has_name && (!seen->has_name || strcmp(seen->name, fresh->name) != 0)) {
        seen->has_name = true;
        memcpy(seen->name, fresh->name, sizeof(seen->name));
        device_changed(device, "Name");
        device_changed(device, "Alias");
    }
    bool more = false;
    for (size_t i = 0; i < fresh->uuids.count; i++) {
        more = uuid_list_add(&seen->uuids, fresh->uuids.uuids[i]) || more;
    }
    if (more) {
        device_changed(device, "UUIDs");
    }
    bool other =
        adapter_wants_duplicates(device->adapter) && fresh->manufacturer_count > 0;
    merge_data(seen->manufacturer, &seen->manufacturer_count, fresh->manufacturer,
               fresh->manufacturer_count, &other);
    if (other) {
        device_changed(device, "ManufacturerData");
    }
    other = false;
    merge_data(seen->service_data, &seen->service_data_count, fresh->service_data,
               fresh->service_data_count, &other);
    if (other) {
        device_changed(device, "ServiceData");
    }
    if (fresh->has_flags && (!seen->has_flags || seen->flags != fresh->flags)) {
        seen->has_flags = true;
        seen->flags = fresh->flags;
        device_changed(device, "AdvertisingFlags");
    }
}

/* An advertisement is whole: alone, or with its scan response. */
static void report(struct device *device, const uint8_t *data, size_t size,
                   int8_t rssi_dbm)
{
    struct adapter *adapter = device->adapter;
    struct advertisement fresh;
    advertisement_parse(data, size, &fresh);
    if (!adapter_wants(adapter, device->object.shown ? device : NULL, &fresh, rssi_dbm)) {
        return;
    }
    if (device->object.shown) {
        update_rssi(device, rssi_dbm);
        update_seen(device, &fresh);
    } else {
        device->seen = fresh;
        device->has_rssi = true;
        device->rssi_dbm = rssi_dbm;
        bus_object_show(&adapter->bluez->server, &device->object);
    }
    used(device);
}

void device_heard(struct adapter *adapter, sim_peer_t *peer, bool scan_response,
                  const uint8_t *data, uint8_t size, int8_t rssi_dbm)
{
    if (adapter->bluez->bus == NULL || adapter->deaf) {
        return;
    }
    struct device *device = device_of(adapter, peer);
    if (device == NULL) {
        device = device_new(adapter, peer);
        if (device == NULL) {
            return;
        }
        used(device);
    }
    /* As Linux does: an advertisement waits for its scan response, and goes alone when
     * the next one comes first. */
    if (!scan_response) {
        if (device->report_open) {
            report(device, device->report, device->report_size, device->report_rssi_dbm);
        }
        device->report_open = true;
        device->report_rssi_dbm = rssi_dbm;
        device->report_size = size > 31 ? 31 : size;
        memcpy(device->report, data, device->report_size);
    } else if (device->report_open) {
        size_t more = size > 31 ? 31 : size;
        device->report_open = false;
        memcpy(device->report + device->report_size, data, more);
        report(device, device->report, device->report_size + more, rssi_dbm);
    }
}

void device_not_in_range(struct device *device)
{
    device->report_open = false;
    if (device->has_rssi) {
        device->has_rssi = false;
        device_changed(device, "RSSI");
    }
    if (device->seen.has_tx_power) {
        device->seen.has_tx_power = false;
        device_changed(device, "TxPower");
    }
}

/* ---- connection ---- */

static void connect(sd_bus_message *call, void *context)
{
    struct device *device = context;
    if (!device->adapter->powered) {
        bus_reply_error(call, BLUEZ_NOT_READY, "Resource Not Ready");
    } else if (device->connected) {
        bus_reply_empty(call);
    } else if (device->connect_call != NULL) {
        bus_reply_error(call, BLUEZ_IN_PROGRESS, "In Progress");
    } else if (device->blocked || device->removed) {
        bus_reply_error(call, BLUEZ_FAILED, "Rejected");
    } else {
        device->connect_call = sd_bus_message_ref(call);
        used(device);
        sim_central_connect(device->adapter->central, device->peer, CONNECT_TIMEOUT_MS);
    }
}

static void disconnect(sd_bus_message *call, void *context)
{
    struct device *device = context;
    if (device->connect_call != NULL) {
        fail(&device->connect_call, BLUEZ_FAILED, "br-connection-canceled");
        sim_central_disconnect(device->adapter->central, device->peer);
        used(device);
    }
    if (!device->connected) {
        bus_reply_error(call, BLUEZ_NOT_CONNECTED, "Not Connected");
    } else if (device->disconnect_count == DISCONNECTS_MAX) {
        bus_reply_error(call, BLUEZ_IN_PROGRESS, "In Progress");
    } else {
        device->disconnect_calls[device->disconnect_count++] = sd_bus_message_ref(call);
        sim_central_disconnect(device->adapter->central, device->peer);
    }
}

void device_connected(struct device *device, uint8_t status)
{
    if (status != 0) {
        fail(&device->connect_call, BLUEZ_FAILED, "le-connection-abort-by-local");
        used(device);
        return;
    }
    if (device->connect_call == NULL) {
        /* Called off in the moment it came: the link ends again, unseen. */
        sim_central_disconnect(device->adapter->central, device->peer);
        return;
    }
    device->connected = true;
    if (!device->adapter->hush_next) {
        device_changed(device, "Connected");
    }
    device->adapter->hush_next = false;
    bus_reply_empty(device->connect_call);
    device->connect_call = sd_bus_message_unref(device->connect_call);
    used(device);
}

void device_resolved(struct device *device)
{
    if (!device->connected) {
        return;
    }
    const struct sim_gatt_service *services = NULL;
    size_t count = sim_peer_services(device->peer, &services);
    bool more = false;
    gatt_update(device);
    for (size_t i = 0; i < count; i++) {
        more = uuid_list_add(&device->seen.uuids, services[i].uuid) || more;
    }
    if (more) {
        device_changed(device, "UUIDs");
    }
    if (!device->resolved) {
        device->resolved = true;
        device_changed(device, "ServicesResolved");
    }
}

void device_disconnected(struct device *device, uint8_t reason)
{
    (void)reason;
    struct adapter *adapter = device->adapter;
    for (struct service *service = device->services; service != NULL;
         service = service->next) {
        for (struct characteristic *characteristic = service->characteristics;
             characteristic != NULL; characteristic = characteristic->next) {
            notify_link_lost(characteristic);
        }
    }
    outgoing_drop(device);
    bool was_connected = device->connected;
    bool was_resolved = device->resolved;
    device->connected = false;
    device->resolved = false;
    /* First the answer, then the signal: a client that saw Connected turn false closes
     * its bus with the call still open. */
    answer_disconnects(device);
    if (was_resolved) {
        device_changed(device, "ServicesResolved");
    }
    if (was_connected) {
        device_changed(device, "Connected");
    }
    if (!adapter->bluez->config.cache) {
        gatt_remove(device);
    }
    if (device->removed) {
        device_free(device);
    } else {
        used(device);
    }
}

void device_end_links(struct adapter *adapter)
{
    struct device *next;
    for (struct device *device = adapter->devices; device != NULL; device = next) {
        next = device->next;
        if (device->connected) {
            sim_central_disconnect(adapter->central, device->peer);
            device_disconnected(device, 0);
        }
    }
}

void device_remove(struct device *device, sd_bus_message *call)
{
    if (device->removed) {
        bus_reply_error(call, BLUEZ_IN_PROGRESS, "In Progress");
        return;
    }
    device->removed = true;
    device->remove_call = sd_bus_message_ref(call);
    fail(&device->connect_call, BLUEZ_FAILED, "br-connection-canceled");
    if (device->connected) {
        sim_central_disconnect(device->adapter->central, device->peer);
    } else {
        device_free(device);
    }
}

static void pair(sd_bus_message *call, void *context)
{
    (void)context;
    bus_reply_error(call, BLUEZ_NOT_SUPPORTED, "Operation is not supported");
}

static void cancel_pairing(sd_bus_message *call, void *context)
{
    (void)context;
    bus_reply_error(call, BLUEZ_DOES_NOT_EXIST, "Does Not Exist");
}

static void connect_profile(sd_bus_message *call, void *context)
{
    (void)context;
    bus_reply_error(call, "org.bluez.Error.NotAvailable",
                    "Operation currently not available");
}

static const struct bus_interface device_interface = {
    .name = "org.bluez.Device1",
    .properties = device_properties,
    .methods = (const struct bus_method[]){
        {"Connect", "", "", connect},
        {"Disconnect", "", "", disconnect},
        {"ConnectProfile", "s", "", connect_profile},
        {"DisconnectProfile", "s", "", connect_profile},
        {"Pair", "", "", pair},
        {"CancelPairing", "", "", cancel_pairing},
        {NULL, NULL, NULL, NULL},
    }};

static const struct bus_interface *const device_interfaces[] = {&device_interface, NULL};
