/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the client's flow before a device that lies: much of what it says is made
 * up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/src/flow.h"
#include "sim/base/random.h"
#include "tests/unit/image_maker.h"
#include "updraft/error.h"

#define SEEDS      20000u
#define IMAGE_MAX  32768u
#define EVENTS_MAX 32u
#define SESSION    5u
#define WINDOW     8u
#define STEPS_MAX  400000u
/* A trial of a quarter of an hour, and what it takes to get there. */
#define TIME_MAX_MS (40u * 60u * 1000u)

static struct {
    struct updraft_flow flow;
    sim_random_t random;
    uint32_t lies;      /* one in so many things that it says */
    uint32_t constancy; /* Info is made up anew once in so many reads */
    uint32_t now_ms, started_ms;
    bool scanning, connecting, linked;
    struct {
        struct updraft_transport_event event;
        uint8_t bytes[UPDRAFT_VALUE_MAX];
    } queue[EVENTS_MAX];
    unsigned queue_first, queue_count;
    /* The device. */
    uint8_t state;
    bool finish;
    uint16_t next;
    uint32_t left_bytes; /* of the stream */
    struct updraft_info told;
    /* The image, and what came of it. */
    uint8_t image[IMAGE_MAX];
    uint32_t image_size;
    uint32_t sector_crcs[IMAGE_MAX / UPDRAFT_P2_SECTOR_SIZE];
    struct updraft_parcel parcel;
    uint8_t image_id[UPDRAFT_IMAGE_HASH_SIZE];
    unsigned finished;
    int status;
    enum updraft_outcome outcome;
} t;

static uint32_t below(uint32_t bound)
{
    return sim_random_below(&t.random, bound);
}

static bool lie(void)
{
    return below(t.lies) == 0;
}

/* ---- events ---- */

static void post(enum updraft_transport_event_kind kind, int status,
                 enum updraft_characteristic characteristic, const void *bytes,
                 size_t size)
{
    if (t.queue_count == EVENTS_MAX) {
        return;
    }
    unsigned place = (t.queue_first + t.queue_count++) % EVENTS_MAX;
    memset(&t.queue[place], 0, sizeof(t.queue[place]));
    t.queue[place].event = (struct updraft_transport_event){
        .kind = kind,
        .status = status,
        .characteristic = characteristic,
        .size = size,
    };
    if (size > 0) {
        memcpy(t.queue[place].bytes, bytes, size);
    }
}

static void end_link(int status)
{
    t.queue_count = 0;
    t.linked = t.connecting = false;
    t.state = UPDRAFT_P2_STATE_IDLE;
    post(UPDRAFT_TRANSPORT_DISCONNECTED, status, UPDRAFT_CONTROL, NULL, 0);
}

/* ---- the device ---- */

static void say_state(uint8_t status)
{
    uint8_t bytes[UPDRAFT_P2_STATE_SIZE + 4] = {0};
    struct updraft_p2_report report = {
        .state = t.state,
        .status = status,
        .session = t.state == UPDRAFT_P2_STATE_IDLE ? 0 : SESSION,
        .next = t.next,
        .limit = (uint16_t)(t.next + WINDOW),
    };
    size_t size = UPDRAFT_P2_STATE_SIZE;
    for (bool more = lie(); more; more = below(2) == 0) {
        switch (below(8)) {
        case 0:
            report.state = (uint8_t)below(8);
            break;
        case 1:
            report.status = (uint8_t)below(256);
            break;
        case 2:
            report.flags = (uint8_t)below(4);
            break;
        case 3:
            report.session = (uint8_t)below(256);
            break;
        case 4:
            report.next = (uint16_t)(report.next + below(64) - 32);
            break;
        case 5:
            report.limit = (uint16_t)below(65536);
            break;
        case 6:
            report.next_within = (uint8_t)below(256);
            break;
        default:
            size = below(sizeof(bytes));
            break;
        }
    }
    (void)updraft_p2_put_report(&report, bytes);
    if (!lie()) {
        post(UPDRAFT_TRANSPORT_NOTIFIED, 0, UPDRAFT_CONTROL, bytes, size);
    }
}

static void say_map(uint16_t first, uint16_t count)
{
    uint8_t bytes[UPDRAFT_VALUE_MAX] = {UPDRAFT_P2_MAP_REPORT, SESSION};
    count = count < 50 ? count : 50;
    first = (uint16_t)(lie() ? below(65536) : first);
    bytes[2] = (uint8_t)first;
    bytes[3] = (uint8_t)(first >> 8);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t crc = below(3) == 0 || first + i >= IMAGE_MAX / UPDRAFT_P2_SECTOR_SIZE
                           ? below(UINT32_MAX)
                           : t.sector_crcs[first + i];
        for (unsigned j = 0; j < 4; j++) {
            bytes[4 + 4 * i + j] = (uint8_t)(crc >> 8 * j);
        }
    }
    post(UPDRAFT_TRANSPORT_NOTIFIED, 0, UPDRAFT_CONTROL, bytes, 4 + 4u * count);
}

static void verify(void)
{
    bool right = below(4) != 0;
    t.state = right ? UPDRAFT_P2_STATE_VERIFIED : UPDRAFT_P2_STATE_READY;
    say_state(right ? UPDRAFT_P2_OK : UPDRAFT_P2_HASH);
}

static void take_control(const uint8_t *bytes, size_t size)
{
    struct updraft_p2_command command;
    assert_true(updraft_p2_get_command(bytes, size, &command));
    switch (command.opcode) {
    case UPDRAFT_P2_OPEN:
        t.state = UPDRAFT_P2_STATE_MANIFEST;
        t.left_bytes = command.manifest_size_bytes;
        break;
    case UPDRAFT_P2_RANGE:
        assert_true(command.start_bytes + command.size_bytes <= t.image_size);
        t.state = UPDRAFT_P2_STATE_RECEIVING;
        t.finish = (command.flags & UPDRAFT_P2_RANGE_FINISH) != 0;
        t.next = (uint16_t)(t.next + 1000);
        t.left_bytes = command.size_bytes;
        break;
    case UPDRAFT_P2_MAP:
        assert_true(command.sector_count > 0);
        say_map(command.first_sector, command.sector_count);
        return;
    case UPDRAFT_P2_FINISH:
        verify();
        return;
    case UPDRAFT_P2_ACTIVATE:
    case UPDRAFT_P2_ROLLBACK:
        t.state = UPDRAFT_P2_STATE_RESTARTING;
        break;
    }
    say_state(UPDRAFT_P2_OK);
}

static void take_data(size_t size)
{
    uint32_t payload = (uint32_t)size - UPDRAFT_P2_DATA_HEAD_SIZE;
    t.next++;
    t.left_bytes -= payload < t.left_bytes ? payload : t.left_bytes;
    if (t.left_bytes > 0 || t.state == UPDRAFT_P2_STATE_READY) {
        if (below(WINDOW / 2) == 0) {
            say_state(UPDRAFT_P2_OK);
        }
    } else if (t.state == UPDRAFT_P2_STATE_RECEIVING && t.finish) {
        verify();
    } else {
        t.state = UPDRAFT_P2_STATE_READY;
        say_state(UPDRAFT_P2_OK);
    }
}

/* Anything that Info can tell, more or less. */
static void make_up_info(struct updraft_info *ret_info)
{
    static const uint16_t write_sizes[] = {0, 3, 20, 244, 495, 65535};
    struct updraft_info info = {
        .run_state = (uint8_t)below(5),
        .slot = (uint8_t)below(3),
        .result = (uint8_t)below(5),
        .reason = (uint8_t)below(8),
        .detail = (uint8_t)below(256),
        .flags = (uint16_t)below(32),
        .trial_left_s = (uint16_t)below(65536),
        .slot_size_bytes = below(UINT32_MAX),
        .write_size_bytes = below(4) > 0 ? 244 : write_sizes[below(6)],
        .device_id = {1, 2, 3, 4, 5, (uint8_t)(lie() ? 7 : 6)},
    };
    memcpy(info.image_id, t.image_id, sizeof(info.image_id));
    info.image_id[0] ^= (uint8_t)below(2);
    memcpy(info.noted_id, t.image_id, sizeof(info.noted_id));
    info.noted_id[0] ^= (uint8_t)below(2);
    sim_random_fill(&t.random, info.version, 8);
    sim_random_fill(&t.random, info.project, 32);
    *ret_info = info;
}

static void say_info(void)
{
    uint8_t bytes[UPDRAFT_P2_INFO_SIZE];
    struct updraft_info info = t.told;
    if (below(t.constancy) == 0) {
        make_up_info(&info);
    }
    updraft_info_put(&info, bytes);
    if (lie()) {
        bytes[below(3) == 0 ? 1 : below(sizeof(bytes))] ^= (uint8_t)(1 + below(3));
    } else {
        t.told = info;
    }
    post(UPDRAFT_TRANSPORT_READ, 0, UPDRAFT_INFO, bytes,
         lie() ? below(sizeof(bytes)) : sizeof(bytes));
}

/* ---- the transport ---- */

static int play_scan(void *context, bool on)
{
    (void)context;
    assert_false(t.linked || t.connecting);
    t.scanning = on;
    t.queue_count = 0;
    if (on && !lie()) {
        post(UPDRAFT_TRANSPORT_FOUND, 0, UPDRAFT_CONTROL, NULL, 0);
        struct updraft_transport_event *event =
            &t.queue[(t.queue_first + t.queue_count - 1) % EVENTS_MAX].event;
        event->address.bytes[5] = lie() ? 2 : 1;
        event->has_service = true;
        event->name = "\033]0;liar\007";
    }
    return UPDRAFT_OK;
}

static int play_connect(void *context, const struct updraft_address *address)
{
    (void)context, (void)address;
    assert_false(t.linked || t.connecting || t.scanning);
    t.connecting = true;
    if (lie()) {
        end_link(UPDRAFT_ERROR_LINK_CONNECT);
        return UPDRAFT_OK;
    }
    post(UPDRAFT_TRANSPORT_CONNECTED, 0, UPDRAFT_CONTROL, NULL, 0);
    struct updraft_transport_event *event =
        &t.queue[(t.queue_first + t.queue_count - 1) % EVENTS_MAX].event;
    event->mtu = (uint16_t)(lie() ? 23 + below(500) : 247);
    for (unsigned i = 0; i < UPDRAFT_CHARACTERISTIC_COUNT; i++) {
        event->properties[i] = (uint8_t)(lie() ? below(256) : 0x1E);
    }
    return UPDRAFT_OK;
}

static int play_disconnect(void *context)
{
    (void)context;
    if (!t.linked && !t.connecting) {
        return UPDRAFT_ERROR_STATE;
    }
    end_link(UPDRAFT_OK);
    return UPDRAFT_OK;
}

/* True where the op goes another way than it should. */
static bool goes_astray(enum updraft_transport_event_kind kind,
                        enum updraft_characteristic characteristic)
{
    assert_true(t.linked);
    if (!lie()) {
        return false;
    }
    switch (below(4)) {
    case 0:
        end_link(UPDRAFT_ERROR_LINK_LOST);
        return true;
    case 1:
        post(kind, UPDRAFT_ERROR_LINK_ATT, characteristic, NULL, 0);
        return true;
    case 2:
        return true; /* silence */
    default:
        say_state((uint8_t)below(60));
        return false;
    }
}

static int play_read(void *context, enum updraft_characteristic characteristic)
{
    uint8_t text[80];
    (void)context;
    if (goes_astray(UPDRAFT_TRANSPORT_READ, characteristic)) {
        return UPDRAFT_OK;
    }
    if (characteristic == UPDRAFT_INFO) {
        say_info();
        return UPDRAFT_OK;
    }
    sim_random_fill(&t.random, text, sizeof(text));
    post(UPDRAFT_TRANSPORT_READ, 0, characteristic, text, below(sizeof(text)));
    return UPDRAFT_OK;
}

static int play_write(void *context, enum updraft_characteristic characteristic,
                      const uint8_t *bytes, size_t size, bool with_response)
{
    (void)context, (void)with_response;
    assert_true(size > 0 && size <= UPDRAFT_VALUE_MAX);
    if (goes_astray(UPDRAFT_TRANSPORT_WRITTEN, characteristic)) {
        return UPDRAFT_OK;
    }
    post(UPDRAFT_TRANSPORT_WRITTEN, 0, characteristic, NULL, 0);
    if (characteristic == UPDRAFT_DATA) {
        take_data(size);
    } else if (size == 1) {
        uint8_t answer = (uint8_t)(bytes[0] + 1 + (lie() ? 1 : 0)); /* of protocol 1 */
        post(UPDRAFT_TRANSPORT_NOTIFIED, 0, UPDRAFT_CONTROL, &answer, 1);
    } else {
        take_control(bytes, size);
    }
    return UPDRAFT_OK;
}

static int play_subscribe(void *context, enum updraft_characteristic characteristic)
{
    (void)context;
    if (!goes_astray(UPDRAFT_TRANSPORT_SUBSCRIBED, characteristic)) {
        post(UPDRAFT_TRANSPORT_SUBSCRIBED, 0, characteristic, NULL, 0);
    }
    return UPDRAFT_OK;
}

/* ---- the flow ---- */

static void assert_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        assert_true((unsigned char)*text >= 0x20 && *text != 0x7F);
    }
}

static void on_report(void *context, const struct updraft_event *event)
{
    (void)context;
    assert_int_equal(t.finished, 0);
    assert_printable(event->name);
    assert_printable(event->firmware_revision);
    assert_printable(event->model);
    assert_true(event->kind != UPDRAFT_EVENT_PROGRESS ||
                (event->done_bytes <= event->total_bytes &&
                 event->kept_bytes <= event->total_bytes));
    if (event->info != NULL) {
        assert_printable(event->info->project);
    }
    if (event->kind == UPDRAFT_EVENT_FINISHED) {
        t.finished++;
        t.status = event->status;
        t.outcome = event->outcome;
    }
}

static void begin(uint32_t seed, struct updraft_flow_config *config)
{
    static const struct updraft_transport_ops ops = {
        play_scan, play_connect, play_disconnect, play_read, play_write, play_subscribe};
    sim_random_seed(&t.random, seed);
    t.lies = 4u << below(10);
    t.constancy = below(4) == 0 ? UINT32_MAX : 1u << below(10);
    make_up_info(&t.told);
    t.now_ms = below(UINT32_MAX);
    t.queue_count = 0;
    t.scanning = t.connecting = t.linked = false;
    t.finished = 0;
    *config = (struct updraft_flow_config){
        .verb = UPDRAFT_FLOW_INFO + below(5),
        .ops = &ops,
        .report = on_report,
        .force = below(2) == 0,
        .fresh = below(4) == 0,
        .stage = below(4) == 0,
        .factory = below(2) == 0,
    };
    if (config->verb == UPDRAFT_FLOW_UPDATE) {
        config->image = t.image;
        config->image_size_bytes = t.image_size;
        config->parcel = &t.parcel;
    }
    assert_int_equal(updraft_flow_init(&t.flow, config), UPDRAFT_OK);
    t.started_ms = t.now_ms;
    updraft_flow_start(&t.flow, t.now_ms);
}

static void step(void)
{
    uint32_t deadline_ms;
    if (t.queue_count == 0) {
        assert_true(updraft_flow_deadline(&t.flow, &deadline_ms));
        t.now_ms = (int32_t)(deadline_ms - t.now_ms) > 0 ? deadline_ms : t.now_ms;
        updraft_flow_tick(&t.flow, t.now_ms);
        return;
    }
    unsigned place = t.queue_first;
    struct updraft_transport_event event = t.queue[place].event;
    uint8_t bytes[UPDRAFT_VALUE_MAX];
    memcpy(bytes, t.queue[place].bytes, sizeof(bytes));
    t.queue_first = (t.queue_first + 1) % EVENTS_MAX;
    t.queue_count--;
    event.bytes = event.size > 0 ? bytes : NULL;
    if (event.kind == UPDRAFT_TRANSPORT_CONNECTED) {
        t.connecting = false;
        t.linked = true;
    }
    updraft_flow_event(&t.flow, &event, t.now_ms);
}

static bool runs_image(void)
{
    return memcmp(t.told.image_id, t.image_id, sizeof(t.image_id)) == 0;
}

static void play(uint32_t seed)
{
    struct updraft_flow_config config;
    begin(seed, &config);
    for (uint32_t steps = 0; updraft_flow_busy(&t.flow); steps++) {
        if (steps == STEPS_MAX || t.now_ms - t.started_ms > TIME_MAX_MS) {
            fail_msg("seed %u: no end after %u steps, %u s", seed, steps,
                     (t.now_ms - t.started_ms) / 1000u);
        }
        step();
    }
    assert_int_equal(t.finished, 1);
    assert_false(t.scanning || t.connecting || t.linked);
    bool confirmed = t.status == UPDRAFT_OK && t.outcome == UPDRAFT_OUTCOME_CONFIRMED;
    bool update = config.verb == UPDRAFT_FLOW_UPDATE;
    if (confirmed &&
        (t.told.run_state != UPDRAFT_RUN_CONFIRMED || (update && !runs_image()))) {
        fail_msg("seed %u: confirmed, which the device never said", seed);
    }
}

static int set_up(void **state)
{
    (void)state;
    struct updraft_image image;
    uint8_t digest[32];
    struct image_recipe recipe = {.data_size_bytes = 20000, .seed = 7};
    t.image_size = (uint32_t)make_image(&recipe, t.image, sizeof(t.image));
    updraft_image_init(&image, UINT32_MAX);
    assert_int_equal(updraft_image_input(&image, t.image, t.image_size), 0);
    assert_int_equal(updraft_image_finish(&image), 0);
    assert_int_equal(updraft_parcel_size(&image, t.image_size), t.image_size);
    sha256(t.image, t.image_size, digest);
    updraft_parcel_make(&t.parcel, &image, t.image, t.image_size, digest, t.sector_crcs);
    memcpy(t.image_id, image.hash, sizeof(t.image_id));
    return 0;
}

static void a_job_ends_and_calls_nothing_confirmed_that_was_not(void **state)
{
    (void)state;
    const char *replay = getenv("UPDRAFT_HOSTILE");
    unsigned outcomes[UPDRAFT_OUTCOME_REVERTED + 1] = {0};
    unsigned failed = 0;
    if (replay != NULL) {
        play((uint32_t)strtoul(replay, NULL, 0));
        return;
    }
    print_message("UPDRAFT_HOSTILE=SEED plays one of the seeds 0 to %u\n", SEEDS - 1);
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        play(seed);
        failed += t.status != UPDRAFT_OK;
        outcomes[t.outcome] += t.status == UPDRAFT_OK;
    }
    /* It gets everywhere. */
    assert_true(failed > SEEDS / 10);
    for (int outcome = 0; outcome <= UPDRAFT_OUTCOME_REVERTED; outcome++) {
        print_message("%s: %u\n", updraft_outcome_name((enum updraft_outcome)outcome),
                      outcomes[outcome]);
        assert_true(outcomes[outcome] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_job_ends_and_calls_nothing_confirmed_that_was_not,
                               set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
