/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Trial, watchdog, confirmation and rollback. */
#include "trial.h"

#include <stdatomic.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "host/ble_hs.h"
#include "sdkconfig.h"

#include "idf_compat.h"
#include "link.h"

/* The watchdog's time between two polls: above the longest that flash work or another
 * task of higher priority may take. */
#define POLL_LIMIT_MS 10000u
#define POLL_MS       1000u

static const char *const TAG = "updraft";

static const struct updraft_slots *slots;
static _Atomic bool under_way;
static _Atomic bool radio_ready;
static _Atomic bool tested;
static uint32_t begun_ms;
/* Update task only: since when everything that a confirmation needs has been there. */
static bool fine;
static uint32_t fine_since_ms;

static void confirm(void);

void updraft_trial_begin(const struct updraft_slots *new_slots)
{
    slots = new_slots;
    fine = false;
    atomic_store(&tested, false);
    begun_ms = updraft_now_ms();
    atomic_store(&radio_ready, false);
    atomic_store(&under_way, updraft_slot_on_trial(slots));
    if (updraft_trial_under_way()) {
        ESP_LOGI(TAG, "on trial");
        updraft_watchdog_arm(CONFIG_UPDRAFT_SELF_TEST_LIMIT_S * 1000u);
    } else {
        updraft_watchdog_disable();
    }
}

bool updraft_trial_under_way(void)
{
    return atomic_load(&under_way);
}

void updraft_trial_radio_ready(void)
{
    atomic_store(&radio_ready, true);
    updraft_link_wake();
}

void updraft_trial_test(const updraft_config_t *config)
{
    /* No second task watches the test: one that does not return is ended by the
     * watchdog, and the boot loader then goes back. */
    updraft_watchdog_arm(CONFIG_UPDRAFT_SELF_TEST_LIMIT_S * 1000u);
    bool passed = config->self_test == NULL || config->self_test(config->context);
    updraft_watchdog_arm(POLL_LIMIT_MS);
    if (!passed) {
        updraft_trial_fail("self-test failed");
        return;
    }
    atomic_store(&tested, true);
    ESP_LOGI(TAG, "self-test passed");
}

bool updraft_trial_tested(void)
{
    return !updraft_trial_under_way() || atomic_load(&tested);
}

uint32_t updraft_trial_poll(void)
{
    if (!updraft_trial_under_way()) {
        return 0;
    }
    updraft_watchdog_feed();
    uint32_t now_ms = updraft_now_ms();
    if (now_ms - begun_ms >= CONFIG_UPDRAFT_TRIAL_LIMIT_S * 1000u) {
        updraft_trial_fail("Bluetooth did not come up");
        return 0;
    }
    if (!atomic_load(&tested) || !ble_hs_synced() || !atomic_load(&radio_ready)) {
        fine = false;
        return POLL_MS;
    }
    if (!fine) {
        fine = true;
        fine_since_ms = now_ms;
    }
    uint32_t fine_ms = now_ms - fine_since_ms;
    if (fine_ms < CONFIG_UPDRAFT_TRIAL_SETTLE_MS) {
        uint32_t left_ms = CONFIG_UPDRAFT_TRIAL_SETTLE_MS - fine_ms;
        return left_ms < POLL_MS ? left_ms : POLL_MS;
    }
    confirm();
    return 0;
}

void updraft_trial_fail(const char *why)
{
    ESP_LOGE(TAG, "%s, rolling back", why);
    esp_err_t err = esp_ota_mark_app_invalid_rollback_and_reboot();
    if (err != ESP_ERR_OTA_ROLLBACK_FAILED) {
        /* otadata could not be written. The boot loader aborts what is on trial. */
        ESP_LOGE(TAG, "rollback: %s", esp_err_to_name(err));
        esp_restart();
    }
    ESP_LOGE(TAG, "there is no other image to go back to: keeping this one");
    confirm();
}

static void confirm(void)
{
    /* ESP-IDF marks the active entry, whichever slot it names. */
    if (updraft_slot_on_trial(slots)) {
        esp_err_t err = esp_ota_mark_app_valid_cancel_rollback();
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "not confirmed: %s", esp_err_to_name(err));
            esp_restart();
        }
    }
    atomic_store(&under_way, false);
    updraft_watchdog_disable();
    ESP_LOGI(TAG, "confirmed");
}
