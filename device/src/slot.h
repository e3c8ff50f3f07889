/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The slots of the partition table: which one runs, which one is updated, and all work on
 * their flash. */
#ifndef UPDRAFT_SLOT_H
#define UPDRAFT_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"

#include "updraft/device_session.h"

/* A buffer of the caller's through which flash is read. */
#define UPDRAFT_SLOT_SCRATCH_SIZE 512u

struct updraft_slots {
    const esp_partition_t *running;
    const esp_partition_t *target;  /* the OTA slot to update; NULL: there is none */
    const esp_partition_t *otadata; /* NULL: none that is of use, nor a target then */
    uint8_t ota_count;              /* OTA slots in the table */
};

/* Reads the partition table. ESP_ERR_NOT_FOUND when the running partition is not in it.
 * Erases and writes nothing. */
esp_err_t updraft_slots_find(struct updraft_slots *ret_slots);

/* "factory", "ota_0", ... as ESP-IDF names the partition's subtype. Static storage. */
const char *updraft_slot_kind(const esp_partition_t *partition);

/* The chip that the running image was built for, from its header in flash. */
esp_err_t updraft_slot_chip_id(const struct updraft_slots *slots, uint16_t *ret_chip_id);

/* What an image says of itself in flash: its appended SHA-256 (zeros: it has none), which
 * its segments' sizes lead to; and what hardware the running one is for (0: any). */
esp_err_t updraft_slot_image_id(const esp_partition_t *partition,
                                uint8_t ret_id[UPDRAFT_IMAGE_HASH_SIZE]);
esp_err_t updraft_slot_hardware_id(const struct updraft_slots *slots,
                                   uint32_t *ret_hardware_id);

/* n for *ota_n*, UPDRAFT_SLOT_NONE for any other partition. */
#define UPDRAFT_SLOT_NONE 0xFFu
uint8_t updraft_slot_index(const esp_partition_t *partition);

/* What otadata says of an OTA slot (esp_ota_img_states_t), rejected images included;
 * ESP_OTA_IMG_UNDEFINED where it says nothing. */
uint32_t updraft_slot_noted_state(const struct updraft_slots *slots, uint8_t index);

/* True when otadata's active entry is the running slot's and on trial. The active entry
 * is what the boot loader put on trial, and what ESP-IDF marks valid;
 * esp_ota_get_state_partition tells of another one where both entries name the slot. */
bool updraft_slot_on_trial(const struct updraft_slots *slots);

/* Puts the running image on trial again where its record is the active one and holds a
 * state that means nothing. A power cut leaves that while the boot loader or ESP-IDF
 * changes the state, since the record's checksum covers the sequence alone; and neither
 * would roll such an image back. Likewise where otadata has no record of the running slot
 * at all and another image could take over: there a flash operation failed, and the boot
 * loader started the image all the same. Writes nothing otherwise. 0 or an error of
 * updraft/error.h. A power cut in it leads back to the image before, or to a trial. */
int updraft_slot_renew_trial(const struct updraft_slots *slots);

/* The following return 0 or an error of updraft/error.h, take as long as the flash takes
 * (an erase seconds), and are for updraft's task alone. Offsets are within the target. */

/* Makes otadata name the running slot, and no valid entry of it the target. A power cut
 * at any moment leaves a device that boots the running image. */
int updraft_slot_prepare(const struct updraft_slots *slots);
int updraft_slot_erase(const struct updraft_slots *slots, uint32_t offset_bytes,
                       uint32_t size_bytes);
int updraft_slot_write(const struct updraft_slots *slots, uint32_t offset_bytes,
                       const uint8_t *bytes, uint32_t size_bytes);
int updraft_slot_read(const struct updraft_slots *slots, uint32_t offset_bytes,
                      uint8_t *ret_bytes, uint32_t size_bytes);
/* SHA-256 over `head`, then over the target's flash [offset, end). scratch: overwritten.
 */
int updraft_slot_hash(const struct updraft_slots *slots, const uint8_t *head,
                      uint32_t head_size_bytes, uint32_t offset_bytes,
                      uint32_t end_offset_bytes,
                      uint8_t scratch[UPDRAFT_SLOT_SCRATCH_SIZE], uint8_t ret_digest[32]);
/* updraft_crc32 over the target's flash. scratch: overwritten. */
int updraft_slot_crc(const struct updraft_slots *slots, uint32_t offset_bytes,
                     uint32_t size_bytes, uint8_t scratch[UPDRAFT_SLOT_SCRATCH_SIZE],
                     uint32_t *ret_crc);
/* Selects the target for the next boot; ESP-IDF verifies its image once more. */
int updraft_slot_activate(const struct updraft_slots *slots);

/* Whether there is an image to go back to, and going there (enum updraft_p2_rollback).
 * updraft_slot_go_back returns only if it fails. */
bool updraft_slot_may_go_back(const struct updraft_slots *slots, uint8_t target);
int updraft_slot_go_back(const struct updraft_slots *slots, uint8_t target);

#endif
