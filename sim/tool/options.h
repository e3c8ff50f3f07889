/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the command line of updraft-sim says. */
#ifndef SIM_TOOL_OPTIONS_H
#define SIM_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/chip/flash.h"
#include "sim/chip/model.h"
#include "sim/radio/controller.h"

#define TOOL_BOARDS_MAX   32u
#define TOOL_NAME_SIZE    32u
#define TOOL_VERSION_SIZE 32u

struct tool_board {
    char name[TOOL_NAME_SIZE];
    const struct sim_chip_model *model;
    uint8_t address[6]; /* Bluetooth, as printed */
    char *image;        /* NULL: one made here */
    char *flash;        /* NULL: in the state folder */
    char firmware[TOOL_NAME_SIZE];
    char version[TOOL_VERSION_SIZE];
};

struct tool_options {
    struct tool_board boards[TOOL_BOARDS_MAX];
    size_t board_count;
    size_t adapters;
    const struct sim_air_profile *air;
    const struct sim_flash_timing *flash;
    int idf_major, idf_minor;
    uint64_t seed;
    const char *state; /* NULL: a temporary folder */
    const char *firmware_dir;
    bool cache;
    bool vhci;           /* adapters for this kernel, in place of the emulated BlueZ */
    const char *adapter; /* offers the board there, in place of all that; NULL: not */
    bool verbose;
    uint32_t temporary_ms;
    char **command; /* NULL: none; ends with NULL */
};

/* 0, or the exit status to end with (after --help: 0 and *ret_help). Complains on stderr.
 */
int tool_options_read(int argc, char **argv, struct tool_options *ret_options,
                      bool *ret_help);

/* A whole decimal or 0x number up to `max`. */
bool tool_number(const char *text, uint64_t max, uint64_t *ret_value);

#endif
