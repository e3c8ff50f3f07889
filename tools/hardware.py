#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Tests updraft on a real board and a real adapter, and writes a report in a fixed form.
./run hardware calls it; docs/hardware.md tells how. With --virtual the same steps run against
a virtual board behind the emulated BlueZ, which shows that the steps work and nothing else."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import time

from hardware_board import RealBoard, VirtualBoard
from hardware_link import Monitor, choices, set_link
from hardware_report import Report, Step

ROOT = pathlib.Path(__file__).resolve().parent.parent
OLD, NEW = "1.0.0", "1.1.0"
# Of disturbed updates: nothing of them is in a slot yet, so what is kept has just arrived.
DROPPED, RESET, INTERRUPTED, ON_TRIAL = "1.2.0", "1.3.0", "1.4.0", "1.5.0"
VERSIONS = (OLD, NEW, DROPPED, RESET, INTERRUPTED, ON_TRIAL)
STATUS_ROLLED_BACK, STATUS_INTERRUPTED = 7, 130
UPDATE_LIMIT_S = 900


class Failed(Exception):
    """What a step did not find as it should be."""


def expect(condition, text):
    if not condition:
        raise Failed(text)


class Update:
    """One `updraft update`, whose events can be acted upon while it runs."""

    def __init__(self, bench, version, *options, at=None, act=None):
        """act(process) is called once, when at(event) is true for the first time."""
        command = [bench.updraft, "update", str(bench.board.images[version]), "--json", "-q",
                   *bench.chosen(), *options]
        self.events = []
        self.times = []
        acted = act is None
        with subprocess.Popen(command, env=bench.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            for line in process.stdout:
                event = json.loads(line)
                self.events.append(event)
                self.times.append(time.monotonic())
                if not acted and at(event):
                    acted = True
                    act(process)
            self.errors = process.stderr.read()
            self.status = process.wait(UPDATE_LIMIT_S)
        expect(acted, "the update ended before there was anything to disturb")
        self.finished = self.events[-1] if self.events else {}

    def must_end(self, version):
        expect(self.status == 0, f"exit status {self.status}: {self.errors.strip()}")
        expect(self.finished["outcome"] == "confirmed" and
               self.finished["firmware_revision"] == version,
               f"outcome {self.finished.get('outcome')}, "
               f"{self.finished.get('firmware_revision')} runs")

    def rate(self):
        """(bytes, seconds) of the part in which the image was under way."""
        progress = [(event["done_bytes"], at) for event, at in zip(self.events, self.times)
                    if event["event"] == "progress"]
        expect(len(progress) > 1, "there was no progress to measure")
        return progress[-1][0] - progress[0][0], progress[-1][1] - progress[0][1]


def part_of(share):
    """True for progress events from this share of the image on."""
    return lambda event: (event["event"] == "progress" and
                          event["done_bytes"] >= share * event["total_bytes"])


class Bench:
    """The board, the command, and the steps."""

    def __init__(self, board, arguments):
        self.board = board
        self.updraft = arguments.updraft
        self.adapter = arguments.adapter
        self.environment = board.environment
        self.address = None
        self.info = {}

    def chosen(self):
        words = ["--adapter", self.adapter] if self.adapter else []
        return [*words, "--device", self.address] if self.address else words

    def command(self, *words, timeout=UPDATE_LIMIT_S):
        result = subprocess.run([self.updraft, *words, "--json", "-q", *self.chosen()],
                                env=self.environment, text=True, capture_output=True,
                                timeout=timeout, check=False)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        return result, events

    def device(self):
        result, events = self.command("info")
        expect(result.returncode == 0, result.stderr.strip() or f"status {result.returncode}")
        return next(event for event in events if event["event"] == "device")

    # ---- steps: each returns what the report says of it ----

    def build(self):
        self.board.build(VERSIONS)
        return f"{self.board.images[OLD].stat().st_size} bytes"

    def flash(self):
        self.board.flash(OLD)
        return self.board.flashed

    def find(self):
        device = self.device()
        self.address = device["address"]
        self.info = device["info"]
        expect(device["firmware_revision"] == OLD, f"{device['firmware_revision']} runs")
        return f"protocol {device['protocol']}, {self.info['write_size_bytes']} bytes a write"

    def update(self):
        done = Update(self, NEW)
        done.must_end(NEW)
        return f"in {self.device()['info']['slot']}"

    def update_back(self):
        Update(self, OLD).must_end(OLD)
        return f"in {self.device()['info']['slot']}"

    def resumed(self, version, done):
        done.must_end(version)
        kept = done.finished["kept_bytes"]
        expect(kept > 0, "nothing was kept of what had arrived")
        return f"{kept} bytes were kept"

    def drop(self):
        return self.resumed(DROPPED, Update(self, DROPPED, at=part_of(0.4),
                                            act=lambda _: self.disconnect()))

    def disconnect(self):
        device = f"/org/bluez/{self.adapter or 'hci0'}/dev_{self.address.replace(':', '_')}"
        subprocess.run(["busctl", "--system", "call", "org.bluez", device,
                        "org.bluez.Device1", "Disconnect"], env=self.environment, check=True)

    def reset(self):
        return self.resumed(RESET, Update(self, RESET, at=part_of(0.4),
                                          act=lambda _: self.board.reset()))

    def interrupt(self):
        cut = Update(self, INTERRUPTED, at=part_of(0.4),
                     act=lambda process: process.send_signal(signal.SIGINT))
        expect(cut.status == STATUS_INTERRUPTED, f"exit status {cut.status}")
        return self.resumed(INTERRUPTED, Update(self, INTERRUPTED))

    def rollback(self):
        result, _ = self.command("rollback")
        expect(result.returncode == 0, result.stderr.strip())
        device = self.device()
        expect(device["firmware_revision"] == RESET, f"{device['firmware_revision']} runs")
        return f"in {device['info']['slot']}"

    def reset_on_trial(self):
        done = Update(self, ON_TRIAL, at=lambda event: event.get("phase") == "watching",
                      act=lambda _: self.board.reset())
        expect(done.status == STATUS_ROLLED_BACK, f"exit status {done.status}")
        device = self.device()
        expect(device["firmware_revision"] == RESET, f"{device['firmware_revision']} runs")
        expect(device["info"]["result"] == "rolled_back", device["info"]["result"])
        return f"reason: {device['info']['reason']}"


STEPS = ("build", "flash", "find", "update", "update_back", "drop", "reset", "interrupt",
         "rollback", "reset_on_trial")
# Without these there is nothing to go on with.
ESSENTIAL = ("build", "flash", "find")


def run_step(report, name, call):
    print(f"== {name}", file=sys.stderr, flush=True)
    started = time.monotonic()
    try:
        note, outcome = call(), "passed"
    except (Failed, OSError, KeyError, StopIteration, subprocess.SubprocessError) as error:
        note, outcome = " ".join(str(error).split()) or type(error).__name__, "failed"
    report.steps.append(Step(name, outcome, time.monotonic() - started, note))
    print(f"   {outcome}: {note}", file=sys.stderr, flush=True)
    return outcome == "passed"


def measure(bench, report, arguments):
    """A rate for each link that can be had; the versions alternate, so that every update is
    whole."""
    version = NEW
    for wish in choices(bench.adapter or "hci0", arguments.virtual):
        def step(wish=wish, version=version):
            set_link(bench.adapter or "hci0", wish)
            with Monitor(arguments.work, bench.adapter or "hci0",
                         not arguments.virtual) as monitor:
                done = Update(bench, version, "--fresh")
            done.must_end(version)
            size, seconds = done.rate()
            seconds = max(round(seconds, 2), 0.01)  # as the report has it
            report.rates.append((wish, monitor.link(), size, seconds))
            return f"{size / seconds / 1000:.1f} kB/s"
        if run_step(report, f"rate {wish}", step):
            version = OLD if version == NEW else NEW


def output(*command):
    try:
        return subprocess.run(command, text=True, capture_output=True, check=False,
                              timeout=30).stdout.strip()
    except OSError:
        return ""


def facts(bench, arguments):
    """What the report's head says."""
    info = bench.info
    chip = "not known" if not info else \
        f"{info['chip']}, revision {info['chip_revision'] // 100}.{info['chip_revision'] % 100}"
    bluez = "emulated" if arguments.virtual else output("bluetoothctl", "--version")
    return {
        "date": datetime.date.today().isoformat(),
        "kind": "virtual" if arguments.virtual else "board",
        "updraft": output("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "board": arguments.board,
        "chip": chip,
        "esp-idf": bench.board.idf,
        "computer": f"{platform.system()} {platform.release().split('-')[0]}",
        "bluez": bluez.replace("bluetoothctl: ", "") or "not known",
        "adapter": f"{bench.adapter or 'hci0'}, {arguments.adapter_name}",
    }


def parse(words):
    parser = argparse.ArgumentParser(prog="./run hardware", description=__doc__)
    parser.add_argument("--port", default="/dev/ttyUSB0", help="the board's serial port")
    parser.add_argument("--chip", default="esp32", help="esp32, esp32c3, ...")
    parser.add_argument("--adapter", help="the Bluetooth adapter (hci0)")
    parser.add_argument("--board", default="not said", help="its name, for the report")
    parser.add_argument("--adapter-name", default="not said", help="likewise the adapter's")
    parser.add_argument("--virtual", action="store_true", help="a virtual board")
    parser.add_argument("--report", type=pathlib.Path, help="the file to write")
    parser.add_argument("--updraft", default=str(ROOT / "build/release/cli/updraft"))
    parser.add_argument("--updraft-sim",
                        default=str(ROOT / "build/release/sim/tool/updraft-sim"))
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/hardware",
                        help="a folder for what is built and logged")
    return parser.parse_args(words)


def main(words):
    arguments = parse(words)
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    if not arguments.virtual and "IDF_PATH" not in os.environ:
        sys.exit("hardware: IDF_PATH is not set: install ESP-IDF (5.3 to 6.x), or --virtual")
    report = Report()
    kind = VirtualBoard if arguments.virtual else RealBoard
    with kind(ROOT, arguments) as board:
        bench = Bench(board, arguments)
        going = True
        for name in STEPS:
            if not going:
                report.steps.append(Step(name, "not run", 0, ""))
            elif not run_step(report, name, getattr(bench, name)) and name in ESSENTIAL:
                going = False
        if going:
            measure(bench, report, arguments)
        report.facts = facts(bench, arguments)
    path = arguments.report or arguments.work / "report.txt"
    path.write_text(report.text(), encoding="utf-8")
    print(report.text())
    print(f"hardware: the report is {path}", file=sys.stderr)
    return 0 if report.passed() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
