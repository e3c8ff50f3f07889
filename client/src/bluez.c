/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The transport's life on the bus: it joins, follows org.bluez as it comes and goes,
 * leaves.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/src/bluez_private.h"
#include "updraft/error.h"

/* A daemon that is restarted is away for a moment. */
#define RESTART_LIMIT_US (3 * SECOND_US)
#define RELOAD_US        (SECOND_US / 4)

const struct updraft_transport_ops bluez_ops = {
    .scan = scan_set,
    .connect = link_connect,
    .disconnect = link_disconnect,
    .read = gatt_read,
    .write = gatt_write,
    .subscribe = gatt_subscribe,
};

const char *bluez_detail(const struct bluez *bluez)
{
    return bluez->detail;
}

void bluez_clear_detail(struct bluez *bluez)
{
    bluez->detail[0] = '\0';
}

void bluez_emit(struct bluez *bluez, const struct updraft_transport_event *event)
{
    bluez->sink(bluez->context, event);
}

int bluez_call(struct bluez *bluez, sd_bus_slot **slot, sd_bus_message *message,
               sd_bus_message_handler_t done, uint64_t limit_us)
{
    int r = sd_bus_call_async(bluez->bus, slot, message, done, bluez, limit_us);
    return bluez_errno(bluez, r, UPDRAFT_ERROR_NO_BLUETOOTHD);
}

int bluez_call_plain(struct bluez *bluez, sd_bus_slot **slot, const char *path,
                     const char *interface, const char *member,
                     sd_bus_message_handler_t done, uint64_t limit_us)
{
    sd_bus_message *message = NULL;
    int r = sd_bus_message_new_method_call(bluez->bus, &message, BLUEZ_NAME, path,
                                           interface, member);
    if (r < 0) {
        return bluez_errno(bluez, r, UPDRAFT_ERROR_NO_BLUETOOTHD);
    }
    int status = bluez_call(bluez, slot, message, done, limit_us);
    sd_bus_message_unref(message);
    return status;
}

int bluez_timer(struct bluez *bluez, sd_event_source **source, uint64_t delay_us,
                sd_event_time_handler_t fire)
{
    *source = sd_event_source_disable_unref(*source);
    if (delay_us == 0) {
        return UPDRAFT_OK;
    }
    int r = sd_event_add_time_relative(bluez->event, source, CLOCK_MONOTONIC, delay_us,
                                       1000, fire, bluez);
    return bluez_errno(bluez, r, UPDRAFT_ERROR_MEMORY);
}

/* Delivers what an op found out at once: ops themselves never report. */
static int on_post(sd_event_source *source, void *userdata)
{
    struct bluez *bluez = userdata;
    (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
    socket_posted(bluez);
    if (bluez->posted_end) {
        struct updraft_transport_event event = {
            .kind = UPDRAFT_TRANSPORT_DISCONNECTED,
            .status = bluez->posted_end_status,
        };
        bluez->posted_end = false;
        bluez_emit(bluez, &event);
    }
    if (bluez->posted_failure != 0) {
        struct updraft_transport_event event = {
            .kind = UPDRAFT_TRANSPORT_FAILED,
            .status = bluez->posted_failure,
        };
        bluez->posted_failure = 0;
        bluez_emit(bluez, &event);
    }
    return 0;
}

void bluez_fail(struct bluez *bluez, int status)
{
    bool busy = bluez->scan_wanted || bluez->link != BLUEZ_LINK_NONE || bluez->posted_end;
    scan_reset(bluez);
    link_reset(bluez);
    bluez->posted_end = false;
    if (busy) {
        bluez->posted_failure = status;
        (void)sd_event_source_set_enabled(bluez->post, SD_EVENT_ONESHOT);
    }
}

static int on_reload(sd_event_source *source, uint64_t now_us, void *userdata)
{
    struct bluez *bluez = userdata;
    (void)source;
    (void)now_us;
    (void)bluez_timer(bluez, &bluez->load_timer, 0, NULL);
    int status = bluez_load(bluez);
    if (status != UPDRAFT_OK) {
        bluez_fail(bluez, status);
    }
    return 0;
}

/* A daemon that has only just left may be about to come back: it is restarted. */
static bool ask_again(struct bluez *bluez)
{
    uint64_t now_us = 0;
    (void)sd_event_now(bluez->event, CLOCK_MONOTONIC, &now_us);
    return bluez->left_us != 0 && now_us - bluez->left_us < RESTART_LIMIT_US &&
           bluez_timer(bluez, &bluez->load_timer, RELOAD_US, on_reload) == UPDRAFT_OK;
}

static int on_loaded(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    (void)error;
    bluez->load_call = sd_bus_slot_unref(bluez->load_call);
    int status = bluez_answer(bluez, answer, UPDRAFT_ERROR_NO_BLUETOOTHD, NULL);
    if (status == UPDRAFT_ERROR_LINK_TIMEOUT) {
        status = UPDRAFT_ERROR_NO_BLUETOOTHD;
    }
    if (status == UPDRAFT_OK) {
        status = bluez_errno(bluez, objects_read_all(bluez, answer),
                             UPDRAFT_ERROR_NO_BLUETOOTHD);
    }
    if (status == UPDRAFT_ERROR_NO_BLUETOOTHD && ask_again(bluez)) {
        return 0; /* still loading */
    }
    if (status != UPDRAFT_OK) {
        bluez->daemon = BLUEZ_UNKNOWN;
        bluez_fail(bluez, status);
        return 0;
    }
    bluez->daemon = BLUEZ_READY;
    bluez->left_us = 0;
    scan_adapters_changed(bluez);
    scan_advance(bluez);
    return 0;
}

int bluez_load(struct bluez *bluez)
{
    if (bluez->bus_lost) {
        return UPDRAFT_ERROR_NO_BLUETOOTHD;
    }
    (void)bluez_timer(bluez, &bluez->load_timer, 0, NULL);
    bluez->load_call = sd_bus_slot_unref(bluez->load_call);
    int status = bluez_call_plain(bluez, &bluez->load_call, "/",
                                  "org.freedesktop.DBus.ObjectManager",
                                  "GetManagedObjects", on_loaded, CALL_LIMIT_US);
    bluez->daemon = status == UPDRAFT_OK ? BLUEZ_LOADING : BLUEZ_UNKNOWN;
    return status;
}

static int on_added(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    (void)error;
    return bluez->daemon == BLUEZ_READY ? objects_added(bluez, message) : 0;
}

static int on_removed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    (void)error;
    return bluez->daemon == BLUEZ_READY ? objects_removed(bluez, message) : 0;
}

static int on_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    (void)error;
    return bluez->daemon == BLUEZ_READY ? objects_changed(bluez, message) : 0;
}

/* Nothing that it had is valid any more: neither its objects nor their paths, neither our
 * discovery nor our connection. A job that had a connection has lost it; one that looks
 * for devices goes on looking. */
static void daemon_left(struct bluez *bluez)
{
    bool wanted = bluez->scan_wanted;
    snprintf(bluez->detail, sizeof(bluez->detail), "%s left the message bus", BLUEZ_NAME);
    (void)sd_event_now(bluez->event, CLOCK_MONOTONIC, &bluez->left_us);
    bluez->load_call = sd_bus_slot_unref(bluez->load_call);
    bluez->daemon = BLUEZ_UNKNOWN;
    objects_clear(bluez);
    scan_daemon_left(bluez);
    bluez->scan = BLUEZ_SCAN_OFF; /* no StopDiscovery: it would start the daemon */
    scan_reset(bluez);
    bluez->scan_wanted = wanted;
    link_daemon_left(bluez);
    if (bluez->scan_wanted && bluez->daemon == BLUEZ_UNKNOWN) {
        int status = bluez_load(bluez);
        if (status != UPDRAFT_OK) {
            bluez_fail(bluez, status);
        }
    }
}

static int on_owner(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    const char *name = NULL;
    const char *old_owner = NULL;
    const char *new_owner = NULL;
    (void)error;
    int r = sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner);
    if (r < 0) {
        return r;
    }
    if (old_owner[0] != '\0') {
        daemon_left(bluez);
    } else if (new_owner[0] != '\0') {
        /* The call that is under way, if any, has started it. */
        (void)sd_event_now(bluez->event, CLOCK_MONOTONIC, &bluez->appeared_us);
        if (bluez->daemon == BLUEZ_UNKNOWN) {
            (void)bluez_load(bluez);
        }
    }
    return 0;
}

static int on_bus_lost(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    (void)message;
    (void)error;
    bluez->bus_lost = true;
    bluez->daemon = BLUEZ_UNKNOWN;
    bluez->load_call = sd_bus_slot_unref(bluez->load_call);
    objects_clear(bluez);
    if (bluez->detail[0] == '\0') {
        snprintf(bluez->detail, sizeof(bluez->detail), "the message bus closed");
    }
    bluez_fail(bluez, UPDRAFT_ERROR_NO_BLUETOOTHD);
    return 0;
}

static const struct {
    const char *rule;
    sd_bus_message_handler_t handler;
} matches[] = {
    {"type='signal',interface='org.freedesktop.DBus.Local',member='Disconnected'",
     on_bus_lost},
    {"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
     "arg0='org.bluez'",
     on_owner},
    {"type='signal',sender='org.bluez',path='/',"
     "interface='org.freedesktop.DBus.ObjectManager',member='InterfacesAdded'",
     on_added},
    {"type='signal',sender='org.bluez',path='/',"
     "interface='org.freedesktop.DBus.ObjectManager',member='InterfacesRemoved'",
     on_removed},
    {"type='signal',sender='org.bluez',path_namespace='/org/bluez',"
     "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'",
     on_changed},
};

static int join(struct bluez *bluez)
{
    int r = sd_bus_open_system(&bluez->bus);
    if (r < 0) {
        return r;
    }
    r = sd_bus_attach_event(bluez->bus, bluez->event, SD_EVENT_PRIORITY_NORMAL);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        r = sd_bus_add_match_async(bluez->bus, NULL, matches[i].rule, matches[i].handler,
                                   NULL, bluez);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int bluez_new(sd_event *event, const char *adapter, bluez_sink_t sink, void *context,
              struct bluez **ret_bluez)
{
    struct bluez *bluez = calloc(1, sizeof(*bluez));
    if (bluez == NULL) {
        return UPDRAFT_ERROR_MEMORY;
    }
    bluez->event = sd_event_ref(event);
    bluez->sink = sink;
    bluez->context = context;
    if (adapter != NULL) {
        snprintf(bluez->adapter_wanted, sizeof(bluez->adapter_wanted), "/org/bluez/%s",
                 adapter);
    }
    int r = sd_event_add_defer(event, &bluez->post, on_post, bluez);
    if (r >= 0) {
        r = sd_event_source_set_enabled(bluez->post, SD_EVENT_OFF);
    }
    if (r >= 0) {
        r = join(bluez);
    }
    int status = bluez_errno(bluez, r, UPDRAFT_ERROR_NO_BLUETOOTHD);
    if (status == UPDRAFT_OK) {
        status = bluez_load(bluez);
    }
    if (status != UPDRAFT_OK) {
        bluez_free(bluez);
        return status;
    }
    *ret_bluez = bluez;
    return UPDRAFT_OK;
}

void bluez_free(struct bluez *bluez)
{
    if (bluez->bus != NULL && !bluez->bus_lost) {
        /* The daemon ends our discovery when we leave the bus, but not our connection. */
        if (bluez->link_ours && bluez->link >= BLUEZ_LINK_CONNECTING) {
            (void)sd_bus_call_method_async(bluez->bus, NULL, BLUEZ_NAME, bluez->device,
                                           BLUEZ_DEVICE, "Disconnect", NULL, NULL, "");
        }
        gatt_unsubscribe(bluez);
    }
    scan_reset(bluez);
    link_reset(bluez);
    objects_clear(bluez);
    sd_bus_slot_unref(bluez->load_call);
    sd_event_source_disable_unref(bluez->load_timer);
    sd_event_source_disable_unref(bluez->adapter_timer);
    sd_event_source_disable_unref(bluez->post);
    if (bluez->bus != NULL) {
        sd_bus_detach_event(bluez->bus);
        sd_bus_close_unref(bluez->bus);
    }
    sd_event_unref(bluez->event);
    free(bluez);
}
