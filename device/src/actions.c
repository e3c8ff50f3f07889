/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Answers, the app's opinion, flash, the note, and the restart. */
#include "actions.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "esp_log.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "host/ble_gap.h"
#include "host/ble_hs.h"

#include "gatt.h"
#include "link.h"
#include "note.h"
#include "trial.h"

/* After the last answer: so long for it to get out or the client to leave, then so long
 * for the links to end in order, which spares clients their supervision timeout. */
#define RESTART_GRACE_MS 500u
#define RESTART_LIMIT_MS 2000u
#define RESTART_STEP_MS  20u
/* So long an answer may wait for NimBLE's buffers. */
#define ANSWER_LIMIT_MS 2000u

static const char *const TAG = "updraft";

static const struct updraft_task_config *config;
static const struct updraft_device *device;
static uint8_t *scratch;
static uint8_t output[UPDRAFT_IMAGE_HASH_SIZE];

static int find_crc(const struct updraft_device_action *action);
static int ask_app(const struct updraft_image_descriptor *image);
static int answer(const struct updraft_device_action *action);
static int prepare(void);
static int activate(void);
static int stage(const struct updraft_device_action *action);
static int unstage(const struct updraft_device_action *action);
static int note_policy(const struct updraft_device_action *action);
static int may_roll_back(const struct updraft_device_action *action);
static int roll_back(const struct updraft_device_action *action);
static void end_links(void);

void updraft_actions_init(const struct updraft_task_config *new_config,
                          const struct updraft_device *session,
                          uint8_t new_scratch[UPDRAFT_SLOT_SCRATCH_SIZE])
{
    config = new_config;
    device = session;
    scratch = new_scratch;
}

int updraft_actions_carry_out(const struct updraft_device_action *action,
                              const uint8_t **ret_output)
{
    const struct updraft_slots *slots = &config->slots;
    *ret_output = NULL;
    switch (action->kind) {
    case UPDRAFT_ACTION_ANSWER:
        return answer(action);
    case UPDRAFT_ACTION_BEGIN:
        ESP_LOGI(TAG, "update requested");
        return ask_app(NULL);
    case UPDRAFT_ACTION_JUDGE:
        return ask_app(updraft_actions_descriptor());
    case UPDRAFT_ACTION_PREPARE:
        return prepare();
    case UPDRAFT_ACTION_ERASE:
        return updraft_slot_erase(slots, action->offset_bytes, action->size_bytes);
    case UPDRAFT_ACTION_WRITE:
        return updraft_slot_write(slots, action->offset_bytes, action->bytes,
                                  action->size_bytes);
    case UPDRAFT_ACTION_HASH:
        *ret_output = output;
        return updraft_slot_hash(slots, action->bytes, action->size_bytes,
                                 action->offset_bytes, action->end_offset_bytes, scratch,
                                 output);
    case UPDRAFT_ACTION_READ:
        assert(action->size_bytes <= UPDRAFT_SLOT_SCRATCH_SIZE);
        *ret_output = scratch;
        return updraft_slot_read(slots, action->offset_bytes, scratch,
                                 action->size_bytes);
    case UPDRAFT_ACTION_CRC:
        *ret_output = output;
        return find_crc(action);
    case UPDRAFT_ACTION_ACTIVATE:
        return activate();
    case UPDRAFT_ACTION_RESTART:
        end_links();
        ESP_LOGI(TAG, "restarting into %s", slots->target->label);
        esp_restart();
        return 0;
    case UPDRAFT_ACTION_STAGE:
        return stage(action);
    case UPDRAFT_ACTION_UNSTAGE:
        return unstage(action);
    case UPDRAFT_ACTION_POLICY:
        return note_policy(action);
    case UPDRAFT_ACTION_CONFIRM:
        return updraft_trial_confirm(action->id);
    case UPDRAFT_ACTION_MAY_ROLL_BACK:
        return may_roll_back(action);
    case UPDRAFT_ACTION_ROLL_BACK:
        return roll_back(action);
    }
    return UPDRAFT_ERROR_STATE;
}

const struct updraft_image_descriptor *updraft_actions_descriptor(void)
{
    const struct updraft_image *image = updraft_device_image(device);
    return updraft_image_has_descriptor(image) ? &image->descriptor : NULL;
}

static int find_crc(const struct updraft_device_action *action)
{
    uint32_t crc;
    int error = updraft_slot_crc(&config->slots, action->offset_bytes, action->size_bytes,
                                 scratch, &crc);
    for (unsigned i = 0; i < 4; i++) {
        output[i] = (uint8_t)(crc >> 8 * i);
    }
    return error;
}

static int ask_app(const struct updraft_image_descriptor *image)
{
    if (config->app.may_update == NULL ||
        config->app.may_update(config->app.context, image)) {
        return 0;
    }
    return UPDRAFT_ERROR_VETOED;
}

/* Protocol 1's single bytes go out whatever the client subscribed to (the original never
 * looked); protocol 2 needs the subscription. While one connection updates, answers to
 * others cost it no time: neither NimBLE's buffers nor the console are waited for. */
static int answer(const struct updraft_device_action *action)
{
    uint16_t connection = action->connection;
    uint16_t owner = updraft_device_owner(device);
    bool is_foreign = owner != UPDRAFT_CONNECTION_NONE && owner != connection;
    bool is_wanted = action->size_bytes == 1 || updraft_link_subscribed(connection);
    int rc = BLE_HS_ENOTCONN;
    if (action->size_bytes == 1) {
        updraft_link_publish_control(action->bytes[0]);
    }
    /* After its end the handle may be another connection's. */
    if (is_wanted && !updraft_link_has_ended(connection)) {
        rc = updraft_gatt_notify(connection, action->bytes, (uint16_t)action->size_bytes,
                                 is_foreign ? 0 : ANSWER_LIMIT_MS);
    }
    if (rc == 0) {
        return 0;
    }
    if (!is_wanted && !is_foreign) {
        ESP_LOGW(TAG, "connection %u: no notifications enabled: not answered",
                 connection);
    } else if (!is_foreign) {
        ESP_LOGW(TAG, "connection %u: answer 0x%02x not sent: NimBLE error %d",
                 connection, action->bytes[0], rc);
    }
    return UPDRAFT_ERROR_LINK_LOST;
}

/* The note first: it must not promise what is erased next. Protocol 1 leaves none that
 * would say how its activation ended, so what an older one says ends here. */
static int prepare(void)
{
    bool forgotten = updraft_note_forget(updraft_device_protocol(device) == 1);
    return forgotten ? updraft_slot_prepare(&config->slots) : UPDRAFT_ERROR_FLASH_WRITE;
}

static int activate(void)
{
    int error = updraft_slot_activate(&config->slots);
    if (error != 0) {
        (void)updraft_note_forget(/* ended= */ false); /* it is not selected */
    }
    return error;
}

static int stage(const struct updraft_device_action *action)
{
    struct updraft_note note = {
        .state = UPDRAFT_NOTE_STAGED,
        .slot = updraft_slot_index(config->slots.target),
    };
    assert(action->size_bytes == sizeof(note.head) &&
           action->id_size_bytes == sizeof(note.id));
    memcpy(note.id, action->id, sizeof(note.id));
    memcpy(note.head, action->bytes, sizeof(note.head));
    /* A staged image that the next boot does not know of is none. */
    if (!updraft_note_set(&note)) {
        (void)updraft_note_forget(/* ended= */ false);
        return UPDRAFT_ERROR_FLASH_WRITE;
    }
    return 0;
}

static int unstage(const struct updraft_device_action *action)
{
    const struct updraft_note *note = updraft_note();
    if (config->slots.target == NULL || !updraft_note_staged(note) ||
        note->slot != updraft_slot_index(config->slots.target) ||
        memcmp(note->id, action->id, action->id_size_bytes) != 0) {
        return UPDRAFT_ERROR_NOTHING_STAGED;
    }
    return updraft_slot_write(&config->slots, 0, note->head, sizeof(note->head));
}

/* By the id that the slot's image has, whatever its client called it: the new firmware
 * knows itself by that. A policy that cannot be noted is the device's own. */
static int note_policy(const struct updraft_device_action *action)
{
    const esp_partition_t *target = config->slots.target;
    struct updraft_note note = {
        .state = UPDRAFT_NOTE_ACTIVATING,
        .policy = action->choice,
        .slot = updraft_slot_index(target),
    };
    /* Should the activation be lost, the slot has its first bytes: as flash has them. */
    int error = updraft_slot_read(&config->slots, 0, note.head, sizeof(note.head));
    if (error == 0) {
        /* Where it cannot be found, ESP-IDF does not select the image either. */
        (void)updraft_slot_image_id(target, note.id);
        (void)updraft_note_set(&note);
    }
    return error;
}

static int may_roll_back(const struct updraft_device_action *action)
{
    if (memcmp(action->id, config->image_id, action->id_size_bytes) != 0) {
        return UPDRAFT_ERROR_LINK_STATE;
    }
    return updraft_slot_may_go_back(&config->slots, action->choice)
               ? 0
               : UPDRAFT_ERROR_NO_FALLBACK;
}

static int roll_back(const struct updraft_device_action *action)
{
    const struct updraft_note before = *updraft_note();
    ESP_LOGI(TAG, "a client asks to go back to the %s image",
             action->choice == UPDRAFT_P2_ROLLBACK_FACTORY ? "factory" : "previous");
    end_links();
    struct updraft_note note = {
        .state = UPDRAFT_NOTE_ROLLED_BACK,
        .reason = UPDRAFT_REASON_COMMAND,
        .slot = updraft_slot_index(config->slots.running),
    };
    memcpy(note.id, config->image_id, sizeof(note.id));
    (void)updraft_note_set(&note);
    (void)updraft_slot_go_back(&config->slots, action->choice); /* it failed */
    (void)updraft_note_set(&before);
    esp_restart(); /* it was answered, and the links are gone: what runs goes on */
}

/* The app's last chance, then the links. */
static void end_links(void)
{
    uint16_t handles[UPDRAFT_LINK_CONNECTIONS_MAX];
    uint32_t start_ms = updraft_now_ms();
    bool owner_there = true;
    if (config->app.before_restart != NULL) {
        config->app.before_restart(config->app.context);
    }
    while (owner_there && updraft_now_ms() - start_ms < RESTART_GRACE_MS) {
        vTaskDelay(pdMS_TO_TICKS(RESTART_STEP_MS) + 1);
        unsigned count = updraft_link_list(0, handles);
        owner_there = false;
        for (unsigned i = 0; i < count; i++) {
            owner_there = owner_there || handles[i] == updraft_device_owner(device);
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
}
