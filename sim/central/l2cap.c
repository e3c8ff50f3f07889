/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * L2CAP of a central: whole frames from fragments, fragments from frames, signalling. */
#include <assert.h>
#include <string.h>

#include "sim/central/internal.h"

enum {
    SECURITY_PAIRING_REQUEST = 0x01,
    SECURITY_PAIRING_FAILED = 0x05,
    SECURITY_REQUEST = 0x0B,
    SECURITY_REASON_NOT_SUPPORTED = 0x05,
};

void l2cap_link_start(sim_peer_t *peer, uint16_t handle)
{
    struct link *link = peer->link;
    link->handle = handle;
    link->mtu = ATT_MTU_DEFAULT;
    link->input_wanted = 0;
    link->output_size = 0;
    link->unacknowledged = 0;
    link->answer_count = 0;
    link->write_count = 0;
    link->request_count = 0;
    link->transaction = TRANSACTION_NONE;
    link->value_size = 0;
    link->prepared = 0;
    link->prepared_error = 0;
}

void l2cap_answer(sim_peer_t *peer, uint16_t channel, const uint8_t *bytes, size_t size)
{
    struct link *link = peer->link;
    if (link->answer_count == ANSWERS_MAX) {
        return; /* a peer that asks faster than the link carries answers breaks ATT */
    }
    size_t at = (link->answer_first + link->answer_count) % ANSWERS_MAX;
    struct answer *answer = &link->answers[at];
    assert(size <= sizeof(answer->bytes));
    answer->channel = channel;
    answer->size = (uint8_t)size;
    memcpy(answer->bytes, bytes, size);
    link->answer_count++;
    central_pump_soon(peer->central);
}

/* Within the ranges of the Core Specification, Vol 3, Part A, 4.20. */
static bool parameters_allowed(uint16_t interval_min, uint16_t interval_max,
                               uint16_t latency, uint16_t timeout_10ms)
{
    return interval_min >= 6 && interval_min <= interval_max && interval_max <= 3200 &&
           latency <= 499 && timeout_10ms >= 10 && timeout_10ms <= 3200 &&
           (1u + latency) * interval_max < timeout_10ms * 4u;
}

static void signalling_input(sim_peer_t *peer, const uint8_t *bytes, size_t size)
{
    if (size < 4 || hci_get_le16(&bytes[2]) > size - 4) {
        return;
    }
    const uint8_t *body = bytes + 4;
    uint16_t body_size = hci_get_le16(&bytes[2]);
    if (bytes[0] == L2CAP_CONNECTION_PARAMETER_REQUEST && body_size == 8) {
        uint16_t values[4];
        for (size_t i = 0; i < 4; i++) {
            values[i] = hci_get_le16(&body[2 * i]);
        }
        bool allowed = !peer->central->config.profile->keeps_parameters &&
                       parameters_allowed(values[0], values[1], values[2], values[3]);
        const uint8_t answer[6] = {
            L2CAP_CONNECTION_PARAMETER_RESPONSE, bytes[1], 2, 0, !allowed, 0};
        l2cap_answer(peer, L2CAP_CHANNEL_SIGNALLING, answer, sizeof(answer));
        if (allowed) {
            hci_connection_update(peer->central, peer->link->handle, values[0], values[1],
                                  values[2], values[3]);
        }
    } else if (bytes[0] != L2CAP_COMMAND_REJECT && (bytes[0] & 1) == 0) {
        /* Requests have even codes; everything else needs channels that are not here. */
        const uint8_t answer[6] = {L2CAP_COMMAND_REJECT, bytes[1], 2, 0, 0, 0};
        l2cap_answer(peer, L2CAP_CHANNEL_SIGNALLING, answer, sizeof(answer));
    }
}

static void security_input(sim_peer_t *peer, const uint8_t *bytes, size_t size)
{
    if (size >= 1 &&
        (bytes[0] == SECURITY_REQUEST || bytes[0] == SECURITY_PAIRING_REQUEST)) {
        static const uint8_t answer[2] = {SECURITY_PAIRING_FAILED,
                                          SECURITY_REASON_NOT_SUPPORTED};
        l2cap_answer(peer, L2CAP_CHANNEL_SMP, answer, sizeof(answer));
    }
}

static void frame_input(sim_peer_t *peer, const uint8_t *frame, size_t size)
{
    const uint8_t *bytes = frame + L2CAP_HEADER_SIZE;
    switch (hci_get_le16(&frame[2])) {
    case L2CAP_CHANNEL_ATT:
        att_input(peer, bytes, size - L2CAP_HEADER_SIZE);
        break;
    case L2CAP_CHANNEL_SIGNALLING:
        signalling_input(peer, bytes, size - L2CAP_HEADER_SIZE);
        break;
    case L2CAP_CHANNEL_SMP:
        security_input(peer, bytes, size - L2CAP_HEADER_SIZE);
        break;
    default: /* a channel nobody opened */
        break;
    }
}

void l2cap_input(sim_peer_t *peer, uint8_t boundary, const uint8_t *bytes, size_t size)
{
    struct link *link = peer->link;
    if (boundary != HCI_ACL_CONTINUATION) {
        link->input_size = 0;
        link->input_wanted = 0;
        if (size < L2CAP_HEADER_SIZE) {
            return; /* no controller splits the header */
        }
        link->input_wanted = L2CAP_HEADER_SIZE + hci_get_le16(bytes);
    }
    if (link->input_wanted == 0 || link->input_wanted > sizeof(link->input) ||
        size > link->input_wanted - link->input_size) {
        link->input_wanted = 0; /* longer than announced, or than anything valid */
        return;
    }
    memcpy(link->input + link->input_size, bytes, size);
    link->input_size += size;
    if (link->input_size == link->input_wanted) {
        link->input_wanted = 0;
        frame_input(peer, link->input, link->input_size);
    }
}

static void open_frame(struct link *link, uint16_t channel, size_t size)
{
    hci_put_le16(&link->output[0], (uint16_t)size);
    hci_put_le16(&link->output[2], channel);
    link->output_size = L2CAP_HEADER_SIZE + size;
    link->output_sent = 0;
}

/* Chooses what goes out next: answers, then commands, then requests. */
static bool next_frame(sim_peer_t *peer)
{
    struct link *link = peer->link;
    uint8_t *pdu = link->output + L2CAP_HEADER_SIZE;
    link->output_reported = false;
    if (link->answer_count > 0) {
        const struct answer *answer = &link->answers[link->answer_first];
        memcpy(pdu, answer->bytes, answer->size);
        open_frame(link, answer->channel, answer->size);
        link->answer_first = (link->answer_first + 1) % ANSWERS_MAX;
        link->answer_count--;
        return true;
    }
    while (link->write_count > 0) {
        const struct write_command *write = &link->writes[link->write_first];
        link->write_first = (link->write_first + 1) % WRITES_MAX;
        link->write_count--;
        if (write->att_error != 0) {
            peer->central->ops.write_done(peer->central->context, peer, write->token,
                                          write->att_error);
            continue;
        }
        memcpy(pdu, write->pdu, write->size);
        open_frame(link, L2CAP_CHANNEL_ATT, write->size);
        link->output_reported = write->reported;
        link->output_token = write->token;
        return true;
    }
    size_t size = att_next_request(peer, pdu);
    if (size == 0) {
        return false;
    }
    open_frame(link, L2CAP_CHANNEL_ATT, size);
    return true;
}

/* The same at the pace of the host. */
static bool start_frame(sim_peer_t *peer)
{
    sim_central_t *central = peer->central;
    uint64_t now_us = sim_loop_now_us(central->loop);
    if (now_us < central->next_frame_us) {
        sim_loop_at(central->loop, &central->pace, central->next_frame_us);
        return false;
    }
    if (!next_frame(peer)) {
        return false;
    }
    central->next_frame_us = now_us + central->config.profile->central_host_us;
    return true;
}

/* Hands one fragment to the controller. False: this link has nothing to send. */
static bool send_fragment(sim_peer_t *peer)
{
    struct link *link = peer->link;
    sim_central_t *central = peer->central;
    if (link->output_size == 0 && !start_frame(peer)) {
        return false;
    }
    size_t size = link->output_size - link->output_sent;
    if (size > central->acl_size) {
        size = central->acl_size;
    }
    uint8_t boundary =
        link->output_sent == 0 ? HCI_ACL_FIRST_FROM_HOST : HCI_ACL_CONTINUATION;
    uint8_t packet[HCI_ACL_HEADER_SIZE + ACL_SIZE_MAX];
    hci_put_acl_header(packet, link->handle, boundary, (uint16_t)size);
    memcpy(&packet[HCI_ACL_HEADER_SIZE], link->output + link->output_sent, size);
    link->output_sent += size;
    central->acl_free--;
    link->unacknowledged++;
    bool whole = link->output_sent == link->output_size;
    bool reported = whole && link->output_reported;
    uint64_t token = link->output_token;
    if (whole) {
        link->output_size = 0;
    }
    sim_controller_send(central->controller, packet, HCI_ACL_HEADER_SIZE + size);
    if (reported) {
        central->ops.write_done(central->context, peer, token, 0);
    }
    return true;
}

/* The connected peer after `peer` in the ring of peers, itself included at last. */
static sim_peer_t *next_connected(sim_central_t *central, sim_peer_t *peer)
{
    sim_peer_t *candidate = peer;
    for (size_t i = 0; i <= central->peer_count; i++) {
        candidate = candidate != NULL && candidate->next != NULL ? candidate->next
                                                                 : central->peers;
        if (candidate == NULL || candidate->state == PEER_CONNECTED) {
            return candidate;
        }
    }
    return NULL;
}

void l2cap_pump(sim_central_t *central)
{
    /* Links take turns by fragment; the round ends when none has anything to send. */
    size_t idle = 0;
    while (central->acl_free > 0 && idle <= central->peer_count) {
        sim_peer_t *peer = next_connected(central, central->last_served);
        if (peer == NULL) {
            return;
        }
        central->last_served = peer;
        idle = send_fragment(peer) ? 0 : idle + 1;
    }
}
