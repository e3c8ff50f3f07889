/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The flow's life: find, connect, read, try again, end.
 */
#include <assert.h>
#include <string.h>

#include "client/src/flow_private.h"
#include "client/src/text.h"

/* After a link of ours was lost, the device may call itself busy until its supervision
 * timeout has passed, too: 6 s at most, within two pauses. */
#define BUSY_PAUSE_MS 4000u

#define TO(state) (1u << UPDRAFT_FLOW_##state)

/* Where each state may lead. */
static const uint16_t transitions[UPDRAFT_FLOW_STATE_COUNT] = {
    [UPDRAFT_FLOW_IDLE] = TO(FINDING) | TO(FINISHED),
    [UPDRAFT_FLOW_FINDING] = TO(CONNECTING) | TO(PAUSING) | TO(FINISHED),
    [UPDRAFT_FLOW_CONNECTING] = TO(READING) | TO(CLOSING) | TO(PAUSING) | TO(FINISHED),
    [UPDRAFT_FLOW_READING] = TO(UPDATING) | TO(STREAMING) | TO(ORDERING) | TO(WATCHING) |
                             TO(CLOSING) | TO(PAUSING) | TO(FINISHED),
    [UPDRAFT_FLOW_UPDATING] = TO(LEAVING) | TO(CLOSING) | TO(PAUSING) | TO(FINISHED),
    [UPDRAFT_FLOW_STREAMING] =
        TO(ABORTING) | TO(LEAVING) | TO(CLOSING) | TO(PAUSING) | TO(FINISHED),
    [UPDRAFT_FLOW_ORDERING] =
        TO(WATCHING) | TO(LEAVING) | TO(CLOSING) | TO(PAUSING) | TO(FINISHED),
    [UPDRAFT_FLOW_ABORTING] = TO(CLOSING) | TO(FINISHED),
    [UPDRAFT_FLOW_LEAVING] = TO(CLOSING) | TO(PAUSING) | TO(FINISHED),
    [UPDRAFT_FLOW_WATCHING] = TO(READING) | TO(CLOSING) | TO(PAUSING) | TO(FINISHED),
    [UPDRAFT_FLOW_CLOSING] = TO(PAUSING) | TO(FINISHED),
    [UPDRAFT_FLOW_PAUSING] = TO(FINDING) | TO(FINISHED),
    [UPDRAFT_FLOW_FINISHED] = 0,
};

bool updraft_flow_due(uint32_t deadline_ms, uint32_t now_ms)
{
    return (int32_t)(now_ms - deadline_ms) >= 0;
}

void updraft_flow_enter(struct updraft_flow *flow, enum updraft_flow_state state)
{
    assert(state < UPDRAFT_FLOW_STATE_COUNT);
    bool legal = (transitions[flow->state] & (1u << state)) != 0;
    assert(legal);
    (void)legal;
    flow->state = state;
    flow->deadline_set = false;
}

void updraft_flow_arm(struct updraft_flow *flow, uint32_t now_ms, uint32_t limit_ms)
{
    flow->deadline_set = true;
    flow->deadline_ms = now_ms + limit_ms;
}

/* No link and no scan is left. */
static void finish(struct updraft_flow *flow, int status)
{
    updraft_flow_enter(flow, UPDRAFT_FLOW_FINISHED);
    flow->status = status;
    if (status != UPDRAFT_OK) {
        flow->outcome = UPDRAFT_OUTCOME_NONE;
    }
    updraft_flow_report(flow, UPDRAFT_EVENT_FINISHED);
}

static void stop_finding(struct updraft_flow *flow, int status)
{
    assert(flow->state == UPDRAFT_FLOW_FINDING);
    (void)flow->config.ops->scan(flow->config.transport, false);
    finish(flow, status);
}

static void find(struct updraft_flow *flow, uint32_t now_ms)
{
    updraft_flow_enter(flow, UPDRAFT_FLOW_FINDING);
    updraft_flow_phase(flow, flow->returning ? UPDRAFT_PHASE_RESTARTING
                                             : UPDRAFT_PHASE_FINDING);
    updraft_flow_arm(flow, now_ms, flow->config.find_limit_ms);
    flow->candidate = false;
    flow->several = false;
    flow->alternative = false;
    int status = flow->config.ops->scan(flow->config.transport, true);
    if (status < 0) {
        finish(flow, status);
    }
}

static void pause_flow(struct updraft_flow *flow, uint32_t now_ms)
{
    updraft_flow_enter(flow, UPDRAFT_FLOW_PAUSING);
    updraft_flow_arm(flow, now_ms,
                     flow->pause_ms != 0 ? flow->pause_ms : flow->config.pause_ms);
    flow->pause_ms = 0;
    if (flow->returning) {
        updraft_flow_phase(flow, UPDRAFT_PHASE_RESTARTING);
    }
}

/* Errors that another link may cure. LINK_STATE: the device has forgotten the session.
 * BUSY, after a link of ours was lost: the device may not have noticed yet. */
static bool worth_another_try(const struct updraft_flow *flow, int status)
{
    return status == UPDRAFT_ERROR_LINK_LOST || status == UPDRAFT_ERROR_LINK_TIMEOUT ||
           status == UPDRAFT_ERROR_LINK_CONNECT || status == UPDRAFT_ERROR_IN_PROGRESS ||
           status == UPDRAFT_ERROR_LINK_STATE || status == UPDRAFT_ERROR_LINK_DATA_LOST ||
           (status == UPDRAFT_ERROR_BUSY && flow->native && flow->link_failed_before);
}

/* The link is gone. */
static void try_again(struct updraft_flow *flow, int status, uint32_t now_ms)
{
    if (flow->returning) {
        /* Bounded by return_deadline_ms: a device that restarts may well vanish again. */
        pause_flow(flow, now_ms);
        return;
    }
    flow->attempts = flow->progressed ? 0 : (uint8_t)(flow->attempts + 1);
    flow->progressed = false;
    flow->attempts_total++;
    if (flow->attempts >= flow->config.attempts_max ||
        flow->attempts_total >= flow->config.attempts_total_max ||
        !worth_another_try(flow, status)) {
        finish(flow, status);
        return;
    }
    if (status == UPDRAFT_ERROR_BUSY) {
        flow->pause_ms = BUSY_PAUSE_MS;
    } else {
        flow->link_failed_before = true;
    }
    flow->status = status;
    flow->status_detail = 0;
    updraft_flow_report(flow, UPDRAFT_EVENT_RETRY);
    pause_flow(flow, now_ms);
}

static void close_link(struct updraft_flow *flow, int status, bool then_finish,
                       uint32_t now_ms)
{
    updraft_flow_enter(flow, UPDRAFT_FLOW_CLOSING);
    updraft_flow_arm(flow, now_ms, flow->config.close_limit_ms);
    flow->then_finish = then_finish;
    flow->status = status;
    if (then_finish) {
        updraft_flow_phase(flow, UPDRAFT_PHASE_ENDING);
    }
    if (flow->config.ops->disconnect(flow->config.transport) < 0) {
        /* There is no link any more; the deadline ends the state. */
        updraft_flow_arm(flow, now_ms, 0);
    }
}

void updraft_flow_close(struct updraft_flow *flow, int status, uint32_t now_ms)
{
    close_link(flow, status, /* then_finish= */ true, now_ms);
}

void updraft_flow_failed(struct updraft_flow *flow, int status, bool link_up,
                         uint32_t now_ms)
{
    assert(status < 0);
    if (!link_up) {
        try_again(flow, status, now_ms);
    } else {
        bool end = !flow->returning && !worth_another_try(flow, status);
        close_link(flow, status, end, now_ms);
    }
}

static void closed(struct updraft_flow *flow, uint32_t now_ms)
{
    if (flow->then_finish) {
        finish(flow, flow->status);
    } else {
        try_again(flow, flow->status, now_ms);
    }
}

static bool same_address(const struct updraft_address *a, const struct updraft_address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool fits(const struct updraft_flow *flow,
                 const struct updraft_transport_event *event, const char *name)
{
    if (flow->chosen) {
        return same_address(&event->address, &flow->address);
    }
    if (flow->config.by_address) {
        return same_address(&event->address, &flow->config.address);
    }
    if (flow->config.name != NULL) {
        return strcmp(name, flow->config.name) == 0;
    }
    return event->has_service;
}

static void connect_to(struct updraft_flow *flow, const struct updraft_address *address,
                       uint32_t now_ms)
{
    flow->link_address = *address;
    flow->chosen = true;
    (void)flow->config.ops->scan(flow->config.transport, false);
    updraft_flow_enter(flow, UPDRAFT_FLOW_CONNECTING);
    updraft_flow_arm(flow, now_ms, flow->config.connect_limit_ms);
    if (!flow->returning) {
        updraft_flow_phase(flow, UPDRAFT_PHASE_CONNECTING);
    }
    int status = flow->config.ops->connect(flow->config.transport, &flow->link_address);
    if (status < 0) {
        updraft_flow_failed(flow, status, /* link_up= */ false, now_ms);
    }
}

/* A device that is known by its id may come back under another address. */
static void note_alternative(struct updraft_flow *flow,
                             const struct updraft_transport_event *event)
{
    if (!flow->returning || !flow->device_known || flow->alternative ||
        !event->has_service) {
        return;
    }
    for (size_t i = 0; i < flow->other_count; i++) {
        if (same_address(&flow->others[i], &event->address)) {
            return;
        }
    }
    flow->alternative = true;
    flow->alternative_address = event->address;
}

static void found(struct updraft_flow *flow, const struct updraft_transport_event *event,
                  uint32_t now_ms)
{
    char name[UPDRAFT_FLOW_TEXT_SIZE];
    const char *heard = event->name != NULL ? event->name : "";
    updraft_text_copy(name, sizeof(name), (const uint8_t *)heard, strlen(heard));
    updraft_flow_report_found(flow, event, name);
    if (flow->config.verb == UPDRAFT_FLOW_SCAN) {
        return;
    }
    if (!fits(flow, event, name)) {
        note_alternative(flow, event);
        return;
    }
    if (flow->candidate && !same_address(&event->address, &flow->address)) {
        flow->several = true;
        return;
    }
    flow->address = event->address;
    if (name[0] != '\0') {
        memcpy(flow->name, name, sizeof(name));
    }
    if (flow->candidate) {
        return;
    }
    flow->candidate = true;
    if (flow->chosen || flow->config.by_address) {
        connect_to(flow, &flow->address, now_ms);
    } else {
        updraft_flow_arm(flow, now_ms, flow->config.settle_ms);
    }
}

static void find_ended(struct updraft_flow *flow, uint32_t now_ms)
{
    if (flow->config.verb == UPDRAFT_FLOW_SCAN) {
        stop_finding(flow, UPDRAFT_OK);
    } else if (flow->returning && flow->alternative) {
        connect_to(flow, &flow->alternative_address, now_ms);
    } else if (flow->returning) {
        /* Listening anew now and then: a scan may have gone deaf. */
        (void)flow->config.ops->scan(flow->config.transport, false);
        pause_flow(flow, now_ms);
    } else if (flow->several) {
        stop_finding(flow, UPDRAFT_ERROR_SEVERAL_DEVICES);
    } else if (flow->candidate) {
        connect_to(flow, &flow->address, now_ms);
    } else {
        /* After a failed try, its error says more than "not found". */
        stop_finding(flow,
                     flow->attempts_total > 0 ? flow->status : UPDRAFT_ERROR_NO_DEVICE);
    }
}

static void connected(struct updraft_flow *flow,
                      const struct updraft_transport_event *event, uint32_t now_ms)
{
    flow->mtu = event->mtu;
    memcpy(flow->properties, event->properties, sizeof(flow->properties));
    flow->firmware[0] = '\0';
    flow->watched = false;
    updraft_flow_enter(flow, UPDRAFT_FLOW_READING);
    if (same_address(&flow->link_address, &flow->address)) {
        updraft_flow_report(flow, UPDRAFT_EVENT_CONNECTED);
    }
    if (!flow->returning) {
        updraft_flow_phase(flow, UPDRAFT_PHASE_READING);
    }
    updraft_flow_read(flow, now_ms);
}

static void disconnected(struct updraft_flow *flow,
                         const struct updraft_transport_event *event, uint32_t now_ms)
{
    int status = event->status < 0 ? event->status : UPDRAFT_ERROR_LINK_LOST;
    switch (flow->state) {
    case UPDRAFT_FLOW_CONNECTING:
    case UPDRAFT_FLOW_READING:
    case UPDRAFT_FLOW_LEAVING:
    case UPDRAFT_FLOW_WATCHING:
        updraft_flow_failed(flow, status, /* link_up= */ false, now_ms);
        break;
    case UPDRAFT_FLOW_UPDATING:
        updraft_flow_update_event(flow, event, now_ms);
        break;
    case UPDRAFT_FLOW_STREAMING:
    case UPDRAFT_FLOW_ORDERING:
        updraft_flow_native_event(flow, event, now_ms);
        break;
    case UPDRAFT_FLOW_ABORTING:
        finish(flow, UPDRAFT_ERROR_CANCELLED);
        break;
    case UPDRAFT_FLOW_CLOSING:
        closed(flow, now_ms);
        break;
    case UPDRAFT_FLOW_IDLE:
    case UPDRAFT_FLOW_FINDING:
    case UPDRAFT_FLOW_PAUSING:
    case UPDRAFT_FLOW_FINISHED:
    case UPDRAFT_FLOW_STATE_COUNT:
        break;
    }
}

void updraft_flow_event(struct updraft_flow *flow,
                        const struct updraft_transport_event *event, uint32_t now_ms)
{
    if (!updraft_flow_busy(flow)) {
        return;
    }
    switch (event->kind) {
    case UPDRAFT_TRANSPORT_FOUND:
        if (flow->state == UPDRAFT_FLOW_FINDING) {
            found(flow, event, now_ms);
        }
        break;
    case UPDRAFT_TRANSPORT_CONNECTED:
        if (flow->state == UPDRAFT_FLOW_CONNECTING) {
            connected(flow, event, now_ms);
        }
        break;
    case UPDRAFT_TRANSPORT_DISCONNECTED:
        disconnected(flow, event, now_ms);
        break;
    case UPDRAFT_TRANSPORT_READ:
        if (flow->state == UPDRAFT_FLOW_READING) {
            updraft_flow_read_done(flow, event, now_ms);
        }
        break;
    case UPDRAFT_TRANSPORT_WRITTEN:
    case UPDRAFT_TRANSPORT_SUBSCRIBED:
    case UPDRAFT_TRANSPORT_NOTIFIED:
        if (flow->state == UPDRAFT_FLOW_UPDATING) {
            updraft_flow_update_event(flow, event, now_ms);
        } else if (flow->state == UPDRAFT_FLOW_STREAMING ||
                   flow->state == UPDRAFT_FLOW_ORDERING) {
            updraft_flow_native_event(flow, event, now_ms);
        } else if (flow->state == UPDRAFT_FLOW_ABORTING &&
                   event->kind == UPDRAFT_TRANSPORT_WRITTEN &&
                   event->characteristic == UPDRAFT_CONTROL) {
            updraft_flow_close(flow, UPDRAFT_ERROR_CANCELLED, now_ms);
        }
        break;
    case UPDRAFT_TRANSPORT_FAILED:
        /* A job that was only closing its link has its end already. */
        if (flow->state != UPDRAFT_FLOW_CLOSING || !flow->then_finish) {
            flow->status = event->status < 0 ? event->status : UPDRAFT_ERROR_LINK_LOST;
        }
        finish(flow, flow->status);
        break;
    }
}

/* The states in which a device that should come back is being waited for. */
static bool awaits_return(const struct updraft_flow *flow)
{
    return flow->returning &&
           (flow->state == UPDRAFT_FLOW_FINDING || flow->state == UPDRAFT_FLOW_PAUSING ||
            flow->state == UPDRAFT_FLOW_CONNECTING ||
            flow->state == UPDRAFT_FLOW_READING);
}

static void not_back(struct updraft_flow *flow, uint32_t now_ms)
{
    int status =
        flow->verdict_lost < 0 ? flow->verdict_lost : UPDRAFT_ERROR_LINK_NOT_BACK;
    if (flow->state == UPDRAFT_FLOW_FINDING) {
        stop_finding(flow, status);
    } else if (flow->state == UPDRAFT_FLOW_PAUSING) {
        finish(flow, status);
    } else {
        updraft_flow_close(flow, status, now_ms);
    }
}

void updraft_flow_tick(struct updraft_flow *flow, uint32_t now_ms)
{
    if (awaits_return(flow) && updraft_flow_due(flow->return_deadline_ms, now_ms)) {
        not_back(flow, now_ms);
        return;
    }
    if (flow->state == UPDRAFT_FLOW_UPDATING) {
        updraft_flow_update_tick(flow, now_ms);
        return;
    }
    if (flow->state == UPDRAFT_FLOW_STREAMING || flow->state == UPDRAFT_FLOW_ORDERING) {
        updraft_flow_native_tick(flow, now_ms);
        return;
    }
    if (!flow->deadline_set || !updraft_flow_due(flow->deadline_ms, now_ms)) {
        return;
    }
    switch (flow->state) {
    case UPDRAFT_FLOW_FINDING:
        find_ended(flow, now_ms);
        break;
    case UPDRAFT_FLOW_CONNECTING:
        updraft_flow_failed(flow, UPDRAFT_ERROR_LINK_CONNECT, /* link_up= */ true,
                            now_ms);
        break;
    case UPDRAFT_FLOW_READING:
        updraft_flow_failed(flow, UPDRAFT_ERROR_LINK_TIMEOUT, /* link_up= */ true,
                            now_ms);
        break;
    case UPDRAFT_FLOW_LEAVING:
        updraft_flow_failed(flow, UPDRAFT_ERROR_LINK_LOST, /* link_up= */ true, now_ms);
        break;
    case UPDRAFT_FLOW_ABORTING:
        updraft_flow_close(flow, UPDRAFT_ERROR_CANCELLED, now_ms);
        break;
    case UPDRAFT_FLOW_WATCHING:
        /* That the link holds shows a living controller; an answer, a living firmware. */
        flow->watched = true;
        flow->firmware[0] = '\0';
        updraft_flow_enter(flow, UPDRAFT_FLOW_READING);
        updraft_flow_read(flow, now_ms);
        break;
    case UPDRAFT_FLOW_CLOSING:
        closed(flow, now_ms);
        break;
    case UPDRAFT_FLOW_PAUSING:
        find(flow, now_ms);
        break;
    case UPDRAFT_FLOW_IDLE:
    case UPDRAFT_FLOW_UPDATING:
    case UPDRAFT_FLOW_STREAMING:
    case UPDRAFT_FLOW_ORDERING:
    case UPDRAFT_FLOW_FINISHED:
    case UPDRAFT_FLOW_STATE_COUNT:
        break;
    }
}

void updraft_flow_start(struct updraft_flow *flow, uint32_t now_ms)
{
    assert(flow->state == UPDRAFT_FLOW_IDLE);
    find(flow, now_ms);
}

void updraft_flow_cancel(struct updraft_flow *flow, uint32_t now_ms)
{
    switch (flow->state) {
    case UPDRAFT_FLOW_FINDING:
        stop_finding(flow, UPDRAFT_ERROR_CANCELLED);
        break;
    case UPDRAFT_FLOW_PAUSING:
        finish(flow, UPDRAFT_ERROR_CANCELLED);
        break;
    case UPDRAFT_FLOW_CONNECTING:
    case UPDRAFT_FLOW_READING:
    case UPDRAFT_FLOW_UPDATING:
    case UPDRAFT_FLOW_ORDERING:
    case UPDRAFT_FLOW_LEAVING:
    case UPDRAFT_FLOW_WATCHING:
        updraft_flow_close(flow, UPDRAFT_ERROR_CANCELLED, now_ms);
        break;
    case UPDRAFT_FLOW_STREAMING:
        if (!updraft_flow_native_abort(flow, now_ms)) {
            updraft_flow_close(flow, UPDRAFT_ERROR_CANCELLED, now_ms);
        }
        break;
    case UPDRAFT_FLOW_CLOSING:
        if (!flow->then_finish) {
            flow->then_finish = true;
            flow->status = UPDRAFT_ERROR_CANCELLED;
        }
        break;
    case UPDRAFT_FLOW_IDLE:
    case UPDRAFT_FLOW_ABORTING:
    case UPDRAFT_FLOW_FINISHED:
    case UPDRAFT_FLOW_STATE_COUNT:
        break;
    }
}

bool updraft_flow_deadline(const struct updraft_flow *flow, uint32_t *ret_deadline_ms)
{
    bool set = flow->deadline_set;
    uint32_t deadline_ms = flow->deadline_ms;
    if (flow->state == UPDRAFT_FLOW_UPDATING) {
        set = updraft_client_deadline(&flow->session, &deadline_ms);
    } else if (flow->state == UPDRAFT_FLOW_STREAMING ||
               flow->state == UPDRAFT_FLOW_ORDERING) {
        set = updraft_flow_native_deadline(flow, &deadline_ms);
    } else if (awaits_return(flow)) {
        if (!set || updraft_flow_due(flow->return_deadline_ms, deadline_ms)) {
            deadline_ms = flow->return_deadline_ms;
        }
        set = true;
    }
    if (set && updraft_flow_busy(flow)) {
        *ret_deadline_ms = deadline_ms;
        return true;
    }
    return false;
}

void updraft_flow_await_return(struct updraft_flow *flow, uint32_t now_ms)
{
    flow->returning = true;
    flow->return_deadline_ms = now_ms + flow->config.return_limit_ms;
}

void updraft_flow_leave(struct updraft_flow *flow, bool link_up, uint32_t now_ms)
{
    updraft_flow_await_return(flow, now_ms);
    updraft_flow_phase(flow, UPDRAFT_PHASE_RESTARTING);
    if (link_up) {
        updraft_flow_enter(flow, UPDRAFT_FLOW_LEAVING);
        updraft_flow_arm(flow, now_ms, flow->config.close_limit_ms);
    } else {
        updraft_flow_failed(flow, UPDRAFT_ERROR_LINK_LOST, link_up, now_ms);
    }
}

bool updraft_flow_busy(const struct updraft_flow *flow)
{
    return flow->state != UPDRAFT_FLOW_IDLE && flow->state != UPDRAFT_FLOW_FINISHED;
}

int updraft_flow_status(const struct updraft_flow *flow)
{
    return flow->status;
}

enum updraft_outcome updraft_flow_outcome(const struct updraft_flow *flow)
{
    return flow->outcome;
}
