/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Link-layer control procedures (Core Specification 5.3, Vol 6, Part B, 2.4.2 and 5.1).
 */
#include <assert.h>
#include <string.h>

#include "sim/radio/radio.h"

enum ll_opcode {
    LL_CONNECTION_UPDATE_IND = 0x00,
    LL_TERMINATE_IND = 0x02,
    LL_UNKNOWN_RSP = 0x07,
    LL_FEATURE_REQ = 0x08,
    LL_FEATURE_RSP = 0x09,
    LL_VERSION_IND = 0x0C,
    LL_REJECT_IND = 0x0D,
    LL_PERIPHERAL_FEATURE_REQ = 0x0E,
    LL_CONNECTION_PARAM_REQ = 0x0F,
    LL_CONNECTION_PARAM_RSP = 0x10,
    LL_REJECT_EXT_IND = 0x11,
    LL_LENGTH_REQ = 0x14,
    LL_LENGTH_RSP = 0x15,
    LL_PHY_REQ = 0x16,
    LL_PHY_RSP = 0x17,
    LL_PHY_UPDATE_IND = 0x18,
};

#define LE_MASK_PARAMETER_REQUEST (UINT64_C(1) << 5)

static uint16_t min16(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

void control_send(struct side *side, const uint8_t *bytes, uint8_t size)
{
    assert(size <= LL_CONTROL_MAX);
    /* Every procedure has at most one PDU of its own waiting, and there are fewer
     * procedures than places. */
    assert(side->control_count < CONTROL_QUEUE_MAX);
    unsigned place = (side->control_first + side->control_count) % CONTROL_QUEUE_MAX;
    side->control[place].size = size;
    memcpy(side->control[place].bytes, bytes, size);
    side->control_count++;
    link_wake(side->link);
}

static uint16_t instant(const struct link *link)
{
    if (link->air->profile.instant) {
        return link->counter;
    }
    return (uint16_t)(link->counter + LL_INSTANT_EVENTS + 1);
}

/* Connection parameters. */

static void parameters_failed(struct side *side, uint8_t status)
{
    side->parameters_asked = false;
    const struct connection_parameters *now = &side->link->parameters;
    uint8_t *event =
        controller_le_event(side->controller, HCI_LE_EV_CONNECTION_UPDATE_COMPLETE, 9);
    event[0] = status;
    hci_put_le16(event + 1, side->handle);
    hci_put_le16(event + 3, now->interval);
    hci_put_le16(event + 5, now->latency);
    hci_put_le16(event + 7, now->timeout);
}

static void announce_parameters(struct side *side,
                                const struct connection_parameters *parameters)
{
    struct link *link = side->link;
    if (link->parameters_change.pending) {
        return; /* the change under way is the newer agreement's answer as well */
    }
    link->parameters_next = *parameters;
    link->parameters_change.pending = true;
    link->parameters_change.received = false;
    link->parameters_change.instant = instant(link);
    uint8_t pdu[12] = {LL_CONNECTION_UPDATE_IND, 1};
    hci_put_le16(pdu + 4, parameters->interval);
    hci_put_le16(pdu + 6, parameters->latency);
    hci_put_le16(pdu + 8, parameters->timeout);
    hci_put_le16(pdu + 10, link->parameters_change.instant);
    control_send(side, pdu, sizeof(pdu));
}

void control_ask_parameters(struct side *side, const struct connection_parameters *wish,
                            uint16_t interval_min)
{
    side->parameters_asked = true;
    if (side->central) {
        announce_parameters(side, wish);
        return;
    }
    uint8_t pdu[24] = {LL_CONNECTION_PARAM_REQ};
    hci_put_le16(pdu + 1, interval_min);
    hci_put_le16(pdu + 3, wish->interval);
    hci_put_le16(pdu + 5, wish->latency);
    hci_put_le16(pdu + 7, wish->timeout);
    memset(pdu + 12, 0xFF, 12); /* no preferred offsets */
    control_send(side, pdu, sizeof(pdu));
}

static void reject(struct side *side, uint8_t opcode, uint8_t reason)
{
    const uint8_t pdu[] = {LL_REJECT_EXT_IND, opcode, reason};
    control_send(side, pdu, sizeof(pdu));
}

void control_answer_parameters(struct side *side, uint8_t status,
                               const struct connection_parameters *parameters)
{
    side->parameters_offered = false;
    if (status != HCI_SUCCESS) {
        reject(side, LL_CONNECTION_PARAM_REQ, status);
    } else {
        announce_parameters(side, parameters);
    }
}

static void parameters_requested(struct side *side, const uint8_t *bytes)
{
    uint16_t interval_min = hci_get_le16(bytes + 1);
    uint16_t interval_max = hci_get_le16(bytes + 3);
    uint16_t latency = hci_get_le16(bytes + 5);
    uint16_t timeout = hci_get_le16(bytes + 7);
    if (interval_min < 6 || interval_max > 3200 || interval_min > interval_max ||
        latency > 499 || timeout < 10 || timeout > 3200) {
        reject(side, LL_CONNECTION_PARAM_REQ, HCI_ERR_INVALID_LL_PARAMETERS);
        return;
    }
    if ((side->controller->le_event_mask & LE_MASK_PARAMETER_REQUEST) == 0) {
        reject(side, LL_CONNECTION_PARAM_REQ, HCI_ERR_UNSUPPORTED_REMOTE_FEATURE);
        return;
    }
    side->parameters_offered = true;
    uint8_t *event =
        controller_le_event(side->controller, HCI_LE_EV_REMOTE_PARAMETER_REQUEST, 10);
    hci_put_le16(event, side->handle);
    hci_put_le16(event + 2, interval_min);
    hci_put_le16(event + 4, interval_max);
    hci_put_le16(event + 6, latency);
    hci_put_le16(event + 8, timeout);
}

/* Data length. */

static uint16_t octets_max(const sim_controller_t *controller)
{
    return controller->config.data_length ? LL_DATA_OCTETS_MAX : LL_DATA_OCTETS_MIN;
}

static uint16_t time_max(const sim_controller_t *controller)
{
    return controller->config.data_length ? 2120 : LL_DATA_TIME_MIN;
}

static void send_length(struct side *side, uint8_t opcode)
{
    uint8_t pdu[9] = {opcode};
    hci_put_le16(pdu + 1, octets_max(side->controller));
    hci_put_le16(pdu + 3, time_max(side->controller));
    hci_put_le16(pdu + 5, side->octets_wanted);
    hci_put_le16(pdu + 7, min16(side->time_wanted, 2120));
    control_send(side, pdu, sizeof(pdu));
}

void control_start_data_length(struct side *side)
{
    if (!side->length_sent && side->controller->config.data_length &&
        (side->octets_wanted != side->tx_octets ||
         min16(side->time_wanted, 2120) != side->tx_time)) {
        side->length_sent = true;
        send_length(side, LL_LENGTH_REQ);
    }
}

static void length_agreed(struct side *side, const uint8_t *bytes)
{
    uint16_t tx_octets = min16(side->octets_wanted, hci_get_le16(bytes + 1));
    uint16_t tx_time = min16(min16(side->time_wanted, 2120), hci_get_le16(bytes + 3));
    uint16_t rx_octets = min16(octets_max(side->controller), hci_get_le16(bytes + 5));
    uint16_t rx_time = min16(time_max(side->controller), hci_get_le16(bytes + 7));
    if (tx_octets < LL_DATA_OCTETS_MIN || tx_time < LL_DATA_TIME_MIN ||
        (tx_octets == side->tx_octets && tx_time == side->tx_time &&
         rx_octets == side->rx_octets && rx_time == side->rx_time)) {
        return;
    }
    side->tx_octets = tx_octets;
    side->tx_time = tx_time;
    side->rx_octets = rx_octets;
    side->rx_time = rx_time;
    uint8_t *event =
        controller_le_event(side->controller, HCI_LE_EV_DATA_LENGTH_CHANGE, 10);
    hci_put_le16(event, side->handle);
    hci_put_le16(event + 2, tx_octets);
    hci_put_le16(event + 4, tx_time);
    hci_put_le16(event + 6, rx_octets);
    hci_put_le16(event + 8, rx_time);
}

/* PHY. Both directions always have the same one here. */

static void tell_phy(struct side *side, uint8_t status)
{
    side->phy_asked = false;
    uint8_t *event =
        controller_le_event(side->controller, HCI_LE_EV_PHY_UPDATE_COMPLETE, 5);
    event[0] = status;
    hci_put_le16(event + 1, side->handle);
    event[3] = side->link->phy;
    event[4] = side->link->phy;
}

static uint8_t phys_of(const struct side *side)
{
    uint8_t chip = side->controller->config.phy_2m ? HCI_PHY_MASK_1M | HCI_PHY_MASK_2M
                                                   : HCI_PHY_MASK_1M;
    uint8_t wish = side->phys != 0 ? side->phys : side->controller->default_phys;
    return wish != 0 ? chip & wish : chip;
}

void control_ask_phy(struct side *side, uint8_t phys)
{
    side->phys = phys;
    side->phy_asked = true;
    const uint8_t pdu[] = {LL_PHY_REQ, phys_of(side), phys_of(side)};
    control_send(side, pdu, sizeof(pdu));
}

static void announce_phy(struct side *side, uint8_t peer_phys)
{
    struct link *link = side->link;
    if (link->phy_change.pending) {
        return;
    }
    uint8_t common = phys_of(side) & peer_phys;
    uint8_t phy = link->phy;
    if ((common & HCI_PHY_MASK_2M) != 0) {
        phy = HCI_PHY_2M;
    } else if ((common & HCI_PHY_MASK_1M) != 0) {
        phy = HCI_PHY_1M;
    }
    uint8_t pdu[5] = {LL_PHY_UPDATE_IND};
    if (phy != link->phy) {
        link->phy_next = phy;
        link->phy_change.pending = true;
        link->phy_change.received = false;
        link->phy_change.instant = instant(link);
        pdu[1] = (uint8_t)(1u << (phy - 1));
        pdu[2] = pdu[1];
        hci_put_le16(pdu + 3, link->phy_change.instant);
    } else if (side->phy_asked) {
        tell_phy(side, HCI_SUCCESS);
    }
    control_send(side, pdu, sizeof(pdu));
}

void link_apply_phy(struct link *link)
{
    link->phy_change.pending = false;
    link->phy = link->phy_next;
    struct side *sides[] = {&link->central, &link->peripheral};
    for (size_t i = 0; i < 2; i++) {
        if (sides[i]->controller != NULL) {
            tell_phy(sides[i], HCI_SUCCESS);
        }
    }
}

/* Features and version. */

static void tell_features(struct side *side, uint8_t status, const uint8_t *features)
{
    side->features_asked = false;
    uint8_t *event = controller_le_event(side->controller,
                                         HCI_LE_EV_READ_REMOTE_FEATURES_COMPLETE, 11);
    event[0] = status;
    hci_put_le16(event + 1, side->handle);
    memcpy(event + 3, features, 8);
}

static void send_features(struct side *side, uint8_t opcode)
{
    uint8_t pdu[9] = {opcode};
    hci_put_le64(pdu + 1, controller_features(side->controller));
    control_send(side, pdu, sizeof(pdu));
}

void control_ask_features(struct side *side)
{
    side->features_asked = true;
    send_features(side, side->central ? LL_FEATURE_REQ : LL_PERIPHERAL_FEATURE_REQ);
}

static void send_version(struct side *side)
{
    side->version_sent = true;
    uint8_t pdu[6] = {LL_VERSION_IND, controller_version(side->controller)};
    hci_put_le16(pdu + 2, CONTROLLER_COMPANY);
    control_send(side, pdu, sizeof(pdu));
}

static void tell_version(struct side *side)
{
    side->version_asked = false;
    uint8_t *event =
        controller_event(side->controller, HCI_EV_READ_REMOTE_VERSION_COMPLETE, 8);
    event[0] = HCI_SUCCESS;
    hci_put_le16(event + 1, side->handle);
    memcpy(event + 3, side->peer_version, 5);
}

void control_ask_version(struct side *side)
{
    side->version_asked = true;
    if (side->version_known) {
        tell_version(side);
    } else if (!side->version_sent) {
        send_version(side);
    }
}

static void version_received(struct side *side, const uint8_t *bytes)
{
    memcpy(side->peer_version, bytes + 1, sizeof(side->peer_version));
    side->version_known = true;
    if (!side->version_sent) {
        send_version(side);
    }
    if (side->version_asked) {
        tell_version(side);
    }
}

/* Ending. */

void control_terminate(struct side *side, uint8_t reason)
{
    side->ending_reason = reason;
    const uint8_t pdu[] = {LL_TERMINATE_IND, reason};
    control_send(side, pdu, sizeof(pdu));
}

void control_acknowledged(struct side *side, uint8_t opcode)
{
    if (opcode == LL_TERMINATE_IND) {
        side_leave(side, HCI_ERR_LOCAL_HOST_TERMINATED);
    }
}

/* A procedure of this end came to nothing. */
static void refused(struct side *side, uint8_t opcode, uint8_t reason)
{
    static const uint8_t none[8];
    if (opcode == LL_CONNECTION_PARAM_REQ && side->parameters_asked) {
        parameters_failed(side, reason);
    } else if (opcode == LL_PHY_REQ && side->phy_asked) {
        tell_phy(side, reason);
    } else if ((opcode == LL_FEATURE_REQ || opcode == LL_PERIPHERAL_FEATURE_REQ) &&
               side->features_asked) {
        tell_features(side, reason, none);
    } else if (opcode == LL_LENGTH_REQ) {
        side->length_sent = false;
    }
}

static void phy_pdu_received(struct side *side, const uint8_t *bytes)
{
    struct link *link = side->link;
    if (bytes[0] == LL_PHY_UPDATE_IND) {
        if (bytes[1] == 0 && bytes[2] == 0) {
            if (side->phy_asked) {
                tell_phy(side, HCI_SUCCESS);
            }
            return;
        }
        link->phy_change.received = true;
        if (link->air->profile.instant) {
            link_apply_phy(link);
        }
    } else if (side->central) {
        announce_phy(side, bytes[1] & bytes[2]);
    } else {
        const uint8_t pdu[] = {LL_PHY_RSP, phys_of(side), phys_of(side)};
        control_send(side, pdu, sizeof(pdu));
    }
}

static void answer_unknown(struct side *side, uint8_t opcode)
{
    const uint8_t pdu[] = {LL_UNKNOWN_RSP, opcode};
    control_send(side, pdu, sizeof(pdu));
}

static void length_requested(struct side *side, const uint8_t *bytes)
{
    if (!side->controller->config.data_length) {
        answer_unknown(side, bytes[0]);
        return;
    }
    length_agreed(side, bytes);
    send_length(side, LL_LENGTH_RSP);
}

void control_receive(struct side *side, const uint8_t *bytes, uint8_t size)
{
    assert(size > 0);
    (void)size; /* both ends are ours: PDUs are whole */
    switch ((enum ll_opcode)bytes[0]) {
    case LL_CONNECTION_UPDATE_IND:
        side->link->parameters_change.received = true;
        if (side->link->air->profile.instant) {
            link_apply_parameters(side->link);
        }
        break;
    case LL_TERMINATE_IND:
        side->leave_reason = bytes[1];
        break;
    case LL_UNKNOWN_RSP:
        refused(side, bytes[1], HCI_ERR_UNSUPPORTED_REMOTE_FEATURE);
        break;
    case LL_FEATURE_REQ:
    case LL_PERIPHERAL_FEATURE_REQ:
        send_features(side, LL_FEATURE_RSP);
        break;
    case LL_FEATURE_RSP:
        if (side->features_asked) {
            tell_features(side, HCI_SUCCESS, bytes + 1);
        }
        break;
    case LL_VERSION_IND:
        version_received(side, bytes);
        break;
    case LL_CONNECTION_PARAM_REQ:
        parameters_requested(side, bytes);
        break;
    case LL_REJECT_EXT_IND:
        refused(side, bytes[1], bytes[2]);
        break;
    case LL_LENGTH_REQ:
        length_requested(side, bytes);
        break;
    case LL_LENGTH_RSP:
        side->length_sent = false;
        length_agreed(side, bytes);
        break;
    case LL_PHY_REQ:
    case LL_PHY_RSP:
    case LL_PHY_UPDATE_IND:
        if (!side->controller->config.phy_2m) {
            answer_unknown(side, bytes[0]);
            break;
        }
        phy_pdu_received(side, bytes);
        break;
    case LL_REJECT_IND:
    case LL_CONNECTION_PARAM_RSP:
        break; /* none of ours sends them */
    }
}
