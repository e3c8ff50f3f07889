/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The client's side of protocol 1, one write at a time. */
#include "updraft/client_session.h"

#include "bytes.h"
#include "check.h"
#include "states.h"
#include "updraft/error.h"

#define MTU_DEFAULT              23u
#define VALUE_OVERHEAD_SIZE      3u /* of an ATT write: opcode and handle */
#define WRITE_LIMIT_DEFAULT_MS   30000u
#define REQUEST_LIMIT_DEFAULT_MS 10000u
#define RETRY_WAIT_DEFAULT_MS    1000u
#define DONE_LIMIT_DEFAULT_MS    60000u
#define FLASH_SECTOR_SIZE        4096u

static uint32_t or_default(uint32_t value, uint32_t default_value);
static void packet(const struct updraft_client *client,
                   struct updraft_client_action *ret_action);
static void packet_written(struct updraft_client *client, uint32_t now_ms);
static void on_answer(struct updraft_client *client, uint8_t opcode, uint32_t now_ms);
static int data_error(int status, uint8_t att_error);
static void enter(struct updraft_client *client, enum updraft_client_state state,
                  uint32_t now_ms);
static void fail(struct updraft_client *client, int error);
static void set_state(struct updraft_client *client, enum updraft_client_state state);
static bool has_ended(const struct updraft_client *client);

int updraft_client_init(struct updraft_client *client,
                        const struct updraft_client_config *config, uint32_t now_ms)
{
    uint32_t mtu = or_default(config->mtu, MTU_DEFAULT);
    if (config->image_size_bytes == 0 || mtu < MTU_DEFAULT) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    memset(client, 0, sizeof(*client));
    client->config = *config;
    struct updraft_client_config *limits = &client->config;
    limits->write_limit_ms = or_default(config->write_limit_ms, WRITE_LIMIT_DEFAULT_MS);
    limits->request_limit_ms =
        or_default(config->request_limit_ms, REQUEST_LIMIT_DEFAULT_MS);
    limits->retry_wait_ms = or_default(config->retry_wait_ms, RETRY_WAIT_DEFAULT_MS);
    limits->done_limit_ms = or_default(config->done_limit_ms, DONE_LIMIT_DEFAULT_MS);
    uint32_t packet_size = mtu - VALUE_OVERHEAD_SIZE;
    if (packet_size > UPDRAFT_P1_PACKET_SIZE_MAX) {
        packet_size = UPDRAFT_P1_PACKET_SIZE_MAX;
    }
    client->packet_size_bytes = (uint16_t)packet_size;
    client->state = UPDRAFT_CLIENT_SUBSCRIBING;
    client->action_pending = true;
    client->deadline_ms = now_ms + limits->write_limit_ms;
    return 0;
}

bool updraft_client_poll(struct updraft_client *client,
                         struct updraft_client_action *ret_action)
{
    if (!client->action_pending || client->busy) {
        return false;
    }
    struct updraft_client_action action = {0};
    switch (client->state) {
    case UPDRAFT_CLIENT_SUBSCRIBING:
        action.kind = UPDRAFT_CLIENT_SUBSCRIBE;
        break;
    case UPDRAFT_CLIENT_TELLING:
        action.kind = UPDRAFT_CLIENT_WRITE_DATA;
        action.with_response = !client->config.data_by_command;
        updraft_put_le16(action.bytes, client->packet_size_bytes);
        action.size_bytes = 2;
        break;
    case UPDRAFT_CLIENT_REQUESTING:
    case UPDRAFT_CLIENT_VERIFYING:
        action.kind = UPDRAFT_CLIENT_WRITE_CONTROL;
        action.with_response = !client->config.control_by_command;
        action.bytes[0] = client->state == UPDRAFT_CLIENT_REQUESTING ? UPDRAFT_P1_REQUEST
                                                                     : UPDRAFT_P1_DONE;
        action.size_bytes = 1;
        break;
    case UPDRAFT_CLIENT_SENDING:
        packet(client, &action);
        client->under_way_bytes = action.size_bytes;
        break;
    case UPDRAFT_CLIENT_WAITING:
    case UPDRAFT_CLIENT_DONE:
    case UPDRAFT_CLIENT_FAILED:
        CHECK(false);
        return false;
    }
    client->done_sent |= client->state == UPDRAFT_CLIENT_VERIFYING;
    client->action_pending = false;
    client->busy = true;
    *ret_action = action;
    return true;
}

void updraft_client_subscribed(struct updraft_client *client, int status, uint32_t now_ms)
{
    if (client->state != UPDRAFT_CLIENT_SUBSCRIBING || !client->busy) {
        return;
    }
    client->busy = false;
    if (status) {
        fail(client, status);
    } else {
        enter(client, UPDRAFT_CLIENT_TELLING, now_ms);
    }
}

void updraft_client_written(struct updraft_client *client, int status, uint8_t att_error,
                            uint32_t now_ms)
{
    if (has_ended(client) || !client->busy) {
        return;
    }
    client->busy = false;
    if (client->action_pending) {
        return; /* the end of a write whose answer came before it */
    }
    switch (client->state) {
    case UPDRAFT_CLIENT_TELLING:
        /* A device that speaks of an update that failed speaks of an earlier one of this
         * connection, which REQUEST ends. */
        if (status && att_error != UPDRAFT_P1_ATT_FAILED) {
            fail(client, data_error(status, att_error));
        } else {
            enter(client, UPDRAFT_CLIENT_REQUESTING, now_ms);
        }
        break;
    case UPDRAFT_CLIENT_REQUESTING:
        if (status) {
            fail(client, status);
        } else if (client->answered) {
            enter(client, UPDRAFT_CLIENT_SENDING, now_ms);
        }
        break;
    case UPDRAFT_CLIENT_SENDING:
        if (status) {
            fail(client, data_error(status, att_error));
        } else {
            packet_written(client, now_ms);
        }
        break;
    case UPDRAFT_CLIENT_VERIFYING:
        /* The original never responds to DONE, so that only a refusal counts. Otherwise
         * the notification, the end of the link or the time limit decides. */
        if (status && att_error) {
            fail(client, status);
        }
        break;
    case UPDRAFT_CLIENT_SUBSCRIBING:
    case UPDRAFT_CLIENT_WAITING:
    case UPDRAFT_CLIENT_DONE:
    case UPDRAFT_CLIENT_FAILED:
        break;
    }
}

void updraft_client_notified(struct updraft_client *client, const uint8_t *bytes,
                             size_t size, uint32_t now_ms)
{
    /* An answer belongs to an opcode that was sent. */
    if (size == 1 && !client->action_pending) {
        on_answer(client, bytes[0], now_ms);
    }
}

void updraft_client_link_lost(struct updraft_client *client)
{
    if (!has_ended(client)) {
        fail(client, UPDRAFT_ERROR_LINK_LOST);
    }
}

void updraft_client_tick(struct updraft_client *client, uint32_t now_ms)
{
    uint32_t deadline_ms = 0;
    if (!updraft_client_deadline(client, &deadline_ms) ||
        (int32_t)(now_ms - deadline_ms) < 0) {
        return;
    }
    if (client->state == UPDRAFT_CLIENT_WAITING) {
        enter(client, UPDRAFT_CLIENT_TELLING, now_ms);
    } else {
        fail(client, UPDRAFT_ERROR_LINK_TIMEOUT);
    }
}

bool updraft_client_deadline(const struct updraft_client *client,
                             uint32_t *ret_deadline_ms)
{
    if (has_ended(client)) {
        return false;
    }
    *ret_deadline_ms = client->deadline_ms;
    return true;
}

enum updraft_client_state updraft_client_state(const struct updraft_client *client)
{
    return client->state;
}

int updraft_client_error(const struct updraft_client *client)
{
    return client->error;
}

uint32_t updraft_client_sent_bytes(const struct updraft_client *client)
{
    return client->sent_bytes;
}

uint16_t updraft_client_packet_size(const struct updraft_client *client)
{
    return client->packet_size_bytes;
}

bool updraft_client_done_sent(const struct updraft_client *client)
{
    return client->done_sent;
}

static uint32_t or_default(uint32_t value, uint32_t default_value)
{
    return value ? value : default_value;
}

static void packet(const struct updraft_client *client,
                   struct updraft_client_action *ret_action)
{
    const struct updraft_client_config *config = &client->config;
    CHECK(client->sent_bytes < config->image_size_bytes);
    uint32_t left = config->image_size_bytes - client->sent_bytes;
    uint32_t size = left < client->packet_size_bytes ? left : client->packet_size_bytes;
    uint32_t pad = client->packet_size_bytes - size;
    /* The original writes a whole packet whatever arrives: the rest of the one before
     * unless 0xFF follows the image. */
    uint32_t room =
        FLASH_SECTOR_SIZE - 1 - (config->image_size_bytes - 1) % FLASH_SECTOR_SIZE;
    if (config->slot_size_bytes) {
        room = config->slot_size_bytes > config->image_size_bytes
                   ? config->slot_size_bytes - config->image_size_bytes
                   : 0;
    }
    ret_action->kind = UPDRAFT_CLIENT_WRITE_IMAGE;
    ret_action->with_response = !config->data_by_command;
    ret_action->offset_bytes = client->sent_bytes;
    ret_action->size_bytes = (uint16_t)size;
    ret_action->pad_size_bytes = pad <= room ? (uint16_t)pad : 0;
}

static void packet_written(struct updraft_client *client, uint32_t now_ms)
{
    client->sent_bytes += client->under_way_bytes;
    client->under_way_bytes = 0;
    if (client->sent_bytes == client->config.image_size_bytes) {
        enter(client, UPDRAFT_CLIENT_VERIFYING, now_ms);
    } else {
        client->action_pending = true;
        client->deadline_ms = now_ms + client->config.write_limit_ms;
    }
}

static void on_answer(struct updraft_client *client, uint8_t opcode, uint32_t now_ms)
{
    if (client->state == UPDRAFT_CLIENT_REQUESTING && !client->answered) {
        if (opcode == UPDRAFT_P1_REQUEST_ACK && client->busy) {
            /* The original answers before it responds to the write. */
            client->answered = true;
            client->deadline_ms = now_ms + client->config.write_limit_ms;
        } else if (opcode == UPDRAFT_P1_REQUEST_ACK) {
            enter(client, UPDRAFT_CLIENT_SENDING, now_ms);
        } else if (opcode == UPDRAFT_P1_REQUEST_NAK && client->refused_before) {
            fail(client, UPDRAFT_ERROR_REFUSED);
        } else if (opcode == UPDRAFT_P1_REQUEST_NAK) {
            /* The original refuses once where an update was cut off before. */
            client->refused_before = true;
            enter(client, UPDRAFT_CLIENT_WAITING, now_ms);
        }
    } else if (client->state == UPDRAFT_CLIENT_VERIFYING) {
        if (opcode == UPDRAFT_P1_DONE_ACK) {
            enter(client, UPDRAFT_CLIENT_DONE, now_ms);
        } else if (opcode == UPDRAFT_P1_DONE_NAK) {
            fail(client, UPDRAFT_ERROR_NOT_VERIFIED);
        }
    }
}

static int data_error(int status, uint8_t att_error)
{
    if (status != UPDRAFT_ERROR_LINK_ATT) {
        return status;
    }
    if (att_error == UPDRAFT_P1_ATT_BUSY) {
        return UPDRAFT_ERROR_BUSY;
    }
    return att_error == UPDRAFT_P1_ATT_FAILED ? UPDRAFT_ERROR_NOT_VERIFIED : status;
}

/* Goes on to a state, with its action and its time limit. */
static void enter(struct updraft_client *client, enum updraft_client_state state,
                  uint32_t now_ms)
{
    set_state(client, state);
    switch (state) {
    case UPDRAFT_CLIENT_SUBSCRIBING:
    case UPDRAFT_CLIENT_TELLING:
    case UPDRAFT_CLIENT_SENDING:
        client->action_pending = true;
        client->deadline_ms = now_ms + client->config.write_limit_ms;
        break;
    case UPDRAFT_CLIENT_REQUESTING:
        client->action_pending = true;
        client->answered = false;
        client->deadline_ms = now_ms + client->config.request_limit_ms;
        break;
    case UPDRAFT_CLIENT_VERIFYING:
        client->action_pending = true;
        client->deadline_ms = now_ms + client->config.done_limit_ms;
        break;
    case UPDRAFT_CLIENT_WAITING:
        client->deadline_ms = now_ms + client->config.retry_wait_ms;
        break;
    case UPDRAFT_CLIENT_DONE:
    case UPDRAFT_CLIENT_FAILED:
        break;
    }
}

static void fail(struct updraft_client *client, int error)
{
    CHECK(error != 0);
    set_state(client, UPDRAFT_CLIENT_FAILED);
    client->error = error;
    client->action_pending = false;
}

static void set_state(struct updraft_client *client, enum updraft_client_state state)
{
    static const struct {
        uint8_t from;
        uint8_t to;
    } legal[] = {
#define LEGAL(from, to, why) {UPDRAFT_CLIENT_##from, UPDRAFT_CLIENT_##to},
        UPDRAFT_CLIENT_TRANSITIONS(LEGAL)
#undef LEGAL
    };
    bool is_legal = false;
    for (size_t i = 0; i < sizeof(legal) / sizeof(legal[0]); i++) {
        is_legal |= legal[i].from == client->state && legal[i].to == state;
    }
    CHECK(is_legal);
    client->state = state;
}

static bool has_ended(const struct updraft_client *client)
{
    return client->state == UPDRAFT_CLIENT_DONE || client->state == UPDRAFT_CLIENT_FAILED;
}
