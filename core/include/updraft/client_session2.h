/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The client's side of protocol 2 on one connection: from the services being known to the
 * device's restart, or to a staged image. */
#ifndef UPDRAFT_CLIENT_SESSION2_H
#define UPDRAFT_CLIENT_SESSION2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updraft/protocol2.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How it is used, by one thread and nobody else:
 *
 *     updraft_client2_init
 *     loop:
 *         if (updraft_client2_poll(client, now_ms, &action)) start what it says
 *         if (updraft_client2_state is DONE, STAGED or FAILED) leave
 *         wait for an event of the transport or for updraft_client2_deadline
 *         input (updraft_client2_subscribed, _written, _notified, _link_lost, _tick)
 *
 * An action ends with the input that its kind names, also when it could not even be
 * started. Until then poll yields nothing: at most one is under way. Notifications may
 * come at any time, once or several times, late, or never. The session never connects or
 * disconnects; after FAILED the caller ends the connection, which tells the device, and
 * may begin anew on another one: what has arrived is kept by the device. */

enum updraft_client2_action_kind {
    UPDRAFT_CLIENT2_SUBSCRIBE,     /* enable notifications of Control; ends with
                                    * updraft_client2_subscribed */
    UPDRAFT_CLIENT2_WRITE_CONTROL, /* write bytes[0 .. size) to Control by Write Request;
                                    * ends with updraft_client2_written */
    UPDRAFT_CLIENT2_WRITE_DATA,    /* write to Data, by Write Command: bytes[0 .. 2), then
                                    * size bytes of `source` from offset on, as one value.
                                    * Ends with updraft_client2_written as soon as the
                                    * transport takes another one */
};

enum updraft_client2_source {
    UPDRAFT_CLIENT2_MANIFEST, /* as updraft_p2_put_manifest wrote it */
    UPDRAFT_CLIENT2_FILE,
};

struct updraft_client2_action {
    enum updraft_client2_action_kind kind;
    uint8_t bytes[UPDRAFT_P2_COMMAND_MAX];
    enum updraft_client2_source source; /* WRITE_DATA */
    uint32_t offset_bytes;              /* WRITE_DATA */
    uint16_t size_bytes;                /* WRITE_*: without bytes[0 .. 2) of WRITE_DATA */
};

#define UPDRAFT_CLIENT2_FILE_MAX    0x1000000u /* what ESP32 maps of its flash */
#define UPDRAFT_CLIENT2_SECTORS_MAX (UPDRAFT_CLIENT2_FILE_MAX / UPDRAFT_P2_SECTOR_SIZE)

/* What is sent and how. Copied by updraft_client2_init; 0 means the default where one is
 * named. */
struct updraft_client2_config {
    uint32_t file_size_bytes;     /* a multiple of 16, at most UPDRAFT_CLIENT2_FILE_MAX */
    uint16_t manifest_size_bytes; /* UPDRAFT_P2_MANIFEST_SIZE */
    /* Size of a Data value: write_size_bytes as Info tells it, but no more than suits the
     * MTU; 0: what suits the MTU. */
    uint16_t write_size_bytes;
    uint16_t mtu; /* ATT MTU of the connection, at least 23; 23 */
    /* updraft_crc32 of each sector of the file as a slot holds it before activation:
     * bytes 0 to 31 of the file as FF, and FF behind its end. Not copied: must stay as
     * long as the session is used. */
    const uint32_t *sector_crcs;
    uint32_t first_sector_crc; /* of the first sector with the file's own bytes 0 to 31 */
    uint8_t image_id[UPDRAFT_P2_ID_SIZE];
    uint32_t nonce;           /* another one for each session */
    uint8_t confirm_by;       /* enum updraft_p2_confirm_by */
    bool fresh;               /* send everything, whatever the slot holds */
    bool again;               /* some of it was sent before: find out what is left, also
                               * where the first sector is not */
    bool stage;               /* end with the image verified and noted, not activated */
    bool force;               /* take it although project, marker or running image speak
                               * against it */
    uint32_t write_limit_ms;  /* a subscription or write takes at most so long; 30000, the
                               * ATT transaction timeout */
    uint32_t answer_limit_ms; /* from a message's end to its answer; 10000 */
    uint32_t stall_limit_ms;  /* without any progress, whatever the device says; 120000 */
};

enum updraft_client2_state {
    UPDRAFT_CLIENT2_SUBSCRIBING, /* notifications of Control are being enabled */
    UPDRAFT_CLIENT2_OPENING,     /* OPEN was or is being written; its answer is awaited */
    UPDRAFT_CLIENT2_TELLING,     /* the manifest is on its way, or being judged */
    UPDRAFT_CLIENT2_MAPPING,     /* what the slot holds is being asked for */
    UPDRAFT_CLIENT2_RANGING,    /* RANGE was or is being written; its answer is awaited */
    UPDRAFT_CLIENT2_SENDING,    /* a range of the file is on its way */
    UPDRAFT_CLIENT2_VERIFYING,  /* the device hashes what it holds */
    UPDRAFT_CLIENT2_ACTIVATING, /* ACTIVATE was or is being written */
    UPDRAFT_CLIENT2_DONE,       /* the device restarts into the image */
    UPDRAFT_CLIENT2_STAGED, /* verified; ACTIVATE may come later (client_command2.h) */
    UPDRAFT_CLIENT2_FAILED, /* updraft_client2_error says why */
};

/* The stream of chunks under way. They are counted from the stream's first one, whose
 * number on the wire is base. */
struct updraft_client2_stream {
    uint16_t base;
    uint32_t start_bytes; /* in the source */
    uint32_t size_bytes;
    uint32_t count;     /* chunks in all */
    uint32_t acked;     /* the device has all before this one */
    uint32_t sent;      /* the next to be sent */
    uint32_t highest;   /* all before this one have been sent at least once */
    uint32_t limit;     /* the first that must not be sent yet */
    uint32_t wanted;    /* went back to this one last */
    uint32_t wanted_ms; /* and then */
    bool went_back;
    bool timing; /* how long it takes until this chunk is acknowledged */
    uint32_t timed;
    uint32_t timed_ms;
};

/* A session's state: plain bytes, caller-allocated, may be copied at any time. All fields
 * are private. */
struct updraft_client2 {
    struct updraft_client2_config config;
    struct updraft_client2_stream stream;
    enum updraft_client2_state state;
    int error;
    uint8_t status;  /* of protocol 2, where the device refused */
    uint32_t detail; /* of that STATE */
    uint16_t write_size_bytes;
    uint8_t session;
    /* What is to be done and what is awaited. */
    bool subscribe_pending;
    uint8_t message; /* opcode of the Control message to be written; 0: none */
    bool busy;       /* an action was polled, its end not yet reported */
    enum updraft_client2_action_kind under_way;
    bool heard; /* since the last message was handed out */
    bool asked; /* the last message handed out was STATUS, and it is not yet answered */
    bool awaiting; /* the device owes a report */
    bool activate_sent;
    bool finish;          /* the range under way is the last one */
    bool afresh;          /* everything was sent once more although all of it matched */
    uint16_t last_number; /* a stream that begins does so here at the earliest */
    uint8_t probes;       /* messages in a row that nothing answered */
    uint8_t repeats;      /* of this state's message */
    uint8_t restarts;     /* of a range */
    uint8_t rounds;       /* of repair */
    uint32_t write_deadline_ms;
    uint32_t report_deadline_ms;
    uint32_t progress_ms;   /* when something last came nearer to the end */
    uint32_t round_trip_ms; /* of chunks, queues on the way included */
    /* The file, sector by sector. */
    uint32_t left_bytes; /* in sectors still to be sent, as far as not acknowledged range
                          * by range */
    uint32_t sent_bytes; /* of the file, repetitions included */
    uint32_t resent_bytes;
    uint16_t map_first; /* MAP: what was asked for last */
    uint16_t map_count;
    uint8_t known[UPDRAFT_CLIENT2_SECTORS_MAX / 8]; /* bit by sector: a report told it */
    uint8_t to_send[UPDRAFT_CLIENT2_SECTORS_MAX / 8]; /* bit by sector */
};

/* Starts a session. Returns 0, or ARGUMENT: a size, the MTU or the table is missing or
 * out of range. */
int updraft_client2_init(struct updraft_client2 *client,
                         const struct updraft_client2_config *config, uint32_t now_ms);

/* Yields the next action, or returns false when there is none now. */
bool updraft_client2_poll(struct updraft_client2 *client, uint32_t now_ms,
                          struct updraft_client2_action *ret_action);

/* The subscription ended: 0 or an error of updraft/error.h. */
void updraft_client2_subscribed(struct updraft_client2 *client, int status,
                                uint32_t now_ms);

/* The write ended: it is out and, for a request, answered. status: 0 or an error of
 * updraft/error.h. */
void updraft_client2_written(struct updraft_client2 *client, int status, uint32_t now_ms);

/* Control was notified. What protocol 2 does not have, or not at this point, is ignored.
 */
void updraft_client2_notified(struct updraft_client2 *client, const uint8_t *bytes,
                              size_t size, uint32_t now_ms);

/* The connection ended. In DONE and STAGED this changes nothing. */
void updraft_client2_link_lost(struct updraft_client2 *client);

/* Time passed. To be called when updraft_client2_deadline's time has come. */
void updraft_client2_tick(struct updraft_client2 *client, uint32_t now_ms);

/* When updraft_client2_tick is due; false when nothing waits for time any more (DONE,
 * STAGED, FAILED). Times wrap at 2^32 ms: compare by (int32_t)(now_ms - deadline_ms). */
bool updraft_client2_deadline(const struct updraft_client2 *client,
                              uint32_t *ret_deadline_ms);

enum updraft_client2_state updraft_client2_state(const struct updraft_client2 *client);

/* Why the state is FAILED: what the inputs reported, what the device's status stands for
 * (updraft_p2_status_error), or LINK_LOST, LINK_TIMEOUT (no answer, or no progress),
 * LINK_STATE (the device has forgotten the session), LINK_DATA_LOST (too much had to be
 * sent again), IMAGE_HASH (what the slot holds is not the file, in spite of repairs). 0
 * in any other state. */
int updraft_client2_error(const struct updraft_client2 *client);

/* With FAILED, where the device refused: its status (enum updraft_p2_status, or a number
 * that this version does not know) and that STATE's detail; else 0. */
uint8_t updraft_client2_status(const struct updraft_client2 *client);
uint32_t updraft_client2_detail(const struct updraft_client2 *client);

/* Bytes of the file that the device has acknowledged, for a progress bar: what it kept of
 * an earlier session included. Less than before where sectors must be sent again. */
uint32_t updraft_client2_done_bytes(const struct updraft_client2 *client);

/* Bytes of the file sent in this session, repetitions included; and those among them that
 * the device may have had before: sent again after a gap or in a repair, or in a sector
 * that matched and is sent to be sure of it. */
uint32_t updraft_client2_sent_bytes(const struct updraft_client2 *client);
uint32_t updraft_client2_resent_bytes(const struct updraft_client2 *client);

/* What the session tells the device: bytes of a Data value. */
uint16_t updraft_client2_write_size(const struct updraft_client2 *client);

/* True once ACTIVATE was handed out by poll. If the session fails after that, the device
 * may have taken it all the same: whoever wants to know connects again and reads Info. */
bool updraft_client2_activate_sent(const struct updraft_client2 *client);

#ifdef __cplusplus
}
#endif

#endif
