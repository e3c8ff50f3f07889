#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
# coverage.sh GCOVR: runs the engine's tests and the fuzz corpus in build/coverage, and prints which
# branches of core/ they take. Fails under 95 %.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find build/coverage -name '*.gcda' -delete
ctest --test-dir build/coverage --output-on-failure -j "$(nproc)" -L engine > build/coverage.log || {
    cat build/coverage.log >&2
    exit 1
}
# The other side of a CHECK is a defect of the engine itself: no test may take it.
"$1" --root . --filter core/src/ build/coverage/core --txt-metric branch \
    --exclude-branches-by-pattern '.*\bCHECK\(.*' --json build/coverage/branches.json \
    --fail-under-branch 95 --txt -
python3 - build/coverage/branches.json << 'END'
import json, sys
print("\nNever taken:")
for file in json.load(open(sys.argv[1]))["files"]:
    source = open(file["file"]).read().splitlines()
    for line in file["lines"]:
        text = source[line["line_number"] - 1].strip()
        branches = line.get("branches", [])
        missing = sum(1 for branch in branches if branch["count"] == 0)
        if missing and "CHECK(" not in text:
            print(f"  {file['file']}:{line['line_number']}: {missing} of {len(branches)}: {text}")
END
