# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""A client of protocol 2 on bleak, written from SPEC.md alone: it shares nothing with updraft's
own client, and is a worked example of that page.

From the top: the numbers of SPEC.md, its messages, the file that is sent, a Session for what
happens on one connection, and in the end update(), activate() and rollback(), which connect as
often as it takes. Names are SPEC.md's; only its `state` is a phase here, since a STATE has one."""

import asyncio
import enum
import hashlib
import secrets
import struct
import time
import zlib
from dataclasses import dataclass

from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError

CONTROL = "7ad671aa-21c0-46a4-b722-270e3ae3d830"
DATA = "23408888-1f40-4cd8-9b89-ca8d45f8a5b0"
INFO = "cdd0799c-9c80-48cb-8c54-45ae330770ad"

OPEN, RANGE, MAP, FINISH, ACTIVATE, CONFIRM, ROLLBACK, ABORT, STATUS = range(0x10, 0x19)
STATE, MAP_REPORT = 0x80, 0x82

SECTOR = 4096
HELD = 32  # bytes 0 to 31 of an image are written last
WANT = 0x02  # flag of STATE
SIGNED, ENCRYPTED, STAGED, AWAITS_CONFIRM = 0x01, 0x02, 0x04, 0x08  # flags of Info

# "Time limits of a client"
CONNECT_S, ANSWER_S, LATE_S, MAP_S, PROGRESS_S, RETURN_S = 20, 10, 2, 2, 120, 60
RESTART_S = 10  # the old firmware may still be seen for so long after `restarting`
PROBES = 3  # so often STATUS is asked before the link counts as lost


class Phase(enum.IntEnum):
    """What a STATE calls state."""
    IDLE, MANIFEST, READY, RECEIVING, VERIFYING, VERIFIED, RESTARTING = range(7)


class Status(enum.IntEnum):
    OK, BUSY, WRONG_STATE, MALFORMED, UNSUPPORTED, TIMEOUT, ABORTED, RATE_LIMIT = range(8)
    TOO_LARGE, CHIP, CHIP_REVISION, PROJECT, HARDWARE, DOWNGRADE = range(16, 22)
    SECURE_VERSION, RUNNING, NO_UPDRAFT, NO_SLOT = range(22, 26)
    NO_SIGNATURE, BAD_SIGNATURE, UNKNOWN_KEY, ENCRYPT, AUTHENTICATE = range(32, 37)
    HASH, IMAGE, FLASH, DECODE, BAD_RANGE = range(40, 45)
    VETOED, BATTERY, ON_TRIAL, NO_FALLBACK, NOTHING_STAGED = range(48, 53)
    INTERNAL = 255


class RunState(enum.IntEnum):
    """Info: what runs."""
    CONFIRMED, ON_TRIAL, WITHOUT_TRIALS, UNMONITORED = range(4)


class Result(enum.IntEnum):
    """Info: how the last activation ended."""
    UNKNOWN, CONFIRMED, ROLLED_BACK, LOST = range(4)


class Refused(Exception):
    """The device does not do what was asked; an unknown status is a refusal, too."""

    def __init__(self, status, detail=0):
        name = Status(status).name if status in set(Status) else f"status {status}"
        super().__init__(f"{name}, detail {detail}")
        self.status, self.detail = status, detail


class RolledBack(Exception):
    """The device gave the new firmware up, for one of Info's reasons."""

    def __init__(self, reason, detail):
        super().__init__(f"reason {reason}, detail {detail}")
        self.reason, self.detail = reason, detail


class LinkLost(ConnectionError):
    """The link has ended, or nothing is heard on it: connect and begin anew."""


class NotStarted(LinkLost):
    """The device runs its old firmware, and says nothing of the new one."""


@dataclass(frozen=True)
class Info:
    layout: int
    protocol: int
    flags: int
    run_state: int
    slot: int
    result: int
    reason: int
    detail: int
    chip_id: int
    chip_revision: int
    trial_left: int
    slot_size: int
    write_size: int
    window: int
    hardware_id: int
    secure_version: int
    device_id: bytes
    noted_id: bytes
    image_id: bytes
    version: str
    project: str

    @classmethod
    def parse(cls, value):
        """None where the value is torn: it changed between two parts of a long read."""
        if len(value) < 152 or value[0] != 1 or value[1] < 2:
            raise NotImplementedError("this device is not for a client of protocol 2")
        if zlib.crc32(value[:148]) != int.from_bytes(value[148:152], "little"):
            return None
        *fields, version, project = struct.unpack_from(
            "<BBHBBBBBxHHHIHHII6s2x8s32s32s32s", value)
        return cls(*fields, text(version), text(project))


def text(field):
    return field.rstrip(b"\0").decode("utf-8", "replace")


@dataclass(frozen=True)
class State:
    phase: int
    status: int
    flags: int
    session: int
    next_within: int
    next: int
    limit: int
    detail: int

    @classmethod
    def parse(cls, value):
        return cls(*struct.unpack_from("<xBBBBBHH2xI", value))

    def patience_s(self):
        """How long the next STATE may take."""
        return self.next_within / 10 + LATE_S if self.next_within else ANSWER_S


class Firmware:
    """A file to send: an image of ESP-IDF, and what its build may have put behind it."""

    def __init__(self, file):
        size = image_size(file)
        self.file = file if len(file) % 16 == 0 else file[:size]
        self.id = file[size - 32:size]
        self.manifest = struct.pack("<4sHHIII", b"UPD2", 2, 404, len(self.file), size, 0) \
            + hashlib.sha256(self.file).digest() + self.id + self.file[:320]
        sectors = [self.file[at:at + SECTOR].ljust(SECTOR, b"\xff")
                   for at in range(0, len(self.file), SECTOR)]
        self.crcs = [zlib.crc32(sector) for sector in sectors]
        self.blank = [sector == b"\xff" * SECTOR for sector in sectors]
        self.first_crc = zlib.crc32(b"\xff" * HELD + sectors[0][HELD:])  # before activation

    def differing(self, found):
        """The sectors of the slot, by their CRCs, that are not the file's."""
        return {at for at, crc in enumerate(found)
                if crc != self.crcs[at] and (at > 0 or crc != self.first_crc)}

    def missing(self, found):
        """The sectors to send to a slot that may hold part of the file."""
        differ = self.differing(found)
        send = set(differ)
        # What was being written when the power went may read right only now: the last one that
        # matches before those, or before the end. One that is blank in the file does not show
        # whether it was, so the one before it is sent as well, and the blank ones behind.
        for at in differ or {len(found)}:
            while at > 0:
                at -= 1
                send.add(at)
                if not self.blank[at]:
                    break
        for at in range(1, len(found)):
            if at - 1 in send and self.blank[at]:
                send.add(at)
        return send

    def ranges(self, sectors):
        """Start and end in bytes of each run of sectors."""
        starts = [at * SECTOR for at in sorted(sectors) if at - 1 not in sectors]
        ends = [(at + 1) * SECTOR for at in sorted(sectors) if at + 1 not in sectors]
        return [(start, min(end, len(self.file))) for start, end in zip(starts, ends)]


def image_size(file):
    """Up to and with the appended SHA-256, as "An image" has it."""
    if len(file) < 352 or file[0] != 0xE9 or not 1 <= file[1] <= 16 or file[23] != 1:
        raise ValueError("this is no image with an appended SHA-256")
    at = 24
    for _ in range(file[1]):
        at += 8 + int.from_bytes(file[at + 4:at + 8], "little")
    size = (at // 16 + 1) * 16 + 32
    if size > len(file):
        raise ValueError("the image is cut short")
    return size


class Session:
    """A connection, and the update's session on it."""

    def __init__(self, address):
        self.address = address
        self.client = None
        self.info = None
        self.heard = asyncio.Queue()  # notifications; None is the end of the link
        self.number = 0  # the device's number of the session
        self.arrived = None  # number of the first chunk that has not arrived
        self.round_trip_s = 0.5
        self.progress = time.monotonic()

    async def __aenter__(self):
        try:
            device = await BleakScanner.find_device_by_address(self.address, timeout=CONNECT_S)
            if device is None:
                raise LinkLost("the device is not in range")
            self.client = BleakClient(device, timeout=CONNECT_S, disconnected_callback=lambda _:
                                      self.heard.put_nowait(None))
            await self.client.connect()
            await self.client.start_notify(CONTROL, lambda _, value:
                                           self.heard.put_nowait(bytes(value)))
            await self.read_info()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_):
        try:
            if self.client:
                await self.client.disconnect()
        except (BleakError, EOFError):
            pass  # bleak closes its bus, with the call open, when the link ends in this moment

    async def read_info(self):
        for _ in range(5):
            self.info = Info.parse(await self.client.read_gatt_char(INFO))
            if self.info:
                return self.info
        raise LinkLost("Info changes with every read")

    async def write(self, layout, *fields):
        """A Control message."""
        await self.client.write_gatt_char(CONTROL, struct.pack(layout, *fields), response=True)

    async def hear(self, limit_s):
        """The next notification, or None after the time limit."""
        if time.monotonic() - self.progress > PROGRESS_S:
            raise LinkLost("nothing brings the update further")
        try:
            value = await asyncio.wait_for(self.heard.get(), limit_s)
        except asyncio.TimeoutError:
            return None
        if value is None:
            raise LinkLost("the link has ended")
        return value

    def judge(self, value):
        """The STATE that a notification is, or None where it is none for this session."""
        if len(value) < 16 or value[0] != STATE:
            return None
        state = State.parse(value)
        if self.number and state.session not in (0, self.number):
            return None
        if state.status not in (Status.OK, Status.HASH):
            raise Refused(state.status, state.detail)
        if self.number and state.phase == Phase.IDLE:
            raise LinkLost("the device has ended the session")
        if state.phase in (Phase.MANIFEST, Phase.RECEIVING) and self.arrived is not None \
                and (state.next - self.arrived) & 0x8000:
            return None  # it is late
        return state

    async def next_state(self, patience_s=ANSWER_S):
        """The next STATE, which is asked for where it does not come by itself."""
        for _ in range(1 + PROBES):
            while (value := await self.hear(patience_s)) is not None:
                if state := self.judge(value):
                    return state
            await self.write("<BB", STATUS, self.number)
        raise LinkLost("the device does not answer")

    async def ask(self, step, layout, *fields):
        """Writes a message and waits for the STATE that is the step that comes next."""
        while not self.heard.empty():
            await self.hear(1)  # it answers nothing that comes
        await self.write(layout, *fields)
        for _ in range(1 + PROBES):
            state = await self.next_state()
            if state.phase == step:
                self.progress = time.monotonic()
                return state
            await self.write("<BB", STATUS, self.number)
        raise LinkLost(f"the device does not come to {step.name}")

    async def stream(self, begin, data):
        """Sends chunks from what `begin` calls next, and returns the STATE that ends them."""
        size = self.info.write_size - 2
        chunks = [data[at:at + size] for at in range(0, len(data), size)]
        sent_at = [0.0] * len(chunks)
        arrived, position, went_back = 0, 0, 0.0
        state, self.arrived = begin, begin.next
        while True:
            now = time.monotonic()
            if new := (state.next - self.arrived) & 0xFFFF:
                arrived += new
                self.arrived = state.next
                self.round_trip_s = max(self.round_trip_s, now - sent_at[arrived - 1])
                self.progress, went_back = now, 0.0
            position = max(position, arrived)
            if state.flags & WANT and now - went_back > self.round_trip_s + 0.5:
                position, went_back = arrived, now
            limit = arrived + ((state.limit - state.next) & 0xFFFF)
            while position < min(limit, len(chunks)) and self.heard.empty():
                number = struct.pack("<H", (begin.next + position) & 0xFFFF)
                await self.client.write_gatt_char(DATA, number + chunks[position], response=False)
                sent_at[position] = time.monotonic()
                position += 1
            heard = await self.next_state(state.patience_s())
            if heard.phase == begin.phase:
                state = heard
            elif position == len(chunks):
                self.arrived = (begin.next + position) & 0xFFFF
                return heard

    async def map(self, count):
        """The CRC-32 of each of the slot's first sectors."""
        found = {}
        for _ in range(1 + PROBES):
            first = min(set(range(count)) - set(found))
            await self.write("<BBHH", MAP, self.number, first, count - first)
            while (value := await self.hear(MAP_S)) is not None:
                if value[0] != MAP_REPORT:
                    self.judge(value)
                    continue
                at, crcs = int.from_bytes(value[2:4], "little"), value[4:]
                found.update(enumerate(struct.unpack(f"<{len(crcs) // 4}I", crcs), at))
                self.progress = time.monotonic()
                if len(found) == count:
                    return [found[at] for at in range(count)]
        raise LinkLost("MAP reports do not come")

    async def send(self, firmware, sectors):
        """Sends these sectors and has the file verified. False: the slot does not hold it."""
        ranges = firmware.ranges(sectors)
        for start, end in ranges:
            begin = await self.ask(Phase.RECEIVING, "<BBBBII", RANGE, self.number,
                                   (start, end) == ranges[-1], 0, start, end - start)
            state = await self.stream(begin, firmware.file[start:end])
        while state.phase == Phase.VERIFYING:
            state = await self.next_state(state.patience_s())
        return state.phase == Phase.VERIFIED

    async def open(self, firmware, *, stage=False, force=False):
        """Begins a session with the manifest, up to `ready`."""
        if self.info.flags & (SIGNED | ENCRYPTED):
            raise NotImplementedError("the device wants more than this client can do")
        begin = await self.ask(Phase.MANIFEST, "<BBBBHHI", OPEN, 2, force | stage << 1, 0,
                               len(firmware.manifest), self.info.write_size,
                               secrets.randbits(32))
        self.number = begin.session
        return await self.stream(begin, firmware.manifest)

    async def transfer(self, firmware, *, sent_before=False, **options):
        """Brings the file into the slot, up to `verified`."""
        ready = await self.open(firmware, **options)
        count = len(firmware.crcs)
        sectors = set(range(count))
        if sent_before or ready.detail == firmware.first_crc:
            sectors = firmware.missing(await self.map(count))
        for _ in range(4):
            if await self.send(firmware, sectors):
                return
            sectors = firmware.differing(await self.map(count)) or set(range(count))
        raise Refused(Status.HASH)

    async def activate(self, image_id, by_client=True):
        await self.ask(Phase.RESTARTING, "<BB8s", ACTIVATE, by_client, image_id[:8])

    async def confirm(self):
        await self.ask(Phase.IDLE, "<B8s", CONFIRM, self.info.image_id[:8])

    async def rollback(self, to_factory=False):
        await self.ask(Phase.RESTARTING, "<BB8s", ROLLBACK, to_factory, self.info.image_id[:8])


def tells(info, result, image_id):
    """Whether the last activation was this image's and ended so."""
    return info.noted_id == image_id[:8] and info.result == result


async def follow(address, before, image_id=b"", answered=True):
    """Waits for the device to come back with the image that has this id (b"": with whatever it
    goes back to), confirms that, and returns the Info that says how it ended. Where no answer to
    ACTIVATE came, what Info told before is no news."""
    deadline = time.monotonic() + RETURN_S
    restarted_by = time.monotonic() + RESTART_S
    while True:
        try:
            async with Session(address) as session:
                while True:
                    info = session.info
                    if info.device_id != before.device_id:
                        raise LinkLost("this is another device")
                    moved = (info.slot, info.image_id) != (before.slot, before.image_id)
                    if moved and info.image_id.startswith(image_id[:8]):
                        if info.run_state != RunState.ON_TRIAL:
                            return info
                        deadline = time.monotonic() + info.trial_left + RETURN_S
                        if info.flags & AWAITS_CONFIRM:
                            await session.confirm()
                    elif tells(info, Result.ROLLED_BACK, image_id) and (
                            answered or not tells(before, Result.ROLLED_BACK, image_id)):
                        raise RolledBack(info.reason, info.detail)
                    elif tells(info, Result.LOST, image_id):
                        restarted_by = time.monotonic() + RESTART_S
                        await session.activate(image_id)
                    elif time.monotonic() > restarted_by:
                        raise NotStarted("the old firmware runs")
                    await asyncio.sleep(1)
                    await session.read_info()
        except (BleakError, EOFError, LinkLost) as error:
            if isinstance(error, NotStarted) or time.monotonic() > deadline:
                raise


async def update(address, file, *, stage=False, force=False, by_client=True, attempts=10):
    """Updates the device, on as many connections as it takes; returns its Info."""
    firmware = Firmware(file)
    sent_before = activated = answered = False
    failure = before = None
    for _ in range(attempts):
        try:
            if not activated:
                async with Session(address) as session:
                    before = session.info
                    await session.transfer(firmware, stage=stage, force=force,
                                           sent_before=sent_before)
                    if stage:
                        return await session.read_info()
                    activated, answered = True, False
                    await session.activate(firmware.id, by_client)
                    answered = True
            return await follow(address, before, firmware.id, answered)
        except (BleakError, EOFError, LinkLost) as error:
            failure, sent_before = error, True
            activated = activated and not isinstance(error, NotStarted)
        except Refused as refused:
            if refused.status not in (Status.BUSY, Status.WRONG_STATE, Status.TIMEOUT,
                                      Status.RATE_LIMIT):
                raise
            failure, sent_before = refused, True
            await asyncio.sleep(refused.detail or 5)
    raise failure


async def activate(address):
    """Starts the image that is staged."""
    async with Session(address) as session:
        info = session.info
        if not info.flags & STAGED:
            raise Refused(Status.NOTHING_STAGED)
        await session.activate(info.noted_id)
    return await follow(address, info, info.noted_id)


async def rollback(address, to_factory=False):
    """Goes back to the firmware before."""
    async with Session(address) as session:
        info = session.info
        await session.rollback(to_factory)
    return await follow(address, info)


if __name__ == "__main__":
    import pathlib
    import sys

    print(asyncio.run(update(sys.argv[1], pathlib.Path(sys.argv[2]).read_bytes())))
