/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What a central reads and writes, passed on to the board in the order in which it came.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/gateway/internal.h"

/* More than any image has. */
#define OPERATIONS_MAX 16384u

/* The host below sends commands before requests; so that nothing overtakes, a request
 * goes out alone, and commands only among themselves. */

struct operation *gateway_operation_new(uint16_t handle)
{
    struct operation *operation = calloc(1, sizeof(*operation));
    if (operation == NULL) {
        fputs("updraft-sim: out of memory\n", stderr);
        abort();
    }
    operation->handle = handle;
    return operation;
}

/* ---- answers ---- */

/* bluetoothd makes an ATT error of an error's name, or of a number from 0x80 to 0x9F. */
static int answer_error(sd_bus_message *call, uint8_t att_error)
{
    switch (att_error) {
    case 0x02: /* read, or write not permitted */
    case 0x03:
        return sd_bus_reply_method_errorf(call, "org.bluez.Error.NotPermitted", " ");
    case ATT_ERROR_REQUEST_NOT_SUPPORTED:
        return sd_bus_reply_method_errorf(call, "org.bluez.Error.NotSupported", " ");
    case ATT_ERROR_INVALID_OFFSET:
        return sd_bus_reply_method_errorf(call, "org.bluez.Error.InvalidOffset", " ");
    case 0x08: /* insufficient authorization */
        return sd_bus_reply_method_errorf(call, "org.bluez.Error.NotAuthorized", " ");
    case ATT_ERROR_INVALID_VALUE_LENGTH:
        return sd_bus_reply_method_errorf(call, "org.bluez.Error.InvalidValueLength",
                                          " ");
    default:
        break;
    }
    if (att_error >= 0x80 && att_error <= 0x9F) {
        return sd_bus_reply_method_errorf(call, BLUEZ_FAILED, "0x%02x", att_error);
    }
    return sd_bus_reply_method_errorf(call, "org.bluez.Error.Unlikely", " ");
}

static void end(sim_gateway_t *gateway, uint8_t att_error, const uint8_t *bytes,
                size_t size)
{
    struct operation *operation = gateway->first;
    gateway->first = operation->next;
    gateway->operation_count--;
    if (gateway->first == NULL) {
        gateway->end = &gateway->first;
    }
    int result = 0;
    if (operation->call != NULL && att_error != 0) {
        result = answer_error(operation->call, att_error);
    } else if (operation->call != NULL && operation->write) {
        result = sd_bus_reply_method_return(operation->call, NULL);
    } else if (operation->call != NULL) {
        sd_bus_message *reply = NULL;
        result = sd_bus_message_new_method_return(operation->call, &reply);
        if (result >= 0) {
            result = sd_bus_message_append_array(reply, 'y', bytes, size);
        }
        if (result >= 0) {
            result = sd_bus_send(gateway->bus, reply, NULL);
        }
        sd_bus_message_unref(reply);
    }
    if (result < 0) {
        gateway_complain(gateway, "an answer: %s", strerror(-result));
    }
    sd_bus_message_unref(operation->call);
    free(operation);
}

/* ---- the board's side ---- */

static bool submit(sim_gateway_t *gateway, const struct operation *operation)
{
    sim_central_t *radio = gateway->radio;
    sim_peer_t *board = gateway->board;
    if (!operation->write) {
        return operation->offset == 0
                   ? sim_central_read(radio, board, operation->handle, 0)
                   : sim_central_read_from(radio, board, operation->handle,
                                           operation->offset, 0);
    }
    if (operation->offset > 0) {
        return sim_central_write_at(radio, board, operation->handle, operation->offset,
                                    operation->bytes, operation->size, 0);
    }
    return sim_central_write(radio, board, operation->handle, operation->bytes,
                             operation->size, !operation->command, 0);
}

static void fit(const sim_gateway_t *gateway, struct operation *operation)
{
    if (operation->offset > 0 || operation->size + 3u > sim_peer_mtu(gateway->board)) {
        operation->command = false; /* longer than one command: by prepared writes */
    }
}

void gateway_operations_pump(sim_gateway_t *gateway)
{
    struct operation *operation = gateway->first;
    while (gateway->linked && !gateway->request_out && operation != NULL) {
        if (!operation->sent) {
            fit(gateway, operation);
            if ((!operation->command && gateway->commands_out > 0) ||
                !submit(gateway, operation)) {
                return; /* goes on with the next that is done */
            }
            operation->sent = true;
            gateway->commands_out += operation->command;
            gateway->request_out = !operation->command;
        }
        operation = operation->next;
    }
}

void gateway_operation_queue(sim_gateway_t *gateway, struct operation *operation)
{
    *gateway->end = operation;
    gateway->end = &operation->next;
    gateway->operation_count++;
    if (gateway->operation_count > OPERATIONS_MAX) {
        gateway_complain(gateway, "the central writes what the board never takes");
        registration_disconnect(gateway, gateway->central);
        gateway_release(gateway);
        return;
    }
    gateway_operations_pump(gateway);
}

/* Commands are done in their order, and a request is out alone: it is always the first.
 */
static void done(sim_gateway_t *gateway, uint8_t att_error, const uint8_t *bytes,
                 size_t size)
{
    struct operation *operation = gateway->first;
    if (operation == NULL || !operation->sent) {
        return; /* it was given up with its link */
    }
    if (operation->command) {
        assert(gateway->commands_out > 0);
        gateway->commands_out--;
    } else {
        gateway->request_out = false;
    }
    end(gateway, att_error, bytes, size);
    gateway_operations_pump(gateway);
}

void gateway_operation_read_done(void *context, sim_peer_t *peer, uint64_t token,
                                 uint8_t att_error, const uint8_t *bytes, size_t size)
{
    (void)peer, (void)token;
    done(context, att_error, bytes, size);
}

void gateway_operation_write_done(void *context, sim_peer_t *peer, uint64_t token,
                                  uint8_t att_error)
{
    (void)peer, (void)token;
    done(context, att_error, NULL, 0);
}

void gateway_operations_fail(sim_gateway_t *gateway)
{
    gateway->commands_out = 0;
    gateway->request_out = false;
    while (gateway->first != NULL) {
        end(gateway, SIM_CENTRAL_ATT_ERROR_ABANDONED, NULL, 0);
    }
}
