# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""A plot of rates as SVG: a line for each link, a mark for each protocol, log scale."""

import math
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 960, 250, 30
ROW, TOP, LEGEND_ROW = 30, 96, 20
LOW, HIGH = 2, 200  # kB/s
TICKS = [2, 5, 10, 20, 50, 100, 200]
OURS_COLOURS = ["#c0392b", "#e6a49c"]  # the last of ours; the others
# Grey for the original, else a hue for each family of protocols.
COLOURS = ["#555555", "#999999", "#1f77b4", "#2ca02c", "#98df8a", "#4fa3d8", "#9467bd",
           "#e377c2", "#ff7f0e", "#17becf"]
SHAPES = ["square", "square", "circle", "triangle", "triangle", "circle", "diamond",
          "diamond", "diamond", "circle"]


def _x(rate):
    rate = min(max(rate, LOW), HIGH)
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log(rate / LOW) / math.log(HIGH / LOW)


def _mark(shape, x, y, colour, radius=5.0):
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>'
    points = {
        "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        "triangle": [(0, -1.2), (1.1, 0.9), (-1.1, 0.9)],
        "diamond": [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
    }[shape]
    text = " ".join(f"{x + dx * radius * 0.9:.1f},{y + dy * radius * 0.9:.1f}"
                    for dx, dy in points)
    return f'<polygon points="{text}" fill="{colour}"/>'


def _text(x, y, text, anchor="start", weight="normal", colour="#222222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{colour}">{escape(text)}</text>')


def _style(names, ours):
    styles, peer = {}, 0
    for name in names:
        if name in ours:
            styles[name] = ("circle", OURS_COLOURS[name != ours[-1]], 7.5)
        else:
            styles[name] = (SHAPES[peer % len(SHAPES)], COLOURS[peer % len(COLOURS)], 5.0)
            peer += 1
    return styles


def draw(rows, labels, ours, limit):
    """rows: [(link, {name: kB/s})]; labels: {name: text}; ours: names drawn large; limit: the
    name drawn as a bar."""
    styles = _style(labels, ours)
    height = TOP + ROW * len(rows) + 40
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>']
    columns = 4
    for i, (name, label) in enumerate([*labels.items(), (limit, "limit of the link")]):
        x = 20 + (i % columns) * (WIDTH - 40) / columns
        y = 20 + (i // columns) * LEGEND_ROW
        if name == limit:
            lines.append(f'<rect x="{x - 1.5:.1f}" y="{y - 9}" width="3" height="18" '
                         'fill="#222222"/>')
        else:
            shape, colour, radius = styles[name]
            lines.append(_mark(shape, x, y, colour, radius))
        lines.append(_text(x + 14, y + 4, label, weight="bold" if name in ours else "normal"))
    bottom = TOP + ROW * len(rows)
    for tick in TICKS:
        lines.append(f'<line x1="{_x(tick):.1f}" y1="{TOP - 8}" x2="{_x(tick):.1f}" '
                     f'y2="{bottom}" stroke="#dddddd"/>')
        lines.append(_text(_x(tick), bottom + 16, f"{tick}", "middle"))
    lines.append(_text((LEFT + WIDTH - RIGHT) / 2, bottom + 32,
                       "kB/s, the erase of the flash counted inside", "middle"))
    for i, (link, rates) in enumerate(rows):
        y = TOP + ROW * i + ROW / 2 - 4
        lines.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" '
                     'stroke="#eeeeee"/>')
        lines.append(_text(LEFT - 10, y + 4, link, "end"))
        if limit in rates:
            lines.append(f'<rect x="{_x(rates[limit]) - 1.5:.1f}" y="{y - 9:.1f}" width="3" '
                         'height="18" fill="#222222"/>')
        for name in [n for n in labels if n not in ours] + list(ours):
            if rates.get(name):
                shape, colour, radius = styles[name]
                lines.append(_mark(shape, _x(rates[name]), y, colour, radius))
    lines.append("</svg>")
    return "\n".join(lines) + "\n"
