/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Named ways in which links behave. */
#include <string.h>

#include "sim/radio/controller.h"

/* What a host takes for a frame, assumed: a system's stack, and a browser's on top. */
#define SYSTEM_HOST_US  1200
#define BROWSER_HOST_US 1500
/* Until a board's host has a PDU, assumed as well; more than the 150 us in which it could
 * answer in the same connection event. */
#define BOARD_HOST_US 300

/* A link that protocols are compared on. Encrypted, since phones and browsers bond with
 * what they update; nothing lost and no limit of PDUs in an event, which callers set for
 * themselves. */
#define LINK(link_name, interval, on_2m, att_mtu, host_us, supervision_ms)          \
    {                                                                               \
        .name = (link_name), .interval_125us_units = (interval), .phy_2m = (on_2m), \
        .data_length = true, .mtu = (att_mtu), .encrypted = true,                   \
        .central_host_us = (host_us), .board_host_us = BOARD_HOST_US,               \
        .supervision_timeout_ms = (supervision_ms)                                  \
    }

static const struct sim_air_profile profiles[] = {
    {.name = "ideal",
     .instant = true,
     .interval_125us_units = 6,
     .phy_2m = true,
     .data_length = true,
     .mtu = 517,
     .supervision_timeout_ms = 2000},
    /* BlueZ on a laptop: the kernel's default interval, which its main.conf leaves alone,
     * and an adapter that takes a millisecond between events. */
    {.name = "typical",
     .interval_125us_units = 40,
     .data_length = true,
     .mtu = 517,
     .loss = 0.001,
     .guard_us = 1000,
     .central_host_us = SYSTEM_HOST_US,
     .board_host_us = BOARD_HOST_US,
     .supervision_timeout_ms = 4200},
    /* Far away, and a central that knows nothing newer than Bluetooth 4.0. */
    {.name = "worst",
     .interval_125us_units = 80,
     .mtu = 23,
     .packets_per_event_max = 4,
     .loss = 0.1,
     .guard_us = 2000,
     .central_host_us = BROWSER_HOST_US,
     .board_host_us = BOARD_HOST_US,
     .supervision_timeout_ms = 6000},
    LINK("iphone-30", 24, false, 185, SYSTEM_HOST_US, 6000),
    LINK("iphone-15", 12, true, 517, SYSTEM_HOST_US, 6000),
    LINK("android-11", 9, false, 517, SYSTEM_HOST_US, 5000),
    LINK("android-15", 12, true, 517, SYSTEM_HOST_US, 5000),
    LINK("bluez-50", 40, false, 517, SYSTEM_HOST_US, 6000),
    LINK("bluez-7", 6, false, 517, SYSTEM_HOST_US, 6000),
    LINK("web-30", 24, false, 517, BROWSER_HOST_US, 6000),
    LINK("c3-7", 6, true, 498, SYSTEM_HOST_US, 6000),
};

const struct sim_air_profile *sim_air_profile(const char *name)
{
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        if (strcmp(profiles[i].name, name) == 0) {
            return &profiles[i];
        }
    }
    return NULL;
}
