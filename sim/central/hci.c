/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * HCI commands out, HCI events in (Core Specification, Vol 4, Part E). */
#include <assert.h>
#include <string.h>

#include "sim/central/internal.h"

#define DATA_LENGTH_OCTETS 251u
#define DATA_LENGTH_US     2120u
#define SCAN_INTERVAL      0x0012u /* 11.25 ms, in units of 0.625 ms; as Linux scans */

void hci_command(sim_central_t *central, uint16_t opcode, const uint8_t *parameters,
                 size_t size)
{
    assert(central->command_count < HCI_COMMANDS_MAX);
    assert(size + 4 <= HCI_COMMAND_SIZE);
    size_t at = (central->command_first + central->command_count) % HCI_COMMANDS_MAX;
    struct queued_command *command = &central->commands[at];
    command->size = (uint8_t)hci_put_command(command->packet, opcode, parameters, size);
    central->command_count++;
    central_pump_soon(central);
}

void hci_pump(sim_central_t *central)
{
    while (central->command_count > 0 && central->command_credits > 0) {
        struct queued_command command = central->commands[central->command_first];
        central->command_first = (central->command_first + 1) % HCI_COMMANDS_MAX;
        central->command_count--;
        central->command_credits--;
        sim_controller_send(central->controller, command.packet, command.size);
    }
}

void hci_reset(sim_central_t *central)
{
    /* What was waiting is void after a reset, and a credit that a silent controller kept
     * must not block it. */
    central->command_count = 0;
    central->command_credits = 1;
    hci_command(central, HCI_RESET, NULL, 0);
}

void hci_start(sim_central_t *central)
{
    /* Disconnection Complete, Number Of Completed Packets is always on, LE Meta. */
    static const uint8_t event_mask[8] = {0x10, 0, 0, 0, 0, 0, 0, 0x20};
    static const uint8_t le_event_mask[8] = {0x2B};
    hci_reset(central);
    hci_command(central, HCI_SET_EVENT_MASK, event_mask, sizeof(event_mask));
    hci_command(central, HCI_READ_BUFFER_SIZE, NULL, 0);
    hci_command(central, HCI_LE_READ_BUFFER_SIZE, NULL, 0);
    if (central->config.profile->data_length) {
        uint8_t parameters[4];
        hci_put_le16(&parameters[0], DATA_LENGTH_OCTETS);
        hci_put_le16(&parameters[2], DATA_LENGTH_US);
        hci_command(central, HCI_LE_WRITE_DEFAULT_DATA_LENGTH, parameters,
                    sizeof(parameters));
    }
    uint8_t phy =
        HCI_PHY_MASK_1M | (central->config.profile->phy_2m ? HCI_PHY_MASK_2M : 0u);
    const uint8_t default_phy[3] = {0, phy, phy};
    hci_command(central, HCI_LE_SET_DEFAULT_PHY, default_phy, sizeof(default_phy));
    hci_command(central, HCI_LE_SET_EVENT_MASK, le_event_mask, sizeof(le_event_mask));
}

void hci_scan(sim_central_t *central, bool on)
{
    if (on) {
        uint8_t parameters[7] = {1 /* active */};
        hci_put_le16(&parameters[1], SCAN_INTERVAL);
        hci_put_le16(&parameters[3], SCAN_INTERVAL);
        hci_command(central, HCI_LE_SET_SCAN_PARAMETERS, parameters, sizeof(parameters));
    }
    const uint8_t enable[2] = {on, 0 /* duplicates too, for their RSSI */};
    hci_command(central, HCI_LE_SET_SCAN_ENABLE, enable, sizeof(enable));
}

void hci_create_connection(sim_central_t *central, const sim_peer_t *peer)
{
    const struct sim_air_profile *profile = central->config.profile;
    uint16_t interval = profile->interval_125us_units;
    if (interval < 6) {
        interval = 6;
    }
    uint32_t timeout_10ms = profile->supervision_timeout_ms / 10;
    /* More than twice the interval, and within 100 ms to 32 s. */
    uint32_t least_10ms = interval * 5u / 2u / 10u + 1u;
    timeout_10ms = timeout_10ms < 10 ? 10 : timeout_10ms;
    timeout_10ms = timeout_10ms < least_10ms ? least_10ms : timeout_10ms;
    timeout_10ms = timeout_10ms > 3200 ? 3200 : timeout_10ms;
    uint8_t parameters[25] = {0};
    hci_put_le16(&parameters[0], SCAN_INTERVAL);
    hci_put_le16(&parameters[2], SCAN_INTERVAL);
    parameters[5] = peer->is_random;
    hci_reverse_address(&parameters[6], peer->address);
    hci_put_le16(&parameters[13], interval);
    hci_put_le16(&parameters[15], interval);
    hci_put_le16(&parameters[19], (uint16_t)timeout_10ms);
    hci_command(central, HCI_LE_CREATE_CONNECTION, parameters, sizeof(parameters));
}

void hci_create_connection_cancel(sim_central_t *central)
{
    hci_command(central, HCI_LE_CREATE_CONNECTION_CANCEL, NULL, 0);
}

void hci_disconnect(sim_central_t *central, uint16_t handle, uint8_t reason)
{
    uint8_t parameters[3] = {0, 0, reason};
    hci_put_le16(parameters, handle);
    hci_command(central, HCI_DISCONNECT, parameters, sizeof(parameters));
}

void hci_connection_update(sim_central_t *central, uint16_t handle, uint16_t interval_min,
                           uint16_t interval_max, uint16_t latency, uint16_t timeout)
{
    uint8_t parameters[14] = {0};
    hci_put_le16(&parameters[0], handle);
    hci_put_le16(&parameters[2], interval_min);
    hci_put_le16(&parameters[4], interval_max);
    hci_put_le16(&parameters[6], latency);
    hci_put_le16(&parameters[8], timeout);
    hci_command(central, HCI_LE_CONNECTION_UPDATE, parameters, sizeof(parameters));
}

void hci_link_setup(sim_central_t *central, uint16_t handle)
{
    uint8_t parameters[2];
    hci_put_le16(parameters, handle);
    hci_command(central, HCI_LE_READ_REMOTE_FEATURES, parameters, sizeof(parameters));
}

static void remote_features(sim_central_t *central, const uint8_t *bytes, size_t size)
{
    if (size < 11 || bytes[0] != 0) {
        return;
    }
    const uint8_t *handle = &bytes[1];
    uint16_t features = hci_get_le16(&bytes[3]);
    if (central->config.profile->data_length &&
        (features & HCI_LE_FEATURE_DATA_LENGTH) != 0) {
        uint8_t parameters[6] = {handle[0], handle[1]};
        hci_put_le16(&parameters[2], DATA_LENGTH_OCTETS);
        hci_put_le16(&parameters[4], DATA_LENGTH_US);
        hci_command(central, HCI_LE_SET_DATA_LENGTH, parameters, sizeof(parameters));
    }
    if (central->config.profile->phy_2m && (features & HCI_LE_FEATURE_2M) != 0) {
        const uint8_t parameters[7] = {handle[0], handle[1], 0, HCI_PHY_MASK_2M,
                                       HCI_PHY_MASK_2M};
        hci_command(central, HCI_LE_SET_PHY, parameters, sizeof(parameters));
    }
}

static void remote_parameter_request(sim_central_t *central, const uint8_t *bytes,
                                     size_t size)
{
    if (size < 10) {
        return;
    }
    uint8_t parameters[14] = {0};
    if (central->config.profile->keeps_parameters) {
        memcpy(parameters, bytes, 2);
        parameters[2] = HCI_ERR_UNACCEPTABLE_PARAMETERS;
        hci_command(central, HCI_LE_REMOTE_PARAMETER_NEGATIVE_REPLY, parameters, 3);
        return;
    }
    memcpy(parameters, bytes, 10); /* handle and what it asks for: granted */
    hci_command(central, HCI_LE_REMOTE_PARAMETER_REPLY, parameters, sizeof(parameters));
}

static void advertising_report(sim_central_t *central, const uint8_t *bytes, size_t size)
{
    /* One report an event, as every controller of today sends them; further ones in the
     * same event are read where they follow. */
    if (size < 1) {
        return;
    }
    size_t count = bytes[0];
    size_t at = 1;
    for (size_t i = 0; i < count && size - at >= 10; i++) {
        uint8_t kind = bytes[at];
        bool is_random = (bytes[at + 1] & 1) != 0;
        uint8_t address[6];
        hci_reverse_address(address, &bytes[at + 2]);
        uint8_t data_size = bytes[at + 8];
        if (size - at < 10u + data_size) {
            return;
        }
        const uint8_t *data = &bytes[at + 9];
        int8_t rssi_dbm = (int8_t)bytes[at + 9 + data_size];
        at += 10u + data_size;
        sim_peer_t *peer = sim_central_peer(central, address, is_random);
        if (peer == NULL) {
            continue;
        }
        if (central->scan_wanted) {
            central->ops.heard(central->context, peer, kind == HCI_REPORT_SCAN_RSP, data,
                               data_size, rssi_dbm);
        }
        if (kind == HCI_REPORT_ADV_IND || kind == HCI_REPORT_ADV_DIRECT_IND) {
            central_advertised(central, peer);
        }
    }
}

static void le_meta(sim_central_t *central, const uint8_t *bytes, size_t size)
{
    if (size < 1) {
        return;
    }
    switch (bytes[0]) {
    case HCI_LE_EV_CONNECTION_COMPLETE:
        central_connection_complete(central, bytes + 1, size - 1);
        break;
    case HCI_LE_EV_ADVERTISING_REPORT:
        advertising_report(central, bytes + 1, size - 1);
        break;
    case HCI_LE_EV_READ_REMOTE_FEATURES_COMPLETE:
        remote_features(central, bytes + 1, size - 1);
        break;
    case HCI_LE_EV_REMOTE_PARAMETER_REQUEST:
        remote_parameter_request(central, bytes + 1, size - 1);
        break;
    default: /* data length and PHY changes need no answer */
        break;
    }
}

static void read_buffer_size(sim_central_t *central, const uint8_t *result, size_t size,
                             bool le)
{
    if (size < (le ? 4u : 8u) || result[0] != 0) {
        return;
    }
    uint16_t acl_size = hci_get_le16(&result[1]);
    uint16_t count = le ? result[3] : hci_get_le16(&result[4]);
    if (acl_size == 0 || count == 0) {
        return; /* LE shares the buffers of the other command */
    }
    central->acl_size = acl_size > ACL_SIZE_MAX ? ACL_SIZE_MAX : acl_size;
    central->acl_free = count;
}

static void command_complete(sim_central_t *central, uint16_t opcode,
                             const uint8_t *result, size_t size)
{
    uint8_t status = size > 0 ? result[0] : 0;
    switch (opcode) {
    case HCI_RESET:
        if (central->power == POWER_STOPPING) {
            central_stopped(central);
        }
        break;
    case HCI_READ_BUFFER_SIZE:
        read_buffer_size(central, result, size, false);
        break;
    case HCI_LE_READ_BUFFER_SIZE:
        read_buffer_size(central, result, size, true);
        break;
    case HCI_LE_SET_EVENT_MASK:
        if (central->power == POWER_STARTING) {
            central_started(central);
        }
        break;
    case HCI_LE_SET_SCAN_ENABLE:
        central->scan_changing = false;
        if (status != 0) {
            /* Nothing changed. Tried again with the next reason to, not at once. */
            central->scanning = !central->scanning;
        } else {
            central_update_scan(central);
        }
        break;
    default: /* nothing waits for the others */
        break;
    }
}

static void command_status(sim_central_t *central, uint16_t opcode, uint8_t status)
{
    if (opcode == HCI_LE_CREATE_CONNECTION && status != 0) {
        uint8_t failed[18] = {status};
        central_connection_complete(central, failed, sizeof(failed));
    }
}

static void completed_packets(sim_central_t *central, const uint8_t *bytes, size_t size)
{
    if (size < 1) {
        return;
    }
    for (size_t i = 0, at = 1; i < bytes[0] && size - at >= 4; i++, at += 4) {
        sim_peer_t *peer =
            central_peer_by_handle(central, HCI_ACL_HANDLE(hci_get_le16(&bytes[at])));
        uint32_t count = hci_get_le16(&bytes[at + 2]);
        if (peer == NULL) {
            continue; /* its packets came back when the link ended */
        }
        if (count > peer->link->unacknowledged) {
            count = peer->link->unacknowledged;
        }
        peer->link->unacknowledged -= count;
        central->acl_free += count;
    }
    central_pump_soon(central);
}

static void event(sim_central_t *central, uint8_t code, const uint8_t *bytes, size_t size)
{
    switch (code) {
    case HCI_EV_DISCONNECTION_COMPLETE:
        if (size >= 4 && bytes[0] == 0) {
            central_disconnection_complete(central, hci_get_le16(&bytes[1]), bytes[3]);
        }
        break;
    case HCI_EV_COMMAND_COMPLETE:
        if (size >= 3) {
            central->command_credits = bytes[0];
            central_pump_soon(central);
            command_complete(central, hci_get_le16(&bytes[1]), &bytes[3], size - 3);
        }
        break;
    case HCI_EV_COMMAND_STATUS:
        if (size >= 4) {
            central->command_credits = bytes[1];
            central_pump_soon(central);
            command_status(central, hci_get_le16(&bytes[2]), bytes[0]);
        }
        break;
    case HCI_EV_NUMBER_OF_COMPLETED_PACKETS:
        completed_packets(central, bytes, size);
        break;
    case HCI_EV_LE_META:
        le_meta(central, bytes, size);
        break;
    default: /* masked out */
        break;
    }
}

bool hci_packet(void *context, const uint8_t *packet, size_t size)
{
    sim_central_t *central = context;
    if (size >= 3 && packet[0] == HCI_H4_EVENT && size - 3 >= packet[2]) {
        event(central, packet[1], packet + 3, packet[2]);
    } else if (size >= 5 && packet[0] == HCI_H4_ACL &&
               size - 5 >= hci_get_le16(&packet[3])) {
        uint16_t head = hci_get_le16(&packet[1]);
        sim_peer_t *peer = central_peer_by_handle(central, HCI_ACL_HANDLE(head));
        if (peer != NULL) {
            l2cap_input(peer, HCI_ACL_BOUNDARY(head), packet + 5,
                        hci_get_le16(&packet[3]));
        }
    }
    return true;
}
