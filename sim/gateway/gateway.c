/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The gateway as a whole: whether the board is there, and whom its link serves. */
#include "sim/gateway/gateway.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/gateway/internal.h"

#define CONNECT_MS      5000u
#define TICK_US         500000u
#define HEARD_WITHIN_US 3000000u /* a board advertises several times a second */

void gateway_complain(sim_gateway_t *gateway, const char *format, ...)
{
    char text[sizeof(gateway->complaint)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (strcmp(text, gateway->complaint) != 0) {
        memcpy(gateway->complaint, text, strlen(text) + 1);
        fprintf(stderr, "updraft-sim: %s: %s\n", gateway->config.adapter, text);
    }
}

/* ---- the central ---- */

bool gateway_claim(sim_gateway_t *gateway, const char *central, uint16_t mtu)
{
    if (gateway->central[0] != '\0') {
        return strcmp(gateway->central, central) == 0;
    }
    if (!gateway->present || central[0] == '\0' ||
        strlen(central) >= sizeof(gateway->central)) {
        return false;
    }
    memcpy(gateway->central, central, strlen(central) + 1);
    if (!gateway->linked) {
        gateway->profile.mtu = mtu < ATT_MTU_DEFAULT ? ATT_MTU_DEFAULT : mtu;
        sim_central_connect(gateway->radio, gateway->board, CONNECT_MS);
    }
    return true;
}

static void hang_up(sim_gateway_t *gateway)
{
    gateway->linked = false;
    gateway->hanging_up = true;
    sim_central_disconnect(gateway->radio, gateway->board);
}

void gateway_release(sim_gateway_t *gateway)
{
    gateway->central[0] = '\0';
    values_close(gateway);
    hang_up(gateway);
    gateway_operations_fail(gateway);
}

/* The board is away, or restarts: its central is to notice, as it would by radio. */
static void lost(sim_gateway_t *gateway)
{
    gateway->present = false;
    gateway->linked = false;
    memset(gateway->advertised, 0, sizeof(gateway->advertised)); /* of another firmware */
    gateway_operations_fail(gateway);
    values_close(gateway);
    if (gateway->central[0] != '\0') {
        registration_disconnect(gateway, gateway->central);
        gateway->central[0] = '\0';
    }
    registration_settle(gateway);
}

/* ---- what the board's radio does ---- */

static void heard(void *context, sim_peer_t *peer, bool scan_response,
                  const uint8_t *data, uint8_t size, int8_t rssi_dbm)
{
    sim_gateway_t *gateway = context;
    struct advertised all;
    (void)rssi_dbm;
    if (peer != gateway->board) {
        return;
    }
    gateway->heard_us = sim_loop_now_us(gateway->config.loop);
    advertised_parse(data, size, &gateway->advertised[scan_response]);
    advertised_join(gateway->advertised, &all);
    if (!advertised_same(&all, &gateway->offered)) {
        gateway->offered = all;
        gateway->advertising_again = true;
        registration_settle(gateway);
    }
    if (!gateway->present && !sim_peer_connected(peer)) {
        gateway->present = true;
        gateway->hanging_up = false;
        sim_central_connect(gateway->radio, peer, CONNECT_MS); /* to read its services */
    }
}

static void connected(void *context, sim_peer_t *peer, uint8_t status)
{
    sim_gateway_t *gateway = context;
    (void)peer;
    if (status == 0) {
        gateway->hanging_up = false;
    } else if (!gateway->hanging_up) {
        lost(gateway);
    }
}

static void resolved(void *context, sim_peer_t *peer)
{
    sim_gateway_t *gateway = context;
    (void)peer;
    if (application_update(gateway)) {
        gateway_operations_fail(gateway); /* they meant attributes of another table */
    }
    gateway->linked = true;
    registration_settle(gateway);
    if (gateway->central[0] == '\0') {
        hang_up(gateway);
    } else {
        gateway_operations_pump(gateway);
    }
}

static void disconnected(void *context, sim_peer_t *peer, uint8_t reason)
{
    sim_gateway_t *gateway = context;
    (void)peer, (void)reason;
    gateway->linked = false;
    if (gateway->hanging_up) {
        gateway->hanging_up = false;
        gateway->heard_us = sim_loop_now_us(gateway->config.loop);
    } else {
        lost(gateway);
    }
}

static void notified(void *context, sim_peer_t *peer, uint16_t handle,
                     const uint8_t *bytes, size_t size)
{
    (void)peer;
    values_notify(context, handle, bytes, size);
}

static void services_changed(void *context, sim_peer_t *peer)
{
    sim_gateway_t *gateway = context;
    (void)peer;
    gateway->linked = false; /* resolved follows */
}

static void tick(void *context)
{
    sim_gateway_t *gateway = context;
    sim_loop_after(gateway->config.loop, &gateway->tick, TICK_US);
    if (gateway->present && gateway->central[0] == '\0' &&
        !sim_peer_connected(gateway->board) &&
        sim_loop_now_us(gateway->config.loop) - gateway->heard_us > HEARD_WITHIN_US) {
        lost(gateway);
    }
    registration_settle(gateway); /* what bluetoothd refused is tried again */
}

/* ---- from start to end ---- */

sim_gateway_t *sim_gateway_new(const struct sim_gateway_config *config)
{
    static const struct sim_central_ops ops = {
        .heard = heard,
        .connected = connected,
        .resolved = resolved,
        .disconnected = disconnected,
        .read_done = gateway_operation_read_done,
        .write_done = gateway_operation_write_done,
        .notified = notified,
        .services_changed = services_changed,
    };
    sim_gateway_t *gateway = sim_arena_alloc(config->arena, sizeof(*gateway));
    gateway->config = *config;
    gateway->profile = *config->profile;
    gateway->end = &gateway->first;
    gateway->tick = (sim_event_t){.fire = tick, .context = gateway};
    if (registration_start(gateway) < 0) {
        sim_gateway_free(gateway);
        return NULL;
    }
    const struct sim_central_config radio = {
        .arena = config->arena,
        .loop = config->loop,
        .air = config->air,
        .address = {0x02, 0x75, 0x70, 0x64, 0x72, 0xFE},
        .profile = &gateway->profile,
    };
    gateway->radio = sim_central_new(&radio, &ops, gateway);
    gateway->board = sim_central_peer(gateway->radio, config->board, false);
    assert(gateway->board != NULL);
    sim_central_scan(gateway->radio, true);
    sim_loop_after(config->loop, &gateway->tick, TICK_US);
    return gateway;
}

void sim_gateway_free(sim_gateway_t *gateway)
{
    if (gateway->central[0] != '\0') {
        registration_disconnect(gateway, gateway->central);
    }
    gateway_operations_fail(gateway);
    application_free(gateway);
    registration_stop(gateway);
}
