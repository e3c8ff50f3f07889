/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Info: what stays, what the update task last said, and what depends on the reader. */
#include "snapshot.h"

#include <string.h>

#include "freertos/FreeRTOS.h"
#include "host/ble_att.h"

#include "link.h"
#include "updraft/device_session.h"

/* At an MTU of 498 or more a value of 495 bytes fills two link-layer packets of 251
 * exactly; below, 244 bytes fill one. */
#define MTU_OF_TWO_PACKETS 498u
#define TWO_PACKETS_SIZE   495u
#define ONE_PACKET_SIZE    244u
#define WRITE_OVERHEAD     3u /* opcode and handle of an ATT write */

static struct updraft_info constant;
static struct updraft_snapshot current;
static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;

static uint16_t in_steps(uint32_t left_ms);
static uint16_t best_write_size(uint16_t mtu);

void updraft_snapshot_init(const struct updraft_info *info)
{
    constant = *info;
    memset(&current, 0, sizeof(current));
}

void updraft_snapshot_publish(const struct updraft_snapshot *snapshot)
{
    portENTER_CRITICAL(&lock);
    current = *snapshot;
    portEXIT_CRITICAL(&lock);
}

void updraft_snapshot_read(uint16_t connection, uint8_t ret_value[UPDRAFT_P2_INFO_SIZE])
{
    struct updraft_info info = constant;
    struct updraft_snapshot now;
    portENTER_CRITICAL(&lock);
    now = current;
    portEXIT_CRITICAL(&lock);
    uint16_t owner = updraft_link_owner();
    info.flags = now.flags;
    if (owner != UPDRAFT_CONNECTION_NONE && owner != connection) {
        info.flags |= UPDRAFT_INFO_BUSY;
    }
    info.run_state = now.run_state;
    info.result = now.result;
    info.reason = now.reason;
    info.detail = now.detail;
    memcpy(info.noted_id, now.noted_id, sizeof(info.noted_id));
    if (now.run_state == UPDRAFT_RUN_ON_TRIAL) {
        int32_t left_ms = (int32_t)(now.trial_end_ms - updraft_now_ms());
        info.trial_left_s = left_ms > 0 ? in_steps((uint32_t)left_ms) : 0;
    }
    info.write_size_bytes = best_write_size(ble_att_mtu(connection));
    updraft_info_put(&info, ret_value);
}

/* Seconds, rounded up to tens: on a slow link a long read takes more than one, and its
 * parts must come from the same value. */
static uint16_t in_steps(uint32_t left_ms)
{
    return (uint16_t)((left_ms + 9999u) / 10000u * 10u);
}

static uint16_t best_write_size(uint16_t mtu)
{
    if (mtu >= MTU_OF_TWO_PACKETS) {
        return TWO_PACKETS_SIZE;
    }
    if (mtu >= ONE_PACKET_SIZE + WRITE_OVERHEAD) {
        return ONE_PACKET_SIZE;
    }
    return mtu > WRITE_OVERHEAD ? (uint16_t)(mtu - WRITE_OVERHEAD) : 0;
}
