/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the virtual controllers and the air between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/radio/radio.h"
#include "tests/unit/hci_pair.h"

static void connect(uint16_t interval, uint16_t timeout)
{
    hci_host_advertise(&pair.peripheral, "esp32");
    hci_host_connect(&pair.central, &pair.peripheral, interval, timeout,
                     &pair.central_handle, &pair.peripheral_handle);
}

static void set_data_length(struct hci_host *host, uint16_t handle)
{
    uint8_t p[6];
    hci_put_le16(p, handle);
    hci_put_le16(p + 2, 251);
    hci_put_le16(p + 4, 2120);
    assert_int_equal(hci_host_do(host, HCI_LE_SET_DATA_LENGTH, p, 6, NULL), HCI_SUCCESS);
    const struct hci_host_event *event =
        hci_host_await(host, HCI_EV_LE_META, HCI_LE_EV_DATA_LENGTH_CHANGE, 3000000);
    assert_non_null(event);
    assert_int_equal(hci_get_le16(event->bytes + 5), 251);
}

static void set_phy_2m(struct hci_host *host, uint16_t handle)
{
    uint8_t p[7] = {0, 0, 0, HCI_PHY_MASK_2M, HCI_PHY_MASK_2M};
    hci_put_le16(p, handle);
    assert_int_equal(hci_host_do(host, HCI_LE_SET_PHY, p, 7, NULL), HCI_SUCCESS);
    const struct hci_host_event *event =
        hci_host_await(host, HCI_EV_LE_META, HCI_LE_EV_PHY_UPDATE_COMPLETE, 3000000);
    assert_non_null(event);
    assert_int_equal(event->bytes[3], HCI_SUCCESS);
    assert_int_equal(event->bytes[6], HCI_PHY_2M);
}

static void air_times_are_those_of_the_specification(void **state)
{
    (void)state;
    assert_int_equal(link_air_time_us(HCI_PHY_1M, 0), 80);
    assert_int_equal(link_air_time_us(HCI_PHY_1M, 27), 296);
    assert_int_equal(link_air_time_us(HCI_PHY_1M, 251), 2088);
    assert_int_equal(link_air_time_us(HCI_PHY_2M, 0), 44);
    assert_int_equal(link_air_time_us(HCI_PHY_2M, 27), 152);
    assert_int_equal(link_air_time_us(HCI_PHY_2M, 251), 1048);
}

/* Pairs of a full PDU and an empty one that fit a connection interval; the table of the
 * link limit follows from them. */
static void a_stream_of_full_pdus_reaches_the_limit_of_the_link(void **state)
{
    (void)state;
    static const struct {
        uint16_t interval;
        bool phy_2m;
        bool up; /* from the peripheral */
        double kb_per_s;
    } cases[] = {
        {6, false, false, 97.6},  {12, false, false, 97.6}, {24, false, false, 97.6},
        {40, false, false, 97.6}, {6, true, false, 162.7},  {12, true, false, 162.7},
        {24, true, false, 170.8}, {40, true, false, 170.8}, {6, false, true, 97.6},
        {40, true, true, 170.8},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_air(&clean, cases[i].phy_2m, 0);
        connect(cases[i].interval, 400);
        set_data_length(&pair.central, pair.central_handle);
        set_data_length(&pair.peripheral, pair.peripheral_handle);
        if (cases[i].phy_2m) {
            set_phy_2m(&pair.central, pair.central_handle);
        }
        struct hci_host *from = cases[i].up ? &pair.peripheral : &pair.central;
        struct hci_host *to = cases[i].up ? &pair.central : &pair.peripheral;
        hci_host_stream(from, cases[i].up ? pair.peripheral_handle : pair.central_handle,
                        251, 0);
        hci_host_run(pair.loop, 1000000);
        uint64_t before = to->data_packets;
        hci_host_run(pair.loop, 12000000);
        double kb_per_s = (double)(to->data_packets - before) * 244 / 12000.0;
        if (kb_per_s < cases[i].kb_per_s * 0.99 || kb_per_s > cases[i].kb_per_s * 1.01) {
            fail_msg("case %zu: %.1f kB/s, not %.1f", i, kb_per_s, cases[i].kb_per_s);
        }
        close_air();
    }
}

static void short_pdus_are_used_until_a_data_length_is_agreed(void **state)
{
    (void)state;
    open_air(&clean, false, 64);
    connect(24, 400);
    uint8_t bytes[60];
    memset(bytes, 0x5A, sizeof(bytes));
    assert_true(hci_host_data(&pair.central, pair.central_handle, HCI_ACL_FIRST_FROM_HOST,
                              bytes, sizeof(bytes)));
    hci_host_run(pair.loop, 100000);
    assert_int_equal(pair.peripheral.data_packets, 3); /* 27 + 27 + 6 */
    assert_int_equal(pair.peripheral.data_bytes, 60);
    assert_int_equal(pair.central.completed, 1);
    set_data_length(&pair.central, pair.central_handle);
    assert_true(hci_host_data(&pair.central, pair.central_handle, HCI_ACL_FIRST_FROM_HOST,
                              bytes, sizeof(bytes)));
    hci_host_run(pair.loop, 100000);
    assert_int_equal(pair.peripheral.data_packets, 4);
    close_air();
}

static uint8_t stream_expected;
static bool stream_in_order;

static void check_order(struct hci_host *host, uint16_t handle, uint8_t boundary,
                        const uint8_t *bytes, size_t size)
{
    (void)host;
    (void)handle;
    stream_in_order = stream_in_order && boundary == HCI_ACL_FIRST && size == 20 &&
                      bytes[0] == stream_expected && bytes[19] == stream_expected;
    stream_expected++;
}

static void lost_pdus_are_repeated_in_order_and_none_comes_twice(void **state)
{
    (void)state;
    struct sim_air_profile lossy = clean;
    lossy.loss = 0.2;
    open_air(&lossy, false, 0);
    connect(6, 400);
    stream_expected = 0;
    stream_in_order = true;
    pair.peripheral.data = check_order;
    hci_host_stream(&pair.central, pair.central_handle, 20, 200);
    hci_host_run(pair.loop, 10000000);
    assert_int_equal(pair.peripheral.data_packets, 200);
    assert_int_equal(pair.central.completed, 200);
    assert_true(stream_in_order);
    struct sim_air_ledger ledger;
    sim_air_ledger(pair.air, &ledger);
    assert_in_range(ledger.lost_pdus, 100, 1000);
    assert_int_equal(ledger.data_pdus, 200);
    assert_int_equal(ledger.data_bytes, 4000);
    close_air();
}

/* Loss p each way ends the event: on average (1 - q^n)/(1 - q) * (1 - p) of n PDUs arrive
 * for the first time or again, with q = (1 - p)^2. */
static void an_event_ends_at_a_lost_pdu(void **state)
{
    (void)state;
    struct sim_air_profile lossy = clean;
    lossy.loss = 0.05;
    open_air(&lossy, false, 0);
    connect(40, 400);
    set_data_length(&pair.central, pair.central_handle);
    hci_host_stream(&pair.central, pair.central_handle, 251, 0);
    hci_host_run(pair.loop, 60000000);
    double share = (double)pair.peripheral.data_packets / (60000.0 / 50 * 20);
    /* 0.38 of the limit at 50 ms and 5 % loss, as published models of the link say. */
    assert_in_range((int)(share * 1000), 350, 450);
    close_air();
}

static void the_same_seed_gives_the_same_air(void **state)
{
    (void)state;
    struct sim_air_profile lossy = clean;
    lossy.loss = 0.1;
    struct sim_air_ledger first;
    struct sim_air_ledger second;
    for (int i = 0; i < 2; i++) {
        open_air(&lossy, false, 0);
        connect(12, 400);
        hci_host_stream(&pair.central, pair.central_handle, 100, 0);
        hci_host_run(pair.loop, 5000000);
        sim_air_ledger(pair.air, i == 0 ? &first : &second);
        close_air();
    }
    assert_memory_equal(&first, &second, sizeof(first));
}

static void a_peer_without_power_is_noticed_after_the_supervision_timeout(void **state)
{
    (void)state;
    for (int instant = 0; instant < 2; instant++) {
        struct sim_air_profile profile = clean;
        profile.instant = instant == 1;
        open_air(&profile, false, 0);
        connect(24, 200);
        hci_host_run(pair.loop, 1000000);
        hci_host_clear(&pair.central);
        uint64_t off_us = sim_loop_now_us(pair.loop);
        sim_controller_power(pair.peripheral.controller, false);
        const struct hci_host_event *event =
            hci_host_await(&pair.central, HCI_EV_DISCONNECTION_COMPLETE, 0, 10000000);
        assert_non_null(event);
        assert_int_equal(hci_get_le16(event->bytes + 3), pair.central_handle);
        assert_int_equal(event->bytes[5], HCI_ERR_CONNECTION_TIMEOUT);
        assert_in_range(event->at_us - off_us, 1940000, 2060000);
        close_air();
    }
}

static void a_shielded_controller_comes_back_in_time_or_not_at_all(void **state)
{
    (void)state;
    for (int instant = 0; instant < 2; instant++) {
        struct sim_air_profile profile = clean;
        profile.instant = instant == 1;
        open_air(&profile, false, 0);
        connect(24, 200);
        hci_host_run(pair.loop, 200000);
        hci_host_clear(&pair.central);
        hci_host_clear(&pair.peripheral);
        sim_controller_shield(pair.peripheral.controller, true);
        hci_host_run(pair.loop, 1000000);
        hci_host_stream(&pair.central, pair.central_handle, 20, 5);
        sim_controller_shield(pair.peripheral.controller, false);
        hci_host_run(pair.loop, 1000000);
        assert_int_equal(pair.peripheral.data_packets, 5);
        assert_null(hci_host_find(&pair.central, HCI_EV_DISCONNECTION_COMPLETE, 0));
        sim_controller_shield(pair.peripheral.controller, true);
        hci_host_run(pair.loop, 3000000);
        assert_non_null(hci_host_find(&pair.central, HCI_EV_DISCONNECTION_COMPLETE, 0));
        assert_non_null(
            hci_host_find(&pair.peripheral, HCI_EV_DISCONNECTION_COMPLETE, 0));
        close_air();
    }
}

static void a_host_that_refuses_holds_the_sender_back_and_nothing_is_lost(void **state)
{
    (void)state;
    for (int instant = 0; instant < 2; instant++) {
        struct sim_air_profile profile = clean;
        profile.instant = instant == 1;
        open_air(&profile, false, 4);
        connect(6, 400);
        stream_expected = 0;
        stream_in_order = true;
        pair.peripheral.data = check_order;
        pair.peripheral.refuse = true;
        hci_host_stream(&pair.central, pair.central_handle, 20, 100);
        hci_host_run(pair.loop, 3000000);
        assert_int_equal(pair.peripheral.data_packets, 0);
        assert_int_equal(pair.central.completed, 4); /* what the controller holds */
        pair.peripheral.refuse = false;
        sim_controller_kick(pair.peripheral.controller);
        hci_host_run(pair.loop, 3000000);
        assert_int_equal(pair.peripheral.data_packets, 100);
        assert_true(stream_in_order);
        assert_null(hci_host_find(&pair.central, HCI_EV_DISCONNECTION_COMPLETE, 0));
        close_air();
    }
}

static void a_central_sends_no_more_pdus_in_an_event_than_its_limit(void **state)
{
    (void)state;
    struct sim_air_profile limited = clean;
    limited.packets_per_event_max = 4;
    open_air(&limited, false, 0);
    connect(24, 400);
    hci_host_stream(&pair.central, pair.central_handle, 20, 0);
    hci_host_run(pair.loop, 1000000);
    uint64_t before = pair.peripheral.data_packets;
    hci_host_run(pair.loop, 3000000);
    assert_in_range(pair.peripheral.data_packets - before, 396, 404);
    close_air();
}

static void a_guard_shortens_every_event(void **state)
{
    (void)state;
    struct sim_air_profile guarded = clean;
    guarded.guard_us = 1000;
    open_air(&guarded, false, 0);
    connect(6, 400);
    set_data_length(&pair.central, pair.central_handle);
    hci_host_stream(&pair.central, pair.central_handle, 251, 0);
    hci_host_run(pair.loop, 1000000);
    uint64_t before = pair.peripheral.data_packets;
    hci_host_run(pair.loop, 3000000);
    /* 7.5 ms: two pairs instead of three. */
    assert_in_range(pair.peripheral.data_packets - before, 798, 802);
    close_air();
}

static void a_scanner_hears_advertising_and_its_response(void **state)
{
    (void)state;
    open_air(&clean, false, 0);
    uint8_t response[32] = {5, 4, 0x09, 'l', 'o', 'n'};
    assert_int_equal(
        hci_host_do(&pair.peripheral, HCI_LE_SET_SCAN_RESPONSE_DATA, response, 32, NULL),
        HCI_SUCCESS);
    hci_host_advertise(&pair.peripheral, "esp32");
    uint8_t parameters[7] = {1, 0x10, 0, 0x10, 0};
    uint8_t enable[2] = {1, 1};
    assert_int_equal(
        hci_host_do(&pair.central, HCI_LE_SET_SCAN_PARAMETERS, parameters, 7, NULL),
        HCI_SUCCESS);
    assert_int_equal(hci_host_do(&pair.central, HCI_LE_SET_SCAN_ENABLE, enable, 2, NULL),
                     HCI_SUCCESS);
    hci_host_run(pair.loop, 1000000);
    unsigned reports = 0;
    bool advertising = false;
    bool answered = false;
    for (size_t i = 0; i < pair.central.events; i++) {
        const uint8_t *bytes = pair.central.event[i].bytes;
        if (bytes[0] != HCI_EV_LE_META || bytes[2] != HCI_LE_EV_ADVERTISING_REPORT) {
            continue;
        }
        reports++;
        assert_int_equal(bytes[6], 2); /* the address, least significant byte first */
        advertising = advertising || (bytes[4] == HCI_REPORT_ADV_IND && bytes[12] == 10 &&
                                      memcmp(bytes + 17,
                                             "\x09"
                                             "esp32",
                                             6) == 0);
        answered = answered || (bytes[4] == HCI_REPORT_SCAN_RSP && bytes[12] == 5);
    }
    assert_true(advertising && answered);
    assert_int_equal(reports, 2); /* duplicates are filtered */
    enable[1] = 0;
    hci_host_do(&pair.central, HCI_LE_SET_SCAN_ENABLE, enable, 2, NULL);
    hci_host_run(pair.loop, 1000000);
    assert_in_range(pair.central.events, 17, 23); /* about ten intervals, two reports */
    close_air();
}

static void advertising_ends_with_the_connection_and_can_go_on_beside_it(void **state)
{
    (void)state;
    open_air(&clean, false, 0);
    connect(24, 400);
    struct sim_controller_config config = {.address = {0xC0, 0, 0, 0, 0, 3}};
    static struct hci_host second;
    hci_host_start(&second, pair.air, pair.loop, &config);
    uint8_t enable[2] = {1, 0};
    hci_host_do(&second, HCI_LE_SET_SCAN_ENABLE, enable, 2, NULL);
    hci_host_run(pair.loop, 1000000);
    assert_null(hci_host_find(&second, HCI_EV_LE_META, HCI_LE_EV_ADVERTISING_REPORT));
    hci_host_advertise(&pair.peripheral, "esp32");
    hci_host_run(pair.loop, 1000000);
    assert_non_null(hci_host_find(&second, HCI_EV_LE_META, HCI_LE_EV_ADVERTISING_REPORT));
    uint16_t handle;
    uint16_t peripheral_handle;
    hci_host_connect(&second, &pair.peripheral, 24, 400, &handle, &peripheral_handle);
    assert_int_not_equal(peripheral_handle, pair.peripheral_handle);
    /* Both links carry data. */
    hci_host_stream(&pair.central, pair.central_handle, 20, 50);
    hci_host_stream(&second, handle, 20, 50);
    hci_host_run(pair.loop, 3000000);
    assert_int_equal(pair.peripheral.data_packets, 100);
    assert_int_equal(pair.central.completed, 50);
    assert_int_equal(second.completed, 50);
    close_air();
}

static void a_radio_is_shared_among_its_links(void **state)
{
    (void)state;
    open_air(&clean, false, 0);
    connect(24, 400);
    static struct hci_host second;
    struct sim_controller_config config = {.address = {0xC0, 0, 0, 0, 0, 3},
                                           .data_length = true};
    hci_host_start(&second, pair.air, pair.loop, &config);
    hci_host_advertise(&second, "other");
    uint16_t handle;
    uint16_t peripheral_handle;
    hci_host_connect(&pair.central, &second, 24, 400, &handle, &peripheral_handle);
    /* Up, so that the central's credits do not mix. */
    set_data_length(&pair.peripheral, pair.peripheral_handle);
    set_data_length(&second, peripheral_handle);
    hci_host_stream(&pair.peripheral, pair.peripheral_handle, 251, 0);
    hci_host_stream(&second, peripheral_handle, 251, 0);
    hci_host_run(pair.loop, 10000000);
    double both = (double)pair.central.data_packets * 244 / 10000.0;
    assert_in_range((int)both, 90, 99); /* kB/s: one radio's worth */
    assert_in_range(pair.peripheral.completed * 100 / second.completed, 90, 110);
    close_air();
}

static void disconnecting_tells_both_hosts_who_did_it(void **state)
{
    (void)state;
    for (int instant = 0; instant < 2; instant++) {
        struct sim_air_profile profile = clean;
        profile.instant = instant == 1;
        profile.loss = instant == 1 ? 0 : 0.1;
        open_air(&profile, false, 0);
        connect(24, 400);
        uint8_t p[3] = {0, 0, HCI_ERR_REMOTE_USER_TERMINATED};
        hci_put_le16(p, pair.peripheral_handle);
        assert_int_equal(hci_host_do(&pair.peripheral, HCI_DISCONNECT, p, 3, NULL),
                         HCI_SUCCESS);
        const struct hci_host_event *event =
            hci_host_await(&pair.peripheral, HCI_EV_DISCONNECTION_COMPLETE, 0, 5000000);
        assert_non_null(event);
        assert_int_equal(event->bytes[5], HCI_ERR_LOCAL_HOST_TERMINATED);
        event = hci_host_await(&pair.central, HCI_EV_DISCONNECTION_COMPLETE, 0, 5000000);
        assert_non_null(event);
        assert_int_equal(event->bytes[5], HCI_ERR_REMOTE_USER_TERMINATED);
        p[0] = 0x33;
        assert_int_equal(hci_host_do(&pair.peripheral, HCI_DISCONNECT, p, 3, NULL),
                         HCI_ERR_UNKNOWN_CONNECTION);
        close_air();
    }
}

static void connection_parameters_change_when_the_central_agrees(void **state)
{
    (void)state;
    open_air(&clean, false, 0);
    connect(40, 400);
    uint8_t p[14];
    memset(p, 0, sizeof(p));
    hci_put_le16(p, pair.peripheral_handle);
    hci_put_le16(p + 2, 12);
    hci_put_le16(p + 4, 12);
    hci_put_le16(p + 8, 600);
    assert_int_equal(hci_host_do(&pair.peripheral, HCI_LE_CONNECTION_UPDATE, p, 14, NULL),
                     HCI_SUCCESS);
    const struct hci_host_event *event = hci_host_await(
        &pair.central, HCI_EV_LE_META, HCI_LE_EV_REMOTE_PARAMETER_REQUEST, 3000000);
    assert_non_null(event);
    assert_int_equal(hci_get_le16(event->bytes + 5), 12);
    uint8_t no[3] = {0, 0, HCI_ERR_UNACCEPTABLE_PARAMETERS};
    hci_put_le16(no, pair.central_handle);
    hci_host_do(&pair.central, HCI_LE_REMOTE_PARAMETER_NEGATIVE_REPLY, no, 3, NULL);
    event = hci_host_await(&pair.peripheral, HCI_EV_LE_META,
                           HCI_LE_EV_CONNECTION_UPDATE_COMPLETE, 3000000);
    assert_non_null(event);
    assert_int_equal(event->bytes[3], HCI_ERR_UNACCEPTABLE_PARAMETERS);
    assert_int_equal(hci_get_le16(event->bytes + 6), 40);

    hci_host_do(&pair.peripheral, HCI_LE_CONNECTION_UPDATE, p, 14, NULL);
    assert_non_null(hci_host_await(&pair.central, HCI_EV_LE_META,
                                   HCI_LE_EV_REMOTE_PARAMETER_REQUEST, 3000000));
    hci_put_le16(p, pair.central_handle);
    assert_int_equal(
        hci_host_do(&pair.central, HCI_LE_REMOTE_PARAMETER_REPLY, p, 14, NULL),
        HCI_SUCCESS);
    event = hci_host_await(&pair.peripheral, HCI_EV_LE_META,
                           HCI_LE_EV_CONNECTION_UPDATE_COMPLETE, 3000000);
    assert_non_null(event);
    assert_int_equal(event->bytes[3], HCI_SUCCESS);
    assert_int_equal(hci_get_le16(event->bytes + 6), 12);
    assert_int_equal(hci_get_le16(event->bytes + 10), 600);
    close_air();
}

static void a_chip_without_2m_refuses_it_and_its_peer_is_told(void **state)
{
    (void)state;
    open_air(&clean, true, 0);
    struct sim_controller_config config = {.address = {0xC0, 0, 0, 0, 0, 9}};
    static struct hci_host old;
    hci_host_start(&old, pair.air, pair.loop, &config);
    hci_host_advertise(&old, "esp32");
    uint16_t handle;
    uint16_t old_handle;
    hci_host_connect(&pair.central, &old, 24, 400, &handle, &old_handle);
    uint8_t p[7] = {0, 0, 0, HCI_PHY_MASK_2M, HCI_PHY_MASK_2M};
    hci_put_le16(p, old_handle);
    assert_int_equal(hci_host_do(&old, HCI_LE_SET_PHY, p, 7, NULL),
                     HCI_ERR_UNKNOWN_COMMAND);
    hci_put_le16(p, handle);
    hci_host_do(&pair.central, HCI_LE_SET_PHY, p, 7, NULL);
    const struct hci_host_event *event = hci_host_await(
        &pair.central, HCI_EV_LE_META, HCI_LE_EV_PHY_UPDATE_COMPLETE, 3000000);
    assert_non_null(event);
    assert_int_equal(event->bytes[3], HCI_ERR_UNSUPPORTED_REMOTE_FEATURE);
    assert_int_equal(event->bytes[6], HCI_PHY_1M);
    close_air();
}

static void named_profiles_are_there(void **state)
{
    (void)state;
    assert_true(sim_air_profile("ideal")->instant);
    assert_int_equal(sim_air_profile("typical")->interval_125us_units, 40);
    assert_int_equal(sim_air_profile("worst")->mtu, 23);
    /* Those that protocols are compared on. */
    assert_int_equal(sim_air_profile("iphone-30")->mtu, 185);
    assert_int_equal(sim_air_profile("android-11")->interval_125us_units, 9);
    assert_true(sim_air_profile("c3-7")->phy_2m);
    assert_true(sim_air_profile("bluez-50")->encrypted);
    assert_null(sim_air_profile("dream"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(air_times_are_those_of_the_specification),
        cmocka_unit_test(a_stream_of_full_pdus_reaches_the_limit_of_the_link),
        cmocka_unit_test(short_pdus_are_used_until_a_data_length_is_agreed),
        cmocka_unit_test(lost_pdus_are_repeated_in_order_and_none_comes_twice),
        cmocka_unit_test(an_event_ends_at_a_lost_pdu),
        cmocka_unit_test(the_same_seed_gives_the_same_air),
        cmocka_unit_test(a_peer_without_power_is_noticed_after_the_supervision_timeout),
        cmocka_unit_test(a_shielded_controller_comes_back_in_time_or_not_at_all),
        cmocka_unit_test(a_host_that_refuses_holds_the_sender_back_and_nothing_is_lost),
        cmocka_unit_test(a_central_sends_no_more_pdus_in_an_event_than_its_limit),
        cmocka_unit_test(a_guard_shortens_every_event),
        cmocka_unit_test(a_scanner_hears_advertising_and_its_response),
        cmocka_unit_test(advertising_ends_with_the_connection_and_can_go_on_beside_it),
        cmocka_unit_test(a_radio_is_shared_among_its_links),
        cmocka_unit_test(disconnecting_tells_both_hosts_who_did_it),
        cmocka_unit_test(connection_parameters_change_when_the_central_agrees),
        cmocka_unit_test(a_chip_without_2m_refuses_it_and_its_peer_is_told),
        cmocka_unit_test(named_profiles_are_there),
    };
    printf("seed %d\n", HCI_PAIR_SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
