# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/firmware.md shows is what is compiled, and its table is Kconfig's."""

import re


def c_blocks(text):
    return re.findall(r"```c\n(.*?)```", text, re.S)


def test_code_in_the_manual_is_the_examples_code(root):
    blocks = c_blocks((root / "docs/firmware.md").read_text())
    examples = [path.read_text() for path in root.glob("examples/*/main/main.c")]
    assert len(blocks) == 4
    for block in blocks:
        assert any(block in example for example in examples), block


def kconfig(text):
    """Name -> default of each option, as the file has them."""
    options = {}
    for name, body in re.findall(r"\n +config (\w+)\n(.*?)(?=\n +config |\nendmenu)", text,
                                 re.S):
        options[name] = re.search(r"\n +default (.+)", "\n" + body).group(1).strip('"')
    return options


def test_table_in_the_manual_is_kconfig(root):
    options = kconfig((root / "Kconfig").read_text())
    rows = re.findall(r"^\| `(UPDRAFT_\w+)` \| (\S+) \|",
                      (root / "docs/firmware.md").read_text(), re.M)
    assert len(options) > 10
    assert dict(rows) == {name: {"y": "yes"}.get(value, value)
                          for name, value in options.items()}


def test_examples_have_the_settings_that_the_manual_explains(root):
    table = re.search(r"## Settings that matter(.*?)\n## ",
                      (root / "docs/firmware.md").read_text(), re.S).group(1)
    rows = re.findall(r"^\| (`.*?) \|", table, re.M)
    names = [(name, f"# CONFIG_{name} is not set" if " off" in row else f"CONFIG_{name}=", row)
             for row in rows for name in re.findall(r"`([A-Z0-9_]+)(?:=\d+)?`", row)]
    assert len(names) >= 6
    for defaults in root.glob("examples/*/sdkconfig.defaults"):
        text = defaults.read_text()
        own_nimble = defaults.parent.name == "own_nimble"
        for name, line, row in names:
            if own_nimble or "with NimBLE of your own" not in row:
                assert line in text, (name, defaults)
