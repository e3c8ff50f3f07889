# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""An updraft-sim that stays, and the command run against it."""

import json
import os
import re
import subprocess

import real_bluez

LIMIT_S = 120
# Of an image whose transfer leaves time to interfere, a second or more.
LARGE = "512K"
# The first board's: who names it need not wait whether there are others.
ADDRESS = "24:0A:C4:00:00:12"


def make_image(updraft_sim, folder, version, *, chip="esp32", behaviour="good", size="64K",
               firmware="minimal"):
    """An image of these wishes, made once; its path."""
    path = folder / f"{firmware}-{chip}-{version}-{behaviour}-{size}.bin"
    if not path.exists():
        subprocess.run([updraft_sim, "image", "--firmware", firmware, "--version", version,
                        "--chip", chip, "--behaviour", behaviour, "--size", size,
                        "-o", str(path)], check=True, timeout=LIMIT_S)
    return str(path)


class Simulator:
    """With-statement: an updraft-sim with these boards ("NAME,key=value...") and options."""

    def __init__(self, updraft_sim, updraft, boards, *options):
        self.tool_path = updraft_sim
        self.updraft_path = updraft
        self.adapters = int(options[options.index("--adapters") + 1]) \
            if "--adapters" in options else 1
        self.command = [updraft_sim, *options]
        if real_bluez.here():
            self.command.append("--vhci")
        self.boards = boards
        for board in boards:
            self.command += ["--board", board]
        self.environment = dict(os.environ)
        self.environment.pop("NO_COLOR", None)
        self.process = None

    def __enter__(self):
        if real_bluez.here():
            real_bluez.fresh_daemon()
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        for _ in range(1 if real_bluez.here() else 3):
            line = self.process.stdout.readline()
            name, value = re.fullmatch(r"export (\w+)='(.*)'\n", line).groups()
            self.environment[name] = value
        if real_bluez.here():
            real_bluez.wait_for_adapters(self.adapters)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(LIMIT_S)
        self.process.stdout.close()

    def tool(self, *words):
        """updraft-sim WORDS... on the running one; what it prints."""
        if words[0] == "bluez" and real_bluez.here() and words[1] not in (
                "plug", "unplug", "notifications"):
            return real_bluez.verb(*words[1:])
        return subprocess.run([self.tool_path, *words], env=self.environment, check=True,
                              timeout=LIMIT_S, text=True, stdout=subprocess.PIPE).stdout

    def run(self, *words, **more):
        return subprocess.run([self.updraft_path, *words], env=self.environment, text=True,
                              timeout=LIMIT_S, capture_output=True, **more)

    def start(self, *words, **more):
        return subprocess.Popen([self.updraft_path, *words], env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def start_until(self, words, event, **fields):
        """Starts the command with --json and reads its lines until this event."""
        process = self.start(*words, "--json")
        lines = []
        for line in process.stdout:
            lines.append(json.loads(line))
            if lines[-1]["event"] == event and all(
                    lines[-1][name] == value for name, value in fields.items()):
                return process
        stderr = process.communicate(timeout=LIMIT_S)[1]
        raise AssertionError(f"{event} {fields} never came: {lines} {stderr}")


def last_line(process):
    """Ends a process of start_until: its last JSON line, what it said, its status."""
    out, err = process.communicate(timeout=LIMIT_S)
    return json.loads(out.splitlines()[-1]), err, process.returncode
