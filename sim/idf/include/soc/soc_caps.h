/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the chip can do. */
#ifndef SIM_IDF_SOC_SOC_CAPS_H
#define SIM_IDF_SOC_SOC_CAPS_H

#define SOC_BT_SUPPORTED       1
#define SOC_BLE_SUPPORTED      1
#define SOC_BLE_50_SUPPORTED   1
#define SOC_CPU_CORES_NUM      1
#define SOC_SHA_SUPPORT_SHA256 1
#define SOC_RTC_WDT_SUPPORTED  1

#endif
