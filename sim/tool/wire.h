/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Messages between updraft-sim and its board processes. */
#ifndef SIM_TOOL_WIRE_H
#define SIM_TOOL_WIRE_H

#include <stdint.h>

/* Over a SOCK_SEQPACKET pair; each message is one packet: a byte of kind, then what the
 * kind says. Both ends are the same program, so numbers go in host order. */
enum wire_kind {
    /* from the board */
    WIRE_HELLO,  /* the chip (re)starts: what was sent before is void */
    WIRE_CREDIT, /* the board's host took one HCI packet */
    WIRE_LOG,    /* a line, without newline */
    WIRE_RADIO,  /* u8: the radio has power */
    WIRE_STATE,  /* struct wire_state */
    WIRE_STATS,  /* text: answer to WIRE_ASK_STATS */
    WIRE_DARK,   /* the board lost its power by itself, at its flash's cut point */
    /* to the board */
    WIRE_WELCOME, /* answers WIRE_HELLO: what comes from here on is valid */
    WIRE_ASK_STATS,
    WIRE_CUT_AT, /* struct wire_cut */
    WIRE_RESET,  /* the reset button */
    /* both ways */
    WIRE_HCI, /* a packet with its H4 type byte */
};

/* The descriptor that a board process finds its end at. */
#define WIRE_FD 3

#define WIRE_SIZE_MAX 2048u

/* HCI packets on their way to a board, and not yet taken by its host. The controller
 * holds what goes beyond, and then stops acknowledging. */
#define WIRE_CREDITS 4u

struct wire_state {
    char running[20]; /* label of the partition; empty: nothing runs */
    int behaviour;
};

struct wire_cut {
    uint64_t operation;
    uint32_t variant;
};

#endif
