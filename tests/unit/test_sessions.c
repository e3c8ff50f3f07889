/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the client's and the device's session together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/random.h"
#include "tests/unit/image_maker.h"
#include "tests/unit/ram_port.h"
#include "updraft/client_session.h"
#include "updraft/error.h"

#define ALICE     1u
#define SEED      20260303u
#define STEPS_MAX 20000u
#define IMAGE_MAX RAM_SLOT_SIZE

static struct ram_port port;
static uint8_t image[IMAGE_MAX];
static size_t image_size;

/* How the two are connected. */
struct link {
    bool answers_first;  /* answers arrive before the response to the write, as the
                          * original's do */
    bool mute_done;      /* no response to DONE, as with the original */
    uint32_t steps_left; /* writes until the link is lost; NEVER */
};

static int set_up(void **state)
{
    (void)state;
    struct image_recipe recipe = {.data_size_bytes = 20000, .seed = SEED};
    image_size = make_image(&recipe, image, sizeof(image));
    ram_port_init(&port);
    return 0;
}

static void pass_answers(struct updraft_client *client, size_t *passed)
{
    for (; *passed < port.answer_count; (*passed)++) {
        assert_int_equal(port.answers[*passed].connection, ALICE);
        updraft_client_notified(client, port.answers[*passed].bytes, 1, 0);
    }
}

static void carry_write(const struct updraft_client_action *action)
{
    uint8_t value[512];
    if (action->kind == UPDRAFT_CLIENT_WRITE_CONTROL) {
        assert_int_equal(action->size_bytes, 1);
        ram_port_control(&port, ALICE, action->bytes[0], 0);
    } else if (action->kind == UPDRAFT_CLIENT_WRITE_DATA) {
        ram_port_data(&port, ALICE, action->bytes, action->size_bytes, 0);
    } else {
        size_t size = (size_t)action->size_bytes + action->pad_size_bytes;
        assert_true(size <= sizeof(value));
        assert_true(action->offset_bytes + action->size_bytes <= image_size);
        memcpy(value, image + action->offset_bytes, action->size_bytes);
        memset(value + action->size_bytes, 0xFF, action->pad_size_bytes);
        ram_port_data(&port, ALICE, value, size, 0);
    }
}

static void run_step(struct updraft_client *client,
                     const struct updraft_client_action *action, const struct link *link,
                     size_t *passed)
{
    if (action->kind == UPDRAFT_CLIENT_SUBSCRIBE) {
        updraft_client_subscribed(client, 0, 0);
        return;
    }
    bool is_done = action->kind == UPDRAFT_CLIENT_WRITE_CONTROL &&
                   action->bytes[0] == UPDRAFT_P1_DONE;
    carry_write(action);
    if (link->answers_first) {
        pass_answers(client, passed);
    }
    if (!link->mute_done || !is_done) {
        updraft_client_written(client, 0, 0, 0);
    }
    pass_answers(client, passed);
}

/* Runs a client from its subscription to its end. Returns its error. */
static int run(const struct updraft_client_config *config, struct link link)
{
    struct updraft_client client;
    struct updraft_client_action action;
    size_t passed = port.answer_count;
    uint32_t steps = 0;
    assert_int_equal(updraft_client_init(&client, config, 0), 0);
    uint32_t deadline_ms = 0;
    while (updraft_client_deadline(&client, &deadline_ms)) {
        if (link.steps_left == 0) {
            updraft_client_link_lost(&client);
            ram_port_link_lost(&port, ALICE);
        } else if (updraft_client_poll(&client, &action)) {
            run_step(&client, &action, &link, &passed);
            link.steps_left -= link.steps_left != NEVER;
        } else {
            updraft_client_tick(&client, deadline_ms);
        }
        assert_true(++steps < STEPS_MAX);
    }
    if (updraft_client_state(&client) == UPDRAFT_CLIENT_DONE) {
        assert_int_equal(updraft_client_sent_bytes(&client), image_size);
        return 0;
    }
    assert_int_equal(updraft_client_state(&client), UPDRAFT_CLIENT_FAILED);
    return updraft_client_error(&client);
}

static int update(uint16_t mtu)
{
    struct updraft_client_config config = {.image_size_bytes = (uint32_t)image_size,
                                           .mtu = mtu};
    struct link link = {.steps_left = NEVER};
    return run(&config, link);
}

static void they_agree_at_every_mtu(void **state)
{
    (void)state;
    static const uint16_t mtus[] = {23, 24, 64, 185, 247, 498, 512, 515, 517, 527};
    for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        for (int order = 0; order < 4; order++) {
            struct updraft_client_config config = {
                .image_size_bytes = (uint32_t)image_size, .mtu = mtus[i]};
            struct link link = {
                .answers_first = order & 1, .mute_done = order & 2, .steps_left = NEVER};
            ram_port_init(&port);
            assert_int_equal(run(&config, link), 0);
            assert_true(ram_port_runs(&port, image, image_size));
        }
    }
}

static void they_agree_on_images_of_every_size(void **state)
{
    (void)state;
    sim_random_t random;
    sim_random_seed(&random, SEED);
    print_message("seed %u\n", SEED);
    for (int round = 0; round < 200; round++) {
        struct image_recipe recipe = {
            .data_size_bytes = 4 * (1 + sim_random_below(&random, 15000)),
            .seed = 1 + sim_random_next(&random) / 2,
        };
        image_size = make_image(&recipe, image, sizeof(image));
        struct updraft_client_config config = {
            .image_size_bytes = (uint32_t)image_size,
            .slot_size_bytes = sim_random_below(&random, 2) ? RAM_SLOT_SIZE : 0,
            .mtu = (uint16_t)(23 + sim_random_below(&random, 500))};
        struct link link = {.answers_first = sim_random_below(&random, 2),
                            .steps_left = NEVER};
        ram_port_init(&port);
        assert_int_equal(run(&config, link), 0);
        assert_true(ram_port_runs(&port, image, image_size));
    }
}

static void a_link_lost_at_any_step_costs_one_more_try(void **state)
{
    (void)state;
    struct updraft_client_config config = {.image_size_bytes = (uint32_t)image_size,
                                           .mtu = 247};
    uint32_t steps = 0;
    for (;; steps++) {
        struct link link = {.steps_left = steps};
        ram_port_init(&port);
        int error = run(&config, link);
        if (error == 0) {
            break;
        }
        assert_int_equal(error, UPDRAFT_ERROR_LINK_LOST);
        assert_false(port.activated);
        assert_false(ram_port_has_image(&port));
        assert_int_equal(update(247), 0);
        assert_true(ram_port_runs(&port, image, image_size));
    }
    /* Subscription, size, REQUEST, the packets, DONE. */
    assert_int_equal(steps, 3 + (image_size + 243) / 244 + 1);
}

static void a_refused_image_reaches_the_client_as_not_verified(void **state)
{
    (void)state;
    image[500] ^= 1;
    assert_int_equal(update(247), UPDRAFT_ERROR_NOT_VERIFIED);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_IMAGE_CHECKSUM);
    struct image_recipe recipe = {.chip_id = UPDRAFT_CHIP_ESP32C6};
    image_size = make_image(&recipe, image, sizeof(image));
    assert_int_equal(update(247), UPDRAFT_ERROR_NOT_VERIFIED);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_IMAGE_CHIP);
    set_up(NULL);
    assert_int_equal(update(247), 0);
}

static void a_refused_request_reaches_the_client_after_a_second_try(void **state)
{
    (void)state;
    port.begin_result = UPDRAFT_ERROR_VETOED;
    assert_int_equal(update(247), UPDRAFT_ERROR_REFUSED);
    assert_int_equal(port.answer_count, 2);
    port.begin_result = 0;
    assert_int_equal(update(247), 0);
}

static void whichever_action_fails_the_client_hears_of_it(void **state)
{
    (void)state;
    for (uint32_t failures = 1;; failures++) {
        ram_port_init(&port);
        port.fail_at = failures;
        port.fail_result = UPDRAFT_ERROR_FLASH_ERASE;
        int error = update(498);
        if (error == 0) {
            assert_true(port.activated);
            break;
        }
        assert_int_equal(error, UPDRAFT_ERROR_NOT_VERIFIED);
        assert_false(port.activated);
        port.fail_at = NEVER;
        assert_int_equal(update(23), 0);
        assert_true(ram_port_runs(&port, image, image_size));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(they_agree_at_every_mtu),
        TEST(they_agree_on_images_of_every_size),
        TEST(a_link_lost_at_any_step_costs_one_more_try),
        TEST(a_refused_image_reaches_the_client_as_not_verified),
        TEST(a_refused_request_reaches_the_client_after_a_second_try),
        TEST(whichever_action_fails_the_client_hears_of_it),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
