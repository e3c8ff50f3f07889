/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The inside of air, controllers and links; for the files of sim/radio alone. */
#ifndef SIM_RADIO_H
#define SIM_RADIO_H

#include "sim/base/arena.h"
#include "sim/base/loop.h"
#include "sim/base/random.h"
#include "sim/radio/controller.h"
#include "sim/radio/hci.h"

/* Core Specification 5.3, Vol 6, Part B. */
#define LL_SPACE_US        150
#define LL_DATA_OCTETS_MIN 27
#define LL_DATA_OCTETS_MAX 251
#define LL_DATA_TIME_MIN   328
#define LL_DATA_TIME_MAX   17040
#define LL_MIC             4
#define LL_CONTROL_MAX     27 /* bytes of a control PDU, opcode included */
#define LL_INSTANT_EVENTS  6  /* between an announced change and its instant */
#define LL_ESTABLISH       6  /* events without a PDU before a link counts as failed */

#define CONTROLLER_EVENTS_MAX                                                           \
    64                            /* for the host; then the controller reports an error \
                                   */
#define CONTROLLER_TX_PACKETS  12 /* ACL packets it takes from its host */
#define CONTROLLER_LINKS_MAX   16
#define CONTROLLER_SEEN_MAX    64 /* addresses that duplicate filtering remembers */
#define CONTROL_QUEUE_MAX      8
#define CONTROLLER_COMPANY     0xFFFF /* "for use in internal tests" */
#define CONTROLLER_RX_PDUS     8
#define CONTROLLER_CONNECTIONS 3

enum llid {
    LLID_CONTINUATION = 1, /* with no payload: an empty PDU */
    LLID_START = 2,
    LLID_CONTROL = 3,
};

/* A packet from or for a host, with its H4 byte. */
struct packet {
    struct packet *next;
    uint64_t ready_us; /* when the host can have it */
    uint16_t size;
    uint8_t bytes[HCI_EVENT_SIZE_MAX];
};

struct packet_queue {
    struct packet *first;
    struct packet *last;
};

struct pdu {
    uint8_t llid;
    uint8_t sn;
    uint8_t nesn;
    bool more_data;
    uint16_t size;
    uint8_t payload[LL_DATA_OCTETS_MAX];
};

struct control_pdu {
    uint8_t size;
    uint8_t bytes[LL_CONTROL_MAX];
};

/* Connection parameters, in HCI's units. */
struct connection_parameters {
    uint16_t interval;
    uint16_t latency;
    uint16_t timeout;
};

struct link;

/* One end of a link. */
struct side {
    struct link *link;
    sim_controller_t *controller; /* NULL: this end is gone, and silent */
    uint16_t handle;
    bool central;
    /* Sending: pdu is repeated until it is acknowledged. */
    bool pdu_pending;
    struct pdu pdu;
    uint8_t sn;
    uint8_t nesn;
    struct packet_queue tx;
    uint16_t tx_offset; /* of the first packet, what went into PDUs */
    struct control_pdu control[CONTROL_QUEUE_MAX];
    uint8_t control_first;
    uint8_t control_count;
    /* Data length: what this end wishes to send, and what both agreed on. */
    uint16_t octets_wanted;
    uint16_t time_wanted;
    uint16_t tx_octets;
    uint16_t tx_time;
    uint16_t rx_octets;
    uint16_t rx_time;
    /* Supervision. */
    uint64_t heard_us;
    bool heard;
    /* Procedures. */
    uint8_t leave_reason; /* told by LL_TERMINATE_IND; leaves once that is acknowledged */
    uint8_t ending_reason;   /* asked for by this end's host; 0: not */
    bool parameters_asked;   /* this end's host waits for a connection update */
    bool parameters_offered; /* this end's host was asked and has not answered */
    bool phy_asked;
    bool length_sent;
    uint8_t phys; /* what this end's host asked for, a mask; 0: nothing yet */
    bool features_asked;
    bool version_sent;
    bool version_asked;
    bool version_known;
    uint8_t peer_version[5];
};

enum link_phase {
    LINK_CENTRAL_START,
    LINK_CENTRAL_END,
    LINK_PERIPHERAL_START,
    LINK_PERIPHERAL_END,
};

/* What is announced for a later connection event. */
struct change {
    bool pending;
    bool received; /* by the peripheral */
    uint16_t instant;
};

struct link {
    sim_air_t *air;
    struct link *next;
    sim_event_t event;       /* connection events; in the instant air: moves PDUs */
    sim_event_t supervision; /* in the instant air only */
    enum link_phase phase;
    struct side central;
    struct side peripheral;
    sim_random_t random;
    struct connection_parameters parameters;
    struct connection_parameters parameters_next;
    struct change parameters_change;
    bool unheard; /* CONNECT_IND was lost */
    bool drops;   /* with the central's first data */
    uint8_t phy;
    uint8_t phy_next;
    struct change phy_change;
    uint16_t counter; /* of connection events */
    uint64_t anchor_us;
    uint64_t end_us;    /* no PDU of this event may reach beyond */
    uint32_t missed;    /* events in a row that other links of a controller displaced */
    uint16_t data_pdus; /* the central's, in this event */
    bool on_air;        /* an event is under way */
    bool central_more;
    struct pdu in_flight;
};

struct sim_air {
    sim_arena_t *arena;
    sim_loop_t *loop;
    struct sim_air_profile profile;
    sim_random_t random;
    uint64_t seed;
    uint64_t links_made;
    sim_controller_t *controllers;
    struct link *links;
    struct link *links_free;
    struct packet *packets_free;
    struct sim_air_ledger ledger;
};

struct advertiser {
    bool enabled;
    uint8_t type;
    uint8_t own_address_type;
    uint8_t peer_address_type;
    uint8_t peer_address[6];
    uint16_t interval; /* 0.625 ms */
    uint8_t data_size;
    uint8_t data[31];
    uint8_t response_size;
    uint8_t response[31];
    sim_event_t event;
    uint64_t until_us; /* high duty directed advertising ends; 0: never */
};

struct seen {
    uint8_t address[7];
    uint8_t type;
};

struct scanner {
    bool enabled;
    bool active;
    bool filter_duplicates;
    uint16_t interval;
    uint16_t window;
    uint8_t seen_count;
    struct seen seen[CONTROLLER_SEEN_MAX];
};

struct initiator {
    bool enabled;
    uint8_t peer_address_type;
    uint8_t peer_address[6];
    uint8_t own_address_type;
    struct connection_parameters parameters;
};

struct sim_controller {
    sim_air_t *air;
    sim_controller_t *next;
    struct sim_controller_config config;
    const struct sim_host_ops *ops;
    void *context;
    bool powered;
    bool shielded;
    bool stalled;
    enum sim_refusal refusal;
    unsigned refusals;         /* still to come */
    uint8_t public_address[6]; /* least significant byte first, as on air */
    uint8_t random_address[6];
    uint64_t event_mask;
    uint64_t le_event_mask;
    uint16_t default_octets;
    uint16_t default_time;
    uint8_t default_phys; /* a mask; 0: any */
    /* To the host. */
    struct packet_queue to_host;
    unsigned events_held;
    unsigned rx_held; /* ACL packets among them */
    bool overflowed;
    bool refused;
    sim_event_t deliver;
    uint32_t resets;
    uint8_t scratch[HCI_EVENT_SIZE_MAX];
    const struct link *on_air; /* whose event the radio is in */
    unsigned tx_held;          /* ACL packets of the host not yet acknowledged */
    struct advertiser advertiser;
    struct scanner scanner;
    struct initiator initiator;
    bool cancelled;           /* tells so once the command's answer is out */
    struct side *version_for; /* the same */
    struct side *sides[CONTROLLER_LINKS_MAX]; /* by handle - 1 */
};

/* Names of this part alone: no program above sees them. */
#pragma GCC visibility push(hidden)

/* controller.c */
struct packet *packet_new(sim_air_t *air);
void packet_free(sim_air_t *air, struct packet *packet);
void packet_push(struct packet_queue *queue, struct packet *packet);
struct packet *packet_pop(struct packet_queue *queue);
/* Parameters of a new event for the host: size bytes to fill in. */
uint8_t *controller_event(sim_controller_t *controller, uint8_t code, uint8_t size);
/* The same for an LE event, unless the host masked it; parameters after the subevent. */
uint8_t *controller_le_event(sim_controller_t *controller, uint8_t subevent,
                             uint8_t size);
/* Data that a link received. False: no buffer. */
bool controller_receive(sim_controller_t *controller, uint16_t handle, uint8_t boundary,
                        const uint8_t *bytes, uint16_t size);
void controller_completed(sim_controller_t *controller, uint16_t handle, uint16_t count);
/* On, not shielded, and its code runs. */
bool controller_hears(const sim_controller_t *controller);
unsigned controller_links(const sim_controller_t *controller);
struct side *controller_side(sim_controller_t *controller, uint16_t handle);
void controller_reset(sim_controller_t *controller);

/* commands.c */
void controller_command(sim_controller_t *controller, const uint8_t *packet, size_t size);

/* advertise.c */
void advertiser_start(sim_controller_t *controller);
void advertiser_stop(sim_controller_t *controller);
/* Whoever has this address and refuses that way; counts. */
bool advertiser_rejects(const sim_air_t *air, uint8_t type, const uint8_t *address);
const uint8_t *controller_own_address(const sim_controller_t *controller, uint8_t type);

/* link.c */
__attribute__((visibility("default"))) uint32_t link_air_time_us(uint8_t phy,
                                                                 uint16_t size);
/* The same with what encryption adds on this link. */
__attribute__((visibility("default"))) uint32_t link_pdu_time_us(const struct link *link,
                                                                 uint16_t size);
struct side *side_peer(struct side *side);
/* Both hosts are told, or (heard false: CONNECT_IND was lost) only the central's. */
struct link *link_new(sim_controller_t *central, sim_controller_t *peripheral,
                      bool heard);
void link_wake(struct link *link);
/* This end is gone; its host is told unless reason is 0. */
void side_leave(struct side *side, uint8_t reason);
void link_reachability_changed(struct link *link);
void link_apply_parameters(struct link *link);
void link_apply_phy(struct link *link);

/* pdu.c */
void side_acknowledged(struct side *side);
/* Hands a received PDU on, without looking at its numbers. False: no buffer. */
bool side_take(struct side *side, const struct pdu *pdu);
/* What the side sends next, repeated while it is not acknowledged. */
const struct pdu *side_send(struct side *side, bool only_empty);
/* Payload size of what side_send would give. */
uint16_t side_next_size(const struct side *side);
bool side_has_more(const struct side *side);
/* Returns false when the PDU was data and there was no buffer for it. */
bool side_receive(struct side *side, const struct pdu *pdu);

/* control.c */
void control_send(struct side *side, const uint8_t *bytes, uint8_t size);
void control_receive(struct side *side, const uint8_t *bytes, uint8_t size);
void control_acknowledged(struct side *side, uint8_t opcode);
void control_start_data_length(struct side *side);
void control_ask_parameters(struct side *side, const struct connection_parameters *wish,
                            uint16_t interval_min);
void control_answer_parameters(struct side *side, uint8_t status,
                               const struct connection_parameters *parameters);
void control_ask_phy(struct side *side, uint8_t phys);
void control_ask_features(struct side *side);
void control_ask_version(struct side *side);
void control_terminate(struct side *side, uint8_t reason);

/* commands.c */
uint64_t controller_features(const sim_controller_t *controller);
/* Of the Core Specification: 8 is 4.2, 9 is 5.0. */
uint8_t controller_version(const sim_controller_t *controller);

#pragma GCC visibility pop

#endif
