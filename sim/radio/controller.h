/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Virtual Bluetooth LE controllers in one air: HCI above, link-layer events below. */
#ifndef SIM_CONTROLLER_H
#define SIM_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/loop.h"

/* A controller speaks HCI (Core Specification, Vol 4, Part E) in H4 packets (Part A: one
 * byte of packet type, then the packet), so that a host cannot tell it from another
 * controller. Boards and centrals alike have one. */
typedef struct sim_air sim_air_t;
typedef struct sim_controller sim_controller_t;

/* How links behave. One profile for the whole air; what a link negotiates (interval, PHY,
 * data length) bounds it further. */
struct sim_air_profile {
    const char *name;
    /* No radio time at all: what is sent arrives at once, no connection events are
     * counted. */
    bool instant;
    uint16_t
        interval_125us_units; /* what centrals of this air ask for: interval * 1.25 ms */
    bool phy_2m;              /* centrals ask for and accept 2M */
    bool data_length;         /* centrals support data length extension (251) */
    uint16_t mtu;             /* what centrals ask for, 23 to 517 */
    bool keeps_parameters;    /* centrals refuse a board's wish for another interval */
    bool encrypted;           /* every PDU with a payload carries 4 more bytes, its MIC */
    uint16_t
        packets_per_event_max; /* data PDUs a central sends in one event; 0: no limit */
    double loss;               /* probability that a PDU is lost, each way, 0 to 1 */
    uint32_t guard_us;         /* unusable time at the end of each event */
    uint32_t central_host_us;  /* least time between frames of a central's host */
    uint32_t board_host_us; /* from the end of a data PDU until a board's host has it */
    uint32_t supervision_timeout_ms;
};

/* "ideal", "typical" (50 ms, 1M, MTU 517: BlueZ on a laptop), "worst" (lossy, long
 * interval, MTU 23), and the encrypted links that protocols are compared on: "iphone-30",
 * "iphone-15", "android-11", "android-15", "bluez-50", "bluez-7", "web-30" and "c3-7",
 * named by central and interval. NULL when there is no profile of that name. */
const struct sim_air_profile *sim_air_profile(const char *name);

struct sim_controller_config {
    uint8_t address[6]; /* most significant byte first, as printed; public */
    bool phy_2m;        /* the chip has 2M */
    bool data_length;
    uint8_t rx_pdus; /* data PDUs held when the host does not take them; then the link
                      * layer stops acknowledging. 0: 8 */
    uint8_t connections_max; /* 0: 3 */
    uint32_t host_us;        /* from the end of a data PDU until the host has it */
};

/* The host above a controller. */
struct sim_host_ops {
    /* A packet for the host: an event or ACL data, with its H4 type byte. Returns false
     * when the host cannot take it now (its processor stands still, its queue is full):
     * it is then kept, and offered again after sim_controller_kick. The bytes are valid
     * during the call. */
    bool (*packet)(void *context, const uint8_t *packet, size_t size);
};

sim_air_t *sim_air_new(sim_arena_t *arena, sim_loop_t *loop,
                       const struct sim_air_profile *profile, uint64_t seed);

sim_controller_t *sim_controller_new(sim_air_t *air,
                                     const struct sim_controller_config *config,
                                     const struct sim_host_ops *ops, void *context);

/* A packet from the host: a command or ACL data, with its H4 type byte. Malformed or
 * unknown commands are answered as the specification says. */
void sim_controller_send(sim_controller_t *controller, const uint8_t *packet,
                         size_t size);

/* The host can take packets again. */
void sim_controller_kick(sim_controller_t *controller);

/* The chip's processor stands still, and this controller's own code with it (true): it
 * neither sends nor listens, as if shielded, but keeps the time of its links. For chips
 * whose controller runs from flash; others only have a host that takes nothing. */
void sim_controller_stall(sim_controller_t *controller, bool stalled);

/* The controller loses power (its peers notice only by supervision timeout) or gets it
 * back, as after HCI Reset. */
void sim_controller_power(sim_controller_t *controller, bool on);

/* Faults from outside: every link of this controller is out of range from now on (peers
 * notice by supervision timeout), or back in range. */
void sim_controller_shield(sim_controller_t *controller, bool shielded);
/* How the next `count` attempts of others to connect to this controller end; 0: as usual
 * again. */
enum sim_refusal {
    SIM_REFUSAL_LOST, /* CONNECT_IND is lost: the central's end is gone six events later
                       */
    SIM_REFUSAL_REJECTED, /* the central's controller has no resources for it */
    SIM_REFUSAL_DROPPED,  /* out of range for good with the central's first data */
    SIM_REFUSAL_IGNORED,  /* not seen: attempts neither end nor count */
};
void sim_controller_refuse(sim_controller_t *controller, enum sim_refusal how,
                           unsigned count);
/* The longest supervision timeout of its links, as agreed by now; 0: it has none. */
uint32_t sim_controller_supervision_ms(const sim_controller_t *controller);

/* The air's ledger, over all links since the air was made. */
struct sim_air_ledger {
    uint64_t connection_events;
    uint64_t data_pdus;  /* with a payload, delivered */
    uint64_t data_bytes; /* their payload */
    uint64_t lost_pdus;
    uint64_t air_time_us; /* spent on PDUs and the spaces between them */
    uint64_t links;       /* begun */
};
void sim_air_ledger(const sim_air_t *air, struct sim_air_ledger *ret_ledger);

#endif
