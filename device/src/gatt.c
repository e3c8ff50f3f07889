/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The attribute table, and what NimBLE's host task does with reads and writes. */
#include "gatt.h"

#include <assert.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host/ble_hs.h"
#include "host/ble_uuid.h"

#include "link.h"
#include "log.h"
#include "snapshot.h"
#include "updraft/protocol1.h"
#include "updraft/protocol2.h"

#define NOTIFY_RETRY_MS 10u

static struct updraft_gatt_strings strings;
static uint16_t control_handle;

static int access_string(uint16_t connection, uint16_t attribute,
                         struct ble_gatt_access_ctxt *context, void *argument);
static int access_control(uint16_t connection, uint16_t attribute,
                          struct ble_gatt_access_ctxt *context, void *argument);
static int access_data(uint16_t connection, uint16_t attribute,
                       struct ble_gatt_access_ctxt *context, void *argument);
static int access_info(uint16_t connection, uint16_t attribute,
                       struct ble_gatt_access_ctxt *context, void *argument);
static int judge_control(const uint8_t *bytes, uint16_t size_bytes);
static int give(struct ble_gatt_access_ctxt *context, const void *bytes, size_t size);

/* Constants of their own, not NimBLE's ..._DECLARE: those would be in RAM. */
static const ble_uuid16_t device_information_uuid = BLE_UUID16_INIT(0x180A);
static const ble_uuid16_t manufacturer_uuid = BLE_UUID16_INIT(0x2A29);
static const ble_uuid16_t model_uuid = BLE_UUID16_INIT(0x2A24);
static const ble_uuid16_t firmware_revision_uuid = BLE_UUID16_INIT(0x2A26);
static const ble_uuid128_t ota_uuid = BLE_UUID128_INIT(UPDRAFT_P1_SERVICE_UUID_BYTES);
static const ble_uuid128_t control_uuid = BLE_UUID128_INIT(UPDRAFT_P1_CONTROL_UUID_BYTES);
static const ble_uuid128_t data_uuid = BLE_UUID128_INIT(UPDRAFT_P1_DATA_UUID_BYTES);
static const ble_uuid128_t info_uuid = BLE_UUID128_INIT(UPDRAFT_P2_INFO_UUID_BYTES);

static const struct ble_gatt_chr_def device_information[] = {
    {
        .uuid = &manufacturer_uuid.u,
        .access_cb = access_string,
        .arg = &strings.manufacturer,
        .flags = BLE_GATT_CHR_F_READ,
    },
    {
        .uuid = &model_uuid.u,
        .access_cb = access_string,
        .arg = &strings.model,
        .flags = BLE_GATT_CHR_F_READ,
    },
    {
        .uuid = &firmware_revision_uuid.u,
        .access_cb = access_string,
        .arg = &strings.firmware_revision,
        .flags = BLE_GATT_CHR_F_READ,
    },
    {0},
};

/* The order of the original: OTA Control before OTA Data; what it does not have comes
 * behind them. Control has no write without response: a REQUEST that gets lost would
 * leave its client waiting. */
static const struct ble_gatt_chr_def ota[] = {
    {
        .uuid = &control_uuid.u,
        .access_cb = access_control,
        .flags = BLE_GATT_CHR_F_READ | BLE_GATT_CHR_F_WRITE | BLE_GATT_CHR_F_NOTIFY,
        .val_handle = &control_handle,
    },
    {
        .uuid = &data_uuid.u,
        .access_cb = access_data,
        .flags = BLE_GATT_CHR_F_WRITE | BLE_GATT_CHR_F_WRITE_NO_RSP,
    },
    {
        .uuid = &info_uuid.u,
        .access_cb = access_info,
        .flags = BLE_GATT_CHR_F_READ,
    },
    {0},
};

static const struct ble_gatt_svc_def services[] = {
    {
        .type = BLE_GATT_SVC_TYPE_PRIMARY,
        .uuid = &device_information_uuid.u,
        .characteristics = device_information,
    },
    {
        .type = BLE_GATT_SVC_TYPE_PRIMARY,
        .uuid = &ota_uuid.u,
        .characteristics = ota,
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
        updraft_log_nimble_error("services not added", rc);
        return ESP_FAIL;
    }
    return ESP_OK;
}

void updraft_gatt_subscribed(uint16_t connection, uint16_t attribute, bool enabled)
{
    if (attribute == control_handle) {
        updraft_link_subscribe(connection, enabled);
    }
}

int updraft_gatt_notify(uint16_t connection, const uint8_t *bytes, uint16_t size_bytes,
                        uint32_t limit_ms)
{
    uint32_t start_ms = updraft_now_ms();
    for (;;) {
        /* NimBLE takes the buffer whatever the result: a new one for each try. */
        struct os_mbuf *buffer = ble_hs_mbuf_from_flat(bytes, size_bytes);
        int rc = buffer == NULL
                     ? BLE_HS_ENOMEM
                     : ble_gatts_notify_custom(connection, control_handle, buffer);
        if (rc != BLE_HS_ENOMEM) {
            return rc;
        }
        if (updraft_now_ms() - start_ms >= limit_ms) {
            return rc;
        }
        vTaskDelay(pdMS_TO_TICKS(NOTIFY_RETRY_MS) + 1);
    }
}

static int access_string(uint16_t connection, uint16_t attribute,
                         struct ble_gatt_access_ctxt *context, void *argument)
{
    (void)attribute;
    const char *text = *(const char *const *)argument;
    updraft_link_active(connection);
    return give(context, text, strlen(text));
}

static int access_control(uint16_t connection, uint16_t attribute,
                          struct ble_gatt_access_ctxt *context, void *argument)
{
    (void)attribute;
    (void)argument;
    if (context->op == BLE_GATT_ACCESS_OP_READ_CHR) {
        uint8_t value = updraft_link_control_value();
        updraft_link_active(connection);
        return give(context, &value, sizeof(value));
    }
    if (context->op != BLE_GATT_ACCESS_OP_WRITE_CHR ||
        connection == BLE_HS_CONN_HANDLE_NONE) {
        return BLE_ATT_ERR_UNLIKELY;
    }
    uint8_t value[UPDRAFT_P2_COMMAND_MAX];
    uint16_t size_bytes = OS_MBUF_PKTLEN(context->om);
    if (size_bytes == 0 || size_bytes > sizeof(value) ||
        ble_hs_mbuf_to_flat(context->om, value, sizeof(value), NULL) != 0) {
        return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    }
    int error = judge_control(value, size_bytes);
    return error != 0 ? error : updraft_link_control(connection, value, size_bytes);
}

/* A single byte is protocol 1, and so is the error for more bytes that nobody knows. */
static int judge_control(const uint8_t *bytes, uint16_t size_bytes)
{
    if (size_bytes == 1) {
        return bytes[0] == UPDRAFT_P1_NOP || bytes[0] == UPDRAFT_P1_REQUEST ||
                       bytes[0] == UPDRAFT_P1_DONE
                   ? 0
                   : BLE_ATT_ERR_VALUE_NOT_ALLOWED;
    }
    if (bytes[0] < UPDRAFT_P2_OPEN || bytes[0] > UPDRAFT_P2_STATUS) {
        return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    }
    struct updraft_p2_command command;
    return updraft_p2_get_command(bytes, size_bytes, &command)
               ? 0
               : BLE_ATT_ERR_VALUE_NOT_ALLOWED;
}

static void copy_mbuf(const void *payload, uint32_t offset_bytes, uint8_t *to,
                      uint32_t size_bytes)
{
    const struct os_mbuf *chain = payload;
    int rc = os_mbuf_copydata(chain, (int)offset_bytes, (int)size_bytes, to);
    assert(rc == 0); /* its length was asked before */
    (void)rc;
}

static int access_data(uint16_t connection, uint16_t attribute,
                       struct ble_gatt_access_ctxt *context, void *argument)
{
    (void)attribute;
    (void)argument;
    if (context->op != BLE_GATT_ACCESS_OP_WRITE_CHR ||
        connection == BLE_HS_CONN_HANDLE_NONE) {
        return BLE_ATT_ERR_UNLIKELY;
    }
    uint16_t size_bytes = OS_MBUF_PKTLEN(context->om);
    if (size_bytes == 0 || size_bytes > UPDRAFT_P1_PACKET_SIZE_MAX) {
        return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    }
    return updraft_link_data(connection, context->om, copy_mbuf, size_bytes);
}

/* Asked anew for each part of a long read. Parts of two states do not go together: the
 * value's checksum tells. */
static int access_info(uint16_t connection, uint16_t attribute,
                       struct ble_gatt_access_ctxt *context, void *argument)
{
    (void)attribute;
    (void)argument;
    uint8_t value[UPDRAFT_P2_INFO_SIZE];
    if (context->op != BLE_GATT_ACCESS_OP_READ_CHR) {
        return BLE_ATT_ERR_UNLIKELY;
    }
    updraft_link_active(connection);
    updraft_snapshot_read(connection, value);
    return give(context, value, sizeof(value));
}

static int give(struct ble_gatt_access_ctxt *context, const void *bytes, size_t size)
{
    return os_mbuf_append(context->om, bytes, (uint16_t)size) == 0
               ? 0
               : BLE_ATT_ERR_INSUFFICIENT_RES;
}
