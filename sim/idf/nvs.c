/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * nvs.h and nvs_flash.h: handles, names and types over the store. */
#include "nvs.h"

#include <string.h>

#include "freertos/semphr.h"
#include "nvs_flash.h"
#include "sim/idf/nvs_store.h"

#define HANDLES_MAX 16u
#define MOUNTS_MAX  2u
#define STRING_MAX  4000u /* with its end, as ESP-IDF's */

struct handle {
    nvs_handle_t handle; /* 0: not in use */
    const esp_partition_t *partition;
    char namespace_name[NVS_NS_NAME_MAX_SIZE];
    bool readonly;
};

struct nvs {
    const esp_partition_t *mounted[MOUNTS_MAX];
    struct handle handles[HANDLES_MAX];
    nvs_handle_t last_handle;
    SemaphoreHandle_t lock;
    StaticSemaphore_t lock_room;
};

/* Flash work gives other tasks the processor in between, so calls take turns. */
static struct nvs *enter(void)
{
    sim_board_t *board = sim_api();
    struct nvs *nvs = sim_runtime_part(board, SIM_PART_NVS, sizeof(*nvs));
    if (nvs->lock == NULL) {
        nvs->lock = xSemaphoreCreateRecursiveMutexStatic(&nvs->lock_room);
    }
    xSemaphoreTakeRecursive(nvs->lock, portMAX_DELAY);
    return nvs;
}

static esp_err_t leave(struct nvs *nvs, esp_err_t result)
{
    xSemaphoreGiveRecursive(nvs->lock);
    return result;
}

/* Partitions */

static const esp_partition_t *find_partition(const char *label)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA,
                                    ESP_PARTITION_SUBTYPE_DATA_NVS, label);
}

static const esp_partition_t **find_mount(struct nvs *nvs,
                                          const esp_partition_t *partition)
{
    for (size_t i = 0; i < MOUNTS_MAX; i++) {
        if (nvs->mounted[i] == partition) {
            return &nvs->mounted[i];
        }
    }
    return NULL;
}

esp_err_t nvs_flash_init_partition(const char *partition_label)
{
    struct nvs *nvs = enter();
    const esp_partition_t *partition = find_partition(partition_label);
    if (partition == NULL) {
        return leave(nvs, ESP_ERR_NOT_FOUND);
    }
    if (find_mount(nvs, partition) != NULL) {
        return leave(nvs, ESP_OK);
    }
    const esp_partition_t **mount = find_mount(nvs, NULL);
    if (mount == NULL) {
        return leave(nvs, ESP_ERR_NO_MEM);
    }
    esp_err_t result = nvs_store_mount(sim_board_now(), partition);
    if (result == ESP_OK) {
        *mount = partition;
    }
    return leave(nvs, result);
}

esp_err_t nvs_flash_deinit_partition(const char *partition_label)
{
    struct nvs *nvs = enter();
    const esp_partition_t *partition = find_partition(partition_label);
    const esp_partition_t **mount = partition != NULL ? find_mount(nvs, partition) : NULL;
    if (mount == NULL) {
        return leave(nvs, ESP_ERR_NVS_NOT_INITIALIZED);
    }
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        if (nvs->handles[i].partition == partition) {
            nvs->handles[i] = (struct handle){0};
        }
    }
    *mount = NULL;
    return leave(nvs, ESP_OK);
}

esp_err_t nvs_flash_erase_partition(const char *part_name)
{
    struct nvs *nvs = enter();
    const esp_partition_t *partition = find_partition(part_name);
    if (partition == NULL) {
        return leave(nvs, ESP_ERR_NOT_FOUND);
    }
    (void)nvs_flash_deinit_partition(part_name);
    return leave(nvs, esp_partition_erase_range(partition, 0, partition->size));
}

esp_err_t nvs_flash_init(void)
{
    return nvs_flash_init_partition(NVS_DEFAULT_PART_NAME);
}

esp_err_t nvs_flash_deinit(void)
{
    return nvs_flash_deinit_partition(NVS_DEFAULT_PART_NAME);
}

esp_err_t nvs_flash_erase(void)
{
    return nvs_flash_erase_partition(NVS_DEFAULT_PART_NAME);
}

/* Handles */

static struct handle *find_handle(struct nvs *nvs, nvs_handle_t handle)
{
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        if (nvs->handles[i].handle == handle) {
            return &nvs->handles[i];
        }
    }
    return NULL;
}

esp_err_t nvs_open_from_partition(const char *part_name, const char *namespace_name,
                                  nvs_open_mode_t open_mode, nvs_handle_t *out_handle)
{
    if (out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (namespace_name == NULL || namespace_name[0] == '\0' ||
        strlen(namespace_name) >= NVS_NS_NAME_MAX_SIZE) {
        return ESP_ERR_NVS_INVALID_NAME;
    }
    struct nvs *nvs = enter();
    const esp_partition_t *partition = find_partition(part_name);
    if (partition == NULL) {
        return leave(nvs, ESP_ERR_NVS_PART_NOT_FOUND);
    }
    if (find_mount(nvs, partition) == NULL) {
        return leave(nvs, ESP_ERR_NVS_NOT_INITIALIZED);
    }
    struct handle *handle = find_handle(nvs, 0);
    if (handle == NULL) {
        return leave(nvs, ESP_ERR_NO_MEM);
    }
    struct nvs_record record;
    sim_board_t *board = sim_board_now();
    if (!nvs_store_find(board, partition, namespace_name, "", &record)) {
        if (open_mode == NVS_READONLY) {
            return leave(nvs, ESP_ERR_NVS_NOT_FOUND);
        }
        esp_err_t result = nvs_store_write(board, partition, namespace_name, "",
                                           NVS_TYPE_NAMESPACE, NULL, 0);
        if (result != ESP_OK) {
            return leave(nvs, result);
        }
    }
    *handle = (struct handle){.handle = ++nvs->last_handle,
                              .partition = partition,
                              .readonly = open_mode == NVS_READONLY};
    strncpy(handle->namespace_name, namespace_name, sizeof(handle->namespace_name) - 1);
    *out_handle = handle->handle;
    return leave(nvs, ESP_OK);
}

esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode,
                   nvs_handle_t *out_handle)
{
    return nvs_open_from_partition(NVS_DEFAULT_PART_NAME, namespace_name, open_mode,
                                   out_handle);
}

void nvs_close(nvs_handle_t handle)
{
    struct nvs *nvs = enter();
    struct handle *at = handle != 0 ? find_handle(nvs, handle) : NULL;
    if (at != NULL) {
        *at = (struct handle){0};
    }
    (void)leave(nvs, ESP_OK);
}

/* What every call on a key checks first. */
static esp_err_t check(struct nvs *nvs, nvs_handle_t handle, const char *key, bool writes,
                       struct handle **ret_handle)
{
    struct handle *at = handle != 0 ? find_handle(nvs, handle) : NULL;
    if (at == NULL) {
        return ESP_ERR_NVS_INVALID_HANDLE;
    }
    if (writes && at->readonly) {
        return ESP_ERR_NVS_READ_ONLY;
    }
    if (key == NULL || key[0] == '\0') {
        return ESP_ERR_NVS_INVALID_NAME;
    }
    if (strlen(key) >= NVS_KEY_NAME_MAX_SIZE) {
        return ESP_ERR_NVS_KEY_TOO_LONG;
    }
    *ret_handle = at;
    return ESP_OK;
}

/* Values */

static esp_err_t set(nvs_handle_t handle, const char *key, nvs_type_t type,
                     const void *value, size_t size)
{
    struct nvs *nvs = enter();
    struct handle *at = NULL;
    esp_err_t result = check(nvs, handle, key, true, &at);
    if (result != ESP_OK) {
        return leave(nvs, result);
    }
    if (size > NVS_VALUE_MAX) {
        return leave(nvs, ESP_ERR_NVS_VALUE_TOO_LONG);
    }
    sim_board_t *board = sim_board_now();
    struct nvs_record record;
    if (nvs_store_find(board, at->partition, at->namespace_name, key, &record) &&
        record.type == type && record.size == size &&
        memcmp(record.data, value, size) == 0) {
        return leave(nvs, ESP_OK); /* as ESP-IDF: no wear for nothing */
    }
    return leave(nvs, nvs_store_write(board, at->partition, at->namespace_name, key,
                                      (uint8_t)type, value, (uint32_t)size));
}

static esp_err_t find(nvs_handle_t handle, const char *key, nvs_type_t type,
                      struct nvs_record *ret_record)
{
    struct nvs *nvs = enter();
    struct handle *at = NULL;
    esp_err_t result = check(nvs, handle, key, false, &at);
    if (result != ESP_OK) {
        return leave(nvs, result);
    }
    if (!nvs_store_find(sim_board_now(), at->partition, at->namespace_name, key,
                        ret_record) ||
        ret_record->type == NVS_TYPE_ERASED) {
        return leave(nvs, ESP_ERR_NVS_NOT_FOUND);
    }
    bool matches = type == NVS_TYPE_ANY || ret_record->type == (uint8_t)type;
    return leave(nvs, matches ? ESP_OK : ESP_ERR_NVS_TYPE_MISMATCH);
}

static esp_err_t get(nvs_handle_t handle, const char *key, nvs_type_t type,
                     void *out_value, size_t size)
{
    struct nvs_record record;
    if (out_value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t result = find(handle, key, type, &record);
    if (result == ESP_OK) {
        memcpy(out_value, record.data, size);
    }
    return result;
}

#define INTEGER(name, type, nvs_type)                                               \
    esp_err_t nvs_set_##name(nvs_handle_t handle, const char *key, type value)      \
    {                                                                               \
        return set(handle, key, nvs_type, &value, sizeof(value));                   \
    }                                                                               \
    esp_err_t nvs_get_##name(nvs_handle_t handle, const char *key, type *out_value) \
    {                                                                               \
        return get(handle, key, nvs_type, out_value, sizeof(*out_value));           \
    }

INTEGER(i8, int8_t, NVS_TYPE_I8)
INTEGER(u8, uint8_t, NVS_TYPE_U8)
INTEGER(i16, int16_t, NVS_TYPE_I16)
INTEGER(u16, uint16_t, NVS_TYPE_U16)
INTEGER(i32, int32_t, NVS_TYPE_I32)
INTEGER(u32, uint32_t, NVS_TYPE_U32)
INTEGER(i64, int64_t, NVS_TYPE_I64)
INTEGER(u64, uint64_t, NVS_TYPE_U64)

esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value)
{
    if (value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t size = strlen(value) + 1;
    if (size > STRING_MAX) {
        return ESP_ERR_NVS_VALUE_TOO_LONG;
    }
    return set(handle, key, NVS_TYPE_STR, value, size);
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value,
                       size_t length)
{
    if (value == NULL && length > 0) {
        return ESP_ERR_INVALID_ARG;
    }
    return set(handle, key, NVS_TYPE_BLOB, value != NULL ? value : "", length);
}

static esp_err_t get_sized(nvs_handle_t handle, const char *key, nvs_type_t type,
                           void *out_value, size_t *length)
{
    struct nvs_record record;
    if (length == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t result = find(handle, key, type, &record);
    if (result != ESP_OK) {
        return result;
    }
    size_t room = *length;
    *length = record.size;
    if (out_value == NULL) {
        return ESP_OK;
    }
    if (room < record.size) {
        return ESP_ERR_NVS_INVALID_LENGTH;
    }
    memcpy(out_value, record.data, record.size);
    return ESP_OK;
}

esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *out_value,
                      size_t *length)
{
    return get_sized(handle, key, NVS_TYPE_STR, out_value, length);
}

esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value,
                       size_t *length)
{
    return get_sized(handle, key, NVS_TYPE_BLOB, out_value, length);
}

esp_err_t nvs_find_key(nvs_handle_t handle, const char *key, nvs_type_t *out_type)
{
    struct nvs_record record;
    esp_err_t result = find(handle, key, NVS_TYPE_ANY, &record);
    if (result == ESP_OK && out_type != NULL) {
        *out_type = (nvs_type_t)record.type;
    }
    return result;
}

esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key)
{
    struct nvs *nvs = enter();
    struct handle *at = NULL;
    struct nvs_record record;
    esp_err_t result = check(nvs, handle, key, true, &at);
    if (result == ESP_OK) {
        result = find(handle, key, NVS_TYPE_ANY, &record);
    }
    if (result == ESP_OK) {
        result = nvs_store_write(sim_board_now(), at->partition, at->namespace_name, key,
                                 NVS_TYPE_ERASED, NULL, 0);
    }
    return leave(nvs, result);
}

esp_err_t nvs_erase_all(nvs_handle_t handle)
{
    struct nvs *nvs = enter();
    struct handle *at = NULL;
    esp_err_t result = check(nvs, handle, "any", true, &at);
    struct nvs_record record;
    while (result == ESP_OK && nvs_store_find(sim_board_now(), at->partition,
                                              at->namespace_name, NULL, &record)) {
        result = nvs_store_write(sim_board_now(), at->partition, at->namespace_name,
                                 record.key, NVS_TYPE_ERASED, NULL, 0);
    }
    return leave(nvs, result);
}

esp_err_t nvs_commit(nvs_handle_t handle)
{
    struct nvs *nvs = enter();
    bool known = handle != 0 && find_handle(nvs, handle) != NULL;
    return leave(nvs, known ? ESP_OK : ESP_ERR_NVS_INVALID_HANDLE);
}
