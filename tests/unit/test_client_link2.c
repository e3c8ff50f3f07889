/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of protocol 2's client session over a link with faults, to a device made from
 * SPEC alone, and to one that says anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/device2_model.h"
#include "updraft/error.h"

#define SEED   20261127u
#define ROUNDS 300u

static struct link2 link;
static struct device2_model model;
static struct link2_file file;

static void make_file(uint32_t size_bytes, uint64_t seed)
{
    sim_random_t random;
    sim_random_seed(&random, seed);
    file.size_bytes = size_bytes;
    sim_random_fill(&random, file.bytes, size_bytes);
    link2_file_finish(&file);
}

static void new_device(uint64_t seed)
{
    struct link2_device device = device2_model_device(&model);
    device2_model_init(&model, &link, &file);
    link2_init(&link, &device, seed);
}

static int set_up(void **state)
{
    (void)state;
    make_file(10 * 4096 + 1008, SEED);
    new_device(SEED);
    return 0;
}

static int update(uint16_t mtu)
{
    struct updraft_client2_config config = link2_config(&file, mtu, link.order + 1);
    device2_model_reconnect(&model);
    return link2_run(&link, &file, &config);
}

static void assert_updated(void)
{
    assert_int_equal(updraft_client2_state(&link.client), UPDRAFT_CLIENT2_DONE);
    assert_true(model.activated);
    assert_true(device2_model_has_file(&model));
    assert_int_equal(updraft_client2_done_bytes(&link.client), file.size_bytes);
}

static void without_faults_each_byte_goes_once(void **state)
{
    (void)state;
    static const uint16_t mtus[] = {23, 185, 247, 256, 498, 517};
    for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        for (uint16_t window = 1; window < 70; window += 17) {
            new_device(SEED);
            model.window_chunks = window;
            model.next = (uint16_t)(0xFFF0 - window * i);
            assert_int_equal(update(mtus[i]), 0);
            assert_updated();
            assert_int_equal(model.taken_bytes, file.size_bytes);
            assert_int_equal(updraft_client2_sent_bytes(&link.client), file.size_bytes);
            assert_int_equal(updraft_client2_resent_bytes(&link.client), 0);
            assert_int_equal(link.message_counts[UPDRAFT_P2_OPEN], 1);
            assert_int_equal(link.message_counts[UPDRAFT_P2_RANGE], 1);
            assert_int_equal(link.message_counts[UPDRAFT_P2_MAP], 0);
            assert_int_equal(link.message_counts[UPDRAFT_P2_FINISH], 0);
            assert_int_equal(link.message_counts[UPDRAFT_P2_STATUS], 0);
        }
    }
}

static void files_of_every_size_arrive(void **state)
{
    (void)state;
    for (uint32_t size = 320; size <= 3 * 4096 + 320; size += 16) {
        make_file(size, size);
        new_device(size);
        assert_int_equal(update((uint16_t)(23 + size % 500)), 0);
        assert_updated();
    }
}

/* A hundred chunks of a large file, from the numbers' wrap on. */
static void numbers_wrap_as_often_as_they_must(void **state)
{
    (void)state;
    make_file(LINK2_FILE_MAX, SEED);
    for (uint32_t first = 0xF000; first < 0x10000; first += 0x111) {
        new_device(first);
        link.faults.lose_data = 10;
        model.next = (uint16_t)first;
        assert_int_equal(update(23), 0);
        assert_updated();
    }
}

/* One kind of fault after another, and all at once. */
static struct link2_faults some_faults(sim_random_t *random, uint32_t round)
{
    struct link2_faults faults = {.jitter_ms = sim_random_below(random, 100),
                                  .late_ms = 3000};
    uint32_t kind = round % 8;
    uint32_t chance = 1 + sim_random_below(random, 60);
    faults.lose_data = kind == 0 || kind == 7 ? chance : 0;
    faults.lose_notification = kind == 1 || kind == 7 ? chance * 3 : 0;
    faults.lose_message = kind == 2 || kind == 7 ? chance * 3 : 0;
    faults.merge = kind == 3 || kind == 7 ? chance * 10 : 0;
    faults.twice = kind == 4 || kind == 7 ? chance * 10 : 0;
    faults.late = kind == 5 || kind == 7 ? chance : 0;
    faults.again = kind == 6 || kind == 7 ? chance : 0;
    faults.overtaking = sim_random_below(random, 2);
    return faults;
}

static void whatever_the_link_does_the_update_arrives(void **state)
{
    (void)state;
    uint32_t attempts = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint64_t seed = SEED + round;
        sim_random_t random;
        sim_random_seed(&random, seed);
        make_file(320 + 16 * sim_random_below(&random, 4000), seed);
        new_device(seed);
        link.faults = some_faults(&random, round);
        model.window_chunks = (uint16_t)(1 + sim_random_below(&random, 40));
        model.next = (uint16_t)sim_random_next(&random);
        model.erase_ms = sim_random_below(&random, 3) * 400;
        uint16_t mtu = (uint16_t)(23 + sim_random_below(&random, 500));
        int error = UPDRAFT_ERROR_LINK_LOST;
        /* A link that is given up is tried again, as a user would. */
        for (int attempt = 0; attempt < 3 && error != 0; attempt++) {
            error = update(mtu);
            attempts++;
        }
        if (error != 0) {
            fail_msg("seed %u + %u: error %d", SEED, round, error);
        }
        assert_updated();
    }
    print_message("seed %u: %u updates in %u attempts\n", SEED, ROUNDS, attempts);
}

static void a_link_that_is_lost_anywhere_costs_a_window_and_two_sectors(void **state)
{
    (void)state;
    for (uint32_t steps = 0;; steps += 3) {
        new_device(SEED);
        link.steps_left = steps;
        if (update(247) == 0) {
            break;
        }
        assert_int_equal(updraft_client2_error(&link.client), UPDRAFT_ERROR_LINK_LOST);
        if (model.activated) {
            assert_true(updraft_client2_activate_sent(&link.client));
            break;
        }
        uint32_t arrived = model.taken_bytes;
        link.steps_left = LINK2_NEVER;
        assert_int_equal(update(247), 0);
        assert_updated();
        uint32_t sent = updraft_client2_sent_bytes(&link.client);
        uint32_t missing = file.size_bytes - arrived;
        assert_true(sent >= missing);
        /* The device of this test stores each chunk at once: a window more is not lost.
         */
        assert_true(sent <= missing + 2 * 4096);
        assert_true(updraft_client2_resent_bytes(&link.client) <= 4096);
    }
}

static void what_arrived_wrongly_is_found_and_sent_again(void **state)
{
    (void)state;
    for (uint32_t every = 1; every < 170; every += 7) {
        new_device(every);
        model.spoil_every = every;
        model.spoil_left = 3;
        assert_int_equal(update(247), 0);
        assert_updated();
        assert_true(model.taken_bytes > file.size_bytes);
        assert_true(model.taken_bytes <= file.size_bytes + 4 * 3 * 4096);
    }
}

static void a_device_that_never_verifies_is_given_up(void **state)
{
    (void)state;
    model.never_matches = true;
    assert_int_equal(update(247), UPDRAFT_ERROR_IMAGE_HASH);
    assert_false(model.activated);
    /* All matches: sent, and sent afresh once. */
    assert_int_equal(model.verify_count, 2);
    assert_int_equal(updraft_client2_sent_bytes(&link.client), 2 * file.size_bytes);
    new_device(SEED);
    model.spoil_every = 1;
    model.spoil_left = 10000;
    assert_int_equal(update(247), UPDRAFT_ERROR_IMAGE_HASH);
    assert_int_equal(model.verify_count, 4);
}

static void what_the_device_says_of_the_manifest_is_told(void **state)
{
    (void)state;
    model.manifest_status = UPDRAFT_P2_CHIP;
    model.refuse_detail = 9;
    assert_int_equal(update(23), UPDRAFT_ERROR_IMAGE_CHIP);
    assert_int_equal(updraft_client2_status(&link.client), UPDRAFT_P2_CHIP);
    assert_int_equal(updraft_client2_detail(&link.client), 9);
    assert_int_equal(model.range_count, 0);
}

/* A slow link with deep queues: a window takes longer than a device waits for a chunk. */
static void a_repeated_want_does_not_fill_a_slow_link(void **state)
{
    (void)state;
    uint32_t resent = 0;
    uint32_t sent = 0;
    for (uint32_t round = 0; round < 20; round++) {
        new_device(SEED + round);
        link.faults =
            (struct link2_faults){.lose_data = 3, .value_ms = 12, .jitter_ms = 20};
        model.window_chunks = 160;
        assert_int_equal(update(23), 0);
        assert_updated();
        resent += updraft_client2_resent_bytes(&link.client);
        sent += updraft_client2_sent_bytes(&link.client);
    }
    print_message("seed %u: %u of %u bytes were sent again\n", SEED, resent, sent);
    assert_true(resent < sent / 3); /* a loss costs what was on its way */
}

/* A device that says anything at all, and often what could come next. */
static struct link2 *hostile_link;

static uint8_t some_state(sim_random_t *random)
{
    static const uint8_t likely[][2] = {
        [UPDRAFT_CLIENT2_OPENING] = {UPDRAFT_P2_STATE_MANIFEST,
                                     UPDRAFT_P2_STATE_MANIFEST},
        [UPDRAFT_CLIENT2_TELLING] = {UPDRAFT_P2_STATE_MANIFEST, UPDRAFT_P2_STATE_READY},
        [UPDRAFT_CLIENT2_RANGING] = {UPDRAFT_P2_STATE_RECEIVING, UPDRAFT_P2_STATE_READY},
        [UPDRAFT_CLIENT2_SENDING] = {UPDRAFT_P2_STATE_RECEIVING,
                                     UPDRAFT_P2_STATE_RECEIVING},
        [UPDRAFT_CLIENT2_VERIFYING] = {UPDRAFT_P2_STATE_READY, UPDRAFT_P2_STATE_VERIFIED},
        [UPDRAFT_CLIENT2_FAILED] = {0, 0},
    };
    if (sim_random_below(random, 4) == 0) {
        return (uint8_t)sim_random_below(random, 7);
    }
    return likely[updraft_client2_state(&hostile_link->client)]
                 [sim_random_below(random, 2)];
}

static void babble_state(sim_random_t *random, uint32_t at_ms)
{
    const struct updraft_client2 *client = &hostile_link->client;
    uint8_t report[16] = {0x80};
    sim_random_fill(random, report + 1, sizeof(report) - 1);
    if (sim_random_below(random, 200) != 0) {
        report[1] = some_state(random);
        report[2] = sim_random_below(random, 8) == 0 ? UPDRAFT_P2_HASH : UPDRAFT_P2_OK;
        report[2] = report[1] == UPDRAFT_P2_STATE_READY ? report[2] : UPDRAFT_P2_OK;
        report[4] = client->session ? client->session : 1;
        report[10] = report[11] = 0;
    }
    if (sim_random_below(random, 8) != 0) {
        uint16_t number = (uint16_t)(client->stream.base + client->stream.acked +
                                     sim_random_below(random, 8));
        report[6] = (uint8_t)number;
        report[7] = (uint8_t)(number >> 8);
        number = (uint16_t)(number + sim_random_below(random, 60));
        report[8] = (uint8_t)number;
        report[9] = (uint8_t)(number >> 8);
    }
    if (sim_random_below(random, 2) != 0) {
        memcpy(report + 12, &file.sector_crcs[0], 4);
    }
    link2_notify(hostile_link, report, sizeof(report), at_ms);
}

static void babble_map(sim_random_t *random, uint32_t at_ms)
{
    uint32_t first = sim_random_below(random, 11);
    uint32_t sectors = 1 + sim_random_below(random, 11 - first);
    uint8_t report[64] = {0x82, hostile_link->client.session, (uint8_t)first};
    for (uint32_t i = 0; i < sectors; i++) {
        uint32_t crc = file.sector_crcs[first + i] + sim_random_below(random, 2);
        memcpy(report + 4 + 4 * i, &crc, 4);
    }
    link2_notify(hostile_link, report, 4 + 4 * sectors, at_ms);
}

static void babble(void *context, const uint8_t *bytes, size_t size, uint32_t at_ms)
{
    sim_random_t *random = context;
    (void)bytes;
    (void)size;
    for (uint32_t count = sim_random_below(random, 3); count > 0; count--) {
        if (sim_random_below(random, 4) == 0) {
            babble_map(random, at_ms);
        } else {
            babble_state(random, at_ms);
        }
    }
}

static void say_nothing(void *context, uint32_t at_ms)
{
    (void)context;
    (void)at_ms;
}

static bool wait_for_nothing(void *context, uint32_t *ret_deadline_ms)
{
    (void)context;
    (void)ret_deadline_ms;
    return false;
}

static void a_device_that_says_anything_gets_a_bounded_number_of_writes(void **state)
{
    (void)state;
    uint32_t ends[UPDRAFT_CLIENT2_FAILED + 1] = {0};
    uint32_t farthest = 0;
    for (uint32_t round = 0; round < 3000; round++) {
        sim_random_t random;
        struct link2_device device = {.context = &random,
                                      .control = babble,
                                      .data = babble,
                                      .tick = say_nothing,
                                      .deadline = wait_for_nothing};
        sim_random_seed(&random, SEED + round);
        hostile_link = &link;
        link2_init(&link, &device, SEED + round);
        link.faults.jitter_ms = 50;
        struct updraft_client2_config config = link2_config(&file, 247, 1);
        link2_run(&link, &file, &config);
        ends[updraft_client2_state(&link.client)]++;
        /* Seven times the file, and the manifest now and then. */
        if (updraft_client2_sent_bytes(&link.client) > 8 * file.size_bytes ||
            link.steps > 20000) {
            fail_msg("seed %u + %u: no end", SEED, round);
        }
        farthest += updraft_client2_sent_bytes(&link.client) > 0;
    }
    print_message("seed %u: %u done, %u failed, %u came to the file\n", SEED,
                  ends[UPDRAFT_CLIENT2_DONE], ends[UPDRAFT_CLIENT2_FAILED], farthest);
    assert_true(farthest > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(without_faults_each_byte_goes_once),
        TEST(files_of_every_size_arrive),
        TEST(numbers_wrap_as_often_as_they_must),
        TEST(whatever_the_link_does_the_update_arrives),
        TEST(a_link_that_is_lost_anywhere_costs_a_window_and_two_sectors),
        TEST(what_arrived_wrongly_is_found_and_sent_again),
        TEST(a_device_that_never_verifies_is_given_up),
        TEST(a_repeated_want_does_not_fill_a_slow_link),
        TEST(what_the_device_says_of_the_manifest_is_told),
        TEST(a_device_that_says_anything_gets_a_bounded_number_of_writes),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
