/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises to the connection that updates, whatever others write meanwhile, and to those
 * others. */
#include <inttypes.h>
#include <string.h>

#include "tests/world/native.h"
#include "updraft/protocol1.h"

#define IMAGE_SIZE (256u << 10)
#define BURST      8u

static struct fixture_image image;

static world_t *new_world(const char *air)
{
    const struct world_config config = {.seed = 1, .air = air, .flash = "typical"};
    world_t *world = fixture_world(&config);
    fixture_await(world, "advertising as", 5000);
    return world;
}

/* What a connection that has no update writes again and again. */
struct flood {
    const char *name;
    bool subscribes;
    bool to_data;
    bool opens; /* it would begin an update where there is none */
    uint8_t size;
    uint8_t bytes[12];
};

/* The first is refused before it gets anywhere: it takes the radio's time and no other.
 */
static const struct flood floods[] = {
    {"data", true, true, false, 2, {0}},
    {"STATUS", true, false, false, 2, {UPDRAFT_P2_STATUS}},
    {"STATUS, unsubscribed", false, false, false, 2, {UPDRAFT_P2_STATUS}},
    {"OPEN", true, false, true, 12, {UPDRAFT_P2_OPEN, 2, 0, 0, 148, 1, 244}},
    {"REQUEST", false, false, true, 1, {UPDRAFT_P1_REQUEST}},
    {"NOP", false, false, false, 1, {UPDRAFT_P1_NOP}},
};

static bool finished(world_t *world)
{
    return world_update_result(world, 0)->finished;
}

static bool transferred(world_t *world)
{
    return finished(world) ||
           world_update_result(world, 0)->phase_us[UPDRAFT_PHASE_RESTARTING] != 0;
}

/* Returns how long the update took, beside as many write commands as the link takes. */
static uint64_t update_beside(const struct flood *flood, uint8_t protocol)
{
    world_t *world = new_world("bluez-7");
    const struct world_flow_options options = {.protocol_max = protocol};
    struct native native;
    struct raw *raw = raw_new(world, 1);
    native_init(&native, raw);
    if (flood->subscribes) {
        native_connect(&native);
    } else {
        assert_true(raw_connect(raw));
    }
    uint16_t handle = flood->to_data ? raw_data(raw) : raw_control(raw);
    unsigned writes = 0;
    world_update_start(world, image.bytes, image.size, &options);
    const struct world_update *update = world_update_result(world, 0);
    while (!transferred(world)) {
        bool waits = flood->opens && update->phase_us[UPDRAFT_PHASE_TRANSFERRING] == 0;
        for (unsigned i = 0; i < BURST && !waits; i++) {
            writes += raw_command(raw, handle, flood->bytes, flood->size) == 0;
        }
        (void)world_run(world, transferred, 1);
    }
    uint64_t took_us = update->phase_us[UPDRAFT_PHASE_RESTARTING] -
                       update->phase_us[UPDRAFT_PHASE_READING];
    print_message("protocol %u beside %s: %" PRIu64 " ms, %u writes\n", protocol,
                  flood->name, took_us / 1000, writes);
    assert_true(world_run(world, finished, 60000));
    assert_int_equal(update->status, 0);
    assert_true(writes > 500);
    assert_string_equal(update->firmware, "1.1.0");
    world_free(world);
    return took_us;
}

static void what_others_ask_costs_an_update_no_time(void **state)
{
    (void)state;
    fixture_image_make(&image, "minimal", "1.1.0", "good", IMAGE_SIZE);
    for (uint8_t protocol = 1; protocol <= 2; protocol++) {
        uint64_t least_us = update_beside(&floods[0], protocol);
        for (size_t i = 1; i < sizeof(floods) / sizeof(floods[0]); i++) {
            uint64_t took_us = update_beside(&floods[i], protocol);
            assert_true(took_us <= least_us + least_us / 50);
        }
    }
}

/* NimBLE gives the handle of a connection that ended to the next one. */
static void an_answer_to_a_connection_that_ended_reaches_no_other(void **state)
{
    (void)state;
    world_t *world = new_world("ideal");
    struct native owner;
    struct native gone;
    struct native next;
    native_init(&owner, raw_new(world, 1));
    native_init(&gone, raw_new(world, 2));
    native_init(&next, raw_new(world, 3));
    fixture_image_make(&image, "minimal", "1.1.0", "good", 1u << 20);
    native_connect(&owner);
    assert_int_equal(native_open(&owner, &image, 0), UPDRAFT_P2_OK);
    assert_int_equal(native_send_manifest(&owner), UPDRAFT_P2_OK);
    native_connect(&gone);
    const struct updraft_p2_command map = {
        .opcode = UPDRAFT_P2_MAP, .session = owner.state.session, .sector_count = 250};
    assert_int_equal(native_tell(&owner, &map), 0);
    assert_int_equal(
        native_tell(&gone, &(struct updraft_p2_command){.opcode = UPDRAFT_P2_STATUS}), 0);
    raw_disconnect(gone.raw);
    native_connect(&next);
    assert_int_equal(gone.raw->reports_count, 0); /* the device was at the map */
    assert_non_null(raw_await_report(owner.raw, owner.raw->reports_count, 5000));
    raw_wait(world, 1000);
    assert_int_equal(next.raw->reports_count, 0);
    assert_int_equal(
        native_ask(&next, &(struct updraft_p2_command){.opcode = UPDRAFT_P2_STATUS}),
        UPDRAFT_P2_OK);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_ask_costs_an_update_no_time),
        cmocka_unit_test(an_answer_to_a_connection_that_ended_reaches_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
