/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the erase plan: on a link of a given rate, beside a controller that holds
 * so much while the host stands still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "updraft/device_session.h"
#include "updraft/error.h"

#define ALICE      1u
#define SECTOR     UPDRAFT_FLASH_SECTOR_SIZE
#define BLOCK      UPDRAFT_FLASH_BLOCK_SIZE
#define FILE_SIZE  0x100000u
#define WRITE      495u
#define CHUNK      (WRITE - 2u)
#define QUEUE_SIZE 14000u
#define SECTOR_MS  45u
#define BLOCK_MS   250u

/* A link that delivers at a steady rate, within the device's credit. */
struct link {
    struct updraft_device device;
    uint32_t file_size; /* and that of the slot */
    uint32_t range_start;
    uint32_t range_size;
    uint32_t rate;         /* bytes a millisecond */
    uint32_t held_bytes;   /* that the controller takes while the host stands still */
    uint32_t silent_after; /* bytes of the file; then nothing comes any more */
    uint32_t now_ms;
    uint32_t carried; /* bytes that time allowed, not yet used up */
    uint16_t next;    /* chunk to be sent */
    uint16_t limit;
    uint32_t sent_bytes;
    uint32_t queue_count; /* chunks that wait */
    uint32_t queued_number;
    bool busy_told;
    /* What came of it. */
    bool ready;
    uint32_t sectors;
    uint32_t blocks;
    uint32_t ahead; /* sectors erased more than a sector before they were needed */
    uint32_t erased_to;
    uint32_t written_to;
    uint32_t batch_bytes; /* largest that was asked for */
};

static struct link link_;

static void take_report(const struct updraft_device_action *action)
{
    struct updraft_p2_report report;
    if (!updraft_p2_get_report(action->bytes, action->size_bytes, &report)) {
        return;
    }
    assert_int_equal(report.status, UPDRAFT_P2_OK);
    link_.limit = report.limit;
    link_.ready = report.state == UPDRAFT_P2_STATE_READY;
    link_.busy_told = (report.flags & UPDRAFT_P2_REPORT_BUSY) != 0;
    assert_true(!link_.busy_told || report.next_within * 100u > BLOCK_MS);
    if (report.state == UPDRAFT_P2_STATE_RECEIVING) {
        assert_int_equal(report.detail, link_.written_to);
    }
    if (link_.sent_bytes == 0) {
        link_.next = report.next;
    }
}

/* Time passes; of what the link carries meanwhile, at most so many bytes arrive. */
static void pass(uint32_t ms, uint32_t bytes_max)
{
    uint32_t bytes = link_.rate * ms;
    link_.now_ms += ms;
    link_.carried += bytes < bytes_max ? bytes : bytes_max;
    while (link_.carried >= WRITE && link_.next != link_.limit &&
           link_.sent_bytes < link_.silent_after) {
        uint32_t left = link_.range_size - link_.sent_bytes;
        link_.carried -= WRITE;
        link_.sent_bytes += left < CHUNK ? left : CHUNK;
        link_.next++;
        link_.queue_count++;
    }
    if (link_.carried >= WRITE) {
        link_.carried = WRITE - 1; /* what is not used is lost */
    }
    assert_true(link_.queue_count * WRITE <= QUEUE_SIZE);
}

static void carry_out(const struct updraft_device_action *action)
{
    if (action->kind == UPDRAFT_ACTION_ANSWER) {
        take_report(action);
    } else if (action->kind == UPDRAFT_ACTION_ERASE) {
        bool is_block = action->size_bytes == BLOCK;
        assert_true(link_.busy_told || !is_block); /* nothing is answered meanwhile */
        link_.blocks += is_block;
        link_.sectors += !is_block;
        link_.ahead += action->offset_bytes > link_.written_to + SECTOR;
        link_.erased_to = action->offset_bytes + action->size_bytes;
        assert_true(action->offset_bytes >= link_.range_start);
        assert_true(link_.erased_to <= link_.file_size);
        pass(is_block ? BLOCK_MS : SECTOR_MS, link_.held_bytes);
    } else if (action->kind == UPDRAFT_ACTION_WRITE) {
        assert_true(action->offset_bytes + action->size_bytes <= link_.erased_to);
        link_.written_to = action->offset_bytes + action->size_bytes;
        pass(3, link_.held_bytes);
    }
}

static void drain(void)
{
    static const uint8_t nothing[32];
    struct updraft_device_action action;
    updraft_device_set_queued(&link_.device, link_.queue_count * WRITE);
    while (updraft_device_poll(&link_.device, link_.now_ms, &action)) {
        carry_out(&action);
        updraft_device_set_queued(&link_.device, link_.queue_count * WRITE);
        updraft_device_done(&link_.device, 0, nothing, link_.now_ms);
    }
    uint32_t batch = updraft_device_batch_bytes(&link_.device);
    link_.batch_bytes = batch > link_.batch_bytes ? batch : link_.batch_bytes;
}

static void command(struct updraft_p2_command command)
{
    uint8_t bytes[UPDRAFT_P2_COMMAND_MAX];
    size_t size = updraft_p2_put_command(&command, bytes);
    updraft_device_control(&link_.device, ALICE, bytes, size, link_.now_ms);
    drain();
}

/* A manifest of a file that nobody will verify here. */
static void open_session(void)
{
    static uint8_t value[2 + UPDRAFT_P2_MANIFEST_SIZE];
    struct updraft_p2_manifest manifest = {
        .file_size_bytes = link_.file_size,
        .image_size_bytes = link_.file_size,
        .head = {[0] = 0xE9, 3, [23] = 1, [24 + 5] = 4, [32] = 0x32, 0x54, 0xCD, 0xAB},
    };
    command((struct updraft_p2_command){.opcode = UPDRAFT_P2_OPEN,
                                        .version = 2,
                                        .flags = UPDRAFT_P2_OPEN_FORCE,
                                        .manifest_size_bytes = UPDRAFT_P2_MANIFEST_SIZE,
                                        .write_size_bytes = WRITE});
    value[0] = (uint8_t)link_.next;
    value[1] = (uint8_t)(link_.next >> 8);
    updraft_p2_put_manifest(&manifest, value + 2);
    updraft_device_data(&link_.device, ALICE, value, sizeof(value), link_.now_ms);
    drain();
    assert_int_equal(updraft_device_state(&link_.device), UPDRAFT_DEVICE_READY);
}

static void begin(uint32_t rate, uint32_t held_bytes, uint32_t supervision_ms)
{
    memset(&link_, 0, sizeof(link_));
    link_.rate = rate;
    link_.held_bytes = held_bytes;
    link_.silent_after = UINT32_MAX;
    link_.file_size = FILE_SIZE;
    link_.range_size = FILE_SIZE;
    updraft_device_set_supervision(&link_.device, supervision_ms);
}

/* Sends the range, or as much of it as comes before the silence; returns how long that
 * took. */
static uint32_t send(void)
{
    static uint8_t value[WRITE];
    const struct updraft_device_config config = {
        .slot_size_bytes = link_.file_size,
        .window_bytes = QUEUE_SIZE,
        .image_id = {1},
    };
    uint32_t supervision_ms = link_.device.erase.supervision_ms;
    updraft_device_init(&link_.device, &config);
    updraft_device_set_supervision(&link_.device, supervision_ms);
    open_session();
    link_.ready = false;
    link_.written_to = link_.range_start > 0 ? link_.range_start : UPDRAFT_HEAD_HELD_SIZE;
    command((struct updraft_p2_command){.opcode = UPDRAFT_P2_RANGE,
                                        .session = 1,
                                        .start_bytes = link_.range_start,
                                        .size_bytes = link_.range_size});
    link_.queued_number = link_.next;
    uint32_t begun_ms = link_.now_ms;
    for (uint32_t taken = 0; !link_.ready;) {
        assert_true(link_.now_ms - begun_ms < 1000000);
        if (link_.queue_count == 0 && link_.sent_bytes >= link_.silent_after) {
            break;
        }
        if (link_.queue_count == 0) {
            pass(1, UINT32_MAX);
            drain();
            continue;
        }
        uint32_t left = link_.range_size - taken;
        uint32_t size = left < CHUNK ? left : CHUNK;
        value[0] = (uint8_t)link_.queued_number;
        value[1] = (uint8_t)(link_.queued_number >> 8);
        link_.queued_number++;
        link_.queue_count--;
        taken += size;
        updraft_device_data(&link_.device, ALICE, value, size + 2, link_.now_ms);
        drain();
    }
    return link_.now_ms - begun_ms;
}

static uint32_t send_file(uint32_t rate, uint32_t held_bytes, uint32_t supervision_ms)
{
    begin(rate, held_bytes, supervision_ms);
    return send();
}

static void a_fast_link_is_stopped_by_blocks_rather_than_by_sectors(void **state)
{
    (void)state;
    uint32_t took_ms = send_file(99, 500, 6000);
    assert_int_equal(link_.sectors, 1); /* the one that was timed */
    assert_int_equal(link_.blocks, FILE_SIZE / BLOCK);
    assert_int_equal(link_.ahead, 0);
    /* Radio, and the blocks' time less what hides. */
    uint32_t best_ms = FILE_SIZE / 99 + FILE_SIZE / BLOCK * (BLOCK_MS - 500 / 99);
    assert_true(took_ms < best_ms + best_ms / 10);
}

static void sectors_that_hide_are_erased_ahead_and_blocks_give_the_lead(void **state)
{
    (void)state;
    uint32_t by_blocks_ms = FILE_SIZE / 99 + FILE_SIZE / BLOCK * (BLOCK_MS - 6000 / 99);
    uint32_t took_ms = send_file(99, 6000, 6000);
    assert_true(link_.ahead > 32);
    assert_in_range(link_.blocks, 3, 12);
    assert_true(took_ms < by_blocks_ms);
}

static void a_slow_link_does_not_notice_erases_at_all(void **state)
{
    (void)state;
    uint32_t took_ms = send_file(24, 2000, 6000);
    uint32_t radio_ms = FILE_SIZE / 24;
    assert_true(link_.ahead > 200);
    assert_true(took_ms < radio_ms + radio_ms / 30);
}

static void a_block_that_would_outlast_the_link_is_erased_in_sectors(void **state)
{
    (void)state;
    (void)send_file(99, 500, 720);
    assert_int_equal(link_.blocks, 0);
    assert_int_equal(link_.sectors, FILE_SIZE / SECTOR);
}

static void only_a_controller_that_stands_still_gets_batches(void **state)
{
    (void)state;
    (void)send_file(99, 500, 6000);
    assert_int_equal(link_.batch_bytes, 0);
    (void)send_file(99, 0, 6000);
    assert_in_range(link_.batch_bytes, SECTOR, QUEUE_SIZE / 2);
    assert_int_equal(updraft_device_batch_bytes(&link_.device), 0); /* it is over */
}

static void nothing_is_erased_far_ahead_of_a_link_that_fell_silent(void **state)
{
    (void)state;
    begin(24, 2000, 6000);
    link_.silent_after = 300000;
    (void)send();
    assert_true(link_.ahead > 50);
    uint32_t deadline_ms;
    while (updraft_device_deadline(&link_.device, &deadline_ms) &&
           link_.now_ms < 1000000) {
        link_.now_ms = deadline_ms > link_.now_ms ? deadline_ms : link_.now_ms;
        updraft_device_tick(&link_.device, link_.now_ms);
        if (updraft_device_owner(&link_.device) == UPDRAFT_CONNECTION_NONE) {
            break; /* told so next */
        }
        drain();
    }
    assert_true(link_.now_ms < 1000000);
    assert_true(link_.erased_to > link_.written_to + BLOCK);
    assert_true(link_.erased_to <= link_.written_to + 2 * BLOCK + SECTOR);
}

/* Fast and slow, so that blocks are erased, and sectors ahead of the stream. */
static const struct {
    uint32_t rate;
    uint32_t held_bytes;
} links[] = {{99, 500}, {99, 6000}, {24, 2000}};

static void what_lies_behind_a_range_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        for (uint32_t sectors = 1; sectors <= BLOCK / SECTOR + 1; sectors++) {
            begin(links[i].rate, links[i].held_bytes, 6000);
            link_.range_start = 2 * BLOCK;
            link_.range_size = 4 * BLOCK + sectors * SECTOR;
            (void)send();
            assert_int_equal(link_.erased_to, link_.range_start + link_.range_size);
        }
    }
}

static void nothing_behind_the_slot_is_erased(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        for (uint32_t sectors = 1; sectors <= BLOCK / SECTOR; sectors++) {
            begin(links[i].rate, links[i].held_bytes, 6000);
            link_.file_size = 4 * BLOCK + sectors * SECTOR;
            link_.range_size = link_.file_size;
            (void)send();
            assert_int_equal(link_.erased_to, link_.file_size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fast_link_is_stopped_by_blocks_rather_than_by_sectors),
        cmocka_unit_test(sectors_that_hide_are_erased_ahead_and_blocks_give_the_lead),
        cmocka_unit_test(a_slow_link_does_not_notice_erases_at_all),
        cmocka_unit_test(a_block_that_would_outlast_the_link_is_erased_in_sectors),
        cmocka_unit_test(only_a_controller_that_stands_still_gets_batches),
        cmocka_unit_test(nothing_is_erased_far_ahead_of_a_link_that_fell_silent),
        cmocka_unit_test(what_lies_behind_a_range_is_kept),
        cmocka_unit_test(nothing_behind_the_slot_is_erased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
