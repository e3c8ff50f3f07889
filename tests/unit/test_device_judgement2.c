/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the device's session by protocol 2 about what it says of an image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/image_maker.h"
#include "tests/unit/ram_port.h"
#include "updraft/error.h"

#define ALICE 1u
/* The manifest is one chunk. */
#define WRITE (UPDRAFT_P2_DATA_HEAD_SIZE + UPDRAFT_P2_MANIFEST_SIZE)

static struct ram_port port;
static struct updraft_p2_manifest manifest;
static uint32_t nonce;

static int set_up(void **state)
{
    (void)state;
    static uint8_t image[RAM_SLOT_SIZE];
    const struct image_recipe recipe = {.data_size_bytes = 6000, .seed = 7};
    uint32_t size = (uint32_t)make_image(&recipe, image, sizeof(image));
    manifest = make_manifest(image, size);
    ram_port_init(&port);
    return 0;
}

/* The status that answers the manifest in a new session. */
static uint8_t judged(void)
{
    const struct updraft_p2_command opening = {
        .opcode = UPDRAFT_P2_OPEN,
        .version = UPDRAFT_P2_VERSION,
        .manifest_size_bytes = UPDRAFT_P2_MANIFEST_SIZE,
        .write_size_bytes = WRITE,
        .nonce = nonce++,
    };
    port.answer_count = 0;
    ram_port_command(&port, ALICE, &opening, port.now_ms);
    struct updraft_p2_report report = ram_port_report(&port, ALICE);
    assert_int_equal(report.state, UPDRAFT_P2_STATE_MANIFEST);
    uint8_t value[WRITE] = {(uint8_t)report.next, (uint8_t)(report.next >> 8)};
    updraft_p2_put_manifest(&manifest, value + UPDRAFT_P2_DATA_HEAD_SIZE);
    ram_port_data(&port, ALICE, value, sizeof(value), port.now_ms);
    return ram_port_report(&port, ALICE).status;
}

/* What is wrong is put right, one after the other: SPEC has the order. */
static void an_image_is_judged_in_the_order_of_the_specification(void **state)
{
    (void)state;
    struct updraft_p2_manifest good = manifest;
    port.device.config.hardware_id = 5;
    port.device.config.secure_version = 9;
    memcpy(port.device.config.image_id, manifest.image_id, sizeof(manifest.image_id));
    manifest.file_size_bytes = 1u << 30;
    manifest.image_size_bytes = 1;
    manifest.head[0] ^= 1;       /* magic */
    manifest.head[12] ^= 0x40;   /* chip */
    manifest.head[23] = 0;       /* no hash is appended */
    manifest.head[15] = 0xFF;    /* least revision */
    manifest.head[32] ^= 1;      /* descriptor's magic */
    manifest.head[32 + 48] ^= 1; /* project */
    const struct updraft_marker marker = {.protocol_max = 2, .hardware_id = 6};
    updraft_marker_put(&marker, manifest.head + UPDRAFT_MARKER_OFFSET);
    assert_int_equal(judged(), UPDRAFT_P2_MALFORMED);
    manifest.image_size_bytes = good.image_size_bytes;
    assert_int_equal(judged(), UPDRAFT_P2_TOO_LARGE);
    manifest.file_size_bytes = good.file_size_bytes;
    assert_int_equal(judged(), UPDRAFT_P2_IMAGE);
    manifest.head[0] ^= 1;
    assert_int_equal(judged(), UPDRAFT_P2_IMAGE);
    manifest.head[32] ^= 1;
    assert_int_equal(judged(), UPDRAFT_P2_IMAGE);
    manifest.head[23] = good.head[23];
    assert_int_equal(judged(), UPDRAFT_P2_CHIP);
    manifest.head[12] ^= 0x40;
    assert_int_equal(judged(), UPDRAFT_P2_CHIP_REVISION);
    manifest.head[15] = good.head[15];
    assert_int_equal(judged(), UPDRAFT_P2_HARDWARE);
    memset(manifest.head + UPDRAFT_MARKER_OFFSET, 0, UPDRAFT_MARKER_SIZE);
    assert_int_equal(judged(), UPDRAFT_P2_NO_UPDRAFT);
    updraft_marker_put(&(struct updraft_marker){.protocol_max = 2},
                       manifest.head + UPDRAFT_MARKER_OFFSET);
    assert_int_equal(judged(), UPDRAFT_P2_PROJECT);
    memcpy(port.device.config.project, manifest.head + 32 + 48, 32);
    assert_int_equal(judged(), UPDRAFT_P2_RUNNING);
    manifest.image_id[0] ^= 1;
    assert_int_equal(judged(), UPDRAFT_P2_SECURE_VERSION);
    port.device.config.secure_version = 0;
    port.judge_result = UPDRAFT_ERROR_VETOED;
    assert_int_equal(judged(), UPDRAFT_P2_VETOED);
    port.judge_result = 0;
    assert_int_equal(judged(), UPDRAFT_P2_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_image_is_judged_in_the_order_of_the_specification,
                               set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
