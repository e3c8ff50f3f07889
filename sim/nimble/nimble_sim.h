/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What tests may ask the host of a board. */
#ifndef SIM_NIMBLE_SIM_H
#define SIM_NIMBLE_SIM_H

#include <stdint.h>

#include "sim/idf/board.h"

/* mbufs that are not in their pools. A board at rest has none: what remains after
 * everything was answered and sent is a leak of the firmware. */
uint32_t sim_nimble_buffers_in_use(sim_board_t *board);
/* Received fragments that were dropped because buffers stayed out, since boot. */
uint32_t sim_nimble_fragments_dropped(sim_board_t *board);

#endif
