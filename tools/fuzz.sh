#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh SECONDS [TARGET...]: runs the fuzz targets of build/fuzz, each for so long.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=$1
shift
[ $# -gt 0 ] || set -- image device client otadata att
failed=""
for target; do
    mkdir -p "build/fuzz-corpus/$target"
    echo "== $target: $seconds s" >&2
    # What a test throws away at its end is no leak; an assertion that fails is a finding.
    ASAN_OPTIONS=detect_leaks=0 CMOCKA_TEST_ABORT=1 "build/fuzz/fuzz/fuzz_$target" \
        "-max_total_time=$seconds" -dict=fuzz/protocol.dict -max_len=4096 \
        -print_final_stats=1 "-artifact_prefix=build/fuzz-corpus/$target-" \
        "build/fuzz-corpus/$target" "fuzz/corpus/$target" \
        > "build/fuzz-corpus/$target.log" 2>&1 || failed+=" $target"
    grep -aE '^stat::(number|average)|does not hold|ERROR:|Test unit written' \
        "build/fuzz-corpus/$target.log" || true
done
[ -z "$failed" ] || {
    echo "found something:$failed; see build/fuzz-corpus/TARGET.log; what was found is" \
        "replayed by build/fuzz/fuzz/fuzz_TARGET INPUT" >&2
    exit 1
}
