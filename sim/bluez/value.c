/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * ReadValue and WriteValue, and the write commands that wait for the link. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/bluez/internal.h"
#include "sim/central/att.h"

#define PROPERTY_WRITE_COMMAND 0x04u
#define PROPERTY_WRITE         0x08u
#define WRITE_HEADER           3u

static sim_central_t *central_of(const struct device *device)
{
    return device->adapter->central;
}

void value_reply_att_error(sd_bus_message *call, uint8_t att_error)
{
    char text[64];
    switch (att_error) {
    case 0x02:
        bus_reply_error(call, BLUEZ_NOT_PERMITTED, "Read not permitted");
        break;
    case 0x03:
        bus_reply_error(call, BLUEZ_NOT_PERMITTED, "Write not permitted");
        break;
    case 0x05:
    case 0x0C:
    case 0x0F:
        bus_reply_error(call, BLUEZ_NOT_PERMITTED, "Not paired");
        break;
    case 0x06:
        bus_reply_error(call, BLUEZ_NOT_SUPPORTED, "Operation is not supported");
        break;
    case 0x07:
        bus_reply_error(call, BLUEZ_INVALID_ARGUMENTS, "Invalid offset");
        break;
    case 0x08:
        bus_reply_error(call, BLUEZ_NOT_AUTHORIZED, "Operation Not Authorized");
        break;
    case 0x0D:
        bus_reply_error(call, BLUEZ_INVALID_ARGUMENTS, "Invalid Length");
        break;
    case SIM_CENTRAL_ATT_ERROR_ABANDONED:
        bus_reply_error(call, BLUEZ_FAILED, "Operation failed");
        break;
    default:
        snprintf(text, sizeof(text), "Operation failed with ATT error: 0x%02x",
                 att_error);
        bus_reply_error(call, BLUEZ_FAILED, text);
        break;
    }
}

struct operation *operation_new(enum operation_kind kind, struct attribute *attribute,
                                sd_bus_message *call)
{
    struct operation *operation = bluez_alloc(sizeof(*operation));
    operation->kind = kind;
    operation->attribute = attribute;
    operation->call = sd_bus_message_ref(call);
    return operation;
}

static void operation_free(struct operation *operation)
{
    sd_bus_message_unref(operation->call);
    free(operation);
}

static uint64_t token_of(const struct operation *operation)
{
    return (uint64_t)(uintptr_t)operation;
}

/* ---- options ---- */

struct options {
    bool valid;
    uint16_t offset;
    char type[16];
};

static struct options read_options(sd_bus_message *call)
{
    struct options options = {.valid = false};
    const char *key = NULL, *text = NULL;
    if (sd_bus_message_enter_container(call, 'a', "{sv}") < 0) {
        return options;
    }
    while (sd_bus_message_enter_container(call, 'e', "sv") > 0) {
        int result = sd_bus_message_read(call, "s", &key);
        if (result > 0 && strcmp(key, "offset") == 0) {
            result = sd_bus_message_read(call, "v", "q", &options.offset);
        } else if (result > 0 && strcmp(key, "type") == 0) {
            result = sd_bus_message_read(call, "v", "s", &text);
            if (result > 0) {
                snprintf(options.type, sizeof(options.type), "%s", text);
            }
        } else if (result > 0) {
            result = sd_bus_message_skip(call, "v");
        }
        if (result < 0 || sd_bus_message_exit_container(call) < 0) {
            return options;
        }
    }
    options.valid = true;
    return options;
}

static bool not_connected(sd_bus_message *call, const struct attribute *attribute)
{
    bool usable = attribute->device->connected && attribute->device->resolved;
    if (!usable) {
        bus_reply_error(call, BLUEZ_FAILED, "Not connected");
    }
    return !usable;
}

/* ---- reading ---- */

void value_read(sd_bus_message *call, void *context)
{
    struct attribute *attribute = context;
    struct options options = read_options(call);
    if (!options.valid) {
        bus_reply_error(call, BLUEZ_INVALID_ARGUMENTS,
                        "Invalid arguments in method call");
    } else if (not_connected(call, attribute)) {
        return;
    } else if (attribute->read != NULL) {
        bus_reply_error(call, BLUEZ_IN_PROGRESS, "In Progress");
    } else {
        struct operation *operation = operation_new(OPERATION_READ, attribute, call);
        if (sim_central_read_from(central_of(attribute->device), attribute->device->peer,
                                  attribute->handle, options.offset,
                                  token_of(operation))) {
            attribute->read = operation;
        } else {
            bus_reply_error(call, BLUEZ_FAILED, "Failed to initiate read");
            operation_free(operation);
        }
    }
}

static void read_done(struct operation *operation, uint8_t att_error,
                      const uint8_t *bytes, size_t size)
{
    struct attribute *attribute = operation->attribute;
    if (att_error != 0) {
        value_reply_att_error(operation->call, att_error);
        return;
    }
    sd_bus_message *reply = NULL;
    bus_must(sd_bus_message_new_method_return(operation->call, &reply), "new reply");
    bus_must(sd_bus_message_append_array(reply, 'y', bytes, size), "append value");
    bus_must(sd_bus_send(NULL, reply, NULL), "send");
    sd_bus_message_unref(reply);
    if (attribute != NULL) {
        memcpy(attribute->value, bytes, size);
        attribute->value_size = size;
        bus_object_changed(&attribute->device->adapter->bluez->server, &attribute->object,
                           attribute->interface, "Value");
    }
}

/* ---- writing ---- */

static void write_request(sd_bus_message *call, struct attribute *attribute,
                          const struct options *options, const uint8_t *bytes,
                          size_t size)
{
    struct operation *operation = operation_new(OPERATION_WRITE, attribute, call);
    struct device *device = attribute->device;
    bool prepared = options->offset > 0 || strcasecmp(options->type, "reliable") == 0;
    bool queued =
        prepared
            ? sim_central_write_at(central_of(device), device->peer, attribute->handle,
                                   options->offset, bytes, size, token_of(operation))
            : sim_central_write(central_of(device), device->peer, attribute->handle,
                                bytes, size, true, token_of(operation));
    if (queued) {
        attribute->write = operation;
    } else {
        bus_reply_error(call, BLUEZ_FAILED, "Failed to initiate write");
        operation_free(operation);
    }
}

static void write_command(sd_bus_message *call, struct attribute *attribute,
                          const uint8_t *bytes, size_t size)
{
    struct device *device = attribute->device;
    if (size > sim_peer_mtu(device->peer) - WRITE_HEADER) {
        bus_reply_error(call, BLUEZ_FAILED, "Failed to initiate write");
    } else {
        outgoing_write(device, attribute->handle, bytes, size);
        bus_reply_empty(call); /* queued is all it says */
    }
}

static bool is_cccd(const struct attribute *attribute)
{
    uint8_t cccd[16];
    uuid_from_16(0x2902, cccd);
    return !attribute->is_characteristic && memcmp(attribute->uuid, cccd, 16) == 0;
}

/* Is somebody else writing already? */
static bool write_locked(sd_bus_message *call, const struct attribute *attribute)
{
    if (attribute->is_characteristic &&
        ((const struct characteristic *)attribute)->write_socket.socket >= 0) {
        bus_reply_error(call, BLUEZ_NOT_PERMITTED, "Write acquired");
        return true;
    }
    if (attribute->write != NULL) {
        bus_reply_error(call, BLUEZ_IN_PROGRESS, "In Progress");
        return true;
    }
    return false;
}

/* By the option "type" alone: bluetoothd looks at a characteristic's properties only
 * where there is none. */
static void write_as_asked(sd_bus_message *call, struct attribute *attribute,
                           const struct options *options, const uint8_t *bytes,
                           size_t size)
{
    const char *type = options->type;
    uint8_t properties =
        attribute->is_characteristic ? attribute->properties : PROPERTY_WRITE;
    bool request = type[0] != '\0' ? strcasecmp(type, "request") == 0 ||
                                         strcasecmp(type, "reliable") == 0
                                   : (properties & PROPERTY_WRITE) != 0;
    bool command = type[0] != '\0' ? strcasecmp(type, "command") == 0
                                   : (properties & PROPERTY_WRITE_COMMAND) != 0;
    if (request) {
        write_request(call, attribute, options, bytes, size);
    } else if (command && options->offset == 0) {
        write_command(call, attribute, bytes, size);
    } else {
        bus_reply_error(call, BLUEZ_NOT_SUPPORTED, "Operation is not supported");
    }
}

void value_write(sd_bus_message *call, void *context)
{
    struct attribute *attribute = context;
    const void *bytes = NULL;
    size_t size = 0;
    bus_must(sd_bus_message_read_array(call, 'y', &bytes, &size), "read value");
    struct options options = read_options(call);
    if (not_connected(call, attribute) || write_locked(call, attribute)) {
        return;
    }
    if (!options.valid) {
        bus_reply_error(call, BLUEZ_INVALID_ARGUMENTS,
                        "Invalid arguments in method call");
    } else if (is_cccd(attribute)) {
        bus_reply_error(call, BLUEZ_NOT_PERMITTED, "Write not permitted");
    } else if (size > VALUE_MAX || options.offset > VALUE_MAX - size) {
        bus_reply_error(call, BLUEZ_INVALID_ARGUMENTS, "Invalid Length");
    } else {
        write_as_asked(call, attribute, &options, bytes, size);
    }
}

void value_done(struct adapter *adapter, uint64_t token, uint8_t att_error,
                const uint8_t *bytes, size_t size)
{
    (void)adapter;
    struct operation *operation = (struct operation *)(uintptr_t)token;
    struct attribute *attribute = operation->attribute;
    switch (operation->kind) {
    case OPERATION_READ:
        if (attribute != NULL) {
            attribute->read = NULL;
        }
        if (operation->call != NULL) {
            read_done(operation, att_error, bytes, size);
        }
        break;
    case OPERATION_WRITE:
        if (attribute != NULL) {
            attribute->write = NULL;
        }
        if (operation->call != NULL && att_error == 0) {
            bus_reply_empty(operation->call);
        } else if (operation->call != NULL) {
            value_reply_att_error(operation->call, att_error);
        }
        break;
    case OPERATION_SUBSCRIBE:
        if (attribute != NULL) {
            struct characteristic *characteristic = (struct characteristic *)attribute;
            characteristic->subscribe = NULL;
            notify_subscribed(characteristic, att_error);
        }
        break;
    }
    operation_free(operation);
}

static void abandon(struct operation *operation)
{
    if (operation == NULL) {
        return;
    }
    operation->attribute = NULL;
    if (operation->call != NULL) {
        value_reply_att_error(operation->call, SIM_CENTRAL_ATT_ERROR_ABANDONED);
        operation->call = sd_bus_message_unref(operation->call);
    }
}

void value_attribute_gone(struct attribute *attribute)
{
    abandon(attribute->read);
    abandon(attribute->write);
    if (attribute->is_characteristic) {
        abandon(((struct characteristic *)attribute)->subscribe);
    }
}

/* ---- write commands ---- */

void outgoing_write(struct device *device, uint16_t handle, const uint8_t *bytes,
                    size_t size)
{
    if (device->outgoing_first == NULL &&
        sim_central_write(central_of(device), device->peer, handle, bytes, size, false,
                          0)) {
        return;
    }
    struct outgoing *outgoing = bluez_alloc(sizeof(*outgoing) + size);
    outgoing->handle = handle;
    outgoing->size = (uint16_t)size;
    memcpy(outgoing->bytes, bytes, size);
    if (device->outgoing_last != NULL) {
        device->outgoing_last->next = outgoing;
    } else {
        device->outgoing_first = outgoing;
    }
    device->outgoing_last = outgoing;
}

void outgoing_pump(struct device *device)
{
    while (device->outgoing_first != NULL) {
        struct outgoing *outgoing = device->outgoing_first;
        if (!sim_central_write(central_of(device), device->peer, outgoing->handle,
                               outgoing->bytes, outgoing->size, false, 0)) {
            break;
        }
        device->outgoing_first = outgoing->next;
        if (outgoing->next == NULL) {
            device->outgoing_last = NULL;
        }
        free(outgoing);
    }
}

void outgoing_drop(struct device *device)
{
    while (device->outgoing_first != NULL) {
        struct outgoing *outgoing = device->outgoing_first;
        device->outgoing_first = outgoing->next;
        free(outgoing);
    }
    device->outgoing_last = NULL;
}
