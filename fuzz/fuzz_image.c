/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The image parser: any file, whole and in pieces, and held against the boot loader's
 * own verification of the same bytes. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "sim/chip/verify.h"
#include "tests/unit/image_maker.h"
#include "updraft/error.h"
#include "updraft/image.h"
#include "updraft/protocol2.h"

#define FILE_MAX  (64u << 10)
#define SLOT      0x10000u
#define SLOT_SIZE (128u << 10)

static uint8_t file[FILE_MAX + UPDRAFT_IMAGE_HASH_SIZE];
static struct updraft_image whole;
static struct updraft_image parts;
static sim_arena_t *arena; /* kept, or a sanitizer calls it lost */
static sim_chip_t *chip;

static void check_facts(const struct updraft_image *image, size_t size)
{
    FUZZ_HOLDS(image->size_bytes <= size &&
               image->hashed_size_bytes <= image->size_bytes);
    FUZZ_HOLDS(image->segment_count == image->header.segment_count);
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct updraft_image_segment *segment = &image->segments[i];
        FUZZ_HOLDS(segment->offset_bytes < image->hashed_size_bytes);
        FUZZ_HOLDS(segment->size_bytes <
                   image->hashed_size_bytes - segment->offset_bytes);
    }
    const struct updraft_image_descriptor *texts = &image->descriptor;
    FUZZ_HOLDS(strlen(texts->version) <= 32 && strlen(texts->project) <= 32);
    FUZZ_HOLDS(strlen(texts->time) <= 16 && strlen(texts->date) <= 16);
    FUZZ_HOLDS(strlen(texts->idf_version) <= 32);
}

/* Where a checksum or hash is all that is wrong, it is put right: no mutation would. */
static int parse_mended(size_t *size, uint32_t limit)
{
    uint8_t digest[UPDRAFT_IMAGE_HASH_SIZE];
    updraft_image_init(&whole, limit);
    int error = updraft_image_input(&whole, file, *size);
    if (error == UPDRAFT_ERROR_IMAGE_CHECKSUM) {
        file[whole.hashed_size_bytes - 1] = whole.checksum;
        updraft_image_init(&whole, limit);
        error = updraft_image_input(&whole, file, *size);
        FUZZ_HOLDS(error != UPDRAFT_ERROR_IMAGE_CHECKSUM);
    }
    if (error == 0 && whole.hashed_size_bytes > 0 && whole.header.hash_appended) {
        size_t end = whole.hashed_size_bytes + sizeof(digest);
        sha256(file, whole.hashed_size_bytes, digest);
        memcpy(file + whole.hashed_size_bytes, digest, sizeof(digest));
        *size = *size < end ? end : *size;
        updraft_image_init(&whole, limit);
        error = updraft_image_input(&whole, file, *size);
    }
    return error;
}

static void set_up(void)
{
    arena = sim_arena_new(16u << 20);
    sim_flash_t *flash = sim_flash_new(arena, 4u << 20, sim_flash_timing("ideal"), 1);
    chip = sim_chip_new(arena, sim_chip_model_named("esp32c3"), 5, 5, flash);
}

/* What the boot loader would take, the parser calls whole. */
static void compare_with_boot_loader(void)
{
    uint64_t us = 0;
    sim_flash_load(chip->flash, SLOT, file, sizeof(file));
    if (sim_chip_verify(chip, SLOT, SLOT_SIZE, SIM_VERIFY_ONLY, NULL, NULL, NULL, &us) ==
        SIM_OK) {
        /* With the blank flash behind the file, which the parse above had not. */
        updraft_image_init(&whole, SLOT_SIZE);
        FUZZ_HOLDS(updraft_image_input(&whole, file, sizeof(file)) == 0);
        FUZZ_HOLDS(updraft_image_finish(&whole) == 0);
        FUZZ_HOLDS(updraft_image_check_chip(&whole, UPDRAFT_CHIP_ESP32C3, chip->revision,
                                            chip->ignore_maximum_revision) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {bytes, size};
    if (chip == NULL) {
        set_up();
    }
    uint32_t limit = (fuzz_8(&input) & 1) != 0 ? fuzz_32(&input) : UINT32_MAX;
    size_t piece = 1u + fuzz_8(&input);
    const uint8_t *content = fuzz_bytes(&input, FILE_MAX, &size);
    memset(file, 0xFF, sizeof(file));
    memcpy(file, content, size);
    int error = parse_mended(&size, limit);
    bool is_whole = updraft_image_finish(&whole) == 0;
    if (is_whole) {
        check_facts(&whole, size);
    }
    updraft_image_init(&parts, limit);
    for (size_t at = 0; at < size; at += piece) {
        (void)updraft_image_input(&parts, file + at,
                                  size - at < piece ? size - at : piece);
    }
    FUZZ_HOLDS(updraft_image_input(&parts, file, 0) == error);
    FUZZ_HOLDS(updraft_image_finish(&parts) == updraft_image_finish(&whole));
    FUZZ_HOLDS(!is_whole || memcmp(&parts, &whole, sizeof(whole)) == 0);
    struct updraft_marker marker;
    if (size >= UPDRAFT_P2_HEAD_SIZE) {
        (void)updraft_marker_get(file, &marker);
    }
    if (limit >= SLOT_SIZE) {
        compare_with_boot_loader();
    }
    return 0;
}
