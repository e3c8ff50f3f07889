/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The image parser: one step with any bytes, from any state that the parser's own checks
 * let pass, reads and writes only what it may. */
#include "proof.h"

#include "../core/src/bytes.c"
#include "../core/src/image.c"

#define PIECE_MAX 512u
#define UNKNOWN() Frama_C_unsigned_int_interval(0, UINT32_MAX)

static uint8_t piece[PIECE_MAX];

static size_t wanted(uint8_t state)
{
    switch ((enum parser_state)state) {
    case STATE_HEADER:
        return HEADER_SIZE;
    case STATE_SEGMENT_HEADER:
        return SEGMENT_HEADER_SIZE;
    case STATE_DESCRIPTOR:
        return UPDRAFT_IMAGE_DESCRIPTOR_SIZE;
    case STATE_HASH:
        return UPDRAFT_IMAGE_HASH_SIZE;
    case STATE_DATA:
    case STATE_PADDING:
    case STATE_CHECKSUM:
    case STATE_END:
        break;
    }
    return 1;
}

/* A parse in that state with so many bytes of the item, everything else unknown. */
static struct updraft_image any_image(uint8_t state, uint32_t used)
{
    struct updraft_image image = {0};
    any_bytes(image.item_, sizeof(image.item_));
    image.item_[0] =
        state == STATE_HEADER && used > 0 ? UPDRAFT_IMAGE_MAGIC : image.item_[0];
    image.state_ = state;
    image.item_used_bytes_ = used;
    image.limit_bytes_ = UNKNOWN();
    image.offset_bytes_ = UNKNOWN();
    image.data_left_bytes_ = Frama_C_unsigned_int_interval(1, UINT32_MAX);
    image.checksum = (uint8_t)ANY(0, 255);
    image.header.hash_appended = ANY(0, 1);
    return image;
}

static void step(struct updraft_image *image, size_t least, size_t most)
{
    size_t size = (size_t)ANY((int)least, (int)most);
    size_t taken = take(image, piece, size);
    //@ assert progress: 1 <= taken <= most;
    if (image->error_ == 0 && image->state_ != STATE_END) {
        //@ assert item: image->item_used_bytes_ < 256;
        //@ assert segments: image->segment_count <= 16;
    }
}

/* Item by item: the rest of it, less, or more is there. */
static void collect_item(uint8_t state, uint8_t known, uint8_t count)
{
    size_t size = wanted(state);
    for (uint32_t used = 0; used < size; used++) {
        struct updraft_image image = any_image(state, used);
        image.segment_count = known;
        image.header.segment_count = count;
        struct updraft_image same = image;
        size_t left = size - used;
        step(&image, left, PIECE_MAX);
        if (left > 1) {
            step(&same, 1, left - 1);
        }
    }
}

int main(void)
{
    any_bytes(piece, sizeof(piece));
    collect_item(STATE_HEADER, 0, 0);
    for (uint8_t count = 1; count <= UPDRAFT_IMAGE_SEGMENTS_MAX; count++) {
        for (uint8_t known = 0; known < count; known++) {
            collect_item(STATE_SEGMENT_HEADER, known, count);
        }
    }
    collect_item(STATE_DESCRIPTOR, 1, 1);
    collect_item(STATE_DESCRIPTOR, 1, 2);
    collect_item(STATE_CHECKSUM, 1, 1);
    collect_item(STATE_HASH, 1, 1);
    for (uint8_t state = STATE_DATA; state <= STATE_PADDING; state++) {
        for (uint8_t known = 1; known <= UPDRAFT_IMAGE_SEGMENTS_MAX; known++) {
            struct updraft_image image = any_image(state, 0);
            image.segment_count = known;
            image.header.segment_count = known;
            step(&image, 1, PIECE_MAX);
        }
    }
    return 0;
}
