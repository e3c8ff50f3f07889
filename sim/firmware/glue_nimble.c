/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Linked into every firmware module that uses NimBLE: the host's settings and variables
 * that are the firmware's own. */
#include "host/ble_hs.h"
#include "nimble/nimble_port.h"
#include "services/dis/ble_svc_dis.h"
#include "sim/nimble/binding.h"

struct ble_hs_cfg ble_hs_cfg = {
    .sm_io_cap = BLE_HS_IO_NO_INPUT_OUTPUT,
};

struct ble_svc_dis_data ble_svc_dis_data = {
    .model_number = "NimBLE",
    .serial_number = "0000",
    .firmware_revision = "0000",
    .hardware_revision = "0000",
    .software_revision = "0000",
    .manufacturer_name = "espressif",
    .system_id = "00000000",
    .pnp_id = "000000",
};

static const struct sim_nimble_binding binding = {
    .size = sizeof(struct sim_nimble_binding),
    .hs_cfg = &ble_hs_cfg,
    .dis_data = &ble_svc_dis_data,
    .tick_rate_hz = CONFIG_FREERTOS_HZ,
    .host_stack_size = CONFIG_BT_NIMBLE_HOST_TASK_STACK_SIZE,
    .connections_max = CONFIG_BT_NIMBLE_MAX_CONNECTIONS,
    .preferred_mtu = CONFIG_BT_NIMBLE_ATT_PREFERRED_MTU,
    .prepare_entries_max = CONFIG_BT_NIMBLE_ATT_MAX_PREP_ENTRIES,
    .msys_1_count = CONFIG_BT_NIMBLE_MSYS_1_BLOCK_COUNT,
    .msys_1_size = CONFIG_BT_NIMBLE_MSYS_1_BLOCK_SIZE,
    .msys_2_count = CONFIG_BT_NIMBLE_MSYS_2_BLOCK_COUNT,
    .msys_2_size = CONFIG_BT_NIMBLE_MSYS_2_BLOCK_SIZE,
    .acl_from_ll_count = CONFIG_BT_NIMBLE_TRANSPORT_ACL_FROM_LL_COUNT,
    .acl_size = CONFIG_BT_NIMBLE_TRANSPORT_ACL_SIZE,
    .event_count = CONFIG_BT_NIMBLE_TRANSPORT_EVT_COUNT,
    .device_name = CONFIG_BT_NIMBLE_SVC_GAP_DEVICE_NAME,
    .device_name_max = CONFIG_BT_NIMBLE_GAP_DEVICE_NAME_MAX_LEN,
    .appearance = CONFIG_BT_NIMBLE_SVC_GAP_APPEARANCE,
    .gatt_caching = MYNEWT_VAL(BLE_GATT_CACHING),
#ifdef CONFIG_BT_NIMBLE_ENABLE_CONN_REATTEMPT
    .reattempt = true,
#endif
    .dis_serial_number = MYNEWT_VAL(BLE_SVC_DIS_SERIAL_NUMBER_READ_PERM) >= 0,
    .dis_hardware_revision = MYNEWT_VAL(BLE_SVC_DIS_HARDWARE_REVISION_READ_PERM) >= 0,
    .dis_firmware_revision = MYNEWT_VAL(BLE_SVC_DIS_FIRMWARE_REVISION_READ_PERM) >= 0,
    .dis_software_revision = MYNEWT_VAL(BLE_SVC_DIS_SOFTWARE_REVISION_READ_PERM) >= 0,
    .dis_manufacturer_name = MYNEWT_VAL(BLE_SVC_DIS_MANUFACTURER_NAME_READ_PERM) >= 0,
    .dis_system_id = MYNEWT_VAL(BLE_SVC_DIS_SYSTEM_ID_READ_PERM) >= 0,
    .dis_pnp_id = MYNEWT_VAL(BLE_SVC_DIS_PNP_ID_READ_PERM) >= 0,
};

esp_err_t nimble_port_init(void)
{
    return sim_nimble_port_init(&binding);
}

esp_err_t esp_nimble_init(void)
{
    return sim_nimble_port_init(&binding);
}
