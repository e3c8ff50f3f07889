# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What the component manager packs is what a chip's project needs, and its documents."""

import subprocess

import yaml

PACKED = {"CHANGELOG.md", "CMakeLists.txt", "DESIGN.md", "Kconfig", "LICENSE", "README.md",
          "SPEC.md", "core", "device", "docs", "examples", "idf_component.yml"}


def test_everything_else_is_left_out(root):
    files = yaml.safe_load((root / "idf_component.yml").read_text())["files"]
    listed = subprocess.run(["git", "-C", root, "ls-files"], check=True, text=True,
                            capture_output=True).stdout.split("\n")
    paths = [path for path in listed if path]
    others = {path.split("/")[0] for path in paths} - PACKED
    folders = {path.split("/")[0] for path in paths if "/" in path}
    assert set(files["exclude"]) == {
        f"{name}/**/*" if name in folders else name for name in others}
