/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A virtual board on a real adapter: a host of its own connects to the board in the
 * simulated air, and bluetoothd offers the board's services and advertising. */
#ifndef SIM_GATEWAY_H
#define SIM_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "sim/base/arena.h"
#include "sim/base/loop.h"
#include "sim/radio/controller.h"

/* BlueZ's GATT server belongs to an adapter and knows no connections, only which device
 * an operation comes from. So a gateway serves one board, and one central at a time;
 * others are refused while it is connected. The board's link lasts as long as the
 * central's: where one ends, so does the other.
 *
 * What BlueZ 5.66 does not pass on: whether a value came as a command or by a request
 * (a characteristic that takes commands has its requests answered by bluetoothd itself),
 * write requests over 510 bytes (it refuses them), and the board's connection
 * parameters. Its own GAP and GATT services stand in place of the board's. */
typedef struct sim_gateway sim_gateway_t;

struct sim_gateway_config {
    sd_event *event; /* whoever runs it also advances the loop */
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_air_t *air;
    const struct sim_air_profile *profile;
    const char *adapter; /* "hci1"; must stay */
    uint8_t board[6];    /* address, as printed */
    bool verbose;        /* says on stderr what it registers */
};

/* Connects to the system's message bus and looks for the adapter; the board is offered as
 * soon as it is heard. NULL after a complaint on stderr. */
sim_gateway_t *sim_gateway_new(const struct sim_gateway_config *config);
/* Takes everything back: services, advertisement, the adapter's name. */
void sim_gateway_free(sim_gateway_t *gateway);

#endif
