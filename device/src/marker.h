/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The marker that this firmware carries. */
#ifndef UPDRAFT_MARKER_H
#define UPDRAFT_MARKER_H

#include <stdint.h>

#include "updraft/protocol2.h"

/* As updraft_marker_put writes it. */
extern const uint8_t updraft_marker[UPDRAFT_MARKER_SIZE];

#endif
