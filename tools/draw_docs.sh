#!/usr/bin/env bash
# Draws the pictures of docs/ anew: sequence diagrams from .seq, state diagrams from .dot.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for source in docs/*.seq; do
    python3 tools/draw_sequence.py "$source" "${source%.seq}.svg"
done
for source in docs/*.dot; do
    [ -e "$source" ] || continue
    # The comment and the generator's version would change with the machine.
    dot -Tsvg "$source" | sed -e '/^<!--.*-->$/d' -e '/^<!-- Generated/,/-->$/d' > "${source%.dot}.svg"
done
