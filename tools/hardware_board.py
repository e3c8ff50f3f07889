# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What ./run hardware tests: a board at a serial port, or a virtual one in its place. Both have
build(versions), flash(version), reset(), images, flashed, idf and environment."""

import os
import re
import shutil
import subprocess
import threading
import time

RESET_S = 0.1
BAUD_RATE = 115200
STARTED = re.compile(r"export (\w+)='(.*)'\n")


class RealBoard:
    """Built by idf.py, reset through the serial port's RTS, as the boards of Espressif and
    most others have it: RTS pulls EN low, DTR chooses the boot mode."""

    def __init__(self, root, arguments):
        self.root = root
        self.work = arguments.work
        self.chip = arguments.chip
        self.port = arguments.port
        self.environment = dict(os.environ)
        self.images = {}
        self.flashed = f"by {self.port}"
        self.idf = "not known"
        self.serial = None
        self.reader = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def _idf(self, project, *words):
        """idf.py in the environment that ESP-IDF's own script makes."""
        command = '. "$IDF_PATH/export.sh" > /dev/null && exec idf.py "$@"'
        with open(self.work / "idf.log", "ab") as log:
            subprocess.run(["bash", "-c", command, "idf.py", "-C", str(project), *words],
                           check=True, stdout=log, stderr=log)

    def build(self, versions):
        """A copy of the minimal example, once for each version; the first one comes last, so
        that it is the one to be flashed."""
        project = self.work / "minimal"
        shutil.copytree(self.root / "examples/minimal", project,
                        ignore=shutil.ignore_patterns("build", "sdkconfig"))
        replace(project / "main/idf_component.yml", r'override_path: "[^"]*"',
                f'override_path: "{self.root}"')
        for version in [*versions[1:], versions[0]]:
            replace(project / "CMakeLists.txt", r'set\(PROJECT_VER "[^"]*"\)',
                    f'set(PROJECT_VER "{version}")')
            self._idf(project, "-D", f"IDF_TARGET={self.chip}", "build")
            self.images[version] = self.work / f"{version}.bin"
            shutil.copy(project / "build/minimal.bin", self.images[version])
        result = subprocess.run(
            ["bash", "-c", '. "$IDF_PATH/export.sh" > /dev/null && idf.py --version'],
            text=True, capture_output=True, check=True)
        self.idf = result.stdout.strip().replace("ESP-IDF ", "")

    def flash(self, version):
        self._close()
        assert version == list(self.images)[-1]
        self._idf(self.work / "minimal", "-p", self.port, "flash")
        self._open()

    def _open(self):
        import serial  # only here: a virtual board has none

        # Opened with both lines at rest: one of them alone would reset the board.
        self.serial = serial.Serial(baudrate=BAUD_RATE, timeout=0.2)
        self.serial.dtr = False
        self.serial.rts = False
        self.serial.port = self.port
        self.serial.open()
        self.reader = threading.Thread(target=self._log, daemon=True)
        self.reader.start()

    def _log(self):
        port = self.serial
        with open(self.work / "serial.log", "ab") as log:
            while port.is_open:
                try:
                    log.write(port.read(4096))
                    log.flush()
                except (OSError, TypeError):  # closed meanwhile, or unplugged
                    return

    def _close(self):
        if self.serial is not None:
            self.serial.close()
            self.reader.join()
            self.serial = None

    def reset(self):
        self.serial.dtr = False
        self.serial.rts = True
        time.sleep(RESET_S)
        self.serial.rts = False


class VirtualBoard:
    """Made by updraft-sim, behind the emulated BlueZ; a reset is the EN button's."""

    def __init__(self, _root, arguments):
        self.program = arguments.updraft_sim
        self.work = arguments.work
        self.chip = arguments.chip
        self.environment = dict(os.environ)
        self.images = {}
        self.flashed = "virtual"
        self.idf = "virtual"
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process.stdout.close()

    def build(self, versions):
        for version in versions:
            path = self.work / f"{version}.bin"
            subprocess.run([self.program, "image", "--firmware", "minimal", "--version",
                            version, "--chip", self.chip, "--size", "192K", "-o", str(path)],
                           check=True)
            self.images[version] = path

    def flash(self, version):
        self.process = subprocess.Popen(
            [self.program, "--air", "c3-7", "--flash", "typical", "--board",
             f"board,chip={self.chip},image={self.images[version]}"],
            stdout=subprocess.PIPE, text=True)
        for _ in range(3):
            match = STARTED.fullmatch(self.process.stdout.readline())
            if not match:
                raise OSError("updraft-sim does not start")
            self.environment[match[1]] = match[2]

    def reset(self):
        subprocess.run([self.program, "power", "board", "reset"], env=self.environment,
                       check=True)


def replace(path, pattern, text):
    before = path.read_text(encoding="utf-8")
    after, count = re.subn(pattern, lambda _: text, before)
    if count != 1:
        raise OSError(f"{path}: {pattern} is there {count} times")
    path.write_text(after, encoding="utf-8")
