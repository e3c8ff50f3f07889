/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The ring between the host task and the update task, and the table of connections. */
#include "link.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

#include "esp_log.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host/ble_att.h"
#include "host/ble_gap.h"
#include "sdkconfig.h"

#include "updraft/device_session.h"

#define CONNECTIONS_MAX UPDRAFT_LINK_CONNECTIONS_MAX

_Static_assert(CONFIG_UPDRAFT_RING_SIZE >=
                   UPDRAFT_LINK_RESERVE_SIZE + UPDRAFT_LINK_CONTROL_SIZE +
                       UPDRAFT_RING_HEADER_SIZE + UPDRAFT_RING_PAYLOAD_SIZE,
               "UPDRAFT_RING_SIZE is too small for one packet");
_Static_assert(UPDRAFT_LINK_WINDOW_SIZE <= UINT16_MAX,
               "Info tells the window in 16 bits");

struct connection {
    _Atomic uint16_t handle; /* UPDRAFT_CONNECTION_NONE: free */
    _Atomic uint32_t active_ms;
    _Atomic bool subscribed;
    _Atomic bool asks; /* a message of it on Control is in the ring */
    /* Host task only: */
    bool told;      /* NimBLE has told its beginning */
    bool spoke;     /* something of it was pushed */
    bool lost;      /* something of it was dropped */
    bool lost_told; /* and the update task will know before it gets anything else */
};

/* What was written, as updraft_ring_push takes it. */
struct value {
    const void *payload;
    updraft_ring_source *source;
    uint16_t size_bytes;
};

static const char *const TAG = "updraft";
static const struct value nothing;

static uint8_t ring_bytes[CONFIG_UPDRAFT_RING_SIZE];
static struct updraft_ring ring;
static struct connection connections[CONNECTIONS_MAX];
static _Atomic(TaskHandle_t) task;
static _Atomic uint16_t published_owner;
static _Atomic uint8_t published_protocol;
static _Atomic bool published_failed;
static _Atomic uint8_t control_value;
/* Whose end is in the ring: a bit for each handle, modulo 32. */
static _Atomic uint32_t ended;

static struct connection *find(uint16_t handle);
static struct connection *add(uint16_t handle);
static bool lives(uint16_t handle);
static void forget_ended(void);
static bool push(struct connection *connection, enum updraft_link_kind kind,
                 const struct value *value, uint32_t reserve_bytes);
static bool push_value(struct connection *connection, enum updraft_link_kind kind,
                       const struct value *value, uint32_t limit_ms);
static struct connection *of_value(uint16_t handle);
static bool tell_lost(struct connection *connection);

static uint32_t bit(uint16_t handle)
{
    return UINT32_C(1) << handle % 32;
}

void updraft_link_init(void)
{
    updraft_ring_init(&ring, ring_bytes, sizeof(ring_bytes));
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        atomic_init(&connections[i].handle, UPDRAFT_CONNECTION_NONE);
    }
    atomic_init(&task, NULL);
    atomic_init(&published_owner, UPDRAFT_CONNECTION_NONE);
    atomic_init(&published_protocol, 0);
    atomic_init(&published_failed, false);
    atomic_init(&control_value, 0);
    atomic_init(&ended, 0);
}

void updraft_link_opened(uint16_t handle)
{
    struct connection *connection = find(handle);
    if (connection != NULL && connection->told) {
        updraft_link_closed(handle); /* of another link, whose end was not told */
        connection = NULL;
    }
    if (connection == NULL) {
        connection = add(handle);
    }
    if (connection != NULL) {
        connection->told = true;
    }
}

void updraft_link_active(uint16_t handle)
{
    struct connection *connection = find(handle);
    if (connection != NULL) {
        atomic_store(&connection->active_ms, updraft_now_ms());
    }
}

void updraft_link_closed(uint16_t handle)
{
    struct connection *connection = find(handle);
    if (connection == NULL) {
        return;
    }
    if (connection->spoke) {
        atomic_fetch_or(&ended, bit(handle));
        bool pushed =
            push(connection, UPDRAFT_LINK_ENDED, &nothing, /* reserve_bytes= */ 0);
        assert(pushed);
        (void)pushed;
    }
    atomic_store(&connection->handle, UPDRAFT_CONNECTION_NONE);
    updraft_link_wake();
}

unsigned updraft_link_count(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        count += lives(atomic_load(&connections[i].handle));
    }
    return count;
}

int updraft_link_control(uint16_t handle, const uint8_t *bytes, uint16_t size_bytes)
{
    const struct value value = {.payload = bytes, .size_bytes = size_bytes};
    struct connection *connection = of_value(handle);
    if (connection == NULL) {
        return BLE_ATT_ERR_INSUFFICIENT_RES;
    }
    uint32_t limit_ms = CONFIG_UPDRAFT_FULL_WAIT_MS;
    if (atomic_load(&published_owner) != handle) {
        /* One at a time, and nobody waits for it: the update of another connection must
         * not wait behind all that this one can ask. */
        if (atomic_load(&connection->asks)) {
            return BLE_ATT_ERR_INSUFFICIENT_RES;
        }
        limit_ms = 0;
    }
    atomic_store(&connection->asks, true);
    /* Protocol 1's is stored first: the answer to it must not be overwritten by it. */
    bool is_kept = size_bytes == 1;
    uint8_t before = is_kept ? atomic_exchange(&control_value, bytes[0]) : 0;
    if (push_value(connection, UPDRAFT_LINK_CONTROL, &value, limit_ms)) {
        return 0;
    }
    atomic_store(&connection->asks, false);
    if (is_kept) {
        uint8_t expected = bytes[0];
        atomic_compare_exchange_strong(&control_value, &expected, before);
    }
    return BLE_ATT_ERR_INSUFFICIENT_RES;
}

int updraft_link_data(uint16_t handle, const void *payload, updraft_ring_source *source,
                      uint16_t size_bytes)
{
    const struct value value = {payload, source, size_bytes};
    struct connection *connection = of_value(handle);
    if (connection == NULL) {
        return BLE_ATT_ERR_INSUFFICIENT_RES;
    }
    uint16_t owner = atomic_load(&published_owner);
    if (owner != UPDRAFT_CONNECTION_NONE && owner != handle) {
        return UPDRAFT_P1_ATT_BUSY;
    }
    if (owner == handle && atomic_load(&published_protocol) == UPDRAFT_P2_VERSION) {
        /* Whoever keeps to the window never finds the ring full. */
        (void)push_value(connection, UPDRAFT_LINK_DATA, &value, /* limit_ms= */ 0);
        return 0;
    }
    /* Two bytes may be the packet size of a new attempt. */
    if (owner == handle && atomic_load(&published_failed) && size_bytes != 2) {
        return UPDRAFT_P1_ATT_FAILED;
    }
    if (!push_value(connection, UPDRAFT_LINK_DATA, &value, CONFIG_UPDRAFT_FULL_WAIT_MS)) {
        ESP_LOGW(TAG, "connection %u: no room for %u bytes in %d ms: dropped", handle,
                 size_bytes, CONFIG_UPDRAFT_FULL_WAIT_MS);
        connection->lost = true;
        connection->lost_told = tell_lost(connection);
        return UPDRAFT_P1_ATT_FAILED;
    }
    return 0;
}

void updraft_link_subscribe(uint16_t handle, bool enabled)
{
    /* NimBLE ends subscriptions with the connection, which may be gone here already. */
    struct connection *connection = enabled ? of_value(handle) : find(handle);
    if (connection != NULL) {
        atomic_store(&connection->subscribed, enabled);
    }
}

bool updraft_link_subscribed(uint16_t handle)
{
    struct connection *connection = find(handle);
    return connection != NULL && atomic_load(&connection->subscribed);
}

uint8_t updraft_link_control_value(void)
{
    return atomic_load(&control_value);
}

void updraft_link_wake(void)
{
    TaskHandle_t handle = atomic_load(&task);
    if (handle != NULL) {
        xTaskNotifyGive(handle);
    }
}

void updraft_link_attach_task(void)
{
    atomic_store(&task, xTaskGetCurrentTaskHandle());
}

bool updraft_link_take(struct updraft_link_event *ret_event,
                       uint8_t room[UPDRAFT_RING_PAYLOAD_SIZE])
{
    struct updraft_ring_record record;
    if (!updraft_ring_pop(&ring, &record, room)) {
        return false;
    }
    ret_event->kind = (enum updraft_link_kind)record.kind;
    ret_event->connection = record.connection;
    ret_event->size_bytes = record.size_bytes;
    ret_event->bytes = room;
    struct connection *connection = find(record.connection);
    if (ret_event->kind == UPDRAFT_LINK_ENDED) {
        atomic_fetch_and(&ended, ~bit(record.connection));
    } else if (ret_event->kind == UPDRAFT_LINK_CONTROL && connection != NULL) {
        atomic_store(&connection->asks, false);
    }
    return true;
}

bool updraft_link_has_ended(uint16_t handle)
{
    return (atomic_load(&ended) & bit(handle)) != 0;
}

uint32_t updraft_link_queued(void)
{
    return updraft_ring_used(&ring);
}

void updraft_link_publish(uint16_t owner, uint8_t protocol, bool failed)
{
    atomic_store(&published_failed, failed);
    atomic_store(&published_protocol, protocol);
    atomic_store(&published_owner, owner);
}

void updraft_link_publish_control(uint8_t value)
{
    atomic_store(&control_value, value);
}

uint16_t updraft_link_owner(void)
{
    return atomic_load(&published_owner);
}

unsigned updraft_link_list(uint32_t limit_ms, uint16_t ret_connections[CONNECTIONS_MAX])
{
    uint32_t now_ms = updraft_now_ms();
    unsigned count = 0;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        uint16_t handle = atomic_load(&connections[i].handle);
        uint32_t idle_ms = now_ms - atomic_load(&connections[i].active_ms);
        /* The host task may have set active_ms after now_ms was taken. */
        if (lives(handle) && (limit_ms == 0 || (int32_t)idle_ms >= (int32_t)limit_ms)) {
            ret_connections[count++] = handle;
        }
    }
    return count;
}

uint32_t updraft_now_ms(void)
{
    return (uint32_t)(esp_timer_get_time() / 1000);
}

/* Since ESP-IDF 5.5 NimBLE may tell of a connection after its first writes. */
static struct connection *add(uint16_t handle)
{
    forget_ended();
    struct connection *connection = find(UPDRAFT_CONNECTION_NONE);
    if (connection == NULL) {
        ESP_LOGE(TAG, "connection %u: no room for it", handle);
        return NULL;
    }
    connection->told = false;
    connection->spoke = false;
    connection->lost = false;
    connection->lost_told = false;
    atomic_store(&connection->subscribed, false);
    atomic_store(&connection->asks, false);
    atomic_store(&connection->active_ms, updraft_now_ms());
    atomic_store(&connection->handle, handle);
    updraft_link_wake(); /* it may become idle: the update task must count its time */
    return connection;
}

static bool lives(uint16_t handle)
{
    return handle != UPDRAFT_CONNECTION_NONE && ble_gap_conn_find(handle, NULL) == 0;
}

/* NimBLE does not tell the end of a link that never came about (error 0x3E), nor, since
 * ESP-IDF 5.4, of one that was lost before the peer's features were known. */
static void forget_ended(void)
{
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        uint16_t handle = atomic_load(&connections[i].handle);
        if (handle != UPDRAFT_CONNECTION_NONE && !lives(handle)) {
            updraft_link_closed(handle);
        }
    }
}

static struct connection *find(uint16_t handle)
{
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        if (atomic_load(&connections[i].handle) == handle) {
            return &connections[i];
        }
    }
    return NULL;
}

/* The connection that wrote something: one that was not told yet, too. */
static struct connection *of_value(uint16_t handle)
{
    struct connection *connection = find(handle);
    if (connection == NULL) {
        connection = add(handle);
    }
    if (connection != NULL) {
        atomic_store(&connection->active_ms, updraft_now_ms());
    }
    return connection;
}

static bool push(struct connection *connection, enum updraft_link_kind kind,
                 const struct value *value, uint32_t reserve_bytes)
{
    const struct updraft_ring_record record = {
        .kind = (uint8_t)kind,
        .connection = atomic_load(&connection->handle),
        .size_bytes = value->size_bytes,
    };
    if (!updraft_ring_push(&ring, &record, value->payload, value->source,
                           reserve_bytes)) {
        return false;
    }
    updraft_link_wake();
    return true;
}

/* NimBLE's access callback cannot postpone its answer: with a full ring it waits here.
 * The update task, of lower priority, goes on meanwhile; the ring holds enough for it
 * that polling costs no throughput. */
static bool push_value(struct connection *connection, enum updraft_link_kind kind,
                       const struct value *value, uint32_t limit_ms)
{
    uint32_t start_ms = updraft_now_ms();
    uint32_t reserve_bytes = UPDRAFT_LINK_RESERVE_SIZE;
    if (kind == UPDRAFT_LINK_DATA) {
        reserve_bytes += UPDRAFT_LINK_CONTROL_SIZE;
    }
    for (;;) {
        bool told = !connection->lost || connection->lost_told || tell_lost(connection);
        if (told && push(connection, kind, value, reserve_bytes)) {
            connection->spoke = true;
            connection->lost = false;
            connection->lost_told = false;
            return true;
        }
        if (updraft_now_ms() - start_ms >= limit_ms) {
            return false;
        }
        vTaskDelay(1);
    }
}

/* The loss stands in the ring before anything that comes after it. */
static bool tell_lost(struct connection *connection)
{
    if (connection->lost_told) {
        return true;
    }
    /* With nothing of it pushed there is no update that could have lost something. */
    connection->lost_told =
        !connection->spoke || push(connection, UPDRAFT_LINK_DATA_LOST, &nothing, 0);
    return connection->lost_told;
}
