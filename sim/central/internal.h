/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the files of the central's host share: its state, and who may change it. */
#ifndef SIM_CENTRAL_INTERNAL_H
#define SIM_CENTRAL_INTERNAL_H

#include "sim/central/att.h"
#include "sim/central/central.h"
#include "sim/radio/hci.h"

#define PEERS_MAX           1024u
#define LINKS_MAX           16u
#define SERVICES_MAX        32u
#define CHARACTERISTICS_MAX 96u
#define DESCRIPTORS_MAX     96u
#define WRITES_MAX          64u /* write commands that wait, per link */
#define REQUESTS_MAX        64u /* requests that wait, per link */
#define ANSWERS_MAX         16u /* short frames that go before everything else, per link */
#define HCI_COMMANDS_MAX    64u
#define HCI_COMMAND_SIZE    68u /* of the longest command sent here, with H4 type byte */
#define ACL_SIZE_MAX        1024u

#define ATT_TRANSACTION_US   30000000u /* Core Specification, Vol 3, Part F, 3.3.3 */
#define CREATE_CONNECTION_US 2000000u  /* Linux cancels an attempt after that long */
#define POWER_OFF_US         500000u   /* for links to end by themselves */

struct gatt_table {
    bool valid;
    bool has_hash;
    uint8_t hash[16];
    size_t service_count;
    size_t characteristic_count;
    size_t descriptor_count;
    struct sim_gatt_service services[SERVICES_MAX];
    struct sim_gatt_characteristic characteristics[CHARACTERISTICS_MAX];
    struct sim_gatt_descriptor descriptors[DESCRIPTORS_MAX];
};

/* A frame that answers the peer: an ATT response or confirmation, or signalling. */
struct answer {
    uint16_t channel;
    uint8_t size;
    uint8_t bytes[16];
};

struct write_command {
    uint64_t token;
    bool reported;     /* false for raw bytes: nobody waits for write_done */
    uint8_t att_error; /* not to be sent: reported with this error in its turn */
    uint16_t size;
    uint8_t pdu[ATT_MTU_MAX];
};

enum request_kind {
    REQUEST_READ,
    REQUEST_WRITE,
    REQUEST_WRITE_PREPARED,
};

struct request {
    enum request_kind kind;
    uint64_t token;
    uint16_t handle;
    uint16_t offset;
    uint16_t size;
    uint8_t bytes[ATT_VALUE_MAX];
};

/* What finding the services is doing; in this order, less what a cache saves. */
enum resolve_step {
    RESOLVE_MTU,
    RESOLVE_CACHED_HASH,
    RESOLVE_SERVICES,
    RESOLVE_CHARACTERISTICS,
    RESOLVE_DESCRIPTORS,
    RESOLVE_HASH,
    RESOLVE_CLIENT_FEATURES,
    RESOLVE_SUBSCRIBE,
    RESOLVE_DONE,
};

enum transaction {
    TRANSACTION_NONE,
    TRANSACTION_RESOLVE,
    TRANSACTION_REQUEST, /* the first of the queue of requests */
};

/* What a peer needs while it is connected. Made at its first connection, used again. */
struct link {
    uint16_t handle;
    uint16_t mtu;

    uint8_t input[L2CAP_HEADER_SIZE + ACL_SIZE_MAX];
    size_t input_size;
    size_t input_wanted; /* 0: no frame is open */

    uint8_t output[L2CAP_HEADER_SIZE + ATT_MTU_MAX];
    size_t output_size; /* 0: no frame under way */
    size_t output_sent;
    bool output_reported;
    uint64_t output_token;
    uint32_t unacknowledged; /* ACL packets that the controller holds */

    struct answer answers[ANSWERS_MAX];
    size_t answer_first, answer_count;
    struct write_command writes[WRITES_MAX];
    size_t write_first, write_count;
    struct request requests[REQUESTS_MAX];
    size_t request_first, request_count;

    enum transaction transaction;
    uint8_t transaction_opcode;
    sim_event_t transaction_timer;
    uint8_t value[ATT_VALUE_MAX]; /* of the read under way */
    size_t value_size;
    size_t prepared; /* bytes of the prepared write under way that are out */
    uint8_t prepared_error;

    enum resolve_step step;
    bool resolve_again; /* services changed while they were being found */
    uint16_t resolve_handle;
    size_t resolve_index;
};

enum peer_state {
    PEER_IDLE,
    PEER_WAITING,  /* to be heard */
    PEER_CREATING, /* the controller connects */
    PEER_CONNECTED,
    PEER_DISCONNECTING,
};

struct sim_peer {
    sim_central_t *central;
    sim_peer_t *next;
    uint8_t address[6]; /* as printed */
    bool is_random;
    void *context;

    enum peer_state state;
    sim_event_t timer; /* end of PEER_WAITING and PEER_CREATING as a whole */
    uint64_t deadline_us;
    uint8_t give_up_status; /* what connected says when the timer fires */
    bool abandoned;         /* PEER_CREATING: end it as soon as it is there */
    bool silent;            /* PEER_DISCONNECTING: connected was never reported */
    bool reconnect;         /* PEER_DISCONNECTING: wait for it again afterwards */
    uint32_t reconnect_ms;

    struct link *link; /* NULL before the first connection */
    struct gatt_table *table;
};

enum power_state {
    POWER_OFF,
    POWER_STARTING,
    POWER_ON,
    POWER_STOPPING,
};

struct queued_command {
    uint8_t size;
    uint8_t packet[HCI_COMMAND_SIZE];
};

struct sim_central {
    struct sim_central_config config;
    struct sim_central_ops ops;
    void *context;
    sim_loop_t *loop;
    sim_controller_t *controller;
    sim_event_t pump;
    sim_event_t pace;
    uint64_t next_frame_us; /* the host is not ready for another one before */

    enum power_state power;
    bool power_wanted;
    sim_event_t power_timer;

    struct queued_command commands[HCI_COMMANDS_MAX];
    size_t command_first, command_count;
    uint8_t command_credits;

    uint16_t acl_size;
    uint32_t acl_free; /* packets that the controller still takes */

    bool scan_wanted;
    bool scanning;      /* as the controller has it */
    bool scan_changing; /* a command about it is on its way */
    sim_peer_t *creating;
    sim_event_t create_timer;

    sim_peer_t *peers;
    sim_peer_t *last_served; /* whose frame went out last */
    size_t peer_count;
};

/* central.c: peers and connections. Everything is sent from the pump, so that no callback
 * comes from within a call of the API. */
void central_pump_soon(sim_central_t *central);
void central_connection_complete(sim_central_t *central, const uint8_t *bytes,
                                 size_t size);
void central_disconnection_complete(sim_central_t *central, uint16_t handle,
                                    uint8_t reason);
void central_advertised(sim_central_t *central, sim_peer_t *peer);
void central_started(sim_central_t *central);
void central_stopped(sim_central_t *central);
void central_update_scan(sim_central_t *central);
void central_hang_up(sim_peer_t *peer, uint8_t reason);
sim_peer_t *central_peer_by_handle(sim_central_t *central, uint16_t handle);

/* hci.c: commands out, events in. */
void hci_command(sim_central_t *central, uint16_t opcode, const uint8_t *parameters,
                 size_t size);
void hci_start(sim_central_t *central);
void hci_scan(sim_central_t *central, bool on);
void hci_create_connection(sim_central_t *central, const sim_peer_t *peer);
void hci_create_connection_cancel(sim_central_t *central);
void hci_disconnect(sim_central_t *central, uint16_t handle, uint8_t reason);
void hci_connection_update(sim_central_t *central, uint16_t handle, uint16_t interval_min,
                           uint16_t interval_max, uint16_t latency, uint16_t timeout);
void hci_reset(sim_central_t *central);
void hci_link_setup(sim_central_t *central, uint16_t handle);
/* Sends the commands that the controller has room for. */
void hci_pump(sim_central_t *central);
bool hci_packet(void *context, const uint8_t *packet, size_t size);

/* l2cap.c: frames, fragments and the order in which they go out. */
void l2cap_link_start(sim_peer_t *peer, uint16_t handle);
void l2cap_input(sim_peer_t *peer, uint8_t boundary, const uint8_t *bytes, size_t size);
void l2cap_answer(sim_peer_t *peer, uint16_t channel, const uint8_t *bytes, size_t size);
void l2cap_pump(sim_central_t *central);

/* att.c: the client's transactions and the server that has no attributes. */
void att_input(sim_peer_t *peer, const uint8_t *bytes, size_t size);
/* The next request, if one may go out now: its PDU and its size, or 0. */
size_t att_next_request(sim_peer_t *peer, uint8_t *ret_pdu);
/* The link is gone: everything queued ends with ABANDONED. */
void att_link_end(sim_peer_t *peer);
void att_abandon(sim_peer_t *peer);

/* resolve.c: MTU, cache, discovery, Service Changed. */
void resolve_start(sim_peer_t *peer);
void resolve_again(sim_peer_t *peer);
/* The PDU of the step under way. Ends with RESOLVE_DONE and size 0. */
size_t resolve_next_request(sim_peer_t *peer, uint8_t *ret_pdu);
/* A response (or error response) to it. */
void resolve_input(sim_peer_t *peer, const uint8_t *bytes, size_t size);
/* An indication came; Service Changed makes it look again. */
void resolve_indication(sim_peer_t *peer, uint16_t handle);

#endif
