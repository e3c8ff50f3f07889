/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The NimBLE host: errors, settings, start. */
#ifndef SIM_HOST_BLE_HS_H
#define SIM_HOST_BLE_HS_H

#include <inttypes.h>

#include "host/ble_att.h"
#include "host/ble_gap.h"
#include "host/ble_gatt.h"
#include "host/ble_hs_adv.h"
#include "host/ble_hs_id.h"
#include "host/ble_hs_mbuf.h"
#include "host/ble_l2cap.h"
#include "host/ble_sm.h"
#include "host/ble_store.h"
#include "host/ble_uuid.h"
#include "nimble/hci_common.h"
#include "nimble/nimble_npl.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BLE_HS_FOREVER          INT32_MAX
#define BLE_HS_CONN_HANDLE_NONE 0xffff

#define BLE_HS_EAGAIN              1
#define BLE_HS_EALREADY            2
#define BLE_HS_EINVAL              3
#define BLE_HS_EMSGSIZE            4
#define BLE_HS_ENOENT              5
#define BLE_HS_ENOMEM              6
#define BLE_HS_ENOTCONN            7
#define BLE_HS_ENOTSUP             8
#define BLE_HS_EAPP                9
#define BLE_HS_EBADDATA            10
#define BLE_HS_EOS                 11
#define BLE_HS_ECONTROLLER         12
#define BLE_HS_ETIMEOUT            13
#define BLE_HS_EDONE               14
#define BLE_HS_EBUSY               15
#define BLE_HS_EREJECT             16
#define BLE_HS_EUNKNOWN            17
#define BLE_HS_EROLE               18
#define BLE_HS_ETIMEOUT_HCI        19
#define BLE_HS_ENOMEM_EVT          20
#define BLE_HS_ENOADDR             21
#define BLE_HS_ENOTSYNCED          22
#define BLE_HS_EAUTHEN             23
#define BLE_HS_EAUTHOR             24
#define BLE_HS_EENCRYPT            25
#define BLE_HS_EENCRYPT_KEY_SZ     26
#define BLE_HS_ESTORE_CAP          27
#define BLE_HS_ESTORE_FAIL         28
#define BLE_HS_EPREEMPTED          29
#define BLE_HS_EDISABLED           30
#define BLE_HS_ESTALLED            31
#define BLE_HS_ERR_ATT_BASE        0x100
#define BLE_HS_ATT_ERR(x)          ((x) ? BLE_HS_ERR_ATT_BASE + (x) : 0)
#define BLE_HS_ERR_HCI_BASE        0x200
#define BLE_HS_HCI_ERR(x)          ((x) ? BLE_HS_ERR_HCI_BASE + (x) : 0)
#define BLE_HS_ERR_L2C_BASE        0x300
#define BLE_HS_L2C_ERR(x)          ((x) ? BLE_HS_ERR_L2C_BASE + (x) : 0)
#define BLE_HS_ERR_SM_US_BASE      0x400
#define BLE_HS_SM_US_ERR(x)        ((x) ? BLE_HS_ERR_SM_US_BASE + (x) : 0)
#define BLE_HS_ERR_SM_PEER_BASE    0x500
#define BLE_HS_SM_PEER_ERR(x)      ((x) ? BLE_HS_ERR_SM_PEER_BASE + (x) : 0)
#define BLE_HS_ERR_HW_BASE         0x600
#define BLE_HS_HW_ERR(x)           (BLE_HS_ERR_HW_BASE + (x))
#define BLE_HS_IO_DISPLAY_ONLY     0x00
#define BLE_HS_IO_DISPLAY_YESNO    0x01
#define BLE_HS_IO_KEYBOARD_ONLY    0x02
#define BLE_HS_IO_NO_INPUT_OUTPUT  0x03
#define BLE_HS_IO_KEYBOARD_DISPLAY 0x04
#define BLE_HS_KEY_DIST_ENC_KEY    0x01
#define BLE_HS_KEY_DIST_ID_KEY     0x02

/* Both are called in the host task. */
typedef void ble_hs_reset_fn(int reason);
typedef void ble_hs_sync_fn(void);

struct ble_hs_cfg {
    ble_gatt_register_fn *gatts_register_cb;
    void *gatts_register_arg;
    uint8_t sm_io_cap;
    unsigned sm_oob_data_flag : 1;
    unsigned sm_bonding : 1;
    unsigned sm_mitm : 1;
    unsigned sm_sc : 1;
    unsigned sm_keypress : 1;
    uint8_t sm_our_key_dist;
    uint8_t sm_their_key_dist;
    ble_hs_reset_fn *reset_cb;
    ble_hs_sync_fn *sync_cb;
    ble_store_gen_key_fn *store_gen_key_cb;
    ble_store_read_fn *store_read_cb;
    ble_store_write_fn *store_write_cb;
    ble_store_delete_fn *store_delete_cb;
    ble_store_status_fn *store_status_cb;
    void *store_status_arg;
};

/* The firmware sets it before the host runs. */
extern struct ble_hs_cfg ble_hs_cfg;

int ble_hs_is_enabled(void);
int ble_hs_synced(void);
int ble_hs_start(void);
void ble_hs_sched_start(void);
void ble_hs_sched_reset(int reason);

#ifdef __cplusplus
}
#endif

#endif
