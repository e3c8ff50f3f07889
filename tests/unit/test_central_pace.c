/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the central's host about the time that it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/central/att.h"
#include "sim/central/central.h"
#include "tests/unit/fake_peripheral.h"

#define COMMAND 22 /* a handle of fake_add_services */
#define WRITES  10

static unsigned resolved_count;
static unsigned written;

static void heard(void *context, sim_peer_t *peer, bool scan_response,
                  const uint8_t *data, uint8_t size, int8_t rssi_dbm)
{
    (void)context, (void)peer, (void)scan_response, (void)data, (void)size;
    (void)rssi_dbm;
}

static void with_status(void *context, sim_peer_t *peer, uint8_t status)
{
    (void)context, (void)peer, (void)status;
}

static void resolved(void *context, sim_peer_t *peer)
{
    (void)context, (void)peer;
    resolved_count++;
}

static void read_done(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error,
                      const uint8_t *bytes, size_t size)
{
    (void)context, (void)peer, (void)token, (void)att_error, (void)bytes, (void)size;
}

static void write_done(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error)
{
    (void)context, (void)peer, (void)token;
    assert_int_equal(att_error, 0);
    written++;
}

static void notified(void *context, sim_peer_t *peer, uint16_t value_handle,
                     const uint8_t *bytes, size_t size)
{
    (void)context, (void)peer, (void)value_handle, (void)bytes, (void)size;
}

static void services_changed(void *context, sim_peer_t *peer)
{
    (void)context, (void)peer;
}

static void frames_go_out_no_faster_than_the_host_makes_them(void **state)
{
    (void)state;
    static const struct sim_central_ops ops = {
        .heard = heard,
        .connected = with_status,
        .resolved = resolved,
        .disconnected = with_status,
        .read_done = read_done,
        .write_done = write_done,
        .notified = notified,
        .services_changed = services_changed,
    };
    const struct sim_air_profile profile = {.interval_125us_units = 40,
                                            .mtu = 517,
                                            .central_host_us = 1200,
                                            .supervision_timeout_ms = 2000};
    sim_arena_t *arena = sim_arena_new(16u << 20);
    sim_loop_t *loop = sim_loop_new(arena);
    fake_reset(loop);
    fake_add_services(NULL);
    const struct sim_central_config config = {
        .arena = arena, .loop = loop, .profile = &profile};
    sim_central_t *central = sim_central_new(&config, &ops, NULL);
    sim_peer_t *peer = sim_central_peer(central, fake.address, false);
    sim_loop_advance(loop, 1000);
    sim_central_connect(central, peer, 10000);
    sim_loop_advance(loop, 2000);
    fake_advertise();
    sim_loop_advance(loop, 100000);
    assert_int_equal(resolved_count, 1);

    fake.acl_count = WRITES;
    for (unsigned i = 0; i < WRITES; i++) {
        const uint8_t bytes[20] = {0};
        assert_true(
            sim_central_write(central, peer, COMMAND, bytes, sizeof(bytes), false, i));
    }
    for (unsigned sent = 1; sent <= WRITES; sent++) {
        /* The first at once, the next after 1.2 ms, and so on. */
        sim_loop_advance(loop, 100000 + sent * 1200u - 1);
        assert_int_equal(fake_frames_of(ATT_WRITE_COMMAND), sent);
        assert_int_equal(written, sent);
    }
    sim_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_go_out_no_faster_than_the_host_makes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
