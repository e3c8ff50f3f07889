/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * NimBLE's porting layer: the host's event queue, timers, time. */
#include "nimble/nimble_port.h"
#include "sim/nimble/nimble.h"

/* The one queue that a task serves. Only its address is used. */
struct ble_npl_eventq {
    char unused;
};

static struct ble_npl_eventq host_queue;

struct ble_npl_eventq *nimble_port_get_dflt_eventq(void)
{
    return &host_queue;
}

bool ble_npl_os_started(void)
{
    return true;
}

void *ble_npl_get_current_task_id(void)
{
    return xTaskGetCurrentTaskHandle();
}

void ble_npl_eventq_put(struct ble_npl_eventq *evq, struct ble_npl_event *ev)
{
    struct nimble *n = nimble_ready(__func__);
    (void)evq;
    if (!ev->queued) {
        ev->queued = true;
        STAILQ_INSERT_TAIL(&n->npl_events, ev, next);
        nimble_wake(n);
    }
}

void ble_npl_eventq_remove(struct ble_npl_eventq *evq, struct ble_npl_event *ev)
{
    struct nimble *n = nimble_ready(__func__);
    (void)evq;
    if (ev->queued) {
        ev->queued = false;
        STAILQ_REMOVE(&n->npl_events, ev, ble_npl_event, next);
    }
}

void ble_npl_event_init(struct ble_npl_event *ev, ble_npl_event_fn *fn, void *arg)
{
    *ev = (struct ble_npl_event){.fn = fn, .arg = arg};
}

void ble_npl_event_deinit(struct ble_npl_event *ev)
{
    ble_npl_eventq_remove(&host_queue, ev);
}

bool ble_npl_event_is_queued(struct ble_npl_event *ev)
{
    return ev->queued;
}

void *ble_npl_event_get_arg(struct ble_npl_event *ev)
{
    return ev->arg;
}

void ble_npl_event_set_arg(struct ble_npl_event *ev, void *arg)
{
    ev->arg = arg;
}

void ble_npl_event_run(struct ble_npl_event *ev)
{
    ev->fn(ev);
}

int ble_npl_callout_init(struct ble_npl_callout *co, struct ble_npl_eventq *evq,
                         ble_npl_event_fn *ev_cb, void *ev_arg)
{
    *co = (struct ble_npl_callout){.evq = evq};
    ble_npl_event_init(&co->ev, ev_cb, ev_arg);
    return 0;
}

void ble_npl_callout_deinit(struct ble_npl_callout *co)
{
    ble_npl_callout_stop(co);
    ble_npl_event_deinit(&co->ev);
}

ble_npl_error_t ble_npl_callout_reset(struct ble_npl_callout *co, ble_npl_time_t ticks)
{
    struct nimble *n = nimble_ready(__func__);
    ble_npl_callout_stop(co);
    co->at = xTaskGetTickCount() + (ticks == 0 ? 1 : ticks);
    co->active = true;
    LIST_INSERT_HEAD(&n->callouts, co, next);
    nimble_wake(n);
    return BLE_NPL_OK;
}

void ble_npl_callout_stop(struct ble_npl_callout *co)
{
    if (co->active) {
        co->active = false;
        LIST_REMOVE(co, next);
    }
}

bool ble_npl_callout_is_active(struct ble_npl_callout *co)
{
    return co->active;
}

ble_npl_time_t ble_npl_callout_get_ticks(struct ble_npl_callout *co)
{
    return co->at;
}

void ble_npl_callout_set_arg(struct ble_npl_callout *co, void *arg)
{
    co->ev.arg = arg;
}

TickType_t npl_timers(struct nimble *n)
{
    TickType_t next = portMAX_DELAY;
    struct ble_npl_callout *co = LIST_FIRST(&n->callouts);
    while (co != NULL) {
        struct ble_npl_callout *following = LIST_NEXT(co, next);
        if (nimble_due(co->at)) {
            ble_npl_callout_stop(co);
            ble_npl_eventq_put(co->evq, &co->ev);
            next = 0;
        } else if (co->at - xTaskGetTickCount() < next) {
            next = co->at - xTaskGetTickCount();
        }
        co = following;
    }
    return next;
}

ble_npl_time_t ble_npl_time_get(void)
{
    return xTaskGetTickCount();
}

ble_npl_time_t ble_npl_time_ms_to_ticks32(uint32_t ms)
{
    return nimble_ticks(nimble_ready(__func__), ms);
}

uint32_t ble_npl_time_ticks_to_ms32(ble_npl_time_t ticks)
{
    return (uint32_t)((uint64_t)ticks * 1000 /
                      nimble_ready(__func__)->binding->tick_rate_hz);
}

ble_npl_error_t ble_npl_time_ms_to_ticks(uint32_t ms, ble_npl_time_t *out_ticks)
{
    *out_ticks = ble_npl_time_ms_to_ticks32(ms);
    return BLE_NPL_OK;
}

ble_npl_error_t ble_npl_time_ticks_to_ms(ble_npl_time_t ticks, uint32_t *out_ms)
{
    *out_ms = ble_npl_time_ticks_to_ms32(ticks);
    return BLE_NPL_OK;
}

void ble_npl_time_delay(ble_npl_time_t ticks)
{
    vTaskDelay(ticks);
}
