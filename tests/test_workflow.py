# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The workflow that builds the examples says what idf_component.yml and README say."""

import itertools
import re

import pytest
import yaml

PREVIEWS = {("5.3", "esp32c5"), ("5.4", "esp32c5")}  # of ESP-IDF's own list, and so not built


@pytest.fixture
def job(root):
    workflow = yaml.safe_load((root / ".github/workflows/esp-idf.yml").read_text())
    return workflow["jobs"]["build"]


@pytest.fixture
def component(root):
    return yaml.safe_load((root / "idf_component.yml").read_text())


def test_every_chip_that_is_built_is_a_target_of_the_component(job, component):
    targets = job["strategy"]["matrix"]["target"]
    assert targets == ["esp32", "esp32c3", "esp32s3", "esp32c6", "esp32h2", "esp32c5"]
    assert set(targets) <= set(component["targets"])


def test_versions_begin_with_the_oldest_that_the_component_takes(job, component):
    versions = job["strategy"]["matrix"]["idf"]
    assert all(isinstance(version, str) for version in versions)  # 6.0 would be read as 6
    assert component["dependencies"]["idf"] == f">={versions[0]}"
    assert versions == sorted(versions)


def test_every_example_is_built(job, root):
    examples = {path.parent.name for path in root.glob("examples/*/CMakeLists.txt")}
    assert set(job["strategy"]["matrix"]["example"]) == examples


def test_nothing_is_left_out_but_previews(job):
    left_out = {(item["idf"], item["target"]) for item in job["strategy"]["matrix"]["exclude"]}
    assert left_out == PREVIEWS


def test_images_are_the_official_ones(job):
    assert job["container"] == "espressif/idf:release-v${{ matrix.idf }}"


def test_every_name_of_the_matrix_that_is_used_is_there(job, root):
    text = (root / ".github/workflows/esp-idf.yml").read_text()
    used = set(re.findall(r"\$\{\{ matrix\.(\w+) \}\}", text))
    assert used == set(job["strategy"]["matrix"]) - {"exclude"}


def test_readme_names_the_versions_and_chips(job, root):
    text = " ".join((root / "README.md").read_text().split())
    match = re.search(r"with ESP-IDF ([\d., and]+) for ((?:esp32\w*(?:, | and )?)+)", text)
    assert match, "README does not say what the workflow builds"
    versions = re.findall(r"\d\.\d", match[1])
    chips = re.findall(r"esp32\w*", match[2])
    matrix = job["strategy"]["matrix"]
    assert versions == matrix["idf"]
    assert chips == matrix["target"]
    built = set(itertools.product(versions, chips)) - PREVIEWS
    assert f"{len(built)} combinations" in text
