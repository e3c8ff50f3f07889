/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Firmware modules: loaded once per process, their statics put back at each boot. */
#define _GNU_SOURCE
#include <assert.h>
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/raw_copy.h"
#include "sim/idf/internal.h"

#define STATICS_MAX 4
#define PATH_BYTES  512

/* One writable part of a module in memory, and what it held when it was loaded. */
struct statics {
    uint8_t *start;
    size_t size;
    uint8_t *pristine;
};

struct module {
    char path[PATH_BYTES];
    const struct sim_firmware_info *info;
    struct statics statics[STATICS_MAX];
    size_t statics_count;
};

/* The one state of a process that is not a board's: code that is mapped stays mapped. */
static struct module modules[SIM_MODULES_MAX];
static size_t module_count;

static bool name_is_plain(const char *name)
{
    if (name[0] == '\0') {
        return false;
    }
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        "_-") == strlen(name);
}

struct search {
    const void *inside; /* an address in the module */
    struct module *module;
};

static bool is_inside(const struct dl_phdr_info *info, const void *address)
{
    uintptr_t at = (uintptr_t)address;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && at >= start && at < start + header->p_memsz) {
            return true;
        }
    }
    return false;
}

/* The end of what the dynamic linker made read-only after relocation; it lies at the
 * beginning of the writable part. */
static uintptr_t relro_end(const struct dl_phdr_info *info)
{
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_GNU_RELRO) {
            uintptr_t end = info->dlpi_addr + header->p_vaddr + header->p_memsz;
            /* Whole pages are protected. */
            return end & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
        }
    }
    return 0;
}

static int collect_statics(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct search *search = context;
    if (!is_inside(info, search->inside)) {
        return 0;
    }
    uintptr_t protected_end = relro_end(info);
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || (header->p_flags & PF_W) == 0) {
            continue;
        }
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        uintptr_t end = start + header->p_memsz;
        if (protected_end > start && protected_end <= end) {
            start = protected_end;
        }
        if (end > start && search->module->statics_count < STATICS_MAX) {
            struct statics *statics =
                &search->module->statics[search->module->statics_count++];
            statics->start = (uint8_t *)start;
            statics->size = end - start;
        }
    }
    return 1;
}

static bool keep_pristine(struct module *module)
{
    struct search search = {.inside = module->info, .module = module};
    dl_iterate_phdr(collect_statics, &search);
    for (size_t i = 0; i < module->statics_count; i++) {
        struct statics *statics = &module->statics[i];
        statics->pristine = malloc(statics->size);
        if (statics->pristine == NULL) {
            return false;
        }
        sim_raw_copy(statics->pristine, statics->start, statics->size);
    }
    return true;
}

static struct module *load(sim_board_t *board, const char *path)
{
    for (size_t i = 0; i < module_count; i++) {
        if (strcmp(modules[i].path, path) == 0) {
            return &modules[i];
        }
    }
    if (module_count == SIM_MODULES_MAX) {
        sim_console_text(board, "simulator: too many firmware modules\n");
        return NULL;
    }
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct sim_firmware_info *info =
        handle != NULL ? dlsym(handle, "sim_firmware_info") : NULL;
    if (info == NULL || info->size != sizeof(*info)) {
        const char *why = dlerror();
        sim_console_text(board, "simulator: ");
        sim_console_text(board, why != NULL ? why : path);
        sim_console_text(board, why != NULL ? "\n" : " is of another simulator\n");
        return NULL;
    }
    struct module *module = &modules[module_count];
    snprintf(module->path, sizeof(module->path), "%s", path);
    module->info = info;
    if (!keep_pristine(module)) {
        return NULL;
    }
    module_count++;
    return module;
}

/* All statics, except that RTC memory keeps what it holds, or at power-on becomes noise.
 */
static void reset_statics(sim_board_t *board, const struct module *module)
{
    const struct sim_firmware_info *info = module->info;
    size_t rtc_size = (size_t)(info->rtc_end - info->rtc_start);
    uint8_t *rtc = rtc_size > 0 ? malloc(rtc_size) : NULL;
    if (rtc != NULL) {
        sim_raw_copy(rtc, info->rtc_start, rtc_size);
        if (board->reset_reason == ESP_RST_POWERON) {
            sim_random_fill(&board->random, rtc, rtc_size);
        }
    }
    for (size_t i = 0; i < module->statics_count; i++) {
        const struct statics *statics = &module->statics[i];
        sim_raw_copy(statics->start, statics->pristine, statics->size);
    }
    if (rtc != NULL) {
        sim_raw_copy(info->rtc_start, rtc, rtc_size);
        free(rtc);
    }
}

const struct sim_firmware_info *sim_module_start(sim_board_t *board, const char *name)
{
    char path[PATH_BYTES];
    int length =
        snprintf(path, sizeof(path), "%s/fw_%s.so", board->config.firmware_dir, name);
    if (!name_is_plain(name) || length < 0 || (size_t)length >= sizeof(path)) {
        sim_console_text(board, "simulator: not the name of a firmware module\n");
        return NULL;
    }
    struct module *module = load(board, path);
    if (module == NULL) {
        return NULL;
    }
    uint32_t bit = 1u << (unsigned)(module - modules);
    if ((board->modules_registered & bit) == 0) {
        board->modules_registered |= bit;
        for (size_t i = 0; i < module->statics_count; i++) {
            sim_arena_add_region(board->config.arena, module->statics[i].start,
                                 module->statics[i].size);
        }
    }
    reset_statics(board, module);
    return module->info;
}
