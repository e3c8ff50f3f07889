/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Which task runs: strict priorities over fibres, and a clock that stands while they run.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/idf/internal.h"

/* A task that makes so many calls at one instant is polling: from then on each call takes
 * time, more of it the longer it goes on. */
#define SPIN_FREE_CALLS  2000u
#define SPIN_STEP_MAX_US 100u

#define DETOUR_ONE_IN 8u

static sim_board_t *running_board;

sim_board_t *sim_runtime_board(void)
{
    return running_board;
}

sim_board_t *sim_board_now(void)
{
    if (running_board == NULL) {
        fprintf(stderr, "simulator: a call of ESP-IDF outside of a board's firmware\n");
        abort();
    }
    return running_board;
}

bool sim_in_task(const sim_board_t *board)
{
    return board->current != NULL;
}

bool sim_runtime_in_task(void)
{
    return running_board != NULL && sim_in_task(running_board);
}

sim_board_t *sim_api(void)
{
    sim_board_t *board = sim_board_now();
    if (!sim_in_task(board)) {
        return board;
    }
    if (board->config.preempt && board->lock_depth == 0 &&
        sim_random_below(&board->random, DETOUR_ONE_IN) == 0) {
        board->detour = true;
        sim_task_yield(board, false);
    }
    if (board->spin_us != sim_now_us(board)) {
        board->spin_us = sim_now_us(board);
        if (board->spin_count <= SPIN_FREE_CALLS) {
            board->spin_count = 0;
        }
    }
    board->spin_count++;
    if (board->spin_count > SPIN_FREE_CALLS) {
        unsigned step = 1 + (board->spin_count - SPIN_FREE_CALLS) / SPIN_FREE_CALLS;
        sim_busy_wait(board, step < SPIN_STEP_MAX_US ? step : SPIN_STEP_MAX_US);
    }
    return board;
}

uint64_t sim_now_us(const sim_board_t *board)
{
    return sim_loop_now_us(board->config.loop);
}

uint64_t sim_uptime_us(const sim_board_t *board)
{
    return sim_now_us(board) - board->boot_us;
}

static uint64_t tick_us(const sim_board_t *board)
{
    return 1000000u / board->firmware->tick_rate_hz;
}

TickType_t sim_ticks(const sim_board_t *board)
{
    return (TickType_t)(sim_uptime_us(board) / tick_us(board));
}

uint64_t sim_ticks_from_now_us(const sim_board_t *board, TickType_t ticks)
{
    if (ticks == portMAX_DELAY) {
        return UINT64_MAX;
    }
    uint64_t period_us = tick_us(board);
    return board->boot_us + (sim_uptime_us(board) / period_us + ticks) * period_us;
}

bool sim_runtime_enter(sim_board_t *board)
{
    if (board->power != SIM_POWER_RUNNING || board->pending != SIM_PENDING_NONE) {
        return false;
    }
    assert(running_board == NULL || running_board == board);
    running_board = board;
    board->isr_depth++;
    return true;
}

void sim_runtime_leave(sim_board_t *board)
{
    assert(board->isr_depth > 0);
    board->isr_depth--;
    if (board->isr_depth == 0 && !sim_in_task(board)) {
        running_board = NULL;
    }
    sim_scheduler_kick(board);
}

void sim_scheduler_kick(sim_board_t *board)
{
    if (board->power != SIM_POWER_RUNNING || sim_in_task(board)) {
        return;
    }
    uint64_t at_us = sim_now_us(board);
    if (board->stalled && board->pending == SIM_PENDING_NONE) {
        at_us = board->stall_until_us;
    }
    sim_loop_at(board->config.loop, &board->run, at_us);
}

/* The ready task of the highest priority that is longest ready. */
static TaskHandle_t first_ready(sim_board_t *board)
{
    TaskHandle_t first = NULL;
    for (size_t i = 0; i < SIM_TASKS_MAX; i++) {
        TaskHandle_t task = &board->tasks[i];
        if (task->state == SIM_TASK_READY &&
            (first == NULL || task->priority > first->priority ||
             (task->priority == first->priority && task->order < first->order))) {
            first = task;
        }
    }
    return first;
}

/* Any ready task that does not busy-wait: what the second core of a chip might run. */
static TaskHandle_t random_ready(sim_board_t *board)
{
    TaskHandle_t ready[SIM_TASKS_MAX];
    uint32_t count = 0;
    for (size_t i = 0; i < SIM_TASKS_MAX; i++) {
        TaskHandle_t task = &board->tasks[i];
        if (task->state == SIM_TASK_READY && task->busy_until_us <= sim_now_us(board)) {
            ready[count++] = task;
        }
    }
    return count > 0 ? ready[sim_random_below(&board->random, count)] : NULL;
}

static TaskHandle_t choose(sim_board_t *board)
{
    if (board->lock_depth > 0 && board->locked_by->state == SIM_TASK_READY) {
        return board->locked_by;
    }
    TaskHandle_t task = NULL;
    if (board->detour) {
        board->detour = false;
        task = random_ready(board);
    }
    return task != NULL ? task : first_ready(board);
}

static bool has_equal(const sim_board_t *board, const struct tskTaskControlBlock *task)
{
    for (size_t i = 0; i < SIM_TASKS_MAX; i++) {
        const struct tskTaskControlBlock *other = &board->tasks[i];
        if (other != task && other->state == SIM_TASK_READY &&
            other->priority == task->priority) {
            return true;
        }
    }
    return false;
}

/* The due task busy-waits: lets time pass, in slices of a tick where equals wait too.
 * Returns false when the slice is over and another task is due at once. */
static bool wait_busy(sim_board_t *board, TaskHandle_t task)
{
    uint64_t until_us = task->busy_until_us;
    if (board->lock_depth == 0 && has_equal(board, task)) {
        if (board->slice_task != task) {
            board->slice_task = task;
            board->slice_us = sim_ticks_from_now_us(board, 1);
        }
        if (sim_now_us(board) >= board->slice_us) {
            board->slice_task = NULL;
            task->order = board->order++;
            return false;
        }
        until_us = board->slice_us < until_us ? board->slice_us : until_us;
    }
    sim_loop_at(board->config.loop, &board->run, until_us);
    return true;
}

static void check_stack(TaskHandle_t task)
{
    if (task->fibre.stack != NULL && !sim_fibre_is_sound(&task->fibre)) {
        fprintf(stderr, "simulator: task %s overran its stack of %u bytes\n", task->name,
                (unsigned)SIM_FIBRE_STACK_SIZE);
        abort();
    }
}

static void tell_stalled(sim_board_t *board)
{
    if (board->config.ops->stalled != NULL) {
        board->config.ops->stalled(board->config.context, board->stalled);
    }
}

static void end_stall(sim_board_t *board)
{
    board->stalled = false;
    sim_flash_settle(board->config.chip->flash);
    tell_stalled(board);
}

static void tell_room(sim_board_t *board)
{
    /* A full receiver is not asked again before it says so: it would refuse for ever at
     * the same instant. */
    if (board->hci_refused && !board->hci_full && !board->stalled &&
        board->config.ops->hci_room != NULL) {
        board->hci_refused = false;
        board->config.ops->hci_room(board->config.context);
    }
}

static void run_tasks(sim_board_t *board)
{
    while (board->pending == SIM_PENDING_NONE && !board->stalled) {
        TaskHandle_t task = choose(board);
        if (task == NULL) {
            board->idle = true;
            sim_watchdogs_idle(board);
            return;
        }
        if (task->busy_until_us > sim_now_us(board)) {
            if (wait_busy(board, task)) {
                return;
            }
            continue;
        }
        running_board = board;
        board->current = task;
        sim_fibre_enter(&board->fibre_host, &task->fibre);
        board->current = NULL;
        running_board = NULL;
        check_stack(task);
    }
}

static void run(void *context)
{
    sim_board_t *board = context;
    if (board->power != SIM_POWER_RUNNING) {
        return;
    }
    if (board->pending == SIM_PENDING_NONE) {
        if (board->stalled) {
            if (sim_now_us(board) < board->stall_until_us) {
                sim_scheduler_kick(board);
                return;
            }
            end_stall(board);
            if (board->hci_refused) {
                /* The controller interrupts first: what it held is the host's before any
                 * task goes on, perhaps into another flash operation. */
                tell_room(board);
                sim_scheduler_kick(board);
                return;
            }
        }
        tell_room(board);
        if (board->idle) {
            sim_watchdogs_idle(board); /* the idle task ran until now */
            board->idle = false;
        }
        run_tasks(board);
    }
    if (board->pending != SIM_PENDING_NONE) {
        sim_board_carry_out(board);
        return;
    }
    tell_room(board);
    if (board->stalled) {
        sim_scheduler_kick(board);
    }
}

void sim_scheduler_init(sim_board_t *board)
{
    board->run.fire = run;
    board->run.context = board;
    sim_random_seed(&board->random, board->config.seed ^ board->boots);
}

void sim_scheduler_clear(sim_board_t *board)
{
    sim_loop_cancel(board->config.loop, &board->run);
    for (size_t i = 0; i < SIM_TASKS_MAX; i++) {
        TaskHandle_t task = &board->tasks[i];
        if (task->state != SIM_TASK_FREE) {
            sim_loop_cancel(board->config.loop, &task->timeout);
            task->state = SIM_TASK_FREE;
        }
    }
    board->current = NULL;
    board->locked_by = NULL;
    board->lock_depth = 0;
    board->stalled = false;
    board->idle = false;
    board->stall_until_us = 0;
    board->slice_task = NULL;
    board->detour = false;
    board->spin_count = 0;
}

static void task_code(void *argument)
{
    TaskHandle_t task = argument;
    sim_board_t *board = task->board;
    task->entry(task->argument);
    if (strcmp(task->name, "main") != 0) {
        sim_panic("FreeRTOS Task \"%s\" should not return, Aborting now!", task->name);
    }
    sim_task_end(board, task);
    sim_task_leave(board);
}

static void timed_out(void *context)
{
    TaskHandle_t task = context;
    assert(task->state == SIM_TASK_BLOCKED);
    task->woken = false;
    task->waiting_on = NULL;
    task->state = SIM_TASK_READY;
    task->order = task->board->order++;
    sim_scheduler_kick(task->board);
}

TaskHandle_t sim_task_new(sim_board_t *board, TaskFunction_t entry, const char *name,
                          void *argument, unsigned priority)
{
    TaskHandle_t task = NULL;
    for (size_t i = 0; i < SIM_TASKS_MAX && task == NULL; i++) {
        /* Not the stack that the caller itself still stands on. */
        if (board->tasks[i].state == SIM_TASK_FREE &&
            &board->tasks[i] != board->current) {
            task = &board->tasks[i];
        }
    }
    if (task == NULL) {
        return NULL;
    }
    struct sim_fibre fibre = task->fibre;
    memset(task, 0, sizeof(*task));
    task->fibre = fibre;
    task->board = board;
    task->entry = entry;
    task->argument = argument;
    task->priority = priority;
    task->base_priority = priority;
    task->state = SIM_TASK_READY;
    task->order = board->order++;
    task->timeout.fire = timed_out;
    task->timeout.context = task;
    snprintf(task->name, sizeof(task->name), "%s", name != NULL ? name : "");
    sim_fibre_init(&task->fibre, board->config.arena, task_code, task);
    return task;
}

void sim_task_end(sim_board_t *board, TaskHandle_t task)
{
    assert(task->state != SIM_TASK_FREE);
    sim_loop_cancel(board->config.loop, &task->timeout);
    sim_watchdogs_task_ended(board, task);
    if (task->heap_block != NULL) {
        sim_heap_free(board, task->heap_block);
        task->heap_block = NULL;
    }
    if (board->locked_by == task) {
        board->locked_by = NULL;
        board->lock_depth = 0;
    }
    task->state = SIM_TASK_FREE;
}

void sim_task_leave(sim_board_t *board)
{
    TaskHandle_t task = board->current;
    assert(task != NULL);
    sim_fibre_exit(&board->fibre_host, &task->fibre);
}

void sim_task_yield(sim_board_t *board, bool behind_equals)
{
    TaskHandle_t task = board->current;
    assert(task != NULL);
    if (behind_equals) {
        task->order = board->order++;
    }
    sim_fibre_leave(&board->fibre_host, &task->fibre);
}

void sim_task_reschedule(sim_board_t *board)
{
    if (!sim_in_task(board)) {
        sim_scheduler_kick(board);
        return;
    }
    if (board->lock_depth > 0) {
        return;
    }
    TaskHandle_t task = first_ready(board);
    if (task != NULL && task->priority > board->current->priority) {
        sim_task_yield(board, false);
    }
}

bool sim_task_block(sim_board_t *board, const void *object, uint64_t until_us)
{
    TaskHandle_t task = board->current;
    if (task == NULL) {
        sim_panic("a call that blocks, in interrupt context");
        return false;
    }
    if (board->lock_depth > 0) {
        sim_panic("task %s blocks inside a critical section", task->name);
    }
    task->state = SIM_TASK_BLOCKED;
    task->waiting_on = object;
    task->woken = false;
    task->order = board->order++;
    board->spin_count = 0;
    if (until_us != UINT64_MAX) {
        sim_loop_at(board->config.loop, &task->timeout, until_us);
    }
    sim_fibre_leave(&board->fibre_host, &task->fibre);
    return task->woken;
}

void sim_task_make_ready(sim_board_t *board, TaskHandle_t task)
{
    sim_loop_cancel(board->config.loop, &task->timeout);
    task->waiting_on = NULL;
    task->woken = true;
    task->state = SIM_TASK_READY;
    task->order = board->order++;
}

TaskHandle_t sim_task_first_waiting(sim_board_t *board, const void *object)
{
    TaskHandle_t first = NULL;
    for (size_t i = 0; i < SIM_TASKS_MAX; i++) {
        TaskHandle_t task = &board->tasks[i];
        if (task->state == SIM_TASK_BLOCKED && task->waiting_on == object &&
            (first == NULL || task->priority > first->priority ||
             (task->priority == first->priority && task->order < first->order))) {
            first = task;
        }
    }
    return first;
}

TaskHandle_t sim_task_wake_one(sim_board_t *board, const void *object)
{
    TaskHandle_t task = sim_task_first_waiting(board, object);
    if (task != NULL) {
        sim_task_make_ready(board, task);
    }
    return task;
}

void sim_busy_wait(sim_board_t *board, uint64_t us)
{
    TaskHandle_t task = board->current;
    if (task == NULL || us == 0) {
        return; /* an interrupt's own time is not modelled */
    }
    task->busy_until_us = sim_now_us(board) + us;
    while (sim_now_us(board) < task->busy_until_us) {
        sim_task_yield(board, false);
    }
    task->busy_until_us = 0;
}

void sim_stall(sim_board_t *board, uint64_t us)
{
    assert(sim_in_task(board));
    if (us == 0) {
        sim_flash_settle(board->config.chip->flash);
        sim_task_reschedule(board);
        return;
    }
    board->stalled = true;
    board->stall_from_us = sim_now_us(board);
    board->stall_until_us = board->stall_from_us + us;
    tell_stalled(board);
    sim_task_yield(board, false);
}

void sim_lock(sim_board_t *board)
{
    if (!sim_in_task(board)) {
        return; /* nothing interrupts an interrupt here */
    }
    board->locked_by = board->current;
    board->lock_depth++;
}

void sim_unlock(sim_board_t *board)
{
    if (!sim_in_task(board)) {
        return;
    }
    if (board->lock_depth == 0) {
        sim_panic("a critical section is left that was not entered");
    }
    board->lock_depth--;
    if (board->lock_depth == 0) {
        board->locked_by = NULL;
        sim_task_reschedule(board);
    }
}
