/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Images for tests, put together byte by byte. */
#include "tests/unit/image_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <psa/crypto.h>

#include "sim/base/random.h"
#include "updraft/image.h"

struct writer {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    uint8_t checksum;
};

static void put(struct writer *writer, const void *bytes, size_t size)
{
    assert_true(size <= writer->capacity - writer->size);
    memcpy(writer->bytes + writer->size, bytes, size);
    writer->size += size;
}

static void put_le(struct writer *writer, uint32_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * i);
        put(writer, &byte, 1);
    }
}

static void put_text(struct writer *writer, const char *text, size_t field_size)
{
    uint8_t field[32] = {0};
    assert_true(strlen(text) <= field_size && field_size <= sizeof(field));
    memcpy(field, text, strlen(text));
    put(writer, field, field_size);
}

static void put_zeros(struct writer *writer, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        put_le(writer, 0, 1);
    }
}

static void put_header(struct writer *writer, const struct image_recipe *recipe)
{
    uint16_t chip_id = recipe->chip_id ? recipe->chip_id : UPDRAFT_CHIP_ESP32C3;
    put_le(writer, 0xE9, 1);
    put_le(writer, 2, 1);
    put_le(writer, 2, 1);
    put_le(writer, 0x20, 1);
    put_le(writer, 0x40380000, 4);
    put_le(writer, 0xEE, 1);
    put_zeros(writer, 3);
    put_le(writer, recipe->is_esp32 ? 0 : chip_id, 2);
    put_zeros(writer, 1);
    put_le(writer, recipe->chip_revision_min, 2);
    put_le(writer, recipe->chip_revision_max ? recipe->chip_revision_max : 0xFFFF, 2);
    put_zeros(writer, 4);
    put_le(writer, !recipe->without_hash, 1);
}

static void put_descriptor(struct writer *writer, const struct image_recipe *recipe)
{
    size_t start = writer->size;
    put_le(writer, recipe->without_descriptor ? 0 : 0xABCD5432, 4);
    put_zeros(writer, 4 + 8);
    put_text(writer, "1.2.3", 32);
    put_text(writer, "demo", 32);
    put_text(writer, "12:00:00", 16);
    put_text(writer, "Jan  1 2026", 16);
    put_text(writer, "v5.5", 32);
    put_zeros(writer, 32);
    put_le(writer, 0, 2);
    put_le(writer, 199, 2);
    put_le(writer, 16, 1);
    put_zeros(writer, 256 - (writer->size - start));
}

static void put_data(struct writer *writer, const struct image_recipe *recipe,
                     size_t size)
{
    sim_random_t random;
    sim_random_seed(&random, recipe->seed);
    for (size_t i = 0; i < size; i++) {
        put_le(writer, recipe->seed ? (uint32_t)sim_random_next(&random) : (uint32_t)i,
               1);
    }
}

static void add_to_checksum(struct writer *writer, size_t from)
{
    for (size_t i = from; i < writer->size; i++) {
        writer->checksum ^= writer->bytes[i];
    }
}

size_t make_image(const struct image_recipe *recipe, uint8_t *bytes, size_t capacity)
{
    struct writer writer = {.bytes = bytes, .capacity = capacity, .checksum = 0xEF};
    size_t data_size = recipe->data_size_bytes ? recipe->data_size_bytes : 16;
    put_header(&writer, recipe);
    put_le(&writer, 0x3C000020, 4);
    put_le(&writer, 256, 4);
    size_t start = writer.size;
    put_descriptor(&writer, recipe);
    add_to_checksum(&writer, start);
    put_le(&writer, 0x40380000, 4);
    put_le(&writer, (uint32_t)data_size, 4);
    start = writer.size;
    put_data(&writer, recipe, data_size);
    add_to_checksum(&writer, start);
    while (writer.size % 16 != 15) {
        put_le(&writer, 0, 1);
    }
    put(&writer, &writer.checksum, 1);
    if (!recipe->without_hash) {
        uint8_t digest[32];
        sha256(bytes, writer.size, digest);
        put(&writer, digest, sizeof(digest));
    }
    return writer.size;
}

struct updraft_p2_manifest make_manifest(const uint8_t *image, uint32_t size_bytes)
{
    struct updraft_p2_manifest manifest = {
        .file_size_bytes = size_bytes,
        .image_size_bytes = size_bytes,
    };
    sha256(image, size_bytes, manifest.file_sha256);
    memcpy(manifest.image_id, image + size_bytes - sizeof(manifest.image_id),
           sizeof(manifest.image_id));
    memcpy(manifest.head, image, sizeof(manifest.head));
    return manifest;
}

void sha256(const void *bytes, size_t size, uint8_t digest[32])
{
    size_t digest_size = 0;
    assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
    assert_int_equal(
        psa_hash_compute(PSA_ALG_SHA_256, bytes, size, digest, 32, &digest_size),
        PSA_SUCCESS);
    assert_int_equal(digest_size, 32);
}
