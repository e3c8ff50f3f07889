/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Scenarios of this firmware, and how they report. The image's version chooses one. */
#ifndef KERNEL_CHECK_H
#define KERNEL_CHECK_H

#include <stdio.h>

/* Says what is wrong on the console; the test looks for FAIL. */
#define CHECK(condition)                                               \
    do {                                                               \
        if (!(condition)) {                                            \
            printf("FAIL %s:%d %s\n", __func__, __LINE__, #condition); \
        }                                                              \
    } while (0)

#define CHECK_EQUAL(actual, expected)                                                \
    do {                                                                             \
        long long actual_ = (long long)(actual);                                     \
        long long expected_ = (long long)(expected);                                 \
        if (actual_ != expected_) {                                                  \
            printf("FAIL %s:%d %s is %lld, not %lld\n", __func__, __LINE__, #actual, \
                   actual_, expected_);                                              \
        }                                                                            \
    } while (0)

/* Letters in the order in which things happened. */
void mark(char letter);
void check_marks(const char *expected, int line);
#define CHECK_MARKS(expected) check_marks(expected, __LINE__)

/* tasks.c */
void scenario_priorities(void);
void scenario_round_robin(void);
void scenario_slices(void);
void scenario_notify(void);
void scenario_many_tasks(void);
void scenario_churn(void);
/* sync.c */
void scenario_queues(void);
void scenario_mutex(void);
void scenario_events(void);
/* time.c */
void scenario_delays(void);
void scenario_esp_timers(void);
void scenario_soft_timers(void);
void scenario_polling(void);
/* memory.c */
void scenario_heap(void);
void scenario_double_free(void);
void scenario_rtc_memory(void);
/* failures.c */
void scenario_abort(void);
void scenario_assert(void);
void scenario_error_check(void);
void scenario_return(void);
void scenario_block_in_critical(void);
void scenario_spin(void);
void scenario_lazy_user(void);
void scenario_fed(void);
void scenario_rtc_watchdog(void);
void scenario_pin(void);
/* storage.c, values.c */
void scenario_partitions(void);
void scenario_stall(void);
void scenario_erase_times(void);
void scenario_host_task(void);
void scenario_overwrite_running(void);
void scenario_nvs(void);
void scenario_nvs_churn(void);
void scenario_nvs_full(void);
void scenario_nvs_mount(void);
void scenario_ota(void);
void scenario_ota_errors(void);
void scenario_confirm(void);
/* slots.c */
void scenario_select_5(void);
void scenario_select_6(void);
void scenario_bounds(void);
/* calls.c */
void scenario_task_calls(void);
void scenario_static_objects(void);
void scenario_timer_calls(void);
void scenario_shutdown(void);
void scenario_nvs_power(void);

#endif
