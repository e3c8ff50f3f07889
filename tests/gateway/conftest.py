# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""updraft-sim --adapter on a message bus with the server side of a bluetoothd."""

import asyncio
import contextlib
import os
import subprocess

import pytest
from server_side import ServerSide

LIMIT_S = 60


@pytest.fixture
def bus():
    """The address of a message bus of our own."""
    with subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--nopidfile",
                           "--print-address=1"], stdout=subprocess.PIPE, text=True) as daemon:
        yield daemon.stdout.readline().strip()
        daemon.terminate()


class Gateway:
    """A running updraft-sim --adapter hci1."""

    def __init__(self, program, bus, *options):
        self.program = program
        self.environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus}
        self.process = subprocess.Popen([program, "--adapter", "hci1", *options],
                                        env=self.environment, stdout=subprocess.PIPE,
                                        text=True)
        line = self.process.stdout.readline()
        assert line.startswith("export UPDRAFT_SIM="), line
        self.environment["UPDRAFT_SIM"] = line.split("'")[1]

    def verb(self, *words):
        return subprocess.run([self.program, *words], env=self.environment, check=True,
                              timeout=LIMIT_S, text=True, stdout=subprocess.PIPE).stdout

    def end(self):
        self.process.terminate()
        assert self.process.wait(LIMIT_S) == 0


@pytest.fixture
def gateway(updraft_sim, bus):
    """async with gateway(options...) as (daemon, sim): offered, when it begins."""
    @contextlib.asynccontextmanager
    async def start(*options):
        daemon = await ServerSide.start(bus)
        sim = await asyncio.to_thread(Gateway, updraft_sim, bus, *options)
        try:
            await daemon.offered()
            yield daemon, sim
            await asyncio.to_thread(sim.end)
        finally:
            sim.process.kill()
            await daemon.stop()
    return start
