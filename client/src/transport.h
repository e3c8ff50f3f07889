/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the client's flow asks of Bluetooth: BlueZ and the virtual world each provide it.
 */
#ifndef UPDRAFT_CLIENT_TRANSPORT_H
#define UPDRAFT_CLIENT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updraft/client.h"

/* The characteristics that the client knows, wherever they are on the device. */
enum updraft_characteristic {
    UPDRAFT_CONTROL,           /* OTA Control, of any service that has Control and Data */
    UPDRAFT_DATA,              /* OTA Data, of the same service */
    UPDRAFT_INFO,              /* OTA Info, of the same service: the device speaks more
                                * than protocol 1 */
    UPDRAFT_FIRMWARE_REVISION, /* Device Information 0x2A26 */
    UPDRAFT_MODEL,             /* Device Information 0x2A24 */
    UPDRAFT_MANUFACTURER,      /* Device Information 0x2A29 */
    UPDRAFT_CHARACTERISTIC_COUNT,
};

#define UPDRAFT_VALUE_MAX 512u /* Core Specification, Vol 3, Part F, 3.2.9 */

/* Properties of a characteristic: the bits of the Core Specification, Vol 3, Part G,
 * 3.3.1.1. 0 for a characteristic that the device does not have. */
#define UPDRAFT_PROPERTY_READ              0x02u
#define UPDRAFT_PROPERTY_WRITE_NO_RESPONSE 0x04u
#define UPDRAFT_PROPERTY_WRITE             0x08u
#define UPDRAFT_PROPERTY_NOTIFY            0x10u
#define UPDRAFT_PROPERTY_INDICATE          0x20u

/* What the transport reports. One struct, filled as far as the kind says; pointers are
 * valid during the call only. */
enum updraft_transport_event_kind {
    UPDRAFT_TRANSPORT_FOUND,        /* address, name (may be ""), rssi_dbm, has_service */
    UPDRAFT_TRANSPORT_CONNECTED,    /* services are known: properties[], mtu */
    UPDRAFT_TRANSPORT_DISCONNECTED, /* status: 0 if asked for, else why; also a failed
                                       connect */
    UPDRAFT_TRANSPORT_READ,         /* characteristic, status, bytes, size */
    UPDRAFT_TRANSPORT_WRITTEN,      /* characteristic, status: a request is answered; a
                                     * command is taken, and there is room for another */
    UPDRAFT_TRANSPORT_SUBSCRIBED,   /* characteristic, status */
    UPDRAFT_TRANSPORT_NOTIFIED,     /* characteristic, bytes, size */
    UPDRAFT_TRANSPORT_FAILED, /* status: Bluetooth itself is gone (daemon, adapter) */
};

struct updraft_transport_event {
    enum updraft_transport_event_kind kind;
    int status;        /* 0 or an error of updraft/error.h */
    uint8_t att_error; /* with LINK_ATT: the ATT error code where known, else 0 */
    enum updraft_characteristic characteristic;
    const uint8_t *bytes;
    size_t size;
    struct updraft_address address;
    const char *name;
    int rssi_dbm;
    bool has_service; /* the advertisement names the update service */
    uint16_t mtu;
    uint8_t properties[UPDRAFT_CHARACTERISTIC_COUNT];
};

/* Each call starts something and returns 0, or a negative error at once; what it started
 * ends with one event (none for scan), never from within the call. At most one
 * connection, and on it at most one read, write request or subscription under way at a
 * time, and beside it at most one write command.
 *
 * A connect that returned 0 ends with exactly one DISCONNECTED, however it ends; nothing
 * of that connection comes after it, and what was still under way on it ends without an
 * event of its own. After FAILED nothing comes any more, no DISCONNECTED either: the
 * transport has forgotten connection and scan. */
struct updraft_transport_ops {
    /* Reports every device heard from now on (FOUND, again when something changed), or
     * stops. */
    int (*scan)(void *context, bool on);
    /* Connects and finds the characteristics: CONNECTED or DISCONNECTED. */
    int (*connect)(void *context, const struct updraft_address *address);
    /* Ends the connection: DISCONNECTED, within 4 s whatever the other side does. Also
     * ends a connect under way. STATE when there is neither. */
    int (*disconnect)(void *context);
    int (*read)(void *context, enum updraft_characteristic characteristic);
    /* size: at most 512 and, for a command, MTU - 3. with_response: ATT Write Request.
     * The bytes are copied. Where the device has Info, a request may overtake commands
     * that have been taken. */
    int (*write)(void *context, enum updraft_characteristic characteristic,
                 const uint8_t *bytes, size_t size, bool with_response);
    int (*subscribe)(void *context, enum updraft_characteristic characteristic);
};

#endif
