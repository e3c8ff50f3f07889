/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft-bench: runs everything and prints a line of tab-separated values for each. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/world.h"

/* bench/report.py reads the lines:
 *   protocol <name> <label> <modelled> <left out>
 *   result <section> <case> <row> <session s> <payload s> <whole s> <settings...>
 * Times are means over the seeds; a field that does not apply is "-". */

#define SEEDS_WHEN_LOSSY 5u
#define SEED             1u

static const struct sim_flash_timing no_flash = {.name = "ideal"};
static int failures;

static unsigned seeds_of(const struct bench_settings *settings)
{
    return settings->air.loss > 0 ? SEEDS_WHEN_LOSSY : 1;
}

static void print_seconds(double seconds)
{
    if (seconds > 0) {
        printf("\t%.6f", seconds);
    } else {
        printf("\t-");
    }
}

static void print_result(const char *section, const char *name, const char *row,
                         const struct bench_world_result *result,
                         const struct bench_settings *settings)
{
    const struct sim_air_profile *air = &settings->air;
    printf("result\t%s\t%s\t%s", section, name, row);
    print_seconds(result->session_s);
    print_seconds(result->payload_s);
    print_seconds(result->whole_s);
    printf(
        "\tran_ms=%.2f\tkeeps=%d\tinterval_ms=%g\tphy=%s\tmtu=%u\tencrypted=%d\tper_event=%u\tloss=%g"
        "\thost_us=%" PRIu32 "\tboard_host_us=%" PRIu32 "\tabsorbs=%u\tseeds=%u"
        "\timage=%" PRIu32 "\tslot=%" PRIu32 "\tsector_us=%" PRIu32 "\tblock_us=%" PRIu32
        "\tpage_us=%" PRIu32 "\n",
        result->interval_ms, air->keeps_parameters,
        air->instant ? 0 : air->interval_125us_units * 1.25,
        air->instant  ? "ideal"
        : air->phy_2m ? "2M"
                      : "1M",
        air->mtu, air->encrypted, air->packets_per_event_max, air->loss,
        air->central_host_us, air->board_host_us,
        settings->controller_stalls ? 0 : settings->rx_pdus, seeds_of(settings),
        settings->image_bytes, settings->partition_bytes, settings->flash.sector_erase_us,
        settings->flash.block_erase_us, settings->flash.page_program_us);
    fflush(stdout);
}

static void run_generator(const char *section, const char *name,
                          const struct bench_protocol *protocol,
                          struct bench_settings settings)
{
    struct bench_world_result mean = {0};
    unsigned seeds = seeds_of(&settings);
    for (unsigned i = 0; i < seeds; i++) {
        settings.seed = SEED + i;
        struct bench_result result = bench_run(protocol, &settings);
        if (!result.finished) {
            fprintf(stderr, "updraft-bench: %s does not end on %s\n", protocol->name,
                    name);
            failures++;
            mean.session_s = 0;
            break;
        }
        mean.session_s += result.seconds / seeds;
    }
    print_result(section, name, protocol->name, &mean, &settings);
}

static void run_updraft(const char *section, const char *name,
                        const struct bench_world_row *row, struct bench_settings settings)
{
    struct bench_world_result mean = {0};
    unsigned seeds = seeds_of(&settings);
    for (unsigned i = 0; i < seeds; i++) {
        settings.seed = SEED + i;
        struct bench_world_result result = bench_world(row, &settings);
        if (result.status != 0) {
            fprintf(stderr, "updraft-bench: %s ends with %d on %s\n", row->name,
                    result.status, name);
            failures++;
            mean = (struct bench_world_result){0};
            break;
        }
        mean.session_s += result.session_s / seeds;
        mean.payload_s += result.payload_s / seeds;
        mean.whole_s += result.whole_s / seeds;
        mean.interval_ms += result.interval_ms / seeds;
    }
    print_result(section, name, row->name, &mean, &settings);
}

static void run_all(const char *section, const char *name,
                    const struct bench_settings *settings, bool peers)
{
    bool compared = strcmp(section, "compare") == 0;
    run_generator(section, name, &bench_saturating, *settings);
    for (size_t i = 0; peers && i < bench_peer_count; i++) {
        run_generator(section, name, bench_peers[i], *settings);
    }
    for (size_t i = 0; i < bench_world_row_count; i++) {
        if (compared || !bench_world_rows[i].compare_alone) {
            run_updraft(section, name, &bench_world_rows[i], *settings);
        }
    }
}

/* Every protocol on every link, with flash. */
static void compare(void)
{
    for (size_t i = 0; i < bench_column_count; i++) {
        struct bench_settings settings = bench_settings_for(&bench_columns[i], SEED);
        run_all("compare", bench_columns[i].label, &settings, true);
    }
}

/* The same for those that erase the whole slot, in one that is no larger than the image.
 */
static void compare_tight(void)
{
    for (size_t i = 0; i < bench_column_count; i++) {
        struct bench_settings settings = bench_settings_for(&bench_columns[i], SEED);
        settings.partition_bytes = settings.image_bytes;
        for (size_t k = 0; k < bench_peer_count; k++) {
            run_generator("tight", bench_columns[i].label, bench_peers[k], settings);
        }
    }
}

/* Flash that takes no time: how near updraft comes to the limit of the link, on the link
 * as it is: the central grants no other interval. */
static void radio_bound(void)
{
    static const uint16_t intervals[] = {6, 12, 24, 40};
    static const double losses[] = {0, 0.05};
    for (size_t loss = 0; loss < 2; loss++) {
        for (unsigned kind = 0; kind < 4; kind++) {
            for (size_t ci = 0; ci < 4; ci++) {
                struct bench_settings settings =
                    bench_settings_for(&bench_columns[0], SEED);
                settings.flash = no_flash;
                settings.air.keeps_parameters = true;
                settings.air.mtu = 517;
                settings.air.interval_125us_units = intervals[ci];
                settings.air.phy_2m = kind >= 2;
                settings.air.encrypted = kind % 2 == 0;
                settings.air.loss = losses[loss];
                char name[64];
                snprintf(name, sizeof(name), "%s %s, %g ms%s", kind >= 2 ? "2M" : "1M",
                         kind % 2 == 0 ? "encrypted" : "plain", intervals[ci] * 1.25,
                         loss == 1 ? ", 5 % lost" : "");
                run_all("radio", name, &settings, false);
            }
        }
    }
    static const uint16_t mtus[] = {23, 185, 247, 256, 498};
    for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        struct bench_settings settings = bench_settings_for(&bench_columns[0], SEED);
        settings.flash = no_flash;
        settings.air.keeps_parameters = true;
        settings.air.mtu = mtus[i];
        char name[64];
        snprintf(name, sizeof(name), "1M encrypted, 30 ms, MTU %u", mtus[i]);
        run_all("radio", name, &settings, false);
    }
}

/* What a board's host takes until it has a PDU. */
static void board_hosts(void)
{
    static const uint32_t times_us[] = {0, 100, 300, 1000, 3000};
    static const char *const links[] = {"bluez-50", "bluez-7", "c3-7"};
    for (size_t i = 0; i < bench_column_count; i++) {
        for (size_t link = 0; link < sizeof(links) / sizeof(links[0]); link++) {
            if (strcmp(bench_columns[i].name, links[link]) != 0) {
                continue;
            }
            for (size_t k = 0; k < sizeof(times_us) / sizeof(times_us[0]); k++) {
                struct bench_settings settings =
                    bench_settings_for(&bench_columns[i], SEED);
                settings.air.board_host_us = times_us[k];
                char name[96];
                snprintf(name, sizeof(name), "%s; %" PRIu32 " us", bench_columns[i].label,
                         times_us[k]);
                run_all("host", name, &settings, true);
            }
        }
    }
}

/* An air that takes no time. */
static void flash_bound(void)
{
    struct bench_settings settings = bench_settings_for(&bench_columns[0], SEED);
    settings.air = *sim_air_profile("ideal");
    for (size_t i = 0; i < bench_world_row_count; i++) {
        if (!bench_world_rows[i].compare_alone) {
            run_updraft("flash", "ideal air", &bench_world_rows[i], settings);
        }
    }
}

/* What a controller absorbs while its board's processor stands still. */
static void stalls(void)
{
    static const uint8_t absorbed[] = {0, 2, 8, 24};
    for (size_t i = 0; i < bench_column_count; i++) {
        const struct bench_column *column = &bench_columns[i];
        if (column->loss > 0 || column->packets_per_event_max > 0) {
            continue;
        }
        for (size_t k = 0; k < sizeof(absorbed); k++) {
            struct bench_settings settings = bench_settings_for(column, SEED);
            settings.controller_stalls = absorbed[k] == 0;
            settings.rx_pdus = absorbed[k] == 0 ? settings.rx_pdus : absorbed[k];
            char name[96];
            snprintf(name, sizeof(name), "%s; absorbs %u", column->label, absorbed[k]);
            run_all("stall", name, &settings, true);
        }
    }
}

static void describe(const struct bench_protocol *protocol)
{
    printf("protocol\t%s\t%s\t%s\t%s\n", protocol->name, protocol->label,
           protocol->modelled, protocol->left_out);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } sections[] = {{"compare", compare},   {"tight", compare_tight},
                    {"radio", radio_bound}, {"flash", flash_bound},
                    {"stall", stalls},      {"host", board_hosts}};
    bool known = false;
    describe(&bench_saturating);
    for (size_t i = 0; i < bench_peer_count; i++) {
        describe(bench_peers[i]);
    }
    for (size_t i = 0; i < bench_world_row_count; i++) {
        printf("protocol\t%s\t%s\t-\t-\n", bench_world_rows[i].name,
               bench_world_rows[i].label);
    }
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        if (argc < 2 || strcmp(argv[1], sections[i].name) == 0) {
            sections[i].run();
            known = true;
        }
    }
    if (!known) {
        fprintf(stderr, "usage: updraft-bench [compare|tight|radio|flash|stall|host]\n");
        return 2;
    }
    return failures > 0;
}
