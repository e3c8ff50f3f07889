/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises of the error table. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "updraft/error.h"
#include "updraft/protocol2.h"

static const struct {
    int error;
    const char *upper_name;
    enum updraft_exit exit;
} errors[] = {
#define ROW(NAME, name, number, exit, message) {number, #NAME, UPDRAFT_EXIT_##exit},
    UPDRAFT_ERRORS(ROW)
#undef ROW
};

#define ERROR_COUNT (sizeof(errors) / sizeof(errors[0]))

static void every_error_has_a_number_and_a_name_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < ERROR_COUNT; i++) {
        assert_true(errors[i].error < 0);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(errors[i].error, errors[j].error);
            assert_string_not_equal(updraft_error_name(errors[i].error),
                                    updraft_error_name(errors[j].error));
            assert_string_not_equal(updraft_error_message(errors[i].error),
                                    updraft_error_message(errors[j].error));
        }
    }
}

static void names_are_the_constants_in_lower_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < ERROR_COUNT; i++) {
        char lower[64] = {0};
        assert_true(strlen(errors[i].upper_name) < sizeof(lower));
        for (size_t j = 0; errors[i].upper_name[j]; j++) {
            lower[j] = (char)tolower((unsigned char)errors[i].upper_name[j]);
        }
        assert_string_equal(updraft_error_name(errors[i].error), lower);
    }
    assert_string_equal(updraft_error_name(UPDRAFT_ERROR_IMAGE_CHIP), "image_chip");
    assert_string_equal(updraft_error_name(0), "ok");
    assert_string_equal(updraft_error_name(-99999), "unknown");
}

static void messages_are_sentences_without_a_full_stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < ERROR_COUNT; i++) {
        const char *message = updraft_error_message(errors[i].error);
        assert_true(strlen(message) > 8);
        assert_int_not_equal(message[strlen(message) - 1], '.');
        assert_false(message[0] == ' ');
    }
}

static void exit_classes_say_what_to_do(void **state)
{
    (void)state;
    assert_int_equal(updraft_error_exit(0), 0);
    assert_int_equal(updraft_error_exit(UPDRAFT_ERROR_IMAGE_CHIP), 6);
    assert_int_equal(updraft_error_exit(UPDRAFT_ERROR_BUSY), 5);
    assert_int_equal(updraft_error_exit(UPDRAFT_ERROR_LINK_LOST), 4);
    assert_int_equal(updraft_error_exit(UPDRAFT_ERROR_NO_DEVICE), 3);
    assert_int_equal(updraft_error_exit(UPDRAFT_ERROR_ROLLED_BACK), 7);
    assert_int_equal(updraft_error_exit(UPDRAFT_ERROR_CANCELLED), 130);
    assert_int_equal(updraft_error_exit(-99999), 1);
    for (size_t i = 0; i < ERROR_COUNT; i++) {
        assert_int_equal(updraft_error_exit(errors[i].error), errors[i].exit);
        assert_int_not_equal(errors[i].exit, 0);
    }
}

static void what_is_not_in_the_list_is_called_unknown(void **state)
{
    (void)state;
    assert_string_equal(updraft_error_name(-99999), "unknown");
    assert_string_equal(updraft_error_message(-99999), "unknown error");
    assert_string_equal(updraft_error_message(0), "no error");
}

static void statuses_and_errors_translate_both_ways(void **state)
{
    (void)state;
    assert_int_equal(updraft_p2_status_error(UPDRAFT_P2_OK), 0);
    assert_int_equal(updraft_p2_error_status(0), UPDRAFT_P2_OK);
    assert_int_equal(updraft_p2_status_error(200), UPDRAFT_ERROR_REFUSED);
#define BOTH_WAYS(NAME, number, error)                                        \
    assert_int_equal(updraft_p2_status_error(number), UPDRAFT_ERROR_##error); \
    assert_int_equal(updraft_p2_error_status(UPDRAFT_ERROR_##error), number);
    UPDRAFT_P2_STATUSES(BOTH_WAYS)
#undef BOTH_WAYS
    /* Without a status of its own, an error is told by its layer. */
    assert_int_equal(updraft_p2_error_status(UPDRAFT_ERROR_IMAGE_MAGIC),
                     UPDRAFT_P2_IMAGE);
    assert_int_equal(updraft_p2_error_status(-299), UPDRAFT_P2_FLASH);
    assert_int_equal(updraft_p2_error_status(-300), UPDRAFT_P2_INTERNAL);
    assert_int_equal(updraft_p2_error_status(-99), UPDRAFT_P2_INTERNAL);
    assert_int_equal(updraft_p2_error_status(1), UPDRAFT_P2_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_number_and_a_name_of_its_own),
        cmocka_unit_test(names_are_the_constants_in_lower_case),
        cmocka_unit_test(messages_are_sentences_without_a_full_stop),
        cmocka_unit_test(exit_classes_say_what_to_do),
        cmocka_unit_test(what_is_not_in_the_list_is_called_unknown),
        cmocka_unit_test(statuses_and_errors_translate_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
