/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a device that speaks protocol 2 tells of itself (SPEC.md, Info). */
#ifndef UPDRAFT_INFO_H
#define UPDRAFT_INFO_H

#include <stdint.h>

enum updraft_run_state {
    UPDRAFT_RUN_CONFIRMED = 0,
    UPDRAFT_RUN_ON_TRIAL = 1,
    UPDRAFT_RUN_FACTORY = 2,     /* from a slot that knows no trial */
    UPDRAFT_RUN_UNMONITORED = 3, /* the boot loader does not roll back */
};

/* How the last activation ended. */
enum updraft_result {
    UPDRAFT_RESULT_NONE = 0,
    UPDRAFT_RESULT_CONFIRMED = 1,
    UPDRAFT_RESULT_ROLLED_BACK = 2,
    UPDRAFT_RESULT_LOST = 3, /* selected, but it never ran: activate again */
};

/* Why it was rolled back. */
enum updraft_reason {
    UPDRAFT_REASON_UNKNOWN = 0,
    UPDRAFT_REASON_RESET = 1,     /* it was reset on trial; detail: esp_reset_reason_t */
    UPDRAFT_REASON_SELF_TEST = 2, /* the application's self-test failed */
    UPDRAFT_REASON_BLUETOOTH = 3, /* Bluetooth did not come up in time */
    UPDRAFT_REASON_NO_CLIENT = 4, /* no client confirmed it in time */
    UPDRAFT_REASON_COMMAND = 5,   /* a client asked for it */
    UPDRAFT_REASON_START = 6,     /* updraft could not be started */
};

#define UPDRAFT_INFO_NEEDS_SIGNATURE  0x0001u
#define UPDRAFT_INFO_NEEDS_ENCRYPTION 0x0002u
#define UPDRAFT_INFO_STAGED           0x0004u /* noted_id is verified and not activated */
#define UPDRAFT_INFO_CONFIRM_CLIENT   0x0008u /* this trial awaits a client's CONFIRM */
#define UPDRAFT_INFO_BUSY             0x0010u /* another connection updates */

#define UPDRAFT_INFO_SLOT_FACTORY 0xFFu

struct updraft_info {
    uint16_t flags;    /* UPDRAFT_INFO_* */
    uint8_t run_state; /* enum updraft_run_state */
    uint8_t slot;      /* running: 0 to 15 for ota_n, SLOT_FACTORY: factory or test */
    uint8_t result;    /* enum updraft_result */
    uint8_t reason;    /* enum updraft_reason */
    uint8_t detail;
    uint16_t chip_id;
    uint16_t chip_revision;    /* major * 100 + minor */
    uint32_t slot_size_bytes;  /* of the slot to update; 0: none */
    uint16_t write_size_bytes; /* best size of a Data value on this link, now */
    uint16_t window_bytes;     /* what the device buffers */
    uint16_t trial_left_s;
    uint32_t hardware_id;
    uint32_t secure_version;
    uint8_t device_id[6]; /* base MAC address, most significant byte first */
    uint8_t image_id[32]; /* of the running image: its appended SHA-256 */
    uint8_t noted_id[8];  /* first bytes of it: staged, or last activated; 0: none */
    char version[33];
    char project[33];
};

#endif
