/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * How the command speaks: errors with what, why and what to do; JSON lines.
 */
#ifndef UPDRAFT_CLI_MESSAGE_H
#define UPDRAFT_CLI_MESSAGE_H

#include <jansson.h>

#include "cli/options.h"
#include "updraft/image.h"
#include "updraft/info.h"

/* What an error is about. Unused fields are NULL. */
struct cli_context {
    const struct cli_options *options;
    const char *device; /* "kitchen (AA:BB:CC:DD:EE:FF)", once one was found */
    const char *file;
    const char *candidates; /* addresses to choose from */
    const char *detail;     /* what the system said; or "" */
    const char *old_version;
    const char *new_version;
    bool taken; /* the device has verified the image and restarts into it */
    const struct updraft_image *image; /* of the file */
    uint32_t sent_size_bytes;          /* of the file, with protocol 2 */
    const struct updraft_info *info;   /* what the device said of itself last */
    uint32_t status_detail;            /* what it said beside its refusal */
};

/* Ends a command: prints the error (or nothing) on standard error, with --json a
 * "finished" object on standard output instead of silence. `result`, stolen, is merged
 * into it; may be NULL. Returns the exit status. */
int cli_finish(const struct cli_context *context, int status, json_t *result);

/* The same for a command line that could not be read. */
int cli_usage_error(const struct cli_options *options, const char *problem);

/* Prints one object as a line on standard output, with "schema" and "event" first. Steals
 * `fields`. */
void cli_json_line(const char *event, json_t *fields);

/* Writes out what was printed. Returns the exit status: that given, unless it is 0 and
 * standard output could not be written, which is said as well. */
int cli_flush(int exit_status);

/* False once standard output could not be written. */
bool cli_output_good(void);

/* True when this stream is a terminal on which the cursor can be moved. */
bool cli_terminal(FILE *file);

/* True when a person sees this stream in colour: a terminal, and NO_COLOR not set. */
bool cli_colour(FILE *file);

/* Says what a device with protocol 2 has against the image; false where it is something
 * else that is wrong. */
bool cli_say_refusal(const struct cli_context *context, int status, char *ret_text,
                     size_t size);

#endif
