/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * L2CAP: putting fragments together the way NimBLE does, sending, signalling. */
#include <string.h>

#include "host/ble_l2cap.h"
#include "sim/nimble/nimble.h"

#define REJECT_NOT_UNDERSTOOD  0x0000
#define REJECT_INVALID_CHANNEL 0x0002
#define SMP_PAIRING_REQUEST    0x01
#define SMP_PAIRING_FAILED     0x05

static struct channel *channel_of(struct connection *c, uint16_t id)
{
    for (size_t i = 0; i < L2CAP_CHANNELS; i++) {
        if (c->channel[i].id == id) {
            return &c->channel[i];
        }
    }
    return NULL;
}

void nimble_l2cap_discard(struct connection *c, struct channel *channel)
{
    os_mbuf_free_chain(channel->rx);
    channel->rx = NULL;
    channel->rx_size = 0;
    if (c->rx_channel == channel) {
        c->rx_channel = NULL;
        c->rx_waiting = false;
    }
}

static uint16_t channel_mtu(const struct connection *c, const struct channel *channel)
{
    if (channel->id == BLE_L2CAP_CID_ATT) {
        return nimble_att_mtu(c);
    }
    return channel->id == BLE_L2CAP_CID_SM ? 65 : 100;
}

/* Sending. */

static void put_fragment(struct nimble *n, struct connection *c, struct os_mbuf *om)
{
    uint8_t packet[HCI_ACL_HEADER_SIZE + HCI_ACL_PAYLOAD_MAX];
    uint16_t size = OS_MBUF_PKTLEN(om);
    uint16_t max = n->acl_payload_max < HCI_ACL_PAYLOAD_MAX ? n->acl_payload_max
                                                            : HCI_ACL_PAYLOAD_MAX;
    size = size < max ? size : max;
    hci_put_acl_header(packet, c->handle,
                       c->tx_fragment ? HCI_ACL_CONTINUATION : HCI_ACL_FIRST_FROM_HOST,
                       size);
    os_mbuf_copydata(om, 0, size, packet + HCI_ACL_HEADER_SIZE);
    os_mbuf_adj(om, size);
    c->tx_fragment = true;
    c->outstanding++;
    n->acl_credits--;
    sim_runtime_hci_send(n->board, packet, (size_t)HCI_ACL_HEADER_SIZE + size);
}

/* What may go now of the packets that wait. */
static void pump(struct nimble *n, struct connection *c)
{
    while (n->acl_credits > 0 && !STAILQ_EMPTY(&c->tx)) {
        struct os_mbuf *om = OS_MBUF_PKTHDR_TO_MBUF(STAILQ_FIRST(&c->tx));
        put_fragment(n, c, om);
        if (OS_MBUF_PKTLEN(om) == 0) {
            STAILQ_REMOVE_HEAD(&c->tx, omp_next);
            os_mbuf_free_chain(om);
            c->tx_fragment = false;
        }
    }
}

void nimble_l2cap_pump(struct nimble *n)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (n->connections[i].used) {
            pump(n, &n->connections[i]);
        }
    }
}

int nimble_l2cap_send(struct connection *c, uint16_t channel, struct os_mbuf *om)
{
    struct nimble *n = nimble_state();
    uint16_t size = OS_MBUF_PKTLEN(om);
    om = os_mbuf_prepend_pullup(om, L2CAP_HEADER_SIZE);
    if (om == NULL) {
        return BLE_HS_ENOMEM;
    }
    hci_put_le16(om->om_data, size);
    hci_put_le16(om->om_data + 2, channel);
    STAILQ_INSERT_TAIL(&c->tx, OS_MBUF_PKTHDR(om), omp_next);
    pump(n, c);
    return 0;
}

/* Signalling. */

static int send_signal(struct connection *c, uint8_t code, uint8_t id,
                       const uint8_t *bytes, uint16_t size)
{
    struct os_mbuf *om = nimble_l2cap_packet();
    uint8_t header[L2CAP_SIGNALLING_HEADER_SIZE] = {code, id};
    if (om == NULL) {
        return BLE_HS_ENOMEM;
    }
    hci_put_le16(header + 2, size);
    if (os_mbuf_append(om, header, sizeof(header)) != 0 ||
        os_mbuf_append(om, bytes, size) != 0) {
        os_mbuf_free_chain(om);
        return BLE_HS_ENOMEM;
    }
    return nimble_l2cap_send(c, BLE_L2CAP_CID_SIG, om);
}

int nimble_l2cap_ask_parameters(struct connection *c,
                                const struct ble_gap_upd_params *wish)
{
    struct nimble *n = nimble_state();
    uint8_t bytes[8];
    if (c->signalling_id != 0) {
        return BLE_HS_EALREADY;
    }
    hci_put_le16(bytes, wish->itvl_min);
    hci_put_le16(bytes + 2, wish->itvl_max);
    hci_put_le16(bytes + 4, wish->latency);
    hci_put_le16(bytes + 6, wish->supervision_timeout);
    n->signalling_next_id = n->signalling_next_id == 0xFF ? 1 : n->signalling_next_id + 1;
    int rc = send_signal(c, L2CAP_CONNECTION_PARAMETER_REQUEST, n->signalling_next_id,
                         bytes, sizeof(bytes));
    if (rc == 0) {
        c->signalling_id = n->signalling_next_id;
        c->signalling_deadline = xTaskGetTickCount() + nimble_ticks(n, ATT_TIMEOUT_MS);
    }
    return rc;
}

static void signal_received(struct connection *c, const struct os_mbuf *om)
{
    uint8_t bytes[L2CAP_SIGNALLING_HEADER_SIZE + 2] = {0};
    uint16_t size = OS_MBUF_PKTLEN(om);
    if (size < L2CAP_SIGNALLING_HEADER_SIZE) {
        return;
    }
    os_mbuf_copydata(om, 0, size < sizeof(bytes) ? size : (int)sizeof(bytes), bytes);
    uint8_t code = bytes[0];
    uint8_t id = bytes[1];
    bool ours = id == c->signalling_id && c->signalling_id != 0;
    if (code == L2CAP_CONNECTION_PARAMETER_RESPONSE && ours && size >= sizeof(bytes)) {
        c->signalling_id = 0;
        /* Accepted: the update itself follows as an event of the controller. */
        if (hci_get_le16(bytes + 4) != L2CAP_CONNECTION_PARAMETERS_ACCEPTED) {
            gap_update_done(c, BLE_HS_EREJECT);
        }
    } else if (code == L2CAP_COMMAND_REJECT) {
        if (ours) {
            c->signalling_id = 0;
            gap_update_done(c, BLE_HS_EREJECT);
        }
    } else if (code != L2CAP_CONNECTION_PARAMETER_RESPONSE) {
        uint8_t reason[2];
        hci_put_le16(reason, REJECT_NOT_UNDERSTOOD);
        send_signal(c, L2CAP_COMMAND_REJECT, id, reason, sizeof(reason));
    }
}

static void reject_channel(struct connection *c, uint16_t channel)
{
    struct nimble *n = nimble_state();
    uint8_t bytes[6];
    hci_put_le16(bytes, REJECT_INVALID_CHANNEL);
    hci_put_le16(bytes + 2, channel);
    hci_put_le16(bytes + 4, 0);
    n->signalling_next_id = n->signalling_next_id == 0xFF ? 1 : n->signalling_next_id + 1;
    send_signal(c, L2CAP_COMMAND_REJECT, n->signalling_next_id, bytes, sizeof(bytes));
}

/* There is no Security Manager: a peer that wants to pair is told so. */
static void smp_received(struct connection *c, const struct os_mbuf *om)
{
    uint8_t op = 0;
    const uint8_t answer[2] = {SMP_PAIRING_FAILED, BLE_SM_ERR_PAIR_NOT_SUPP};
    os_mbuf_copydata(om, 0, 1, &op);
    struct os_mbuf *response = op == SMP_PAIRING_REQUEST ? nimble_l2cap_packet() : NULL;
    if (response == NULL) {
        return;
    }
    if (os_mbuf_append(response, answer, sizeof(answer)) != 0) {
        os_mbuf_free_chain(response);
        return;
    }
    nimble_l2cap_send(c, BLE_L2CAP_CID_SM, response);
}

/* Receiving. */

static void dispatch(struct connection *c, struct channel *channel)
{
    struct os_mbuf *om = channel->rx;
    channel->rx = NULL;
    c->rx_channel = NULL;
    c->rx_waiting = false;
    if (channel->id == BLE_L2CAP_CID_ATT) {
        nimble_att_input(c, &om);
    } else if (channel->id == BLE_L2CAP_CID_SIG) {
        signal_received(c, om);
    } else {
        smp_received(c, om);
    }
    os_mbuf_free_chain(om);
}

/* Any continuation is added to whatever PDU is open. A fragment that was dropped before
 * can therefore join the first part of one PDU to the second part of another; if their
 * sizes add up, nobody notices. That is what NimBLE does. */
static void add_payload(struct connection *c, struct channel *channel, struct os_mbuf *om)
{
    struct nimble *n = nimble_state();
    if (channel->rx == NULL) {
        channel->rx = om;
    } else {
        os_mbuf_concat(channel->rx, om);
    }
    uint16_t size = OS_MBUF_PKTLEN(channel->rx);
    if (size > channel->rx_size) {
        nimble_l2cap_discard(c, channel);
    } else if (size == channel->rx_size) {
        dispatch(c, channel);
    } else {
        c->rx_waiting = true;
        c->rx_deadline = xTaskGetTickCount() + nimble_ticks(n, ATT_TIMEOUT_MS);
    }
}

static void first_fragment(struct connection *c, struct os_mbuf *om)
{
    uint8_t header[L2CAP_HEADER_SIZE];
    if (os_mbuf_copydata(om, 0, sizeof(header), header) != 0) {
        os_mbuf_free_chain(om);
        return;
    }
    os_mbuf_adj(om, sizeof(header));
    uint16_t id = hci_get_le16(header + 2);
    struct channel *channel = channel_of(c, id);
    if (channel == NULL) {
        os_mbuf_free_chain(om);
        reject_channel(c, id);
        return;
    }
    if (channel->rx != NULL) {
        nimble_l2cap_discard(c, channel);
    }
    /* Since 5.4 the host takes two bytes more: it counts a length field that only other
     * channels have. */
    const struct nimble *n = nimble_state();
    int excess = hci_get_le16(header) - channel_mtu(c, channel);
    if (excess > (nimble_since(n, 5, 4) ? 2 : 0)) {
        os_mbuf_free_chain(om);
        return;
    }
    c->rx_channel = channel;
    channel->rx_size = hci_get_le16(header);
    add_payload(c, channel, om);
}

void nimble_l2cap_input(struct nimble *n, struct os_mbuf *om)
{
    uint8_t header[4];
    if (os_mbuf_copydata(om, 0, sizeof(header), header) != 0 ||
        hci_get_le16(header + 2) != OS_MBUF_PKTLEN(om) - sizeof(header)) {
        os_mbuf_free_chain(om);
        return;
    }
    uint16_t field = hci_get_le16(header);
    struct connection *c = gap_connection(n, HCI_ACL_HANDLE(field));
    os_mbuf_adj(om, sizeof(header));
    if (c != NULL && HCI_ACL_BOUNDARY(field) == HCI_ACL_FIRST) {
        first_fragment(c, om);
    } else if (c != NULL && HCI_ACL_BOUNDARY(field) == HCI_ACL_CONTINUATION &&
               c->rx_channel != NULL && c->rx_channel->rx != NULL) {
        add_payload(c, c->rx_channel, om);
    } else {
        os_mbuf_free_chain(om);
    }
}
