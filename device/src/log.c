/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Lines that many places log: each call of ESP_LOGE takes room for its format and
 * arguments. */
#include "log.h"

#include "esp_log.h"

static const char *const TAG = "updraft";

void updraft_log_error(const char *what, esp_err_t err)
{
    ESP_LOGE(TAG, "%s: %s", what, esp_err_to_name(err));
}

void updraft_log_nimble_error(const char *what, int rc)
{
    ESP_LOGE(TAG, "%s: NimBLE error %d", what, rc);
}
