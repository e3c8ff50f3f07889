/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the virtual board, kept with small firmware of tests/firmware. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "board_fixture.h"

static void statics_are_as_loaded_after_every_reset(void **state)
{
    (void)state;
    struct board_fixture *fixture = board_new(&(struct board_options){0});
    board_run(fixture, 2000);
    assert_true(board_count(fixture, "version 1.0.0 boot 1") >= 3);
    assert_false(board_logged(fixture, "boot 2"));
    board_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statics_are_as_loaded_after_every_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
