/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the virtual NimBLE: what the hosts of ESP-IDF 5.3 to 6.x do differently,
 * and what a firmware asks of the link and gives back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/nimble/nimble_sim.h"
#include "tests/unit/nimble_fixture.h"

/* Where the board wrote it after mark; the test fails when it did not. */
static const char *place(const char *text, size_t mark)
{
    const char *found = strstr(fixture.log + mark, text);
    if (found == NULL) {
        fail_msg("the board did not write: %s", text);
    }
    return found;
}

/* Connects and exchanges MTUs without waiting. Returns what the log's size was. */
static size_t exchange_at_once(struct att_link **ret_link)
{
    size_t mark = fixture.log_size;
    *ret_link = att_connect_only(0);
    const uint8_t request[3] = {0x02, 100, 0};
    att_send(*ret_link, request, sizeof(request));
    fixture_run_ms(1000);
    return mark;
}

static void before_5_5_a_connection_is_told_at_once(void **state)
{
    (void)state;
    for (int minor = 3; minor <= 4; minor++) {
        const struct fixture_options options = {.timed = true, .idf_minor = minor};
        fixture_open(&options);
        struct att_link *link;
        size_t mark = exchange_at_once(&link);
        assert_true(place("connect 0\n", mark) < place("mtu 100\n", mark));
        assert_true(place("connect 0\n", mark) < place("established 0\n", mark));
        assert_true(place("established 0\n", mark) < place("data length 251\n", mark));
        fixture_close(0);
    }
}

static void since_5_5_a_connection_is_told_after_its_first_requests(void **state)
{
    (void)state;
    const struct fixture_options options = {.timed = true, .idf_minor = 5};
    fixture_open(&options);
    struct att_link *link;
    size_t mark = exchange_at_once(&link);
    assert_true(place("mtu 100\n", mark) < place("connect 0\n", mark));
    assert_true(place("connect 0\n", mark) < place("established 0\n", mark));
    assert_true(place("established 0\n", mark) < place("data length 251\n", mark));
    mark = fixture.log_size;
    sim_controller_power(link->host.controller, false);
    assert_true(fixture_await("disconnect 0x208\n", mark, 5000));
    fixture_close(0);
}

static void since_5_5_a_link_lost_too_early_is_a_connection_that_failed(void **state)
{
    (void)state;
    const struct fixture_options options = {
        .chip = "esp32", .timed = true, .idf_minor = 5, .centrals = 2};
    fixture_open(&options);
    size_t mark = fixture.log_size;
    struct att_link *link = att_connect_only(0);
    sim_controller_power(link->host.controller, false);
    assert_true(fixture_await("connect 1\n", mark, 5000)); /* BLE_HS_EAGAIN */
    fixture_run_ms(5000);
    assert_true(fixture_wrote("established 1\n", mark));
    assert_false(fixture_wrote("disconnect", mark));
    /* It has been forgotten, and the board advertises. */
    att_connect(1, 100);
    fixture_close(0);
}

/* On all chips but the first one. */
static void a_link_that_never_came_about_ends_without_an_event(void **state)
{
    (void)state;
    for (int minor = 3; minor <= 5; minor++) {
        const struct fixture_options options = {
            .timed = true, .idf_minor = minor, .centrals = 2};
        fixture_open(&options);
        size_t mark = fixture.log_size;
        struct att_link *link = att_connect_only(0);
        sim_controller_power(link->host.controller, false);
        fixture_run_ms(5000);
        assert_int_equal(fixture_wrote("connect 0\n", mark), minor < 5);
        assert_false(fixture_wrote("connect 1\n", mark));
        assert_false(fixture_wrote("disconnect", mark));
        if (minor < 5) { /* It has been forgotten, and the board advertises. */
            att_connect(1, 100);
        }
        fixture_close(0);
    }
}

/* NimBLE of 5.5 does not advertise after that, and says nothing: the firmware must look,
 * or do without NimBLE's help. */
static void updraft_is_found_after_a_link_that_never_came_about(void **state)
{
    (void)state;
    static const char *const firmware[] = {"minimal", "own_nimble"};
    for (size_t i = 0; i < 2; i++) {
        for (int minor = 3; minor <= 5; minor++) {
            const struct fixture_options options = {.firmware = firmware[i],
                                                    .timed = true,
                                                    .idf_minor = minor,
                                                    .centrals = 2,
                                                    .without_wait = true};
            fixture_open(&options);
            fixture_run_ms(1000);
            struct att_link *link = att_connect_only(0);
            sim_controller_power(link->host.controller, false);
            fixture_run_ms(5000);
            att_connect_only(1); /* fails the test unless it is found */
            fixture_close(0);
        }
    }
}

static void the_link_is_changed_for_a_firmware_and_changed_back(void **state)
{
    (void)state;
    const struct fixture_options options = {.timed = true};
    fixture_open(&options);
    struct att_link *link = att_connect(0, 0);
    fixture_run_ms(500);
    static const struct {
        enum order order;
        uint16_t argument;
        const char *result, *event;
    } steps[] = {
        {ORDER_PHY, 2, "phy: 0\n", "phy updated 0: 2 2\n"},
        {ORDER_PHY, 1, "phy: 0\n", "phy updated 0: 1 1\n"},
        {ORDER_DATA_LENGTH, 27, "data length: 0\n", "data length 27\n"},
        {ORDER_DATA_LENGTH, 251, "data length: 0\n", "data length 251\n"},
        {ORDER_DATA_LENGTH, 26, "data length: 3\n", NULL}, /* BLE_HS_EINVAL */
        {ORDER_DATA_LENGTH, 252, "data length: 3\n", NULL},
        {ORDER_PHY, 8, "phy: 18\n", NULL}, /* the controller's code, as NimBLE has it */
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        size_t mark = fixture.log_size;
        give_order(link, (uint8_t)steps[i].order, steps[i].argument);
        assert_true(fixture_wrote(steps[i].result, mark));
        if (steps[i].event != NULL) {
            assert_true(fixture_await(steps[i].event, mark, 1000));
        }
    }
    fixture_close(0);
}

/* The controller is silent when nothing changes; since 5.4 the host is not. */
static void a_data_length_that_is_there_already_is_told_by_the_host(void **state)
{
    (void)state;
    for (int minor = 3; minor <= 5; minor++) {
        const struct fixture_options options = {.timed = true, .idf_minor = minor};
        fixture_open(&options);
        struct att_link *link = att_connect(0, 0);
        fixture_run_ms(500);
        give_order(link, ORDER_DATA_LENGTH, 251);
        fixture_run_ms(500);
        size_t mark = fixture.log_size;
        give_order(link, ORDER_DATA_LENGTH, 251);
        fixture_run_ms(500);
        assert_true(fixture_wrote("data length: 0\n", mark));
        assert_int_equal(fixture_wrote("data length 251\n", mark), minor >= 4);
        fixture_close(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_5_5_a_connection_is_told_at_once),
        cmocka_unit_test(since_5_5_a_connection_is_told_after_its_first_requests),
        cmocka_unit_test(since_5_5_a_link_lost_too_early_is_a_connection_that_failed),
        cmocka_unit_test(a_link_that_never_came_about_ends_without_an_event),
        cmocka_unit_test(updraft_is_found_after_a_link_that_never_came_about),
        cmocka_unit_test(the_link_is_changed_for_a_firmware_and_changed_back),
        cmocka_unit_test(a_data_length_that_is_there_already_is_told_by_the_host),
    };
    printf("seed %d\n", FIXTURE_SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
