/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Where the NimBLE host task and the update task meet. */
#ifndef UPDRAFT_LINK_H
#define UPDRAFT_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "sdkconfig.h"

#include "ring.h"
#include "updraft/protocol2.h"

/* The host task pushes what arrives into a ring and answers reads from what the update
 * task published; it waits for nothing but room in the ring. Functions say which of the
 * two tasks may call them. */

enum updraft_link_kind {
    UPDRAFT_LINK_CONTROL,   /* a value written to Control */
    UPDRAFT_LINK_DATA,      /* a value written to Data */
    UPDRAFT_LINK_DATA_LOST, /* values written to Data were dropped here */
    UPDRAFT_LINK_ENDED,     /* the connection ended */
};

struct updraft_link_event {
    enum updraft_link_kind kind;
    uint16_t connection;
    uint16_t size_bytes;
    const uint8_t *bytes; /* in the room that updraft_link_take was given */
};

/* Before either task runs. */
void updraft_link_init(void);

/* Host task. A connection began or ended; some writes may come before, and not each end
 * is told. */
void updraft_link_opened(uint16_t connection);
void updraft_link_closed(uint16_t connection);
/* Any task. The connection is not idle. */
void updraft_link_active(uint16_t connection);
/* Connections there are. Any task. */
unsigned updraft_link_count(void);

/* Host task. Takes a value that was written; waits at most CONFIG_UPDRAFT_FULL_WAIT_MS
 * for room. Does not wait for Data of a session of protocol 2, which is dropped (the
 * session finds the gap), nor for Control of a connection that has no update under way:
 * of those there is one in the ring at a time. Returns 0 or the ATT error to answer.
 * source: as of updraft_ring_push. */
int updraft_link_control(uint16_t connection, const uint8_t *bytes, uint16_t size_bytes);
int updraft_link_data(uint16_t connection, const void *payload,
                      updraft_ring_source *source, uint16_t size_bytes);

/* Whether the client enabled notifications of Control. Set by the host task. */
void updraft_link_subscribe(uint16_t connection, bool enabled);
bool updraft_link_subscribed(uint16_t connection);

/* What reading Control gives. Any task. */
uint8_t updraft_link_control_value(void);

/* Wakes the update task. Any task. */
void updraft_link_wake(void);

/* Update task. Makes the calling task the one that updraft_link_wake wakes. */
void updraft_link_attach_task(void);
/* Update task. The next event, or false when there is none. room: where its bytes go. */
bool updraft_link_take(struct updraft_link_event *ret_event,
                       uint8_t room[UPDRAFT_RING_PAYLOAD_SIZE]);
/* Update task. The end of the connection with that handle is among the events to come:
 * what is taken before it is of that connection, whichever has the handle by now. */
bool updraft_link_has_ended(uint16_t connection);
/* Update task. Bytes that updraft_link_take would yield by and by, heads included. */
uint32_t updraft_link_queued(void);
/* Update task. Who owns the update, by which protocol, and whether it has failed already.
 */
void updraft_link_publish(uint16_t owner, uint8_t protocol, bool failed);
void updraft_link_publish_control(uint8_t value);
/* Any task. Who owns the update, UPDRAFT_CONNECTION_NONE: nobody. */
uint16_t updraft_link_owner(void);

/* Connections there can be at a time: one more than NimBLE allows, because a connection
 * may open before the end of another is told. */
#define UPDRAFT_LINK_CONNECTIONS_MAX (CONFIG_BT_NIMBLE_MAX_CONNECTIONS + 1)

/* Room that values written never take, so that each connection's loss and end always fit.
 * A connection is told lost, or ended, only after something of it was pushed; that needs
 * the whole reserve to be free again. */
#define UPDRAFT_LINK_RESERVE_SIZE \
    (2u * UPDRAFT_LINK_CONNECTIONS_MAX * UPDRAFT_RING_HEADER_SIZE)
/* Room that Data never takes, so that a message on Control need not wait for it. */
#define UPDRAFT_LINK_CONTROL_SIZE \
    (UPDRAFT_LINK_CONNECTIONS_MAX * (UPDRAFT_RING_HEADER_SIZE + UPDRAFT_P2_COMMAND_MAX))
/* What Data may take, UPDRAFT_RING_HEADER_SIZE counted for each value. */
#define UPDRAFT_LINK_WINDOW_SIZE \
    (CONFIG_UPDRAFT_RING_SIZE - UPDRAFT_LINK_RESERVE_SIZE - UPDRAFT_LINK_CONTROL_SIZE)

/* Any task. Fills in the connections that have done nothing for limit_ms (0: all);
 * returns how many. */
unsigned updraft_link_list(uint32_t limit_ms,
                           uint16_t ret_connections[UPDRAFT_LINK_CONNECTIONS_MAX]);

/* Milliseconds since start; wrap at 2^32. Any task. */
uint32_t updraft_now_ms(void);

#endif
