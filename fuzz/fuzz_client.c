/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The client against a hostile device: its sessions of protocol 1 and 2, the commands
 * without a session, and every value that a device gives it to read. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "updraft/client_command2.h"
#include "updraft/client_session.h"
#include "updraft/client_session2.h"
#include "updraft/error.h"

#define SECTORS_MAX   16u
#define STEPS_MAX     600u
#define ACTIONS_MAX   64u     /* after each input: a session must come to a wait */
#define SILENT_MS_MAX 900000u /* of a device that says nothing more */

struct any_session {
    uint8_t kind;
    struct updraft_client client1;
    struct updraft_client2 client2;
    struct updraft_command2 command;
    uint32_t file_size;
    bool under_way; /* an action */
    uint32_t actions;
};

static uint32_t crcs[SECTORS_MAX];

static bool start(struct any_session *session, struct fuzz_input *input, uint32_t now_ms)
{
    uint8_t flags = fuzz_8(input);
    uint16_t mtu = (uint16_t)(fuzz_16(input) % 560);
    session->kind = fuzz_8(input) % 3;
    session->file_size = fuzz_16(input) % (SECTORS_MAX * UPDRAFT_P2_SECTOR_SIZE + 1);
    if (session->kind == 0) {
        const struct updraft_client_config config = {
            .image_size_bytes = session->file_size,
            .slot_size_bytes = (flags & 1) != 0 ? 0x10000 : 0,
            .mtu = mtu,
            .control_by_command = (flags & 2) != 0,
            .data_by_command = (flags & 4) != 0,
        };
        return updraft_client_init(&session->client1, &config, now_ms) == 0;
    }
    if (session->kind == 1) {
        const struct updraft_client2_config config = {
            .file_size_bytes = session->file_size / 16 * 16,
            .manifest_size_bytes = UPDRAFT_P2_MANIFEST_SIZE,
            .write_size_bytes = fuzz_16(input),
            .mtu = mtu,
            .sector_crcs = crcs,
            .first_sector_crc = 0x01020304,
            .nonce = 1,
            .fresh = (flags & 1) != 0,
            .stage = (flags & 2) != 0,
            .force = (flags & 4) != 0,
        };
        session->file_size = config.file_size_bytes;
        return updraft_client2_init(&session->client2, &config, now_ms) == 0;
    }
    struct updraft_p2_command command = {.opcode = fuzz_8(input)};
    return updraft_command2_init(&session->command, &command, now_ms) == 0;
}

static bool is_over(const struct any_session *session)
{
    if (session->kind == 0) {
        enum updraft_client_state state = updraft_client_state(&session->client1);
        FUZZ_HOLDS(updraft_client_sent_bytes(&session->client1) <= session->file_size);
        FUZZ_HOLDS((state == UPDRAFT_CLIENT_FAILED) ==
                   (updraft_client_error(&session->client1) != 0));
        return state == UPDRAFT_CLIENT_DONE || state == UPDRAFT_CLIENT_FAILED;
    }
    if (session->kind == 1) {
        enum updraft_client2_state state = updraft_client2_state(&session->client2);
        FUZZ_HOLDS(updraft_client2_done_bytes(&session->client2) <= session->file_size);
        FUZZ_HOLDS((state == UPDRAFT_CLIENT2_FAILED) ==
                   (updraft_client2_error(&session->client2) != 0));
        return state == UPDRAFT_CLIENT2_DONE || state == UPDRAFT_CLIENT2_STAGED ||
               state == UPDRAFT_CLIENT2_FAILED;
    }
    enum updraft_command2_state state = updraft_command2_state(&session->command);
    return state == UPDRAFT_COMMAND2_DONE || state == UPDRAFT_COMMAND2_FAILED;
}

static void check_action2(const struct any_session *session,
                          const struct updraft_client2_action *action)
{
    if (action->kind == UPDRAFT_CLIENT2_WRITE_CONTROL) {
        FUZZ_HOLDS(action->size_bytes >= 2 &&
                   action->size_bytes <= sizeof(action->bytes));
    } else if (action->kind == UPDRAFT_CLIENT2_WRITE_DATA) {
        uint32_t source_size = action->source == UPDRAFT_CLIENT2_FILE
                                   ? session->file_size
                                   : UPDRAFT_P2_MANIFEST_SIZE;
        FUZZ_HOLDS(action->size_bytes > 0 &&
                   action->size_bytes + UPDRAFT_P2_DATA_HEAD_SIZE <=
                       updraft_client2_write_size(&session->client2));
        FUZZ_HOLDS(action->offset_bytes < source_size &&
                   action->size_bytes <= source_size - action->offset_bytes);
    }
}

/* Polls once. True: an action began. */
static bool begin_action(struct any_session *session, uint32_t now_ms)
{
    struct updraft_client_action action1;
    struct updraft_client2_action action2;
    if (session->kind == 0) {
        if (!updraft_client_poll(&session->client1, &action1)) {
            return false;
        }
        FUZZ_HOLDS(action1.kind != UPDRAFT_CLIENT_WRITE_IMAGE ||
                   (action1.offset_bytes < session->file_size &&
                    action1.size_bytes <= session->file_size - action1.offset_bytes &&
                    action1.size_bytes + action1.pad_size_bytes <=
                        updraft_client_packet_size(&session->client1)));
        return true;
    }
    bool any = session->kind == 1
                   ? updraft_client2_poll(&session->client2, now_ms, &action2)
                   : updraft_command2_poll(&session->command, now_ms, &action2);
    if (any) {
        check_action2(session, &action2);
    }
    return any;
}

static bool is_subscribing(const struct any_session *session)
{
    switch (session->kind) {
    case 0:
        return updraft_client_state(&session->client1) == UPDRAFT_CLIENT_SUBSCRIBING;
    case 1:
        return updraft_client2_state(&session->client2) == UPDRAFT_CLIENT2_SUBSCRIBING;
    default:
        return updraft_command2_state(&session->command) == UPDRAFT_COMMAND2_SUBSCRIBING;
    }
}

static void end_action(struct any_session *session, int status, uint8_t att_error,
                       uint32_t now_ms)
{
    bool subscribing = is_subscribing(session);
    session->under_way = false;
    switch (session->kind) {
    case 0:
        if (subscribing) {
            updraft_client_subscribed(&session->client1, status, now_ms);
        } else {
            updraft_client_written(&session->client1, status, att_error, now_ms);
        }
        break;
    case 1:
        if (subscribing) {
            updraft_client2_subscribed(&session->client2, status, now_ms);
        } else {
            updraft_client2_written(&session->client2, status, now_ms);
        }
        break;
    default:
        if (subscribing) {
            updraft_command2_subscribed(&session->command, status, now_ms);
        } else {
            updraft_command2_written(&session->command, status, now_ms);
        }
        break;
    }
}

static void notify(struct any_session *session, const uint8_t *bytes, size_t size,
                   uint32_t now_ms)
{
    switch (session->kind) {
    case 0:
        updraft_client_notified(&session->client1, bytes, size, now_ms);
        break;
    case 1:
        updraft_client2_notified(&session->client2, bytes, size, now_ms);
        break;
    default:
        updraft_command2_notified(&session->command, bytes, size);
        break;
    }
}

/* STATE and MAP as a device would tell them, or nearly: numbers near the true ones. */
static void notify_made(struct any_session *session, struct fuzz_input *input,
                        uint32_t now_ms)
{
    const struct updraft_client2 *client = &session->client2;
    uint8_t form = fuzz_8(input);
    uint8_t bytes[UPDRAFT_P2_WRITE_MAX] = {0};
    if ((form & 3) == 0) {
        uint16_t count = fuzz_8(input) % 100;
        bytes[0] = UPDRAFT_P2_MAP_REPORT;
        bytes[1] = client->session;
        bytes[2] = (form & 4) != 0 ? fuzz_8(input) : (uint8_t)client->map_first;
        for (size_t i = 0; i < count; i++) {
            uint32_t crc = (fuzz_8(input) & 1) != 0 ? 0 : crcs[i % SECTORS_MAX];
            memcpy(bytes + 4 + 4 * i, &crc, sizeof(crc));
        }
        notify(session, bytes, 4u + 4u * count, now_ms);
        return;
    }
    uint16_t at = (uint16_t)(client->stream.base + client->stream.acked);
    const struct updraft_p2_report report = {
        .state = form >> 2 & 7,
        .status = (form & 0x20) != 0 ? fuzz_8(input) : 0,
        .flags = form >> 6 & 3,
        .session = (form & 3) == 3   ? fuzz_8(input)
                   : client->session ? client->session
                                     : 1,
        .next_within = fuzz_8(input),
        .next = (uint16_t)(at + (int8_t)fuzz_8(input)),
        .limit = (uint16_t)(at + fuzz_8(input)),
        .detail = fuzz_8(input),
    };
    size_t size = updraft_p2_put_report(&report, bytes);
    notify(session, bytes, size, now_ms);
}

static void tick(struct any_session *session, uint32_t now_ms)
{
    switch (session->kind) {
    case 0:
        updraft_client_tick(&session->client1, now_ms);
        break;
    case 1:
        updraft_client2_tick(&session->client2, now_ms);
        break;
    default:
        updraft_command2_tick(&session->command, now_ms);
        break;
    }
}

static bool deadline(const struct any_session *session, uint32_t *ret_ms)
{
    switch (session->kind) {
    case 0:
        return updraft_client_deadline(&session->client1, ret_ms);
    case 1:
        return updraft_client2_deadline(&session->client2, ret_ms);
    default:
        return updraft_command2_deadline(&session->command, ret_ms);
    }
}

static void lose_link(struct any_session *session)
{
    switch (session->kind) {
    case 0:
        updraft_client_link_lost(&session->client1);
        break;
    case 1:
        updraft_client2_link_lost(&session->client2);
        break;
    default:
        updraft_command2_link_lost(&session->command);
        break;
    }
}

static void step(struct any_session *session, struct fuzz_input *input, uint32_t *now_ms)
{
    const uint8_t *bytes;
    size_t size;
    uint8_t kind = fuzz_8(input);
    switch (kind & 7) {
    case 0:
    case 1: /* writes end, one or many */
        for (unsigned left = 1u + (kind >> 3); left > 0 && !is_over(session); left--) {
            if (!session->under_way && !begin_action(session, *now_ms)) {
                return;
            }
            end_action(session, 0, 0, *now_ms);
        }
        break;
    case 2:
        bytes = fuzz_bytes(input, fuzz_8(input), &size);
        notify(session, bytes, size, *now_ms);
        break;
    case 3:
    case 4:
        notify_made(session, input, *now_ms);
        break;
    case 5:
        *now_ms += fuzz_16(input);
        tick(session, *now_ms);
        break;
    case 6:
        if (session->under_way) {
            uint8_t att_error = fuzz_8(input);
            end_action(session, UPDRAFT_ERROR_LINK_ATT, att_error, *now_ms);
        }
        break;
    case 7:
        if (kind == 0xFF) {
            lose_link(session);
        }
        break;
    }
    if (!is_over(session) && !session->under_way) {
        session->under_way = begin_action(session, *now_ms);
    }
}

/* A device that says nothing more: the session ends by itself, and soon. */
static void check_that_it_ends(struct any_session *session, uint32_t now_ms)
{
    uint32_t began_ms = now_ms;
    while (!is_over(session)) {
        uint32_t due_ms;
        unsigned actions = 0;
        /* As many writes as there is credit for, and no more. */
        while (session->under_way || begin_action(session, now_ms)) {
            end_action(session, 0, 0, now_ms);
            if (is_over(session)) {
                return;
            }
            FUZZ_HOLDS(++actions <= UINT16_MAX);
        }
        FUZZ_HOLDS(deadline(session, &due_ms));
        now_ms = (int32_t)(due_ms - now_ms) > 0 ? due_ms : now_ms;
        FUZZ_HOLDS(now_ms - began_ms <= SILENT_MS_MAX);
        FUZZ_HOLDS(++session->actions < 10000);
        tick(session, now_ms);
    }
}

/* What was read is written again: the same bytes, or the reader took what it should not
 * have. */
static void decode(const uint8_t *bytes, size_t size)
{
    uint8_t again[UPDRAFT_P2_MANIFEST_SIZE];
    struct updraft_p2_report report;
    struct updraft_p2_command command;
    struct updraft_p2_manifest manifest;
    struct updraft_p2_map map;
    struct updraft_info info;
    if (updraft_p2_get_report(bytes, size, &report)) {
        FUZZ_HOLDS(updraft_p2_put_report(&report, again) == size);
        FUZZ_HOLDS(memcmp(bytes, again, size) == 0);
    }
    if (updraft_p2_get_command(bytes, size, &command)) {
        FUZZ_HOLDS(updraft_p2_put_command(&command, again) == size);
        FUZZ_HOLDS(memcmp(bytes, again, size) == 0);
    }
    if (updraft_p2_get_manifest(bytes, size, &manifest) == UPDRAFT_P2_OK) {
        updraft_p2_put_manifest(&manifest, again);
        FUZZ_HOLDS(memcmp(bytes + 16, again + 16, sizeof(again) - 16) == 0);
    }
    if (updraft_p2_get_map(bytes, size, &map)) {
        FUZZ_HOLDS(map.crcs + (size_t)4 * map.sector_count == bytes + size);
    }
    uint8_t mended[UPDRAFT_P2_INFO_SIZE];
    if (size >= sizeof(mended)) {
        memcpy(mended, bytes, sizeof(mended));
        uint32_t crc = updraft_crc32(0, mended, sizeof(mended) - 4);
        for (int i = 0; i < 4; i++) {
            mended[sizeof(mended) - 4 + i] = (uint8_t)(crc >> (8 * i));
        }
        if (updraft_info_get(mended, sizeof(mended), &info)) {
            FUZZ_HOLDS(strlen(info.version) <= 32 && strlen(info.project) <= 32);
            updraft_info_put(&info, again);
        }
    }
    (void)updraft_info_get(bytes, size, &info);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct any_session session;
    uint32_t now_ms = 0xFFFF0000u; /* wraps on the way */
    struct fuzz_input input = {bytes, size};
    memset(&session, 0, sizeof(session));
    for (uint32_t i = 0; i < SECTORS_MAX; i++) {
        crcs[i] = 0x100u + i;
    }
    if (fuzz_8(&input) % 4 == 3) {
        decode(input.bytes, input.left);
        return 0;
    }
    if (!start(&session, &input, now_ms)) {
        return 0;
    }
    for (unsigned i = 0; i < STEPS_MAX && input.left > 0 && !is_over(&session); i++) {
        step(&session, &input, &now_ms);
    }
    check_that_it_ends(&session, now_ms);
    return 0;
}
