/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Flash and boots compared with before. */
#include "tests/world/unharmed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/chip/otadata.h"

void unharmed_begin(struct unharmed *before, const world_t *world)
{
    before->boots = sim_board_boots(world->board);
    snprintf(before->running, sizeof(before->running), "%s",
             sim_board_running(world->board));
    snprintf(before->target, sizeof(before->target), "%s",
             strcmp(before->running, "ota_0") == 0 ? "ota_1" : "ota_0");
    before->flash = malloc(UNHARMED_FLASH_SIZE);
    assert_non_null(before->flash);
    memcpy(before->flash, sim_flash_bytes(world->flash), UNHARMED_FLASH_SIZE);
    for (uint32_t sector = 0; sector < UNHARMED_SECTORS; sector++) {
        before->wear[sector] = sim_flash_wear(world->flash, sector);
    }
}

void unharmed_end(struct unharmed *before)
{
    free(before->flash);
}

static bool is_unchanged(const struct unharmed *before, const world_t *world,
                         uint32_t from, uint32_t to)
{
    return memcmp(sim_flash_bytes(world->flash) + from, before->flash + from,
                  to - from) == 0;
}

/* An entry of otadata that named the target may be gone; what leads to the running slot
 * may not. */
static bool otadata_is_fine(const struct unharmed *before, const world_t *world,
                            uint32_t offset)
{
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t at = offset + i * SIM_FLASH_SECTOR;
        struct sim_otadata_entry entry;
        sim_otadata_decode(before->flash + at, &entry);
        uint32_t slot = entry.seq == UINT32_MAX ? 0 : (entry.seq - 1) % 2;
        bool names_target =
            entry.seq != UINT32_MAX && before->target[4] == '0' + (int)slot;
        bool blank = true;
        for (uint32_t j = 0; j < SIM_FLASH_SECTOR; j++) {
            blank = blank && sim_flash_bytes(world->flash)[at + j] == 0xFF;
        }
        if (!is_unchanged(before, world, at, at + SIM_FLASH_SECTOR) &&
            !(names_target && blank)) {
            return false;
        }
    }
    return true;
}

/* An erase leaves no trace in a sector that was blank before, except of wear. */
static bool is_erased_outside(const struct unharmed *before, const world_t *world,
                              const struct sim_partition *target,
                              const struct sim_partition *otadata,
                              const struct sim_partition *nvs)
{
    for (uint32_t sector = 0; sector < UNHARMED_SECTORS; sector++) {
        uint32_t at = sector * SIM_FLASH_SECTOR;
        bool allowed = (at >= target->offset && at < target->offset + target->size) ||
                       (at >= otadata->offset && at < otadata->offset + otadata->size) ||
                       (at >= nvs->offset && at < nvs->offset + nvs->size);
        if (!allowed && sim_flash_wear(world->flash, sector) != before->wear[sector]) {
            return true;
        }
    }
    return false;
}

const char *unharmed_check(const struct unharmed *before, world_t *world)
{
    struct sim_board_stats stats;
    if (sim_board_boots(world->board) != before->boots || !fixture_runs(world)) {
        return "the board restarted";
    }
    sim_board_stats(world->board, &stats);
    if (stats.host_task_flash_calls != 0) {
        return "the host task touched flash";
    }
    const struct sim_partition target = *fixture_part(world, before->target);
    const struct sim_partition otadata = *fixture_part(world, "otadata");
    const struct sim_partition nvs = *fixture_part(world, "nvs"); /* a note is there */
    if (!is_unchanged(before, world, 0, nvs.offset) ||
        !is_unchanged(before, world, nvs.offset + nvs.size, otadata.offset) ||
        !is_unchanged(before, world, otadata.offset + otadata.size, target.offset) ||
        !is_unchanged(before, world, target.offset + target.size, UNHARMED_FLASH_SIZE) ||
        is_erased_outside(before, world, &target, &otadata, &nvs)) {
        return "flash outside the target slot changed";
    }
    if (!otadata_is_fine(before, world, otadata.offset)) {
        return "otadata no longer leads to what runs";
    }
    return NULL;
}
