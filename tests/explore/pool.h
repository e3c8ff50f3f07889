/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Pieces of states, each kept once: equal bytes get equal numbers. */
#ifndef TESTS_EXPLORE_POOL_H
#define TESTS_EXPLORE_POOL_H

#include <stddef.h>
#include <stdint.h>

/* The number of a piece with these bytes. Aborts where memory ends. */
uint32_t pool_put(const void *bytes, size_t size);
/* Its bytes; they stay where they are. */
const void *pool_get(uint32_t number, size_t *ret_size);
uint64_t pool_bytes(void);

#endif
