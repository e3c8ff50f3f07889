/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The whole of the device's own sources, between NimBLE's host task and the update task.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "image_maker.h"
#include "threads_fixture.h"
#include "updraft.h"
#include "updraft/protocol1.h"
#include "updraft/protocol2.h"

/* Built with ThreadSanitizer: two accesses that nothing orders fail the test. What the
 * host task does follows from SEED; how the threads interleave does not. */
#define SEED        20261127u
#define ROUNDS      60u
#define PACKET_SIZE 244u

static uint8_t image[THREADS_SLOT_SIZE];
static size_t image_size;
static uint32_t random_state = SEED;
static _Atomic bool host_is_up;

/* What happened, host task only. */
static struct {
    unsigned refusals; /* of a second central */
    unsigned busy;     /* Info told of an update */
    unsigned failed;   /* attempts that the device ended */
    unsigned left;     /* and the client */
    unsigned opened;   /* sessions of protocol 2 */
    unsigned idle;     /* connections that the device closed */
} seen;

/* Update task only. */
static struct {
    unsigned begun;
    unsigned tested;
    unsigned told;
    unsigned restarts;
} app;

static uint32_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* The host comes up meanwhile: it may not advertise yet. */
static bool self_test(void *context)
{
    (void)context;
    while (!atomic_load_explicit(&host_is_up, memory_order_relaxed)) {
        threads_pause();
    }
    app.tested++;
    return true;
}

static bool may_update(void *context, const struct updraft_image_descriptor *descriptor)
{
    (void)context;
    app.begun += descriptor == NULL;
    return true;
}

static void progress(void *context, const updraft_progress_t *now)
{
    (void)context;
    app.told += now->state <= UPDRAFT_DEVICE_RESTARTING;
}

static void before_restart(void *context)
{
    (void)context;
    app.restarts++;
}

/* ---- what the host task does ---- */

static bool read_info(uint16_t handle, struct updraft_info *ret_info)
{
    uint8_t bytes[255];
    uint16_t size;
    int error = threads_read(handle, THREADS_INFO, bytes, &size);
    if (error != 0 || !updraft_info_get(bytes, size, ret_info)) {
        threads_fail("Info", error);
        return false;
    }
    return true;
}

static void wait_for_advertising(void)
{
    uint64_t start_us = 0;
    while (!threads_advertises()) {
        if (!threads_wait(&start_us)) {
            threads_fail("no advertising", 0);
            return;
        }
    }
}

/* The answer of protocol 1; 0: none came. */
static uint8_t wait_for_answer(uint16_t handle)
{
    uint8_t bytes[255] = {0};
    uint16_t size = 0;
    uint64_t start_us = 0;
    while (!threads_notified(handle, bytes, &size)) {
        if (!threads_wait(&start_us)) {
            threads_fail("no answer", handle);
            return 0;
        }
    }
    return bytes[0];
}

static void write_control(uint16_t handle, uint8_t opcode)
{
    int error = threads_write(handle, THREADS_CONTROL, &opcode, 1);
    if (error != 0) {
        threads_fail("Control", error);
    }
}

/* A second central: is told that the device is busy, and that is all that it can do. */
static void disturb(uint16_t handle, bool is_busy)
{
    struct updraft_info info;
    const uint8_t data[20] = {1};
    uint8_t value;
    uint16_t size;
    (void)threads_read(handle, THREADS_CONTROL, &value, &size);
    if (read_info(handle, &info)) {
        seen.busy += (info.flags & UPDRAFT_INFO_BUSY) != 0;
    }
    if (is_busy) {
        seen.refusals += threads_write(handle, THREADS_DATA, data, sizeof(data)) ==
                         UPDRAFT_P1_ATT_BUSY;
    }
}

/* An update by protocol 1, of the image's first size_bytes. Whether the device took all.
 */
static bool send_image(uint16_t handle, uint16_t other, size_t size_bytes)
{
    const uint8_t packet_size[2] = {(uint8_t)PACKET_SIZE, PACKET_SIZE >> 8};
    uint64_t start_us = 0;
    int error = 0;
    do { /* the update task may not know yet that the owner before has gone */
        error = threads_write(handle, THREADS_DATA, packet_size, sizeof(packet_size));
    } while (error == UPDRAFT_P1_ATT_BUSY && threads_wait(&start_us));
    write_control(handle, UPDRAFT_P1_REQUEST);
    uint8_t answer = wait_for_answer(handle);
    if (answer != UPDRAFT_P1_REQUEST_ACK) {
        threads_fail("request", answer);
        return false;
    }
    for (size_t at = 0; at < size_bytes && error == 0; at += PACKET_SIZE) {
        size_t left = image_size - at;
        error = threads_write(handle, THREADS_DATA, image + at,
                              (uint16_t)(left < PACKET_SIZE ? left : PACKET_SIZE));
        if (next_random() % 16 == 0 && threads_is_alive(other)) {
            disturb(other, /* is_busy= */ true);
        }
    }
    if (error != 0) {
        threads_fail("Data", error);
    }
    return error == 0;
}

/* An attempt that ends before its time. */
static void try_protocol_1(uint16_t handle, uint16_t other)
{
    if (!send_image(handle, other, next_random() % (image_size / 2))) {
        return;
    }
    if (next_random() % 2 == 0) {
        write_control(handle, UPDRAFT_P1_DONE);
        uint8_t answer = wait_for_answer(handle);
        seen.failed += answer == UPDRAFT_P1_DONE_NAK;
        if (answer == UPDRAFT_P1_DONE_ACK) {
            threads_fail("a part was taken", handle);
        }
    } else {
        seen.left++;
    }
}

static void write_command(uint16_t handle, const struct updraft_p2_command *command)
{
    uint8_t bytes[UPDRAFT_P2_COMMAND_MAX];
    size_t size = updraft_p2_put_command(command, bytes);
    int error = threads_write(handle, THREADS_CONTROL, bytes, (uint16_t)size);
    if (error != 0) {
        threads_fail("command", error);
    }
}

static bool wait_for_report(uint16_t handle, struct updraft_p2_report *ret_report)
{
    uint8_t bytes[255];
    uint16_t size = 0;
    uint64_t start_us = 0;
    for (;;) {
        if (threads_notified(handle, bytes, &size)) {
            if (updraft_p2_get_report(bytes, size, ret_report)) {
                return true;
            }
        } else if (!threads_wait(&start_us)) {
            threads_fail("no report", handle);
            return false;
        }
    }
}

/* A session, which makes its link fast, asked where it stands, and given up. */
static void try_protocol_2(uint16_t handle, uint16_t other)
{
    struct updraft_p2_report report;
    const struct updraft_p2_command open = {
        .opcode = UPDRAFT_P2_OPEN,
        .version = UPDRAFT_P2_VERSION,
        .manifest_size_bytes = UPDRAFT_P2_MANIFEST_SIZE,
        .write_size_bytes = PACKET_SIZE,
        .nonce = next_random(),
    };
    write_command(handle, &open);
    if (!wait_for_report(handle, &report)) {
        return;
    }
    if (report.status != UPDRAFT_P2_OK || report.session == 0) {
        threads_fail("OPEN", report.status);
        return;
    }
    seen.opened++;
    for (unsigned i = next_random() % 4; i > 0; i--) {
        const struct updraft_p2_command status = {.opcode = UPDRAFT_P2_STATUS,
                                                  .session = report.session};
        write_command(handle, &status);
        if (!wait_for_report(handle, &report)) {
            return;
        }
        disturb(other, /* is_busy= */ true);
    }
    if (next_random() % 2 == 0) {
        const struct updraft_p2_command give_up = {.opcode = UPDRAFT_P2_ABORT,
                                                   .session = report.session};
        write_command(handle, &give_up);
        (void)wait_for_report(handle, &report);
    }
}

/* A connection that asks for nothing is closed by the device. */
static void wait_idly(uint16_t handle)
{
    uint64_t start_us = 0;
    while (threads_is_alive(handle)) {
        uint64_t once_us = 0;
        (void)threads_wait(&once_us);
        threads_end_terminated();
        if (start_us == 0) {
            start_us = once_us;
        }
        if (once_us - start_us > UINT64_C(200000000)) {
            threads_fail("an idle connection stays", handle);
            return;
        }
    }
    seen.idle++;
}

/* The trial ends by itself: what Info tells changes while it is read. */
static void see_the_trial_end(void)
{
    struct updraft_info info = {.run_state = UPDRAFT_RUN_ON_TRIAL};
    uint64_t start_us = 0;
    threads_connect(0);
    while (read_info(0, &info) && info.run_state == UPDRAFT_RUN_ON_TRIAL) {
        if (!threads_wait(&start_us)) {
            threads_fail("the trial does not end", 0);
            break;
        }
    }
    threads_disconnect(0, /* is_told= */ true);
}

static void play_round(uint32_t round)
{
    uint16_t handle = (uint16_t)(round % THREADS_HANDLES);
    uint16_t other = (uint16_t)((round + 1) % THREADS_HANDLES);
    wait_for_advertising();
    threads_refuse_advertising(next_random() % 4);
    threads_connect(handle);
    threads_subscribe(handle);
    threads_connect(other);
    disturb(other, /* is_busy= */ false);
    if (next_random() % 2 == 0) {
        try_protocol_1(handle, other);
    } else {
        try_protocol_2(handle, other);
    }
    if (next_random() % 8 == 0) {
        threads_reset();
        threads_sync();
        threads_stop_advertising();
        wait_for_advertising(); /* again, by the update task */
    }
    if (next_random() % 16 == 0 && threads_is_alive(other)) {
        threads_disconnect(handle, /* is_told= */ true);
        wait_idly(other);
    }
    threads_disconnect(handle, /* is_told= */ next_random() % 4 != 0);
    threads_disconnect(other, /* is_told= */ true);
}

static void play(void)
{
    threads_sync();
    if (threads_advertises()) {
        threads_fail("advertising before the self-test has passed", 0);
    }
    atomic_store_explicit(&host_is_up, true, memory_order_relaxed);
    wait_for_advertising();
    see_the_trial_end();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        play_round(round);
    }
    wait_for_advertising();
    threads_connect(0);
    if (send_image(0, 1, image_size)) {
        write_control(0, UPDRAFT_P1_DONE);
        uint8_t answer = wait_for_answer(0);
        if (answer != UPDRAFT_P1_DONE_ACK) {
            threads_fail("the whole image", answer);
        }
    }
    uint64_t start_us = 0;
    while (!threads_restarted()) {
        threads_end_terminated();
        if (!threads_wait(&start_us)) {
            threads_fail("no restart", 0);
            break;
        }
    }
}

static void an_update_is_finished_whatever_was_tried_before(void **state)
{
    (void)state;
    const struct image_recipe recipe = {.data_size_bytes = 40u * 1024, .seed = SEED};
    image_size = make_image(&recipe, image, sizeof(image));
    const updraft_config_t config = {
        .self_test = self_test,
        .may_update = may_update,
        .before_restart = before_restart,
        .progress = progress,
    };
    threads_begin(play);
    assert_int_equal(updraft_start(&config), ESP_OK);
    while (updraft_on_trial() && !threads_restarted()) {
        threads_pause(); /* an app may ask at any time */
    }
    assert_string_equal(threads_end(), "");
    print_message("seed %u: %u attempts, %u ended by the device, %u by the client, %u "
                  "sessions, %u refusals, %u idle\n",
                  SEED, app.begun, seen.failed, seen.left, seen.opened, seen.refusals,
                  seen.idle);
    assert_true(seen.failed > 0 && seen.left > 0 && seen.opened > 0);
    assert_true(seen.refusals > 0 && seen.busy > 0 && seen.idle > 0);
    assert_true(app.begun > seen.failed && app.told > 0);
    assert_int_equal(app.tested, 1);
    assert_int_equal(app.restarts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_is_finished_whatever_was_tried_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
