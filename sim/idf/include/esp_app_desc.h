/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The application descriptor. */
#ifndef SIM_IDF_ESP_APP_DESC_H
#define SIM_IDF_ESP_APP_DESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_assert.h"
#include "esp_attr.h"
#include "esp_err.h"
#include "esp_idf_version.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_APP_DESC_MAGIC_WORD (0xABCD5432)

typedef struct {
    uint32_t magic_word;
    uint32_t secure_version;
    uint32_t reserv1[2];
    char version[32];
    char project_name[32];
    char time[16];
    char date[16];
    char idf_ver[32];
    uint8_t app_elf_sha256[32];
    uint16_t min_efuse_blk_rev_full;
    uint16_t max_efuse_blk_rev_full;
    uint8_t mmu_page_size;
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 1, 0)
    uint8_t spi_flash_mode;
    uint8_t reserv3[2];
#else
    uint8_t reserv3[3];
#endif
    uint32_t reserv2[18];
} esp_app_desc_t;
ESP_STATIC_ASSERT(sizeof(esp_app_desc_t) == 256, "a descriptor has 256 bytes");

/* Of the image that runs, as its flash holds it. */
const esp_app_desc_t *esp_app_get_description(void);
int esp_app_get_elf_sha256(char *dst, size_t size);

#ifdef __cplusplus
}
#endif

#endif
