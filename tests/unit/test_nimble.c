/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the virtual NimBLE: discovery, reads and writes, and how unfriendly it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/nimble/nimble_sim.h"
#include "tests/unit/nimble_fixture.h"

static void it_starts_as_nimble_does(void **state)
{
    (void)state;
    fixture_open(NULL);
    assert_true(fixture_wrote("init: 0\n", 0));
    assert_true(fixture_wrote("mtu: 0\n", 0));
    assert_true(fixture_wrote("too early: 30\n", 0)); /* BLE_HS_EDISABLED */
    assert_true(fixture_wrote("synced: 0\n", 0));
    fixture_close(0);
}

static void services_are_found_in_the_order_they_were_added(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 498);
    const uint8_t all[7] = {0x10, 1, 0, 0xFF, 0xFF, 0x00, 0x28};
    att_request(link, all, sizeof(all));
    /* Generic Access, Generic Attribute and Device Information have short UUIDs. */
    const uint8_t expected[] = {0x11, 6, 1,    0,    5,  0, 0x00, 0x18, 6,    0,
                                13,   0, 0x01, 0x18, 14, 0, 16,   0,    0x0A, 0x18};
    assert_int_equal(link->answer_size, sizeof(expected));
    assert_memory_equal(link->answer, expected, sizeof(expected));
    const uint8_t rest[7] = {0x10, 17, 0, 0xFF, 0xFF, 0x00, 0x28};
    att_request(link, rest, sizeof(rest));
    const uint8_t uuid[16] = {ORDER_UUID128(0)};
    assert_int_equal(link->answer_size, 2 + 20);
    assert_memory_equal(link->answer + 6, uuid, 16);
    const uint8_t beyond[7] = {0x10, 0x40, 0, 0xFF, 0xFF, 0x00, 0x28};
    att_request(link, beyond, sizeof(beyond));
    assert_int_equal(att_error(link), 0x0A);
    /* Only services are groups. */
    const uint8_t wrong[7] = {0x10, 1, 0, 0xFF, 0xFF, 0x03, 0x28};
    att_request(link, wrong, sizeof(wrong));
    assert_int_equal(att_error(link), 0x10);
    fixture_close(0);
}

static void a_service_is_found_by_its_uuid(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    uint8_t request[7 + 16] = {0x06, 1, 0, 0xFF, 0xFF, 0x00, 0x28};
    const uint8_t uuid[16] = {ORDER_UUID128(0)};
    memcpy(request + 7, uuid, 16);
    att_request(link, request, sizeof(request));
    assert_int_equal(link->answer_size, 5);
    assert_int_equal(link->answer[0], 0x07);
    assert_int_equal(hci_get_le16(link->answer + 1), 17);
    assert_int_equal(hci_get_le16(link->answer + 3), 26);
    request[7] ^= 0xFF;
    att_request(link, request, sizeof(request));
    assert_int_equal(att_error(link), 0x0A);
    fixture_close(0);
}

static void descriptors_are_found(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    uint16_t value = att_value_handle(link, 1);
    uint8_t request[5] = {0x04};
    hci_put_le16(request + 1, (uint16_t)(value + 1));
    hci_put_le16(request + 3, (uint16_t)(value + 1));
    att_request(link, request, sizeof(request));
    assert_int_equal(link->answer_size, 6);
    assert_int_equal(link->answer[1], 1);
    assert_int_equal(hci_get_le16(link->answer + 4), 0x2902);
    /* Lists of one kind only: 16-bit UUIDs end at the first longer one. */
    const uint8_t all[5] = {0x04, 17, 0, 0xFF, 0xFF};
    att_request(link, all, sizeof(all));
    assert_int_equal(link->answer_size, 2 + 4 + 4);
    const uint8_t backwards[5] = {0x04, 9, 0, 8, 0};
    att_request(link, backwards, sizeof(backwards));
    assert_int_equal(att_error(link), 0x01);
    fixture_close(0);
}

static void the_mtu_is_the_smaller_of_both(void **state)
{
    (void)state;
    fixture_open(NULL);
    size_t mark = fixture.log_size;
    struct att_link *link = att_connect(0, 185);
    assert_true(fixture_await("mtu 185\n", mark, 100));
    uint8_t bytes[200] = {0};
    /* A PDU longer than the MTU is not taken at all, but for NimBLE's two bytes. */
    mark = fixture.log_size;
    att_write_command(link, att_value_handle(link, 1), bytes, 185);
    fixture_run_ms(100);
    assert_false(fixture_wrote("value", mark));
    att_write_command(link, att_value_handle(link, 1), bytes, 182);
    assert_true(fixture_await("value 182 bytes", mark, 100));
    fixture_close(0);
}

static void long_values_are_read_in_parts_and_written_in_parts(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 64);
    uint16_t handle = att_value_handle(link, 1);
    uint8_t whole[512];
    for (size_t i = 0; i < sizeof(whole); i++) {
        whole[i] = (uint8_t)(i * 7);
    }
    for (uint16_t at = 0; at < sizeof(whole); at = (uint16_t)(at + 59)) {
        uint8_t request[64] = {0x16};
        size_t part = sizeof(whole) - at < 59 ? sizeof(whole) - at : 59;
        hci_put_le16(request + 1, handle);
        hci_put_le16(request + 3, at);
        memcpy(request + 5, whole + at, part);
        assert_int_equal(att_request(link, request, part + 5), part + 5);
        assert_int_equal(link->answer[0], 0x17);
        assert_memory_equal(link->answer + 1, request + 1, part + 4);
    }
    size_t mark = fixture.log_size;
    const uint8_t execute[2] = {0x18, 1};
    att_request(link, execute, sizeof(execute));
    assert_int_equal(link->answer[0], 0x19);
    assert_true(fixture_wrote("value 512 bytes, first 0, last 249\n", mark));
    uint8_t read[512];
    size_t size = 0;
    size_t got = 63;
    while (got == 63) {
        uint8_t request[5] = {size == 0 ? 0x0A : 0x0C};
        hci_put_le16(request + 1, handle);
        hci_put_le16(request + 3, (uint16_t)size);
        got = att_request(link, request, size == 0 ? 3 : 5) - 1;
        assert_int_equal(att_error(link), 0);
        memcpy(read + size, link->answer + 1, got);
        size += got;
    }
    assert_int_equal(size, 512);
    assert_memory_equal(read, whole, 512);
    uint8_t beyond[5] = {0x0C};
    hci_put_le16(beyond + 1, handle);
    hci_put_le16(beyond + 3, 513);
    att_request(link, beyond, sizeof(beyond));
    assert_int_equal(att_error(link), 0x07);
    fixture_close(0);
}

/* Each part takes one of the small buffers, of which there are 12. */
static void a_long_value_in_too_many_parts_is_refused(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0); /* MTU 23 */
    uint16_t handle = att_value_handle(link, 1);
    for (uint16_t part = 0; part <= 12; part++) {
        uint8_t request[23] = {0x16};
        hci_put_le16(request + 1, handle);
        hci_put_le16(request + 3, (uint16_t)(part * 18));
        att_request(link, request, sizeof(request));
        assert_int_equal(att_error(link), part < 12 ? 0 : 0x11);
    }
    const uint8_t execute[2] = {0x18, 0};
    att_request(link, execute, sizeof(execute));
    assert_int_equal(link->answer[0], 0x19);
    fixture_close(0);
}

static void queued_writes_with_a_gap_are_refused_and_can_be_cancelled(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    uint8_t request[8] = {0x16, 0, 0, 0, 0, 1, 2, 3};
    hci_put_le16(request + 1, att_value_handle(link, 1));
    att_request(link, request, sizeof(request));
    hci_put_le16(request + 3, 4); /* byte 3 is missing */
    att_request(link, request, sizeof(request));
    size_t mark = fixture.log_size;
    uint8_t execute[2] = {0x18, 1};
    att_request(link, execute, sizeof(execute));
    assert_int_equal(att_error(link), 0x07);
    hci_put_le16(request + 3, 0);
    att_request(link, request, sizeof(request));
    execute[1] = 0;
    att_request(link, execute, sizeof(execute));
    assert_int_equal(link->answer[0], 0x19);
    assert_false(fixture_wrote("value", mark));
    /* What a connection leaves in the queue goes with it: fixture_close would find it. */
    att_request(link, request, sizeof(request));
    sim_controller_power(link->host.controller, false);
    assert_true(fixture_await("disconnect 0x208\n", mark, 5000));
    fixture_close(0);
}

static void malformed_requests_get_errors_or_nothing_and_commands_nothing(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    static const struct {
        uint8_t size;
        uint8_t bytes[8];
        uint8_t error; /* 0: no answer */
    } cases[] = {
        {1, {0x02}, 0},                /* no MTU in it */
        {2, {0x0A, 1}, 0},             /* half a handle */
        {3, {0x0A, 0, 0}, 0x01},       /* handle 0 */
        {3, {0x0A, 0xFF, 0xFF}, 0x01}, /* none such */
        {4, {0x04, 1, 0, 9}, 0},
        {5, {0x08, 1, 0, 9, 0}, 0},
        {3, {0x12, 0xFF, 0xFF}, 0x01},
        {3, {0x12, 1, 0}, 0x03}, /* a declaration */
        {5, {0x16, 1, 0, 0, 0}, 0x03},
        {1, {0x18}, 0},
        {2, {0x3E, 0}, 0x06}, /* no such request */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        link->answer_size = 0;
        att_send(link, cases[i].bytes, cases[i].size);
        fixture_run_ms(100);
        bool answered = link->answer_size != 0;
        uint8_t error = answered ? att_error(link) : 0;
        if (answered != (cases[i].error != 0) || error != cases[i].error ||
            (answered && link->answer[1] != cases[i].bytes[0])) {
            fail_msg("case %zu: error 0x%02x", i, error);
        }
    }
    static const uint8_t commands[][3] = {
        {0x52, 0xFF, 0xFF}, {0x52, 1, 0}, {0xD2, 0, 0}, {0x7E, 0, 0}, {0x1E, 0, 0}};
    link->answer_size = 0;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        att_send(link, commands[i], sizeof(commands[i]));
    }
    fixture_run_ms(100);
    assert_int_equal(link->answer_size, 0);
    fixture_close(0);
}

static void what_needs_encryption_is_refused_without(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    uint16_t handle = att_value_handle(link, 4);
    uint8_t read[3] = {0x0A};
    hci_put_le16(read + 1, handle);
    att_request(link, read, sizeof(read));
    assert_int_equal(att_error(link), 0x05);
    assert_int_equal(att_write(link, handle, "x", 1), 0x05);
    att_write_command(link, handle, "x", 1);
    fixture_run_ms(100);
    assert_false(fixture_wrote("secret", 0));
    /* There is no Security Manager to get a key from. */
    const uint8_t pair[7] = {0x01, 0x03, 0, 0x01, 16, 0, 0};
    l2cap_send_raw(link, L2CAP_CHANNEL_SMP, pair, sizeof(pair));
    fixture_run_ms(100);
    assert_int_equal(link->smp_size, 2);
    assert_int_equal(link->smp[0], 0x05);
    fixture_close(0);
}

static void a_channel_that_is_not_there_is_rejected(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    l2cap_send_raw(link, 0x0044, "hello", 5);
    fixture_run_ms(100);
    assert_int_equal(link->signal_size, 10);
    assert_int_equal(link->signal[0], 0x01);
    assert_int_equal(hci_get_le16(link->signal + 4), 0x0002);
    assert_int_equal(hci_get_le16(link->signal + 6), 0x0044);
    const uint8_t unknown[4] = {0x42, 7, 0, 0};
    link->signal_size = 0;
    l2cap_send_raw(link, L2CAP_CHANNEL_SIGNALLING, unknown, sizeof(unknown));
    fixture_run_ms(100);
    assert_int_equal(link->signal[0], 0x01);
    assert_int_equal(link->signal[1], 7);
    fixture_close(0);
}

static void device_information_and_names_are_read(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 100);
    static const struct {
        uint16_t uuid;
        const char *value;
    } cases[] = {{0x2A00, "esp32"}, {0x2A24, "a board of tests"}};
    for (size_t i = 0; i < 2; i++) {
        uint8_t request[7] = {0x08, 1, 0, 0xFF, 0xFF};
        hci_put_le16(request + 5, cases[i].uuid);
        size_t size = att_request(link, request, sizeof(request));
        assert_int_equal(size, 4 + strlen(cases[i].value));
        assert_memory_equal(link->answer + 4, cases[i].value, size - 4);
    }
    /* Without CONFIG_BT_NIMBLE_SVC_DIS_FIRMWARE_REVISION there is none. */
    const uint8_t firmware[7] = {0x08, 1, 0, 0xFF, 0xFF, 0x26, 0x2A};
    att_request(link, firmware, sizeof(firmware));
    assert_int_equal(att_error(link), 0x0A);
    fixture_close(0);
}

static void frames_of_noise_do_no_harm(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 498);
    sim_random_t random;
    sim_random_seed(&random, FIXTURE_SEED);
    uint16_t order = att_value_handle(link, 2);
    for (int i = 0; i < 3000; i++) {
        uint8_t bytes[64];
        size_t size = 1 + sim_random_below(&random, 40);
        sim_random_fill(&random, bytes, size);
        static const uint8_t known[] = {0x02, 0x04, 0x06, 0x08, 0x0A, 0x0C, 0x0E,
                                        0x10, 0x12, 0x16, 0x18, 0x1E, 0x52};
        if (sim_random_below(&random, 2) == 0) {
            bytes[0] = known[sim_random_below(&random, sizeof(known))];
        }
        if (size >= 3 && sim_random_below(&random, 2) == 0) {
            hci_put_le16(bytes + 1, (uint16_t)(1 + sim_random_below(&random, 30)));
        }
        if (size >= 3 && hci_get_le16(bytes + 1) == order) {
            continue; /* orders do what they say */
        }
        uint16_t channel = (uint16_t)(4 + sim_random_below(&random, 10) / 8);
        link->answer_size = 0;
        l2cap_send_raw(link, channel, bytes, size);
        fixture_run_ms(5);
    }
    link->answer_size = 0;
    assert_true(fixture_wrote("value", 0));
    const uint8_t cancel[2] = {0x18, 0};
    att_request(link, cancel, sizeof(cancel));
    assert_int_equal(sim_board_boots(fixture.board), 1);
    give_order(link, ORDER_FREE_HELD, 0);
    fixture_close(0);
}

/* Stale tables. */

static void service_changed_reaches_those_who_asked(void **state)
{
    (void)state;
    const struct fixture_options options = {.centrals = 2};
    fixture_open(&options);
    struct att_link *asked = att_connect(0, 0);
    struct att_link *other = att_connect(1, 0);
    const uint16_t changed_cccd = 9;
    assert_int_equal(att_write(asked, changed_cccd, "\x02\x00", 2), 0);
    give_order(other, ORDER_CHANGED, 0);
    fixture_run_ms(50);
    assert_int_equal(asked->updates, 1);
    assert_true(asked->update[0].indication);
    assert_int_equal(asked->update[0].handle, changed_cccd - 1);
    assert_memory_equal(asked->update[0].bytes, "\x01\x00\xFF\xFF", 4);
    assert_int_equal(other->updates, 0);
    fixture_close(0);
}

static size_t read_hash(struct att_link *link, uint8_t hash[16])
{
    const uint8_t request[7] = {0x08, 1, 0, 0xFF, 0xFF, 0x2A, 0x2B};
    size_t size = att_request(link, request, sizeof(request));
    if (att_error(link) == 0) {
        memcpy(hash, link->answer + 4, 16);
    }
    return size;
}

static void the_database_hash_is_there_with_caching_only(void **state)
{
    (void)state;
    uint8_t hash[16] = {0};
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    read_hash(link, hash);
    assert_int_equal(att_error(link), 0x0A);
    fixture_close(0);

    const struct fixture_options caching = {.firmware = "nimble_caching"};
    fixture_open(&caching);
    link = att_connect(0, 0);
    assert_int_equal(read_hash(link, hash), 20);
    fixture_close(0);
    /* The table's 30 attributes by hand (Vol 3, Part G, 7.3.1), through OpenSSL's
     * AES-CMAC with a key of zeroes; least significant byte first. */
    static const uint8_t expected[16] = {0x78, 0xEC, 0xBC, 0x68, 0xF5, 0x6B, 0x8B, 0x95,
                                         0x4B, 0xC0, 0xFB, 0x66, 0x44, 0xEC, 0x0E, 0xF5};
    assert_memory_equal(hash, expected, 16);
}

static void client_features_once_set_stay_set(void **state)
{
    (void)state;
    const struct fixture_options caching = {.firmware = "nimble_caching"};
    fixture_open(&caching);
    struct att_link *link = att_connect(0, 0);
    const uint16_t features = 13;
    assert_int_equal(att_write(link, features, "\x01", 1), 0);
    uint8_t read[3] = {0x0A, features, 0};
    att_request(link, read, sizeof(read));
    assert_int_equal(link->answer[1], 1);
    assert_int_equal(att_write(link, features, "\x00", 1), 0x13);
    fixture_close(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_as_nimble_does),
        cmocka_unit_test(services_are_found_in_the_order_they_were_added),
        cmocka_unit_test(a_service_is_found_by_its_uuid),
        cmocka_unit_test(descriptors_are_found),
        cmocka_unit_test(the_mtu_is_the_smaller_of_both),
        cmocka_unit_test(long_values_are_read_in_parts_and_written_in_parts),
        cmocka_unit_test(a_long_value_in_too_many_parts_is_refused),
        cmocka_unit_test(queued_writes_with_a_gap_are_refused_and_can_be_cancelled),
        cmocka_unit_test(malformed_requests_get_errors_or_nothing_and_commands_nothing),
        cmocka_unit_test(what_needs_encryption_is_refused_without),
        cmocka_unit_test(a_channel_that_is_not_there_is_rejected),
        cmocka_unit_test(device_information_and_names_are_read),
        cmocka_unit_test(service_changed_reaches_those_who_asked),
        cmocka_unit_test(the_database_hash_is_there_with_caching_only),
        cmocka_unit_test(client_features_once_set_stay_set),
        cmocka_unit_test(frames_of_noise_do_no_harm),
    };
    printf("seed %d\n", FIXTURE_SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
