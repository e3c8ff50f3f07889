/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's flash and note, and what must hold at each action of its session. The
 * content of what is written is compared with the owner's file, not only its hash: so
 * a chunk of another stream would show at once. */
#include <assert.h>
#include <string.h>

#include "tests/explore/model.h"
#include "tests/unit/image_maker.h"
#include "updraft/error.h"

#define ACTIONS_MAX 64u /* that one input may lead to */

static void expect(bool holds, const char *what)
{
    if (!holds) {
        model_violation(what);
    }
}

/* Whose update is under way. */
static uint8_t owner_party(const struct model *model)
{
    uint16_t owner = updraft_device_owner(&model->device);
    expect(owner < MODEL_LINKS && model->links[owner].device_end,
           "work on flash although nobody updates");
    return model->links[owner].party;
}

bool model_has_image(const struct model *model)
{
    struct updraft_image image;
    uint8_t digest[32];
    updraft_image_init(&image, MODEL_SLOT_SIZE);
    (void)updraft_image_input(&image, model->flash, MODEL_SLOT_SIZE);
    if (updraft_image_finish(&image) != 0) {
        return false;
    }
    sha256(model->flash, image.hashed_size_bytes, digest);
    return updraft_image_check_hash(&image, digest) == 0;
}

static void erase(struct model *model, const struct updraft_device_action *action)
{
    (void)owner_party(model);
    expect(model->begun && model->judged, "erased before the image was judged");
    expect(model->prepared, "erased while otadata may name the slot");
    expect(!model->activated, "erased after activation");
    expect(action->offset_bytes % UPDRAFT_FLASH_SECTOR_SIZE == 0 &&
               action->size_bytes % UPDRAFT_FLASH_SECTOR_SIZE == 0 &&
               action->offset_bytes < MODEL_SLOT_SIZE &&
               action->size_bytes <= MODEL_SLOT_SIZE - action->offset_bytes,
           "erased outside the slot");
    memset(model->flash + action->offset_bytes, 0xFF, action->size_bytes);
    if (action->offset_bytes == 0) {
        model->header_written = false;
    }
}

static void write(struct model *model, const struct updraft_device_action *action)
{
    uint32_t file_size = 0;
    const uint8_t *file = model_file(owner_party(model), &file_size);
    uint32_t offset = action->offset_bytes;
    uint32_t size = action->size_bytes;
    expect(model->begun && model->judged && model->prepared,
           "written without permission");
    expect(!model->activated, "written after activation");
    expect(offset % 16 == 0 && size % 16 == 0 && size > 0 && offset < file_size &&
               size <= file_size - offset,
           "written outside the file");
    expect(memcmp(file + offset, action->bytes, size) == 0,
           "a chunk of another stream, or of another place, was written");
    for (uint32_t i = 0; i < size; i++) {
        expect(model->flash[offset + i] == 0xFF ||
                   (offset == 0 && model->flash[i] == action->bytes[i]),
               "written where nothing was erased");
    }
    if (offset < UPDRAFT_HEAD_HELD_SIZE) {
        expect(size == UPDRAFT_HEAD_HELD_SIZE &&
                   memcmp(model->flash + size, file + size, file_size - size) == 0,
               "a header was written before the whole file was there");
        model->header_written = true;
    }
    memcpy(model->flash + offset, action->bytes, size);
}

static void hash(const struct model *model, const struct updraft_device_action *action,
                 uint8_t output[32])
{
    uint8_t bytes[MODEL_SLOT_SIZE];
    expect(action->size_bytes == action->offset_bytes &&
               action->end_offset_bytes <= MODEL_SLOT_SIZE,
           "hashed something else than the slot");
    memcpy(bytes, action->bytes, action->size_bytes);
    memcpy(bytes + action->offset_bytes, model->flash + action->offset_bytes,
           action->end_offset_bytes - action->offset_bytes);
    sha256(bytes, action->end_offset_bytes, output);
}

static void activate(struct model *model)
{
    uint32_t size = 0;
    uint8_t party = owner_party(model);
    const uint8_t *file = model_file(party, &size);
    expect(model->header_written && !model->activated, "activated out of turn");
    expect(memcmp(model->flash, file, size) == 0 && model_has_image(model),
           "something else than the file was activated");
    if (model->parties[party].protocol == 2) {
        expect(model->policy_noted, "activated before it was noted who confirms");
        expect(updraft_client2_activate_sent(&model->parties[party].second),
               "activated although its client did not ask for it");
    } else {
        expect(updraft_client_state(&model->parties[party].first) ==
                       UPDRAFT_CLIENT_VERIFYING ||
                   model_party_failed(model, party),
               "activated although its client did not say DONE");
    }
    model->activated = true;
    model->activated_party = party;
}

static void answer(struct model *model, const struct updraft_device_action *action)
{
    expect(action->connection < MODEL_LINKS &&
               model->links[action->connection].device_end,
           "an answer to a connection that is gone");
    struct updraft_p2_report report;
    if (action->size_bytes > 1 &&
        updraft_p2_get_report(action->bytes, action->size_bytes, &report)) {
        expect(report.session == 0 || report.state == UPDRAFT_P2_STATE_IDLE ||
                   action->connection == updraft_device_owner(&model->device),
               "a session is told to somebody else");
        expect(report.state != UPDRAFT_P2_STATE_RESTARTING || model->activated,
               "a restart was announced without activation");
    } else if (action->size_bytes == 1) {
        expect(action->bytes[0] != UPDRAFT_P1_DONE_ACK || model->activated,
               "DONE was acknowledged without activation");
    }
    struct model_link *link = &model->links[action->connection];
    if (link->broken || link->down_count == MODEL_DOWN_MAX) {
        return;
    }
    struct model_item *item = &link->down[link->down_count++];
    memset(item, 0, sizeof(*item));
    expect(action->size_bytes <= sizeof(item->bytes), "a long notification");
    item->size = (uint8_t)action->size_bytes;
    memcpy(item->bytes, action->bytes, item->size);
}

/* Returns the output's bytes, where the action has some. A late ACTIVATE, whose session
 * has ended, asks for a staged image: there is none. */
static const uint8_t *carry_out(struct model *model,
                                const struct updraft_device_action *action,
                                int *ret_result)
{
    static uint8_t output[UPDRAFT_STAGE_SIZE];
    switch (action->kind) {
    case UPDRAFT_ACTION_ANSWER:
        answer(model, action);
        break;
    case UPDRAFT_ACTION_BEGIN:
        expect(updraft_device_owner(&model->device) == UPDRAFT_CONNECTION_NONE,
               "an update begins while another one is under way");
        model->begun = true;
        model->judged = false;
        model->prepared = false;
        break;
    case UPDRAFT_ACTION_JUDGE:
        model->judged = model->begun;
        break;
    case UPDRAFT_ACTION_PREPARE:
        expect(model->judged, "prepared before the image was judged");
        model->prepared = true;
        break;
    case UPDRAFT_ACTION_ERASE:
        erase(model, action);
        model->flash_changed = true;
        break;
    case UPDRAFT_ACTION_WRITE:
        write(model, action);
        model->flash_changed = true;
        break;
    case UPDRAFT_ACTION_HASH:
        hash(model, action, output);
        return output;
    case UPDRAFT_ACTION_READ:
        memcpy(output, model->flash + action->offset_bytes, action->size_bytes);
        return output;
    case UPDRAFT_ACTION_CRC: {
        uint32_t crc =
            updraft_crc32(0, model->flash + action->offset_bytes, action->size_bytes);
        for (unsigned i = 0; i < 4; i++) {
            output[i] = (uint8_t)(crc >> 8 * i);
        }
        return output;
    }
    case UPDRAFT_ACTION_POLICY:
        expect(model->header_written, "who confirms was noted too early");
        model->policy_noted = true;
        break;
    case UPDRAFT_ACTION_ACTIVATE:
        activate(model);
        break;
    case UPDRAFT_ACTION_RESTART:
        expect(model->activated, "restarted without activation");
        model->restarted = true;
        break;
    case UPDRAFT_ACTION_UNSTAGE:
        *ret_result = UPDRAFT_ERROR_NOTHING_STAGED;
        break;
    case UPDRAFT_ACTION_STAGE:
    case UPDRAFT_ACTION_CONFIRM:
    case UPDRAFT_ACTION_MAY_ROLL_BACK:
    case UPDRAFT_ACTION_ROLL_BACK:
        model_violation("an action that nobody asked for");
        break;
    }
    return NULL;
}

void model_work(struct model *model)
{
    struct updraft_device_action action;
    unsigned count = 0;
    while (!model->restarted &&
           updraft_device_poll(&model->device, model->now_ms, &action)) {
        expect(++count < ACTIONS_MAX, "the device works without end");
        int result = 0;
        const uint8_t *output = carry_out(model, &action, &result);
        updraft_device_done(&model->device, result, output, model->now_ms);
    }
}
