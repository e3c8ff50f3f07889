/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the files of the emulated BlueZ share. */
#ifndef SIM_BLUEZ_INTERNAL_H
#define SIM_BLUEZ_INTERNAL_H

#include <systemd/sd-bus.h>

#include "sim/bluez/bluez.h"
#include "sim/bluez/object.h"
#include "sim/central/central.h"

#define UUIDS_MAX            32u
#define DATA_MAX             4u   /* manufacturer data or service data of one device */
#define DISCONNECTS_MAX      8u   /* callers that wait for one disconnect */
#define DEVICES_MAX          256u /* per adapter */
#define FILTER_UUIDS_MAX     16u
#define AGENTS_MAX           16u
#define VALUE_MAX            512u
#define CONNECT_TIMEOUT_MS   40000u
#define TEMPORARY_DEFAULT_MS 30000u

#define BLUEZ_FAILED            "org.bluez.Error.Failed"
#define BLUEZ_IN_PROGRESS       "org.bluez.Error.InProgress"
#define BLUEZ_NOT_READY         "org.bluez.Error.NotReady"
#define BLUEZ_NOT_CONNECTED     "org.bluez.Error.NotConnected"
#define BLUEZ_NOT_SUPPORTED     "org.bluez.Error.NotSupported"
#define BLUEZ_NOT_PERMITTED     "org.bluez.Error.NotPermitted"
#define BLUEZ_NOT_AUTHORIZED    "org.bluez.Error.NotAuthorized"
#define BLUEZ_INVALID_ARGUMENTS "org.bluez.Error.InvalidArguments"
#define BLUEZ_DOES_NOT_EXIST    "org.bluez.Error.DoesNotExist"
#define BLUEZ_ALREADY_EXISTS    "org.bluez.Error.AlreadyExists"

struct adapter;
struct device;
struct service;
struct characteristic;

struct uuid_list {
    size_t count;
    uint8_t uuids[UUIDS_MAX][16]; /* little-endian, as on air */
};

/* ---- one client's discovery ---- */

struct discovery {
    struct discovery *next;
    char *sender;
    bool active;
    struct uuid_list uuids; /* empty: any */
    bool has_rssi;
    int16_t rssi_dbm;
    bool low_energy; /* false: asked for BR/EDR only */
    bool filtered;   /* SetDiscoveryFilter with anything in it */
    bool duplicates;
    char pattern[32];
};

struct adapter {
    struct sim_bluez *bluez;
    sim_central_t *central;
    size_t index;
    uint8_t address[6];
    char alias[64];
    bool powered; /* as the bus knows it */
    bool discovering;
    bool discoverable, pairable;
    uint32_t discoverable_timeout_s, pairable_timeout_s;
    sd_bus_message *power_call; /* Set(Powered) that waits for its end */
    bool power_wanted;
    struct discovery *discoveries;
    bool deaf, deaf_next; /* this discovery, and the next one, hears nothing */
    bool hush_next;       /* the next connection is told by Connect's answer alone */
    struct device *devices;
    size_t device_count;
    struct bus_object object;
};

struct advertised_data {
    uint8_t uuid[16]; /* of service data */
    uint16_t company; /* of manufacturer data */
    uint8_t size;
    uint8_t bytes[31];
};

/* What one report (and its scan response) says. */
struct advertisement {
    bool has_name;
    char name[32];
    bool has_flags;
    uint8_t flags;
    bool has_tx_power;
    int8_t tx_power_dbm;
    struct uuid_list uuids;
    size_t manufacturer_count;
    struct advertised_data manufacturer[DATA_MAX];
    size_t service_data_count;
    struct advertised_data service_data[DATA_MAX];
};

/* A write command that the link has no room for yet. */
struct outgoing {
    struct outgoing *next;
    uint16_t handle;
    uint16_t size;
    uint8_t bytes[];
};

struct device {
    struct device *next;
    struct adapter *adapter;
    sim_peer_t *peer;
    struct bus_object object;

    struct advertisement seen; /* merged from everything heard */
    bool has_rssi;
    int16_t rssi_dbm;
    uint8_t report[62]; /* an advertisement whose scan response may follow */
    uint8_t report_size;
    bool report_open;
    int8_t report_rssi_dbm;

    char alias[64]; /* "": the name */
    bool trusted, blocked;
    bool connected, resolved;
    bool removed; /* RemoveDevice waits for the link to end */
    sd_bus_message *connect_call;
    sd_bus_message *disconnect_calls[DISCONNECTS_MAX];
    size_t disconnect_count;
    sd_bus_message *remove_call;
    sim_event_t forget; /* temporary devices go */

    struct service *services;
    struct outgoing *outgoing_first, *outgoing_last;
};

/* ---- GATT ---- */

enum operation_kind {
    OPERATION_READ,
    OPERATION_WRITE,
    OPERATION_SUBSCRIBE,
};

/* Under way at the central; outlives the attribute if that goes first. */
struct operation {
    enum operation_kind kind;
    struct attribute *attribute; /* NULL: gone */
    sd_bus_message *call;        /* NULL: nobody waits */
};

/* What characteristics and descriptors have in common. Embedded first in both. */
struct attribute {
    struct bus_object object;
    const struct bus_interface *interface;
    struct device *device;
    uint16_t handle; /* of the value */
    uint8_t uuid[16];
    uint8_t properties; /* of a descriptor: 0 */
    bool is_characteristic;
    uint8_t value[VALUE_MAX];
    size_t value_size;
    struct operation *read;
    struct operation *write;
};

struct notify_client {
    struct notify_client *next;
    char *sender;
    sd_bus_message *call; /* StartNotify that waits for the CCCD */
    bool registered;      /* false: there was no link, the next one subscribes */
};

/* One end of what AcquireWrite or AcquireNotify gave out. */
struct acquired {
    int socket; /* -1: not acquired */
    char *sender;
    sd_event_source *source;
};

struct characteristic {
    struct attribute base;
    struct characteristic *next;
    struct service *service;
    uint16_t declaration_handle;
    uint16_t cccd_handle;
    struct notify_client *notify_clients;
    bool notifying; /* as the property has it */
    struct operation *subscribe;
    sd_bus_message *acquire_call; /* AcquireNotify that waits for the CCCD */
    struct acquired write_socket;
    struct acquired notify_socket;
};

struct descriptor {
    struct attribute base;
    struct descriptor *next;
    struct characteristic *characteristic;
};

struct service {
    struct service *next;
    struct device *device;
    struct bus_object object;
    uint16_t start_handle, end_handle;
    uint8_t uuid[16];
    bool hidden; /* bluetoothd keeps it for itself */
    bool kept;   /* while services are compared */
    struct characteristic *characteristics;
    struct descriptor *descriptors;
};

struct agent {
    char *sender;
    char path[128];
};

struct sim_bluez {
    struct sim_bluez_config config;
    sd_bus *bus; /* NULL: the daemon is not running */
    sd_bus_slot *owner_slot;
    struct bus_server server;
    struct bus_object root_object; /* /org/bluez */
    struct agent agents[AGENTS_MAX];
    size_t agent_count;
    struct adapter adapters[SIM_BLUEZ_ADAPTERS_MAX];
};

/* Memory or the end of the process. */
void *bluez_alloc(size_t size);
char *bluez_copy(const char *text);
#define UUID_TEXT_SIZE 37
void uuid_print(const uint8_t uuid[16], char text[UUID_TEXT_SIZE]);
bool uuid_parse(const char *text, uint8_t ret_uuid[16]);
void uuid_from_16(uint16_t short_uuid, uint8_t ret_uuid[16]);
bool uuid_list_has(const struct uuid_list *list, const uint8_t uuid[16]);
/* True if it was new. */
bool uuid_list_add(struct uuid_list *list, const uint8_t uuid[16]);
void uuid_list_append(sd_bus_message *message, const struct uuid_list *list);

/* manager.c: agents and profiles. */
extern const struct bus_interface *const manager_interfaces[];
void manager_client_left(struct sim_bluez *bluez, const char *sender);

/* adapter.c */
void adapter_start(struct adapter *adapter);
void adapter_stop(struct adapter *adapter);
void adapter_powered(struct adapter *adapter, bool on);
void adapter_client_left(struct adapter *adapter, const char *sender);
/* Does any client's discovery want to know of this? */
bool adapter_wants(const struct adapter *adapter, const struct device *device,
                   const struct advertisement *seen, int16_t rssi_dbm);
bool adapter_filtered(const struct adapter *adapter);
bool adapter_wants_duplicates(const struct adapter *adapter);

/* advertisement.c: data as on air. */
void advertisement_parse(const uint8_t *data, size_t size,
                         struct advertisement *ret_advertisement);

/* device.c, device_properties.c */
extern const struct bus_property device_properties[];
struct device *device_of(struct adapter *adapter, sim_peer_t *peer);
/* Ends every link of the adapter and says so at once. */
void device_end_links(struct adapter *adapter);
void device_heard(struct adapter *adapter, sim_peer_t *peer, bool scan_response,
                  const uint8_t *data, uint8_t size, int8_t rssi_dbm);
void device_not_in_range(struct device *device); /* discovery ended: RSSI unknown */
void device_connected(struct device *device, uint8_t status);
void device_resolved(struct device *device);
void device_disconnected(struct device *device, uint8_t reason);
void device_changed(struct device *device, const char *property);
/* RemoveDevice, answered when it is gone. */
void device_remove(struct device *device, sd_bus_message *call);
/* Takes it off the bus and frees it. */
void device_free(struct device *device);

/* gatt.c: objects */
void gatt_update(struct device *device);
void gatt_remove(struct device *device);
struct characteristic *gatt_characteristic(struct device *device, uint16_t value_handle);
void gatt_client_left(struct device *device, const char *sender);

/* value.c: reading and writing */
void value_read(sd_bus_message *call, void *context);
void value_write(sd_bus_message *call, void *context);
void value_done(struct adapter *adapter, uint64_t token, uint8_t att_error,
                const uint8_t *bytes, size_t size);
void value_attribute_gone(struct attribute *attribute);
/* Queues a write command, without limit as bluetoothd does: nothing here paces a client.
 */
void outgoing_write(struct device *device, uint16_t handle, const uint8_t *bytes,
                    size_t size);
void outgoing_pump(struct device *device);
void outgoing_drop(struct device *device);
void value_reply_att_error(sd_bus_message *call, uint8_t att_error);
/* Sends what an operation needs; false if the central's queue is full. */
struct operation *operation_new(enum operation_kind kind, struct attribute *attribute,
                                sd_bus_message *call);

/* notify.c: subscriptions and sockets */
void notify_start(sd_bus_message *call, void *context);
void notify_stop(sd_bus_message *call, void *context);
void notify_acquire(sd_bus_message *call, void *context);
void notify_acquire_write(sd_bus_message *call, void *context);
void notify_value(struct characteristic *characteristic, const uint8_t *bytes,
                  size_t size);
void notify_subscribed(struct characteristic *characteristic, uint8_t att_error);
/* The link came back with the same objects: subscribe again. */
void notify_resume(struct characteristic *characteristic);
/* The link went: sockets close, subscriptions stay. */
void notify_link_lost(struct characteristic *characteristic);
void notify_client_left(struct characteristic *characteristic, const char *sender);
void notify_gone(struct characteristic *characteristic);

#endif
