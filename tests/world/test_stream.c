/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of an update whose packets come faster than flash takes them. */
#include "tests/world/raw.h"

#include <stdio.h>
#include <string.h>

#include "updraft/protocol1.h"

static struct fixture_image image;

static void stream_that_never_pauses_starves_no_task(void **state)
{
    (void)state;
    const struct world_config config = {.seed = 1, .air = "ideal", .flash = "typical"};
    world_t *world = fixture_world(&config);
    fixture_await(world, "advertising as", 5000);
    struct raw *raw = raw_new(world, 1);
    fixture_image_make(&image, "minimal", "1.1.0", "good", 1u << 20);
    assert_true(raw_connect(raw));
    assert_int_equal(raw_packet_size(raw, 495), 0);
    assert_int_equal(raw_ask(raw, UPDRAFT_P1_REQUEST), UPDRAFT_P1_REQUEST_ACK);
    size_t mark = world->log_size;
    uint64_t began_us = sim_loop_now_us(world->loop);
    for (size_t at = 0; at < image.size; at += 495) {
        size_t size = image.size - at < 495 ? image.size - at : 495;
        while (raw_command(raw, raw_data(raw), image.bytes + at, size) != 0 &&
               raw_connected(raw)) {
            raw_wait(world, 1); /* the central's queue is full */
        }
    }
    int answer = raw_ask(raw, UPDRAFT_P1_DONE);
    if (answer != UPDRAFT_P1_DONE_ACK) {
        fputs(world->log + mark, stderr);
    }
    assert_int_equal(answer, UPDRAFT_P1_DONE_ACK);
    /* Longer than the task watchdog waits, or this would have shown nothing. */
    assert_true(sim_loop_now_us(world->loop) - began_us > 6000000u);
    fixture_await(world, "confirmed", 10000);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_that_never_pauses_starves_no_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
