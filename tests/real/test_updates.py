# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The command updates boards through the kernel's Bluetooth and the real bluetoothd."""

import asyncio
import re

import pytest

import bus
from simulated import ADDRESS, LARGE, last_line
from stack import (assert_left_as_found, assert_updated, finished, firmware, info, protocol_of,
                   start_transfer, update)

@pytest.mark.parametrize("name, protocol", [("legacy_requests_only", 1), ("minimal", 2)])
def test_update_runs_the_new_firmware_and_leaves_the_device_as_found(simulator, image, name,
                                                                     protocol):
    board = simulator(f"esp32,image={image('1.0.0', firmware=name)}")
    result = update(board, image("1.1.0"))
    assert protocol_of(result) == protocol
    assert_updated(result, "1.1.0")
    assert_left_as_found()
    assert firmware(info(board)) == "1.1.0"
    assert_left_as_found()


def test_scan_lists_boards_and_the_device_is_chosen_by_address_and_name(simulator, image):
    path = image("1.0.0")
    board = simulator(f"one,image={path}", f"two,image={path}", f"three,image={path}")
    addresses = [f"24:0A:C4:00:0{i}:12" for i in range(3)]
    scan = board.run("scan")
    assert re.findall(r"^(\S+) +-50 dBm  yes", scan.stdout, re.M) == addresses
    result = board.run("info", "--json")
    assert (result.returncode, finished(result)["code"]) == (2, "several_devices")
    for address in addresses:
        assert f"Address       {address}\n" in board.run("info", "--device", address).stdout
    board.tool("link", "two", "shield")
    board.tool("link", "three", "shield")
    result = board.run("info", "--device", addresses[1], "--timeout", "1")
    assert result.returncode == 3, result.stdout


async def test_scan_shows_what_matches_and_the_rest_when_asked(simulator, image):
    board = simulator(f"one,image={image('1.0.0')}", "other,firmware=nimble",
                      options=["--adapters", "2"])
    words = ["scan", "--adapter", "hci0", "--timeout", "8"]
    async with bus.nameless("hci1"):
        some = await asyncio.to_thread(board.run, *words)
        every = await asyncio.to_thread(board.run, *words, "--all")
        other = await asyncio.to_thread(board.run, "scan", "--adapter", "hci1", "--all")
    rows = [re.findall(r"^(\S+) +-50 dBm +(yes|-) +(\S*)$", result.stdout, re.M)
            for result in (some, every, other)]
    named = [(ADDRESS, "yes", "esp32"), ("24:0A:C4:00:01:12", "-", "esp32")]
    assert rows[0] == named
    assert some.stderr == "1 more without a name: updraft scan --all lists them\n"
    assert rows[1] == [named[0], ("02:75:70:64:72:01", "-", ""), named[1]]
    assert every.stderr == ""
    assert rows[2] == named  # its own advertisement it does not hear


def test_attribute_table_that_an_update_changed_is_not_remembered(simulator, image):
    board = simulator(f"esp32,image={image('1.0.0', firmware='legacy_requests_only')}")
    assert info(board).returncode == 0  # bluetoothd has the old table now
    assert_updated(update(board, image("1.1.0")), "1.1.0")
    # And the new one works: the next update is by what it offers.
    assert_updated(update(board, image("1.2.0")), "1.2.0")
    assert firmware(info(board)) == "1.2.0"


def test_lost_link_is_made_up_for(board, image):
    process = start_transfer(board, image("2.0.0", size=LARGE))
    board.tool("link", "esp32", "drop")
    end, stderr, status = last_line(process)
    assert (status, end.get("outcome")) == (0, "confirmed"), stderr
    assert "trying again (attempt 2)" in stderr and "resumes at" in stderr


def test_vanished_device_ends_with_status_4_and_takes_the_update_when_it_is_back(board, image):
    path = image("2.0.0", size=LARGE)
    process = start_transfer(board, path, "--timeout", "1")
    board.tool("power", "esp32", "off")
    end, stderr, status = last_line(process)
    assert (status, end["code"]) == (4, "link_lost"), stderr
    board.tool("power", "esp32", "on")
    assert firmware(info(board)) == "1.0.0"
    assert_updated(update(board, path), "2.0.0")


def test_rollback_ends_with_status_7(board, image):
    result = update(board, image("2.0.0", behaviour="selftest"))
    assert (result.returncode, finished(result)["code"]) == (7, "rolled_back"), result.stderr
    assert firmware(info(board)) == "1.0.0"


def test_interrupted_update_leaves_the_device_as_found(board, image):
    process = start_transfer(board, image("2.0.0", size=LARGE))
    process.send_signal(2)
    end, stderr, status = last_line(process)
    assert (status, end["code"]) == (130, "cancelled"), stderr
    assert_left_as_found()
    assert firmware(info(board)) == "1.0.0"
