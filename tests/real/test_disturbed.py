# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Connections that fail, notifications that are lost, late or merged, and what the daemon
remembers of a device."""

import asyncio
import re
import signal
import subprocess
import time

import pytest

import bus
import protocol1
import real_bluez
from simulated import ADDRESS, LARGE, LIMIT_S, last_line
from stack import (DEVICE, HCI0, assert_left_as_found, assert_updated, firmware, finished, info,
                   protocol_of, start_transfer, update)

NEVER = "1000"


def assert_fails(result, code):
    assert (result.returncode, finished(result)["code"]) == (4, code), result.stderr
    assert result.stderr.count("trying again") == 2


def notifications(board, *rule):
    """Sets what happens to notifications; how many there were before, and were lost."""
    said = board.tool("bluez", "notifications", *rule)
    return [int(number) for number in re.findall(r"\d+", said)]


# ---- connections that fail ----

@pytest.mark.parametrize("how", ["lost", "rejected", "dropped"])
def test_connects_that_fail_are_repeated_and_then_given_up(board, how):
    """The request is lost and the link ends after six events; the controller has no
    resources; or the link is lost with the first data."""
    board.tool("link", "esp32", "refuse", how, "2")
    result = info(board)
    assert firmware(result) == "1.0.0"
    assert result.stderr.count("trying again") == 2
    assert_left_as_found()
    board.tool("link", "esp32", "refuse", how, NEVER)
    assert_fails(board.run("info", "--json", "--device", ADDRESS), "link_connect")
    assert_left_as_found()
    board.tool("link", "esp32", "refuse", how, "0")
    assert firmware(info(board)) == "1.0.0"


# ---- notifications ----

def test_lost_notifications_are_made_up_for(board, image):
    notifications(board, "lose", "3")
    result = update(board, image("2.0.0", size="128K"))
    count, lost = notifications(board, "pass")
    assert_updated(result, "2.0.0")
    assert 0 < lost <= count // 3


def test_late_notifications_that_come_at_once_are_all_taken(board, image):
    notifications(board, "gather", "4")
    result = update(board, image("2.0.0", size="128K"))
    assert_updated(result, "2.0.0")
    assert notifications(board, "pass")[0] > 4


def test_reader_that_stands_still_goes_on_where_it_was(board, image):
    process = start_transfer(board, image("2.0.0", size=LARGE))
    process.send_signal(signal.SIGSTOP)
    time.sleep(2)
    process.send_signal(signal.SIGCONT)
    end, stderr, status = last_line(process)
    assert (status, end.get("outcome")) == (0, "confirmed"), stderr
    assert "trying again" not in stderr


async def test_notifications_by_the_bus_are_enough(board, image):
    """Another program listens on Control by StartNotify, and goes on with that on our
    connection: AcquireNotify is in progress. On the bus, a notification may come once for
    each listener, or stand for two."""
    assert firmware(info(board)) == "1.0.0"
    real_bluez.call(DEVICE, "org.bluez.Device1.Connect")
    listener = bus.Listener()
    await listener.start(DEVICE, protocol1.CONTROL)
    real_bluez.call(DEVICE, "org.bluez.Device1.Disconnect")
    notifications(board, "gather", "4")
    assert_updated(await asyncio.to_thread(update, board, image("2.0.0")), "2.0.0")
    assert listener.values > 0


# ---- what the daemon remembers ----

@pytest.mark.parametrize("before, after, protocol", [
    ("legacy_requests_only", "minimal", 2), ("minimal", "legacy_requests_only", 1)])
def test_table_of_a_board_that_was_flashed_by_cable_is_read_anew(
        simulator, image, updraft_sim, tmp_path, before, after, protocol):
    """Nobody was connected that could have been told of the change."""
    def flash(version, name):
        path = tmp_path / name
        subprocess.run([updraft_sim, "--board", f"esp32,flash={path},"
                        f"image={image(version, firmware=name)}", "--", "true"],
                       check=True, timeout=LIMIT_S)
        return path

    old, new = flash("1.0.0", before), flash("1.1.0", after)
    board = simulator(f"esp32,flash={old}")
    assert firmware(info(board)) == ("1.0.0" if before == "minimal" else "not")  # known
    board.tool("power", "esp32", "off")
    for path in tmp_path.glob(new.name + "*"):
        path.rename(str(path).replace(after, before))
    board.tool("power", "esp32", "on")
    assert firmware(info(board)) == ("1.1.0" if after == "minimal" else "not")
    result = update(board, image("1.2.0"))
    assert protocol_of(result) == protocol
    assert_updated(result, "1.2.0")


def test_no_object_of_a_daemon_that_has_left_is_called(board, image, tmp_path):
    with bus.Monitor(tmp_path / "bus") as monitor:
        process = start_transfer(board, image("2.0.0", size=LARGE))
        real_bluez.fresh_daemon()
        end, stderr, status = last_line(process)
        assert (status, end.get("outcome")) == (0, "confirmed"), (end, stderr)
    messages = monitor.messages()
    came = [i for i, (_, _, member, words) in enumerate(messages)
            if member == "NameOwnerChanged" and words[0] == "org.bluez" and words[2]]
    known = set()
    called = []
    for kind, path, member, words in messages[came[-1]:]:
        if member == "InterfacesAdded":
            known.add(words[0])
        elif kind == "method call" and path.startswith(HCI0 + "/"):
            called.append(path)
            assert path in known, (path, member)
    assert DEVICE in called
    assert_left_as_found()
