/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Wires board, controller, air and centrals together, and drives them. */
#include "sim/world/world.h"

#include <mbedtls/sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_ARENA_SIZE  (96u << 20)
#define WORLD_FLASH_SIZE  (4u << 20)
#define WORLD_LOG_SIZE    (256u << 10)
#define WORLD_UPDATE_MS   (UINT64_C(20) * 60 * 1000)
#define WORLD_CONNECTIONS 3u
#define WORLD_SECTORS     (WORLD_FLASH_SIZE / UPDRAFT_P2_SECTOR_SIZE)

static void die(const char *what)
{
    fprintf(stderr, "world: %s\n", what);
    abort();
}

static void on_log(void *context, const char *line)
{
    world_t *world = context;
    size_t size = strlen(line);
    if (size + 2 > WORLD_LOG_SIZE) {
        return;
    }
    if (world->log_size + size + 2 > WORLD_LOG_SIZE) {
        size_t half = world->log_size / 2;
        memmove(world->log, world->log + half, world->log_size - half);
        world->log_size -= half;
    }
    memcpy(world->log + world->log_size, line, size);
    world->log_size += size;
    world->log[world->log_size++] = '\n';
    world->log[world->log_size] = '\0';
}

static void on_hci_send(void *context, const uint8_t *packet, size_t size)
{
    world_t *world = context;
    sim_controller_send(world->controller, packet, size);
}

static void on_hci_room(void *context)
{
    world_t *world = context;
    sim_controller_kick(world->controller);
}

static void on_hci_power(void *context, bool on)
{
    world_t *world = context;
    sim_controller_power(world->controller, on);
}

static void on_stalled(void *context, bool stalled)
{
    world_t *world = context;
    if (world->controller_stalls) {
        sim_controller_stall(world->controller, stalled);
    }
}

static bool on_packet(void *context, const uint8_t *packet, size_t size)
{
    world_t *world = context;
    return sim_packets_input(world->packets, packet, size);
}

static bool on_board_packet(void *context, const uint8_t *packet, size_t size)
{
    world_t *world = context;
    return sim_board_hci_input(world->board, packet, size);
}

static void make_chip(world_t *world, const struct world_config *config)
{
    const struct sim_flash_timing *timing =
        config->flash_timing != NULL
            ? config->flash_timing
            : sim_flash_timing(config->flash != NULL ? config->flash : "ideal");
    const struct sim_chip_model *model =
        sim_chip_model_named(config->chip != NULL ? config->chip : "esp32");
    if (timing == NULL || model == NULL) {
        die("no such flash timing or chip");
    }
    world->flash = sim_flash_new(world->arena, WORLD_FLASH_SIZE, timing, world->seed);
    world->chip = sim_chip_new(
        world->arena, model, config->idf_major != 0 ? config->idf_major : 5,
        config->idf_minor != 0 || config->idf_major > 5 ? config->idf_minor : 3,
        world->flash);
    if (!sim_chip_flash_factory(world->chip, sim_partitions_two_ota,
                                sim_partitions_two_ota_count) ||
        (config->factory != NULL &&
         !sim_chip_install(world->chip, "factory", config->factory,
                           config->factory_size))) {
        die("the factory image does not fit");
    }
}

static void make_board(world_t *world, const struct world_config *config,
                       const struct sim_chip_model *model)
{
    static const struct sim_board_ops ops = {
        .log = on_log,
        .hci_send = on_hci_send,
        .hci_room = on_hci_room,
        .hci_power = on_hci_power,
        .stalled = on_stalled,
    };
    static const struct sim_host_ops host = {.packet = on_packet};
    static const uint8_t mac[6] = {0x24, 0x0a, 0xc4, 0x00, 0x00, 0x10};
    struct sim_controller_config controller = {
        .phy_2m = model->chip_id != 0, /* the original ESP32 has no 2M PHY */
        .data_length = true,
        .rx_pdus = config->rx_pdus,
        .connections_max = WORLD_CONNECTIONS,
        .host_us = world->profile.board_host_us,
    };
    struct sim_board_config board = {
        .arena = world->arena,
        .loop = world->loop,
        .chip = world->chip,
        .firmware_dir = config->firmware_dir,
        .firmware_default =
            config->firmware_default != NULL ? config->firmware_default : "minimal",
        .seed = world->seed,
        .preempt = config->preempt,
        .allow_flash_in_host_task = config->allow_flash_in_host_task,
        .ops = &ops,
        .context = world,
    };
    memcpy(board.mac, mac, 6);
    /* The Bluetooth address is the base address plus 2 (ESP-IDF, "MAC Address"). */
    memcpy(world->board_address, mac, 6);
    world->board_address[5] = (uint8_t)(mac[5] + 2);
    memcpy(controller.address, world->board_address, 6);
    world->packets =
        sim_packets_new(world->arena, world->loop, world->seed, on_board_packet, world);
    world->controller = sim_controller_new(world->air, &controller, &host, world);
    world->board = sim_board_new(&board);
}

static void on_transport_event(void *context,
                               const struct updraft_transport_event *event);

static void make_centrals(world_t *world, const struct world_config *config)
{
    size_t count = config->centrals != 0 ? config->centrals : 1;
    if (count > WORLD_CENTRALS_MAX) {
        die("too many centrals");
    }
    for (size_t i = 0; i < count; i++) {
        const struct sim_central_config central = {
            .arena = world->arena,
            .loop = world->loop,
            .air = world->air,
            .address = {0x00, 0x1a, 0x7d, 0xda, 0x71, (uint8_t)(0x10 + i)},
            .profile = &world->profile,
            .cache_services = config->cache_services,
        };
        world->flows[i].world = world;
        world->flows[i].central = i;
        world->transports[i] =
            sim_transport_new(&central, on_transport_event, &world->flows[i]);
    }
}

world_t *world_new(const struct world_config *config)
{
    sim_arena_t *arena = sim_arena_new(WORLD_ARENA_SIZE);
    world_t *world = sim_arena_alloc(arena, sizeof(*world));
    const struct sim_air_profile *profile =
        config->air_profile != NULL
            ? config->air_profile
            : sim_air_profile(config->air != NULL ? config->air : "ideal");
    if (profile == NULL) {
        die("no such air profile");
    }
    world->arena = arena;
    world->seed = config->seed;
    world->profile = *profile;
    world->controller_stalls = config->controller_stalls;
    world->log = sim_arena_alloc(arena, WORLD_LOG_SIZE);
    world->loop = sim_loop_new(arena);
    make_chip(world, config);
    world->air = sim_air_new(arena, world->loop, profile, config->seed);
    make_board(world, config, sim_chip_model_with_id(world->chip->chip_id));
    make_centrals(world, config);
    sim_board_power(world->board, true);
    return world;
}

void world_free(world_t *world)
{
    if (world != NULL) {
        sim_arena_free(world->arena);
    }
}

uint64_t world_now_ms(const world_t *world)
{
    return sim_loop_now_us(world->loop) / 1000;
}

bool world_run(world_t *world, bool (*done)(world_t *world), uint64_t limit_ms)
{
    uint64_t end_us = sim_loop_now_us(world->loop) + limit_ms * 1000;
    uint64_t next_us;
    for (;;) {
        if (done != NULL && done(world)) {
            return true;
        }
        if (!sim_loop_next(world->loop, &next_us) || next_us > end_us) {
            sim_loop_advance(world->loop, end_us);
            return done == NULL;
        }
        sim_loop_step(world->loop);
    }
}

static void arm_flow(struct world_flow *flow)
{
    world_t *world = flow->world;
    uint32_t deadline_ms;
    if (flow->result.finished ||
        !updraft_flow_deadline(&flow->result.flow, &deadline_ms)) {
        sim_loop_cancel(world->loop, &flow->timer);
        return;
    }
    int32_t left_ms = (int32_t)(deadline_ms - (uint32_t)world_now_ms(world));
    /* One more, so that the millisecond has surely begun. */
    sim_loop_after(world->loop, &flow->timer,
                   left_ms > 0 ? ((uint64_t)left_ms + 1) * 1000 : 0);
}

static void on_timer(void *context)
{
    struct world_flow *flow = context;
    updraft_flow_tick(&flow->result.flow, (uint32_t)world_now_ms(flow->world));
    arm_flow(flow);
}

static void on_transport_event(void *context, const struct updraft_transport_event *event)
{
    struct world_flow *flow = context;
    if (updraft_flow_busy(&flow->result.flow)) {
        updraft_flow_event(&flow->result.flow, event,
                           (uint32_t)world_now_ms(flow->world));
        arm_flow(flow);
    }
}

static void copy_text(char target[UPDRAFT_FLOW_TEXT_SIZE], const char *source)
{
    snprintf(target, UPDRAFT_FLOW_TEXT_SIZE, "%s", source);
}

static void on_report(void *context, const struct updraft_event *event)
{
    struct world_flow *flow = context;
    struct world_update *result = &flow->result;
    switch (event->kind) {
    case UPDRAFT_EVENT_PROGRESS:
        result->done_bytes = event->done_bytes;
        result->kept_bytes = event->kept_bytes;
        break;
    case UPDRAFT_EVENT_RETRY:
        result->retries++;
        break;
    case UPDRAFT_EVENT_FINISHED:
        result->finished = true;
        result->finish_us = sim_loop_now_us(flow->world->loop);
        result->status = event->status;
        result->outcome = event->outcome;
        result->resent_bytes = event->resent_bytes;
        result->status_detail = event->status_detail;
        result->info_known = event->info != NULL;
        if (event->info != NULL) {
            result->info = *event->info;
        }
        copy_text(result->firmware_before, event->firmware_before);
        copy_text(result->firmware, event->firmware_revision);
        break;
    case UPDRAFT_EVENT_PHASE:
        if (event->phase < WORLD_PHASES && result->phase_us[event->phase] == 0) {
            struct sim_air_ledger ledger;
            sim_air_ledger(flow->world->air, &ledger);
            result->phase_us[event->phase] = sim_loop_now_us(flow->world->loop);
            result->phase_events[event->phase] = ledger.connection_events;
        }
        break;
    case UPDRAFT_EVENT_FOUND:
    case UPDRAFT_EVENT_CONNECTED:
    case UPDRAFT_EVENT_DEVICE:
        break;
    }
}

/* What protocol 2 needs beside the image; NULL where the image is not whole. */
static const struct updraft_parcel *make_parcel(struct world_flow *flow,
                                                const uint8_t *bytes, size_t size)
{
    struct updraft_image image;
    uint8_t digest[UPDRAFT_IMAGE_HASH_SIZE];
    updraft_image_init(&image, UINT32_MAX);
    if (updraft_image_input(&image, bytes, size) != 0 ||
        updraft_image_finish(&image) != 0) {
        return NULL;
    }
    uint32_t parcel_size = updraft_parcel_size(&image, size);
    if (parcel_size == 0 || parcel_size > WORLD_FLASH_SIZE ||
        mbedtls_sha256_ret(bytes, parcel_size, digest, 0) != 0) {
        return NULL;
    }
    if (flow->sector_crcs == NULL) {
        flow->sector_crcs =
            sim_arena_alloc(flow->world->arena, WORLD_SECTORS * sizeof(uint32_t));
    }
    updraft_parcel_make(&flow->parcel, &image, bytes, parcel_size, digest,
                        flow->sector_crcs);
    return &flow->parcel;
}

void world_update_start(world_t *world, const uint8_t *image, size_t size,
                        const struct world_flow_options *options)
{
    static const struct world_flow_options defaults;
    options = options != NULL ? options : &defaults;
    struct world_flow *flow = &world->flows[options->central];
    struct updraft_flow_config config = {
        .verb = options->verb != UPDRAFT_FLOW_SCAN ? options->verb : UPDRAFT_FLOW_UPDATE,
        .ops = sim_transport_ops(),
        .transport = world->transports[options->central],
        .report = on_report,
        .context = flow,
        .by_address = true,
        .image = image,
        .image_size_bytes = (uint32_t)size,
        .unchecked = options->unchecked,
        .force = options->force,
        .fresh = options->fresh,
        .stage = options->stage,
        .factory = options->factory,
        .protocol_max = options->protocol_max,
        .nonce = (uint32_t)sim_loop_now_us(world->loop),
        .return_limit_ms = options->return_limit_ms,
    };
    if (image != NULL) {
        config.parcel = make_parcel(flow, image, size);
    }
    memcpy(config.address.bytes, world->board_address, 6);
    memset(&flow->result, 0, sizeof(flow->result));
    flow->result.start_us = sim_loop_now_us(world->loop);
    flow->timer.fire = on_timer;
    flow->timer.context = flow;
    int error = updraft_flow_init(&flow->result.flow, &config);
    if (error != 0) {
        flow->result.finished = true;
        flow->result.status = error;
        return;
    }
    updraft_flow_start(&flow->result.flow, (uint32_t)world_now_ms(world));
    arm_flow(flow);
}

const struct world_update *world_update_result(const world_t *world, size_t central)
{
    return &world->flows[central].result;
}

void world_abandon(world_t *world, size_t central)
{
    struct world_flow *flow = &world->flows[central];
    sim_loop_cancel(world->loop, &flow->timer);
    memset(&flow->result.flow, 0, sizeof(flow->result.flow));
    flow->result.finished = true;
    flow->result.status = UPDRAFT_ERROR_CANCELLED;
    (void)sim_transport_ops()->scan(world->transports[central], false);
    (void)sim_transport_ops()->disconnect(world->transports[central]);
}

static bool first_finished(world_t *world)
{
    return world->flows[0].result.finished;
}

static bool second_finished(world_t *world)
{
    return world->flows[1].result.finished;
}

const struct world_update *world_update(world_t *world, const uint8_t *image, size_t size,
                                        const struct world_flow_options *options)
{
    size_t central = options != NULL ? options->central : 0;
    uint64_t limit_ms =
        options != NULL && options->limit_ms != 0 ? options->limit_ms : WORLD_UPDATE_MS;
    world_update_start(world, image, size, options);
    world_run(world, central == 0 ? first_finished : second_finished, limit_ms);
    return world_update_result(world, central);
}

void world_power(world_t *world, bool on)
{
    sim_board_power(world->board, on);
}

bool world_logged(const world_t *world, const char *text, size_t mark)
{
    return mark < world->log_size && strstr(world->log + mark, text) != NULL;
}

sim_snapshot_t *world_snapshot(world_t *world)
{
    return sim_arena_snapshot(world->arena);
}

void world_restore(world_t *world, const sim_snapshot_t *snapshot)
{
    sim_arena_restore(world->arena, snapshot);
}
