/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The properties of Device1; those not known are absent. */
#include <stdio.h>

#include "sim/bluez/internal.h"

static void get_address(sd_bus_message *message, const void *context)
{
    const uint8_t *a = sim_peer_address(((const struct device *)context)->peer);
    char text[18];
    snprintf(text, sizeof(text), "%02X:%02X:%02X:%02X:%02X:%02X", a[0], a[1], a[2], a[3],
             a[4], a[5]);
    bus_must(sd_bus_message_append(message, "s", text), "append");
}

static void get_address_type(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_append(
                 message, "s", sim_peer_is_random(device->peer) ? "random" : "public"),
             "append");
}

static bool has_name(const void *context)
{
    return ((const struct device *)context)->seen.has_name;
}

static void get_name(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_append(message, "s", device->seen.name), "append");
}

static void get_alias(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    char text[18];
    const uint8_t *a = sim_peer_address(device->peer);
    if (device->alias[0] != '\0') {
        bus_must(sd_bus_message_append(message, "s", device->alias), "append");
    } else if (device->seen.has_name) {
        bus_must(sd_bus_message_append(message, "s", device->seen.name), "append");
    } else {
        snprintf(text, sizeof(text), "%02X-%02X-%02X-%02X-%02X-%02X", a[0], a[1], a[2],
                 a[3], a[4], a[5]);
        bus_must(sd_bus_message_append(message, "s", text), "append");
    }
}

static void set_alias(sd_bus_message *call, void *context)
{
    struct device *device = context;
    const char *text = NULL;
    bus_must(sd_bus_message_read(call, "s", &text), "read alias");
    snprintf(device->alias, sizeof(device->alias), "%s", text);
    bus_reply_empty(call);
    device_changed(device, "Alias");
}

static void get_false(sd_bus_message *message, const void *context)
{
    (void)context;
    bus_must(sd_bus_message_append(message, "b", 0), "append");
}

static void get_trusted(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_append(message, "b", device->trusted), "append");
}

static void set_trusted(sd_bus_message *call, void *context)
{
    struct device *device = context;
    int value = 0;
    bus_must(sd_bus_message_read(call, "b", &value), "read Trusted");
    device->trusted = value != 0;
    bus_reply_empty(call);
    device_changed(device, "Trusted");
}

static void get_blocked(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_append(message, "b", device->blocked), "append");
}

static void set_blocked(sd_bus_message *call, void *context)
{
    struct device *device = context;
    int value = 0;
    bus_must(sd_bus_message_read(call, "b", &value), "read Blocked");
    device->blocked = value != 0;
    bus_reply_empty(call);
    device_changed(device, "Blocked");
    if (device->blocked) {
        sim_central_disconnect(device->adapter->central, device->peer);
    }
}

static bool has_rssi(const void *context)
{
    return ((const struct device *)context)->has_rssi;
}

static void get_rssi(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_append(message, "n", device->rssi_dbm), "append");
}

static bool has_tx_power(const void *context)
{
    return ((const struct device *)context)->seen.has_tx_power;
}

static void get_tx_power(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_append(message, "n", (int16_t)device->seen.tx_power_dbm),
             "append");
}

static void get_connected(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_append(message, "b", device->connected), "append");
}

static void get_resolved(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_append(message, "b", device->resolved), "append");
}

static void get_uuids(sd_bus_message *message, const void *context)
{
    uuid_list_append(message, &((const struct device *)context)->seen.uuids);
}

static void get_adapter(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_append(message, "o", device->adapter->object.path), "append");
}

static bool has_flags(const void *context)
{
    return ((const struct device *)context)->seen.has_flags;
}

static void get_flags(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_append_array(message, 'y', &device->seen.flags, 1), "append");
}

static void append_data(sd_bus_message *message, const struct advertised_data *data)
{
    bus_must(sd_bus_message_open_container(message, 'v', "ay"), "open variant");
    bus_must(sd_bus_message_append_array(message, 'y', data->bytes, data->size),
             "append");
    bus_must(sd_bus_message_close_container(message), "close variant");
}

static bool has_manufacturer(const void *context)
{
    return ((const struct device *)context)->seen.manufacturer_count > 0;
}

static void get_manufacturer(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_open_container(message, 'a', "{qv}"), "open data");
    for (size_t i = 0; i < device->seen.manufacturer_count; i++) {
        const struct advertised_data *data = &device->seen.manufacturer[i];
        bus_must(sd_bus_message_open_container(message, 'e', "qv"), "open entry");
        bus_must(sd_bus_message_append(message, "q", data->company), "append");
        append_data(message, data);
        bus_must(sd_bus_message_close_container(message), "close entry");
    }
    bus_must(sd_bus_message_close_container(message), "close data");
}

static bool has_service_data(const void *context)
{
    return ((const struct device *)context)->seen.service_data_count > 0;
}

static void get_service_data(sd_bus_message *message, const void *context)
{
    const struct device *device = context;
    bus_must(sd_bus_message_open_container(message, 'a', "{sv}"), "open data");
    for (size_t i = 0; i < device->seen.service_data_count; i++) {
        const struct advertised_data *data = &device->seen.service_data[i];
        char text[UUID_TEXT_SIZE];
        uuid_print(data->uuid, text);
        bus_must(sd_bus_message_open_container(message, 'e', "sv"), "open entry");
        bus_must(sd_bus_message_append(message, "s", text), "append");
        append_data(message, data);
        bus_must(sd_bus_message_close_container(message), "close entry");
    }
    bus_must(sd_bus_message_close_container(message), "close data");
}

const struct bus_property device_properties[] = {
    {"Address", "s", get_address, NULL, NULL},
    {"AddressType", "s", get_address_type, NULL, NULL},
    {"Name", "s", get_name, has_name, NULL},
    {"Alias", "s", get_alias, NULL, set_alias},
    {"Paired", "b", get_false, NULL, NULL},
    {"Bonded", "b", get_false, NULL, NULL},
    {"Trusted", "b", get_trusted, NULL, set_trusted},
    {"Blocked", "b", get_blocked, NULL, set_blocked},
    {"LegacyPairing", "b", get_false, NULL, NULL},
    {"RSSI", "n", get_rssi, has_rssi, NULL},
    {"Connected", "b", get_connected, NULL, NULL},
    {"UUIDs", "as", get_uuids, NULL, NULL},
    {"Adapter", "o", get_adapter, NULL, NULL},
    {"ManufacturerData", "a{qv}", get_manufacturer, has_manufacturer, NULL},
    {"ServiceData", "a{sv}", get_service_data, has_service_data, NULL},
    {"TxPower", "n", get_tx_power, has_tx_power, NULL},
    {"ServicesResolved", "b", get_resolved, NULL, NULL},
    {"AdvertisingFlags", "ay", get_flags, has_flags, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
