#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Makes one defect at a time in a copy of the sources, and sees whether the tests notice; in
as many copies side by side as there are processors.

Usage: run.py FOLDER [WORD]...   (only defects whose name has one of the words)
Ends with status 1 where a defect goes unnoticed, with 2 where one does not apply any more.
"""

import concurrent.futures
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import time

from table import MUTANTS

JOBS = os.cpu_count() or 1
# What a defect may make endless ends after this.
TEST_LIMIT_S = "180"


def fail(text):
    print(f"mutants: {text}", file=sys.stderr)
    sys.exit(2)


def copy_tree(tree):
    """The files as they are, changed ones too; leaves those that are equal alone."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True,
                            text=True, capture_output=True).stdout.split("\n")
    wanted = {name for name in listed if name and os.path.isfile(name)}
    for name in sorted(wanted):
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source = pathlib.Path(name).read_bytes()
        if not target.exists() or target.read_bytes() != source:
            shutil.copy(name, target)
    for path in tree.rglob("*"):
        if path.is_file() and str(path.relative_to(tree)) not in wanted:
            path.unlink()


def check_table(tree):
    wrong = []
    for name, tests, changes in MUTANTS:
        if not tests:
            wrong.append(f"'{name}' names no test")
        for path, before, after in changes:
            count = (tree / path).read_text(encoding="utf-8").count(before)
            if count != 1 or before == after:
                wrong.append(f"'{name}': found {count} times in {path}: {before!r}")
    if wrong:
        fail("these do not apply any more:\n  " + "\n  ".join(wrong))


def build(build_dir, targets):
    """Returns what the compiler says where it fails."""
    made = subprocess.run(["ninja", "-C", str(build_dir), "-j1", *targets], text=True,
                          capture_output=True)
    return None if made.returncode == 0 else made.stdout[-3000:]


def target_of(test):
    """explore_2_2 and its like are one program."""
    return "explore" if test.startswith("explore_") else test


def first_failing(build_dir, tests):
    """The first of these tests that fails; None: all pass."""
    for test in tests:
        ran = subprocess.run(["ctest", "--test-dir", str(build_dir), "-R", f"^{test}$",
                              "--timeout", TEST_LIMIT_S, "--no-tests=error"],
                             text=True, capture_output=True)
        if ran.returncode != 0:
            return test
    return None


def any_failing(build_dir):
    ran = subprocess.run(["ctest", "--test-dir", str(build_dir), "--stop-on-failure",
                          "--timeout", TEST_LIMIT_S],
                         text=True, capture_output=True)
    if ran.returncode == 0:
        return None
    failed = [line.split(" - ")[1].split(" ")[0] for line in ran.stdout.splitlines()
              if " - " in line and ("(Failed)" in line or "(Timeout)" in line or
                                    "(ILLEGAL)" in line or "Exception" in line or
                                    "aborted" in line)]
    return failed[0] if failed else "a test"


def apply(tree, changes):
    """Returns the files as they were."""
    before = {}
    for path, text, replacement in changes:
        file = tree / path
        content = file.read_text(encoding="utf-8")
        before.setdefault(file, content)
        file.write_text(content.replace(text, replacement), encoding="utf-8")
    return before


def prepare(folder, tests):
    """A copy of the sources whose tests pass, and where it is built."""
    tree, build_dir = folder / "tree", folder / "build"
    copy_tree(tree)
    check_table(tree)
    subprocess.run(["cmake", "-S", str(tree), "-B", str(build_dir), "-G", "Ninja",
                    "-DUPDRAFT_TESTS=ON"], check=True, stdout=subprocess.DEVNULL)
    problem = build(build_dir, sorted({target_of(test) for test in tests}))
    if problem:
        fail(f"the sources do not build:\n{problem}")
    return tree, build_dir


def try_mutant(tree, build_dir, mutant):
    """Which test caught it; None: none did."""
    name, tests, changes = mutant
    before = apply(tree, changes)
    try:
        problem = build(build_dir, sorted({target_of(test) for test in tests}))
        if problem:
            fail(f"'{name}' does not build:\n{problem}")
        caught = first_failing(build_dir, tests)
        if caught is None:
            problem = build(build_dir, [])
            if problem:
                fail(f"'{name}' does not build:\n{problem}")
            caught = any_failing(build_dir)
        return caught
    finally:
        for file, content in before.items():
            file.write_text(content, encoding="utf-8")


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    words = sys.argv[2:]
    chosen = [m for m in MUTANTS if not words or any(word in m[0] for word in words)]
    tests = sorted({test for mutant in chosen for test in mutant[1]})
    width = max(len(mutant[0]) for mutant in chosen)
    copies = queue.Queue()  # of those that nobody works in

    def try_in_a_copy(mutant):
        copy = copies.get()
        started = time.monotonic()
        try:
            return try_mutant(*copy, mutant), time.monotonic() - started
        finally:
            copies.put(copy)

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for copy in pool.map(lambda at: prepare(folder / str(at), tests),
                             range(min(JOBS, len(chosen)))):
            copies.put(copy)
        failing = first_failing(copy[1], tests)
        if failing:
            fail(f"{failing} fails without any defect")
        missed = 0
        for mutant, (caught, took_s) in zip(chosen, pool.map(try_in_a_copy, chosen)):
            missed += caught is None
            print(f"{mutant[0]:{width}}  {'caught by ' + caught if caught else 'NOT CAUGHT'}"
                  f"  ({took_s:.0f} s)", flush=True)
    print(f"{len(chosen)} defects, {len(chosen) - missed} caught, {missed} not")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
