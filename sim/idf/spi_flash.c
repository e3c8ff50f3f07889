/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * ESP-IDF's flash driver: commands one after another, each of which stops the board. */
#include <stdio.h>
#include <string.h>

#include "sim/idf/internal.h"
#include "spi_flash_mmap.h"

#define HOST_TASK "nimble_host"

void sim_spi_flash_enter(sim_board_t *board, const char *what)
{
    if (!sim_in_task(board)) {
        sim_panic("flash: %s in interrupt context", what);
        return;
    }
    if (strcmp(board->current->name, HOST_TASK) != 0) {
        return;
    }
    board->host_task_flash_calls++;
    sim_runtime_log(board,
                    "simulator: flash call (%s) in the task " HOST_TASK ", which stops "
                    "every connection meanwhile",
                    what);
    if (!board->config.allow_flash_in_host_task) {
        fprintf(stderr, "simulator: flash call (%s) in the task " HOST_TASK "\n", what);
        sim_panic("simulator: not allowed in this board's configuration");
    }
}

void sim_spi_flash_leave(sim_board_t *board, uint64_t us)
{
    if (sim_flash_is_cut(board->config.chip->flash)) {
        sim_board_request_cut(board);
    }
    sim_stall(board, us);
}

static esp_err_t result_of(sim_board_t *board, enum sim_flash_result result, uint64_t us)
{
    sim_spi_flash_leave(board, us);
    switch (result) {
    case SIM_FLASH_OK:
        return ESP_OK;
    case SIM_FLASH_RANGE:
        return ESP_ERR_INVALID_ARG;
    case SIM_FLASH_FAILED:
    case SIM_FLASH_CUT:
        break;
    }
    return ESP_ERR_FLASH_OP_FAIL;
}

esp_err_t sim_spi_flash_read(sim_board_t *board, uint32_t offset, void *bytes,
                             uint32_t size)
{
    uint64_t us = 0;
    enum sim_flash_result result =
        sim_flash_read(board->config.chip->flash, offset, bytes, size, &us);
    return result_of(board, result, us);
}

esp_err_t sim_spi_flash_write(sim_board_t *board, uint32_t offset, const void *bytes,
                              uint32_t size)
{
    sim_spi_flash_enter(board, "write");
    const uint8_t *source = bytes;
    uint32_t chunk_size = board->firmware->write_chunk_size;
    esp_err_t result = ESP_OK;
    for (uint32_t done = 0; done < size && result == ESP_OK;) {
        uint32_t chunk = size - done < chunk_size ? size - done : chunk_size;
        uint64_t us = 0;
        enum sim_flash_result written = sim_flash_program(
            board->config.chip->flash, offset + done, source + done, chunk, &us);
        result = result_of(board, written, us);
        done += chunk;
    }
    return result;
}

/* The next command of an erase: a block where one fits, else a sector. */
static uint32_t erase_step(const sim_board_t *board, uint32_t offset, uint32_t size)
{
    if (!board->firmware->erase_by_sectors && offset % SIM_FLASH_BLOCK == 0 &&
        size >= SIM_FLASH_BLOCK) {
        return SIM_FLASH_BLOCK;
    }
    return SIM_FLASH_SECTOR;
}

esp_err_t sim_spi_flash_erase(sim_board_t *board, uint32_t offset, uint32_t size)
{
    sim_spi_flash_enter(board, "erase");
    uint64_t since_us = sim_now_us(board);
    esp_err_t result = ESP_OK;
    for (uint32_t done = 0; done < size && result == ESP_OK;) {
        uint32_t step = erase_step(board, offset + done, size - done);
        uint64_t us = 0;
        enum sim_flash_result erased =
            sim_flash_erase(board->config.chip->flash, offset + done, step, &us);
        result = result_of(board, erased, us);
        done += step;
        uint32_t yield_ms = board->firmware->erase_yield_ms;
        if (yield_ms > 0 && done < size &&
            sim_now_us(board) - since_us >= (uint64_t)yield_ms * 1000u) {
            sim_task_block(
                board, NULL,
                sim_ticks_from_now_us(board, board->firmware->erase_yield_ticks));
            since_us = sim_now_us(board);
        }
    }
    return result;
}
