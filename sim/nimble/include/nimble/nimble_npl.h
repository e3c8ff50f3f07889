/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * NimBLE's porting layer: event queues, timers, time. */
#ifndef SIM_NIMBLE_NIMBLE_NPL_H
#define SIM_NIMBLE_NIMBLE_NPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "os/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t ble_npl_time_t; /* in ticks */
typedef int32_t ble_npl_stime_t;
#define BLE_NPL_TIME_FOREVER portMAX_DELAY

enum ble_npl_error {
    BLE_NPL_OK = 0,
    BLE_NPL_ENOMEM = 1,
    BLE_NPL_EINVAL = 2,
    BLE_NPL_INVALID_PARAM = 3,
    BLE_NPL_MEM_NOT_ALIGNED = 4,
    BLE_NPL_BAD_MUTEX = 5,
    BLE_NPL_TIMEOUT = 6,
    BLE_NPL_ERR_IN_ISR = 7,
    BLE_NPL_ERR_PRIV = 8,
    BLE_NPL_OS_NOT_STARTED = 9,
    BLE_NPL_ENOENT = 10,
    BLE_NPL_EBUSY = 11,
    BLE_NPL_ERROR = 12,
};
typedef enum ble_npl_error ble_npl_error_t;

struct ble_npl_event;
struct ble_npl_eventq;
typedef void ble_npl_event_fn(struct ble_npl_event *ev);

struct ble_npl_event {
    ble_npl_event_fn *fn;
    void *arg;
    bool queued;
    STAILQ_ENTRY(ble_npl_event) next;
};

/* Runs when its time has come, in the task that serves its queue: the host task, as
 * nimble_port_get_dflt_eventq is the only queue that a task serves. */
struct ble_npl_callout {
    struct ble_npl_event ev;
    struct ble_npl_eventq *evq;
    ble_npl_time_t at;
    bool active;
    LIST_ENTRY(ble_npl_callout) next;
};

bool ble_npl_os_started(void);
void *ble_npl_get_current_task_id(void);

void ble_npl_eventq_put(struct ble_npl_eventq *evq, struct ble_npl_event *ev);
void ble_npl_eventq_remove(struct ble_npl_eventq *evq, struct ble_npl_event *ev);
void ble_npl_event_init(struct ble_npl_event *ev, ble_npl_event_fn *fn, void *arg);
void ble_npl_event_deinit(struct ble_npl_event *ev);
bool ble_npl_event_is_queued(struct ble_npl_event *ev);
void *ble_npl_event_get_arg(struct ble_npl_event *ev);
void ble_npl_event_set_arg(struct ble_npl_event *ev, void *arg);
void ble_npl_event_run(struct ble_npl_event *ev);

int ble_npl_callout_init(struct ble_npl_callout *co, struct ble_npl_eventq *evq,
                         ble_npl_event_fn *ev_cb, void *ev_arg);
void ble_npl_callout_deinit(struct ble_npl_callout *co);
ble_npl_error_t ble_npl_callout_reset(struct ble_npl_callout *co, ble_npl_time_t ticks);
void ble_npl_callout_stop(struct ble_npl_callout *co);
bool ble_npl_callout_is_active(struct ble_npl_callout *co);
ble_npl_time_t ble_npl_callout_get_ticks(struct ble_npl_callout *co);
void ble_npl_callout_set_arg(struct ble_npl_callout *co, void *arg);

ble_npl_time_t ble_npl_time_get(void);
ble_npl_error_t ble_npl_time_ms_to_ticks(uint32_t ms, ble_npl_time_t *out_ticks);
ble_npl_error_t ble_npl_time_ticks_to_ms(ble_npl_time_t ticks, uint32_t *out_ms);
ble_npl_time_t ble_npl_time_ms_to_ticks32(uint32_t ms);
uint32_t ble_npl_time_ticks_to_ms32(ble_npl_time_t ticks);
void ble_npl_time_delay(ble_npl_time_t ticks);

#ifdef __cplusplus
}
#endif

#endif
