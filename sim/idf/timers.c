/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * esp_timer and FreeRTOS's software timers: each kind has a task that waits for the next
 * alarm and calls back. */
#include <assert.h>
#include <string.h>

#include "esp_timer.h"
#include "freertos/timers.h"
#include "sim/idf/internal.h"

#define ESP_TIMER_TASK_PRIORITY (configMAX_PRIORITIES - 3)
#define SERVICE_TASK_PRIORITY   1

/* What both kinds of timers are made of. */
struct alarm {
    struct alarm *next; /* in its dispatcher's list, in no order */
    bool active;
    uint64_t at_us;
    uint64_t order;     /* of being set, for alarms of one time */
    uint64_t period_us; /* 0: once */
    bool skip;          /* a late periodic alarm catches up in one step */
    void (*call)(struct alarm *alarm);
};

struct dispatcher {
    TaskHandle_t task;
    struct alarm *first;
};

struct timers {
    struct dispatcher esp_timer;
    struct dispatcher service;
};

struct esp_timer {
    struct alarm alarm;
    esp_timer_cb_t callback;
    void *argument;
};

struct tmrTimerControl {
    struct alarm alarm;
    const char *name;
    void *id;
    TimerCallbackFunction_t callback;
    TickType_t period_ticks;
    bool reload;
    bool from_heap;
};

static struct timers *timers_of(sim_board_t *board)
{
    return sim_runtime_part(board, SIM_PART_TIMERS, sizeof(struct timers));
}

static struct alarm *next_alarm(const struct dispatcher *dispatcher)
{
    struct alarm *next = NULL;
    for (struct alarm *alarm = dispatcher->first; alarm != NULL; alarm = alarm->next) {
        if (alarm->active &&
            (next == NULL || alarm->at_us < next->at_us ||
             (alarm->at_us == next->at_us && alarm->order < next->order))) {
            next = alarm;
        }
    }
    return next;
}

static void fire(sim_board_t *board, struct alarm *alarm)
{
    if (alarm->period_us == 0) {
        alarm->active = false;
    } else {
        alarm->at_us += alarm->period_us;
        alarm->order = board->order++;
        if (alarm->skip && alarm->at_us <= sim_now_us(board)) {
            uint64_t late_us = sim_now_us(board) - alarm->at_us;
            alarm->at_us += (late_us / alarm->period_us + 1) * alarm->period_us;
        }
    }
    alarm->call(alarm); /* may end the alarm and its memory */
}

static void dispatch(void *argument)
{
    struct dispatcher *dispatcher = argument;
    sim_board_t *board = sim_board_now();
    for (;;) {
        struct alarm *alarm = next_alarm(dispatcher);
        if (alarm != NULL && alarm->at_us <= sim_now_us(board)) {
            fire(board, alarm);
        } else {
            sim_task_block(board, dispatcher, alarm != NULL ? alarm->at_us : UINT64_MAX);
        }
    }
}

static bool add(sim_board_t *board, struct dispatcher *dispatcher, struct alarm *alarm,
                const char *task_name, unsigned priority)
{
    if (dispatcher->task == NULL) {
        dispatcher->task = sim_task_new(board, dispatch, task_name, dispatcher, priority);
        if (dispatcher->task == NULL) {
            return false;
        }
    }
    alarm->next = dispatcher->first;
    dispatcher->first = alarm;
    return true;
}

static void drop(struct dispatcher *dispatcher, struct alarm *alarm)
{
    for (struct alarm **at = &dispatcher->first; *at != NULL; at = &(*at)->next) {
        if (*at == alarm) {
            *at = alarm->next;
            break;
        }
    }
    alarm->active = false;
}

static void set(sim_board_t *board, struct dispatcher *dispatcher, struct alarm *alarm,
                uint64_t at_us, uint64_t period_us)
{
    alarm->active = true;
    alarm->at_us = at_us;
    alarm->period_us = period_us;
    alarm->order = board->order++;
    sim_task_wake_one(board, dispatcher); /* to look at the new list */
    sim_task_reschedule(board);
}

/* esp_timer */

static void call_esp_timer(struct alarm *alarm)
{
    struct esp_timer *timer = (struct esp_timer *)alarm;
    timer->callback(timer->argument);
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *create_args,
                           esp_timer_handle_t *out_handle)
{
    sim_board_t *board = sim_api();
    if (create_args == NULL || create_args->callback == NULL || out_handle == NULL ||
        create_args->dispatch_method >= ESP_TIMER_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    struct esp_timer *timer = sim_heap_alloc(board, sizeof(*timer));
    if (timer == NULL) {
        return ESP_ERR_NO_MEM;
    }
    memset(timer, 0, sizeof(*timer));
    timer->alarm.call = call_esp_timer;
    timer->alarm.skip = create_args->skip_unhandled_events;
    timer->callback = create_args->callback;
    timer->argument = create_args->arg;
    if (!add(board, &timers_of(board)->esp_timer, &timer->alarm, "esp_timer",
             ESP_TIMER_TASK_PRIORITY)) {
        sim_heap_free(board, timer);
        return ESP_ERR_NO_MEM;
    }
    *out_handle = timer;
    return ESP_OK;
}

static esp_err_t start(esp_timer_handle_t timer, uint64_t timeout_us, uint64_t period_us)
{
    sim_board_t *board = sim_api();
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (timer->alarm.active) {
        return ESP_ERR_INVALID_STATE;
    }
    set(board, &timers_of(board)->esp_timer, &timer->alarm,
        sim_now_us(board) + timeout_us, period_us);
    return ESP_OK;
}

esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t timeout_us)
{
    return start(timer, timeout_us, 0);
}

esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t period)
{
    return period == 0 ? ESP_ERR_INVALID_ARG : start(timer, period, period);
}

esp_err_t esp_timer_restart(esp_timer_handle_t timer, uint64_t timeout_us)
{
    sim_board_t *board = sim_api();
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!timer->alarm.active) {
        return ESP_ERR_INVALID_STATE;
    }
    uint64_t period_us = timer->alarm.period_us != 0 ? timeout_us : 0;
    set(board, &timers_of(board)->esp_timer, &timer->alarm,
        sim_now_us(board) + timeout_us, period_us);
    return ESP_OK;
}

esp_err_t esp_timer_stop(esp_timer_handle_t timer)
{
    (void)sim_api();
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!timer->alarm.active) {
        return ESP_ERR_INVALID_STATE;
    }
    timer->alarm.active = false;
    return ESP_OK;
}

esp_err_t esp_timer_delete(esp_timer_handle_t timer)
{
    sim_board_t *board = sim_api();
    if (timer == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (timer->alarm.active) {
        return ESP_ERR_INVALID_STATE;
    }
    drop(&timers_of(board)->esp_timer, &timer->alarm);
    sim_heap_free(board, timer);
    return ESP_OK;
}

int64_t esp_timer_get_time(void)
{
    return (int64_t)sim_uptime_us(sim_api());
}

int64_t esp_timer_get_next_alarm(void)
{
    sim_board_t *board = sim_api();
    const struct alarm *alarm = next_alarm(&timers_of(board)->esp_timer);
    return alarm != NULL ? (int64_t)(alarm->at_us - board->boot_us) : INT64_MAX;
}

esp_err_t esp_timer_get_period(esp_timer_handle_t timer, uint64_t *period)
{
    (void)sim_api();
    if (timer == NULL || period == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *period = timer->alarm.period_us;
    return ESP_OK;
}

esp_err_t esp_timer_get_expiry_time(esp_timer_handle_t timer, uint64_t *expiry)
{
    sim_board_t *board = sim_api();
    if (timer == NULL || expiry == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (timer->alarm.period_us != 0) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    *expiry = timer->alarm.at_us - board->boot_us;
    return ESP_OK;
}

bool esp_timer_is_active(esp_timer_handle_t timer)
{
    (void)sim_api();
    return timer != NULL && timer->alarm.active;
}

/* FreeRTOS's software timers */

static void call_service(struct alarm *alarm)
{
    struct tmrTimerControl *timer = (struct tmrTimerControl *)alarm;
    timer->callback(timer);
}

static TimerHandle_t init_timer(TimerHandle_t timer, const char *name, TickType_t period,
                                BaseType_t reload, void *id,
                                TimerCallbackFunction_t callback, bool from_heap)
{
    sim_board_t *board = sim_board_now();
    assert(period > 0 && callback != NULL);
    memset(timer, 0, sizeof(*timer));
    timer->alarm.call = call_service;
    timer->name = name;
    timer->id = id;
    timer->callback = callback;
    timer->period_ticks = period;
    timer->reload = reload != pdFALSE;
    timer->from_heap = from_heap;
    return add(board, &timers_of(board)->service, &timer->alarm, "Tmr Svc",
               SERVICE_TASK_PRIORITY)
               ? timer
               : NULL;
}

TimerHandle_t xTimerCreate(const char *const pcTimerName,
                           const TickType_t xTimerPeriodInTicks,
                           const BaseType_t xAutoReload, void *const pvTimerID,
                           TimerCallbackFunction_t pxCallbackFunction)
{
    TimerHandle_t timer = sim_heap_alloc(sim_api(), sizeof(*timer));
    if (timer == NULL) {
        return NULL;
    }
    return init_timer(timer, pcTimerName, xTimerPeriodInTicks, xAutoReload, pvTimerID,
                      pxCallbackFunction, true);
}

TimerHandle_t xTimerCreateStatic(const char *const pcTimerName,
                                 const TickType_t xTimerPeriodInTicks,
                                 const BaseType_t xAutoReload, void *const pvTimerID,
                                 TimerCallbackFunction_t pxCallbackFunction,
                                 StaticTimer_t *pxTimerBuffer)
{
    _Static_assert(sizeof(struct tmrTimerControl) <= sizeof(StaticTimer_t),
                   "a caller's room holds a timer");
    (void)sim_api();
    assert(pxTimerBuffer != NULL);
    return init_timer((TimerHandle_t)pxTimerBuffer, pcTimerName, xTimerPeriodInTicks,
                      xAutoReload, pvTimerID, pxCallbackFunction, false);
}

void *pvTimerGetTimerID(const TimerHandle_t xTimer)
{
    return xTimer->id;
}

void vTimerSetTimerID(TimerHandle_t xTimer, void *pvNewID)
{
    xTimer->id = pvNewID;
}

const char *pcTimerGetName(TimerHandle_t xTimer)
{
    return xTimer->name;
}

BaseType_t xTimerIsTimerActive(TimerHandle_t xTimer)
{
    (void)sim_api();
    return xTimer->alarm.active ? pdTRUE : pdFALSE;
}

TickType_t xTimerGetPeriod(TimerHandle_t xTimer)
{
    return xTimer->period_ticks;
}

TickType_t xTimerGetExpiryTime(TimerHandle_t xTimer)
{
    sim_board_t *board = sim_api();
    uint64_t uptime_us = xTimer->alarm.at_us - board->boot_us;
    return (TickType_t)(uptime_us * board->firmware->tick_rate_hz / 1000000u);
}

BaseType_t xTimerReset(TimerHandle_t xTimer, TickType_t xTicksToWait)
{
    (void)xTicksToWait;
    sim_board_t *board = sim_api();
    uint64_t tick_us = 1000000u / board->firmware->tick_rate_hz;
    set(board, &timers_of(board)->service, &xTimer->alarm,
        sim_ticks_from_now_us(board, xTimer->period_ticks),
        xTimer->reload ? xTimer->period_ticks * tick_us : 0);
    return pdPASS;
}

BaseType_t xTimerStart(TimerHandle_t xTimer, TickType_t xTicksToWait)
{
    return xTimerReset(xTimer, xTicksToWait);
}

BaseType_t xTimerStop(TimerHandle_t xTimer, TickType_t xTicksToWait)
{
    (void)xTicksToWait;
    (void)sim_api();
    xTimer->alarm.active = false;
    return pdPASS;
}

BaseType_t xTimerChangePeriod(TimerHandle_t xTimer, TickType_t xNewPeriod,
                              TickType_t xTicksToWait)
{
    assert(xNewPeriod > 0);
    xTimer->period_ticks = xNewPeriod;
    return xTimerReset(xTimer, xTicksToWait);
}

BaseType_t xTimerDelete(TimerHandle_t xTimer, TickType_t xTicksToWait)
{
    (void)xTicksToWait;
    sim_board_t *board = sim_api();
    drop(&timers_of(board)->service, &xTimer->alarm);
    if (xTimer->from_heap) {
        sim_heap_free(board, xTimer);
    }
    return pdPASS;
}
