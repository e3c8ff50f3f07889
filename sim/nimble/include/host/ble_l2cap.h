/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Channels of L2CAP. There are no connection-oriented channels here. */
#ifndef SIM_HOST_BLE_L2CAP_H
#define SIM_HOST_BLE_L2CAP_H

#define BLE_L2CAP_CID_ATT 4
#define BLE_L2CAP_CID_SIG 5
#define BLE_L2CAP_CID_SM  6

#endif
