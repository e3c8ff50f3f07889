/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The configuration a firmware module is built with; -D and UPDRAFT_SDKCONFIG change it.
 */
#ifndef SIM_IDF_SDKCONFIG_H
#define SIM_IDF_SDKCONFIG_H

/* ESP-IDF's defaults, but for a tick of 1 ms and an application with rollback. A value is
 * changed with -DCONFIG_NAME=value. To take one away, or to change many, name a header in
 * UPDRAFT_SDKCONFIG: it is included last. */
#ifndef CONFIG_IDF_TARGET
#define CONFIG_IDF_TARGET         "esp32c3"
#define CONFIG_IDF_TARGET_ESP32C3 1
#endif
#ifndef CONFIG_IDF_FIRMWARE_CHIP_ID
#include <stdint.h>
/* One module runs on boards of every chip, so this asks the board. */
uint16_t sim_idf_chip_id(void);
#define CONFIG_IDF_FIRMWARE_CHIP_ID sim_idf_chip_id()
#endif

#ifndef CONFIG_FREERTOS_HZ
#define CONFIG_FREERTOS_HZ 1000
#endif
#define CONFIG_FREERTOS_UNICORE         1
#define CONFIG_FREERTOS_NUMBER_OF_CORES 1
#ifndef CONFIG_FREERTOS_MAX_TASK_NAME_LEN
#define CONFIG_FREERTOS_MAX_TASK_NAME_LEN 16
#endif
#ifndef CONFIG_ESP_MAIN_TASK_STACK_SIZE
#define CONFIG_ESP_MAIN_TASK_STACK_SIZE 3584
#endif

#ifndef CONFIG_LOG_DEFAULT_LEVEL
#define CONFIG_LOG_DEFAULT_LEVEL 3
#endif
#ifndef CONFIG_LOG_MAXIMUM_LEVEL
#define CONFIG_LOG_MAXIMUM_LEVEL CONFIG_LOG_DEFAULT_LEVEL
#endif

#ifndef CONFIG_ESP_TASK_WDT_TIMEOUT_S
#define CONFIG_ESP_TASK_WDT_TIMEOUT_S 5
#endif
#define CONFIG_ESP_TASK_WDT_EN                   1
#define CONFIG_ESP_TASK_WDT_INIT                 1
#define CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0 1

#ifndef CONFIG_BOOTLOADER_WDT_TIME_MS
#define CONFIG_BOOTLOADER_WDT_TIME_MS 9000
#endif
#define CONFIG_BOOTLOADER_WDT_ENABLE          1
#define CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE 1
#define CONFIG_APP_ROLLBACK_ENABLE            1
#define CONFIG_BOOTLOADER_OFFSET_IN_FLASH     0x0
#define CONFIG_PARTITION_TABLE_OFFSET         0x8000
#define CONFIG_ESPTOOLPY_FLASHSIZE            "4MB"
#define CONFIG_ESPTOOLPY_FLASHSIZE_4MB        1

#define CONFIG_SPI_FLASH_YIELD_DURING_ERASE 1
#ifndef CONFIG_SPI_FLASH_ERASE_YIELD_DURATION_MS
#define CONFIG_SPI_FLASH_ERASE_YIELD_DURATION_MS 20
#endif
#ifndef CONFIG_SPI_FLASH_ERASE_YIELD_TICKS
#define CONFIG_SPI_FLASH_ERASE_YIELD_TICKS 1
#endif
#ifndef CONFIG_SPI_FLASH_WRITE_CHUNK_SIZE
#define CONFIG_SPI_FLASH_WRITE_CHUNK_SIZE 8192
#endif

#define CONFIG_MBEDTLS_PSA_CRYPTO_C 1

#define CONFIG_BT_ENABLED            1
#define CONFIG_BT_NIMBLE_ENABLED     1
#define CONFIG_BT_CONTROLLER_ENABLED 1
#if __has_include("sdkconfig_nimble.h")
#include "sdkconfig_nimble.h"
#endif

#ifdef UPDRAFT_SDKCONFIG
#include UPDRAFT_SDKCONFIG
#endif

#endif
