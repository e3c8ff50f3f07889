/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Checks for defects of the engine itself; what comes by radio or flash gets an error. */
#ifndef UPDRAFT_CORE_CHECK_H
#define UPDRAFT_CORE_CHECK_H

/* Stops the program where the condition does not hold: an exception that resets the chip,
 * SIGILL on a host. <assert.h> needs a C library. With NDEBUG the condition is not even
 * evaluated. */
#ifdef NDEBUG
#define CHECK(condition) ((void)sizeof((condition) ? 1 : 0))
#else
#define CHECK(condition) ((condition) ? (void)0 : __builtin_trap())
#endif

#endif
