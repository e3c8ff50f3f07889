/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A board's inside, for the files of this directory only. */
#ifndef SIM_IDF_INTERNAL_H
#define SIM_IDF_INTERNAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_partition.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sim/base/random.h"
#include "sim/idf/board.h"
#include "sim/idf/fibre.h"
#include "sim/idf/firmware_info.h"
#include "sim/idf/runtime.h"

#define SIM_TASKS_MAX     24
#define SIM_HANDLERS_MAX  5
#define SIM_LINE_MAX      256
#define SIM_MODULES_MAX   32
#define SIM_WATCHERS_MAX  16
#define SIM_TAG_LEVELS    16
#define SIM_CYCLES_PER_US 160u
#define SIM_SLOW_CLOCK_HZ 136000u

enum sim_task_state {
    SIM_TASK_FREE,
    SIM_TASK_READY, /* the one that runs, too */
    SIM_TASK_BLOCKED,
    SIM_TASK_SUSPENDED,
};

/* What FreeRTOS calls a TCB. Lists are kept by order numbers, not by links: there are few
 * tasks, and nothing can dangle. */
struct tskTaskControlBlock {
    enum sim_task_state state;
    char name[configMAX_TASK_NAME_LEN];
    unsigned priority;
    unsigned base_priority; /* without what a mutex lends */
    unsigned mutexes_held;
    uint64_t order;         /* of becoming ready, or of beginning to wait */
    const void *waiting_on; /* NULL: for time only */
    void *wait_data;        /* what event_group.c knows of the wait */
    bool woken;             /* by what it waited for, not by its timeout */
    sim_event_t timeout;
    uint64_t busy_until_us; /* in esp_rom_delay_us */
    uint32_t notify_value;
    bool notify_pending;
    TaskFunction_t entry;
    void *argument;
    uint32_t declared_stack;
    void *heap_block; /* what the declared stack took */
    sim_board_t *board;
    struct sim_fibre fibre;
};

enum sim_power {
    SIM_POWER_OFF,
    SIM_POWER_BOOTING, /* ROM, boot loader, ESP-IDF's startup */
    SIM_POWER_RUNNING,
};

/* A change that must wait until the fibre that asked for it is left. */
enum sim_pending {
    SIM_PENDING_NONE,
    SIM_PENDING_RESET,
    SIM_PENDING_CUT,
};

struct sim_tag_level {
    char tag[20];
    int level;
};

struct sim_watcher {
    bool used;
    bool fed;
    TaskHandle_t task; /* NULL: a user by name */
    char name[16];
};

struct sim_task_watchdog {
    bool on;
    bool panic;
    bool watch_idle;
    bool idle_fed;
    uint32_t timeout_ms;
    uint64_t deadline_us;
    sim_event_t event;
    struct sim_watcher watchers[SIM_WATCHERS_MAX];
};

struct sim_rtc_watchdog {
    bool on;
    bool unprotected;
    uint64_t timeout_us;
    uint64_t deadline_us;
    sim_event_t event;
};

struct sim_console {
    char line[SIM_LINE_MAX];
    size_t used;
    struct sim_tag_level levels[SIM_TAG_LEVELS];
    size_t level_count;
    int default_level;
    int (*print)(const char *, va_list);
};

struct sim_heap {
    uint8_t *base;
    size_t size;
    size_t free_bytes;
    size_t minimum_free_bytes;
    uint64_t allocations; /* since boot, successful ones */
    bool ready;
};

/* What a part of the runtime keeps in the board's RAM. */
struct sim_part {
    void *memory;
    size_t size;
};

struct sim_board {
    struct sim_board_config config;
    enum sim_power power;
    enum sim_behaviour behaviour;
    enum sim_pending pending;
    int pending_reason;
    int reset_reason;
    uint32_t boots;
    uint64_t boot_us; /* when the firmware's clock was 0 */
    struct sim_boot_result boot;
    sim_event_t phase; /* the next step of booting */
    const struct sim_firmware_info *firmware;
    int module_index;
    uint32_t modules_registered; /* bits: statics known to the arena */

    /* Scheduler */
    sim_event_t run;
    jmp_buf driver;
    struct sim_fibre_host fibre_host;
    TaskHandle_t current;
    unsigned isr_depth; /* the loop is in the firmware without a fibre */
    TaskHandle_t locked_by;
    unsigned lock_depth; /* critical sections and vTaskSuspendAll */
    uint64_t order;
    uint64_t stall_until_us;
    uint64_t stall_from_us;
    bool stalled;
    bool idle; /* no task has run since all had nothing to do */
    TaskHandle_t slice_task;
    uint64_t slice_us;
    uint64_t spin_us;
    unsigned spin_count;
    bool detour;
    sim_random_t random;
    struct tskTaskControlBlock tasks[SIM_TASKS_MAX];

    /* HCI */
    bool (*hci_receive)(void *context, const uint8_t *packet, size_t size);
    void *hci_context;
    bool hci_refused; /* the controller waits to be told of room */
    bool hci_full;    /* the receiver has none, until it says so */

    struct sim_heap heap;
    struct sim_console console;
    struct sim_task_watchdog task_watchdog;
    struct sim_rtc_watchdog rtc_watchdog;
    void (*shutdown[SIM_HANDLERS_MAX])(void);
    size_t shutdown_count;
    uint64_t pins; /* output levels */
    uint64_t pins_out;
    sim_event_t behaviour_event;
    uint32_t host_task_flash_calls;
    struct sim_part parts[SIM_PART_COUNT];
    esp_partition_t partitions[SIM_PARTITIONS_MAX];
    size_t partition_count;
    _Alignas(16) uint8_t descriptor[256]; /* esp_app_get_description */
};

/* scheduler.c */
/* The board in whose name code runs; aborts with a message when there is none. Every call
 * of the firmware passes here: it is where seeded switches happen and where polling loops
 * are made to take time. */
sim_board_t *sim_api(void);
/* The same without these two effects. */
sim_board_t *sim_board_now(void);
void sim_scheduler_init(sim_board_t *board);
void sim_scheduler_clear(sim_board_t *board);
void sim_scheduler_kick(sim_board_t *board);
bool sim_in_task(const sim_board_t *board);
TaskHandle_t sim_task_new(sim_board_t *board, TaskFunction_t entry, const char *name,
                          void *argument, unsigned priority);
void sim_task_end(sim_board_t *board, TaskHandle_t task);
/* Gives the processor to whoever is due; the caller stays ready, in front of its equals
 * or behind them. */
void sim_task_yield(sim_board_t *board, bool behind_equals);
/* Yields when a task of higher priority is ready. */
void sim_task_reschedule(sim_board_t *board);
/* Blocks the running task until it is woken for `object` or `until_us` comes (UINT64_MAX:
 * never). True: woken. */
bool sim_task_block(sim_board_t *board, const void *object, uint64_t until_us);
void sim_task_make_ready(sim_board_t *board, TaskHandle_t task);
/* Wakes the first of those that wait for `object`: highest priority, then longest wait.
 */
TaskHandle_t sim_task_wake_one(sim_board_t *board, const void *object);
TaskHandle_t sim_task_first_waiting(sim_board_t *board, const void *object);
/* Never returns: the board leaves this fibre for ever. */
void sim_task_leave(sim_board_t *board) __attribute__((noreturn));
void sim_busy_wait(sim_board_t *board, uint64_t us);
/* The whole board stands still for so long (a flash command). */
void sim_stall(sim_board_t *board, uint64_t us);
uint64_t sim_now_us(const sim_board_t *board);
/* Microseconds since boot. */
uint64_t sim_uptime_us(const sim_board_t *board);
TickType_t sim_ticks(const sim_board_t *board);
/* When a wait of so many ticks from now is over; UINT64_MAX for portMAX_DELAY. */
uint64_t sim_ticks_from_now_us(const sim_board_t *board, TickType_t ticks);
void sim_lock(sim_board_t *board);
void sim_unlock(sim_board_t *board);

/* board.c */
/* Ask for a reset or a loss of power; from a task these do not return. */
void sim_board_request_reset(sim_board_t *board, int reason);
void sim_board_request_cut(sim_board_t *board);
/* Called by the scheduler between fibres. */
void sim_board_carry_out(sim_board_t *board);
/* sim_runtime_panic for the board that runs. */
void sim_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* module.c */
/* Loads fw_NAME.so (once per process) and puts its statics back to how they were loaded;
 * RTC memory only at power-on. NULL: no such module; told on the console. */
const struct sim_firmware_info *sim_module_start(sim_board_t *board, const char *name);

/* heap.c */
void sim_heap_init(sim_board_t *board);
void *sim_heap_alloc(sim_board_t *board, size_t size);
void sim_heap_free(sim_board_t *board, void *memory);
size_t sim_heap_largest(const sim_board_t *board);

/* console.c */
void sim_console_init(sim_board_t *board);
void sim_console_text(sim_board_t *board, const char *text);
void sim_console_flush(sim_board_t *board);
int sim_console_print(sim_board_t *board, const char *format, va_list arguments);

/* watchdog.c */
void sim_watchdogs_boot(sim_board_t *board);
void sim_watchdogs_app(sim_board_t *board);
void sim_watchdogs_clear(sim_board_t *board);
void sim_watchdogs_idle(sim_board_t *board);
void sim_watchdogs_task_ended(sim_board_t *board, TaskHandle_t task);

/* spi_flash.c: the driver, called from tasks; time passes. */
esp_err_t sim_spi_flash_read(sim_board_t *board, uint32_t offset, void *bytes,
                             uint32_t size);
esp_err_t sim_spi_flash_write(sim_board_t *board, uint32_t offset, const void *bytes,
                              uint32_t size);
esp_err_t sim_spi_flash_erase(sim_board_t *board, uint32_t offset, uint32_t size);
/* Around a function of sim/chip that does flash work: before it, and after it with its
 * result and time, which becomes a stall. */
void sim_spi_flash_enter(sim_board_t *board, const char *what);
void sim_spi_flash_leave(sim_board_t *board, uint64_t us);

/* partition.c */
void sim_partitions_load(sim_board_t *board);
const esp_partition_t *sim_partition_at(const sim_board_t *board, uint32_t offset);

/* behaviour.c */
void sim_behaviour_start(sim_board_t *board);
void sim_behaviour_clear(sim_board_t *board);

#endif
