/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The standard D-Bus interfaces (properties, object manager, introspection) over tables.
 */
#define _GNU_SOURCE
#include "sim/bluez/object.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DBUS_INTROSPECTABLE "org.freedesktop.DBus.Introspectable"
#define DBUS_PROPERTIES     "org.freedesktop.DBus.Properties"
#define DBUS_OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define DBUS_UNKNOWN_OBJECT "org.freedesktop.DBus.Error.UnknownObject"
#define DBUS_UNKNOWN_METHOD "org.freedesktop.DBus.Error.UnknownMethod"
#define DBUS_UNKNOWN_MEMBER "org.freedesktop.DBus.Error.UnknownProperty"
#define DBUS_INVALID_ARGS   "org.freedesktop.DBus.Error.InvalidArgs"
#define DBUS_READ_ONLY      "org.freedesktop.DBus.Error.PropertyReadOnly"

void bus_must(int result, const char *what)
{
    if (result >= 0 || result == -ENOTCONN || result == -ECONNRESET || result == -EPIPE ||
        result == -ESTALE) {
        return;
    }
    fprintf(stderr, "emulated BlueZ: %s: %s\n", what, strerror(-result));
    abort();
}

void bus_reply_empty(sd_bus_message *message)
{
    bus_must(sd_bus_reply_method_return(message, NULL), "reply");
}

void bus_reply_error(sd_bus_message *message, const char *name, const char *text)
{
    bus_must(sd_bus_reply_method_errorf(message, name, "%s", text), "reply an error");
}

static void send_and_drop(struct bus_server *server, sd_bus_message *message)
{
    bus_must(sd_bus_send(server->bus, message, NULL), "send");
    sd_bus_message_unref(message);
}

/* ---- lists ---- */

static struct bus_object *find_object(const struct bus_server *server, const char *path)
{
    for (struct bus_object *object = server->first; object != NULL;
         object = object->next) {
        if (strcmp(object->path, path) == 0) {
            return object;
        }
    }
    return NULL;
}

static const struct bus_interface *find_interface(const struct bus_object *object,
                                                  const char *name)
{
    for (size_t i = 0; object->interfaces[i] != NULL; i++) {
        if (strcmp(object->interfaces[i]->name, name) == 0) {
            return object->interfaces[i];
        }
    }
    return NULL;
}

static const struct bus_property *find_property(const struct bus_interface *interface,
                                                const char *name)
{
    for (const struct bus_property *property = interface->properties;
         property != NULL && property->name != NULL; property++) {
        if (strcmp(property->name, name) == 0) {
            return property;
        }
    }
    return NULL;
}

static bool exists(const struct bus_object *object, const struct bus_property *property)
{
    return property->exists == NULL || property->exists(object->context);
}

/* ---- values ---- */

static void append_variant(sd_bus_message *message, const struct bus_object *object,
                           const struct bus_property *property)
{
    bus_must(sd_bus_message_open_container(message, 'v', property->type), "open variant");
    property->get(message, object->context);
    bus_must(sd_bus_message_close_container(message), property->name);
}

static void append_entry(sd_bus_message *message, const struct bus_object *object,
                         const struct bus_property *property)
{
    bus_must(sd_bus_message_open_container(message, 'e', "sv"), "open entry");
    bus_must(sd_bus_message_append(message, "s", property->name), "append name");
    append_variant(message, object, property);
    bus_must(sd_bus_message_close_container(message), "close entry");
}

static void append_properties(sd_bus_message *message, const struct bus_object *object,
                              const struct bus_interface *interface)
{
    bus_must(sd_bus_message_open_container(message, 'a', "{sv}"), "open properties");
    for (const struct bus_property *property = interface->properties;
         property != NULL && property->name != NULL; property++) {
        if (exists(object, property)) {
            append_entry(message, object, property);
        }
    }
    bus_must(sd_bus_message_close_container(message), "close properties");
}

static void append_interfaces(sd_bus_message *message, const struct bus_object *object)
{
    static const char *const standard[] = {DBUS_INTROSPECTABLE, DBUS_PROPERTIES};
    bus_must(sd_bus_message_open_container(message, 'a', "{sa{sv}}"), "open interfaces");
    for (size_t i = 0; object->interfaces[i] != NULL; i++) {
        bus_must(sd_bus_message_open_container(message, 'e', "sa{sv}"), "open interface");
        bus_must(sd_bus_message_append(message, "s", object->interfaces[i]->name),
                 "append interface");
        append_properties(message, object, object->interfaces[i]);
        bus_must(sd_bus_message_close_container(message), "close interface");
    }
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
        bus_must(sd_bus_message_append(message, "{sa{sv}}", standard[i], 0),
                 "append standard interface");
    }
    bus_must(sd_bus_message_close_container(message), "close interfaces");
}

/* ---- signals ---- */

void bus_object_path(struct bus_object *object, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(object->path, sizeof(object->path), format, arguments);
    va_end(arguments);
    bus_must(size >= 0 && (size_t)size < sizeof(object->path) ? 0 : -ENAMETOOLONG,
             "object path");
}

void bus_object_show(struct bus_server *server, struct bus_object *object)
{
    if (object->shown) {
        return;
    }
    object->shown = true;
    object->next = NULL;
    object->previous = server->last;
    if (server->last != NULL) {
        server->last->next = object;
    } else {
        server->first = object;
    }
    server->last = object;
    if (server->bus == NULL) {
        return;
    }
    sd_bus_message *message = NULL;
    bus_must(sd_bus_message_new_signal(server->bus, &message, "/", DBUS_OBJECT_MANAGER,
                                       "InterfacesAdded"),
             "new InterfacesAdded");
    bus_must(sd_bus_message_append(message, "o", object->path), "append path");
    append_interfaces(message, object);
    send_and_drop(server, message);
}

void bus_object_hide(struct bus_server *server, struct bus_object *object)
{
    if (!object->shown) {
        return;
    }
    object->shown = false;
    *(object->previous != NULL ? &object->previous->next : &server->first) = object->next;
    *(object->next != NULL ? &object->next->previous : &server->last) = object->previous;
    if (server->bus == NULL) {
        return;
    }
    sd_bus_message *message = NULL;
    bus_must(sd_bus_message_new_signal(server->bus, &message, "/", DBUS_OBJECT_MANAGER,
                                       "InterfacesRemoved"),
             "new InterfacesRemoved");
    bus_must(sd_bus_message_append(message, "o", object->path), "append path");
    bus_must(sd_bus_message_open_container(message, 'a', "s"), "open names");
    for (size_t i = 0; object->interfaces[i] != NULL; i++) {
        bus_must(sd_bus_message_append(message, "s", object->interfaces[i]->name),
                 "append interface");
    }
    bus_must(sd_bus_message_append(message, "s", DBUS_PROPERTIES), "append standard");
    bus_must(sd_bus_message_append(message, "s", DBUS_INTROSPECTABLE), "append standard");
    bus_must(sd_bus_message_close_container(message), "close names");
    send_and_drop(server, message);
}

void bus_object_changed(struct bus_server *server, struct bus_object *object,
                        const struct bus_interface *interface, const char *name)
{
    if (!object->shown || server->bus == NULL) {
        return;
    }
    const struct bus_property *property = find_property(interface, name);
    bus_must(property != NULL ? 0 : -EINVAL, name);
    sd_bus_message *message = NULL;
    bus_must(sd_bus_message_new_signal(server->bus, &message, object->path,
                                       DBUS_PROPERTIES, "PropertiesChanged"),
             "new PropertiesChanged");
    bus_must(sd_bus_message_append(message, "s", interface->name), "append interface");
    bool there = exists(object, property);
    bus_must(sd_bus_message_open_container(message, 'a', "{sv}"), "open changed");
    if (there) {
        append_entry(message, object, property);
    }
    bus_must(sd_bus_message_close_container(message), "close changed");
    bus_must(there ? sd_bus_message_append(message, "as", 0)
                   : sd_bus_message_append(message, "as", 1, name),
             "append invalidated");
    send_and_drop(server, message);
}

/* ---- calls ---- */

static sd_bus_message *new_reply(sd_bus_message *call)
{
    sd_bus_message *reply = NULL;
    bus_must(sd_bus_message_new_method_return(call, &reply), "new reply");
    return reply;
}

static void answer_managed_objects(struct bus_server *server, sd_bus_message *call)
{
    sd_bus_message *reply = new_reply(call);
    bus_must(sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}"), "open objects");
    for (struct bus_object *object = server->first; object != NULL;
         object = object->next) {
        bus_must(sd_bus_message_open_container(reply, 'e', "oa{sa{sv}}"), "open object");
        bus_must(sd_bus_message_append(reply, "o", object->path), "append path");
        append_interfaces(reply, object);
        bus_must(sd_bus_message_close_container(reply), "close object");
    }
    bus_must(sd_bus_message_close_container(reply), "close objects");
    send_and_drop(server, reply);
}

static void answer_get(struct bus_server *server, struct bus_object *object,
                       sd_bus_message *call)
{
    const char *interface_name = NULL, *name = NULL;
    if (sd_bus_message_read(call, "ss", &interface_name, &name) < 0) {
        bus_reply_error(call, DBUS_INVALID_ARGS, "Invalid argument type");
        return;
    }
    const struct bus_interface *interface = find_interface(object, interface_name);
    const struct bus_property *property =
        interface != NULL ? find_property(interface, name) : NULL;
    if (property == NULL || !exists(object, property)) {
        bus_reply_error(call, DBUS_INVALID_ARGS, "No such property");
        return;
    }
    sd_bus_message *reply = new_reply(call);
    append_variant(reply, object, property);
    send_and_drop(server, reply);
}

static void answer_get_all(struct bus_server *server, struct bus_object *object,
                           sd_bus_message *call)
{
    const char *interface_name = NULL;
    if (sd_bus_message_read(call, "s", &interface_name) < 0) {
        bus_reply_error(call, DBUS_INVALID_ARGS, "Invalid argument type");
        return;
    }
    const struct bus_interface *interface = find_interface(object, interface_name);
    if (interface == NULL) {
        bus_reply_error(call, DBUS_INVALID_ARGS, "No such interface");
        return;
    }
    sd_bus_message *reply = new_reply(call);
    append_properties(reply, object, interface);
    send_and_drop(server, reply);
}

static void answer_set(struct bus_object *object, sd_bus_message *call)
{
    const char *interface_name = NULL, *name = NULL;
    if (sd_bus_message_read(call, "ss", &interface_name, &name) < 0) {
        bus_reply_error(call, DBUS_INVALID_ARGS, "Invalid argument type");
        return;
    }
    const struct bus_interface *interface = find_interface(object, interface_name);
    const struct bus_property *property =
        interface != NULL ? find_property(interface, name) : NULL;
    if (property == NULL || !exists(object, property)) {
        bus_reply_error(call, DBUS_UNKNOWN_MEMBER, "No such property");
    } else if (property->set == NULL) {
        bus_reply_error(call, DBUS_READ_ONLY, "Property is not writable");
    } else if (sd_bus_message_enter_container(call, 'v', property->type) < 0) {
        bus_reply_error(call, DBUS_INVALID_ARGS, "Invalid argument type");
    } else {
        property->set(call, object->context);
    }
}

static const char introspect_head[] =
    "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\" "
    "\"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\"><node>"
    "<interface name=\"" DBUS_INTROSPECTABLE "\"><method name=\"Introspect\">"
    "<arg type=\"s\" direction=\"out\"/></method></interface>";

static const char introspect_object_manager[] =
    "<interface name=\"" DBUS_OBJECT_MANAGER "\"><method name=\"GetManagedObjects\">"
    "<arg type=\"a{oa{sa{sv}}}\" direction=\"out\"/></method>"
    "<signal name=\"InterfacesAdded\"><arg type=\"o\"/><arg type=\"a{sa{sv}}\"/>"
    "</signal><signal name=\"InterfacesRemoved\"><arg type=\"o\"/>"
    "<arg type=\"as\"/></signal></interface>";

static const char introspect_properties[] =
    "<interface name=\"" DBUS_PROPERTIES "\"><method name=\"Get\">"
    "<arg type=\"s\" direction=\"in\"/><arg type=\"s\" direction=\"in\"/>"
    "<arg type=\"v\" direction=\"out\"/></method><method name=\"Set\">"
    "<arg type=\"s\" direction=\"in\"/><arg type=\"s\" direction=\"in\"/>"
    "<arg type=\"v\" direction=\"in\"/></method><method name=\"GetAll\">"
    "<arg type=\"s\" direction=\"in\"/><arg type=\"a{sv}\" direction=\"out\"/>"
    "</method><signal name=\"PropertiesChanged\"><arg type=\"s\"/>"
    "<arg type=\"a{sv}\"/><arg type=\"as\"/></signal></interface>";

static void introspect_interface(FILE *xml, const struct bus_interface *interface)
{
    fprintf(xml, "<interface name=\"%s\">", interface->name);
    for (const struct bus_method *method = interface->methods;
         method != NULL && method->name != NULL; method++) {
        fprintf(xml, "<method name=\"%s\">", method->name);
        const char *direction[] = {"in", "out"};
        const char *types[] = {method->in, method->out};
        for (int i = 0; i < 2; i++) {
            const char *rest = types[i];
            while (*rest != '\0') {
                /* One complete type: brackets nest, 'a' belongs to what follows. */
                size_t size = strspn(rest, "a");
                int depth = 0;
                do {
                    char c = rest[size++];
                    depth += (c == '(' || c == '{') - (c == ')' || c == '}');
                } while (depth > 0 && rest[size] != '\0');
                fprintf(xml, "<arg type=\"%.*s\" direction=\"%s\"/>", (int)size, rest,
                        direction[i]);
                rest += size;
            }
        }
        fputs("</method>", xml);
    }
    for (const struct bus_property *property = interface->properties;
         property != NULL && property->name != NULL; property++) {
        fprintf(xml, "<property name=\"%s\" type=\"%s\" access=\"%s\"/>", property->name,
                property->type, property->set != NULL ? "readwrite" : "read");
    }
    fputs("</interface>", xml);
}

/* Names of the nodes below a path, each once. False: there is nothing below it. */
static bool introspect_children(const struct bus_server *server, const char *path,
                                FILE *xml)
{
    size_t size = strcmp(path, "/") == 0 ? 0 : strlen(path);
    bool any = false;
    for (const struct bus_object *object = server->first; object != NULL;
         object = object->next) {
        if (strncmp(object->path, path, size) != 0 || object->path[size] != '/' ||
            object->path[size + 1] == '\0') {
            continue;
        }
        const char *name = object->path + size + 1;
        size_t whole = size + 1 + strcspn(name, "/");
        any = true;
        bool first = true;
        for (const struct bus_object *before = server->first; before != object;
             before = before->next) {
            first =
                first && !(strncmp(before->path, object->path, whole) == 0 &&
                           (before->path[whole] == '/' || before->path[whole] == '\0'));
        }
        if (first) {
            fprintf(xml, "<node name=\"%.*s\"/>", (int)(whole - size - 1), name);
        }
    }
    return any;
}

static void answer_introspect(struct bus_server *server, const char *path,
                              struct bus_object *object, sd_bus_message *call)
{
    char *text = NULL;
    size_t size = 0;
    FILE *xml = open_memstream(&text, &size);
    bus_must(xml != NULL ? 0 : -ENOMEM, "introspection");
    fputs(introspect_head, xml);
    if (strcmp(path, "/") == 0) {
        fputs(introspect_object_manager, xml);
    }
    if (object != NULL) {
        fputs(introspect_properties, xml);
        for (size_t i = 0; object->interfaces[i] != NULL; i++) {
            introspect_interface(xml, object->interfaces[i]);
        }
    }
    bool any = introspect_children(server, path, xml);
    fputs("</node>", xml);
    fclose(xml);
    if (object == NULL && !any && strcmp(path, "/") != 0) {
        bus_reply_error(call, DBUS_UNKNOWN_OBJECT, "No such object");
    } else {
        bus_must(sd_bus_reply_method_return(call, "s", text), "reply introspection");
    }
    free(text);
}

static const struct bus_method *find_method(const struct bus_object *object,
                                            const char *interface, const char *member)
{
    for (size_t i = 0; object->interfaces[i] != NULL; i++) {
        const struct bus_interface *candidate = object->interfaces[i];
        if (interface != NULL && strcmp(interface, candidate->name) != 0) {
            continue;
        }
        for (const struct bus_method *method = candidate->methods;
             method != NULL && method->name != NULL; method++) {
            if (strcmp(method->name, member) == 0) {
                return method;
            }
        }
    }
    return NULL;
}

static int answer(sd_bus_message *call, void *context, sd_bus_error *error)
{
    struct bus_server *server = context;
    (void)error;
    if (bus_refused(server, call)) {
        return 1;
    }
    const char *path = sd_bus_message_get_path(call);
    const char *interface = sd_bus_message_get_interface(call);
    const char *member = sd_bus_message_get_member(call);
    struct bus_object *object = find_object(server, path);
    if (sd_bus_message_is_method_call(call, DBUS_INTROSPECTABLE, "Introspect")) {
        answer_introspect(server, path, object, call);
        return 1;
    }
    if (strcmp(path, "/") == 0 &&
        sd_bus_message_is_method_call(call, DBUS_OBJECT_MANAGER, "GetManagedObjects")) {
        answer_managed_objects(server, call);
        return 1;
    }
    if (object == NULL) {
        bus_reply_error(call, DBUS_UNKNOWN_OBJECT, "No such object");
        return 1;
    }
    if (sd_bus_message_is_method_call(call, DBUS_PROPERTIES, "Get")) {
        answer_get(server, object, call);
    } else if (sd_bus_message_is_method_call(call, DBUS_PROPERTIES, "GetAll")) {
        answer_get_all(server, object, call);
    } else if (sd_bus_message_is_method_call(call, DBUS_PROPERTIES, "Set")) {
        answer_set(object, call);
    } else {
        const struct bus_method *method = find_method(object, interface, member);
        if (method == NULL) {
            bus_reply_error(call, DBUS_UNKNOWN_METHOD, "No such method");
        } else if (!sd_bus_message_has_signature(call, method->in)) {
            bus_reply_error(call, DBUS_INVALID_ARGS, "Invalid argument type");
        } else {
            method->call(call, object->context);
        }
    }
    return 1;
}

int bus_server_open(struct bus_server *server, sd_bus *bus)
{
    *server = (struct bus_server){.bus = bus};
    return sd_bus_add_fallback(bus, &server->slot, "/", answer, server);
}

void bus_server_close(struct bus_server *server)
{
    server->slot = sd_bus_slot_unref(server->slot);
    server->bus = NULL;
    while (server->first != NULL) {
        bus_object_hide(server, server->first);
    }
}
