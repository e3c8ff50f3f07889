/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * UUIDs of 16, 32 and 128 bits. */
#ifndef SIM_HOST_BLE_UUID_H
#define SIM_HOST_BLE_UUID_H

#include <inttypes.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BLE_UUID_TYPE_16 = 16,
    BLE_UUID_TYPE_32 = 32,
    BLE_UUID_TYPE_128 = 128,
};

typedef struct {
    uint8_t type; /* which of the following it starts */
} ble_uuid_t;

typedef struct {
    ble_uuid_t u;
    uint16_t value;
} ble_uuid16_t;

typedef struct {
    ble_uuid_t u;
    uint32_t value;
} ble_uuid32_t;

typedef struct {
    ble_uuid_t u;
    uint8_t value[16]; /* least significant byte first */
} ble_uuid128_t;

typedef union {
    ble_uuid_t u;
    ble_uuid16_t u16;
    ble_uuid32_t u32;
    ble_uuid128_t u128;
} ble_uuid_any_t;

#define BLE_UUID16_INIT(uuid16)                          \
    {                                                    \
        .u = {.type = BLE_UUID_TYPE_16}, .value = uuid16 \
    }
#define BLE_UUID32_INIT(uuid32)                          \
    {                                                    \
        .u = {.type = BLE_UUID_TYPE_32}, .value = uuid32 \
    }
#define BLE_UUID128_INIT(...)                                      \
    {                                                              \
        .u = {.type = BLE_UUID_TYPE_128}, .value = { __VA_ARGS__ } \
    }

#define BLE_UUID16_DECLARE(uuid16) \
    ((ble_uuid_t *)(&(ble_uuid16_t)BLE_UUID16_INIT(uuid16)))
#define BLE_UUID32_DECLARE(uuid32) \
    ((ble_uuid_t *)(&(ble_uuid32_t)BLE_UUID32_INIT(uuid32)))
#define BLE_UUID128_DECLARE(...) \
    ((ble_uuid_t *)(&(ble_uuid128_t)BLE_UUID128_INIT(__VA_ARGS__)))

#define BLE_UUID16(uuid)  ((ble_uuid16_t *)(uuid))
#define BLE_UUID32(uuid)  ((ble_uuid32_t *)(uuid))
#define BLE_UUID128(uuid) ((ble_uuid128_t *)(uuid))

#define BLE_UUID_STR_LEN 37 /* with the NUL */

int ble_uuid_init_from_buf(ble_uuid_any_t *uuid, const void *buf, size_t len);
/* 0 when both are of the same type and value. */
int ble_uuid_cmp(const ble_uuid_t *uuid1, const ble_uuid_t *uuid2);
void ble_uuid_copy(ble_uuid_any_t *dst, const ble_uuid_t *src);
char *ble_uuid_to_str(const ble_uuid_t *uuid, char *dst);
int ble_uuid_from_str(ble_uuid_any_t *uuid, const char *str);
/* 0 when it has not 16 bits. */
uint16_t ble_uuid_u16(const ble_uuid_t *uuid);

#ifdef __cplusplus
}
#endif

#endif
