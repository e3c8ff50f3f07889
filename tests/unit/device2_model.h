/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A device of protocol 2 made from SPEC alone: no code of core/ is in it. It asserts that
 * the client keeps to SPEC. */
#ifndef TESTS_DEVICE2_MODEL_H
#define TESTS_DEVICE2_MODEL_H

#include "tests/unit/link2_fixture.h"

struct device2_model {
    struct link2 *link;
    const struct link2_file *file; /* that it is going to get */
    uint8_t slot[LINK2_FILE_MAX];
    /* Set by a test. */
    uint16_t window_chunks;
    uint16_t first_number; /* of the first stream */
    uint32_t erase_ms;     /* before a range: busy, nothing is answered */
    uint32_t verify_ms;
    uint8_t refuse_opcode; /* is answered with this status, in the state as it is */
    uint8_t refuse_status;
    uint32_t refuse_detail;
    uint32_t refuse_left;    /* so many times */
    uint8_t manifest_status; /* what it says of the manifest */
    uint32_t spoil_every;    /* each so many'th chunk that is taken is stored wrongly */
    uint32_t spoil_left;
    bool never_matches; /* its hash never does */
    /* How it stands. */
    uint8_t state;
    uint8_t session;
    uint32_t nonce;
    uint16_t write_size;
    uint16_t next;
    uint16_t told_next;
    uint16_t limit;
    uint32_t at_bytes;
    uint32_t end_bytes;
    bool finish;
    bool wanted;
    uint8_t manifest[512];
    uint32_t busy_until_ms; /* erasing or verifying */
    uint32_t report_due_ms; /* MANIFEST, RECEIVING */
    /* What came of it. */
    uint32_t taken_bytes; /* of the file */
    uint32_t chunk_count; /* that were taken */
    uint32_t verify_count;
    uint32_t range_count;
    bool activated;
    uint8_t confirm_by;
};

void device2_model_init(struct device2_model *model, struct link2 *link,
                        const struct link2_file *file);
/* A new connection: the session of the old one has ended. */
void device2_model_reconnect(struct device2_model *model);
struct link2_device device2_model_device(struct device2_model *model);
/* The slot holds the whole file, its first bytes included. */
bool device2_model_has_file(const struct device2_model *model);

#endif
