/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Two hosts on one link: what they send goes through virtual controllers, PDU by PDU. */
#include "bench/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/radio/hci.h"

#define FRAME_MAX     (L2CAP_HEADER_SIZE + 517)
#define SET_UP_US_MAX 60000000u

static void die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    abort();
}

/* ---- commands, for setting up ---- */

static void command(struct bench_host *host, uint16_t opcode, const void *parameters,
                    size_t size)
{
    uint8_t packet[HCI_COMMAND_HEADER_SIZE + 255];
    host->answered = false;
    size_t whole = hci_put_command(packet, opcode, parameters, size);
    sim_controller_send(host->controller, packet, whole);
    while (!host->answered) {
        if (!sim_loop_step(host->link->loop)) {
            die("a controller does not answer");
        }
    }
    if (host->status != HCI_SUCCESS) {
        fprintf(stderr, "bench: command %04x: status %02x\n", opcode, host->status);
        abort();
    }
}

static void await(struct bench_link *link, const bool *flag, const char *what)
{
    uint64_t until_us = sim_loop_now_us(link->loop) + SET_UP_US_MAX;
    while (!*flag) {
        if (sim_loop_now_us(link->loop) > until_us || !sim_loop_step(link->loop)) {
            die(what);
        }
    }
}

static void le_event(struct bench_host *host, const uint8_t *bytes)
{
    switch (bytes[0]) {
    case HCI_LE_EV_CONNECTION_COMPLETE:
        host->connected = bytes[1] == HCI_SUCCESS;
        host->handle = hci_get_le16(bytes + 2);
        break;
    case HCI_LE_EV_DATA_LENGTH_CHANGE:
        host->length_changed = true;
        break;
    case HCI_LE_EV_PHY_UPDATE_COMPLETE:
        host->phy_changed = bytes[5] == HCI_PHY_2M;
        break;
    default:
        break;
    }
}

/* ---- frames ---- */

static uint16_t att_size(const struct bench_frame *frame)
{
    bool bare =
        frame->opcode == BENCH_WRITE_RESPONSE || frame->opcode == BENCH_CONFIRMATION;
    return (uint16_t)(bare ? 1 : 3 + frame->value_size);
}

static bool next_frame(struct bench_host *host)
{
    struct bench_frame frame;
    uint64_t now_us = sim_loop_now_us(host->link->loop);
    if (now_us < host->next_frame_us) {
        sim_loop_at(host->link->loop, &host->pace, host->next_frame_us);
        return false;
    }
    if (!host->next(host->context, &frame)) {
        return false;
    }
    host->next_frame_us = now_us + host->frame_us;
    host->output_size = (uint16_t)(L2CAP_HEADER_SIZE + att_size(&frame));
    host->output_sent = 0;
    if (host->output_size > FRAME_MAX) {
        die("a frame longer than any MTU");
    }
    struct bench_host *peer = host->peer;
    if (peer->expected_count == BENCH_FRAMES_MAX) {
        die("too many frames on their way");
    }
    peer->expected[(peer->expected_first + peer->expected_count) % BENCH_FRAMES_MAX] =
        frame;
    peer->expected_count++;
    return true;
}

static void pump(void *context)
{
    struct bench_host *host = context;
    uint8_t packet[HCI_ACL_HEADER_SIZE + HCI_ACL_PAYLOAD_MAX] = {0};
    while (host->credits > 0 && (host->output_size > 0 || next_frame(host))) {
        uint16_t size = (uint16_t)(host->output_size - host->output_sent);
        size = size < host->acl_size ? size : host->acl_size;
        hci_put_acl_header(packet, host->handle,
                           host->output_sent == 0 ? HCI_ACL_FIRST_FROM_HOST
                                                  : HCI_ACL_CONTINUATION,
                           size);
        if (host->output_sent == 0) {
            hci_put_le16(packet + HCI_ACL_HEADER_SIZE,
                         (uint16_t)(host->output_size - L2CAP_HEADER_SIZE));
            hci_put_le16(packet + HCI_ACL_HEADER_SIZE + 2, L2CAP_CHANNEL_ATT);
        }
        host->credits--;
        host->output_sent = (uint16_t)(host->output_sent + size);
        if (host->output_sent == host->output_size) {
            host->output_size = 0;
        }
        sim_controller_send(host->controller, packet, HCI_ACL_HEADER_SIZE + size);
    }
}

void bench_host_wake(struct bench_host *host)
{
    if (!sim_event_armed(&host->wake)) {
        sim_loop_after(host->link->loop, &host->wake, 0);
    }
}

static void take_data(struct bench_host *host, const uint8_t *packet, size_t size)
{
    uint16_t payload = (uint16_t)(size - HCI_ACL_HEADER_SIZE);
    if (HCI_ACL_BOUNDARY(hci_get_le16(packet + 1)) == HCI_ACL_FIRST) {
        host->input_left =
            (uint16_t)(L2CAP_HEADER_SIZE + hci_get_le16(packet + HCI_ACL_HEADER_SIZE));
    }
    if (payload > host->input_left || host->expected_count == 0) {
        die("more arrived than was sent");
    }
    host->input_left = (uint16_t)(host->input_left - payload);
    if (host->input_left > 0) {
        return;
    }
    struct bench_frame frame = host->expected[host->expected_first];
    host->expected_first = (host->expected_first + 1) % BENCH_FRAMES_MAX;
    host->expected_count--;
    host->received(host->context, &frame);
}

static bool take_packet(void *context, const uint8_t *packet, size_t size)
{
    struct bench_host *host = context;
    if (host->stalled) {
        return false;
    }
    if (packet[0] == HCI_H4_ACL) {
        take_data(host, packet, size);
        return true;
    }
    switch (packet[1]) {
    case HCI_EV_COMMAND_COMPLETE:
        host->status = packet[6];
        host->result16 = size >= 9 ? hci_get_le16(packet + 7) : 0;
        host->result8 = size >= 10 ? packet[9] : 0;
        host->answered = true;
        if (size >= 13) {
            memcpy(host->result, packet + 7, 6);
        }
        break;
    case HCI_EV_COMMAND_STATUS:
        host->status = packet[3];
        host->answered = true;
        break;
    case HCI_EV_NUMBER_OF_COMPLETED_PACKETS:
        host->credits += hci_get_le16(packet + 6);
        bench_host_wake(host);
        break;
    case HCI_EV_DISCONNECTION_COMPLETE:
        host->lost = true;
        break;
    case HCI_EV_LE_META:
        le_event(host, packet + 3);
        break;
    default:
        break;
    }
    return true;
}

static void start_host(struct bench_link *link, struct bench_host *host,
                       const struct sim_controller_config *config)
{
    static const struct sim_host_ops ops = {.packet = take_packet};
    uint8_t all[8];
    memset(all, 0xFF, sizeof(all));
    host->link = link;
    host->wake = (sim_event_t){.fire = pump, .context = host};
    host->pace = (sim_event_t){.fire = pump, .context = host};
    host->controller = sim_controller_new(link->air, config, &ops, host);
    command(host, HCI_RESET, NULL, 0);
    command(host, HCI_SET_EVENT_MASK, all, sizeof(all));
    command(host, HCI_LE_SET_EVENT_MASK, all, sizeof(all));
    command(host, HCI_LE_READ_BUFFER_SIZE, NULL, 0);
    host->acl_size = host->result16;
    host->credits = host->result8;
}

static void connect(struct bench_link *link, const struct sim_air_profile *profile)
{
    uint8_t advertising[15] = {0xA0, 0, 0xA0, 0};
    const uint8_t on = 1;
    advertising[13] = 7;
    command(&link->board, HCI_LE_SET_ADV_PARAMETERS, advertising, sizeof(advertising));
    command(&link->board, HCI_LE_SET_ADV_ENABLE, &on, 1);
    command(&link->board, HCI_READ_BD_ADDR, NULL, 0);
    uint8_t create[25] = {0x10, 0, 0x10, 0};
    memcpy(create + 6, link->board.result, 6);
    hci_put_le16(create + 13, profile->interval_125us_units);
    hci_put_le16(create + 15, profile->interval_125us_units);
    hci_put_le16(create + 19, (uint16_t)(profile->supervision_timeout_ms / 10));
    command(&link->central, HCI_LE_CREATE_CONNECTION, create, sizeof(create));
    await(link, &link->central.connected, "no connection");
    await(link, &link->board.connected, "no connection");
}

static void negotiate(struct bench_link *link, const struct sim_air_profile *profile)
{
    struct bench_host *hosts[] = {&link->central, &link->board};
    if (profile->data_length) {
        for (size_t i = 0; i < 2; i++) {
            uint8_t length[6];
            hosts[i]->length_changed = false;
            hci_put_le16(length, hosts[i]->handle);
            hci_put_le16(length + 2, 251);
            hci_put_le16(length + 4, 2120);
            command(hosts[i], HCI_LE_SET_DATA_LENGTH, length, sizeof(length));
            await(link, &hosts[i]->length_changed, "no data length");
        }
    }
    if (profile->phy_2m) {
        uint8_t phy[7] = {0, 0, 0, HCI_PHY_MASK_2M, HCI_PHY_MASK_2M, 0, 0};
        hci_put_le16(phy, link->central.handle);
        command(&link->central, HCI_LE_SET_PHY, phy, sizeof(phy));
        await(link, &link->central.phy_changed, "no 2M PHY");
    }
}

void bench_link_open(struct bench_link *link, sim_arena_t *arena,
                     const struct bench_settings *settings)
{
    memset(link, 0, sizeof(*link));
    const struct sim_air_profile *profile = &settings->air;
    link->loop = sim_loop_new(arena);
    link->air = sim_air_new(arena, link->loop, profile, settings->seed);
    struct sim_controller_config config = {.address = {0xC0, 0, 0, 0, 0, 1},
                                           .phy_2m = profile->phy_2m,
                                           .data_length = profile->data_length};
    link->central.peer = &link->board;
    link->board.peer = &link->central;
    start_host(link, &link->central, &config);
    config.address[5] = 2;
    config.rx_pdus = settings->rx_pdus;
    config.host_us = profile->board_host_us;
    start_host(link, &link->board, &config);
    connect(link, profile);
    negotiate(link, profile);
    link->central.frame_us = profile->central_host_us;
}
