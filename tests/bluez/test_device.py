# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Adapter and devices of the emulated BlueZ come, go and refuse as those of bluetoothd."""

import asyncio

import pytest
from dbus_fast import MessageType, Variant

from bus_client import ADAPTER, CHARACTERISTIC, DEVICE, HCI0, BusError

SERVICE = "org.bluez.GattService1"
GATT = (SERVICE, CHARACTERISTIC, "org.bluez.GattDescriptor1")
NOT_READY = ("NotReady", "Resource Not Ready")


def below(client, device, member):
    """Indexes of the signals by which GATT objects of the device came or went."""
    return [index for index, signal in enumerate(client.signals)
            if signal.member == member and signal.path.startswith(device + "/") and
            signal.interface in GATT]


async def test_services_are_there_before_services_resolved(client):
    device = await client.find()
    assert not below(client, device, "added")
    await client.call(device, DEVICE, "Connect")
    resolved = await client.until_changed(device, "ServicesResolved", True)
    added = below(client, device, "added")
    assert len(added) > 10 and max(added) < resolved
    connected = await client.until_changed(device, "Connected", True)
    assert connected < min(added)


async def test_gatt_objects_stay_after_a_disconnect(client, board):
    before = {path for path in await client.objects() if path.startswith(board.device)}
    await client.call(board.device, DEVICE, "Disconnect")
    await client.until_changed(board.device, "Connected", False)
    resolved = await client.until_changed(board.device, "ServicesResolved", False)
    assert resolved < await client.until_changed(board.device, "Connected", False)
    assert {path for path in await client.objects()
            if path.startswith(board.device)} == before
    assert not below(client, board.device, "removed")


async def test_gatt_objects_go_with_the_link_without_a_cache(simulate, clients):
    client = await clients(simulate("esp32", options=["--cache", "no"]))
    device = await client.find()
    await client.join(device)
    await client.call(device, DEVICE, "Disconnect")
    await client.until_changed(device, "Connected", False)
    objects = await client.objects()
    assert [path for path in objects if path.startswith(device)] == [device]
    assert len(below(client, device, "removed")) == len(below(client, device, "added"))


async def test_mtu_is_told_while_there_is_a_link(client, board):
    assert await client.get(board.value, CHARACTERISTIC, "MTU") == 498
    await client.call(board.device, DEVICE, "Disconnect")
    assert "MTU" not in (await client.objects())[board.value][CHARACTERISTIC]


async def test_disconnect_is_answered_before_connected_turns_false(client, board):
    arrivals = []

    def note(message):
        if message.message_type is MessageType.METHOD_RETURN:
            arrivals.append("answer")
        elif message.member == "PropertiesChanged" and "Connected" in message.body[1]:
            arrivals.append("signal")
    client.bus.add_message_handler(note)
    await client.call(board.device, DEVICE, "Disconnect")
    await client.until_changed(board.device, "Connected", False)
    assert arrivals == ["answer", "signal"]


async def test_two_programs_share_one_connection(sim, clients, client, board):
    other = await clients(sim)
    await other.call(board.device, DEVICE, "Connect")
    await other.write(board.value, b"x")
    await other.call(board.device, DEVICE, "Disconnect")
    await client.until_changed(board.device, "Connected", False)
    assert sim.log().count("\nconnect 0\n") == 1


async def test_lost_link_is_told(sim, client, board):
    sim.verb("link", "esp32", "drop")
    await client.until_changed(board.device, "Connected", False)
    assert await client.refusal(board.device, DEVICE, "Disconnect") == \
        ("NotConnected", "Not Connected")


async def test_connecting_is_in_progress_until_it_is_called_off(sim, client):
    device = await client.find()
    sim.verb("link", "esp32", "shield")
    first = asyncio.ensure_future(client.refusal(device, DEVICE, "Connect"))
    await asyncio.sleep(0)
    assert await client.refusal(device, DEVICE, "Connect") == ("InProgress", "In Progress")
    assert await client.refusal(device, DEVICE, "Disconnect") == \
        ("NotConnected", "Not Connected")
    assert (await first)[0] == "Failed"
    sim.verb("link", "esp32", "unshield")
    await client.join(device)


async def test_device_vanishes_when_it_is_unused_for_long(simulate, clients):
    client = await clients(simulate("esp32", options=["--forget", "1"]))
    device = await client.find()
    await client.join(device)
    await asyncio.sleep(1.5)  # a link is use
    assert await client.get(device, DEVICE, "Connected") is True
    await client.call(device, DEVICE, "Disconnect")
    await client.until(lambda signal: signal.member == "removed" and signal.path == device and
                       signal.interface == DEVICE)
    objects = await client.objects()
    assert not [path for path in objects if path.startswith(device)]
    assert len(below(client, device, "removed")) == len(below(client, device, "added"))
    assert await client.find() == device


async def test_removed_device_is_gone_with_its_link(client, board):
    await client.call(HCI0, ADAPTER, "RemoveDevice", board.device, signature="o")
    assert not [path for path in await client.objects() if path.startswith(board.device)]
    assert await client.refusal(HCI0, ADAPTER, "RemoveDevice", board.device,
                                signature="o") == ("DoesNotExist", "Does Not Exist")


# ---- the adapter ----

async def test_discovery_is_counted_by_client(sim, clients, client):
    other = await clients(sim)
    assert await client.refusal(HCI0, ADAPTER, "StopDiscovery") == \
        ("Failed", "No discovery started")
    await client.call(HCI0, ADAPTER, "StartDiscovery")
    assert await client.refusal(HCI0, ADAPTER, "StartDiscovery") == \
        ("InProgress", "Operation already in progress")
    await other.call(HCI0, ADAPTER, "StartDiscovery")
    await client.call(HCI0, ADAPTER, "StopDiscovery")
    assert await client.get(HCI0, ADAPTER, "Discovering") is True
    await other.close()
    await client.until_changed(HCI0, "Discovering", False)


async def test_filtered_discovery_tells_every_report(client):
    """Also where the RSSI is the same: who begins to listen late hears of the device yet."""
    device = await client.find()
    await client.call(HCI0, ADAPTER, "StartDiscovery")
    await client.until(lambda signal: signal.path == device and "RSSI" in signal.properties)
    await client.call(HCI0, ADAPTER, "StopDiscovery")
    await client.call(HCI0, ADAPTER, "SetDiscoveryFilter", {"Transport": Variant("s", "le")},
                      signature="a{sv}")
    await client.call(HCI0, ADAPTER, "StartDiscovery")
    seen = len(client.signals)
    for _ in range(5):
        seen = 1 + await client.until(lambda signal: signal.path == device and
                                      signal.properties.get("RSSI") == -50, seen)


async def test_nothing_works_while_the_adapter_is_off(client, board):
    await client.set(HCI0, ADAPTER, "Powered", "b", False)
    await client.until_changed(board.device, "Connected", False)
    assert await client.refusal(HCI0, ADAPTER, "StartDiscovery") == NOT_READY
    assert await client.refusal(board.device, DEVICE, "Connect") == NOT_READY
    await client.set(HCI0, ADAPTER, "Powered", "b", True)
    await client.join(board.device)


@pytest.mark.parametrize("of_device,name,signature,value", [
    (False, "Powered", "b", False), (False, "Pairable", "b", False),
    (False, "Alias", "s", "bench"), (True, "Alias", "s", "kitchen"),
    (True, "Trusted", "b", True), (True, "Blocked", "b", True)])
async def test_writable_properties_are_written_and_told(client, board, of_device, name,
                                                        signature, value):
    path, interface = (board.device, DEVICE) if of_device else (HCI0, ADAPTER)
    await client.set(path, interface, name, signature, value)
    await client.until_changed(path, name, value)
    assert await client.get(path, interface, name) == value


async def test_other_properties_are_read_only(client, board):
    for path, interface, name in ((board.device, DEVICE, "Connected"),
                                  (HCI0, ADAPTER, "Discovering"),
                                  (board.value, CHARACTERISTIC, "Notifying")):
        with pytest.raises(BusError) as refusal:
            await client.set(path, interface, name, "b", True)
        assert refusal.value.name == "org.freedesktop.DBus.Error.PropertyReadOnly"


async def test_blocked_device_is_let_go_and_not_connected(client, board):
    await client.set(board.device, DEVICE, "Blocked", "b", True)
    await client.until_changed(board.device, "Connected", False)
    assert (await client.refusal(board.device, DEVICE, "Connect"))[0] == "Failed"


async def test_interfaces_are_those_that_clients_look_for(client, board):
    objects = await client.objects()
    assert {"org.bluez.AgentManager1", "org.bluez.ProfileManager1"} <= set(objects["/org/bluez"])
    assert {ADAPTER, "org.bluez.LEAdvertisingManager1",
            "org.bluez.GattManager1"} <= set(objects[HCI0])
    assert DEVICE in objects[board.device]
    for path, interfaces in objects.items():
        assert "org.freedesktop.DBus.Properties" in interfaces, path
