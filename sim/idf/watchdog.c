/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The task watchdog, and the RTC watchdog that the boot loader starts. */
#include <stdio.h>
#include <string.h>

#include "esp_task_wdt.h"
#include "hal/wdt_hal.h"
#include "sim/idf/internal.h"

/* Deadlines move more often than they are reached: an event that fires early sets itself
 * anew instead of being moved each time. */

/* RTC watchdog */

static void rtc_fire(void *context)
{
    sim_board_t *board = context;
    struct sim_rtc_watchdog *watchdog = &board->rtc_watchdog;
    if (!watchdog->on) {
        return;
    }
    if (sim_now_us(board) < watchdog->deadline_us) {
        sim_loop_at(board->config.loop, &watchdog->event, watchdog->deadline_us);
        return;
    }
    watchdog->on = false;
    sim_console_flush(board);
    sim_console_text(board, "rst:0x10 (RTCWDT_RTC_RESET)\n");
    sim_board_request_reset(board, ESP_RST_WDT);
}

static void rtc_feed(sim_board_t *board)
{
    struct sim_rtc_watchdog *watchdog = &board->rtc_watchdog;
    watchdog->deadline_us = sim_now_us(board) + watchdog->timeout_us;
    if (watchdog->on && (!sim_event_armed(&watchdog->event) ||
                         watchdog->deadline_us < watchdog->event.at_us)) {
        sim_loop_at(board->config.loop, &watchdog->event, watchdog->deadline_us);
    }
}

static sim_board_t *rtc_access(const wdt_hal_context_t *hal)
{
    sim_board_t *board = sim_api();
    if (hal->inst != WDT_RWDT) {
        sim_panic("wdt_hal: only the RTC watchdog is here");
    }
    return board;
}

void wdt_hal_init(wdt_hal_context_t *hal, wdt_inst_t wdt_inst, uint32_t prescaler,
                  bool enable_intr)
{
    (void)prescaler;
    (void)enable_intr;
    hal->inst = wdt_inst;
    hal->rwdt_dev = RWDT_DEV_GET();
    sim_board_t *board = rtc_access(hal);
    board->rtc_watchdog.on = false; /* as the chip's: until wdt_hal_enable */
    board->rtc_watchdog.unprotected = false;
}

void wdt_hal_deinit(wdt_hal_context_t *hal)
{
    rtc_access(hal)->rtc_watchdog.on = false;
}

void wdt_hal_config_stage(wdt_hal_context_t *hal, wdt_stage_t stage, uint32_t timeout,
                          wdt_stage_action_t behavior)
{
    sim_board_t *board = rtc_access(hal);
    if (!board->rtc_watchdog.unprotected || stage != WDT_STAGE0) {
        return;
    }
    if (behavior == WDT_STAGE_ACTION_OFF) {
        board->rtc_watchdog.on = false;
        return;
    }
    board->rtc_watchdog.timeout_us = (uint64_t)timeout * 1000000u / SIM_SLOW_CLOCK_HZ;
    rtc_feed(board);
}

void wdt_hal_write_protect_disable(wdt_hal_context_t *hal)
{
    rtc_access(hal)->rtc_watchdog.unprotected = true;
}

void wdt_hal_write_protect_enable(wdt_hal_context_t *hal)
{
    rtc_access(hal)->rtc_watchdog.unprotected = false;
}

void wdt_hal_enable(wdt_hal_context_t *hal)
{
    sim_board_t *board = rtc_access(hal);
    if (board->rtc_watchdog.unprotected) {
        board->rtc_watchdog.on = true;
        rtc_feed(board);
    }
}

void wdt_hal_disable(wdt_hal_context_t *hal)
{
    sim_board_t *board = rtc_access(hal);
    if (board->rtc_watchdog.unprotected) {
        board->rtc_watchdog.on = false;
    }
}

void wdt_hal_handle_intr(wdt_hal_context_t *hal)
{
    wdt_hal_feed(hal);
}

void wdt_hal_feed(wdt_hal_context_t *hal)
{
    sim_board_t *board = rtc_access(hal);
    if (board->rtc_watchdog.unprotected) {
        rtc_feed(board);
    }
}

void wdt_hal_set_flashboot_en(wdt_hal_context_t *hal, bool enable)
{
    sim_board_t *board = rtc_access(hal);
    if (board->rtc_watchdog.unprotected && !enable) {
        board->rtc_watchdog.on = false;
    }
}

bool wdt_hal_is_enabled(wdt_hal_context_t *hal)
{
    return rtc_access(hal)->rtc_watchdog.on;
}

/* Task watchdog */

static bool all_fed(const struct sim_task_watchdog *watchdog)
{
    bool any = watchdog->watch_idle;
    for (size_t i = 0; i < SIM_WATCHERS_MAX; i++) {
        if (watchdog->watchers[i].used) {
            any = true;
            if (!watchdog->watchers[i].fed) {
                return false;
            }
        }
    }
    return any && (!watchdog->watch_idle || watchdog->idle_fed);
}

/* One hardware timer for all: it starts anew when everybody has fed it. */
static void restart_if_all_fed(sim_board_t *board)
{
    struct sim_task_watchdog *watchdog = &board->task_watchdog;
    if (!all_fed(watchdog)) {
        return;
    }
    watchdog->idle_fed = false;
    for (size_t i = 0; i < SIM_WATCHERS_MAX; i++) {
        watchdog->watchers[i].fed = false;
    }
    watchdog->deadline_us = sim_now_us(board) + (uint64_t)watchdog->timeout_ms * 1000u;
    if (!sim_event_armed(&watchdog->event)) {
        sim_loop_at(board->config.loop, &watchdog->event, watchdog->deadline_us);
    }
}

void sim_watchdogs_idle(sim_board_t *board)
{
    board->task_watchdog.idle_fed = true;
    if (board->task_watchdog.on) {
        restart_if_all_fed(board);
    }
}

static void report(sim_board_t *board)
{
    const struct sim_task_watchdog *watchdog = &board->task_watchdog;
    char line[SIM_LINE_MAX];
    unsigned now_ms = (unsigned)(sim_uptime_us(board) / 1000u);
    snprintf(line, sizeof(line),
             "E (%u) task_wdt: Task watchdog got triggered. The following tasks/users "
             "did not reset the watchdog in time:\n",
             now_ms);
    sim_console_flush(board);
    sim_console_text(board, line);
    if (watchdog->watch_idle && !watchdog->idle_fed) {
        snprintf(line, sizeof(line), "E (%u) task_wdt:  - IDLE (CPU 0)\n", now_ms);
        sim_console_text(board, line);
    }
    for (size_t i = 0; i < SIM_WATCHERS_MAX; i++) {
        const struct sim_watcher *watcher = &watchdog->watchers[i];
        if (watcher->used && !watcher->fed) {
            snprintf(line, sizeof(line), "E (%u) task_wdt:  - %s\n", now_ms,
                     watcher->task != NULL ? watcher->task->name : watcher->name);
            sim_console_text(board, line);
        }
    }
}

static void task_fire(void *context)
{
    sim_board_t *board = context;
    struct sim_task_watchdog *watchdog = &board->task_watchdog;
    if (!watchdog->on) {
        return;
    }
    if (board->idle) {
        sim_watchdogs_idle(board); /* its task ran until this moment */
    }
    if (sim_now_us(board) < watchdog->deadline_us) {
        sim_loop_at(board->config.loop, &watchdog->event, watchdog->deadline_us);
        return;
    }
    if (board->stalled) {
        /* Its interrupt waits for the flash, too. */
        sim_loop_at(board->config.loop, &watchdog->event, board->stall_until_us);
        return;
    }
    report(board);
    if (watchdog->panic) {
        sim_console_text(board, "Aborting.\nRebooting...\n");
        sim_board_request_reset(board, ESP_RST_TASK_WDT);
        return;
    }
    watchdog->deadline_us = sim_now_us(board) + (uint64_t)watchdog->timeout_ms * 1000u;
    sim_loop_at(board->config.loop, &watchdog->event, watchdog->deadline_us);
}

static void task_start(sim_board_t *board, const esp_task_wdt_config_t *config)
{
    struct sim_task_watchdog *watchdog = &board->task_watchdog;
    watchdog->on = true;
    watchdog->timeout_ms = config->timeout_ms;
    watchdog->panic = config->trigger_panic;
    watchdog->watch_idle = (config->idle_core_mask & 1u) != 0;
    watchdog->deadline_us = sim_now_us(board) + (uint64_t)config->timeout_ms * 1000u;
    sim_loop_at(board->config.loop, &watchdog->event, watchdog->deadline_us);
}

esp_err_t esp_task_wdt_init(const esp_task_wdt_config_t *config)
{
    sim_board_t *board = sim_api();
    if (config == NULL || config->timeout_ms == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (board->task_watchdog.on) {
        return ESP_ERR_INVALID_STATE;
    }
    task_start(board, config);
    return ESP_OK;
}

esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t *config)
{
    sim_board_t *board = sim_api();
    if (config == NULL || config->timeout_ms == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!board->task_watchdog.on) {
        return ESP_ERR_INVALID_STATE;
    }
    task_start(board, config);
    return ESP_OK;
}

esp_err_t esp_task_wdt_deinit(void)
{
    sim_board_t *board = sim_api();
    struct sim_task_watchdog *watchdog = &board->task_watchdog;
    if (!watchdog->on) {
        return ESP_ERR_INVALID_STATE;
    }
    for (size_t i = 0; i < SIM_WATCHERS_MAX; i++) {
        if (watchdog->watchers[i].used) {
            return ESP_ERR_INVALID_STATE;
        }
    }
    watchdog->on = false;
    sim_loop_cancel(board->config.loop, &watchdog->event);
    return ESP_OK;
}

static struct sim_watcher *find_task(sim_board_t *board, TaskHandle_t task)
{
    for (size_t i = 0; i < SIM_WATCHERS_MAX; i++) {
        struct sim_watcher *watcher = &board->task_watchdog.watchers[i];
        if (watcher->used && watcher->task == task && task != NULL) {
            return watcher;
        }
    }
    return NULL;
}

static esp_err_t add(sim_board_t *board, TaskHandle_t task, const char *name,
                     struct sim_watcher **ret_watcher)
{
    if (!board->task_watchdog.on) {
        return ESP_ERR_INVALID_STATE;
    }
    for (size_t i = 0; i < SIM_WATCHERS_MAX; i++) {
        struct sim_watcher *watcher = &board->task_watchdog.watchers[i];
        if (!watcher->used) {
            *watcher = (struct sim_watcher){.used = true, .task = task};
            snprintf(watcher->name, sizeof(watcher->name), "%s", name);
            *ret_watcher = watcher;
            restart_if_all_fed(board);
            return ESP_OK;
        }
    }
    return ESP_ERR_NO_MEM;
}

esp_err_t esp_task_wdt_add(TaskHandle_t task_handle)
{
    sim_board_t *board = sim_api();
    TaskHandle_t task = task_handle != NULL ? task_handle : board->current;
    if (find_task(board, task) != NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    struct sim_watcher *watcher = NULL;
    return add(board, task, task->name, &watcher);
}

esp_err_t esp_task_wdt_add_user(const char *user_name,
                                esp_task_wdt_user_handle_t *user_handle_ret)
{
    sim_board_t *board = sim_api();
    if (user_name == NULL || user_handle_ret == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    struct sim_watcher *watcher = NULL;
    esp_err_t result = add(board, NULL, user_name, &watcher);
    *user_handle_ret = (esp_task_wdt_user_handle_t)watcher;
    return result;
}

static esp_err_t feed(sim_board_t *board, struct sim_watcher *watcher)
{
    if (!board->task_watchdog.on) {
        return ESP_ERR_INVALID_STATE;
    }
    if (watcher == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    watcher->fed = true;
    restart_if_all_fed(board);
    return ESP_OK;
}

esp_err_t esp_task_wdt_reset(void)
{
    sim_board_t *board = sim_api();
    return feed(board, find_task(board, board->current));
}

esp_err_t esp_task_wdt_reset_user(esp_task_wdt_user_handle_t user_handle)
{
    return feed(sim_api(), (struct sim_watcher *)user_handle);
}

static esp_err_t forget(sim_board_t *board, struct sim_watcher *watcher)
{
    if (watcher == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    watcher->used = false;
    restart_if_all_fed(board);
    return ESP_OK;
}

esp_err_t esp_task_wdt_delete(TaskHandle_t task_handle)
{
    sim_board_t *board = sim_api();
    TaskHandle_t task = task_handle != NULL ? task_handle : board->current;
    return forget(board, find_task(board, task));
}

esp_err_t esp_task_wdt_delete_user(esp_task_wdt_user_handle_t user_handle)
{
    return forget(sim_api(), (struct sim_watcher *)user_handle);
}

esp_err_t esp_task_wdt_status(TaskHandle_t task_handle)
{
    sim_board_t *board = sim_api();
    if (!board->task_watchdog.on) {
        return ESP_ERR_INVALID_STATE;
    }
    TaskHandle_t task = task_handle != NULL ? task_handle : board->current;
    return find_task(board, task) != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}

void sim_watchdogs_task_ended(sim_board_t *board, TaskHandle_t task)
{
    struct sim_watcher *watcher = find_task(board, task);
    if (watcher != NULL) {
        forget(board, watcher);
    }
}

/* Both */

void sim_watchdogs_boot(sim_board_t *board)
{
    struct sim_rtc_watchdog *watchdog = &board->rtc_watchdog;
    watchdog->event.fire = rtc_fire;
    watchdog->event.context = board;
    watchdog->on = true;
    watchdog->unprotected = false;
    watchdog->timeout_us = SIM_BOOT_WATCHDOG_MS * UINT64_C(1000);
    rtc_feed(board);
    board->task_watchdog.event.fire = task_fire;
    board->task_watchdog.event.context = board;
}

void sim_watchdogs_app(sim_board_t *board)
{
    const struct sim_firmware_info *firmware = board->firmware;
    if (firmware->task_watchdog_ms > 0) {
        esp_task_wdt_config_t config = {.timeout_ms = firmware->task_watchdog_ms,
                                        .idle_core_mask = firmware->task_watchdog_idle,
                                        .trigger_panic = firmware->task_watchdog_panic};
        task_start(board, &config);
    }
    if (!firmware->rtc_watchdog_kept && board->behaviour != SIM_HANG_EARLY) {
        board->rtc_watchdog.on = false;
    }
}

void sim_watchdogs_clear(sim_board_t *board)
{
    sim_loop_cancel(board->config.loop, &board->rtc_watchdog.event);
    sim_loop_cancel(board->config.loop, &board->task_watchdog.event);
    memset(&board->rtc_watchdog, 0, sizeof(board->rtc_watchdog));
    memset(&board->task_watchdog, 0, sizeof(board->task_watchdog));
}
