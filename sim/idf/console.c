/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The board's console: ESP-IDF's log, printf, and what the simulator itself says there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "esp_log.h"
#include "sim/idf/internal.h"

void sim_console_init(sim_board_t *board)
{
    struct sim_console *console = &board->console;
    memset(console, 0, sizeof(*console));
    console->default_level = board->firmware != NULL ? board->firmware->log_level : 3;
}

void sim_console_flush(sim_board_t *board)
{
    struct sim_console *console = &board->console;
    if (console->used == 0) {
        return;
    }
    console->line[console->used] = '\0';
    console->used = 0;
    if (board->config.ops->log != NULL) {
        board->config.ops->log(board->config.context, console->line);
    }
}

void sim_console_text(sim_board_t *board, const char *text)
{
    struct sim_console *console = &board->console;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\n') {
            if (console->used == 0) {
                console->line[console->used++] = ' '; /* an empty line is a line */
            }
            sim_console_flush(board);
        } else if (*at != '\r') {
            if (console->used == SIM_LINE_MAX - 1) {
                sim_console_flush(board);
            }
            console->line[console->used++] = *at;
        }
    }
}

int sim_console_print(sim_board_t *board, const char *format, va_list arguments)
{
    char text[4 * SIM_LINE_MAX];
    int length = vsnprintf(text, sizeof(text), format, arguments);
    if (length >= 0) {
        sim_console_text(board, text);
    }
    return length;
}

void sim_runtime_log(sim_board_t *board, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sim_console_flush(board);
    sim_console_print(board, format, arguments);
    sim_console_flush(board);
    va_end(arguments);
}

/* ESP-IDF's log */

static int level_of(const sim_board_t *board, const char *tag)
{
    const struct sim_console *console = &board->console;
    for (size_t i = 0; i < console->level_count; i++) {
        if (strcmp(console->levels[i].tag, tag) == 0) {
            return console->levels[i].level;
        }
    }
    return console->default_level;
}

void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    struct sim_console *console = &sim_board_now()->console;
    if (strcmp(tag, "*") == 0) {
        console->default_level = (int)level;
        console->level_count = 0;
        return;
    }
    size_t i = 0;
    while (i < console->level_count && strcmp(console->levels[i].tag, tag) != 0) {
        i++;
    }
    if (i == SIM_TAG_LEVELS) {
        i = 0; /* full: the oldest goes, as in ESP-IDF's cache */
    } else if (i == console->level_count) {
        console->level_count++;
    }
    snprintf(console->levels[i].tag, sizeof(console->levels[i].tag), "%s", tag);
    console->levels[i].level = (int)level;
}

esp_log_level_t esp_log_level_get(const char *tag)
{
    return (esp_log_level_t)level_of(sim_board_now(), tag);
}

vprintf_like_t esp_log_set_vprintf(vprintf_like_t func)
{
    struct sim_console *console = &sim_board_now()->console;
    vprintf_like_t before = console->print;
    console->print = func;
    return before;
}

uint32_t esp_log_timestamp(void)
{
    return (uint32_t)(sim_uptime_us(sim_board_now()) / 1000u);
}

uint32_t esp_log_early_timestamp(void)
{
    return esp_log_timestamp();
}

void esp_log_writev(esp_log_level_t level, const char *tag, const char *format,
                    va_list args)
{
    sim_board_t *board = sim_board_now();
    if ((int)level > level_of(board, tag)) {
        return;
    }
    if (board->console.print != NULL) {
        board->console.print(format, args);
    } else {
        sim_console_print(board, format, args);
    }
}

void esp_log_write(esp_log_level_t level, const char *tag, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    esp_log_writev(level, tag, format, arguments);
    va_end(arguments);
}

void esp_log_buffer_hex_internal(const char *tag, const void *buffer, uint16_t buff_len,
                                 esp_log_level_t level)
{
    const uint8_t *bytes = buffer;
    for (size_t offset = 0; offset < buff_len; offset += 16) {
        char text[16 * 3 + 1] = "";
        for (size_t i = offset; i < buff_len && i < offset + 16; i++) {
            snprintf(text + (i - offset) * 3, 4, "%02x ", bytes[i]);
        }
        ESP_LOG_LEVEL(level, tag, "%s", text);
    }
}

/* printf and its relatives, as modules call them */

int __wrap_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int __wrap_vprintf(const char *format, va_list arguments);
int __wrap_puts(const char *text);
int __wrap_putchar(int character);

int __wrap_vprintf(const char *format, va_list arguments)
{
    return sim_console_print(sim_board_now(), format, arguments);
}

int __wrap_printf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = __wrap_vprintf(format, arguments);
    va_end(arguments);
    return length;
}

int __wrap_puts(const char *text)
{
    sim_board_t *board = sim_board_now();
    sim_console_text(board, text);
    sim_console_text(board, "\n");
    return 1;
}

int __wrap_putchar(int character)
{
    char text[2] = {(char)character, '\0'};
    sim_console_text(sim_board_now(), text);
    return character;
}

int esp_rom_printf(const char *fmt, ...)
{
    va_list arguments;
    va_start(arguments, fmt);
    int length = sim_console_print(sim_board_now(), fmt, arguments);
    va_end(arguments);
    return length;
}
