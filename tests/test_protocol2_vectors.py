# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The worked examples of protocol 2, read by a decoder that was made from SPEC.md alone."""

import json
import pathlib
import struct
import zlib

import pytest

VECTORS = json.loads(
    (pathlib.Path(__file__).parent / "vectors" / "protocol2.json").read_text())
# opcode: the fields behind it, "_" for reserved bytes
COMMANDS = {
    0x10: ("<BBBHHI", "version flags _ manifest_size write_size nonce"),
    0x11: ("<BBBII", "session flags _ start size"),
    0x12: ("<BHH", "session first_sector sector_count"),
    0x13: ("<B", "session"),
    0x14: ("<B8s", "confirm_by id"),
    0x15: ("<8s", "id"),
    0x16: ("<B8s", "target id"),
    0x17: ("<B", "session"),
    0x18: ("<B", "session"),
}
STATE = ("<BBBBBHHHI", "state status flags session next_within next limit _ detail")
MANIFEST = ("<4sHHIII32s32s320s",
            "magic version size file_size image_size _ file_sha256 image_id head")
INFO = ("<BBHBBBBBBHHHIHHII6sH8s32s32s32sII",
        "layout protocol flags run_state slot result reason detail _ chip_id chip_revision "
        "trial_left slot_size write_size window hardware_id secure_version device_id _ noted_id "
        "image_id version project _ crc")


class Refused(Exception):
    """Holds the status that tells it."""


def need(condition, status=3):
    if not condition:
        raise Refused(status)


def unpack(layout, data):
    form, names = layout
    need(struct.calcsize(form) == len(data))
    pairs = list(zip(names.split(), struct.unpack(form, data)))
    need(all(value == 0 for name, value in pairs if name == "_"))
    return {name: value for name, value in pairs if name != "_"}


def decode_manifest(data):
    fields = unpack(MANIFEST, data[:404])
    need(fields.pop("magic") == b"UPD2" and fields.pop("size") == 404)
    need(fields.pop("version") == 2, 4)
    at = 404
    while at < len(data):
        need(at + 4 <= len(data))
        kind, reserved, size = struct.unpack_from("<BBH", data, at)
        at += 4 + size
        need(reserved == 0 and at <= len(data))
        need(kind < 0x80, 4)
    return fields


def decode_info(data):
    fields = unpack(INFO, data[:152])
    need(fields.pop("crc") == zlib.crc32(data[:148]))
    need(fields.pop("layout") == 1 and fields.pop("protocol") >= 2)
    for name in ("version", "project"):
        fields[name] = fields[name].rstrip(b"\0").decode()
    return fields


def decode(kind, data):
    if kind == "command":
        need(data[0] in COMMANDS)
        return {"opcode": data[0], **unpack(COMMANDS[data[0]], data[1:])}
    if kind == "state":
        fields = unpack(STATE, data[1:])
        need(data[0] == 0x80 and fields["state"] <= 6)
        return fields
    if kind == "map":
        need(data[0] == 0x82 and len(data) > 4 and len(data) % 4 == 0)
        session, first = struct.unpack_from("<BH", data, 1)
        crcs = [value for value, in struct.iter_unpack("<I", data[4:])]
        return {"session": session, "first_sector": first, "crcs": crcs}
    if kind == "chunk":
        return {"number": struct.unpack_from("<H", data)[0], "payload": data[2:]}
    if kind == "marker":
        magic, protocol, hardware = struct.unpack("<4sB3xI20x", data)
        need(magic == b"UPD1")
        return {"protocol_max": protocol, "hardware_id": hardware}
    return {"manifest": decode_manifest, "info": decode_info}[kind](data)


def raw(pieces):
    """Bytes of hexadecimal strings; 00*31 is 31 times 00."""
    if isinstance(pieces, str):
        pieces = [pieces]
    parts = (piece.partition("*") for piece in pieces)
    return b"".join(bytes.fromhex(text) * int(times or 1) for text, _, times in parts)


def name_of(vector):
    return f"{vector['kind']}: {vector['name']}"


@pytest.mark.parametrize("vector", VECTORS["messages"], ids=name_of)
def test_a_message_says_what_the_example_says(vector):
    fields = decode(vector["kind"], raw(vector["hex"]))
    told = {name: raw(value) if isinstance(fields.get(name), bytes) else value
            for name, value in vector["fields"].items()}
    assert fields == told


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=name_of)
def test_what_is_no_message_is_refused(vector):
    with pytest.raises(Refused) as refused:
        decode(vector["kind"], raw(vector["hex"]))
    assert refused.value.args[0] == vector.get("status", 3)


def test_every_kind_of_message_has_an_example():
    opcodes = {v["fields"]["opcode"] for v in VECTORS["messages"] if v["kind"] == "command"}
    assert opcodes == set(COMMANDS)
    assert {v["kind"] for v in VECTORS["messages"]} == {
        "command", "state", "map", "chunk", "marker", "manifest", "info"}
