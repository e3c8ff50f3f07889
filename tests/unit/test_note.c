/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The note of the last activation, over an NVS that works, fails, or is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device/src/note.h"
#include "device/src/slot.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "nvs.h"

/* One value in one namespace. */
static struct {
    bool mounted;
    bool full;
    bool broken; /* nothing can be erased */
    bool exists;
    size_t size;
    uint8_t bytes[200];
    unsigned writes;
    unsigned open; /* handles that were not closed */
} store;

esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode,
                   nvs_handle_t *out_handle)
{
    assert_string_equal(namespace_name, "updraft");
    if (!store.mounted) {
        return ESP_ERR_NVS_NOT_INITIALIZED;
    }
    if (open_mode == NVS_READONLY && !store.exists) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    *out_handle = 1;
    store.open++;
    return ESP_OK;
}

esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value,
                       size_t *length)
{
    assert_int_equal(handle, 1);
    assert_string_equal(key, "note");
    if (store.size == 0) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    if (*length < store.size) {
        return ESP_ERR_NVS_INVALID_LENGTH;
    }
    memcpy(out_value, store.bytes, store.size);
    *length = store.size;
    return ESP_OK;
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value,
                       size_t length)
{
    assert_int_equal(handle, 1);
    assert_string_equal(key, "note");
    if (store.full) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    assert_true(length <= sizeof(store.bytes));
    memcpy(store.bytes, value, length);
    store.size = length;
    store.exists = true;
    store.writes++;
    return ESP_OK;
}

esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key)
{
    assert_int_equal(handle, 1);
    assert_string_equal(key, "note");
    if (store.broken) {
        return ESP_ERR_NVS_REMOVE_FAILED;
    }
    if (store.size == 0) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    store.size = 0;
    return ESP_OK;
}

esp_err_t nvs_commit(nvs_handle_t handle)
{
    assert_int_equal(handle, 1);
    return ESP_OK;
}

void nvs_close(nvs_handle_t handle)
{
    assert_int_equal(handle, 1);
    store.open--;
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    (void)level;
    (void)tag;
    (void)format;
}

uint32_t esp_log_timestamp(void)
{
    return 0;
}

const char *esp_err_to_name(esp_err_t code)
{
    (void)code;
    return "error";
}

static int begin(void **state)
{
    (void)state;
    memset(&store, 0, sizeof(store));
    store.mounted = true;
    updraft_note_load();
    return 0;
}

static int end(void **state)
{
    (void)state;
    assert_int_equal(store.open, 0);
    return 0;
}

static struct updraft_note make(enum updraft_note_state note_state)
{
    struct updraft_note note = {
        .state = note_state, .policy = 1, .reason = 2, .detail = 3, .slot = 1};
    memset(note.id, 0x11, sizeof(note.id));
    memset(note.head, 0xE9, sizeof(note.head));
    return note;
}

static void note_survives_a_restart(void **state)
{
    (void)state;
    const struct updraft_note note = make(UPDRAFT_NOTE_ROLLED_BACK);
    assert_true(updraft_note_set(&note));
    updraft_note_load();
    const struct updraft_note *read = updraft_note();
    assert_int_equal(read->state, UPDRAFT_NOTE_ROLLED_BACK);
    assert_int_equal(read->policy, 1);
    assert_int_equal(read->reason, 2);
    assert_int_equal(read->detail, 3);
    assert_int_equal(read->slot, 1);
    assert_memory_equal(read->id, note.id, sizeof(note.id));
    assert_memory_equal(read->head, note.head, sizeof(note.head));
}

static void note_is_written_only_where_it_changed(void **state)
{
    (void)state;
    struct updraft_note note = make(UPDRAFT_NOTE_STAGED);
    assert_true(updraft_note_set(&note));
    assert_true(updraft_note_set(&note));
    updraft_note_load();
    assert_true(updraft_note_set(&note));
    assert_int_equal(store.writes, 1);
    note.head[31] ^= 1;
    assert_true(updraft_note_set(&note));
    assert_int_equal(store.writes, 2);
}

static void damaged_or_foreign_note_is_none(void **state)
{
    (void)state;
    const struct updraft_note note = make(UPDRAFT_NOTE_STAGED);
    assert_true(updraft_note_set(&note));
    for (size_t bit = 0; bit < store.size * 8; bit++) {
        store.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        updraft_note_load();
        assert_int_equal(updraft_note()->state, UPDRAFT_NOTE_NONE);
        store.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = store.size; size-- > 0;) {
        store.size = size;
        updraft_note_load();
        assert_int_equal(updraft_note()->state, UPDRAFT_NOTE_NONE);
    }
    /* And it can be written over. */
    assert_true(updraft_note_set(&note));
    updraft_note_load();
    assert_int_equal(updraft_note()->state, UPDRAFT_NOTE_STAGED);
}

static void without_nvs_the_note_lasts_until_the_restart(void **state)
{
    (void)state;
    store.mounted = false;
    updraft_note_load();
    const struct updraft_note note = make(UPDRAFT_NOTE_STAGED);
    assert_false(updraft_note_set(&note));
    assert_int_equal(updraft_note()->state, UPDRAFT_NOTE_STAGED);
    assert_true(updraft_note_forget(false));
    assert_int_equal(updraft_note()->state, UPDRAFT_NOTE_NONE);
    updraft_note_load();
    assert_int_equal(updraft_note()->state, UPDRAFT_NOTE_NONE);
}

static void promise_in_flash_is_gone_before_the_slot_is(void **state)
{
    (void)state;
    static const enum updraft_note_state promises[] = {
        UPDRAFT_NOTE_STAGED, UPDRAFT_NOTE_ACTIVATING, UPDRAFT_NOTE_LOST};
    for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
        const struct updraft_note note = make(promises[i]);
        assert_true(updraft_note_set(&note));
        store.broken = true;
        assert_false(updraft_note_forget(false));
        assert_false(updraft_note_forget(false)); /* it does not get used to it */
        assert_int_equal(updraft_note()->state, promises[i]);
        store.broken = false;
        assert_true(updraft_note_forget(false));
        updraft_note_load();
        assert_int_equal(updraft_note()->state, UPDRAFT_NOTE_NONE);
    }
    /* How an older activation ended stays true. */
    const struct updraft_note note = make(UPDRAFT_NOTE_CONFIRMED);
    assert_true(updraft_note_set(&note));
    assert_true(updraft_note_forget(false));
    updraft_note_load();
    assert_int_equal(updraft_note()->state, UPDRAFT_NOTE_CONFIRMED);
    assert_true(updraft_note_forget(/* ended= */ true));
    updraft_note_load();
    assert_int_equal(updraft_note()->state, UPDRAFT_NOTE_NONE);
}

/* Where a note could not be written, an older one is still there. */
static void a_full_nvs_keeps_no_promise(void **state)
{
    (void)state;
    static const enum updraft_note_state states[] = {
        UPDRAFT_NOTE_STAGED, UPDRAFT_NOTE_ACTIVATING, UPDRAFT_NOTE_LOST,
        UPDRAFT_NOTE_CONFIRMED};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        const struct updraft_note staged = make(UPDRAFT_NOTE_STAGED);
        const struct updraft_note later = make(states[i]);
        assert_true(updraft_note_set(&staged));
        store.full = true;
        assert_int_equal(updraft_note_set(&later), states[i] == UPDRAFT_NOTE_STAGED);
        assert_true(updraft_note_forget(false));
        assert_int_equal(updraft_note()->state, states[i] == UPDRAFT_NOTE_CONFIRMED
                                                    ? UPDRAFT_NOTE_CONFIRMED
                                                    : UPDRAFT_NOTE_NONE);
        updraft_note_load();
        assert_int_equal(updraft_note()->state, UPDRAFT_NOTE_NONE);
        store.full = false;
    }
}

struct judgement {
    int before; /* enum updraft_note_state */
    bool same_slot;
    bool same_id;
    bool on_trial;
    uint32_t noted_state;
    int after;
    uint8_t reason;
    uint8_t detail;
};

static void boot_shows_how_the_activation_ended(void **state)
{
    (void)state;
    enum {
        NEW = ESP_OTA_IMG_NEW,
        PENDING = ESP_OTA_IMG_PENDING_VERIFY,
        VALID = ESP_OTA_IMG_VALID,
        INVALID = ESP_OTA_IMG_INVALID,
        ABORTED = ESP_OTA_IMG_ABORTED,
        BLANK = -1,
        NONE = UPDRAFT_NOTE_NONE,
        STAGED = UPDRAFT_NOTE_STAGED,
        ACTIVATING = UPDRAFT_NOTE_ACTIVATING,
        CONFIRMED = UPDRAFT_NOTE_CONFIRMED,
        BACK = UPDRAFT_NOTE_ROLLED_BACK,
        LOST = UPDRAFT_NOTE_LOST,
    };
    /* Reason 2 and detail 3 are what the note had before. */
    static const struct judgement judgements[] = {
        {ACTIVATING, true, true, true, PENDING, ACTIVATING, 2, 3},
        {ACTIVATING, true, true, false, VALID, CONFIRMED, 0, 0},
        {ACTIVATING, true, true, false, NEW, CONFIRMED, 0, 0},
        {ACTIVATING, false, false, false, ABORTED, BACK, UPDRAFT_REASON_RESET, 7},
        {ACTIVATING, false, false, false, INVALID, BACK, UPDRAFT_REASON_UNKNOWN, 0},
        {ACTIVATING, false, false, false, (uint32_t)BLANK, LOST, 0, 0},
        {ACTIVATING, false, false, false, NEW, LOST, 0, 0},
        /* The same image in both slots. */
        {ACTIVATING, false, true, false, ABORTED, BACK, UPDRAFT_REASON_RESET, 7},
        /* Another image in the noted slot, by cable. */
        {ACTIVATING, true, false, false, VALID, LOST, 0, 0},
        {STAGED, true, true, false, VALID, STAGED, 2, 3},
        {STAGED, false, false, false, ABORTED, STAGED, 2, 3},
        {CONFIRMED, false, false, false, ABORTED, CONFIRMED, 2, 3},
        {LOST, false, false, false, ABORTED, LOST, 2, 3},
        {BACK, false, false, false, ABORTED, BACK, 2, 3},
        {BACK, false, false, false, INVALID, BACK, 2, 3},
        /* The power went away between the note and the rollback. */
        {BACK, true, true, false, VALID, CONFIRMED, 0, 0},
        {NONE, true, true, false, VALID, NONE, 2, 3},
    };
    for (size_t i = 0; i < sizeof(judgements) / sizeof(judgements[0]); i++) {
        const struct judgement *judgement = &judgements[i];
        struct updraft_note note = make((enum updraft_note_state)judgement->before);
        struct updraft_note_facts facts = {
            .running_slot = judgement->same_slot ? note.slot : UPDRAFT_SLOT_NONE,
            .on_trial = judgement->on_trial,
            .noted_state = judgement->noted_state,
            .reset_reason = 7,
        };
        memset(facts.running_id, judgement->same_id ? 0x11 : 0x22,
               sizeof(facts.running_id));
        bool changed = updraft_note_judge(&note, &facts);
        if ((int)note.state != judgement->after || note.reason != judgement->reason ||
            note.detail != judgement->detail ||
            changed != (judgement->after != judgement->before)) {
            fail_msg("row %zu: state %d reason %d detail %d changed %d", i,
                     (int)note.state, note.reason, note.detail, changed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(note_survives_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(note_is_written_only_where_it_changed, begin,
                                        end),
        cmocka_unit_test_setup_teardown(damaged_or_foreign_note_is_none, begin, end),
        cmocka_unit_test_setup_teardown(without_nvs_the_note_lasts_until_the_restart,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_full_nvs_keeps_no_promise, begin, end),
        cmocka_unit_test_setup_teardown(promise_in_flash_is_gone_before_the_slot_is,
                                        begin, end),
        cmocka_unit_test_setup_teardown(boot_shows_how_the_activation_ended, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
