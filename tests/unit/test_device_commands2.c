/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the device's session by protocol 2 about messages that come from someone
 * else, at another time, or with other numbers than those that lead to an update. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/image_maker.h"
#include "tests/unit/ram_port.h"
#include "updraft/error.h"

#define ALICE 1u
#define BOB   2u
#define WRITE 512u

static struct ram_port port;
static uint8_t image[RAM_SLOT_SIZE];
static uint32_t image_size;
static struct updraft_p2_manifest manifest;
static struct updraft_p2_command opening;

static void describe_image(uint32_t data_size)
{
    const struct image_recipe recipe = {.data_size_bytes = data_size, .seed = 7};
    image_size = (uint32_t)make_image(&recipe, image, sizeof(image));
    manifest = make_manifest(image, image_size);
}

static int set_up(void **state)
{
    (void)state;
    describe_image(6000);
    opening = (struct updraft_p2_command){
        .opcode = UPDRAFT_P2_OPEN,
        .version = UPDRAFT_P2_VERSION,
        .flags = UPDRAFT_P2_OPEN_FORCE,
        .manifest_size_bytes = UPDRAFT_P2_MANIFEST_SIZE,
        .write_size_bytes = WRITE,
        .nonce = 1,
    };
    ram_port_init(&port);
    return 0;
}

/* Says it and returns the answer, which must be the only one. */
static struct updraft_p2_report tell(uint16_t connection,
                                     struct updraft_p2_command command)
{
    port.answer_count = 0;
    ram_port_command(&port, connection, &command, port.now_ms);
    assert_int_equal(port.answer_count, 1);
    return ram_port_report(&port, connection);
}

static struct updraft_p2_report say(uint16_t connection, uint8_t opcode, uint8_t session)
{
    return tell(connection,
                (struct updraft_p2_command){.opcode = opcode, .session = session});
}

static struct updraft_p2_command naming_image(uint8_t opcode)
{
    struct updraft_p2_command command = {.opcode = opcode};
    memcpy(command.id, manifest.image_id, sizeof(command.id));
    return command;
}

/* The owner's stream of these bytes, from that chunk on. */
static struct updraft_p2_report stream(uint16_t number, const uint8_t *bytes,
                                       uint32_t size)
{
    const uint32_t chunk = opening.write_size_bytes - UPDRAFT_P2_DATA_HEAD_SIZE;
    port.answer_count = 0;
    for (uint32_t at = 0; at < size; at += chunk, number++) {
        uint8_t value[WRITE] = {(uint8_t)number, (uint8_t)(number >> 8)};
        uint32_t part = size - at < chunk ? size - at : chunk;
        memcpy(value + 2, bytes + at, part);
        ram_port_data(&port, ALICE, value, part + 2, port.now_ms);
    }
    return ram_port_report(&port, ALICE);
}

static struct updraft_p2_report send_range(uint8_t session, uint32_t size)
{
    struct updraft_p2_report report =
        tell(ALICE, (struct updraft_p2_command){.opcode = UPDRAFT_P2_RANGE,
                                                .session = session,
                                                .flags = UPDRAFT_P2_RANGE_FINISH,
                                                .size_bytes = size});
    assert_int_equal(report.state, UPDRAFT_P2_STATE_RECEIVING);
    return stream(report.next, image, size);
}

static struct updraft_p2_report send_manifest(const struct updraft_p2_report *opened)
{
    uint8_t bytes[UPDRAFT_P2_MANIFEST_SIZE];
    updraft_p2_put_manifest(&manifest, bytes);
    return stream(opened->next, bytes, sizeof(bytes));
}

/* Alice's session, with its manifest accepted. Returns its number. */
static uint8_t get_ready(void)
{
    struct updraft_p2_report report = tell(ALICE, opening);
    report = send_manifest(&report);
    assert_int_equal(report.status, UPDRAFT_P2_OK);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    return report.session;
}

static uint8_t get_verified(void)
{
    uint8_t session = get_ready();
    assert_int_equal(send_range(session, image_size).state, UPDRAFT_P2_STATE_VERIFIED);
    return session;
}

static void an_open_with_sizes_that_cannot_be_is_malformed(void **state)
{
    (void)state;
    opening.manifest_size_bytes = UPDRAFT_P2_MANIFEST_SIZE - 1;
    assert_int_equal(tell(ALICE, opening).status, UPDRAFT_P2_MALFORMED);
    opening.manifest_size_bytes = UPDRAFT_P2_MANIFEST_MAX + 1;
    assert_int_equal(tell(ALICE, opening).status, UPDRAFT_P2_UNSUPPORTED);
    opening.manifest_size_bytes = UPDRAFT_P2_MANIFEST_SIZE;
    opening.write_size_bytes = UPDRAFT_P2_WRITE_MIN - 1;
    assert_int_equal(tell(ALICE, opening).status, UPDRAFT_P2_MALFORMED);
    opening.write_size_bytes = UPDRAFT_P2_WRITE_MAX + 1;
    assert_int_equal(tell(ALICE, opening).status, UPDRAFT_P2_MALFORMED);
    opening.write_size_bytes = UPDRAFT_P2_WRITE_MAX;
    assert_int_equal(tell(ALICE, opening).status, UPDRAFT_P2_OK);
}

static void a_device_without_a_second_slot_says_so(void **state)
{
    (void)state;
    port.device.config.slot_size_bytes = 0;
    assert_int_equal(tell(ALICE, opening).status, UPDRAFT_P2_NO_SLOT);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_FLASH_NO_SLOT);
}

static void what_a_config_leaves_out_has_its_default(void **state)
{
    (void)state;
    const struct updraft_device_config config = {.slot_size_bytes = RAM_SLOT_SIZE};
    updraft_device_init(&port.device, &config);
    struct updraft_p2_report report = tell(ALICE, opening);
    assert_int_equal(report.status, UPDRAFT_P2_OK);
    /* 4096 bytes, as the header says, in values of 512. */
    assert_int_equal((uint16_t)(report.limit - report.next), 8);
}

static void session_numbers_go_round_without_zero(void **state)
{
    (void)state;
    uint8_t before = 0;
    for (unsigned i = 0; i < 2 * 256; i++) {
        opening.nonce = i + 1;
        struct updraft_p2_report report = tell(ALICE, opening);
        assert_int_equal(report.status, UPDRAFT_P2_OK);
        assert_int_equal(report.session, before == 255 ? 1 : before + 1);
        before = report.session;
    }
}

static void only_the_owner_leads_a_session(void **state)
{
    (void)state;
    uint8_t session = get_ready();
    for (uint8_t opcode = UPDRAFT_P2_RANGE; opcode <= UPDRAFT_P2_FINISH; opcode++) {
        assert_int_equal(say(BOB, opcode, session).status, UPDRAFT_P2_WRONG_STATE);
    }
    struct updraft_p2_report report = say(BOB, UPDRAFT_P2_ABORT, session);
    assert_int_equal(report.status, UPDRAFT_P2_OK);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_IDLE);
    assert_int_equal(say(BOB, UPDRAFT_P2_STATUS, session).state, UPDRAFT_P2_STATE_IDLE);
    for (uint8_t opcode = UPDRAFT_P2_ACTIVATE; opcode <= UPDRAFT_P2_ROLLBACK; opcode++) {
        assert_int_equal(tell(BOB, naming_image(opcode)).status, UPDRAFT_P2_BUSY);
    }
    assert_int_equal(say(ALICE, UPDRAFT_P2_STATUS, session).state,
                     UPDRAFT_P2_STATE_READY);
    assert_int_equal(port.erase_count, 0);
}

static void a_message_of_another_session_changes_nothing(void **state)
{
    (void)state;
    uint8_t session = get_ready();
    uint8_t other = (uint8_t)(session + 1);
    for (uint8_t opcode = UPDRAFT_P2_RANGE; opcode <= UPDRAFT_P2_FINISH; opcode++) {
        struct updraft_p2_report report = say(ALICE, opcode, other);
        assert_int_equal(report.status, UPDRAFT_P2_WRONG_STATE);
        assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    }
    struct updraft_p2_report report = say(ALICE, UPDRAFT_P2_ABORT, other);
    assert_int_equal(report.status, UPDRAFT_P2_OK);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    report = say(ALICE, UPDRAFT_P2_ABORT, session);
    assert_int_equal(report.status, UPDRAFT_P2_ABORTED);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_IDLE);
    assert_int_equal(updraft_device_error(&port.device), UPDRAFT_ERROR_CANCELLED);
}

static void a_range_or_map_that_is_none_is_refused(void **state)
{
    (void)state;
    const uint16_t sectors = 2; /* of the image */
    struct updraft_p2_command map = {.opcode = UPDRAFT_P2_MAP, .session = get_ready()};
    assert_true(image_size > UPDRAFT_P2_SECTOR_SIZE &&
                image_size <= sectors * UPDRAFT_P2_SECTOR_SIZE);
    assert_int_equal(tell(ALICE, map).status, UPDRAFT_P2_BAD_RANGE); /* of none */
    map.first_sector = sectors;
    map.sector_count = 1;
    assert_int_equal(tell(ALICE, map).status, UPDRAFT_P2_BAD_RANGE);
    map.first_sector = 1;
    map.sector_count = sectors;
    assert_int_equal(tell(ALICE, map).status, UPDRAFT_P2_BAD_RANGE);
    struct updraft_p2_command range = {.opcode = UPDRAFT_P2_RANGE,
                                       .session = map.session,
                                       .flags = 0x80,
                                       .size_bytes = image_size};
    assert_int_equal(tell(ALICE, range).status, UPDRAFT_P2_UNSUPPORTED);
    range.flags = 0;
    range.start_bytes = UPDRAFT_P2_SECTOR_SIZE; /* as long as the file may be, but not */
    range.size_bytes = UPDRAFT_P2_SECTOR_SIZE;  /* from here on */
    assert_int_equal(tell(ALICE, range).status, UPDRAFT_P2_BAD_RANGE);
    assert_int_equal(port.erase_count, 0);
    /* Everything but the last sector is told without an error. */
    map.first_sector = 0;
    map.sector_count = sectors;
    ram_port_command(&port, ALICE, &map, port.now_ms);
    assert_int_equal(port.map_count, sectors);
}

static void ask_map(uint8_t session, uint32_t from, uint32_t count)
{
    const struct updraft_p2_command map = {.opcode = UPDRAFT_P2_MAP,
                                           .session = session,
                                           .first_sector = (uint16_t)from,
                                           .sector_count = (uint16_t)count};
    ram_port_command(&port, ALICE, &map, port.now_ms);
}

/* Four sectors a report. Where one does not get out nothing more is read for it, and what
 * is missing is had by asking again. */
static void map_reports_that_do_not_get_out_come_at_the_next_question(void **state)
{
    (void)state;
    describe_image(50000);
    opening.write_size_bytes = UPDRAFT_P2_WRITE_MIN;
    const uint32_t sectors = (image_size + 4095) / 4096;
    uint8_t session = get_ready();
    for (uint32_t sent = 0; sent * 4 < sectors; sent++) {
        memset(port.map_crc, 0, sizeof(port.map_crc));
        port.map_count = 0;
        port.answers_left = sent;
        uint32_t work = port.work_count;
        ask_map(session, 0, sectors);
        assert_int_equal(port.map_count, sent * 4);
        assert_true(port.work_count - work <= (sent + 1) * 4);
        port.answers_left = NEVER;
        assert_int_equal(say(ALICE, UPDRAFT_P2_STATUS, session).state,
                         UPDRAFT_P2_STATE_READY);
        ask_map(session, sent * 4, sectors - sent * 4);
        assert_int_equal(port.map_count, sectors);
        for (uint32_t i = 0; i < sectors; i++) {
            assert_int_equal(port.map_crc[i],
                             updraft_crc32(0, port.flash + i * 4096, 4096));
        }
    }
}

static void bytes_that_are_no_chunk_are_passed_over(void **state)
{
    (void)state;
    struct updraft_p2_report report = tell(ALICE, opening);
    const uint8_t head[2] = {(uint8_t)report.next, (uint8_t)(report.next >> 8)};
    port.answer_count = 0;
    ram_port_data(&port, ALICE, head, sizeof(head), port.now_ms); /* no payload */
    ram_port_data(&port, ALICE, head, 1, port.now_ms);
    assert_int_equal(port.answer_count, 0);
    report = send_manifest(&report);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    port.answer_count = 0;
    ram_port_data(&port, ALICE, image, WRITE - UPDRAFT_P2_DATA_HEAD_SIZE,
                  port.now_ms); /* nothing is awaited */
    assert_int_equal(port.answer_count, 0);
}

static void choices_that_this_version_does_not_know_are_refused(void **state)
{
    (void)state;
    struct updraft_p2_command activate = naming_image(UPDRAFT_P2_ACTIVATE);
    activate.confirm_by = UPDRAFT_P2_CONFIRM_BY_CLIENT + 1;
    get_verified();
    assert_int_equal(tell(ALICE, activate).status, UPDRAFT_P2_UNSUPPORTED);
    struct updraft_p2_command rollback = naming_image(UPDRAFT_P2_ROLLBACK);
    rollback.target = UPDRAFT_P2_ROLLBACK_FACTORY + 1;
    assert_int_equal(tell(BOB, rollback).status, UPDRAFT_P2_UNSUPPORTED);
    assert_false(port.activated || port.rolled_back);
}

static void an_image_is_activated_by_its_own_id_alone(void **state)
{
    (void)state;
    get_verified();
    struct updraft_p2_command activate = naming_image(UPDRAFT_P2_ACTIVATE);
    activate.id[7] ^= 1;
    struct updraft_p2_report report = tell(ALICE, activate);
    assert_int_equal(report.status, UPDRAFT_P2_NOTHING_STAGED);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_VERIFIED);
    assert_false(port.header_written);
    assert_int_equal(tell(ALICE, naming_image(UPDRAFT_P2_CONFIRM)).status,
                     UPDRAFT_P2_WRONG_STATE);
    report = tell(ALICE, naming_image(UPDRAFT_P2_ACTIVATE));
    assert_int_equal(report.state, UPDRAFT_P2_STATE_RESTARTING);
    assert_true(ram_port_runs(&port, image, image_size));
}

/* The restart takes a moment, in which messages may still come. */
static void nothing_stops_a_restart(void **state)
{
    (void)state;
    uint8_t session = get_verified();
    struct updraft_p2_command activate = naming_image(UPDRAFT_P2_ACTIVATE);
    assert_int_equal(tell(ALICE, activate).state, UPDRAFT_P2_STATE_RESTARTING);
    assert_true(port.restarted);
    struct updraft_p2_report report = say(ALICE, UPDRAFT_P2_ABORT, session);
    assert_int_equal(report.status, UPDRAFT_P2_OK);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_RESTARTING);
    assert_int_equal(say(ALICE, UPDRAFT_P2_FINISH, session).status,
                     UPDRAFT_P2_WRONG_STATE);
    assert_int_equal(tell(ALICE, activate).status, UPDRAFT_P2_OK);
    assert_int_equal(tell(BOB, activate).status, UPDRAFT_P2_OK);
    opening.nonce++;
    assert_int_equal(tell(ALICE, opening).status, UPDRAFT_P2_BUSY);
    assert_int_equal(tell(BOB, opening).status, UPDRAFT_P2_BUSY);
    ram_port_link_lost(&port, ALICE);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_RESTARTING);
}

static void going_back_is_no_success_of_protocol_1(void **state)
{
    (void)state;
    struct updraft_p2_report report = tell(ALICE, naming_image(UPDRAFT_P2_ROLLBACK));
    assert_int_equal(report.state, UPDRAFT_P2_STATE_RESTARTING);
    assert_true(port.rolled_back && !port.activated);
    assert_int_equal(ram_port_finish(&port, ALICE, port.now_ms), UPDRAFT_P1_DONE_NAK);
    assert_int_equal(ram_port_finish(&port, BOB, port.now_ms), UPDRAFT_P1_DONE_NAK);
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_RESTARTING);
}

static void expect_end(int error)
{
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_IDLE);
    assert_int_equal(updraft_device_error(&port.device), error);
    opening.nonce++;
    ram_port_init(&port);
}

static void a_session_that_staged_its_image_ends_without_an_error(void **state)
{
    (void)state;
    for (int staged = 0; staged < 2; staged++) {
        opening.flags =
            (uint8_t)(UPDRAFT_P2_OPEN_FORCE | (staged ? UPDRAFT_P2_OPEN_STAGE : 0));
        get_verified();
        ram_port_link_lost(&port, ALICE);
        expect_end(staged ? 0 : UPDRAFT_ERROR_LINK_LOST);
        struct updraft_p2_report report = say(ALICE, UPDRAFT_P2_ABORT, get_verified());
        assert_int_equal(report.status, UPDRAFT_P2_ABORTED);
        expect_end(staged ? 0 : UPDRAFT_ERROR_CANCELLED);
        get_verified();
        ram_port_tick(&port, port.now_ms + 30000);
        expect_end(staged ? 0 : UPDRAFT_ERROR_LINK_TIMEOUT);
        /* An activation that fails is another matter. */
        get_verified();
        port.fail_at = port.work_count;
        port.fail_result = UPDRAFT_ERROR_FLASH_WRITE;
        report = tell(ALICE, naming_image(UPDRAFT_P2_ACTIVATE));
        assert_int_equal(report.status, UPDRAFT_P2_FLASH);
        expect_end(UPDRAFT_ERROR_FLASH_WRITE);
    }
}

static void a_staged_image_waits_for_the_trial_to_end(void **state)
{
    (void)state;
    updraft_device_set_on_trial(&port.device, true);
    assert_int_equal(tell(BOB, naming_image(UPDRAFT_P2_ACTIVATE)).status,
                     UPDRAFT_P2_ON_TRIAL);
    updraft_device_set_on_trial(&port.device, false);
    assert_int_equal(tell(BOB, naming_image(UPDRAFT_P2_ACTIVATE)).status,
                     UPDRAFT_P2_NOTHING_STAGED);
}

static void a_manifest_whose_sizes_contradict_is_malformed(void **state)
{
    (void)state;
    const struct {
        uint32_t file_size;
        uint32_t image_size;
    } sizes[] = {
        {image_size + 8, image_size},                                      /* no 16 */
        {image_size, image_size + 16},                                     /* longer */
        {image_size, UPDRAFT_P2_HEAD_SIZE + UPDRAFT_IMAGE_HASH_SIZE - 16}, /* too short */
    };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        manifest.file_size_bytes = sizes[i].file_size;
        manifest.image_size_bytes = sizes[i].image_size;
        opening.nonce++;
        struct updraft_p2_report report = tell(ALICE, opening);
        assert_int_equal(send_manifest(&report).status, UPDRAFT_P2_MALFORMED);
        assert_int_equal(updraft_device_owner(&port.device), UPDRAFT_CONNECTION_NONE);
    }
}

static void the_running_image_is_taken_again_only_by_force(void **state)
{
    (void)state;
    memcpy(port.device.config.image_id, manifest.image_id, sizeof(manifest.image_id));
    get_verified(); /* opens by force */
    assert_int_equal(tell(ALICE, naming_image(UPDRAFT_P2_ACTIVATE)).state,
                     UPDRAFT_P2_STATE_RESTARTING);
}

static void finish_may_be_said_again_after_a_repair(void **state)
{
    (void)state;
    uint8_t session = get_ready();
    /* Nothing was sent: what the slot holds is something else. */
    ram_port_command(
        &port, ALICE,
        &(struct updraft_p2_command){.opcode = UPDRAFT_P2_FINISH, .session = session},
        port.now_ms);
    struct updraft_p2_report report = ram_port_report(&port, ALICE);
    assert_int_equal(report.status, UPDRAFT_P2_HASH);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    report = tell(ALICE, (struct updraft_p2_command){.opcode = UPDRAFT_P2_RANGE,
                                                     .session = session,
                                                     .size_bytes = image_size});
    assert_int_equal(stream(report.next, image, image_size).state,
                     UPDRAFT_P2_STATE_READY);
    ram_port_command(
        &port, ALICE,
        &(struct updraft_p2_command){.opcode = UPDRAFT_P2_FINISH, .session = session},
        port.now_ms);
    assert_int_equal(ram_port_report(&port, ALICE).state, UPDRAFT_P2_STATE_VERIFIED);
}

static void what_follows_the_image_in_its_file_is_verified_too(void **state)
{
    (void)state;
    uint32_t file_size = image_size + 48;
    memset(image + image_size, 0xC3, 48);
    manifest.file_size_bytes = file_size;
    sha256(image, file_size, manifest.file_sha256);
    uint8_t session = get_ready();
    image[file_size - 1] ^= 1;
    struct updraft_p2_report report = send_range(session, file_size);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    assert_int_equal(report.status, UPDRAFT_P2_HASH);
    image[file_size - 1] ^= 1;
    report = send_range(session, file_size);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_VERIFIED);
}

/* A manifest may say what it likes: what it was judged by has to be in the file. */
static void a_manifest_with_another_files_marker_is_found_out(void **state)
{
    (void)state;
    const struct updraft_marker marker = {.protocol_max = 2, .hardware_id = 6};
    updraft_marker_put(&marker, manifest.head + UPDRAFT_MARKER_OFFSET);
    port.device.config.hardware_id = 6;
    struct updraft_p2_report report = send_range(get_ready(), image_size);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    assert_int_equal(report.status, UPDRAFT_P2_HASH);
}

static void a_verification_promises_the_time_of_a_slow_chip(void **state)
{
    (void)state;
    describe_image(50000);
    const struct updraft_p2_command finish = {.opcode = UPDRAFT_P2_FINISH,
                                              .session = get_ready()};
    struct updraft_p2_report report;
    port.answer_count = 0;
    ram_port_command(&port, ALICE, &finish, port.now_ms);
    assert_true(
        updraft_p2_get_report(port.answers[0].bytes, UPDRAFT_P2_STATE_SIZE, &report));
    assert_int_equal(report.state, UPDRAFT_P2_STATE_VERIFYING);
    assert_int_equal(report.next_within, 20 + 1); /* 100 ms for each 32 KiB */
}

static void a_board_without_a_hardware_id_takes_any(void **state)
{
    (void)state;
    const struct updraft_marker marker = {.protocol_max = 2, .hardware_id = 6};
    updraft_marker_put(&marker, manifest.head + UPDRAFT_MARKER_OFFSET);
    port.device.config.hardware_id = 0;
    (void)get_ready();
}

static void map_reports_keep_to_the_write_size(void **state)
{
    (void)state;
    describe_image(20000);
    opening.write_size_bytes = UPDRAFT_P2_WRITE_MIN; /* four sectors a report */
    uint8_t session = get_ready();
    port.answer_count = 0;
    ask_map(session, 0, 5); /* the port looks at the sizes */
    assert_int_equal(port.map_count, 5);
    assert_int_equal(port.answer_count, 2);
}

/* What only someone else says, or nobody takes, is silence. */
static void expect_timeout(void)
{
    port.answer_count = 0;
    ram_port_tick(&port, port.device.config.idle_limit_ms);
    struct updraft_p2_report report = ram_port_report(&port, ALICE);
    assert_int_equal(report.status, UPDRAFT_P2_TIMEOUT);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_IDLE);
    assert_int_equal(updraft_device_owner(&port.device), UPDRAFT_CONNECTION_NONE);
}

static void nobody_else_keeps_a_session_alive(void **state)
{
    (void)state;
    uint8_t session = get_ready();
    port.now_ms = port.device.config.idle_limit_ms - 1;
    (void)say(BOB, UPDRAFT_P2_STATUS, session);
    (void)say(BOB, UPDRAFT_P2_ABORT, session);
    (void)tell(BOB, opening);
    (void)ram_port_finish(&port, BOB, port.now_ms);
    ram_port_data(&port, BOB, image, WRITE, port.now_ms);
    expect_timeout();
}

static void chunks_that_are_not_taken_keep_no_session_alive(void **state)
{
    (void)state;
    struct updraft_p2_report report =
        tell(ALICE, (struct updraft_p2_command){.opcode = UPDRAFT_P2_RANGE,
                                                .session = get_ready(),
                                                .size_bytes = image_size});
    port.now_ms = port.device.config.idle_limit_ms - 1;
    (void)stream((uint16_t)(report.next + 1), image, WRITE);
    port.now_ms = port.device.config.idle_limit_ms - 1;
    for (int behind = 1; behind <= 2; behind++) {
        uint16_t number = (uint16_t)(report.next - behind);
        uint8_t value[WRITE] = {(uint8_t)number, (uint8_t)(number >> 8)};
        ram_port_data(&port, ALICE, value, sizeof(value), port.now_ms);
    }
    expect_timeout();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_open_with_sizes_that_cannot_be_is_malformed, set_up),
        cmocka_unit_test_setup(a_device_without_a_second_slot_says_so, set_up),
        cmocka_unit_test_setup(what_a_config_leaves_out_has_its_default, set_up),
        cmocka_unit_test_setup(session_numbers_go_round_without_zero, set_up),
        cmocka_unit_test_setup(only_the_owner_leads_a_session, set_up),
        cmocka_unit_test_setup(a_message_of_another_session_changes_nothing, set_up),
        cmocka_unit_test_setup(a_range_or_map_that_is_none_is_refused, set_up),
        cmocka_unit_test_setup(map_reports_that_do_not_get_out_come_at_the_next_question,
                               set_up),
        cmocka_unit_test_setup(bytes_that_are_no_chunk_are_passed_over, set_up),
        cmocka_unit_test_setup(choices_that_this_version_does_not_know_are_refused,
                               set_up),
        cmocka_unit_test_setup(an_image_is_activated_by_its_own_id_alone, set_up),
        cmocka_unit_test_setup(nothing_stops_a_restart, set_up),
        cmocka_unit_test_setup(going_back_is_no_success_of_protocol_1, set_up),
        cmocka_unit_test_setup(a_session_that_staged_its_image_ends_without_an_error,
                               set_up),
        cmocka_unit_test_setup(a_staged_image_waits_for_the_trial_to_end, set_up),
        cmocka_unit_test_setup(a_manifest_whose_sizes_contradict_is_malformed, set_up),
        cmocka_unit_test_setup(the_running_image_is_taken_again_only_by_force, set_up),
        cmocka_unit_test_setup(finish_may_be_said_again_after_a_repair, set_up),
        cmocka_unit_test_setup(what_follows_the_image_in_its_file_is_verified_too,
                               set_up),
        cmocka_unit_test_setup(a_manifest_with_another_files_marker_is_found_out, set_up),
        cmocka_unit_test_setup(a_verification_promises_the_time_of_a_slow_chip, set_up),
        cmocka_unit_test_setup(a_board_without_a_hardware_id_takes_any, set_up),
        cmocka_unit_test_setup(map_reports_keep_to_the_write_size, set_up),
        cmocka_unit_test_setup(nobody_else_keeps_a_session_alive, set_up),
        cmocka_unit_test_setup(chunks_that_are_not_taken_keep_no_session_alive, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
