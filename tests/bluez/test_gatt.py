# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Characteristics of the emulated BlueZ refuse, and tell, as those of bluetoothd 5.66 do."""

import asyncio
import os
import re
import select
import socket

import pytest

from bus_client import CHARACTERISTIC, DEVICE, variants
from orders import BLOCK_HOST, MTU, NOTIFY, order

DESCRIPTOR = "org.bluez.GattDescriptor1"


async def refused(client, path, member, *body, signature=""):
    return await client.refusal(path, CHARACTERISTIC, member, *body, signature=signature)


async def acquire_refused(client, path, member):
    return await refused(client, path, member, {}, signature="a{sv}")


async def write_refused(client, path, value=b"x", **options):
    return await refused(client, path, "WriteValue", value, variants(options),
                         signature="aya{sv}")


NOT_SUPPORTED = ("NotSupported", "Operation is not supported")
IN_PROGRESS = ("InProgress", "In Progress")
NOT_CONNECTED = ("Failed", "Not connected")
WRITE_ACQUIRED = ("NotPermitted", "Write acquired")
NOTIFY_ACQUIRED = ("NotPermitted", "Notify acquired")


# ---- AcquireWrite ----

async def test_acquire_write_needs_write_without_response(client, board):
    assert await acquire_refused(client, board.orders, "AcquireWrite") == NOT_SUPPORTED
    assert "WriteAcquired" not in (await client.objects())[board.orders][CHARACTERISTIC]


async def test_acquired_write_locks_out_everybody_else(sim, clients, client, board):
    other = await clients(sim)
    descriptor, mtu = await client.acquire(board.value, "AcquireWrite")
    assert mtu == 498
    await client.until_changed(board.value, "WriteAcquired", True)
    for each in (client, other):
        assert await acquire_refused(each, board.value, "AcquireWrite") == WRITE_ACQUIRED
        assert await write_refused(each, board.value) == WRITE_ACQUIRED
        assert await write_refused(each, board.value, type="command") == WRITE_ACQUIRED
    os.close(descriptor)
    await client.until_changed(board.value, "WriteAcquired", False)
    await other.write(board.value, b"x")


async def test_what_was_acquired_is_free_when_its_owner_leaves_the_bus(sim, clients, client,
                                                                       board):
    other = await clients(sim)
    descriptors = [(await other.acquire(board.value, member))[0]
                   for member in ("AcquireWrite", "AcquireNotify")]
    await other.close()
    for descriptor in descriptors:
        os.close(descriptor)
    await client.until_changed(board.value, "WriteAcquired", False)
    await client.until_changed(board.value, "NotifyAcquired", False)
    await client.write(board.value, b"x")
    await client.gatt(board.value, "StartNotify")


async def test_packets_of_an_acquired_socket_are_write_commands(sim, client, board):
    descriptor, mtu = await client.acquire(board.value, "AcquireWrite")
    os.write(descriptor, bytes(range(1, 6)))
    os.write(descriptor, bytes(mtu - 2))  # longer than a command: dropped, no word said
    os.write(descriptor, bytes([7] * (mtu - 3)))
    log = await sim.logged("first 7")
    os.close(descriptor)
    assert re.findall(r"value (\d+) bytes", log) == ["5", str(mtu - 3)]


async def test_packets_of_more_than_512_bytes_are_cut(sim, client, board):
    await client.write(board.orders, order(MTU, 517))
    await client.call(board.device, DEVICE, "Disconnect")
    await client.join(board.device)
    descriptor, mtu = await client.acquire(board.value, "AcquireWrite")
    assert mtu == 517
    os.write(descriptor, bytes([1] * 511 + [2] + [3] * 100))
    await sim.logged("value 512 bytes, first 1, last 2")
    os.close(descriptor)


# ---- AcquireNotify, StartNotify ----

async def test_acquire_notify_needs_notify(client, board):
    assert await acquire_refused(client, board.orders, "AcquireNotify") == NOT_SUPPORTED
    assert await refused(client, board.orders, "StartNotify") == NOT_SUPPORTED


async def test_nobody_acquires_notifications_that_another_listens_to(sim, clients, client,
                                                                     board):
    other = await clients(sim)
    await client.gatt(board.value, "StartNotify")
    for each in (client, other):
        assert await acquire_refused(each, board.value, "AcquireNotify") == IN_PROGRESS
    await client.gatt(board.value, "StopNotify")
    descriptor, _ = await other.acquire(board.value, "AcquireNotify")
    os.close(descriptor)


async def test_acquired_notifications_lock_out_start_notify(sim, clients, client, board):
    other = await clients(sim)
    descriptor, mtu = await client.acquire(board.value, "AcquireNotify")
    assert mtu == 498
    for each in (client, other):
        assert await refused(each, board.value, "StartNotify") == NOTIFY_ACQUIRED
        assert await acquire_refused(each, board.value, "AcquireNotify") == NOTIFY_ACQUIRED
    assert await client.get(board.value, CHARACTERISTIC, "Notifying") is False
    os.close(descriptor)
    await client.until_changed(board.value, "NotifyAcquired", False)
    await other.gatt(board.value, "StartNotify")


async def test_stop_notify_ends_an_acquired_socket(client, board):
    descriptor, _ = await client.acquire(board.value, "AcquireNotify")
    await client.gatt(board.value, "StopNotify")
    assert os.read(descriptor, 1) == b""
    os.close(descriptor)


async def test_acquired_notifications_come_one_a_packet_and_as_no_signal(client, board):
    descriptor, _ = await client.acquire(board.value, "AcquireNotify")
    sizes = [1, 20, 495]
    for size in sizes:
        await client.write(board.orders, order(NOTIFY, size))
    with socket.socket(fileno=descriptor) as end:
        select.select([end], [], [], 10)
        assert [len(end.recv(1000)) for _ in sizes] == sizes
    assert not [signal for signal in client.signals
                if signal.member == "changed" and signal.path == board.value and
                "Value" in signal.properties]


async def test_full_notification_socket_loses_without_a_word(sim, client, board):
    descriptor, _ = await client.acquire(board.value, "AcquireNotify")
    for _ in range(600):
        await client.write(board.orders, order(NOTIFY, 400))
    assert sim.log().count("notify: 0") == 600
    with socket.socket(fileno=descriptor) as end:
        received = 0
        while select.select([end], [], [], 0)[0]:
            received += len(end.recv(1000)) == 400
        assert 100 < received < 600
        await client.write(board.orders, order(NOTIFY, 3))
        assert len(end.recv(1000)) == 3


async def test_notifications_reach_every_client_that_asked(sim, clients, client, board):
    other, stranger = await clients(sim), await clients(sim)
    for each in (client, client, other):
        await each.gatt(board.value, "StartNotify")
    await client.until_changed(board.value, "Notifying", True)
    await stranger.write(board.orders, order(NOTIFY, 4))
    for each in (client, other):
        first = await each.until_changed(board.value, "Value", bytes(range(4)))
        # Known of bluetoothd: everybody hears of it as often as there are listeners.
        await each.until_changed(board.value, "Value", bytes(range(4)), first + 1)
    await client.gatt(board.value, "StopNotify")
    assert await refused(client, board.value, "StopNotify") == \
        ("Failed", "No notify session started")
    assert await other.get(board.value, CHARACTERISTIC, "Notifying") is True
    await other.close()
    await client.until_changed(board.value, "Notifying", False)


async def test_subscription_is_resumed_with_the_next_link(client, board):
    await client.gatt(board.value, "StartNotify")
    await client.call(board.device, DEVICE, "Disconnect")
    assert await refused(client, board.value, "StartNotify") == IN_PROGRESS
    await client.join(board.device)
    await client.write(board.orders, order(NOTIFY, 2))
    await client.until_changed(board.value, "Value", bytes(range(2)))


async def test_start_notify_without_a_link_is_kept_for_the_next(client, board):
    await client.call(board.device, DEVICE, "Disconnect")
    await client.gatt(board.value, "StartNotify")
    await client.join(board.device)
    await client.until_changed(board.value, "Notifying", True)
    await client.write(board.orders, order(NOTIFY, 2))
    await client.until_changed(board.value, "Value", bytes(range(2)))


# ---- reading and writing ----

async def test_second_operation_on_a_characteristic_is_in_progress(client, board):
    await client.write(board.orders, order(BLOCK_HOST, 200), type="command")

    async def outcome(operation):
        try:
            await operation
            return "done"
        except Exception as error:  # pylint: disable=broad-except
            return getattr(error, "name", repr(error))
    assert await asyncio.gather(*map(outcome, [
        client.write(board.value, b"1"), client.write(board.value, b"2"),
        client.write(board.value, b"3", type="command"),
        client.read(board.value), client.read(board.value)])) == \
        ["done", "InProgress", "InProgress", "done", "InProgress"]


async def test_long_values_are_written_and_read_whole(client, board):
    value = bytes(index % 251 for index in range(512))
    await client.write(board.value, value)
    assert await client.read(board.value) == value
    assert await client.read(board.value, offset=500) == value[500:]
    assert await write_refused(client, board.value, bytes(513)) == \
        ("InvalidArguments", "Invalid Length")


async def test_kind_of_write_is_what_was_asked_for(sim, client, board):
    await client.write(board.value, b"request", type="request")
    await client.write(board.value, b"command", type="command")
    await client.write(board.held, b"by the property: a command")
    await sim.logged("value 7 bytes, first 99")
    assert await write_refused(client, board.value, type="pigeon") == NOT_SUPPORTED
    assert await write_refused(client, board.value, type="command", offset=1) == NOT_SUPPORTED
    assert await write_refused(client, board.value, bytes(496), type="command") == \
        ("Failed", "Failed to initiate write")


async def test_device_refusals_have_the_daemon_names(client, board):
    assert await refused(client, board.orders, "ReadValue", {}, signature="a{sv}") == \
        ("NotPermitted", "Read not permitted")


async def test_update_refusals_are_att_errors_in_the_text(simulate, clients):
    client = await clients(simulate("esp32"))
    device = await client.find()
    await client.join(device)
    paths = await client.characteristics(device)
    control = paths["7ad671aa-21c0-46a4-b722-270e3ae3d830"]
    assert await write_refused(client, control, bytes([9])) == \
        ("Failed", "Operation failed with ATT error: 0x13")
    assert await write_refused(client, control, bytes([1, 1])) == \
        ("InvalidArguments", "Invalid Length")


async def test_cccd_is_written_by_start_notify_alone(client, board):
    cccds = [path for path, interfaces in (await client.objects()).items()
             if interfaces.get(DESCRIPTOR, {}).get("UUID", "").startswith("00002902")]
    notifying = [path for path, interfaces in (await client.objects()).items()
                 if "notify" in interfaces.get(CHARACTERISTIC, {}).get("Flags", [])]
    assert [path.rsplit("/", 1)[0] for path in cccds
            if path.startswith(board.value)] == [board.value]
    assert set(notifying) <= {path.rsplit("/", 1)[0] for path in cccds}
    for path in cccds:
        assert await client.refusal(path, DESCRIPTOR, "WriteValue", b"\1\0", {},
                                    signature="aya{sv}") == \
            ("NotPermitted", "Write not permitted")


@pytest.mark.parametrize("member,arguments,signature", [
    ("ReadValue", [{}], "a{sv}"), ("WriteValue", [b"x", {}], "aya{sv}"),
    ("AcquireWrite", [{}], "a{sv}"), ("AcquireNotify", [{}], "a{sv}")])
async def test_nothing_is_done_without_a_link(client, board, member, arguments, signature):
    await client.call(board.device, DEVICE, "Disconnect")
    assert await refused(client, board.value, member, *arguments,
                         signature=signature) == NOT_CONNECTED
