/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the virtual NimBLE: what it sends, how its buffers run out, how links come
 * and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/nimble/nimble_sim.h"
#include "tests/unit/nimble_fixture.h"

/* Sending. */

static void notifications_go_out_although_nobody_subscribed(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 100);
    size_t mark = fixture.log_size;
    give_order(link, ORDER_NOTIFY, 20);
    assert_true(fixture_await("notify: 0\n", mark, 100));
    assert_true(fixture_wrote("sent 0 indication 0\n", mark));
    fixture_run_ms(10);
    assert_int_equal(link->updates, 1);
    assert_int_equal(link->update[0].size, 20);
    assert_int_equal(link->update[0].bytes[19], 19);
    /* A longer value is cut to the MTU, not refused. */
    give_order(link, ORDER_NOTIFY, 200);
    fixture_run_ms(10);
    assert_int_equal(link->updates, 2);
    assert_int_equal(link->update[1].size, 97);
    fixture_close(0);
}

static void subscriptions_are_told_and_end_with_the_link(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    uint16_t cccd = (uint16_t)(att_value_handle(link, 1) + 1);
    size_t mark = fixture.log_size;
    assert_int_equal(att_write(link, cccd, "\x01\x00", 2), 0);
    assert_true(fixture_await("subscribe reason 1: notify 0 -> 1", mark, 100));
    uint8_t read[3] = {0x0A};
    hci_put_le16(read + 1, cccd);
    att_request(link, read, sizeof(read));
    assert_int_equal(hci_get_le16(link->answer + 1), 1);
    assert_int_equal(att_write(link, cccd, "\x01", 1), 0x0D);
    assert_int_equal(att_write(link, cccd, "\x04\x00", 2), 0x06);
    mark = fixture.log_size;
    sim_controller_power(link->host.controller, false);
    assert_true(fixture_await("subscribe reason 2: notify 1 -> 0", mark, 5000));
    assert_true(fixture_await("disconnect 0x208\n", mark, 100));
    fixture_close(0);
}

static void an_indication_is_reported_again_when_it_was_confirmed(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    size_t mark = fixture.log_size;
    give_order(link, ORDER_INDICATE, 0);
    assert_true(fixture_await("sent 0 indication 1\n", mark, 100));
    assert_true(fixture_await("sent 14 indication 1\n", mark, 100)); /* BLE_HS_EDONE */
    assert_true(link->update[0].indication);
    fixture_close(0);
}

static void an_indication_that_is_never_confirmed_ends_the_link(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    link->confirm = false;
    size_t mark = fixture.log_size;
    give_order(link, ORDER_INDICATE, 0);
    fixture_run_ms(29000);
    assert_false(fixture_wrote("disconnect", mark));
    assert_true(fixture_await("disconnect 0x216\n", mark, 2000));
    fixture_close(0);
}

static void a_value_without_buffers_is_consumed_and_refused(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    size_t mark = fixture.log_size;
    give_order(link, ORDER_NOTIFY_WITHOUT_BUFFERS, 0);
    assert_true(fixture_await("notify without buffers: 6\n", mark, 100));
    /* It, and the large ones: they do not stand in for the small ones. */
    assert_true(fixture_wrote("free after: 25\n", mark));
    fixture_run_ms(10);
    assert_int_equal(link->updates, 0);
    fixture_close(0);
}

static void another_task_may_send(void **state)
{
    (void)state;
    for (int preempt = 0; preempt < 2; preempt++) {
        const struct fixture_options options = {.preempt = preempt == 1};
        fixture_open(&options);
        struct att_link *link = att_connect(0, 0);
        size_t mark = fixture.log_size;
        give_order(link, ORDER_NOTIFY_FROM_TASK, 0);
        assert_true(fixture_await("notify from task: 0\n", mark, 100));
        fixture_run_ms(10);
        assert_int_equal(link->updates, 1);
        fixture_close(0);
    }
}

/* Buffers. */

static void leaked_buffers_are_counted(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    give_order(link, ORDER_LEAK, 0);
    give_order(link, ORDER_LEAK, 0);
    fixture_close(2);
}

static void fragments_are_dropped_in_silence_when_buffers_stay_out(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 498);
    uint16_t hold = att_value_handle(link, 3);
    uint16_t value = att_value_handle(link, 1);
    uint8_t bytes[244];
    memset(bytes, 1, sizeof(bytes));
    for (int i = 0; i < 24; i++) { /* BT_NIMBLE_TRANSPORT_ACL_FROM_LL_COUNT */
        att_write_command(link, hold, bytes, sizeof(bytes));
    }
    fixture_run_ms(20);
    assert_int_equal(sim_nimble_buffers_in_use(fixture.board), 24);
    size_t mark = fixture.log_size;
    uint64_t completed = link->host.completed;
    att_write_command(link, value, bytes, sizeof(bytes));
    fixture_run_ms(25);
    assert_int_equal(sim_nimble_fragments_dropped(fixture.board), 0);
    /* The link layer has acknowledged it: the sender thinks that it arrived. */
    assert_int_equal(link->host.completed, completed + 1);
    assert_true(fixture_await("MBUF alloc stuck\n", mark, 20));
    assert_int_equal(sim_nimble_fragments_dropped(fixture.board), 1);
    /* One that comes back in time does get its buffer. */
    bytes[0] = 77;
    att_write_command(link, value, bytes, sizeof(bytes));
    fixture_run_ms(10);
    assert_false(fixture_wrote("value", mark));
    fixture_run_ms(100);
    assert_int_equal(sim_nimble_fragments_dropped(fixture.board), 2);
    sim_controller_power(link->host.controller, false);
    assert_true(fixture_await("disconnect 0x208\n", mark, 5000));
    assert_int_equal(sim_board_boots(fixture.board), 1);
    fixture_close(24); /* the firmware still holds them */
}

static void what_comes_while_a_fragment_waits_for_its_buffer_waits_its_turn(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 498);
    uint16_t hold = att_value_handle(link, 3);
    uint8_t bytes[244] = {1};
    for (int i = 0; i < 24 + 3; i++) {
        att_write_command(link, hold, bytes, sizeof(bytes));
    }
    fixture_run_ms(28);
    assert_int_equal(sim_nimble_fragments_dropped(fixture.board), 0);
    for (uint32_t dropped = 1; dropped <= 3; dropped++) {
        fixture_run_ms(29);
        assert_int_equal(sim_nimble_fragments_dropped(fixture.board), dropped);
    }
    fixture_close(24);
}

/* Two writes of two fragments each; the second fragment of the first and the first one of
 * the second are lost. What arrives is one write, of the right length, of two halves. */
static void a_lost_fragment_can_splice_two_writes(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 498);
    uint16_t handle = att_value_handle(link, 1);
    uint8_t pdu[2][L2CAP_HEADER_SIZE + 498];
    for (int i = 0; i < 2; i++) {
        memset(pdu[i], 1 + i, sizeof(pdu[i]));
        hci_put_le16(pdu[i], 498);
        hci_put_le16(pdu[i] + 2, L2CAP_CHANNEL_ATT);
        pdu[i][4] = 0x52;
        hci_put_le16(pdu[i] + 5, handle);
    }
    size_t mark = fixture.log_size;
    struct hci_host *host = &link->host;
    assert_true(hci_host_data(host, link->handle, HCI_ACL_FIRST_FROM_HOST, pdu[0], 251));
    assert_true(
        hci_host_data(host, link->handle, HCI_ACL_CONTINUATION, pdu[1] + 251, 251));
    fixture_run_ms(10);
    assert_true(fixture_wrote("value 495 bytes, first 1, last 2\n", mark));
    fixture_close(0);
}

static void an_unfinished_packet_is_dropped_by_the_next_one(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 498);
    uint16_t handle = att_value_handle(link, 1);
    uint8_t part[20] = {0xF2, 0x01, 0x04, 0x00, 0x52};
    size_t mark = fixture.log_size;
    struct hci_host *host = &link->host;
    assert_true(
        hci_host_data(host, link->handle, HCI_ACL_FIRST_FROM_HOST, part, sizeof(part)));
    att_write_command(link, handle, "abc", 3);
    /* And a continuation of nothing is nothing. */
    assert_true(
        hci_host_data(host, link->handle, HCI_ACL_CONTINUATION, part, sizeof(part)));
    fixture_run_ms(10);
    assert_true(fixture_wrote("value 3 bytes, first 97, last 99\n", mark));
    fixture_close(0);
}

static void a_packet_that_is_never_finished_ends_the_link(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 498);
    const uint8_t part[20] = {0xF2, 0x01, 0x04, 0x00, 0x52};
    size_t mark = fixture.log_size;
    assert_true(hci_host_data(&link->host, link->handle, HCI_ACL_FIRST_FROM_HOST, part,
                              sizeof(part)));
    fixture_run_ms(29000);
    assert_false(fixture_wrote("disconnect", mark));
    assert_true(fixture_await("disconnect 0x216\n", mark, 2000));
    fixture_close(0);
}

static void a_blocked_host_loses_nothing_while_buffers_last(void **state)
{
    (void)state;
    const struct fixture_options options = {.timed = true};
    fixture_open(&options);
    struct att_link *link = att_connect(0, 247);
    uint16_t value = att_value_handle(link, 1);
    uint16_t order = att_value_handle(link, 2);
    uint8_t block[6] = {0x12, 0, 0, ORDER_BLOCK_HOST};
    hci_put_le16(block + 1, order);
    hci_put_le16(block + 4, 500);
    size_t mark = fixture.log_size;
    link->answer_size = 0;
    att_send(link, block, sizeof(block));
    for (uint8_t i = 0; i < 20; i++) {
        uint8_t bytes[100];
        memset(bytes, i, sizeof(bytes));
        att_write_command(link, value, bytes, sizeof(bytes));
    }
    fixture_run_ms(400);
    assert_false(fixture_wrote("value", mark));
    fixture_run_ms(600);
    assert_int_equal(link->answer_size, 1); /* the order's response, late */
    for (unsigned i = 0; i < 20; i++) {
        char text[48];
        snprintf(text, sizeof(text), "value 100 bytes, first %u, last %u\n", i, i);
        assert_true(fixture_wrote(text, mark));
    }
    assert_int_equal(sim_nimble_fragments_dropped(fixture.board), 0);
    fixture_close(0);
}

/* While a 64 KiB block is erased (150 ms) neither host nor VHCI runs. The controller goes
 * on by itself, and what it cannot hold it does not acknowledge. */
static void a_flash_operation_stops_the_host_and_nothing_is_lost(void **state)
{
    (void)state;
    const struct fixture_options options = {.timed = true, .flash = "typical"};
    fixture_open(&options);
    struct att_link *link = att_connect(0, 247);
    uint16_t value = att_value_handle(link, 1);
    fixture_run_ms(500);
    size_t mark = fixture.log_size;
    give_order(link, ORDER_FLASH_IN_TASK, 0);
    uint64_t completed = link->host.completed;
    for (uint8_t i = 0; i < 12; i++) {
        uint8_t bytes[100];
        memset(bytes, i, sizeof(bytes));
        att_write_command(link, value, bytes, sizeof(bytes));
    }
    fixture_run_ms(100);
    assert_false(fixture_wrote("value", mark));
    assert_int_equal(link->host.completed, completed + 8); /* what the controller holds */
    fixture_run_ms(200);
    assert_true(fixture_wrote("flash: 0\n", mark));
    for (unsigned i = 0; i < 12; i++) {
        char text[48];
        snprintf(text, sizeof(text), "value 100 bytes, first %u, last %u\n", i, i);
        assert_true(fixture_wrote(text, mark));
    }
    assert_int_equal(sim_nimble_fragments_dropped(fixture.board), 0);
    fixture_close(0);
}

/* Links. */

static void advertising_goes_on_while_a_connection_is_free(void **state)
{
    (void)state;
    const struct fixture_options options = {.centrals = 4};
    fixture_open(&options);
    for (size_t i = 0; i < 3; i++) {
        size_t mark = fixture.log_size;
        att_connect(i, 0);
        /* CONFIG_BT_NIMBLE_MAX_CONNECTIONS is 3: then BLE_HS_ENOMEM. */
        const char *said = i < 2 ? "advertise: 0\n" : "advertise: 6\n";
        assert_true(fixture_await(said, mark, 100));
    }
    size_t mark = fixture.log_size;
    uint16_t handle = att_value_handle(&fixture.central[0], 1);
    att_write(&fixture.central[0], handle, "a", 1);
    att_write(&fixture.central[2], handle, "bb", 2);
    assert_true(fixture_wrote("value 1 bytes, first 97", mark));
    assert_true(fixture_wrote("value 2 bytes, first 98", mark));
    drop_order(&fixture.central[1], ORDER_TERMINATE, 0);
    assert_true(fixture_await("disconnect 0x216\n", mark, 1000));
    assert_true(fixture_await("advertise: 0\n", mark, 100));
    att_connect(3, 0);
    fixture_close(0);
}

static void reasons_of_the_peer_reach_the_firmware(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    uint8_t p[3] = {0, 0, HCI_ERR_REMOTE_USER_TERMINATED};
    hci_put_le16(p, link->handle);
    size_t mark = fixture.log_size;
    hci_host_do(&link->host, HCI_DISCONNECT, p, 3, NULL);
    assert_true(fixture_await("disconnect 0x213\n", mark, 1000));
    assert_true(fixture_await("advertise: 0\n", mark, 100));
    for (int i = 0; i < 20; i++) { /* again and again: nothing wears out */
        mark = fixture.log_size;
        link = att_connect(0, 185);
        hci_put_le16(p, link->handle);
        hci_host_do(&link->host, HCI_DISCONNECT, p, 3, NULL);
        assert_true(fixture_await("advertise: 0\n", mark, 1000));
        fixture_run_ms(50);
    }
    fixture_close(0);
}

static void longer_pdus_are_asked_for_by_itself(void **state)
{
    (void)state;
    const struct fixture_options options = {.timed = true};
    fixture_open(&options);
    size_t mark = fixture.log_size;
    att_connect(0, 0);
    assert_true(fixture_await("data length 251\n", mark, 2000));
    fixture_close(0);
}

static void parameters_are_asked_for_by_the_link_layer_or_by_l2cap(void **state)
{
    (void)state;
    const struct fixture_options options = {.timed = true};
    fixture_open(&options);
    struct att_link *link = att_connect(0, 0);
    fixture_run_ms(500);
    size_t mark = fixture.log_size;
    give_order(link, ORDER_UPDATE, 12);
    const struct hci_host_event *event = hci_host_await(
        &link->host, HCI_EV_LE_META, HCI_LE_EV_REMOTE_PARAMETER_REQUEST, 3000000);
    assert_non_null(event);
    uint8_t p[14] = {0};
    hci_put_le16(p, link->handle);
    hci_put_le16(p + 2, 12);
    hci_put_le16(p + 4, 12);
    hci_put_le16(p + 8, 600);
    hci_host_do(&link->host, HCI_LE_REMOTE_PARAMETER_REPLY, p, 14, NULL);
    assert_true(fixture_await("updated 0: interval 12, timeout 600\n", mark, 2000));
    give_order(link, ORDER_UPDATE, 5);
    assert_true(fixture_wrote("update: 3\n", mark)); /* BLE_HS_EINVAL */

    /* A central that does not want to hear of it in the link layer is asked by L2CAP. */
    uint8_t mask[8] = {0x1F};
    hci_host_do(&link->host, HCI_LE_SET_EVENT_MASK, mask, 8, NULL);
    link->signal_size = 0;
    mark = fixture.log_size;
    give_order(link, ORDER_UPDATE, 24);
    fixture_run_ms(1000);
    assert_int_equal(link->signal_size, 12);
    assert_int_equal(link->signal[0], L2CAP_CONNECTION_PARAMETER_REQUEST);
    assert_int_equal(hci_get_le16(link->signal + 4), 24);
    uint8_t refuse[6] = {
        L2CAP_CONNECTION_PARAMETER_RESPONSE, link->signal[1], 2, 0, 1, 0};
    l2cap_send_raw(link, L2CAP_CHANNEL_SIGNALLING, refuse, sizeof(refuse));
    assert_true(fixture_await("updated 16: interval 12", mark, 1000)); /* EREJECT */
    fixture_close(0);
}

static void a_chip_without_2m_says_so(void **state)
{
    (void)state;
    const struct fixture_options options = {.chip = "esp32"};
    fixture_open(&options);
    struct att_link *link = att_connect(0, 0);
    size_t mark = fixture.log_size;
    give_order(link, ORDER_PHY, 2);
    assert_true(fixture_wrote("phy: 513\n", mark)); /* 0x201: unknown command */
    fixture_close(0);
}

static void advertising_data_beyond_31_bytes_is_refused(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    size_t mark = fixture.log_size;
    give_order(link, ORDER_ADVERTISE_TOO_MUCH, 0);
    assert_true(fixture_wrote("too many fields: 4\n", mark)); /* BLE_HS_EMSGSIZE */
    assert_true(fixture_wrote("too many bytes: 18\n", mark));
    assert_true(fixture_wrote("just enough: 0\n", mark));
    fixture_close(0);
}

static void timers_run_in_the_host_task(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    size_t mark = fixture.log_size;
    give_order(link, ORDER_CALLOUT, 200);
    fixture_run_ms(190);
    assert_false(fixture_wrote("callout", mark));
    fixture_run_ms(20);
    assert_true(fixture_wrote("callout in nimble_host\n", mark));
    fixture_close(0);
}

static void the_host_resets_and_stops(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    size_t mark = fixture.log_size;
    drop_order(link, ORDER_RESET, 0);
    assert_true(fixture_await("disconnect 0x11\n", mark, 1000)); /* the reason given */
    assert_true(fixture_await("reset: 17\n", mark, 1000));
    assert_true(fixture_await("synced: 0\n", mark, 1000));
    assert_true(fixture_await("advertise: 0\n", mark, 1000));
    /* The peer hears nothing of it but its own supervision timeout. */
    const struct hci_host_event *event =
        hci_host_await(&link->host, HCI_EV_DISCONNECTION_COMPLETE, 0, 5000000);
    assert_non_null(event);
    assert_int_equal(event->bytes[5], HCI_ERR_CONNECTION_TIMEOUT);
    link = att_connect(0, 0);
    mark = fixture.log_size;
    drop_order(link, ORDER_STOP, 0);
    assert_true(fixture_await("host ended\n", mark, 5000));
    assert_true(fixture_await("stop: 0\n", mark, 1000));
    assert_true(fixture_wrote("advertising ended 29\n", mark)); /* BLE_HS_EPREEMPTED */
    assert_true(fixture_await("deinit: 0\n", mark, 1000));
    fixture_close(0);
}

static void without_a_radio_synchronisation_never_comes(void **state)
{
    (void)state;
    const struct fixture_options options = {.behaviour = "no-radio",
                                            .without_wait = true};
    fixture_open(&options);
    fixture_run_ms(20000);
    assert_true(fixture_wrote("init: 0\n", 0));
    assert_true(fixture_wrote("reset: 19\n", 0)); /* BLE_HS_ETIMEOUT_HCI */
    assert_false(fixture_wrote("synced", 0));
    fixture_close(0);
}

/* Writes of 11 ms in a row, from a task below the host's: between any two of them the
 * host has its turn. */
static void the_host_has_its_turn_between_flash_operations(void **state)
{
    (void)state;
    const struct fixture_options options = {.timed = true, .flash = "typical"};
    fixture_open(&options);
    struct att_link *link = att_connect(0, 247);
    uint16_t value = att_value_handle(link, 1);
    fixture_run_ms(500);
    size_t mark = fixture.log_size;
    give_order(link, ORDER_FLASH_IN_TASK, 40);
    const uint8_t bytes[100] = {7};
    att_write_command(link, value, bytes, sizeof(bytes));
    assert_true(fixture_await("value 100 bytes, first 7, last 0\n", mark, 200));
    assert_false(fixture_wrote("flash: 0\n", mark));
    assert_true(fixture_await("flash: 0\n", mark, 600));
    fixture_close(0);
}

static void a_flash_call_in_the_host_task_crashes(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 0);
    size_t mark = fixture.log_size;
    drop_order(link, ORDER_FLASH, 0);
    assert_true(fixture_await("synced: 0\n", mark, 5000)); /* after the reset */
    assert_int_equal(sim_board_boots(fixture.board), 2);
    assert_false(fixture_wrote("flash: 0\n", mark));
    fixture_close(0);
}

static void a_reset_board_comes_back_as_new(void **state)
{
    (void)state;
    fixture_open(NULL);
    struct att_link *link = att_connect(0, 498);
    uint16_t handle = att_value_handle(link, 1);
    att_write(link, handle, "abc", 3);
    size_t mark = fixture.log_size;
    sim_board_reset(fixture.board);
    assert_true(fixture_await("advertise: 0\n", mark, 5000));
    const struct hci_host_event *event =
        hci_host_await(&link->host, HCI_EV_DISCONNECTION_COMPLETE, 0, 5000000);
    assert_non_null(event);
    link = att_connect(0, 0);
    uint8_t read[3] = {0x0A};
    hci_put_le16(read + 1, handle);
    assert_int_equal(att_request(link, read, sizeof(read)), 1);
    fixture_close(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notifications_go_out_although_nobody_subscribed),
        cmocka_unit_test(subscriptions_are_told_and_end_with_the_link),
        cmocka_unit_test(an_indication_is_reported_again_when_it_was_confirmed),
        cmocka_unit_test(an_indication_that_is_never_confirmed_ends_the_link),
        cmocka_unit_test(a_value_without_buffers_is_consumed_and_refused),
        cmocka_unit_test(another_task_may_send),
        cmocka_unit_test(leaked_buffers_are_counted),
        cmocka_unit_test(fragments_are_dropped_in_silence_when_buffers_stay_out),
        cmocka_unit_test(what_comes_while_a_fragment_waits_for_its_buffer_waits_its_turn),
        cmocka_unit_test(a_lost_fragment_can_splice_two_writes),
        cmocka_unit_test(an_unfinished_packet_is_dropped_by_the_next_one),
        cmocka_unit_test(a_packet_that_is_never_finished_ends_the_link),
        cmocka_unit_test(a_blocked_host_loses_nothing_while_buffers_last),
        cmocka_unit_test(a_flash_operation_stops_the_host_and_nothing_is_lost),
        cmocka_unit_test(advertising_goes_on_while_a_connection_is_free),
        cmocka_unit_test(reasons_of_the_peer_reach_the_firmware),
        cmocka_unit_test(longer_pdus_are_asked_for_by_itself),
        cmocka_unit_test(parameters_are_asked_for_by_the_link_layer_or_by_l2cap),
        cmocka_unit_test(a_chip_without_2m_says_so),
        cmocka_unit_test(advertising_data_beyond_31_bytes_is_refused),
        cmocka_unit_test(timers_run_in_the_host_task),
        cmocka_unit_test(the_host_resets_and_stops),
        cmocka_unit_test(without_a_radio_synchronisation_never_comes),
        cmocka_unit_test(the_host_has_its_turn_between_flash_operations),
        cmocka_unit_test(a_flash_call_in_the_host_task_crashes),
        cmocka_unit_test(a_reset_board_comes_back_as_new),
    };
    printf("seed %d\n", FIXTURE_SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
