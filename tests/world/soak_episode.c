/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Updates with random faults. Once these stop, each has to end confirmed, and nothing may
 * have been written that an update must not write. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/fixture.h"
#include "tests/world/soak.h"

#define IMAGE_MIN      (8u << 10)
#define IMAGE_MAX      (64u << 10)
#define IMAGE_SLOW_MAX (16u << 10) /* on a link that takes minutes for more */
#define IMAGE_LARGE    ((1u << 20) - 4096u)
#define LARGE_ONE_OF   1000u
#define LARGE_MTU      185u
#define FAULTS_MAX     6u
#define WAIT_MIN_MS    32u /* before a fault, at most */
#define WAIT_DOUBLED   10u /* at most so often */
/* A run of the client ends within: by protocol 1, 20 bytes can take two intervals and
 * more. */
#define FLOW_LIMIT_MS  (20u * 60u * 1000u)
#define BYTE_LIMIT_MS  12u
#define FLOWS_MAX      8u     /* after the faults have stopped */
#define PAUSE_MS       10000u /* between two of them */
#define SETTLE_MS      60000u
#define DURABLE_MS     3000u
#define PROTECTED_SIZE 0x9000u /* boot loader and partition table */
#define LOG_TAIL_BYTES 6000u

const char *const soak_fault_names[SOAK_FAULTS] = {
    [SOAK_POWER] = "power cuts",
    [SOAK_RESET] = "resets",
    [SOAK_FADE] = "short fades",
    [SOAK_RANGE] = "links lost",
    [SOAK_CLIENT] = "clients killed",
    [SOAK_SECOND] = "second centrals",
    [SOAK_MBUFS] = "shortages of buffers",
    [SOAK_OVERTAKE] = "spells of overtaking",
    [SOAK_SILENCE] = "spells of lost notifications",
    [SOAK_FLASH] = "flash failures",
};

struct air {
    const char *name;
    unsigned weight;
    bool slow;
};

static const struct air airs[] = {
    {"ideal", 46, false},    {"typical", 18, false},  {"android-15", 12, false},
    {"iphone-30", 8, false}, {"bluez-50", 10, false}, {"c3-7", 4, false},
    {"worst", 2, true},
};
#define AIR_COUNT (sizeof(airs) / sizeof(airs[0]))

struct episode {
    uint64_t seed;
    bool verbose;
    world_t *world;
    sim_random_t random; /* of the update */
    const struct air *air;
    const char *firmware;
    uint16_t chip_id;
    uint16_t mtu;
    char told[512]; /* what happened in this update */
    struct world_flow_options options;
    char old_running[17];
    bool second; /* another central began to update meanwhile */
    struct soak_counts *counts;
    uint8_t protected[PROTECTED_SIZE];
};

volatile uint64_t soak_number;
static struct fixture_image factory;
static struct fixture_image image;
static struct fixture_image old_image; /* what ran before */
static struct fixture_image broken;

static bool wrong(struct episode *episode, const char *what)
{
    const world_t *world = episode->world;
    const struct world_update *update = world_update_result(world, 0);
    printf("violation: %s\n  client: status %d (%s); %s runs; air %s\n  %s\n", what,
           update->status, updraft_error_name(update->status),
           sim_board_running(world->board) ? sim_board_running(world->board) : "nothing",
           episode->air->name, episode->told);
    printf("replay: ./run soak --seed %" PRIu64 " --only %" PRIu64 "\n", episode->seed,
           soak_number);
    if (episode->verbose) {
        size_t skip =
            world->log_size > LOG_TAIL_BYTES ? world->log_size - LOG_TAIL_BYTES : 0;
        fputs(world->log + skip, stdout);
    }
    fflush(stdout);
    return false;
}

static uint32_t below(struct episode *episode, uint32_t bound)
{
    return sim_random_below(&episode->random, bound);
}

static void tell(struct episode *episode, const char *what)
{
    size_t used = strlen(episode->told);
    snprintf(episode->told + used, sizeof(episode->told) - used, "%s at %u ms; ", what,
             (unsigned)world_now_ms(episode->world));
}

static const struct air *choose_air(struct episode *episode)
{
    unsigned sum = 0;
    for (size_t i = 0; i < AIR_COUNT; i++) {
        sum += airs[i].weight;
    }
    uint32_t drawn = below(episode, sum);
    size_t chosen = 0;
    while (drawn >= airs[chosen].weight) {
        drawn -= airs[chosen++].weight;
    }
    return &airs[chosen];
}

static void make_image(const struct episode *episode, struct fixture_image *ret_image,
                       const char *version, uint32_t size)
{
    const struct sim_image_request request = {
        .firmware = episode->firmware,
        .version = version,
        .chip_id = episode->chip_id,
        .size_bytes = size,
        .seed = episode->seed ^ soak_number,
    };
    ret_image->size =
        sim_image_make(&request, ret_image->bytes, sizeof(ret_image->bytes));
    if (ret_image->size == 0) {
        fputs("soak: the image does not fit\n", stderr);
        exit(EXIT_FAILURE);
    }
}

/* Anything that boards, links and programs differ in. */
static void begin(struct episode *episode, uint64_t first)
{
    static const uint16_t mtus[] = {23, 65, 185, 247, 498, 517};
    static const char *const flashes[] = {"ideal", "typical", "worst"};
    static const uint8_t depths[] = {2, 8, 24};
    sim_random_seed(&episode->random, episode->seed * 0x9E3779B97F4A7C15u + first);
    episode->air = choose_air(episode);
    struct sim_air_profile profile = *sim_air_profile(episode->air->name);
    if (!episode->air->slow && below(episode, 2) == 0) {
        profile.mtu = mtus[below(episode, sizeof(mtus) / sizeof(mtus[0]))];
    }
    episode->mtu = profile.mtu;
    bool is_6 = below(episode, 2) == 0;
    bool is_c3 = below(episode, 3) == 0;
    episode->firmware = is_6 ? "minimal_6" : "minimal";
    episode->chip_id = is_c3 ? UPDRAFT_CHIP_ESP32C3 : UPDRAFT_CHIP_ESP32;
    soak_number = first;
    make_image(episode, &factory, "1.0.0", IMAGE_MIN);
    old_image = factory;
    const struct world_config config = {
        .seed = sim_random_next(&episode->random),
        .air_profile = &profile,
        .flash = flashes[below(episode, 3)],
        .rx_pdus = depths[below(episode, 3)],
        .controller_stalls = below(episode, 4) == 0,
        .chip = is_c3 ? "esp32c3" : "esp32",
        .idf_major = is_6 ? 6 : 5,
        .idf_minor = is_6 ? 1 : 3,
        .firmware_dir = FIRMWARE_DIR,
        .firmware_default = episode->firmware,
        .factory = factory.bytes,
        .factory_size = factory.size,
        .centrals = 2,
        .cache_services = below(episode, 2) == 0,
        .preempt = below(episode, 2) == 0,
    };
    episode->world = world_new(&config);
    memcpy(episode->protected, sim_flash_bytes(episode->world->flash), PROTECTED_SIZE);
    (void)world_run(episode->world, fixture_runs, SETTLE_MS);
}

static bool is_over(world_t *world)
{
    return world_update_result(world, 0)->finished;
}

static void start_flow(struct episode *episode)
{
    episode->counts->flows++;
    world_update_start(episode->world, image.bytes, image.size, &episode->options);
}

static bool first_is_free(world_t *world)
{
    return !sim_transport_connecting(world->transports[0]);
}

/* The program's connection ends with it; another one may begin after that. */
static void kill_client(struct episode *episode)
{
    world_abandon(episode->world, 0);
    (void)world_run(episode->world, fixture_never, below(episode, 3000));
    (void)world_run(episode->world, first_is_free, SETTLE_MS);
    start_flow(episode);
}

static void start_second(struct episode *episode)
{
    world_t *world = episode->world;
    struct world_flow_options options = {.central = 1, .unchecked = true};
    if (world->flows[1].result.start_us != 0 &&
        !world_update_result(world, 1)->finished) {
        return; /* it is still at it */
    }
    if (sim_transport_connecting(world->transports[1])) {
        return; /* its last connection is ending */
    }
    options.protocol_max = (uint8_t)(1 + below(episode, 2));
    episode->second = true;
    world_update_start(world, broken.bytes, broken.size, &options);
}

static void power_cycle(struct episode *episode)
{
    world_power(episode->world, false);
    (void)world_run(episode->world, fixture_never, below(episode, 4000));
    world_power(episode->world, true);
}

static void shield(struct episode *episode, uint32_t ms)
{
    sim_controller_shield(episode->world->controller, true);
    (void)world_run(episode->world, fixture_never, ms);
    sim_controller_shield(episode->world->controller, false);
}

static void disturb(struct episode *episode)
{
    world_t *world = episode->world;
    enum soak_fault fault = (enum soak_fault)below(episode, SOAK_FAULTS);
    struct sim_packet_faults packets = {0};
    episode->counts->faults[fault]++;
    tell(episode, soak_fault_names[fault]);
    switch (fault) {
    case SOAK_POWER:
        power_cycle(episode);
        break;
    case SOAK_RESET:
        sim_board_reset(world->board);
        break;
    case SOAK_FADE:
        shield(episode, below(episode, 600));
        break;
    case SOAK_RANGE:
        shield(episode, below(episode, 12000));
        break;
    case SOAK_CLIENT:
        kill_client(episode);
        break;
    case SOAK_SECOND:
        start_second(episode);
        break;
    case SOAK_MBUFS:
        packets.lose = 1 + below(episode, 100);
        packets.lose_on = below(episode, 800);
        sim_packets_faults(world->packets, &packets);
        break;
    case SOAK_OVERTAKE:
        packets.overtake = 10 + below(episode, 300);
        sim_packets_faults(world->packets, &packets);
        break;
    case SOAK_SILENCE:
        sim_transport_lose_notifications(world->transports[0], 1 + below(episode, 6));
        break;
    case SOAK_FLASH:
        sim_flash_fail_at(world->flash, fixture_operations(world) + below(episode, 60));
        break;
    case SOAK_FAULTS:
        break;
    }
}

static void stop_faults(struct episode *episode)
{
    world_t *world = episode->world;
    const struct sim_packet_faults none = {0};
    sim_packets_faults(world->packets, &none);
    sim_transport_lose_notifications(world->transports[0], 0);
    sim_flash_fail_at(world->flash, SIM_FLASH_NEVER);
    if (world->flows[1].result.start_us != 0 &&
        !world_update_result(world, 1)->finished) {
        world_abandon(world, 1);
    }
}

/* With faults, until they stop or the update is there in spite of them. */
static void play_faults(struct episode *episode)
{
    world_t *world = episode->world;
    for (uint32_t left = below(episode, FAULTS_MAX + 1); left > 0; left--) {
        /* Updates take from a second to minutes: any magnitude is as likely. */
        uint32_t wait_ms = below(episode, WAIT_MIN_MS << below(episode, WAIT_DOUBLED));
        if (world_run(world, is_over, wait_ms)) {
            if (world_update_result(world, 0)->status == 0) {
                break;
            }
            start_flow(episode);
        }
        disturb(episode);
    }
    stop_faults(episode);
}

/* Without faults, to the end. */
static bool finish(struct episode *episode)
{
    world_t *world = episode->world;
    uint64_t stopped_ms = world_now_ms(world);
    uint32_t flows = 0;
    for (;;) {
        if (!world_run(world, is_over,
                       FLOW_LIMIT_MS + (uint64_t)image.size * BYTE_LIMIT_MS)) {
            return wrong(episode, "the client does not come to an end");
        }
        const struct world_update *update = world_update_result(world, 0);
        if (update->status == 0) {
            break;
        }
        tell(episode, updraft_error_name(update->status));
        if (++flows == FLOWS_MAX) {
            return wrong(episode, "no faults any more, and the update does not succeed");
        }
        (void)world_run(world, fixture_never, PAUSE_MS);
        start_flow(episode);
    }
    /* A client of protocol 1 may be content while the trial lasts; and what is written
     * counts once its time has passed. */
    bool settled = world_run(world, fixture_settled, SETTLE_MS);
    (void)world_run(world, fixture_never, DURABLE_MS);
    if (!settled || !fixture_settled(world)) {
        return wrong(episode, "success was reported, and no firmware is confirmed");
    }
    uint32_t took_s = (uint32_t)((world_now_ms(world) - stopped_ms) / 1000);
    struct soak_counts *counts = episode->counts;
    counts->flows_worst = flows > counts->flows_worst ? flows : counts->flows_worst;
    counts->finish_worst_s =
        took_s > counts->finish_worst_s ? took_s : counts->finish_worst_s;
    return true;
}

static bool holds(const struct episode *episode, const char *label,
                  const struct fixture_image *expected)
{
    const uint8_t *flash = sim_flash_bytes(episode->world->flash);
    return memcmp(flash + fixture_part(episode->world, label)->offset, expected->bytes,
                  expected->size) == 0;
}

static bool check(struct episode *episode)
{
    world_t *world = episode->world;
    const char *running = sim_board_running(world->board);
    if (running == NULL || strcmp(running, episode->old_running) == 0 ||
        !holds(episode, running, &image)) {
        return wrong(episode, "success was reported, and another image runs");
    }
    if (!fixture_verifies(world)) {
        return wrong(episode, "what runs does not verify");
    }
    if (!holds(episode, "factory", &factory)) {
        return wrong(episode, "factory was written");
    }
    /* Once the new one is confirmed, the other central may write where the old one was.
     */
    if (!episode->second && !holds(episode, episode->old_running, &old_image)) {
        return wrong(episode, "the slot was written that was running");
    }
    if (memcmp(sim_flash_bytes(world->flash), episode->protected, PROTECTED_SIZE) != 0) {
        return wrong(episode, "boot loader or partition table were written");
    }
    return true;
}

static bool update(struct episode *episode)
{
    char version[32];
    sim_random_seed(&episode->random,
                    episode->seed * 0x9E3779B97F4A7C15u + soak_number + 1000000007u);
    uint32_t size = IMAGE_MIN + below(episode, IMAGE_MAX - IMAGE_MIN);
    /* Not where protocol 1 would take more than the hour that a device allows. */
    bool large = below(episode, LARGE_ONE_OF) == 0 && !episode->air->slow &&
                 episode->mtu >= LARGE_MTU;
    size = large ? IMAGE_LARGE : size;
    size = episode->air->slow ? IMAGE_MIN + size % (IMAGE_SLOW_MAX - IMAGE_MIN) : size;
    snprintf(version, sizeof(version), "2.%" PRIu64, soak_number);
    make_image(episode, &image, version, size);
    snprintf(version, sizeof(version), "3.%" PRIu64, soak_number);
    make_image(episode, &broken, version, IMAGE_MIN);
    broken.bytes[broken.size - 1] ^= 1;
    memset(&episode->options, 0, sizeof(episode->options));
    episode->options.protocol_max = (uint8_t)(1 + (below(episode, 4) > 0));
    episode->told[0] = '\0';
    episode->second = false;
    snprintf(episode->old_running, sizeof(episode->old_running), "%s",
             sim_board_running(episode->world->board));
    start_flow(episode);
    play_faults(episode);
    if (!finish(episode) || !check(episode)) {
        return false;
    }
    old_image.size = image.size;
    memcpy(old_image.bytes, image.bytes, image.size);
    episode->counts->updates++;
    episode->counts->native += episode->options.protocol_max == 2;
    episode->counts->large += large;
    if (episode->verbose) {
        printf("update %" PRIu64 ": %u bytes by protocol %u over %s: %s\n", soak_number,
               size, episode->options.protocol_max, episode->air->name, episode->told);
    }
    return true;
}

bool soak_episode(uint64_t seed, uint64_t first, uint64_t last, bool verbose,
                  struct soak_counts *counts)
{
    static struct episode episode;
    memset(&episode, 0, sizeof(episode));
    episode.seed = seed;
    episode.verbose = verbose;
    episode.counts = counts;
    begin(&episode, first);
    bool fine = fixture_runs(episode.world) || wrong(&episode, "the board does not boot");
    for (uint64_t number = first; fine && number <= last; number++) {
        soak_number = number;
        fine = update(&episode);
    }
    struct sim_packet_counts packets = sim_packets_counts(episode.world->packets);
    counts->lost += packets.lost;
    counts->overtaken += packets.overtaken;
    counts->boots += sim_board_boots(episode.world->board);
    counts->virtual_s += world_now_ms(episode.world) / 1000;
    world_free(episode.world);
    return fine;
}
