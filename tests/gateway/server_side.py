# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The server side of a bluetoothd: what registers with it is called as the real one calls."""

import asyncio
import socket

from bus_client import LIMIT_S, BusError, plain
from dbus_fast import BusType, Message, MessageType, NameFlag, Variant
from dbus_fast.aio import MessageBus

ADAPTER = "/org/bluez/hci1"
PROPERTIES = "org.freedesktop.DBus.Properties"
SERVICE, CHARACTERISTIC, ADVERTISEMENT = (
    "org.bluez." + name for name in ("GattService1", "GattCharacteristic1", "LEAdvertisement1"))


class ServerSide:
    """org.bluez with one adapter, hci1. Made by `await ServerSide.start(address)`."""

    def __init__(self, bus):
        self.bus = bus
        self.alias = "laptop"
        self.aliases = []
        self.application = None     # its path
        self.objects = {}           # of the application: path -> interface -> properties
        self.advertisement = None   # its properties
        self.history = []           # (method, path) that were called
        self.owner = None
        self.changed = asyncio.Event()

    @classmethod
    async def start(cls, address):
        bus = await MessageBus(bus_address=address, bus_type=BusType.SYSTEM,
                               negotiate_unix_fd=True).connect()
        self = cls(bus)
        bus.add_message_handler(self._on_message)
        await bus.request_name("org.bluez", NameFlag.DO_NOT_QUEUE)
        return self

    async def stop(self):
        self.bus.disconnect()
        await self.bus.wait_for_disconnect()

    # ---- what is asked of it ----

    def _on_message(self, message):
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if message.interface == PROPERTIES and message.member == "Get":
            return Message.new_method_return(message, "v", [Variant("s", self.alias)])
        if message.interface == PROPERTIES and message.member == "Set":
            self.alias = message.body[2].value
            self.aliases.append(self.alias)
            return Message.new_method_return(message)
        if (message.interface or "").startswith("org.bluez."):
            asyncio.get_running_loop().create_task(self._serve(message))
            return True
        return None

    async def _serve(self, message):
        self.owner = message.sender
        match message.member:
            case "RegisterApplication":
                path = message.body[0]
                answer = await self.call(path, "org.freedesktop.DBus.ObjectManager",
                                         "GetManagedObjects")
                self.application = path
                self.objects = {name: plain(value) for name, value in answer[0].items()}
            case "UnregisterApplication":
                assert message.body == [self.application]
                self.application = None
            case "RegisterAdvertisement":
                assert self.advertisement is None
                answer = await self.call(message.body[0], PROPERTIES, "GetAll", ADVERTISEMENT,
                                         signature="s")
                self.advertisement = plain(answer[0])
            case "UnregisterAdvertisement":
                self.advertisement = None
        await self.bus.send(Message.new_method_return(message))
        self.history.append((message.member, message.path))
        self.changed.set()

    async def until(self, wanted):
        async def wait():
            while not wanted():
                self.changed.clear()
                await self.changed.wait()
        await asyncio.wait_for(wait(), LIMIT_S)

    async def called(self, member, since=0):
        """Waits for a call of this method after so many others."""
        await self.until(lambda: member in [name for name, _ in self.history[since:]])

    async def offered(self):
        await self.until(lambda: self.advertisement is not None)

    # ---- what a central does ----

    async def call(self, path, interface, member, *body, signature=""):
        reply = await asyncio.wait_for(self.bus.call(Message(
            destination=self.owner, path=path, interface=interface, member=member,
            signature=signature, body=list(body))), LIMIT_S)
        if reply.message_type is MessageType.ERROR:
            raise BusError(reply.error_name, reply.body[0] if reply.body else "")
        if reply.signature.startswith("h"):
            return [reply.unix_fds[reply.body[0]], *reply.body[1:]]
        return reply.body

    def path(self, interface, uuid):
        """The only object with this UUID."""
        found = [path for path, interfaces in self.objects.items()
                 if interfaces.get(interface, {}).get("UUID") == uuid]
        assert len(found) == 1, (uuid, found)
        return found[0]

    async def read(self, central, uuid, offset=0):
        options = central.options()
        if offset:
            options["offset"] = Variant("q", offset)
        return bytes((await self.call(self.path(CHARACTERISTIC, uuid), CHARACTERISTIC,
                                      "ReadValue", options, signature="a{sv}"))[0])

    async def write(self, central, uuid, value):
        await self.call(self.path(CHARACTERISTIC, uuid), CHARACTERISTIC, "WriteValue", value,
                        central.options(), signature="aya{sv}")

    async def acquire(self, central, uuid, method):
        descriptor, mtu = await self.call(self.path(CHARACTERISTIC, uuid), CHARACTERISTIC,
                                          method, central.options(), signature="a{sv}")
        assert mtu == central.mtu
        end = socket.socket(fileno=descriptor)
        end.setblocking(False)
        return end

    async def leaves(self, central):
        await self.bus.send(Message.new_signal(
            central.path, PROPERTIES, "PropertiesChanged", "sa{sv}as",
            ["org.bluez.Device1", {"Connected": Variant("b", False)}, []]))


class Central:
    """A device that is connected to the adapter."""

    def __init__(self, number=1, mtu=517):
        self.path = f"{ADAPTER}/dev_02_00_00_00_00_{number:02X}"
        self.mtu = mtu

    def options(self):
        return {"device": Variant("o", self.path), "link": Variant("s", "LE"),
                "mtu": Variant("q", self.mtu)}
