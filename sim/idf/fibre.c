/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Fibres are started by ucontext and switched by setjmp: a switch then makes no system
 * call, which swapcontext does for the signal mask. */
#include "sim/idf/fibre.h"

#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#ifdef SIM_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#define PAINT        0xA5
#define CANARY_BYTES 64u

struct start {
    struct sim_fibre_host *host;
    struct sim_fibre *fibre;
};

/* Handed to a fibre's first code, as makecontext has no room for pointers. */
static struct start starting;

static void before_switch(void **fake_stack, const void *stack, size_t size)
{
#ifdef SIM_ASAN
    __sanitizer_start_switch_fiber(fake_stack, stack, size);
#else
    (void)fake_stack;
    (void)stack;
    (void)size;
#endif
}

static void after_switch(void *fake_stack, const void **ret_stack, size_t *ret_size)
{
#ifdef SIM_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, ret_stack, ret_size);
#else
    (void)fake_stack;
    (void)ret_stack;
    (void)ret_size;
#endif
}

static void first_code(void)
{
    struct start start = starting;
    after_switch(NULL, &start.host->stack, &start.host->stack_size);
    start.fibre->entry(start.fibre->argument);
    abort(); /* entry never returns */
}

void sim_fibre_init(struct sim_fibre *fibre, sim_arena_t *arena, void (*entry)(void *),
                    void *argument)
{
    if (fibre->stack == NULL) {
        fibre->stack = sim_arena_alloc(arena, SIM_FIBRE_STACK_SIZE);
    }
#ifdef SIM_ASAN
    /* Whoever used the stack before may have died in the middle of a call. */
    __asan_unpoison_memory_region(fibre->stack, SIM_FIBRE_STACK_SIZE);
#endif
    memset(fibre->stack, PAINT, SIM_FIBRE_STACK_SIZE);
    fibre->entry = entry;
    fibre->argument = argument;
    fibre->started = false;
    fibre->fake_stack = NULL;
}

/* Left for good by setcontext, so AddressSanitizer would never take back the poison that
 * it puts around this function's variables. */
#ifdef SIM_ASAN
__attribute__((no_sanitize("address"), noinline))
#endif
static void
start_fibre(struct sim_fibre_host *host, struct sim_fibre *fibre)
{
    ucontext_t context;
    if (getcontext(&context) != 0) {
        abort();
    }
    context.uc_stack.ss_sp = fibre->stack;
    context.uc_stack.ss_size = SIM_FIBRE_STACK_SIZE;
    context.uc_link = NULL;
    makecontext(&context, first_code, 0);
    starting = (struct start){.host = host, .fibre = fibre};
    fibre->started = true;
    setcontext(&context);
    abort(); /* setcontext does not return */
}

void sim_fibre_enter(struct sim_fibre_host *host, struct sim_fibre *fibre)
{
    before_switch(&host->fake_stack, fibre->stack, SIM_FIBRE_STACK_SIZE);
    if (_setjmp(host->environment) == 0) {
        if (!fibre->started) {
            start_fibre(host, fibre);
        }
        _longjmp(fibre->environment, 1);
    }
    after_switch(host->fake_stack, NULL, NULL);
}

void sim_fibre_leave(struct sim_fibre_host *host, struct sim_fibre *fibre)
{
    before_switch(&fibre->fake_stack, host->stack, host->stack_size);
    if (_setjmp(fibre->environment) == 0) {
        _longjmp(host->environment, 1);
    }
    after_switch(fibre->fake_stack, &host->stack, &host->stack_size);
}

void sim_fibre_exit(struct sim_fibre_host *host, struct sim_fibre *fibre)
{
    (void)fibre;
    before_switch(NULL, host->stack, host->stack_size);
    _longjmp(host->environment, 1);
}

bool sim_fibre_is_sound(const struct sim_fibre *fibre)
{
    for (size_t i = 0; i < CANARY_BYTES; i++) {
        if (fibre->stack[i] != PAINT) {
            return false;
        }
    }
    return true;
}

#ifdef SIM_ASAN
__attribute__((no_sanitize("address")))
#endif
size_t
sim_fibre_unused(const struct sim_fibre *fibre)
{
    size_t unused = 0;
    while (unused < SIM_FIBRE_STACK_SIZE && fibre->stack[unused] == PAINT) {
        unused++;
    }
    return unused;
}
