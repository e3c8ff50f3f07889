/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The Bluetooth controller, for firmware that starts it itself. */
#ifndef SIM_ESP_BT_H
#define SIM_ESP_BT_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_BT_MODE_IDLE = 0x00,
    ESP_BT_MODE_BLE = 0x01,
    ESP_BT_MODE_CLASSIC_BT = 0x02,
    ESP_BT_MODE_BTDM = 0x03,
} esp_bt_mode_t;

typedef enum {
    ESP_BT_CONTROLLER_STATUS_IDLE = 0,
    ESP_BT_CONTROLLER_STATUS_INITED,
    ESP_BT_CONTROLLER_STATUS_ENABLED,
    ESP_BT_CONTROLLER_STATUS_NUM,
} esp_bt_controller_status_t;

typedef struct {
    uint8_t mode;
} esp_bt_controller_config_t;

#define BT_CONTROLLER_INIT_CONFIG_DEFAULT() \
    {                                       \
        .mode = ESP_BT_MODE_BLE             \
    }

esp_err_t esp_bt_controller_init(esp_bt_controller_config_t *cfg);
esp_err_t esp_bt_controller_deinit(void);
esp_err_t esp_bt_controller_enable(esp_bt_mode_t mode);
esp_err_t esp_bt_controller_disable(void);
esp_bt_controller_status_t esp_bt_controller_get_status(void);
/* ESP_ERR_INVALID_STATE once the controller is initialised. */
esp_err_t esp_bt_controller_mem_release(esp_bt_mode_t mode);

typedef enum {
    ESP_BLE_PWR_TYPE_CONN_HDL0 = 0,
    ESP_BLE_PWR_TYPE_ADV = 9,
    ESP_BLE_PWR_TYPE_SCAN = 10,
    ESP_BLE_PWR_TYPE_DEFAULT = 11,
    ESP_BLE_PWR_TYPE_NUM = 12,
} esp_ble_power_type_t;

/* 0: the lowest; the steps are 3 dB, ESP_PWR_LVL_P9 is +9 dBm. */
typedef enum {
    ESP_PWR_LVL_N12 = 0,
    ESP_PWR_LVL_N9 = 1,
    ESP_PWR_LVL_N6 = 2,
    ESP_PWR_LVL_N3 = 3,
    ESP_PWR_LVL_N0 = 4,
    ESP_PWR_LVL_P3 = 5,
    ESP_PWR_LVL_P6 = 6,
    ESP_PWR_LVL_P9 = 7,
} esp_power_level_t;

esp_err_t esp_ble_tx_power_set(esp_ble_power_type_t power_type,
                               esp_power_level_t power_level);
esp_power_level_t esp_ble_tx_power_get(esp_ble_power_type_t power_type);

#ifdef __cplusplus
}
#endif

#endif
