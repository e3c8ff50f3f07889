/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * A scripted controller with one peripheral behind it, for tests of the central's host
 * alone: it takes the place of sim/radio. */
#ifndef FAKE_PERIPHERAL_H
#define FAKE_PERIPHERAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/loop.h"
#include "sim/radio/controller.h"

#define FAKE_ATTRIBUTES_MAX 32
#define FAKE_FRAMES_MAX     512

/* One attribute; 16-bit types only, characteristics of 16-bit UUIDs. */
struct fake_attribute {
    uint16_t handle;
    uint16_t type;
    uint16_t group_end; /* of a service declaration */
    uint8_t value[512];
    size_t size;
};

/* The one controller that sim_controller_new gives out. Set the script before. */
struct fake_peripheral {
    /* script */
    sim_loop_t *loop;
    uint8_t address[6]; /* as printed */
    bool advertising;
    bool mute;          /* never answers ATT requests */
    bool refuse_create; /* LE Create Connection never completes */
    bool hold_packets;  /* completed packets are not reported */
    uint16_t mtu;
    uint8_t acl_count; /* ACL buffers */
    uint8_t error_at;  /* opcode of a request that is answered with error_code */
    uint8_t error_code;
    struct fake_attribute attributes[FAKE_ATTRIBUTES_MAX];
    size_t attribute_count;

    /* what happened: the ATT PDUs that came, in order */
    uint8_t frames[FAKE_FRAMES_MAX][520];
    size_t frame_sizes[FAKE_FRAMES_MAX];
    size_t frame_count;
    size_t acl_held; /* packets neither processed nor given back */
    bool scanning;
    bool connected;
    bool creating;
    uint8_t prepared[600];
    size_t prepared_size;
};

extern struct fake_peripheral fake;

/* Zeroes the script and fills in what every test wants. */
void fake_reset(sim_loop_t *loop);
struct fake_attribute *fake_add(uint16_t handle, uint16_t type, const void *value,
                                size_t size);
/* One service (0x1234) with a value of each kind, Service Changed in front; hash NULL:
 * none. */
void fake_add_services(const uint8_t *hash);
/* An advertising report reaches the central. */
void fake_advertise(void);
void fake_send(const void *pdu, size_t size);
void fake_signal(const void *frame, size_t size, uint16_t channel);
void fake_drop(uint8_t reason);
void fake_release_packets(void);
size_t fake_frames_of(uint8_t opcode);

#endif
