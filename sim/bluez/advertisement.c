/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Advertising data (Supplement to the Core Specification, Part A), and UUIDs. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sim/bluez/internal.h"

enum {
    AD_FLAGS = 0x01,
    AD_UUIDS16_SOME = 0x02,
    AD_UUIDS16 = 0x03,
    AD_UUIDS128_SOME = 0x06,
    AD_UUIDS128 = 0x07,
    AD_NAME_SHORT = 0x08,
    AD_NAME = 0x09,
    AD_TX_POWER = 0x0A,
    AD_SERVICE_DATA16 = 0x16,
    AD_SERVICE_DATA128 = 0x21,
    AD_MANUFACTURER = 0xFF,
};

void uuid_from_16(uint16_t short_uuid, uint8_t ret_uuid[16])
{
    static const uint8_t base[16] = {0xFB, 0x34, 0x9B, 0x5F, 0x80, 0, 0, 0x80,
                                     0,    0x10, 0,    0,    0,    0, 0, 0};
    memcpy(ret_uuid, base, sizeof(base));
    ret_uuid[12] = (uint8_t)short_uuid;
    ret_uuid[13] = (uint8_t)(short_uuid >> 8);
}

void uuid_print(const uint8_t uuid[16], char text[UUID_TEXT_SIZE])
{
    char *out = text;
    for (int i = 15; i >= 0; i--) {
        out += sprintf(out, "%02x", uuid[i]);
        if (i == 12 || i == 10 || i == 8 || i == 6) {
            *out++ = '-';
        }
    }
    *out = '\0';
}

bool uuid_parse(const char *text, uint8_t ret_uuid[16])
{
    const char *digits = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
    unsigned value = 0;
    int used = 0;
    if (strlen(digits) == 4 && sscanf(digits, "%4x%n", &value, &used) == 1 && used == 4) {
        uuid_from_16((uint16_t)value, ret_uuid);
        return true;
    }
    if (strlen(text) != UUID_TEXT_SIZE - 1) {
        return false;
    }
    uint8_t uuid[16];
    for (int i = 15; i >= 0; i--) {
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1])) {
            return false;
        }
        sscanf(text, "%2x", &value);
        uuid[i] = (uint8_t)value;
        text += 2;
        if (i == 12 || i == 10 || i == 8 || i == 6) {
            if (*text++ != '-') {
                return false;
            }
        }
    }
    memcpy(ret_uuid, uuid, sizeof(uuid));
    return true;
}

bool uuid_list_has(const struct uuid_list *list, const uint8_t uuid[16])
{
    for (size_t i = 0; i < list->count; i++) {
        if (memcmp(list->uuids[i], uuid, 16) == 0) {
            return true;
        }
    }
    return false;
}

bool uuid_list_add(struct uuid_list *list, const uint8_t uuid[16])
{
    if (list->count == UUIDS_MAX || uuid_list_has(list, uuid)) {
        return false;
    }
    memcpy(list->uuids[list->count++], uuid, 16);
    return true;
}

void uuid_list_append(sd_bus_message *message, const struct uuid_list *list)
{
    bus_must(sd_bus_message_open_container(message, 'a', "s"), "open UUIDs");
    for (size_t i = 0; i < list->count; i++) {
        char text[UUID_TEXT_SIZE];
        uuid_print(list->uuids[i], text);
        bus_must(sd_bus_message_append(message, "s", text), "append UUID");
    }
    bus_must(sd_bus_message_close_container(message), "close UUIDs");
}

/* A name may hold anything; a bus takes UTF-8 only. */
static void take_name(struct advertisement *target, const uint8_t *bytes, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size && used + 1 < sizeof(target->name); i++) {
        target->name[used++] = isprint(bytes[i]) ? (char)bytes[i] : '?';
    }
    target->name[used] = '\0';
    target->has_name = used > 0;
}

static void take_data(struct advertised_data *list, size_t *count, const uint8_t *bytes,
                      size_t size, size_t id_size)
{
    if (size < id_size || *count == DATA_MAX) {
        return;
    }
    struct advertised_data *data = &list[(*count)++];
    if (id_size == 16) {
        memcpy(data->uuid, bytes, 16);
    } else {
        data->company = (uint16_t)(bytes[0] | bytes[1] << 8);
        uuid_from_16(data->company, data->uuid);
    }
    data->size = (uint8_t)(size - id_size);
    memcpy(data->bytes, bytes + id_size, data->size);
}

static void take_field(struct advertisement *target, uint8_t type, const uint8_t *bytes,
                       size_t size)
{
    uint8_t uuid[16];
    switch (type) {
    case AD_FLAGS:
        target->has_flags = size >= 1;
        target->flags = size >= 1 ? bytes[0] : 0;
        break;
    case AD_UUIDS16_SOME:
    case AD_UUIDS16:
        for (size_t at = 0; at + 2 <= size; at += 2) {
            uuid_from_16((uint16_t)(bytes[at] | bytes[at + 1] << 8), uuid);
            uuid_list_add(&target->uuids, uuid);
        }
        break;
    case AD_UUIDS128_SOME:
    case AD_UUIDS128:
        for (size_t at = 0; at + 16 <= size; at += 16) {
            uuid_list_add(&target->uuids, bytes + at);
        }
        break;
    case AD_NAME_SHORT:
    case AD_NAME:
        take_name(target, bytes, size);
        break;
    case AD_TX_POWER:
        target->has_tx_power = size >= 1;
        target->tx_power_dbm = (int8_t)(size >= 1 ? bytes[0] : 0);
        break;
    case AD_SERVICE_DATA16:
    case AD_SERVICE_DATA128:
        take_data(target->service_data, &target->service_data_count, bytes, size,
                  type == AD_SERVICE_DATA16 ? 2 : 16);
        break;
    case AD_MANUFACTURER:
        take_data(target->manufacturer, &target->manufacturer_count, bytes, size, 2);
        break;
    default: /* kinds that BlueZ shows nowhere, or only newer versions do */
        break;
    }
}

void advertisement_parse(const uint8_t *data, size_t size,
                         struct advertisement *ret_advertisement)
{
    memset(ret_advertisement, 0, sizeof(*ret_advertisement));
    size_t at = 0;
    while (at < size && data[at] != 0 && data[at] < size - at) {
        take_field(ret_advertisement, data[at + 1], &data[at + 2], data[at] - 1u);
        at += 1u + data[at];
    }
}
