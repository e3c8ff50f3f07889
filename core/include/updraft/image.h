/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A streaming parser of ESP32 application images: what is in one, and is it whole. */
#ifndef UPDRAFT_IMAGE_H
#define UPDRAFT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The format is the one of ESP-IDF's esp_app_format.h (esp_image_header_t,
 * esp_image_segment_header_t, esp_app_desc_t) and of esptool; all integers little-endian.
 */
#define UPDRAFT_IMAGE_MAGIC            0xE9u
#define UPDRAFT_IMAGE_DESCRIPTOR_MAGIC 0xABCD5432u
#define UPDRAFT_IMAGE_SEGMENTS_MAX     16u
#define UPDRAFT_IMAGE_HASH_SIZE        32u
#define UPDRAFT_IMAGE_DESCRIPTOR_SIZE  256u
/* Header (24), first segment header (8) and descriptor (256): all that is needed to judge
 * an image before a byte is erased. */
#define UPDRAFT_IMAGE_HEAD_SIZE 288u

/* Chip ids of esp_chip_id_t. */
enum updraft_chip {
    UPDRAFT_CHIP_ESP32 = 0x0000,
    UPDRAFT_CHIP_ESP32S2 = 0x0002,
    UPDRAFT_CHIP_ESP32C3 = 0x0005,
    UPDRAFT_CHIP_ESP32S3 = 0x0009,
    UPDRAFT_CHIP_ESP32C2 = 0x000C,
    UPDRAFT_CHIP_ESP32C6 = 0x000D,
    UPDRAFT_CHIP_ESP32H2 = 0x0010,
    UPDRAFT_CHIP_ESP32P4 = 0x0012,
    UPDRAFT_CHIP_ESP32C61 = 0x0014,
    UPDRAFT_CHIP_ESP32C5 = 0x0017,
    UPDRAFT_CHIP_ESP32H21 = 0x0019,
    UPDRAFT_CHIP_ESP32H4 = 0x001C,
    UPDRAFT_CHIP_ESP32S31 = 0x0020,
};

/* "esp32c3" for 0x0005 and so on; NULL for an id that is not in the list above. */
const char *updraft_chip_name(uint16_t chip_id);

/* The header, field by field (offset in the file in brackets). */
struct updraft_image_header {
    uint8_t segment_count; /* [1] 1 to 16 */
    uint8_t spi_mode;   /* [2] 0 QIO, 1 QOUT, 2 DIO, 3 DOUT, 4 fast read, 5 slow read */
    uint8_t spi_speed;  /* [3] low nibble */
    uint8_t flash_size; /* [3] high nibble: 1 MiB << value */
    uint32_t entry_address;     /* [4] */
    uint8_t wp_pin;             /* [8] 0xEE: disabled */
    uint8_t spi_pin_drive[3];   /* [9] */
    uint16_t chip_id;           /* [12] enum updraft_chip */
    uint8_t chip_revision_old;  /* [14] no longer looked at */
    uint16_t chip_revision_min; /* [15] major * 100 + minor */
    uint16_t chip_revision_max; /* [17] 0 or 0xFFFF: no limit */
    bool hash_appended;         /* [23] a SHA-256 follows the checksum */
};

/* The application descriptor at file offset 32. Strings are terminated here even where
 * the file's fixed-width field is full. */
struct updraft_image_descriptor {
    uint32_t secure_version;
    char version[33];
    char project[33];
    char time[17];
    char date[17];
    char idf_version[33];
    uint8_t elf_sha256[32];
    uint16_t efuse_block_revision_min;
    uint16_t efuse_block_revision_max;
    uint8_t mmu_page_size_log2; /* 0: the chip's default, 64 KiB */
    uint8_t spi_flash_mode;     /* 0: unknown (images before ESP-IDF 6.1) */
};

struct updraft_image_segment {
    uint32_t load_address;
    uint32_t offset_bytes; /* of the segment's data in the file */
    uint32_t size_bytes;   /* of the segment's data */
};

/* A parser's state. Plain bytes without pointers: may be copied at any time. Fields that
 * end in _ are private; the others are for reading, once the function named beside them
 * says so. What is used most comes first: the machine code for it is shorter. */
struct updraft_image {
    uint32_t limit_bytes_;
    uint32_t offset_bytes_;
    uint32_t item_used_bytes_;
    uint32_t data_left_bytes_;
    int error_;
    uint32_t hashed_size_bytes; /* what the hash covers; updraft_image_complete */
    uint32_t size_bytes;        /* of the whole image; updraft_image_complete */
    uint8_t state_;
    bool has_descriptor_;
    uint8_t segment_count;                      /* segments whose header has been seen */
    uint8_t checksum_stored;                    /* updraft_image_complete */
    uint8_t checksum;                           /* computed so far */
    struct updraft_image_header header;         /* updraft_image_has_header */
    struct updraft_image_descriptor descriptor; /* updraft_image_has_descriptor */
    struct updraft_image_segment segments[UPDRAFT_IMAGE_SEGMENTS_MAX]; /* segment_count */
    /* As appended; updraft_image_complete and header.hash_appended. */
    uint8_t hash[UPDRAFT_IMAGE_HASH_SIZE];
    uint8_t item_[UPDRAFT_IMAGE_DESCRIPTOR_SIZE];
};

/* Starts a parse. limit_bytes: an image that would be longer fails with IMAGE_TOO_LARGE
 * as soon as its headers say so; the size of the slot, or UINT32_MAX. */
void updraft_image_init(struct updraft_image *image, uint32_t limit_bytes);

/* Takes the next bytes of the image, in pieces of any size. What follows the image's own
 * end is ignored (protocol 1 pads its last packet). Returns 0, or the first error met,
 * which every later call returns again: IMAGE_MAGIC, IMAGE_SEGMENTS, IMAGE_SEGMENT,
 * IMAGE_TOO_LARGE, IMAGE_CHECKSUM. An image without a descriptor (a boot loader is one)
 * is no error of the parser. */
int updraft_image_input(struct updraft_image *image, const uint8_t *bytes, size_t size);

/* True once the 24 bytes of the header are in. */
bool updraft_image_has_header(const struct updraft_image *image);

/* True once the first 288 bytes are in and hold a descriptor, within the first segment.
 */
bool updraft_image_has_descriptor(const struct updraft_image *image);

/* Does the image suit this chip? Only once updraft_image_has_header. chip_revision: major
 * * 100 + minor. ignore_maximum: the chip's eFuse lifts the upper limit
 * (DISABLE_WAFER_VERSION_MAJOR). Returns 0, IMAGE_CHIP or IMAGE_CHIP_REVISION. */
int updraft_image_check_chip(const struct updraft_image *image, uint16_t chip_id,
                             uint16_t chip_revision, bool ignore_maximum);

/* True once the last byte (checksum, or hash where one is appended) is in. */
bool updraft_image_complete(const struct updraft_image *image);

/* Ends the parse. Returns 0 when the image is whole as far as the parser can tell,
 * IMAGE_TRUNCATED when bytes are missing, or the error met before. */
int updraft_image_finish(const struct updraft_image *image);

/* Compares the appended hash with the SHA-256 that the caller computed over the image's
 * first hashed_size_bytes. Only after updraft_image_finish returned 0. Returns 0,
 * IMAGE_HASH, or IMAGE_NO_HASH where none is appended. */
int updraft_image_check_hash(const struct updraft_image *image,
                             const uint8_t digest[UPDRAFT_IMAGE_HASH_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
