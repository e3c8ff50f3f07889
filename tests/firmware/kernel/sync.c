/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Queues, mutexes, event groups. */
#include "check.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

#define STACK 2048

static QueueHandle_t queue;

static void slow_reader(void *argument)
{
    (void)argument;
    for (int i = 0; i < 4; i++) {
        int item = 0;
        vTaskDelay(10);
        CHECK_EQUAL(xQueueReceive(queue, &item, 0), pdTRUE);
        mark((char)('0' + item));
    }
    vTaskDelete(NULL);
}

static void late_writer(void *argument)
{
    int item = 9;
    vTaskDelay((TickType_t)(uintptr_t)argument);
    xQueueSend(queue, &item, 0);
    vTaskDelete(NULL);
}

void scenario_queues(void)
{
    int item = 0;
    queue = xQueueCreate(2, sizeof(int));
    TickType_t begin = xTaskGetTickCount();
    CHECK_EQUAL(xQueueReceive(queue, &item, 7), pdFALSE);
    CHECK_EQUAL(xTaskGetTickCount() - begin, 7);
    xTaskCreate(slow_reader, "reader", STACK, NULL, 3, NULL);
    begin = xTaskGetTickCount();
    for (int i = 1; i <= 4; i++) { /* the third and fourth wait for room */
        CHECK_EQUAL(xQueueSend(queue, &i, portMAX_DELAY), pdTRUE);
    }
    CHECK_EQUAL(xTaskGetTickCount() - begin, 20);
    CHECK_EQUAL(uxQueueSpacesAvailable(queue), 0);
    CHECK_EQUAL(xQueueSend(queue, &item, 5), pdFALSE);
    vTaskDelay(20);
    CHECK_MARKS("1234");
    item = 5;
    xQueueSendToBack(queue, &item, 0);
    item = 6;
    xQueueSendToFront(queue, &item, 0);
    CHECK_EQUAL(xQueuePeek(queue, &item, 0), pdTRUE);
    CHECK_EQUAL(item, 6);
    CHECK_EQUAL(uxQueueMessagesWaiting(queue), 2);
    xQueueReset(queue);
    xTaskCreate(late_writer, "writer", STACK, (void *)3, 1, NULL);
    CHECK_EQUAL(xQueueReceive(queue, &item, 4), pdTRUE);
    CHECK_EQUAL(item, 9);
    vQueueDelete(queue);

    static StaticQueue_t room;
    static uint8_t storage[sizeof(int)];
    queue = xQueueCreateStatic(1, sizeof(int), storage, &room);
    for (item = 1; item <= 3; item++) {
        xQueueOverwrite(queue, &item);
    }
    CHECK_EQUAL(xQueueReceive(queue, &item, 0), pdTRUE);
    CHECK_EQUAL(item, 3);
}

static SemaphoreHandle_t mutex;

static void holder(void *argument)
{
    (void)argument;
    xSemaphoreTake(mutex, portMAX_DELAY);
    mark('l');
    xTaskNotifyGive(xTaskGetHandle("main"));
    mark('L'); /* before the middle one, thanks to the priority lent */
    CHECK_EQUAL(uxTaskPriorityGet(NULL), 10);
    xSemaphoreGive(mutex);
    CHECK_EQUAL(uxTaskPriorityGet(NULL), 2);
    vTaskDelete(NULL);
}

static void middle(void *argument)
{
    (void)argument;
    mark('m');
    vTaskDelete(NULL);
}

void scenario_mutex(void)
{
    mutex = xSemaphoreCreateMutex();
    vTaskPrioritySet(NULL, 10);
    xTaskCreate(holder, "holder", STACK, NULL, 2, NULL);
    ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    xTaskCreate(middle, "middle", STACK, NULL, 5, NULL);
    CHECK(xSemaphoreGetMutexHolder(mutex) == xTaskGetHandle("holder"));
    xSemaphoreTake(mutex, portMAX_DELAY);
    mark('h');
    xSemaphoreGive(mutex);
    vTaskDelay(2);
    CHECK_MARKS("lLhm");

    SemaphoreHandle_t recursive = xSemaphoreCreateRecursiveMutex();
    CHECK_EQUAL(xSemaphoreTakeRecursive(recursive, 0), pdTRUE);
    CHECK_EQUAL(xSemaphoreTakeRecursive(recursive, 0), pdTRUE);
    CHECK_EQUAL(xSemaphoreGiveRecursive(recursive), pdTRUE);
    CHECK_EQUAL(uxSemaphoreGetCount(recursive), 0);
    CHECK_EQUAL(xSemaphoreGiveRecursive(recursive), pdTRUE);
    CHECK_EQUAL(xSemaphoreGiveRecursive(recursive), pdFALSE);

    SemaphoreHandle_t counting = xSemaphoreCreateCounting(2, 0);
    CHECK_EQUAL(xSemaphoreGive(counting), pdTRUE);
    CHECK_EQUAL(xSemaphoreGive(counting), pdTRUE);
    CHECK_EQUAL(xSemaphoreGive(counting), pdFALSE);
    CHECK_EQUAL(xSemaphoreTake(counting, 0), pdTRUE);
}

static EventGroupHandle_t group;

static void both(void *argument)
{
    (void)argument;
    CHECK_EQUAL(xEventGroupWaitBits(group, 3, pdTRUE, pdTRUE, portMAX_DELAY), 3);
    mark('b');
    vTaskDelete(NULL);
}

static void either(void *argument)
{
    (void)argument;
    CHECK_EQUAL(xEventGroupWaitBits(group, 3, pdFALSE, pdFALSE, portMAX_DELAY) & 1, 1);
    mark('e');
    vTaskDelete(NULL);
}

void scenario_events(void)
{
    group = xEventGroupCreate();
    xTaskCreate(both, "both", STACK, NULL, 4, NULL);
    xTaskCreate(either, "either", STACK, NULL, 5, NULL);
    xEventGroupSetBits(group, 1);
    mark('1');
    xEventGroupSetBits(group, 2);
    CHECK_MARKS("e1b");
    CHECK_EQUAL(xEventGroupGetBits(group), 0);
    CHECK_EQUAL(xEventGroupWaitBits(group, 4, pdTRUE, pdTRUE, 5), 0);
    vEventGroupDelete(group);
}
