/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A central and a peripheral with an air between them. */
#include "tests/unit/hci_pair.h"

#include <string.h>

struct hci_pair pair;

const struct sim_air_profile clean = {
    .name = "clean", .interval_125us_units = 24, .mtu = 517};

void open_air(const struct sim_air_profile *profile, bool phy_2m, uint8_t rx_pdus)
{
    memset(&pair, 0, sizeof(pair));
    pair.arena = sim_arena_new(16 << 20);
    pair.loop = sim_loop_new(pair.arena);
    pair.air = sim_air_new(pair.arena, pair.loop, profile, HCI_PAIR_SEED);
    struct sim_controller_config config = {.address = {0xC0, 0, 0, 0, 0, 1},
                                           .phy_2m = phy_2m,
                                           .data_length = true,
                                           .connections_max = 4};
    hci_host_start(&pair.central, pair.air, pair.loop, &config);
    config.address[5] = 2;
    config.rx_pdus = rx_pdus;
    hci_host_start(&pair.peripheral, pair.air, pair.loop, &config);
}

void close_air(void)
{
    sim_arena_free(pair.arena);
}
