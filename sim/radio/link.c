/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Links: connection events, their air time, loss, and supervision. */
#include <assert.h>
#include <string.h>

#include "sim/radio/radio.h"

/* The two PDUs and spaces of the shortest event. */
#define EVENT_MIN_US (UINT64_C(2) * (80 + LL_SPACE_US))
/* From CONNECT_IND to the first anchor point: transmitWindowDelay and an offset. */
#define FIRST_ANCHOR_US 2500
#define INTERVAL_US     UINT64_C(1250)

uint32_t link_air_time_us(uint8_t phy, uint16_t size)
{
    /* Preamble, access address, header and CRC: 10 bytes at 1M, 11 at 2M. */
    return phy == HCI_PHY_2M ? 4u * (11u + size) : 8u * (10u + size);
}

uint32_t link_pdu_time_us(const struct link *link, uint16_t size)
{
    bool has_mic = link->air->profile.encrypted && size > 0;
    return link_air_time_us(link->phy, (uint16_t)(size + (has_mic ? LL_MIC : 0)));
}

struct side *side_peer(struct side *side)
{
    return side->central ? &side->link->peripheral : &side->link->central;
}

static bool link_gone(const struct link *link)
{
    return link->central.controller == NULL && link->peripheral.controller == NULL;
}

static bool link_connected(const struct link *link)
{
    return controller_hears(link->central.controller) &&
           controller_hears(link->peripheral.controller);
}

static void radio_free(struct link *link)
{
    if (link->central.controller != NULL && link->central.controller->on_air == link) {
        link->central.controller->on_air = NULL;
    }
    if (link->peripheral.controller != NULL &&
        link->peripheral.controller->on_air == link) {
        link->peripheral.controller->on_air = NULL;
    }
}

static void link_release(struct link *link)
{
    sim_air_t *air = link->air;
    sim_loop_cancel(air->loop, &link->event);
    sim_loop_cancel(air->loop, &link->supervision);
    struct link **place = &air->links;
    while (*place != link) {
        place = &(*place)->next;
    }
    *place = link->next;
    link->next = air->links_free;
    air->links_free = link;
}

void side_leave(struct side *side, uint8_t reason)
{
    sim_controller_t *controller = side->controller;
    struct link *link = side->link;
    assert(controller != NULL && controller->sides[side->handle - 1] == side);
    radio_free(link);
    struct packet *packet;
    while ((packet = packet_pop(&side->tx)) != NULL) {
        packet_free(link->air, packet);
        controller->tx_held--;
    }
    controller->sides[side->handle - 1] = NULL;
    side->controller = NULL;
    if (reason != 0) {
        uint8_t *parameters =
            controller_event(controller, HCI_EV_DISCONNECTION_COMPLETE, 4);
        parameters[0] = HCI_SUCCESS;
        hci_put_le16(parameters + 1, side->handle);
        parameters[3] = reason;
    }
    if (link_gone(link)) {
        link_release(link);
    } else {
        link_reachability_changed(link);
    }
}

static void give_up(struct side *side, uint8_t reason)
{
    if (side->controller != NULL) {
        side_leave(side,
                   side->ending_reason != 0 ? HCI_ERR_LOCAL_HOST_TERMINATED : reason);
    }
}

/* An end that has heard nothing for the supervision timeout gives up; one that has never
 * heard anything does so after six events (Vol 6, Part B, 4.5.2). */
static void supervise(struct side *side)
{
    struct link *link = side->link;
    uint64_t silent_us = sim_loop_now_us(link->air->loop) - side->heard_us;
    if (side->controller == NULL) {
        return;
    }
    if (!side->heard && link->counter >= LL_ESTABLISH) {
        give_up(side, HCI_ERR_FAILED_TO_ESTABLISH);
    } else if (silent_us >= link->parameters.timeout * UINT64_C(10000)) {
        give_up(side, HCI_ERR_CONNECTION_TIMEOUT);
    }
}

static void apply_changes(struct link *link)
{
    if (link->parameters_change.pending &&
        link->parameters_change.instant == link->counter) {
        if (link->parameters_change.received) {
            link_apply_parameters(link);
        } else {
            give_up(&link->peripheral, HCI_ERR_INSTANT_PASSED);
            link->parameters_change.pending = false;
        }
    }
    if (!link_gone(link) && link->phy_change.pending &&
        link->phy_change.instant == link->counter) {
        if (link->phy_change.received) {
            link_apply_phy(link);
        } else {
            give_up(&link->peripheral, HCI_ERR_INSTANT_PASSED);
            link->phy_change.pending = false;
        }
    }
}

static void event_finish(struct link *link)
{
    radio_free(link);
    link->on_air = false;
    link->counter++;
    link->anchor_us += link->parameters.interval * INTERVAL_US;
    link->phase = LINK_CENTRAL_START;
    sim_loop_at(link->air->loop, &link->event, link->anchor_us);
}

/* Other links of the same radio: true when one is in its event, or is about to begin one
 * and has waited longer. Shortens end_us to the next anchor point among them. */
static bool displaced(struct link *link, const sim_controller_t *controller)
{
    if (controller == NULL) {
        return false;
    }
    if (controller->on_air != NULL) {
        return true;
    }
    uint64_t now_us = sim_loop_now_us(link->air->loop);
    for (size_t i = 0; i < CONTROLLER_LINKS_MAX; i++) {
        const struct side *side = controller->sides[i];
        if (side == NULL || side->link == link) {
            continue;
        }
        const struct link *other = side->link;
        if (other->anchor_us < now_us + EVENT_MIN_US) {
            if (other->missed > link->missed) {
                return true;
            }
        } else if (other->anchor_us < link->end_us) {
            link->end_us = other->anchor_us;
        }
    }
    return false;
}

static bool pair_fits(const struct link *link, uint16_t central, uint16_t peripheral)
{
    uint64_t needed_us = link_pdu_time_us(link, central) +
                         link_pdu_time_us(link, peripheral) + 2 * LL_SPACE_US;
    return sim_loop_now_us(link->air->loop) + needed_us <= link->end_us;
}

static void transmit(struct link *link, struct side *side, bool only_empty,
                     enum link_phase next)
{
    link->in_flight = *side_send(side, only_empty);
    uint32_t air_us = link_pdu_time_us(link, link->in_flight.size);
    link->air->ledger.air_time_us += air_us + LL_SPACE_US;
    link->phase = next;
    sim_loop_after(link->air->loop, &link->event, air_us);
}

/* At an anchor point, or 150 us after the peripheral's last PDU. */
static void central_start(struct link *link)
{
    struct side *central = &link->central;
    if (central->controller == NULL) {
        event_finish(link);
        return;
    }
    uint16_t size = side_next_size(central);
    uint16_t answer =
        link->peripheral.controller != NULL ? side_next_size(&link->peripheral) : 0;
    if (link->on_air) {
        uint16_t max = link->air->profile.packets_per_event_max;
        if (!pair_fits(link, size, answer) || (max > 0 && link->data_pdus >= max)) {
            event_finish(link);
            return;
        }
    }
    link->on_air = true;
    transmit(link, central, false, LINK_CENTRAL_END);
    link->data_pdus += link->in_flight.size > 0;
    link->central_more = link->in_flight.more_data;
}

static void anchor(struct link *link)
{
    apply_changes(link);
    if (link_gone(link)) {
        return;
    }
    supervise(&link->central);
    if (link_gone(link)) {
        return;
    }
    supervise(&link->peripheral);
    if (link_gone(link)) {
        return;
    }
    link->end_us = link->anchor_us + link->parameters.interval * INTERVAL_US;
    link->data_pdus = 0;
    if (displaced(link, link->central.controller) ||
        displaced(link, link->peripheral.controller)) {
        link->missed++;
        event_finish(link);
        return;
    }
    link->missed = 0;
    link->end_us -= link->air->profile.guard_us;
    if (link->central.controller != NULL) {
        link->air->ledger.connection_events++;
        link->central.controller->on_air = link;
        if (link->peripheral.controller != NULL) {
            link->peripheral.controller->on_air = link;
        }
    }
    central_start(link);
}

/* One draw for each PDU that someone could have heard. */
static bool arrives(struct link *link)
{
    if (!link_connected(link)) {
        return false;
    }
    double loss = link->air->profile.loss;
    if (loss > 0) {
        double draw = (double)(sim_random_next(&link->random) >> 11) * 0x1p-53;
        if (draw < loss) {
            link->air->ledger.lost_pdus++;
            return false;
        }
    }
    return true;
}

static void central_end(struct link *link)
{
    struct side *central = &link->central;
    bool heard = arrives(link);
    if (central->controller != NULL && central->leave_reason != 0) {
        /* This PDU acknowledged the peer's LL_TERMINATE_IND. */
        side_leave(central, central->leave_reason);
        if (link_gone(link)) {
            return;
        }
    }
    if (!heard) {
        event_finish(link);
        return;
    }
    side_receive(&link->peripheral, &link->in_flight);
    if (link_gone(link)) {
        return;
    }
    if (link->peripheral.controller == NULL) {
        event_finish(link);
        return;
    }
    link->phase = LINK_PERIPHERAL_START;
    sim_loop_after(link->air->loop, &link->event, LL_SPACE_US);
}

static void peripheral_start(struct link *link)
{
    struct side *peripheral = &link->peripheral;
    if (peripheral->controller == NULL) {
        event_finish(link);
        return;
    }
    uint64_t needed_us = link_pdu_time_us(link, side_next_size(peripheral)) + LL_SPACE_US;
    bool only_empty = sim_loop_now_us(link->air->loop) + needed_us > link->end_us;
    transmit(link, peripheral, only_empty, LINK_PERIPHERAL_END);
}

static void peripheral_end(struct link *link)
{
    struct side *peripheral = &link->peripheral;
    bool heard = arrives(link);
    if (peripheral->controller != NULL && peripheral->leave_reason != 0) {
        side_leave(peripheral, peripheral->leave_reason);
        if (link_gone(link)) {
            return;
        }
    }
    if (!heard) {
        event_finish(link);
        return;
    }
    side_receive(&link->central, &link->in_flight);
    if (link_gone(link)) {
        return;
    }
    /* Data without an acknowledgement found the peripheral's buffers full. */
    bool refused = link->central.pdu_pending && link->central.pdu.size > 0;
    if (link->central.controller == NULL ||
        !(link->central_more || link->in_flight.more_data || refused)) {
        event_finish(link);
        return;
    }
    link->phase = LINK_CENTRAL_START;
    sim_loop_after(link->air->loop, &link->event, LL_SPACE_US);
}

static bool move_one(struct side *side)
{
    struct side *peer = side_peer(side);
    if (!link_connected(side->link) || side_next_size(side) == 0) {
        return false;
    }
    const struct pdu *pdu = side_send(side, false);
    if (!side_take(peer, pdu)) {
        return false;
    }
    side_acknowledged(side);
    if (peer->controller != NULL && peer->leave_reason != 0) {
        side_leave(peer, peer->leave_reason);
    }
    return true;
}

/* The air without time: everything that can move does. */
static void move_all(struct link *link)
{
    bool moved = true;
    while (moved && !link_gone(link)) {
        moved = move_one(&link->central);
        moved = move_one(&link->peripheral) || moved;
    }
}

static void link_fire(void *context)
{
    struct link *link = context;
    if (link->air->profile.instant) {
        move_all(link);
        return;
    }
    switch (link->phase) {
    case LINK_CENTRAL_START:
        if (link->on_air) {
            central_start(link);
        } else {
            anchor(link);
        }
        break;
    case LINK_CENTRAL_END:
        central_end(link);
        break;
    case LINK_PERIPHERAL_START:
        peripheral_start(link);
        break;
    case LINK_PERIPHERAL_END:
        peripheral_end(link);
        break;
    }
}

static void supervision_fire(void *context)
{
    struct link *link = context;
    give_up(&link->central,
            link->unheard ? HCI_ERR_FAILED_TO_ESTABLISH : HCI_ERR_CONNECTION_TIMEOUT);
    if (!link_gone(link)) {
        give_up(&link->peripheral, HCI_ERR_CONNECTION_TIMEOUT);
    }
}

void link_wake(struct link *link)
{
    if (link->air->profile.instant && !sim_event_armed(&link->event)) {
        sim_loop_after(link->air->loop, &link->event, 0);
    }
}

void link_reachability_changed(struct link *link)
{
    if (!link->air->profile.instant) {
        return; /* every connection event looks for itself */
    }
    if (link_connected(link)) {
        sim_loop_cancel(link->air->loop, &link->supervision);
        link_wake(link);
    } else if (!sim_event_armed(&link->supervision)) {
        uint64_t limit_us = link->unheard
                                ? INTERVAL_US * LL_ESTABLISH * link->parameters.interval
                                : link->parameters.timeout * UINT64_C(10000);
        sim_loop_after(link->air->loop, &link->supervision, limit_us);
    }
}

void link_apply_parameters(struct link *link)
{
    link->parameters_change.pending = false;
    link->parameters = link->parameters_next;
    struct side *sides[] = {&link->central, &link->peripheral};
    for (size_t i = 0; i < 2; i++) {
        if (sides[i]->controller == NULL) {
            continue;
        }
        sides[i]->parameters_asked = false;
        uint8_t *parameters = controller_le_event(
            sides[i]->controller, HCI_LE_EV_CONNECTION_UPDATE_COMPLETE, 9);
        parameters[0] = HCI_SUCCESS;
        hci_put_le16(parameters + 1, sides[i]->handle);
        hci_put_le16(parameters + 3, link->parameters.interval);
        hci_put_le16(parameters + 5, link->parameters.latency);
        hci_put_le16(parameters + 7, link->parameters.timeout);
    }
}

static void side_new(struct link *link, struct side *side, sim_controller_t *controller,
                     bool central)
{
    side->link = link;
    side->central = central;
    side->tx_octets = LL_DATA_OCTETS_MIN;
    side->tx_time = LL_DATA_TIME_MIN;
    side->rx_octets = LL_DATA_OCTETS_MIN;
    side->rx_time = LL_DATA_TIME_MIN;
    side->heard_us = sim_loop_now_us(link->air->loop);
    if (controller == NULL) {
        return;
    }
    side->controller = controller;
    side->octets_wanted = controller->default_octets;
    side->time_wanted = controller->default_time;
    uint16_t handle = 1;
    while (controller->sides[handle - 1] != NULL) {
        handle++;
        assert(handle <= CONTROLLER_LINKS_MAX);
    }
    side->handle = handle;
    controller->sides[handle - 1] = side;
}

static void tell_connected(struct side *side, uint8_t peer_type, const uint8_t *peer)
{
    const struct connection_parameters *agreed = &side->link->parameters;
    uint8_t *parameters =
        controller_le_event(side->controller, HCI_LE_EV_CONNECTION_COMPLETE, 18);
    parameters[0] = HCI_SUCCESS;
    hci_put_le16(parameters + 1, side->handle);
    parameters[3] = side->central ? HCI_ROLE_CENTRAL : HCI_ROLE_PERIPHERAL;
    parameters[4] = peer_type;
    memcpy(parameters + 5, peer, 6);
    hci_put_le16(parameters + 11, agreed->interval);
    hci_put_le16(parameters + 13, agreed->latency);
    hci_put_le16(parameters + 15, agreed->timeout);
    parameters[17] = 0x05; /* clock accuracy: 50 ppm */
}

/* A central spreads the anchor points of its links: the k-th goes where the bits of k,
 * read backwards as a fraction of the interval, say. */
static uint64_t first_anchor_us(const struct link *link, sim_controller_t *central)
{
    uint64_t earliest_us = sim_loop_now_us(link->air->loop) + FIRST_ANCHOR_US;
    uint64_t interval_us = link->parameters.interval * INTERVAL_US;
    const struct link *other = NULL;
    unsigned count = 0;
    for (size_t i = 0; i < CONTROLLER_LINKS_MAX; i++) {
        if (central->sides[i] != NULL && central->sides[i]->link != link) {
            other = other == NULL ? central->sides[i]->link : other;
            count++;
        }
    }
    if (other == NULL) {
        return earliest_us;
    }
    uint64_t offset_us = 0;
    for (uint64_t part_us = interval_us / 2; count > 0; count >>= 1, part_us /= 2) {
        offset_us += (count & 1) != 0 ? part_us : 0;
    }
    uint64_t anchor_us = other->anchor_us + offset_us;
    while (anchor_us < earliest_us) {
        anchor_us += interval_us;
    }
    return anchor_us;
}

struct link *link_new(sim_controller_t *central, sim_controller_t *peripheral, bool heard)
{
    sim_air_t *air = central->air;
    struct link *link = air->links_free;
    if (link != NULL) {
        air->links_free = link->next;
        memset(link, 0, sizeof(*link));
    } else {
        link = sim_arena_alloc(air->arena, sizeof(*link));
    }
    link->air = air;
    link->next = air->links;
    air->links = link;
    link->event.fire = link_fire;
    link->event.context = link;
    link->supervision.fire = supervision_fire;
    link->supervision.context = link;
    sim_random_seed(&link->random, air->seed + ++air->links_made);
    link->phy = HCI_PHY_1M;
    link->unheard = !heard;
    link->parameters = central->initiator.parameters;
    side_new(link, &link->central, central, true);
    side_new(link, &link->peripheral, heard ? peripheral : NULL, false);

    uint8_t own_type = peripheral->advertiser.own_address_type;
    tell_connected(&link->central, own_type,
                   controller_own_address(peripheral, own_type));
    if (heard) {
        uint8_t type = central->initiator.own_address_type;
        tell_connected(&link->peripheral, type, controller_own_address(central, type));
    }
    control_start_data_length(&link->central);
    if (heard) {
        control_start_data_length(&link->peripheral);
    }
    if (air->profile.instant) {
        link_reachability_changed(link);
    } else {
        link->anchor_us = first_anchor_us(link, central);
        link->phase = LINK_CENTRAL_START;
        sim_loop_at(air->loop, &link->event, link->anchor_us);
    }
    return link;
}
