/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Cuts, boots, checks, and lets the client finish. */
#include "tests/powercut/attempt.h"

#include <string.h>

/* The job's last operations may come after the client has what it waits for. */
#define LATE_MS     10000u
#define SECTORS_MAX 2u
#define FLOWS_MAX   3u
#define SECOND_MS   120000u
#define LOST        "no firmware runs"
#define ENDLESS     "the client's job does not end"

struct trouble {
    enum verdict verdict;
    const char *what;
};

static const struct trouble fine = {VERDICT_FINE, NULL};

static struct trouble check(const struct rig *rig)
{
    const char *what = rig_check_running(rig);
    if (what != NULL) {
        return (struct trouble){VERDICT_CORRUPT, what};
    }
    what = rig_check_flash(rig);
    return what != NULL ? (struct trouble){VERDICT_BROKEN, what} : fine;
}

static bool await_cut(struct rig *rig, uint64_t late_ms)
{
    if (rig_run(rig, RIG_STOP_CUT | RIG_STOP_OVER, RIG_JOB_MS) &&
        !sim_flash_is_cut(rig->world->flash)) {
        (void)rig_run(rig, RIG_STOP_CUT, late_ms);
    }
    return sim_flash_is_cut(rig->world->flash);
}

static struct trouble power_on_again(struct rig *rig)
{
    const char *what = rig_check_flash(rig);
    if (what != NULL) {
        return (struct trouble){VERDICT_BROKEN, what};
    }
    (void)rig_run(rig, 0, RIG_OFF_MS);
    world_power(rig->world, true);
    return fine;
}

/* From the moment before the operation until a firmware runs again. */
static struct trouble cut(struct rig *rig, const struct disturbance *disturbance)
{
    world_t *world = rig->world;
    sim_flash_cut_at(world->flash, rig->first_operation + disturbance->operation,
                     disturbance->variant);
    if (!await_cut(rig, LATE_MS)) {
        return (struct trouble){VERDICT_BROKEN, "there is no such operation"};
    }
    if (disturbance->second > 0) {
        sim_flash_cut_at(world->flash,
                         fixture_operations(world) + disturbance->second - 1,
                         disturbance->second_variant);
    }
    struct trouble trouble = power_on_again(rig);
    if (disturbance->second > 0 && trouble.verdict == VERDICT_FINE) {
        /* In the boot loader, in the client's next try, or nowhere. */
        if (await_cut(rig, LATE_MS)) {
            trouble = power_on_again(rig);
        }
        sim_flash_cut_at(world->flash, SIM_FLASH_NEVER, 0);
    }
    if (trouble.verdict == VERDICT_FINE && !rig_run(rig, RIG_STOP_RUNS, RIG_SETTLE_MS)) {
        trouble = (struct trouble){VERDICT_LOST, LOST};
    }
    return trouble.verdict == VERDICT_FINE ? check(rig) : trouble;
}

static struct trouble let_fail(struct rig *rig, uint64_t operation)
{
    sim_flash_fail_at(rig->world->flash, rig->first_operation + operation);
    if (!rig_run(rig, RIG_STOP_OVER, RIG_JOB_MS)) {
        return (struct trouble){VERDICT_UNFINISHED, ENDLESS};
    }
    (void)rig_run(rig, 0, LATE_MS);
    if (!rig_run(rig, RIG_STOP_RUNS, RIG_SETTLE_MS)) {
        return (struct trouble){VERDICT_LOST, LOST};
    }
    return check(rig);
}

/* The job itself comes to an end, and what it said of itself is true. */
static struct trouble end_job(struct rig *rig)
{
    if (!rig_run(rig, RIG_STOP_OVER, RIG_JOB_MS)) {
        return (struct trouble){VERDICT_UNFINISHED, ENDLESS};
    }
    if (!rig_run(rig, RIG_STOP_RUNS, RIG_SETTLE_MS)) {
        return (struct trouble){VERDICT_LOST, LOST};
    }
    if (!rig_settle(rig)) {
        return (struct trouble){VERDICT_UNFINISHED, "the board stays on trial"};
    }
    bool done = rig->job.status == 0 && rig->job.outcome != UPDRAFT_OUTCOME_STAGED;
    if (done && !rig_runs(rig, course_goes_back(rig->course) ? NULL : &rig->image)) {
        return (struct trouble){VERDICT_BROKEN, "it was said to be done, and is not"};
    }
    if (rig->course->refuses_itself && rig_runs(rig, &rig->image)) {
        return (struct trouble){VERDICT_BROKEN,
                                "a firmware stays that fails its self-test"};
    }
    return check(rig);
}

/* What is to run in the end; NULL: what the rollback goes to. */
static const struct fixture_image *wanted_image(const struct rig *rig)
{
    return course_goes_back(rig->course) ? NULL
           : rig->course->refuses_itself ? &rig->after
                                         : &rig->image;
}

/* Whatever the job came to: the update (a good one, where the first was not) is finished
 * by the same client's next jobs. */
static struct trouble finish(struct rig *rig, struct tally *tally)
{
    const struct fixture_image *wanted = wanted_image(rig);
    if (rig_runs(rig, wanted)) {
        tally->by_itself++;
        return fine;
    }
    for (unsigned i = 0; i < FLOWS_MAX; i++) {
        int status = 0;
        tally->resumptions++;
        if (!rig_flow(rig, wanted, &status)) {
            return (struct trouble){VERDICT_UNFINISHED, ENDLESS};
        }
        if (!fixture_runs(rig->world) || !rig_settle(rig)) {
            return (struct trouble){VERDICT_UNFINISHED, "the board stays on trial"};
        }
        struct trouble trouble = check(rig);
        if (trouble.verdict != VERDICT_FINE) {
            return trouble;
        }
        if (rig_runs(rig, wanted)) {
            tally->by_another++;
            return fine;
        }
    }
    return (struct trouble){VERDICT_UNFINISHED, "the update cannot be finished"};
}

/* What was confirmed still runs after a restart. */
static struct trouble restart(struct rig *rig)
{
    world_power(rig->world, false);
    world_power(rig->world, true);
    if (!rig_run(rig, RIG_STOP_RUNS, RIG_SETTLE_MS)) {
        return (struct trouble){VERDICT_LOST, LOST};
    }
    if (!fixture_settled(rig->world) || !rig_runs(rig, wanted_image(rig))) {
        return (struct trouble){VERDICT_UNFINISHED, "after a restart it is gone"};
    }
    return check(rig);
}

/* Protocol 2, by what its sessions counted: each disturbance costs a window and two
 * sectors at most. */
static struct trouble check_resent(const struct rig *rig, unsigned disturbances,
                                   struct tally *tally)
{
    uint32_t sent = rig->job.sent_bytes;
    uint32_t limit =
        disturbances * (rig->job.window_bytes + SECTORS_MAX * SIM_FLASH_SECTOR);
    if (rig->course->protocol == 1 || sent <= rig->clean_sent_bytes) {
        return fine;
    }
    uint32_t more = sent - rig->clean_sent_bytes;
    if (more > tally->resent_bytes_max) {
        tally->resent_bytes_max = more;
    }
    if (more > limit) {
        return (struct trouble){VERDICT_BROKEN, "more was sent again than is promised"};
    }
    return fine;
}

enum verdict attempt(struct rig *rig, const struct disturbance *disturbance,
                     struct tally *tally, const char **ret_what)
{
    uint32_t boots = sim_board_boots(rig->world->board);
    struct trouble trouble = disturbance->fails ? let_fail(rig, disturbance->operation)
                                                : cut(rig, disturbance);
    if (trouble.verdict == VERDICT_FINE) {
        trouble = end_job(rig);
    }
    tally->resumptions += rig->job.retries;
    if (trouble.verdict == VERDICT_FINE) {
        trouble = finish(rig, tally);
    }
    if (trouble.verdict == VERDICT_FINE) {
        trouble = check_resent(rig, disturbance->second > 0 ? 2 : 1, tally);
    }
    if (trouble.verdict == VERDICT_FINE) {
        trouble = restart(rig);
    }
    if (disturbance->fails) {
        tally->failures++;
    } else if (disturbance->second > 0) {
        tally->double_cuts++;
    } else {
        tally->cuts++;
    }
    tally->boots += sim_board_boots(rig->world->board) - boots;
    tally->verdicts[trouble.verdict]++;
    *ret_what = trouble.what;
    return trouble.verdict;
}
