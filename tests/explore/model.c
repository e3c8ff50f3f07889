/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What can happen next, and what then does. */
#include "tests/explore/model.h"

#include <assert.h>
#include <string.h>

#define START_MS       1000u
#define BUSY_WAIT_MS   4000u /* as the client's flow waits for a stale link's end */
#define WINDOW_BYTES   1500u /* three chunks */
#define PACKET_COST    5u
#define VALUE_SIZE_MAX 600u

void (*model_violation)(const char *what);

static void start_device(struct model *model)
{
    struct updraft_device_config config = {
        .chip_id = UPDRAFT_CHIP_ESP32C3,
        .chip_revision = 4,
        .slot_size_bytes = MODEL_SLOT_SIZE,
        .packet_cost_bytes = PACKET_COST,
        .window_bytes = WINDOW_BYTES,
        .project = "test",
    };
    updraft_device_init(&model->device, &config);
    model->begun = false;
    model->judged = false;
    model->prepared = false;
    model->policy_noted = false;
}

void model_init(struct model *model, const uint8_t protocols[MODEL_PARTIES],
                uint8_t faults)
{
    memset(model, 0, sizeof(*model));
    memset(model->flash, 0x5A, sizeof(model->flash));
    model->flash_changed = true;
    model->now_ms = START_MS;
    model->faults_left = faults;
    for (uint8_t party = 0; party < MODEL_PARTIES; party++) {
        model->parties[party].protocol = protocols[party];
        model->parties[party].link = MODEL_LINKS;
    }
    start_device(model);
}

static bool device_waits(const struct model *model, uint32_t *ret_deadline_ms)
{
    return updraft_device_deadline(&model->device, ret_deadline_ms);
}

/* When time has to pass: how far. */
static bool next_deadline(const struct model *model, uint32_t *ret_deadline_ms)
{
    uint32_t deadline_ms = 0;
    bool found = device_waits(model, ret_deadline_ms);
    for (uint8_t party = 0; party < MODEL_PARTIES; party++) {
        if (model_party_deadline(model, party, &deadline_ms) &&
            (!found || (int32_t)(deadline_ms - *ret_deadline_ms) < 0)) {
            *ret_deadline_ms = deadline_ms;
            found = true;
        }
    }
    return found;
}

/* A Control value among Data, or Data among Control values; 0: there is none. */
static uint8_t overtaking(const struct model_link *link)
{
    for (uint8_t i = 1; i < link->up_count; i++) {
        if (link->up[i].is_control != link->up[0].is_control) {
            return i;
        }
    }
    return 0;
}

static bool can_connect(const struct model *model, uint8_t number)
{
    const struct model_party *party = &model->parties[number];
    bool has_link = false;
    for (uint8_t at = 0; at < MODEL_LINKS; at++) {
        has_link |= !model->links[at].device_end && !model->links[at].client_end;
    }
    return has_link && !model->restarted && party->link == MODEL_LINKS && !party->waits &&
           !(number > 0 && party->sessions > 1);
}

/* on_link: of those kinds that happen on links. */
static bool is_possible(const struct model *model, enum model_kind kind, uint8_t at)
{
    const struct model_link *link = &model->links[at];
    bool passes = !link->broken && link->client_end;
    bool to_device = passes && link->device_end && !model->restarted;
    uint32_t deadline_ms;
    switch (kind) {
    case MODEL_RESPOND:
        return passes && link->response;
    case MODEL_NOTIFY:
        return passes && link->down_count > 0;
    case MODEL_DEVICE_NOTICES:
        return link->device_end && (link->broken || !link->client_end);
    case MODEL_CLIENT_NOTICES:
        return link->client_end && (link->broken || !link->device_end);
    case MODEL_DELIVER:
    case MODEL_DROP:
        return to_device && link->up_count > 0;
    case MODEL_OVERTAKE:
        return to_device && overtaking(link) > 0;
    case MODEL_LOSE:
    case MODEL_TWICE:
        return passes && link->down_count > 0;
    case MODEL_BREAK:
        return to_device;
    case MODEL_CONNECT:
        return at < MODEL_PARTIES && can_connect(model, at);
    case MODEL_TIME:
        return at == 0 && !model->restarted && next_deadline(model, &deadline_ms);
    case MODEL_RESET:
        return at == 0 && !model->restarted;
    case MODEL_KINDS:
        break;
    }
    return false;
}

size_t model_steps(const struct model *model, struct model_step steps[MODEL_STEPS_MAX])
{
    size_t count = 0;
    for (uint8_t kind = 0; kind < MODEL_KINDS; kind++) {
        for (uint8_t at = 0; at < MODEL_LINKS; at++) {
            bool is_fault = kind > MODEL_TIME || (kind == MODEL_CONNECT && at > 0) ||
                            (kind == MODEL_TIME && count > 0 && !steps[0].is_fault);
            if ((!is_fault || model->faults_left > 0) &&
                is_possible(model, (enum model_kind)kind, at)) {
                steps[count++] = (struct model_step){kind, at, is_fault};
            }
        }
    }
    return count;
}

static struct model_item take(struct model_item *items, uint8_t *count, uint8_t at)
{
    struct model_item item = items[at];
    assert(at < *count);
    (*count)--;
    memmove(items + at, items + at + 1, (*count - at) * sizeof(*items));
    return item;
}

static void deliver(struct model *model, uint8_t at, uint8_t index, bool lost)
{
    struct model_link *link = &model->links[at];
    struct model_item item = take(link->up, &link->up_count, index);
    uint8_t bytes[VALUE_SIZE_MAX];
    size_t size = model_item_bytes(link->party, &item, bytes);
    link->response |= item.by_request;
    if (lost && !item.is_control && item.by_request) {
        updraft_device_data_lost(&model->device, at);
    } else if (!lost && item.is_control) {
        updraft_device_control(&model->device, at, bytes, size, model->now_ms);
    } else if (!lost) {
        updraft_device_data(&model->device, at, bytes, size, model->now_ms);
    }
    model_work(model);
    model_party_pump(model, link->party);
}

static void notify(struct model *model, uint8_t at, bool lost, bool again)
{
    struct model_link *link = &model->links[at];
    struct model_item item = link->down[0];
    if (!again) {
        (void)take(link->down, &link->down_count, 0);
    }
    if (!lost) {
        model_party_notified(model, link->party, item.bytes, item.size);
        model_party_pump(model, link->party);
    }
}

static void clear(struct model_link *link)
{
    link->up_count = 0;
    link->down_count = 0;
    link->response = false;
}

static void pass_time(struct model *model)
{
    uint32_t deadline_ms = 0;
    uint32_t device_ms = 0;
    (void)next_deadline(model, &deadline_ms);
    if ((int32_t)(deadline_ms - model->now_ms) > 0) {
        model->now_ms = deadline_ms;
    }
    if (device_waits(model, &device_ms) && (int32_t)(model->now_ms - device_ms) >= 0) {
        updraft_device_tick(&model->device, model->now_ms);
        model_work(model);
    }
    for (uint8_t party = 0; party < MODEL_PARTIES; party++) {
        if (model_party_deadline(model, party, &deadline_ms) &&
            (int32_t)(model->now_ms - deadline_ms) >= 0) {
            model_party_tick(model, party);
            model_party_pump(model, party);
        }
    }
}

static void client_notices(struct model *model, uint8_t at)
{
    struct model_link *link = &model->links[at];
    link->client_end = false;
    clear(link);
    model->parties[link->party].link = MODEL_LINKS;
    model_party_link_lost(model, link->party);
}

static void reset(struct model *model)
{
    start_device(model);
    for (uint8_t at = 0; at < MODEL_LINKS; at++) {
        model->links[at].device_end = false;
        model->links[at].broken = true;
        clear(&model->links[at]);
    }
}

/* What follows without a choice: a client that failed closes its link; a device that
 * restarts hears nothing any more. */
static void settle(struct model *model)
{
    for (uint8_t number = 0; number < MODEL_PARTIES; number++) {
        struct model_party *party = &model->parties[number];
        if (model_party_done(model, number) &&
            (!model->activated || model->activated_party != number)) {
            model_violation("a client reports success, and its file was not activated");
        }
        if (!model_party_failed(model, number)) {
            continue;
        }
        if (party->link < MODEL_LINKS) {
            struct model_link *link = &model->links[party->link];
            link->client_end = false;
            link->broken = true;
            clear(link);
            party->link = MODEL_LINKS;
            party->waits = model_party_refused(model, number);
            party->wait_ms = model->now_ms + BUSY_WAIT_MS;
        }
        if (party->sessions == MODEL_SESSIONS && !model->restarted) {
            model_violation("one session after the other fails");
        }
    }
    for (uint8_t at = 0; model->restarted && at < MODEL_LINKS; at++) {
        model->links[at].device_end = false;
        model->links[at].up_count = 0;
    }
    uint16_t owner = updraft_device_owner(&model->device);
    if (!model->restarted && owner != UPDRAFT_CONNECTION_NONE &&
        (owner >= MODEL_LINKS || !model->links[owner].device_end)) {
        model_violation("a connection that is gone owns the update");
    }
    if (!model->header_written && model_has_image(model)) {
        model_violation("the slot holds an image whose header was never written");
    }
}

void model_step(struct model *model, const struct model_step *step)
{
    struct model_link *link = &model->links[step->at];
    assert(!step->is_fault || model->faults_left > 0);
    model->faults_left = (uint8_t)(model->faults_left - step->is_fault);
    switch ((enum model_kind)step->kind) {
    case MODEL_RESPOND:
        link->response = false;
        model_party_written(model, link->party);
        model_party_pump(model, link->party);
        break;
    case MODEL_NOTIFY:
    case MODEL_LOSE:
    case MODEL_TWICE:
        notify(model, step->at, step->kind == MODEL_LOSE, step->kind == MODEL_TWICE);
        break;
    case MODEL_DEVICE_NOTICES:
        updraft_device_link_lost(&model->device, step->at);
        link->device_end = false;
        model_work(model);
        break;
    case MODEL_CLIENT_NOTICES:
        client_notices(model, step->at);
        break;
    case MODEL_DELIVER:
    case MODEL_DROP:
        deliver(model, step->at, 0, step->kind == MODEL_DROP);
        break;
    case MODEL_OVERTAKE:
        deliver(model, step->at, overtaking(link), /* lost= */ false);
        break;
    case MODEL_CONNECT:
        model_party_connect(model, step->at);
        break;
    case MODEL_TIME:
        pass_time(model);
        break;
    case MODEL_BREAK:
        link->broken = true;
        clear(link);
        break;
    case MODEL_RESET:
        reset(model);
        break;
    case MODEL_KINDS:
        assert(false);
    }
    settle(model);
}
