# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""A board that a computer offers on its own adapter (updraft-sim --adapter), found by another
adapter of the same bluetoothd: the real daemon on both sides."""

import subprocess

import pytest

from simulated import LIMIT_S
from stack import assert_updated, firmware

HCI1_ADDRESS = "02:75:70:64:72:01"


@pytest.fixture
def computer(simulator):
    return simulator("bystander", options=["--adapters", "2"])


def test_board_on_an_adapter_is_updated_over_another(computer, updraft_sim, image):
    gateway = subprocess.Popen(
        [updraft_sim, "--adapter", "hci1", "--board", f"esp32,image={image('1.0.0')}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        words = ["--adapter", "hci0", "--device", HCI1_ADDRESS, "--timeout", "30"]
        assert firmware(computer.run("info", *words)) == "1.0.0"
        assert_updated(computer.run("update", "--json", *words, image("1.1.0")), "1.1.0")
        assert firmware(computer.run("info", *words)) == "1.1.0"
    finally:
        gateway.terminate()
        gateway.wait(LIMIT_S)
