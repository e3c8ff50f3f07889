/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Linked into every firmware module: its configuration, in a form the board can read. */
#include "sim/idf/firmware_info.h"

#include "esp_idf_version.h"
#include "sdkconfig.h"

void app_main(void);

/* Made by the linker when the module has such variables. */
extern char __start_sim_rtc_noinit[] __attribute__((weak, visibility("hidden")));
extern char __stop_sim_rtc_noinit[] __attribute__((weak, visibility("hidden")));

__attribute__((
    visibility("default"))) extern const struct sim_firmware_info sim_firmware_info;

const struct sim_firmware_info sim_firmware_info = {
    .size = sizeof(struct sim_firmware_info),
    .app_main = app_main,
    .rtc_start = __start_sim_rtc_noinit,
    .rtc_end = __stop_sim_rtc_noinit,
    .idf_major = ESP_IDF_VERSION_MAJOR,
    .tick_rate_hz = CONFIG_FREERTOS_HZ,
    .main_stack_size = CONFIG_ESP_MAIN_TASK_STACK_SIZE,
    .log_level = CONFIG_LOG_DEFAULT_LEVEL,
#ifdef CONFIG_BOOTLOADER_WDT_DISABLE_IN_USER_CODE
    .rtc_watchdog_kept = true,
#endif
#ifdef CONFIG_ESP_TASK_WDT_INIT
    .task_watchdog_ms = CONFIG_ESP_TASK_WDT_TIMEOUT_S * 1000u,
#endif
#ifdef CONFIG_ESP_TASK_WDT_PANIC
    .task_watchdog_panic = true,
#endif
#ifdef CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0
    .task_watchdog_idle = true,
#endif
#ifdef CONFIG_SPI_FLASH_BYPASS_BLOCK_ERASE
    .erase_by_sectors = true,
#endif
#ifdef CONFIG_SPI_FLASH_YIELD_DURING_ERASE
    .erase_yield_ms = CONFIG_SPI_FLASH_ERASE_YIELD_DURATION_MS,
    .erase_yield_ticks = CONFIG_SPI_FLASH_ERASE_YIELD_TICKS,
#endif
    .write_chunk_size = CONFIG_SPI_FLASH_WRITE_CHUNK_SIZE,
};
