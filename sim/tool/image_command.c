/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft-sim image: writes an ESP32 image that names firmware and behaviour. */
#define _GNU_SOURCE
#include "sim/tool/image_command.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/chip/model.h"
#include "sim/image/image.h"

#define EXIT_FILE     1
#define EXIT_USAGE    2
#define SIZE_MAX_MIB  16u
#define LEAST_ROOM    4096u
#define PROGRAM       "updraft-sim image"
#define TEXT_MAX      31u
#define PROJECT_SPACE 8u /* "updraft-" */

/* Options whose letter another one has. */
#define OPTION_HARDWARE       0x100
#define OPTION_SECURE_VERSION 0x101

struct options {
    struct sim_image_request request;
    const char *chip;
    const char *output;
};

static void print_usage(FILE *file)
{
    fprintf(
        file,
        "usage: " PROGRAM " --firmware NAME --version VERSION --chip CHIP -o FILE\n"
        "       [--behaviour NAME] [--project NAME] [--size BYTES[K|M]] [--seed N]\n"
        "       [--hardware N] [--secure-version N] [--without-updraft]\n"
        "\n"
        "Writes an ESP32 image that makes the simulator run firmware NAME.\n"
        "  --firmware NAME   module fw_NAME.so, at most 31 characters\n"
        "  --version TEXT    of the application, at most 31 characters\n"
        "  --project NAME    of the application; else \"updraft-\" and the firmware's "
        "name\n"
        "  --size BYTES      of the file at least; K and M stand for 1024 and 1024^2\n"
        "  --seed N          of the filling; the same options make the same file\n"
        "  --hardware N      number of the board that it is for; 0, the default: any\n"
        "  --secure-version N\n"
        "                    of the application; 0\n"
        "  --without-updraft no marker that says that it can be updated again\n");
    fprintf(file, "  --chip CHIP      ");
    for (size_t i = 0; i < sim_chip_model_count; i++) {
        fprintf(file, " %s", sim_chip_models[i].name);
    }
    fprintf(file, "\n  --behaviour NAME ");
    for (size_t i = 0; sim_image_behaviours[i] != NULL; i++) {
        fprintf(file, " %s", sim_image_behaviours[i]);
    }
    fprintf(file, "\n");
}

/* A number, hexadecimal after 0x; with K or M behind it if `units`. */
static bool parse_number(const char *text, bool units, uint64_t most, uint64_t *ret_value)
{
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    char *end;
    errno = 0;
    int base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
    uint64_t value = strtoull(text, &end, base);
    uint64_t factor = 1;
    if (units && (*end == 'K' || *end == 'k')) {
        factor = 1024;
        end++;
    } else if (units && (*end == 'M' || *end == 'm')) {
        factor = UINT64_C(1024) * 1024;
        end++;
    }
    if (errno != 0 || *end != '\0' || value > most / factor) {
        return false;
    }
    *ret_value = value * factor;
    return true;
}

static bool check_chip(struct options *options)
{
    const struct sim_chip_model *model = sim_chip_model_named(options->chip);
    if (model != NULL) {
        options->request.chip_id = model->chip_id;
        return true;
    }
    fprintf(stderr, PROGRAM ": no chip \"%s\"; there are", options->chip);
    for (size_t i = 0; i < sim_chip_model_count; i++) {
        fprintf(stderr, " %s", sim_chip_models[i].name);
    }
    fprintf(stderr, "\n");
    return false;
}

static bool check_behaviour(const char *name)
{
    for (size_t i = 0; sim_image_behaviours[i] != NULL; i++) {
        if (name == NULL || strcmp(name, sim_image_behaviours[i]) == 0) {
            return true;
        }
    }
    fprintf(stderr, PROGRAM ": no behaviour \"%s\"; there are", name);
    for (size_t i = 0; sim_image_behaviours[i] != NULL; i++) {
        fprintf(stderr, " %s", sim_image_behaviours[i]);
    }
    fprintf(stderr, "\n");
    return false;
}

static bool check_text(const char *option, const char *text, size_t most)
{
    if (text == NULL) {
        fprintf(stderr, PROGRAM ": --%s is missing\n", option);
        return false;
    }
    if (text[0] == '\0' || strlen(text) > most) {
        fprintf(stderr, PROGRAM ": --%s takes 1 to %zu characters\n", option, most);
        return false;
    }
    return true;
}

static bool check_options(struct options *options)
{
    struct sim_image_request *request = &options->request;
    if (!check_text("firmware", request->firmware, TEXT_MAX) ||
        !check_text("version", request->version, TEXT_MAX) ||
        !check_text("chip", options->chip, TEXT_MAX)) {
        return false;
    }
    if (request->project == NULL &&
        strlen(request->firmware) > TEXT_MAX - PROJECT_SPACE) {
        fprintf(stderr, PROGRAM ": a firmware name of that length needs --project\n");
        return false;
    }
    if (request->project != NULL && !check_text("project", request->project, TEXT_MAX)) {
        return false;
    }
    if (options->output == NULL || options->output[0] == '\0') {
        fprintf(stderr, PROGRAM ": -o FILE is missing\n");
        return false;
    }
    return check_chip(options) && check_behaviour(request->behaviour);
}

static bool take_option(struct options *options, int option, const char *value)
{
    struct sim_image_request *request = &options->request;
    uint64_t number;
    switch (option) {
    case 'f':
        request->firmware = value;
        return true;
    case 'v':
        request->version = value;
        return true;
    case 'c':
        options->chip = value;
        return true;
    case 'b':
        request->behaviour = value;
        return true;
    case 'p':
        request->project = value;
        return true;
    case 'o':
        options->output = value;
        return true;
    case 's':
        if (!parse_number(value, true, (uint64_t)SIZE_MAX_MIB << 20, &number)) {
            fprintf(stderr, PROGRAM ": --size takes bytes, up to %uM, not \"%s\"\n",
                    SIZE_MAX_MIB, value);
            return false;
        }
        request->size_bytes = (uint32_t)number;
        return true;
    case 'w':
        request->without_updraft = true;
        return true;
    case OPTION_HARDWARE:
    case OPTION_SECURE_VERSION:
        if (!parse_number(value, false, UINT32_MAX, &number)) {
            fprintf(stderr, PROGRAM ": --%s takes a number of 32 bits, not \"%s\"\n",
                    option == OPTION_HARDWARE ? "hardware" : "secure-version", value);
            return false;
        }
        *(option == OPTION_HARDWARE ? &request->hardware_id : &request->secure_version) =
            (uint32_t)number;
        return true;
    case 'n':
        if (!parse_number(value, false, UINT64_MAX, &number)) {
            fprintf(stderr, PROGRAM ": --seed takes a number, not \"%s\"\n", value);
            return false;
        }
        request->seed = number;
        return true;
    default:
        return false;
    }
}

/* Whole or not at all: an older file stays until the new one is complete. */
static bool write_file(const char *path, const uint8_t *bytes, size_t size)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof(temporary)) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = mkstemp(temporary);
    if (fd < 0) {
        return false;
    }
    FILE *file = fdopen(fd, "wb");
    bool written = file != NULL && fwrite(bytes, 1, size, file) == size;
    if (file == NULL) {
        close(fd);
    } else {
        /* mkstemp makes files that only their owner may read. */
        mode_t mask = umask(0);
        umask(mask);
        written = fchmod(fd, 0666 & ~mask) == 0 && written;
        written = fclose(file) == 0 && written;
    }
    if (!written || rename(temporary, path) != 0) {
        int error = errno;
        unlink(temporary);
        errno = error;
        return false;
    }
    return true;
}

static int make(const struct options *options)
{
    size_t capacity = (size_t)options->request.size_bytes + LEAST_ROOM;
    uint8_t *bytes = malloc(capacity);
    size_t size = bytes == NULL ? 0 : sim_image_make(&options->request, bytes, capacity);
    if (size == 0) {
        fprintf(stderr, PROGRAM ": cannot make an image of %u bytes\n",
                options->request.size_bytes);
        free(bytes);
        return EXIT_FILE;
    }
    bool written = write_file(options->output, bytes, size);
    if (!written) {
        fprintf(stderr, PROGRAM ": cannot write %s: %s\n", options->output,
                strerror(errno));
    }
    free(bytes);
    return written ? 0 : EXIT_FILE;
}

void sim_tool_bad_option(const char *program, int option, char *const *argv)
{
    const char *word = argv[optind - 1];
    const char letter[] = {'-', (char)optopt, '\0'};
    const char *what = "no such option";
    if (option == ':') {
        what = "a value is missing";
    } else if (optopt != 0 && strchr(word, '=') != NULL) {
        what = "it takes no value";
    } else if (optopt != 0) {
        word = letter; /* among others, perhaps */
    }
    fprintf(stderr, "%s: %s: %s; see %s --help\n", program, what, word, program);
}

int sim_tool_image(int argc, char **argv)
{
    static const struct option names[] = {
        {"firmware", required_argument, NULL, 'f'},
        {"version", required_argument, NULL, 'v'},
        {"chip", required_argument, NULL, 'c'},
        {"behaviour", required_argument, NULL, 'b'},
        {"project", required_argument, NULL, 'p'},
        {"size", required_argument, NULL, 's'},
        {"seed", required_argument, NULL, 'n'},
        {"hardware", required_argument, NULL, OPTION_HARDWARE},
        {"secure-version", required_argument, NULL, OPTION_SECURE_VERSION},
        {"without-updraft", no_argument, NULL, 'w'},
        {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {0};
    optind = 0; /* anew, whoever parsed options before */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":o:h", names, NULL)) != -1;) {
        if (option == 'h') {
            print_usage(stdout);
            return 0;
        }
        if (option == '?' || option == ':') {
            sim_tool_bad_option(PROGRAM, option, argv);
            return EXIT_USAGE;
        }
        if (!take_option(&options, option, optarg)) {
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, PROGRAM ": what is \"%s\"? See " PROGRAM " --help\n",
                argv[optind]);
        return EXIT_USAGE;
    }
    return check_options(&options) ? make(&options) : EXIT_USAGE;
}
