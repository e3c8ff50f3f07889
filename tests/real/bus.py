# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Other programs on the message bus of the real stack: one that offers an advertisement, one
that listens on a characteristic, and one that notes who calls which object."""

import asyncio
import contextlib
import re
import subprocess

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import PropertyAccess, ServiceInterface, dbus_property, method

import real_bluez
from simulated import LIMIT_S

CHARACTERISTIC = "org.bluez.GattCharacteristic1"
ADVERTISEMENT = "/updraft/advertisement"


async def call(bus, path, member, *body, signature=""):
    """A method of org.bluez, MEMBER with its interface; the answer's body."""
    interface, _, name = member.rpartition(".")
    reply = await asyncio.wait_for(bus.call(Message(
        destination="org.bluez", path=path, interface=interface, member=name,
        signature=signature, body=list(body))), LIMIT_S)
    assert reply.message_type is MessageType.METHOD_RETURN, (member, reply.error_name, reply.body)
    return reply.body


async def characteristic(bus, device, uuid):
    """The path of a device's characteristic."""
    objects, = await call(bus, "/", "org.freedesktop.DBus.ObjectManager.GetManagedObjects")
    return [path for path, interfaces in objects.items() if path.startswith(device) and
            interfaces.get(CHARACTERISTIC, {}).get("UUID") in (Variant("s", uuid),)][0]


class Nameless(ServiceInterface):
    """An advertisement with neither a name nor a service that updraft knows."""

    def __init__(self):
        super().__init__("org.bluez.LEAdvertisement1")

    @dbus_property(access=PropertyAccess.READ)
    def Type(self) -> "s":
        return "peripheral"

    @dbus_property(access=PropertyAccess.READ)
    def ServiceUUIDs(self) -> "as":
        return ["0000180f-0000-1000-8000-00805f9b34fb"]

    @method()
    def Release(self):
        pass


@contextlib.asynccontextmanager
async def nameless(adapter):
    """An adapter that advertises without a name."""
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    bus.export(ADVERTISEMENT, Nameless())
    await call(bus, f"/org/bluez/{adapter}", "org.bluez.LEAdvertisingManager1.RegisterAdvertisement",
               ADVERTISEMENT, {}, signature="oa{sv}")
    yield
    bus.disconnect()


class Listener:
    """A program that is subscribed to a characteristic by StartNotify, and counts."""

    def __init__(self):
        self.bus = None
        self.path = None
        self.values = 0

    async def start(self, device, uuid):
        self.bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        self.bus.add_message_handler(self.on_message)
        self.path = await characteristic(self.bus, device, uuid)
        await self.bus.call(Message(
            destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
            interface="org.freedesktop.DBus", member="AddMatch", signature="s",
            body=[f"type='signal',sender='org.bluez',path='{self.path}'"]))
        await call(self.bus, self.path, f"{CHARACTERISTIC}.StartNotify")

    def on_message(self, message):
        if message.member == "PropertiesChanged" and message.path == self.path:
            self.values += "Value" in message.body[1]


class Monitor:
    """With-statement: everything that is said to org.bluez, and of its objects."""

    LINE = re.compile(r"^(method call|signal) .* path=(\S+); interface=(\S+); member=(\S+)")

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.file = open(self.path, "w", encoding="utf-8")
        self.process = subprocess.Popen(
            ["dbus-monitor", "--system", "destination='org.bluez'",
             "interface='org.freedesktop.DBus.ObjectManager'", "member='NameOwnerChanged'"],
            stdout=self.file)
        real_bluez.until(lambda: "NameAcquired" in self.path.read_text(encoding="utf-8"))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(LIMIT_S)
        self.file.close()

    def messages(self):
        """(kind, path, member, the strings and paths in it), in their order."""
        found = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            head = self.LINE.match(line)
            if head:
                found.append((head[1], head[2], head[4], []))
            elif line.startswith(("method return", "error")):
                found.append((line.split(" time")[0], "", "", []))
            elif found and (text := re.search(r'(?:string|object path) "(.*)"', line)):
                found[-1][3].append(text[1])
        return found
