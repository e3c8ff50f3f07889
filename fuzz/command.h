/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A message of protocol 2's client, right in most of its fields. */
#ifndef FUZZ_COMMAND_H
#define FUZZ_COMMAND_H

#include <string.h>

#include "fuzz/fuzz.h"
#include "updraft/protocol2.h"

/* What a client would fill in. */
struct fuzz_truth {
    uint8_t session;
    uint32_t file_size_bytes;
    uint16_t write_size_bytes;
    const uint8_t *id; /* UPDRAFT_P2_ID_SIZE bytes */
};

static inline struct updraft_p2_command fuzz_command(struct fuzz_input *input,
                                                     const struct fuzz_truth *truth)
{
    uint8_t choice = fuzz_8(input);
    bool other = (choice & 0x40) != 0;
    struct updraft_p2_command made = {
        .opcode = (uint8_t)(UPDRAFT_P2_OPEN + (choice & 0x3F) % 9),
        .session = (choice & 0x80) != 0 ? fuzz_8(input) : truth->session,
        .version = UPDRAFT_P2_VERSION,
    };
    switch (made.opcode) {
    case UPDRAFT_P2_OPEN:
        made.flags = fuzz_8(input) & 3;
        made.nonce = fuzz_8(input);
        made.write_size_bytes = other ? fuzz_16(input) : truth->write_size_bytes;
        made.manifest_size_bytes = other ? fuzz_16(input) : UPDRAFT_P2_MANIFEST_SIZE;
        break;
    case UPDRAFT_P2_RANGE:
        made.flags = fuzz_8(input) & 1;
        made.start_bytes = fuzz_8(input) % 17u * UPDRAFT_P2_SECTOR_SIZE;
        made.size_bytes =
            other ? fuzz_32(input) : truth->file_size_bytes - made.start_bytes;
        break;
    case UPDRAFT_P2_MAP:
        made.first_sector = fuzz_8(input);
        made.sector_count = fuzz_8(input);
        break;
    case UPDRAFT_P2_ACTIVATE:
    case UPDRAFT_P2_CONFIRM:
    case UPDRAFT_P2_ROLLBACK:
        made.confirm_by = made.target = fuzz_8(input) & 1;
        if (!other) {
            memcpy(made.id, truth->id, sizeof(made.id));
        }
        break;
    }
    return made;
}

#endif
