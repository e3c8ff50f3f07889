# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""A board that a computer offers on its own adapter (updraft-sim --adapter), found by another
adapter of the same bluetoothd: the real daemon on both sides."""

import contextlib
import re
import subprocess

import pytest

import counts
import real_bluez
from simulated import LIMIT_S
from stack import assert_updated, firmware

# The kernel's second adapter, as updraft-sim --vhci makes it.
ADDRESS = "02:75:70:64:72:01"


class Offered:
    """A board on hci1, for the simulator's adapters."""

    def __init__(self, adapters, *options):
        self.adapters = adapters
        self.log = open("/run/log/gateway.log", "ab")
        self.process = subprocess.Popen(
            [adapters.tool_path, "--adapter", "hci1", "-v", *options], text=True,
            stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline()
        self.control = re.fullmatch(r"export (\w+)='(.*)'\n", line).groups()

    def tool(self, *words):
        environment = {**self.adapters.environment, self.control[0]: self.control[1]}
        return subprocess.run([self.adapters.tool_path, *words], env=environment, check=True,
                              timeout=LIMIT_S, text=True, stdout=subprocess.PIPE).stdout

    def run(self, *words):
        return self.adapters.run(*words, "--adapter", "hci0", "--device", ADDRESS, "--timeout",
                                 "30")

    def end(self):
        if self.process.poll() is None:
            counts.add(self.tool, ["esp32"])
        self.process.terminate()
        assert self.process.wait(LIMIT_S) == 0
        self.process.stdout.close()
        self.log.close()


@pytest.fixture
def offered(simulator, image):
    """offered(options...): a board with the minimal firmware, 1.0.0, on hci1."""
    adapters = simulator("unused", options=["--adapters", "2"])
    adapters.tool("power", "unused", "off")
    with contextlib.ExitStack() as stack:
        def start(*options):
            board = Offered(adapters, "--board", f"esp32,image={image('1.0.0')}", *options)
            stack.callback(board.end)
            return board
        yield start


def test_board_is_found_by_its_name_and_read(offered):
    board = offered()
    result = board.adapters.run("scan", "--adapter", "hci0")
    assert re.search(rf"^{ADDRESS} .* yes +esp32$", result.stdout, re.M), result.stdout
    result = board.run("info")
    assert firmware(result) == "1.0.0"
    assert re.search(r"^Model +Minimal$", result.stdout, re.M)
    assert re.search(r"^Update +protocol 2, MTU 517, 495 bytes a write", result.stdout, re.M)


def test_board_on_an_adapter_is_updated_over_another(offered, image):
    board = offered()
    assert firmware(board.run("info")) == "1.0.0"
    assert_updated(board.run("update", "--json", image("1.1.0")), "1.1.0")
    assert firmware(board.run("info")) == "1.1.0"
    assert "running 1.1.0 from ota_0" in board.tool("log", "esp32")


def test_rollback_of_a_new_firmware_is_seen(offered, image):
    board = offered()
    result = board.run("update", "--json", image("1.1.0", behaviour="crash"))
    assert result.returncode == 7, result.stderr
    assert firmware(board.run("info")) == "1.0.0"


def test_firmware_with_other_services_is_read_after_the_update(offered, image):
    """Another table: bluetoothd is told, and tells by Service Changed."""
    board = offered()
    result = board.run("update", "--json", "--force", image("2.0.0", firmware="own_nimble"))
    assert result.returncode == 0, result.stderr
    assert firmware(board.run("info")) == "2.0.0"


def test_adapters_own_name_is_back_afterwards(offered):
    board = offered()
    assert firmware(board.run("info")) == "1.0.0"
    name = real_bluez.text("/org/bluez/hci1", "Adapter1", "Alias")
    board.process.terminate()
    assert board.process.wait(LIMIT_S) == 0
    assert name == "esp32"
    assert real_bluez.text("/org/bluez/hci1", "Adapter1", "Alias") != "esp32"
