/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A client of protocol 2 by hand: one message after another. */
#ifndef TESTS_WORLD_NATIVE_H
#define TESTS_WORLD_NATIVE_H

#include "tests/world/raw.h"
#include "updraft/protocol2.h"

#define NATIVE_STATE_MS 20000u

struct native {
    struct raw *raw;
    size_t seen; /* reports that were looked at */
    uint16_t write_size;
    uint32_t nonce;
    const struct fixture_image *image; /* of the session */
    struct updraft_p2_report state;    /* the last one */
};

/* write_size 0: as Info tells it. */
void native_init(struct native *native, struct raw *raw);
/* Connects and enables notifications. Fails the test where that does not work. */
void native_connect(struct native *native);
/* Info; the test ends when it cannot be read whole in three attempts. */
struct updraft_info native_info(struct native *native);

/* Writes a message: 0, an ATT error, or RAW_*. */
int native_tell(struct native *native, const struct updraft_p2_command *command);
/* The next STATE; false: none came. native->state has it. */
bool native_await(struct native *native, uint64_t limit_ms);
/* Writes a message and returns the status of its STATE; 0x100 + an ATT error, or RAW_*.
 */
int native_ask(struct native *native, const struct updraft_p2_command *command);
/* The same for a message that names the session, or an image. */
int native_ask_session(struct native *native, uint8_t opcode);
int native_ask_image(struct native *native, uint8_t opcode, uint8_t choice,
                     const uint8_t *id);

/* One step after the other; each returns the status that ends it. */
int native_open(struct native *native, const struct fixture_image *image, uint8_t flags);
int native_send_manifest(struct native *native);
int native_send_range(struct native *native, uint32_t start, uint32_t size,
                      uint8_t flags);
/* Awaits VERIFIED, after a range with *finish*. */
int native_await_verified(struct native *native);

/* Connects where it is not connected, then all steps up to VERIFIED. */
int native_deliver(struct native *native, const struct fixture_image *image,
                   uint8_t flags);
/* And ACTIVATE; on OK the board restarts. */
int native_update(struct native *native, const struct fixture_image *image,
                  uint8_t confirm_by);

/* An image's id: its appended SHA-256. */
const uint8_t *native_id(const struct fixture_image *image);

#endif
