/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * An app with a Bluetooth service of its own, to which updates were added: three calls of
 * updraft, each marked. The service holds one counter that a client may read and set. */
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "host/ble_hs.h"
#include "host/util/util.h"
#include "nimble/nimble_port.h"
#include "nimble/nimble_port_freertos.h"
#include "nvs_flash.h"
#include "services/gap/ble_svc_gap.h"
#include "services/gatt/ble_svc_gatt.h"
#include "updraft.h"

#define NAME "counter"

/* 6f1e0001-3b1a-4f0e-9d53-2c7d7f4b9a10 and ...0002-... */
static const ble_uuid128_t service_uuid =
    BLE_UUID128_INIT(0x10, 0x9a, 0x4b, 0x7f, 0x7d, 0x2c, 0x53, 0x9d, 0x0e, 0x4f, 0x1a,
                     0x3b, 0x01, 0x00, 0x1e, 0x6f);
static const ble_uuid128_t counter_uuid =
    BLE_UUID128_INIT(0x10, 0x9a, 0x4b, 0x7f, 0x7d, 0x2c, 0x53, 0x9d, 0x0e, 0x4f, 0x1a,
                     0x3b, 0x02, 0x00, 0x1e, 0x6f);

static const char *const TAG = "counter";
static uint8_t counter;
static uint8_t own_address_type;

static int access_counter(uint16_t connection, uint16_t attribute,
                          struct ble_gatt_access_ctxt *context, void *argument)
{
    (void)connection;
    (void)attribute;
    (void)argument;
    if (context->op == BLE_GATT_ACCESS_OP_READ_CHR) {
        return os_mbuf_append(context->om, &counter, 1) == 0
                   ? 0
                   : BLE_ATT_ERR_INSUFFICIENT_RES;
    }
    if (OS_MBUF_PKTLEN(context->om) != 1) {
        return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    }
    return ble_hs_mbuf_to_flat(context->om, &counter, 1, NULL) == 0
               ? 0
               : BLE_ATT_ERR_UNLIKELY;
}

static const struct ble_gatt_svc_def services[] = {
    {
        .type = BLE_GATT_SVC_TYPE_PRIMARY,
        .uuid = &service_uuid.u,
        .characteristics =
            (struct ble_gatt_chr_def[]){
                {
                    .uuid = &counter_uuid.u,
                    .access_cb = access_counter,
                    .flags = BLE_GATT_CHR_F_READ | BLE_GATT_CHR_F_WRITE,
                },
                {0},
            },
    },
    {0},
};

static void advertise(void);

static int on_gap_event(struct ble_gap_event *event, void *argument)
{
    (void)argument;
    updraft_gap_event(event); /* updraft: 2 of 3 */
    if (event->type == BLE_GAP_EVENT_CONNECT || event->type == BLE_GAP_EVENT_DISCONNECT) {
        advertise();
    }
    return 0;
}

static void advertise(void)
{
    const struct ble_gap_adv_params params = {
        .conn_mode = BLE_GAP_CONN_MODE_UND,
        .disc_mode = BLE_GAP_DISC_MODE_GEN,
    };
    const struct ble_hs_adv_fields fields = {
        .flags = BLE_HS_ADV_F_DISC_GEN | BLE_HS_ADV_F_BREDR_UNSUP,
        .name = (const uint8_t *)NAME,
        .name_len = strlen(NAME),
        .name_is_complete = 1,
    };
    int rc = ble_gap_adv_set_fields(&fields);
    if (rc == 0) {
        rc = ble_gap_adv_start(own_address_type, NULL, BLE_HS_FOREVER, &params,
                               on_gap_event, NULL);
    }
    if (rc == 0) {
        updraft_radio_ready(); /* updraft: 3 of 3 */
    } else if (rc != BLE_HS_EALREADY && rc != BLE_HS_ENOMEM) {
        ESP_LOGE(TAG, "advertising does not start: %d", rc);
    }
}

static void on_sync(void)
{
    if (ble_hs_util_ensure_addr(0) == 0 &&
        ble_hs_id_infer_auto(0, &own_address_type) == 0) {
        advertise();
    }
}

static void host_task(void *argument)
{
    (void)argument;
    nimble_port_run();
    nimble_port_freertos_deinit();
}

void app_main(void)
{
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(nimble_port_init());
    ble_hs_cfg.sync_cb = on_sync;
    ble_svc_gap_init();
    ble_svc_gatt_init();
    ESP_ERROR_CHECK(updraft_attach(NULL)); /* updraft: 1 of 3 */
    if (ble_gatts_count_cfg(services) != 0 || ble_gatts_add_svcs(services) != 0 ||
        ble_svc_gap_device_name_set(NAME) != 0) {
        ESP_LOGE(TAG, "the counter's service was not added");
        abort();
    }
    nimble_port_freertos_init(host_task);
}
