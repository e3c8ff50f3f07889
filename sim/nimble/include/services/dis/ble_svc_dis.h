/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The Device Information service (0x180A). */
#ifndef SIM_SERVICES_DIS_BLE_SVC_DIS_H
#define SIM_SERVICES_DIS_BLE_SVC_DIS_H

#define BLE_SVC_DIS_UUID16                       0x180A
#define BLE_SVC_DIS_CHR_UUID16_SYSTEM_ID         0x2A23
#define BLE_SVC_DIS_CHR_UUID16_MODEL_NUMBER      0x2A24
#define BLE_SVC_DIS_CHR_UUID16_SERIAL_NUMBER     0x2A25
#define BLE_SVC_DIS_CHR_UUID16_FIRMWARE_REVISION 0x2A26
#define BLE_SVC_DIS_CHR_UUID16_HARDWARE_REVISION 0x2A27
#define BLE_SVC_DIS_CHR_UUID16_SOFTWARE_REVISION 0x2A28
#define BLE_SVC_DIS_CHR_UUID16_MANUFACTURER_NAME 0x2A29
#define BLE_SVC_DIS_CHR_UUID16_PNP_ID            0x2A50

#ifdef __cplusplus
extern "C" {
#endif

/* Strings are kept, not copied. Model number is always part of the service, each other
 * one with its CONFIG_BT_NIMBLE_SVC_DIS_... */
struct ble_svc_dis_data {
    const char *model_number;
    const char *serial_number;
    const char *firmware_revision;
    const char *hardware_revision;
    const char *software_revision;
    const char *manufacturer_name;
    const char *system_id;
    const char *pnp_id;
};

extern struct ble_svc_dis_data ble_svc_dis_data;

void ble_svc_dis_init(void);
const char *ble_svc_dis_model_number(void);
int ble_svc_dis_model_number_set(const char *value);
const char *ble_svc_dis_serial_number(void);
int ble_svc_dis_serial_number_set(const char *value);
const char *ble_svc_dis_firmware_revision(void);
int ble_svc_dis_firmware_revision_set(const char *value);
const char *ble_svc_dis_hardware_revision(void);
int ble_svc_dis_hardware_revision_set(const char *value);
const char *ble_svc_dis_software_revision(void);
int ble_svc_dis_software_revision_set(const char *value);
const char *ble_svc_dis_manufacturer_name(void);
int ble_svc_dis_manufacturer_name_set(const char *value);
const char *ble_svc_dis_system_id(void);
int ble_svc_dis_system_id_set(const char *value);
const char *ble_svc_dis_pnp_id(void);
int ble_svc_dis_pnp_id_set(const char *value);

#ifdef __cplusplus
}
#endif

#endif
