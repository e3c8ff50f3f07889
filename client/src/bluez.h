/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The transport of Linux: org.bluez on the system's message bus.
 */
#ifndef UPDRAFT_CLIENT_BLUEZ_H
#define UPDRAFT_CLIENT_BLUEZ_H

#include <systemd/sd-event.h>

#include "client/src/transport.h"

struct bluez;

/* Receives the transport's events, from within the event loop only. */
typedef void (*bluez_sink_t)(void *context, const struct updraft_transport_event *event);

/* Connects to the bus (without waiting for it) and follows org.bluez from then on.
 * adapter: "hci1", or NULL for the first that is switched on; copied. Returns 0, MEMORY,
 * NO_PERMISSION, or NO_BLUETOOTHD when there is no bus. */
int bluez_new(sd_event *event, const char *adapter, bluez_sink_t sink, void *context,
              struct bluez **ret_bluez);

/* Stops discovery, ends a connection that was made here, leaves the bus. */
void bluez_free(struct bluez *bluez);

/* The context of these ops is the struct bluez. */
extern const struct updraft_transport_ops bluez_ops;

/* What the bus last said about an error; "" when nothing was wrong. */
const char *bluez_detail(const struct bluez *bluez);
void bluez_clear_detail(struct bluez *bluez);

#endif
