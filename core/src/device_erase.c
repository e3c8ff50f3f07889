/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What to erase at once, and when: sectors hide behind the stream, blocks cost less. */
#include "bytes.h"
#include "check.h"
#include "device_private.h"

/* While flash is erased the chip's host stands still, and of what is sent meanwhile only
 * that arrives which the controller can hold. How much that is differs between chips, and
 * none says it; so it is measured at every erase, as is all else that the choice rests
 * on.
 */

/* A block takes about as long as so many sectors (datasheets: 3 to 6), as long as it has
 * not been measured; so a file's end of more sectors than this is erased as a block. */
#define BLOCK_IN_SECTORS  6u
#define SECTORS_PER_BLOCK (UPDRAFT_FLASH_BLOCK_SIZE / UPDRAFT_FLASH_SECTOR_SIZE)
/* A link must not be silent for more than this part of its supervision timeout. */
#define SUPERVISION_PART 3u
#define LONG_MS          100u
/* So much of the stream must have been seen before its rate means anything. */
#define RATE_LEAST_MS    100u
#define RATE_LEAST_BYTES 24576u
/* A controller that held less than a PDU during erases of so long stood still itself. */
#define HELD_LEAST_BYTES 200u
#define STALL_LEAST_MS   40u
#define BATCH_BYTES      6144u
/* Nothing is erased further ahead than this: a link that fell silent must not cost more
 * erases than its stream would have needed. */
#define AHEAD_MAX_BYTES (2u * UPDRAFT_FLASH_BLOCK_SIZE)

#define PASSES_DEFAULT     30u
#define PASS_PAUSE_DEFAULT 60000u

static bool hides_sectors(const struct updraft_erase_plan *plan, uint32_t rate);
static void judge_block(struct updraft_erase_plan *plan, uint32_t took_ms);
static uint32_t lead_bytes(const struct updraft_erase_plan *plan, uint32_t rate);
static uint32_t link_rate(const struct updraft_device *device, uint32_t now_ms);
static uint32_t block_ms(const struct updraft_erase_plan *plan);
static bool block_suits(const struct updraft_device *device, uint32_t from);

void updraft_erase_init(struct updraft_device *device)
{
    struct updraft_device_config *config = &device->config;
    if (config->erasing_max == 0) {
        config->erasing_max = PASSES_DEFAULT;
    }
    if (config->erasing_pause_ms == 0) {
        config->erasing_pause_ms = PASS_PAUSE_DEFAULT;
    }
    device->erase.passes_left = config->erasing_max;
}

/* A bucket of passes, refilled slowly. */
bool updraft_erase_allowed(struct updraft_device *device, uint32_t now_ms,
                           uint32_t *ret_wait_s)
{
    struct updraft_erase_plan *plan = &device->erase;
    uint32_t pause_ms = device->config.erasing_pause_ms;
    uint32_t gained = (now_ms - plan->passes_ms) / pause_ms;
    plan->passes_ms += gained * pause_ms;
    uint32_t left = plan->passes_left + gained;
    left = left < device->config.erasing_max ? left : device->config.erasing_max;
    plan->passes_left = (uint16_t)left;
    *ret_wait_s = left > 0 ? 0 : (pause_ms - (now_ms - plan->passes_ms)) / 1000 + 1;
    return left > 0;
}

void updraft_erase_spend(struct updraft_device *device)
{
    if (device->erase.passes_left > 0) {
        device->erase.passes_left--;
    }
}

void updraft_device_set_queued(struct updraft_device *device, uint32_t size_bytes)
{
    device->erase.queued_bytes = size_bytes;
}

uint32_t updraft_device_batch_bytes(const struct updraft_device *device)
{
    const struct updraft_erase_plan *plan = &device->erase;
    bool stalls =
        plan->erased_ms >= STALL_LEAST_MS && plan->held_bytes < HELD_LEAST_BYTES;
    return device->state == UPDRAFT_DEVICE_RECEIVING && device->protocol == 2 && stalls
               ? BATCH_BYTES
               : 0;
}

void updraft_erase_begin(struct updraft_device *device, uint32_t now_ms)
{
    struct updraft_erase_plan *plan = &device->erase;
    plan->held_bytes = 0;
    plan->begun_ms = now_ms;
    plan->erased_ms = 0;
    plan->written_ms = 0;
    plan->taken_bytes = 0;
    plan->stalled_bytes = 0;
    plan->block_open = false;
    plan->by_sectors = false;
    plan->blocks_took_ms = 0;
    plan->sectors_took_ms = 0;
}

uint32_t updraft_erase_choose(struct updraft_device *device, uint32_t now_ms)
{
    struct updraft_erase_plan *plan = &device->erase;
    uint32_t from = device->erased_bytes;
    uint32_t rate = link_rate(device, now_ms);
    plan->queued_before = plan->queued_bytes;
    /* The first one tells how long it takes. */
    if (plan->sector_ms == 0 || from % UPDRAFT_FLASH_BLOCK_SIZE != 0) {
        return UPDRAFT_FLASH_SECTOR_SIZE;
    }
    if (plan->block_open) {
        judge_block(plan, now_ms - plan->block_begun_ms);
    }
    plan->block_open = true;
    plan->block_begun_ms = now_ms;
    bool by_sectors =
        hides_sectors(plan, rate) ? lead_bytes(plan, rate) == 0 : plan->by_sectors;
    return by_sectors || !block_suits(device, from) ? UPDRAFT_FLASH_SECTOR_SIZE
                                                    : UPDRAFT_FLASH_BLOCK_SIZE;
}

bool updraft_erase_ahead(struct updraft_device *device, uint32_t now_ms)
{
    struct updraft_erase_plan *plan = &device->erase;
    uint32_t from = device->erased_bytes;
    uint32_t rate = link_rate(device, now_ms);
    uint32_t lead = from > device->written_bytes ? from - device->written_bytes : 0;
    if (plan->queued_bytes > 0 || from >= device->stream.end_bytes ||
        lead >= AHEAD_MAX_BYTES || !hides_sectors(plan, rate)) {
        return false;
    }
    /* A block that is begun in sectors has to be finished so; is there time for all of
     * it, until what is erased already has been filled? */
    bool begins = from % UPDRAFT_FLASH_BLOCK_SIZE == 0 && block_suits(device, from);
    if (begins && lead < lead_bytes(plan, rate)) {
        return false;
    }
    plan->block_open = false; /* its time would not be of one way alone */
    plan->queued_before = 0;
    return true;
}

bool updraft_erase_needs_credit(const struct updraft_device *device)
{
    const struct updraft_device_stream *stream = &device->stream;
    uint16_t untold = (uint16_t)(stream->next - stream->told_next);
    uint32_t credit = stream->window_chunks > untold ? stream->window_chunks - untold : 0;
    return untold > 0 && device->erase.sector_ms >= STALL_LEAST_MS / 4 &&
           credit * stream->write_size_bytes <
               device->erase.held_bytes + device->erase.queued_bytes;
}

bool updraft_erase_is_long(const struct updraft_device *device, uint32_t size_bytes)
{
    const struct updraft_erase_plan *plan = &device->erase;
    return size_bytes >= UPDRAFT_FLASH_BLOCK_SIZE ? block_ms(plan) > LONG_MS
                                                  : plan->sector_ms > LONG_MS;
}

void updraft_erase_done(struct updraft_device *device, uint32_t took_ms)
{
    struct updraft_erase_plan *plan = &device->erase;
    uint32_t size = device->action_size_bytes;
    uint32_t from = device->erased_bytes - size;
    bool is_first = plan->sector_ms == 0;
    CHECK(size == UPDRAFT_FLASH_SECTOR_SIZE || size == UPDRAFT_FLASH_BLOCK_SIZE);
    plan->erased_ms += took_ms;
    took_ms = took_ms > 0 ? took_ms : 1;
    uint32_t *longest =
        size == UPDRAFT_FLASH_BLOCK_SIZE ? &plan->block_ms : &plan->sector_ms;
    *longest = took_ms > *longest ? took_ms : *longest;
    uint32_t held = plan->queued_bytes - plan->queued_before;
    held = plan->queued_bytes > plan->queued_before ? held : 0;
    plan->held_bytes = held > plan->held_bytes ? held : plan->held_bytes;
    plan->stalled_bytes += held;
    if (is_first && from % UPDRAFT_FLASH_BLOCK_SIZE == 0 && block_suits(device, from)) {
        device->erased_bytes = from; /* nothing is in it yet: now the block as a whole */
    }
}

/* Bytes a millisecond that the link carries while nothing is erased; 0: not known yet. */
static uint32_t link_rate(const struct updraft_device *device, uint32_t now_ms)
{
    const struct updraft_erase_plan *plan = &device->erase;
    uint32_t awake_ms = now_ms - plan->begun_ms - plan->erased_ms;
    uint32_t bytes = plan->taken_bytes + plan->queued_bytes - plan->stalled_bytes;
    if (bytes < RATE_LEAST_BYTES || awake_ms < RATE_LEAST_MS) {
        return 0;
    }
    return bytes / awake_ms > 0 ? bytes / awake_ms : 1;
}

/* Does a sector's erase cost the link nothing, because the controller holds all that
 * comes meanwhile? */
static bool hides_sectors(const struct updraft_erase_plan *plan, uint32_t rate)
{
    uint32_t needed_ms = plan->sector_ms + plan->sector_ms / 8; /* to be sure */
    return rate > 0 && plan->sector_ms > 0 && plan->held_bytes / rate >= needed_ms;
}

/* A block was filled. Where sectors hide only in part, both ways are tried, but sectors
 * only where they could gain a twentieth: their own flash time is a bound that is known.
 */
static void judge_block(struct updraft_erase_plan *plan, uint32_t took_ms)
{
    if (plan->by_sectors) {
        plan->sectors_took_ms = took_ms;
    } else {
        plan->blocks_took_ms = took_ms;
    }
    if (plan->blocks_took_ms > 0 && plan->sectors_took_ms > 0) {
        plan->by_sectors = plan->sectors_took_ms < plan->blocks_took_ms;
    } else {
        uint32_t write_ms =
            plan->written_ms / (plan->taken_bytes / 4096 + 1) * SECTORS_PER_BLOCK;
        uint32_t bound_ms = SECTORS_PER_BLOCK * plan->sector_ms + write_ms;
        plan->by_sectors = bound_ms * 20 < plan->blocks_took_ms * 19;
    }
}

/* How much must be erased already, so that a block can be erased in sectors beside the
 * stream without the stream catching up; 0: none. */
static uint32_t lead_bytes(const struct updraft_erase_plan *plan, uint32_t rate)
{
    uint32_t taken_kib = plan->taken_bytes / 1024 + 1;
    uint32_t written_kib = rate * plan->written_ms / 1024; /* in what it took to write */
    if (written_kib + taken_kib / 8 >= taken_kib) {
        return UINT32_MAX; /* flash alone is busy with the stream */
    }
    uint32_t took_ms =
        SECTORS_PER_BLOCK * plan->sector_ms * taken_kib / (taken_kib - written_kib);
    uint32_t came_bytes = rate * took_ms;
    return came_bytes > UPDRAFT_FLASH_BLOCK_SIZE ? came_bytes - UPDRAFT_FLASH_BLOCK_SIZE
                                                 : 0;
}

static uint32_t block_ms(const struct updraft_erase_plan *plan)
{
    return plan->block_ms > 0 ? plan->block_ms : BLOCK_IN_SECTORS * plan->sector_ms;
}

/* from: a block's start. */
static bool block_suits(const struct updraft_device *device, uint32_t from)
{
    const struct updraft_erase_plan *plan = &device->erase;
    uint32_t end = device->stream.end_bytes;
    uint32_t left = end - from;
    bool fits = device->config.slot_size_bytes - from >= UPDRAFT_FLASH_BLOCK_SIZE;
    /* Behind the range there may be sectors that are to be kept. */
    bool is_ours = left >= UPDRAFT_FLASH_BLOCK_SIZE ||
                   end == device->stream.manifest.file_size_bytes;
    bool endures = plan->supervision_ms == 0 ||
                   block_ms(plan) < plan->supervision_ms / SUPERVISION_PART;
    return fits && is_ours && endures &&
           left > BLOCK_IN_SECTORS * UPDRAFT_FLASH_SECTOR_SIZE;
}
