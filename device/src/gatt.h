/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Device Information and the OTA service in NimBLE's attribute table. */
#ifndef UPDRAFT_GATT_H
#define UPDRAFT_GATT_H

#include <stdbool.h>
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

/* Notifies a value of Control, whatever the client subscribed to. While NimBLE has no
 * memory, tries again for limit_ms. Update task. Returns 0 or NimBLE's error. */
int updraft_gatt_notify(uint16_t connection, const uint8_t *bytes, uint16_t size_bytes,
                        uint32_t limit_ms);

/* Host task. The client changed what it wants to be notified of. */
void updraft_gatt_subscribed(uint16_t connection, uint16_t attribute, bool enabled);

#endif
