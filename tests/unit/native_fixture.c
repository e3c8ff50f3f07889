/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The played transport; the device behind it is in native_device.c. */
#include "tests/unit/native_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/image_maker.h"
#include "tests/unit/native_device.h"
#include "updraft/error.h"

#define MTU 247u

struct native native;
static const struct updraft_address home = {{0x24, 0x0A, 0xC4, 0, 0, 0x12}, false};
static const struct updraft_address stranger = {{0x24, 0x0A, 0xC4, 0, 0, 0x77}, false};

static bool same(const struct updraft_address *a, const struct updraft_address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

struct native_event *native_post(enum updraft_transport_event_kind kind, int status,
                                 enum updraft_characteristic characteristic,
                                 const uint8_t *bytes, size_t size)
{
    assert_true(native.queue_count < NATIVE_EVENTS_MAX);
    unsigned place = (native.queue_first + native.queue_count++) % NATIVE_EVENTS_MAX;
    struct native_event *posted = &native.queue[place];
    memset(posted, 0, sizeof(*posted));
    posted->event.kind = kind;
    posted->event.status = status;
    posted->event.characteristic = characteristic;
    posted->event.size = size;
    if (size > 0) {
        memcpy(posted->bytes, bytes, size);
    }
    return posted;
}

void native_end_link(int status)
{
    native.queue_count = 0;
    native.linked = false;
    native.connecting = false;
    native.to_stranger = false;
    native_device_link_ended();
    native_post(UPDRAFT_TRANSPORT_DISCONNECTED, status, UPDRAFT_CONTROL, NULL, 0);
}

/* ---- ops ---- */

/* Notes the op, and says what goes wrong at it. */
static enum native_fault meet(enum native_op op)
{
    enum native_fault fault = NATIVE_FAULT_NONE;
    assert_true(native.op_count < NATIVE_OPS_MAX);
    if (native.daemon_gone) {
        return NATIVE_FAULT_GONE; /* FAILED is on its way */
    }
    if (native.op_count == native.fault_at) {
        fault = native.fault;
    }
    native.ops[native.op_count++] = op;
    if (fault == NATIVE_FAULT_GONE) {
        native.queue_count = 0;
        native.linked = native.connecting = native.scanning = false;
        native.daemon_gone = true;
        native_device_link_ended();
        native_post(UPDRAFT_TRANSPORT_FAILED, UPDRAFT_ERROR_NO_BLUETOOTHD,
                    UPDRAFT_CONTROL, NULL, 0);
    }
    return fault;
}

static void post_found(const struct updraft_address *address)
{
    struct updraft_transport_event *event =
        &native_post(UPDRAFT_TRANSPORT_FOUND, 0, UPDRAFT_CONTROL, NULL, 0)->event;
    event->address = *address;
    event->name = "kitchen";
    event->has_service = true;
}

static int play_scan(void *context, bool on)
{
    (void)context;
    enum native_fault fault = meet(on ? NATIVE_SCAN : NATIVE_STOP);
    if (fault == NATIVE_FAULT_GONE) {
        return UPDRAFT_OK;
    }
    assert_false(native.linked || native.connecting);
    if (on && fault == NATIVE_FAULT_REFUSED) {
        return UPDRAFT_ERROR_ADAPTER_OFF;
    }
    native.scanning = on;
    if (on && fault != NATIVE_FAULT_SILENT) {
        if (native.stranger) {
            post_found(&stranger);
        }
        if (native.present) {
            post_found(&native.address);
        }
    } else if (!on) {
        native.queue_count = 0;
    }
    return UPDRAFT_OK;
}

static int play_connect(void *context, const struct updraft_address *address)
{
    (void)context;
    enum native_fault fault = meet(NATIVE_CONNECT);
    assert_false(native.linked || native.connecting || native.scanning);
    if (fault == NATIVE_FAULT_REFUSED) {
        return UPDRAFT_ERROR_LINK_CONNECT;
    }
    if (fault == NATIVE_FAULT_GONE) {
        return UPDRAFT_OK;
    }
    native.connecting = true;
    native.to_stranger = same(address, &stranger);
    native.strangers_met += native.to_stranger;
    bool there = native.to_stranger || (native.present && same(address, &native.address));
    if (fault == NATIVE_FAULT_SILENT) {
        return UPDRAFT_OK;
    }
    if (!there || fault == NATIVE_FAULT_ANSWERED || fault == NATIVE_FAULT_LINK) {
        native_end_link(UPDRAFT_ERROR_LINK_CONNECT);
        return UPDRAFT_OK;
    }
    struct updraft_transport_event *event =
        &native_post(UPDRAFT_TRANSPORT_CONNECTED, 0, UPDRAFT_CONTROL, NULL, 0)->event;
    event->mtu = MTU;
    event->properties[UPDRAFT_CONTROL] =
        UPDRAFT_PROPERTY_READ | UPDRAFT_PROPERTY_WRITE | UPDRAFT_PROPERTY_NOTIFY;
    event->properties[UPDRAFT_DATA] =
        UPDRAFT_PROPERTY_WRITE | UPDRAFT_PROPERTY_WRITE_NO_RESPONSE;
    event->properties[UPDRAFT_INFO] = UPDRAFT_PROPERTY_READ;
    event->properties[UPDRAFT_FIRMWARE_REVISION] = UPDRAFT_PROPERTY_READ;
    event->properties[UPDRAFT_MODEL] = UPDRAFT_PROPERTY_READ;
    event->properties[UPDRAFT_MANUFACTURER] = UPDRAFT_PROPERTY_READ;
    return UPDRAFT_OK;
}

static int play_disconnect(void *context)
{
    (void)context;
    enum native_fault fault = meet(NATIVE_DISCONNECT);
    if (fault == NATIVE_FAULT_GONE) {
        return UPDRAFT_OK;
    }
    if (!native.linked && !native.connecting) {
        return UPDRAFT_ERROR_STATE;
    }
    native_end_link(UPDRAFT_OK);
    return UPDRAFT_OK;
}

/* 1: go on; else what the op returns. */
static int operate(enum native_op op, enum updraft_transport_event_kind kind,
                   enum updraft_characteristic characteristic)
{
    enum native_fault fault = meet(op);
    switch (fault) {
    case NATIVE_FAULT_REFUSED:
        return UPDRAFT_ERROR_LINK_LOST;
    case NATIVE_FAULT_SILENT:
    case NATIVE_FAULT_GONE:
        return UPDRAFT_OK;
    case NATIVE_FAULT_LINK:
        native_end_link(UPDRAFT_ERROR_LINK_LOST);
        return UPDRAFT_OK;
    case NATIVE_FAULT_ANSWERED:
        native_post(kind, UPDRAFT_ERROR_LINK_ATT, characteristic, NULL, 0)
            ->event.att_error = 0x0E;
        return UPDRAFT_OK;
    case NATIVE_FAULT_NONE:
    case NATIVE_FAULT_CANCEL:
    case NATIVE_FAULT_COUNT:
        break;
    }
    assert_true(native.linked);
    return 1;
}

static int play_read(void *context, enum updraft_characteristic characteristic)
{
    uint8_t bytes[UPDRAFT_P2_INFO_SIZE];
    (void)context;
    int result = operate(NATIVE_READ, UPDRAFT_TRANSPORT_READ, characteristic);
    if (result != 1) {
        return result;
    }
    if (characteristic == UPDRAFT_INFO) {
        native_device_info(bytes);
        native_post(UPDRAFT_TRANSPORT_READ, 0, characteristic, bytes, sizeof(bytes));
    } else {
        native_post(UPDRAFT_TRANSPORT_READ, 0, characteristic, (const uint8_t *)"text",
                    4);
    }
    return UPDRAFT_OK;
}

static int play_write(void *context, enum updraft_characteristic characteristic,
                      const uint8_t *bytes, size_t size, bool with_response)
{
    (void)context;
    assert_true(size <= MTU - 3);
    assert_int_equal(with_response, characteristic == UPDRAFT_CONTROL);
    int result = operate(with_response ? NATIVE_REQUEST : NATIVE_COMMAND,
                         UPDRAFT_TRANSPORT_WRITTEN, characteristic);
    if (result != 1) {
        return result;
    }
    if (with_response && native_ops_of(NATIVE_REQUEST) > native.no_room_from &&
        native.no_room_left > 0) {
        native.no_room_left--;
        native_post(UPDRAFT_TRANSPORT_WRITTEN, UPDRAFT_ERROR_LINK_ATT, characteristic,
                    NULL, 0)
            ->event.att_error = UPDRAFT_P2_ATT_NO_ROOM;
        return UPDRAFT_OK;
    }
    native_post(UPDRAFT_TRANSPORT_WRITTEN, 0, characteristic, NULL, 0);
    if (characteristic == UPDRAFT_CONTROL) {
        native_device_control(bytes, size);
    } else {
        native_device_data(bytes, size);
    }
    return UPDRAFT_OK;
}

static int play_subscribe(void *context, enum updraft_characteristic characteristic)
{
    (void)context;
    assert_int_equal(characteristic, UPDRAFT_CONTROL);
    int result = operate(NATIVE_SUBSCRIBE, UPDRAFT_TRANSPORT_SUBSCRIBED, characteristic);
    if (result == 1) {
        native_post(UPDRAFT_TRANSPORT_SUBSCRIBED, 0, characteristic, NULL, 0);
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
    assert_ptr_equal(context, &native);
    assert_int_equal(native.reports[UPDRAFT_EVENT_FINISHED], 0);
    if (event->kind == UPDRAFT_EVENT_PROGRESS) {
        assert_true(event->done_bytes <= event->total_bytes);
        assert_true(event->kept_bytes <= event->total_bytes);
        if (native.reports[UPDRAFT_EVENT_PROGRESS] == 0) {
            native.kept_bytes = event->kept_bytes;
        }
    }
    native.reports[event->kind]++;
    if (event->kind == UPDRAFT_EVENT_PHASE) {
        native.phases[event->phase]++;
    }
    if (event->kind == UPDRAFT_EVENT_FINISHED) {
        native.finished = *event;
        native.finished_has_info = event->info != NULL;
        if (event->info != NULL) {
            native.finished_info = *event->info;
        }
    }
}

void native_begin(void)
{
    struct updraft_image image;
    uint8_t digest[32];
    memset(&native, 0, sizeof(native));
    memset(native.slot, 0xFF, sizeof(native.slot));
    native.address = home;
    native.present = true;
    native.trial_s = 300;
    native.fault_at = UINT32_MAX;
    native.now_ms = UINT32_MAX - 2000; /* the clock wraps on the way */
    struct image_recipe recipe = {.data_size_bytes = 40000, .seed = 7};
    native.image_size = (uint32_t)make_image(&recipe, native.image, sizeof(native.image));
    updraft_image_init(&image, UINT32_MAX);
    assert_int_equal(updraft_image_input(&image, native.image, native.image_size), 0);
    assert_int_equal(updraft_image_finish(&image), 0);
    assert_int_equal(updraft_parcel_size(&image, native.image_size), native.image_size);
    sha256(native.image, native.image_size, digest);
    updraft_parcel_make(&native.parcel, &image, native.image, native.image_size, digest,
                        native.sector_crcs);
    memcpy(native.image_id, image.hash, sizeof(native.image_id));
    native_device_begin();
}

void native_start(const struct updraft_flow_config *config)
{
    struct updraft_flow_config full = *config;
    bool update = full.verb == UPDRAFT_FLOW_UPDATE;
    full.ops = &ops;
    full.transport = &native;
    full.report = on_report;
    full.context = &native;
    if (update) {
        full.image = native.image;
        full.image_size_bytes = native.image_size;
        full.parcel = &native.parcel;
    }
    memset(native.reports, 0, sizeof(native.reports));
    memset(native.phases, 0, sizeof(native.phases));
    memset(native.messages, 0, sizeof(native.messages));
    native.op_count = 0;
    native.file_bytes = 0;
    native.kept_bytes = 0;
    native.strangers_met = 0;
    assert_int_equal(updraft_flow_init(&native.flow, &full), UPDRAFT_OK);
    native.started_ms = native.now_ms;
    updraft_flow_start(&native.flow, native.now_ms);
}

static void deliver(void)
{
    struct native_event posted = native.queue[native.queue_first];
    native.queue_first = (native.queue_first + 1) % NATIVE_EVENTS_MAX;
    native.queue_count--;
    posted.event.bytes = posted.event.size > 0 ? posted.bytes : NULL;
    if (posted.event.kind == UPDRAFT_TRANSPORT_CONNECTED) {
        native.connecting = false;
        native.linked = true;
    }
    updraft_flow_event(&native.flow, &posted.event, native.now_ms);
}

void native_step(void)
{
    uint32_t deadline_ms = 0;
    if (native.fault == NATIVE_FAULT_CANCEL && native.op_count > native.fault_at) {
        native.fault = NATIVE_FAULT_NONE;
        updraft_flow_cancel(&native.flow, native.now_ms);
        return;
    }
    if (native.queue_count > 0) {
        deliver();
        return;
    }
    /* Nothing is on its way: without a deadline it would wait for ever. */
    assert_true(updraft_flow_deadline(&native.flow, &deadline_ms));
    if (native.restarting && native.linked) {
        native_end_link(UPDRAFT_ERROR_LINK_LOST);
        return;
    }
    if ((int32_t)(deadline_ms - native.now_ms) > 0) {
        native.now_ms = deadline_ms;
    }
    updraft_flow_tick(&native.flow, native.now_ms);
}

int native_to_end(void)
{
    for (unsigned steps = 0; updraft_flow_busy(&native.flow); steps++) {
        assert_true(steps < 100000);
        native_step();
    }
    assert_int_equal(native.reports[UPDRAFT_EVENT_FINISHED], 1);
    assert_int_equal(native.finished.status, updraft_flow_status(&native.flow));
    assert_false(native.scanning || native.connecting || native.linked);
    if (native.finished.status != UPDRAFT_OK) {
        assert_int_equal(native.finished.outcome, UPDRAFT_OUTCOME_NONE);
    }
    return native.finished.status;
}

int native_run(const struct updraft_flow_config *config)
{
    native_start(config);
    return native_to_end();
}

int native_update(void)
{
    struct updraft_flow_config config = {.verb = UPDRAFT_FLOW_UPDATE};
    return native_run(&config);
}

void native_client_dies(void)
{
    native.scanning = false;
    native_end_link(UPDRAFT_ERROR_LINK_LOST);
    native.queue_count = 0;
}

unsigned native_ops_of(enum native_op op)
{
    unsigned count = 0;
    for (unsigned i = 0; i < native.op_count; i++) {
        count += native.ops[i] == op;
    }
    return count;
}
