/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A byte ring for records from one producer to one consumer, without locks. */
#ifndef UPDRAFT_RING_H
#define UPDRAFT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define UPDRAFT_RING_PAYLOAD_SIZE 512u

/* One task pushes, one task pops; each function says which. Nothing waits. */
struct updraft_ring {
    uint8_t *bytes;
    uint32_t size_bytes;
    /* In all, modulo twice the size: equal means empty, a whole size apart means full. */
    _Atomic uint32_t pushed_bytes; /* written by the producer */
    _Atomic uint32_t popped_bytes; /* written by the consumer */
};

/* It lies in the ring as it is: packed, since that is room that payloads do not have. */
struct __attribute__((packed)) updraft_ring_record {
    uint8_t kind;
    uint16_t connection;
    uint16_t size_bytes; /* of the payload; at most UPDRAFT_RING_PAYLOAD_SIZE */
};

/* Bytes a record takes besides its payload. */
#define UPDRAFT_RING_HEADER_SIZE 5u
_Static_assert(sizeof(struct updraft_ring_record) == UPDRAFT_RING_HEADER_SIZE,
               "nothing but its fields");

/* bytes: caller-owned, as long as the ring lives. size_bytes: any size that holds the
 * largest record. */
void updraft_ring_init(struct updraft_ring *ring, uint8_t *bytes, uint32_t size_bytes);

/* Writes `size_bytes` of a payload, from `offset_bytes` of it on, to `to`. */
typedef void updraft_ring_source(const void *payload, uint32_t offset_bytes, uint8_t *to,
                                 uint32_t size_bytes);

/* Producer. Copies the record in, or returns false and changes nothing when fewer than
 * reserve_bytes would stay free. payload may be NULL where size_bytes is 0. source: how
 * to read it where it does not lie in one piece; NULL: it does. */
bool updraft_ring_push(struct updraft_ring *ring,
                       const struct updraft_ring_record *record, const void *payload,
                       updraft_ring_source *source, uint32_t reserve_bytes);

/* Consumer. Copies the oldest record out, or returns false when there is none. payload:
 * room for UPDRAFT_RING_PAYLOAD_SIZE bytes. */
bool updraft_ring_pop(struct updraft_ring *ring, struct updraft_ring_record *ret_record,
                      uint8_t *ret_payload);

/* Consumer. Bytes of the records that wait, heads included. */
uint32_t updraft_ring_used(const struct updraft_ring *ring);

#endif
