/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Nobody wears the slot's flash out: how often one sector can be erased in a day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/image_maker.h"
#include "tests/unit/ram_port.h"
#include "updraft/error.h"

#define MALLORY 1u
#define SEED    20261127u
#define SECTOR  UPDRAFT_P2_SECTOR_SIZE
#define WRITE   498u
#define CHUNK   (WRITE - 2u)
#define DAY_MS  86400000u
/* 30 passes at once, then one a minute; a sector that is erased twice in one of them is
 * the very first, whose erase is timed. */
#define DAY_ERASES_MAX (30u + 24u * 60u + 2u)

static struct ram_port port;
static uint8_t image[RAM_SLOT_SIZE];
static uint32_t image_size;
static struct updraft_p2_manifest manifest;

static int set_up(void **state)
{
    (void)state;
    struct image_recipe recipe = {.data_size_bytes = 3 * SECTOR, .seed = SEED};
    image_size = (uint32_t)make_image(&recipe, image, sizeof(image));
    manifest = make_manifest(image, image_size);
    ram_port_init(&port);
    return 0;
}

static struct updraft_p2_report tell(struct updraft_p2_command command)
{
    ram_port_command(&port, MALLORY, &command, port.now_ms);
    struct updraft_p2_report report = ram_port_report(&port, MALLORY);
    port.answer_count = 0;
    return report;
}

/* Sends the stream that the report begins; returns the last report. */
static struct updraft_p2_report stream(struct updraft_p2_report report,
                                       const uint8_t *bytes, uint32_t size)
{
    uint16_t number = report.next;
    for (uint32_t sent = 0; sent < size; number++) {
        uint32_t part = size - sent < CHUNK ? size - sent : CHUNK;
        uint8_t value[WRITE] = {(uint8_t)number, (uint8_t)(number >> 8)};
        memcpy(value + 2, bytes + sent, part);
        ram_port_data(&port, MALLORY, value, part + 2, port.now_ms);
        sent += part;
    }
    report = ram_port_report(&port, MALLORY);
    port.answer_count = 0;
    return report;
}

static struct updraft_p2_report open_session(uint32_t nonce)
{
    uint8_t bytes[UPDRAFT_P2_MANIFEST_SIZE];
    struct updraft_p2_report report = tell((struct updraft_p2_command){
        .opcode = UPDRAFT_P2_OPEN,
        .version = 2,
        .flags = UPDRAFT_P2_OPEN_FORCE,
        .manifest_size_bytes = UPDRAFT_P2_MANIFEST_SIZE,
        .write_size_bytes = WRITE,
        .nonce = nonce,
    });
    updraft_p2_put_manifest(&manifest, bytes);
    return report.status == UPDRAFT_P2_OK ? stream(report, bytes, sizeof(bytes)) : report;
}

static struct updraft_p2_report range(uint8_t session, uint32_t start, uint32_t size)
{
    struct updraft_p2_report report =
        tell((struct updraft_p2_command){.opcode = UPDRAFT_P2_RANGE,
                                         .session = session,
                                         .start_bytes = start,
                                         .size_bytes = size});
    return report.status == UPDRAFT_P2_OK ? stream(report, image + start, size) : report;
}

static void one_session_cannot_erase_a_sector_again_and_again(void **state)
{
    (void)state;
    uint32_t nonce = 1;
    uint32_t last = image_size / SECTOR * SECTOR; /* its data is short */
    struct updraft_p2_report report = open_session(nonce);
    while (port.now_ms < DAY_MS) {
        uint8_t session = report.session;
        report = range(session, last, image_size - last);
        if (report.status == UPDRAFT_P2_RATE_LIMIT) {
            assert_in_range(report.detail, 1, 61);
            port.now_ms += 1000;
            ram_port_tick(&port, port.now_ms);
            report.session = session;
        }
        if (updraft_device_state(&port.device) == UPDRAFT_DEVICE_IDLE) {
            report = open_session(++nonce);
        }
        port.now_ms += 50;
    }
    assert_in_range(port.erase_count, 30, DAY_ERASES_MAX);
}

static void requests_of_protocol_1_cannot_either(void **state)
{
    (void)state;
    while (port.now_ms < DAY_MS) {
        uint8_t answer = ram_port_request(&port, MALLORY, 0, port.now_ms);
        port.answer_count = 0;
        if (answer == UPDRAFT_P1_REQUEST_ACK) {
            ram_port_send(&port, MALLORY, image, 2048, 512, port.now_ms);
        } else {
            assert_int_equal(updraft_device_error(&port.device),
                             UPDRAFT_ERROR_RATE_LIMIT);
            port.now_ms += 1000;
        }
        port.now_ms += 50;
    }
    assert_in_range(port.erase_count, 30, DAY_ERASES_MAX);
}

static void ranges_that_go_on_are_one_pass_and_a_repair_is_another(void **state)
{
    (void)state;
    struct updraft_p2_report report = open_session(1);
    uint8_t session = report.session;
    for (uint32_t start = 0; start < image_size; start += SECTOR) {
        uint32_t left = image_size - start;
        report = range(session, start, left < SECTOR ? left : SECTOR);
        assert_int_equal(report.status, UPDRAFT_P2_OK);
        assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    }
    unsigned repairs = 0;
    while ((report = range(session, SECTOR, SECTOR)).status == UPDRAFT_P2_OK) {
        repairs++;
    }
    assert_int_equal(report.status, UPDRAFT_P2_RATE_LIMIT);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_READY);
    assert_int_equal(repairs, 29);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_session_cannot_erase_a_sector_again_and_again, set_up),
        cmocka_unit_test_setup(requests_of_protocol_1_cannot_either, set_up),
        cmocka_unit_test_setup(ranges_that_go_on_are_one_pass_and_a_repair_is_another,
                               set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
