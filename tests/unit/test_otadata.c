/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of reading otadata. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "updraft/otadata.h"

#define NEW       0u
#define PENDING   1u
#define VALID     2u
#define INVALID   3u
#define ABORTED   4u
#define UNDEFINED 0xFFFFFFFFu

/* The CRCs that ESP-IDF's chips write for these sequences. */
static const uint32_t crcs[] = {0, 0x4743989A, 0x55F63774, 0xED4A5011, 0x709D68A8};

struct entry {
    uint8_t bytes[UPDRAFT_OTADATA_ENTRY_SIZE];
};

static void put_le32(uint8_t *target, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        target[i] = (uint8_t)(value >> 8 * i);
    }
}

static struct entry entry(uint32_t sequence, uint32_t state)
{
    struct entry made;
    memset(made.bytes, 0xFF, sizeof(made.bytes));
    put_le32(made.bytes, sequence);
    put_le32(made.bytes + 24, state);
    put_le32(made.bytes + 28, crcs[sequence]);
    return made;
}

static struct entry blank(void)
{
    struct entry made;
    memset(made.bytes, 0xFF, sizeof(made.bytes));
    return made;
}

static struct updraft_otadata read_both(struct entry first, struct entry second,
                                        uint8_t slot_count)
{
    struct updraft_otadata otadata;
    memset(&otadata, 0xA5, sizeof(otadata));
    updraft_otadata_read(first.bytes, second.bytes, slot_count, &otadata);
    return otadata;
}

static void the_published_sample_is_read(void **state)
{
    (void)state;
    static const uint8_t sample[UPDRAFT_OTADATA_ENTRY_SIZE] = {
        0x02, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0x74, 0x37, 0xF6, 0x55};
    struct updraft_otadata otadata;
    updraft_otadata_read(sample, blank().bytes, 2, &otadata);
    assert_int_equal(otadata.active, 0);
    assert_true(otadata.entries[0].valid);
    assert_int_equal(otadata.entries[0].sequence, 2);
    assert_int_equal(otadata.entries[0].state, NEW);
    assert_int_equal(otadata.entries[0].slot, 1);
    assert_false(otadata.entries[1].valid);
    assert_int_equal(otadata.entries[1].sequence, UINT32_MAX);
}

static void the_crc_of_each_sample_is_right_and_no_other_is(void **state)
{
    (void)state;
    for (uint32_t sequence = 1; sequence <= 4; sequence++) {
        struct entry good = entry(sequence, VALID);
        assert_true(read_both(good, blank(), 2).entries[0].valid);
        for (int bit = 0; bit < 32; bit++) {
            struct entry bad = good;
            bad.bytes[28 + bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(read_both(bad, blank(), 2).entries[0].valid);
            bad = good;
            bad.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_false(read_both(bad, blank(), 2).entries[0].valid);
        }
    }
}

static void the_larger_sequence_is_active_and_the_first_of_equals(void **state)
{
    (void)state;
    assert_int_equal(read_both(entry(1, VALID), entry(2, NEW), 2).active, 1);
    assert_int_equal(read_both(entry(3, NEW), entry(2, VALID), 2).active, 0);
    assert_int_equal(read_both(entry(2, VALID), entry(2, NEW), 2).active, 0);
    assert_int_equal(read_both(blank(), entry(1, VALID), 2).active, 1);
    assert_int_equal(read_both(blank(), blank(), 2).active, -1);
}

static void rejected_entries_are_passed_over(void **state)
{
    (void)state;
    assert_int_equal(read_both(entry(1, VALID), entry(2, INVALID), 2).active, 0);
    assert_int_equal(read_both(entry(1, VALID), entry(2, ABORTED), 2).active, 0);
    assert_int_equal(read_both(entry(1, ABORTED), entry(2, INVALID), 2).active, -1);
    assert_int_equal(read_both(entry(1, VALID), entry(2, PENDING), 2).active, 1);
    assert_int_equal(read_both(entry(1, VALID), entry(2, UNDEFINED), 2).active, 1);
    /* The state is kept as it is, whatever the verdict. */
    assert_int_equal(read_both(entry(1, VALID), entry(2, ABORTED), 2).entries[1].state,
                     ABORTED);
}

static void the_label_means_nothing(void **state)
{
    (void)state;
    struct entry labelled = entry(1, VALID);
    memset(labelled.bytes + 4, 0x00, 20);
    assert_true(read_both(labelled, blank(), 2).entries[0].valid);
}

static void slots_take_turns(void **state)
{
    (void)state;
    static const uint8_t of_two[] = {0, 1, 0, 1};
    static const uint8_t of_three[] = {0, 1, 2, 0};
    for (uint32_t sequence = 1; sequence <= 4; sequence++) {
        struct entry made = entry(sequence, VALID);
        assert_int_equal(read_both(made, blank(), 1).entries[0].slot, 0);
        assert_int_equal(read_both(made, blank(), 2).entries[0].slot,
                         of_two[sequence - 1]);
        assert_int_equal(read_both(made, blank(), 3).entries[0].slot,
                         of_three[sequence - 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_sample_is_read),
        cmocka_unit_test(the_crc_of_each_sample_is_right_and_no_other_is),
        cmocka_unit_test(the_larger_sequence_is_active_and_the_first_of_equals),
        cmocka_unit_test(rejected_entries_are_passed_over),
        cmocka_unit_test(the_label_means_nothing),
        cmocka_unit_test(slots_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
