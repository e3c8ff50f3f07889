/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The client's side of protocol 1 on one connection: from the services being known to the
 * device's verdict. */
#ifndef UPDRAFT_CLIENT_SESSION_H
#define UPDRAFT_CLIENT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updraft/protocol1.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How it is used, by one thread and nobody else:
 *
 *     updraft_client_init
 *     loop:
 *         if (updraft_client_poll(client, &action)) start what it says
 *         if (updraft_client_state is DONE or FAILED) leave
 *         wait for an event of the transport or for updraft_client_deadline
 *         input (updraft_client_subscribed, _written, _notified, _link_lost, _tick)
 *
 * Unlike the device's actions these take time: each ends with the input that the action's
 * kind names, also when it could not even be started. Until then poll yields nothing.
 * Notifications may come at any time. The session never connects or disconnects; after
 * FAILED the caller ends the connection, which tells the device. */

enum updraft_client_action_kind {
    UPDRAFT_CLIENT_SUBSCRIBE,     /* enable notifications of Control; ends with
                                   * updraft_client_subscribed */
    UPDRAFT_CLIENT_WRITE_CONTROL, /* write bytes[0 .. size) to Control */
    UPDRAFT_CLIENT_WRITE_DATA,    /* write bytes[0 .. size) to Data */
    UPDRAFT_CLIENT_WRITE_IMAGE, /* write to Data: size bytes of the image from offset on,
                                 * then pad_size bytes 0xFF, as one value */
};

struct updraft_client_action {
    enum updraft_client_action_kind kind;
    bool with_response;      /* WRITE_*: by Write Request, else by Write Command; both end
                              * with updraft_client_written */
    uint8_t bytes[2];        /* WRITE_CONTROL, WRITE_DATA */
    uint32_t offset_bytes;   /* WRITE_IMAGE */
    uint16_t size_bytes;     /* WRITE_* */
    uint16_t pad_size_bytes; /* WRITE_IMAGE */
};

/* What is sent and how. Copied by updraft_client_init; 0 means the default where one is
 * named. */
struct updraft_client_config {
    uint32_t image_size_bytes; /* at least 1 */
    /* Of the slot, where it is known. The last packet is filled up to the packet size
     * only if the slot has room for that; 0: only within the image's last flash sector,
     * for which every slot has room. */
    uint32_t slot_size_bytes;
    uint16_t mtu;            /* ATT MTU of the connection, at least 23; 23 */
    bool control_by_command; /* Control offers no Write Request */
    bool data_by_command;    /* Data offers no Write Request */
    uint32_t write_limit_ms; /* a subscription or write takes at most so long; 30000, the
                              * ATT transaction timeout */
    uint32_t request_limit_ms; /* from REQUEST to its answer; 10000 */
    uint32_t retry_wait_ms;    /* from a REQUEST_NAK to the second REQUEST; 1000 */
    uint32_t done_limit_ms; /* from DONE to its answer, the device hashes a slot; 60000 */
};

enum updraft_client_state {
    UPDRAFT_CLIENT_SUBSCRIBING, /* notifications of Control are being enabled */
    UPDRAFT_CLIENT_TELLING,     /* the packet size is being written */
    UPDRAFT_CLIENT_REQUESTING,  /* REQUEST was or is being written; its answer is awaited
                                 */
    UPDRAFT_CLIENT_WAITING,     /* after a first REQUEST_NAK, before another try */
    UPDRAFT_CLIENT_SENDING,     /* the image is on its way */
    UPDRAFT_CLIENT_VERIFYING,   /* DONE was or is being written; its answer is awaited */
    UPDRAFT_CLIENT_DONE,        /* DONE_ACK came: the device restarts into the image */
    UPDRAFT_CLIENT_FAILED,      /* updraft_client_error says why */
};

/* A session's state: plain bytes without pointers, caller-allocated, may be copied at any
 * time. All fields are private. */
struct updraft_client {
    struct updraft_client_config config;
    enum updraft_client_state state;
    int error;
    uint16_t packet_size_bytes;
    bool action_pending; /* to be polled */
    bool busy;           /* polled, its end not yet reported */
    bool answered;       /* REQUESTING: REQUEST_ACK came before the write's end */
    bool refused_before; /* one REQUEST_NAK has come */
    bool done_sent;
    uint32_t sent_bytes;      /* of the image, in writes that have ended */
    uint32_t under_way_bytes; /* of the image, in the write under way */
    uint32_t deadline_ms;
};

/* Starts a session. Returns 0, or ARGUMENT: no image, or an MTU below 23. */
int updraft_client_init(struct updraft_client *client,
                        const struct updraft_client_config *config, uint32_t now_ms);

/* Yields the next action, or returns false when there is none now. */
bool updraft_client_poll(struct updraft_client *client,
                         struct updraft_client_action *ret_action);

/* The subscription ended: 0 or an error of updraft/error.h. */
void updraft_client_subscribed(struct updraft_client *client, int status,
                               uint32_t now_ms);

/* The write ended: it is out and, for a request, answered. status: 0 or an error of
 * updraft/error.h; att_error: with LINK_ATT the ATT error code where known, else 0. */
void updraft_client_written(struct updraft_client *client, int status, uint8_t att_error,
                            uint32_t now_ms);

/* Control was notified. Values that protocol 1 does not have, or not at this point, are
 * ignored. */
void updraft_client_notified(struct updraft_client *client, const uint8_t *bytes,
                             size_t size, uint32_t now_ms);

/* The connection ended. In DONE this changes nothing: the device restarts. */
void updraft_client_link_lost(struct updraft_client *client);

/* Time passed. To be called when updraft_client_deadline's time has come. */
void updraft_client_tick(struct updraft_client *client, uint32_t now_ms);

/* When updraft_client_tick is due; false when nothing waits for time any more (DONE,
 * FAILED). Times wrap at 2^32 ms: compare by (int32_t)(now_ms - deadline_ms). */
bool updraft_client_deadline(const struct updraft_client *client,
                             uint32_t *ret_deadline_ms);

enum updraft_client_state updraft_client_state(const struct updraft_client *client);

/* Why the state is FAILED: what the inputs reported, or LINK_TIMEOUT, LINK_LOST, REFUSED
 * (REQUEST_NAK, twice), NOT_VERIFIED (DONE_NAK, or an updraft device refused data of an
 * update that has failed), BUSY (an updraft device refused data: another connection
 * updates). 0 in any other state. */
int updraft_client_error(const struct updraft_client *client);

/* Bytes of the image that the device has taken so far, for a progress bar. */
uint32_t updraft_client_sent_bytes(const struct updraft_client *client);

/* What the session told the device: min(MTU - 3, 512). */
uint16_t updraft_client_packet_size(const struct updraft_client *client);

/* True once DONE was handed out by poll. If the session fails after that without a
 * DONE_NAK, the device may have taken the image all the same: its answer was lost.
 * Whoever wants to know connects again and reads which version runs. */
bool updraft_client_done_sent(const struct updraft_client *client);

#ifdef __cplusplus
}
#endif

#endif
