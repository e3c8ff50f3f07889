/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What an image's marker asks for: firmware that fails in a certain way. */
#include <string.h>

#include "driver/gpio.h"
#include "esp_rom_sys.h"
#include "sim/idf/internal.h"

#define CRASH_AFTER_US      100000u
#define SPIN_AFTER_MS       1000u
#define SPIN_STEP_US        10000u
#define SPIN_PRIORITY       (configMAX_PRIORITIES - 2)
#define PIN_LEVEL_PULLED_UP 1

static void crash(void *context)
{
    sim_board_t *board = context;
    if (sim_runtime_enter(board)) {
        sim_panic("abort() was called on core 0, task main");
        sim_runtime_leave(board);
    }
}

static void spin(void *argument)
{
    (void)argument;
    vTaskDelay(pdMS_TO_TICKS(SPIN_AFTER_MS));
    for (;;) {
        esp_rom_delay_us(SPIN_STEP_US);
    }
}

static void hang(void *argument)
{
    (void)argument;
    for (;;) {
        vTaskDelay(portMAX_DELAY);
    }
}

static void main_task(void *argument)
{
    sim_board_t *board = argument;
    board->firmware->app_main();
}

void sim_behaviour_start(sim_board_t *board)
{
    TaskFunction_t entry = board->behaviour == SIM_HANG_EARLY ? hang : main_task;
    TaskHandle_t main = sim_task_new(board, entry, "main", board, 1);
    main->declared_stack = board->firmware->main_stack_size;
    main->heap_block = sim_heap_alloc(board, main->declared_stack);
    board->behaviour_event.fire = crash;
    board->behaviour_event.context = board;
    if (board->behaviour == SIM_CRASH) {
        sim_loop_after(board->config.loop, &board->behaviour_event, CRASH_AFTER_US);
    } else if (board->behaviour == SIM_HANG_SPIN) {
        sim_task_new(board, spin, "spin", NULL, SPIN_PRIORITY);
    }
}

void sim_behaviour_clear(sim_board_t *board)
{
    sim_loop_cancel(board->config.loop, &board->behaviour_event);
}

/* Pins: what a self-test asks */

static bool pin_exists(gpio_num_t pin)
{
    return pin >= 0 && pin < GPIO_NUM_MAX;
}

esp_err_t gpio_config(const gpio_config_t *pGPIOConfig)
{
    sim_board_t *board = sim_api();
    if (pGPIOConfig == NULL || pGPIOConfig->pin_bit_mask >> GPIO_NUM_MAX != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (pGPIOConfig->intr_type != GPIO_INTR_DISABLE) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if ((pGPIOConfig->mode & GPIO_MODE_OUTPUT) != 0) {
        board->pins_out |= pGPIOConfig->pin_bit_mask;
    } else {
        board->pins_out &= ~pGPIOConfig->pin_bit_mask;
    }
    return ESP_OK;
}

esp_err_t gpio_set_direction(gpio_num_t gpio_num, gpio_mode_t mode)
{
    if (!pin_exists(gpio_num)) {
        return ESP_ERR_INVALID_ARG;
    }
    gpio_config_t config = {.pin_bit_mask = 1ULL << gpio_num, .mode = mode};
    return gpio_config(&config);
}

esp_err_t gpio_reset_pin(gpio_num_t gpio_num)
{
    return gpio_set_direction(gpio_num, GPIO_MODE_DISABLE);
}

esp_err_t gpio_set_pull_mode(gpio_num_t gpio_num, gpio_pull_mode_t pull)
{
    (void)sim_api();
    (void)pull;
    return pin_exists(gpio_num) ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t gpio_set_level(gpio_num_t gpio_num, uint32_t level)
{
    sim_board_t *board = sim_api();
    if (!pin_exists(gpio_num)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (level != 0) {
        board->pins |= 1ULL << gpio_num;
    } else {
        board->pins &= ~(1ULL << gpio_num);
    }
    return ESP_OK;
}

int gpio_get_level(gpio_num_t gpio_num)
{
    sim_board_t *board = sim_api();
    if (board->behaviour == SIM_HANG_TASK) {
        hang(NULL);
    }
    if (!pin_exists(gpio_num)) {
        return 0;
    }
    if ((board->pins_out >> gpio_num & 1u) != 0) {
        return (int)(board->pins >> gpio_num & 1u);
    }
    return board->behaviour == SIM_SELFTEST ? 0 : PIN_LEVEL_PULLED_UP;
}
