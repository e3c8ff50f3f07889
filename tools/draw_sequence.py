#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Draws a sequence diagram as SVG from a text file.

    title TEXT
    actors NAME | NAME ...
    LEFT -> RIGHT: TEXT        an arrow (dashed with -->)
    note NAME: TEXT            a box on the actor's line
    gap TEXT                   a divider
"""

import html
import re
import sys

LEFT, TOP, COLUMN, ROW = 180, 70, 400, 34
STYLE = """
text { font: 13px sans-serif; fill: #1f2937 }
.actor { font-weight: bold; text-anchor: middle }
.middle { text-anchor: middle }
.life { stroke: #9ca3af; stroke-dasharray: 3 4 }
.arrow { stroke: #1d4ed8; stroke-width: 1.5; fill: none; marker-end: url(#head) }
.dashed { stroke-dasharray: 5 4 }
.note { fill: #fef3c7; stroke: #d97706 }
.gap { stroke: #d1d5db }
.box { fill: #e5e7eb; stroke: #6b7280 }
"""


def parse(text):
    title, actors, rows = "", [], []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        arrow = re.match(r"(.+?) (-->|->) (.+?): (.+)$", line)
        if word == "title":
            title = rest
        elif word == "actors":
            actors = [name.strip() for name in rest.split("|")]
        elif word == "note":
            name, _, what = rest.partition(": ")
            rows.append(("note", actors.index(name), what))
        elif word == "gap":
            rows.append(("gap", rest))
        elif arrow:
            source, kind, target, what = arrow.groups()
            rows.append(("arrow", actors.index(source), actors.index(target), what,
                         kind == "-->"))
        else:
            sys.exit(f"draw_sequence: line {number} makes no sense: {line}")
    return title, actors, rows


def draw(title, actors, rows):
    width = 2 * LEFT + COLUMN * (len(actors) - 1)
    height = TOP + 30 + ROW * len(rows) + 20
    x_of = [LEFT + COLUMN * i for i in range(len(actors))]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" role="img">',
           f"<title>{html.escape(title)}</title><style>{STYLE}</style>",
           '<defs><marker id="head" markerWidth="9" markerHeight="8" refX="8" refY="4" '
           'orient="auto"><path d="M0,0 L9,4 L0,8 z" fill="#1d4ed8"/></marker></defs>',
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
           f'<text x="{width / 2}" y="24" class="actor">{html.escape(title)}</text>']
    for x, name in zip(x_of, actors):
        out.append(f'<line class="life" x1="{x}" y1="{TOP}" x2="{x}" y2="{height - 10}"/>')
        out.append(f'<rect class="box" x="{x - 80}" y="{TOP - 28}" width="160" height="28" '
                   'rx="4"/>')
        out.append(f'<text class="actor" x="{x}" y="{TOP - 9}">{html.escape(name)}</text>')
    y = TOP + 30
    for row in rows:
        if row[0] == "arrow":
            _, source, target, what, dashed = row
            x1, x2 = x_of[source], x_of[target]
            out.append(f'<text class="middle" x="{(x1 + x2) / 2}" y="{y - 5}">'
                       f"{html.escape(what)}</text>")
            dash = " dashed" if dashed else ""
            out.append(f'<path class="arrow{dash}" d="M{x1},{y} L{x2},{y}"/>')
        elif row[0] == "note":
            _, actor, what = row
            half = 8 + 3.6 * len(what)
            middle = min(max(x_of[actor], half + 6), width - half - 6)
            out.append(f'<rect class="note" x="{middle - half}" y="{y - 18}" '
                       f'width="{2 * half}" height="24" rx="3"/>')
            out.append(f'<text class="middle" x="{middle}" y="{y - 2}">'
                       f"{html.escape(what)}</text>")
        else:
            out.append(f'<line class="gap" x1="10" y1="{y}" x2="{width - 10}" y2="{y}"/>')
            out.append(f'<text class="middle" x="{width / 2}" y="{y - 5}">'
                       f"{html.escape(row[1])}</text>")
        y += ROW
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: draw_sequence.py IN.seq OUT.svg")
    with open(sys.argv[1], encoding="utf-8") as file:
        title, actors, rows = parse(file.read())
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(draw(title, actors, rows))


if __name__ == "__main__":
    main()
