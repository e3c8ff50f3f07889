# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What else goes on with a computer's Bluetooth while updraft uses it."""

import pathlib
import signal
import subprocess

import pytest

import protocol1
import real_bluez
from simulated import ADDRESS, LARGE, LIMIT_S, last_line
from stack import (DEVICE, HCI0, assert_left_as_found, assert_updated, firmware, finished,
                   info, start_transfer, update)


# ---- the adapter ----

def test_adapter_switched_off_in_mid_update_ends_it_with_status_3(board, image):
    process = start_transfer(board, image("2.0.0", size=LARGE))
    real_bluez.power(False)
    end, stderr, status = last_line(process)
    assert (status, end["code"]) == (3, "adapter_off"), stderr
    result = board.run("scan", "--json")
    assert (result.returncode, finished(result)["code"]) == (3, "adapter_off")
    real_bluez.power(True)
    assert_updated(update(board, image("2.0.0", size=LARGE)), "2.0.0")


def test_unplugged_adapter_in_mid_update_ends_it_with_status_3(board, image):
    process = start_transfer(board, image("2.0.0", size=LARGE))
    board.tool("bluez", "unplug")
    end, stderr, status = last_line(process)
    assert (status, end["code"]) == (3, "no_adapter"), stderr
    board.tool("bluez", "plug")
    real_bluez.wait_for_adapters()
    assert firmware(info(board)) == "1.0.0"


def test_adapter_is_chosen_by_name(simulator, image):
    board = simulator(f"esp32,image={image('1.0.0')}", options=["--adapters", "2"])
    result = board.run("info", "--device", ADDRESS, "--adapter", "hci1")
    assert firmware(result) == "1.0.0"
    assert not real_bluez.exists(DEVICE)
    assert real_bluez.exists(DEVICE.replace("hci0", "hci1"))
    result = board.run("info", "--json", "--device", ADDRESS, "--adapter", "hci2")
    assert (result.returncode, finished(result)["code"]) == (3, "no_adapter")


# ---- the daemon ----

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_daemon_restarted_in_mid_update_is_made_up_for(board, image, number):
    process = start_transfer(board, image("2.0.0", size=LARGE))
    real_bluez.quit_daemon(number)
    real_bluez.start_daemon()
    end, stderr, status = last_line(process)
    assert (status, end.get("outcome")) == (0, "confirmed"), (end, stderr)
    assert "resumes at" in stderr


def test_daemon_that_ends_in_mid_update_ends_it_with_status_3(board, image):
    process = start_transfer(board, image("2.0.0", size=LARGE))
    real_bluez.quit_daemon()
    end, stderr, status = last_line(process)
    assert (status, end["code"]) == (3, "no_bluetoothd"), stderr
    real_bluez.start_daemon()
    real_bluez.wait_for_adapters()
    assert_updated(update(board, image("2.0.0", size=LARGE)), "2.0.0")


# ---- other programs ----

def test_update_beside_a_program_that_scans(board, image):
    scanner = subprocess.Popen(["bluetoothctl"], stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, text=True)
    scanner.stdin.write("scan on\n")
    scanner.stdin.flush()
    real_bluez.until(lambda: real_bluez.get(HCI0, "Adapter1", "Discovering"))
    assert_updated(update(board, image("1.1.0")), "1.1.0")
    # Theirs goes on, whatever the daemon makes of it while others come and go.
    assert scanner.poll() is None
    real_bluez.until(lambda: real_bluez.get(HCI0, "Adapter1", "Discovering"))
    scanner.terminate()
    scanner.wait(LIMIT_S)
    assert_left_as_found()


def test_connection_that_another_program_made_is_used_and_left_to_it(board, image):
    assert info(board).returncode == 0
    real_bluez.call(DEVICE, "org.bluez.Device1.Connect")
    real_bluez.call(DEVICE, "org.bluez.Device1.Connect")  # once more: no AlreadyConnected
    assert firmware(info(board)) == "1.0.0"
    assert real_bluez.get(DEVICE, "Device1", "Connected")
    assert_updated(update(board, image("1.1.0")), "1.1.0")


async def test_independent_client_updates_by_protocol_1(board, image):
    new = pathlib.Path(image("1.1.0")).read_bytes()
    assert await protocol1.update(ADDRESS, new) == 495
    assert await protocol1.version(ADDRESS) == "1.1.0"
