/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * One input of a fuzz target, read from the front; what is not there reads as zeros. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What libFuzzer, or replay.c, calls for each input. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A promise that an input broke: the input is the replay. */
#define FUZZ_HOLDS(condition)                                                         \
    ((condition) ? (void)0                                                            \
                 : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
                            #condition),                                              \
                    abort()))

struct fuzz_input {
    const uint8_t *bytes;
    size_t left;
};

static inline uint8_t fuzz_8(struct fuzz_input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->bytes++;
}

static inline uint16_t fuzz_16(struct fuzz_input *input)
{
    uint8_t low = fuzz_8(input);
    return (uint16_t)(low | fuzz_8(input) << 8);
}

static inline uint32_t fuzz_32(struct fuzz_input *input)
{
    uint32_t low = fuzz_16(input);
    return low | (uint32_t)fuzz_16(input) << 16;
}

/* The next bytes themselves, at most so many; *ret_size says how many there were. */
static inline const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t most,
                                        size_t *ret_size)
{
    const uint8_t *taken = input->bytes;
    *ret_size = input->left < most ? input->left : most;
    input->bytes += *ret_size;
    input->left -= *ret_size;
    return taken;
}

#endif
