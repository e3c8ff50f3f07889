/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What an app calls: everything at once, or beside its own NimBLE. */
#include "updraft.h"

#include <stdatomic.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_chip_info.h"
#include "esp_log.h"
#include "host/ble_gap.h"
#include "host/ble_hs.h"
#include "nvs_flash.h"
#include "sdkconfig.h"

#include "gap.h"
#include "gatt.h"
#include "link.h"
#include "log.h"
#include "slot.h"
#include "task.h"
#include "trial.h"
#include "updraft/error.h"

static const char *const TAG = "updraft";

static _Atomic bool started;
static struct updraft_task_config task_config;
static char version[sizeof(((esp_app_desc_t *)0)->version) + 1];

static esp_err_t begin(const updraft_config_t *config);
static esp_err_t attach(uint32_t (*poll_radio)(void));
static esp_err_t fail(esp_err_t err, const char *what);

bool updraft_on_trial(void)
{
    return updraft_trial_under_way();
}

void updraft_radio_ready(void)
{
    updraft_trial_radio_ready();
}

esp_err_t updraft_attach(const updraft_config_t *config)
{
    if (atomic_exchange(&started, true)) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = begin(config);
    if (err != ESP_OK) {
        return fail(err, "start");
    }
    updraft_trial_read_note();
    err = attach(/* poll_radio= */ NULL);
    return err == ESP_OK ? ESP_OK : fail(err, "services or task");
}

void updraft_gap_event(const struct ble_gap_event *event)
{
    switch (event->type) {
    case BLE_GAP_EVENT_CONNECT:
        /* Since ESP-IDF 5.5: EAGAIN is the end of a link that was never told, and any
         * other failure is the peer's, which did not say what it can. */
        if (event->connect.status == 0 ||
            (event->connect.status != BLE_HS_EAGAIN &&
             ble_gap_conn_find(event->connect.conn_handle, NULL) == 0)) {
            updraft_link_opened(event->connect.conn_handle);
        } else if (event->connect.conn_handle != BLE_HS_CONN_HANDLE_NONE) {
            updraft_link_closed(event->connect.conn_handle);
        }
        break;
    case BLE_GAP_EVENT_DISCONNECT:
        updraft_link_closed(event->disconnect.conn.conn_handle);
        break;
    case BLE_GAP_EVENT_MTU:
        updraft_link_active(event->mtu.conn_handle);
        break;
    case BLE_GAP_EVENT_SUBSCRIBE:
        updraft_link_active(event->subscribe.conn_handle);
        updraft_gatt_subscribed(event->subscribe.conn_handle,
                                event->subscribe.attr_handle,
                                event->subscribe.cur_notify);
        break;
    default: /* event types are numbers of NimBLE's, not an enum */
        break;
    }
}

#ifdef CONFIG_UPDRAFT_START

static esp_err_t start_nvs(void)
{
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        if (updraft_on_trial()) {
            /* It holds what the firmware before needs, should it come back. */
            ESP_LOGE(TAG, "NVS needs erasing, which is not done on trial");
            return err;
        }
        ESP_LOGW(TAG, "NVS: %s: erasing it", esp_err_to_name(err));
        err = nvs_flash_erase();
        if (err == ESP_OK) {
            err = nvs_flash_init();
        }
    }
    return err;
}

esp_err_t updraft_start(const updraft_config_t *config)
{
    if (atomic_exchange(&started, true)) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = begin(config);
    if (err != ESP_OK) {
        return fail(err, "start");
    }
    err = start_nvs();
    if (err != ESP_OK) {
        return fail(err, "NVS");
    }
    updraft_trial_read_note();
    err = updraft_gap_init(task_config.app.name);
    if (err != ESP_OK) {
        return fail(err, "Bluetooth");
    }
    err = attach(updraft_gap_poll);
    if (err != ESP_OK) {
        return fail(err, "services or task");
    }
    updraft_gap_run();
    return ESP_OK;
}

#endif

/* Fills in what the app left open, looks where it runs, and decides whether this is a
 * trial. Writes nothing, except where a power cut left no answer to that. */
static esp_err_t begin(const updraft_config_t *config)
{
    updraft_config_t *app = &task_config.app;
    if (config != NULL) {
        *app = *config;
    }
    if (app->name == NULL || app->name[0] == '\0') {
        app->name = CONFIG_UPDRAFT_DEVICE_NAME;
    }
    if (app->manufacturer == NULL) {
        app->manufacturer = CONFIG_UPDRAFT_MANUFACTURER;
    }
    if (app->model == NULL) {
        app->model = CONFIG_UPDRAFT_MODEL;
    }
    esp_err_t err = updraft_slots_find(&task_config.slots);
    if (err != ESP_OK) {
        return err;
    }
    /* The field is not terminated where it is full. */
    memcpy(version, esp_app_get_description()->version, sizeof(version) - 1);
    const struct updraft_slots *slots = &task_config.slots;
    ESP_LOGI(TAG, "running %s from %s (%s), updates go to %s", version,
             slots->running->label, updraft_slot_kind(slots->running),
             slots->target != NULL ? slots->target->label : "nowhere");
    updraft_link_init();
    int error = updraft_slot_renew_trial(slots);
    if (error != 0) {
        ESP_LOGE(TAG, "trial not renewed: error %d", error);
    }
    updraft_trial_begin(slots, task_config.image_id);
    err = updraft_slot_chip_id(slots, &task_config.chip_id);
    if (err == ESP_OK) {
        err = updraft_slot_image_id(slots->running, task_config.image_id);
    }
    if (err == ESP_OK) {
        err = updraft_slot_hardware_id(slots, &task_config.hardware_id);
    }
    if (err != ESP_OK) {
        return err;
    }
    esp_chip_info_t chip;
    esp_chip_info(&chip);
    task_config.chip_revision = chip.revision;
    return ESP_OK;
}

static esp_err_t attach(uint32_t (*poll_radio)(void))
{
    const struct updraft_gatt_strings strings = {
        .manufacturer = task_config.app.manufacturer,
        .model = task_config.app.model,
        .firmware_revision = version,
    };
    esp_err_t err = updraft_gatt_add(&strings);
    if (err != ESP_OK) {
        return err;
    }
    task_config.poll_radio = poll_radio;
    return updraft_task_start(&task_config);
}

static esp_err_t fail(esp_err_t err, const char *what)
{
    updraft_log_error(what, err);
    if (updraft_on_trial()) {
        updraft_trial_fail(UPDRAFT_REASON_START);
    }
    return err;
}
