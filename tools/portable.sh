#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
# portable.sh: builds the engine and its tests for a 32-bit, a big-endian and a 32-bit big-endian
# machine, and runs them, and the fuzz corpus of device and client, under qemu-user.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

FLAGS=(-std=gnu11 -O1 -g -static -D_FILE_OFFSET_BITS=64 -Wall -Wextra -Werror -I. -Icore/include -Itests/portable
    -Ibuild/portable/include)
mkdir -p build/portable/include/psa
echo '#include "tests/portable/hash.h"' > build/portable/include/psa/crypto.h
tests=0
# test NAME SOURCE...
test_one() {
    local name=$1
    shift
    "$compiler" "${FLAGS[@]}" "$@" "$objects"/*.o -o "$folder/$name"
    "$emulator" "$folder/$name" "${arguments[@]}" > "$folder/$name.log" 2>&1 || {
        cat "$folder/$name.log" >&2
        echo "$name fails on $machine" >&2
        exit 1
    }
    tests=$((tests + 1))
}

# machine COMPILER EMULATOR
machine() {
    local machine=${1%-gcc} compiler=$1 emulator=$2 folder objects source name arguments=()
    folder=build/portable/$machine
    objects=$folder/engine
    rm -rf "$folder"
    mkdir -p "$objects"
    for source in core/src/*.c sim/base/random.c tests/unit/image_maker.c tests/unit/ram_port.c \
        tests/portable/sha256.c; do
        "$compiler" "${FLAGS[@]}" -c "$source" -o "$objects/$(basename "$source" .c).o"
    done
    local unit=tests/unit
    for name in client_command2 client_session device_commands2 device_erase device_faults \
        device_protocol2 device_session device_wear error image otadata sessions; do
        test_one "$name" "$unit/test_$name.c"
    done
    for name in client_session2 client_silence2 client_sectors2; do
        test_one "$name" "$unit/test_$name.c" $unit/client2_script.c
    done
    test_one client_link2 $unit/test_client_link2.c $unit/device2_model.c $unit/link2_fixture.c
    test_one sessions2 $unit/test_sessions2.c $unit/link2_fixture.c
    for name in device client; do
        arguments=("fuzz/corpus/$name")
        test_one "fuzz_$name" "fuzz/fuzz_$name.c" fuzz/replay.c
    done
    echo "$machine: passed"
}

machine arm-linux-gnueabihf-gcc qemu-arm
machine s390x-linux-gnu-gcc qemu-s390x
machine mips-linux-gnu-gcc qemu-mips
echo "$tests programs passed"
