/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The table of courses. */
#include "tests/powercut/course.h"

#include <assert.h>
#include <stdio.h>

/* protocol 0: one course by each protocol. */
static const struct course kinds[] = {
    {.name = "fresh"},
    {.name = "resumed", .earlier_updates = 1, .half_arrived = true},
    {.name = "to-ota1", .earlier_updates = 1},
    {.name = "to-ota0", .earlier_updates = 2},
    {.name = "refused", .refuses_itself = true},
    {.name = "refused-later", .earlier_updates = 2, .refuses_itself = true},
    {.name = "fallback", .earlier_updates = 2, .fallen_back = true},
    {.name = "fallback-refused",
     .earlier_updates = 1,
     .fallen_back = true,
     .refuses_itself = true},
    {.name = "no-factory-fresh", .no_factory = true},
    {.name = "no-factory", .earlier_updates = 1, .no_factory = true},
    {.name = "no-factory-refused",
     .earlier_updates = 1,
     .no_factory = true,
     .refuses_itself = true},
    {.name = "no-factory-fallback",
     .earlier_updates = 1,
     .no_factory = true,
     .fallen_back = true,
     .refuses_itself = true},
    {.name = "staged", .kind = COURSE_STAGE, .protocol = 2, .earlier_updates = 1},
    {.name = "back", .kind = COURSE_BACK, .protocol = 2, .earlier_updates = 2},
    {.name = "back-to-factory",
     .kind = COURSE_BACK_TO_FACTORY,
     .protocol = 2,
     .earlier_updates = 2},
};

size_t courses_make(struct course ret_courses[COURSES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        uint8_t first = kinds[i].protocol != 0 ? kinds[i].protocol : 1;
        for (uint8_t protocol = first; protocol <= 2; protocol++) {
            for (int idf_major = 5; idf_major <= 6; idf_major++) {
                assert(count < COURSES_MAX);
                struct course *course = &ret_courses[count++];
                *course = kinds[i];
                course->protocol = protocol;
                course->idf_major = idf_major;
                snprintf(course->name, sizeof(course->name), "%.24s-p%d-v%d",
                         kinds[i].name, protocol, idf_major);
            }
        }
    }
    return count;
}
