/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Makes ESP32 images that name the firmware and the behaviour that the simulator gives
 * them. */
#ifndef SIM_IMAGE_H
#define SIM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The marker in a data segment of an image made here, for the simulator: magic, then
 * fixed-width strings. Before it, right behind the descriptor, is updraft's own marker
 * (SPEC.md), which says that the image can be updated again. */
#define SIM_IMAGE_MARKER_MAGIC "updraft-sim/1"
struct sim_image_marker {
    char magic[16];
    char firmware[32];  /* module fw_NAME.so */
    char behaviour[16]; /* "good", "crash", "hang-early", "hang-spin", "hang-task",
                         * "selftest", "no-radio" */
};

/* The behaviours' names, NULL last. */
extern const char *const sim_image_behaviours[];

struct sim_image_request {
    const char *firmware;
    const char *version;   /* at most 31 characters */
    const char *project;   /* NULL: "updraft-" and the firmware's name */
    const char *behaviour; /* NULL: "good" */
    uint16_t chip_id;
    uint32_t size_bytes; /* of the whole image at least; 0: as small as it gets. Rounded
                          * up to 16 */
    uint64_t seed;       /* of the filling */
    uint32_t secure_version;
    uint32_t hardware_id; /* in updraft's marker; 0: any board */
    bool without_updraft; /* zeros in the place of updraft's marker, as other people's
                           * firmware may have */
};

/* Writes a whole image (header, segments, checksum, SHA-256) to `bytes`. Returns its
 * size, or 0 when it does not fit `capacity` or the request is out of range: a text too
 * long or empty, a behaviour or chip id that nobody knows. The same request makes the
 * same bytes. */
size_t sim_image_make(const struct sim_image_request *request, uint8_t *bytes,
                      size_t capacity);

/* Finds the marker in the segments of an image as flash or a file holds it. False: none,
 * or no image. */
bool sim_image_find_marker(const uint8_t *bytes, size_t size,
                           struct sim_image_marker *ret_marker);

/* Recomputes checksum and SHA-256 of an image whose bytes a test changed. False: the
 * segment list does not lead to an end within `size`. */
bool sim_image_seal(uint8_t *bytes, size_t size);

#endif
