/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The ESP-IDF version that the headers here stand for. */
#ifndef SIM_IDF_ESP_IDF_VERSION_H
#define SIM_IDF_ESP_IDF_VERSION_H

/* -DUPDRAFT_IDF_MAJOR=6 builds a firmware as for ESP-IDF 6. */
#ifndef UPDRAFT_IDF_MAJOR
#define UPDRAFT_IDF_MAJOR 5
#endif

#define ESP_IDF_VERSION_MAJOR UPDRAFT_IDF_MAJOR
#if UPDRAFT_IDF_MAJOR >= 6
#define ESP_IDF_VERSION_MINOR 1
#define ESP_IDF_VERSION_PATCH 0
#else
#define ESP_IDF_VERSION_MINOR 5
#define ESP_IDF_VERSION_PATCH 1
#endif

#define ESP_IDF_VERSION_VAL(major, minor, patch) \
    (((major) << 16) | ((minor) << 8) | (patch))
#define ESP_IDF_VERSION                                               \
    ESP_IDF_VERSION_VAL(ESP_IDF_VERSION_MAJOR, ESP_IDF_VERSION_MINOR, \
                        ESP_IDF_VERSION_PATCH)

#ifdef __cplusplus
extern "C" {
#endif

/* "v5.5.1"; a module gets the string of its own headers. */
const char *sim_idf_version_string(int major);
static inline const char *esp_get_idf_version(void)
{
    return sim_idf_version_string(ESP_IDF_VERSION_MAJOR);
}

#ifdef __cplusplus
}
#endif

#endif
