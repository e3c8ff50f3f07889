/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Queues of fixed-size items. */
#ifndef SIM_IDF_FREERTOS_QUEUE_H
#define SIM_IDF_FREERTOS_QUEUE_H

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct QueueDefinition *QueueHandle_t;

#define queueSEND_TO_BACK  ((BaseType_t)0)
#define queueSEND_TO_FRONT ((BaseType_t)1)
#define queueOVERWRITE     ((BaseType_t)2)

QueueHandle_t xQueueCreate(const UBaseType_t uxQueueLength, const UBaseType_t uxItemSize);
QueueHandle_t xQueueCreateStatic(const UBaseType_t uxQueueLength,
                                 const UBaseType_t uxItemSize, uint8_t *pucQueueStorage,
                                 StaticQueue_t *pxStaticQueue);
void vQueueDelete(QueueHandle_t xQueue);
BaseType_t xQueueReset(QueueHandle_t xQueue);

BaseType_t xQueueGenericSend(QueueHandle_t xQueue, const void *const pvItemToQueue,
                             TickType_t xTicksToWait, const BaseType_t xCopyPosition);
BaseType_t xQueueGenericSendFromISR(QueueHandle_t xQueue, const void *const pvItemToQueue,
                                    BaseType_t *const pxHigherPriorityTaskWoken,
                                    const BaseType_t xCopyPosition);
BaseType_t xQueueReceive(QueueHandle_t xQueue, void *const pvBuffer,
                         TickType_t xTicksToWait);
BaseType_t xQueueReceiveFromISR(QueueHandle_t xQueue, void *const pvBuffer,
                                BaseType_t *const pxHigherPriorityTaskWoken);
BaseType_t xQueuePeek(QueueHandle_t xQueue, void *const pvBuffer,
                      TickType_t xTicksToWait);
UBaseType_t uxQueueMessagesWaiting(const QueueHandle_t xQueue);
UBaseType_t uxQueueMessagesWaitingFromISR(const QueueHandle_t xQueue);
UBaseType_t uxQueueSpacesAvailable(const QueueHandle_t xQueue);

#define xQueueSend(xQueue, pvItem, xTicksToWait) \
    xQueueGenericSend(xQueue, pvItem, xTicksToWait, queueSEND_TO_BACK)
#define xQueueSendToBack(xQueue, pvItem, xTicksToWait) \
    xQueueGenericSend(xQueue, pvItem, xTicksToWait, queueSEND_TO_BACK)
#define xQueueSendToFront(xQueue, pvItem, xTicksToWait) \
    xQueueGenericSend(xQueue, pvItem, xTicksToWait, queueSEND_TO_FRONT)
#define xQueueOverwrite(xQueue, pvItem) \
    xQueueGenericSend(xQueue, pvItem, 0, queueOVERWRITE)
#define xQueueSendFromISR(xQueue, pvItem, pxWoken) \
    xQueueGenericSendFromISR(xQueue, pvItem, pxWoken, queueSEND_TO_BACK)
#define xQueueSendToBackFromISR(xQueue, pvItem, pxWoken) \
    xQueueGenericSendFromISR(xQueue, pvItem, pxWoken, queueSEND_TO_BACK)
#define xQueueSendToFrontFromISR(xQueue, pvItem, pxWoken) \
    xQueueGenericSendFromISR(xQueue, pvItem, pxWoken, queueSEND_TO_FRONT)
#define xQueueOverwriteFromISR(xQueue, pvItem, pxWoken) \
    xQueueGenericSendFromISR(xQueue, pvItem, pxWoken, queueOVERWRITE)

#ifdef __cplusplus
}
#endif

#endif
