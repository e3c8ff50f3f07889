#!/usr/bin/env bash
# Prints what the engine takes on a chip: bytes by file and in all, for rv32imc at -Os. Linked into a
# firmware it takes less: what is not called falls away.
# usage: size.sh [OBJECT...]   (without objects, compiles core/ for it)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PREFIX=${UPDRAFT_RISCV_PREFIX:-riscv64-unknown-elf-}
command -v "${PREFIX}gcc" > /dev/null || {
    echo "size.sh: ${PREFIX}gcc is missing (Debian: gcc-riscv64-unknown-elf)" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# -eq 0 ]; then
    for source in core/src/*.c; do
        "${PREFIX}gcc" -std=c11 -march=rv32imc -mabi=ilp32 -Os -ffreestanding \
            -ffunction-sections -fdata-sections -Icore/include \
            -c "$source" -o "$work/$(basename "$source" .c).o"
    done
    set -- "$work"/*.o
fi
# Sections of the object format, added up by what they become: code, constants, data, zeros.
"${PREFIX}size" -A "$@" | awk '
    function row(name, text, rodata, data, bss) {
        printf "%-20s %7s %8s %6s %6s %7s\n", name, text, rodata, data, bss,
            (name == "") ? "total" : text + rodata + data + bss
    }
    function flush_file() {
        if (file == "") return
        row(file, text, rodata, data, bss)
        texts += text; rodatas += rodata; datas += data; bsses += bss
        text = rodata = data = bss = 0
    }
    BEGIN { row("", ".text", ".rodata", ".data", ".bss") }
    /:$/ || / :$/ { flush_file(); file = $1; sub(/:$/, "", file); sub(/.*\//, "", file) }
    $1 ~ /^\.text/ { text += $2 }
    $1 ~ /^\.s?rodata/ { rodata += $2 }
    $1 ~ /^\.s?data/ { data += $2 }
    $1 ~ /^\.s?bss/ { bss += $2 }
    END { flush_file(); row("total", texts, rodatas, datas, bsses) }
'
