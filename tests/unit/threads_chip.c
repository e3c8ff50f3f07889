/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the update task alone uses: a slot, an NVS that takes what it is given, and more.
 */
#include "threads_fixture.h"

#include <string.h>

#include "esp_app_desc.h"
#include "esp_chip_info.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "host/ble_gap.h"
#include "host/ble_hs.h"
#include "host/util/util.h"
#include "idf_compat.h"
#include "image_maker.h"
#include "nimble/nimble_port.h"
#include "nimble/nimble_port_freertos.h"
#include "nvs_flash.h"
#include "services/gap/ble_svc_gap.h"
#include "services/gatt/ble_svc_gatt.h"
#include "slot.h"
#include "updraft/image.h"

static const esp_partition_t running = {.label = "ota_0", .size = THREADS_SLOT_SIZE};
static const esp_partition_t target = {.label = "ota_1", .size = THREADS_SLOT_SIZE};
static uint8_t slot[THREADS_SLOT_SIZE];

/* ---- the slots ---- */

esp_err_t updraft_slots_find(struct updraft_slots *ret_slots)
{
    *ret_slots =
        (struct updraft_slots){.running = &running, .target = &target, .ota_count = 2};
    return ESP_OK;
}

const char *updraft_slot_kind(const esp_partition_t *partition)
{
    return partition->label;
}

esp_err_t updraft_slot_chip_id(const struct updraft_slots *slots, uint16_t *ret_chip_id)
{
    (void)slots;
    *ret_chip_id = UPDRAFT_CHIP_ESP32C3;
    return ESP_OK;
}

esp_err_t updraft_slot_image_id(const esp_partition_t *partition,
                                uint8_t ret_id[UPDRAFT_IMAGE_HASH_SIZE])
{
    (void)partition;
    memset(ret_id, 1, UPDRAFT_IMAGE_HASH_SIZE);
    return ESP_OK;
}

esp_err_t updraft_slot_hardware_id(const struct updraft_slots *slots,
                                   uint32_t *ret_hardware_id)
{
    (void)slots;
    *ret_hardware_id = 0;
    return ESP_OK;
}

uint8_t updraft_slot_index(const esp_partition_t *partition)
{
    return partition == &target;
}

uint32_t updraft_slot_noted_state(const struct updraft_slots *slots, uint8_t index)
{
    (void)slots;
    (void)index;
    return ESP_OTA_IMG_VALID;
}

bool updraft_slot_on_trial(const struct updraft_slots *slots)
{
    (void)slots;
    return true;
}

int updraft_slot_renew_trial(const struct updraft_slots *slots)
{
    (void)slots;
    return 0;
}

int updraft_slot_prepare(const struct updraft_slots *slots)
{
    (void)slots;
    return 0;
}

int updraft_slot_erase(const struct updraft_slots *slots, uint32_t offset_bytes,
                       uint32_t size_bytes)
{
    (void)slots;
    memset(slot + offset_bytes, 0xFF, size_bytes);
    return 0;
}

int updraft_slot_write(const struct updraft_slots *slots, uint32_t offset_bytes,
                       const uint8_t *bytes, uint32_t size_bytes)
{
    (void)slots;
    memcpy(slot + offset_bytes, bytes, size_bytes);
    return 0;
}

int updraft_slot_read(const struct updraft_slots *slots, uint32_t offset_bytes,
                      uint8_t *ret_bytes, uint32_t size_bytes)
{
    (void)slots;
    memcpy(ret_bytes, slot + offset_bytes, size_bytes);
    return 0;
}

int updraft_slot_hash(const struct updraft_slots *slots, const uint8_t *head,
                      uint32_t head_size_bytes, uint32_t offset_bytes,
                      uint32_t end_offset_bytes,
                      uint8_t scratch[UPDRAFT_SLOT_SCRATCH_SIZE], uint8_t ret_digest[32])
{
    static uint8_t whole[THREADS_SLOT_SIZE + UPDRAFT_SLOT_SCRATCH_SIZE];
    (void)slots;
    (void)scratch;
    if (head_size_bytes > 0) {
        memcpy(whole, head, head_size_bytes);
    }
    memcpy(whole + head_size_bytes, slot + offset_bytes, end_offset_bytes - offset_bytes);
    sha256(whole, head_size_bytes + end_offset_bytes - offset_bytes, ret_digest);
    return 0;
}

int updraft_slot_crc(const struct updraft_slots *slots, uint32_t offset_bytes,
                     uint32_t size_bytes, uint8_t scratch[UPDRAFT_SLOT_SCRATCH_SIZE],
                     uint32_t *ret_crc)
{
    (void)slots;
    (void)offset_bytes;
    (void)size_bytes;
    (void)scratch;
    *ret_crc = 0; /* nobody resumes here */
    return 0;
}

int updraft_slot_activate(const struct updraft_slots *slots)
{
    (void)slots;
    return 0;
}

bool updraft_slot_may_go_back(const struct updraft_slots *slots, uint8_t which)
{
    (void)slots;
    (void)which;
    return false;
}

int updraft_slot_go_back(const struct updraft_slots *slots, uint8_t which)
{
    (void)slots;
    (void)which;
    threads_fail("went back", which);
    return -1;
}

/* ---- the watchdog ---- */

uint32_t updraft_secure_version(void)
{
    return 0;
}

void updraft_watchdog_arm(uint32_t timeout_ms)
{
    (void)timeout_ms;
}

void updraft_watchdog_feed(void)
{
}

void updraft_watchdog_disable(void)
{
}

/* ---- ESP-IDF ---- */

esp_err_t nvs_flash_init(void)
{
    return ESP_OK;
}

esp_err_t nvs_flash_erase(void)
{
    return ESP_OK;
}

esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode,
                   nvs_handle_t *out_handle)
{
    (void)namespace_name;
    *out_handle = 1;
    return open_mode == NVS_READONLY ? ESP_ERR_NVS_NOT_FOUND : ESP_OK;
}

esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value,
                       size_t *length)
{
    (void)handle;
    (void)key;
    (void)out_value;
    (void)length;
    return ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value,
                       size_t length)
{
    (void)handle;
    (void)key;
    (void)value;
    (void)length;
    return ESP_OK;
}

esp_err_t nvs_commit(nvs_handle_t handle)
{
    (void)handle;
    return ESP_OK;
}

void nvs_close(nvs_handle_t handle)
{
    (void)handle;
}

const esp_app_desc_t *esp_app_get_description(void)
{
    static const esp_app_desc_t description = {
        .magic_word = ESP_APP_DESC_MAGIC_WORD,
        .version = "1.0.0",
        .project_name = "threads",
    };
    return &description;
}

void esp_chip_info(esp_chip_info_t *out_info)
{
    memset(out_info, 0, sizeof(*out_info));
}

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type)
{
    (void)type;
    memset(mac, 2, 6);
    return ESP_OK;
}

esp_reset_reason_t esp_reset_reason(void)
{
    return ESP_RST_SW;
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    return ESP_OK;
}

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
    threads_fail("rolled back", 0);
    esp_restart();
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    (void)level;
    (void)tag;
    (void)format;
}

uint32_t esp_log_timestamp(void)
{
    return 0;
}

const char *esp_err_to_name(esp_err_t code)
{
    (void)code;
    return "error";
}

/* ---- of NimBLE, what does nothing here ---- */

esp_err_t nimble_port_init(void)
{
    return ESP_OK;
}

void nimble_port_freertos_deinit(void)
{
}

void ble_svc_gap_init(void)
{
}

void ble_svc_gatt_init(void)
{
}

int ble_svc_gap_device_name_set(const char *name)
{
    (void)name;
    return 0;
}

void ble_svc_gatt_changed(uint16_t start_handle, uint16_t end_handle)
{
    (void)start_handle;
    (void)end_handle;
}

int ble_att_set_preferred_mtu(uint16_t mtu)
{
    (void)mtu;
    return 0;
}

uint16_t ble_att_mtu(uint16_t conn_handle)
{
    (void)conn_handle;
    return 498;
}

int ble_hs_util_ensure_addr(int prefer_random)
{
    return prefer_random;
}

int ble_hs_id_infer_auto(int privacy, uint8_t *out_addr_type)
{
    *out_addr_type = BLE_OWN_ADDR_PUBLIC;
    return privacy;
}

int ble_gap_adv_set_fields(const struct ble_hs_adv_fields *rsp_fields)
{
    (void)rsp_fields;
    return 0;
}

int ble_gap_adv_rsp_set_fields(const struct ble_hs_adv_fields *rsp_fields)
{
    (void)rsp_fields;
    return 0;
}

int ble_gap_set_data_len(uint16_t conn_handle, uint16_t tx_octets, uint16_t tx_time)
{
    (void)conn_handle;
    (void)tx_octets;
    (void)tx_time;
    return 0;
}

int ble_gap_set_prefered_le_phy(uint16_t conn_handle, uint8_t tx_phys_mask,
                                uint8_t rx_phys_mask, uint16_t phy_opts)
{
    (void)conn_handle;
    (void)tx_phys_mask;
    (void)rx_phys_mask;
    (void)phy_opts;
    return 0;
}
