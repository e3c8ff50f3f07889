/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Slots, and the rule that nothing is erased while otadata leads to it. */
#include "slot.h"

#include <assert.h>
#include <string.h>

#include "esp_image_format.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_rom_crc.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "idf_compat.h"
#include "log.h"
#include "marker.h"
#include "updraft/error.h"
#include "updraft/otadata.h"

#define OTADATA_SECTOR_SIZE 4096u
#define OTADATA_STATE_AT    24u
#define IMAGE_HEADER_SIZE   24u /* esp_image_header_t */
#define SEGMENT_HEADER_SIZE 8u  /* esp_image_segment_header_t */
/* Other tasks (the idle task's watchdog among them) get a turn this often. */
#define READ_YIELD_SIZE (64u * 1024u)

static const char *const TAG = "updraft";

static int read_otadata(const struct updraft_slots *slots,
                        struct updraft_otadata *ret_otadata);
static int read_active(const struct updraft_slots *slots,
                       struct updraft_otadata *ret_otadata);
static bool has_meaning(uint32_t state);
static bool is_untried(const struct updraft_slots *slots,
                       const struct updraft_otadata *otadata);
static int erase_entry(const struct updraft_slots *slots, int index);
static int select_running(const struct updraft_slots *slots,
                          const struct updraft_otadata *otadata);

static const esp_partition_t *find_factory(void);
static int read_flash(const esp_partition_t *partition, uint32_t offset_bytes,
                      uint8_t *ret_bytes, uint32_t size_bytes);
static int write_flash(const esp_partition_t *partition, uint32_t offset_bytes,
                       const uint8_t *bytes, uint32_t size_bytes);
static int erase_flash(const esp_partition_t *partition, uint32_t offset_bytes,
                       uint32_t size_bytes);
static int failed(int error, const esp_partition_t *partition, const char *what,
                  uint32_t offset_bytes, esp_err_t err);

static bool is_ota(const esp_partition_t *partition)
{
    return partition->type == ESP_PARTITION_TYPE_APP &&
           partition->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
           partition->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
}

static uint8_t ota_index(const esp_partition_t *partition)
{
    assert(is_ota(partition));
    return (uint8_t)(partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN);
}

static uint32_t get_le32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

esp_err_t updraft_slots_find(struct updraft_slots *ret_slots)
{
    struct updraft_slots slots = {.running = esp_ota_get_running_partition()};
    if (slots.running == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    uint8_t last = 0; /* index of an OTA slot */
    esp_partition_iterator_t app =
        esp_partition_find(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, NULL);
    while (app != NULL) {
        const esp_partition_t *partition = esp_partition_get(app);
        if (is_ota(partition)) {
            slots.ota_count++;
            last = ota_index(partition) > last ? ota_index(partition) : last;
        }
        app = esp_partition_next(app);
    }
    slots.otadata = esp_partition_find_first(ESP_PARTITION_TYPE_DATA,
                                             ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    if (slots.otadata != NULL &&
        (slots.otadata->size < 2 * OTADATA_SECTOR_SIZE || slots.ota_count == 0)) {
        slots.otadata = NULL;
    }
    /* Where a number is left out, ESP-IDF and its boot loader count differently. */
    if (slots.otadata != NULL && last < slots.ota_count) {
        const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);
        /* With a single OTA slot, the next one is the one that runs. */
        if (next != NULL && is_ota(next) && next->address != slots.running->address) {
            slots.target = next;
        }
    }
    *ret_slots = slots;
    return ESP_OK;
}

const char *updraft_slot_kind(const esp_partition_t *partition)
{
    static const char *const ota[] = {
        "ota_0", "ota_1", "ota_2",  "ota_3",  "ota_4",  "ota_5",  "ota_6",  "ota_7",
        "ota_8", "ota_9", "ota_10", "ota_11", "ota_12", "ota_13", "ota_14", "ota_15"};
    if (is_ota(partition)) {
        return ota[ota_index(partition)];
    }
    return partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY ? "factory" : "test";
}

esp_err_t updraft_slot_chip_id(const struct updraft_slots *slots, uint16_t *ret_chip_id)
{
    uint8_t bytes[2];
    /* esp_image_header_t.chip_id */
    esp_err_t err = esp_partition_read(slots->running, 12, bytes, sizeof(bytes));
    if (err == ESP_OK) {
        *ret_chip_id = (uint16_t)(bytes[0] | bytes[1] << 8);
    }
    return err;
}

/* The segments' sizes lead to the checksum, which ends a block of 16 bytes; the hash
 * follows. */
esp_err_t updraft_slot_image_id(const esp_partition_t *partition,
                                uint8_t ret_id[UPDRAFT_IMAGE_HASH_SIZE])
{
    uint8_t header[IMAGE_HEADER_SIZE];
    uint32_t at = sizeof(header);
    esp_err_t err = esp_partition_read(partition, 0, header, sizeof(header));
    memset(ret_id, 0, UPDRAFT_IMAGE_HASH_SIZE);
    if (err != ESP_OK || header[23] == 0) { /* esp_image_header_t.hash_appended */
        return err;
    }
    for (unsigned i = 0; i < header[1] && err == ESP_OK; i++) { /* .segment_count */
        uint8_t segment[SEGMENT_HEADER_SIZE];
        err = esp_partition_read(partition, at, segment, sizeof(segment));
        at += sizeof(segment) + get_le32(segment + 4);
    }
    at = (at + 16) / 16 * 16;
    return err != ESP_OK
               ? err
               : esp_partition_read(partition, at, ret_id, UPDRAFT_IMAGE_HASH_SIZE);
}

esp_err_t updraft_slot_hardware_id(const struct updraft_slots *slots,
                                   uint32_t *ret_hardware_id)
{
    uint8_t bytes[UPDRAFT_MARKER_SIZE];
    esp_err_t err =
        esp_partition_read(slots->running, UPDRAFT_MARKER_OFFSET, bytes, sizeof(bytes));
    if (err == ESP_OK) {
        /* An app with a descriptor of its own in that section may have come first. */
        const uint8_t *marker =
            get_le32(bytes) == UPDRAFT_MARKER_MAGIC ? bytes : updraft_marker;
        *ret_hardware_id = get_le32(marker + 8);
    }
    return err;
}

uint8_t updraft_slot_index(const esp_partition_t *partition)
{
    return is_ota(partition) ? ota_index(partition) : UPDRAFT_SLOT_NONE;
}

uint32_t updraft_slot_noted_state(const struct updraft_slots *slots, uint8_t index)
{
    struct updraft_otadata otadata;
    uint32_t sequence = 0;
    uint32_t state = ESP_OTA_IMG_UNDEFINED;
    if (slots->otadata == NULL || read_otadata(slots, &otadata) != 0) {
        return state;
    }
    for (int i = 0; i < 2; i++) {
        const struct updraft_otadata_entry *entry = &otadata.entries[i];
        /* The later one counts, where both are of the slot. */
        if (entry->sequence != UINT32_MAX && entry->sequence > sequence &&
            (entry->sequence - 1) % slots->ota_count == index) {
            sequence = entry->sequence;
            state = entry->state;
        }
    }
    return state;
}

bool updraft_slot_on_trial(const struct updraft_slots *slots)
{
    struct updraft_otadata otadata;
    return read_active(slots, &otadata) == 0 && otadata.active >= 0 &&
           otadata.entries[otadata.active].state == ESP_OTA_IMG_PENDING_VERIFY;
}

int updraft_slot_renew_trial(const struct updraft_slots *slots)
{
    struct updraft_otadata otadata;
    int error = read_active(slots, &otadata);
    if (error == 0 && is_untried(slots, &otadata)) {
        ESP_LOGW(TAG, "otadata has no record of %s: on trial", slots->running->label);
        esp_err_t err = esp_ota_set_boot_partition(slots->running);
        if (err != ESP_OK) {
            updraft_log_error("running slot not selected", err);
            return UPDRAFT_ERROR_FLASH_WRITE;
        }
        error = read_active(slots, &otadata);
    } else if (error == 0 && otadata.active >= 0 &&
               !has_meaning(otadata.entries[otadata.active].state)) {
        ESP_LOGW(TAG, "otadata: state 0x%x of %s means nothing: on trial again",
                 (unsigned)otadata.entries[otadata.active].state, slots->running->label);
    } else {
        return error;
    }
    uint8_t entry[UPDRAFT_OTADATA_ENTRY_SIZE];
    uint32_t offset_bytes = (uint32_t)otadata.active * OTADATA_SECTOR_SIZE;
    if (error != 0 || otadata.active < 0) {
        return error;
    }
    error = read_flash(slots->otadata, offset_bytes, entry, sizeof(entry));
    /* Sequence and checksum stay. */
    const uint8_t pending[4] = {ESP_OTA_IMG_PENDING_VERIFY};
    memcpy(entry + OTADATA_STATE_AT, pending, sizeof(pending));
    if (error == 0) {
        error = erase_entry(slots, otadata.active);
    }
    if (error == 0) {
        error = write_flash(slots->otadata, offset_bytes, entry, sizeof(entry));
    }
    return error;
}

static bool names_target(const struct updraft_slots *slots,
                         const struct updraft_otadata_entry *entry)
{
    return entry->valid && entry->slot == ota_index(slots->target);
}

int updraft_slot_prepare(const struct updraft_slots *slots)
{
    struct updraft_otadata otadata;
    assert(slots->target != NULL && slots->target->address != slots->running->address);
    int error = read_otadata(slots, &otadata);
    if (error == 0) {
        error = select_running(slots, &otadata);
    }
    if (error == 0) {
        error = read_otadata(slots, &otadata);
    }
    for (int i = 0; i < 2 && error == 0; i++) {
        if (names_target(slots, &otadata.entries[i])) {
            error = erase_entry(slots, i);
        }
    }
    if (error == 0) {
        error = read_otadata(slots, &otadata);
    }
    for (int i = 0; i < 2 && error == 0; i++) {
        if (names_target(slots, &otadata.entries[i])) {
            ESP_LOGE(TAG, "otadata still names %s", slots->target->label);
            error = UPDRAFT_ERROR_FLASH_ERASE;
        }
    }
    return error;
}

int updraft_slot_erase(const struct updraft_slots *slots, uint32_t offset_bytes,
                       uint32_t size_bytes)
{
    return erase_flash(slots->target, offset_bytes, size_bytes);
}

int updraft_slot_write(const struct updraft_slots *slots, uint32_t offset_bytes,
                       const uint8_t *bytes, uint32_t size_bytes)
{
    return write_flash(slots->target, offset_bytes, bytes, size_bytes);
}

int updraft_slot_read(const struct updraft_slots *slots, uint32_t offset_bytes,
                      uint8_t *ret_bytes, uint32_t size_bytes)
{
    return read_flash(slots->target, offset_bytes, ret_bytes, size_bytes);
}

/* Reads the next piece of [*offset, end) into the scratch; 0 bytes: that was all. */
static int next_piece(const struct updraft_slots *slots, uint32_t *offset_bytes,
                      uint32_t end_offset_bytes, uint8_t *scratch,
                      uint32_t *ret_size_bytes)
{
    uint32_t size_bytes = end_offset_bytes - *offset_bytes;
    if (size_bytes > UPDRAFT_SLOT_SCRATCH_SIZE) {
        size_bytes = UPDRAFT_SLOT_SCRATCH_SIZE;
    }
    *ret_size_bytes = size_bytes;
    if (size_bytes == 0) {
        return 0;
    }
    int error = updraft_slot_read(slots, *offset_bytes, scratch, size_bytes);
    uint32_t before = *offset_bytes / READ_YIELD_SIZE;
    *offset_bytes += size_bytes;
    if (*offset_bytes / READ_YIELD_SIZE != before) {
        vTaskDelay(1);
    }
    return error;
}

int updraft_slot_hash(const struct updraft_slots *slots, const uint8_t *head,
                      uint32_t head_size_bytes, uint32_t offset_bytes,
                      uint32_t end_offset_bytes,
                      uint8_t scratch[UPDRAFT_SLOT_SCRATCH_SIZE], uint8_t ret_digest[32])
{
    static updraft_sha256_t hash;
    uint32_t size_bytes = head_size_bytes;

    assert(offset_bytes <= end_offset_bytes);
    if (!updraft_sha256_start(&hash) || !updraft_sha256_input(&hash, head, size_bytes)) {
        goto failed;
    }
    while (size_bytes > 0) {
        if (next_piece(slots, &offset_bytes, end_offset_bytes, scratch, &size_bytes) !=
                0 ||
            !updraft_sha256_input(&hash, scratch, size_bytes)) {
            goto failed;
        }
    }
    if (!updraft_sha256_finish(&hash, ret_digest)) {
        goto failed;
    }
    return 0;

failed:
    updraft_sha256_abort(&hash);
    ESP_LOGE(TAG, "%s: hash failed at 0x%x", slots->target->label,
             (unsigned)offset_bytes);
    return UPDRAFT_ERROR_FLASH_READ;
}

int updraft_slot_crc(const struct updraft_slots *slots, uint32_t offset_bytes,
                     uint32_t size_bytes, uint8_t scratch[UPDRAFT_SLOT_SCRATCH_SIZE],
                     uint32_t *ret_crc)
{
    uint32_t end_offset_bytes = offset_bytes + size_bytes;
    uint32_t crc = 0;
    int error = 0;
    while (error == 0 && size_bytes > 0) {
        error = next_piece(slots, &offset_bytes, end_offset_bytes, scratch, &size_bytes);
        if (error == 0) {
            /* The ROM inverts at both ends, as updraft_crc32 does, and is faster. */
            crc = esp_rom_crc32_le(crc, scratch, size_bytes);
        }
    }
    *ret_crc = crc;
    return error;
}

int updraft_slot_activate(const struct updraft_slots *slots)
{
    esp_err_t err = esp_ota_set_boot_partition(slots->target);
    if (err != ESP_OK) {
        updraft_log_error("update not selected for the next boot", err);
        return err == ESP_ERR_OTA_VALIDATE_FAILED ? UPDRAFT_ERROR_NOT_VERIFIED
                                                  : UPDRAFT_ERROR_FLASH_WRITE;
    }
    return 0;
}

bool updraft_slot_may_go_back(const struct updraft_slots *slots, uint8_t target)
{
    if (target == UPDRAFT_P2_ROLLBACK_PREVIOUS) {
        /* ESP-IDF looks at the active entry, whoever runs. */
        struct updraft_otadata otadata;
        return read_active(slots, &otadata) == 0 && otadata.active >= 0 &&
               esp_ota_check_rollback_is_possible();
    }
    const esp_partition_t *factory = find_factory();
    esp_image_metadata_t image;
    if (factory == NULL || factory->address == slots->running->address) {
        return false;
    }
    const esp_partition_pos_t place = {factory->address, factory->size};
    return esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &place, &image) == ESP_OK;
}

int updraft_slot_go_back(const struct updraft_slots *slots, uint8_t target)
{
    esp_err_t err;
    (void)slots;
    if (target == UPDRAFT_P2_ROLLBACK_PREVIOUS) {
        err = esp_ota_mark_app_invalid_rollback_and_reboot();
    } else {
        err = esp_ota_set_boot_partition(find_factory());
        if (err == ESP_OK) {
            esp_restart();
        }
    }
    updraft_log_error("cannot go back", err);
    return UPDRAFT_ERROR_FLASH_WRITE;
}

static const esp_partition_t *find_factory(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP,
                                    ESP_PARTITION_SUBTYPE_APP_FACTORY, NULL);
}

/* Makes otadata lead to the image that runs, if it does not already: after the boot
 * loader fell back, the active entry names another slot, whose image is broken. */
static int select_running(const struct updraft_slots *slots,
                          const struct updraft_otadata *otadata)
{
    int active = otadata->active;
    if (!is_ota(slots->running)) {
        /* Nothing valid in otadata means factory. A test partition is chosen by a pin
         * and never by otadata; what otadata says stays, except for the target. */
        if (active < 0 || slots->running->subtype != ESP_PARTITION_SUBTYPE_APP_FACTORY) {
            return 0;
        }
    } else {
        uint8_t running = ota_index(slots->running);
        if (active >= 0 && otadata->entries[active].slot == running) {
            return 0;
        }
        const struct updraft_otadata_entry *other = &otadata->entries[active == 0];
        if (active >= 0 && other->valid && other->slot == running) {
            /* Its record is there, with the state it had. Without the active entry it is
             * the one that counts. */
            return erase_entry(slots, active);
        }
    }
    ESP_LOGW(TAG, "otadata does not lead to the running %s: selecting it",
             slots->running->label);
    esp_err_t err = esp_ota_set_boot_partition(slots->running);
    if (err == ESP_OK && is_ota(slots->running)) {
        /* Its new record is the active one: it would otherwise be on trial at the next
         * boot. */
        err = esp_ota_mark_app_valid_cancel_rollback();
    }
    if (err != ESP_OK) {
        updraft_log_error("running slot not selected", err);
        return UPDRAFT_ERROR_FLASH_WRITE;
    }
    return 0;
}

/* Nothing in otadata was ever about the image that runs, and another one could. A failed
 * write leaves that, of the boot loader or of ESP-IDF, which both go on regardless. A
 * slot that was rejected has its record: it must not be tried for ever. */
static bool is_untried(const struct updraft_slots *slots,
                       const struct updraft_otadata *otadata)
{
    esp_ota_img_states_t state;
    return slots->otadata != NULL &&
           esp_ota_get_state_partition(slots->running, &state) == ESP_ERR_NOT_FOUND &&
           (otadata->entries[0].valid || otadata->entries[1].valid ||
            updraft_slot_may_go_back(slots, UPDRAFT_P2_ROLLBACK_FACTORY));
}

static bool has_meaning(uint32_t state)
{
    return state == ESP_OTA_IMG_NEW || state == ESP_OTA_IMG_PENDING_VERIFY ||
           state == ESP_OTA_IMG_VALID || state == ESP_OTA_IMG_INVALID ||
           state == ESP_OTA_IMG_ABORTED || state == ESP_OTA_IMG_UNDEFINED;
}

static int read_otadata(const struct updraft_slots *slots,
                        struct updraft_otadata *ret_otadata)
{
    uint8_t entries[2][UPDRAFT_OTADATA_ENTRY_SIZE];
    for (uint32_t i = 0; i < 2; i++) {
        int error = read_flash(slots->otadata, i * OTADATA_SECTOR_SIZE, entries[i],
                               sizeof(entries[i]));
        if (error != 0) {
            return error;
        }
    }
    updraft_otadata_read(entries[0], entries[1], slots->ota_count, ret_otadata);
    return 0;
}

/* As read_otadata, but `active` only where that entry is the running slot's. */
static int read_active(const struct updraft_slots *slots,
                       struct updraft_otadata *ret_otadata)
{
    *ret_otadata = (struct updraft_otadata){.active = -1};
    if (slots->otadata == NULL || !is_ota(slots->running)) {
        return 0;
    }
    int error = read_otadata(slots, ret_otadata);
    if (error == 0 && ret_otadata->active >= 0 &&
        ret_otadata->entries[ret_otadata->active].slot != ota_index(slots->running)) {
        ret_otadata->active = -1;
    }
    return error;
}

static int erase_entry(const struct updraft_slots *slots, int index)
{
    return erase_flash(slots->otadata, (uint32_t)index * OTADATA_SECTOR_SIZE,
                       OTADATA_SECTOR_SIZE);
}

static int read_flash(const esp_partition_t *partition, uint32_t offset_bytes,
                      uint8_t *ret_bytes, uint32_t size_bytes)
{
    esp_err_t err = esp_partition_read(partition, offset_bytes, ret_bytes, size_bytes);
    return err == ESP_OK
               ? 0
               : failed(UPDRAFT_ERROR_FLASH_READ, partition, "read", offset_bytes, err);
}

static int write_flash(const esp_partition_t *partition, uint32_t offset_bytes,
                       const uint8_t *bytes, uint32_t size_bytes)
{
    esp_err_t err = esp_partition_write(partition, offset_bytes, bytes, size_bytes);
    return err == ESP_OK
               ? 0
               : failed(UPDRAFT_ERROR_FLASH_WRITE, partition, "write", offset_bytes, err);
}

static int erase_flash(const esp_partition_t *partition, uint32_t offset_bytes,
                       uint32_t size_bytes)
{
    esp_err_t err = esp_partition_erase_range(partition, offset_bytes, size_bytes);
    return err == ESP_OK
               ? 0
               : failed(UPDRAFT_ERROR_FLASH_ERASE, partition, "erase", offset_bytes, err);
}

/* Logs what failed; returns the error. */
static int failed(int error, const esp_partition_t *partition, const char *what,
                  uint32_t offset_bytes, esp_err_t err)
{
    ESP_LOGE(TAG, "%s: %s at 0x%x: %s", partition->label, what, (unsigned)offset_bytes,
             esp_err_to_name(err));
    return error;
}
