#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the C tests that have the label "memcheck" under valgrind.

    tools/valgrind.py BUILD [NAME...]

BUILD: a build folder without sanitizers; NAME: only tests whose names have one of these. An
access to memory that nothing may access, a decision by bytes that nothing has set, and memory
that nothing leads to any more at the end are failures; so is a failing test."""

import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time

FOUND = 99  # what valgrind ends with where it found something
VALGRIND = ["valgrind", "--quiet", f"--error-exitcode={FOUND}", "--leak-check=full",
            "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"]
LIMIT_S = 600  # against what never ends; none takes a quarter of it


def tests(build, names):
    """(name, command, working directory) of each."""
    listed = subprocess.run(["ctest", "--test-dir", build, "-L", "^memcheck$",
                             "--show-only=json-v1"], check=True, text=True, capture_output=True)
    for test in json.loads(listed.stdout)["tests"]:
        if not names or any(name in test["name"] for name in names):
            folder = {prop["name"]: prop["value"] for prop in test["properties"]}.get(
                "WORKING_DIRECTORY", ".")
            yield test["name"], test["command"], folder


def run(name, command, folder):
    """How it ended, in how many seconds, and what was said."""
    started = time.monotonic()
    with tempfile.NamedTemporaryFile("r", suffix=".log") as log:
        try:
            done = subprocess.run([*VALGRIND, f"--log-file={log.name}", *command], cwd=folder,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=LIMIT_S, check=False)
            status, said = done.returncode, done.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired:
            status, said = None, f"no end within {LIMIT_S} s"
        found = log.read()
    return name, status, time.monotonic() - started, found if status == FOUND else said


def main():
    chosen = list(tests(sys.argv[1], sys.argv[2:]))
    if not chosen:
        sys.exit("valgrind: no test has that name")
    failed = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, status, seconds, said in pool.map(lambda test: run(*test), chosen):
            if status != 0:
                failed.append(name)
                print(f"{name}: {'valgrind' if status == FOUND else f'status {status}'}\n{said}")
            else:
                print(f"{name}: {seconds:.1f} s", flush=True)
    print(f"valgrind: {len(chosen)} programs, {len(failed)} with something to tell"
          f"{': ' + ' '.join(failed) if failed else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
