/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * FreeRTOS: to be included before its other headers. */
#ifndef SIM_IDF_FREERTOS_FREERTOS_H
#define SIM_IDF_FREERTOS_FREERTOS_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_system.h"
#include "freertos/FreeRTOSConfig.h"
#include "freertos/portmacro.h"
#include "freertos/projdefs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Room for an object that the caller owns. */
typedef struct xSTATIC_QUEUE {
    void *reserved[14];
} StaticQueue_t;
typedef StaticQueue_t StaticSemaphore_t;

typedef struct xSTATIC_EVENT_GROUP {
    void *reserved[8];
} StaticEventGroup_t;

typedef struct xSTATIC_TIMER {
    void *reserved[20];
} StaticTimer_t;

typedef struct xSTATIC_TCB {
    void *reserved[4];
} StaticTask_t;

#ifdef __cplusplus
}
#endif

#endif
