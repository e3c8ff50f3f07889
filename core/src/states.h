/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Which state may follow which: checked at every change, and drawn in docs/. */
#ifndef UPDRAFT_CORE_STATES_H
#define UPDRAFT_CORE_STATES_H

/* X(from, to, why). tools/print_states.c makes docs/device-session.dot of it. */
#define UPDRAFT_DEVICE_TRANSITIONS(X)                                          \
    X(IDLE, HEAD, "REQUEST: ACK")                                              \
    X(HEAD, RECEIVING, "head of the image accepted")                           \
    X(HEAD, FAILED, "head refused, packet wrong or lost")                      \
    X(HEAD, IDLE, "DONE: NAK, REQUEST anew, link lost, time limit")            \
    X(RECEIVING, VERIFYING, "DONE, image complete")                            \
    X(RECEIVING, FAILED, "image wrong, packet wrong or lost, flash failed")    \
    X(RECEIVING, IDLE, "DONE: NAK, REQUEST anew, link lost, time limit")       \
    X(VERIFYING, RESTARTING, "verified, selected: DONE_ACK")                   \
    X(VERIFYING, IDLE, "not verified or not selected: DONE_NAK")               \
    X(FAILED, IDLE, "DONE: NAK, REQUEST anew, link lost, time limit")          \
    X(IDLE, MANIFEST, "OPEN")                                                  \
    X(MANIFEST, READY, "manifest accepted")                                    \
    X(MANIFEST, IDLE, "refused, ABORT, OPEN anew, link lost, time limit")      \
    X(READY, RECEIVING, "RANGE")                                               \
    X(READY, VERIFYING, "FINISH")                                              \
    X(READY, IDLE, "ABORT, OPEN anew, link lost, time limit, flash failed")    \
    X(RECEIVING, READY, "all of the range is programmed")                      \
    X(VERIFYING, VERIFIED, "the slot holds the file")                          \
    X(VERIFYING, READY, "it does not: HASH")                                   \
    X(VERIFIED, RESTARTING, "ACTIVATE")                                        \
    X(VERIFIED, IDLE, "ABORT, OPEN anew, link lost, time limit, not selected") \
    X(IDLE, RESTARTING, "ACTIVATE of a staged image, ROLLBACK")

/* The same for the client, docs/client-session.dot. */
#define UPDRAFT_CLIENT_TRANSITIONS(X)                                         \
    X(SUBSCRIBING, TELLING, "subscribed to Control")                          \
    X(TELLING, REQUESTING, "packet size written")                             \
    X(REQUESTING, SENDING, "REQUEST_ACK")                                     \
    X(REQUESTING, WAITING, "first REQUEST_NAK")                               \
    X(WAITING, TELLING, "time passed")                                        \
    X(SENDING, VERIFYING, "last packet written")                              \
    X(VERIFYING, DONE, "DONE_ACK")                                            \
    X(SUBSCRIBING, FAILED, "error, link lost, time limit")                    \
    X(TELLING, FAILED, "error, link lost, time limit")                        \
    X(REQUESTING, FAILED, "second REQUEST_NAK, error, link lost, time limit") \
    X(WAITING, FAILED, "link lost")                                           \
    X(SENDING, FAILED, "error, link lost, time limit")                        \
    X(VERIFYING, FAILED, "DONE_NAK, error, link lost, time limit")

/* The client by protocol 2, docs/client2-session.dot. */
#define UPDRAFT_CLIENT2_TRANSITIONS(X)                                         \
    X(SUBSCRIBING, OPENING, "subscribed to Control")                           \
    X(OPENING, TELLING, "STATE manifest")                                      \
    X(TELLING, MAPPING, "STATE ready, the slot may hold a part")               \
    X(TELLING, RANGING, "STATE ready, all must be sent")                       \
    X(MAPPING, RANGING, "all sectors known")                                   \
    X(RANGING, SENDING, "STATE receiving")                                     \
    X(SENDING, RANGING, "STATE ready, more to send, range begun anew")         \
    X(SENDING, VERIFYING, "last range in the slot")                            \
    X(VERIFYING, MAPPING, "STATE ready: HASH")                                 \
    X(VERIFYING, ACTIVATING, "STATE verified")                                 \
    X(VERIFYING, STAGED, "STATE verified, to be activated later")              \
    X(ACTIVATING, DONE, "STATE restarting")                                    \
    X(SUBSCRIBING, FAILED, "error, link lost, time limit")                     \
    X(OPENING, FAILED, "refused, error, link lost, time limit")                \
    X(TELLING, FAILED, "refused, error, link lost, time limit")                \
    X(MAPPING, FAILED, "refused, error, link lost, time limit")                \
    X(RANGING, FAILED, "refused, error, link lost, time limit")                \
    X(SENDING, FAILED, "refused, error, link lost, time limit")                \
    X(VERIFYING, FAILED, "refused, fourth HASH, error, link lost, time limit") \
    X(ACTIVATING, FAILED, "refused, error, link lost, time limit")

#endif
