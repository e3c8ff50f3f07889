# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""SPEC.md is enough to write a client from: the one in protocol2.py, which knows nothing else,
updates virtual boards, and what goes over the air is what the page's diagrams show."""

import json
import pathlib
import re
import subprocess

import pytest
from bleak import BleakClient

import protocol2
from protocol2 import Firmware, Phase, Refused, Result, RolledBack, RunState, Session, Status

ADDRESS = "24:0A:C4:00:00:12"
SIZE = 256 << 10
WINDOW = 16 << 10  # no board buffers more
NAMES = {opcode: name for name, opcode in vars(protocol2).items()
         if name in ("OPEN", "RANGE", "MAP", "FINISH", "ACTIVATE", "CONFIRM", "ROLLBACK",
                     "ABORT", "STATUS")}


class Wire:
    """What went over the air, by the names that SPEC.md's diagrams use. `lose` is asked of each
    chunk with the bytes of file and manifest that were sent before it."""

    def __init__(self):
        self.events = []
        self.links = []  # bytes of payload that each connection has sent
        self.lose = lambda sent: False

    def note(self, event):
        if event == "STATUS":
            return  # asked where nothing was heard, which depends on time
        if event == "connect" and self.events[-2:] == ["connect", "read OTA Info"]:
            del self.events[-2:]  # it was found before it had restarted
        # Chunks and their acknowledgements take turns, Info is read again and again: once each.
        recent = self.events[-2:] if event in ("OTA Data", "STATE receiving") \
            else self.events[-1:]
        if event not in recent:
            self.events.append(event)


@pytest.fixture
def wire(monkeypatch):
    wire = Wire()

    class Client(BleakClient):
        async def connect(self, **kwargs):
            wire.links.append(0)
            wire.note("connect")
            return await super().connect(**kwargs)

        async def start_notify(self, characteristic, callback, **kwargs):
            def hear(sender, value):
                wire.note("MAP reports" if value[0] == protocol2.MAP_REPORT
                          else f"STATE {Phase(value[1]).name.lower()}")
                callback(sender, value)
            await super().start_notify(characteristic, hear, **kwargs)

        async def read_gatt_char(self, characteristic, **kwargs):
            wire.note("read OTA Info")
            return await super().read_gatt_char(characteristic, **kwargs)

        async def write_gatt_char(self, characteristic, data, response=None):
            if characteristic == protocol2.DATA:
                lost = wire.lose(wire.links[-1])
                wire.links[-1] += len(data) - 2
                wire.note("OTA Data")
                if lost:
                    return
            else:
                wire.note(NAMES[data[0]])
            await super().write_gatt_char(characteristic, data, response=response)

    monkeypatch.setattr(protocol2, "BleakClient", Client)
    return wire


@pytest.fixture
def file(updraft_sim, tmp_path):
    """file("--project", "lamp") is an image for virtual boards."""
    def make(*options, version="2.0.0", size=SIZE, chip="esp32"):
        path = tmp_path / "image.bin"
        subprocess.run([updraft_sim, "image", "--firmware", "minimal", "--version", version,
                        "--chip", chip, "--size", str(size), *options, "-o", str(path)],
                       check=True, timeout=60)
        return path.read_bytes()
    return make


def diagram(root, name):
    """The messages of a sequence diagram, in the order of their arrows."""
    seen = Wire()
    text = (root / "docs" / f"{name}.seq").read_text(encoding="utf-8")
    for message in re.findall(r"^(?:central -|device --)> \w+: (.*)$", text, re.MULTILINE):
        name = re.match(r"connect|read OTA Info|OTA Data|MAP reports|STATE \w+|[A-Z]+\b", message)
        if name:
            seen.note(name[0])
    return seen.events


async def test_it_updates_a_board_by_the_messages_of_the_diagram(simulate, file, wire, root):
    sim = simulate()
    new = file()
    info = await protocol2.update(ADDRESS, new)
    assert (info.version, info.run_state, info.result) == ("2.0.0", RunState.CONFIRMED,
                                                        Result.CONFIRMED)
    assert info.image_id == new[-32:]
    assert [sent for sent in wire.links if sent] == [404 + len(new)]
    assert "updraft: confirmed" in sim.log()
    assert wire.events == diagram(root, "protocol2-sequence")


async def test_it_resumes_after_a_lost_link_and_sends_only_what_is_missing(simulate, file, wire,
                                                                           root):
    sim = simulate()
    new = file()

    def drop(sent):
        if len(wire.links) == 1 and sent > SIZE // 2:
            sim.verb("link", "esp32", "drop")
        return False
    wire.lose = drop
    info = await protocol2.update(ADDRESS, new, stage=True)
    assert info.noted_id == new[-32:][:8]
    first, second = [sent for sent in wire.links if sent]
    assert SIZE // 2 < first < SIZE
    missing = len(new) - (first - 404)
    assert missing <= second - 404 <= missing + WINDOW + 2 * protocol2.SECTOR
    assert wire.events[:-1] == diagram(root, "protocol2-resume")  # and Info, to return it


async def test_it_sends_a_lost_chunk_again(simulate, file, wire):
    simulate()
    new = file()
    lost = []

    def lose(sent):
        if not lost and sent > SIZE // 2:
            lost.append(sent)
            return True
        return False
    wire.lose = lose
    info = await protocol2.update(ADDRESS, new, stage=True)
    assert info.noted_id == new[-32:][:8] and lost
    assert 404 + len(new) < wire.links[0] <= 404 + len(new) + WINDOW


# By what the image is: how it is made, why it is refused, and the detail that comes with that.
REFUSED = {
    "for another chip": ({"chip": "esp32c3"}, [], Status.CHIP, 0),
    "for another board": ({}, ["--hardware", "7"], Status.HARDWARE, 5),
    "without updraft inside": ({}, ["--without-updraft"], Status.NO_UPDRAFT, 0),
    "of another project": ({}, ["--project", "lamp"], Status.PROJECT, 0),
    "above the slot's size": ({"size": (1 << 20) + 4096}, [], Status.TOO_LARGE, 1 << 20),
    "what runs": ({"version": "1.0.0"}, ["--hardware", "5"], Status.RUNNING, 0),
}


async def test_it_is_told_why_an_image_is_refused_before_anything_is_erased(simulate, file,
                                                                            tmp_path):
    mine = tmp_path / "mine.bin"
    mine.write_bytes(file("--hardware", "5", version="1.0.0"))
    sim = simulate(f"esp32,image={mine}")
    for options, arguments, status, detail in REFUSED.values():
        with pytest.raises(Refused) as refused:
            await protocol2.update(ADDRESS, file(*arguments, **options))
        assert (refused.value.status, refused.value.detail) == (status, detail)
    assert "operations 0\n" in sim.verb("flash", "esp32", "stats")


async def test_force_lifts_what_spec_says_it_lifts(simulate, file):
    simulate()
    other = file("--project", "lamp", "--without-updraft")
    info = await protocol2.update(ADDRESS, other, force=True, stage=True)
    assert info.noted_id == other[-32:][:8]


async def test_it_sees_a_rollback_and_the_reason(simulate, file):
    simulate()
    with pytest.raises(RolledBack) as rolled_back:
        await protocol2.update(ADDRESS, file("--behaviour", "selftest"))
    assert rolled_back.value.reason == 2  # self-test failed


async def test_a_staged_image_starts_after_a_power_cut_and_goes_back_on_command(simulate, file):
    sim = simulate()
    new = file()
    info = await protocol2.update(ADDRESS, new, stage=True)
    assert info.flags & protocol2.STAGED and info.noted_id == new[-32:][:8]
    assert info.version == "1.0.0"
    async with Session(ADDRESS) as session:  # one that ends before its RANGE changes nothing
        await session.open(Firmware(file(version="3.0.0")))
        with pytest.raises(Refused, match="ABORTED"):
            await session.ask(Phase.IDLE, "<BB", protocol2.ABORT, session.number)
    sim.verb("power", "esp32", "cycle")
    info = await protocol2.activate(ADDRESS)
    assert (info.image_id, info.run_state) == (new[-32:], RunState.CONFIRMED)
    info = await protocol2.rollback(ADDRESS)
    assert (info.version, info.run_state) == ("1.0.0", RunState.WITHOUT_TRIALS)
    assert (info.result, info.reason) == (Result.ROLLED_BACK, 5)
    assert info.noted_id == new[-32:][:8]
    with pytest.raises(Refused, match="NO_FALLBACK"):
        await protocol2.rollback(ADDRESS, to_factory=True)


def test_it_finds_the_end_of_an_image_that_esptool_made(compiled_image):
    image = pathlib.Path(compiled_image(version="1.2.3", project="lamp")).read_bytes()
    assert protocol2.image_size(image) == len(image)
    assert (protocol2.text(image[48:80]), protocol2.text(image[80:112])) == ("1.2.3", "lamp")
    signed = Firmware(image + bytes(4096))
    assert (signed.id, len(signed.file)) == (image[-32:], len(image) + 4096)
    odd = Firmware(image + b"?")
    assert (odd.id, odd.file) == (image[-32:], image)


@pytest.mark.parametrize("differing, sent", [([4], [1, 2, 3, 4]), ([5], [4, 5, 6, 7]),
                                             ([], [5, 6, 7])])
def test_it_sends_the_sectors_of_the_page_s_example(file, differing, sent):
    firmware = Firmware(file(size=8 * protocol2.SECTOR))
    firmware.blank = [at in (2, 3, 6, 7) for at in range(8)]
    found = [crc ^ (at in differing) for at, crc in enumerate(firmware.crcs)]
    assert sorted(firmware.missing(found)) == sent


@pytest.mark.parametrize("kind, layout", [("state", protocol2.State), ("info", protocol2.Info)])
def test_it_reads_the_worked_examples(root, kind, layout):
    vectors = json.loads((root / "tests/vectors/protocol2.json").read_text(encoding="utf-8"))
    examples = [message for message in vectors["messages"] if message["kind"] == kind]
    assert examples
    for example in examples:
        read = vars(layout.parse(whole(example["hex"])))
        for name, value in example["fields"].items():
            mine = read["phase" if name == "state" else name]
            assert mine == (whole(value) if isinstance(mine, bytes) else value), name


def whole(parts):
    """The bytes of an example: hexadecimal, 00*31 for 31 times 00."""
    parts = [parts] if isinstance(parts, str) else parts
    bytes_and_counts = (part.split("*") for part in " ".join(parts).split())
    return b"".join(bytes.fromhex(byte) * int((*count, 1)[0]) for byte, *count in bytes_and_counts)


@pytest.mark.long
@pytest.mark.parametrize("air, flash, size", [("worst", "worst", 48 << 10),
                                              ("iphone-30", "typical", SIZE),
                                              ("android-11", "typical", SIZE),
                                              ("bluez-50", "typical", SIZE)])
async def test_it_comes_through_where_links_are_lost_and_flash_is_slow(simulate, file, wire, air,
                                                                       flash, size):
    sim = simulate(options=["--air", air, "--flash", flash])
    drops = []

    def drop(sent):
        if len(wire.links) == len(drops) + 1 <= 3 and sent > size // 4:
            drops.append(sent)
            sim.verb("link", "esp32", "drop")
        return False
    wire.lose = drop
    info = await protocol2.update(ADDRESS, file(size=size))
    assert (info.version, info.run_state) == ("2.0.0", RunState.CONFIRMED)
    assert len(drops) == 3
