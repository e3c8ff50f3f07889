/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Brings a board to where its course begins, and plays the client. */
#include "tests/powercut/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chip/otadata.h"
#include "sim/chip/verify.h"

#define FLASH_SIZE   (4u << 20)
#define FACTORY_SIZE (8u << 10)
#define EARLIER_SIZE (12u << 10)
#define LOOK_MS      100u
/* Events that one job can have: millions; an endless loop in no time has more. */
#define STEPS_MAX 20000000u

static const struct world_flow_options patient = {.return_limit_ms = 180000};

static void die(const struct rig *rig, const char *what)
{
    fprintf(stderr, "%s\n%s: %s\n", rig->world->log, rig->course->name, what);
    abort();
}

static const char *firmware_of(const struct course *course)
{
    return course->idf_major == 6 ? "minimal_6" : "minimal";
}

static struct world_flow_options options_of(const struct rig *rig)
{
    struct world_flow_options options = patient;
    options.protocol_max = rig->course->protocol;
    return options;
}

static bool flow_is_over(const struct rig *rig)
{
    return world_update_result(rig->world, 0)->finished;
}

bool rig_run(struct rig *rig, unsigned stops, uint64_t limit_ms)
{
    world_t *world = rig->world;
    uint64_t end_us = sim_loop_now_us(world->loop) + limit_ms * 1000;
    uint64_t next_us = 0;
    for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
        if ((stops & RIG_STOP_CUT) != 0 && sim_flash_is_cut(world->flash)) {
            return true;
        }
        if ((stops & RIG_STOP_RUNS) != 0 && fixture_runs(world)) {
            return true;
        }
        rig_job_poll(rig);
        if ((stops & RIG_STOP_OVER) != 0 && rig->job.over) {
            return true;
        }
        if (!sim_loop_next(world->loop, &next_us) || next_us > end_us) {
            sim_loop_advance(world->loop, end_us);
            return false;
        }
        sim_loop_step(world->loop);
    }
    return false;
}

/* Where a write failed that did arrive, the old firmware runs on and the new image is
 * selected: not on trial before the next restart. */
static bool is_settled(const struct rig *rig)
{
    struct sim_otadata_entry entries[2];
    const char *running = sim_board_running(rig->world->board);
    if (running == NULL || sim_otadata_read(rig->world->chip, entries) != 0) {
        return false;
    }
    int active = sim_otadata_active(entries);
    return fixture_settled(rig->world) ||
           (active >= 0 && entries[active].state == SIM_OTA_NEW &&
            strcmp(running, rig->before) == 0);
}

bool rig_settle(struct rig *rig)
{
    for (uint32_t ms = 0; ms < RIG_SETTLE_MS; ms += LOOK_MS) {
        if (is_settled(rig)) {
            return true;
        }
        (void)rig_run(rig, 0, LOOK_MS);
    }
    return is_settled(rig);
}

/* ---- the job ---- */

static void account(struct rig *rig)
{
    const struct world_update *result = world_update_result(rig->world, 0);
    rig->job.sent_bytes += result->flow.sent_bytes;
    rig->job.retries += result->retries;
    rig->job.status = result->status;
    rig->job.outcome = result->outcome;
    if (result->info_known) {
        rig->job.window_bytes = result->info.window_bytes;
    }
    rig->job.flows++;
}

void rig_job_start(struct rig *rig)
{
    struct world_flow_options options = options_of(rig);
    memset(&rig->job, 0, sizeof(rig->job));
    if (course_goes_back(rig->course)) {
        options.verb = UPDRAFT_FLOW_ROLLBACK;
        options.factory = rig->course->kind == COURSE_BACK_TO_FACTORY;
        world_update_start(rig->world, NULL, 0, &options);
        return;
    }
    options.stage = rig->course->kind == COURSE_STAGE;
    world_update_start(rig->world, rig->image.bytes, rig->image.size, &options);
}

void rig_job_poll(struct rig *rig)
{
    if (rig->job.over || !flow_is_over(rig)) {
        return;
    }
    account(rig);
    if (rig->course->kind == COURSE_STAGE && rig->job.flows == 1 &&
        rig->job.status == 0) {
        struct world_flow_options options = options_of(rig);
        options.verb = UPDRAFT_FLOW_ACTIVATE;
        world_power(rig->world, false);
        world_power(rig->world, true);
        world_update_start(rig->world, rig->image.bytes, rig->image.size, &options);
        return;
    }
    rig->job.over = true;
}

bool rig_flow(struct rig *rig, const struct fixture_image *image, int *ret_status)
{
    struct world_flow_options options = options_of(rig);
    if (image == NULL) {
        options.verb = UPDRAFT_FLOW_ROLLBACK;
        options.factory = rig->course->kind == COURSE_BACK_TO_FACTORY;
    }
    rig->job.over = false;
    /* Past the first, so that nothing follows by itself. */
    rig->job.flows++;
    uint32_t sent_bytes = rig->job.sent_bytes;
    world_update_start(rig->world, image != NULL ? image->bytes : NULL,
                       image != NULL ? image->size : 0, &options);
    bool ended = rig_run(rig, RIG_STOP_OVER, RIG_JOB_MS);
    *ret_status = rig->job.status;
    if (image == &rig->after) {
        rig->job.sent_bytes = sent_bytes;
    }
    return ended;
}

/* ---- marks ---- */

struct rig_mark rig_mark(struct rig *rig)
{
    return (struct rig_mark){.snapshot = world_snapshot(rig->world), .job = rig->job};
}

void rig_return(struct rig *rig, const struct rig_mark *mark)
{
    world_restore(rig->world, mark->snapshot);
    rig->job = mark->job;
}

void rig_mark_free(struct rig_mark *mark)
{
    sim_snapshot_free(mark->snapshot);
}

/* ---- to where the course begins ---- */

/* Spoils what runs, so that the boot loader takes another image than otadata says. */
static void fall_back(struct rig *rig)
{
    world_t *world = rig->world;
    char label[17];
    snprintf(label, sizeof(label), "%s", sim_board_running(world->board));
    world_power(world, false);
    fixture_spoil(world, label);
    world_power(world, true);
    if (!rig_run(rig, RIG_STOP_RUNS, RIG_SETTLE_MS) ||
        strcmp(sim_board_running(world->board), label) == 0) {
        die(rig, "the boot loader does not fall back");
    }
    (void)rig_run(rig, 0, RIG_SETTLE_MS);
}

static bool half_arrived(world_t *world)
{
    const struct world_update *update = world_update_result(world, 0);
    return update->finished || update->done_bytes > 33000;
}

/* The client goes away in the middle. */
static void send_half(struct rig *rig)
{
    struct world_flow_options options = options_of(rig);
    world_update_start(rig->world, rig->image.bytes, rig->image.size, &options);
    if (!world_run(rig->world, half_arrived, RIG_JOB_MS) || flow_is_over(rig)) {
        die(rig, "half of the image does not arrive");
    }
    world_abandon(rig->world, 0);
    (void)world_run(rig->world, fixture_never, RIG_SETTLE_MS);
}

static void update_before(struct rig *rig, int number)
{
    static struct fixture_image image;
    static const char *const versions[] = {"1.1.0", "1.2.0"};
    struct world_flow_options options = options_of(rig);
    fixture_image_make(&image, firmware_of(rig->course), versions[number], "good",
                       EARLIER_SIZE);
    const struct world_update *update =
        world_update(rig->world, image.bytes, image.size, &options);
    if (!update->finished || update->status != 0) {
        die(rig, "an update before the course does not succeed");
    }
    (void)rig_run(rig, 0, RIG_SETTLE_MS);
}

static void make_world(struct rig *rig)
{
    static struct fixture_image factory;
    const struct course *course = rig->course;
    fixture_image_make(&factory, firmware_of(course), "1.0.0", "good", FACTORY_SIZE);
    const struct world_config config = {
        .seed = RIG_SEED,
        .flash = "typical",
        .idf_major = course->idf_major,
        .idf_minor = course->idf_major == 6 ? 1 : 3,
        .firmware_dir = FIRMWARE_DIR,
        .firmware_default = firmware_of(course),
        .factory = factory.bytes,
        .factory_size = factory.size,
    };
    rig->world = world_new(&config);
    if (course->no_factory) {
        world_power(rig->world, false);
        if (!sim_chip_flash_factory(rig->world->chip, sim_partitions_two_ota_large,
                                    sim_partitions_two_ota_large_count) ||
            !sim_chip_install(rig->world->chip, "ota_0", factory.bytes, factory.size)) {
            die(rig, "the table without factory does not fit");
        }
        world_power(rig->world, true);
    }
    (void)rig_run(rig, 0, RIG_SETTLE_MS);
}

static void name_slots(struct rig *rig)
{
    const char *running = sim_board_running(rig->world->board);
    snprintf(rig->before, sizeof(rig->before), "%s", running);
    const char *target = strcmp(running, "ota_0") == 0 ? "ota_1" : "ota_0";
    if (rig->course->kind == COURSE_BACK_TO_FACTORY) {
        target = "factory";
    }
    snprintf(rig->target, sizeof(rig->target), "%s", target);
    const struct sim_partition *slot = fixture_part(rig->world, target);
    uint64_t us = 0;
    rig->target_verified = sim_chip_verify(rig->world->chip, slot->offset, slot->size,
                                           SIM_VERIFY_LOAD, NULL, NULL, NULL, &us) == 0;
}

struct rig *rig_new(const struct course *course, uint32_t size_bytes)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    if (rig == NULL) {
        abort();
    }
    rig->course = course;
    rig->job.over = true;
    make_world(rig);
    for (int i = 0; i < course->earlier_updates; i++) {
        update_before(rig, i);
    }
    if (course->fallen_back) {
        fall_back(rig);
    }
    fixture_image_make(&rig->image, firmware_of(course), "2.0.0",
                       course->refuses_itself ? "selftest" : "good", size_bytes);
    fixture_image_make(&rig->after, firmware_of(course), "3.0.0", "good", EARLIER_SIZE);
    if (course->half_arrived) {
        send_half(rig);
    }
    if (!fixture_settled(rig->world)) {
        die(rig, "the board does not settle before the course");
    }
    name_slots(rig);
    rig->first_operation = fixture_operations(rig->world);
    rig->flash = malloc(FLASH_SIZE);
    if (rig->flash == NULL) {
        abort();
    }
    memcpy(rig->flash, sim_flash_bytes(rig->world->flash), FLASH_SIZE);
    return rig;
}

void rig_free(struct rig *rig)
{
    free(rig->flash);
    world_free(rig->world);
    free(rig);
}
