/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Little-endian numbers in flash. */
#ifndef SIM_LITTLE_ENDIAN_H
#define SIM_LITTLE_ENDIAN_H

#include <stdint.h>

static inline uint16_t sim_get_le16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t sim_get_le32(const uint8_t *bytes)
{
    return (uint32_t)sim_get_le16(bytes) | (uint32_t)sim_get_le16(bytes + 2) << 16;
}

static inline void sim_put_le16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline void sim_put_le32(uint8_t *bytes, uint32_t value)
{
    sim_put_le16(bytes, (uint16_t)value);
    sim_put_le16(bytes + 2, (uint16_t)(value >> 16));
}

#endif
