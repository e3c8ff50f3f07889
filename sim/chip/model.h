/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The ESP32 chips: numbers that tell images and memories of one from another's. */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Addresses from low up to, not including, high. */
struct sim_address_range {
    uint32_t low;
    uint32_t high;
};

struct sim_chip_model {
    const char *name; /* as ESP-IDF and esptool write it: "esp32c3" */
    uint16_t chip_id;
    uint16_t revision;             /* of a common part: major * 100 + minor */
    uint8_t flash_frequency;       /* low half of header byte 3: the highest usual one */
    uint32_t boot_loader_offset;   /* in flash */
    bool page_size_in_descriptor;  /* the MMU page size is the image's choice */
    struct sim_address_range drom; /* flash mapped for data */
    struct sim_address_range irom; /* flash mapped for code; may be the same */
    struct sim_address_range dram;
    struct sim_address_range iram;
    struct sim_address_range rtc[3]; /* memories of the low-power domain; 0 to 0: none */
};

/* The chips with Bluetooth Low Energy, in order of their chip id. */
extern const struct sim_chip_model sim_chip_models[];
extern const size_t sim_chip_model_count;

/* NULL: none. */
const struct sim_chip_model *sim_chip_model_named(const char *name);
const struct sim_chip_model *sim_chip_model_with_id(uint16_t chip_id);

bool sim_address_in(struct sim_address_range range, uint32_t address);

#endif
