/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Scans, connects and finds the update characteristics by UUID, as the transport for
 * BlueZ does. */
#include "sim/world/transport.h"

#include <assert.h>
#include <string.h>

#include "updraft/error.h"
#include "updraft/protocol1.h"
#include "updraft/protocol2.h"

/* Longer than the flow waits: it is the flow that gives up. */
#define CONNECT_LIMIT_MS 60000u
/* A link whose other side does not answer ends by its supervision timeout only; the
 * transport's contract is shorter. */
#define DISCONNECT_LIMIT_US 4000000u

/* Advertising data types of the Core Specification Supplement, Part A. */
#define AD_UUID128_SOME  0x06u
#define AD_UUID128_ALL   0x07u
#define AD_NAME_SHORT    0x08u
#define AD_NAME_COMPLETE 0x09u
#define ATT_VALUE_NOTIFY 0x0001u
#define UUID16_ON_BASE(u)                                                       \
    {                                                                           \
        0xfb, 0x34, 0x9b, 0x5f, 0x80, 0x00, 0x00, 0x80, 0x00, 0x10, 0x00, 0x00, \
            (u)&0xff, (u) >> 8, 0x00, 0x00                                      \
    }

static const uint8_t service_uuid[16] = {UPDRAFT_P1_SERVICE_UUID_BYTES};
static const uint8_t uuids[UPDRAFT_CHARACTERISTIC_COUNT][16] = {
    [UPDRAFT_CONTROL] = {UPDRAFT_P1_CONTROL_UUID_BYTES},
    [UPDRAFT_DATA] = {UPDRAFT_P1_DATA_UUID_BYTES},
    [UPDRAFT_INFO] = {UPDRAFT_P2_INFO_UUID_BYTES},
    [UPDRAFT_FIRMWARE_REVISION] = UUID16_ON_BASE(0x2A26),
    [UPDRAFT_MODEL] = UUID16_ON_BASE(0x2A24),
    [UPDRAFT_MANUFACTURER] = UUID16_ON_BASE(0x2A29),
};

enum operation { OPERATION_READ, OPERATION_WRITE, OPERATION_SUBSCRIBE };

/* What a peer has told of itself, over several reports. */
struct heard {
    bool used;
    bool has_service;
    char name[32];
};

#define HEARD_MAX 64u

struct sim_transport {
    sim_central_t *central;
    sim_transport_event_t report;
    void *context;
    bool scanning;
    bool connected;  /* CONNECTED was reported */
    bool connecting; /* connect was called, DISCONNECTED not yet reported */
    bool closing;    /* disconnect was called */
    bool waiting;    /* connect was called, and the former link is not over */
    sim_loop_t *loop;
    sim_event_t disconnect_limit;
    uint32_t lose_every; /* notifications; 0: none is lost */
    uint32_t notified_count;
    sim_peer_t *peer;
    uint16_t handles[UPDRAFT_CHARACTERISTIC_COUNT]; /* 0: not there */
    uint16_t control_cccd;
    uint8_t properties[UPDRAFT_CHARACTERISTIC_COUNT];
    struct heard heard[HEARD_MAX];
    size_t heard_count;
};

static uint64_t token_of(enum operation operation, enum updraft_characteristic which)
{
    return (uint64_t)operation << 8 | (uint64_t)which;
}

static void report(sim_transport_t *transport,
                   const struct updraft_transport_event *event)
{
    transport->report(transport->context, event);
}

static struct heard *heard_of(sim_transport_t *transport, sim_peer_t *peer)
{
    struct heard *heard = sim_peer_context(peer);
    if (heard == NULL && transport->heard_count < HEARD_MAX) {
        heard = &transport->heard[transport->heard_count++];
        sim_peer_set_context(peer, heard);
    }
    return heard;
}

static void read_advertisement(struct heard *heard, const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at + 1 < size && data[at] > 0 && at + 1 + data[at] <= size) {
        const uint8_t *value = data + at + 2;
        size_t value_size = data[at] - 1u;
        switch (data[at + 1]) {
        case AD_UUID128_SOME:
        case AD_UUID128_ALL:
            for (size_t i = 0; i + 16 <= value_size; i += 16) {
                heard->has_service |= memcmp(value + i, service_uuid, 16) == 0;
            }
            break;
        case AD_NAME_SHORT:
        case AD_NAME_COMPLETE:
            memcpy(heard->name, value, value_size);
            heard->name[value_size] = '\0';
            break;
        }
        at += 1u + data[at];
    }
}

static void on_heard(void *context, sim_peer_t *peer, bool scan_response,
                     const uint8_t *data, uint8_t size, int8_t rssi_dbm)
{
    sim_transport_t *transport = context;
    struct heard *heard = heard_of(transport, peer);
    (void)scan_response;
    if (heard == NULL || size > 31) {
        return;
    }
    struct heard before = *heard;
    read_advertisement(heard, data, size);
    bool changed = !heard->used || before.has_service != heard->has_service ||
                   strcmp(before.name, heard->name) != 0;
    heard->used = true;
    if (!transport->scanning || !changed) {
        return;
    }
    struct updraft_transport_event event = {
        .kind = UPDRAFT_TRANSPORT_FOUND,
        .name = heard->name,
        .rssi_dbm = rssi_dbm,
        .has_service = heard->has_service,
    };
    memcpy(event.address.bytes, sim_peer_address(peer), 6);
    event.address.is_random = sim_peer_is_random(peer);
    report(transport, &event);
}

static void end_connection(sim_transport_t *transport, int status)
{
    if (!transport->connecting) {
        return;
    }
    transport->connecting = false;
    transport->connected = false;
    transport->waiting = false;
    transport->peer = NULL;
    sim_loop_cancel(transport->loop, &transport->disconnect_limit);
    report(transport, &(struct updraft_transport_event){
                          .kind = UPDRAFT_TRANSPORT_DISCONNECTED,
                          .status = transport->closing ? 0 : status,
                      });
}

static void on_connected(void *context, sim_peer_t *peer, uint8_t status)
{
    sim_transport_t *transport = context;
    if (peer == transport->peer && status != 0) {
        end_connection(transport, UPDRAFT_ERROR_LINK_CONNECT);
    }
}

static void on_disconnected(void *context, sim_peer_t *peer, uint8_t reason)
{
    sim_transport_t *transport = context;
    (void)reason;
    if (peer == transport->peer && transport->waiting) {
        transport->waiting = false;
        sim_central_connect(transport->central, peer, CONNECT_LIMIT_MS);
    } else if (peer == transport->peer) {
        end_connection(transport, UPDRAFT_ERROR_LINK_LOST);
    }
}

static void on_disconnect_limit(void *context)
{
    end_connection(context, UPDRAFT_ERROR_LINK_LOST);
}

static void note(sim_transport_t *transport, enum updraft_characteristic which,
                 const struct sim_gatt_characteristic *found)
{
    transport->handles[which] = found->value_handle;
    transport->properties[which] = found->properties;
}

/* Control and Data of one service, and Info with them; the others wherever they are. */
static void find_characteristics(sim_transport_t *transport)
{
    const struct sim_gatt_characteristic *list;
    size_t count = sim_peer_characteristics(transport->peer, &list);
    memset(transport->handles, 0, sizeof(transport->handles));
    memset(transport->properties, 0, sizeof(transport->properties));
    transport->control_cccd = 0;
    const struct sim_gatt_characteristic *control = NULL;
    const struct sim_gatt_characteristic *data = NULL;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count && control == NULL; j++) {
            if (list[i].service == list[j].service &&
                memcmp(list[i].uuid, uuids[UPDRAFT_CONTROL], 16) == 0 &&
                memcmp(list[j].uuid, uuids[UPDRAFT_DATA], 16) == 0) {
                control = &list[i];
                data = &list[j];
            }
        }
        for (int which = UPDRAFT_FIRMWARE_REVISION; which < UPDRAFT_CHARACTERISTIC_COUNT;
             which++) {
            if (memcmp(list[i].uuid, uuids[which], 16) == 0) {
                note(transport, which, &list[i]);
            }
        }
    }
    if (control == NULL) {
        return;
    }
    note(transport, UPDRAFT_CONTROL, control);
    note(transport, UPDRAFT_DATA, data);
    transport->control_cccd = control->cccd_handle;
    for (size_t i = 0; i < count; i++) {
        if (list[i].service == control->service &&
            memcmp(list[i].uuid, uuids[UPDRAFT_INFO], 16) == 0) {
            note(transport, UPDRAFT_INFO, &list[i]);
        }
    }
}

static void on_resolved(void *context, sim_peer_t *peer)
{
    sim_transport_t *transport = context;
    if (peer != transport->peer || transport->waiting) {
        return;
    }
    find_characteristics(transport);
    if (transport->connected) {
        return; /* the services were found anew in mid-connection */
    }
    transport->connected = true;
    struct updraft_transport_event event = {
        .kind = UPDRAFT_TRANSPORT_CONNECTED,
        .mtu = sim_peer_mtu(peer),
    };
    memcpy(event.properties, transport->properties, sizeof(event.properties));
    memcpy(event.address.bytes, sim_peer_address(peer), 6);
    report(transport, &event);
}

static void on_done(sim_transport_t *transport, sim_peer_t *peer, uint64_t token,
                    uint8_t att_error, const uint8_t *bytes, size_t size)
{
    static const enum updraft_transport_event_kind kinds[] = {
        [OPERATION_READ] = UPDRAFT_TRANSPORT_READ,
        [OPERATION_WRITE] = UPDRAFT_TRANSPORT_WRITTEN,
        [OPERATION_SUBSCRIBE] = UPDRAFT_TRANSPORT_SUBSCRIBED,
    };
    /* What a lost link cut short ends without an event of its own. */
    if (peer != transport->peer || !transport->connected ||
        att_error == SIM_CENTRAL_ATT_ERROR_ABANDONED) {
        return;
    }
    assert((token >> 8) <= OPERATION_SUBSCRIBE);
    report(transport, &(struct updraft_transport_event){
                          .kind = kinds[token >> 8],
                          .status = att_error == 0 ? 0 : UPDRAFT_ERROR_LINK_ATT,
                          .att_error = att_error,
                          .characteristic = (enum updraft_characteristic)(token & 0xff),
                          .bytes = bytes,
                          .size = size,
                      });
}

static void on_read_done(void *context, sim_peer_t *peer, uint64_t token,
                         uint8_t att_error, const uint8_t *bytes, size_t size)
{
    on_done(context, peer, token, att_error, bytes, size);
}

static void on_write_done(void *context, sim_peer_t *peer, uint64_t token,
                          uint8_t att_error)
{
    on_done(context, peer, token, att_error, NULL, 0);
}

static void on_notified(void *context, sim_peer_t *peer, uint16_t value_handle,
                        const uint8_t *bytes, size_t size)
{
    sim_transport_t *transport = context;
    transport->notified_count++;
    if (transport->lose_every != 0 &&
        transport->notified_count % transport->lose_every == 0) {
        return;
    }
    for (int which = 0; which < UPDRAFT_CHARACTERISTIC_COUNT; which++) {
        if (peer == transport->peer && transport->connected &&
            transport->handles[which] == value_handle) {
            report(transport, &(struct updraft_transport_event){
                                  .kind = UPDRAFT_TRANSPORT_NOTIFIED,
                                  .characteristic = (enum updraft_characteristic)which,
                                  .bytes = bytes,
                                  .size = size,
                              });
            return;
        }
    }
}

static void on_services_changed(void *context, sim_peer_t *peer)
{
    (void)context; /* resolved follows */
    (void)peer;
}

sim_transport_t *sim_transport_new(const struct sim_central_config *config,
                                   sim_transport_event_t report_to, void *context)
{
    static const struct sim_central_ops ops = {
        .heard = on_heard,
        .connected = on_connected,
        .resolved = on_resolved,
        .disconnected = on_disconnected,
        .read_done = on_read_done,
        .write_done = on_write_done,
        .notified = on_notified,
        .services_changed = on_services_changed,
    };
    sim_transport_t *transport = sim_arena_alloc(config->arena, sizeof(*transport));
    transport->loop = config->loop;
    transport->disconnect_limit.fire = on_disconnect_limit;
    transport->disconnect_limit.context = transport;
    transport->report = report_to;
    transport->context = context;
    transport->central = sim_central_new(config, &ops, transport);
    return transport;
}

void sim_transport_lose_notifications(sim_transport_t *transport, uint32_t every)
{
    transport->lose_every = every;
}

bool sim_transport_connecting(const sim_transport_t *transport)
{
    return transport->connecting;
}

static int op_scan(void *context, bool on)
{
    sim_transport_t *transport = context;
    transport->scanning = on;
    if (on) {
        /* Everything is reported anew. */
        memset(transport->heard, 0, sizeof(transport->heard));
    }
    sim_central_scan(transport->central, on);
    return 0;
}

static int op_connect(void *context, const struct updraft_address *address)
{
    sim_transport_t *transport = context;
    assert(!transport->connecting);
    sim_peer_t *peer =
        sim_central_peer(transport->central, address->bytes, address->is_random);
    if (peer == NULL || !sim_central_powered(transport->central)) {
        return UPDRAFT_ERROR_ADAPTER_OFF;
    }
    transport->peer = peer;
    transport->connecting = true;
    transport->closing = false;
    transport->waiting = sim_peer_connected(peer);
    if (!transport->waiting) {
        sim_central_connect(transport->central, peer, CONNECT_LIMIT_MS);
    }
    return 0;
}

static int op_disconnect(void *context)
{
    sim_transport_t *transport = context;
    if (!transport->connecting) {
        return UPDRAFT_ERROR_STATE;
    }
    transport->closing = true;
    transport->waiting = false;
    sim_loop_after(transport->loop, &transport->disconnect_limit, DISCONNECT_LIMIT_US);
    sim_central_disconnect(transport->central, transport->peer);
    return 0;
}

static int op_read(void *context, enum updraft_characteristic which)
{
    sim_transport_t *transport = context;
    bool taken =
        transport->connected &&
        sim_central_read(transport->central, transport->peer, transport->handles[which],
                         token_of(OPERATION_READ, which));
    return taken ? 0 : UPDRAFT_ERROR_LINK_LOST;
}

static int op_write(void *context, enum updraft_characteristic which,
                    const uint8_t *bytes, size_t size, bool with_response)
{
    sim_transport_t *transport = context;
    bool taken =
        transport->connected &&
        sim_central_write(transport->central, transport->peer, transport->handles[which],
                          bytes, size, with_response, token_of(OPERATION_WRITE, which));
    return taken ? 0 : UPDRAFT_ERROR_LINK_LOST;
}

static int op_subscribe(void *context, enum updraft_characteristic which)
{
    static const uint8_t notify[2] = {ATT_VALUE_NOTIFY, 0};
    sim_transport_t *transport = context;
    assert(which == UPDRAFT_CONTROL);
    bool taken = transport->connected && transport->control_cccd != 0 &&
                 sim_central_write(transport->central, transport->peer,
                                   transport->control_cccd, notify, sizeof(notify), true,
                                   token_of(OPERATION_SUBSCRIBE, which));
    return taken ? 0 : UPDRAFT_ERROR_LINK_PROTOCOL;
}

const struct updraft_transport_ops *sim_transport_ops(void)
{
    static const struct updraft_transport_ops ops = {
        .scan = op_scan,
        .connect = op_connect,
        .disconnect = op_disconnect,
        .read = op_read,
        .write = op_write,
        .subscribe = op_subscribe,
    };
    return &ops;
}
