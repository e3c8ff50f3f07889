/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The attribute table, and what NimBLE's host task does with reads and writes. */
#include "gatt.h"

#include <string.h>

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host/ble_hs.h"
#include "host/ble_uuid.h"

#include "link.h"
#include "updraft/protocol1.h"

#define NOTIFY_RETRY_MS 10u
#define NOTIFY_LIMIT_MS 2000u

static const char *const TAG = "updraft";

/* What an access callback is asked about. */
enum attribute { MANUFACTURER, MODEL, FIRMWARE_REVISION };

static struct updraft_gatt_strings strings;
static uint16_t control_handle;
static uint16_t data_handle;

static int access_string(uint16_t connection, uint16_t attribute,
                         struct ble_gatt_access_ctxt *context, void *argument);
static int access_control(uint16_t connection, uint16_t attribute,
                          struct ble_gatt_access_ctxt *context, void *argument);
static int access_data(uint16_t connection, uint16_t attribute,
                       struct ble_gatt_access_ctxt *context, void *argument);

/* The order of the original: OTA Control before OTA Data; whatever the service gets later
 * comes behind them. Control has no write without response: a REQUEST that gets lost
 * would leave its client waiting. */
static const struct ble_gatt_svc_def services[] = {
    {
        .type = BLE_GATT_SVC_TYPE_PRIMARY,
        .uuid = BLE_UUID16_DECLARE(0x180A), /* Device Information */
        .characteristics =
            (struct ble_gatt_chr_def[]){
                {
                    .uuid = BLE_UUID16_DECLARE(0x2A29), /* Manufacturer Name String */
                    .access_cb = access_string,
                    .arg = (void *)MANUFACTURER,
                    .flags = BLE_GATT_CHR_F_READ,
                },
                {
                    .uuid = BLE_UUID16_DECLARE(0x2A24), /* Model Number String */
                    .access_cb = access_string,
                    .arg = (void *)MODEL,
                    .flags = BLE_GATT_CHR_F_READ,
                },
                {
                    .uuid = BLE_UUID16_DECLARE(0x2A26), /* Firmware Revision String */
                    .access_cb = access_string,
                    .arg = (void *)FIRMWARE_REVISION,
                    .flags = BLE_GATT_CHR_F_READ,
                },
                {0},
            },
    },
    {
        .type = BLE_GATT_SVC_TYPE_PRIMARY,
        .uuid = BLE_UUID128_DECLARE(UPDRAFT_P1_SERVICE_UUID_BYTES),
        .characteristics =
            (struct ble_gatt_chr_def[]){
                {
                    .uuid = BLE_UUID128_DECLARE(UPDRAFT_P1_CONTROL_UUID_BYTES),
                    .access_cb = access_control,
                    .flags = BLE_GATT_CHR_F_READ | BLE_GATT_CHR_F_WRITE |
                             BLE_GATT_CHR_F_NOTIFY,
                    .val_handle = &control_handle,
                },
                {
                    .uuid = BLE_UUID128_DECLARE(UPDRAFT_P1_DATA_UUID_BYTES),
                    .access_cb = access_data,
                    .flags = BLE_GATT_CHR_F_WRITE | BLE_GATT_CHR_F_WRITE_NO_RSP,
                    .val_handle = &data_handle,
                },
                {0},
            },
    },
    {0},
};

esp_err_t updraft_gatt_add(const struct updraft_gatt_strings *new_strings)
{
    strings = *new_strings;
    int rc = ble_gatts_count_cfg(services);
    if (rc == 0) {
        rc = ble_gatts_add_svcs(services);
    }
    if (rc != 0) {
        ESP_LOGE(TAG, "services not added: NimBLE error %d", rc);
        return ESP_FAIL;
    }
    return ESP_OK;
}

int updraft_gatt_notify(uint16_t connection, uint8_t value)
{
    uint32_t start_ms = updraft_now_ms();
    for (;;) {
        /* NimBLE takes the buffer whatever the result: a new one for each try. */
        struct os_mbuf *buffer = ble_hs_mbuf_from_flat(&value, sizeof(value));
        int rc = buffer == NULL
                     ? BLE_HS_ENOMEM
                     : ble_gatts_notify_custom(connection, control_handle, buffer);
        if (rc != BLE_HS_ENOMEM) {
            return rc;
        }
        if (updraft_now_ms() - start_ms >= NOTIFY_LIMIT_MS) {
            return rc;
        }
        vTaskDelay(pdMS_TO_TICKS(NOTIFY_RETRY_MS) + 1);
    }
}

static int access_string(uint16_t connection, uint16_t attribute,
                         struct ble_gatt_access_ctxt *context, void *argument)
{
    (void)attribute;
    const char *text = "";
    switch ((enum attribute)(uintptr_t)argument) {
    case MANUFACTURER:
        text = strings.manufacturer;
        break;
    case MODEL:
        text = strings.model;
        break;
    case FIRMWARE_REVISION:
        text = strings.firmware_revision;
        break;
    }
    updraft_link_active(connection);
    return os_mbuf_append(context->om, text, (uint16_t)strlen(text)) == 0
               ? 0
               : BLE_ATT_ERR_INSUFFICIENT_RES;
}

static int access_control(uint16_t connection, uint16_t attribute,
                          struct ble_gatt_access_ctxt *context, void *argument)
{
    (void)attribute;
    (void)argument;
    if (context->op == BLE_GATT_ACCESS_OP_READ_CHR) {
        uint8_t value = updraft_link_control_value();
        updraft_link_active(connection);
        return os_mbuf_append(context->om, &value, sizeof(value)) == 0
                   ? 0
                   : BLE_ATT_ERR_INSUFFICIENT_RES;
    }
    if (context->op != BLE_GATT_ACCESS_OP_WRITE_CHR ||
        connection == BLE_HS_CONN_HANDLE_NONE) {
        return BLE_ATT_ERR_UNLIKELY;
    }
    uint8_t value;
    if (OS_MBUF_PKTLEN(context->om) != sizeof(value) ||
        ble_hs_mbuf_to_flat(context->om, &value, sizeof(value), NULL) != 0) {
        return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    }
    if (value != UPDRAFT_P1_NOP && value != UPDRAFT_P1_REQUEST &&
        value != UPDRAFT_P1_DONE) {
        return BLE_ATT_ERR_VALUE_NOT_ALLOWED;
    }
    return updraft_link_control(connection, value);
}

static int access_data(uint16_t connection, uint16_t attribute,
                       struct ble_gatt_access_ctxt *context, void *argument)
{
    (void)attribute;
    (void)argument;
    static uint8_t packet[UPDRAFT_P1_PACKET_SIZE_MAX]; /* the host task's alone */
    if (context->op != BLE_GATT_ACCESS_OP_WRITE_CHR ||
        connection == BLE_HS_CONN_HANDLE_NONE) {
        return BLE_ATT_ERR_UNLIKELY;
    }
    uint16_t size_bytes = OS_MBUF_PKTLEN(context->om);
    if (size_bytes == 0 || size_bytes > sizeof(packet) ||
        ble_hs_mbuf_to_flat(context->om, packet, sizeof(packet), NULL) != 0) {
        return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    }
    return updraft_link_data(connection, packet, size_bytes);
}
