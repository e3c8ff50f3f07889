# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Asks an adapter for a connection interval and a PHY, and hears from btmon what a link had.
Both need root; without it the adapter's own choice is measured, and its link is not known."""

import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

INTERVALS_MS = (7.5, 15, 30, 50)
PHYS = ("1M", "2M")
SETTLE_S = 0.5
UNKNOWN = "link not known"


class Wish(collections.namedtuple("Wish", "interval_ms phy")):
    """None: the adapter's own choice."""

    def __str__(self):
        if self.interval_ms is None:
            return "adapter's choice"
        return f"{self.interval_ms:g} ms, {self.phy}"


def _folder(adapter):
    return pathlib.Path(f"/sys/kernel/debug/bluetooth/{adapter}")


def choices(adapter, virtual):
    """What can be asked for here: the kernel takes an interval by debugfs."""
    if virtual or os.geteuid() != 0 or not (_folder(adapter) / "conn_min_interval").exists():
        return [Wish(None, None)]
    phys = PHYS if shutil.which("btmgmt") else PHYS[:1]
    return [Wish(interval, phy) for phy in phys for interval in INTERVALS_MS]


def set_link(adapter, wish):
    if wish.interval_ms is None:
        return
    value = str(round(wish.interval_ms / 1.25))
    folder = _folder(adapter)
    # The lower bound may never be above the upper one.
    current = int((folder / "conn_max_interval").read_text())
    order = ("conn_max_interval", "conn_min_interval")
    for name in order if int(value) >= current else reversed(order):
        (folder / name).write_text(value)
    if shutil.which("btmgmt"):
        subprocess.run(["btmgmt", "--index", adapter, "phy", f"LE{wish.phy}TX",
                        f"LE{wish.phy}RX", "LE1MTX", "LE1MRX"], check=False,
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=30)


def link_of(text, adapter):
    """The last interval and PHY that btmon's text says of this adapter's link."""
    interval, phy = None, "1M"  # every link begins with 1M
    here = True
    for line in text.splitlines():
        if line[:1] in "<>@=":
            here = f"[{adapter}]" in line
        elif here and (match := re.search(r"Connection interval: ([\d.]+) msec", line)):
            interval = float(match[1])
        elif here and re.search(r"LE (Enhanced )?Connection Complete", line):
            phy = "1M"
        elif here and (match := re.search(r"TX PHY: LE (\w+)", line)):
            phy = match[1]
    return UNKNOWN if interval is None else f"{interval:g} ms, {phy}"


class Monitor:
    """With-statement: btmon's ear on the adapter."""

    def __init__(self, work, adapter, wanted):
        self.path = pathlib.Path(work) / "btmon.txt"
        self.adapter = adapter
        self.wanted = wanted and os.geteuid() == 0 and shutil.which("btmon") is not None
        self.process = None

    def __enter__(self):
        if self.wanted:
            with open(self.path, "wb") as file:
                self.process = subprocess.Popen(["btmon"], stdin=subprocess.DEVNULL,
                                                stdout=file, stderr=subprocess.DEVNULL)
            time.sleep(SETTLE_S)
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()

    def link(self):
        if self.process is None:
            return UNKNOWN
        return link_of(self.path.read_text(encoding="utf-8", errors="replace"), self.adapter)
