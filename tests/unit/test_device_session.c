/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the device's session. The port asserts the rules of the flash itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/random.h"
#include "tests/unit/image_maker.h"
#include "tests/unit/ram_port.h"
#include "updraft/error.h"

#define ALICE 1u
#define BOB   2u
#define SEED  20260302u

static struct ram_port port;
static uint8_t image[RAM_SLOT_SIZE + 4096];
static size_t image_size;

static int set_up(void **state)
{
    (void)state;
    struct image_recipe recipe = {.data_size_bytes = 20000, .seed = SEED};
    image_size = make_image(&recipe, image, sizeof(image));
    ram_port_init(&port);
    return 0;
}

/* The failed update did no harm: the device takes the next one. */
static void assert_takes_a_fresh_update(void)
{
    port.fail_at = NEVER;
    port.corrupt_at = NEVER;
    port.begin_result = 0;
    port.judge_result = 0;
    struct image_recipe recipe = {.data_size_bytes = 20000, .seed = SEED};
    image_size = make_image(&recipe, image, sizeof(image));
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_IDLE);
    assert_int_equal(ram_port_update(&port, ALICE, image, image_size, 244),
                     UPDRAFT_P1_DONE_ACK);
    assert_true(ram_port_runs(&port, image, image_size));
}

static void assert_refused_before_erasing(int error)
{
    assert_int_equal(ram_port_update(&port, ALICE, image, image_size, 244),
                     UPDRAFT_P1_DONE_NAK);
    assert_int_equal(updraft_device_error(&port.device), error);
    assert_int_equal(port.erase_count, 0);
    assert_false(port.activated);
    assert_takes_a_fresh_update();
}

static void a_whole_image_is_written_verified_and_selected(void **state)
{
    (void)state;
    static const size_t packet_sizes[] = {1, 3, 20, 244, 495, 509, 512};
    for (size_t i = 0; i < sizeof(packet_sizes) / sizeof(packet_sizes[0]); i++) {
        ram_port_init(&port);
        assert_int_equal(
            ram_port_update(&port, ALICE, image, image_size, packet_sizes[i]),
            UPDRAFT_P1_DONE_ACK);
        assert_true(ram_port_runs(&port, image, image_size));
        assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_RESTARTING);
        assert_int_equal(updraft_device_error(&port.device), 0);
        assert_int_equal(updraft_device_received_bytes(&port.device), image_size);
        assert_int_equal(port.erase_count, (image_size + 4095) / 4096);
    }
}

static void without_a_packet_size_packets_may_have_any(void **state)
{
    (void)state;
    sim_random_t random;
    sim_random_seed(&random, SEED);
    for (int round = 0; round < 50; round++) {
        ram_port_init(&port);
        assert_int_equal(ram_port_request(&port, ALICE, 0, 0), UPDRAFT_P1_REQUEST_ACK);
        for (size_t sent = 0; sent < image_size;) {
            size_t packet = 1 + sim_random_below(&random, 512);
            packet = packet < image_size - sent ? packet : image_size - sent;
            ram_port_data(&port, ALICE, image + sent, packet, 0);
            sent += packet;
        }
        assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_ACK);
        assert_true(ram_port_runs(&port, image, image_size));
    }
}

static void the_last_packet_may_be_padded_or_followed_by_padding(void **state)
{
    (void)state;
    memset(image + image_size, 0xFF, 4000);
    static const size_t extra[] = {1, 15, 100, 512, 4000};
    for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
        ram_port_init(&port);
        assert_int_equal(ram_port_update(&port, ALICE, image, image_size + extra[i], 244),
                         UPDRAFT_P1_DONE_ACK);
        assert_true(ram_port_runs(&port, image, image_size));
        assert_int_equal(updraft_device_received_bytes(&port.device), image_size);
    }
}

static void nothing_may_follow_a_short_packet(void **state)
{
    (void)state;
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_send(&port, ALICE, image, 244 * 10, 244, 0);
    ram_port_data(&port, ALICE, image + 2440, 243, 0);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_RECEIVING);
    ram_port_data(&port, ALICE, image + 2683, 244, 0);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_FAILED);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_LINK_PROTOCOL);
    assert_int_equal(port.answer_count, 1); /* nothing unsolicited */
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_NAK);
    assert_takes_a_fresh_update();
}

static void a_packet_longer_than_told_fails_the_update(void **state)
{
    (void)state;
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_send(&port, ALICE, image, image_size - 400, 244, 0);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_RECEIVING);
    ram_port_init(&port);
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_send(&port, ALICE, image, 2440, 244, 0);
    ram_port_data(&port, ALICE, image + 2440, 245, 0);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_LINK_PROTOCOL);
    ram_port_send(&port, ALICE, image + 2440, image_size - 2440, 244, 0);
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_NAK);
    /* Nor may one be longer than an attribute value where no size was told. */
    assert_int_equal(ram_port_request(&port, BOB, 0, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_data(&port, BOB, image, 513, 0);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_FAILED);
    ram_port_link_lost(&port, BOB);
    assert_takes_a_fresh_update();
}

static void an_impossible_packet_size_is_refused_at_request(void **state)
{
    (void)state;
    static const uint16_t sizes[] = {513, 0x8000, 0xFFFF};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(ram_port_request(&port, ALICE, sizes[i], 0),
                         UPDRAFT_P1_REQUEST_NAK);
        assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_ARGUMENT);
    }
    uint8_t zero[2] = {0, 0};
    ram_port_data(&port, ALICE, zero, 2, 0);
    assert_int_equal(ram_port_request(&port, ALICE, 0, 0), UPDRAFT_P1_REQUEST_NAK);
    /* It was that connection's: another one, or the next, has nothing to do with it. */
    assert_int_equal(ram_port_request(&port, BOB, 0, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_link_lost(&port, BOB);
    ram_port_link_lost(&port, ALICE);
    assert_int_equal(ram_port_request(&port, ALICE, 0, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_link_lost(&port, ALICE);
    assert_takes_a_fresh_update();
}

static void two_bytes_of_an_image_are_no_packet_size(void **state)
{
    (void)state;
    /* The last packet of a failed update has two bytes; the size told before holds. */
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_send(&port, ALICE, image, 488, 244, 0);
    uint8_t last[2] = {0xFF, 0xFF};
    ram_port_data(&port, ALICE, last, 2, 0);
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_NAK);
    assert_int_equal(ram_port_request(&port, ALICE, 0, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_data(&port, ALICE, image, 245, 0);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_FAILED);
    /* A client that starts afresh in the middle of an update tells its size anew. */
    assert_int_equal(ram_port_request(&port, ALICE, 495, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_send(&port, ALICE, image, 4950, 495, 0);
    assert_int_equal(ram_port_request(&port, ALICE, 20, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_send(&port, ALICE, image, image_size, 20, 0);
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_ACK);
    assert_true(ram_port_runs(&port, image, image_size));
}

static void a_request_is_refused_where_it_must_be(void **state)
{
    (void)state;
    updraft_device_set_on_trial(&port.device, true);
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_NAK);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_ON_TRIAL);
    updraft_device_set_on_trial(&port.device, false);
    port.begin_result = UPDRAFT_ERROR_VETOED;
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_NAK);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_VETOED);
    struct updraft_device_config config = port.device.config;
    config.slot_size_bytes = 0;
    updraft_device_init(&port.device, &config);
    port.begin_result = 0;
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_NAK);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_FLASH_NO_SLOT);
    assert_int_equal(updraft_device_owner(&port.device), UPDRAFT_CONNECTION_NONE);
    config.slot_size_bytes = RAM_SLOT_SIZE;
    config.on_trial = true;
    updraft_device_init(&port.device, &config);
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_NAK);
    updraft_device_set_on_trial(&port.device, false);
    assert_takes_a_fresh_update();
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_NAK);
    assert_int_equal(ram_port_request(&port, BOB, 244, 0), UPDRAFT_P1_REQUEST_NAK);
    assert_true(ram_port_runs(&port, image, image_size));
}

static void another_connection_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_ACK);
    for (size_t sent = 0; sent < image_size; sent += 244) {
        size_t packet = image_size - sent < 244 ? image_size - sent : 244;
        ram_port_data(&port, ALICE, image + sent, packet, 0);
        port.answer_count = 0;
        assert_int_equal(ram_port_request(&port, BOB, 20, 0), UPDRAFT_P1_REQUEST_NAK);
        ram_port_data(&port, BOB, image, 20, 0);
        assert_int_equal(ram_port_finish(&port, BOB, 0), UPDRAFT_P1_DONE_NAK);
        updraft_device_data_lost(&port.device, BOB);
        ram_port_link_lost(&port, BOB);
        assert_int_equal(updraft_device_owner(&port.device), ALICE);
    }
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_ACK);
    assert_true(ram_port_runs(&port, image, image_size));
}

static void a_second_request_starts_afresh(void **state)
{
    (void)state;
    for (size_t sent = 0; sent < image_size; sent += 2440) {
        ram_port_init(&port);
        assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_ACK);
        ram_port_send(&port, ALICE, image, sent, 244, 0);
        assert_int_equal(ram_port_request(&port, ALICE, 0, 0), UPDRAFT_P1_REQUEST_ACK);
        ram_port_send(&port, ALICE, image, image_size, 244, 0);
        assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_ACK);
        assert_true(ram_port_runs(&port, image, image_size));
    }
    /* Also where the application no longer wants it: then the old one has ended. */
    ram_port_init(&port);
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_send(&port, ALICE, image, 2440, 244, 0);
    port.begin_result = UPDRAFT_ERROR_VETOED;
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_NAK);
    assert_takes_a_fresh_update();
}

static void done_without_a_request_is_refused(void **state)
{
    (void)state;
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_NAK);
    ram_port_send(&port, ALICE, image, image_size, 244, 0);
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_NAK);
    assert_int_equal(port.work_count, 0);
    assert_takes_a_fresh_update();
    /* Said again where it was already granted, it is granted. */
    assert_int_equal(ram_port_finish(&port, BOB, 0), UPDRAFT_P1_DONE_NAK);
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_ACK);
    ram_port_link_lost(&port, ALICE);
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_NAK);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_RESTARTING);
}

static void unknown_control_values_are_ignored(void **state)
{
    (void)state;
    static const uint8_t values[] = {0, 2, 3, 5, 6, 7, 0x10, 0xFF};
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_ACK);
    for (size_t i = 0; i < sizeof(values); i++) {
        ram_port_control(&port, ALICE, values[i], 0);
    }
    uint8_t two[2] = {UPDRAFT_P1_DONE, UPDRAFT_P1_DONE};
    updraft_device_control(&port.device, ALICE, two, 2, 0);
    updraft_device_control(&port.device, ALICE, two, 0, 0);
    assert_int_equal(port.answer_count, 1);
    ram_port_data(&port, ALICE, image, 0, 0); /* nor does an empty packet mean anything */
    ram_port_send(&port, ALICE, image, image_size, 244, 0);
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_ACK);
}

static void an_unfit_image_is_refused_before_anything_is_erased(void **state)
{
    (void)state;
    image[0] = 0xE8;
    assert_refused_before_erasing(UPDRAFT_ERROR_IMAGE_MAGIC);
    static const struct {
        struct image_recipe recipe;
        int error;
    } cases[] = {
        {{.is_esp32 = true}, UPDRAFT_ERROR_IMAGE_CHIP},
        {{.chip_id = UPDRAFT_CHIP_ESP32S3}, UPDRAFT_ERROR_IMAGE_CHIP},
        {{.chip_revision_min = 5}, UPDRAFT_ERROR_IMAGE_CHIP_REVISION},
        {{.chip_revision_max = 3}, UPDRAFT_ERROR_IMAGE_CHIP_REVISION},
        {{.without_descriptor = true}, UPDRAFT_ERROR_IMAGE_DESCRIPTOR},
        {{.without_hash = true}, UPDRAFT_ERROR_IMAGE_NO_HASH},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ram_port_init(&port);
        image_size = make_image(&cases[i].recipe, image, sizeof(image));
        assert_refused_before_erasing(cases[i].error);
    }
}

static void an_image_too_short_to_have_a_descriptor_is_refused(void **state)
{
    (void)state;
    /* One segment of 4 bytes: whole, but only 80 bytes long. */
    uint8_t tiny[80] = {
        0xE9, 1, 2, 0x20, [12] = 5, [17] = 0xFF, 0xFF, [23] = 1, [28] = 4};
    tiny[47] = 0xEF;
    sha256(tiny, 48, tiny + 48);
    assert_int_equal(ram_port_update(&port, ALICE, tiny, sizeof(tiny), 244),
                     UPDRAFT_P1_DONE_NAK);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_IMAGE_DESCRIPTOR);
    assert_int_equal(port.erase_count, 0);
    assert_takes_a_fresh_update();
}

static void the_application_may_veto_the_image_before_anything_is_erased(void **state)
{
    (void)state;
    port.judge_result = UPDRAFT_ERROR_VETOED;
    assert_refused_before_erasing(UPDRAFT_ERROR_VETOED);
}

static void an_image_may_fill_the_slot_and_no_more(void **state)
{
    (void)state;
    /* 24 + 8 + 256 + 8 + data + padding + checksum + hash. */
    struct image_recipe full = {.data_size_bytes = RAM_SLOT_SIZE - 296 - 4 - 32};
    image_size = make_image(&full, image, sizeof(image));
    assert_int_equal(image_size, RAM_SLOT_SIZE);
    assert_int_equal(ram_port_update(&port, ALICE, image, image_size, 512),
                     UPDRAFT_P1_DONE_ACK);
    assert_true(ram_port_runs(&port, image, image_size));
    struct image_recipe larger = {.data_size_bytes = RAM_SLOT_SIZE - 296 - 32};
    image_size = make_image(&larger, image, sizeof(image));
    assert_int_equal(image_size, RAM_SLOT_SIZE + 16);
    ram_port_init(&port);
    assert_int_equal(ram_port_update(&port, ALICE, image, image_size, 512),
                     UPDRAFT_P1_DONE_NAK);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_IMAGE_TOO_LARGE);
    assert_int_equal(port.erase_count, 0);
    assert_takes_a_fresh_update();
}

static void silence_ends_an_update(void **state)
{
    (void)state;
    uint32_t start_ms = UINT32_MAX - 10000; /* the clock wraps on the way */
    uint32_t deadline_ms = 0;
    assert_false(updraft_device_deadline(&port.device, &deadline_ms));
    assert_int_equal(ram_port_request(&port, ALICE, 244, start_ms),
                     UPDRAFT_P1_REQUEST_ACK);
    assert_true(updraft_device_deadline(&port.device, &deadline_ms));
    assert_int_equal(deadline_ms, (uint32_t)(start_ms + 30000));
    ram_port_data(&port, ALICE, image, 244, start_ms + 29999);
    ram_port_tick(&port, start_ms + 30000);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_HEAD);
    ram_port_tick(&port, start_ms + 59998);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_HEAD);
    ram_port_tick(&port, start_ms + 59999);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_IDLE);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_LINK_TIMEOUT);
    assert_false(updraft_device_deadline(&port.device, &deadline_ms));
    assert_takes_a_fresh_update();
    assert_false(updraft_device_deadline(&port.device, &deadline_ms));
}

static void an_update_that_takes_too_long_ends(void **state)
{
    (void)state;
    uint32_t now_ms = 0x7FFFFFF0;
    assert_int_equal(ram_port_request(&port, ALICE, 20, now_ms), UPDRAFT_P1_REQUEST_ACK);
    for (uint32_t i = 0; i < 359; i++) {
        now_ms += 10000;
        ram_port_data(&port, ALICE, image + 20 * i, 20, now_ms);
        ram_port_tick(&port, now_ms);
        assert_int_equal(updraft_device_owner(&port.device), ALICE);
    }
    ram_port_tick(&port, now_ms + 9999);
    assert_int_equal(updraft_device_owner(&port.device), ALICE);
    ram_port_tick(&port, now_ms + 10000);
    assert_int_equal(updraft_device_owner(&port.device), UPDRAFT_CONNECTION_NONE);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_LINK_TIMEOUT);
    assert_takes_a_fresh_update();
}

static void a_failed_update_ends_with_its_own_reason(void **state)
{
    (void)state;
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_data(&port, ALICE, image + 1, 244, 0);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_FAILED);
    ram_port_tick(&port, 30000);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_IDLE);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_IMAGE_MAGIC);
    assert_takes_a_fresh_update();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_image_is_written_verified_and_selected),
        TEST(without_a_packet_size_packets_may_have_any),
        TEST(the_last_packet_may_be_padded_or_followed_by_padding),
        TEST(nothing_may_follow_a_short_packet),
        TEST(a_packet_longer_than_told_fails_the_update),
        TEST(an_impossible_packet_size_is_refused_at_request),
        TEST(two_bytes_of_an_image_are_no_packet_size),
        TEST(a_request_is_refused_where_it_must_be),
        TEST(another_connection_changes_nothing),
        TEST(a_second_request_starts_afresh),
        TEST(done_without_a_request_is_refused),
        TEST(unknown_control_values_are_ignored),
        TEST(an_unfit_image_is_refused_before_anything_is_erased),
        TEST(an_image_too_short_to_have_a_descriptor_is_refused),
        TEST(the_application_may_veto_the_image_before_anything_is_erased),
        TEST(an_image_may_fill_the_slot_and_no_more),
        TEST(silence_ends_an_update),
        TEST(an_update_that_takes_too_long_ends),
        TEST(a_failed_update_ends_with_its_own_reason),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
