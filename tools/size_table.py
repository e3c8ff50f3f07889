#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Adds up by part what tools/size.sh linked, from the linker's maps, and prints it."""

import json
import pathlib
import re
import sys

# Every file of core/ and device/ that a firmware links, by what it is for.
PARTS = {
    "engine, protocol 1 and both": [
        "bytes", "device_actions", "device_session", "error", "image", "otadata"],
    "engine, protocol 2": [
        "device_erase", "device_protocol2", "device_protocol2_actions", "info", "protocol2"],
    "NimBLE's side": ["fast_link", "gap", "gatt", "link", "ring", "snapshot"],
    "flash, boot and trial": [
        "actions", "idf_compat", "log", "marker", "note", "slot", "task", "trial", "updraft"],
}
BUDGETED = ["engine, protocol 1 and both", "engine, protocol 2", "NimBLE's side"]
FLASH_MAX = 16384
RAM_MAX = 24576
# FreeRTOS's task control block on a chip, rounded up: most of it is the C library's. The
# simulator's header has 16 bytes for it.
TASK_BLOCK = 352 - 16

SECTION = re.compile(r"^ (\.\S+|COMMON)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S+)$")
KINDS = ("text", "rodata", "data", "bss")


def read_map(path):
    """{file: {kind: bytes}}. A section reaches to where the next one begins: what fills up the
    gap is part of it, and a string that it shares with another section is counted once."""
    placed = {kind: [] for kind in KINDS}
    name = ""
    for line in path.read_text().split("Linker script and memory map")[1].splitlines():
        if re.fullmatch(r" \.\S+", line):  # a long name; its numbers are on the next line
            name = line.strip()
            continue
        found = SECTION.match(line)
        kind = found and re.match(r"\.?s?(text|rodata|data|bss|COMMON)", found[1] or name)
        if not kind or not found[4].endswith(".o"):
            continue
        start, size = int(found[2], 16), int(found[3], 16)
        if start > 0 and size > 0:  # else it was not linked
            placed[kind[1].replace("COMMON", "bss")].append(
                (start, size, pathlib.Path(found[4]).stem))
    files = {}
    for kind, sections in placed.items():
        sections.sort()
        for (start, size, file), after in zip(sections, [*sections[1:], None]):
            sizes = files.setdefault(file, dict.fromkeys(KINDS, 0))
            sizes[kind] += after[0] - start if after else size
    return files


def flash(files, names):
    return sum(files[name][kind] for name in names if name in files for kind in ("text", "rodata"))


def measure(folder):
    maps = {name: read_map(folder / f"{name}.map")
            for name in ("least", "least-compiled", "shared", "shipped")}
    known = {name for names in PARTS.values() for name in names}
    for files in maps.values():
        unknown = {name for name, sizes in files.items() if any(sizes.values())} - known
        if unknown:
            sys.exit(f"size_table.py: to which part belongs {', '.join(sorted(unknown))}?")
    budgeted = [name for part in BUDGETED for name in PARTS[part]]
    ram = sum(sizes["data"] + sizes["bss"] for sizes in maps["shipped"].values()) + TASK_BLOCK
    return maps["least"], {
        "parts": {part: flash(maps["least"], names) for part, names in PARTS.items()},
        "budgeted": {name: flash(files, budgeted) for name, files in maps.items()},
        "flash": {name: flash(files, known) for name, files in maps.items()},
        "ram": ram,
        "stack": [int(line.split(": ")[1].split()[0])
                  for line in (folder / "stack").read_text().splitlines()],
    }


def judge(what, size, limit):
    verdict = "met" if size <= limit else "MISSED"
    print(f"{what}: {size} of {limit} bytes: budget {verdict}")


def main():
    folder = pathlib.Path(sys.argv[1])
    files, sizes = measure(folder)
    if "--json" in sys.argv[2:]:
        print(json.dumps(sizes))
        return
    print("Flash, errors alone logged, assertions off:")
    print(f"{'':30}{'.text':>8}{'.rodata':>9}{'total':>8}")
    for part, names in PARTS.items():
        linked = [name for name in names if name in files]
        text, rodata = (sum(files[name][kind] for name in linked) for kind in ("text", "rodata"))
        print(f"{part:30}{text:8}{rodata:9}{text + rodata:8}")
        for name in sorted(linked, key=lambda name: -flash(files, [name])):
            if flash(files, [name]) > 0:
                print(f"  {name + '.c':28}{files[name]['text']:8}{files[name]['rodata']:9}"
                      f"{flash(files, [name]):8}")
    print(f"{'total':30}{'':17}{sizes['flash']['least']:8}\n")
    judge("flash, engine and NimBLE's side", sizes["budgeted"]["least"], FLASH_MAX)
    for name, what in (("least-compiled", "before the linker shortens calls"),
                       ("shared", "with CONFIG_COMPILER_SAVE_RESTORE_LIBCALLS"),
                       ("shipped", "as shipped: log level info, error messages, assertions")):
        print(f"  {what}: {sizes['budgeted'][name]}, all of it {sizes['flash'][name]}")
    judge("RAM, all of it, with ring and task stack", sizes["ram"], RAM_MAX)
    print((folder / "stack").read_text(), end="")


if __name__ == "__main__":
    main()
