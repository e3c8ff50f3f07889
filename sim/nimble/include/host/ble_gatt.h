/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The GATT server: tables of services, and values sent to clients. */
#ifndef SIM_HOST_BLE_GATT_H
#define SIM_HOST_BLE_GATT_H

#include <inttypes.h>

#include "host/ble_att.h"
#include "host/ble_uuid.h"
#include "syscfg/syscfg.h"

#ifdef __cplusplus
extern "C" {
#endif

struct os_mbuf;

#define BLE_GATT_REGISTER_OP_SVC          1
#define BLE_GATT_REGISTER_OP_CHR          2
#define BLE_GATT_REGISTER_OP_DSC          3
#define BLE_GATT_SVC_UUID16               0x1801
#define BLE_GATT_DSC_CLT_CFG_UUID16       0x2902
#define BLE_GATT_CHR_PROP_BROADCAST       0x01
#define BLE_GATT_CHR_PROP_READ            0x02
#define BLE_GATT_CHR_PROP_WRITE_NO_RSP    0x04
#define BLE_GATT_CHR_PROP_WRITE           0x08
#define BLE_GATT_CHR_PROP_NOTIFY          0x10
#define BLE_GATT_CHR_PROP_INDICATE        0x20
#define BLE_GATT_CHR_PROP_AUTH_SIGN_WRITE 0x40
#define BLE_GATT_CHR_PROP_EXTENDED        0x80
#define BLE_GATT_ACCESS_OP_READ_CHR       0
#define BLE_GATT_ACCESS_OP_WRITE_CHR      1
#define BLE_GATT_ACCESS_OP_READ_DSC       2
#define BLE_GATT_ACCESS_OP_WRITE_DSC      3
#define BLE_GATT_CHR_F_BROADCAST          0x0001
#define BLE_GATT_CHR_F_READ               0x0002
#define BLE_GATT_CHR_F_WRITE_NO_RSP       0x0004
#define BLE_GATT_CHR_F_WRITE              0x0008
#define BLE_GATT_CHR_F_NOTIFY             0x0010
#define BLE_GATT_CHR_F_INDICATE           0x0020
#define BLE_GATT_CHR_F_AUTH_SIGN_WRITE    0x0040
#define BLE_GATT_CHR_F_RELIABLE_WRITE     0x0080
#define BLE_GATT_CHR_F_AUX_WRITE          0x0100
#define BLE_GATT_CHR_F_READ_ENC           0x0200
#define BLE_GATT_CHR_F_READ_AUTHEN        0x0400
#define BLE_GATT_CHR_F_READ_AUTHOR        0x0800
#define BLE_GATT_CHR_F_WRITE_ENC          0x1000
#define BLE_GATT_CHR_F_WRITE_AUTHEN       0x2000
#define BLE_GATT_CHR_F_WRITE_AUTHOR       0x4000
#define BLE_GATT_SVC_TYPE_END             0
#define BLE_GATT_SVC_TYPE_PRIMARY         1
#define BLE_GATT_SVC_TYPE_SECONDARY       2

struct ble_gatt_access_ctxt;
struct ble_gatt_register_ctxt;

/* Reads append to ctxt->om, writes read it; it stays the host's (a callback that keeps it
 * sets ctxt->om to NULL). Returns 0 or an ATT error. Called in the host task. */
typedef int ble_gatt_access_fn(uint16_t conn_handle, uint16_t attr_handle,
                               struct ble_gatt_access_ctxt *ctxt, void *arg);
typedef void ble_gatt_register_fn(struct ble_gatt_register_ctxt *ctxt, void *arg);
typedef uint16_t ble_gatt_chr_flags;

struct ble_gatt_cpfd {
    uint8_t format;
    int8_t exponent;
    uint16_t unit;
    uint8_t name_space;
    uint16_t description;
};

/* Lists of definitions end with an entry of zeroes. */
struct ble_gatt_dsc_def {
    const ble_uuid_t *uuid;
    uint8_t att_flags;
    uint8_t min_key_size;
    ble_gatt_access_fn *access_cb;
    void *arg;
};

struct ble_gatt_chr_def {
    const ble_uuid_t *uuid;
    ble_gatt_access_fn *access_cb;
    void *arg;
    struct ble_gatt_dsc_def *descriptors;
    ble_gatt_chr_flags flags;
    uint8_t min_key_size;
    uint16_t *val_handle; /* filled in when the host starts */
    struct ble_gatt_cpfd *cpfd;
};

struct ble_gatt_svc_def {
    uint8_t type;
    const ble_uuid_t *uuid;
    const struct ble_gatt_svc_def **includes;
    const struct ble_gatt_chr_def *characteristics;
};

struct ble_gatt_access_ctxt {
    uint8_t op;
    struct os_mbuf *om;
    union {
        const struct ble_gatt_chr_def *chr;
        const struct ble_gatt_dsc_def *dsc;
    };
};

struct ble_gatt_register_ctxt {
    uint8_t op;
    union {
        struct {
            uint16_t handle;
            const struct ble_gatt_svc_def *svc_def;
        } svc;
        struct {
            uint16_t def_handle;
            uint16_t val_handle;
            const struct ble_gatt_chr_def *chr_def;
            const struct ble_gatt_svc_def *svc_def;
        } chr;
        struct {
            uint16_t handle;
            const struct ble_gatt_dsc_def *dsc_def;
            const struct ble_gatt_chr_def *chr_def;
            const struct ble_gatt_svc_def *svc_def;
        } dsc;
    };
};

/* Before the host runs. Definitions are kept, not copied. */
int ble_gatts_count_cfg(const struct ble_gatt_svc_def *defs);
int ble_gatts_add_svcs(const struct ble_gatt_svc_def *svcs);
int ble_gatts_reset(void);
int ble_gatts_start(void);

int ble_gatts_svc_set_visibility(uint16_t handle, int visible);
int ble_gatts_find_svc(const ble_uuid_t *uuid, uint16_t *out_handle);
int ble_gatts_find_chr(const ble_uuid_t *svc_uuid, const ble_uuid_t *chr_uuid,
                       uint16_t *out_def_handle, uint16_t *out_val_handle);
int ble_gatts_find_dsc(const ble_uuid_t *svc_uuid, const ble_uuid_t *chr_uuid,
                       const ble_uuid_t *dsc_uuid, uint16_t *out_dsc_handle);
void ble_gatts_show_local(void);
int ble_gatts_get_cfgable_chrs(void);

/* To every connection that subscribed to it. */
void ble_gatts_chr_updated(uint16_t chr_val_handle);

/* The mbuf is consumed whatever the result. Nobody looks at the CCCD. Any task. The
 * gattc_ names are older ones for the same. */
int ble_gatts_notify_custom(uint16_t conn_handle, uint16_t att_handle,
                            struct os_mbuf *om);
int ble_gattc_notify_custom(uint16_t conn_handle, uint16_t att_handle,
                            struct os_mbuf *om);
int ble_gatts_indicate_custom(uint16_t conn_handle, uint16_t chr_val_handle,
                              struct os_mbuf *txom);
int ble_gattc_indicate_custom(uint16_t conn_handle, uint16_t chr_val_handle,
                              struct os_mbuf *txom);
/* The value is what the access callback answers. */
int ble_gatts_notify(uint16_t conn_handle, uint16_t chr_val_handle);
int ble_gattc_notify(uint16_t conn_handle, uint16_t chr_val_handle);
int ble_gatts_indicate(uint16_t conn_handle, uint16_t chr_val_handle);
int ble_gattc_indicate(uint16_t conn_handle, uint16_t chr_val_handle);

int ble_gatts_peer_cl_sup_feat_get(uint16_t conn_handle, uint8_t *out_supported_feat,
                                   uint8_t len);
int ble_gatts_peer_cl_sup_feat_update(uint16_t conn_handle, struct os_mbuf *om);
int ble_gatts_calculate_hash(uint8_t *out_hash_key);

#ifdef __cplusplus
}
#endif

#endif
