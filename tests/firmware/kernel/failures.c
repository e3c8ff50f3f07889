/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Ends that no firmware wants. */
#include <assert.h>
#include <stdlib.h>

#include "check.h"
#include "driver/gpio.h"
#include "esp_err.h"
#include "esp_rom_sys.h"
#include "esp_task_wdt.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "hal/wdt_hal.h"
#include "soc/rtc.h"

void scenario_abort(void)
{
    vTaskDelay(10);
    abort();
}

void scenario_assert(void)
{
    volatile int three = 3;
    assert(three == 4);
}

void scenario_error_check(void)
{
    ESP_ERROR_CHECK_WITHOUT_ABORT(ESP_ERR_TIMEOUT);
    ESP_ERROR_CHECK(ESP_ERR_NO_MEM);
}

static void just_return(void *argument)
{
    (void)argument;
}

void scenario_return(void)
{
    xTaskCreate(just_return, "returner", 2048, NULL, 1, NULL);
    vTaskDelay(10);
}

void scenario_block_in_critical(void)
{
    static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;
    portENTER_CRITICAL(&lock);
    vTaskDelay(1);
}

void scenario_spin(void)
{
    vTaskDelay(100);
    for (;;) {
        esp_rom_delay_us(1000);
    }
}

/* The idle task runs all the time, but a subscribed task does not feed. */
void scenario_lazy_user(void)
{
    CHECK_EQUAL(esp_task_wdt_add(NULL), ESP_OK);
    CHECK_EQUAL(esp_task_wdt_add(NULL), ESP_ERR_INVALID_ARG);
    CHECK_EQUAL(esp_task_wdt_status(NULL), ESP_OK);
    vTaskDelay(portMAX_DELAY);
}

void scenario_fed(void)
{
    CHECK_EQUAL(esp_task_wdt_add(NULL), ESP_OK);
    for (int i = 0; i < 8; i++) {
        vTaskDelay(pdMS_TO_TICKS(4000));
        CHECK_EQUAL(esp_task_wdt_reset(), ESP_OK);
    }
    CHECK_EQUAL(esp_task_wdt_delete(NULL), ESP_OK);
    CHECK_EQUAL(esp_task_wdt_reset(), ESP_ERR_NOT_FOUND);
    vTaskDelay(pdMS_TO_TICKS(20000));
}

/* Built to keep the boot loader's watchdog: feeds it twice, then makes it longer, then
 * turns it off, then on again and forgets it. */
void scenario_rtc_watchdog(void)
{
    wdt_hal_context_t watchdog = RWDT_HAL_CONTEXT_DEFAULT();
    CHECK(wdt_hal_is_enabled(&watchdog));
    for (int i = 0; i < 2; i++) {
        vTaskDelay(pdMS_TO_TICKS(8000));
        wdt_hal_write_protect_disable(&watchdog);
        wdt_hal_feed(&watchdog);
        wdt_hal_write_protect_enable(&watchdog);
    }
    wdt_hal_write_protect_disable(&watchdog);
    wdt_hal_config_stage(&watchdog, WDT_STAGE0, 20 * rtc_clk_slow_freq_get_hz(),
                         WDT_STAGE_ACTION_RESET_RTC);
    vTaskDelay(pdMS_TO_TICKS(19000));
    wdt_hal_disable(&watchdog);
    wdt_hal_write_protect_enable(&watchdog);
    vTaskDelay(pdMS_TO_TICKS(60000));
    wdt_hal_enable(&watchdog); /* protected: nothing happens */
    CHECK(!wdt_hal_is_enabled(&watchdog));
    wdt_hal_write_protect_disable(&watchdog);
    wdt_hal_enable(&watchdog);
    printf("watchdog forgotten\n");
    vTaskDelay(portMAX_DELAY);
}

void scenario_pin(void)
{
    gpio_config_t config = {.pin_bit_mask = 1ULL << GPIO_NUM_9, .mode = GPIO_MODE_INPUT};
    CHECK_EQUAL(gpio_config(&config), ESP_OK);
    printf("pin reads %d\n", gpio_get_level(GPIO_NUM_9));
    gpio_set_direction(GPIO_NUM_8, GPIO_MODE_OUTPUT);
    gpio_set_level(GPIO_NUM_8, 0);
    CHECK_EQUAL(gpio_get_level(GPIO_NUM_8), 0);
    gpio_set_level(GPIO_NUM_8, 1);
    CHECK_EQUAL(gpio_get_level(GPIO_NUM_8), 1);
}
