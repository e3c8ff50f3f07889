/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the device's table of connections, whatever NimBLE tells of them and when.
 * NimBLE and FreeRTOS are played here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "esp_log.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "gatt.h"
#include "host/ble_gap.h"
#include "host/ble_hs.h"
#include "link.h"
#include "updraft.h"
#include "updraft/protocol1.h"

#define HANDLES 8
#define CONTROL 21 /* attribute */

static bool alive[HANDLES]; /* connections that the played host has */
static bool may_wait; /* for room; time passes meanwhile, and nothing else happens */
static int64_t time_us;

int64_t esp_timer_get_time(void)
{
    return time_us;
}

uint32_t esp_log_timestamp(void)
{
    return 0;
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    (void)level;
    (void)tag;
    (void)format;
}

void vTaskDelay(const TickType_t xTicksToDelay)
{
    if (!may_wait) {
        fail_msg("there is room: nobody waits");
    }
    time_us += (int64_t)xTicksToDelay * portTICK_PERIOD_MS * 1000;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return NULL;
}

BaseType_t xTaskGenericNotify(TaskHandle_t xTaskToNotify, UBaseType_t uxIndexToNotify,
                              uint32_t ulValue, eNotifyAction eAction,
                              uint32_t *pulPreviousNotificationValue)
{
    (void)xTaskToNotify;
    (void)uxIndexToNotify;
    (void)ulValue;
    (void)eAction;
    (void)pulPreviousNotificationValue;
    return pdPASS;
}

int ble_gap_conn_find(uint16_t handle, struct ble_gap_conn_desc *out_desc)
{
    assert_null(out_desc);
    return handle < HANDLES && alive[handle] ? 0 : BLE_HS_ENOTCONN;
}

/* What the GAP event calls beside the table. */
void updraft_gatt_subscribed(uint16_t connection, uint16_t attribute, bool enabled)
{
    assert_int_equal(attribute, CONTROL);
    updraft_link_subscribe(connection, enabled);
}

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < HANDLES; i++) {
        alive[i] = false;
    }
    may_wait = false;
    time_us = 1000000;
    updraft_link_init();
    return 0;
}

static void tell_connect(uint16_t handle, int status)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_CONNECT};
    event.connect.conn_handle = handle;
    event.connect.status = status;
    updraft_gap_event(&event);
}

static void tell_disconnect(uint16_t handle)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_DISCONNECT};
    event.disconnect.conn.conn_handle = handle;
    alive[handle] = false;
    updraft_gap_event(&event);
}

static int write_opcode(uint16_t handle, uint8_t opcode)
{
    return updraft_link_control(handle, &opcode, 1);
}

static void assert_event(enum updraft_link_kind kind, uint16_t handle)
{
    struct updraft_link_event event;
    uint8_t room[UPDRAFT_RING_PAYLOAD_SIZE];
    assert_true(updraft_link_take(&event, room));
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.connection, handle);
}

static void assert_no_event(void)
{
    struct updraft_link_event event;
    uint8_t room[UPDRAFT_RING_PAYLOAD_SIZE];
    assert_false(updraft_link_take(&event, room));
}

static void a_write_before_the_connection_is_told_belongs_to_it(void **state)
{
    (void)state;
    alive[1] = true;
    assert_int_equal(write_opcode(1, UPDRAFT_P1_REQUEST), 0);
    assert_int_equal(updraft_link_count(), 1);
    tell_connect(1, 0);
    assert_int_equal(updraft_link_count(), 1);
    tell_disconnect(1);
    assert_event(UPDRAFT_LINK_CONTROL, 1);
    assert_event(UPDRAFT_LINK_ENDED, 1);
    assert_no_event();
    assert_int_equal(updraft_link_count(), 0);
}

static void a_connection_that_failed_after_a_write_has_ended(void **state)
{
    (void)state;
    alive[1] = true;
    assert_int_equal(updraft_link_data(1, "\x14\x00", NULL, 2), 0);
    tell_connect(1, BLE_HS_EAGAIN);
    assert_event(UPDRAFT_LINK_DATA, 1);
    assert_event(UPDRAFT_LINK_ENDED, 1);
    assert_no_event();
    /* And one that nothing was written to has never been. */
    tell_connect(2, BLE_HS_EAGAIN);
    tell_connect(BLE_HS_CONN_HANDLE_NONE, BLE_HS_ETIMEOUT);
    assert_no_event();
    assert_int_equal(updraft_link_count(), 0);
}

static void a_peer_that_does_not_tell_its_features_is_connected(void **state)
{
    (void)state;
    alive[1] = true;
    tell_connect(1, 0x1A); /* unsupported remote feature, as the host tells it */
    assert_int_equal(updraft_link_count(), 1);
    tell_disconnect(1);
    assert_int_equal(updraft_link_count(), 0);
}

static void an_end_that_is_not_told_is_noticed(void **state)
{
    (void)state;
    uint16_t handles[UPDRAFT_LINK_CONNECTIONS_MAX];
    alive[1] = true;
    tell_connect(1, 0);
    assert_int_equal(write_opcode(1, UPDRAFT_P1_REQUEST), 0);
    assert_int_equal(updraft_link_list(0, handles), 1);
    alive[1] = false;
    assert_int_equal(updraft_link_count(), 0);
    assert_int_equal(updraft_link_list(0, handles), 0);
    /* The update task knows at the latest when the next one comes: of another handle, */
    alive[2] = true;
    tell_connect(2, 0);
    assert_event(UPDRAFT_LINK_CONTROL, 1);
    assert_event(UPDRAFT_LINK_ENDED, 1);
    assert_no_event();
    /* or of the same. */
    assert_int_equal(write_opcode(2, UPDRAFT_P1_REQUEST), 0);
    tell_connect(2, 0);
    assert_event(UPDRAFT_LINK_CONTROL, 2);
    assert_event(UPDRAFT_LINK_ENDED, 2);
    assert_no_event();
    assert_int_equal(updraft_link_count(), 1);
}

static void ends_that_are_never_told_take_no_room(void **state)
{
    (void)state;
    for (int round = 0; round < 100; round++) {
        uint16_t handle = (uint16_t)(round % HANDLES);
        alive[handle] = true;
        tell_connect(handle, 0);
        assert_int_equal(updraft_link_count(), 1);
        assert_int_equal(write_opcode(handle, UPDRAFT_P1_NOP), 0);
        assert_event(UPDRAFT_LINK_CONTROL, handle);
        alive[handle] = false;
        updraft_link_closed((uint16_t)((round + 1) % HANDLES)); /* unknown: nothing */
        tell_connect((uint16_t)((round + 1) % HANDLES), BLE_HS_EAGAIN);
        alive[(handle + 2) % HANDLES] = true;
        tell_connect((uint16_t)((handle + 2) % HANDLES), 0);
        assert_event(UPDRAFT_LINK_ENDED, handle);
        alive[(handle + 2) % HANDLES] = false;
    }
}

static void tell_subscribe(uint16_t handle, bool enabled)
{
    struct ble_gap_event event = {.type = BLE_GAP_EVENT_SUBSCRIBE};
    event.subscribe.conn_handle = handle;
    event.subscribe.attr_handle = CONTROL;
    event.subscribe.cur_notify = enabled;
    updraft_gap_event(&event);
}

/* It may be told before the connection is, and its end after the connection's. */
static void a_subscription_lasts_as_long_as_its_connection(void **state)
{
    (void)state;
    alive[1] = true;
    assert_false(updraft_link_subscribed(1));
    tell_subscribe(1, true);
    tell_connect(1, 0);
    assert_true(updraft_link_subscribed(1));
    assert_false(updraft_link_subscribed(2));
    tell_subscribe(1, false);
    assert_false(updraft_link_subscribed(1));
    tell_subscribe(1, true);
    tell_disconnect(1);
    tell_subscribe(1, false);
    assert_int_equal(updraft_link_count(), 0);
    alive[1] = true;
    assert_int_equal(updraft_link_count(), 0);
    tell_connect(1, 0);
    assert_false(updraft_link_subscribed(1));
}

/* As vTaskDelay in this test says: nobody waits, and what had room comes out whole. */
static void data_of_protocol_2_is_dropped_where_there_is_no_room(void **state)
{
    (void)state;
    static uint8_t chunk[100];
    static uint8_t message[UPDRAFT_P2_COMMAND_MAX] = {UPDRAFT_P2_STATUS};
    const size_t room =
        UPDRAFT_LINK_WINDOW_SIZE / (sizeof(chunk) + UPDRAFT_RING_HEADER_SIZE);
    alive[1] = true;
    tell_connect(1, 0);
    updraft_link_publish(1, UPDRAFT_P2_VERSION, /* failed= */ false);
    for (size_t i = 0; i < room + 3; i++) {
        assert_int_equal(updraft_link_data(1, chunk, NULL, sizeof(chunk)), 0);
    }
    /* A message of each connection has room all the same. */
    for (unsigned i = 0; i < UPDRAFT_LINK_CONNECTIONS_MAX; i++) {
        assert_int_equal(updraft_link_control(1, message, sizeof(message)), 0);
    }
    assert_int_equal(updraft_link_control_value(), 0);
    for (size_t i = 0; i < room; i++) {
        assert_event(UPDRAFT_LINK_DATA, 1);
    }
    for (unsigned i = 0; i < UPDRAFT_LINK_CONNECTIONS_MAX; i++) {
        assert_event(UPDRAFT_LINK_CONTROL, 1);
    }
    assert_no_event();
}

static void what_was_dropped_is_told_before_what_comes_after(void **state)
{
    (void)state;
    static uint8_t packet[100];
    size_t taken = 0;
    int result;
    alive[1] = true;
    tell_connect(1, 0);
    updraft_link_publish(1, /* protocol= */ 1, /* failed= */ false);
    may_wait = true;
    while ((result = updraft_link_data(1, packet, NULL, sizeof(packet))) == 0) {
        taken++;
    }
    assert_int_equal(result, UPDRAFT_P1_ATT_FAILED);
    assert_int_equal(time_us, 1000000 + CONFIG_UPDRAFT_FULL_WAIT_MS * 1000);
    assert_true(taken > 2);
    assert_event(UPDRAFT_LINK_DATA, 1);
    assert_event(UPDRAFT_LINK_DATA, 1);
    assert_int_equal(updraft_link_data(1, packet, NULL, sizeof(packet)), 0);
    for (size_t i = 2; i < taken; i++) {
        assert_event(UPDRAFT_LINK_DATA, 1);
    }
    assert_event(UPDRAFT_LINK_DATA_LOST, 1);
    assert_event(UPDRAFT_LINK_DATA, 1);
    assert_no_event();
}

/* The owner's update waits behind no more than that. */
static void a_connection_without_the_update_has_one_message_in_the_ring(void **state)
{
    (void)state;
    alive[1] = true;
    alive[2] = true;
    tell_connect(1, 0);
    tell_connect(2, 0);
    for (int with_owner = 0; with_owner < 2; with_owner++) {
        updraft_link_publish(with_owner ? 1 : UPDRAFT_CONNECTION_NONE, UPDRAFT_P2_VERSION,
                             /* failed= */ false);
        assert_int_equal(write_opcode(2, UPDRAFT_P1_REQUEST), 0);
        assert_int_equal(write_opcode(2, UPDRAFT_P1_NOP), BLE_ATT_ERR_INSUFFICIENT_RES);
        assert_int_equal(updraft_link_control_value(), UPDRAFT_P1_REQUEST);
        assert_event(UPDRAFT_LINK_CONTROL, 2);
        assert_no_event();
    }
    /* The owner may say more, and its messages take nobody's turn. */
    assert_int_equal(write_opcode(1, UPDRAFT_P1_NOP), 0);
    assert_int_equal(write_opcode(1, UPDRAFT_P1_DONE), 0);
    assert_int_equal(write_opcode(2, UPDRAFT_P1_NOP), 0);
    /* Nor do those of a connection that ended, where the next one has its handle. */
    tell_disconnect(2);
    alive[2] = true;
    tell_connect(2, 0);
    assert_int_equal(write_opcode(2, UPDRAFT_P1_REQUEST), 0);
    assert_event(UPDRAFT_LINK_CONTROL, 1);
    assert_event(UPDRAFT_LINK_CONTROL, 1);
    assert_event(UPDRAFT_LINK_CONTROL, 2);
    assert_event(UPDRAFT_LINK_ENDED, 2);
    assert_event(UPDRAFT_LINK_CONTROL, 2);
    assert_no_event();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_write_before_the_connection_is_told_belongs_to_it,
                               set_up),
        cmocka_unit_test_setup(a_connection_that_failed_after_a_write_has_ended, set_up),
        cmocka_unit_test_setup(a_peer_that_does_not_tell_its_features_is_connected,
                               set_up),
        cmocka_unit_test_setup(an_end_that_is_not_told_is_noticed, set_up),
        cmocka_unit_test_setup(ends_that_are_never_told_take_no_room, set_up),
        cmocka_unit_test_setup(a_subscription_lasts_as_long_as_its_connection, set_up),
        cmocka_unit_test_setup(data_of_protocol_2_is_dropped_where_there_is_no_room,
                               set_up),
        cmocka_unit_test_setup(what_was_dropped_is_told_before_what_comes_after, set_up),
        cmocka_unit_test_setup(
            a_connection_without_the_update_has_one_message_in_the_ring, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
