/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The marker that says "updraft inside", where clients and devices look for it in a file.
 */
#include <stdint.h>

#include "sdkconfig.h"

#include "marker.h"
#include "updraft/protocol2.h"

#define BYTE(value, n) ((uint8_t)((uint32_t)(value) >> 8 * (n)))

/* ESP-IDF puts this section right behind the application descriptor, at file offset 288.
 * Nothing refers to it; the component tells the linker to keep it. */
__attribute__((section(".rodata_custom_desc"), used, aligned(4)))
const uint8_t updraft_marker[UPDRAFT_MARKER_SIZE] = {
    BYTE(UPDRAFT_MARKER_MAGIC, 0),
    BYTE(UPDRAFT_MARKER_MAGIC, 1),
    BYTE(UPDRAFT_MARKER_MAGIC, 2),
    BYTE(UPDRAFT_MARKER_MAGIC, 3),
    UPDRAFT_P2_VERSION,
    0,
    0,
    0,
    BYTE(CONFIG_UPDRAFT_HARDWARE_ID, 0),
    BYTE(CONFIG_UPDRAFT_HARDWARE_ID, 1),
    BYTE(CONFIG_UPDRAFT_HARDWARE_ID, 2),
    BYTE(CONFIG_UPDRAFT_HARDWARE_ID, 3),
};
