/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the rest of the simulator asks of a board that runs: for sim/nimble, which is a
 * part of the firmware as far as the board is concerned. */
#ifndef SIM_RUNTIME_H
#define SIM_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/idf/board.h"

/* Calls of FreeRTOS, esp_timer and so on (sim/idf/include) may be made wherever
 * sim_runtime_board() is not NULL: from a task, or from the loop between
 * sim_runtime_enter and sim_runtime_leave. The latter is interrupt context: only the
 * FromISR calls, and nothing that blocks. */

/* The board whose firmware runs now; NULL between events of the loop. */
sim_board_t *sim_runtime_board(void);
/* The loop gives a board something to do (a timer fired, a packet came). Does nothing and
 * returns false when the board has no power or is still in its boot loader. */
bool sim_runtime_enter(sim_board_t *board);
void sim_runtime_leave(sim_board_t *board);

/* True in a task, false in interrupt context. */
bool sim_runtime_in_task(void);

/* State of a part of the simulator that belongs to the board's RAM: size zeroed bytes
 * that are zeroed again at each boot. Always the same place for the same part, so the
 * first call decides the size. */
enum sim_runtime_part {
    SIM_PART_NIMBLE,
    SIM_PART_NVS,
    SIM_PART_OTA,
    SIM_PART_TIMERS,
    SIM_PART_COUNT,
};
void *sim_runtime_part(sim_board_t *board, enum sim_runtime_part part, size_t size);

/* Memory of the board's heap, as the firmware's malloc; NULL when it is full. */
void *sim_runtime_malloc(size_t size);
void sim_runtime_free(void *memory);

/* From the host to the controller: to ops->hci_send, unless the image's radio is dead. */
void sim_runtime_hci_send(sim_board_t *board, const uint8_t *packet, size_t size);
/* Who takes what the controller sends, until the next reset. receive is called in
 * interrupt context and returns false when it has no room; sim_runtime_hci_room then says
 * that there is room again. Without a receiver, packets are dropped. */
void sim_runtime_on_hci(sim_board_t *board,
                        bool (*receive)(void *context, const uint8_t *packet,
                                        size_t size),
                        void *context);
void sim_runtime_hci_room(sim_board_t *board);

/* A line on the board's console, without newline. */
void sim_runtime_log(sim_board_t *board, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The firmware did what would crash the chip: a line on the console, and a reset with
 * ESP_RST_PANIC. Does not return when called from a task. */
void sim_runtime_panic(sim_board_t *board, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
