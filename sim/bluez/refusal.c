/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a test makes the daemon do: refuse calls, and lose or find its adapters. */
#include <string.h>

#include "sim/bluez/internal.h"

bool sim_bluez_refuse(sim_bluez_t *bluez, const char *method, const char *error,
                      unsigned count)
{
    struct bus_refusal *refusals = bluez->server.refusals;
    struct bus_refusal *place = NULL;
    for (size_t i = 0; i < BUS_REFUSALS_MAX; i++) {
        if (strcmp(refusals[i].method, method) == 0 ||
            (refusals[i].count == 0 && place == NULL)) {
            place = &refusals[i];
        }
    }
    if (place == NULL || strlen(method) >= sizeof(place->method) ||
        strlen(error) >= sizeof(place->error)) {
        return false;
    }
    strcpy(place->method, method);
    strcpy(place->error, error);
    place->count = count;
    return true;
}

bool bus_refused(struct bus_server *server, sd_bus_message *call)
{
    const char *member = sd_bus_message_get_member(call);
    for (size_t i = 0; i < BUS_REFUSALS_MAX; i++) {
        struct bus_refusal *refusal = &server->refusals[i];
        if (refusal->count == 0 || strcmp(refusal->method, member) != 0) {
            continue;
        }
        refusal->count--;
        if (strcmp(refusal->error, SIM_BLUEZ_SILENCE) != 0) {
            bus_reply_error(call, refusal->error, "Refused by request");
        }
        return true;
    }
    return false;
}

void sim_bluez_plug(sim_bluez_t *bluez, bool in)
{
    for (size_t i = 0; i < bluez->config.adapters; i++) {
        struct adapter *adapter = &bluez->adapters[i];
        if (bluez->bus == NULL || adapter->object.shown == in) {
            continue;
        }
        if (in) {
            adapter_start(adapter);
        } else {
            /* As the real daemon tells it: the links, the switch, and then the rest. */
            device_end_links(adapter);
            adapter_powered(adapter, false);
            adapter_stop(adapter);
        }
    }
}

void sim_bluez_hush(sim_bluez_t *bluez)
{
    for (size_t i = 0; i < bluez->config.adapters; i++) {
        bluez->adapters[i].hush_next = true;
    }
}

void sim_bluez_deafen(sim_bluez_t *bluez)
{
    for (size_t i = 0; i < bluez->config.adapters; i++) {
        bluez->adapters[i].deaf_next = true;
    }
}
