/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the virtual controllers to their hosts: commands, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/radio/radio.h"
#include "tests/unit/hci_pair.h"

static void a_connect_that_nobody_answers_can_be_cancelled(void **state)
{
    (void)state;
    open_air(&clean, false, 0);
    uint8_t p[25] = {0x10, 0, 0x10, 0};
    p[6] = 2;
    hci_put_le16(p + 13, 24);
    hci_put_le16(p + 15, 24);
    hci_put_le16(p + 19, 400);
    assert_int_equal(hci_host_do(&pair.central, HCI_LE_CREATE_CONNECTION, p, 25, NULL),
                     HCI_SUCCESS);
    hci_host_run(pair.loop, 1000000);
    assert_int_equal(hci_host_do(&pair.central, HCI_LE_CREATE_CONNECTION, p, 25, NULL),
                     HCI_ERR_COMMAND_DISALLOWED);
    assert_int_equal(
        hci_host_do(&pair.central, HCI_LE_CREATE_CONNECTION_CANCEL, NULL, 0, NULL),
        HCI_SUCCESS);
    const struct hci_host_event *event = hci_host_await(
        &pair.central, HCI_EV_LE_META, HCI_LE_EV_CONNECTION_COMPLETE, 100000);
    assert_non_null(event);
    assert_int_equal(event->bytes[3], HCI_ERR_UNKNOWN_CONNECTION);
    close_air();
}

/* Asks for a link with the peripheral, which is answered so; the status of what becomes
 * of it within a second, -1 when nothing does. */
static int create_link(uint8_t answer)
{
    uint8_t p[25] = {0x10, 0, 0x10, 0};
    hci_host_clear(&pair.central);
    hci_reverse_address(p + 6, (const uint8_t[]){0xC0, 0, 0, 0, 0, 2});
    hci_put_le16(p + 13, 24);
    hci_put_le16(p + 15, 24);
    hci_put_le16(p + 19, 400);
    assert_int_equal(hci_host_do(&pair.central, HCI_LE_CREATE_CONNECTION, p, 25, NULL),
                     answer);
    const struct hci_host_event *event = hci_host_await(
        &pair.central, HCI_EV_LE_META, HCI_LE_EV_CONNECTION_COMPLETE, 1000000);
    return event != NULL ? event->bytes[3] : -1;
}

static void a_lost_connect_ends_after_six_events_and_the_next_one_is_heard(void **state)
{
    (void)state;
    for (int instant = 0; instant < 2; instant++) {
        struct sim_air_profile profile = clean;
        profile.instant = instant == 1;
        open_air(&profile, false, 0);
        hci_host_advertise(&pair.peripheral, "esp32");
        sim_controller_refuse(pair.peripheral.controller, SIM_REFUSAL_LOST, 2);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(create_link(HCI_SUCCESS), HCI_SUCCESS);
            uint64_t begun_us = sim_loop_now_us(pair.loop);
            const struct hci_host_event *event =
                hci_host_await(&pair.central, HCI_EV_DISCONNECTION_COMPLETE, 0, 1000000);
            assert_non_null(event);
            assert_int_equal(event->bytes[5], HCI_ERR_FAILED_TO_ESTABLISH);
            assert_in_range(event->at_us - begun_us, 5 * 30000, 7 * 30000);
        }
        assert_null(hci_host_find(&pair.peripheral, HCI_EV_LE_META,
                                  HCI_LE_EV_CONNECTION_COMPLETE));
        assert_int_equal(create_link(HCI_SUCCESS), HCI_SUCCESS);
        hci_host_run(pair.loop, 1000000);
        assert_null(hci_host_find(&pair.central, HCI_EV_DISCONNECTION_COMPLETE, 0));
        assert_non_null(hci_host_find(&pair.peripheral, HCI_EV_LE_META,
                                      HCI_LE_EV_CONNECTION_COMPLETE));
        close_air();
    }
}

static void a_rejected_connect_is_answered_and_the_next_one_is_heard(void **state)
{
    (void)state;
    open_air(&clean, false, 0);
    hci_host_advertise(&pair.peripheral, "esp32");
    sim_controller_refuse(pair.peripheral.controller, SIM_REFUSAL_REJECTED, 2);
    assert_int_equal(create_link(HCI_ERR_LIMITED_RESOURCES), -1);
    assert_int_equal(create_link(HCI_ERR_LIMITED_RESOURCES), -1);
    assert_int_equal(create_link(HCI_SUCCESS), HCI_SUCCESS);
    struct sim_air_ledger ledger;
    sim_air_ledger(pair.air, &ledger);
    assert_int_equal(ledger.links, 1);
    close_air();
}

static void a_link_that_drops_is_gone_with_the_first_data(void **state)
{
    (void)state;
    static const uint8_t data[] = {3, 0, 4, 0, 2, 23, 0};
    for (int instant = 0; instant < 2; instant++) {
        struct sim_air_profile profile = clean;
        profile.instant = instant == 1;
        open_air(&profile, false, 0);
        hci_host_advertise(&pair.peripheral, "esp32");
        sim_controller_refuse(pair.peripheral.controller, SIM_REFUSAL_DROPPED, 1);
        assert_int_equal(create_link(HCI_SUCCESS), HCI_SUCCESS);
        hci_host_run(pair.loop, 5000000);
        assert_null(hci_host_find(&pair.central, HCI_EV_DISCONNECTION_COMPLETE, 0));
        assert_true(
            hci_host_data(&pair.central, 1, HCI_ACL_FIRST_FROM_HOST, data, sizeof(data)));
        const struct hci_host_event *event =
            hci_host_await(&pair.central, HCI_EV_DISCONNECTION_COMPLETE, 0, 5000000);
        assert_non_null(event);
        assert_int_equal(event->bytes[5], HCI_ERR_CONNECTION_TIMEOUT);
        assert_int_equal(pair.peripheral.data_packets, 0);
        close_air();
    }
}

static void a_connect_that_is_ignored_goes_on_until_it_is_not(void **state)
{
    (void)state;
    open_air(&clean, false, 0);
    hci_host_advertise(&pair.peripheral, "esp32");
    sim_controller_refuse(pair.peripheral.controller, SIM_REFUSAL_IGNORED, 1);
    assert_int_equal(create_link(HCI_SUCCESS), -1);
    sim_controller_refuse(pair.peripheral.controller, SIM_REFUSAL_IGNORED, 0);
    const struct hci_host_event *event = hci_host_await(
        &pair.central, HCI_EV_LE_META, HCI_LE_EV_CONNECTION_COMPLETE, 1000000);
    assert_non_null(event);
    assert_int_equal(event->bytes[3], HCI_SUCCESS);
    close_air();
}

static void malformed_commands_are_answered_and_do_no_harm(void **state)
{
    (void)state;
    open_air(&clean, true, 0);
    struct hci_host *host = &pair.central;
    uint8_t bytes[64] = {0};
    assert_int_equal(hci_host_do(host, HCI_OPCODE(0x3F, 0x01), bytes, 3, NULL),
                     HCI_ERR_UNKNOWN_COMMAND);
    assert_int_equal(hci_host_do(host, HCI_LE_SET_ADV_ENABLE, bytes, 0, NULL),
                     HCI_ERR_INVALID_PARAMETERS);
    assert_int_equal(hci_host_do(host, HCI_LE_SET_ADV_ENABLE, bytes, 2, NULL),
                     HCI_ERR_INVALID_PARAMETERS);
    bytes[0] = 32; /* more data than there is room */
    assert_int_equal(hci_host_do(host, HCI_LE_SET_ADV_DATA, bytes, 32, NULL),
                     HCI_ERR_INVALID_PARAMETERS);
    assert_int_equal(hci_host_do(host, HCI_LE_CREATE_CONNECTION, bytes, 25, NULL),
                     HCI_ERR_INVALID_PARAMETERS);
    uint8_t raw[8] = {HCI_H4_COMMAND, 0x03};
    for (size_t size = 0; size < 4; size++) {
        sim_controller_send(host->controller, raw, size);
    }
    raw[0] = HCI_H4_ACL;
    for (size_t size = 1; size < sizeof(raw); size++) {
        sim_controller_send(host->controller, raw, size);
    }
    raw[0] = 0x77;
    sim_controller_send(host->controller, raw, sizeof(raw));
    /* Every opcode with every length: each is answered, and the controller lives. */
    memset(bytes, 0xA5, sizeof(bytes));
    for (unsigned ocf = 0; ocf < 0x80; ocf++) {
        for (size_t size = 0; size < 40; size += 1 + size / 8) {
            hci_host_do(host, (uint16_t)HCI_OPCODE(0x08, ocf), bytes, size, NULL);
        }
    }
    assert_int_equal(hci_host_do(host, HCI_RESET, NULL, 0, NULL), HCI_SUCCESS);
    close_air();
}

static void a_host_that_never_reads_gets_a_hardware_error_at_last(void **state)
{
    (void)state;
    open_air(&clean, false, 0);
    pair.central.refuse = true;
    for (int i = 0; i < 200; i++) {
        hci_host_command(&pair.central, HCI_READ_BD_ADDR, NULL, 0);
        hci_host_run(pair.loop, 100);
    }
    hci_host_clear(&pair.central);
    pair.central.refuse = false;
    sim_controller_kick(pair.central.controller);
    hci_host_run(pair.loop, 100);
    assert_int_equal(pair.central.events, CONTROLLER_EVENTS_MAX + 1);
    assert_non_null(hci_host_find(&pair.central, HCI_EV_HARDWARE_ERROR, 0));
    assert_int_equal(hci_host_do(&pair.central, HCI_RESET, NULL, 0, NULL), HCI_SUCCESS);
    close_air();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connect_that_nobody_answers_can_be_cancelled),
        cmocka_unit_test(a_lost_connect_ends_after_six_events_and_the_next_one_is_heard),
        cmocka_unit_test(a_rejected_connect_is_answered_and_the_next_one_is_heard),
        cmocka_unit_test(a_link_that_drops_is_gone_with_the_first_data),
        cmocka_unit_test(a_connect_that_is_ignored_goes_on_until_it_is_not),
        cmocka_unit_test(malformed_commands_are_answered_and_do_no_harm),
        cmocka_unit_test(a_host_that_never_reads_gets_a_hardware_error_at_last),
    };
    printf("seed %d\n", HCI_PAIR_SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
