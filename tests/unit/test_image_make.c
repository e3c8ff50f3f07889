/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the image maker, by itself and as a command. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <mbedtls/sha256.h>

#include "sim/chip/chip.h"
#include "sim/chip/little_endian.h"
#include "sim/chip/verify.h"
#include "sim/image/image.h"
#include "sim/tool/image_command.h"
#include "updraft/protocol2.h"

#define CAPACITY (1100u * 1024)

static uint8_t bytes[CAPACITY];
static uint8_t again[CAPACITY];

static const struct sim_image_request plain = {
    .firmware = "minimal", .version = "1.2.3", .chip_id = 5, .seed = 1};

static bool verifies(uint16_t chip_id, const uint8_t *image, size_t size,
                     enum sim_verify_mode mode, struct sim_image_facts *ret_facts)
{
    sim_arena_t *arena = sim_arena_new(8u << 20);
    sim_flash_t *flash = sim_flash_new(arena, 4u << 20, sim_flash_timing("ideal"), 1);
    sim_chip_t *chip = sim_chip_new(arena, sim_chip_model_with_id(chip_id), 5, 5, flash);
    sim_flash_load(flash, 0x110000, image, (uint32_t)size);
    uint64_t us = 0;
    int error =
        sim_chip_verify(chip, 0x110000, 0x100000, mode, NULL, NULL, ret_facts, &us);
    sim_arena_free(arena);
    return error == SIM_OK;
}

static void images_for_every_chip_verify_and_load(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1000, 65536, 256 * 1024, 1024 * 1024};
    for (size_t i = 0; i < sim_chip_model_count; i++) {
        for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
            struct sim_image_request request = plain;
            request.chip_id = sim_chip_models[i].chip_id;
            request.size_bytes = sizes[j];
            size_t size = sim_image_make(&request, bytes, sizeof(bytes));
            assert_true(size >= sizes[j] && size < sizes[j] + 512);
            assert_int_equal(size % 16, 0);
            struct sim_image_facts facts;
            assert_true(verifies(request.chip_id, bytes, size, SIM_VERIFY_LOAD, &facts));
            assert_int_equal(facts.size, size);
            assert_int_equal(facts.segment_count, 3);
            assert_true(facts.has_hash);
            assert_true(sim_address_in(sim_chip_models[i].iram, facts.entry));
        }
    }
}

static void the_size_asked_for_is_met_exactly(void **state)
{
    (void)state;
    struct sim_image_request request = plain;
    request.size_bytes = 256 * 1024;
    assert_int_equal(sim_image_make(&request, bytes, sizeof(bytes)), 256 * 1024);
    request.size_bytes = 1024 * 1024;
    assert_int_equal(sim_image_make(&request, bytes, sizeof(bytes)), 1024 * 1024);
    request.size_bytes = 1001;
    assert_int_equal(sim_image_make(&request, bytes, sizeof(bytes)), 1008);
}

static void the_descriptor_says_what_was_asked(void **state)
{
    (void)state;
    struct sim_image_request request = plain;
    request.project = "lamp";
    assert_true(sim_image_make(&request, bytes, sizeof(bytes)) > 0);
    assert_int_equal(bytes[0], 0xE9);
    assert_int_equal(sim_get_le16(bytes + 12), 5);
    assert_int_equal(sim_get_le32(bytes + 32), 0xABCD5432);
    assert_string_equal((const char *)bytes + 32 + 16, "1.2.3");
    assert_string_equal((const char *)bytes + 32 + 48, "lamp");
    assert_string_equal((const char *)bytes + 32 + 80, "12:00:00");
    assert_string_equal((const char *)bytes + 32 + 96, "Jan  1 2026");
    request.project = NULL;
    assert_true(sim_image_make(&request, bytes, sizeof(bytes)) > 0);
    assert_string_equal((const char *)bytes + 32 + 48, "updraft-minimal");
}

static void the_marker_is_found_and_aligned(void **state)
{
    (void)state;
    struct sim_image_request request = plain;
    request.behaviour = "hang-spin";
    request.size_bytes = 5000;
    size_t size = sim_image_make(&request, bytes, sizeof(bytes));
    struct sim_image_marker marker;
    assert_true(sim_image_find_marker(bytes, size, &marker));
    assert_string_equal(marker.magic, SIM_IMAGE_MARKER_MAGIC);
    assert_string_equal(marker.firmware, "minimal");
    assert_string_equal(marker.behaviour, "hang-spin");
    uint8_t *place = memmem(bytes, size, SIM_IMAGE_MARKER_MAGIC, 13);
    assert_ptr_equal(place, bytes + 32 + 256 + 32);
    assert_int_equal((place - bytes) % 8, 0);
}

static void an_image_without_marker_has_none(void **state)
{
    (void)state;
    struct sim_image_marker marker;
    size_t size = sim_image_make(&plain, bytes, sizeof(bytes));
    memset(bytes + 32 + 256 + 32, 0x55, 4);
    assert_false(sim_image_find_marker(bytes, size, &marker));
    /* What an older image left behind the end of a newer one does not count. */
    assert_true(sim_image_make(&plain, bytes + size, sizeof(bytes) - size) > 0);
    assert_false(sim_image_find_marker(bytes, 2 * size, &marker));
    memset(bytes, 0xFF, size);
    assert_false(sim_image_find_marker(bytes, size, &marker));
    assert_false(sim_image_find_marker(bytes, 0, &marker));
}

static void updraft_finds_its_own_marker_where_it_was_asked_for(void **state)
{
    (void)state;
    struct sim_image_request request = plain;
    struct updraft_marker marker;
    assert_true(sim_image_make(&request, bytes, sizeof(bytes)) > 0);
    assert_true(updraft_marker_get(bytes, &marker));
    assert_int_equal(marker.protocol_max, UPDRAFT_P2_VERSION);
    assert_int_equal(marker.hardware_id, 0);
    uint8_t expected[UPDRAFT_MARKER_SIZE];
    request.hardware_id = 0x12345678;
    request.secure_version = 3;
    assert_true(sim_image_make(&request, bytes, sizeof(bytes)) > 0);
    assert_true(updraft_marker_get(bytes, &marker));
    assert_int_equal(marker.hardware_id, 0x12345678);
    updraft_marker_put(&marker, expected);
    assert_memory_equal(bytes + UPDRAFT_MARKER_OFFSET, expected, sizeof(expected));
    assert_int_equal(sim_get_le32(bytes + 36), 3);
    request.without_updraft = true;
    size_t size = sim_image_make(&request, bytes, sizeof(bytes));
    assert_true(size > 0);
    assert_false(updraft_marker_get(bytes, &marker));
    struct sim_image_marker ours;
    assert_true(sim_image_find_marker(bytes, size, &ours));
    assert_true(verifies(5, bytes, size, SIM_VERIFY_LOAD, NULL));
}

static void the_same_request_makes_the_same_bytes(void **state)
{
    (void)state;
    struct sim_image_request request = plain;
    request.size_bytes = 20000;
    size_t size = sim_image_make(&request, bytes, sizeof(bytes));
    assert_int_equal(sim_image_make(&request, again, sizeof(again)), size);
    assert_memory_equal(bytes, again, size);
    request.seed = 2;
    assert_int_equal(sim_image_make(&request, again, sizeof(again)), size);
    assert_memory_not_equal(bytes + 400, again + 400, size - 400);
    assert_memory_not_equal(bytes + 32 + 144, again + 32 + 144, 32); /* ELF hash */
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    struct sim_image_request request = plain;
    size_t size = sim_image_make(&request, bytes, sizeof(bytes));
    assert_true(size > 0);
    assert_int_equal(sim_image_make(&request, bytes, size), size);
    assert_int_equal(sim_image_make(&request, bytes, size - 1), 0);
    request.version = "12345678901234567890123456789012"; /* 32 */
    assert_int_equal(sim_image_make(&request, bytes, sizeof(bytes)), 0);
    request.version = "1234567890123456789012345678901"; /* 31 */
    assert_true(sim_image_make(&request, bytes, sizeof(bytes)) > 0);
    request.version = "";
    assert_int_equal(sim_image_make(&request, bytes, sizeof(bytes)), 0);
    request = plain;
    request.behaviour = "bad";
    assert_int_equal(sim_image_make(&request, bytes, sizeof(bytes)), 0);
    request = plain;
    request.chip_id = 2;
    assert_int_equal(sim_image_make(&request, bytes, sizeof(bytes)), 0);
    request = plain;
    request.firmware = NULL;
    assert_int_equal(sim_image_make(&request, bytes, sizeof(bytes)), 0);
    request = plain;
    request.size_bytes = UINT32_MAX;
    assert_int_equal(sim_image_make(&request, bytes, sizeof(bytes)), 0);
}

static void sealing_makes_a_changed_image_whole_again(void **state)
{
    (void)state;
    struct sim_image_request request = plain;
    request.size_bytes = 3000;
    size_t size = sim_image_make(&request, bytes, sizeof(bytes));
    bytes[32 + 16] = '9'; /* the version */
    assert_false(verifies(5, bytes, size, SIM_VERIFY_ONLY, NULL));
    assert_true(sim_image_seal(bytes, size));
    assert_true(verifies(5, bytes, size, SIM_VERIFY_ONLY, NULL));
    assert_false(sim_image_seal(bytes, size - 1));
    bytes[24 + 4 + 3] = 0x7F; /* a segment as long as the sky is high */
    assert_false(sim_image_seal(bytes, size));
    bytes[0] = 0;
    assert_false(sim_image_seal(bytes, size));
}

/* Built by hand from the format's rules: a C3 image of two segments. */
static void the_golden_image_verifies_with_its_published_hash(void **state)
{
    (void)state;
    static const uint8_t hash[32] = {0xb9, 0x38, 0x4e, 0xc5, 0x40, 0x66, 0x69, 0x44,
                                     0xec, 0xf0, 0x49, 0x3b, 0xec, 0x6f, 0xd2, 0x4b,
                                     0xdf, 0xb3, 0x4f, 0x8c, 0x26, 0x70, 0xbc, 0x86,
                                     0x6b, 0x6f, 0xe4, 0xe1, 0x52, 0x1b, 0x3a, 0x7f};
    static const uint8_t header[24] = {0xe9, 2,    2,    0x20, 0, 0, 0x38, 0x40,
                                       0xee, 0,    0,    0,    5, 0, 0,    0,
                                       0,    0xff, 0xff, 0,    0, 0, 0,    1};
    memset(bytes, 0, 352);
    memcpy(bytes, header, sizeof(header));
    sim_put_le32(bytes + 24, 0x3C000020);
    sim_put_le32(bytes + 28, 256);
    sim_put_le32(bytes + 32, 0xABCD5432);
    strcpy((char *)bytes + 48, "1.2.3");
    strcpy((char *)bytes + 80, "demo");
    strcpy((char *)bytes + 112, "12:00:00");
    strcpy((char *)bytes + 128, "Jan  1 2026");
    strcpy((char *)bytes + 144, "v5.5");
    sim_put_le16(bytes + 32 + 178, 199);
    bytes[32 + 180] = 16;
    sim_put_le32(bytes + 288, 0x40380000);
    sim_put_le32(bytes + 292, 16);
    for (int i = 0; i < 16; i++) {
        bytes[296 + i] = (uint8_t)i;
    }
    assert_true(sim_image_seal(bytes, 352));
    assert_int_equal(bytes[319], 0x02);
    assert_memory_equal(bytes + 320, hash, 32);
    struct sim_image_facts facts;
    assert_true(verifies(5, bytes, 352, SIM_VERIFY_LOAD, &facts));
    assert_int_equal(facts.size, 352);
    assert_memory_equal(facts.hash, hash, 32);
    assert_int_equal(facts.entry, 0x40380000);
}

/* The command. */

static char path[] = "/tmp/updraft-image-XXXXXX";

static int run_command(const char *const *options)
{
    char *argv[24] = {"image"};
    int argc = 1;
    for (; options[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)options[argc - 1];
    }
    fflush(stderr);
    return sim_tool_image(argc, argv);
}

static int make_path(void **state)
{
    (void)state;
    strcpy(path + sizeof(path) - 7, "XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static size_t read_file(void)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(again, 1, sizeof(again), file);
    fclose(file);
    return size;
}

static void the_command_writes_the_same_image(void **state)
{
    (void)state;
    const char *options[] = {"--firmware",  "minimal", "--version", "1.1.0",  "--chip",
                             "esp32s3",     "--size",  "64K",       "--seed", "0x10",
                             "--behaviour", "crash",   "--project", "p",      "-o",
                             path,          NULL};
    assert_int_equal(run_command(options), 0);
    struct sim_image_request request = {.firmware = "minimal",
                                        .version = "1.1.0",
                                        .project = "p",
                                        .behaviour = "crash",
                                        .chip_id = 9,
                                        .size_bytes = 65536,
                                        .seed = 16};
    size_t size = sim_image_make(&request, bytes, sizeof(bytes));
    assert_int_equal(read_file(), size);
    assert_memory_equal(bytes, again, size);
}

static void the_command_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    static const char *const wrong[][12] = {
        {"--firmware", "minimal", "--version", "1", "--chip", "esp32c4", "-o", path},
        {"--firmware", "minimal", "--version", "1", "--chip", "esp32"},
        {"--firmware", "minimal", "--chip", "esp32", "-o", path},
        {"--version", "1", "--chip", "esp32", "-o", path},
        {"--firmware", "minimal", "--version", "1", "-o", path},
        {"--firmware", "m", "--version", "1", "--chip", "esp32", "-o", path, "--size",
         "12Q"},
        {"--firmware", "m", "--version", "1", "--chip", "esp32", "-o", path, "--size",
         "17M"},
        {"--firmware", "m", "--version", "1", "--chip", "esp32", "-o", path, "--seed",
         "-1"},
        {"--firmware", "m", "--version", "1", "--chip", "esp32", "-o", path,
         "--behaviour", "evil"},
        {"--firmware", "m", "--version", "1", "--chip", "esp32", "-o", path, "extra"},
        {"--frobnicate"},
        {"--firmware", "m", "--version", "12345678901234567890123456789012", "--chip",
         "esp32", "-o", path},
        {"--firmware", "a_name_of_24_characters_", "--version", "1", "--chip", "esp32",
         "-o", path},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(run_command(wrong[i]), 2);
        assert_int_equal(read_file(), 0); /* the file that was there is untouched */
    }
}

static void a_file_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    const char *options[] = {"--firmware", "minimal", "--version",          "1", "--chip",
                             "esp32",      "-o",      "/nonexistent/a.bin", NULL};
    assert_int_equal(run_command(options), 1);
}

#define WITH_PATH(test) cmocka_unit_test_setup_teardown(test, make_path, remove_path)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_for_every_chip_verify_and_load),
        cmocka_unit_test(the_size_asked_for_is_met_exactly),
        cmocka_unit_test(the_descriptor_says_what_was_asked),
        cmocka_unit_test(the_marker_is_found_and_aligned),
        cmocka_unit_test(an_image_without_marker_has_none),
        cmocka_unit_test(updraft_finds_its_own_marker_where_it_was_asked_for),
        cmocka_unit_test(the_same_request_makes_the_same_bytes),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(sealing_makes_a_changed_image_whole_again),
        cmocka_unit_test(the_golden_image_verifies_with_its_published_hash),
        WITH_PATH(the_command_writes_the_same_image),
        WITH_PATH(the_command_refuses_what_it_does_not_know),
        cmocka_unit_test(a_file_that_cannot_be_written_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
