#!/usr/bin/env bash
# usage: build_foreign.sh BUILD COMPILER: runs the commands of docs/foreign-firmware.md as written,
# for the firmware in legacy/, and leaves fw_foreign.so and fw_foreign_sdkconfig.so in BUILD/firmware.
set -euo pipefail
build=$(realpath "$1")
compiler=$2
cd "$(dirname "${BASH_SOURCE[0]}")"
UPDRAFT=$(realpath ../..)
export UPDRAFT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp legacy/*.[ch] "$work"
printf 'CONFIG_FREERTOS_HZ=100\n# CONFIG_ESP_TASK_WDT_INIT is not set\n' > "$work/sdkconfig.defaults"
cd "$work"
# The code blocks that compile; each ends in a module of its own.
awk '/^```sh/ {inside = 1; next} /^```/ {inside = 0; print "---"; next} inside' \
    "$UPDRAFT/docs/foreign-firmware.md" |
    awk -v RS='---\n' '/module.flags/ {n++; print > ("block" n)}'
[ -e block2 ] && [ ! -e block3 ] || { echo "foreign-firmware.md: not two blocks"; exit 1; }
for block in block1 block2; do
    sed -i -e "s|^cc |$compiler |" -e "s|\"\$UPDRAFT\"/build/release|$build|" "$block"
    bash -euo pipefail "$block"
    name=fw_foreign.so
    [ "$block" = block1 ] || name=fw_foreign_sdkconfig.so
    mv fw_mine.so "$build/firmware/$name"
done
