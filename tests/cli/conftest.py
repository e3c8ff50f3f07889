# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Images and simulators for the tests of the command."""

import subprocess

import pytest

from simulated import LIMIT_S, Simulator


@pytest.fixture(scope="session")
def image(updraft_sim, tmp_path_factory):
    """image(version, ...) makes an image with updraft-sim image and returns its path."""
    folder = tmp_path_factory.mktemp("cli-images")

    def make(version, *, chip="esp32", behaviour="good", size="64K", firmware="minimal"):
        path = folder / f"{firmware}-{chip}-{version}-{behaviour}-{size}.bin"
        if not path.exists():
            subprocess.run([updraft_sim, "image", "--firmware", firmware, "--version", version,
                            "--chip", chip, "--behaviour", behaviour, "--size", size,
                            "-o", str(path)], check=True, timeout=LIMIT_S)
        return str(path)
    return make


@pytest.fixture(scope="session")
def simulator(updraft_sim, updraft):
    """simulator(*boards, options=...) is a with-statement's Simulator."""
    def make(*boards, options=()):
        return Simulator(updraft_sim, updraft, boards, *options)
    return make


@pytest.fixture(scope="module")
def one_board(simulator, image):
    """A board that nobody in the module updates."""
    with simulator(f"esp32,image={image('1.0.0')}") as running:
        yield running
