/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * updraft on the same links: no generator, but the firmware and the client's flow. */
#include "bench/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/image/image.h"
#include "sim/world/world.h"

#define FACTORY_SIZE (16u << 10)
#define LIMIT_MS     7200000u
#define START_MS     2000u /* of the board, before the client begins */

static uint8_t *make_image(const char *version, uint32_t size_bytes, uint16_t chip_id,
                           size_t *ret_size)
{
    const struct sim_image_request request = {.firmware = "minimal",
                                              .version = version,
                                              .behaviour = "good",
                                              .chip_id = chip_id,
                                              .size_bytes = size_bytes,
                                              .seed = 1};
    uint8_t *bytes = malloc(size_bytes);
    assert(bytes != NULL);
    *ret_size = sim_image_make(&request, bytes, size_bytes);
    assert(*ret_size > 0);
    return bytes;
}

static double seconds(uint64_t from_us, uint64_t to_us)
{
    return to_us > from_us ? (double)(to_us - from_us) / 1e6 : 0;
}

static void choose_protocol_1(struct world_flow_options *options)
{
    options->protocol_max = 1;
}

const struct bench_world_row bench_world_rows[] = {
    {.name = "updraft-1",
     .label = "updraft, protocol 1",
     .choose = choose_protocol_1,
     .compare_alone = true},
    {.name = "updraft", .label = "updraft"},
};
const size_t bench_world_row_count =
    sizeof(bench_world_rows) / sizeof(bench_world_rows[0]);

struct bench_world_result bench_world(const struct bench_world_row *row,
                                      const struct bench_settings *settings)
{
    /* The original ESP32 has no 2M PHY. */
    const char *chip = settings->air.phy_2m ? "esp32c3" : "esp32";
    uint16_t chip_id = sim_chip_model_named(chip)->chip_id;
    size_t factory_size;
    size_t image_size;
    uint8_t *factory = make_image("1.0.0", FACTORY_SIZE, chip_id, &factory_size);
    uint8_t *image = make_image("1.1.0", settings->image_bytes, chip_id, &image_size);
    const struct world_config config = {
        .seed = settings->seed,
        .air_profile = &settings->air,
        .flash_timing = &settings->flash,
        .rx_pdus = settings->rx_pdus,
        .controller_stalls = settings->controller_stalls,
        .chip = chip,
        .firmware_dir = BENCH_FIRMWARE_DIR,
        .factory = factory,
        .factory_size = factory_size,
    };
    world_t *world = world_new(&config);
    world_run(world, NULL, START_MS);
    struct world_flow_options options = {.limit_ms = LIMIT_MS};
    if (row->choose != NULL) {
        row->choose(&options);
    }
    const struct world_update *update = world_update(world, image, image_size, &options);
    struct bench_world_result result = {
        .status = update->finished ? update->status : 1,
        .session_s = seconds(update->phase_us[UPDRAFT_PHASE_REQUESTING],
                             update->phase_us[UPDRAFT_PHASE_RESTARTING]),
        .payload_s = seconds(update->phase_us[UPDRAFT_PHASE_TRANSFERRING],
                             update->phase_us[UPDRAFT_PHASE_VERIFYING]),
        .whole_s = seconds(update->start_us, update->finish_us),
    };
    uint64_t events = update->phase_events[UPDRAFT_PHASE_VERIFYING] -
                      update->phase_events[UPDRAFT_PHASE_TRANSFERRING];
    result.interval_ms = events > 0 ? result.payload_s * 1000 / (double)events : 0;
    if (result.status != 0) {
        fputs(world->log, stderr);
    }
    world_free(world);
    free(factory);
    free(image);
    return result;
}
