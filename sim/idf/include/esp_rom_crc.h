/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * CRCs of the chip's ROM. */
#ifndef SIM_IDF_ESP_ROM_CRC_H
#define SIM_IDF_ESP_ROM_CRC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Little-endian CRC-32 (zlib's polynomial); the ROM inverts before and after, so crc 0
 * starts an ordinary CRC-32. */
uint32_t esp_rom_crc32_le(uint32_t crc, uint8_t const *buf, uint32_t len);

#ifdef __cplusplus
}
#endif

#endif
