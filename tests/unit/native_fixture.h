/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A flow over a played transport, before a played device that speaks protocol 2. */
#ifndef TESTS_NATIVE_FIXTURE_H
#define TESTS_NATIVE_FIXTURE_H

#include "client/src/flow.h"

#define NATIVE_OLD_VERSION "1.0.0"
#define NATIVE_NEW_SLOT    2u
#define NATIVE_IMAGE_MAX   (64u * 1024u)
#define NATIVE_WINDOW      8u /* chunks */
#define NATIVE_CHUNK       242u
#define NATIVE_EVENTS_MAX  64u
#define NATIVE_OPS_MAX     8192u

enum native_op {
    NATIVE_SCAN,
    NATIVE_STOP,
    NATIVE_CONNECT,
    NATIVE_DISCONNECT,
    NATIVE_READ,
    NATIVE_REQUEST, /* a write request */
    NATIVE_COMMAND, /* a write command */
    NATIVE_SUBSCRIBE,
};

/* What goes wrong at one op. */
enum native_fault {
    NATIVE_FAULT_NONE,
    NATIVE_FAULT_REFUSED,  /* the op returns an error */
    NATIVE_FAULT_SILENT,   /* it begins, and nothing more is heard of it */
    NATIVE_FAULT_ANSWERED, /* it ends with an error */
    NATIVE_FAULT_LINK,     /* the link ends instead */
    NATIVE_FAULT_GONE,     /* the daemon goes */
    NATIVE_FAULT_CANCEL,   /* the user cancels */
    NATIVE_FAULT_COUNT,
};

/* What becomes of an activated image. */
enum native_fate {
    NATIVE_CONFIRMS,   /* runs on trial until it is confirmed */
    NATIVE_ROLLS_BACK, /* the old firmware is back, with reason and detail */
    NATIVE_RESETS,     /* runs, and is reset and rolled back as soon as it is confirmed */
    NATIVE_LOST,       /* selected, but never ran; the next activation is good */
    NATIVE_ALWAYS_LOST, /* the next one, too */
    NATIVE_VANISHES,
    NATIVE_MOVES,   /* runs under another address */
    NATIVE_LINGERS, /* takes a while to restart: it can be connected to meanwhile */
    NATIVE_UNMONITORED,
    NATIVE_STAYS_ON_TRIAL, /* takes CONFIRM, and is never confirmed */
};

struct native_event {
    struct updraft_transport_event event;
    uint8_t bytes[UPDRAFT_VALUE_MAX];
};

struct native {
    /* To be set by a test, after native_begin. */
    struct updraft_info info; /* as the device tells it now */
    enum native_fate fate;
    uint8_t fate_reason, fate_detail;
    uint16_t trial_s;      /* what a trial has left when the device is back */
    bool same_in_both;     /* the old slot holds the new image */
    unsigned torn_reads;   /* so many reads of Info come torn */
    bool silent_info;      /* Info says that it speaks protocol 1 alone */
    bool stranger;         /* another updraft device is in range */
    uint8_t refuse_opcode; /* this message is refused, so many times */
    uint8_t refuse_status;
    uint32_t refuse_detail;
    unsigned refuse_left;
    unsigned no_room_from; /* the requests from this one on, of Control, are not taken, */
    unsigned no_room_left; /* so many of them */
    uint32_t drop_after_chunks; /* of the file: the link is lost; 0: never */
    unsigned drops_left;
    bool drop_all_chunks;    /* as soon as the first one comes */
    bool lose_activate;      /* the link is lost with ACTIVATE: it did not arrive */
    bool lose_activated;     /* the same, but it did */
    enum native_fault fault; /* at op number fault_at */
    unsigned fault_at;

    /* The device. */
    uint8_t slot[NATIVE_IMAGE_MAX];
    uint8_t state, session, flags;
    uint16_t write_size;
    uint8_t manifest[UPDRAFT_P2_MANIFEST_MAX];
    uint32_t stream_size, stream_at, range_start;
    uint16_t next, told_next, limit;
    bool finish, verified;
    uint8_t staged_id[UPDRAFT_P2_ID_SIZE];
    bool staged, present;
    uint8_t old_slot;
    struct updraft_address address;
    bool restarting;
    unsigned lingering; /* reads of Info until it restarts */

    /* The transport. */
    bool scanning, connecting, linked, daemon_gone;
    bool to_stranger;
    struct native_event queue[NATIVE_EVENTS_MAX];
    unsigned queue_first, queue_count;
    enum native_op ops[NATIVE_OPS_MAX];
    unsigned op_count;

    /* What came of it. */
    unsigned messages[256];  /* Control messages by opcode */
    uint32_t file_bytes;     /* of the file, as chunks that came */
    uint32_t file_bytes_all; /* the same, also by earlier flows */
    unsigned reports[UPDRAFT_EVENT_FINISHED + 1];
    unsigned phases[UPDRAFT_PHASE_ENDING + 1];
    struct updraft_event finished; /* without pointers */
    struct updraft_info finished_info;
    bool finished_has_info;
    uint32_t kept_bytes; /* as first reported by PROGRESS */
    unsigned strangers_met;

    struct updraft_flow flow;
    uint32_t now_ms, started_ms;
    uint8_t image[NATIVE_IMAGE_MAX];
    uint32_t image_size;
    uint8_t image_id[UPDRAFT_IMAGE_HASH_SIZE];
    struct updraft_parcel parcel;
    uint32_t sector_crcs[NATIVE_IMAGE_MAX / UPDRAFT_P2_SECTOR_SIZE];
};

extern struct native native;

/* A device in range that runs NATIVE_OLD_VERSION, confirmed, and an image for it. */
void native_begin(void);
/* Starts another flow before the device as it is; config is filled up. */
void native_start(const struct updraft_flow_config *config);
/* One step: an event, or the time of the next deadline. */
void native_step(void);
/* To the end; checks that nothing was left open. Returns the status. */
int native_to_end(void);
int native_run(const struct updraft_flow_config *config);
/* An update with nothing special. */
int native_update(void);
/* The flow and its program end without a word; in time the link does, too. */
void native_client_dies(void);
unsigned native_ops_of(enum native_op op);

#endif
