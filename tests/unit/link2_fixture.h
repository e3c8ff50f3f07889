/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A client session of protocol 2 and some device with a link between them that loses,
 * delays, repeats, merges and overtakes, under a virtual clock. */
#ifndef TESTS_LINK2_FIXTURE_H
#define TESTS_LINK2_FIXTURE_H

#include "sim/base/random.h"
#include "updraft/client_session2.h"

#define LINK2_QUEUE_MAX 2048u
#define LINK2_VALUE_MAX 520u
#define LINK2_FILE_MAX  (16u * 4096u)
#define LINK2_NEVER     UINT32_MAX

/* What the device does with what reaches it; it answers by link2_notify. */
struct link2_device {
    void *context;
    void (*control)(void *context, const uint8_t *bytes, size_t size, uint32_t now_ms);
    void (*data)(void *context, const uint8_t *bytes, size_t size, uint32_t now_ms);
    /* Something is due; deadline: false when nothing is. */
    void (*tick)(void *context, uint32_t now_ms);
    bool (*deadline)(void *context, uint32_t *ret_deadline_ms);
};

/* Chances of a thousand. */
struct link2_faults {
    uint32_t lose_data;
    uint32_t lose_message; /* a Control write that the device acknowledged all the same */
    uint32_t lose_notification;
    uint32_t merge; /* a notification takes the place of the one before it */
    uint32_t twice; /* a notification comes again at once */
    uint32_t late;  /* by up to late_ms, and with it what follows */
    uint32_t again; /* again up to late_ms later, out of order */
    uint32_t late_ms;
    uint32_t jitter_ms; /* of everything */
    uint32_t value_ms;  /* each Data value keeps the link busy for so long */
    bool overtaking;    /* data and Control writes pass each other */
};

struct link2_event {
    uint32_t due_ms;
    uint32_t order;
    uint8_t kind;
    uint16_t size;
    uint8_t bytes[LINK2_VALUE_MAX];
};

struct link2 {
    struct updraft_client2 client;
    struct link2_device device;
    struct link2_faults faults;
    sim_random_t random;
    uint32_t now_ms;
    uint32_t steps_left;  /* events until the link is lost; LINK2_NEVER */
    uint32_t data_due_ms; /* of the last value under way: they stay in order */
    uint32_t message_due_ms;
    uint32_t notification_due_ms;
    struct link2_event queue[LINK2_QUEUE_MAX];
    uint32_t queue_count;
    uint32_t order;
    /* What came of it. */
    uint32_t steps;
    uint32_t message_counts[256]; /* by opcode */
    uint32_t chunk_count;
};

/* The file that is updated with, and what a client must know of it. */
struct link2_file {
    uint8_t bytes[LINK2_FILE_MAX];
    uint32_t size_bytes;
    uint32_t sector_crcs[LINK2_FILE_MAX / UPDRAFT_P2_SECTOR_SIZE];
    uint32_t first_sector_crc;
    uint8_t manifest[UPDRAFT_P2_MANIFEST_SIZE];
    uint8_t image_id[UPDRAFT_P2_ID_SIZE];
};

/* Takes bytes as they are in file->bytes, with or without an image's form. */
void link2_file_finish(struct link2_file *file);
struct updraft_client2_config link2_config(const struct link2_file *file, uint16_t mtu,
                                           uint32_t nonce);

void link2_init(struct link2 *link, const struct link2_device *device, uint64_t seed);
void link2_notify(struct link2 *link, const uint8_t *bytes, size_t size, uint32_t now_ms);
/* From the subscription to the end of the session, or to the end of the link, which the
 * device is not told of. Returns the session's error. */
int link2_run(struct link2 *link, const struct link2_file *file,
              const struct updraft_client2_config *config);

#endif
