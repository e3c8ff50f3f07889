/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Priorities of ESP-IDF's own tasks. */
#ifndef SIM_IDF_ESP_TASK_H
#define SIM_IDF_ESP_TASK_H

#include "freertos/FreeRTOS.h"
#include "sdkconfig.h"

#define ESP_TASK_PRIO_MAX           (configMAX_PRIORITIES)
#define ESP_TASK_PRIO_MIN           (0)
#define ESP_TASK_BT_CONTROLLER_PRIO (ESP_TASK_PRIO_MAX - 2)
#define ESP_TASK_TIMER_PRIO         (ESP_TASK_PRIO_MAX - 3)
#define ESP_TASK_MAIN_PRIO          (ESP_TASK_PRIO_MIN + 1)
#define ESP_TASK_MAIN_STACK         CONFIG_ESP_MAIN_TASK_STACK_SIZE

#endif
