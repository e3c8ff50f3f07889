/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Protocol 2: the messages of the native update protocol, as bytes and as structs
 * (SPEC.md). */
#ifndef UPDRAFT_PROTOCOL2_H
#define UPDRAFT_PROTOCOL2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updraft/image.h"
#include "updraft/info.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All integers are little-endian. The service, Control and Data are those of protocol 1
 * (updraft/protocol1.h); Info follows them in the service. */
#define UPDRAFT_P2_INFO_UUID "cdd0799c-9c80-48cb-8c54-45ae330770ad"
#define UPDRAFT_P2_INFO_UUID_BYTES                                                      \
    0xad, 0x70, 0x07, 0x33, 0xae, 0x45, 0x54, 0x8c, 0xcb, 0x48, 0x80, 0x9c, 0x9c, 0x79, \
        0xd0, 0xcd

#define UPDRAFT_P2_VERSION        2u
#define UPDRAFT_P2_ID_SIZE        8u  /* of an image id where a message names one */
#define UPDRAFT_P2_COMMAND_MAX    20u /* bytes of a client's Control message */
#define UPDRAFT_P2_STATE_SIZE     16u
#define UPDRAFT_P2_MAP_HEAD_SIZE  4u
#define UPDRAFT_P2_DATA_HEAD_SIZE 2u
#define UPDRAFT_P2_WRITE_MIN      20u  /* of a Data value: MTU 23 */
#define UPDRAFT_P2_WRITE_MAX      512u /* Core Specification, Vol 3, Part F, 3.2.9 */
#define UPDRAFT_P2_SECTOR_SIZE    4096u
/* ATT error where a Control message was not taken for want of room: Insufficient
 * Resources (Core Specification, Vol 3, Part F, 3.4.1.1). */
#define UPDRAFT_P2_ATT_NO_ROOM 0x11u

/* First byte of a Control value; a value of one byte is protocol 1. */
enum updraft_p2_opcode {
    UPDRAFT_P2_OPEN = 0x10,
    UPDRAFT_P2_RANGE = 0x11,
    UPDRAFT_P2_MAP = 0x12,
    UPDRAFT_P2_FINISH = 0x13,
    UPDRAFT_P2_ACTIVATE = 0x14,
    UPDRAFT_P2_CONFIRM = 0x15,
    UPDRAFT_P2_ROLLBACK = 0x16,
    UPDRAFT_P2_ABORT = 0x17,
    UPDRAFT_P2_STATUS = 0x18,
    /* Device to client. */
    UPDRAFT_P2_STATE_REPORT = 0x80,
    UPDRAFT_P2_MAP_REPORT = 0x82,
};

/* X(NAME, number, error of updraft/error.h without its prefix). Numbers are frozen. */
#define UPDRAFT_P2_STATUSES(X)                \
    X(BUSY, 1, BUSY)                          \
    X(WRONG_STATE, 2, LINK_STATE)             \
    X(MALFORMED, 3, LINK_PROTOCOL)            \
    X(UNSUPPORTED, 4, UNSUPPORTED)            \
    X(TIMEOUT, 5, LINK_TIMEOUT)               \
    X(ABORTED, 6, CANCELLED)                  \
    X(RATE_LIMIT, 7, RATE_LIMIT)              \
    X(TOO_LARGE, 16, IMAGE_TOO_LARGE)         \
    X(CHIP, 17, IMAGE_CHIP)                   \
    X(CHIP_REVISION, 18, IMAGE_CHIP_REVISION) \
    X(PROJECT, 19, IMAGE_PROJECT)             \
    X(HARDWARE, 20, IMAGE_HARDWARE)           \
    X(DOWNGRADE, 21, DOWNGRADE)               \
    X(SECURE_VERSION, 22, SECURE_VERSION)     \
    X(RUNNING, 23, ALREADY_RUNNING)           \
    X(NO_UPDRAFT, 24, NO_UPDRAFT)             \
    X(NO_SLOT, 25, FLASH_NO_SLOT)             \
    X(NO_SIGNATURE, 32, NO_SIGNATURE)         \
    X(BAD_SIGNATURE, 33, BAD_SIGNATURE)       \
    X(UNKNOWN_KEY, 34, UNKNOWN_KEY)           \
    X(ENCRYPT, 35, ENCRYPT)                   \
    X(AUTHENTICATE, 36, AUTHENTICATE)         \
    X(HASH, 40, IMAGE_HASH)                   \
    X(IMAGE, 41, IMAGE_INVALID)               \
    X(FLASH, 42, FLASH_WRITE)                 \
    X(DECODE, 43, DECODE)                     \
    X(BAD_RANGE, 44, LINK_RANGE)              \
    X(VETOED, 48, VETOED)                     \
    X(BATTERY, 49, BATTERY)                   \
    X(ON_TRIAL, 50, ON_TRIAL)                 \
    X(NO_FALLBACK, 51, NO_FALLBACK)           \
    X(NOTHING_STAGED, 52, NOTHING_STAGED)     \
    X(INTERNAL, 255, DEVICE_INTERNAL)

enum updraft_p2_status {
    UPDRAFT_P2_OK = 0,
#define UPDRAFT_P2_STATUS_ENUM(NAME, number, error) UPDRAFT_P2_##NAME = (number),
    UPDRAFT_P2_STATUSES(UPDRAFT_P2_STATUS_ENUM)
#undef UPDRAFT_P2_STATUS_ENUM
};

/* The error that a status stands for (0 for OK; REFUSED for a number that this version
 * does not know), and the status that tells an error (INTERNAL where there is none). */
int updraft_p2_status_error(uint8_t status);
uint8_t updraft_p2_error_status(int error);

/* Where a session stands, as STATE tells it. */
enum updraft_p2_state {
    UPDRAFT_P2_STATE_IDLE = 0,       /* no session of this connection */
    UPDRAFT_P2_STATE_MANIFEST = 1,   /* Data is the manifest */
    UPDRAFT_P2_STATE_READY = 2,      /* image accepted; awaits RANGE, MAP or FINISH */
    UPDRAFT_P2_STATE_RECEIVING = 3,  /* Data is the range */
    UPDRAFT_P2_STATE_VERIFYING = 4,  /* the whole slot is being hashed */
    UPDRAFT_P2_STATE_VERIFIED = 5,   /* awaits ACTIVATE */
    UPDRAFT_P2_STATE_RESTARTING = 6, /* the device is about to restart */
};

/* Client to device. One struct, filled as far as the opcode says; the rest is zero. */
struct updraft_p2_command {
    uint8_t opcode;               /* enum updraft_p2_opcode */
    uint8_t session;              /* RANGE, MAP, FINISH, ABORT, STATUS */
    uint8_t flags;                /* OPEN, RANGE: UPDRAFT_P2_OPEN_*, UPDRAFT_P2_RANGE_* */
    uint8_t version;              /* OPEN: UPDRAFT_P2_VERSION */
    uint16_t manifest_size_bytes; /* OPEN */
    uint16_t write_size_bytes;    /* OPEN: of each Data value but a stream's last */
    uint32_t nonce;               /* OPEN */
    uint32_t start_bytes;         /* RANGE: multiple of the sector size */
    uint32_t size_bytes;          /* RANGE */
    uint16_t first_sector;        /* MAP */
    uint16_t sector_count;        /* MAP */
    uint8_t confirm_by;           /* ACTIVATE: enum updraft_p2_confirm_by */
    uint8_t target;               /* ROLLBACK: enum updraft_p2_rollback */
    uint8_t id[UPDRAFT_P2_ID_SIZE]; /* ACTIVATE, CONFIRM, ROLLBACK */
};

/* Take the image although its project is another, it has no updraft inside, or it is what
 * runs already. */
#define UPDRAFT_P2_OPEN_FORCE 0x01u
/* Keep the verified image's header and identity, so that a later ACTIVATE without a
 * session finds it. */
#define UPDRAFT_P2_OPEN_STAGE 0x02u
/* Verify the whole image as soon as the range is durable, as FINISH would. */
#define UPDRAFT_P2_RANGE_FINISH 0x01u

enum updraft_p2_confirm_by {
    UPDRAFT_P2_CONFIRM_BY_DEVICE = 0, /* the new firmware confirms itself */
    UPDRAFT_P2_CONFIRM_BY_CLIENT = 1, /* and a client's CONFIRM is needed as well */
};

enum updraft_p2_rollback {
    UPDRAFT_P2_ROLLBACK_PREVIOUS = 0,
    UPDRAFT_P2_ROLLBACK_FACTORY = 1,
};

/* Device to client. */
struct updraft_p2_report {
    uint8_t state;       /* enum updraft_p2_state */
    uint8_t status;      /* of the command that is answered, or why the session ended */
    uint8_t flags;       /* UPDRAFT_P2_REPORT_* */
    uint8_t session;     /* 0: none */
    uint8_t next_within; /* the next STATE comes within so many 100 ms; 0: no promise */
    uint16_t next;       /* chunk awaited; all before it in the stream have arrived */
    uint16_t limit;      /* first chunk that must not be sent yet */
    uint32_t detail;     /* see SPEC.md, by state and status */
};

#define UPDRAFT_P2_REPORT_BUSY                                                         \
    0x01u                            /* flash is being erased: nothing is answered now \
                                      */
#define UPDRAFT_P2_REPORT_WANT 0x02u /* send (again) from `next` on */

/* Encoders return the bytes written; the room must be UPDRAFT_P2_COMMAND_MAX and
 * UPDRAFT_P2_STATE_SIZE. */
size_t updraft_p2_put_command(const struct updraft_p2_command *command, uint8_t *bytes);
size_t updraft_p2_put_report(const struct updraft_p2_report *report, uint8_t *bytes);

/* Decoders return false, leaving the target alone, for a value of another size than the
 * opcode's, an unknown opcode, or reserved bytes that are not zero. */
bool updraft_p2_get_command(const uint8_t *bytes, size_t size,
                            struct updraft_p2_command *ret_command);
bool updraft_p2_get_report(const uint8_t *bytes, size_t size,
                           struct updraft_p2_report *ret_report);

/* A MAP report: what the slot holds, sector by sector. */
struct updraft_p2_map {
    uint8_t session;
    uint16_t first_sector;
    uint16_t sector_count; /* at least 1 */
    const uint8_t *crcs; /* in the bytes that were read: a CRC-32 for each, as 4 bytes */
};

/* False, as above, for what is not a MAP report. */
bool updraft_p2_get_map(const uint8_t *bytes, size_t size,
                        struct updraft_p2_map *ret_map);

/* What travels before the image. */
#define UPDRAFT_P2_MANIFEST_SIZE 404u /* without extensions */
#define UPDRAFT_P2_MANIFEST_MAX  512u /* with extensions, of which version 2 has none */
/* Image header, first segment header, descriptor and the bytes of the marker behind it.
 */
#define UPDRAFT_P2_HEAD_SIZE 320u

struct updraft_p2_manifest {
    uint32_t file_size_bytes;  /* what is to be written, signature sector included */
    uint32_t image_size_bytes; /* the image up to and with its appended SHA-256 */
    uint8_t file_sha256[UPDRAFT_IMAGE_HASH_SIZE];
    uint8_t image_id[UPDRAFT_IMAGE_HASH_SIZE]; /* the image's appended SHA-256 */
    uint8_t head[UPDRAFT_P2_HEAD_SIZE];        /* the file's first bytes */
};

/* Needs room for UPDRAFT_P2_MANIFEST_SIZE bytes. */
void updraft_p2_put_manifest(const struct updraft_p2_manifest *manifest, uint8_t *bytes);
/* Returns 0 or a status: MALFORMED, or UNSUPPORTED (another version, or an extension that
 * must be understood and is not). */
uint8_t updraft_p2_get_manifest(const uint8_t *bytes, size_t size,
                                struct updraft_p2_manifest *ret_manifest);

/* The marker of an image with updraft inside: 32 bytes at file offset 288, where ESP-IDF
 * puts what is in the section .rodata_custom_desc. */
#define UPDRAFT_MARKER_OFFSET 288u
#define UPDRAFT_MARKER_SIZE   32u
#define UPDRAFT_MARKER_MAGIC  0x31445055u /* "UPD1" */

struct updraft_marker {
    uint8_t protocol_max; /* highest protocol that the firmware speaks */
    uint32_t hardware_id; /* what board it is for; 0: any */
};

/* Finds it in a file's first UPDRAFT_P2_HEAD_SIZE bytes; false: there is none. */
bool updraft_marker_get(const uint8_t head[UPDRAFT_P2_HEAD_SIZE],
                        struct updraft_marker *ret_marker);
void updraft_marker_put(const struct updraft_marker *marker,
                        uint8_t bytes[UPDRAFT_MARKER_SIZE]);

/* The Info characteristic. */
#define UPDRAFT_P2_INFO_SIZE   152u
#define UPDRAFT_P2_INFO_LAYOUT 1u

void updraft_info_put(const struct updraft_info *info,
                      uint8_t bytes[UPDRAFT_P2_INFO_SIZE]);
/* False for a value that is shorter, of another layout, or whose CRC-32 is wrong (it
 * changed between two parts of a long read: read it again). Longer values are taken:
 * later versions append. */
bool updraft_info_get(const uint8_t *bytes, size_t size, struct updraft_info *ret_info);

/* CRC-32 as in IEEE 802.3 (and zlib): reflected 0x04C11DB7, initial value and final XOR
 * 0xFFFFFFFF. `crc`: 0, or the result over what came before. */
uint32_t updraft_crc32(uint32_t crc, const uint8_t *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
