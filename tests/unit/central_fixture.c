/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The central's host under test, and what it reports. */
#include "tests/unit/central_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/fake_peripheral.h"

struct host_under_test host;

static void heard(void *context, sim_peer_t *peer, bool scan_response,
                  const uint8_t *data, uint8_t size, int8_t rssi_dbm)
{
    (void)context, (void)peer, (void)scan_response, (void)data;
    assert_int_equal(size, 3);
    assert_int_equal(rssi_dbm, -50);
    host.heard++;
}

static void connected(void *context, sim_peer_t *peer, uint8_t status)
{
    (void)context, (void)peer;
    assert_false(host.inside);
    host.connected_count++;
    host.connected = status;
}

static void resolved(void *context, sim_peer_t *peer)
{
    (void)context, (void)peer;
    assert_false(host.inside);
    host.resolved++;
}

static void disconnected(void *context, sim_peer_t *peer, uint8_t reason)
{
    (void)context, (void)peer;
    assert_false(host.inside);
    host.disconnected_count++;
    host.disconnected = reason;
}

static void read_done(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error,
                      const uint8_t *bytes, size_t size)
{
    (void)context, (void)peer;
    assert_false(host.inside);
    host.reads++;
    host.token = token;
    host.att_error = att_error;
    host.size = size;
    if (size > 0) {
        memcpy(host.bytes, bytes, size);
    }
}

static void write_done(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error)
{
    (void)context, (void)peer;
    assert_false(host.inside);
    host.writes++;
    host.token = token;
    host.att_error = att_error;
}

static void notified(void *context, sim_peer_t *peer, uint16_t value_handle,
                     const uint8_t *bytes, size_t size)
{
    (void)context, (void)peer;
    host.token = value_handle;
    host.size = size;
    memcpy(host.bytes, bytes, size);
}

static void services_changed(void *context, sim_peer_t *peer)
{
    (void)context;
    const struct sim_gatt_service *list;
    assert_int_equal(sim_peer_services(peer, &list), 0);
    host.changed++;
}

static void powered(void *context, bool on)
{
    (void)context, (void)on;
    host.powered++;
}

void host_run_for(uint64_t time_us)
{
    sim_loop_advance(host.loop, sim_loop_now_us(host.loop) + time_us);
}

void host_begin(const struct sim_air_profile *profile)
{
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
    memset(&host, 0, sizeof(host));
    host.arena = sim_arena_new(16u << 20);
    host.loop = sim_loop_new(host.arena);
    host.profile = *profile;
    fake_reset(host.loop);
    fake_add_services(NULL);
    struct sim_central_config config = {
        .arena = host.arena,
        .loop = host.loop,
        .profile = &host.profile,
        .cache_services = true,
    };
    host.central = sim_central_new(&config, &ops, NULL);
    host.peer = sim_central_peer(host.central, fake.address, false);
    host_run_for(1000);
    assert_true(sim_central_powered(host.central));
}

int host_set_up(void **state)
{
    (void)state;
    host_begin(&(const struct sim_air_profile){
        .interval_125us_units = 40, .mtu = 517, .supervision_timeout_ms = 2000});
    return 0;
}

int host_tear_down(void **state)
{
    (void)state;
    sim_arena_free(host.arena);
    return 0;
}

void host_connect_and_resolve(void)
{
    unsigned before = host.resolved;
    host.inside = true;
    sim_central_connect(host.central, host.peer, 10000);
    host.inside = false;
    host_run_for(1000);
    assert_true(fake.scanning);
    fake_advertise();
    host_run_for(1000);
    assert_int_equal(host.connected, 0);
    assert_int_equal(host.resolved, before + 1);
}

void host_disconnect(void)
{
    sim_central_disconnect(host.central, host.peer);
    host_run_for(1000);
    assert_false(sim_peer_connected(host.peer));
}
