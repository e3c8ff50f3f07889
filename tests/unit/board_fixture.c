/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A board alone under a virtual clock, for tests. */
#include "board_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/image/image.h"

#define ARENA_SIZE (48u << 20)
#define FLASH_SIZE (4u << 20)
#define IMAGE_MAX  (64u << 10)

static void on_log(void *context, const char *line)
{
    struct board_fixture *fixture = context;
    size_t used = strlen(fixture->log);
    if (used + strlen(line) + 2 >= BOARD_LOG_SIZE) {
        fail_msg("the log is full; its end:\n%s", fixture->log + used - 2000);
    }
    sprintf(fixture->log + used, "%s\n", line);
}

static void on_hci_send(void *context, const uint8_t *packet, size_t size)
{
    (void)packet;
    (void)size;
    ((struct board_fixture *)context)->hci_packets++;
}

static void on_hci_room(void *context)
{
    ((struct board_fixture *)context)->hci_rooms++;
}

static void on_restart(void *context, int reset_reason)
{
    ((struct board_fixture *)context)->restarts = reset_reason;
}

void board_install(struct board_fixture *fixture, const char *label, const char *firmware,
                   const char *version, const char *behaviour)
{
    static uint8_t image[IMAGE_MAX];
    struct sim_image_request request = {.firmware = firmware,
                                        .version = version,
                                        .behaviour = behaviour,
                                        .chip_id = fixture->chip->chip_id};
    size_t size = sim_image_make(&request, image, sizeof(image));
    assert_true(size > 0);
    assert_true(sim_chip_install(fixture->chip, label, image, size));
}

struct board_fixture *board_new(const struct board_options *options)
{
    static const struct sim_board_ops ops = {
        .log = on_log, .hci_send = on_hci_send, .hci_room = on_hci_room};
    static const struct sim_board_ops ops_restart = {.log = on_log,
                                                     .hci_send = on_hci_send,
                                                     .hci_room = on_hci_room,
                                                     .restart = on_restart};
    sim_arena_t *arena = sim_arena_new(ARENA_SIZE);
    struct board_fixture *fixture = sim_arena_alloc(arena, sizeof(*fixture));
    fixture->arena = arena;
    fixture->log = sim_arena_alloc(arena, BOARD_LOG_SIZE);
    fixture->loop = sim_loop_new(arena);
    const char *timing = options->timing != NULL ? options->timing : "ideal";
    fixture->flash =
        sim_flash_new(arena, FLASH_SIZE, sim_flash_timing(timing), options->seed);
    fixture->chip = sim_chip_new(arena, sim_chip_model_named("esp32c3"),
                                 options->idf_major != 0 ? options->idf_major : 5,
                                 options->idf_major >= 6 ? 1 : 5, fixture->flash);
    assert_true(sim_chip_flash_factory(fixture->chip, sim_partitions_two_ota,
                                       sim_partitions_two_ota_count));
    board_install(
        fixture, "factory", options->firmware != NULL ? options->firmware : "kernel",
        options->version != NULL ? options->version : "1.0.0", options->behaviour);
    struct sim_board_config config = {
        .arena = arena,
        .loop = fixture->loop,
        .chip = fixture->chip,
        .mac = {0x24, 0x0a, 0xc4, 0x00, 0x00, 0x10},
        .firmware_dir = FIRMWARE_DIR,
        .firmware_default = "kernel",
        .seed = options->seed,
        .preempt = options->preempt,
        .heap_bytes = options->heap_bytes,
        .allow_flash_in_host_task = options->allow_flash_in_host_task,
        .ops = options->restart_outside ? &ops_restart : &ops,
        .context = fixture,
    };
    fixture->board = sim_board_new(&config);
    sim_board_power(fixture->board, true);
    return fixture;
}

void board_free(struct board_fixture *fixture)
{
    sim_arena_free(fixture->arena);
}

void board_run(struct board_fixture *fixture, uint64_t ms)
{
    uint64_t end_us = sim_loop_now_us(fixture->loop) + ms * 1000u;
    uint64_t next_us = 0;
    while (sim_loop_next(fixture->loop, &next_us) && next_us <= end_us) {
        sim_loop_step(fixture->loop);
    }
    sim_loop_advance(fixture->loop, end_us);
}

void board_run_until(struct board_fixture *fixture, const char *text, uint64_t limit_ms)
{
    uint64_t end_us = sim_loop_now_us(fixture->loop) + limit_ms * 1000u;
    uint64_t next_us = 0;
    while (!board_logged(fixture, text)) {
        if (!sim_loop_next(fixture->loop, &next_us) || next_us > end_us) {
            fail_msg("no \"%s\" within %u ms; the log:\n%s", text, (unsigned)limit_ms,
                     fixture->log);
        }
        sim_loop_step(fixture->loop);
    }
}

bool board_logged(const struct board_fixture *fixture, const char *text)
{
    return strstr(fixture->log, text) != NULL;
}

unsigned board_count(const struct board_fixture *fixture, const char *text)
{
    unsigned count = 0;
    const char *at = fixture->log;
    while ((at = strstr(at, text)) != NULL) {
        count++;
        at += strlen(text);
    }
    return count;
}

void board_assert_no_failure(const struct board_fixture *fixture)
{
    if (board_logged(fixture, "FAIL")) {
        fail_msg("the firmware reports:\n%s", fixture->log);
    }
}

void board_run_scenario(const char *version, const char *timing)
{
    char done[64];
    snprintf(done, sizeof(done), "done %s\n", version);
    for (int major = 5; major <= 6; major++) {
        struct board_options options = {
            .version = version, .timing = timing, .idf_major = major, .seed = 1};
        struct board_fixture *fixture = board_new(&options);
        board_run_until(fixture, done, 200000);
        board_assert_no_failure(fixture);
        board_free(fixture);
    }
}
