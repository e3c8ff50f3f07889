/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Protocol 2's commands that need no session. They name the image that they mean, so that
 * one whose answer was lost can be said again. */
#include "updraft/client_command2.h"

#include "bytes.h"
#include "check.h"
#include "updraft/error.h"

#define WRITE_LIMIT_MS  30000u /* the ATT transaction timeout */
#define ANSWER_LIMIT_MS 10000u
#define TRIES_MAX       4u

static void go_on(struct updraft_command2 *command2, uint32_t now_ms);
static void fail(struct updraft_command2 *command2, int error);
static bool has_ended(const struct updraft_command2 *command2);

int updraft_command2_init(struct updraft_command2 *command2,
                          const struct updraft_p2_command *command, uint32_t now_ms)
{
    if (command->opcode != UPDRAFT_P2_CONFIRM && command->opcode != UPDRAFT_P2_ROLLBACK &&
        command->opcode != UPDRAFT_P2_ACTIVATE) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    memset(command2, 0, sizeof(*command2));
    command2->command = *command;
    command2->state = UPDRAFT_COMMAND2_SUBSCRIBING;
    go_on(command2, now_ms);
    return 0;
}

bool updraft_command2_poll(struct updraft_command2 *command2, uint32_t now_ms,
                           struct updraft_client2_action *ret_action)
{
    if (!command2->pending || command2->busy) {
        return false;
    }
    CHECK(!has_ended(command2));
    struct updraft_client2_action action = {.kind = UPDRAFT_CLIENT2_SUBSCRIBE};
    if (command2->state == UPDRAFT_COMMAND2_ASKING) {
        action.kind = UPDRAFT_CLIENT2_WRITE_CONTROL;
        action.size_bytes =
            (uint16_t)updraft_p2_put_command(&command2->command, action.bytes);
        command2->sent = true;
    }
    command2->pending = false;
    command2->busy = true;
    command2->deadline_ms = now_ms + WRITE_LIMIT_MS;
    *ret_action = action;
    return true;
}

void updraft_command2_subscribed(struct updraft_command2 *command2, int status,
                                 uint32_t now_ms)
{
    if (command2->state != UPDRAFT_COMMAND2_SUBSCRIBING || !command2->busy) {
        return;
    }
    command2->busy = false;
    if (status) {
        fail(command2, status);
    } else {
        command2->state = UPDRAFT_COMMAND2_ASKING;
        go_on(command2, now_ms);
    }
}

void updraft_command2_written(struct updraft_command2 *command2, int status,
                              uint32_t now_ms)
{
    if (command2->state != UPDRAFT_COMMAND2_ASKING || !command2->busy) {
        return;
    }
    command2->busy = false;
    if (status) {
        fail(command2, status);
    } else {
        command2->deadline_ms = now_ms + ANSWER_LIMIT_MS;
    }
}

void updraft_command2_notified(struct updraft_command2 *command2, const uint8_t *bytes,
                               size_t size)
{
    struct updraft_p2_report report;
    if (command2->state != UPDRAFT_COMMAND2_ASKING || !command2->sent ||
        !updraft_p2_get_report(bytes, size, &report)) {
        return;
    }
    bool restarts = report.state == UPDRAFT_P2_STATE_RESTARTING;
    if (report.status != UPDRAFT_P2_OK &&
        (report.status != UPDRAFT_P2_WRONG_STATE || !restarts)) {
        command2->status = report.status;
        command2->detail = report.detail;
        fail(command2, updraft_p2_status_error(report.status));
    } else if (restarts || command2->command.opcode != UPDRAFT_P2_ACTIVATE) {
        command2->state = UPDRAFT_COMMAND2_DONE;
        command2->pending = false;
    }
}

void updraft_command2_link_lost(struct updraft_command2 *command2)
{
    if (!has_ended(command2)) {
        fail(command2, UPDRAFT_ERROR_LINK_LOST);
    }
}

void updraft_command2_tick(struct updraft_command2 *command2, uint32_t now_ms)
{
    if (has_ended(command2) || (int32_t)(now_ms - command2->deadline_ms) < 0) {
        return;
    }
    if (command2->busy || command2->pending || command2->tries == TRIES_MAX) {
        fail(command2, UPDRAFT_ERROR_LINK_TIMEOUT);
    } else {
        go_on(command2, now_ms);
    }
}

bool updraft_command2_deadline(const struct updraft_command2 *command2,
                               uint32_t *ret_deadline_ms)
{
    if (has_ended(command2)) {
        return false;
    }
    *ret_deadline_ms = command2->deadline_ms;
    return true;
}

enum updraft_command2_state updraft_command2_state(
    const struct updraft_command2 *command2)
{
    return command2->state;
}

int updraft_command2_error(const struct updraft_command2 *command2)
{
    return command2->error;
}

uint8_t updraft_command2_status(const struct updraft_command2 *command2)
{
    return command2->status;
}

uint32_t updraft_command2_detail(const struct updraft_command2 *command2)
{
    return command2->detail;
}

bool updraft_command2_sent(const struct updraft_command2 *command2)
{
    return command2->sent;
}

/* The state's action is to be carried out, for the first time or once more. */
static void go_on(struct updraft_command2 *command2, uint32_t now_ms)
{
    CHECK(!command2->busy);
    command2->pending = true;
    if (command2->state == UPDRAFT_COMMAND2_ASKING) {
        command2->tries++;
    }
    command2->deadline_ms = now_ms + WRITE_LIMIT_MS;
}

static void fail(struct updraft_command2 *command2, int error)
{
    CHECK(error != 0);
    command2->state = UPDRAFT_COMMAND2_FAILED;
    command2->error = error;
    command2->pending = false;
}

static bool has_ended(const struct updraft_command2 *command2)
{
    return command2->state == UPDRAFT_COMMAND2_DONE ||
           command2->state == UPDRAFT_COMMAND2_FAILED;
}
