/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The link's queue, and a client that is driven over it. */
#include "tests/unit/link2_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/image_maker.h"
#include "updraft/error.h"

#define STEPS_MAX 2000000u

enum {
    MESSAGE,      /* reaches the device */
    VALUE,        /* a Data value, likewise */
    RESPONSE,     /* the client's Control write ends */
    NOTIFICATION, /* reaches the client */
};

static bool happens(struct link2 *link, uint32_t chance)
{
    return sim_random_below(&link->random, 1000) < chance;
}

static uint32_t jitter(struct link2 *link)
{
    return 1 + sim_random_below(&link->random, link->faults.jitter_ms + 1);
}

static void enqueue(struct link2 *link, uint8_t kind, uint32_t due_ms,
                    const uint8_t *bytes, size_t size)
{
    assert_true(link->queue_count < LINK2_QUEUE_MAX);
    assert_true(size <= LINK2_VALUE_MAX);
    struct link2_event *event = &link->queue[link->queue_count++];
    event->kind = kind;
    event->due_ms = due_ms;
    event->order = link->order++;
    event->size = (uint16_t)size;
    if (size > 0) {
        memcpy(event->bytes, bytes, size);
    }
}

static struct link2_event *earliest(struct link2 *link)
{
    struct link2_event *found = NULL;
    for (uint32_t i = 0; i < link->queue_count; i++) {
        struct link2_event *event = &link->queue[i];
        if (!found || event->due_ms < found->due_ms ||
            (event->due_ms == found->due_ms && event->order < found->order)) {
            found = event;
        }
    }
    return found;
}

static uint32_t later(uint32_t one_ms, uint32_t other_ms)
{
    return one_ms > other_ms ? one_ms : other_ms;
}

void link2_file_finish(struct link2_file *file)
{
    static uint8_t sector[UPDRAFT_P2_SECTOR_SIZE];
    for (uint32_t at = 0; at < file->size_bytes; at += sizeof(sector)) {
        uint32_t left = file->size_bytes - at;
        memset(sector, 0xFF, sizeof(sector));
        memcpy(sector, file->bytes + at, left < sizeof(sector) ? left : sizeof(sector));
        if (at == 0) {
            file->first_sector_crc = updraft_crc32(0, sector, sizeof(sector));
            memset(sector, 0xFF, 32);
        }
        file->sector_crcs[at / sizeof(sector)] = updraft_crc32(0, sector, sizeof(sector));
    }
    struct updraft_p2_manifest manifest = make_manifest(file->bytes, file->size_bytes);
    updraft_p2_put_manifest(&manifest, file->manifest);
    memcpy(file->image_id, manifest.image_id, sizeof(file->image_id));
}

struct updraft_client2_config link2_config(const struct link2_file *file, uint16_t mtu,
                                           uint32_t nonce)
{
    struct updraft_client2_config config = {
        .file_size_bytes = file->size_bytes,
        .mtu = mtu,
        .sector_crcs = file->sector_crcs,
        .first_sector_crc = file->first_sector_crc,
        .nonce = nonce,
    };
    memcpy(config.image_id, file->image_id, sizeof(config.image_id));
    return config;
}

void link2_init(struct link2 *link, const struct link2_device *device, uint64_t seed)
{
    memset(link, 0, sizeof(*link));
    link->device = *device;
    link->steps_left = LINK2_NEVER;
    sim_random_seed(&link->random, seed);
}

void link2_notify(struct link2 *link, const uint8_t *bytes, size_t size, uint32_t now_ms)
{
    const struct link2_faults *faults = &link->faults;
    struct link2_event *last = NULL;
    if (happens(link, faults->lose_notification)) {
        return;
    }
    for (uint32_t i = 0; i < link->queue_count; i++) {
        struct link2_event *event = &link->queue[i];
        if (event->kind == NOTIFICATION && (!last || event->order > last->order)) {
            last = event;
        }
    }
    if (last && happens(link, faults->merge)) {
        memcpy(last->bytes, bytes, size);
        last->size = (uint16_t)size;
        return;
    }
    uint32_t delay = jitter(link);
    if (happens(link, faults->late)) {
        delay += sim_random_below(&link->random, faults->late_ms);
    }
    uint32_t due_ms = later(now_ms + delay, link->notification_due_ms);
    link->notification_due_ms = due_ms;
    enqueue(link, NOTIFICATION, due_ms, bytes, size);
    if (happens(link, faults->twice)) {
        enqueue(link, NOTIFICATION, due_ms, bytes, size);
    }
    if (happens(link, faults->again)) {
        enqueue(link, NOTIFICATION,
                due_ms + sim_random_below(&link->random, faults->late_ms), bytes, size);
    }
}

static void start_message(struct link2 *link, const struct updraft_client2_action *action)
{
    uint32_t due_ms = link->now_ms + jitter(link);
    if (!link->faults.overtaking) {
        due_ms = later(due_ms, link->data_due_ms);
    }
    link->message_due_ms = due_ms;
    link->message_counts[action->bytes[0]]++;
    if (!happens(link, link->faults.lose_message)) {
        enqueue(link, MESSAGE, due_ms, action->bytes, action->size_bytes);
    }
    enqueue(link, RESPONSE, due_ms + jitter(link), NULL, 0);
}

static void start_value(struct link2 *link, const struct link2_file *file,
                        const struct updraft_client2_action *action)
{
    uint8_t value[LINK2_VALUE_MAX];
    const uint8_t *source = file->bytes;
    uint32_t size = file->size_bytes;
    if (action->source == UPDRAFT_CLIENT2_MANIFEST) {
        source = file->manifest;
        size = sizeof(file->manifest);
    }
    assert_true(action->size_bytes > 0);
    assert_true(action->size_bytes + 2u <= updraft_client2_write_size(&link->client));
    assert_true(action->offset_bytes + action->size_bytes <= size);
    memcpy(value, action->bytes, 2);
    memcpy(value + 2, source + action->offset_bytes, action->size_bytes);
    link->chunk_count++;
    updraft_client2_written(&link->client, 0, link->now_ms);
    link->data_due_ms = later(link->now_ms + jitter(link), link->data_due_ms);
    link->data_due_ms += link->faults.value_ms;
    if (happens(link, link->faults.lose_data)) {
        return;
    }
    enqueue(link, VALUE, link->data_due_ms, value, action->size_bytes + 2u);
}

static void start(struct link2 *link, const struct link2_file *file,
                  const struct updraft_client2_action *action)
{
    switch (action->kind) {
    case UPDRAFT_CLIENT2_SUBSCRIBE:
        updraft_client2_subscribed(&link->client, 0, link->now_ms);
        break;
    case UPDRAFT_CLIENT2_WRITE_CONTROL:
        start_message(link, action);
        break;
    case UPDRAFT_CLIENT2_WRITE_DATA:
        start_value(link, file, action);
        break;
    }
}

static void deliver(struct link2 *link, const struct link2_event *event)
{
    switch (event->kind) {
    case MESSAGE:
        link->device.control(link->device.context, event->bytes, event->size,
                             link->now_ms);
        break;
    case VALUE:
        link->device.data(link->device.context, event->bytes, event->size, link->now_ms);
        break;
    case RESPONSE:
        updraft_client2_written(&link->client, 0, link->now_ms);
        break;
    default:
        updraft_client2_notified(&link->client, event->bytes, event->size, link->now_ms);
        break;
    }
}

/* The next thing that happens. */
static void step(struct link2 *link, uint32_t client_due_ms)
{
    struct link2_event *event = earliest(link);
    uint32_t device_due_ms = 0;
    bool device_waits = link->device.deadline(link->device.context, &device_due_ms);
    if (event && event->due_ms <= client_due_ms &&
        (!device_waits || event->due_ms <= device_due_ms)) {
        static struct link2_event taken;
        taken = *event;
        *event = link->queue[--link->queue_count];
        link->now_ms = later(link->now_ms, taken.due_ms);
        deliver(link, &taken);
    } else if (device_waits && device_due_ms <= client_due_ms) {
        link->now_ms = later(link->now_ms, device_due_ms);
        link->device.tick(link->device.context, link->now_ms);
    } else {
        link->now_ms = later(link->now_ms, client_due_ms);
        updraft_client2_tick(&link->client, link->now_ms);
    }
}

int link2_run(struct link2 *link, const struct link2_file *file,
              const struct updraft_client2_config *config)
{
    struct updraft_client2_action action;
    uint32_t due_ms = 0;
    link->queue_count = 0;
    link->data_due_ms = 0;
    link->notification_due_ms = 0;
    assert_int_equal(updraft_client2_init(&link->client, config, link->now_ms), 0);
    while (updraft_client2_deadline(&link->client, &due_ms)) {
        assert_true(++link->steps < STEPS_MAX);
        if (link->steps_left == 0) {
            updraft_client2_link_lost(&link->client);
        } else if (updraft_client2_poll(&link->client, link->now_ms, &action)) {
            start(link, file, &action);
            assert_true(updraft_client2_done_bytes(&link->client) <= file->size_bytes);
        } else {
            step(link, due_ms);
        }
        link->steps_left -= link->steps_left != LINK2_NEVER;
    }
    assert_false(updraft_client2_poll(&link->client, link->now_ms, &action));
    return updraft_client2_error(&link->client);
}
