/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Chained buffers from finite pools. */
#include <assert.h>
#include <string.h>

#include "sim/nimble/nimble.h"

/* On the chip struct os_mbuf takes 16 bytes of a block and a packet header 8; here both
 * are larger. The first buffer of a packet holds exactly what it would there. */
#define CHIP_MBUF_SIZE   16
#define CHIP_HEADER_SIZE 8

/* Room in front of a packet for the headers of HCI, L2CAP and ATT. */
#define LEADING_HCI   4
#define LEADING_L2CAP 4
#define LEADING_ATT   5
#define LEADING_TYPE  1

bool pool_init(struct pool *pool, uint16_t count, uint16_t block_size)
{
    uint16_t data_size = (uint16_t)(block_size - CHIP_MBUF_SIZE - CHIP_HEADER_SIZE +
                                    sizeof(struct os_mbuf_pkthdr));
    size_t block = (sizeof(struct os_mbuf) + data_size + 15u) & ~(size_t)15;
    memset(pool, 0, sizeof(*pool));
    if (count == 0) {
        return true;
    }
    pool->memory = sim_runtime_malloc(block * count);
    if (pool->memory == NULL) {
        return false;
    }
    pool->pool.omp_databuf_len = data_size;
    pool->count = count;
    for (uint16_t i = count; i > 0; i--) {
        struct os_mbuf *om =
            (struct os_mbuf *)(void *)((uint8_t *)pool->memory + block * (i - 1u));
        om->om_omp = &pool->pool;
        SLIST_NEXT(om, om_next) = pool->free;
        pool->free = om;
    }
    pool->free_count = count;
    return true;
}

void pool_free(struct pool *pool)
{
    if (pool->memory != NULL) {
        sim_runtime_free(pool->memory);
    }
    memset(pool, 0, sizeof(*pool));
}

struct os_mbuf *os_mbuf_get(struct os_mbuf_pool *omp, uint16_t leadingspace)
{
    struct pool *pool = (struct pool *)(void *)omp;
    struct os_mbuf *om = pool->free;
    if (leadingspace > omp->omp_databuf_len || om == NULL) {
        return NULL;
    }
    pool->free = SLIST_NEXT(om, om_next);
    pool->free_count--;
    SLIST_NEXT(om, om_next) = NULL;
    om->om_flags = 0;
    om->om_pkthdr_len = 0;
    om->om_len = 0;
    om->om_data = om->om_databuf + leadingspace;
    return om;
}

struct os_mbuf *os_mbuf_get_pkthdr(struct os_mbuf_pool *omp, uint8_t user_pkthdr_len)
{
    uint16_t header = (uint16_t)(user_pkthdr_len + sizeof(struct os_mbuf_pkthdr));
    if (header > omp->omp_databuf_len || header > UINT8_MAX) {
        return NULL;
    }
    struct os_mbuf *om = os_mbuf_get(omp, 0);
    if (om != NULL) {
        om->om_pkthdr_len = (uint8_t)header;
        om->om_data += header;
        memset(om->om_databuf, 0, header);
    }
    return om;
}

/* The pool with the smallest buffers that hold size bytes, else the one with the largest.
 * The other one does not help out when it is empty. */
static struct os_mbuf_pool *msys_pool(struct nimble *n, uint16_t size)
{
    struct pool *small = &n->msys_1;
    struct pool *large = &n->msys_2;
    if (large->count > 0 && small->pool.omp_databuf_len > large->pool.omp_databuf_len) {
        struct pool *swap = small;
        small = large;
        large = swap;
    }
    bool fits = small->count > 0 && size <= small->pool.omp_databuf_len;
    return fits || large->count == 0 ? &small->pool : &large->pool;
}

struct os_mbuf *os_msys_get(uint16_t dsize, uint16_t leadingspace)
{
    return os_mbuf_get(msys_pool(nimble_ready(__func__), dsize), leadingspace);
}

struct os_mbuf *os_msys_get_pkthdr(uint16_t dsize, uint16_t user_hdr_len)
{
    uint16_t total = (uint16_t)(dsize + user_hdr_len + sizeof(struct os_mbuf_pkthdr));
    return os_mbuf_get_pkthdr(msys_pool(nimble_ready(__func__), total),
                              (uint8_t)user_hdr_len);
}

int os_msys_count(void)
{
    struct nimble *n = nimble_ready(__func__);
    return n->msys_1.count + n->msys_2.count;
}

int os_msys_num_free(void)
{
    struct nimble *n = nimble_ready(__func__);
    return n->msys_1.free_count + n->msys_2.free_count;
}

int os_mbuf_free(struct os_mbuf *om)
{
    struct pool *pool = (struct pool *)(void *)om->om_omp;
    assert(pool->free_count < pool->count);
    SLIST_NEXT(om, om_next) = pool->free;
    pool->free = om;
    pool->free_count++;
    return 0;
}

int os_mbuf_free_chain(struct os_mbuf *om)
{
    while (om != NULL) {
        struct os_mbuf *next = SLIST_NEXT(om, om_next);
        os_mbuf_free(om);
        om = next;
    }
    return 0;
}

uint16_t os_mbuf_len(const struct os_mbuf *om)
{
    uint16_t size = 0;
    for (; om != NULL; om = SLIST_NEXT(om, om_next)) {
        size = (uint16_t)(size + om->om_len);
    }
    return size;
}

static struct os_mbuf *last_of(struct os_mbuf *om)
{
    while (SLIST_NEXT(om, om_next) != NULL) {
        om = SLIST_NEXT(om, om_next);
    }
    return om;
}

static void add_packet_size(struct os_mbuf *om, int delta)
{
    if (OS_MBUF_IS_PKTHDR(om)) {
        OS_MBUF_PKTLEN(om) = (uint16_t)(OS_MBUF_PKTLEN(om) + delta);
    }
}

int os_mbuf_append(struct os_mbuf *om, const void *data, uint16_t len)
{
    const uint8_t *source = data;
    if (om == NULL) {
        return 3; /* OS_EINVAL */
    }
    struct os_mbuf *last = last_of(om);
    while (len > 0) {
        uint16_t space = OS_MBUF_TRAILINGSPACE(last);
        if (space == 0) {
            struct os_mbuf *more = os_mbuf_get(om->om_omp, 0);
            if (more == NULL) {
                return 1; /* OS_ENOMEM */
            }
            SLIST_NEXT(last, om_next) = more;
            last = more;
            space = OS_MBUF_TRAILINGSPACE(last);
        }
        uint16_t part = len < space ? len : space;
        memcpy(last->om_data + last->om_len, source, part);
        last->om_len = (uint16_t)(last->om_len + part);
        add_packet_size(om, part);
        source += part;
        len = (uint16_t)(len - part);
    }
    return 0;
}

struct os_mbuf *os_mbuf_off(const struct os_mbuf *om, int off, uint16_t *out_off)
{
    struct os_mbuf *next = NULL;
    for (const struct os_mbuf *at = om; at != NULL; at = next) {
        next = SLIST_NEXT(at, om_next);
        if (off < at->om_len || (off == at->om_len && next == NULL)) {
            *out_off = (uint16_t)off;
            return (struct os_mbuf *)(uintptr_t)at;
        }
        off -= at->om_len;
    }
    return NULL;
}

int os_mbuf_copydata(const struct os_mbuf *om, int off, int len, void *dst)
{
    uint8_t *target = dst;
    while (om != NULL && off >= om->om_len) {
        if (off == 0 && len == 0) {
            return 0;
        }
        off -= om->om_len;
        om = SLIST_NEXT(om, om_next);
    }
    while (len > 0 && om != NULL) {
        int part = om->om_len - off < len ? om->om_len - off : len;
        memcpy(target, om->om_data + off, (size_t)part);
        off = 0;
        target += part;
        len -= part;
        om = SLIST_NEXT(om, om_next);
    }
    return len > 0 ? -1 : 0;
}

int os_mbuf_appendfrom(struct os_mbuf *dst, const struct os_mbuf *src, uint16_t src_off,
                       uint16_t len)
{
    uint16_t offset = 0;
    const struct os_mbuf *at = os_mbuf_off(src, src_off, &offset);
    while (len > 0) {
        if (at == NULL) {
            return 3; /* OS_EINVAL */
        }
        uint16_t left = (uint16_t)(at->om_len - offset);
        uint16_t part = len < left ? len : left;
        int rc = os_mbuf_append(dst, at->om_data + offset, part);
        if (rc != 0) {
            return rc;
        }
        len = (uint16_t)(len - part);
        at = SLIST_NEXT(at, om_next);
        offset = 0;
    }
    return 0;
}

struct os_mbuf *os_mbuf_dup(struct os_mbuf *om)
{
    struct os_mbuf *copy =
        OS_MBUF_IS_PKTHDR(om)
            ? os_mbuf_get_pkthdr(om->om_omp, (uint8_t)(om->om_pkthdr_len -
                                                       sizeof(struct os_mbuf_pkthdr)))
            : os_mbuf_get(om->om_omp, 0);
    if (copy != NULL && os_mbuf_appendfrom(copy, om, 0, os_mbuf_len(om)) != 0) {
        os_mbuf_free_chain(copy);
        copy = NULL;
    }
    return copy;
}

/* Cuts req_len bytes from the front, or -req_len from the end. */
void os_mbuf_adj(struct os_mbuf *om, int req_len)
{
    if (om == NULL) {
        return;
    }
    int size = os_mbuf_len(om);
    int cut = req_len < 0 ? -req_len : req_len;
    cut = cut > size ? size : cut;
    add_packet_size(om, -cut);
    if (req_len >= 0) {
        for (struct os_mbuf *at = om; cut > 0; at = SLIST_NEXT(at, om_next)) {
            uint16_t part = cut < at->om_len ? (uint16_t)cut : at->om_len;
            at->om_data += part;
            at->om_len = (uint16_t)(at->om_len - part);
            cut -= part;
        }
        return;
    }
    int keep = size - cut;
    for (struct os_mbuf *at = om; at != NULL; at = SLIST_NEXT(at, om_next)) {
        if (keep <= at->om_len) {
            at->om_len = (uint16_t)keep;
            os_mbuf_free_chain(SLIST_NEXT(at, om_next));
            SLIST_NEXT(at, om_next) = NULL;
            return;
        }
        keep -= at->om_len;
    }
}

int os_mbuf_cmpf(const struct os_mbuf *om, int off, const void *data, int len)
{
    const uint8_t *bytes = data;
    for (int i = 0; i < len; i++) {
        uint8_t byte = 0;
        if (os_mbuf_copydata(om, off + i, 1, &byte) != 0) {
            return -1;
        }
        if (byte != bytes[i]) {
            return byte - bytes[i];
        }
    }
    return 0;
}

/* Room for len bytes in front. The whole chain is freed when there is none. */
struct os_mbuf *os_mbuf_prepend(struct os_mbuf *om, int len)
{
    while (len > 0) {
        uint16_t space = OS_MBUF_LEADINGSPACE(om);
        if (space > 0) {
            uint16_t part = len < space ? (uint16_t)len : space;
            om->om_data -= part;
            om->om_len = (uint16_t)(om->om_len + part);
            add_packet_size(om, part);
            len -= part;
            continue;
        }
        struct os_mbuf *front = OS_MBUF_IS_PKTHDR(om) ? os_mbuf_get_pkthdr(om->om_omp, 0)
                                                      : os_mbuf_get(om->om_omp, 0);
        if (front == NULL) {
            os_mbuf_free_chain(om);
            return NULL;
        }
        if (OS_MBUF_IS_PKTHDR(om)) {
            OS_MBUF_PKTLEN(front) = OS_MBUF_PKTLEN(om);
            om->om_pkthdr_len = 0;
        }
        front->om_data = front->om_databuf + front->om_omp->omp_databuf_len;
        SLIST_NEXT(front, om_next) = om;
        om = front;
    }
    return om;
}

/* The first len bytes in one piece. The chain is freed when that cannot be had. */
struct os_mbuf *os_mbuf_pullup(struct os_mbuf *om, uint16_t len)
{
    if (om->om_len >= len) {
        return om;
    }
    struct os_mbuf *front = OS_MBUF_IS_PKTHDR(om) ? os_mbuf_get_pkthdr(om->om_omp, 0)
                                                  : os_mbuf_get(om->om_omp, 0);
    if (front == NULL || OS_MBUF_TRAILINGSPACE(front) < len || os_mbuf_len(om) < len) {
        os_mbuf_free_chain(front);
        os_mbuf_free_chain(om);
        return NULL;
    }
    os_mbuf_copydata(om, 0, len, front->om_data);
    front->om_len = len;
    if (OS_MBUF_IS_PKTHDR(om)) {
        OS_MBUF_PKTLEN(front) = OS_MBUF_PKTLEN(om);
    }
    os_mbuf_adj(om, len);
    om->om_pkthdr_len = 0;
    while (om != NULL && om->om_len == 0) {
        struct os_mbuf *next = SLIST_NEXT(om, om_next);
        os_mbuf_free(om);
        om = next;
    }
    SLIST_NEXT(front, om_next) = om;
    return front;
}

struct os_mbuf *os_mbuf_prepend_pullup(struct os_mbuf *om, uint16_t len)
{
    om = os_mbuf_prepend(om, len);
    return om != NULL ? os_mbuf_pullup(om, len) : NULL;
}

int os_mbuf_copyinto(struct os_mbuf *om, int off, const void *src, int len)
{
    const uint8_t *source = src;
    uint16_t offset = 0;
    struct os_mbuf *at = os_mbuf_off(om, off, &offset);
    if (at == NULL) {
        return -1;
    }
    while (len > 0) {
        int part = at->om_len - offset < len ? at->om_len - offset : len;
        memcpy(at->om_data + offset, source, (size_t)part);
        source += part;
        len -= part;
        offset = 0;
        if (SLIST_NEXT(at, om_next) == NULL) {
            break;
        }
        at = SLIST_NEXT(at, om_next);
    }
    return len > 0 ? os_mbuf_append(om, source, (uint16_t)len) : 0;
}

void os_mbuf_concat(struct os_mbuf *first, struct os_mbuf *second)
{
    add_packet_size(first, os_mbuf_len(second));
    if (OS_MBUF_IS_PKTHDR(second)) {
        second->om_pkthdr_len = 0;
    }
    SLIST_NEXT(last_of(first), om_next) = second;
}

void *os_mbuf_extend(struct os_mbuf *om, uint16_t len)
{
    if (len > om->om_omp->omp_databuf_len) {
        return NULL;
    }
    struct os_mbuf *last = last_of(om);
    if (OS_MBUF_TRAILINGSPACE(last) < len) {
        struct os_mbuf *more = os_mbuf_get(om->om_omp, 0);
        if (more == NULL) {
            return NULL;
        }
        SLIST_NEXT(last, om_next) = more;
        last = more;
    }
    void *data = last->om_data + last->om_len;
    last->om_len = (uint16_t)(last->om_len + len);
    add_packet_size(om, len);
    return data;
}

struct os_mbuf *nimble_packet(uint16_t leading_space)
{
    struct os_mbuf *om = os_msys_get_pkthdr(0, 0);
    if (om != NULL) {
        om->om_data += leading_space;
    }
    return om;
}

struct os_mbuf *nimble_l2cap_packet(void)
{
    return nimble_packet(LEADING_HCI + LEADING_L2CAP + LEADING_TYPE);
}

struct os_mbuf *ble_hs_mbuf_att_pkt(void)
{
    return nimble_packet(LEADING_HCI + LEADING_L2CAP + LEADING_ATT);
}

struct os_mbuf *ble_hs_mbuf_from_flat(const void *buf, uint16_t len)
{
    struct os_mbuf *om = ble_hs_mbuf_att_pkt();
    if (om != NULL && os_mbuf_append(om, buf, len) != 0) {
        os_mbuf_free_chain(om);
        om = NULL;
    }
    return om;
}

int ble_hs_mbuf_to_flat(const struct os_mbuf *om, void *flat, uint16_t max_len,
                        uint16_t *out_copy_len)
{
    uint16_t size = OS_MBUF_PKTLEN(om) < max_len ? OS_MBUF_PKTLEN(om) : max_len;
    if (os_mbuf_copydata(om, 0, size, flat) != 0) {
        return BLE_HS_EUNKNOWN;
    }
    if (out_copy_len != NULL) {
        *out_copy_len = size;
    }
    return 0;
}

struct os_mbuf *nimble_acl_packet(struct nimble *n, const uint8_t *bytes, uint16_t size)
{
    struct os_mbuf *om = os_mbuf_get_pkthdr(&n->acl.pool, 0);
    if (om != NULL && os_mbuf_append(om, bytes, size) != 0) {
        os_mbuf_free_chain(om);
        om = NULL;
    }
    return om;
}
