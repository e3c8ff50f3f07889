/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What each verb does. All return the exit status.
 */
#ifndef UPDRAFT_CLI_VERBS_H
#define UPDRAFT_CLI_VERBS_H

#include "cli/message.h"
#include "client/src/inspect.h"

int cli_scan(const struct cli_options *options);
int cli_info(const struct cli_options *options);
int cli_update(const struct cli_options *options);
int cli_activate(const struct cli_options *options);
int cli_confirm(const struct cli_options *options);
int cli_rollback(const struct cli_options *options);
int cli_image(const struct cli_options *options);

/* Writes bytes as lower-case hexadecimal digits and a terminator. */
void cli_hex(const uint8_t *bytes, size_t size, char *ret_text);

/* Reads a whole file. Returns 0, FILE with ret_problem telling why, or MEMORY. The bytes
 * are the caller's to free. */
int cli_read_file(const char *path, uint8_t **ret_bytes, size_t *ret_size,
                  const char **ret_problem);

#endif
