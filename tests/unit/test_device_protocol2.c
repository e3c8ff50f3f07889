/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the device's session by protocol 2, one message after another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/image_maker.h"
#include "tests/unit/ram_port.h"
#include "updraft/error.h"

#define ALICE  1u
#define BOB    2u
#define SEED   20261127u
#define SECTOR UPDRAFT_P2_SECTOR_SIZE
#define WRITE  244u
#define CHUNK  (WRITE - 2u)

static struct ram_port port;
static uint8_t image[RAM_SLOT_SIZE + 4096];
static uint32_t image_size;
static struct updraft_p2_manifest manifest;
static uint32_t nonce;

static int set_up(void **state)
{
    (void)state;
    struct image_recipe recipe = {.data_size_bytes = 30000, .seed = SEED};
    image_size = (uint32_t)make_image(&recipe, image, sizeof(image));
    manifest = make_manifest(image, image_size);
    ram_port_init(&port);
    nonce = 1;
    return 0;
}

static struct updraft_p2_report tell(uint16_t connection,
                                     struct updraft_p2_command command)
{
    size_t before = port.answer_count;
    ram_port_command(&port, connection, &command, port.now_ms);
    assert_true(port.answer_count > before);
    struct updraft_p2_report report = ram_port_report(&port, connection);
    port.answer_count = 0;
    return report;
}

static struct updraft_p2_report open_session(uint16_t connection, uint8_t flags)
{
    return tell(connection, (struct updraft_p2_command){
                                .opcode = UPDRAFT_P2_OPEN,
                                .version = 2,
                                .flags = flags,
                                .manifest_size_bytes = UPDRAFT_P2_MANIFEST_SIZE,
                                .write_size_bytes = WRITE,
                                .nonce = nonce,
                            });
}

static void send_chunk(uint16_t number, const uint8_t *bytes, size_t size)
{
    uint8_t value[512] = {(uint8_t)number, (uint8_t)(number >> 8)};
    memcpy(value + 2, bytes, size);
    ram_port_data(&port, ALICE, value, size + 2, port.now_ms);
}

/* Sends a stream within the credit; returns the last report. */
static struct updraft_p2_report send_stream(struct updraft_p2_report report,
                                            const uint8_t *bytes, uint32_t size)
{
    uint16_t number = report.next;
    for (uint32_t sent = 0; sent < size; number++) {
        uint32_t part = size - sent < CHUNK ? size - sent : CHUNK;
        if (number == report.limit) {
            report = ram_port_report(&port, ALICE);
            port.answer_count = 0;
            assert_int_not_equal(number, report.limit);
        }
        send_chunk(number, bytes + sent, part);
        if (port.answer_count > 0) {
            report = ram_port_report(&port, ALICE);
            port.answer_count = 0;
        }
        sent += part;
    }
    return report;
}

static struct updraft_p2_report send_manifest(struct updraft_p2_report report)
{
    uint8_t bytes[UPDRAFT_P2_MANIFEST_SIZE];
    assert_int_equal(report.state, UPDRAFT_P2_STATE_MANIFEST);
    updraft_p2_put_manifest(&manifest, bytes);
    return send_stream(report, bytes, sizeof(bytes));
}

/* Opens and gets to READY; returns that report. */
static struct updraft_p2_report get_ready(uint8_t flags)
{
    struct updraft_p2_report report = send_manifest(open_session(ALICE, flags));
    assert_int_equal(report.status, UPDRAFT_P2_OK);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    return report;
}

static struct updraft_p2_report ask(uint8_t opcode, uint8_t session)
{
    return tell(ALICE, (struct updraft_p2_command){.opcode = opcode, .session = session});
}

static struct updraft_p2_report send_range(uint8_t session, uint32_t start, uint32_t size,
                                           uint8_t flags)
{
    struct updraft_p2_report report =
        tell(ALICE, (struct updraft_p2_command){.opcode = UPDRAFT_P2_RANGE,
                                                .session = session,
                                                .flags = flags,
                                                .start_bytes = start,
                                                .size_bytes = size});
    assert_int_equal(report.state, UPDRAFT_P2_STATE_RECEIVING);
    return send_stream(report, image + start, size);
}

static struct updraft_p2_command naming_image(uint8_t opcode)
{
    struct updraft_p2_command command = {.opcode = opcode};
    memcpy(command.id, manifest.image_id, sizeof(command.id));
    return command;
}

/* Of the slot's first sector, with the bytes that come last as FF. */
static uint32_t first_crc(void)
{
    uint8_t sector[SECTOR];
    memcpy(sector, port.flash, SECTOR);
    memset(sector, 0xFF, 32);
    return updraft_crc32(0, sector, SECTOR);
}

static void a_whole_file_is_written_verified_and_activated(void **state)
{
    (void)state;
    memset(port.flash + 5, 0x5A, 20); /* as a cut in an activation leaves it */
    struct updraft_p2_report report = get_ready(UPDRAFT_P2_OPEN_FORCE);
    assert_int_equal(report.detail, first_crc());
    assert_int_equal(port.erase_count, 0);
    report = send_range(report.session, 0, image_size, 0);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    assert_false(ram_port_has_image(&port)); /* the header comes last */
    report = ask(UPDRAFT_P2_FINISH, report.session);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_VERIFIED);
    assert_false(ram_port_has_image(&port));
    struct updraft_p2_command activate = naming_image(UPDRAFT_P2_ACTIVATE);
    activate.confirm_by = UPDRAFT_P2_CONFIRM_BY_CLIENT;
    report = tell(ALICE, activate);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_RESTARTING);
    assert_int_equal(port.policy, UPDRAFT_P2_CONFIRM_BY_CLIENT);
    assert_true(ram_port_runs(&port, image, image_size));
}

static void a_range_may_end_in_the_verification(void **state)
{
    (void)state;
    struct updraft_p2_report report = get_ready(UPDRAFT_P2_OPEN_FORCE);
    report = send_range(report.session, 0, image_size, UPDRAFT_P2_RANGE_FINISH);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_VERIFIED);
}

static void expect_refusal(uint8_t flags, uint8_t status, uint32_t detail)
{
    struct updraft_p2_report report = send_manifest(open_session(ALICE, flags));
    assert_int_equal(report.status, status);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_IDLE);
    assert_int_equal(report.detail, detail);
    assert_int_equal(port.erase_count, 0);
    assert_int_equal(updraft_device_error(&port.device), updraft_p2_status_error(status));
    assert_int_equal(updraft_device_owner(&port.device), UPDRAFT_CONNECTION_NONE);
}

static void mark(uint32_t hardware_id)
{
    const struct updraft_marker marker = {.protocol_max = 2, .hardware_id = hardware_id};
    updraft_marker_put(&marker, manifest.head + UPDRAFT_MARKER_OFFSET);
}

static void everything_that_does_not_fit_is_refused_before_erasing(void **state)
{
    (void)state;
    expect_refusal(0, UPDRAFT_P2_NO_UPDRAFT, 0);
    mark(0);
    expect_refusal(0, UPDRAFT_P2_PROJECT, 0); /* "demo" on a device of "test" */
    memcpy(manifest.head + 32 + 48, "test", 5);
    memcpy(port.device.config.image_id, manifest.image_id, 32);
    expect_refusal(0, UPDRAFT_P2_RUNNING, 0);
    memset(port.device.config.image_id, 0, 32);
    port.device.config.secure_version = 7;
    expect_refusal(UPDRAFT_P2_OPEN_FORCE, UPDRAFT_P2_SECURE_VERSION, 7);
    port.device.config.secure_version = 0;
    port.device.config.hardware_id = 5;
    mark(6);
    expect_refusal(UPDRAFT_P2_OPEN_FORCE, UPDRAFT_P2_HARDWARE, 5);
    mark(5);
    port.judge_result = UPDRAFT_ERROR_VETOED;
    expect_refusal(0, UPDRAFT_P2_VETOED, 0);
    port.judge_result = 0;
    manifest.head[12] = UPDRAFT_CHIP_ESP32S3;
    expect_refusal(UPDRAFT_P2_OPEN_FORCE, UPDRAFT_P2_CHIP, UPDRAFT_CHIP_ESP32C3);
    manifest.head[12] = UPDRAFT_CHIP_ESP32C3;
    manifest.head[15] = 5;
    expect_refusal(0, UPDRAFT_P2_CHIP_REVISION, 4);
    manifest.head[15] = 0;
    manifest.head[0] = 0xE8;
    expect_refusal(0, UPDRAFT_P2_IMAGE, 0);
    manifest.head[0] = 0xE9;
    manifest.file_size_bytes = RAM_SLOT_SIZE + 16;
    expect_refusal(0, UPDRAFT_P2_TOO_LARGE, RAM_SLOT_SIZE);
    manifest.file_size_bytes = image_size - 16;
    expect_refusal(0, UPDRAFT_P2_MALFORMED, 0);
    manifest.file_size_bytes = image_size;
    send_manifest(open_session(ALICE, 0)); /* what is left fits */
    assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_READY);
}

static void an_open_is_judged_by_itself_first(void **state)
{
    (void)state;
    struct updraft_p2_command command = {
        .opcode = UPDRAFT_P2_OPEN,
        .version = 3,
        .manifest_size_bytes = UPDRAFT_P2_MANIFEST_SIZE,
        .write_size_bytes = WRITE,
    };
    assert_int_equal(tell(ALICE, command).status, UPDRAFT_P2_UNSUPPORTED);
    command.version = 2;
    command.flags = 0x80;
    assert_int_equal(tell(ALICE, command).status, UPDRAFT_P2_UNSUPPORTED);
    command.flags = 0;
    command.write_size_bytes = 19;
    assert_int_equal(tell(ALICE, command).status, UPDRAFT_P2_MALFORMED);
    command.write_size_bytes = WRITE;
    updraft_device_set_on_trial(&port.device, true);
    assert_int_equal(tell(ALICE, command).status, UPDRAFT_P2_ON_TRIAL);
    updraft_device_set_on_trial(&port.device, false);
    port.begin_result = UPDRAFT_ERROR_VETOED;
    assert_int_equal(tell(ALICE, command).status, UPDRAFT_P2_VETOED);
    port.begin_result = 0;
    assert_int_equal(tell(ALICE, command).state, UPDRAFT_P2_STATE_MANIFEST);
}

static void another_connection_is_told_busy_until_the_owner_has_left(void **state)
{
    (void)state;
    (void)open_session(ALICE, UPDRAFT_P2_OPEN_FORCE);
    nonce = 2;
    struct updraft_p2_report report = open_session(BOB, UPDRAFT_P2_OPEN_FORCE);
    assert_int_equal(report.status, UPDRAFT_P2_BUSY);
    assert_int_equal(report.session, 0);
    assert_int_equal(ram_port_request(&port, BOB, 20, 0), UPDRAFT_P1_REQUEST_NAK);
    ram_port_link_lost(&port, ALICE);
    report = open_session(BOB, UPDRAFT_P2_OPEN_FORCE);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_MANIFEST);
}

static void data_of_another_connection_is_nobodys(void **state)
{
    (void)state;
    struct updraft_p2_report report = open_session(ALICE, UPDRAFT_P2_OPEN_FORCE);
    uint8_t value[2 + CHUNK] = {(uint8_t)report.next, (uint8_t)(report.next >> 8)};
    ram_port_data(&port, BOB, value, sizeof(value), 0);
    /* The manifest arrives from its first chunk on. */
    report = send_manifest(report);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    assert_int_equal(report.status, UPDRAFT_P2_OK);
}

static void an_open_said_twice_is_one_session(void **state)
{
    (void)state;
    struct updraft_p2_report first = open_session(ALICE, 0);
    struct updraft_p2_report second = open_session(ALICE, 0);
    assert_int_equal(second.session, first.session);
    assert_int_equal(second.next, first.next);
    nonce = 2;
    second = open_session(ALICE, 0);
    assert_int_not_equal(second.session, first.session);
    assert_int_equal(second.state, UPDRAFT_P2_STATE_MANIFEST);
}

static void a_gap_is_reported_once_and_sent_again(void **state)
{
    (void)state;
    struct updraft_p2_report report = get_ready(UPDRAFT_P2_OPEN_FORCE);
    report = tell(ALICE, (struct updraft_p2_command){.opcode = UPDRAFT_P2_RANGE,
                                                     .session = report.session,
                                                     .size_bytes = image_size});
    uint16_t first = report.next;
    send_chunk(first, image, CHUNK);
    send_chunk((uint16_t)(first + 2), image + 2 * CHUNK, CHUNK);
    report = ram_port_report(&port, ALICE);
    assert_int_equal(report.flags, UPDRAFT_P2_REPORT_WANT);
    assert_int_equal(report.next, (uint16_t)(first + 1));
    assert_int_equal(port.answer_count, 1);
    send_chunk((uint16_t)(first + 3), image + 3 * CHUNK, CHUNK);
    send_chunk(first, image, CHUNK);                             /* a repetition */
    send_chunk((uint16_t)(first + 1), image + CHUNK, CHUNK - 1); /* cut on the way */
    assert_int_equal(port.answer_count, 1);
    port.answer_count = 0;
    report = send_stream(report, image + CHUNK, image_size - CHUNK);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    report = ask(UPDRAFT_P2_FINISH, report.session);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_VERIFIED);
}

static void chunks_of_a_stream_that_ended_are_no_data(void **state)
{
    (void)state;
    struct updraft_p2_report manifest_report = open_session(ALICE, UPDRAFT_P2_OPEN_FORCE);
    struct updraft_p2_report report = send_manifest(manifest_report);
    report = tell(ALICE, (struct updraft_p2_command){.opcode = UPDRAFT_P2_RANGE,
                                                     .session = report.session,
                                                     .size_bytes = image_size});
    for (uint16_t n = manifest_report.next; n != manifest_report.limit; n++) {
        send_chunk(n, image, CHUNK);
    }
    assert_int_equal(updraft_device_received_bytes(&port.device), 0);
    assert_int_equal(port.answer_count, 0);
}

static void silence_is_ended_by_asking_and_then_by_giving_up(void **state)
{
    (void)state;
    struct updraft_p2_report report = get_ready(UPDRAFT_P2_OPEN_FORCE);
    (void)tell(ALICE, (struct updraft_p2_command){.opcode = UPDRAFT_P2_RANGE,
                                                  .session = report.session,
                                                  .size_bytes = image_size});
    uint32_t deadline_ms = 0;
    unsigned wanted = 0;
    while (updraft_device_deadline(&port.device, &deadline_ms)) {
        ram_port_tick(&port, deadline_ms);
        report = ram_port_report(&port, ALICE);
        port.answer_count = 0;
        wanted += (report.flags & UPDRAFT_P2_REPORT_WANT) != 0;
        assert_true(wanted < 100);
    }
    assert_in_range(wanted, 25, 35);
    assert_int_equal(report.status, UPDRAFT_P2_TIMEOUT);
    assert_int_equal(updraft_device_owner(&port.device), UPDRAFT_CONNECTION_NONE);
}

static void ranges_outside_the_file_are_refused(void **state)
{
    (void)state;
    static const uint32_t wrong[][2] = {
        {0, 0},
        {16, SECTOR},
        {0, 5000},
        {0, 0xFFFFFFFFu},
        {SECTOR, 40000},
        {0xFFFFF000u, 0x2000},
        {SECTOR, 0xFFFFF000u},
    };
    struct updraft_p2_report report = get_ready(UPDRAFT_P2_OPEN_FORCE);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct updraft_p2_command command = {.opcode = UPDRAFT_P2_RANGE,
                                             .session = report.session,
                                             .start_bytes = wrong[i][0],
                                             .size_bytes = wrong[i][1]};
        assert_int_equal(tell(ALICE, command).status, UPDRAFT_P2_BAD_RANGE);
        assert_int_equal(updraft_device_state(&port.device), UPDRAFT_DEVICE_READY);
    }
    assert_int_equal(port.erase_count, 0);
}

static void read_map(uint8_t session, uint16_t count)
{
    struct updraft_p2_command command = {
        .opcode = UPDRAFT_P2_MAP, .session = session, .sector_count = count};
    port.map_count = 0;
    port.answer_count = 0;
    ram_port_command(&port, ALICE, &command, port.now_ms);
    port.answer_count = 0;
    assert_int_equal(port.map_count, count);
}

static void what_a_lost_link_left_is_found_by_map_and_kept(void **state)
{
    (void)state;
    struct updraft_p2_report report = get_ready(UPDRAFT_P2_OPEN_FORCE);
    report = tell(ALICE, (struct updraft_p2_command){.opcode = UPDRAFT_P2_RANGE,
                                                     .session = report.session,
                                                     .size_bytes = image_size});
    report = send_stream(report, image, 60 * CHUNK);
    ram_port_link_lost(&port, ALICE);
    nonce = 2;
    report = get_ready(UPDRAFT_P2_OPEN_FORCE);
    uint16_t sectors = (uint16_t)((image_size + SECTOR - 1) / SECTOR);
    read_map(report.session, sectors);
    uint8_t expected[SECTOR];
    memcpy(expected, image, SECTOR);
    memset(expected, 0xFF, 32);
    assert_int_equal(port.map_crc[0], updraft_crc32(0, expected, SECTOR));
    assert_int_equal(report.detail, port.map_crc[0]);
    uint32_t kept = 1;
    while (port.map_crc[kept] == updraft_crc32(0, image + kept * SECTOR, SECTOR)) {
        kept++;
    }
    assert_int_equal(kept, 60 * CHUNK / SECTOR);
    uint32_t start = (kept - 1) * SECTOR; /* the last one may be marginal */
    report =
        send_range(report.session, start, image_size - start, UPDRAFT_P2_RANGE_FINISH);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_VERIFIED);
    report = tell(ALICE, naming_image(UPDRAFT_P2_ACTIVATE));
    assert_true(ram_port_runs(&port, image, image_size));
}

static void a_byte_that_decayed_is_found_and_its_sector_repaired(void **state)
{
    (void)state;
    struct updraft_p2_report report = get_ready(UPDRAFT_P2_OPEN_FORCE);
    port.corrupt_at = 9000;
    report = send_range(report.session, 0, image_size, UPDRAFT_P2_RANGE_FINISH);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    assert_int_equal(report.status, UPDRAFT_P2_HASH);
    port.corrupt_at = NEVER;
    port.hash_matched = false; /* the port took any hash for good */
    read_map(report.session, 3);
    assert_int_not_equal(port.map_crc[2], updraft_crc32(0, image + 2 * SECTOR, SECTOR));
    report = send_range(report.session, 2 * SECTOR, SECTOR, UPDRAFT_P2_RANGE_FINISH);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_VERIFIED);
}

static void a_manifest_that_promises_another_file_is_not_activated(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 3; what++) {
        set_up(NULL);
        manifest.file_sha256[3] ^= what == 0;
        manifest.image_id[3] ^= what == 1;
        manifest.head[200] ^= what == 2;
        struct updraft_p2_report report = get_ready(UPDRAFT_P2_OPEN_FORCE);
        report = send_range(report.session, 0, image_size, UPDRAFT_P2_RANGE_FINISH);
        assert_int_equal(report.status, UPDRAFT_P2_HASH);
        report = tell(ALICE, naming_image(UPDRAFT_P2_ACTIVATE));
        assert_int_equal(report.status, UPDRAFT_P2_WRONG_STATE);
        assert_false(port.activated);
        assert_false(port.header_written);
    }
}

static void a_staged_image_is_activated_by_its_id_later(void **state)
{
    (void)state;
    struct updraft_p2_report report =
        get_ready(UPDRAFT_P2_OPEN_FORCE | UPDRAFT_P2_OPEN_STAGE);
    report = send_range(report.session, 0, image_size, UPDRAFT_P2_RANGE_FINISH);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_VERIFIED);
    ram_port_link_lost(&port, ALICE);
    assert_false(ram_port_has_image(&port));
    struct updraft_p2_command command = naming_image(UPDRAFT_P2_ACTIVATE);
    command.id[0] ^= 1;
    assert_int_equal(tell(BOB, command).status, UPDRAFT_P2_NOTHING_STAGED);
    command.id[0] ^= 1;
    assert_int_equal(tell(BOB, command).state, UPDRAFT_P2_STATE_RESTARTING);
    assert_true(ram_port_runs(&port, image, image_size));
    assert_true(port.policy_noted);
}

static void confirm_and_rollback_need_no_session(void **state)
{
    (void)state;
    assert_int_equal(tell(BOB, naming_image(UPDRAFT_P2_CONFIRM)).status, UPDRAFT_P2_OK);
    assert_true(port.confirmed);
    struct updraft_p2_command command = naming_image(UPDRAFT_P2_ROLLBACK);
    port.fail_at = port.work_count;
    port.fail_result = UPDRAFT_ERROR_NO_FALLBACK;
    assert_int_equal(tell(BOB, command).status, UPDRAFT_P2_NO_FALLBACK);
    assert_false(port.rolled_back);
    assert_int_equal(tell(BOB, command).state, UPDRAFT_P2_STATE_RESTARTING);
    assert_true(port.rolled_back);
}

static void erasing_sessions_are_limited(void **state)
{
    (void)state;
    struct updraft_p2_report report = {0};
    unsigned sessions = 0;
    for (; sessions < 100; sessions++) {
        nonce++;
        report = open_session(ALICE, UPDRAFT_P2_OPEN_FORCE);
        if (report.status != UPDRAFT_P2_OK) {
            break;
        }
        report = send_manifest(report);
        if (sessions % 2 == 1) { /* which prepares the slot, too */
            (void)ask(UPDRAFT_P2_FINISH, report.session);
        }
        (void)tell(ALICE, (struct updraft_p2_command){.opcode = UPDRAFT_P2_RANGE,
                                                      .session = report.session,
                                                      .size_bytes = image_size});
    }
    assert_int_equal(sessions, 30);
    assert_int_equal(report.status, UPDRAFT_P2_RATE_LIMIT);
    assert_in_range(report.detail, 1, 61);
    port.now_ms += report.detail * 1000;
    nonce++;
    report = open_session(ALICE, UPDRAFT_P2_OPEN_FORCE);
    assert_int_equal(report.status, UPDRAFT_P2_OK);
}

static void any_flash_work_that_fails_ends_the_session_and_harms_nothing(void **state)
{
    (void)state;
    for (uint32_t fail_at = 0;; fail_at++) {
        set_up(NULL);
        port.fail_at = fail_at;
        port.fail_result = UPDRAFT_ERROR_FLASH_WRITE;
        struct updraft_p2_report report = open_session(ALICE, UPDRAFT_P2_OPEN_FORCE);
        if (report.status == UPDRAFT_P2_OK) {
            report = send_manifest(report);
        }
        if (report.status == UPDRAFT_P2_OK) {
            report = tell(ALICE, (struct updraft_p2_command){
                                     .opcode = UPDRAFT_P2_RANGE,
                                     .session = report.session,
                                     .flags = UPDRAFT_P2_RANGE_FINISH,
                                     .size_bytes = image_size,
                                 });
        }
        uint32_t sent = 0;
        for (uint16_t n = report.next;
             report.status == UPDRAFT_P2_OK && sent < image_size; n++) {
            uint32_t part = image_size - sent < CHUNK ? image_size - sent : CHUNK;
            send_chunk(n, image + sent, part);
            sent += part;
            if (port.answer_count > 0) {
                report = ram_port_report(&port, ALICE);
                port.answer_count = 0;
            }
        }
        if (report.status == UPDRAFT_P2_OK) {
            assert_int_equal(report.state, UPDRAFT_P2_STATE_VERIFIED);
            report = tell(ALICE, naming_image(UPDRAFT_P2_ACTIVATE));
        }
        if (port.work_count <= fail_at) {
            assert_true(fail_at > 20);
            assert_true(port.restarted);
            break; /* nothing failed any more */
        }
        if (port.restarted) {
            continue; /* the restart itself was told to fail */
        }
        if (report.status != UPDRAFT_P2_OK) {
            assert_int_equal(report.status, UPDRAFT_P2_FLASH);
            assert_int_equal(report.state, UPDRAFT_P2_STATE_IDLE);
            assert_int_equal(updraft_device_owner(&port.device), UPDRAFT_CONNECTION_NONE);
            assert_false(port.activated);
        }
    }
}

static void protocol_1_still_works_between_sessions_of_protocol_2(void **state)
{
    (void)state;
    (void)get_ready(UPDRAFT_P2_OPEN_FORCE);
    assert_int_equal(updraft_device_protocol(&port.device), 2);
    assert_int_equal(ram_port_update(&port, ALICE, image, image_size, 244),
                     UPDRAFT_P1_DONE_ACK);
    assert_true(ram_port_runs(&port, image, image_size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, set_up)
        TEST(a_whole_file_is_written_verified_and_activated),
        TEST(a_range_may_end_in_the_verification),
        TEST(everything_that_does_not_fit_is_refused_before_erasing),
        TEST(an_open_is_judged_by_itself_first),
        TEST(another_connection_is_told_busy_until_the_owner_has_left),
        TEST(data_of_another_connection_is_nobodys),
        TEST(an_open_said_twice_is_one_session),
        TEST(a_gap_is_reported_once_and_sent_again),
        TEST(chunks_of_a_stream_that_ended_are_no_data),
        TEST(silence_is_ended_by_asking_and_then_by_giving_up),
        TEST(ranges_outside_the_file_are_refused),
        TEST(what_a_lost_link_left_is_found_by_map_and_kept),
        TEST(a_byte_that_decayed_is_found_and_its_sector_repaired),
        TEST(a_manifest_that_promises_another_file_is_not_activated),
        TEST(a_staged_image_is_activated_by_its_id_later),
        TEST(confirm_and_rollback_need_no_session),
        TEST(erasing_sessions_are_limited),
        TEST(any_flash_work_that_fails_ends_the_session_and_harms_nothing),
        TEST(protocol_1_still_works_between_sessions_of_protocol_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
