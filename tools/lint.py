#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Static analysis of the sources with gcc -fanalyzer, clang-tidy and cppcheck.

    tools/lint.py BUILD [PART...]

BUILD is a build folder with compile_commands.json, configured with gcc; PART the folders, or
files, to look at. A remark is a failure unless tools/lint_answers.txt answers it; so is an
answer that answers nothing any more."""

import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys

PARTS = ["core", "device", "client", "cli", "sim", "examples", "bench", "fuzz"]
ANSWERS = "tools/lint_answers.txt"
# path:line[:column]: severity: text [check]
REMARK = re.compile(r"^([^\s:]+):(\d+):(?:\d+:)? (?:warning|error|style|performance|portability)"
                    r": (.*) \[([^\]\s]+)\]$")
DROPPED = {"-c", "-MD", "-Werror"}
TIDY_CHECKS = ",".join([
    "-*", "bugprone-*", "clang-analyzer-*", "cert-*", "misc-*", "performance-*", "portability-*",
    # Two numbers side by side are a matter of taste, not of defects.
    "-bugprone-easily-swappable-parameters",
    # <string.h> and <stdio.h> as C has them; the _s functions of Annex K do not exist here.
    "-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling",
    # POSIX names and the reserved names of ESP-IDF's own headers are not ours to choose.
    "-cert-dcl37-c", "-bugprone-reserved-identifier", "-cert-dcl51-cpp",
    # (void) says that a result is not needed; these two want every fprintf checked.
    "-cert-err33-c",
    # strtol and friends: ours check what they need to know; atoi and sscanf are not used.
    "-cert-err34-c",
    "-misc-no-recursion",  # see the compiler's -Wstack-usage and tools/stack.py
])


def commands(build):
    """One compilation for each source: a file that several targets compile is seen once."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    seen = {}
    here = os.getcwd() + os.sep
    for entry in entries:
        path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
        if path.startswith(here):
            seen.setdefault(path[len(here):], entry)
    return seen


def is_in(path, part):
    return part == "." or path == part or path.startswith(part + "/")


def select(compiled, parts):
    """Those of the parts; ends where one has none, which is a slip of the pen."""
    chosen = {}
    for part in parts:
        part = os.path.relpath(part)
        found = {path: entry for path, entry in compiled.items() if is_in(path, part)}
        if not found:
            sys.exit(f"lint: {part}: no C source of the build is there")
        chosen.update(found)
    return chosen


def flags(entry):
    words = shlex.split(entry["command"])
    while words and os.path.basename(words[0]) in ("ccache", "cc", "gcc"):
        words.pop(0)
    kept = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("-MT", "-MF", "-o"):
            skip = True
        elif word not in DROPPED and not word.endswith(".c") and not word.startswith("-O"):
            kept.append(word)
    return kept


def run(words, directory):
    done = subprocess.run(words, cwd=directory, text=True, capture_output=True, check=False)
    return done.stdout + done.stderr


def queue_header():
    """cppcheck sees no system headers; without this one's macros it stops at their use."""
    done = subprocess.run(["gcc", "-M", "-x", "c", "-"], text=True,
                          input="#include <sys/queue.h>\n",
                          capture_output=True, check=True)
    return next(word for word in done.stdout.split() if word.endswith("/sys/queue.h"))


def analyze(tool, path, entry, queues):
    here = os.getcwd()
    source = os.path.join(here, path)
    if tool == "gcc":
        text = run(["gcc", *flags(entry), "-O1", "-fanalyzer", "-c", "-o", "/dev/null", source],
                   entry["directory"])
    elif tool == "clang-tidy":
        text = run(["clang-tidy-14", "--quiet", f"--checks={TIDY_CHECKS}", source, "--",
                    *flags(entry), "-Wno-unknown-warning-option"], entry["directory"])
    else:
        defines = [word for word in flags(entry) if word.startswith(("-D", "-I"))]
        text = run(["cppcheck", "--quiet", "--enable=warning,performance,portability",
                    "--std=c11", "--suppress=missingIncludeSystem", "--inline-suppr",
                    f"--include={queues}",
                    "--template={file}:{line}: {severity}: {message} [{id}]", *defines, source],
                   entry["directory"])
    remarks = []
    for line in text.splitlines():
        match = REMARK.match(line)
        if match:
            where = os.path.normpath(os.path.join(entry["directory"], match.group(1)))
            if where.startswith(here + os.sep):
                check = match.group(4).split(",")[0]
                remarks.append((os.path.relpath(where, here), int(match.group(2)), tool,
                                check, match.group(3)))
    if tool == "gcc" and " error: " in text:
        remarks.append((path, 0, tool, "error", text.strip().splitlines()[-1]))
    return remarks


def read_answers():
    """path | check | text in the remark's line or message | reason"""
    answers = []
    with open(ANSWERS, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                fields = [field.strip() for field in line.split(" | ")]
                assert len(fields) == 4 and all(fields), f"{ANSWERS}:{number}: four fields"
                answers.append((number, *fields))
    return answers


def is_stale(where, compiled, sources, files):
    """An unused answer is, if all that it could be about was looked at, or nothing is left of it.
    A header is looked at where everything is."""
    about = [path for path in files if re.fullmatch(where, path)]
    whole = all(path in sources for path in compiled
                if any(is_in(path, part) for part in PARTS))
    return not about or all(path in sources or (path not in compiled and whole)
                            for path in about)


def main():
    build, parts = sys.argv[1], sys.argv[2:] or PARTS
    compiled = commands(build)
    sources = select(compiled, parts)
    queues = queue_header()
    answers = read_answers()
    remarks = set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(analyze, tool, path, entry, queues) for path, entry in sources.items()
                for tool in ("gcc", "clang-tidy", "cppcheck")]
        for job in jobs:
            remarks.update(job.result())
    used = set()
    open_remarks = 0
    for path, line, tool, check, text in sorted(remarks):
        with open(path, encoding="utf-8") as file:
            source = file.read().splitlines()[line - 1] if line else ""
        by = [number for number, where, what, part, _ in answers
              if re.fullmatch(where, path) and what == check and (part in source or part in text)]
        used.update(by)
        if not by:
            open_remarks += 1
            print(f"{path}:{line}: {text} [{tool}: {check}]\n    {source.strip()}")
    files = run(["git", "ls-files", "*.c", "*.h"], ".").split()
    stale = [answer for answer in answers if answer[0] not in used
             and is_stale(answer[1], compiled, sources, files)]
    for number, where, check, part, _ in stale:
        print(f"{ANSWERS}:{number}: answers nothing any more: {where} {check} {part}")
    print(f"lint: {len(sources)} files, {len(remarks)} remarks, "
          f"{len(remarks) - open_remarks} answered, {open_remarks} open")
    return 1 if open_remarks or stale else 0


if __name__ == "__main__":
    sys.exit(main())
