/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Restart, crash, addresses, random numbers, time: the chip as esp_system.h and its
 * neighbours show it. */
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "esp_chip_info.h"
#include "esp_cpu.h"
#include "esp_mac.h"
#include "esp_random.h"
#include "esp_rom_crc.h"
#include "esp_rom_sys.h"
#include "sim/idf/internal.h"
#include "soc/rtc.h"

/* Crash */

static void panic(sim_board_t *board, const char *text)
{
    sim_console_flush(board);
    sim_console_text(board, text);
    sim_console_text(board, "\nRebooting...\n");
    sim_board_request_reset(board, ESP_RST_PANIC);
}

void sim_runtime_panic(sim_board_t *board, const char *format, ...)
{
    char text[SIM_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    panic(board, text);
}

void sim_panic(const char *format, ...)
{
    char text[SIM_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    panic(sim_board_now(), text);
}

void __wrap_abort(void) __attribute__((noreturn));
void __wrap_exit(int status) __attribute__((noreturn));
void __wrap___assert_fail(const char *assertion, const char *file, unsigned int line,
                          const char *function) __attribute__((noreturn));

/* A task that is left for good; an interrupt cannot be, so that is the end. */
static void leave(sim_board_t *board) __attribute__((noreturn));
static void leave(sim_board_t *board)
{
    if (!sim_in_task(board)) {
        fprintf(stderr, "simulator: the firmware crashed in interrupt context\n");
        abort();
    }
    sim_task_leave(board);
}

void __wrap_abort(void)
{
    sim_board_t *board = sim_board_now();
    sim_panic("abort() was called on core 0, task %s",
              board->current != NULL ? board->current->name : "(interrupt)");
    leave(board);
}

void __wrap_exit(int status)
{
    sim_panic("exit(%d) was called", status);
    leave(sim_board_now());
}

void __wrap___assert_fail(const char *assertion, const char *file, unsigned int line,
                          const char *function)
{
    const char *name = strrchr(file, '/');
    sim_panic("assert failed: %s %s:%u (%s)", function, name != NULL ? name + 1 : file,
              line, assertion);
    leave(sim_board_now());
}

void esp_system_abort(const char *details)
{
    sim_panic("%s", details);
    leave(sim_board_now());
}

void _esp_error_check_failed(esp_err_t rc, const char *file, int line,
                             const char *function, const char *expression)
{
    _esp_error_check_failed_without_abort(rc, file, line, function, expression);
    sim_panic("ESP_ERROR_CHECK failed: esp_err_t 0x%x (%s)", (unsigned)rc,
              esp_err_to_name(rc));
    leave(sim_board_now());
}

void _esp_error_check_failed_without_abort(esp_err_t rc, const char *file, int line,
                                           const char *function, const char *expression)
{
    const char *name = strrchr(file, '/');
    sim_runtime_log(sim_board_now(),
                    "ESP_ERROR_CHECK: esp_err_t 0x%x (%s) at %s:%d, %s: %s", (unsigned)rc,
                    esp_err_to_name(rc), name != NULL ? name + 1 : file, line, function,
                    expression);
}

/* Restart */

esp_err_t esp_register_shutdown_handler(shutdown_handler_t handle)
{
    sim_board_t *board = sim_api();
    for (size_t i = 0; i < board->shutdown_count; i++) {
        if (board->shutdown[i] == handle) {
            return ESP_ERR_INVALID_STATE;
        }
    }
    if (board->shutdown_count == SIM_HANDLERS_MAX) {
        return ESP_ERR_NO_MEM;
    }
    board->shutdown[board->shutdown_count++] = handle;
    return ESP_OK;
}

esp_err_t esp_unregister_shutdown_handler(shutdown_handler_t handle)
{
    sim_board_t *board = sim_api();
    for (size_t i = 0; i < board->shutdown_count; i++) {
        if (board->shutdown[i] == handle) {
            board->shutdown_count--;
            memmove(&board->shutdown[i], &board->shutdown[i + 1],
                    (board->shutdown_count - i) * sizeof(board->shutdown[0]));
            return ESP_OK;
        }
    }
    return ESP_ERR_INVALID_STATE;
}

void esp_restart(void)
{
    sim_board_t *board = sim_api();
    while (board->shutdown_count > 0) {
        board->shutdown[--board->shutdown_count]();
    }
    sim_board_request_reset(board, ESP_RST_SW);
    leave(board);
}

esp_reset_reason_t esp_reset_reason(void)
{
    return (esp_reset_reason_t)sim_api()->reset_reason;
}

/* What the chip is */

uint16_t sim_idf_chip_id(void);
uint16_t sim_idf_chip_id(void)
{
    return sim_board_now()->config.chip->chip_id;
}

const char *sim_idf_version_string(int major);
const char *sim_idf_version_string(int major)
{
    return major >= 6 ? "v6.1" : "v5.5.1";
}

static bool has_wifi(uint16_t chip_id)
{
    return chip_id != 0x0010 && chip_id != 0x0019 && chip_id != 0x001C; /* H2, H21, H4 */
}

void esp_chip_info(esp_chip_info_t *out_info)
{
    const sim_chip_t *chip = sim_api()->config.chip;
    memset(out_info, 0, sizeof(*out_info));
    out_info->model = chip->chip_id == 0 ? CHIP_ESP32 : (esp_chip_model_t)chip->chip_id;
    out_info->features = (uint32_t)CHIP_FEATURE_BLE;
    if (has_wifi(chip->chip_id)) {
        out_info->features |= (uint32_t)CHIP_FEATURE_WIFI_BGN;
    }
    out_info->revision = chip->revision;
    out_info->cores = chip->chip_id == 0x0000 || chip->chip_id == 0x0009 ? 2 : 1;
}

static bool mac_of(const sim_board_t *board, esp_mac_type_t kind, uint8_t *ret_mac)
{
    uint8_t addend = 0;
    switch (kind) {
    case ESP_MAC_WIFI_STA:
    case ESP_MAC_BASE:
    case ESP_MAC_EFUSE_FACTORY:
        break;
    case ESP_MAC_WIFI_SOFTAP:
        addend = 1;
        break;
    case ESP_MAC_BT:
        addend = 2;
        break;
    case ESP_MAC_ETH:
        addend = 3;
        break;
    case ESP_MAC_IEEE802154:
    case ESP_MAC_EFUSE_CUSTOM:
    case ESP_MAC_EFUSE_EXT:
        return false;
    }
    memcpy(ret_mac, board->config.mac, 6);
    ret_mac[5] = (uint8_t)(ret_mac[5] + addend);
    return true;
}

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type)
{
    if (mac == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return mac_of(sim_board_now(), type, mac) ? ESP_OK : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_base_mac_addr_get(uint8_t *mac)
{
    return esp_read_mac(mac, ESP_MAC_BASE);
}

esp_err_t esp_efuse_mac_get_default(uint8_t *mac)
{
    return esp_read_mac(mac, ESP_MAC_EFUSE_FACTORY);
}

/* Random numbers */

uint32_t esp_random(void)
{
    return (uint32_t)(sim_random_next(&sim_api()->random) >> 32);
}

void esp_fill_random(void *buf, size_t len)
{
    sim_random_fill(&sim_api()->random, buf, len);
}

int __wrap_rand(void);
long __wrap_random(void);

int __wrap_rand(void)
{
    return (int)(esp_random() >> 1);
}

long __wrap_random(void)
{
    return (long)(esp_random() >> 1);
}

/* Time */

void esp_rom_delay_us(uint32_t us)
{
    sim_board_t *board = sim_api();
    sim_busy_wait(board, us);
}

uint32_t esp_cpu_get_cycle_count(void)
{
    return (uint32_t)(sim_uptime_us(sim_api()) * SIM_CYCLES_PER_US);
}

uint32_t rtc_clk_slow_freq_get_hz(void)
{
    return SIM_SLOW_CLOCK_HZ;
}

int __wrap_usleep(useconds_t us);
unsigned int __wrap_sleep(unsigned int s);
time_t __wrap_time(time_t *ret_time);
int __wrap_gettimeofday(struct timeval *tv, void *tz);

int __wrap_usleep(useconds_t us)
{
    sim_board_t *board = sim_api();
    uint64_t ticks_us = sim_ticks_from_now_us(board, 1) - sim_now_us(board);
    if (us < ticks_us) {
        sim_busy_wait(board, us); /* as ESP-IDF for less than a tick */
    } else {
        sim_task_block(board, NULL, sim_now_us(board) + us);
    }
    return 0;
}

unsigned int __wrap_sleep(unsigned int s)
{
    sim_board_t *board = sim_api();
    sim_task_block(board, NULL, sim_now_us(board) + (uint64_t)s * 1000000u);
    return 0;
}

/* A board's wall clock starts at 1970, as nobody has set it. */
time_t __wrap_time(time_t *ret_time)
{
    time_t now = (time_t)(sim_uptime_us(sim_api()) / 1000000u);
    if (ret_time != NULL) {
        *ret_time = now;
    }
    return now;
}

int __wrap_gettimeofday(struct timeval *tv, void *tz)
{
    (void)tz;
    uint64_t now_us = sim_uptime_us(sim_api());
    tv->tv_sec = (time_t)(now_us / 1000000u);
    tv->tv_usec = (suseconds_t)(now_us % 1000000u);
    return 0;
}

/* ROM */

uint32_t esp_rom_crc32_le(uint32_t crc, uint8_t const *buf, uint32_t len)
{
    /* Four bits at a time, the polynomial being 0xEDB88320. */
    static const uint32_t steps[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
        0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    crc = ~crc;
    for (uint32_t i = 0; i < len; i++) {
        crc ^= buf[i];
        crc = (crc >> 4) ^ steps[crc & 15u];
        crc = (crc >> 4) ^ steps[crc & 15u];
    }
    return ~crc;
}
