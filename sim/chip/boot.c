/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * ROM and second-stage boot loader: which image runs. */
#include "sim/chip/boot.h"

#include <inttypes.h>
#include <string.h>

#include "sim/chip/boot_log.h"
#include "sim/chip/chip.h"
#include "sim/chip/little_endian.h"
#include "sim/chip/otadata.h"
#include "sim/chip/verify.h"

#define TAG           "boot"
#define OTA_SLOTS_MAX 16

/* Indices as the boot loader counts: OTA slots from 0 up. */
#define INDEX_FACTORY (-1)
#define INDEX_NONE    (-99)

struct boot {
    sim_chip_t *chip;
    struct sim_partition_table table;
    const struct sim_partition *factory;
    const struct sim_partition *test;
    const struct sim_partition *ota[OTA_SLOTS_MAX];
    uint32_t ota_count; /* entries in the table, whatever their numbers */
    const struct sim_partition *otadata;
    bool initial_contents;
    struct boot_log log;
    sim_boot_log_t print;
    void *context;
    uint64_t us;
    struct sim_boot_result *result;
};

/* The ROM looks at magic and checksum only. */
static bool rom_accepts_boot_loader(struct boot *boot)
{
    const struct sim_chip_model *model = sim_chip_model_with_id(boot->chip->chip_id);
    const sim_flash_t *flash = boot->chip->flash;
    uint32_t start = model == NULL ? 0 : model->boot_loader_offset;
    const uint8_t *header = sim_flash_map(flash, start, 24, &boot->us);
    if (model == NULL || header == NULL || header[0] != 0xE9 || header[1] > 16) {
        return false;
    }
    uint32_t at = start + 24;
    uint8_t checksum = 0xEF;
    for (int i = 0; i < header[1]; i++) {
        const uint8_t *segment = sim_flash_map(flash, at, 8, &boot->us);
        if (segment == NULL) {
            return false;
        }
        uint32_t size = sim_get_le32(segment + 4);
        const uint8_t *data = sim_flash_map(flash, at + 8, size, &boot->us);
        if (data == NULL) {
            return false;
        }
        for (uint32_t j = 0; j < size; j++) {
            checksum ^= data[j];
        }
        at += 8 + size;
    }
    const uint8_t *last = sim_flash_map(flash, start + ((at - start) | 15), 1, &boot->us);
    return last != NULL && *last == checksum;
}

static const char *usage_of(const struct sim_partition *partition)
{
    if (partition->type == SIM_PARTITION_APP) {
        return partition->subtype == SIM_APP_FACTORY ? "factory app"
               : partition->subtype == SIM_APP_TEST  ? "test app"
               : sim_partition_is_ota(partition)     ? "OTA app"
                                                     : "unknown app";
    }
    if (partition->type == SIM_PARTITION_DATA) {
        return partition->subtype == SIM_DATA_OTA   ? "OTA data"
               : partition->subtype == SIM_DATA_PHY ? "RF data"
               : partition->subtype == SIM_DATA_NVS ? "WiFi data"
                                                    : "unknown data";
    }
    return "unknown";
}

/* Where two partitions have the same use, the later one counts. */
static void note_partition(struct boot *boot, const struct sim_partition *partition)
{
    if (partition->type == SIM_PARTITION_DATA && partition->subtype == SIM_DATA_OTA) {
        boot->otadata = partition;
    }
    if (partition->type != SIM_PARTITION_APP) {
        return;
    }
    if (partition->subtype == SIM_APP_FACTORY) {
        boot->factory = partition;
    } else if (partition->subtype == SIM_APP_TEST) {
        boot->test = partition;
    } else if (sim_partition_is_ota(partition)) {
        boot->ota[partition->subtype - SIM_APP_OTA_0] = partition;
        boot->ota_count++;
    }
}

static bool load_table(struct boot *boot)
{
    int error = sim_chip_table(boot->chip, &boot->table);
    if (error != SIM_OK) {
        boot_log(&boot->log, 'E', TAG, "the partition table is not valid (0x%x)",
                 (unsigned)error);
        return false;
    }
    boot_log(&boot->log, 'I', TAG, "Partition Table:");
    for (size_t i = 0; i < boot->table.count; i++) {
        const struct sim_partition *partition = &boot->table.entries[i];
        note_partition(boot, partition);
        boot_log(&boot->log, 'I', TAG,
                 "%2zu %-16s %-12s %02x %02x %08" PRIx32 " %08" PRIx32, i,
                 partition->label, usage_of(partition), partition->type,
                 partition->subtype, partition->offset, partition->size);
    }
    boot_log(&boot->log, 'I', TAG, "End of partition table");
    return true;
}

static bool read_entries(struct boot *boot, struct sim_otadata_entry entries[2])
{
    const uint8_t *bytes = sim_flash_map(boot->chip->flash, boot->otadata->offset,
                                         SIM_OTADATA_SIZE, &boot->us);
    if (bytes == NULL) {
        boot_log(&boot->log, 'E', TAG, "otadata cannot be read");
        return false;
    }
    sim_otadata_decode(bytes, &entries[0]);
    sim_otadata_decode(bytes + SIM_FLASH_SECTOR, &entries[1]);
    return true;
}

/* An error is printed and forgotten, as in the original. False: the power went. */
static bool write_entry(struct boot *boot, int index, struct sim_otadata_entry *entry,
                        uint32_t state)
{
    entry->state = state;
    int error = sim_otadata_write(boot->chip, index, entry, &boot->us);
    if (sim_flash_is_cut(boot->chip->flash)) {
        return false;
    }
    if (error != SIM_OK) {
        boot_log(&boot->log, 'E', TAG, "writing otadata[%d] failed", index);
    } else {
        boot_log(&boot->log, 'I', TAG, "otadata[%d] is now %s", index,
                 sim_ota_state_name(state));
    }
    return true;
}

/* Neither blank nor with a wrong CRC. */
static bool is_written(const struct sim_otadata_entry *entry)
{
    return entry->seq != 0xFFFFFFFF && entry->crc == sim_otadata_crc(entry->seq);
}

static bool read_secure_version(struct boot *boot, const struct sim_partition *partition,
                                uint32_t *ret_version)
{
    const uint8_t *descriptor =
        sim_flash_map(boot->chip->flash, partition->offset + 32, 256, &boot->us);
    if (descriptor == NULL || sim_get_le32(descriptor) != 0xABCD5432u) {
        return false;
    }
    *ret_version = sim_get_le32(descriptor + 4);
    return true;
}

static bool secure_version_passes(struct boot *boot,
                                  const struct sim_partition *partition)
{
    uint32_t version;
    return !boot->chip->anti_rollback ||
           (partition != NULL && read_secure_version(boot, partition, &version) &&
            version >= boot->chip->secure_version);
}

static void burn_secure_version(struct boot *boot, const struct sim_partition *partition)
{
    uint32_t version;
    if (boot->chip->anti_rollback && partition != NULL &&
        read_secure_version(boot, partition, &version) &&
        version > boot->chip->secure_version) {
        boot->chip->secure_version = version;
    }
}

static const struct sim_partition *slot_of(const struct boot *boot, uint32_t seq,
                                           int *ret_index)
{
    uint32_t slot = (seq - 1) % boot->ota_count;
    *ret_index = (int)slot;
    return slot < OTA_SLOTS_MAX ? boot->ota[slot] : NULL;
}

static int active_entry(struct boot *boot, const struct sim_otadata_entry entries[2])
{
    bool counts[2];
    for (int i = 0; i < 2; i++) {
        int index;
        counts[i] =
            sim_otadata_is_valid(&entries[i]) && boot->ota_count > 0 &&
            secure_version_passes(boot, boot->chip->anti_rollback
                                            ? slot_of(boot, entries[i].seq, &index)
                                            : NULL);
    }
    return sim_otadata_select(entries, counts, true);
}

/* The index that the active entry means. */
static int follow_active(struct boot *boot, struct sim_otadata_entry entries[2])
{
    int active = active_entry(boot, entries);
    if (active < 0) {
        boot_log(&boot->log, 'E', TAG, "otadata is not valid, %s",
                 boot->factory != NULL ? "trying factory" : "trying every partition");
        return INDEX_FACTORY;
    }
    int index;
    const struct sim_partition *slot = slot_of(boot, entries[active].seq, &index);
    if (!boot->chip->boot_without_rollback && entries[active].state == SIM_OTA_NEW &&
        !write_entry(boot, active, &entries[active], SIM_OTA_PENDING_VERIFY)) {
        return INDEX_NONE;
    }
    if (entries[active].state == SIM_OTA_VALID) {
        burn_secure_version(boot, slot);
    }
    return index;
}

static int select_without_active(struct boot *boot,
                                 const struct sim_otadata_entry entries[2])
{
    if (boot->factory != NULL) {
        boot_log(&boot->log, 'I', TAG, "Defaulting to factory image");
        return INDEX_FACTORY;
    }
    boot_log(&boot->log, 'I', TAG, "No factory image, trying OTA 0");
    boot->initial_contents = !is_written(&entries[0]) && !is_written(&entries[1]);
    return 0;
}

static int select_index(struct boot *boot)
{
    if (boot->otadata == NULL) {
        return INDEX_FACTORY;
    }
    if (boot->otadata->size < SIM_OTADATA_SIZE) {
        boot_log(&boot->log, 'E', TAG, "otadata of %" PRIu32 " bytes is too small",
                 boot->otadata->size);
        return INDEX_NONE;
    }
    struct sim_otadata_entry entries[2];
    if (!read_entries(boot, entries)) {
        return INDEX_NONE;
    }
    boot->initial_contents = false;
    for (int i = 0; i < 2 && !boot->chip->boot_without_rollback; i++) {
        if (entries[i].state == SIM_OTA_PENDING_VERIFY &&
            !write_entry(boot, i, &entries[i], SIM_OTA_ABORTED)) {
            return INDEX_NONE;
        }
    }
    if (boot->chip->anti_rollback) {
        if (is_written(&entries[0]) || is_written(&entries[1])) {
            return follow_active(boot, entries);
        }
        boot->initial_contents = true;
        return INDEX_FACTORY;
    }
    if ((sim_otadata_is_invalid(&entries[0]) && sim_otadata_is_invalid(&entries[1])) ||
        boot->ota_count == 0) {
        return select_without_active(boot, entries);
    }
    return follow_active(boot, entries);
}

/* A list like "nvs, storage": names divided by commas and blanks. */
static bool is_listed(const char *list, const char *label)
{
    size_t length = strlen(label);
    while (*list != '\0') {
        size_t size = strcspn(list, ", ");
        if (size > 0 && size == length && memcmp(list, label, size) == 0) {
            return true;
        }
        list += size;
        list += strspn(list, ", ");
    }
    return false;
}

/* False: the power went. */
static bool reset_to_factory(struct boot *boot)
{
    const char *list = boot->chip->factory_reset_erases;
    list = list != NULL ? list : "nvs";
    boot_log(&boot->log, 'I', TAG, "factory reset: erasing %s", list);
    for (size_t i = 0; i < boot->table.count; i++) {
        const struct sim_partition *partition = &boot->table.entries[i];
        bool erases =
            partition->type == SIM_PARTITION_DATA &&
            (is_listed(list, partition->label) ||
             (boot->chip->factory_reset_otadata && partition->subtype == SIM_DATA_OTA));
        if (!erases) {
            continue;
        }
        uint64_t us;
        enum sim_flash_result result =
            sim_flash_erase(boot->chip->flash, partition->offset, partition->size, &us);
        boot->us += us;
        if (result == SIM_FLASH_CUT) {
            return false;
        }
        if (result != SIM_FLASH_OK) {
            boot_log(&boot->log, 'E', TAG, "erasing %s failed", partition->label);
        }
    }
    return true;
}

/* In the table without factory and with blank otadata, what was loaded gets a record. */
static bool record_initial(struct boot *boot, int index)
{
    if (index < 0 || !boot->initial_contents) {
        return true;
    }
    struct sim_otadata_entry entry = {.seq = (uint32_t)index + 1};
    memset(entry.label, 0xFF, sizeof(entry.label));
    entry.crc = sim_otadata_crc(entry.seq);
    if (!write_entry(boot, 0, &entry, SIM_OTA_VALID)) {
        return false;
    }
    burn_secure_version(boot, boot->ota[index]);
    return true;
}

static bool try_partition(struct boot *boot, const struct sim_partition *partition,
                          int index)
{
    if (partition == NULL || partition->size == 0) {
        return false;
    }
    struct sim_image_facts facts;
    if (!secure_version_passes(boot, partition) ||
        sim_chip_verify(boot->chip, partition->offset, partition->size, SIM_VERIFY_LOAD,
                        boot->print, boot->context, &facts, &boot->us) != SIM_OK) {
        boot_log(&boot->log, 'E', TAG, "%s is not bootable", partition->label);
        return false;
    }
    boot_log(&boot->log, 'I', TAG, "Loaded app from partition at offset 0x%" PRIx32,
             partition->offset);
    if (!record_initial(boot, index)) {
        return false;
    }
    boot->result->booted = true;
    memcpy(boot->result->label, partition->label, sizeof(boot->result->label));
    boot->result->subtype = partition->subtype;
    boot->result->offset = partition->offset;
    boot->result->size = partition->size;
    boot->result->image_size = facts.size;
    boot->result->entry = facts.entry;
    return true;
}

static const struct sim_partition *partition_at(const struct boot *boot, int index)
{
    if (index == INDEX_FACTORY) {
        return boot->factory;
    }
    return index < OTA_SLOTS_MAX && index < (int)boot->ota_count ? boot->ota[index]
                                                                 : NULL;
}

/* Backwards from the selected one to factory, then forwards, then test. The states in
 * otadata do not count here. */
static void load(struct boot *boot, int selected)
{
    sim_flash_t *flash = boot->chip->flash;
    for (int i = selected; i >= INDEX_FACTORY && !sim_flash_is_cut(flash); i--) {
        if (try_partition(boot, partition_at(boot, i), i)) {
            return;
        }
    }
    for (int i = selected + 1; i < (int)boot->ota_count && !sim_flash_is_cut(flash);
         i++) {
        if (try_partition(boot, partition_at(boot, i), i)) {
            return;
        }
    }
    if (sim_flash_is_cut(flash) || try_partition(boot, boot->test, INDEX_NONE)) {
        return;
    }
    boot_log(&boot->log, 'E', TAG, "No bootable app partitions in the partition table");
}

static void run(struct boot *boot)
{
    if (!rom_accepts_boot_loader(boot)) {
        boot_log(&boot->log, 'E', "rom", "no boot loader: invalid header or checksum");
        return;
    }
    if (!load_table(boot)) {
        return;
    }
    int index = select_index(boot);
    if (index != INDEX_NONE && boot->chip->factory_reset_held) {
        index = reset_to_factory(boot) ? select_index(boot) : INDEX_NONE;
    }
    if (index != INDEX_NONE) {
        load(boot, index);
    }
}

void sim_boot_run(struct sim_chip *chip, sim_boot_log_t log, void *context,
                  struct sim_boot_result *ret_result)
{
    memset(ret_result, 0, sizeof(*ret_result));
    struct boot boot = {
        .chip = chip, .print = log, .context = context, .result = ret_result};
    boot.log = (struct boot_log){log, context, &boot.us};
    if (!sim_flash_is_cut(chip->flash)) {
        sim_flash_group_begin(chip->flash);
        run(&boot);
        sim_flash_group_end(chip->flash);
    }
    ret_result->cut = sim_flash_is_cut(chip->flash);
    ret_result->took_us = boot.us;
}
