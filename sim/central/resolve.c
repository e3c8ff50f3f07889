/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * From a fresh link to known services: MTU, what the cache still holds, discovery. */
#include <assert.h>
#include <string.h>

#include "sim/central/internal.h"

#define HANDLE_LAST            0xFFFFu
#define UUID16_SIZE            2u
#define UUID128_SIZE           16u
#define HASH_SIZE              16u
#define CCCD_INDICATIONS       0x0002u
#define FEATURE_ROBUST_CACHING 0x01u

static void put_uuid(uint8_t target[UUID128_SIZE], const uint8_t *source, size_t size)
{
    static const uint8_t base[UUID128_SIZE] = {0xFB, 0x34, 0x9B, 0x5F, 0x80, 0, 0, 0x80,
                                               0,    0x10, 0,    0,    0,    0, 0, 0};
    if (size == UUID16_SIZE) {
        memcpy(target, base, UUID128_SIZE);
        memcpy(target + 12, source, UUID16_SIZE);
    } else {
        memcpy(target, source, UUID128_SIZE);
    }
}

static bool is_uuid16(const uint8_t uuid[UUID128_SIZE], uint16_t wanted)
{
    uint8_t bytes[UUID16_SIZE];
    uint8_t whole[UUID128_SIZE];
    hci_put_le16(bytes, wanted);
    put_uuid(whole, bytes, sizeof(bytes));
    return memcmp(uuid, whole, sizeof(whole)) == 0;
}

static const struct sim_gatt_characteristic *find(const struct gatt_table *table,
                                                  uint16_t uuid)
{
    for (size_t i = 0; i < table->characteristic_count; i++) {
        if (is_uuid16(table->characteristics[i].uuid, uuid)) {
            return &table->characteristics[i];
        }
    }
    return NULL;
}

static void enter(sim_peer_t *peer, enum resolve_step step)
{
    peer->link->step = step;
    peer->link->resolve_handle = 1;
    peer->link->resolve_index = 0;
    central_pump_soon(peer->central);
}

static void discover(sim_peer_t *peer)
{
    struct gatt_table *table = peer->table;
    table->valid = false;
    table->has_hash = false;
    table->service_count = 0;
    table->characteristic_count = 0;
    table->descriptor_count = 0;
    enter(peer, RESOLVE_SERVICES);
}

void resolve_start(sim_peer_t *peer)
{
    peer->link->resolve_again = false;
    enter(peer, RESOLVE_MTU);
}

static void services_are_other(sim_peer_t *peer)
{
    discover(peer);
    att_abandon(peer);
    peer->central->ops.services_changed(peer->central->context, peer);
}

void resolve_again(sim_peer_t *peer)
{
    if (peer->link->step == RESOLVE_DONE) {
        services_are_other(peer);
    } else {
        peer->link->resolve_again = true;
    }
}

void resolve_indication(sim_peer_t *peer, uint16_t handle)
{
    /* While services are being found the table may not have it yet, and a device that
     * indicates then means nothing else. */
    const struct sim_gatt_characteristic *changed =
        find(peer->table, ATT_UUID_SERVICE_CHANGED);
    if (changed != NULL && changed->value_handle == handle) {
        resolve_again(peer);
    }
}

/* ---- requests ---- */

static size_t put_by_type(uint8_t *pdu, uint8_t opcode, uint16_t start, uint16_t uuid)
{
    pdu[0] = opcode;
    hci_put_le16(&pdu[1], start);
    hci_put_le16(&pdu[3], HANDLE_LAST);
    hci_put_le16(&pdu[5], uuid);
    return 7;
}

static size_t next_descriptors(sim_peer_t *peer, uint8_t *pdu)
{
    struct link *link = peer->link;
    const struct gatt_table *table = peer->table;
    for (; link->resolve_index < table->characteristic_count; link->resolve_index++) {
        const struct sim_gatt_characteristic *characteristic =
            &table->characteristics[link->resolve_index];
        uint16_t start = link->resolve_handle;
        if (start <= characteristic->value_handle) {
            start = (uint16_t)(characteristic->value_handle + 1);
        }
        if (start > characteristic->value_handle && start <= characteristic->end_handle) {
            pdu[0] = ATT_FIND_INFORMATION_REQUEST;
            hci_put_le16(&pdu[1], start);
            hci_put_le16(&pdu[3], characteristic->end_handle);
            return 5;
        }
        link->resolve_handle = 1;
    }
    return 0;
}

static size_t next_write(uint8_t *pdu, uint16_t handle, uint16_t value, size_t size)
{
    pdu[0] = ATT_WRITE_REQUEST;
    hci_put_le16(&pdu[1], handle);
    pdu[3] = (uint8_t)value;
    pdu[4] = (uint8_t)(value >> 8);
    return 3 + size;
}

/* The request of one step, or 0 where the step has nothing (more) to ask. */
static size_t step_request(sim_peer_t *peer, uint8_t *pdu)
{
    struct link *link = peer->link;
    const struct gatt_table *table = peer->table;
    uint16_t mtu = peer->central->config.profile->mtu;
    const struct sim_gatt_characteristic *found = NULL;
    switch (link->step) {
    case RESOLVE_MTU:
        pdu[0] = ATT_MTU_REQUEST;
        hci_put_le16(&pdu[1], mtu);
        return mtu > ATT_MTU_DEFAULT && link->resolve_handle == 1 ? 3 : 0;
    case RESOLVE_CACHED_HASH:
        if (!table->valid || link->resolve_handle == 0) {
            return 0;
        }
        return put_by_type(pdu, ATT_READ_BY_TYPE_REQUEST, 1, ATT_UUID_DATABASE_HASH);
    case RESOLVE_SERVICES:
        return link->resolve_handle == 0
                   ? 0
                   : put_by_type(pdu, ATT_READ_BY_GROUP_TYPE_REQUEST,
                                 link->resolve_handle, ATT_UUID_PRIMARY_SERVICE);
    case RESOLVE_CHARACTERISTICS:
        return link->resolve_handle == 0
                   ? 0
                   : put_by_type(pdu, ATT_READ_BY_TYPE_REQUEST, link->resolve_handle,
                                 ATT_UUID_CHARACTERISTIC);
    case RESOLVE_DESCRIPTORS:
        return next_descriptors(peer, pdu);
    case RESOLVE_HASH:
        found = find(table, ATT_UUID_DATABASE_HASH);
        if (found == NULL || link->resolve_handle == 0) {
            return 0;
        }
        pdu[0] = ATT_READ_REQUEST;
        hci_put_le16(&pdu[1], found->value_handle);
        return 3;
    case RESOLVE_CLIENT_FEATURES:
        found = find(table, ATT_UUID_CLIENT_FEATURES);
        if (found == NULL || link->resolve_handle == 0) {
            return 0;
        }
        return next_write(pdu, found->value_handle, FEATURE_ROBUST_CACHING, 1);
    case RESOLVE_SUBSCRIBE:
        found = find(table, ATT_UUID_SERVICE_CHANGED);
        if (found == NULL || found->cccd_handle == 0 || link->resolve_handle == 0) {
            return 0;
        }
        return next_write(pdu, found->cccd_handle, CCCD_INDICATIONS, 2);
    case RESOLVE_DONE:
        break;
    }
    return 0;
}

static void finish_characteristics(struct gatt_table *table)
{
    /* Each reaches to the next declaration, or to the end of its service. */
    for (size_t i = 0; i < table->characteristic_count; i++) {
        struct sim_gatt_characteristic *characteristic = &table->characteristics[i];
        characteristic->end_handle = table->services[characteristic->service].end_handle;
        if (i + 1 < table->characteristic_count &&
            characteristic[1].service == characteristic->service) {
            characteristic->end_handle =
                (uint16_t)(characteristic[1].declaration_handle - 1);
        }
    }
}

static void next_step(sim_peer_t *peer)
{
    struct link *link = peer->link;
    switch (link->step) {
    case RESOLVE_MTU:
        enter(peer, RESOLVE_CACHED_HASH);
        break;
    case RESOLVE_CACHED_HASH:
        if (peer->table->valid) {
            enter(peer, RESOLVE_CLIENT_FEATURES);
        } else {
            discover(peer);
        }
        break;
    case RESOLVE_CHARACTERISTICS:
        finish_characteristics(peer->table);
        enter(peer, RESOLVE_DESCRIPTORS);
        break;
    case RESOLVE_DESCRIPTORS:
        peer->table->valid = true;
        enter(peer, RESOLVE_HASH);
        break;
    case RESOLVE_SUBSCRIBE:
        if (link->resolve_again) {
            link->resolve_again = false;
            discover(peer);
            break;
        }
        enter(peer, RESOLVE_DONE);
        peer->central->ops.resolved(peer->central->context, peer);
        break;
    case RESOLVE_SERVICES:
    case RESOLVE_HASH:
    case RESOLVE_CLIENT_FEATURES:
        enter(peer, (enum resolve_step)(link->step + 1));
        break;
    case RESOLVE_DONE:
        break;
    }
}

size_t resolve_next_request(sim_peer_t *peer, uint8_t *ret_pdu)
{
    while (peer->state == PEER_CONNECTED && peer->link->step != RESOLVE_DONE) {
        size_t size = step_request(peer, ret_pdu);
        if (size > 0) {
            return size;
        }
        next_step(peer);
    }
    return 0;
}

/* ---- responses ---- */

/* Where the next request of a loop starts; 0 ends the loop. */
static void go_on_after(struct link *link, uint16_t handle)
{
    /* A device whose handles do not grow would be asked for ever. */
    link->resolve_handle = handle >= link->resolve_handle && handle != HANDLE_LAST
                               ? (uint16_t)(handle + 1)
                               : 0;
}

static void services_input(sim_peer_t *peer, const uint8_t *bytes, size_t size)
{
    struct gatt_table *table = peer->table;
    size_t entry = size >= 2 ? bytes[1] : 0;
    uint16_t last = HANDLE_LAST;
    if (entry == 4 + UUID16_SIZE || entry == 4 + UUID128_SIZE) {
        for (size_t at = 2; at + entry <= size; at += entry) {
            last = hci_get_le16(&bytes[at + 2]);
            if (table->service_count == SERVICES_MAX) {
                continue;
            }
            struct sim_gatt_service *service = &table->services[table->service_count++];
            service->start_handle = hci_get_le16(&bytes[at]);
            service->end_handle = last;
            put_uuid(service->uuid, &bytes[at + 4], entry - 4);
        }
    }
    go_on_after(peer->link, last);
}

static void add_characteristic(struct gatt_table *table, const uint8_t *bytes,
                               size_t uuid_size)
{
    uint16_t declaration = hci_get_le16(bytes);
    for (size_t i = 0; i < table->service_count; i++) {
        if (declaration < table->services[i].start_handle ||
            declaration > table->services[i].end_handle ||
            table->characteristic_count == CHARACTERISTICS_MAX) {
            continue;
        }
        struct sim_gatt_characteristic *characteristic =
            &table->characteristics[table->characteristic_count++];
        memset(characteristic, 0, sizeof(*characteristic));
        characteristic->service = (uint16_t)i;
        characteristic->declaration_handle = declaration;
        characteristic->properties = bytes[2];
        characteristic->value_handle = hci_get_le16(&bytes[3]);
        put_uuid(characteristic->uuid, &bytes[5], uuid_size);
        return;
    }
}

static void characteristics_input(sim_peer_t *peer, const uint8_t *bytes, size_t size)
{
    size_t entry = size >= 2 ? bytes[1] : 0;
    uint16_t last = HANDLE_LAST;
    if (entry == 5 + UUID16_SIZE || entry == 5 + UUID128_SIZE) {
        for (size_t at = 2; at + entry <= size; at += entry) {
            last = hci_get_le16(&bytes[at]);
            add_characteristic(peer->table, &bytes[at], entry - 5);
        }
    }
    go_on_after(peer->link, last);
}

static void descriptors_input(sim_peer_t *peer, const uint8_t *bytes, size_t size)
{
    struct link *link = peer->link;
    struct gatt_table *table = peer->table;
    struct sim_gatt_characteristic *characteristic =
        &table->characteristics[link->resolve_index];
    size_t uuid_size = size >= 2 && bytes[1] == 1 ? UUID16_SIZE : UUID128_SIZE;
    uint16_t last = 0;
    for (size_t at = 2; at + 2 + uuid_size <= size; at += 2 + uuid_size) {
        last = hci_get_le16(&bytes[at]);
        if (table->descriptor_count == DESCRIPTORS_MAX) {
            continue;
        }
        struct sim_gatt_descriptor *descriptor =
            &table->descriptors[table->descriptor_count++];
        descriptor->characteristic = (uint16_t)link->resolve_index;
        descriptor->handle = last;
        put_uuid(descriptor->uuid, &bytes[at + 2], uuid_size);
        if (is_uuid16(descriptor->uuid, ATT_UUID_CCCD)) {
            characteristic->cccd_handle = last;
        }
    }
    if (last <= characteristic->value_handle || last >= characteristic->end_handle) {
        link->resolve_index++;
        link->resolve_handle = 1;
    } else {
        link->resolve_handle = (uint16_t)(last + 1);
    }
}

static void cached_hash_input(sim_peer_t *peer, const uint8_t *bytes, size_t size)
{
    const struct gatt_table *table = peer->table;
    bool now = bytes[0] == ATT_READ_BY_TYPE_RESPONSE && size >= 4 + HASH_SIZE &&
               bytes[1] == 2 + HASH_SIZE;
    bool same = now == table->has_hash &&
                (!now || memcmp(&bytes[4], table->hash, HASH_SIZE) == 0);
    if (!same) {
        services_are_other(peer);
    } else {
        enter(peer, RESOLVE_CLIENT_FEATURES);
    }
}

void resolve_input(sim_peer_t *peer, const uint8_t *bytes, size_t size)
{
    struct link *link = peer->link;
    bool error = bytes[0] == ATT_ERROR_RESPONSE;
    switch (link->step) {
    case RESOLVE_MTU:
        if (!error && size == 3) {
            uint16_t ours = peer->central->config.profile->mtu;
            uint16_t theirs = hci_get_le16(&bytes[1]);
            uint16_t mtu = theirs < ours ? theirs : ours;
            link->mtu = mtu > ATT_MTU_DEFAULT ? mtu : ATT_MTU_DEFAULT;
        }
        link->resolve_handle = 0;
        break;
    case RESOLVE_CACHED_HASH:
        cached_hash_input(peer, bytes, size);
        break;
    case RESOLVE_SERVICES:
    case RESOLVE_CHARACTERISTICS:
        if (error) {
            link->resolve_handle = 0;
        } else if (link->step == RESOLVE_SERVICES) {
            services_input(peer, bytes, size);
        } else {
            characteristics_input(peer, bytes, size);
        }
        break;
    case RESOLVE_DESCRIPTORS:
        if (error) {
            link->resolve_index++;
            link->resolve_handle = 1;
        } else {
            descriptors_input(peer, bytes, size);
        }
        break;
    case RESOLVE_HASH:
        if (!error && size == 1 + HASH_SIZE) {
            memcpy(peer->table->hash, bytes + 1, HASH_SIZE);
            peer->table->has_hash = true;
        }
        link->resolve_handle = 0;
        break;
    case RESOLVE_CLIENT_FEATURES:
    case RESOLVE_SUBSCRIBE:
        link->resolve_handle = 0; /* a device may refuse; nothing depends on it here */
        break;
    case RESOLVE_DONE:
        break;
    }
}
