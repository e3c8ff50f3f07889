/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The client's transport over a central of the virtual world: the command's own flow runs
 * on it. */
#ifndef SIM_WORLD_TRANSPORT_H
#define SIM_WORLD_TRANSPORT_H

#include "client/src/transport.h"
#include "sim/central/central.h"

typedef struct sim_transport sim_transport_t;

/* What updraft_transport_ops' calls end with, in loop context. */
typedef void (*sim_transport_event_t)(void *context,
                                      const struct updraft_transport_event *event);

/* Makes a central (config) and the transport over it, both in config->arena. */
sim_transport_t *sim_transport_new(const struct sim_central_config *config,
                                   sim_transport_event_t report, void *context);

/* For updraft_flow_config: ops, with the transport as their context. */
const struct updraft_transport_ops *sim_transport_ops(void);

/* From now on each so many'th notification is lost on its way to the client, as in a full
 * socket of the real daemon; 0: none. */
void sim_transport_lose_notifications(sim_transport_t *transport, uint32_t every);

/* True from connect until its connection is over: nobody may connect anew meanwhile. */
bool sim_transport_connecting(const sim_transport_t *transport);

#endif
