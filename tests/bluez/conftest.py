# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Clients of the emulated BlueZ, and a board that does what it is told over the air."""

import pytest

import bus_client
import orders

class Board:
    """Paths of a connected board with the firmware of tests/firmware/nimble."""

    def __init__(self, device, paths):
        self.device = device
        self.paths = paths
        self.value = paths[orders.VALUE]
        self.orders = paths[orders.ORDERS]
        self.held = paths[orders.HELD]


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
