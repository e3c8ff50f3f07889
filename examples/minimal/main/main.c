/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The smallest firmware that can be updated over Bluetooth. */
#include "driver/gpio.h"
#include "sdkconfig.h"
#include "updraft.h"

/* Your own test belongs here: sensors answer, settings can be read, and so on. This one
 * fails while the BOOT button is held, to let you see a rollback. */
static bool self_test(void *context)
{
    (void)context;
    const gpio_config_t button = {
        .pin_bit_mask = 1ULL << CONFIG_EXAMPLE_BUTTON_GPIO,
        .mode = GPIO_MODE_INPUT,
        .pull_up_en = GPIO_PULLUP_ENABLE,
    };
    return gpio_config(&button) == ESP_OK &&
           gpio_get_level((gpio_num_t)CONFIG_EXAMPLE_BUTTON_GPIO) == 1;
}

void app_main(void)
{
    const updraft_config_t config = {
        .manufacturer = "Example",
        .model = "Minimal",
        .self_test = self_test,
    };
    ESP_ERROR_CHECK(updraft_start(&config));
}
