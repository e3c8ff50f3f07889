/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What to erase at once: sectors let a slow link go on meanwhile, blocks cost less. */
#include "bytes.h"
#include "check.h"
#include "device_private.h"

/* A block takes about as long as so many sectors (datasheets: 3 to 6), as long as it has
 * not been measured; so a file's end of more sectors than this is erased as a block. */
#define BLOCK_IN_SECTORS  6u
#define SECTORS_PER_BLOCK (UPDRAFT_FLASH_BLOCK_SIZE / UPDRAFT_FLASH_SECTOR_SIZE)
/* A link must not be silent for more than this part of its supervision timeout. */
#define SUPERVISION_PART 3u
#define LONG_MS          100u

static uint32_t block_ms(const struct updraft_erase_plan *plan);
static bool block_suits(const struct updraft_device *device, uint32_t from);
static void judge_block(struct updraft_erase_plan *plan, uint32_t took_ms);

/* A range begins. What was measured in this session stays known. */
void updraft_erase_begin(struct updraft_device *device, uint32_t now_ms)
{
    device->erase.block_timed = false;
    device->erase.write_ms = 0;
    device->erase.block_begun_ms = now_ms;
}

uint32_t updraft_erase_choose(struct updraft_device *device, uint32_t now_ms)
{
    struct updraft_erase_plan *plan = &device->erase;
    uint32_t from = device->erased_bytes;
    /* The first one tells how long it takes. */
    if (plan->sector_ms == 0 || from % UPDRAFT_FLASH_BLOCK_SIZE != 0) {
        return UPDRAFT_FLASH_SECTOR_SIZE;
    }
    if (plan->block_timed && from != plan->block_at_bytes) {
        judge_block(plan, now_ms - plan->block_begun_ms);
    }
    if (!plan->block_timed || from != plan->block_at_bytes) {
        plan->block_timed = true;
        plan->block_at_bytes = from;
        plan->block_begun_ms = now_ms;
        plan->write_ms = 0;
    }
    return block_suits(device, from) ? UPDRAFT_FLASH_BLOCK_SIZE
                                     : UPDRAFT_FLASH_SECTOR_SIZE;
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
    return fits && is_ours && endures && !plan->by_sectors &&
           left > BLOCK_IN_SECTORS * UPDRAFT_FLASH_SECTOR_SIZE;
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
    CHECK(device->action_size_bytes == UPDRAFT_FLASH_SECTOR_SIZE ||
          device->action_size_bytes == UPDRAFT_FLASH_BLOCK_SIZE);
    bool is_first = plan->sector_ms == 0;
    uint32_t from = device->erased_bytes - device->action_size_bytes;
    took_ms = took_ms > 0 ? took_ms : 1;
    uint32_t *longest = device->action_size_bytes == UPDRAFT_FLASH_BLOCK_SIZE
                            ? &plan->block_ms
                            : &plan->sector_ms;
    *longest = took_ms > *longest ? took_ms : *longest;
    if (is_first && from % UPDRAFT_FLASH_BLOCK_SIZE == 0 && block_suits(device, from)) {
        device->erased_bytes = from; /* nothing is in it yet: now the block as a whole */
    }
}

static uint32_t block_ms(const struct updraft_erase_plan *plan)
{
    return plan->block_ms > 0 ? plan->block_ms : BLOCK_IN_SECTORS * plan->sector_ms;
}

/* A block was filled. How much of an erase hides behind the link depends on what the
 * controller holds meanwhile, which nobody tells; so both ways are tried, but sectors
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
    } else if (plan->blocks_took_ms > 0) {
        uint32_t bound_ms = SECTORS_PER_BLOCK * plan->sector_ms + plan->write_ms;
        plan->by_sectors = bound_ms * 20 < plan->blocks_took_ms * 19;
    }
}
