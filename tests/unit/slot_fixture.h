/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's slots over the chip fixture, without a board. */
#ifndef SLOT_FIXTURE_H
#define SLOT_FIXTURE_H

#include <stddef.h>

#include "chip_fixture.h"
#include "device/src/slot.h"

#define SLOT_PARTITIONS_MAX 8

/* The table as ESP-IDF's calls give it, and the label of what runs. */
extern esp_partition_t slot_partitions[SLOT_PARTITIONS_MAX];
extern size_t slot_partition_count;
extern char slot_running[17];
extern bool slot_erases_nothing; /* and says that it did */
extern unsigned slot_delays;     /* calls of vTaskDelay */

/* From the fixture's table. */
void slot_partitions_make(void);
/* Boots, and returns the slots as the firmware that runs then finds them. */
struct updraft_slots slot_usual(void);

#endif
