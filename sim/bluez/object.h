/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Objects on a bus as BlueZ shows them: properties that may be absent, signals in the
 * order of the calls here. */
#ifndef SIM_BLUEZ_OBJECT_H
#define SIM_BLUEZ_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

/* sd-bus's own vtables cannot leave a property out of an object for a while, and BlueZ
 * does (RSSI, Name, ManufacturerData...): clients read meaning from that. */

struct bus_property {
    const char *name; /* NULL ends a list */
    const char *type;
    /* Appends one value of that type. */
    void (*get)(sd_bus_message *message, const void *context);
    /* NULL: always there. */
    bool (*exists)(const void *context);
    /* NULL: read-only. `message` stands before the value, inside the variant; the
     * function answers the call, now or later. */
    void (*set)(sd_bus_message *message, void *context);
};

struct bus_method {
    const char *name; /* NULL ends a list */
    const char *in;
    const char *out;
    /* Answers the call, now or later. */
    void (*call)(sd_bus_message *message, void *context);
};

struct bus_interface {
    const char *name;
    const struct bus_property *properties; /* NULL: none */
    const struct bus_method *methods;      /* NULL: none */
};

/* Caller-owned; must stay until it is hidden. */
struct bus_object {
    char path[128];
    const struct bus_interface *const *interfaces; /* NULL ends the list */
    void *context;
    /* private */
    struct bus_object *previous;
    struct bus_object *next;
    bool shown;
};

/* The next `count` calls of a method of this name get an error (refusal.c). */
#define BUS_REFUSALS_MAX 8u
struct bus_refusal {
    char method[32];
    char error[64];
    unsigned count;
};

struct bus_server {
    sd_bus *bus; /* NULL: nobody is told anything */
    struct bus_refusal refusals[BUS_REFUSALS_MAX];
    sd_bus_slot *slot;
    struct bus_object *first;
    struct bus_object *last;
};

/* Answers every method call on the bus from now on. 0 or a negative errno. */
int bus_server_open(struct bus_server *server, sd_bus *bus);
/* Takes all objects off without a word, as a process that ends. */
void bus_server_close(struct bus_server *server);

/* True: the call is refused by request, and answered or left without an answer. */
bool bus_refused(struct bus_server *server, sd_bus_message *call);

/* Sets an object's path, as printf. */
void bus_object_path(struct bus_object *object, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts an object on the bus: InterfacesAdded. */
void bus_object_show(struct bus_server *server, struct bus_object *object);
/* Takes it off: InterfacesRemoved, naming its interfaces. Nothing if it is not shown. */
void bus_object_hide(struct bus_server *server, struct bus_object *object);
/* PropertiesChanged of one property; of a property that is absent now: invalidated.
 * Nothing if the object is not shown. */
void bus_object_changed(struct bus_server *server, struct bus_object *object,
                        const struct bus_interface *interface, const char *property);

/* The world may close the connection at any moment; everything else that sd-bus refuses
 * is a defect here, and ends the process with `what`. */
void bus_must(int result, const char *what);

void bus_reply_empty(sd_bus_message *message);
void bus_reply_error(sd_bus_message *message, const char *name, const char *text);

#endif
