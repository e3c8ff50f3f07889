/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * NVS. */
#include <string.h>

#include "check.h"
#include "esp_system.h"
#include "nvs.h"
#include "nvs_flash.h"

static void first_boot(nvs_handle_t nvs)
{
    uint8_t u8 = 0;
    CHECK_EQUAL(nvs_get_u8(nvs, "u8", &u8), ESP_ERR_NVS_NOT_FOUND);
    CHECK_EQUAL(nvs_set_u8(nvs, "u8", 200), ESP_OK);
    CHECK_EQUAL(nvs_set_i8(nvs, "i8", -100), ESP_OK);
    CHECK_EQUAL(nvs_set_u16(nvs, "u16", 60000), ESP_OK);
    CHECK_EQUAL(nvs_set_i16(nvs, "i16", -30000), ESP_OK);
    CHECK_EQUAL(nvs_set_u32(nvs, "u32", 4000000000u), ESP_OK);
    CHECK_EQUAL(nvs_set_i32(nvs, "i32", -2000000000), ESP_OK);
    CHECK_EQUAL(nvs_set_u64(nvs, "u64", 1ULL << 63), ESP_OK);
    CHECK_EQUAL(nvs_set_i64(nvs, "i64", -(1LL << 62)), ESP_OK);
    CHECK_EQUAL(nvs_set_str(nvs, "str", "first"), ESP_OK);
    CHECK_EQUAL(nvs_set_str(nvs, "str", "second"), ESP_OK);
    CHECK_EQUAL(nvs_set_blob(nvs, "blob", "\0\1\2", 3), ESP_OK);
    CHECK_EQUAL(nvs_set_u8(nvs, "gone", 1), ESP_OK);
    CHECK_EQUAL(nvs_erase_key(nvs, "gone"), ESP_OK);
    CHECK_EQUAL(nvs_erase_key(nvs, "gone"), ESP_ERR_NVS_NOT_FOUND);
    CHECK_EQUAL(nvs_set_u8(nvs, "a_key_of_16_char", 1), ESP_ERR_NVS_KEY_TOO_LONG);
    CHECK_EQUAL(nvs_set_u8(nvs, "", 1), ESP_ERR_NVS_INVALID_NAME);
    CHECK_EQUAL(nvs_commit(nvs), ESP_OK);
}

static void second_boot(nvs_handle_t nvs)
{
    uint8_t u8 = 0;
    int8_t i8 = 0;
    uint16_t u16 = 0;
    int16_t i16 = 0;
    uint32_t u32 = 0;
    int32_t i32 = 0;
    uint64_t u64 = 0;
    int64_t i64 = 0;
    CHECK(nvs_get_u8(nvs, "u8", &u8) == ESP_OK && u8 == 200);
    CHECK(nvs_get_i8(nvs, "i8", &i8) == ESP_OK && i8 == -100);
    CHECK(nvs_get_u16(nvs, "u16", &u16) == ESP_OK && u16 == 60000);
    CHECK(nvs_get_i16(nvs, "i16", &i16) == ESP_OK && i16 == -30000);
    CHECK(nvs_get_u32(nvs, "u32", &u32) == ESP_OK && u32 == 4000000000u);
    CHECK(nvs_get_i32(nvs, "i32", &i32) == ESP_OK && i32 == -2000000000);
    CHECK(nvs_get_u64(nvs, "u64", &u64) == ESP_OK && u64 == 1ULL << 63);
    CHECK(nvs_get_i64(nvs, "i64", &i64) == ESP_OK && i64 == -(1LL << 62));
    CHECK_EQUAL(nvs_get_u16(nvs, "u8", &u16), ESP_ERR_NVS_TYPE_MISMATCH);
    CHECK_EQUAL(nvs_get_u8(nvs, "gone", &u8), ESP_ERR_NVS_NOT_FOUND);
    char text[8] = "";
    size_t size = 0;
    CHECK_EQUAL(nvs_get_str(nvs, "str", NULL, &size), ESP_OK);
    CHECK_EQUAL(size, 7);
    size = 6;
    CHECK_EQUAL(nvs_get_str(nvs, "str", text, &size), ESP_ERR_NVS_INVALID_LENGTH);
    size = sizeof(text);
    CHECK_EQUAL(nvs_get_str(nvs, "str", text, &size), ESP_OK);
    CHECK(strcmp(text, "second") == 0);
    size = sizeof(text);
    CHECK_EQUAL(nvs_get_blob(nvs, "blob", text, &size), ESP_OK);
    CHECK(size == 3 && memcmp(text, "\0\1\2", 3) == 0);
    nvs_type_t type = NVS_TYPE_ANY;
    CHECK_EQUAL(nvs_find_key(nvs, "blob", &type), ESP_OK);
    CHECK_EQUAL(type, NVS_TYPE_BLOB);
    CHECK_EQUAL(nvs_erase_all(nvs), ESP_OK);
    CHECK_EQUAL(nvs_get_u8(nvs, "u8", &u8), ESP_ERR_NVS_NOT_FOUND);
}

void scenario_nvs(void)
{
    nvs_handle_t nvs = 0;
    CHECK_EQUAL(nvs_open("app", NVS_READWRITE, &nvs), ESP_ERR_NVS_NOT_INITIALIZED);
    CHECK_EQUAL(nvs_flash_init(), ESP_OK);
    CHECK_EQUAL(nvs_flash_init(), ESP_OK);
    CHECK_EQUAL(nvs_open("none", NVS_READONLY, &nvs), ESP_ERR_NVS_NOT_FOUND);
    CHECK_EQUAL(nvs_open("", NVS_READONLY, &nvs), ESP_ERR_NVS_INVALID_NAME);
    CHECK_EQUAL(nvs_open_from_partition("no", "app", NVS_READONLY, &nvs),
                ESP_ERR_NVS_PART_NOT_FOUND);
    CHECK_EQUAL(nvs_open("app", NVS_READWRITE, &nvs), ESP_OK);
    if (esp_reset_reason() == ESP_RST_POWERON) {
        first_boot(nvs);
        esp_restart();
    }
    second_boot(nvs);
    nvs_close(nvs);
    CHECK_EQUAL(nvs_set_u8(nvs, "u8", 1), ESP_ERR_NVS_INVALID_HANDLE);
    CHECK_EQUAL(nvs_open("app", NVS_READONLY, &nvs), ESP_OK);
    CHECK_EQUAL(nvs_set_u8(nvs, "u8", 1), ESP_ERR_NVS_READ_ONLY);
    CHECK_EQUAL(nvs_flash_erase(), ESP_OK);
    CHECK_EQUAL(nvs_get_u8(nvs, "u8", &(uint8_t){0}), ESP_ERR_NVS_INVALID_HANDLE);
}

#define BLOB_SIZE 210u

/* Counts in a blob whose bytes all follow from the count, next to a value that never
 * changes, until the storage has turned over several times. */
void scenario_nvs_churn(void)
{
    nvs_handle_t nvs = 0;
    uint8_t blob[BLOB_SIZE];
    size_t size = sizeof(blob);
    uint32_t constant = 0;
    esp_err_t result = nvs_flash_init();
    CHECK_EQUAL(result, ESP_OK);
    CHECK_EQUAL(nvs_open("churn", NVS_READWRITE, &nvs), ESP_OK);
    unsigned count = 0;
    result = nvs_get_blob(nvs, "blob", blob, &size);
    if (result == ESP_OK) {
        count = blob[0];
        for (size_t i = 1; i < sizeof(blob); i++) {
            CHECK_EQUAL(blob[i], (uint8_t)(count * 31 + i));
        }
        CHECK_EQUAL(nvs_get_u32(nvs, "constant", &constant), ESP_OK);
        CHECK_EQUAL(constant, 0xC0FFEE);
    } else {
        CHECK_EQUAL(result, ESP_ERR_NVS_NOT_FOUND);
        CHECK_EQUAL(nvs_set_u32(nvs, "constant", 0xC0FFEE), ESP_OK);
    }
    printf("read %u\n", count);
    while (count < 60) {
        count++;
        blob[0] = (uint8_t)count;
        for (size_t i = 1; i < sizeof(blob); i++) {
            blob[i] = (uint8_t)(count * 31 + i);
        }
        CHECK_EQUAL(nvs_set_blob(nvs, "blob", blob, sizeof(blob)), ESP_OK);
        printf("wrote %u\n", count);
    }
}

void scenario_nvs_full(void)
{
    nvs_handle_t nvs = 0;
    char key[16];
    unsigned count = 0;
    CHECK_EQUAL(nvs_flash_init(), ESP_OK);
    CHECK_EQUAL(nvs_open("full", NVS_READWRITE, &nvs), ESP_OK);
    esp_err_t result = ESP_OK;
    while (result == ESP_OK && count < 1000) {
        snprintf(key, sizeof(key), "k%u", count);
        result = nvs_set_u32(nvs, key, count);
        count += result == ESP_OK;
    }
    CHECK_EQUAL(result, ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    CHECK(count > 60);
    for (unsigned i = 0; i < count; i++) {
        uint32_t value = 0;
        snprintf(key, sizeof(key), "k%u", i);
        CHECK(nvs_get_u32(nvs, key, &value) == ESP_OK && value == i);
    }
    static uint8_t large[4096];
    CHECK_EQUAL(nvs_set_blob(nvs, "large", large, sizeof(large)),
                ESP_ERR_NVS_VALUE_TOO_LONG);
    CHECK_EQUAL(nvs_flash_erase(), ESP_OK);
    CHECK_EQUAL(nvs_flash_init(), ESP_OK);
    CHECK_EQUAL(nvs_open("full", NVS_READWRITE, &nvs), ESP_OK);
    CHECK_EQUAL(nvs_set_u32(nvs, "k0", 1), ESP_OK);
}

void scenario_nvs_mount(void)
{
    printf("init %s\n", esp_err_to_name(nvs_flash_init()));
}
