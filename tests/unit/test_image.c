/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the image parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/random.h"
#include "tests/unit/image_maker.h"
#include "updraft/error.h"
#include "updraft/image.h"

#define GOLDEN_SIZE 352u
#define SEED        20260301u

static uint8_t golden[GOLDEN_SIZE];
static uint8_t bytes[1 << 16];

static int make_golden(void **state)
{
    (void)state;
    struct image_recipe recipe = {0};
    assert_int_equal(make_image(&recipe, golden, sizeof(golden)), GOLDEN_SIZE);
    return 0;
}

/* The whole judgement, as a device or a tool makes it. */
static int judge(const uint8_t *image_bytes, size_t size, uint32_t limit_bytes,
                 struct updraft_image *ret_image)
{
    updraft_image_init(ret_image, limit_bytes);
    updraft_image_input(ret_image, image_bytes, size);
    int error = updraft_image_finish(ret_image);
    if (error) {
        return error;
    }
    uint8_t digest[32];
    assert_true(ret_image->hashed_size_bytes <= size);
    sha256(image_bytes, ret_image->hashed_size_bytes, digest);
    return updraft_image_check_hash(ret_image, digest);
}

static void put_le32(uint8_t *target, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        target[i] = (uint8_t)(value >> 8 * i);
    }
}

static void the_golden_vector_is_what_esp_idf_describes(void **state)
{
    (void)state;
    static const uint8_t header[24] = {
        0xE9, 2, 2, 0x20, 0, 0, 0x38, 0x40, 0xEE, [12] = 5, [17] = 0xFF, 0xFF, [23] = 1};
    static const uint8_t hash[32] = {0xb9, 0x38, 0x4e, 0xc5, 0x40, 0x66, 0x69, 0x44,
                                     0xec, 0xf0, 0x49, 0x3b, 0xec, 0x6f, 0xd2, 0x4b,
                                     0xdf, 0xb3, 0x4f, 0x8c, 0x26, 0x70, 0xbc, 0x86,
                                     0x6b, 0x6f, 0xe4, 0xe1, 0x52, 0x1b, 0x3a, 0x7f};
    assert_memory_equal(golden, header, sizeof(header));
    assert_int_equal(golden[319], 0x02);
    assert_memory_equal(golden + 320, hash, sizeof(hash));
    struct updraft_image image;
    assert_int_equal(judge(golden, GOLDEN_SIZE, UINT32_MAX, &image), 0);
    assert_int_equal(image.size_bytes, GOLDEN_SIZE);
    assert_int_equal(image.hashed_size_bytes, 320);
    assert_int_equal(image.checksum, 0x02);
    assert_int_equal(image.checksum_stored, 0x02);
    assert_memory_equal(image.hash, hash, sizeof(hash));
}

static void every_field_is_read_from_its_place(void **state)
{
    (void)state;
    uint8_t image_bytes[GOLDEN_SIZE];
    memcpy(image_bytes, golden, GOLDEN_SIZE);
    for (uint8_t i = 2; i < 23; i++) {
        image_bytes[i] = i;
    }
    for (size_t i = 36; i < 288; i++) {
        image_bytes[i] = (uint8_t)(i - 32);
    }
    struct updraft_image image;
    updraft_image_init(&image, UINT32_MAX);
    assert_false(updraft_image_has_header(&image));
    assert_int_equal(updraft_image_input(&image, image_bytes, 23), 0);
    assert_false(updraft_image_has_header(&image));
    assert_int_equal(updraft_image_input(&image, image_bytes + 23, 264), 0);
    assert_true(updraft_image_has_header(&image));
    assert_false(updraft_image_has_descriptor(&image));
    assert_int_equal(updraft_image_input(&image, image_bytes + 287, 1), 0);
    assert_true(updraft_image_has_descriptor(&image));
    const struct updraft_image_header *header = &image.header;
    assert_int_equal(header->segment_count, 2);
    assert_int_equal(header->spi_mode, 2);
    assert_int_equal(header->spi_speed, 3);
    assert_int_equal(header->flash_size, 0);
    assert_int_equal(header->entry_address, 0x07060504);
    assert_int_equal(header->wp_pin, 8);
    assert_memory_equal(header->spi_pin_drive, "\x09\x0A\x0B", 3);
    assert_int_equal(header->chip_id, 0x0D0C);
    assert_int_equal(header->chip_revision_old, 14);
    assert_int_equal(header->chip_revision_min, 0x100F);
    assert_int_equal(header->chip_revision_max, 0x1211);
    assert_true(header->hash_appended);
    const struct updraft_image_descriptor *descriptor = &image.descriptor;
    assert_int_equal(descriptor->secure_version, 0x07060504);
    assert_int_equal(descriptor->efuse_block_revision_min, 0xB1B0);
    assert_int_equal(descriptor->efuse_block_revision_max, 0xB3B2);
    assert_int_equal(descriptor->mmu_page_size_log2, 180);
    assert_int_equal(descriptor->spi_flash_mode, 181);
    assert_int_equal(descriptor->elf_sha256[0], 144);
    assert_int_equal(descriptor->elf_sha256[31], 175);
    assert_int_equal(image.segments[0].load_address, 0x3C000020);
    assert_int_equal(image.segments[0].offset_bytes, 32);
    assert_int_equal(image.segments[0].size_bytes, 256);
}

static void a_full_string_field_is_terminated(void **state)
{
    (void)state;
    uint8_t image_bytes[GOLDEN_SIZE];
    memcpy(image_bytes, golden, GOLDEN_SIZE);
    memset(image_bytes + 32 + 16, 'v', 32);
    memset(image_bytes + 32 + 48, 'p', 32);
    memset(image_bytes + 32 + 80, 't', 16);
    memset(image_bytes + 32 + 96, 'd', 16);
    memset(image_bytes + 32 + 112, 'i', 32);
    struct updraft_image image;
    memset(&image, 0xA5, sizeof(image));
    updraft_image_init(&image, UINT32_MAX);
    assert_int_equal(updraft_image_input(&image, image_bytes, 288), 0);
    assert_int_equal(strlen(image.descriptor.version), 32);
    assert_int_equal(strlen(image.descriptor.project), 32);
    assert_int_equal(strlen(image.descriptor.time), 16);
    assert_int_equal(strlen(image.descriptor.date), 16);
    assert_int_equal(strlen(image.descriptor.idf_version), 32);
}

static void the_pieces_of_the_input_do_not_matter(void **state)
{
    (void)state;
    struct updraft_image whole;
    assert_int_equal(judge(golden, GOLDEN_SIZE, UINT32_MAX, &whole), 0);
    for (size_t cut = 0; cut <= GOLDEN_SIZE; cut++) {
        struct updraft_image image;
        updraft_image_init(&image, UINT32_MAX);
        updraft_image_input(&image, golden, cut);
        updraft_image_input(&image, golden + cut, GOLDEN_SIZE - cut);
        assert_memory_equal(&image, &whole, sizeof(image));
    }
    sim_random_t random;
    sim_random_seed(&random, SEED);
    for (int round = 0; round < 300; round++) {
        uint32_t piece_max = round == 0 ? 1 : 1 + sim_random_below(&random, 60);
        struct updraft_image image;
        updraft_image_init(&image, UINT32_MAX);
        for (size_t used = 0; used < GOLDEN_SIZE;) {
            size_t piece = 1 + sim_random_below(&random, piece_max);
            piece = piece < GOLDEN_SIZE - used ? piece : GOLDEN_SIZE - used;
            updraft_image_input(&image, golden + used, piece);
            used += piece;
        }
        if (memcmp(&image, &whole, sizeof(image)) != 0) {
            fail_msg("round %d of seed %u differs", round, SEED);
        }
    }
}

static void no_prefix_is_whole(void **state)
{
    (void)state;
    struct image_recipe recipes[] = {{0}, {.without_hash = true}};
    for (size_t i = 0; i < 2; i++) {
        size_t size = make_image(&recipes[i], bytes, sizeof(bytes));
        for (size_t prefix = 0; prefix < size; prefix++) {
            struct updraft_image image;
            assert_int_equal(judge(bytes, prefix, UINT32_MAX, &image),
                             UPDRAFT_ERROR_IMAGE_TRUNCATED);
            assert_false(updraft_image_complete(&image));
        }
    }
}

static void every_flipped_bit_is_found(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < GOLDEN_SIZE * 8; bit++) {
        uint8_t image_bytes[GOLDEN_SIZE];
        memcpy(image_bytes, golden, GOLDEN_SIZE);
        image_bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct updraft_image image;
        int error = judge(image_bytes, GOLDEN_SIZE, UINT32_MAX, &image);
        if (error == 0) {
            fail_msg("bit %zu flipped, and the image passes", bit);
        }
        bool is_segment_data =
            (bit / 8 >= 32 && bit / 8 < 288) || (bit / 8 >= 296 && bit / 8 < 312);
        if (is_segment_data || bit / 8 == 319) {
            assert_int_equal(error, UPDRAFT_ERROR_IMAGE_CHECKSUM);
        } else if (bit / 8 >= 312) {
            assert_int_equal(error, UPDRAFT_ERROR_IMAGE_HASH);
        }
    }
}

static void what_follows_the_end_is_ignored(void **state)
{
    (void)state;
    memcpy(bytes, golden, GOLDEN_SIZE);
    memset(bytes + GOLDEN_SIZE, 0xFF, 1000);
    struct updraft_image image;
    assert_int_equal(judge(bytes, GOLDEN_SIZE + 1000, GOLDEN_SIZE, &image), 0);
    assert_int_equal(image.size_bytes, GOLDEN_SIZE);
    assert_int_equal(updraft_image_input(&image, bytes, 1000), 0);
    assert_int_equal(image.size_bytes, GOLDEN_SIZE);
}

static int error_with_byte(size_t offset, uint8_t value)
{
    uint8_t image_bytes[GOLDEN_SIZE];
    memcpy(image_bytes, golden, GOLDEN_SIZE);
    image_bytes[offset] = value;
    struct updraft_image image;
    return judge(image_bytes, GOLDEN_SIZE, UINT32_MAX, &image);
}

static void a_wrong_first_byte_is_known_at_once(void **state)
{
    (void)state;
    struct updraft_image image;
    updraft_image_init(&image, UINT32_MAX);
    uint8_t wrong = 0xE8;
    assert_int_equal(updraft_image_input(&image, &wrong, 1), UPDRAFT_ERROR_IMAGE_MAGIC);
    /* And stays the verdict, whatever follows. */
    assert_int_equal(updraft_image_input(&image, golden, GOLDEN_SIZE),
                     UPDRAFT_ERROR_IMAGE_MAGIC);
    assert_int_equal(updraft_image_finish(&image), UPDRAFT_ERROR_IMAGE_MAGIC);
}

static void segment_counts_outside_1_to_16_are_refused(void **state)
{
    (void)state;
    assert_int_equal(error_with_byte(1, 0), UPDRAFT_ERROR_IMAGE_SEGMENTS);
    assert_int_equal(error_with_byte(1, 17), UPDRAFT_ERROR_IMAGE_SEGMENTS);
    assert_int_equal(error_with_byte(1, 255), UPDRAFT_ERROR_IMAGE_SEGMENTS);
    /* 16 segments, 14 of them empty. */
    size_t size = 0;
    memcpy(bytes, golden, 312);
    bytes[1] = 16;
    memset(bytes + 312, 0, 14 * 8);
    size = 312 + 14 * 8;
    while (size % 16 != 15) {
        bytes[size++] = 0;
    }
    bytes[size++] = golden[319];
    sha256(bytes, size, bytes + size);
    struct updraft_image image;
    assert_int_equal(judge(bytes, size + 32, UINT32_MAX, &image), 0);
    assert_int_equal(image.segment_count, 16);
    assert_int_equal(image.segments[15].offset_bytes, 312 + 14 * 8);
    assert_int_equal(image.segments[15].size_bytes, 0);
}

static int error_with_segment_size(uint32_t size_bytes, uint32_t limit_bytes)
{
    uint8_t image_bytes[GOLDEN_SIZE];
    memcpy(image_bytes, golden, GOLDEN_SIZE);
    put_le32(image_bytes + 28, size_bytes);
    struct updraft_image image;
    return judge(image_bytes, GOLDEN_SIZE, limit_bytes, &image);
}

static void impossible_segment_sizes_are_refused(void **state)
{
    (void)state;
    for (uint32_t size = 257; size < 260; size++) {
        assert_int_equal(error_with_segment_size(size, UINT32_MAX),
                         UPDRAFT_ERROR_IMAGE_SEGMENT);
    }
    assert_int_equal(error_with_segment_size(0x1000000, UINT32_MAX),
                     UPDRAFT_ERROR_IMAGE_SEGMENT);
    assert_int_equal(error_with_segment_size(0xFFFFFFFC, UINT32_MAX),
                     UPDRAFT_ERROR_IMAGE_SEGMENT);
    /* The largest possible: the image just ends too early for it. */
    assert_int_equal(error_with_segment_size(0xFFFFFC, UINT32_MAX),
                     UPDRAFT_ERROR_IMAGE_TRUNCATED);
}

static void an_image_for_a_smaller_slot_is_refused_when_its_headers_say_so(void **state)
{
    (void)state;
    struct updraft_image image;
    assert_int_equal(judge(golden, GOLDEN_SIZE, GOLDEN_SIZE, &image), 0);
    assert_int_equal(judge(golden, GOLDEN_SIZE, GOLDEN_SIZE - 1, &image),
                     UPDRAFT_ERROR_IMAGE_TOO_LARGE);
    assert_int_equal(judge(golden, GOLDEN_SIZE, 0, &image),
                     UPDRAFT_ERROR_IMAGE_TOO_LARGE);
    /* The second segment's header is the first that says so. */
    updraft_image_init(&image, GOLDEN_SIZE - 1);
    assert_int_equal(updraft_image_input(&image, golden, 295), 0);
    assert_int_equal(updraft_image_input(&image, golden + 295, 1),
                     UPDRAFT_ERROR_IMAGE_TOO_LARGE);
    /* The first segment alone is too much for a slot of 1 MiB. */
    assert_int_equal(error_with_segment_size(0x100000, 0x100000),
                     UPDRAFT_ERROR_IMAGE_TOO_LARGE);
    /* Without a hash it fits. */
    struct image_recipe recipe = {.without_hash = true};
    size_t size = make_image(&recipe, bytes, sizeof(bytes));
    assert_int_equal(size, 320);
    assert_int_equal(judge(bytes, size, 320, &image), UPDRAFT_ERROR_IMAGE_NO_HASH);
    assert_int_equal(judge(bytes, size, 319, &image), UPDRAFT_ERROR_IMAGE_TOO_LARGE);
}

static void an_image_without_a_descriptor_is_whole_but_has_none(void **state)
{
    (void)state;
    struct image_recipe recipe = {.without_descriptor = true};
    size_t size = make_image(&recipe, bytes, sizeof(bytes));
    struct updraft_image image;
    assert_int_equal(judge(bytes, size, UINT32_MAX, &image), 0);
    assert_false(updraft_image_has_descriptor(&image));
    /* Nor has one whose first segment ends within it, magic or not. */
    memcpy(bytes, golden, GOLDEN_SIZE);
    bytes[1] = 1;
    put_le32(bytes + 28, 252);
    updraft_image_init(&image, UINT32_MAX);
    updraft_image_input(&image, bytes, GOLDEN_SIZE);
    assert_false(updraft_image_has_descriptor(&image));
}

static void an_image_without_a_hash_is_not_verified(void **state)
{
    (void)state;
    struct image_recipe recipe = {.without_hash = true};
    size_t size = make_image(&recipe, bytes, sizeof(bytes));
    struct updraft_image image;
    assert_int_equal(judge(bytes, size, UINT32_MAX, &image), UPDRAFT_ERROR_IMAGE_NO_HASH);
    assert_int_equal(updraft_image_finish(&image), 0);
    assert_int_equal(image.size_bytes, image.hashed_size_bytes);
}

static int check_chip(uint16_t minimum, uint16_t maximum, uint16_t revision, bool ignore)
{
    struct image_recipe recipe = {.chip_revision_min = minimum,
                                  .chip_revision_max = maximum};
    size_t size = make_image(&recipe, bytes, sizeof(bytes));
    struct updraft_image image;
    assert_int_equal(judge(bytes, size, UINT32_MAX, &image), 0);
    return updraft_image_check_chip(&image, UPDRAFT_CHIP_ESP32C3, revision, ignore);
}

static void chip_and_revision_must_suit(void **state)
{
    (void)state;
    struct updraft_image image;
    assert_int_equal(judge(golden, GOLDEN_SIZE, UINT32_MAX, &image), 0);
    assert_int_equal(updraft_image_check_chip(&image, UPDRAFT_CHIP_ESP32C3, 4, false), 0);
    assert_int_equal(updraft_image_check_chip(&image, UPDRAFT_CHIP_ESP32, 4, false),
                     UPDRAFT_ERROR_IMAGE_CHIP);
    assert_int_equal(check_chip(3, 199, 3, false), 0);
    assert_int_equal(check_chip(3, 199, 2, false), UPDRAFT_ERROR_IMAGE_CHIP_REVISION);
    assert_int_equal(check_chip(3, 199, 199, false), 0);
    assert_int_equal(check_chip(3, 199, 200, false), UPDRAFT_ERROR_IMAGE_CHIP_REVISION);
    assert_int_equal(check_chip(3, 199, 200, true), 0);
    assert_int_equal(check_chip(3, 199, 2, true), UPDRAFT_ERROR_IMAGE_CHIP_REVISION);
    assert_int_equal(check_chip(0, 0xFFFF, 999, false), 0);
}

static void chips_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(updraft_chip_name(0x0000), "esp32");
    assert_string_equal(updraft_chip_name(0x0005), "esp32c3");
    assert_string_equal(updraft_chip_name(0x0014), "esp32c61");
    assert_string_equal(updraft_chip_name(0x0020), "esp32s31");
    assert_null(updraft_chip_name(0x0001));
    assert_null(updraft_chip_name(0xFFFF));
}

static void random_bytes_end_in_an_error(void **state)
{
    (void)state;
    sim_random_t random;
    sim_random_seed(&random, SEED);
    for (int round = 0; round < 3000; round++) {
        uint8_t image_bytes[700];
        sim_random_fill(&random, image_bytes, sizeof(image_bytes));
        image_bytes[0] = 0xE9;
        image_bytes[1] = (uint8_t)(1 + sim_random_below(&random, 16));
        put_le32(image_bytes + 28, sim_random_below(&random, 100) * 4);
        struct updraft_image image;
        if (judge(image_bytes, sizeof(image_bytes), UINT32_MAX, &image) == 0) {
            fail_msg("round %d of seed %u passes", round, SEED);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_golden_vector_is_what_esp_idf_describes),
        cmocka_unit_test(every_field_is_read_from_its_place),
        cmocka_unit_test(a_full_string_field_is_terminated),
        cmocka_unit_test(the_pieces_of_the_input_do_not_matter),
        cmocka_unit_test(no_prefix_is_whole),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(what_follows_the_end_is_ignored),
        cmocka_unit_test(a_wrong_first_byte_is_known_at_once),
        cmocka_unit_test(segment_counts_outside_1_to_16_are_refused),
        cmocka_unit_test(impossible_segment_sizes_are_refused),
        cmocka_unit_test(an_image_for_a_smaller_slot_is_refused_when_its_headers_say_so),
        cmocka_unit_test(an_image_without_a_descriptor_is_whole_but_has_none),
        cmocka_unit_test(an_image_without_a_hash_is_not_verified),
        cmocka_unit_test(chip_and_revision_must_suit),
        cmocka_unit_test(chips_have_their_names),
        cmocka_unit_test(random_bytes_end_in_an_error),
    };
    return cmocka_run_group_tests(tests, make_golden, NULL);
}
