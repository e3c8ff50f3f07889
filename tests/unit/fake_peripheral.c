/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The scripted controller: answers a host's HCI commands and serves attributes. */
#include "tests/unit/fake_peripheral.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sim/central/att.h"
#include "sim/radio/hci.h"

#define FAKE_HANDLE 0x0040

struct fake_peripheral fake;

static const struct sim_host_ops *host;
static void *host_context;
static uint8_t input[1024];
static size_t input_size;

static void give(const uint8_t *packet, size_t size)
{
    assert_true(host->packet(host_context, packet, size));
}

static void event(uint8_t code, const void *bytes, size_t size)
{
    uint8_t packet[HCI_EVENT_SIZE_MAX] = {HCI_H4_EVENT, code, (uint8_t)size};
    memcpy(packet + HCI_EVENT_HEADER_SIZE, bytes, size);
    give(packet, HCI_EVENT_HEADER_SIZE + size);
}

static void complete(uint16_t opcode, const void *result, size_t size)
{
    uint8_t bytes[64] = {1};
    hci_put_le16(&bytes[1], opcode);
    memcpy(&bytes[3], result, size);
    event(HCI_EV_COMMAND_COMPLETE, bytes, 3 + size);
}

static void status(uint16_t opcode, uint8_t code)
{
    uint8_t bytes[4] = {code, 1};
    hci_put_le16(&bytes[2], opcode);
    event(HCI_EV_COMMAND_STATUS, bytes, sizeof(bytes));
}

static void connection_complete(uint8_t code)
{
    uint8_t bytes[19] = {HCI_LE_EV_CONNECTION_COMPLETE, code};
    fake.creating = false;
    fake.connected = code == 0;
    hci_put_le16(&bytes[2], FAKE_HANDLE);
    event(HCI_EV_LE_META, bytes, sizeof(bytes));
}

void fake_drop(uint8_t reason)
{
    uint8_t bytes[4] = {0, 0, 0, reason};
    hci_put_le16(&bytes[1], FAKE_HANDLE);
    fake.connected = false;
    fake.acl_held = 0;
    event(HCI_EV_DISCONNECTION_COMPLETE, bytes, sizeof(bytes));
}

void fake_advertise(void)
{
    uint8_t bytes[20] = {HCI_LE_EV_ADVERTISING_REPORT, 1};
    hci_reverse_address(&bytes[4], fake.address);
    bytes[10] = 3; /* of data */
    bytes[11] = 2;
    bytes[12] = 1;
    bytes[13] = 6;
    bytes[14] = (uint8_t)-50;
    event(HCI_EV_LE_META, bytes, 15);
}

static void command(uint16_t opcode, const uint8_t *parameters)
{
    uint8_t ok[8] = {0};
    switch (opcode) {
    case HCI_READ_BUFFER_SIZE:
        complete(opcode, ok, 8);
        break;
    case HCI_LE_READ_BUFFER_SIZE:
        hci_put_le16(&ok[1], 27);
        ok[3] = fake.acl_count;
        complete(opcode, ok, 4);
        break;
    case HCI_LE_SET_SCAN_ENABLE:
        fake.scanning = parameters[0];
        complete(opcode, ok, 1);
        break;
    case HCI_LE_CREATE_CONNECTION:
        status(opcode, 0);
        fake.creating = true;
        if (!fake.refuse_create) {
            connection_complete(0);
        }
        break;
    case HCI_LE_CREATE_CONNECTION_CANCEL:
        ok[0] = fake.creating ? 0 : HCI_ERR_COMMAND_DISALLOWED;
        complete(opcode, ok, 1);
        if (fake.creating) {
            connection_complete(HCI_ERR_UNKNOWN_CONNECTION);
        }
        break;
    case HCI_DISCONNECT:
        status(opcode, 0);
        fake_drop(HCI_ERR_LOCAL_HOST_TERMINATED);
        break;
    case HCI_LE_READ_REMOTE_FEATURES:
    case HCI_LE_CONNECTION_UPDATE:
        status(opcode, 0);
        break;
    default:
        complete(opcode, ok, 1);
        break;
    }
}

void fake_signal(const void *frame, size_t size, uint16_t channel)
{
    uint8_t bytes[L2CAP_HEADER_SIZE + 520];
    hci_put_le16(&bytes[0], (uint16_t)size);
    hci_put_le16(&bytes[2], channel);
    memcpy(bytes + L2CAP_HEADER_SIZE, frame, size);
    size += L2CAP_HEADER_SIZE;
    for (size_t at = 0; at < size; at += 27) {
        uint8_t packet[HCI_ACL_HEADER_SIZE + 27];
        size_t part = size - at < 27 ? size - at : 27;
        hci_put_acl_header(packet, FAKE_HANDLE,
                           at == 0 ? HCI_ACL_FIRST : HCI_ACL_CONTINUATION,
                           (uint16_t)part);
        memcpy(packet + HCI_ACL_HEADER_SIZE, bytes + at, part);
        give(packet, HCI_ACL_HEADER_SIZE + part);
    }
}

void fake_send(const void *pdu, size_t size)
{
    fake_signal(pdu, size, L2CAP_CHANNEL_ATT);
}

static void send_error(uint8_t opcode, uint16_t handle, uint8_t code)
{
    uint8_t pdu[5] = {ATT_ERROR_RESPONSE, opcode, 0, 0, code};
    hci_put_le16(&pdu[2], handle);
    fake_send(pdu, sizeof(pdu));
}

static struct fake_attribute *attribute(uint16_t handle)
{
    for (size_t i = 0; i < fake.attribute_count; i++) {
        if (fake.attributes[i].handle == handle) {
            return &fake.attributes[i];
        }
    }
    return NULL;
}

/* Read By Type and Read By Group Type: entries of the first one's size. */
static void serve_by_type(const uint8_t *pdu, bool group)
{
    uint8_t answer[512] = {group ? ATT_READ_BY_GROUP_TYPE_RESPONSE
                                 : ATT_READ_BY_TYPE_RESPONSE};
    size_t size = 2;
    uint16_t start = hci_get_le16(&pdu[1]);
    uint16_t type = hci_get_le16(&pdu[5]);
    for (size_t i = 0; i < fake.attribute_count; i++) {
        const struct fake_attribute *found = &fake.attributes[i];
        size_t entry = found->size + (group ? 4 : 2);
        if (found->handle < start || found->type != type ||
            (size > 2 && entry != answer[1]) || size + entry > fake.mtu) {
            continue;
        }
        answer[1] = (uint8_t)entry;
        hci_put_le16(&answer[size], found->handle);
        if (group) {
            hci_put_le16(&answer[size + 2], found->group_end);
        }
        memcpy(&answer[size + (group ? 4 : 2)], found->value, found->size);
        size += entry;
    }
    if (size == 2) {
        send_error(pdu[0], start, ATT_ERROR_ATTRIBUTE_NOT_FOUND);
    } else {
        fake_send(answer, size);
    }
}

static void serve_information(const uint8_t *pdu)
{
    uint8_t answer[512] = {ATT_FIND_INFORMATION_RESPONSE, 1};
    size_t size = 2;
    for (size_t i = 0; i < fake.attribute_count; i++) {
        const struct fake_attribute *found = &fake.attributes[i];
        if (found->handle >= hci_get_le16(&pdu[1]) &&
            found->handle <= hci_get_le16(&pdu[3])) {
            hci_put_le16(&answer[size], found->handle);
            hci_put_le16(&answer[size + 2], found->type);
            size += 4;
        }
    }
    if (size == 2) {
        send_error(pdu[0], hci_get_le16(&pdu[1]), ATT_ERROR_ATTRIBUTE_NOT_FOUND);
    } else {
        fake_send(answer, size);
    }
}

static void serve_read(const uint8_t *pdu, size_t offset)
{
    const struct fake_attribute *found = attribute(hci_get_le16(&pdu[1]));
    if (found == NULL) {
        send_error(pdu[0], hci_get_le16(&pdu[1]), ATT_ERROR_INVALID_HANDLE);
    } else if (offset > found->size || (offset > 0 && offset == found->size)) {
        send_error(pdu[0], found->handle, ATT_ERROR_INVALID_OFFSET);
    } else {
        uint8_t answer[520] = {(uint8_t)(pdu[0] + 1)};
        size_t size = found->size - offset;
        size = size > fake.mtu - 1u ? fake.mtu - 1u : size;
        memcpy(answer + 1, found->value + offset, size);
        fake_send(answer, 1 + size);
    }
}

static void serve_write(const uint8_t *pdu, size_t size)
{
    struct fake_attribute *found = attribute(hci_get_le16(&pdu[1]));
    if (found != NULL) {
        found->size = size - 3;
        memcpy(found->value, pdu + 3, found->size);
    }
    if (pdu[0] == ATT_WRITE_REQUEST) {
        static const uint8_t answer[1] = {ATT_WRITE_RESPONSE};
        fake_send(answer, sizeof(answer));
    }
}

static void serve_prepare(const uint8_t *pdu, size_t size)
{
    uint8_t answer[520];
    memcpy(fake.prepared + hci_get_le16(&pdu[3]), pdu + 5, size - 5);
    fake.prepared_size = hci_get_le16(&pdu[3]) + size - 5;
    memcpy(answer, pdu, size);
    answer[0] = ATT_PREPARE_WRITE_RESPONSE;
    fake_send(answer, size);
}

static void serve(const uint8_t *pdu, size_t size)
{
    uint8_t answer[3] = {(uint8_t)(pdu[0] + 1)};
    if (fake.mute || pdu[0] == ATT_CONFIRMATION) {
        return;
    }
    if (pdu[0] == fake.error_at) {
        send_error(pdu[0], hci_get_le16(&pdu[1]), fake.error_code);
        return;
    }
    switch (pdu[0]) {
    case ATT_MTU_REQUEST:
        hci_put_le16(&answer[1], fake.mtu);
        fake_send(answer, 3);
        break;
    case ATT_READ_BY_GROUP_TYPE_REQUEST:
    case ATT_READ_BY_TYPE_REQUEST:
        serve_by_type(pdu, pdu[0] == ATT_READ_BY_GROUP_TYPE_REQUEST);
        break;
    case ATT_FIND_INFORMATION_REQUEST:
        serve_information(pdu);
        break;
    case ATT_READ_REQUEST:
        serve_read(pdu, 0);
        break;
    case ATT_READ_BLOB_REQUEST:
        serve_read(pdu, hci_get_le16(&pdu[3]));
        break;
    case ATT_WRITE_REQUEST:
    case ATT_WRITE_COMMAND:
        serve_write(pdu, size);
        break;
    case ATT_PREPARE_WRITE_REQUEST:
        serve_prepare(pdu, size);
        break;
    case ATT_EXECUTE_WRITE_REQUEST:
        fake_send(answer, 1);
        break;
    default:
        break;
    }
}

void fake_release_packets(void)
{
    uint8_t bytes[5] = {1};
    hci_put_le16(&bytes[1], FAKE_HANDLE);
    hci_put_le16(&bytes[3], (uint16_t)fake.acl_held);
    fake.acl_held = 0;
    event(HCI_EV_NUMBER_OF_COMPLETED_PACKETS, bytes, sizeof(bytes));
}

static void acl(const uint8_t *packet)
{
    uint16_t field = hci_get_le16(&packet[1]);
    uint16_t size = hci_get_le16(&packet[3]);
    fake.acl_held++;
    assert_true(fake.acl_held <= fake.acl_count);
    if (HCI_ACL_BOUNDARY(field) == HCI_ACL_FIRST_FROM_HOST) {
        input_size = 0;
    }
    memcpy(input + input_size, packet + HCI_ACL_HEADER_SIZE, size);
    input_size += size;
    if (!fake.hold_packets) {
        fake_release_packets();
    }
    size_t wanted = (size_t)L2CAP_HEADER_SIZE + hci_get_le16(input);
    assert_true(input_size <= wanted);
    if (input_size == wanted && fake.frame_count < FAKE_FRAMES_MAX) {
        uint8_t *frame = fake.frames[fake.frame_count];
        fake.frame_sizes[fake.frame_count++] = wanted - L2CAP_HEADER_SIZE;
        memcpy(frame, input + L2CAP_HEADER_SIZE, wanted - L2CAP_HEADER_SIZE);
        if (hci_get_le16(&input[2]) == L2CAP_CHANNEL_ATT) {
            serve(frame, wanted - L2CAP_HEADER_SIZE);
        }
    }
}

size_t fake_frames_of(uint8_t opcode)
{
    size_t count = 0;
    for (size_t i = 0; i < fake.frame_count; i++) {
        count += fake.frames[i][0] == opcode;
    }
    return count;
}

void fake_reset(sim_loop_t *loop)
{
    memset(&fake, 0, sizeof(fake));
    fake.loop = loop;
    memcpy(fake.address, "\x24\x0A\xC4\x00\x00\x01", 6);
    fake.mtu = 64;
    fake.acl_count = 8;
}

struct fake_attribute *fake_add(uint16_t handle, uint16_t type, const void *value,
                                size_t size)
{
    struct fake_attribute *added = &fake.attributes[fake.attribute_count++];
    added->handle = handle;
    added->type = type;
    added->size = size;
    memcpy(added->value, value, size);
    return added;
}

void fake_add_services(const uint8_t *hash)
{
    fake.attribute_count = 0;
    fake_add(1, ATT_UUID_PRIMARY_SERVICE, "\x01\x18", 2)->group_end = 9;
    fake_add(2, ATT_UUID_CHARACTERISTIC, "\x20\x03\x00\x05\x2A", 5);
    fake_add(3, ATT_UUID_SERVICE_CHANGED, "", 0);
    fake_add(4, ATT_UUID_CCCD, "\0\0", 2);
    if (hash != NULL) {
        fake_add(5, ATT_UUID_CHARACTERISTIC, "\x02\x06\x00\x2A\x2B", 5);
        fake_add(6, ATT_UUID_DATABASE_HASH, hash, 16);
    }
    fake_add(16, ATT_UUID_PRIMARY_SERVICE, "\x34\x12", 2)->group_end = 0xFFFF;
    fake_add(17, ATT_UUID_CHARACTERISTIC, "\x1A\x12\x00\x35\x12", 5);
    fake_add(18, 0x1235, "", 0);
    fake_add(19, ATT_UUID_CCCD, "\0\0", 2);
    fake_add(20, 0x2901, "value", 5);
    fake_add(21, ATT_UUID_CHARACTERISTIC, "\x0C\x16\x00\x36\x12", 5);
    fake_add(22, 0x1236, "", 0);
}

/* ---- the place of sim/radio ---- */

sim_controller_t *sim_controller_new(sim_air_t *air,
                                     const struct sim_controller_config *config,
                                     const struct sim_host_ops *ops, void *context)
{
    (void)air;
    (void)config;
    host = ops;
    host_context = context;
    return (sim_controller_t *)&fake;
}

void sim_controller_send(sim_controller_t *controller, const uint8_t *packet, size_t size)
{
    (void)controller;
    (void)size;
    if (packet[0] == HCI_H4_COMMAND) {
        command(hci_get_le16(&packet[1]), packet + HCI_COMMAND_HEADER_SIZE);
    } else {
        acl(packet);
    }
}
