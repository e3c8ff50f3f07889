/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A device in memory: carries the session's actions out, and asserts with every one that
 * it may come now. */
#ifndef TESTS_RAM_PORT_H
#define TESTS_RAM_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updraft/device_session.h"

#define RAM_SLOT_SIZE   (16u * 4096u)
#define RAM_ANSWERS_MAX 64u
#define RAM_SECTORS     (RAM_SLOT_SIZE / UPDRAFT_FLASH_SECTOR_SIZE)
#define NEVER           UINT32_MAX

struct ram_answer {
    uint16_t connection;
    uint8_t size_bytes;
    uint8_t bytes[UPDRAFT_P2_STATE_SIZE]; /* a MAP report is cut */
};

struct ram_port {
    struct updraft_device device;
    uint8_t flash[RAM_SLOT_SIZE];
    struct ram_answer answers[RAM_ANSWERS_MAX];
    size_t answer_count;
    /* Set by a test. */
    uint32_t fail_at;      /* this work action (all but ANSWER) fails, counted from 0 */
    int fail_result;       /* and reports this */
    uint32_t answers_left; /* so many get out, and none after them; NEVER: all */
    int begin_result;      /* what the application says */
    int judge_result;      /* what the application says about an image */
    bool refuses_broken;  /* ACTIVATE of no image fails as ESP-IDF's does, not the test */
    uint32_t corrupt_at;  /* flash byte that decays before the HASH; NEVER */
    uint32_t erase_ms;    /* a sector's erase takes so long, a block's five times that */
    uint32_t write_ms;    /* and a write so long */
    uint8_t noted_id[32]; /* STAGE's, or what UNSTAGE shall find */
    uint8_t noted_head[UPDRAFT_HEAD_HELD_SIZE];
    /* Answers go there as well; then answers[] keeps the last one alone. */
    void (*on_answer)(void *context, const uint8_t *bytes, size_t size, uint32_t now_ms);
    void *answer_context;
    /* What came of it. */
    uint32_t work_count;           /* work actions so far */
    uint32_t erase_count;          /* sectors */
    uint32_t block_count;          /* erases of a whole block */
    uint32_t now_ms;               /* as last told, and what the work took */
    uint32_t map_crc[RAM_SECTORS]; /* what MAP reports said */
    uint32_t map_count;
    bool staged;
    uint8_t policy;
    bool policy_noted;
    bool confirmed;
    bool rolled_back;
    bool header_written;
    bool activated;
    bool restarted;
    /* Where the update under way stands. */
    bool begun;
    bool judged;
    bool prepared;
    bool hash_matched;
    bool erased[RAM_SECTORS];
};

/* An ESP32-C3 of revision 0.4 whose slot holds old bytes. */
void ram_port_init(struct ram_port *port);

/* Inputs, each followed by all the work it makes. */
void ram_port_control(struct ram_port *port, uint16_t connection, uint8_t opcode,
                      uint32_t now_ms);
void ram_port_data(struct ram_port *port, uint16_t connection, const uint8_t *bytes,
                   size_t size, uint32_t now_ms);
void ram_port_message(struct ram_port *port, uint16_t connection, const uint8_t *bytes,
                      size_t size, uint32_t now_ms);
void ram_port_command(struct ram_port *port, uint16_t connection,
                      const struct updraft_p2_command *command, uint32_t now_ms);
/* The last answer, which must be a STATE for that connection. */
struct updraft_p2_report ram_port_report(const struct ram_port *port,
                                         uint16_t connection);
void ram_port_link_lost(struct ram_port *port, uint16_t connection);
void ram_port_tick(struct ram_port *port, uint32_t now_ms);

/* Tells the packet size (0: does not) and sends REQUEST. Returns the answer's opcode. */
uint8_t ram_port_request(struct ram_port *port, uint16_t connection, uint16_t packet_size,
                         uint32_t now_ms);
/* Sends bytes in packets; the last one as short as it comes. */
void ram_port_send(struct ram_port *port, uint16_t connection, const uint8_t *bytes,
                   size_t size, size_t packet_size, uint32_t now_ms);
/* Sends DONE. Returns the answer's opcode. */
uint8_t ram_port_finish(struct ram_port *port, uint16_t connection, uint32_t now_ms);

/* The three above; returns the answer to DONE, or to REQUEST if that was a NAK. */
uint8_t ram_port_update(struct ram_port *port, uint16_t connection, const uint8_t *bytes,
                        size_t size, size_t packet_size);

/* The opcode of the last answer, which must have gone to that connection. */
uint8_t ram_port_last_answer(const struct ram_port *port, uint16_t connection);

/* True when the slot holds something that a boot loader would take for an image. */
bool ram_port_has_image(const struct ram_port *port);
/* True when exactly this image is in the slot and selected. */
bool ram_port_runs(const struct ram_port *port, const uint8_t *bytes, size_t size);

#endif
