/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * ESP-IDF's verification of an application image in flash. */
#include "sim/chip/verify.h"

#include <inttypes.h>
#include <mbedtls/sha256.h>
#include <string.h>

#include "sim/chip/boot_log.h"
#include "sim/chip/little_endian.h"

#define HEADER_SIZE         24u
#define SEGMENT_HEADER_SIZE 8u
#define SEGMENTS_MAX        16u
#define SIZE_MAX_BYTES      (16u * 1024 * 1024)
#define UNLOADED_BELOW      0x10000000u
#define DEFAULT_PAGE_SIZE   0x10000u
#define DESCRIPTOR_MAGIC    0xABCD5432u
#define DESCRIPTOR_PAGE_LOG 180u
#define HASH_SIZE           32u
#define TAG                 "esp_image"

struct verifier {
    const sim_chip_t *chip;
    const struct sim_chip_model *model;
    uint32_t start;
    uint32_t at; /* in flash */
    enum sim_verify_mode mode;
    struct boot_log log;
    uint64_t *us;
    bool hashing;
    mbedtls_sha256_context sha;
    uint8_t checksum;
    uint32_t page_size;
    struct sim_image_facts facts;
};

/* The next bytes, which count for the hash. NULL: the flash ends, or has no power. */
static const uint8_t *take(struct verifier *verifier, uint32_t size)
{
    const uint8_t *bytes =
        sim_flash_map(verifier->chip->flash, verifier->at, size, verifier->us);
    if (bytes == NULL) {
        boot_log(&verifier->log, 'E', TAG, "cannot read %" PRIu32 " bytes at 0x%" PRIx32,
                 size, verifier->at);
        return NULL;
    }
    if (verifier->hashing) {
        (void)mbedtls_sha256_update_ret(&verifier->sha, bytes, size);
    }
    verifier->at += size;
    return bytes;
}

static bool is_set(uint16_t revision)
{
    return revision != 0 && revision != 0xFFFF;
}

static int check_chip(struct verifier *verifier, const uint8_t *header)
{
    const sim_chip_t *chip = verifier->chip;
    uint16_t chip_id = sim_get_le16(header + 12);
    uint16_t least = sim_get_le16(header + 15);
    uint16_t most = sim_get_le16(header + 17);
    if (chip_id != chip->chip_id) {
        boot_log(&verifier->log, 'E', "boot_comm", "image is for chip id %u, this is %u",
                 chip_id, chip->chip_id);
        return SIM_FAIL;
    }
    if (chip->revision < least) {
        boot_log(&verifier->log, 'E', "boot_comm",
                 "image needs chip revision v%u.%u or later, this is v%u.%u", least / 100,
                 least % 100, chip->revision / 100, chip->revision % 100);
        return SIM_FAIL;
    }
    if (is_set(most) && chip->revision > most && !chip->ignore_maximum_revision) {
        boot_log(&verifier->log, 'E', "boot_comm",
                 "image needs chip revision v%u.%u or earlier, this is v%u.%u",
                 most / 100, most % 100, chip->revision / 100, chip->revision % 100);
        return SIM_FAIL;
    }
    return SIM_OK;
}

static int take_header(struct verifier *verifier)
{
    const uint8_t *header = take(verifier, HEADER_SIZE);
    if (header == NULL) {
        return SIM_ERR_FLASH_OP_FAIL;
    }
    if (header[0] != 0xE9) {
        boot_log(&verifier->log, 'E', TAG, "no image at 0x%" PRIx32 ": magic is 0x%02x",
                 verifier->start, header[0]);
        return SIM_ERR_IMAGE_INVALID;
    }
    int error = check_chip(verifier, header);
    if (error != SIM_OK) {
        return error;
    }
    verifier->facts.segment_count = header[1];
    if (header[1] > SEGMENTS_MAX) {
        boot_log(&verifier->log, 'E', TAG, "%u segments are too many", header[1]);
        return SIM_ERR_IMAGE_INVALID;
    }
    verifier->facts.entry = sim_get_le32(header + 4);
    verifier->facts.has_hash = header[23] != 0;
    if (verifier->facts.has_hash) {
        verifier->hashing = true;
        (void)mbedtls_sha256_starts_ret(&verifier->sha, 0);
        (void)mbedtls_sha256_update_ret(&verifier->sha, header, HEADER_SIZE);
    }
    return SIM_OK;
}

static bool is_mapped(const struct verifier *verifier, uint32_t address)
{
    return sim_address_in(verifier->model->drom, address) ||
           sim_address_in(verifier->model->irom, address);
}

static bool lies_in(struct sim_address_range range, uint32_t address, uint32_t size)
{
    return sim_address_in(range, address) && size <= range.high - address;
}

static bool is_memory(const struct sim_chip_model *model, uint32_t address, uint32_t size)
{
    return lies_in(model->dram, address, size) || lies_in(model->iram, address, size) ||
           lies_in(model->rtc[0], address, size) ||
           lies_in(model->rtc[1], address, size) || lies_in(model->rtc[2], address, size);
}

/* The page size is in the descriptor, at the start of the first segment. */
static int learn_page_size(struct verifier *verifier)
{
    verifier->page_size = DEFAULT_PAGE_SIZE;
    if (!verifier->model->page_size_in_descriptor) {
        return SIM_OK;
    }
    const uint8_t *descriptor = sim_flash_map(verifier->chip->flash, verifier->at,
                                              DESCRIPTOR_PAGE_LOG + 1, verifier->us);
    if (descriptor == NULL || sim_get_le32(descriptor) != DESCRIPTOR_MAGIC) {
        boot_log(&verifier->log, 'E', TAG, "no application descriptor");
        return SIM_FAIL;
    }
    uint8_t page_log = descriptor[DESCRIPTOR_PAGE_LOG];
    if (page_log >= 32) {
        boot_log(&verifier->log, 'E', TAG, "MMU page size 2^%u is not possible",
                 page_log);
        return SIM_ERR_IMAGE_INVALID;
    }
    if (page_log > 0) {
        verifier->page_size = UINT32_C(1) << page_log;
    }
    return SIM_OK;
}

/* What stands where the descriptor belongs, whether or not it is one: ESP-IDF does not
 * ask. The original ESP32 has no such eFuses. */
static int check_descriptor(struct verifier *verifier, uint32_t offset)
{
    const sim_chip_t *chip = verifier->chip;
    const uint8_t *descriptor =
        sim_flash_map(chip->flash, offset, DESCRIPTOR_PAGE_LOG, verifier->us);
    if (descriptor == NULL) {
        return SIM_ERR_FLASH_OP_FAIL;
    }
    verifier->facts.secure_version = sim_get_le32(descriptor + 4);
    uint16_t least = sim_get_le16(descriptor + 176);
    uint16_t most = sim_get_le16(descriptor + 178);
    if (verifier->model->chip_id != 0 &&
        ((is_set(least) && chip->efuse_block_revision < least) ||
         (is_set(most) && chip->efuse_block_revision > most &&
          !chip->ignore_maximum_revision))) {
        boot_log(&verifier->log, 'E', "boot_comm",
                 "image needs eFuse block revision %u to %u, this is %u", least, most,
                 chip->efuse_block_revision);
        return SIM_FAIL;
    }
    return SIM_OK;
}

static int check_segment(struct verifier *verifier, int index, uint32_t address,
                         uint32_t size)
{
    if (size % 4 != 0 || size >= SIZE_MAX_BYTES) {
        boot_log(&verifier->log, 'E', TAG, "segment %d: length 0x%" PRIx32, index, size);
        return SIM_ERR_IMAGE_INVALID;
    }
    if (index == 0) {
        int error = learn_page_size(verifier);
        if (error != SIM_OK) {
            return error;
        }
    }
    bool mapped = is_mapped(verifier, address);
    if (mapped && verifier->at % verifier->page_size != address % verifier->page_size) {
        boot_log(&verifier->log, 'E', TAG,
                 "segment %d: address 0x%08" PRIx32 " does not fit place 0x%08" PRIx32
                 " in flash",
                 index, address, verifier->at);
        return SIM_ERR_IMAGE_INVALID;
    }
    bool load = verifier->mode == SIM_VERIFY_LOAD && !mapped && address >= UNLOADED_BELOW;
    boot_log(&verifier->log, 'I', TAG,
             "segment %d: flash %08" PRIx32 " address %08" PRIx32 " size %06" PRIx32
             " %s",
             index, verifier->at, address, size,
             load     ? "load"
             : mapped ? "map"
                      : "");
    if (load && size > 0 && !is_memory(verifier->model, address, size)) {
        boot_log(&verifier->log, 'E', TAG, "segment %d: 0x%08" PRIx32 " is no memory",
                 index, address);
        return SIM_ERR_IMAGE_INVALID;
    }
    return SIM_OK;
}

static int take_segment(struct verifier *verifier, int index)
{
    const uint8_t *header = take(verifier, SEGMENT_HEADER_SIZE);
    if (header == NULL) {
        return SIM_ERR_FLASH_OP_FAIL;
    }
    uint32_t address = sim_get_le32(header);
    uint32_t size = sim_get_le32(header + 4);
    int error = check_segment(verifier, index, address, size);
    if (error != SIM_OK) {
        return error;
    }
    const uint8_t *data = take(verifier, size);
    if (data == NULL) {
        return SIM_ERR_FLASH_OP_FAIL;
    }
    for (uint32_t i = 0; i < size; i++) {
        verifier->checksum ^= data[i];
    }
    return index == 0 && size > 0 ? check_descriptor(verifier, verifier->at - size)
                                  : SIM_OK;
}

/* Checksum in the last byte of a block of 16, then the hash of everything up to there. */
static int take_end(struct verifier *verifier, uint32_t partition_size)
{
    uint32_t used = verifier->at - verifier->start;
    uint32_t padding = (used + 16) / 16 * 16 - used;
    const uint8_t *end = take(verifier, padding);
    if (end == NULL) {
        return SIM_ERR_FLASH_OP_FAIL;
    }
    if (end[padding - 1] != verifier->checksum) {
        boot_log(&verifier->log, 'E', TAG, "checksum is 0x%02x, the image says 0x%02x",
                 verifier->checksum, end[padding - 1]);
        return SIM_ERR_IMAGE_INVALID;
    }
    uint8_t hash[HASH_SIZE];
    const uint8_t *appended = NULL;
    if (verifier->facts.has_hash) {
        (void)mbedtls_sha256_finish_ret(&verifier->sha, hash);
        verifier->hashing = false;
        appended = take(verifier, HASH_SIZE);
        if (appended == NULL) {
            return SIM_ERR_FLASH_OP_FAIL;
        }
        memcpy(verifier->facts.hash, appended, HASH_SIZE);
    }
    verifier->facts.size = verifier->at - verifier->start;
    if (verifier->facts.size > partition_size) {
        boot_log(&verifier->log, 'E', TAG,
                 "%" PRIu32 " bytes do not fit a partition of %" PRIu32,
                 verifier->facts.size, partition_size);
        return SIM_ERR_IMAGE_INVALID;
    }
    if (appended != NULL && memcmp(hash, appended, HASH_SIZE) != 0) {
        boot_log(&verifier->log, 'E', TAG, "SHA-256 does not match");
        return SIM_ERR_IMAGE_INVALID;
    }
    return SIM_OK;
}

static int verify(struct verifier *verifier, uint32_t partition_size)
{
    int error = take_header(verifier);
    for (int i = 0; error == SIM_OK && i < verifier->facts.segment_count; i++) {
        error = take_segment(verifier, i);
    }
    return error == SIM_OK ? take_end(verifier, partition_size) : error;
}

int sim_chip_verify(const sim_chip_t *chip, uint32_t offset, uint32_t size,
                    enum sim_verify_mode mode, sim_boot_log_t log, void *context,
                    struct sim_image_facts *ret_facts, uint64_t *us)
{
    const struct sim_chip_model *model = sim_chip_model_with_id(chip->chip_id);
    if (model == NULL || size > SIZE_MAX_BYTES) {
        return SIM_ERR_INVALID_ARG;
    }
    struct verifier verifier = {.chip = chip,
                                .model = model,
                                .start = offset,
                                .at = offset,
                                .mode = mode,
                                .log = {log, context, us},
                                .us = us,
                                .checksum = 0xEF};
    mbedtls_sha256_init(&verifier.sha);
    int error = verify(&verifier, size);
    mbedtls_sha256_free(&verifier.sha);
    if (error == SIM_OK && ret_facts != NULL) {
        *ret_facts = verifier.facts;
    }
    return error;
}
