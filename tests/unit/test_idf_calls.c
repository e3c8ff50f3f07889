/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * More promises of the virtual board: what esp_ota_* leaves in otadata, bounds, and calls
 * that other people's firmware makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "board_fixture.h"

#define SCENARIO(promise, version, timing)   \
    static void promise(void **state)        \
    {                                        \
        (void)state;                         \
        board_run_scenario(version, timing); \
    }

SCENARIO(nothing_is_written_outside_a_partition, "bounds", NULL)
SCENARIO(tasks_are_suspended_woken_and_notified, "task_calls", NULL)
SCENARIO(objects_live_in_memory_of_the_caller, "static_objects", NULL)
SCENARIO(timers_tell_their_times_and_obey_their_callbacks, "timer_calls", NULL)

static void every_selection_leaves_the_records_of_its_generation(void **state)
{
    (void)state;
    for (int major = 5; major <= 6; major++) {
        const char *version = major == 5 ? "select_5" : "select_6";
        struct board_options options = {
            .version = version, .timing = "typical", .idf_major = major};
        struct board_fixture *fixture = board_new(&options);
        board_install(fixture, "ota_0", "kernel", "first", NULL);
        board_install(fixture, "ota_1", "kernel", "second", NULL);
        board_run_until(fixture, "done select_", 60000);
        board_assert_no_failure(fixture);
        board_free(fixture);
    }
}

static void shutdown_handlers_run_last_first_and_only_at_a_restart(void **state)
{
    (void)state;
    struct board_options options = {.version = "shutdown"};
    struct board_fixture *fixture = board_new(&options);
    board_run_until(fixture, "shutdown: second\nshutdown: first\n", 1000);
    board_run_until(fixture, "done shutdown", 5000);
    assert_int_equal(board_count(fixture, "shutdown: "), 2);
    assert_int_equal(board_count(fixture, "reset by software"), 1);
    assert_int_equal(board_count(fixture, "reset by panic"), 1);
    board_assert_no_failure(fixture);
    board_free(fixture);
}

static void nvs_keeps_a_value_over_a_loss_of_power(void **state)
{
    (void)state;
    struct board_options options = {.version = "nvs_power", .timing = "typical"};
    struct board_fixture *fixture = board_new(&options);
    board_run_until(fixture, "done nvs_power", 5000);
    for (unsigned boot = 1; boot <= 3; boot++) {
        char kept[24];
        fixture->log[0] = '\0';
        sim_board_power(fixture->board, false);
        sim_board_power(fixture->board, true);
        board_run_until(fixture, "done nvs_power", 5000);
        snprintf(kept, sizeof(kept), "kept %u\n", boot);
        assert_true(board_logged(fixture, kept));
        board_assert_no_failure(fixture);
    }
    board_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_selection_leaves_the_records_of_its_generation),
        cmocka_unit_test(nothing_is_written_outside_a_partition),
        cmocka_unit_test(nvs_keeps_a_value_over_a_loss_of_power),
        cmocka_unit_test(tasks_are_suspended_woken_and_notified),
        cmocka_unit_test(objects_live_in_memory_of_the_caller),
        cmocka_unit_test(timers_tell_their_times_and_obey_their_callbacks),
        cmocka_unit_test(shutdown_handlers_run_last_first_and_only_at_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
