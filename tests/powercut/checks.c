/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What must hold of a board's flash, whatever happened to it. */
#include <string.h>

#include "sim/chip/otadata.h"
#include "tests/powercut/rig.h"

static const uint8_t *flash_of(const struct rig *rig)
{
    return sim_flash_bytes(rig->world->flash);
}

static bool is_unchanged(const struct rig *rig, uint32_t offset, uint32_t size)
{
    return memcmp(flash_of(rig) + offset, rig->flash + offset, size) == 0;
}

static bool part_is_unchanged(const struct rig *rig, const char *label)
{
    const struct sim_partition *part = fixture_part(rig->world, label);
    return is_unchanged(rig, part->offset, part->size);
}

static bool holds(const struct rig *rig, const struct fixture_image *image)
{
    const struct sim_partition *part = fixture_part(rig->world, rig->target);
    return memcmp(flash_of(rig) + part->offset, image->bytes, image->size) == 0;
}

bool rig_runs(const struct rig *rig, const struct fixture_image *image)
{
    const char *running = sim_board_running(rig->world->board);
    return running != NULL && strcmp(running, rig->target) == 0 &&
           (image == NULL ? part_is_unchanged(rig, rig->target) : holds(rig, image));
}

/* Whether an entry of otadata names the slot of the update, and the slot holds nothing
 * that may run. As before the job, it may hold what it then held, and be named as it then
 * was. */
static const char *check_otadata(const struct rig *rig)
{
    uint32_t offset = fixture_part(rig->world, "otadata")->offset;
    bool slot_unchanged = part_is_unchanged(rig, rig->target);
    for (uint32_t i = 0; i < 2; i++) {
        struct sim_otadata_entry entry;
        struct sim_otadata_entry before;
        uint32_t at = offset + i * SIM_FLASH_SECTOR;
        sim_otadata_decode(flash_of(rig) + at, &entry);
        sim_otadata_decode(rig->flash + at, &before);
        if (!sim_otadata_is_valid(&entry) ||
            strcmp(rig->target, (entry.seq - 1) % 2 == 0 ? "ota_0" : "ota_1") != 0) {
            continue;
        }
        if (slot_unchanged ? entry.seq != before.seq && !rig->target_verified
                           : !holds(rig, &rig->image) && !holds(rig, &rig->after)) {
            return "otadata names a slot that holds no whole image";
        }
    }
    return NULL;
}

const char *rig_check_flash(const struct rig *rig)
{
    if (!is_unchanged(rig, 0, fixture_part(rig->world, "nvs")->offset)) {
        return "boot loader or partition table changed";
    }
    if (!rig->course->no_factory && !part_is_unchanged(rig, "factory")) {
        return "factory changed";
    }
    if (!part_is_unchanged(rig, rig->before)) {
        return "the slot that ran changed";
    }
    if (course_goes_back(rig->course) && !part_is_unchanged(rig, rig->target)) {
        return "a rollback changed an image";
    }
    return check_otadata(rig);
}

const char *rig_check_running(const struct rig *rig)
{
    const char *running = sim_board_running(rig->world->board);
    if (!fixture_verifies(rig->world)) {
        return "what runs does not verify";
    }
    if (strcmp(running, rig->before) == 0) {
        return NULL; /* rig_check_flash compares it */
    }
    if (course_goes_back(rig->course)
            ? !rig_runs(rig, NULL)
            : !rig_runs(rig, &rig->image) && !rig_runs(rig, &rig->after)) {
        return "what runs is neither the old firmware nor the new one";
    }
    return NULL;
}
