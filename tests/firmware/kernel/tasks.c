/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Tasks: who runs when. */
#include "check.h"
#include "esp_rom_sys.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#define STACK 2048

static void mark_once(void *argument)
{
    mark(*(const char *)argument);
    vTaskDelete(NULL);
}

void scenario_priorities(void)
{
    mark('a');
    CHECK_EQUAL(xTaskCreate(mark_once, "high", STACK, "b", 5, NULL), pdPASS);
    mark('c'); /* the higher one ran within the call */
    CHECK_EQUAL(xTaskCreate(mark_once, "equal", STACK, "e", 1, NULL), pdPASS);
    mark('d'); /* an equal one did not */
    CHECK_EQUAL(xTaskCreate(mark_once, "low", STACK, "h", 0, NULL), pdPASS);
    taskYIELD(); /* behind the equal one, before the lower one */
    mark('f');
    vTaskPrioritySet(NULL, 7);
    CHECK_EQUAL(uxTaskPriorityGet(NULL), 7);
    CHECK_EQUAL(xTaskCreate(mark_once, "middle", STACK, "i", 6, NULL), pdPASS);
    mark('g');
    vTaskPrioritySet(NULL, 1); /* the middle one first, then back here */
    mark('j');
    vTaskDelay(1);
    CHECK_MARKS("abcdefgijh");
}

static void mark_three_times(void *argument)
{
    for (int i = 0; i < 3; i++) {
        mark(*(const char *)argument);
        taskYIELD();
    }
    vTaskDelete(NULL);
}

void scenario_round_robin(void)
{
    vTaskPrioritySet(NULL, 6);
    for (const char *name = "xyz"; *name != '\0'; name++) {
        xTaskCreate(mark_three_times, "equal", STACK, (void *)name, 5, NULL);
    }
    vTaskDelay(1);
    CHECK_MARKS("xyzxyzxyz");
}

static void burn(void *argument)
{
    int64_t *ret_end_us = argument;
    esp_rom_delay_us(2500);
    *ret_end_us = esp_timer_get_time();
    vTaskDelete(NULL);
}

/* Busy-waits count the clock, not the turns: equals share them tick by tick. */
void scenario_slices(void)
{
    static int64_t ends_us[2];
    static int64_t high_end_us;
    vTaskPrioritySet(NULL, 10);
    int64_t begin_us = esp_timer_get_time();
    xTaskCreate(burn, "a", STACK, &ends_us[0], 5, NULL);
    xTaskCreate(burn, "b", STACK, &ends_us[1], 5, NULL);
    vTaskDelay(10);
    CHECK_EQUAL(ends_us[0] - begin_us, 2500); /* turns: a, b, a */
    CHECK_EQUAL(ends_us[1] - begin_us, 3500); /* it began a tick later */

    begin_us = esp_timer_get_time();
    xTaskCreate(burn, "a", STACK, &ends_us[0], 5, NULL);
    vTaskDelay(1);
    xTaskCreate(burn, "high", STACK, &high_end_us, 8, NULL);
    vTaskDelay(10);
    CHECK_EQUAL(high_end_us - begin_us, 3500);
    CHECK_EQUAL(ends_us[0] - begin_us, 3500); /* held off by the higher one */
}

static TaskHandle_t main_task;

static void notify_twice(void *argument)
{
    (void)argument;
    mark('1');
    xTaskNotify(main_task, 0x10, eSetBits); /* main is higher: it runs here */
    mark('3');
    xTaskNotify(main_task, 0x01, eSetBits);
    mark('5');
    vTaskDelay(5);
    xTaskNotifyGive(main_task);
    CHECK_EQUAL(xTaskNotify(main_task, 7, eSetValueWithoutOverwrite), pdPASS);
    vTaskDelete(NULL);
}

void scenario_notify(void)
{
    uint32_t value = 0;
    main_task = xTaskGetCurrentTaskHandle();
    CHECK_EQUAL(xTaskNotifyWait(0, 0, &value, 3), pdFALSE);
    CHECK_EQUAL(ulTaskNotifyTake(pdTRUE, 0), 0);
    vTaskPrioritySet(NULL, 6);
    xTaskCreate(notify_twice, "notifier", STACK, NULL, 5, NULL);
    CHECK_EQUAL(xTaskNotifyWait(0, UINT32_MAX, &value, portMAX_DELAY), pdTRUE);
    mark('2');
    CHECK_EQUAL(value, 0x10);
    CHECK_EQUAL(xTaskNotifyWait(0, UINT32_MAX, &value, portMAX_DELAY), pdTRUE);
    mark('4');
    CHECK_EQUAL(value, 0x01);
    TickType_t before = xTaskGetTickCount();
    CHECK_EQUAL(ulTaskNotifyTake(pdTRUE, portMAX_DELAY), 1);
    CHECK_EQUAL(xTaskGetTickCount() - before, 5);
    CHECK_EQUAL(xTaskNotifyWait(0, 0, &value, 1), pdTRUE);
    CHECK_EQUAL(value, 7);
    CHECK_MARKS("12345");
}

static void wait_for_ever(void *argument)
{
    (void)argument;
    vTaskSuspend(NULL);
    mark('r');
    vTaskDelete(NULL);
}

void scenario_many_tasks(void)
{
    TaskHandle_t handles[40];
    size_t count = 0;
    while (count < 40 && xTaskCreate(wait_for_ever, "filler", STACK, NULL, 3,
                                     &handles[count]) == pdPASS) {
        count++;
    }
    CHECK(count >= 16 && count < 40);
    CHECK_EQUAL(eTaskGetState(handles[0]), eSuspended);
    vTaskResume(handles[0]);
    CHECK_MARKS("r");
    for (size_t i = 1; i < count; i++) {
        vTaskDelete(handles[i]);
    }
    for (int i = 0; i < 100; i++) { /* places and stacks are used again */
        CHECK_EQUAL(xTaskCreate(mark_once, "again", STACK, "", 3, NULL), pdPASS);
    }
}

/* Work whose order depends on every decision of the scheduler and on random numbers. */
static void churner(void *argument)
{
    uintptr_t number = (uintptr_t)argument;
    for (int i = 0; i < 20; i++) {
        printf("churn %d.%d at %lld\n", (int)number, i, (long long)esp_timer_get_time());
        if (i % 3 == 0) {
            vTaskDelay(1 + number);
        } else {
            esp_rom_delay_us(100 * (uint32_t)(number + 1));
        }
    }
    xTaskNotifyGive(main_task);
    vTaskDelete(NULL);
}

void scenario_churn(void)
{
    main_task = xTaskGetCurrentTaskHandle();
    for (uintptr_t i = 0; i < 4; i++) {
        xTaskCreate(churner, "churner", STACK, (void *)i, 2 + i / 2, NULL);
    }
    for (int i = 0; i < 4; i++) {
        ulTaskNotifyTake(pdFALSE, portMAX_DELAY);
    }
}
