/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * SPEC's "Protocol 2", the device's side, for one connection. */
#include "tests/unit/device2_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { IDLE, MANIFEST, READY, RECEIVING, VERIFYING, VERIFIED, RESTARTING };
enum { OK = 0, WRONG_STATE = 2, HASH = 40, BAD_RANGE = 44 };
enum { BUSY = 1, WANT = 2 };

static uint32_t le(const uint8_t *bytes, size_t size)
{
    uint32_t value = 0;
    while (size-- > 0) {
        value = value << 8 | bytes[size];
    }
    return value;
}

static void put(uint8_t *bytes, uint32_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}

/* CRC-32 of IEEE 802.3, bit by bit. */
static uint32_t crc32_of(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }
    }
    return ~crc;
}

static bool is_streaming(const struct device2_model *model)
{
    return model->state == MANIFEST || model->state == RECEIVING;
}

static void tell(struct device2_model *model, uint8_t status, uint8_t flags,
                 uint32_t detail, uint32_t now_ms)
{
    uint8_t bytes[16] = {0x80, model->state, status, flags, model->session};
    uint32_t promised_ms = is_streaming(model) ? 1500 : 0;
    if (model->busy_until_ms > now_ms) {
        promised_ms = model->busy_until_ms - now_ms + 100;
    }
    assert_true(promised_ms <= 25500);
    bytes[5] = (uint8_t)(promised_ms / 100);
    model->told_next = model->next;
    model->limit = (uint16_t)(model->next + model->window_chunks);
    put(bytes + 6, model->next, 2);
    put(bytes + 8, model->limit, 2);
    if (status == OK && model->state == READY) {
        uint8_t first[4096];
        memcpy(first, model->slot, sizeof(first));
        memset(first, 0xFF, 32);
        detail = crc32_of(first, sizeof(first));
    }
    put(bytes + 12, detail, 4);
    model->report_due_ms =
        (model->busy_until_ms > now_ms ? model->busy_until_ms : now_ms) + 1000;
    link2_notify(model->link, bytes, sizeof(bytes), now_ms);
}

static void begin_stream(struct device2_model *model)
{
    model->next = (uint16_t)(model->next + model->window_chunks);
    model->wanted = false;
}

static void open(struct device2_model *model, const uint8_t *bytes, uint32_t now_ms)
{
    uint32_t nonce = le(bytes + 8, 4);
    assert_int_equal(bytes[1], 2);
    assert_int_equal(bytes[3], 0);
    assert_int_equal(le(bytes + 4, 2), 404);
    if (model->state == IDLE || nonce != model->nonce) {
        model->nonce = nonce;
        model->session = (uint8_t)(model->session % 255 + 1);
        model->state = MANIFEST;
        model->write_size = (uint16_t)le(bytes + 6, 2);
        assert_true(model->write_size >= 20 && model->write_size <= 512);
        begin_stream(model);
        model->at_bytes = 0;
        model->end_bytes = 404;
    }
    tell(model, OK, 0, 0, now_ms);
}

static void range(struct device2_model *model, const uint8_t *bytes, uint32_t now_ms)
{
    uint32_t start = le(bytes + 4, 4);
    uint32_t end = start + le(bytes + 8, 4);
    if (model->state != READY) {
        tell(model, WRONG_STATE, 0, 0, now_ms);
        return;
    }
    assert_int_equal(start % 4096, 0);
    assert_true(start < end && end <= model->file->size_bytes);
    assert_true(end % 4096 == 0 || end == model->file->size_bytes);
    model->range_count++;
    model->state = RECEIVING;
    model->at_bytes = start;
    model->end_bytes = end;
    model->finish = (bytes[2] & 1) != 0;
    memset(model->slot + start, 0xFF, ((end - start) + 4095) / 4096 * 4096);
    begin_stream(model);
    model->busy_until_ms = now_ms + model->erase_ms;
    tell(model, OK, model->erase_ms > 0 ? BUSY : 0, start, now_ms);
}

static void map(struct device2_model *model, const uint8_t *bytes, uint32_t now_ms)
{
    uint32_t sector = le(bytes + 2, 2);
    uint32_t end = sector + le(bytes + 4, 2);
    if (model->state != READY) {
        tell(model, WRONG_STATE, 0, 0, now_ms);
        return;
    }
    assert_true(sector < end && end <= (model->file->size_bytes + 4095) / 4096);
    while (sector < end) {
        uint8_t report[512] = {0x82, model->session};
        size_t size = 4;
        put(report + 2, sector, 2);
        for (; sector < end && size + 4 <= model->write_size; sector++, size += 4) {
            put(report + size, crc32_of(model->slot + sector * 4096, 4096), 4);
        }
        link2_notify(model->link, report, size, now_ms);
    }
}

static void verify(struct device2_model *model, uint32_t now_ms)
{
    model->state = VERIFYING;
    model->verify_count++;
    model->busy_until_ms = now_ms + model->verify_ms;
    tell(model, OK, 0, 0, now_ms);
}

static void verified(struct device2_model *model, uint32_t now_ms)
{
    const struct link2_file *file = model->file;
    bool same = memcmp(model->slot + 32, file->bytes + 32, file->size_bytes - 32) == 0 &&
                !model->never_matches;
    model->state = same ? VERIFIED : READY;
    tell(model, same ? OK : HASH, 0, 0, now_ms);
}

static void activate(struct device2_model *model, const uint8_t *bytes, uint32_t now_ms)
{
    if (model->state != VERIFIED && model->state != RESTARTING) {
        tell(model, WRONG_STATE, 0, 0, now_ms);
        return;
    }
    assert_memory_equal(bytes + 2, model->file->image_id, 8);
    memcpy(model->slot, model->file->bytes, 32);
    model->confirm_by = bytes[1];
    model->activated = true;
    model->state = RESTARTING;
    tell(model, OK, 0, 0, now_ms);
}

static void control(void *context, const uint8_t *bytes, size_t size, uint32_t now_ms)
{
    static const uint8_t sizes[] = {12, 12, 6, 2, 10, 9, 10, 2, 2};
    struct device2_model *model = context;
    assert_true(bytes[0] >= 0x10 && bytes[0] <= 0x18);
    assert_int_equal(size, sizes[bytes[0] - 0x10]);
    bool is_bound = bytes[0] >= 0x11 && bytes[0] <= 0x13;
    if (bytes[0] == model->refuse_opcode && model->refuse_left > 0) {
        model->refuse_left--;
        tell(model, model->refuse_status, 0, model->refuse_detail, now_ms);
    } else if (is_bound && (bytes[1] != model->session || model->state == IDLE)) {
        tell(model, WRONG_STATE, 0, 0, now_ms);
    } else if (bytes[0] == 0x10) {
        open(model, bytes, now_ms);
    } else if (bytes[0] == 0x11) {
        range(model, bytes, now_ms);
    } else if (bytes[0] == 0x12) {
        map(model, bytes, now_ms);
    } else if (bytes[0] == 0x13 && model->state == READY) {
        verify(model, now_ms);
    } else if (bytes[0] == 0x13) {
        tell(model, WRONG_STATE, 0, 0, now_ms);
    } else if (bytes[0] == 0x14) {
        activate(model, bytes, now_ms);
    } else {
        assert_int_equal(bytes[0], 0x18);
        tell(model, OK, 0, 0, now_ms);
    }
}

static void manifest_complete(struct device2_model *model, uint32_t now_ms)
{
    assert_memory_equal(model->manifest, model->file->manifest, 404);
    model->state = model->manifest_status == OK ? READY : IDLE;
    tell(model, model->manifest_status, 0, model->refuse_detail, now_ms);
}

static void store(struct device2_model *model, const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        uint32_t at = model->at_bytes + i;
        if (model->state == MANIFEST) {
            model->manifest[at] = bytes[i];
        } else if (at >= 32) {
            model->slot[at] = bytes[i];
        }
    }
    if (model->state == RECEIVING) {
        model->chunk_count++;
        model->taken_bytes += size;
        if (model->spoil_left > 0 && model->chunk_count % model->spoil_every == 0) {
            model->slot[model->at_bytes + size - 1] ^= 0x55;
            model->spoil_left--;
        }
    }
    model->at_bytes += size;
    model->next++;
    model->wanted = false;
}

static void data(void *context, const uint8_t *bytes, size_t size, uint32_t now_ms)
{
    struct device2_model *model = context;
    uint16_t ahead = (uint16_t)(le(bytes, 2) - model->next);
    assert_true(size > 2 && size <= model->write_size);
    /* The client knows no later limit than the last one told. */
    assert_true((int16_t)(uint16_t)(le(bytes, 2) - model->limit) < 0);
    if (!is_streaming(model) || ahead > INT16_MAX) {
        return;
    }
    uint32_t left = model->end_bytes - model->at_bytes;
    uint32_t expected = model->write_size - 2u < left ? model->write_size - 2u : left;
    if (ahead > 0) {
        if (!model->wanted) {
            model->wanted = true;
            tell(model, OK, WANT, model->at_bytes, now_ms);
        }
        return;
    }
    assert_int_equal(size, expected + 2);
    store(model, bytes + 2, expected);
    model->report_due_ms = now_ms + 1000;
    if (model->at_bytes == model->end_bytes && model->state == MANIFEST) {
        manifest_complete(model, now_ms);
    } else if (model->at_bytes == model->end_bytes && model->finish) {
        verify(model, now_ms);
    } else if (model->at_bytes == model->end_bytes) {
        model->state = READY;
        tell(model, OK, 0, 0, now_ms);
    } else if ((uint16_t)(model->next - model->told_next) >=
               model->window_chunks - model->window_chunks / 4u) {
        tell(model, OK, 0, model->at_bytes, now_ms);
    }
}

static bool deadline(void *context, uint32_t *ret_deadline_ms)
{
    struct device2_model *model = context;
    if (model->state == VERIFYING) {
        *ret_deadline_ms = model->busy_until_ms;
        return true;
    }
    *ret_deadline_ms = model->report_due_ms;
    return is_streaming(model);
}

static void tick(void *context, uint32_t now_ms)
{
    struct device2_model *model = context;
    if (model->state == VERIFYING && now_ms >= model->busy_until_ms) {
        verified(model, now_ms);
    } else if (is_streaming(model) && now_ms >= model->report_due_ms) {
        tell(model, OK, WANT, model->at_bytes, now_ms);
    }
}

/* While it is busy it does not look at what has arrived. */
static void busy_control(void *context, const uint8_t *bytes, size_t size,
                         uint32_t now_ms)
{
    struct device2_model *model = context;
    bool erasing = model->state == RECEIVING && now_ms < model->busy_until_ms;
    control(context, bytes, size, erasing ? model->busy_until_ms : now_ms);
}

static void busy_data(void *context, const uint8_t *bytes, size_t size, uint32_t now_ms)
{
    struct device2_model *model = context;
    bool erasing = model->state == RECEIVING && now_ms < model->busy_until_ms;
    data(context, bytes, size, erasing ? model->busy_until_ms : now_ms);
}

void device2_model_init(struct device2_model *model, struct link2 *link,
                        const struct link2_file *file)
{
    memset(model, 0, sizeof(*model));
    model->link = link;
    model->file = file;
    model->window_chunks = 16;
    model->verify_ms = 300;
    memset(model->slot, 0x5A, sizeof(model->slot));
}

void device2_model_reconnect(struct device2_model *model)
{
    model->state = IDLE;
    model->busy_until_ms = 0;
}

struct link2_device device2_model_device(struct device2_model *model)
{
    return (struct link2_device){.context = model,
                                 .control = busy_control,
                                 .data = busy_data,
                                 .tick = tick,
                                 .deadline = deadline};
}

bool device2_model_has_file(const struct device2_model *model)
{
    return memcmp(model->slot, model->file->bytes, model->file->size_bytes) == 0;
}
