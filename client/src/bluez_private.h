/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the files of the BlueZ transport share.
 */
#ifndef UPDRAFT_CLIENT_BLUEZ_PRIVATE_H
#define UPDRAFT_CLIENT_BLUEZ_PRIVATE_H

#include <systemd/sd-bus.h>

#include "client/src/bluez.h"

#define BLUEZ_NAME           "org.bluez"
#define BLUEZ_ADAPTER        "org.bluez.Adapter1"
#define BLUEZ_DEVICE         "org.bluez.Device1"
#define BLUEZ_SERVICE        "org.bluez.GattService1"
#define BLUEZ_CHARACTERISTIC "org.bluez.GattCharacteristic1"

#define SECOND_US 1000000ull
/* Calls that the daemon answers by itself. */
#define CALL_LIMIT_US (10 * SECOND_US)
/* Calls that wait for a device: the ATT transaction timeout, and room for the bus. */
#define GATT_LIMIT_US (35 * SECOND_US)
/* The kernel gives up a connection attempt after 20 s (le-connection-abort-by-local). */
#define CONNECT_LIMIT_US (30 * SECOND_US)
#define RESOLVE_LIMIT_US (20 * SECOND_US)
/* Shorter than the flow's close_limit_ms: no connect may come before the link's end. */
#define DISCONNECT_LIMIT_US (4 * SECOND_US)

#define ADAPTERS_MAX 16u
#define DEVICES_MAX  1024u
#define PATH_SIZE    128u
#define NAME_SIZE    249u /* 248 bytes: the longest device name */

struct bluez_adapter {
    char path[PATH_SIZE];
    bool powered;
};

struct bluez_device {
    char path[PATH_SIZE];
    char name[NAME_SIZE];
    struct updraft_address address;
    int rssi_dbm;
    bool heard; /* the daemon has an RSSI: it was heard in a discovery that goes on */
    bool has_service;
    bool connected;
    bool resolved;
    /* As last reported in this scan. */
    bool told;
    bool told_service;
    int told_rssi_dbm;
    char told_name[NAME_SIZE];
};

struct bluez_objects {
    struct bluez_adapter adapters[ADAPTERS_MAX];
    size_t adapter_count;
    struct bluez_device *devices; /* grows up to DEVICES_MAX */
    size_t device_count;
    size_t device_capacity;
};

enum bluez_daemon {
    BLUEZ_UNKNOWN, /* not asked, or gone: the next scan asks */
    BLUEZ_LOADING, /* GetManagedObjects is under way */
    BLUEZ_READY,
};

enum bluez_scan {
    BLUEZ_SCAN_OFF,
    BLUEZ_SCAN_STARTING,
    BLUEZ_SCAN_RETRYING, /* waits a little after InProgress */
    BLUEZ_SCAN_ON,
    BLUEZ_SCAN_STOPPING,
};

enum bluez_link {
    BLUEZ_LINK_NONE,
    BLUEZ_LINK_WAITING,    /* for the discovery to end */
    BLUEZ_LINK_CONNECTING, /* Connect is under way */
    BLUEZ_LINK_RESOLVING,  /* for Connected and ServicesResolved */
    BLUEZ_LINK_READING,    /* the device's GATT objects are being read */
    BLUEZ_LINK_UP,
    BLUEZ_LINK_CLOSING, /* Disconnect is under way */
};

struct bluez_characteristic {
    char path[PATH_SIZE]; /* "": the device does not have it */
    uint8_t properties;
    uint16_t mtu;   /* 0: the daemon does not say */
    bool notifying; /* some program was subscribed when the services were read */
};

/* Our end of what AcquireWrite or AcquireNotify gave out. */
struct bluez_socket {
    bool open;
    int fd;
    sd_event_source *source;
};

struct bluez {
    sd_event *event;
    sd_bus *bus;
    bluez_sink_t sink;
    void *context;
    char adapter_wanted[PATH_SIZE]; /* an object path, or "" */
    char adapter[PATH_SIZE];        /* the one in use, or "" */
    char detail[256];
    struct bluez_objects objects;
    enum bluez_daemon daemon;
    bool bus_lost;
    uint64_t appeared_us; /* when the daemon came up while we were looking; 0: before */
    uint64_t left_us;     /* when it left the bus, if it has not come back */
    sd_bus_slot *load_call;
    sd_event_source *load_timer;
    size_t powered_count;           /* of adapters */
    uint64_t lost_us;               /* when there was one less; 0: not seen */
    sd_event_source *adapter_timer; /* the adapter in use is off, or gone */
    sd_event_source *post; /* delivers posted_written, posted_failure and posted_end */
    int posted_failure;
    bool posted_end;
    int posted_end_status;

    enum bluez_scan scan;
    bool scan_wanted;
    unsigned scan_retries;
    bool scan_renewed; /* at least once */
    sd_bus_slot *scan_call;
    sd_event_source *scan_timer;

    enum bluez_link link;
    bool link_ours; /* we called Connect: we call Disconnect */
    bool link_seen; /* Connected was true since */
    char device[PATH_SIZE];
    struct bluez_characteristic characteristics[UPDRAFT_CHARACTERISTIC_COUNT];
    uint16_t mtu;
    sd_bus_slot *link_call;
    sd_event_source *link_timer;

    enum updraft_characteristic operation; /* of operation_call */
    sd_bus_slot *operation_call;
    bool subscribed; /* by StartNotify */

    /* bluez_socket.c */
    bool command_busy; /* a write command is under way */
    enum updraft_characteristic command;
    uint8_t command_bytes[UPDRAFT_VALUE_MAX];
    size_t command_size;
    sd_bus_slot *command_call;
    bool write_asked; /* for the socket, on this connection */
    bool posted_written;
    struct bluez_socket write_end;
    struct bluez_socket notify_end;
};

/* bluez.c */
void bluez_emit(struct bluez *bluez, const struct updraft_transport_event *event);
/* Bluetooth itself is gone: forgets scan and link, reports FAILED from the event loop. */
void bluez_fail(struct bluez *bluez, int status);
/* Starts GetManagedObjects. Returns 0 or an error. */
int bluez_load(struct bluez *bluez);
/* Calls a method and hands its answer to `done`; *slot is the call, to be unreferenced.
 */
int bluez_call(struct bluez *bluez, sd_bus_slot **slot, sd_bus_message *message,
               sd_bus_message_handler_t done, uint64_t limit_us);
/* The same for a method without arguments. */
int bluez_call_plain(struct bluez *bluez, sd_bus_slot **slot, const char *path,
                     const char *interface, const char *member,
                     sd_bus_message_handler_t done, uint64_t limit_us);
/* Arms a timer, once; disarm with delay 0. */
int bluez_timer(struct bluez *bluez, sd_event_source **source, uint64_t delay_us,
                sd_event_time_handler_t fire);

/* bluez_error.c: an answer's error, or 0; remembers what the bus said. otherwise: what
 * org.bluez.Error.Failed and the like mean for this call. */
int bluez_answer(struct bluez *bluez, sd_bus_message *answer, int otherwise,
                 uint8_t *ret_att_error);
int bluez_errno(struct bluez *bluez, int error, int otherwise);

/* bluez_objects.c: the cache of adapters and devices. */
int objects_read_all(struct bluez *bluez, sd_bus_message *message);
int objects_added(struct bluez *bluez, sd_bus_message *message);
int objects_removed(struct bluez *bluez, sd_bus_message *message);
int objects_changed(struct bluez *bluez, sd_bus_message *message);
struct bluez_device *objects_device(struct bluez *bluez, const char *path);
void objects_clear(struct bluez *bluez);

/* bluez_scan.c */
int scan_set(void *context, bool on);
void scan_advance(struct bluez *bluez);
void scan_reset(struct bluez *bluez);
void scan_device_changed(struct bluez *bluez, struct bluez_device *device);
/* Sets bluez->adapter. Returns 0, NO_ADAPTER or ADAPTER_OFF. */
int scan_choose_adapter(struct bluez *bluez);
/* An adapter appeared, vanished, or was switched. */
void scan_adapters_changed(struct bluez *bluez);
void scan_daemon_left(struct bluez *bluez);

/* bluez_link.c */
int link_connect(void *context, const struct updraft_address *address);
int link_disconnect(void *context);
void link_advance(struct bluez *bluez);
void link_reset(struct bluez *bluez);
void link_device_changed(struct bluez *bluez, const struct bluez_device *device);
void link_device_removed(struct bluez *bluez, const char *path);
/* The daemon has left the bus: ends whatever there is of a connection. */
void link_daemon_left(struct bluez *bluez);

/* bluez_gatt.c */
int gatt_read(void *context, enum updraft_characteristic characteristic);
int gatt_write(void *context, enum updraft_characteristic characteristic,
               const uint8_t *bytes, size_t size, bool with_response);
int gatt_subscribe(void *context, enum updraft_characteristic characteristic);
void gatt_reset(struct bluez *bluez);
/* Leaves a shared connection as it was found. */
void gatt_unsubscribe(struct bluez *bluez);
/* PropertiesChanged of a characteristic, read up to its properties. */
int gatt_changed(struct bluez *bluez, const char *path, sd_bus_message *message);
/* Finds the device's characteristics in GetManagedObjects' answer. */
int gatt_find(struct bluez *bluez, sd_bus_message *message);

/* bluez_socket.c: starts a write command, which ends with WRITTEN. */
int socket_write(struct bluez *bluez, enum updraft_characteristic characteristic,
                 const uint8_t *bytes, size_t size);
/* Reports the command that the socket took at once. */
void socket_posted(struct bluez *bluez);
/* AcquireNotify's answer: 0, or why there is no socket, and whether StartNotify does. */
int socket_take_notify(struct bluez *bluez, sd_bus_message *answer,
                       bool *ret_bus_will_do);
/* Gives the sockets back and forgets the command under way. */
void socket_reset(struct bluez *bluez);

#endif
