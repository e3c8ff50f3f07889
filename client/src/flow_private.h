/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the files of the flow share: the link's life, and the update over it.
 */
#ifndef UPDRAFT_CLIENT_FLOW_PRIVATE_H
#define UPDRAFT_CLIENT_FLOW_PRIVATE_H

#include "client/src/flow.h"

/* flow_report.c */
void updraft_flow_report(struct updraft_flow *flow, enum updraft_event_kind kind);
void updraft_flow_report_found(struct updraft_flow *flow,
                               const struct updraft_transport_event *event,
                               const char *name);
/* Reports the phase where it is another one. */
void updraft_flow_phase(struct updraft_flow *flow, enum updraft_phase phase);

/* flow.c: moves between states. */
void updraft_flow_enter(struct updraft_flow *flow, enum updraft_flow_state state);
void updraft_flow_arm(struct updraft_flow *flow, uint32_t now_ms, uint32_t limit_ms);
/* Ends the link, then finishes with status. */
void updraft_flow_close(struct updraft_flow *flow, int status, uint32_t now_ms);
/* The link failed with status (is it still up?): another try, or the end. */
void updraft_flow_failed(struct updraft_flow *flow, int status, bool link_up,
                         uint32_t now_ms);

/* The device has taken what it is to run, and restarts. */
void updraft_flow_leave(struct updraft_flow *flow, bool link_up, uint32_t now_ms);
/* The device takes its time to come back: counts from now on. */
void updraft_flow_await_return(struct updraft_flow *flow, uint32_t now_ms);
/* Begins to read what the device tells: Info, else Device Information. */
void updraft_flow_read(struct updraft_flow *flow, uint32_t now_ms);
bool updraft_flow_due(uint32_t deadline_ms, uint32_t now_ms);

/* flow_read.c */
void updraft_flow_read_done(struct updraft_flow *flow,
                            const struct updraft_transport_event *event, uint32_t now_ms);

/* flow_decide.c: protocol 2's Info was read; what follows from it? */
void updraft_flow_decide(struct updraft_flow *flow, uint32_t now_ms);
/* The order was carried out, or was not: status. */
void updraft_flow_ordered(struct updraft_flow *flow, int status, bool link_up,
                          uint32_t now_ms);

/* flow_native.c: protocol 2's session and orders on this link. */
void updraft_flow_native_begin(struct updraft_flow *flow, uint32_t now_ms);
void updraft_flow_native_event(struct updraft_flow *flow,
                               const struct updraft_transport_event *event,
                               uint32_t now_ms);
void updraft_flow_native_tick(struct updraft_flow *flow, uint32_t now_ms);
bool updraft_flow_native_deadline(const struct updraft_flow *flow,
                                  uint32_t *ret_deadline_ms);
void updraft_flow_order(struct updraft_flow *flow,
                        const struct updraft_p2_command *command, uint32_t now_ms);
/* Sends ABORT for the session under way; false: not now. */
bool updraft_flow_native_abort(struct updraft_flow *flow, uint32_t now_ms);

/* flow_update.c: what happens while the session of core/ has the link, and after. */
void updraft_flow_update_begin(struct updraft_flow *flow, uint32_t now_ms);
void updraft_flow_update_event(struct updraft_flow *flow,
                               const struct updraft_transport_event *event,
                               uint32_t now_ms);
void updraft_flow_update_tick(struct updraft_flow *flow, uint32_t now_ms);
/* The device is back and was read. */
void updraft_flow_watch(struct updraft_flow *flow, uint32_t now_ms);
/* It held the link long enough. */
void updraft_flow_judge(struct updraft_flow *flow, uint32_t now_ms);

#endif
