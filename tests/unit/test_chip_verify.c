/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of ESP-IDF's verification: what of an image counts, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chip_fixture.h"
#include "sim/chip/little_endian.h"
#include "sim/chip/verify.h"
#include "sim/image/image.h"

static uint8_t image[4096];
static size_t image_size;

static void make_image(uint16_t chip_id)
{
    struct sim_image_request request = {
        .firmware = "minimal", .version = "1", .chip_id = chip_id, .size_bytes = 3000};
    image_size = sim_image_make(&request, image, sizeof(image));
    assert_true(image_size > 0);
}

static int verify(enum sim_verify_mode mode, uint32_t partition_size)
{
    uint64_t us = 0;
    sim_flash_load(fixture.flash, 0x110000, image, (uint32_t)image_size);
    return sim_chip_verify(fixture.chip, 0x110000, partition_size, mode, NULL, NULL, NULL,
                           &us);
}

static int sealed(void)
{
    assert_true(sim_image_seal(image, image_size));
    return verify(SIM_VERIFY_ONLY, 0x100000);
}

static void every_bit_of_an_image_counts_but_the_one_that_says_it_has_a_hash(void **state)
{
    (void)state;
    make_image(5);
    assert_int_equal(verify(SIM_VERIFY_ONLY, 0x100000), SIM_OK);
    for (size_t bit = 0; bit < image_size * 8; bit++) {
        image[bit / 8] ^= (uint8_t)(1 << bit % 8);
        /* Without the flag ESP-IDF looks at the checksum only, which is of the segments.
         */
        bool unnoticed = bit == 23 * 8;
        assert_int_equal(verify(SIM_VERIFY_ONLY, 0x100000) == SIM_OK, unnoticed);
        image[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void an_image_for_another_chip_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sim_chip_model_count; i++) {
        make_image(sim_chip_models[i].chip_id);
        assert_int_equal(verify(SIM_VERIFY_ONLY, 0x100000) == SIM_OK,
                         sim_chip_models[i].chip_id == fixture.chip->chip_id);
    }
}

static void revisions_outside_the_images_range_are_refused(void **state)
{
    (void)state;
    fixture.chip->revision = 103;
    make_image(5);
    sim_put_le16(image + 15, 103);
    assert_int_equal(sealed(), SIM_OK);
    sim_put_le16(image + 15, 104);
    assert_int_equal(sealed(), SIM_FAIL);
    sim_put_le16(image + 15, 0);
    sim_put_le16(image + 17, 102);
    assert_int_equal(sealed(), SIM_FAIL);
    fixture.chip->ignore_maximum_revision = true;
    assert_int_equal(sealed(), SIM_OK);
    fixture.chip->ignore_maximum_revision = false;
    sim_put_le16(image + 17, 0); /* not set */
    assert_int_equal(sealed(), SIM_OK);
    sim_put_le16(image + 17, 103);
    assert_int_equal(sealed(), SIM_OK);
}

static void efuse_block_revisions_count_except_on_the_original_esp32(void **state)
{
    (void)state;
    make_image(5);
    sim_put_le16(image + 32 + 176, 2);
    assert_int_equal(sealed(), SIM_FAIL);
    fixture.chip->efuse_block_revision = 2;
    assert_int_equal(sealed(), SIM_OK);
    sim_put_le16(image + 32 + 178, 1);
    assert_int_equal(sealed(), SIM_FAIL);
    make_image(0);
    fixture.chip->chip_id = 0;
    fixture.chip->revision = 300;
    sim_put_le16(image + 32 + 176, 900);
    assert_int_equal(sealed(), SIM_OK);
}

static void segments_must_be_words_on_their_page(void **state)
{
    (void)state;
    make_image(5);
    image[24] ^= 0x10; /* the address of the mapped data */
    assert_int_equal(sealed(), SIM_ERR_IMAGE_INVALID);
    make_image(5);
    image[28] |= 1; /* its length */
    assert_int_equal(verify(SIM_VERIFY_ONLY, 0x100000), SIM_ERR_IMAGE_INVALID);
    make_image(5);
    image[1] = 17;
    assert_int_equal(verify(SIM_VERIFY_ONLY, 0x100000), SIM_ERR_IMAGE_INVALID);
    make_image(5);
    image[31] = 0x01; /* 16 MiB more */
    assert_int_equal(verify(SIM_VERIFY_ONLY, 0x100000), SIM_ERR_IMAGE_INVALID);
    image[31] = 0;
    image[30] = 0x40; /* 4 MiB more: beyond the flash */
    assert_int_equal(verify(SIM_VERIFY_ONLY, 0x100000), SIM_ERR_FLASH_OP_FAIL);
}

static void some_chips_take_the_page_size_from_the_descriptor(void **state)
{
    (void)state;
    fixture.chip->chip_id = 0x000D; /* ESP32-C6 */
    make_image(0x000D);
    image[25] ^= 0x80; /* address + 32 KiB: right for pages of 32 KiB only */
    assert_int_equal(sealed(), SIM_ERR_IMAGE_INVALID);
    image[32 + 180] = 15;
    assert_int_equal(sealed(), SIM_OK);
    image[32 + 180] = 0; /* the default, 64 KiB */
    assert_int_equal(sealed(), SIM_ERR_IMAGE_INVALID);
    image[32 + 180] = 32;
    assert_int_equal(sealed(), SIM_ERR_IMAGE_INVALID);
    make_image(0x000D);
    image[32] = 0; /* no descriptor */
    assert_int_equal(sealed(), SIM_FAIL);
    make_image(5);
    fixture.chip->chip_id = 5;
    image[32] = 0; /* the C3 does not ask for one */
    assert_int_equal(sealed(), SIM_OK);
}

static void an_image_larger_than_its_partition_is_refused(void **state)
{
    (void)state;
    make_image(5);
    assert_int_equal(verify(SIM_VERIFY_ONLY, (uint32_t)image_size), SIM_OK);
    assert_int_equal(verify(SIM_VERIFY_ONLY, (uint32_t)image_size - 1),
                     SIM_ERR_IMAGE_INVALID);
}

static void an_image_without_hash_has_its_checksum_only(void **state)
{
    (void)state;
    make_image(5);
    image[23] = 0;
    assert_int_equal(sealed(), SIM_OK);
    image[image_size - 1] ^= 1; /* where the hash was */
    assert_int_equal(verify(SIM_VERIFY_ONLY, 0x100000), SIM_OK);
    image[400] ^= 1;
    assert_int_equal(verify(SIM_VERIFY_ONLY, 0x100000), SIM_ERR_IMAGE_INVALID);
}

static void only_the_boot_loader_asks_where_code_is_loaded(void **state)
{
    (void)state;
    make_image(5);
    uint32_t second = 32 + sim_get_le32(image + 28);
    sim_put_le32(image + second, 0x60000000); /* registers */
    assert_true(sim_image_seal(image, image_size));
    assert_int_equal(verify(SIM_VERIFY_ONLY, 0x100000), SIM_OK);
    assert_int_equal(verify(SIM_VERIFY_LOAD, 0x100000), SIM_ERR_IMAGE_INVALID);
    sim_put_le32(image + second, 0); /* a padding segment goes nowhere */
    assert_true(sim_image_seal(image, image_size));
    assert_int_equal(verify(SIM_VERIFY_LOAD, 0x100000), SIM_OK);
}

#define ON_C3(test) cmocka_unit_test_setup_teardown(test, fixture_5, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_C3(every_bit_of_an_image_counts_but_the_one_that_says_it_has_a_hash),
        ON_C3(an_image_for_another_chip_is_refused),
        ON_C3(revisions_outside_the_images_range_are_refused),
        ON_C3(efuse_block_revisions_count_except_on_the_original_esp32),
        ON_C3(segments_must_be_words_on_their_page),
        ON_C3(some_chips_take_the_page_size_from_the_descriptor),
        ON_C3(an_image_larger_than_its_partition_is_refused),
        ON_C3(an_image_without_hash_has_its_checksum_only),
        ON_C3(only_the_boot_loader_asks_where_code_is_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
