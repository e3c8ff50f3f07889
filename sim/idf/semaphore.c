/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * FreeRTOS's semaphores and mutexes, the latter with priority inheritance. */
#include <assert.h>

#include "sim/idf/queue.h"

static SemaphoreHandle_t new_semaphore(UBaseType_t max, UBaseType_t count,
                                       StaticSemaphore_t *room, enum sim_queue_kind kind)
{
    SemaphoreHandle_t semaphore = sim_queue_new(max, 0, NULL, room, kind);
    if (semaphore != NULL) {
        semaphore->count = count;
    }
    return semaphore;
}

SemaphoreHandle_t xSemaphoreCreateBinary(void)
{
    return new_semaphore(1, 0, NULL, SIM_QUEUE_SEMAPHORE);
}

SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t *pxSemaphoreBuffer)
{
    assert(pxSemaphoreBuffer != NULL);
    return new_semaphore(1, 0, pxSemaphoreBuffer, SIM_QUEUE_SEMAPHORE);
}

SemaphoreHandle_t xSemaphoreCreateCounting(UBaseType_t uxMaxCount,
                                           UBaseType_t uxInitialCount)
{
    return new_semaphore(uxMaxCount, uxInitialCount, NULL, SIM_QUEUE_SEMAPHORE);
}

SemaphoreHandle_t xSemaphoreCreateCountingStatic(UBaseType_t uxMaxCount,
                                                 UBaseType_t uxInitialCount,
                                                 StaticSemaphore_t *pxSemaphoreBuffer)
{
    assert(pxSemaphoreBuffer != NULL);
    return new_semaphore(uxMaxCount, uxInitialCount, pxSemaphoreBuffer,
                         SIM_QUEUE_SEMAPHORE);
}

SemaphoreHandle_t xSemaphoreCreateMutex(void)
{
    return new_semaphore(1, 1, NULL, SIM_QUEUE_MUTEX);
}

SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *pxMutexBuffer)
{
    assert(pxMutexBuffer != NULL);
    return new_semaphore(1, 1, pxMutexBuffer, SIM_QUEUE_MUTEX);
}

SemaphoreHandle_t xSemaphoreCreateRecursiveMutex(void)
{
    return new_semaphore(1, 1, NULL, SIM_QUEUE_RECURSIVE);
}

SemaphoreHandle_t xSemaphoreCreateRecursiveMutexStatic(StaticSemaphore_t *pxMutexBuffer)
{
    assert(pxMutexBuffer != NULL);
    return new_semaphore(1, 1, pxMutexBuffer, SIM_QUEUE_RECURSIVE);
}

void vSemaphoreDelete(SemaphoreHandle_t xSemaphore)
{
    vQueueDelete(xSemaphore);
}

static bool is_mutex(const struct QueueDefinition *semaphore)
{
    return semaphore->kind == SIM_QUEUE_MUTEX || semaphore->kind == SIM_QUEUE_RECURSIVE;
}

/* The holder of a mutex runs at the priority of the first that waits for it. */
static void lend_priority(sim_board_t *board, SemaphoreHandle_t mutex)
{
    TaskHandle_t holder = mutex->holder;
    if (holder != NULL && holder->priority < board->current->priority) {
        holder->priority = board->current->priority;
    }
}

static void return_priority(TaskHandle_t task)
{
    task->mutexes_held--;
    /* As FreeRTOS: only with the last mutex, so that none is lent too short. */
    if (task->mutexes_held == 0 && task->priority != task->base_priority) {
        task->priority = task->base_priority;
        task->order = task->board->order++;
    }
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t xSemaphore, TickType_t xTicksToWait)
{
    sim_board_t *board = sim_api();
    assert(xSemaphore != NULL && xSemaphore->item_size == 0);
    uint64_t until_us = sim_ticks_from_now_us(board, xTicksToWait);
    while (xSemaphore->count == 0) {
        if (xTicksToWait == 0 ||
            (until_us != UINT64_MAX && sim_now_us(board) >= until_us)) {
            return pdFALSE;
        }
        if (is_mutex(xSemaphore) && sim_in_task(board)) {
            lend_priority(board, xSemaphore);
        }
        sim_task_block(board, &xSemaphore->items, until_us);
    }
    xSemaphore->count--;
    if (is_mutex(xSemaphore)) {
        xSemaphore->holder = board->current;
        if (board->current != NULL) {
            board->current->mutexes_held++;
        }
    }
    return pdTRUE;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t xSemaphore)
{
    sim_board_t *board = sim_api();
    assert(xSemaphore != NULL && xSemaphore->item_size == 0);
    if (xSemaphore->count >= xSemaphore->length) {
        return pdFALSE;
    }
    if (is_mutex(xSemaphore)) {
        if (xSemaphore->holder != board->current) {
            sim_panic("a mutex is given by a task that does not hold it");
        }
        if (xSemaphore->holder != NULL) {
            return_priority(xSemaphore->holder);
        }
        xSemaphore->holder = NULL;
    }
    xSemaphore->count++;
    sim_task_wake_one(board, &xSemaphore->items);
    sim_task_reschedule(board);
    return pdTRUE;
}

BaseType_t xSemaphoreTakeRecursive(SemaphoreHandle_t xMutex, TickType_t xTicksToWait)
{
    sim_board_t *board = sim_api();
    assert(xMutex->kind == SIM_QUEUE_RECURSIVE);
    if (xMutex->holder != board->current || xMutex->count != 0) {
        if (xSemaphoreTake(xMutex, xTicksToWait) != pdTRUE) {
            return pdFALSE;
        }
    }
    xMutex->recursion++;
    return pdTRUE;
}

BaseType_t xSemaphoreGiveRecursive(SemaphoreHandle_t xMutex)
{
    sim_board_t *board = sim_api();
    assert(xMutex->kind == SIM_QUEUE_RECURSIVE);
    if (xMutex->holder != board->current || xMutex->recursion == 0) {
        return pdFALSE;
    }
    xMutex->recursion--;
    return xMutex->recursion > 0 ? pdTRUE : xSemaphoreGive(xMutex);
}

BaseType_t xSemaphoreTakeFromISR(SemaphoreHandle_t xSemaphore,
                                 BaseType_t *pxHigherPriorityTaskWoken)
{
    if (pxHigherPriorityTaskWoken != NULL) {
        *pxHigherPriorityTaskWoken = pdTRUE;
    }
    return xSemaphoreTake(xSemaphore, 0);
}

BaseType_t xSemaphoreGiveFromISR(SemaphoreHandle_t xSemaphore,
                                 BaseType_t *pxHigherPriorityTaskWoken)
{
    if (pxHigherPriorityTaskWoken != NULL) {
        *pxHigherPriorityTaskWoken = pdTRUE;
    }
    return xSemaphoreGive(xSemaphore);
}

TaskHandle_t xSemaphoreGetMutexHolder(SemaphoreHandle_t xSemaphore)
{
    (void)sim_api();
    return xSemaphore->holder;
}

UBaseType_t uxSemaphoreGetCount(SemaphoreHandle_t xSemaphore)
{
    (void)sim_api();
    return xSemaphore->count;
}
