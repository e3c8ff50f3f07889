/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's table of connections and what it publishes, between two real threads. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "esp_log.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "gatt.h"
#include "host/ble_att.h"
#include "host/ble_gap.h"
#include "host/ble_hs.h"
#include "link.h"
#include "snapshot.h"
#include "threads_wait.h"
#include "updraft.h"
#include "updraft/protocol1.h"

/* Built with ThreadSanitizer, where two accesses that nothing orders fail the test. What
 * stands in here for NimBLE and FreeRTOS orders nothing by itself (relaxed atomics), so
 * that the device's own sources have to. What the host task does follows from SEED; how
 * the threads interleave does not. */
#define SEED        20261127u
#define STEPS       60000u
#define HANDLES     6u
#define HOLD_EVERY  500u /* events; then the update task takes none for a while: */
#define HOLD_DELAYS (3u * CONFIG_UPDRAFT_FULL_WAIT_MS / TICK_MS)
#define TICK_MS     10u
#define TEXT_SIZE   160u

/* What each value of more than one byte begins with. */
struct head {
    uint32_t number; /* of the link's values that were accepted; by protocol 2, of all */
    uint16_t link;   /* which of those that had the handle */
    uint8_t handle;  /* of the connection */
    uint8_t after_loss; /* something between the value before and this one was dropped */
};

static _Atomic uint64_t clock_us;
static _Atomic bool alive[HANDLES]; /* connections that the played host has */
static _Atomic bool holding;
static _Atomic uint32_t delays; /* while the update task holds */
static _Atomic uint32_t wakes;
static _Atomic uint32_t takes;
static _Atomic bool done;
static _Atomic bool failed;
static pthread_t host;
static bool host_runs;

/* Host task only. */
static uint32_t host_random;
static uint8_t protocol;
static bool has_waited;
static struct {
    uint32_t number;
    uint16_t link;
    bool told;
    bool spoke;
    bool lost;
} links[HANDLES];
static uint32_t accepted;
static uint32_t dropped;
static char host_problem[TEXT_SIZE];

/* Update task only. */
static uint32_t task_random;
static struct {
    uint32_t number;
    uint16_t link;
    bool speaks; /* something came since the last end */
    bool known;  /* and said which link it is of */
    bool lost;
} seen[HANDLES];
static uint32_t taken;
static uint32_t losses;

int64_t esp_timer_get_time(void)
{
    return (int64_t)atomic_fetch_add_explicit(&clock_us, 1, memory_order_relaxed);
}

uint32_t esp_log_timestamp(void)
{
    return 0;
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    (void)level;
    (void)tag;
    (void)format;
}

/* The host task waits for room. Time passes only where none will come. */
void vTaskDelay(const TickType_t xTicksToDelay)
{
    (void)xTicksToDelay;
    has_waited = true;
    if (atomic_load_explicit(&holding, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&clock_us, UINT64_C(1000) * TICK_MS,
                                  memory_order_relaxed);
        threads_change(&delays);
    } else {
        threads_wait_for_change(&takes, threads_count(&takes));
    }
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return (TaskHandle_t)&wakes;
}

BaseType_t xTaskGenericNotify(TaskHandle_t xTaskToNotify, UBaseType_t uxIndexToNotify,
                              uint32_t ulValue, eNotifyAction eAction,
                              uint32_t *pulPreviousNotificationValue)
{
    (void)uxIndexToNotify;
    (void)ulValue;
    (void)eAction;
    (void)pulPreviousNotificationValue;
    if (xTaskToNotify == (TaskHandle_t)&wakes) {
        threads_change(&wakes);
    }
    return pdPASS;
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

int ble_gap_conn_find(uint16_t handle, struct ble_gap_conn_desc *out_desc)
{
    (void)out_desc;
    return handle < HANDLES && atomic_load_explicit(&alive[handle], memory_order_relaxed)
               ? 0
               : BLE_HS_ENOTCONN;
}

uint16_t ble_att_mtu(uint16_t conn_handle)
{
    (void)conn_handle;
    return 498;
}

/* What the GAP event calls beside the table. */
void updraft_gatt_subscribed(uint16_t connection, uint16_t attribute, bool enabled)
{
    (void)attribute;
    updraft_link_subscribe(connection, enabled);
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* ---- The host task ---- */

static void host_fails(const char *what, uint16_t handle, int result)
{
    if (host_problem[0] == '\0') {
        snprintf(host_problem, sizeof(host_problem), "%s: connection %u: %d", what,
                 handle, result);
    }
}

static void tell(uint16_t handle, uint8_t type)
{
    struct ble_gap_event event = {.type = type};
    if (type == BLE_GAP_EVENT_CONNECT) {
        event.connect.conn_handle = handle;
    } else if (type == BLE_GAP_EVENT_DISCONNECT) {
        event.disconnect.conn.conn_handle = handle;
    } else {
        event.subscribe.conn_handle = handle;
        event.subscribe.cur_notify = next_random(&host_random) % 2;
    }
    updraft_gap_event(&event);
}

static void begin_link(uint16_t handle)
{
    links[handle].link++;
    links[handle].number = 0;
    links[handle].spoke = false;
    links[handle].lost = false;
    links[handle].told = false;
}

static unsigned count_alive(void)
{
    unsigned count = 0;
    for (uint16_t handle = 0; handle < HANDLES; handle++) {
        count += atomic_load_explicit(&alive[handle], memory_order_relaxed);
    }
    return count;
}

/* Some begin with a write, the end of some is not told, and some follow on another of the
 * same handle whose end was not told. */
static void change_link(uint16_t handle)
{
    bool is_alive = atomic_load_explicit(&alive[handle], memory_order_relaxed);
    if (!is_alive && count_alive() < CONFIG_BT_NIMBLE_MAX_CONNECTIONS) {
        /* Another link with this handle may be in the table yet, its end untold: only the
         * event of the beginning tells them apart. */
        bool is_told = next_random(&host_random) % 2 == 0 || links[handle].told;
        atomic_store_explicit(&alive[handle], true, memory_order_relaxed);
        begin_link(handle);
        if (is_told) {
            tell(handle, BLE_GAP_EVENT_CONNECT);
            links[handle].told = true;
        }
    } else if (is_alive && !links[handle].told) {
        tell(handle, BLE_GAP_EVENT_CONNECT);
        links[handle].told = true;
    } else if (is_alive) {
        atomic_store_explicit(&alive[handle], false, memory_order_relaxed);
        if (next_random(&host_random) % 3 != 0) {
            tell(handle, BLE_GAP_EVENT_DISCONNECT);
            links[handle].told = false;
        }
    }
}

/* The last byte is made from those before it. */
static uint8_t seal(const uint8_t *bytes, uint16_t size_bytes)
{
    uint8_t sum = 0x5A;
    for (uint16_t i = 0; i < size_bytes; i++) {
        sum = (uint8_t)(sum * 3 + bytes[i]);
    }
    return sum;
}

static uint16_t make_value(uint16_t handle, uint16_t size_bytes, uint8_t *bytes)
{
    const struct head head = {
        .number = links[handle].number,
        .link = links[handle].link,
        .handle = (uint8_t)handle,
        .after_loss = links[handle].lost,
    };
    memcpy(bytes, &head, sizeof(head));
    for (uint16_t i = sizeof(head); i < size_bytes; i++) {
        bytes[i] = (uint8_t)next_random(&host_random);
    }
    bytes[size_bytes - 1] = seal(bytes, size_bytes - 1);
    return size_bytes;
}

static void write_value(uint16_t handle)
{
    uint8_t bytes[UPDRAFT_RING_PAYLOAD_SIZE];
    uint32_t random = next_random(&host_random);
    bool is_data = random % 4 != 0;
    has_waited = false;
    int result;
    if (is_data) {
        uint16_t size_bytes =
            make_value(handle,
                       (uint16_t)(sizeof(struct head) + 1 +
                                  (random >> 8) % (sizeof(bytes) - sizeof(struct head))),
                       bytes);
        result = updraft_link_data(handle, bytes, NULL, size_bytes);
    } else if (random % 16 == 0) {
        bytes[0] = (uint8_t)links[handle].number;
        result = updraft_link_control(handle, bytes, 1);
    } else {
        uint16_t size_bytes = make_value(handle, UPDRAFT_P2_COMMAND_MAX, bytes);
        result = updraft_link_control(handle, bytes, size_bytes);
    }
    if (result == 0) {
        links[handle].number++;
        links[handle].spoke = true;
        links[handle].lost = false;
        accepted++;
    } else if (is_data && result == UPDRAFT_P1_ATT_FAILED && has_waited) {
        links[handle].lost = links[handle].spoke;
        dropped++;
    } else if (is_data ? result != UPDRAFT_P1_ATT_BUSY
                       : result != BLE_ATT_ERR_INSUFFICIENT_RES) {
        host_fails("a write", handle, result);
    }
}

/* What the update task publishes as one is read as one. */
static void read_values(uint16_t handle)
{
    uint8_t value[UPDRAFT_P2_INFO_SIZE];
    struct updraft_info info;
    (void)updraft_link_control_value();
    (void)updraft_link_count();
    updraft_snapshot_read(handle, value);
    if (!updraft_info_get(value, sizeof(value), &info)) {
        host_fails("Info does not decode", handle, 0);
        return;
    }
    for (size_t i = 0; i < sizeof(info.noted_id); i++) {
        if (info.noted_id[i] != info.detail) {
            host_fails("Info is of two states", handle, (int)i);
        }
    }
}

static void *host_task(void *argument)
{
    (void)argument;
    for (uint32_t step = 0;
         step < STEPS && !atomic_load_explicit(&failed, memory_order_relaxed); step++) {
        uint32_t random = next_random(&host_random);
        uint16_t handle = (uint16_t)(random % HANDLES);
        if (!atomic_load_explicit(&alive[handle], memory_order_relaxed) ||
            random >> 8 < (UINT32_MAX >> 8) / 50) {
            change_link(handle);
        } else if ((random >> 4) % 8 == 0) {
            tell(handle, BLE_GAP_EVENT_SUBSCRIBE);
        } else if ((random >> 4) % 8 == 1) {
            read_values(handle);
        } else {
            write_value(handle);
        }
    }
    /* Each link ends, told here at the latest. */
    for (uint16_t handle = 0; handle < HANDLES; handle++) {
        atomic_store_explicit(&alive[handle], false, memory_order_relaxed);
        updraft_link_closed(handle);
    }
    atomic_store_explicit(&done, true, memory_order_relaxed);
    return NULL;
}

/* ---- The update task ---- */

static void assert_value(const struct updraft_link_event *event)
{
    uint16_t handle = event->connection;
    uint32_t expected = seen[handle].number;
    if (event->size_bytes == 1) {
        assert_true(protocol == UPDRAFT_P2_VERSION ||
                    event->bytes[0] == (uint8_t)expected);
        seen[handle].number = expected + 1;
        return;
    }
    struct head head;
    assert_true(event->size_bytes > sizeof(head));
    memcpy(&head, event->bytes, sizeof(head));
    assert_int_equal(seal(event->bytes, event->size_bytes - 1),
                     event->bytes[event->size_bytes - 1]);
    assert_int_equal(head.handle, handle);
    if (seen[handle].known) {
        assert_int_equal(head.link, seen[handle].link);
    } else {
        /* Not of one that ended: int16_t, since it wraps. */
        assert_true((int16_t)(head.link - seen[handle].link) > 0);
    }
    if (protocol == UPDRAFT_P2_VERSION) {
        assert_true(head.number >= expected); /* dropped, but in order */
    } else {
        assert_int_equal(head.number, expected);
        assert_int_equal(head.after_loss, seen[handle].lost);
    }
    seen[handle].number = head.number + 1;
    seen[handle].link = head.link;
    seen[handle].known = true;
}

static void take(const struct updraft_link_event *event)
{
    uint16_t handle = event->connection;
    assert_true(handle < HANDLES);
    switch (event->kind) {
    case UPDRAFT_LINK_CONTROL:
    case UPDRAFT_LINK_DATA:
        assert_value(event);
        seen[handle].speaks = true;
        seen[handle].lost = false;
        taken++;
        break;
    case UPDRAFT_LINK_DATA_LOST:
        assert_true(seen[handle].speaks);
        assert_false(seen[handle].lost);
        seen[handle].lost = true;
        losses++;
        break;
    case UPDRAFT_LINK_ENDED:
        assert_true(seen[handle].speaks);
        seen[handle].number = 0;
        seen[handle].speaks = false;
        seen[handle].known = false;
        seen[handle].lost = false;
        break;
    }
}

/* What the update task says and asks beside taking. */
static void publish(uint16_t connection)
{
    uint16_t handles[UPDRAFT_LINK_CONNECTIONS_MAX];
    uint32_t random = next_random(&task_random);
    struct updraft_snapshot snapshot = {.detail = (uint8_t)random};
    memset(snapshot.noted_id, snapshot.detail, sizeof(snapshot.noted_id));
    updraft_snapshot_publish(&snapshot);
    updraft_link_publish((random >> 8) % 16 == 0 ? connection : UPDRAFT_CONNECTION_NONE,
                         protocol, /* failed= */ false);
    updraft_link_publish_control((uint8_t)(random >> 16));
    (void)updraft_link_subscribed(connection);
    (void)updraft_link_has_ended(connection);
    updraft_link_active(connection);
    unsigned count = updraft_link_list((random >> 20) % 2 * 1000, handles);
    assert_true(count <= UPDRAFT_LINK_CONNECTIONS_MAX);
    for (unsigned i = 0; i < count; i++) {
        assert_true(handles[i] < HANDLES);
    }
    assert_true(updraft_link_count() <= UPDRAFT_LINK_CONNECTIONS_MAX);
}

/* Takes nothing until the host task has given something up. */
static void hold(void)
{
    atomic_store_explicit(&delays, 0, memory_order_relaxed);
    atomic_store_explicit(&holding, true, memory_order_relaxed);
    uint32_t seen_delays = 0;
    while (seen_delays < HOLD_DELAYS &&
           !atomic_load_explicit(&done, memory_order_relaxed)) {
        threads_wait_for_change(&delays, seen_delays);
        seen_delays = threads_count(&delays);
    }
    atomic_store_explicit(&holding, false, memory_order_relaxed);
}

static void update_task(void)
{
    updraft_link_attach_task();
    for (;;) {
        struct updraft_link_event event;
        uint8_t room[UPDRAFT_RING_PAYLOAD_SIZE];
        bool was_done = atomic_load_explicit(&done, memory_order_relaxed);
        uint32_t seen_wakes = threads_count(&wakes);
        uint32_t queued_bytes = updraft_link_queued();
        if (updraft_link_take(&event, room)) {
            threads_change(&takes);
            take(&event);
            publish(event.connection);
            if (taken % HOLD_EVERY == 0) {
                hold();
            }
        } else {
            assert_int_equal(queued_bytes, 0);
            if (was_done) {
                return;
            }
            threads_wait_for_change(&wakes, seen_wakes);
        }
    }
}

static void play(uint8_t new_protocol)
{
    protocol = new_protocol;
    host_random = SEED;
    task_random = SEED + 1;
    memset(links, 0, sizeof(links));
    memset(seen, 0, sizeof(seen));
    host_problem[0] = '\0';
    accepted = dropped = taken = losses = 0;
    atomic_store(&done, false);
    atomic_store(&failed, false);
    atomic_store(&holding, false);
    atomic_store(&wakes, 0);
    updraft_link_init();
    updraft_snapshot_init(&(struct updraft_info){0});
    host_runs = pthread_create(&host, NULL, host_task, NULL) == 0;
    assert_true(host_runs);
    update_task();
    assert_int_equal(pthread_join(host, NULL), 0);
    host_runs = false;
    print_message("seed %u: %u accepted, %u taken, %u dropped, %u losses told\n", SEED,
                  accepted, taken, dropped, losses);
    assert_string_equal(host_problem, "");
    assert_true(taken > STEPS / 16);
    assert_int_equal(updraft_link_count(), 0);
    assert_true(atomic_load(&wakes) >= taken);
    for (uint16_t handle = 0; handle < HANDLES; handle++) {
        assert_false(seen[handle].speaks);
        assert_false(updraft_link_has_ended(handle));
    }
}

static void what_was_accepted_arrives_in_order_and_before_the_end(void **state)
{
    (void)state;
    play(/* new_protocol= */ 1);
    assert_int_equal(taken, accepted);
    assert_true(dropped > 0 && losses > 0 && losses <= dropped);
}

static void what_protocol_2_does_not_drop_arrives_in_order(void **state)
{
    (void)state;
    play(UPDRAFT_P2_VERSION);
    assert_true(taken <= accepted);
}

/* After a failure the host task is still there. */
static int tear_down(void **state)
{
    (void)state;
    if (host_runs) {
        atomic_store(&failed, true);
        atomic_store(&holding, true);
        (void)pthread_join(host, NULL);
        host_runs = false;
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_was_accepted_arrives_in_order_and_before_the_end,
                                  tear_down),
        cmocka_unit_test_teardown(what_protocol_2_does_not_drop_arrives_in_order,
                                  tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
