/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the files of protocol 2's client session share: its life, its reports, its
 * sectors.
 */
#ifndef UPDRAFT_CORE_CLIENT2_PRIVATE_H
#define UPDRAFT_CORE_CLIENT2_PRIVATE_H

#include "updraft/client_session2.h"

#define UPDRAFT_CLIENT2_MAP_WAIT_MS 2000u /* from a MAP report to the next */

/* client_session2.c */
void updraft_client2_enter(struct updraft_client2 *client,
                           enum updraft_client2_state state, uint32_t now_ms);
void updraft_client2_fail(struct updraft_client2 *client, int error);
/* The Control message to be written next. */
void updraft_client2_say(struct updraft_client2 *client, uint8_t opcode);
/* The device answered or told something; the next comes within wait_ms. */
void updraft_client2_heard(struct updraft_client2 *client, uint32_t wait_ms,
                           uint32_t now_ms);

/* client_reports2.c */
void updraft_client2_on_state(struct updraft_client2 *client,
                              const struct updraft_p2_report *report, uint32_t now_ms);

/* client_sectors2.c */
/* The manifest was accepted; what the slot's first sector holds has this CRC-32. */
void updraft_client2_begin_file(struct updraft_client2 *client, uint32_t first_crc,
                                uint32_t now_ms);
void updraft_client2_on_map(struct updraft_client2 *client,
                            const struct updraft_p2_map *map, uint32_t now_ms);
/* What the slot holds is not the file. */
void updraft_client2_repair(struct updraft_client2 *client, uint32_t now_ms);
/* The range under way is in the slot. */
void updraft_client2_range_done(struct updraft_client2 *client);
/* Chooses the next range: into stream.start_bytes and size_bytes, and `finish`. */
void updraft_client2_choose_range(struct updraft_client2 *client);
/* Chooses what of the slot's content to ask for. */
void updraft_client2_choose_map(struct updraft_client2 *client);

#endif
