/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the verbs do to a running updraft-sim. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/chip/chip.h"
#include "sim/chip/otadata.h"
#include "sim/tool/board_process.h"
#include "sim/tool/supervisor.h"

#define EXIT_USAGE 2

struct verb {
    const char *name;
    const char *usage;
    int arguments_min, arguments_max; /* beside the verb */
    bool names_board;
    /* Ends the connection, now or later. board: NULL unless names_board. */
    void (*run)(struct connection *connection, struct board *board, int argc,
                char **argv);
};

static void done(struct connection *connection)
{
    control_end(connection, EXIT_SUCCESS);
}

static void failed(struct connection *connection, const char *what)
{
    control_fail(connection, "%s", what);
    control_end(connection, EXIT_FAILURE);
}

static void misused(struct connection *connection, const char *usage)
{
    control_fail(connection, "usage: updraft-sim %s", usage);
    control_end(connection, EXIT_USAGE);
}

/* ---- boards, power, link, log ---- */

static void run_boards(struct connection *connection, struct board *none, int argc,
                       char **argv)
{
    struct supervisor *supervisor = connection->supervisor;
    (void)none, (void)argc, (void)argv;
    for (size_t i = 0; i < supervisor->board_count; i++) {
        const struct board *board = &supervisor->boards[i];
        const uint8_t *a = board->options->address;
        const char *running =
            board->state.running[0] != '\0' ? board->state.running : "-";
        control_out(connection, "%s %s %02X:%02X:%02X:%02X:%02X:%02X %s %s boots=%u%s\n",
                    board->options->name, board->options->model->name, a[0], a[1], a[2],
                    a[3], a[4], a[5], board->powered ? "on" : "off", running,
                    board->boots, board->shielded ? " shielded" : "");
    }
    done(connection);
}

static void run_power(struct connection *connection, struct board *board, int argc,
                      char **argv)
{
    const char *what = argv[2];
    bool cycle = strcmp(what, "cycle") == 0;
    (void)argc;
    if (strcmp(what, "reset") == 0 && board->powered) {
        board_send(board, WIRE_RESET, NULL, 0);
        done(connection);
    } else if (strcmp(what, "on") == 0 || strcmp(what, "off") == 0 || cycle) {
        bool on = strcmp(what, "on") == 0;
        if ((cycle && board_power(board, false) < 0) ||
            board_power(board, on || cycle) < 0) {
            failed(connection, "the board's process does not start");
        } else {
            done(connection);
        }
    } else if (strcmp(what, "reset") == 0) {
        failed(connection, "the board has no power");
    } else {
        misused(connection, "power BOARD on|off|cycle|reset");
    }
}

#define LINK_USAGE                                                                      \
    "link BOARD drop|shield|unshield, link BOARD refuse lost|rejected|dropped|ignored " \
    "[COUNT]"

static bool refuse_links(struct board *board, const char *how, const char *count)
{
    static const char *const names[] = {
        [SIM_REFUSAL_LOST] = "lost",
        [SIM_REFUSAL_REJECTED] = "rejected",
        [SIM_REFUSAL_DROPPED] = "dropped",
        [SIM_REFUSAL_IGNORED] = "ignored",
    };
    uint64_t number = 1;
    if (count != NULL && !tool_number(count, 1000000, &number)) {
        return false;
    }
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(how, names[i]) == 0) {
            sim_controller_refuse(board->controller, (enum sim_refusal)i,
                                  (unsigned)number);
            return true;
        }
    }
    return false;
}

static void run_link(struct connection *connection, struct board *board, int argc,
                     char **argv)
{
    const char *what = argv[2];
    if (strcmp(what, "refuse") == 0 && argc >= 4 &&
        refuse_links(board, argv[3], argc > 4 ? argv[4] : NULL)) {
        done(connection);
    } else if (argc > 3) {
        misused(connection, LINK_USAGE);
    } else if (strcmp(what, "drop") == 0) {
        board_drop_links(board);
        done(connection);
    } else if (strcmp(what, "shield") == 0 || strcmp(what, "unshield") == 0) {
        board_shield(board, strcmp(what, "shield") == 0);
        done(connection);
    } else {
        misused(connection, LINK_USAGE);
    }
}

static void run_log(struct connection *connection, struct board *board, int argc,
                    char **argv)
{
    if (argc > 2 && strcmp(argv[2], "--follow") != 0) {
        misused(connection, "log BOARD [--follow]");
        return;
    }
    control_out(connection, "%.*s", (int)board->log_size, board->log);
    if (argc > 2) {
        connection->following = board;
    } else {
        done(connection);
    }
}

/* ---- flash ---- */

/* Opens the flash of a board without power, whose process is not there to ask. */
static sim_flash_t *open_flash(const struct board *board, sim_arena_t **ret_arena)
{
    const struct tool_options *options = &board->supervisor->options;
    *ret_arena = sim_arena_new(64u << 20);
    sim_flash_t *flash = sim_flash_open(*ret_arena, board->flash_path, BOARD_FLASH_SIZE,
                                        options->flash, options->seed);
    if (flash == NULL) {
        sim_arena_free(*ret_arena);
    }
    return flash;
}

static void flash_stats(struct connection *connection, struct board *board)
{
    sim_arena_t *arena = NULL;
    struct sim_flash_stats stats;
    if (board->powered) {
        if (board->asking != NULL) {
            failed(connection, "another verb asks the board at the moment");
            return;
        }
        board->asking = connection;
        board_send(board, WIRE_ASK_STATS, NULL, 0);
        return;
    }
    sim_flash_t *flash = open_flash(board, &arena);
    if (flash == NULL) {
        failed(connection, strerror(errno));
        return;
    }
    sim_flash_stats(flash, &stats);
    sim_flash_close(flash);
    sim_arena_free(arena);
    control_out(connection,
                "operations %" PRIu64 "\nsectors erased %" PRIu64
                "\nblocks erased %" PRIu64 "\npages programmed %" PRIu64
                "\nbytes read %" PRIu64 "\noverwrites %" PRIu64 "\n",
                stats.operations, stats.sectors_erased, stats.blocks_erased,
                stats.pages_programmed, stats.bytes_read, stats.overwrites);
    done(connection);
}

static void flash_cut_at(struct connection *connection, struct board *board,
                         const char *operation, const char *variant)
{
    sim_arena_t *arena = NULL;
    uint64_t number = 0, choice = 2;
    if (!tool_number(operation, UINT64_MAX, &number) ||
        (variant != NULL && !tool_number(variant, UINT32_MAX, &choice))) {
        misused(connection, "flash BOARD cut-at OPERATION [VARIANT]");
        return;
    }
    struct wire_cut cut;
    memset(&cut, 0, sizeof(cut));
    cut.operation = number;
    cut.variant = (uint32_t)choice;
    if (board->powered) {
        board_send(board, WIRE_CUT_AT, &cut, sizeof(cut));
        done(connection);
        return;
    }
    sim_flash_t *flash = open_flash(board, &arena);
    if (flash == NULL) {
        failed(connection, strerror(errno));
        return;
    }
    sim_flash_cut_at(flash, cut.operation, cut.variant);
    sim_flash_close(flash);
    sim_arena_free(arena);
    done(connection);
}

static void run_flash(struct connection *connection, struct board *board, int argc,
                      char **argv)
{
    const char *what = argv[2];
    if (strcmp(what, "dump") == 0 && argc == 4) {
        control_copy(connection, board->flash_path);
        done(connection);
    } else if (strcmp(what, "stats") == 0 && argc == 3) {
        flash_stats(connection, board);
    } else if (strcmp(what, "cut-at") == 0 && argc >= 4) {
        flash_cut_at(connection, board, argv[3], argc > 4 ? argv[4] : NULL);
    } else {
        misused(connection, "flash BOARD dump FILE|stats|cut-at OPERATION [VARIANT]");
    }
}

/* ---- otadata ---- */

static bool read_at(FILE *file, uint32_t offset, void *bytes, size_t size)
{
    return fseek(file, (long)offset, SEEK_SET) == 0 &&
           fread(bytes, 1, size, file) == size;
}

/* One line for each of the two entries, and which slot it stands for. */
static bool print_otadata(struct connection *connection, FILE *file)
{
    uint8_t bytes[SIM_TABLE_SIZE];
    struct sim_partition_table table;
    if (!read_at(file, SIM_TABLE_OFFSET, bytes, sizeof(bytes)) ||
        sim_partition_table_parse(bytes, BOARD_FLASH_SIZE, &table) != SIM_OK) {
        return false;
    }
    const struct sim_partition *otadata =
        sim_partition_find(&table, SIM_PARTITION_DATA, SIM_DATA_OTA, NULL);
    uint32_t slots = sim_partition_ota_count(&table);
    if (otadata == NULL || slots == 0) {
        return false;
    }
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t raw[SIM_OTADATA_ENTRY_SIZE];
        struct sim_otadata_entry entry;
        if (!read_at(file, otadata->offset + i * SIM_FLASH_SECTOR, raw, sizeof(raw))) {
            return false;
        }
        sim_otadata_decode(raw, &entry);
        if (entry.seq == UINT32_MAX || entry.seq == 0) {
            control_out(connection, "%" PRIu32 " empty\n", i);
            continue;
        }
        control_out(
            connection,
            "%" PRIu32 " sequence=%" PRIu32 " slot=ota_%" PRIu32 " state=%s crc=%s\n", i,
            entry.seq, (entry.seq - 1) % slots, sim_ota_state_name(entry.state),
            entry.crc == sim_otadata_crc(entry.seq) ? "right" : "wrong");
    }
    return true;
}

static void run_otadata(struct connection *connection, struct board *board, int argc,
                        char **argv)
{
    (void)argc, (void)argv;
    FILE *file = fopen(board->flash_path, "re");
    if (file == NULL) {
        failed(connection, strerror(errno));
        return;
    }
    bool printed = print_otadata(connection, file);
    fclose(file);
    if (printed) {
        done(connection);
    } else {
        failed(connection, "the flash holds no partition table with otadata");
    }
}

/* ---- bluez ---- */

#define BLUEZ_USAGE                                                                                           \
    "bluez power on|off, bluez quit|kill|restart, bluez unplug|plug, bluez deafen|hush, bluez refuse METHOD " \
    "ERROR|silence [COUNT]"

#define NOTIFICATIONS_USAGE "bluez notifications pass|lose EVERY|gather COUNT"

static void run_notifications(struct connection *connection, int argc, char **argv)
{
    struct vhci_notifications before;
    bool lose = argc == 4 && strcmp(argv[2], "lose") == 0;
    bool gather = argc == 4 && strcmp(argv[2], "gather") == 0;
    bool pass = argc == 3 && strcmp(argv[2], "pass") == 0;
    uint64_t every = 0;
    if (!(lose || gather || pass) ||
        (!pass && (!tool_number(argv[3], VHCI_KEPT_MAX, &every) || every < 2))) {
        misused(connection, NOTIFICATIONS_USAGE);
        return;
    }
    vhci_notifications(connection->supervisor, lose, (unsigned)every, &before);
    control_out(connection, "notifications %u\nlost %u\n", before.count, before.lost);
    done(connection);
}

/* Of the kernel's adapters, the plug is ours, and what their radio hears. */
static void run_vhci(struct connection *connection, int argc, char **argv)
{
    const char *what = argv[1];
    bool on = strcmp(what, "plug") == 0;
    if (strcmp(what, "notifications") == 0 && argc > 2) {
        run_notifications(connection, argc, argv);
    } else if (!on && strcmp(what, "unplug") != 0) {
        failed(connection, "BlueZ is not emulated here: command the real one");
    } else if (vhci_plug(connection->supervisor, on) < 0) {
        failed(connection, strerror(errno));
    } else {
        done(connection);
    }
}

static void run_bluez(struct connection *connection, struct board *none, int argc,
                      char **argv)
{
    sim_bluez_t *bluez = connection->supervisor->bluez;
    const char *what = argv[1];
    uint64_t count = 1;
    (void)none;
    if (bluez == NULL) {
        run_vhci(connection, argc, argv);
    } else if (strcmp(what, "power") == 0 && argc == 3 &&
               (strcmp(argv[2], "on") == 0 || strcmp(argv[2], "off") == 0)) {
        sim_bluez_power(bluez, strcmp(argv[2], "on") == 0);
        done(connection);
    } else if ((strcmp(what, "plug") == 0 || strcmp(what, "unplug") == 0) && argc == 2) {
        sim_bluez_plug(bluez, strcmp(what, "plug") == 0);
        done(connection);
    } else if (strcmp(what, "refuse") == 0 && argc >= 4 &&
               (argc == 4 || tool_number(argv[4], 1000000, &count)) &&
               sim_bluez_refuse(bluez, argv[2], argv[3], (unsigned)count)) {
        done(connection);
    } else if (strcmp(what, "deafen") == 0 && argc == 2) {
        sim_bluez_deafen(bluez);
        done(connection);
    } else if (strcmp(what, "hush") == 0 && argc == 2) {
        sim_bluez_hush(bluez);
        done(connection);
    } else if (strcmp(what, "kill") == 0 && argc == 2) {
        sim_bluez_kill(bluez);
        done(connection);
    } else if ((strcmp(what, "quit") == 0 || strcmp(what, "restart") == 0) && argc == 2) {
        sim_bluez_stop(bluez);
        int result = strcmp(what, "restart") == 0 ? sim_bluez_start(bluez) : 0;
        if (result < 0) {
            failed(connection, strerror(-result));
        } else {
            done(connection);
        }
    } else {
        misused(connection, BLUEZ_USAGE);
    }
}

/* The air's ledger; instant air counts no events. */
static void run_air(struct connection *connection, struct board *none, int argc,
                    char **argv)
{
    struct sim_air_ledger ledger;
    (void)none, (void)argc, (void)argv;
    sim_air_ledger(connection->supervisor->air, &ledger);
    control_out(connection,
                "connection events %" PRIu64 "\ndata PDUs %" PRIu64
                "\ndata bytes %" PRIu64 "\nlost PDUs %" PRIu64 "\nair time us %" PRIu64
                "\nlinks %" PRIu64 "\n",
                ledger.connection_events, ledger.data_pdus, ledger.data_bytes,
                ledger.lost_pdus, ledger.air_time_us, ledger.links);
    done(connection);
}

static const struct verb verbs[] = {
    {"air", "air", 0, 0, false, run_air},
    {"boards", "boards", 0, 0, false, run_boards},
    {"power", "power BOARD on|off|cycle|reset", 2, 2, true, run_power},
    {"link", LINK_USAGE, 2, 4, true, run_link},
    {"flash", "flash BOARD dump FILE|stats|cut-at OPERATION [VARIANT]", 2, 4, true,
     run_flash},
    {"otadata", "otadata BOARD", 1, 1, true, run_otadata},
    {"log", "log BOARD [--follow]", 1, 2, true, run_log},
    {"bluez", BLUEZ_USAGE, 1, 4, false, run_bluez},
};

void verb_run(struct connection *connection, int argc, char **argv)
{
    for (size_t i = 0; argc > 0 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        const struct verb *verb = &verbs[i];
        if (strcmp(verb->name, argv[0]) != 0) {
            continue;
        }
        if (argc - 1 < verb->arguments_min || argc - 1 > verb->arguments_max) {
            misused(connection, verb->usage);
            return;
        }
        struct board *board = NULL;
        if (verb->names_board) {
            board = board_named(connection->supervisor, argv[1]);
            if (board == NULL) {
                control_fail(connection, "no board of this name: %s", argv[1]);
                control_end(connection, EXIT_USAGE);
                return;
            }
        }
        verb->run(connection, board, argc, argv);
        return;
    }
    control_fail(connection, "no such verb: %s", argc > 0 ? argv[0] : "");
    control_end(connection, EXIT_USAGE);
}
