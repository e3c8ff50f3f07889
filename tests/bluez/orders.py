# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What the firmware of tests/firmware/nimble takes over the air, as its orders.h has it."""

import struct

VALUE, ORDERS, HELD = (f"efcdab{n:02x}-6745-2301-fedc-ba9876543210" for n in (1, 2, 3))
NOTIFY, BLOCK_HOST, MTU = 1, 4, 18


def order(number, argument=0):
    return struct.pack("<BH", number, argument)
