/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Bonds and subscriptions that outlive a connection. */
#ifndef SIM_HOST_BLE_STORE_H
#define SIM_HOST_BLE_STORE_H

#include <inttypes.h>

#include "nimble/ble.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BLE_STORE_OBJ_TYPE_OUR_SEC  1
#define BLE_STORE_OBJ_TYPE_PEER_SEC 2
#define BLE_STORE_OBJ_TYPE_CCCD     3

#define BLE_STORE_EVENT_OVERFLOW 1
#define BLE_STORE_EVENT_FULL     2

struct ble_store_key_sec {
    ble_addr_t peer_addr;
    uint8_t idx;
};

struct ble_store_value_sec {
    ble_addr_t peer_addr;
    uint16_t bond_count;
    uint8_t key_size;
    uint16_t ediv;
    uint64_t rand_num;
    uint8_t ltk[16];
    uint8_t ltk_present : 1;
    uint8_t irk[16];
    uint8_t irk_present : 1;
    uint8_t csrk[16];
    uint8_t csrk_present : 1;
    uint32_t sign_counter;
    unsigned authenticated : 1;
    uint8_t sc : 1;
};

struct ble_store_key_cccd {
    ble_addr_t peer_addr;
    uint16_t chr_val_handle;
    uint8_t idx;
};

struct ble_store_value_cccd {
    ble_addr_t peer_addr;
    uint16_t chr_val_handle;
    uint16_t flags;
    unsigned value_changed : 1;
};

union ble_store_key {
    struct ble_store_key_sec sec;
    struct ble_store_key_cccd cccd;
};

union ble_store_value {
    struct ble_store_value_sec sec;
    struct ble_store_value_cccd cccd;
};

struct ble_store_status_event {
    int event_code;
    union {
        struct {
            int obj_type;
            const union ble_store_value *value;
        } overflow;
        struct {
            int obj_type;
            uint16_t conn_handle;
        } full;
    };
};

struct ble_store_gen_key {
    union {
        uint8_t ltk_periph[16];
        uint8_t irk[16];
        uint8_t csrk[16];
    };
    uint16_t ediv;
    uint64_t rand;
};

typedef int ble_store_gen_key_fn(uint8_t key, struct ble_store_gen_key *gen_key,
                                 uint16_t conn_handle);
typedef int ble_store_read_fn(int obj_type, const union ble_store_key *key,
                              union ble_store_value *dst);
typedef int ble_store_write_fn(int obj_type, const union ble_store_value *val);
typedef int ble_store_delete_fn(int obj_type, const union ble_store_key *key);
typedef int ble_store_status_fn(struct ble_store_status_event *event, void *arg);

/* Firmware declares this one itself. Without a Security Manager nothing is ever stored,
 * so it has nothing to do. */
void ble_store_config_init(void);
int ble_store_clear(void);
int ble_store_util_status_rr(struct ble_store_status_event *event, void *arg);
int ble_store_util_bonded_peers(ble_addr_t *out_peer_id_addrs, int *out_num_peers,
                                int max_peers);
int ble_store_util_delete_peer(const ble_addr_t *peer_id_addr);

#ifdef __cplusplus
}
#endif

#endif
