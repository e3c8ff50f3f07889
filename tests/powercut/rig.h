/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A board and its client on a course, to be put back and disturbed again and again. */
#ifndef TESTS_POWERCUT_RIG_H
#define TESTS_POWERCUT_RIG_H

#include "tests/powercut/course.h"
#include "tests/world/fixture.h"

#define RIG_SEED      7u
#define RIG_SETTLE_MS 15000u
#define RIG_OFF_MS    50u
/* Of virtual time, for one job of the client: far beyond what its own limits add up to.
 */
#define RIG_JOB_MS (40u * 60u * 1000u)

/* What the client does, one flow after another; put back with the world. */
struct job {
    unsigned flows; /* that have ended */
    bool over;
    int status; /* of the last flow */
    enum updraft_outcome outcome;
    uint32_t sent_bytes; /* of the image, by all of them */
    uint32_t window_bytes;
    unsigned retries;
};

struct rig {
    const struct course *course;
    world_t *world;
    struct fixture_image image; /* what the job is about */
    struct fixture_image after; /* a good one, should the first refuse itself */
    char before[17];            /* label of what runs before the job */
    char target[17];            /* and of the slot it is about */
    uint8_t *flash;             /* as it was before the job */
    uint64_t first_operation;
    bool target_verified; /* before the job */
    struct job job;
    uint32_t clean_sent_bytes; /* by the job, when nothing disturbs it */
};

/* World and job as they were, between two events. */
struct rig_mark {
    sim_snapshot_t *snapshot;
    struct job job;
};

/* The board ready for its job. Free with rig_free. Ends the process where the board
 * cannot be brought there. */
struct rig *rig_new(const struct course *course, uint32_t size_bytes);
void rig_free(struct rig *rig);

struct rig_mark rig_mark(struct rig *rig);
void rig_return(struct rig *rig, const struct rig_mark *mark);
void rig_mark_free(struct rig_mark *mark);

void rig_job_start(struct rig *rig);
/* Lets the job's next flow start where the last one ended. Between two events. */
void rig_job_poll(struct rig *rig);

enum rig_stop {
    RIG_STOP_CUT = 1,  /* the flash is without power */
    RIG_STOP_RUNS = 2, /* a firmware runs */
    RIG_STOP_OVER = 4, /* the job is over */
};
/* Runs until one of `stops` (a set; 0: none) holds; false when limit_ms passed before, or
 * very many events did in no time at all. */
bool rig_run(struct rig *rig, unsigned stops, uint64_t limit_ms);
/* Until nothing is on trial any more, looked at now and then. */
bool rig_settle(struct rig *rig);

/* One flow by the course's protocol, to its end: an update to `image`, or where that is
 * NULL the course's own rollback. False when it does not end. */
bool rig_flow(struct rig *rig, const struct fixture_image *image, int *ret_status);

/* True when that image (NULL: what the rollback goes to) runs. */
bool rig_runs(const struct rig *rig, const struct fixture_image *image);

/* What must hold: NULL, or what is wrong. The first holds at any time, the second while a
 * firmware runs. */
const char *rig_check_flash(const struct rig *rig);
const char *rig_check_running(const struct rig *rig);

#endif
