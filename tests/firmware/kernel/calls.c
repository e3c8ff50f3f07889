/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Calls that other people's firmware makes, and ours does not. */
#include "check.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "freertos/timers.h"
#include "nvs.h"
#include "nvs_flash.h"

#define STACK 2048

static void mark_and_end(void *argument)
{
    mark(*(const char *)argument);
    vTaskDelete(NULL);
}

static void sleep_long(void *argument)
{
    TickType_t begin = xTaskGetTickCount();
    vTaskDelay(1000);
    *(TickType_t *)argument = xTaskGetTickCount() - begin;
    mark('w');
    vTaskDelete(NULL);
}

void scenario_task_calls(void)
{
    static TickType_t slept;
    static StaticTask_t memory;
    static StackType_t stack[STACK];
    TaskHandle_t sleeper = NULL;
    vTaskSuspendAll(); /* a higher task has to wait for the scheduler */
    CHECK_EQUAL(xTaskGetSchedulerState(), taskSCHEDULER_SUSPENDED);
    xTaskCreatePinnedToCore(mark_and_end, "higher", STACK, "h", 5, NULL, 0);
    mark('s');
    xTaskResumeAll();
    CHECK_EQUAL(xTaskGetSchedulerState(), taskSCHEDULER_RUNNING);
    CHECK_MARKS("sh");
    CHECK(xTaskCreateStatic(mark_and_end, "static", STACK, "t", 5, stack, &memory) !=
          NULL);
    CHECK_MARKS("t");

    xTaskCreate(sleep_long, "sleeper", STACK, &slept, 5, &sleeper);
    vTaskDelay(3);
    CHECK_EQUAL(xTaskAbortDelay(sleeper), pdPASS);
    CHECK_MARKS("w");
    CHECK_EQUAL(slept, 3);
    CHECK_EQUAL(xTaskAbortDelay(NULL), pdFAIL); /* who runs does not wait */

    TimeOut_t timeout;
    TickType_t left = 10;
    vTaskSetTimeOutState(&timeout);
    vTaskDelay(4);
    CHECK_EQUAL(xTaskCheckForTimeOut(&timeout, &left), pdFALSE);
    CHECK_EQUAL(left, 6);
    vTaskDelay(6);
    CHECK_EQUAL(xTaskCheckForTimeOut(&timeout, &left), pdTRUE);
    CHECK_EQUAL(left, 0);

    xTaskNotify(xTaskGetCurrentTaskHandle(), 0x11, eSetBits);
    CHECK_EQUAL(xTaskNotifyStateClear(NULL), pdTRUE);
    CHECK_EQUAL(xTaskNotifyStateClear(NULL), pdFALSE);
    CHECK_EQUAL(ulTaskNotifyValueClear(NULL, 0x01), 0x11);
    CHECK_EQUAL(ulTaskNotifyTake(pdTRUE, 0), 0x10);
}

void scenario_static_objects(void)
{
    static StaticSemaphore_t rooms[4];
    static StaticEventGroup_t event_room;
    SemaphoreHandle_t binary = xSemaphoreCreateBinaryStatic(&rooms[0]);
    SemaphoreHandle_t counting = xSemaphoreCreateCountingStatic(3, 1, &rooms[1]);
    SemaphoreHandle_t mutex = xSemaphoreCreateMutexStatic(&rooms[2]);
    SemaphoreHandle_t recursive = xSemaphoreCreateRecursiveMutexStatic(&rooms[3]);
    EventGroupHandle_t events = xEventGroupCreateStatic(&event_room);
    CHECK_EQUAL(xSemaphoreTake(binary, 0), pdFALSE);
    CHECK_EQUAL(xSemaphoreGive(binary), pdTRUE);
    CHECK_EQUAL(xSemaphoreGive(binary), pdFALSE);
    CHECK_EQUAL(xSemaphoreTake(counting, 0), pdTRUE);
    CHECK_EQUAL(xSemaphoreTake(counting, 2), pdFALSE);
    CHECK_EQUAL(xSemaphoreTake(mutex, 0), pdTRUE);
    CHECK_EQUAL(xSemaphoreTakeRecursive(recursive, 0), pdTRUE);
    CHECK_EQUAL(xSemaphoreTakeRecursive(recursive, 0), pdTRUE);
    CHECK_EQUAL(xSemaphoreGiveRecursive(recursive), pdTRUE);
    CHECK_EQUAL(xSemaphoreGiveRecursive(recursive), pdTRUE);
    CHECK_EQUAL(xEventGroupSetBits(events, 5), 5);
    CHECK_EQUAL(xEventGroupClearBits(events, 4), 5);
    CHECK_EQUAL(xEventGroupGetBits(events), 1);
}

static TimerHandle_t soft;

static void stop_itself(TimerHandle_t timer)
{
    mark(*(const char *)pvTimerGetTimerID(timer));
    vTimerSetTimerID(timer, "2");
    if (*(const char *)pvTimerGetTimerID(soft) == '2' && xTimerGetPeriod(timer) == 7) {
        xTimerStop(timer, 0);
        return;
    }
    xTimerChangePeriod(timer, 7, 0);
}

static esp_timer_handle_t again;
static int left;

static void start_again(void *argument)
{
    (void)argument;
    mark('a');
    if (--left > 0) {
        CHECK_EQUAL(esp_timer_start_once(again, 500), ESP_OK);
    }
}

void scenario_timer_calls(void)
{
    uint64_t value = 1;
    const esp_timer_create_args_t arguments = {.callback = start_again, .name = "again"};
    CHECK_EQUAL(esp_timer_create(&arguments, &again), ESP_OK);
    left = 3;
    CHECK_EQUAL(esp_timer_start_once(again, 500), ESP_OK);
    CHECK_EQUAL(esp_timer_get_period(again, &value), ESP_OK);
    CHECK_EQUAL(value, 0);
    CHECK_EQUAL(esp_timer_get_expiry_time(again, &value), ESP_OK);
    CHECK_EQUAL(value, (uint64_t)esp_timer_get_time() + 500);
    vTaskDelay(3);
    CHECK_MARKS("aaa");
    CHECK(!esp_timer_is_active(again));
    left = 1;
    CHECK_EQUAL(esp_timer_start_periodic(again, 2000), ESP_OK);
    CHECK_EQUAL(esp_timer_get_period(again, &value), ESP_OK);
    CHECK_EQUAL(value, 2000);
    CHECK_EQUAL(esp_timer_get_expiry_time(again, &value), ESP_ERR_NOT_SUPPORTED);
    CHECK_EQUAL(esp_timer_stop(again), ESP_OK);
    CHECK_EQUAL(esp_timer_start_once(NULL, 1), ESP_ERR_INVALID_ARG);
    vTaskDelay(5);
    CHECK_MARKS("");

    soft = xTimerCreate("soft", 5, pdTRUE, "1", stop_itself);
    CHECK_EQUAL(xTimerGetPeriod(soft), 5);
    CHECK(pcTimerGetName(soft)[0] == 's');
    TickType_t begin = xTaskGetTickCount();
    xTimerStart(soft, 0);
    CHECK_EQUAL(xTimerGetExpiryTime(soft) - begin, 5);
    vTaskDelay(40);
    CHECK_MARKS("12");
    CHECK_EQUAL(xTimerIsTimerActive(soft), pdFALSE);
}

static void say_first(void)
{
    printf("shutdown: first\n");
}

static void say_second(void)
{
    printf("shutdown: second\n");
}

static void say_never(void)
{
    printf("shutdown: never\n");
}

/* Handlers run at esp_restart, the last registered first, and not at a panic. */
void scenario_shutdown(void)
{
    if (esp_reset_reason() == ESP_RST_SW) {
        CHECK_EQUAL(esp_register_shutdown_handler(say_never), ESP_OK);
        abort();
    }
    if (esp_reset_reason() == ESP_RST_PANIC) {
        return;
    }
    CHECK_EQUAL(esp_register_shutdown_handler(say_first), ESP_OK);
    CHECK_EQUAL(esp_register_shutdown_handler(say_never), ESP_OK);
    CHECK_EQUAL(esp_register_shutdown_handler(say_second), ESP_OK);
    CHECK_EQUAL(esp_register_shutdown_handler(say_second), ESP_ERR_INVALID_STATE);
    CHECK_EQUAL(esp_unregister_shutdown_handler(say_never), ESP_OK);
    CHECK_EQUAL(esp_unregister_shutdown_handler(say_never), ESP_ERR_INVALID_STATE);
    esp_restart();
}

/* A value is there after the power went, whether or not anybody closed the handle. */
void scenario_nvs_power(void)
{
    nvs_handle_t nvs = 0;
    uint32_t value = 0;
    CHECK_EQUAL(nvs_flash_init(), ESP_OK);
    CHECK_EQUAL(nvs_open("power", NVS_READWRITE, &nvs), ESP_OK);
    if (nvs_get_u32(nvs, "count", &value) == ESP_OK) {
        printf("kept %u\n", (unsigned)value);
    }
    CHECK_EQUAL(nvs_set_u32(nvs, "count", value + 1), ESP_OK);
    CHECK_EQUAL(nvs_commit(nvs), ESP_OK);
    printf("set %u\n", (unsigned)value + 1);

    CHECK_EQUAL(nvs_flash_deinit(), ESP_OK);
    CHECK_EQUAL(nvs_get_u32(nvs, "count", &value), ESP_ERR_NVS_INVALID_HANDLE);
    CHECK_EQUAL(nvs_flash_deinit(), ESP_ERR_NVS_NOT_INITIALIZED);
    CHECK_EQUAL(nvs_flash_init_partition("none"), ESP_ERR_NOT_FOUND);
    CHECK_EQUAL(nvs_flash_erase_partition("none"), ESP_ERR_NOT_FOUND);
    CHECK_EQUAL(nvs_flash_init_partition("nvs"), ESP_OK);
    CHECK_EQUAL(nvs_open("power", NVS_READONLY, &nvs), ESP_OK);
    uint32_t stored = 0;
    CHECK_EQUAL(nvs_get_u32(nvs, "count", &stored), ESP_OK);
    CHECK_EQUAL(stored, value + 1);
}
