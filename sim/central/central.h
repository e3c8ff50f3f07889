/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The host of a central: scanning, connecting, and a GATT client that speaks ATT frames.
 */
#ifndef SIM_CENTRAL_H
#define SIM_CENTRAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/loop.h"
#include "sim/radio/controller.h"

/* Several connections at once, one per peer. Everything is asynchronous; nothing is
 * called back from within a call. Operations on one connection queue in order, as ATT
 * wants it (one request at a time; commands between them). */
typedef struct sim_central sim_central_t;
typedef struct sim_peer sim_peer_t; /* one device address; stays for the central's life */

struct sim_gatt_characteristic {
    uint16_t service; /* index in the peer's service list */
    uint16_t declaration_handle;
    uint16_t value_handle;
    uint16_t cccd_handle; /* 0: none */
    uint16_t end_handle;
    uint8_t properties;
    uint8_t uuid[16]; /* little-endian; 16-bit UUIDs on the Bluetooth base */
};

struct sim_gatt_service {
    uint16_t start_handle;
    uint16_t end_handle;
    uint8_t uuid[16];
};

struct sim_gatt_descriptor {
    uint16_t characteristic; /* index in the peer's characteristic list */
    uint16_t handle;
    uint8_t uuid[16];
};

/* Beside the error codes of ATT: the operation never reached an answer, because the link
 * or the services it meant are gone. */
#define SIM_CENTRAL_ATT_ERROR_ABANDONED 0x7Fu

struct sim_central_ops {
    /* An advertising report. data: advertising or scan response data, as on air. */
    void (*heard)(void *context, sim_peer_t *peer, bool scan_response,
                  const uint8_t *data, uint8_t size, int8_t rssi_dbm);
    /* The link is up (status 0), or the attempt failed (an HCI error code). */
    void (*connected)(void *context, sim_peer_t *peer, uint8_t status);
    /* MTU exchanged and services known (from the peer, or from the cache where allowed).
     */
    void (*resolved)(void *context, sim_peer_t *peer);
    void (*disconnected)(void *context, sim_peer_t *peer, uint8_t reason);
    /* Answers to sim_central_read and _write: token is the caller's; att_error 0 is
     * success. */
    void (*read_done)(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error,
                      const uint8_t *bytes, size_t size);
    void (*write_done)(void *context, sim_peer_t *peer, uint64_t token,
                       uint8_t att_error);
    /* A notification or indication (indications are confirmed by the central itself). */
    void (*notified)(void *context, sim_peer_t *peer, uint16_t value_handle,
                     const uint8_t *bytes, size_t size);
    /* The peer's services changed (Service Changed, or another Database Hash): the lists
     * are gone, resolved follows. */
    void (*services_changed)(void *context, sim_peer_t *peer);
    /* The adapter came up or went down. May be NULL. */
    void (*powered)(void *context, bool on);
    /* Every ATT PDU that arrives, before anything is done with it. For tests that speak
     * raw; may be NULL. */
    void (*att_received)(void *context, sim_peer_t *peer, const uint8_t *bytes,
                         size_t size);
};

struct sim_central_config {
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_air_t *air;
    uint8_t address[6];
    const struct sim_air_profile *profile; /* what it asks of its links */
    bool cache_services; /* as BlueZ's Cache=always: keep the table between connections */
};

/* The adapter is on. Every op that may not be NULL must be given. */
sim_central_t *sim_central_new(const struct sim_central_config *config,
                               const struct sim_central_ops *ops, void *context);
/* Adapter off: links end, nothing is heard, connecting fails. */
void sim_central_power(sim_central_t *central, bool on);
/* False while off and while still on the way up or down. */
bool sim_central_powered(const sim_central_t *central);
void sim_central_scan(sim_central_t *central, bool on);
/* Its controller, for faults in the air. */
sim_controller_t *sim_central_controller(sim_central_t *central);

/* The peer with this address (most significant byte first); made when new. NULL when 1024
 * are known already. */
sim_peer_t *sim_central_peer(sim_central_t *central, const uint8_t address[6],
                             bool is_random);
const uint8_t *sim_peer_address(const sim_peer_t *peer);
bool sim_peer_is_random(const sim_peer_t *peer);
bool sim_peer_connected(const sim_peer_t *peer);
uint16_t sim_peer_mtu(const sim_peer_t *peer);
void sim_peer_set_context(sim_peer_t *peer, void *context);
void *sim_peer_context(const sim_peer_t *peer);
size_t sim_peer_services(const sim_peer_t *peer,
                         const struct sim_gatt_service **ret_list);
size_t sim_peer_characteristics(const sim_peer_t *peer,
                                const struct sim_gatt_characteristic **ret_list);

size_t sim_peer_descriptors(const sim_peer_t *peer,
                            const struct sim_gatt_descriptor **ret_list);

/* Waits for the peer's advertising, as Linux does, and connects. Ends with connected;
 * gives up after timeout_ms with status 0x02 (unknown connection). Several peers may be
 * waited for at once. Does nothing when the peer is connected. */
void sim_central_connect(sim_central_t *central, sim_peer_t *peer, uint32_t timeout_ms);
/* Ends the link (disconnected follows), or a connect under way (connected follows, with
 * status 0x16). Does nothing when there is neither. */
void sim_central_disconnect(sim_central_t *central, sim_peer_t *peer);
/* What is remembered of a peer that is not connected. */
void sim_peer_forget_services(sim_peer_t *peer);

/* A whole value, by as many reads as it takes, or what follows offset. Returns false when
 * the queue of requests is full (64) or there is no link. */
bool sim_central_read(sim_central_t *central, sim_peer_t *peer, uint16_t handle,
                      uint64_t token);
bool sim_central_read_from(sim_central_t *central, sim_peer_t *peer, uint16_t handle,
                           uint16_t offset, uint64_t token);
/* request: Write Request (prepared writes where longer than MTU - 3), answered by
 * write_done. Otherwise a Write Command of at most MTU - 3 bytes (longer: write_done with
 * error 0x0D); write_done comes when it is handed to the controller. Queued commands go
 * out before queued requests, as bluetoothd has it. size at most 512. Returns false when
 * the queue of such writes is full (64) or there is no link. */
bool sim_central_write(sim_central_t *central, sim_peer_t *peer, uint16_t handle,
                       const uint8_t *bytes, size_t size, bool request, uint64_t token);
/* By prepared writes, from offset on. */
bool sim_central_write_at(sim_central_t *central, sim_peer_t *peer, uint16_t handle,
                          uint16_t offset, const uint8_t *bytes, size_t size,
                          uint64_t token);
/* Sends raw bytes (at most 517) on the ATT channel, for tests that speak it wrongly. Goes
 * through the queue of commands. */
bool sim_central_raw(sim_central_t *central, sim_peer_t *peer, const uint8_t *bytes,
                     size_t size);

#endif
