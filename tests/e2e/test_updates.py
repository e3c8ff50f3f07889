# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The command against virtual boards over the emulated BlueZ, as a user runs them."""

import re
import subprocess

import pytest

LIMIT_S = 120


def simulate(updraft_sim, boards, script, cwd):
    options = []
    for board in boards:
        options += ["--board", board]
    return subprocess.run([updraft_sim, *options, "--air", "ideal", "--flash", "ideal", "--",
                           "bash", "-euc", script], cwd=cwd, text=True, timeout=LIMIT_S,
                          capture_output=True)


def test_demo_updates_from_1_0_0_to_1_1_0(root, build):
    result = subprocess.run([str(root / "tools" / "demo.sh"), str(build)], text=True,
                            capture_output=True, timeout=LIMIT_S)
    assert result.returncode == 0, result.stdout + result.stderr
    versions = re.findall(r"^Firmware +(\S+)$", result.stdout, re.M)
    assert versions == ["1.0.0", "1.1.0"]
    assert "running 1.1.0 from ota_0" in result.stdout
    assert "updraft: confirmed" in result.stdout


def test_boards_are_updated_one_after_another(updraft, updraft_sim, image, tmp_path):
    old, new = image("1.0.0"), image("1.1.0")
    boards = [f"board{i},image={old}" for i in range(3)]
    script = f"""
        for device in $({updraft} scan | grep -oE '([0-9A-F]{{2}}:){{5}}[0-9A-F]{{2}}'); do
            {updraft} update -q --device $device {new}
            {updraft} info --device $device
        done"""
    result = simulate(updraft_sim, boards, script, tmp_path)
    assert result.returncode == 0, result.stderr
    assert re.findall(r"^Firmware +(\S+)$", result.stdout, re.M) == ["1.1.0"] * 3


@pytest.mark.parametrize("firmware", ["legacy", "legacy_requests_only"])
def test_a_device_of_the_original_protocol_is_updated(updraft, updraft_sim, image, tmp_path,
                                                      firmware):
    old, new = image("1.0.0", firmware=firmware), image("2.0.0")
    result = simulate(updraft_sim, [f"esp32,image={old}"],
                      f"{updraft} update -q --device esp32 {new}; {updraft} info", tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"^Firmware +2\.0\.0$", result.stdout, re.M)


def test_a_failed_self_test_ends_with_status_7(updraft, updraft_sim, image, tmp_path):
    old, bad = image("1.0.0"), image("2.0.0", behaviour="selftest")
    result = simulate(updraft_sim, [f"esp32,image={old}"], f"{updraft} update {bad}", tmp_path)
    assert result.returncode == 7, result.stdout + result.stderr
    assert "went back to 1.0.0" in result.stderr


def test_readme_shows_the_example_as_it_is(root):
    readme = (root / "README.md").read_text(encoding="utf-8")
    example = (root / "examples" / "minimal" / "main" / "main.c").read_text(encoding="utf-8")
    shown = re.search(r"```c\n(.*?)```", readme, re.S).group(1).strip()
    assert shown in example
