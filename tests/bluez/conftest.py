# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Clients of the emulated BlueZ, and a board that does what it is told over the air."""

import struct

import pytest

import bus_client

# What tests/firmware/nimble/orders.h names.
VALUE, ORDERS, HELD = (f"efcdab{n:02x}-6745-2301-fedc-ba9876543210" for n in (1, 2, 3))
NOTIFY, BLOCK_HOST, MTU = 1, 4, 18


def order(number, argument=0):
    return struct.pack("<BH", number, argument)


class Board:
    """Paths of a connected board with the firmware of tests/firmware/nimble."""

    def __init__(self, device, paths):
        self.device = device
        self.paths = paths
        self.value = paths[VALUE]
        self.orders = paths[ORDERS]
        self.held = paths[HELD]


@pytest.fixture
async def clients():
    """await clients(simulation) connects one more client to its bus."""
    connected = []

    async def connect(sim):
        connected.append(await bus_client.Client.connect(sim.bus_address))
        return connected[-1]

    yield connect
    for client in connected:
        if client.bus.connected:
            await client.close()


@pytest.fixture
def sim(simulate):
    return simulate("esp32,firmware=nimble")


@pytest.fixture
async def client(sim, clients):
    return await clients(sim)


@pytest.fixture
async def board(client):
    device = await client.find()
    await client.join(device)
    return Board(device, await client.characteristics(device))
