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
#include "tests/unit/central_fixture.h"
#include "tests/unit/fake_peripheral.h"

#define COMMAND 22 /* a handle of fake_add_services */
#define WRITES  10
#define HOST_US 1200u

static void frames_go_out_no_faster_than_the_host_makes_them(void **state)
{
    (void)state;
    const struct sim_air_profile profile = {.interval_125us_units = 40,
                                            .mtu = 517,
                                            .central_host_us = HOST_US,
                                            .supervision_timeout_ms = 2000};
    host_begin(&profile);
    sim_central_connect(host.central, host.peer, 10000);
    host_run_for(1000);
    fake_advertise();
    host_run_for(100000);
    assert_int_equal(host.resolved, 1);

    fake.acl_count = WRITES;
    for (unsigned i = 0; i < WRITES; i++) {
        const uint8_t bytes[20] = {0};
        assert_true(sim_central_write(host.central, host.peer, COMMAND, bytes,
                                      sizeof(bytes), false, i));
    }
    host_run_for(HOST_US - 1);
    for (unsigned sent = 1; sent <= WRITES; sent++) {
        /* The first at once, the next after 1.2 ms, and so on. */
        assert_int_equal(fake_frames_of(ATT_WRITE_COMMAND), sent);
        assert_int_equal(host.writes, sent);
        assert_int_equal(host.att_error, 0);
        host_run_for(HOST_US);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(frames_go_out_no_faster_than_the_host_makes_them,
                                  host_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
