/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Peers, scanning, connecting and the adapter's power. */
#include "sim/central/central.h"

#include <assert.h>
#include <string.h>

#include "sim/central/internal.h"

static void update_power(sim_central_t *central);

static void pump(void *context)
{
    sim_central_t *central = context;
    update_power(central);
    hci_pump(central);
    if (central->power == POWER_ON) {
        l2cap_pump(central);
    }
}

static void pace(void *context)
{
    central_pump_soon(context);
}

void central_pump_soon(sim_central_t *central)
{
    if (!sim_event_armed(&central->pump)) {
        sim_loop_after(central->loop, &central->pump, 0);
    }
}

static void create_timeout(void *context)
{
    sim_central_t *central = context;
    if (central->creating != NULL) {
        hci_create_connection_cancel(central);
    }
}

static void power_timeout(void *context)
{
    sim_central_t *central = context;
    if (central->power == POWER_STOPPING) {
        hci_reset(central);
    }
}

sim_central_t *sim_central_new(const struct sim_central_config *config,
                               const struct sim_central_ops *ops, void *context)
{
    static const struct sim_host_ops host_ops = {.packet = hci_packet};
    sim_central_t *central = sim_arena_alloc(config->arena, sizeof(*central));
    central->config = *config;
    central->ops = *ops;
    central->context = context;
    central->loop = config->loop;
    central->pump = (sim_event_t){.fire = pump, .context = central};
    central->pace = (sim_event_t){.fire = pace, .context = central};
    central->create_timer = (sim_event_t){.fire = create_timeout, .context = central};
    central->power_timer = (sim_event_t){.fire = power_timeout, .context = central};
    central->acl_size = 27;
    struct sim_controller_config controller = {
        .phy_2m = config->profile->phy_2m,
        .data_length = config->profile->data_length,
        .connections_max = LINKS_MAX,
    };
    memcpy(controller.address, config->address, sizeof(controller.address));
    central->controller =
        sim_controller_new(config->air, &controller, &host_ops, central);
    central->power_wanted = true;
    central_pump_soon(central);
    return central;
}

sim_controller_t *sim_central_controller(sim_central_t *central)
{
    return central->controller;
}

/* ---- power ---- */

void sim_central_power(sim_central_t *central, bool on)
{
    central->power_wanted = on;
    central_pump_soon(central);
}

bool sim_central_powered(const sim_central_t *central)
{
    return central->power == POWER_ON;
}

static void give_up(sim_peer_t *peer, uint8_t status)
{
    sim_central_t *central = peer->central;
    peer->state = PEER_IDLE;
    peer->abandoned = false;
    sim_loop_cancel(central->loop, &peer->timer);
    central->ops.connected(central->context, peer, status);
}

static bool any_link(const sim_central_t *central)
{
    for (const sim_peer_t *peer = central->peers; peer != NULL; peer = peer->next) {
        if (peer->state == PEER_CONNECTED || peer->state == PEER_DISCONNECTING) {
            return true;
        }
    }
    return central->creating != NULL;
}

static void reset_when_alone(sim_central_t *central)
{
    if (central->power == POWER_STOPPING && !any_link(central)) {
        sim_loop_cancel(central->loop, &central->power_timer);
        hci_reset(central);
    }
}

static void begin_stop(sim_central_t *central)
{
    central->power = POWER_STOPPING;
    if (central->ops.powered != NULL) {
        central->ops.powered(central->context, false);
    }
    for (sim_peer_t *peer = central->peers; peer != NULL; peer = peer->next) {
        peer->reconnect = false;
        if (peer->state == PEER_WAITING) {
            give_up(peer, HCI_ERR_LOCAL_HOST_TERMINATED);
        } else if (peer->state == PEER_CREATING) {
            sim_central_disconnect(central, peer);
        } else if (peer->state == PEER_CONNECTED) {
            central_hang_up(peer, HCI_ERR_REMOTE_POWER_OFF);
        }
    }
    sim_loop_after(central->loop, &central->power_timer, POWER_OFF_US);
    reset_when_alone(central);
}

static void update_power(sim_central_t *central)
{
    if (central->power == POWER_OFF && central->power_wanted) {
        central->power = POWER_STARTING;
        central->scanning = false;
        central->scan_changing = false;
        hci_start(central);
    } else if (central->power == POWER_ON && !central->power_wanted) {
        begin_stop(central);
    }
}

void central_started(sim_central_t *central)
{
    central->power = POWER_ON;
    if (central->ops.powered != NULL) {
        central->ops.powered(central->context, true);
    }
    central_update_scan(central);
    central_pump_soon(central);
}

void central_stopped(sim_central_t *central)
{
    central->power = POWER_OFF;
    central->creating = NULL;
    sim_loop_cancel(central->loop, &central->create_timer);
    for (sim_peer_t *peer = central->peers; peer != NULL; peer = peer->next) {
        if (peer->state == PEER_CREATING) {
            give_up(peer, HCI_ERR_LOCAL_HOST_TERMINATED);
        } else if (peer->state == PEER_CONNECTED || peer->state == PEER_DISCONNECTING) {
            central_disconnection_complete(central, peer->link->handle,
                                           HCI_ERR_LOCAL_HOST_TERMINATED);
        }
    }
    central_pump_soon(central);
}

/* ---- scanning ---- */

static bool any_waiting(const sim_central_t *central)
{
    for (const sim_peer_t *peer = central->peers; peer != NULL; peer = peer->next) {
        if (peer->state == PEER_WAITING) {
            return true;
        }
    }
    return false;
}

void central_update_scan(sim_central_t *central)
{
    /* Like Linux, no scan while the controller connects. */
    bool wanted = central->power == POWER_ON && central->creating == NULL &&
                  (central->scan_wanted || any_waiting(central));
    if (central->power == POWER_ON && wanted != central->scanning &&
        !central->scan_changing) {
        central->scan_changing = true;
        central->scanning = wanted;
        hci_scan(central, wanted);
    }
}

void sim_central_scan(sim_central_t *central, bool on)
{
    central->scan_wanted = on;
    central_update_scan(central);
}

/* ---- peers ---- */

static void peer_timeout(void *context)
{
    sim_peer_t *peer = context;
    if (peer->state == PEER_WAITING) {
        give_up(peer, peer->give_up_status);
        central_update_scan(peer->central);
    } else if (peer->state == PEER_CREATING && !peer->abandoned) {
        peer->abandoned = true;
        hci_create_connection_cancel(peer->central);
    }
}

sim_peer_t *sim_central_peer(sim_central_t *central, const uint8_t address[6],
                             bool is_random)
{
    sim_peer_t **place = &central->peers;
    while (*place != NULL) {
        sim_peer_t *peer = *place;
        if (peer->is_random == is_random && memcmp(peer->address, address, 6) == 0) {
            return peer;
        }
        place = &peer->next;
    }
    if (central->peer_count == PEERS_MAX) {
        return NULL;
    }
    sim_peer_t *peer = sim_arena_alloc(central->config.arena, sizeof(*peer));
    peer->central = central;
    memcpy(peer->address, address, 6);
    peer->is_random = is_random;
    peer->timer = (sim_event_t){.fire = peer_timeout, .context = peer};
    *place = peer;
    central->peer_count++;
    return peer;
}

const uint8_t *sim_peer_address(const sim_peer_t *peer)
{
    return peer->address;
}

bool sim_peer_is_random(const sim_peer_t *peer)
{
    return peer->is_random;
}

bool sim_peer_connected(const sim_peer_t *peer)
{
    return peer->state == PEER_CONNECTED;
}

uint16_t sim_peer_mtu(const sim_peer_t *peer)
{
    return peer->state == PEER_CONNECTED ? peer->link->mtu : ATT_MTU_DEFAULT;
}

void sim_peer_set_context(sim_peer_t *peer, void *context)
{
    peer->context = context;
}

void *sim_peer_context(const sim_peer_t *peer)
{
    return peer->context;
}

size_t sim_peer_services(const sim_peer_t *peer, const struct sim_gatt_service **ret_list)
{
    if (peer->table == NULL || !peer->table->valid) {
        return 0;
    }
    *ret_list = peer->table->services;
    return peer->table->service_count;
}

size_t sim_peer_characteristics(const sim_peer_t *peer,
                                const struct sim_gatt_characteristic **ret_list)
{
    if (peer->table == NULL || !peer->table->valid) {
        return 0;
    }
    *ret_list = peer->table->characteristics;
    return peer->table->characteristic_count;
}

size_t sim_peer_descriptors(const sim_peer_t *peer,
                            const struct sim_gatt_descriptor **ret_list)
{
    if (peer->table == NULL || !peer->table->valid) {
        return 0;
    }
    *ret_list = peer->table->descriptors;
    return peer->table->descriptor_count;
}

void sim_peer_forget_services(sim_peer_t *peer)
{
    if (peer->table != NULL && peer->state != PEER_CONNECTED) {
        peer->table->valid = false;
        peer->table->has_hash = false;
    }
}

sim_peer_t *central_peer_by_handle(sim_central_t *central, uint16_t handle)
{
    for (sim_peer_t *peer = central->peers; peer != NULL; peer = peer->next) {
        if ((peer->state == PEER_CONNECTED || peer->state == PEER_DISCONNECTING) &&
            peer->link->handle == handle) {
            return peer;
        }
    }
    return NULL;
}

/* ---- connecting ---- */

void sim_central_connect(sim_central_t *central, sim_peer_t *peer, uint32_t timeout_ms)
{
    if (peer->state == PEER_DISCONNECTING) {
        peer->reconnect = true;
        peer->reconnect_ms = timeout_ms;
        return;
    }
    if (peer->state == PEER_CONNECTED || peer->abandoned) {
        return;
    }
    peer->give_up_status = HCI_ERR_UNKNOWN_CONNECTION;
    if (peer->state == PEER_IDLE) {
        peer->state = PEER_WAITING;
    }
    if (central->power != POWER_ON && !central->power_wanted) {
        timeout_ms = 0;
    }
    sim_loop_after(central->loop, &peer->timer, (uint64_t)timeout_ms * 1000u);
    central_update_scan(central);
}

void central_advertised(sim_central_t *central, sim_peer_t *peer)
{
    if (peer->state != PEER_WAITING || central->creating != NULL ||
        central->power != POWER_ON) {
        return;
    }
    peer->state = PEER_CREATING;
    central->creating = peer;
    central_update_scan(central);
    hci_create_connection(central, peer);
    sim_loop_after(central->loop, &central->create_timer, CREATE_CONNECTION_US);
}

void central_hang_up(sim_peer_t *peer, uint8_t reason)
{
    assert(peer->state == PEER_CONNECTED);
    peer->state = PEER_DISCONNECTING;
    peer->silent = false;
    sim_loop_cancel(peer->central->loop, &peer->link->transaction_timer);
    hci_disconnect(peer->central, peer->link->handle, reason);
}

void sim_central_disconnect(sim_central_t *central, sim_peer_t *peer)
{
    switch (peer->state) {
    case PEER_IDLE:
        break;
    case PEER_WAITING:
        peer->give_up_status = HCI_ERR_LOCAL_HOST_TERMINATED;
        sim_loop_after(central->loop, &peer->timer, 0);
        break;
    case PEER_CREATING:
        if (!peer->abandoned) {
            peer->abandoned = true;
            peer->give_up_status = HCI_ERR_LOCAL_HOST_TERMINATED;
            hci_create_connection_cancel(central);
        }
        break;
    case PEER_CONNECTED:
        central_hang_up(peer, HCI_ERR_REMOTE_USER_TERMINATED);
        break;
    case PEER_DISCONNECTING:
        peer->reconnect = false;
        break;
    }
}

static void link_up(sim_peer_t *peer, uint16_t handle)
{
    sim_central_t *central = peer->central;
    if (peer->link == NULL) {
        peer->link = sim_arena_alloc(central->config.arena, sizeof(*peer->link));
        peer->table = sim_arena_alloc(central->config.arena, sizeof(*peer->table));
    }
    l2cap_link_start(peer, handle);
    peer->state = PEER_CONNECTED;
    sim_loop_cancel(central->loop, &peer->timer);
    if (peer->abandoned) {
        /* It came in the moment it was called off. */
        peer->abandoned = false;
        central_hang_up(peer, HCI_ERR_REMOTE_USER_TERMINATED);
        peer->silent = true;
        return;
    }
    hci_link_setup(central, handle);
    resolve_start(peer);
    central->ops.connected(central->context, peer, 0);
}

void central_connection_complete(sim_central_t *central, const uint8_t *bytes,
                                 size_t size)
{
    sim_peer_t *peer = central->creating;
    if (peer == NULL || size < 18) {
        return;
    }
    central->creating = NULL;
    sim_loop_cancel(central->loop, &central->create_timer);
    uint8_t status = bytes[0];
    if (status == 0) {
        link_up(peer, hci_get_le16(&bytes[1]));
    } else if (peer->abandoned) {
        give_up(peer, peer->give_up_status);
    } else if (status == HCI_ERR_UNKNOWN_CONNECTION) {
        /* This attempt was cancelled after its 2 s; the peer is still wanted. */
        peer->state = PEER_WAITING;
    } else {
        give_up(peer, status);
    }
    central_update_scan(central);
    reset_when_alone(central);
    central_pump_soon(central);
}

void central_disconnection_complete(sim_central_t *central, uint16_t handle,
                                    uint8_t reason)
{
    sim_peer_t *peer = central_peer_by_handle(central, handle);
    if (peer == NULL) {
        return;
    }
    bool silent = peer->state == PEER_DISCONNECTING && peer->silent;
    peer->state = PEER_IDLE;
    central->acl_free += peer->link->unacknowledged;
    peer->link->unacknowledged = 0;
    sim_loop_cancel(central->loop, &peer->link->transaction_timer);
    att_link_end(peer);
    if (!central->config.cache_services) {
        sim_peer_forget_services(peer);
    }
    if (silent) {
        central->ops.connected(central->context, peer, peer->give_up_status);
    } else {
        central->ops.disconnected(central->context, peer, reason);
    }
    if (peer->reconnect) {
        peer->reconnect = false;
        sim_central_connect(central, peer, peer->reconnect_ms);
    }
    reset_when_alone(central);
    central_pump_soon(central);
}
