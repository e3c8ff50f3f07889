/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Protocol 1: UUIDs, opcodes and limits of the original update protocol (SPEC.md). */
#ifndef UPDRAFT_PROTOCOL1_H
#define UPDRAFT_PROTOCOL1_H

/* UUIDs as text, and as the 16 bytes in little-endian order that ATT and NimBLE want. */
#define UPDRAFT_P1_SERVICE_UUID "d6f1d96d-594c-4c53-b1c6-144a1dfde6d8"
/* What the original's documentation says; no device is known to send it. */
#define UPDRAFT_P1_SERVICE_UUID_DOCUMENTED "d6f1d96d-594c-4c53-b1c6-244a1dfde6d8"
#define UPDRAFT_P1_CONTROL_UUID            "7ad671aa-21c0-46a4-b722-270e3ae3d830"
#define UPDRAFT_P1_DATA_UUID               "23408888-1f40-4cd8-9b89-ca8d45f8a5b0"

#define UPDRAFT_P1_SERVICE_UUID_BYTES                                                   \
    0xd8, 0xe6, 0xfd, 0x1d, 0x4a, 0x14, 0xc6, 0xb1, 0x53, 0x4c, 0x4c, 0x59, 0x6d, 0xd9, \
        0xf1, 0xd6
#define UPDRAFT_P1_CONTROL_UUID_BYTES                                                   \
    0x30, 0xd8, 0xe3, 0x3a, 0x0e, 0x27, 0x22, 0xb7, 0xa4, 0x46, 0xc0, 0x21, 0xaa, 0x71, \
        0xd6, 0x7a
#define UPDRAFT_P1_DATA_UUID_BYTES                                                      \
    0xb0, 0xa5, 0xf8, 0x45, 0x8d, 0xca, 0x89, 0x9b, 0xd8, 0x4c, 0x40, 0x1f, 0x88, 0x88, \
        0x40, 0x23

/* One-byte values of the Control characteristic. */
enum updraft_p1_opcode {
    UPDRAFT_P1_NOP = 0,
    UPDRAFT_P1_REQUEST = 1,     /* client: an update is about to come */
    UPDRAFT_P1_REQUEST_ACK = 2, /* device: send it */
    UPDRAFT_P1_REQUEST_NAK = 3, /* device: no */
    UPDRAFT_P1_DONE = 4,        /* client: that was the last packet */
    UPDRAFT_P1_DONE_ACK = 5,    /* device: verified; restarting into it */
    UPDRAFT_P1_DONE_NAK = 6,    /* device: not a whole image; nothing changed */
};

/* Bytes in one Data packet: the longest attribute value (Core Specification, Vol 3, Part
 * F, 3.2.9). */
#define UPDRAFT_P1_PACKET_SIZE_MAX 512u

/* ATT application errors (Core Specification, Vol 3, Part F, 3.4.1.1) that an updraft
 * device answers Data writes with; the original has none. */
enum updraft_p1_att_error {
    UPDRAFT_P1_ATT_BUSY = 0x80,   /* another connection updates */
    UPDRAFT_P1_ATT_FAILED = 0x81, /* the update has failed already; DONE gets DONE_NAK */
};

#endif
