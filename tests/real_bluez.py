# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The real bluetoothd of a virtual machine (tools/vm), in place of the emulated BlueZ."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

PROGRAM = "/usr/libexec/bluetooth/bluetoothd"
STORAGE = pathlib.Path("/var/lib/bluetooth")
PID_FILE = pathlib.Path("/run/bluetoothd.pid")
LIMIT_S = 60


def here():
    """Whether this runs in the virtual machine."""
    return os.environ.get("UPDRAFT_MACHINE") == "1"


def _send(path, *words):
    return subprocess.run(
        ["dbus-send", "--system", "--print-reply", "--dest=org.bluez", path, *words],
        text=True, capture_output=True, timeout=LIMIT_S, check=False)


def until(wanted):
    """Waits until wanted() is true."""
    deadline = time.monotonic() + LIMIT_S
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def quit_daemon(number=signal.SIGTERM):
    pid = int(PID_FILE.read_text())
    os.kill(pid, number)

    def ended():
        try:
            return os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:  # the machine's own script started it
            return not pathlib.Path(f"/proc/{pid}/exe").exists()
    until(ended)
    PID_FILE.unlink()


def start_daemon():
    with open("/run/log/bluetoothd.log", "a", encoding="utf-8") as log:
        process = subprocess.Popen([PROGRAM, "-n", "-d"], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log)
    PID_FILE.write_text(str(process.pid))


def fresh_daemon():
    """One that remembers nothing."""
    if PID_FILE.exists():
        quit_daemon()
    for path in STORAGE.iterdir():
        shutil.rmtree(path)
    start_daemon()


def power(on, adapter="hci0"):
    answer = _send(f"/org/bluez/{adapter}", "org.freedesktop.DBus.Properties.Set",
                   "string:org.bluez.Adapter1", "string:Powered",
                   f"variant:boolean:{str(on).lower()}")
    assert answer.returncode == 0, answer.stderr


def call(path, member):
    """A method without arguments."""
    answer = _send(path, member)
    assert answer.returncode == 0, answer.stderr


def exists(path):
    return _send(path, "org.freedesktop.DBus.Introspectable.Introspect").stdout.count(
        "org.bluez.") > 0


def get(path, interface, name):
    """Whether a property is true; False as well for an object that is not there."""
    return "boolean true" in _send(path, "org.freedesktop.DBus.Properties.Get",
                                   f"string:org.bluez.{interface}", f"string:{name}").stdout


def text(path, interface, name):
    """A property that is a string."""
    answer = _send(path, "org.freedesktop.DBus.Properties.Get",
                   f"string:org.bluez.{interface}", f"string:{name}")
    assert answer.returncode == 0, answer.stderr
    return re.search(r'string "(.*)"', answer.stdout)[1]


def wait_for_adapters(count=1):
    until(lambda: all(get(f"/org/bluez/hci{i}", "Adapter1", "Powered") for i in range(count)))


def verb(*words):
    """What `updraft-sim bluez` does to the emulated one."""
    match words:
        case ["power", ("on" | "off") as what]:
            power(what == "on")
        case ["quit"]:
            quit_daemon()
        case ["restart"]:
            if PID_FILE.exists():
                quit_daemon()
            start_daemon()
        case _:
            raise NotImplementedError(f"the real BlueZ has no {words}")
