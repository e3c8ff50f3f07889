/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Flash over two mapped files: the raw content, and what is known of it beside. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/chip/flash_state.h"

#define PAGE_BYTES 4096u

/* The state file: struct flash_state, wear, and as much undo as there is flash (a hole
 * where nothing was written). Each begins on a page. */
static size_t wear_offset(void)
{
    return (sizeof(struct flash_state) + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static size_t undo_offset(uint32_t size_bytes)
{
    size_t wear_bytes = size_bytes / SIM_FLASH_SECTOR * sizeof(uint32_t);
    return wear_offset() + (wear_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static int fill_up(int fd, off_t from, uint32_t size_bytes)
{
    uint8_t blank[PAGE_BYTES];
    memset(blank, 0xFF, sizeof(blank));
    for (off_t at = from; at < (off_t)size_bytes;) {
        size_t size = (size_t)((off_t)size_bytes - at);
        if (size > sizeof(blank)) {
            size = sizeof(blank);
        }
        ssize_t written = pwrite(fd, blank, size, at);
        if (written <= 0) {
            return -1;
        }
        at += written;
    }
    return 0;
}

/* Opens or makes a file, brings it to its size and maps it. NULL and errno. */
static void *map_file(const char *path, size_t size_bytes, bool blank_is_ff)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        return NULL;
    }
    struct stat status;
    int result = fstat(fd, &status);
    if (result == 0 && status.st_size > (off_t)size_bytes) {
        errno = EFBIG;
        result = -1;
    } else if (result == 0 && blank_is_ff) {
        result = fill_up(fd, status.st_size, (uint32_t)size_bytes);
    } else if (result == 0) {
        result = ftruncate(fd, (off_t)size_bytes);
    }
    void *mapping = MAP_FAILED;
    if (result == 0) {
        mapping = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    int error = errno;
    close(fd);
    errno = error;
    return mapping == MAP_FAILED ? NULL : mapping;
}

static bool state_is_usable(const struct flash_state *state, uint32_t size_bytes)
{
    if (state->magic != FLASH_STATE_MAGIC || state->size_bytes != size_bytes ||
        state->call_count > FLASH_CALLS_MAX || state->undo_used > size_bytes) {
        return false;
    }
    for (uint32_t i = 0; i < state->call_count; i++) {
        const struct flash_call *call = &state->calls[i];
        if ((call->kind != FLASH_ERASE && call->kind != FLASH_PROGRAM) ||
            call->offset > size_bytes || call->size > size_bytes - call->offset ||
            call->undo_offset > state->undo_used ||
            call->size > state->undo_used - call->undo_offset ||
            (call->kind == FLASH_ERASE &&
             (call->offset | call->size) % SIM_FLASH_SECTOR != 0)) {
            return false;
        }
    }
    return true;
}

static void make_state(struct flash_state *state, uint32_t size_bytes)
{
    state->size_bytes = size_bytes;
    state->cut_operation = SIM_FLASH_NEVER;
    state->fail_operation = SIM_FLASH_NEVER;
    /* Last: a file that a killed process left half made has no magic yet. */
    atomic_signal_fence(memory_order_seq_cst);
    state->magic = FLASH_STATE_MAGIC;
}

sim_flash_t *sim_flash_open(sim_arena_t *arena, const char *path, uint32_t size_bytes,
                            const struct sim_flash_timing *timing, uint64_t seed)
{
    char state_path[PATH_MAX];
    int length = snprintf(state_path, sizeof(state_path), "%s.state", path);
    if (length < 0 || (size_t)length >= sizeof(state_path)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    if (size_bytes == 0 || size_bytes % SIM_FLASH_BLOCK != 0) {
        errno = EINVAL;
        return NULL;
    }
    uint8_t *bytes = map_file(path, size_bytes, true);
    if (bytes == NULL) {
        return NULL;
    }
    size_t mapped_bytes = undo_offset(size_bytes) + size_bytes;
    struct flash_state *state = map_file(state_path, mapped_bytes, false);
    int error = errno == EFBIG ? EBADMSG : errno;
    if (state != NULL && state->magic == 0) {
        make_state(state, size_bytes);
    } else if (state != NULL && !state_is_usable(state, size_bytes)) {
        munmap(state, mapped_bytes);
        state = NULL;
        error = EBADMSG;
    }
    if (state == NULL) {
        munmap(bytes, size_bytes);
        errno = error;
        return NULL;
    }
    sim_flash_t *flash = sim_arena_alloc(arena, sizeof(*flash));
    *flash = (sim_flash_t){.timing = *timing,
                           .seed = seed,
                           .size_bytes = size_bytes,
                           .undo_capacity = size_bytes,
                           .bytes = bytes,
                           .state = state,
                           .wear = (uint32_t *)((uint8_t *)state + wear_offset()),
                           .undo = (uint8_t *)state + undo_offset(size_bytes),
                           .state_mapped_bytes = mapped_bytes};
    state->group = false;
    flash->killed = state->call_count > 0;
    if (flash->killed) {
        state->off = true;
    }
    return flash;
}

void sim_flash_close(sim_flash_t *flash)
{
    if (flash->state_mapped_bytes == 0) {
        return;
    }
    munmap(flash->bytes, flash->size_bytes);
    munmap(flash->state, flash->state_mapped_bytes);
}
