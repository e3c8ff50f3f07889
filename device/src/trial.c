/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Trial, watchdog, confirmation and rollback, and what the note says of them. */
#include "trial.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "host/ble_hs.h"
#include "sdkconfig.h"

#include "idf_compat.h"
#include "link.h"
#include "log.h"
#include "note.h"

/* The watchdog's time between two polls: above the longest that flash work or another
 * task of higher priority may take. */
#define POLL_LIMIT_MS 10000u
#define POLL_MS       1000u

static const char *const TAG = "updraft";

static struct {
    const struct updraft_slots *slots;
    const uint8_t *running_id;
    _Atomic bool under_way;
    _Atomic bool radio_ready;
    _Atomic bool tested;
    uint32_t begun_ms;
    /* Update task only: since when everything that a confirmation needs has been there,
     * and whether it has been there for long enough. */
    bool fine;
    uint32_t fine_since_ms;
    bool settled;
    bool by_client;        /* a client's CONFIRM is needed as well */
    bool client_confirmed; /* and it came */
    uint8_t run_state;     /* when there is no trial: enum updraft_run_state */
} trial;

static uint8_t find_run_state(void);
static bool has_settled(uint32_t now_ms, uint32_t *ret_wait_ms);
static void note_end(enum updraft_note_state state, uint8_t reason);
static void confirm(void);

void updraft_trial_begin(const struct updraft_slots *new_slots,
                         const uint8_t id[UPDRAFT_IMAGE_HASH_SIZE])
{
    trial.slots = new_slots;
    trial.running_id = id;
    trial.fine = false;
    trial.settled = false;
    trial.by_client = false;
    trial.client_confirmed = false;
    atomic_store(&trial.tested, false);
    trial.begun_ms = updraft_now_ms();
    atomic_store(&trial.radio_ready, false);
    atomic_store(&trial.under_way, updraft_slot_on_trial(trial.slots));
    trial.run_state = find_run_state();
    if (updraft_trial_under_way()) {
        ESP_LOGI(TAG, "on trial");
        updraft_watchdog_arm(CONFIG_UPDRAFT_SELF_TEST_LIMIT_S * 1000u);
    } else {
        updraft_watchdog_disable();
    }
}

void updraft_trial_read_note(void)
{
    updraft_note_load();
    struct updraft_note note = *updraft_note();
    struct updraft_note_facts facts = {
        .running_slot = updraft_slot_index(trial.slots->running),
        .on_trial = updraft_trial_under_way(),
        .noted_state = updraft_slot_noted_state(trial.slots, note.slot),
        .reset_reason = (uint8_t)esp_reset_reason(),
    };
    memcpy(facts.running_id, trial.running_id, sizeof(facts.running_id));
    if (updraft_note_judge(&note, &facts)) {
        ESP_LOGI(TAG, "last activation: %s",
                 note.state == UPDRAFT_NOTE_CONFIRMED     ? "confirmed"
                 : note.state == UPDRAFT_NOTE_ROLLED_BACK ? "rolled back"
                                                          : "lost");
        (void)updraft_note_set(&note);
    }
    /* A note of another image says nothing of this one: it confirms itself. */
    trial.by_client = facts.on_trial && note.state == UPDRAFT_NOTE_ACTIVATING &&
                      note.policy == UPDRAFT_P2_CONFIRM_BY_CLIENT &&
                      updraft_note_names(&note, facts.running_slot, trial.running_id);
}

bool updraft_trial_under_way(void)
{
    return atomic_load(&trial.under_way);
}

void updraft_trial_radio_ready(void)
{
    atomic_store(&trial.radio_ready, true);
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
        updraft_trial_fail(UPDRAFT_REASON_SELF_TEST);
        return;
    }
    atomic_store(&trial.tested, true);
    ESP_LOGI(TAG, "self-test passed");
}

bool updraft_trial_tested(void)
{
    return !updraft_trial_under_way() || atomic_load(&trial.tested);
}

uint32_t updraft_trial_poll(void)
{
    if (!updraft_trial_under_way()) {
        return 0;
    }
    updraft_watchdog_feed();
    uint32_t now_ms = updraft_now_ms();
    uint32_t trial_ms = now_ms - trial.begun_ms;
    uint32_t wait_ms = POLL_MS;
    if (!trial.settled && trial_ms >= CONFIG_UPDRAFT_TRIAL_LIMIT_S * 1000u) {
        updraft_trial_fail(UPDRAFT_REASON_BLUETOOTH);
        return 0;
    }
    trial.settled = trial.settled || has_settled(now_ms, &wait_ms);
    if (trial.settled && (!trial.by_client || trial.client_confirmed)) {
        confirm();
        return 0;
    }
    if (trial.settled && trial_ms >= CONFIG_UPDRAFT_CLIENT_LIMIT_S * 1000u) {
        updraft_trial_fail(UPDRAFT_REASON_NO_CLIENT);
        return 0;
    }
    return wait_ms;
}

int updraft_trial_confirm(const uint8_t id[UPDRAFT_P2_ID_SIZE])
{
    if (memcmp(id, trial.running_id, UPDRAFT_P2_ID_SIZE) != 0) {
        return UPDRAFT_ERROR_LINK_STATE;
    }
    trial.client_confirmed = true;
    return 0;
}

void updraft_trial_tell(struct updraft_snapshot *snapshot)
{
    snapshot->run_state = trial.run_state;
    if (!updraft_trial_under_way()) {
        return;
    }
    uint32_t limit_s =
        trial.by_client ? CONFIG_UPDRAFT_CLIENT_LIMIT_S : CONFIG_UPDRAFT_TRIAL_LIMIT_S;
    snapshot->run_state = UPDRAFT_RUN_ON_TRIAL;
    snapshot->trial_end_ms = trial.begun_ms + limit_s * 1000u;
    if (trial.by_client && !trial.client_confirmed) {
        snapshot->flags |= UPDRAFT_INFO_CONFIRM_CLIENT;
    }
}

void updraft_trial_fail(uint8_t reason)
{
    static const char *const why[] = {
        [UPDRAFT_REASON_SELF_TEST] = "self-test failed",
        [UPDRAFT_REASON_BLUETOOTH] = "Bluetooth did not come up",
        [UPDRAFT_REASON_NO_CLIENT] = "no client confirmed it",
        [UPDRAFT_REASON_START] = "updraft does not start",
    };
    assert(reason < sizeof(why) / sizeof(why[0]) && why[reason] != NULL);
    ESP_LOGE(TAG, "%s, rolling back", why[reason]);
    note_end(UPDRAFT_NOTE_ROLLED_BACK, reason);
    esp_err_t err = esp_ota_mark_app_invalid_rollback_and_reboot();
    if (err != ESP_ERR_OTA_ROLLBACK_FAILED) {
        /* otadata could not be written. The boot loader aborts what is on trial. */
        updraft_log_error("rollback", err);
        esp_restart();
    }
    ESP_LOGE(TAG, "there is no other image to go back to: keeping this one");
    confirm();
}

/* Where the note is of the running image, and no other: protocol 1 leaves none. */
static void note_end(enum updraft_note_state state, uint8_t reason)
{
    struct updraft_note note = *updraft_note();
    if (updraft_note_names(&note, updraft_slot_index(trial.slots->running),
                           trial.running_id)) {
        note.state = state;
        note.reason = reason;
        note.detail = 0;
        (void)updraft_note_set(&note);
    }
}

/* What otadata says of a firmware that is not on trial. */
static uint8_t find_run_state(void)
{
    uint8_t slot = updraft_slot_index(trial.slots->running);
    if (slot == UPDRAFT_SLOT_NONE) {
        return UPDRAFT_RUN_FACTORY;
    }
    uint32_t state = updraft_slot_noted_state(trial.slots, slot);
    /* A boot loader that knows of trials turns NEW into PENDING_VERIFY before it starts
     * an image. */
    return state == ESP_OTA_IMG_NEW || state == ESP_OTA_IMG_UNDEFINED
               ? UPDRAFT_RUN_UNMONITORED
               : UPDRAFT_RUN_CONFIRMED;
}

/* Host and radio are up, the self-test has passed, and both has been so for a while. */
static bool has_settled(uint32_t now_ms, uint32_t *ret_wait_ms)
{
    if (!atomic_load(&trial.tested) || !ble_hs_synced() ||
        !atomic_load(&trial.radio_ready)) {
        trial.fine = false;
        return false;
    }
    if (!trial.fine) {
        trial.fine = true;
        trial.fine_since_ms = now_ms;
    }
    uint32_t fine_ms = now_ms - trial.fine_since_ms;
    if (fine_ms >= CONFIG_UPDRAFT_TRIAL_SETTLE_MS) {
        return true;
    }
    uint32_t left_ms = CONFIG_UPDRAFT_TRIAL_SETTLE_MS - fine_ms;
    *ret_wait_ms = left_ms < POLL_MS ? left_ms : POLL_MS;
    return false;
}

static void confirm(void)
{
    /* ESP-IDF marks the active entry, whichever slot it names. */
    if (updraft_slot_on_trial(trial.slots)) {
        esp_err_t err = esp_ota_mark_app_valid_cancel_rollback();
        if (err != ESP_OK) {
            updraft_log_error("not confirmed", err);
            esp_restart();
        }
    }
    note_end(UPDRAFT_NOTE_CONFIRMED, UPDRAFT_REASON_UNKNOWN);
    trial.run_state = UPDRAFT_RUN_CONFIRMED;
    atomic_store(&trial.under_way, false);
    updraft_watchdog_disable();
    ESP_LOGI(TAG, "confirmed");
}
