/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Numbers of the Security Manager, which itself is not here. */
#ifndef SIM_HOST_BLE_SM_H
#define SIM_HOST_BLE_SM_H

#include <inttypes.h>

#define BLE_SM_ERR_SUCCESS           0x00
#define BLE_SM_ERR_PASSKEY           0x01
#define BLE_SM_ERR_OOB               0x02
#define BLE_SM_ERR_AUTHREQ           0x03
#define BLE_SM_ERR_CONFIRM_MISMATCH  0x04
#define BLE_SM_ERR_PAIR_NOT_SUPP     0x05
#define BLE_SM_ERR_ENC_KEY_SZ        0x06
#define BLE_SM_ERR_CMD_NOT_SUPP      0x07
#define BLE_SM_ERR_UNSPECIFIED       0x08
#define BLE_SM_ERR_REPEATED          0x09
#define BLE_SM_ERR_INVAL             0x0a
#define BLE_SM_ERR_DHKEY             0x0b
#define BLE_SM_ERR_NUMCMP            0x0c
#define BLE_SM_ERR_ALREADY           0x0d
#define BLE_SM_ERR_CROSS_TRANS       0x0e
#define BLE_SM_ERR_KEY_REJ           0x0f
#define BLE_SM_ERR_MAX_PLUS_1        0x10
#define BLE_SM_PAIR_KEY_DIST_ENC     0x01
#define BLE_SM_PAIR_KEY_DIST_ID      0x02
#define BLE_SM_PAIR_KEY_DIST_SIGN    0x04
#define BLE_SM_PAIR_KEY_DIST_LINK    0x08
#define BLE_SM_IO_CAP_DISP_ONLY      0x00
#define BLE_SM_IO_CAP_DISP_YES_NO    0x01
#define BLE_SM_IO_CAP_KEYBOARD_ONLY  0x02
#define BLE_SM_IO_CAP_NO_IO          0x03
#define BLE_SM_IO_CAP_KEYBOARD_DISP  0x04
#define BLE_SM_PAIR_AUTHREQ_BOND     0x01
#define BLE_SM_PAIR_AUTHREQ_MITM     0x04
#define BLE_SM_PAIR_AUTHREQ_SC       0x08
#define BLE_SM_PAIR_AUTHREQ_KEYPRESS 0x10
#define BLE_SM_IOACT_NONE            0
#define BLE_SM_IOACT_OOB             1
#define BLE_SM_IOACT_INPUT           2
#define BLE_SM_IOACT_DISP            3
#define BLE_SM_IOACT_NUMCMP          4
#define BLE_SM_IOACT_OOB_SC          5
#define BLE_SM_IOACT_MAX_PLUS_ONE    6

#endif
