/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Two clients, a device with a slot of two sectors, and the queues between them: every
 * part of it the real session, and every step a choice. */
#ifndef TESTS_EXPLORE_MODEL_H
#define TESTS_EXPLORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updraft/client_session.h"
#include "updraft/client_session2.h"
#include "updraft/device_session.h"

#define MODEL_PARTIES   2u
#define MODEL_LINKS     3u /* connections that the device can have */
#define MODEL_UP_MAX    3u /* values that a client's transport takes at a time */
#define MODEL_DOWN_MAX  6u /* notifications under way; what comes then is lost */
#define MODEL_SECTORS   2u
#define MODEL_SLOT_SIZE (MODEL_SECTORS * UPDRAFT_FLASH_SECTOR_SIZE)
#define MODEL_SESSIONS  9u /* a client that needs more of them gets nowhere */

/* What is under way on a link. */
struct model_item {
    bool is_control;
    bool by_request;  /* a Write Request: its end is awaited */
    uint8_t source;   /* of Data: MODEL_BYTES, or enum updraft_client2_source + 1 */
    uint8_t size;     /* of bytes */
    uint16_t length;  /* of Data behind them, from the source */
    uint16_t padding; /* FF behind that */
    uint32_t offset;
    uint8_t bytes[20];
};

struct model_link {
    uint8_t party;
    bool device_end; /* the device takes it for a connection */
    bool client_end; /* so does the client */
    bool broken;     /* nothing passes any more */
    bool response;   /* a Write Response is under way */
    uint8_t up_count;
    uint8_t down_count;
    struct model_item up[MODEL_UP_MAX];
    struct model_item down[MODEL_DOWN_MAX];
};

struct model_party {
    uint8_t protocol;
    bool active; /* it has begun a session */
    uint8_t sessions;
    uint8_t link; /* of its session */
    bool waits;   /* before it connects again, until: */
    uint32_t wait_ms;
    struct updraft_client first; /* by protocol 1 */
    struct updraft_client2 second;
};

struct model {
    struct updraft_device device;
    uint8_t flash[MODEL_SLOT_SIZE];
    bool flash_changed; /* since the state was taken up */
    uint32_t now_ms;
    uint8_t faults_left;
    /* What the device was allowed to do so far. */
    bool begun;
    bool judged;
    bool prepared;
    bool header_written;
    bool activated;
    uint8_t activated_party;
    bool policy_noted;
    bool restarted;
    struct model_link links[MODEL_LINKS];
    struct model_party parties[MODEL_PARTIES];
};

/* What can happen next. Those that cost no fault come first, and the first of them that
 * is possible is what a link without faults would do. */
enum model_kind {
    MODEL_RESPOND,        /* the Write Response reaches the client */
    MODEL_NOTIFY,         /* the first notification reaches the client */
    MODEL_DEVICE_NOTICES, /* that the link is gone */
    MODEL_CLIENT_NOTICES,
    MODEL_DELIVER, /* the first value reaches the device */
    MODEL_CONNECT, /* a client (`at`) connects and opens; the second one as a fault */
    MODEL_TIME, /* passes, to the next deadline; a fault where something is under way */
    MODEL_OVERTAKE, /* a Control value passes Data, or Data a Control value */
    MODEL_DROP,     /* the first value is dropped, as NimBLE does without buffers */
    MODEL_LOSE,     /* the first notification is lost */
    MODEL_TWICE,    /* it comes, and comes again */
    MODEL_BREAK,    /* the link breaks; neither side knows */
    MODEL_RESET,    /* the device loses what is in its memory */
    MODEL_KINDS,
};

struct model_step {
    uint8_t kind;
    uint8_t at; /* link or party */
    bool is_fault;
};

#define MODEL_STEPS_MAX (MODEL_KINDS * MODEL_LINKS)

/* Called with what is wrong; does not return. */
extern void (*model_violation)(const char *what);

/* Makes the two files. Once. */
void model_prepare(void);
/* protocols: of the two clients. */
void model_init(struct model *model, const uint8_t protocols[MODEL_PARTIES],
                uint8_t faults);
/* All that can happen next; returns how many. 0: it is over. */
size_t model_steps(const struct model *model, struct model_step steps[MODEL_STEPS_MAX]);
void model_step(struct model *model, const struct model_step *step);

/* port.c: carries out what the device's session asks for, and judges it. */
void model_work(struct model *model);
const uint8_t *model_file(uint8_t party, uint32_t *ret_size);
bool model_has_image(const struct model *model);
/* client.c: the client of either protocol. */
void model_party_connect(struct model *model, uint8_t party);
/* Lets it write as long as its transport takes something. */
void model_party_pump(struct model *model, uint8_t party);
void model_party_written(struct model *model, uint8_t party);
void model_party_notified(struct model *model, uint8_t party, const uint8_t *bytes,
                          size_t size);
void model_party_link_lost(struct model *model, uint8_t party);
bool model_party_deadline(const struct model *model, uint8_t party,
                          uint32_t *ret_deadline_ms);
void model_party_tick(struct model *model, uint8_t party);
bool model_party_done(const struct model *model, uint8_t party);
bool model_party_failed(const struct model *model, uint8_t party);
/* Failed because another one updates, as far as it knows. */
bool model_party_refused(const struct model *model, uint8_t party);
/* The bytes of a value that the party sent. */
size_t model_item_bytes(uint8_t party, const struct model_item *item, uint8_t *bytes);

#endif
