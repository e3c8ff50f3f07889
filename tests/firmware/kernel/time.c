/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Delays and timers, to the microsecond. */
#include "check.h"
#include "esp_rom_sys.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "freertos/timers.h"

void scenario_delays(void)
{
    CHECK_EQUAL(esp_timer_get_time(), 0); /* nothing has taken time yet */
    vTaskDelay(3);
    CHECK_EQUAL(esp_timer_get_time(), 3000);
    esp_rom_delay_us(700);
    CHECK_EQUAL(esp_timer_get_time(), 3700);
    vTaskDelay(1); /* up to the next tick, not a whole one */
    CHECK_EQUAL(esp_timer_get_time(), 4000);
    TickType_t last = xTaskGetTickCount();
    for (int i = 1; i <= 3; i++) {
        esp_rom_delay_us(1300);
        CHECK_EQUAL(xTaskDelayUntil(&last, 10), pdTRUE);
        CHECK_EQUAL(esp_timer_get_time(), 4000 + i * 10000);
    }
    esp_rom_delay_us(25000);
    CHECK_EQUAL(xTaskDelayUntil(&last, 10), pdFALSE); /* too late */
    CHECK_EQUAL(pdMS_TO_TICKS(15), 15);
}

static int64_t fired_us[8];
static int fired;

static void note(void *argument)
{
    mark(*(const char *)argument);
    fired_us[fired++ % 8] = esp_timer_get_time();
}

void scenario_esp_timers(void)
{
    esp_timer_handle_t once = NULL;
    esp_timer_handle_t periodic = NULL;
    CHECK_EQUAL(
        esp_timer_create(&(esp_timer_create_args_t){.callback = note, .arg = "o"}, &once),
        ESP_OK);
    CHECK_EQUAL(esp_timer_create(&(esp_timer_create_args_t){.callback = note, .arg = "p"},
                                 &periodic),
                ESP_OK);
    int64_t begin_us = esp_timer_get_time();
    CHECK_EQUAL(esp_timer_start_once(once, 1234), ESP_OK);
    CHECK_EQUAL(esp_timer_start_periodic(periodic, 1000), ESP_OK);
    CHECK_EQUAL(esp_timer_start_once(once, 1), ESP_ERR_INVALID_STATE);
    CHECK_EQUAL(esp_timer_get_next_alarm() - begin_us, 1000);
    vTaskDelay(3);
    CHECK_MARKS("popp");
    CHECK_EQUAL(fired_us[0] - begin_us, 1000);
    CHECK_EQUAL(fired_us[1] - begin_us, 1234);
    CHECK_EQUAL(fired_us[2] - begin_us, 2000);
    CHECK(!esp_timer_is_active(once));
    CHECK_EQUAL(esp_timer_delete(periodic), ESP_ERR_INVALID_STATE);
    CHECK_EQUAL(esp_timer_restart(periodic, 5000), ESP_OK);
    vTaskDelay(4);
    CHECK_MARKS("");
    vTaskDelay(2);
    CHECK_MARKS("p");
    CHECK_EQUAL(esp_timer_stop(periodic), ESP_OK);
    CHECK_EQUAL(esp_timer_stop(periodic), ESP_ERR_INVALID_STATE);
    CHECK_EQUAL(esp_timer_delete(periodic), ESP_OK);
    CHECK_EQUAL(esp_timer_delete(once), ESP_OK);
    vTaskDelay(20);
    CHECK_MARKS("");
}

static void tick(TimerHandle_t timer)
{
    mark(*(const char *)pvTimerGetTimerID(timer));
}

void scenario_soft_timers(void)
{
    TimerHandle_t once = xTimerCreate("once", 5, pdFALSE, "o", tick);
    static StaticTimer_t room;
    TimerHandle_t often = xTimerCreateStatic("often", 2, pdTRUE, "r", tick, &room);
    xTimerStart(once, 0);
    xTimerStart(often, 0);
    vTaskDelay(3);
    xTimerReset(once, 0);
    vTaskDelay(4);
    CHECK_MARKS("rrr");
    vTaskDelay(2);
    xTimerStop(often, 0);
    CHECK_EQUAL(xTimerIsTimerActive(once), pdFALSE);
    vTaskDelay(10);
    CHECK_MARKS("or");
    xTimerChangePeriod(often, 3, 0);
    vTaskDelay(10);
    CHECK_MARKS("rrr");
    xTimerDelete(often, 0);
    xTimerDelete(once, 0);
    vTaskDelay(3);
    CHECK_MARKS("");
}

/* Loops that only look at a clock come to an end here, too. */
void scenario_polling(void)
{
    int64_t end_us = esp_timer_get_time() + 50000;
    while (esp_timer_get_time() < end_us) {
    }
    CHECK(esp_timer_get_time() - end_us < 200);
    TickType_t end = xTaskGetTickCount() + 20;
    while ((int32_t)(xTaskGetTickCount() - end) < 0) {
        taskYIELD();
    }
}
