/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Everything that can be told of an image file without a device.
 */
#ifndef UPDRAFT_CLIENT_INSPECT_H
#define UPDRAFT_CLIENT_INSPECT_H

#include "updraft/image.h"

struct updraft_inspection {
    struct updraft_image image; /* as far as the parser came */
    int status;                 /* 0: whole; else the first thing that is wrong */
    bool hash_computed;         /* the image is complete and has a hash to compare with */
    uint8_t digest[UPDRAFT_IMAGE_HASH_SIZE]; /* computed over the image's bytes */
    uint32_t trailing_bytes;                 /* in the file, after the image's own end */
};

/* Parses the image and computes its SHA-256. Never fails otherwise than in
 * ret_inspection->status: IMAGE_*, ARGUMENT for a size above UINT32_MAX, or MEMORY when
 * the hash could not be computed. */
void updraft_inspect(const uint8_t *bytes, size_t size,
                     struct updraft_inspection *ret_inspection);

#endif
