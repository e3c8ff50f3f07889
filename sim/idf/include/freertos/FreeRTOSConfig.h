/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * FreeRTOS as configured here. */
#ifndef SIM_IDF_FREERTOS_FREERTOSCONFIG_H
#define SIM_IDF_FREERTOS_FREERTOSCONFIG_H

#include "sdkconfig.h"

#define configTICK_RATE_HZ                    CONFIG_FREERTOS_HZ
#define configMAX_PRIORITIES                  (25)
#define configMAX_TASK_NAME_LEN               CONFIG_FREERTOS_MAX_TASK_NAME_LEN
#define configMINIMAL_STACK_SIZE              1536
#define configNUMBER_OF_CORES                 1
#define configNUM_CORES                       1
#define configASSERT(x)                       assert(x)
#define configTASK_NOTIFICATION_ARRAY_ENTRIES 1
#define configSTACK_DEPTH_TYPE                uint32_t
#define configSUPPORT_STATIC_ALLOCATION       1
#define configSUPPORT_DYNAMIC_ALLOCATION      1

#endif
