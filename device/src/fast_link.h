/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a session of protocol 2 asks of its link, and gives back. */
#ifndef UPDRAFT_FAST_LINK_H
#define UPDRAFT_FAST_LINK_H

#include <stdint.h>

/* Update task. The connection is to be fast from now on; the one before gets back the
 * interval, latency and timeout it had. UPDRAFT_CONNECTION_NONE: that is all. Requests
 * only: a central may refuse them. */
void updraft_fast_link_use(uint16_t connection);

/* Update task. The connection's supervision timeout; 0: there is no such connection. */
uint32_t updraft_fast_link_supervision_ms(uint16_t connection);

#endif
