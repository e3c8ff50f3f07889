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
#include "host/ble_gap.h"
#include "host/ble_hs.h"
#include "link.h"
#include "updraft.h"
#include "updraft/protocol1.h"

#define HANDLES 8

static bool alive[HANDLES]; /* connections that the played host has */

int64_t esp_timer_get_time(void)
{
    return 1000000;
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
    (void)xTicksToDelay;
    fail_msg("there is room: nobody waits");
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

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < HANDLES; i++) {
        alive[i] = false;
    }
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

static void assert_event(enum updraft_link_kind kind, uint16_t handle)
{
    struct updraft_link_event event;
    assert_true(updraft_link_take(&event));
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.connection, handle);
}

static void assert_no_event(void)
{
    struct updraft_link_event event;
    assert_false(updraft_link_take(&event));
}

static void a_write_before_the_connection_is_told_belongs_to_it(void **state)
{
    (void)state;
    alive[1] = true;
    assert_int_equal(updraft_link_control(1, UPDRAFT_P1_REQUEST), 0);
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
    assert_int_equal(updraft_link_data(1, (const uint8_t *)"\x14\x00", 2), 0);
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
    assert_int_equal(updraft_link_control(1, UPDRAFT_P1_REQUEST), 0);
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
    assert_int_equal(updraft_link_control(2, UPDRAFT_P1_REQUEST), 0);
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
        assert_int_equal(updraft_link_control(handle, UPDRAFT_P1_NOP), 0);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
