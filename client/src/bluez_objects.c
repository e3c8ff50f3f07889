/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The transport's picture of BlueZ's objects: adapters and devices, nothing else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/src/bluez_private.h"
#include "client/src/text.h"
#include "updraft/protocol1.h"

static bool is_service(const char *uuid)
{
    return strcasecmp(uuid, UPDRAFT_P1_SERVICE_UUID) == 0 ||
           strcasecmp(uuid, UPDRAFT_P1_SERVICE_UUID_DOCUMENTED) == 0;
}

struct bluez_device *objects_device(struct bluez *bluez, const char *path)
{
    for (size_t i = 0; i < bluez->objects.device_count; i++) {
        if (strcmp(bluez->objects.devices[i].path, path) == 0) {
            return &bluez->objects.devices[i];
        }
    }
    return NULL;
}

static struct bluez_device *add_device(struct bluez *bluez, const char *path)
{
    struct bluez_objects *objects = &bluez->objects;
    struct bluez_device *device = objects_device(bluez, path);
    if (device != NULL || objects->device_count >= DEVICES_MAX ||
        strlen(path) >= PATH_SIZE) {
        return device;
    }
    if (objects->device_count == objects->device_capacity) {
        size_t capacity =
            objects->device_capacity != 0 ? objects->device_capacity * 2 : 16;
        device = reallocarray(objects->devices, capacity, sizeof(*device));
        if (device == NULL) {
            return NULL;
        }
        objects->devices = device;
        objects->device_capacity = capacity;
    }
    device = &objects->devices[objects->device_count++];
    memset(device, 0, sizeof(*device));
    strcpy(device->path, path);
    return device;
}

static struct bluez_adapter *find_adapter(struct bluez *bluez, const char *path, bool add)
{
    struct bluez_objects *objects = &bluez->objects;
    for (size_t i = 0; i < objects->adapter_count; i++) {
        if (strcmp(objects->adapters[i].path, path) == 0) {
            return &objects->adapters[i];
        }
    }
    if (!add || objects->adapter_count >= ADAPTERS_MAX || strlen(path) >= PATH_SIZE) {
        return NULL;
    }
    /* In order of their paths, so that "the first one" does not depend on the order in
     * which the daemon names them. */
    size_t place = objects->adapter_count;
    while (place > 0 && strcmp(objects->adapters[place - 1].path, path) > 0) {
        objects->adapters[place] = objects->adapters[place - 1];
        place--;
    }
    objects->adapter_count++;
    memset(&objects->adapters[place], 0, sizeof(objects->adapters[place]));
    strcpy(objects->adapters[place].path, path);
    return &objects->adapters[place];
}

void objects_clear(struct bluez *bluez)
{
    free(bluez->objects.devices);
    memset(&bluez->objects, 0, sizeof(bluez->objects));
}

/* Reads a variant that should be a string. Returns NULL in ret_text where it is not. */
static int read_string(sd_bus_message *message, const char **ret_text)
{
    const char *contents = NULL;
    char type = 0;
    *ret_text = NULL;
    int r = sd_bus_message_peek_type(message, &type, &contents);
    if (r < 0) {
        return r;
    }
    if (type != 'v' || strcmp(contents, "s") != 0) {
        return sd_bus_message_skip(message, "v");
    }
    return sd_bus_message_read(message, "v", "s", ret_text);
}

static int read_bool(sd_bus_message *message, bool *ret_value)
{
    const char *contents = NULL;
    char type = 0;
    int value = 0;
    int r = sd_bus_message_peek_type(message, &type, &contents);
    if (r < 0) {
        return r;
    }
    if (type != 'v' || strcmp(contents, "b") != 0) {
        return sd_bus_message_skip(message, "v");
    }
    r = sd_bus_message_read(message, "v", "b", &value);
    *ret_value = value != 0;
    return r;
}

static int read_uuids(sd_bus_message *message, struct bluez_device *device)
{
    const char *uuid = NULL;
    const char *contents = NULL;
    char type = 0;
    int r = sd_bus_message_peek_type(message, &type, &contents);
    if (r < 0) {
        return r;
    }
    if (type != 'v' || strcmp(contents, "as") != 0) {
        return sd_bus_message_skip(message, "v");
    }
    r = sd_bus_message_enter_container(message, 'v', "as");
    if (r < 0) {
        return r;
    }
    r = sd_bus_message_enter_container(message, 'a', "s");
    if (r < 0) {
        return r;
    }
    device->has_service = false;
    while ((r = sd_bus_message_read(message, "s", &uuid)) > 0) {
        device->has_service = device->has_service || is_service(uuid);
    }
    if (r < 0) {
        return r;
    }
    r = sd_bus_message_exit_container(message);
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_rssi(sd_bus_message *message, struct bluez_device *device)
{
    const char *contents = NULL;
    char type = 0;
    int16_t rssi_dbm = 0;
    int r = sd_bus_message_peek_type(message, &type, &contents);
    if (r < 0) {
        return r;
    }
    if (type != 'v' || strcmp(contents, "n") != 0) {
        return sd_bus_message_skip(message, "v");
    }
    r = sd_bus_message_read(message, "v", "n", &rssi_dbm);
    device->rssi_dbm = rssi_dbm;
    device->heard = true;
    return r;
}

static int device_property(struct bluez_device *device, const char *name,
                           sd_bus_message *message)
{
    const char *text = NULL;
    int r;
    if (strcmp(name, "Address") == 0) {
        r = read_string(message, &text);
        if (text != NULL) {
            bool is_random = device->address.is_random;
            (void)updraft_address_parse(text, &device->address);
            device->address.is_random = is_random;
        }
    } else if (strcmp(name, "AddressType") == 0) {
        r = read_string(message, &text);
        device->address.is_random = text != NULL && strcmp(text, "random") == 0;
    } else if (strcmp(name, "Name") == 0) {
        r = read_string(message, &text);
        if (text != NULL) {
            updraft_text_copy(device->name, sizeof(device->name), (const uint8_t *)text,
                              strlen(text));
        }
    } else if (strcmp(name, "RSSI") == 0) {
        r = read_rssi(message, device);
    } else if (strcmp(name, "UUIDs") == 0) {
        r = read_uuids(message, device);
    } else if (strcmp(name, "Connected") == 0) {
        r = read_bool(message, &device->connected);
    } else if (strcmp(name, "ServicesResolved") == 0) {
        r = read_bool(message, &device->resolved);
    } else {
        r = sd_bus_message_skip(message, "v");
    }
    return r;
}

/* Reads a{sv} into what is known of a device or an adapter; skips it where neither is
 * given. */
static int read_properties(sd_bus_message *message, struct bluez_device *device,
                           struct bluez_adapter *adapter)
{
    const char *name = NULL;
    int r = sd_bus_message_enter_container(message, 'a', "{sv}");
    if (r < 0) {
        return r;
    }
    while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        r = sd_bus_message_read(message, "s", &name);
        if (r < 0) {
            return r;
        }
        if (device != NULL) {
            r = device_property(device, name, message);
        } else if (adapter != NULL && strcmp(name, "Powered") == 0) {
            r = read_bool(message, &adapter->powered);
        } else {
            r = sd_bus_message_skip(message, "v");
        }
        if (r < 0) {
            return r;
        }
        r = sd_bus_message_exit_container(message);
        if (r < 0) {
            return r;
        }
    }
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* What follows from a device's or an adapter's new state. Devices move in memory when one
 * is added: `path` finds it again. */
static void changed(struct bluez *bluez, const char *path, bool is_adapter)
{
    struct bluez_device *device = is_adapter ? NULL : objects_device(bluez, path);
    if (bluez->daemon != BLUEZ_READY) {
        return;
    }
    if (is_adapter) {
        scan_adapters_changed(bluez);
    }
    if (device != NULL) {
        scan_device_changed(bluez, device);
    }
    device = is_adapter ? NULL : objects_device(bluez, path);
    if (device != NULL) {
        link_device_changed(bluez, device);
    }
}

/* Reads a{sa{sv}}: the interfaces of an object. */
static int read_interfaces(struct bluez *bluez, const char *path, sd_bus_message *message)
{
    const char *interface = NULL;
    bool is_adapter = false;
    int r = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");
    if (r < 0) {
        return r;
    }
    while ((r = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
        r = sd_bus_message_read(message, "s", &interface);
        if (r < 0) {
            return r;
        }
        struct bluez_device *device = NULL;
        struct bluez_adapter *adapter = NULL;
        if (strcmp(interface, BLUEZ_DEVICE) == 0) {
            device = add_device(bluez, path);
        } else if (strcmp(interface, BLUEZ_ADAPTER) == 0) {
            adapter = find_adapter(bluez, path, /* add= */ true);
            is_adapter = true;
        }
        r = read_properties(message, device, adapter);
        if (r < 0) {
            return r;
        }
        r = sd_bus_message_exit_container(message);
        if (r < 0) {
            return r;
        }
    }
    if (r < 0) {
        return r;
    }
    r = sd_bus_message_exit_container(message);
    changed(bluez, path, is_adapter);
    return r;
}

int objects_read_all(struct bluez *bluez, sd_bus_message *message)
{
    const char *path = NULL;
    objects_clear(bluez);
    int r = sd_bus_message_enter_container(message, 'a', "{oa{sa{sv}}}");
    if (r < 0) {
        return r;
    }
    while ((r = sd_bus_message_enter_container(message, 'e', "oa{sa{sv}}")) > 0) {
        r = sd_bus_message_read(message, "o", &path);
        if (r < 0) {
            return r;
        }
        r = read_interfaces(bluez, path, message);
        if (r < 0) {
            return r;
        }
        r = sd_bus_message_exit_container(message);
        if (r < 0) {
            return r;
        }
    }
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

int objects_added(struct bluez *bluez, sd_bus_message *message)
{
    const char *path = NULL;
    int r = sd_bus_message_read(message, "o", &path);
    return r < 0 ? r : read_interfaces(bluez, path, message);
}

static void remove_object(struct bluez *bluez, const char *path, const char *interface)
{
    struct bluez_objects *objects = &bluez->objects;
    struct bluez_device *device = objects_device(bluez, path);
    struct bluez_adapter *adapter = find_adapter(bluez, path, /* add= */ false);
    if (strcmp(interface, BLUEZ_DEVICE) == 0 && device != NULL) {
        *device = objects->devices[--objects->device_count];
        link_device_removed(bluez, path);
    } else if (strcmp(interface, BLUEZ_ADAPTER) == 0 && adapter != NULL) {
        size_t place = (size_t)(adapter - objects->adapters);
        objects->adapter_count--;
        memmove(adapter, adapter + 1,
                (objects->adapter_count - place) * sizeof(*adapter));
        scan_adapters_changed(bluez);
    }
}

int objects_removed(struct bluez *bluez, sd_bus_message *message)
{
    const char *path = NULL;
    const char *interface = NULL;
    int r = sd_bus_message_read(message, "o", &path);
    if (r < 0) {
        return r;
    }
    r = sd_bus_message_enter_container(message, 'a', "s");
    if (r < 0) {
        return r;
    }
    while ((r = sd_bus_message_read(message, "s", &interface)) > 0) {
        remove_object(bluez, path, interface);
    }
    return r;
}

int objects_changed(struct bluez *bluez, sd_bus_message *message)
{
    const char *path = sd_bus_message_get_path(message);
    const char *interface = NULL;
    const char *name = NULL;
    int r = sd_bus_message_read(message, "s", &interface);
    if (r < 0 || path == NULL) {
        return r;
    }
    if (strcmp(interface, BLUEZ_CHARACTERISTIC) == 0) {
        return gatt_changed(bluez, path, message);
    }
    bool is_adapter = strcmp(interface, BLUEZ_ADAPTER) == 0;
    struct bluez_adapter *adapter = is_adapter ? find_adapter(bluez, path, false) : NULL;
    struct bluez_device *device =
        strcmp(interface, BLUEZ_DEVICE) == 0 ? objects_device(bluez, path) : NULL;
    if (adapter == NULL && device == NULL) {
        return 0;
    }
    r = read_properties(message, device, adapter);
    if (r < 0) {
        return r;
    }
    r = sd_bus_message_enter_container(message, 'a', "s");
    while (r > 0 && (r = sd_bus_message_read(message, "s", &name)) > 0) {
        if (device != NULL && strcmp(name, "RSSI") == 0) {
            device->heard = false;
            device->rssi_dbm = 0;
        }
    }
    changed(bluez, path, is_adapter);
    return r;
}
