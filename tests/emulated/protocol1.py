# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""A client of protocol 1 on bleak, written from SPEC.md alone: it shares nothing with
updraft's own client."""

import asyncio
import contextlib

from bleak import BleakClient, BleakScanner
from bleak.backends.bluezdbus import manager
from bleak.exc import BleakError

CONTROL = "7ad671aa-21c0-46a4-b722-270e3ae3d830"
DATA = "23408888-1f40-4cd8-9b89-ca8d45f8a5b0"
FIRMWARE_REVISION = "00002a26-0000-1000-8000-00805f9b34fb"
NOP, REQUEST, REQUEST_ACK, REQUEST_NAK, DONE, DONE_ACK, DONE_NAK = range(7)

# "Time limits of a client"
FIND_S, CONNECT_S, REQUEST_S, DONE_S, RETURN_S = 10, 20, 10, 60, 60


class Refused(Exception):
    """The device answered with a NAK, or with a value that is none of protocol 1's."""


def update_service(services):
    """Any service that holds both characteristics."""
    for service in services:
        if service.get_characteristic(CONTROL) and service.get_characteristic(DATA):
            return service
    raise Refused("there is no service with both characteristics")


async def find(address):
    device = await BleakScanner.find_device_by_address(address, timeout=FIND_S)
    assert device, f"{address} is not in range"
    return device


async def version(address, limit_s=RETURN_S):
    """The Firmware Revision String, as soon as the device can be read."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    while True:
        try:
            device = await find(address)
            async with BleakClient(device, timeout=CONNECT_S) as client:
                return bytes(await client.read_gatt_char(FIRMWARE_REVISION)).decode()
        except (AssertionError, BleakError, KeyError, TimeoutError) as error:
            if loop.time() > deadline:
                raise
            if isinstance(error, KeyError):
                # bleak 0.22 keeps services that BlueZ has removed from a device that stays.
                manager._global_instances.clear()
            await asyncio.sleep(0.2)


async def subscribe(client, characteristic, callback):
    """Learning the MTU, bleak may have acquired notifications and closed the socket at once:
    BlueZ refuses another listener until it has noticed."""
    while True:
        try:
            return await client.start_notify(characteristic, callback)
        except BleakError as error:
            if "Notify acquired" not in str(error):
                raise
            await asyncio.sleep(0.01)


async def update(address, image, response=True):
    """Sends the image, by write requests or by write commands, until DONE_ACK."""
    device = await find(address)
    answers = asyncio.Queue()
    gone = asyncio.Event()
    client = BleakClient(device, timeout=CONNECT_S,
                         disconnected_callback=lambda _client: gone.set())
    await client.connect()
    try:
        service = update_service(client.services)
        control = service.get_characteristic(CONTROL)
        data = service.get_characteristic(DATA)
        await client._backend._acquire_mtu()  # bleak's way to learn the MTU from BlueZ
        packet_size = min(client.mtu_size - 3, 512)
        await subscribe(client, control,
                        lambda _sender, value: answers.put_nowait(value))
        await client.write_gatt_char(data, packet_size.to_bytes(2, "little"), response=True)

        async def ask(opcode, ack, nak, limit_s):
            await client.write_gatt_char(control, bytes([opcode]), response=True)
            while True:
                answer = await asyncio.wait_for(answers.get(), limit_s)
                if bytes(answer) in (bytes([ack]), bytes([nak])):  # others are not for us
                    return answer[0] == ack

        if not await ask(REQUEST, REQUEST_ACK, REQUEST_NAK, REQUEST_S):
            raise Refused("REQUEST")
        for offset in range(0, len(image), packet_size):
            packet = image[offset:offset + packet_size].ljust(packet_size, b"\xff")
            await client.write_gatt_char(data, packet, response=response)
        if not await ask(DONE, DONE_ACK, DONE_NAK, DONE_S):
            raise Refused("DONE")
        await asyncio.wait_for(gone.wait(), RETURN_S)  # it restarts
    finally:
        # bleak closes its bus, with the call open, when the link ends in this moment.
        with contextlib.suppress(BleakError, EOFError):
            await client.disconnect()
    return packet_size
