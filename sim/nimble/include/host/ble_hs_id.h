/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's own addresses. */
#ifndef SIM_HOST_BLE_HS_ID_H
#define SIM_HOST_BLE_HS_ID_H

#include <inttypes.h>

#include "nimble/ble.h"

#ifdef __cplusplus
extern "C" {
#endif

int ble_hs_id_gen_rnd(int nrpa, ble_addr_t *out_addr);
int ble_hs_id_set_rnd(const uint8_t *rnd_addr);
int ble_hs_id_copy_addr(uint8_t id_addr_type, uint8_t *out_id_addr, int *out_is_nrpa);
int ble_hs_id_infer_auto(int privacy, uint8_t *out_addr_type);

#ifdef __cplusplus
}
#endif

#endif
