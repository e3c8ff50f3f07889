/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The flow over protocol 2: it carries out what core's session, or a single command,
 * says.
 */
#include <assert.h>
#include <string.h>

#include "client/src/flow_private.h"

/* How long ABORT may take before the link is closed without it. */
#define ABORT_LIMIT_MS 1000u

/* Starts what the session asks for. Returns 0 or why it could not be started. */
static int start_action(struct updraft_flow *flow,
                        const struct updraft_client2_action *action)
{
    const struct updraft_transport_ops *ops = flow->config.ops;
    const struct updraft_parcel *parcel = flow->config.parcel;
    size_t head = UPDRAFT_P2_DATA_HEAD_SIZE;
    switch (action->kind) {
    case UPDRAFT_CLIENT2_SUBSCRIBE:
        return ops->subscribe(flow->config.transport, UPDRAFT_CONTROL);
    case UPDRAFT_CLIENT2_WRITE_CONTROL:
        return ops->write(flow->config.transport, UPDRAFT_CONTROL, action->bytes,
                          action->size_bytes, /* with_response= */ true);
    case UPDRAFT_CLIENT2_WRITE_DATA:
        assert(head + action->size_bytes <= sizeof(flow->packet));
        assert((uint64_t)action->offset_bytes + action->size_bytes <=
               (action->source == UPDRAFT_CLIENT2_MANIFEST ? sizeof(parcel->manifest)
                                                           : parcel->size_bytes));
        memcpy(flow->packet, action->bytes, head);
        memcpy(flow->packet + head,
               (action->source == UPDRAFT_CLIENT2_MANIFEST ? parcel->manifest
                                                           : flow->config.image) +
                   action->offset_bytes,
               action->size_bytes);
        return ops->write(flow->config.transport, UPDRAFT_DATA, flow->packet,
                          head + action->size_bytes, /* with_response= */ false);
    }
    return UPDRAFT_ERROR_STATE;
}

/* ---- the session ---- */

static void report_progress(struct updraft_flow *flow)
{
    uint32_t done_bytes = updraft_client2_done_bytes(&flow->session2);
    bool first = !flow->kept_known;
    if (first) {
        /* Nothing of this session has been sent yet. */
        flow->kept_known = true;
        flow->kept_bytes = done_bytes;
        if (!flow->first_kept_known) {
            flow->first_kept_known = true;
            flow->first_kept_bytes = done_bytes;
        }
    }
    if (done_bytes > flow->best_bytes) {
        flow->best_bytes = done_bytes;
        flow->progressed = true;
    }
    if (done_bytes != flow->progress_bytes || (first && done_bytes > 0)) {
        flow->progress_bytes = done_bytes;
        updraft_flow_report(flow, UPDRAFT_EVENT_PROGRESS);
    }
}

static void report_session(struct updraft_flow *flow)
{
    switch (updraft_client2_state(&flow->session2)) {
    case UPDRAFT_CLIENT2_SUBSCRIBING:
    case UPDRAFT_CLIENT2_OPENING:
    case UPDRAFT_CLIENT2_TELLING:
    case UPDRAFT_CLIENT2_MAPPING:
        updraft_flow_phase(flow, UPDRAFT_PHASE_REQUESTING);
        break;
    case UPDRAFT_CLIENT2_RANGING:
    case UPDRAFT_CLIENT2_SENDING:
        updraft_flow_phase(flow, UPDRAFT_PHASE_TRANSFERRING);
        report_progress(flow);
        break;
    case UPDRAFT_CLIENT2_VERIFYING:
        report_progress(flow);
        updraft_flow_phase(flow, UPDRAFT_PHASE_VERIFYING);
        break;
    case UPDRAFT_CLIENT2_ACTIVATING:
    case UPDRAFT_CLIENT2_DONE:
    case UPDRAFT_CLIENT2_STAGED:
        report_progress(flow);
        break;
    case UPDRAFT_CLIENT2_FAILED:
        break;
    }
}

/* Of what the sessions sent, what the device had or should have had already. */
static void count_resent(struct updraft_flow *flow, bool complete)
{
    flow->sent_bytes += updraft_client2_sent_bytes(&flow->session2);
    flow->resent_bytes += updraft_client2_resent_bytes(&flow->session2);
    if (complete) {
        uint32_t needed = flow->config.parcel->size_bytes - flow->first_kept_bytes;
        flow->resent_bytes = flow->sent_bytes > needed ? flow->sent_bytes - needed : 0;
    }
}

static void session_failed(struct updraft_flow *flow, bool link_up, uint32_t now_ms)
{
    int status = updraft_client2_error(&flow->session2);
    assert(status < 0);
    bool told = updraft_client2_status(&flow->session2) != UPDRAFT_P2_OK;
    bool answer_lost =
        status == UPDRAFT_ERROR_LINK_LOST || status == UPDRAFT_ERROR_LINK_TIMEOUT;
    flow->status_detail = told ? updraft_client2_detail(&flow->session2) : 0;
    if (updraft_client2_activate_sent(&flow->session2) && !told && answer_lost) {
        flow->verdict_lost = status;
        updraft_flow_await_return(flow, now_ms);
    }
    updraft_flow_failed(flow, status, link_up, now_ms);
}

/* Lets the session go on as far as it can. */
static void advance_session(struct updraft_flow *flow, bool link_up, uint32_t now_ms)
{
    struct updraft_client2_action action;
    while (link_up && updraft_client2_poll(&flow->session2, now_ms, &action)) {
        int status = start_action(flow, &action);
        if (status >= 0) {
            continue;
        }
        if (action.kind == UPDRAFT_CLIENT2_SUBSCRIBE) {
            updraft_client2_subscribed(&flow->session2, status, now_ms);
        } else {
            updraft_client2_written(&flow->session2, status, now_ms);
        }
    }
    report_session(flow);
    switch (updraft_client2_state(&flow->session2)) {
    case UPDRAFT_CLIENT2_DONE:
        count_resent(flow, /* complete= */ true);
        updraft_flow_leave(flow, link_up, now_ms);
        break;
    case UPDRAFT_CLIENT2_STAGED:
        count_resent(flow, /* complete= */ true);
        flow->outcome = UPDRAFT_OUTCOME_STAGED;
        updraft_flow_close(flow, UPDRAFT_OK, now_ms);
        break;
    case UPDRAFT_CLIENT2_FAILED:
        count_resent(flow, /* complete= */ false);
        session_failed(flow, link_up, now_ms);
        break;
    case UPDRAFT_CLIENT2_SUBSCRIBING:
    case UPDRAFT_CLIENT2_OPENING:
    case UPDRAFT_CLIENT2_TELLING:
    case UPDRAFT_CLIENT2_MAPPING:
    case UPDRAFT_CLIENT2_RANGING:
    case UPDRAFT_CLIENT2_SENDING:
    case UPDRAFT_CLIENT2_VERIFYING:
    case UPDRAFT_CLIENT2_ACTIVATING:
        break;
    }
}

void updraft_flow_native_begin(struct updraft_flow *flow, uint32_t now_ms)
{
    const struct updraft_parcel *parcel = flow->config.parcel;
    struct updraft_client2_config config = {
        .file_size_bytes = parcel->size_bytes,
        .write_size_bytes = flow->info.write_size_bytes,
        .mtu = flow->mtu,
        .sector_crcs = parcel->sector_crcs,
        .first_sector_crc = parcel->first_sector_crc,
        .nonce = flow->config.nonce + flow->attempts_total,
        .confirm_by = UPDRAFT_P2_CONFIRM_BY_CLIENT,
        /* What this very job has sent is as fresh as it can be. */
        .fresh = flow->config.fresh && flow->best_bytes == 0,
        .again = flow->best_bytes > 0,
        .stage = flow->config.stage,
        .force = flow->config.force,
    };
    memcpy(config.image_id, parcel->image_id, sizeof(config.image_id));
    if (updraft_client2_init(&flow->session2, &config, now_ms) < 0) {
        /* Of all that, only the size of a write is the device's. */
        updraft_flow_close(flow, UPDRAFT_ERROR_LINK_PROTOCOL, now_ms);
        return;
    }
    flow->progress_bytes = 0;
    flow->kept_known = false;
    flow->kept_bytes = 0;
    flow->session_number = 0;
    updraft_flow_enter(flow, UPDRAFT_FLOW_STREAMING);
    advance_session(flow, /* link_up= */ true, now_ms);
}

bool updraft_flow_native_abort(struct updraft_flow *flow, uint32_t now_ms)
{
    uint8_t bytes[UPDRAFT_P2_COMMAND_MAX];
    struct updraft_p2_command abort = {
        .opcode = UPDRAFT_P2_ABORT,
        .session = flow->session_number,
    };
    if (flow->session_number == 0) {
        return false;
    }
    size_t size = updraft_p2_put_command(&abort, bytes);
    if (flow->config.ops->write(flow->config.transport, UPDRAFT_CONTROL, bytes, size,
                                /* with_response= */ true) < 0) {
        return false;
    }
    updraft_flow_enter(flow, UPDRAFT_FLOW_ABORTING);
    updraft_flow_arm(flow, now_ms, ABORT_LIMIT_MS);
    updraft_flow_phase(flow, UPDRAFT_PHASE_ENDING);
    return true;
}

/* ---- a single command ---- */

static void advance_order(struct updraft_flow *flow, bool link_up, uint32_t now_ms)
{
    struct updraft_client2_action action;
    while (link_up && updraft_command2_poll(&flow->order, now_ms, &action)) {
        int status = start_action(flow, &action);
        if (status >= 0) {
            continue;
        }
        if (action.kind == UPDRAFT_CLIENT2_SUBSCRIBE) {
            updraft_command2_subscribed(&flow->order, status, now_ms);
        } else {
            updraft_command2_written(&flow->order, status, now_ms);
        }
    }
    switch (updraft_command2_state(&flow->order)) {
    case UPDRAFT_COMMAND2_DONE:
        updraft_flow_ordered(flow, UPDRAFT_OK, link_up, now_ms);
        break;
    case UPDRAFT_COMMAND2_FAILED:
        updraft_flow_ordered(flow, updraft_command2_error(&flow->order), link_up, now_ms);
        break;
    case UPDRAFT_COMMAND2_SUBSCRIBING:
    case UPDRAFT_COMMAND2_ASKING:
        break;
    }
}

void updraft_flow_order(struct updraft_flow *flow,
                        const struct updraft_p2_command *command, uint32_t now_ms)
{
    int status = updraft_command2_init(&flow->order, command, now_ms);
    assert(status == UPDRAFT_OK);
    (void)status;
    flow->order_opcode = command->opcode;
    updraft_flow_enter(flow, UPDRAFT_FLOW_ORDERING);
    advance_order(flow, /* link_up= */ true, now_ms);
}

/* ---- events ---- */

/* A message that the device had no room for (SPEC.md, ATT errors) is handled as one whose
 * answer was lost: said again when the time for an answer is over, a few times at most.
 */
static int written_status(const struct updraft_transport_event *event)
{
    bool no_room = event->status == UPDRAFT_ERROR_LINK_ATT &&
                   event->characteristic == UPDRAFT_CONTROL &&
                   event->att_error == UPDRAFT_P2_ATT_NO_ROOM;
    return no_room ? UPDRAFT_OK : event->status;
}

static void order_event(struct updraft_flow *flow,
                        const struct updraft_transport_event *event, uint32_t now_ms)
{
    bool link_up = true;
    switch (event->kind) {
    case UPDRAFT_TRANSPORT_SUBSCRIBED:
        updraft_command2_subscribed(&flow->order, event->status, now_ms);
        break;
    case UPDRAFT_TRANSPORT_WRITTEN:
        updraft_command2_written(&flow->order, written_status(event), now_ms);
        break;
    case UPDRAFT_TRANSPORT_NOTIFIED:
        if (event->characteristic == UPDRAFT_CONTROL) {
            updraft_command2_notified(&flow->order, event->bytes, event->size);
        }
        break;
    case UPDRAFT_TRANSPORT_DISCONNECTED:
        updraft_command2_link_lost(&flow->order);
        link_up = false;
        break;
    case UPDRAFT_TRANSPORT_FOUND:
    case UPDRAFT_TRANSPORT_CONNECTED:
    case UPDRAFT_TRANSPORT_READ:
    case UPDRAFT_TRANSPORT_FAILED:
        break;
    }
    advance_order(flow, link_up, now_ms);
}

static void notified(struct updraft_flow *flow,
                     const struct updraft_transport_event *event, uint32_t now_ms)
{
    struct updraft_p2_report report;
    if (event->characteristic != UPDRAFT_CONTROL) {
        return;
    }
    if (updraft_p2_get_report(event->bytes, event->size, &report)) {
        flow->session_number = report.session;
    }
    updraft_client2_notified(&flow->session2, event->bytes, event->size, now_ms);
}

void updraft_flow_native_event(struct updraft_flow *flow,
                               const struct updraft_transport_event *event,
                               uint32_t now_ms)
{
    bool link_up = true;
    if (flow->state == UPDRAFT_FLOW_ORDERING) {
        order_event(flow, event, now_ms);
        return;
    }
    assert(flow->state == UPDRAFT_FLOW_STREAMING);
    switch (event->kind) {
    case UPDRAFT_TRANSPORT_SUBSCRIBED:
        updraft_client2_subscribed(&flow->session2, event->status, now_ms);
        break;
    case UPDRAFT_TRANSPORT_WRITTEN:
        updraft_client2_written(&flow->session2, written_status(event), now_ms);
        break;
    case UPDRAFT_TRANSPORT_NOTIFIED:
        notified(flow, event, now_ms);
        break;
    case UPDRAFT_TRANSPORT_DISCONNECTED:
        updraft_client2_link_lost(&flow->session2);
        link_up = false;
        break;
    case UPDRAFT_TRANSPORT_FOUND:
    case UPDRAFT_TRANSPORT_CONNECTED:
    case UPDRAFT_TRANSPORT_READ:
    case UPDRAFT_TRANSPORT_FAILED:
        break;
    }
    advance_session(flow, link_up, now_ms);
}

bool updraft_flow_native_deadline(const struct updraft_flow *flow,
                                  uint32_t *ret_deadline_ms)
{
    return flow->state == UPDRAFT_FLOW_ORDERING
               ? updraft_command2_deadline(&flow->order, ret_deadline_ms)
               : updraft_client2_deadline(&flow->session2, ret_deadline_ms);
}

void updraft_flow_native_tick(struct updraft_flow *flow, uint32_t now_ms)
{
    uint32_t deadline_ms;
    if (!updraft_flow_native_deadline(flow, &deadline_ms) ||
        !updraft_flow_due(deadline_ms, now_ms)) {
        return;
    }
    if (flow->state == UPDRAFT_FLOW_ORDERING) {
        updraft_command2_tick(&flow->order, now_ms);
        advance_order(flow, /* link_up= */ true, now_ms);
    } else {
        updraft_client2_tick(&flow->session2, now_ms);
        advance_session(flow, /* link_up= */ true, now_ms);
    }
}
