/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * FreeRTOS's queues. */
#include "sim/idf/queue.h"

#include <assert.h>
#include <string.h>

QueueHandle_t sim_queue_new(UBaseType_t length, UBaseType_t item_size, uint8_t *storage,
                            StaticQueue_t *room, enum sim_queue_kind kind)
{
    _Static_assert(sizeof(struct QueueDefinition) <= sizeof(StaticQueue_t),
                   "a caller's room holds a queue");
    sim_board_t *board = sim_api();
    bool from_heap = room == NULL;
    uint64_t bytes = (uint64_t)length * item_size;
    if (length == 0 || bytes > board->heap.size) {
        return NULL;
    }
    QueueHandle_t queue = (QueueHandle_t)room;
    if (from_heap) {
        queue = sim_heap_alloc(board, sizeof(*queue) + (size_t)bytes);
        if (queue == NULL) {
            return NULL;
        }
        storage = (uint8_t *)(queue + 1);
    }
    *queue = (struct QueueDefinition){.kind = kind,
                                      .from_heap = from_heap,
                                      .length = length,
                                      .item_size = item_size,
                                      .storage = storage};
    return queue;
}

QueueHandle_t xQueueCreate(const UBaseType_t uxQueueLength, const UBaseType_t uxItemSize)
{
    return sim_queue_new(uxQueueLength, uxItemSize, NULL, NULL, SIM_QUEUE_ITEMS);
}

QueueHandle_t xQueueCreateStatic(const UBaseType_t uxQueueLength,
                                 const UBaseType_t uxItemSize, uint8_t *pucQueueStorage,
                                 StaticQueue_t *pxStaticQueue)
{
    assert(pxStaticQueue != NULL && (uxItemSize == 0 || pucQueueStorage != NULL));
    return sim_queue_new(uxQueueLength, uxItemSize, pucQueueStorage, pxStaticQueue,
                         SIM_QUEUE_ITEMS);
}

void vQueueDelete(QueueHandle_t xQueue)
{
    sim_board_t *board = sim_api();
    if (xQueue->from_heap) {
        sim_heap_free(board, xQueue);
    }
}

BaseType_t xQueueReset(QueueHandle_t xQueue)
{
    sim_board_t *board = sim_api();
    xQueue->count = 0;
    xQueue->first = 0;
    sim_task_wake_one(board, &xQueue->room);
    sim_task_reschedule(board);
    return pdPASS;
}

static void put(QueueHandle_t queue, const void *item, BaseType_t position)
{
    assert(queue->length > 0); /* as sim_queue_new saw to */
    UBaseType_t at = 0;
    if (position == queueOVERWRITE && queue->count > 0) {
        at = queue->first;
        queue->count--;
    } else if (position == queueSEND_TO_FRONT) {
        queue->first = (queue->first + queue->length - 1) % queue->length;
        at = queue->first;
    } else {
        at = (queue->first + queue->count) % queue->length;
    }
    if (queue->item_size > 0) {
        memcpy(queue->storage + (size_t)at * queue->item_size, item, queue->item_size);
    }
    queue->count++;
}

static void take(QueueHandle_t queue, void *buffer, bool keep)
{
    if (queue->item_size > 0) {
        memcpy(buffer, queue->storage + (size_t)queue->first * queue->item_size,
               queue->item_size);
    }
    if (!keep) {
        queue->first = (queue->first + 1) % queue->length;
        queue->count--;
    }
}

/* Waits on one of a queue's two conditions. False: the time is over. */
static bool wait_for(sim_board_t *board, const void *object, TickType_t ticks,
                     uint64_t until_us)
{
    if (ticks == 0 || (until_us != UINT64_MAX && sim_now_us(board) >= until_us)) {
        return false;
    }
    sim_task_block(board, object, until_us);
    return true;
}

BaseType_t xQueueGenericSend(QueueHandle_t xQueue, const void *const pvItemToQueue,
                             TickType_t xTicksToWait, const BaseType_t xCopyPosition)
{
    sim_board_t *board = sim_api();
    assert(xQueue != NULL);
    uint64_t until_us = sim_ticks_from_now_us(board, xTicksToWait);
    while (xQueue->count >= xQueue->length && xCopyPosition != queueOVERWRITE) {
        if (!wait_for(board, &xQueue->room, xTicksToWait, until_us)) {
            return errQUEUE_FULL;
        }
    }
    put(xQueue, pvItemToQueue, xCopyPosition);
    sim_task_wake_one(board, &xQueue->items);
    sim_task_reschedule(board);
    return pdPASS;
}

BaseType_t xQueueGenericSendFromISR(QueueHandle_t xQueue, const void *const pvItemToQueue,
                                    BaseType_t *const pxHigherPriorityTaskWoken,
                                    const BaseType_t xCopyPosition)
{
    if (pxHigherPriorityTaskWoken != NULL) {
        *pxHigherPriorityTaskWoken = pdTRUE;
    }
    return xQueueGenericSend(xQueue, pvItemToQueue, 0, xCopyPosition);
}

static BaseType_t receive(QueueHandle_t queue, void *buffer, TickType_t ticks, bool keep)
{
    sim_board_t *board = sim_api();
    assert(queue != NULL);
    uint64_t until_us = sim_ticks_from_now_us(board, ticks);
    while (queue->count == 0) {
        if (!wait_for(board, &queue->items, ticks, until_us)) {
            return errQUEUE_EMPTY;
        }
    }
    take(queue, buffer, keep);
    /* A peek leaves the item for the next that waits. */
    sim_task_wake_one(board, keep ? &queue->items : &queue->room);
    sim_task_reschedule(board);
    return pdPASS;
}

BaseType_t xQueueReceive(QueueHandle_t xQueue, void *const pvBuffer,
                         TickType_t xTicksToWait)
{
    return receive(xQueue, pvBuffer, xTicksToWait, false);
}

BaseType_t xQueueReceiveFromISR(QueueHandle_t xQueue, void *const pvBuffer,
                                BaseType_t *const pxHigherPriorityTaskWoken)
{
    if (pxHigherPriorityTaskWoken != NULL) {
        *pxHigherPriorityTaskWoken = pdTRUE;
    }
    return receive(xQueue, pvBuffer, 0, false);
}

BaseType_t xQueuePeek(QueueHandle_t xQueue, void *const pvBuffer, TickType_t xTicksToWait)
{
    return receive(xQueue, pvBuffer, xTicksToWait, true);
}

UBaseType_t uxQueueMessagesWaiting(const QueueHandle_t xQueue)
{
    (void)sim_api();
    return xQueue->count;
}

UBaseType_t uxQueueMessagesWaitingFromISR(const QueueHandle_t xQueue)
{
    return uxQueueMessagesWaiting(xQueue);
}

UBaseType_t uxQueueSpacesAvailable(const QueueHandle_t xQueue)
{
    (void)sim_api();
    return xQueue->length - xQueue->count;
}
