/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Centrals that write anything at any time: no crash, no write outside the target slot,
 * and the board can be updated afterwards. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/raw.h"
#include "tests/world/unharmed.h"
#include "updraft/protocol1.h"

#define CENTRALS       3u
#define SETTLE_MS      20000u
#define QUIET_MS       120000u /* every limit of an update is over */
#define CHECK_EVERY    64u
#define HANDLES        64u
#define IMAGE_SIZE     (24u << 10)
#define LOG_TAIL_BYTES 4000u

struct scene {
    const char *name;
    const char *firmware; /* for ESP-IDF 6 with _6 behind it */
    const char *air;
    const char *flash;
    int idf_major;
    int earlier_updates;
    bool preempt;
    unsigned steps;
};

static const struct scene scenes[] = {
    {"factory", "minimal", "ideal", "ideal", 5, 0, false, 6000},
    {"later", "minimal", "ideal", "ideal", 6, 2, false, 6000},
    {"slow-flash", "minimal", "ideal", "worst", 5, 2, false, 3000},
    {"typical", "minimal", "typical", "typical", 5, 2, true, 2000},
    {"bad-air", "minimal", "worst", "ideal", 6, 0, true, 1500},
    {"own-nimble", "own_nimble", "ideal", "typical", 5, 2, true, 4000},
};
#define SCENE_COUNT (sizeof(scenes) / sizeof(scenes[0]))

struct noise {
    const struct scene *scene;
    uint64_t seed;
    world_t *world;
    sim_random_t random;
    struct raw *raws[CENTRALS];
    size_t sent[CENTRALS];  /* of the image, since the last REQUEST */
    struct unharmed before; /* as it was when it began */
    uint64_t operations;
    unsigned step;
    /* What was done: */
    unsigned connects;
    unsigned requests;
    unsigned writes;
};

/* The same, by all seeds of a scene. */
struct tally {
    unsigned connects, requests, writes;
    uint64_t operations; /* of flash */
};

static struct fixture_image image; /* its hash is wrong */
static struct fixture_image good_image;

static uint32_t below(struct noise *noise, uint32_t bound)
{
    return sim_random_below(&noise->random, bound);
}

static void fail_noise(const struct noise *noise, const char *what)
{
    const world_t *world = noise->world;
    size_t skip = world->log_size > LOG_TAIL_BYTES ? world->log_size - LOG_TAIL_BYTES : 0;
    fputs(world->log + skip, stderr);
    fail_msg("%s, after step %u\nreplay: UPDRAFT_NOISE=%s:%" PRIu64 " test_world_noise",
             what, noise->step, noise->scene->name, noise->seed);
}

static const char *firmware_of(const struct scene *scene)
{
    static char name[24];
    snprintf(name, sizeof(name), "%s%s", scene->firmware,
             scene->idf_major == 6 ? "_6" : "");
    return name;
}

static void update(world_t *world, const struct fixture_image *new_image)
{
    const struct world_update *result =
        world_update(world, new_image->bytes, new_image->size, NULL);
    assert_int_equal(result->status, 0);
    (void)world_run(world, fixture_never, SETTLE_MS);
}

static void begin(struct noise *noise, const struct scene *scene, uint64_t seed)
{
    static struct fixture_image factory;
    static const char *const versions[] = {"1.1.0", "1.2.0"};
    memset(noise, 0, sizeof(*noise));
    noise->scene = scene;
    noise->seed = seed;
    sim_random_seed(&noise->random, seed);
    fixture_image_make(&factory, firmware_of(scene), "1.0.0", "good", 8u << 10);
    const struct world_config config = {
        .seed = seed,
        .air = scene->air,
        .flash = scene->flash,
        .idf_major = scene->idf_major,
        .idf_minor = scene->idf_major == 6 ? 1 : 3,
        .preempt = scene->preempt,
        .firmware_default = firmware_of(scene),
        .factory = factory.bytes,
        .factory_size = factory.size,
    };
    noise->world = fixture_world(&config);
    assert_true(world_run(noise->world, fixture_runs, SETTLE_MS));
    (void)world_run(noise->world, fixture_never, 1000);
    for (int i = 0; i < scene->earlier_updates; i++) {
        fixture_image_make(&good_image, firmware_of(scene), versions[i], "good",
                           8u << 10);
        update(noise->world, &good_image);
    }
    fixture_image_make(&image, firmware_of(scene), "1.3.0", "good", IMAGE_SIZE);
    image.bytes[image.size - 1] ^= 1;
    for (unsigned i = 0; i < CENTRALS; i++) {
        noise->raws[i] = raw_new(noise->world, i + 1);
    }
    noise->operations = fixture_operations(noise->world);
    unharmed_begin(&noise->before, noise->world);
}

static void end(struct noise *noise)
{
    unharmed_end(&noise->before);
    world_free(noise->world);
}

static void check(const struct noise *noise)
{
    const char *harm = unharmed_check(&noise->before, noise->world);
    if (harm != NULL) {
        fail_noise(noise, harm);
    }
}

/* Mostly short, sometimes as long as a value may be. */
static size_t some_bytes(struct noise *noise, uint8_t bytes[512])
{
    static const uint16_t bounds[] = {3, 5, 24, 245, 513};
    size_t size = below(noise, bounds[below(noise, 5)]);
    sim_random_fill(&noise->random, bytes, size);
    return size;
}

static void put(struct noise *noise, unsigned central, uint16_t handle,
                const uint8_t *bytes, size_t size, bool request)
{
    struct raw *raw = noise->raws[central];
    /* Refused while too many wait already. */
    noise->writes += sim_central_write(raw->central, raw->peer, handle, bytes, size,
                                       request, /* token= */ 0);
}

static void write_control(struct noise *noise, unsigned central)
{
    static const uint8_t opcodes[] = {UPDRAFT_P1_REQUEST, UPDRAFT_P1_REQUEST,
                                      UPDRAFT_P1_DONE, UPDRAFT_P1_NOP};
    uint8_t bytes[512];
    size_t size = 1;
    uint32_t choice = below(noise, 8);
    if (choice < 5) {
        bytes[0] = opcodes[below(noise, sizeof(opcodes))];
    } else if (choice == 5) {
        bytes[0] = (uint8_t)below(noise, 256);
    } else {
        size = some_bytes(noise, bytes);
    }
    if (size == 1 && bytes[0] == UPDRAFT_P1_REQUEST) {
        noise->sent[central] = 0;
        noise->requests++;
    }
    put(noise, central, raw_control(noise->raws[central]), bytes, size,
        below(noise, 8) != 0);
}

/* A row of packets of the image, as a client would send it: the first is often right. */
static void write_image(struct noise *noise, unsigned central)
{
    bool request = below(noise, 3) != 0;
    size_t size = below(noise, 4) == 0 ? 1 + below(noise, 512) : 244;
    for (uint32_t i = below(noise, 40); i > 0; i--) {
        size_t at = noise->sent[central];
        if (at >= image.size) {
            uint8_t done = UPDRAFT_P1_DONE;
            put(noise, central, raw_control(noise->raws[central]), &done, 1, true);
            return;
        }
        size_t step = image.size - at < size ? image.size - at : size;
        put(noise, central, raw_data(noise->raws[central]), image.bytes + at, step,
            request);
        noise->sent[central] += step;
    }
}

static void write_data(struct noise *noise, unsigned central)
{
    uint8_t bytes[512];
    size_t size = some_bytes(noise, bytes);
    if (below(noise, 4) == 0) {
        /* A packet size, mostly one that is allowed. */
        uint32_t packet_size = below(noise, 4) == 0 ? below(noise, 0x10000) : 244;
        bytes[0] = (uint8_t)packet_size;
        bytes[1] = (uint8_t)(packet_size >> 8);
        size = 2;
    }
    put(noise, central, raw_data(noise->raws[central]), bytes, size,
        below(noise, 2) == 0);
}

static void write_anywhere(struct noise *noise, unsigned central)
{
    struct raw *raw = noise->raws[central];
    uint8_t bytes[512];
    size_t size = some_bytes(noise, bytes);
    uint16_t handle = (uint16_t)below(noise, HANDLES);
    switch (below(noise, 4)) {
    case 0:
        put(noise, central, handle, bytes, size, below(noise, 2) == 0);
        break;
    case 1:
        (void)sim_central_write_at(raw->central, raw->peer, handle,
                                   (uint16_t)below(noise, 600), bytes, size, 0);
        break;
    case 2:
        (void)sim_central_read_from(raw->central, raw->peer, handle,
                                    (uint16_t)below(noise, 600), 0);
        break;
    default:
        bytes[0] = (uint8_t)below(noise, 256);
        (void)sim_central_raw(raw->central, raw->peer, bytes, size > 0 ? size : 1);
        break;
    }
}

static void act(struct noise *noise)
{
    unsigned central = below(noise, CENTRALS);
    struct raw *raw = noise->raws[central];
    if (!raw_connected(raw)) {
        if (below(noise, 3) == 0) {
            noise->connects += raw_connect(raw);
            noise->sent[central] = 0;
        }
        return;
    }
    uint32_t choice = below(noise, 100);
    if (!raw->resolved || choice < 8) {
        write_anywhere(noise, central);
    } else if (choice < 36) {
        write_control(noise, central);
    } else if (choice < 66) {
        write_image(noise, central);
    } else if (choice < 95) {
        write_data(noise, central);
    } else if (choice < 98) {
        sim_central_disconnect(raw->central, raw->peer);
    } else {
        sim_controller_shield(sim_central_controller(raw->central), true);
        (void)world_run(noise->world, fixture_never, below(noise, 30000));
        sim_controller_shield(sim_central_controller(raw->central), false);
    }
}

static void let_time_pass(struct noise *noise)
{
    static const uint32_t bounds_ms[] = {1, 1, 5, 60, 400, 400, 2000};
    uint32_t bound_ms = bounds_ms[below(noise, 7)];
    (void)world_run(noise->world, fixture_never, below(noise, bound_ms + 1));
    if (below(noise, 200) == 0) {
        (void)world_run(noise->world, fixture_never, below(noise, 60000));
    }
}

static void make_noise(const struct scene *scene, uint64_t seed, struct tally *tally)
{
    struct noise noise;
    begin(&noise, scene, seed);
    for (; noise.step < scene->steps; noise.step++) {
        act(&noise);
        let_time_pass(&noise);
        if (noise.step % CHECK_EVERY == 0) {
            check(&noise);
        }
    }
    for (unsigned i = 0; i < CENTRALS; i++) {
        if (raw_connected(noise.raws[i])) {
            raw_disconnect(noise.raws[i]);
        }
    }
    (void)world_run(noise.world, fixture_never, QUIET_MS);
    check(&noise);
    uint64_t operations = fixture_operations(noise.world) - noise.operations;
    print_message("%s: %u connections, %u requests, %u writes, %" PRIu64
                  " flash operations\n",
                  scene->name, noise.connects, noise.requests, noise.writes, operations);
    tally->connects += noise.connects;
    tally->requests += noise.requests;
    tally->writes += noise.writes;
    tally->operations += operations;
    fixture_image_make(&good_image, firmware_of(scene), "2.0.0", "good", 8u << 10);
    const struct world_update *result =
        world_update(noise.world, good_image.bytes, good_image.size, NULL);
    if (result->status != 0 || strcmp(result->firmware, "2.0.0") != 0) {
        print_message("status %d (%s)\n", result->status,
                      updraft_error_name(result->status));
        fail_noise(&noise, "the board cannot be updated afterwards");
    }
    (void)world_run(noise.world, fixture_never, SETTLE_MS);
    assert_true(fixture_settled(noise.world) && fixture_verifies(noise.world));
    assert_string_equal(sim_board_running(noise.world->board), noise.before.target);
    end(&noise);
}

static void anything_written_at_any_time_does_no_harm(void **state)
{
    const struct scene *scene = *state;
    unsigned seeds = fixture_rounds(3, 30);
    struct tally tally = {0};
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        make_noise(scene, seed, &tally);
    }
    /* It was noise. */
    assert_true(tally.connects > 3 * seeds);
    assert_true(tally.requests > scene->steps / 50 * seeds);
    assert_true(tally.writes > scene->steps * seeds && tally.operations > 100 * seeds);
}

/* UPDRAFT_NOISE=scene:seed, as a failure prints it. */
static int replay(const char *text)
{
    char name[16];
    uint64_t seed = 0;
    if (sscanf(text, "%15[^:]:%" SCNu64, name, &seed) == 2) {
        for (size_t i = 0; i < SCENE_COUNT; i++) {
            if (strcmp(scenes[i].name, name) == 0) {
                make_noise(&scenes[i], seed, &(struct tally){0});
                return EXIT_SUCCESS;
            }
        }
    }
    fprintf(stderr, "UPDRAFT_NOISE=%s: no such scene\n", text);
    return EXIT_FAILURE;
}

int main(void)
{
    struct CMUnitTest tests[SCENE_COUNT];
    char names[SCENE_COUNT][80];
    const char *one = getenv("UPDRAFT_NOISE");
    if (one != NULL) {
        return replay(one);
    }
    for (size_t i = 0; i < SCENE_COUNT; i++) {
        snprintf(names[i], sizeof(names[i]),
                 "anything_written_at_any_time_does_no_harm (%s)", scenes[i].name);
        tests[i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = anything_written_at_any_time_does_no_harm,
            .initial_state = (void *)(uintptr_t)&scenes[i],
        };
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
