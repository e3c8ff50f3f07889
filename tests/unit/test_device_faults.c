/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the device's session survives: broken images, flash, links and input. The port
 * asserts the rules of the flash itself. */
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
#define SEED  20260302u

static struct ram_port port;
static uint8_t image[RAM_SLOT_SIZE + 4096];
static size_t image_size;
static uint8_t small[352];

static int set_up(void **state)
{
    (void)state;
    struct image_recipe recipe = {.data_size_bytes = 20000, .seed = SEED};
    image_size = make_image(&recipe, image, sizeof(image));
    struct image_recipe golden = {0};
    make_image(&golden, small, sizeof(small));
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

static void no_prefix_of_an_image_is_selected(void **state)
{
    (void)state;
    for (size_t prefix = 0; prefix < sizeof(small); prefix++) {
        ram_port_init(&port);
        assert_int_equal(ram_port_update(&port, ALICE, small, prefix, 20),
                         UPDRAFT_P1_DONE_NAK);
        assert_int_equal(updraft_device_error(&port.device),
                         UPDRAFT_ERROR_IMAGE_TRUNCATED);
        assert_false(port.header_written);
        assert_false(port.activated);
    }
    assert_takes_a_fresh_update();
}

static void no_image_with_a_flipped_bit_is_selected(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < sizeof(small) * 8; bit++) {
        ram_port_init(&port);
        small[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (ram_port_update(&port, ALICE, small, sizeof(small), 512) !=
                UPDRAFT_P1_DONE_NAK ||
            port.header_written || port.activated) {
            fail_msg("bit %zu flipped, and the image was taken", bit);
        }
        small[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_takes_a_fresh_update();
}

static void flash_that_does_not_keep_what_was_written_is_found(void **state)
{
    (void)state;
    for (uint32_t offset = 32; offset < image_size; offset += 971) {
        ram_port_init(&port);
        port.corrupt_at = offset;
        assert_int_equal(ram_port_update(&port, ALICE, image, image_size, 244),
                         UPDRAFT_P1_DONE_NAK);
        assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_IMAGE_HASH);
        assert_false(port.header_written);
        assert_takes_a_fresh_update();
    }
}

static void whichever_action_fails_nothing_is_selected(void **state)
{
    (void)state;
    uint32_t failures = 0;
    for (;; failures++) {
        ram_port_init(&port);
        port.fail_at = failures;
        port.fail_result = UPDRAFT_ERROR_FLASH_WRITE;
        uint8_t opcode = ram_port_update(&port, ALICE, image, image_size, 244);
        if (opcode == UPDRAFT_P1_DONE_ACK) {
            break;
        }
        assert_int_equal(opcode,
                         failures == 0 ? UPDRAFT_P1_REQUEST_NAK : UPDRAFT_P1_DONE_NAK);
        assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_FLASH_WRITE);
        assert_false(port.activated);
        assert_false(port.restarted);
        if (!port.header_written) {
            assert_false(ram_port_has_image(&port));
        }
        assert_takes_a_fresh_update();
    }
    /* BEGIN, JUDGE, PREPARE, 5 sectors, 20 writes of data, HASH, header, ACTIVATE; the
     * restart that fails comes after the verdict. */
    assert_int_equal(image_size, 20336);
    assert_int_equal(failures, 3 + 5 + 20 + 3);
    assert_true(port.activated);
}

static void after_a_failed_activation_nothing_is_touched(void **state)
{
    (void)state;
    port.fail_at = 30;
    port.fail_result = UPDRAFT_ERROR_IMAGE_HASH;
    assert_int_equal(ram_port_update(&port, ALICE, image, image_size, 244),
                     UPDRAFT_P1_DONE_NAK);
    assert_true(port.header_written);
    assert_int_equal(port.work_count, 31);
    assert_takes_a_fresh_update();
}

static void a_lost_link_ends_the_update_at_every_step(void **state)
{
    (void)state;
    for (size_t sent = 0; sent <= image_size; sent += 122) {
        ram_port_init(&port);
        assert_int_equal(ram_port_request(&port, ALICE, 122, 0), UPDRAFT_P1_REQUEST_ACK);
        ram_port_send(&port, ALICE, image, sent, 122, 0);
        uint32_t work_before = port.work_count;
        ram_port_link_lost(&port, ALICE);
        assert_int_equal(port.work_count, work_before);
        assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_IDLE);
        assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_LINK_LOST);
        assert_int_equal(updraft_device_owner(&port.device), UPDRAFT_CONNECTION_NONE);
        assert_false(ram_port_has_image(&port));
        assert_takes_a_fresh_update();
    }
}

static void a_lost_packet_fails_the_update(void **state)
{
    (void)state;
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_send(&port, ALICE, image, image_size, 244, 0);
    updraft_device_data_lost(&port.device, ALICE);
    updraft_device_data_lost(&port.device, ALICE);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_LINK_DATA_LOST);
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_NAK);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_LINK_DATA_LOST);
    updraft_device_data_lost(&port.device, ALICE);
    assert_takes_a_fresh_update();
}

static void a_session_can_be_copied_and_both_go_on(void **state)
{
    (void)state;
    static struct ram_port copy;
    assert_int_equal(ram_port_request(&port, ALICE, 244, 0), UPDRAFT_P1_REQUEST_ACK);
    ram_port_send(&port, ALICE, image, 9760, 244, 0);
    memcpy(&copy, &port, sizeof(copy));
    ram_port_send(&port, ALICE, image + 9760, image_size - 9760, 244, 0);
    assert_int_equal(ram_port_finish(&port, ALICE, 0), UPDRAFT_P1_DONE_ACK);
    memset(&port, 0xA5, sizeof(port));
    ram_port_send(&copy, ALICE, image + 9760, image_size - 9760, 244, 0);
    assert_int_equal(ram_port_finish(&copy, ALICE, 0), UPDRAFT_P1_DONE_ACK);
    assert_true(ram_port_runs(&copy, image, image_size));
}

/* Whatever comes: the port asserts the flash's rules, and only the real image boots. */
static void random_input_selects_nothing_but_a_whole_image(void **state)
{
    (void)state;
    sim_random_t random;
    sim_random_seed(&random, SEED);
    print_message("seed %u\n", SEED);
    uint32_t now_ms = 0;
    size_t sent = 0;
    uint32_t selected = 0;
    for (uint32_t round = 0; round < 60000; round++) {
        uint16_t connection = (uint16_t)(1 + sim_random_below(&random, 16) / 15);
        now_ms += sim_random_below(&random, 100);
        port.answer_count = 0;
        uint32_t choice = sim_random_below(&random, 1000);
        if (choice < 2) {
            ram_port_link_lost(&port, connection);
        } else if (choice < 20) {
            ram_port_control(&port, connection, (uint8_t)sim_random_below(&random, 8),
                             now_ms);
            sent = updraft_device_state(&port.device) == UPDRAFT_DEVICE_HEAD ? 0 : sent;
        } else if (choice < 25) {
            uint8_t noise[512];
            sim_random_fill(&random, noise, sizeof(noise));
            ram_port_data(&port, connection, noise, sim_random_below(&random, 513),
                          now_ms);
        } else if (choice < 30) {
            ram_port_tick(&port, now_ms + sim_random_below(&random, 40000));
        } else {
            size_t size = sizeof(small) - sent < 64 ? sizeof(small) - sent : 64;
            ram_port_data(&port, 1, small + sent, size, now_ms);
            sent += size;
        }
        if (port.activated) {
            assert_true(ram_port_runs(&port, small, sizeof(small)));
            selected++;
            ram_port_init(&port);
        }
    }
    assert_true(selected > 10); /* so that the other rounds were worth something */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(no_prefix_of_an_image_is_selected),
        TEST(no_image_with_a_flipped_bit_is_selected),
        TEST(flash_that_does_not_keep_what_was_written_is_found),
        TEST(whichever_action_fails_nothing_is_selected),
        TEST(after_a_failed_activation_nothing_is_touched),
        TEST(a_lost_link_ends_the_update_at_every_step),
        TEST(a_lost_packet_fails_the_update),
        TEST(a_session_can_be_copied_and_both_go_on),
        TEST(random_input_selects_nothing_but_a_whole_image),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
