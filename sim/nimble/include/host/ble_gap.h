/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The Generic Access Profile: advertising, connections and their events. */
#ifndef SIM_HOST_BLE_GAP_H
#define SIM_HOST_BLE_GAP_H

#include <inttypes.h>
#include <stdbool.h>

#include "host/ble_hs_adv.h"
#include "nimble/ble.h"
#include "nimble/hci_common.h"
#include "os/queue.h"
#include "syscfg/syscfg.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BLE_GAP_ADV_ITVL_MS(t)            ((t)*1000 / BLE_HCI_ADV_ITVL)
#define BLE_GAP_SCAN_ITVL_MS(t)           ((t)*1000 / BLE_HCI_SCAN_ITVL)
#define BLE_GAP_SCAN_WIN_MS(t)            ((t)*1000 / BLE_HCI_SCAN_ITVL)
#define BLE_GAP_CONN_ITVL_MS(t)           ((t)*1000 / BLE_HCI_CONN_ITVL)
#define BLE_GAP_SUPERVISION_TIMEOUT_MS(t) ((t) / 10)

#define BLE_GAP_ADV_FAST_INTERVAL1_MIN      BLE_GAP_ADV_ITVL_MS(30)
#define BLE_GAP_ADV_FAST_INTERVAL1_MAX      BLE_GAP_ADV_ITVL_MS(60)
#define BLE_GAP_ADV_FAST_INTERVAL2_MIN      BLE_GAP_ADV_ITVL_MS(100)
#define BLE_GAP_ADV_FAST_INTERVAL2_MAX      BLE_GAP_ADV_ITVL_MS(150)
#define BLE_GAP_INITIAL_CONN_ITVL_MIN       BLE_GAP_CONN_ITVL_MS(30)
#define BLE_GAP_INITIAL_CONN_ITVL_MAX       BLE_GAP_CONN_ITVL_MS(50)
#define BLE_GAP_ADV_DFLT_CHANNEL_MAP        0x07
#define BLE_GAP_INITIAL_CONN_LATENCY        0
#define BLE_GAP_INITIAL_SUPERVISION_TIMEOUT 0x0100

#define BLE_GAP_ROLE_MASTER               0
#define BLE_GAP_ROLE_SLAVE                1
#define BLE_GAP_EVENT_CONNECT             0
#define BLE_GAP_EVENT_DISCONNECT          1
#define BLE_GAP_EVENT_CONN_UPDATE         3
#define BLE_GAP_EVENT_CONN_UPDATE_REQ     4
#define BLE_GAP_EVENT_L2CAP_UPDATE_REQ    5
#define BLE_GAP_EVENT_TERM_FAILURE        6
#define BLE_GAP_EVENT_DISC                7
#define BLE_GAP_EVENT_DISC_COMPLETE       8
#define BLE_GAP_EVENT_ADV_COMPLETE        9
#define BLE_GAP_EVENT_ENC_CHANGE          10
#define BLE_GAP_EVENT_PASSKEY_ACTION      11
#define BLE_GAP_EVENT_NOTIFY_RX           12
#define BLE_GAP_EVENT_NOTIFY_TX           13
#define BLE_GAP_EVENT_SUBSCRIBE           14
#define BLE_GAP_EVENT_MTU                 15
#define BLE_GAP_EVENT_IDENTITY_RESOLVED   16
#define BLE_GAP_EVENT_REPEAT_PAIRING      17
#define BLE_GAP_EVENT_PHY_UPDATE_COMPLETE 18
#define BLE_GAP_EVENT_EXT_DISC            19
#define BLE_GAP_EVENT_PERIODIC_SYNC       20
#define BLE_GAP_EVENT_PERIODIC_REPORT     21
#define BLE_GAP_EVENT_PERIODIC_SYNC_LOST  22
#define BLE_GAP_EVENT_SCAN_REQ_RCVD       23
#define BLE_GAP_EVENT_PERIODIC_TRANSFER   24
#define BLE_GAP_EVENT_PATHLOSS_THRESHOLD  25
#define BLE_GAP_EVENT_TRANSMIT_POWER      26
#define BLE_GAP_EVENT_PARING_COMPLETE     27
#define BLE_GAP_EVENT_SUBRATE_CHANGE      28
#define BLE_GAP_EVENT_VS_HCI              29
#define BLE_GAP_EVENT_BIGINFO_REPORT      30
#define BLE_GAP_EVENT_REATTEMPT_COUNT     31
#define BLE_GAP_EVENT_AUTHORIZE           32
#define BLE_GAP_EVENT_TEST_UPDATE         33
#define BLE_GAP_EVENT_DATA_LEN_CHG        34
#define BLE_GAP_EVENT_CONNLESS_IQ_REPORT  35
#define BLE_GAP_EVENT_CONN_IQ_REPORT      36
#define BLE_GAP_EVENT_CTE_REQ_FAILED      37
#define BLE_GAP_EVENT_LINK_ESTAB          38
#define BLE_GAP_SUBSCRIBE_REASON_WRITE    1
#define BLE_GAP_SUBSCRIBE_REASON_TERM     2
#define BLE_GAP_SUBSCRIBE_REASON_RESTORE  3
#define BLE_GAP_REPEAT_PAIRING_RETRY      1
#define BLE_GAP_REPEAT_PAIRING_IGNORE     2
#define BLE_GAP_AUTHORIZE_ACCEPT          1
#define BLE_GAP_AUTHORIZE_REJECT          2
#define BLE_GAP_CONN_MODE_NON             0
#define BLE_GAP_CONN_MODE_DIR             1
#define BLE_GAP_CONN_MODE_UND             2
#define BLE_GAP_DISC_MODE_NON             0
#define BLE_GAP_DISC_MODE_LTD             1
#define BLE_GAP_DISC_MODE_GEN             2
#define BLE_GAP_LE_PHY_1M                 1
#define BLE_GAP_LE_PHY_2M                 2
#define BLE_GAP_LE_PHY_CODED              3
#define BLE_GAP_LE_PHY_1M_MASK            0x01
#define BLE_GAP_LE_PHY_2M_MASK            0x02
#define BLE_GAP_LE_PHY_CODED_MASK         0x04
#define BLE_GAP_LE_PHY_ANY_MASK           0x0F
#define BLE_GAP_LE_PHY_CODED_ANY          0
#define BLE_GAP_LE_PHY_CODED_S2           1
#define BLE_GAP_LE_PHY_CODED_S8           2

struct ble_gap_sec_state {
    unsigned encrypted : 1;
    unsigned authenticated : 1;
    unsigned bonded : 1;
    unsigned key_size : 5;
    unsigned authorize : 1;
};

/* Intervals of 0: the host's default. */
struct ble_gap_adv_params {
    uint8_t conn_mode;
    uint8_t disc_mode;
    uint16_t itvl_min; /* 0.625 ms */
    uint16_t itvl_max;
    uint8_t channel_map;
    uint8_t filter_policy;
    uint8_t high_duty_cycle : 1;
};

struct ble_gap_conn_desc {
    struct ble_gap_sec_state sec_state;
    ble_addr_t our_id_addr;
    ble_addr_t peer_id_addr;
    ble_addr_t our_ota_addr; /* over the air */
    ble_addr_t peer_ota_addr;
    uint16_t conn_handle;
    uint16_t conn_itvl;           /* 1.25 ms */
    uint16_t conn_latency;        /* connection events */
    uint16_t supervision_timeout; /* 10 ms */
    uint8_t role;
    uint8_t master_clock_accuracy;
};

struct ble_gap_conn_params {
    uint16_t scan_itvl;
    uint16_t scan_window;
    uint16_t itvl_min;
    uint16_t itvl_max;
    uint16_t latency;
    uint16_t supervision_timeout;
    uint16_t min_ce_len;
    uint16_t max_ce_len;
};

struct ble_gap_disc_params {
    uint16_t itvl;
    uint16_t window;
    uint8_t filter_policy;
    uint8_t limited : 1;
    uint8_t passive : 1;
    uint8_t filter_duplicates : 1;
};

struct ble_gap_upd_params {
    uint16_t itvl_min; /* 1.25 ms */
    uint16_t itvl_max;
    uint16_t latency;
    uint16_t supervision_timeout; /* 10 ms */
    uint16_t min_ce_len;          /* 0.625 ms */
    uint16_t max_ce_len;
};

struct ble_gap_passkey_params {
    uint8_t action;
    uint32_t numcmp;
};

struct ble_gap_disc_desc {
    uint8_t event_type;
    uint8_t length_data;
    ble_addr_t addr;
    int8_t rssi;
    const uint8_t *data;
    ble_addr_t direct_addr;
};

struct ble_gap_repeat_pairing {
    uint16_t conn_handle;
    uint8_t cur_key_size;
    uint8_t cur_authenticated : 1;
    uint8_t cur_sc : 1;
    uint8_t new_key_size;
    uint8_t new_authenticated : 1;
    uint8_t new_sc : 1;
    uint8_t new_bonding : 1;
};

/* type says which member is meant. */
struct ble_gap_event {
    uint8_t type; /* BLE_GAP_EVENT_... */
    union {
        struct {
            int status;
            uint16_t conn_handle;
        } connect;
        struct {
            int status;
            uint16_t conn_handle;
        } link_estab;
        struct {
            int reason; /* BLE_HS_ERR_HCI_BASE + the controller's reason */
            struct ble_gap_conn_desc conn;
        } disconnect;
        struct ble_gap_disc_desc disc;
        struct {
            int reason;
        } disc_complete;
        struct {
            int reason;
        } adv_complete;
        struct {
            int status;
            uint16_t conn_handle;
        } conn_update;
        /* CONN_UPDATE_REQ and L2CAP_UPDATE_REQ: a result other than 0 refuses. */
        struct {
            const struct ble_gap_upd_params *peer_params;
            struct ble_gap_upd_params *self_params;
            uint16_t conn_handle;
        } conn_update_req;
        struct {
            int status;
            uint16_t conn_handle;
        } term_failure;
        struct {
            int status;
            uint16_t conn_handle;
        } enc_change;
        struct {
            struct ble_gap_passkey_params params;
            uint16_t conn_handle;
        } passkey;
        struct {
            struct os_mbuf *om;
            uint16_t attr_handle;
            uint16_t conn_handle;
            uint8_t indication : 1;
        } notify_rx;
        /* Notifications: 0 when it was handed on. Indications: 0 first, then BLE_HS_EDONE
         * when it was confirmed, or BLE_HS_ETIMEOUT. */
        struct {
            int status;
            uint16_t conn_handle;
            uint16_t attr_handle;
            uint8_t indication : 1;
        } notify_tx;
        struct {
            uint16_t conn_handle;
            uint16_t attr_handle;
            uint8_t reason;
            uint8_t prev_notify : 1;
            uint8_t cur_notify : 1;
            uint8_t prev_indicate : 1;
            uint8_t cur_indicate : 1;
        } subscribe;
        struct {
            uint16_t conn_handle;
            uint16_t channel_id;
            uint16_t value;
        } mtu;
        struct {
            uint16_t conn_handle;
            ble_addr_t peer_id_addr;
        } identity_resolved;
        struct ble_gap_repeat_pairing repeat_pairing;
        struct {
            int status;
            uint16_t conn_handle;
            uint8_t tx_phy;
            uint8_t rx_phy;
        } phy_updated;
        struct {
            int status;
            uint16_t conn_handle;
        } pairing_complete;
        struct {
            uint16_t conn_handle;
            uint16_t attr_handle;
            int is_read;
            int out_response;
        } authorize;
        struct {
            uint16_t conn_handle;
            uint16_t max_tx_octets;
            uint16_t max_tx_time;
            uint16_t max_rx_octets;
            uint16_t max_rx_time;
        } data_len_chg;
    };
};

typedef int ble_gap_event_fn(struct ble_gap_event *event, void *arg);

struct ble_gap_event_listener {
    ble_gap_event_fn *fn;
    void *arg;
    SLIST_ENTRY(ble_gap_event_listener) link;
};

/* Advertising (legacy: 31 bytes). */
int ble_gap_adv_start(uint8_t own_addr_type, const ble_addr_t *direct_addr,
                      int32_t duration_ms, const struct ble_gap_adv_params *adv_params,
                      ble_gap_event_fn *cb, void *cb_arg);
int ble_gap_adv_stop(void);
int ble_gap_adv_active(void);
int ble_gap_adv_set_data(const uint8_t *data, int data_len);
int ble_gap_adv_rsp_set_data(const uint8_t *data, int data_len);
int ble_gap_adv_set_fields(const struct ble_hs_adv_fields *rsp_fields);
int ble_gap_adv_rsp_set_fields(const struct ble_hs_adv_fields *rsp_fields);

/* Connections. */
int ble_gap_conn_find(uint16_t handle, struct ble_gap_conn_desc *out_desc);
int ble_gap_conn_find_by_addr(const ble_addr_t *addr, struct ble_gap_conn_desc *out_desc);
int ble_gap_conn_active(void);
int ble_gap_set_event_cb(uint16_t conn_handle, ble_gap_event_fn *cb, void *cb_arg);
int ble_gap_terminate(uint16_t conn_handle, uint8_t hci_reason);
int ble_gap_update_params(uint16_t conn_handle, const struct ble_gap_upd_params *params);
int ble_gap_conn_rssi(uint16_t conn_handle, int8_t *out_rssi);

int ble_gap_set_data_len(uint16_t conn_handle, uint16_t tx_octets, uint16_t tx_time);
int ble_gap_read_sugg_def_data_len(uint16_t *out_sugg_max_tx_octets,
                                   uint16_t *out_sugg_max_tx_time);
int ble_gap_write_sugg_def_data_len(uint16_t sugg_max_tx_octets,
                                    uint16_t sugg_max_tx_time);

/* BLE_HS_ENOTSUP with a controller of Bluetooth 4.2 (the first ESP32). */
int ble_gap_read_le_phy(uint16_t conn_handle, uint8_t *tx_phy, uint8_t *rx_phy);
int ble_gap_set_prefered_default_le_phy(uint8_t tx_phys_mask, uint8_t rx_phys_mask);
int ble_gap_set_prefered_le_phy(uint16_t conn_handle, uint8_t tx_phys_mask,
                                uint8_t rx_phys_mask, uint16_t phy_opts);

/* There is no Security Manager here: BLE_HS_ENOTSUP, as with BT_NIMBLE_SECURITY_ENABLE
 * off. */
int ble_gap_security_initiate(uint16_t conn_handle);
int ble_gap_unpair(const ble_addr_t *peer_addr);

int ble_gap_event_listener_register(struct ble_gap_event_listener *listener,
                                    ble_gap_event_fn *fn, void *arg);
int ble_gap_event_listener_unregister(struct ble_gap_event_listener *listener);

#ifdef __cplusplus
}
#endif

#endif
