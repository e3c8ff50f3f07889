/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * GattService1, GattCharacteristic1 and GattDescriptor1 objects, kept between
 * connections.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bluez/internal.h"

static const struct bus_interface service_interface;
static const struct bus_interface *const service_interfaces[];
static const struct bus_interface characteristic_interface;
static const struct bus_interface *const characteristic_interfaces[];
static const struct bus_interface descriptor_interface;
static const struct bus_interface *const descriptor_interfaces[];

/* ---- properties ---- */

static void append_uuid(sd_bus_message *message, const uint8_t uuid[16])
{
    char text[UUID_TEXT_SIZE];
    uuid_print(uuid, text);
    bus_must(sd_bus_message_append(message, "s", text), "append UUID");
}

static void get_service_uuid(sd_bus_message *message, const void *context)
{
    append_uuid(message, ((const struct service *)context)->uuid);
}

static void get_service_device(sd_bus_message *message, const void *context)
{
    const struct service *service = context;
    bus_must(sd_bus_message_append(message, "o", service->device->object.path), "append");
}

static void get_primary(sd_bus_message *message, const void *context)
{
    (void)context;
    bus_must(sd_bus_message_append(message, "b", 1), "append");
}

static void get_includes(sd_bus_message *message, const void *context)
{
    (void)context;
    bus_must(sd_bus_message_append(message, "ao", 0), "append");
}

static void get_uuid(sd_bus_message *message, const void *context)
{
    append_uuid(message, ((const struct attribute *)context)->uuid);
}

static void get_value(sd_bus_message *message, const void *context)
{
    const struct attribute *attribute = context;
    bus_must(sd_bus_message_append_array(message, 'y', attribute->value,
                                         attribute->value_size),
             "append value");
}

static void get_service(sd_bus_message *message, const void *context)
{
    const struct characteristic *characteristic = context;
    bus_must(sd_bus_message_append(message, "o", characteristic->service->object.path),
             "append");
}

static void get_characteristic(sd_bus_message *message, const void *context)
{
    const struct descriptor *descriptor = context;
    bus_must(
        sd_bus_message_append(message, "o", descriptor->characteristic->base.object.path),
        "append");
}

static bool notifies(const void *context)
{
    return (((const struct attribute *)context)->properties & 0x30) != 0;
}

static bool only_notifies(const void *context)
{
    return (((const struct attribute *)context)->properties & 0x10) != 0;
}

static bool takes_commands(const void *context)
{
    return (((const struct attribute *)context)->properties & 0x04) != 0;
}

static void get_notifying(sd_bus_message *message, const void *context)
{
    bus_must(sd_bus_message_append(message, "b",
                                   ((const struct characteristic *)context)->notifying),
             "append");
}

static void get_write_acquired(sd_bus_message *message, const void *context)
{
    const struct characteristic *characteristic = context;
    bus_must(
        sd_bus_message_append(message, "b", characteristic->write_socket.socket >= 0),
        "append");
}

static void get_notify_acquired(sd_bus_message *message, const void *context)
{
    const struct characteristic *characteristic = context;
    bus_must(
        sd_bus_message_append(message, "b", characteristic->notify_socket.socket >= 0),
        "append");
}

static bool linked(const void *context)
{
    return ((const struct attribute *)context)->device->connected;
}

static void get_mtu(sd_bus_message *message, const void *context)
{
    const struct attribute *attribute = context;
    bus_must(sd_bus_message_append(message, "q", sim_peer_mtu(attribute->device->peer)),
             "append");
}

static void get_flags(sd_bus_message *message, const void *context)
{
    static const char *const names[] = {
        "broadcast", "read",     "write-without-response",      "write",
        "notify",    "indicate", "authenticated-signed-writes", "extended-properties"};
    const struct attribute *attribute = context;
    bus_must(sd_bus_message_open_container(message, 'a', "s"), "open flags");
    for (unsigned bit = 0; bit < 8; bit++) {
        if ((attribute->properties & (1u << bit)) != 0) {
            bus_must(sd_bus_message_append(message, "s", names[bit]), "append flag");
        }
    }
    bus_must(sd_bus_message_close_container(message), "close flags");
}

static const struct bus_interface service_interface = {
    .name = "org.bluez.GattService1",
    .properties = (const struct bus_property[]){
        {"UUID", "s", get_service_uuid, NULL, NULL},
        {"Device", "o", get_service_device, NULL, NULL},
        {"Primary", "b", get_primary, NULL, NULL},
        {"Includes", "ao", get_includes, NULL, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    }};

static const struct bus_interface characteristic_interface = {
    .name = "org.bluez.GattCharacteristic1",
    .properties =
        (const struct bus_property[]){
            {"UUID", "s", get_uuid, NULL, NULL},
            {"Service", "o", get_service, NULL, NULL},
            {"Value", "ay", get_value, NULL, NULL},
            {"Notifying", "b", get_notifying, notifies, NULL},
            {"Flags", "as", get_flags, NULL, NULL},
            {"WriteAcquired", "b", get_write_acquired, takes_commands, NULL},
            {"NotifyAcquired", "b", get_notify_acquired, only_notifies, NULL},
            {"MTU", "q", get_mtu, linked, NULL},
            {NULL, NULL, NULL, NULL, NULL},
        },
    .methods = (const struct bus_method[]){
        {"ReadValue", "a{sv}", "ay", value_read},
        {"WriteValue", "aya{sv}", "", value_write},
        {"AcquireWrite", "a{sv}", "hq", notify_acquire_write},
        {"AcquireNotify", "a{sv}", "hq", notify_acquire},
        {"StartNotify", "", "", notify_start},
        {"StopNotify", "", "", notify_stop},
        {NULL, NULL, NULL, NULL},
    }};

static const struct bus_interface descriptor_interface = {
    .name = "org.bluez.GattDescriptor1",
    .properties =
        (const struct bus_property[]){
            {"UUID", "s", get_uuid, NULL, NULL},
            {"Characteristic", "o", get_characteristic, NULL, NULL},
            {"Value", "ay", get_value, NULL, NULL},
            {NULL, NULL, NULL, NULL, NULL},
        },
    .methods = (const struct bus_method[]){
        {"ReadValue", "a{sv}", "ay", value_read},
        {"WriteValue", "aya{sv}", "", value_write},
        {NULL, NULL, NULL, NULL},
    }};

static const struct bus_interface *const service_interfaces[] = {&service_interface,
                                                                 NULL};
static const struct bus_interface *const characteristic_interfaces[] = {
    &characteristic_interface, NULL};
static const struct bus_interface *const descriptor_interfaces[] = {&descriptor_interface,
                                                                    NULL};

/* ---- objects ---- */

static struct bus_server *server_of(const struct device *device)
{
    return &device->adapter->bluez->server;
}

static void attribute_init(struct attribute *attribute, struct device *device,
                           const struct bus_interface *const *interfaces, uint16_t handle,
                           const uint8_t uuid[16])
{
    attribute->device = device;
    attribute->interface = interfaces[0];
    attribute->object.interfaces = interfaces;
    attribute->object.context = attribute;
    attribute->handle = handle;
    memcpy(attribute->uuid, uuid, 16);
}

static void add_characteristic(struct service *service,
                               const struct sim_gatt_characteristic *source)
{
    struct characteristic *characteristic = bluez_alloc(sizeof(*characteristic));
    attribute_init(&characteristic->base, service->device, characteristic_interfaces,
                   source->value_handle, source->uuid);
    characteristic->base.is_characteristic = true;
    characteristic->base.properties = source->properties;
    characteristic->service = service;
    characteristic->declaration_handle = source->declaration_handle;
    characteristic->cccd_handle = source->cccd_handle;
    characteristic->write_socket.socket = -1;
    characteristic->notify_socket.socket = -1;
    bus_object_path(&characteristic->base.object, "%s/char%04x", service->object.path,
                    source->declaration_handle);
    struct characteristic **place = &service->characteristics;
    while (*place != NULL) {
        place = &(*place)->next;
    }
    *place = characteristic;
}

static void add_descriptor(struct service *service, uint16_t declaration_handle,
                           const struct sim_gatt_descriptor *source)
{
    struct characteristic *characteristic = service->characteristics;
    while (characteristic != NULL &&
           characteristic->declaration_handle != declaration_handle) {
        characteristic = characteristic->next;
    }
    if (characteristic == NULL) {
        return;
    }
    struct descriptor *descriptor = bluez_alloc(sizeof(*descriptor));
    attribute_init(&descriptor->base, service->device, descriptor_interfaces,
                   source->handle, source->uuid);
    descriptor->characteristic = characteristic;
    bus_object_path(&descriptor->base.object, "%s/desc%04x",
                    characteristic->base.object.path, source->handle);
    struct descriptor **place = &service->descriptors;
    while (*place != NULL) {
        place = &(*place)->next;
    }
    *place = descriptor;
}

/* What the central found at index `index`, as objects that nobody sees yet. */
static struct service *service_new(struct device *device,
                                   const struct sim_gatt_service *source, size_t index)
{
    const struct sim_gatt_characteristic *characteristics = NULL;
    const struct sim_gatt_descriptor *descriptors = NULL;
    size_t count = sim_peer_characteristics(device->peer, &characteristics);
    struct service *service = bluez_alloc(sizeof(*service));
    service->device = device;
    service->start_handle = source->start_handle;
    service->end_handle = source->end_handle;
    memcpy(service->uuid, source->uuid, 16);
    uint8_t gap[16];
    uuid_from_16(0x1800, gap);
    service->hidden = memcmp(service->uuid, gap, 16) == 0;
    service->object.interfaces = service_interfaces;
    service->object.context = service;
    bus_object_path(&service->object, "%s/service%04x", device->object.path,
                    source->start_handle);
    for (size_t i = 0; i < count; i++) {
        if (characteristics[i].service == index) {
            add_characteristic(service, &characteristics[i]);
        }
    }
    size_t descriptor_count = sim_peer_descriptors(device->peer, &descriptors);
    for (size_t i = 0; i < descriptor_count; i++) {
        const struct sim_gatt_characteristic *owner =
            &characteristics[descriptors[i].characteristic];
        if (owner->service == index) {
            add_descriptor(service, owner->declaration_handle, &descriptors[i]);
        }
    }
    return service;
}

static void service_show(struct service *service)
{
    struct bus_server *server = server_of(service->device);
    if (service->hidden) {
        return;
    }
    bus_object_show(server, &service->object);
    for (struct characteristic *characteristic = service->characteristics;
         characteristic != NULL; characteristic = characteristic->next) {
        bus_object_show(server, &characteristic->base.object);
        for (struct descriptor *descriptor = service->descriptors; descriptor != NULL;
             descriptor = descriptor->next) {
            if (descriptor->characteristic == characteristic) {
                bus_object_show(server, &descriptor->base.object);
            }
        }
    }
}

static void service_free(struct service *service)
{
    struct bus_server *server = server_of(service->device);
    while (service->descriptors != NULL) {
        struct descriptor *descriptor = service->descriptors;
        service->descriptors = descriptor->next;
        bus_object_hide(server, &descriptor->base.object);
        value_attribute_gone(&descriptor->base);
        free(descriptor);
    }
    while (service->characteristics != NULL) {
        struct characteristic *characteristic = service->characteristics;
        service->characteristics = characteristic->next;
        notify_gone(characteristic);
        bus_object_hide(server, &characteristic->base.object);
        value_attribute_gone(&characteristic->base);
        free(characteristic);
    }
    bus_object_hide(server, &service->object);
    free(service);
}

/* ---- a fresh table against the objects that are there ---- */

static bool same_attribute(const struct attribute *a, const struct attribute *b)
{
    return a->handle == b->handle && a->properties == b->properties &&
           memcmp(a->uuid, b->uuid, 16) == 0;
}

static bool same_service(const struct service *a, const struct service *b)
{
    if (a->start_handle != b->start_handle || a->end_handle != b->end_handle ||
        memcmp(a->uuid, b->uuid, 16) != 0) {
        return false;
    }
    const struct characteristic *c = a->characteristics, *d = b->characteristics;
    while (c != NULL && d != NULL && same_attribute(&c->base, &d->base) &&
           c->declaration_handle == d->declaration_handle) {
        c = c->next;
        d = d->next;
    }
    const struct descriptor *e = a->descriptors, *f = b->descriptors;
    while (e != NULL && f != NULL && same_attribute(&e->base, &f->base)) {
        e = e->next;
        f = f->next;
    }
    return c == NULL && d == NULL && e == NULL && f == NULL;
}

static void resume(struct service *service)
{
    for (struct characteristic *characteristic = service->characteristics;
         characteristic != NULL; characteristic = characteristic->next) {
        bus_object_changed(server_of(service->device), &characteristic->base.object,
                           &characteristic_interface, "MTU");
        notify_resume(characteristic);
    }
}

void gatt_update(struct device *device)
{
    const struct sim_gatt_service *sources = NULL;
    size_t count = sim_peer_services(device->peer, &sources);
    struct service *fresh = NULL;
    struct service **end = &fresh;
    for (struct service *old = device->services; old != NULL; old = old->next) {
        old->kept = false;
    }
    for (size_t i = 0; i < count; i++) {
        struct service *service = service_new(device, &sources[i], i);
        struct service *old = device->services;
        while (old != NULL && !(same_service(old, service) && !old->kept)) {
            old = old->next;
        }
        if (old != NULL) {
            old->kept = true;
            service_free(service);
        } else {
            *end = service;
            end = &service->next;
        }
    }
    struct service **place = &device->services;
    while (*place != NULL) {
        struct service *old = *place;
        if (old->kept) {
            resume(old);
            place = &old->next;
        } else {
            *place = old->next;
            service_free(old);
        }
    }
    *place = fresh;
    for (struct service *service = fresh; service != NULL; service = service->next) {
        service_show(service);
    }
}

void gatt_remove(struct device *device)
{
    while (device->services != NULL) {
        struct service *service = device->services;
        device->services = service->next;
        service_free(service);
    }
}

struct characteristic *gatt_characteristic(struct device *device, uint16_t value_handle)
{
    for (struct service *service = device->services; service != NULL;
         service = service->next) {
        for (struct characteristic *characteristic = service->characteristics;
             characteristic != NULL; characteristic = characteristic->next) {
            if (characteristic->base.handle == value_handle) {
                return characteristic;
            }
        }
    }
    return NULL;
}

void gatt_client_left(struct device *device, const char *sender)
{
    for (struct service *service = device->services; service != NULL;
         service = service->next) {
        for (struct characteristic *characteristic = service->characteristics;
             characteristic != NULL; characteristic = characteristic->next) {
            notify_client_left(characteristic, sender);
        }
    }
}
