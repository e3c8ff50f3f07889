/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Packets from and to flat memory. */
#ifndef SIM_HOST_BLE_HS_MBUF_H
#define SIM_HOST_BLE_HS_MBUF_H

#include <inttypes.h>

#ifdef __cplusplus
extern "C" {
#endif

struct os_mbuf;

struct os_mbuf *ble_hs_mbuf_att_pkt(void);
struct os_mbuf *ble_hs_mbuf_from_flat(const void *buf, uint16_t len);
/* A packet longer than max_len is cut without an error, as NimBLE 1.6 does: look at
 * OS_MBUF_PKTLEN first. */
int ble_hs_mbuf_to_flat(const struct os_mbuf *om, void *flat, uint16_t max_len,
                        uint16_t *out_copy_len);

#ifdef __cplusplus
}
#endif

#endif
