# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""A plain client of the emulated BlueZ: calls, their errors, and every signal that came."""

import asyncio
import collections

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

ADAPTER = "org.bluez.Adapter1"
DEVICE = "org.bluez.Device1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"
HCI0 = "/org/bluez/hci0"
LIMIT_S = 60

Signal = collections.namedtuple("Signal", "member path interface properties")


class BusError(Exception):
    """An error answer: its name without "org.bluez.Error.", and its text."""

    def __init__(self, name, text):
        super().__init__(f"{name}: {text}")
        self.name = name.removeprefix("org.bluez.Error.")
        self.text = text


def plain(value):
    """Without the variants around values."""
    if isinstance(value, Variant):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


class Client:
    """One connection to the bus. Made by `await Client.connect(address)`."""

    def __init__(self, bus):
        self.bus = bus
        self.signals = []
        self.arrived = asyncio.Event()

    @classmethod
    async def connect(cls, address):
        bus = await MessageBus(bus_address=address, bus_type=BusType.SYSTEM,
                               negotiate_unix_fd=True).connect()
        client = cls(bus)
        bus.add_message_handler(client._on_message)
        await client.call("/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch",
                          "type='signal',sender='org.bluez'", signature="s",
                          destination="org.freedesktop.DBus")
        return client

    async def close(self):
        self.bus.disconnect()
        await self.bus.wait_for_disconnect()

    def _on_message(self, message):
        if message.message_type is not MessageType.SIGNAL or message.member not in (
                "PropertiesChanged", "InterfacesAdded", "InterfacesRemoved"):
            return
        if message.member == "PropertiesChanged":
            interface, properties, gone = message.body
            properties = {**plain(properties), **dict.fromkeys(gone)}
            self.signals.append(Signal("changed", message.path, interface, properties))
        else:
            path, interfaces = message.body
            member = "added" if message.member == "InterfacesAdded" else "removed"
            for interface in interfaces:
                properties = plain(interfaces[interface]) if member == "added" else {}
                self.signals.append(Signal(member, path, interface, properties))
        self.arrived.set()

    async def call(self, path, interface, member, *body, signature="",
                   destination="org.bluez"):
        """The answer's body; file descriptors are in place of their indexes."""
        reply = await asyncio.wait_for(self.bus.call(Message(
            destination=destination, path=path, interface=interface, member=member,
            signature=signature, body=list(body))), LIMIT_S)
        if reply.message_type is MessageType.ERROR:
            raise BusError(reply.error_name, reply.body[0] if reply.body else "")
        if reply.signature.startswith("h"):
            return [reply.unix_fds[reply.body[0]], *reply.body[1:]]
        return reply.body

    async def refusal(self, *arguments, **options):
        """The name and text of the error that a call is answered with."""
        try:
            answer = await self.call(*arguments, **options)
        except BusError as error:
            return error.name, error.text
        raise AssertionError(f"{arguments} was answered with {answer}")

    async def get(self, path, interface, name):
        return plain((await self.call(path, "org.freedesktop.DBus.Properties", "Get",
                                      interface, name, signature="ss"))[0])

    async def set(self, path, interface, name, signature, value):
        await self.call(path, "org.freedesktop.DBus.Properties", "Set", interface, name,
                        Variant(signature, value), signature="ssv")

    async def objects(self):
        return plain((await self.call("/", "org.freedesktop.DBus.ObjectManager",
                                      "GetManagedObjects"))[0])

    async def until(self, wanted, since=0):
        """Waits for a signal for which wanted(signal) is true, after `since` others.
        Returns its index."""
        async def wait():
            index = since
            while True:
                self.arrived.clear()
                while index < len(self.signals):
                    if wanted(self.signals[index]):
                        return index
                    index += 1
                await self.arrived.wait()
        return await asyncio.wait_for(wait(), LIMIT_S)

    async def until_changed(self, path, name, value, since=0):
        return await self.until(
            lambda signal: signal.member == "changed" and signal.path == path and
            name in signal.properties and signal.properties[name] == value, since)

    # ---- what BlueZ's clients do ----

    async def find(self, address="24:0A:C4:00:00:12"):
        """Discovers until the device is there, and returns its path."""
        path = f"{HCI0}/dev_{address.replace(':', '_')}"
        await self.call(HCI0, ADAPTER, "StartDiscovery")
        if path not in await self.objects():
            await self.until(lambda signal: signal.member == "added" and signal.path == path)
        await self.call(HCI0, ADAPTER, "StopDiscovery")
        return path

    async def join(self, device):
        """Connects, and waits for the services."""
        before = len(self.signals)
        await self.call(device, DEVICE, "Connect")
        if not await self.get(device, DEVICE, "ServicesResolved"):
            await self.until_changed(device, "ServicesResolved", True, before)

    async def characteristics(self, device):
        """UUID -> path."""
        return {interfaces[CHARACTERISTIC]["UUID"]: path
                for path, interfaces in (await self.objects()).items()
                if path.startswith(device + "/") and CHARACTERISTIC in interfaces}

    async def gatt(self, path, member, *body, signature=""):
        return await self.call(path, CHARACTERISTIC, member, *body, signature=signature)

    async def write(self, path, value, **options):
        await self.gatt(path, "WriteValue", bytes(value), variants(options),
                        signature="aya{sv}")

    async def read(self, path, **options):
        return bytes((await self.gatt(path, "ReadValue", variants(options),
                                      signature="a{sv}"))[0])

    async def acquire(self, path, member):
        """AcquireWrite or AcquireNotify: the file descriptor and the MTU."""
        return await self.gatt(path, member, {}, signature="a{sv}")


def variants(options):
    return {key: Variant("q" if isinstance(value, int) else "s", value)
            for key, value in options.items()}
