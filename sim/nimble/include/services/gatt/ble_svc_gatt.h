/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The GATT service (0x1801). */
#ifndef SIM_SERVICES_GATT_BLE_SVC_GATT_H
#define SIM_SERVICES_GATT_BLE_SVC_GATT_H

#include <inttypes.h>

#include "syscfg/syscfg.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BLE_SVC_GATT_CHR_SERVICE_CHANGED_UUID16       0x2a05
#define BLE_SVC_GATT_CHR_SERVER_SUPPORTED_FEAT_UUID16 0x2b3a
#define BLE_SVC_GATT_CHR_CLIENT_SUPPORTED_FEAT_UUID16 0x2b29
/* Only with CONFIG_BT_NIMBLE_GATT_CACHING. */
#define BLE_SVC_GATT_CHR_DATABASE_HASH_UUID16 0x2b2a

/* 0 without CONFIG_BT_NIMBLE_GATT_CACHING. */
uint16_t ble_svc_gatt_changed_handle(void);
uint16_t ble_svc_gatt_hash_handle(void);
uint16_t ble_svc_gatt_csf_handle(void);
uint8_t ble_svc_gatt_get_local_cl_supported_feat(void);
/* Indicates Service Changed to the clients that subscribed to it. */
void ble_svc_gatt_changed(uint16_t start_handle, uint16_t end_handle);
void ble_svc_gatt_init(void);

#ifdef __cplusplus
}
#endif

#endif
