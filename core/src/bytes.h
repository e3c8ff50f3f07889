/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Little-endian fields, a cursor that cannot leave its bytes, and what the compiler's own
 * library provides even without a C library. */
#ifndef UPDRAFT_CORE_BYTES_H
#define UPDRAFT_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The functions that a compiler may call in any C code, freestanding or not; <string.h>
 * itself is not there without a C library. */
void *memcpy(void *restrict target, const void *restrict source, size_t size);
void *memmove(void *target, const void *source, size_t size);
void *memset(void *target, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

static inline uint16_t updraft_get_le16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline void updraft_put_le16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

uint32_t updraft_get_le32(const uint8_t *bytes);
void updraft_put_le32(uint8_t *bytes, uint32_t value);

/* Reads fields one after the other. A read past the end yields zeros and sets `overrun`,
 * which is looked at once, after the last field. */
struct cursor {
    const uint8_t *bytes;
    size_t left_bytes;
    bool overrun;
};

static inline struct cursor cursor_over(const uint8_t *bytes, size_t size)
{
    return (struct cursor){.bytes = bytes, .left_bytes = size, .overrun = false};
}

/* The next size bytes, or NULL at an overrun. */
const uint8_t *updraft_cursor_take(struct cursor *cursor, size_t size);
uint8_t updraft_cursor_get8(struct cursor *cursor);
uint16_t updraft_cursor_get16(struct cursor *cursor);
uint32_t updraft_cursor_get32(struct cursor *cursor);
void updraft_cursor_get_bytes(struct cursor *cursor, void *target, size_t size);

#endif
