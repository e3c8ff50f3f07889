#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that includes point the way DESIGN.md says: nothing points out of core/."""

import re
import subprocess
import sys

# Part -> parts that it may include. A part is the longest prefix in this table.
ALLOWED = {
    "core": set(),
    "device": {"core"},
    "examples": {"device", "core"},
    "client": {"core"},
    "cli": {"client", "core"},
    "sim/base": set(),
    "sim/chip": {"sim/base"},
    "sim/image": {"sim/base", "sim/chip"},
    "sim/radio": {"sim/base"},
    "sim/idf": {"sim/base", "sim/chip", "sim/image", "sim/idf/include"},
    "sim/idf/include": {"sim/nimble/include"},
    "sim/nimble": {"sim/base", "sim/idf", "sim/radio", "sim/idf/include",
                   "sim/nimble/include"},
    "sim/nimble/include": {"sim/idf/include"},
    "sim/central": {"sim/base", "sim/radio"},
    "sim/firmware": {"sim/idf", "sim/nimble", "sim/idf/include", "sim/nimble/include"},
    "sim/bluez": {"sim/base", "sim/radio", "sim/central"},
    "sim/gateway": {"sim/base", "sim/radio", "sim/central"},
    "sim/world": {"sim/base", "sim/chip", "sim/image", "sim/radio", "sim/idf", "sim/nimble",
                  "sim/central", "client", "core"},
    "sim/tool": {"sim/base", "sim/chip", "sim/image", "sim/radio", "sim/idf", "sim/nimble",
                 "sim/central", "sim/bluez", "sim/gateway"},
    "bench": {"sim/base", "sim/chip", "sim/image", "sim/radio", "sim/world"},
    "tests": None,  # may include everything
    "fuzz": None,
    "proof": None,
    "tools": None,
}
# Only this part may know the message bus on the simulator's side, and only the client's
# transport on the other.
SD_BUS = {"sim/bluez", "sim/gateway", "sim/tool", "client", "tests"}
# sim/chip knows no FreeRTOS and no radio; core knows nothing but the compiler.
FREESTANDING = {"stdbool.h", "stddef.h", "stdint.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def part_of(path):
    best = None
    for part in ALLOWED:
        if (path == part or path.startswith(part + "/")) and (
                best is None or len(part) > len(best)):
            best = part
    return best


def main():
    files = subprocess.run(["git", "ls-files", "*.c", "*.h"], check=True, text=True,
                           capture_output=True).stdout.split()
    files = dict.fromkeys(files)
    by_suffix = {}
    for path in files:
        pieces = path.split("/")
        for i in range(len(pieces)):
            by_suffix.setdefault("/".join(pieces[i:]), set()).add(path)
    problems = []
    for path in files:
        source = part_of(path)
        if source is None:
            problems.append(f"{path}: belongs to no part that tools/check_includes.py knows")
            continue
        allowed = ALLOWED[source]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for match in INCLUDE.finditer(text):
            quoted, name = match.group(1) == '"', match.group(2)
            line = text.count("\n", 0, match.start()) + 1
            where = f"{path}:{line}"
            if name.startswith("systemd/") and source not in SD_BUS:
                problems.append(f"{where}: only {', '.join(sorted(SD_BUS))} may use sd-bus")
            if source == "core" and not quoted and name not in FREESTANDING:
                problems.append(f"{where}: core includes <{name}>; it may use only "
                                f"{', '.join(sorted(FREESTANDING))}")
            if allowed is None:
                continue
            beside = path.rpartition("/")[0] + "/" + name
            if quoted and beside in files:
                continue  # the compiler takes the one in the same folder
            # A module's sdkconfig.h is assembled from the defaults of the parts it uses.
            if name.startswith("sdkconfig_"):
                continue
            targets = {part_of(target) for target in by_suffix.get(name, ())}
            targets.discard(source)
            targets.discard(None)
            # Headers under ESP-IDF's own names exist twice: real ones (of ESP-IDF, or the
            # host's Mbed TLS) and ours. Firmware sources do not know which they see, and
            # nobody else has ours on the include path.
            if source in ("device", "examples"):
                targets -= {"sim/idf/include", "sim/nimble/include"}
            if not quoted:
                targets.clear()  # the host's own, whatever else has the same name
            wrong = targets - allowed
            if targets and not targets & allowed and wrong:
                problems.append(f"{where}: {source} may not include {name} "
                                f"({', '.join(sorted(wrong))})")
    for problem in problems:
        print(problem)
    print(f"check_includes: {len(files)} files, {len(problems)} wrong")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
