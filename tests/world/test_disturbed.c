/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Updates that are disturbed at any moment: what the client says at the end is what the
 * board then runs, and the next update succeeds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/fixture.h"

#define IMAGE_SIZE       (24u << 10)
#define FACTORY_SIZE     (8u << 10)
#define DISTURBANCES_MAX 4u
#define SPAN_MS          20000u /* an update on typical air and flash takes half of it */
#define PATIENT_MS       120000u
#define SETTLE_MS        30000u
#define SUPERVISION_MS   10000u

struct scene {
    const char *name;
    const char *air;
    const char *flash;
    int idf_major;
    const char *behaviour;
};

static const struct scene scenes[] = {
    {"typical", "typical", "typical", 5, "good"},
    {"worst-flash", "typical", "worst", 6, "good"},
    {"worst-air", "worst", "typical", 5, "good"},
    {"refused", "ideal", "typical", 6, "selftest"},
};
#define SCENE_COUNT (sizeof(scenes) / sizeof(scenes[0]))

struct run {
    const struct scene *scene;
    uint64_t seed;
    world_t *world;
    sim_random_t random;
    char running[17];
    char done[512]; /* what disturbed it */
};

static struct fixture_image factory;
static struct fixture_image image;
static struct fixture_image after_image;

static void fail_run(const struct run *run, const char *what)
{
    const struct world_update *update = world_update_result(run->world, 0);
    fputs(run->world->log, stderr);
    fail_msg("%s: status %d (%s), %s runs\n%s\n"
             "replay: UPDRAFT_DISTURBED=%s:%" PRIu64 " test_world_disturbed",
             what, update->status, updraft_error_name(update->status),
             sim_board_running(run->world->board), run->done, run->scene->name,
             run->seed);
}

static const char *firmware_of(const struct scene *scene)
{
    return scene->idf_major == 6 ? "minimal_6" : "minimal";
}

static void begin(struct run *run, const struct scene *scene, uint64_t seed)
{
    memset(run, 0, sizeof(*run));
    run->scene = scene;
    run->seed = seed;
    sim_random_seed(&run->random, seed);
    fixture_image_make(&factory, firmware_of(scene), "1.0.0", "good", FACTORY_SIZE);
    fixture_image_make(&image, firmware_of(scene), "2.0.0", scene->behaviour, IMAGE_SIZE);
    fixture_image_make(&after_image, firmware_of(scene), "3.0.0", "good", FACTORY_SIZE);
    const struct world_config config = {
        .seed = seed,
        .air = scene->air,
        .flash = scene->flash,
        .idf_major = scene->idf_major,
        .idf_minor = scene->idf_major == 6 ? 1 : 3,
        .firmware_default = firmware_of(scene),
        .firmware_dir = FIRMWARE_DIR,
        .factory = factory.bytes,
        .factory_size = factory.size,
    };
    run->world = world_new(&config);
    fixture_await(run->world, "advertising as", 10000);
    snprintf(run->running, sizeof(run->running), "%s",
             sim_board_running(run->world->board));
}

static void note(struct run *run, const char *what, uint32_t ms)
{
    size_t used = strlen(run->done);
    snprintf(run->done + used, sizeof(run->done) - used, "%s at %u ms for %u ms; ", what,
             (unsigned)world_now_ms(run->world), ms);
}

static void disturb(struct run *run)
{
    world_t *world = run->world;
    uint32_t span_ms = sim_random_below(&run->random, 12000);
    switch (sim_random_below(&run->random, 4)) {
    case 0:
        note(run, "power off", span_ms);
        world_power(world, false);
        (void)world_run(world, fixture_never, span_ms);
        world_power(world, true);
        break;
    case 1:
        note(run, "reset", 0);
        sim_board_reset(world->board);
        break;
    case 2:
        span_ms /= 20;
        note(run, "short fade", span_ms);
        sim_controller_shield(world->controller, true);
        (void)world_run(world, fixture_never, span_ms);
        sim_controller_shield(world->controller, false);
        break;
    default:
        note(run, "out of range", span_ms);
        sim_controller_shield(world->controller, true);
        (void)world_run(world, fixture_never, span_ms);
        sim_controller_shield(world->controller, false);
        break;
    }
}

static bool is_over(world_t *world)
{
    return world_update_result(world, 0)->finished;
}

/* The client speaks the truth, where it says that it knows. */
static void check_verdict(const struct run *run)
{
    world_t *world = run->world;
    int status = world_update_result(world, 0)->status;
    if (!world_run(world, fixture_settled, SETTLE_MS) ||
        !world_run(world, fixture_runs, SETTLE_MS) || !fixture_verifies(world)) {
        fail_run(run, "no confirmed firmware runs");
    }
    bool is_new = strcmp(sim_board_running(world->board), run->running) != 0;
    bool is_good = strcmp(run->scene->behaviour, "good") == 0;
    if (status == 0 && !is_new) {
        fail_run(run, "success was reported, and the old firmware runs");
    }
    if (status == UPDRAFT_ERROR_ROLLED_BACK && is_new) {
        fail_run(run, "a rollback was reported, and the new firmware runs");
    }
    if (is_new && !is_good) {
        fail_run(run, "a firmware stays that fails its self-test");
    }
    if (memcmp(sim_flash_bytes(world->flash) + fixture_part(world, "factory")->offset,
               factory.bytes, factory.size) != 0) {
        fail_run(run, "factory changed");
    }
}

/* Returns the status that the client reported. */
static int play(const struct scene *scene, uint64_t seed)
{
    struct run run;
    begin(&run, scene, seed);
    world_t *world = run.world;
    const struct world_flow_options patient = {.return_limit_ms = PATIENT_MS,
                                               .limit_ms = 20 * PATIENT_MS};
    world_update_start(world, image.bytes, image.size, &patient);
    for (uint32_t left = 1 + sim_random_below(&run.random, DISTURBANCES_MAX);
         left > 0 && !is_over(world); left--) {
        uint32_t wait_ms = sim_random_below(&run.random, SPAN_MS / left);
        if (!world_run(world, is_over, wait_ms)) {
            disturb(&run);
        }
    }
    if (!world_run(world, is_over, 20 * PATIENT_MS)) {
        fail_run(&run, "the update does not end");
    }
    int status = world_update_result(world, 0)->status;
    check_verdict(&run);
    /* A device out of range learns by its supervision timeout that its client is gone;
     * until then it is busy. */
    (void)world_run(world, fixture_never, SUPERVISION_MS);
    /* Where every tenth packet is lost, three connects in a row fail now and then. */
    int next_status = UPDRAFT_ERROR_LINK_LOST;
    for (int tries = 0; tries < 3 && next_status == UPDRAFT_ERROR_LINK_LOST; tries++) {
        next_status =
            world_update(world, after_image.bytes, after_image.size, &patient)->status;
    }
    if (next_status != 0) {
        fail_run(&run, "the next update does not succeed");
    }
    world_free(world);
    return status;
}

static void a_disturbed_update_ends_as_the_client_says(void **state)
{
    const struct scene *scene = *state;
    unsigned succeeded = 0;
    unsigned rolled_back = 0;
    unsigned rounds = fixture_rounds(60, 1000);
    for (uint64_t seed = 1; seed <= rounds; seed++) {
        int status = play(scene, seed);
        succeeded += status == 0;
        rolled_back += status == UPDRAFT_ERROR_ROLLED_BACK;
    }
    print_message("%s: of %u disturbed updates %u succeeded, %u were rolled back\n",
                  scene->name, rounds, succeeded, rolled_back);
    bool is_good = strcmp(scene->behaviour, "good") == 0;
    assert_true((is_good ? succeeded : rolled_back) > rounds / 4);
}

/* UPDRAFT_DISTURBED=scene:seed, as a failure prints it. */
static int replay(const char *text)
{
    char name[16];
    uint64_t seed = 0;
    if (sscanf(text, "%15[^:]:%" SCNu64, name, &seed) == 2) {
        for (size_t i = 0; i < SCENE_COUNT; i++) {
            if (strcmp(scenes[i].name, name) == 0) {
                printf("status %d\n", play(&scenes[i], seed));
                return EXIT_SUCCESS;
            }
        }
    }
    fprintf(stderr, "UPDRAFT_DISTURBED=%s: no such scene\n", text);
    return EXIT_FAILURE;
}

int main(void)
{
    struct CMUnitTest tests[SCENE_COUNT];
    char names[SCENE_COUNT][80];
    const char *one = getenv("UPDRAFT_DISTURBED");
    if (one != NULL) {
        return replay(one);
    }
    for (size_t i = 0; i < SCENE_COUNT; i++) {
        snprintf(names[i], sizeof(names[i]),
                 "a_disturbed_update_ends_as_the_client_says (%s)", scenes[i].name);
        tests[i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = a_disturbed_update_ends_as_the_client_says,
            .initial_state = (void *)(uintptr_t)&scenes[i],
        };
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
