/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The power goes in every flash operation of a whole update by protocol 1: of the
 * command's flow, over the air, by the firmware and the boot loader, up to the
 * confirmation. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/fixture.h"

#define SEED            7u
#define FLASH_SIZE      (4u << 20)
#define SMALL_SIZE      (20u << 10)
#define LARGE_SIZE      (256u << 10)
#define FACTORY_SIZE    (8u << 10)
#define SETTLE_MS       20000u
#define OFF_MS          50u
#define PATIENT_MS      60000u
#define SECOND_CUTS_MAX 12u
#define RECORD_CUTS     8u
#define RECORD_VARIANTS 8u

/* What the board holds before, and what it is updated to. */
struct course {
    const char *name;
    int idf_major;
    int earlier_updates; /* before the one that is cut */
    bool fallen_back;    /* the image that ran is broken since: another one runs */
    bool no_factory;     /* ESP-IDF's other stock table */
    const char *behaviour;
};

static const struct course courses[] = {
    {"first-5", 5, 0, false, false, "good"},
    {"first-6", 6, 0, false, false, "good"},
    {"later-5", 5, 2, false, false, "good"},
    {"later-6", 6, 2, false, false, "good"},
    {"refused-5", 5, 2, false, false, "selftest"},
    {"refused-6", 6, 2, false, false, "selftest"},
    {"factory-5", 5, 1, true, false, "selftest"},
    {"factory-6", 6, 1, true, false, "selftest"},
    {"fallback-5", 5, 2, true, false, "selftest"},
    {"fallback-6", 6, 2, true, false, "selftest"},
    {"two-first-5", 5, 0, false, true, "good"},
    {"two-first-6", 6, 0, false, true, "good"},
    {"two-later-5", 5, 1, false, true, "good"},
    {"two-later-6", 6, 1, false, true, "good"},
    {"two-refused-5", 5, 1, false, true, "selftest"},
    {"two-refused-6", 6, 1, false, true, "selftest"},
    {"two-fallback-5", 5, 1, true, true, "selftest"},
    {"two-fallback-6", 6, 1, true, true, "selftest"},
};
#define COURSE_COUNT (sizeof(courses) / sizeof(courses[0]))

/* One cut, or two. */
struct cut {
    uint64_t operation; /* counted from the update's first */
    uint32_t variant;
    uint32_t second; /* operations after the first cut's power-on; 0: no second cut */
    uint32_t second_variant;
};

/* A board ready for its update, to be put back again and again. */
struct stage {
    const struct course *course;
    world_t *world;
    sim_snapshot_t *snapshot;
    uint8_t *flash; /* as it was then */
    char running[17];
    uint64_t first_operation;
    uint64_t operation_count; /* of the update without a cut */
    bool large;
};

static struct fixture_image image;
static struct fixture_image after_image;
static struct fixture_image earlier_image;

static const char *firmware_of(const struct course *course)
{
    return course->idf_major == 6 ? "minimal_6" : "minimal";
}

static bool is_cut_or_over(world_t *world)
{
    return sim_flash_is_cut(world->flash) || world_update_result(world, 0)->finished;
}

static bool is_over(world_t *world)
{
    return world_update_result(world, 0)->finished;
}

/* Says how to see it again, and ends the test. */
static void fail_cut(const struct stage *stage, const struct cut *cut, const char *what)
{
    fputs(stage->world->log, stderr);
    fail_msg("%s\nreplay: UPDRAFT_CUT=%s:%s:%" PRIu64 ":%u:%u:%u test_world_cuts"
             " (seed %u)",
             what, stage->course->name, stage->large ? "large" : "small", cut->operation,
             cut->variant, cut->second, cut->second_variant, SEED);
}

/* Spoils what runs, so that the boot loader takes another image than otadata says. */
static void fall_back(world_t *world)
{
    char label[17];
    snprintf(label, sizeof(label), "%s", sim_board_running(world->board));
    uint32_t offset = fixture_part(world, label)->offset + 1024;
    uint8_t byte = (uint8_t)~sim_flash_bytes(world->flash)[offset];
    world_power(world, false);
    sim_flash_load(world->flash, offset, &byte, 1);
    world_power(world, true);
    assert_true(world_run(world, fixture_runs, SETTLE_MS));
    assert_string_not_equal(sim_board_running(world->board), label);
    fixture_await(world, "advertising as", 5000);
    (void)world_run(world, fixture_never, SETTLE_MS);
}

static void leave_out_factory(world_t *world, const struct fixture_image *first)
{
    world_power(world, false);
    assert_true(sim_chip_flash_factory(world->chip, sim_partitions_two_ota_large,
                                       sim_partitions_two_ota_large_count));
    assert_true(sim_chip_install(world->chip, "ota_0", first->bytes, first->size));
    world_power(world, true);
}

static void set_up(struct stage *stage, const struct course *course, bool large)
{
    static struct fixture_image factory;
    fixture_image_make(&factory, firmware_of(course), "1.0.0", "good", FACTORY_SIZE);
    const struct world_config config = {
        .seed = SEED,
        .idf_major = course->idf_major,
        .idf_minor = course->idf_major == 6 ? 1 : 3,
        .firmware_default = firmware_of(course),
        .factory = factory.bytes,
        .factory_size = factory.size,
    };
    memset(stage, 0, sizeof(*stage));
    stage->course = course;
    stage->large = large;
    stage->world = fixture_world(&config);
    if (course->no_factory) {
        leave_out_factory(stage->world, &factory);
    }
    fixture_await(stage->world, "advertising as", 5000);
    for (int i = 0; i < course->earlier_updates; i++) {
        fixture_image_make(&earlier_image, firmware_of(course),
                           i == 0 ? "1.1.0" : "1.2.0", "good",
                           SMALL_SIZE + 4096u * (uint32_t)i);
        const struct world_flow_options plain = {.protocol_max = 1};
        const struct world_update *update =
            world_update(stage->world, earlier_image.bytes, earlier_image.size, &plain);
        assert_int_equal(update->status, 0);
        (void)world_run(stage->world, fixture_never, SETTLE_MS);
    }
    if (course->fallen_back) {
        fall_back(stage->world);
    }
    assert_true(fixture_settled(stage->world));
    fixture_image_make(&image, firmware_of(course), "2.0.0", course->behaviour,
                       large ? LARGE_SIZE : SMALL_SIZE);
    fixture_image_make(&after_image, firmware_of(course), "3.0.0", "good", 6u << 10);
    snprintf(stage->running, sizeof(stage->running), "%s",
             sim_board_running(stage->world->board));
    stage->first_operation = fixture_operations(stage->world);
    stage->flash = malloc(FLASH_SIZE);
    assert_non_null(stage->flash);
    memcpy(stage->flash, sim_flash_bytes(stage->world->flash), FLASH_SIZE);
    stage->snapshot = world_snapshot(stage->world);
}

static void tear_down(struct stage *stage)
{
    sim_snapshot_free(stage->snapshot);
    free(stage->flash);
    world_free(stage->world);
}

static void start_update(world_t *world)
{
    const struct world_flow_options patient = {.return_limit_ms = PATIENT_MS,
                                               .protocol_max = 1};
    world_update_start(world, image.bytes, image.size, &patient);
}

/* The update without a cut: how many operations it has, its confirmation or rollback
 * included. */
static void count_operations(struct stage *stage)
{
    world_t *world = stage->world;
    start_update(world);
    assert_true(world_run(world, is_over, 10 * PATIENT_MS));
    assert_true(world_run(world, fixture_settled, SETTLE_MS));
    stage->operation_count = fixture_operations(world) - stage->first_operation;
    bool good = strcmp(stage->course->behaviour, "good") == 0;
    assert_int_equal(world_update_result(world, 0)->status,
                     good ? 0 : UPDRAFT_ERROR_ROLLED_BACK);
    assert_int_equal(strcmp(sim_board_running(world->board), stage->running) != 0, good);
    /* Whole sectors and pages of the image, and what selects, tries and confirms it. */
    assert_true(stage->operation_count > image.size / 4096 + image.size / 256 + 6);
    world_restore(world, stage->snapshot);
}

static bool is_unchanged(const struct stage *stage, uint32_t offset, uint32_t size)
{
    return memcmp(sim_flash_bytes(stage->world->flash) + offset, stage->flash + offset,
                  size) == 0;
}

/* What must hold whenever a firmware runs again after a cut. */
static void check_board(const struct stage *stage, const struct cut *cut)
{
    world_t *world = stage->world;
    const struct sim_partition *running =
        fixture_part(world, sim_board_running(world->board));
    if (!fixture_verifies(world)) {
        fail_cut(stage, cut, "what runs does not verify");
    }
    if (strcmp(running->label, stage->running) != 0 &&
        memcmp(sim_flash_bytes(world->flash) + running->offset, image.bytes,
               image.size) != 0) {
        fail_cut(stage, cut, "what runs is neither the old firmware nor the new one");
    }
    /* NVS holds the note of the activation. */
    if (!is_unchanged(stage, 0, fixture_part(world, "nvs")->offset)) {
        fail_cut(stage, cut, "boot loader or partition table changed");
    }
    if (!stage->course->no_factory) {
        const struct sim_partition *factory = fixture_part(world, "factory");
        if (!is_unchanged(stage, factory->offset, factory->size)) {
            fail_cut(stage, cut, "factory changed");
        }
    }
    const struct sim_partition *before = fixture_part(world, stage->running);
    if (!is_unchanged(stage, before->offset, before->size)) {
        fail_cut(stage, cut, "the slot that ran changed");
    }
}

/* Power comes back, and a firmware runs. */
static void power_on(const struct stage *stage, const struct cut *cut)
{
    world_t *world = stage->world;
    (void)world_run(world, fixture_never, OFF_MS);
    world_power(world, true);
    if (cut->second == 0 && !world_run(world, fixture_runs, SETTLE_MS)) {
        fail_cut(stage, cut, "nothing runs");
    }
}

/* The next update, by the same client. */
static void update_again(const struct stage *stage, const struct cut *cut)
{
    world_t *world = stage->world;
    const struct world_flow_options patient = {
        .return_limit_ms = PATIENT_MS, .limit_ms = 10 * PATIENT_MS, .protocol_max = 1};
    const struct world_update *update =
        world_update(world, after_image.bytes, after_image.size, &patient);
    if (!update->finished || update->status != 0 ||
        strcmp(update->firmware, "3.0.0") != 0) {
        fail_cut(stage, cut, "the next update does not succeed");
    }
    if (!world_run(world, fixture_settled, SETTLE_MS)) {
        fail_cut(stage, cut, "the next update is not confirmed");
    }
    const struct sim_partition *running =
        fixture_part(world, sim_board_running(world->board));
    if (memcmp(sim_flash_bytes(world->flash) + running->offset, after_image.bytes,
               after_image.size) != 0) {
        fail_cut(stage, cut, "the next update runs something else");
    }
}

static void try_cut(struct stage *stage, const struct cut *cut)
{
    world_t *world = stage->world;
    world_restore(world, stage->snapshot);
    sim_flash_cut_at(world->flash, stage->first_operation + cut->operation, cut->variant);
    start_update(world);
    (void)world_run(world, is_cut_or_over, 10 * PATIENT_MS);
    /* The last operations may come after the client has what it waits for. */
    for (uint64_t ms = 0; ms < SETTLE_MS && !sim_flash_is_cut(world->flash); ms += 100) {
        (void)world_run(world, fixture_never, 100);
    }
    if (!sim_flash_is_cut(world->flash)) {
        fail_cut(stage, cut, "the update has no such operation");
    }
    if (cut->second > 0) {
        sim_flash_cut_at(world->flash, fixture_operations(world) + cut->second - 1,
                         cut->second_variant);
    }
    power_on(stage, cut);
    if (cut->second > 0) {
        /* The boot loader's writes, the client's next try, or nothing at all. */
        for (uint64_t ms = 0; ms < SETTLE_MS && !sim_flash_is_cut(world->flash);
             ms += 100) {
            (void)world_run(world, fixture_never, 100);
        }
        if (sim_flash_is_cut(world->flash)) {
            (void)world_run(world, fixture_never, OFF_MS);
            world_power(world, true);
        }
        sim_flash_cut_at(world->flash, SIM_FLASH_NEVER, 0);
        if (!world_run(world, fixture_runs, SETTLE_MS)) {
            fail_cut(stage, cut, "nothing runs after the second cut");
        }
    }
    check_board(stage, cut);
    /* The flow tries again by itself, reports a rollback, or says that the link went. */
    if (!world_run(world, is_over, 10 * PATIENT_MS) ||
        !world_run(world, fixture_settled, SETTLE_MS)) {
        fail_cut(stage, cut, "the flow does not end, or the board stays on trial");
    }
    check_board(stage, cut);
    if (strcmp(stage->course->behaviour, "good") != 0 &&
        strcmp(sim_board_running(world->board), stage->running) != 0) {
        fail_cut(stage, cut, "a firmware stays that fails its self-test");
    }
    update_again(stage, cut);
}

static void cut_everywhere(const struct course *course, bool large, uint32_t variants)
{
    struct stage stage;
    set_up(&stage, course, large);
    count_operations(&stage);
    for (uint64_t operation = 0; operation < stage.operation_count; operation++) {
        /* The last ones change otadata, where a torn record may still look whole. */
        bool is_record = operation + RECORD_CUTS >= stage.operation_count;
        uint32_t count = is_record ? RECORD_VARIANTS * variants : variants;
        for (uint32_t variant = 0; variant < count; variant++) {
            /* With one each, they take turns: not done, done, torn. */
            uint32_t turn = count == 1 ? (uint32_t)(operation % 3) : 0;
            const struct cut cut = {.operation = operation, .variant = variant + turn};
            try_cut(&stage, &cut);
        }
    }
    print_message("%s: %" PRIu64 " operations, %u variants each, of the last %u %u\n",
                  course->name, stage.operation_count, variants, RECORD_CUTS,
                  RECORD_VARIANTS * variants);
    tear_down(&stage);
}

static void every_cut_leaves_a_board_that_boots_and_updates(void **state)
{
    const struct course *course = *state;
    cut_everywhere(course, /* large= */ false, fixture_rounds(1, 10));
    if (fixture_all() && strcmp(course->behaviour, "good") == 0) {
        cut_everywhere(course, /* large= */ true, 3);
    }
}

static void a_second_cut_soon_after_the_first_changes_nothing(void **state)
{
    const struct course *course = *state;
    struct stage stage;
    sim_random_t random;
    set_up(&stage, course, /* large= */ false);
    count_operations(&stage);
    sim_random_seed(&random, SEED);
    for (unsigned round = 0; round < fixture_rounds(10, 1000); round++) {
        /* Half of them where the boot loader has work to do. */
        uint32_t count = (uint32_t)stage.operation_count;
        uint32_t last = round % 2 == 0 ? count : SECOND_CUTS_MAX;
        const struct cut cut = {
            .operation = count - 1 - sim_random_below(&random, last),
            .variant = sim_random_below(&random, 20),
            .second = 1 + sim_random_below(&random, SECOND_CUTS_MAX),
            .second_variant = sim_random_below(&random, 20),
        };
        try_cut(&stage, &cut);
    }
    tear_down(&stage);
}

/* UPDRAFT_CUT=course:size:operation:variant:second:second_variant, as a failure prints
 * it. */
static int replay(const char *text)
{
    char name[16];
    char size[8];
    struct cut cut;
    struct stage stage;
    if (sscanf(text, "%15[^:]:%7[^:]:%" SCNu64 ":%u:%u:%u", name, size, &cut.operation,
               &cut.variant, &cut.second, &cut.second_variant) != 6) {
        fprintf(stderr, "UPDRAFT_CUT=%s: not a cut\n", text);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < COURSE_COUNT; i++) {
        if (strcmp(courses[i].name, name) == 0) {
            set_up(&stage, &courses[i], strcmp(size, "large") == 0);
            try_cut(&stage, &cut);
            fputs(stage.world->log, stdout);
            tear_down(&stage);
            return EXIT_SUCCESS;
        }
    }
    fprintf(stderr, "UPDRAFT_CUT=%s: no such course\n", text);
    return EXIT_FAILURE;
}

int main(void)
{
    struct CMUnitTest tests[2 * COURSE_COUNT];
    char names[2 * COURSE_COUNT][96];
    const char *cut = getenv("UPDRAFT_CUT");
    if (cut != NULL) {
        return replay(cut);
    }
    for (size_t i = 0; i < 2 * COURSE_COUNT; i++) {
        const struct course *course = &courses[i / 2];
        snprintf(names[i], sizeof(names[i]), "%s (%s)",
                 i % 2 == 0 ? "every_cut_leaves_a_board_that_boots_and_updates"
                            : "a_second_cut_soon_after_the_first_changes_nothing",
                 course->name);
        tests[i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = i % 2 == 0 ? every_cut_leaves_a_board_that_boots_and_updates
                                    : a_second_cut_soon_after_the_first_changes_nothing,
            .initial_state = (void *)(uintptr_t)course,
        };
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
