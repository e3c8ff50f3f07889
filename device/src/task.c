/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The update task: events go into the session, what it asks for is carried out. */
#include "task.h"

#include <stddef.h>

#include "esp_log.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host/ble_gap.h"
#include "sdkconfig.h"

#include "gatt.h"
#include "link.h"
#include "trial.h"
#include "updraft/device_session.h"

#define IDLE_POLL_MS       1000u
#define PROGRESS_STEP_SIZE (64u * 1024u)
/* After the answer to DONE: so long for it to get out or the client to leave, then so
 * long for the links to end in order, which spares clients their supervision timeout. */
#define RESTART_GRACE_MS 500u
#define RESTART_LIMIT_MS 2000u
#define RESTART_STEP_MS  20u
/* A stream that keeps the ring full never lets this task wait, and the idle task, which
 * the task watchdog is about, starves: so it gets a tick now and then. */
#define REST_EVERY_MS 500u

static const char *const TAG = "updraft";

static struct updraft_task_config config;
static struct updraft_device device;
static StaticTask_t task_memory;
static StackType_t task_stack[CONFIG_UPDRAFT_TASK_STACK_SIZE / sizeof(StackType_t)];

static enum updraft_device_state told_state;
static int told_error;
static uint32_t told_bytes;
static uint32_t rested_ms;

static void run(void *argument);
static void input(const struct updraft_link_event *event);
static void act(void);
static void rest(void);
static int carry_out(const struct updraft_device_action *action, uint8_t ret_digest[32]);
static int ask_app(const struct updraft_image_descriptor *image);
static const struct updraft_image_descriptor *descriptor(void);
static void answer(uint16_t connection, uint8_t opcode);
static void restart(void);
static void publish(void);
static void log_change(enum updraft_device_state before, enum updraft_device_state after);
static void tell_app(void);
static uint32_t close_idle(void);
static void wait_for_work(void);

esp_err_t updraft_task_start(const struct updraft_task_config *new_config)
{
    config = *new_config;
    const struct updraft_device_config session = {
        .chip_id = config.chip_id,
        .chip_revision = config.chip_revision,
        .slot_size_bytes = config.slots.target != NULL ? config.slots.target->size : 0,
        .idle_limit_ms = CONFIG_UPDRAFT_UPDATE_IDLE_S * 1000u,
        .total_limit_ms = CONFIG_UPDRAFT_UPDATE_LIMIT_S * 1000u,
        .on_trial = updraft_trial_under_way(),
    };
    updraft_device_init(&device, &session);
    told_state = updraft_device_state(&device);
    told_error = 0;
    told_bytes = 0;
    TaskHandle_t task =
        xTaskCreateStatic(run, "updraft", sizeof(task_stack) / sizeof(task_stack[0]),
                          NULL, CONFIG_UPDRAFT_TASK_PRIORITY, task_stack, &task_memory);
    return task != NULL ? ESP_OK : ESP_ERR_NO_MEM;
}

static void run(void *argument)
{
    (void)argument;
    updraft_link_attach_task();
    if (updraft_trial_under_way()) {
        updraft_trial_test(&config.app);
    }
    for (;;) {
        struct updraft_link_event event;
        updraft_device_set_on_trial(&device, updraft_trial_under_way());
        while (updraft_link_take(&event)) {
            input(&event);
            act();
        }
        updraft_device_tick(&device, updraft_now_ms());
        act();
        wait_for_work();
    }
}

static void input(const struct updraft_link_event *event)
{
    uint32_t now_ms = updraft_now_ms();
    switch (event->kind) {
    case UPDRAFT_LINK_CONTROL:
        updraft_device_control(&device, event->connection, event->bytes,
                               event->size_bytes, now_ms);
        break;
    case UPDRAFT_LINK_DATA:
        updraft_device_data(&device, event->connection, event->bytes, event->size_bytes,
                            now_ms);
        break;
    case UPDRAFT_LINK_DATA_LOST:
        updraft_device_data_lost(&device, event->connection);
        break;
    case UPDRAFT_LINK_ENDED:
        updraft_device_link_lost(&device, event->connection);
        break;
    }
}

static void act(void)
{
    struct updraft_device_action action;
    publish();
    while (updraft_device_poll(&device, updraft_now_ms(), &action)) {
        uint8_t digest[32];
        publish();
        int result = carry_out(&action, digest);
        updraft_device_done(&device, result,
                            action.kind == UPDRAFT_ACTION_HASH && result == 0 ? digest
                                                                              : NULL,
                            updraft_now_ms());
        publish();
        rest();
    }
}

static void rest(void)
{
    if (updraft_now_ms() - rested_ms >= REST_EVERY_MS) {
        vTaskDelay(1);
        rested_ms = updraft_now_ms();
    }
}

static int carry_out(const struct updraft_device_action *action, uint8_t ret_digest[32])
{
    switch (action->kind) {
    case UPDRAFT_ACTION_ANSWER:
        answer(action->connection, action->bytes[0]);
        return 0;
    case UPDRAFT_ACTION_BEGIN:
        ESP_LOGI(TAG, "update requested");
        return ask_app(NULL);
    case UPDRAFT_ACTION_JUDGE:
        return ask_app(descriptor());
    case UPDRAFT_ACTION_PREPARE:
        return updraft_slot_prepare(&config.slots);
    case UPDRAFT_ACTION_ERASE:
        return updraft_slot_erase(&config.slots, action->offset_bytes,
                                  action->size_bytes);
    case UPDRAFT_ACTION_WRITE:
        return updraft_slot_write(&config.slots, action->offset_bytes, action->bytes,
                                  action->size_bytes);
    case UPDRAFT_ACTION_HASH:
        return updraft_slot_hash(&config.slots, action->bytes, action->size_bytes,
                                 action->offset_bytes, action->end_offset_bytes,
                                 ret_digest);
    case UPDRAFT_ACTION_ACTIVATE:
        return updraft_slot_activate(&config.slots);
    case UPDRAFT_ACTION_RESTART:
        restart();
        return 0;
    case UPDRAFT_ACTION_READ:
    case UPDRAFT_ACTION_CRC:
    case UPDRAFT_ACTION_STAGE:
    case UPDRAFT_ACTION_UNSTAGE:
    case UPDRAFT_ACTION_POLICY:
    case UPDRAFT_ACTION_CONFIRM:
    case UPDRAFT_ACTION_MAY_ROLL_BACK:
    case UPDRAFT_ACTION_ROLL_BACK:
        break; /* protocol 2, which no characteristic offers yet */
    }
    return UPDRAFT_ERROR_STATE;
}

static int ask_app(const struct updraft_image_descriptor *image)
{
    if (config.app.may_update == NULL ||
        config.app.may_update(config.app.context, image)) {
        return 0;
    }
    return UPDRAFT_ERROR_VETOED;
}

static void answer(uint16_t connection, uint8_t opcode)
{
    updraft_link_publish_control(opcode);
    int rc = updraft_gatt_notify(connection, opcode);
    if (rc != 0) {
        ESP_LOGW(TAG, "connection %u: answer %u not sent: NimBLE error %d", connection,
                 opcode, rc);
    }
}

static void restart(void)
{
    uint16_t handles[UPDRAFT_LINK_CONNECTIONS_MAX];
    uint32_t start_ms = updraft_now_ms();
    bool owner_there = true;
    while (owner_there && updraft_now_ms() - start_ms < RESTART_GRACE_MS) {
        vTaskDelay(pdMS_TO_TICKS(RESTART_STEP_MS) + 1);
        unsigned count = updraft_link_list(0, handles);
        owner_there = false;
        for (unsigned i = 0; i < count; i++) {
            owner_there = owner_there || handles[i] == updraft_device_owner(&device);
        }
    }
    unsigned count = updraft_link_list(0, handles);
    for (unsigned i = 0; i < count; i++) {
        (void)ble_gap_terminate(handles[i], BLE_ERR_REM_USER_CONN_TERM);
    }
    start_ms = updraft_now_ms();
    while (updraft_link_count() > 0 && updraft_now_ms() - start_ms < RESTART_LIMIT_MS) {
        vTaskDelay(pdMS_TO_TICKS(RESTART_STEP_MS) + 1);
    }
    ESP_LOGI(TAG, "restarting into %s", config.slots.target->label);
    esp_restart();
}

static const struct updraft_image_descriptor *descriptor(void)
{
    const struct updraft_image *image = updraft_device_image(&device);
    return updraft_image_has_descriptor(image) ? &image->descriptor : NULL;
}

/* Tells the host task and the app where the session stands. */
static void publish(void)
{
    enum updraft_device_state state = updraft_device_state(&device);
    int error = updraft_device_error(&device);
    uint32_t bytes = updraft_device_received_bytes(&device);
    updraft_link_publish(updraft_device_owner(&device), state == UPDRAFT_DEVICE_FAILED);
    if (state != told_state || error != told_error) {
        log_change(told_state, state);
    } else if (state != UPDRAFT_DEVICE_RECEIVING ||
               bytes - told_bytes < PROGRESS_STEP_SIZE) {
        return;
    }
    told_state = state;
    told_error = error;
    told_bytes = bytes;
    tell_app();
}

static void log_change(enum updraft_device_state before, enum updraft_device_state after)
{
    const struct updraft_image_descriptor *image = descriptor();
    int error = updraft_device_error(&device);
    if (after == UPDRAFT_DEVICE_FAILED) {
        ESP_LOGW(TAG, "update failed: %s", updraft_error_message(error));
    } else if (after == UPDRAFT_DEVICE_IDLE && error != 0 && error != told_error) {
        ESP_LOGW(TAG, "%s: %s",
                 before == UPDRAFT_DEVICE_IDLE ? "request refused" : "update ended",
                 updraft_error_message(error));
    } else if (after == UPDRAFT_DEVICE_RECEIVING && before != after && image != NULL) {
        ESP_LOGI(TAG, "receiving %s %s into %s", image->project, image->version,
                 config.slots.target->label);
    } else if (after == UPDRAFT_DEVICE_RESTARTING && before != after && image != NULL) {
        ESP_LOGI(TAG, "update verified: %s %s", image->project, image->version);
    }
}

static void tell_app(void)
{
    if (config.app.progress == NULL) {
        return;
    }
    const updraft_progress_t progress = {
        .state = told_state,
        .received_bytes = told_bytes,
        .error = told_error,
        .image = told_state == UPDRAFT_DEVICE_IDLE || told_state == UPDRAFT_DEVICE_HEAD
                     ? NULL
                     : descriptor(),
    };
    config.app.progress(config.app.context, &progress);
}

/* Closes connections that ask for nothing. Returns in how many ms to look again, or 0
 * when there is none to look at. */
static uint32_t close_idle(void)
{
    uint16_t handles[UPDRAFT_LINK_CONNECTIONS_MAX];
    unsigned count = updraft_link_list(CONFIG_UPDRAFT_IDLE_CONNECTION_S * 1000u, handles);
    for (unsigned i = 0; i < count; i++) {
        if (handles[i] != updraft_device_owner(&device)) {
            ESP_LOGI(TAG, "connection %u asks for nothing: closing it", handles[i]);
            updraft_link_active(handles[i]);
            (void)ble_gap_terminate(handles[i], BLE_ERR_REM_USER_CONN_TERM);
        }
    }
    return updraft_link_count() > 0 ? IDLE_POLL_MS : 0;
}

/* other_ms: 0 means never. */
static void wait_until(uint32_t *wait_ms, uint32_t other_ms)
{
    if (other_ms != 0 && other_ms < *wait_ms) {
        *wait_ms = other_ms;
    }
}

/* Sleeps until something arrives or is due. */
static void wait_for_work(void)
{
    uint32_t wait_ms = UINT32_MAX;
    uint32_t deadline_ms;
    wait_until(&wait_ms, updraft_trial_poll());
    if (updraft_device_deadline(&device, &deadline_ms)) {
        int32_t left_ms = (int32_t)(deadline_ms - updraft_now_ms());
        wait_until(&wait_ms, left_ms > 0 ? (uint32_t)left_ms : 1);
    }
    if (config.poll_radio != NULL) {
        wait_until(&wait_ms, config.poll_radio());
        wait_until(&wait_ms, close_idle());
    }
    ulTaskNotifyTake(pdTRUE,
                     wait_ms == UINT32_MAX ? portMAX_DELAY : pdMS_TO_TICKS(wait_ms) + 1);
}
