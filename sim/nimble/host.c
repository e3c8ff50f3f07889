/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The host's task: its work in order, synchronisation with the controller, reset. */
#include <assert.h>

#include "sim/nimble/nimble.h"

void host_reset_schedule(struct nimble *n, int reason)
{
    if (n->reset_reason == 0) {
        n->reset_reason = reason;
    }
    n->reset_scheduled = true;
    nimble_wake(n);
}

static void synchronise(struct nimble *n)
{
    n->sync_retry = false;
    int rc = nimble_hci_start_up(n);
    n->synced = rc == 0;
    if (rc != 0) {
        n->sync_retry = true;
        n->sync_deadline = xTaskGetTickCount() + nimble_ticks(n, SYNC_RETRY_MS);
    } else if (n->binding->hs_cfg->sync_cb != NULL) {
        n->binding->hs_cfg->sync_cb();
    }
}

static void reset(struct nimble *n)
{
    n->reset_scheduled = false;
    n->synced = false;
    receive_clear(n);
    int reason = n->reset_reason;
    gap_reset(n, reason);
    if (n->binding->hs_cfg->reset_cb != NULL && reason != 0) {
        n->binding->hs_cfg->reset_cb(reason);
    }
    n->reset_reason = 0;
    synchronise(n);
}

void host_start(struct nimble *n)
{
    if (n->enabled != HOST_OFF) {
        return;
    }
    n->enabled = HOST_ON;
    int rc = gatts_register_all(n);
    if (rc != 0) {
        sim_runtime_log(n->board, "E NimBLE: the services cannot be registered: %d", rc);
        return;
    }
    synchronise(n);
}

static TickType_t sooner(TickType_t a, TickType_t b)
{
    return a < b ? a : b;
}

static TickType_t until(TickType_t deadline)
{
    return nimble_due(deadline) ? 0 : deadline - xTaskGetTickCount();
}

/* Timers that are due run; returns ticks until the next. */
static TickType_t timers(struct nimble *n)
{
    TickType_t next = sooner(gap_timers(n), gap_adv_timer(n));
    next = sooner(next, npl_timers(n));
    if (n->sync_retry) {
        next = sooner(next, until(n->sync_deadline));
    }
    if (n->stop_requested) {
        next = sooner(next, until(n->stop_deadline));
    }
    return next;
}

TickType_t host_idle_ticks(struct nimble *n)
{
    bool work = n->arrivals_count > 0 || !STAILQ_EMPTY(&n->npl_events) ||
                n->reset_scheduled || n->start_scheduled;
    return work ? 0 : timers(n);
}

/* One piece of work. */
void host_work(struct nimble *n)
{
    struct hci_event_item *event;
    struct os_mbuf *data;
    if (n->start_scheduled) {
        n->start_scheduled = false;
        host_start(n);
    } else if (n->reset_scheduled) {
        reset(n);
    } else if (n->sync_retry && nimble_due(n->sync_deadline)) {
        synchronise(n);
    } else if (receive_next(n, &event, &data)) {
        if (event != NULL) {
            struct hci_event_item copy = *event;
            receive_event_free(n, event);
            nimble_hci_event(n, copy.bytes, copy.size);
        } else {
            nimble_l2cap_input(n, data);
        }
    } else if (!STAILQ_EMPTY(&n->npl_events)) {
        struct ble_npl_event *work = STAILQ_FIRST(&n->npl_events);
        STAILQ_REMOVE_HEAD(&n->npl_events, next);
        work->queued = false;
        work->fn(work);
    }
    gatts_send_modified(n);
    nimble_l2cap_pump(n);
}
