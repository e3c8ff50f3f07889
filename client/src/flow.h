/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A whole job of the client as a state machine: find, connect, update, see it running.
 */
#ifndef UPDRAFT_CLIENT_FLOW_H
#define UPDRAFT_CLIENT_FLOW_H

#include "client/src/parcel.h"
#include "client/src/transport.h"
#include "updraft/client.h"
#include "updraft/client_command2.h"
#include "updraft/client_session.h"
#include "updraft/client_session2.h"

/* How it is used, by one thread and nobody else:
 *
 *     updraft_flow_init(flow, &config)                      checks, starts nothing
 *     updraft_flow_start(flow, now_ms)
 *     while (updraft_flow_busy(flow))
 *         wait for an event of the transport, or for updraft_flow_deadline
 *         updraft_flow_event(flow, &event, now_ms) or updraft_flow_tick(flow, now_ms)
 *
 * The flow calls the transport's ops and config.report from within these functions;
 * neither may call the flow back. It allocates nothing, asks no clock and does no I/O.
 * Times are milliseconds of any clock that does not jump; they wrap at 2^32. */

enum updraft_flow_verb {
    UPDRAFT_FLOW_SCAN,
    UPDRAFT_FLOW_INFO,
    UPDRAFT_FLOW_UPDATE,
    /* Protocol 2 alone: */
    UPDRAFT_FLOW_ACTIVATE,
    UPDRAFT_FLOW_CONFIRM,
    UPDRAFT_FLOW_ROLLBACK,
};

/* Copied by updraft_flow_init; what pointers point to must stay until the flow is
 * finished. 0 means the default where one is named. */
struct updraft_flow_config {
    enum updraft_flow_verb verb;
    const struct updraft_transport_ops *ops;
    void *transport; /* handed to ops */
    updraft_report_t report;
    void *context; /* handed to report */

    /* The device: by address (is_random is not compared), else by name, else the only
     * one that advertises the update service. */
    bool by_address;
    struct updraft_address address;
    const char *name; /* NULL: not by name */

    /* UPDATE, and ACTIVATE of a certain image (else NULL): the image. unchecked: send it
     * whatever it is; the device has to judge it (tests of devices). Otherwise its
     * structure and checksum are verified; the hash is the caller's business, who can
     * compute one. */
    const uint8_t *image;
    uint32_t image_size_bytes;
    bool unchecked;
    /* UPDATE: what protocol 2 needs beside the image; NULL: protocol 1 alone. */
    const struct updraft_parcel *parcel;
    bool force;           /* update although the device runs the image */
    bool fresh;           /* send all of it, whatever the device has already */
    bool stage;           /* do not activate it; protocol 2 alone */
    bool factory;         /* ROLLBACK: to factory, not to the previous image */
    uint8_t protocol_max; /* 1: protocol 1 even where the device has better; 2 */
    uint32_t nonce;       /* another one for each job */

    uint32_t find_limit_ms;    /* SCAN: how long; else until the device is heard; 10000 */
    uint32_t settle_ms;        /* not by address: how long a second device that fits is
                                * waited for; 1500 */
    uint32_t connect_limit_ms; /* one attempt, services included; 20000 */
    uint32_t read_limit_ms;    /* one read: the ATT transaction timeout; 30000 */
    uint32_t close_limit_ms;   /* from asking for the end of the link to its end; 5000 */
    uint32_t pause_ms;         /* between attempts; 500 */
    uint32_t return_limit_ms;  /* from the device's yes to its being back; 60000 */
    uint32_t watch_ms;    /* how long the device that is back must hold the link; 5000 */
    uint32_t poll_ms;     /* protocol 2: between two looks at a trial; 1000 */
    uint8_t attempts_max; /* links tried before the device has the image, or since the
                           * last one on which more of it arrived than before; 3 */
    uint8_t attempts_total_max; /* and in all; 20 */
};

enum updraft_flow_state {
    UPDRAFT_FLOW_IDLE,       /* initialised, not started */
    UPDRAFT_FLOW_FINDING,    /* the transport scans */
    UPDRAFT_FLOW_CONNECTING, /* a connect is under way */
    UPDRAFT_FLOW_READING,    /* Info or Device Information is being read */
    UPDRAFT_FLOW_UPDATING,   /* core's session of protocol 1 drives the link */
    UPDRAFT_FLOW_STREAMING,  /* core's session of protocol 2 does */
    UPDRAFT_FLOW_ORDERING,   /* one command of protocol 2 does */
    UPDRAFT_FLOW_ABORTING,   /* cancelled: the session's ABORT is on its way */
    UPDRAFT_FLOW_LEAVING,    /* the device has the image: it will end the link */
    UPDRAFT_FLOW_WATCHING,   /* it is back and was read; does it stay? */
    UPDRAFT_FLOW_CLOSING,    /* the end of the link was asked for */
    UPDRAFT_FLOW_PAUSING,    /* no link; before another attempt */
    UPDRAFT_FLOW_FINISHED,
    UPDRAFT_FLOW_STATE_COUNT,
};

#define UPDRAFT_FLOW_TEXT_SIZE 64u
/* Devices that were connected to in vain, because another one was meant. */
#define UPDRAFT_FLOW_OTHERS_MAX 8u

/* A flow's state: caller-allocated, without pointers into itself, so it may be copied
 * while no call is under way. All fields are private. */
struct updraft_flow {
    struct updraft_flow_config config;
    struct updraft_client session;
    struct updraft_client2 session2;
    struct updraft_command2 order;
    enum updraft_flow_state state;
    enum updraft_phase phase; /* as last reported */
    enum updraft_outcome outcome;
    bool deadline_set; /* of the state */
    uint32_t deadline_ms;
    uint32_t return_deadline_ms; /* counts while `returning` */
    bool candidate;              /* a device that fits was heard */
    bool several;                /* and another one */
    bool chosen;      /* address is the device; from now on only this one is looked for */
    bool known;       /* firmware_before was read */
    bool watched;     /* it held the link for watch_ms; it is being read once more */
    bool returning;   /* the device has the image, as far as we know */
    int verdict_lost; /* an error: the link ended between DONE or ACTIVATE and its answer;
                       * or 0 */
    bool then_finish; /* CLOSING, what follows: finish with status, else another try */
    int status;       /* of the end, or of the last failed attempt */
    uint8_t attempts; /* links that failed so far, since there was progress */
    uint8_t attempts_total;
    bool link_failed_before; /* so that "busy" may be a ghost of our own link */
    uint32_t pause_ms;       /* of the state PAUSING to come; 0: the configured one */
    struct updraft_address link_address; /* of the connection */
    enum updraft_characteristic reading;
    uint16_t mtu;
    uint32_t progress_bytes; /* as last reported */
    uint8_t properties[UPDRAFT_CHARACTERISTIC_COUNT];
    struct updraft_address address;
    /* While one certain device is looked for: another that may be it, by a new address.
     */
    bool alternative;
    struct updraft_address alternative_address;
    uint8_t other_count; /* no alternatives: they were connected to, and are others */
    struct updraft_address others[UPDRAFT_FLOW_OTHERS_MAX];

    /* Protocol 2. */
    bool native;        /* the device on this link speaks it, and info is what it said */
    bool info_known;    /* info was read, on whatever link */
    uint8_t info_reads; /* in a row that came torn */
    struct updraft_info info;
    bool device_known; /* device_id is the device's */
    uint8_t device_id[6];
    uint8_t wanted_id[UPDRAFT_IMAGE_HASH_SIZE]; /* of the image that is to run */
    uint8_t wanted_size;                        /* bytes of it that are known */
    bool before_known; /* what ran before the device was made to run something else: */
    uint8_t before_slot;
    uint8_t before_id[UPDRAFT_IMAGE_HASH_SIZE];
    bool before_rolled_back; /* and Info told a rollback of the wanted image already */
    uint8_t order_opcode;
    bool activated_again; /* the first activation was lost */
    bool watch_set;       /* watch_deadline_ms counts */
    uint32_t watch_deadline_ms;
    uint8_t old_seen;    /* looks that found the old firmware, still or again */
    bool kept_known;     /* kept_bytes is that of this session */
    uint32_t kept_bytes; /* of the image, what this session found already there */
    bool first_kept_known;
    uint32_t first_kept_bytes; /* the same of the job's first session */
    uint32_t best_bytes;       /* how far any session came */
    bool progressed;           /* further than before, since the last failed link */
    uint32_t sent_bytes;       /* of the image, by sessions that have ended */
    uint32_t resent_bytes;     /* likewise, what would not have been needed */
    uint8_t session_number;    /* as STATE told it */
    uint32_t status_detail;
    char name[UPDRAFT_FLOW_TEXT_SIZE];
    char version[UPDRAFT_FLOW_TEXT_SIZE]; /* the image's; "": unknown */
    char firmware_before[UPDRAFT_FLOW_TEXT_SIZE];
    char firmware[UPDRAFT_FLOW_TEXT_SIZE]; /* as last read */
    char model[UPDRAFT_FLOW_TEXT_SIZE];
    char manufacturer[UPDRAFT_FLOW_TEXT_SIZE];
    uint8_t packet[UPDRAFT_VALUE_MAX];
};

/* Returns 0, ARGUMENT, or what is wrong with the image (IMAGE_*). */
int updraft_flow_init(struct updraft_flow *flow,
                      const struct updraft_flow_config *config);

void updraft_flow_start(struct updraft_flow *flow, uint32_t now_ms);
void updraft_flow_event(struct updraft_flow *flow,
                        const struct updraft_transport_event *event, uint32_t now_ms);
void updraft_flow_tick(struct updraft_flow *flow, uint32_t now_ms);

/* Ends the job with CANCELLED, after the link has ended; a session of protocol 2 is told
 * before, if that takes no wait. */
void updraft_flow_cancel(struct updraft_flow *flow, uint32_t now_ms);

/* When updraft_flow_tick is due; false when nothing waits for time. */
bool updraft_flow_deadline(const struct updraft_flow *flow, uint32_t *ret_deadline_ms);

/* True from start until FINISHED was reported. */
bool updraft_flow_busy(const struct updraft_flow *flow);

/* After FINISHED, what it reported. */
int updraft_flow_status(const struct updraft_flow *flow);
enum updraft_outcome updraft_flow_outcome(const struct updraft_flow *flow);

#endif
