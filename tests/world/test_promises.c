/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the original's defects break: each promise holds on updraft and on a plain device
 * of protocol 1, and is seen to be broken on one that has the defect. */
#include <stdio.h>
#include <string.h>

#include "sim/chip/otadata.h"
#include "tests/world/raw.h"
#include "updraft/protocol1.h"

#define IMAGE_SIZE  (20u << 10)
#define PACKET_SIZE 400u

static struct fixture_image image;
static struct fixture_image other;

static world_t *world_with(const char *firmware, const char *air)
{
    struct fixture_image factory;
    fixture_image_make(&factory, firmware, "1.0.0", "good", 16u << 10);
    const struct world_config config = {
        .seed = 1,
        .air = air,
        .firmware_default = firmware,
        .factory = factory.bytes,
        .factory_size = factory.size,
    };
    world_t *world = fixture_world(&config);
    raw_wait(world, 100);
    return world;
}

static uint32_t slot_offset(const world_t *world, const char *label)
{
    struct sim_partition_table table;
    assert_int_equal(sim_chip_table(world->chip, &table), 0);
    const struct sim_partition *slot = sim_partition_find(&table, -1, -1, label);
    assert_non_null(slot);
    return slot->offset;
}

static bool runs(const world_t *world, const char *label)
{
    const char *running = sim_board_running(world->board);
    return running != NULL && strcmp(running, label) == 0;
}

/* Each takes the firmware's name and returns whether the promise was kept. */

static bool short_last_packet_appends_nothing(const char *firmware)
{
    world_t *world = world_with(firmware, NULL);
    struct raw *raw = raw_new(world, 1);
    fixture_image_make(&image, firmware, "1.1.0", "good", IMAGE_SIZE + 16);
    assert_int_not_equal(image.size % PACKET_SIZE, 0);
    bool kept = raw_update(raw, &image, PACKET_SIZE) == UPDRAFT_P1_DONE_ACK;
    const uint8_t *flash = sim_flash_bytes(world->flash) + slot_offset(world, "ota_0");
    for (size_t i = image.size; i < image.size + PACKET_SIZE; i++) {
        kept = kept && flash[i] == 0xFF;
    }
    world_free(world);
    return kept;
}

static bool packet_size_above_512_is_refused(const char *firmware)
{
    world_t *world = world_with(firmware, NULL);
    struct raw *raw = raw_new(world, 1);
    assert_true(raw_connect(raw));
    bool kept = raw_packet_size(raw, 600) > 0 ||
                raw_ask(raw, UPDRAFT_P1_REQUEST) == UPDRAFT_P1_REQUEST_NAK;
    world_free(world);
    return kept;
}

/* The second packet is longer than was told; byte for byte the image is whole. */
static bool oversize_packet_fails_the_update(const char *firmware)
{
    world_t *world = world_with(firmware, NULL);
    struct raw *raw = raw_new(world, 1);
    fixture_image_make(&image, firmware, "1.1.0", "good", IMAGE_SIZE);
    assert_true(raw_connect(raw));
    assert_int_equal(raw_packet_size(raw, 200), 0);
    assert_int_equal(raw_ask(raw, UPDRAFT_P1_REQUEST), UPDRAFT_P1_REQUEST_ACK);
    (void)raw_send(raw, image.bytes, 200, 200);
    (void)raw_write(raw, raw_data(raw), image.bytes + 200, 400);
    for (size_t at = 600; at < image.size; at += 200) {
        size_t size = image.size - at < 200 ? image.size - at : 200;
        (void)raw_write(raw, raw_data(raw), image.bytes + at, size);
    }
    bool kept =
        raw_ask(raw, UPDRAFT_P1_DONE) == UPDRAFT_P1_DONE_NAK && runs(world, "factory");
    world_free(world);
    return kept;
}

static bool failed_write_is_told_before_the_end(const char *firmware)
{
    world_t *world = world_with(firmware, NULL);
    struct raw *raw = raw_new(world, 1);
    fixture_image_make(&image, firmware, "1.1.0", "good", IMAGE_SIZE);
    assert_true(raw_connect(raw));
    assert_int_equal(raw_packet_size(raw, PACKET_SIZE), 0);
    assert_int_equal(raw_ask(raw, UPDRAFT_P1_REQUEST), UPDRAFT_P1_REQUEST_ACK);
    assert_int_equal(raw_send(raw, image.bytes, 4 * PACKET_SIZE, PACKET_SIZE), 0);
    struct sim_flash_stats stats;
    sim_flash_stats(world->flash, &stats);
    sim_flash_fail_at(world->flash, stats.operations + 1);
    int error = raw_send(raw, image.bytes + 4 * PACKET_SIZE, image.size - 4 * PACKET_SIZE,
                         PACKET_SIZE);
    bool kept = error > 0 && raw_ask(raw, UPDRAFT_P1_DONE) == UPDRAFT_P1_DONE_NAK;
    world_free(world);
    return kept;
}

static bool lost_link_ends_the_update(const char *firmware)
{
    world_t *world = world_with(firmware, NULL);
    struct raw *raw = raw_new(world, 1);
    fixture_image_make(&image, firmware, "1.1.0", "good", IMAGE_SIZE);
    size_t half = 10 * PACKET_SIZE;
    assert_true(raw_connect(raw));
    assert_int_equal(raw_packet_size(raw, PACKET_SIZE), 0);
    assert_int_equal(raw_ask(raw, UPDRAFT_P1_REQUEST), UPDRAFT_P1_REQUEST_ACK);
    assert_int_equal(raw_send(raw, image.bytes, half, PACKET_SIZE), 0);
    raw_disconnect(raw);
    assert_true(raw_connect(raw));
    (void)raw_send(raw, image.bytes + half, image.size - half, PACKET_SIZE);
    bool kept = raw_ask(raw, UPDRAFT_P1_DONE) == UPDRAFT_P1_DONE_NAK;
    /* And a fresh start works. */
    kept = kept && raw_update(raw, &image, PACKET_SIZE) == UPDRAFT_P1_DONE_ACK;
    world_free(world);
    return kept;
}

static bool second_request_starts_afresh(const char *firmware)
{
    struct fixture_image factory;
    fixture_image_make(&factory, firmware, "1.0.0", "good", 16u << 10);
    const struct world_config config = {
        .seed = 1,
        .firmware_default = firmware,
        .factory = factory.bytes,
        .factory_size = factory.size,
        .idf_major = 6,
        .idf_minor = 1,
    };
    world_t *world = fixture_world(&config);
    raw_wait(world, 100);
    struct raw *raw = raw_new(world, 1);
    fixture_image_make(&image, firmware, "1.1.0", "good", IMAGE_SIZE);
    assert_true(raw_connect(raw));
    assert_int_equal(raw_packet_size(raw, PACKET_SIZE), 0);
    assert_int_equal(raw_ask(raw, UPDRAFT_P1_REQUEST), UPDRAFT_P1_REQUEST_ACK);
    assert_int_equal(raw_send(raw, image.bytes, 10 * PACKET_SIZE, PACKET_SIZE), 0);
    bool kept = raw_ask(raw, UPDRAFT_P1_REQUEST) == UPDRAFT_P1_REQUEST_ACK &&
                raw_send(raw, image.bytes, image.size, PACKET_SIZE) == 0 &&
                raw_ask(raw, UPDRAFT_P1_DONE) == UPDRAFT_P1_DONE_ACK;
    world_free(world);
    return kept;
}

static bool flash_is_not_the_host_tasks_work(const char *firmware)
{
    world_t *world = world_with(firmware, NULL);
    struct raw *raw = raw_new(world, 1);
    fixture_image_make(&image, firmware, "1.1.0", "good", IMAGE_SIZE);
    bool kept = raw_update(raw, &image, PACKET_SIZE) == UPDRAFT_P1_DONE_ACK;
    world_free(world);
    return kept;
}

/* On a link with connection events 50 ms apart an answer takes its time to get out. */
static bool answer_is_out_before_the_restart(const char *firmware)
{
    world_t *world = world_with(firmware, "typical");
    struct raw *raw = raw_new(world, 1);
    fixture_image_make(&image, firmware, "1.1.0", "good", 4u << 10);
    bool kept = raw_update(raw, &image, PACKET_SIZE) == UPDRAFT_P1_DONE_ACK;
    world_free(world);
    return kept;
}

static bool dead_radio_is_not_confirmed(const char *firmware)
{
    world_t *world = world_with(firmware, NULL);
    struct raw *raw = raw_new(world, 1);
    fixture_image_make(&image, firmware, "1.1.0", "no-radio", IMAGE_SIZE);
    assert_int_equal(raw_update(raw, &image, PACKET_SIZE), UPDRAFT_P1_DONE_ACK);
    raw_wait(world, 5000);
    assert_true(runs(world, "ota_0"));
    world_power(world, false);
    world_power(world, true);
    raw_wait(world, 5000);
    bool kept = runs(world, "factory");
    world_free(world);
    return kept;
}

/* Another table than the one of the tutorial. */
static bool any_table_with_two_slots_does(const char *firmware)
{
    world_t *world = world_with(firmware, NULL);
    world_power(world, false);
    assert_true(sim_chip_flash_factory(world->chip, sim_partitions_two_ota_large,
                                       sim_partitions_two_ota_large_count));
    fixture_image_make(&other, firmware, "1.0.0", "good", 16u << 10);
    assert_true(sim_chip_install(world->chip, "ota_0", other.bytes, other.size));
    world_power(world, true);
    raw_wait(world, 5000);
    assert_true(runs(world, "ota_0"));
    struct raw *raw = raw_new(world, 1);
    fixture_image_make(&image, firmware, "1.1.0", "good", IMAGE_SIZE);
    bool kept = raw_update(raw, &image, PACKET_SIZE) == UPDRAFT_P1_DONE_ACK;
    raw_wait(world, 10000);
    kept = kept && runs(world, "ota_1");
    world_free(world);
    return kept;
}

static bool refused_control_value_does_nothing(const char *firmware)
{
    world_t *world = world_with(firmware, NULL);
    struct raw *raw = raw_new(world, 1);
    assert_true(raw_connect(raw));
    assert_int_equal(raw_packet_size(raw, PACKET_SIZE), 0);
    assert_int_equal(raw_ask(raw, UPDRAFT_P1_REQUEST), UPDRAFT_P1_REQUEST_ACK);
    size_t seen = raw->notified_count;
    assert_int_equal(raw_opcode(raw, 9), 0x13);
    raw_wait(world, 1000);
    bool kept = raw->notified_count == seen;
    assert_int_equal(raw_write(raw, raw_control(raw), "\1\1", 2), 0x0D);
    raw_wait(world, 1000);
    kept = kept && raw->notified_count == seen;
    assert_int_equal(raw_read(raw, raw_control(raw)), 0);
    assert_int_equal(raw->value_size, 1);
    kept = kept && raw->value[0] == UPDRAFT_P1_REQUEST_ACK;
    world_free(world);
    return kept;
}

static bool second_central_is_told_busy(const char *firmware)
{
    world_t *world = world_with(firmware, NULL);
    struct raw *first = raw_new(world, 1);
    struct raw *second = raw_new(world, 2);
    fixture_image_make(&image, firmware, "1.1.0", "good", IMAGE_SIZE);
    assert_true(raw_connect(first));
    if (!raw_connect(second)) {
        /* A device that stops advertising while it is connected keeps the promise too. */
        world_free(world);
        return true;
    }
    assert_int_equal(raw_packet_size(first, PACKET_SIZE), 0);
    assert_int_equal(raw_ask(first, UPDRAFT_P1_REQUEST), UPDRAFT_P1_REQUEST_ACK);
    assert_int_equal(raw_send(first, image.bytes, 10 * PACKET_SIZE, PACKET_SIZE), 0);
    bool kept = raw_write(second, raw_data(second), image.bytes, PACKET_SIZE) > 0 &&
                raw_ask(second, UPDRAFT_P1_REQUEST) == UPDRAFT_P1_REQUEST_NAK &&
                raw_ask(second, UPDRAFT_P1_DONE) == UPDRAFT_P1_DONE_NAK;
    size_t at = 10 * PACKET_SIZE;
    kept = kept && raw_send(first, image.bytes + at, image.size - at, PACKET_SIZE) == 0 &&
           raw_ask(first, UPDRAFT_P1_DONE) == UPDRAFT_P1_DONE_ACK;
    world_free(world);
    return kept;
}

/* The firmware of the second update is on trial; ota_0 is its way back. */
static bool trial_keeps_the_way_back(const char *firmware)
{
    world_t *world = world_with("minimal", NULL);
    struct raw *raw = raw_new(world, 1);
    fixture_image_make(&image, "minimal", "1.1.0", "good", IMAGE_SIZE);
    assert_int_equal(raw_update(raw, &image, PACKET_SIZE), UPDRAFT_P1_DONE_ACK);
    raw_wait(world, 10000);
    assert_true(runs(world, "ota_0"));
    fixture_image_make(&image, firmware, "1.2.0", "good", IMAGE_SIZE);
    assert_int_equal(raw_update(raw, &image, PACKET_SIZE), UPDRAFT_P1_DONE_ACK);
    raw_disconnect(raw);
    assert_true(raw_connect(raw));
    assert_true(runs(world, "ota_1"));
    struct sim_otadata_entry entries[2];
    assert_int_equal(sim_otadata_read(world->chip, entries), SIM_OK);
    bool on_trial = entries[0].state == SIM_OTA_PENDING_VERIFY ||
                    entries[1].state == SIM_OTA_PENDING_VERIFY;
    assert_int_equal(raw_packet_size(raw, PACKET_SIZE), 0);
    bool kept = !on_trial || raw_ask(raw, UPDRAFT_P1_REQUEST) == UPDRAFT_P1_REQUEST_NAK;
    world_power(world, false);
    world_power(world, true);
    raw_wait(world, 10000);
    kept = kept && (runs(world, "ota_0") || (!on_trial && runs(world, "ota_1")));
    world_free(world);
    return kept;
}

struct promise {
    bool (*keeps)(const char *firmware);
    const char *defect; /* firmware that has it */
};

static void check(void **state)
{
    const struct promise *promise = *state;
    assert_true(promise->keeps("minimal"));
    assert_true(promise->keeps("legacy"));
    assert_false(promise->keeps(promise->defect));
}

#define PROMISE(name, defect)                       \
    {                                               \
#name, check, NULL, NULL, &(struct promise) \
        {                                           \
            name, defect                            \
        }                                           \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(short_last_packet_appends_nothing, "legacy_stale_bytes"),
        PROMISE(packet_size_above_512_is_refused, "legacy_packet_size"),
        PROMISE(oversize_packet_fails_the_update, "legacy_wrong_length"),
        PROMISE(failed_write_is_told_before_the_end, "legacy_write_errors"),
        PROMISE(lost_link_ends_the_update, "legacy_keeps_updating"),
        PROMISE(second_request_starts_afresh, "legacy_second_request"),
        PROMISE(flash_is_not_the_host_tasks_work, "legacy_host_task"),
        PROMISE(answer_is_out_before_the_restart, "legacy_restarts"),
        PROMISE(dead_radio_is_not_confirmed, "legacy_confirms"),
        PROMISE(any_table_with_two_slots_does, "legacy_addresses"),
        PROMISE(refused_control_value_does_nothing, "legacy_repeats"),
        PROMISE(second_central_is_told_busy, "legacy_no_owner"),
        PROMISE(trial_keeps_the_way_back, "legacy_on_trial"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
