/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * One end of a link sends and receives PDUs: sequence numbers, repetition, buffers. */
#include <assert.h>
#include <string.h>

#include "sim/radio/radio.h"

/* Data bytes that fit a PDU: as agreed, and no longer in the air than agreed. The times
 * of the data length procedure count the header, CRC and MIC (Vol 6, Part B, 4.5.10). */
static uint16_t data_octets(const struct side *side)
{
    uint16_t fits =
        side->link->phy == HCI_PHY_2M ? side->tx_time / 4 - 15 : side->tx_time / 8 - 14;
    return side->tx_octets < fits ? side->tx_octets : fits;
}

static uint16_t packet_left(const struct side *side)
{
    const struct packet *packet = side->tx.first;
    return (uint16_t)(packet->size - HCI_ACL_HEADER_SIZE - side->tx_offset);
}

static uint16_t next_data_size(const struct side *side)
{
    uint16_t left = packet_left(side);
    uint16_t fits = data_octets(side);
    return left < fits ? left : fits;
}

uint16_t side_next_size(const struct side *side)
{
    if (side->pdu_pending) {
        return side->pdu.size;
    }
    if (side->control_count > 0) {
        return side->control[side->control_first].size;
    }
    return side->tx.first != NULL ? next_data_size(side) : 0;
}

bool side_has_more(const struct side *side)
{
    bool control = side->pdu_pending && side->pdu.llid == LLID_CONTROL;
    if (side->control_count > (control ? 1 : 0)) {
        return true;
    }
    if (side->tx.first == NULL) {
        return false;
    }
    bool data = side->pdu_pending && !control && side->pdu.size > 0;
    return !data || side->tx.first->next != NULL || packet_left(side) > side->pdu.size;
}

static void build(struct side *side, bool only_empty)
{
    struct pdu *pdu = &side->pdu;
    pdu->sn = side->sn;
    if (!only_empty && side->control_count > 0) {
        const struct control_pdu *control = &side->control[side->control_first];
        pdu->llid = LLID_CONTROL;
        pdu->size = control->size;
        memcpy(pdu->payload, control->bytes, control->size);
    } else if (!only_empty && side->tx.first != NULL) {
        const struct packet *packet = side->tx.first;
        bool first =
            side->tx_offset == 0 &&
            HCI_ACL_BOUNDARY(hci_get_le16(packet->bytes + 1)) != HCI_ACL_CONTINUATION;
        pdu->llid = first ? LLID_START : LLID_CONTINUATION;
        pdu->size = next_data_size(side);
        memcpy(pdu->payload, packet->bytes + HCI_ACL_HEADER_SIZE + side->tx_offset,
               pdu->size);
    } else {
        pdu->llid = LLID_CONTINUATION;
        pdu->size = 0;
    }
    side->pdu_pending = true;
}

const struct pdu *side_send(struct side *side, bool only_empty)
{
    if (!side->pdu_pending) {
        build(side, only_empty);
    }
    side->pdu.nesn = side->nesn;
    side->pdu.more_data = side_has_more(side);
    return &side->pdu;
}

void side_acknowledged(struct side *side)
{
    assert(side->pdu_pending);
    const struct pdu *pdu = &side->pdu;
    side->pdu_pending = false;
    side->sn ^= 1;
    if (pdu->llid == LLID_CONTROL) {
        side->control_first = (side->control_first + 1) % CONTROL_QUEUE_MAX;
        side->control_count--;
        control_acknowledged(side, pdu->payload[0]);
    } else if (pdu->size > 0) {
        side->tx_offset = (uint16_t)(side->tx_offset + pdu->size);
        if (packet_left(side) == 0) {
            packet_free(side->link->air, packet_pop(&side->tx));
            side->tx_offset = 0;
            controller_completed(side->controller, side->handle, 1);
        }
    }
}

bool side_take(struct side *side, const struct pdu *pdu)
{
    if (pdu->llid == LLID_CONTROL) {
        control_receive(side, pdu->payload, (uint8_t)pdu->size);
        return true;
    }
    if (pdu->size == 0) {
        return true;
    }
    if (side->link->drops && !side->central) {
        side_leave(side, HCI_ERR_CONNECTION_TIMEOUT);
        return true;
    }
    if (!controller_receive(side->controller, side->handle,
                            pdu->llid == LLID_START ? HCI_ACL_FIRST
                                                    : HCI_ACL_CONTINUATION,
                            pdu->payload, pdu->size)) {
        return false;
    }
    side->link->air->ledger.data_pdus++;
    side->link->air->ledger.data_bytes += pdu->size;
    return true;
}

bool side_receive(struct side *side, const struct pdu *pdu)
{
    side->heard = true;
    side->heard_us = sim_loop_now_us(side->link->air->loop);
    if (side->pdu_pending && pdu->nesn != side->sn) {
        side_acknowledged(side);
    }
    if (side->controller == NULL) {
        return true; /* what was acknowledged ended the link */
    }
    if (pdu->sn != side->nesn) {
        return true; /* known already: the acknowledgement was lost */
    }
    if (!side_take(side, pdu)) {
        return false;
    }
    side->nesn ^= 1;
    return true;
}
