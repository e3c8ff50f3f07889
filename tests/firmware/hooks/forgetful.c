/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * An app with its own NimBLE that does not initialise NVS: updraft can remember nothing.
 * As version "no-word" it forgets to say that its advertising is up, too. */
#include <stdlib.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_log.h"
#include "host/ble_hs.h"
#include "host/util/util.h"
#include "nimble/nimble_port.h"
#include "nimble/nimble_port_freertos.h"
#include "services/gap/ble_svc_gap.h"
#include "services/gatt/ble_svc_gatt.h"
#include "updraft.h"

#define NAME "forgetful"

static uint8_t own_address_type;

static void advertise(void);

static int on_gap_event(struct ble_gap_event *event, void *argument)
{
    (void)argument;
    updraft_gap_event(event);
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
        .name_len = sizeof(NAME) - 1,
        .name_is_complete = 1,
    };
    if (ble_gap_adv_set_fields(&fields) == 0 &&
        ble_gap_adv_start(own_address_type, NULL, BLE_HS_FOREVER, &params, on_gap_event,
                          NULL) == 0) {
        ESP_LOGI(NAME, "advertising as \"%s\"", NAME);
        if (strcmp(esp_app_get_description()->version, "no-word") != 0) {
            updraft_radio_ready();
        }
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
    ESP_ERROR_CHECK(nimble_port_init());
    ble_hs_cfg.sync_cb = on_sync;
    ble_svc_gap_init();
    ble_svc_gatt_init();
    ESP_ERROR_CHECK(updraft_attach(NULL));
    if (ble_svc_gap_device_name_set(NAME) != 0) {
        abort();
    }
    nimble_port_freertos_init(host_task);
}
