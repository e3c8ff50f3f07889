/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Linked lists: NimBLE takes BSD's macros, and so does the C library. */
#ifndef SIM_OS_QUEUE_H
#define SIM_OS_QUEUE_H

#include <sys/queue.h>

#endif
