#!/usr/bin/env bash
# Prints what updraft takes on a chip: flash by part, RAM, and the deepest stack of its own functions.
# Engine and chip's side are compiled for rv32imc as ESP-IDF compiles for size, and linked as a
# firmware is: what is not called falls away, and calls within reach become short. ESP-IDF, NimBLE
# and the C library are not counted.
# usage: size.sh [--json]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PREFIX=${UPDRAFT_RISCV_PREFIX:-riscv64-unknown-elf-}
LIBC=${UPDRAFT_RISCV_LIBC:-/usr/lib/picolibc/riscv64-unknown-elf/include}
# ESP-IDF's with CONFIG_COMPILER_OPTIMIZATION_SIZE, for every component.
CFLAGS=(-std=gnu11 -march=rv32imc -mabi=ilp32 -Os -freorder-blocks -fno-jump-tables
    -fno-tree-switch-conversion -fstrict-volatile-bitfields -ffunction-sections -fdata-sections)
# Errors alone are logged, assertions do not stop: what the budget is about.
LEAST=(CONFIG_LOG_MAXIMUM_LEVEL=1 CONFIG_UPDRAFT_ERROR_MESSAGES=n)
ENTRY=(-e updraft_start -u updraft_on_trial -u updraft_marker)
# Functions that lie in the chip's ROM or in IRAM, out of reach of a short call from flash.
FAR='mem(cpy|move|set|cmp)|str.*|__.*|esp_rom_.*|v(Task|Port).*|[xu].*(Task|Notify).*|esp_timer_.*'

for tool in "${PREFIX}gcc:gcc-riscv64-unknown-elf" "$LIBC/stdio.h:picolibc-riscv64-unknown-elf"; do
    [ -e "${tool%:*}" ] || command -v "${tool%:*}" > /dev/null || {
        echo "size.sh: ${tool%:*} is missing (Debian: ${tool#*:})" >&2
        exit 1
    }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The host has its own Mbed TLS; this one is as large as ESP-IDF's for chips with SHA hardware.
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
# An ESP32-C3's addresses. There is no global pointer: few of a firmware's variables are near it.
cat > "$work/chip.ld" << 'SCRIPT'
SECTIONS {
    .text 0x42000020 : { *(.text .text.*) }
    .rodata 0x3C080020 : { *(.rodata_custom_desc .rodata .rodata.* .srodata .srodata.*) }
    .data 0x3FC90000 : { *(.data .data.* .sdata .sdata.*) }
    .bss : { *(.bss .bss.* .sbss .sbss.* COMMON) }
}
SCRIPT

link() { # NAME MAP OPTION...
    "${PREFIX}ld" -m elf32lriscv --gc-sections "${ENTRY[@]}" -T "$work/chip.ld" -Map "$2" \
        "${@:3}" -o "$work/$1/firmware" "$work/$1"/*.o
}

# build NAME FLAGS [SETTING...]: NAME.map, NAME-compiled.map (calls as long as the compiler leaves
# them), and the call graphs in the folder NAME. Compiled against the simulator's headers, with the
# example's settings; SETTING: lines of sdkconfig beside them.
build() {
    local name=$1 flags=$2 source symbol
    shift 2
    mkdir "$work/$name"
    printf '%s\n' "$@" > "$work/$name/more"
    cmake -D "UPDRAFT_OUTPUT=$work/$name/sdkconfig.h" -D "UPDRAFT_KCONFIG=Kconfig" \
        -D "UPDRAFT_DEFAULTS=examples/minimal/sdkconfig.defaults;$work/$name/more" \
        -P device/kconfig.cmake
    for source in core/src/*.c device/src/*.c; do
        # shellcheck disable=SC2086 # several flags
        "${PREFIX}gcc" "${CFLAGS[@]}" $flags -isystem "$LIBC" -I"$work/include" -Icore/include \
            -Isim/idf/include -Isim/nimble/include -Idevice/include -Idevice/src -DESP_PLATFORM=1 \
            -DUPDRAFT_SDKCONFIG="\"$work/$name/sdkconfig.h\"" -fcallgraph-info=su \
            -c "$source" -o "$work/$name/$(basename "$source" .c).o"
    done
    "${PREFIX}ld" -m elf32lriscv -r --gc-sections "${ENTRY[@]}" -o "$work/$name/whole" \
        "$work/$name"/*.o
    local foreign=()
    while read -r symbol; do
        if [[ $symbol =~ ^($FAR)$ ]]; then
            foreign+=("--defsym=$symbol=0x40380000")
        else
            foreign+=("--defsym=$symbol=0x42080000")
        fi
    done < <("${PREFIX}nm" -u "$work/$name/whole" | awk '{ print $2 }')
    link "$name" "$work/$name.map" "${foreign[@]}"
    link "$name" "$work/$name-compiled.map" "${foreign[@]}" --no-relax
}

build least -DNDEBUG "${LEAST[@]}" &
build shared "-DNDEBUG -msave-restore" "${LEAST[@]}" &
build shipped "" &
for job in $(jobs -p); do
    wait "$job"
done
tools/stack.py "$work/shipped" > "$work/stack"
tools/size_table.py "$work" "$@"
