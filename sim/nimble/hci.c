/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Commands to the controller, and what its events mean to the host. */
#include <assert.h>
#include <string.h>

#include "sim/nimble/nimble.h"

/* Events that the host wants: disconnection, encryption, hardware error, completed
 * packets, LE; of LE: what NimBLE asks for with a controller of 4.2 or 5.0. */
#define EVENT_MASK    UINT64_C(0x2000800002008890)
#define LE_EVENT_MASK UINT64_C(0x0000000000000A7F)
#define VERSION_4_0   6

static int wait_for_answer(struct nimble *n, uint16_t opcode, void *ret_results,
                           size_t results_size)
{
    if (xSemaphoreTake(n->answer, nimble_ticks(n, HCI_TIMEOUT_MS)) != pdTRUE) {
        n->answer_awaited = false;
        host_reset_schedule(n, BLE_HS_ETIMEOUT_HCI);
        return BLE_HS_ETIMEOUT_HCI;
    }
    const uint8_t *bytes = n->answer_bytes;
    bool complete = bytes[0] == HCI_EV_COMMAND_COMPLETE;
    uint16_t header = complete ? 6 : 4; /* up to and with the status */
    uint16_t answered = complete ? hci_get_le16(bytes + 3) : hci_get_le16(bytes + 4);
    if (n->answer_size < 6 || answered != opcode) {
        host_reset_schedule(n, BLE_HS_ECONTROLLER);
        return BLE_HS_ECONTROLLER;
    }
    uint8_t status = complete ? bytes[5] : bytes[2];
    if (status != HCI_SUCCESS) {
        return BLE_HS_HCI_ERR(status);
    }
    if (complete && n->answer_size - header != (int)results_size) {
        host_reset_schedule(n, BLE_HS_ECONTROLLER);
        return BLE_HS_ECONTROLLER;
    }
    if (ret_results != NULL) {
        memcpy(ret_results, bytes + header, results_size);
    }
    return 0;
}

int nimble_hci_command(uint16_t opcode, const void *parameters, size_t size,
                       void *ret_results, size_t results_size)
{
    struct nimble *n = nimble_ready(__func__);
    uint8_t packet[HCI_COMMAND_HEADER_SIZE + 255];
    uint8_t scratch[HCI_EVENT_MAX];
    assert(results_size <= sizeof(scratch));
    xSemaphoreTake(n->command_mutex, portMAX_DELAY);
    n->answer_awaited = true;
    sim_runtime_hci_send(n->board, packet,
                         hci_put_command(packet, opcode, parameters, size));
    int rc = wait_for_answer(n, opcode, scratch, results_size);
    xSemaphoreGive(n->command_mutex);
    if (rc == 0 && ret_results != NULL) {
        memcpy(ret_results, scratch, results_size);
    }
    return rc;
}

static int read_buffers(struct nimble *n)
{
    uint8_t results[7] = {0};
    int rc = nimble_hci_command(HCI_LE_READ_BUFFER_SIZE, NULL, 0, results, 3);
    n->acl_payload_max = hci_get_le16(results);
    n->acl_credits = results[2];
    if (rc == 0 && n->acl_payload_max == 0) {
        rc = nimble_hci_command(HCI_READ_BUFFER_SIZE, NULL, 0, results, 7);
        n->acl_payload_max = hci_get_le16(results);
        n->acl_credits = hci_get_le16(results + 3);
    }
    return rc;
}

int nimble_hci_start_up(struct nimble *n)
{
    uint8_t results[64] = {0};
    uint8_t mask[8];
    int rc = nimble_hci_command(HCI_RESET, NULL, 0, NULL, 0);
    if (rc == 0) {
        rc = nimble_hci_command(HCI_READ_LOCAL_VERSION, NULL, 0, results, 8);
        n->controller_version = results[0];
    }
    if (rc == 0) {
        rc = nimble_hci_command(HCI_READ_LOCAL_COMMANDS, NULL, 0, results, 64);
    }
    if (rc == 0 && n->controller_version < VERSION_4_0) {
        rc = BLE_HS_ECONTROLLER;
    }
    if (rc == 0) {
        rc = nimble_hci_command(HCI_READ_LOCAL_FEATURES, NULL, 0, results, 8);
    }
    if (rc == 0) {
        hci_put_le64(mask, EVENT_MASK);
        rc = nimble_hci_command(HCI_SET_EVENT_MASK, mask, 8, NULL, 0);
    }
    if (rc == 0) {
        hci_put_le64(mask, LE_EVENT_MASK);
        rc = nimble_hci_command(HCI_LE_SET_EVENT_MASK, mask, 8, NULL, 0);
    }
    if (rc == 0) {
        rc = read_buffers(n);
    }
    if (rc == 0) {
        rc = nimble_hci_command(HCI_LE_READ_LOCAL_FEATURES, NULL, 0, results, 8);
        n->controller_features = hci_get_le64(results);
    }
    if (rc == 0) {
        rc = nimble_hci_command(HCI_READ_BD_ADDR, NULL, 0, n->public_address, 6);
    }
    return rc;
}

static void completed_packets(struct nimble *n, const uint8_t *p, uint8_t size)
{
    for (size_t i = 0; i < p[0] && 1 + (i + 1) * 4 <= size; i++) {
        struct connection *c = gap_connection(n, hci_get_le16(p + 1 + i * 4));
        uint16_t count = hci_get_le16(p + 3 + i * 4);
        if (c == NULL) {
            continue;
        }
        count = count < c->outstanding ? count : c->outstanding;
        c->outstanding = (uint16_t)(c->outstanding - count);
        n->acl_credits = (uint16_t)(n->acl_credits + count);
    }
    nimble_l2cap_pump(n);
}

static void le_event(struct nimble *n, const uint8_t *p, uint8_t size)
{
    /* Sizes with the subevent's byte. */
    static const uint8_t sizes[] = {
        [HCI_LE_EV_CONNECTION_COMPLETE] = 19,
        [HCI_LE_EV_CONNECTION_UPDATE_COMPLETE] = 10,
        [HCI_LE_EV_READ_REMOTE_FEATURES_COMPLETE] = 12,
        [HCI_LE_EV_REMOTE_PARAMETER_REQUEST] = 11,
        [HCI_LE_EV_DATA_LENGTH_CHANGE] = 11,
        [HCI_LE_EV_PHY_UPDATE_COMPLETE] = 6,
    };
    if (size < 1 || p[0] >= sizeof(sizes) || size < sizes[p[0]]) {
        return;
    }
    switch ((enum hci_le_event)p[0]) {
    case HCI_LE_EV_CONNECTION_COMPLETE:
        gap_connected(n, p + 1);
        break;
    case HCI_LE_EV_CONNECTION_UPDATE_COMPLETE:
        gap_updated(n, p + 1);
        break;
    case HCI_LE_EV_READ_REMOTE_FEATURES_COMPLETE:
        gap_features_known(n, p + 1);
        break;
    case HCI_LE_EV_REMOTE_PARAMETER_REQUEST:
        gap_parameters_requested(n, p + 1);
        break;
    case HCI_LE_EV_DATA_LENGTH_CHANGE:
        gap_data_length_changed(n, p + 1);
        break;
    case HCI_LE_EV_PHY_UPDATE_COMPLETE:
        gap_phy_updated(n, p + 1);
        break;
    case HCI_LE_EV_ADVERTISING_REPORT:
    case HCI_LE_EV_ENHANCED_CONNECTION_COMPLETE:
        break; /* not a central, and not asked for */
    }
}

void nimble_hci_event(struct nimble *n, const uint8_t *bytes, uint16_t size)
{
    const uint8_t *p = bytes + 2;
    uint8_t length = bytes[1];
    if (size < 2 || size != length + 2) {
        return;
    }
    if (bytes[0] == HCI_EV_LE_META) {
        le_event(n, p, length);
    } else if (bytes[0] == HCI_EV_NUMBER_OF_COMPLETED_PACKETS && length >= 5) {
        completed_packets(n, p, length);
    } else if (bytes[0] == HCI_EV_READ_REMOTE_VERSION_COMPLETE && length >= 8) {
        gap_version_known(n, p);
    } else if (bytes[0] == HCI_EV_DISCONNECTION_COMPLETE && length >= 4) {
        uint16_t handle = hci_get_le16(p + 1);
        if (p[0] == HCI_SUCCESS) {
            gap_broken(n, handle, BLE_HS_HCI_ERR(p[3]));
        } else if (gap_connection(n, handle) != NULL) {
            struct ble_gap_event event = {.type = BLE_GAP_EVENT_TERM_FAILURE};
            event.term_failure.conn_handle = handle;
            event.term_failure.status = BLE_HS_HCI_ERR(p[0]);
            gap_event_send(gap_connection(n, handle), &event);
        }
    }
}
