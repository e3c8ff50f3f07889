/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Those functions of bytes.h that are called often and too long to be inlined everywhere.
 */
#include "bytes.h"

uint32_t updraft_get_le32(const uint8_t *bytes)
{
    return updraft_get_le16(bytes) | (uint32_t)updraft_get_le16(bytes + 2) << 16;
}

void updraft_put_le32(uint8_t *bytes, uint32_t value)
{
    updraft_put_le16(bytes, (uint16_t)value);
    updraft_put_le16(bytes + 2, (uint16_t)(value >> 16));
}

const uint8_t *updraft_cursor_take(struct cursor *cursor, size_t size)
{
    if (size > cursor->left_bytes) {
        cursor->overrun = true;
        cursor->left_bytes = 0;
        return NULL;
    }
    const uint8_t *taken = cursor->bytes;
    cursor->bytes += size;
    cursor->left_bytes -= size;
    return taken;
}

uint8_t updraft_cursor_get8(struct cursor *cursor)
{
    const uint8_t *field = updraft_cursor_take(cursor, 1);
    return field ? field[0] : 0;
}

uint16_t updraft_cursor_get16(struct cursor *cursor)
{
    const uint8_t *field = updraft_cursor_take(cursor, 2);
    return field ? updraft_get_le16(field) : 0;
}

uint32_t updraft_cursor_get32(struct cursor *cursor)
{
    const uint8_t *field = updraft_cursor_take(cursor, 4);
    return field ? updraft_get_le32(field) : 0;
}

void updraft_cursor_get_bytes(struct cursor *cursor, void *target, size_t size)
{
    const uint8_t *field = updraft_cursor_take(cursor, size);
    if (field) {
        memcpy(target, field, size);
    } else {
        memset(target, 0, size);
    }
}
