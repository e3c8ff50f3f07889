/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Runs the scenario that the image's version names. */
#include <string.h>

#include "check.h"
#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static int boots;
static char marks[128];

void mark(char letter)
{
    size_t used = strlen(marks);
    if (used + 1 < sizeof(marks)) {
        marks[used] = letter;
    }
}

void check_marks(const char *expected, int line)
{
    if (strcmp(marks, expected) != 0) {
        printf("FAIL line %d: order %s, not %s\n", line, marks, expected);
    }
    memset(marks, 0, sizeof(marks));
}

static void scenario_boots(void)
{
    vTaskDelay(pdMS_TO_TICKS(250));
    esp_restart();
}

#define SCENARIO(name)         \
    {                          \
#name, scenario_##name \
    }

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    SCENARIO(boots),        SCENARIO(priorities),  SCENARIO(round_robin),
    SCENARIO(slices),       SCENARIO(notify),      SCENARIO(many_tasks),
    SCENARIO(churn),        SCENARIO(queues),      SCENARIO(mutex),
    SCENARIO(events),       SCENARIO(delays),      SCENARIO(esp_timers),
    SCENARIO(soft_timers),  SCENARIO(polling),     SCENARIO(heap),
    SCENARIO(double_free),  SCENARIO(rtc_memory),  SCENARIO(abort),
    SCENARIO(assert),       SCENARIO(error_check), SCENARIO(return ),
    SCENARIO(spin),         SCENARIO(lazy_user),   SCENARIO(fed),
    SCENARIO(rtc_watchdog), SCENARIO(pin),         SCENARIO(block_in_critical),
    SCENARIO(partitions),   SCENARIO(stall),       SCENARIO(erase_times),
    SCENARIO(host_task),    SCENARIO(nvs),         SCENARIO(overwrite_running),
    SCENARIO(nvs_churn),    SCENARIO(nvs_full),    SCENARIO(nvs_mount),
    SCENARIO(ota),          SCENARIO(ota_errors),  SCENARIO(confirm),
    SCENARIO(select_5),     SCENARIO(select_6),    SCENARIO(bounds),
    SCENARIO(task_calls),   SCENARIO(timer_calls), SCENARIO(static_objects),
    SCENARIO(shutdown),     SCENARIO(nvs_power),
};

void app_main(void)
{
    const char *version = esp_app_get_description()->version;
    boots++;
    ESP_LOGI("kernel", "version %s boot %d reason %d", version, boots,
             (int)esp_reset_reason());
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        if (strcmp(scenarios[i].name, version) == 0) {
            scenarios[i].run();
            printf("done %s\n", version);
        }
    }
}
