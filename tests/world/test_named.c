/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Faults that have a name: each once, and the board can be updated after it. */
#include <stdio.h>
#include <string.h>

#include "sim/chip/otadata.h"
#include "tests/world/fixture.h"

#define IMAGE_SIZE   (40u << 10)
#define EARLIER_SIZE (12u << 10)
#define SETTLE_MS    10000u
#define LOST_MIN     12u /* fragments */
#define LOST_MS      60000u
#define CUT_AFTER    6u /* flash operations of the update */

static struct fixture_image images[3]; /* what *factory*, ota_0, ota_1 hold */
static struct fixture_image image;     /* what is updated to */

static const struct world_flow_options patient = {.return_limit_ms = 180000};

static world_t *new_world(const char *air, const char *flash)
{
    const struct world_config config = {.seed = 5, .air = air, .flash = flash};
    world_t *world = fixture_world(&config);
    fixture_await(world, "advertising as", 5000);
    fixture_image_make(&image, "minimal", "2.0.0", "good", IMAGE_SIZE);
    return world;
}

static void expect_confirmed(world_t *world, const struct fixture_image *expected)
{
    assert_true(world_run(world, fixture_settled, SETTLE_MS));
    (void)world_run(world, fixture_never, SETTLE_MS);
    assert_true(fixture_settled(world));
    const struct sim_partition *running =
        fixture_part(world, sim_board_running(world->board));
    assert_memory_equal(sim_flash_bytes(world->flash) + running->offset, expected->bytes,
                        expected->size);
    assert_true(fixture_verifies(world));
}

static void update(world_t *world, const struct fixture_image *to, uint8_t protocol)
{
    struct world_flow_options options = patient;
    options.protocol_max = protocol;
    const struct world_update *result =
        world_update(world, to->bytes, to->size, &options);
    if (result->status != 0) {
        fputs(world->log, stderr);
        fail_msg("%s", updraft_error_name(result->status));
    }
    expect_confirmed(world, to);
}

static bool is_over(world_t *world)
{
    return world_update_result(world, 0)->finished;
}

static bool has_lost_some(world_t *world)
{
    return sim_packets_counts(world->packets).lost >= LOST_MIN;
}

/* Short of buffers: what arrives is spliced from the pieces of several values. */
static void splice(uint8_t protocol)
{
    const struct sim_packet_faults shortage = {.lose = 40, .lose_on = 500};
    const struct sim_packet_faults none = {0};
    world_t *world = new_world("bluez-7", "ideal");
    struct world_flow_options options = patient;
    options.protocol_max = protocol;
    sim_packets_faults(world->packets, &shortage);
    world_update_start(world, image.bytes, image.size, &options);
    while (!world_run(world, has_lost_some, LOST_MS)) {
        if (is_over(world)) {
            assert_int_not_equal(world_update_result(world, 0)->status, 0);
            world_update_start(world, image.bytes, image.size, &options);
        }
    }
    sim_packets_faults(world->packets, &none);
    assert_true(world_run(world, is_over, 600000));
    if (world_update_result(world, 0)->status != 0) {
        /* Whatever came of it, nothing else than the old firmware or the new one runs. */
        assert_true(fixture_verifies(world));
    }
    update(world, &image, protocol);
    world_free(world);
}

static void spliced_fragments_never_become_an_image(void **state)
{
    (void)state;
    splice(1);
    splice(2);
}

static void requests_that_overtake_commands_cost_repetitions_alone(void **state)
{
    (void)state;
    const struct sim_packet_faults overtaking = {.overtake = 200};
    world_t *world = new_world("bluez-7", "typical");
    sim_packets_faults(world->packets, &overtaking);
    const struct world_update *result =
        world_update(world, image.bytes, image.size, &patient);
    assert_int_equal(result->status, 0);
    assert_int_equal(result->outcome, UPDRAFT_OUTCOME_CONFIRMED);
    assert_int_equal(result->retries, 0);
    assert_true(sim_packets_counts(world->packets).overtaken > 5);
    assert_true(result->resent_bytes > 0);
    expect_confirmed(world, &image);
    world_free(world);
}

/* Updated twice: ota_1 runs, ota_0 holds what ran before. */
static world_t *updated_world(void)
{
    world_t *world = new_world("ideal", "ideal");
    for (unsigned i = 1; i < 3; i++) {
        fixture_image_make(&images[i], "minimal", i == 1 ? "1.1.0" : "1.2.0", "good",
                           EARLIER_SIZE);
        update(world, &images[i], 2);
    }
    assert_string_equal(sim_board_running(world->board), "ota_1");
    return world;
}

/* Begins the update and cuts the power in it: the running image boots again; then the
 * update is finished. */
static void survive_a_cut_and_update(world_t *world)
{
    char running[17];
    snprintf(running, sizeof(running), "%s", sim_board_running(world->board));
    world_update_start(world, image.bytes, image.size, &patient);
    sim_flash_cut_at(world->flash, fixture_operations(world) + CUT_AFTER, 3);
    for (uint32_t ms = 0; ms < SETTLE_MS && !sim_flash_is_cut(world->flash); ms++) {
        (void)world_run(world, fixture_never, 1);
    }
    assert_true(sim_flash_is_cut(world->flash));
    world_power(world, true);
    assert_true(world_run(world, fixture_runs, SETTLE_MS));
    assert_string_equal(sim_board_running(world->board), running);
    assert_true(world_run(world, is_over, 600000));
    update(world, &image, 2);
    assert_string_not_equal(sim_board_running(world->board), running);
}

static void a_boot_slot_set_twice_without_reboot_is_let_go_of_before_it_is_erased(
    void **state)
{
    (void)state;
    world_t *world = updated_world();
    uint64_t us = 0;
    /* As an app does it that changes its mind, or has no other way to restart. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sim_ota_set_boot(world->chip, fixture_part(world, "ota_0"), &us),
                         SIM_OK);
        sim_flash_settle(world->flash);
    }
    struct sim_otadata_entry entries[2];
    assert_int_equal(sim_otadata_read(world->chip, entries), SIM_OK);
    assert_int_equal((entries[sim_otadata_active(entries)].seq - 1) % 2, 0);
    survive_a_cut_and_update(world);
    world_free(world);
}

static void equal_sequence_numbers_do_no_harm(void **state)
{
    (void)state;
    world_t *world = updated_world();
    struct sim_otadata_entry entries[2];
    uint64_t us = 0;
    assert_int_equal(sim_otadata_read(world->chip, entries), SIM_OK);
    int active = sim_otadata_active(entries);
    world_power(world, false);
    sim_flash_power_on(world->flash);
    assert_int_equal(sim_otadata_write(world->chip, 1 - active, &entries[active], &us),
                     SIM_OK);
    sim_flash_settle(world->flash);
    world_power(world, true);
    fixture_await(world, "advertising as", 5000);
    assert_true(world_run(world, fixture_runs, SETTLE_MS));
    assert_string_equal(sim_board_running(world->board), "ota_1");
    (void)world_run(world, fixture_never, SETTLE_MS);
    survive_a_cut_and_update(world);
    world_free(world);
}

static void a_fallback_to_a_slot_that_was_never_tried_can_be_updated(void **state)
{
    (void)state;
    world_t *world = new_world("ideal", "ideal");
    fixture_image_make(&images[1], "minimal", "1.1.0", "good", EARLIER_SIZE);
    fixture_image_make(&images[2], "minimal", "1.2.0", "good", EARLIER_SIZE);
    update(world, &images[1], 2);
    assert_string_equal(sim_board_running(world->board), "ota_0");
    world_power(world, false);
    /* A whole image that no otadata entry ever named; what is selected has decayed, and
     * so has factory. */
    assert_true(sim_chip_install(world->chip, "ota_1", images[2].bytes, images[2].size));
    fixture_spoil(world, "ota_0");
    fixture_spoil(world, "factory");
    world_power(world, true);
    assert_true(world_run(world, fixture_runs, SETTLE_MS));
    assert_string_equal(sim_board_running(world->board), "ota_1");
    (void)world_run(world, fixture_never, SETTLE_MS);
    survive_a_cut_and_update(world);
    world_free(world);
}

static void a_staged_image_is_nothing_to_fall_back_to(void **state)
{
    (void)state;
    world_t *world = new_world("ideal", "ideal");
    fixture_image_make(&images[1], "minimal", "1.1.0", "good", EARLIER_SIZE);
    update(world, &images[1], 2);
    struct world_flow_options staged = patient;
    staged.stage = true;
    const struct world_update *result =
        world_update(world, image.bytes, image.size, &staged);
    assert_int_equal(result->outcome, UPDRAFT_OUTCOME_STAGED);
    world_power(world, false);
    fixture_spoil(world, "ota_0");
    world_power(world, true);
    assert_true(world_run(world, fixture_runs, SETTLE_MS));
    assert_string_equal(sim_board_running(world->board), "factory");
    /* From here updates go to the slot of the broken image: not the one it was staged in.
     */
    (void)world_run(world, fixture_never, SETTLE_MS);
    struct world_flow_options activate = patient;
    activate.verb = UPDRAFT_FLOW_ACTIVATE;
    result = world_update(world, image.bytes, image.size, &activate);
    assert_int_equal(result->status, UPDRAFT_ERROR_NOTHING_STAGED);
    assert_string_equal(sim_board_running(world->board), "factory");
    world_free(world);
}

/* The power goes at an erase's very end: the sector reads as blank, and may not stay so.
 */
static void a_sector_whose_erase_was_cut_is_erased_again(void **state)
{
    (void)state;
    world_t *world = new_world("ideal", "ideal");
    uint32_t first = fixture_part(world, "ota_0")->offset / SIM_FLASH_SECTOR;
    bool found = false;
    uint32_t sector = first;
    /* The first operation that is an erase in the slot, after some were written. */
    for (uint64_t at = fixture_operations(world); !found; at++) {
        world_free(world);
        world = new_world("ideal", "ideal");
        world_update_start(world, image.bytes, image.size, &patient);
        sim_flash_cut_at(world->flash, at, 1);
        for (uint32_t ms = 0; ms < SETTLE_MS && !sim_flash_is_cut(world->flash); ms++) {
            (void)world_run(world, fixture_never, 1);
        }
        assert_true(sim_flash_is_cut(world->flash));
        for (sector = first + 2; sector < first + IMAGE_SIZE / SIM_FLASH_SECTOR;
             sector++) {
            const uint8_t *bytes =
                sim_flash_bytes(world->flash) + sector * SIM_FLASH_SECTOR;
            bool blank = bytes[0] == 0xFF && memcmp(bytes, bytes + 1, 4095) == 0;
            if (sim_flash_wear(world->flash, sector) == 1 && blank) {
                found = true;
                break;
            }
        }
    }
    world_power(world, true);
    assert_true(world_run(world, is_over, 600000));
    update(world, &image, 2);
    assert_true(sim_flash_wear(world->flash, sector) >= 2);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spliced_fragments_never_become_an_image),
        cmocka_unit_test(requests_that_overtake_commands_cost_repetitions_alone),
        cmocka_unit_test(
            a_boot_slot_set_twice_without_reboot_is_let_go_of_before_it_is_erased),
        cmocka_unit_test(equal_sequence_numbers_do_no_harm),
        cmocka_unit_test(a_fallback_to_a_slot_that_was_never_tried_can_be_updated),
        cmocka_unit_test(a_staged_image_is_nothing_to_fall_back_to),
        cmocka_unit_test(a_sector_whose_erase_was_cut_is_erased_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
