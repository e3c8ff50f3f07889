/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Device Information and the OTA service in NimBLE's attribute table. */
#ifndef UPDRAFT_GATT_H
#define UPDRAFT_GATT_H

#include <stdint.h>

#include "esp_err.h"

/* What Device Information says. The strings must stay. */
struct updraft_gatt_strings {
    const char *manufacturer;
    const char *model;
    const char *firmware_revision;
};

/* Adds both services, Device Information first. After ble_svc_gatt_init, before the host
 * task starts. */
esp_err_t updraft_gatt_add(const struct updraft_gatt_strings *strings);

/* Notifies one byte on Control, whether or not the client subscribed (the original never
 * looked). Tries again for a bounded time while NimBLE has no memory. Update task.
 * Returns 0 or NimBLE's error. */
int updraft_gatt_notify(uint16_t connection, uint8_t value);

#endif
