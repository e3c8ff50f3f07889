/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * How far a transfer is, on standard error.
 */
#ifndef UPDRAFT_CLI_PROGRESS_H
#define UPDRAFT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bar that is drawn anew at most ten times a second; where standard error is no
 * terminal, a line every 10 %. */
struct cli_progress {
    bool wanted;
    bool terminal;
    bool drawn; /* the cursor is behind a bar */
    bool started;
    uint64_t started_ms;
    uint64_t drawn_ms;
    unsigned tenths_said;
    uint32_t total_bytes;
    uint32_t kept_bytes; /* counts as done, but took no time */
};

uint64_t cli_now_ms(void);

void cli_progress_init(struct cli_progress *progress, bool wanted);
void cli_progress_update(struct cli_progress *progress, uint32_t done_bytes,
                         uint32_t total_bytes, uint32_t kept_bytes);
/* Before anything else is printed. A finished bar stays; an unfinished one is wiped. */
void cli_progress_clear(struct cli_progress *progress);
/* A transfer starts anew: forgets how far the last one came. */
void cli_progress_restart(struct cli_progress *progress);

/* The line's text without bar and cursor movement: "52 %  136.0 KiB of 256.0 KiB
 * 12.3 KiB/s  10 s left". */
void cli_progress_text(const struct cli_progress *progress, uint32_t done_bytes,
                       uint64_t elapsed_ms, char *ret_text, size_t size);

#endif
