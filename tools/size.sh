#!/usr/bin/env bash
# Prints what updraft takes on a chip, compiled for rv32imc at -Os: the engine's sources by
# themselves, then engine and NimBLE's side linked as a firmware links them (what is not called
# falls away), their RAM, and the deepest stack of their own functions. ESP-IDF, NimBLE and the
# C library are not counted.
# usage: size.sh [OBJECT...]   (objects: their sections alone)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PREFIX=${UPDRAFT_RISCV_PREFIX:-riscv64-unknown-elf-}
LIBC=${UPDRAFT_RISCV_LIBC:-/usr/lib/picolibc/riscv64-unknown-elf/include}
# The budgets.
FLASH_MAX=16384
RAM_MAX=24576
# FreeRTOS's task control block on a chip, rounded up: most of it is the C library's.
TASK_BLOCK=352
flags=()
command -v "${PREFIX}gcc" > /dev/null || {
    echo "size.sh: ${PREFIX}gcc is missing (Debian: gcc-riscv64-unknown-elf)" >&2
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Sections of the object format, added up by what they become: code, constants, data, zeros.
table() {
    "${PREFIX}size" -A "$@" | awk '
    function row(name, text, rodata, data, bss) {
        printf "%-28s %7s %8s %6s %6s %7s\n", name, text, rodata, data, bss,
            (name == "") ? "total" : text + rodata + data + bss
    }
    function flush_file() {
        if (file == "") return
        row(file, text, rodata, data, bss)
        texts += text; rodatas += rodata; datas += data; bsses += bss
        text = rodata = data = bss = 0
        files++
    }
    BEGIN { row("", ".text", ".rodata", ".data", ".bss") }
    /:$/ || / :$/ { flush_file(); file = $1; sub(/:$/, "", file); sub(/.*\//, "", file) }
    $1 ~ /^\.text/ { text += $2 }
    $1 ~ /^\.s?rodata/ { rodata += $2 }
    $1 ~ /^\.s?data/ { data += $2 }
    $1 ~ /^\.s?bss/ { bss += $2 }
    END { flush_file(); if (files > 1) row("total", texts, rodatas, datas, bsses) }
'
}

compile() {
    local source=$1 object=$2
    shift 2
    "${PREFIX}gcc" -std=gnu11 -march=rv32imc -mabi=ilp32 -Os -ffunction-sections -fdata-sections \
        -Icore/include "$@" -fcallgraph-info=su -c "$source" -o "$object"
}

# The chip's side against the simulator's headers, with the settings of the example. NAME: of the
# linked object; the rest: lines of sdkconfig.
link_firmware() {
    local name=$1 source
    shift
    printf '%s\n' "$@" > "$work/more"
    cmake -D "UPDRAFT_OUTPUT=$work/sdkconfig.h" -D "UPDRAFT_KCONFIG=Kconfig" \
        -D "UPDRAFT_DEFAULTS=examples/minimal/sdkconfig.defaults;$work/more" \
        -P device/kconfig.cmake
    mkdir "$work/$name"
    for source in core/src/*.c device/src/*.c; do
        compile "$source" "$work/$name/$(tr / - <<< "$source").o" -isystem "$LIBC" \
            "${flags[@]}" -I"$work/include" -Isim/idf/include -Isim/nimble/include -Idevice/include -Idevice/src \
            -DESP_PLATFORM=1 -DUPDRAFT_SDKCONFIG="\"$work/sdkconfig.h\""
    done
    "${PREFIX}ld" -m elf32lriscv -r --gc-sections -e updraft_start -u updraft_on_trial \
        -u updraft_marker -o "$work/$name.o" "$work/$name"/*.o
}

# The host has its own Mbed TLS; this one is as large as ESP-IDF's for chips with SHA hardware.
write_mbedtls() {
    mkdir -p "$work/include/mbedtls"
    cat > "$work/include/mbedtls/sha256.h" << 'HEADER'
#pragma once
#include <stddef.h>
typedef struct { unsigned total[2], state[8]; unsigned char buffer[64]; int first, mode, kind; }
    mbedtls_sha256_context;
void mbedtls_sha256_init(mbedtls_sha256_context *ctx);
void mbedtls_sha256_free(mbedtls_sha256_context *ctx);
int mbedtls_sha256_starts(mbedtls_sha256_context *ctx, int is224);
int mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *input, size_t ilen);
int mbedtls_sha256_finish(mbedtls_sha256_context *ctx, unsigned char *output);
HEADER
}

sum() { # PATTERN OBJECT: bytes of the sections
    "${PREFIX}size" -A "$2" | awk -v pattern="$1" '$1 ~ pattern { sum += $2 } END { print sum + 0 }'
}

judge() { # WHAT BYTES LIMIT
    printf '%s: %d of %d bytes%s\n' "$@" "$([ "$2" -le "$3" ] || echo ": over the budget")"
}

if [ $# -gt 0 ]; then
    table "$@"
    exit
fi
mkdir "$work/core"
for source in core/src/*.c; do
    compile "$source" "$work/core/$(basename "$source" .c).o" -ffreestanding
done
table "$work"/core/*.o
if [ ! -f "$LIBC/stdio.h" ]; then
    echo "size.sh: no C library headers in $LIBC (Debian: picolibc-riscv64-unknown-elf):" \
        "engine only" >&2
    exit
fi
echo
write_mbedtls
link_firmware as-shipped
# What the budget is about: errors alone are logged, assertions do not stop.
flags=(-DNDEBUG)
link_firmware least CONFIG_LOG_MAXIMUM_LEVEL=1 CONFIG_UPDRAFT_ERROR_MESSAGES=n
table "$work/as-shipped.o" "$work/least.o" | sed '/^total/d'
echo
judge "flash, least (.text and .rodata)" \
    "$(sum '^[.](text|s?rodata)' "$work/least.o")" "$FLASH_MAX"
# The task's stack is in .bss, too. Its control block has 16 bytes in the simulator's header.
judge "RAM, with ring and task stack" \
    "$(($(sum '^[.]s?(data|bss)' "$work/as-shipped.o") + TASK_BLOCK - 16))" "$RAM_MAX"
tools/stack.py "$work/as-shipped"
