/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Results of FreeRTOS calls, and times in ticks. */
#ifndef SIM_IDF_FREERTOS_PROJDEFS_H
#define SIM_IDF_FREERTOS_PROJDEFS_H

#include "freertos/portmacro.h"

typedef void (*TaskFunction_t)(void *);

#define pdFALSE ((BaseType_t)0)
#define pdTRUE  ((BaseType_t)1)
#define pdPASS  (pdTRUE)
#define pdFAIL  (pdFALSE)

#define errQUEUE_EMPTY                        ((BaseType_t)0)
#define errQUEUE_FULL                         ((BaseType_t)0)
#define errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY (-1)

#define pdMS_TO_TICKS(xTimeInMs)                                           \
    ((TickType_t)(((uint64_t)(xTimeInMs) * (uint64_t)configTICK_RATE_HZ) / \
                  (uint64_t)1000U))
#define pdTICKS_TO_MS(xTicks) \
    ((uint32_t)(((uint64_t)(xTicks)*1000u) / configTICK_RATE_HZ))

#endif
