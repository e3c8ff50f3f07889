# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""One script, played in the virtual world and in process mode (updraft-sim, the emulated BlueZ,
the real command): the board's log must be the same."""

import concurrent.futures
import os
import re
import subprocess
import time

LIMIT_S = 120
# What an application logs carries the time since its start, which is real time in process mode.
# The boot loader's times are what its flash operations take, and so the same in both.
BOOT_LOADER = ("boot", "esp_image", "boot_comm")
STAMP = re.compile(r"^([EWIDV]) \(\d+\) (\w+): ")


def comparable(log):
    lines = []
    for line in log.splitlines():
        match = STAMP.match(line)
        if match and match.group(2) not in BOOT_LOADER:
            line = STAMP.sub(r"\1 (...) \2: ", line)
        lines.append(line)
    return lines


class ProcessMode:
    """The steps of world_script, by the tools that a user has."""

    def __init__(self, updraft, updraft_sim, environment, cwd):
        self.updraft = updraft
        self.updraft_sim = updraft_sim
        self.environment = environment
        self.cwd = cwd
        self.mark = 0

    def sim(self, *arguments):
        return subprocess.run([self.updraft_sim, *arguments], env=self.environment,
                              cwd=self.cwd, text=True, check=True, timeout=LIMIT_S,
                              capture_output=True).stdout

    def log(self):
        return self.sim("log", "esp32")

    def play_await(self, text):
        end = time.monotonic() + LIMIT_S
        while text not in self.log()[self.mark:]:
            assert time.monotonic() < end, f"not logged: {text}\n{self.log()}"
            time.sleep(0.05)

    def play_update(self, image, *options):
        self.mark = len(self.log())
        return subprocess.run([self.updraft, "update", "-q", *options, image],
                              env=self.environment, cwd=self.cwd, timeout=LIMIT_S,
                              capture_output=True).returncode

    def play_cut(self, operations, variant, image):
        stats = dict(line.rsplit(" ", 1)
                     for line in self.sim("flash", "esp32", "stats").splitlines())
        operation = int(stats["operations"]) + int(operations)
        self.sim("flash", "esp32", "cut-at", str(operation), variant)
        assert self.play_update(image, "--timeout", "2") != 0
        assert " off " in self.sim("boards")

    def play_power(self):
        self.mark = len(self.log())
        self.sim("power", "esp32", "on")


def play_in_world(build, flash, idf, factory, script, cwd):
    arguments = [word for step in script for word in step]
    return subprocess.run([str(build / "tests" / "world" / "world_script"), flash, *idf,
                           factory, *arguments], cwd=cwd, text=True, check=True,
                          timeout=LIMIT_S, stdout=subprocess.PIPE).stdout


def play_in_processes(updraft, updraft_sim, flash, idf, factory, script, cwd):
    # The supervisor runs a command that tells its environment and then waits for its input's end.
    with subprocess.Popen(
            [updraft_sim, "--board", f"esp32,image={factory}", "--flash", flash, "--idf",
             ".".join(idf), "--", "sh", "-c", "env; echo .; read end"], cwd=cwd, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE) as supervisor:
        environment = dict(os.environ)
        for line in iter(supervisor.stdout.readline, ".\n"):
            name, _, value = line.rstrip("\n").partition("=")
            if name == "UPDRAFT_SIM" or name.startswith("DBUS_"):
                environment[name] = value
        mode = ProcessMode(updraft, updraft_sim, environment, cwd)
        try:
            for step in script:
                getattr(mode, "play_" + step[0])(*step[1:])
            return mode.log()
        finally:
            supervisor.stdin.close()
            supervisor.wait(LIMIT_S)


def make_script(updraft_sim, firmware, cwd):
    """The factory image, and what happens to the board."""

    def image(version, behaviour="good", size="20K"):
        path = str(cwd / f"{version}.bin")
        subprocess.run([updraft_sim, "image", "--firmware", firmware, "--version", version,
                        "--chip", "esp32", "--behaviour", behaviour, "--size", size, "-o", path],
                       check=True, timeout=LIMIT_S)
        return path

    return image("1.0.0", size="16K"), [
        ("await", "advertising as"),
        ("update", image("1.1.0")),
        ("await", "confirmed"),
        ("update", image("2.0.0", behaviour="selftest")),
        ("await", "self-test failed"),
        ("await", "advertising as"),
        # While the third sector of the image is written, with a torn page.
        ("cut", "40", "2", image("3.0.0")),
        ("power",),
        ("await", "advertising as"),
    ]


def test_the_same_script_gives_the_same_boot_log(build, updraft, updraft_sim, tmp_path):
    generations = {"minimal": ("5", "3"), "minimal_6": ("6", "1")}

    def play_both_ways(firmware):
        cwd = tmp_path / firmware
        cwd.mkdir()
        idf = generations[firmware]
        factory, script = make_script(updraft_sim, firmware, cwd)
        return (play_in_world(build, "typical", idf, factory, script, cwd),
                play_in_processes(updraft, updraft_sim, "typical", idf, factory, script, cwd))

    # Most of the time the processes wait: so side by side.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        logs = list(pool.map(play_both_ways, generations))
    for in_world, in_processes in logs:
        assert comparable(in_world) == comparable(in_processes)
        for text in ("running 1.1.0 from ota_0", "rolling back", "power lost"):
            assert text in in_world
        assert in_world.count("ESP-ROM: ") == 5
