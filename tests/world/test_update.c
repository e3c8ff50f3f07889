/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of a whole update: the command's flow, the air, the firmware, the boot loader.
 */
#include "tests/world/fixture.h"

#include <stdio.h>
#include <string.h>

static struct fixture_image image;
static struct fixture_image next_image;

static void expect_update(world_t *world, const struct fixture_image *new_image,
                          const char *version)
{
    const struct world_update *update =
        world_update(world, new_image->bytes, new_image->size, NULL);
    if (!update->finished || update->status != 0) {
        fputs(world->log, stderr);
        fail_msg("finished %d status %d (%s)", update->finished, update->status,
                 updraft_error_name(update->status));
    }
    assert_string_equal(update->firmware, version);
    assert_int_equal(update->outcome, UPDRAFT_OUTCOME_CONFIRMED);
}

static void an_update_goes_from_factory_to_ota_0_and_is_confirmed(void **state)
{
    (void)state;
    world_t *world = fixture_world(NULL);
    fixture_await(world, "advertising as", 5000);
    assert_string_equal(sim_board_running(world->board), "factory");
    fixture_image_make(&image, "minimal", "1.1.0", "good", 64u << 10);
    size_t mark = world->log_size;
    expect_update(world, &image, "1.1.0");
    assert_string_equal(sim_board_running(world->board), "ota_0");
    fixture_expect_logged(world, "on trial", mark);
    fixture_expect_logged(world, "confirmed", mark);
    world_free(world);
}

static void updates_go_to_and_fro_between_the_slots(void **state)
{
    (void)state;
    world_t *world = fixture_world(NULL);
    static const char *const versions[] = {"1.1.0", "1.2.0", "1.3.0", "1.4.0"};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        fixture_image_make(&next_image, "minimal", versions[i], "good", 20u << 10);
        expect_update(world, &next_image, versions[i]);
        assert_string_equal(sim_board_running(world->board),
                            i % 2 == 0 ? "ota_0" : "ota_1");
    }
    world_free(world);
}

static void a_firmware_that_misbehaves_is_rolled_back(void **state)
{
    (void)state;
    static const char *const behaviours[] = {"crash",     "hang-early", "hang-spin",
                                             "hang-task", "selftest",   "no-radio"};
    for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++) {
        world_t *world = fixture_world(NULL);
        fixture_image_make(&image, "minimal", "2.0.0", behaviours[i], 20u << 10);
        const struct world_flow_options patient = {.return_limit_ms = 180000};
        const struct world_update *update =
            world_update(world, image.bytes, image.size, &patient);
        if (update->status != UPDRAFT_ERROR_ROLLED_BACK) {
            fputs(world->log, stderr);
            fail_msg("%s: status %d outcome %d runs %s (%s)", behaviours[i],
                     update->status, (int)update->outcome, update->firmware,
                     updraft_error_name(update->status));
        }
        assert_string_equal(sim_board_running(world->board), "factory");
        fixture_image_make(&next_image, "minimal", "2.0.1", "good", 20u << 10);
        expect_update(world, &next_image, "2.0.1");
        world_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_goes_from_factory_to_ota_0_and_is_confirmed),
        cmocka_unit_test(updates_go_to_and_fro_between_the_slots),
        cmocka_unit_test(a_firmware_that_misbehaves_is_rolled_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
