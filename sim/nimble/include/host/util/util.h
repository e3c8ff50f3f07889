/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Makes sure that there is an address to use. */
#ifndef SIM_HOST_UTIL_UTIL_H
#define SIM_HOST_UTIL_UTIL_H

#ifdef __cplusplus
extern "C" {
#endif

int ble_hs_util_ensure_addr(int prefer_random);

#ifdef __cplusplus
}
#endif

#endif
