/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's session: any messages of both protocols, from three connections, with
 * time, lost links and failing flash between them. tests/unit/ram_port.c holds every
 * action against the rules that keep the board; here the promises about the whole are
 * added. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fuzz/command.h"
#include "tests/unit/image_maker.h"
#include "tests/unit/ram_port.h"
#include "updraft/error.h"

#define IMAGES      4u
#define CONNECTIONS 3u
#define STEPS_MAX   400u
#define QUIET_MS    7200000u

/* What a client may hold. */
struct file {
    uint8_t bytes[RAM_SLOT_SIZE];
    size_t size;
    uint8_t manifest[UPDRAFT_P2_MANIFEST_SIZE];
};
static struct file files[IMAGES];

struct client {
    size_t sent;         /* of the file, by protocol 1 */
    uint16_t write_size; /* by protocol 2: of the last OPEN */
};

struct scene {
    struct ram_port *port;
    struct client clients[CONNECTIONS];
    const struct file *file;
    uint32_t now_ms;
};

static void describe(struct file *file)
{
    const struct updraft_p2_manifest manifest =
        make_manifest(file->bytes, (uint32_t)file->size);
    updraft_p2_put_manifest(&manifest, file->manifest);
}

static void set_up(void)
{
    static const uint32_t data_sizes[IMAGES] = {16, 9000, 5000, 60000};
    for (uint32_t i = 0; i < IMAGES; i++) {
        const struct image_recipe recipe = {.data_size_bytes = data_sizes[i],
                                            .seed = i + 1};
        files[i].size = make_image(&recipe, files[i].bytes, sizeof(files[i].bytes));
    }
    /* A file that is what its manifest says, and no image that would boot. */
    files[2].bytes[4500] ^= 1;
    for (uint32_t i = 0; i < IMAGES; i++) {
        describe(&files[i]);
    }
}

/* A client's message as SPEC has it, with a wrong field now and then. */
static void command(struct scene *scene, uint16_t connection, struct fuzz_input *input)
{
    struct client *client = &scene->clients[connection];
    const struct fuzz_truth truth = {
        .session = scene->port->device.stream.number,
        .file_size_bytes = (uint32_t)scene->file->size,
        .write_size_bytes = fuzz_8(input) * 2u,
        .id = scene->file->bytes + scene->file->size - 32,
    };
    struct updraft_p2_command made = fuzz_command(input, &truth);
    if (made.opcode == UPDRAFT_P2_OPEN) {
        client->write_size = made.write_size_bytes;
    }
    ram_port_command(scene->port, connection, &made, scene->now_ms);
}

/* The next chunks of what protocol 2's session awaits, or others. */
static void chunks(struct scene *scene, uint16_t connection, struct fuzz_input *input)
{
    const struct updraft_device_stream *stream = &scene->port->device.stream;
    const struct client *client = &scene->clients[connection];
    uint32_t count = 1u + fuzz_8(input);
    int8_t skew = (int8_t)fuzz_8(input);
    bool is_manifest =
        updraft_device_state(&scene->port->device) == UPDRAFT_DEVICE_MANIFEST;
    const uint8_t *source = is_manifest ? scene->file->manifest : scene->file->bytes;
    size_t end = is_manifest ? UPDRAFT_P2_MANIFEST_SIZE : stream->end_bytes;
    if (!is_manifest && end > scene->file->size) {
        end = scene->file->size;
    }
    size_t payload = client->write_size > 2 && client->write_size <= UPDRAFT_P2_WRITE_MAX
                         ? client->write_size - 2u
                         : 18u;
    for (; count > 0 && stream->left_bytes > 0 && stream->left_bytes <= end; count--) {
        uint8_t value[UPDRAFT_P2_WRITE_MAX];
        size_t at = end - stream->left_bytes;
        size_t size = stream->left_bytes < payload ? stream->left_bytes : payload;
        uint16_t number = (uint16_t)(stream->next + skew);
        value[0] = (uint8_t)number;
        value[1] = (uint8_t)(number >> 8);
        memcpy(value + 2, source + at, size);
        uint32_t before = stream->left_bytes;
        ram_port_data(scene->port, connection, value, size + 2, scene->now_ms);
        if (stream->left_bytes == before) {
            return;
        }
    }
}

static void packets(struct scene *scene, uint16_t connection, struct fuzz_input *input)
{
    struct client *client = &scene->clients[connection];
    uint32_t count = 1u + fuzz_8(input);
    size_t size = 1u + fuzz_16(input) % UPDRAFT_P1_PACKET_SIZE_MAX;
    for (; count > 0 && client->sent < scene->file->size; count--) {
        size_t left = scene->file->size - client->sent;
        size_t taken = left < size ? left : size;
        ram_port_data(scene->port, connection, scene->file->bytes + client->sent, taken,
                      scene->now_ms);
        client->sent += taken;
    }
}

static void conditions(struct scene *scene, uint16_t connection, struct fuzz_input *input)
{
    struct ram_port *port = scene->port;
    switch (fuzz_8(input) % 8) {
    case 0:
        ram_port_link_lost(port, connection);
        break;
    case 1:
        updraft_device_data_lost(&port->device, connection);
        ram_port_tick(port, scene->now_ms);
        break;
    case 2:
        updraft_device_set_queued(&port->device, fuzz_16(input));
        break;
    case 3:
        updraft_device_set_supervision(&port->device, fuzz_16(input));
        break;
    case 4:
        updraft_device_set_on_trial(&port->device, (fuzz_8(input) & 1) != 0);
        break;
    case 5:
        port->fail_at = port->work_count + fuzz_8(input);
        port->fail_result = UPDRAFT_ERROR_FLASH_WRITE;
        break;
    case 6:
        port->begin_result = (fuzz_8(input) & 1) != 0 ? UPDRAFT_ERROR_BATTERY : 0;
        port->judge_result = (fuzz_8(input) & 1) != 0 ? UPDRAFT_ERROR_VETOED : 0;
        break;
    case 7:
        port->erase_ms = fuzz_8(input);
        port->write_ms = fuzz_8(input) & 7;
        break;
    }
}

static void step(struct scene *scene, struct fuzz_input *input)
{
    uint8_t kind = fuzz_8(input);
    uint16_t connection = (uint16_t)(kind >> 6) % CONNECTIONS;
    const uint8_t *bytes;
    size_t size;
    switch (kind & 7) {
    case 0: { /* protocol 1: an opcode */
        uint8_t opcode = fuzz_8(input) & 7;
        if (opcode == UPDRAFT_P1_REQUEST) {
            scene->clients[connection].sent = 0;
        }
        ram_port_control(scene->port, connection, opcode, scene->now_ms);
        break;
    }
    case 1:
        packets(scene, connection, input);
        break;
    case 2:
        command(scene, connection, input);
        break;
    case 3:
        chunks(scene, connection, input);
        break;
    case 4: /* anything on Control */
        bytes = fuzz_bytes(input, fuzz_8(input) % 32u, &size);
        ram_port_message(scene->port, connection, bytes, size, scene->now_ms);
        break;
    case 5: /* anything on Data */
        bytes = fuzz_bytes(input, fuzz_8(input), &size);
        ram_port_data(scene->port, connection, bytes, size, scene->now_ms);
        break;
    case 6:
        scene->file = &files[fuzz_8(input) % IMAGES];
        scene->now_ms += fuzz_16(input);
        ram_port_tick(scene->port, scene->now_ms);
        break;
    case 7:
        conditions(scene, connection, input);
        break;
    }
    /* Work takes time of its own. */
    if ((int32_t)(scene->port->now_ms - scene->now_ms) > 0) {
        scene->now_ms = scene->port->now_ms;
    }
}

static void ignore_answer(void *context, const uint8_t *bytes, size_t size,
                          uint32_t now_ms)
{
    (void)context;
    (void)bytes;
    (void)size;
    (void)now_ms;
}

/* Whatever came before: once nothing fails any more, every limit passes and a client
 * updates the device. */
static void check_that_it_can_be_updated(struct scene *scene)
{
    struct ram_port *port = scene->port;
    port->fail_at = NEVER;
    port->begin_result = port->judge_result = 0;
    port->erase_ms = port->write_ms = 0;
    updraft_device_set_on_trial(&port->device, false);
    for (uint16_t i = 0; i < CONNECTIONS; i++) {
        ram_port_link_lost(port, i);
    }
    ram_port_tick(port, scene->now_ms += QUIET_MS);
    uint32_t deadline_ms;
    if (port->restarted) {
        return;
    }
    FUZZ_HOLDS(updraft_device_owner(&port->device) == UPDRAFT_CONNECTION_NONE);
    FUZZ_HOLDS(!updraft_device_deadline(&port->device, &deadline_ms));
    if (updraft_device_state(&port->device) == UPDRAFT_DEVICE_RESTARTING) {
        return; /* the restart itself failed: only power helps, and all is verified */
    }
    const struct file *file = &files[1];
    const uint16_t packet = 244;
    port->on_answer = NULL;
    port->answer_count = 0;
    uint8_t opcode = ram_port_request(port, 0, packet, scene->now_ms);
    FUZZ_HOLDS(opcode == UPDRAFT_P1_REQUEST_ACK);
    ram_port_send(port, 0, file->bytes, file->size, packet, scene->now_ms);
    FUZZ_HOLDS(ram_port_finish(port, 0, scene->now_ms) == UPDRAFT_P1_DONE_ACK);
    FUZZ_HOLDS(ram_port_runs(port, file->bytes, file->size));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct ram_port port;
    struct fuzz_input input = {bytes, size};
    if (files[0].size == 0) {
        set_up();
    }
    ram_port_init(&port);
    port.on_answer = ignore_answer;
    port.refuses_broken = true;
    struct scene scene = {.port = &port, .file = &files[1], .now_ms = 1000};
    for (unsigned i = 0; i < STEPS_MAX && input.left > 0 && !port.restarted; i++) {
        step(&scene, &input);
    }
    check_that_it_can_be_updated(&scene);
    return 0;
}
