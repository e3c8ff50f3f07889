/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Says that it runs. */
#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static int boots;

void app_main(void)
{
    boots++;
    ESP_LOGI("kernel", "version %s boot %d", esp_app_get_description()->version, boots);
    vTaskDelay(pdMS_TO_TICKS(250));
    ESP_LOGI("kernel", "restart");
    esp_restart();
}
