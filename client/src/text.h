/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Text that came from a device or a file, made fit for a terminal.
 */
#ifndef UPDRAFT_CLIENT_TEXT_H
#define UPDRAFT_CLIENT_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Copies text that a device sent: stops at a NUL, replaces what is not printable UTF-8 by
 * '?', cuts at a character's border where it does not fit. Always terminates. */
void updraft_text_copy(char *ret_text, size_t text_size, const uint8_t *bytes,
                       size_t size);

#endif
