/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Name and service UUIDs from advertising data (Supplement to the Core Specification,
 * Part A). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sim/gateway/internal.h"

enum {
    AD_UUIDS16_SOME = 0x02,
    AD_UUIDS16 = 0x03,
    AD_UUIDS128_SOME = 0x06,
    AD_UUIDS128 = 0x07,
    AD_NAME_SHORT = 0x08,
    AD_NAME = 0x09,
};

void uuid_text(const uint8_t uuid[16], char text[UUID_TEXT_SIZE])
{
    char *out = text;
    for (int i = 15; i >= 0; i--) {
        out += sprintf(out, "%02x%s", uuid[i],
                       i == 12 || i == 10 || i == 8 || i == 6 ? "-" : "");
    }
}

static char *next_uuid(struct advertised *data)
{
    return data->uuid_count < UUIDS_MAX ? data->uuids[data->uuid_count++] : NULL;
}

static void take_field(struct advertised *data, uint8_t type, const uint8_t *bytes,
                       size_t size)
{
    char *text;
    size_t used = 0;
    switch (type) {
    case AD_UUIDS16_SOME:
    case AD_UUIDS16:
        for (; size >= 2 && (text = next_uuid(data)) != NULL; bytes += 2, size -= 2) {
            snprintf(text, UUID_TEXT_SIZE, "%02x%02x", bytes[1], bytes[0]);
        }
        break;
    case AD_UUIDS128_SOME:
    case AD_UUIDS128:
        for (; size >= 16 && (text = next_uuid(data)) != NULL; bytes += 16, size -= 16) {
            uuid_text(bytes, text);
        }
        break;
    case AD_NAME_SHORT:
    case AD_NAME:
        /* A name may hold anything; a bus takes UTF-8 only. */
        for (; used < size && used + 1 < NAME_SIZE; used++) {
            data->name[used] = isprint(bytes[used]) ? (char)bytes[used] : '?';
        }
        data->name[used] = '\0';
        break;
    default:
        break;
    }
}

void advertised_parse(const uint8_t *data, size_t size, struct advertised *ret_data)
{
    memset(ret_data, 0, sizeof(*ret_data));
    for (size_t at = 0; at < size && data[at] != 0 && data[at] < size - at;
         at += 1u + data[at]) {
        take_field(ret_data, data[at + 1], &data[at + 2], data[at] - 1u);
    }
}

void advertised_join(const struct advertised reports[2], struct advertised *ret_data)
{
    *ret_data = reports[0];
    if (ret_data->name[0] == '\0') {
        memcpy(ret_data->name, reports[1].name, NAME_SIZE);
    }
    for (size_t i = 0; i < reports[1].uuid_count; i++) {
        char *text = next_uuid(ret_data);
        if (text != NULL) {
            memcpy(text, reports[1].uuids[i], UUID_TEXT_SIZE);
        }
    }
}

bool advertised_same(const struct advertised *a, const struct advertised *b)
{
    if (strcmp(a->name, b->name) != 0 || a->uuid_count != b->uuid_count) {
        return false;
    }
    for (size_t i = 0; i < a->uuid_count; i++) {
        if (strcmp(a->uuids[i], b->uuids[i]) != 0) {
            return false;
        }
    }
    return true;
}
