/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * ESP-IDF as the device sees it, with a real thread for each task. */
#ifndef THREADS_FIXTURE_H
#define THREADS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/ble_gap.h"

/* For ThreadSanitizer. What stands in here orders nothing by itself (relaxed atomics),
 * but where ESP-IDF's or NimBLE's own does by a lock: so the device's sources have to.
 *
 * Time is virtual. It passes where the host task waits (threads_wait) and the update task
 * has nothing to do until a deadline; and where the update task sleeps. */

#define THREADS_HANDLES   4u
#define THREADS_SLOT_SIZE (64u * 1024u)

enum threads_characteristic {
    THREADS_CONTROL,
    THREADS_DATA,
    THREADS_INFO,
};

/* Runs in the host task, in nimble_port_run's place. Before updraft_start. */
void threads_begin(void (*host)(void));
/* Ends when both tasks have: the update task restarts the chip. The first thing that went
 * wrong in one of them, or "". */
const char *threads_end(void);
void threads_fail(const char *what, int number);

/* The host task calls these. */
void threads_sync(void);
void threads_reset(void);
bool threads_advertises(void);
/* As NimBLE may, without a word. */
void threads_stop_advertising(void);
/* So many more attempts to advertise fail. */
void threads_refuse_advertising(uint32_t count);
bool threads_is_alive(uint16_t handle);
/* Begins or ends a link; not told: no GAP event. */
void threads_connect(uint16_t handle);
void threads_disconnect(uint16_t handle, bool is_told);
void threads_subscribe(uint16_t handle);
/* Ends the links that the device asked to end. */
void threads_end_terminated(void);
/* An ATT error, or 0. read: of ret_bytes, at most 255. */
int threads_write(uint16_t handle, enum threads_characteristic to, const uint8_t *bytes,
                  uint16_t size);
int threads_read(uint16_t handle, enum threads_characteristic from, uint8_t *ret_bytes,
                 uint16_t *ret_size);
/* The next notification. */
bool threads_notified(uint16_t handle, uint8_t *ret_bytes, uint16_t *ret_size);
/* Lets the update task run, and time pass if it has nothing to do. False after a minute
 * of one wait, which is counted from *start_us, 0 at first. */
bool threads_wait(uint64_t *start_us);
bool threads_restarted(void);

/* Any task. Sleeps for a moment of real time. */
void threads_pause(void);

#endif
