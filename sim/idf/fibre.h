/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Fibres: code with a stack of its own, left and entered again at will. */
#ifndef SIM_FIBRE_H
#define SIM_FIBRE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/arena.h"

#if defined(__SANITIZE_ADDRESS__)
#define SIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ASAN 1
#endif
#endif

#ifdef SIM_ASAN
#define SIM_FIBRE_STACK_SIZE ((size_t)256 * 1024)
#else
#define SIM_FIBRE_STACK_SIZE ((size_t)64 * 1024)
#endif

/* Everything lives in the arena, so a snapshot holds fibres as well. */
struct sim_fibre {
    jmp_buf environment;
    uint8_t *stack; /* from the arena; kept for the next user of the same struct */
    void (*entry)(void *argument);
    void *argument;
    bool started;
    void *fake_stack; /* AddressSanitizer's */
};

/* The stack that fibres are entered from: the driver's. */
struct sim_fibre_host {
    jmp_buf environment;
    const void *stack;
    size_t stack_size;
    void *fake_stack;
};

/* Makes a fibre that will run entry(argument), which must never return. */
void sim_fibre_init(struct sim_fibre *fibre, sim_arena_t *arena, void (*entry)(void *),
                    void *argument);
/* Runs the fibre until it calls sim_fibre_leave. From the host only. */
void sim_fibre_enter(struct sim_fibre_host *host, struct sim_fibre *fibre);
/* Back to the host. Returns when the fibre is entered again. */
void sim_fibre_leave(struct sim_fibre_host *host, struct sim_fibre *fibre);
/* The same for a fibre that is not entered again. */
void sim_fibre_exit(struct sim_fibre_host *host, struct sim_fibre *fibre)
    __attribute__((noreturn));
/* False: it wrote beyond the end of its stack. */
bool sim_fibre_is_sound(const struct sim_fibre *fibre);
/* Bytes of its stack that were never written. */
size_t sim_fibre_unused(const struct sim_fibre *fibre);

#endif
