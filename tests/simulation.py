# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""A running updraft-sim: virtual boards behind the emulated BlueZ."""

import asyncio
import os
import re
import subprocess

import real_bluez

LIMIT_S = 120


class Simulation:
    """Boards that live until close(). Commands run beside them see the emulated BlueZ."""

    def __init__(self, program, boards=("esp32",), options=(), log_path=None):
        arguments = [program, *options]
        exports = 3
        if real_bluez.here():
            arguments.append("--vhci")
            exports = 1
            real_bluez.fresh_daemon()
        for board in boards:
            arguments += ["--board", board]
        self.program = program
        self.log_path = log_path
        with open(log_path or os.devnull, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, text=True)
        self.variables = {}
        while len(self.variables) < exports:
            line = self.process.stdout.readline()
            match = re.fullmatch(r"export (\w+)='(.*)'\n", line)
            if not match:
                self.close()
                raise RuntimeError(f"updraft-sim says {line!r}; see {log_path}")
            self.variables[match[1]] = match[2]
        if real_bluez.here():
            real_bluez.wait_for_adapters()
        self.bus_address = self.variables.get("DBUS_SYSTEM_BUS_ADDRESS")
        self.environment = {**os.environ, **self.variables}

    def run(self, *command, **options):
        """Runs a command that is expected to end well; returns what it printed."""
        options = {"timeout": LIMIT_S, "stdin": subprocess.DEVNULL, **options}
        result = subprocess.run([str(word) for word in command], env=self.environment,
                                text=True, capture_output=True, check=False, **options)
        assert result.returncode == 0, f"{command}:\n{result.stdout}{result.stderr}"
        return result.stdout

    def verb(self, *arguments):
        return self.run(self.program, *arguments)

    def log(self, board="esp32"):
        return self.verb("log", board)

    async def logged(self, text, board="esp32"):
        """Waits until the board's log has the text; returns the log."""
        for _ in range(LIMIT_S * 20):
            log = await asyncio.to_thread(self.log, board)
            if text in log:
                return log
            await asyncio.sleep(0.05)
        raise AssertionError(f"{text!r} is not in the log of {board}:\n{log}")

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(LIMIT_S)
        self.process.stdout.close()

    def end(self):
        """close(), and nothing went wrong inside."""
        self.close()
        with open(self.log_path, encoding="utf-8") as log:
            text = log.read()
        assert self.process.returncode == 0, text
        assert "ended unexpectedly" not in text, text


def image_arguments(program, path, version, firmware="minimal", behaviour="good", size="64K",
                    chip="esp32"):
    return [program, "image", "--firmware", firmware, "--version", version, "--chip", chip,
            "--behaviour", behaviour, "--size", size, "-o", str(path)]
