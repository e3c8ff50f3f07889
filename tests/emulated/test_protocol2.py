# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Updates by protocol 2 over the emulated BlueZ, cut short and taken up again."""

import contextlib
import json
import os
import re
import signal
import subprocess

import pytest

SIZE = 192 << 10
LIMIT_S = 120
# What may be sent again of what had arrived: two sectors, and what the device buffers.
SECTORS = 2 * 4096
# Where runs are ended.
TENTHS = range(1, 10) if os.environ.get("UPDRAFT_TEST_ALL") else [2, 7]


@pytest.fixture(scope="module")
def image(updraft_sim, tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")

    def make(version, behaviour="good", size=SIZE):
        path = folder / f"{version}-{behaviour}-{size}.bin"
        if not path.exists():
            subprocess.run([updraft_sim, "image", "--firmware", "minimal", "--version", version,
                            "--chip", "esp32", "--behaviour", behaviour, "--size", str(size),
                            "-o", str(path)], check=True, timeout=LIMIT_S)
        return str(path)
    return make


class Simulation:
    def __init__(self, updraft_sim, updraft, process, environment):
        self.updraft_sim, self.updraft = updraft_sim, updraft
        self.process, self.environment = process, environment

    def tool(self, *words):
        return subprocess.run([self.updraft_sim, *words], env=self.environment, check=True,
                              timeout=LIMIT_S, text=True, stdout=subprocess.PIPE).stdout

    def run(self, *words):
        """The command with --json: its objects and its status."""
        result = subprocess.run([self.updraft, *words, "--json"], env=self.environment,
                                timeout=LIMIT_S, text=True, capture_output=True)
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        return lines, result.returncode, result.stderr

    def start(self, *words):
        return subprocess.Popen([self.updraft, *words, "--json"], env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture
def simulation(updraft_sim, updraft, image):
    @contextlib.contextmanager
    def make(*options):
        environment = dict(os.environ)
        command = [updraft_sim, "--board", f"esp32,image={image('1.0.0', size=65536)}",
                   "--flash", "typical", *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                for _ in range(3):
                    name, value = re.fullmatch(r"export (\w+)='(.*)'\n",
                                               process.stdout.readline()).groups()
                    environment[name] = value
                yield Simulation(updraft_sim, updraft, process, environment)
            finally:
                process.terminate()
                process.wait(LIMIT_S)
    return make


def start_until(running, path, done_bytes):
    """An update that has got so far: its process, and how far it has."""
    process = running.start("update", path)
    for line in process.stdout:
        entry = json.loads(line)
        if entry["event"] == "progress" and entry["done_bytes"] >= done_bytes:
            return process, entry["done_bytes"]
    raise AssertionError(process.communicate(timeout=LIMIT_S)[1])


def expect_resumed(lines, status, stderr, arrived):
    finished = lines[-1]
    assert status == 0 and finished["outcome"] == "confirmed", stderr
    window = next(line["info"]["window_bytes"] for line in lines if line["event"] == "device")
    kept = next(line["kept_bytes"] for line in lines if line["event"] == "progress")
    assert kept + window + SECTORS >= arrived
    assert kept <= arrived + window
    assert finished["resent_bytes"] <= window + SECTORS
    assert f"resumes at {kept / 1024:.1f} KiB" in stderr


def test_an_update_is_confirmed(simulation, image):
    with simulation() as running:
        lines, status, stderr = running.run("update", image("2.0.0"))
        assert status == 0, stderr
        finished = lines[-1]
        assert (finished["outcome"], finished["firmware_revision"]) == ("confirmed", "2.0.0")
        assert (finished["kept_bytes"], finished["resent_bytes"]) == (0, 0)
        assert finished["info"]["run_state"] == "confirmed"
        device = next(line for line in lines if line["event"] == "device")
        assert device["protocol"] == 2 and device["info"]["slot"] == "factory"
        assert "updraft: confirmed" in running.tool("log", "esp32")


@pytest.mark.parametrize("tenths", TENTHS)
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_the_next_run_goes_on_where_the_last_one_was_ended(simulation, image, end, tenths):
    with simulation() as running:
        process, arrived = start_until(running, image("2.0.0"), SIZE * tenths // 10)
        process.send_signal(end)
        out, stderr = process.communicate(timeout=LIMIT_S)
        if end == signal.SIGINT:
            assert process.returncode == 130
            assert json.loads(out.splitlines()[-1])["code"] == "cancelled"
            assert "what has arrived is kept: the same command goes on from there" in stderr
        expect_resumed(*running.run("update", image("2.0.0")), arrived)


@pytest.mark.parametrize("words", [("link", "esp32", "drop"), ("power", "esp32", "cycle")])
def test_the_same_run_goes_on_after_link_and_power_went(simulation, image, words):
    with simulation() as running:
        process, arrived = start_until(running, image("2.0.0"), SIZE // 2)
        if words[-1] == "cycle":
            running.tool("power", "esp32", "off")
            running.tool("power", "esp32", "on")
        else:
            running.tool(*words)
        out, stderr = process.communicate(timeout=LIMIT_S)
        finished = json.loads(out.splitlines()[-1])
        assert process.returncode == 0 and finished["outcome"] == "confirmed", stderr
        assert "trying again (attempt 2)" in stderr and "resumes at" in stderr
        assert finished["resent_bytes"] <= finished["info"]["window_bytes"] + SECTORS
        assert arrived <= SIZE


@pytest.mark.parametrize("behaviour, reason, why", [
    ("selftest", "self_test", "its self-test failed"),
    ("crash", "reset", "it was reset on trial, by a panic"),
    # It takes a minute; the virtual world has it in no time.
    pytest.param("no-radio", "bluetooth", "its Bluetooth did not come up",
                 marks=pytest.mark.skipif(not os.environ.get("UPDRAFT_TEST_ALL"),
                                          reason="for ./run test --all")),
])
def test_a_rollback_ends_with_status_7_and_its_reason(simulation, image, behaviour, reason, why):
    with simulation() as running:
        lines, status, stderr = running.run("update", image("2.0.0", behaviour, 65536))
        assert status == 7, stderr
        finished = lines[-1]
        assert finished["code"] == "rolled_back" and finished["info"]["reason"] == reason
        assert f"took 2.0.0 and went back to 1.0.0: {why}; its log says more" in stderr
        lines, status, stderr = running.run("info")
        assert status == 0
        device = next(line for line in lines if line["event"] == "device")
        assert device["info"]["result"] == "rolled_back"
        lines, status, stderr = running.run("update", image("2.0.1", size=65536))
        assert status == 0 and lines[-1]["outcome"] == "confirmed", stderr


def test_stage_activate_and_rollback(simulation, image):
    with simulation() as running:
        new = image("2.0.0", size=65536)
        lines, status, stderr = running.run("activate")
        assert status == 5 and lines[-1]["code"] == "nothing_staged"
        lines, status, stderr = running.run("update", "--stage", new)
        assert status == 0 and lines[-1]["outcome"] == "staged", stderr
        assert lines[-1]["firmware_revision"] == "1.0.0"
        log = running.tool("log", "esp32")
        assert "update verified: " in log and "update ended" not in log
        running.tool("power", "esp32", "off")
        running.tool("power", "esp32", "on")
        lines, status, stderr = running.run("activate", image("3.0.0", size=65536))
        assert status == 5 and lines[-1]["code"] == "nothing_staged"
        assert "holds another image than this one to activate; updraft activate without a file " \
            "starts that, updraft update with this one sends it" in stderr
        lines, status, stderr = running.run("activate", new)
        assert status == 0 and lines[-1]["outcome"] == "confirmed", stderr
        assert lines[-1]["firmware_revision"] == "2.0.0"
        lines, status, stderr = running.run("confirm")
        assert status == 0 and lines[-1]["outcome"] == "already", stderr
        lines, status, stderr = running.run("rollback", "--factory")
        assert status == 0 and lines[-1]["outcome"] == "reverted", stderr
        assert lines[-1]["firmware_revision"] == "1.0.0"
