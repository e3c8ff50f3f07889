/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * UUIDs. */
#include <stdio.h>
#include <string.h>

#include "sim/nimble/nimble.h"

/* The Bluetooth base UUID; bytes 12 to 15 hold a short one. */
static const uint8_t base[16] = {0xFB, 0x34, 0x9B, 0x5F, 0x80, 0x00, 0x00, 0x80,
                                 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};

int ble_uuid_init_from_buf(ble_uuid_any_t *uuid, const void *buf, size_t len)
{
    switch (len) {
    case 2:
        uuid->u.type = BLE_UUID_TYPE_16;
        uuid->u16.value = hci_get_le16(buf);
        return 0;
    case 4:
        uuid->u.type = BLE_UUID_TYPE_32;
        uuid->u32.value = hci_get_le32(buf);
        return 0;
    case 16:
        uuid->u.type = BLE_UUID_TYPE_128;
        memcpy(uuid->u128.value, buf, 16);
        return 0;
    default:
        return BLE_HS_EINVAL;
    }
}

int ble_uuid_cmp(const ble_uuid_t *uuid1, const ble_uuid_t *uuid2)
{
    const ble_uuid_any_t *a = (const ble_uuid_any_t *)(const void *)uuid1;
    const ble_uuid_any_t *b = (const ble_uuid_any_t *)(const void *)uuid2;
    if (uuid1->type != uuid2->type) {
        return uuid1->type - uuid2->type;
    }
    switch (uuid1->type) {
    case BLE_UUID_TYPE_16:
        return (int)a->u16.value - (int)b->u16.value;
    case BLE_UUID_TYPE_32:
        return a->u32.value < b->u32.value ? -1 : a->u32.value > b->u32.value;
    case BLE_UUID_TYPE_128:
        return memcmp(a->u128.value, b->u128.value, 16);
    default:
        return -1;
    }
}

void ble_uuid_copy(ble_uuid_any_t *dst, const ble_uuid_t *src)
{
    switch (src->type) {
    case BLE_UUID_TYPE_16:
        dst->u16 = *(const ble_uuid16_t *)(const void *)src;
        break;
    case BLE_UUID_TYPE_32:
        dst->u32 = *(const ble_uuid32_t *)(const void *)src;
        break;
    case BLE_UUID_TYPE_128:
        dst->u128 = *(const ble_uuid128_t *)(const void *)src;
        break;
    default:
        break;
    }
}

char *ble_uuid_to_str(const ble_uuid_t *uuid, char *dst)
{
    const ble_uuid_any_t *any = (const ble_uuid_any_t *)(const void *)uuid;
    switch (uuid->type) {
    case BLE_UUID_TYPE_16:
        snprintf(dst, BLE_UUID_STR_LEN, "0x%04x", any->u16.value);
        break;
    case BLE_UUID_TYPE_32:
        snprintf(dst, BLE_UUID_STR_LEN, "0x%08x", (unsigned)any->u32.value);
        break;
    case BLE_UUID_TYPE_128: {
        char *at = dst;
        for (int i = 15; i >= 0; i--) {
            at += sprintf(at, "%02x", any->u128.value[i]);
            if (i == 12 || i == 10 || i == 8 || i == 6) {
                *at++ = '-';
            }
        }
        break;
    }
    default:
        dst[0] = '\0';
        break;
    }
    return dst;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes of hexadecimal digits, most significant first; dashes are skipped. Returns how
 * many digits there were, -1 for anything else in the text. */
static int parse_hex(const char *text, uint8_t value[16])
{
    int digits = 0;
    for (; *text != '\0'; text++) {
        int digit = hex_digit(*text);
        if (*text == '-') {
            continue;
        }
        if (digit < 0 || digits == 32) {
            return -1;
        }
        value[digits / 2] = (uint8_t)((value[digits / 2] << 4) | digit);
        digits++;
    }
    return digits;
}

int ble_uuid_from_str(ble_uuid_any_t *uuid, const char *str)
{
    uint8_t big[16] = {0};
    uint8_t little[16];
    if (str[0] == '0' && (str[1] == 'x' || str[1] == 'X')) {
        str += 2;
    }
    int digits = parse_hex(str, big);
    if (digits != 4 && digits != 8 && digits != 32) {
        return BLE_HS_EINVAL;
    }
    size_t size = (size_t)digits / 2;
    for (size_t i = 0; i < size; i++) {
        little[i] = big[size - 1 - i];
    }
    if (size == 16 && memcmp(little, base, 12) == 0) { /* short after all */
        bool small = little[14] == 0 && little[15] == 0;
        return ble_uuid_init_from_buf(uuid, little + 12, small ? 2 : 4);
    }
    return ble_uuid_init_from_buf(uuid, little, size);
}

uint16_t ble_uuid_u16(const ble_uuid_t *uuid)
{
    return uuid->type == BLE_UUID_TYPE_16
               ? ((const ble_uuid16_t *)(const void *)uuid)->value
               : 0;
}

uint8_t uuid_put(uint8_t *target, const ble_uuid_t *uuid)
{
    const ble_uuid_any_t *any = (const ble_uuid_any_t *)(const void *)uuid;
    if (uuid->type == BLE_UUID_TYPE_16) {
        hci_put_le16(target, any->u16.value);
        return 2;
    }
    if (uuid->type == BLE_UUID_TYPE_32) { /* ATT has none of 32 bits */
        memcpy(target, base, 16);
        hci_put_le32(target + 12, any->u32.value);
        return 16;
    }
    memcpy(target, any->u128.value, 16);
    return 16;
}

bool uuid_equals(const ble_uuid_t *uuid, const uint8_t *bytes, size_t size)
{
    uint8_t own[16];
    uint8_t own_size = uuid_put(own, uuid);
    if (own_size == 2 && size == 16) {
        return memcmp(bytes, base, 12) == 0 && memcmp(bytes + 12, own, 2) == 0 &&
               bytes[14] == 0 && bytes[15] == 0;
    }
    return own_size == size && memcmp(own, bytes, size) == 0;
}
