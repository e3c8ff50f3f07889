/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The ring: two counters that only grow, each written by one side. */
#include "ring.h"

#include <assert.h>
#include <string.h>

static uint32_t used(const struct updraft_ring *ring, uint32_t pushed, uint32_t popped);
static uint32_t add(const struct updraft_ring *ring, uint32_t at, uint32_t size_bytes);
static void copy_in(struct updraft_ring *ring, uint32_t at, const void *payload,
                    updraft_ring_source *source, uint32_t size_bytes);
static void copy_out(const struct updraft_ring *ring, uint32_t at, void *bytes,
                     uint32_t size_bytes);
static void copy_flat(const void *payload, uint32_t offset_bytes, uint8_t *to,
                      uint32_t size_bytes);

void updraft_ring_init(struct updraft_ring *ring, uint8_t *bytes, uint32_t size_bytes)
{
    assert(size_bytes >= UPDRAFT_RING_HEADER_SIZE + UPDRAFT_RING_PAYLOAD_SIZE);
    assert(size_bytes <= UINT32_MAX / 4);
    ring->bytes = bytes;
    ring->size_bytes = size_bytes;
    atomic_init(&ring->pushed_bytes, 0);
    atomic_init(&ring->popped_bytes, 0);
}

bool updraft_ring_push(struct updraft_ring *ring,
                       const struct updraft_ring_record *record, const void *payload,
                       updraft_ring_source *source, uint32_t reserve_bytes)
{
    assert(record->size_bytes <= UPDRAFT_RING_PAYLOAD_SIZE);
    assert(payload != NULL || record->size_bytes == 0);
    uint32_t pushed = atomic_load_explicit(&ring->pushed_bytes, memory_order_relaxed);
    uint32_t popped = atomic_load_explicit(&ring->popped_bytes, memory_order_acquire);
    uint32_t free_bytes = ring->size_bytes - used(ring, pushed, popped);
    uint32_t need_bytes = UPDRAFT_RING_HEADER_SIZE + record->size_bytes;
    if (free_bytes < need_bytes + reserve_bytes) {
        return false;
    }
    copy_in(ring, pushed, record, copy_flat, sizeof(*record));
    copy_in(ring, add(ring, pushed, UPDRAFT_RING_HEADER_SIZE), payload,
            source != NULL ? source : copy_flat, record->size_bytes);
    atomic_store_explicit(&ring->pushed_bytes, add(ring, pushed, need_bytes),
                          memory_order_release);
    return true;
}

bool updraft_ring_pop(struct updraft_ring *ring, struct updraft_ring_record *ret_record,
                      uint8_t *ret_payload)
{
    uint32_t popped = atomic_load_explicit(&ring->popped_bytes, memory_order_relaxed);
    uint32_t pushed = atomic_load_explicit(&ring->pushed_bytes, memory_order_acquire);
    if (pushed == popped) {
        return false;
    }
    copy_out(ring, popped, ret_record, sizeof(*ret_record));
    uint32_t taken_bytes = UPDRAFT_RING_HEADER_SIZE + ret_record->size_bytes;
    assert(used(ring, pushed, popped) >= taken_bytes);
    copy_out(ring, add(ring, popped, UPDRAFT_RING_HEADER_SIZE), ret_payload,
             ret_record->size_bytes);
    atomic_store_explicit(&ring->popped_bytes, add(ring, popped, taken_bytes),
                          memory_order_release);
    return true;
}

uint32_t updraft_ring_used(const struct updraft_ring *ring)
{
    uint32_t popped = atomic_load_explicit(&ring->popped_bytes, memory_order_relaxed);
    uint32_t pushed = atomic_load_explicit(&ring->pushed_bytes, memory_order_acquire);
    return used(ring, pushed, popped);
}

static uint32_t used(const struct updraft_ring *ring, uint32_t pushed, uint32_t popped)
{
    return pushed >= popped ? pushed - popped : pushed + 2 * ring->size_bytes - popped;
}

static uint32_t add(const struct updraft_ring *ring, uint32_t at, uint32_t size_bytes)
{
    at += size_bytes;
    return at >= 2 * ring->size_bytes ? at - 2 * ring->size_bytes : at;
}

static void copy_in(struct updraft_ring *ring, uint32_t at, const void *payload,
                    updraft_ring_source *source, uint32_t size_bytes)
{
    uint32_t start = at >= ring->size_bytes ? at - ring->size_bytes : at;
    uint32_t first = ring->size_bytes - start;
    if (first > size_bytes) {
        first = size_bytes;
    }
    if (first > 0) {
        source(payload, 0, ring->bytes + start, first);
    }
    if (size_bytes > first) {
        source(payload, first, ring->bytes, size_bytes - first);
    }
}

static void copy_out(const struct updraft_ring *ring, uint32_t at, void *bytes,
                     uint32_t size_bytes)
{
    uint32_t start = at >= ring->size_bytes ? at - ring->size_bytes : at;
    uint32_t first = ring->size_bytes - start;
    if (first > size_bytes) {
        first = size_bytes;
    }
    memcpy(bytes, ring->bytes + start, first);
    memcpy((uint8_t *)bytes + first, ring->bytes, size_bytes - first);
}

static void copy_flat(const void *payload, uint32_t offset_bytes, uint8_t *to,
                      uint32_t size_bytes)
{
    memcpy(to, (const uint8_t *)payload + offset_bytes, size_bytes);
}
