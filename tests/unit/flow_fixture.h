/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A flow over a transport and a device that are played, under a clock of its own. */
#ifndef TESTS_FLOW_FIXTURE_H
#define TESTS_FLOW_FIXTURE_H

#include "client/src/flow.h"

/* The image's version, as tests/unit/image_maker.h makes it. */
#define NEW_VERSION "1.2.3"
#define OLD_VERSION "1.0.0"

/* What goes wrong at a call of the transport's ops. */
enum fault {
    FAULT_NONE,
    FAULT_REFUSED,  /* the op returns an error */
    FAULT_SILENT,   /* it begins, and nothing more is heard of it */
    FAULT_ANSWERED, /* it ends with an error: of ATT, or no connection */
    FAULT_LINK,     /* the link ends instead; without a link, like SILENT */
    FAULT_GONE,     /* the daemon goes: FAILED */
    FAULT_CANCEL,   /* the user cancels */
    FAULT_COUNT,
};

enum played_op {
    OP_SCAN,
    OP_STOP,
    OP_CONNECT,
    OP_DISCONNECT,
    OP_READ,
    OP_WRITE,
    OP_SUBSCRIBE
};

#define OPS_MAX    4096u
#define EVENTS_MAX 16u

struct played_event {
    struct updraft_transport_event event;
    uint8_t bytes[64];
};

/* What the device does after DONE_ACK. */
enum comeback {
    COMEBACK_NEW,    /* runs the image */
    COMEBACK_OLD,    /* rolled back */
    COMEBACK_OTHER,  /* some third version */
    COMEBACK_NEVER,  /* silent */
    COMEBACK_BROKEN, /* advertises, but no connection comes about */
    COMEBACK_DROPS,  /* runs the image, and drops every link half a second after it */
};

struct played {
    /* To be set by a test, after play_begin. */
    bool present;           /* it advertises */
    bool second;            /* another device with the service and name is in range */
    bool without_service;   /* its table lacks Control and Data */
    bool without_version;   /* its Device Information lacks the firmware revision */
    bool by_command;        /* write commands only */
    unsigned connects_fail; /* so many connects come to nothing */
    unsigned refusals;      /* so many REQUESTs are answered REQUEST_NAK */
    bool not_verified;      /* DONE is answered DONE_NAK */
    bool ends_slowly;       /* a link that was let go takes 4 s to end */
    bool lose_verdict;      /* it takes the image, but the link ends before it says so */
    enum comeback comeback;
    const char *name; /* as advertised; "kitchen" */

    enum fault fault;
    unsigned fault_at; /* which op, counted from 0 */
    bool fault_stays;  /* and all after it */

    /* What came of it. */
    enum played_op ops[OPS_MAX];
    unsigned op_count;
    bool scanning, connecting, linked;
    bool disconnecting;
    uint32_t end_at_ms;  /* with `disconnecting` */
    bool gone;           /* the daemon */
    uint32_t drop_at_ms; /* COMEBACK_DROPS; with `dropping` */
    bool dropping;
    bool restarted;          /* it took an image */
    uint8_t received[65536]; /* the image's bytes */
    uint32_t received_bytes;
    uint16_t packet_size;
    unsigned requests; /* REQUEST, how many times */
    struct played_event queue[EVENTS_MAX];
    unsigned queue_first, queue_count;

    unsigned reports[UPDRAFT_EVENT_FINISHED + 1]; /* by kind */
    unsigned phases[UPDRAFT_PHASE_ENDING + 1];
    struct updraft_event finished; /* without its texts */
    char firmware_before[UPDRAFT_FLOW_TEXT_SIZE];
    char firmware_after[UPDRAFT_FLOW_TEXT_SIZE];
    int retry_status; /* of the last RETRY */

    struct updraft_flow flow;
    uint32_t now_ms;
    uint32_t started_ms;
    uint8_t image[32768];
    uint32_t image_size_bytes;
};

extern struct played played;
extern const struct updraft_address played_address;

/* Everything anew: a device in range that runs OLD_VERSION and takes updates. */
void play_begin(void);

/* Makes and starts the flow; config's transport, report and image are filled in. */
void play_start(const struct updraft_flow_config *config);

/* One step: delivers an event, or lets time pass to the next deadline. Fails the test
 * when the flow is busy and waits for nothing. */
void play_step(void);

/* Until FINISHED; then checks that nothing was left open. Returns the status. */
int play_to_end(void);

/* Until this phase was reported, or FINISHED; false in the latter case. */
bool play_to_phase(enum updraft_phase phase);

/* play_start and play_to_end of an update with default limits. */
int play_update(void);

/* How long it took so far. */
uint32_t play_elapsed_ms(void);

#endif
