/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's side: who updates by which protocol, and protocol 1's judgement of what
 * arrives. */
#include "updraft/device_session.h"

#include "bytes.h"
#include "check.h"
#include "device_private.h"
#include "states.h"
#include "updraft/error.h"

#define IDLE_LIMIT_DEFAULT_MS  30000u
#define TOTAL_LIMIT_DEFAULT_MS 3600000u

/* While the head is held back, the packet that completes it must still fit. */
_Static_assert(UPDRAFT_IMAGE_HEAD_SIZE - UPDRAFT_HEAD_HELD_SIZE <= UPDRAFT_STAGE_SIZE,
               "the head fits the stage");

static void on_request(struct updraft_device *device, uint16_t connection,
                       uint32_t now_ms);
static int refusal(struct updraft_device *device, uint16_t connection, uint32_t now_ms);
static void on_done(struct updraft_device *device, uint16_t connection);
static void retell(struct updraft_device *device);
static void receive(struct updraft_device *device, const uint8_t *bytes, size_t size);
static int take_packet(struct updraft_device *device, const uint8_t *bytes, size_t size);
static bool receives(const struct updraft_device *device);
static uint32_t limit_ms(const struct updraft_device *device);
static bool at_rest(const struct updraft_device *device);
static uint32_t earlier(uint32_t a_ms, uint32_t b_ms);

void updraft_device_init(struct updraft_device *device,
                         const struct updraft_device_config *config)
{
    memset(device, 0, sizeof(*device));
    device->config = *config;
    device->config.slot_size_bytes -= config->slot_size_bytes % UPDRAFT_FLASH_SECTOR_SIZE;
    if (config->idle_limit_ms == 0) {
        device->config.idle_limit_ms = IDLE_LIMIT_DEFAULT_MS;
    }
    if (config->total_limit_ms == 0) {
        device->config.total_limit_ms = TOTAL_LIMIT_DEFAULT_MS;
    }
    updraft_erase_init(device);
    updraft_p2_init(device);
    CHECK(device->config.idle_limit_ms <= INT32_MAX);
    CHECK(device->config.total_limit_ms <= INT32_MAX);
    device->state = UPDRAFT_DEVICE_IDLE;
    device->owner = UPDRAFT_CONNECTION_NONE;
    device->told_by = UPDRAFT_CONNECTION_NONE;
}

void updraft_device_set_on_trial(struct updraft_device *device, bool on_trial)
{
    CHECK(at_rest(device));
    device->config.on_trial = on_trial;
}

void updraft_device_set_supervision(struct updraft_device *device, uint32_t timeout_ms)
{
    device->erase.supervision_ms = timeout_ms;
}

void updraft_device_control(struct updraft_device *device, uint16_t connection,
                            const uint8_t *bytes, size_t size, uint32_t now_ms)
{
    CHECK(at_rest(device));
    CHECK(connection != UPDRAFT_CONNECTION_NONE);
    if (connection == device->owner) {
        device->last_input_ms = now_ms;
    }
    if (size != 1) {
        updraft_p2_control(device, connection, bytes, size, now_ms);
        return;
    }
    switch ((enum updraft_p1_opcode)bytes[0]) {
    case UPDRAFT_P1_REQUEST:
        on_request(device, connection, now_ms);
        break;
    case UPDRAFT_P1_DONE:
        on_done(device, connection);
        break;
    case UPDRAFT_P1_NOP:
    case UPDRAFT_P1_REQUEST_ACK:
    case UPDRAFT_P1_REQUEST_NAK:
    case UPDRAFT_P1_DONE_ACK:
    case UPDRAFT_P1_DONE_NAK:
        break;
    }
}

void updraft_device_data(struct updraft_device *device, uint16_t connection,
                         const uint8_t *bytes, size_t size, uint32_t now_ms)
{
    CHECK(at_rest(device));
    CHECK(connection != UPDRAFT_CONNECTION_NONE);
    if (connection == device->owner && device->protocol == 2) {
        updraft_p2_data(device, bytes, size, now_ms);
        return;
    }
    /* Two bytes tell the packet size unless an update is under way. If one is and the
     * next thing is a REQUEST, they did as well: the client starts afresh. */
    if (size == 2) {
        device->told_size_bytes = updraft_get_le16(bytes);
        device->told_by = connection;
    } else if (connection == device->owner) {
        retell(device);
    }
    if (connection == device->owner) {
        device->last_input_ms = now_ms;
        receive(device, bytes, size);
    }
}

void updraft_device_data_lost(struct updraft_device *device, uint16_t connection)
{
    CHECK(at_rest(device));
    if (connection == device->owner && device->protocol == 1 && receives(device)) {
        updraft_device_fail(device, UPDRAFT_ERROR_LINK_DATA_LOST);
    }
}

void updraft_device_link_lost(struct updraft_device *device, uint16_t connection)
{
    CHECK(at_rest(device));
    if (connection == device->told_by) {
        device->told_by = UPDRAFT_CONNECTION_NONE;
    }
    if (connection != device->owner) {
        return;
    }
    if (device->state == UPDRAFT_DEVICE_RESTARTING) {
        device->owner = UPDRAFT_CONNECTION_NONE;
    } else {
        updraft_device_end(device, UPDRAFT_ERROR_LINK_LOST);
    }
}

void updraft_device_tick(struct updraft_device *device, uint32_t now_ms)
{
    CHECK(at_rest(device));
    uint32_t deadline_ms = 0;
    if (!updraft_device_deadline(device, &deadline_ms) ||
        (int32_t)(now_ms - deadline_ms) < 0) {
        return;
    }
    if ((int32_t)(now_ms - limit_ms(device)) < 0) {
        updraft_p2_report_again(device);
    } else if (device->protocol == 2) {
        updraft_p2_end(device, UPDRAFT_P2_TIMEOUT, 0);
    } else {
        updraft_device_end(device, UPDRAFT_ERROR_LINK_TIMEOUT);
    }
}

bool updraft_device_deadline(const struct updraft_device *device,
                             uint32_t *ret_deadline_ms)
{
    if (device->protocol == 0 || device->state == UPDRAFT_DEVICE_RESTARTING) {
        return false;
    }
    uint32_t deadline_ms = limit_ms(device);
    if (device->protocol == 2 && receives(device)) {
        deadline_ms = earlier(deadline_ms, updraft_p2_report_due_ms(device));
    }
    *ret_deadline_ms = deadline_ms;
    return true;
}

enum updraft_device_state updraft_device_state(const struct updraft_device *device)
{
    return device->state;
}

int updraft_device_error(const struct updraft_device *device)
{
    return device->error;
}

uint16_t updraft_device_owner(const struct updraft_device *device)
{
    return device->owner;
}

uint8_t updraft_device_protocol(const struct updraft_device *device)
{
    return device->protocol;
}

uint32_t updraft_device_received_bytes(const struct updraft_device *device)
{
    return device->received_bytes;
}

const struct updraft_image *updraft_device_image(const struct updraft_device *device)
{
    return &device->image;
}

static void on_request(struct updraft_device *device, uint16_t connection,
                       uint32_t now_ms)
{
    bool is_foreign =
        device->owner != UPDRAFT_CONNECTION_NONE && device->owner != connection;
    if (is_foreign || device->state == UPDRAFT_DEVICE_RESTARTING) {
        updraft_device_answer(device, connection, UPDRAFT_P1_REQUEST_NAK);
        return;
    }
    if (device->owner == connection) {
        updraft_device_end(device, 0);
    }
    device->error = refusal(device, connection, now_ms);
    if (device->error) {
        updraft_device_answer(device, connection, UPDRAFT_P1_REQUEST_NAK);
        return;
    }
    device->step = STEP_ASK;
    device->asker = connection;
    device->begun_ms = now_ms;
    device->last_input_ms = now_ms;
}

static int refusal(struct updraft_device *device, uint16_t connection, uint32_t now_ms)
{
    uint32_t wait_s = 0;
    if (device->config.on_trial) {
        return UPDRAFT_ERROR_ON_TRIAL;
    }
    if (device->config.slot_size_bytes == 0) {
        return UPDRAFT_ERROR_FLASH_NO_SLOT;
    }
    if (device->told_by == connection &&
        (device->told_size_bytes == 0 ||
         device->told_size_bytes > UPDRAFT_P1_PACKET_SIZE_MAX)) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    return updraft_erase_allowed(device, now_ms, &wait_s) ? 0 : UPDRAFT_ERROR_RATE_LIMIT;
}

/* The application agreed to the REQUEST of `asker`. */
void updraft_device_accept(struct updraft_device *device)
{
    uint16_t connection = device->asker;
    CHECK(device->owner == UPDRAFT_CONNECTION_NONE);
    updraft_image_init(&device->image, device->config.slot_size_bytes);
    device->owner = connection;
    device->protocol = 1;
    device->error = 0;
    device->packet_size_bytes =
        device->told_by == connection ? device->told_size_bytes : 0;
    device->short_packet_seen = false;
    device->received_bytes = 0;
    device->erased_bytes = 0;
    device->written_bytes = UPDRAFT_HEAD_HELD_SIZE;
    device->stage_used_bytes = 0;
    device->step = STEP_NONE;
    updraft_device_set_state(device, UPDRAFT_DEVICE_HEAD);
    updraft_device_answer(device, connection, UPDRAFT_P1_REQUEST_ACK);
}

static void on_done(struct updraft_device *device, uint16_t connection)
{
    if (device->state == UPDRAFT_DEVICE_RESTARTING) {
        /* Said twice: it still is. Protocol 2 may restart into an older image. */
        bool is_taken = connection == device->owner && device->protocol == 1;
        updraft_device_answer(device, connection,
                              is_taken ? UPDRAFT_P1_DONE_ACK : UPDRAFT_P1_DONE_NAK);
        return;
    }
    if (connection == device->owner && device->protocol == 1 &&
        device->state == UPDRAFT_DEVICE_RECEIVING &&
        updraft_image_finish(&device->image) == 0) {
        device->step = STEP_FLUSH;
        updraft_device_set_state(device, UPDRAFT_DEVICE_VERIFYING);
        return;
    }
    if (connection == device->owner) {
        retell(device);
        updraft_device_end(device, UPDRAFT_ERROR_IMAGE_TRUNCATED);
    }
    updraft_device_answer(device, connection, UPDRAFT_P1_DONE_NAK);
}

/* The owner's last two bytes were data, as it turned out: its packet size holds. */
static void retell(struct updraft_device *device)
{
    device->told_size_bytes = device->packet_size_bytes;
    device->told_by = device->packet_size_bytes ? device->owner : UPDRAFT_CONNECTION_NONE;
}

/* A Data write of the owner. */
static void receive(struct updraft_device *device, const uint8_t *bytes, size_t size)
{
    if (!receives(device) || size == 0) {
        return;
    }
    int error = take_packet(device, bytes, size);
    if (!error && device->state == UPDRAFT_DEVICE_HEAD &&
        (device->received_bytes >= UPDRAFT_IMAGE_HEAD_SIZE ||
         updraft_image_complete(&device->image))) {
        error = updraft_device_judge_head(device);
        device->step = STEP_JUDGE;
    }
    if (error) {
        updraft_device_fail(device, error);
    }
}

static int take_packet(struct updraft_device *device, const uint8_t *bytes, size_t size)
{
    size_t size_max = device->packet_size_bytes ? device->packet_size_bytes
                                                : UPDRAFT_P1_PACKET_SIZE_MAX;
    if (size > size_max || device->short_packet_seen) {
        return UPDRAFT_ERROR_LINK_PROTOCOL;
    }
    device->short_packet_seen = device->packet_size_bytes && size < size_max;
    int error = updraft_image_input(&device->image, bytes, size);
    if (error) {
        return error;
    }
    size_t wanted = size;
    if (updraft_image_complete(&device->image)) {
        /* What follows the image's end is padding. */
        CHECK(device->image.size_bytes >= device->received_bytes);
        size_t missing = device->image.size_bytes - device->received_bytes;
        wanted = missing < size ? missing : size;
    }
    updraft_device_store(device, bytes, wanted);
    return 0;
}

void updraft_device_store(struct updraft_device *device, const uint8_t *bytes,
                          size_t size)
{
    size_t held = 0;
    if (device->received_bytes < UPDRAFT_HEAD_HELD_SIZE) {
        held = UPDRAFT_HEAD_HELD_SIZE - device->received_bytes;
        held = held < size ? held : size;
        memcpy(device->head + device->received_bytes, bytes, held);
    }
    CHECK(device->stage_used_bytes + (size - held) <= sizeof(device->stage));
    memcpy(device->stage + device->stage_used_bytes, bytes + held, size - held);
    device->stage_used_bytes += (uint32_t)(size - held);
    device->received_bytes += (uint32_t)size;
}

/* Everything about the image that the chip alone can know, before a byte is erased. */
int updraft_device_judge_head(const struct updraft_device *device)
{
    const struct updraft_image *image = &device->image;
    if (!updraft_image_has_descriptor(image)) {
        return UPDRAFT_ERROR_IMAGE_DESCRIPTOR;
    }
    if (!image->header.hash_appended) {
        return UPDRAFT_ERROR_IMAGE_NO_HASH;
    }
    return updraft_image_check_chip(image, device->config.chip_id,
                                    device->config.chip_revision,
                                    device->config.ignore_chip_revision_max);
}

void updraft_device_answer(struct updraft_device *device, uint16_t connection,
                           uint8_t opcode)
{
    CHECK(device->answer_size_bytes == 0);
    device->answer[0] = opcode;
    device->answer_size_bytes = 1;
    device->answer_connection = connection;
}

/* The update cannot succeed any more, which its client learns when it asks by DONE. */
void updraft_device_fail(struct updraft_device *device, int error)
{
    CHECK(error != 0);
    device->error = error;
    device->step = STEP_NONE;
    updraft_device_set_state(device, UPDRAFT_DEVICE_FAILED);
}

/* error: why, unless the update had failed before. A staged image was what the session
 * was for: where nothing is being done about it, nothing fails with the session's end. */
void updraft_device_end(struct updraft_device *device, int error)
{
    bool is_staged = device->state == UPDRAFT_DEVICE_VERIFIED &&
                     (device->stream.flags & UPDRAFT_P2_OPEN_STAGE) != 0 &&
                     device->step == STEP_NONE;
    if (!device->error && !is_staged) {
        device->error = error;
    }
    device->step = STEP_NONE;
    device->owner = UPDRAFT_CONNECTION_NONE;
    device->protocol = 0;
    device->stream.report_due = false;
    updraft_device_set_state(device, UPDRAFT_DEVICE_IDLE);
}

bool updraft_device_may_become(const struct updraft_device *device,
                               enum updraft_device_state state)
{
    static const struct {
        uint8_t from;
        uint8_t to;
    } legal[] = {
#define LEGAL(from, to, why) {UPDRAFT_DEVICE_##from, UPDRAFT_DEVICE_##to},
        UPDRAFT_DEVICE_TRANSITIONS(LEGAL)
#undef LEGAL
    };
    bool is_legal = false;
    for (size_t i = 0; i < sizeof(legal) / sizeof(legal[0]); i++) {
        is_legal |= legal[i].from == device->state && legal[i].to == state;
    }
    return is_legal;
}

/* Data of the owner is part of an image, or of its manifest. */
static bool receives(const struct updraft_device *device)
{
    return device->state == UPDRAFT_DEVICE_HEAD ||
           device->state == UPDRAFT_DEVICE_MANIFEST ||
           device->state == UPDRAFT_DEVICE_RECEIVING;
}

/* When the update under way has taken, or has been silent, for too long. */
static uint32_t limit_ms(const struct updraft_device *device)
{
    return earlier(device->last_input_ms + device->config.idle_limit_ms,
                   device->begun_ms + device->config.total_limit_ms);
}

static uint32_t earlier(uint32_t a_ms, uint32_t b_ms)
{
    return (int32_t)(a_ms - b_ms) < 0 ? a_ms : b_ms;
}

/* No action is under way or still to be polled that the next input could disturb. */
static bool at_rest(const struct updraft_device *device)
{
    return !device->action_pending && device->answer_size_bytes == 0 &&
           !device->stream.report_due && device->step == STEP_NONE;
}
