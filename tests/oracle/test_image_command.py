# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""`updraft image` and esptool say the same of an image, field by field, and refuse the same.

UPDRAFT_REAL_IMAGES=FOLDER holds both against every image file in a folder of yours."""

import hashlib
import json
import os
import pathlib
import random
import re
import subprocess

import pytest

import opinion
from compiled_images import compile_image, esptool

SEED = 2026
LIMIT_S = 60
REAL_IMAGES = os.environ.get("UPDRAFT_REAL_IMAGES")


@pytest.fixture(scope="session")
def inspect(updraft):
    """inspect(path) -> what `updraft image --json` says of it, and its exit status."""
    def call(path):
        result = subprocess.run([updraft, "image", "--json", path], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, timeout=LIMIT_S)
        first, last = map(json.loads, result.stdout.splitlines())
        assert first["event"] == "image" and last["exit"] == result.returncode
        return first, result.returncode
    return call


@pytest.fixture
def refuses(inspect, tmp_path):
    """refuses(data) -> whether `updraft image` does."""
    def call(data):
        path = tmp_path / "offered.bin"
        path.write_bytes(data)
        answer, status = inspect(path)
        assert status in (0, 6) and answer["whole"] == (status == 0)
        return status == 6
    return call


@pytest.fixture(scope="module")
def simulated_image(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")

    def make(chip, size="0"):
        path = folder / f"{chip}-{size}.bin"
        subprocess.run([build / "tests/oracle/make-sim-image", "--firmware=minimal",
                        "--version=1.2.3-rc.4", f"--chip={chip}", f"--size={size}", "-o", path],
                       check=True, timeout=LIMIT_S)
        return path
    return make


def printed(chip, path):
    """The fields that esptool image-info prints, by their names there."""
    shown = esptool("--chip", chip, "image-info", path)
    assert shown.returncode == 0, shown.stdout
    return dict(re.findall(r"^([A-Z][\w -]+): (.*)$", shown.stdout, re.M))


def version_text(number):
    return f"{number // 100}.{number % 100}"


def assert_printed_agrees(text, ours):
    """Holds what esptool prints of an application against what the command says."""
    header = ours["header"]
    assert int(text["Image size"].split()[0]) == ours["size_bytes"] + ours["trailing_bytes"]
    assert text["Segments"] == str(header["segment_count"])
    assert int(text["Entry point"], 16) == header["entry_address"]
    assert text["Flash mode"] == header["flash_mode"]
    assert text["Flash size"] == f"{header['flash_size_bytes'] >> 20}MB"
    assert int(text["Chip ID"].split()[0]) == header["chip_id"]
    assert text["Minimal chip revision"].startswith(
        f"v{version_text(header['chip_revision_min'])},")
    assert text["Maximal chip revision"] == f"v{version_text(header['chip_revision_max'])}"
    assert text["Checksum"] == f"{ours['checksum']:#04x} (valid)"
    assert text["Validation hash"] == f"{ours['sha256']} (valid)"
    if "descriptor" not in ours:
        assert "Project name" not in text
        return
    said = ours["descriptor"]
    assert text["Project name"] == said["project"]
    assert text["App version"] == said["version"]
    assert text["Compile time"] == f"{said['date']} {said['time']}"
    assert text["ESP-IDF"] == said["idf_version"]
    assert text["Secure version"] == str(said["secure_version"])
    assert text["ELF file SHA256"] == said["elf_sha256"]
    assert text["Minimal eFuse block revision"] == version_text(said["efuse_block_revision_min"])
    assert text["Maximal eFuse block revision"] == version_text(said["efuse_block_revision_max"])
    if "MMU page size" in text:
        assert text["MMU page size"] == f"{1 << said['mmu_page_size_log2'] - 10} KB"


def assert_agree(path, inspect):
    """Both say the same of a whole image."""
    data = path.read_bytes()
    chip = opinion.chip_of(data)
    ours, status = inspect(path)
    theirs = opinion.fields(chip, data)
    assert status == 0 and theirs["whole"]
    assert {name: ours[name] for name in theirs} == theirs
    assert ours["size_bytes"] + ours["trailing_bytes"] == len(data)
    assert_printed_agrees(printed(chip, path), ours)


def assert_both_refuse_damage(data, refuses, bits, sizes):
    chip = opinion.chip_of(data)
    damaged = bytearray(data)
    for bit in bits:
        damaged[bit // 8] ^= 1 << bit % 8
        assert not opinion.is_whole(chip, bytes(damaged)), f"esptool accepts bit {bit} flipped"
        assert refuses(damaged), f"updraft image accepts bit {bit} flipped"
        damaged[bit // 8] ^= 1 << bit % 8
    for size in sizes:
        assert not opinion.is_whole(chip, data[:size]), f"esptool accepts {size} bytes"
        assert size == 0 or refuses(data[:size]), f"updraft image accepts {size} bytes"
    assert opinion.is_whole(chip, data) and not refuses(data)


@pytest.mark.parametrize("options", [
    (), ("--flash-mode", "qio", "--flash-size", "16MB", "--flash-freq", "40m"),
    ("--flash-mode", "dout", "--flash-size", "1MB", "--flash-freq", "20m"),
    ("--min-rev-full", "3", "--max-rev-full", "199")], ids=["plain", "qio", "dout", "revisions"])
@pytest.mark.parametrize("chip", ["esp32c3", "esp32c6"])
def test_they_agree_on_compiled_programs(inspect, tmp_path, chip, options):
    if chip == "esp32c6":
        options = [option for option in options if option not in ("--flash-freq", "40m", "20m")]
    path = compile_image(tmp_path, chip=chip, version="2.0.0-rc.1+3", project="compiled",
                         secure_version=7, table_size=4999, options=options)
    assert_agree(path, inspect)


@pytest.mark.parametrize("size", ["0", "100001"])
@pytest.mark.parametrize("chip", ["esp32", "esp32c2", "esp32c3", "esp32c5", "esp32c6",
                                  "esp32c61", "esp32h2", "esp32s3"])
def test_they_agree_on_simulated_images(inspect, simulated_image, chip, size):
    assert_agree(simulated_image(chip, size), inspect)


def test_they_agree_on_a_signed_image(inspect, tmp_path, simulated_image):
    """What follows the image is no part of it: a signature's sector, for one."""
    path = tmp_path / "signed.bin"
    path.write_bytes(simulated_image("esp32s3").read_bytes() + bytes(range(256)) * 16)
    assert_agree(path, inspect)
    assert inspect(path)[0]["trailing_bytes"] == 4096


def test_both_refuse_damaged_compiled_programs(refuses, tmp_path):
    data = compile_image(tmp_path, table_size=1000).read_bytes()
    source = random.Random(SEED)
    # All of the headers that decide what follows, then a sample of the rest.
    bits = [*range(32 * 8), *source.sample(range(32 * 8, len(data) * 8), 300)]
    sizes = [*range(0, 40), *source.sample(range(40, len(data)), 100),
             *range(len(data) - 40, len(data))]
    assert_both_refuse_damage(data, refuses, bits, sizes)


def test_an_image_that_cannot_be_verified_is_refused_though_esptool_reads_it(refuses, tmp_path):
    data = compile_image(tmp_path, options=["--dont-append-digest"]).read_bytes()
    image = opinion.load("esp32c3", data)
    assert image.checksum == image.calculate_checksum() and not image.append_digest
    assert refuses(data)


def test_a_boot_loader_is_whole_but_no_update(updraft, refuses, tmp_path):
    """Without an application descriptor; esptool's opinion is that of its parts."""
    data = bytearray(compile_image(tmp_path).read_bytes()[:-32])
    data[32] ^= 1
    data[-1] ^= 1  # the checksum is an XOR of all data
    path = tmp_path / "loader.bin"
    path.write_bytes(data + hashlib.sha256(data).digest())
    assert opinion.is_whole("esp32c3", path.read_bytes()) and not refuses(path.read_bytes())
    result = subprocess.run([updraft, "update", "--json", path], text=True, timeout=LIMIT_S,
                            capture_output=True)
    assert result.returncode == 6
    assert json.loads(result.stdout)["code"] == "image_descriptor"
    assert "not a boot loader" in result.stderr


# ---- images of yours ----

def real_images():
    if REAL_IMAGES is None:
        return []
    folder = pathlib.Path(REAL_IMAGES)
    assert folder.is_dir(), f"UPDRAFT_REAL_IMAGES: {folder} is no folder"
    return [path for path in sorted(folder.rglob("*.bin"))
            if opinion.chip_of(path.read_bytes()) is not None]


@pytest.mark.skipif(REAL_IMAGES is None, reason="UPDRAFT_REAL_IMAGES names no folder")
def test_the_folder_of_real_images_has_some():
    assert real_images()


@pytest.mark.parametrize("path", real_images(), ids=lambda path: path.name)
def test_they_agree_on_real_images(inspect, refuses, path):
    data = path.read_bytes()
    chip = opinion.chip_of(data)
    if not opinion.is_whole(chip, data):
        assert refuses(data)
        return
    assert_agree(path, inspect)
    whole = data[:inspect(path)[0]["size_bytes"]]
    # Every segment's header, and what else decides how the file is read; then a sample.
    headers = [segment.file_offs for segment in opinion.load(chip, data).segments]
    source = random.Random(SEED)
    bits = [*range(24 * 8), *(8 * at + bit for at in headers for bit in range(64)),
            *source.sample(range(len(whole) * 8), 40)]
    sizes = [*source.sample(range(len(whole)), 40), 1, 23, 24, len(whole) - 33,
             len(whole) - 32, len(whole) - 1]
    assert_both_refuse_damage(whole, refuses, source.sample(bits, min(len(bits), 150)), sizes)
