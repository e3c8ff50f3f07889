/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Connection parameters, data length and PHY for the time of an update. */
#include "fast_link.h"

#include <string.h>

#include "esp_log.h"
#include "host/ble_gap.h"
#include "host/ble_hs.h"

#include "updraft/device_session.h"

#define INTERVAL_MIN     12u  /* 15 ms, in units of 1.25 ms */
#define INTERVAL_MAX     24u  /* 30 ms */
#define SUPERVISION      600u /* 6 s, in units of 10 ms: above the longest block erase */
#define DATA_OCTETS      251u
#define DATA_TIME_US     2120u /* of 251 bytes on 1M */
#define SUPERVISION_UNIT 10u

static const char *const TAG = "updraft";

static uint16_t fast = UPDRAFT_CONNECTION_NONE;
static struct ble_gap_upd_params before; /* what it had; supervision_timeout 0: it keeps
                                          * what it has */

static void ask(uint16_t connection);
static void give_back(uint16_t connection);

void updraft_fast_link_use(uint16_t connection)
{
    if (connection == fast) {
        return;
    }
    if (fast != UPDRAFT_CONNECTION_NONE) {
        give_back(fast);
    }
    fast = connection;
    if (connection != UPDRAFT_CONNECTION_NONE) {
        ask(connection);
    }
}

uint32_t updraft_fast_link_supervision_ms(uint16_t connection)
{
    struct ble_gap_conn_desc link;
    return ble_gap_conn_find(connection, &link) == 0
               ? link.supervision_timeout * SUPERVISION_UNIT
               : 0;
}

/* A link that is faster than asked for, or waits longer, stays so. */
static void ask(uint16_t connection)
{
    struct ble_gap_conn_desc link;
    memset(&before, 0, sizeof(before));
    if (ble_gap_conn_find(connection, &link) != 0) {
        return;
    }
    const struct ble_gap_upd_params wanted = {
        .itvl_min = link.conn_itvl < INTERVAL_MIN ? link.conn_itvl : INTERVAL_MIN,
        .itvl_max = link.conn_itvl < INTERVAL_MAX ? link.conn_itvl : INTERVAL_MAX,
        .latency = 0,
        .supervision_timeout = link.supervision_timeout > SUPERVISION
                                   ? link.supervision_timeout
                                   : SUPERVISION,
    };
    if (link.conn_itvl > wanted.itvl_max || link.conn_latency != wanted.latency ||
        link.supervision_timeout != wanted.supervision_timeout) {
        int rc = ble_gap_update_params(connection, &wanted);
        if (rc == 0) {
            before = (struct ble_gap_upd_params){
                .itvl_min = link.conn_itvl,
                .itvl_max = link.conn_itvl,
                .latency = link.conn_latency,
                .supervision_timeout = link.supervision_timeout,
            };
        } else {
            ESP_LOGW(TAG, "connection %u: parameters not asked for: NimBLE error %d",
                     connection, rc);
        }
    }
    /* Chips and peers that cannot do these say so; the link works without. */
    (void)ble_gap_set_data_len(connection, DATA_OCTETS, DATA_TIME_US);
    (void)ble_gap_set_prefered_le_phy(connection, BLE_GAP_LE_PHY_2M_MASK,
                                      BLE_GAP_LE_PHY_2M_MASK, BLE_GAP_LE_PHY_CODED_ANY);
}

static void give_back(uint16_t connection)
{
    struct ble_gap_conn_desc link;
    if (before.supervision_timeout == 0 || ble_gap_conn_find(connection, &link) != 0) {
        return;
    }
    int rc = ble_gap_update_params(connection, &before);
    if (rc != 0) {
        ESP_LOGW(TAG, "connection %u: parameters not given back: NimBLE error %d",
                 connection, rc);
    }
}
