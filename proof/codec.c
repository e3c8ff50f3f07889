/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Protocol 2's decoders over any bytes of any size, and its encoders over any struct. */
#include "proof.h"

#include "../core/src/bytes.c"
#include "../core/src/info.c"
#include "../core/src/protocol2.c"

#define SIZE_MAX_SEEN 520u /* a longest attribute value, and some more */

static uint8_t bytes[SIZE_MAX_SEEN];

static uint8_t written[UPDRAFT_P2_MANIFEST_SIZE];

/* A value that ends at the array's end: whoever reads one byte more reads outside. */
static const uint8_t *value(size_t size)
{
    return bytes + (SIZE_MAX_SEEN - size);
}

static void control(size_t size)
{
    struct updraft_p2_command command = {0};
    struct updraft_p2_report report = {0};
    if (updraft_p2_get_command(value(size), size, &command)) {
        (void)updraft_p2_put_command(&command, written);
    }
    if (updraft_p2_get_report(value(size), size, &report)) {
        (void)updraft_p2_put_report(&report, written);
    }
}

static void map(size_t size)
{
    struct updraft_p2_map map = {.crcs = bytes, .sector_count = 1};
    if (updraft_p2_get_map(value(size), size, &map)) {
        (void)updraft_get_le32(map.crcs +
                               4u * (map.sector_count - 1u)); /* the last one */
    }
}

static void manifest(size_t size)
{
    struct updraft_p2_manifest manifest = {0};
    struct updraft_marker marker = {0};
    if (updraft_p2_get_manifest(value(size), size, &manifest) == UPDRAFT_P2_OK) {
        updraft_p2_put_manifest(&manifest, written);
        if (updraft_marker_get(manifest.head, &marker) && marker.protocol_max > 0) {
            updraft_marker_put(&marker, written);
        }
    }
}

static void info(size_t size)
{
    struct updraft_info info = {0};
    if (updraft_info_get(value(size), size, &info)) {
        updraft_info_put(&info, written);
    }
}

int main(void)
{
    any_bytes(bytes, sizeof(bytes));
    (void)updraft_p2_status_error((uint8_t)ANY(0, 255));
    (void)updraft_p2_error_status(ANY(-32768, 32767));
    for (size_t size = 0; size <= UPDRAFT_P2_COMMAND_MAX + 4; size++) {
        control(size);
    }
    control((size_t)ANY(UPDRAFT_P2_COMMAND_MAX + 5, SIZE_MAX_SEEN));
    for (size_t size = 0; size <= SIZE_MAX_SEEN; size++) {
        map(size);
    }
    for (size_t size = 0; size <= UPDRAFT_P2_MANIFEST_SIZE; size++) {
        manifest(size);
    }
    for (size_t size = UPDRAFT_P2_INFO_SIZE - 8; size < UPDRAFT_P2_INFO_SIZE + 8;
         size++) {
        info(size);
    }
    info((size_t)ANY(0, UPDRAFT_P2_INFO_SIZE - 9));
    info((size_t)ANY(UPDRAFT_P2_INFO_SIZE + 8, SIZE_MAX_SEEN));
    return 0;
}
