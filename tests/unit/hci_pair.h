/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A central and a peripheral with an air between them, for tests that speak raw HCI. */
#ifndef TESTS_HCI_PAIR_H
#define TESTS_HCI_PAIR_H

#include "tests/unit/hci_host.h"

#define HCI_PAIR_SEED 7

struct hci_pair {
    sim_arena_t *arena;
    sim_loop_t *loop;
    sim_air_t *air;
    struct hci_host central;
    struct hci_host peripheral;
    uint16_t central_handle;
    uint16_t peripheral_handle;
};
extern struct hci_pair pair;

/* An air without loss, at 30 ms. */
extern const struct sim_air_profile clean;

/* rx_pdus: of the peripheral's controller. Close it again. */
void open_air(const struct sim_air_profile *profile, bool phy_2m, uint8_t rx_pdus);
void close_air(void);

#endif
