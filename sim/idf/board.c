/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A board's life: power, boot loader, firmware, reset, and the way to its radio. */
#include "sim/idf/board.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/idf/internal.h"
#include "sim/image/image.h"

/* From reset to the boot loader, and from there to app_main, beside what both read. */
#define ROM_US     10000u
#define STARTUP_US 20000u
/* A chip that finds nothing to boot resets and tries again, for ever. */
#define NOTHING_BOOTS_US 300000u

/* A power that goes between two operations tears nothing. */
#define ALL_OVER UINT64_MAX

static void start_firmware(void *context);
static void boot(sim_board_t *board, int reset_reason);

sim_board_t *sim_board_new(const struct sim_board_config *config)
{
    assert(config->ops != NULL && config->chip != NULL && config->firmware_dir != NULL);
    sim_board_t *board = sim_arena_alloc(config->arena, sizeof(*board));
    board->config = *config;
    board->power = SIM_POWER_OFF;
    board->phase.context = board;
    return board;
}

static void boot_log(void *context, const char *line)
{
    sim_board_t *board = context;
    if (board->config.ops->log != NULL) {
        board->config.ops->log(board->config.context, line);
    }
}

static void set_radio(sim_board_t *board, bool on)
{
    if (board->config.ops->hci_power != NULL) {
        board->config.ops->hci_power(board->config.context, on);
    }
}

void *sim_runtime_part(sim_board_t *board, enum sim_runtime_part part, size_t size)
{
    struct sim_part *at = &board->parts[part];
    if (at->memory == NULL) {
        at->memory = sim_arena_alloc(board->config.arena, size);
        at->size = size;
    }
    assert(at->size == size);
    return at->memory;
}

static void clear_parts(sim_board_t *board)
{
    for (size_t i = 0; i < SIM_PART_COUNT; i++) {
        struct sim_part *part = &board->parts[i];
        if (part->memory == NULL) {
            continue;
        }
        memset(part->memory, 0, part->size);
    }
}

/* RAM, tasks and everything that ran are gone. */
static void forget_ram(sim_board_t *board)
{
    sim_console_flush(board);
    sim_scheduler_clear(board);
    sim_watchdogs_clear(board);
    sim_behaviour_clear(board);
    sim_loop_cancel(board->config.loop, &board->phase);
    clear_parts(board);
    board->hci_receive = NULL;
    board->hci_refused = false;
    board->hci_full = false;
    board->isr_depth = 0;
    board->pending = SIM_PENDING_NONE;
    board->shutdown_count = 0;
    board->pins = 0;
    board->pins_out = 0;
    board->firmware = NULL;
    board->behaviour = SIM_GOOD;
}

static const char *reason_name(int reason)
{
    switch ((esp_reset_reason_t)reason) {
    case ESP_RST_POWERON:
        return "power on";
    case ESP_RST_EXT:
        return "reset pin";
    case ESP_RST_SW:
        return "software";
    case ESP_RST_PANIC:
        return "panic";
    case ESP_RST_TASK_WDT:
        return "task watchdog";
    case ESP_RST_WDT:
        return "RTC watchdog";
    case ESP_RST_UNKNOWN:
    case ESP_RST_INT_WDT:
    case ESP_RST_DEEPSLEEP:
    case ESP_RST_BROWNOUT:
    case ESP_RST_SDIO:
    case ESP_RST_USB:
    case ESP_RST_JTAG:
    case ESP_RST_EFUSE:
    case ESP_RST_PWR_GLITCH:
    case ESP_RST_CPU_LOCKUP:
        break;
    }
    return "unknown";
}

static void nothing_boots(void *context)
{
    boot(context, ESP_RST_SW);
}

static void boot(sim_board_t *board, int reset_reason)
{
    char line[64];
    board->power = SIM_POWER_BOOTING;
    board->reset_reason = reset_reason;
    board->boots++;
    sim_scheduler_init(board);
    sim_watchdogs_boot(board);
    snprintf(line, sizeof(line), "ESP-ROM: reset by %s", reason_name(reset_reason));
    boot_log(board, line);
    sim_boot_run(board->config.chip, boot_log, board, &board->boot);
    board->stall_from_us = sim_now_us(board) + ROM_US;
    if (board->boot.cut) {
        sim_board_power(board, false);
        return;
    }
    board->phase.fire = board->boot.booted ? start_firmware : nothing_boots;
    uint64_t us = board->boot.took_us + ROM_US;
    us += board->boot.booted ? STARTUP_US : NOTHING_BOOTS_US;
    sim_loop_after(board->config.loop, &board->phase, us);
}

static enum sim_behaviour behaviour_named(const char *name)
{
    static const char *const names[] = {
        [SIM_GOOD] = "good",
        [SIM_CRASH] = "crash",
        [SIM_HANG_EARLY] = "hang-early",
        [SIM_HANG_SPIN] = "hang-spin",
        [SIM_HANG_TASK] = "hang-task",
        [SIM_SELFTEST] = "selftest",
        [SIM_NO_RADIO] = "no-radio",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            return (enum sim_behaviour)i;
        }
    }
    return SIM_GOOD;
}

/* Which firmware the image stands for, and how it shall fail. */
static const struct sim_firmware_info *load_firmware(sim_board_t *board)
{
    const uint8_t *image =
        sim_flash_bytes(board->config.chip->flash) + board->boot.offset;
    struct sim_image_marker marker;
    char name[sizeof(marker.firmware) + 1];
    memcpy(board->descriptor, image + 32, sizeof(board->descriptor));
    snprintf(name, sizeof(name), "%s", board->config.firmware_default);
    if (sim_image_find_marker(image, board->boot.image_size, &marker)) {
        snprintf(name, sizeof(name), "%.*s", (int)sizeof(marker.firmware),
                 marker.firmware);
        char behaviour[sizeof(marker.behaviour) + 1];
        snprintf(behaviour, sizeof(behaviour), "%.*s", (int)sizeof(marker.behaviour),
                 marker.behaviour);
        board->behaviour = behaviour_named(behaviour);
    }
    return sim_module_start(board, name);
}

static void start_firmware(void *context)
{
    sim_board_t *board = context;
    sim_flash_settle(board->config.chip->flash);
    board->boot_us = sim_now_us(board);
    board->firmware = load_firmware(board);
    if (board->firmware == NULL) {
        return; /* as a chip that crashes early: the RTC watchdog resets it */
    }
    board->power = SIM_POWER_RUNNING;
    sim_heap_init(board);
    sim_console_init(board);
    sim_partitions_load(board);
    sim_watchdogs_app(board);
    sim_behaviour_start(board);
    set_radio(board, true);
    sim_scheduler_kick(board);
}

static void lose_power(sim_board_t *board, uint64_t elapsed_us)
{
    sim_flash_power_off(board->config.chip->flash, elapsed_us);
    forget_ram(board);
    board->power = SIM_POWER_OFF;
    boot_log(board, "power lost");
    set_radio(board, false);
}

static uint64_t flash_elapsed_us(const sim_board_t *board)
{
    uint64_t now_us = sim_now_us(board);
    if (board->power == SIM_POWER_BOOTING) {
        return now_us > board->stall_from_us ? now_us - board->stall_from_us : 0;
    }
    return board->stalled ? now_us - board->stall_from_us : ALL_OVER;
}

void sim_board_power(sim_board_t *board, bool on)
{
    assert(!sim_in_task(board));
    if (on == (board->power != SIM_POWER_OFF)) {
        return;
    }
    if (!on) {
        lose_power(board, flash_elapsed_us(board));
        return;
    }
    sim_flash_power_on(board->config.chip->flash);
    boot(board, board->config.first_reset_reason != 0 && board->boots == 0
                    ? board->config.first_reset_reason
                    : ESP_RST_POWERON);
}

bool sim_board_powered(const sim_board_t *board)
{
    return board->power != SIM_POWER_OFF;
}

static void reset(sim_board_t *board, int reason)
{
    sim_flash_settle(board->config.chip->flash);
    forget_ram(board);
    set_radio(board, false);
    board->power = SIM_POWER_OFF;
    if (board->config.ops->restart != NULL) {
        board->config.ops->restart(board->config.context, reason);
        return;
    }
    boot(board, reason);
}

void sim_board_reset(sim_board_t *board)
{
    assert(!sim_in_task(board));
    if (board->power != SIM_POWER_OFF) {
        reset(board, ESP_RST_EXT);
    }
}

void sim_board_request_reset(sim_board_t *board, int reason)
{
    if (board->pending == SIM_PENDING_NONE) {
        board->pending = SIM_PENDING_RESET;
        board->pending_reason = reason;
    }
    if (sim_in_task(board)) {
        sim_task_leave(board);
    }
    if (board->power == SIM_POWER_BOOTING) {
        reset(board, reason); /* the scheduler, which would do it, is not up yet */
    } else {
        sim_scheduler_kick(board);
    }
}

void sim_board_request_cut(sim_board_t *board)
{
    board->pending = SIM_PENDING_CUT;
    if (sim_in_task(board)) {
        sim_task_leave(board);
    }
}

void sim_board_carry_out(sim_board_t *board)
{
    enum sim_pending pending = board->pending;
    board->pending = SIM_PENDING_NONE;
    switch (pending) {
    case SIM_PENDING_NONE:
        break;
    case SIM_PENDING_RESET:
        reset(board, board->pending_reason);
        break;
    case SIM_PENDING_CUT:
        lose_power(board, ALL_OVER);
        break;
    }
}

const char *sim_board_running(const sim_board_t *board)
{
    return board->power == SIM_POWER_RUNNING ? board->boot.label : NULL;
}

enum sim_behaviour sim_board_behaviour(const sim_board_t *board)
{
    return board->behaviour;
}

uint32_t sim_board_boots(const sim_board_t *board)
{
    return board->boots;
}

sim_chip_t *sim_board_chip(sim_board_t *board)
{
    return board->config.chip;
}

void sim_board_stats(const sim_board_t *board, struct sim_board_stats *ret_stats)
{
    *ret_stats = (struct sim_board_stats){
        .heap_free_bytes = board->heap.free_bytes,
        .heap_minimum_free_bytes = board->heap.minimum_free_bytes,
        .allocations = board->heap.allocations,
        .host_task_flash_calls = board->host_task_flash_calls,
        .reset_reason = board->reset_reason,
    };
}

/* HCI */

bool sim_board_hci_input(sim_board_t *board, const uint8_t *packet, size_t size)
{
    if (board->power != SIM_POWER_RUNNING || board->hci_receive == NULL) {
        return true; /* nobody listens: lost */
    }
    bool taken = false;
    if (!board->stalled && !sim_in_task(board) && sim_runtime_enter(board)) {
        taken = board->hci_receive(board->hci_context, packet, size);
        board->hci_full = !taken;
        sim_runtime_leave(board);
    }
    board->hci_refused = board->hci_refused || !taken;
    return taken;
}

void sim_runtime_on_hci(sim_board_t *board,
                        bool (*receive)(void *context, const uint8_t *packet,
                                        size_t size),
                        void *context)
{
    board->hci_receive = receive;
    board->hci_context = context;
    sim_runtime_hci_room(board);
}

void sim_runtime_hci_send(sim_board_t *board, const uint8_t *packet, size_t size)
{
    if (board->behaviour != SIM_NO_RADIO && board->config.ops->hci_send != NULL) {
        board->config.ops->hci_send(board->config.context, packet, size);
    }
}

void sim_runtime_hci_room(sim_board_t *board)
{
    board->hci_full = false;
    /* Told between fibres, as the controller may hand its packets over at once. */
    if (board->hci_refused) {
        sim_scheduler_kick(board);
    }
}

void *sim_runtime_malloc(size_t size)
{
    return sim_heap_alloc(sim_board_now(), size);
}

void sim_runtime_free(void *memory)
{
    sim_heap_free(sim_board_now(), memory);
}
