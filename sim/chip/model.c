/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The table of chips. Addresses as in ESP-IDF's soc.h of each. */
#include "sim/chip/model.h"

#include <string.h>

#define NONE \
    {        \
        0, 0 \
    }

const struct sim_chip_model sim_chip_models[] = {
    {.name = "esp32",
     .chip_id = 0x0000,
     .revision = 300,
     .flash_frequency = 0xF,
     .boot_loader_offset = 0x1000,
     .drom = {0x3F400000, 0x3F800000},
     .irom = {0x400D0000, 0x40400000},
     .dram = {0x3FFAE000, 0x40000000},
     .iram = {0x40080000, 0x400AA000},
     .rtc = {{0x400C0000, 0x400C2000},
             {0x3FF80000, 0x3FF82000},
             {0x50000000, 0x50002000}}},
    {.name = "esp32c3",
     .chip_id = 0x0005,
     .revision = 4,
     .flash_frequency = 0xF,
     .drom = {0x3C000000, 0x3C800000},
     .irom = {0x42000000, 0x42800000},
     .dram = {0x3FC80000, 0x3FCE0000},
     .iram = {0x4037C000, 0x403E0000},
     .rtc = {{0x50000000, 0x50002000}, NONE, NONE}},
    {.name = "esp32s3",
     .chip_id = 0x0009,
     .revision = 2,
     .flash_frequency = 0xF,
     .drom = {0x3C000000, 0x3E000000},
     .irom = {0x42000000, 0x44000000},
     .dram = {0x3FC88000, 0x3FD00000},
     .iram = {0x40370000, 0x403E0000},
     .rtc = {{0x600FE000, 0x60100000}, {0x50000000, 0x50002000}, NONE}},
    {.name = "esp32c2",
     .chip_id = 0x000C,
     .revision = 102,
     .flash_frequency = 0xF,
     .page_size_in_descriptor = true,
     .drom = {0x3C000000, 0x3C400000},
     .irom = {0x42000000, 0x42400000},
     .dram = {0x3FCA0000, 0x3FCE0000},
     .iram = {0x4037C000, 0x403C0000}},
    {.name = "esp32c6",
     .chip_id = 0x000D,
     .revision = 1,
     .flash_frequency = 0x0,
     .page_size_in_descriptor = true,
     .drom = {0x42000000, 0x43000000},
     .irom = {0x42000000, 0x43000000},
     .dram = {0x40800000, 0x40880000},
     .iram = {0x40800000, 0x40880000},
     .rtc = {{0x50000000, 0x50004000}, NONE, NONE}},
    {.name = "esp32h2",
     .chip_id = 0x0010,
     .revision = 102,
     .flash_frequency = 0xF,
     .page_size_in_descriptor = true,
     .drom = {0x42000000, 0x43000000},
     .irom = {0x42000000, 0x43000000},
     .dram = {0x40800000, 0x40850000},
     .iram = {0x40800000, 0x40850000},
     .rtc = {{0x50000000, 0x50001000}, NONE, NONE}},
    {.name = "esp32c61",
     .chip_id = 0x0014,
     .revision = 100,
     .flash_frequency = 0xF,
     .page_size_in_descriptor = true,
     .drom = {0x42000000, 0x44000000},
     .irom = {0x42000000, 0x44000000},
     .dram = {0x40800000, 0x40850000},
     .iram = {0x40800000, 0x40850000}},
    {.name = "esp32c5",
     .chip_id = 0x0017,
     .revision = 100,
     .flash_frequency = 0xF,
     .boot_loader_offset = 0x2000,
     .drom = {0x42000000, 0x44000000},
     .irom = {0x42000000, 0x44000000},
     .dram = {0x40800000, 0x40860000},
     .iram = {0x40800000, 0x40860000},
     .rtc = {{0x50000000, 0x50004000}, NONE, NONE}},
    {.name = "esp32h21",
     .chip_id = 0x0019,
     .revision = 0,
     .flash_frequency = 0xF,
     .page_size_in_descriptor = true,
     .drom = {0x42000000, 0x43000000},
     .irom = {0x42000000, 0x43000000},
     .dram = {0x40800000, 0x40850000},
     .iram = {0x40800000, 0x40850000},
     .rtc = {{0x50000000, 0x50001000}, NONE, NONE}},
    {.name = "esp32h4",
     .chip_id = 0x001C,
     .revision = 0,
     .flash_frequency = 0x0,
     .boot_loader_offset = 0x2000,
     .page_size_in_descriptor = true,
     .drom = {0x42000000, 0x44000000},
     .irom = {0x42000000, 0x44000000},
     .dram = {0x40810000, 0x40860000},
     .iram = {0x40810000, 0x40860000},
     .rtc = {{0x50000000, 0x50004000}, NONE, NONE}},
    {.name = "esp32s31",
     .chip_id = 0x0020,
     .revision = 0,
     .flash_frequency = 0xF,
     .boot_loader_offset = 0x2000,
     .page_size_in_descriptor = true,
     .drom = {0x40000000, 0x44000000},
     .irom = {0x40000000, 0x44000000},
     .dram = {0x2F000000, 0x2F080000},
     .iram = {0x2F000000, 0x2F080000},
     .rtc = {{0x2E000000, 0x2E008000}, NONE, NONE}},
};
const size_t sim_chip_model_count = sizeof(sim_chip_models) / sizeof(sim_chip_models[0]);

const struct sim_chip_model *sim_chip_model_named(const char *name)
{
    for (size_t i = 0; i < sim_chip_model_count; i++) {
        if (strcmp(sim_chip_models[i].name, name) == 0) {
            return &sim_chip_models[i];
        }
    }
    return NULL;
}

const struct sim_chip_model *sim_chip_model_with_id(uint16_t chip_id)
{
    for (size_t i = 0; i < sim_chip_model_count; i++) {
        if (sim_chip_models[i].chip_id == chip_id) {
            return &sim_chip_models[i];
        }
    }
    return NULL;
}

bool sim_address_in(struct sim_address_range range, uint32_t address)
{
    return address >= range.low && address < range.high;
}
