/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Protocol 1 by hand. */
#include "tests/world/raw.h"

#include <string.h>

#include "updraft/protocol1.h"
#include "updraft/protocol2.h"

#define CONNECT_LIMIT_MS 10000u
#define REPLY_LIMIT_MS   35000u
#define ANSWER_LIMIT_MS  60000u

static const uint8_t control_uuid[16] = {UPDRAFT_P1_CONTROL_UUID_BYTES};
static const uint8_t data_uuid[16] = {UPDRAFT_P1_DATA_UUID_BYTES};
static const uint8_t info_uuid[16] = {UPDRAFT_P2_INFO_UUID_BYTES};

static void on_heard(void *context, sim_peer_t *peer, bool scan_response,
                     const uint8_t *data, uint8_t size, int8_t rssi_dbm)
{
    (void)context;
    (void)peer;
    (void)scan_response;
    (void)data;
    (void)size;
    (void)rssi_dbm;
}

static void on_connected(void *context, sim_peer_t *peer, uint8_t status)
{
    struct raw *raw = context;
    (void)peer;
    if (status != 0) {
        raw->ended = true;
        raw->end_reason = status;
    }
}

static void on_resolved(void *context, sim_peer_t *peer)
{
    struct raw *raw = context;
    (void)peer;
    raw->resolved = true;
}

static void on_disconnected(void *context, sim_peer_t *peer, uint8_t reason)
{
    struct raw *raw = context;
    (void)peer;
    raw->resolved = false;
    raw->ended = true;
    raw->end_reason = reason;
    if (raw->waiting) {
        raw->waiting = false;
        raw->result = RAW_NO_LINK;
    }
}

static void answered(struct raw *raw, uint8_t att_error)
{
    raw->waiting = false;
    raw->result = att_error == SIM_CENTRAL_ATT_ERROR_ABANDONED ? RAW_NO_LINK : att_error;
}

static void on_read(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error,
                    const uint8_t *bytes, size_t size)
{
    struct raw *raw = context;
    (void)peer;
    (void)token;
    raw->value_size = size < sizeof(raw->value) ? size : sizeof(raw->value);
    if (raw->value_size > 0) {
        memcpy(raw->value, bytes, raw->value_size);
    }
    answered(raw, att_error);
}

static void on_write(void *context, sim_peer_t *peer, uint64_t token, uint8_t att_error)
{
    struct raw *raw = context;
    (void)peer;
    if (token != 0) {
        answered(raw, att_error);
    }
}

static void on_notified(void *context, sim_peer_t *peer, uint16_t handle,
                        const uint8_t *bytes, size_t size)
{
    struct raw *raw = context;
    (void)peer;
    if (handle == raw_control(raw) && size == 1 &&
        raw->notified_count < RAW_NOTIFIED_MAX) {
        raw->notified[raw->notified_count++] = bytes[0];
    }
    if (handle == raw_control(raw) && size > 1 && size <= RAW_REPORT_SIZE) {
        struct raw_report *report = &raw->reports[raw->reports_count++ % RAW_REPORTS_MAX];
        report->size = size;
        memcpy(report->bytes, bytes, size);
    }
}

static void on_changed(void *context, sim_peer_t *peer)
{
    struct raw *raw = context;
    (void)peer;
    raw->resolved = false;
    raw->changed++;
}

static struct raw *new_raw(world_t *world, unsigned number, bool cache_services,
                           const struct sim_air_profile *profile)
{
    static const struct sim_central_ops ops = {
        .heard = on_heard,
        .connected = on_connected,
        .resolved = on_resolved,
        .disconnected = on_disconnected,
        .read_done = on_read,
        .write_done = on_write,
        .notified = on_notified,
        .services_changed = on_changed,
    };
    const struct sim_central_config config = {
        .arena = world->arena,
        .loop = world->loop,
        .air = world->air,
        .address = {0x00, 0x1a, 0x7d, 0xda, 0x72, (uint8_t)number},
        .profile = profile,
        .cache_services = cache_services,
    };
    struct raw *raw = sim_arena_alloc(world->arena, sizeof(*raw));
    memset(raw, 0, sizeof(*raw));
    raw->world = world;
    raw->central = sim_central_new(&config, &ops, raw);
    raw->peer = sim_central_peer(raw->central, world->board_address, false);
    return raw;
}

struct raw *raw_new(world_t *world, unsigned number)
{
    return new_raw(world, number, /* cache_services= */ false, sim_air_profile("ideal"));
}

struct raw *raw_new_caching(world_t *world, unsigned number)
{
    return new_raw(world, number, /* cache_services= */ true, sim_air_profile("ideal"));
}

struct raw *raw_new_on(world_t *world, unsigned number,
                       const struct sim_air_profile *profile)
{
    return new_raw(world, number, /* cache_services= */ false, profile);
}

static const struct raw *watched;

static bool is_up_or_ended(world_t *world)
{
    (void)world;
    return watched->resolved || watched->ended;
}

static bool is_answered(world_t *world)
{
    (void)world;
    return !watched->waiting;
}

static bool has_ended(world_t *world)
{
    (void)world;
    return watched->ended;
}

static size_t seen_before;

static bool is_reported(world_t *world)
{
    (void)world;
    return watched->reports_count > seen_before || !sim_peer_connected(watched->peer);
}

static bool is_notified(world_t *world)
{
    (void)world;
    return watched->notified_count > seen_before || !sim_peer_connected(watched->peer);
}

bool raw_connect(struct raw *raw)
{
    watched = raw;
    raw->resolved = false;
    raw->ended = false;
    sim_central_connect(raw->central, raw->peer, CONNECT_LIMIT_MS);
    return world_run(raw->world, is_up_or_ended, 2 * CONNECT_LIMIT_MS) && raw->resolved;
}

void raw_disconnect(struct raw *raw)
{
    watched = raw;
    sim_central_disconnect(raw->central, raw->peer);
    (void)world_run(raw->world, has_ended, CONNECT_LIMIT_MS);
}

bool raw_connected(const struct raw *raw)
{
    return sim_peer_connected(raw->peer);
}

static uint16_t find(const struct raw *raw, const uint8_t uuid[16])
{
    const struct sim_gatt_characteristic *list;
    size_t count = sim_peer_characteristics(raw->peer, &list);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(list[i].uuid, uuid, 16) == 0) {
            return list[i].value_handle;
        }
    }
    return 0;
}

uint16_t raw_control(const struct raw *raw)
{
    return find(raw, control_uuid);
}

uint16_t raw_data(const struct raw *raw)
{
    return find(raw, data_uuid);
}

uint16_t raw_info(const struct raw *raw)
{
    return find(raw, info_uuid);
}

uint16_t raw_control_cccd(const struct raw *raw)
{
    const struct sim_gatt_characteristic *list;
    size_t count = sim_peer_characteristics(raw->peer, &list);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(list[i].uuid, control_uuid, 16) == 0) {
            return list[i].cccd_handle;
        }
    }
    return 0;
}

uint16_t raw_find(const struct raw *raw, uint16_t uuid16)
{
    /* The Bluetooth base UUID, little-endian. */
    uint8_t uuid[16] = {0xfb, 0x34, 0x9b, 0x5f, 0x80, 0x00, 0x00, 0x80,
                        0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
    uuid[12] = (uint8_t)uuid16;
    uuid[13] = (uint8_t)(uuid16 >> 8);
    return find(raw, uuid);
}

static int reply(struct raw *raw, bool started)
{
    watched = raw;
    if (!started) {
        return RAW_NO_LINK;
    }
    if (!world_run(raw->world, is_answered, REPLY_LIMIT_MS)) {
        return RAW_NO_REPLY;
    }
    return raw->result;
}

int raw_write(struct raw *raw, uint16_t handle, const void *bytes, size_t size)
{
    raw->waiting = true;
    return reply(raw, sim_central_write(raw->central, raw->peer, handle, bytes, size,
                                        /* request= */ true, /* token= */ 1));
}

int raw_command(struct raw *raw, uint16_t handle, const void *bytes, size_t size)
{
    return sim_central_write(raw->central, raw->peer, handle, bytes, size,
                             /* request= */ false, /* token= */ 0)
               ? 0
               : RAW_NO_LINK;
}

int raw_read(struct raw *raw, uint16_t handle)
{
    raw->waiting = true;
    return reply(raw, sim_central_read(raw->central, raw->peer, handle, /* token= */ 1));
}

int raw_opcode(struct raw *raw, uint8_t opcode)
{
    return raw_write(raw, raw_control(raw), &opcode, 1);
}

int raw_packet_size(struct raw *raw, uint16_t size)
{
    const uint8_t bytes[2] = {(uint8_t)size, (uint8_t)(size >> 8)};
    return raw_write(raw, raw_data(raw), bytes, sizeof(bytes));
}

int raw_await(struct raw *raw, size_t seen, uint64_t limit_ms)
{
    watched = raw;
    seen_before = seen;
    bool done = world_run(raw->world, is_notified, limit_ms);
    if (raw->notified_count > seen) {
        return raw->notified[seen];
    }
    return done ? RAW_NO_LINK : RAW_NO_REPLY;
}

const struct raw_report *raw_await_report(struct raw *raw, size_t seen, uint64_t limit_ms)
{
    watched = raw;
    seen_before = seen;
    (void)world_run(raw->world, is_reported, limit_ms);
    return raw->reports_count > seen ? &raw->reports[seen % RAW_REPORTS_MAX] : NULL;
}

int raw_ask(struct raw *raw, uint8_t opcode)
{
    size_t seen = raw->notified_count;
    int error = raw_opcode(raw, opcode);
    if (error > 0) {
        return 0x100 + error;
    }
    return raw_await(raw, seen, ANSWER_LIMIT_MS);
}

int raw_send(struct raw *raw, const uint8_t *bytes, size_t size, size_t packet_size)
{
    for (size_t at = 0; at < size; at += packet_size) {
        size_t length = size - at < packet_size ? size - at : packet_size;
        int error = raw_write(raw, raw_data(raw), bytes + at, length);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int raw_update(struct raw *raw, const struct fixture_image *image, uint16_t packet_size)
{
    if (!raw_connected(raw) && !raw_connect(raw)) {
        return RAW_NO_LINK;
    }
    int error = raw_packet_size(raw, packet_size);
    if (error != 0) {
        return 0x100 + error;
    }
    int answer = raw_ask(raw, UPDRAFT_P1_REQUEST);
    if (answer != UPDRAFT_P1_REQUEST_ACK) {
        return answer;
    }
    /* A refused packet shows in the answer to DONE, too. */
    error = raw_send(raw, image->bytes, image->size, packet_size);
    if (error < 0) {
        return error;
    }
    return raw_ask(raw, UPDRAFT_P1_DONE);
}

static bool never(world_t *world)
{
    (void)world;
    return false;
}

void raw_wait(world_t *world, uint64_t ms)
{
    (void)world_run(world, never, ms);
}
