# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Streams of write commands through an acquired socket, with notifications back: nothing
between the client's socket and the board's host loses or reorders anything."""

import asyncio
import pathlib
import re
import socket

import pytest

from orders import BLOCK_HOST, NOTIFY, order

COUNT = 2000
CONTROL = "7ad671aa-21c0-46a4-b722-270e3ae3d830"
DATA = "23408888-1f40-4cd8-9b89-ca8d45f8a5b0"
REQUEST, REQUEST_ACK, DONE, DONE_ACK = 1, 2, 4, 5


class Stream:
    """The client's end of what AcquireWrite or AcquireNotify gave."""

    def __init__(self, descriptor, mtu):
        self.socket = socket.socket(fileno=descriptor)
        self.socket.setblocking(False)
        self.size = mtu - 3

    async def send(self, packet):
        await asyncio.get_running_loop().sock_sendall(self.socket, packet)

    async def receive(self):
        return await asyncio.wait_for(
            asyncio.get_running_loop().sock_recv(self.socket, 1000), 60)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.socket.close()


async def stream(client, path, member):
    return Stream(*await client.acquire(path, member))


@pytest.mark.parametrize("size", [20, 495])
async def test_2000_write_commands_arrive_in_order_with_notifications_back(sim, client, board,
                                                                           size):
    with await stream(client, board.value, "AcquireWrite") as out, \
            await stream(client, board.value, "AcquireNotify") as back:
        await client.write(board.orders, order(BLOCK_HOST, 100), type="command")
        for number in range(COUNT):
            await out.send(bytes([number & 0xFF] * (size - 1) + [number >> 8]))
            if number % 50 == 0:
                await client.write(board.orders, order(NOTIFY, number % 400 + 1))
                assert len(await back.receive()) == number % 400 + 1
        log = await sim.logged(f"first {COUNT - 1 & 0xFF}, last {COUNT - 1 >> 8}")
    seen = [(int(first), int(last)) for first, last in
            re.findall(rf"value {size} bytes, first (\d+), last (\d+)", log)]
    assert seen == [(number & 0xFF, number >> 8) for number in range(COUNT)]


async def test_socket_is_no_back_pressure(client, sim, board):
    """As with bluetoothd: it takes all, whatever the board does with it. Only a window
    between application and board paces."""
    await client.write(board.orders, order(BLOCK_HOST, 10000), type="command")
    with await stream(client, board.value, "AcquireWrite") as out:
        for _ in range(COUNT):
            await out.send(bytes(out.size))
        assert "value 495" not in sim.log()


@pytest.mark.parametrize("size", ["256K", pytest.param("1M", marks=pytest.mark.long)])
async def test_update_runs_with_a_full_ring_and_loses_nothing(simulate, clients, image, size):
    """The flash takes its time, so that its board's ring is full from the first erase on."""
    sim = simulate(f"esp32,image={image('1.0.0')}", options=["--flash", "typical"])
    new = pathlib.Path(image("1.1.0", size=size)).read_bytes()
    client = await clients(sim)
    device = await client.find()
    await client.join(device)
    paths = await client.characteristics(device)
    with await stream(client, paths[CONTROL], "AcquireNotify") as answers:
        with await stream(client, paths[DATA], "AcquireWrite") as out:
            await out.send(out.size.to_bytes(2, "little"))
            await client.write(paths[CONTROL], [REQUEST])
            assert await answers.receive() == bytes([REQUEST_ACK])
            for offset in range(0, len(new), out.size):
                await out.send(new[offset:offset + out.size])
        await client.write(paths[CONTROL], [DONE])
        assert await answers.receive() == bytes([DONE_ACK])
    await sim.logged("updraft: confirmed")
    assert "running 1.1.0 from ota_0" in sim.log()
