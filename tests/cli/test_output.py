# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What the command prints, where, and for whom."""

import json
import os
import pty
import re
import subprocess
import time
from concurrent import futures

import pytest

from simulated import ADDRESS as ONE
from simulated import Simulator

ADDRESS = re.compile(r"([0-9A-F]{2}:){5}[0-9A-F]{2}")
PHASES = ["idle", "finding", "connecting", "reading", "requesting", "transferring", "verifying",
          "restarting", "watching", "ending"]

# Event -> field -> type, or the values it may have. A field with a question mark may be absent.
DEVICE = {"address": ADDRESS, "name": str}
SCHEMA = {
    "found": {**DEVICE, "rssi_dbm": int, "has_service": bool},
    "phase": {"phase": PHASES},
    "connected": {**DEVICE, "mtu": int, "has_service": bool},
    "device": {**DEVICE, "firmware_revision": str, "model": str, "manufacturer": str,
               "protocol": [0, 1, 2], "info?": dict},
    "progress": {"done_bytes": int, "total_bytes": int, "kept_bytes": int},
    "retry": {"code": str, "attempt": int},
    "image": {"file": str, "whole": bool, "header": dict, "descriptor": dict, "updraft?": dict,
              "segments": list,
              "checksum": int, "checksum_computed": int, "size_bytes": int,
              "trailing_bytes": int, "sha256": str, "sha256_computed": str},
    "finished": {"verb": ["scan", "info", "update", "activate", "confirm", "rollback", "image"],
                 "code": str, "exit": int, "retry": bool, "message?": str, "advice?": str,
                 "detail?": str, "count?": int,
                 "outcome?": ["none", "running", "already", "untold", "confirmed", "staged",
                              "reverted"],
                 "address?": ADDRESS, "name?": str, "firmware_revision?": str,
                 "firmware_before?": str, "image_version?": str, "kept_bytes?": int,
                 "resent_bytes?": int, "status_detail?": int, "info?": dict},
}


def check_lines(text):
    """Holds JSON lines against the schema; the objects."""
    objects = []
    for line in text.splitlines():
        entry = json.loads(line)
        objects.append(dict(entry))
        assert list(entry)[:2] == ["schema", "event"], line
        assert entry.pop("schema") == 1
        fields = SCHEMA[entry.pop("event")]
        for name, wanted in fields.items():
            if name.endswith("?") and name[:-1] not in entry:
                continue
            value = entry.pop(name.rstrip("?"))
            if isinstance(wanted, list):
                assert value in wanted, line
            elif isinstance(wanted, re.Pattern):
                assert wanted.fullmatch(value), line
            else:
                assert type(value) is wanted, line
        assert not entry, f"fields that the schema does not have: {entry}"
    assert [entry["event"] for entry in objects].count("finished") == 1
    assert objects[-1]["event"] == "finished"
    return objects


def of(objects, event):
    return [entry for entry in objects if entry["event"] == event]


@pytest.fixture(scope="module")
def updates(simulator, image):
    """Updates of a board each, side by side, since most of their time is waiting: a function
    that gives what became of one."""
    old, new, large = image("1.0.0"), image("2.0.0"), image("2.0.0", size="256K")
    jobs = {"json": [new, "--json", "-q"], "plain": [large], "quiet": [new, "-q"],
            "same": [old], "forced": [old, "--force"], "terminal": [large]}
    boards = [f"board{i},image={old}" for i in range(len(jobs))]
    with simulator(*boards) as running, futures.ThreadPoolExecutor(len(jobs)) as pool:
        results = {}
        def submit(call, name, verb, board, *words):
            results[name] = pool.submit(call, running, verb, "--device",
                                        f"24:0a:c4:00:0{board}:12", *words)
        for i, (name, words) in enumerate(jobs.items()):
            submit(on_terminal if name == "terminal" else Simulator.run, name, "update", i, *words)
        for job in results.values():
            job.exception()
        # Board 0 runs the new image now, board 3 its factory firmware.
        submit(Simulator.run, "confirm again", "confirm", 0)
        submit(Simulator.run, "confirm factory", "confirm", 3)
        submit(Simulator.run, "activate again", "activate", 0, new)
        submit(Simulator.run, "activate nothing", "activate", 3)
        results["otadata"] = pool.submit(
            lambda: [running.tool("otadata", f"board{i}") for i in range(len(jobs))])
        yield lambda name: results[name].result()


# ---- JSON ----

def test_json_of_scan(one_board):
    result = one_board.run("scan", "--json", "--timeout", "1")
    objects = check_lines(result.stdout)
    assert result.returncode == 0 and result.stderr == ""
    assert of(objects, "found")[0]["name"] == "esp32"
    assert len(of(objects, "found")) <= 3  # name and service may come one after the other
    assert objects[-1]["count"] == 1 and objects[-1]["code"] == "ok"


def test_json_of_info(one_board):
    result = one_board.run("info", "--json", "--device", ONE)
    objects = check_lines(result.stdout)
    assert result.returncode == 0 and result.stderr == ""
    device = of(objects, "device")[0]
    assert (device["firmware_revision"], device["model"]) == ("1.0.0", "Minimal")
    assert of(objects, "connected")[0]["mtu"] == 498


def test_json_of_update(updates):
    result = updates("json")
    objects = check_lines(result.stdout)
    assert result.returncode == 0 and result.stderr == ""
    assert [entry["phase"] for entry in of(objects, "phase")] == PHASES[1:]
    done = [entry["done_bytes"] for entry in of(objects, "progress")]
    assert done == sorted(done) and done[-1] == 65536
    finished = objects[-1]
    assert (finished["outcome"], finished["image_version"]) == ("confirmed", "2.0.0")
    assert finished["firmware_revision"] == "2.0.0"


def test_json_of_an_error_names_code_and_retry(one_board, image):
    result = one_board.run("info", "--json", "--device", "nobody", "--timeout", "0.3")
    finished = check_lines(result.stdout)[-1]
    assert result.returncode == finished["exit"] == 3
    assert (finished["code"], finished["retry"]) == ("no_device", True)
    # A person who watches sees it as well.
    assert result.stderr.startswith(f"updraft: {finished['message']}; {finished['advice']}")


def test_json_of_an_image(one_board, image):
    result = one_board.run("image", "--json", image("1.0.0"))
    objects = check_lines(result.stdout)
    assert result.returncode == 0 and objects[0]["whole"]
    assert objects[0]["updraft"] == {"protocol_max": 2, "hardware_id": 0}


# ---- text ----

def test_scan_prints_a_table(one_board):
    result = one_board.run("scan", "--timeout", "1")
    lines = result.stdout.splitlines()
    assert result.returncode == 0 and result.stderr == ""
    assert lines[0].split() == ["ADDRESS", "RSSI", "UPDATE", "NAME"]
    assert re.fullmatch(r"24:0A:C4:00:00:12 +-\d+ dBm  yes     esp32", lines[1])


def test_results_are_on_stdout_and_the_rest_is_not(updates):
    result = updates("plain")
    assert result.returncode == 0
    assert result.stdout == "esp32 (24:0A:C4:00:01:12) runs 2.0.0, confirmed (was 1.0.0)\n"
    assert "the device verifies the image" in result.stderr
    assert "\033" not in result.stderr and "\r" not in result.stderr


def test_without_a_terminal_progress_is_a_line_every_tenth(updates):
    percents = [int(text) for text in
                re.findall(r"^ *(\d+) %  \d", updates("plain").stderr, re.M)]
    assert [percent // 10 for percent in percents] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert percents[-1] == 100


def test_quiet_says_results_and_errors_only(updates, one_board):
    result = updates("quiet")
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.count("\n") == 1 and "runs 2.0.0" in result.stdout
    result = one_board.run("info", "--quiet", "--device", "nobody", "--timeout", "0.3")
    assert result.returncode == 3 and result.stdout == ""
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("updraft: ")


def test_verbose_says_more_and_twice_everything(one_board):
    said = [one_board.run("info", "--device", ONE, *options).stderr
            for options in ([], ["-v"], ["-vv"])]
    assert said[0] == ""
    assert "listening for the device" in said[1] and "MTU 498" in said[1]
    assert "heard" not in said[1] and "heard 24:0A:C4:00:00:12 esp32" in said[2]


def test_the_version_that_runs_is_not_sent_again_unless_forced(updates):
    assert updates("same").returncode == 0
    assert "already runs 1.0.0; --force sends it again" in updates("same").stdout
    assert "sequence" not in updates("otadata")[3]
    assert updates("forced").returncode == 0
    assert "runs 1.0.0, confirmed\n" in updates("forced").stdout
    assert "sequence=1" in updates("otadata")[4]


def test_where_nothing_is_on_trial_there_is_nothing_to_confirm(updates):
    for name, said in (("confirm again", "0:12) runs 2.0.0, confirmed already\n"),
                       ("confirm factory", "3:12) runs 1.0.0, its factory firmware: there is "
                                           "nothing to confirm\n")):
        result = updates(name)
        assert result.returncode == 0 and result.stdout.endswith(said)


def test_activate_says_what_there_is_to_activate(updates):
    result = updates("activate again")
    assert result.returncode == 0 and result.stdout.endswith("0:12) already runs 2.0.0\n")
    result = updates("activate nothing")
    assert result.returncode == 5 and result.stdout == ""
    assert result.stderr.endswith("updraft: esp32 (24:0A:C4:00:03:12) holds no staged image to "
                                  "activate; updraft update --stage FILE leaves one there\n")


# ---- terminals ----

def on_terminal(running, *words, **environment):
    """Runs the command with a terminal as its stderr: what it wrote there, its status, how
    long it ran."""
    ours, theirs = pty.openpty()
    started = time.monotonic()
    process = subprocess.Popen([running.updraft_path, *words], stdout=subprocess.DEVNULL,
                               stderr=theirs,
                               env={**running.environment, "TERM": "xterm", **environment})
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 4096):
            text += piece
    except OSError:
        pass  # the other end is closed
    os.close(ours)
    return text.decode(), process.wait(20), time.monotonic() - started


def test_a_terminal_gets_a_bar_that_fits(updates):
    text, status, seconds = updates("terminal")
    assert status == 0
    bars = re.findall(r"\r\033\[K(\[([#-]+)\] +(\d+) %[^\r\n]*)", text)
    # Ten times a second at most, beside the first and the last.
    assert 2 <= len(bars) <= 2 + 10 * seconds
    for line, marks, percent in bars:
        # This terminal does not tell how wide it is: 80.
        assert len(line) < 80
        assert abs(marks.count("#") - int(percent) * len(marks) / 100) <= 1
        assert len(marks) == len(bars[0][1])
    assert bars[-1][2] == "100" and "-" not in bars[-1][1]


def test_errors_are_in_colour_on_a_terminal_unless_no_color(one_board):
    words = ["info", "--device", "nobody", "--timeout", "0.2"]
    red = "\033[1;31mupdraft:\033[0m "
    assert on_terminal(one_board, *words)[0].startswith(red)
    assert on_terminal(one_board, *words, NO_COLOR="")[0].startswith(red)
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        text, status, _ = on_terminal(one_board, *words, **environment)
        assert status == 3 and text.startswith("updraft: ") and "\033" not in text
    assert "\033" not in one_board.run(*words).stderr
