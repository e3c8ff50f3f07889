/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * SHA-256 as in Mbed TLS 3 (ESP-IDF 5), on whichever Mbed TLS the host has. */
#ifndef SIM_IDF_MBEDTLS_SHA256_H
#define SIM_IDF_MBEDTLS_SHA256_H

#include_next <mbedtls/sha256.h>

#include <mbedtls/version.h>

/* Mbed TLS 2 has these names, without a result, for what it deprecates. */
#if MBEDTLS_VERSION_MAJOR < 3
#define mbedtls_sha256_starts mbedtls_sha256_starts_ret
#define mbedtls_sha256_update mbedtls_sha256_update_ret
#define mbedtls_sha256_finish mbedtls_sha256_finish_ret
#define mbedtls_sha256        mbedtls_sha256_ret
#endif

#endif
