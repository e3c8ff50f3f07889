# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison of our ESP-IDF headers with other ones: what it finds, and what it lets pass."""
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools/header_checks.py"
OURS = [ROOT / "sim/idf/include", ROOT / "sim/nimble/include"]

# header, what stands there, what stands there instead, what must be told (None: nothing)
CHANGES = [
    ("host/ble_gap.h", "#define BLE_GAP_EVENT_SUBSCRIBE           14",
     "#define BLE_GAP_EVENT_SUBSCRIBE 15", "BLE_GAP_EVENT_SUBSCRIBE"),
    ("host/ble_gap.h", "int ble_gap_terminate(uint16_t conn_handle, uint8_t hci_reason);",
     "int ble_gap_terminate(uint16_t conn_handle, int hci_reason);", "ble_gap_terminate"),
    ("host/ble_gap.h", "            uint16_t value;\n        } mtu;",
     "            uint8_t value;\n        } mtu;", "struct_ble_gap_event_mtu_value"),
    ("esp_ota_ops.h", "esp_err_t esp_ota_abort(esp_ota_handle_t handle);",
     "void esp_ota_abort(esp_ota_handle_t handle);", "esp_ota_abort"),
    ("esp_ota_ops.h", "esp_err_t esp_ota_abort(esp_ota_handle_t handle);", "", None),
    ("host/ble_gap.h", "#define BLE_GAP_EVENT_LINK_ESTAB          38", "", None),
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    directory = tmp_path_factory.mktemp("sources")
    subprocess.run([sys.executable, TOOL, directory], check=True)
    return directory


def compare(sources, directories, *options):
    includes = [f"-I{directory}" for directory in directories]
    return subprocess.run([sys.executable, TOOL, *options, sources, "--", "cc", "-fsyntax-only",
                           "-D_GNU_SOURCE", "-DIDF_VER=\"check\"", *includes],
                          text=True, capture_output=True)


def test_our_headers_agree_with_themselves(sources):
    done = compare(sources, OURS, "--verbose")
    assert done.stderr == ""
    assert done.returncode == 0
    assert len(list(sources.glob("*.c"))) > 50


@pytest.mark.parametrize("header, before, after, told", CHANGES)
def test_a_changed_declaration_is_told_and_a_missing_one_passes(sources, tmp_path, header,
                                                                before, after, told):
    copies = []
    for directory in OURS:
        copies.append(tmp_path / directory.parent.name)
        shutil.copytree(directory, copies[-1])
    path = next(copy / header for copy in copies if (copy / header).exists())
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))
    one = tmp_path / "one"
    one.mkdir()
    name = header.replace("/", "__").replace(".h", ".c")
    shutil.copy(sources / name, one)
    done = compare(one, copies)
    if told is None:
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode == 1
        assert told in done.stderr
