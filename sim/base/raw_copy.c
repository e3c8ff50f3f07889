/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Copies that AddressSanitizer does not look at. */
#include "sim/base/raw_copy.h"

#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define RAW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RAW 1
#endif
#endif

#ifdef RAW

/* Nor does a fuzzer watch these loops: most of the time would go there. */
#ifdef __clang__
#define UNWATCHED __attribute__((no_sanitize("address", "coverage")))
#else
#define UNWATCHED __attribute__((no_sanitize("address")))
#endif

/* volatile, so that no compiler makes the loop a call of memcpy, which is watched. */
UNWATCHED void sim_raw_copy(void *target, const void *source, size_t size)
{
    volatile uint8_t *to = target;
    const volatile uint8_t *from = source;
    size_t i = 0;
    if (((uintptr_t)target | (uintptr_t)source) % 8 == 0) {
        for (; i + 8 <= size; i += 8) {
            *(volatile uint64_t *)(to + i) = *(const volatile uint64_t *)(from + i);
        }
    }
    for (; i < size; i++) {
        to[i] = from[i];
    }
}

UNWATCHED void sim_raw_zero(void *target, size_t size)
{
    volatile uint8_t *to = target;
    size_t i = 0;
    if ((uintptr_t)target % 8 == 0) {
        for (; i + 8 <= size; i += 8) {
            *(volatile uint64_t *)(to + i) = 0;
        }
    }
    for (; i < size; i++) {
        to[i] = 0;
    }
}

#else

void sim_raw_copy(void *target, const void *source, size_t size)
{
    memcpy(target, source, size);
}

void sim_raw_zero(void *target, size_t size)
{
    memset(target, 0, size);
}

#endif
