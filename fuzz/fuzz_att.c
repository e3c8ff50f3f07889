/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The whole firmware in the virtual world: any ATT frames and values from two centrals,
 * at any time. Nothing outside the target slot changes, the board goes on running, and it
 * can be updated afterwards. */
#include <string.h>

#include "fuzz/command.h"
#include "tests/unit/image_maker.h"
#include "tests/world/raw.h"
#include "tests/world/unharmed.h"
#include "updraft/protocol1.h"

#define CENTRALS    2u
#define IMAGE_SIZE  (12u << 10)
#define STEPS_MAX   150u
#define FRAME_MAX   517u
#define CONNECT_MS  5000u
#define QUIET_MS    120000u /* every limit of an update is over */
#define SETTLE_MS   20000u
#define VALUE_PLAIN 244u

struct scene {
    world_t *world;
    sim_snapshot_t *snapshot;
    struct unharmed before;
    struct raw *raws[CENTRALS];
    size_t sent[CENTRALS]; /* of the image, by protocol 1 */
    uint16_t data_handle;
    uint16_t control_handle;
};
static struct scene scene;
static struct fixture_image image; /* its hash is wrong */
static struct fixture_image good_image;
static uint8_t manifest[UPDRAFT_P2_MANIFEST_SIZE];

/* What the board was told is the whole truth about a file that is no image: it comes as
 * far as the boot loader's own verification. */
static void describe_image(void)
{
    struct updraft_p2_manifest told = {
        .file_size_bytes = (uint32_t)image.size,
        .image_size_bytes = (uint32_t)image.size,
    };
    sha256(image.bytes, image.size, told.file_sha256);
    memcpy(told.image_id, image.bytes + image.size - 32, 32);
    memcpy(told.head, image.bytes, sizeof(told.head));
    updraft_p2_put_manifest(&told, manifest);
}

static void set_up(void)
{
    scene.world = fixture_world(NULL);
    FUZZ_HOLDS(world_run(scene.world, fixture_runs, SETTLE_MS));
    (void)world_run(scene.world, fixture_never, 1000);
    fixture_image_make(&image, "minimal", "1.3.0", "good", IMAGE_SIZE);
    image.bytes[image.size - 1] ^= 1;
    describe_image();
    fixture_image_make(&good_image, "minimal", "2.0.0", "good", 8u << 10);
    for (unsigned i = 0; i < CENTRALS; i++) {
        scene.raws[i] = raw_new(scene.world, i + 1);
        FUZZ_HOLDS(raw_connect(scene.raws[i]));
    }
    const uint8_t on[] = {1, 0};
    FUZZ_HOLDS(
        raw_write(scene.raws[0], raw_control_cccd(scene.raws[0]), on, sizeof(on)) == 0);
    scene.data_handle = raw_data(scene.raws[0]);
    scene.control_handle = raw_control(scene.raws[0]);
    unharmed_begin(&scene.before, scene.world);
    scene.snapshot = world_snapshot(scene.world);
}

/* Refused while too many wait already. */
static void put(const struct raw *raw, uint16_t handle, const uint8_t *bytes, size_t size,
                bool request)
{
    (void)sim_central_write(raw->central, raw->peer, handle, bytes, size, request,
                            /* token= */ 0);
}

/* Of the last STATE that this central was told; zeros: of none. */
static struct updraft_p2_report last_state(const struct raw *raw)
{
    struct updraft_p2_report report = {0};
    for (size_t i = raw->reports_count; i > 0 && raw->reports_count - i < 4; i--) {
        const struct raw_report *at = &raw->reports[(i - 1) % RAW_REPORTS_MAX];
        if (updraft_p2_get_report(at->bytes, at->size, &report)) {
            break;
        }
    }
    return report;
}

static void command(const struct raw *raw, struct fuzz_input *input)
{
    const struct fuzz_truth truth = {
        .session = last_state(raw).session,
        .file_size_bytes = (uint32_t)image.size,
        .write_size_bytes = VALUE_PLAIN,
        .id = image.bytes + image.size - 32,
    };
    uint8_t bytes[UPDRAFT_P2_COMMAND_MAX];
    struct updraft_p2_command made = fuzz_command(input, &truth);
    put(raw, scene.control_handle, bytes, updraft_p2_put_command(&made, bytes), true);
}

/* What the stream awaits, all of it: the manifest, or the file from a place on. */
static void chunks(const struct raw *raw, struct fuzz_input *input)
{
    struct updraft_p2_report state = last_state(raw);
    uint8_t value[VALUE_PLAIN];
    uint8_t skew = fuzz_8(input);
    size_t at = (size_t)(fuzz_8(input) % 4u) * UPDRAFT_P2_SECTOR_SIZE;
    const uint8_t *source = image.bytes;
    size_t end = image.size;
    if (state.state == UPDRAFT_P2_STATE_MANIFEST) {
        source = manifest;
        end = sizeof(manifest);
        at = 0;
    }
    for (uint16_t number = (uint16_t)(state.next + (skew & 3)); at < end; number++) {
        size_t size = end - at < sizeof(value) - 2 ? end - at : sizeof(value) - 2;
        value[0] = (uint8_t)number;
        value[1] = (uint8_t)(number >> 8);
        memcpy(value + 2, source + at, size);
        put(raw, scene.data_handle, value, size + 2, /* request= */ false);
        (void)world_run(scene.world, fixture_never, 5);
        at += size;
    }
}

static void packets(const struct raw *raw, size_t *sent, struct fuzz_input *input)
{
    uint8_t how = fuzz_8(input);
    size_t size = 1u + fuzz_8(input) * 2u;
    for (unsigned left = 1u + (how >> 2); left > 0 && *sent < image.size; left--) {
        size_t step = image.size - *sent < size ? image.size - *sent : size;
        put(raw, scene.data_handle, image.bytes + *sent, step, (how & 1) != 0);
        *sent += step;
        if ((how & 2) != 0) {
            (void)world_run(scene.world, fixture_never, 10);
        }
    }
}

static void reconnect(struct raw *raw, size_t *sent)
{
    *sent = 0;
    if (raw_connected(raw)) {
        sim_central_disconnect(raw->central, raw->peer);
    } else {
        raw->reports_count = 0;
        sim_central_connect(raw->central, raw->peer, CONNECT_MS);
    }
}

static void step(struct fuzz_input *input)
{
    uint8_t kind = fuzz_8(input);
    unsigned central = kind >> 7;
    struct raw *raw = scene.raws[central];
    const uint8_t *bytes;
    size_t size;
    switch (kind & 7) {
    case 0: /* a frame */
        bytes = fuzz_bytes(input, fuzz_8(input) * 2u + 1u, &size);
        if (size > 0) {
            (void)sim_central_raw(raw->central, raw->peer, bytes,
                                  size < FRAME_MAX ? size : FRAME_MAX);
        }
        break;
    case 1:
    case 2: /* a value, on one of the two or by handle */
        size = 0;
        if ((kind & 0x10) != 0) {
            uint16_t handle = fuzz_8(input);
            bytes = fuzz_bytes(input, fuzz_8(input), &size);
            put(raw, handle, bytes, size, (kind & 0x20) != 0);
        } else {
            bytes = fuzz_bytes(input, fuzz_8(input) & 0x1F, &size);
            scene.sent[central] = 0;
            put(raw, (kind & 7) == 1 ? scene.control_handle : scene.data_handle, bytes,
                size, (kind & 0x20) != 0);
        }
        break;
    case 3:
        packets(raw, &scene.sent[central], input);
        break;
    case 4:
        command(raw, input);
        break;
    case 5:
        chunks(raw, input);
        break;
    case 6:
        (void)world_run(scene.world, fixture_never, fuzz_8(input) * UINT64_C(8));
        break;
    case 7:
        if ((kind & 0x18) == 0x18) {
            reconnect(raw, &scene.sent[central]);
        } else {
            (void)world_run(scene.world, fixture_never, 50);
        }
        break;
    }
}

static void check_unharmed(void)
{
    const char *harm = unharmed_check(&scene.before, scene.world);
    if (harm != NULL) {
        fputs(scene.world->log, stderr);
        fprintf(stderr, "%s\n", harm);
    }
    FUZZ_HOLDS(harm == NULL);
}

/* Only now and then: it takes longer than all the rest. */
static void check_that_it_can_be_updated(void)
{
    for (unsigned i = 0; i < CENTRALS; i++) {
        if (raw_connected(scene.raws[i])) {
            raw_disconnect(scene.raws[i]);
        }
    }
    (void)world_run(scene.world, fixture_never, QUIET_MS);
    check_unharmed();
    const struct world_update *result =
        world_update(scene.world, good_image.bytes, good_image.size, NULL);
    if (result->status != 0) {
        fputs(scene.world->log, stderr);
        fprintf(stderr, "status %d\n", result->status);
    }
    FUZZ_HOLDS(result->status == 0 && strcmp(result->firmware, "2.0.0") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {bytes, size};
    if (scene.world == NULL) {
        set_up();
    } else {
        world_restore(scene.world, scene.snapshot);
    }
    memset(scene.sent, 0, sizeof(scene.sent));
    bool update = (fuzz_8(&input) & 7) == 7;
    for (unsigned i = 0; i < STEPS_MAX && input.left > 0; i++) {
        step(&input);
    }
    (void)world_run(scene.world, fixture_never, 500);
    check_unharmed();
    if (update) {
        check_that_it_can_be_updated();
    }
    return 0;
}
