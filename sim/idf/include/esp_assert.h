/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Assertions at compile time. */
#ifndef SIM_IDF_ESP_ASSERT_H
#define SIM_IDF_ESP_ASSERT_H

#include <assert.h>
#include <stddef.h>

#define ESP_STATIC_ASSERT static_assert

#endif
