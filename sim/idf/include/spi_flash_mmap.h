/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Errors of flash operations. */
#ifndef SIM_IDF_SPI_FLASH_MMAP_H
#define SIM_IDF_SPI_FLASH_MMAP_H

#include "esp_err.h"

#define ESP_ERR_FLASH_OP_FAIL    (ESP_ERR_FLASH_BASE + 1)
#define ESP_ERR_FLASH_OP_TIMEOUT (ESP_ERR_FLASH_BASE + 2)

#endif
