/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Addresses as text, and text that devices sent. */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "client/src/text.h"
#include "updraft/client.h"

void updraft_address_format(const struct updraft_address *address,
                            char ret_text[UPDRAFT_ADDRESS_TEXT_SIZE])
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < sizeof(address->bytes); i++) {
        ret_text[3 * i] = digits[address->bytes[i] >> 4];
        ret_text[3 * i + 1] = digits[address->bytes[i] & 15];
        ret_text[3 * i + 2] = ':';
    }
    ret_text[UPDRAFT_ADDRESS_TEXT_SIZE - 1] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

int updraft_address_parse(const char *text, struct updraft_address *ret_address)
{
    struct updraft_address address = {0};
    if (strlen(text) != UPDRAFT_ADDRESS_TEXT_SIZE - 1) {
        return UPDRAFT_ERROR_ARGUMENT;
    }
    for (size_t i = 0; i < sizeof(address.bytes); i++) {
        int high = hex_digit(text[3 * i]);
        int low = hex_digit(text[3 * i + 1]);
        char after = text[3 * i + 2];
        if (high < 0 || low < 0 ||
            after != (i + 1 < sizeof(address.bytes) ? ':' : '\0')) {
            return UPDRAFT_ERROR_ARGUMENT;
        }
        address.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_address = address;
    return UPDRAFT_OK;
}

/* U+2028 to U+202E and U+2066 to U+2069: line ends, and what turns the direction of the
 * text around it. Three bytes. */
static bool is_format(const uint8_t *bytes)
{
    return bytes[0] == 0xE2 &&
           ((bytes[1] == 0x80 && bytes[2] >= 0xA8 && bytes[2] <= 0xAE) ||
            (bytes[1] == 0x81 && bytes[2] >= 0xA6 && bytes[2] <= 0xA9));
}

/* Length of the well-formed UTF-8 sequence at bytes (RFC 3629, 4), 0 where there is none
 * or it is a control character: U+0000 to U+001F, U+007F to U+009F, and those above. */
static size_t utf8_printable(const uint8_t *bytes, size_t size)
{
    uint8_t first = bytes[0];
    uint8_t low = 0x80;
    uint8_t high = 0xBF;
    size_t length;
    if (first < 0x80) {
        return first >= 0x20 && first != 0x7F ? 1 : 0;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
        low = first == 0xC2 ? 0xA0 : low;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3;
        low = first == 0xE0 ? 0xA0 : low;
        high = first == 0xED ? 0x9F : high; /* no surrogates */
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        low = first == 0xF0 ? 0x90 : low;
        high = first == 0xF4 ? 0x8F : high;
    } else {
        return 0;
    }
    if (size < length || bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length == 3 && is_format(bytes) ? 0 : length;
}

void updraft_text_copy(char *ret_text, size_t text_size, const uint8_t *bytes,
                       size_t size)
{
    assert(text_size > 0);
    size_t used = 0;
    for (size_t i = 0; i < size && bytes[i] != 0;) {
        size_t length = utf8_printable(&bytes[i], size - i);
        size_t room = length > 0 ? length : 1;
        if (used + room >= text_size) {
            break;
        }
        if (length > 0) {
            memcpy(&ret_text[used], &bytes[i], length);
        } else {
            ret_text[used] = '?';
        }
        used += room;
        i += room;
    }
    ret_text[used] = '\0';
}
