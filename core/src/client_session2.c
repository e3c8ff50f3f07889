/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The client's side of protocol 2: what is written when, and how long it waits. */
#include "updraft/client_session2.h"

#include "bytes.h"
#include "check.h"
#include "client2_private.h"
#include "states.h"
#include "updraft/error.h"

#define MTU_DEFAULT             23u
#define VALUE_OVERHEAD_SIZE     3u /* of an ATT write: opcode and handle */
#define FILE_SIZE_UNIT          16u
#define WRITE_LIMIT_DEFAULT_MS  30000u
#define ANSWER_LIMIT_DEFAULT_MS 10000u
#define STALL_LIMIT_DEFAULT_MS  120000u
#define ROUND_TRIP_DEFAULT_MS   500u
#define PROBES_MAX              3u

static uint32_t or_default(uint32_t value, uint32_t default_value);
static uint32_t suitable_write_size(uint32_t mtu);
static void command(const struct updraft_client2 *client, uint8_t opcode,
                    struct updraft_p2_command *ret_command);
static bool chunk_may_go(const struct updraft_client2 *client);
static void chunk(struct updraft_client2 *client, uint32_t now_ms,
                  struct updraft_client2_action *ret_action);
static void message_written(struct updraft_client2 *client, uint32_t now_ms);
static void silence(struct updraft_client2 *client);
static void set_state(struct updraft_client2 *client, enum updraft_client2_state state);
static bool has_ended(const struct updraft_client2 *client);
static bool is_streaming(const struct updraft_client2 *client);
static uint32_t stream_bytes(const struct updraft_client2 *client, uint32_t chunks);

int updraft_client2_init(struct updraft_client2 *client,
                         const struct updraft_client2_config *config, uint32_t now_ms)
{
    uint32_t mtu = or_default(config->mtu, MTU_DEFAULT);
    uint32_t manifest_size =
        or_default(config->manifest_size_bytes, UPDRAFT_P2_MANIFEST_SIZE);
    uint32_t write_size = suitable_write_size(mtu);
    if (config->write_size_bytes && config->write_size_bytes < write_size) {
        write_size = config->write_size_bytes;
    }
    if (config->file_size_bytes == 0 ||
        config->file_size_bytes > UPDRAFT_CLIENT2_FILE_MAX ||
        config->file_size_bytes % FILE_SIZE_UNIT != 0 || mtu < MTU_DEFAULT ||
        write_size < UPDRAFT_P2_WRITE_MIN || manifest_size < UPDRAFT_P2_MANIFEST_SIZE ||
        manifest_size > UPDRAFT_P2_MANIFEST_MAX || !config->sector_crcs) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    memset(client, 0, sizeof(*client));
    client->config = *config;
    client->config.mtu = (uint16_t)mtu;
    client->config.manifest_size_bytes = (uint16_t)manifest_size;
    struct updraft_client2_config *limits = &client->config;
    limits->write_limit_ms = or_default(config->write_limit_ms, WRITE_LIMIT_DEFAULT_MS);
    limits->answer_limit_ms =
        or_default(config->answer_limit_ms, ANSWER_LIMIT_DEFAULT_MS);
    limits->stall_limit_ms = or_default(config->stall_limit_ms, STALL_LIMIT_DEFAULT_MS);
    client->write_size_bytes = (uint16_t)write_size;
    client->round_trip_ms = ROUND_TRIP_DEFAULT_MS;
    client->left_bytes = config->file_size_bytes;
    client->state = UPDRAFT_CLIENT2_SUBSCRIBING;
    client->subscribe_pending = true;
    client->progress_ms = now_ms;
    return 0;
}

bool updraft_client2_poll(struct updraft_client2 *client, uint32_t now_ms,
                          struct updraft_client2_action *ret_action)
{
    if (client->busy || has_ended(client)) {
        return false;
    }
    struct updraft_client2_action action = {0};
    if (client->subscribe_pending) {
        CHECK(client->state == UPDRAFT_CLIENT2_SUBSCRIBING);
        client->subscribe_pending = false;
        action.kind = UPDRAFT_CLIENT2_SUBSCRIBE;
    } else if (client->message) {
        struct updraft_p2_command message;
        if (client->message == UPDRAFT_P2_MAP) {
            updraft_client2_choose_map(client);
        }
        command(client, client->message, &message);
        action.kind = UPDRAFT_CLIENT2_WRITE_CONTROL;
        action.size_bytes = (uint16_t)updraft_p2_put_command(&message, action.bytes);
        client->activate_sent |= client->message == UPDRAFT_P2_ACTIVATE;
        client->asked = client->message == UPDRAFT_P2_STATUS;
        client->message = 0;
        client->heard = false;
    } else if (chunk_may_go(client)) {
        action.kind = UPDRAFT_CLIENT2_WRITE_DATA;
        chunk(client, now_ms, &action);
    } else {
        return false;
    }
    client->busy = true;
    client->under_way = action.kind;
    client->write_deadline_ms = now_ms + client->config.write_limit_ms;
    *ret_action = action;
    return true;
}

void updraft_client2_subscribed(struct updraft_client2 *client, int status,
                                uint32_t now_ms)
{
    if (!client->busy || client->under_way != UPDRAFT_CLIENT2_SUBSCRIBE ||
        has_ended(client)) {
        return;
    }
    client->busy = false;
    if (status) {
        updraft_client2_fail(client, status);
    } else {
        updraft_client2_enter(client, UPDRAFT_CLIENT2_OPENING, now_ms);
    }
}

void updraft_client2_written(struct updraft_client2 *client, int status, uint32_t now_ms)
{
    if (!client->busy || client->under_way == UPDRAFT_CLIENT2_SUBSCRIBE ||
        has_ended(client)) {
        return;
    }
    client->busy = false;
    if (status) {
        updraft_client2_fail(client, status);
    } else if (client->under_way == UPDRAFT_CLIENT2_WRITE_CONTROL) {
        message_written(client, now_ms);
    }
}

void updraft_client2_notified(struct updraft_client2 *client, const uint8_t *bytes,
                              size_t size, uint32_t now_ms)
{
    struct updraft_p2_report report;
    struct updraft_p2_map map;
    if (client->state == UPDRAFT_CLIENT2_SUBSCRIBING || has_ended(client)) {
        return;
    }
    if (updraft_p2_get_report(bytes, size, &report)) {
        updraft_client2_on_state(client, &report, now_ms);
    } else if (updraft_p2_get_map(bytes, size, &map)) {
        updraft_client2_on_map(client, &map, now_ms);
    }
}

void updraft_client2_link_lost(struct updraft_client2 *client)
{
    if (!has_ended(client)) {
        updraft_client2_fail(client, UPDRAFT_ERROR_LINK_LOST);
    }
}

void updraft_client2_tick(struct updraft_client2 *client, uint32_t now_ms)
{
    uint32_t stalled_ms = client->progress_ms + client->config.stall_limit_ms;
    if (has_ended(client)) {
        return;
    }
    if ((int32_t)(now_ms - stalled_ms) >= 0 ||
        (client->busy && (int32_t)(now_ms - client->write_deadline_ms) >= 0)) {
        updraft_client2_fail(client, UPDRAFT_ERROR_LINK_TIMEOUT);
    } else if (client->awaiting && (int32_t)(now_ms - client->report_deadline_ms) >= 0) {
        silence(client);
    }
}

bool updraft_client2_deadline(const struct updraft_client2 *client,
                              uint32_t *ret_deadline_ms)
{
    if (has_ended(client)) {
        return false;
    }
    uint32_t deadline_ms = client->progress_ms + client->config.stall_limit_ms;
    if (client->busy && (int32_t)(deadline_ms - client->write_deadline_ms) > 0) {
        deadline_ms = client->write_deadline_ms;
    }
    if (client->awaiting && (int32_t)(deadline_ms - client->report_deadline_ms) > 0) {
        deadline_ms = client->report_deadline_ms;
    }
    *ret_deadline_ms = deadline_ms;
    return true;
}

enum updraft_client2_state updraft_client2_state(const struct updraft_client2 *client)
{
    return client->state;
}

int updraft_client2_error(const struct updraft_client2 *client)
{
    return client->error;
}

uint8_t updraft_client2_status(const struct updraft_client2 *client)
{
    return client->status;
}

uint32_t updraft_client2_detail(const struct updraft_client2 *client)
{
    return client->detail;
}

uint32_t updraft_client2_done_bytes(const struct updraft_client2 *client)
{
    uint32_t bytes = client->config.file_size_bytes - client->left_bytes;
    if (client->state == UPDRAFT_CLIENT2_SENDING) {
        bytes += stream_bytes(client, client->stream.acked);
    }
    return bytes;
}

uint32_t updraft_client2_sent_bytes(const struct updraft_client2 *client)
{
    return client->sent_bytes;
}

uint32_t updraft_client2_resent_bytes(const struct updraft_client2 *client)
{
    return client->resent_bytes;
}

uint16_t updraft_client2_write_size(const struct updraft_client2 *client)
{
    return client->write_size_bytes;
}

bool updraft_client2_activate_sent(const struct updraft_client2 *client)
{
    return client->activate_sent;
}

void updraft_client2_enter(struct updraft_client2 *client,
                           enum updraft_client2_state state, uint32_t now_ms)
{
    static const uint8_t messages[] = {
        [UPDRAFT_CLIENT2_OPENING] = UPDRAFT_P2_OPEN,
        [UPDRAFT_CLIENT2_MAPPING] = UPDRAFT_P2_MAP,
        [UPDRAFT_CLIENT2_RANGING] = UPDRAFT_P2_RANGE,
        [UPDRAFT_CLIENT2_ACTIVATING] = UPDRAFT_P2_ACTIVATE,
        [UPDRAFT_CLIENT2_FAILED] = 0,
    };
    set_state(client, state);
    client->message = messages[state];
    if (client->message) {
        client->awaiting = false;
    }
    client->asked = false;
    client->probes = 0;
    client->repeats = 0;
    client->progress_ms = now_ms;
}

void updraft_client2_fail(struct updraft_client2 *client, int error)
{
    CHECK(error != 0);
    set_state(client, UPDRAFT_CLIENT2_FAILED);
    client->error = error;
    client->message = 0;
    client->awaiting = false;
}

void updraft_client2_say(struct updraft_client2 *client, uint8_t opcode)
{
    CHECK(opcode != 0);
    client->message = opcode;
    client->awaiting = false;
}

void updraft_client2_heard(struct updraft_client2 *client, uint32_t wait_ms,
                           uint32_t now_ms)
{
    client->heard = true;
    client->asked = false;
    client->probes = 0;
    if (client->message == UPDRAFT_P2_STATUS) {
        client->message = 0; /* it has told it unasked */
    }
    client->awaiting = client->message == 0;
    client->report_deadline_ms = now_ms + wait_ms;
}

static bool has_ended(const struct updraft_client2 *client)
{
    return client->state == UPDRAFT_CLIENT2_DONE ||
           client->state == UPDRAFT_CLIENT2_STAGED ||
           client->state == UPDRAFT_CLIENT2_FAILED;
}

static bool is_streaming(const struct updraft_client2 *client)
{
    return client->state == UPDRAFT_CLIENT2_TELLING ||
           client->state == UPDRAFT_CLIENT2_SENDING;
}

/* Bytes of the stream under way that its first `chunks` chunks carry. */
static uint32_t stream_bytes(const struct updraft_client2 *client, uint32_t chunks)
{
    const struct updraft_client2_stream *stream = &client->stream;
    CHECK(chunks <= stream->count);
    return chunks == stream->count
               ? stream->size_bytes
               : chunks * (client->write_size_bytes - UPDRAFT_P2_DATA_HEAD_SIZE);
}

static uint32_t or_default(uint32_t value, uint32_t default_value)
{
    return value ? value : default_value;
}

/* Two link-layer packets of 251 bytes, exactly filled; else one at most. */
static uint32_t suitable_write_size(uint32_t mtu)
{
    if (mtu >= 498) {
        return 495;
    }
    return mtu >= 244 + VALUE_OVERHEAD_SIZE ? 244 : mtu - VALUE_OVERHEAD_SIZE;
}

static void command(const struct updraft_client2 *client, uint8_t opcode,
                    struct updraft_p2_command *ret_command)
{
    const struct updraft_client2_config *config = &client->config;
    unsigned open_flags = 0;
    open_flags |= config->force ? UPDRAFT_P2_OPEN_FORCE : 0;
    open_flags |= config->stage ? UPDRAFT_P2_OPEN_STAGE : 0;
    *ret_command = (struct updraft_p2_command){
        .opcode = opcode,
        .session = client->session,
        .version = UPDRAFT_P2_VERSION,
        .manifest_size_bytes = config->manifest_size_bytes,
        .write_size_bytes = client->write_size_bytes,
        .nonce = config->nonce,
        .start_bytes = client->stream.start_bytes,
        .size_bytes = client->stream.size_bytes,
        .first_sector = client->map_first,
        .sector_count = client->map_count,
        .confirm_by = config->confirm_by,
    };
    memcpy(ret_command->id, config->image_id, sizeof(ret_command->id));
    if (opcode == UPDRAFT_P2_OPEN) {
        ret_command->flags = (uint8_t)open_flags;
    } else if (opcode == UPDRAFT_P2_RANGE && client->finish) {
        ret_command->flags = UPDRAFT_P2_RANGE_FINISH;
    }
}

static bool chunk_may_go(const struct updraft_client2 *client)
{
    const struct updraft_client2_stream *stream = &client->stream;
    return is_streaming(client) && stream->sent < stream->count &&
           stream->sent < stream->limit;
}

static void chunk(struct updraft_client2 *client, uint32_t now_ms,
                  struct updraft_client2_action *ret_action)
{
    struct updraft_client2_stream *stream = &client->stream;
    CHECK(stream->acked <= stream->sent && stream->sent < stream->count);
    uint32_t offset = stream_bytes(client, stream->sent);
    uint32_t size = stream_bytes(client, stream->sent + 1) - offset;
    updraft_put_le16(ret_action->bytes, (uint16_t)(stream->base + stream->sent));
    ret_action->source = client->state == UPDRAFT_CLIENT2_TELLING
                             ? UPDRAFT_CLIENT2_MANIFEST
                             : UPDRAFT_CLIENT2_FILE;
    ret_action->offset_bytes = stream->start_bytes + offset;
    ret_action->size_bytes = (uint16_t)size;
    if (client->state == UPDRAFT_CLIENT2_SENDING) {
        bool again = stream->sent < stream->highest || client->rounds > 0;
        client->sent_bytes += size;
        client->resent_bytes += again ? size : 0;
    }
    if (!stream->timing) {
        stream->timing = true;
        stream->timed = stream->sent;
        stream->timed_ms = now_ms;
    }
    stream->sent++;
    if (stream->highest < stream->sent) {
        stream->highest = stream->sent;
    }
}

static void message_written(struct updraft_client2 *client, uint32_t now_ms)
{
    if (!client->heard && !client->message) {
        client->awaiting = true;
        client->report_deadline_ms = now_ms + client->config.answer_limit_ms;
    }
}

/* The device owes a report: it or the message it answers may have been lost. */
static void silence(struct updraft_client2 *client)
{
    CHECK(client->message == 0);
    if (client->probes == PROBES_MAX) {
        updraft_client2_fail(client, UPDRAFT_ERROR_LINK_TIMEOUT);
        return;
    }
    client->probes++;
    updraft_client2_say(client, client->state == UPDRAFT_CLIENT2_MAPPING
                                    ? UPDRAFT_P2_MAP
                                    : UPDRAFT_P2_STATUS);
}

static void set_state(struct updraft_client2 *client, enum updraft_client2_state state)
{
    static const struct {
        uint8_t from;
        uint8_t to;
    } legal[] = {
#define LEGAL(from, to, why) {UPDRAFT_CLIENT2_##from, UPDRAFT_CLIENT2_##to},
        UPDRAFT_CLIENT2_TRANSITIONS(LEGAL)
#undef LEGAL
    };
    bool is_legal = false;
    for (size_t i = 0; i < sizeof(legal) / sizeof(legal[0]); i++) {
        is_legal |= legal[i].from == client->state && legal[i].to == state;
    }
    CHECK(is_legal);
    client->state = state;
}
