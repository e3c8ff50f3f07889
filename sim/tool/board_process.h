/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * One virtual board in a process of its own. */
#ifndef SIM_TOOL_BOARD_PROCESS_H
#define SIM_TOOL_BOARD_PROCESS_H

/* The arguments of the internal verb board-process, in this order. */
enum board_argument {
    BOARD_ARGUMENT_PROGRAM,
    BOARD_ARGUMENT_VERB,
    BOARD_ARGUMENT_NAME,
    BOARD_ARGUMENT_CHIP,
    BOARD_ARGUMENT_ADDRESS, /* Bluetooth's, twelve digits */
    BOARD_ARGUMENT_FLASH,
    BOARD_ARGUMENT_TIMES,
    BOARD_ARGUMENT_IDF, /* "5.3" */
    BOARD_ARGUMENT_SEED,
    BOARD_ARGUMENT_FIRMWARE_DIR,
    BOARD_ARGUMENT_FIRMWARE,
    BOARD_ARGUMENT_RESET_REASON, /* esp_reset_reason_t */
    BOARD_ARGUMENT_COUNT,
};

#define BOARD_FLASH_SIZE (4u << 20)

/* Runs until the supervisor ends it. Only returns when the arguments make no sense. */
int board_process(int argc, char **argv);

#endif
