/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Dealings with bluetoothd: the application, the advertisement, the adapter's name, and
 * who is connected. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/gateway/internal.h"

#define ADAPTER_INTERFACE    "org.bluez.Adapter1"
#define GATT_MANAGER         "org.bluez.GattManager1"
#define ADVERTISING_MANAGER  "org.bluez.LEAdvertisingManager1"
#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"
#define END_LIMIT_US         2000000u
#define MATCH_SIZE           256

/* ---- the advertisement's object ---- */

static int get_type(sd_bus *bus, const char *path, const char *interface,
                    const char *property, sd_bus_message *reply, void *context,
                    sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)context, (void)error;
    return sd_bus_message_append(reply, "s", "peripheral");
}

static int get_uuids(sd_bus *bus, const char *path, const char *interface,
                     const char *property, sd_bus_message *reply, void *context,
                     sd_bus_error *error)
{
    const struct advertised *offered = &((const sim_gateway_t *)context)->offered;
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    int result = sd_bus_message_open_container(reply, 'a', "s");
    for (size_t i = 0; i < offered->uuid_count && result >= 0; i++) {
        result = sd_bus_message_append(reply, "s", offered->uuids[i]);
    }
    return result < 0 ? result : sd_bus_message_close_container(reply);
}

static int get_name(sd_bus *bus, const char *path, const char *interface,
                    const char *property, sd_bus_message *reply, void *context,
                    sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(reply, "s", ((sim_gateway_t *)context)->offered.name);
}

static int get_discoverable(sd_bus *bus, const char *path, const char *interface,
                            const char *property, sd_bus_message *reply, void *context,
                            sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)context, (void)error;
    return sd_bus_message_append(reply, "b", 1);
}

static int release(sd_bus_message *call, void *context, sd_bus_error *error)
{
    sim_gateway_t *gateway = context;
    (void)error;
    gateway->advertising_registered = false; /* the adapter was switched off, or so */
    return sd_bus_reply_method_return(call, NULL);
}

static const sd_bus_vtable advertisement_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Type", "s", get_type, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("ServiceUUIDs", "as", get_uuids, 0, 0),
    SD_BUS_PROPERTY("LocalName", "s", get_name, 0, 0),
    SD_BUS_PROPERTY("Discoverable", "b", get_discoverable, 0,
                    SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_METHOD("Release", "", "", release, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

/* ---- calls, one at a time ---- */

static bool answered_well(sim_gateway_t *gateway, sd_bus_message *reply, const char *what)
{
    gateway->call = sd_bus_slot_unref(gateway->call);
    const sd_bus_error *error = sd_bus_message_get_error(reply);
    if (error != NULL && gateway->daemon_here) {
        gateway_complain(gateway, "%s: %s (%s)", what, error->message, error->name);
    } else if (error == NULL && gateway->config.verbose) {
        fprintf(stderr, "updraft-sim: %s: %s\n", gateway->config.adapter, what);
    }
    return error == NULL;
}

static int on_application(sd_bus_message *reply, void *context, sd_bus_error *error)
{
    sim_gateway_t *gateway = context;
    (void)error;
    gateway->application_registered =
        answered_well(gateway, reply, "RegisterApplication");
    if (gateway->application_registered) {
        registration_settle(gateway); /* else with the next tick */
    }
    return 0;
}

static int on_application_gone(sd_bus_message *reply, void *context, sd_bus_error *error)
{
    sim_gateway_t *gateway = context;
    (void)error;
    (void)answered_well(gateway, reply, "UnregisterApplication");
    gateway->application_registered = false;
    registration_settle(gateway);
    return 0;
}

static int on_advertising(sd_bus_message *reply, void *context, sd_bus_error *error)
{
    sim_gateway_t *gateway = context;
    (void)error;
    gateway->advertising_registered =
        answered_well(gateway, reply, "RegisterAdvertisement");
    if (gateway->advertising_registered) {
        registration_settle(gateway);
    }
    return 0;
}

static int on_advertising_gone(sd_bus_message *reply, void *context, sd_bus_error *error)
{
    sim_gateway_t *gateway = context;
    (void)error;
    (void)answered_well(gateway, reply, "UnregisterAdvertisement");
    gateway->advertising_registered = false;
    registration_settle(gateway);
    return 0;
}

static void call(sim_gateway_t *gateway, const char *interface, const char *method,
                 const char *path, bool options, sd_bus_message_handler_t handler)
{
    sd_bus_message *message = NULL;
    int result = sd_bus_message_new_method_call(gateway->bus, &message, BLUEZ_NAME,
                                                gateway->adapter_path, interface, method);
    if (result >= 0) {
        result = sd_bus_message_append(message, "o", path);
    }
    if (result >= 0 && options) {
        result = sd_bus_message_append(message, "a{sv}", 0);
    }
    if (result >= 0) {
        result =
            sd_bus_call_async(gateway->bus, &gateway->call, message, handler, gateway, 0);
    }
    if (result < 0) {
        gateway_complain(gateway, "%s: %s", method, strerror(-result));
    }
    sd_bus_message_unref(message);
}

/* GAP's Device Name is the adapter's, and it is what a central shows in the end. */
static void rename_adapter(sim_gateway_t *gateway)
{
    int result = sd_bus_call_method_async(
        gateway->bus, NULL, BLUEZ_NAME, gateway->adapter_path, PROPERTIES_INTERFACE,
        "Set", NULL, NULL, "ssv", ADAPTER_INTERFACE, "Alias", "s", gateway->offered.name);
    if (result < 0) {
        gateway_complain(gateway, "the adapter's name: %s", strerror(-result));
    }
}

static bool application_is_other(const sim_gateway_t *gateway)
{
    return gateway->application == NULL ||
           strcmp(gateway->application->path, gateway->registered_path) != 0;
}

void registration_settle(sim_gateway_t *gateway)
{
    bool advertise = gateway->present && gateway->application_registered &&
                     !application_is_other(gateway);
    if (!gateway->daemon_here || gateway->call != NULL) {
        return;
    }
    if (gateway->advertising_registered && (!advertise || gateway->advertising_again)) {
        call(gateway, ADVERTISING_MANAGER, "UnregisterAdvertisement", ADVERTISING_PATH,
             false, on_advertising_gone);
    } else if (gateway->application_registered && application_is_other(gateway)) {
        call(gateway, GATT_MANAGER, "UnregisterApplication", gateway->registered_path,
             false, on_application_gone);
    } else if (!gateway->application_registered && gateway->application != NULL) {
        memcpy(gateway->registered_path, gateway->application->path,
               sizeof(gateway->registered_path));
        call(gateway, GATT_MANAGER, "RegisterApplication", gateway->registered_path, true,
             on_application);
    } else if (!gateway->advertising_registered && advertise) {
        gateway->advertising_again = false;
        rename_adapter(gateway);
        call(gateway, ADVERTISING_MANAGER, "RegisterAdvertisement", ADVERTISING_PATH,
             true, on_advertising);
    }
}

void registration_disconnect(sim_gateway_t *gateway, const char *central)
{
    (void)sd_bus_call_method_async(gateway->bus, NULL, BLUEZ_NAME, central,
                                   "org.bluez.Device1", "Disconnect", NULL, NULL, "");
}

/* ---- what bluetoothd says ---- */

/* PropertiesChanged of a Device1: is it the central, and has it left? */
static int on_device(sd_bus_message *signal, void *context, sd_bus_error *error)
{
    sim_gateway_t *gateway = context;
    const char *interface, *key;
    int on = 1;
    (void)error;
    if (gateway->central[0] == '\0' ||
        strcmp(sd_bus_message_get_path(signal), gateway->central) != 0 ||
        sd_bus_message_read(signal, "s", &interface) < 0 ||
        strcmp(interface, "org.bluez.Device1") != 0 ||
        sd_bus_message_enter_container(signal, 'a', "{sv}") < 0) {
        return 0;
    }
    while (sd_bus_message_enter_container(signal, 'e', "sv") > 0 &&
           sd_bus_message_read(signal, "s", &key) > 0) {
        if ((strcmp(key, "Connected") == 0 ? sd_bus_message_read(signal, "v", "b", &on)
                                           : sd_bus_message_skip(signal, "v")) < 0 ||
            sd_bus_message_exit_container(signal) < 0) {
            break;
        }
    }
    if (!on) {
        gateway_release(gateway);
    }
    return 0;
}

static int on_owner(sd_bus_message *signal, void *context, sd_bus_error *error)
{
    sim_gateway_t *gateway = context;
    const char *name, *before, *after;
    (void)error;
    if (sd_bus_message_read(signal, "sss", &name, &before, &after) < 0) {
        return 0;
    }
    /* A daemon that comes knows nothing of what the one before was told. */
    gateway->daemon_here = after[0] != '\0';
    gateway->application_registered = false;
    gateway->advertising_registered = false;
    gateway->call = sd_bus_slot_unref(gateway->call);
    if (gateway->central[0] != '\0') {
        gateway_release(gateway);
    }
    return 0; /* with the next tick: its adapters come a moment later */
}

/* ---- from start to end ---- */

static int watch(sim_gateway_t *gateway)
{
    char devices[MATCH_SIZE];
    snprintf(
        devices, sizeof(devices),
        "type='signal',sender='org.bluez',interface='org.freedesktop.DBus.Properties',"
        "member='PropertiesChanged',path_namespace='%s'",
        gateway->adapter_path);
    int result = sd_bus_add_match(gateway->bus, NULL, devices, on_device, gateway);
    if (result >= 0) {
        result = sd_bus_add_match(
            gateway->bus, NULL,
            "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
            "arg0='org.bluez'",
            on_owner, gateway);
    }
    if (result >= 0) {
        result = sd_bus_add_object_vtable(gateway->bus, &gateway->advertisement_slot,
                                          ADVERTISING_PATH, "org.bluez.LEAdvertisement1",
                                          advertisement_vtable, gateway);
    }
    return result;
}

int registration_start(sim_gateway_t *gateway)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int size = snprintf(gateway->adapter_path, sizeof(gateway->adapter_path),
                        "/org/bluez/%s", gateway->config.adapter);
    if (size < 0 || (size_t)size >= sizeof(gateway->adapter_path) ||
        !sd_bus_object_path_is_valid(gateway->adapter_path)) {
        gateway_complain(gateway, "not the name of an adapter");
        return -1;
    }
    int result = sd_bus_open_system(&gateway->bus);
    if (result < 0) {
        gateway_complain(gateway, "the system's message bus: %s", strerror(-result));
        return -1;
    }
    result =
        sd_bus_get_property_string(gateway->bus, BLUEZ_NAME, gateway->adapter_path,
                                   ADAPTER_INTERFACE, "Alias", &error, &gateway->alias);
    if (result < 0) {
        gateway_complain(gateway, "no such adapter: %s",
                         error.message != NULL ? error.message : strerror(-result));
        sd_bus_error_free(&error);
        return -1;
    }
    gateway->daemon_here = true;
    result = watch(gateway);
    if (result >= 0) {
        result = sd_bus_attach_event(gateway->bus, gateway->config.event,
                                     SD_EVENT_PRIORITY_NORMAL);
    }
    if (result < 0) {
        gateway_complain(gateway, "message bus: %s", strerror(-result));
    }
    return result;
}

void registration_stop(sim_gateway_t *gateway)
{
    gateway->call = sd_bus_slot_unref(gateway->call);
    if (gateway->daemon_here && gateway->alias != NULL) {
        /* What is registered goes with the connection. */
        sd_bus_set_property(gateway->bus, BLUEZ_NAME, gateway->adapter_path,
                            ADAPTER_INTERFACE, "Alias", NULL, "s", gateway->alias);
    }
    free(gateway->alias);
    gateway->advertisement_slot = sd_bus_slot_unref(gateway->advertisement_slot);
    gateway->bus = sd_bus_flush_close_unref(gateway->bus);
}
