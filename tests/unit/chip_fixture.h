/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A chip with the stock table and an image in every slot, for tests of what boots. */
#ifndef CHIP_FIXTURE_H
#define CHIP_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/chip/chip.h"
#include "sim/chip/otadata.h"

#define FIXTURE_LOG_MAX 64

struct chip_fixture {
    sim_arena_t *arena;
    sim_flash_t *flash;
    sim_chip_t *chip;
    struct sim_partition_table table;
    struct sim_boot_result booted; /* by the last boot() */
    char log[FIXTURE_LOG_MAX][160];
    int log_count;
};
extern struct chip_fixture fixture;

/* cmocka set-up and tear-down: an ESP32-C3 with the table two_ota, images "factory",
 * "ota_0" and "ota_1" in their slots, blank otadata; as in ESP-IDF 5.5 or 6.0. */
int fixture_5(void **state);
int fixture_6(void **state);
/* The same with the table two_ota_large, which has no factory. */
int fixture_large_5(void **state);
int fixture_large_6(void **state);
int fixture_end(void **state);
/* The same chip by hand, for loops over both. */
void fixture_make(int idf_major, bool with_factory);
void fixture_free(void);
/* Another table, with an image in each app partition. */
void fixture_table(const struct sim_partition *entries, size_t count);

const struct sim_partition *part(const char *label);
/* A whole image whose version is its label; its secure version can be chosen. */
void put_image(const char *label, uint32_t secure_version);
/* Flips a bit in the middle of the image in a partition. */
void spoil(const char *label);

/* An entry as a program would have left it, or any 32 bytes. */
void put_entry(int index, uint32_t seq, uint32_t state);
void put_bad_crc(int index, uint32_t seq, uint32_t state);
void put_blank(int index);
struct sim_otadata_entry entry(int index);
bool is_blank(int index);

/* Runs the boot loader. The label of what runs, "nothing", or "cut". */
const char *boot(void);
/* True when a line of the last boot's log contains the text. */
bool logged(const char *text);

/* Wrappers that fail the test when ESP-IDF's call would not return ESP_OK. */
void set_boot(const char *label);
void mark_valid(void);

/* Powers the flash off in its operation number `operation` from here on. */
void cut_in(uint64_t operation, uint32_t variant);
void power_on(void);

#endif
