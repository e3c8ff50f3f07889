/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * The device behind native_fixture's transport, and what it asks of it. */
#ifndef TESTS_NATIVE_DEVICE_H
#define TESTS_NATIVE_DEVICE_H

#include "tests/unit/native_fixture.h"

/* native_fixture.c */
struct native_event *native_post(enum updraft_transport_event_kind kind, int status,
                                 enum updraft_characteristic characteristic,
                                 const uint8_t *bytes, size_t size);
void native_end_link(int status);

/* native_device.c */
void native_device_begin(void);
void native_device_control(const uint8_t *bytes, size_t size);
void native_device_data(const uint8_t *bytes, size_t size);
/* Info is read. */
void native_device_info(uint8_t bytes[UPDRAFT_P2_INFO_SIZE]);
/* The session ends; a restart that was due happens. */
void native_device_link_ended(void);

#endif
