# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What all Python tests share: where the built programs are."""

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


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
