# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What updraft takes on a chip stays within its budgets, and README tells it."""

import json
import re
import subprocess

import pytest

KIB = 1024
# README gives tenths of a KiB, and need not follow each byte.
TOLERANCE_KIB = 0.3


@pytest.fixture(scope="module")
def sizes(root):
    printed = subprocess.run([root / "tools/size.sh", "--json"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    return json.loads(printed)


@pytest.fixture(scope="module")
def table(root):
    """First column -> KiB, of README's table of sizes."""
    text = re.search(r"\n## Sizes\n(.*?)\n## ", (root / "README.md").read_text(), re.S).group(1)
    rows = re.findall(r"^\| ([^|]+?) +\| +([\d.]+) KiB \|$", text, re.M)
    return {name: float(size) for name, size in rows}


def test_engine_and_nimble_side_keep_to_16_kib_of_flash(sizes):
    assert 8 * KIB < sizes["budgeted"]["least"] <= 16 * KIB


def test_ram_keeps_to_24_kib(sizes):
    assert 16 * KIB < sizes["ram"] <= 24 * KIB


def test_readme_tells_the_sizes_that_are_measured(sizes, table):
    measured = dict(sizes["parts"])
    measured["engine and NimBLE's side"] = sizes["budgeted"]["least"]
    measured["all flash, errors alone logged"] = sizes["flash"]["least"]
    measured["all flash, as shipped"] = sizes["flash"]["shipped"]
    measured["all RAM"] = sizes["ram"]
    assert table.keys() == measured.keys()
    for name, size in measured.items():
        assert table[name] == pytest.approx(size / KIB, abs=TOLERANCE_KIB), name
