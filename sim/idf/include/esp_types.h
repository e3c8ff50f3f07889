/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Types that ESP-IDF's headers expect. */
#ifndef SIM_IDF_ESP_TYPES_H
#define SIM_IDF_ESP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#endif
