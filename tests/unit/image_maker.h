/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Makes ESP32 images in memory for tests, with whatever is wrong with them. */
#ifndef TESTS_IMAGE_MAKER_H
#define TESTS_IMAGE_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updraft/protocol2.h"

/* Zero means: an ESP32-C3's image for any revision, with a descriptor and a hash, of the
 * golden vector's two segments (256 and 16 bytes). */
struct image_recipe {
    uint16_t chip_id; /* 0: ESP32-C3 */
    uint16_t chip_revision_min;
    uint16_t chip_revision_max;
    bool is_esp32; /* chip id 0 */
    bool without_hash;
    bool without_descriptor;
    uint32_t data_size_bytes; /* of the second segment; 0: 16. Multiple of 4 */
    uint64_t seed; /* content of the second segment; 0: its offsets 0, 1, 2... */
};

/* Fills bytes[0 .. capacity) from the start and returns the image's size, or aborts the
 * test where it does not fit. */
size_t make_image(const struct image_recipe *recipe, uint8_t *bytes, size_t capacity);

/* The manifest of a file that is an image and nothing more. */
struct updraft_p2_manifest make_manifest(const uint8_t *image, uint32_t size_bytes);

/* SHA-256, by Mbed TLS. */
void sha256(const void *bytes, size_t size, uint8_t digest[32]);

#endif
