/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The errors of D-Bus and of BlueZ, in updraft's terms.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/src/bluez_private.h"
#include "updraft/error.h"

/* OTHERWISE: what the caller says that it means. */
#define OTHERWISE 1

struct meaning {
    const char *name; /* a trailing '*' stands for any end */
    int status;
    uint8_t att_error; /* where the name stands for one */
};

static const struct meaning meanings[] = {
    {"org.bluez.Error.NotReady", UPDRAFT_ERROR_ADAPTER_OFF, 0},
    {"org.bluez.Error.InProgress", UPDRAFT_ERROR_IN_PROGRESS, 0},
    {"org.bluez.Error.Busy", UPDRAFT_ERROR_IN_PROGRESS, 0},
    {"org.bluez.Error.NotConnected", UPDRAFT_ERROR_LINK_LOST, 0},
    {"org.bluez.Error.NotPermitted", UPDRAFT_ERROR_LINK_ATT, 0x03},
    {"org.bluez.Error.NotAuthorized", UPDRAFT_ERROR_LINK_ATT, 0x08},
    {"org.bluez.Error.InvalidOffset", UPDRAFT_ERROR_LINK_ATT, 0x07},
    {"org.bluez.Error.InvalidValueLength", UPDRAFT_ERROR_LINK_ATT, 0x0D},
    {"org.bluez.Error.NotSupported", UPDRAFT_ERROR_LINK_ATT, 0x06},
    {"org.freedesktop.DBus.Error.AccessDenied", UPDRAFT_ERROR_NO_PERMISSION, 0},
    {"org.freedesktop.DBus.Error.AuthFailed", UPDRAFT_ERROR_NO_PERMISSION, 0},
    {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
     UPDRAFT_ERROR_NO_PERMISSION, 0},
    {"org.freedesktop.DBus.Error.ServiceUnknown", UPDRAFT_ERROR_NO_BLUETOOTHD, 0},
    {"org.freedesktop.DBus.Error.NameHasNoOwner", UPDRAFT_ERROR_NO_BLUETOOTHD, 0},
    {"org.freedesktop.DBus.Error.FileNotFound", UPDRAFT_ERROR_NO_BLUETOOTHD, 0},
    {"org.freedesktop.DBus.Error.Disconnected", UPDRAFT_ERROR_NO_BLUETOOTHD, 0},
    {"org.freedesktop.DBus.Error.NoServer", UPDRAFT_ERROR_NO_BLUETOOTHD, 0},
    {"org.freedesktop.DBus.Error.Spawn.*", UPDRAFT_ERROR_NO_BLUETOOTHD, 0},
    {"org.freedesktop.systemd1.*", UPDRAFT_ERROR_NO_BLUETOOTHD, 0},
    {"org.freedesktop.DBus.Error.NoReply", UPDRAFT_ERROR_LINK_TIMEOUT, 0},
    {"org.freedesktop.DBus.Error.Timeout", UPDRAFT_ERROR_LINK_TIMEOUT, 0},
    {"org.freedesktop.DBus.Error.TimedOut", UPDRAFT_ERROR_LINK_TIMEOUT, 0},
    {"org.freedesktop.DBus.Error.NoMemory", UPDRAFT_ERROR_MEMORY, 0},
    {"*", OTHERWISE, 0},
};

static bool matches(const char *pattern, const char *name)
{
    size_t length = strlen(pattern);
    if (length > 0 && pattern[length - 1] == '*') {
        return strncmp(pattern, name, length - 1) == 0;
    }
    return strcmp(pattern, name) == 0;
}

/* BlueZ 5.66 tells an ATT error that has no name of its own in the text alone. */
static bool att_error_of(const char *text, uint8_t *ret_att_error)
{
    static const char key[] = "ATT error: 0x";
    const char *found = strstr(text, key);
    if (found == NULL) {
        return false;
    }
    unsigned long value = strtoul(found + sizeof(key) - 1, NULL, 16);
    *ret_att_error = value <= 0xFF ? (uint8_t)value : 0;
    return true;
}

static int judge(const char *name, const char *text, int otherwise,
                 uint8_t *ret_att_error)
{
    const struct meaning *meaning = meanings;
    while (!matches(meaning->name, name)) {
        meaning++;
    }
    if (att_error_of(text, ret_att_error)) {
        return UPDRAFT_ERROR_LINK_ATT;
    }
    /* "Notify acquired", "Write acquired": another program has taken the characteristic.
     */
    if (meaning->status == UPDRAFT_ERROR_LINK_ATT && strstr(text, "acquired") != NULL) {
        return UPDRAFT_ERROR_IN_PROGRESS;
    }
    if (strstr(name, "org.bluez.Error.") != NULL && strcmp(text, "Not connected") == 0) {
        return UPDRAFT_ERROR_LINK_LOST;
    }
    *ret_att_error = meaning->att_error;
    return meaning->status != OTHERWISE ? meaning->status : otherwise;
}

int bluez_answer(struct bluez *bluez, sd_bus_message *answer, int otherwise,
                 uint8_t *ret_att_error)
{
    uint8_t att_error = 0;
    const sd_bus_error *error = sd_bus_message_get_error(answer);
    if (error == NULL) {
        return UPDRAFT_OK;
    }
    const char *text = error->message != NULL ? error->message : "";
    snprintf(bluez->detail, sizeof(bluez->detail), "%s: %s", error->name, text);
    int status = judge(error->name, text, otherwise, &att_error);
    if (ret_att_error != NULL) {
        *ret_att_error = att_error;
    }
    return status;
}

int bluez_errno(struct bluez *bluez, int error, int otherwise)
{
    if (error >= 0) {
        return UPDRAFT_OK;
    }
    snprintf(bluez->detail, sizeof(bluez->detail), "message bus: %s", strerror(-error));
    switch (-error) {
    case ENOMEM:
        return UPDRAFT_ERROR_MEMORY;
    case EACCES:
    case EPERM:
        return UPDRAFT_ERROR_NO_PERMISSION;
    case ENOTCONN:
    case ECONNRESET:
    case EPIPE:
    case ESHUTDOWN:
    case ENOENT:
    case ECONNREFUSED:
        return UPDRAFT_ERROR_NO_BLUETOOTHD;
    }
    return otherwise;
}
