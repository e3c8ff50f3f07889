/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Tasks: fibres of the board, scheduled by strict priority. */
#ifndef SIM_IDF_FREERTOS_TASK_H
#define SIM_IDF_FREERTOS_TASK_H

#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tskTaskControlBlock *TaskHandle_t;

typedef enum {
    eRunning = 0,
    eReady,
    eBlocked,
    eSuspended,
    eDeleted,
    eInvalid,
} eTaskState;

typedef enum {
    eNoAction = 0,
    eSetBits,
    eIncrement,
    eSetValueWithOverwrite,
    eSetValueWithoutOverwrite,
} eNotifyAction;

typedef struct xTIME_OUT {
    BaseType_t xOverflowCount;
    TickType_t xTimeOnEntering;
} TimeOut_t;

#define tskIDLE_PRIORITY ((UBaseType_t)0U)

#define taskSCHEDULER_SUSPENDED   ((BaseType_t)0)
#define taskSCHEDULER_NOT_STARTED ((BaseType_t)1)
#define taskSCHEDULER_RUNNING     ((BaseType_t)2)

#define taskYIELD() vPortYield()

/* Stack depths are bytes and are taken from the board's heap; the fibre's own stack is
 * larger, as host code needs more. */
BaseType_t xTaskCreate(TaskFunction_t pxTaskCode, const char *const pcName,
                       const uint32_t usStackDepth, void *const pvParameters,
                       UBaseType_t uxPriority, TaskHandle_t *const pxCreatedTask);
BaseType_t xTaskCreatePinnedToCore(TaskFunction_t pxTaskCode, const char *const pcName,
                                   const uint32_t ulStackDepth, void *const pvParameters,
                                   UBaseType_t uxPriority,
                                   TaskHandle_t *const pxCreatedTask,
                                   const BaseType_t xCoreID);
TaskHandle_t xTaskCreateStatic(TaskFunction_t pxTaskCode, const char *const pcName,
                               const uint32_t ulStackDepth, void *const pvParameters,
                               UBaseType_t uxPriority, StackType_t *const puxStackBuffer,
                               StaticTask_t *const pxTaskBuffer);
TaskHandle_t xTaskCreateStaticPinnedToCore(
    TaskFunction_t pxTaskCode, const char *const pcName, const uint32_t ulStackDepth,
    void *const pvParameters, UBaseType_t uxPriority, StackType_t *const puxStackBuffer,
    StaticTask_t *const pxTaskBuffer, const BaseType_t xCoreID);
void vTaskDelete(TaskHandle_t xTaskToDelete);

void vTaskDelay(const TickType_t xTicksToDelay);
BaseType_t xTaskDelayUntil(TickType_t *const pxPreviousWakeTime,
                           const TickType_t xTimeIncrement);
#define vTaskDelayUntil(pxPreviousWakeTime, xTimeIncrement) \
    ((void)xTaskDelayUntil(pxPreviousWakeTime, xTimeIncrement))
BaseType_t xTaskAbortDelay(TaskHandle_t xTask);

UBaseType_t uxTaskPriorityGet(const TaskHandle_t xTask);
void vTaskPrioritySet(TaskHandle_t xTask, UBaseType_t uxNewPriority);
eTaskState eTaskGetState(TaskHandle_t xTask);
void vTaskSuspend(TaskHandle_t xTaskToSuspend);
void vTaskResume(TaskHandle_t xTaskToResume);
void vTaskSuspendAll(void);
BaseType_t xTaskResumeAll(void);
BaseType_t xTaskGetSchedulerState(void);

TickType_t xTaskGetTickCount(void);
TickType_t xTaskGetTickCountFromISR(void);
UBaseType_t uxTaskGetNumberOfTasks(void);
char *pcTaskGetName(TaskHandle_t xTaskToQuery);
TaskHandle_t xTaskGetHandle(const char *pcNameToQuery);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
TaskHandle_t xTaskGetIdleTaskHandle(void);
/* Bytes of the declared depth that the deepest call so far left. Host frames are larger
 * than the chip's, so this says that a stack was used, not how much the chip would. */
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t xTask);

void vTaskSetTimeOutState(TimeOut_t *const pxTimeOut);
BaseType_t xTaskCheckForTimeOut(TimeOut_t *const pxTimeOut,
                                TickType_t *const pxTicksToWait);

/* Notifications; one per task, index 0. */
BaseType_t xTaskGenericNotify(TaskHandle_t xTaskToNotify, UBaseType_t uxIndexToNotify,
                              uint32_t ulValue, eNotifyAction eAction,
                              uint32_t *pulPreviousNotificationValue);
BaseType_t xTaskGenericNotifyFromISR(TaskHandle_t xTaskToNotify,
                                     UBaseType_t uxIndexToNotify, uint32_t ulValue,
                                     eNotifyAction eAction,
                                     uint32_t *pulPreviousNotificationValue,
                                     BaseType_t *pxHigherPriorityTaskWoken);
BaseType_t xTaskGenericNotifyWait(UBaseType_t uxIndexToWaitOn,
                                  uint32_t ulBitsToClearOnEntry,
                                  uint32_t ulBitsToClearOnExit,
                                  uint32_t *pulNotificationValue,
                                  TickType_t xTicksToWait);
uint32_t ulTaskGenericNotifyTake(UBaseType_t uxIndexToWaitOn,
                                 BaseType_t xClearCountOnExit, TickType_t xTicksToWait);
BaseType_t xTaskGenericNotifyStateClear(TaskHandle_t xTask, UBaseType_t uxIndexToClear);
uint32_t ulTaskGenericNotifyValueClear(TaskHandle_t xTask, UBaseType_t uxIndexToClear,
                                       uint32_t ulBitsToClear);

#define xTaskNotify(xTask, ulValue, eAction) \
    xTaskGenericNotify(xTask, 0, ulValue, eAction, NULL)
#define xTaskNotifyAndQuery(xTask, ulValue, eAction, pulPrevious) \
    xTaskGenericNotify(xTask, 0, ulValue, eAction, pulPrevious)
#define xTaskNotifyGive(xTask) xTaskGenericNotify(xTask, 0, 0, eIncrement, NULL)
#define xTaskNotifyFromISR(xTask, ulValue, eAction, pxWoken) \
    xTaskGenericNotifyFromISR(xTask, 0, ulValue, eAction, NULL, pxWoken)
#define vTaskNotifyGiveFromISR(xTask, pxWoken) \
    ((void)xTaskGenericNotifyFromISR(xTask, 0, 0, eIncrement, NULL, pxWoken))
#define xTaskNotifyWait(ulOnEntry, ulOnExit, pulValue, xTicksToWait) \
    xTaskGenericNotifyWait(0, ulOnEntry, ulOnExit, pulValue, xTicksToWait)
#define ulTaskNotifyTake(xClearCountOnExit, xTicksToWait) \
    ulTaskGenericNotifyTake(0, xClearCountOnExit, xTicksToWait)
#define xTaskNotifyStateClear(xTask) xTaskGenericNotifyStateClear(xTask, 0)
#define ulTaskNotifyValueClear(xTask, ulBitsToClear) \
    ulTaskGenericNotifyValueClear(xTask, 0, ulBitsToClear)

#ifdef __cplusplus
}
#endif

#endif
