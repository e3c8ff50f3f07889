/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Protocol 2's commands that need no session: CONFIRM, ROLLBACK, and ACTIVATE of a staged
 * image. */
#ifndef UPDRAFT_CLIENT_COMMAND2_H
#define UPDRAFT_CLIENT_COMMAND2_H

#include "updraft/client_session2.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Used like a session (client_session2.h), on a connection that has none. It yields
 * UPDRAFT_CLIENT2_SUBSCRIBE and UPDRAFT_CLIENT2_WRITE_CONTROL. */

enum updraft_command2_state {
    UPDRAFT_COMMAND2_SUBSCRIBING, /* notifications of Control are being enabled */
    UPDRAFT_COMMAND2_ASKING,      /* the command was or is being written; its answer is
                                   * awaited */
    UPDRAFT_COMMAND2_DONE,        /* the device has taken it */
    UPDRAFT_COMMAND2_FAILED,      /* updraft_command2_error says why */
};

/* Plain bytes without pointers. All fields are private. */
struct updraft_command2 {
    struct updraft_p2_command command;
    enum updraft_command2_state state;
    int error;
    uint8_t status;
    uint32_t detail;
    bool pending; /* the state's action is to be polled */
    bool busy;    /* polled, its end not yet reported */
    bool sent;
    uint8_t tries;
    uint32_t deadline_ms;
};

/* command: its opcode is CONFIRM, ROLLBACK or ACTIVATE, else ARGUMENT is returned. */
int updraft_command2_init(struct updraft_command2 *command2,
                          const struct updraft_p2_command *command, uint32_t now_ms);
bool updraft_command2_poll(struct updraft_command2 *command2, uint32_t now_ms,
                           struct updraft_client2_action *ret_action);
void updraft_command2_subscribed(struct updraft_command2 *command2, int status,
                                 uint32_t now_ms);
void updraft_command2_written(struct updraft_command2 *command2, int status,
                              uint32_t now_ms);
void updraft_command2_notified(struct updraft_command2 *command2, const uint8_t *bytes,
                               size_t size);
void updraft_command2_link_lost(struct updraft_command2 *command2);
void updraft_command2_tick(struct updraft_command2 *command2, uint32_t now_ms);
bool updraft_command2_deadline(const struct updraft_command2 *command2,
                               uint32_t *ret_deadline_ms);

enum updraft_command2_state updraft_command2_state(
    const struct updraft_command2 *command2);
/* Why the state is FAILED: what the inputs reported, what the device's status stands for,
 * LINK_LOST or LINK_TIMEOUT. */
int updraft_command2_error(const struct updraft_command2 *command2);
uint8_t updraft_command2_status(const struct updraft_command2 *command2);
uint32_t updraft_command2_detail(const struct updraft_command2 *command2);
/* True once the command was handed out by poll: if it failed after that by the link, the
 * device may have carried it out all the same. */
bool updraft_command2_sent(const struct updraft_command2 *command2);

#ifdef __cplusplus
}
#endif

#endif
