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
#include "tests/unit/fake_peripheral.h"

#define VALUE   18 /* handles of fake_add_services */
#define COMMAND 22

static struct {
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_central_t *central;
    sim_peer_t *peer;
    struct sim_air_profile profile;
    unsigned heard, resolved, changed, connected_count, disconnected_count, powered;
    uint8_t connected, disconnected;
    unsigned reads, writes;
    uint64_t token;
    uint8_t att_error;
    uint8_t bytes[512];
    size_t size;
    bool inside; /* a call of the API is under way */
} t;

static void heard(void *context, sim_peer_t *peer, bool scan_response,
                  const uint8_t *data, uint8_t size, int8_t rssi_dbm)
{
    (void)context, (void)peer, (void)scan_response, (void)data;
    assert_int_equal(size, 3);
    assert_int_equal(rssi_dbm, -50);
    t.heard++;
}

static void connected(void *context, sim_peer_t *peer, uint8_t status)
{
    (void)context, (void)peer;
    assert_false(t.inside);
    t.connected_count++;
    t.connected = status;
}

static void resolved(void *context, sim_peer_t *peer)
{
    (void)context, (void)peer;
    assert_false(t.inside);
    t.resolved++;
}

static void disconnected(void *context, sim_peer_t *peer, uint8_t reason)
{
    (void)context, (void)peer;
    assert_false(t.inside);
    t.disconnected_count++;
    t.disconnected = reason;
}

static void read_done(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error,
                      const uint8_t *bytes, size_t size)
{
    (void)context, (void)peer;
    assert_false(t.inside);
    t.reads++;
    t.token = token;
    t.att_error = att_error;
    t.size = size;
    if (size > 0) {
        memcpy(t.bytes, bytes, size);
    }
}

static void write_done(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error)
{
    (void)context, (void)peer;
    assert_false(t.inside);
    t.writes++;
    t.token = token;
    t.att_error = att_error;
}

static void notified(void *context, sim_peer_t *peer, uint16_t value_handle,
                     const uint8_t *bytes, size_t size)
{
    (void)context, (void)peer;
    t.token = value_handle;
    t.size = size;
    memcpy(t.bytes, bytes, size);
}

static void services_changed(void *context, sim_peer_t *peer)
{
    (void)context;
    const struct sim_gatt_service *list;
    assert_int_equal(sim_peer_services(peer, &list), 0);
    t.changed++;
}

static void powered(void *context, bool on)
{
    (void)context, (void)on;
    t.powered++;
}

static void run_for(uint64_t time_us)
{
    sim_loop_advance(t.loop, sim_loop_now_us(t.loop) + time_us);
}

static int set_up(void **state)
{
    (void)state;
    static const struct sim_central_ops ops = {
        .heard = heard,
        .connected = connected,
        .resolved = resolved,
        .disconnected = disconnected,
        .read_done = read_done,
        .write_done = write_done,
        .notified = notified,
        .services_changed = services_changed,
        .powered = powered,
    };
    memset(&t, 0, sizeof(t));
    t.arena = sim_arena_new(16u << 20);
    t.loop = sim_loop_new(t.arena);
    t.profile = (struct sim_air_profile){
        .interval_125us_units = 40, .mtu = 517, .supervision_timeout_ms = 2000};
    fake_reset(t.loop);
    fake_add_services(NULL);
    struct sim_central_config config = {
        .arena = t.arena,
        .loop = t.loop,
        .profile = &t.profile,
        .cache_services = true,
    };
    t.central = sim_central_new(&config, &ops, NULL);
    t.peer = sim_central_peer(t.central, fake.address, false);
    run_for(1000);
    assert_true(sim_central_powered(t.central));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_arena_free(t.arena);
    return 0;
}

static void connect_and_resolve(void)
{
    unsigned before = t.resolved;
    t.inside = true;
    sim_central_connect(t.central, t.peer, 10000);
    t.inside = false;
    run_for(1000);
    assert_true(fake.scanning);
    fake_advertise();
    run_for(1000);
    assert_int_equal(t.connected, 0);
    assert_int_equal(t.resolved, before + 1);
}

static void disconnect(void)
{
    sim_central_disconnect(t.central, t.peer);
    run_for(1000);
    assert_false(sim_peer_connected(t.peer));
}

static void services_characteristics_and_descriptors_are_found(void **state)
{
    (void)state;
    connect_and_resolve();
    const struct sim_gatt_service *services;
    const struct sim_gatt_characteristic *characteristics;
    const struct sim_gatt_descriptor *descriptors;
    assert_int_equal(sim_peer_services(t.peer, &services), 2);
    assert_int_equal(services[1].start_handle, 16);
    assert_int_equal(services[1].end_handle, 0xFFFF);
    assert_memory_equal(services[1].uuid,
                        "\xFB\x34\x9B\x5F\x80\0\0\x80\0\x10\0\0\x34\x12\0\0", 16);
    assert_int_equal(sim_peer_characteristics(t.peer, &characteristics), 3);
    assert_int_equal(characteristics[1].service, 1);
    assert_int_equal(characteristics[1].value_handle, VALUE);
    assert_int_equal(characteristics[1].cccd_handle, 19);
    assert_int_equal(characteristics[1].end_handle, 20);
    assert_int_equal(characteristics[1].properties, 0x1A);
    assert_int_equal(characteristics[2].end_handle, 0xFFFF);
    assert_int_equal(sim_peer_descriptors(t.peer, &descriptors), 3);
    assert_int_equal(descriptors[2].handle, 20);
    assert_int_equal(descriptors[2].characteristic, 1);
    assert_int_equal(sim_peer_mtu(t.peer), 64);
    /* Indications of Service Changed were asked for. */
    assert_int_equal(fake.attributes[3].value[0], 2);
}

static void a_long_value_is_read_in_parts(void **state)
{
    (void)state;
    connect_and_resolve();
    static const size_t sizes[] = {0, 1, 62, 63, 64, 126, 300, 512};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct fake_attribute *value = &fake.attributes[fake.attribute_count - 5];
        assert_int_equal(value->handle, VALUE);
        value->size = sizes[i];
        for (size_t k = 0; k < sizes[i]; k++) {
            value->value[k] = (uint8_t)(k * 7 + i);
        }
        t.inside = true;
        assert_true(sim_central_read(t.central, t.peer, VALUE, 100 + i));
        t.inside = false;
        run_for(1000);
        assert_int_equal(t.reads, i + 1);
        assert_int_equal(t.token, 100 + i);
        assert_int_equal(t.att_error, 0);
        assert_int_equal(t.size, sizes[i]);
        assert_memory_equal(t.bytes, value->value, sizes[i]);
    }
    assert_true(sim_central_read_from(t.central, t.peer, VALUE, 500, 7));
    run_for(1000);
    assert_int_equal(t.size, 12);
}

static void a_long_write_is_prepared_and_executed(void **state)
{
    (void)state;
    connect_and_resolve();
    uint8_t bytes[512];
    memset(bytes, 0x5A, sizeof(bytes));
    assert_true(sim_central_write(t.central, t.peer, VALUE, bytes, 61, true, 1));
    run_for(1000);
    assert_int_equal(fake_frames_of(ATT_PREPARE_WRITE_REQUEST), 0);
    assert_true(sim_central_write(t.central, t.peer, VALUE, bytes, 512, true, 2));
    run_for(1000);
    assert_int_equal(t.writes, 2);
    assert_int_equal(t.token, 2);
    assert_int_equal(t.att_error, 0);
    assert_int_equal(fake.prepared_size, 512);
    assert_memory_equal(fake.prepared, bytes, 512);
    assert_int_equal(fake_frames_of(ATT_EXECUTE_WRITE_REQUEST), 1);
    assert_false(sim_central_write(t.central, t.peer, VALUE, bytes, 513, true, 3));
}

static void a_failed_prepare_empties_the_queue_and_reports_the_error(void **state)
{
    (void)state;
    connect_and_resolve();
    fake.error_at = ATT_PREPARE_WRITE_REQUEST;
    fake.error_code = ATT_ERROR_INVALID_OFFSET;
    uint8_t bytes[200] = {0};
    assert_true(sim_central_write(t.central, t.peer, VALUE, bytes, 200, true, 1));
    run_for(1000);
    assert_int_equal(t.writes, 1);
    assert_int_equal(t.att_error, ATT_ERROR_INVALID_OFFSET);
    const uint8_t *last = fake.frames[fake.frame_count - 1];
    assert_int_equal(last[0], ATT_EXECUTE_WRITE_REQUEST);
    assert_int_equal(last[1], 0);
}

static void commands_overtake_queued_requests_and_never_exceed_the_buffers(void **state)
{
    (void)state;
    connect_and_resolve();
    fake.hold_packets = true;
    size_t before = fake.frame_count;
    uint8_t bytes[61] = {0};
    assert_true(sim_central_read(t.central, t.peer, VALUE, 1));
    for (uint8_t i = 0; i < 64; i++) {
        bytes[0] = i;
        assert_true(sim_central_write(t.central, t.peer, COMMAND, bytes, 61, false, i));
    }
    assert_false(sim_central_write(t.central, t.peer, COMMAND, bytes, 61, false, 64));
    for (int i = 0; i < 60; i++) {
        run_for(1000);
        assert_true(fake.acl_held <= fake.acl_count);
        fake_release_packets();
    }
    run_for(1000);
    assert_int_equal(fake.frame_count, before + 65);
    for (uint8_t i = 0; i < 64; i++) {
        assert_int_equal(fake.frames[before + i][0], ATT_WRITE_COMMAND);
        assert_int_equal(fake.frames[before + i][3], i);
    }
    assert_int_equal(fake.frames[before + 64][0], ATT_READ_REQUEST);
    assert_int_equal(t.writes, 64);
}

static void a_command_longer_than_the_mtu_allows_is_not_sent(void **state)
{
    (void)state;
    connect_and_resolve();
    uint8_t bytes[62] = {0};
    assert_true(sim_central_write(t.central, t.peer, COMMAND, bytes, 62, false, 9));
    run_for(1000);
    assert_int_equal(t.writes, 1);
    assert_int_equal(t.att_error, ATT_ERROR_INVALID_VALUE_LENGTH);
    assert_int_equal(fake_frames_of(ATT_WRITE_COMMAND), 0);
}

static void without_any_hash_the_cached_table_is_used(void **state)
{
    (void)state;
    connect_and_resolve();
    disconnect();
    fake.frame_count = 0;
    fake.attribute_count -= 2; /* the device has other services by now */
    connect_and_resolve();
    assert_int_equal(fake_frames_of(ATT_READ_BY_GROUP_TYPE_REQUEST), 0);
    const struct sim_gatt_characteristic *list;
    assert_int_equal(sim_peer_characteristics(t.peer, &list), 3);
    assert_int_equal(t.changed, 0);
}

static void the_hash_decides_whether_the_cache_is_used(void **state)
{
    (void)state;
    fake_add_services((const uint8_t *)"aaaaaaaaaaaaaaaa");
    connect_and_resolve();
    disconnect();
    fake.frame_count = 0;
    connect_and_resolve(); /* the same */
    assert_int_equal(fake_frames_of(ATT_READ_BY_GROUP_TYPE_REQUEST), 0);
    disconnect();
    fake_add_services((const uint8_t *)"bbbbbbbbbbbbbbbb");
    connect_and_resolve(); /* another */
    assert_int_equal(t.changed, 1);
    assert_int_not_equal(fake_frames_of(ATT_READ_BY_GROUP_TYPE_REQUEST), 0);
    disconnect();
    fake.frame_count = 0;
    connect_and_resolve(); /* the new one was learned */
    assert_int_equal(fake_frames_of(ATT_READ_BY_GROUP_TYPE_REQUEST), 0);
    disconnect();
    fake_add_services(NULL);
    connect_and_resolve(); /* it vanished */
    assert_int_equal(t.changed, 2);
    disconnect();
    fake_add_services((const uint8_t *)"bbbbbbbbbbbbbbbb");
    connect_and_resolve(); /* it appeared */
    assert_int_equal(t.changed, 3);
}

static void forgotten_services_are_discovered_again(void **state)
{
    (void)state;
    connect_and_resolve();
    disconnect();
    sim_peer_forget_services(t.peer);
    fake.frame_count = 0;
    connect_and_resolve();
    assert_int_not_equal(fake_frames_of(ATT_READ_BY_GROUP_TYPE_REQUEST), 0);
}

static void service_changed_is_confirmed_and_leads_to_discovery(void **state)
{
    (void)state;
    connect_and_resolve();
    fake.mute = true;
    assert_true(sim_central_read(t.central, t.peer, VALUE, 1));
    assert_true(sim_central_read(t.central, t.peer, VALUE, 2));
    run_for(1000);
    fake_send("\x1D\x03\x00\x01\x00\xFF\xFF", 7);
    assert_int_equal(t.changed, 1);
    assert_int_equal(t.reads, 1); /* the second; the first is under way */
    assert_int_equal(t.token, 2);
    assert_int_equal(t.att_error, SIM_CENTRAL_ATT_ERROR_ABANDONED);
    fake.mute = false;
    run_for(1000);
    assert_int_equal(fake_frames_of(ATT_CONFIRMATION), 1);
    fake_send("\x0B", 1);
    run_for(1000);
    assert_int_equal(t.token, 1);
    assert_int_equal(t.resolved, 2);
    const struct sim_gatt_service *list;
    assert_int_equal(sim_peer_services(t.peer, &list), 2);
}

static void database_out_of_sync_leads_to_discovery(void **state)
{
    (void)state;
    connect_and_resolve();
    fake.error_at = ATT_READ_REQUEST;
    fake.error_code = ATT_ERROR_DATABASE_OUT_OF_SYNC;
    assert_true(sim_central_read(t.central, t.peer, VALUE, 1));
    run_for(1000);
    assert_int_equal(t.att_error, ATT_ERROR_DATABASE_OUT_OF_SYNC);
    assert_int_equal(t.changed, 1);
    assert_int_equal(t.resolved, 2);
}

static void notifications_and_indications_reach_the_caller(void **state)
{
    (void)state;
    connect_and_resolve();
    fake_send("\x1B\x12\x00hello", 8);
    assert_int_equal(t.token, VALUE);
    assert_int_equal(t.size, 5);
    fake_send("\x1D\x12\x00", 3);
    assert_int_equal(t.size, 0);
    run_for(1000);
    assert_int_equal(fake_frames_of(ATT_CONFIRMATION), 1);
    assert_int_equal(t.changed, 0);
}

static void an_unanswered_request_ends_the_link_after_30_s(void **state)
{
    (void)state;
    connect_and_resolve();
    fake.mute = true;
    assert_true(sim_central_read(t.central, t.peer, VALUE, 1));
    run_for(29999000);
    assert_true(sim_peer_connected(t.peer));
    run_for(2000);
    assert_false(sim_peer_connected(t.peer));
    assert_int_equal(t.disconnected_count, 1);
    assert_int_equal(t.att_error, SIM_CENTRAL_ATT_ERROR_ABANDONED);
}

static void what_was_queued_is_answered_when_the_link_is_lost(void **state)
{
    (void)state;
    connect_and_resolve();
    fake.hold_packets = true;
    uint8_t bytes[61] = {0};
    for (unsigned i = 0; i < 20; i++) {
        assert_true(sim_central_write(t.central, t.peer, COMMAND, bytes, 61, false, i));
        assert_true(sim_central_read(t.central, t.peer, VALUE, i));
    }
    run_for(1000);
    fake_drop(HCI_ERR_CONNECTION_TIMEOUT);
    assert_int_equal(t.disconnected, HCI_ERR_CONNECTION_TIMEOUT);
    assert_int_equal(t.writes, 20);
    assert_int_equal(t.reads, 20);
    assert_false(sim_central_read(t.central, t.peer, VALUE, 1));
    assert_false(sim_central_write(t.central, t.peer, COMMAND, bytes, 1, false, 1));
    fake.hold_packets = false;
    connect_and_resolve(); /* and the buffers are back */
}

static void connecting_gives_up_after_its_time_and_can_be_called_off(void **state)
{
    (void)state;
    sim_central_connect(t.central, t.peer, 5000);
    run_for(4999000);
    assert_int_equal(t.connected_count, 0);
    run_for(2000);
    assert_int_equal(t.connected, HCI_ERR_UNKNOWN_CONNECTION);
    assert_false(fake.scanning);

    fake.refuse_create = true; /* heard, but the attempt never comes to an end */
    sim_central_connect(t.central, t.peer, 5000);
    run_for(1000);
    fake_advertise();
    run_for(1000);
    assert_true(fake.creating);
    assert_false(fake.scanning);
    run_for(2000000);
    assert_false(fake.creating);
    assert_true(fake.scanning); /* Linux listens again */
    fake_advertise();
    run_for(1000);
    assert_true(fake.creating);
    t.inside = true;
    sim_central_disconnect(t.central, t.peer);
    t.inside = false;
    run_for(1000);
    assert_int_equal(t.connected_count, 2);
    assert_int_equal(t.connected, HCI_ERR_LOCAL_HOST_TERMINATED);
    assert_false(fake.creating);
}

static void power_off_ends_links_and_attempts_and_on_brings_it_back(void **state)
{
    (void)state;
    connect_and_resolve();
    static const uint8_t other_address[6] = {1, 2, 3, 4, 5, 6};
    sim_peer_t *other = sim_central_peer(t.central, other_address, true);
    sim_central_scan(t.central, true);
    sim_central_connect(t.central, other, 60000);
    run_for(1000);
    t.inside = true;
    sim_central_power(t.central, false);
    t.inside = false;
    run_for(1000);
    assert_int_equal(t.disconnected_count, 1);
    assert_int_equal(t.connected, HCI_ERR_LOCAL_HOST_TERMINATED);
    assert_false(sim_central_powered(t.central));
    sim_central_connect(t.central, other, 60000); /* fails at once */
    run_for(1000);
    assert_int_equal(t.connected, HCI_ERR_UNKNOWN_CONNECTION);
    fake.scanning = false;
    sim_central_power(t.central, true);
    run_for(1000);
    assert_true(sim_central_powered(t.central));
    assert_true(fake.scanning); /* still wanted */
    assert_int_equal(t.powered, 3);
}

static void scanning_reports_only_while_it_is_asked_for(void **state)
{
    (void)state;
    sim_central_scan(t.central, true);
    run_for(1000);
    fake_advertise();
    assert_int_equal(t.heard, 1);
    sim_central_scan(t.central, false);
    run_for(1000);
    assert_false(fake.scanning);
    fake_advertise();
    assert_int_equal(t.heard, 1);
}

static void what_a_peer_asks_of_the_central_gets_an_answer(void **state)
{
    (void)state;
    connect_and_resolve();
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
    run_for(1000);
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
        if (!sim_peer_connected(t.peer)) {
            sim_central_connect(t.central, t.peer, 10000);
            run_for(1000);
            fake_advertise();
        }
        for (int i = 0; i < 20; i++) {
            uint8_t pdu[100];
            size_t size = sim_random_below(&random, sizeof(pdu));
            sim_random_fill(&random, pdu, size);
            if (size > 0 && sim_random_below(&random, 2) == 0) {
                pdu[0] = (uint8_t)sim_random_below(&random, 0x20);
            }
            if (sim_peer_connected(t.peer)) {
                fake_send(pdu, size);
                sim_central_read(t.central, t.peer, VALUE, 1);
            }
            fake.mute = sim_random_below(&random, 4) == 0;
            run_for(sim_random_below(&random, 2000));
        }
    }
    fake.mute = false;
    if (sim_peer_connected(t.peer)) {
        disconnect();
    }
    fake_add_services((const uint8_t *)"cccccccccccccccc");
    sim_peer_forget_services(t.peer);
    connect_and_resolve();
    t.reads = 0;
    assert_true(sim_central_read(t.central, t.peer, VALUE, 77));
    run_for(1000);
    assert_int_equal(t.token, 77);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
