/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A hash table over blocks of memory that are never moved. Pieces are compared byte by
 * byte: two states count as one only where they are. */
#include "tests/explore/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE (16u << 20)

struct piece {
    uint8_t *bytes;
    uint32_t size;
    uint32_t hash;
};

static struct piece *pieces;
static uint32_t piece_count;
static uint32_t piece_room;
static uint32_t *slots; /* number + 1; 0: free */
static uint32_t slot_count;
static uint8_t *block;
static size_t block_left;
static uint64_t bytes_held;

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("explore: no memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}

static uint32_t hash_of(const uint8_t *bytes, size_t size)
{
    uint64_t hash = 0x9E3779B97F4A7C15u ^ size;
    uint64_t word;
    for (; size >= sizeof(word); bytes += sizeof(word), size -= sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        hash = (hash ^ word) * 0xBF58476D1CE4E5B9u;
        hash ^= hash >> 29;
    }
    word = 0;
    memcpy(&word, bytes, size);
    hash = (hash ^ word) * 0x94D049BB133111EBu;
    return (uint32_t)(hash ^ hash >> 32);
}

static void grow(void)
{
    slot_count = slot_count == 0 ? 1u << 16 : slot_count * 2;
    free(slots);
    slots = must(calloc(slot_count, sizeof(*slots)));
    for (uint32_t i = 0; i < piece_count; i++) {
        uint32_t at = pieces[i].hash & (slot_count - 1);
        while (slots[at] != 0) {
            at = (at + 1) & (slot_count - 1);
        }
        slots[at] = i + 1;
    }
}

static uint8_t *keep(const void *bytes, size_t size)
{
    if (block_left < size) {
        block = must(malloc(BLOCK_SIZE));
        block_left = BLOCK_SIZE;
    }
    uint8_t *kept = block + (BLOCK_SIZE - block_left);
    memcpy(kept, bytes, size);
    block_left -= size;
    bytes_held += size + sizeof(struct piece);
    return kept;
}

uint32_t pool_put(const void *bytes, size_t size)
{
    if (piece_count >= slot_count / 2) {
        grow();
    }
    uint32_t hash = hash_of(bytes, size);
    uint32_t at = hash & (slot_count - 1);
    for (; slots[at] != 0; at = (at + 1) & (slot_count - 1)) {
        const struct piece *piece = &pieces[slots[at] - 1];
        if (piece->hash == hash && piece->size == size &&
            memcmp(piece->bytes, bytes, size) == 0) {
            return slots[at] - 1;
        }
    }
    if (piece_count == piece_room) {
        piece_room = piece_room == 0 ? 1u << 15 : piece_room * 2;
        pieces = must(realloc(pieces, piece_room * sizeof(*pieces)));
    }
    pieces[piece_count] = (struct piece){keep(bytes, size), (uint32_t)size, hash};
    slots[at] = ++piece_count;
    return piece_count - 1;
}

const void *pool_get(uint32_t number, size_t *ret_size)
{
    *ret_size = pieces[number].size;
    return pieces[number].bytes;
}

uint64_t pool_bytes(void)
{
    return bytes_held;
}
