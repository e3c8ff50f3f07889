# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Boards on the real Linux Bluetooth stack. These tests run in the virtual machine alone:
./run e2e."""

import functools

import pytest

import counts
import real_bluez
from simulated import Simulator, make_image

if not real_bluez.here():
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def image(updraft_sim, tmp_path_factory):
    """image(version, ...) makes an image with updraft-sim image and returns its path."""
    return functools.partial(make_image, updraft_sim, tmp_path_factory.mktemp("images"))


@pytest.fixture
def simulator(updraft_sim, updraft):
    """simulator(*boards, options=...): boards in the air of a kernel's adapters, and a
    bluetoothd that remembers nothing, until the test's end."""
    running = []

    def start(*boards, options=()):
        running.append(Simulator(updraft_sim, updraft, boards, *options))
        return running[-1].__enter__()

    yield start
    for simulation in running:
        counts.add(simulation.tool, [board.partition(",")[0] for board in simulation.boards])
        simulation.__exit__()


def pytest_terminal_summary(terminalreporter):
    counts.COUNTED["tests"] = len(terminalreporter.stats.get("passed", []))
    terminalreporter.write_line(counts.line())


@pytest.fixture
def board(simulator, image):
    """One board with the minimal firmware, 1.0.0."""
    return simulator(f"esp32,image={image('1.0.0')}")
