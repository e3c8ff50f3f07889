/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Characteristics: where they are, and read, write and subscribe on them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/src/bluez_private.h"
#include "updraft/error.h"
#include "updraft/protocol1.h"
#include "updraft/protocol2.h"

#define BASE_UUID(short) "0000" short "-0000-1000-8000-00805f9b34fb"

static const char *const uuids[UPDRAFT_CHARACTERISTIC_COUNT] = {
    [UPDRAFT_CONTROL] = UPDRAFT_P1_CONTROL_UUID,
    [UPDRAFT_DATA] = UPDRAFT_P1_DATA_UUID,
    [UPDRAFT_INFO] = UPDRAFT_P2_INFO_UUID,
    [UPDRAFT_FIRMWARE_REVISION] = BASE_UUID("2a26"),
    [UPDRAFT_MODEL] = BASE_UUID("2a24"),
    [UPDRAFT_MANUFACTURER] = BASE_UUID("2a29"),
};

static const struct {
    const char *flag;
    uint8_t property;
} flags[] = {
    {"read", UPDRAFT_PROPERTY_READ},
    {"write-without-response", UPDRAFT_PROPERTY_WRITE_NO_RESPONSE},
    {"write", UPDRAFT_PROPERTY_WRITE},
    {"notify", UPDRAFT_PROPERTY_NOTIFY},
    {"indicate", UPDRAFT_PROPERTY_INDICATE},
};

void gatt_reset(struct bluez *bluez)
{
    bluez->operation_call = sd_bus_slot_unref(bluez->operation_call);
    bluez->subscribed = false;
    socket_reset(bluez);
    memset(bluez->characteristics, 0, sizeof(bluez->characteristics));
}

void gatt_unsubscribe(struct bluez *bluez)
{
    if (bluez->subscribed && !bluez->link_ours) {
        (void)sd_bus_call_method_async(
            bluez->bus, NULL, BLUEZ_NAME, bluez->characteristics[UPDRAFT_CONTROL].path,
            BLUEZ_CHARACTERISTIC, "StopNotify", NULL, NULL, "");
    }
}

/* What one object says of itself. */
struct description {
    int which; /* enum updraft_characteristic, or -1 */
    uint8_t properties;
    uint16_t mtu;
    int notifying;
};

static int read_flags(sd_bus_message *message, struct description *description)
{
    const char *flag = NULL;
    int r = sd_bus_message_enter_container(message, 'v', "as");
    if (r < 0) {
        return r;
    }
    r = sd_bus_message_enter_container(message, 'a', "s");
    if (r < 0) {
        return r;
    }
    while ((r = sd_bus_message_read(message, "s", &flag)) > 0) {
        for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
            if (strcmp(flag, flags[i].flag) == 0) {
                description->properties |= flags[i].property;
            }
        }
    }
    if (r < 0) {
        return r;
    }
    r = sd_bus_message_exit_container(message);
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_property(sd_bus_message *message, struct description *description)
{
    const char *name = NULL;
    const char *uuid = NULL;
    int r = sd_bus_message_read(message, "s", &name);
    if (r < 0) {
        return r;
    }
    if (strcmp(name, "Flags") == 0) {
        return read_flags(message, description);
    }
    if (strcmp(name, "MTU") == 0) {
        return sd_bus_message_read(message, "v", "q", &description->mtu);
    }
    if (strcmp(name, "Notifying") == 0) {
        return sd_bus_message_read(message, "v", "b", &description->notifying);
    }
    if (strcmp(name, "UUID") != 0) {
        return sd_bus_message_skip(message, "v");
    }
    r = sd_bus_message_read(message, "v", "s", &uuid);
    for (int i = 0; r >= 0 && i < UPDRAFT_CHARACTERISTIC_COUNT; i++) {
        if (strcasecmp(uuid, uuids[i]) == 0) {
            description->which = i;
        }
    }
    return r;
}

/* Reads a{sa{sv}} of one object. */
static int describe(sd_bus_message *message, struct description *ret_description)
{
    const char *interface = NULL;
    int r = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");
    if (r < 0) {
        return r;
    }
    while ((r = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
        r = sd_bus_message_read(message, "s", &interface);
        if (r < 0) {
            return r;
        }
        if (strcmp(interface, BLUEZ_CHARACTERISTIC) != 0) {
            r = sd_bus_message_skip(message, "a{sv}");
        } else {
            r = sd_bus_message_enter_container(message, 'a', "{sv}");
            while (r >= 0 &&
                   (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = read_property(message, ret_description);
                r = r < 0 ? r : sd_bus_message_exit_container(message);
            }
            r = r < 0 ? r : sd_bus_message_exit_container(message);
        }
        r = r < 0 ? r : sd_bus_message_exit_container(message);
        if (r < 0) {
            return r;
        }
    }
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* Control and Data count only where one service has both, whatever its UUID is; Info with
 * them. */
struct pair {
    char service[PATH_SIZE];
    struct bluez_characteristic control;
    struct bluez_characteristic data;
    struct bluez_characteristic info;
};
#define PAIRS_MAX 4u

struct search {
    struct pair pairs[PAIRS_MAX];
    size_t pair_count;
};

static void note_pair(struct search *search, const char *path,
                      const struct description *description,
                      const struct bluez_characteristic *characteristic)
{
    size_t length = (size_t)(strrchr(path, '/') - path);
    struct pair *pair = NULL;
    for (size_t i = 0; i < search->pair_count; i++) {
        if (strlen(search->pairs[i].service) == length &&
            strncmp(search->pairs[i].service, path, length) == 0) {
            pair = &search->pairs[i];
        }
    }
    if (pair == NULL) {
        if (search->pair_count >= PAIRS_MAX) {
            return;
        }
        pair = &search->pairs[search->pair_count++];
        memcpy(pair->service, path, length);
    }
    if (description->which == UPDRAFT_CONTROL) {
        pair->control = *characteristic;
    } else if (description->which == UPDRAFT_DATA) {
        pair->data = *characteristic;
    } else {
        pair->info = *characteristic;
    }
}

static void note(struct bluez *bluez, struct search *search, const char *path,
                 const struct description *description)
{
    struct bluez_characteristic characteristic = {
        .properties = description->properties,
        .mtu = description->mtu,
        .notifying = description->notifying != 0,
    };
    size_t length = strlen(bluez->device);
    if (description->which < 0 || strlen(path) >= PATH_SIZE ||
        strncmp(path, bluez->device, length) != 0 || path[length] != '/') {
        return;
    }
    strcpy(characteristic.path, path);
    if (description->which == UPDRAFT_CONTROL || description->which == UPDRAFT_DATA ||
        description->which == UPDRAFT_INFO) {
        note_pair(search, path, description, &characteristic);
    } else {
        bluez->characteristics[description->which] = characteristic;
    }
}

int gatt_find(struct bluez *bluez, sd_bus_message *message)
{
    const char *path = NULL;
    struct search search = {0};
    int r = sd_bus_message_enter_container(message, 'a', "{oa{sa{sv}}}");
    if (r < 0) {
        return r;
    }
    memset(bluez->characteristics, 0, sizeof(bluez->characteristics));
    while ((r = sd_bus_message_enter_container(message, 'e', "oa{sa{sv}}")) > 0) {
        struct description description = {.which = -1};
        r = sd_bus_message_read(message, "o", &path);
        r = r < 0 ? r : describe(message, &description);
        if (r < 0) {
            return r;
        }
        note(bluez, &search, path, &description);
        r = sd_bus_message_exit_container(message);
        if (r < 0) {
            return r;
        }
    }
    for (size_t i = 0; i < search.pair_count; i++) {
        const struct pair *pair = &search.pairs[i];
        if (pair->control.path[0] != '\0' && pair->data.path[0] != '\0') {
            bluez->characteristics[UPDRAFT_CONTROL] = pair->control;
            bluez->characteristics[UPDRAFT_DATA] = pair->data;
            bluez->characteristics[UPDRAFT_INFO] = pair->info;
            break;
        }
    }
    return r;
}

/* Ends the operation under way with an event of `kind`. */
static int operation_done(struct bluez *bluez, sd_bus_message *answer,
                          enum updraft_transport_event_kind kind)
{
    struct updraft_transport_event event = {
        .kind = kind,
        .characteristic = bluez->operation,
    };
    const void *bytes = NULL;
    size_t size = 0;
    bluez->operation_call = sd_bus_slot_unref(bluez->operation_call);
    event.status = bluez_answer(bluez, answer, UPDRAFT_ERROR_LINK_LOST, &event.att_error);
    if (event.status == UPDRAFT_OK && kind == UPDRAFT_TRANSPORT_READ) {
        int r = sd_bus_message_read_array(answer, 'y', &bytes, &size);
        event.status = bluez_errno(bluez, r, UPDRAFT_ERROR_LINK_PROTOCOL);
    }
    event.bytes = bytes;
    event.size = size;
    if (kind == UPDRAFT_TRANSPORT_SUBSCRIBED) {
        bluez->subscribed = event.status == UPDRAFT_OK;
    }
    bluez_emit(bluez, &event);
    return 0;
}

static int on_read(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    (void)error;
    return operation_done(userdata, answer, UPDRAFT_TRANSPORT_READ);
}

static int on_written(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    (void)error;
    return operation_done(userdata, answer, UPDRAFT_TRANSPORT_WRITTEN);
}

static int on_subscribed(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    (void)error;
    return operation_done(userdata, answer, UPDRAFT_TRANSPORT_SUBSCRIBED);
}

/* Begins a call on a characteristic. NULL in ret_message with an error. */
static int begin(struct bluez *bluez, enum updraft_characteristic characteristic,
                 const char *member, sd_bus_message **ret_message)
{
    *ret_message = NULL;
    if (bluez->link != BLUEZ_LINK_UP || bluez->operation_call != NULL ||
        bluez->characteristics[characteristic].path[0] == '\0') {
        return UPDRAFT_ERROR_STATE;
    }
    bluez->operation = characteristic;
    int r = sd_bus_message_new_method_call(bluez->bus, ret_message, BLUEZ_NAME,
                                           bluez->characteristics[characteristic].path,
                                           BLUEZ_CHARACTERISTIC, member);
    return bluez_errno(bluez, r, UPDRAFT_ERROR_MEMORY);
}

int gatt_read(void *context, enum updraft_characteristic characteristic)
{
    struct bluez *bluez = context;
    sd_bus_message *message = NULL;
    int status = begin(bluez, characteristic, "ReadValue", &message);
    if (status == UPDRAFT_OK) {
        status = bluez_errno(bluez, sd_bus_message_append(message, "a{sv}", 0),
                             UPDRAFT_ERROR_MEMORY);
    }
    if (status == UPDRAFT_OK) {
        status =
            bluez_call(bluez, &bluez->operation_call, message, on_read, GATT_LIMIT_US);
    }
    sd_bus_message_unref(message);
    return status;
}

int gatt_write(void *context, enum updraft_characteristic characteristic,
               const uint8_t *bytes, size_t size, bool with_response)
{
    struct bluez *bluez = context;
    sd_bus_message *message = NULL;
    if (!with_response) {
        return socket_write(bluez, characteristic, bytes, size);
    }
    if (size > UPDRAFT_VALUE_MAX) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    int status = begin(bluez, characteristic, "WriteValue", &message);
    if (status == UPDRAFT_OK) {
        int r = sd_bus_message_append_array(message, 'y', bytes, size);
        if (r >= 0) {
            r = sd_bus_message_append(message, "a{sv}", 1, "type", "s", "request");
        }
        status = bluez_errno(bluez, r, UPDRAFT_ERROR_MEMORY);
    }
    if (status == UPDRAFT_OK) {
        status =
            bluez_call(bluez, &bluez->operation_call, message, on_written, GATT_LIMIT_US);
    }
    sd_bus_message_unref(message);
    return status;
}

static int start_notify(struct bluez *bluez)
{
    sd_bus_message *message = NULL;
    int status = begin(bluez, bluez->operation, "StartNotify", &message);
    if (status == UPDRAFT_OK) {
        status = bluez_call(bluez, &bluez->operation_call, message, on_subscribed,
                            GATT_LIMIT_US);
    }
    sd_bus_message_unref(message);
    return status;
}

static int on_notify_acquired(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    bool bus_will_do = false;
    (void)error;
    bluez->operation_call = sd_bus_slot_unref(bluez->operation_call);
    int status = socket_take_notify(bluez, answer, &bus_will_do);
    if (bus_will_do) {
        status = start_notify(bluez);
        if (status == UPDRAFT_OK) {
            return 0;
        }
    }
    struct updraft_transport_event event = {
        .kind = UPDRAFT_TRANSPORT_SUBSCRIBED,
        .status = status,
        .characteristic = bluez->operation,
    };
    bluez_emit(bluez, &event);
    return 0;
}

/* By the socket of AcquireNotify where there is one: as the property Value, two
 * notifications in a row may reach us as one. */
int gatt_subscribe(void *context, enum updraft_characteristic characteristic)
{
    struct bluez *bluez = context;
    sd_bus_message *message = NULL;
    /* On a connection that another program made and listens on, this is that program's
     * update: the device could not tell its writes from ours. */
    if (!bluez->link_ours && bluez->characteristics[characteristic].notifying) {
        return UPDRAFT_ERROR_IN_PROGRESS;
    }
    int status = begin(bluez, characteristic, "AcquireNotify", &message);
    if (status == UPDRAFT_OK) {
        status = bluez_errno(bluez, sd_bus_message_append(message, "a{sv}", 0),
                             UPDRAFT_ERROR_MEMORY);
    }
    if (status == UPDRAFT_OK) {
        status = bluez_call(bluez, &bluez->operation_call, message, on_notify_acquired,
                            GATT_LIMIT_US);
    }
    sd_bus_message_unref(message);
    return status;
}

/* A notification is a new Value. Only Control is subscribed, and its answers come while
 * StartNotify's own answer may still be under way. */
int gatt_changed(struct bluez *bluez, const char *path, sd_bus_message *message)
{
    const char *name = NULL;
    struct updraft_transport_event event = {
        .kind = UPDRAFT_TRANSPORT_NOTIFIED,
        .characteristic = UPDRAFT_CONTROL,
    };
    if (bluez->link != BLUEZ_LINK_UP ||
        strcmp(path, bluez->characteristics[UPDRAFT_CONTROL].path) != 0) {
        return 0;
    }
    int r = sd_bus_message_enter_container(message, 'a', "{sv}");
    while (r > 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        const void *bytes = NULL;
        r = sd_bus_message_read(message, "s", &name);
        if (r < 0) {
            return r;
        }
        if (strcmp(name, "Value") != 0) {
            r = sd_bus_message_skip(message, "v");
        } else {
            r = sd_bus_message_enter_container(message, 'v', "ay");
            r = r < 0 ? r : sd_bus_message_read_array(message, 'y', &bytes, &event.size);
            r = r < 0 ? r : sd_bus_message_exit_container(message);
            event.bytes = bytes;
        }
        r = r < 0 ? r : sd_bus_message_exit_container(message);
        if (r < 0) {
            return r;
        }
        r = 1;
    }
    if (r >= 0 && event.bytes != NULL) {
        bluez_emit(bluez, &event);
    }
    return r;
}
