/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Controllers: the queue to the host, buffers, power. */
#include <assert.h>
#include <string.h>

#include "sim/radio/radio.h"

/* Defaults after reset (Vol 4, Part E, 7.3.1 and 7.8.1). */
#define EVENT_MASK_DEFAULT    UINT64_C(0x00001FFFFFFFFFFF)
#define EVENT_MASK_LE         (UINT64_C(1) << 61)
#define LE_EVENT_MASK_DEFAULT UINT64_C(0x1F)

struct packet *packet_new(sim_air_t *air)
{
    struct packet *packet = air->packets_free;
    if (packet != NULL) {
        air->packets_free = packet->next;
    } else {
        packet = sim_arena_alloc(air->arena, sizeof(*packet));
    }
    packet->next = NULL;
    packet->size = 0;
    return packet;
}

void packet_free(sim_air_t *air, struct packet *packet)
{
    packet->next = air->packets_free;
    air->packets_free = packet;
}

void packet_push(struct packet_queue *queue, struct packet *packet)
{
    packet->next = NULL;
    if (queue->last != NULL) {
        queue->last->next = packet;
    } else {
        queue->first = packet;
    }
    queue->last = packet;
}

static void packet_push_front(struct packet_queue *queue, struct packet *packet)
{
    packet->next = queue->first;
    queue->first = packet;
    if (queue->last == NULL) {
        queue->last = packet;
    }
}

struct packet *packet_pop(struct packet_queue *queue)
{
    struct packet *packet = queue->first;
    if (packet != NULL) {
        queue->first = packet->next;
        if (queue->first == NULL) {
            queue->last = NULL;
        }
    }
    return packet;
}

sim_air_t *sim_air_new(sim_arena_t *arena, sim_loop_t *loop,
                       const struct sim_air_profile *profile, uint64_t seed)
{
    sim_air_t *air = sim_arena_alloc(arena, sizeof(*air));
    air->arena = arena;
    air->loop = loop;
    air->profile = *profile;
    air->seed = seed;
    sim_random_seed(&air->random, seed);
    return air;
}

void sim_air_ledger(const sim_air_t *air, struct sim_air_ledger *ret_ledger)
{
    *ret_ledger = air->ledger;
    ret_ledger->links = air->links_made;
}

bool controller_hears(const sim_controller_t *controller)
{
    return controller != NULL && controller->powered && !controller->shielded &&
           !controller->stalled;
}

unsigned controller_links(const sim_controller_t *controller)
{
    unsigned count = 0;
    for (size_t i = 0; i < CONTROLLER_LINKS_MAX; i++) {
        count += controller->sides[i] != NULL;
    }
    return count;
}

struct side *controller_side(sim_controller_t *controller, uint16_t handle)
{
    if (handle == 0 || handle > CONTROLLER_LINKS_MAX) {
        return NULL;
    }
    return controller->sides[handle - 1];
}

/* Hands over what waits. Always from the loop, so that no host is called from within a
 * call of its own. A host may cut the controller's power while it takes a packet. */
static void deliver(void *context)
{
    sim_controller_t *controller = context;
    uint32_t resets = controller->resets;
    bool freed = false;
    struct packet *packet;
    while (resets == controller->resets &&
           (packet = packet_pop(&controller->to_host)) != NULL) {
        if (packet->ready_us > sim_loop_now_us(controller->air->loop)) {
            packet_push_front(&controller->to_host, packet);
            sim_loop_at(controller->air->loop, &controller->deliver, packet->ready_us);
            break;
        }
        bool taken =
            controller->ops->packet(controller->context, packet->bytes, packet->size);
        if (resets == controller->resets && !taken) {
            controller->refused = true;
            packet_push_front(&controller->to_host, packet);
            break;
        }
        if (resets == controller->resets) {
            if (packet->bytes[0] == HCI_H4_ACL) {
                controller->rx_held--;
                freed = true;
            } else {
                controller->events_held--;
            }
        }
        packet_free(controller->air, packet);
    }
    if (freed && controller->air->profile.instant) {
        for (size_t i = 0; i < CONTROLLER_LINKS_MAX; i++) {
            if (controller->sides[i] != NULL) {
                link_wake(controller->sides[i]->link);
            }
        }
    }
}

static void to_host(sim_controller_t *controller, struct packet *packet,
                    uint32_t after_us)
{
    packet->ready_us = sim_loop_now_us(controller->air->loop) + after_us;
    packet_push(&controller->to_host, packet);
    if (!controller->refused && !sim_event_armed(&controller->deliver)) {
        sim_loop_at(controller->air->loop, &controller->deliver, packet->ready_us);
    }
}

uint8_t *controller_event(sim_controller_t *controller, uint8_t code, uint8_t size)
{
    if (!controller->powered || controller->overflowed) {
        return controller->scratch;
    }
    struct packet *packet = packet_new(controller->air);
    if (controller->events_held >= CONTROLLER_EVENTS_MAX) {
        /* The host has not read for a long time: say so once, and lose the rest. */
        controller->overflowed = true;
        code = HCI_EV_HARDWARE_ERROR;
        size = 1;
    }
    controller->events_held++;
    packet->bytes[0] = HCI_H4_EVENT;
    packet->bytes[1] = code;
    packet->bytes[2] = size;
    memset(packet->bytes + HCI_EVENT_HEADER_SIZE, 0, size);
    packet->size = (uint16_t)(HCI_EVENT_HEADER_SIZE + size);
    to_host(controller, packet, 0);
    return controller->overflowed ? controller->scratch
                                  : packet->bytes + HCI_EVENT_HEADER_SIZE;
}

uint8_t *controller_le_event(sim_controller_t *controller, uint8_t subevent, uint8_t size)
{
    if ((controller->event_mask & EVENT_MASK_LE) == 0 ||
        (controller->le_event_mask & (UINT64_C(1) << (subevent - 1))) == 0) {
        return controller->scratch;
    }
    uint8_t *parameters = controller_event(controller, HCI_EV_LE_META, size + 1);
    parameters[0] = subevent;
    return parameters + 1;
}

bool controller_receive(sim_controller_t *controller, uint16_t handle, uint8_t boundary,
                        const uint8_t *bytes, uint16_t size)
{
    if (controller->rx_held >= controller->config.rx_pdus) {
        return false;
    }
    struct packet *packet = packet_new(controller->air);
    controller->rx_held++;
    hci_put_acl_header(packet->bytes, handle, boundary, size);
    memcpy(packet->bytes + HCI_ACL_HEADER_SIZE, bytes, size);
    packet->size = (uint16_t)(HCI_ACL_HEADER_SIZE + size);
    to_host(controller, packet, controller->config.host_us);
    return true;
}

void controller_completed(sim_controller_t *controller, uint16_t handle, uint16_t count)
{
    assert(controller->tx_held >= count);
    controller->tx_held -= count;
    struct packet *last = controller->to_host.last;
    if (last != NULL && last->bytes[0] == HCI_H4_EVENT &&
        last->bytes[1] == HCI_EV_NUMBER_OF_COMPLETED_PACKETS &&
        hci_get_le16(last->bytes + 4) == handle) {
        hci_put_le16(last->bytes + 6, (uint16_t)(hci_get_le16(last->bytes + 6) + count));
        return;
    }
    uint8_t *parameters =
        controller_event(controller, HCI_EV_NUMBER_OF_COMPLETED_PACKETS, 5);
    parameters[0] = 1;
    hci_put_le16(parameters + 1, handle);
    hci_put_le16(parameters + 3, count);
}

/* State as after HCI Reset. Links end without a word: peers notice by their supervision
 * timeout. */
void controller_reset(sim_controller_t *controller)
{
    controller->resets++;
    advertiser_stop(controller);
    for (size_t i = 0; i < CONTROLLER_LINKS_MAX; i++) {
        if (controller->sides[i] != NULL) {
            side_leave(controller->sides[i], 0);
        }
    }
    struct packet *packet;
    while ((packet = packet_pop(&controller->to_host)) != NULL) {
        packet_free(controller->air, packet);
    }
    controller->events_held = 0;
    controller->rx_held = 0;
    controller->overflowed = false;
    controller->refused = false;
    controller->stalled = false;
    sim_loop_cancel(controller->air->loop, &controller->deliver);
    memset(&controller->advertiser, 0, sizeof(controller->advertiser));
    controller->advertiser.interval = 0x0800;
    memset(&controller->scanner, 0, sizeof(controller->scanner));
    memset(&controller->initiator, 0, sizeof(controller->initiator));
    memset(controller->random_address, 0, sizeof(controller->random_address));
    controller->event_mask = EVENT_MASK_DEFAULT;
    controller->le_event_mask = LE_EVENT_MASK_DEFAULT;
    controller->default_octets = LL_DATA_OCTETS_MIN;
    controller->default_time = LL_DATA_TIME_MIN;
    controller->default_phys = 0;
    controller->cancelled = false;
    controller->version_for = NULL;
    controller->on_air = NULL;
    assert(controller->tx_held == 0);
}

sim_controller_t *sim_controller_new(sim_air_t *air,
                                     const struct sim_controller_config *config,
                                     const struct sim_host_ops *ops, void *context)
{
    sim_controller_t *controller = sim_arena_alloc(air->arena, sizeof(*controller));
    controller->air = air;
    controller->config = *config;
    if (controller->config.rx_pdus == 0) {
        controller->config.rx_pdus = CONTROLLER_RX_PDUS;
    }
    if (controller->config.connections_max == 0) {
        controller->config.connections_max = CONTROLLER_CONNECTIONS;
    }
    assert(controller->config.connections_max <= CONTROLLER_LINKS_MAX);
    controller->ops = ops;
    controller->context = context;
    controller->powered = true;
    controller->deliver.fire = deliver;
    controller->deliver.context = controller;
    hci_reverse_address(controller->public_address, config->address);
    controller_reset(controller);
    sim_controller_t **last = &air->controllers;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = controller;
    return controller;
}

static void data_from_host(sim_controller_t *controller, const uint8_t *bytes,
                           size_t size)
{
    if (size < HCI_ACL_HEADER_SIZE) {
        return;
    }
    uint16_t field = hci_get_le16(bytes + 1);
    uint16_t length = hci_get_le16(bytes + 3);
    struct side *side = controller_side(controller, HCI_ACL_HANDLE(field));
    /* The specification has no answer to data without a link, or to nonsense. */
    if (side == NULL || length != size - HCI_ACL_HEADER_SIZE || length == 0 ||
        length > HCI_ACL_PAYLOAD_MAX) {
        return;
    }
    if (controller->tx_held >= CONTROLLER_TX_PACKETS) {
        controller_event(controller, HCI_EV_DATA_BUFFER_OVERFLOW, 1)[0] = 0x01;
        return;
    }
    struct packet *packet = packet_new(controller->air);
    memcpy(packet->bytes, bytes, size);
    packet->size = (uint16_t)size;
    controller->tx_held++;
    packet_push(&side->tx, packet);
    link_wake(side->link);
}

void sim_controller_send(sim_controller_t *controller, const uint8_t *packet, size_t size)
{
    if (!controller->powered || size == 0) {
        return;
    }
    if (packet[0] == HCI_H4_COMMAND) {
        controller_command(controller, packet, size);
    } else if (packet[0] == HCI_H4_ACL) {
        data_from_host(controller, packet, size);
    }
}

void sim_controller_kick(sim_controller_t *controller)
{
    controller->refused = false;
    if (controller->to_host.first != NULL && !sim_event_armed(&controller->deliver)) {
        sim_loop_after(controller->air->loop, &controller->deliver, 0);
    }
}

static void reachability_changed(sim_controller_t *controller)
{
    for (size_t i = 0; i < CONTROLLER_LINKS_MAX; i++) {
        if (controller->sides[i] != NULL) {
            link_reachability_changed(controller->sides[i]->link);
        }
    }
}

void sim_controller_power(sim_controller_t *controller, bool on)
{
    /* On without off before is a reset line: state is lost as well. */
    controller->powered = true;
    controller_reset(controller);
    controller->powered = on;
}

void sim_controller_stall(sim_controller_t *controller, bool stalled)
{
    controller->stalled = stalled;
    reachability_changed(controller);
}

uint32_t sim_controller_supervision_ms(const sim_controller_t *controller)
{
    uint32_t longest_ms = 0;
    for (size_t i = 0; i < CONTROLLER_LINKS_MAX; i++) {
        if (controller->sides[i] != NULL) {
            uint32_t ms = controller->sides[i]->link->parameters.timeout * 10u;
            longest_ms = ms > longest_ms ? ms : longest_ms;
        }
    }
    return longest_ms;
}

void sim_controller_shield(sim_controller_t *controller, bool shielded)
{
    controller->shielded = shielded;
    reachability_changed(controller);
}

void sim_controller_refuse(sim_controller_t *controller, enum sim_refusal how,
                           unsigned count)
{
    controller->refusal = how;
    controller->refusals = count;
}
