/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The flow reads what a device tells of itself: Info of protocol 2, Device Information.
 */
#include <assert.h>
#include <string.h>

#include "client/src/flow_private.h"
#include "client/src/text.h"

/* How often a torn Info is read before the device is given up. */
#define INFO_READS_MAX 5u

/* Device Information in the order in which it is read. */
static const enum updraft_characteristic information[] = {
    UPDRAFT_FIRMWARE_REVISION,
    UPDRAFT_MODEL,
    UPDRAFT_MANUFACTURER,
};
#define INFORMATION_COUNT (sizeof(information) / sizeof(information[0]))

static char *information_text(struct updraft_flow *flow,
                              enum updraft_characteristic characteristic)
{
    switch (characteristic) {
    case UPDRAFT_FIRMWARE_REVISION:
        return flow->firmware;
    case UPDRAFT_MODEL:
        return flow->model;
    case UPDRAFT_MANUFACTURER:
        return flow->manufacturer;
    case UPDRAFT_CONTROL:
    case UPDRAFT_DATA:
    case UPDRAFT_INFO:
    case UPDRAFT_CHARACTERISTIC_COUNT:
        break;
    }
    assert(false);
    return NULL;
}

/* Everything that was to be read was read, from a device with protocol 1 or without any.
 */
static void plain_read(struct updraft_flow *flow, uint32_t now_ms)
{
    bool service =
        flow->properties[UPDRAFT_CONTROL] != 0 && flow->properties[UPDRAFT_DATA] != 0;
    switch (flow->config.verb) {
    case UPDRAFT_FLOW_INFO:
        updraft_flow_close(flow, UPDRAFT_OK, now_ms);
        break;
    case UPDRAFT_FLOW_UPDATE:
        if (flow->config.stage && service) {
            updraft_flow_close(flow, UPDRAFT_ERROR_UNSUPPORTED, now_ms);
        } else {
            updraft_flow_update_begin(flow, now_ms);
        }
        break;
    case UPDRAFT_FLOW_ACTIVATE:
    case UPDRAFT_FLOW_CONFIRM:
    case UPDRAFT_FLOW_ROLLBACK:
        updraft_flow_close(
            flow, service ? UPDRAFT_ERROR_UNSUPPORTED : UPDRAFT_ERROR_LINK_NO_SERVICE,
            now_ms);
        break;
    case UPDRAFT_FLOW_SCAN:
        assert(false);
        break;
    }
}

static void all_read(struct updraft_flow *flow, uint32_t now_ms)
{
    if (!flow->known) {
        flow->known = true;
        memcpy(flow->firmware_before, flow->firmware, sizeof(flow->firmware));
    }
    if (!flow->returning) {
        updraft_flow_report(flow, UPDRAFT_EVENT_DEVICE);
    }
    if (flow->native) {
        updraft_flow_decide(flow, now_ms);
    } else if (!flow->returning) {
        plain_read(flow, now_ms);
    } else if (flow->watched) {
        updraft_flow_judge(flow, now_ms);
    } else {
        updraft_flow_watch(flow, now_ms);
    }
}

static void read_one(struct updraft_flow *flow,
                     enum updraft_characteristic characteristic, uint32_t now_ms)
{
    flow->reading = characteristic;
    updraft_flow_arm(flow, now_ms, flow->config.read_limit_ms);
    int status = flow->config.ops->read(flow->config.transport, characteristic);
    if (status < 0) {
        updraft_flow_failed(flow, status, /* link_up= */ true, now_ms);
    }
}

/* Reads the next characteristic that the device offers, from information[i] on. */
static void read_from(struct updraft_flow *flow, size_t i, uint32_t now_ms)
{
    /* Of a device that is back, only the version is of interest; with protocol 2 Info has
     * told that. */
    size_t count = flow->returning ? 1 : INFORMATION_COUNT;
    if (flow->native) {
        i = i == 0 ? 1 : i;
        count = flow->config.verb == UPDRAFT_FLOW_INFO ? INFORMATION_COUNT : 0;
    }
    for (; i < count; i++) {
        if ((flow->properties[information[i]] & UPDRAFT_PROPERTY_READ) != 0) {
            read_one(flow, information[i], now_ms);
            return;
        }
    }
    all_read(flow, now_ms);
}

/* What protocol 2 needs of a service. */
static bool may_be_native(const struct updraft_flow *flow)
{
    const uint8_t *properties = flow->properties;
    return flow->config.protocol_max >= UPDRAFT_P2_VERSION &&
           (properties[UPDRAFT_INFO] & UPDRAFT_PROPERTY_READ) != 0 &&
           (properties[UPDRAFT_CONTROL] & UPDRAFT_PROPERTY_WRITE) != 0 &&
           (properties[UPDRAFT_CONTROL] & UPDRAFT_PROPERTY_NOTIFY) != 0 &&
           (properties[UPDRAFT_DATA] & UPDRAFT_PROPERTY_WRITE_NO_RESPONSE) != 0;
}

void updraft_flow_read(struct updraft_flow *flow, uint32_t now_ms)
{
    flow->native = false;
    flow->info_reads = 0;
    if (may_be_native(flow)) {
        read_one(flow, UPDRAFT_INFO, now_ms);
    } else {
        read_from(flow, 0, now_ms);
    }
}

/* Another device than the one that is looked for: its address goes on the list. */
static void other_device(struct updraft_flow *flow, uint32_t now_ms)
{
    if (flow->other_count < UPDRAFT_FLOW_OTHERS_MAX) {
        flow->others[flow->other_count++] = flow->link_address;
    }
    updraft_flow_failed(flow, UPDRAFT_ERROR_LINK_CONNECT, /* link_up= */ true, now_ms);
}

static void copy_text(char *ret_text, size_t text_size, const char *text)
{
    updraft_text_copy(ret_text, text_size, (const uint8_t *)text, strlen(text));
}

static void info_read(struct updraft_flow *flow, const struct updraft_info *info,
                      uint32_t now_ms)
{
    if (flow->device_known &&
        memcmp(flow->device_id, info->device_id, sizeof(flow->device_id)) != 0) {
        other_device(flow, now_ms);
        return;
    }
    flow->device_known = true;
    memcpy(flow->device_id, info->device_id, sizeof(flow->device_id));
    if (memcmp(&flow->address.bytes, &flow->link_address.bytes,
               sizeof(flow->address.bytes)) != 0) {
        /* It is the one, under another address: not reported until now. */
        flow->address = flow->link_address;
        updraft_flow_report(flow, UPDRAFT_EVENT_CONNECTED);
    }
    flow->native = true;
    flow->info_known = true;
    flow->info = *info;
    copy_text(flow->info.version, sizeof(flow->info.version), info->version);
    copy_text(flow->info.project, sizeof(flow->info.project), info->project);
    copy_text(flow->firmware, sizeof(flow->firmware), info->version);
    read_from(flow, 0, now_ms);
}

static void info_done(struct updraft_flow *flow,
                      const struct updraft_transport_event *event, uint32_t now_ms)
{
    struct updraft_info info;
    if (event->status < 0) {
        updraft_flow_failed(flow, event->status, /* link_up= */ true, now_ms);
    } else if (updraft_info_get(event->bytes, event->size, &info)) {
        info_read(flow, &info, now_ms);
    } else if (event->size >= 2 && event->bytes[0] == UPDRAFT_P2_INFO_LAYOUT &&
               event->bytes[1] >= UPDRAFT_P2_VERSION) {
        /* It changed between two parts of a long read. */
        if (++flow->info_reads < INFO_READS_MAX) {
            read_one(flow, UPDRAFT_INFO, now_ms);
        } else {
            updraft_flow_failed(flow, UPDRAFT_ERROR_LINK_PROTOCOL, /* link_up= */ true,
                                now_ms);
        }
    } else {
        read_from(flow, 0, now_ms); /* what it tells is not for us */
    }
}

void updraft_flow_read_done(struct updraft_flow *flow,
                            const struct updraft_transport_event *event, uint32_t now_ms)
{
    if (event->characteristic != flow->reading) {
        return;
    }
    if (flow->reading == UPDRAFT_INFO) {
        info_done(flow, event, now_ms);
        return;
    }
    if (event->status < 0 && event->status != UPDRAFT_ERROR_LINK_ATT) {
        updraft_flow_failed(flow, event->status, /* link_up= */ true, now_ms);
        return;
    }
    if (event->status == UPDRAFT_OK) {
        updraft_text_copy(information_text(flow, flow->reading), UPDRAFT_FLOW_TEXT_SIZE,
                          event->bytes, event->size);
    }
    size_t next = 1;
    while (next < INFORMATION_COUNT && information[next - 1] != flow->reading) {
        next++;
    }
    read_from(flow, next, now_ms);
}
