/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Manifest and sector checksums of an image file.
 */
#include <assert.h>
#include <string.h>

#include "client/src/parcel.h"
#include "updraft/client_session2.h"

uint32_t updraft_parcel_size(const struct updraft_image *image, size_t file_size)
{
    uint32_t size_bytes = file_size % 16 == 0 && file_size <= UPDRAFT_CLIENT2_FILE_MAX
                              ? (uint32_t)file_size
                              : image->size_bytes;
    if (!image->header.hash_appended || size_bytes % 16 != 0 ||
        size_bytes > UPDRAFT_CLIENT2_FILE_MAX || size_bytes < UPDRAFT_P2_HEAD_SIZE ||
        image->size_bytes > file_size || image->size_bytes < UPDRAFT_P2_HEAD_SIZE) {
        return 0;
    }
    return size_bytes;
}

size_t updraft_parcel_sectors(uint32_t size_bytes)
{
    return (size_bytes + UPDRAFT_P2_SECTOR_SIZE - 1) / UPDRAFT_P2_SECTOR_SIZE;
}

/* As flash holds the bytes: what the file does not fill is erased. */
static uint32_t crc_of_sector(const uint8_t *bytes, uint32_t size, bool held)
{
    static const uint8_t erased[256] = {
#define FF_8  0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF
#define FF_64 FF_8, FF_8, FF_8, FF_8, FF_8, FF_8, FF_8, FF_8
        FF_64, FF_64, FF_64, FF_64};
    uint32_t skipped = held ? UPDRAFT_PARCEL_HELD_SIZE : 0;
    uint32_t crc = updraft_crc32(0, erased, skipped);
    crc = updraft_crc32(crc, bytes + skipped, size - skipped);
    for (uint32_t at = size; at < UPDRAFT_P2_SECTOR_SIZE;) {
        uint32_t left = UPDRAFT_P2_SECTOR_SIZE - at;
        uint32_t part = left < sizeof(erased) ? left : (uint32_t)sizeof(erased);
        crc = updraft_crc32(crc, erased, part);
        at += part;
    }
    return crc;
}

static uint32_t sector_size(uint32_t size_bytes, size_t sector)
{
    uint32_t left = size_bytes - (uint32_t)sector * UPDRAFT_P2_SECTOR_SIZE;
    return left < UPDRAFT_P2_SECTOR_SIZE ? left : UPDRAFT_P2_SECTOR_SIZE;
}

void updraft_parcel_make(struct updraft_parcel *ret_parcel,
                         const struct updraft_image *image, const uint8_t *bytes,
                         uint32_t size_bytes, const uint8_t sha256[32],
                         uint32_t *sector_crcs)
{
    struct updraft_p2_manifest manifest = {
        .file_size_bytes = size_bytes,
        .image_size_bytes = image->size_bytes,
    };
    assert(size_bytes >= UPDRAFT_P2_HEAD_SIZE && image->size_bytes <= size_bytes);
    memset(ret_parcel, 0, sizeof(*ret_parcel));
    ret_parcel->size_bytes = size_bytes;
    memcpy(ret_parcel->image_id, bytes + image->size_bytes - UPDRAFT_IMAGE_HASH_SIZE,
           UPDRAFT_IMAGE_HASH_SIZE);
    memcpy(manifest.file_sha256, sha256, sizeof(manifest.file_sha256));
    memcpy(manifest.image_id, ret_parcel->image_id, sizeof(manifest.image_id));
    memcpy(manifest.head, bytes, sizeof(manifest.head));
    updraft_p2_put_manifest(&manifest, ret_parcel->manifest);
    ret_parcel->first_sector_crc =
        crc_of_sector(bytes, sector_size(size_bytes, 0), /* held= */ false);
    for (size_t i = 0; i < updraft_parcel_sectors(size_bytes); i++) {
        sector_crcs[i] = crc_of_sector(bytes + i * UPDRAFT_P2_SECTOR_SIZE,
                                       sector_size(size_bytes, i), /* held= */ i == 0);
    }
    ret_parcel->sector_crcs = sector_crcs;
}
