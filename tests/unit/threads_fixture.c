/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * FreeRTOS, NimBLE and ESP-IDF for two threads. */
#include "threads_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host/ble_gatt.h"
#include "host/ble_hs.h"
#include "nimble/nimble_port.h"
#include "nimble/nimble_port_freertos.h"
#include "threads_wait.h"

#define RELAXED       memory_order_relaxed
#define WAIT_LIMIT_US UINT64_C(60000000)
#define MAIL_SIZE     64u
#define VALUE_MAX     512u

struct mail {
    uint16_t handle;
    uint16_t size;
    uint8_t bytes[32];
};

struct ble_hs_cfg ble_hs_cfg;

static struct {
    _Atomic uint64_t now_us;
    _Atomic uint64_t deadline_us; /* until which the update task waits; 0: it runs */
    _Atomic uint32_t given;       /* notifications to the update task */
    _Atomic uint32_t woken;       /* changes when it has to look: given, or time passed */
    _Atomic uint32_t turns;       /* and this one when it has done something */
    _Atomic bool restarted;
    _Atomic bool over; /* the host task has ended, and so does the other one */
    _Atomic bool synced;
    _Atomic uint32_t refusals; /* attempts to advertise that fail */
    _Atomic bool advertises;   /* which NimBLE tells without its lock */
    _Atomic bool alive[THREADS_HANDLES];
    _Atomic bool terminated[THREADS_HANDLES];
    pthread_t host;
    pthread_t update;
    void (*play)(void);
    void (*host_code)(void *);
    void (*update_code)(void *);
    const struct ble_gatt_svc_def *services;
    bool started; /* the host has: characteristics have handles */
} threads;

static _Thread_local bool is_host;

/* What NimBLE guards by its own lock. */
static pthread_mutex_t nimble_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    ble_gap_event_fn *event;
    struct mail mail[MAIL_SIZE];
    size_t mails;
    char problem[160];
} nimble;

void threads_begin(void (*host)(void))
{
    threads.play = host;
    atomic_store(&threads.now_us, 1000000);
}

const char *threads_end(void)
{
    (void)pthread_join(threads.host, NULL);
    (void)pthread_join(threads.update, NULL);
    return nimble.problem;
}

void threads_fail(const char *what, int number)
{
    pthread_mutex_lock(&nimble_lock);
    if (nimble.problem[0] == '\0') {
        snprintf(nimble.problem, sizeof(nimble.problem), "%s: %d", what, number);
    }
    pthread_mutex_unlock(&nimble_lock);
}

/* ---- FreeRTOS and time ---- */

int64_t esp_timer_get_time(void)
{
    return (int64_t)atomic_load_explicit(&threads.now_us, RELAXED);
}

static void *update_thread(void *argument)
{
    threads.update_code(argument);
    return NULL;
}

static void *host_thread(void *argument)
{
    is_host = true;
    threads.host_code(argument);
    atomic_store_explicit(&threads.over, true, RELAXED);
    threads_change(&threads.woken);
    return NULL;
}

TaskHandle_t xTaskCreateStatic(TaskFunction_t pxTaskCode, const char *const pcName,
                               const uint32_t ulStackDepth, void *const pvParameters,
                               UBaseType_t uxPriority, StackType_t *const puxStackBuffer,
                               StaticTask_t *const pxTaskBuffer)
{
    (void)pcName;
    (void)ulStackDepth;
    (void)uxPriority;
    (void)puxStackBuffer;
    threads.update_code = pxTaskCode;
    int error = pthread_create(&threads.update, NULL, update_thread, pvParameters);
    return error == 0 ? (TaskHandle_t)(void *)pxTaskBuffer : NULL;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return (TaskHandle_t)(void *)&threads;
}

BaseType_t xTaskGenericNotify(TaskHandle_t xTaskToNotify, UBaseType_t uxIndexToNotify,
                              uint32_t ulValue, eNotifyAction eAction,
                              uint32_t *pulPreviousNotificationValue)
{
    (void)xTaskToNotify;
    (void)uxIndexToNotify;
    (void)ulValue;
    (void)eAction;
    (void)pulPreviousNotificationValue;
    atomic_fetch_add_explicit(&threads.given, 1, RELAXED);
    threads_change(&threads.woken);
    return pdPASS;
}

uint32_t ulTaskGenericNotifyTake(UBaseType_t uxIndexToWaitOn,
                                 BaseType_t xClearCountOnExit, TickType_t xTicksToWait)
{
    (void)uxIndexToWaitOn;
    (void)xClearCountOnExit;
    uint64_t deadline_us =
        xTicksToWait == portMAX_DELAY
            ? UINT64_MAX
            : atomic_load_explicit(&threads.now_us, RELAXED) +
                  xTicksToWait * (UINT64_C(1000000) / CONFIG_FREERTOS_HZ);
    uint32_t given = 0;
    uint32_t woken = atomic_load_explicit(&threads.woken, RELAXED);
    while ((given = atomic_exchange_explicit(&threads.given, 0, RELAXED)) == 0 &&
           atomic_load_explicit(&threads.now_us, RELAXED) < deadline_us) {
        atomic_store_explicit(&threads.deadline_us, deadline_us, RELAXED);
        threads_change(&threads.turns);
        threads_wait_for_change(&threads.woken, woken);
        woken = atomic_load_explicit(&threads.woken, RELAXED);
        if (atomic_load_explicit(&threads.over, RELAXED)) {
            pthread_exit(NULL);
        }
    }
    atomic_store_explicit(&threads.deadline_us, 0, RELAXED);
    return given;
}

/* The host task waits for room in the ring, which takes the update task no time. */
void vTaskDelay(const TickType_t xTicksToDelay)
{
    if (is_host) {
        usleep(100);
    } else {
        atomic_fetch_add_explicit(
            &threads.now_us, xTicksToDelay * (UINT64_C(1000000) / CONFIG_FREERTOS_HZ),
            RELAXED);
    }
}

void threads_pause(void)
{
    sched_yield();
}

/* A spinlock, as with two cores. */
void vPortEnterCritical(portMUX_TYPE *mux)
{
    while (__atomic_exchange_n(&mux->count, 1, __ATOMIC_ACQUIRE) != 0) {
        sched_yield();
    }
}

void vPortExitCritical(portMUX_TYPE *mux)
{
    __atomic_store_n(&mux->count, 0, __ATOMIC_RELEASE);
}

bool threads_wait(uint64_t *start_us)
{
    uint64_t now_us = atomic_load_explicit(&threads.now_us, RELAXED);
    uint64_t deadline_us = atomic_load_explicit(&threads.deadline_us, RELAXED);
    uint32_t turns = atomic_load_explicit(&threads.turns, RELAXED);
    if (*start_us == 0) {
        *start_us = now_us;
    }
    if (atomic_load_explicit(&threads.given, RELAXED) == 0 && deadline_us > now_us) {
        uint64_t step_us =
            deadline_us - now_us < 1000000 ? deadline_us - now_us : 1000000;
        atomic_fetch_add_explicit(&threads.now_us, step_us, RELAXED);
        threads_change(&threads.woken);
    }
    threads_wait_for_change(&threads.turns, turns);
    return now_us - *start_us < WAIT_LIMIT_US;
}

bool threads_restarted(void)
{
    return atomic_load_explicit(&threads.restarted, RELAXED);
}

void esp_restart(void)
{
    atomic_store_explicit(&threads.restarted, true, RELAXED);
    threads_change(&threads.turns);
    pthread_exit(NULL);
}

/* ---- NimBLE's port and host ---- */

void nimble_port_freertos_init(TaskFunction_t host_task_fn)
{
    threads.host_code = host_task_fn;
    if (pthread_create(&threads.host, NULL, host_thread, NULL) != 0) {
        abort();
    }
}

void nimble_port_run(void)
{
    threads.play();
}

int ble_hs_synced(void)
{
    return atomic_load_explicit(&threads.synced, RELAXED);
}

void threads_sync(void)
{
    if (!threads.started) {
        uint16_t handle = 10;
        for (size_t service = 0; service < 2; service++) {
            for (const struct ble_gatt_chr_def *chr =
                     threads.services[service].characteristics;
                 chr->uuid != NULL; chr++, handle += 3) {
                if (chr->val_handle != NULL) {
                    *chr->val_handle = handle;
                }
            }
        }
        threads.started = true;
    }
    atomic_store_explicit(&threads.synced, true, RELAXED);
    ble_hs_cfg.sync_cb();
}

void threads_reset(void)
{
    atomic_store_explicit(&threads.synced, false, RELAXED);
    threads_stop_advertising();
    for (uint16_t handle = 0; handle < THREADS_HANDLES; handle++) {
        threads_disconnect(handle, /* is_told= */ true);
    }
    ble_hs_cfg.reset_cb(BLE_HS_ECONTROLLER);
}

/* ---- GAP ---- */

int ble_gap_adv_start(uint8_t own_addr_type, const ble_addr_t *direct_addr,
                      int32_t duration_ms, const struct ble_gap_adv_params *adv_params,
                      ble_gap_event_fn *cb, void *cb_arg)
{
    (void)direct_addr;
    (void)duration_ms;
    (void)adv_params;
    (void)cb_arg;
    if (own_addr_type != BLE_OWN_ADDR_PUBLIC) {
        return BLE_HS_ENOADDR;
    }
    if (atomic_load_explicit(&threads.refusals, RELAXED) > 0) {
        atomic_fetch_sub_explicit(&threads.refusals, 1, RELAXED);
        return BLE_HS_ENOMEM;
    }
    pthread_mutex_lock(&nimble_lock);
    int rc = atomic_exchange_explicit(&threads.advertises, true, RELAXED)
                 ? BLE_HS_EALREADY
                 : 0;
    nimble.event = cb;
    pthread_mutex_unlock(&nimble_lock);
    return rc;
}

bool threads_advertises(void)
{
    return atomic_load_explicit(&threads.advertises, RELAXED);
}

void threads_refuse_advertising(uint32_t count)
{
    atomic_store_explicit(&threads.refusals, count, RELAXED);
}

void threads_stop_advertising(void)
{
    atomic_store_explicit(&threads.advertises, false, RELAXED);
}

int ble_gap_adv_active(void)
{
    return threads_advertises();
}

bool threads_is_alive(uint16_t handle)
{
    return handle < THREADS_HANDLES &&
           atomic_load_explicit(&threads.alive[handle], RELAXED);
}

int ble_gap_conn_find(uint16_t handle, struct ble_gap_conn_desc *out_desc)
{
    if (!threads_is_alive(handle)) {
        return BLE_HS_ENOTCONN;
    }
    if (out_desc != NULL) {
        *out_desc = (struct ble_gap_conn_desc){
            .conn_handle = handle, .conn_itvl = 40, .supervision_timeout = 400};
    }
    return 0;
}

int ble_gap_terminate(uint16_t conn_handle, uint8_t hci_reason)
{
    (void)hci_reason;
    if (!threads_is_alive(conn_handle)) {
        return BLE_HS_ENOTCONN;
    }
    atomic_store_explicit(&threads.terminated[conn_handle], true, RELAXED);
    return 0;
}

int ble_gap_update_params(uint16_t conn_handle, const struct ble_gap_upd_params *params)
{
    (void)params;
    return threads_is_alive(conn_handle) ? 0 : BLE_HS_ENOTCONN;
}

static void tell(struct ble_gap_event *event)
{
    pthread_mutex_lock(&nimble_lock);
    ble_gap_event_fn *tell_it = nimble.event;
    pthread_mutex_unlock(&nimble_lock);
    (void)tell_it(event, NULL);
}

void threads_connect(uint16_t handle)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_CONNECT};
    event.connect.conn_handle = handle;
    threads_stop_advertising();
    atomic_store_explicit(&threads.terminated[handle], false, RELAXED);
    atomic_store_explicit(&threads.alive[handle], true, RELAXED);
    tell(&event);
}

void threads_disconnect(uint16_t handle, bool is_told)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_DISCONNECT};
    event.disconnect.conn.conn_handle = handle;
    if (!threads_is_alive(handle)) {
        return;
    }
    atomic_store_explicit(&threads.alive[handle], false, RELAXED);
    if (is_told) {
        tell(&event);
    }
}

void threads_subscribe(uint16_t handle)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_SUBSCRIBE};
    event.subscribe.conn_handle = handle;
    event.subscribe.attr_handle =
        *threads.services[1].characteristics[THREADS_CONTROL].val_handle;
    event.subscribe.cur_notify = 1;
    tell(&event);
}

void threads_end_terminated(void)
{
    for (uint16_t handle = 0; handle < THREADS_HANDLES; handle++) {
        if (atomic_load_explicit(&threads.terminated[handle], RELAXED)) {
            threads_disconnect(handle, /* is_told= */ true);
        }
    }
}

/* ---- GATT ---- */

int ble_gatts_count_cfg(const struct ble_gatt_svc_def *defs)
{
    (void)defs;
    return 0;
}

int ble_gatts_add_svcs(const struct ble_gatt_svc_def *svcs)
{
    threads.services = svcs;
    return 0;
}

static struct os_mbuf *new_buffer(const void *bytes, uint16_t size)
{
    struct os_mbuf *om =
        calloc(1, sizeof(*om) + sizeof(struct os_mbuf_pkthdr) + VALUE_MAX);
    if (om == NULL) {
        abort();
    }
    om->om_pkthdr_len = sizeof(struct os_mbuf_pkthdr);
    om->om_data = om->om_databuf + om->om_pkthdr_len;
    if (os_mbuf_append(om, bytes, size) != 0) {
        abort();
    }
    return om;
}

int os_mbuf_append(struct os_mbuf *om, const void *data, uint16_t len)
{
    if (om->om_len + len > (int)VALUE_MAX) {
        return BLE_HS_ENOMEM;
    }
    if (len > 0) {
        memcpy(om->om_data + om->om_len, data, len);
    }
    om->om_len = (uint16_t)(om->om_len + len);
    OS_MBUF_PKTHDR(om)->omp_len = om->om_len;
    return 0;
}

int os_mbuf_copydata(const struct os_mbuf *om, int off, int len, void *dst)
{
    if (off + len > om->om_len) {
        return -1;
    }
    memcpy(dst, om->om_data + off, (size_t)len);
    return 0;
}

struct os_mbuf *ble_hs_mbuf_from_flat(const void *buf, uint16_t len)
{
    return new_buffer(buf, len);
}

int ble_hs_mbuf_to_flat(const struct os_mbuf *om, void *flat, uint16_t max_len,
                        uint16_t *out_copy_len)
{
    if (om->om_len > max_len) {
        return BLE_HS_EMSGSIZE;
    }
    if (out_copy_len != NULL) {
        *out_copy_len = om->om_len;
    }
    return os_mbuf_copydata(om, 0, om->om_len, flat);
}

int ble_gatts_notify_custom(uint16_t conn_handle, uint16_t att_handle, struct os_mbuf *om)
{
    int rc = threads_is_alive(conn_handle) && att_handle != 0 ? 0 : BLE_HS_ENOTCONN;
    pthread_mutex_lock(&nimble_lock);
    if (rc == 0 && nimble.mails == MAIL_SIZE) {
        nimble.mails = 0; /* nobody reads them */
    }
    struct mail *mail = &nimble.mail[nimble.mails];
    if (rc == 0 && om->om_len <= sizeof(mail->bytes)) {
        mail->handle = conn_handle;
        mail->size = om->om_len;
        memcpy(mail->bytes, om->om_data, om->om_len);
        nimble.mails++;
    }
    pthread_mutex_unlock(&nimble_lock);
    threads_change(&threads.turns);
    free(om);
    return rc;
}

bool threads_notified(uint16_t handle, uint8_t *ret_bytes, uint16_t *ret_size)
{
    bool found = false;
    pthread_mutex_lock(&nimble_lock);
    for (size_t i = 0; i < nimble.mails && !found; i++) {
        if (nimble.mail[i].handle == handle) {
            found = true;
            *ret_size = nimble.mail[i].size;
            memcpy(ret_bytes, nimble.mail[i].bytes, nimble.mail[i].size);
            nimble.mails--;
            memmove(&nimble.mail[i], &nimble.mail[i + 1],
                    (nimble.mails - i) * sizeof(nimble.mail[0]));
        }
    }
    pthread_mutex_unlock(&nimble_lock);
    return found;
}

static int reach(uint16_t handle, enum threads_characteristic which, uint8_t op,
                 struct os_mbuf *om)
{
    const struct ble_gatt_chr_def *chr = &threads.services[1].characteristics[which];
    struct ble_gatt_access_ctxt context = {.op = op, .om = om, .chr = chr};
    return chr->access_cb(handle, 0, &context, chr->arg);
}

int threads_write(uint16_t handle, enum threads_characteristic to, const uint8_t *bytes,
                  uint16_t size)
{
    struct os_mbuf *om = new_buffer(bytes, size);
    int error = reach(handle, to, BLE_GATT_ACCESS_OP_WRITE_CHR, om);
    free(om);
    return error;
}

int threads_read(uint16_t handle, enum threads_characteristic from, uint8_t *ret_bytes,
                 uint16_t *ret_size)
{
    struct os_mbuf *om = new_buffer(NULL, 0);
    int error = reach(handle, from, BLE_GATT_ACCESS_OP_READ_CHR, om);
    *ret_size = om->om_len;
    memcpy(ret_bytes, om->om_data, om->om_len);
    free(om);
    return error;
}
