/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Services that come with the host: Generic Access and Generic Attribute. */
#include <string.h>

#include "services/gap/ble_svc_gap.h"
#include "services/gatt/ble_svc_gatt.h"
#include "sim/nimble/nimble.h"

/* Generic Access. */

static int append(struct os_mbuf *om, const void *bytes, size_t size)
{
    return os_mbuf_append(om, bytes, (uint16_t)size) == 0 ? 0
                                                          : BLE_ATT_ERR_INSUFFICIENT_RES;
}

const char *ble_svc_gap_device_name(void)
{
    const struct nimble *n = nimble_state();
    if (n->device_name_set || n->binding == NULL) {
        return n->device_name;
    }
    return n->binding->device_name;
}

int ble_svc_gap_device_name_set(const char *name)
{
    struct nimble *n = nimble_state();
    size_t max = n->binding != NULL ? n->binding->device_name_max : 31;
    size_t size = strlen(name);
    if (size > max || size > DEVICE_NAME_MAX) {
        return BLE_HS_EINVAL;
    }
    memcpy(n->device_name, name, size + 1);
    n->device_name_set = true;
    return 0;
}

uint16_t ble_svc_gap_device_appearance(void)
{
    const struct nimble *n = nimble_state();
    return n->appearance_set || n->binding == NULL ? n->appearance
                                                   : n->binding->appearance;
}

int ble_svc_gap_device_appearance_set(uint16_t appearance)
{
    struct nimble *n = nimble_state();
    n->appearance = appearance;
    n->appearance_set = true;
    return 0;
}

void ble_svc_gap_set_chr_changed_cb(ble_svc_gap_chr_changed_fn *cb)
{
    nimble_state()->gap_changed = cb; /* nothing here can be written by a peer */
}

static int access_gap(uint16_t conn_handle, uint16_t attr_handle,
                      struct ble_gatt_access_ctxt *ctxt, void *arg)
{
    uint8_t bytes[2];
    (void)conn_handle;
    (void)attr_handle;
    (void)arg;
    if (ble_uuid_u16(ctxt->chr->uuid) == BLE_SVC_GAP_CHR_UUID16_DEVICE_NAME) {
        const char *name = ble_svc_gap_device_name();
        return append(ctxt->om, name, strlen(name));
    }
    hci_put_le16(bytes, ble_svc_gap_device_appearance());
    return append(ctxt->om, bytes, sizeof(bytes));
}

/* Without preferred connection parameters and central address resolution, which Kconfig
 * leaves out by default. */
static const struct ble_gatt_chr_def gap_characteristics[] = {
    {.uuid = BLE_UUID16_DECLARE(BLE_SVC_GAP_CHR_UUID16_DEVICE_NAME),
     .access_cb = access_gap,
     .flags = BLE_GATT_CHR_F_READ},
    {.uuid = BLE_UUID16_DECLARE(BLE_SVC_GAP_CHR_UUID16_APPEARANCE),
     .access_cb = access_gap,
     .flags = BLE_GATT_CHR_F_READ},
    {.uuid = NULL},
};

static const struct ble_gatt_svc_def gap_services[] = {
    {.type = BLE_GATT_SVC_TYPE_PRIMARY,
     .uuid = BLE_UUID16_DECLARE(BLE_SVC_GAP_UUID16),
     .characteristics = gap_characteristics},
    {.type = BLE_GATT_SVC_TYPE_END},
};

static void add_services(const struct ble_gatt_svc_def *services, const char *function)
{
    struct nimble *n = nimble_ready(function);
    int rc = ble_gatts_count_cfg(services);
    if (rc == 0) {
        rc = ble_gatts_add_svcs(services);
    }
    if (rc != 0) {
        sim_runtime_panic(n->board, "assert failed: %s (rc %d)", function, rc);
    }
}

void ble_svc_gap_init(void)
{
    add_services(gap_services, __func__);
}

/* Generic Attribute. Value handles are kept in the board's memory, which static tables
 * cannot point to: they are looked up when first needed. */

static uint16_t handle_of(uint16_t uuid)
{
    uint16_t handle = 0;
    (void)ble_gatts_find_chr(BLE_UUID16_DECLARE(BLE_GATT_SVC_UUID16),
                             BLE_UUID16_DECLARE(uuid), NULL, &handle);
    return handle;
}

static int access_gatt(uint16_t conn_handle, uint16_t attr_handle,
                       struct ble_gatt_access_ctxt *ctxt, void *arg)
{
    const struct nimble *n = nimble_state();
    uint8_t bytes[16] = {0};
    (void)attr_handle;
    (void)arg;
    switch (ble_uuid_u16(ctxt->chr->uuid)) {
    case BLE_SVC_GATT_CHR_SERVICE_CHANGED_UUID16:
        hci_put_le16(bytes, n->changed_start);
        hci_put_le16(bytes + 2, n->changed_end);
        return append(ctxt->om, bytes, 4);
    case BLE_SVC_GATT_CHR_SERVER_SUPPORTED_FEAT_UUID16:
        return append(ctxt->om, bytes, 1);
    case BLE_SVC_GATT_CHR_CLIENT_SUPPORTED_FEAT_UUID16:
        if (ctxt->op == BLE_GATT_ACCESS_OP_WRITE_CHR) {
            return ble_gatts_peer_cl_sup_feat_update(conn_handle, ctxt->om);
        }
        if (ble_gatts_peer_cl_sup_feat_get(conn_handle, bytes, 1) != 0) {
            return BLE_ATT_ERR_UNLIKELY;
        }
        return append(ctxt->om, bytes, 1);
    case BLE_SVC_GATT_CHR_DATABASE_HASH_UUID16:
        if (ble_gatts_calculate_hash(bytes) != 0) {
            return BLE_ATT_ERR_UNLIKELY;
        }
        return append(ctxt->om, bytes, 16);
    default:
        return BLE_ATT_ERR_UNLIKELY;
    }
}

#define GATT_CHARACTERISTICS                                                          \
    {.uuid = BLE_UUID16_DECLARE(BLE_SVC_GATT_CHR_SERVICE_CHANGED_UUID16),             \
     .access_cb = access_gatt,                                                        \
     .flags = BLE_GATT_CHR_F_INDICATE},                                               \
        {.uuid = BLE_UUID16_DECLARE(BLE_SVC_GATT_CHR_SERVER_SUPPORTED_FEAT_UUID16),   \
         .access_cb = access_gatt,                                                    \
         .flags = BLE_GATT_CHR_F_READ},                                               \
    {                                                                                 \
        .uuid = BLE_UUID16_DECLARE(BLE_SVC_GATT_CHR_CLIENT_SUPPORTED_FEAT_UUID16),    \
        .access_cb = access_gatt, .flags = BLE_GATT_CHR_F_READ | BLE_GATT_CHR_F_WRITE \
    }

static const struct ble_gatt_chr_def gatt_characteristics[] = {
    GATT_CHARACTERISTICS,
    {.uuid = NULL},
};

static const struct ble_gatt_chr_def gatt_characteristics_caching[] = {
    GATT_CHARACTERISTICS,
    {.uuid = BLE_UUID16_DECLARE(BLE_SVC_GATT_CHR_DATABASE_HASH_UUID16),
     .access_cb = access_gatt,
     .flags = BLE_GATT_CHR_F_READ},
    {.uuid = NULL},
};

static const struct ble_gatt_svc_def gatt_services[] = {
    {.type = BLE_GATT_SVC_TYPE_PRIMARY,
     .uuid = BLE_UUID16_DECLARE(BLE_GATT_SVC_UUID16),
     .characteristics = gatt_characteristics},
    {.type = BLE_GATT_SVC_TYPE_END},
};

static const struct ble_gatt_svc_def gatt_services_caching[] = {
    {.type = BLE_GATT_SVC_TYPE_PRIMARY,
     .uuid = BLE_UUID16_DECLARE(BLE_GATT_SVC_UUID16),
     .characteristics = gatt_characteristics_caching},
    {.type = BLE_GATT_SVC_TYPE_END},
};

void ble_svc_gatt_init(void)
{
    struct nimble *n = nimble_ready(__func__);
    add_services(n->binding->gatt_caching ? gatt_services_caching : gatt_services,
                 __func__);
}

void services_registered(struct nimble *n)
{
    n->changed_handle = handle_of(BLE_SVC_GATT_CHR_SERVICE_CHANGED_UUID16);
    n->hash_handle = handle_of(BLE_SVC_GATT_CHR_DATABASE_HASH_UUID16);
    n->client_features_handle = handle_of(BLE_SVC_GATT_CHR_CLIENT_SUPPORTED_FEAT_UUID16);
}

uint16_t ble_svc_gatt_changed_handle(void)
{
    return nimble_ready(__func__)->changed_handle;
}

uint16_t ble_svc_gatt_hash_handle(void)
{
    return nimble_ready(__func__)->hash_handle;
}

uint16_t ble_svc_gatt_csf_handle(void)
{
    return nimble_ready(__func__)->client_features_handle;
}

uint8_t ble_svc_gatt_get_local_cl_supported_feat(void)
{
    return 0;
}

void ble_svc_gatt_changed(uint16_t start_handle, uint16_t end_handle)
{
    struct nimble *n = nimble_ready(__func__);
    n->changed_start = start_handle;
    n->changed_end = end_handle;
    ble_gatts_chr_updated(n->changed_handle);
}
