/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the client's and the device's session together, by protocol 2, over a link
 * with faults and with flash that can be cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/image_maker.h"
#include "tests/unit/link2_fixture.h"
#include "tests/unit/ram_port.h"
#include "updraft/client_command2.h"
#include "updraft/error.h"

#define ALICE  1u
#define SEED   20261127u
#define ROUNDS 200u
#define WINDOW 8192u /* of the port's device */
#define SECTOR UPDRAFT_P2_SECTOR_SIZE

_Static_assert(RAM_SLOT_SIZE <= LINK2_FILE_MAX, "each file that fits the slot fits");

static struct link2 link;
static struct ram_port port;
static struct link2_file file;
static uint32_t spoil_count; /* a byte of the slot decays before so many verifications */

static uint32_t busy_until(uint32_t now_ms)
{
    return now_ms > port.now_ms ? now_ms : port.now_ms;
}

static void control(void *context, const uint8_t *bytes, size_t size, uint32_t now_ms)
{
    ram_port_message(context, ALICE, bytes, size, busy_until(now_ms));
}

static void data(void *context, const uint8_t *bytes, size_t size, uint32_t now_ms)
{
    ram_port_data(context, ALICE, bytes, size, busy_until(now_ms));
}

static void tick(void *context, uint32_t now_ms)
{
    ram_port_tick(context, busy_until(now_ms));
}

static bool deadline(void *context, uint32_t *ret_deadline_ms)
{
    struct ram_port *device_port = context;
    bool waits = updraft_device_deadline(&device_port->device, ret_deadline_ms);
    return waits && !device_port->restarted;
}

static void on_answer(void *context, const uint8_t *bytes, size_t size, uint32_t at_ms)
{
    if (bytes[0] == UPDRAFT_P2_STATE_REPORT && bytes[1] == UPDRAFT_P2_STATE_VERIFYING &&
        spoil_count > 0) {
        spoil_count--;
        port.flash[5000 + 1000 * spoil_count] ^= 4;
    }
    link2_notify(context, bytes, size, at_ms);
}

static void make_file(uint32_t data_size, uint64_t seed)
{
    struct image_recipe recipe = {.data_size_bytes = data_size, .seed = seed};
    file.size_bytes = (uint32_t)make_image(&recipe, file.bytes, sizeof(file.bytes));
    link2_file_finish(&file);
}

/* The board as it is after a start: its flash has stayed. */
static void restart_device(void)
{
    static uint8_t flash[RAM_SLOT_SIZE];
    memcpy(flash, port.flash, sizeof(flash));
    ram_port_init(&port);
    memcpy(port.flash, flash, sizeof(flash));
    port.on_answer = on_answer;
    port.answer_context = &link;
    port.now_ms = link.now_ms;
}

static void new_device(uint64_t seed)
{
    const struct link2_device device = {.context = &port,
                                        .control = control,
                                        .data = data,
                                        .tick = tick,
                                        .deadline = deadline};
    link2_init(&link, &device, seed);
    memset(port.flash, 0x5A, sizeof(port.flash));
    restart_device();
    spoil_count = 0;
}

static int set_up(void **state)
{
    (void)state;
    make_file(50000, SEED);
    new_device(SEED);
    return 0;
}

static int update_with(const struct updraft_client2_config *config)
{
    ram_port_link_lost(&port, ALICE); /* the connection before */
    link.now_ms = busy_until(link.now_ms);
    return link2_run(&link, &file, config);
}

static struct updraft_client2_config forced(uint16_t mtu)
{
    struct updraft_client2_config config = link2_config(&file, mtu, link.order + 1);
    config.force = true; /* the images of these tests have no updraft inside */
    return config;
}

static int update(uint16_t mtu)
{
    struct updraft_client2_config config = forced(mtu);
    return update_with(&config);
}

static void assert_updated(void)
{
    assert_int_equal(updraft_client2_state(&link.client), UPDRAFT_CLIENT2_DONE);
    assert_true(ram_port_runs(&port, file.bytes, file.size_bytes));
    assert_int_equal(updraft_client2_done_bytes(&link.client), file.size_bytes);
}

static void they_agree_at_every_mtu(void **state)
{
    (void)state;
    static const uint16_t mtus[] = {23, 24, 64, 185, 247, 256, 498, 512, 517, 527};
    for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        new_device(SEED);
        assert_int_equal(update(mtus[i]), 0);
        assert_updated();
        assert_int_equal(updraft_client2_sent_bytes(&link.client), file.size_bytes);
        assert_int_equal(updraft_client2_resent_bytes(&link.client), 0);
        assert_int_equal(link.message_counts[UPDRAFT_P2_STATUS], 0);
        /* A sector apart, to see how long it takes, then a whole block. */
        assert_int_equal(port.erase_count, 1 + RAM_SECTORS);
    }
}

static void images_of_every_size_arrive(void **state)
{
    (void)state;
    for (uint32_t size = 44; size < 60000; size += 1252) {
        make_file(size, size);
        new_device(size);
        assert_int_equal(update((uint16_t)(23 + size % 500)), 0);
        assert_updated();
    }
}

static struct link2_faults some_faults(sim_random_t *random)
{
    return (struct link2_faults){
        .lose_data = sim_random_below(random, 2) * sim_random_below(random, 50),
        .lose_notification = sim_random_below(random, 2) * sim_random_below(random, 100),
        .lose_message = sim_random_below(random, 2) * sim_random_below(random, 100),
        .merge = sim_random_below(random, 2) * sim_random_below(random, 500),
        .twice = sim_random_below(random, 2) * sim_random_below(random, 300),
        .late = sim_random_below(random, 2) * sim_random_below(random, 30),
        .again = sim_random_below(random, 2) * sim_random_below(random, 30),
        .late_ms = 3000,
        .jitter_ms = sim_random_below(random, 60),
        .overtaking = sim_random_below(random, 2),
    };
}

static void whatever_the_link_does_the_update_arrives(void **state)
{
    (void)state;
    uint32_t attempts = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        sim_random_t random;
        sim_random_seed(&random, SEED + round);
        make_file(4 * (11 + sim_random_below(&random, 15000)), SEED + round);
        new_device(SEED + round);
        link.faults = some_faults(&random);
        port.erase_ms = sim_random_below(&random, 3) * 45;
        port.write_ms = sim_random_below(&random, 3);
        uint16_t mtu = (uint16_t)(23 + sim_random_below(&random, 500));
        int error = UPDRAFT_ERROR_LINK_LOST;
        for (int attempt = 0; attempt < 4 && error != 0; attempt++) {
            error = update(mtu);
            attempts++;
        }
        if (error != 0) {
            fail_msg("seed %u + %u: error %d", SEED, round, error);
        }
        assert_updated();
    }
    print_message("seed %u: %u updates in %u attempts\n", SEED, ROUNDS, attempts);
    assert_true(attempts < ROUNDS + ROUNDS / 10);
}

/* Lost after so many steps, then tried again. False: it was not lost. */
static bool resume_after(uint32_t steps, uint16_t mtu)
{
    new_device(SEED);
    link.steps_left = steps;
    if (update(mtu) == 0 || port.activated) {
        return false;
    }
    assert_int_equal(updraft_client2_error(&link.client), UPDRAFT_ERROR_LINK_LOST);
    bool receiving = updraft_client2_sent_bytes(&link.client) > 0;
    uint32_t arrived = receiving ? updraft_device_received_bytes(&port.device) : 0;
    link.steps_left = LINK2_NEVER;
    assert_int_equal(update(mtu), 0);
    assert_updated();
    uint32_t sent = updraft_client2_sent_bytes(&link.client);
    assert_true(sent >= file.size_bytes - arrived);
    assert_true(sent <= file.size_bytes - arrived + WINDOW + 2 * SECTOR);
    /* Of what the slot held, one sector. */
    assert_true(updraft_client2_resent_bytes(&link.client) <= SECTOR);
    return true;
}

static void a_lost_link_costs_a_window_and_two_sectors_at_most(void **state)
{
    (void)state;
    uint32_t steps = 0;
    for (; resume_after(steps, 247); steps += 5) {
    }
    assert_true(steps > 400);
    for (steps = 0; resume_after(steps, 498); steps++) {
    }
    assert_true(steps > 200);
}

static void a_cut_in_any_sector_is_resumed_there(void **state)
{
    (void)state;
    uint32_t sectors = (file.size_bytes + SECTOR - 1) / SECTOR;
    for (uint32_t sector = 0; sector < sectors; sector++) {
        /* The power went away while this one was being programmed. */
        new_device(sector);
        memcpy(port.flash, file.bytes, file.size_bytes);
        memset(port.flash, 0xFF, 32);
        sim_random_fill(&link.random, port.flash + sector * SECTOR + 100, 2000);
        memset(port.flash + (sector + 1) * SECTOR, 0x33,
               RAM_SLOT_SIZE - (sector + 1) * SECTOR);
        assert_int_equal(update(247), 0);
        assert_updated();
        uint32_t kept = sector > 0 ? (sector - 1) * SECTOR : 0;
        assert_int_equal(updraft_client2_sent_bytes(&link.client),
                         file.size_bytes - kept);
    }
}

static void whichever_action_fails_the_client_hears_of_it_and_loses_little(void **state)
{
    (void)state;
    static const int errors[] = {UPDRAFT_ERROR_FLASH_WRITE, UPDRAFT_ERROR_VETOED,
                                 UPDRAFT_ERROR_NOT_VERIFIED};
    for (uint32_t failing = 0;; failing++) {
        int error = errors[failing % 3];
        new_device(failing);
        port.fail_at = failing;
        port.fail_result = error;
        int result = update(498);
        if (result == 0) {
            assert_true(port.activated); /* at most the restart itself failed */
            break;
        }
        assert_int_equal(updraft_client2_state(&link.client), UPDRAFT_CLIENT2_FAILED);
        assert_int_equal(result, error == UPDRAFT_ERROR_NOT_VERIFIED
                                     ? UPDRAFT_ERROR_IMAGE_INVALID
                                     : error);
        assert_false(port.activated);
        restart_device();
        assert_int_equal(update(498), 0);
        assert_updated();
    }
}

static void what_decays_is_repaired(void **state)
{
    (void)state;
    for (uint32_t times = 1; times <= 3; times++) {
        new_device(times);
        spoil_count = times;
        assert_int_equal(update(247), 0);
        assert_updated();
        assert_int_equal(updraft_client2_resent_bytes(&link.client), times * SECTOR);
    }
    new_device(4);
    spoil_count = 4;
    assert_int_equal(update(247), UPDRAFT_ERROR_IMAGE_HASH);
    assert_false(port.activated);
}

static void an_image_that_was_activated_once_costs_its_last_sector(void **state)
{
    (void)state;
    assert_int_equal(update(247), 0);
    assert_updated();
    restart_device(); /* it was rolled back: the slot holds it, header and all */
    assert_int_equal(update(247), 0);
    assert_updated();
    uint32_t last = file.size_bytes % SECTOR;
    assert_int_equal(updraft_client2_sent_bytes(&link.client), last);
}

static void a_fresh_update_keeps_nothing(void **state)
{
    (void)state;
    link.steps_left = 300;
    assert_int_equal(update(247), UPDRAFT_ERROR_LINK_LOST);
    link.steps_left = LINK2_NEVER;
    struct updraft_client2_config config = forced(247);
    config.fresh = true;
    assert_int_equal(update_with(&config), 0);
    assert_updated();
    assert_int_equal(updraft_client2_sent_bytes(&link.client), file.size_bytes);
}

static void a_refusal_says_why_before_anything_is_erased(void **state)
{
    (void)state;
    struct updraft_client2_config config = link2_config(&file, 247, 1);
    assert_int_equal(update_with(&config), UPDRAFT_ERROR_NO_UPDRAFT);
    assert_int_equal(updraft_client2_status(&link.client), UPDRAFT_P2_NO_UPDRAFT);
    struct image_recipe recipe = {.data_size_bytes = 30000};
    recipe.chip_id = UPDRAFT_CHIP_ESP32C6;
    new_device(SEED);
    file.size_bytes = (uint32_t)make_image(&recipe, file.bytes, sizeof(file.bytes));
    link2_file_finish(&file);
    assert_int_equal(update(247), UPDRAFT_ERROR_IMAGE_CHIP);
    assert_int_equal(updraft_client2_detail(&link.client), UPDRAFT_CHIP_ESP32C3);
    make_file(50000, SEED);
    port.begin_result = UPDRAFT_ERROR_BATTERY;
    assert_int_equal(update(247), UPDRAFT_ERROR_BATTERY);
    port.begin_result = 0;
    port.judge_result = UPDRAFT_ERROR_DOWNGRADE;
    assert_int_equal(update(247), UPDRAFT_ERROR_DOWNGRADE);
    assert_int_equal(port.erase_count, 0);
    port.judge_result = 0;
    assert_int_equal(update(247), 0);
    assert_updated();
}

/* A command without a session, on a connection of its own, without faults. */
static struct updraft_command2 said;

static void pass_answer(void *context, const uint8_t *bytes, size_t size, uint32_t at_ms)
{
    (void)context;
    (void)at_ms;
    updraft_command2_notified(&said, bytes, size);
}

static int say(const struct updraft_p2_command *command)
{
    struct updraft_client2_action action;
    ram_port_link_lost(&port, ALICE);
    port.on_answer = pass_answer;
    assert_int_equal(updraft_command2_init(&said, command, port.now_ms), 0);
    assert_true(updraft_command2_poll(&said, port.now_ms, &action));
    updraft_command2_subscribed(&said, 0, port.now_ms);
    assert_true(updraft_command2_poll(&said, port.now_ms, &action));
    ram_port_message(&port, ALICE, action.bytes, action.size_bytes, port.now_ms);
    updraft_command2_written(&said, 0, port.now_ms);
    port.on_answer = on_answer;
    return updraft_command2_error(&said);
}

static void a_staged_image_is_activated_later(void **state)
{
    (void)state;
    struct updraft_client2_config config = forced(247);
    struct updraft_p2_command command = {.opcode = UPDRAFT_P2_ACTIVATE,
                                         .confirm_by = UPDRAFT_P2_CONFIRM_BY_CLIENT};
    memcpy(command.id, file.image_id, sizeof(command.id));
    assert_int_equal(say(&command), UPDRAFT_ERROR_NOTHING_STAGED);
    assert_int_equal(updraft_command2_status(&said), UPDRAFT_P2_NOTHING_STAGED);
    config.stage = true;
    assert_int_equal(update_with(&config), 0);
    assert_int_equal(updraft_client2_state(&link.client), UPDRAFT_CLIENT2_STAGED);
    assert_false(port.activated);
    assert_false(ram_port_has_image(&port));
    assert_int_equal(say(&command), 0);
    assert_true(ram_port_runs(&port, file.bytes, file.size_bytes));
    assert_int_equal(port.policy, UPDRAFT_P2_CONFIRM_BY_CLIENT);
}

static void confirm_and_rollback_reach_the_device(void **state)
{
    (void)state;
    struct updraft_p2_command command = {.opcode = UPDRAFT_P2_CONFIRM};
    assert_int_equal(say(&command), 0);
    assert_true(port.confirmed);
    command.opcode = UPDRAFT_P2_ROLLBACK;
    assert_int_equal(say(&command), 0);
    assert_true(port.rolled_back);
    restart_device();
    port.fail_at = 0;
    port.fail_result = UPDRAFT_ERROR_NO_FALLBACK;
    assert_int_equal(say(&command), UPDRAFT_ERROR_NO_FALLBACK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(they_agree_at_every_mtu),
        TEST(images_of_every_size_arrive),
        TEST(whatever_the_link_does_the_update_arrives),
        TEST(a_lost_link_costs_a_window_and_two_sectors_at_most),
        TEST(a_cut_in_any_sector_is_resumed_there),
        TEST(whichever_action_fails_the_client_hears_of_it_and_loses_little),
        TEST(what_decays_is_repaired),
        TEST(an_image_that_was_activated_once_costs_its_last_sector),
        TEST(a_fresh_update_keeps_nothing),
        TEST(a_refusal_says_why_before_anything_is_erased),
        TEST(a_staged_image_is_activated_later),
        TEST(confirm_and_rollback_reach_the_device),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
