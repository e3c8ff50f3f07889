/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The board's heap, first fit over blocks in address order: small, and full when a chip's
 * would be about full. The firmware's malloc and its relatives end here. */
#define _GNU_SOURCE
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "esp_heap_caps.h"
#include "sim/idf/internal.h"

#ifdef SIM_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(memory, size)   __asan_poison_memory_region(memory, size)
#define UNPOISON(memory, size) __asan_unpoison_memory_region(memory, size)
#else
#define POISON(memory, size)   ((void)(memory), (void)(size))
#define UNPOISON(memory, size) ((void)(memory), (void)(size))
#endif

#define HEAP_DEFAULT_BYTES (200u * 1024u)
#define HEAP_ALIGNMENT     16u
#define USED_MAGIC         0x55534544u
#define FREE_MAGIC         0x46524545u
/* Behind each allocation, poisoned where AddressSanitizer watches. */
#define TAIL_BYTES 16u

struct block {
    uint32_t magic;
    uint32_t size; /* with this header, up to the next one */
    uint32_t asked;
    uint32_t reserved;
};
_Static_assert(sizeof(struct block) == HEAP_ALIGNMENT, "payloads stay aligned");

void sim_heap_init(sim_board_t *board)
{
    struct sim_heap *heap = &board->heap;
    if (heap->base == NULL) {
        uint32_t size = board->config.heap_bytes;
        heap->size = (size != 0 ? size : HEAP_DEFAULT_BYTES) & ~(HEAP_ALIGNMENT - 1);
        heap->base = sim_arena_alloc(board->config.arena, heap->size);
    }
    UNPOISON(heap->base, heap->size);
    struct block *block = (struct block *)heap->base;
    *block = (struct block){.magic = FREE_MAGIC, .size = (uint32_t)heap->size};
    POISON(block + 1, heap->size - sizeof(*block));
    heap->free_bytes = heap->size;
    heap->minimum_free_bytes = heap->size;
    heap->allocations = 0;
}

static struct block *next_block(const struct sim_heap *heap, struct block *block)
{
    uint8_t *next = (uint8_t *)block + block->size;
    return next < heap->base + heap->size ? (struct block *)next : NULL;
}

static void join_following(const struct sim_heap *heap, struct block *block)
{
    struct block *next = next_block(heap, block);
    while (next != NULL && next->magic == FREE_MAGIC) {
        block->size += next->size;
        POISON(next, sizeof(*next));
        next = next_block(heap, block);
    }
}

static void split(struct block *block, uint32_t size)
{
    if (block->size - size < 2 * sizeof(*block)) {
        return;
    }
    struct block *rest = (struct block *)((uint8_t *)block + size);
    UNPOISON(rest, sizeof(*rest));
    *rest = (struct block){.magic = FREE_MAGIC, .size = block->size - size};
    block->size = size;
}

void *sim_heap_alloc(sim_board_t *board, size_t size)
{
    struct sim_heap *heap = &board->heap;
    if (size > heap->size) {
        return NULL;
    }
    uint32_t needed = (uint32_t)(sizeof(struct block) + size + TAIL_BYTES);
    needed = (needed + HEAP_ALIGNMENT - 1) & ~(HEAP_ALIGNMENT - 1);
    struct block *block = (struct block *)heap->base;
    while (block != NULL) {
        if (block->magic == FREE_MAGIC) {
            join_following(heap, block);
            if (block->size >= needed) {
                break;
            }
        }
        block = next_block(heap, block);
    }
    if (block == NULL) {
        return NULL;
    }
    split(block, needed);
    block->magic = USED_MAGIC;
    block->asked = (uint32_t)size;
    heap->free_bytes -= block->size;
    if (heap->free_bytes < heap->minimum_free_bytes) {
        heap->minimum_free_bytes = heap->free_bytes;
    }
    heap->allocations++;
    UNPOISON(block + 1, size);
    return block + 1;
}

static struct block *block_of(sim_board_t *board, void *memory)
{
    struct block *block = (struct block *)memory - 1;
    const struct sim_heap *heap = &board->heap;
    uint8_t *at = (uint8_t *)block;
    if (at < heap->base || at >= heap->base + heap->size || block->magic != USED_MAGIC) {
        sim_panic("CORRUPT HEAP: %p was freed twice or never allocated", memory);
    }
    return block;
}

void sim_heap_free(sim_board_t *board, void *memory)
{
    if (memory == NULL) {
        return;
    }
    struct block *block = block_of(board, memory);
    board->heap.free_bytes += block->size;
    block->magic = FREE_MAGIC;
    POISON(block + 1, block->size - sizeof(*block));
    join_following(&board->heap, block);
}

size_t sim_heap_largest(const sim_board_t *board)
{
    const struct sim_heap *heap = &board->heap;
    size_t largest = 0;
    struct block *block = (struct block *)heap->base;
    while (block != NULL) {
        if (block->magic == FREE_MAGIC) {
            join_following(heap, block);
            largest = block->size > largest ? block->size : largest;
        }
        block = next_block(heap, block);
    }
    size_t overhead = sizeof(struct block) + TAIL_BYTES;
    return largest > overhead ? largest - overhead : 0;
}

/* The linker sends a module's calls of malloc and so on here (--wrap). */

void *__wrap_malloc(size_t size);
void __wrap_free(void *memory);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_vasprintf(char **ret_text, const char *format, va_list arguments);
int __wrap_asprintf(char **ret_text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void *__wrap_malloc(size_t size)
{
    return sim_heap_alloc(sim_board_now(), size);
}

void __wrap_free(void *memory)
{
    sim_heap_free(sim_board_now(), memory);
}

void *__wrap_calloc(size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        return NULL;
    }
    void *memory = sim_heap_alloc(sim_board_now(), bytes);
    if (memory != NULL) {
        memset(memory, 0, bytes);
    }
    return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
    sim_board_t *board = sim_board_now();
    if (memory == NULL) {
        return sim_heap_alloc(board, size);
    }
    if (size == 0) {
        sim_heap_free(board, memory);
        return NULL;
    }
    void *moved = sim_heap_alloc(board, size);
    if (moved != NULL) {
        uint32_t asked = block_of(board, memory)->asked;
        memcpy(moved, memory, asked < size ? asked : size);
        sim_heap_free(board, memory);
    }
    return moved;
}

char *__wrap_strndup(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    char *copy = sim_heap_alloc(sim_board_now(), length + 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, SIZE_MAX);
}

int __wrap_vasprintf(char **ret_text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length >= 0 ? sim_heap_alloc(sim_board_now(), (size_t)length + 1) : NULL;
    if (text == NULL) {
        return -1;
    }
    *ret_text = text;
    return vsnprintf(text, (size_t)length + 1, format, arguments);
}

int __wrap_asprintf(char **ret_text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = __wrap_vasprintf(ret_text, format, arguments);
    va_end(arguments);
    return length;
}

/* heap_caps */

void *heap_caps_malloc(size_t size, uint32_t caps)
{
    (void)caps;
    return __wrap_malloc(size);
}

void *heap_caps_calloc(size_t n, size_t size, uint32_t caps)
{
    (void)caps;
    return __wrap_calloc(n, size);
}

void *heap_caps_realloc(void *ptr, size_t size, uint32_t caps)
{
    (void)caps;
    return __wrap_realloc(ptr, size);
}

void heap_caps_free(void *ptr)
{
    __wrap_free(ptr);
}

size_t heap_caps_get_free_size(uint32_t caps)
{
    (void)caps;
    return sim_board_now()->heap.free_bytes;
}

size_t heap_caps_get_minimum_free_size(uint32_t caps)
{
    (void)caps;
    return sim_board_now()->heap.minimum_free_bytes;
}

size_t heap_caps_get_largest_free_block(uint32_t caps)
{
    (void)caps;
    return sim_heap_largest(sim_board_now());
}

uint32_t esp_get_free_heap_size(void)
{
    return (uint32_t)sim_board_now()->heap.free_bytes;
}

uint32_t esp_get_free_internal_heap_size(void)
{
    return esp_get_free_heap_size();
}

uint32_t esp_get_minimum_free_heap_size(void)
{
    return (uint32_t)sim_board_now()->heap.minimum_free_bytes;
}
