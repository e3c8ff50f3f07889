/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The parser of core/, and SHA-256 by the PSA interface that ESP-IDF has as well.
 */
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "client/src/inspect.h"
#include "updraft/error.h"

static int hash(const uint8_t *bytes, size_t size,
                uint8_t ret_digest[UPDRAFT_IMAGE_HASH_SIZE])
{
    size_t length = 0;
    if (psa_crypto_init() != PSA_SUCCESS ||
        psa_hash_compute(PSA_ALG_SHA_256, bytes, size, ret_digest,
                         UPDRAFT_IMAGE_HASH_SIZE, &length) != PSA_SUCCESS ||
        length != UPDRAFT_IMAGE_HASH_SIZE) {
        return UPDRAFT_ERROR_MEMORY;
    }
    return UPDRAFT_OK;
}

static int check_hash(struct updraft_inspection *inspection, const uint8_t *bytes)
{
    int status = hash(bytes, inspection->image.hashed_size_bytes, inspection->digest);
    if (status != UPDRAFT_OK) {
        return status;
    }
    inspection->hash_computed = true;
    return updraft_image_check_hash(&inspection->image, inspection->digest);
}

void updraft_inspect(const uint8_t *bytes, size_t size,
                     struct updraft_inspection *ret_inspection)
{
    struct updraft_image *image = &ret_inspection->image;
    memset(ret_inspection, 0, sizeof(*ret_inspection));
    updraft_image_init(image, UINT32_MAX);
    if (size > UINT32_MAX) {
        ret_inspection->status = UPDRAFT_ERROR_ARGUMENT;
        return;
    }
    ret_inspection->status = updraft_image_input(image, bytes, size);
    if (ret_inspection->status == UPDRAFT_OK) {
        ret_inspection->status = updraft_image_finish(image);
    }
    if (size >= UPDRAFT_P2_HEAD_SIZE) {
        ret_inspection->has_marker = updraft_marker_get(bytes, &ret_inspection->marker);
    }
    if (!updraft_image_complete(image)) {
        return;
    }
    ret_inspection->trailing_bytes = (uint32_t)size - image->size_bytes;
    if (ret_inspection->status != UPDRAFT_OK) {
        return;
    }
    ret_inspection->status = image->header.hash_appended
                                 ? check_hash(ret_inspection, bytes)
                                 : UPDRAFT_ERROR_IMAGE_NO_HASH;
}

int updraft_inspect_parcel(const struct updraft_inspection *inspection,
                           const uint8_t *bytes, size_t size,
                           struct updraft_parcel *ret_parcel, uint32_t **ret_crcs)
{
    uint8_t digest[UPDRAFT_IMAGE_HASH_SIZE];
    uint32_t size_bytes = updraft_parcel_size(&inspection->image, size);
    if (size_bytes == 0) {
        return UPDRAFT_ERROR_IMAGE_TOO_LARGE;
    }
    int status = hash(bytes, size_bytes, digest);
    if (status != UPDRAFT_OK) {
        return status;
    }
    uint32_t *crcs = calloc(updraft_parcel_sectors(size_bytes), sizeof(*crcs));
    if (crcs == NULL) {
        return UPDRAFT_ERROR_MEMORY;
    }
    updraft_parcel_make(ret_parcel, &inspection->image, bytes, size_bytes, digest, crcs);
    *ret_crcs = crcs;
    return UPDRAFT_OK;
}
