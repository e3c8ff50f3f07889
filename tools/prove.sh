#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
# prove.sh: Frama-C's Eva on the wire codec and the image parser, for a 32-bit machine. Fails where
# an access, a conversion or a checked promise may go wrong that was not known to before.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# prove NAME UNPROVEN OPTION...: UNPROVEN of the engine's own checks stay open (docs/reliability.md)
prove() {
    local name=$1 unproven=$2 log=build/prove-$1.log open
    shift 2
    frama-c -c11 -eva -eva-no-show-progress -machdep gcc_x86_32 -eva-precision 1 \
        "-cpp-extra-args=-Icore/include -Icore/src -Iproof" "$@" "proof/$name.c" > "$log" 2>&1 || {
        tail -20 "$log" >&2
        exit 1
    }
    sed -n '/ANALYSIS SUMMARY/,$p' "$log" | grep -E 'alarms generated|Assertions|Preconditions'
    open=$(grep -A1 'eva:alarm' "$log" | grep -c 'engine_check' || true)
    if ! grep -q '^  0 alarms generated' "$log" || [ "$open" != "$unproven" ] ||
        [ "$(grep -c 'eva:alarm' "$log")" != "$unproven" ]; then
        grep -A2 'eva:alarm' "$log" >&2
        exit 1
    fi
    echo "$name: no run-time error; $unproven of the engine's own checks not proven"
}

mkdir -p build
prove codec 0 -eva-slevel 20000 -eva-slevel-function updraft_crc32:0
prove image 2 -eva-slevel 5000 -eva-slevel-function pass_over:20
