/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Finds a job's flash operations, and tries what the plan says at each. */
#include "tests/powercut/walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATE_US         10000000u
#define TORN_VARIANTS   64u /* to choose from for second cuts */
#define SOON            16u
#define FAILURES_SHOWN  4u
#define SETTINGS_OFFSET 0x9000u /* NVS and otadata, up to the first app */
#define SETTINGS_SIZE   0x7000u

struct operation {
    uint64_t step; /* event of the job, counted from its start */
    bool is_dull;
};

struct walk {
    struct rig *rig;
    const struct plan *plan;
    struct tally *tally;
    struct spot *spot;
    sim_random_t random;
    struct operation *operations;
    size_t count;
    size_t capacity;
    size_t dull_seen; /* so far */
    size_t others_seen;
    unsigned failures_shown;
    uint64_t over_us;
};

void spot_put(const struct spot *spot, char ret_text[SPOT_TEXT_SIZE])
{
    const struct disturbance *disturbance = &spot->disturbance;
    snprintf(ret_text, SPOT_TEXT_SIZE, "%s:%" PRIu32 ":%s:%" PRIu64 ":%u:%u:%u",
             spot->course, spot->size_bytes, disturbance->fails ? "fail" : "cut",
             disturbance->operation, disturbance->variant, disturbance->second,
             disturbance->second_variant);
}

bool spot_get(const char *text, struct spot *ret_spot)
{
    struct disturbance *disturbance = &ret_spot->disturbance;
    char kind[8];
    char rest;
    if (sscanf(text, "%31[^:]:%" SCNu32 ":%7[^:]:%" SCNu64 ":%u:%u:%u%c",
               ret_spot->course, &ret_spot->size_bytes, kind, &disturbance->operation,
               &disturbance->variant, &disturbance->second, &disturbance->second_variant,
               &rest) != 7) {
        return false;
    }
    disturbance->fails = strcmp(kind, "fail") == 0;
    return ret_spot->size_bytes <= FIXTURE_IMAGE_MAX &&
           (disturbance->fails || strcmp(kind, "cut") == 0);
}

/* ---- the undisturbed job ---- */

/* One event. False: the job is over, and what comes late came as well. */
static bool step(struct walk *walk)
{
    struct rig *rig = walk->rig;
    uint64_t now_us = sim_loop_now_us(rig->world->loop);
    rig_job_poll(rig);
    if (!rig->job.over) {
        walk->over_us = now_us;
    }
    return now_us <= walk->over_us + LATE_US && sim_loop_step(rig->world->loop);
}

static const uint8_t *settings_of(const struct rig *rig)
{
    return sim_flash_bytes(rig->world->flash) + SETTINGS_OFFSET;
}

static const uint8_t *head_of(const struct rig *rig)
{
    return sim_flash_bytes(rig->world->flash) +
           fixture_part(rig->world, rig->target)->offset;
}

static void add_operation(struct walk *walk, uint64_t step_number, bool is_dull)
{
    if (walk->count == walk->capacity) {
        walk->capacity = walk->capacity == 0 ? 1024 : 2 * walk->capacity;
        walk->operations =
            realloc(walk->operations, walk->capacity * sizeof(*walk->operations));
        if (walk->operations == NULL) {
            abort();
        }
    }
    walk->operations[walk->count++] = (struct operation){step_number, is_dull};
}

/* Where the job's flash operations are. False: it does not end as it should. */
static bool find_operations(struct walk *walk)
{
    static uint8_t settings[SETTINGS_SIZE];
    static uint8_t head[SIM_FLASH_PAGE];
    struct rig *rig = walk->rig;
    struct sim_flash_stats before;
    struct sim_flash_stats after;
    memcpy(settings, settings_of(rig), sizeof(settings));
    memcpy(head, head_of(rig), sizeof(head));
    sim_flash_stats(rig->world->flash, &before);
    for (uint64_t number = 0; step(walk); number++) {
        sim_flash_stats(rig->world->flash, &after);
        if (after.operations == before.operations) {
            continue;
        }
        bool is_dull = memcmp(settings, settings_of(rig), sizeof(settings)) == 0 &&
                       memcmp(head, head_of(rig), sizeof(head)) == 0;
        for (uint64_t i = before.operations; i < after.operations; i++) {
            add_operation(walk, number, is_dull);
        }
        const char *what = rig_check_flash(rig);
        if (what != NULL) {
            printf("%s, undisturbed: %s\n", rig->course->name, what);
            return false;
        }
        memcpy(settings, settings_of(rig), sizeof(settings));
        memcpy(head, head_of(rig), sizeof(head));
        before = after;
    }
    rig->clean_sent_bytes = rig->job.sent_bytes;
    int status = rig->course->refuses_itself ? UPDRAFT_ERROR_ROLLED_BACK : 0;
    if (!rig->job.over || rig->job.status != status || !fixture_settled(rig->world) ||
        rig_runs(rig, course_goes_back(rig->course) ? NULL : &rig->image) ==
            rig->course->refuses_itself) {
        printf("%s, undisturbed: ends with status %d\n", rig->course->name,
               rig->job.status);
        return false;
    }
    return true;
}

/* ---- disturbing it ---- */

static void try_here(struct walk *walk, const struct rig_mark *mark,
                     const struct disturbance *disturbance)
{
    char text[SPOT_TEXT_SIZE];
    const char *what = NULL;
    walk->spot->disturbance = *disturbance;
    if (attempt(walk->rig, disturbance, walk->tally, &what) != VERDICT_FINE &&
        walk->failures_shown++ < FAILURES_SHOWN) {
        spot_put(walk->spot, text);
        printf("%s: %s; again: ./run powercut --replay %s\n", walk->rig->course->name,
               what, text);
        fflush(stdout);
    }
    rig_return(walk->rig, mark);
}

static bool is_turn(unsigned every, size_t seen)
{
    return every > 0 && seen % every == 0;
}

static void disturb(struct walk *walk, const struct rig_mark *mark, size_t index)
{
    const struct plan *plan = walk->plan;
    bool is_dull = walk->operations[index].is_dull;
    size_t seen = is_dull ? walk->dull_seen++ : walk->others_seen++;
    unsigned variants = !is_dull                          ? plan->variants
                        : is_turn(plan->dull_every, seen) ? plan->dull_variants
                                                          : 0;
    unsigned doubles = is_dull ? is_turn(plan->dull_double_every, seen) : plan->doubles;
    struct disturbance disturbance = {.operation = index};
    for (unsigned i = 0; i < variants; i++) {
        /* Where there are few they take turns: nothing done, all done, torn ones. */
        disturbance.variant = variants < 3 ? (uint32_t)(seen % 4 + i) : i;
        try_here(walk, mark, &disturbance);
    }
    for (unsigned i = 0; i < doubles; i++) {
        disturbance.variant = sim_random_below(&walk->random, TORN_VARIANTS);
        uint32_t range = i % 2 == 0 ? SOON : (uint32_t)walk->count;
        disturbance.second = 1 + sim_random_below(&walk->random, range);
        disturbance.second_variant = sim_random_below(&walk->random, TORN_VARIANTS);
        try_here(walk, mark, &disturbance);
    }
    if (is_turn(is_dull ? plan->dull_failure_every : plan->failure_every, seen)) {
        disturbance = (struct disturbance){.fails = true, .operation = index};
        try_here(walk, mark, &disturbance);
    }
}

static void disturb_all(struct walk *walk)
{
    size_t index = 0;
    for (uint64_t number = 0; index < walk->count; number++) {
        if (walk->operations[index].step == number) {
            struct rig_mark mark = rig_mark(walk->rig);
            for (; index < walk->count && walk->operations[index].step == number;
                 index++) {
                disturb(walk, &mark, index);
            }
            rig_mark_free(&mark);
        }
        if (!step(walk)) {
            break;
        }
    }
}

bool walk(const struct course *course, uint32_t size_bytes, const struct plan *plan,
          struct tally *tally, struct spot *spot)
{
    struct walk walk = {
        .rig = rig_new(course, size_bytes),
        .plan = plan,
        .tally = tally,
        .spot = spot,
    };
    snprintf(spot->course, sizeof(spot->course), "%s", course->name);
    spot->size_bytes = size_bytes;
    sim_random_seed(&walk.random, RIG_SEED);
    struct rig_mark start = rig_mark(walk.rig);
    rig_job_start(walk.rig);
    bool fine = find_operations(&walk);
    if (fine) {
        tally->operations += walk.count;
        rig_return(walk.rig, &start);
        rig_job_start(walk.rig);
        disturb_all(&walk);
    }
    rig_mark_free(&start);
    free(walk.operations);
    rig_free(walk.rig);
    return fine;
}

bool walk_replay(const struct course *course, const struct spot *spot)
{
    struct tally tally = {0};
    const char *what = NULL;
    struct walk walk = {.rig = rig_new(course, spot->size_bytes)};
    struct rig_mark start = rig_mark(walk.rig);
    rig_job_start(walk.rig);
    bool fine = find_operations(&walk);
    if (fine) {
        rig_return(walk.rig, &start);
        rig_job_start(walk.rig);
        fine = attempt(walk.rig, &spot->disturbance, &tally, &what) == VERDICT_FINE;
        printf("%s\n%s\n", walk.rig->world->log, fine ? "fine" : what);
    }
    rig_mark_free(&start);
    free(walk.operations);
    rig_free(walk.rig);
    return fine;
}
