/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * One disturbance of a job: a flash operation that the power cuts, or that fails, what
 * comes of it, and what must. */
#ifndef TESTS_POWERCUT_ATTEMPT_H
#define TESTS_POWERCUT_ATTEMPT_H

#include "tests/powercut/rig.h"

struct disturbance {
    bool fails;         /* the operation fails, and the power stays */
    uint64_t operation; /* counted from the job's first */
    uint32_t variant;   /* of what the cut leaves */
    uint32_t second;    /* operations after the first cut's power-on; 0: no second cut */
    uint32_t second_variant;
};

enum verdict {
    VERDICT_FINE,
    VERDICT_LOST,       /* nothing boots */
    VERDICT_CORRUPT,    /* something boots that is no whole image */
    VERDICT_UNFINISHED, /* the client cannot finish, or waits without end */
    VERDICT_BROKEN,     /* another promise */
    VERDICT_COUNT,
};

/* Sums over many attempts. */
struct tally {
    uint64_t operations; /* flash operations of the courses, undisturbed */
    uint64_t cuts;       /* places and ways tried, one cut */
    uint64_t double_cuts;
    uint64_t failures; /* operations that failed, without a cut */
    uint64_t boots;
    uint64_t resumptions; /* links and jobs that went on after a disturbance */
    uint64_t by_itself;   /* jobs that the disturbed flow itself brought to its end */
    uint64_t by_another;  /* and those that the next flow did */
    uint64_t resent_bytes_max; /* by one attempt, beyond what undisturbed jobs send */
    uint64_t verdicts[VERDICT_COUNT];
};

/* Disturbs a job that has started and goes on from here, up to the point where the new
 * firmware is confirmed after all. Sets *ret_what where the verdict is not FINE. */
enum verdict attempt(struct rig *rig, const struct disturbance *disturbance,
                     struct tally *tally, const char **ret_what);

#endif
