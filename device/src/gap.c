/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * GAP: advertise under the device's name whenever a connection is free. */
#include "gap.h"

#include "sdkconfig.h"

#ifdef CONFIG_UPDRAFT_START

#include <stdatomic.h>
#include <string.h>

#include "esp_log.h"
#include "host/ble_gap.h"
#include "host/ble_hs.h"
#include "host/util/util.h"
#include "nimble/nimble_port.h"
#include "nimble/nimble_port_freertos.h"
#include "services/gap/ble_svc_gap.h"
#include "services/gatt/ble_svc_gatt.h"

#include "link.h"
#include "log.h"
#include "trial.h"
#include "updraft.h"
#include "updraft/protocol1.h"

/* 498 gives a client that sends MTU - 3 bytes exactly two link-layer packets of 251. */
#define PREFERRED_MTU 498u

/* What fits where (Core Specification Supplement, Part A): 31 bytes each. Advertised are
 * flags (3), TX power (3), then name (2 + n) and service UUID (18). */
#define FIELDS_SIZE_MAX   31u
#define NAME_WITH_UUID    5u  /* 3 + 3 + 18 + 2 leave so much */
#define NAME_WITHOUT_UUID 23u /* 3 + 3 + 2 leave so much */
#define NAME_SIZE_MAX     29u

#define ADVERTISE_RETRY_MS 1000u
/* NimBLE of ESP-IDF 5.5 ends advertising without a word when a link did not come about
 * (BT_NIMBLE_ENABLE_CONN_REATTEMPT): so this often we look. */
#define LOOK_MS 2000u

static const char *const TAG = "updraft";
static const ble_uuid128_t service_uuid = BLE_UUID128_INIT(UPDRAFT_P1_SERVICE_UUID_BYTES);

static char name[NAME_SIZE_MAX + 1];
static _Atomic uint8_t own_address_type; /* the host task writes it at each sync */
static _Atomic bool told;
static _Atomic bool advertise_again;
static _Atomic uint32_t not_before_ms;
static uint32_t look_ms; /* update task only */

static void on_sync(void);
static void on_reset(int reason);
static int on_gap_event(struct ble_gap_event *event, void *argument);
static void host_task(void *argument);
static void advertise(void);
static void try_again(uint32_t delay_ms);
static int set_fields(void);
static void set_name(const char *new_name);

esp_err_t updraft_gap_init(const char *new_name)
{
    set_name(new_name);
    atomic_store(&advertise_again, false);
    look_ms = updraft_now_ms() + LOOK_MS;
    esp_err_t err = nimble_port_init();
    if (err != ESP_OK) {
        updraft_log_error("NimBLE does not start", err);
        return err;
    }
    ble_hs_cfg.sync_cb = on_sync;
    ble_hs_cfg.reset_cb = on_reset;
    ble_svc_gap_init();
    ble_svc_gatt_init();
    int rc = ble_svc_gap_device_name_set(name);
    if (rc == 0) {
        rc = ble_att_set_preferred_mtu(PREFERRED_MTU);
    }
    if (rc != 0) {
        updraft_log_nimble_error("device name or MTU not set", rc);
        return ESP_FAIL;
    }
    return ESP_OK;
}

void updraft_gap_run(void)
{
    nimble_port_freertos_init(host_task);
}

uint32_t updraft_gap_poll(void)
{
    uint32_t now_ms = updraft_now_ms();
    uint32_t due_ms =
        atomic_load(&advertise_again) ? atomic_load(&not_before_ms) : look_ms;
    int32_t left_ms = (int32_t)(due_ms - now_ms);
    if (left_ms > 0) {
        return (uint32_t)left_ms;
    }
    atomic_store(&advertise_again, false);
    look_ms = now_ms + LOOK_MS;
    if (ble_hs_synced()) { /* if not, on_sync will do it */
        advertise();
    }
    return atomic_load(&advertise_again) ? ADVERTISE_RETRY_MS : LOOK_MS;
}

static void host_task(void *argument)
{
    (void)argument;
    nimble_port_run(); /* returns only after nimble_port_stop */
    nimble_port_freertos_deinit();
}

static void on_sync(void)
{
    uint8_t type = 0;
    int rc = ble_hs_util_ensure_addr(/* prefer_random= */ 0);
    if (rc == 0) {
        rc = ble_hs_id_infer_auto(/* privacy= */ 0, &type);
    }
    if (rc != 0) {
        updraft_log_nimble_error("no Bluetooth address", rc);
        return;
    }
    atomic_store(&own_address_type, type);
    if (updraft_trial_under_way()) {
        /* A new firmware may have a new table: clients that subscribed learn of it. */
        ble_svc_gatt_changed(0x0001, 0xffff);
    }
    advertise();
}

static void on_reset(int reason)
{
    ESP_LOGW(TAG, "Bluetooth host reset, reason %d", reason);
}

static int on_gap_event(struct ble_gap_event *event, void *argument)
{
    (void)argument;
    updraft_gap_event(event);
    if (event->type == BLE_GAP_EVENT_CONNECT || event->type == BLE_GAP_EVENT_DISCONNECT ||
        event->type == BLE_GAP_EVENT_ADV_COMPLETE) {
        advertise();
    }
    return 0;
}

/* Host task, and update task after a failure: NimBLE's own lock makes the second of two
 * attempts fail with BLE_HS_EALREADY. */
static void advertise(void)
{
    if (updraft_link_count() >= CONFIG_BT_NIMBLE_MAX_CONNECTIONS ||
        ble_gap_adv_active()) {
        return;
    }
    if (!updraft_trial_tested()) {
        /* A client that finds the new firmware may take it for a good one. */
        try_again(/* delay_ms= */ 0);
        return;
    }
    const struct ble_gap_adv_params params = {
        .conn_mode = BLE_GAP_CONN_MODE_UND,
        .disc_mode = BLE_GAP_DISC_MODE_GEN,
    };
    int rc = set_fields();
    if (rc == 0) {
        rc = ble_gap_adv_start(atomic_load(&own_address_type), /* direct_addr= */ NULL,
                               BLE_HS_FOREVER, &params, on_gap_event, /* cb_arg= */ NULL);
    }
    if (rc == 0) {
        if (!atomic_exchange(&told, true)) {
            ESP_LOGI(TAG, "advertising as \"%s\"", name);
        }
        updraft_trial_radio_ready();
    } else if (rc != BLE_HS_EALREADY) {
        ESP_LOGW(TAG, "advertising does not start: NimBLE error %d", rc);
        try_again(ADVERTISE_RETRY_MS);
    }
}

static void try_again(uint32_t delay_ms)
{
    atomic_store(&not_before_ms, updraft_now_ms() + delay_ms);
    atomic_store(&advertise_again, true);
    updraft_link_wake();
}

static int set_fields(void)
{
    struct ble_hs_adv_fields fields = {
        .flags = BLE_HS_ADV_F_DISC_GEN | BLE_HS_ADV_F_BREDR_UNSUP,
        .tx_pwr_lvl_is_present = 1,
        .tx_pwr_lvl = BLE_HS_ADV_TX_PWR_LVL_AUTO,
    };
    struct ble_hs_adv_fields response = {0};
    size_t size = strlen(name);
    struct ble_hs_adv_fields *with_name = size <= NAME_WITHOUT_UUID ? &fields : &response;
    struct ble_hs_adv_fields *with_uuid =
        size <= NAME_WITH_UUID || size > NAME_WITHOUT_UUID ? &fields : &response;
    with_name->name = (const uint8_t *)name;
    with_name->name_len = (uint8_t)size;
    with_name->name_is_complete = 1;
    with_uuid->uuids128 = &service_uuid;
    with_uuid->num_uuids128 = 1;
    with_uuid->uuids128_is_complete = 1;
    int rc = ble_gap_adv_set_fields(&fields);
    if (rc == 0) {
        rc = ble_gap_adv_rsp_set_fields(&response);
    }
    return rc;
}

/* Keeps what a scan response holds of the name, and no part of a UTF-8 character. */
static void set_name(const char *new_name)
{
    size_t size = strlen(new_name);
    if (size > NAME_SIZE_MAX) {
        size = NAME_SIZE_MAX;
        while (size > 0 && ((uint8_t)new_name[size] & 0xC0) == 0x80) {
            size--;
        }
    }
    memcpy(name, new_name, size);
    name[size] = '\0';
    if (new_name[size] != '\0') {
        ESP_LOGW(TAG, "the name \"%s\" is too long, using \"%s\"", new_name, name);
    }
}

#endif
