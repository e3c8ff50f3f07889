/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Discovery on one adapter, and which adapter that is.
 */
#include <string.h>

#include "client/src/bluez_private.h"
#include "updraft/error.h"

/* A report that comes before the kernel is ready for it is lost, and the controller's
 * filter of duplicates keeps the next ones of that device to itself until the discovery
 * is started anew. Seen with Linux 6.1, once in some hundred times, oftener on a busy
 * computer. The first renewal comes soon: within the time that a flow listens for other
 * devices after it has heard one. */
#define RENEW_FIRST_US (SECOND_US * 3 / 4)
#define RENEW_US       (3 * SECOND_US)
#define RETRY_US       (SECOND_US / 2)
#define RETRIES_MAX    10u
/* A signal that changed by less is no news. */
#define RSSI_STEP_DB 5
/* A daemon that has only just started names its adapters a little later. */
#define ADAPTERS_LIMIT_US (2 * SECOND_US)
/* An adapter that is pulled out is first told to be off, then to be gone; a daemon that
 * ends tells so of each of its adapters before it leaves the bus. What it was shows
 * within this time, on a busy computer as well. */
#define LEAVING_LIMIT_US (3 * SECOND_US)

int scan_choose_adapter(struct bluez *bluez)
{
    const struct bluez_adapter *chosen = NULL;
    for (size_t i = 0; i < bluez->objects.adapter_count; i++) {
        const struct bluez_adapter *adapter = &bluez->objects.adapters[i];
        if (bluez->adapter_wanted[0] != '\0' &&
            strcmp(adapter->path, bluez->adapter_wanted) != 0) {
            continue;
        }
        if (chosen == NULL || (!chosen->powered && adapter->powered)) {
            chosen = adapter;
        }
    }
    bluez->adapter[0] = '\0';
    if (chosen == NULL) {
        return UPDRAFT_ERROR_NO_ADAPTER;
    }
    if (!chosen->powered) {
        return UPDRAFT_ERROR_ADAPTER_OFF;
    }
    strcpy(bluez->adapter, chosen->path);
    return UPDRAFT_OK;
}

static bool on_adapter(const struct bluez *bluez, const struct bluez_device *device)
{
    size_t length = strlen(bluez->adapter);
    return length > 0 && strncmp(device->path, bluez->adapter, length) == 0 &&
           device->path[length] == '/';
}

/* bluetoothd tells of every advertisement: several a second, the signal a little up or
 * down each time. */
static bool is_news(const struct bluez_device *device)
{
    int change_db = device->rssi_dbm - device->told_rssi_dbm;
    return !device->told || device->told_service != device->has_service ||
           change_db >= RSSI_STEP_DB || change_db <= -RSSI_STEP_DB ||
           strcmp(device->told_name, device->name) != 0;
}

/* A device that is connected sends no advertisements, but it is in range. */
void scan_device_changed(struct bluez *bluez, struct bluez_device *device)
{
    if (bluez->scan != BLUEZ_SCAN_ON || !bluez->scan_wanted ||
        !on_adapter(bluez, device) || !(device->heard || device->connected) ||
        !is_news(device)) {
        return;
    }
    device->told = true;
    device->told_service = device->has_service;
    device->told_rssi_dbm = device->rssi_dbm;
    strcpy(device->told_name, device->name);
    struct updraft_transport_event event = {
        .kind = UPDRAFT_TRANSPORT_FOUND,
        .address = device->address,
        .name = device->name,
        .rssi_dbm = device->rssi_dbm,
        .has_service = device->has_service,
    };
    bluez_emit(bluez, &event);
}

/* What the daemon already has: after another program's discovery it tells of a device
 * only when something changes. */
static void report_known(struct bluez *bluez)
{
    for (size_t i = 0; i < bluez->objects.device_count; i++) {
        bluez->objects.devices[i].told = false;
        scan_device_changed(bluez, &bluez->objects.devices[i]);
    }
}

static int on_retry(sd_event_source *source, uint64_t now_us, void *userdata)
{
    struct bluez *bluez = userdata;
    (void)source;
    (void)now_us;
    (void)bluez_timer(bluez, &bluez->scan_timer, 0, NULL);
    bluez->scan = BLUEZ_SCAN_OFF;
    scan_advance(bluez);
    return 0;
}

static void stop(struct bluez *bluez);

static int on_renew(sd_event_source *source, uint64_t now_us, void *userdata)
{
    struct bluez *bluez = userdata;
    (void)source;
    (void)now_us;
    (void)bluez_timer(bluez, &bluez->scan_timer, 0, NULL);
    if (bluez->scan == BLUEZ_SCAN_ON) {
        bluez->scan_renewed = true;
        stop(bluez); /* its end starts it anew */
    }
    return 0;
}

static int on_started(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    (void)error;
    bluez->scan_call = sd_bus_slot_unref(bluez->scan_call);
    int status = bluez_answer(bluez, answer, UPDRAFT_ERROR_NO_BLUETOOTHD, NULL);
    if (status == UPDRAFT_OK) {
        bluez->scan = BLUEZ_SCAN_ON;
        (void)bluez_timer(bluez, &bluez->scan_timer,
                          bluez->scan_renewed ? RENEW_US : RENEW_FIRST_US, on_renew);
        report_known(bluez);
        scan_advance(bluez);
        return 0;
    }
    if (status == UPDRAFT_ERROR_IN_PROGRESS && bluez->scan_retries < RETRIES_MAX &&
        bluez->scan_wanted) {
        bluez->scan_retries++;
        bluez->scan = BLUEZ_SCAN_RETRYING;
        status = bluez_timer(bluez, &bluez->scan_timer, RETRY_US, on_retry);
        if (status == UPDRAFT_OK) {
            return 0;
        }
    }
    bluez->scan = BLUEZ_SCAN_OFF;
    if (bluez->scan_wanted) {
        bluez_fail(bluez, status);
    } else {
        scan_advance(bluez);
    }
    return 0;
}

static int on_stopped(sd_bus_message *answer, void *userdata, sd_bus_error *error)
{
    struct bluez *bluez = userdata;
    (void)answer;
    (void)error;
    /* An error means that there was nothing to stop. */
    bluez->scan_call = sd_bus_slot_unref(bluez->scan_call);
    bluez->scan = BLUEZ_SCAN_OFF;
    scan_advance(bluez);
    return 0;
}

static void stop(struct bluez *bluez)
{
    (void)bluez_timer(bluez, &bluez->scan_timer, 0, NULL);
    bluez->scan = BLUEZ_SCAN_STOPPING;
    int status = bluez_call_plain(bluez, &bluez->scan_call, bluez->adapter, BLUEZ_ADAPTER,
                                  "StopDiscovery", on_stopped, CALL_LIMIT_US);
    if (status != UPDRAFT_OK) {
        bluez_fail(bluez, status);
    }
}

static int start(struct bluez *bluez)
{
    /* Only LE, every report. Without the filter it would work as well, only slower. */
    (void)sd_bus_call_method_async(
        bluez->bus, NULL, BLUEZ_NAME, bluez->adapter, BLUEZ_ADAPTER, "SetDiscoveryFilter",
        NULL, NULL, "a{sv}", 2, "Transport", "s", "le", "DuplicateData", "b", 1);
    bluez->scan = BLUEZ_SCAN_STARTING;
    return bluez_call_plain(bluez, &bluez->scan_call, bluez->adapter, BLUEZ_ADAPTER,
                            "StartDiscovery", on_started, CALL_LIMIT_US);
}

/* Whether adapters are coming, or on their way to something else. */
static bool is_unsettled(const struct bluez *bluez)
{
    uint64_t now_us = 0;
    (void)sd_event_now(bluez->event, CLOCK_MONOTONIC, &now_us);
    return (bluez->appeared_us != 0 && now_us - bluez->appeared_us < ADAPTERS_LIMIT_US) ||
           (bluez->lost_us != 0 && now_us - bluez->lost_us < LEAVING_LIMIT_US);
}

static void begin(struct bluez *bluez)
{
    int status = scan_choose_adapter(bluez);
    if ((status == UPDRAFT_ERROR_NO_ADAPTER || status == UPDRAFT_ERROR_ADAPTER_OFF) &&
        is_unsettled(bluez)) {
        bluez->scan = BLUEZ_SCAN_RETRYING;
        status = bluez_timer(bluez, &bluez->scan_timer, RETRY_US, on_retry);
    } else if (status == UPDRAFT_OK) {
        status = start(bluez);
    }
    if (status != UPDRAFT_OK) {
        bluez_fail(bluez, status);
    }
}

void scan_advance(struct bluez *bluez)
{
    if (bluez->scan_wanted && bluez->daemon == BLUEZ_UNKNOWN) {
        int status = bluez_load(bluez);
        if (status != UPDRAFT_OK) {
            bluez_fail(bluez, status);
        }
        return;
    }
    if (bluez->daemon != BLUEZ_READY) {
        return;
    }
    if (bluez->scan_wanted && bluez->scan == BLUEZ_SCAN_OFF) {
        begin(bluez);
    } else if (!bluez->scan_wanted && bluez->scan == BLUEZ_SCAN_RETRYING) {
        (void)bluez_timer(bluez, &bluez->scan_timer, 0, NULL);
        bluez->scan = BLUEZ_SCAN_OFF;
    } else if (!bluez->scan_wanted && bluez->scan == BLUEZ_SCAN_ON) {
        stop(bluez);
    }
    link_advance(bluez);
}

int scan_set(void *context, bool on)
{
    struct bluez *bluez = context;
    if (bluez->bus_lost && on) {
        return UPDRAFT_ERROR_NO_BLUETOOTHD;
    }
    if (on) {
        bluez->scan_retries = 0;
        bluez->scan_renewed = false;
        bluez->posted_failure = 0; /* of a job that did not wait for it */
    }
    bluez->scan_wanted = on;
    scan_advance(bluez);
    return UPDRAFT_OK;
}

void scan_reset(struct bluez *bluez)
{
    (void)bluez_timer(bluez, &bluez->scan_timer, 0, NULL);
    bluez->scan_call = sd_bus_slot_unref(bluez->scan_call);
    if (bluez->scan == BLUEZ_SCAN_ON || bluez->scan == BLUEZ_SCAN_STARTING) {
        /* Of no use where the daemon is gone; undoes our part where only the link or
         * another adapter failed. */
        (void)sd_bus_call_method_async(bluez->bus, NULL, BLUEZ_NAME, bluez->adapter,
                                       BLUEZ_ADAPTER, "StopDiscovery", NULL, NULL, "");
    }
    bluez->scan = BLUEZ_SCAN_OFF;
    bluez->scan_wanted = false;
}

/* The adapter in use: 0, ADAPTER_OFF, NO_ADAPTER; 0 as well where none is in use. */
static int adapter_status(const struct bluez *bluez)
{
    if (bluez->adapter[0] == '\0' ||
        (!bluez->scan_wanted && bluez->link == BLUEZ_LINK_NONE)) {
        return UPDRAFT_OK;
    }
    for (size_t i = 0; i < bluez->objects.adapter_count; i++) {
        const struct bluez_adapter *adapter = &bluez->objects.adapters[i];
        if (strcmp(adapter->path, bluez->adapter) == 0) {
            return adapter->powered ? UPDRAFT_OK : UPDRAFT_ERROR_ADAPTER_OFF;
        }
    }
    return UPDRAFT_ERROR_NO_ADAPTER;
}

static int on_adapter_limit(sd_event_source *source, uint64_t now_us, void *userdata)
{
    struct bluez *bluez = userdata;
    (void)source;
    (void)now_us;
    (void)bluez_timer(bluez, &bluez->adapter_timer, 0, NULL);
    int status = adapter_status(bluez);
    if (status != UPDRAFT_OK) {
        bluez_fail(bluez, status);
    }
    return 0;
}

/* Notes when one went off or away. */
static void count_powered(struct bluez *bluez)
{
    size_t count = 0;
    for (size_t i = 0; i < bluez->objects.adapter_count; i++) {
        count += bluez->objects.adapters[i].powered;
    }
    if (count < bluez->powered_count) {
        (void)sd_event_now(bluez->event, CLOCK_MONOTONIC, &bluez->lost_us);
    }
    bluez->powered_count = count;
}

void scan_adapters_changed(struct bluez *bluez)
{
    count_powered(bluez);
    if (adapter_status(bluez) == UPDRAFT_OK) {
        (void)bluez_timer(bluez, &bluez->adapter_timer, 0, NULL);
    } else if (bluez->adapter_timer == NULL) {
        int status =
            bluez_timer(bluez, &bluez->adapter_timer, LEAVING_LIMIT_US, on_adapter_limit);
        if (status != UPDRAFT_OK) {
            bluez_fail(bluez, status);
        }
    }
}

void scan_daemon_left(struct bluez *bluez)
{
    (void)bluez_timer(bluez, &bluez->adapter_timer, 0, NULL);
    bluez->powered_count = 0;
    bluez->lost_us = 0;
}
