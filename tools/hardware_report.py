# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The report of ./run hardware: one fixed form, written, read and put into a table.
python3 tools/hardware_report.py REPORT... prints rows for docs/hardware.md."""

import collections
import pathlib
import re
import sys

FORM = "updraft hardware report, form 1"
FACTS = ("date", "kind", "updraft", "board", "chip", "esp-idf", "computer", "bluez", "adapter")
OUTCOMES = ("passed", "failed", "not run")
COLUMNS = ("date", "board", "chip", "esp-idf", "adapter, bluez", "steps passed",
           "rate, kB/s (interval, PHY)")

Step = collections.namedtuple("Step", "name outcome seconds note")


class Report:
    """facts: by the names of FACTS. rates: (wish, link as seen, bytes, seconds)."""

    def __init__(self):
        self.facts = {}
        self.steps = []
        self.rates = []

    def passed(self):
        return bool(self.steps) and all(step.outcome == "passed" for step in self.steps)

    def text(self):
        lines = [FORM]
        lines += [f"{name}: {self.facts[name]}" for name in FACTS]
        lines += [f"step: {step.name} | {step.outcome} | {step.seconds:.1f} s | {step.note}"
                  for step in self.steps]
        lines += [f"rate: {wish} | {seen} | {size} bytes | {seconds:.2f} s | "
                  f"{size / seconds / 1000:.1f} kB/s" for wish, seen, size, seconds in self.rates]
        counts = [sum(step.outcome == outcome for step in self.steps) for outcome in OUTCOMES]
        lines.append("result: " + ", ".join(
            f"{count} {outcome}" for count, outcome in zip(counts, OUTCOMES)))
        return "\n".join(lines) + "\n"


def read(text):
    """The Report that a text is; ValueError where it has another form."""
    lines = text.splitlines()
    report = Report()
    if not lines or lines[0] != FORM:
        raise ValueError(f"the first line is not {FORM!r}")
    for name, line in zip(FACTS, lines[1:]):
        match = re.fullmatch(re.escape(name) + r": (\S.*)", line)
        if not match:
            raise ValueError(f"no {name} in {line!r}")
        report.facts[name] = match[1]
    for line in lines[1 + len(FACTS):-1]:
        if match := re.fullmatch(r"step: ([^|]+) \| (passed|failed|not run) \| ([\d.]+) s \| "
                                 r"(.*)", line):
            report.steps.append(Step(match[1], match[2], float(match[3]), match[4]))
        elif match := re.fullmatch(r"rate: ([^|]+) \| ([^|]+) \| (\d+) bytes \| ([\d.]+) s \| "
                                   r"[\d.]+ kB/s", line):
            report.rates.append((match[1], match[2], int(match[3]), float(match[4])))
        else:
            raise ValueError(f"neither a step nor a rate: {line!r}")
    if not report.steps or report.text() != text:
        raise ValueError("the last lines do not follow from the ones before")
    return report


def row(report):
    """One of docs/hardware.md's table."""
    if report.facts["kind"] != "board":
        raise ValueError("a virtual board is no hardware")
    fact = report.facts
    passed = sum(step.outcome == "passed" for step in report.steps)
    rates = "; ".join(f"{size / seconds / 1000:.1f} ({seen})"
                      for _, seen, size, seconds in report.rates)
    return "| " + " | ".join((fact["date"], fact["board"], fact["chip"], fact["esp-idf"],
                              f"{fact['adapter']}, {fact['bluez']}",
                              f"{passed} of {len(report.steps)}", rates or "none")) + " |"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(row(read(pathlib.Path(name).read_text(encoding="utf-8"))))
