/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * FreeRTOS's event groups. */
#include "freertos/event_groups.h"

#include <assert.h>

#include "sim/idf/internal.h"

#define USABLE_BITS 0x00FFFFFFu /* the top byte is FreeRTOS's own */

struct EventGroupDef_t {
    EventBits_t bits;
    bool from_heap;
    char change; /* its address is what tasks wait for */
};

static EventGroupHandle_t init(EventGroupHandle_t group, bool from_heap)
{
    if (group != NULL) {
        *group = (struct EventGroupDef_t){.from_heap = from_heap};
    }
    return group;
}

EventGroupHandle_t xEventGroupCreate(void)
{
    return init(sim_heap_alloc(sim_api(), sizeof(struct EventGroupDef_t)), true);
}

EventGroupHandle_t xEventGroupCreateStatic(StaticEventGroup_t *pxEventGroupBuffer)
{
    _Static_assert(sizeof(struct EventGroupDef_t) <= sizeof(StaticEventGroup_t),
                   "a caller's room holds an event group");
    return init((EventGroupHandle_t)pxEventGroupBuffer, false);
}

void vEventGroupDelete(EventGroupHandle_t xEventGroup)
{
    sim_board_t *board = sim_api();
    while (sim_task_wake_one(board, &xEventGroup->change) != NULL) {
    }
    if (xEventGroup->from_heap) {
        sim_heap_free(board, xEventGroup);
    }
    sim_task_reschedule(board);
}

/* What one task waits for; on its stack, where the setter looks at it: bits that several
 * wait for go to all of them before they are cleared. */
struct wait {
    EventBits_t wanted;
    bool all;
    bool clear;
    EventBits_t bits; /* at the moment of being woken */
};

static bool satisfied(EventBits_t bits, const struct wait *wait)
{
    return wait->all ? (bits & wait->wanted) == wait->wanted : (bits & wait->wanted) != 0;
}

EventBits_t xEventGroupWaitBits(EventGroupHandle_t xEventGroup,
                                const EventBits_t uxBitsToWaitFor,
                                const BaseType_t xClearOnExit,
                                const BaseType_t xWaitForAllBits, TickType_t xTicksToWait)
{
    sim_board_t *board = sim_api();
    assert((uxBitsToWaitFor & ~USABLE_BITS) == 0 && uxBitsToWaitFor != 0);
    struct wait wait = {.wanted = uxBitsToWaitFor,
                        .all = xWaitForAllBits != pdFALSE,
                        .clear = xClearOnExit != pdFALSE};
    EventBits_t bits = xEventGroup->bits;
    if (satisfied(bits, &wait)) {
        if (wait.clear) {
            xEventGroup->bits &= ~wait.wanted;
        }
        return bits;
    }
    if (xTicksToWait == 0) {
        return bits;
    }
    if (sim_in_task(board)) {
        board->current->wait_data = &wait;
    }
    if (sim_task_block(board, &xEventGroup->change,
                       sim_ticks_from_now_us(board, xTicksToWait))) {
        return wait.bits;
    }
    return xEventGroup->bits;
}

EventBits_t xEventGroupSetBits(EventGroupHandle_t xEventGroup,
                               const EventBits_t uxBitsToSet)
{
    sim_board_t *board = sim_api();
    assert((uxBitsToSet & ~USABLE_BITS) == 0);
    xEventGroup->bits |= uxBitsToSet;
    EventBits_t cleared = 0;
    for (size_t i = 0; i < SIM_TASKS_MAX; i++) {
        TaskHandle_t task = &board->tasks[i];
        if (task->state != SIM_TASK_BLOCKED || task->waiting_on != &xEventGroup->change) {
            continue;
        }
        struct wait *wait = task->wait_data;
        if (satisfied(xEventGroup->bits, wait)) {
            wait->bits = xEventGroup->bits;
            cleared |= wait->clear ? wait->wanted : 0;
            sim_task_make_ready(board, task);
        }
    }
    xEventGroup->bits &= ~cleared;
    sim_task_reschedule(board);
    return xEventGroup->bits;
}

EventBits_t xEventGroupClearBits(EventGroupHandle_t xEventGroup,
                                 const EventBits_t uxBitsToClear)
{
    (void)sim_api();
    EventBits_t bits = xEventGroup->bits;
    xEventGroup->bits &= ~uxBitsToClear;
    return bits;
}

BaseType_t xEventGroupSetBitsFromISR(EventGroupHandle_t xEventGroup,
                                     const EventBits_t uxBitsToSet,
                                     BaseType_t *pxHigherPriorityTaskWoken)
{
    if (pxHigherPriorityTaskWoken != NULL) {
        *pxHigherPriorityTaskWoken = pdTRUE;
    }
    xEventGroupSetBits(xEventGroup, uxBitsToSet);
    return pdPASS;
}
