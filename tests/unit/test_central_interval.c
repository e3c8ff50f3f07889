/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A central grants a board's wish for another interval, or keeps its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/central/central.h"
#include "tests/unit/hci_host.h"

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

static void of_peer(void *context, sim_peer_t *peer)
{
    (void)context, (void)peer;
}

static void read_done(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error,
                      const uint8_t *bytes, size_t size)
{
    (void)context, (void)peer, (void)token, (void)att_error, (void)bytes, (void)size;
}

static void write_done(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error)
{
    (void)context, (void)peer, (void)token, (void)att_error;
}

static void notified(void *context, sim_peer_t *peer, uint16_t value_handle,
                     const uint8_t *bytes, size_t size)
{
    (void)context, (void)peer, (void)value_handle, (void)bytes, (void)size;
}

static const struct sim_central_ops ops = {
    .heard = heard,
    .connected = with_status,
    .resolved = of_peer,
    .disconnected = with_status,
    .read_done = read_done,
    .write_done = write_done,
    .notified = notified,
    .services_changed = of_peer,
};

static struct hci_host board;

static bool answers(struct hci_host *host, uint8_t identifier, uint8_t result)
{
    /* L2CAP header, then code, identifier, length, result. */
    return host->data_bytes > 0 && host->last[2] == L2CAP_CHANNEL_SIGNALLING &&
           host->last[4] == L2CAP_CONNECTION_PARAMETER_RESPONSE &&
           host->last[5] == identifier && host->last[8] == result;
}

static void a_wish_for_another_interval_is_granted_or_refused(void **state)
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        const struct sim_air_profile profile = {.name = "clean",
                                                .interval_125us_units = 40,
                                                .mtu = 23,
                                                .keeps_parameters = keeps == 1,
                                                .supervision_timeout_ms = 4000};
        sim_arena_t *arena = sim_arena_new(16 << 20);
        sim_loop_t *loop = sim_loop_new(arena);
        sim_air_t *air = sim_air_new(arena, loop, &profile, 1);
        const struct sim_controller_config controller = {
            .address = {0xC0, 0, 0, 0, 0, 2}};
        hci_host_start(&board, air, loop, &controller);
        hci_host_advertise(&board, "esp32");
        const struct sim_central_config config = {.arena = arena,
                                                  .loop = loop,
                                                  .air = air,
                                                  .address = {0, 0, 0, 0, 0, 1},
                                                  .profile = &profile};
        sim_central_t *central = sim_central_new(&config, &ops, NULL);
        hci_host_run(loop, 10000);
        sim_central_connect(central, sim_central_peer(central, controller.address, false),
                            10000);
        hci_host_clear(&board);
        const struct hci_host_event *event = hci_host_await(
            &board, HCI_EV_LE_META, HCI_LE_EV_CONNECTION_COMPLETE, 5000000);
        assert_non_null(event);
        uint16_t handle = hci_get_le16(event->bytes + 4);
        hci_host_run(loop, 1000000);

        uint8_t wish[14] = {0};
        hci_put_le16(wish, handle);
        hci_put_le16(wish + 2, 24);
        hci_put_le16(wish + 4, 24);
        hci_put_le16(wish + 8, 400);
        hci_host_do(&board, HCI_LE_CONNECTION_UPDATE, wish, 14, NULL);
        event = hci_host_await(&board, HCI_EV_LE_META,
                               HCI_LE_EV_CONNECTION_UPDATE_COMPLETE, 3000000);
        assert_non_null(event);
        assert_int_equal(event->bytes[3],
                         keeps == 1 ? HCI_ERR_UNACCEPTABLE_PARAMETERS : HCI_SUCCESS);
        assert_int_equal(hci_get_le16(event->bytes + 6), keeps == 1 ? 40 : 24);

        /* The older way, by L2CAP. */
        const uint8_t request[16] = {12, 0, 5,  0, 0x12, 7, 8,    0,
                                     12, 0, 12, 0, 0,    0, 0x90, 1};
        assert_true(hci_host_data(&board, handle, HCI_ACL_FIRST_FROM_HOST, request,
                                  sizeof(request)));
        hci_host_run(loop, 1000000);
        assert_true(answers(&board, 7, keeps == 1 ? 1 : 0));
        sim_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wish_for_another_interval_is_granted_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
