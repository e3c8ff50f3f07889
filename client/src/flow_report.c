/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the flow reports, and the names that reports have.
 */
#include <assert.h>

#include "client/src/flow_private.h"

const char *updraft_event_name(enum updraft_event_kind kind)
{
    switch (kind) {
    case UPDRAFT_EVENT_FOUND:
        return "found";
    case UPDRAFT_EVENT_PHASE:
        return "phase";
    case UPDRAFT_EVENT_CONNECTED:
        return "connected";
    case UPDRAFT_EVENT_DEVICE:
        return "device";
    case UPDRAFT_EVENT_PROGRESS:
        return "progress";
    case UPDRAFT_EVENT_RETRY:
        return "retry";
    case UPDRAFT_EVENT_FINISHED:
        return "finished";
    }
    return "unknown";
}

const char *updraft_phase_name(enum updraft_phase phase)
{
    switch (phase) {
    case UPDRAFT_PHASE_IDLE:
        return "idle";
    case UPDRAFT_PHASE_FINDING:
        return "finding";
    case UPDRAFT_PHASE_CONNECTING:
        return "connecting";
    case UPDRAFT_PHASE_READING:
        return "reading";
    case UPDRAFT_PHASE_REQUESTING:
        return "requesting";
    case UPDRAFT_PHASE_TRANSFERRING:
        return "transferring";
    case UPDRAFT_PHASE_VERIFYING:
        return "verifying";
    case UPDRAFT_PHASE_RESTARTING:
        return "restarting";
    case UPDRAFT_PHASE_WATCHING:
        return "watching";
    case UPDRAFT_PHASE_ENDING:
        return "ending";
    }
    return "unknown";
}

const char *updraft_outcome_name(enum updraft_outcome outcome)
{
    switch (outcome) {
    case UPDRAFT_OUTCOME_NONE:
        return "none";
    case UPDRAFT_OUTCOME_RUNNING:
        return "running";
    case UPDRAFT_OUTCOME_ALREADY:
        return "already";
    case UPDRAFT_OUTCOME_UNTOLD:
        return "untold";
    case UPDRAFT_OUTCOME_CONFIRMED:
        return "confirmed";
    case UPDRAFT_OUTCOME_STAGED:
        return "staged";
    case UPDRAFT_OUTCOME_REVERTED:
        return "reverted";
    }
    return "unknown";
}

static void report(struct updraft_flow *flow, const struct updraft_event *event)
{
    struct updraft_event full = *event;
    full.name = full.name != NULL ? full.name : "";
    full.firmware_revision = full.firmware_revision != NULL ? full.firmware_revision : "";
    full.firmware_before = full.firmware_before != NULL ? full.firmware_before : "";
    full.model = full.model != NULL ? full.model : "";
    full.manufacturer = full.manufacturer != NULL ? full.manufacturer : "";
    full.detail = full.detail != NULL ? full.detail : "";
    flow->config.report(flow->config.context, &full);
}

static bool has_service(const struct updraft_flow *flow)
{
    return flow->properties[UPDRAFT_CONTROL] != 0 && flow->properties[UPDRAFT_DATA] != 0;
}

void updraft_flow_report(struct updraft_flow *flow, enum updraft_event_kind kind)
{
    struct updraft_event event = {.kind = kind};
    switch (kind) {
    case UPDRAFT_EVENT_PHASE:
        event.phase = flow->phase;
        break;
    case UPDRAFT_EVENT_CONNECTED:
        event.address = flow->link_address;
        event.name = flow->name;
        event.mtu = flow->mtu;
        event.has_service = has_service(flow);
        break;
    case UPDRAFT_EVENT_DEVICE:
        event.address = flow->address;
        event.name = flow->name;
        event.firmware_revision = flow->firmware;
        event.model = flow->model;
        event.manufacturer = flow->manufacturer;
        event.protocol = flow->native ? 2 : has_service(flow) ? 1 : 0;
        event.info = flow->native ? &flow->info : NULL;
        break;
    case UPDRAFT_EVENT_PROGRESS:
        event.done_bytes = flow->progress_bytes;
        event.total_bytes = flow->state == UPDRAFT_FLOW_STREAMING
                                ? flow->config.parcel->size_bytes
                                : flow->config.image_size_bytes;
        event.kept_bytes = flow->kept_bytes;
        break;
    case UPDRAFT_EVENT_RETRY:
        event.status = flow->status;
        event.attempt = flow->attempts_total + 1u;
        break;
    case UPDRAFT_EVENT_FINISHED:
        event.status = flow->status;
        event.outcome = flow->outcome;
        event.address = flow->address;
        event.name = flow->name;
        event.firmware_revision = flow->firmware;
        event.firmware_before = flow->firmware_before;
        event.info = flow->info_known ? &flow->info : NULL;
        event.kept_bytes = flow->kept_bytes;
        event.resent_bytes = flow->resent_bytes;
        event.status_detail = flow->status_detail;
        break;
    case UPDRAFT_EVENT_FOUND:
        assert(false); /* carries the transport's values: updraft_flow_report_found */
        break;
    }
    report(flow, &event);
}

void updraft_flow_phase(struct updraft_flow *flow, enum updraft_phase phase)
{
    if (flow->phase != phase) {
        flow->phase = phase;
        updraft_flow_report(flow, UPDRAFT_EVENT_PHASE);
    }
}

void updraft_flow_report_found(struct updraft_flow *flow,
                               const struct updraft_transport_event *event,
                               const char *name)
{
    struct updraft_event out = {
        .kind = UPDRAFT_EVENT_FOUND,
        .address = event->address,
        .name = name,
        .rssi_dbm = event->rssi_dbm,
        .has_service = event->has_service,
    };
    report(flow, &out);
}
