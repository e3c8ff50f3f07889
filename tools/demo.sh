#!/usr/bin/env bash
# The 60-second demonstration: a virtual ESP32 is updated by the real command over an emulated
# BlueZ. usage: tools/demo.sh BUILD_DIRECTORY
set -euo pipefail
build=$(realpath "$1")
self=$(realpath "${BASH_SOURCE[0]}")
export PATH="$build/cli:$build/sim/tool:$PATH"

if [ "${2:-}" != inside ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    updraft-sim image --firmware minimal --version 1.0.0 --chip esp32 --size 256K \
        -o app-1.0.0.bin
    updraft-sim image --firmware minimal --version 1.1.0 --chip esp32 --size 256K --seed 2 \
        -o app-1.1.0.bin
    printf '%s\n' "Two ESP32 images are made. A virtual ESP32 starts with app-1.0.0.bin in its factory" \
        "partition; its flash takes the time that a real one takes. No radio: this link is ideal."
    updraft-sim --board esp32,image=app-1.0.0.bin --air ideal --flash typical -- \
        "$self" "$build" inside
    exit
fi

show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

show updraft scan
show updraft info
show updraft update app-1.1.0.bin
show updraft info
printf '\nThe board'"'"'s own log of its restart (updraft-sim log esp32):\n'
updraft-sim log esp32 | tail -n 14
