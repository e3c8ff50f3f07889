/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Protocol 1 by esp_ota_*, with the original's defects where they are switched on. */
#include "update.h"

#include <string.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "host/ble_att.h"

#include "defects.h"
#include "updraft/protocol1.h"

#define NOBODY 0xFFFFu

static const char *const TAG = "legacy";

static bool updating;
static bool failed;
static bool short_seen;
static uint16_t owner = NOBODY;
static uint16_t packet_size;
static bool packet_size_told;
static uint32_t written_bytes;
static const esp_partition_t *slot;
static esp_ota_handle_t handle;
/* The packet, and what happens to lie behind it. */
static uint8_t buffer[2 * UPDRAFT_P1_PACKET_SIZE_MAX];

static const esp_partition_t *choose_slot(void)
{
    if (!HAS_DEFECT(LEGACY_ADDRESSES)) {
        return esp_ota_get_next_update_partition(NULL);
    }
    /* ota_1 if ota_0 runs, else ota_0, by the stock table of 4 MB chips. */
    const esp_partition_t *running = esp_ota_get_running_partition();
    const char *label = running->address == 0x110000 ? "ota_1" : "ota_0";
    const esp_partition_t *found = esp_partition_find_first(
        ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, label);
    uint32_t expected = running->address == 0x110000 ? 0x210000 : 0x110000;
    return found != NULL && found->address == expected ? found : NULL;
}

static bool is_owner(uint16_t connection)
{
    return owner == connection || HAS_DEFECT(LEGACY_NO_OWNER) ||
           HAS_DEFECT(LEGACY_KEEPS_UPDATING);
}

static void end_update(void)
{
    if (updating && handle != 0) {
        (void)esp_ota_abort(handle);
    }
    handle = 0;
    updating = false;
    owner = NOBODY;
}

void legacy_request(uint16_t connection)
{
    if (updating && !is_owner(connection)) {
        legacy_answer(connection, UPDRAFT_P1_REQUEST_NAK);
        return;
    }
    if (updating && !HAS_DEFECT(LEGACY_SECOND_REQUEST)) {
        end_update();
    }
    if (!packet_size_told) {
        legacy_answer(connection, UPDRAFT_P1_REQUEST_NAK);
        return;
    }
    slot = choose_slot();
    if (slot != NULL && HAS_DEFECT(LEGACY_ON_TRIAL)) {
        (void)esp_partition_erase_range(slot, 0, slot->size);
    }
    esp_err_t err = slot == NULL
                        ? ESP_ERR_NOT_FOUND
                        : esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &handle);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_ota_begin: %s", esp_err_to_name(err));
        end_update();
        legacy_answer(connection, UPDRAFT_P1_REQUEST_NAK);
        return;
    }
    ESP_LOGI(TAG, "update into %s", slot->label);
    updating = true;
    failed = false;
    short_seen = false;
    written_bytes = 0;
    owner = connection;
    legacy_answer(connection, UPDRAFT_P1_REQUEST_ACK);
}

void legacy_done(uint16_t connection)
{
    bool mine = updating && is_owner(connection);
    esp_err_t err = ESP_ERR_INVALID_STATE;
    if (mine && !failed) {
        err = esp_ota_end(handle);
        handle = 0;
        if (err == ESP_OK) {
            err = esp_ota_set_boot_partition(slot);
        }
    }
    if (mine) {
        end_update();
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "image not accepted: %s", esp_err_to_name(err));
        legacy_answer(connection, UPDRAFT_P1_DONE_NAK);
        return;
    }
    legacy_answer(connection, UPDRAFT_P1_DONE_ACK);
    legacy_restart();
}

/* Writes `size_bytes` of the buffer. */
static void write_buffer(uint32_t size_bytes)
{
    esp_err_t err = ESP_ERR_INVALID_SIZE;
    if (written_bytes + size_bytes <= slot->size) {
        err = esp_ota_write(handle, buffer, size_bytes);
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "write at 0x%x: %s", (unsigned)written_bytes, esp_err_to_name(err));
        failed = failed || !HAS_DEFECT(LEGACY_WRITE_ERRORS);
        return;
    }
    written_bytes += size_bytes;
}

static int take_packet_size(const uint8_t *bytes, uint16_t size_bytes)
{
    if (size_bytes != 2) {
        return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    }
    uint16_t told = (uint16_t)(bytes[0] | bytes[1] << 8);
    uint16_t limit =
        HAS_DEFECT(LEGACY_PACKET_SIZE) ? sizeof(buffer) : UPDRAFT_P1_PACKET_SIZE_MAX;
    packet_size_told = told != 0 && told <= limit;
    packet_size = told;
    return packet_size_told ? 0 : BLE_ATT_ERR_VALUE_NOT_ALLOWED;
}

bool legacy_failed(void)
{
    return updating && failed;
}

int legacy_data(uint16_t connection, const uint8_t *bytes, uint16_t size_bytes)
{
    if (updating && !is_owner(connection)) {
        return BLE_ATT_ERR_UNLIKELY;
    }
    if (!updating) {
        return take_packet_size(bytes, size_bytes);
    }
    bool wrong = size_bytes > packet_size || short_seen;
    if (wrong && !HAS_DEFECT(LEGACY_WRONG_LENGTH)) {
        failed = true;
        return BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN;
    }
    if (failed) {
        return BLE_ATT_ERR_UNLIKELY;
    }
    memcpy(buffer, bytes, size_bytes);
    if (HAS_DEFECT(LEGACY_STALE_BYTES) || HAS_DEFECT(LEGACY_PACKET_SIZE)) {
        write_buffer(packet_size);
    } else {
        short_seen = size_bytes < packet_size && !HAS_DEFECT(LEGACY_WRONG_LENGTH);
        write_buffer(size_bytes);
    }
    return wrong ? BLE_ATT_ERR_INVALID_ATTR_VALUE_LEN : 0;
}

void legacy_disconnected(uint16_t connection)
{
    if (updating && owner == connection && !HAS_DEFECT(LEGACY_KEEPS_UPDATING)) {
        ESP_LOGW(TAG, "link lost: update ended");
        end_update();
    }
}
