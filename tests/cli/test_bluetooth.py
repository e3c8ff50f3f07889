# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""When it is this computer's Bluetooth that does not work."""

import json
import re
import subprocess
import time

import pytest

from simulated import ADDRESS, LARGE, LIMIT_S, last_line

ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"
IN_PROGRESS = "org.bluez.Error.InProgress"
NOT_READY = "org.bluez.Error.NotReady"


@pytest.fixture
def running(simulator, image):
    with simulator(f"esp32,image={image('1.0.0')}", options=["--flash", "typical"]) as simulated:
        yield simulated


def assert_fails(result, status, code, what, advice):
    finished = json.loads(result.stdout.splitlines()[-1])
    assert (result.returncode, finished["exit"], finished["code"]) == (status, status, code)
    last = result.stderr.splitlines()[-1]
    assert last == f"updraft: {what}; {advice}"


def power_on(running):
    """The adapter takes a moment to come up."""
    running.tool("bluez", "power", "on")
    while "adapter_off" in running.run("scan", "--json", "--timeout", "0.1").stdout:
        pass


def info(running, *more):
    return running.run("info", "--json", "--timeout", "1", "--device", ADDRESS, *more)


OFF = ("adapter_off", "Bluetooth is switched off on this computer's adapter",
       "switch it on with: bluetoothctl power on")
NO_DAEMON = ("no_bluetoothd", "the Bluetooth service is not running",
             "start it with: systemctl start bluetooth")
NO_ADAPTER = ("no_adapter", "this computer has no Bluetooth adapter",
              "plug one in, and see that rfkill list shows it unblocked")
NO_PERMISSION = ("no_permission", "this user may not use Bluetooth",
                 "use an account that may: on Debian, one in the group bluetooth, or one that "
                 "is logged in at the console")
OTHER_PROGRAM = ("in_progress", "another program on this computer uses the device",
                 "end that program, or its connection with: bluetoothctl disconnect")
NO_CONNECTION = ("link_connect", "no connection to the device could be made",
                 "see that it is powered, near, and not connected to something else; then try "
                 "again")


def test_bluetooth_that_is_off_is_told_so(running):
    running.tool("bluez", "power", "off")
    for words in (["scan"], ["info"]):
        assert_fails(running.run(*words, "--json"), 3, *OFF)
    assert_fails(running.run("scan", "--json", "--adapter", "hci0"), 3, "adapter_off",
                 "Bluetooth is switched off on hci0",
                 "switch it on with: bluetoothctl select its address, then bluetoothctl power on")
    power_on(running)
    assert info(running).returncode == 0


def test_a_computer_without_adapters_is_told_so(running):
    running.tool("bluez", "unplug")
    assert_fails(running.run("scan", "--json"), 3, *NO_ADAPTER)
    running.tool("bluez", "plug")
    assert info(running).returncode == 0
    assert_fails(info(running, "--adapter", "hci7"), 3, "no_adapter",
                 "this computer has no Bluetooth adapter hci7",
                 "bluetoothctl list shows those that it has")


def test_a_daemon_that_does_not_run_is_told_so(running):
    running.tool("bluez", "quit")
    assert_fails(running.run("scan", "--json"), 3, *NO_DAEMON)
    running.tool("bluez", "restart")
    assert info(running).returncode == 0


@pytest.mark.parametrize("where", ["unix:path=/nowhere/bus", "nonsense"])
def test_a_message_bus_that_is_not_there_is_told_so(running, where):
    running.environment = {**running.environment, "DBUS_SYSTEM_BUS_ADDRESS": where}
    assert_fails(running.run("scan", "--json"), 3, *NO_DAEMON)


@pytest.mark.parametrize("method", ["GetManagedObjects", "StartDiscovery", "Connect"])
def test_a_user_without_permission_is_told_so(running, method):
    running.tool("bluez", "refuse", method, ACCESS_DENIED, "100")
    result = info(running)
    assert_fails(result, 3, *NO_PERMISSION)
    assert ACCESS_DENIED in json.loads(result.stdout.splitlines()[-1])["detail"]


def test_what_the_system_said_is_shown_when_asked(running):
    running.tool("bluez", "refuse", "Connect", ACCESS_DENIED, "100")
    result = running.run("info", "-v", "--device", ADDRESS)
    assert result.stderr.splitlines()[-1] == \
        f"updraft: the system said: {ACCESS_DENIED}: Refused by request"


def test_not_ready_is_bluetooth_that_is_off(running):
    for method in ("StartDiscovery", "Connect"):
        running.tool("bluez", "refuse", method, NOT_READY)
        assert_fails(info(running), 3, *OFF)


def test_in_progress_is_waited_for_and_then_told(running):
    running.tool("bluez", "refuse", "StartDiscovery", IN_PROGRESS, "2")
    assert running.run("info", "--json", "--device", ADDRESS).returncode == 0
    running.tool("bluez", "refuse", "Connect", IN_PROGRESS, "2")
    result = info(running)
    assert result.returncode == 0
    assert "another program on this computer uses the device; trying again" in result.stderr
    running.tool("bluez", "refuse", "Connect", IN_PROGRESS, "100")
    assert_fails(info(running), 4, *OTHER_PROGRAM)


def test_a_connect_that_fails_is_tried_three_times(running):
    running.tool("bluez", "refuse", "Connect", "org.bluez.Error.Failed", "100")
    result = info(running)
    name, what, advice = NO_CONNECTION
    assert_fails(result, 4, name, what, advice)
    assert result.stderr.count("trying again") == 2


@pytest.mark.parametrize("how", ["lost", "rejected", "dropped"])
def test_connects_that_fail_on_the_air_are_made_up_for(running, how):
    running.tool("link", "esp32", "refuse", how, "2")
    result = running.run("info", "--device", ADDRESS)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("trying again") == 2
    running.tool("link", "esp32", "refuse", how, "100")
    name, what, advice = NO_CONNECTION
    assert_fails(info(running), 4, name, what, advice)


def test_a_connect_that_finds_a_connection_uses_it_and_leaves_it(running):
    """Another program was quicker: what it made is its own."""
    assert info(running).returncode == 0
    call(running, "org.bluez.Device1", "Connect")
    running.tool("bluez", "refuse", "Connect", "org.bluez.Error.AlreadyConnected")
    assert info(running).returncode == 0
    assert is_connected(running)


def test_a_discovery_that_hears_nothing_is_started_anew(running):
    running.tool("bluez", "deafen")
    assert running.run("info", "--device", ADDRESS).returncode == 0
    running.tool("bluez", "deafen")
    result = running.run("scan", "--timeout", "5")
    assert result.returncode == 0 and ADDRESS in result.stdout


def test_a_connection_that_only_its_answer_tells_is_used(running):
    """bluetoothd forgets the signal where its socket is quicker than the kernel's word."""
    running.tool("bluez", "hush")
    result = info(running)
    assert result.returncode == 0 and "trying again" not in result.stderr, result.stderr
    assert not is_connected(running)


# ---- connections of other programs ----

def call(running, interface, member, *arguments):
    path = "/org/bluez/hci0/dev_" + ADDRESS.replace(":", "_")
    return subprocess.run(
        ["dbus-send", "--system", "--print-reply", "--dest=org.bluez", path,
         f"{interface}.{member}", *arguments], env=running.environment, check=True, text=True,
        timeout=LIMIT_S, stdout=subprocess.PIPE).stdout


def is_connected(running):
    return "boolean true" in call(running, "org.freedesktop.DBus.Properties", "Get",
                                  "string:org.bluez.Device1", "string:Connected")


def test_a_connection_that_another_program_made_is_used_and_left_to_it(running, image):
    assert info(running).returncode == 0
    assert not is_connected(running)
    call(running, "org.bluez.Device1", "Connect")
    assert info(running).returncode == 0
    assert is_connected(running)
    result = running.run("update", "--device", ADDRESS, image("2.0.0"))
    assert result.returncode == 0 and "runs 2.0.0, confirmed (was 1.0.0)" in result.stdout


# ---- sockets ----

SOCKETS = ["AcquireWrite", "AcquireNotify"]


@pytest.mark.parametrize("methods, error", [
    (["AcquireWrite"], "org.bluez.Error.NotSupported"),
    (["AcquireNotify"], "org.bluez.Error.NotPermitted"),
    (SOCKETS, "org.freedesktop.DBus.Error.UnknownMethod"), (SOCKETS, IN_PROGRESS)])
def test_without_sockets_the_bus_carries_the_update(running, image, methods, error):
    for method in methods:
        running.tool("bluez", "refuse", method, error, "100")
    result = running.run("update", "--device", ADDRESS, image("2.0.0"))
    assert result.returncode == 0 and "runs 2.0.0, confirmed" in result.stdout, result.stderr
    assert "trying again" not in result.stderr


# ---- in the middle of an update ----

def start_transfer(running, image):
    return running.start_until(["update", image("2.0.0", size=LARGE), "--timeout", "5",
                                "--device", ADDRESS], "progress")


def assert_ends(process, status, code, what, advice):
    finished, stderr, returned = last_line(process)
    assert (returned, finished["exit"], finished["code"]) == (status, status, code)
    assert stderr.splitlines()[-1] == f"updraft: {what}; {advice}"


@pytest.mark.parametrize("words, end", [
    (["quit"], NO_DAEMON), (["kill"], NO_DAEMON), (["power", "off"], OFF),
    (["unplug"], NO_ADAPTER), (["refuse", "WriteValue", ACCESS_DENIED], NO_PERMISSION)])
def test_bluetooth_that_goes_in_mid_update_ends_it(running, image, words, end):
    process = start_transfer(running, image)
    running.tool("bluez", *words)
    assert_ends(process, 3, *end)
    # Nothing is lost: once Bluetooth is back, so is the device, with what it ran.
    if words[0] in ("quit", "kill", "unplug"):
        running.tool("bluez", "plug" if words[0] == "unplug" else "restart")
    elif words[0] == "power":
        power_on(running)
    result = running.run("info", "--device", ADDRESS)
    assert re.search(r"^Firmware +1\.0\.0$", result.stdout, re.M), result.stderr


@pytest.mark.parametrize("what, end", [("unplug", NO_ADAPTER), ("quit", NO_DAEMON)])
def test_what_an_adapter_that_goes_off_stands_for_is_waited_for(running, image, what, end):
    """The first thing that is told, on a busy computer a while before the rest."""
    process = start_transfer(running, image)
    running.tool("bluez", "power", "off")
    time.sleep(0.8)
    running.tool("bluez", what)
    assert_ends(process, 3, *end)


@pytest.mark.parametrize("way", ["quit", "kill"])
def test_a_daemon_restarted_in_mid_update_is_made_up_for(running, image, way):
    process = start_transfer(running, image)
    running.tool("bluez", way)
    running.tool("bluez", "restart")
    finished, stderr, status = last_line(process)
    assert (status, finished["outcome"]) == (0, "confirmed"), stderr
    assert "trying again (attempt 2)" in stderr


def test_a_daemon_restarted_during_a_scan_is_asked_again(running):
    process = running.start_until(["scan", "--timeout", "3"], "found")
    running.tool("bluez", "kill")
    running.tool("bluez", "restart")
    finished, stderr, status = last_line(process)
    assert (status, finished["code"], stderr) == (0, "ok", "")


def test_a_message_bus_that_goes_in_mid_update_ends_it(simulator, image):
    with simulator(f"esp32,image={image('1.0.0')}") as running:
        process = start_transfer(running, image)
        running.process.terminate()
        running.process.wait(LIMIT_S)
        assert_ends(process, 3, *NO_DAEMON)


@pytest.mark.parametrize("error, code", [("org.bluez.Error.Failed", "link_lost"),
                                         (IN_PROGRESS, "in_progress"), (NOT_READY, "adapter_off")])
def test_a_write_that_fails_in_mid_update_is_made_up_for(running, image, error, code):
    process = start_transfer(running, image)
    running.tool("bluez", "refuse", "WriteValue", error)
    finished, stderr, status = last_line(process)
    if code == "adapter_off":
        assert (status, finished["code"]) == (3, code)
    else:
        assert status == 0 and finished["outcome"] == "confirmed"
        assert "trying again (attempt 2)" in stderr
