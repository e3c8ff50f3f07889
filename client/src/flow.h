/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A whole job of the client as a state machine: find, connect, update, see it running.
 */
#ifndef UPDRAFT_CLIENT_FLOW_H
#define UPDRAFT_CLIENT_FLOW_H

#include "client/src/transport.h"
#include "updraft/client.h"
#include "updraft/client_session.h"

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

enum updraft_flow_verb { UPDRAFT_FLOW_SCAN, UPDRAFT_FLOW_INFO, UPDRAFT_FLOW_UPDATE };

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

    /* UPDATE: the image. unchecked: send it whatever it is; the device has to judge it
     * (tests of devices). Otherwise its structure and checksum are verified; the hash is
     * the caller's business, who can compute one. */
    const uint8_t *image;
    uint32_t image_size_bytes;
    bool unchecked;
    bool force; /* update although the device runs the image's version */

    uint32_t find_limit_ms;    /* SCAN: how long; else until the device is heard; 10000 */
    uint32_t settle_ms;        /* not by address: how long a second device that fits is
                                * waited for; 1500 */
    uint32_t connect_limit_ms; /* one attempt, services included; 20000 */
    uint32_t read_limit_ms;    /* one read: the ATT transaction timeout; 30000 */
    uint32_t close_limit_ms;   /* from asking for the end of the link to its end; 5000 */
    uint32_t pause_ms;         /* between attempts; 500 */
    uint32_t return_limit_ms;  /* from the device's yes to its being back; 60000 */
    uint32_t watch_ms;    /* how long the device that is back must hold the link; 5000 */
    uint8_t attempts_max; /* links tried before the device has the image; 3 */
};

enum updraft_flow_state {
    UPDRAFT_FLOW_IDLE,       /* initialised, not started */
    UPDRAFT_FLOW_FINDING,    /* the transport scans */
    UPDRAFT_FLOW_CONNECTING, /* a connect is under way */
    UPDRAFT_FLOW_READING,    /* Device Information is being read */
    UPDRAFT_FLOW_UPDATING,   /* the session of core/ drives the link */
    UPDRAFT_FLOW_LEAVING,    /* the device has the image: it will end the link */
    UPDRAFT_FLOW_WATCHING,   /* it is back and was read; does it hold the link? */
    UPDRAFT_FLOW_CLOSING,    /* the end of the link was asked for */
    UPDRAFT_FLOW_PAUSING,    /* no link; before another attempt */
    UPDRAFT_FLOW_FINISHED,
    UPDRAFT_FLOW_STATE_COUNT,
};

#define UPDRAFT_FLOW_TEXT_SIZE 64u

/* A flow's state: caller-allocated, without pointers into itself, so it may be copied
 * while no call is under way. All fields are private. */
struct updraft_flow {
    struct updraft_flow_config config;
    struct updraft_client session;
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
    int verdict_lost; /* an error: the link ended between DONE and its answer; or 0 */
    bool then_finish; /* CLOSING, what follows: finish with status, else another try */
    int status;       /* of the end, or of the last failed attempt */
    uint8_t attempts; /* links that failed so far */
    enum updraft_characteristic reading;
    uint16_t mtu;
    uint32_t progress_bytes; /* as last reported */
    uint8_t properties[UPDRAFT_CHARACTERISTIC_COUNT];
    struct updraft_address address;
    char name[UPDRAFT_FLOW_TEXT_SIZE];
    char version[UPDRAFT_FLOW_TEXT_SIZE]; /* the image's; "": unknown */
    char firmware_before[UPDRAFT_FLOW_TEXT_SIZE];
    char firmware[UPDRAFT_FLOW_TEXT_SIZE]; /* as last read */
    char model[UPDRAFT_FLOW_TEXT_SIZE];
    char manufacturer[UPDRAFT_FLOW_TEXT_SIZE];
    uint8_t packet[UPDRAFT_P1_PACKET_SIZE_MAX];
};

/* Returns 0, ARGUMENT, or what is wrong with the image (IMAGE_*). */
int updraft_flow_init(struct updraft_flow *flow,
                      const struct updraft_flow_config *config);

void updraft_flow_start(struct updraft_flow *flow, uint32_t now_ms);
void updraft_flow_event(struct updraft_flow *flow,
                        const struct updraft_transport_event *event, uint32_t now_ms);
void updraft_flow_tick(struct updraft_flow *flow, uint32_t now_ms);

/* Ends the job with CANCELLED, after the link has ended. */
void updraft_flow_cancel(struct updraft_flow *flow, uint32_t now_ms);

/* When updraft_flow_tick is due; false when nothing waits for time. */
bool updraft_flow_deadline(const struct updraft_flow *flow, uint32_t *ret_deadline_ms);

/* True from start until FINISHED was reported. */
bool updraft_flow_busy(const struct updraft_flow *flow);

/* After FINISHED, what it reported. */
int updraft_flow_status(const struct updraft_flow *flow);
enum updraft_outcome updraft_flow_outcome(const struct updraft_flow *flow);

#endif
