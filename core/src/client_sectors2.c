/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Which sectors of the file protocol 2's client session sends: what the slot does not
 * hold already. */
#include "bytes.h"
#include "check.h"
#include "client2_private.h"
#include "updraft/error.h"

#define ROUNDS_MAX       3u
#define BLANK_SECTOR_CRC 0xF154670Au /* of 4096 bytes 0xFF */

static uint32_t sector_count(const struct updraft_client2 *client);
static uint32_t sector_size(const struct updraft_client2 *client, uint32_t sector);
static void send_all(struct updraft_client2 *client);
static void add(struct updraft_client2 *client, uint32_t sector);
static void begin_map(struct updraft_client2 *client, uint32_t now_ms);
static void map_known(struct updraft_client2 *client, uint32_t now_ms);
static void make_sure(struct updraft_client2 *client);
static bool matches(const struct updraft_client2 *client, uint32_t sector, uint32_t crc);

static bool has(const uint8_t *bits, uint32_t sector)
{
    return (bits[sector / 8] >> sector % 8 & 1) != 0;
}

static void set(uint8_t *bits, uint32_t sector)
{
    bits[sector / 8] = (uint8_t)(bits[sector / 8] | 1u << sector % 8);
}

static void clear(uint8_t *bits, uint32_t sector)
{
    bits[sector / 8] = (uint8_t)(bits[sector / 8] & ~(1u << sector % 8));
}

void updraft_client2_begin_file(struct updraft_client2 *client, uint32_t first_crc,
                                uint32_t now_ms)
{
    CHECK(client->state == UPDRAFT_CLIENT2_TELLING);
    client->last_number = (uint16_t)(client->stream.base + client->stream.count);
    if (!client->config.fresh &&
        (client->config.again || matches(client, 0, first_crc))) {
        begin_map(client, now_ms);
    } else {
        send_all(client);
        updraft_client2_choose_range(client);
        updraft_client2_enter(client, UPDRAFT_CLIENT2_RANGING, now_ms);
    }
}

void updraft_client2_on_map(struct updraft_client2 *client,
                            const struct updraft_p2_map *map, uint32_t now_ms)
{
    uint32_t count = sector_count(client);
    uint32_t end = (uint32_t)map->first_sector + map->sector_count;
    if (client->state != UPDRAFT_CLIENT2_MAPPING || map->session != client->session ||
        client->map_count == 0 || end > count) {
        return;
    }
    updraft_client2_heard(client, UPDRAFT_CLIENT2_MAP_WAIT_MS, now_ms);
    for (uint32_t sector = map->first_sector; sector < end; sector++) {
        uint32_t crc =
            updraft_get_le32(map->crcs + (size_t)4 * (sector - map->first_sector));
        if (has(client->known, sector)) {
            continue;
        }
        set(client->known, sector);
        client->progress_ms = now_ms;
        if (matches(client, sector, crc)) {
            CHECK(client->left_bytes >= sector_size(client, sector));
            client->left_bytes -= sector_size(client, sector);
        } else {
            set(client->to_send, sector);
        }
    }
    uint32_t unknown = 0;
    while (unknown < count && has(client->known, unknown)) {
        unknown++;
    }
    if (unknown == count) {
        map_known(client, now_ms);
    } else if (end == (uint32_t)client->map_first + client->map_count) {
        /* The last report of those that were asked for: others must have been lost. */
        updraft_client2_say(client, UPDRAFT_P2_MAP);
    }
}

void updraft_client2_repair(struct updraft_client2 *client, uint32_t now_ms)
{
    if (client->rounds == ROUNDS_MAX) {
        client->status = UPDRAFT_P2_HASH;
        updraft_client2_fail(client, UPDRAFT_ERROR_IMAGE_HASH);
        return;
    }
    client->rounds++;
    begin_map(client, now_ms);
}

void updraft_client2_range_done(struct updraft_client2 *client)
{
    struct updraft_client2_stream *stream = &client->stream;
    uint32_t sector = stream->start_bytes / UPDRAFT_P2_SECTOR_SIZE;
    uint32_t end_bytes = stream->start_bytes + stream->size_bytes;
    CHECK(client->left_bytes >= stream->size_bytes);
    for (; sector * UPDRAFT_P2_SECTOR_SIZE < end_bytes; sector++) {
        clear(client->to_send, sector);
    }
    client->left_bytes -= stream->size_bytes;
    client->last_number = (uint16_t)(stream->base + stream->count);
}

void updraft_client2_choose_range(struct updraft_client2 *client)
{
    uint32_t count = sector_count(client);
    uint32_t first = 0;
    while (first < count && !has(client->to_send, first)) {
        first++;
    }
    CHECK(first < count);
    uint32_t end = first;
    while (end < count && has(client->to_send, end)) {
        end++;
    }
    uint32_t end_bytes =
        end == count ? client->config.file_size_bytes : end * UPDRAFT_P2_SECTOR_SIZE;
    client->stream.start_bytes = first * UPDRAFT_P2_SECTOR_SIZE;
    client->stream.size_bytes = end_bytes - client->stream.start_bytes;
    while (end < count && !has(client->to_send, end)) {
        end++;
    }
    client->finish = end == count;
}

void updraft_client2_choose_map(struct updraft_client2 *client)
{
    uint32_t count = sector_count(client);
    uint32_t first = 0;
    while (first < count && has(client->known, first)) {
        first++;
    }
    CHECK(first < count);
    uint32_t end = first;
    while (end < count && !has(client->known, end)) {
        end++;
    }
    client->map_first = (uint16_t)first;
    client->map_count = (uint16_t)(end - first);
}

static uint32_t sector_count(const struct updraft_client2 *client)
{
    uint32_t size = client->config.file_size_bytes;
    return (size + UPDRAFT_P2_SECTOR_SIZE - 1) / UPDRAFT_P2_SECTOR_SIZE;
}

static uint32_t sector_size(const struct updraft_client2 *client, uint32_t sector)
{
    uint32_t left = client->config.file_size_bytes - sector * UPDRAFT_P2_SECTOR_SIZE;
    return left < UPDRAFT_P2_SECTOR_SIZE ? left : UPDRAFT_P2_SECTOR_SIZE;
}

static void send_all(struct updraft_client2 *client)
{
    uint32_t count = sector_count(client);
    for (uint32_t sector = 0; sector < count; sector++) {
        set(client->to_send, sector);
    }
    client->left_bytes = client->config.file_size_bytes;
}

/* Sends a sector although it matches. */
static void add(struct updraft_client2 *client, uint32_t sector)
{
    CHECK(!has(client->to_send, sector));
    set(client->to_send, sector);
    client->left_bytes += sector_size(client, sector);
    client->resent_bytes += sector_size(client, sector);
}

static void begin_map(struct updraft_client2 *client, uint32_t now_ms)
{
    memset(client->known, 0, sizeof(client->known));
    memset(client->to_send, 0, sizeof(client->to_send));
    client->left_bytes = client->config.file_size_bytes; /* as far as is known */
    client->map_count = 0;
    updraft_client2_enter(client, UPDRAFT_CLIENT2_MAPPING, now_ms);
}

/* All of the slot's content is known. */
static void map_known(struct updraft_client2 *client, uint32_t now_ms)
{
    if (client->rounds == 0) {
        make_sure(client);
    } else if (client->left_bytes == 0) {
        /* It reads like the file, sector by sector, and is not the file. */
        if (client->afresh) {
            client->status = UPDRAFT_P2_HASH;
            updraft_client2_fail(client, UPDRAFT_ERROR_IMAGE_HASH);
            return;
        }
        client->afresh = true;
        send_all(client);
    }
    updraft_client2_choose_range(client);
    updraft_client2_enter(client, UPDRAFT_CLIENT2_RANGING, now_ms);
}

/* Where an earlier session was cut off by a loss of power, the sector under way may hold
 * bits that read right only now. It is the last that matches before one that does not, or
 * the last of all. A sector that is blank in the file tells nothing about itself: it may
 * have been programmed, or be the erase that was cut off. */
static void make_sure(struct updraft_client2 *client)
{
    const uint32_t *crcs = client->config.sector_crcs;
    uint32_t count = sector_count(client);
    bool doubtful = client->left_bytes == 0;
    for (uint32_t sector = count; sector-- > 0;) {
        if (has(client->to_send, sector)) {
            doubtful = true;
        } else if (doubtful) {
            add(client, sector);
            doubtful = crcs[sector] == BLANK_SECTOR_CRC;
        }
    }
    for (uint32_t sector = 1; sector < count; sector++) {
        if (!has(client->to_send, sector) && has(client->to_send, sector - 1) &&
            crcs[sector] == BLANK_SECTOR_CRC) {
            add(client, sector);
        }
    }
}

static bool matches(const struct updraft_client2 *client, uint32_t sector, uint32_t crc)
{
    return crc == client->config.sector_crcs[sector] ||
           (sector == 0 && crc == client->config.first_sector_crc);
}
