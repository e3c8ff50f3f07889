/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The progress bar.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/progress.h"

#define REDRAW_MS    100u
#define BAR_MAX      40u
#define TEXT_COLUMNS 55u /* with rate and time left: the bar keeps its width */
#define COLUMNS      80u
#define TEXT_SIZE    128u
#define WIPE         "\r\033[K"
#define RATE_FROM_MS 500u /* a rate taken over less would jump about */

uint64_t cli_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void cli_progress_init(struct cli_progress *progress, bool wanted)
{
    memset(progress, 0, sizeof(*progress));
    progress->wanted = wanted;
    progress->terminal = cli_terminal(stderr);
}

static void time_text(uint64_t seconds, char *ret_text, size_t size)
{
    if (seconds < 100) {
        snprintf(ret_text, size, "%u s", (unsigned)seconds);
    } else {
        snprintf(ret_text, size, "%u min %02u s", (unsigned)(seconds / 60),
                 (unsigned)(seconds % 60));
    }
}

void cli_progress_text(const struct cli_progress *progress, uint32_t done_bytes,
                       uint64_t elapsed_ms, char *ret_text, size_t size)
{
    uint32_t total_bytes = progress->total_bytes;
    uint32_t kept_bytes = progress->kept_bytes;
    unsigned percent =
        total_bytes > 0 ? (unsigned)((uint64_t)done_bytes * 100u / total_bytes) : 0;
    int used = snprintf(ret_text, size, "%3u %%  %.1f KiB of %.1f KiB", percent,
                        done_bytes / 1024.0, total_bytes / 1024.0);
    if (used < 0 || (size_t)used >= size || done_bytes <= kept_bytes ||
        elapsed_ms < RATE_FROM_MS) {
        return;
    }
    char left[32];
    double rate = (done_bytes - kept_bytes) * 1000.0 / (double)elapsed_ms;
    time_text((uint64_t)((total_bytes - done_bytes) / rate + 0.5), left, sizeof(left));
    snprintf(ret_text + used, size - (size_t)used, "  %.1f KiB/s  %s left", rate / 1024.0,
             left);
}

static unsigned terminal_columns(void)
{
    struct winsize window;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
        return window.ws_col;
    }
    return COLUMNS;
}

static void draw_bar(struct cli_progress *progress, const char *text, uint32_t done_bytes)
{
    unsigned columns = terminal_columns();
    size_t text_length = strlen(text);
    text_length = text_length < TEXT_COLUMNS ? TEXT_COLUMNS : text_length;
    unsigned bar = 0;
    if (columns > text_length + 5) {
        bar = columns - (unsigned)text_length - 5;
        bar = bar > BAR_MAX ? BAR_MAX : bar;
    }
    char marks[BAR_MAX + 1];
    unsigned full = progress->total_bytes > 0
                        ? (unsigned)((uint64_t)done_bytes * bar / progress->total_bytes)
                        : 0;
    for (unsigned i = 0; i < bar; i++) {
        marks[i] = i < full ? '#' : '-';
    }
    marks[bar] = '\0';
    if (bar >= 5) {
        fprintf(stderr, WIPE "[%s] %s", marks, text);
    } else {
        fprintf(stderr, WIPE "%.*s", (int)columns - 1, text);
    }
    fflush(stderr);
    progress->drawn = true;
}

void cli_progress_update(struct cli_progress *progress, uint32_t done_bytes,
                         uint32_t total_bytes, uint32_t kept_bytes)
{
    char text[TEXT_SIZE];
    uint64_t now_ms = cli_now_ms();
    if (!progress->wanted || total_bytes == 0) {
        return;
    }
    if (!progress->started) {
        progress->started = true;
        progress->started_ms = now_ms;
        progress->total_bytes = total_bytes;
        progress->kept_bytes = kept_bytes;
        progress->tenths_said = (unsigned)((uint64_t)kept_bytes * 10u / total_bytes);
    }
    cli_progress_text(progress, done_bytes, now_ms - progress->started_ms, text,
                      sizeof(text));
    if (progress->terminal) {
        bool last = done_bytes == total_bytes;
        if (!progress->drawn || last || now_ms - progress->drawn_ms >= REDRAW_MS) {
            draw_bar(progress, text, done_bytes);
            progress->drawn_ms = now_ms;
        }
        if (last) {
            fputc('\n', stderr);
            progress->drawn = false;
        }
        return;
    }
    unsigned tenths = (unsigned)((uint64_t)done_bytes * 10u / total_bytes);
    if (tenths > progress->tenths_said) {
        progress->tenths_said = tenths;
        fprintf(stderr, "%s\n", text);
    }
}

void cli_progress_clear(struct cli_progress *progress)
{
    if (progress->drawn) {
        fputs(WIPE, stderr);
        progress->drawn = false;
    }
}

void cli_progress_restart(struct cli_progress *progress)
{
    cli_progress_clear(progress);
    progress->started = false;
    progress->tenths_said = 0;
}
