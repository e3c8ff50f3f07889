/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Adapter1: power, discovery counted by client, and what clients ask to hear of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bluez/internal.h"

static const struct bus_interface adapter_interface;
static const struct bus_interface *const adapter_interfaces[];

static void changed(struct adapter *adapter, const char *property)
{
    bus_object_changed(&adapter->bluez->server, &adapter->object, &adapter_interface,
                       property);
}

/* ---- discovery ---- */

static struct discovery *find_discovery(struct adapter *adapter, const char *sender)
{
    for (struct discovery *discovery = adapter->discoveries; discovery != NULL;
         discovery = discovery->next) {
        if (strcmp(discovery->sender, sender) == 0) {
            return discovery;
        }
    }
    return NULL;
}

static struct discovery *get_discovery(struct adapter *adapter, const char *sender)
{
    struct discovery *discovery = find_discovery(adapter, sender);
    if (discovery == NULL) {
        discovery = bluez_alloc(sizeof(*discovery));
        discovery->sender = bluez_copy(sender);
        discovery->low_energy = true;
        discovery->next = adapter->discoveries;
        adapter->discoveries = discovery;
    }
    return discovery;
}

static void drop_discovery(struct adapter *adapter, struct discovery *discovery)
{
    struct discovery **place = &adapter->discoveries;
    while (*place != discovery) {
        place = &(*place)->next;
    }
    *place = discovery->next;
    free(discovery->sender);
    free(discovery);
}

/* Scans while any client discovers, and says so. */
static void update_discovery(struct adapter *adapter)
{
    bool wanted = false;
    bool low_energy = false;
    for (const struct discovery *discovery = adapter->discoveries; discovery != NULL;
         discovery = discovery->next) {
        wanted = wanted || discovery->active;
        low_energy = low_energy || (discovery->active && discovery->low_energy);
    }
    sim_central_scan(adapter->central, low_energy);
    if (wanted != adapter->discovering) {
        adapter->discovering = wanted;
        adapter->deaf = wanted && adapter->deaf_next;
        adapter->deaf_next = adapter->deaf_next && !wanted;
        changed(adapter, "Discovering");
    }
    if (!wanted) {
        for (struct device *device = adapter->devices; device != NULL;
             device = device->next) {
            device_not_in_range(device);
        }
    }
}

static bool filter_matches(const struct discovery *discovery, const struct device *device,
                           const struct advertisement *seen, int16_t rssi_dbm)
{
    if (!discovery->active || !discovery->low_energy ||
        (discovery->has_rssi && rssi_dbm < discovery->rssi_dbm)) {
        return false;
    }
    bool found = discovery->uuids.count == 0;
    for (size_t i = 0; i < discovery->uuids.count; i++) {
        found = found || uuid_list_has(&seen->uuids, discovery->uuids.uuids[i]) ||
                (device != NULL &&
                 uuid_list_has(&device->seen.uuids, discovery->uuids.uuids[i]));
    }
    size_t size = strlen(discovery->pattern);
    return found && (size == 0 || (seen->has_name &&
                                   strncmp(seen->name, discovery->pattern, size) == 0));
}

bool adapter_wants(const struct adapter *adapter, const struct device *device,
                   const struct advertisement *seen, int16_t rssi_dbm)
{
    for (const struct discovery *discovery = adapter->discoveries; discovery != NULL;
         discovery = discovery->next) {
        if (filter_matches(discovery, device, seen, rssi_dbm)) {
            return true;
        }
    }
    return false;
}

bool adapter_filtered(const struct adapter *adapter)
{
    for (const struct discovery *discovery = adapter->discoveries; discovery != NULL;
         discovery = discovery->next) {
        if (discovery->active && discovery->filtered) {
            return true;
        }
    }
    return false;
}

bool adapter_wants_duplicates(const struct adapter *adapter)
{
    for (const struct discovery *discovery = adapter->discoveries; discovery != NULL;
         discovery = discovery->next) {
        if (discovery->active && discovery->duplicates) {
            return true;
        }
    }
    return false;
}

static bool not_ready(sd_bus_message *call, const struct adapter *adapter)
{
    if (!adapter->powered) {
        bus_reply_error(call, BLUEZ_NOT_READY, "Resource Not Ready");
    }
    return !adapter->powered;
}

static void start_discovery(sd_bus_message *call, void *context)
{
    struct adapter *adapter = context;
    if (not_ready(call, adapter)) {
        return;
    }
    struct discovery *discovery = get_discovery(adapter, sd_bus_message_get_sender(call));
    if (discovery->active) {
        bus_reply_error(call, BLUEZ_IN_PROGRESS, "Operation already in progress");
        return;
    }
    discovery->active = true;
    bus_reply_empty(call);
    update_discovery(adapter);
}

static void stop_discovery(sd_bus_message *call, void *context)
{
    struct adapter *adapter = context;
    if (not_ready(call, adapter)) {
        return;
    }
    struct discovery *discovery =
        find_discovery(adapter, sd_bus_message_get_sender(call));
    if (discovery == NULL || !discovery->active) {
        bus_reply_error(call, BLUEZ_FAILED, "No discovery started");
        return;
    }
    drop_discovery(adapter, discovery);
    bus_reply_empty(call);
    update_discovery(adapter);
}

static bool read_uuids(sd_bus_message *call, struct uuid_list *ret_list)
{
    const char *text = NULL;
    uint8_t uuid[16];
    if (sd_bus_message_enter_container(call, 'v', "as") < 0 ||
        sd_bus_message_enter_container(call, 'a', "s") < 0) {
        return false;
    }
    while (sd_bus_message_read(call, "s", &text) > 0) {
        if (!uuid_parse(text, uuid)) {
            return false;
        }
        uuid_list_add(ret_list, uuid);
    }
    /* The array, and the variant that it is in. */
    int result = sd_bus_message_exit_container(call);
    return result >= 0 && sd_bus_message_exit_container(call) >= 0;
}

static bool read_filter_entry(sd_bus_message *call, const char *key,
                              struct discovery *filter, bool *has_pathloss)
{
    int flag = 0;
    uint16_t pathloss = 0;
    const char *text = NULL;
    if (strcmp(key, "UUIDs") == 0) {
        return read_uuids(call, &filter->uuids);
    }
    if (strcmp(key, "RSSI") == 0) {
        filter->has_rssi = true;
        return sd_bus_message_read(call, "v", "n", &filter->rssi_dbm) > 0;
    }
    if (strcmp(key, "Pathloss") == 0) {
        *has_pathloss = true;
        return sd_bus_message_read(call, "v", "q", &pathloss) > 0 && pathloss <= 137;
    }
    if (strcmp(key, "Transport") == 0) {
        if (sd_bus_message_read(call, "v", "s", &text) <= 0) {
            return false;
        }
        filter->low_energy = strcmp(text, "bredr") != 0;
        return strcmp(text, "bredr") == 0 || strcmp(text, "le") == 0 ||
               strcmp(text, "auto") == 0;
    }
    if (strcmp(key, "DuplicateData") == 0) {
        int result = sd_bus_message_read(call, "v", "b", &flag);
        filter->duplicates = flag != 0;
        return result > 0;
    }
    if (strcmp(key, "Discoverable") == 0) {
        return sd_bus_message_read(call, "v", "b", &flag) > 0;
    }
    if (strcmp(key, "Pattern") == 0) {
        if (sd_bus_message_read(call, "v", "s", &text) <= 0 ||
            strlen(text) >= sizeof(filter->pattern)) {
            return false;
        }
        strcpy(filter->pattern, text);
        return true;
    }
    return false;
}

static void set_discovery_filter(sd_bus_message *call, void *context)
{
    struct adapter *adapter = context;
    if (not_ready(call, adapter)) {
        return;
    }
    struct discovery filter = {.low_energy = true};
    bool has_pathloss = false;
    bool valid = sd_bus_message_enter_container(call, 'a', "{sv}") >= 0;
    const char *key = NULL;
    while (valid && sd_bus_message_enter_container(call, 'e', "sv") > 0) {
        filter.filtered = true;
        valid = sd_bus_message_read(call, "s", &key) > 0 &&
                read_filter_entry(call, key, &filter, &has_pathloss) &&
                sd_bus_message_exit_container(call) >= 0;
    }
    if (!valid || (filter.has_rssi && has_pathloss)) {
        bus_reply_error(call, BLUEZ_INVALID_ARGUMENTS,
                        "Invalid arguments in method call");
        return;
    }
    struct discovery *discovery = get_discovery(adapter, sd_bus_message_get_sender(call));
    discovery->uuids = filter.uuids;
    discovery->has_rssi = filter.has_rssi;
    discovery->rssi_dbm = filter.rssi_dbm;
    discovery->low_energy = filter.low_energy;
    discovery->filtered = filter.filtered;
    discovery->duplicates = filter.duplicates;
    memcpy(discovery->pattern, filter.pattern, sizeof(discovery->pattern));
    bus_reply_empty(call);
    update_discovery(adapter);
}

static void get_discovery_filters(sd_bus_message *call, void *context)
{
    (void)context;
    bus_must(sd_bus_reply_method_return(call, "as", 7, "UUIDs", "RSSI", "Pathloss",
                                        "Transport", "DuplicateData", "Discoverable",
                                        "Pattern"),
             "reply filters");
}

static void remove_device(sd_bus_message *call, void *context)
{
    struct adapter *adapter = context;
    const char *path = NULL;
    bus_must(sd_bus_message_read(call, "o", &path), "read path");
    for (struct device *device = adapter->devices; device != NULL;
         device = device->next) {
        if (strcmp(device->object.path, path) == 0) {
            device_remove(device, call);
            return;
        }
    }
    bus_reply_error(call, BLUEZ_DOES_NOT_EXIST, "Does Not Exist");
}

void adapter_client_left(struct adapter *adapter, const char *sender)
{
    struct discovery *discovery = find_discovery(adapter, sender);
    if (discovery != NULL) {
        drop_discovery(adapter, discovery);
        update_discovery(adapter);
    }
    for (struct device *device = adapter->devices; device != NULL;
         device = device->next) {
        gatt_client_left(device, sender);
    }
}

/* ---- properties ---- */

static void get_address(sd_bus_message *message, const void *context)
{
    const uint8_t *a = ((const struct adapter *)context)->address;
    char text[18];
    snprintf(text, sizeof(text), "%02X:%02X:%02X:%02X:%02X:%02X", a[0], a[1], a[2], a[3],
             a[4], a[5]);
    bus_must(sd_bus_message_append(message, "s", text), "append");
}

static void get_address_type(sd_bus_message *message, const void *context)
{
    (void)context;
    bus_must(sd_bus_message_append(message, "s", "public"), "append");
}

static void get_name(sd_bus_message *message, const void *context)
{
    const struct adapter *adapter = context;
    char text[32];
    snprintf(text, sizeof(text), "updraft-sim hci%zu", adapter->index);
    bus_must(sd_bus_message_append(message, "s", text), "append");
}

static void get_alias(sd_bus_message *message, const void *context)
{
    const struct adapter *adapter = context;
    if (adapter->alias[0] == '\0') {
        get_name(message, context);
    } else {
        bus_must(sd_bus_message_append(message, "s", adapter->alias), "append");
    }
}

static void set_alias(sd_bus_message *call, void *context)
{
    struct adapter *adapter = context;
    const char *text = NULL;
    bus_must(sd_bus_message_read(call, "s", &text), "read alias");
    snprintf(adapter->alias, sizeof(adapter->alias), "%s", text);
    bus_reply_empty(call);
    changed(adapter, "Alias");
}

static void get_class(sd_bus_message *message, const void *context)
{
    (void)context;
    bus_must(sd_bus_message_append(message, "u", 0x0010Cu), "append");
}

static void get_powered(sd_bus_message *message, const void *context)
{
    const struct adapter *adapter = context;
    bus_must(sd_bus_message_append(message, "b", adapter->powered), "append");
}

static void set_powered(sd_bus_message *call, void *context)
{
    struct adapter *adapter = context;
    int on = 0;
    bus_must(sd_bus_message_read(call, "b", &on), "read Powered");
    if (adapter->power_call != NULL) {
        bus_reply_error(call, "org.bluez.Error.Busy", "Busy");
    } else if (adapter->powered == (on != 0)) {
        bus_reply_empty(call);
    } else {
        adapter->power_call = sd_bus_message_ref(call);
        adapter->power_wanted = on != 0;
        sim_central_power(adapter->central, on != 0);
    }
}

static void get_discovering(sd_bus_message *message, const void *context)
{
    const struct adapter *adapter = context;
    bus_must(sd_bus_message_append(message, "b", adapter->discovering), "append");
}

static void get_discoverable(sd_bus_message *message, const void *context)
{
    const struct adapter *adapter = context;
    bus_must(sd_bus_message_append(message, "b", adapter->discoverable), "append");
}

static void get_pairable(sd_bus_message *message, const void *context)
{
    const struct adapter *adapter = context;
    bus_must(sd_bus_message_append(message, "b", adapter->pairable), "append");
}

static void get_discoverable_timeout(sd_bus_message *message, const void *context)
{
    const struct adapter *adapter = context;
    bus_must(sd_bus_message_append(message, "u", adapter->discoverable_timeout_s),
             "append");
}

static void get_pairable_timeout(sd_bus_message *message, const void *context)
{
    const struct adapter *adapter = context;
    bus_must(sd_bus_message_append(message, "u", adapter->pairable_timeout_s), "append");
}

static void set_flag(sd_bus_message *call, struct adapter *adapter, bool *flag,
                     const char *property)
{
    int value = 0;
    bus_must(sd_bus_message_read(call, "b", &value), property);
    *flag = value != 0;
    bus_reply_empty(call);
    changed(adapter, property);
}

static void set_discoverable(sd_bus_message *call, void *context)
{
    struct adapter *adapter = context;
    if (!not_ready(call, adapter)) {
        set_flag(call, adapter, &adapter->discoverable, "Discoverable");
    }
}

static void set_pairable(sd_bus_message *call, void *context)
{
    struct adapter *adapter = context;
    set_flag(call, adapter, &adapter->pairable, "Pairable");
}

static void set_discoverable_timeout(sd_bus_message *call, void *context)
{
    struct adapter *adapter = context;
    bus_must(sd_bus_message_read(call, "u", &adapter->discoverable_timeout_s), "read");
    bus_reply_empty(call);
    changed(adapter, "DiscoverableTimeout");
}

static void set_pairable_timeout(sd_bus_message *call, void *context)
{
    struct adapter *adapter = context;
    bus_must(sd_bus_message_read(call, "u", &adapter->pairable_timeout_s), "read");
    bus_reply_empty(call);
    changed(adapter, "PairableTimeout");
}

static void get_uuids(sd_bus_message *message, const void *context)
{
    (void)context;
    struct uuid_list list = {.count = 2};
    uuid_from_16(0x1800, list.uuids[0]);
    uuid_from_16(0x1801, list.uuids[1]);
    uuid_list_append(message, &list);
}

static void get_modalias(sd_bus_message *message, const void *context)
{
    (void)context;
    bus_must(sd_bus_message_append(message, "s", "usb:v1D6Bp0246d0542"), "append");
}

static void get_roles(sd_bus_message *message, const void *context)
{
    (void)context;
    bus_must(sd_bus_message_append(message, "as", 1, "central"), "append");
}

static const struct bus_interface adapter_interface = {
    .name = "org.bluez.Adapter1",
    .properties =
        (const struct bus_property[]){
            {"Address", "s", get_address, NULL, NULL},
            {"AddressType", "s", get_address_type, NULL, NULL},
            {"Name", "s", get_name, NULL, NULL},
            {"Alias", "s", get_alias, NULL, set_alias},
            {"Class", "u", get_class, NULL, NULL},
            {"Powered", "b", get_powered, NULL, set_powered},
            {"Discoverable", "b", get_discoverable, NULL, set_discoverable},
            {"DiscoverableTimeout", "u", get_discoverable_timeout, NULL,
             set_discoverable_timeout},
            {"Pairable", "b", get_pairable, NULL, set_pairable},
            {"PairableTimeout", "u", get_pairable_timeout, NULL, set_pairable_timeout},
            {"Discovering", "b", get_discovering, NULL, NULL},
            {"UUIDs", "as", get_uuids, NULL, NULL},
            {"Modalias", "s", get_modalias, NULL, NULL},
            {"Roles", "as", get_roles, NULL, NULL},
            {NULL, NULL, NULL, NULL, NULL},
        },
    .methods = (const struct bus_method[]){
        {"StartDiscovery", "", "", start_discovery},
        {"StopDiscovery", "", "", stop_discovery},
        {"SetDiscoveryFilter", "a{sv}", "", set_discovery_filter},
        {"GetDiscoveryFilters", "", "as", get_discovery_filters},
        {"RemoveDevice", "o", "", remove_device},
        {NULL, NULL, NULL, NULL},
    }};

/* ---- what a central alone does not do ---- */

static void not_supported(sd_bus_message *call, void *context)
{
    (void)context;
    bus_reply_error(call, BLUEZ_NOT_SUPPORTED, "Operation is not supported");
}

static void get_zero(sd_bus_message *message, const void *context)
{
    (void)context;
    bus_must(sd_bus_message_append(message, "y", 0), "append");
}

static void get_no_strings(sd_bus_message *message, const void *context)
{
    (void)context;
    bus_must(sd_bus_message_append(message, "as", 0), "append");
}

static const struct bus_interface advertising_interface = {
    .name = "org.bluez.LEAdvertisingManager1",
    .properties =
        (const struct bus_property[]){
            {"ActiveInstances", "y", get_zero, NULL, NULL},
            {"SupportedInstances", "y", get_zero, NULL, NULL},
            {"SupportedIncludes", "as", get_no_strings, NULL, NULL},
            {NULL, NULL, NULL, NULL, NULL},
        },
    .methods = (const struct bus_method[]){
        {"RegisterAdvertisement", "oa{sv}", "", not_supported},
        {"UnregisterAdvertisement", "o", "", not_supported},
        {NULL, NULL, NULL, NULL},
    }};

static const struct bus_interface gatt_manager_interface = {
    .name = "org.bluez.GattManager1",
    .methods = (const struct bus_method[]){
        {"RegisterApplication", "oa{sv}", "", not_supported},
        {"UnregisterApplication", "o", "", not_supported},
        {NULL, NULL, NULL, NULL},
    }};

static const struct bus_interface *const adapter_interfaces[] = {
    &adapter_interface, &advertising_interface, &gatt_manager_interface, NULL};

/* ---- the daemon and the adapter come and go ---- */

void adapter_start(struct adapter *adapter)
{
    adapter->pairable = true;
    adapter->discoverable = false;
    adapter->discoverable_timeout_s = 180;
    adapter->pairable_timeout_s = 0;
    adapter->alias[0] = '\0';
    adapter->powered = sim_central_powered(adapter->central);
    adapter->object.interfaces = adapter_interfaces;
    adapter->object.context = adapter;
    bus_object_path(&adapter->object, "/org/bluez/hci%zu", adapter->index);
    bus_object_show(&adapter->bluez->server, &adapter->object);
}

static void drop_all(struct adapter *adapter)
{
    while (adapter->discoveries != NULL) {
        drop_discovery(adapter, adapter->discoveries);
    }
    update_discovery(adapter);
}

void adapter_stop(struct adapter *adapter)
{
    drop_all(adapter);
    while (adapter->devices != NULL) {
        device_free(adapter->devices);
    }
    adapter->power_call = sd_bus_message_unref(adapter->power_call);
    bus_object_hide(&adapter->bluez->server, &adapter->object);
}

void adapter_powered(struct adapter *adapter, bool on)
{
    if (!adapter->object.shown) {
        return;
    }
    if (!on) {
        drop_all(adapter);
    }
    if (adapter->power_call != NULL && adapter->power_wanted == on) {
        bus_reply_empty(adapter->power_call);
        adapter->power_call = sd_bus_message_unref(adapter->power_call);
    }
    if (adapter->powered != on) {
        adapter->powered = on;
        changed(adapter, "Powered");
    }
}
