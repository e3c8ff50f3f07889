/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The update task: events go into the session, what it asks for is carried out. */
#include "task.h"

#include <stddef.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host/ble_gap.h"
#include "sdkconfig.h"

#include "actions.h"
#include "fast_link.h"
#include "idf_compat.h"
#include "link.h"
#include "note.h"
#include "snapshot.h"
#include "trial.h"
#include "updraft/device_session.h"

#define IDLE_POLL_MS       1000u
#define PROGRESS_STEP_SIZE (64u * 1024u)
/* A stream that keeps the ring full never lets this task wait, and the idle task, which
 * the task watchdog is about, starves: so it gets a tick now and then. */
#define REST_EVERY_MS 500u
/* A batch of what comes in is waited for no longer. */
#define GATHER_LIMIT_MS 100u
/* What comes in is taken for so long before time limits, trial and idle connections get
 * their turn: a client that always has the next question waiting must not stop those. */
#define TURN_MS 1000u

/* How the log tells an error. */
#ifdef CONFIG_UPDRAFT_ERROR_MESSAGES
#define WHY_FORMAT "%s"
#define WHY(error) updraft_error_message(error)
#else
#define WHY_FORMAT "error %d"
#define WHY(error) (error)
#endif

static const char *const TAG = "updraft";

static const struct updraft_task_config *config;
static struct updraft_device device;
/* What the ring holds and what flash holds pass through here, one after the other. */
static uint8_t scratch[UPDRAFT_SLOT_SCRATCH_SIZE];
static StaticTask_t task_memory;
static StackType_t task_stack[CONFIG_UPDRAFT_TASK_STACK_SIZE / sizeof(StackType_t)];

/* What was told last. */
static struct {
    enum updraft_device_state state;
    int error;
    uint32_t bytes;
    uint16_t owner; /* to follow_link */
} told;
static uint32_t rested_ms;
static struct {
    bool under_way; /* something is queued, since: */
    uint32_t since_ms;
    bool emptying; /* and is being taken until nothing is left */
} gathering;

static void init_session(void);
static void init_info(void);
static void run(void *argument);
static bool enough_came(void);
static void input(const struct updraft_link_event *event);
static void act(void);
static void rest(void);
static void publish(void);
static void publish_info(void);
static void follow_link(void);
static void log_change(enum updraft_device_state before, enum updraft_device_state after);
static void tell_app(void);
static uint32_t close_idle(void);
static void wait_for_work(void);

_Static_assert(UPDRAFT_SLOT_SCRATCH_SIZE >= UPDRAFT_RING_PAYLOAD_SIZE,
               "the scratch takes a record of the ring");

esp_err_t updraft_task_start(const struct updraft_task_config *new_config)
{
    config = new_config;
    init_session();
    init_info();
    updraft_actions_init(config, &device, scratch);
    publish_info();
    told.state = updraft_device_state(&device);
    told.error = 0;
    told.bytes = 0;
    told.owner = UPDRAFT_CONNECTION_NONE;
    TaskHandle_t task =
        xTaskCreateStatic(run, "updraft", sizeof(task_stack) / sizeof(task_stack[0]),
                          NULL, CONFIG_UPDRAFT_TASK_PRIORITY, task_stack, &task_memory);
    return task != NULL ? ESP_OK : ESP_ERR_NO_MEM;
}

static uint32_t slot_size(void)
{
    return config->slots.target != NULL ? config->slots.target->size : 0;
}

static void init_session(void)
{
    struct updraft_device_config session = {
        .chip_id = config->chip_id,
        .chip_revision = config->chip_revision,
        .slot_size_bytes = slot_size(),
        .idle_limit_ms = CONFIG_UPDRAFT_UPDATE_IDLE_S * 1000u,
        .total_limit_ms = CONFIG_UPDRAFT_UPDATE_LIMIT_S * 1000u,
        .on_trial = updraft_trial_under_way(),
        .window_bytes = UPDRAFT_LINK_WINDOW_SIZE,
        .packet_cost_bytes = UPDRAFT_RING_HEADER_SIZE,
        .hardware_id = config->hardware_id,
        .secure_version = updraft_secure_version(),
    };
    /* The descriptor's fields are not terminated where they are full. */
    memcpy(session.project, esp_app_get_description()->project_name,
           sizeof(session.project) - 1);
    memcpy(session.image_id, config->image_id, sizeof(session.image_id));
    updraft_device_init(&device, &session);
}

static void init_info(void)
{
    const esp_app_desc_t *app = esp_app_get_description();
    struct updraft_info info = {
        .slot = updraft_slot_index(config->slots.running),
        .chip_id = config->chip_id,
        .chip_revision = config->chip_revision,
        .slot_size_bytes = slot_size(),
        .window_bytes = UPDRAFT_LINK_WINDOW_SIZE,
        .hardware_id = config->hardware_id,
        .secure_version = updraft_secure_version(),
    };
    if (esp_read_mac(info.device_id, ESP_MAC_BASE) != ESP_OK) {
        memset(info.device_id, 0, sizeof(info.device_id));
    }
    memcpy(info.image_id, config->image_id, sizeof(info.image_id));
    memcpy(info.version, app->version, sizeof(info.version) - 1);
    memcpy(info.project, app->project_name, sizeof(info.project) - 1);
    updraft_snapshot_init(&info);
}

static void run(void *argument)
{
    (void)argument;
    updraft_link_attach_task();
    if (updraft_trial_under_way()) {
        updraft_trial_test(&config->app);
    }
    for (;;) {
        struct updraft_link_event event;
        uint32_t begun_ms = updraft_now_ms();
        updraft_device_set_on_trial(&device, updraft_trial_under_way());
        while (enough_came() && updraft_now_ms() - begun_ms < TURN_MS &&
               updraft_link_take(&event, scratch)) {
            input(&event);
            act();
            if (updraft_device_owner(&device) != told.owner) {
                follow_link();
            }
        }
        updraft_device_tick(&device, updraft_now_ms());
        act();
        follow_link();
        wait_for_work();
    }
}

/* Where each flash operation interrupts the link, data is taken in batches. What comes
 * too slowly for that, or at the end, waits for no longer than the limit. */
static bool enough_came(void)
{
    uint32_t batch_bytes = updraft_device_batch_bytes(&device);
    uint32_t queued_bytes = updraft_link_queued();
    uint32_t now_ms = updraft_now_ms();
    if (queued_bytes == 0) {
        gathering.under_way = false;
        gathering.emptying = false;
    } else if (!gathering.under_way) {
        gathering.under_way = true;
        gathering.since_ms = now_ms;
    }
    gathering.emptying = gathering.emptying || batch_bytes == 0 ||
                         queued_bytes >= batch_bytes ||
                         now_ms - gathering.since_ms >= GATHER_LIMIT_MS;
    return gathering.emptying;
}

/* A client may ask for minutes of reading and hashing, and go. Its session, which that
 * was for, ends as soon as the ring tells. */
static bool is_for_nobody(const struct updraft_link_event *event)
{
    return updraft_link_has_ended(event->connection) &&
           (event->bytes[0] == UPDRAFT_P2_MAP || event->bytes[0] == UPDRAFT_P2_FINISH);
}

static void input(const struct updraft_link_event *event)
{
    uint32_t now_ms = updraft_now_ms();
    switch (event->kind) {
    case UPDRAFT_LINK_CONTROL:
        if (is_for_nobody(event)) {
            break;
        }
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
    updraft_device_set_queued(&device, updraft_link_queued());
    while (updraft_device_poll(&device, updraft_now_ms(), &action)) {
        const uint8_t *output;
        publish();
        int result = updraft_actions_carry_out(&action, &output);
        if (action.kind >= UPDRAFT_ACTION_PREPARE) {
            publish_info(); /* it may have changed the note */
        }
        updraft_device_set_queued(&device, updraft_link_queued());
        updraft_device_done(&device, result, result == 0 ? output : NULL,
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

/* Tells the host task and the app where the session stands. */
static void publish(void)
{
    enum updraft_device_state state = updraft_device_state(&device);
    int error = updraft_device_error(&device);
    uint32_t bytes = updraft_device_received_bytes(&device);
    updraft_link_publish(updraft_device_owner(&device), updraft_device_protocol(&device),
                         state == UPDRAFT_DEVICE_FAILED);
    if (state != told.state || error != told.error) {
        log_change(told.state, state);
    } else if (state != UPDRAFT_DEVICE_RECEIVING ||
               bytes - told.bytes < PROGRESS_STEP_SIZE) {
        return;
    }
    told.state = state;
    told.error = error;
    told.bytes = bytes;
    tell_app();
}

static void publish_info(void)
{
    const struct updraft_note *note = updraft_note();
    struct updraft_snapshot snapshot = {
        .result = updraft_note_result(note),
        .reason = note->reason,
        .detail = note->detail,
    };
    if (updraft_note_staged(note)) {
        snapshot.flags |= UPDRAFT_INFO_STAGED;
    }
    memcpy(snapshot.noted_id, note->id, sizeof(snapshot.noted_id));
    updraft_trial_tell(&snapshot);
    updraft_snapshot_publish(&snapshot);
}

/* Protocol 2 makes its link fast; and erasing must know how long a link lives without an
 * answer. */
static void follow_link(void)
{
    uint16_t owner = updraft_device_owner(&device);
    told.owner = owner;
    updraft_fast_link_use(updraft_device_protocol(&device) == UPDRAFT_P2_VERSION
                              ? owner
                              : UPDRAFT_CONNECTION_NONE);
    if (owner != UPDRAFT_CONNECTION_NONE) {
        updraft_device_set_supervision(&device, updraft_fast_link_supervision_ms(owner));
    }
}

static void log_change(enum updraft_device_state before, enum updraft_device_state after)
{
    const struct updraft_image_descriptor *image = updraft_actions_descriptor();
    int error = updraft_device_error(&device);
    if (after == UPDRAFT_DEVICE_FAILED) {
        ESP_LOGW(TAG, "update failed: " WHY_FORMAT, WHY(error));
    } else if (after == UPDRAFT_DEVICE_IDLE && error != 0 && error != told.error) {
        ESP_LOGW(TAG, "%s: " WHY_FORMAT,
                 before == UPDRAFT_DEVICE_IDLE ? "request refused" : "update ended",
                 WHY(error));
    } else if (after == UPDRAFT_DEVICE_RECEIVING && before != after && image != NULL) {
        ESP_LOGI(TAG, "receiving %s %s into %s", image->project, image->version,
                 config->slots.target->label);
    } else if ((after == UPDRAFT_DEVICE_VERIFIED ||
                (after == UPDRAFT_DEVICE_RESTARTING &&
                 before == UPDRAFT_DEVICE_VERIFYING)) &&
               before != after && image != NULL) {
        ESP_LOGI(TAG, "update verified: %s %s", image->project, image->version);
    }
}

static void tell_app(void)
{
    if (config->app.progress == NULL) {
        return;
    }
    const updraft_progress_t progress = {
        .state = told.state,
        .received_bytes = told.bytes,
        .error = told.error,
        .image =
            updraft_device_protocol(&device) != 0 ? updraft_actions_descriptor() : NULL,
    };
    config->app.progress(config->app.context, &progress);
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
    wait_until(&wait_ms, gathering.emptying    ? 1
                         : gathering.under_way ? GATHER_LIMIT_MS
                                               : 0);
    publish_info();
    if (updraft_device_deadline(&device, &deadline_ms)) {
        int32_t left_ms = (int32_t)(deadline_ms - updraft_now_ms());
        wait_until(&wait_ms, left_ms > 0 ? (uint32_t)left_ms : 1);
    }
    if (config->poll_radio != NULL) {
        wait_until(&wait_ms, config->poll_radio());
        wait_until(&wait_ms, close_idle());
    }
    ulTaskNotifyTake(pdTRUE,
                     wait_ms == UINT32_MAX ? portMAX_DELAY : pdMS_TO_TICKS(wait_ms) + 1);
}
