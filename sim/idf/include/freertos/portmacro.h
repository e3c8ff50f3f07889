/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Types of the port, and critical sections. */
#ifndef SIM_IDF_FREERTOS_PORTMACRO_H
#define SIM_IDF_FREERTOS_PORTMACRO_H

#include <stdint.h>

#include "freertos/FreeRTOSConfig.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef uint8_t StackType_t;
typedef int BaseType_t;
typedef unsigned int UBaseType_t;
typedef uint32_t TickType_t;

#define portSTACK_TYPE uint8_t
#define portBASE_TYPE  int
#define portMAX_DELAY  (TickType_t)0xffffffffUL

#define portTICK_PERIOD_MS ((TickType_t)1000 / configTICK_RATE_HZ)
#define portBYTE_ALIGNMENT 16
#define portNUM_PROCESSORS 1

#define tskNO_AFFINITY ((BaseType_t)0x7FFFFFFF)

/* A spinlock. One core runs, so only the nesting is kept: between enter and exit no other
 * task and no input from outside runs. */
typedef struct {
    uint32_t owner;
    uint32_t count;
} portMUX_TYPE;
typedef portMUX_TYPE spinlock_t;

#define SPINLOCK_INITIALIZER            \
    {                                   \
        .owner = 0xB33FFFFF, .count = 0 \
    }
#define portMUX_INITIALIZER_UNLOCKED SPINLOCK_INITIALIZER

void spinlock_initialize(spinlock_t *lock);
#define portMUX_INITIALIZE(mux) spinlock_initialize(mux)

void vPortEnterCritical(portMUX_TYPE *mux);
void vPortExitCritical(portMUX_TYPE *mux);
void vPortYield(void);
BaseType_t xPortInIsrContext(void);
BaseType_t xPortGetCoreID(void);
uint32_t esp_get_free_heap_size(void);

#define portENTER_CRITICAL(mux)      vPortEnterCritical(mux)
#define portEXIT_CRITICAL(mux)       vPortExitCritical(mux)
#define portENTER_CRITICAL_ISR(mux)  vPortEnterCritical(mux)
#define portEXIT_CRITICAL_ISR(mux)   vPortExitCritical(mux)
#define portENTER_CRITICAL_SAFE(mux) vPortEnterCritical(mux)
#define portEXIT_CRITICAL_SAFE(mux)  vPortExitCritical(mux)
#define taskENTER_CRITICAL(mux)      vPortEnterCritical(mux)
#define taskEXIT_CRITICAL(mux)       vPortExitCritical(mux)
#define taskENTER_CRITICAL_ISR(mux)  vPortEnterCritical(mux)
#define taskEXIT_CRITICAL_ISR(mux)   vPortExitCritical(mux)

#define portYIELD() vPortYield()
/* With or without the flag that says whether a switch is due. */
#define portYIELD_FROM_ISR(...) vPortYield()

#ifdef __cplusplus
}
#endif

#endif
