/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the central's host, against a scripted controller and peripheral. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/random.h"
#include "sim/central/att.h"
#include "sim/central/central.h"
#include "sim/radio/hci.h"
#include "tests/unit/central_fixture.h"
#include "tests/unit/fake_peripheral.h"

#define VALUE   18 /* handles of fake_add_services */
#define COMMAND 22

static void services_characteristics_and_descriptors_are_found(void **state)
{
    (void)state;
    host_connect_and_resolve();
    const struct sim_gatt_service *services;
    const struct sim_gatt_characteristic *characteristics;
    const struct sim_gatt_descriptor *descriptors;
    assert_int_equal(sim_peer_services(host.peer, &services), 2);
    assert_int_equal(services[1].start_handle, 16);
    assert_int_equal(services[1].end_handle, 0xFFFF);
    assert_memory_equal(services[1].uuid,
                        "\xFB\x34\x9B\x5F\x80\0\0\x80\0\x10\0\0\x34\x12\0\0", 16);
    assert_int_equal(sim_peer_characteristics(host.peer, &characteristics), 3);
    assert_int_equal(characteristics[1].service, 1);
    assert_int_equal(characteristics[1].value_handle, VALUE);
    assert_int_equal(characteristics[1].cccd_handle, 19);
    assert_int_equal(characteristics[1].end_handle, 20);
    assert_int_equal(characteristics[1].properties, 0x1A);
    assert_int_equal(characteristics[2].end_handle, 0xFFFF);
    assert_int_equal(sim_peer_descriptors(host.peer, &descriptors), 3);
    assert_int_equal(descriptors[2].handle, 20);
    assert_int_equal(descriptors[2].characteristic, 1);
    assert_int_equal(sim_peer_mtu(host.peer), 64);
    /* Indications of Service Changed were asked for. */
    assert_int_equal(fake.attributes[3].value[0], 2);
}

static void a_long_value_is_read_in_parts(void **state)
{
    (void)state;
    host_connect_and_resolve();
    static const size_t sizes[] = {0, 1, 62, 63, 64, 126, 300, 512};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct fake_attribute *value = &fake.attributes[fake.attribute_count - 5];
        assert_int_equal(value->handle, VALUE);
        value->size = sizes[i];
        for (size_t k = 0; k < sizes[i]; k++) {
            value->value[k] = (uint8_t)(k * 7 + i);
        }
        host.inside = true;
        assert_true(sim_central_read(host.central, host.peer, VALUE, 100 + i));
        host.inside = false;
        host_run_for(1000);
        assert_int_equal(host.reads, i + 1);
        assert_int_equal(host.token, 100 + i);
        assert_int_equal(host.att_error, 0);
        assert_int_equal(host.size, sizes[i]);
        assert_memory_equal(host.bytes, value->value, sizes[i]);
    }
    assert_true(sim_central_read_from(host.central, host.peer, VALUE, 500, 7));
    host_run_for(1000);
    assert_int_equal(host.size, 12);
}

static void a_long_write_is_prepared_and_executed(void **state)
{
    (void)state;
    host_connect_and_resolve();
    uint8_t bytes[512];
    memset(bytes, 0x5A, sizeof(bytes));
    assert_true(sim_central_write(host.central, host.peer, VALUE, bytes, 61, true, 1));
    host_run_for(1000);
    assert_int_equal(fake_frames_of(ATT_PREPARE_WRITE_REQUEST), 0);
    assert_true(sim_central_write(host.central, host.peer, VALUE, bytes, 512, true, 2));
    host_run_for(1000);
    assert_int_equal(host.writes, 2);
    assert_int_equal(host.token, 2);
    assert_int_equal(host.att_error, 0);
    assert_int_equal(fake.prepared_size, 512);
    assert_memory_equal(fake.prepared, bytes, 512);
    assert_int_equal(fake_frames_of(ATT_EXECUTE_WRITE_REQUEST), 1);
    assert_false(sim_central_write(host.central, host.peer, VALUE, bytes, 513, true, 3));
}

static void a_failed_prepare_empties_the_queue_and_reports_the_error(void **state)
{
    (void)state;
    host_connect_and_resolve();
    fake.error_at = ATT_PREPARE_WRITE_REQUEST;
    fake.error_code = ATT_ERROR_INVALID_OFFSET;
    uint8_t bytes[200] = {0};
    assert_true(sim_central_write(host.central, host.peer, VALUE, bytes, 200, true, 1));
    host_run_for(1000);
    assert_int_equal(host.writes, 1);
    assert_int_equal(host.att_error, ATT_ERROR_INVALID_OFFSET);
    const uint8_t *last = fake.frames[fake.frame_count - 1];
    assert_int_equal(last[0], ATT_EXECUTE_WRITE_REQUEST);
    assert_int_equal(last[1], 0);
}

static void commands_overtake_queued_requests_and_never_exceed_the_buffers(void **state)
{
    (void)state;
    host_connect_and_resolve();
    fake.hold_packets = true;
    size_t before = fake.frame_count;
    uint8_t bytes[61] = {0};
    assert_true(sim_central_read(host.central, host.peer, VALUE, 1));
    for (uint8_t i = 0; i < 64; i++) {
        bytes[0] = i;
        assert_true(
            sim_central_write(host.central, host.peer, COMMAND, bytes, 61, false, i));
    }
    assert_false(
        sim_central_write(host.central, host.peer, COMMAND, bytes, 61, false, 64));
    for (int i = 0; i < 60; i++) {
        host_run_for(1000);
        assert_true(fake.acl_held <= fake.acl_count);
        fake_release_packets();
    }
    host_run_for(1000);
    assert_int_equal(fake.frame_count, before + 65);
    for (uint8_t i = 0; i < 64; i++) {
        assert_int_equal(fake.frames[before + i][0], ATT_WRITE_COMMAND);
        assert_int_equal(fake.frames[before + i][3], i);
    }
    assert_int_equal(fake.frames[before + 64][0], ATT_READ_REQUEST);
    assert_int_equal(host.writes, 64);
}

static void a_command_longer_than_the_mtu_allows_is_not_sent(void **state)
{
    (void)state;
    host_connect_and_resolve();
    uint8_t bytes[62] = {0};
    assert_true(sim_central_write(host.central, host.peer, COMMAND, bytes, 62, false, 9));
    host_run_for(1000);
    assert_int_equal(host.writes, 1);
    assert_int_equal(host.att_error, ATT_ERROR_INVALID_VALUE_LENGTH);
    assert_int_equal(fake_frames_of(ATT_WRITE_COMMAND), 0);
}

static void without_any_hash_the_cached_table_is_used(void **state)
{
    (void)state;
    host_connect_and_resolve();
    host_disconnect();
    fake.frame_count = 0;
    fake.attribute_count -= 2; /* the device has other services by now */
    host_connect_and_resolve();
    assert_int_equal(fake_frames_of(ATT_READ_BY_GROUP_TYPE_REQUEST), 0);
    const struct sim_gatt_characteristic *list;
    assert_int_equal(sim_peer_characteristics(host.peer, &list), 3);
    assert_int_equal(host.changed, 0);
}

static void the_hash_decides_whether_the_cache_is_used(void **state)
{
    (void)state;
    fake_add_services((const uint8_t *)"aaaaaaaaaaaaaaaa");
    host_connect_and_resolve();
    host_disconnect();
    fake.frame_count = 0;
    host_connect_and_resolve(); /* the same */
    assert_int_equal(fake_frames_of(ATT_READ_BY_GROUP_TYPE_REQUEST), 0);
    host_disconnect();
    fake_add_services((const uint8_t *)"bbbbbbbbbbbbbbbb");
    host_connect_and_resolve(); /* another */
    assert_int_equal(host.changed, 1);
    assert_int_not_equal(fake_frames_of(ATT_READ_BY_GROUP_TYPE_REQUEST), 0);
    host_disconnect();
    fake.frame_count = 0;
    host_connect_and_resolve(); /* the new one was learned */
    assert_int_equal(fake_frames_of(ATT_READ_BY_GROUP_TYPE_REQUEST), 0);
    host_disconnect();
    fake_add_services(NULL);
    host_connect_and_resolve(); /* it vanished */
    assert_int_equal(host.changed, 2);
    host_disconnect();
    fake_add_services((const uint8_t *)"bbbbbbbbbbbbbbbb");
    host_connect_and_resolve(); /* it appeared */
    assert_int_equal(host.changed, 3);
}

static void forgotten_services_are_discovered_again(void **state)
{
    (void)state;
    host_connect_and_resolve();
    host_disconnect();
    sim_peer_forget_services(host.peer);
    fake.frame_count = 0;
    host_connect_and_resolve();
    assert_int_not_equal(fake_frames_of(ATT_READ_BY_GROUP_TYPE_REQUEST), 0);
}

static void service_changed_is_confirmed_and_leads_to_discovery(void **state)
{
    (void)state;
    host_connect_and_resolve();
    fake.mute = true;
    assert_true(sim_central_read(host.central, host.peer, VALUE, 1));
    assert_true(sim_central_read(host.central, host.peer, VALUE, 2));
    host_run_for(1000);
    fake_send("\x1D\x03\x00\x01\x00\xFF\xFF", 7);
    assert_int_equal(host.changed, 1);
    assert_int_equal(host.reads, 1); /* the second; the first is under way */
    assert_int_equal(host.token, 2);
    assert_int_equal(host.att_error, SIM_CENTRAL_ATT_ERROR_ABANDONED);
    fake.mute = false;
    host_run_for(1000);
    assert_int_equal(fake_frames_of(ATT_CONFIRMATION), 1);
    fake_send("\x0B", 1);
    host_run_for(1000);
    assert_int_equal(host.token, 1);
    assert_int_equal(host.resolved, 2);
    const struct sim_gatt_service *list;
    assert_int_equal(sim_peer_services(host.peer, &list), 2);
}

static void database_out_of_sync_leads_to_discovery(void **state)
{
    (void)state;
    host_connect_and_resolve();
    fake.error_at = ATT_READ_REQUEST;
    fake.error_code = ATT_ERROR_DATABASE_OUT_OF_SYNC;
    assert_true(sim_central_read(host.central, host.peer, VALUE, 1));
    host_run_for(1000);
    assert_int_equal(host.att_error, ATT_ERROR_DATABASE_OUT_OF_SYNC);
    assert_int_equal(host.changed, 1);
    assert_int_equal(host.resolved, 2);
}

static void notifications_and_indications_reach_the_caller(void **state)
{
    (void)state;
    host_connect_and_resolve();
    fake_send("\x1B\x12\x00hello", 8);
    assert_int_equal(host.token, VALUE);
    assert_int_equal(host.size, 5);
    fake_send("\x1D\x12\x00", 3);
    assert_int_equal(host.size, 0);
    host_run_for(1000);
    assert_int_equal(fake_frames_of(ATT_CONFIRMATION), 1);
    assert_int_equal(host.changed, 0);
}

static void an_unanswered_request_ends_the_link_after_30_s(void **state)
{
    (void)state;
    host_connect_and_resolve();
    fake.mute = true;
    assert_true(sim_central_read(host.central, host.peer, VALUE, 1));
    host_run_for(29999000);
    assert_true(sim_peer_connected(host.peer));
    host_run_for(2000);
    assert_false(sim_peer_connected(host.peer));
    assert_int_equal(host.disconnected_count, 1);
    assert_int_equal(host.att_error, SIM_CENTRAL_ATT_ERROR_ABANDONED);
}

static void what_was_queued_is_answered_when_the_link_is_lost(void **state)
{
    (void)state;
    host_connect_and_resolve();
    fake.hold_packets = true;
    uint8_t bytes[61] = {0};
    for (unsigned i = 0; i < 20; i++) {
        assert_true(
            sim_central_write(host.central, host.peer, COMMAND, bytes, 61, false, i));
        assert_true(sim_central_read(host.central, host.peer, VALUE, i));
    }
    host_run_for(1000);
    fake_drop(HCI_ERR_CONNECTION_TIMEOUT);
    assert_int_equal(host.disconnected, HCI_ERR_CONNECTION_TIMEOUT);
    assert_int_equal(host.writes, 20);
    assert_int_equal(host.reads, 20);
    assert_false(sim_central_read(host.central, host.peer, VALUE, 1));
    assert_false(sim_central_write(host.central, host.peer, COMMAND, bytes, 1, false, 1));
    fake.hold_packets = false;
    host_connect_and_resolve(); /* and the buffers are back */
}

static void connecting_gives_up_after_its_time_and_can_be_called_off(void **state)
{
    (void)state;
    sim_central_connect(host.central, host.peer, 5000);
    host_run_for(4999000);
    assert_int_equal(host.connected_count, 0);
    host_run_for(2000);
    assert_int_equal(host.connected, HCI_ERR_UNKNOWN_CONNECTION);
    assert_false(fake.scanning);

    fake.refuse_create = true; /* heard, but the attempt never comes to an end */
    sim_central_connect(host.central, host.peer, 5000);
    host_run_for(1000);
    fake_advertise();
    host_run_for(1000);
    assert_true(fake.creating);
    assert_false(fake.scanning);
    host_run_for(2000000);
    assert_false(fake.creating);
    assert_true(fake.scanning); /* Linux listens again */
    fake_advertise();
    host_run_for(1000);
    assert_true(fake.creating);
    host.inside = true;
    sim_central_disconnect(host.central, host.peer);
    host.inside = false;
    host_run_for(1000);
    assert_int_equal(host.connected_count, 2);
    assert_int_equal(host.connected, HCI_ERR_LOCAL_HOST_TERMINATED);
    assert_false(fake.creating);
}

static void power_off_ends_links_and_attempts_and_on_brings_it_back(void **state)
{
    (void)state;
    host_connect_and_resolve();
    static const uint8_t other_address[6] = {1, 2, 3, 4, 5, 6};
    sim_peer_t *other = sim_central_peer(host.central, other_address, true);
    sim_central_scan(host.central, true);
    sim_central_connect(host.central, other, 60000);
    host_run_for(1000);
    host.inside = true;
    sim_central_power(host.central, false);
    host.inside = false;
    host_run_for(1000);
    assert_int_equal(host.disconnected_count, 1);
    assert_int_equal(host.connected, HCI_ERR_LOCAL_HOST_TERMINATED);
    assert_false(sim_central_powered(host.central));
    sim_central_connect(host.central, other, 60000); /* fails at once */
    host_run_for(1000);
    assert_int_equal(host.connected, HCI_ERR_UNKNOWN_CONNECTION);
    fake.scanning = false;
    sim_central_power(host.central, true);
    host_run_for(1000);
    assert_true(sim_central_powered(host.central));
    assert_true(fake.scanning); /* still wanted */
    assert_int_equal(host.powered, 3);
}

static void scanning_reports_only_while_it_is_asked_for(void **state)
{
    (void)state;
    sim_central_scan(host.central, true);
    host_run_for(1000);
    fake_advertise();
    assert_int_equal(host.heard, 1);
    sim_central_scan(host.central, false);
    host_run_for(1000);
    assert_false(fake.scanning);
    fake_advertise();
    assert_int_equal(host.heard, 1);
}

static void what_a_peer_asks_of_the_central_gets_an_answer(void **state)
{
    (void)state;
    host_connect_and_resolve();
    fake.frame_count = 0;
    fake_send("\x10\x01\x00\xFF\xFF\x00\x28", 7); /* your services? */
    fake_send("\x0A\x07\x00", 3);
    fake_send("\x20\x00", 2);     /* not a request of BLE */
    fake_send("\xD2\x00\x00", 3); /* a command: no answer */
    fake_send("\x11\x00", 2);     /* a response to nothing */
    fake_send("\x02", 1);         /* cut short */
    fake_send("", 0);
    fake_signal("\x12\x07\x08\x00\x18\x00\x28\x00\x00\x00\xC8\x00", 12,
                L2CAP_CHANNEL_SIGNALLING);
    fake_signal("\x12\x08\x08\x00\x18\x00\x08\x00\x00\x00\xC8\x00", 12,
                L2CAP_CHANNEL_SIGNALLING); /* minimum above maximum */
    fake_signal("\x0B\x01", 2, L2CAP_CHANNEL_SMP);
    host_run_for(1000);
    assert_int_equal(fake.frame_count, 7);
    assert_memory_equal(fake.frames[0], "\x01\x10\x01\x00\x0A", 5);
    assert_memory_equal(fake.frames[1], "\x01\x0A\x07\x00\x01", 5);
    assert_memory_equal(fake.frames[2], "\x01\x20\x00\x00\x06", 5);
    assert_memory_equal(fake.frames[3], "\x01\x02\x00\x00\x04", 5);
    assert_memory_equal(fake.frames[4], "\x13\x07\x02\x00\x00\x00", 6);
    assert_memory_equal(fake.frames[5], "\x13\x08\x02\x00\x01\x00", 6);
    assert_memory_equal(fake.frames[6], "\x05\x05", 2);
}

static void random_frames_do_no_harm(void **state)
{
    (void)state;
    sim_random_t random;
    sim_random_seed(&random, 1);
    print_message("seed 1\n");
    for (int round = 0; round < 300; round++) {
        fake.frame_count = 0;
        if (!sim_peer_connected(host.peer)) {
            sim_central_connect(host.central, host.peer, 10000);
            host_run_for(1000);
            fake_advertise();
        }
        for (int i = 0; i < 20; i++) {
            uint8_t pdu[100];
            size_t size = sim_random_below(&random, sizeof(pdu));
            sim_random_fill(&random, pdu, size);
            if (size > 0 && sim_random_below(&random, 2) == 0) {
                pdu[0] = (uint8_t)sim_random_below(&random, 0x20);
            }
            if (sim_peer_connected(host.peer)) {
                fake_send(pdu, size);
                sim_central_read(host.central, host.peer, VALUE, 1);
            }
            fake.mute = sim_random_below(&random, 4) == 0;
            host_run_for(sim_random_below(&random, 2000));
        }
    }
    fake.mute = false;
    if (sim_peer_connected(host.peer)) {
        host_disconnect();
    }
    fake_add_services((const uint8_t *)"cccccccccccccccc");
    sim_peer_forget_services(host.peer);
    host_connect_and_resolve();
    host.reads = 0;
    assert_true(sim_central_read(host.central, host.peer, VALUE, 77));
    host_run_for(1000);
    assert_int_equal(host.token, 77);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, host_set_up, host_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(services_characteristics_and_descriptors_are_found),
        TEST(a_long_value_is_read_in_parts),
        TEST(a_long_write_is_prepared_and_executed),
        TEST(a_failed_prepare_empties_the_queue_and_reports_the_error),
        TEST(commands_overtake_queued_requests_and_never_exceed_the_buffers),
        TEST(a_command_longer_than_the_mtu_allows_is_not_sent),
        TEST(without_any_hash_the_cached_table_is_used),
        TEST(the_hash_decides_whether_the_cache_is_used),
        TEST(forgotten_services_are_discovered_again),
        TEST(service_changed_is_confirmed_and_leads_to_discovery),
        TEST(database_out_of_sync_leads_to_discovery),
        TEST(notifications_and_indications_reach_the_caller),
        TEST(an_unanswered_request_ends_the_link_after_30_s),
        TEST(what_was_queued_is_answered_when_the_link_is_lost),
        TEST(connecting_gives_up_after_its_time_and_can_be_called_off),
        TEST(power_off_ends_links_and_attempts_and_on_brings_it_back),
        TEST(scanning_reports_only_while_it_is_asked_for),
        TEST(what_a_peer_asks_of_the_central_gets_an_answer),
        TEST(random_frames_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
