#!/usr/bin/env bash
# Draws the pictures of docs/ anew: sequence diagrams from .seq, state diagrams from .dot.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for source in docs/*.seq; do
    python3 tools/draw_sequence.py "$source" "${source%.seq}.svg"
done
# The state diagrams are made of the tables that the sessions obey.
mkdir -p build
"${CC:-cc}" -std=c11 -I. tools/print_states.c -o build/print_states
for session in device client client2; do
    build/print_states "$session" > "docs/$session-session.dot"
done
for source in docs/*.dot; do
    [ -e "$source" ] || continue
    # The comment and the generator's version would change with the machine.
    dot -Tsvg "$source" | sed -e '/^<!--.*-->$/d' -e '/^<!-- Generated/,/-->$/d' > "${source%.dot}.svg"
done
