# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""esptool's opinion of the images that updraft-sim makes, and of damaged ones."""

import hashlib
import random
import subprocess

import pytest
from esptool.bin_image import LoadFirmwareImage
from esptool.targets import CHIP_DEFS

from compiled_images import compile_image, esptool
from opinion import is_whole

CHIPS = ["esp32", "esp32c2", "esp32c3", "esp32c5", "esp32c6", "esp32c61", "esp32h2",
         "esp32h21", "esp32h4", "esp32s3"]
SEED = 2026


@pytest.fixture(scope="session")
def make_image(build, tmp_path_factory):
    """Makes an image with updraft-sim image and returns its path."""
    folder = tmp_path_factory.mktemp("images")

    def make(chip, size="0", **more):
        path = folder / f"{chip}-{size}.bin"
        options = [f"--{name}={value}" for name, value in more.items()]
        subprocess.run([build / "tests/oracle/make-sim-image", "--firmware=minimal",
                        "--version=1.2.3-rc.4", f"--chip={chip}", f"--size={size}", *options,
                        "-o", path], check=True, timeout=60)
        return path

    return make


@pytest.mark.parametrize("size", ["0", "10001", "256K"])
@pytest.mark.parametrize("chip", CHIPS)
def test_esptool_agrees_with_every_field(make_image, chip, size):
    data = make_image(chip, size).read_bytes()
    assert is_whole(chip, data)
    image = LoadFirmwareImage(chip, data)
    assert image.chip_id == CHIP_DEFS[chip].IMAGE_CHIP_ID
    assert image.min_rev_full == 0 and image.max_rev_full == 0xFFFF
    assert image.data_length + 32 == len(data)
    assert image.stored_digest == hashlib.sha256(data[:-32]).digest()
    kinds = [segment.get_memory_type(image) for segment in image.segments]
    assert "DROM" in kinds[0] and "IRAM" in kinds[1] and "IROM" in kinds[2]
    # Mapped segments sit on the place in their page where the file has them.
    for segment in (image.segments[0], image.segments[2]):
        assert (segment.file_offs + 8) % 0x10000 == segment.addr % 0x10000
    assert image.segments[1].addr <= image.entrypoint < (
        image.segments[1].addr + len(image.segments[1].data))
    assert sum(len(segment.data) + 8 for segment in image.segments) + 24 <= len(data) - 33


@pytest.mark.parametrize("chip", ["esp32", "esp32c3", "esp32c6", "esp32s3"])
def test_esptool_prints_what_was_asked_for(make_image, chip):
    path = make_image(chip, "64K", project="lamp")
    shown = esptool("--chip", chip, "image-info", path)
    assert shown.returncode == 0, shown.stdout
    for line in ("Image size: 65536 bytes", "Segments: 3", "Flash size: 4MB", "Flash mode: DIO",
                 "Project name: lamp", "App version: 1.2.3-rc.4",
                 "Compile time: Jan  1 2026 12:00:00", "ESP-IDF: v5.5", "Secure version: 0",
                 f"Chip ID: {CHIP_DEFS[chip].IMAGE_CHIP_ID} "):
        assert line in shown.stdout, (line, shown.stdout)
    assert shown.stdout.count("(valid)") == 2  # checksum and hash


def test_marker_lies_behind_the_descriptor(make_image):
    path = make_image("esp32c3", "3000", hardware="0x1234", **{"secure-version": "3"})
    data = path.read_bytes()
    assert is_whole("esp32c3", data)
    assert data[288:320] == b"UPD1" + bytes([2, 0, 0, 0, 0x34, 0x12, 0, 0]) + bytes(20)
    assert "Secure version: 3" in esptool("--chip", "esp32c3", "image-info", path).stdout


def test_esptool_refuses_flipped_images(make_image):
    data = bytearray(make_image("esp32c3", "4000").read_bytes())
    # The whole header and descriptor, then a sample of the rest, hash included.
    rest = random.Random(SEED).sample(range(288 * 8, len(data) * 8), 200)
    for bit in [*range(288 * 8), *rest]:
        data[bit // 8] ^= 1 << bit % 8
        assert not is_whole("esp32c3", bytes(data)), bit
        data[bit // 8] ^= 1 << bit % 8
    assert is_whole("esp32c3", bytes(data))


def test_esptool_refuses_cut_images(make_image):
    data = make_image("esp32c3", "4000").read_bytes()
    sizes = [*range(64), *random.Random(SEED).sample(range(64, len(data)), 150),
             *range(len(data) - 40, len(data))]
    for size in sizes:
        assert not is_whole("esp32c3", data[:size]), size


def test_esptool_refuses_the_image_of_another_chip(make_image):
    data = make_image("esp32c3", "4000").read_bytes()
    for chip in CHIPS:
        assert is_whole(chip, data) == (chip == "esp32c3")


@pytest.mark.parametrize("chip", ["esp32c3", "esp32c6"])
def test_a_compiled_program_becomes_an_image(tmp_path, chip):
    data = compile_image(tmp_path, chip=chip, version="2.0.0", project="real").read_bytes()
    assert is_whole(chip, data)
    assert data[32:36] == bytes.fromhex("3254cdab")
    assert data[48:54] == b"2.0.0\0" and data[80:85] == b"real\0"
    assert any(data[176:208])  # esptool put the ELF file's hash there
