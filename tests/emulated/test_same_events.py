# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The same image over the same air takes as many connection events in process mode (real time,
the emulated BlueZ, the real command) as in the virtual world."""

import json
import subprocess

import pytest

import simulation

AIR = "bluez-50"  # 1M; grants the 30 ms that updraft asks for
FLASH = "typical"
LIMIT_S = 180


def events(simulated):
    line = simulated.verb("air").splitlines()[0]
    assert line.startswith("connection events "), line
    return int(line.rsplit(" ", 1)[1])


def events_of_transfer(simulated, updraft, image):
    """Reads the air's ledger when the command tells that the transfer begins and ends."""
    counts = {}
    with subprocess.Popen([updraft, "--json", "update", str(image)], text=True,
                          env=simulated.environment, stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL) as command:
        for line in command.stdout:
            event = json.loads(line)
            if event["event"] == "phase" and event["phase"] in ("transferring", "verifying"):
                counts[event["phase"]] = events(simulated)
        assert command.wait(LIMIT_S) == 0
    return counts["verifying"] - counts["transferring"]


@pytest.mark.long  # it takes the time that a real transfer of 1 MiB takes
def test_a_transfer_takes_the_same_connection_events_in_both_modes(build, updraft, updraft_sim,
                                                                  tmp_path):
    factory = tmp_path / "factory.bin"
    image = tmp_path / "app.bin"
    for path, version, size in ((factory, "1.0.0", "32K"), (image, "1.1.0", "1M")):
        subprocess.run(simulation.image_arguments(updraft_sim, path, version, size=size),
                       check=True, capture_output=True)
    in_world = int(subprocess.run(
        [build / "tests" / "world" / "world_events", AIR, FLASH, factory, image], text=True,
        check=True, capture_output=True, timeout=LIMIT_S).stdout)
    simulated = simulation.Simulation(updraft_sim, boards=(f"esp32,image={factory}",),
                                      options=("--air", AIR, "--flash", FLASH),
                                      log_path=tmp_path / "sim.log")
    try:
        in_real_time = events_of_transfer(simulated, updraft, image)
    finally:
        simulated.end()
    print(f"connection events: {in_world} in the world, {in_real_time} in process mode")
    assert abs(in_real_time - in_world) <= in_world * 0.05
