#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Reads what updraft-bench printed; writes the tables to a page and to stdout, and a plot."""

import argparse
import sys
from pathlib import Path

import plot
import schedule

LIMIT = "link-limit"
OURS = "updraft"
ORIGINAL = "original-256"


class Result:
    def __init__(self, fields):
        self.section, self.case, self.row = fields[:3]
        self.session_s, self.payload_s, self.whole_s = (
            None if field == "-" else float(field) for field in fields[3:6])
        self.settings = dict(field.split("=", 1) for field in fields[6:])

    @property
    def kb_per_s(self):
        """Of the session; None when it did not end."""
        return self.rate(self.session_s)

    def rate(self, seconds):
        return float(self.settings["image"]) / 1000 / seconds if seconds else None


class Results:
    def __init__(self, lines):
        self.labels, self.notes, self.all = {}, {}, []
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == "protocol":
                self.labels[fields[1]] = fields[2]
                self.notes[fields[1]] = fields[3:5]
            elif fields[0] == "result":
                self.all.append(Result(fields[1:]))

    def cases(self, section):
        return list(dict.fromkeys(r.case for r in self.all if r.section == section))

    def get(self, section, case, row):
        return next((r for r in self.all
                     if (r.section, r.case, r.row) == (section, case, row)), None)

    @property
    def peers(self):
        return [name for name, note in self.notes.items()
                if note[0] != "-" and name != LIMIT]

    @property
    def ours(self):
        return [name for name, note in self.notes.items() if note[0] == "-"]

    def best_peer(self, section, case):
        return max((self.get(section, case, peer) for peer in self.peers),
                   key=lambda result: result.kb_per_s or 0)


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |",
             "|" + "|".join("---" if i == 0 else "---:" for i in range(len(header))) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def milliseconds(text):
    return f"{float(text) / 1000:g} ms"


def air_of(settings):
    if settings["phy"] == "ideal":
        return "takes no time"
    security = "encrypted" if settings["encrypted"] == "1" else "plain"
    return f"{settings['phy']}, {settings['interval_ms']} ms, MTU {settings['mtu']}, {security}"


def flash_of(settings):
    if settings["page_us"] == "0":
        return "takes no time"
    return (f"{milliseconds(settings['sector_us'])}, {milliseconds(settings['block_us'])}, "
            f"{milliseconds(settings['page_us'])}")


def stall_of(settings):
    return "stalls too" if settings["absorbs"] == "0" else f"{settings['absorbs']} PDUs"


SETTINGS = [
    ("*air*", air_of),
    ("*PDUs an event*", lambda s: s["per_event"] if s["per_event"] != "0" else "as many as fit"),
    ("*PDUs lost*", lambda s: f"{float(s['loss']) * 100:g} %"),
    ("*seeds*", lambda s: s["seeds"]),
    ("*central's host, a frame*", lambda s: milliseconds(s["host_us"])),
    ("*board's host, a PDU*", lambda s: milliseconds(s["board_host_us"])),
    ("*flash: sector, block, page*", flash_of),
    ("*controller during a stall*", stall_of),
    ("*slot that some erase whole*", lambda s: f"{int(s['slot']) / (1 << 20):g} MiB"),
]


def settings_of(results):
    """What all of them have in common, as a sentence; rows of what differs."""
    common, rows = [], []
    for name, text in SETTINGS:
        cells = [text(result.settings) for result in results]
        if len(set(cells)) == 1:
            common.append(f"{name} {cells[0]}")
        else:
            rows.append([name] + cells)
    return in_common(common), rows


def in_common(settings):
    return f"Throughout: {'; '.join(settings)}.\n\n" if settings else ""


def listing(header, settings, rows):
    """A table; those columns of settings that hold one value alone are told above it."""
    common = {i: f"*{header[i]}* {rows[0][i]}" for i in map(header.index, settings)
              if len({row[i] for row in rows}) == 1}
    kept = [i for i in range(len(header)) if i not in common]
    return in_common(common.values()) + table([header[i] for i in kept],
                                              [[row[i] for i in kept] for row in rows])


def figure(result, seconds=None):
    seconds = seconds or result.session_s
    return f"{result.rate(seconds):.1f} ({seconds:.0f} s)" if seconds else "-"


def number(value, digits=1, unit=""):
    return f"{value:.{digits}f}{unit}" if value else "-"


def ratio(a, b):
    return f"{a / b:.2f}" if a and b else "-"


def comparison(results, cases):
    section = "compare"
    ours = [results.get(section, case, OURS) for case in cases]
    limits = [results.get(section, case, LIMIT) for case in cases]
    best = [results.best_peer(section, case) for case in cases]
    original = [results.get(section, case, ORIGINAL) for case in cases]
    common, rows = settings_of(ours)
    for name in results.peers:
        rows.append([results.labels[name]] +
                    [figure(results.get(section, case, name)) for case in cases])
    for name in results.ours:
        mine = [results.get(section, case, name) for case in cases]
        rows.append([f"**{results.labels[name]}**"] +
                    [f"**{figure(result)}**" for result in mine])
    rows.append(["updraft, payload alone"] + [figure(r, r.payload_s) for r in ours])
    rows.append(["updraft, mean interval of events meanwhile"] +
                [number(float(r.settings["ran_ms"]), 1, " ms") for r in ours])
    rows.append(["updraft, whole job"] + [number(r.whole_s, 0, " s") for r in ours])
    rows.append(["limit of the link"] + [figure(result) for result in limits])
    rows.append(["updraft / limit of the link"] +
                [ratio(a.kb_per_s, b.kb_per_s) for a, b in zip(ours, limits)])
    rows.append(["updraft / best peer"] +
                [f"{ratio(a.kb_per_s, b.kb_per_s)} ({results.labels[b.row]})"
                 for a, b in zip(ours, best)])
    tight = [results.best_peer("tight", case) for case in cases]
    rows.append(["updraft / best peer, were the slot no larger than the image"] +
                [f"{ratio(a.kb_per_s, b.kb_per_s)} ({results.labels[b.row]})"
                 for a, b in zip(ours, tight)])
    rows.append(["updraft / original, MTU at most 256"] +
                [ratio(a.kb_per_s, b.kb_per_s) for a, b in zip(ours, original)])
    return common + table(["kB/s (time)"] + cases, rows)


def radio(results):
    rows = []
    for case in results.cases("radio"):
        ours, limit = results.get("radio", case, OURS), results.get("radio", case, LIMIT)
        rows.append([case, ours.settings["mtu"], ours.settings["seeds"],
                     number(ours.rate(ours.payload_s)), number(ours.kb_per_s),
                     number(ours.whole_s, 1, " s"), number(limit.kb_per_s),
                     ratio(limit.session_s, ours.payload_s),
                     ratio(limit.session_s, ours.session_s)])
    return table(["link", "MTU", "seeds", "payload, kB/s", "session, kB/s", "whole job",
                  "limit, kB/s", "payload / limit", "session / limit"], rows)


def flash(results):
    rows = []
    for case in results.cases("flash"):
        ours = results.get("flash", case, OURS)
        s = ours.settings
        size, pages = int(s["image"]), int(s["image"]) // 256
        by_sector = (size // 4096 * int(s["sector_us"]) + pages * int(s["page_us"])) / 1e6
        by_block = (size // 65536 * int(s["block_us"]) + pages * int(s["page_us"])) / 1e6
        best = min(by_sector, by_block)
        rows.append([case, flash_of(s), number(ours.session_s, 2, " s"),
                     number(by_block, 2, " s"), number(by_sector, 2, " s"),
                     ratio(ours.session_s, best)])
    return table(["air", "flash: sector, block, page", "updraft, session",
                  "flash alone, by blocks", "flash alone, by sectors", "updraft / best"],
                 rows)


def best_schedule(result, limit):
    """Of the stall section: the board's memory is what updraft may use."""
    s = result.settings
    value = min(int(s["mtu"]) - 3, 512)
    pdu = 247.5 if value >= 495 else min(value, 244)
    link = schedule.Link(limit.session_s * 1e6 * pdu / int(s["image"]), pdu, int(s["absorbs"]))
    operations = schedule.Flash(int(s["sector_us"]), int(s["block_us"]), int(s["page_us"]))
    return schedule.best(int(s["image"]), link, operations)[0] / 1e6


def stall(results):
    rows = []
    for case in results.cases("stall"):
        ours, limit = results.get("stall", case, OURS), results.get("stall", case, LIMIT)
        best = results.best_peer("stall", case)
        ideal = None
        if ours.settings["absorbs"] != "0":
            ideal = best_schedule(ours, limit)
        rows.append([case.split("; ")[0], stall_of(ours.settings), flash_of(ours.settings),
                     number(ours.session_s, 1, " s"), number(ideal, 1, " s"),
                     ratio(ours.session_s, ideal),
                     f"{number(best.session_s, 1, ' s')} ({results.labels[best.row]})",
                     ratio(best.session_s, ours.session_s)])
    return listing(["link", "controller during a stall", "flash: sector, block, page",
                    "updraft, session", "best schedule", "updraft / best schedule",
                    "best peer, session", "updraft / best peer, by rate"],
                   ["flash: sector, block, page"], rows)


def hosts(results):
    rows = []
    for case in results.cases("host"):
        ours, limit = results.get("host", case, OURS), results.get("host", case, LIMIT)
        best = results.best_peer("host", case)
        original = results.get("host", case, ORIGINAL)
        rows.append([case.split("; ")[0], milliseconds(ours.settings["board_host_us"]),
                     stall_of(ours.settings), flash_of(ours.settings),
                     number(ours.kb_per_s), number(limit.kb_per_s),
                     f"{number(best.kb_per_s)} ({results.labels[best.row]})",
                     number(original.kb_per_s)])
    return listing(["link", "board's host, a PDU", "controller during a stall",
                    "flash: sector, block, page", "updraft, kB/s", "limit of the link, kB/s",
                    "best peer, kB/s", "original, MTU at most 256, kB/s"],
                   ["controller during a stall", "flash: sector, block, page"], rows)


INTRODUCTION = """# Protocols side by side

Written by `./run bench`; do not edit. Every figure comes from virtual time, the same on every
computer: no radio and no board was measured.

An image of {size} bytes goes from a central to a board. updraft is the real thing: the
component's firmware on a virtual board, and the flow of the command `updraft`. The other
protocols are traffic generators on the same virtual controllers, link and flash, described
below. kB/s are 1000 bytes of the image a second.

- A *session* is from asking the device until its last answer, with its flash at rest; erasing
  counts inside for everyone. *Payload* is the part in which the image is under way. The *whole
  job* begins with looking for the device and ends when the new firmware was seen running (the
  watching takes a few seconds on purpose).
- While a flash operation runs, the board's processor stands still; its controller goes on and
  holds as many PDUs as the tables say, or stalls too.
- Centrals grant the interval that a board asks for, as updraft does and no peer. Where flash takes
  no time, they do not, to compare with the limit of the same link.
- An event ends at a lost PDU, one draw for each PDU each way.
- What a host takes for a frame, or until it has a PDU, is assumed. Reading flash and hashing
  take no time.
- Peers that erase before the first byte know no size and erase the whole slot, here of 1.5 MiB
  as in a table of two slots in 4 MiB; one line says what a slot of the image's size changes.
- The *limit of the link* is a sender of write commands that never pauses, on the same link and
  seeds: values of 495 bytes where they fit, else 244 or MTU - 3, to a board without flash.
  It keeps the interval of the table: updraft, which asks for 15 to 30 ms, can be ahead of it on a
  link of 50 ms that loses PDUs.
- iPhone and Android at 15 ms differ here in their supervision timeout alone: equal figures.
"""


def page(results):
    cases = results.cases("compare")
    plain = [case for case in cases
             if results.get("compare", case, OURS).settings["per_event"] == "0" and
             results.get("compare", case, OURS).settings["loss"] == "0"]
    others = [case for case in cases if case not in plain]
    size = results.get("compare", cases[0], OURS).settings["image"]
    notes = [f"- **{results.labels[name]}**: {results.notes[name][0]}. Left out: "
             f"{results.notes[name][1]}." for name in results.peers]
    return "\n".join([
        INTRODUCTION.format(size=size),
        "![All protocols on all links](bench.svg)\n",
        "## On common links\n", comparison(results, plain), "",
        "## With few PDUs in an event, and with loss\n", comparison(results, others), "",
        "## Flash that takes no time\n", radio(results), "",
        "## An air that takes no time\n", flash(results), "",
        "## Both, by what the controller holds during a stall\n",
        "The best schedule is computed by `bench/schedule.py`: the least time in which any board "
        "with 16 KiB of buffers could receive and write the image on this link, when flash "
        "operations stop its processor. It is not computed for controllers that stall.\n",
        stall(results), "",
        "## By the time until the board's host has a PDU\n", hosts(results), "",
        "## What is modelled of the other protocols\n", "\n".join(notes), ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="what updraft-bench printed")
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--plot", type=Path, required=True)
    args = parser.parse_args()
    results = Results(args.results.read_text(encoding="utf-8").splitlines())
    text = page(results)
    args.page.write_text(text, encoding="utf-8")
    rows = []
    for case in results.cases("compare"):
        rows.append((case, {result.row: result.kb_per_s for result in results.all
                            if (result.section, result.case) == ("compare", case)}))
    names = [name for name in results.labels if name != LIMIT]
    args.plot.write_text(plot.draw(rows, {name: results.labels[name] for name in names},
                                   results.ours, LIMIT), encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
