/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What protocol 2 sends before and beside an image: manifest and sector checksums.
 */
#ifndef UPDRAFT_CLIENT_PARCEL_H
#define UPDRAFT_CLIENT_PARCEL_H

#include "updraft/protocol2.h"

/* Made once for a file, used by any number of sessions. sector_crcs is the maker's. */
struct updraft_parcel {
    uint32_t size_bytes; /* of the file that is sent; see updraft_parcel_size */
    uint8_t image_id[UPDRAFT_IMAGE_HASH_SIZE];
    uint8_t manifest[UPDRAFT_P2_MANIFEST_SIZE];
    uint32_t first_sector_crc; /* with the file's own first bytes */
    const uint32_t *sector_crcs;
};

/* Where bytes 0 to 31 of an image stay unprogrammed until activation. */
#define UPDRAFT_PARCEL_HELD_SIZE 32u

/* How much of a file protocol 2 sends: all of it where it is a multiple of 16 bytes, as
 * an image with its signature is, else up to the image's end. 0: that does not do, the
 * image has no id or is too large. */
uint32_t updraft_parcel_size(const struct updraft_image *image, size_t file_size);

/* How many elements the table of sector checksums has. */
size_t updraft_parcel_sectors(uint32_t size_bytes);

/* size_bytes: of updraft_parcel_size, as all that follows. sha256: over bytes[0 ..
 * size_bytes). sector_crcs: room for updraft_parcel_sectors, must stay as long as the
 * parcel is used. */
void updraft_parcel_make(struct updraft_parcel *ret_parcel,
                         const struct updraft_image *image, const uint8_t *bytes,
                         uint32_t size_bytes, const uint8_t sha256[32],
                         uint32_t *sector_crcs);

#endif
