/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the files of the gateway share. */
#ifndef SIM_GATEWAY_INTERNAL_H
#define SIM_GATEWAY_INTERNAL_H

#include <systemd/sd-bus.h>

#include "sim/central/att.h"
#include "sim/central/central.h"
#include "sim/gateway/gateway.h"

#define UUID_TEXT_SIZE   37u
#define OBJECT_PATH_SIZE 80u
#define NAME_SIZE        32u
#define UUIDS_MAX        8u

#define PROPERTY_COMMAND  0x04u
#define PROPERTY_NOTIFY   0x10u
#define PROPERTY_INDICATE 0x20u

#define BLUEZ_NAME       "org.bluez"
#define BLUEZ_FAILED     "org.bluez.Error.Failed"
#define ADVERTISING_PATH "/updraft/advertisement"

/* What the board advertises. */
struct advertised {
    char name[NAME_SIZE];
    size_t uuid_count;
    char uuids[UUIDS_MAX][UUID_TEXT_SIZE];
};

enum attribute_kind {
    ATTRIBUTE_SERVICE,
    ATTRIBUTE_CHARACTERISTIC,
    ATTRIBUTE_DESCRIPTOR,
};

/* One object of the application. */
struct attribute {
    sim_gateway_t *gateway;
    enum attribute_kind kind;
    size_t parent; /* index: the service, or the characteristic */
    uint16_t handle;
    uint16_t cccd_handle;
    uint8_t properties;
    char uuid[UUID_TEXT_SIZE];
    char path[OBJECT_PATH_SIZE];
    sd_bus_slot *slot;
    int notify_socket; /* -1: bluetoothd has not acquired it */
    sd_event_source *notify_source;
    int write_socket; /* as well */
    sd_event_source *write_source;
};

/* The board's services as bluetoothd is to have them; made anew when they change. */
struct application {
    char path[OBJECT_PATH_SIZE];
    sd_bus_slot *manager_slot;
    size_t count;
    struct attribute attributes[];
};

/* Something that the central wants of the board; in the order in which it came. */
struct operation {
    struct operation *next;
    sd_bus_message *call; /* to be answered; NULL: nobody waits */
    uint16_t handle;
    uint16_t offset;
    bool write;
    bool command;
    bool sent;
    uint16_t size;
    uint8_t bytes[ATT_VALUE_MAX];
};

struct sim_gateway {
    struct sim_gateway_config config;
    struct sim_air_profile profile; /* with the central's MTU */
    sd_bus *bus;
    sim_central_t *radio;
    sim_peer_t *board;
    sim_event_t tick;

    /* gateway.c */
    bool present; /* heard a moment ago, or linked */
    bool linked;  /* and its services are known */
    bool hanging_up;
    uint64_t heard_us;
    struct advertised advertised[2];    /* advertising data, scan response */
    char central[OBJECT_PATH_SIZE * 2]; /* whom the link serves; "": nobody */

    /* operations.c */
    struct operation *first, **end;
    size_t operation_count;
    size_t commands_out; /* not yet with the controller */
    bool request_out;

    /* application.c */
    struct application *application; /* NULL: the board's services are not known yet */
    unsigned generation;

    /* registration.c */
    char adapter_path[OBJECT_PATH_SIZE];
    char *alias; /* the adapter's own */
    sd_bus_slot *advertisement_slot;
    sd_bus_slot *call; /* of bluetoothd, under way */
    bool daemon_here;
    bool application_registered;
    bool advertising_registered;
    bool advertising_again; /* its content is another now */
    struct advertised offered;
    char registered_path[OBJECT_PATH_SIZE]; /* of the application */
    char complaint[128];                    /* the last one, to be said once */
};

void gateway_complain(sim_gateway_t *gateway, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* gateway.c: the link. False: another central has it. */
bool gateway_claim(sim_gateway_t *gateway, const char *central, uint16_t mtu);
/* The central is gone. */
void gateway_release(sim_gateway_t *gateway);

/* operations.c */
/* Takes over the reference to call. */
void gateway_operation_queue(sim_gateway_t *gateway, struct operation *operation);
/* An operation of size bytes; the only allocation, which ends the process if it fails. */
struct operation *gateway_operation_new(uint16_t handle);
void gateway_operations_pump(sim_gateway_t *gateway);
void gateway_operations_fail(sim_gateway_t *gateway);
void gateway_operation_read_done(void *context, sim_peer_t *peer, uint64_t token,
                                 uint8_t att_error, const uint8_t *bytes, size_t size);
void gateway_operation_write_done(void *context, sim_peer_t *peer, uint64_t token,
                                  uint8_t att_error);

/* application.c */
/* Takes the board's services as they are now; true: they are others than before. */
bool application_update(sim_gateway_t *gateway);
void application_free(sim_gateway_t *gateway);

/* values.c */
int gateway_value_read(sd_bus_message *call, void *context, sd_bus_error *error);
int gateway_value_write(sd_bus_message *call, void *context, sd_bus_error *error);
int gateway_value_acquire_write(sd_bus_message *call, void *context, sd_bus_error *error);
int gateway_value_acquire_notify(sd_bus_message *call, void *context,
                                 sd_bus_error *error);
int gateway_value_confirm(sd_bus_message *call, void *context, sd_bus_error *error);
void values_notify(sim_gateway_t *gateway, uint16_t handle, const uint8_t *bytes,
                   size_t size);
/* The central is gone, and with it its subscriptions and what it wrote last. */
void values_close(sim_gateway_t *gateway);

/* registration.c */
int registration_start(sim_gateway_t *gateway);
void registration_stop(sim_gateway_t *gateway);
/* Brings bluetoothd a step closer to what shall be there; called whenever that changed.
 */
void registration_settle(sim_gateway_t *gateway);
/* Ends the central's connection. */
void registration_disconnect(sim_gateway_t *gateway, const char *central);

/* advertising_data.c */
void uuid_text(const uint8_t uuid[16], char text[UUID_TEXT_SIZE]);
void advertised_parse(const uint8_t *data, size_t size, struct advertised *ret_data);
/* Both reports together. */
void advertised_join(const struct advertised reports[2], struct advertised *ret_data);
bool advertised_same(const struct advertised *a, const struct advertised *b);

#endif
