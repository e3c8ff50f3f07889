/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Hash and watchdog on ESP-IDF 5.3 to 6.x: the only file that knows versions. */
#include "idf_compat.h"

#include "hal/wdt_hal.h"
#include "sdkconfig.h"
#include "soc/rtc.h"
#include "soc/soc_caps.h"

#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
#include "esp_efuse.h"
#endif

/* 6.1 and later say which chips have an RTC watchdog; before, all had one. */
#if ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(6, 1, 0) || defined(SOC_RTC_WDT_SUPPORTED)
#define HAVE_RTC_WATCHDOG 1
#else
#define HAVE_RTC_WATCHDOG 0
#endif

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)

bool updraft_sha256_start(updraft_sha256_t *hash)
{
    *hash = psa_hash_operation_init();
    /* ESP-IDF has done this at start-up; it may be done again. */
    return psa_crypto_init() == PSA_SUCCESS &&
           psa_hash_setup(hash, PSA_ALG_SHA_256) == PSA_SUCCESS;
}

bool updraft_sha256_input(updraft_sha256_t *hash, const uint8_t *bytes, size_t size)
{
    return psa_hash_update(hash, bytes, size) == PSA_SUCCESS;
}

bool updraft_sha256_finish(updraft_sha256_t *hash, uint8_t ret_digest[32])
{
    size_t size = 0;
    return psa_hash_finish(hash, ret_digest, 32, &size) == PSA_SUCCESS && size == 32;
}

void updraft_sha256_abort(updraft_sha256_t *hash)
{
    (void)psa_hash_abort(hash);
}

#else

bool updraft_sha256_start(updraft_sha256_t *hash)
{
    mbedtls_sha256_init(hash);
    return mbedtls_sha256_starts(hash, /* is224= */ 0) == 0;
}

bool updraft_sha256_input(updraft_sha256_t *hash, const uint8_t *bytes, size_t size)
{
    return mbedtls_sha256_update(hash, bytes, size) == 0;
}

bool updraft_sha256_finish(updraft_sha256_t *hash, uint8_t ret_digest[32])
{
    bool ok = mbedtls_sha256_finish(hash, ret_digest) == 0;
    mbedtls_sha256_free(hash);
    return ok;
}

void updraft_sha256_abort(updraft_sha256_t *hash)
{
    mbedtls_sha256_free(hash);
}

#endif

uint32_t updraft_secure_version(void)
{
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    return esp_efuse_read_secure_version();
#else
    return 0;
#endif
}

#if HAVE_RTC_WATCHDOG

void updraft_watchdog_arm(uint32_t timeout_ms)
{
    wdt_hal_context_t watchdog = RWDT_HAL_CONTEXT_DEFAULT();
    uint64_t ticks = (uint64_t)timeout_ms * rtc_clk_slow_freq_get_hz() / 1000;
    if (ticks > UINT32_MAX) {
        ticks = UINT32_MAX;
    }
    wdt_hal_init(&watchdog, WDT_RWDT, /* prescaler= */ 0, /* enable_intr= */ false);
    wdt_hal_write_protect_disable(&watchdog);
    wdt_hal_config_stage(&watchdog, WDT_STAGE0, (uint32_t)ticks,
                         WDT_STAGE_ACTION_RESET_RTC);
    wdt_hal_enable(&watchdog);
    wdt_hal_write_protect_enable(&watchdog);
}

void updraft_watchdog_feed(void)
{
    wdt_hal_context_t watchdog = RWDT_HAL_CONTEXT_DEFAULT();
    wdt_hal_write_protect_disable(&watchdog);
    wdt_hal_feed(&watchdog);
    wdt_hal_write_protect_enable(&watchdog);
}

void updraft_watchdog_disable(void)
{
    wdt_hal_context_t watchdog = RWDT_HAL_CONTEXT_DEFAULT();
    wdt_hal_write_protect_disable(&watchdog);
    wdt_hal_feed(&watchdog);
    wdt_hal_disable(&watchdog);
    wdt_hal_write_protect_enable(&watchdog);
}

#else

void updraft_watchdog_arm(uint32_t timeout_ms)
{
    (void)timeout_ms;
}

void updraft_watchdog_feed(void)
{
}

void updraft_watchdog_disable(void)
{
}

#endif
