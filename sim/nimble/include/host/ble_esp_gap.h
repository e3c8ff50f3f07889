/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Older and ESP-IDF's own names of GAP calls. */
#ifndef SIM_HOST_BLE_ESP_GAP_H
#define SIM_HOST_BLE_ESP_GAP_H

#include "nimble/ble.h"

#ifdef __cplusplus
extern "C" {
#endif

int ble_hs_hci_util_set_data_len(uint16_t conn_handle, uint16_t tx_octets,
                                 uint16_t tx_time);
int ble_hs_hci_util_read_sugg_def_data_len(uint16_t *out_sugg_max_tx_octets,
                                           uint16_t *out_sugg_max_tx_time);
int ble_hs_hci_util_write_sugg_def_data_len(uint16_t sugg_max_tx_octets,
                                            uint16_t sugg_max_tx_time);

#ifdef __cplusplus
}
#endif

#endif
