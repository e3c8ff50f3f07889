/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Loses fragments, and lets frames overtake each other. */
#include "sim/world/packets.h"

#include <string.h>

#include "sim/base/random.h"

/* H4 and HCI ACL data (Core Specification, Vol 4, Part A and Part E, 5.4.2). */
#define H4_ACL             0x02u
#define ACL_HEAD           5u /* with the H4 byte */
#define ACL_BOUNDARY_SHIFT 4u /* in the second byte of the handle */
#define ACL_CONTINUATION   1u
#define L2CAP_HEAD         4u
#define CID_ATT            0x0004u
#define ATT_WRITE_COMMAND  0x52u

#define HELD_MAX  4u /* fragments of a frame */
#define HELD_SIZE 264u
/* As long as a frame waits for another one to pass it. */
#define HELD_US 20000u

struct sim_packets {
    sim_loop_t *loop;
    sim_random_t random;
    bool (*input)(void *context, const uint8_t *packet, size_t size);
    void *context;
    struct sim_packet_faults faults;
    struct sim_packet_counts counts;
    bool losing;
    /* The frame that is held back, as far as it has come. */
    uint8_t held[HELD_MAX][HELD_SIZE];
    uint16_t held_size[HELD_MAX];
    uint32_t held_count;
    uint32_t held_missing; /* bytes of the frame that are still to come */
    sim_event_t timer;
};

static bool happens(sim_packets_t *packets, uint32_t chance)
{
    return chance > 0 && sim_random_below(&packets->random, 1000) < chance;
}

/* Gives what is held to the host, as far as it takes it. */
static void release(sim_packets_t *packets)
{
    uint32_t given = 0;
    while (given < packets->held_count &&
           packets->input(packets->context, packets->held[given],
                          packets->held_size[given])) {
        given++;
    }
    packets->held_count -= given;
    memmove(packets->held, packets->held + given,
            packets->held_count * sizeof(packets->held[0]));
    memmove(packets->held_size, packets->held_size + given,
            packets->held_count * sizeof(packets->held_size[0]));
    if (packets->held_count > 0) {
        sim_loop_after(packets->loop, &packets->timer, HELD_US);
    } else {
        sim_loop_cancel(packets->loop, &packets->timer);
    }
}

static void on_timer(void *context)
{
    release(context);
}

sim_packets_t *sim_packets_new(sim_arena_t *arena, sim_loop_t *loop, uint64_t seed,
                               bool (*input)(void *context, const uint8_t *packet,
                                             size_t size),
                               void *context)
{
    sim_packets_t *packets = sim_arena_alloc(arena, sizeof(*packets));
    packets->loop = loop;
    packets->input = input;
    packets->context = context;
    packets->timer.fire = on_timer;
    packets->timer.context = packets;
    sim_random_seed(&packets->random, seed ^ 0x7061636B657473u);
    return packets;
}

void sim_packets_faults(sim_packets_t *packets, const struct sim_packet_faults *faults)
{
    packets->faults = *faults;
    packets->losing = false;
}

struct sim_packet_counts sim_packets_counts(const sim_packets_t *packets)
{
    return packets->counts;
}

static bool is_continuation(const uint8_t *packet)
{
    return (packet[2] >> ACL_BOUNDARY_SHIFT & 3u) == ACL_CONTINUATION;
}

static bool is_lost(sim_packets_t *packets)
{
    packets->losing = happens(packets, packets->losing ? packets->faults.lose_on
                                                       : packets->faults.lose);
    packets->counts.lost += packets->losing;
    return packets->losing;
}

static void hold(sim_packets_t *packets, const uint8_t *packet, size_t size)
{
    memcpy(packets->held[packets->held_count], packet, size);
    packets->held_size[packets->held_count++] = (uint16_t)size;
    uint32_t payload = (uint32_t)(size - ACL_HEAD);
    packets->held_missing -=
        payload < packets->held_missing ? payload : packets->held_missing;
}

/* Should this begin of a frame wait for the next one? */
static bool begins_to_wait(sim_packets_t *packets, const uint8_t *packet, size_t size)
{
    if (packets->faults.overtake == 0 || is_continuation(packet) ||
        size <= ACL_HEAD + L2CAP_HEAD || size > HELD_SIZE ||
        packet[ACL_HEAD + L2CAP_HEAD] != ATT_WRITE_COMMAND ||
        (packet[ACL_HEAD + 2] | packet[ACL_HEAD + 3] << 8) != CID_ATT ||
        !happens(packets, packets->faults.overtake)) {
        return false;
    }
    packets->held_missing =
        L2CAP_HEAD + (uint32_t)(packet[ACL_HEAD] | packet[ACL_HEAD + 1] << 8);
    return true;
}

bool sim_packets_input(sim_packets_t *packets, const uint8_t *packet, size_t size)
{
    if (size <= ACL_HEAD || packet[0] != H4_ACL) {
        return packets->input(packets->context, packet, size);
    }
    if (is_lost(packets)) {
        return true;
    }
    if (packets->held_count == 0) {
        if (!begins_to_wait(packets, packet, size)) {
            return packets->input(packets->context, packet, size);
        }
        hold(packets, packet, size);
        sim_loop_after(packets->loop, &packets->timer, HELD_US);
        return true;
    }
    /* The rest of the frame that waits; where its timer came first, it goes behind. */
    if (is_continuation(packet) && packets->held_missing > 0 &&
        packets->held_count < HELD_MAX && size <= HELD_SIZE) {
        hold(packets, packet, size);
        return true;
    }
    if (!packets->input(packets->context, packet, size)) {
        return false;
    }
    /* Only once the frame that passes is whole; its rest follows otherwise. */
    uint32_t frame =
        is_continuation(packet)
            ? 0
            : L2CAP_HEAD + (uint32_t)(packet[ACL_HEAD] | packet[ACL_HEAD + 1] << 8);
    if (frame <= size - ACL_HEAD) {
        packets->counts.overtaken++;
        release(packets);
    }
    return true;
}
