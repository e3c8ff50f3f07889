# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` puts into a prefix: command, library, manual, completion."""

import json
import os
import re
import shutil
import subprocess

import pytest

from simulated import ADDRESS, LIMIT_S

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


@pytest.fixture(scope="module")
def prefix(build, tmp_path_factory):
    path = tmp_path_factory.mktemp("installed") / "prefix"
    subprocess.run(["cmake", "--install", str(build), "--prefix", str(path)], check=True,
                   stdout=subprocess.DEVNULL, timeout=LIMIT_S)
    # As a package does: made in one place, used in another.
    moved = path.with_name("moved")
    shutil.move(path, moved)
    return moved


def only(folder, pattern):
    found = list(folder.rglob(pattern))
    assert len(found) == 1, (pattern, found)
    return found[0]


@pytest.fixture(scope="module")
def compile_with_library(prefix, root, tmp_path_factory):
    """Compiles the program of docs/library.md that begins with this file name."""
    folder = tmp_path_factory.mktemp("programs")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(only(prefix, "updraft.pc").parent)}
    text = (root / "docs" / "library.md").read_text(encoding="utf-8")
    programs = re.findall(r"```c\n(/\* (\w+)\.c.*?)```", text, re.S)
    assert [name for _, name in programs] == ["lister", "updater"]

    def make(name):
        source = folder / f"{name}.c"
        source.write_text(next(code for code, each in programs if each == name))
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "updraft"], check=True,
                               env=environment, text=True, stdout=subprocess.PIPE).stdout
        subprocess.run(["cc", "-std=c11", *WARNINGS, "-o", folder / name, source,
                        *flags.split()], check=True, timeout=LIMIT_S)
        return str(folder / name)
    return make


@pytest.fixture
def run_with_library(prefix):
    def run(simulated, *command):
        libraries = str(only(prefix, "libupdraft.so").parent)
        return subprocess.run(command, text=True, capture_output=True, timeout=LIMIT_S,
                              env={**simulated.environment, "LD_LIBRARY_PATH": libraries})
    return run


def test_the_installed_command_runs(prefix):
    shown = subprocess.run([prefix / "bin" / "updraft", "version"], text=True, check=True,
                           stdout=subprocess.PIPE, timeout=LIMIT_S).stdout
    version = subprocess.run(["pkg-config", "--modversion", only(prefix, "updraft.pc")],
                             text=True, check=True, stdout=subprocess.PIPE).stdout
    assert shown == f"updraft {version}"


def test_a_program_with_the_installed_library_scans(compile_with_library, run_with_library,
                                                    one_board):
    result = run_with_library(one_board, compile_with_library("lister"))
    assert result.returncode == 0, result.stderr
    assert f"{ADDRESS} esp32, can be updated\n" in result.stdout


def test_a_program_with_the_installed_library_updates(compile_with_library, run_with_library,
                                                      simulator, image):
    program = compile_with_library("updater")
    with simulator(f"esp32,image={image('1.0.0')}") as running:
        result = run_with_library(running, program, image("2.0.0"), ADDRESS)
        assert result.returncode == 0, result.stderr
        assert result.stdout.endswith("ending\nwas 1.0.0, runs 2.0.0\nconfirmed\n")
        result = run_with_library(running, program, "/dev/null")
        assert result.returncode == 6 and "the image ends before" in result.stderr


@pytest.mark.parametrize("compiler", [["c++", "-std=c++11"], ["c++", "-std=c++20"],
                                      ["cc", "-std=c99"], ["cc", "-std=c11"]])
def test_the_headers_are_clean_in_c_and_in_cpp(prefix, compiler):
    headers = sorted(path.name for path in (prefix / "include" / "updraft").iterdir())
    assert headers == ["client.h", "error.h", "info.h"]
    for header in headers:
        language = "c++" if compiler[0] == "c++" else "c"
        subprocess.run([*compiler, *WARNINGS, "-fsyntax-only", "-x", language,
                        "-I", prefix / "include", "-"], check=True, text=True,
                       input=f"#include <updraft/{header}>\n", timeout=LIMIT_S)


def test_the_library_shows_what_its_headers_declare_and_nothing_else(prefix):
    symbols = subprocess.run(["nm", "-D", "--defined-only", only(prefix, "libupdraft.so")],
                             check=True, text=True, stdout=subprocess.PIPE).stdout
    shown = {line.split()[2] for line in symbols.splitlines()}
    declared = set()
    for header in (prefix / "include" / "updraft").iterdir():
        text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.S)
        declared |= set(re.findall(r"^[a-z][\w ]*[ *](updraft_\w+)\(", text, re.M))
    assert shown == declared and len(declared) > 15


# ---- the manual ----

def help_of(updraft, *verb):
    return subprocess.run([updraft, "help", *verb], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def options_in(text):
    return set(re.findall(r"(?<![\w-])(--?[A-Za-z][\w-]*)", text))


@pytest.fixture(scope="module")
def manual(prefix):
    """The installed manual as plain text; groff's warnings are errors."""
    page = prefix / "share" / "man" / "man1" / "updraft.1"
    result = subprocess.run(["man", "--warnings=w", "-l", "-Tascii", page], text=True,
                            capture_output=True, timeout=LIMIT_S,
                            env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C"})
    assert result.returncode == 0 and result.stderr == ""
    return re.sub(r".\x08", "", re.sub(r"\x1b\[[0-9;]*m", "", result.stdout))


def test_the_manual_has_the_options_of_the_help_and_no_others(manual, updraft):
    start = manual.index("\nOPTIONS")
    options = manual[start:manual.index("\nJSON OUTPUT")]
    described = options_in("\n".join(re.findall(r"^ {5}(-.*)$", options, re.M)))
    assert described == options_in(help_of(updraft).split("Options")[1])


def test_the_manual_s_synopsis_is_that_of_each_verb(manual, updraft):
    synopsis = manual[manual.index("\nSYNOPSIS"):manual.index("\nDESCRIPTION")]
    shown = {}
    for usage in re.findall(r"^ {5}updraft (.*(?:\n {6,}.*)*)", synopsis, re.M):
        shown[usage.split()[0]] = usage
    verbs = re.findall(r"^  (\w+) .*", help_of(updraft).split("Options")[0], re.M)
    assert list(shown) == verbs
    for verb, usage in shown.items():
        helped = options_in(help_of(updraft, verb).split("Options:")[1])
        missing = helped - options_in(usage) - {"-h", "--help", "-V", "--version"}
        # Of an option with a short form, the synopsis shows that.
        assert missing <= {"--device", "--adapter", "--timeout", "--verbose", "--quiet"}
        assert options_in(usage) <= helped
        assert ("FILE" in usage) == ("FILE" in help_of(updraft, verb).splitlines()[0])


def test_the_manual_has_every_exit_status_and_event(manual, root):
    header = (root / "core/include/updraft/error.h").read_text(encoding="utf-8")
    statuses = re.findall(r"UPDRAFT_EXIT_\w+ = (\d+),", header)
    section = manual[manual.index("\nEXIT STATUS"):manual.index("\nEXAMPLES")]
    assert re.findall(r"^ {5}(\d+) ", section, re.M) == statuses
    client = (root / "client/src/flow_report.c").read_text(encoding="utf-8")
    names = client[client.index("updraft_event_name"):client.index("updraft_phase_name")]
    events = set(re.findall(r'return "(\w+)";', names)) - {"unknown"}
    section = manual[manual.index("\nJSON OUTPUT"):manual.index("\nENVIRONMENT")]
    assert events <= set(re.findall(r"^ {5}(\w+) *", section, re.M))


def fields_in(value):
    """The names of all fields of a JSON value, those of its objects too."""
    if isinstance(value, list):
        return {name for entry in value for name in fields_in(entry)}
    if isinstance(value, dict):
        return set(value) | fields_in(list(value.values()))
    return set()


def test_the_manual_has_every_field_of_the_json_output(manual, root, one_board, image):
    shown = set()
    for words in (["scan", "-t", "1"], ["info", "-d", ADDRESS], ["rollback", "-d", ADDRESS],
                  ["image", image("1.0.0")], ["version"]):
        for line in one_board.run(*words, "--json").stdout.splitlines():
            shown |= fields_in(json.loads(line))
    # And of what a virtual board never says.
    for source in ("info", "image", "job", "update", "message"):
        text = (root / f"cli/{source}.c").read_text(encoding="utf-8")
        shown |= set(re.findall(r'set_new\(\w+,\s+"(\w+)"', text))
    assert "image_id" in shown and "checksum" in shown and "image_version" in shown
    section = manual[manual.index("\nJSON OUTPUT"):manual.index("\nENVIRONMENT")]
    assert shown <= set(re.findall(r"\w+", section))
    words = (root / "client/src/words.c").read_text(encoding="utf-8")
    report = (root / "client/src/flow_report.c").read_text(encoding="utf-8")
    values = set(re.findall(r'\] = "(\w+)",', words)) | set(re.findall(r'return "(\w+)";', report))
    assert "on_trial" in values and "reverted" in values
    assert values - {"idle"} <= set(re.findall(r"\w+", section))


# ---- completion ----

@pytest.fixture
def complete(prefix, tmp_path):
    """complete("updraft", "sc") -> what bash would offer for the last word."""
    script = only(prefix / "share" / "bash-completion", "updraft")
    (tmp_path / "app.bin").touch()
    (tmp_path / "app.elf").touch()
    (tmp_path / "images").mkdir()

    def offer(*words):
        quoted = " ".join(f"'{word}'" for word in words)
        code = (f"set -u; source '{script}'; COMP_WORDS=({quoted}); "
                f"COMP_CWORD={len(words) - 1}; _updraft; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
        result = subprocess.run(["bash", "--norc", "-c", code], check=True, text=True,
                                cwd=tmp_path, capture_output=True, timeout=LIMIT_S)
        assert result.stderr == ""
        return result.stdout.split()
    return offer


def test_bash_completes_verbs_files_and_the_options_of_the_help(complete, updraft):
    verbs = re.findall(r"^  (\w+) .*", help_of(updraft).split("Options")[0], re.M)
    assert complete("updraft", "") == verbs
    assert complete("updraft", "sc") == ["scan"]
    assert complete("updraft", "help", "u") == ["update"]
    assert complete("updraft", "-q", "up") == ["update"]
    assert complete("updraft", "-d", "kitchen", "inf") == ["info"]
    for verb in verbs:
        offered = complete("updraft", verb, "-")
        assert len(offered) == len(set(offered))
        assert set(offered) == options_in(help_of(updraft, verb).split("Options:")[1])
    for verb in ("update", "image"):
        assert sorted(complete("updraft", verb, "")) == ["app.bin", "images"]
    assert complete("updraft", "scan", "") == []
    assert complete("updraft", "info", "--timeout", "") == []


def test_bash_has_been_told_who_completes_updraft(prefix):
    script = only(prefix / "share" / "bash-completion", "updraft")
    shown = subprocess.run(["bash", "--norc", "-c", f"source '{script}'; complete -p updraft"],
                           check=True, text=True, stdout=subprocess.PIPE).stdout
    assert shown == "complete -F _updraft updraft\n"
