#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The deepest stack that updraft's own functions take, from the call graphs (*.ci) that gcc writes
with -fcallgraph-info=su. What other libraries take below their functions is not counted."""

import pathlib
import re
import sys

# Where each of the two tasks enters.
ENTRIES = {"update task": ["run"],
           "NimBLE host task": ["access_string", "access_control", "access_data", "access_info",
                                "updraft_gap_event", "on_gap_event", "on_sync"]}
# Calls through pointers that the graph does not show.
POINTERS = {"updraft_ring_push": ["copy_mbuf", "copy_flat"], "wait_for_work": ["updraft_gap_poll"]}
NODE = re.compile(r'node: \{ title: "([^"]+)" label: "[^"]*\\n(\d+) bytes \((\w+)')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')


def plain(title):
    return title.rpartition(":")[2]  # statics have their file before


def read(folder):
    sizes, calls = {}, {}
    for path in pathlib.Path(folder).glob("*.ci"):
        text = path.read_text()
        for title, size, kind in NODE.findall(text):
            if kind != "static":
                sys.exit(f"stack.py: {title}: its stack is not of a fixed size")
            name = (path.name, plain(title)) if ":" in title else ("", plain(title))
            sizes[name] = int(size)
        for source, target in EDGE.findall(text):
            ends = [(path.name, plain(end)) if ":" in end else ("", plain(end))
                    for end in (source, target)]
            calls.setdefault(ends[0], set()).add(ends[1])
    for source, targets in POINTERS.items():
        for key in [key for key in sizes if key[1] == source]:
            calls.setdefault(key, set()).update(
                found for found in sizes if found[1] in targets)
    return sizes, calls


def deepest(name, sizes, calls, path=()):
    """(bytes, names from here down)."""
    if name in path:
        sys.exit(f"stack.py: {name[1]} calls itself")
    below = (0, ())
    for target in calls.get(name, ()):
        if target in sizes:
            below = max(below, deepest(target, sizes, calls, (*path, name)))
    return sizes[name] + below[0], (name[1], *below[1])


def main():
    sizes, calls = read(sys.argv[1])
    for task, entries in ENTRIES.items():
        found = [deepest(name, sizes, calls) for name in sizes if name[1] in entries]
        if not found:
            sys.exit(f"stack.py: nothing of {', '.join(entries)}")
        size, names = max(found)
        print(f"stack, {task}: {size} bytes: {' > '.join(names)}")


if __name__ == "__main__":
    main()
