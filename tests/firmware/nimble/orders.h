/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * What the tests tell the firmware of tests/firmware/nimble: one byte, then a 16-bit
 * argument. */
#ifndef TESTS_NIMBLE_ORDERS_H
#define TESTS_NIMBLE_ORDERS_H

#define ORDER_VALUE_MAX 512

/* 0: the service, 1: a value, 2: orders, 3: writes that are kept, 4: only for encrypted
 * links. */
#define ORDER_UUID128(n)                                                               \
    0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE, 0x01, 0x23, 0x45, 0x67, (n), 0xAB, \
        0xCD, 0xEF

enum order {
    ORDER_NOTIFY = 1, /* argument: bytes */
    ORDER_NOTIFY_WITHOUT_BUFFERS,
    ORDER_INDICATE,
    ORDER_BLOCK_HOST, /* argument: ms */
    ORDER_FREE_HELD,
    ORDER_LEAK,
    ORDER_UPDATE, /* argument: interval, 1.25 ms */
    ORDER_ADVERTISE_TOO_MUCH,
    ORDER_TERMINATE,
    ORDER_CHANGED,
    ORDER_FLASH,
    ORDER_NOTIFY_FROM_TASK,
    ORDER_STOP,
    ORDER_PHY, /* argument: BLE_GAP_LE_PHY_*_MASK */
    ORDER_RESET,
    ORDER_CALLOUT,       /* argument: ms */
    ORDER_FLASH_IN_TASK, /* argument: 0 erases a block, n writes n sectors */
    ORDER_MTU,           /* argument: bytes, from the next connection on */
    ORDER_DATA_LENGTH,   /* argument: bytes of a PDU */
};

#endif
