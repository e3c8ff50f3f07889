/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * As much of cmocka as the engine's tests use, for architectures that have no cmocka: the
 * first assertion that fails ends the program. */
#ifndef TESTS_PORTABLE_CMOCKA_H
#define TESTS_PORTABLE_CMOCKA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state);
    int (*teardown_func)(void **state);
    void *initial_state;
};

#define fail_msg(...)                                                              \
    (fprintf(stderr, "%s:%d: ", __FILE__, __LINE__), fprintf(stderr, __VA_ARGS__), \
     fputc('\n', stderr), exit(1))
#define HOLDS_(condition, text) ((condition) ? (void)0 : fail_msg("%s", (text)))
#define assert_true(c)          HOLDS_((c), #c)
#define assert_false(c)         HOLDS_(!(c), "not " #c)
#define assert_null(p)          HOLDS_((p) == NULL, #p " is NULL")
#define assert_non_null(p)      HOLDS_((p) != NULL, #p " is not NULL")
/* As in cmocka, both sides are compared in the widest type. */
#define assert_int_equal(a, b) HOLDS_((uintmax_t)(a) == (uintmax_t)(b), #a " is " #b)
#define assert_int_not_equal(a, b) \
    HOLDS_((uintmax_t)(a) != (uintmax_t)(b), #a " is not " #b)
#define assert_in_range(v, low, high)                                                 \
    HOLDS_((uintmax_t)(v) >= (uintmax_t)(low) && (uintmax_t)(v) <= (uintmax_t)(high), \
           #v " is in range")
#define assert_memory_equal(a, b, size) \
    HOLDS_(memcmp((a), (b), (size)) == 0, #a " is " #b)
#define assert_string_equal(a, b)     HOLDS_(strcmp((a), (b)) == 0, #a " is " #b)
#define assert_string_not_equal(a, b) HOLDS_(strcmp((a), (b)) != 0, #a " is not " #b)
#define print_message(...)            printf(__VA_ARGS__)

#define cmocka_unit_test(f)     \
    {                           \
#f, f, NULL, NULL, NULL \
    }
#define cmocka_unit_test_setup(f, setup) \
    {                                    \
#f, f, setup, NULL, NULL         \
    }
#define cmocka_run_group_tests(tests, setup, teardown) \
    run_group((tests), sizeof(tests) / sizeof((tests)[0]), (setup), (teardown))

static inline int run_group(const struct CMUnitTest *tests, size_t count,
                            int (*setup)(void **state), int (*teardown)(void **state))
{
    void *group = NULL;
    if (setup != NULL && setup(&group) != 0) {
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        void *state = tests[i].initial_state;
        printf("%s\n", tests[i].name);
        fflush(stdout);
        if (tests[i].setup_func != NULL && tests[i].setup_func(&state) != 0) {
            return 1;
        }
        tests[i].test_func(&state);
    }
    return teardown != NULL ? teardown(&group) : 0;
}

#endif
