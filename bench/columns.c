/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The links and the flash of the comparison. */
#include <assert.h>

#include "bench/bench.h"

#define RX_PDUS         8u
#define IMAGE_BYTES     (1u << 20)
#define PARTITION_BYTES (3u << 19) /* 1.5 MiB */

static const struct sim_flash_timing usual_flash = {
    .name = "comparison",
    .sector_erase_us = 45000,
    .block_erase_us = 250000,
    .page_program_us = 700,
};

const struct bench_column bench_columns[] = {
    {.name = "iphone-30", .label = "iPhone 30 ms, MTU 185, 1M", .profile = "iphone-30"},
    {.name = "iphone-15", .label = "iPhone 15 ms, MTU 517, 2M", .profile = "iphone-15"},
    {.name = "android-11",
     .label = "Android 11.25 ms, MTU 517, 1M",
     .profile = "android-11"},
    {.name = "android-15",
     .label = "Android 15 ms, MTU 517, 2M",
     .profile = "android-15"},
    {.name = "bluez-50", .label = "BlueZ 50 ms, MTU 517, 1M", .profile = "bluez-50"},
    {.name = "bluez-7", .label = "BlueZ 7.5 ms, MTU 517, 1M", .profile = "bluez-7"},
    {.name = "web-30", .label = "Web 30 ms, MTU 517, 1M", .profile = "web-30"},
    {.name = "c3-7", .label = "C3 to C3 7.5 ms, MTU 498, 2M", .profile = "c3-7"},
    {.name = "iphone-30-4",
     .label = "iPhone 30 ms, 4 PDUs an event",
     .profile = "iphone-30",
     .packets_per_event_max = 4},
    {.name = "iphone-30-6",
     .label = "iPhone 30 ms, 6 PDUs an event",
     .profile = "iphone-30",
     .packets_per_event_max = 6},
    {.name = "iphone-30-8",
     .label = "iPhone 30 ms, 8 PDUs an event",
     .profile = "iphone-30",
     .packets_per_event_max = 8},
    {.name = "bluez-50-lossy",
     .label = "BlueZ 50 ms, 5 % of PDUs lost",
     .profile = "bluez-50",
     .loss = 0.05},
    {.name = "bluez-7-lossy",
     .label = "BlueZ 7.5 ms, 5 % of PDUs lost",
     .profile = "bluez-7",
     .loss = 0.05},
    {.name = "android-15-lossy",
     .label = "Android 15 ms, 5 % of PDUs lost",
     .profile = "android-15",
     .loss = 0.05},
};
const size_t bench_column_count = sizeof(bench_columns) / sizeof(bench_columns[0]);

const struct bench_protocol *const bench_peers[] = {
    &bench_original,         &bench_original_256, &bench_smp_1,
    &bench_nordic_12,        &bench_nordic_0,     &bench_smp_3,
    &bench_nimble_ota,       &bench_ble_ota,      &bench_ble_ota_raw,
    &bench_smp_3_reassembly,
};
const size_t bench_peer_count = sizeof(bench_peers) / sizeof(bench_peers[0]);

struct bench_settings bench_settings_for(const struct bench_column *column, uint64_t seed)
{
    const struct sim_air_profile *profile = sim_air_profile(column->profile);
    assert(profile != NULL);
    struct bench_settings settings = {
        .air = *profile,
        .flash = usual_flash,
        .rx_pdus = RX_PDUS,
        .image_bytes = IMAGE_BYTES,
        .partition_bytes = PARTITION_BYTES,
        .seed = seed,
    };
    settings.air.packets_per_event_max = column->packets_per_event_max;
    settings.air.loss = column->loss;
    return settings;
}
