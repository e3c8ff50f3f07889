# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The command line itself: what is wrong with it, help, and where output goes."""

import json
import os
import pathlib
import re
import subprocess

import pytest

VERBS = ["scan", "info", "update", "activate", "confirm", "rollback", "image", "help", "version"]


@pytest.fixture
def run(updraft, tmp_path):
    """The command where there is no message bus."""
    environment = {**os.environ,
                   "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/there-is-none"}

    def call(*words, **more):
        more.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([updraft, *words], env=environment, timeout=20,
                              stderr=subprocess.PIPE, **more)
    return call


@pytest.mark.parametrize("words, said", [
    ([], "there is no verb; see updraft help"),
    (["updte"], "there is no verb 'updte'; the nearest is 'update'"),
    (["scna"], "the nearest is 'scan'"),
    (["inof"], "the nearest is 'info'"),
    (["frobnicate"], "there is no verb 'frobnicate'; see"),
    (["help", "scna"], "the nearest is 'scan'"),
    (["scan", "--jsn"], "there is no option --jsn; the nearest is --json; see updraft help scan"),
    (["scan", "--vers"], "the nearest is --version"),
    (["update", "--devcie=x"], "the nearest is --device"),
    (["scan", "--frobnicate"], "there is no option --frobnicate; see"),
    (["scan", "--" + "x" * 300], "there is no option --xxx"),
    (["image", "--devcie=x"], "there is no option --devcie; see"),
    (["scan", "-x"], "there is no option -x"),
    (["scan", "--device=a"], "scan has no option --device"),
    (["image", "--force", "f"], "image has no option --force"),
    (["update"], "update takes FILE"),
    (["update", "a", "b"], "update takes one argument, but there is also 'b'"),
    (["scan", "a"], "scan takes no argument, but there is 'a'"),
    (["info", "--device"], "--device takes NAME|ADDRESS"),
    (["info", "--device="], "--device is empty"),
    (["info", "-d"], "-d takes NAME|ADDRESS"),
    (["info", "-d", "x" * 249], "--device takes a name of at most 248 bytes"),
    (["info", "-a", ""], "--adapter is empty; it takes NAME"),
    (["info", "-a", "/dev/hci0"], "--adapter takes a name such as hci0, not '/dev/hci0'"),
    (["info", "--json=yes"], "--json takes no value"),
    (["info", "-q", "-v"], "--quiet and --verbose exclude each other"),
    *[(["scan", "--timeout", text], f"--timeout takes 0.1 to 3600 seconds, not '{text}'")
      for text in ("0", "-1", "x", "1x", "nan", "inf", "3601", "1e9")],
])
def test_a_wrong_command_line_is_explained(run, words, said):
    result = run(*words)
    stderr = result.stderr.decode()
    assert result.returncode == 2 and result.stdout == b""
    assert re.fullmatch(r"updraft: [^\n]+; see updraft help[^\n]*\n", stderr)
    assert said in stderr


@pytest.mark.parametrize("words, verb", [(["--json"], None), (["scan", "--json", "--jsn"], "scan"),
                                         (["update", "--jsn", "--json"], "update")])
def test_a_wrong_command_line_is_json_too(run, words, verb):
    result = run(*words)
    line = json.loads(result.stdout)
    assert result.returncode == 2 and result.stdout.count(b"\n") == 1
    assert line.pop("message") and line.pop("advice").startswith("see updraft help")
    assert line == {"schema": 1, "event": "finished", "verb": verb, "code": "usage", "exit": 2,
                    "retry": False}


def test_arguments_that_are_not_utf8_do_no_harm(run):
    result = run(b"scan", b"--json", b"\xff\xfe")
    assert result.returncode == 2
    assert json.loads(result.stdout)["code"] == "usage"
    result = run(b"image", b"--json", b"/\xff\xfe")
    assert result.returncode == 6
    line = json.loads(result.stdout)
    assert (line["code"], line["message"]) == ("file", "/??: No such file or directory")


def test_control_characters_of_arguments_do_not_reach_the_terminal(run, image, tmp_path):
    name = "\033]0;owned\007\u009b31m\u202e.bin"
    for words in ([name], ["image", name], ["scan", "--" + name], ["scan", "-t", name]):
        stderr = run(*words).stderr.decode()
        assert "owned" in stderr and re.fullmatch(r"[ -~]*\n", stderr)
    hostile = tmp_path / name
    hostile.write_bytes(pathlib.Path(image("1.0.0")).read_bytes())
    assert re.fullmatch(r"[ -~\n]*", run("update", str(hostile)).stderr.decode())


def test_words_after_two_hyphens_are_no_options(run):
    result = run("image", "--", "--json")
    assert result.returncode == 6
    assert result.stderr.decode() == "updraft: --json: No such file or directory; give the path " \
        "of an image, such as the build writes (build/NAME.bin)\n"


def test_help_is_asked_for_in_three_ways(run):
    whole = run("help")
    assert whole.returncode == 0 and whole.stderr == b""
    assert whole.stdout == run("--help").stdout == run("-h").stdout
    for verb in VERBS:
        assert f"\n  {verb} " in whole.stdout.decode()
        one = run("help", verb)
        assert one.returncode == 0 and one.stderr == b""
        assert one.stdout.decode().startswith(f"usage: updraft {verb}")
        if verb != "help":
            assert one.stdout == run(verb, "--help").stdout == run(verb, "-h").stdout


def test_the_version_is_that_of_the_project(run, root):
    cmake = (root / "CMakeLists.txt").read_text(encoding="utf-8")
    version = re.search(r"project\(updraft VERSION (\S+)", cmake).group(1)
    for words in (["version"], ["--version"], ["-V"], ["scan", "-V"]):
        assert run(*words).stdout.decode() == f"updraft {version}\n"
    assert json.loads(run("version", "--json").stdout) == {
        "schema": 1, "event": "version", "version": version}


def test_every_error_comes_with_what_to_do(root):
    table = (root / "core/include/updraft/error.h").read_text(encoding="utf-8")
    messages = (root / "cli/message.c").read_text(encoding="utf-8")
    errors = re.findall(r"^    X\((\w+),", table, re.M)
    advised = set(re.findall(r"\{UPDRAFT_ERROR_(\w+),", messages)) | \
        set(re.findall(r"status == UPDRAFT_ERROR_(\w+)", messages))
    assert len(errors) > 50 and set(errors) - advised == set()


def test_a_long_path_does_not_hide_what_is_wrong(run, tmp_path):
    path = tmp_path / "/".join(["x" * 200] * 8)
    assert run("image", str(path)).stderr.decode().startswith(
        f"updraft: {path}: No such file or directory; ")


@pytest.mark.parametrize("verb", ["image", "update"])
def test_a_file_that_cannot_be_an_image_ends_with_status_6(run, tmp_path, verb):
    empty, text, fifo = tmp_path / "empty", tmp_path / "text", tmp_path / "fifo"
    empty.touch()
    os.mkfifo(fifo)
    text.write_text("no image")
    for path, code, said in ((tmp_path / "none", "file", "No such file or directory"),
                             (tmp_path, "file", "Is a directory"),
                             (pathlib.Path("/dev/null"), "file", "Not a regular file"),
                             (fifo, "file", "Not a regular file"),
                             (empty, "file", "The file is empty"),
                             (text, "image_magic", "not an ESP32 image")):
        result = run(verb, str(path), "--json")
        assert result.returncode == 6
        finished = json.loads(result.stdout.splitlines()[-1])
        assert (finished["code"], finished["exit"], finished["retry"]) == (code, 6, False)
        assert result.stderr.decode().startswith(f"updraft: {path}: {said}")


@pytest.mark.parametrize("words", [["help"], ["version"], ["version", "--json"], ["image", "F"],
                                   ["image", "F", "--json"]])
def test_output_that_cannot_be_written_is_no_success(run, image, words):
    path = image("1.0.0")
    with open("/dev/full", "wb") as full:
        result = run(*[path if word == "F" else word for word in words], stdout=full)
    assert result.returncode == 1
    assert result.stderr == b"updraft: standard output could not be written\n"


@pytest.mark.parametrize("words, said", [
    (["--bogus"], "updraft-sim: no such option: --bogus"),
    (["--vhci", "-xv"], "updraft-sim: no such option: -x"),
    (["--vhci=1"], "updraft-sim: it takes no value: --vhci=1"),
    (["--seed"], "updraft-sim: a value is missing: --seed"),
    (["--adapters", "0"], "updraft-sim: "),
    (["bogus"], "updraft-sim: not a verb (a command goes after --): bogus"),
    (["image", "--bogus"], "updraft-sim image: no such option: --bogus"),
    (["image", "--size"], "updraft-sim image: a value is missing: --size"),
])
def test_the_simulator_explains_a_wrong_command_line_alike(updraft_sim, words, said):
    result = subprocess.run([updraft_sim, *words], timeout=20, text=True, capture_output=True)
    program = "updraft-sim image" if words[0] == "image" else "updraft-sim"
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr.startswith(said)
    assert result.stderr.endswith(f"; see {program} --help\n") and result.stderr.count("\n") == 1


def test_the_simulator_starts_no_board_whose_firmware_is_not_there(updraft_sim):
    result = subprocess.run([updraft_sim, "--board", "x,firmware=nonesuch", "--", "true"],
                            timeout=20, text=True, capture_output=True)
    assert result.returncode == 1
    said = r"updraft-sim: board x: no firmware 'nonesuch': .*/fw_nonesuch\.so: No such file"
    assert re.match(said, result.stderr), result.stderr
