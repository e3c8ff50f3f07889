# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Each way to fail has its message, its advice and its exit status."""

import json
import os
import re
import signal

import pytest

from simulated import LARGE, LIMIT_S, last_line


@pytest.fixture(scope="module")
def boards(simulator, image):
    """Boards enough that each test that changes one has it to itself."""
    wishes = [f"board{i},image={image('1.0.0')}" for i in range(7)]
    with simulator(*wishes, options=["--flash", "typical"]) as running:
        yield running


def address(index):
    return f"24:0A:C4:00:0{index}:12"


def start_transfer(running, index, path, *more):
    """An update of a board, with its first bytes on the way."""
    return running.start_until(
        ["update", "--device", address(index), "--timeout", "1", *more, path], "progress")


# ---- 2 and 3: which device ----

def test_several_devices_are_listed_to_choose_from(boards, image):
    result = boards.run("info", "--json")
    finished = json.loads(result.stdout.splitlines()[-1])
    assert result.returncode == 2 and finished["code"] == "several_devices"
    for index in range(5):
        assert f"{address(index)} (esp32)" in result.stderr
    assert "several devices are in range; choose one with --device ADDRESS:" in result.stderr
    result = boards.run("info", "--device", "esp32")
    assert result.returncode == 2
    assert "several devices in range are named 'esp32'" in result.stderr


def test_the_device_is_chosen_by_address_in_either_case(boards):
    for text in (address(3), address(3).lower()):
        result = boards.run("info", "--device", text)
        assert result.returncode == 0 and f"Address       {address(3)}\n" in result.stdout


@pytest.mark.parametrize("words, said", [
    (["info", "--device", "nobody"], "no device 'nobody' was heard"),
    (["info", "--device", "02:00:00:00:00:01"], "no device '02:00:00:00:00:01' was heard"),
])
def test_no_such_device_ends_with_status_3(one_board, words, said):
    result = one_board.run(*words, "--timeout", "0.3")
    assert result.returncode == 3 and result.stdout == ""
    assert f"updraft: {said}; see that it is powered" in result.stderr


def test_nothing_in_range_ends_with_status_3(simulator):
    with simulator("esp32") as running:
        running.tool("power", "esp32", "off")
        for words, said in ((["scan"], "no device was heard"),
                            (["info"], "no device with the update service was heard")):
            result = running.run(*words, "--timeout", "0.3")
            assert result.returncode == 3 and result.stdout == ""
            assert result.stderr.startswith(f"updraft: {said}; ")
            # A scan that heard nothing is not told to scan.
            assert ("updraft scan lists" in result.stderr) == (words[0] != "scan")


def test_factory_firmware_is_not_told_to_go_back_to_factory(one_board):
    for more in ([], ["--factory"]):
        result = one_board.run("rollback", *more)
        assert result.returncode == 5
        assert result.stderr.endswith("no other firmware to go back to; an update is the way to "
                                      "another firmware\n")


# ---- 4: the link ----

def test_a_device_that_goes_in_the_middle_ends_with_status_4(boards, image):
    process = start_transfer(boards, 0, image("2.0.0", size=LARGE))
    boards.tool("power", "board0", "off")
    finished, stderr, status = last_line(process)
    assert status == 4
    assert (finished["code"], finished["retry"]) == ("link_lost", True)
    assert "the link to the device was lost; trying again (attempt 2)" in stderr
    assert stderr.endswith("the link to the device was lost; go nearer and try again; what has "
                           "arrived is kept: the same command goes on from there\n")
    # It runs what it ran, and takes an update.
    boards.tool("power", "board0", "on")
    result = boards.run("info", "--device", address(0))
    assert re.search(r"^Firmware +1\.0\.0$", result.stdout, re.M)


def test_a_link_lost_in_the_middle_is_made_up_for(boards, image):
    process = start_transfer(boards, 1, image("2.0.0", size=LARGE))
    boards.tool("link", "board1", "drop")
    finished, stderr, status = last_line(process)
    assert status == 0 and finished["outcome"] == "confirmed"
    assert "trying again (attempt 2)" in stderr


# ---- 5: the device says no ----

def test_an_image_for_another_chip_is_refused_with_status_6(one_board, image):
    result = one_board.run("update", image("2.0.0", chip="esp32c3"), "--json",
                           "--device", address(0))
    finished = json.loads(result.stdout.splitlines()[-1])
    assert result.returncode == 6 and finished["code"] == "image_chip"
    assert result.stderr.endswith(f"updraft: esp32 ({address(0)}) refused the image: it is for "
                                  "esp32c3, this is an esp32; build it for this chip, or choose "
                                  "another device\n")


def test_a_file_that_does_not_fit_is_refused_with_its_size(one_board, image, tmp_path):
    path = tmp_path / "padded.bin"
    path.write_bytes(open(image("2.0.0"), "rb").read().ljust(2 << 20, b"\xff"))
    result = one_board.run("update", str(path), "--device", address(0))
    assert result.returncode == 6
    assert "refused the image: it has 2097152 bytes, the slot 1048576; make" in result.stderr


def test_an_image_of_another_project_is_refused_unless_forced(simulator, image):
    with simulator(f"esp32,image={image('1.0.0')}") as running:
        other = image("2.0.0", firmware="own_nimble")
        result = running.run("update", other, "--json")
        finished = json.loads(result.stdout.splitlines()[-1])
        assert result.returncode == 5 and finished["code"] == "image_project"
        assert result.stderr.endswith(
            "refused the image: it is of project updraft-own_nimble, the device runs "
            "updraft-minimal; --force if it is meant\n")
        result = running.run("update", other, "--force")
        assert result.returncode == 0 and "runs 2.0.0, confirmed" in result.stdout


def test_two_centrals_and_two_programs_are_told_apart(simulator, image):
    with simulator(f"esp32,image={image('1.0.0')}",
                   options=["--flash", "typical", "--adapters", "2"]) as running:
        new = image("2.0.0", size=LARGE)
        process = start_transfer(running, 0, new)
        process.send_signal(signal.SIGSTOP)  # in the middle of its session
        try:
            # Another adapter is another central.
            result = running.run("update", "--adapter", "hci1", "--device", address(0), new)
            assert result.returncode == 5
            assert "another central is updating the device" in result.stderr
            # The same adapter is the same central: the device cannot tell them apart, we do.
            result = running.run("update", "--json", "--device", address(0), new)
            assert result.returncode == 4
            assert json.loads(result.stdout.splitlines()[-1])["code"] == "in_progress"
            assert "another program on this computer uses the device; end that program" \
                in result.stderr
            # Others may look on.
            result = running.run("info", "--device", address(0))
            assert re.search(r"^Firmware +1\.0\.0$", result.stdout, re.M)
        finally:
            process.send_signal(signal.SIGCONT)
        # What was under way is not disturbed.
        finished, stderr, status = last_line(process)
        assert status == 0 and finished["outcome"] == "confirmed"
        assert "trying again" not in stderr


# ---- 7: rolled back ----

def test_a_rollback_ends_with_status_7(one_board, image):
    result = one_board.run("update", image("2.0.0", behaviour="selftest"), "--json",
                           "--device", address(0))
    finished = json.loads(result.stdout.splitlines()[-1])
    assert result.returncode == 7
    assert (finished["code"], finished["retry"]) == ("rolled_back", False)
    assert (finished["firmware_before"], finished["firmware_revision"]) == ("1.0.0", "1.0.0")
    assert (finished["info"]["result"], finished["info"]["reason"]) == ("rolled_back",
                                                                        "self_test")
    assert "took 2.0.0 and went back to 1.0.0: its self-test failed; " in result.stderr


# ---- 130: interrupted ----

def test_an_interrupted_scan_shows_what_was_heard(one_board):
    process = one_board.start("scan", "-vv", "--timeout", "60")
    while "heard" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130
    assert "24:0A:C4:00:00:12" in stdout and stderr.endswith("updraft: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_update_leaves_the_device_as_it_was(boards, image, number):
    index = {signal.SIGINT: 2, signal.SIGTERM: 3, signal.SIGHUP: 6}[number]
    process = start_transfer(boards, index, image("2.0.0", size=LARGE))
    process.send_signal(number)
    finished, stderr, status = last_line(process)
    assert status == 130
    assert (finished["code"], finished["exit"], finished["retry"]) == ("cancelled", 130, True)
    assert "interrupted: ending the connection" in stderr
    result = boards.run("info", "--device", address(index))
    assert re.search(r"^Firmware +1\.0\.0$", result.stdout, re.M)


def test_an_interrupt_after_the_transfer_does_not_hide_that_the_device_has_the_image(boards,
                                                                                     image):
    words = ["update", "--device", address(5), image("3.0.0")]
    process = boards.start_until(words, "phase", phase="restarting")
    process.send_signal(signal.SIGINT)
    finished, stderr, status = last_line(process)
    assert status == 130 and finished["code"] == "cancelled"
    assert stderr.endswith("updraft: interrupted; the device has taken the image already: ask "
                           "with updraft info what it runs; updraft confirm keeps a firmware on "
                           "trial, which else goes back in some minutes\n")
    result = boards.run("info", "--device", address(5))
    assert re.search(r"^Firmware +3\.0\.0$", result.stdout, re.M)


def test_a_second_interrupt_ends_the_program_at_once(boards, image):
    process = start_transfer(boards, 4, image("2.0.0", size=LARGE))
    boards.tool("bluez", "refuse", "Disconnect", "silence", "10")
    process.send_signal(signal.SIGINT)
    while "interrupted" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LIMIT_S)
    assert process.returncode == -signal.SIGINT
    boards.tool("bluez", "refuse", "Disconnect", "silence", "0")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_the_parent_ignores_is_ignored(one_board, number):
    process = one_board.start("scan", "-vv", "--timeout", "1",
                              preexec_fn=lambda: signal.signal(number, signal.SIG_IGN))
    while "heard" not in process.stderr.readline():
        pass
    process.send_signal(number)
    process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0


def test_a_reader_that_goes_away_ends_the_job(one_board):
    ours, theirs = os.pipe()
    process = one_board.start("scan", "--json", "--timeout", "60")
    os.close(ours)
    os.close(theirs)
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    assert process.wait(LIMIT_S) == 1
    assert stderr == "updraft: standard output could not be written\n"


def test_closed_streams_are_not_mistaken_for_connections(one_board):
    words = ["info", "--json", "--device", address(0)]
    result = one_board.run(*words, preexec_fn=lambda: os.close(1))
    assert result.returncode == 1
    assert result.stderr == "updraft: standard output could not be written\n"
    words[1] = "-vv"
    result = one_board.run(*words, preexec_fn=lambda: os.close(2))
    assert result.returncode == 0 and "Firmware      1.0.0\n" in result.stdout
