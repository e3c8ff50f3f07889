/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Updates from one firmware to another: from the original's, to and from an app with its
 * own NimBLE, and on every chip. */
#include <stdio.h>
#include <string.h>

#include "sim/chip/model.h"
#include "sim/chip/otadata.h"
#include "tests/world/raw.h"
#include "updraft/protocol1.h"

#define FACTORY_SIZE (8u << 10)
#define IMAGE_SIZE   (20u << 10)
#define PACKET_SIZE  244u
#define SETTLE_MS    20000u

static struct fixture_image image;
static struct fixture_image factory;

static world_t *world_from(struct world_config config, const char *firmware)
{
    const struct sim_chip_model *model =
        sim_chip_model_named(config.chip != NULL ? config.chip : "esp32");
    const struct sim_image_request request = {
        .firmware = firmware,
        .version = "1.0.0",
        .chip_id = model->chip_id,
        .size_bytes = FACTORY_SIZE,
        .seed = 1,
    };
    fixture_image_request(&factory, &request);
    config.seed = 1;
    config.firmware_default = firmware;
    config.factory = factory.bytes;
    config.factory_size = factory.size;
    world_t *world = fixture_world(&config);
    (void)world_run(world, fixture_never, 200);
    assert_true(fixture_runs(world));
    return world;
}

/* By the command's flow, up to the confirmation. */
static void update(world_t *world, const char *firmware, const char *version)
{
    const struct sim_image_request request = {
        .firmware = firmware,
        .version = version,
        .chip_id = world->chip->chip_id,
        .size_bytes = IMAGE_SIZE,
        .seed = 2,
    };
    fixture_image_request(&image, &request);
    /* Forced: they are of different projects. */
    const struct world_flow_options options = {.force = true};
    const struct world_update *result =
        world_update(world, image.bytes, image.size, &options);
    if (result->status != 0) {
        fputs(world->log, stderr);
        fail_msg("to %s %s: status %d (%s)", firmware, version, result->status,
                 updraft_error_name(result->status));
    }
    (void)world_run(world, fixture_never, SETTLE_MS);
    assert_true(fixture_settled(world));
    const struct sim_partition *running =
        fixture_part(world, sim_board_running(world->board));
    assert_memory_equal(sim_flash_bytes(world->flash) + running->offset, image.bytes,
                        image.size);
}

/* The attribute table of the original's firmware. */

static void a_client_that_kept_the_originals_table_updates_what_followed(void **state)
{
    (void)state;
    const struct world_config caching = {.cache_services = true};
    world_t *world = world_from(caching, "legacy");
    update(world, "minimal", "2.0.0");
    update(world, "minimal", "3.0.0");
    update(world, "legacy", "1.0.1");
    update(world, "own_nimble", "4.0.0");
    world_free(world);
}

static void the_database_hash_tells_that_the_table_is_another(void **state)
{
    (void)state;
    world_t *world = world_from((struct world_config){0}, "legacy");
    struct raw *raw = raw_new_caching(world, 1);
    assert_true(raw_connect(raw));
    uint16_t control = raw_control(raw);
    assert_int_equal(raw_find(raw, 0x2A26), 0); /* the original tells no version */
    raw_disconnect(raw);
    assert_true(raw_connect(raw));
    raw_disconnect(raw);
    assert_int_equal(raw->changed, 0); /* the same table: kept */

    update(world, "minimal", "2.0.0");
    assert_true(raw_connect(raw));
    assert_int_equal(raw->changed, 1);
    assert_int_not_equal(raw_control(raw), control);
    assert_int_equal(raw_read(raw, raw_find(raw, 0x2A26)), 0);
    assert_memory_equal(raw->value, "2.0.0", 5);
    fixture_image_make(&image, "minimal", "2.0.1", "good", IMAGE_SIZE);
    assert_int_equal(raw_update(raw, &image, PACKET_SIZE), UPDRAFT_P1_DONE_ACK);
    (void)world_run(world, fixture_never, SETTLE_MS);
    assert_true(raw_connect(raw));
    assert_int_equal(raw->changed, 1); /* the same firmware has the same table */
    world_free(world);
}

/* A client that neither reads the hash nor looks again finds other attributes under the
 * handles that it remembers. */
static void writes_to_handles_of_the_old_table_are_refused(void **state)
{
    (void)state;
    world_t *world = world_from((struct world_config){0}, "legacy");
    struct raw *old = raw_new(world, 1);
    assert_true(raw_connect(old));
    uint16_t control = raw_control(old);
    uint16_t data = raw_data(old);
    raw_disconnect(old);
    update(world, "minimal", "2.0.0");
    uint64_t before = fixture_operations(world);
    assert_true(raw_connect(old));
    uint8_t packet[PACKET_SIZE] = {0xE9, 3};
    uint8_t request = UPDRAFT_P1_REQUEST;
    size_t seen = old->notified_count;
    assert_true(raw_write(old, control, &request, 1) > 0);
    assert_true(raw_write(old, data, packet, sizeof(packet)) > 0);
    (void)raw_command(old, data, packet, sizeof(packet));
    (void)world_run(world, fixture_never, 1000);
    assert_int_equal(old->notified_count, seen);
    assert_int_equal(fixture_operations(world), before);
    /* And nobody else is kept from updating. */
    raw_disconnect(old);
    update(world, "minimal", "2.0.1");
    world_free(world);
}

/* examples/own_nimble: an app with services and advertising of its own. */

static uint8_t counter_of(struct raw *raw, uint16_t handle)
{
    assert_int_equal(raw_read(raw, handle), 0);
    assert_int_equal(raw->value_size, 1);
    return raw->value[0];
}

static uint16_t counter_handle(const struct raw *raw)
{
    static const uint8_t uuid[16] = {0x10, 0x9a, 0x4b, 0x7f, 0x7d, 0x2c, 0x53, 0x9d,
                                     0x0e, 0x4f, 0x1a, 0x3b, 0x02, 0x00, 0x1e, 0x6f};
    const struct sim_gatt_characteristic *list;
    size_t count = sim_peer_characteristics(raw->peer, &list);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(list[i].uuid, uuid, sizeof(uuid)) == 0) {
            return list[i].value_handle;
        }
    }
    return 0;
}

static void an_app_with_its_own_nimble(int idf_major)
{
    const char *own = idf_major == 6 ? "own_nimble_6" : "own_nimble";
    const char *minimal = idf_major == 6 ? "minimal_6" : "minimal";
    const struct world_config config = {.idf_major = idf_major,
                                        .idf_minor = idf_major == 6 ? 1 : 3};
    world_t *world = world_from(config, minimal);
    size_t mark = world->log_size;
    update(world, own, "2.0.0");
    fixture_expect_logged(world, "on trial", mark);
    fixture_expect_logged(world, "self-test passed", mark);
    fixture_expect_logged(world, "confirmed", mark);

    /* Its own service works, also while an update is under way. */
    struct raw *raw = raw_new(world, 1);
    assert_true(raw_connect(raw));
    uint16_t counter = counter_handle(raw);
    assert_int_not_equal(counter, 0);
    assert_int_equal(raw_write(raw, counter, "\x2a", 1), 0);
    fixture_image_make(&image, own, "3.0.0", "good", IMAGE_SIZE);
    assert_int_equal(raw_packet_size(raw, PACKET_SIZE), 0);
    assert_int_equal(raw_ask(raw, UPDRAFT_P1_REQUEST), UPDRAFT_P1_REQUEST_ACK);
    assert_int_equal(raw_send(raw, image.bytes, 10 * PACKET_SIZE, PACKET_SIZE), 0);
    assert_int_equal(counter_of(raw, counter), 0x2a);
    assert_int_equal(raw_send(raw, image.bytes + 10 * PACKET_SIZE,
                              image.size - 10 * PACKET_SIZE, PACKET_SIZE),
                     0);
    assert_int_equal(raw_ask(raw, UPDRAFT_P1_DONE), UPDRAFT_P1_DONE_ACK);
    (void)world_run(world, fixture_never, SETTLE_MS);
    assert_true(fixture_settled(world));
    assert_true(raw_connect(raw));
    assert_int_equal(raw_read(raw, raw_find(raw, 0x2A26)), 0);
    assert_memory_equal(raw->value, "3.0.0", 5);
    assert_int_equal(counter_of(raw, counter_handle(raw)), 0);
    raw_disconnect(raw);

    update(world, minimal, "4.0.0");
    world_free(world);
}

static void an_app_with_its_own_nimble_is_updated_to_and_from(void **state)
{
    (void)state;
    an_app_with_its_own_nimble(5);
    an_app_with_its_own_nimble(6);
}

static void an_app_with_its_own_nimble_that_misbehaves_is_rolled_back(void **state)
{
    (void)state;
    static const char *const behaviours[] = {"crash", "hang-early", "hang-spin",
                                             "no-radio"};
    for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++) {
        world_t *world = world_from((struct world_config){0}, "own_nimble");
        fixture_image_make(&image, "own_nimble", "2.0.0", behaviours[i], IMAGE_SIZE);
        const struct world_flow_options patient = {.return_limit_ms = 180000};
        const struct world_update *result =
            world_update(world, image.bytes, image.size, &patient);
        if (result->status != UPDRAFT_ERROR_ROLLED_BACK) {
            fputs(world->log, stderr);
            fail_msg("%s: status %d", behaviours[i], result->status);
        }
        assert_string_equal(sim_board_running(world->board), "factory");
        update(world, "own_nimble", "2.0.1");
        world_free(world);
    }
}

/* The chips. */

static void every_chip_takes_its_own_images_and_refuses_all_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < sim_chip_model_count; i++) {
        const struct world_config config = {.chip = sim_chip_models[i].name};
        world_t *world = world_from(config, "minimal");
        struct raw *raw = raw_new(world, 1);
        uint64_t before = fixture_operations(world);
        for (size_t j = 0; j < sim_chip_model_count; j++) {
            const struct sim_image_request request = {
                .firmware = "minimal",
                .version = "9.0.0",
                .chip_id = sim_chip_models[j].chip_id,
                .size_bytes = IMAGE_SIZE,
            };
            fixture_image_request(&image, &request);
            if (i != j) {
                assert_int_equal(raw_update(raw, &image, PACKET_SIZE),
                                 UPDRAFT_P1_DONE_NAK);
            }
        }
        assert_int_equal(fixture_operations(world), before);
        raw_disconnect(raw);
        update(world, "minimal", "2.0.0");
        update(world, "minimal", "3.0.0");
        print_message("%s: updated twice\n", sim_chip_models[i].name);
        world_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_kept_the_originals_table_updates_what_followed),
        cmocka_unit_test(the_database_hash_tells_that_the_table_is_another),
        cmocka_unit_test(writes_to_handles_of_the_old_table_are_refused),
        cmocka_unit_test(an_app_with_its_own_nimble_is_updated_to_and_from),
        cmocka_unit_test(an_app_with_its_own_nimble_that_misbehaves_is_rolled_back),
        cmocka_unit_test(every_chip_takes_its_own_images_and_refuses_all_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
