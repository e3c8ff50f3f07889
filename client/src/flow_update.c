/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The flow's update: it carries out what the session of core/ says, then sees what runs.
 */
#include <assert.h>
#include <string.h>

#include "client/src/flow_private.h"

#define WRITABLE (UPDRAFT_PROPERTY_WRITE | UPDRAFT_PROPERTY_WRITE_NO_RESPONSE)

/* Starts what the session asks for. Returns 0 or why it could not be started. */
static int start_action(struct updraft_flow *flow,
                        const struct updraft_client_action *action)
{
    const struct updraft_transport_ops *ops = flow->config.ops;
    void *transport = flow->config.transport;
    size_t size = (size_t)action->size_bytes + action->pad_size_bytes;
    switch (action->kind) {
    case UPDRAFT_CLIENT_SUBSCRIBE:
        return ops->subscribe(transport, UPDRAFT_CONTROL);
    case UPDRAFT_CLIENT_WRITE_CONTROL:
        return ops->write(transport, UPDRAFT_CONTROL, action->bytes, action->size_bytes,
                          action->with_response);
    case UPDRAFT_CLIENT_WRITE_DATA:
        return ops->write(transport, UPDRAFT_DATA, action->bytes, action->size_bytes,
                          action->with_response);
    case UPDRAFT_CLIENT_WRITE_IMAGE:
        assert(size <= sizeof(flow->packet));
        assert((uint64_t)action->offset_bytes + action->size_bytes <=
               flow->config.image_size_bytes);
        memcpy(flow->packet, flow->config.image + action->offset_bytes,
               action->size_bytes);
        memset(flow->packet + action->size_bytes, 0xFF, action->pad_size_bytes);
        return ops->write(transport, UPDRAFT_DATA, flow->packet, size,
                          action->with_response);
    }
    return UPDRAFT_ERROR_STATE;
}

static void report_session(struct updraft_flow *flow)
{
    switch (updraft_client_state(&flow->session)) {
    case UPDRAFT_CLIENT_SUBSCRIBING:
    case UPDRAFT_CLIENT_TELLING:
    case UPDRAFT_CLIENT_REQUESTING:
    case UPDRAFT_CLIENT_WAITING:
        updraft_flow_phase(flow, UPDRAFT_PHASE_REQUESTING);
        break;
    case UPDRAFT_CLIENT_SENDING:
        updraft_flow_phase(flow, UPDRAFT_PHASE_TRANSFERRING);
        break;
    case UPDRAFT_CLIENT_VERIFYING:
    case UPDRAFT_CLIENT_DONE:
    case UPDRAFT_CLIENT_FAILED:
        break;
    }
    uint32_t sent_bytes = updraft_client_sent_bytes(&flow->session);
    if (sent_bytes != flow->progress_bytes) {
        flow->progress_bytes = sent_bytes;
        updraft_flow_report(flow, UPDRAFT_EVENT_PROGRESS);
    }
    if (updraft_client_state(&flow->session) == UPDRAFT_CLIENT_VERIFYING) {
        updraft_flow_phase(flow, UPDRAFT_PHASE_VERIFYING);
    }
}

static void session_failed(struct updraft_flow *flow, bool link_up, uint32_t now_ms)
{
    int status = updraft_client_error(&flow->session);
    assert(status < 0);
    bool answer_lost =
        status == UPDRAFT_ERROR_LINK_LOST || status == UPDRAFT_ERROR_LINK_TIMEOUT;
    if (updraft_client_done_sent(&flow->session) && answer_lost) {
        flow->verdict_lost = status;
        updraft_flow_await_return(flow, now_ms);
    }
    updraft_flow_failed(flow, status, link_up, now_ms);
}

/* Lets the session go on as far as it can. */
static void advance(struct updraft_flow *flow, bool link_up, uint32_t now_ms)
{
    struct updraft_client_action action;
    while (link_up && updraft_client_poll(&flow->session, &action)) {
        int status = start_action(flow, &action);
        if (status >= 0) {
            continue;
        }
        if (action.kind == UPDRAFT_CLIENT_SUBSCRIBE) {
            updraft_client_subscribed(&flow->session, status, now_ms);
        } else {
            updraft_client_written(&flow->session, status, 0, now_ms);
        }
    }
    report_session(flow);
    switch (updraft_client_state(&flow->session)) {
    case UPDRAFT_CLIENT_DONE:
        updraft_flow_leave(flow, link_up, now_ms);
        break;
    case UPDRAFT_CLIENT_FAILED:
        session_failed(flow, link_up, now_ms);
        break;
    case UPDRAFT_CLIENT_SUBSCRIBING:
    case UPDRAFT_CLIENT_TELLING:
    case UPDRAFT_CLIENT_REQUESTING:
    case UPDRAFT_CLIENT_WAITING:
    case UPDRAFT_CLIENT_SENDING:
    case UPDRAFT_CLIENT_VERIFYING:
        break;
    }
}

void updraft_flow_update_begin(struct updraft_flow *flow, uint32_t now_ms)
{
    uint8_t control = flow->properties[UPDRAFT_CONTROL];
    uint8_t data = flow->properties[UPDRAFT_DATA];
    if ((control & WRITABLE) == 0 || (control & UPDRAFT_PROPERTY_NOTIFY) == 0 ||
        (data & WRITABLE) == 0) {
        updraft_flow_close(flow, UPDRAFT_ERROR_LINK_NO_SERVICE, now_ms);
        return;
    }
    if (!flow->config.force && flow->version[0] != '\0' &&
        strcmp(flow->firmware, flow->version) == 0) {
        flow->outcome = UPDRAFT_OUTCOME_ALREADY;
        updraft_flow_close(flow, UPDRAFT_OK, now_ms);
        return;
    }
    struct updraft_client_config config = {
        .image_size_bytes = flow->config.image_size_bytes,
        .mtu = flow->mtu,
        .control_by_command = (control & UPDRAFT_PROPERTY_WRITE) == 0,
        .data_by_command = (data & UPDRAFT_PROPERTY_WRITE) == 0,
    };
    int status = updraft_client_init(&flow->session, &config, now_ms);
    if (status < 0) {
        updraft_flow_close(flow, status, now_ms);
        return;
    }
    flow->progress_bytes = 0;
    updraft_flow_enter(flow, UPDRAFT_FLOW_UPDATING);
    advance(flow, /* link_up= */ true, now_ms);
}

void updraft_flow_update_event(struct updraft_flow *flow,
                               const struct updraft_transport_event *event,
                               uint32_t now_ms)
{
    assert(flow->state == UPDRAFT_FLOW_UPDATING);
    bool link_up = true;
    switch (event->kind) {
    case UPDRAFT_TRANSPORT_SUBSCRIBED:
        updraft_client_subscribed(&flow->session, event->status, now_ms);
        break;
    case UPDRAFT_TRANSPORT_WRITTEN:
        updraft_client_written(&flow->session, event->status, event->att_error, now_ms);
        break;
    case UPDRAFT_TRANSPORT_NOTIFIED:
        if (event->characteristic == UPDRAFT_CONTROL) {
            updraft_client_notified(&flow->session, event->bytes, event->size, now_ms);
        }
        break;
    case UPDRAFT_TRANSPORT_DISCONNECTED:
        updraft_client_link_lost(&flow->session);
        link_up = false;
        break;
    case UPDRAFT_TRANSPORT_FOUND:
    case UPDRAFT_TRANSPORT_CONNECTED:
    case UPDRAFT_TRANSPORT_READ:
    case UPDRAFT_TRANSPORT_FAILED:
        break;
    }
    advance(flow, link_up, now_ms);
}

void updraft_flow_update_tick(struct updraft_flow *flow, uint32_t now_ms)
{
    uint32_t deadline_ms;
    if (updraft_client_deadline(&flow->session, &deadline_ms) &&
        updraft_flow_due(deadline_ms, now_ms)) {
        updraft_client_tick(&flow->session, now_ms);
        advance(flow, /* link_up= */ true, now_ms);
    }
}

void updraft_flow_watch(struct updraft_flow *flow, uint32_t now_ms)
{
    updraft_flow_enter(flow, UPDRAFT_FLOW_WATCHING);
    updraft_flow_arm(flow, now_ms, flow->config.watch_ms);
    updraft_flow_phase(flow, UPDRAFT_PHASE_WATCHING);
}

void updraft_flow_judge(struct updraft_flow *flow, uint32_t now_ms)
{
    assert(flow->state == UPDRAFT_FLOW_READING && flow->watched);
    bool told = flow->firmware[0] != '\0' && flow->version[0] != '\0';
    bool changed = strcmp(flow->firmware, flow->firmware_before) != 0;
    int status = UPDRAFT_OK;
    if (flow->config.verb == UPDRAFT_FLOW_ROLLBACK) {
        /* It spoke protocol 2 before: this is another firmware. */
        flow->outcome = UPDRAFT_OUTCOME_REVERTED;
    } else if (told && changed && strcmp(flow->firmware, flow->version) == 0) {
        flow->outcome = UPDRAFT_OUTCOME_RUNNING;
    } else if (flow->verdict_lost < 0) {
        /* Whether it ever took the image is not known: what is known is the lost link. */
        status = flow->verdict_lost;
    } else if (flow->config.verb == UPDRAFT_FLOW_CONFIRM ||
               (told && !changed && strcmp(flow->firmware, flow->version) != 0)) {
        status = UPDRAFT_ERROR_ROLLED_BACK;
    } else {
        flow->outcome = UPDRAFT_OUTCOME_UNTOLD;
    }
    updraft_flow_close(flow, status, now_ms);
}
