/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Waiting between threads that orders nothing else, for ThreadSanitizer to see the rest.
 */
#ifndef THREADS_WAIT_H
#define THREADS_WAIT_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The kernel's own call: what pthread and C offer would order all that the threads did
 * before. Yielding instead takes a turn of everything else that the machine runs. */

/* Waits until the counter is not `seen` any more; for a millisecond at most, so that
 * nothing hangs where a change came just before. */
static inline void threads_wait_for_change(_Atomic uint32_t *counter, uint32_t seen)
{
    const struct timespec limit = {.tv_nsec = 1000 * 1000};
    (void)syscall(SYS_futex, counter, FUTEX_WAIT_PRIVATE, seen, &limit, NULL, 0);
}

static inline void threads_change(_Atomic uint32_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    (void)syscall(SYS_futex, counter, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static inline uint32_t threads_count(const _Atomic uint32_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
