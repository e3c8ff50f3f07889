/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Protocol 2's messages, field by field. */
#include "updraft/protocol2.h"

#include "bytes.h"
#include "updraft/error.h"

#define MANIFEST_MAGIC 0x32445055u /* "UPD2" */

/* One list for both directions: switches over it would take five times the room. */
static const struct {
    uint8_t status;
    int16_t error;
} statuses[] = {
#define STATUS(NAME, number, error) {UPDRAFT_P2_##NAME, UPDRAFT_ERROR_##error},
    UPDRAFT_P2_STATUSES(STATUS)
#undef STATUS
};
#define STATUS_COUNT (sizeof(statuses) / sizeof(statuses[0]))

int updraft_p2_status_error(uint8_t status)
{
    if (status == UPDRAFT_P2_OK) {
        return 0;
    }
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        if (statuses[i].status == status) {
            return statuses[i].error;
        }
    }
    return UPDRAFT_ERROR_REFUSED;
}

uint8_t updraft_p2_error_status(int error)
{
    if (error == 0) {
        return UPDRAFT_P2_OK;
    }
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        if (statuses[i].error == error) {
            return statuses[i].status;
        }
    }
    /* What has no status of its own, by its layer (updraft/error.h). */
    if (error <= -100 && error > -200) {
        return UPDRAFT_P2_IMAGE;
    }
    return error <= -200 && error > -300 ? UPDRAFT_P2_FLASH : UPDRAFT_P2_INTERNAL;
}

/* Writes fields one after the other; the caller has made sure that there is room. */
static uint8_t *add8(uint8_t *at, uint8_t value)
{
    *at = value;
    return at + 1;
}

static uint8_t *add16(uint8_t *at, uint16_t value)
{
    updraft_put_le16(at, value);
    return at + 2;
}

static uint8_t *add32(uint8_t *at, uint32_t value)
{
    updraft_put_le32(at, value);
    return at + 4;
}

static uint8_t *add_bytes(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

size_t updraft_p2_put_command(const struct updraft_p2_command *command, uint8_t *bytes)
{
    uint8_t *at = add8(bytes, command->opcode);
    switch ((enum updraft_p2_opcode)command->opcode) {
    case UPDRAFT_P2_OPEN:
        at = add8(at, command->version);
        at = add8(at, command->flags);
        at = add8(at, 0);
        at = add16(at, command->manifest_size_bytes);
        at = add16(at, command->write_size_bytes);
        at = add32(at, command->nonce);
        break;
    case UPDRAFT_P2_RANGE:
        at = add8(at, command->session);
        at = add8(at, command->flags);
        at = add8(at, 0);
        at = add32(at, command->start_bytes);
        at = add32(at, command->size_bytes);
        break;
    case UPDRAFT_P2_MAP:
        at = add8(at, command->session);
        at = add16(at, command->first_sector);
        at = add16(at, command->sector_count);
        break;
    case UPDRAFT_P2_FINISH:
    case UPDRAFT_P2_ABORT:
    case UPDRAFT_P2_STATUS:
        at = add8(at, command->session);
        break;
    case UPDRAFT_P2_ACTIVATE:
        at = add8(at, command->confirm_by);
        at = add_bytes(at, command->id, sizeof(command->id));
        break;
    case UPDRAFT_P2_CONFIRM:
        at = add_bytes(at, command->id, sizeof(command->id));
        break;
    case UPDRAFT_P2_ROLLBACK:
        at = add8(at, command->target);
        at = add_bytes(at, command->id, sizeof(command->id));
        break;
    case UPDRAFT_P2_STATE_REPORT:
    case UPDRAFT_P2_MAP_REPORT:
        break;
    }
    return (size_t)(at - bytes);
}

/* The fields after the opcode. reserved: where a byte goes that must be zero. */
static bool get_fields(struct cursor *at, struct updraft_p2_command *command,
                       uint8_t *reserved)
{
    switch ((enum updraft_p2_opcode)command->opcode) {
    case UPDRAFT_P2_OPEN:
        command->version = updraft_cursor_get8(at);
        command->flags = updraft_cursor_get8(at);
        *reserved = updraft_cursor_get8(at);
        command->manifest_size_bytes = updraft_cursor_get16(at);
        command->write_size_bytes = updraft_cursor_get16(at);
        command->nonce = updraft_cursor_get32(at);
        return true;
    case UPDRAFT_P2_RANGE:
        command->session = updraft_cursor_get8(at);
        command->flags = updraft_cursor_get8(at);
        *reserved = updraft_cursor_get8(at);
        command->start_bytes = updraft_cursor_get32(at);
        command->size_bytes = updraft_cursor_get32(at);
        return true;
    case UPDRAFT_P2_MAP:
        command->session = updraft_cursor_get8(at);
        command->first_sector = updraft_cursor_get16(at);
        command->sector_count = updraft_cursor_get16(at);
        return true;
    case UPDRAFT_P2_FINISH:
    case UPDRAFT_P2_ABORT:
    case UPDRAFT_P2_STATUS:
        command->session = updraft_cursor_get8(at);
        return true;
    case UPDRAFT_P2_ACTIVATE:
        command->confirm_by = updraft_cursor_get8(at);
        updraft_cursor_get_bytes(at, command->id, sizeof(command->id));
        return true;
    case UPDRAFT_P2_CONFIRM:
        updraft_cursor_get_bytes(at, command->id, sizeof(command->id));
        return true;
    case UPDRAFT_P2_ROLLBACK:
        command->target = updraft_cursor_get8(at);
        updraft_cursor_get_bytes(at, command->id, sizeof(command->id));
        return true;
    case UPDRAFT_P2_STATE_REPORT:
    case UPDRAFT_P2_MAP_REPORT:
        return false;
    }
    return false;
}

bool updraft_p2_get_command(const uint8_t *bytes, size_t size,
                            struct updraft_p2_command *ret_command)
{
    struct cursor at = cursor_over(bytes, size);
    struct updraft_p2_command command = {.opcode = updraft_cursor_get8(&at)};
    uint8_t reserved = 0;
    if (!get_fields(&at, &command, &reserved) || at.overrun || at.left_bytes > 0 ||
        reserved != 0) {
        return false;
    }
    *ret_command = command;
    return true;
}

size_t updraft_p2_put_report(const struct updraft_p2_report *report, uint8_t *bytes)
{
    uint8_t *at = add8(bytes, UPDRAFT_P2_STATE_REPORT);
    at = add8(at, report->state);
    at = add8(at, report->status);
    at = add8(at, report->flags);
    at = add8(at, report->session);
    at = add8(at, report->next_within);
    at = add16(at, report->next);
    at = add16(at, report->limit);
    at = add16(at, 0);
    at = add32(at, report->detail);
    return (size_t)(at - bytes);
}

bool updraft_p2_get_report(const uint8_t *bytes, size_t size,
                           struct updraft_p2_report *ret_report)
{
    if (size != UPDRAFT_P2_STATE_SIZE || bytes[0] != UPDRAFT_P2_STATE_REPORT ||
        bytes[1] > UPDRAFT_P2_STATE_RESTARTING || updraft_get_le16(bytes + 10) != 0) {
        return false;
    }
    *ret_report = (struct updraft_p2_report){
        .state = bytes[1],
        .status = bytes[2],
        .flags = bytes[3],
        .session = bytes[4],
        .next_within = bytes[5],
        .next = updraft_get_le16(bytes + 6),
        .limit = updraft_get_le16(bytes + 8),
        .detail = updraft_get_le32(bytes + 12),
    };
    return true;
}

bool updraft_p2_get_map(const uint8_t *bytes, size_t size, struct updraft_p2_map *ret_map)
{
    if (size <= UPDRAFT_P2_MAP_HEAD_SIZE || bytes[0] != UPDRAFT_P2_MAP_REPORT ||
        (size - UPDRAFT_P2_MAP_HEAD_SIZE) % 4 != 0 || size > UPDRAFT_P2_WRITE_MAX) {
        return false;
    }
    *ret_map = (struct updraft_p2_map){
        .session = bytes[1],
        .first_sector = updraft_get_le16(bytes + 2),
        .sector_count = (uint16_t)((size - UPDRAFT_P2_MAP_HEAD_SIZE) / 4),
        .crcs = bytes + UPDRAFT_P2_MAP_HEAD_SIZE,
    };
    return true;
}

void updraft_p2_put_manifest(const struct updraft_p2_manifest *manifest, uint8_t *bytes)
{
    uint8_t *at = add32(bytes, MANIFEST_MAGIC);
    at = add16(at, UPDRAFT_P2_VERSION);
    at = add16(at, UPDRAFT_P2_MANIFEST_SIZE);
    at = add32(at, manifest->file_size_bytes);
    at = add32(at, manifest->image_size_bytes);
    at = add32(at, 0);
    at = add_bytes(at, manifest->file_sha256, sizeof(manifest->file_sha256));
    at = add_bytes(at, manifest->image_id, sizeof(manifest->image_id));
    (void)add_bytes(at, manifest->head, sizeof(manifest->head));
}

/* What follows the fixed part: type u8, reserved u8, size u16, value. A type with bit 7
 * set must be understood; this version understands none. */
static uint8_t skip_extensions(struct cursor *at)
{
    while (at->left_bytes > 0) {
        uint8_t type = updraft_cursor_get8(at);
        uint8_t reserved = updraft_cursor_get8(at);
        uint16_t size = updraft_cursor_get16(at);
        (void)updraft_cursor_take(at, size);
        if (at->overrun || reserved != 0) {
            return UPDRAFT_P2_MALFORMED;
        }
        if ((type & 0x80) != 0) {
            return UPDRAFT_P2_UNSUPPORTED;
        }
    }
    return UPDRAFT_P2_OK;
}

uint8_t updraft_p2_get_manifest(const uint8_t *bytes, size_t size,
                                struct updraft_p2_manifest *ret_manifest)
{
    struct cursor at = cursor_over(bytes, size);
    uint32_t magic = updraft_cursor_get32(&at);
    uint16_t version = updraft_cursor_get16(&at);
    uint16_t fixed_size = updraft_cursor_get16(&at);
    if (magic != MANIFEST_MAGIC) {
        return UPDRAFT_P2_MALFORMED;
    }
    if (version != UPDRAFT_P2_VERSION) {
        return UPDRAFT_P2_UNSUPPORTED;
    }
    if (fixed_size != UPDRAFT_P2_MANIFEST_SIZE || size < fixed_size) {
        return UPDRAFT_P2_MALFORMED;
    }
    ret_manifest->file_size_bytes = updraft_cursor_get32(&at);
    ret_manifest->image_size_bytes = updraft_cursor_get32(&at);
    uint32_t reserved = updraft_cursor_get32(&at);
    updraft_cursor_get_bytes(&at, ret_manifest->file_sha256,
                             sizeof(ret_manifest->file_sha256));
    updraft_cursor_get_bytes(&at, ret_manifest->image_id, sizeof(ret_manifest->image_id));
    updraft_cursor_get_bytes(&at, ret_manifest->head, sizeof(ret_manifest->head));
    return reserved != 0 ? UPDRAFT_P2_MALFORMED : skip_extensions(&at);
}
