/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The clients: core's sessions of protocol 1 and 2, each with its file. */
#include <assert.h>
#include <string.h>

#include "tests/explore/model.h"
#include "tests/unit/image_maker.h"
#include "updraft/error.h"

#define MTU          498u
#define FILE_MAX     MODEL_SLOT_SIZE
#define FILE_DATA    3680u /* so that the image is a little longer than a sector */
#define ACTIONS_MAX  (MODEL_UP_MAX + 2u) /* in a row, with a transport of that depth */
#define SENT_MAX     7u /* times the file: what a session sends at most */
#define MODEL_BYTES  0u
#define SOURCE_FILE  (UPDRAFT_CLIENT2_FILE + 1u)
#define SECTOR_COUNT (FILE_MAX / UPDRAFT_P2_SECTOR_SIZE)

static struct file {
    uint8_t bytes[FILE_MAX];
    uint32_t size;
    uint8_t manifest[UPDRAFT_P2_MANIFEST_SIZE];
    uint32_t sector_crcs[SECTOR_COUNT];
    uint32_t first_sector_crc;
} files[MODEL_PARTIES];

static void make_file(struct file *file, uint64_t seed)
{
    const struct image_recipe recipe = {.data_size_bytes = FILE_DATA + 512, .seed = seed};
    uint8_t sector[UPDRAFT_P2_SECTOR_SIZE];
    file->size = (uint32_t)make_image(&recipe, file->bytes, sizeof(file->bytes));
    for (uint32_t at = 0; at < file->size; at += sizeof(sector)) {
        uint32_t left = file->size - at;
        memset(sector, 0xFF, sizeof(sector));
        memcpy(sector, file->bytes + at, left < sizeof(sector) ? left : sizeof(sector));
        if (at == 0) {
            file->first_sector_crc = updraft_crc32(0, sector, sizeof(sector));
            memset(sector, 0xFF, UPDRAFT_HEAD_HELD_SIZE);
        }
        file->sector_crcs[at / sizeof(sector)] = updraft_crc32(0, sector, sizeof(sector));
    }
    struct updraft_p2_manifest manifest = make_manifest(file->bytes, file->size);
    updraft_p2_put_manifest(&manifest, file->manifest);
}

void model_prepare(void)
{
    for (uint8_t party = 0; party < MODEL_PARTIES; party++) {
        make_file(&files[party], 1000u + party);
    }
}

const uint8_t *model_file(uint8_t party, uint32_t *ret_size)
{
    *ret_size = files[party].size;
    return files[party].bytes;
}

size_t model_item_bytes(uint8_t party, const struct model_item *item, uint8_t *bytes)
{
    const struct file *file = &files[party];
    memcpy(bytes, item->bytes, item->size);
    size_t size = item->size;
    if (item->source != MODEL_BYTES) {
        const uint8_t *source =
            item->source == SOURCE_FILE ? file->bytes : file->manifest;
        memcpy(bytes + size, source + item->offset, item->length);
        size += item->length;
        memset(bytes + size, 0xFF, item->padding);
        size += item->padding;
    }
    return size;
}

static void start_session(struct model *model, struct model_party *party, uint8_t number)
{
    const struct file *file = &files[number];
    int error;
    if (party->protocol == 1) {
        const struct updraft_client_config config = {.image_size_bytes = file->size,
                                                     .mtu = MTU};
        error = updraft_client_init(&party->first, &config, model->now_ms);
    } else {
        struct updraft_client2_config config = {
            .file_size_bytes = file->size,
            .mtu = MTU,
            .sector_crcs = file->sector_crcs,
            .first_sector_crc = file->first_sector_crc,
            .force = true, /* the file has no marker */
            .nonce = 100u * number + party->sessions,
        };
        memcpy(config.image_id, file->bytes + file->size - 32, sizeof(config.image_id));
        error = updraft_client2_init(&party->second, &config, model->now_ms);
    }
    if (error != 0) {
        model_violation("a client's session cannot begin");
    }
}

void model_party_connect(struct model *model, uint8_t number)
{
    struct model_party *party = &model->parties[number];
    uint8_t at = 0;
    while (model->links[at].device_end || model->links[at].client_end) {
        at++;
        assert(at < MODEL_LINKS);
    }
    memset(&model->links[at], 0, sizeof(model->links[at]));
    model->links[at].party = number;
    model->links[at].device_end = true;
    model->links[at].client_end = true;
    party->link = at;
    party->active = true;
    party->waits = false;
    party->sessions++;
    start_session(model, party, number);
    model_party_pump(model, number);
}

static struct model_item *enqueue(struct model_link *link)
{
    assert(link->up_count < MODEL_UP_MAX);
    struct model_item *item = &link->up[link->up_count++];
    memset(item, 0, sizeof(*item));
    return item;
}

/* Returns false when there was nothing to write. */
static bool pump_first(struct model *model, struct model_party *party)
{
    struct updraft_client_action action;
    if (!updraft_client_poll(&party->first, &action)) {
        return false;
    }
    if (action.kind == UPDRAFT_CLIENT_SUBSCRIBE) {
        updraft_client_subscribed(&party->first, 0, model->now_ms);
        return true;
    }
    struct model_link *link = &model->links[party->link];
    struct model_item *item = enqueue(link);
    item->is_control = action.kind == UPDRAFT_CLIENT_WRITE_CONTROL;
    item->by_request = action.with_response;
    if (action.kind == UPDRAFT_CLIENT_WRITE_IMAGE) {
        item->source = SOURCE_FILE;
        item->length = action.size_bytes;
        item->padding = action.pad_size_bytes;
        item->offset = action.offset_bytes;
    } else {
        item->size = (uint8_t)action.size_bytes;
        memcpy(item->bytes, action.bytes, item->size);
    }
    return true;
}

static bool pump_second(struct model *model, struct model_party *party)
{
    struct updraft_client2_action action;
    if (!updraft_client2_poll(&party->second, model->now_ms, &action)) {
        return false;
    }
    if (action.kind == UPDRAFT_CLIENT2_SUBSCRIBE) {
        updraft_client2_subscribed(&party->second, 0, model->now_ms);
        return true;
    }
    struct model_item *item = enqueue(&model->links[party->link]);
    if (action.kind == UPDRAFT_CLIENT2_WRITE_CONTROL) {
        item->is_control = true;
        item->by_request = true;
        item->size = (uint8_t)action.size_bytes;
        memcpy(item->bytes, action.bytes, item->size);
    } else {
        item->source = (uint8_t)(action.source + 1u);
        item->size = UPDRAFT_P2_DATA_HEAD_SIZE;
        memcpy(item->bytes, action.bytes, item->size);
        item->length = action.size_bytes;
        item->offset = action.offset_bytes;
        updraft_client2_written(&party->second, 0, model->now_ms);
    }
    if (updraft_client2_sent_bytes(&party->second) >
        SENT_MAX * (files[0].size + UPDRAFT_P2_SECTOR_SIZE)) {
        model_violation("a session sends without end");
    }
    return true;
}

void model_party_pump(struct model *model, uint8_t number)
{
    struct model_party *party = &model->parties[number];
    if (party->link == MODEL_LINKS) {
        return;
    }
    struct model_link *link = &model->links[party->link];
    assert(party->active && link->client_end && link->party == number);
    for (unsigned i = 0; link->up_count < MODEL_UP_MAX; i++) {
        if (i == ACTIONS_MAX) {
            if (!link->broken) {
                model_violation("a client writes without end");
            }
            return;
        }
        if (!(party->protocol == 1 ? pump_first(model, party)
                                   : pump_second(model, party))) {
            break;
        }
        if (link->broken) {
            link->up_count = 0; /* nobody hears it; its transport still takes it */
        }
    }
}

void model_party_written(struct model *model, uint8_t number)
{
    struct model_party *party = &model->parties[number];
    if (party->protocol == 1) {
        updraft_client_written(&party->first, 0, 0, model->now_ms);
    } else {
        updraft_client2_written(&party->second, 0, model->now_ms);
    }
}

void model_party_notified(struct model *model, uint8_t number, const uint8_t *bytes,
                          size_t size)
{
    struct model_party *party = &model->parties[number];
    if (party->protocol == 1) {
        updraft_client_notified(&party->first, bytes, size, model->now_ms);
    } else {
        updraft_client2_notified(&party->second, bytes, size, model->now_ms);
    }
}

void model_party_link_lost(struct model *model, uint8_t number)
{
    struct model_party *party = &model->parties[number];
    if (party->protocol == 1) {
        updraft_client_link_lost(&party->first);
    } else {
        updraft_client2_link_lost(&party->second);
    }
}

bool model_party_deadline(const struct model *model, uint8_t number,
                          uint32_t *ret_deadline_ms)
{
    const struct model_party *party = &model->parties[number];
    if (!party->active) {
        return false;
    }
    if (party->waits) {
        *ret_deadline_ms = party->wait_ms;
        return true;
    }
    return party->protocol == 1
               ? updraft_client_deadline(&party->first, ret_deadline_ms)
               : updraft_client2_deadline(&party->second, ret_deadline_ms);
}

void model_party_tick(struct model *model, uint8_t number)
{
    struct model_party *party = &model->parties[number];
    if (!party->active) {
        return;
    }
    if (party->waits && (int32_t)(model->now_ms - party->wait_ms) >= 0) {
        party->waits = false;
    } else if (party->protocol == 1) {
        updraft_client_tick(&party->first, model->now_ms);
    } else {
        updraft_client2_tick(&party->second, model->now_ms);
    }
}

bool model_party_done(const struct model *model, uint8_t number)
{
    const struct model_party *party = &model->parties[number];
    return party->active &&
           (party->protocol == 1
                ? updraft_client_state(&party->first) == UPDRAFT_CLIENT_DONE
                : updraft_client2_state(&party->second) == UPDRAFT_CLIENT2_DONE);
}

bool model_party_failed(const struct model *model, uint8_t number)
{
    const struct model_party *party = &model->parties[number];
    return party->active &&
           (party->protocol == 1
                ? updraft_client_state(&party->first) == UPDRAFT_CLIENT_FAILED
                : updraft_client2_state(&party->second) == UPDRAFT_CLIENT2_FAILED);
}

bool model_party_refused(const struct model *model, uint8_t number)
{
    const struct model_party *party = &model->parties[number];
    int error = party->protocol == 1 ? updraft_client_error(&party->first)
                                     : updraft_client2_error(&party->second);
    return error == UPDRAFT_ERROR_BUSY || error == UPDRAFT_ERROR_REFUSED;
}
