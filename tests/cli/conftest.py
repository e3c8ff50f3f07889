# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Images and simulators for the tests of the command."""

import functools

import pytest

from simulated import Simulator, make_image


@pytest.fixture(scope="session")
def image(updraft_sim, tmp_path_factory):
    """image(version, ...) makes an image with updraft-sim image and returns its path."""
    return functools.partial(make_image, updraft_sim, tmp_path_factory.mktemp("cli-images"))


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
