/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Courses: what a board holds, and what a client then does to it while the power goes. */
#ifndef TESTS_POWERCUT_COURSE_H
#define TESTS_POWERCUT_COURSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum course_kind {
    COURSE_UPDATE,
    COURSE_STAGE, /* and, after a restart, ACTIVATE */
    COURSE_BACK,  /* ROLLBACK to the previous image */
    COURSE_BACK_TO_FACTORY,
};

struct course {
    char name[32];
    enum course_kind kind;
    uint8_t protocol;
    int idf_major;       /* of boot loader and firmware */
    int earlier_updates; /* before the one that is cut */
    bool half_arrived;   /* of the image, before the board was left alone */
    bool fallen_back;    /* the image that ran is broken since: another one runs */
    bool no_factory;     /* ESP-IDF's other stock table */
    bool refuses_itself; /* the image fails its self-test */
};

/* It is about an image that the board has already. */
static inline bool course_goes_back(const struct course *course)
{
    return course->kind == COURSE_BACK || course->kind == COURSE_BACK_TO_FACTORY;
}

#define COURSES_MAX 64u

/* All of them; returns how many. */
size_t courses_make(struct course ret_courses[COURSES_MAX]);

#endif
