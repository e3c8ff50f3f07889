/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Reads the command line of updraft-sim. */
#define _GNU_SOURCE
#include "sim/tool/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/bluez/bluez.h"
#include "sim/tool/image_command.h"

#define EXIT_USAGE 2

enum {
    OPTION_BOARD = 256,
    OPTION_ADAPTERS,
    OPTION_AIR,
    OPTION_FLASH,
    OPTION_IDF,
    OPTION_SEED,
    OPTION_STATE,
    OPTION_CACHE,
    OPTION_FORGET,
    OPTION_FIRMWARE_DIR,
    OPTION_VHCI,
    OPTION_ADAPTER,
};

static const char usage[] =
    "usage: updraft-sim [options] [-- COMMAND...]\n"
    "       updraft-sim VERB ...\n"
    "\n"
    "Virtual ESP32 boards behind an emulated BlueZ on a message bus of its own. Runs\n"
    "COMMAND with DBUS_SYSTEM_BUS_ADDRESS set and ends with its status; without COMMAND\n"
    "prints what to export, and stays until it is interrupted.\n"
    "\n"
    "  --board NAME[,chip=esp32c3][,address=24:0A:C4:00:00:12][,image=FILE][,flash=FILE]\n"
    "          [,firmware=NAME][,version=TEXT]\n"
    "                    a board; may be given up to 32 times. Its factory partition gets\n"
    "                    the image, or one that runs the firmware \"minimal\", 1.0.0.\n"
    "                    NAME is for this program; what the board advertises is its\n"
    "                    firmware's choice (minimal: esp32)\n"
    "  --adapters N      Bluetooth adapters of the computer, 1 to 8 (1)\n"
    "  --air PROFILE     ideal, typical or worst (ideal), or a link that protocols are\n"
    "                    compared on: iphone-30, iphone-15, android-11, android-15,\n"
    "                    bluez-50, bluez-7, web-30, c3-7 (central and interval)\n"
    "  --flash TIMES     ideal, typical or worst (ideal)\n"
    "  --idf VERSION     boot loader and calls of ESP-IDF 5, 6, or 5.5 (5)\n"
    "  --seed N          of everything random (1)\n"
    "  --state DIR       keeps the boards' flash there\n"
    "  --cache always|no what BlueZ remembers of services (always)\n"
    "  --forget SECONDS  devices vanish when unused for so long (30)\n"
    "  --firmware-dir DIR\n"
    "                    where firmware modules are\n"
    "  --vhci            the adapters are this computer's (/dev/vhci), for its own\n"
    "                    bluetoothd; no BlueZ is emulated, and no bus started\n"
    "  --adapter NAME    offers the board (one alone) on this computer's adapter, hci0 for\n"
    "                    instance, through its bluetoothd, to whoever is in range\n"
    "  -v                boot logs on stderr\n"
    "  -h, --help\n"
    "\n"
    "Verbs act on a running updraft-sim, found by UPDRAFT_SIM in the environment:\n"
    "  boards                              what there is\n"
    "  air                                 the ledger of connection events and PDUs\n"
    "  power BOARD on|off|cycle|reset\n"
    "  link BOARD drop|shield|unshield     lost; out of range; back in range\n"
    "  link BOARD refuse lost|rejected|dropped|ignored [COUNT]   whoever connects\n"
    "  flash BOARD dump FILE|stats|cut-at OPERATION [VARIANT]\n"
    "  otadata BOARD\n"
    "  log BOARD [--follow]\n"
    "  bluez power on|off, bluez quit|kill|restart, bluez unplug|plug,\n"
    "  bluez deafen|hush                   the next discovery hears nothing; the next\n"
    "                                      connection is told by Connect's answer alone\n"
    "  bluez refuse METHOD ERROR|silence [COUNT]\n"
    "  bluez notifications pass|lose EVERY|gather COUNT   with --vhci\n"
    "and needs none running:\n"
    "  image ...                           makes a firmware image; see image --help\n";

static int complain(const char *what, const char *argument)
{
    fprintf(stderr, "updraft-sim: %s: %s; see updraft-sim --help\n", what, argument);
    return EXIT_USAGE;
}

bool tool_number(const char *text, uint64_t max, uint64_t *ret_value)
{
    char *end = NULL;
    errno = 0;
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    unsigned long long value = strtoull(text, &end, 0);
    if (errno != 0 || *end != '\0' || value > max) {
        return false;
    }
    *ret_value = value;
    return true;
}

static bool read_address(const char *text, uint8_t address[6])
{
    unsigned bytes[6];
    int used = 0;
    if (strlen(text) != 17 ||
        sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &bytes[0], &bytes[1], &bytes[2],
               &bytes[3], &bytes[4], &bytes[5], &used) != 6 ||
        used != 17) {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        address[i] = (uint8_t)bytes[i];
    }
    return true;
}

static bool valid_name(const char *name)
{
    if (name[0] == '\0' || strlen(name) >= TOOL_NAME_SIZE || name[0] == '.' ||
        name[0] == '-') {
        return false;
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && strchr("-_.", *c) == NULL) {
            return false;
        }
    }
    return true;
}

static bool read_board_key(struct tool_board *board, const char *key, char *value)
{
    if (strcmp(key, "chip") == 0) {
        board->model = sim_chip_model_named(value);
        return board->model != NULL;
    }
    if (strcmp(key, "address") == 0) {
        return read_address(value, board->address);
    }
    if (strcmp(key, "image") == 0) {
        board->image = value;
        return value[0] != '\0';
    }
    if (strcmp(key, "flash") == 0) {
        board->flash = value;
        return value[0] != '\0';
    }
    if (strcmp(key, "firmware") == 0 && valid_name(value)) {
        strcpy(board->firmware, value);
        return true;
    }
    if (strcmp(key, "version") == 0 && strlen(value) < TOOL_VERSION_SIZE) {
        strcpy(board->version, value);
        return true;
    }
    return false;
}

/* text: NAME[,key=value]...; it is cut up, and parts of it stay in use. */
static int add_board(struct tool_options *options, char *text)
{
    if (options->board_count == TOOL_BOARDS_MAX) {
        return complain("too many boards", text);
    }
    size_t index = options->board_count;
    struct tool_board *board = &options->boards[index];
    char *rest = text;
    const char *name = strsep(&rest, ",");
    if (!valid_name(name)) {
        return complain("not a name for a board", name);
    }
    for (size_t i = 0; i < index; i++) {
        if (strcmp(options->boards[i].name, name) == 0) {
            return complain("two boards of this name", name);
        }
    }
    strcpy(board->name, name);
    board->model = sim_chip_model_named("esp32");
    strcpy(board->firmware, "minimal");
    strcpy(board->version, "1.0.0");
    /* A base address of Espressif's; Bluetooth's is 2 above it. */
    const uint8_t address[6] = {0x24, 0x0A, 0xC4, 0x00, (uint8_t)index, 0x12};
    memcpy(board->address, address, sizeof(address));
    while (rest != NULL) {
        char *value = strsep(&rest, ",");
        const char *key = strsep(&value, "=");
        if (value == NULL || !read_board_key(board, key, value)) {
            return complain("not a property of a board", key);
        }
    }
    for (size_t i = 0; i < index; i++) {
        if (memcmp(options->boards[i].address, board->address, 6) == 0) {
            return complain("two boards with this one's address", name);
        }
    }
    options->board_count++;
    return 0;
}

static int read_idf(struct tool_options *options, const char *text)
{
    int used = 0;
    options->idf_minor = -1;
    if (sscanf(text, "%1d.%1d%n", &options->idf_major, &options->idf_minor, &used) != 2 &&
        sscanf(text, "%1d%n", &options->idf_major, &used) != 1) {
        used = -1;
    }
    if (used != (int)strlen(text) || options->idf_major < 5 || options->idf_major > 6) {
        return complain("not a version of ESP-IDF that is known", text);
    }
    if (options->idf_minor < 0) {
        options->idf_minor = options->idf_major == 5 ? 3 : 0;
    }
    return 0;
}

static int read_option(struct tool_options *options, int option, char *argument)
{
    uint64_t value = 0;
    switch (option) {
    case OPTION_BOARD:
        return add_board(options, argument);
    case OPTION_ADAPTERS:
        if (!tool_number(argument, SIM_BLUEZ_ADAPTERS_MAX, &value) || value == 0) {
            return complain("not a number of adapters", argument);
        }
        options->adapters = (size_t)value;
        return 0;
    case OPTION_AIR:
        options->air = sim_air_profile(argument);
        return options->air != NULL ? 0 : complain("no such air", argument);
    case OPTION_FLASH:
        options->flash = sim_flash_timing(argument);
        return options->flash != NULL ? 0 : complain("no such flash times", argument);
    case OPTION_IDF:
        return read_idf(options, argument);
    case OPTION_SEED:
        return tool_number(argument, UINT64_MAX, &options->seed)
                   ? 0
                   : complain("not a number", argument);
    case OPTION_STATE:
        options->state = argument;
        return 0;
    case OPTION_CACHE:
        options->cache = strcmp(argument, "always") == 0;
        return options->cache || strcmp(argument, "no") == 0
                   ? 0
                   : complain("neither always nor no", argument);
    case OPTION_FORGET:
        if (!tool_number(argument, 86400, &value) || value == 0) {
            return complain("not a number of seconds", argument);
        }
        options->temporary_ms = (uint32_t)value * 1000;
        return 0;
    case OPTION_FIRMWARE_DIR:
        options->firmware_dir = argument;
        return 0;
    case OPTION_VHCI:
        options->vhci = true;
        return 0;
    case OPTION_ADAPTER:
        options->adapter = argument;
        return 0;
    default: /* 'v' */
        options->verbose = true;
        return 0;
    }
}

int tool_options_read(int argc, char **argv, struct tool_options *ret_options,
                      bool *ret_help)
{
    static const struct option names[] = {
        {"board", required_argument, NULL, OPTION_BOARD},
        {"adapters", required_argument, NULL, OPTION_ADAPTERS},
        {"air", required_argument, NULL, OPTION_AIR},
        {"flash", required_argument, NULL, OPTION_FLASH},
        {"idf", required_argument, NULL, OPTION_IDF},
        {"seed", required_argument, NULL, OPTION_SEED},
        {"state", required_argument, NULL, OPTION_STATE},
        {"cache", required_argument, NULL, OPTION_CACHE},
        {"forget", required_argument, NULL, OPTION_FORGET},
        {"firmware-dir", required_argument, NULL, OPTION_FIRMWARE_DIR},
        {"vhci", no_argument, NULL, OPTION_VHCI},
        {"adapter", required_argument, NULL, OPTION_ADAPTER},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static char default_board[] = "esp32";
    struct tool_options *options = ret_options;
    *options = (struct tool_options){
        .adapters = 1,
        .air = sim_air_profile("ideal"),
        .flash = sim_flash_timing("ideal"),
        .idf_major = 5,
        .idf_minor = 3,
        .seed = 1,
        .firmware_dir = SIM_FIRMWARE_DIR,
        .cache = true,
    };
    if (getenv("UPDRAFT_SIM_FIRMWARE_DIR") != NULL) {
        options->firmware_dir = getenv("UPDRAFT_SIM_FIRMWARE_DIR");
    }
    *ret_help = false;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:vh", names, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            *ret_help = true;
            return 0;
        }
        if (option == '?' || option == ':') {
            sim_tool_bad_option("updraft-sim", option, argv);
            return EXIT_USAGE;
        }
        int status = read_option(options, option, optarg);
        if (status != 0) {
            return status;
        }
    }
    if (optind < argc && strcmp(argv[optind - 1], "--") != 0) {
        return complain("not a verb (a command goes after --)", argv[optind]);
    }
    options->command = optind < argc ? argv + optind : NULL;
    if (options->adapter != NULL && options->vhci) {
        return complain("--adapter and --vhci exclude each other", options->adapter);
    }
    if (options->adapter != NULL && options->board_count > 1) {
        return complain("an adapter offers one board", options->boards[1].name);
    }
    return options->board_count > 0 ? 0 : add_board(options, default_board);
}
