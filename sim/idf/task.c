/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * FreeRTOS's tasks and notifications. */
#include <assert.h>
#include <string.h>

#include "sim/idf/internal.h"

static TaskHandle_t task_or_self(const sim_board_t *board, TaskHandle_t task)
{
    TaskHandle_t result = task != NULL ? task : board->current;
    if (result == NULL || result->state == SIM_TASK_FREE) {
        sim_panic("a call about a task that does not exist");
    }
    return result;
}

static TaskHandle_t create(TaskFunction_t entry, const char *name, void *argument,
                           UBaseType_t priority, uint32_t stack_bytes, bool from_heap)
{
    sim_board_t *board = sim_api();
    void *block = NULL;
    if (from_heap) {
        block = sim_heap_alloc(board, stack_bytes + 344u /* a TCB on the chip */);
        if (block == NULL) {
            return NULL;
        }
    }
    if (priority >= configMAX_PRIORITIES) {
        priority = configMAX_PRIORITIES - 1;
    }
    TaskHandle_t task = sim_task_new(board, entry, name, argument, priority);
    if (task == NULL) {
        sim_heap_free(board, block);
        return NULL;
    }
    task->heap_block = block;
    task->declared_stack = stack_bytes;
    return task;
}

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t pxTaskCode, const char *const pcName,
                                   const uint32_t ulStackDepth, void *const pvParameters,
                                   UBaseType_t uxPriority,
                                   TaskHandle_t *const pxCreatedTask,
                                   const BaseType_t xCoreID)
{
    (void)xCoreID;
    TaskHandle_t task =
        create(pxTaskCode, pcName, pvParameters, uxPriority, ulStackDepth, true);
    if (task == NULL) {
        return errCOULD_NOT_ALLOCATE_REQUIRED_MEMORY;
    }
    /* Before it may run: it may use the handle that its creator stored. */
    if (pxCreatedTask != NULL) {
        *pxCreatedTask = task;
    }
    sim_task_reschedule(sim_board_now());
    return pdPASS;
}

BaseType_t xTaskCreate(TaskFunction_t pxTaskCode, const char *const pcName,
                       const uint32_t usStackDepth, void *const pvParameters,
                       UBaseType_t uxPriority, TaskHandle_t *const pxCreatedTask)
{
    return xTaskCreatePinnedToCore(pxTaskCode, pcName, usStackDepth, pvParameters,
                                   uxPriority, pxCreatedTask, tskNO_AFFINITY);
}

TaskHandle_t xTaskCreateStaticPinnedToCore(
    TaskFunction_t pxTaskCode, const char *const pcName, const uint32_t ulStackDepth,
    void *const pvParameters, UBaseType_t uxPriority, StackType_t *const puxStackBuffer,
    StaticTask_t *const pxTaskBuffer, const BaseType_t xCoreID)
{
    (void)xCoreID;
    if (puxStackBuffer == NULL || pxTaskBuffer == NULL) {
        return NULL;
    }
    TaskHandle_t task =
        create(pxTaskCode, pcName, pvParameters, uxPriority, ulStackDepth, false);
    if (task != NULL) {
        sim_task_reschedule(sim_board_now());
    }
    return task;
}

TaskHandle_t xTaskCreateStatic(TaskFunction_t pxTaskCode, const char *const pcName,
                               const uint32_t ulStackDepth, void *const pvParameters,
                               UBaseType_t uxPriority, StackType_t *const puxStackBuffer,
                               StaticTask_t *const pxTaskBuffer)
{
    return xTaskCreateStaticPinnedToCore(pxTaskCode, pcName, ulStackDepth, pvParameters,
                                         uxPriority, puxStackBuffer, pxTaskBuffer,
                                         tskNO_AFFINITY);
}

void vTaskDelete(TaskHandle_t xTaskToDelete)
{
    sim_board_t *board = sim_api();
    TaskHandle_t task = task_or_self(board, xTaskToDelete);
    sim_task_end(board, task);
    if (task == board->current) {
        sim_task_leave(board);
    }
}

void vTaskDelay(const TickType_t xTicksToDelay)
{
    sim_board_t *board = sim_api();
    if (xTicksToDelay == 0) {
        sim_task_yield(board, true);
        return;
    }
    sim_task_block(board, NULL, sim_ticks_from_now_us(board, xTicksToDelay));
}

BaseType_t xTaskDelayUntil(TickType_t *const pxPreviousWakeTime,
                           const TickType_t xTimeIncrement)
{
    sim_board_t *board = sim_api();
    TickType_t now = sim_ticks(board);
    TickType_t target = *pxPreviousWakeTime + xTimeIncrement;
    *pxPreviousWakeTime = target;
    int32_t ahead = (int32_t)(target - now);
    if (ahead <= 0) {
        return pdFALSE;
    }
    sim_task_block(board, NULL, sim_ticks_from_now_us(board, (TickType_t)ahead));
    return pdTRUE;
}

BaseType_t xTaskAbortDelay(TaskHandle_t xTask)
{
    sim_board_t *board = sim_api();
    TaskHandle_t task = task_or_self(board, xTask);
    if (task->state != SIM_TASK_BLOCKED) {
        return pdFAIL;
    }
    sim_task_make_ready(board, task);
    task->woken = false;
    sim_task_reschedule(board);
    return pdPASS;
}

UBaseType_t uxTaskPriorityGet(const TaskHandle_t xTask)
{
    return task_or_self(sim_api(), xTask)->priority;
}

void vTaskPrioritySet(TaskHandle_t xTask, UBaseType_t uxNewPriority)
{
    sim_board_t *board = sim_api();
    TaskHandle_t task = task_or_self(board, xTask);
    if (uxNewPriority >= configMAX_PRIORITIES) {
        uxNewPriority = configMAX_PRIORITIES - 1;
    }
    bool inherits = task->priority != task->base_priority;
    task->base_priority = uxNewPriority;
    if (!inherits || uxNewPriority > task->priority) {
        task->priority = uxNewPriority;
    }
    sim_task_reschedule(board);
}

eTaskState eTaskGetState(TaskHandle_t xTask)
{
    sim_board_t *board = sim_api();
    if (xTask == NULL) {
        return eInvalid;
    }
    switch (xTask->state) {
    case SIM_TASK_FREE:
        return eDeleted;
    case SIM_TASK_READY:
        return xTask == board->current ? eRunning : eReady;
    case SIM_TASK_BLOCKED:
        return eBlocked;
    case SIM_TASK_SUSPENDED:
        return eSuspended;
    }
    return eInvalid;
}

void vTaskSuspend(TaskHandle_t xTaskToSuspend)
{
    sim_board_t *board = sim_api();
    TaskHandle_t task = task_or_self(board, xTaskToSuspend);
    sim_loop_cancel(board->config.loop, &task->timeout);
    task->state = SIM_TASK_SUSPENDED;
    task->waiting_on = NULL;
    task->woken = false;
    if (task == board->current) {
        sim_task_yield(board, false);
    }
}

void vTaskResume(TaskHandle_t xTaskToResume)
{
    sim_board_t *board = sim_api();
    if (xTaskToResume != NULL && xTaskToResume->state == SIM_TASK_SUSPENDED) {
        xTaskToResume->state = SIM_TASK_READY;
        xTaskToResume->order = board->order++;
        sim_task_reschedule(board);
    }
}

void vTaskSuspendAll(void)
{
    sim_lock(sim_api());
}

BaseType_t xTaskResumeAll(void)
{
    sim_unlock(sim_board_now());
    return pdFALSE;
}

BaseType_t xTaskGetSchedulerState(void)
{
    return sim_board_now()->lock_depth > 0 ? taskSCHEDULER_SUSPENDED
                                           : taskSCHEDULER_RUNNING;
}

TickType_t xTaskGetTickCount(void)
{
    return sim_ticks(sim_api());
}

TickType_t xTaskGetTickCountFromISR(void)
{
    return sim_ticks(sim_api());
}

UBaseType_t uxTaskGetNumberOfTasks(void)
{
    sim_board_t *board = sim_api();
    UBaseType_t count = 1; /* the idle task */
    for (size_t i = 0; i < SIM_TASKS_MAX; i++) {
        count += board->tasks[i].state != SIM_TASK_FREE;
    }
    return count;
}

char *pcTaskGetName(TaskHandle_t xTaskToQuery)
{
    return task_or_self(sim_api(), xTaskToQuery)->name;
}

TaskHandle_t xTaskGetHandle(const char *pcNameToQuery)
{
    sim_board_t *board = sim_api();
    for (size_t i = 0; i < SIM_TASKS_MAX; i++) {
        if (board->tasks[i].state != SIM_TASK_FREE &&
            strcmp(board->tasks[i].name, pcNameToQuery) == 0) {
            return &board->tasks[i];
        }
    }
    return NULL;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return sim_board_now()->current;
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t xTask)
{
    TaskHandle_t task = task_or_self(sim_api(), xTask);
    uint64_t unused = sim_fibre_unused(&task->fibre);
    return (UBaseType_t)(unused * task->declared_stack / SIM_FIBRE_STACK_SIZE);
}

void vTaskSetTimeOutState(TimeOut_t *const pxTimeOut)
{
    pxTimeOut->xOverflowCount = 0;
    pxTimeOut->xTimeOnEntering = sim_ticks(sim_api());
}

BaseType_t xTaskCheckForTimeOut(TimeOut_t *const pxTimeOut,
                                TickType_t *const pxTicksToWait)
{
    if (*pxTicksToWait == portMAX_DELAY) {
        return pdFALSE;
    }
    TickType_t now = sim_ticks(sim_api());
    TickType_t elapsed = now - pxTimeOut->xTimeOnEntering;
    if (elapsed < *pxTicksToWait) {
        *pxTicksToWait -= elapsed;
        pxTimeOut->xTimeOnEntering = now;
        return pdFALSE;
    }
    *pxTicksToWait = 0;
    return pdTRUE;
}

BaseType_t xTaskGenericNotify(TaskHandle_t xTaskToNotify, UBaseType_t uxIndexToNotify,
                              uint32_t ulValue, eNotifyAction eAction,
                              uint32_t *pulPreviousNotificationValue)
{
    sim_board_t *board = sim_api();
    TaskHandle_t task = xTaskToNotify;
    if (task == NULL || task->state == SIM_TASK_FREE || uxIndexToNotify != 0) {
        sim_panic("a notification of a task that does not exist");
        return pdFAIL;
    }
    if (pulPreviousNotificationValue != NULL) {
        *pulPreviousNotificationValue = task->notify_value;
    }
    BaseType_t result = pdPASS;
    switch (eAction) {
    case eNoAction:
        break;
    case eSetBits:
        task->notify_value |= ulValue;
        break;
    case eIncrement:
        task->notify_value++;
        break;
    case eSetValueWithOverwrite:
        task->notify_value = ulValue;
        break;
    case eSetValueWithoutOverwrite:
        if (task->notify_pending) {
            result = pdFAIL;
        } else {
            task->notify_value = ulValue;
        }
        break;
    }
    task->notify_pending = true;
    if (task->state == SIM_TASK_BLOCKED && task->waiting_on == &task->notify_value) {
        sim_task_make_ready(board, task);
    }
    sim_task_reschedule(board);
    return result;
}

BaseType_t xTaskGenericNotifyFromISR(TaskHandle_t xTaskToNotify,
                                     UBaseType_t uxIndexToNotify, uint32_t ulValue,
                                     eNotifyAction eAction,
                                     uint32_t *pulPreviousNotificationValue,
                                     BaseType_t *pxHigherPriorityTaskWoken)
{
    if (pxHigherPriorityTaskWoken != NULL) {
        *pxHigherPriorityTaskWoken = pdTRUE;
    }
    return xTaskGenericNotify(xTaskToNotify, uxIndexToNotify, ulValue, eAction,
                              pulPreviousNotificationValue);
}

/* Until there is a notification, or the time is over. */
static void wait_for_notification(sim_board_t *board, TickType_t ticks)
{
    if (ticks > 0) {
        sim_task_block(board, &board->current->notify_value,
                       sim_ticks_from_now_us(board, ticks));
    }
}

BaseType_t xTaskGenericNotifyWait(UBaseType_t uxIndexToWaitOn,
                                  uint32_t ulBitsToClearOnEntry,
                                  uint32_t ulBitsToClearOnExit,
                                  uint32_t *pulNotificationValue, TickType_t xTicksToWait)
{
    sim_board_t *board = sim_api();
    TaskHandle_t task = task_or_self(board, NULL);
    assert(uxIndexToWaitOn == 0);
    if (!task->notify_pending) {
        task->notify_value &= ~ulBitsToClearOnEntry;
        wait_for_notification(board, xTicksToWait);
    }
    if (pulNotificationValue != NULL) {
        *pulNotificationValue = task->notify_value;
    }
    bool notified = task->notify_pending;
    if (notified) {
        task->notify_value &= ~ulBitsToClearOnExit;
    }
    task->notify_pending = false;
    return notified ? pdTRUE : pdFALSE;
}

uint32_t ulTaskGenericNotifyTake(UBaseType_t uxIndexToWaitOn,
                                 BaseType_t xClearCountOnExit, TickType_t xTicksToWait)
{
    sim_board_t *board = sim_api();
    TaskHandle_t task = task_or_self(board, NULL);
    assert(uxIndexToWaitOn == 0);
    if (task->notify_value == 0) {
        wait_for_notification(board, xTicksToWait);
    }
    uint32_t value = task->notify_value;
    if (value != 0) {
        task->notify_value = xClearCountOnExit != pdFALSE ? 0 : value - 1;
    }
    task->notify_pending = false;
    return value;
}

BaseType_t xTaskGenericNotifyStateClear(TaskHandle_t xTask, UBaseType_t uxIndexToClear)
{
    TaskHandle_t task = task_or_self(sim_api(), xTask);
    assert(uxIndexToClear == 0);
    bool pending = task->notify_pending;
    task->notify_pending = false;
    return pending ? pdPASS : pdFAIL;
}

uint32_t ulTaskGenericNotifyValueClear(TaskHandle_t xTask, UBaseType_t uxIndexToClear,
                                       uint32_t ulBitsToClear)
{
    TaskHandle_t task = task_or_self(sim_api(), xTask);
    assert(uxIndexToClear == 0);
    uint32_t value = task->notify_value;
    task->notify_value &= ~ulBitsToClear;
    return value;
}

void vPortEnterCritical(portMUX_TYPE *mux)
{
    mux->count++;
    sim_lock(sim_board_now());
}

void vPortExitCritical(portMUX_TYPE *mux)
{
    mux->count--;
    sim_unlock(sim_board_now());
}

void spinlock_initialize(spinlock_t *lock)
{
    *lock = (spinlock_t)SPINLOCK_INITIALIZER;
}

void vPortYield(void)
{
    sim_board_t *board = sim_api();
    if (sim_in_task(board) && board->lock_depth == 0) {
        sim_task_yield(board, true);
    }
}

BaseType_t xPortInIsrContext(void)
{
    return sim_in_task(sim_board_now()) ? pdFALSE : pdTRUE;
}

BaseType_t xPortGetCoreID(void)
{
    return 0;
}
