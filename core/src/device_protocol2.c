/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's side of protocol 2: what its messages and chunks mean. */
#include "bytes.h"
#include "check.h"
#include "device_private.h"
#include "updraft/error.h"

#define WINDOW_DEFAULT_BYTES 4096u
#define WINDOW_CHUNKS_MIN    2u
#define WINDOW_CHUNKS_MAX    1024u
/* A new stream begins so far ahead that chunks of the old one lie behind. */
#define STREAM_DISTANCE 1024u
/* While a stream is under way, a report comes at least so often. */
#define REPORT_MS 1000u

#define OPEN_FLAGS  (UPDRAFT_P2_OPEN_FORCE | UPDRAFT_P2_OPEN_STAGE)
#define RANGE_FLAGS UPDRAFT_P2_RANGE_FINISH

_Static_assert(UPDRAFT_P2_MANIFEST_MAX <= UPDRAFT_STAGE_SIZE, "it is collected there");
_Static_assert(UPDRAFT_P2_WRITE_MAX <= UPDRAFT_P1_PACKET_SIZE_MAX,
               "a chunk fits behind a stage that is not yet full");

static void on_open(struct updraft_device *device, uint16_t connection,
                    const struct updraft_p2_command *command, uint32_t now_ms);
static void on_session_command(struct updraft_device *device, uint16_t connection,
                               const struct updraft_p2_command *command, uint32_t now_ms);
static void on_free_command(struct updraft_device *device, uint16_t connection,
                            const struct updraft_p2_command *command);
static void take(struct updraft_device *device, const uint8_t *bytes, size_t size);
static void judge_manifest(struct updraft_device *device);
static void begin_stream(struct updraft_device *device, uint32_t size_bytes);

void updraft_p2_init(struct updraft_device *device)
{
    struct updraft_device_config *config = &device->config;
    if (config->window_bytes == 0) {
        config->window_bytes = WINDOW_DEFAULT_BYTES;
    }
}

void updraft_p2_control(struct updraft_device *device, uint16_t connection,
                        const uint8_t *bytes, size_t size, uint32_t now_ms)
{
    struct updraft_p2_command command;
    if (!updraft_p2_get_command(bytes, size, &command)) {
        return;
    }
    switch ((enum updraft_p2_opcode)command.opcode) {
    case UPDRAFT_P2_OPEN:
        on_open(device, connection, &command, now_ms);
        break;
    case UPDRAFT_P2_RANGE:
    case UPDRAFT_P2_MAP:
    case UPDRAFT_P2_FINISH:
    case UPDRAFT_P2_ABORT:
    case UPDRAFT_P2_STATUS:
        on_session_command(device, connection, &command, now_ms);
        break;
    case UPDRAFT_P2_ACTIVATE:
    case UPDRAFT_P2_CONFIRM:
    case UPDRAFT_P2_ROLLBACK:
        on_free_command(device, connection, &command);
        break;
    case UPDRAFT_P2_STATE_REPORT:
    case UPDRAFT_P2_MAP_REPORT:
        break;
    }
}

/* A chunk of the owner. */
void updraft_p2_data(struct updraft_device *device, const uint8_t *bytes, size_t size,
                     uint32_t now_ms)
{
    struct updraft_device_stream *stream = &device->stream;
    bool awaited = device->state == UPDRAFT_DEVICE_MANIFEST ||
                   device->state == UPDRAFT_DEVICE_RECEIVING;
    if (!awaited || stream->left_bytes == 0 || size <= UPDRAFT_P2_DATA_HEAD_SIZE) {
        return;
    }
    uint16_t ahead = (uint16_t)(updraft_get_le16(bytes) - stream->next);
    uint32_t expected = stream->write_size_bytes - UPDRAFT_P2_DATA_HEAD_SIZE;
    expected = expected < stream->left_bytes ? expected : stream->left_bytes;
    if (ahead == 0 && size == UPDRAFT_P2_DATA_HEAD_SIZE + expected) {
        device->last_input_ms = now_ms;
        take(device, bytes + UPDRAFT_P2_DATA_HEAD_SIZE, expected);
    } else if (ahead < stream->window_chunks && !stream->wanted) {
        /* Once for each gap: the chunks behind it are on their way already. */
        stream->wanted = true;
        stream->report_want = true;
        updraft_p2_report(device, UPDRAFT_P2_OK, 0);
    }
}

uint32_t updraft_p2_report_due_ms(const struct updraft_device *device)
{
    return device->stream.reported_ms + REPORT_MS;
}

void updraft_p2_report_again(struct updraft_device *device)
{
    struct updraft_device_stream *stream = &device->stream;
    stream->report_want = !stream->heard && stream->left_bytes > 0;
    updraft_p2_report(device, UPDRAFT_P2_OK, 0);
}

void updraft_p2_report(struct updraft_device *device, uint8_t status, uint32_t detail)
{
    CHECK(device->protocol == 2);
    device->stream.report_due = true;
    device->stream.report_status = status;
    device->stream.report_detail = detail;
}

void updraft_p2_tell(struct updraft_device *device, uint16_t connection, uint8_t status,
                     uint32_t detail)
{
    const struct updraft_p2_report report = {
        .state = device->state == UPDRAFT_DEVICE_RESTARTING ? UPDRAFT_P2_STATE_RESTARTING
                                                            : UPDRAFT_P2_STATE_IDLE,
        .status = status,
        .detail = detail,
    };
    CHECK(device->answer_size_bytes == 0);
    device->answer_size_bytes = (uint8_t)updraft_p2_put_report(&report, device->answer);
    device->answer_connection = connection;
}

void updraft_p2_end(struct updraft_device *device, uint8_t status, uint32_t detail)
{
    uint16_t connection = device->owner;
    CHECK(device->protocol == 2);
    device->error = 0;
    updraft_device_end(device, updraft_p2_status_error(status));
    updraft_p2_tell(device, connection, status, detail);
}

/* What a message to open says against it by itself. */
static uint8_t open_refusal(struct updraft_device *device,
                            const struct updraft_p2_command *command, uint32_t now_ms,
                            uint32_t *ret_detail)
{
    if (command->version != UPDRAFT_P2_VERSION || (command->flags & ~OPEN_FLAGS) != 0 ||
        command->manifest_size_bytes > UPDRAFT_P2_MANIFEST_MAX) {
        return UPDRAFT_P2_UNSUPPORTED;
    }
    if (command->manifest_size_bytes < UPDRAFT_P2_MANIFEST_SIZE ||
        command->write_size_bytes < UPDRAFT_P2_WRITE_MIN ||
        command->write_size_bytes > UPDRAFT_P2_WRITE_MAX) {
        return UPDRAFT_P2_MALFORMED;
    }
    if (device->config.on_trial) {
        return UPDRAFT_P2_ON_TRIAL;
    }
    if (device->config.slot_size_bytes == 0) {
        return UPDRAFT_P2_NO_SLOT;
    }
    return updraft_erase_allowed(device, now_ms, ret_detail) ? UPDRAFT_P2_OK
                                                             : UPDRAFT_P2_RATE_LIMIT;
}

static void on_open(struct updraft_device *device, uint16_t connection,
                    const struct updraft_p2_command *command, uint32_t now_ms)
{
    bool is_owner = device->owner == connection;
    bool is_foreign = device->owner != UPDRAFT_CONNECTION_NONE && !is_owner;
    if (is_foreign || device->state == UPDRAFT_DEVICE_RESTARTING) {
        updraft_p2_tell(device, connection, UPDRAFT_P2_BUSY, 0);
        return;
    }
    if (is_owner && device->protocol == 2 && device->stream.nonce == command->nonce) {
        updraft_p2_report(device, UPDRAFT_P2_OK, 0); /* said twice: it is open */
        return;
    }
    if (is_owner) {
        updraft_device_end(device, 0);
    }
    uint32_t detail = 0;
    uint8_t status = open_refusal(device, command, now_ms, &detail);
    if (status != UPDRAFT_P2_OK) {
        device->error = updraft_p2_status_error(status);
        updraft_p2_tell(device, connection, status, detail);
        return;
    }
    device->stream.command = *command;
    device->asker = connection;
    device->begun_ms = now_ms;
    device->last_input_ms = now_ms;
    device->step = STEP_OPEN;
}

void updraft_p2_open(struct updraft_device *device)
{
    struct updraft_device_stream *stream = &device->stream;
    const struct updraft_p2_command *command = &stream->command;
    uint32_t cost =
        (uint32_t)command->write_size_bytes + device->config.packet_cost_bytes;
    uint32_t window = device->config.window_bytes / cost;
    window = window < WINDOW_CHUNKS_MIN ? WINDOW_CHUNKS_MIN : window;
    window = window > WINDOW_CHUNKS_MAX ? WINDOW_CHUNKS_MAX : window;
    CHECK(device->owner == UPDRAFT_CONNECTION_NONE);
    updraft_image_init(&device->image, device->config.slot_size_bytes);
    device->owner = device->asker;
    device->protocol = 2;
    device->error = 0;
    device->received_bytes = 0;
    stream->number = stream->number == UINT8_MAX ? 1 : (uint8_t)(stream->number + 1);
    stream->flags = command->flags;
    stream->nonce = command->nonce;
    stream->write_size_bytes = command->write_size_bytes;
    stream->manifest_size_bytes = command->manifest_size_bytes;
    stream->prepared = false;
    stream->end_bytes = 0;
    begin_stream(device, command->manifest_size_bytes);
    stream->window_chunks = (uint16_t)window;
    updraft_device_set_state(device, UPDRAFT_DEVICE_MANIFEST);
    updraft_p2_report(device, UPDRAFT_P2_OK, 0);
}

/* Is the range one that this file has? */
static uint8_t range_refusal(const struct updraft_device *device,
                             const struct updraft_p2_command *command)
{
    uint32_t file_size = device->stream.manifest.file_size_bytes;
    uint32_t start = command->start_bytes;
    uint32_t size = command->size_bytes;
    if ((command->flags & ~RANGE_FLAGS) != 0) {
        return UPDRAFT_P2_UNSUPPORTED;
    }
    if (start % UPDRAFT_P2_SECTOR_SIZE != 0 || start >= file_size || size == 0 ||
        size > file_size - start) {
        return UPDRAFT_P2_BAD_RANGE;
    }
    bool at_end = start + size == file_size;
    return at_end || size % UPDRAFT_P2_SECTOR_SIZE == 0 ? UPDRAFT_P2_OK
                                                        : UPDRAFT_P2_BAD_RANGE;
}

static void on_range(struct updraft_device *device,
                     const struct updraft_p2_command *command, uint32_t now_ms)
{
    struct updraft_device_stream *stream = &device->stream;
    uint8_t status = range_refusal(device, command);
    uint32_t detail = 0;
    /* Behind the last one nothing has been erased by this pass over the slot. */
    bool goes_on = stream->prepared && command->start_bytes >= stream->end_bytes;
    if (status == UPDRAFT_P2_OK && !goes_on &&
        !updraft_erase_allowed(device, now_ms, &detail)) {
        status = UPDRAFT_P2_RATE_LIMIT;
    }
    if (status != UPDRAFT_P2_OK) {
        updraft_p2_report(device, status, detail);
    } else if (goes_on) {
        updraft_p2_start_range(device, now_ms);
    } else {
        device->step = STEP_PREPARE;
    }
}

static void on_ready_command(struct updraft_device *device,
                             const struct updraft_p2_command *command, uint32_t now_ms)
{
    struct updraft_device_stream *stream = &device->stream;
    uint32_t sectors = (stream->manifest.file_size_bytes + UPDRAFT_P2_SECTOR_SIZE - 1) /
                       UPDRAFT_P2_SECTOR_SIZE;
    stream->command = *command;
    if (command->opcode == UPDRAFT_P2_RANGE) {
        on_range(device, command, now_ms);
    } else if (command->opcode == UPDRAFT_P2_MAP) {
        if (command->sector_count == 0 || command->first_sector >= sectors ||
            command->sector_count > sectors - command->first_sector) {
            updraft_p2_report(device, UPDRAFT_P2_BAD_RANGE, 0);
        } else {
            stream->map_sector = command->first_sector;
            stream->map_left = command->sector_count;
            stream->map_used_bytes = 0;
            device->step = STEP_MAP;
        }
    } else {
        CHECK(command->opcode == UPDRAFT_P2_FINISH);
        device->step = stream->prepared ? STEP_COMPARE_HEAD : STEP_PREPARE;
        updraft_device_set_state(device, UPDRAFT_DEVICE_VERIFYING);
        updraft_p2_report(device, UPDRAFT_P2_OK, 0);
    }
}

static void on_session_command(struct updraft_device *device, uint16_t connection,
                               const struct updraft_p2_command *command, uint32_t now_ms)
{
    bool is_owner = device->owner == connection && device->protocol == 2;
    bool only_asks = command->opcode == UPDRAFT_P2_STATUS;
    bool is_named = is_owner && command->session == device->stream.number;
    if (!is_owner) {
        bool harmless = only_asks || command->opcode == UPDRAFT_P2_ABORT;
        updraft_p2_tell(device, connection,
                        harmless ? UPDRAFT_P2_OK : UPDRAFT_P2_WRONG_STATE, 0);
    } else if (only_asks) {
        updraft_p2_report_again(device);
    } else if (command->opcode == UPDRAFT_P2_ABORT) {
        if (is_named && device->state != UPDRAFT_DEVICE_RESTARTING) {
            updraft_p2_end(device, UPDRAFT_P2_ABORTED, 0);
        } else {
            updraft_p2_report(device, UPDRAFT_P2_OK, 0);
        }
    } else if (!is_named || device->state != UPDRAFT_DEVICE_READY) {
        updraft_p2_report(device, UPDRAFT_P2_WRONG_STATE, 0);
    } else {
        on_ready_command(device, command, now_ms);
    }
}

/* ACTIVATE, CONFIRM, ROLLBACK: they need no session. */
static void on_free_command(struct updraft_device *device, uint16_t connection,
                            const struct updraft_p2_command *command)
{
    struct updraft_device_stream *stream = &device->stream;
    bool is_owner = device->owner == connection;
    bool is_activate = command->opcode == UPDRAFT_P2_ACTIVATE;
    if (command->confirm_by > UPDRAFT_P2_CONFIRM_BY_CLIENT ||
        command->target > UPDRAFT_P2_ROLLBACK_FACTORY) {
        updraft_p2_tell(device, connection, UPDRAFT_P2_UNSUPPORTED, 0);
        return;
    }
    if (is_owner && is_activate && device->state == UPDRAFT_DEVICE_VERIFIED) {
        if (memcmp(command->id, stream->manifest.image_id, sizeof(command->id)) == 0) {
            stream->command = *command;
            device->step = STEP_COMMIT;
        } else {
            updraft_p2_report(device, UPDRAFT_P2_NOTHING_STAGED, 0);
        }
        return;
    }
    if (device->state == UPDRAFT_DEVICE_RESTARTING) {
        updraft_p2_tell(device, connection, UPDRAFT_P2_OK, 0);
    } else if (is_owner && device->protocol == 2) {
        updraft_p2_report(device, UPDRAFT_P2_WRONG_STATE, 0);
    } else if (device->owner != UPDRAFT_CONNECTION_NONE) {
        updraft_p2_tell(device, connection, UPDRAFT_P2_BUSY, 0);
    } else if (is_activate && device->config.on_trial) {
        updraft_p2_tell(device, connection, UPDRAFT_P2_ON_TRIAL, 0);
    } else {
        stream->command = *command;
        device->asker = connection;
        device->step = is_activate                             ? STEP_UNSTAGE
                       : command->opcode == UPDRAFT_P2_CONFIRM ? STEP_CONFIRM
                                                               : STEP_MAY_ROLL_BACK;
    }
}

void updraft_p2_start_range(struct updraft_device *device, uint32_t now_ms)
{
    struct updraft_device_stream *stream = &device->stream;
    const struct updraft_p2_command *command = &stream->command;
    uint32_t start = command->start_bytes;
    device->received_bytes = start;
    device->erased_bytes = start;
    /* The header comes last, from the manifest. */
    device->written_bytes = start == 0 ? UPDRAFT_HEAD_HELD_SIZE : start;
    device->stage_used_bytes = 0;
    stream->end_bytes = start + command->size_bytes;
    stream->finish = (command->flags & UPDRAFT_P2_RANGE_FINISH) != 0;
    updraft_erase_begin(device, now_ms);
    begin_stream(device, command->size_bytes);
    updraft_device_set_state(device, UPDRAFT_DEVICE_RECEIVING);
    updraft_p2_report(device, UPDRAFT_P2_OK, 0);
}

static void begin_stream(struct updraft_device *device, uint32_t size_bytes)
{
    struct updraft_device_stream *stream = &device->stream;
    stream->next = (uint16_t)(stream->next + stream->window_chunks + STREAM_DISTANCE);
    stream->told_next = stream->next;
    stream->left_bytes = size_bytes;
    stream->wanted = false;
    stream->report_want = false;
    stream->heard = false;
    stream->told_erase = false;
}

/* Which part of the window is still unused when the next report goes out. Each report
 * costs a pair of packets; only a caller that takes chunks in batches needs it sooner. */
static unsigned kept_part(const struct updraft_device *device)
{
    return updraft_device_batch_bytes(device) > 0 ? 2 : 5;
}

static void take(struct updraft_device *device, const uint8_t *bytes, size_t size)
{
    struct updraft_device_stream *stream = &device->stream;
    stream->next++;
    stream->left_bytes -= (uint32_t)size;
    stream->wanted = false;
    stream->heard = true;
    if (device->state == UPDRAFT_DEVICE_MANIFEST) {
        uint32_t at = stream->manifest_size_bytes - stream->left_bytes - (uint32_t)size;
        memcpy(device->stage + at, bytes, size);
        if (stream->left_bytes == 0) {
            judge_manifest(device);
            return;
        }
    } else {
        updraft_device_store(device, bytes, size);
        device->erase.taken_bytes += (uint32_t)size;
    }
    uint16_t untold = (uint16_t)(stream->next - stream->told_next);
    if (untold >= stream->window_chunks - stream->window_chunks / kept_part(device)) {
        updraft_p2_report(device, UPDRAFT_P2_OK, 0);
    }
}

/* The order is SPEC's. */
static uint8_t judge_image(struct updraft_device *device, uint32_t *ret_detail)
{
    const struct updraft_device_config *config = &device->config;
    const struct updraft_p2_manifest *manifest = &device->stream.manifest;
    bool forced = (device->stream.flags & UPDRAFT_P2_OPEN_FORCE) != 0;
    if (manifest->file_size_bytes % 16 != 0 ||
        manifest->image_size_bytes > manifest->file_size_bytes ||
        manifest->image_size_bytes < UPDRAFT_P2_HEAD_SIZE + UPDRAFT_IMAGE_HASH_SIZE) {
        return UPDRAFT_P2_MALFORMED;
    }
    if (manifest->file_size_bytes > config->slot_size_bytes) {
        *ret_detail = config->slot_size_bytes;
        return UPDRAFT_P2_TOO_LARGE;
    }
    int error =
        updraft_image_input(&device->image, manifest->head, UPDRAFT_IMAGE_HEAD_SIZE);
    error = error ? error : updraft_device_judge_head(device);
    if (error) {
        uint8_t status = updraft_p2_error_status(error);
        *ret_detail = status == UPDRAFT_P2_CHIP            ? config->chip_id
                      : status == UPDRAFT_P2_CHIP_REVISION ? config->chip_revision
                                                           : 0;
        return status;
    }
    struct updraft_marker marker = {0};
    bool has_marker = updraft_marker_get(manifest->head, &marker);
    if (marker.hardware_id != 0 && config->hardware_id != 0 &&
        marker.hardware_id != config->hardware_id) {
        *ret_detail = config->hardware_id;
        return UPDRAFT_P2_HARDWARE;
    }
    if (!has_marker && !forced) {
        return UPDRAFT_P2_NO_UPDRAFT;
    }
    const struct updraft_image_descriptor *descriptor = &device->image.descriptor;
    bool same_project =
        memcmp(config->project, descriptor->project, sizeof(config->project)) == 0;
    if (!same_project && !forced) {
        return UPDRAFT_P2_PROJECT;
    }
    bool same_image =
        memcmp(manifest->image_id, config->image_id, sizeof(config->image_id)) == 0;
    if (same_image && !forced) {
        return UPDRAFT_P2_RUNNING;
    }
    if (descriptor->secure_version < config->secure_version) {
        *ret_detail = config->secure_version;
        return UPDRAFT_P2_SECURE_VERSION;
    }
    return UPDRAFT_P2_OK;
}

static void judge_manifest(struct updraft_device *device)
{
    struct updraft_device_stream *stream = &device->stream;
    uint32_t detail = 0;
    uint8_t status = updraft_p2_get_manifest(device->stage, stream->manifest_size_bytes,
                                             &stream->manifest);
    if (status == UPDRAFT_P2_OK) {
        status = judge_image(device, &detail);
    }
    if (status == UPDRAFT_P2_OK) {
        device->step = STEP_JUDGE;
    } else {
        updraft_p2_end(device, status, detail);
    }
}
