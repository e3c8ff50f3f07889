/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The firmware's tasks take turns wherever a seed says: small updates by either protocol,
 * while another central asks as well. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/fixture.h"

#define IMAGE_MIN (6u << 10)
#define IMAGE_MAX (20u << 10)
#define LIMIT_MS  600000u
#define SETTLE_MS 20000u

static struct fixture_image image;
static struct fixture_image other;

static void fail_seed(world_t *world, uint64_t seed, const char *what)
{
    fputs(world->log, stderr);
    fail_msg("%s: %s\nreplay: UPDRAFT_INTERLEAVING=%" PRIu64 " test_world_interleavings",
             what, updraft_error_name(world_update_result(world, 0)->status), seed);
}

static bool both_are_over(world_t *world)
{
    return world_update_result(world, 0)->finished &&
           world_update_result(world, 1)->finished;
}

static bool is_busy_or_done(int status)
{
    return status == 0 || status == UPDRAFT_ERROR_BUSY ||
           status == UPDRAFT_ERROR_REFUSED || status == UPDRAFT_ERROR_ON_TRIAL ||
           status == UPDRAFT_ERROR_LINK_LOST;
}

static void play(uint64_t seed)
{
    static const char *const airs[] = {"ideal", "c3-7"};
    static const char *const flashes[] = {"ideal", "typical"};
    sim_random_t random;
    sim_random_seed(&random, seed);
    bool is_6 = sim_random_below(&random, 2) == 0;
    const struct world_config config = {
        .seed = seed,
        .air = airs[sim_random_below(&random, 2)],
        .flash = flashes[sim_random_below(&random, 2)],
        .idf_major = is_6 ? 6 : 5,
        .idf_minor = is_6 ? 1 : 3,
        .firmware_default = "minimal",
        .firmware_dir = FIRMWARE_DIR,
        .factory = other.bytes,
        .factory_size = other.size,
        .centrals = 2,
        .preempt = true,
    };
    world_t *world = world_new(&config);
    fixture_image_make(&image, "minimal", "2.0.0", "good",
                       IMAGE_MIN + sim_random_below(&random, IMAGE_MAX - IMAGE_MIN));
    struct world_flow_options options = {.protocol_max =
                                             (uint8_t)(1 + sim_random_below(&random, 2))};
    (void)world_run(world, fixture_runs, SETTLE_MS);
    world_update_start(world, image.bytes, image.size, &options);
    /* The same image: whoever comes first, it is what runs in the end. */
    (void)world_run(world, fixture_never, sim_random_below(&random, 3000));
    options.central = 1;
    options.protocol_max = (uint8_t)(1 + sim_random_below(&random, 2));
    world_update_start(world, image.bytes, image.size, &options);
    if (!world_run(world, both_are_over, LIMIT_MS)) {
        fail_seed(world, seed, "it does not end");
    }
    int first = world_update_result(world, 0)->status;
    int second = world_update_result(world, 1)->status;
    if (!is_busy_or_done(first) || !is_busy_or_done(second) ||
        (first != 0 && second != 0)) {
        fail_seed(world, seed, "neither of the two succeeds");
    }
    (void)world_run(world, fixture_never, SETTLE_MS);
    const uint8_t *slot =
        sim_flash_bytes(world->flash) + fixture_part(world, "ota_0")->offset;
    if (!fixture_settled(world) ||
        strcmp(sim_board_running(world->board), "ota_0") != 0 ||
        memcmp(slot, image.bytes, image.size) != 0) {
        fail_seed(world, seed, "another image runs");
    }
    world_free(world);
}

static void updates_succeed_however_the_tasks_take_turns(void **state)
{
    (void)state;
    const char *one = getenv("UPDRAFT_INTERLEAVING");
    fixture_image_make(&other, "minimal", "1.0.0", "good", IMAGE_MIN);
    if (one != NULL) {
        play(strtoull(one, NULL, 10));
        return;
    }
    const char *wanted = getenv("UPDRAFT_INTERLEAVINGS");
    unsigned rounds =
        wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : fixture_rounds(150, 3000);
    for (uint64_t seed = 1; seed <= rounds; seed++) {
        play(seed);
    }
    print_message("%u schedules of the firmware's tasks, 0 violations\n", rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_succeed_however_the_tasks_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
