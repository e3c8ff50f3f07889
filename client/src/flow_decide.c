/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What follows from what a device with protocol 2 says of itself: to send, to confirm, to
 * wait, or that the job is done.
 */
#include <assert.h>
#include <string.h>

#include "client/src/flow_private.h"

/* So often a device may be seen with its old firmware after it said that it restarts: it
 * may not have done so yet. */
#define OLD_SEEN_MAX 6u
/* A trial ends by itself; so much later it should have said how. */
#define TRIAL_GRACE_MS 15000u
/* Whatever a device says is left of it: the longest self-test (10 min) and the longest
 * time to hold out after it (1 min) fit. */
#define TRIAL_MAX_S 900u

static bool same_id(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, UPDRAFT_P2_ID_SIZE) == 0;
}

static bool runs_wanted(const struct updraft_flow *flow)
{
    return flow->wanted_size > 0 &&
           memcmp(flow->info.image_id, flow->wanted_id, flow->wanted_size) == 0;
}

static bool tells_rollback(const struct updraft_flow *flow)
{
    return flow->info.result == UPDRAFT_RESULT_ROLLED_BACK && flow->wanted_size > 0 &&
           same_id(flow->info.noted_id, flow->wanted_id);
}

/* What runs is to be left for another firmware: it is known when it is back. */
static void note_before(struct updraft_flow *flow)
{
    flow->before_known = true;
    flow->before_rolled_back = tells_rollback(flow);
    flow->before_slot = flow->info.slot;
    memcpy(flow->before_id, flow->info.image_id, sizeof(flow->before_id));
}

/* An image may be in both slots: only the slot tells whether it is the one that was
 * there before. */
static bool has_moved(const struct updraft_flow *flow)
{
    return !flow->before_known || flow->info.slot != flow->before_slot ||
           memcmp(flow->info.image_id, flow->before_id, sizeof(flow->before_id)) != 0;
}

static void done(struct updraft_flow *flow, enum updraft_outcome outcome, uint32_t now_ms)
{
    flow->outcome = outcome;
    updraft_flow_close(flow, UPDRAFT_OK, now_ms);
}

static void order(struct updraft_flow *flow, uint8_t opcode, const uint8_t *id,
                  uint32_t now_ms)
{
    struct updraft_p2_command command = {.opcode = opcode};
    memcpy(command.id, id, UPDRAFT_P2_ID_SIZE);
    if (opcode == UPDRAFT_P2_ACTIVATE) {
        command.confirm_by = UPDRAFT_P2_CONFIRM_BY_CLIENT;
    } else if (opcode == UPDRAFT_P2_ROLLBACK) {
        command.target = flow->config.factory ? UPDRAFT_P2_ROLLBACK_FACTORY
                                              : UPDRAFT_P2_ROLLBACK_PREVIOUS;
    }
    updraft_flow_order(flow, &command, now_ms);
}

/* Looks again in a while, on this link. */
static void watch(struct updraft_flow *flow, uint32_t now_ms)
{
    updraft_flow_enter(flow, UPDRAFT_FLOW_WATCHING);
    updraft_flow_arm(flow, now_ms, flow->config.poll_ms);
    updraft_flow_phase(flow, UPDRAFT_PHASE_WATCHING);
}

static void watch_trial(struct updraft_flow *flow, uint32_t now_ms)
{
    uint32_t left_s = flow->info.trial_left_s;
    if (!flow->watch_set) {
        left_s = left_s < TRIAL_MAX_S ? left_s : TRIAL_MAX_S;
        flow->watch_set = true;
        flow->watch_deadline_ms = now_ms + left_s * 1000u + TRIAL_GRACE_MS;
    }
    if (updraft_flow_due(flow->watch_deadline_ms, now_ms)) {
        updraft_flow_close(flow, UPDRAFT_ERROR_ON_TRIAL, now_ms);
    } else if ((flow->info.flags & UPDRAFT_INFO_CONFIRM_CLIENT) != 0) {
        order(flow, UPDRAFT_P2_CONFIRM, flow->info.image_id, now_ms);
    } else {
        watch(flow, now_ms);
    }
}

/* The firmware that is meant runs. */
static void arrived(struct updraft_flow *flow, uint32_t now_ms)
{
    enum updraft_outcome outcome = UPDRAFT_OUTCOME_RUNNING;
    if (flow->info.run_state == UPDRAFT_RUN_ON_TRIAL) {
        watch_trial(flow, now_ms);
        return;
    }
    if (flow->config.verb == UPDRAFT_FLOW_ROLLBACK) {
        outcome = UPDRAFT_OUTCOME_REVERTED;
    } else if (flow->info.run_state == UPDRAFT_RUN_CONFIRMED) {
        outcome = UPDRAFT_OUTCOME_CONFIRMED;
    }
    done(flow, outcome, now_ms);
}

/* It runs something else than it should. */
static void astray(struct updraft_flow *flow, uint32_t now_ms)
{
    const struct updraft_info *info = &flow->info;
    bool ours = flow->wanted_size > 0 && same_id(info->noted_id, flow->wanted_id);
    if (flow->config.verb == UPDRAFT_FLOW_ROLLBACK) {
        ours = false;
    }
    /* An ACTIVATE that never got there leaves what Info told of an earlier one. */
    bool untold = flow->before_rolled_back && flow->verdict_lost < 0;
    if (ours && tells_rollback(flow) && !untold) {
        updraft_flow_close(flow, UPDRAFT_ERROR_ROLLED_BACK, now_ms);
    } else if (ours && info->result == UPDRAFT_RESULT_LOST && !flow->activated_again) {
        /* The power went away between selecting the image and its first boot. */
        flow->activated_again = true;
        order(flow, UPDRAFT_P2_ACTIVATE, flow->wanted_id, now_ms);
    } else if (flow->old_seen < OLD_SEEN_MAX) {
        flow->old_seen++;
        watch(flow, now_ms);
    } else if (flow->verdict_lost < 0 && flow->config.verb == UPDRAFT_FLOW_UPDATE) {
        /* Our ACTIVATE never got there: back to sending, of which little is left. */
        int status = flow->verdict_lost;
        flow->verdict_lost = 0;
        flow->returning = false;
        flow->old_seen = 0;
        updraft_flow_failed(flow, status, /* link_up= */ true, now_ms);
    } else if (flow->verdict_lost < 0) {
        updraft_flow_close(flow, flow->verdict_lost, now_ms);
    } else if (flow->config.verb == UPDRAFT_FLOW_ROLLBACK) {
        updraft_flow_close(flow, UPDRAFT_ERROR_DEVICE_INTERNAL, now_ms);
    } else {
        updraft_flow_close(flow, UPDRAFT_ERROR_ROLLED_BACK, now_ms);
    }
}

static void decide_returned(struct updraft_flow *flow, uint32_t now_ms)
{
    /* It is back. Should the link be lost again, it gets the same time again. */
    updraft_flow_await_return(flow, now_ms);
    bool meant = flow->config.verb == UPDRAFT_FLOW_ROLLBACK || runs_wanted(flow);
    if (meant && has_moved(flow)) {
        arrived(flow, now_ms);
    } else {
        astray(flow, now_ms);
    }
}

static void decide_update(struct updraft_flow *flow, uint32_t now_ms)
{
    const struct updraft_info *info = &flow->info;
    bool again = flow->config.force || flow->config.fresh;
    if (flow->config.parcel == NULL) {
        updraft_flow_update_begin(flow, now_ms);
    } else if (runs_wanted(flow) && info->run_state == UPDRAFT_RUN_ON_TRIAL &&
               !flow->config.force) {
        /* Sent and activated before, by a client that did not see it through. */
        updraft_flow_await_return(flow, now_ms);
        arrived(flow, now_ms);
    } else if (runs_wanted(flow) && !flow->config.force) {
        done(flow, UPDRAFT_OUTCOME_ALREADY, now_ms);
    } else if (flow->config.stage && !again && (info->flags & UPDRAFT_INFO_STAGED) != 0 &&
               same_id(info->noted_id, flow->wanted_id)) {
        done(flow, UPDRAFT_OUTCOME_STAGED, now_ms);
    } else {
        note_before(flow);
        updraft_flow_native_begin(flow, now_ms);
    }
}

static void decide_activate(struct updraft_flow *flow, uint32_t now_ms)
{
    const struct updraft_info *info = &flow->info;
    bool staged = (info->flags & UPDRAFT_INFO_STAGED) != 0;
    if (runs_wanted(flow) && info->run_state == UPDRAFT_RUN_ON_TRIAL) {
        updraft_flow_await_return(flow, now_ms);
        arrived(flow, now_ms);
    } else if (runs_wanted(flow)) {
        done(flow, UPDRAFT_OUTCOME_ALREADY, now_ms);
    } else if (!staged ||
               (flow->wanted_size > 0 && !same_id(info->noted_id, flow->wanted_id))) {
        updraft_flow_close(flow, UPDRAFT_ERROR_NOTHING_STAGED, now_ms);
    } else {
        if (flow->wanted_size == 0) {
            flow->wanted_size = UPDRAFT_P2_ID_SIZE;
            memcpy(flow->wanted_id, info->noted_id, UPDRAFT_P2_ID_SIZE);
        }
        note_before(flow);
        order(flow, UPDRAFT_P2_ACTIVATE, flow->wanted_id, now_ms);
    }
}

static void decide_confirm(struct updraft_flow *flow, uint32_t now_ms)
{
    if (flow->info.run_state != UPDRAFT_RUN_ON_TRIAL) {
        done(flow, UPDRAFT_OUTCOME_ALREADY, now_ms);
        return;
    }
    flow->wanted_size = UPDRAFT_IMAGE_HASH_SIZE;
    memcpy(flow->wanted_id, flow->info.image_id, UPDRAFT_IMAGE_HASH_SIZE);
    updraft_flow_await_return(flow, now_ms);
    decide_returned(flow, now_ms);
}

void updraft_flow_decide(struct updraft_flow *flow, uint32_t now_ms)
{
    assert(flow->native && flow->state == UPDRAFT_FLOW_READING);
    if (flow->returning) {
        decide_returned(flow, now_ms);
        return;
    }
    switch (flow->config.verb) {
    case UPDRAFT_FLOW_INFO:
        updraft_flow_close(flow, UPDRAFT_OK, now_ms);
        break;
    case UPDRAFT_FLOW_UPDATE:
        decide_update(flow, now_ms);
        break;
    case UPDRAFT_FLOW_ACTIVATE:
        decide_activate(flow, now_ms);
        break;
    case UPDRAFT_FLOW_CONFIRM:
        decide_confirm(flow, now_ms);
        break;
    case UPDRAFT_FLOW_ROLLBACK:
        note_before(flow);
        order(flow, UPDRAFT_P2_ROLLBACK, flow->info.image_id, now_ms);
        break;
    case UPDRAFT_FLOW_SCAN:
        assert(false);
        break;
    }
}

void updraft_flow_ordered(struct updraft_flow *flow, int status, bool link_up,
                          uint32_t now_ms)
{
    bool told = updraft_command2_status(&flow->order) != UPDRAFT_P2_OK;
    bool confirm = flow->order_opcode == UPDRAFT_P2_CONFIRM;
    bool answer_lost =
        status == UPDRAFT_ERROR_LINK_LOST || status == UPDRAFT_ERROR_LINK_TIMEOUT;
    if (status == UPDRAFT_OK && confirm && link_up) {
        watch(flow, now_ms);
    } else if (status == UPDRAFT_OK && !confirm) {
        updraft_flow_leave(flow, link_up, now_ms);
    } else if (told && link_up) {
        flow->status_detail = updraft_command2_detail(&flow->order);
        updraft_flow_close(flow, status, now_ms);
    } else {
        if (!confirm && answer_lost && updraft_command2_sent(&flow->order)) {
            flow->verdict_lost = status;
        }
        if (!confirm && flow->verdict_lost < 0) {
            updraft_flow_await_return(flow, now_ms);
        }
        updraft_flow_failed(flow, status < 0 ? status : UPDRAFT_ERROR_LINK_LOST, link_up,
                            now_ms);
    }
}
