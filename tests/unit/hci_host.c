/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The smallest host above a virtual controller, for tests that speak raw HCI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/hci_host.h"

static void pump_stream(struct hci_host *host)
{
    uint8_t payload[HCI_ACL_PAYLOAD_MAX];
    while (host->stream_handle != 0 && host->credits > 0 &&
           (host->stream_max == 0 || host->stream_sent < host->stream_max)) {
        uint16_t size = host->stream_size;
        uint8_t boundary = HCI_ACL_FIRST_FROM_HOST;
        if (host->frame_size != 0) {
            uint16_t left = (uint16_t)(host->frame_size - host->frame_sent);
            size = left < host->acl_size ? left : host->acl_size;
            boundary =
                host->frame_sent == 0 ? HCI_ACL_FIRST_FROM_HOST : HCI_ACL_CONTINUATION;
            host->frame_sent = left == size ? 0 : (uint16_t)(host->frame_sent + size);
        }
        memset(payload, (int)host->stream_sent, size);
        hci_host_data(host, host->stream_handle, boundary, payload, size);
        host->stream_sent++;
    }
}

static void take_event(struct hci_host *host, const uint8_t *packet, size_t size)
{
    if (host->events == HCI_HOST_EVENTS_MAX) {
        memmove(host->event, host->event + 1, sizeof(host->event) - sizeof(*host->event));
        host->events--;
    }
    struct hci_host_event *event = &host->event[host->events++];
    event->at_us = sim_loop_now_us(host->loop);
    event->size = (uint8_t)(size - 1);
    memcpy(event->bytes, packet + 1, size - 1);
    if (packet[1] == HCI_EV_NUMBER_OF_COMPLETED_PACKETS) {
        uint16_t count = hci_get_le16(packet + 6);
        host->credits += count;
        host->completed += count;
        host->events--; /* nobody looks for these one by one */
        pump_stream(host);
    }
}

static bool take_packet(void *context, const uint8_t *packet, size_t size)
{
    struct hci_host *host = context;
    if (host->refuse) {
        return false;
    }
    if (packet[0] == HCI_H4_EVENT) {
        take_event(host, packet, size);
        return true;
    }
    assert_int_equal(packet[0], HCI_H4_ACL);
    uint16_t field = hci_get_le16(packet + 1);
    assert_int_equal(hci_get_le16(packet + 3), size - HCI_ACL_HEADER_SIZE);
    host->data_packets++;
    host->data_bytes += size - HCI_ACL_HEADER_SIZE;
    host->data_at_us = sim_loop_now_us(host->loop);
    memcpy(host->last, packet + HCI_ACL_HEADER_SIZE, size - HCI_ACL_HEADER_SIZE);
    if (host->data != NULL) {
        host->data(host, HCI_ACL_HANDLE(field), HCI_ACL_BOUNDARY(field),
                   packet + HCI_ACL_HEADER_SIZE, size - HCI_ACL_HEADER_SIZE);
    }
    return true;
}

static const struct sim_host_ops host_ops = {.packet = take_packet};

void hci_host_command(struct hci_host *host, uint16_t opcode, const void *parameters,
                      size_t size)
{
    uint8_t packet[HCI_COMMAND_HEADER_SIZE + 255];
    size_t whole = hci_put_command(packet, opcode, parameters, size);
    sim_controller_send(host->controller, packet, whole);
}

/* The answer to opcode among the recorded events. */
static const struct hci_host_event *answer_to(const struct hci_host *host,
                                              uint16_t opcode)
{
    for (size_t i = 0; i < host->events; i++) {
        const uint8_t *bytes = host->event[i].bytes;
        if ((bytes[0] == HCI_EV_COMMAND_COMPLETE && hci_get_le16(bytes + 3) == opcode) ||
            (bytes[0] == HCI_EV_COMMAND_STATUS && hci_get_le16(bytes + 4) == opcode)) {
            return &host->event[i];
        }
    }
    return NULL;
}

uint8_t hci_host_do(struct hci_host *host, uint16_t opcode, const void *parameters,
                    size_t size, uint8_t *ret_results)
{
    hci_host_clear(host);
    hci_host_command(host, opcode, parameters, size);
    const struct hci_host_event *answer;
    while ((answer = answer_to(host, opcode)) == NULL) {
        assert_true(sim_loop_step(host->loop));
    }
    if (answer->bytes[0] == HCI_EV_COMMAND_STATUS) {
        return answer->bytes[2];
    }
    if (ret_results != NULL) {
        memcpy(ret_results, answer->bytes + 6, answer->size - 6u);
    }
    return answer->bytes[5];
}

bool hci_host_data(struct hci_host *host, uint16_t handle, uint8_t boundary,
                   const void *bytes, size_t size)
{
    uint8_t packet[HCI_ACL_HEADER_SIZE + HCI_ACL_PAYLOAD_MAX];
    if (host->credits == 0) {
        return false;
    }
    host->credits--;
    hci_put_acl_header(packet, handle, boundary, (uint16_t)size);
    memcpy(packet + HCI_ACL_HEADER_SIZE, bytes, size);
    sim_controller_send(host->controller, packet, HCI_ACL_HEADER_SIZE + size);
    return true;
}

void hci_host_stream(struct hci_host *host, uint16_t handle, uint16_t size,
                     uint64_t packets_max)
{
    host->stream_handle = handle;
    host->stream_size = size;
    host->stream_sent = 0;
    host->stream_max = packets_max;
    pump_stream(host);
}

void hci_host_stream_frames(struct hci_host *host, uint16_t handle, uint16_t frame_size)
{
    host->frame_size = frame_size;
    hci_host_stream(host, handle, 0, 0);
}

void hci_host_clear(struct hci_host *host)
{
    host->events = 0;
}

const struct hci_host_event *hci_host_find(const struct hci_host *host, uint8_t code,
                                           uint8_t subevent)
{
    for (size_t i = 0; i < host->events; i++) {
        const uint8_t *bytes = host->event[i].bytes;
        if (bytes[0] == code && (code != HCI_EV_LE_META || bytes[2] == subevent)) {
            return &host->event[i];
        }
    }
    return NULL;
}

const struct hci_host_event *hci_host_await(struct hci_host *host, uint8_t code,
                                            uint8_t subevent, uint64_t limit_us)
{
    uint64_t until_us = sim_loop_now_us(host->loop) + limit_us;
    uint64_t next_us = 0;
    const struct hci_host_event *event;
    while ((event = hci_host_find(host, code, subevent)) == NULL &&
           sim_loop_next(host->loop, &next_us) && next_us <= until_us) {
        sim_loop_step(host->loop);
    }
    return event;
}

void hci_host_run(sim_loop_t *loop, uint64_t duration_us)
{
    sim_loop_advance(loop, sim_loop_now_us(loop) + duration_us);
}

void hci_host_start(struct hci_host *host, sim_air_t *air, sim_loop_t *loop,
                    const struct sim_controller_config *config)
{
    memset(host, 0, sizeof(*host));
    host->loop = loop;
    host->controller = sim_controller_new(air, config, &host_ops, host);
    uint8_t all[8];
    memset(all, 0xFF, sizeof(all));
    uint8_t buffers[8];
    assert_int_equal(hci_host_do(host, HCI_RESET, NULL, 0, NULL), HCI_SUCCESS);
    assert_int_equal(hci_host_do(host, HCI_SET_EVENT_MASK, all, 8, NULL), HCI_SUCCESS);
    assert_int_equal(hci_host_do(host, HCI_LE_SET_EVENT_MASK, all, 8, NULL), HCI_SUCCESS);
    assert_int_equal(hci_host_do(host, HCI_LE_READ_BUFFER_SIZE, NULL, 0, buffers),
                     HCI_SUCCESS);
    host->acl_size = hci_get_le16(buffers);
    host->credits = buffers[2];
}

void hci_host_advertise(struct hci_host *host, const char *name)
{
    uint8_t parameters[15] = {0xA0, 0x00, 0xA0, 0x00}; /* 100 ms */
    uint8_t data[32] = {(uint8_t)(5 + strlen(name)), 2,   1, 6,
                        (uint8_t)(strlen(name) + 1), 0x09};
    uint8_t on = 1;
    memcpy(data + 6, name, strlen(name));
    parameters[13] = 7;
    assert_int_equal(hci_host_do(host, HCI_LE_SET_ADV_PARAMETERS, parameters, 15, NULL),
                     HCI_SUCCESS);
    assert_int_equal(hci_host_do(host, HCI_LE_SET_ADV_DATA, data, 32, NULL), HCI_SUCCESS);
    assert_int_equal(hci_host_do(host, HCI_LE_SET_ADV_ENABLE, &on, 1, NULL), HCI_SUCCESS);
}

void hci_host_connect(struct hci_host *central, struct hci_host *peripheral,
                      uint16_t interval, uint16_t timeout, uint16_t *ret_central,
                      uint16_t *ret_peripheral)
{
    uint8_t address[6];
    uint8_t parameters[25] = {0x10, 0, 0x10, 0};
    assert_int_equal(hci_host_do(peripheral, HCI_READ_BD_ADDR, NULL, 0, address),
                     HCI_SUCCESS);
    hci_host_clear(peripheral);
    memcpy(parameters + 6, address, 6);
    hci_put_le16(parameters + 13, interval);
    hci_put_le16(parameters + 15, interval);
    hci_put_le16(parameters + 19, timeout);
    assert_int_equal(hci_host_do(central, HCI_LE_CREATE_CONNECTION, parameters, 25, NULL),
                     HCI_SUCCESS);
    const struct hci_host_event *event =
        hci_host_await(central, HCI_EV_LE_META, HCI_LE_EV_CONNECTION_COMPLETE, 5000000);
    assert_non_null(event);
    assert_int_equal(event->bytes[3], HCI_SUCCESS);
    assert_int_equal(event->bytes[6], HCI_ROLE_CENTRAL);
    *ret_central = hci_get_le16(event->bytes + 4);
    event = hci_host_await(peripheral, HCI_EV_LE_META, HCI_LE_EV_CONNECTION_COMPLETE, 0);
    assert_non_null(event);
    assert_int_equal(event->bytes[6], HCI_ROLE_PERIPHERAL);
    *ret_peripheral = hci_get_le16(event->bytes + 4);
}
