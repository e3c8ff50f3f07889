/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The smallest host above a virtual controller, for tests that speak raw HCI. */
#ifndef TESTS_HCI_HOST_H
#define TESTS_HCI_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/radio/controller.h"
#include "sim/radio/hci.h"

#define HCI_HOST_EVENTS_MAX 512

struct hci_host_event {
    uint64_t at_us;
    uint8_t size; /* of what follows: event code, length, parameters */
    uint8_t bytes[257];
};

struct hci_host {
    sim_loop_t *loop;
    sim_controller_t *controller;
    bool refuse; /* takes nothing */
    unsigned credits;
    uint16_t acl_size;  /* of one of the controller's buffers */
    uint64_t completed; /* packets */
    /* Data. */
    void (*data)(struct hci_host *host, uint16_t handle, uint8_t boundary,
                 const uint8_t *bytes, size_t size);
    void *context;
    uint64_t data_packets;
    uint64_t data_bytes;
    uint64_t data_at_us; /* of the last */
    uint8_t last[HCI_ACL_PAYLOAD_MAX];
    /* Sends as fast as it may: packets of stream_size bytes on stream_handle. */
    uint16_t stream_handle;
    uint16_t stream_size;
    uint64_t stream_sent;
    uint64_t stream_max; /* packets; 0: for ever */
    uint16_t frame_size; /* the packets are fragments of frames of this size; 0: not */
    uint16_t frame_sent; /* of the frame under way */
    /* Every event since the last hci_host_clear; the oldest are lost beyond the maximum.
     */
    size_t events;
    struct hci_host_event event[HCI_HOST_EVENTS_MAX];
};

/* Makes a controller and a host that has set its event masks. */
void hci_host_start(struct hci_host *host, sim_air_t *air, sim_loop_t *loop,
                    const struct sim_controller_config *config);
void hci_host_command(struct hci_host *host, uint16_t opcode, const void *parameters,
                      size_t size);
/* The same, and runs the loop until the answer is there; gives its status. The results
 * after the status go to ret_results (may be NULL). */
uint8_t hci_host_do(struct hci_host *host, uint16_t opcode, const void *parameters,
                    size_t size, uint8_t *ret_results);
bool hci_host_data(struct hci_host *host, uint16_t handle, uint8_t boundary,
                   const void *bytes, size_t size);
void hci_host_stream(struct hci_host *host, uint16_t handle, uint16_t size,
                     uint64_t packets_max);
/* The same with frames of frame_size bytes, in fragments that fill the controller's
 * buffers. */
void hci_host_stream_frames(struct hci_host *host, uint16_t handle, uint16_t frame_size);
void hci_host_clear(struct hci_host *host);
/* The first recorded event with this code (and subevent, if code is LE Meta), or NULL. */
const struct hci_host_event *hci_host_find(const struct hci_host *host, uint8_t code,
                                           uint8_t subevent);
/* Runs the loop until there is such an event, at most limit_us. */
const struct hci_host_event *hci_host_await(struct hci_host *host, uint8_t code,
                                            uint8_t subevent, uint64_t limit_us);
/* Virtual time goes on. */
void hci_host_run(sim_loop_t *loop, uint64_t duration_us);

void hci_host_advertise(struct hci_host *host, const char *name);
/* Connects central to the advertising peripheral; gives both handles. Fails the test when
 * that takes longer than five seconds. */
void hci_host_connect(struct hci_host *central, struct hci_host *peripheral,
                      uint16_t interval, uint16_t timeout, uint16_t *ret_central,
                      uint16_t *ret_peripheral);

#endif
