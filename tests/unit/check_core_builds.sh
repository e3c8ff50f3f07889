#!/usr/bin/env bash
# The engine needs nothing but a compiler: it builds freestanding for the host and for rv32imc, asks
# the linker for nothing but the four functions that every compiler may call, keeps no data of its
# own, and its headers can be used from C99 and C++.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
WARNINGS=(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wundef
    -Wvla -Wconversion -Wno-sign-conversion -Werror)
RISCV=riscv64-unknown-elf-
problems=0
complain() {
    echo "core: $*"
    problems=$((problems + 1))
}

# build NAME COMPILER...: compiles every source, looks at what it asks for.
build() {
    local name=$1 source nm
    shift
    mkdir "$work/$name"
    for source in core/src/*.c; do
        "$@" -std=c11 -ffreestanding -Icore/include "${WARNINGS[@]}" -c "$source" \
            -o "$work/$name/$(basename "$source" .c).o" || complain "$source: $name fails"
    done
    case $name in
    rv32imc*) nm=${RISCV}nm ;;
    *) nm=nm ;;
    esac
    "$nm" -g "$work/$name"/*.o > "$work/$name.symbols"
    awk 'NF == 2 && $1 == "U" {print $NF}' "$work/$name.symbols" | sort -u > "$work/$name.wanted"
    awk 'NF == 3 {print $NF}' "$work/$name.symbols" | sort -u \
        > "$work/$name.given"
    local foreign
    foreign=$(comm -23 "$work/$name.wanted" "$work/$name.given" |
        grep -vxE 'memcpy|memmove|memset|memcmp' || true)
    [ -z "$foreign" ] || complain "$name asks for: $foreign"
    foreign=$(grep -v '^updraft_' "$work/$name.given" || true)
    [ -z "$foreign" ] || complain "$name offers names that are not its own: $foreign"
    foreign=$("$nm" "$work/$name"/*.o | awk '$2 ~ /^[bBdDgGsSC]$/ {print $3}')
    [ -z "$foreign" ] || complain "$name keeps data: $foreign"
}

build cc "${CC:-cc}" -O2 -fno-pie
build cc-ndebug "${CC:-cc}" -O2 -fno-pie -DNDEBUG
build rv32imc ${RISCV}gcc -march=rv32imc -mabi=ilp32 -Os
build rv32imc-ndebug ${RISCV}gcc -march=rv32imc -mabi=ilp32 -Os -DNDEBUG

for header in core/include/updraft/*.h; do
    name=$(basename "$header")
    echo "#include \"updraft/$name\"" > "$work/header.c"
    cp "$work/header.c" "$work/header.cpp"
    "${CC:-cc}" -std=c99 -pedantic -Wall -Wextra -Werror -Icore/include -fsyntax-only \
        "$work/header.c" || complain "$name is not C99"
    "${CXX:-c++}" -std=c++11 -pedantic -Wall -Wextra -Werror -Icore/include -fsyntax-only \
        "$work/header.cpp" || complain "$name is not C++"
done

[ "$problems" = 0 ]
