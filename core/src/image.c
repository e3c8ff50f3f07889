/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The streaming parser of ESP32 application images. */
#include "updraft/image.h"

#include "bytes.h"
#include "check.h"
#include "updraft/error.h"

#define HEADER_SIZE         24u
#define SEGMENT_HEADER_SIZE 8u
#define SEGMENT_SIZE_LIMIT  0x1000000u /* ESP_IMAGE_MAX_FLASH_ADDR_SIZE: below it */
#define CHECKSUM_SEED       0xEFu
#define CHECKSUM_BLOCK      16u /* the checksum is the last byte of such a block */

_Static_assert(HEADER_SIZE + SEGMENT_HEADER_SIZE + UPDRAFT_IMAGE_DESCRIPTOR_SIZE ==
                   UPDRAFT_IMAGE_HEAD_SIZE,
               "the head ends with the descriptor");
/* Segment sizes are judged before they are added up, so no offset can wrap. */
_Static_assert((uint64_t)UPDRAFT_IMAGE_SEGMENTS_MAX *(SEGMENT_SIZE_LIMIT +
                                                      SEGMENT_HEADER_SIZE) +
                       HEADER_SIZE + CHECKSUM_BLOCK + UPDRAFT_IMAGE_HASH_SIZE <
                   UINT32_MAX,
               "offsets fit 32 bits");

/* What the next bytes are. */
enum parser_state {
    STATE_HEADER,
    STATE_SEGMENT_HEADER,
    STATE_DESCRIPTOR, /* the first bytes of the first segment's data */
    STATE_DATA,
    STATE_PADDING,
    STATE_CHECKSUM,
    STATE_HASH,
    STATE_END,
};

static size_t take(struct updraft_image *image, const uint8_t *bytes, size_t size);
static size_t collect(struct updraft_image *image, size_t wanted, const uint8_t *bytes,
                      size_t size);
static size_t pass_over(struct updraft_image *image, const uint8_t *bytes, size_t size,
                        bool is_data);
static enum parser_state after_header(struct updraft_image *image);
static enum parser_state after_segment_header(struct updraft_image *image);
static enum parser_state after_descriptor(struct updraft_image *image);
static enum parser_state after_data(struct updraft_image *image);
static enum parser_state after_checksum(struct updraft_image *image);
static enum parser_state after_hash(struct updraft_image *image);
static uint32_t checksum_offset(uint32_t data_end_bytes);
static void limit_size(struct updraft_image *image, uint32_t data_end_bytes);

const char *updraft_chip_name(uint16_t chip_id)
{
    static const struct {
        uint16_t id;
        char name[9];
    } chips[] = {
        {UPDRAFT_CHIP_ESP32, "esp32"},       {UPDRAFT_CHIP_ESP32S2, "esp32s2"},
        {UPDRAFT_CHIP_ESP32C3, "esp32c3"},   {UPDRAFT_CHIP_ESP32S3, "esp32s3"},
        {UPDRAFT_CHIP_ESP32C2, "esp32c2"},   {UPDRAFT_CHIP_ESP32C6, "esp32c6"},
        {UPDRAFT_CHIP_ESP32H2, "esp32h2"},   {UPDRAFT_CHIP_ESP32P4, "esp32p4"},
        {UPDRAFT_CHIP_ESP32C61, "esp32c61"}, {UPDRAFT_CHIP_ESP32C5, "esp32c5"},
        {UPDRAFT_CHIP_ESP32H21, "esp32h21"}, {UPDRAFT_CHIP_ESP32H4, "esp32h4"},
        {UPDRAFT_CHIP_ESP32S31, "esp32s31"},
    };
    for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++) {
        if (chips[i].id == chip_id) {
            return chips[i].name;
        }
    }
    return NULL;
}

void updraft_image_init(struct updraft_image *image, uint32_t limit_bytes)
{
    memset(image, 0, sizeof(*image));
    image->limit_bytes_ = limit_bytes;
    image->checksum = CHECKSUM_SEED;
    image->state_ = STATE_HEADER;
}

int updraft_image_input(struct updraft_image *image, const uint8_t *bytes, size_t size)
{
    size_t used = 0;
    while (used < size && !image->error_ && image->state_ != STATE_END) {
        size_t taken = take(image, bytes + used, size - used);
        CHECK(taken > 0 && taken <= size - used);
        used += taken;
    }
    return image->error_;
}

bool updraft_image_has_header(const struct updraft_image *image)
{
    return image->offset_bytes_ >= HEADER_SIZE;
}

bool updraft_image_has_descriptor(const struct updraft_image *image)
{
    return image->has_descriptor_;
}

int updraft_image_check_chip(const struct updraft_image *image, uint16_t chip_id,
                             uint16_t chip_revision, bool ignore_maximum)
{
    CHECK(updraft_image_has_header(image));
    const struct updraft_image_header *header = &image->header;
    if (header->chip_id != chip_id) {
        return UPDRAFT_ERROR_IMAGE_CHIP;
    }
    bool has_maximum =
        header->chip_revision_max != 0 && header->chip_revision_max != UINT16_MAX;
    if (chip_revision < header->chip_revision_min ||
        (has_maximum && !ignore_maximum && chip_revision > header->chip_revision_max)) {
        return UPDRAFT_ERROR_IMAGE_CHIP_REVISION;
    }
    return 0;
}

bool updraft_image_complete(const struct updraft_image *image)
{
    return image->state_ == STATE_END;
}

int updraft_image_finish(const struct updraft_image *image)
{
    if (image->error_) {
        return image->error_;
    }
    return updraft_image_complete(image) ? 0 : UPDRAFT_ERROR_IMAGE_TRUNCATED;
}

int updraft_image_check_hash(const struct updraft_image *image,
                             const uint8_t digest[UPDRAFT_IMAGE_HASH_SIZE])
{
    CHECK(updraft_image_finish(image) == 0);
    if (!image->header.hash_appended) {
        return UPDRAFT_ERROR_IMAGE_NO_HASH;
    }
    return memcmp(image->hash, digest, UPDRAFT_IMAGE_HASH_SIZE) == 0
               ? 0
               : UPDRAFT_ERROR_IMAGE_HASH;
}

/* Takes at least one byte, at most up to the end of the item that the state names.
 * Returns how many. */
static size_t take(struct updraft_image *image, const uint8_t *bytes, size_t size)
{
    size_t taken = 0;
    switch ((enum parser_state)image->state_) {
    case STATE_HEADER:
        taken = collect(image, HEADER_SIZE, bytes, size);
        if (image->item_[0] != UPDRAFT_IMAGE_MAGIC) {
            image->error_ = UPDRAFT_ERROR_IMAGE_MAGIC;
        } else if (image->item_used_bytes_ == HEADER_SIZE) {
            image->state_ = after_header(image);
        }
        break;
    case STATE_SEGMENT_HEADER:
        taken = collect(image, SEGMENT_HEADER_SIZE, bytes, size);
        if (image->item_used_bytes_ == SEGMENT_HEADER_SIZE) {
            image->state_ = after_segment_header(image);
        }
        break;
    case STATE_DESCRIPTOR:
        taken = collect(image, UPDRAFT_IMAGE_DESCRIPTOR_SIZE, bytes, size);
        if (image->item_used_bytes_ == UPDRAFT_IMAGE_DESCRIPTOR_SIZE) {
            image->state_ = after_descriptor(image);
        }
        break;
    case STATE_DATA:
        taken = pass_over(image, bytes, size, /* is_data= */ true);
        if (image->data_left_bytes_ == 0) {
            image->state_ = after_data(image);
        }
        break;
    case STATE_PADDING:
        taken = pass_over(image, bytes, size, /* is_data= */ false);
        if (image->data_left_bytes_ == 0) {
            image->state_ = STATE_CHECKSUM;
        }
        break;
    case STATE_CHECKSUM:
        taken = collect(image, 1, bytes, size);
        image->state_ = after_checksum(image);
        break;
    case STATE_HASH:
        taken = collect(image, UPDRAFT_IMAGE_HASH_SIZE, bytes, size);
        if (image->item_used_bytes_ == UPDRAFT_IMAGE_HASH_SIZE) {
            image->state_ = after_hash(image);
        }
        break;
    case STATE_END:
        break;
    }
    return taken;
}

/* Adds to item_ until it holds the wanted size. */
static size_t collect(struct updraft_image *image, size_t wanted, const uint8_t *bytes,
                      size_t size)
{
    CHECK(wanted <= sizeof(image->item_));
    CHECK(image->item_used_bytes_ < wanted);
    size_t taken = wanted - image->item_used_bytes_;
    if (taken > size) {
        taken = size;
    }
    memcpy(image->item_ + image->item_used_bytes_, bytes, taken);
    image->item_used_bytes_ += (uint32_t)taken;
    image->offset_bytes_ += (uint32_t)taken;
    return taken;
}

/* Goes on within data_left_bytes_ without keeping the bytes. */
static size_t pass_over(struct updraft_image *image, const uint8_t *bytes, size_t size,
                        bool is_data)
{
    CHECK(image->data_left_bytes_ > 0);
    size_t taken = image->data_left_bytes_;
    if (taken > size) {
        taken = size;
    }
    if (is_data) {
        uint8_t checksum = image->checksum;
        for (size_t i = 0; i < taken; i++) {
            checksum ^= bytes[i];
        }
        image->checksum = checksum;
    }
    image->data_left_bytes_ -= (uint32_t)taken;
    image->offset_bytes_ += (uint32_t)taken;
    return taken;
}

static enum parser_state after_header(struct updraft_image *image)
{
    struct cursor fields = cursor_over(image->item_, HEADER_SIZE);
    struct updraft_image_header *header = &image->header;
    updraft_cursor_take(&fields, 1); /* magic, judged when it came */
    header->segment_count = updraft_cursor_get8(&fields);
    header->spi_mode = updraft_cursor_get8(&fields);
    uint8_t speed_and_size = updraft_cursor_get8(&fields);
    header->spi_speed = speed_and_size & 0x0F;
    header->flash_size = speed_and_size >> 4;
    header->entry_address = updraft_cursor_get32(&fields);
    header->wp_pin = updraft_cursor_get8(&fields);
    updraft_cursor_get_bytes(&fields, header->spi_pin_drive,
                             sizeof(header->spi_pin_drive));
    header->chip_id = updraft_cursor_get16(&fields);
    header->chip_revision_old = updraft_cursor_get8(&fields);
    header->chip_revision_min = updraft_cursor_get16(&fields);
    header->chip_revision_max = updraft_cursor_get16(&fields);
    updraft_cursor_take(&fields, 4); /* reserved */
    header->hash_appended = updraft_cursor_get8(&fields) != 0;
    CHECK(!fields.overrun && fields.left_bytes == 0);
    image->item_used_bytes_ = 0;
    if (header->segment_count == 0 ||
        header->segment_count > UPDRAFT_IMAGE_SEGMENTS_MAX) {
        image->error_ = UPDRAFT_ERROR_IMAGE_SEGMENTS;
    } else {
        limit_size(image, image->offset_bytes_);
    }
    return STATE_SEGMENT_HEADER;
}

static enum parser_state after_segment_header(struct updraft_image *image)
{
    CHECK(image->segment_count < image->header.segment_count);
    struct cursor fields = cursor_over(image->item_, SEGMENT_HEADER_SIZE);
    struct updraft_image_segment *segment = &image->segments[image->segment_count++];
    segment->load_address = updraft_cursor_get32(&fields);
    segment->size_bytes = updraft_cursor_get32(&fields);
    segment->offset_bytes = image->offset_bytes_;
    CHECK(!fields.overrun && fields.left_bytes == 0);
    image->item_used_bytes_ = 0;
    if (segment->size_bytes % 4 != 0 || segment->size_bytes >= SEGMENT_SIZE_LIMIT) {
        image->error_ = UPDRAFT_ERROR_IMAGE_SEGMENT;
        return STATE_DATA;
    }
    limit_size(image, image->offset_bytes_ + segment->size_bytes);
    image->data_left_bytes_ = segment->size_bytes;
    if (image->segment_count == 1 &&
        segment->size_bytes >= UPDRAFT_IMAGE_DESCRIPTOR_SIZE) {
        return STATE_DESCRIPTOR;
    }
    return after_data(image);
}

static enum parser_state after_descriptor(struct updraft_image *image)
{
    for (size_t i = 0; i < UPDRAFT_IMAGE_DESCRIPTOR_SIZE; i++) {
        image->checksum ^= image->item_[i];
    }
    image->data_left_bytes_ -= UPDRAFT_IMAGE_DESCRIPTOR_SIZE;
    image->item_used_bytes_ = 0;
    struct cursor fields = cursor_over(image->item_, UPDRAFT_IMAGE_DESCRIPTOR_SIZE);
    if (updraft_cursor_get32(&fields) != UPDRAFT_IMAGE_DESCRIPTOR_MAGIC) {
        return after_data(image);
    }
    /* The strings are one byte longer than their fields, and that byte stays 0. */
    struct updraft_image_descriptor *descriptor = &image->descriptor;
    descriptor->secure_version = updraft_cursor_get32(&fields);
    updraft_cursor_take(&fields, 8); /* reserved */
    updraft_cursor_get_bytes(&fields, descriptor->version,
                             sizeof(descriptor->version) - 1);
    updraft_cursor_get_bytes(&fields, descriptor->project,
                             sizeof(descriptor->project) - 1);
    updraft_cursor_get_bytes(&fields, descriptor->time, sizeof(descriptor->time) - 1);
    updraft_cursor_get_bytes(&fields, descriptor->date, sizeof(descriptor->date) - 1);
    updraft_cursor_get_bytes(&fields, descriptor->idf_version,
                             sizeof(descriptor->idf_version) - 1);
    updraft_cursor_get_bytes(&fields, descriptor->elf_sha256,
                             sizeof(descriptor->elf_sha256));
    descriptor->efuse_block_revision_min = updraft_cursor_get16(&fields);
    descriptor->efuse_block_revision_max = updraft_cursor_get16(&fields);
    descriptor->mmu_page_size_log2 = updraft_cursor_get8(&fields);
    descriptor->spi_flash_mode = updraft_cursor_get8(&fields);
    CHECK(!fields.overrun); /* the rest is reserved */
    image->has_descriptor_ = true;
    return after_data(image);
}

/* What follows a segment's data, or follows at once where nothing of it is left. */
static enum parser_state after_data(struct updraft_image *image)
{
    if (image->data_left_bytes_ > 0) {
        return STATE_DATA;
    }
    if (image->segment_count < image->header.segment_count) {
        return STATE_SEGMENT_HEADER;
    }
    image->data_left_bytes_ =
        checksum_offset(image->offset_bytes_) - image->offset_bytes_;
    return image->data_left_bytes_ > 0 ? STATE_PADDING : STATE_CHECKSUM;
}

static enum parser_state after_checksum(struct updraft_image *image)
{
    CHECK(image->offset_bytes_ % CHECKSUM_BLOCK == 0);
    image->checksum_stored = image->item_[0];
    image->item_used_bytes_ = 0;
    image->hashed_size_bytes = image->offset_bytes_;
    image->size_bytes = image->offset_bytes_;
    if (image->checksum != image->checksum_stored) {
        image->error_ = UPDRAFT_ERROR_IMAGE_CHECKSUM;
    }
    return image->header.hash_appended ? STATE_HASH : STATE_END;
}

static enum parser_state after_hash(struct updraft_image *image)
{
    memcpy(image->hash, image->item_, sizeof(image->hash));
    image->size_bytes = image->offset_bytes_;
    CHECK(image->size_bytes <= image->limit_bytes_);
    return STATE_END;
}

static uint32_t checksum_offset(uint32_t data_end_bytes)
{
    return data_end_bytes / CHECKSUM_BLOCK * CHECKSUM_BLOCK + CHECKSUM_BLOCK - 1;
}

/* Fails where the shortest image that could still follow would be longer than the limit.
 * data_end_bytes: where the last segment whose header is known ends. */
static void limit_size(struct updraft_image *image, uint32_t data_end_bytes)
{
    uint32_t segments_to_come =
        (uint32_t)image->header.segment_count - image->segment_count;
    uint32_t least_size =
        checksum_offset(data_end_bytes + segments_to_come * SEGMENT_HEADER_SIZE) + 1;
    if (image->header.hash_appended) {
        least_size += UPDRAFT_IMAGE_HASH_SIZE;
    }
    if (least_size > image->limit_bytes_) {
        image->error_ = UPDRAFT_ERROR_IMAGE_TOO_LARGE;
    }
}
