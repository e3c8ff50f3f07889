/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * HCI commands: which there are, and their answers (Core Specification 5.3, Vol 4, Part
 * E, 7). */
#include <assert.h>
#include <string.h>

#include "sim/radio/commands.h"

uint64_t controller_features(const sim_controller_t *controller)
{
    uint64_t features = HCI_LE_FEATURE_PARAMETER_REQUEST |
                        HCI_LE_FEATURE_EXTENDED_REJECT |
                        HCI_LE_FEATURE_PERIPHERAL_FEATURES;
    if (controller->config.data_length) {
        features |= HCI_LE_FEATURE_DATA_LENGTH;
    }
    if (controller->config.phy_2m) {
        features |= HCI_LE_FEATURE_2M;
    }
    return features;
}

uint8_t controller_version(const sim_controller_t *controller)
{
    return controller->config.phy_2m ? 9 : 8;
}

void answer_put(struct answer *answer, const void *bytes, uint8_t size)
{
    assert(answer->size + size <= (int)sizeof(answer->results));
    memcpy(answer->results + answer->size, bytes, size);
    answer->size = (uint8_t)(answer->size + size);
}

void answer_put16(struct answer *answer, uint16_t value)
{
    uint8_t bytes[2];
    hci_put_le16(bytes, value);
    answer_put(answer, bytes, sizeof(bytes));
}

void answer_put64(struct answer *answer, uint64_t value)
{
    uint8_t bytes[8];
    hci_put_le64(bytes, value);
    answer_put(answer, bytes, sizeof(bytes));
}

struct side *command_side(sim_controller_t *controller, const uint8_t *p,
                          struct answer *answer)
{
    struct side *side = controller_side(controller, hci_get_le16(p));
    if (side == NULL) {
        answer->status = HCI_ERR_UNKNOWN_CONNECTION;
    }
    return side;
}

bool command_parameters_valid(uint16_t interval_min, uint16_t interval_max,
                              uint16_t latency, uint16_t timeout)
{
    /* The timeout (10 ms) must exceed (1 + latency) * interval (1.25 ms) * 2. */
    return interval_min >= 6 && interval_max <= 3200 && interval_min <= interval_max &&
           latency <= 499 && timeout >= 10 && timeout <= 3200 &&
           timeout * 4u > (1u + latency) * interval_max;
}

struct command {
    uint16_t opcode;
    uint8_t size;  /* of its parameters */
    uint8_t octet; /* and bit in Read Local Supported Commands */
    uint8_t bit;
    bool only_status; /* Command Status; the result follows as an event of its own */
    uint64_t feature; /* only with this LE feature; 0: always */
    void (*run)(sim_controller_t *controller, const uint8_t *p, struct answer *answer);
};

static const struct command commands[] = {
    {HCI_DISCONNECT, 3, 0, 5, true, 0, command_disconnect},
    {HCI_READ_REMOTE_VERSION, 2, 2, 7, true, 0, command_read_remote_version},
    {HCI_SET_EVENT_MASK, 8, 5, 6, false, 0, command_set_event_mask},
    {HCI_RESET, 0, 5, 7, false, 0, command_reset},
    {HCI_SET_CONTROLLER_TO_HOST_FLOW_CONTROL, 1, 10, 5, false, 0, command_nothing},
    {HCI_HOST_BUFFER_SIZE, 7, 10, 6, false, 0, command_nothing},
    {HCI_READ_LOCAL_VERSION, 0, 14, 3, false, 0, command_read_local_version},
    {HCI_READ_LOCAL_COMMANDS, 0, 14, 4, false, 0, command_read_local_commands},
    {HCI_READ_LOCAL_FEATURES, 0, 14, 5, false, 0, command_read_local_features},
    {HCI_READ_BUFFER_SIZE, 0, 14, 7, false, 0, command_read_buffer_size},
    {HCI_READ_BD_ADDR, 0, 15, 1, false, 0, command_read_bd_addr},
    {HCI_READ_RSSI, 2, 15, 5, false, 0, command_read_rssi},
    {HCI_SET_EVENT_MASK_PAGE_2, 8, 22, 2, false, 0, command_nothing},
    {HCI_LE_SET_EVENT_MASK, 8, 25, 0, false, 0, command_le_set_event_mask},
    {HCI_LE_READ_BUFFER_SIZE, 0, 25, 1, false, 0, command_le_read_buffer_size},
    {HCI_LE_READ_LOCAL_FEATURES, 0, 25, 2, false, 0, command_le_read_local_features},
    {HCI_LE_SET_RANDOM_ADDRESS, 6, 25, 4, false, 0, command_le_set_random_address},
    {HCI_LE_SET_ADV_PARAMETERS, 15, 25, 5, false, 0, command_le_set_adv_parameters},
    {HCI_LE_READ_ADV_TX_POWER, 0, 25, 6, false, 0, command_le_read_adv_tx_power},
    {HCI_LE_SET_ADV_DATA, 32, 25, 7, false, 0, command_le_set_adv_data},
    {HCI_LE_SET_SCAN_RESPONSE_DATA, 32, 26, 0, false, 0,
     command_le_set_scan_response_data},
    {HCI_LE_SET_ADV_ENABLE, 1, 26, 1, false, 0, command_le_set_adv_enable},
    {HCI_LE_SET_SCAN_PARAMETERS, 7, 26, 2, false, 0, command_le_set_scan_parameters},
    {HCI_LE_SET_SCAN_ENABLE, 2, 26, 3, false, 0, command_le_set_scan_enable},
    {HCI_LE_CREATE_CONNECTION, 25, 26, 4, true, 0, command_le_create_connection},
    {HCI_LE_CREATE_CONNECTION_CANCEL, 0, 26, 5, false, 0,
     command_le_create_connection_cancel},
    {HCI_LE_READ_FILTER_ACCEPT_LIST_SIZE, 0, 26, 6, false, 0,
     command_le_read_filter_accept_list_size},
    {HCI_LE_CLEAR_FILTER_ACCEPT_LIST, 0, 26, 7, false, 0, command_nothing},
    {HCI_LE_CONNECTION_UPDATE, 14, 27, 2, true, 0, command_le_connection_update},
    {HCI_LE_READ_REMOTE_FEATURES, 2, 27, 5, true, 0, command_le_read_remote_features},
    {HCI_LE_RAND, 0, 27, 7, false, 0, command_le_rand},
    {HCI_LE_READ_SUPPORTED_STATES, 0, 28, 3, false, 0, command_le_read_supported_states},
    {HCI_LE_REMOTE_PARAMETER_REPLY, 14, 33, 4, false, 0,
     command_le_remote_parameter_reply},
    {HCI_LE_REMOTE_PARAMETER_NEGATIVE_REPLY, 3, 33, 5, false, 0,
     command_le_remote_parameter_negative_reply},
    {HCI_LE_SET_DATA_LENGTH, 6, 33, 6, false, HCI_LE_FEATURE_DATA_LENGTH,
     command_le_set_data_length},
    {HCI_LE_READ_DEFAULT_DATA_LENGTH, 0, 33, 7, false, HCI_LE_FEATURE_DATA_LENGTH,
     command_le_read_default_data_length},
    {HCI_LE_WRITE_DEFAULT_DATA_LENGTH, 4, 34, 0, false, HCI_LE_FEATURE_DATA_LENGTH,
     command_le_write_default_data_length},
    {HCI_LE_READ_MAXIMUM_DATA_LENGTH, 0, 35, 3, false, HCI_LE_FEATURE_DATA_LENGTH,
     command_le_read_maximum_data_length},
    {HCI_LE_READ_PHY, 2, 35, 4, false, HCI_LE_FEATURE_2M, command_le_read_phy},
    {HCI_LE_SET_DEFAULT_PHY, 3, 35, 5, false, HCI_LE_FEATURE_2M,
     command_le_set_default_phy},
    {HCI_LE_SET_PHY, 7, 35, 6, true, HCI_LE_FEATURE_2M, command_le_set_phy},
};

static bool offered(const sim_controller_t *controller, const struct command *command)
{
    return (controller_features(controller) & command->feature) == command->feature;
}

void command_read_local_commands(sim_controller_t *controller, const uint8_t *p,
                                 struct answer *answer)
{
    (void)p;
    answer->size = 64;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (offered(controller, &commands[i])) {
            answer->results[commands[i].octet] |= (uint8_t)(1u << commands[i].bit);
        }
    }
}

static void send_answer(sim_controller_t *controller, uint16_t opcode, bool only_status,
                        const struct answer *answer)
{
    uint8_t *event;
    if (only_status) {
        event = controller_event(controller, HCI_EV_COMMAND_STATUS, 4);
        event[0] = answer->status;
        event[1] = 1; /* commands that the host may send now */
        hci_put_le16(event + 2, opcode);
        return;
    }
    event = controller_event(controller, HCI_EV_COMMAND_COMPLETE,
                             (uint8_t)(4 + answer->size));
    event[0] = 1;
    hci_put_le16(event + 1, opcode);
    event[3] = answer->status;
    memcpy(event + 4, answer->results, answer->size);
}

/* What the specification wants after the command's answer. */
static void follow_up(sim_controller_t *controller)
{
    if (controller->cancelled) {
        controller->cancelled = false;
        uint8_t *event =
            controller_le_event(controller, HCI_LE_EV_CONNECTION_COMPLETE, 18);
        event[0] = HCI_ERR_UNKNOWN_CONNECTION;
        event[4] = controller->initiator.peer_address_type;
        memcpy(event + 5, controller->initiator.peer_address, 6);
    }
    if (controller->version_for != NULL) {
        struct side *side = controller->version_for;
        controller->version_for = NULL;
        control_ask_version(side);
    }
}

void controller_command(sim_controller_t *controller, const uint8_t *packet, size_t size)
{
    struct answer answer = {.status = HCI_ERR_UNKNOWN_COMMAND};
    if (size < HCI_COMMAND_HEADER_SIZE) {
        return; /* no opcode to answer to */
    }
    uint16_t opcode = hci_get_le16(packet + 1);
    const uint8_t *p = packet + HCI_COMMAND_HEADER_SIZE;
    if (opcode == HCI_HOST_NUMBER_OF_COMPLETED_PACKETS) {
        return; /* has no answer; the host's buffers are counted by what it refuses */
    }
    const struct command *command = NULL;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].opcode == opcode && offered(controller, &commands[i])) {
            command = &commands[i];
        }
    }
    if (command != NULL) {
        answer.status = HCI_SUCCESS;
        if (packet[3] != command->size ||
            size != HCI_COMMAND_HEADER_SIZE + (size_t)packet[3]) {
            answer.status = HCI_ERR_INVALID_PARAMETERS;
        } else {
            command->run(controller, p, &answer);
        }
    }
    send_answer(controller, opcode, command != NULL && command->only_status, &answer);
    follow_up(controller);
}
