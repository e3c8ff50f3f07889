# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The command against virtual boards over the emulated BlueZ, as a user runs them."""

import os
import re
import subprocess

import pytest

LIMIT_S = 300
ADDRESSES = "grep -oE '([0-9A-F]{2}:){5}[0-9A-F]{2}'"


@pytest.fixture
def script(updraft, updraft_sim, tmp_path):
    """Runs lines of bash beside boards; $updraft and $updraft_sim are the commands."""
    environment = {**os.environ, "updraft": updraft, "updraft_sim": updraft_sim}

    def run(lines, *boards):
        options = [word for board in boards for word in ("--board", board)]
        return subprocess.run([updraft_sim, *options, "--", "bash", "-euc", lines],
                              cwd=tmp_path, env=environment, text=True,
                              timeout=LIMIT_S, capture_output=True, check=False)
    return run


def firmware(result):
    """The versions that `updraft info` printed; the script ended well."""
    assert result.returncode == 0, result.stdout + result.stderr
    return re.findall(r"^Firmware +(\S+)$", result.stdout, re.M)


def boards(count, image):
    return [f"board{i},image={image}" for i in range(count)]


def test_demo_updates_from_1_0_0_to_1_1_0(root, build):
    result = subprocess.run([str(root / "tools" / "demo.sh"), str(build)], text=True,
                            capture_output=True, timeout=LIMIT_S, check=False)
    assert firmware(result) == ["1.0.0", "1.1.0"]
    assert "running 1.1.0 from ota_0" in result.stdout
    assert "updraft: confirmed" in result.stdout


@pytest.mark.parametrize("count", [2, pytest.param(10, marks=pytest.mark.long)])
def test_boards_are_updated_one_after_another(script, image, count):
    result = script(f"""
        for device in $($updraft scan | {ADDRESSES}); do
            $updraft update -q --device $device {image("1.1.0")}
            $updraft info --device $device
        done""", *boards(count, image("1.0.0")))
    assert firmware(result) == ["1.1.0"] * count


def test_ten_boards_are_updated_side_by_side_on_one_adapter(script, image):
    result = script(f"""
        devices=$($updraft scan | {ADDRESSES})
        updates=()
        for device in $devices; do
            $updraft update -q --device $device {image("1.1.0")} &
            updates+=($!)
        done
        for update in ${{updates[*]}}; do wait $update; done
        for device in $devices; do $updraft info --device $device; done""",
                    *boards(10, image("1.0.0")))
    assert firmware(result) == ["1.1.0"] * 10


@pytest.mark.long
def test_mebibyte_takes_less_than_five_seconds_of_ideal_air_and_flash(script, image):
    """By the board's own clock, from the request to the verified image. This is real time:
    the bound lies far above the figure, which pytest -rP shows."""
    result = script(f"$updraft update -q --device esp32 {image('1.1.0', size='1M')}; "
                    "$updraft info; $updraft_sim log esp32", f"esp32,image={image('1.0.0')}")
    assert firmware(result) == ["1.1.0"]
    began, verified = (int(re.search(rf"\((\d+)\) updraft: {text}", result.stdout)[1])
                       for text in ("update requested", "update verified"))
    print(f"1 MiB in {verified - began} ms")
    assert verified - began < 5000


@pytest.mark.parametrize("original", ["legacy", "legacy_requests_only"])
def test_a_device_of_the_original_protocol_is_updated(script, image, original):
    result = script(f"$updraft update -q --device esp32 {image('2.0.0')}; $updraft info",
                    f"esp32,image={image('1.0.0', firmware=original)}")
    assert firmware(result) == ["2.0.0"]


def test_a_failed_self_test_ends_with_status_7(script, image):
    result = script(f"$updraft update {image('2.0.0', behaviour='selftest')}",
                    f"esp32,image={image('1.0.0')}")
    assert result.returncode == 7, result.stdout + result.stderr
    assert "went back to 1.0.0" in result.stderr


def test_readme_shows_the_example_as_it_is(root):
    readme = (root / "README.md").read_text(encoding="utf-8")
    example = (root / "examples" / "minimal" / "main" / "main.c").read_text(encoding="utf-8")
    shown = re.search(r"```c\n(.*?)```", readme, re.S).group(1).strip()
    assert shown in example
