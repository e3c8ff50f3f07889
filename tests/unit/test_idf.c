/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the virtual board, kept with the small firmware of tests/firmware/kernel:
 * the image's version names the scenario that it runs, and what is wrong it reports
 * itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board_fixture.h"

#define SCENARIO(promise, version, timing)   \
    static void promise(void **state)        \
    {                                        \
        (void)state;                         \
        board_run_scenario(version, timing); \
    }

SCENARIO(higher_tasks_run_as_soon_as_they_are_ready, "priorities", NULL)
SCENARIO(equal_tasks_take_turns_at_yields, "round_robin", NULL)
SCENARIO(equal_tasks_share_a_busy_wait_tick_by_tick, "slices", NULL)
SCENARIO(notifications_arrive_once_and_in_order, "notify", NULL)
SCENARIO(ended_tasks_leave_room_for_others, "many_tasks", NULL)
SCENARIO(queues_keep_order_and_bounds, "queues", NULL)
SCENARIO(a_mutex_lends_its_waiters_priority, "mutex", NULL)
SCENARIO(event_groups_wake_all_that_have_their_bits, "events", NULL)
SCENARIO(delays_are_exact, "delays", NULL)
SCENARIO(esp_timers_fire_to_the_microsecond, "esp_timers", NULL)
SCENARIO(software_timers_fire_on_ticks, "soft_timers", NULL)
SCENARIO(polling_a_clock_comes_to_an_end, "polling", NULL)
SCENARIO(the_heap_is_bounded_and_whole_again_after_free, "heap", NULL)
SCENARIO(partitions_behave_as_flash, "partitions", "typical")
SCENARIO(a_flash_command_stops_every_task, "stall", "typical")
SCENARIO(nvs_keeps_values_over_a_restart, "nvs", NULL)
SCENARIO(nvs_keeps_what_it_has_when_it_is_full, "nvs_full", NULL)
SCENARIO(esp_ota_calls_fail_as_on_the_chip, "ota_errors", NULL)

static void statics_are_as_loaded_after_every_reset(void **state)
{
    (void)state;
    struct board_fixture *fixture =
        board_new(&(struct board_options){.version = "boots"});
    board_run(fixture, 2000);
    assert_true(board_count(fixture, "version boots boot 1 reason 3") >= 3);
    assert_false(board_logged(fixture, "boot 2"));
    assert_int_equal(board_count(fixture, "reset by power on"), 1);
    board_free(fixture);
}

static void rtc_memory_outlives_a_reset_but_not_the_power(void **state)
{
    (void)state;
    struct board_options options = {.version = "rtc_memory"};
    struct board_fixture *fixture = board_new(&options);
    board_run(fixture, 1000);
    assert_true(board_logged(fixture, "kept 4711 lost 1"));
    sim_board_power(fixture->board, false);
    board_run(fixture, 100);
    assert_false(sim_board_powered(fixture->board));
    assert_null(sim_board_running(fixture->board));
    sim_board_power(fixture->board, true);
    board_run(fixture, 1000);
    assert_int_equal(board_count(fixture, "kept is noise: yes"), 2);
    board_free(fixture);
}

/* A scenario that ends in a crash: the line that tells, and the reason of the reset. */
static void crashes(const char *version, const char *line, int reason)
{
    char booted[64];
    snprintf(booted, sizeof(booted), "version %s boot 1 reason %d", version, reason);
    struct board_options options = {.firmware = "kernel_watched", .version = version};
    struct board_fixture *fixture = board_new(&options);
    board_run_until(fixture, line, 120000);
    board_run_until(fixture, booted, 1000);
    board_free(fixture);
}

static void a_crash_resets_the_board_and_says_why(void **state)
{
    (void)state;
    crashes("abort", "abort() was called on core 0, task main", 4);
    crashes("assert", "(three == 4)", 4);
    crashes("error_check", "ESP_ERROR_CHECK failed: esp_err_t 0x101 (ESP_ERR_NO_MEM)", 4);
    crashes("return", "FreeRTOS Task \"returner\" should not return", 4);
    crashes("block_in_critical", "task main blocks inside a critical section", 4);
    crashes("double_free", "CORRUPT HEAP", 4);
    crashes("overwrite_running", "would break what runs", 4);
}

static void the_task_watchdog_ends_whoever_starves_the_idle_task(void **state)
{
    (void)state;
    crashes("spin", "task_wdt:  - IDLE (CPU 0)", 6);
    crashes("lazy_user", "task_wdt:  - main", 6);
    struct board_options options = {.firmware = "kernel_watched", .version = "fed"};
    struct board_fixture *fixture = board_new(&options);
    /* The boot loader's watchdog, which this firmware does not feed, is another matter.
     */
    board_run(fixture, 8900);
    assert_false(board_logged(fixture, "task_wdt"));
    board_free(fixture);
    options.firmware = "kernel";
    fixture = board_new(&options);
    board_run_until(fixture, "done fed", 60000);
    assert_false(board_logged(fixture, "task_wdt"));
    board_assert_no_failure(fixture);
    board_free(fixture);
    /* Without the panic it only complains, again and again. */
    options.version = "spin";
    fixture = board_new(&options);
    board_run(fixture, 16000);
    assert_int_equal(board_count(fixture, "task_wdt:  - IDLE"), 3);
    assert_int_equal(sim_board_boots(fixture->board), 1);
    board_free(fixture);
}

static void the_rtc_watchdog_guards_until_it_is_turned_off(void **state)
{
    (void)state;
    struct board_options options = {.firmware = "kernel_watched",
                                    .version = "rtc_watchdog"};
    struct board_fixture *fixture = board_new(&options);
    board_run_until(fixture, "watchdog forgotten", 100000);
    board_assert_no_failure(fixture);
    assert_int_equal(sim_board_boots(fixture->board), 1);
    uint64_t begin_us = sim_loop_now_us(fixture->loop);
    board_run_until(fixture, "RTCWDT_RTC_RESET", 21000);
    assert_in_range(sim_loop_now_us(fixture->loop) - begin_us, 19999000, 20001000);
    board_run_until(fixture, "version rtc_watchdog boot 1 reason 7", 1000);
    board_free(fixture);
}

struct behaviour_case {
    const char *behaviour;
    const char *version;
    const char *line; /* that the board writes */
    uint32_t at_ms_min;
    uint32_t at_ms_max;
};

static void images_fail_the_way_their_marker_says(void **state)
{
    (void)state;
    static const struct behaviour_case cases[] = {
        {"crash", "1.0.0", "reset by panic", 100, 150},
        {"hang-early", "1.0.0", "reset by RTC watchdog", 8900, 9100},
        {"hang-spin", "1.0.0", "reset by task watchdog", 5900, 6100},
        {"hang-task", "pin", "reset by RTC watchdog", 8900, 9100},
        {"selftest", "pin", "pin reads 0", 0, 100},
        {"good", "pin", "pin reads 1", 0, 100},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct board_options options = {.firmware = "kernel_watched",
                                        .version = cases[i].version,
                                        .behaviour = cases[i].behaviour};
        struct board_fixture *fixture = board_new(&options);
        board_run_until(fixture, cases[i].line, 20000);
        assert_in_range(sim_loop_now_us(fixture->loop) / 1000, cases[i].at_ms_min,
                        cases[i].at_ms_max);
        bool starts = strcmp(cases[i].behaviour, "hang-early") != 0;
        assert_int_equal(board_logged(fixture, "version "), starts);
        board_free(fixture);
    }
}

static void a_dead_radio_is_never_spoken_to(void **state)
{
    (void)state;
    static const char *const behaviours[] = {"good", "no-radio"};
    for (size_t i = 0; i < 2; i++) {
        struct board_options options = {.firmware = "nimble", .behaviour = behaviours[i]};
        struct board_fixture *fixture = board_new(&options);
        board_run(fixture, 500);
        assert_int_equal(fixture->hci_packets > 0, i == 0);
        board_free(fixture);
    }
}

/* fw_foreign is made by the commands of docs/foreign-firmware.md. */
static void firmware_built_as_documented_runs(void **state)
{
    (void)state;
    static const char *const modules[] = {"foreign", "foreign_sdkconfig"};
    for (size_t i = 0; i < 2; i++) {
        struct board_fixture *fixture =
            board_new(&(struct board_options){.firmware = modules[i]});
        board_run_until(fixture, "running from factory", 1000);
        assert_true(fixture->hci_packets > 0);
        board_free(fixture);
    }
}

static void flash_commands_take_the_time_of_the_chip(void **state)
{
    (void)state;
    static const char *const lines[2][3] = {
        {"sector 45000", "block 150000", "write 55300"},
        {"sector 400000", "block 2000000", "write 237000"},
    };
    static const char *const timings[] = {"typical", "worst"};
    for (size_t i = 0; i < 2; i++) {
        struct board_options options = {.version = "erase_times", .timing = timings[i]};
        struct board_fixture *fixture = board_new(&options);
        board_run_until(fixture, "done erase_times", 20000);
        for (size_t j = 0; j < 3; j++) {
            if (!board_logged(fixture, lines[i][j])) {
                fail_msg("no \"%s\":\n%s", lines[i][j], fixture->log);
            }
        }
        board_free(fixture);
    }
}

static void flash_work_in_the_host_task_is_counted_and_forbidden(void **state)
{
    (void)state;
    struct board_options options = {.version = "host_task"};
    struct board_fixture *fixture = board_new(&options);
    board_run_until(fixture, "flash call (erase) in the task nimble_host", 1000);
    board_run_until(fixture, "reset by panic", 1000);
    board_free(fixture);
    options.allow_flash_in_host_task = true;
    fixture = board_new(&options);
    board_run_until(fixture, "done host_task", 1000);
    assert_true(board_logged(fixture, "host task erased"));
    struct sim_board_stats stats;
    sim_board_stats(fixture->board, &stats);
    assert_int_equal(stats.host_task_flash_calls, 1);
    board_free(fixture);
}

static void an_update_runs_on_trial_and_is_confirmed(void **state)
{
    (void)state;
    for (int major = 5; major <= 6; major++) {
        struct board_options options = {
            .version = "ota", .timing = "typical", .idf_major = major};
        struct board_fixture *fixture = board_new(&options);
        board_install(fixture, "ota_1", "kernel", "confirm", NULL);
        board_run_until(fixture, "confirmed", 60000);
        board_run_until(fixture, "done confirm", 10000);
        board_assert_no_failure(fixture);
        assert_int_equal(board_count(fixture, "state 1\n"), 1);
        assert_int_equal(board_count(fixture, "state 2\n"), 1);
        assert_string_equal(sim_board_running(fixture->board), "ota_0");
        board_free(fixture);
    }
}

static void an_update_that_is_not_confirmed_is_rolled_back(void **state)
{
    (void)state;
    struct board_options options = {.version = "ota"};
    struct board_fixture *fixture = board_new(&options);
    board_install(fixture, "ota_1", "kernel_watched", "confirm", "hang-early");
    board_run_until(fixture, "reset by RTC watchdog", 30000);
    board_run_until(fixture, "version ota boot 1 reason 7", 1000); /* *factory* */
    board_free(fixture);
}

static void a_module_that_does_not_exist_is_told_and_reset(void **state)
{
    (void)state;
    struct board_options options = {.firmware = "no_such_module"};
    struct board_fixture *fixture = board_new(&options);
    board_run_until(fixture, "fw_no_such_module.so", 1000);
    board_run_until(fixture, "reset by RTC watchdog", 10000);
    board_free(fixture);
}

static void a_restart_can_be_left_to_whoever_owns_the_process(void **state)
{
    (void)state;
    struct board_options options = {.version = "boots", .restart_outside = true};
    struct board_fixture *fixture = board_new(&options);
    board_run(fixture, 2000);
    assert_int_equal(fixture->restarts, 3);
    assert_int_equal(sim_board_boots(fixture->board), 1);
    assert_false(sim_board_powered(fixture->board));
    board_free(fixture);
}

static void the_reset_button_restarts_in_the_middle_of_an_erase(void **state)
{
    (void)state;
    struct board_options options = {.version = "erase_times", .timing = "worst"};
    struct board_fixture *fixture = board_new(&options);
    board_run(fixture, 1500); /* inside the block erase */
    sim_board_reset(fixture->board);
    board_run_until(fixture, "version erase_times boot 1 reason 2", 1000);
    board_run_until(fixture, "done erase_times", 20000);
    board_free(fixture);
}

/* The log of a run from a point on is the same every time it is run from there. */
static void snapshots_replay_to_the_same_log(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct board_options options = {
            .version = "churn", .seed = seed, .preempt = seed % 2 == 0};
        struct board_fixture *fixture = board_new(&options);
        board_run(fixture, 45);
        sim_snapshot_t *snapshot = sim_arena_snapshot(fixture->arena);
        board_run_until(fixture, "done churn", 10000);
        char *first = strdup(fixture->log);
        uint64_t end_us = sim_loop_now_us(fixture->loop);
        for (int i = 0; i < 3; i++) {
            sim_arena_restore(fixture->arena, snapshot);
            assert_false(board_logged(fixture, "done churn"));
            board_run_until(fixture, "done churn", 10000);
            assert_string_equal(fixture->log, first);
            assert_int_equal(sim_loop_now_us(fixture->loop), end_us);
        }
        free(first);
        sim_snapshot_free(snapshot);
        board_free(fixture);
    }
}

static void seeded_switches_change_the_order_and_nothing_else(void **state)
{
    (void)state;
    char *logs[3];
    for (int i = 0; i < 3; i++) {
        struct board_options options = {.version = "churn", .seed = 5, .preempt = i > 0};
        struct board_fixture *fixture = board_new(&options);
        board_run_until(fixture, "done churn", 10000);
        assert_int_equal(board_count(fixture, "churn "), 81);
        logs[i] = strdup(fixture->log);
        board_free(fixture);
    }
    assert_string_equal(logs[1], logs[2]);
    assert_string_not_equal(logs[0], logs[1]);
    for (int i = 0; i < 3; i++) {
        free(logs[i]);
    }
}

/* What the board said last with this word in front of a number. */
static int last_number(const struct board_fixture *fixture, const char *word)
{
    int number = -1;
    const char *at = fixture->log;
    while ((at = strstr(at, word)) != NULL) {
        at += strlen(word);
        number = atoi(at);
    }
    return number;
}

static uint64_t operations(const struct board_fixture *fixture)
{
    struct sim_flash_stats stats;
    sim_flash_stats(fixture->flash, &stats);
    return stats.operations;
}

static void cut_nvs(struct board_fixture *fixture, uint64_t operation, uint32_t variant)
{
    sim_flash_cut_at(fixture->flash, operation, variant);
    board_run(fixture, 1000);
    assert_false(sim_board_powered(fixture->board));
    int wrote = last_number(fixture, "wrote ");
    sim_flash_cut_at(fixture->flash, SIM_FLASH_NEVER, 0);
    fixture->log[0] = '\0';
    sim_board_power(fixture->board, true);
    board_run(fixture, 1000);
    int read = last_number(fixture, "read ");
    wrote = wrote < 0 ? 0 : wrote;
    if (read < wrote || read > wrote + 1 || !board_logged(fixture, "done nvs_churn") ||
        board_logged(fixture, "FAIL")) {
        fail_msg("cut at operation %u, variant %u: wrote %d\n%s", (unsigned)operation,
                 variant, wrote, fixture->log);
    }
}

static void nvs_loses_nothing_to_a_cut_at_any_operation(void **state)
{
    (void)state;
    struct board_fixture *fixture =
        board_new(&(struct board_options){.version = "nvs_churn", .seed = 11});
    sim_snapshot_t *snapshot = sim_arena_snapshot(fixture->arena);
    board_run_until(fixture, "done nvs_churn", 1000);
    board_assert_no_failure(fixture);
    uint64_t count = operations(fixture);
    assert_true(count > 130);
    for (uint64_t operation = 0; operation < count; operation++) {
        uint32_t variants[] = {0, 1, 2 + (uint32_t)operation};
        for (size_t i = 0; i < 3; i++) {
            sim_arena_restore(fixture->arena, snapshot);
            cut_nvs(fixture, operation, variants[i]);
        }
    }
    sim_snapshot_free(snapshot);
    board_free(fixture);
}

static uint32_t crc32(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xEDB88320u : 0);
        }
    }
    return ~crc;
}

/* What nvs_flash_init answers when the four pages begin with these versions (0: garbage).
 */
static void expect_mount(const uint32_t versions[4], const char *answer)
{
    struct board_options options = {.version = "nvs_mount"};
    struct board_fixture *fixture = board_new(&options);
    for (uint32_t page = 0; page < 4; page++) {
        uint32_t header[5] = {0x53564E55u, versions[page], page + 1, UINT32_MAX};
        header[4] = versions[page] != 0 ? crc32((const uint8_t *)header, 16) : 0;
        sim_flash_load(fixture->flash, 0x9000 + page * SIM_FLASH_SECTOR, header,
                       sizeof(header));
    }
    char line[64];
    snprintf(line, sizeof(line), "init %s\n", answer);
    board_run_until(fixture, line, 1000);
    board_free(fixture);
}

static void nvs_tells_when_its_partition_must_be_erased(void **state)
{
    (void)state;
    expect_mount((const uint32_t[4]){1, 1, 1, 1}, "ESP_ERR_NVS_NO_FREE_PAGES");
    expect_mount((const uint32_t[4]){1, 2, 0, 0}, "ESP_ERR_NVS_NEW_VERSION_FOUND");
    expect_mount((const uint32_t[4]){0, 0, 0, 0}, "ESP_OK");
    expect_mount((const uint32_t[4]){1, 0, 1, 1}, "ESP_OK");
}

/* The power goes while the board waits for its flash, at every millisecond of an update:
 * it boots something whole each time. */
static void power_may_go_at_any_time_of_an_update(void **state)
{
    (void)state;
    unsigned updated = 0;
    for (uint64_t ms = 20; ms < 6000; ms += 83) {
        struct board_options options = {
            .version = "ota", .timing = "typical", .seed = ms};
        struct board_fixture *fixture = board_new(&options);
        board_install(fixture, "ota_1", "kernel", "confirm", NULL);
        board_run(fixture, ms);
        sim_board_power(fixture->board, false);
        board_run(fixture, 50);
        sim_board_power(fixture->board, true);
        board_run(fixture, 300);
        assert_non_null(sim_board_running(fixture->board));
        updated += strcmp(sim_board_running(fixture->board), "ota_0") == 0;
        board_free(fixture);
    }
    assert_true(updated < 72);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(higher_tasks_run_as_soon_as_they_are_ready),
        cmocka_unit_test(equal_tasks_take_turns_at_yields),
        cmocka_unit_test(equal_tasks_share_a_busy_wait_tick_by_tick),
        cmocka_unit_test(notifications_arrive_once_and_in_order),
        cmocka_unit_test(ended_tasks_leave_room_for_others),
        cmocka_unit_test(queues_keep_order_and_bounds),
        cmocka_unit_test(a_mutex_lends_its_waiters_priority),
        cmocka_unit_test(event_groups_wake_all_that_have_their_bits),
        cmocka_unit_test(delays_are_exact),
        cmocka_unit_test(esp_timers_fire_to_the_microsecond),
        cmocka_unit_test(software_timers_fire_on_ticks),
        cmocka_unit_test(polling_a_clock_comes_to_an_end),
        cmocka_unit_test(the_heap_is_bounded_and_whole_again_after_free),
        cmocka_unit_test(partitions_behave_as_flash),
        cmocka_unit_test(a_flash_command_stops_every_task),
        cmocka_unit_test(flash_commands_take_the_time_of_the_chip),
        cmocka_unit_test(flash_work_in_the_host_task_is_counted_and_forbidden),
        cmocka_unit_test(statics_are_as_loaded_after_every_reset),
        cmocka_unit_test(rtc_memory_outlives_a_reset_but_not_the_power),
        cmocka_unit_test(a_crash_resets_the_board_and_says_why),
        cmocka_unit_test(the_task_watchdog_ends_whoever_starves_the_idle_task),
        cmocka_unit_test(the_rtc_watchdog_guards_until_it_is_turned_off),
        cmocka_unit_test(images_fail_the_way_their_marker_says),
        cmocka_unit_test(a_dead_radio_is_never_spoken_to),
        cmocka_unit_test(firmware_built_as_documented_runs),
        cmocka_unit_test(esp_ota_calls_fail_as_on_the_chip),
        cmocka_unit_test(an_update_runs_on_trial_and_is_confirmed),
        cmocka_unit_test(an_update_that_is_not_confirmed_is_rolled_back),
        cmocka_unit_test(power_may_go_at_any_time_of_an_update),
        cmocka_unit_test(a_module_that_does_not_exist_is_told_and_reset),
        cmocka_unit_test(a_restart_can_be_left_to_whoever_owns_the_process),
        cmocka_unit_test(the_reset_button_restarts_in_the_middle_of_an_erase),
        cmocka_unit_test(snapshots_replay_to_the_same_log),
        cmocka_unit_test(seeded_switches_change_the_order_and_nothing_else),
        cmocka_unit_test(nvs_keeps_values_over_a_restart),
        cmocka_unit_test(nvs_keeps_what_it_has_when_it_is_full),
        cmocka_unit_test(nvs_tells_when_its_partition_must_be_erased),
        cmocka_unit_test(nvs_loses_nothing_to_a_cut_at_any_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
