/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Byte order of values on air. */
#ifndef SIM_OS_ENDIAN_H
#define SIM_OS_ENDIAN_H

#include <endian.h>
#include <stdint.h>

static inline void put_le16(void *buf, uint16_t x)
{
    uint8_t *u8ptr = (uint8_t *)buf;
    u8ptr[0] = (uint8_t)x;
    u8ptr[1] = (uint8_t)(x >> 8);
}

static inline void put_le32(void *buf, uint32_t x)
{
    put_le16(buf, (uint16_t)x);
    put_le16((uint8_t *)buf + 2, (uint16_t)(x >> 16));
}

static inline uint16_t get_le16(const void *buf)
{
    const uint8_t *u8ptr = (const uint8_t *)buf;
    return (uint16_t)(u8ptr[0] | (u8ptr[1] << 8));
}

static inline uint32_t get_le32(const void *buf)
{
    return get_le16(buf) | ((uint32_t)get_le16((const uint8_t *)buf + 2) << 16);
}

#endif
