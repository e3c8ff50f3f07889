/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Numbers of HCI that NimBLE's users meet. */
#ifndef SIM_NIMBLE_HCI_COMMON_H
#define SIM_NIMBLE_HCI_COMMON_H

#define BLE_HCI_LE_PHY_1M              1
#define BLE_HCI_LE_PHY_2M              2
#define BLE_HCI_LE_PHY_CODED           3
#define BLE_HCI_LE_PHY_1M_PREF_MASK    0x01
#define BLE_HCI_LE_PHY_2M_PREF_MASK    0x02
#define BLE_HCI_LE_PHY_CODED_PREF_MASK 0x04
#define BLE_HCI_MAX_ADV_DATA_LEN       31
#define BLE_HCI_MAX_SCAN_RSP_DATA_LEN  31

#define BLE_HCI_ADV_ITVL                       625  /* us */
#define BLE_HCI_SCAN_ITVL                      625  /* us */
#define BLE_HCI_CONN_ITVL                      1250 /* us */
#define BLE_HCI_ADV_ITVL_MIN                   32
#define BLE_HCI_ADV_ITVL_MAX                   16384
#define BLE_HCI_ADV_FILT_NONE                  0
#define BLE_HCI_ADV_RPT_EVTYPE_ADV_IND         0
#define BLE_HCI_ADV_RPT_EVTYPE_DIR_IND         1
#define BLE_HCI_ADV_RPT_EVTYPE_SCAN_IND        2
#define BLE_HCI_ADV_RPT_EVTYPE_NONCONN_IND     3
#define BLE_HCI_ADV_RPT_EVTYPE_SCAN_RSP        4
#define BLE_HCI_SET_DATALEN_TX_OCTETS_MIN      0x001b
#define BLE_HCI_SET_DATALEN_TX_OCTETS_MAX      0x00fb
#define BLE_HCI_SET_DATALEN_TX_TIME_MIN        0x0148
#define BLE_HCI_SET_DATALEN_TX_TIME_MAX        0x4290
#define BLE_HCI_SUGG_DEF_DATALEN_TX_OCTETS_MAX 0x00fb
#define BLE_HCI_SUGG_DEF_DATALEN_TX_TIME_MAX   0x4290

#endif
