# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What of ./run hardware can be tested without any: its steps on a virtual board, its report,
how it builds, flashes and resets, and what it reads from btmon."""

import argparse
import os
import re
import subprocess
import sys
import types

import hardware_board
import hardware_link
import hardware_report
import pytest

LIMIT_S = 300
STEPS = ["build", "flash", "find", "update", "update_back", "drop", "reset", "interrupt",
         "rollback", "reset_on_trial", "rate adapter's choice"]


def run(root, updraft, updraft_sim, work, *options):
    return subprocess.run(
        [sys.executable, root / "tools/hardware.py", "--updraft", updraft, "--updraft-sim",
         updraft_sim, "--work", work, *options],
        text=True, capture_output=True, timeout=LIMIT_S, check=False)


def test_every_step_passes_on_a_virtual_board(root, updraft, updraft_sim, tmp_path):
    result = run(root, updraft, updraft_sim, tmp_path / "work", "--virtual", "--report",
                 tmp_path / "report.txt", "--chip", "esp32c3", "--board", "none")
    assert result.returncode == 0, result.stdout + result.stderr
    text = (tmp_path / "report.txt").read_text()
    report = hardware_report.read(text)
    assert text in result.stdout
    assert [(step.name, step.outcome) for step in report.steps] == [
        (name, "passed") for name in STEPS]
    assert report.facts["kind"] == "virtual"
    assert report.facts["chip"].startswith("esp32c3, revision ")
    kept = {step.name: int(step.note.split()[0]) for step in report.steps
            if step.note.endswith("bytes were kept")}
    assert set(kept) == {"drop", "reset", "interrupt"}
    assert all(0 < size < 192 * 1024 for size in kept.values()), kept
    assert len(report.rates) == 1
    with pytest.raises(ValueError, match="no hardware"):
        hardware_report.row(report)


def test_nothing_goes_on_after_a_step_that_all_rest_on(root, updraft, tmp_path):
    result = run(root, updraft, "/bin/false", tmp_path / "work", "--virtual")
    assert result.returncode == 1
    report = hardware_report.read((tmp_path / "work/report.txt").read_text())
    assert [step.outcome for step in report.steps] == ["failed"] + ["not run"] * 9
    assert not report.passed()


def test_board_without_idf_path_is_refused(root, updraft, updraft_sim, tmp_path, monkeypatch):
    monkeypatch.delenv("IDF_PATH", raising=False)
    result = run(root, updraft, updraft_sim, tmp_path / "work")
    assert result.returncode == 1
    assert "IDF_PATH is not set" in result.stderr


# ---- the report ----

@pytest.fixture
def report():
    made = hardware_report.Report()
    made.facts = {name: name.upper() for name in hardware_report.FACTS}
    made.facts["kind"] = "board"
    made.steps = [hardware_report.Step("build", "passed", 61.25, "500000 bytes"),
                  hardware_report.Step("drop", "failed", 2, "")]
    made.rates = [(hardware_link.Wish(7.5, "2M"), "7.5 ms, 2M", 500000, 5.0)]
    return made


def test_report_is_read_as_it_was_written(report):
    text = report.text()
    assert text.splitlines()[-1] == "result: 1 passed, 1 failed, 0 not run"
    assert "rate: 7.5 ms, 2M | 7.5 ms, 2M | 500000 bytes | 5.00 s | 100.0 kB/s" in text
    assert hardware_report.read(text).text() == text


@pytest.mark.parametrize("before, after", [
    ("form 1", "form 2"), ("chip: CHIP\n", ""), ("passed | ", "well | "),
    ("100.0 kB/s", "900.0 kB/s"), ("1 failed", "0 failed"), ("result:", "and so on:")])
def test_other_form_is_no_report(report, before, after):
    text = report.text()
    assert before in text
    with pytest.raises(ValueError):
        hardware_report.read(text.replace(before, after, 1))


def test_row_has_the_columns_of_the_manuals_table(report, root):
    manual = (root / "docs/hardware.md").read_text()
    header = "| " + " | ".join(hardware_report.COLUMNS) + " |"
    assert header in manual
    row = hardware_report.row(report)
    assert row.count("|") == header.count("|")
    assert "1 of 2" in row and "100.0 (7.5 ms, 2M)" in row


def test_manual_shows_the_form_and_names_every_step(root):
    manual = (root / "docs/hardware.md").read_text()
    block = re.search(r"```text\n(updraft hardware report.*?)```", manual, re.S)[1]
    shown = hardware_report.read(block)
    assert shown.facts["kind"] == "virtual"  # nothing is shown that no board did
    for name in STEPS[:-1]:
        assert f"`{name}`" in manual


# ---- board and adapter ----

IDF = """#!/bin/sh
echo "$@" >> "$IDF_LOG"
case "$*" in
*--version) echo "ESP-IDF v5.5.1" ;;
*build) mkdir -p "$2/build" && grep PROJECT_VER "$2/CMakeLists.txt" > "$2/build/minimal.bin" ;;
esac
"""


class Port:
    """In place of pyserial's."""

    def __init__(self, baudrate, timeout):
        self.is_open = False
        self.lines = []

    def open(self):
        self.is_open = True
        self.lines.append(("open", self.port))

    def __setattr__(self, name, value):
        if name in ("dtr", "rts"):
            self.lines.append((name, value))
        self.__dict__[name] = value

    def read(self, _size):
        return b""

    def close(self):
        self.is_open = False


def test_board_is_built_flashed_and_reset_as_boards_are(root, tmp_path, monkeypatch):
    (tmp_path / "idf").mkdir()
    (tmp_path / "idf/export.sh").write_text('PATH="$IDF_PATH:$PATH"\n')
    (tmp_path / "idf/idf.py").write_text(IDF)
    os.chmod(tmp_path / "idf/idf.py", 0o755)
    monkeypatch.setenv("IDF_PATH", str(tmp_path / "idf"))
    monkeypatch.setenv("IDF_LOG", str(tmp_path / "calls"))
    monkeypatch.setitem(sys.modules, "serial", types.SimpleNamespace(Serial=Port))
    work = tmp_path / "work"
    work.mkdir()
    wishes = argparse.Namespace(work=work, chip="esp32c6", port="/dev/ttyACM7")
    with hardware_board.RealBoard(root, wishes) as board:
        board.build(("1.0.0", "1.1.0"))
        assert "1.1.0" in board.images["1.1.0"].read_text()
        assert "1.0.0" in board.images["1.0.0"].read_text()
        assert board.idf == "v5.5.1"
        board.flash("1.0.0")
        port = board.serial
        assert port.lines == [("dtr", False), ("rts", False), ("open", "/dev/ttyACM7")]
        board.reset()
        assert port.lines[3:] == [("dtr", False), ("rts", True), ("rts", False)]
    project = work / "minimal"
    assert (tmp_path / "calls").read_text().splitlines() == [
        f"-C {project} -D IDF_TARGET=esp32c6 build"] * 2 + [
        "--version", f"-C {project} -p /dev/ttyACM7 flash"]
    assert f'override_path: "{root}"' in (project / "main/idf_component.yml").read_text()


BTMON = """\
> HCI Event: LE Meta Event (0x3e) plen 19                  #42 [hci0] 16.187106
      LE Connection Complete (0x01)
        Status: Success (0x00)
        Role: Central (0x00)
        Connection interval: 50.00 msec (0x0028)
> HCI Event: LE Meta Event (0x3e) plen 19                  #43 [hci1] 16.187107
      LE Connection Complete (0x01)
        Connection interval: 30.00 msec (0x0018)
> HCI Event: LE Meta Event (0x3e) plen 6                   #44 [hci0] 16.2
      LE PHY Update Complete (0x0c)
        TX PHY: LE 2M (0x02)
        RX PHY: LE 2M (0x02)
> HCI Event: LE Meta Event (0x3e) plen 10                  #45 [hci0] 16.3
      LE Connection Update Complete (0x03)
        Connection interval: 7.50 msec (0x0006)
"""


def test_link_is_the_last_that_btmon_tells_of_the_adapter():
    assert hardware_link.link_of(BTMON, "hci0") == "7.5 ms, 2M"
    assert hardware_link.link_of(BTMON, "hci1") == "30 ms, 1M"
    assert hardware_link.link_of(BTMON, "hci2") == hardware_link.UNKNOWN
    again = BTMON + BTMON.split("> HCI Event: LE Meta Event (0x3e) plen 6")[0]
    assert hardware_link.link_of(again, "hci0") == "50 ms, 1M"  # each link begins with 1M


@pytest.mark.parametrize("before, writes", [
    (40, ["conn_min_interval", "conn_max_interval"]),
    (6, ["conn_max_interval", "conn_min_interval"])])
def test_lower_bound_of_the_interval_is_never_above_the_upper(tmp_path, monkeypatch, before,
                                                              writes):
    for name in writes:
        (tmp_path / name).write_text(str(before))
    order = []
    real = type(tmp_path).write_text
    monkeypatch.setattr(hardware_link, "_folder", lambda _adapter: tmp_path)
    monkeypatch.setattr(hardware_link.shutil, "which", lambda _name: None)
    monkeypatch.setattr(type(tmp_path), "write_text",
                        lambda self, text: (order.append(self.name), real(self, text))[1])
    hardware_link.set_link("hci0", hardware_link.Wish(15, "1M"))
    assert order == writes
    assert [(tmp_path / name).read_text() for name in writes] == ["12", "12"]


def test_adapters_own_choice_is_measured_where_none_can_be_set(monkeypatch):
    assert hardware_link.choices("hci0", virtual=True) == [hardware_link.Wish(None, None)]
    monkeypatch.setattr(hardware_link.os, "geteuid", lambda: 1000)
    assert [str(wish) for wish in hardware_link.choices("hci0", virtual=False)] == [
        "adapter's choice"]
