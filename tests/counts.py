# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What a run on the real stack has done, as the boards and the air tell it."""

import collections
import re

NAMES = ["tests", "boards", "links", "updates"]
COUNTED = collections.Counter()


def add(tool, boards):
    """At a simulation's end, asked by its verbs: its boards, the links that were begun in its
    air, and the firmwares that were confirmed on their first boot."""
    COUNTED["boards"] += len(boards)
    COUNTED["links"] += int(re.search(r"^links (\d+)$", tool("air"), re.M)[1])
    for board in boards:
        COUNTED["updates"] += len(re.findall(r"updraft: confirmed$",
                                             tool("log", board), re.M))


def line():
    """./run adds these up."""
    return "counted: " + " ".join(f"{name}={COUNTED[name]}" for name in NAMES)
