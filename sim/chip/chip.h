/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The chip below the firmware: flash, what the boot loader does with it, and power. */
#ifndef SIM_CHIP_H
#define SIM_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/chip/boot.h"
#include "sim/chip/flash.h"

/* Knows no FreeRTOS and no radio. Time is told, never taken: an operation returns how
 * long it takes, and whoever called lets that time pass. */
typedef struct sim_chip {
    uint16_t chip_id;  /* as in the image header */
    uint16_t revision; /* major * 100 + minor */
    int idf_major;     /* boot loader and esp_ota_* as in ESP-IDF 5 or 6 */
    sim_flash_t *flash;
    uint32_t table_offset; /* of the partition table, 0x8000 */
} sim_chip_t;

#endif
