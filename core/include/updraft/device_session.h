/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's side of an update: what arrives by radio goes in, flash work comes out. */
#ifndef UPDRAFT_DEVICE_SESSION_H
#define UPDRAFT_DEVICE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updraft/image.h"
#include "updraft/protocol1.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How it is used, by one task and nobody else:
 *
 *     input (updraft_device_control, _data, _data_lost, _link_lost, _tick)
 *     while (updraft_device_poll(device, &action)) {
 *         result = carry the action out
 *         updraft_device_done(device, result, digest)
 *     }
 *
 * No input may come while an action is under way or still to be polled. */

#define UPDRAFT_FLASH_SECTOR_SIZE 4096u
/* Bytes 0 to 31 of the image are written last (see UPDRAFT_ACTION_WRITE): until then no
 * boot loader takes what the slot holds for an image. 32 is a multiple of the 16 bytes
 * that flash encryption writes at a time. */
#define UPDRAFT_HEAD_HELD_SIZE 32u
/* A page's multiple: what one write action programs at most. */
#define UPDRAFT_STAGE_SIZE      1024u
#define UPDRAFT_CONNECTION_NONE 0xFFFFu

/* What the device is. Copied by updraft_device_init; 0 means the default where one is
 * named. */
struct updraft_device_config {
    uint16_t chip_id;         /* enum updraft_chip */
    uint16_t chip_revision;   /* major * 100 + minor */
    uint32_t slot_size_bytes; /* of the slot that is not running; 0: there is none */
    uint32_t idle_limit_ms;  /* an update that receives nothing for so long ends; 30000 */
    uint32_t total_limit_ms; /* an update that takes longer ends; 3600000 */
    /* The chip's eFuse lifts the images' upper limit of the revision. */
    bool ignore_chip_revision_max;
    bool on_trial; /* no update may begin: the other slot holds the way back. See
                    * updraft_device_set_on_trial */
};

enum updraft_action_kind {
    UPDRAFT_ACTION_ANSWER,  /* notify `opcode` on Control to `connection`. A result other
                             * than 0 changes nothing: the link's end tells the session */
    UPDRAFT_ACTION_BEGIN,   /* may an update begin? Ask the application. A result other
                             * than 0 refuses; it becomes updraft_device_error */
    UPDRAFT_ACTION_JUDGE,   /* the image's head is in and fits this device
                             * (updraft_device_image): does the application take it?
                             * Nothing has been erased yet. */
    UPDRAFT_ACTION_PREPARE, /* make sure that no valid otadata entry names the slot */
    UPDRAFT_ACTION_ERASE,   /* erase [offset, offset + size) of the slot; whole sectors */
    UPDRAFT_ACTION_WRITE, /* program `size` bytes at `offset` of the slot; both multiples
                           * of 16; the range was erased before */
    UPDRAFT_ACTION_HASH,  /* SHA-256 over `bytes` (`size` of them), then over the slot's
                           * flash [offset, end_offset); hand the digest to _done */
    UPDRAFT_ACTION_ACTIVATE, /* select the slot for the next boot
                              * (esp_ota_set_boot_partition) */
    UPDRAFT_ACTION_RESTART,  /* restart once the last answer is out */
};

struct updraft_device_action {
    enum updraft_action_kind kind;
    uint16_t connection;       /* ANSWER, BEGIN */
    uint8_t opcode;            /* ANSWER: enum updraft_p1_opcode */
    uint32_t offset_bytes;     /* ERASE, WRITE, HASH */
    uint32_t end_offset_bytes; /* HASH */
    uint32_t size_bytes;       /* ERASE, WRITE, HASH */
    const uint8_t *bytes;      /* WRITE, HASH: inside the session, valid until _done */
};

enum updraft_device_state {
    UPDRAFT_DEVICE_IDLE, /* nobody updates */
    UPDRAFT_DEVICE_HEAD, /* request accepted; the image's first 288 bytes are awaited */
    UPDRAFT_DEVICE_RECEIVING,  /* the slot is being erased and written */
    UPDRAFT_DEVICE_VERIFYING,  /* DONE came; hash, header, activation */
    UPDRAFT_DEVICE_FAILED,     /* something went wrong; DONE will be answered DONE_NAK */
    UPDRAFT_DEVICE_RESTARTING, /* activated; no update is accepted any more */
};

/* A session's state: plain bytes without pointers, caller-allocated, may be copied
 * whenever no action is under way. All fields are private. */
struct updraft_device {
    struct updraft_device_config config;
    struct updraft_image image;
    enum updraft_device_state state;
    int error;      /* why the state is FAILED, or why the last update ended */
    uint16_t owner; /* connection that updates, or UPDRAFT_CONNECTION_NONE */
    /* The last packet size that was told, and by which connection. */
    uint16_t told_size_bytes;
    uint16_t told_by;
    uint16_t packet_size_bytes; /* of the update under way; 0: any */
    bool short_packet_seen;
    uint8_t answer; /* to be sent, or 0 */
    uint16_t answer_connection;
    uint8_t step; /* what comes next within the state */
    bool action_pending;
    enum updraft_action_kind action_kind;
    uint32_t action_size_bytes;
    uint32_t received_bytes; /* of the image, as they arrived */
    uint32_t erased_bytes;   /* [0, erased_bytes) of the slot is erased or written */
    uint32_t written_bytes;  /* [32, written_bytes) of the slot is programmed */
    uint32_t stage_used_bytes;
    uint32_t last_input_ms;
    uint32_t begun_ms;
    uint8_t head[UPDRAFT_HEAD_HELD_SIZE];
    uint8_t stage[UPDRAFT_STAGE_SIZE + UPDRAFT_P1_PACKET_SIZE_MAX];
};

void updraft_device_init(struct updraft_device *device,
                         const struct updraft_device_config *config);

/* The running firmware was confirmed (false), which config.on_trial said it was not. */
void updraft_device_set_on_trial(struct updraft_device *device, bool on_trial);

/* A write to Control or Data arrived on a connection. Everything is taken and judged:
 * what is wrong with it shows in the answers, never in a return value. Control values of
 * another size than 1, and unknown opcodes, are ignored here: the caller refuses them by
 * an ATT error. */
void updraft_device_control(struct updraft_device *device, uint16_t connection,
                            const uint8_t *bytes, size_t size, uint32_t now_ms);
void updraft_device_data(struct updraft_device *device, uint16_t connection,
                         const uint8_t *bytes, size_t size, uint32_t now_ms);

/* A packet was lost before it reached the session (a full queue): the update of that
 * connection cannot succeed any more and DONE will be answered DONE_NAK. */
void updraft_device_data_lost(struct updraft_device *device, uint16_t connection);

/* A connection ended. The owner's update ends with it. */
void updraft_device_link_lost(struct updraft_device *device, uint16_t connection);

/* Time passed. To be called when updraft_device_deadline's time has come. */
void updraft_device_tick(struct updraft_device *device, uint32_t now_ms);

/* When updraft_device_tick is due; false when nothing waits for time. Times wrap at 2^32
 * ms: compare by (int32_t)(now_ms - deadline_ms). */
bool updraft_device_deadline(const struct updraft_device *device,
                             uint32_t *ret_deadline_ms);

/* Yields the next action, or returns false when there is none. */
bool updraft_device_poll(struct updraft_device *device,
                         struct updraft_device_action *ret_action);

/* Reports the polled action's result: 0 or an error of updraft/error.h. digest: the 32
 * bytes of a HASH action that succeeded, else NULL. */
void updraft_device_done(struct updraft_device *device, int result,
                         const uint8_t *digest);

enum updraft_device_state updraft_device_state(const struct updraft_device *device);
/* Why the state is FAILED, why the last update ended, or why the last REQUEST on an idle
 * device was refused; 0 for none. */
int updraft_device_error(const struct updraft_device *device);
/* The connection that updates, or UPDRAFT_CONNECTION_NONE. */
uint16_t updraft_device_owner(const struct updraft_device *device);
/* Bytes of the image under way, or of the last one. */
uint32_t updraft_device_received_bytes(const struct updraft_device *device);
/* The image that is arriving: header and descriptor once they are in. */
const struct updraft_image *updraft_device_image(const struct updraft_device *device);

#ifdef __cplusplus
}
#endif

#endif
