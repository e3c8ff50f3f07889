# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What all Python tests share: the built programs, images and virtual boards."""

import os
import pathlib
import signal
import subprocess

import pytest

import counts
import real_bluez
import simulation

ROOT = pathlib.Path(__file__).resolve().parent.parent

# A shell starts what it runs in the background with SIGINT ignored, and that is inherited: the
# command would ignore it as well, and the tests of Ctrl-C wait for ever.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    if os.environ.get("UPDRAFT_TEST_ALL") == "1":
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes long: ./run test --all"))


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def build():
    """The build directory: UPDRAFT_BUILD, or build/test."""
    path = pathlib.Path(os.environ.get("UPDRAFT_BUILD", ROOT / "build" / "test"))
    if not path.is_dir():
        pytest.exit(f"{path} is not there: build first (./run test does)", returncode=3)
    return path


@pytest.fixture(scope="session")
def updraft(build):
    return str(build / "cli" / "updraft")


@pytest.fixture(scope="session")
def updraft_sim(build):
    return str(build / "sim" / "tool" / "updraft-sim")


@pytest.fixture(scope="session")
def compiled_image(tmp_path_factory):
    """An image that esptool made from compiled RISC-V code: compiled_image(chip=...,
    version=..., project=..., ...) returns its path. See compiled_images.compile_image."""
    import compiled_images

    def make(**wishes):
        return compiled_images.compile_image(tmp_path_factory.mktemp("compiled"), **wishes)

    return make


@pytest.fixture
def image(updraft_sim, tmp_path):
    """image(version, firmware=..., behaviour=..., size=...) makes an image for virtual
    boards and returns its path."""
    def make(version, **wishes):
        path = tmp_path / ("-".join([version, *wishes.values()]) + ".bin")
        subprocess.run(simulation.image_arguments(updraft_sim, path, version, **wishes),
                       check=True, timeout=simulation.LIMIT_S)
        return str(path)
    return make


@pytest.fixture
def simulate(updraft_sim, tmp_path, monkeypatch):
    """simulate("esp32,firmware=nimble", ..., options=[...]) starts boards that live until
    the test's end, and makes their BlueZ this process's own."""
    running = []

    def start(*boards, options=()):
        sim = simulation.Simulation(updraft_sim, boards or ("esp32",), options,
                                    tmp_path / f"updraft-sim-{len(running)}.log")
        running.append(sim)
        for name, value in sim.variables.items():
            monkeypatch.setenv(name, value)
        return sim

    yield start
    for sim in running:
        if real_bluez.here() and sim.process.poll() is None:
            counts.add(sim.verb, [line.split()[0] for line in sim.verb("boards").splitlines()])
        sim.end()
