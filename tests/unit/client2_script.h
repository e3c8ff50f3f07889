/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * One session of protocol 2's client, and the words in which a test leads it through its
 * states. */
#ifndef TESTS_CLIENT2_SCRIPT_H
#define TESTS_CLIENT2_SCRIPT_H

#include "updraft/client_session2.h"

#define SESSION   7u
#define FILE_SIZE (5u * 4096u + 1600u) /* six sectors */
#define SECTORS   6u
#define OWN_CRC   0xAABBCCDDu /* of the first sector with the file's own first bytes */
#define BLANK_CRC 0xF154670Au /* of 4096 bytes 0xFF */
#define PAYLOAD   242u        /* of a chunk at MTU 247 */

/* What STATE tells: SPEC.md. */
enum { IDLE, MANIFEST, READY, RECEIVING, VERIFYING, VERIFIED, RESTARTING };
enum { OK = 0, WRONG_STATE = 2, HASH = 40 };
enum { BUSY = 1, WANT = 2 };

extern struct updraft_client2 client;
extern struct updraft_client2_config config; /* a test may change it and start again */
extern uint32_t crcs[SECTORS];
extern uint32_t now_ms;
extern uint8_t within; /* what each STATE promises */
extern uint16_t base;  /* number of the first chunk of the stream under way */

/* A session that has not begun yet. */
int set_up_client(void **state);
void start_client(void);
/* On from there, to where this state has just been entered. */
void go_to(enum updraft_client2_state wanted);

void assert_state(enum updraft_client2_state expected);
void assert_failed(int error);
void assert_nothing_to_do(void);

/* The next action is of this kind. */
struct updraft_client2_action next_action(enum updraft_client2_action_kind kind);
/* The write under way ends well. */
void write_ends(void);
/* The next action is this message, which is then written. */
void expect_message(const uint8_t *bytes, size_t size);
#define EXPECT(...) \
    expect_message((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* The device tells this; chunks as numbers on the wire. */
void tell_report(uint8_t state, uint8_t status, uint8_t flags, uint16_t next_chunk,
                 uint16_t limit, uint32_t detail);
void tell_state(uint8_t state);
/* Of the stream under way: chunks counted from its begin. */
void tell_stream(uint8_t flags, uint32_t acked, uint32_t limit);
void tell_map(uint16_t first, const uint32_t *values, size_t count);

/* OPEN and its answer; then the manifest, accepted: the slot's first sector has this CRC.
 */
void open_session(void);
void tell_manifest(uint32_t first_crc);
/* MAP, and its answer: all before this sector matches. */
void tell_map_prefix(uint32_t matching);
/* RANGE, and its answer; then all of its chunks. */
void begin_range(uint32_t start_bytes, uint32_t size_bytes, bool finish);
uint32_t range_chunks(void);
void send_range(void);
/* Sends `count` chunks, of which the first is number `first` of the stream. */
void send_chunks(uint32_t first, uint32_t count);

uint32_t client_deadline(void);
/* Nothing comes until the session does something about it: after exactly so long. */
void stay_silent(uint32_t limit_ms);

#endif
