# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""BlueZ's own bluetoothctl beside virtual boards, told line by line what to do."""

import os
import re
import select
import subprocess
import time

import pytest

ADDRESS = "24:0A:C4:00:00:12"
DEVICE = "/org/bluez/hci0/dev_24_0A_C4_00_00_12"
FIRMWARE_REVISION = "00002a26-0000-1000-8000-00805f9b34fb"
CONTROL = "7ad671aa-21c0-46a4-b722-270e3ae3d830"
DATA = "23408888-1f40-4cd8-9b89-ca8d45f8a5b0"
LIMIT_S = 30


class Bluetoothctl:
    """What it prints is kept without colours; expect() goes through it in order."""

    def __init__(self, environment):
        self.process = subprocess.Popen(["bluetoothctl"], env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""
        self.at = 0

    def say(self, line, *patterns):
        """Types a line, and waits for the patterns one after another."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return [self.expect(pattern) for pattern in patterns]

    def expect(self, pattern):
        deadline = time.monotonic() + LIMIT_S
        while True:
            match = re.compile(pattern).search(self.text, self.at)
            if match:
                self.at = match.end()
                return match
            assert time.monotonic() < deadline, f"no {pattern!r} after:\n{self.text}"
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                more = self.process.stdout.read()
                assert more, f"it ended; no {pattern!r} after:\n{self.text}"
                self.text += re.sub(r"\x1b\[[0-9;]*[mK]|[\x01\x02\r]", "", more.decode())


@pytest.fixture
def bluetoothctl(simulate):
    terminal = Bluetoothctl(simulate("esp32").environment)
    terminal.expect("Agent registered")
    yield terminal
    terminal.process.kill()
    terminal.process.wait()
    terminal.process.stdin.close()
    terminal.process.stdout.close()


@pytest.fixture
def connected(bluetoothctl):
    bluetoothctl.say("scan on", f"NEW. Device {ADDRESS} esp32")
    bluetoothctl.say("scan off", "Discovery stopped")
    bluetoothctl.say(f"connect {ADDRESS}", "Connection successful", "ServicesResolved: yes")
    bluetoothctl.say("menu gatt", "Print environment variables")
    return bluetoothctl


def test_bluetoothctl_shows_the_board_and_ends_in_order(bluetoothctl):
    bluetoothctl.say("show", r"Controller 02:75:70:64:72:00 \(public\)", "Powered: yes")
    bluetoothctl.say("scan on", f"NEW. Device {ADDRESS} esp32")
    bluetoothctl.say("scan off", "Discovery stopped")
    bluetoothctl.say(f"connect {ADDRESS}", "Connection successful", "ServicesResolved: yes")
    bluetoothctl.say(f"info {ADDRESS}", f"Device {ADDRESS} .public.", "Name: esp32",
                     "Paired: no", "Connected: yes", "UUID: Device Information +.0000180a-")
    bluetoothctl.say(f"disconnect {ADDRESS}", "Successful disconnected")
    bluetoothctl.expect("ServicesResolved: no")
    bluetoothctl.expect("Connected: no")
    bluetoothctl.say(f"remove {ADDRESS}", "Device has been removed")
    bluetoothctl.say("quit")
    assert bluetoothctl.process.wait(LIMIT_S) == 0


def test_bluetoothctl_lists_the_attributes(connected):
    connected.say(f"list-attributes {ADDRESS}", DATA)
    listed = re.findall(rf"^(Primary Service|Characteristic|Descriptor) .*\n\t({DEVICE}/\S+)\n"
                        r"\t(\S+)", connected.text, re.M)
    kinds = {"service": "Primary Service", "char": "Characteristic", "desc": "Descriptor"}
    assert all(re.fullmatch(r"([a-z]+)[0-9a-f]{4}", path.rsplit("/", 1)[1])
               for _, path, _ in listed)
    assert all(kinds[re.match("[a-z]+", path.rsplit("/", 1)[1])[0]] == kind
               for kind, path, _ in listed)
    paths = {uuid: path for _, path, uuid in listed}
    assert os.path.dirname(paths[CONTROL]) == os.path.dirname(paths[DATA]) == \
        paths["d6f1d96d-594c-4c53-b1c6-144a1dfde6d8"]
    assert any(path.startswith(paths[CONTROL] + "/desc") and uuid.startswith("00002902")
               for _, path, uuid in listed)
    assert FIRMWARE_REVISION in paths


def test_bluetoothctl_reads_the_firmware_revision(connected):
    connected.say(f"select-attribute {FIRMWARE_REVISION}", "char[0-9a-f]{4}.#")
    connected.say("read", r"31 2e 30 2e 30 +1\.0\.0")


def test_bluetoothctl_acquires_the_data_characteristic(connected):
    connected.say(f"select-attribute {DATA}", "char[0-9a-f]{4}.#")
    fd, = connected.say("acquire-write", r"AcquireWrite success: fd (\d+) MTU 498")
    connected.expect("WriteAcquired: yes")
    connected.say('write "0xef 0x01"', f"Attempting to write fd {fd[1]}")
    connected.say("release-write", "WriteAcquired: no")


def test_bluetoothctl_is_answered_by_notification(connected):
    connected.say(f"select-attribute {CONTROL}", "char[0-9a-f]{4}.#")
    connected.say("notify on", "Notify started")
    connected.say("write 1", "Value:", "02")
    connected.say("notify off", "Notify stopped")
    connected.say("acquire-write", r"Failed to acquire write: org.bluez.Error.NotSupported")
    connected.say("write 9", "Failed to write: org.bluez.Error.Failed")
