/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device's side of an update, by protocol 1 or 2: what arrives by radio goes in,
 * flash work comes out. */
#ifndef UPDRAFT_DEVICE_SESSION_H
#define UPDRAFT_DEVICE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updraft/image.h"
#include "updraft/protocol1.h"
#include "updraft/protocol2.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How it is used, by one task and nobody else:
 *
 *     input (updraft_device_control, _data, _data_lost, _link_lost, _tick)
 *     while (updraft_device_poll(device, &action)) {
 *         result = carry the action out
 *         updraft_device_done(device, result, output, now_ms)
 *     }
 *
 * No input may come while an action is under way or still to be polled. */

#define UPDRAFT_FLASH_SECTOR_SIZE 4096u
#define UPDRAFT_FLASH_BLOCK_SIZE  65536u
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
    /* Protocol 2. */
    uint32_t window_bytes; /* Data that the caller can queue, packet_cost_bytes counted
                            * for each value; 4096 */
    uint8_t packet_cost_bytes; /* what a queued value takes besides its own bytes */
    uint32_t hardware_id;      /* of this board; an image for another is refused */
    uint32_t secure_version;   /* lowest that an image may have */
    char project[33];          /* of the running image, filled up with 0 */
    uint8_t image_id[UPDRAFT_IMAGE_HASH_SIZE]; /* of the running image */
    /* Passes over the slot, in which each sector is erased once: so many, then one more
     * each `pause`. By both protocols. 30; 60000. A sector stands some 100,000 erases. */
    uint16_t erasing_max;
    uint32_t erasing_pause_ms;
};

enum updraft_action_kind {
    UPDRAFT_ACTION_ANSWER,  /* notify `bytes` (`size` of them) on Control to `connection`.
                             * A result other than 0 ends a row of MAP reports, and nothing
                             * else: the link's end tells the session */
    UPDRAFT_ACTION_BEGIN,   /* may an update begin? Ask the application. A result other
                             * than 0 refuses; it becomes updraft_device_error */
    UPDRAFT_ACTION_JUDGE,   /* the image's head is in and fits this device
                             * (updraft_device_descriptor): does the application take it?
                             * Nothing has been erased yet. */
    UPDRAFT_ACTION_PREPARE, /* make sure that no valid otadata entry names the slot, and
                             * that no note says that it holds a staged image */
    UPDRAFT_ACTION_ERASE,   /* erase [offset, offset + size) of the slot; whole sectors */
    UPDRAFT_ACTION_WRITE, /* program `size` bytes at `offset` of the slot; both multiples
                           * of 16 but for the last of a file; the range was erased
                           * before */
    UPDRAFT_ACTION_HASH,  /* SHA-256 over `bytes` (`size` of them), then over the slot's
                           * flash [offset, end_offset); its 32 bytes are the output */
    UPDRAFT_ACTION_READ,  /* read `size` bytes (at most 320) at `offset` of
                           * the slot; they are the output */
    UPDRAFT_ACTION_CRC,   /* updraft_crc32 over the slot's flash [offset, offset + size);
                           * the output is its 4 bytes, little-endian */
    UPDRAFT_ACTION_ACTIVATE, /* select the slot for the next boot
                              * (esp_ota_set_boot_partition) */
    UPDRAFT_ACTION_RESTART,  /* restart once the last answer is out */
    /* Protocol 2. */
    UPDRAFT_ACTION_STAGE,   /* note that the slot holds a verified image: `bytes` (`size`
                             * of them) are its first bytes, which flash has not yet, and
                             * `id` its 32-byte identity */
    UPDRAFT_ACTION_UNSTAGE, /* an ACTIVATE without a session: write the first bytes of the
                             * image noted with the 8-byte `id`. NOTHING_STAGED when no
                             * such note is there */
    UPDRAFT_ACTION_POLICY,  /* just before ACTIVATE: note who confirms the image that the
                             * slot holds (`choice`: enum updraft_p2_confirm_by) */
    UPDRAFT_ACTION_CONFIRM, /* a client's CONFIRM of the running image (8-byte `id`) */
    UPDRAFT_ACTION_MAY_ROLL_BACK, /* can the device go back (`choice`: enum
                                   * updraft_p2_rollback) from image `id`? */
    UPDRAFT_ACTION_ROLL_BACK,     /* do it; the restart is part of it */
};

struct updraft_device_action {
    enum updraft_action_kind kind;
    uint16_t connection;       /* ANSWER, BEGIN */
    uint32_t offset_bytes;     /* ERASE, WRITE, HASH, READ, CRC */
    uint32_t end_offset_bytes; /* HASH */
    uint32_t size_bytes;       /* ANSWER, ERASE, WRITE, HASH, READ, CRC, STAGE */
    const uint8_t *bytes;      /* ANSWER, WRITE, HASH, STAGE: inside the session, valid
                                * until _done */
    const uint8_t *id;         /* STAGE and so on: likewise */
    uint8_t id_size_bytes;     /* 8 or 32 */
    uint8_t choice;            /* POLICY, MAY_ROLL_BACK, ROLL_BACK */
};

enum updraft_device_state {
    UPDRAFT_DEVICE_IDLE, /* nobody updates */
    UPDRAFT_DEVICE_HEAD, /* request accepted; the image's first 288 bytes are awaited */
    UPDRAFT_DEVICE_RECEIVING,  /* the slot is being erased and written */
    UPDRAFT_DEVICE_VERIFYING,  /* DONE came; hash, header, activation */
    UPDRAFT_DEVICE_FAILED,     /* something went wrong; DONE will be answered DONE_NAK */
    UPDRAFT_DEVICE_RESTARTING, /* activated; no update is accepted any more */
    /* Protocol 2 alone: */
    UPDRAFT_DEVICE_MANIFEST, /* session open; the manifest is awaited */
    UPDRAFT_DEVICE_READY,    /* image accepted; a range, a map or the end is awaited */
    UPDRAFT_DEVICE_VERIFIED, /* the slot holds the image; activation is awaited */
};

/* How erasing goes, as measured (device_erase.c). What flash takes is kept over sessions;
 * what the link does is measured anew in each. */
struct updraft_erase_plan {
    uint32_t supervision_ms; /* of the owner's link; 0: not known */
    uint32_t sector_ms;      /* of the longest sector erase; 0: not yet measured */
    uint32_t block_ms;       /* of the longest block erase; 0: not yet measured */
    uint32_t queued_bytes;   /* Data that waits in the caller's queue */
    uint32_t queued_before;  /* as the erase under way began */
    uint32_t held_bytes;     /* most that came in during one erase: what the controller
                              * holds while the host stands still */
    uint32_t begun_ms;       /* of the range */
    uint32_t erased_ms;      /* of that, spent on erasing */
    uint32_t written_ms;     /* and on programming */
    uint32_t taken_bytes;    /* of the range, from the queue */
    uint32_t stalled_bytes;  /* of them or of those still queued: came during erases */
    /* Where sectors hide in part: which way filled a block sooner. */
    bool block_open; /* a block is being filled, since: */
    uint32_t block_begun_ms;
    bool by_sectors;          /* erased as sectors */
    uint32_t blocks_took_ms;  /* 64 KiB erased at once, then filled; 0: not known */
    uint32_t sectors_took_ms; /* 64 KiB erased in sectors meanwhile; 0: not known */
    /* Against wear. */
    uint16_t passes_left; /* that may still begin */
    uint32_t passes_ms;   /* since when passes_left is as it is */
};

/* What protocol 2 needs of a session (device_protocol2.c). */
struct updraft_device_stream {
    uint8_t number; /* of the session; counts on, never 0 */
    uint8_t flags;  /* of OPEN */
    uint32_t nonce; /* of OPEN */
    uint16_t write_size_bytes;
    uint16_t window_chunks;
    uint16_t manifest_size_bytes;
    uint16_t next;       /* chunk awaited */
    uint16_t told_next;  /* as last reported */
    uint32_t left_bytes; /* of the stream under way, still to arrive */
    uint32_t end_bytes;  /* of the range, or the last one: where it ends in the slot */
    bool finish;         /* verify once the range is durable */
    bool prepared;       /* otadata does not name the slot any more */
    bool wanted;         /* a gap at `next` was reported */
    bool heard;          /* a chunk was taken since the last report */
    bool told_erase;     /* the long erase to come was reported */
    bool report_due;     /* STATE is to be sent to the owner */
    bool report_want;    /* with `want` */
    uint8_t report_status;
    uint32_t report_detail;
    uint32_t reported_ms;
    uint16_t map_sector; /* MAP: the next to be read */
    uint16_t map_left;
    uint16_t map_used_bytes; /* in the stage: the report that is being filled */
    /* A command that needs no session, or starts one. */
    struct updraft_p2_command command;
    uint32_t first_crc; /* of the slot's first sector, before this session wrote; bytes
                         * 0 to 31 as FF */
    struct updraft_p2_manifest manifest;
};

/* A session's state: plain bytes without pointers, caller-allocated, may be copied
 * whenever no action is under way. All fields are private. Words that are used often come
 * first: the machine code for them is shorter. */
struct updraft_device {
    enum updraft_device_state state;
    int error; /* why the state is FAILED, or why the last update ended */
    enum updraft_action_kind action_kind;
    uint32_t action_size_bytes;
    uint32_t action_begun_ms;
    uint32_t received_bytes; /* of the image, as they arrived */
    uint32_t erased_bytes;   /* up to here the slot is erased or written */
    uint32_t written_bytes;  /* up to here it is programmed, without its first 32 bytes */
    uint32_t stage_used_bytes;
    uint32_t last_input_ms;
    uint32_t begun_ms;
    struct updraft_erase_plan erase;
    uint16_t owner; /* connection that updates, or UPDRAFT_CONNECTION_NONE */
    uint16_t asker; /* connection that the step under way is for */
    /* The last packet size that was told, and by which connection. */
    uint16_t told_size_bytes;
    uint16_t told_by;
    uint16_t packet_size_bytes; /* of the update under way; 0: any */
    uint16_t answer_connection;
    bool short_packet_seen;
    bool action_pending;
    uint8_t protocol;          /* of the owner's session; 0: there is none */
    uint8_t step;              /* what comes next within the state */
    uint8_t answer_size_bytes; /* to be sent; 0: nothing */
    uint8_t answer[UPDRAFT_P2_STATE_SIZE];
    struct updraft_device_stream stream;
    struct updraft_device_config config;
    struct updraft_image image;
    uint8_t head[UPDRAFT_HEAD_HELD_SIZE];
    uint8_t stage[UPDRAFT_STAGE_SIZE + UPDRAFT_P1_PACKET_SIZE_MAX];
};

void updraft_device_init(struct updraft_device *device,
                         const struct updraft_device_config *config);

/* The running firmware was confirmed (false), which config.on_trial said it was not. */
void updraft_device_set_on_trial(struct updraft_device *device, bool on_trial);

/* The supervision timeout of the owner's link; an erase must not reach it. 0: not known.
 */
void updraft_device_set_supervision(struct updraft_device *device, uint32_t timeout_ms);

/* Bytes of Data that wait in the caller's queue. To be told before each poll and done, if
 * the caller has a queue at all: with an empty one, and where it costs the link nothing,
 * sectors are erased before they are needed. */
void updraft_device_set_queued(struct updraft_device *device, uint32_t size_bytes);

/* So much should be queued before the caller takes the first of it (but for at most some
 * 100 ms): each flash operation interrupts a link whose controller stands still
 * meanwhile, so there should be few. 0 where it does not. */
uint32_t updraft_device_batch_bytes(const struct updraft_device *device);

/* A write to Control or Data arrived on a connection. Everything is taken and judged:
 * what is wrong with it shows in the answers, never in a return value. Control values
 * that neither protocol has are ignored here: the caller refuses them by an ATT error. */
void updraft_device_control(struct updraft_device *device, uint16_t connection,
                            const uint8_t *bytes, size_t size, uint32_t now_ms);
void updraft_device_data(struct updraft_device *device, uint16_t connection,
                         const uint8_t *bytes, size_t size, uint32_t now_ms);

/* A packet was lost before it reached the session (a full queue). By protocol 1 the
 * update of that connection cannot succeed any more and DONE will be answered DONE_NAK;
 * by protocol 2 the gap is found and sent again. */
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
bool updraft_device_poll(struct updraft_device *device, uint32_t now_ms,
                         struct updraft_device_action *ret_action);

/* Reports the polled action's result: 0 or an error of updraft/error.h. output: what a
 * HASH, READ or CRC action that succeeded has to yield, else NULL. */
void updraft_device_done(struct updraft_device *device, int result, const uint8_t *output,
                         uint32_t now_ms);

enum updraft_device_state updraft_device_state(const struct updraft_device *device);
/* Why the state is FAILED, why the last update ended, or why the last REQUEST or OPEN on
 * an idle device was refused; 0 for none, and where what ended had staged its image. */
int updraft_device_error(const struct updraft_device *device);
/* The connection that updates, or UPDRAFT_CONNECTION_NONE. */
uint16_t updraft_device_owner(const struct updraft_device *device);
/* By which protocol it does so: 1 or 2; 0 when nobody updates. */
uint8_t updraft_device_protocol(const struct updraft_device *device);
/* Bytes of the image under way, or of the last one: from its start, what was kept of an
 * earlier session included. */
uint32_t updraft_device_received_bytes(const struct updraft_device *device);
/* The image that is arriving: header and descriptor once they are in. */
const struct updraft_image *updraft_device_image(const struct updraft_device *device);

#ifdef __cplusplus
}
#endif

#endif
