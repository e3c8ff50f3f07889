/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What differs between ESP-IDF 5.3 and 6.x, behind one set of names. */
#ifndef UPDRAFT_IDF_COMPAT_H
#define UPDRAFT_IDF_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_idf_version.h"

/* ESP-IDF 6 has Mbed TLS 4, whose SHA-256 is reached through PSA alone; in 5.x PSA is not
 * always built in. */
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)
#include "psa/crypto.h"
typedef psa_hash_operation_t updraft_sha256_t;
#else
#include "mbedtls/sha256.h"
typedef mbedtls_sha256_context updraft_sha256_t;
#endif

/* SHA-256, none of which allocates. Each returns false when the crypto library fails;
 * after that, and after a digest was not asked for, updraft_sha256_abort. */
bool updraft_sha256_start(updraft_sha256_t *hash);
bool updraft_sha256_input(updraft_sha256_t *hash, const uint8_t *bytes, size_t size);
bool updraft_sha256_finish(updraft_sha256_t *hash, uint8_t ret_digest[32]);
void updraft_sha256_abort(updraft_sha256_t *hash);

/* The lowest secure version that the boot loader starts: the eFuse's where anti-rollback
 * is on, else 0. Any task. */
uint32_t updraft_secure_version(void);

/* The RTC watchdog, which the boot loader has started: resets the chip unless it is fed
 * or disabled within the time. Without effect on chips that have none. Any task. */
void updraft_watchdog_arm(uint32_t timeout_ms);
void updraft_watchdog_feed(void);
void updraft_watchdog_disable(void);

#endif
