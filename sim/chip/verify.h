/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * ESP-IDF's verification of an application image in flash. */
#ifndef SIM_VERIFY_H
#define SIM_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/chip/chip.h"

struct sim_image_facts {
    uint32_t size; /* bytes, with checksum and hash */
    uint32_t entry;
    uint8_t segment_count;
    uint32_t secure_version;
    bool has_hash;
    uint8_t hash[32]; /* the appended one */
};

enum sim_verify_mode {
    SIM_VERIFY_ONLY, /* as esp_image_verify in an application */
    SIM_VERIFY_LOAD, /* as the boot loader: load addresses must be memory, too */
};

/* Magic, chip, revisions, segments, checksum, hash, size. 0 or an enum sim_error; adds
 * the time of what was read to *us. log may be NULL; it is told what is wrong. ret_facts
 * may be NULL; untouched on failure. */
int sim_chip_verify(const sim_chip_t *chip, uint32_t offset, uint32_t size,
                    enum sim_verify_mode mode, sim_boot_log_t log, void *context,
                    struct sim_image_facts *ret_facts, uint64_t *us);

#endif
