/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The board's services as objects on the bus: GattService1, GattCharacteristic1 and
 * GattDescriptor1, as bluetoothd wants them of an application. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/gateway/internal.h"

#define FLAGS_COUNT 8u
#define EXTENDED    0x80u /* its descriptor belongs to bluetoothd */

/* ---- properties ---- */

static int get_uuid(sd_bus *bus, const char *path, const char *interface,
                    const char *property, sd_bus_message *reply, void *context,
                    sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(reply, "s", ((const struct attribute *)context)->uuid);
}

static int get_primary(sd_bus *bus, const char *path, const char *interface,
                       const char *property, sd_bus_message *reply, void *context,
                       sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)context, (void)error;
    return sd_bus_message_append(reply, "b", 1);
}

static int get_parent(sd_bus *bus, const char *path, const char *interface,
                      const char *property, sd_bus_message *reply, void *context,
                      sd_bus_error *error)
{
    const struct attribute *attribute = context;
    const struct application *application = attribute->gateway->application;
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(reply, "o",
                                 application->attributes[attribute->parent].path);
}

static int get_flags(sd_bus *bus, const char *path, const char *interface,
                     const char *property, sd_bus_message *reply, void *context,
                     sd_bus_error *error)
{
    static const char *const names[FLAGS_COUNT] = {
        "broadcast", "read",     "write-without-response",      "write",
        "notify",    "indicate", "authenticated-signed-writes", "extended-properties"};
    const struct attribute *attribute = context;
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    int result = sd_bus_message_open_container(reply, 'a', "s");
    for (unsigned bit = 0; bit < FLAGS_COUNT && result >= 0; bit++) {
        if ((attribute->properties & ~EXTENDED & (1u << bit)) != 0) {
            result = sd_bus_message_append(reply, "s", names[bit]);
        }
    }
    return result < 0 ? result : sd_bus_message_close_container(reply);
}

/* context: the socket. */
static int get_acquired(sd_bus *bus, const char *path, const char *interface,
                        const char *property, sd_bus_message *reply, void *context,
                        sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(reply, "b", *(const int *)context >= 0);
}

/* ---- objects ---- */

static const sd_bus_vtable service_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("UUID", "s", get_uuid, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Primary", "b", get_primary, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_VTABLE_END,
};

#define VALUE_MEMBERS                                                               \
    SD_BUS_PROPERTY("UUID", "s", get_uuid, 0, SD_BUS_VTABLE_PROPERTY_CONST),        \
        SD_BUS_PROPERTY("Flags", "as", get_flags, 0, SD_BUS_VTABLE_PROPERTY_CONST), \
        SD_BUS_METHOD("ReadValue", "a{sv}", "ay", gateway_value_read,               \
                      SD_BUS_VTABLE_UNPRIVILEGED),                                  \
        SD_BUS_METHOD("WriteValue", "aya{sv}", "", gateway_value_write,             \
                      SD_BUS_VTABLE_UNPRIVILEGED)

#define SERVICE_MEMBER \
    SD_BUS_PROPERTY("Service", "o", get_parent, 0, SD_BUS_VTABLE_PROPERTY_CONST)

/* That the property is there tells bluetoothd to acquire, in place of calls one by one.
 */
#define COMMAND_MEMBERS                                                           \
    SD_BUS_PROPERTY("WriteAcquired", "b", get_acquired,                           \
                    offsetof(struct attribute, write_socket), 0),                 \
        SD_BUS_METHOD("AcquireWrite", "a{sv}", "hq", gateway_value_acquire_write, \
                      SD_BUS_VTABLE_UNPRIVILEGED)

#define NOTIFY_MEMBERS                                                              \
    SD_BUS_PROPERTY("NotifyAcquired", "b", get_acquired,                            \
                    offsetof(struct attribute, notify_socket), 0),                  \
        SD_BUS_METHOD("AcquireNotify", "a{sv}", "hq", gateway_value_acquire_notify, \
                      SD_BUS_VTABLE_UNPRIVILEGED),                                  \
        SD_BUS_METHOD("Confirm", "", "", gateway_value_confirm,                     \
                      SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable plain_vtable[] = {SD_BUS_VTABLE_START(0), VALUE_MEMBERS,
                                             SERVICE_MEMBER, SD_BUS_VTABLE_END};
static const sd_bus_vtable command_vtable[] = {SD_BUS_VTABLE_START(0), VALUE_MEMBERS,
                                               SERVICE_MEMBER, COMMAND_MEMBERS,
                                               SD_BUS_VTABLE_END};
static const sd_bus_vtable notify_vtable[] = {SD_BUS_VTABLE_START(0), VALUE_MEMBERS,
                                              SERVICE_MEMBER, NOTIFY_MEMBERS,
                                              SD_BUS_VTABLE_END};
static const sd_bus_vtable command_notify_vtable[] = {
    SD_BUS_VTABLE_START(0), VALUE_MEMBERS,  SERVICE_MEMBER,
    COMMAND_MEMBERS,        NOTIFY_MEMBERS, SD_BUS_VTABLE_END};

static const sd_bus_vtable descriptor_vtable[] = {
    SD_BUS_VTABLE_START(0), VALUE_MEMBERS,
    SD_BUS_PROPERTY("Characteristic", "o", get_parent, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_VTABLE_END};

static const sd_bus_vtable *characteristic_vtable(const struct attribute *attribute)
{
    bool commands = (attribute->properties & PROPERTY_COMMAND) != 0;
    if (attribute->cccd_handle != 0) {
        return commands ? command_notify_vtable : notify_vtable;
    }
    return commands ? command_vtable : plain_vtable;
}

static int show(struct attribute *attribute)
{
    const char *interface = "org.bluez.GattService1";
    const sd_bus_vtable *vtable = service_vtable;
    if (attribute->kind == ATTRIBUTE_CHARACTERISTIC) {
        interface = "org.bluez.GattCharacteristic1";
        vtable = characteristic_vtable(attribute);
    } else if (attribute->kind == ATTRIBUTE_DESCRIPTOR) {
        interface = "org.bluez.GattDescriptor1";
        vtable = descriptor_vtable;
    }
    return sd_bus_add_object_vtable(attribute->gateway->bus, &attribute->slot,
                                    attribute->path, interface, vtable, attribute);
}

/* ---- the board's table ---- */

static bool is_sig(const uint8_t uuid[16], uint16_t number)
{
    char text[UUID_TEXT_SIZE], wanted[UUID_TEXT_SIZE];
    uuid_text(uuid, text);
    snprintf(wanted, sizeof(wanted), "%08x-0000-1000-8000-00805f9b34fb", number);
    return strcmp(text, wanted) == 0;
}

static struct attribute *add(sim_gateway_t *gateway, struct application *application,
                             enum attribute_kind kind, size_t parent,
                             const uint8_t uuid[16], uint16_t handle)
{
    static const char *const folders[] = {"service", "char", "desc"};
    struct attribute *attribute = &application->attributes[application->count++];
    attribute->gateway = gateway;
    attribute->kind = kind;
    attribute->parent = parent;
    attribute->handle = handle;
    attribute->notify_socket = -1;
    attribute->write_socket = -1;
    uuid_text(uuid, attribute->uuid);
    snprintf(attribute->path, sizeof(attribute->path), "/updraft/application%u/%s%04x",
             gateway->generation, folders[kind], handle);
    return attribute;
}

static void add_descriptors(sim_gateway_t *gateway, struct application *application,
                            size_t parent, size_t index)
{
    const struct sim_gatt_descriptor *list = NULL;
    size_t count = sim_peer_descriptors(gateway->board, &list);
    for (size_t i = 0; i < count; i++) {
        /* What says how its characteristic behaves, bluetoothd makes of the flags. */
        if (list[i].characteristic == index && !is_sig(list[i].uuid, 0x2900) &&
            !is_sig(list[i].uuid, ATT_UUID_CCCD)) {
            add(gateway, application, ATTRIBUTE_DESCRIPTOR, parent, list[i].uuid,
                list[i].handle)
                ->properties = 0x0A; /* the board refuses what it does not want */
        }
    }
}

static void add_characteristics(sim_gateway_t *gateway, struct application *application,
                                size_t parent, size_t service)
{
    const struct sim_gatt_characteristic *list = NULL;
    size_t count = sim_peer_characteristics(gateway->board, &list);
    for (size_t i = 0; i < count; i++) {
        if (list[i].service != service) {
            continue;
        }
        size_t place = application->count;
        struct attribute *attribute = add(gateway, application, ATTRIBUTE_CHARACTERISTIC,
                                          parent, list[i].uuid, list[i].value_handle);
        attribute->properties = list[i].properties;
        if ((list[i].properties & (PROPERTY_NOTIFY | PROPERTY_INDICATE)) != 0) {
            attribute->cccd_handle = list[i].cccd_handle;
        }
        add_descriptors(gateway, application, place, i);
    }
}

static struct application *read_table(sim_gateway_t *gateway)
{
    const struct sim_gatt_service *services = NULL;
    const struct sim_gatt_characteristic *characteristics = NULL;
    const struct sim_gatt_descriptor *descriptors = NULL;
    size_t count = sim_peer_services(gateway->board, &services);
    size_t most = count + sim_peer_characteristics(gateway->board, &characteristics) +
                  sim_peer_descriptors(gateway->board, &descriptors);
    struct application *application =
        calloc(1, sizeof(*application) + most * sizeof(application->attributes[0]));
    if (application == NULL) {
        gateway_complain(gateway, "out of memory");
        return NULL;
    }
    snprintf(application->path, sizeof(application->path), "/updraft/application%u",
             gateway->generation);
    for (size_t i = 0; i < count; i++) {
        if (!is_sig(services[i].uuid, 0x1800) && !is_sig(services[i].uuid, 0x1801)) {
            size_t place = application->count;
            add(gateway, application, ATTRIBUTE_SERVICE, 0, services[i].uuid,
                services[i].start_handle);
            add_characteristics(gateway, application, place, i);
        }
    }
    return application;
}

static bool same_table(const struct application *a, const struct application *b)
{
    if (a == NULL || a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        const struct attribute *c = &a->attributes[i], *d = &b->attributes[i];
        if (c->kind != d->kind || c->parent != d->parent || c->handle != d->handle ||
            c->cccd_handle != d->cccd_handle || c->properties != d->properties ||
            strcmp(c->uuid, d->uuid) != 0) {
            return false;
        }
    }
    return true;
}

bool application_update(sim_gateway_t *gateway)
{
    struct application *fresh = read_table(gateway);
    if (fresh == NULL || same_table(gateway->application, fresh)) {
        free(fresh);
        return false;
    }
    application_free(gateway);
    gateway->application = fresh;
    /* bluetoothd knows an application by its path, and takes back the old one first. */
    gateway->generation++;
    int result =
        sd_bus_add_object_manager(gateway->bus, &fresh->manager_slot, fresh->path);
    for (size_t i = 0; i < fresh->count && result >= 0; i++) {
        result = show(&fresh->attributes[i]);
    }
    if (result < 0) {
        gateway_complain(gateway, "objects on the bus: %s", strerror(-result));
    }
    return true;
}

void application_free(sim_gateway_t *gateway)
{
    struct application *application = gateway->application;
    values_close(gateway);
    gateway->application = NULL;
    for (size_t i = 0; application != NULL && i < application->count; i++) {
        sd_bus_slot_unref(application->attributes[i].slot);
    }
    if (application != NULL) {
        sd_bus_slot_unref(application->manager_slot);
        free(application);
    }
}
