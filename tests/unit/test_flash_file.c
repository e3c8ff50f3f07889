/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of flash over files: what outlives the process, killed ones included. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/chip/flash.h"

#define SIZE    (4u * 1024 * 1024)
#define SMALL   (2u * SIM_FLASH_BLOCK)
#define SECTORS 8u /* that the killed process goes round in */

static const struct sim_flash_timing timing = {"test", 45000, 150000, 700, 150};

static sim_arena_t *arena;
static sim_flash_t *flash;
static uint64_t us;

static void program(uint32_t offset, const void *bytes, uint32_t size)
{
    assert_int_equal(sim_flash_program(flash, offset, bytes, size, &us), SIM_FLASH_OK);
}

static void erase(uint32_t offset, uint32_t size)
{
    assert_int_equal(sim_flash_erase(flash, offset, size, &us), SIM_FLASH_OK);
}

/* How many of size bytes are not `byte`. */
static uint32_t differing(uint32_t offset, uint32_t size, uint8_t byte)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < size; i++) {
        count += sim_flash_bytes(flash)[offset + i] != byte;
    }
    return count;
}

static struct sim_flash_stats stats(void)
{
    struct sim_flash_stats result;
    sim_flash_stats(flash, &result);
    return result;
}

static char directory[] = "/tmp/updraft-flash-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
    strcpy(directory + sizeof(directory) - 7, "XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/flash.bin", directory);
    arena = sim_arena_new(32u << 20);
    (void)state;
    return 0;
}

static int remove_directory(void **state)
{
    char state_path[80];
    snprintf(state_path, sizeof(state_path), "%s.state", path);
    unlink(path);
    unlink(state_path);
    rmdir(directory);
    sim_arena_free(arena);
    (void)state;
    return 0;
}

static void open_flash(const struct sim_flash_timing *with)
{
    flash = sim_flash_open(arena, path, SIZE, with, 3);
    assert_non_null(flash);
}

static void content_and_wear_outlive_the_process(void **state)
{
    (void)state;
    open_flash(&timing);
    assert_false(sim_flash_is_cut(flash));
    assert_int_equal(differing(0, SIZE, 0xFF), 0);
    erase(0x10000, SIM_FLASH_BLOCK);
    program(0x10000, "abc", 3);
    sim_flash_settle(flash);
    sim_flash_cut_at(flash, 5, 0);
    sim_flash_close(flash);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, SIZE);
    open_flash(&timing);
    assert_false(sim_flash_is_cut(flash));
    assert_memory_equal(sim_flash_bytes(flash) + 0x10000, "abc", 3);
    assert_int_equal(sim_flash_wear(flash, 16), 1);
    assert_int_equal(stats().operations, 2);
    assert_int_equal(sim_flash_erase(flash, 0, 8 * 4096, &us), SIM_FLASH_CUT);
    sim_flash_close(flash);
    open_flash(&timing);
    assert_true(sim_flash_is_cut(flash)); /* still without power */
    sim_flash_power_on(flash);
    assert_int_equal(stats().operations, 6);
    sim_flash_close(flash);
}

static void a_killed_process_leaves_a_torn_operation(void **state)
{
    (void)state;
    static const struct sim_flash_timing *const choices[] = {&timing, NULL};
    for (size_t i = 0; i < 2; i++) {
        const struct sim_flash_timing *with =
            choices[i] != NULL ? choices[i] : sim_flash_timing("ideal");
        uint32_t torn = 0;
        for (uint64_t seed = 0; seed < 8; seed++) {
            pid_t child = fork();
            if (child == 0) {
                sim_flash_t *mine = sim_flash_open(arena, path, SIZE, with, seed);
                uint8_t zeros[4096] = {0};
                sim_flash_power_on(mine);
                sim_flash_load(mine, 0, zeros, sizeof(zeros));
                sim_flash_load(mine, 4096, zeros, sizeof(zeros));
                uint64_t ignored;
                sim_flash_erase(mine, 0, 2 * 4096, &ignored);
                _exit(0); /* before its time is over: nothing settled it */
            }
            int status;
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_int_equal(status, 0);
            flash = sim_flash_open(arena, path, SIZE, with, seed);
            assert_true(sim_flash_is_cut(flash));
            assert_int_equal(sim_flash_erase(flash, 0, 4096, &us), SIM_FLASH_CUT);
            sim_flash_power_on(flash);
            torn += differing(0, 2 * 4096, 0xFF) > 0;
            sim_flash_close(flash);
            /* Torn once, not again. */
            flash = sim_flash_open(arena, path, SIZE, with, seed);
            assert_false(sim_flash_is_cut(flash));
            sim_flash_close(flash);
        }
        assert_true(torn >= 4);
    }
}

/* Fills one sector after another with the number of its round, for ever. */
static void write_for_ever(int pipe_fd)
{
    sim_flash_t *mine = sim_flash_open(arena, path, SIZE, &timing, 1);
    uint64_t ignored;
    uint8_t bytes[SIM_FLASH_SECTOR];
    sim_flash_power_on(mine);
    for (uint32_t i = 0;; i++) {
        memset(bytes, (uint8_t)(i / SECTORS), sizeof(bytes));
        (void)sim_flash_erase(mine, i % SECTORS * SIM_FLASH_SECTOR, SIM_FLASH_SECTOR,
                              &ignored);
        sim_flash_settle(mine);
        (void)sim_flash_program(mine, i % SECTORS * SIM_FLASH_SECTOR, bytes,
                                sizeof(bytes), &ignored);
        sim_flash_settle(mine);
        if (write(pipe_fd, "", 1) != 1) {
            _exit(0);
        }
    }
}

static void a_kill_harms_nothing_but_the_operation_under_way(void **state)
{
    (void)state;
    for (uint32_t round = 1; round < 20; round++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
            close(pipes[0]);
            write_for_ever(pipes[1]);
        }
        close(pipes[1]);
        uint32_t done = round * 37 % 64 + SECTORS;
        for (uint32_t i = 0; i < done; i++) {
            char byte;
            assert_int_equal(read(pipes[0], &byte, 1), 1);
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        for (char byte; read(pipes[0], &byte, 1) == 1;) {
            done++; /* what it still did before the signal came */
        }
        close(pipes[0]);
        open_flash(&timing);
        sim_flash_power_on(flash);
        /* Sector done % SECTORS may have been under way. */
        for (uint32_t i = done - SECTORS + 1; i < done; i++) {
            assert_int_equal(differing(i % SECTORS * SIM_FLASH_SECTOR, SIM_FLASH_SECTOR,
                                       (uint8_t)(i / SECTORS)),
                             0);
        }
        assert_int_equal(differing(SECTORS * SIM_FLASH_SECTOR,
                                   SIZE - SECTORS * SIM_FLASH_SECTOR, 0xFF),
                         0);
        sim_flash_close(flash);
    }
}

static void a_shorter_raw_file_is_filled_up(void **state)
{
    (void)state;
    FILE *file = fopen(path, "w");
    fputs("raw", file);
    fclose(file);
    open_flash(&timing);
    assert_memory_equal(sim_flash_bytes(flash), "raw\xFF", 4);
    assert_int_equal(differing(3, SIZE - 3, 0xFF), 0);
    sim_flash_close(flash);
}

static void foreign_files_are_refused(void **state)
{
    (void)state;
    open_flash(&timing);
    sim_flash_close(flash);
    assert_null(sim_flash_open(arena, path, SMALL, &timing, 1));
    assert_int_equal(errno, EFBIG);
    char state_path[80];
    snprintf(state_path, sizeof(state_path), "%s.state", path);
    FILE *file = fopen(state_path, "w");
    fputs("something else entirely", file);
    fclose(file);
    assert_null(sim_flash_open(arena, path, SIZE, &timing, 1));
    assert_int_equal(errno, EBADMSG);
    assert_null(sim_flash_open(arena, "/nonexistent/flash.bin", SIZE, &timing, 1));
    assert_int_equal(errno, ENOENT);
}

#define IN_FILES(test) \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FILES(content_and_wear_outlive_the_process),
        IN_FILES(a_killed_process_leaves_a_torn_operation),
        IN_FILES(a_kill_harms_nothing_but_the_operation_under_way),
        IN_FILES(a_shorter_raw_file_is_filled_up),
        IN_FILES(foreign_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
