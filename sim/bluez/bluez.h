/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The emulated org.bluez: adapters, devices and their GATT objects on a message bus. */
#ifndef SIM_BLUEZ_H
#define SIM_BLUEZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "sim/base/arena.h"
#include "sim/base/loop.h"
#include "sim/radio/controller.h"

#define SIM_BLUEZ_ADAPTERS_MAX 8u

typedef struct sim_bluez sim_bluez_t;

struct sim_bluez_config {
    sd_event *event; /* whoever runs it also advances the loop */
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_air_t *air;
    const struct sim_air_profile *profile;
    const char *bus_address; /* must stay */
    size_t adapters;         /* 1 to 8: hci0, hci1... */
    /* As main.conf's Cache: true keeps services between connections ("always"), false
     * forgets them ("no"). */
    bool cache;
    uint32_t temporary_ms; /* a device not used for so long vanishes; 0: 30 s */
};

/* Adapters, switched on, but no daemon yet. */
sim_bluez_t *sim_bluez_new(const struct sim_bluez_config *config);
void sim_bluez_free(sim_bluez_t *bluez);

/* The daemon comes (connects to the bus, owns org.bluez) and goes (links end, nothing is
 * remembered). start: 0 or a negative errno. */
int sim_bluez_start(sim_bluez_t *bluez);
void sim_bluez_stop(sim_bluez_t *bluez);
/* The same as by SIGKILL: not a word of it. */
void sim_bluez_kill(sim_bluez_t *bluez);

/* Are all adapters on? Not yet right after new and power. */
bool sim_bluez_powered(const sim_bluez_t *bluez);
/* All adapters on or off, as by a switch on the computer. */
void sim_bluez_power(sim_bluez_t *bluez, bool on);

/* For tests of clients. The next `count` calls of methods of this name are answered with
 * the error ("org.bluez.Error.InProgress"), or with SIM_BLUEZ_SILENCE not at all; until
 * the daemon restarts. False: the names are too long, or there are too many. */
#define SIM_BLUEZ_SILENCE "silence"
bool sim_bluez_refuse(sim_bluez_t *bluez, const char *method, const char *error,
                      unsigned count);
/* The next discovery hears nothing until it is ended. So it is with Linux where a
 * device's report comes before the kernel is ready for it: the controller filters
 * duplicates, and tells the next ones to nobody. */
void sim_bluez_deafen(sim_bluez_t *bluez);
/* No signal tells that the next connection's Connected is true. So it is with bluetoothd
 * where its ATT socket is connected before the kernel's management tells of the link. */
void sim_bluez_hush(sim_bluez_t *bluez);
/* Adapters vanish from the bus with all they know, or come back, as USB adapters do. */
void sim_bluez_plug(sim_bluez_t *bluez, bool in);

#endif
