/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * NimBLE's settings, by its own names, from the firmware's sdkconfig. */
#ifndef SIM_SYSCFG_SYSCFG_H
#define SIM_SYSCFG_SYSCFG_H

#include "esp_nimble_cfg.h"

#endif
