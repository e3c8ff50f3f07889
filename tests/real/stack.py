# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests on the real stack share."""

import json
import re

import real_bluez
from simulated import ADDRESS, LIMIT_S

HCI0 = "/org/bluez/hci0"
DEVICE = HCI0 + "/dev_" + ADDRESS.replace(":", "_")



def firmware(result):
    """The version that `updraft info` printed."""
    assert result.returncode == 0, result.stderr
    return re.search(r"^Firmware +(\S+)", result.stdout, re.M)[1]


def finished(result):
    return json.loads(result.stdout.splitlines()[-1])


def info(board):
    return board.run("info", "--device", ADDRESS)


def update(board, path, *more):
    return board.run("update", "--json", "--device", ADDRESS, path, *more)


def assert_updated(result, version):
    """Confirmed at the first try; after protocol 1, too, if what runs now speaks protocol 2."""
    assert result.returncode == 0, result.stderr
    end = finished(result)
    assert (end["outcome"], end["firmware_revision"]) == ("confirmed", version)
    assert "trying again" not in result.stderr, result.stderr


def protocol_of(result):
    return [event["protocol"] for event in map(json.loads, result.stdout.splitlines())
            if event["event"] == "device"][0]


def assert_left_as_found():
    """No connection, no discovery."""
    assert not real_bluez.get(DEVICE, "Device1", "Connected")
    real_bluez.until(lambda: not real_bluez.get(HCI0, "Adapter1", "Discovering"))


def start_transfer(board, path, *more):
    """An update that has come so far that the device has kept some of it."""
    process = board.start("update", "--json", "--device", ADDRESS, path, *more)
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "progress" and event["done_bytes"] > 100_000:
            return process
    raise AssertionError(process.communicate(timeout=LIMIT_S))
