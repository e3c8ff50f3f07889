/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The heap, and memory that a reset leaves alone. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "esp_attr.h"
#include "esp_heap_caps.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

static void never(void *argument)
{
    (void)argument;
}

void scenario_heap(void)
{
    uint32_t free_before = esp_get_free_heap_size();
    CHECK(free_before > 150000 && free_before <= 200 * 1024);
    char *text = strdup("hello");
    text = realloc(text, 100);
    CHECK(strcmp(text, "hello") == 0);
    CHECK(esp_get_free_heap_size() < free_before);
    free(text);
    CHECK_EQUAL(esp_get_free_heap_size(), free_before);

    void *blocks[64];
    size_t count = 0;
    while (count < 64 && (blocks[count] = malloc(8192)) != NULL) {
        memset(blocks[count], 0x55, 8192);
        count++;
    }
    CHECK(count > 10 && count < 64);
    CHECK(heap_caps_get_largest_free_block(MALLOC_CAP_8BIT) < 8192);
    CHECK_EQUAL(xTaskCreate(never, "none", 8192, NULL, 1, NULL),
                errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY);
    CHECK(xQueueCreate(100, 100) == NULL);
    volatile size_t too_many = SIZE_MAX / 2;
    void *volatile none = calloc(too_many, 4);
    CHECK(none == NULL);
    for (size_t i = 0; i < count; i += 2) { /* every other one: then all must join */
        free(blocks[i]);
    }
    for (size_t i = 1; i < count; i += 2) {
        free(blocks[i]);
    }
    CHECK_EQUAL(esp_get_free_heap_size(), free_before);
    CHECK(esp_get_minimum_free_heap_size() < 10000);
    void *large = malloc(150000);
    CHECK(large != NULL);
    free(large);
    SemaphoreHandle_t semaphore = xSemaphoreCreateBinary();
    vSemaphoreDelete(semaphore);
    CHECK_EQUAL(esp_get_free_heap_size(), free_before);
}

void scenario_double_free(void)
{
    void *volatile memory = malloc(10);
    free(memory);
    free(memory);
}

static RTC_NOINIT_ATTR uint32_t kept;
static uint32_t lost = 1;

void scenario_rtc_memory(void)
{
    if (esp_reset_reason() == ESP_RST_POWERON) {
        printf("kept is noise: %s\n", kept == 4711 ? "no" : "yes");
        kept = 4711;
    } else {
        printf("kept %u lost %u\n", (unsigned)kept, (unsigned)lost);
    }
    lost = 2;
    if (esp_reset_reason() == ESP_RST_POWERON) {
        esp_restart();
    }
}
