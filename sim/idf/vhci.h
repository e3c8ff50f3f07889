/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a Bluetooth host needs of the board it runs on: the way to the controller, and
 * memory that lives as long as a boot. */
#ifndef SIM_VHCI_H
#define SIM_VHCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The host's side of the virtual HCI. Opened by the firmware (nimble_port_init), from a
 * fibre; forgotten at every reset of the board. */
struct sim_vhci_ops {
    /* A packet for the host, with its H4 type byte. Called by sim_board_hci_input, from
     * the driver, while no fibre of the board runs and no flash operation stops it: like
     * an interrupt, it may use FreeRTOS's ...FromISR calls, and tasks that it readies run
     * afterwards. False: not now; sim_vhci_room tells when. */
    bool (*input)(void *context, const uint8_t *packet, size_t size);
};

/* All of the following act on the board whose fibre (or whose input) runs. */
void sim_vhci_open(const struct sim_vhci_ops *ops, void *context);
/* A packet for the controller: the board's ops->hci_send. With SIM_NO_RADIO nothing is
 * sent, and so nothing ever answers. */
void sim_vhci_send(const uint8_t *packet, size_t size);
/* The host can take packets again: the board's ops->hci_room. */
void sim_vhci_room(void);

/* The host's own memory on this board: size zeroed bytes at the first call after a reset,
 * the same bytes at later calls. The size is the same at every call. */
void *sim_vhci_memory(size_t size);

#endif
