/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Copies of memory as it is. */
#ifndef SIM_RAW_COPY_H
#define SIM_RAW_COPY_H

#include <stddef.h>

/* memcpy for memory that holds stacks and statics: under AddressSanitizer these contain
 * bytes that nobody may touch, except whoever copies the whole. */
void sim_raw_copy(void *target, const void *source, size_t size);
/* The same for memset to 0. */
void sim_raw_zero(void *target, size_t size);

#endif
