/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the comparison: each peer runs at the pace that is known of it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "bench/bench.h"
#include "bench/world.h"
#include "tests/world/fixture.h"

/* Computed for the first eight links by a model of the link layer of its own, whose board
 * takes in everything while its flash works: a megabyte in kB/s, with erase. Tolerance:
 * how far the generator may be off. Lock-step protocols leave no room for opinion; where
 * the client streams, that model counts no whole events. */
static const struct {
    const struct bench_protocol *protocol;
    double kb_per_s[8];
    double tolerance;
} anchors[] = {
    {&bench_original, {3.0, 14.4, 18.2, 14.4, 4.8, 24.8, 8.0, 24.2}, 0.02},
    {&bench_original_256, {3.0, 7.7, 10.0, 7.7, 2.5, 14.2, 4.1, 14.2}, 0.02},
    {&bench_smp_1, {2.5, 13.7, 17.3, 13.7, 4.6, 23.7, 7.6, 23.1}, 0.02},
    {&bench_nordic_12, {12.4, 19.5, 20.2, 19.5, 8.2, 24.8, 11.4, 28.7}, 0.25},
    {&bench_nordic_0, {17.1, 27.3, 24.3, 27.3, 13.7, 30.3, 17.1, 34.1}, 0.02},
    {&bench_nimble_ota, {36.1, 49.1, 40.1, 49.1, 23.6, 38.7, 36.1, 59.8}, 0.03},
    {&bench_ble_ota, {36.1, 59.8, 45.0, 59.8, 33.2, 45.0, 36.1, 67.2}, 0.03},
    {&bench_ble_ota_raw, {58.8, 81.0, 56.7, 81.0, 57.9, 49.0, 57.2, 83.6}, 0.12},
    {&bench_smp_3_reassembly, {67.9, 70.8, 67.9, 70.8, 67.2, 65.2, 67.7, 71.1}, 0.15},
};

static void every_peer_runs_at_its_known_pace(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof(anchors) / sizeof(anchors[0]); i++) {
        for (size_t c = 0; c < 8; c++) {
            struct bench_settings settings = bench_settings_for(&bench_columns[c], 1);
            settings.rx_pdus = 24;
            struct bench_result result = bench_run(anchors[i].protocol, &settings);
            double known = anchors[i].kb_per_s[c];
            double tolerance = anchors[i].tolerance;
            /* The table has one decimal. */
            if (!result.finished || result.kb_per_s < known * (1 - tolerance) - 0.05 ||
                result.kb_per_s > known * (1 + tolerance) + 0.05) {
                print_message("%s on %s: %.2f kB/s, known %.1f\n",
                              anchors[i].protocol->name, bench_columns[c].name,
                              result.kb_per_s, known);
                wrong++;
            }
        }
    }
    assert_int_equal(wrong, 0);
}

/* What mcumgr's Android library reached on an nRF52: 2 to 4 kB/s with a window of 1, 16
 * to 20 with 3, 36 with reassembly (its pull request 53). The link is assumed (50 ms, MTU
 * 498), and the flash as the chip's data sheet has it: 85 ms a sector, 41 us a word. */
static void smp_runs_at_published_rates_on_an_nrf52(void **state)
{
    (void)state;
    static const struct {
        const struct bench_protocol *protocol;
        double low;
        double high;
    } published[] = {
        {&bench_smp_1, 2, 4}, {&bench_smp_3, 16, 20}, {&bench_smp_3_reassembly, 36, 36}};
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        struct bench_settings settings = bench_settings_for(&bench_columns[4], 1);
        settings.air.mtu = 498;
        settings.flash = (struct sim_flash_timing){
            .sector_erase_us = 85000, .block_erase_us = 1360000, .page_program_us = 2624};
        settings.rx_pdus = 24;
        struct bench_result result = bench_run(published[i].protocol, &settings);
        assert_true(result.finished);
        if (result.kb_per_s < published[i].low * 0.8 ||
            result.kb_per_s > published[i].high * 1.2) {
            fail_msg("%s: %.1f kB/s, published %.0f to %.0f", published[i].protocol->name,
                     result.kb_per_s, published[i].low, published[i].high);
        }
    }
}

/* The generator against a firmware that writes its flash as the original does, in the
 * host task before the response. */
static void the_originals_generator_keeps_pace_with_its_firmware(void **state)
{
    (void)state;
    static const size_t columns[] = {2, 4};
    static struct fixture_image factory;
    static struct fixture_image image;
    fixture_image_make(&factory, "legacy_host_task", "1.0.0", "good", 16u << 10);
    fixture_image_make(&image, "legacy_host_task", "1.1.0", "good", 256u << 10);
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        struct bench_settings settings =
            bench_settings_for(&bench_columns[columns[i]], 1);
        settings.image_bytes = 256u << 10;
        settings.air.mtu = 256;
        const struct world_config config = {
            .seed = 1,
            .air_profile = &settings.air,
            .flash_timing = &settings.flash,
            .rx_pdus = settings.rx_pdus,
            .factory = factory.bytes,
            .factory_size = factory.size,
            .allow_flash_in_host_task = true,
        };
        world_t *world = fixture_world(&config);
        world_run(world, NULL, 2000);
        const struct world_update *update =
            world_update(world, image.bytes, image.size, NULL);
        assert_int_equal(update->status, 0);
        double firmware_s = (double)(update->phase_us[UPDRAFT_PHASE_VERIFYING] -
                                     update->phase_us[UPDRAFT_PHASE_TRANSFERRING]) /
                            1e6;
        world_free(world);
        struct bench_result result = bench_run(&bench_original_256, &settings);
        if (result.seconds < firmware_s * 0.97 || result.seconds > firmware_s * 1.03) {
            fail_msg("%s: %.2f s, its firmware %.2f s", bench_columns[columns[i]].name,
                     result.seconds, firmware_s);
        }
    }
}

static void nothing_beats_the_limit_of_the_link(void **state)
{
    (void)state;
    for (size_t c = 0; c < bench_column_count; c++) {
        struct bench_settings settings = bench_settings_for(&bench_columns[c], 1);
        double limit = bench_run(&bench_saturating, &settings).kb_per_s;
        memset(&settings.flash, 0, sizeof(settings.flash));
        settings.partition_bytes = 1u << 16;
        for (size_t i = 0; i < bench_peer_count; i++) {
            double peer = bench_run(bench_peers[i], &settings).kb_per_s;
            assert_true(peer > 0);
            /* Loss draws anew for each; the limit's own is one of many. */
            assert_true(peer <= limit * (settings.air.loss > 0 ? 1.05 : 1.0));
        }
    }
}

static void buffers_help_who_streams_while_the_flash_works(void **state)
{
    (void)state;
    static const uint8_t counts[] = {2, 8, 24};
    double rates[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        struct bench_settings settings = bench_settings_for(&bench_columns[5], 1);
        settings.controller_stalls = i == 0;
        settings.rx_pdus = i == 0 ? 8 : counts[i - 1];
        rates[i] = bench_run(&bench_smp_3_reassembly, &settings).kb_per_s;
    }
    assert_true(rates[0] < rates[1] && rates[1] < rates[2] && rates[2] < rates[3]);
}

/* What a run in the world is given reaches its air, its flash and its controller. */
static void the_world_is_set_as_the_generators_are(void **state)
{
    (void)state;
    const struct bench_world_row *row = &bench_world_rows[0];
    struct bench_settings settings = bench_settings_for(&bench_columns[5], 1);
    settings.image_bytes = 128u << 10;
    struct bench_world_result usual = bench_world(row, &settings);
    struct bench_settings other = settings;
    other.controller_stalls = true;
    struct bench_world_result stalls = bench_world(row, &other);
    other = settings;
    memset(&other.flash, 0, sizeof(other.flash));
    struct bench_world_result no_flash = bench_world(row, &other);
    other = settings;
    other.air.interval_125us_units = 40;
    struct bench_world_result slow = bench_world(row, &other);
    assert_int_equal(usual.status | stalls.status | no_flash.status | slow.status, 0);
    assert_true(stalls.session_s > usual.session_s);
    assert_true(no_flash.session_s < usual.session_s);
    assert_true(slow.session_s > usual.session_s);
    assert_true(usual.payload_s <= usual.session_s && usual.session_s < usual.whole_s);
}

static void the_same_seed_gives_the_same_run(void **state)
{
    (void)state;
    const struct bench_column *lossy = &bench_columns[bench_column_count - 1];
    assert_true(lossy->loss > 0);
    struct bench_settings settings = bench_settings_for(lossy, 3);
    struct bench_result first = bench_run(&bench_ble_ota_raw, &settings);
    struct bench_result second = bench_run(&bench_ble_ota_raw, &settings);
    assert_memory_equal(&first.seconds, &second.seconds, sizeof(first.seconds));
    assert_int_equal(first.connection_events, second.connection_events);
    settings.seed = 4;
    assert_true(bench_run(&bench_ble_ota_raw, &settings).seconds != first.seconds);
}

static void the_whole_image_goes_over_the_air_and_into_the_flash(void **state)
{
    (void)state;
    struct bench_settings settings = bench_settings_for(&bench_columns[7], 1);
    for (size_t i = 0; i < bench_peer_count; i++) {
        struct bench_result result = bench_run(bench_peers[i], &settings);
        assert_true(result.air_bytes > settings.image_bytes);
        /* 4096 pages, and an erase of every sector or of the whole partition; pages that
         * two writes share are programmed twice. */
        assert_true(result.stalled_us >= 4096 * 700 + 24 * 250000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_peer_runs_at_its_known_pace),
        cmocka_unit_test(smp_runs_at_published_rates_on_an_nrf52),
        cmocka_unit_test(the_originals_generator_keeps_pace_with_its_firmware),
        cmocka_unit_test(nothing_beats_the_limit_of_the_link),
        cmocka_unit_test(buffers_help_who_streams_while_the_flash_works),
        cmocka_unit_test(the_world_is_set_as_the_generators_are),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
        cmocka_unit_test(the_whole_image_goes_over_the_air_and_into_the_flash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
