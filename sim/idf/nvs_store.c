/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Pages and records of the NVS partition. */
#include "sim/idf/nvs_store.h"

#include <assert.h>
#include <string.h>

#include "esp_rom_crc.h"

#define PAGE_MAGIC   0x53564E55u
#define RECORD_MAGIC 0x5A52u
#define NO_PAGE      UINT32_MAX
#define ERASED_WORD  0xFFFFFFFFu

struct page_header {
    uint32_t magic;
    uint32_t version;
    uint32_t sequence;
    uint32_t victim; /* the page whose records are copied here; ERASED_WORD: none */
    uint32_t crc;    /* of the above */
    uint32_t copied; /* ERASED_WORD until all are */
    uint32_t reserved[2];
};
_Static_assert(sizeof(struct page_header) == NVS_CELL_SIZE, "a header is one cell");

struct record_head {
    uint16_t magic;
    uint8_t type;
    uint8_t reserved;
    uint32_t size;
    uint32_t data_crc;
    uint32_t crc; /* of the head with this 0, then of page and place */
    char namespace_name[NVS_NS_NAME_MAX_SIZE];
    char key[NVS_KEY_NAME_MAX_SIZE];
    uint32_t padding[4];
};
_Static_assert(sizeof(struct record_head) == NVS_HEAD_SIZE, "a head is two cells");

struct store {
    sim_board_t *board;
    const esp_partition_t *partition;
    const uint8_t *bytes;
    uint32_t pages;
};

static struct store open_store(sim_board_t *board, const esp_partition_t *partition)
{
    return (struct store){
        .board = board,
        .partition = partition,
        .bytes = sim_flash_bytes(board->config.chip->flash) + partition->address,
        .pages = partition->size / NVS_PAGE_SIZE,
    };
}

static const struct page_header *header_of(const struct store *store, uint32_t page)
{
    return (const struct page_header *)(store->bytes + (size_t)page * NVS_PAGE_SIZE);
}

static uint32_t header_crc(const struct page_header *header)
{
    return esp_rom_crc32_le(0, (const uint8_t *)header,
                            offsetof(struct page_header, crc));
}

static bool is_page(const struct store *store, uint32_t page)
{
    const struct page_header *header = header_of(store, page);
    return header->magic == PAGE_MAGIC && header->crc == header_crc(header);
}

static bool is_blank(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static bool is_free(const struct store *store, uint32_t page)
{
    return is_blank(store->bytes + (size_t)page * NVS_PAGE_SIZE, NVS_PAGE_SIZE);
}

static uint32_t newest_page(const struct store *store)
{
    uint32_t newest = NO_PAGE;
    for (uint32_t page = 0; page < store->pages; page++) {
        if (is_page(store, page) &&
            (newest == NO_PAGE ||
             header_of(store, page)->sequence > header_of(store, newest)->sequence)) {
            newest = page;
        }
    }
    return newest;
}

static uint32_t page_with_sequence(const struct store *store, uint32_t sequence)
{
    for (uint32_t page = 0; page < store->pages; page++) {
        if (is_page(store, page) && header_of(store, page)->sequence == sequence) {
            return page;
        }
    }
    return NO_PAGE;
}

static uint32_t count_free(const struct store *store, uint32_t *ret_first)
{
    uint32_t count = 0;
    for (uint32_t page = 0; page < store->pages; page++) {
        if (is_free(store, page)) {
            if (count == 0) {
                *ret_first = page;
            }
            count++;
        }
    }
    return count;
}

static uint32_t cells(uint32_t size)
{
    return (size + NVS_CELL_SIZE - 1) / NVS_CELL_SIZE * NVS_CELL_SIZE;
}

static uint32_t head_crc(const struct record_head *head, uint32_t sequence,
                         uint32_t offset)
{
    struct record_head copy = *head;
    copy.crc = 0;
    uint32_t crc = esp_rom_crc32_le(0, (const uint8_t *)&copy, sizeof(copy));
    uint32_t place[2] = {sequence, offset};
    return esp_rom_crc32_le(crc, (const uint8_t *)place, sizeof(place));
}

/* The record whose head is at `at` within the page. */
static bool read_record(const struct store *store, uint32_t page, uint32_t at,
                        struct nvs_record *ret_record)
{
    uint32_t offset = page * NVS_PAGE_SIZE + at;
    struct record_head head;
    memcpy(&head, store->bytes + offset, sizeof(head));
    uint32_t sequence = header_of(store, page)->sequence;
    uint32_t room = NVS_PAGE_SIZE - at - NVS_HEAD_SIZE;
    if (head.magic != RECORD_MAGIC || head.crc != head_crc(&head, sequence, at) ||
        head.size > room ||
        head.data_crc !=
            esp_rom_crc32_le(0, store->bytes + offset + NVS_HEAD_SIZE, head.size)) {
        return false;
    }
    ret_record->type = head.type;
    memcpy(ret_record->namespace_name, head.namespace_name, sizeof(head.namespace_name));
    memcpy(ret_record->key, head.key, sizeof(head.key));
    ret_record->size = head.size;
    ret_record->offset = offset;
    ret_record->age = ((uint64_t)sequence << 32) | at;
    ret_record->data = store->bytes + offset + NVS_HEAD_SIZE;
    return true;
}

/* Steps to the next record of a page: *at is where to look, and where to go on. What a
 * cut left torn is stepped over. */
static bool next_record(const struct store *store, uint32_t page, uint32_t *at,
                        struct nvs_record *ret_record)
{
    while (*at + NVS_HEAD_SIZE <= NVS_PAGE_SIZE) {
        if (read_record(store, page, *at, ret_record)) {
            *at += NVS_HEAD_SIZE + cells(ret_record->size);
            return true;
        }
        *at += NVS_CELL_SIZE;
    }
    return false;
}

static bool same_key(const struct nvs_record *a, const struct nvs_record *b)
{
    return strcmp(a->namespace_name, b->namespace_name) == 0 &&
           strcmp(a->key, b->key) == 0;
}

static bool find(const struct store *store, const char *namespace_name, const char *key,
                 struct nvs_record *ret_record)
{
    bool found = false;
    struct nvs_record record;
    for (uint32_t page = 0; page < store->pages; page++) {
        uint32_t at = NVS_CELL_SIZE;
        while (is_page(store, page) && next_record(store, page, &at, &record)) {
            if (strcmp(record.namespace_name, namespace_name) == 0 &&
                strcmp(record.key, key) == 0 &&
                (!found || record.age > ret_record->age)) {
                *ret_record = record;
                found = true;
            }
        }
    }
    return found;
}

/* Must the record outlive its page? The newest of a key must; one that says "erased" only
 * while an older one elsewhere would come back without it. */
static bool is_live(const struct store *store, const struct nvs_record *record)
{
    struct nvs_record newest;
    if (!find(store, record->namespace_name, record->key, &newest) ||
        newest.age != record->age) {
        return false;
    }
    if (record->type != NVS_TYPE_ERASED) {
        return true;
    }
    uint32_t own_page = record->offset / NVS_PAGE_SIZE;
    struct nvs_record other;
    for (uint32_t page = 0; page < store->pages; page++) {
        uint32_t at = NVS_CELL_SIZE;
        while (page != own_page && is_page(store, page) &&
               next_record(store, page, &at, &other)) {
            if (same_key(&other, record)) {
                return true;
            }
        }
    }
    return false;
}

/* Where the next record of a page goes: behind the last cell that is not blank. */
static uint32_t page_end(const struct store *store, uint32_t page)
{
    uint32_t end = NVS_PAGE_SIZE;
    const uint8_t *bytes = store->bytes + (size_t)page * NVS_PAGE_SIZE;
    while (end > NVS_CELL_SIZE && is_blank(bytes + end - NVS_CELL_SIZE, NVS_CELL_SIZE)) {
        end -= NVS_CELL_SIZE;
    }
    return end;
}

static esp_err_t program(const struct store *store, uint32_t offset, const void *bytes,
                         uint32_t size)
{
    return sim_spi_flash_write(store->board, store->partition->address + offset, bytes,
                               size);
}

static esp_err_t erase_page(const struct store *store, uint32_t page)
{
    return sim_spi_flash_erase(
        store->board, store->partition->address + page * NVS_PAGE_SIZE, NVS_PAGE_SIZE);
}

static esp_err_t open_page(const struct store *store, uint32_t page, uint32_t victim)
{
    uint32_t newest = newest_page(store);
    struct page_header header;
    memset(&header, 0xFF, sizeof(header));
    header.magic = PAGE_MAGIC;
    header.version = NVS_FORMAT_VERSION;
    header.sequence = newest != NO_PAGE ? header_of(store, newest)->sequence + 1 : 1;
    header.victim = victim != NO_PAGE ? header_of(store, victim)->sequence : ERASED_WORD;
    header.crc = header_crc(&header);
    return program(store, page * NVS_PAGE_SIZE, &header, sizeof(header));
}

static esp_err_t append(const struct store *store, uint32_t page,
                        const struct nvs_record *record, const void *value)
{
    uint32_t at = page_end(store, page);
    assert(at + NVS_HEAD_SIZE + cells(record->size) <= NVS_PAGE_SIZE);
    struct record_head head;
    memset(&head, 0xFF, sizeof(head));
    head.magic = RECORD_MAGIC;
    head.type = record->type;
    head.size = record->size;
    head.data_crc = esp_rom_crc32_le(0, value, record->size);
    memcpy(head.namespace_name, record->namespace_name, sizeof(head.namespace_name));
    memcpy(head.key, record->key, sizeof(head.key));
    head.crc = head_crc(&head, header_of(store, page)->sequence, at);
    uint32_t offset = page * NVS_PAGE_SIZE + at;
    esp_err_t result = ESP_OK;
    if (record->size > 0) {
        result = program(store, offset + NVS_HEAD_SIZE, value, record->size);
    }
    if (result == ESP_OK) {
        result = program(store, offset, &head, sizeof(head));
    }
    return result;
}

static uint32_t live_bytes(const struct store *store, uint32_t page)
{
    uint32_t bytes = 0;
    uint32_t at = NVS_CELL_SIZE;
    struct nvs_record record;
    while (next_record(store, page, &at, &record)) {
        if (is_live(store, &record)) {
            bytes += NVS_HEAD_SIZE + cells(record.size);
        }
    }
    return bytes;
}

static esp_err_t mark_copied(const struct store *store, uint32_t page)
{
    const uint32_t done = 0;
    return program(store,
                   page * NVS_PAGE_SIZE + (uint32_t)offsetof(struct page_header, copied),
                   &done, sizeof(done));
}

/* Moves what lives in `victim` to the free page `target`. */
static esp_err_t compact(const struct store *store, uint32_t victim, uint32_t target)
{
    esp_err_t result = open_page(store, target, victim);
    uint32_t at = NVS_CELL_SIZE;
    struct nvs_record record;
    while (result == ESP_OK && next_record(store, victim, &at, &record)) {
        /* Flash is read in place, which a write from itself must not be. */
        uint8_t value[NVS_VALUE_MAX];
        if (is_live(store, &record)) {
            memcpy(value, record.data, record.size);
            result = append(store, target, &record, value);
        }
    }
    if (result == ESP_OK) {
        result = mark_copied(store, target);
    }
    return result == ESP_OK ? erase_page(store, victim) : result;
}

static esp_err_t make_room(const struct store *store, uint32_t needed)
{
    uint32_t current = newest_page(store);
    if (current != NO_PAGE && NVS_PAGE_SIZE - page_end(store, current) >= needed) {
        return ESP_OK;
    }
    uint32_t target = NO_PAGE;
    uint32_t free_pages = count_free(store, &target);
    if (free_pages == 0) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    if (free_pages >= 2) {
        return open_page(store, target, NO_PAGE);
    }
    uint32_t victim = NO_PAGE;
    uint32_t least = NVS_PAGE_SIZE;
    for (uint32_t page = 0; page < store->pages; page++) {
        uint32_t bytes = is_page(store, page) ? live_bytes(store, page) : NVS_PAGE_SIZE;
        if (bytes < least) {
            least = bytes;
            victim = page;
        }
    }
    if (victim == NO_PAGE || NVS_CELL_SIZE + least + needed > NVS_PAGE_SIZE) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    return compact(store, victim, target);
}

/* No page is free: a cut came while a page was copied, or before the old one was gone. */
static esp_err_t finish_compaction(const struct store *store)
{
    uint32_t newest = newest_page(store);
    if (newest == NO_PAGE || header_of(store, newest)->victim == ERASED_WORD) {
        return ESP_ERR_NVS_NO_FREE_PAGES;
    }
    if (header_of(store, newest)->copied == ERASED_WORD) {
        return erase_page(store, newest);
    }
    esp_err_t result = mark_copied(store, newest); /* it may be torn itself */
    uint32_t victim = page_with_sequence(store, header_of(store, newest)->victim);
    if (result == ESP_OK) {
        result =
            victim != NO_PAGE ? erase_page(store, victim) : ESP_ERR_NVS_NO_FREE_PAGES;
    }
    return result;
}

esp_err_t nvs_store_mount(sim_board_t *board, const esp_partition_t *partition)
{
    struct store store = open_store(board, partition);
    if (store.pages < 2) {
        return ESP_ERR_NVS_NO_FREE_PAGES;
    }
    for (uint32_t page = 0; page < store.pages; page++) {
        if (is_page(&store, page) &&
            header_of(&store, page)->version > NVS_FORMAT_VERSION) {
            return ESP_ERR_NVS_NEW_VERSION_FOUND;
        }
    }
    for (uint32_t page = 0; page < store.pages; page++) {
        if (!is_page(&store, page) && !is_free(&store, page)) {
            esp_err_t result = erase_page(&store, page); /* torn, or not ours */
            if (result != ESP_OK) {
                return result;
            }
        }
    }
    uint32_t first = NO_PAGE;
    return count_free(&store, &first) > 0 ? ESP_OK : finish_compaction(&store);
}

bool nvs_store_find(sim_board_t *board, const esp_partition_t *partition,
                    const char *namespace_name, const char *key,
                    struct nvs_record *ret_record)
{
    struct store store = open_store(board, partition);
    if (key != NULL) {
        return find(&store, namespace_name, key, ret_record);
    }
    for (uint32_t page = 0; page < store.pages; page++) {
        uint32_t at = NVS_CELL_SIZE;
        while (is_page(&store, page) && next_record(&store, page, &at, ret_record)) {
            if (strcmp(ret_record->namespace_name, namespace_name) == 0 &&
                ret_record->type != NVS_TYPE_ERASED &&
                ret_record->type != NVS_TYPE_NAMESPACE && is_live(&store, ret_record)) {
                return true;
            }
        }
    }
    return false;
}

esp_err_t nvs_store_write(sim_board_t *board, const esp_partition_t *partition,
                          const char *namespace_name, const char *key, uint8_t type,
                          const void *value, uint32_t size)
{
    struct store store = open_store(board, partition);
    struct nvs_record record = {.type = type, .size = size};
    strncpy(record.namespace_name, namespace_name, sizeof(record.namespace_name) - 1);
    strncpy(record.key, key, sizeof(record.key) - 1);
    esp_err_t result = make_room(&store, NVS_HEAD_SIZE + cells(size));
    if (result != ESP_OK) {
        return result;
    }
    return append(&store, newest_page(&store), &record, value);
}
