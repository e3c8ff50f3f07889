/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The played transport and device. */
#include "tests/unit/flow_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/image_maker.h"
#include "updraft/error.h"
#include "updraft/protocol1.h"

#define MTU 247u
/* The longest that a transport takes to end a link. */
#define END_LIMIT_MS 4000u

struct played played;
const struct updraft_address played_address = {{0x24, 0x0A, 0xC4, 0, 0, 0x12}, false};
static const struct updraft_address second_address = {{0x24, 0x0A, 0xC4, 0, 1, 0x12},
                                                      false};

/* ---- events ---- */

static struct played_event *post(enum updraft_transport_event_kind kind, int status)
{
    assert_true(played.queue_count < EVENTS_MAX);
    unsigned place = (played.queue_first + played.queue_count++) % EVENTS_MAX;
    struct played_event *posted = &played.queue[place];
    memset(posted, 0, sizeof(*posted));
    posted->event.kind = kind;
    posted->event.status = status;
    return posted;
}

static void post_found(const struct updraft_address *address)
{
    struct updraft_transport_event *event = &post(UPDRAFT_TRANSPORT_FOUND, 0)->event;
    event->address = *address;
    event->name = played.name;
    event->rssi_dbm = -50;
    event->has_service = !played.without_service;
}

static void post_value(enum updraft_transport_event_kind kind,
                       enum updraft_characteristic characteristic, const void *bytes,
                       size_t size)
{
    struct played_event *posted = post(kind, UPDRAFT_OK);
    posted->event.characteristic = characteristic;
    posted->event.size = size;
    assert_true(size <= sizeof(posted->bytes));
    if (size > 0) {
        memcpy(posted->bytes, bytes, size);
    }
}

static void post_opcode(uint8_t opcode)
{
    post_value(UPDRAFT_TRANSPORT_NOTIFIED, UPDRAFT_CONTROL, &opcode, 1);
}

/* What was under way on the link ends without an event of its own. */
static void end_link(int status)
{
    played.queue_count = 0;
    played.linked = false;
    played.connecting = false;
    played.disconnecting = false;
    played.dropping = false;
    post(UPDRAFT_TRANSPORT_DISCONNECTED, status);
}

/* ---- the device ---- */

static const char *version(void)
{
    if (!played.restarted || played.comeback == COMEBACK_OLD) {
        return OLD_VERSION;
    }
    return played.comeback == COMEBACK_OTHER ? "9.9.9" : NEW_VERSION;
}

static bool advertises(void)
{
    return played.present && !(played.restarted && played.comeback == COMEBACK_NEVER);
}

static bool connects(void)
{
    if (played.restarted && played.comeback == COMEBACK_BROKEN) {
        return false;
    }
    if (played.connects_fail > 0) {
        played.connects_fail--;
        return false;
    }
    return advertises();
}

static void take_control(uint8_t opcode)
{
    if (opcode == UPDRAFT_P1_REQUEST) {
        played.requests++;
        played.received_bytes = 0;
        if (played.refusals > 0) {
            played.refusals--;
            post_opcode(UPDRAFT_P1_REQUEST_NAK);
        } else {
            post_opcode(UPDRAFT_P1_REQUEST_ACK);
        }
        return;
    }
    assert_int_equal(opcode, UPDRAFT_P1_DONE);
    bool whole = played.received_bytes >= played.image_size_bytes &&
                 memcmp(played.received, played.image, played.image_size_bytes) == 0;
    if (!whole || played.not_verified) {
        post_opcode(UPDRAFT_P1_DONE_NAK);
        return;
    }
    played.restarted = true;
    if (played.lose_verdict) {
        end_link(UPDRAFT_ERROR_LINK_LOST);
        return;
    }
    post_opcode(UPDRAFT_P1_DONE_ACK);
    played.linked = false;
    post(UPDRAFT_TRANSPORT_DISCONNECTED, UPDRAFT_ERROR_LINK_LOST);
}

static void take_data(const uint8_t *bytes, size_t size)
{
    if (size == 2 && played.requests == 0) {
        played.packet_size = (uint16_t)(bytes[0] | bytes[1] << 8);
        return;
    }
    if (size != 2) {
        assert_true(size <= sizeof(played.received) - played.received_bytes);
        memcpy(played.received + played.received_bytes, bytes, size);
        played.received_bytes += (uint32_t)size;
    }
}

/* ---- the transport ---- */

/* The daemon is gone, and with it everything that was under way. */
static void go(void)
{
    if (played.gone) {
        return;
    }
    played.gone = true;
    played.queue_count = 0;
    played.scanning = played.connecting = played.linked = false;
    played.disconnecting = played.dropping = false;
    post(UPDRAFT_TRANSPORT_FAILED, UPDRAFT_ERROR_NO_BLUETOOTHD);
}

/* Notes an op. Returns the fault that it meets. */
static enum fault meet(enum played_op op)
{
    unsigned index = played.op_count;
    assert_true(index < OPS_MAX);
    assert_int_equal(played.reports[UPDRAFT_EVENT_FINISHED], 0);
    played.ops[played.op_count++] = op;
    if (index == played.fault_at || (played.fault_stays && index > played.fault_at)) {
        if (played.fault == FAULT_GONE) {
            go();
        }
        return played.fault;
    }
    return FAULT_NONE;
}

static int play_scan(void *context, bool on)
{
    assert_ptr_equal(context, &played);
    enum fault fault = meet(on ? OP_SCAN : OP_STOP);
    if (fault == FAULT_REFUSED && on) {
        return UPDRAFT_ERROR_NO_BLUETOOTHD;
    }
    if (fault == FAULT_GONE) {
        return UPDRAFT_OK;
    }
    assert_int_not_equal(played.scanning, on);
    played.scanning = on;
    if (!on || fault == FAULT_SILENT || fault == FAULT_LINK || fault == FAULT_ANSWERED) {
        return UPDRAFT_OK;
    }
    if (advertises()) {
        post_found(&played_address);
        post_found(&played_address);
    }
    if (played.second) {
        post_found(&second_address);
    }
    return UPDRAFT_OK;
}

static void post_connected(void)
{
    struct updraft_transport_event *event = &post(UPDRAFT_TRANSPORT_CONNECTED, 0)->event;
    uint8_t write =
        played.by_command ? UPDRAFT_PROPERTY_WRITE_NO_RESPONSE : UPDRAFT_PROPERTY_WRITE;
    event->mtu = MTU;
    event->properties[UPDRAFT_MODEL] = UPDRAFT_PROPERTY_READ;
    event->properties[UPDRAFT_MANUFACTURER] = UPDRAFT_PROPERTY_READ;
    if (!played.without_version) {
        event->properties[UPDRAFT_FIRMWARE_REVISION] = UPDRAFT_PROPERTY_READ;
    }
    if (!played.without_service) {
        event->properties[UPDRAFT_CONTROL] = write | UPDRAFT_PROPERTY_NOTIFY;
        event->properties[UPDRAFT_DATA] = write;
    }
}

static int play_connect(void *context, const struct updraft_address *address)
{
    (void)context;
    bool gone = played.gone;
    enum fault fault = meet(OP_CONNECT);
    if (gone) {
        return UPDRAFT_ERROR_LINK_CONNECT;
    }
    assert_false(played.linked || played.connecting);
    if (played.disconnecting) {
        return UPDRAFT_ERROR_STATE; /* at most one connection */
    }
    assert_memory_equal(address->bytes, played_address.bytes, 6);
    if (fault == FAULT_REFUSED) {
        return UPDRAFT_ERROR_LINK_CONNECT;
    }
    if (fault == FAULT_GONE) {
        return UPDRAFT_OK;
    }
    played.connecting = true;
    if (fault == FAULT_SILENT) {
        return UPDRAFT_OK;
    }
    if (fault == FAULT_ANSWERED || fault == FAULT_LINK || !connects()) {
        played.connecting = false;
        post(UPDRAFT_TRANSPORT_DISCONNECTED, UPDRAFT_ERROR_LINK_CONNECT);
        return UPDRAFT_OK;
    }
    post_connected();
    return UPDRAFT_OK;
}

static int play_disconnect(void *context)
{
    (void)context;
    enum fault fault = meet(OP_DISCONNECT);
    if (!played.linked && !played.connecting && !played.disconnecting) {
        return UPDRAFT_ERROR_STATE;
    }
    if (fault == FAULT_GONE) {
        return UPDRAFT_OK;
    }
    end_link(UPDRAFT_OK);
    if (fault == FAULT_SILENT || played.ends_slowly) {
        /* As with a daemon that does not answer: the event comes when its call's time is
         * over. */
        played.queue_count = 0;
        played.disconnecting = true;
        played.end_at_ms = played.now_ms + END_LIMIT_MS;
    }
    return UPDRAFT_OK;
}

/* Of read, write and subscribe: what they return when the fault decides it, else 1. */
static int operate(enum played_op op, enum updraft_transport_event_kind kind,
                   enum updraft_characteristic characteristic)
{
    enum fault fault = meet(op);
    if (fault != FAULT_GONE) {
        assert_true(played.linked || played.queue_count > 0);
    }
    switch (fault) {
    case FAULT_REFUSED:
        return UPDRAFT_ERROR_LINK_LOST;
    case FAULT_SILENT:
    case FAULT_GONE:
        return UPDRAFT_OK;
    case FAULT_LINK:
        end_link(UPDRAFT_ERROR_LINK_LOST);
        return UPDRAFT_OK;
    case FAULT_ANSWERED: {
        struct updraft_transport_event *event =
            &post(kind, UPDRAFT_ERROR_LINK_ATT)->event;
        event->characteristic = characteristic;
        event->att_error = 0x0E;
        return UPDRAFT_OK;
    }
    case FAULT_NONE:
    case FAULT_CANCEL:
    case FAULT_COUNT:
        break;
    }
    return 1;
}

static int play_read(void *context, enum updraft_characteristic characteristic)
{
    (void)context;
    int result = operate(OP_READ, UPDRAFT_TRANSPORT_READ, characteristic);
    if (result == 1) {
        const char *text = characteristic == UPDRAFT_FIRMWARE_REVISION ? version()
                           : characteristic == UPDRAFT_MODEL           ? "Lamp"
                                                                       : "Example";
        post_value(UPDRAFT_TRANSPORT_READ, characteristic, text, strlen(text));
    }
    return result == 1 ? UPDRAFT_OK : result;
}

static int play_write(void *context, enum updraft_characteristic characteristic,
                      const uint8_t *bytes, size_t size, bool with_response)
{
    (void)context;
    assert_int_equal(with_response, !played.by_command);
    int result = operate(OP_WRITE, UPDRAFT_TRANSPORT_WRITTEN, characteristic);
    if (result != 1) {
        return result;
    }
    post_value(UPDRAFT_TRANSPORT_WRITTEN, characteristic, NULL, 0);
    if (characteristic == UPDRAFT_CONTROL) {
        assert_int_equal(size, 1);
        take_control(bytes[0]);
    } else {
        take_data(bytes, size);
    }
    return UPDRAFT_OK;
}

static int play_subscribe(void *context, enum updraft_characteristic characteristic)
{
    (void)context;
    assert_int_equal(characteristic, UPDRAFT_CONTROL);
    int result = operate(OP_SUBSCRIBE, UPDRAFT_TRANSPORT_SUBSCRIBED, characteristic);
    if (result == 1) {
        post_value(UPDRAFT_TRANSPORT_SUBSCRIBED, characteristic, NULL, 0);
    }
    return result == 1 ? UPDRAFT_OK : result;
}

static const struct updraft_transport_ops ops = {
    .scan = play_scan,
    .connect = play_connect,
    .disconnect = play_disconnect,
    .read = play_read,
    .write = play_write,
    .subscribe = play_subscribe,
};

/* ---- the flow ---- */

static void on_report(void *context, const struct updraft_event *event)
{
    assert_ptr_equal(context, &played);
    assert_int_equal(played.reports[UPDRAFT_EVENT_FINISHED], 0);
    played.reports[event->kind]++;
    switch (event->kind) {
    case UPDRAFT_EVENT_PHASE:
        played.phases[event->phase]++;
        break;
    case UPDRAFT_EVENT_RETRY:
        played.retry_status = event->status;
        break;
    case UPDRAFT_EVENT_PROGRESS:
        assert_true(event->done_bytes <= event->total_bytes);
        break;
    case UPDRAFT_EVENT_FINISHED:
        played.finished = *event;
        snprintf(played.firmware_before, sizeof(played.firmware_before), "%s",
                 event->firmware_before);
        snprintf(played.firmware_after, sizeof(played.firmware_after), "%s",
                 event->firmware_revision);
        break;
    case UPDRAFT_EVENT_FOUND:
    case UPDRAFT_EVENT_CONNECTED:
    case UPDRAFT_EVENT_DEVICE:
        break;
    }
}

void play_begin(void)
{
    memset(&played, 0, sizeof(played));
    played.present = true;
    played.name = "kitchen";
    played.fault_at = UINT32_MAX;
    played.now_ms = UINT32_MAX - 2000; /* the clock wraps on the way */
    struct image_recipe recipe = {.data_size_bytes = 600};
    played.image_size_bytes =
        (uint32_t)make_image(&recipe, played.image, sizeof(played.image));
}

void play_start(const struct updraft_flow_config *config)
{
    struct updraft_flow_config full = *config;
    full.ops = &ops;
    full.transport = &played;
    full.report = on_report;
    full.context = &played;
    full.image = played.image;
    full.image_size_bytes = played.image_size_bytes;
    assert_int_equal(updraft_flow_init(&played.flow, &full), UPDRAFT_OK);
    assert_false(updraft_flow_busy(&played.flow));
    played.started_ms = played.now_ms;
    updraft_flow_start(&played.flow, played.now_ms);
}

static void deliver(void)
{
    struct played_event posted = played.queue[played.queue_first];
    played.queue_first = (played.queue_first + 1) % EVENTS_MAX;
    played.queue_count--;
    posted.event.bytes = posted.event.size > 0 ? posted.bytes : NULL;
    if (posted.event.kind == UPDRAFT_TRANSPORT_CONNECTED) {
        played.connecting = false;
        played.linked = true;
        played.dropping = played.restarted && played.comeback == COMEBACK_DROPS;
        played.drop_at_ms = played.now_ms + 500;
    }
    updraft_flow_event(&played.flow, &posted.event, played.now_ms);
}

void play_step(void)
{
    uint32_t deadline_ms = 0;
    bool cancel = played.fault == FAULT_CANCEL && played.op_count > played.fault_at;
    if (cancel) {
        played.fault = FAULT_NONE;
        updraft_flow_cancel(&played.flow, played.now_ms);
    } else if (played.queue_count > 0) {
        deliver();
    } else {
        /* Nothing is on its way: without a deadline it would wait for ever. */
        assert_true(updraft_flow_deadline(&played.flow, &deadline_ms));
        bool ends = played.disconnecting || played.dropping;
        uint32_t end_ms = played.disconnecting ? played.end_at_ms : played.drop_at_ms;
        if (ends && (int32_t)(end_ms - deadline_ms) < 0) {
            played.now_ms = end_ms;
            end_link(played.dropping ? UPDRAFT_ERROR_LINK_LOST : UPDRAFT_OK);
            return;
        }
        if ((int32_t)(deadline_ms - played.now_ms) > 0) {
            played.now_ms = deadline_ms;
        }
        updraft_flow_tick(&played.flow, played.now_ms);
    }
}

int play_to_end(void)
{
    for (unsigned steps = 0; updraft_flow_busy(&played.flow); steps++) {
        assert_true(steps < 100000);
        play_step();
    }
    assert_int_equal(played.reports[UPDRAFT_EVENT_FINISHED], 1);
    assert_int_equal(played.finished.status, updraft_flow_status(&played.flow));
    assert_int_equal(played.finished.outcome, updraft_flow_outcome(&played.flow));
    assert_false(played.scanning || played.connecting || played.linked);
    if (played.finished.status != UPDRAFT_OK) {
        assert_int_equal(played.finished.outcome, UPDRAFT_OUTCOME_NONE);
    }
    return played.finished.status;
}

bool play_to_phase(enum updraft_phase phase)
{
    while (updraft_flow_busy(&played.flow) && played.phases[phase] == 0) {
        play_step();
    }
    return updraft_flow_busy(&played.flow);
}

int play_update(void)
{
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_UPDATE};
    play_start(&config);
    return play_to_end();
}

uint32_t play_elapsed_ms(void)
{
    return played.now_ms - played.started_ms;
}
