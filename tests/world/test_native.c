/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the firmware by protocol 2: Info, sessions, and what it does to its link.
 */
#include <stdio.h>
#include <string.h>

#include "tests/world/native.h"
#include "updraft/device_session.h"
#include "updraft/error.h"
#include "updraft/protocol1.h"

#define IMAGE_SIZE   (20u << 10)
#define FACTORY_SIZE (16u << 10)

static struct fixture_image image;
static struct fixture_image other;
static struct fixture_image factory;

static world_t *world_with(struct world_config config,
                           const struct sim_image_request *request)
{
    struct sim_image_request made = {
        .firmware = "minimal", .version = "1.0.0", .seed = 1, .size_bytes = FACTORY_SIZE};
    if (request != NULL) {
        made = *request;
    }
    config.seed = 1;
    fixture_image_request(&factory, &made);
    config.factory = factory.bytes;
    config.factory_size = factory.size;
    world_t *world = fixture_world(&config);
    fixture_await(world, "advertising as", 5000);
    return world;
}

static world_t *new_world(void)
{
    return world_with((struct world_config){0}, NULL);
}

/* Reports that were due anyway may come before the answer. */
static void end_session(struct native *native)
{
    (void)native_ask_session(native, UPDRAFT_P2_ABORT);
    while (native->state.state != UPDRAFT_P2_STATE_IDLE) {
        assert_true(native_await(native, NATIVE_STATE_MS));
    }
    assert_int_equal(native->state.status, UPDRAFT_P2_ABORTED);
}

static void info_says_what_the_device_is(void **state)
{
    (void)state;
    const struct sim_image_request request = {.firmware = "minimal",
                                              .version = "7.8.9",
                                              .project = "lamp",
                                              .hardware_id = 77,
                                              .seed = 1};
    world_t *world = world_with((struct world_config){0}, &request);
    struct native native;
    native_init(&native, raw_new(world, 1));
    native_connect(&native);
    struct updraft_info info = native_info(&native);
    assert_int_equal(info.flags, 0);
    assert_int_equal(info.run_state, UPDRAFT_RUN_FACTORY);
    assert_int_equal(info.slot, 0xFF);
    assert_int_equal(info.result, UPDRAFT_RESULT_NONE);
    assert_int_equal(info.chip_id, 0);
    assert_int_equal(info.slot_size_bytes, fixture_part(world, "ota_0")->size);
    assert_true(info.window_bytes > 8000);
    assert_int_equal(info.hardware_id, 77);
    assert_int_equal(info.secure_version, 0);
    /* The board's Bluetooth address is its base address plus 2. */
    uint8_t base[6];
    memcpy(base, world->board_address, sizeof(base));
    base[5] = (uint8_t)(base[5] - 2);
    assert_memory_equal(info.device_id, base, sizeof(base));
    assert_memory_equal(info.image_id, native_id(&factory), 32);
    assert_string_equal(info.version, "7.8.9");
    assert_string_equal(info.project, "lamp");
    world_free(world);
}

/* Also where it takes several reads; and the write size fits whole link-layer packets. */
static void info_is_whole_at_every_mtu(void **state)
{
    (void)state;
    static const uint16_t sizes[][2] = {{23, 20},   {185, 182}, {247, 244}, {256, 244},
                                        {497, 244}, {498, 495}, {517, 495}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct sim_air_profile profile = *sim_air_profile("ideal");
        profile.mtu = sizes[i][0];
        world_t *world = new_world();
        struct native native;
        native_init(&native, raw_new_on(world, 1, &profile));
        native_connect(&native);
        assert_int_equal(native_info(&native).write_size_bytes, sizes[i][1]);
        fixture_image_make(&image, "minimal", "1.1.0", "good", IMAGE_SIZE);
        assert_int_equal(native_deliver(&native, &image, 0), UPDRAFT_P2_OK);
        world_free(world);
    }
}

/* At MTU 23 on a link of 100 ms the reads take more than a second, and time goes on. */
static void info_of_a_trial_can_be_read_slowly(void **state)
{
    (void)state;
    struct sim_air_profile profile = *sim_air_profile("worst");
    profile.loss = 0;
    const struct world_config config = {.air = "worst"};
    world_t *world = world_with(config, NULL);
    struct native native;
    native_init(&native, raw_new_on(world, 1, &profile));
    fixture_image_make(&image, "minimal", "1.1.0", "good", 4u << 10);
    assert_int_equal(native_update(&native, &image, UPDRAFT_P2_CONFIRM_BY_CLIENT),
                     UPDRAFT_P2_OK);
    fixture_await(world, "restarting into ota_0", 10000);
    native_connect(&native);
    unsigned torn = 0;
    for (int i = 0; i < 20; i++) {
        struct updraft_info info;
        uint64_t begun_ms = world_now_ms(world);
        assert_int_equal(raw_read(native.raw, raw_info(native.raw)), 0);
        assert_true(world_now_ms(world) - begun_ms > 700);
        torn += !updraft_info_get(native.raw->value, native.raw->value_size, &info);
    }
    print_message("%u of 20 were torn\n", torn);
    assert_true(torn <= 5);
    world_free(world);
}

static void update_by_hand_is_restarted_into_and_confirmed(void **state)
{
    (void)state;
    world_t *world = new_world();
    struct native native;
    native_init(&native, raw_new(world, 1));
    fixture_image_make(&image, "minimal", "1.1.0", "good", 200u << 10);
    assert_int_equal(native_deliver(&native, &image, 0), UPDRAFT_P2_OK);
    assert_int_equal(native.state.state, UPDRAFT_P2_STATE_VERIFIED);
    /* Until it is activated no boot loader takes it for an image. */
    const uint8_t *slot =
        sim_flash_bytes(world->flash) + fixture_part(world, "ota_0")->offset;
    for (size_t i = 0; i < 32; i++) {
        assert_int_equal(slot[i], 0xFF);
    }
    assert_memory_equal(slot + 32, image.bytes + 32, image.size - 32);
    assert_int_equal(native_ask_image(&native, UPDRAFT_P2_ACTIVATE,
                                      UPDRAFT_P2_CONFIRM_BY_DEVICE, native_id(&image)),
                     UPDRAFT_P2_OK);
    assert_int_equal(native.state.state, UPDRAFT_P2_STATE_RESTARTING);
    fixture_await(world, "restarting into ota_0", 5000);
    native_connect(&native);
    assert_int_equal(native_info(&native).run_state, UPDRAFT_RUN_ON_TRIAL);
    fixture_await(world, ": confirmed", 10000);
    struct updraft_info info = native_info(&native);
    assert_int_equal(info.run_state, UPDRAFT_RUN_CONFIRMED);
    assert_int_equal(info.slot, 0);
    assert_int_equal(info.result, UPDRAFT_RESULT_CONFIRMED);
    assert_memory_equal(info.image_id, native_id(&image), 32);
    assert_memory_equal(info.noted_id, native_id(&image), sizeof(info.noted_id));
    world_free(world);
}

static void second_connection_is_told_busy(void **state)
{
    (void)state;
    world_t *world = new_world();
    struct native first;
    struct native second;
    native_init(&first, raw_new(world, 1));
    native_init(&second, raw_new(world, 2));
    fixture_image_make(&image, "minimal", "1.1.0", "good", IMAGE_SIZE);
    native_connect(&first);
    native_connect(&second);
    assert_int_equal(native_open(&first, &image, 0), UPDRAFT_P2_OK);
    assert_int_equal(native_open(&second, &image, 0), UPDRAFT_P2_BUSY);
    assert_int_equal(native_info(&second).flags, UPDRAFT_INFO_BUSY);
    assert_int_equal(native_info(&first).flags, 0);
    assert_int_equal(raw_write(second.raw, raw_data(second.raw), "\0\0abc", 5),
                     UPDRAFT_P1_ATT_BUSY);
    assert_int_equal(raw_ask(second.raw, UPDRAFT_P1_REQUEST), UPDRAFT_P1_REQUEST_NAK);
    assert_int_equal(native_ask_session(&second, UPDRAFT_P2_FINISH),
                     UPDRAFT_P2_WRONG_STATE);
    /* When the first goes away the second can. */
    raw_disconnect(first.raw);
    assert_int_equal(native_deliver(&second, &image, 0), UPDRAFT_P2_OK);
    world_free(world);
}

static void nothing_is_notified_that_was_not_asked_for(void **state)
{
    (void)state;
    world_t *world = new_world();
    struct native native;
    native_init(&native, raw_new(world, 1));
    const struct updraft_p2_command status = {.opcode = UPDRAFT_P2_STATUS};
    static const uint8_t disable[2] = {0, 0};
    assert_true(raw_connect(native.raw));
    assert_int_equal(native_tell(&native, &status), 0);
    raw_wait(world, 1000);
    assert_int_equal(native.raw->reports_count, 0);
    raw_disconnect(native.raw);
    native_connect(&native);
    assert_int_equal(native_ask(&native, &status), UPDRAFT_P2_OK);
    assert_int_equal(raw_write(native.raw, raw_control_cccd(native.raw), disable, 2), 0);
    size_t count = native.raw->reports_count;
    assert_int_equal(native_tell(&native, &status), 0);
    raw_wait(world, 1000);
    assert_int_equal(native.raw->reports_count, count);
    /* The subscription is the connection's, not the client's. */
    raw_disconnect(native.raw);
    assert_true(raw_connect(native.raw));
    assert_int_equal(native_tell(&native, &status), 0);
    raw_wait(world, 1000);
    assert_int_equal(native.raw->reports_count, count);
    world_free(world);
}

static void what_is_no_message_is_an_att_error(void **state)
{
    (void)state;
    static const struct {
        uint8_t size;
        uint8_t bytes[24];
        uint8_t error;
    } values[] = {
        {2, {0x10, 2}, 0x13},                      /* too short */
        {3, {0x18, 0, 0}, 0x13},                   /* too long */
        {12, {0x10, 2, 0, 1, 0x94, 1, 244}, 0x13}, /* reserved byte */
        {2, {0x19, 0}, 0x0D},                      /* of neither protocol */
        {2, {1, 1}, 0x0D},
        {2, {0x80, 0}, 0x0D},
        {21, {0x10}, 0x0D},
        {1, {0x10}, 0x13},
    };
    world_t *world = new_world();
    struct native native;
    native_init(&native, raw_new(world, 1));
    native_connect(&native);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_int_equal(raw_write(native.raw, raw_control(native.raw), values[i].bytes,
                                   values[i].size),
                         values[i].error);
    }
    assert_int_equal(raw_write(native.raw, raw_info(native.raw), "x", 1), 0x03);
    raw_wait(world, 1000);
    assert_int_equal(native.raw->reports_count, 0);
    assert_int_equal(native.raw->notified_count, 0);
    world_free(world);
}

/* The host task never waits for them, so what does not fit is dropped and sent again. */
static void chunks_beyond_the_window_are_found_missing(void **state)
{
    (void)state;
    const struct world_config config = {.flash = "typical"};
    world_t *world = world_with(config, NULL);
    struct native native;
    native_init(&native, raw_new(world, 1));
    fixture_image_make(&image, "minimal", "1.1.0", "good", 100u << 10);
    native_connect(&native);
    assert_int_equal(native_open(&native, &image, 0), UPDRAFT_P2_OK);
    assert_int_equal(native_send_manifest(&native), UPDRAFT_P2_OK);
    const struct updraft_p2_command range = {
        .opcode = UPDRAFT_P2_RANGE,
        .session = native.state.session,
        .flags = UPDRAFT_P2_RANGE_FINISH,
        .size_bytes = (uint32_t)image.size,
    };
    assert_int_equal(native_ask(&native, &range), UPDRAFT_P2_OK);
    /* Everything at once, whatever the limit says. */
    const size_t chunk = native.write_size - 2u;
    for (size_t at = 0; at < image.size; at += chunk) {
        uint16_t number = (uint16_t)(native.state.next + at / chunk);
        size_t size = image.size - at < chunk ? image.size - at : chunk;
        uint8_t value[512] = {(uint8_t)number, (uint8_t)(number >> 8)};
        memcpy(value + 2, image.bytes + at, size);
        /* The central's queue is short. */
        while (raw_command(native.raw, raw_data(native.raw), value, size + 2) != 0) {
            raw_wait(world, 1);
        }
    }
    bool wanted = false;
    while (native.state.state == UPDRAFT_P2_STATE_RECEIVING && !wanted) {
        assert_true(native_await(&native, NATIVE_STATE_MS));
        wanted = (native.state.flags & UPDRAFT_P2_REPORT_WANT) != 0;
    }
    assert_true(wanted);
    assert_false(world_logged(world, "no room for", 0));
    end_session(&native);
    assert_int_equal(native_deliver(&native, &image, 0), UPDRAFT_P2_OK);
    world_free(world);
}

static uint64_t events_in(world_t *world, uint64_t ms)
{
    struct sim_air_ledger before;
    struct sim_air_ledger after;
    sim_air_ledger(world->air, &before);
    raw_wait(world, ms);
    sim_air_ledger(world->air, &after);
    return after.connection_events - before.connection_events;
}

/* Counted on air: 50 ms as the central wanted, 15 to 30 ms during the session. */
static void session_asks_for_a_fast_link_and_gives_it_back(void **state)
{
    (void)state;
    const struct world_config config = {.air = "typical"};
    world_t *world = world_with(config, NULL);
    struct native native;
    native_init(&native, raw_new_on(world, 1, sim_air_profile("typical")));
    fixture_image_make(&image, "minimal", "1.1.0", "good", IMAGE_SIZE);
    native_connect(&native);
    raw_wait(world, 2000);
    uint64_t idle = events_in(world, 6000);
    assert_in_range(idle, 118, 122);
    assert_int_equal(native_open(&native, &image, 0), UPDRAFT_P2_OK);
    raw_wait(world, 2000);
    assert_in_range(events_in(world, 6000), 200, 402);
    end_session(&native);
    raw_wait(world, 2000);
    assert_in_range(events_in(world, 6000), 118, 122);
    world_free(world);
}

static void app_is_asked_before_erasing_and_told_before_the_restart(void **state)
{
    (void)state;
    struct sim_image_request request = {
        .firmware = "hooks", .version = "1.0.0", .seed = 1, .size_bytes = FACTORY_SIZE};
    world_t *world = world_with((struct world_config){0}, &request);
    struct native native;
    native_init(&native, raw_new(world, 1));
    fixture_image_make(&image, "hooks", "1.1.0", "good", IMAGE_SIZE);
    uint64_t before = fixture_operations(world);
    native_connect(&native);
    assert_int_equal(native_open(&native, &image, 0), UPDRAFT_P2_OK);
    fixture_expect_logged(world, "asked about an update", 0);
    assert_int_equal(native_send_manifest(&native), UPDRAFT_P2_OK);
    fixture_expect_logged(world, "asked about 1.1.0", 0);
    assert_int_equal(fixture_operations(world), before);
    end_session(&native);
    assert_int_equal(native_update(&native, &image, UPDRAFT_P2_CONFIRM_BY_DEVICE),
                     UPDRAFT_P2_OK);
    fixture_await(world, "restarting into", 5000);
    fixture_expect_logged(world, "about to restart", 0);
    world_free(world);
    static const char *const moods[] = {"veto", "picky"};
    for (size_t i = 0; i < 2; i++) {
        request.version = moods[i];
        world = world_with((struct world_config){0}, &request);
        native_init(&native, raw_new(world, 1));
        before = fixture_operations(world);
        native_connect(&native);
        assert_int_equal(native_open(&native, &image, 0),
                         i == 0 ? UPDRAFT_P2_VETOED : UPDRAFT_P2_OK);
        if (i == 1) {
            assert_int_equal(native_send_manifest(&native), UPDRAFT_P2_VETOED);
        }
        assert_int_equal(fixture_operations(world), before);
        world_free(world);
    }
}

/* Fails the test unless the app was told so next. */
static void expect_told(world_t *world, size_t *mark, enum updraft_device_state state,
                        uint32_t bytes, const char *of, int error)
{
    char text[80];
    snprintf(text, sizeof(text), "hooks: state %d, %u bytes of %s, error %d\n",
             (int)state, (unsigned)bytes, of, error);
    raw_wait(world, 1000);
    const char *line = strstr(world->log + *mark, "hooks: state");
    assert_non_null(line);
    const char *end = strchr(line, '\n') + 1;
    *mark = (size_t)(end - world->log);
    if (strncmp(line, text, strlen(text)) != 0) {
        fail_msg("expected %snot %.*s", text, (int)(end - line), line);
    }
}

static void app_is_told_how_far_an_update_is_and_how_it_ends(void **state)
{
    (void)state;
    const uint32_t size = 100u << 10;
    const struct sim_image_request request = {
        .firmware = "hooks", .version = "1.0.0", .seed = 1, .size_bytes = FACTORY_SIZE};
    world_t *world = world_with((struct world_config){0}, &request);
    struct native native;
    native_init(&native, raw_new(world, 1));
    fixture_image_make(&image, "hooks", "1.1.0", "good", size);
    size_t mark = 0;
    native_connect(&native);
    assert_int_equal(native_open(&native, &image, 0), UPDRAFT_P2_OK);
    assert_int_equal(native_send_manifest(&native), UPDRAFT_P2_OK);
    raw_disconnect(native.raw);
    expect_told(world, &mark, UPDRAFT_DEVICE_MANIFEST, 0, "nothing", 0);
    expect_told(world, &mark, UPDRAFT_DEVICE_READY, 0, "1.1.0", 0);
    expect_told(world, &mark, UPDRAFT_DEVICE_IDLE, 0, "nothing", UPDRAFT_ERROR_LINK_LOST);
    assert_int_equal(native_deliver(&native, &image, UPDRAFT_P2_OPEN_STAGE),
                     UPDRAFT_P2_OK);
    raw_disconnect(native.raw);
    expect_told(world, &mark, UPDRAFT_DEVICE_MANIFEST, 0, "nothing", 0);
    expect_told(world, &mark, UPDRAFT_DEVICE_READY, 0, "1.1.0", 0);
    expect_told(world, &mark, UPDRAFT_DEVICE_RECEIVING, 0, "1.1.0", 0);
    expect_told(world, &mark, UPDRAFT_DEVICE_RECEIVING, 65569, "1.1.0", 0);
    expect_told(world, &mark, UPDRAFT_DEVICE_VERIFYING, size, "1.1.0", 0);
    expect_told(world, &mark, UPDRAFT_DEVICE_VERIFIED, size, "1.1.0", 0);
    /* What is staged needs no link. */
    expect_told(world, &mark, UPDRAFT_DEVICE_IDLE, size, "nothing", 0);
    native_connect(&native);
    assert_int_equal(native_ask_image(&native, UPDRAFT_P2_ACTIVATE, 0, native_id(&image)),
                     UPDRAFT_P2_OK);
    expect_told(world, &mark, UPDRAFT_DEVICE_RESTARTING, size, "nothing", 0);
    world_free(world);
}

struct refusal {
    struct sim_image_request request;
    uint8_t status;
    bool forced; /* and *force* lifts it */
};

static void image_that_does_not_belong_here_is_refused(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {{.hardware_id = 8}, UPDRAFT_P2_HARDWARE, false},
        {{.chip_id = 5}, UPDRAFT_P2_CHIP, false},
        {{.without_updraft = true}, UPDRAFT_P2_NO_UPDRAFT, true},
        {{.project = "another"}, UPDRAFT_P2_PROJECT, true},
        {{.hardware_id = 7}, UPDRAFT_P2_OK, true},
        {{.hardware_id = 0}, UPDRAFT_P2_OK, true},
    };
    const struct sim_image_request own = {.firmware = "minimal",
                                          .version = "1.0.0",
                                          .hardware_id = 7,
                                          .seed = 1,
                                          .size_bytes = FACTORY_SIZE};
    world_t *world = world_with((struct world_config){0}, &own);
    struct native native;
    native_init(&native, raw_new(world, 1));
    native_connect(&native);
    uint64_t before = fixture_operations(world);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        for (uint8_t flags = 0; flags <= UPDRAFT_P2_OPEN_FORCE; flags++) {
            struct sim_image_request request = refusals[i].request;
            request.firmware = "minimal";
            request.version = "1.1.0";
            request.size_bytes = IMAGE_SIZE;
            fixture_image_request(&image, &request);
            assert_int_equal(native_open(&native, &image, flags), UPDRAFT_P2_OK);
            bool lifted = flags == UPDRAFT_P2_OPEN_FORCE && refusals[i].forced;
            assert_int_equal(native_send_manifest(&native),
                             lifted ? UPDRAFT_P2_OK : refusals[i].status);
        }
    }
    /* And the one that runs. */
    assert_int_equal(native_open(&native, &factory, 0), UPDRAFT_P2_OK);
    assert_int_equal(native_send_manifest(&native), UPDRAFT_P2_RUNNING);
    assert_int_equal(fixture_operations(world), before);
    world_free(world);
}

/* Neither protocol notices that the device speaks the other one, too. */
static void protocols_take_turns(void **state)
{
    (void)state;
    world_t *world = new_world();
    struct native native;
    native_init(&native, raw_new(world, 1));
    fixture_image_make(&image, "minimal", "1.1.0", "good", IMAGE_SIZE);
    fixture_image_make(&other, "minimal", "1.2.0", "good", IMAGE_SIZE);
    native_connect(&native);
    assert_int_equal(native_open(&native, &image, 0), UPDRAFT_P2_OK);
    assert_int_equal(native_send_manifest(&native), UPDRAFT_P2_OK);
    size_t reports = native.raw->reports_count;
    assert_int_equal(raw_update(native.raw, &image, 244), UPDRAFT_P1_DONE_ACK);
    assert_int_equal(native.raw->reports_count, reports);
    raw_disconnect(native.raw);
    native_connect(&native);
    fixture_await(world, ": confirmed", 10000);
    size_t bytes = native.raw->notified_count;
    assert_int_equal(native_info(&native).result, UPDRAFT_RESULT_NONE);
    assert_int_equal(native_update(&native, &other, UPDRAFT_P2_CONFIRM_BY_DEVICE),
                     UPDRAFT_P2_OK);
    assert_int_equal(native.raw->notified_count, bytes);
    fixture_await(world, "restarting into ota_1", 5000);
    world_free(world);
}

/* Opens a session and has always the next MAP waiting, until the time is over or the
 * link of `silent` has ended. */
static void ask_without_end(world_t *world, struct native *asker,
                            const struct raw *silent, uint64_t ms)
{
    fixture_image_make(&image, "minimal", "1.1.0", "good", 400u << 10);
    native_connect(asker);
    assert_int_equal(native_open(asker, &image, 0), UPDRAFT_P2_OK);
    assert_int_equal(native_send_manifest(asker), UPDRAFT_P2_OK);
    const struct updraft_p2_command map = {
        .opcode = UPDRAFT_P2_MAP, .session = asker->state.session, .sector_count = 100};
    uint8_t bytes[UPDRAFT_P2_COMMAND_MAX];
    size_t size = updraft_p2_put_command(&map, bytes);
    for (uint64_t end = world_now_ms(world) + ms;
         world_now_ms(world) < end && (silent == NULL || !silent->ended);) {
        for (unsigned i = 0; i < 6; i++) {
            (void)raw_command(asker->raw, raw_control(asker->raw), bytes, size);
        }
        raw_wait(world, 50);
    }
}

static void no_central_keeps_the_device_from_the_time_of_others(void **state)
{
    (void)state;
    world_t *world = world_with((struct world_config){.flash = "typical"}, NULL);
    struct native asker;
    native_init(&asker, raw_new_on(world, 1, sim_air_profile("typical")));
    struct raw *silent = raw_new(world, 2);
    assert_true(raw_connect(silent));
    /* Silence is ended after 60 s. */
    ask_without_end(world, &asker, silent, 65000);
    assert_true(silent->ended);
    assert_true(raw_connected(asker.raw));
    world_free(world);
}

/* It is gone, and what it asked for would take a minute. */
static void nobody_waits_for_the_questions_of_a_central_that_left(void **state)
{
    (void)state;
    world_t *world = world_with((struct world_config){.flash = "typical"}, NULL);
    struct native asker;
    struct native next;
    native_init(&asker, raw_new_on(world, 1, sim_air_profile("typical")));
    ask_without_end(world, &asker, NULL, 10000);
    raw_disconnect(asker.raw);
    native_init(&next, raw_new(world, 2));
    native_connect(&next);
    uint64_t asked_ms = world_now_ms(world);
    assert_int_equal(native_open(&next, &image, 0), UPDRAFT_P2_OK);
    assert_in_range(world_now_ms(world) - asked_ms, 0, 1000);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_says_what_the_device_is),
        cmocka_unit_test(info_is_whole_at_every_mtu),
        cmocka_unit_test(info_of_a_trial_can_be_read_slowly),
        cmocka_unit_test(update_by_hand_is_restarted_into_and_confirmed),
        cmocka_unit_test(second_connection_is_told_busy),
        cmocka_unit_test(nothing_is_notified_that_was_not_asked_for),
        cmocka_unit_test(what_is_no_message_is_an_att_error),
        cmocka_unit_test(chunks_beyond_the_window_are_found_missing),
        cmocka_unit_test(session_asks_for_a_fast_link_and_gives_it_back),
        cmocka_unit_test(app_is_asked_before_erasing_and_told_before_the_restart),
        cmocka_unit_test(app_is_told_how_far_an_update_is_and_how_it_ends),
        cmocka_unit_test(image_that_does_not_belong_here_is_refused),
        cmocka_unit_test(protocols_take_turns),
        cmocka_unit_test(no_central_keeps_the_device_from_the_time_of_others),
        cmocka_unit_test(nobody_waits_for_the_questions_of_a_central_that_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
