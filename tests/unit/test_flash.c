/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the NOR flash: bits, times and cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/chip/flash.h"

#define SMALL (2u * SIM_FLASH_BLOCK)

static const struct sim_flash_timing timing = {"test", 45000, 150000, 700, 150};

static sim_arena_t *arena;
static sim_flash_t *flash;
static uint64_t us;

static int set_up(void **state)
{
    (void)state;
    arena = sim_arena_new(32u << 20);
    flash = sim_flash_new(arena, SMALL, &timing, 7);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_arena_free(arena);
    return 0;
}

static void program(uint32_t offset, const void *bytes, uint32_t size)
{
    assert_int_equal(sim_flash_program(flash, offset, bytes, size, &us), SIM_FLASH_OK);
}

static void erase(uint32_t offset, uint32_t size)
{
    assert_int_equal(sim_flash_erase(flash, offset, size, &us), SIM_FLASH_OK);
}

static void fill(uint8_t byte)
{
    uint8_t *bytes = malloc(SMALL);
    memset(bytes, byte, SMALL);
    sim_flash_load(flash, 0, bytes, SMALL);
    free(bytes);
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

static void new_flash_is_blank_and_powered(void **state)
{
    (void)state;
    assert_int_equal(sim_flash_size(flash), SMALL);
    assert_int_equal(differing(0, SMALL, 0xFF), 0);
    assert_false(sim_flash_is_cut(flash));
    assert_int_equal(stats().operations, 0);
}

static void programming_clears_bits_only(void **state)
{
    (void)state;
    program(10, "\xF0", 1);
    program(10, "\x3C", 1);
    assert_int_equal(sim_flash_bytes(flash)[10], 0x30);
    assert_int_equal(stats().overwrites, 1);
    erase(0, SIM_FLASH_SECTOR);
    assert_int_equal(sim_flash_bytes(flash)[10], 0xFF);
    assert_int_equal(sim_flash_wear(flash, 0), 1);
    assert_int_equal(sim_flash_wear(flash, 1), 0);
}

static void programs_are_split_at_pages(void **state)
{
    (void)state;
    uint8_t bytes[600];
    memset(bytes, 0x55, sizeof(bytes));
    program(200, bytes, sizeof(bytes)); /* 56 + 256 + 256 + 32 */
    assert_int_equal(stats().operations, 4);
    assert_int_equal(stats().pages_programmed, 4);
    assert_int_equal(us, 4 * 700);
    assert_int_equal(differing(200, 600, 0x55), 0);
    assert_int_equal(differing(0, 200, 0xFF), 0);
    assert_int_equal(differing(800, 100, 0xFF), 0);
}

static void erases_take_blocks_where_they_can(void **state)
{
    (void)state;
    /* One sector before the block, the block, one sector behind it is not whole. */
    fill(0);
    erase(SIM_FLASH_BLOCK - SIM_FLASH_SECTOR, SIM_FLASH_SECTOR + SIM_FLASH_BLOCK);
    assert_int_equal(stats().sectors_erased, 1);
    assert_int_equal(stats().blocks_erased, 1);
    assert_int_equal(us, 45000 + 150000);
    assert_int_equal(sim_flash_wear(flash, 15), 1);
    assert_int_equal(sim_flash_wear(flash, 31), 1);
    assert_int_equal(sim_flash_wear(flash, 14), 0);
    erase(0, SIM_FLASH_BLOCK - SIM_FLASH_SECTOR);
    assert_int_equal(stats().sectors_erased, 16);
    assert_int_equal(stats().blocks_erased, 1);
}

static void what_is_outside_or_unaligned_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[8] = {0};
    assert_int_equal(sim_flash_erase(flash, 1, 4096, &us), SIM_FLASH_RANGE);
    assert_int_equal(sim_flash_erase(flash, 0, 4095, &us), SIM_FLASH_RANGE);
    assert_int_equal(sim_flash_erase(flash, SMALL, 4096, &us), SIM_FLASH_RANGE);
    assert_int_equal(sim_flash_erase(flash, 4096, UINT32_MAX - 4095, &us),
                     SIM_FLASH_RANGE);
    assert_int_equal(sim_flash_program(flash, SMALL - 4, bytes, 8, &us), SIM_FLASH_RANGE);
    assert_int_equal(sim_flash_read(flash, SMALL - 4, bytes, 8, &us), SIM_FLASH_RANGE);
    assert_int_equal(sim_flash_read(flash, UINT32_MAX, bytes, 8, &us), SIM_FLASH_RANGE);
    assert_int_equal(stats().operations, 0);
    assert_int_equal(differing(0, SMALL, 0xFF), 0);
}

static void reading_takes_time_by_length(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    program(0, "\x12\x34", 2);
    assert_int_equal(sim_flash_read(flash, 0, bytes, sizeof(bytes), &us), SIM_FLASH_OK);
    assert_int_equal(us, 4 * 150);
    assert_memory_equal(bytes, "\x12\x34\xFF", 3);
    assert_int_equal(stats().bytes_read, 4096);
}

static void named_timings_exist(void **state)
{
    (void)state;
    assert_int_equal(sim_flash_timing("ideal")->block_erase_us, 0);
    assert_int_equal(sim_flash_timing("typical")->sector_erase_us, 45000);
    assert_int_equal(sim_flash_timing("worst")->block_erase_us, 2000000);
    assert_null(sim_flash_timing("Typical"));
}

static void a_cut_tears_exactly_the_operation_it_names(void **state)
{
    (void)state;
    fill(0);
    sim_flash_cut_at(flash, 2, 2);
    assert_int_equal(sim_flash_erase(flash, 0, 4 * SIM_FLASH_SECTOR, &us), SIM_FLASH_CUT);
    assert_int_equal(us, 2 * 45000 + 22500);
    assert_int_equal(differing(0, 2 * SIM_FLASH_SECTOR, 0xFF), 0);
    assert_int_equal(differing(3 * SIM_FLASH_SECTOR, SIM_FLASH_SECTOR, 0), 0);
    assert_int_equal(stats().operations, 3);
    assert_true(sim_flash_is_cut(flash));
    uint8_t byte;
    assert_int_equal(sim_flash_read(flash, 0, &byte, 1, &us), SIM_FLASH_CUT);
    assert_int_equal(sim_flash_program(flash, 0, "", 1, &us), SIM_FLASH_CUT);
    assert_int_equal(sim_flash_erase(flash, 0, 4096, &us), SIM_FLASH_CUT);
    assert_int_equal(us, 0);
    sim_flash_power_on(flash);
    assert_false(sim_flash_is_cut(flash));
    erase(0, 4 * SIM_FLASH_SECTOR); /* the cut does not come again */
    assert_int_equal(stats().operations, 7);
}

static void variant_0_does_nothing_and_variant_1_all(void **state)
{
    (void)state;
    fill(0);
    sim_flash_cut_at(flash, 0, 0);
    assert_int_equal(sim_flash_erase(flash, 0, 4096, &us), SIM_FLASH_CUT);
    assert_int_equal(differing(0, 4096, 0), 0);
    sim_flash_power_on(flash);
    sim_flash_cut_at(flash, 1, 1);
    assert_int_equal(sim_flash_erase(flash, 0, 4096, &us), SIM_FLASH_CUT);
    assert_int_equal(differing(0, 4096, 0xFF), 0);
    sim_flash_power_on(flash);
    sim_flash_cut_at(flash, 2, 0);
    assert_int_equal(sim_flash_program(flash, 0, "\1\2\3", 3, &us), SIM_FLASH_CUT);
    assert_int_equal(differing(0, 4096, 0xFF), 0);
    sim_flash_power_on(flash);
    sim_flash_cut_at(flash, 3, 1);
    assert_int_equal(sim_flash_program(flash, 0, "\1\2\3", 3, &us), SIM_FLASH_CUT);
    assert_memory_equal(sim_flash_bytes(flash), "\1\2\3\xFF", 4);
}

static void torn_erases_differ_by_variant_and_come_back_by_seed(void **state)
{
    (void)state;
    uint8_t first[4096];
    uint32_t old = 0;
    uint32_t erased = 0;
    uint32_t between = 0;
    for (uint32_t variant = 2; variant < 42; variant++) {
        for (int again = 0; again < 2; again++) {
            sim_flash_t *one = sim_flash_new(arena, SIM_FLASH_BLOCK, &timing, 5);
            uint8_t zero[4096];
            memset(zero, 0x5A, sizeof(zero));
            sim_flash_load(one, 0, zero, sizeof(zero));
            sim_flash_cut_at(one, 0, variant);
            assert_int_equal(sim_flash_erase(one, 0, 4096, &us), SIM_FLASH_CUT);
            if (again == 0) {
                memcpy(first, sim_flash_bytes(one), sizeof(first));
            } else {
                assert_memory_equal(first, sim_flash_bytes(one), sizeof(first));
            }
        }
        for (uint32_t i = 0; i < sizeof(first); i++) {
            old += first[i] == 0x5A;
            erased += first[i] == 0xFF;
            between += first[i] != 0x5A && first[i] != 0xFF;
        }
    }
    assert_true(old > 4096 && erased > 4096 && between > 4096);
}

static void torn_programs_lie_between_before_and_after(void **state)
{
    (void)state;
    uint32_t whole = 0;
    uint32_t none = 0;
    for (uint32_t variant = 2; variant < 202; variant++) {
        sim_flash_t *one = sim_flash_new(arena, SIM_FLASH_BLOCK, &timing, variant);
        uint8_t wanted[32];
        memset(wanted, 0xA5, sizeof(wanted));
        sim_flash_cut_at(one, 0, variant);
        assert_int_equal(sim_flash_program(one, 0, wanted, 32, &us), SIM_FLASH_CUT);
        const uint8_t *bytes = sim_flash_bytes(one);
        uint32_t done = 0;
        for (uint32_t i = 0; i < 32; i++) {
            assert_int_equal(bytes[i] & 0xA5, 0xA5); /* no bit cleared but those asked */
            done += bytes[i] == 0xA5;
        }
        whole += done == 32;
        none += done == 0;
        assert_int_equal(bytes[32], 0xFF);
    }
    assert_true(whole < 100 && none < 100);
}

static void a_failure_leaves_the_power_on(void **state)
{
    (void)state;
    fill(0);
    sim_flash_fail_at(flash, 1);
    assert_int_equal(sim_flash_erase(flash, 0, 3 * 4096, &us), SIM_FLASH_FAILED);
    assert_int_equal(us, 2 * 45000);
    assert_false(sim_flash_is_cut(flash));
    assert_int_equal(differing(0, 4096, 0xFF), 0);
    assert_int_equal(differing(2 * 4096, 4096, 0), 0);
    assert_true(differing(4096, 4096, 0xFF) > 0);
    erase(0, 3 * 4096);
    assert_int_equal(differing(0, 3 * 4096, 0xFF), 0);
}

static void power_off_in_the_middle_of_its_time_tears_an_erase(void **state)
{
    (void)state;
    fill(0);
    erase(0, 4 * SIM_FLASH_SECTOR);
    assert_int_equal(differing(0, 4 * 4096, 0xFF), 0);
    sim_flash_power_off(flash, 45000 + 10);
    assert_int_equal(differing(0, 4096, 0xFF), 0);
    assert_true(differing(4096, 4096, 0xFF) > 0);
    assert_true(differing(4096, 4096, 0) > 0);
    assert_int_equal(differing(2 * 4096, 2 * 4096, 0), 0);
    assert_int_equal(stats().operations, 2); /* the other two never began */
    assert_int_equal(sim_flash_wear(flash, 1), 1);
    assert_int_equal(sim_flash_wear(flash, 2), 0);
    assert_true(sim_flash_is_cut(flash));
}

static void power_off_before_anything_happened_changes_nothing(void **state)
{
    (void)state;
    program(0, "\x11", 1);
    program(1, "\x22", 1);
    sim_flash_power_off(flash, 0);
    assert_memory_equal(sim_flash_bytes(flash), "\x11\xFF", 2);
}

static void settled_operations_are_never_torn(void **state)
{
    (void)state;
    program(0, "\x11", 1);
    sim_flash_settle(flash);
    sim_flash_power_off(flash, 0);
    assert_memory_equal(sim_flash_bytes(flash), "\x11\xFF", 2);
    sim_flash_power_on(flash);
    program(1, "\x22", 1);
    sim_flash_power_off(flash, UINT64_MAX);
    assert_memory_equal(sim_flash_bytes(flash), "\x11\x22\xFF", 3);
    sim_flash_power_on(flash);
    program(2, "\x33", 1);
    sim_flash_power_off(flash, 700); /* its time is just over */
    assert_memory_equal(sim_flash_bytes(flash), "\x11\x22\x33\xFF", 4);
}

static void a_group_is_one_row_in_time(void **state)
{
    (void)state;
    uint8_t old[32];
    uint8_t new[32];
    uint8_t unread[1024];
    memset(old, 0x0F, sizeof(old));
    memset(new, 0x30, sizeof(new));
    /* read 150, erase to 45150, read to 45300, program to 46000 */
    static const uint64_t moments[] = {100, 20000, 45200, 45600, 46000};
    for (size_t i = 0; i < 5; i++) {
        sim_flash_load(flash, 0, old, sizeof(old));
        sim_flash_load(flash, 4096, new, sizeof(new));
        sim_flash_group_begin(flash);
        assert_int_equal(sim_flash_read(flash, 0, unread, 1024, &us), SIM_FLASH_OK);
        erase(0, 4096);
        assert_int_equal(sim_flash_read(flash, 0, unread, 1024, &us), SIM_FLASH_OK);
        program(0, new, sizeof(new));
        sim_flash_group_end(flash);
        sim_flash_power_off(flash, moments[i]);
        const uint8_t *bytes = sim_flash_bytes(flash);
        switch (i) {
        case 0:
            assert_memory_equal(bytes, old, 32);
            break;
        case 1:
            assert_true(differing(0, 4096, 0xFF) > 0);
            break;
        case 2:
            assert_int_equal(differing(0, 4096, 0xFF), 0);
            break;
        case 3:
            for (uint32_t j = 0; j < 32; j++) {
                assert_int_equal(bytes[j] & 0x30, 0x30);
            }
            break;
        default:
            assert_memory_equal(bytes, new, 32);
            break;
        }
        sim_flash_power_on(flash);
    }
}

static void a_snapshot_holds_the_flash(void **state)
{
    (void)state;
    program(0, "\x11", 1);
    sim_snapshot_t *snapshot = sim_arena_snapshot(arena);
    erase(0, SIM_FLASH_BLOCK);
    sim_flash_power_off(flash, 0);
    sim_arena_restore(arena, snapshot);
    assert_false(sim_flash_is_cut(flash));
    assert_int_equal(sim_flash_bytes(flash)[0], 0x11);
    assert_int_equal(stats().operations, 1);
    sim_snapshot_free(snapshot);
}

#define IN_MEMORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_MEMORY(new_flash_is_blank_and_powered),
        IN_MEMORY(programming_clears_bits_only),
        IN_MEMORY(programs_are_split_at_pages),
        IN_MEMORY(erases_take_blocks_where_they_can),
        IN_MEMORY(what_is_outside_or_unaligned_is_refused),
        IN_MEMORY(reading_takes_time_by_length),
        IN_MEMORY(named_timings_exist),
        IN_MEMORY(a_cut_tears_exactly_the_operation_it_names),
        IN_MEMORY(variant_0_does_nothing_and_variant_1_all),
        IN_MEMORY(torn_erases_differ_by_variant_and_come_back_by_seed),
        IN_MEMORY(torn_programs_lie_between_before_and_after),
        IN_MEMORY(a_failure_leaves_the_power_on),
        IN_MEMORY(power_off_in_the_middle_of_its_time_tears_an_erase),
        IN_MEMORY(power_off_before_anything_happened_changes_nothing),
        IN_MEMORY(settled_operations_are_never_torn),
        IN_MEMORY(a_group_is_one_row_in_time),
        IN_MEMORY(a_snapshot_holds_the_flash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
