/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The parser of core/, and SHA-256 by the PSA interface that ESP-IDF has as well.
 */
#include <psa/crypto.h>
#include <string.h>

#include "client/src/inspect.h"
#include "updraft/error.h"

static int check_hash(struct updraft_inspection *inspection, const uint8_t *bytes)
{
    size_t length = 0;
    if (psa_crypto_init() != PSA_SUCCESS ||
        psa_hash_compute(PSA_ALG_SHA_256, bytes, inspection->image.hashed_size_bytes,
                         inspection->digest, sizeof(inspection->digest),
                         &length) != PSA_SUCCESS ||
        length != sizeof(inspection->digest)) {
        return UPDRAFT_ERROR_MEMORY;
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
