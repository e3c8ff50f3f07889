/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Everything that can be told of an image file without a device.
 */
#ifndef UPDRAFT_CLIENT_INSPECT_H
#define UPDRAFT_CLIENT_INSPECT_H

#include "client/src/parcel.h"
#include "updraft/image.h"

struct updraft_inspection {
    struct updraft_image image; /* as far as the parser came */
    int status;                 /* 0: whole; else the first thing that is wrong */
    bool hash_computed;         /* the image is complete and has a hash to compare with */
    uint8_t digest[UPDRAFT_IMAGE_HASH_SIZE]; /* computed over the image's bytes */
    uint32_t trailing_bytes;                 /* in the file, after the image's own end */
    bool has_marker;                         /* updraft is inside: marker */
    struct updraft_marker marker;
};

/* Parses the image and computes its SHA-256. Never fails otherwise than in
 * ret_inspection->status: IMAGE_*, ARGUMENT for a size above UINT32_MAX, or MEMORY when
 * the hash could not be computed. */
void updraft_inspect(const uint8_t *bytes, size_t size,
                     struct updraft_inspection *ret_inspection);

/* Makes what protocol 2 sends beside a whole image. ret_crcs: the parcel's table of
 * checksums, to be freed by the caller after the parcel's last use. Returns 0,
 * IMAGE_TOO_LARGE or MEMORY. */
int updraft_inspect_parcel(const struct updraft_inspection *inspection,
                           const uint8_t *bytes, size_t size,
                           struct updraft_parcel *ret_parcel, uint32_t **ret_crcs);

#endif
