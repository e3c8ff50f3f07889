# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""A device answers each message of protocol 2, where it belongs and where it does not, as
SPEC.md says."""

import struct
import subprocess

import pytest
from bleak.exc import BleakError

import protocol2
from protocol2 import (ABORT, ACTIVATE, CONFIRM, FINISH, MAP, OPEN, RANGE, ROLLBACK, STATUS,
                       Firmware, Phase, Session, State, Status)

ADDRESS = "24:0A:C4:00:00:12"
SIZE = 64 << 10
OTHER = b"another."


@pytest.fixture
def firmware(updraft_sim, tmp_path):
    path = tmp_path / "image.bin"
    subprocess.run([updraft_sim, "image", "--firmware", "minimal", "--version", "2.0.0", "--chip",
                    "esp32", "--size", str(SIZE), "-o", str(path)], check=True, timeout=60)
    return Firmware(path.read_bytes())


async def say(session, layout, *fields):
    """Writes a message and returns the phase and the status of the STATE that answers it."""
    await session.write(layout, *fields)
    state = State.parse(await session.hear(10))
    return state.phase, state.status


def opening(*, version=2, flags=0, manifest=404, write=495, nonce=1):
    return "<BBBBHHI", OPEN, version, flags, 0, manifest, write, nonce


def a_range(session, start, size, flags=0):
    return "<BBBBII", RANGE, session, flags, 0, start, size


def without_a_session(running):
    return {
        "STATUS": (("<BB", STATUS, 0), Status.OK),
        "ABORT": (("<BB", ABORT, 9), Status.OK),
        "RANGE": (a_range(9, 0, 4096), Status.WRONG_STATE),
        "MAP": (("<BBHH", MAP, 9, 0, 1), Status.WRONG_STATE),
        "FINISH": (("<BB", FINISH, 9), Status.WRONG_STATE),
        "CONFIRM what is confirmed": (("<B8s", CONFIRM, running), Status.OK),
        "CONFIRM another image": (("<B8s", CONFIRM, OTHER), Status.WRONG_STATE),
        "ROLLBACK of another image": (("<BB8s", ROLLBACK, 0, OTHER), Status.WRONG_STATE),
        "ROLLBACK to nothing": (("<BB8s", ROLLBACK, 0, running), Status.NO_FALLBACK),
        "ROLLBACK to what runs": (("<BB8s", ROLLBACK, 1, running), Status.NO_FALLBACK),
        "ROLLBACK to a place unheard of": (("<BB8s", ROLLBACK, 2, running), Status.UNSUPPORTED),
        "ACTIVATE what is not staged": (("<BB8s", ACTIVATE, 1, OTHER), Status.NOTHING_STAGED),
        "ACTIVATE by nobody": (("<BB8s", ACTIVATE, 2, OTHER), Status.UNSUPPORTED),
        "OPEN of version 3": (opening(version=3), Status.UNSUPPORTED),
        "OPEN with a flag unheard of": (opening(flags=4), Status.UNSUPPORTED),
        "OPEN, manifest of 513": (opening(manifest=513), Status.UNSUPPORTED),
        "OPEN, manifest of 403": (opening(manifest=403), Status.MALFORMED),
        "OPEN, writes of 19": (opening(write=19), Status.MALFORMED),
        "OPEN, writes of 513": (opening(write=513), Status.MALFORMED),
    }


def while_ready(number, running):
    return {
        "RANGE of another session": (a_range(number + 1, 0, 4096), Status.WRONG_STATE),
        "RANGE from within a sector": (a_range(number, 16, 4096), Status.BAD_RANGE),
        "RANGE to within a sector": (a_range(number, 0, 4095), Status.BAD_RANGE),
        "RANGE of nothing": (a_range(number, 0, 0), Status.BAD_RANGE),
        "RANGE beyond the file": (a_range(number, SIZE, 4096), Status.BAD_RANGE),
        "RANGE with a flag unheard of": (a_range(number, 0, 4096, 2), Status.UNSUPPORTED),
        "MAP of nothing": (("<BBHH", MAP, number, 0, 0), Status.BAD_RANGE),
        "MAP beyond the file": (("<BBHH", MAP, number, 0, SIZE // 4096 + 1), Status.BAD_RANGE),
        "CONFIRM": (("<B8s", CONFIRM, running), Status.WRONG_STATE),
        "ROLLBACK": (("<BB8s", ROLLBACK, 1, running), Status.WRONG_STATE),
        "ACTIVATE": (("<BB8s", ACTIVATE, 1, running), Status.WRONG_STATE),
        "ABORT of another session": (("<BB", ABORT, number + 1), Status.OK),
        "STATUS": (("<BB", STATUS, number), Status.OK),
    }


async def test_a_message_that_does_not_belong_is_refused_and_changes_nothing(simulate, firmware):
    sim = simulate()
    async with Session(ADDRESS) as session:
        running = session.info.image_id[:8]
        for name, (message, status) in without_a_session(running).items():
            assert await say(session, *message) == (Phase.IDLE, status), name
        ready = await session.open(firmware)
        assert (ready.phase, ready.status) == (Phase.READY, Status.OK)
        for name, (message, status) in while_ready(session.number, running).items():
            assert await say(session, *message) == (Phase.READY, status), name
        assert "operations 0\n" in sim.verb("flash", "esp32", "stats")
        assert await say(session, "<BB", FINISH, session.number) == (Phase.VERIFYING, Status.OK)
        state = State.parse(await session.hear(10))
        assert (state.phase, state.status) == (Phase.READY, Status.HASH)
        assert await say(session, "<BB", STATUS, session.number) == (Phase.READY, Status.OK)
        assert await say(session, "<BB", ABORT, session.number) == (Phase.IDLE, Status.ABORTED)
        assert await say(session, "<BB", STATUS, session.number) == (Phase.IDLE, Status.OK)


async def test_a_nonce_names_the_session(simulate, firmware):
    simulate()
    async with Session(ADDRESS) as session:
        first = await session.ask(Phase.MANIFEST, *opening(nonce=1))
        again = await session.ask(Phase.MANIFEST, *opening(nonce=1))
        assert (again.session, again.next) == (first.session, first.next)
        assert await say(session, *a_range(first.session, 0, 4096)) == (
            Phase.MANIFEST, Status.WRONG_STATE)
        other = await session.ask(Phase.MANIFEST, *opening(nonce=2))
        assert other.session != first.session
        assert (other.next - first.next) & 0xFFFF >= (first.limit - first.next) & 0xFFFF


NO_MESSAGES = {
    b"": "Invalid.*Length|0x0d",
    b"\x1f\0": "Invalid.*Length|0x0d",
    b"\x02": "0x13",
    struct.pack("<BB", STATUS, 0) + b"\0": "0x13",
    struct.pack("<BBBBII", RANGE, 1, 0, 1, 0, 4096): "0x13",  # a reserved byte
}


async def test_what_is_no_message_is_an_att_error(simulate):
    simulate()
    async with Session(ADDRESS) as session:
        for value, error in NO_MESSAGES.items():
            with pytest.raises(BleakError, match=f"(?i){error}"):
                await session.client.write_gatt_char(protocol2.CONTROL, value, response=True)
            assert await say(session, "<BB", STATUS, 0) == (Phase.IDLE, Status.OK)
