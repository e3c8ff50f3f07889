/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The RTC watchdog, which the boot loader starts. */
#ifndef SIM_IDF_HAL_WDT_HAL_H
#define SIM_IDF_HAL_WDT_HAL_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/wdt_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rwdt_dev rwdt_dev_t;
typedef struct timg_dev timg_dev_t;

typedef struct {
    wdt_inst_t inst;
    union {
        timg_dev_t *mwdt_dev;
        rwdt_dev_t *rwdt_dev;
    };
} wdt_hal_context_t;

#define RWDT_DEV_GET() ((rwdt_dev_t *)0)
#define RWDT_HAL_CONTEXT_DEFAULT()                   \
    {                                                \
        .inst = WDT_RWDT, .rwdt_dev = RWDT_DEV_GET() \
    }

/* Only WDT_RWDT exists here; another instance is a panic. As on the chip, configuration
 * and feeding have no effect while write protection is on. Timeouts count cycles of
 * the slow clock (rtc_clk_slow_freq_get_hz). */
void wdt_hal_init(wdt_hal_context_t *hal, wdt_inst_t wdt_inst, uint32_t prescaler,
                  bool enable_intr);
void wdt_hal_deinit(wdt_hal_context_t *hal);
void wdt_hal_config_stage(wdt_hal_context_t *hal, wdt_stage_t stage, uint32_t timeout,
                          wdt_stage_action_t behavior);
void wdt_hal_write_protect_disable(wdt_hal_context_t *hal);
void wdt_hal_write_protect_enable(wdt_hal_context_t *hal);
void wdt_hal_enable(wdt_hal_context_t *hal);
void wdt_hal_disable(wdt_hal_context_t *hal);
void wdt_hal_handle_intr(wdt_hal_context_t *hal);
void wdt_hal_feed(wdt_hal_context_t *hal);
void wdt_hal_set_flashboot_en(wdt_hal_context_t *hal, bool enable);
bool wdt_hal_is_enabled(wdt_hal_context_t *hal);

#ifdef __cplusplus
}
#endif

#endif
