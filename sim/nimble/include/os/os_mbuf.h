/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Chained memory buffers, from pools of a fixed size. */
#ifndef SIM_OS_OS_MBUF_H
#define SIM_OS_OS_MBUF_H

#include <stdint.h>

#include "os/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ble_npl_event;
struct ble_npl_eventq;
struct os_mempool;

struct os_mbuf_pool {
    uint16_t omp_databuf_len; /* bytes of data in each, packet header included */
    struct os_mempool *omp_pool;
    STAILQ_ENTRY(os_mbuf_pool) omp_next;
};

/* Only the first buffer of a packet has one. */
struct os_mbuf_pkthdr {
    uint16_t omp_len; /* bytes in the whole chain */
    uint16_t omp_flags;
    STAILQ_ENTRY(os_mbuf_pkthdr) omp_next;
};

struct os_mbuf {
    uint8_t *om_data;
    uint8_t om_flags;
    uint8_t om_pkthdr_len;
    uint16_t om_len; /* bytes in this buffer */
    struct os_mbuf_pool *om_omp;
    SLIST_ENTRY(os_mbuf) om_next;
    uint8_t om_databuf[];
};

#define OS_MBUF_IS_PKTHDR(om) ((om)->om_pkthdr_len >= sizeof(struct os_mbuf_pkthdr))
#define OS_MBUF_PKTHDR(om)    ((struct os_mbuf_pkthdr *)(void *)(om)->om_databuf)
#define OS_MBUF_PKTHDR_TO_MBUF(hdr) \
    ((struct os_mbuf *)(void *)((uint8_t *)(hdr) - sizeof(struct os_mbuf)))
#define OS_MBUF_PKTLEN(om)     (OS_MBUF_PKTHDR(om)->omp_len)
#define OS_MBUF_DATA(om, type) ((type)(void *)(om)->om_data)
#define OS_MBUF_USRHDR(om)     ((void *)((om)->om_databuf + sizeof(struct os_mbuf_pkthdr)))
#define OS_MBUF_USRHDR_LEN(om) ((om)->om_pkthdr_len - sizeof(struct os_mbuf_pkthdr))
#define OS_MBUF_LEADINGSPACE(om) \
    ((uint16_t)((om)->om_data - (om)->om_databuf - (om)->om_pkthdr_len))
#define OS_MBUF_TRAILINGSPACE(om)                                                  \
    ((uint16_t)((om)->om_databuf + (om)->om_omp->omp_databuf_len - (om)->om_data - \
                (om)->om_len))

/* The system's pools ("msys"): the smallest buffers that hold dsize bytes. NULL when
 * there is none. */
struct os_mbuf *os_msys_get(uint16_t dsize, uint16_t leadingspace);
struct os_mbuf *os_msys_get_pkthdr(uint16_t dsize, uint16_t user_hdr_len);
int os_msys_count(void);
int os_msys_num_free(void);

struct os_mbuf *os_mbuf_get(struct os_mbuf_pool *omp, uint16_t leadingspace);
struct os_mbuf *os_mbuf_get_pkthdr(struct os_mbuf_pool *omp, uint8_t pkthdr_len);
struct os_mbuf *os_mbuf_dup(struct os_mbuf *om);
struct os_mbuf *os_mbuf_off(const struct os_mbuf *om, int off, uint16_t *out_off);
int os_mbuf_copydata(const struct os_mbuf *om, int off, int len, void *dst);
uint16_t os_mbuf_len(const struct os_mbuf *om);
int os_mbuf_append(struct os_mbuf *om, const void *data, uint16_t len);
int os_mbuf_appendfrom(struct os_mbuf *dst, const struct os_mbuf *src, uint16_t src_off,
                       uint16_t len);
int os_mbuf_free(struct os_mbuf *om);
int os_mbuf_free_chain(struct os_mbuf *om);
void os_mbuf_adj(struct os_mbuf *om, int req_len);
int os_mbuf_cmpf(const struct os_mbuf *om, int off, const void *data, int len);
struct os_mbuf *os_mbuf_prepend(struct os_mbuf *om, int len);
struct os_mbuf *os_mbuf_prepend_pullup(struct os_mbuf *om, uint16_t len);
int os_mbuf_copyinto(struct os_mbuf *om, int off, const void *src, int len);
void os_mbuf_concat(struct os_mbuf *first, struct os_mbuf *second);
void *os_mbuf_extend(struct os_mbuf *om, uint16_t len);
struct os_mbuf *os_mbuf_pullup(struct os_mbuf *om, uint16_t len);

#ifdef __cplusplus
}
#endif

#endif
