/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The one call of PSA that the engine's tests make. */
#ifndef TESTS_PORTABLE_HASH_H
#define TESTS_PORTABLE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define PSA_SUCCESS     0
#define PSA_ALG_SHA_256 0x02000009u

void portable_sha256(const uint8_t *bytes, size_t size, uint8_t digest[32]);

static inline int psa_crypto_init(void)
{
    return PSA_SUCCESS;
}

static inline int psa_hash_compute(uint32_t algorithm, const void *bytes, size_t size,
                                   uint8_t *digest, size_t room, size_t *ret_size)
{
    if (algorithm != PSA_ALG_SHA_256 || room < 32) {
        return -1;
    }
    portable_sha256(bytes, size, digest);
    *ret_size = 32;
    return PSA_SUCCESS;
}

#endif
