/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * ESP32 images laid out as esptool does it: mapped data with the descriptor first, code
 * in memory, mapped code, checksum, SHA-256. */
#include "sim/image/image.h"

#include <mbedtls/sha256.h>
#include <string.h>

#include "sim/base/random.h"
#include "sim/chip/little_endian.h"
#include "sim/chip/model.h"

#define HEADER_SIZE         24u
#define SEGMENT_HEADER_SIZE 8u
#define SEGMENTS_MAX        16u
#define DESCRIPTOR_SIZE     256u
#define HASH_SIZE           32u
#define UPDRAFT_MARKER_SIZE 32u
#define FIXED_SIZE \
    (DESCRIPTOR_SIZE + UPDRAFT_MARKER_SIZE + sizeof(struct sim_image_marker))
#define CODE_LEAST_SIZE  16u
#define PAGE_SIZE        0x10000u
#define PAGE_SIZE_LOG    16u
#define DATA_BEHIND_CODE 0x800000u
#define IRAM_START       0x4000u /* behind the cache's part of the memory */

_Static_assert(sizeof(struct sim_image_marker) % 8 == 0, "segments are whole words");

const char *const sim_image_behaviours[] = {"good",      "crash",     "hang-early",
                                            "hang-spin", "hang-task", "selftest",
                                            "no-radio",  NULL};

static bool is_behaviour(const char *name)
{
    for (size_t i = 0; sim_image_behaviours[i] != NULL; i++) {
        if (strcmp(sim_image_behaviours[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Copies a text into a field that is zero and keeps at least one zero at its end. */
static bool put_text(uint8_t *field, size_t field_size, const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size >= field_size) {
        return false;
    }
    memcpy(field, text, size);
    return true;
}

static bool put_project(const struct sim_image_request *request, uint8_t field[32])
{
    if (request->project != NULL) {
        return put_text(field, 32, request->project);
    }
    memcpy(field, "updraft-", 8);
    return put_text(field + 8, 24, request->firmware);
}

static bool put_descriptor(const struct sim_image_request *request, uint8_t *bytes)
{
    sim_put_le32(bytes, 0xABCD5432u);
    sim_put_le32(bytes + 4, request->secure_version);
    if (!put_text(bytes + 16, 32, request->version) ||
        !put_project(request, bytes + 48)) {
        return false;
    }
    (void)put_text(bytes + 80, 16, "12:00:00");
    (void)put_text(bytes + 96, 16, "Jan  1 2026");
    (void)put_text(bytes + 112, 32, "v5.5");
    /* There is no ELF file; the hash of what it would be made of stands for its hash. */
    mbedtls_sha256_context sha;
    uint8_t seed[8];
    sim_put_le32(seed, (uint32_t)request->seed);
    sim_put_le32(seed + 4, (uint32_t)(request->seed >> 32));
    mbedtls_sha256_init(&sha);
    (void)mbedtls_sha256_starts_ret(&sha, 0);
    (void)mbedtls_sha256_update_ret(&sha, bytes, 144);
    (void)mbedtls_sha256_update_ret(&sha, (const uint8_t *)request->firmware,
                                    strlen(request->firmware));
    (void)mbedtls_sha256_update_ret(&sha, seed, sizeof(seed));
    (void)mbedtls_sha256_finish_ret(&sha, bytes + 144);
    mbedtls_sha256_free(&sha);
    sim_put_le16(bytes + 178, 99); /* the highest eFuse block revision: v0.99 */
    bytes[180] = PAGE_SIZE_LOG;
    return true;
}

/* "UPD1", highest protocol, three bytes 0, hardware id. */
static void put_updraft_marker(const struct sim_image_request *request, uint8_t *bytes)
{
    if (!request->without_updraft) {
        memcpy(bytes, "UPD1", 4);
        bytes[4] = 2;
        sim_put_le32(bytes + 8, request->hardware_id);
    }
}

static bool put_marker(const struct sim_image_request *request, uint8_t *bytes)
{
    struct sim_image_marker marker = {.magic = SIM_IMAGE_MARKER_MAGIC};
    const char *behaviour = request->behaviour != NULL ? request->behaviour : "good";
    if (!is_behaviour(behaviour) ||
        !put_text((uint8_t *)marker.behaviour, sizeof(marker.behaviour), behaviour) ||
        !put_text((uint8_t *)marker.firmware, sizeof(marker.firmware),
                  request->firmware)) {
        return false;
    }
    memcpy(bytes, &marker, sizeof(marker));
    return true;
}

struct layout {
    uint32_t drom_size;
    uint32_t iram_size;
    uint32_t irom_size;
    uint32_t total;
};

static uint32_t total_of(const struct layout *layout)
{
    uint32_t body = HEADER_SIZE + 3 * SEGMENT_HEADER_SIZE + layout->drom_size +
                    layout->iram_size + layout->irom_size;
    return (body + 16) / 16 * 16 + HASH_SIZE;
}

/* A quarter of what is to be filled is data, the rest code, as in real applications. */
static struct layout lay_out(uint32_t size_bytes)
{
    struct layout layout = {.drom_size = (uint32_t)FIXED_SIZE,
                            .iram_size = CODE_LEAST_SIZE,
                            .irom_size = CODE_LEAST_SIZE};
    uint32_t least = total_of(&layout);
    if (size_bytes > least) {
        uint32_t filling = (size_bytes - least + 15) / 16 * 16;
        uint32_t data = filling / 4 / 16 * 16;
        uint32_t iram = filling / 8 / 16 * 16;
        iram = iram < 0x8000 ? iram : 0x8000;
        layout.drom_size += data;
        layout.iram_size += iram;
        layout.irom_size += filling - data - iram;
    }
    layout.total = total_of(&layout);
    return layout;
}

static uint8_t *put_segment(uint8_t *bytes, uint32_t address, uint32_t size)
{
    sim_put_le32(bytes, address);
    sim_put_le32(bytes + 4, size);
    return bytes + SEGMENT_HEADER_SIZE;
}

/* An address that a slot's start on a page boundary makes agree with the place. */
static uint32_t mapped_address(uint32_t low, uint32_t place)
{
    return low + place % PAGE_SIZE;
}

static void put_header(const struct sim_chip_model *model, uint8_t *bytes)
{
    bytes[0] = 0xE9;
    bytes[1] = 3;
    bytes[2] = 2;                             /* DIO */
    bytes[3] = 0x20 | model->flash_frequency; /* 4 MB */
    sim_put_le32(bytes + 4, model->iram.low + IRAM_START);
    bytes[8] = 0xEE; /* no write-protect pin */
    sim_put_le16(bytes + 12, model->chip_id);
    sim_put_le16(bytes + 17, 0xFFFF);
    bytes[23] = 1;
}

size_t sim_image_make(const struct sim_image_request *request, uint8_t *bytes,
                      size_t capacity)
{
    const struct sim_chip_model *model = sim_chip_model_with_id(request->chip_id);
    if (model == NULL || request->firmware == NULL || request->version == NULL ||
        request->size_bytes > 16u * 1024 * 1024) {
        return 0;
    }
    struct layout layout = lay_out(request->size_bytes);
    if (layout.total > capacity) {
        return 0;
    }
    sim_random_t random;
    sim_random_seed(&random, request->seed);
    memset(bytes, 0, layout.total);
    put_header(model, bytes);
    uint32_t drom = model->drom.low;
    if (drom == model->irom.low) {
        drom += DATA_BEHIND_CODE; /* one range serves both */
    }
    uint32_t place = HEADER_SIZE + SEGMENT_HEADER_SIZE;
    uint8_t *data =
        put_segment(bytes + HEADER_SIZE, mapped_address(drom, place), layout.drom_size);
    put_updraft_marker(request, data + DESCRIPTOR_SIZE);
    if (!put_descriptor(request, data) ||
        !put_marker(request, data + DESCRIPTOR_SIZE + UPDRAFT_MARKER_SIZE)) {
        return 0;
    }
    uint32_t fixed = (uint32_t)FIXED_SIZE;
    sim_random_fill(&random, data + fixed, layout.drom_size - fixed);
    uint8_t *code = put_segment(data + layout.drom_size, model->iram.low + IRAM_START,
                                layout.iram_size);
    sim_random_fill(&random, code, layout.iram_size);
    uint8_t *next = code + layout.iram_size;
    place = (uint32_t)(next - bytes) + SEGMENT_HEADER_SIZE;
    code = put_segment(next, mapped_address(model->irom.low, place), layout.irom_size);
    sim_random_fill(&random, code, layout.irom_size);
    return sim_image_seal(bytes, layout.total) ? layout.total : 0;
}

/* The segments' data one after another. False: the list leads out of the image. */
struct walk {
    const uint8_t *bytes;
    size_t size;
    size_t at; /* behind the segment that was returned last */
    unsigned left;
};

static bool begin_walk(const uint8_t *bytes, size_t size, struct walk *ret_walk)
{
    if (size < HEADER_SIZE || bytes[0] != 0xE9 || bytes[1] > SEGMENTS_MAX) {
        return false;
    }
    *ret_walk = (struct walk){bytes, size, HEADER_SIZE, bytes[1]};
    return true;
}

static bool next_segment(struct walk *walk, size_t *ret_offset, size_t *ret_size)
{
    if (walk->size - walk->at < SEGMENT_HEADER_SIZE) {
        return false;
    }
    size_t data_size = sim_get_le32(walk->bytes + walk->at + 4);
    if (data_size > walk->size - walk->at - SEGMENT_HEADER_SIZE) {
        return false;
    }
    *ret_offset = walk->at + SEGMENT_HEADER_SIZE;
    *ret_size = data_size;
    walk->at = *ret_offset + data_size;
    walk->left--;
    return true;
}

static bool is_marker(const uint8_t *bytes, struct sim_image_marker *ret_marker)
{
    static const char magic[sizeof(ret_marker->magic)] = SIM_IMAGE_MARKER_MAGIC;
    if (memcmp(bytes, magic, sizeof(magic)) != 0) {
        return false;
    }
    memcpy(ret_marker, bytes, sizeof(*ret_marker));
    return memchr(ret_marker->firmware, 0, sizeof(ret_marker->firmware)) != NULL &&
           memchr(ret_marker->behaviour, 0, sizeof(ret_marker->behaviour)) != NULL;
}

bool sim_image_find_marker(const uint8_t *bytes, size_t size,
                           struct sim_image_marker *ret_marker)
{
    struct walk walk;
    size_t offset;
    size_t data_size;
    if (!begin_walk(bytes, size, &walk)) {
        return false;
    }
    while (walk.left > 0 && next_segment(&walk, &offset, &data_size)) {
        size_t end = offset + data_size;
        struct sim_image_marker marker;
        for (size_t at = (offset + 7) / 8 * 8; at + sizeof(marker) <= end; at += 8) {
            if (is_marker(bytes + at, &marker)) {
                *ret_marker = marker;
                return true;
            }
        }
    }
    return false;
}

bool sim_image_seal(uint8_t *bytes, size_t size)
{
    struct walk walk;
    size_t offset;
    size_t data_size;
    if (!begin_walk(bytes, size, &walk)) {
        return false;
    }
    uint8_t checksum = 0xEF;
    while (walk.left > 0) {
        if (!next_segment(&walk, &offset, &data_size)) {
            return false;
        }
        for (size_t i = 0; i < data_size; i++) {
            checksum ^= bytes[offset + i];
        }
    }
    size_t hashed = (walk.at + 16) / 16 * 16;
    bool has_hash = bytes[23] != 0;
    if (hashed > size || (has_hash && size - hashed < HASH_SIZE)) {
        return false;
    }
    memset(bytes + walk.at, 0, hashed - walk.at);
    bytes[hashed - 1] = checksum;
    return !has_hash || mbedtls_sha256_ret(bytes, hashed, bytes + hashed, 0) == 0;
}
