/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A board that runs tests/firmware/nimble, and centrals that speak ATT frame by frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/image/image.h"
#include "sim/nimble/nimble_sim.h"
#include "tests/unit/nimble_fixture.h"

#define ATT_ERROR_RESPONSE 0x01
#define ATT_NOTIFICATION   0x1B
#define ATT_INDICATION     0x1D

struct nimble_fixture fixture;

static const struct sim_air_profile timed_air = {
    .name = "timed", .interval_125us_units = 24, .data_length = true, .mtu = 517};

/* The board. */

static void on_log(void *context, const char *line)
{
    (void)context;
    size_t size = strlen(line);
    assert_true(fixture.log_size + size + 2 < sizeof(fixture.log));
    memcpy(fixture.log + fixture.log_size, line, size);
    fixture.log_size += size;
    fixture.log[fixture.log_size++] = '\n';
    fixture.log[fixture.log_size] = '\0';
}

static void on_hci_send(void *context, const uint8_t *packet, size_t size)
{
    (void)context;
    sim_controller_send(fixture.controller, packet, size);
}

static void on_hci_room(void *context)
{
    (void)context;
    sim_controller_kick(fixture.controller);
}

static void on_hci_power(void *context, bool on)
{
    (void)context;
    sim_controller_power(fixture.controller, on);
}

static bool on_packet(void *context, const uint8_t *packet, size_t size)
{
    (void)context;
    return sim_board_hci_input(fixture.board, packet, size);
}

static void make_board(const struct fixture_options *options)
{
    static const struct sim_board_ops ops = {.log = on_log,
                                             .hci_send = on_hci_send,
                                             .hci_room = on_hci_room,
                                             .hci_power = on_hci_power};
    static const struct sim_host_ops host = {.packet = on_packet};
    static uint8_t image[64 * 1024];
    const char *chip = options->chip != NULL ? options->chip : "esp32c3";
    const struct sim_chip_model *model = sim_chip_model_named(chip);
    const struct sim_image_request request = {
        .firmware = options->firmware != NULL ? options->firmware : "nimble",
        .version = "1.0.0",
        .behaviour = options->behaviour,
        .chip_id = model->chip_id};
    size_t size = sim_image_make(&request, image, sizeof(image));
    assert_true(size > 0);
    const char *flash = options->flash != NULL ? options->flash : "ideal";
    fixture.flash =
        sim_flash_new(fixture.arena, 4u << 20, sim_flash_timing(flash), FIXTURE_SEED);
    fixture.chip =
        sim_chip_new(fixture.arena, model, 5,
                     options->idf_minor != 0 ? options->idf_minor : 5, fixture.flash);
    assert_true(sim_chip_flash_factory(fixture.chip, sim_partitions_two_ota,
                                       sim_partitions_two_ota_count));
    assert_true(sim_chip_install(fixture.chip, "factory", image, size));
    const struct sim_controller_config controller = {
        .address = {0x24, 0x0A, 0xC4, 0x00, 0x00, 0x12},
        .phy_2m = model->chip_id != 0,
        .data_length = true};
    fixture.controller = sim_controller_new(fixture.air, &controller, &host, NULL);
    const struct sim_board_config board = {.arena = fixture.arena,
                                           .loop = fixture.loop,
                                           .chip = fixture.chip,
                                           .mac = {0x24, 0x0A, 0xC4, 0x00, 0x00, 0x10},
                                           .firmware_dir = TEST_FIRMWARE_DIR,
                                           .firmware_default = "nimble",
                                           .seed = FIXTURE_SEED,
                                           .preempt = options->preempt,
                                           .allow_flash_in_host_task =
                                               options->allow_flash_in_host_task,
                                           .ops = &ops};
    fixture.board = sim_board_new(&board);
}

static void on_data(struct hci_host *host, uint16_t handle, uint8_t boundary,
                    const uint8_t *bytes, size_t size);

void fixture_open(const struct fixture_options *options)
{
    static const struct fixture_options usual;
    options = options != NULL ? options : &usual;
    memset(&fixture, 0, sizeof(fixture));
    fixture.arena = sim_arena_new(64u << 20);
    fixture.loop = sim_loop_new(fixture.arena);
    fixture.air =
        sim_air_new(fixture.arena, fixture.loop,
                    options->timed ? &timed_air : sim_air_profile("ideal"), FIXTURE_SEED);
    make_board(options);
    uint8_t centrals = options->centrals != 0 ? options->centrals : 1;
    for (uint8_t i = 0; i < centrals; i++) {
        const struct sim_controller_config config = {
            .address = {0x00, 0x1A, 0x7D, 0xDA, 0x71, i},
            .phy_2m = true,
            .data_length = true};
        struct att_link *link = &fixture.central[i];
        hci_host_start(&link->host, fixture.air, fixture.loop, &config);
        const uint8_t longest[4] = {251, 0, 0x48, 0x08}; /* 2120 us */
        hci_host_do(&link->host, HCI_LE_WRITE_DEFAULT_DATA_LENGTH, longest, 4, NULL);
        link->host.data = on_data;
        link->host.context = link;
        link->confirm = true;
    }
    sim_board_power(fixture.board, true);
    if (!options->without_wait) {
        if (!fixture_await("advertise: 0\n", 0, 5000)) {
            fail_msg("the board does not advertise:\n%s", fixture.log);
        }
    }
}

void fixture_close(uint32_t leaked)
{
    fixture_run_ms(100);
    uint32_t missing = sim_nimble_buffers_in_use(fixture.board);
    sim_board_power(fixture.board, false);
    sim_arena_free(fixture.arena);
    assert_int_equal(missing, leaked);
}

bool fixture_wrote(const char *text, size_t mark)
{
    return strstr(fixture.log + mark, text) != NULL;
}

bool fixture_await(const char *text, size_t mark, uint64_t limit_ms)
{
    uint64_t until_us = sim_loop_now_us(fixture.loop) + limit_ms * 1000;
    uint64_t next_us = 0;
    while (!fixture_wrote(text, mark)) {
        if (!sim_loop_next(fixture.loop, &next_us) || next_us > until_us) {
            return false;
        }
        sim_loop_step(fixture.loop);
    }
    return true;
}

void fixture_run_ms(uint64_t ms)
{
    hci_host_run(fixture.loop, ms * 1000);
}

/* The centrals. */

static void take_update(struct att_link *link, const uint8_t *pdu, size_t size)
{
    static const uint8_t confirmation = 0x1E;
    assert_true(link->updates < FIXTURE_UPDATES_MAX);
    struct att_update *update = &link->update[link->updates++];
    update->indication = pdu[0] == ATT_INDICATION;
    update->handle = hci_get_le16(pdu + 1);
    update->size = (uint16_t)(size - 3);
    memcpy(update->bytes, pdu + 3, size - 3);
    if (update->indication && link->confirm) {
        att_send(link, &confirmation, 1);
    }
}

static void take_pdu(struct att_link *link, uint16_t channel, const uint8_t *pdu,
                     size_t size)
{
    if (channel == L2CAP_CHANNEL_SIGNALLING) {
        assert_true(size <= sizeof(link->signal));
        memcpy(link->signal, pdu, size);
        link->signal_size = size;
    } else if (channel == L2CAP_CHANNEL_SMP) {
        assert_true(size <= sizeof(link->smp));
        memcpy(link->smp, pdu, size);
        link->smp_size = size;
    } else if (pdu[0] == ATT_NOTIFICATION || pdu[0] == ATT_INDICATION) {
        take_update(link, pdu, size);
    } else {
        assert_int_equal(link->answer_size, 0); /* one answer to one request */
        memcpy(link->answer, pdu, size);
        link->answer_size = size;
    }
}

static void on_data(struct hci_host *host, uint16_t handle, uint8_t boundary,
                    const uint8_t *bytes, size_t size)
{
    struct att_link *link = host->context;
    assert_int_equal(handle, link->handle);
    if (boundary == HCI_ACL_FIRST) {
        link->rx_size = 0;
    }
    assert_true(link->rx_size + size <= sizeof(link->rx));
    memcpy(link->rx + link->rx_size, bytes, size);
    link->rx_size += size;
    if (link->rx_size >= L2CAP_HEADER_SIZE &&
        link->rx_size == L2CAP_HEADER_SIZE + (size_t)hci_get_le16(link->rx)) {
        take_pdu(link, hci_get_le16(link->rx + 2), link->rx + L2CAP_HEADER_SIZE,
                 link->rx_size - L2CAP_HEADER_SIZE);
    }
}

void l2cap_send_raw(struct att_link *link, uint16_t channel, const void *bytes,
                    size_t size)
{
    uint8_t pdu[L2CAP_HEADER_SIZE + 600];
    assert_true(size <= 600);
    hci_put_le16(pdu, (uint16_t)size);
    hci_put_le16(pdu + 2, channel);
    memcpy(pdu + L2CAP_HEADER_SIZE, bytes, size);
    size += L2CAP_HEADER_SIZE;
    uint64_t until_us = sim_loop_now_us(fixture.loop) + 60000000;
    for (size_t at = 0; at < size;) {
        size_t max = HCI_ACL_PAYLOAD_MAX;
        size_t part = size - at < max ? size - at : max;
        uint8_t boundary = at == 0 ? HCI_ACL_FIRST_FROM_HOST : HCI_ACL_CONTINUATION;
        if (hci_host_data(&link->host, link->handle, boundary, pdu + at, part)) {
            at += part;
        } else if (sim_loop_now_us(fixture.loop) > until_us ||
                   !sim_loop_step(fixture.loop)) {
            fail_msg("credits do not come back:\n%s", fixture.log);
        }
    }
}

void att_send(struct att_link *link, const void *bytes, size_t size)
{
    l2cap_send_raw(link, L2CAP_CHANNEL_ATT, bytes, size);
}

size_t att_request(struct att_link *link, const void *bytes, size_t size)
{
    link->answer_size = 0;
    att_send(link, bytes, size);
    uint64_t until_us = sim_loop_now_us(fixture.loop) + 5000000;
    uint64_t next_us = 0;
    while (link->answer_size == 0) {
        if (!sim_loop_next(fixture.loop, &next_us) || next_us > until_us) {
            fail_msg("no answer to request 0x%02x:\n%s", *(const uint8_t *)bytes,
                     fixture.log);
        }
        sim_loop_step(fixture.loop);
    }
    size_t answered = link->answer_size;
    return answered;
}

uint8_t att_error(const struct att_link *link)
{
    return link->answer[0] == ATT_ERROR_RESPONSE ? link->answer[4] : 0;
}

struct att_link *att_connect_only(size_t index)
{
    struct att_link *link = &fixture.central[index];
    static const uint8_t board[6] = {0x12, 0x00, 0x00, 0xC4, 0x0A, 0x24};
    uint8_t p[25] = {0x10, 0, 0x10, 0};
    memcpy(p + 6, board, 6);
    hci_put_le16(p + 13, 24);
    hci_put_le16(p + 15, 24);
    hci_put_le16(p + 19, 200);
    assert_int_equal(hci_host_do(&link->host, HCI_LE_CREATE_CONNECTION, p, 25, NULL), 0);
    const struct hci_host_event *event = hci_host_await(
        &link->host, HCI_EV_LE_META, HCI_LE_EV_CONNECTION_COMPLETE, 5000000);
    assert_non_null(event);
    assert_int_equal(event->bytes[3], 0);
    link->handle = hci_get_le16(event->bytes + 4);
    link->connected = true;
    link->updates = 0;
    link->rx_size = 0;
    return link;
}

struct att_link *att_connect(size_t index, uint16_t mtu)
{
    size_t mark = fixture.log_size;
    struct att_link *link = att_connect_only(index);
    assert_true(fixture_await("connect 0\n", mark, 1000));
    if (mtu != 0) {
        uint8_t request[3] = {0x02};
        hci_put_le16(request + 1, mtu);
        att_request(link, request, sizeof(request));
        assert_int_equal(link->answer[0], 0x03);
        assert_int_equal(hci_get_le16(link->answer + 1), 498);
    }
    return link;
}

uint16_t att_find(struct att_link *link, const uint8_t uuid[16])
{
    for (uint16_t start = 1; start < 0xFFFF;) {
        uint8_t request[7] = {0x08, 0, 0, 0xFF, 0xFF, 0x03, 0x28};
        hci_put_le16(request + 1, start);
        size_t size = att_request(link, request, sizeof(request));
        if (att_error(link) != 0) {
            break;
        }
        uint8_t entry = link->answer[1];
        for (size_t at = 2; at + entry <= size; at += entry) {
            const uint8_t *declaration = link->answer + at;
            start = (uint16_t)(hci_get_le16(declaration) + 1);
            if (entry == 21 && memcmp(declaration + 5, uuid, 16) == 0) {
                return hci_get_le16(declaration + 3);
            }
        }
    }
    fail_msg("no characteristic %02x%02x...", uuid[15], uuid[14]);
    return 0;
}

uint16_t att_value_handle(struct att_link *link, uint8_t number)
{
    const uint8_t uuid[16] = {ORDER_UUID128(number)};
    return att_find(link, uuid);
}

static size_t put_write(uint8_t *pdu, uint8_t op, uint16_t handle, const void *bytes,
                        size_t size)
{
    pdu[0] = op;
    hci_put_le16(pdu + 1, handle);
    memcpy(pdu + 3, bytes, size);
    return size + 3;
}

uint8_t att_write(struct att_link *link, uint16_t handle, const void *bytes, size_t size)
{
    uint8_t pdu[600];
    att_request(link, pdu, put_write(pdu, 0x12, handle, bytes, size));
    return att_error(link);
}

void att_write_command(struct att_link *link, uint16_t handle, const void *bytes,
                       size_t size)
{
    uint8_t pdu[600];
    att_send(link, pdu, put_write(pdu, 0x52, handle, bytes, size));
}

void give_order(struct att_link *link, uint8_t order, uint16_t argument)
{
    uint8_t bytes[3] = {order};
    hci_put_le16(bytes + 1, argument);
    assert_int_equal(att_write(link, att_value_handle(link, 2), bytes, sizeof(bytes)), 0);
}

void drop_order(struct att_link *link, uint8_t order, uint16_t argument)
{
    uint8_t pdu[6] = {0x12, 0, 0, order};
    hci_put_le16(pdu + 1, att_value_handle(link, 2));
    hci_put_le16(pdu + 4, argument);
    link->answer_size = 0;
    att_send(link, pdu, sizeof(pdu));
}
