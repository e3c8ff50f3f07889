/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Promises about text that a device or a file brings, on its way to a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/src/text.h"

#define TEXT_SIZE 64u

static void assert_becomes(const char *bytes, size_t size, const char *wanted)
{
    char text[TEXT_SIZE];
    updraft_text_copy(text, sizeof(text), (const uint8_t *)bytes, size);
    assert_string_equal(text, wanted);
}

static void printable_text_is_kept(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "kitchen 2", "k\xC3\xB6k", "\xE5\x8E\xA8\xE6\x88\xBF", "\xF0\x9F\x92\xA1",
        /* The neighbours of what is replaced. */
        "\xC2\xA0", "\xE2\x80\xA7", "\xE2\x80\xAF", "\xE2\x81\xA5", "\xE2\x81\xAA",
        "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_becomes(texts[i], strlen(texts[i]), texts[i]);
    }
}

static void what_a_terminal_obeys_is_replaced(void **state)
{
    (void)state;
    /* ESC, the bell, a new line, and CSI as one character. */
    assert_becomes("a\033[2Jb", 6, "a?[2Jb");
    assert_becomes("\033]0;owned\007", 10, "?]0;owned?");
    assert_becomes("a\r\nb\x7F", 5, "a??b?");
    assert_becomes("\xC2\x9B"
                   "31m",
                   5, "??31m");
    /* The direction of writing, and line ends. */
    assert_becomes("gpj\xE2\x80\xAE"
                   "exe",
                   9, "gpj???exe");
    assert_becomes("\xE2\x80\xA8\xE2\x81\xA6\xE2\x81\xA9", 9, "?????????");
}

static void what_is_not_utf8_is_replaced(void **state)
{
    (void)state;
    assert_becomes("\xFF\xFE", 2, "??");
    assert_becomes("\xC0\xAF", 2, "??");           /* overlong */
    assert_becomes("\xE0\x80\xAF", 3, "???");      /* likewise */
    assert_becomes("\xED\xA0\x80", 3, "???");      /* a surrogate */
    assert_becomes("\xF4\x90\x80\x80", 4, "????"); /* above U+10FFFF */
    assert_becomes("a\xE2\x82", 3, "a??");         /* cut off */
    assert_becomes("\xE2\x82\x41\x41\x41", 5, "??AAA");
}

static void it_ends_at_a_nul_and_at_a_characters_border(void **state)
{
    (void)state;
    char text[5];
    assert_becomes("ab\0cd", 5, "ab");
    updraft_text_copy(text, sizeof(text), (const uint8_t *)"abc\xC3\xBC", 5);
    assert_string_equal(text, "abc");
    updraft_text_copy(text, sizeof(text), (const uint8_t *)"ab\xC3\xBC!", 5);
    assert_string_equal(text, "ab\xC3\xBC");
    updraft_text_copy(text, 1, (const uint8_t *)"ab", 2);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printable_text_is_kept),
        cmocka_unit_test(what_a_terminal_obeys_is_replaced),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
        cmocka_unit_test(it_ends_at_a_nul_and_at_a_characters_border),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
