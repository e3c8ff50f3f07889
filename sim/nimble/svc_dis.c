/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The Device Information service that comes with the host. */
#include <string.h>

#include "sim/nimble/nimble.h"

static struct ble_svc_dis_data *data_of(const char *function)
{
    return nimble_ready(function)->binding->dis_data;
}

static const char *value_of(uint16_t uuid)
{
    const struct ble_svc_dis_data *data = data_of(__func__);
    switch (uuid) {
    case BLE_SVC_DIS_CHR_UUID16_MODEL_NUMBER:
        return data->model_number;
    case BLE_SVC_DIS_CHR_UUID16_SERIAL_NUMBER:
        return data->serial_number;
    case BLE_SVC_DIS_CHR_UUID16_HARDWARE_REVISION:
        return data->hardware_revision;
    case BLE_SVC_DIS_CHR_UUID16_FIRMWARE_REVISION:
        return data->firmware_revision;
    case BLE_SVC_DIS_CHR_UUID16_SOFTWARE_REVISION:
        return data->software_revision;
    case BLE_SVC_DIS_CHR_UUID16_MANUFACTURER_NAME:
        return data->manufacturer_name;
    case BLE_SVC_DIS_CHR_UUID16_SYSTEM_ID:
        return data->system_id;
    case BLE_SVC_DIS_CHR_UUID16_PNP_ID:
        return data->pnp_id;
    default:
        return NULL;
    }
}

static int access_dis(uint16_t conn_handle, uint16_t attr_handle,
                      struct ble_gatt_access_ctxt *ctxt, void *arg)
{
    const char *value = value_of(ble_uuid_u16(ctxt->chr->uuid));
    (void)conn_handle;
    (void)attr_handle;
    (void)arg;
    if (value == NULL) {
        return 0;
    }
    return os_mbuf_append(ctxt->om, value, (uint16_t)strlen(value)) == 0
               ? 0
               : BLE_ATT_ERR_INSUFFICIENT_RES;
}

/* In the order of NimBLE's table. */
static const struct {
    ble_uuid16_t uuid;
    size_t offset; /* of its switch in the binding; 0: always there */
} offered[] = {
    {BLE_UUID16_INIT(BLE_SVC_DIS_CHR_UUID16_MODEL_NUMBER), 0},
    {BLE_UUID16_INIT(BLE_SVC_DIS_CHR_UUID16_SERIAL_NUMBER),
     offsetof(struct sim_nimble_binding, dis_serial_number)},
    {BLE_UUID16_INIT(BLE_SVC_DIS_CHR_UUID16_HARDWARE_REVISION),
     offsetof(struct sim_nimble_binding, dis_hardware_revision)},
    {BLE_UUID16_INIT(BLE_SVC_DIS_CHR_UUID16_FIRMWARE_REVISION),
     offsetof(struct sim_nimble_binding, dis_firmware_revision)},
    {BLE_UUID16_INIT(BLE_SVC_DIS_CHR_UUID16_SOFTWARE_REVISION),
     offsetof(struct sim_nimble_binding, dis_software_revision)},
    {BLE_UUID16_INIT(BLE_SVC_DIS_CHR_UUID16_MANUFACTURER_NAME),
     offsetof(struct sim_nimble_binding, dis_manufacturer_name)},
    {BLE_UUID16_INIT(BLE_SVC_DIS_CHR_UUID16_SYSTEM_ID),
     offsetof(struct sim_nimble_binding, dis_system_id)},
    {BLE_UUID16_INIT(BLE_SVC_DIS_CHR_UUID16_PNP_ID),
     offsetof(struct sim_nimble_binding, dis_pnp_id)},
};

static const ble_uuid16_t service_uuid = BLE_UUID16_INIT(BLE_SVC_DIS_UUID16);

void ble_svc_dis_init(void)
{
    struct nimble *n = nimble_ready(__func__);
    size_t count = 0;
    for (size_t i = 0; i < sizeof(offered) / sizeof(offered[0]); i++) {
        const bool *given = (const bool *)((const char *)n->binding + offered[i].offset);
        if (offered[i].offset == 0 || *given) {
            n->dis_characteristics[count++] =
                (struct ble_gatt_chr_def){.uuid = &offered[i].uuid.u,
                                          .access_cb = access_dis,
                                          .flags = BLE_GATT_CHR_F_READ};
        }
    }
    n->dis_services[0] =
        (struct ble_gatt_svc_def){.type = BLE_GATT_SVC_TYPE_PRIMARY,
                                  .uuid = &service_uuid.u,
                                  .characteristics = n->dis_characteristics};
    int rc = ble_gatts_count_cfg(n->dis_services);
    if (rc == 0) {
        rc = ble_gatts_add_svcs(n->dis_services);
    }
    if (rc != 0) {
        sim_runtime_panic(n->board, "assert failed: %s (rc %d)", __func__, rc);
    }
}

#define DIS_STRING(name)                            \
    const char *ble_svc_dis_##name(void)            \
    {                                               \
        return data_of(__func__)->name;             \
    }                                               \
    int ble_svc_dis_##name##_set(const char *value) \
    {                                               \
        data_of(__func__)->name = value;            \
        return 0;                                   \
    }

DIS_STRING(model_number)
DIS_STRING(serial_number)
DIS_STRING(firmware_revision)
DIS_STRING(hardware_revision)
DIS_STRING(software_revision)
DIS_STRING(manufacturer_name)
DIS_STRING(system_id)
DIS_STRING(pnp_id)
